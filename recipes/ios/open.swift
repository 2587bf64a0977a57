try await chat.open(request, in: self)
