// Your own login in Express: one route on your server, one line in your pages.
//
//   import { chatToken } from "./countersign.js";
//   app.get("/chat-token", chatToken((request) => request.session.user));
//
//   <script src="{{accounts}}/embed.js" data-messenger="{{messenger}}" data-token-url="/chat-token"
//     data-user="${user ? user.id : ""}" async></script>

const ACCOUNTS = "{{accounts}}";

/** `userOf` gives whoever is signed in at your site for a request, or nothing. */
export const chatToken = (userOf) => async (request, answer) => {
  const user = await userOf(request);
  answer.set("Cache-Control", "no-store");
  if (!user) return answer.status(204).end();
  try {
    const minted = await fetch(`${ACCOUNTS}/api/v1/mint`, {
      method: "POST",
      signal: AbortSignal.timeout(10_000),
      // Made with `countersign api-key create "my site" --scope users,mint`; it never leaves your server.
      headers: { Authorization: `Bearer ${process.env.COUNTERSIGN_API_KEY}`, "Content-Type": "application/json" },
      body: JSON.stringify({
        external_id: String(user.id),
        messenger: "{{messenger}}",
        // What support should know. Say `email_verified` only of addresses that you have proved.
        user: { email: user.email, email_verified: true, display_name: user.name },
      }),
    });
    return answer.status(minted.status).json(await minted.json());
  } catch (error) {
    return answer.status(503).json({ code: "unavailable", detail: error.message });
  }
};
