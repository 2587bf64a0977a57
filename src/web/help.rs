//! What an error means: the page that the `type` of every problem leads to.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;

use super::client::{Client, render};
use super::error::{Failure, notice_key};
use super::page::Page;
use super::session::Visitor;
use crate::app::App;
use crate::core::mapping::RefusalCode;

#[derive(Template)]
#[template(path = "help.html")]
struct HelpPage {
    page: Page,
    code: String,
    title: String,
    explanation: String,
    what_to_do: String,
}

/// Every code of a failure, with the key of its texts in `locales/`.
const CODES: &[(&str, &str)] = &[
    ("bad_request", "400"),
    ("signed_out", "401"),
    ("cookie_not_sent", "cookie"),
    ("other_user", "other_user"),
    ("form_expired", "form"),
    ("bad_body", "400"),
    ("header_needed", "header"),
    ("mapping_errors", "findings"),
    ("mapping_moved", "moved"),
    ("reason_needed", "reason"),
    ("forbidden", "403"),
    ("not_found", "404"),
    ("unknown_messenger", "404"),
    ("method_not_allowed", "405"),
    ("request_timeout", "408"),
    ("changed_meanwhile", "409"),
    ("not_possible", "422"),
    ("body_too_large", "413"),
    ("unsupported_media_type", "415"),
    ("too_many_requests", "429"),
    ("api_key_missing", "api_key_missing"),
    ("api_key_unknown", "api_key_unknown"),
    ("api_key_expired", "api_key_expired"),
    ("api_key_revoked", "api_key_revoked"),
    ("not_for_browsers", "not_for_browsers"),
    ("scope_missing", "scope_missing"),
    ("messenger_not_allowed", "messenger_not_allowed"),
    ("already_used", "already_used"),
    ("user_is_admin", "user_is_admin"),
    ("bad_attributes", "bad_attributes"),
    ("unknown_user", "unknown_user"),
    ("code_invalid", "code_invalid"),
    ("origin_not_allowed", "origin_not_allowed"),
    ("no_signing_key", "no_signing_key"),
    ("wrong_credentials", "wrong_credentials"),
    ("device_token_unknown", "device_token_unknown"),
    ("unknown_host", "421"),
    ("internal", "500"),
    ("unavailable", "503"),
    ("refused", "other"),
];

const REFUSALS: [RefusalCode; 6] = [
    RefusalCode::Disabled,
    RefusalCode::Blocked,
    RefusalCode::Missing,
    RefusalCode::Unverified,
    RefusalCode::NoIdentifier,
    RefusalCode::TooLarge,
];

/// `GET /help/errors/{code}`
pub async fn show(
    app: web::Data<App>,
    client: Client,
    visitor: Visitor,
    code: web::Path<String>,
) -> Result<HttpResponse, Failure> {
    let (page, code) = (Page::new(visitor.visit.as_ref(), &app, &client), code.into_inner());
    let known = CODES.iter().find(|(known, _)| *known == code);
    let (title, explanation, what_to_do) = if let Some((_, key)) = known {
        let text = |part: &str| page.t(&format!("error.{key}.{part}"));
        (text("title"), text("explain"), text("do"))
    } else {
        let refusal = REFUSALS.iter().find(|known| known.as_str() == code).ok_or(Failure::NotFound)?;
        (page.t("notice.title"), page.t(notice_key(*refusal)), page.t("help.refused"))
    };
    Ok(render(StatusCode::OK, &HelpPage { page, code, title, explanation, what_to_do }))
}

#[cfg(test)]
mod tests {
    use super::{CODES, REFUSALS};
    use crate::web::page::text;

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
        let listed: std::collections::BTreeSet<&str> = CODES.iter().map(|(code, _)| *code).collect();
        assert_eq!(answered, listed);
        assert!(listed.len() > 30, "they were found");
    }

    #[test]
    fn every_code_has_its_texts_in_every_language() {
        for language in ["en", "de"] {
            for (code, key) in CODES {
                for part in ["title", "explain", "do"] {
                    let name = format!("error.{key}.{part}");
                    assert_ne!(text(language, &name), name, "{code} in {language}");
                }
            }
            for code in REFUSALS {
                let name = super::notice_key(code);
                assert_ne!(text(language, name), name, "{code} in {language}");
            }
            assert_ne!(text(language, "help.refused"), "help.refused");
        }
    }
}
