//! One rule, shown as a form. Every button saves what was typed in the draft, even with errors, and
//! redirects back, so that an error, a reload or a closed window loses nothing.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::fields::Fields;
use super::preview::{self, Preview};
use super::rule_fields::sent_rule;
use super::rule_view::{Known, RuleView, view};
use super::{Admin, Sent, encoded};
use crate::app::{App, AppError};
use crate::core::mapping::read::rule::{Condition, Default, Missing, Rule, Source, Test};
use crate::core::mapping::{Checked, Draft, Finding, Tree};
use crate::web::http::client::render;
use crate::web::http::error::Failure;
use crate::web::http::page::Page;
use crate::web::http::query::PageQuery;
use crate::web::http::run::Asker as _;

#[derive(Template)]
#[template(path = "admin/rule.html")]
struct RulePage {
    page: Page,
    number: usize,
    count: usize,
    heading: String,
    revision: i64,
    rule: Option<RuleView>,
    json: String,
    json_errors: Vec<String>,
    preview: Preview,
    focus: String,
    /// Whether another window changed the draft, so that the values on this page were not saved.
    moved: bool,
}

impl RulePage {
    fn focused(&self, id: &str) -> bool {
        self.focus == id
    }
}

/// The query of a link to a rule.
#[derive(Deserialize)]
pub struct Query {
    #[serde(default)]
    user: String,
    #[serde(default)]
    focus: String,
}

/// `GET /admin/mapping/rules/{rule}`
pub async fn show(
    admin: Admin,
    rule: web::Path<Which>,
    PageQuery(query): PageQuery<Query>,
) -> Result<HttpResponse, Failure> {
    let (number, Query { user, focus }) = (rule.rule, query);
    let show = move |app: &App, admin: &Admin| {
        let draft = app.draft(&admin.messenger, &admin.id)?;
        rule_page(app, admin, &draft, number, &user, focus, false)
    };
    Ok(render(StatusCode::OK, &admin.run(show).await?.ok_or(Failure::NotFound)?))
}

/// `POST /admin/mapping/rules/{rule}`
pub async fn change(admin: Admin, rule: web::Path<Which>, sent: Sent) -> Result<HttpResponse, Failure> {
    let number = rule.rule;
    let done = admin.run(move |app, admin| keep(app, admin, number, &sent.0)).await?;
    match done.ok_or(Failure::NotFound)? {
        Saved::Go(to) => Ok(admin.go(&to)),
        Saved::Moved(template) => Ok(render(StatusCode::CONFLICT, &*template)),
        Saved::Wrong(template) => Ok(render(StatusCode::UNPROCESSABLE_ENTITY, &*template)),
    }
}

/// The rule in the path, besides the messenger.
#[derive(Deserialize)]
pub struct Which {
    rule: usize,
}

enum Saved {
    Go(String),
    Moved(Box<RulePage>),
    /// What was sent cannot be saved.
    Wrong(Box<RulePage>),
}

fn keep(app: &App, admin: &Admin, number: usize, fields: &Fields) -> Result<Option<Saved>, AppError> {
    let draft = app.draft(&admin.messenger, &admin.id)?;
    let Some(mut tree) = Tree::read(&draft.text) else { return Ok(None) };
    // Each user that the search found has its own button.
    let (button, user) = match fields.text("show") {
        login if login.is_empty() => (fields.text("do"), fields.text("user")),
        login => ("preview".to_owned(), login),
    };
    let names = app.catalogue(&admin.messenger)?;
    let mut focus = None;
    let json = fields.text("json");
    if fields.has("json")
        && number < tree.rules.len()
        && let Err(error) = serde_json::from_str::<IgnoredAny>(json.trim())
    {
        // If it were written into the draft, the whole draft could not be read.
        let Some(mut template) = rule_page(app, admin, &draft, number, &user, String::new(), false)? else {
            return Ok(None);
        };
        template.rule = None;
        template.json = json;
        template.json_errors = vec![format!("This is not valid JSON, so it was not saved: {error}.")];
        return Ok(Some(Saved::Wrong(Box::new(template))));
    }
    let Some(entry) = tree.rules.get_mut(number) else {
        // The rule no longer exists; what was typed stays on the page.
        tree.rules.push(sent_rule(fields, &names, &button, &mut focus)?);
        let (last, typed) = (tree.rules.len() - 1, Draft { text: tree.write(), ..draft });
        let template = rule_page(app, admin, &typed, last, &user, String::new(), true)?;
        return Ok(template.map(|template| Saved::Moved(Box::new(template))));
    };
    let before = entry.clone();
    *entry = sent_rule(fields, &names, &button, &mut focus)?;
    let changed = *entry != before;
    let name = entry.claim().map_or_else(|| "a rule".to_owned(), |claim| names.title(claim));
    tree.tidy();
    let text = tree.write();
    let save = || {
        app.save_draft(
            &admin.messenger,
            &admin.id,
            fields.number("revision"),
            &text,
            &format!("Changed the rule for {name}"),
        )
    };
    if changed {
        match save() {
            Err(AppError::DraftMoved) => {
                // What was typed stays on the page; it is in no draft.
                let typed = Draft { text, ..draft };
                let template = rule_page(app, admin, &typed, number, &user, String::new(), true)?;
                return Ok(template.map(|template| Saved::Moved(Box::new(template))));
            }
            kept => drop(kept?),
        }
    }
    let user = if user.is_empty() { String::new() } else { format!("user={}&", encoded(&user)) };
    Ok(Some(Saved::Go(match (button.as_str(), focus) {
        ("save" | "", _) => format!("/mapping?{user}at={number}#rule-{number}"),
        (_, Some(focus)) => {
            // No fragment: with a fragment, browsers do not set the focus.
            format!("/mapping/rules/{number}?{user}focus={}", encoded(&focus))
        }
        ("preview", None) => format!("/mapping/rules/{number}?{user}focus=preview"),
        (other, None) => {
            let place = other.split('/').next().unwrap_or_default().split('.').next().unwrap_or_default();
            format!("/mapping/rules/{number}?{user}focus={place}.add")
        }
    })))
}

/// The maximum number of texts, steps and comparisons that get their own fields. A rule with more came from
/// a program; its page would be megabytes of fields.
const MOST_PARTS: usize = 60;

fn parts(rule: &Rule) -> usize {
    let source = if let Source::Text(texts) = &rule.source { texts.list.len() } else { 0 };
    let compared = match &rule.condition {
        Some(Condition { test: Test::In(texts), .. }) => texts.list.len(),
        _ => 0,
    };
    let default =
        if let Missing::Default(Default::List(texts)) = &rule.missing { texts.list.len() } else { 0 };
    source.max(compared).max(default).max(rule.steps.len())
}

fn rule_page(
    app: &App,
    admin: &Admin,
    draft: &Draft,
    number: usize,
    user: &str,
    focus: String,
    moved: bool,
) -> Result<Option<RulePage>, AppError> {
    let (Checked { findings, tree, .. }, attributes) = app.judge_draft(&admin.messenger, &draft.text)?;
    let Some(tree) = tree else { return Ok(None) };
    let Some(entry) = tree.rules.get(number) else { return Ok(None) };
    let names = app.catalogue(&admin.messenger)?;
    let place = format!("/rules/{number}");
    let inside = |finding: &&Finding| finding.rule() == Some(number);
    let (rule, json, json_errors) = match entry.rule() {
        Some(rule) if parts(rule) <= MOST_PARTS => {
            let known = Known { attributes: &attributes, names: &names };
            (Some(view(rule, &place, &findings, &known, &focus)), String::new(), Vec::new())
        }
        _ => (None, entry.write(), findings.iter().filter(inside).map(Finding::text).collect()),
    };
    let preview = preview::of(app, &admin.messenger, &draft.text, user, Some(number))?;
    Ok(Some(RulePage {
        page: admin.page(),
        number,
        count: tree.rules.len(),
        heading: entry.title(&names),
        revision: draft.revision,
        rule,
        json,
        json_errors,
        preview,
        focus,
        moved,
    }))
}
