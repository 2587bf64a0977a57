await gone(user.sub);
