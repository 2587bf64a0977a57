<?php
/**
 * Plugin Name: Countersign
 * Description: Tells Deskpro Messenger who is signed in at this website.
 *
 * Put this file into wp-content/plugins, define COUNTERSIGN_API_KEY in wp-config.php (made with
 * `countersign api-key create "my site" --scope users,mint`), and switch the plugin on.
 */

if (!defined('ABSPATH')) {
    exit;
}

const COUNTERSIGN_ACCOUNTS = '{{accounts}}';
const COUNTERSIGN_MESSENGER = '{{messenger}}';

/**
 * Say how your site knows that the user has proved the address, for example by a field of your registration plugin:
 * return get_user_meta($user->ID, 'email_confirmed', true) === '1';
 * Deskpro takes whoever bears a token for the owner of the address in it, so until then nobody gets one by an address.
 * WordPress by itself lets nobody in without a link to the address, but shops and other plugins do.
 */
function countersign_is_proved(WP_User $user): bool
{
    return false;
}

// Not a route of the REST API: that one knows a user by a nonce alone, and a page may stay open for longer than those.
add_action('wp_ajax_countersign_chat_token', 'countersign_chat_token');
add_action('wp_ajax_nopriv_countersign_chat_token', 'countersign_chat_token');

function countersign_chat_token()
{
    header('Cache-Control: no-store');
    $user = wp_get_current_user();
    if (!$user->exists()) {
        status_header(204);
        exit;
    }
    $minted = wp_remote_post(COUNTERSIGN_ACCOUNTS . '/api/v1/mint', [
        'timeout' => 10,
        'headers' => ['Authorization' => 'Bearer ' . COUNTERSIGN_API_KEY, 'Content-Type' => 'application/json'],
        'body' => wp_json_encode([
            'external_id' => (string) $user->ID,
            'messenger' => COUNTERSIGN_MESSENGER,
            'user' => [
                'email' => $user->user_email,
                'email_verified' => countersign_is_proved($user)
                    && get_user_meta($user->ID, 'countersign_unproved', true) !== $user->user_email,
                'display_name' => $user->display_name,
            ],
        ]),
    ]);
    header('Content-Type: application/json');
    if (is_wp_error($minted)) {
        status_header(503);
        exit(wp_json_encode(['code' => 'unavailable', 'detail' => $minted->get_error_message()]));
    }
    status_header(wp_remote_retrieve_response_code($minted));
    exit(wp_remote_retrieve_body($minted));
}

// A new address is proved by the link that WordPress sends from a user's profile; its REST API, and plugins, take any.
add_action('profile_update', function ($id, $before) {
    $email = get_userdata($id)->user_email;
    $asked = get_user_meta($id, '_new_email', true);
    $is_proved = is_array($asked) && $asked['newemail'] === $email
        && hash_equals($asked['hash'], (string) ($_GET['newuseremail'] ?? ''));
    if ($email !== $before->user_email && !$is_proved && !current_user_can('edit_users')) {
        update_user_meta($id, 'countersign_unproved', $email);
    }
}, 10, 2);

// An account is gone: nobody is signed in with it any more, and a late call does not bring it back.
add_action('deleted_user', function ($id) {
    wp_remote_request(COUNTERSIGN_ACCOUNTS . '/api/v1/users/' . rawurlencode((string) $id), [
        'method' => 'DELETE',
        'timeout' => 10,
        'headers' => ['Authorization' => 'Bearer ' . COUNTERSIGN_API_KEY],
    ]);
});

add_action('wp_footer', function () {
    $user = wp_get_current_user();
    printf(
        '<script src="%s/embed.js" data-messenger="%s" data-token-url="%s" data-user="%s" async></script>',
        esc_url(COUNTERSIGN_ACCOUNTS),
        esc_attr(COUNTERSIGN_MESSENGER),
        esc_url(admin_url('admin-ajax.php?action=countersign_chat_token')),
        esc_attr($user->exists() ? $user->ID : '')
    );
});
