//! What an error means: a page for every code, which is the `type` of its problems, and the list of these
//! pages.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;

use crate::web::http::client::render;
use crate::web::http::codes::Code;
use crate::web::http::error::Failure;
use crate::web::http::page::Page;
use crate::web::http::visitor::Visitor;

#[derive(Template)]
#[template(path = "help.html")]
struct HelpPage {
    page: Page,
    code: &'static str,
    /// `None` for a code of the script.
    status: Option<u16>,
}

#[derive(Template)]
#[template(path = "errors.html")]
struct ListPage {
    page: Page,
    codes: &'static [Code],
    of_the_script: &'static [&'static str],
}

/// Codes that only `embed.js` reports, in the browser's console and to the page; no response contains them.
const OF_THE_SCRIPT: &[&str] = &[
    "network",
    "bad_answer",
    "stale_answer",
    "messenger_not_loaded",
    "messenger_twice",
    "trusted_types",
    "failed",
];

/// The codes with this status.
pub fn codes_of(status: &str) -> Vec<&'static str> {
    let with = Code::ALL.iter().filter(|code| code.status().as_str() == status);
    with.map(|code| code.as_str()).collect()
}

/// `GET /help/errors`
pub async fn list(visitor: Visitor) -> HttpResponse {
    let page = Page::of_our_own(visitor.visit.as_ref(), &visitor);
    render(StatusCode::OK, &ListPage { page, codes: Code::ALL, of_the_script: OF_THE_SCRIPT })
}

/// `GET /help/errors/{code}`
pub async fn show(visitor: Visitor, code: web::Path<String>) -> Result<HttpResponse, Failure> {
    let page = Page::of_our_own(visitor.visit.as_ref(), &visitor);
    let of_the_api = Code::parse(&code).map(|code| (code.as_str(), Some(code.status().as_u16())));
    let of_the_script = || OF_THE_SCRIPT.iter().find(|known| **known == *code).map(|code| (*code, None));
    let (code, status) = of_the_api.or_else(of_the_script).ok_or(Failure::NotFound)?;
    Ok(render(StatusCode::OK, &HelpPage { page, code, status }))
}

impl HelpPage {
    /// One of the code's messages.
    fn text(&self, part: &str) -> String {
        self.page.t(&format!("problem.{}.{part}", self.code))
    }
}

impl ListPage {
    fn title(&self, code: &str) -> String {
        self.page.t(&format!("problem.{code}.title"))
    }
}

#[cfg(test)]
mod tests {
    use super::{Code, OF_THE_SCRIPT};
    use crate::core::mapping::RefusalCode;
    use crate::web::http::texts::text;

    /// Every code that the script reports is in the catalogue.
    #[test]
    fn the_catalogue_holds_every_code_of_the_script() {
        let source = include_str!("../../../static/embed.js");
        let explained: std::collections::BTreeSet<&str> =
            source.split("new Failure(\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        let known = |code: &str| OF_THE_SCRIPT.contains(&code) || Code::parse(code).is_some();
        assert_eq!(explained.iter().filter(|code| !known(code)).collect::<Vec<_>>(), [&""; 0]);
        assert!(OF_THE_SCRIPT.iter().all(|code| explained.contains(code)), "{explained:?}");
    }

    #[test]
    fn every_code_has_its_texts_in_every_language() {
        for language in ["en", "de"] {
            for code in Code::ALL.iter().map(|code| code.as_str()).chain(OF_THE_SCRIPT.iter().copied()) {
                for part in ["title", "explain", "do"] {
                    let name = format!("problem.{code}.{part}");
                    assert_ne!(text(language, &name), name, "in {language}");
                }
            }
            for code in RefusalCode::ALL {
                let name = crate::web::pages::notice::notice_key(code);
                assert_ne!(text(language, name), name, "in {language}");
            }
        }
    }
}
