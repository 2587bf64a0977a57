<?php

// Your own login in Laravel: one route in routes/web.php, one line in your layout.
//
//   <script src="{{accounts}}/embed.js" data-messenger="{{messenger}}" data-token-url="/chat-token"
//     data-user="{{ auth()->id() }}" async></script>

use Illuminate\Http\Request;
use Illuminate\Support\Facades\Http;
use Illuminate\Support\Facades\Route;

Route::get('/chat-token', function (Request $request) {
    $user = $request->user();
    if ($user === null) {
        return response()->noContent()->header('Cache-Control', 'no-store');
    }
    // Made with `countersign api-key create`; put it into config/services.php, it never leaves your server.
    $minted = Http::withToken(config('services.countersign.key'))->timeout(10)->post('{{accounts}}/api/v1/mint', [
        'external_id' => (string) $user->getAuthIdentifier(),
        'messenger' => '{{messenger}}',
        // What support should know. Say `email_verified` only of addresses that you have proved.
        'user' => [
            'email' => $user->email,
            'email_verified' => $user->email_verified_at !== null,
            'display_name' => $user->name,
        ],
    ]);
    return response()->json($minted->json(), $minted->status())->header('Cache-Control', 'no-store');
});
