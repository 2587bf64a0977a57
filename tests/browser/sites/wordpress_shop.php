<?php

// A website in WordPress, with our plugin as it is after it was connected. Without an API key it is a fresh website: the
// plugin is not there, and its owner is an administrator with a password.
//
// wordpress_shop.php PLUGIN ACCOUNTS POLICY FOLDER: prints the address that it listens on. What it writes is in FOLDER.

[, $plugin, $accounts, $policy, $folder] = $argv;
$key = (string) getenv('COUNTERSIGN_API_KEY');

// MariaDB ends when this process does, which becomes the web server at the end.
$options = [
    '--no-defaults', "--datadir=$folder/database", "--socket=$folder/socket", '--skip-networking', '--skip-grant-tables',
    '--user=' . posix_getpwuid(posix_geteuid())['name'], '--innodb-log-file-size=8M', '--innodb-flush-log-at-trx-commit=0',
];
mkdir("$folder/database");
$database = proc_open(['setpriv', '--pdeathsig', 'KILL', '/usr/sbin/mariadbd', ...$options], [2 => ['pipe', 'w']], $pipes);
for ($said = ''; !str_contains($said, 'ready for connections'); $said .= $line) {
    $line = fgets($pipes[2]);
    if ($line === false) {
        exit("MariaDB has not started:\n$said");
    }
}
mysqli_connect('localhost', 'root', '', null, 0, "$folder/socket")->query('CREATE DATABASE shop');

$package = dirname(__DIR__, 2) . '/.wordpress/usr/share/wordpress';
passthru('cp -r ' . escapeshellarg($package) . ' ' . escapeshellarg("$folder/site"));

$constants = [
    'DB_NAME' => 'shop',
    'DB_USER' => 'root',
    'DB_PASSWORD' => '',
    'DB_HOST' => "localhost:$folder/socket",
    'DB_CHARSET' => 'utf8mb4',
    // It asks nobody but Countersign, nor itself: PHP's own server answers one request at a time.
    'WP_HTTP_BLOCK_EXTERNAL' => true,
    'WP_ACCESSIBLE_HOSTS' => parse_url($accounts, PHP_URL_HOST),
    'DISABLE_WP_CRON' => true,
];
$settings = '';
foreach ($constants as $name => $value) {
    $settings .= "define('$name', " . var_export($value, true) . ");\n";
}
file_put_contents("$folder/site/wp-config.php", "<?php\n$settings" . <<<'PHP'
    define('WP_HOME', 'http://' . $_SERVER['HTTP_HOST']);
    define('WP_SITEURL', WP_HOME);
    $table_prefix = 'wp_';
    require ABSPATH . 'wp-settings.php';
    PHP);

if ($key !== '') {
    mkdir("$folder/site/wp-content/plugins/countersign");
    foreach (glob("$plugin/*") as $file) {
        $text = strtr(file_get_contents($file), ['{{accounts}}' => $accounts]);
        file_put_contents("$folder/site/wp-content/plugins/countersign/" . basename($file), $text);
    }
}

// A theme, with the functions that every theme calls, and nothing of Countersign's.
$theme = "$folder/site/wp-content/themes/shop";
mkdir($theme);
file_put_contents("$theme/style.css", '/* Theme Name: The shop */');
file_put_contents("$theme/index.php", <<<'PHP'
    <!doctype html><html lang="en"><head><title>The shop</title><link rel="icon" href="data:,">
    <?php wp_head() ?></head><body>
    <h1>Welcome<?= is_user_logged_in() ? ', ' . esc_html(wp_get_current_user()->display_name) : '' ?></h1>
    <?php if (is_user_logged_in()): ?>
    <form method="post" action="<?= wp_logout_url(home_url('/')) ?>"><button>Sign out</button></form>
    <?php else: ?>
    <?php wp_login_form(['redirect' => home_url('/'), 'label_username' => 'Name', 'label_log_in' => 'Sign in']) ?>
    <?php endif ?>
    <?php wp_footer() ?></body></html>
    PHP);
// WordPress writes scripts and styles of its own into every page, and its bar has letters of its own.
$policy = preg_replace('/(script|style)-src/', "$0 'self' 'unsafe-inline'", $policy) . "; font-src 'self' data:";
// Where the address of whoever is signed in changes, an answer says whether it was marked as not proved by then.
file_put_contents("$theme/functions.php", '<?php add_action("send_headers", fn () => header(' .
    var_export("Content-Security-Policy: $policy", true) . '));' . <<<'PHP'

    add_filter('query', function ($query) {
        if (str_starts_with($query, 'UPDATE `wp_users`') && str_contains($query, 'user_email')) {
            header('X-Marked: ' . get_user_meta(get_current_user_id(), '_countersign_unproved', true));
        }
        return $query;
    });
    // As a membership plugin does when a link is opened that was mailed to the address; several values are its mistake.
    add_action('wp_ajax_membership_verify', function () {
        foreach ((array) $_POST['values'] as $number => $value) {
            $write = $number ? 'add_user_meta' : 'update_user_meta';
            $write(get_current_user_id(), 'email_confirmed', $value);
        }
        exit;
    });
    PHP);

$_SERVER['HTTP_HOST'] = 'shop.example';
define('WP_INSTALLING', true);
require "$folder/site/wp-load.php";
require_once ABSPATH . 'wp-admin/includes/upgrade.php';
// Nothing leaves this machine, and the website does not answer yet.
add_filter('pre_wp_mail', '__return_false');
add_filter('block_local_requests', '__return_true');
wp_install('The shop', 'owner', 'owner@wordpress.example', false, '', 'of the shop');
foreach (['mara' => 'Mara Lind', 'tom' => 'Tom Osei'] as $name => $full) {
    wp_insert_user([
        'user_login' => $name,
        'user_pass' => 'of the shop',
        'user_email' => "$name@wordpress.example",
        'display_name' => $full,
    ]);
}
// As a membership plugin writes it for those who have opened the link that was mailed to them.
update_user_meta(get_user_by('login', 'mara')->ID, 'email_confirmed', '1');
update_option('show_avatars', false);
switch_theme('shop');
if ($key !== '') {
    // How this website knows that an address is proved: it lets nobody in without the link of WordPress.
    $proof = getenv('AS_PASTED') ? [] : ['proof' => 'everybody'];
    update_option('countersign', ['accounts' => $accounts, 'key' => $key, 'messenger' => 'default'] + $proof);
    activate_plugin('countersign/countersign.php');
}

pcntl_exec(PHP_BINARY, ['-q', '-d', 'sendmail_path=/bin/true', '-S', '127.0.0.1:0', '-t', "$folder/site"]);
