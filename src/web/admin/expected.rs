//! Expected payloads: users whose payload an admin knows in advance, checked against the draft and the
//! current mapping.

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;
use serde::Deserialize;
use serde_json::json;

use super::fields::{Fields, Input};
use super::{Admin, Sent, encoded};
use crate::app::expected::{Mismatch, line};
use crate::app::tokens::Issuer;
use crate::app::{App, AppError};
use crate::core::mapping::{Claim, Expected, RefusalCode, RuleEntry, Tree, title};
use crate::core::payload::Texts;
use crate::core::user::{Login, User};
use crate::web::http::client::render;
use crate::web::http::error::Failure;
use crate::web::http::page::Page;
use crate::web::http::query::PageQuery;
use crate::web::http::run::Asker as _;

#[derive(Template)]
#[template(path = "admin/expected.html")]
struct ExpectedPage {
    page: Page,
    users: Vec<UserLine>,
    /// Whether the draft can be applied.
    has_draft: bool,
    /// The content of the file that was sent, and the errors in it.
    text: String,
    wrong: Vec<Mismatch>,
    /// What was typed to find a user, if no single user matches.
    unknown: String,
}

/// One user of the list.
struct UserLine {
    login: String,
    name: String,
    expected: String,
    /// The differences from what the draft produces.
    draft: Vec<String>,
    /// The differences from what the current mapping produces.
    in_force: Vec<String>,
}

#[derive(Template)]
#[template(path = "admin/expect.html")]
struct UserPage {
    page: Page,
    login: String,
    name: String,
    is_kept: bool,
    refused: Option<RefusalCode>,
    codes: [RefusalCode; 6],
    claims: Vec<ClaimField>,
    /// The differences from what the draft produces.
    draft: Option<Vec<String>>,
    in_force: Vec<String>,
}

/// The field of a claim.
struct ClaimField {
    title: String,
    claim: String,
    is_list: bool,
    input: Input,
    /// Whether an empty list is expected.
    is_empty: bool,
}

/// `GET /admin/mapping/expected`
pub async fn list(admin: Admin) -> Result<HttpResponse, Failure> {
    let template = admin.run(|app, admin| listed(app, admin, String::new(), Vec::new())).await?;
    Ok(render(StatusCode::OK, &template))
}

fn listed(app: &App, admin: &Admin, text: String, wrong: Vec<Mismatch>) -> Result<ExpectedPage, AppError> {
    let (draft, in_force) = issuers(app, admin)?;
    let kept = app.expected(&admin.messenger)?;
    let users = kept.into_iter().map(|(user, expected)| UserLine {
        draft: draft.as_ref().map(|draft| otherwise(&expected, draft, &user)).unwrap_or_default(),
        in_force: otherwise(&expected, &in_force, &user),
        login: user.login.as_str().to_owned(),
        name: user.shown_name(),
        expected: summary(&expected),
    });
    let users = users.collect();
    let page = admin.page();
    Ok(ExpectedPage { page, users, has_draft: draft.is_some(), text, wrong, unknown: String::new() })
}

/// The issuers of payloads: with the draft, if it has no errors, and with the current mapping.
fn issuers<'a>(app: &'a App, admin: &Admin) -> Result<(Option<Issuer<'a>>, Issuer<'a>), AppError> {
    let (checked, _) = app.judge_draft(&admin.messenger, &app.draft(&admin.messenger, &admin.id)?.text)?;
    let draft = checked.mapping.map(|mapping| app.issuer(&admin.messenger, Some(mapping))).transpose()?;
    Ok((draft, app.issuer(&admin.messenger, None)?))
}

fn otherwise(expected: &Expected, issuer: &Issuer<'_>, user: &User) -> Vec<String> {
    expected.differences(&issuer.payload(user)).into_iter().map(|(_, message)| message).collect()
}

/// A short summary of what is expected.
fn summary(expected: &Expected) -> String {
    match expected {
        Expected::Refused(code) => format!("no token ({code})"),
        Expected::Payload(claims) => match claims.len() {
            0 => "an empty payload".to_owned(),
            1 => "1 claim".to_owned(),
            count => format!("{count} claims"),
        },
    }
}

/// `POST /admin/mapping/expected`: imports a file.
pub async fn import(admin: Admin, sent: Sent) -> Result<HttpResponse, Failure> {
    let import = move |app: &App, admin: &Admin| {
        let text = sent.0.text("text");
        match app.import_expected(&admin.messenger, &text, &admin.caller)? {
            Ok(_) => Ok(None),
            Err(wrong) => listed(app, admin, text, wrong).map(Some),
        }
    };
    Ok(match admin.run(import).await? {
        None => admin.go("/mapping/expected"),
        Some(template) => render(StatusCode::UNPROCESSABLE_ENTITY, &template),
    })
}

/// `GET /admin/mapping/expected/file`
pub async fn file(admin: Admin) -> Result<HttpResponse, Failure> {
    let kept = admin.run(|app, admin| app.expected(&admin.messenger)).await?;
    let lines = kept.iter().map(|(user, expected)| format!("{}\n", line(user.login.as_str(), expected)));
    Ok(super::file("expected.jsonl", "application/jsonl", lines.collect::<String>()))
}

/// The user whose expected payload to show.
#[derive(Deserialize)]
pub struct Query {
    #[serde(default)]
    login: String,
}

/// `GET /admin/mapping/expected/user`: the expected payload of a user, or else what the draft produces now.
pub async fn show(admin: Admin, PageQuery(query): PageQuery<Query>) -> Result<HttpResponse, Failure> {
    let typed = query.login;
    let show = move |app: &App, admin: &Admin| {
        if let Some(user) = app.find_user(&typed)? {
            return user_page(app, admin, &user).map(Ok);
        }
        let mut template = listed(app, admin, String::new(), Vec::new())?;
        template.unknown = typed;
        Ok::<_, AppError>(Err(template))
    };
    Ok(match admin.run(show).await? {
        Ok(template) => render(StatusCode::OK, &template),
        Err(template) => render(StatusCode::NOT_FOUND, &template),
    })
}

fn user_page(app: &App, admin: &Admin, user: &User) -> Result<UserPage, AppError> {
    let (draft, in_force) = issuers(app, admin)?;
    let kept = app.expected_of(&admin.messenger, user)?;
    let is_kept = kept.is_some();
    let expected = kept.unwrap_or_else(|| Expected::of(&draft.as_ref().unwrap_or(&in_force).payload(user)));
    let (refused, claims) = match &expected {
        Expected::Refused(code) => (Some(*code), BTreeMap::new()),
        Expected::Payload(claims) => (None, claims.clone()),
    };
    let tree = Tree::read(&app.draft(&admin.messenger, &admin.id)?.text).unwrap_or_default();
    let fields = names(&tree, &claims).into_iter().map(|claim| {
        let id = format!("claim/{claim}");
        let (input, is_empty) = match claims.get(&claim) {
            None => (Input::new(&id, ""), false),
            Some(Texts::One(text)) => (Input::new(&id, text), false),
            Some(Texts::List(items)) => (Input::of_lines(&id, items), items.is_empty()),
        };
        let is_list = Claim::parse(&claim).is_some_and(|claim| claim.is_list());
        ClaimField { title: title(&claim), is_list, input, is_empty, claim }
    });
    Ok(UserPage {
        page: admin.page(),
        login: user.login.as_str().to_owned(),
        name: user.shown_name(),
        is_kept,
        refused,
        codes: RefusalCode::ALL,
        claims: fields.collect(),
        draft: draft.as_ref().map(|draft| otherwise(&expected, draft, user)),
        in_force: otherwise(&expected, &in_force, user),
    })
}

/// The claims that a user's form offers: those that every token can have, and the custom fields that are
/// expected or for which the draft has a rule.
fn names(tree: &Tree, expected: &BTreeMap<String, Texts>) -> Vec<String> {
    let fixed = super::rule_view::CLAIMS.iter().map(|(claim, _)| (*claim).to_owned());
    let mut names: Vec<String> = fixed.filter(|claim| !claim.starts_with("fields.")).collect();
    let fed = tree.rules.iter().filter_map(RuleEntry::claim).map(str::to_owned);
    let mut fields: Vec<String> = fed.chain(expected.keys().cloned()).collect();
    fields.retain(|claim| claim.starts_with("fields.") && Claim::parse(claim).is_some());
    fields.sort();
    fields.dedup();
    names.extend(fields);
    names
}

/// `POST /admin/mapping/expected/user`
pub async fn change(admin: Admin, sent: Sent) -> Result<HttpResponse, Failure> {
    let to = admin.run(move |app, admin| press(app, admin, &sent.0)).await?;
    Ok(admin.go(&to))
}

fn press(app: &App, admin: &Admin, fields: &Fields) -> Result<String, AppError> {
    let login = Login::known(&fields.text("login")).map_err(|error| AppError::Refused(error.to_string()))?;
    let here = format!("/mapping/expected/user?login={}", encoded(login.as_str()));
    match fields.text("do").as_str() {
        "remove" => {
            app.stop_expecting(&admin.messenger, &login, &admin.caller)?;
            return Ok("/mapping/expected".to_owned());
        }
        "draft" => {
            let (draft, in_force) = issuers(app, admin)?;
            let made = app.made_now(&draft.unwrap_or(in_force), &login)?;
            app.expect(&admin.messenger, &login, &made, &admin.caller)?;
            return Ok(here);
        }
        _ => {}
    }
    let object = match fields.text("outcome").as_str() {
        "refused" => json!({ "refused": fields.text("refused") }),
        _ => Expected::Payload(sent_claims(fields)).write(),
    };
    // Read like a line of a file: trimmed as rules trim values, and without values that no rule can produce.
    let expected = object.as_object().ok_or("It is not an object.".to_owned()).and_then(Expected::read);
    let expected = expected.map_err(AppError::Refused)?;
    app.expect(&admin.messenger, &login, &expected, &admin.caller)?;
    Ok("/mapping/expected".to_owned())
}

fn sent_claims(fields: &Fields) -> BTreeMap<String, Texts> {
    let mut claims = BTreeMap::new();
    for name in fields.below("claim/") {
        let Some(claim) = Claim::parse(&name) else { continue };
        let id = format!("claim/{name}");
        let texts = if claim.is_list() {
            let items = fields.lines(&id);
            let is_there = !items.is_empty() || fields.has(&format!("empty/{name}"));
            is_there.then_some(Texts::List(items))
        } else {
            let text = fields.text(&id);
            (!text.is_empty()).then_some(Texts::One(text))
        };
        if let Some(texts) = texts {
            claims.insert(name, texts);
        }
    }
    claims
}
