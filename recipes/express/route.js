const { chatToken, gone } = require("./countersign.cjs");
app.get("/chat-token", chatToken((request) => request.session.user));
