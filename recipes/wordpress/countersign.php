<?php
/**
 * Plugin Name: Countersign
 * Description: Tells Deskpro Messenger who is signed in to this website.
 * Version: 1.0.0
 * Requires at least: 5.9
 * Requires PHP: 7.4
 * License: MIT OR Apache-2.0
 */

if (!defined('ABSPATH')) {
    exit;
}

require __DIR__ . '/settings.php';

/** The user field that contains an address that is not verified. WordPress never shows such a field. */
const COUNTERSIGN_UNPROVED = '_countersign_unproved';

/** The values from the settings page: accounts, key, messenger, proof, field, value. A missing value is an empty string. */
function countersign_options(): array
{
    return get_option('countersign', [])
        + ['accounts' => '', 'key' => '', 'messenger' => '', 'proof' => 'nobody', 'field' => '', 'value' => ''];
}

function countersign_is_connected(): bool
{
    return countersign_options()['key'] !== '';
}

/**
 * Whether the user's address is verified, according to the settings page. Deskpro treats anyone who has
 * a token as the owner of the address in it, so until an admin has decided, no user gets a token for an address alone.
 */
function countersign_is_proved(WP_User $user): bool
{
    $options = countersign_options();
    $is_proved = false;
    if ($options['proof'] === 'everybody') {
        $is_proved = true;
    } elseif ($options['proof'] === 'field' && $options['field'] !== '') {
        // A field with several values proves nothing, and neither does an empty one.
        $found = get_user_meta($user->ID, $options['field'], false);
        $is_proved = count($found) === 1 && countersign_is_proof($found[0]);
    }
    // The address has since been changed here without verification.
    if (get_user_meta($user->ID, COUNTERSIGN_UNPROVED, true) === $user->user_email) {
        $is_proved = false;
    }
    return (bool) apply_filters('countersign_is_proved', $is_proved, $user);
}

/** Whether this value of the field that the settings page names means that the address is verified. */
function countersign_is_proof($found): bool
{
    $value = countersign_options()['value'];
    return $value !== '' && is_scalar($found) && hash_equals($value, (string) $found);
}

/** Sends a request to Countersign. Returns a response for wp_remote_retrieve_…, or a WP_Error. */
function countersign_ask(string $method, string $path, ?array $body = null)
{
    $options = countersign_options();
    return wp_remote_request($options['accounts'] . $path, [
        'method' => $method,
        'timeout' => 10,
        'redirection' => 0,
        'headers' => ['Authorization' => 'Bearer ' . $options['key'], 'Content-Type' => 'application/json'],
        'body' => $body === null ? null : wp_json_encode($body),
    ]);
}

/** Fetches a token for a user. */
function countersign_mint(WP_User $user)
{
    return countersign_ask('POST', '/api/v1/mint', [
        'external_id' => (string) $user->ID,
        'messenger' => countersign_options()['messenger'],
        'user' => [
            'email' => $user->user_email,
            'email_verified' => countersign_is_proved($user),
            'display_name' => $user->display_name,
        ],
    ]);
}

// Not a route of the REST API: it knows a user only with a nonce, and a page may stay open longer than a nonce is valid.
add_action('wp_ajax_countersign_chat_token', 'countersign_chat_token');
add_action('wp_ajax_nopriv_countersign_chat_token', 'countersign_chat_token');

function countersign_chat_token()
{
    header('Cache-Control: no-store');
    $user = wp_get_current_user();
    if (!$user->exists() || !countersign_is_connected()) {
        status_header(204);
        exit;
    }
    $minted = countersign_mint($user);
    header('Content-Type: application/json');
    if (is_wp_error($minted)) {
        error_log('Countersign does not respond: ' . $minted->get_error_message());
        status_header(503);
        exit(wp_json_encode(['code' => 'unavailable', 'detail' => 'Countersign does not respond. Try again in a moment.']));
    }
    status_header(wp_remote_retrieve_response_code($minted));
    exit(wp_remote_retrieve_body($minted));
}

/**
 * Marks a new address that is not verified. The link that WordPress sends from a user's profile verifies it; the
 * REST API and plugins accept any address. An administrator who edits another user in the dashboard vouches for it.
 */
function countersign_mark(int $id, string $before, string $email): void
{
    $asked = get_user_meta($id, '_new_email', true);
    $is_proved = is_array($asked) && $asked['newemail'] === $email
        && hash_equals($asked['hash'], (string) ($_GET['newuseremail'] ?? ''));
    $by_admin = is_admin() && !wp_doing_ajax() && current_user_can('edit_users') && get_current_user_id() !== $id;
    if ($email !== $before && !$is_proved && !$by_admin) {
        update_user_meta($id, COUNTERSIGN_UNPROVED, $email);
    }
}

// Before the address is written, so that no token is fetched for it in between.
add_filter('wp_pre_insert_user_data', function ($data, $update, $id) {
    $user = $update ? get_userdata($id) : false;
    if ($user) {
        countersign_mark((int) $id, $user->user_email, (string) $data['user_email']);
    }
    return $data;
}, PHP_INT_MAX, 3);

// The plugin that verifies addresses has since written the value that marks the new address as verified.
foreach (['added_user_meta', 'updated_user_meta'] as $written) {
    add_action($written, function ($meta, $id, $field, $value) {
        $options = countersign_options();
        if ($options['proof'] === 'field' && $field === $options['field'] && countersign_is_proof($value)) {
            delete_user_meta($id, COUNTERSIGN_UNPROVED);
        }
    }, 10, 4);
}

// The account no longer exists: nobody is signed in with it any more, and a late call does not restore it.
add_action('deleted_user', function ($id) {
    // On a network of sites, a user may have left only this site.
    if (countersign_is_connected() && !(is_multisite() && get_userdata($id))) {
        countersign_ask('DELETE', '/api/v1/users/' . rawurlencode((string) $id));
    }
});

add_action('wp_footer', function () {
    if (!countersign_is_connected()) {
        return;
    }
    $options = countersign_options();
    $user = wp_get_current_user();
    printf(
        '<script src="%s/embed.js" data-messenger="%s" data-token-url="%s" data-user="%s" async></script>',
        esc_url($options['accounts']),
        esc_attr($options['messenger']),
        esc_url(admin_url('admin-ajax.php?action=countersign_chat_token')),
        esc_attr($user->exists() ? $user->ID : '')
    );
});
