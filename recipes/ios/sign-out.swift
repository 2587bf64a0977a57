await chat.signOut()
