// The token on the page, verified by `jose`, which shares nothing with the signer, and compared claim by claim with
// the user's row as the command line lists it.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import * as jose from "jose";
import { launch, visitor } from "./support/browser.js";
import { signIn, tokenOf } from "./support/pages.js";
import { PASSWORD, SIGNING_KEY, startSilentMessenger, startSite } from "./support/program.js";

const USERS = `login,external_id,email,email_verified,display_name,first_name,last_name,language,timezone,deskpro_id,company,other_emails,groups,plan,member_since,newsletter,interests
ana,c-1,Ana@Example.com,true,Ana Kovač,Ana,Kovač,en,europe/zagreb,41,9,ana@work.example|a.kovac@example.org,3|5|1,gold,2021-04-17,yes,bikes;books
bora,c-2,bora@example.com,true,王 博拉,博拉,王,zh,Asia/Shanghai,,,,3,silver,2023-11-02,no,
noor,c-3,noor@example.com,true,نور الدين,نور,,ar,nowhere,,12x,not an address,2,free,unknown,,books
zoe,c-4,zoe@xn--strae-oqa.de,true,"Zoë ""Z"" O'Neill-Łuk",Zoë,"O'Neill-Łuk",en,,,7,,,gold,2024-02-29,on,"bikes;cars"
`;

const MAPPING = {
  rules: [
    { claim: "deskpro_id", from: { attribute: "deskpro_id" } },
    { claim: "email", from: { attribute: "email" }, steps: ["lower"] },
    { claim: "emails", from: { attribute: "other_emails" }, steps: [{ split: "|" }] },
    { claim: "name", from: { attribute: "display_name" } },
    { claim: "first_name", from: { attribute: "first_name" } },
    { claim: "last_name", from: { attribute: "last_name" } },
    { claim: "organization_id", from: { attribute: "company" } },
    { claim: "language_id", from: { attribute: "language" }, steps: [{ lookup: { values: { en: "1", zh: "3" } } }], missing: { default: "2" } },
    { claim: "usergroup_ids", from: { attribute: "groups" }, steps: [{ split: "|" }] },
    { claim: "fields.9", from: { attribute: "member_since" }, steps: [{ date: { in: "%Y-%m-%d", out: "%d.%m.%Y" } }] },
    { claim: "fields.10", from: { attribute: "newsletter" }, steps: [{ yes_no: { yes: "1", no: "0" } }] },
    { claim: "fields.12[]", from: { attribute: "interests" }, steps: [{ split: ";" }, { lookup: { values: { bikes: "4", books: "5" } } }] },
    { claim: "timezone", from: { attribute: "timezone" }, missing: { default: "UTC" } },
    { claim: "labels", from: { attribute: "plan" } },
    { claim: "labels", from: { constant: "newsletter" }, when: { attribute: "newsletter", true: true } },
  ],
  empty_lists: { usergroup_ids: "send" },
};
/** What MAPPING makes of a row, worked out by hand from the text that describes mappings. */
function expected(row) {
  const list = (text, separator) => (text ?? "").split(separator).filter(Boolean);
  const given = {
    deskpro_id: row.deskpro_id,
    email: row.email.toLowerCase(),
    emails: list(row.other_emails, "|").filter((address) => /^\S+@\S+\.\S+$/.test(address)),
    name: row.display_name,
    first_name: row.first_name,
    last_name: row.last_name,
    organization_id: /^[1-9]\d*$/.test(row.company ?? "") ? row.company : undefined,
    language_id: { en: "1", zh: "3" }[row.language] ?? "2",
    usergroup_ids: list(row.groups, "|").filter((id) => id !== "1" && id !== "2"),
    timezone: { "europe/zagreb": "Europe/Zagreb", "Asia/Shanghai": "Asia/Shanghai" }[row.timezone] ?? "UTC",
    labels: [row.plan, ...(["yes", "on"].includes(row.newsletter) ? ["newsletter"] : [])],
  };
  const fields = {
    9: /^\d{4}-/.test(row.member_since ?? "") ? row.member_since.split("-").reverse().join(".") : undefined,
    10: { yes: "1", on: "1", no: "0" }[row.newsletter],
    12: list(row.interests, ";").map((word) => ({ bikes: "4", books: "5" })[word]).filter(Boolean),
  };
  const there = (value) => value !== undefined && value.length > 0;
  const claims = Object.fromEntries(Object.entries(given).filter(([name, value]) => there(value) || name === "usergroup_ids"));
  const some = Object.entries(fields).filter(([, value]) => there(value));
  return some.length ? { ...claims, fields: Object.fromEntries(some) } : claims;
}

let messenger, site, browser;
before(async () => {
  [messenger, browser] = await Promise.all([startSilentMessenger(), launch()]);
  site = await startSite({ users: USERS, mapping: MAPPING, proved: ["other_emails"], settings: messenger.settings });
});
after(async () => {
  await browser?.close();
  await site?.stop();
  await messenger?.stop();
});

const key = new TextEncoder().encode(SIGNING_KEY);

async function verified(token) {
  const { payload, protectedHeader } = await jose.jwtVerify(token, key, { algorithms: ["HS256"], requiredClaims: ["iat", "exp"] });
  assert.deepEqual(protectedHeader, { typ: "JWT", alg: "HS256" });
  const { iat, exp, ...claims } = payload;
  assert.equal(exp - iat, 60 + 600, "issued a minute back, ten minutes to live");
  return claims;
}

for (const login of ["ana", "bora", "noor", "zoe"]) {
  test(`jose verifies the token on the page of ${login}, and its claims are the row's`, async () => {
    const person = await visitor(browser);
    const page = await person.newPage();
    try {
      await signIn(page, site.url, login, PASSWORD);
      const row = (await site.user(login)).attributes;
      const claims = await verified(await tokenOf(page));
      assert.deepEqual(claims, expected(row));

      const answer = await page.evaluate(async (url) => (await fetch(url)).json(), `${site.url}/api/v1/token`);
      assert.deepEqual(await verified(answer.token), claims, "the API says the same");
      assert.deepEqual(await verified((await site.cli(["token", "issue", login])).trim()), claims, "and so does the command line");
    } finally {
      await person.close();
    }
  });
}

test("a token with one changed bit, and the same with another secret, verify nowhere", async () => {
  const token = (await site.cli(["token", "issue", "ana"])).trim();
  const [header, payload, signature] = token.split(".");
  const flip = (part) => {
    const bytes = jose.base64url.decode(part);
    bytes[bytes.length >> 1] ^= 1;
    return jose.base64url.encode(bytes);
  };
  for (const changed of [[header, flip(payload), signature], [header, payload, flip(signature)]]) {
    await assert.rejects(jose.jwtVerify(changed.join("."), key), jose.errors.JWSSignatureVerificationFailed);
  }
  const other = new TextEncoder().encode(`${SIGNING_KEY}!`);
  await assert.rejects(jose.jwtVerify(token, other), jose.errors.JWSSignatureVerificationFailed);
});

test("the twelve claims are all in use here", () => {
  const used = new Set(MAPPING.rules.map(({ claim }) => claim.split(".")[0]));
  assert.equal(used.size, 12);
});
