await gone(user.id);
