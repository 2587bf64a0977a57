//! `/help`: the README and the documents of `docs/`, as pages, and what else there is to read. They are compiled
//! in, so that they describe the version that is running.

use std::sync::LazyLock;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use pulldown_cmark::{CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};

use crate::web::http::client::render;
use crate::web::http::error::Failure;
use crate::web::http::page::Page;
use crate::web::http::visitor::Visitor;

/// A document: the last part of its address, its name in the menu, what it is for, and its text.
struct Source {
    name: &'static str,
    label: &'static str,
    lead: &'static str,
    text: &'static str,
}

macro_rules! document {
    ($name:literal, $label:literal, $lead:literal) => {
        Source {
            name: $name,
            label: $label,
            lead: $lead,
            text: include_str!(concat!("../../../docs/", $name, ".md")),
        }
    };
}

/// HTML in a document that its page leaves out: pictures, which are not compiled in, and comments for its
/// editors.
const LEFT_OUT: [&str; 5] = ["<!--", "<picture", "</picture", "<source", "<img"];

/// The document that leads to the list of errors; that list is its page.
const ERRORS: &str = "errors";

/// In the order in which a reader needs them.
const SOURCES: &[Source] = &[
    Source {
        name: "readme",
        label: "Start",
        lead: "What it is, how to start it, and where to read on.",
        text: include_str!("../../../README.md"),
    },
    document!("going-live", "Going live", "Connect your server to a real Deskpro, step by step."),
    document!(
        "users-and-import",
        "Users",
        "Your users: import a file, whom a record means, deleted accounts."
    ),
    document!(
        "mapping",
        "Mapping",
        "What support sees: edit and publish the mapping, and its exact meaning."
    ),
    document!(
        "embed",
        "Pages",
        "The chat in your pages: where the token comes from, every attribute, errors."
    ),
    document!(
        "unknown-users",
        "Unknown users",
        "Why support does not know a user who is signed in, and what to do."
    ),
    document!(
        "synchronization",
        "Synchronization",
        "Users kept in Deskpro through its API: when, who is who, limits, failures."
    ),
    document!("apps", "Apps", "iOS and Android: what Deskpro's kits do, and how an app uses them."),
    document!("api", "API", "The JSON API: keys, errors, limits, examples."),
    document!("settings", "Settings", "Every setting, its default, and where to set it."),
    document!("running", "Running", "One server: checks, health, limits, logs, keys, signals."),
    document!("metrics", "Metrics", "What to watch, for Prometheus."),
    document!("several-instances", "Instances", "Several servers on one database."),
    document!("sign-in", "Sign-in", "How passwords, sessions and apps are guarded."),
    document!("security", "Security", "What Countersign protects, against whom, and how."),
    document!(
        "deskpro",
        "Deskpro",
        "What Deskpro is known to do, and what is a setting because it is not known."
    ),
    document!(
        "privacy",
        "Privacy",
        "Which personal data is stored, where, for how long, and what Deskpro gets."
    ),
    document!("accessibility", "Accessibility", "How accessible the pages are, and how that is tested."),
];

/// A document as it is shown.
struct Document {
    name: &'static str,
    label: &'static str,
    lead: &'static str,
    title: String,
    html: String,
}

static DOCUMENTS: LazyLock<Vec<Document>> = LazyLock::new(|| SOURCES.iter().map(shown).collect());

/// Makes HTML of a document. Headings get the ids that links name, as GitHub makes them; links to other documents lead
/// to their pages; HTML in the text is shown as text.
fn shown(source: &Source) -> Document {
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH;
    let mut events: Vec<Event> = Parser::new_ext(source.text, options).collect();
    let mut title = String::new();
    let mut heading: Option<(usize, String)> = None;
    let mut leads_nowhere = false;
    for place in 0..events.len() {
        match &events[place] {
            Event::Start(Tag::Heading { .. }) => heading = Some((place, String::new())),
            Event::Text(text) | Event::Code(text) if heading.is_some() => {
                if let Some((_, words)) = &mut heading {
                    words.push_str(text);
                }
            }
            Event::End(TagEnd::Heading(level)) => {
                let Some((start, words)) = heading.take() else { continue };
                if *level == HeadingLevel::H1 && title.is_empty() {
                    title.clone_from(&words);
                }
                if let Event::Start(Tag::Heading { id, .. }) = &mut events[start] {
                    *id = Some(slug(&words).into());
                }
            }
            Event::Html(text) | Event::InlineHtml(text) => {
                let is_left_out = LEFT_OUT.iter().any(|tag| text.trim_start().starts_with(tag));
                let content = if is_left_out { CowStr::from("") } else { text.clone() };
                events[place] = Event::Text(content);
            }
            _ => {}
        }
        match &mut events[place] {
            Event::Start(Tag::Link { dest_url, .. }) => {
                if let Some(to) = target(dest_url) {
                    *dest_url = to;
                } else {
                    leads_nowhere = true;
                    events[place] = Event::Text("".into());
                }
            }
            Event::End(TagEnd::Link) if std::mem::take(&mut leads_nowhere) => {
                events[place] = Event::Text("".into());
            }
            _ => {}
        }
    }
    let mut text = String::new();
    html::push_html(&mut text, events.into_iter());
    Document { name: source.name, label: source.label, lead: source.lead, title, html: text }
}

/// The id of a heading, as GitHub makes it.
fn slug(words: &str) -> String {
    let kept =
        words.trim().chars().filter(|letter| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_'));
    kept.map(|letter| if letter == ' ' { '-' } else { letter }).collect::<String>().to_lowercase()
}

/// Where a link leads: another document's page, where it names one's file; `None` for files that are not here.
fn target<'a>(link: &CowStr<'a>) -> Option<CowStr<'a>> {
    let (file, place) = link.split_once('#').unwrap_or((link, ""));
    if file.is_empty() || file.contains("://") {
        return Some(link.clone());
    }
    let name = file.rsplit('/').next()?.strip_suffix(".md")?.to_lowercase();
    if name == ERRORS {
        return Some(ERRORS.into());
    }
    SOURCES.iter().find(|source| source.name == name)?;
    Some(if place.is_empty() { name.into() } else { format!("{name}#{place}").into() })
}

#[derive(Template)]
#[template(path = "documents.html")]
struct ListPage {
    page: Page,
    documents: &'static [Document],
}

#[derive(Template)]
#[template(path = "document.html")]
struct DocumentPage {
    page: Page,
    documents: &'static [Document],
    document: &'static Document,
}

/// `GET /help`
pub async fn list(visitor: Visitor) -> HttpResponse {
    let page = Page::console(visitor.visit.as_ref(), &visitor);
    render(StatusCode::OK, &ListPage { page, documents: &DOCUMENTS })
}

/// `GET /help/{document}`
pub async fn show(visitor: Visitor, name: web::Path<String>) -> Result<HttpResponse, Failure> {
    let document = DOCUMENTS.iter().find(|document| document.name == *name).ok_or(Failure::NotFound)?;
    let page = Page::console(visitor.visit.as_ref(), &visitor);
    Ok(render(StatusCode::OK, &DocumentPage { page, documents: &DOCUMENTS, document }))
}
