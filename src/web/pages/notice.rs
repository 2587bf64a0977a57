//! Where support does not know a user: the notice that tells them so on our own pages, which work without.

use crate::app::AppError;
use crate::core::mapping::RefusalCode;

/// Where support does not know the user, the key of the notice that tells them so; the page works
/// without. Other errors stay errors.
pub fn or_notice<T>(made: Result<T, AppError>) -> Result<Result<T, &'static str>, AppError> {
    match made {
        Ok(made) => Ok(Ok(made)),
        Err(AppError::NoToken(refusal)) => Ok(Err(notice_key(refusal.code))),
        // The console says what is missing; who asks too often waits.
        Err(AppError::NoKey(_) | AppError::TooMany(_)) => Ok(Err("notice.unavailable")),
        Err(error) => Err(error),
    }
}

/// The key of the notice that tells an end user why support does not know them.
pub fn notice_key(code: RefusalCode) -> &'static str {
    match code {
        RefusalCode::Unverified => "notice.unverified",
        RefusalCode::Missing => "notice.missing",
        RefusalCode::Blocked | RefusalCode::Disabled => "notice.blocked",
        RefusalCode::TooLarge => "notice.too_large",
        RefusalCode::NoIdentifier => "notice.no_identifier",
    }
}
