const { chatCode, gone } = require("./handover.cjs");
const code = await chatCode(user, "https://www.example.com");
