//! Countersign: the customer's half of Deskpro Messenger's sign-in by JWT.
//!
//! Deskpro's chat widget trusts a user only when the company's own server vouches for them with a
//! token. Countersign is that server: it signs the website's users in, builds the Messenger
//! payload from the local user table through a mapping that site admins edit, signs it HS256 with
//! the key shared with Deskpro, and hands it to pages and apps.
//!
//! # Bird's-eye view
//!
//! ```text
//! main → cli → web → app → store → core        config: a value handed down, names only core
//!          ↘ standin (demo and tests only)
//! ```
//!
//! - [`core`] decides. Pure: no request, SQL, clock, randomness or log; the moment and random
//!   bytes are parameters. [`core::mapping`] is the heart.
//! - [`store`] remembers, in SQLite or PostgreSQL: one SQL text, two executors.
//! - [`app`] is what the product does: one method per use case, one error type.
//! - [`web`] and [`cli`] are two thin ways in; `web::admin` is the console, `web::api` the same for
//!   programs. What only one of them can do is a bug.
//! - [`standin`] plays Deskpro in the demo and in tests. It shares no code with the signer.
//! - [`config`] reads settings once and checks them all.
//!
//! # Invariants
//!
//! - The key that signs a token is read in the snapshot that makes its payload, so that none signs after
//!   another one was acknowledged to.
//! - What a stranger could steal is stored as a digest (sessions, devices, API keys, codes) or sealed
//!   (signing keys, [`core::seal`]).
//! - A token comes from [`app::tokens`] and nowhere else, so page, API, command line and preview
//!   cannot differ. Previews never sign.
//! - The user of a token comes from a session, a device or an API key's call, never from anything that a
//!   browser sends.
//! - A guess at a password is counted before it is judged, and no database connection is held
//!   while it is.
//! - What a handler may do stands in its parameters: only [`web`]'s `Posted` gives a form, and only
//!   after its CSRF proof; only `Visitor` reaches the session.
//! - [`web::ROUTES`] is the one list of routes.
//! - Nobody writes a user whom the transaction does not hold: only a [`store::users::Held`] can be written,
//!   and it cannot leave its transaction. Rows are taken in one order ([`store::Tx`]), which debug builds check.
//! - Whom an incoming record means is decided in [`core::incoming`] and nowhere else.
//! - A write that could change a token or end a session is numbered by [`store::changes`] in its
//!   own transaction.
//! - No secret, token or password is written to a log, a table in the clear, a URL or an error.
//!
//! # Walkthroughs
//!
//! *Sign in*: `web::pages::login` takes a `Posted` form → `app::login::log_in` reserves the guess
//! in `store::attempts` by the rules of `core::throttle` → reads the credentials → waits for a
//! permit of `app::hashing` and judges by `core::password` → writes the outcome and the audit row, and begins the
//! session under a new reference (`app::sessions`) → `web::http::session` sets its cookie.
//!
//! *A request arrives*: `web::server::listen` lets its connection in → `web::http::connection` gives the HTTP layer one
//! request at a time and ends what stalls → `web::http::edge` keeps our cookies, refuses what nothing can hold, and turns
//! failures into pages or problems → the handler that [`web::ROUTES`] names. Its parameters say who asks (`Visitor`,
//! `Posted`, `Admin`, `Site`, `Client`); each runs use cases on a thread of their own (`web::http::run`).
//!
//! *A page with the Messenger*: `web::pages::home` → `app::tokens` reads the published
//! mapping (`app::compiled` keeps it ready) → `core::mapping` makes the payload → `core::token` signs it → the template writes
//! `DpMessengerOptions`, escaped for a script by `core::messenger::options_json`.
//!
//! *A website with its own login*: `web::api::site` lets its server in by an API key → `web::api::mint` →
//! `app::mint` writes the user (`app::upsert`) and issues the token as everywhere; or `app::handovers` makes
//! a code that `web::api::session` (a page), `web::pages::handover` (a redirect) or `web::api::devices` (an app)
//! swaps. `static/embed.js` is the other end, on the page.
//!
//! *A record comes in* (a row of a file, `PUT`, mint, a code): `app::incoming` looks up who has its keys, holds
//! them and asks [`core::incoming`] whom it means → the caller writes that user. A file is judged as a whole by
//! `app::import`: what one of its rows gives up is free for another (`core::import::people`).
//!
//! *A messenger is changed*: `web::admin::messengers` or `cli::messenger` → `app::messengers` judges all of
//! its texts by `core::messenger::fields` → this process knows it at once, others by `web::server::chores`.
//!
//! *A mapping is edited*: every button of `web::admin::rule` sends its whole form → `rule_fields`
//! reads it as typed → `core::mapping::read::tree` writes it into the draft → `app::drafts` keeps it, right
//! or wrong → the page comes anew, with the findings of `core::mapping::read::check` at their fields
//! (`rule_view`, `places`) and what `app::tokens` makes of one user (`preview`). Publishing is `app::mapping`,
//! who changes by it `app::compare`, a job that `app::jobs` goes on with after a kill, and what some
//! users must get `app::expected`.
//!
//! *A new step of the mapping*: a file in `core::mapping::steps` and a line in the list there; its fields in
//! `templates/admin/rule.html`, shown by a line of `static/app.css`; `docs/mapping.md`, and `tests/oracle`, which knows
//! the mapping a second time (`mapping.py`) and makes cases (`fuzz.py`), as `tests/it/mapping/random.rs` does.
//!
//! *A new source of a value* in a rule: `core::mapping::read::rule` (as a draft has it), `core::mapping::apply::rule` (as it
//! runs), from one to the other by `core::mapping::read::judge`; the compiler names the places that must know it. Its fields:
//! `web::admin::rule_fields`, `rule_view` and `templates/admin/rule.html`; then the document and the oracle as for a step.
//!
//! *A new column of an import*: what it means in `core::import::columns`, how its cells are read in `core::import::cells`.
//!
//! *A new attribute of users*: nothing to build; `app::attributes` makes it, `app::import` fills it,
//! the mapping names it.
//!
//! *A new route*: a line in [`web::ROUTES`], a handler in the file of its noun, a use case in `app`, a row in
//! `tests/it/permissions.rs`; below `/api/` also its description in `static/openapi.json`.
//! *A new code of an error*: a line in `web::http::codes`, a variant in `web::http::error`, its texts in `locales/`.
//! *A new event of the audit*: a variant and a line in `app::audit`, written by the use case that does it.
//! *A new look*: `templates/` has the pages, `static/app.css` how they look.
//! *A new recipe*: a file in `recipes/`, a line in `web::admin::recipes::list`.
//! *A new setting*: a line in `config::catalogue`, a field of [`config::Settings`] and how it is read there, and the
//! table of `docs/settings.md`, written by `UPDATE_README=1 cargo test the_readme_lists_every_setting`.
//! *A new command*: a file in `cli/` that reads its words, and a use case in `app`.
//! *A new text or language*: `locales/`, the same keys in every file. The console speaks English.
//! *A new table*: a script in `migrations/`, a file in `store/` with its noun, a line in `store::migrate`.

pub mod app;
pub mod cli;
pub mod config;
pub mod core;
pub mod standin;
pub mod store;
pub mod web;
