after_destroy_commit { ChatTokensController.gone(id) }
