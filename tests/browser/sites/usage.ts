// What developers write with the helper's types; it is only compiled.

import type { CountersignOptions, CountersignToken } from "../../../static/embed.js";

const options: CountersignOptions = {
  messenger: "shop",
  async getToken() {
    const answer = await fetch("/chat-token");
    return answer.ok && answer.status === 200 ? ((await answer.json()) as CountersignToken) : null;
  },
  anonymous: "sign-in",
};
window.CountersignOptions = options;

const stop = window.Countersign.on("error", ({ code, retryIn }) => {
  console.warn(code.toUpperCase(), retryIn === null ? "given up" : retryIn.toFixed());
});
window.Countersign.on("signed-out", ({ subject }) => { const nobody: null = subject; return nobody; });
await window.Countersign.start({ user: "C-1001" });
const token: string | undefined = await window.Countersign.token();
if (window.Countersign.subject !== null && token) await window.Countersign.signOut();
stop();

// @ts-expect-error there is no such event
window.Countersign.on("signed_in", () => {});
// @ts-expect-error only these three
window.CountersignOptions = { anonymous: "show" };
