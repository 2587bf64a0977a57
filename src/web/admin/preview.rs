//! What a draft makes of one user, beside what the mapping in force makes of the same user: by the
//! code that signs, and never with a signature.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;
use serde_json::Value;

use super::rule_fields::sent_rule;
use super::{Admin, Sent};
use crate::app::tokens::PreviewResult;
use crate::app::{App, AppError, tokens};
use crate::core::id::MessengerId;
use crate::core::mapping::{Checked, ClaimTrace, Level, Mapping, Refusal, RuleTrace, Tree, title};
use crate::core::user::{Role, User};
use crate::web::http::client::render;
use crate::web::http::error::Failure;
use crate::web::http::run::Asker as _;

/// How many users a search offers.
const OFFERED: i64 = 8;

/// The preview of a draft on a user.
#[derive(Default)]
pub struct Preview {
    /// What was typed to find a user.
    pub query: String,
    /// The user it is about.
    pub user: Option<Person>,
    /// Others that the search found.
    pub others: Vec<Person>,
    /// What the draft makes otherwise than is expected of this user, where something is.
    pub unexpected: Option<Vec<String>>,
    /// Whether other users are chosen by buttons of the rule's form.
    pub is_in_form: bool,
    /// Which rules are left out because they have errors.
    pub left_out: Vec<LeftOut>,
    /// Why nothing can be shown.
    pub nothing: Option<&'static str>,
    /// Why the draft gives no token.
    pub refused: Option<Refusal>,
    /// The same of the mapping in force.
    pub refused_before: Option<Refusal>,
    /// The claims, one line each.
    pub claims: Vec<ClaimLine>,
    /// The header and the claims as JSON.
    pub json: String,
    /// When the token would be said to be issued and to expire.
    pub times: Vec<Time>,
}

/// A user as a page shows one.
pub struct Person {
    pub login: String,
    pub name: String,
}

impl Person {
    fn of(user: &User) -> Self {
        Self { login: user.login.to_string(), name: user.shown_name() }
    }
}

/// A rule that is left out.
pub struct LeftOut {
    /// Counted from 1.
    pub rule: usize,
    /// The first of its errors.
    pub why: String,
}

/// A moment with its name.
pub struct Time {
    pub label: &'static str,
    /// Unix seconds.
    pub at: i64,
}

/// A claim of a preview.
pub struct ClaimLine {
    /// What it is called.
    pub title: String,
    /// Its name in the token.
    pub claim: String,
    /// What the draft gives; nothing when it is left out.
    pub value: Option<String>,
    /// Why it is left out.
    pub absent: Option<String>,
    /// What the mapping in force gives.
    pub before: Option<String>,
    /// Whether the two differ.
    pub differs: bool,
    /// How it came about, a sentence a rule.
    pub how: Vec<String>,
    /// Whether the rule that is open feeds it.
    pub is_open: bool,
}

#[derive(Template)]
#[template(path = "admin/preview.html")]
struct Fragment {
    preview: Preview,
}

/// `POST /admin/mapping/preview`: the fragment for a draft with one rule as it stands in its form.
/// Keeps nothing.
pub async fn show(admin: Admin, sent: Sent) -> Result<HttpResponse, Failure> {
    let preview = move |app: &App, admin: &Admin| {
        let draft = app.draft(&admin.messenger, &admin.id)?;
        let number = usize::try_from(sent.0.number("rule")).ok().filter(|_| sent.0.has("rule"));
        let text = match (number, Tree::read(&draft.text)) {
            (Some(number), Some(mut tree)) if number < tree.rules.len() => {
                tree.rules[number] = sent_rule(&sent.0, "", &mut None)?;
                tree.tidy();
                tree.write()
            }
            _ => draft.text,
        };
        of(app, &admin.messenger, &text, &sent.0.text("user"), number)
    };
    Ok(render(StatusCode::OK, &Fragment { preview: admin.run(preview).await? }))
}

/// The preview of a draft on the user that a search finds first; `open` is the rule on show.
pub fn of(
    app: &App,
    messenger: &MessengerId,
    draft: &str,
    query: &str,
    open: Option<usize>,
) -> Result<Preview, AppError> {
    let mut preview = Preview { query: query.to_owned(), is_in_form: open.is_some(), ..Preview::default() };
    let Some(user) = find(app, query, &mut preview.others)? else {
        preview.nothing = Some(if query.is_empty() {
            "There is no user yet. Add one, or import some, to see what the mapping makes of them."
        } else {
            "No user is found by that. Try the beginning of a login, an address or a name."
        });
        return Ok(preview);
    };
    preview.user = Some(Person::of(&user));
    let (mapping, left_out) = as_far_as_right(app, draft)?;
    preview.left_out = left_out;
    let before = app.issuer(messenger, None)?.preview(&user);
    let Some(mapping) = mapping else {
        preview.nothing = Some("The draft cannot be applied until its errors are mended.");
        return Ok(preview);
    };
    let after = app.issuer(messenger, Some(mapping))?;
    preview.unexpected = app.expected_of(messenger, &user)?.map(|expected| {
        let differences = expected.differences(&after.payload(&user));
        differences.into_iter().map(|(_, message)| message).collect()
    });
    let after = after.preview(&user);
    preview.fill(&after, &before, open);
    Ok(preview)
}

/// The draft's mapping without the rules that have errors, and which those are.
fn as_far_as_right(app: &App, draft: &str) -> Result<(Option<Mapping>, Vec<LeftOut>), AppError> {
    let (Checked { mapping, findings, tree }, _) = app.judge_draft(draft)?;
    if mapping.is_some() {
        return Ok((mapping, Vec::new()));
    }
    let errors = findings.iter().filter(|finding| finding.level == Level::Error);
    let mut wrong: Vec<(usize, String)> =
        errors.filter_map(|finding| Some((finding.rule()?, finding.text()))).collect();
    wrong.sort_by_key(|(rule, _)| *rule);
    wrong.dedup_by_key(|(rule, _)| *rule);
    let Some(mut tree) = tree else { return Ok((None, Vec::new())) };
    let mut number = 0;
    tree.rules.retain(|_| {
        number += 1;
        !wrong.iter().any(|(rule, _)| *rule == number - 1)
    });
    tree.tidy();
    let (checked, _) = app.judge_draft(&tree.write())?;
    Ok((checked.mapping, wrong.into_iter().map(|(rule, why)| LeftOut { rule: rule + 1, why }).collect()))
}

fn find(app: &App, query: &str, others: &mut Vec<Person>) -> Result<Option<User>, AppError> {
    if let Some(user) = app.user_called(query)? {
        return Ok(Some(user));
    }
    let mut found = app.search_users(query, OFFERED)?;
    if query.is_empty() {
        // Admins need no chat; somebody else says more.
        found.sort_by_key(|user| user.role == Role::Admin);
    }
    let mut found = found.into_iter();
    let first = found.next();
    if !query.is_empty() {
        others.extend(found.map(|user| Person::of(&user)));
    }
    Ok(first)
}

impl Preview {
    fn fill(&mut self, after: &tokens::Preview, before: &tokens::Preview, open: Option<usize>) {
        self.refused = refusal(&after.result);
        self.refused_before = refusal(&before.result);
        let published = |claim: &str| {
            let same = before.trace.claims.iter().find(|line| line.claim.to_string() == claim);
            same.filter(|line| line.absent.is_none()).and_then(|line| line.value.as_ref()).map(shown)
        };
        for line in &after.trace.claims {
            self.claims.push(ClaimLine::new(line, published(&line.claim.to_string()), open));
        }
        let gone = before.trace.claims.iter().filter(|line| line.absent.is_none());
        for line in gone.filter(|line| !after.trace.claims.iter().any(|now| now.claim == line.claim)) {
            let Some(value) = &line.value else { continue };
            let claim = line.claim.to_string();
            self.claims.push(ClaimLine {
                title: title(&claim),
                claim,
                value: None,
                absent: Some("No rule of the draft without errors feeds it.".to_owned()),
                before: Some(shown(value)),
                differs: true,
                how: Vec::new(),
                is_open: false,
            });
        }
        if let PreviewResult::Claims(claims) = &after.result {
            self.json = format!("{:#}\n{:#}", after.header, claims);
            for (name, label) in [("iat", "Issued"), ("exp", "Expires")] {
                if let Some(at) = claims.get(name).and_then(Value::as_i64) {
                    self.times.push(Time { label, at });
                }
            }
        }
    }
}

fn refusal(result: &PreviewResult) -> Option<Refusal> {
    match result {
        PreviewResult::Claims(_) => None,
        PreviewResult::Refused(refusal) => Some(refusal.clone()),
    }
}

impl ClaimLine {
    fn new(line: &ClaimTrace, before: Option<String>, open: Option<usize>) -> Self {
        let claim = line.claim.to_string();
        let value = line.value.as_ref().filter(|_| line.absent.is_none()).map(shown);
        Self {
            title: title(&claim),
            claim,
            differs: value != before,
            absent: line.absent.map(|why| why.message().to_owned()),
            value,
            before,
            how: line.rules.iter().map(how).collect(),
            is_open: line.rules.iter().any(|rule| Some(rule.rule) == open),
        }
    }
}

/// A value for reading: a list with its items behind one another.
fn shown(value: &crate::core::payload::Texts) -> String {
    use crate::core::payload::Texts;
    match value {
        Texts::One(text) => text.clone(),
        Texts::List(items) if items.is_empty() => "an empty list".to_owned(),
        Texts::List(items) => items.join(" · "),
    }
}

/// What a rule did, in a sentence.
fn how(rule: &RuleTrace) -> String {
    let mut parts = Vec::new();
    let maybe = |value: &Option<crate::core::payload::Texts>| match value {
        Some(value) => format!("“{}”", shown(value)),
        None => "nothing".to_owned(),
    };
    if let Some(condition) = &rule.condition {
        let answer = if condition.holds { "so the rule speaks" } else { "so the rule is silent" };
        parts.push(format!("{} is {}, {answer}", condition.attribute, maybe(&condition.value)));
    }
    if let Some(read) = &rule.read {
        let taken = read.texts.iter().find(|text| text.not_taken.is_none());
        match (&read.attribute, taken) {
            (Some(name), _) => parts.push(format!("{name} is {}", maybe(&read.value))),
            (None, Some(text)) => parts.push(format!("“{}” gives {}", text.text, maybe(&read.value))),
            (None, None) if read.from == "text" => parts.push("no text can be filled".to_owned()),
            (None, None) => parts.push(format!("always {}", maybe(&read.value))),
        }
    }
    for step in &rule.steps {
        parts.push(format!("{}: {}", step.did, maybe(&step.value)));
        if let Some(doubt) = step.doubt {
            parts.push(format!("look again: {}", doubt.message().trim_end_matches('.')));
        }
    }
    for dropped in &rule.dropped {
        parts.push(format!("“{}” is dropped: {}", dropped.value, dropped.why.message()));
    }
    if let Some(why) = rule.nothing {
        parts.push(why.message().trim_end_matches('.').to_owned());
    }
    if rule.default {
        parts.push(format!("instead “{}”", rule.gave.join(" · ")));
    }
    format!("Rule {}: {}", rule.rule + 1, parts.join("; "))
}
