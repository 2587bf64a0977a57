//! A messenger: one deployment of Deskpro Messenger as pages and tokens need it. Where its
//! settings come from is not decided here.

pub mod fields;
pub mod probe;
pub mod reach;
pub mod snippet;

use serde_json::{Map, Value};
use url::Url;

use super::mapping::BlockList;
use super::origin::Origin;
use crate::core::id::MessengerId;

/// What visitors who are not signed in see.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Anonymous {
    /// The Messenger without a token: support sees them as unconfirmed.
    #[default]
    Allow,
    /// No Messenger: for deployments that require a token.
    Hide,
}

impl Anonymous {
    /// The word of the setting.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Hide => "hide",
        }
    }

    /// Reads the setting.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "allow" => Some(Self::Allow),
            "hide" => Some(Self::Hide),
            _ => None,
        }
    }
}

/// The platform of an app.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Platform {
    /// Apple's phones and tablets.
    Ios,
    /// Android.
    Android,
    /// Anything else, such as a desktop program; it gets the values of the web.
    Other,
}

impl Platform {
    /// The word of each platform.
    pub const WORDS: [&str; 3] = ["ios", "android", "other"];

    /// The word in the API and in the table.
    pub fn as_str(self) -> &'static str {
        Self::WORDS[self as usize]
    }

    /// The platform that a word means.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Ios, Self::Android, Self::Other].into_iter().find(|platform| platform.as_str() == word)
    }
}

/// Where Deskpro serves a messenger: the three values of its deployment snippet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deployment {
    /// The module script.
    pub init_script_url: Url,
    /// `data-deskpro-url`: origin and tenant path.
    pub deskpro_url: Url,
    /// `data-messenger-id`: letters and digits. The specification's own example is not a strict
    /// ULID, so nothing more is required.
    pub messenger_id: String,
}

/// Where Deskpro serves a messenger to apps: the values for its mobile SDKs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppDeployment {
    /// `appUrl`.
    pub deskpro_url: Url,
    /// `appId`.
    pub messenger_id: String,
}

/// Which users may get tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Whether only trusted identifiers are signed.
    pub verified_only: bool,
    /// Users who never get a token.
    pub blocked: BlockList,
}

/// One deployment with its rules for tokens and pages.
#[derive(Clone, Debug, PartialEq)]
pub struct Messenger {
    /// Its short name, such as `default`.
    pub id: MessengerId,
    /// `None` until Deskpro's three values are set: until then, pages carry no Messenger.
    pub deployment: Option<Deployment>,
    /// Where iOS apps find it, if different from the web.
    pub ios: Option<AppDeployment>,
    /// The same for Android.
    pub android: Option<AppDeployment>,
    /// Keys for `DpMessengerOptions` in addition to `signedUserInfo`.
    pub options: Map<String, Value>,
    /// What visitors who are not signed in see.
    pub anonymous: Anonymous,
    /// The lifetime of tokens, in seconds.
    pub token_lifetime: i64,
    /// Whether tokens carry `iat`.
    pub token_iat: bool,
    /// Whether tokens carry `exp`.
    pub token_exp: bool,
    /// Origins whose pages may request tokens, and to which a browser may return after sign-in.
    pub allowed_origins: Vec<Origin>,
    /// Origins added to the page's Content-Security-Policy in addition to Deskpro's.
    pub csp_extra: Vec<Origin>,
    /// Which users may get tokens.
    pub policy: Policy,
}

impl Default for Messenger {
    fn default() -> Self {
        Self {
            id: MessengerId::default(),
            deployment: None,
            ios: None,
            android: None,
            options: Map::new(),
            anonymous: Anonymous::Allow,
            token_lifetime: super::token::LIFETIME,
            token_iat: true,
            token_exp: true,
            allowed_origins: Vec::new(),
            csp_extra: Vec::new(),
            policy: Policy { verified_only: true, blocked: BlockList::default() },
        }
    }
}

impl Messenger {
    /// The two values that a platform's SDK or page needs: those of the platform, or those of the web.
    pub fn place(&self, platform: Option<Platform>) -> Option<(&Url, &str)> {
        let own = match platform {
            Some(Platform::Ios) => self.ios.as_ref(),
            Some(Platform::Android) => self.android.as_ref(),
            Some(Platform::Other) | None => None,
        };
        own.map(|app| (&app.deskpro_url, app.messenger_id.as_str()))
            .or_else(|| self.deployment.as_ref().map(|web| (&web.deskpro_url, web.messenger_id.as_str())))
    }

    /// The origins that a page with this Messenger must be allowed to reach, without duplicates.
    pub fn page_origins(&self) -> Vec<Origin> {
        let mut origins: Vec<Origin> = self
            .deployment
            .iter()
            .flat_map(|deployment| {
                [Origin::of(&deployment.init_script_url), Origin::of(&deployment.deskpro_url)]
            })
            .chain(self.csp_extra.iter().cloned())
            .collect();
        let mut seen = Vec::new();
        origins.retain(|origin| {
            !seen.contains(origin) && {
                seen.push(origin.clone());
                true
            }
        });
        origins
    }
}

/// The value of `window.DpMessengerOptions`, safe inside a script element: `<`, `>`, `&`, U+2028 and
/// U+2029 are escaped, so that no string can end the element or start a comment or a line.
pub fn options_json(options: &Map<String, Value>, signed_user_info: Option<&str>) -> String {
    let mut options = options.clone();
    // The token comes only from the session, never from a setting.
    for name in fields::PLANTS {
        options.remove(name);
    }
    if let Some(token) = signed_user_info {
        options.insert("signedUserInfo".to_owned(), Value::from(token));
    }
    script_safe(&Value::Object(options))
}

/// JSON that is safe inside a script element.
pub fn script_safe(value: &Value) -> String {
    let mut safe = String::new();
    for letter in value.to_string().chars() {
        match letter {
            // DEL and the controls above it are valid in JSON but forbidden in a page.
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\u{7f}'..='\u{9f}' => {
                use std::fmt::Write as _;
                let _ = write!(safe, "\\u{:04x}", u32::from(letter));
            }
            _ => safe.push(letter),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_cannot_leave_their_script() {
        let options = Map::from_iter([("x".to_owned(), Value::from("</script><!--\u{2028}&"))]);
        let json = options_json(&options, Some("a.b.c"));
        assert_eq!(json, r#"{"x":"\u003c/script\u003e\u003c!--\u2028\u0026","signedUserInfo":"a.b.c"}"#);
        let back: Value = serde_json::from_str(&json).expect("still JSON");
        assert_eq!(back["x"], "</script><!--\u{2028}&");
    }

    #[test]
    fn a_setting_cannot_plant_a_token() {
        let within = serde_json::json!({ "signedUserInfo": "planted" });
        let options = Map::from_iter([
            ("signedUserInfo".to_owned(), Value::from("planted")),
            ("__proto__".to_owned(), within),
        ]);
        assert_eq!(options_json(&options, None), "{}");
    }
}
