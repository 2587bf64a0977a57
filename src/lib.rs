//! Countersign: the customer's side of Deskpro Messenger's sign-in with JWT.
//!
//! Deskpro's chat widget trusts a user only if the company's own server vouches for the user with a
//! token. Countersign is that server: it signs the website's users in, builds the Messenger payload
//! from the local user table with a mapping that site admins edit, signs it with HS256 and the key
//! shared with Deskpro, and passes it to pages and apps.
//!
//! # Bird's-eye view
//!
//! ```text
//! main → cli → web → app → store, deskpro → outgoing, core   config: a value passed down, uses only core
//!          ↘ standin (demo and tests only)
//! ```
//!
//! - [`core`] decides. It is pure: no request, SQL, clock, randomness or log; the current time and random
//!   bytes are parameters. [`core::mapping`] is its most important part.
//! - [`store`] stores data, in SQLite or PostgreSQL: the same SQL, two executors.
//! - [`deskpro`] is Deskpro's REST API, and when the next request to it may be sent.
//! - [`outgoing`] is how other servers are reached, and webhooks to them.
//! - [`app`] is what the product does: one method per use case, one error type.
//! - [`web`] and [`cli`] are two thin interfaces; `web::admin` is the console, `web::api` the same for
//!   programs. If only one of them can do something, that is a bug.
//! - [`standin`] plays Deskpro in the demo and in tests. It shares no code with the signer.
//! - [`config`] reads settings once and checks them all.
//!
//! # Invariants
//!
//! - The signing key is read in the same snapshot as the payload, so no token is signed with a key that has
//!   already been replaced.
//! - Everything that an attacker could steal is stored as a digest (sessions, devices, API keys, codes) or
//!   sealed (signing keys, [`core::seal`]).
//! - Only [`app::tokens`] creates tokens, so page, API, command line and preview cannot differ. Previews
//!   never sign.
//! - The user of a token comes from a session, a device or a call with an API key, never from anything that
//!   a browser sends.
//! - A password guess is counted before it is checked, and no database connection is held during the check.
//! - The parameters of a handler say what it may do: only [`web`]'s `Posted` gives a form, and only after
//!   its CSRF check; only `Visitor` reaches the session.
//! - [`web::ROUTES`] is the only list of routes.
//! - A user can be written only while the transaction holds the user: only a [`store::users::Held`] can be
//!   written, and it cannot leave its transaction. Rows are locked in one order ([`store::Tx`]), which debug
//!   builds check.
//! - Only [`core::incoming`] decides which user an incoming record means.
//! - A write that could change a token or end a session is numbered by [`store::changes`] in its own
//!   transaction.
//! - No secret, token or password is written to a log, unencrypted to a table, to a URL or to an error.
//!
//! # Walkthroughs
//!
//! *Sign-in*: `web::pages::login` receives a `Posted` form → `app::login::log_in` → `app::guesses` reserves
//! the guess in `store::attempts` by the rules of `core::throttle` → reads the credentials → waits for a permit of
//! `app::hashing` and checks the password with `core::password` → writes the outcome and the audit row, and
//! starts the session under a new reference (`app::sessions`) → `web::http::session` sets its cookie.
//!
//! *A request arrives*: `web::server::listen` accepts its connection → `web::http::connection` gives the
//! HTTP layer one request at a time and closes connections that stall → `web::http::edge` keeps only our
//! cookies, refuses values that cannot be stored (NUL), and turns failures into pages or problems → the
//! handler that [`web::ROUTES`] names. Its parameters say who sends the request (`Visitor`, `Posted`,
//! `Admin`, `Site`, `Client`); each handler runs its use cases on a separate thread (`web::http::run`).
//!
//! *A page with the Messenger*: `web::pages::home` → `app::tokens` reads the published mapping
//! (`app::shared` has it ready) → `core::mapping` builds the payload → `core::token` signs it → the
//! template writes `DpMessengerOptions`, escaped for a script by `core::messenger::options_json`.
//!
//! *A website with its own login*: `web::api::site` authenticates its server with an API key →
//! `web::api::mint` → `app::mint` writes the user (`app::upsert`) and issues the token in the usual way. Or
//! `app::handovers` creates a code that `web::api::session` (a page), `web::pages::handover` (a redirect) or
//! `web::api::devices` (an app) exchanges. `static/embed.js` is the other end, on the page.
//!
//! *A record comes in* (a row of a file, `PUT`, mint, a code): `app::incoming` looks up who has its keys,
//! holds these users and asks [`core::incoming`] which of them it means → the caller writes that user.
//! `app::import` checks a file as a whole: a key that one of its rows gives up is free for another
//! (`core::import::people`).
//!
//! *A messenger is changed*: `web::admin::messengers` or `cli::messenger` → `app::messengers` checks all of
//! its settings with `core::messenger::fields` → this process knows the change immediately, others learn it
//! through `web::server::chores`.
//!
//! *A mapping is edited*: every button of `web::admin::rule` sends its whole form → `rule_fields` reads it as
//! typed → `core::mapping::read::tree` writes it into the draft → `app::drafts` stores it, valid or not →
//! the page is shown again, with the findings of `core::mapping::read::check` at their fields (`rule_view`,
//! `places`) and with what `app::tokens` produces for one user (`preview`). `app::mapping` publishes.
//! `app::compare` finds out which users change; it is a job that `app::jobs` resumes after a kill.
//! `app::expected` has the payloads that some users must get.
//!
//! *A new step of the mapping*: a file in `core::mapping::steps` and a line in the list there; its fields in
//! `templates/admin/rule.html`, shown by a line of `static/app.css`; `docs/mapping.md`; and `tests/oracle`,
//! which implements the mapping a second time (`mapping.py`) and generates cases (`fuzz.py`), as
//! `tests/it/mapping/random.rs` does.
//!
//! *A new source of a value* in a rule: `core::mapping::read::rule` (as a draft has it),
//! `core::mapping::apply::rule` (as it runs), and `core::mapping::read::judge`, which converts one into the
//! other; the compiler names the places that must know it. Its fields: `web::admin::rule_fields`, `rule_view`
//! and `templates/admin/rule.html`; then the document and the oracle as for a step.
//!
//! *A new column of an import*: its meaning in `core::import::columns`, how its cells are read in
//! `core::import::cells`.
//!
//! *A new attribute of users*: nothing to build; `app::attributes` creates it, `app::import` fills it, and
//! the mapping names it.
//!
//! *A new route*: a line in [`web::ROUTES`], a handler in the file of its noun, a use case in `app`, a row in
//! `tests/it/permissions.rs`; below `/api/` also its description in `static/openapi.json`.
//! *A new error code*: a line in `web::http::codes`, a variant in `web::http::error`, its messages in
//! `locales/`.
//! *A new event of the audit log*: a variant and a line in `app::audit`; the use case that does it writes the
//! event.
//! *A new look*: `templates/` has the pages, `static/app.css` their style.
//! *A new recipe*: a file in `recipes/`, a line in `web::admin::recipes::list`.
//! *A new setting*: a line in `config::catalogue`, a field of [`config::Settings`] and the code there that
//! reads it, and the table of `docs/settings.md`, written by `UPDATE_README=1 cargo test the_readme_lists_every_setting`.
//! *A new command*: a file in `cli/` that reads its arguments, and a use case in `app`.
//! *A new message or language*: `locales/`, with the same keys in every file. The console is in English.
//! *A new table*: a script in `migrations/`, a file in `store/` with its noun, a line in `store::migrate`.

pub mod app;
pub mod cli;
pub mod config;
pub mod core;
pub mod deskpro;
pub mod outgoing;
pub mod standin;
pub mod store;
pub mod web;
