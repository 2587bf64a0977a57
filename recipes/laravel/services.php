'countersign' => ['key' => env('COUNTERSIGN_API_KEY')],
