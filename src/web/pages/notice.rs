//! The notice that tells users on our own pages that support does not know them. The pages work without it.

use crate::app::AppError;
use crate::core::mapping::RefusalCode;

/// If support does not know the user, the key of the notice that says so; the page works without a token.
/// Other errors remain errors.
pub fn or_notice<T>(made: Result<T, AppError>) -> Result<Result<T, &'static str>, AppError> {
    match made {
        Ok(made) => Ok(Ok(made)),
        Err(AppError::NoToken(refusal)) => Ok(Err(notice_key(refusal.code))),
        // The console says what is missing; a visitor who sends too many requests must wait.
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
