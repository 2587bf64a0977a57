//! A form that cannot be processed yet: shown again with everything that was typed and with what is missing.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::confirm::Wrong;
use super::fields::Fields;
use crate::web::http::client::render;
use crate::web::http::page::Page;
use crate::web::http::visitor::Visitor;

/// Why a form cannot be processed yet.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Late {
    /// The admin is no longer signed in.
    SignedOut,
    /// The page was opened in another session.
    OtherSession,
    /// The password was not confirmed recently.
    Unconfirmed,
}

impl Late {
    /// The page on which the admin can fix this.
    pub fn way_in(self) -> &'static str {
        match self {
            Self::SignedOut | Self::OtherSession => "/login",
            Self::Unconfirmed => "/admin/confirm",
        }
    }
}

#[derive(Template)]
#[template(path = "admin/again.html")]
struct AgainPage {
    page: Page,
    action: String,
    late: Late,
    fields: Vec<(String, String)>,
    /// Whether the form contained a signing key, which no page shows again.
    had_key: bool,
    wrong: Option<Wrong>,
}

/// The page with the form. `wrong` says what was wrong with the password that was sent with the form.
pub fn page(
    request: &HttpRequest,
    visitor: &Visitor,
    late: Late,
    fields: &Fields,
    wrong: Option<Wrong>,
) -> HttpResponse {
    let (page, form) = visitor.with_form(Page::console(visitor.visit.as_ref(), visitor));
    let action = request.uri().path_and_query().map_or("/", |it| it.as_str()).to_owned();
    let status = wrong.as_ref().map_or(StatusCode::UNAUTHORIZED, |wrong| wrong.status);
    let wait = wrong.as_ref().and_then(|wrong| wrong.wait);
    let template = AgainPage {
        page,
        action,
        late,
        fields: fields.without_passwords(),
        had_key: !fields.text("signing_key").is_empty(),
        wrong,
    };
    let mut response = render(status, &template);
    super::confirm::ask_to_wait(&mut response, wait);
    form.set(&mut response);
    response
}
