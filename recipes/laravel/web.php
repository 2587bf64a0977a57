require __DIR__ . '/countersign.php';
