// Your own login in Express, by a code: your pages are on the same site as Countersign, and it, too, is to know who is
// signed in (for /account, or for other sites of yours). Otherwise the recipe with a route of your own is simpler.
//
// The pages' origin must be among the messenger's allowed origins.
//
//   import { chatCode } from "./handover.js";
//   const code = await chatCode(user, "https://www.example.com"); // for each page that you answer, with its origin
//
//   <script src="{{accounts}}/embed.js" data-messenger="{{messenger}}" data-code="${code}"
//     data-user="${user ? user.id : ""}" async></script>

const ACCOUNTS = "{{accounts}}";

/** A code for whoever is signed in at your site: it works once, for a minute, on pages of this origin. */
export const chatCode = async (user, origin) => {
  if (!user) return "";
  try {
    const made = await fetch(`${ACCOUNTS}/api/v1/handovers`, {
      method: "POST",
      signal: AbortSignal.timeout(10_000),
      // Made with `countersign api-key create "my site" --scope users,handovers`; it never leaves your server.
      headers: { Authorization: `Bearer ${process.env.COUNTERSIGN_API_KEY}`, "Content-Type": "application/json" },
      body: JSON.stringify({
        external_id: String(user.id),
        messenger: "{{messenger}}",
        origin,
        // What support should know. Say `email_verified` only of addresses that you have proved.
        user: { email: user.email, email_verified: true, display_name: user.name },
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
