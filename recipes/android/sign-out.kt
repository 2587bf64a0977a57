chat.signOut()
