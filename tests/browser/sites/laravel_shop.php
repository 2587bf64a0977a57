<?php

// A website in Laravel with its own login, and the recipe for Laravel as its owners would copy it.
//
// laravel_shop.php RECIPE ACCOUNTS POLICY FOLDER: prints the address that it listens on. What it writes is in FOLDER.

use Illuminate\Contracts\Debug\ExceptionHandler;
use Illuminate\Contracts\Http\Kernel as HttpKernel;
use Illuminate\Foundation\Application;
use Illuminate\Foundation\Auth\User;
use Illuminate\Foundation\Exceptions\Handler;
use Illuminate\Foundation\Http\Kernel as BaseKernel;
use Illuminate\Foundation\Support\Providers\RouteServiceProvider;
use Illuminate\Http\Request;
use Illuminate\Support\Facades\Route;
use Illuminate\Support\Facades\Schema;

require 'Illuminate/autoload.php';
require 'GuzzleHttp/autoload.php';

class Kernel extends BaseKernel
{
    protected $middlewareGroups = ['web' => [
        Illuminate\Cookie\Middleware\EncryptCookies::class,
        Illuminate\Cookie\Middleware\AddQueuedCookiesToResponse::class,
        Illuminate\Session\Middleware\StartSession::class,
        Illuminate\Routing\Middleware\SubstituteBindings::class,
    ]];
}

class Routes extends RouteServiceProvider
{
    public function boot()
    {
        $this->routes(fn () => Route::middleware('web')->group(base_path('routes/web.php')));
    }
}

// What stands in routes/web.php, beside the recipe's line.
const ROUTES = <<<'PHP'
    <?php

    use Illuminate\Http\Request;
    use Illuminate\Support\Facades\Auth;
    use Illuminate\Support\Facades\Route;

    Route::get('/', fn () => response()->view('page')->header('Content-Security-Policy', getenv('POLICY')));
    Route::post('/login', function (Request $request) {
        Auth::attempt(['email' => "{$request->name}@laravel.example", 'password' => 'of the shop']);
        return redirect('/');
    });
    Route::post('/logout', function (Request $request) {
        Auth::logout();
        $request->session()->invalidate();
        return redirect('/');
    });

    PHP;

const PAGE = <<<'BLADE'
    <!doctype html><html lang="en"><title>The shop</title><link rel="icon" href="data:,">
    <h1>{{ auth()->check() ? 'Welcome, ' . auth()->user()->name : 'Welcome' }}</h1>
    @auth
    <form method="post" action="/logout"><button data-countersign-sign-out>Sign out</button></form>
    @else
    <form method="post" action="/login"><input name="name" aria-label="Name"><button>Sign in</button></form>
    @endauth

    BLADE;

function shop(string $folder): Application
{
    $app = new Application($folder);
    $app->singleton(HttpKernel::class, Kernel::class);
    $app->singleton(ExceptionHandler::class, Handler::class);
    return $app;
}

/** The folder of the website: its settings, its template with the recipe's line, its routes, and its users. */
function prepare(string $folder, string $recipe, array $lines): void
{
    foreach (['bootstrap/cache', 'config', 'routes', 'sessions', 'views', 'compiled'] as $name) {
        mkdir("$folder/$name", recursive: true);
    }
    touch("$folder/shop.db");
    $settings = [
        'app' => [
            'locale' => 'en',
            'key' => str_repeat('k', 32),
            'cipher' => 'AES-256-CBC',
            'providers' => [
                Illuminate\Auth\AuthServiceProvider::class,
                Illuminate\Cookie\CookieServiceProvider::class,
                Illuminate\Database\DatabaseServiceProvider::class,
                Illuminate\Encryption\EncryptionServiceProvider::class,
                Illuminate\Filesystem\FilesystemServiceProvider::class,
                Illuminate\Foundation\Providers\FoundationServiceProvider::class,
                Illuminate\Hashing\HashServiceProvider::class,
                Illuminate\Session\SessionServiceProvider::class,
                Illuminate\Translation\TranslationServiceProvider::class,
                Illuminate\View\ViewServiceProvider::class,
                Routes::class,
            ],
        ],
        'auth' => [
            'defaults' => ['guard' => 'web'],
            'guards' => ['web' => ['driver' => 'session', 'provider' => 'users']],
            'providers' => ['users' => ['driver' => 'eloquent', 'model' => User::class]],
        ],
        'database' => [
            'default' => 'sqlite',
            'connections' => ['sqlite' => ['driver' => 'sqlite', 'database' => "$folder/shop.db"]],
        ],
        'hashing' => ['driver' => 'bcrypt', 'bcrypt' => ['rounds' => 4]],
        'logging' => ['default' => 'errorlog', 'channels' => ['errorlog' => ['driver' => 'errorlog']]],
        'session' => [
            'driver' => 'file', 'files' => "$folder/sessions", 'lifetime' => 120, 'lottery' => [0, 100], 'cookie' => 'shop',
            'path' => '/', 'domain' => null, 'secure' => null, 'same_site' => 'lax', 'expire_on_close' => false,
        ],
        'view' => ['paths' => ["$folder/views"], 'compiled' => "$folder/compiled"],
    ];
    foreach ($settings as $name => $values) {
        file_put_contents("$folder/config/$name.php", '<?php return ' . var_export($values, true) . ';');
    }
    file_put_contents("$folder/routes/countersign.php", $recipe);
    file_put_contents("$folder/routes/web.php", ROUTES . $lines['web.php']);
    file_put_contents("$folder/config/services.php", '<?php return [' . $lines['services.php'] . '];');
    file_put_contents("$folder/views/page.blade.php", PAGE . $lines['layout.blade.php']);

    $app = shop($folder);
    $app->make(HttpKernel::class)->bootstrap();
    Schema::create('users', function ($table) {
        $table->id();
        $table->string('name');
        $table->string('email')->unique();
        $table->timestamp('email_verified_at')->nullable();
        $table->string('password');
        $table->rememberToken();
        $table->timestamps();
    });
    foreach (['mara' => 'Mara Lind', 'tom' => 'Tom Osei'] as $name => $full) {
        (new User)->forceFill([
            'name' => $full,
            'email' => "$name@laravel.example",
            'email_verified_at' => now(),
            'password' => bcrypt('of the shop'),
        ])->save();
    }
}

if (PHP_SAPI === 'cli') {
    [, $recipe, $accounts, $policy, $folder] = $argv;
    // How this website knows that an address is proved: by the field that Laravel has for it.
    $pasted = '$isProved = fn ($user) => false;';
    $says = getenv('AS_PASTED') ? $pasted : '$isProved = fn ($user) => $user->email_verified_at !== null;';
    $text = file_get_contents($recipe);
    substr_count($text, $pasted) === 1 || exit("the recipe vouches for somebody\n");
    $values = ['{{accounts}}' => $accounts, '{{messenger}}' => 'default', $pasted => $says];
    $lines = [];
    foreach (glob(dirname($recipe) . '/laravel/*') as $file) {
        $lines[basename($file)] = strtr(file_get_contents($file), $values);
    }
    prepare($folder, strtr($text, $values), $lines);
    // From here on PHP's own server runs this file for each request.
    pcntl_exec(PHP_BINARY, ['-q', '-S', '127.0.0.1:0', __FILE__], ['FOLDER' => $folder, 'POLICY' => $policy] + getenv());
}

$kernel = shop(getenv('FOLDER'))->make(HttpKernel::class);
$response = $kernel->handle($request = Request::capture());
$response->send();
$kernel->terminate($request, $response);
