<?php
/**
 * Plugin Name: Countersign
 * Description: Tells Deskpro Messenger who is signed in at this website.
 *
 * Put this file into wp-content/plugins, define COUNTERSIGN_API_KEY in wp-config.php (made with
 * `countersign api-key create`), and switch the plugin on.
 */

if (!defined('ABSPATH')) {
    exit;
}

const COUNTERSIGN_ACCOUNTS = '{{accounts}}';
const COUNTERSIGN_MESSENGER = '{{messenger}}';

add_action('rest_api_init', function () {
    register_rest_route('countersign/v1', '/chat-token', [
        'methods' => 'GET',
        'permission_callback' => '__return_true',
        'callback' => 'countersign_chat_token',
    ]);
});

function countersign_chat_token()
{
    nocache_headers();
    $user = wp_get_current_user();
    if (!$user->exists()) {
        return new WP_REST_Response(null, 204);
    }
    $minted = wp_remote_post(COUNTERSIGN_ACCOUNTS . '/api/v1/mint', [
        'timeout' => 10,
        'headers' => ['Authorization' => 'Bearer ' . COUNTERSIGN_API_KEY, 'Content-Type' => 'application/json'],
        'body' => wp_json_encode([
            'external_id' => (string) $user->ID,
            'messenger' => COUNTERSIGN_MESSENGER,
            // WordPress has sent each user's password to this address. If yours has not, say false.
            'user' => ['email' => $user->user_email, 'email_verified' => true, 'display_name' => $user->display_name],
        ]),
    ]);
    if (is_wp_error($minted)) {
        return new WP_REST_Response(['code' => 'unavailable', 'detail' => $minted->get_error_message()], 503);
    }
    $body = json_decode(wp_remote_retrieve_body($minted));
    return new WP_REST_Response($body, wp_remote_retrieve_response_code($minted));
}

add_action('wp_footer', function () {
    $user = wp_get_current_user();
    // The REST API knows the user by a nonce that stands in the address.
    $route = add_query_arg('_wpnonce', wp_create_nonce('wp_rest'), rest_url('countersign/v1/chat-token'));
    printf(
        '<script src="%s/embed.js" data-messenger="%s" data-token-url="%s" data-user="%s" async></script>',
        esc_url(COUNTERSIGN_ACCOUNTS),
        esc_attr(COUNTERSIGN_MESSENGER),
        esc_url($route),
        esc_attr($user->exists() ? $user->ID : '')
    );
});
