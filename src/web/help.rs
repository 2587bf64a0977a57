//! What an error means: a page for every code, to which the `type` of every problem leads, and the list
//! of them.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;

use super::client::{Client, render};
use super::error::Failure;
use super::page::Page;
use super::session::Visitor;
use crate::app::App;

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
    codes: &'static [(&'static str, u16)],
    of_the_script: &'static [&'static str],
}

/// Every code with the status it comes with. Its texts are `problem.CODE` in `locales/`.
pub const CODES: &[(&str, u16)] = &[
    ("bad_request", 400),
    ("bad_body", 400),
    ("refused", 400),
    ("signed_out", 401),
    ("cookie_not_sent", 401),
    ("other_user", 401),
    ("wrong_credentials", 401),
    ("device_token_unknown", 401),
    ("api_key_missing", 401),
    ("api_key_unknown", 401),
    ("api_key_expired", 401),
    ("api_key_revoked", 401),
    ("disabled", 403),
    ("blocked", 403),
    ("missing", 403),
    ("unverified", 403),
    ("no_identifier", 403),
    ("too_large", 403),
    ("forbidden", 403),
    ("form_expired", 403),
    ("form_foreign", 403),
    ("address_unknown", 403),
    ("cookie_twice", 403),
    ("header_needed", 403),
    ("password_needed", 403),
    ("not_for_browsers", 403),
    ("scope_missing", 403),
    ("messenger_not_allowed", 403),
    ("about_admin", 403),
    ("code_invalid", 403),
    ("connection_code_invalid", 403),
    ("not_found", 404),
    ("unknown_messenger", 404),
    ("unknown_user", 404),
    ("method_not_allowed", 405),
    ("request_timeout", 408),
    ("changed_meanwhile", 409),
    ("mapping_moved", 409),
    ("already_used", 409),
    ("gone", 409),
    ("login_taken", 409),
    ("address_taken", 409),
    ("other_external_id", 409),
    ("names_two", 409),
    ("not_proved_same", 409),
    ("body_too_large", 413),
    ("unsupported_media_type", 415),
    ("unknown_host", 421),
    ("not_possible", 422),
    ("mapping_errors", 422),
    ("reason_needed", 422),
    ("bad_attributes", 422),
    ("origin_not_allowed", 422),
    ("too_many_requests", 429),
    ("internal", 500),
    ("unavailable", 503),
    ("no_signing_key", 503),
];

/// Codes that `embed.js` tells by itself, in the browser's console and to the page; no answer has them.
const OF_THE_SCRIPT: &[&str] = &[
    "network",
    "bad_answer",
    "stale_answer",
    "messenger_not_loaded",
    "messenger_twice",
    "trusted_types",
    "failed",
];

/// The codes that come with a status.
pub fn codes_of(status: &str) -> Vec<&'static str> {
    CODES.iter().filter(|(_, known)| known.to_string() == status).map(|(code, _)| *code).collect()
}

/// `GET /help/errors`
pub async fn list(app: web::Data<App>, client: Client, visitor: Visitor) -> HttpResponse {
    let page = Page::of_our_own(visitor.visit.as_ref(), &app, &client);
    render(StatusCode::OK, &ListPage { page, codes: CODES, of_the_script: OF_THE_SCRIPT })
}

/// `GET /help/errors/{code}`
pub async fn show(
    app: web::Data<App>,
    client: Client,
    visitor: Visitor,
    code: web::Path<String>,
) -> Result<HttpResponse, Failure> {
    let page = Page::of_our_own(visitor.visit.as_ref(), &app, &client);
    let of_the_api =
        CODES.iter().find(|(known, _)| *known == *code).map(|(code, status)| (*code, Some(*status)));
    let of_the_script = || OF_THE_SCRIPT.iter().find(|known| **known == *code).map(|code| (*code, None));
    let (code, status) = of_the_api.or_else(of_the_script).ok_or(Failure::NotFound)?;
    Ok(render(StatusCode::OK, &HelpPage { page, code, status }))
}

impl HelpPage {
    /// One of the code's texts.
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
    use super::{CODES, OF_THE_SCRIPT};
    use crate::core::incoming::Reason;
    use crate::core::mapping::RefusalCode;
    use crate::web::page::text;

    const REFUSALS: [RefusalCode; 6] = [
        RefusalCode::Disabled,
        RefusalCode::Blocked,
        RefusalCode::Missing,
        RefusalCode::Unverified,
        RefusalCode::NoIdentifier,
        RefusalCode::TooLarge,
    ];

    /// Every word that `error.rs` answers as a code is in the catalogue, and nothing else is.
    #[test]
    fn the_catalogue_holds_every_code_that_can_be_answered() {
        let source = include_str!("error.rs");
        let mut answered = std::collections::BTreeSet::new();
        for body in source.split("pub fn code(").skip(1) {
            let body = body.split("\n    }").next().unwrap_or_default();
            for arm in body.split("=> \"").skip(1) {
                answered.extend(arm.split('"').next());
            }
        }
        answered.extend(REFUSALS.map(RefusalCode::as_str));
        answered.extend(Reason::OF_THE_API.map(Reason::code));
        let listed: std::collections::BTreeSet<&str> = CODES.iter().map(|(code, _)| *code).collect();
        assert_eq!(answered, listed);
        assert!(listed.len() > 30, "they were found");
    }

    /// Every word that the script tells as a code is in the catalogue.
    #[test]
    fn the_catalogue_holds_every_code_of_the_script() {
        let source = include_str!("../../static/embed.js");
        let told: std::collections::BTreeSet<&str> =
            source.split("new Failure(\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        let known =
            |code: &str| OF_THE_SCRIPT.contains(&code) || CODES.iter().any(|(known, _)| *known == code);
        assert_eq!(told.iter().filter(|code| !known(code)).collect::<Vec<_>>(), [&""; 0]);
        assert!(OF_THE_SCRIPT.iter().all(|code| told.contains(code)), "{told:?}");
    }

    #[test]
    fn every_code_has_its_texts_in_every_language() {
        for language in ["en", "de"] {
            for code in CODES.iter().map(|(code, _)| code).chain(OF_THE_SCRIPT) {
                for part in ["title", "explain", "do"] {
                    let name = format!("problem.{code}.{part}");
                    assert_ne!(text(language, &name), name, "in {language}");
                }
            }
            for code in REFUSALS {
                let name = crate::web::notice::notice_key(code);
                assert_ne!(text(language, name), name, "in {language}");
            }
        }
    }
}
