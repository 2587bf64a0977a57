//! What the documents name exists: commands, settings, routes, files and links.
//!
//! Each check takes a document and returns what is wrong in it, so that the tests here can plant errors
//! of each kind. `CHANGELOG.md` and the plan are not checked: they also name what is gone or does not
//! exist yet.

mod document;
mod names;
mod places;

use std::path::Path;

use names::{wrong_commands, wrong_routes, wrong_settings};
use places::{wrong_files, wrong_links};

/// The documents outside `docs/`.
const DOCUMENTS: [&str; 4] = ["README.md", "CONTRIBUTING.md", "SECURITY.md", "benches/README.md"];
/// Documents that are not checked.
const EXEMPT: [&str; 1] = ["docs/plan.md"];

#[test]
fn what_the_documents_name_exists() {
    let mut wrong = Vec::new();
    for place in documents() {
        let text =
            std::fs::read_to_string(root().join(&place)).unwrap_or_else(|error| panic!("{place}: {error}"));
        let checks = [
            ("command", wrong_commands(&text)),
            ("setting", wrong_settings(&text)),
            ("route", wrong_routes(&text)),
            ("file", wrong_files(&place, &text)),
            ("link target", wrong_links(&place, &text)),
        ];
        for (kind, names) in checks {
            wrong.extend(names.iter().map(|name| format!("{place}: there is no such {kind}: {name}")));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn documents() -> Vec<String> {
    let mut places: Vec<String> = DOCUMENTS.iter().map(|place| (*place).to_owned()).collect();
    for entry in std::fs::read_dir(root().join("docs")).expect("the folder of the documents") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|kind| kind == "md") {
            let name = path.file_name().expect("a file has a name").to_string_lossy().into_owned();
            places.push(format!("docs/{name}"));
        }
    }
    places.retain(|place| !EXEMPT.contains(&place.as_str()));
    places
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn a_wrong_command_or_option_is_found() {
    let text = "
Right: `countersign user import FILE.csv --prefix shop-`, `mapping expected list`, `mapping expected list | add FILE`,
`countersign --version`, `countersign`, `countersign --config=other.toml check`, `countersign mapping …`, `user`.

```sh
target/release/countersign user add ada --admin --set plan=gold   # a comment with an --option
COUNTERSIGN_LOG=debug countersign --json serve
cargo run -- demo --listen 127.0.0.1:9000
printf '%s' \"$key\" | countersign key add --messenger shop
countersign check --repair
```

Wrong: `countersign user delete ana`, `countersign user add ana --administrator`, `mapping publish FILE`,
`countersign server`, `countersign serve now`.
";
    let expected = [
        "countersign user delete ana",
        "countersign user add ana --administrator",
        "mapping publish FILE",
        "countersign server",
        "countersign serve now",
        "countersign check --repair",
    ];
    assert_eq!(wrong_commands(text), expected);
}

#[test]
fn a_wrong_setting_is_found() {
    let text = "`COUNTERSIGN_` and a name, `COUNTERSIGN_…`, COUNTERSIGN_LISTEN, `COUNTERSIGN_SIGNING_KEY_FILE=/run/key`, \
        `COUNTERSIGN_CONFIG`; but COUNTERSIGN_LISTN=127.0.0.1:80, and `COUNTERSIGN_LISTEN_FILE`, which holds no secret.";
    assert_eq!(wrong_settings(text), ["COUNTERSIGN_LISTN", "COUNTERSIGN_LISTEN_FILE"]);
}

#[test]
fn a_wrong_route_is_found() {
    let text = "
Right: `GET /api/v1/token?optional=1`, `POST /mapping/check` below `/api/v1/admin`, `/help/errors/no_signing_key`,
`/admin/messengers/shop/mapping/publish`, `/api/v1/…`, `/etc/passwd`, `//!`, `https://ACCOUNTS/handover?code=…&next=…`, `/`.

Wrong: `POST /api/v1/token`, `/admin/mappings`, `PUT /api/v1/users`, `/api/v2/`.

```html
<script src=\"https://accounts.example.com/embed.js\" async></script>
<a href=\"http://127.0.0.1:8080/admim\">
```
";
    let expected = ["/admin/mappings", "/api/v2/", "POST /api/v1/token", "PUT /api/v1/users", "/admim"];
    assert_eq!(wrong_routes(text), expected);
}

#[test]
fn a_wrong_file_is_found() {
    let text = "
Right: `src/lib.rs`, `core/mod.rs`, `docs/*.md`, `tests/run rust`, `tests/browser/node_modules`, `read/write`, `it.rs`.
Wrong: `src/core/mappings`, `tests/rnu rust`, `core/none.rs`, `nowhere/*.md`.

```sh
benches/none.py target/release/countersign
```
";
    let expected = ["src/core/mappings", "tests/rnu", "core/none.rs", "nowhere/*.md", "benches/none.py"];
    assert_eq!(wrong_files("docs/planted.md", text), expected);
}

#[test]
fn a_wrong_link_is_found() {
    let text = "
# A heading, with `code`

# Twice

# Twice

Right: [file](../src/lib.rs), [folder](../tests/it), [here](#a-heading-with-code), [here](#twice-1), [page](/help/errors),
[elsewhere](https://example.com/none), [a heading of another document](../CONTRIBUTING.md#how-the-code-is-written).

Wrong: [file](../READ.md), [here](#twice-2), [there](../CONTRIBUTING.md#no-such-heading), [page](/helq).

<picture><img src=\"none.png\" alt=\"\"></picture>
";
    let expected = ["../READ.md", "#twice-2", "../CONTRIBUTING.md#no-such-heading", "/helq", "none.png"];
    assert_eq!(wrong_links("docs/planted.md", text), expected);
}
