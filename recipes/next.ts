// Next with Auth0: a route handler that returns a token for the signed-in user.
// Its API key is in COUNTERSIGN_API_KEY and has the scopes users and mint.
import { auth0 } from "@/lib/auth0";

const ACCOUNTS = "{{accounts}}";

type User = { sub: string; email?: string; email_verified?: boolean; name?: string };

// Define how your site knows that the user's address is verified: (user) => user.email_verified === true, if all of your
// connections at Auth0 verify addresses (those of companies may not). Deskpro treats anyone who presents a token as the
// owner of the address in it, so until you define this, no user gets a token on the basis of an address alone.
const isProved = (user: User): boolean => false;

export const dynamic = "force-dynamic";

export async function GET(): Promise<Response> {
  const user = (await auth0.getSession())?.user as User | undefined;
  if (!user) return new Response(null, { status: 204, headers: { "Cache-Control": "no-store" } });
  const minted = await fetch(`${ACCOUNTS}/api/v1/mint`, {
    method: "POST",
    cache: "no-store",
    signal: AbortSignal.timeout(10_000),
    headers: { Authorization: `Bearer ${process.env.COUNTERSIGN_API_KEY}`, "Content-Type": "application/json" },
    body: JSON.stringify({
      external_id: user.sub,
      messenger: "{{messenger}}",
      user: { email: user.email, email_verified: isProved(user), display_name: user.name },
    }),
  });
  return Response.json(await minted.json(), { status: minted.status, headers: { "Cache-Control": "no-store" } });
}

/** Call it where your site deletes an account, for example in an Auth0 webhook: await gone(user.sub). Move it there. */
const gone = (id: string) => fetch(`${ACCOUNTS}/api/v1/users/${encodeURIComponent(id)}`, {
  method: "DELETE",
  headers: { Authorization: `Bearer ${process.env.COUNTERSIGN_API_KEY}` },
});
