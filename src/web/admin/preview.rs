//! What a draft produces for one user, beside what the current mapping produces for the same user: with the
//! code that signs tokens, but never with a signature.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;
use serde_json::Value;

use super::rule_fields::sent_rule;
use super::sync::state_label;
use super::{Admin, Sent};
use crate::app::tokens::PreviewResult;
use crate::app::{App, AppError, tokens};
use crate::core::catalogue::Catalogue;
use crate::core::id::MessengerId;
use crate::core::mapping::{Checked, Claim, ClaimTrace, Level, Mapping, Refusal, RuleTrace, Tree, Why};
use crate::core::sync::PersonState;
use crate::core::user::{Role, User};
use crate::store::people::PersonRow;
use crate::web::http::client::render;
use crate::web::http::error::Failure;
use crate::web::http::run::Asker as _;

/// How many users a search shows.
const OFFERED: i64 = 8;

/// The preview of a draft for a user.
#[derive(Default)]
pub struct Preview {
    /// What was entered to find a user.
    pub query: String,
    /// The user whose preview it is.
    pub user: Option<Person>,
    /// Other users that the search found.
    pub others: Vec<Person>,
    /// The differences from the expected payload of this user, if there is one.
    pub unexpected: Option<Vec<String>>,
    /// Whether other users are chosen by buttons of the rule's form.
    pub is_in_form: bool,
    /// The rules that are not applied because they have errors.
    pub left_out: Vec<LeftOut>,
    /// Why nothing can be shown.
    pub nothing: Option<&'static str>,
    /// Why there is no token with the draft.
    pub refused: Option<Refusal>,
    /// Why Deskpro would take the user for somebody else, as of the last look at all users.
    pub uncertain: Option<String>,
    /// How the user stands at Deskpro, if users are kept there through its API.
    pub person: Option<AtDeskpro>,
    /// Why there is no token with the current mapping.
    pub refused_before: Option<Refusal>,
    /// The claims, one line per claim.
    pub claims: Vec<ClaimLine>,
    /// The header and the claims as JSON.
    pub json: String,
    /// The times of issue and expiry that the token would contain.
    pub times: Vec<Time>,
}

/// A user as a page shows it.
pub struct Person {
    pub login: String,
    pub name: String,
}

impl Person {
    fn of(user: &User) -> Self {
        Self { login: user.login.to_string(), name: user.shown_name() }
    }
}

/// How a user stands at Deskpro.
pub struct AtDeskpro {
    /// The person, once it is certain.
    pub id: Option<String>,
    /// In a few words.
    pub state: &'static str,
    /// Why, and what to do.
    pub words: String,
    pub is_good: bool,
}

impl AtDeskpro {
    fn of(row: &PersonRow) -> Self {
        Self {
            id: row.deskpro_id.clone(),
            state: state_label(&row.state),
            words: row.words.clone(),
            is_good: row.state == PersonState::Sent,
        }
    }
}

/// A rule that is not applied.
pub struct LeftOut {
    /// Counted from 1.
    pub rule: usize,
    /// The first of its errors.
    pub why: String,
}

/// A time with its label.
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
    /// The value from the draft; `None` if the claim is not sent.
    pub value: Option<String>,
    /// That it is not sent, and why.
    pub absent: Option<String>,
    /// Whether it is kept at Deskpro through the API, and not signed.
    pub by_api: bool,
    /// The value from the current mapping.
    pub before: Option<String>,
    /// Whether the two differ.
    pub differs: bool,
    /// How the value was produced, one sentence per rule.
    pub how: Vec<String>,
    /// Whether the open rule produces this claim.
    pub is_open: bool,
}

#[derive(Template)]
#[template(path = "admin/preview.html")]
struct Fragment {
    preview: Preview,
}

/// `POST /admin/mapping/preview`: the fragment for a draft with one rule as its form has it now. Saves
/// nothing.
pub async fn show(admin: Admin, sent: Sent) -> Result<HttpResponse, Failure> {
    let preview = move |app: &App, admin: &Admin| {
        let draft = app.draft(&admin.messenger, &admin.id)?;
        let number = usize::try_from(sent.0.number("rule")).ok().filter(|_| sent.0.has("rule"));
        let text = match (number, Tree::read(&draft.text)) {
            (Some(number), Some(mut tree)) if number < tree.rules.len() => {
                tree.rules[number] = sent_rule(&sent.0, &*app.catalogue(&admin.messenger)?, "", &mut None)?;
                tree.tidy();
                tree.write()
            }
            _ => draft.text,
        };
        of(app, &admin.messenger, &text, &sent.0.text("user"), number)
    };
    Ok(render(StatusCode::OK, &Fragment { preview: admin.run(preview).await? }))
}

/// The preview of a draft for the first user that a search finds; `open` is the rule that is shown.
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
            "There are no users yet. Add or import users to see what the mapping produces for them."
        } else {
            "No user matches your search. Try the start of a login, an address or a name."
        });
        return Ok(preview);
    };
    preview.user = Some(Person::of(&user));
    let (mapping, left_out) = as_far_as_right(app, messenger, draft)?;
    preview.left_out = left_out;
    let before = app.issuer(messenger, None)?.preview(&user);
    let Some(mapping) = mapping else {
        preview.nothing = Some("Fix the errors of the draft to see the preview.");
        return Ok(preview);
    };
    let after = app.issuer(messenger, Some(mapping))?;
    preview.unexpected = app.expected_of(messenger, &user)?.map(|expected| {
        let differences = expected.differences(&after.payload(&user));
        differences.into_iter().map(|(_, message)| message).collect()
    });
    let after = after.preview(&user);
    preview.fill(&after, &before, open, &*app.catalogue(messenger)?);
    let check = app.identity_check(messenger)?;
    let users = check.map(|check| check.found.users).unwrap_or_default();
    preview.uncertain = users.into_iter().find(|it| it.login == user.login.as_str()).map(|it| it.words);
    if let Some(row) = app.person_at(messenger, &user.id)? {
        preview.person = Some(AtDeskpro::of(&row));
    }
    Ok(preview)
}

/// The draft's mapping without the rules that have errors, and those rules.
fn as_far_as_right(
    app: &App,
    messenger: &MessengerId,
    draft: &str,
) -> Result<(Option<Mapping>, Vec<LeftOut>), AppError> {
    let (Checked { mapping, findings, tree }, _) = app.judge_draft(messenger, draft)?;
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
    let (checked, _) = app.judge_draft(messenger, &tree.write())?;
    Ok((checked.mapping, wrong.into_iter().map(|(rule, why)| LeftOut { rule: rule + 1, why }).collect()))
}

fn find(app: &App, query: &str, others: &mut Vec<Person>) -> Result<Option<User>, AppError> {
    if let Some(user) = app.user_called(query)? {
        return Ok(Some(user));
    }
    let mut found = app.search_users(query, OFFERED)?;
    if query.is_empty() {
        // Admins do not need the chat: they are no example.
        found.retain(|user| user.role != Role::Admin);
    }
    let mut found = found.into_iter();
    let first = found.next();
    if !query.is_empty() {
        others.extend(found.map(|user| Person::of(&user)));
    }
    Ok(first)
}

impl Preview {
    fn fill(
        &mut self,
        after: &tokens::Preview,
        before: &tokens::Preview,
        open: Option<usize>,
        names: &Catalogue,
    ) {
        self.refused = refusal(&after.result);
        self.refused_before = refusal(&before.result);
        let published = |claim: &Claim| {
            let same = before.trace.claims.iter().find(|line| line.claim == *claim);
            let value = same.filter(|line| is_given(line)).and_then(|line| line.value.as_ref());
            value.map(|value| named(names, claim, value))
        };
        for line in &after.trace.claims {
            self.claims.push(ClaimLine::new(line, published(&line.claim), open, names));
        }
        let gone = before.trace.claims.iter().filter(|line| is_given(line));
        for line in gone.filter(|line| !after.trace.claims.iter().any(|now| now.claim == line.claim)) {
            let Some(value) = &line.value else { continue };
            let claim = line.claim.to_string();
            self.claims.push(ClaimLine {
                title: names.title(&claim),
                claim,
                value: None,
                by_api: false,
                absent: Some("Not sent. The draft has no rule without errors for this claim.".to_owned()),
                before: Some(named(names, &line.claim, value)),
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
    fn new(line: &ClaimTrace, before: Option<String>, open: Option<usize>, names: &Catalogue) -> Self {
        let claim = line.claim.to_string();
        let value = line.value.as_ref().filter(|_| is_given(line));
        let value = value.map(|value| named(names, &line.claim, value));
        Self {
            title: names.title(&claim),
            claim,
            differs: value != before,
            absent: not_sent(line).filter(|_| !is_given(line)),
            by_api: is_given(line) && line.absent.is_some(),
            value,
            before,
            how: line.rules.iter().map(how).collect(),
            is_open: line.rules.iter().any(|rule| Some(rule.rule) == open),
        }
    }
}

/// Whether Deskpro gets a claim: in the token, or through the API if the token only names the person.
fn is_given(line: &ClaimTrace) -> bool {
    line.value.is_some() && line.absent.is_none_or(|why| why == Why::NotSigned)
}

/// That a claim is not sent, and why, in the words of the claim and the attribute.
fn not_sent(line: &ClaimTrace) -> Option<String> {
    let why = line.absent?;
    let read = line.rules.iter().find(|rule| rule.nothing == Some(why)).and_then(|rule| rule.read.as_ref());
    let attribute = read.and_then(|read| read.attribute.as_ref());
    Some(match (why, attribute, &line.claim) {
        (Why::NotSet, Some(name), _) => format!("Not sent: no value in “{name}”"),
        (Why::Unverified, _, Claim::Email | Claim::Emails) => "Not sent: address not verified".to_owned(),
        _ => format!("Not sent. {}", why.message()),
    })
}

/// A value for reading: a list with its items one after another.
fn shown(value: &crate::core::payload::Texts) -> String {
    use crate::core::payload::Texts;
    match value {
        Texts::One(text) => text.clone(),
        Texts::List(items) if items.is_empty() => "an empty list".to_owned(),
        Texts::List(items) => items.join(" · "),
    }
}

/// The same with the names of ids.
fn named(names: &Catalogue, claim: &Claim, value: &crate::core::payload::Texts) -> String {
    use crate::core::payload::Texts;
    match value {
        Texts::One(text) => names.shown(claim, text),
        Texts::List(items) if items.is_empty() => shown(value),
        Texts::List(items) => {
            items.iter().map(|item| names.shown(claim, item)).collect::<Vec<_>>().join(" · ")
        }
    }
}

/// What a rule did, in a sentence.
fn how(rule: &RuleTrace) -> String {
    let mut parts = Vec::new();
    let maybe = |value: &Option<crate::core::payload::Texts>| match value {
        Some(value) => format!("“{}”", shown(value)),
        None => "no value".to_owned(),
    };
    let found = |value: &Option<crate::core::payload::Texts>| match value {
        Some(_) => format!("is {}", maybe(value)),
        None => "has no value".to_owned(),
    };
    if let Some(condition) = &rule.condition {
        let answer = if condition.holds { "so the rule applies" } else { "so the rule does not apply" };
        parts.push(format!("{} {}, {answer}", condition.attribute, found(&condition.value)));
    }
    if let Some(read) = &rule.read {
        let taken = read.texts.iter().find(|text| text.not_taken.is_none());
        match (&read.attribute, taken) {
            (Some(name), _) => parts.push(format!("{name} {}", found(&read.value))),
            (None, Some(text)) => parts.push(format!("“{}” produces {}", text.text, maybe(&read.value))),
            (None, None) if read.from == "text" => {
                parts.push("no text has values for all its parts".to_owned());
            }
            (None, None) => parts.push(format!("always {}", maybe(&read.value))),
        }
    }
    for step in &rule.steps {
        parts.push(format!("{}: {}", step.did, maybe(&step.value)));
        if let Some(doubt) = step.doubt {
            parts.push(format!("check this: {}", doubt.message().trim_end_matches('.')));
        }
    }
    for dropped in &rule.dropped {
        let why = dropped.why.message().trim_end_matches('.');
        parts.push(format!("“{}” is left out: {why}", dropped.value));
    }
    // Not the same reason twice.
    if let Some(why) = rule.nothing.filter(|why| rule.dropped.iter().all(|dropped| dropped.why != *why)) {
        parts.push(why.message().trim_end_matches('.').to_owned());
    }
    if rule.default {
        parts.push(format!("the default is used: “{}”", rule.gave.join(" · ")));
    }
    format!("Rule {}: {}", rule.rule + 1, parts.join("; "))
}
