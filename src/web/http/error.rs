//! The failures that a request can end with: one type, with one status each. `edge` decides how a failure
//! is shown, as a page or as a problem (RFC 9457).

use actix_web::http::{Method, StatusCode};
use actix_web::{HttpResponse, ResponseError};
use serde_json::Value;

use crate::app::AppError;
use crate::app::api_keys::KeyRefusal;
use crate::app::handovers::CodeRefusal;
use crate::app::upsert::Pointer;
use crate::core::incoming::Reason;
use crate::core::mapping::{Finding, Refusal, Version};
use crate::core::problem::Problem;
use crate::store;
use crate::web::http::codes::Code;

/// Why there is no user to issue a token to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nobody {
    /// No session, or one that has ended.
    SignedOut,
    /// The browser did not send the cookie, because the page is of another site.
    Kept,
    /// A user is signed in, but not the one that the page shows.
    Other,
}

impl Nobody {
    /// The code of the response.
    pub fn code(self) -> Code {
        match self {
            Self::SignedOut => Code::SignedOut,
            Self::Kept => Code::CookieNotSent,
            Self::Other => Code::OtherUser,
        }
    }
}

/// Why a form is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormRefusal {
    /// Its page was shown in another session, or its cookie no longer exists.
    Late,
    /// It was sent from another site.
    Foreign,
    /// It was sent from one of our addresses that this server does not know.
    Address,
    /// It came with two cookies of our name that differ.
    Cookies,
}

impl FormRefusal {
    fn code(self) -> Code {
        match self {
            Self::Late => Code::FormExpired,
            Self::Foreign => Code::FormForeign,
            Self::Address => Code::AddressUnknown,
            Self::Cookies => Code::CookieTwice,
        }
    }
}

/// Why a request failed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The request cannot be read.
    #[error("the request cannot be read: {0}")]
    BadRequest(&'static str),
    /// No user is signed in. The value is put into a problem as `messenger`.
    #[error("no user is signed in")]
    SignedOut {
        /// Why.
        nobody: Nobody,
        /// What a page needs to show the Messenger without a user.
        messenger: Option<Value>,
    },
    /// The user gets no token.
    #[error("no token: {}", .0.message)]
    NoToken(Refusal),
    /// The form is too old, or was not sent from our own page.
    #[error("the form is not ours: {0:?}")]
    Form(FormRefusal),
    /// This part is for admins.
    #[error("only for admins")]
    Forbidden,
    /// The data of this route leaves the server, so the route requires a recently typed password, and there
    /// was none.
    #[error("the password was not typed recently")]
    Unconfirmed,
    /// There is nothing here.
    #[error("not found")]
    NotFound,
    /// The messenger does not exist.
    #[error("{0}")]
    UnknownMessenger(String),
    /// The named object does not exist; the text says what to do.
    #[error("{0}")]
    NoSuch(String),
    /// A program sent something that the route does not accept; the text says why.
    #[error("the body cannot be read: {0}")]
    Body(String),
    /// A request that changes something lacks the header that proves that it does not come from another
    /// site's page.
    #[error("the header for changes is missing")]
    Header,
    /// A mapping with errors, and its warnings.
    #[error("the mapping has errors")]
    Findings(Vec<Finding>),
    /// Another version was published in the meantime: that version, and the mapping that was to be
    /// published.
    #[error("version {} was published in the meantime", .theirs.number)]
    MappingMoved {
        /// The version that is published now.
        theirs: Box<Version>,
        /// The mapping that was to be published.
        yours: String,
    },
    /// Publishing needs a reason; the text says why.
    #[error("{0}")]
    ReasonNeeded(String),
    /// Another person or another window was first; nothing was changed.
    #[error("changed in the meantime")]
    Moved,
    /// The request cannot be carried out; the text says why and what to do.
    #[error("refused: {0}")]
    Refused(String),
    /// A site's server presented no valid API key.
    #[error("no API key: {0:?}")]
    Key(KeyRefusal),
    /// A call of a webhook came without its secret.
    #[error("wrong secret of a webhook")]
    WebhookSecret,
    /// A browser called a route for servers.
    #[error("called by a browser")]
    Browser,
    /// The API key is not allowed to do this; the text says which key is.
    #[error("{0}")]
    Scope(String),
    /// The API key is not for this messenger; the text says which one is.
    #[error("{0}")]
    KeyMessenger(String),
    /// One caller sent too many requests; seconds to wait.
    #[error("too many requests")]
    TooMany(i64),
    /// A handover code is not valid.
    #[error("a code was refused: {0:?}")]
    Code(CodeRefusal),
    /// A connection code yields no API key; the text says why and what to do.
    #[error("{0}")]
    ConnectionCode(&'static str),
    /// No key signs the messenger's tokens; the text says what to do.
    #[error("{0}")]
    NoKey(String),
    /// Pages of an origin are not allowed to send requests; the text says what to do.
    #[error("{0}")]
    OriginNotAllowed(String),
    /// An app's login and password do not match.
    #[error("wrong credentials")]
    Credentials,
    /// An app presented no device token of an active session.
    #[error("no device token")]
    DeviceToken,
    /// Another user already has the value that was to be written; the text says who.
    #[error("{0}")]
    Taken(String),
    /// A record refers to no user with certainty.
    #[error("{}", .0.explain())]
    NotThisUser(Reason),
    /// Attributes that cannot be written.
    #[error("attributes cannot be written")]
    Attributes(Vec<Problem<Pointer>>),
    /// A site's server named a user who does not exist; the text says what to do.
    #[error("{0}")]
    UnknownUser(String),
    /// The path exists, but not with this method.
    #[error("method not allowed")]
    Method(Vec<Method>),
    /// The request names a host that is not this server's.
    #[error("unknown host")]
    Host,
    /// Overloaded, or the database does not respond; seconds to wait.
    #[error("unavailable")]
    Unavailable(i64),
    /// A defect; the text is for the log.
    #[error("internal: {0}")]
    Internal(String),
    /// A refusal by actix itself: only a status.
    #[error("refused with {0}")]
    Status(StatusCode),
}

/// Seconds after which to retry if nothing better is known.
const AWHILE: i64 = 2;

impl Failure {
    /// The code of the response.
    pub fn code(&self) -> Code {
        match self {
            Self::BadRequest(_) => Code::BadRequest,
            Self::SignedOut { nobody, .. } => nobody.code(),
            Self::NoToken(refusal) => refusal.code.into(),
            Self::Form(refusal) => refusal.code(),
            Self::Forbidden => Code::Forbidden,
            Self::Unconfirmed => Code::PasswordNeeded,
            Self::NotFound | Self::NoSuch(_) => Code::NotFound,
            Self::UnknownMessenger(_) => Code::UnknownMessenger,
            Self::Body(_) => Code::BadBody,
            Self::Header => Code::HeaderNeeded,
            Self::Findings(_) => Code::MappingErrors,
            Self::MappingMoved { .. } => Code::MappingMoved,
            Self::ReasonNeeded(_) => Code::ReasonNeeded,
            Self::Moved => Code::ChangedMeanwhile,
            Self::Refused(_) => Code::NotPossible,
            Self::Key(KeyRefusal::Missing) => Code::ApiKeyMissing,
            Self::Key(KeyRefusal::Unknown) => Code::ApiKeyUnknown,
            Self::Key(KeyRefusal::Expired) => Code::ApiKeyExpired,
            Self::Key(KeyRefusal::Revoked) => Code::ApiKeyRevoked,
            Self::WebhookSecret => Code::WebhookSecretWrong,
            Self::Browser => Code::NotForBrowsers,
            Self::Scope(_) => Code::ScopeMissing,
            Self::KeyMessenger(_) => Code::MessengerNotAllowed,
            Self::TooMany(_) => Code::TooManyRequests,
            Self::Taken(_) => Code::AlreadyUsed,
            Self::Code(_) => Code::CodeInvalid,
            Self::ConnectionCode(_) => Code::ConnectionCodeInvalid,
            Self::OriginNotAllowed(_) => Code::OriginNotAllowed,
            Self::NoKey(_) => Code::NoSigningKey,
            Self::Credentials => Code::WrongCredentials,
            Self::DeviceToken => Code::DeviceTokenUnknown,
            Self::NotThisUser(reason) => (*reason).into(),
            Self::Attributes(_) => Code::BadAttributes,
            Self::UnknownUser(_) => Code::UnknownUser,
            Self::Method(_) => Code::MethodNotAllowed,
            Self::Host => Code::UnknownHost,
            Self::Unavailable(_) => Code::Unavailable,
            Self::Internal(_) => Code::Internal,
            Self::Status(StatusCode::PAYLOAD_TOO_LARGE) => Code::BodyTooLarge,
            Self::Status(StatusCode::UNSUPPORTED_MEDIA_TYPE) => Code::UnsupportedMediaType,
            Self::Status(StatusCode::REQUEST_TIMEOUT) => Code::RequestTimeout,
            Self::Status(_) => Code::Refused,
        }
    }

    /// The key prefix of a page's messages in `locales/`, to which `.title` and so on are appended.
    pub fn text_key(&self) -> String {
        let known = [400, 401, 403, 404, 405, 408, 409, 413, 415, 421, 422, 429, 500, 503];
        match self {
            Self::Code(_) => "error.code_invalid".to_owned(),
            Self::Form(_)
            | Self::Unconfirmed
            | Self::Header
            | Self::Findings(_)
            | Self::MappingMoved { .. }
            | Self::ReasonNeeded(_)
            | Self::Key(_)
            | Self::WebhookSecret
            | Self::Browser
            | Self::Scope(_)
            | Self::KeyMessenger(_)
            | Self::Taken(_)
            | Self::OriginNotAllowed(_)
            | Self::ConnectionCode(_)
            | Self::NoKey(_)
            | Self::Credentials
            | Self::DeviceToken
            | Self::NotThisUser(_)
            | Self::Attributes(_)
            | Self::UnknownUser(_) => format!("problem.{}", self.code().as_str()),
            Self::BadRequest(_)
            | Self::SignedOut { .. }
            | Self::NoToken(_)
            | Self::Forbidden
            | Self::NotFound
            | Self::NoSuch(_)
            | Self::UnknownMessenger(_)
            | Self::Body(_)
            | Self::Moved
            | Self::Refused(_)
            | Self::TooMany(_)
            | Self::Method(_)
            | Self::Host
            | Self::Unavailable(_)
            | Self::Internal(_)
            | Self::Status(_) => {
                let status = self.status_code().as_u16();
                if known.contains(&status) { format!("error.{status}") } else { "error.other".to_owned() }
            }
        }
    }

    /// The value of `Retry-After`, in seconds.
    pub fn retry_after(&self) -> Option<i64> {
        match self {
            Self::NoKey(_) => Some(60),
            Self::Unavailable(seconds) | Self::TooMany(seconds) => Some((*seconds).max(1)),
            _ => None,
        }
    }

    /// The failure that an actix error means.
    pub fn of(error: &actix_web::Error) -> Self {
        let status = error.as_response_error().status_code();
        match status {
            StatusCode::NOT_FOUND => Self::NotFound,
            StatusCode::BAD_REQUEST => Self::BadRequest("it is malformed"),
            // If the store is unavailable, the session middleware responds with 500; nothing else in actix
            // does.
            StatusCode::INTERNAL_SERVER_ERROR => {
                tracing::warn!(?error, "a session could not be read or written");
                Self::Unavailable(AWHILE)
            }
            status => Self::Status(status),
        }
    }
}

impl ResponseError for Failure {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::Status(status) => *status,
            other => other.code().status(),
        }
    }

    fn error_response(&self) -> HttpResponse {
        // `edge` fills it: only there it is known whether the response is for a person or a program.
        HttpResponse::new(self.status_code())
    }
}

impl From<AppError> for Failure {
    fn from(error: AppError) -> Self {
        match error {
            AppError::Store(error) => error.into(),
            AppError::Busy(seconds) => Self::Unavailable(seconds),
            AppError::NoToken(refusal) => Self::NoToken(refusal),
            AppError::UnknownMessenger(text) => Self::UnknownMessenger(text),
            AppError::NotFound(text) => Self::NoSuch(text),
            AppError::DraftMoved | AppError::MessengerMoved => Self::Moved,
            AppError::MappingMoved(theirs) => Self::MappingMoved { theirs, yours: String::new() },
            AppError::Mapping(findings) => Self::Findings(findings),
            AppError::ReasonNeeded(text) => Self::ReasonNeeded(text),
            AppError::Refused(text) | AppError::BadReason(text) | AppError::BadKey(text) => {
                Self::Refused(text)
            }
            AppError::TooMany(seconds) => Self::TooMany(seconds),
            AppError::Taken(text) => Self::Taken(text),
            AppError::NotThisUser(reason) => Self::NotThisUser(reason),
            AppError::OtherMessenger(text) => Self::KeyMessenger(text),
            AppError::NoKey(text) => Self::NoKey(text),
            error @ (AppError::Messenger(_) | AppError::WhoseIds(_) | AppError::Names(_)) => {
                Self::Refused(error.to_string())
            }
            // The cause was logged when the messenger was read.
            AppError::BrokenMessenger(_) => Self::Unavailable(AWHILE),
            AppError::Code(refusal) => Self::Code(refusal),
            AppError::ConnectionCode(why) => Self::ConnectionCode(why),
            error @ AppError::OriginNotAllowed(_) => Self::OriginNotAllowed(error.to_string()),
            AppError::BadDevice(text) => Self::Body(text),
            AppError::Attributes(problems) => Self::Attributes(problems),
            error @ AppError::UnknownUser(_) => Self::UnknownUser(error.to_string()),
            error @ AppError::Import(_) => Self::Internal(error.to_string()),
        }
    }
}

impl From<store::Error> for Failure {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::Unavailable(cause) | store::Error::Undone(cause) => {
                tracing::warn!(error = &*cause as &dyn std::error::Error, "the database does not answer");
                Self::Unavailable(AWHILE)
            }
            other => {
                let first = std::error::Error::source(&other);
                let causes = std::iter::successors(first, |cause| cause.source());
                Self::Internal(causes.fold(other.to_string(), |said, cause| format!("{said}: {cause}")))
            }
        }
    }
}
