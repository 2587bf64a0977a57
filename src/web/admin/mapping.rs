//! The editor's list of rules: one line per rule, the problems, and a preview of the draft for one user.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;
use serde::Deserialize;

use super::diff::Diff;
use super::fields::Fields;
use super::preview::{self, Preview};
use super::rule_view::{CLAIMS, claim_choice, names};
use super::{Admin, Sent, encoded};
use crate::app::drafts::Preset;
use crate::app::expected::Mismatch;
use crate::app::{App, AppError};
use crate::core::catalogue::Catalogue;
use crate::core::mapping::read::rule::{Rule, Source};
use crate::core::mapping::{
    Checked, Claim, Draft, Finding, Level, Mapping, RuleEntry, Token, Tree, Word, sentence, title, words,
};
use crate::web::http::client::render;
use crate::web::http::error::Failure;
use crate::web::http::page::Page;
use crate::web::http::query::PageQuery;
use crate::web::http::run::Asker as _;

#[derive(Template)]
#[template(path = "admin/mapping.html")]
struct MappingPage {
    page: Page,
    /// Whether names of its helpdesk are known.
    has_names: bool,
    draft: Draft,
    published: Option<Published>,
    /// The number of a version that was published since the draft was started.
    newer: Option<i64>,
    changes: usize,
    rules: Vec<RuleLine>,
    /// The whole draft, if it cannot be shown rule by rule.
    text: Option<String>,
    errors: Vec<FindingLine>,
    warnings: Vec<FindingLine>,
    /// Users for whom the draft does not produce the expected payload.
    unexpected: Vec<Mismatch>,
    /// The claims for which a rule can be added.
    claims: Vec<ClaimChoice>,
    attributes: Vec<String>,
    unread: Vec<String>,
    /// Rules that the attributes suggest.
    starters: Vec<Starter>,
    /// Attributes that the current mapping reads and that no longer exist.
    gone: Vec<String>,
    id_alone: bool,
    lists: Vec<ListLine>,
    preview: Preview,
    at: Option<usize>,
    /// Text that was sent and not saved.
    pasted: Option<Pasted>,
}

/// A finding of the draft.
pub(super) struct FindingLine {
    /// The rule it is about, counted from 0; `None` if it is about the whole mapping.
    pub rule: Option<usize>,
    pub text: String,
}

struct ClaimChoice {
    claim: String,
    label: String,
}

/// A rule that an attribute suggests.
struct Starter {
    attribute: String,
    title: String,
    words: Vec<Word>,
}

/// A claim that is a list.
struct ListLine {
    claim: String,
    title: String,
    /// Whether it is also sent when it is empty.
    sends_empty: bool,
}

/// Text that was not saved, and why.
struct Pasted {
    text: String,
    why: String,
}

/// Who published the current version, and when (Unix seconds).
struct Published {
    who: String,
    at: i64,
}

/// A rule in the list.
struct RuleLine {
    title: String,
    claim: String,
    words: Vec<Word>,
    errors: usize,
    warnings: usize,
}

/// The query of a link to the list.
#[derive(Deserialize)]
pub struct Query {
    #[serde(default)]
    user: String,
    /// The rule that was edited last.
    #[serde(default)]
    at: String,
}

/// `GET /admin/mapping`
pub async fn show(admin: Admin, PageQuery(query): PageQuery<Query>) -> Result<HttpResponse, Failure> {
    let template = admin.run(move |app, admin| list(app, admin, &query)).await?;
    Ok(render(StatusCode::OK, &template))
}

fn list(app: &App, admin: &Admin, query: &Query) -> Result<MappingPage, AppError> {
    let draft = app.draft(&admin.messenger, &admin.id)?;
    let in_force = app.published_mapping(&admin.messenger)?;
    let text_in_force = in_force.as_ref().map_or(crate::app::mapping::STARTER, |version| &version.text);
    let (Checked { mapping, findings, tree }, definitions) =
        app.judge_draft(&admin.messenger, &draft.text)?;
    let names_at_deskpro = app.catalogue(&admin.messenger)?;
    let fed = tree.as_ref().map(|tree| tree.rules.iter().filter_map(RuleEntry::claim).collect::<Vec<_>>());
    let taken = |claim: &str| {
        let is_list = Claim::parse(claim).is_none_or(|claim| claim.is_list());
        !is_list && fed.as_ref().is_some_and(|fed| fed.contains(&claim))
    };
    let claims = CLAIMS.iter().filter(|(claim, _)| !taken(claim));
    let claims = claims
        .map(|(claim, label)| ClaimChoice { claim: (*claim).to_owned(), label: (*label).to_owned() })
        .collect();
    let attributes = names(&definitions);
    let unexpected = match &mapping {
        Some(mapping) => app.unexpected(&admin.messenger, mapping.clone())?,
        None => Vec::new(),
    };
    let unread = mapping.map_or_else(Vec::new, |mapping| {
        let read: Vec<&str> = mapping.attributes().collect();
        let custom = definitions.iter().map(|(name, _)| name);
        custom.filter(|name| !read.contains(name)).map(str::to_owned).collect()
    });
    let lists = tree.as_ref().map(|tree| {
        let claims = tree.list_claims();
        let line = |claim: String| {
            let (title, sends_empty) = (names_at_deskpro.title(&claim), tree.sends_empty(&claim));
            ListLine { claim, title, sends_empty }
        };
        claims.into_iter().map(line).collect()
    });
    let starters = match &tree {
        Some(tree) => app.starters(tree)?.iter().map(starter).collect(),
        None => Vec::new(),
    };
    let gone = Mapping::published(text_in_force).map_or_else(
        |_| Vec::new(),
        |mapping| {
            let read = mapping.attributes().filter(|name| !definitions.knows(name));
            read.map(str::to_owned).collect()
        },
    );
    let preview = preview::of(app, &admin.messenger, &draft.text, &query.user, None)?;
    Ok(MappingPage {
        page: admin.page(),
        published: in_force
            .as_ref()
            .map(|version| Published { who: app.actor_name(&version.author), at: version.created_at }),
        newer: in_force.as_ref().map(|version| version.number).filter(|number| *number > draft.base),
        has_names: !names_at_deskpro.is_empty(),
        changes: Diff::of(text_in_force, &draft.text, &names_at_deskpro).count(),
        rules: tree.clone().map(|tree| lines(tree, &findings, &names_at_deskpro)).unwrap_or_default(),
        text: tree.is_none().then(|| draft.text.clone()),
        errors: finding_lines(&findings, Level::Error),
        warnings: finding_lines(&findings, Level::Warning),
        unexpected,
        claims,
        attributes,
        unread,
        starters,
        gone,
        id_alone: tree.as_ref().is_some_and(|tree| tree.token == Token::Id),
        lists: lists.unwrap_or_default(),
        preview,
        at: query.at.parse().ok(),
        pasted: None,
        draft,
    })
}

fn starter(rule: &Rule) -> Starter {
    Starter {
        attribute: starts_from(rule).to_owned(),
        title: title(rule.claim.as_str()),
        words: sentence(rule),
    }
}

/// The attribute that a suggested rule is for.
fn starts_from(rule: &Rule) -> &str {
    match (&rule.source, &rule.condition) {
        (Source::Attribute(name), _) => name.as_str(),
        (_, Some(condition)) => condition.attribute.as_str(),
        _ => "",
    }
}

/// The findings of one level as sentences.
pub(super) fn finding_lines(findings: &[Finding], level: Level) -> Vec<FindingLine> {
    let found = findings.iter().filter(|finding| finding.level == level);
    let line = |finding: &Finding| {
        let text = match finding.rule() {
            Some(rule) => format!("Rule {}: {}", rule + 1, finding.text()),
            None => finding.text(),
        };
        FindingLine { rule: finding.rule(), text }
    };
    found.map(line).collect()
}

fn lines(tree: Tree, findings: &[Finding], names: &Catalogue) -> Vec<RuleLine> {
    let count = |i: usize, level: Level| {
        findings.iter().filter(|finding| finding.level == level && finding.rule() == Some(i)).count()
    };
    let line = |(i, entry): (usize, &RuleEntry)| RuleLine {
        title: entry.title(names),
        claim: entry.claim().unwrap_or_default().to_owned(),
        words: words(entry),
        errors: count(i, Level::Error),
        warnings: count(i, Level::Warning),
    };
    names.named(tree).rules.iter().enumerate().map(line).collect()
}

/// `GET /admin/mapping/file`: the draft as a file.
pub async fn file(admin: Admin) -> Result<HttpResponse, Failure> {
    let draft = admin.run(|app, admin| app.draft(&admin.messenger, &admin.id)).await?;
    Ok(super::json_file("mapping-draft.json", draft.text))
}

/// `POST /admin/mapping`
pub async fn change(admin: Admin, sent: Sent) -> Result<HttpResponse, Failure> {
    let change = move |app: &App, admin: &Admin| match press(app, admin, &sent.0) {
        Ok(to) => Ok(Ok(to)),
        Err(error @ (AppError::DraftMoved | AppError::Refused(_))) if sent.0.text("do") == "text" => {
            let status = match error {
                AppError::DraftMoved => StatusCode::CONFLICT,
                _ => StatusCode::UNPROCESSABLE_ENTITY,
            };
            let query = Query { user: sent.0.text("user"), at: String::new() };
            let mut template = list(app, admin, &query)?;
            template.pasted = Some(Pasted { text: sent.0.text("text"), why: error.to_string() });
            Ok(Err((status, template)))
        }
        Err(error) => Err(error),
    };
    Ok(match admin.run(change).await? {
        Ok(to) => admin.go(&to),
        Err((status, template)) => render(status, &template),
    })
}

/// Does what a button of the list is for. Returns where to continue.
fn press(app: &App, admin: &Admin, fields: &Fields) -> Result<String, AppError> {
    let revision = fields.number("revision");
    let user = fields.text("user");
    let user = if user.is_empty() { String::new() } else { format!("user={}&", encoded(&user)) };
    let button = fields.text("do");
    let save =
        |text: &str, did: &str| app.save_draft(&admin.messenger, &admin.id, revision, text, did).map(drop);
    match button.as_str() {
        "undo" => app.undo_draft(&admin.messenger, &admin.id, revision)?,
        "discard" => app.discard_draft(&admin.messenger, &admin.id, revision)?,
        "on-demand" | "upfront" => {
            let preset = Preset::parse(&button).unwrap_or(Preset::OnDemand);
            save(&app.preset(preset), "Started with a preset")?;
        }
        "text" => {
            app.import_draft(&admin.messenger, &admin.id, revision, &fields.text("text"), &admin.caller)?;
        }
        _ => return edit(app, admin, fields, &button, &user),
    }
    Ok(format!("/mapping?{user}"))
}

fn edit(app: &App, admin: &Admin, fields: &Fields, button: &str, user: &str) -> Result<String, AppError> {
    let draft = app.draft(&admin.messenger, &admin.id)?;
    let Some(mut tree) = Tree::read(&draft.text) else { return Ok(format!("/mapping?{user}")) };
    let (verb, rule) = button.split_once('-').unwrap_or((button, ""));
    let rule = rule.parse::<usize>().ok().filter(|rule| *rule < tree.rules.len());
    let name = |tree: &Tree, rule: usize| {
        tree.rules[rule]
            .claim()
            .map_or_else(|| "a rule".to_owned(), |claim| format!("the rule for {}", title(claim)))
    };
    let (did, to) = match (verb, rule) {
        ("add", _) => {
            let claim = super::rule_fields::claim(fields, &*app.catalogue(&admin.messenger)?);
            let attribute = fields.text("from/attribute");
            tree.rules.push(Rule::of_attribute(&claim, &attribute).into());
            let last = tree.rules.len() - 1;
            let focus = if claim_choice(&claim).1.is_empty() && claim.starts_with("fields.") {
                "field"
            } else {
                "from"
            };
            (format!("Added {}", name(&tree, last)), format!("/mapping/rules/{last}?{user}focus={focus}"))
        }
        ("starter", _) => {
            let wanted = button.strip_prefix("starter-").unwrap_or_default();
            let mut offered = app.starters(&tree)?.into_iter();
            let Some(rule) = offered.find(|rule| starts_from(rule) == wanted) else {
                return Ok(format!("/mapping?{user}"));
            };
            let table = rule.tables().next().map(|(step, _)| step);
            tree.rules.push(rule.into());
            let last = tree.rules.len() - 1;
            let focus = table.map_or("from".to_owned(), |step| format!("steps/{step}/lookup/values"));
            (
                format!("Added {}", name(&tree, last)),
                format!("/mapping/rules/{last}?{user}focus={}", encoded(&focus)),
            )
        }
        ("remove", Some(rule)) => {
            let did = format!("Removed {}", name(&tree, rule));
            tree.rules.remove(rule);
            (did, format!("/mapping?{user}#rules"))
        }
        ("up", Some(rule)) if rule > 0 => {
            tree.rules.swap(rule, rule - 1);
            let at = rule - 1;
            (format!("Moved {} up", name(&tree, at)), format!("/mapping?{user}at={at}#rule-{at}"))
        }
        ("down", Some(rule)) if rule + 1 < tree.rules.len() => {
            tree.rules.swap(rule, rule + 1);
            let at = rule + 1;
            (format!("Moved {} down", name(&tree, at)), format!("/mapping?{user}at={at}#rule-{at}"))
        }
        ("settings", _) => {
            tree.token = if fields.text("token") == "id" { Token::Id } else { Token::All };
            tree.empty_lists = tree
                .list_claims()
                .into_iter()
                .filter(|claim| fields.has(&format!("empty/{claim}")))
                .map(|claim| (claim, true))
                .collect();
            ("Changed what the token carries".to_owned(), format!("/mapping?{user}#settings"))
        }
        _ => return Ok(format!("/mapping?{user}")),
    };
    tree.tidy();
    app.save_draft(&admin.messenger, &admin.id, fields.number("revision"), &tree.write(), &did)?;
    Ok(to)
}
