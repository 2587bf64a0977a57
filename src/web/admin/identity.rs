//! Users whom Deskpro would take for one person, or for somebody else: looked for among all users, and listed with the way to
//! fix each.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;

use super::{Admin, Sent};
use crate::app::identity::IdentityCheck;
use crate::app::{App, AppError};
use crate::core::job::JobState;
use crate::core::sync::PersonState;
use crate::web::http::client::render;
use crate::web::http::error::Failure;
use crate::web::http::page::Page;
use crate::web::http::run::Asker as _;

#[derive(Template)]
#[template(path = "admin/identity.html")]
struct IdentityPage {
    page: Page,
    check: Option<IdentityCheck>,
    /// The desk of the messenger, and how many of its users are in conflict.
    desk: Option<(String, i64)>,
}

impl IdentityPage {
    fn is_running(&self) -> bool {
        self.check.as_ref().is_some_and(|check| check.state.is_under_way())
    }
}

/// `GET /admin/mapping/conflicts`
pub async fn show(admin: Admin) -> Result<HttpResponse, Failure> {
    let read = |app: &App, admin: &Admin| {
        let check = app.identity_check(&admin.messenger)?;
        let desk = match app.desk(&admin.messenger) {
            Ok(desk) => {
                let count = app.desk_status(&desk.id)?.count(PersonState::Conflict);
                Some((desk.id.to_string(), count))
            }
            Err(AppError::NotFound(_) | AppError::Refused(_)) => None,
            Err(error) => return Err(error),
        };
        Ok::<_, AppError>((check, desk))
    };
    let (check, desk) = admin.run(read).await?;
    Ok(render(StatusCode::OK, &IdentityPage { page: admin.page(), check, desk }))
}

/// `POST /admin/mapping/conflicts`: checks all users.
pub async fn look(admin: Admin, _sent: Sent) -> Result<HttpResponse, Failure> {
    admin.run(|app, admin| app.begin_identity_check(&admin.messenger)).await?;
    Ok(admin.go("/mapping/conflicts"))
}
