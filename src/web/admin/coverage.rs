//! Who gets a value from each rule of a draft, which values are in no lookup table, and how many users
//! have each attribute.

use std::collections::{BTreeMap, HashSet};

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;

use super::mapping::{FindingLine, finding_lines};
use super::{Admin, Sent, encoded};
use crate::app::compare::Comparison;
use crate::app::{App, AppError};
use crate::core::job::JobState;
use crate::core::mapping::steps::Step;
use crate::core::mapping::steps::lookup::Row;
use crate::core::mapping::{Level, RuleEntry, Tree, Why, Word, title, words};
use crate::core::visible::shown;
use crate::web::http::client::render;
use crate::web::http::error::Failure;
use crate::web::http::page::Page;
use crate::web::http::run::Asker as _;

#[derive(Template)]
#[template(path = "admin/coverage.html")]
struct CoveragePage {
    page: Page,
    revision: i64,
    comparison: Option<Comparison>,
    left: Option<String>,
    /// The errors of the draft, each with its rule.
    errors: Vec<FindingLine>,
    rules: Vec<RuleLine>,
    /// Name, number of users who have it, and their share in percent.
    attributes: Vec<(String, u64, u64)>,
}

struct RuleLine {
    title: String,
    words: Vec<Word>,
    given: u64,
    percent: u64,
    default: u64,
    silent: u64,
    nothing: Vec<(&'static str, u64)>,
    unmatched: Vec<UnmatchedLine>,
    unmatched_more: u64,
    lost: Vec<LostLines>,
}

/// A value that is not in the table of a rule.
struct UnmatchedLine {
    value: String,
    users: u64,
    /// How it differs from a row of the table that looks the same.
    near: Option<String>,
}

/// The values that a rule lost for one reason.
struct LostLines {
    why: &'static str,
    values: Vec<(String, u64)>,
    /// Number of users with further values.
    more: u64,
}

/// `GET /admin/mapping/coverage`
pub async fn show(admin: Admin) -> Result<HttpResponse, Failure> {
    let template = admin.run(coverage).await?;
    Ok(render(StatusCode::OK, &template))
}

fn coverage(app: &App, admin: &Admin) -> Result<CoveragePage, AppError> {
    let draft = app.draft(&admin.messenger, &admin.id)?;
    let comparison = app.comparison(&admin.messenger, &admin.id)?;
    let page = admin.page();
    let left = comparison.as_ref().and_then(Comparison::seconds_left).map(|seconds| page.duration(seconds));
    let (checked, definitions) = app.judge_draft(&admin.messenger, &draft.text)?;
    let tree = checked.tree.unwrap_or_default();
    let errors = finding_lines(&checked.findings, Level::Error);
    let (mut rules, mut attributes) = (Vec::new(), Vec::new());
    if let Some(Comparison { coverage, .. }) = comparison.as_ref().filter(|done| done.state == JobState::Done)
    {
        let names = app.catalogue(&admin.messenger)?;
        let named = names.named(tree.clone());
        for (entry, found) in named.rules.iter().zip(&coverage.rules) {
            let unmatched = most_first(&found.unmatched).into_iter().map(|(value, users)| {
                let near = entry.looks_like_a_row(&value);
                UnmatchedLine { value: shown(&value).into_owned(), users, near }
            });
            let unmatched = unmatched.collect();
            let lost = found.lost.iter().map(|(code, lost)| {
                let values = most_first(&lost.values).into_iter();
                let values = values.map(|(value, users)| (shown(&value).into_owned(), users)).collect();
                LostLines { why: Why::message_of(code), values, more: lost.more }
            });
            let lost = lost.collect();
            let nothing = found.nothing.iter().map(|(code, users)| (Why::message_of(code), *users));
            rules.push(RuleLine {
                title: entry.title(&names),
                words: words(entry),
                given: found.given,
                percent: percent(found.given + found.default, coverage.users),
                default: found.default,
                silent: found.silent,
                nothing: nothing.collect(),
                unmatched,
                unmatched_more: found.unmatched_more,
                lost,
            });
        }
        let names = super::rule_view::names(&definitions);
        attributes = names
            .into_iter()
            .map(|name| {
                let users = coverage.attributes.get(&name).copied().unwrap_or_default();
                (name, users, percent(users, coverage.users))
            })
            .collect();
    }
    Ok(CoveragePage { page, revision: draft.revision, comparison, left, errors, rules, attributes })
}

/// `POST /admin/mapping/coverage`
pub async fn begin(admin: Admin, sent: Sent) -> Result<HttpResponse, Failure> {
    let begin = move |app: &App, admin: &Admin| {
        let button = sent.0.text("do");
        if let Some(rule) = button.strip_prefix("fill-").and_then(|rule| rule.parse().ok()) {
            return fill(app, admin, sent.0.number("revision"), rule);
        }
        let begun = if button == "cancel" {
            app.cancel_comparison(&admin.messenger, &admin.id)
        } else {
            app.begin_comparison(&admin.messenger, &admin.id)
        };
        match begun {
            // The page shows the errors of the draft.
            Ok(()) | Err(AppError::Mapping(_)) => Ok("/mapping/coverage".to_owned()),
            Err(error) => Err(error),
        }
    };
    Ok(admin.go(&admin.run(begin).await?))
}

/// Adds the values that are not in a rule's table to it, to be filled in. Returns where to continue.
fn fill(app: &App, admin: &Admin, revision: i64, rule: usize) -> Result<String, AppError> {
    let draft = app.draft(&admin.messenger, &admin.id)?;
    if draft.revision != revision {
        return Err(AppError::DraftMoved);
    }
    let (Some(found), Some(mut tree)) =
        (app.comparison(&admin.messenger, &admin.id)?, Tree::read(&draft.text))
    else {
        return Ok("/mapping/coverage".to_owned());
    };
    let (Some(reach), Some(entry)) =
        (found.coverage.rules.get(rule), tree.rules.get_mut(rule).and_then(RuleEntry::rule_mut))
    else {
        return Ok("/mapping/coverage".to_owned());
    };
    let tables = entry.steps.iter_mut().enumerate().filter_map(|(i, step)| match &mut step.value {
        Step::Lookup(table) => Some((i, table)),
        _ => None,
    });
    let Some((step, table)) = tables.last() else { return Ok("/mapping/coverage".to_owned()) };
    let first = table.rows.len();
    let known: HashSet<String> = table.rows.iter().map(|row| row.key.as_str().trim().to_owned()).collect();
    let missing = reach.unmatched.keys().filter(|value| !known.contains(value.as_str()));
    table.rows.extend(missing.map(|value| Row::new(value.as_str(), Some(String::new()))));
    let did = format!("Added values to the table for {}", title(entry.claim.as_str()));
    app.save_draft(&admin.messenger, &admin.id, revision, &tree.write(), &did)?;
    let focus = format!("steps/{step}/lookup/values/{first}/value");
    Ok(format!("/mapping/rules/{rule}?focus={}", encoded(&focus)))
}

impl CoveragePage {
    /// How many users were checked.
    fn users(&self) -> u64 {
        self.comparison.as_ref().map_or(0, |comparison| comparison.coverage.users)
    }
}

/// Values with the number of their users, the most frequent first.
fn most_first(values: &BTreeMap<String, u64>) -> Vec<(String, u64)> {
    let mut values: Vec<(String, u64)> =
        values.iter().map(|(value, users)| (value.clone(), *users)).collect();
    values.sort_by_key(|(_, users)| std::cmp::Reverse(*users));
    values
}

fn percent(part: u64, whole: u64) -> u64 {
    (part * 100).checked_div(whole).unwrap_or_default()
}
