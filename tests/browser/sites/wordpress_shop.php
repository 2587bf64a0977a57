<?php

// A website in WordPress, and the recipe for WordPress as its owners would copy it: a plugin, and a key in wp-config.php.
//
// wordpress_shop.php RECIPE ACCOUNTS POLICY FOLDER: prints the address that it listens on. What it writes is in FOLDER.

[, $recipe, $accounts, $policy, $folder] = $argv;

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
    'COUNTERSIGN_API_KEY' => getenv('COUNTERSIGN_API_KEY'),
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

// How this website knows that an address is proved: it lets nobody in without the link of WordPress.
$text = file_get_contents($recipe);
substr_count($text, "    return false;\n") === 1 || exit("the recipe vouches for somebody\n");
$says = getenv('AS_PASTED') ? "    return false;\n" : "    return true;\n";
$text = strtr($text, ['{{accounts}}' => $accounts, '{{messenger}}' => 'default', "    return false;\n" => $says]);
file_put_contents("$folder/site/wp-content/plugins/countersign.php", $text);

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
file_put_contents("$theme/functions.php", '<?php add_action("send_headers", fn () => header(' .
    var_export("Content-Security-Policy: $policy", true) . '));');

$_SERVER['HTTP_HOST'] = 'shop.example';
define('WP_INSTALLING', true);
require "$folder/site/wp-load.php";
require_once ABSPATH . 'wp-admin/includes/upgrade.php';
// Nothing leaves this machine, and the website does not answer yet.
add_filter('pre_wp_mail', '__return_false');
add_filter('block_local_requests', '__return_true');
wp_install('The shop', 'owner', 'owner@wordpress.example', false, '', wp_generate_password());
foreach (['mara' => 'Mara Lind', 'tom' => 'Tom Osei'] as $name => $full) {
    wp_insert_user([
        'user_login' => $name,
        'user_pass' => 'of the shop',
        'user_email' => "$name@wordpress.example",
        'display_name' => $full,
    ]);
}
update_option('show_avatars', false);
switch_theme('shop');
activate_plugin('countersign.php');

pcntl_exec(PHP_BINARY, ['-q', '-d', 'sendmail_path=/bin/true', '-S', '127.0.0.1:0', '-t', "$folder/site"]);
