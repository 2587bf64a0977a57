<?php
// Settings → Countersign: connect with a code, say whose email addresses are verified, try it with a user.

if (!defined('ABSPATH')) {
    exit;
}

/** The address that this plugin was downloaded from. */
const COUNTERSIGN_ACCOUNTS = '{{accounts}}';

add_action('admin_menu', function () {
    add_options_page('Countersign', 'Countersign', 'manage_options', 'countersign', 'countersign_settings');
});

add_filter('plugin_action_links_' . plugin_basename(__DIR__ . '/countersign.php'), function ($links) {
    return array_merge(['<a href="' . esc_url(countersign_page()) . '">Settings</a>'], $links);
});

function countersign_page(): string
{
    return admin_url('options-general.php?page=countersign');
}

/** Stores the notice for the top of the page: its kind (success, warning, error) and safe HTML. */
function countersign_note(string $kind, string $html): void
{
    set_transient('countersign_note_' . get_current_user_id(), [$kind, $html], 60);
}

/** Each form of the page sends the action in `do`. */
add_action('admin_post_countersign', function () {
    if (!current_user_can('manage_options')) {
        wp_die('Only administrators can change this.', '', ['response' => 403]);
    }
    check_admin_referer('countersign');
    $sent = array_map('trim', array_filter(wp_unslash($_POST), 'is_string'));
    switch ($sent['do'] ?? '') {
        case 'connect':
            countersign_connect($sent['accounts'] ?? '', $sent['code'] ?? '');
            break;
        case 'disconnect':
            delete_option('countersign');
            countersign_note('success', 'Disconnected: the chat was removed from your pages. The plugin’s API key still works until '
                . 'you revoke it in Countersign’s console, under “API keys”.');
            break;
        case 'proof':
            countersign_say_proof($sent);
            break;
        case 'try':
            countersign_try($sent['user'] ?? '');
            break;
    }
    wp_safe_redirect(countersign_page());
    exit;
});

function countersign_connect(string $accounts, string $code): void
{
    $accounts = untrailingslashit($accounts);
    // If connecting fails, the typed address is filled in again; the code is not, as it is of no use by then.
    set_transient('countersign_typed_' . get_current_user_id(), $accounts, 60);
    $host = (string) wp_parse_url($accounts, PHP_URL_HOST);
    $is_safe = wp_parse_url($accounts, PHP_URL_SCHEME) === 'https'
        || in_array($host, ['127.0.0.1', 'localhost', '[::1]'], true)
        || in_array(wp_get_environment_type(), ['local', 'development'], true);
    if ($host === '' || !$is_safe) {
        countersign_note('error', 'Enter the address of Countersign as your browser shows it, with https://.');
        return;
    }
    if ($code === '') {
        countersign_note('error', 'Paste the connection code from Countersign’s console.');
        return;
    }
    $answer = wp_remote_post($accounts . '/api/v1/connections', [
        'timeout' => 10,
        'redirection' => 0,
        'headers' => ['Content-Type' => 'application/json'],
        'body' => wp_json_encode(['code' => $code, 'site' => home_url()]),
    ]);
    if (is_wp_error($answer)) {
        countersign_note('error', 'This website’s server cannot reach ' . esc_html($accounts) . ': '
            . esc_html($answer->get_error_message()));
        return;
    }
    $said = json_decode(wp_remote_retrieve_body($answer), true);
    if (wp_remote_retrieve_response_code($answer) !== 201 || empty($said['api_key'])) {
        countersign_note('error', esc_html($said['detail'] ?? 'This does not look like Countersign: '
            . $accounts . ' returned ' . wp_remote_retrieve_response_code($answer) . '.'));
        return;
    }
    if (array_diff(['users', 'mint'], $said['scopes'] ?? [])) {
        countersign_note('error', 'The key of this code is not allowed to do what this plugin needs. Create a code under “Put it into your pages”, '
            . 'then “WordPress”, or with the scopes users and mint. Revoke the other key in the console, under “API keys”.');
        return;
    }
    update_option('countersign', [
        'accounts' => $accounts,
        'key' => $said['api_key'],
        'messenger' => $said['messengers'][0],
        'until' => $said['expires_at'],
    ] + array_intersect_key(countersign_options(), array_flip(['proof', 'field', 'value'])));
    countersign_note('success', 'Connected. The chat is in your pages now. Next, say whose email addresses are verified.');
}

function countersign_say_proof(array $sent): void
{
    $proof = in_array($sent['proof'] ?? '', ['nobody', 'everybody', 'field'], true) ? $sent['proof'] : 'nobody';
    if ($proof === 'field' && (($sent['field'] ?? '') === '' || ($sent['value'] ?? '') === '')) {
        countersign_note('error', 'Enter the user field and the value that it has for verified users, for example <code>email_confirmed</code> and <code>1</code>.');
        return;
    }
    update_option('countersign', [
        'proof' => $proof,
        'field' => $sent['field'] ?? '',
        'value' => $sent['value'] ?? '',
    ] + countersign_options());
    countersign_note('success', 'Saved.');
}

function countersign_try(string $typed): void
{
    $user = get_user_by('login', $typed) ?: get_user_by('email', $typed);
    if (!$user) {
        countersign_note('error', 'No user here has the username or email address “' . esc_html($typed) . '”.');
        return;
    }
    $who = esc_html($user->display_name);
    $minted = countersign_mint($user);
    if (is_wp_error($minted)) {
        countersign_note('error', 'Countersign does not respond: ' . esc_html($minted->get_error_message()));
        return;
    }
    $said = json_decode(wp_remote_retrieve_body($minted), true);
    if (!empty($said['token'])) {
        $claims = explode('.', $said['token'])[1];
        $seen = json_decode(base64_decode(strtr($claims, '-_', '+/')), true);
        $parts = array_filter([$seen['name'] ?? '', $seen['email'] ?? '']);
        countersign_note('success', "$who is confirmed: support sees " . esc_html(implode(', ', $parts)) . '.');
        return;
    }
    $code = $said['code'] ?? '';
    $why = $code === 'unverified'
        ? 'nothing proves that the address ' . $user->user_email . ' is this user’s. See “Whose email addresses are verified” below.'
        : ($said['detail'] ?? 'Countersign returned ' . wp_remote_retrieve_response_code($minted));
    $help = esc_url(countersign_options()['accounts'] . '/help/errors/' . rawurlencode($code));
    countersign_note('warning', "$who chats unconfirmed: " . esc_html($why)
        . ($code === '' ? '' : ' <a href="' . $help . '">What does that mean?</a>'));
}

/** The hidden fields and the button of one form. */
function countersign_send(string $do, string $label, string $class = 'primary'): void
{
    wp_nonce_field('countersign');
    echo '<input type="hidden" name="action" value="countersign"><input type="hidden" name="do" value="' . esc_attr($do) . '">';
    submit_button($label, $class, 'submit', true, ['id' => "countersign-$do"]);
}

function countersign_settings(): void
{
    $options = countersign_options();
    $to = esc_url(admin_url('admin-post.php'));
    $note = get_transient('countersign_note_' . get_current_user_id());
    $typed = get_transient('countersign_typed_' . get_current_user_id());
    delete_transient('countersign_note_' . get_current_user_id());
    echo '<div class="wrap"><h1>Countersign</h1>';
    echo '<p>Tells Deskpro Messenger who is signed in to this website, so that support knows who is asking.</p>';
    if ($note) {
        echo '<div class="notice notice-' . esc_attr($note[0]) . '" role="status"><p>' . $note[1] . '</p></div>';
    }
    if (!countersign_is_connected()) {
        $accounts = esc_url($typed ?: (strpos(COUNTERSIGN_ACCOUNTS, '{') === 0 ? '' : COUNTERSIGN_ACCOUNTS));
        ?>
        <h2>Connect</h2>
        <p>In Countersign’s console, under “Put it into your pages”, then “WordPress”, create a connection code. It works once
            and expires after 15 minutes.</p>
        <form method="post" action="<?= $to ?>">
            <table class="form-table" role="presentation">
                <tr><th scope="row"><label for="countersign-accounts">Address of Countersign</label></th>
                    <td><input id="countersign-accounts" name="accounts" type="url" class="regular-text" required value="<?= $accounts ?>"></td></tr>
                <tr><th scope="row"><label for="countersign-code">Connection code</label></th>
                    <td><input id="countersign-code" name="code" type="text" class="regular-text" required autocomplete="off" spellcheck="false"></td></tr>
            </table>
            <?php countersign_send('connect', 'Connect') ?>
        </form></div>
        <?php
        return;
    }
    $until = $options['until'] ?? 0;
    $days = $until ? (int) floor(($until - time()) / DAY_IN_SECONDS) : null;
    ?>
    <h2>Connection</h2>
    <p>Connected to <a href="<?= esc_url($options['accounts']) ?>"><?= esc_html($options['accounts']) ?></a>, messenger
        <code><?= esc_html($options['messenger']) ?></code>.
        <?php if ($days !== null): ?>The plugin’s API key works until <?= esc_html(wp_date(get_option('date_format'), $until)) ?>.
        <?php if ($days < 30): ?><strong>Disconnect and connect again with a new code before that day.</strong><?php endif ?><?php endif ?></p>
    <form method="post" action="<?= $to ?>"><?php countersign_send('disconnect', 'Disconnect', 'secondary') ?></form>

    <h2 id="proof">Whose email addresses are verified</h2>
    <p>Deskpro treats anyone who has a token as the owner of the address in it, and shows them that person’s chats. So a user
        is confirmed only when the address is known to be theirs, for example because they opened a link that was mailed to it.</p>
    <?php if (class_exists('WooCommerce') && $options['proof'] === 'everybody'): ?>
        <div class="notice notice-warning inline"><p>WooCommerce creates accounts at checkout without asking for proof:
            with “Everybody’s”, anyone can sign up with another person’s address and read that person’s chats.</p></div>
    <?php endif ?>
    <form method="post" action="<?= $to ?>">
        <fieldset><legend class="screen-reader-text">Whose email addresses are verified</legend>
            <p><label><input type="radio" name="proof" value="nobody" <?php checked($options['proof'], 'nobody') ?>>
                Nobody’s: all users chat unconfirmed</label></p>
            <p><label><input type="radio" name="proof" value="field" <?php checked($options['proof'], 'field') ?>>
                Users with this field, as written by the plugin that verifies addresses:</label><br>
                <label>Field <input name="field" value="<?= esc_attr($options['field']) ?>" spellcheck="false" autocapitalize="none"></label>
                <label>Value <input name="value" value="<?= esc_attr($options['value']) ?>" spellcheck="false" autocapitalize="none"></label></p>
            <p><label><input type="radio" name="proof" value="everybody" <?php checked($options['proof'], 'everybody') ?>>
                Everybody’s: no user gets an account here, or changes its address, without opening a link that was mailed to the address</label></p>
        </fieldset>
        <?php countersign_send('proof', 'Save') ?>
    </form>

    <h2>Try it</h2>
    <form method="post" action="<?= $to ?>">
        <p><label for="countersign-user">Username or email address</label><br>
            <input id="countersign-user" name="user" type="text" class="regular-text" required value="<?= esc_attr(wp_get_current_user()->user_login) ?>"></p>
        <?php countersign_send('try', 'What does support see?', 'secondary') ?>
    </form></div>
    <?php
}
