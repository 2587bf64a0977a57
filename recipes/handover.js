// Your own login in Express: a code for each page, which also tells Countersign itself who is signed in.
// Its API key is in COUNTERSIGN_API_KEY and has the scopes users and handovers.

const ACCOUNTS = "{{accounts}}";

// Define how your site knows that the user's address is verified, for example (user) => user.emailConfirmed === true.
// Deskpro treats anyone who presents a token as the owner of the address in it, so until you define this, no user gets
// a token on the basis of an address alone.
const isProved = (user) => false;

/** A code for the user who is signed in at your site: it works once, for a minute, on pages of this origin. */
exports.chatCode = async (user, origin) => {
  if (!user) return "";
  try {
    const made = await fetch(`${ACCOUNTS}/api/v1/handovers`, {
      method: "POST",
      signal: AbortSignal.timeout(10_000),
      headers: { Authorization: `Bearer ${process.env.COUNTERSIGN_API_KEY}`, "Content-Type": "application/json" },
      body: JSON.stringify({
        external_id: String(user.id),
        messenger: "{{messenger}}",
        origin,
        user: { email: user.email, email_verified: isProved(user), display_name: user.name },
      }),
    });
    const answer = await made.json();
    if (made.ok) return answer.code;
    console.error(`Countersign: ${answer.detail} (${answer.code})`);
  } catch (error) {
    console.error(`Countersign: ${error.message}`);
  }
  // The page works without a code; the log says why there is none.
  return "";
};

/** Call it where your site deletes an account: nobody is signed in with it any more, and a late call does not restore it. */
exports.gone = (id) => fetch(`${ACCOUNTS}/api/v1/users/${encodeURIComponent(id)}`, {
  method: "DELETE",
  headers: { Authorization: `Bearer ${process.env.COUNTERSIGN_API_KEY}` },
});
