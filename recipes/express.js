// Your own login in Express: a route that returns a token for the signed-in user.
// Its API key is in COUNTERSIGN_API_KEY and has the scopes users and mint.

const ACCOUNTS = "{{accounts}}";

// Define how your site knows that the user's address is verified, for example (user) => user.emailConfirmed === true.
// Deskpro treats anyone who presents a token as the owner of the address in it, so until you define this, no user gets
// a token on the basis of an address alone.
const isProved = (user) => false;

const ask = (method, path, body) => fetch(ACCOUNTS + path, {
  method,
  signal: AbortSignal.timeout(10_000),
  headers: { Authorization: `Bearer ${process.env.COUNTERSIGN_API_KEY}`, "Content-Type": "application/json" },
  body: body && JSON.stringify(body),
});

/** `userOf` returns the user who is signed in at your site for a request, or nothing. */
exports.chatToken = (userOf) => async (request, answer) => {
  const user = await userOf(request);
  answer.set("Cache-Control", "no-store");
  if (!user) return answer.status(204).end();
  try {
    const minted = await ask("POST", "/api/v1/mint", {
      external_id: String(user.id),
      messenger: "{{messenger}}",
      user: { email: user.email, email_verified: isProved(user), display_name: user.name },
    });
    return answer.status(minted.status).json(await minted.json());
  } catch (error) {
    return answer.status(503).json({ code: "unavailable", detail: error.message });
  }
};

/** The account no longer exists: nobody is signed in with it any more, and a late call does not restore it. */
exports.gone = (id) => ask("DELETE", `/api/v1/users/${encodeURIComponent(id)}`);
