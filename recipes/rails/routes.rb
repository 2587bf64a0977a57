get "/chat-token", to: "chat_tokens#show"
