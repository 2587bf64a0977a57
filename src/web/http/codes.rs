//! Every code that a response can have: its word and its status. Problems, pages, the catalogue under
//! `/help/errors` and the API's description take both from here; the messages of a code are `problem.CODE`
//! in `locales/`.

use actix_web::http::StatusCode;

use crate::core::incoming::Reason;
use crate::core::mapping::RefusalCode;

macro_rules! codes {
    ($($name:ident $word:ident $status:literal,)*) => {
        /// Why a request failed.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[expect(clippy::enum_variant_names, reason = "an invalid handover code has this name")]
        pub enum Code {
            $($name,)*
        }

        impl Code {
            /// All codes, sorted by status.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The stable word for programs.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($word),)*
                }
            }

            /// The code's status.
            pub fn status(self) -> StatusCode {
                let status: u16 = match self {
                    $(Self::$name => $status,)*
                };
                StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
            }
        }
    };
}

codes! {
    BadRequest bad_request 400,
    BadBody bad_body 400,
    Refused refused 400,
    SignedOut signed_out 401,
    CookieNotSent cookie_not_sent 401,
    OtherUser other_user 401,
    WrongCredentials wrong_credentials 401,
    DeviceTokenUnknown device_token_unknown 401,
    ApiKeyMissing api_key_missing 401,
    ApiKeyUnknown api_key_unknown 401,
    ApiKeyExpired api_key_expired 401,
    ApiKeyRevoked api_key_revoked 401,
    WebhookSecretWrong webhook_secret_wrong 401,
    Disabled disabled 403,
    Blocked blocked 403,
    Missing missing 403,
    Unverified unverified 403,
    NoIdentifier no_identifier 403,
    TooLarge too_large 403,
    Forbidden forbidden 403,
    FormExpired form_expired 403,
    FormForeign form_foreign 403,
    AddressUnknown address_unknown 403,
    CookieTwice cookie_twice 403,
    HeaderNeeded header_needed 403,
    PasswordNeeded password_needed 403,
    NotForBrowsers not_for_browsers 403,
    ScopeMissing scope_missing 403,
    MessengerNotAllowed messenger_not_allowed 403,
    AboutAdmin about_admin 403,
    CodeInvalid code_invalid 403,
    ConnectionCodeInvalid connection_code_invalid 403,
    NotFound not_found 404,
    UnknownMessenger unknown_messenger 404,
    UnknownUser unknown_user 404,
    MethodNotAllowed method_not_allowed 405,
    RequestTimeout request_timeout 408,
    ChangedMeanwhile changed_meanwhile 409,
    MappingMoved mapping_moved 409,
    AlreadyUsed already_used 409,
    Gone gone 409,
    LoginTaken login_taken 409,
    AddressTaken address_taken 409,
    OtherExternalId other_external_id 409,
    NamesTwo names_two 409,
    NotProvedSame not_proved_same 409,
    BodyTooLarge body_too_large 413,
    UnsupportedMediaType unsupported_media_type 415,
    UnknownHost unknown_host 421,
    NotPossible not_possible 422,
    MappingErrors mapping_errors 422,
    ReasonNeeded reason_needed 422,
    BadAttributes bad_attributes 422,
    OriginNotAllowed origin_not_allowed 422,
    TooManyRequests too_many_requests 429,
    Internal internal 500,
    Unavailable unavailable 503,
    NoSigningKey no_signing_key 503,
}

impl Code {
    /// The code with this word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str() == word)
    }
}

impl From<RefusalCode> for Code {
    fn from(refusal: RefusalCode) -> Self {
        match refusal {
            RefusalCode::Disabled => Self::Disabled,
            RefusalCode::Blocked => Self::Blocked,
            RefusalCode::Missing => Self::Missing,
            RefusalCode::Unverified => Self::Unverified,
            RefusalCode::NoIdentifier => Self::NoIdentifier,
            RefusalCode::TooLarge => Self::TooLarge,
        }
    }
}

impl From<Reason> for Code {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::AboutAdmin => Self::AboutAdmin,
            Reason::Gone => Self::Gone,
            Reason::LoginTaken => Self::LoginTaken,
            Reason::AddressTaken => Self::AddressTaken,
            Reason::OtherExternalId => Self::OtherExternalId,
            Reason::NamesTwo => Self::NamesTwo,
            Reason::NotProvedSame => Self::NotProvedSame,
            // Records without an external id come only in files.
            Reason::NeedsExternalId | Reason::NamesAnother | Reason::AddressUnproved | Reason::NoLogin => {
                Self::NotPossible
            }
        }
    }
}
