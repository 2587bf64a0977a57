path("chat-token", countersign.chat_token),
