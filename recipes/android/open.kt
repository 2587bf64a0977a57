val answer = withContext(Dispatchers.IO) { chat.fetch(route, headers) }
chat.open(answer)
