// Your own login in Express, by a code: your pages are on the same site as Countersign, and it, too, is to know who is
// signed in (for /account, or for other sites of yours). Otherwise the recipe with a route of your own is simpler.
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
  const made = await fetch(`${ACCOUNTS}/api/v1/handovers`, {
    method: "POST",
    // Made with `countersign api-key create --scope handovers`; it never leaves your server.
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
  // The page works without a code; the log says why there is none.
  if (!made.ok) console.error(`Countersign: ${answer.detail} (${answer.code})`);
  return made.ok ? answer.code : "";
};
