<?php

// Your own login in Laravel: a route that returns a token for the signed-in user.
// Its API key is in COUNTERSIGN_API_KEY and has the scopes users and mint.

use Illuminate\Http\Request;
use Illuminate\Support\Facades\Event;
use Illuminate\Support\Facades\Http;
use Illuminate\Support\Facades\Route;

// Define how your site knows that the user's address is verified, for example: fn ($user) => $user->hasVerifiedEmail()
// if your User model implements MustVerifyEmail. Deskpro treats anyone who presents a token as the owner of the address
// in it, so until you define this, no user gets a token on the basis of an address alone.
$isProved = fn ($user) => false;

Route::get('/chat-token', function (Request $request) use ($isProved) {
    $user = $request->user();
    if ($user === null) {
        return response()->noContent()->header('Cache-Control', 'no-store');
    }
    $minted = Http::withToken(config('services.countersign.key'))->timeout(10)->post('{{accounts}}/api/v1/mint', [
        'external_id' => (string) $user->getAuthIdentifier(),
        'messenger' => '{{messenger}}',
        'user' => [
            'email' => $user->email,
            'email_verified' => $isProved($user),
            'display_name' => $user->name,
        ],
    ]);
    // Passed on unchanged: if PHP decoded and encoded it again, an empty object would become a list.
    $headers = ['Content-Type' => 'application/json', 'Cache-Control' => 'no-store'];
    return response($minted->body(), $minted->status(), $headers);
});

// The account no longer exists: nobody is signed in with it any more, and a late call does not restore it.
Event::listen('eloquent.deleted: ' . config('auth.providers.users.model'), function ($user) {
    $id = rawurlencode((string) $user->getAuthIdentifier());
    Http::withToken(config('services.countersign.key'))->timeout(10)->delete("{{accounts}}/api/v1/users/$id");
});
