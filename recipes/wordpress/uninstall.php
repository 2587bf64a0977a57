<?php
// WordPress runs this when the plugin is deleted.
// It does not revoke the API key: do that in Countersign's console.

if (!defined('WP_UNINSTALL_PLUGIN')) {
    exit;
}

delete_option('countersign');
