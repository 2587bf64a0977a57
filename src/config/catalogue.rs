//! Every setting by name, with its default and what it does: the one list that the reader, the
//! documentation and the error messages share.

/// One setting as the documentation and the settings file know it.
pub struct Setting {
    /// The key in the settings file; in the environment `COUNTERSIGN_` and capitals.
    pub name: &'static str,
    /// What holds when it is not set; empty when there is no default.
    pub default: &'static str,
    /// What it does, in one sentence.
    pub meaning: &'static str,
    /// Secrets are also read from the file that `NAME_FILE` names, and are never printed.
    pub secret: bool,
}

const fn setting(name: &'static str, default: &'static str, meaning: &'static str) -> Setting {
    Setting { name, default, meaning, secret: false }
}

const fn secret(name: &'static str, default: &'static str, meaning: &'static str) -> Setting {
    Setting { name, default, meaning, secret: true }
}

/// All settings there are. Anything else is refused with the nearest of these names.
pub const SETTINGS: &[Setting] = &[
    secret(
        "database_url",
        "sqlite:data/countersign.db",
        "Where users are kept: sqlite:PATH or postgres://USER:PASSWORD@HOST/NAME?sslmode=require.",
    ),
    setting("listen", "127.0.0.1:8080", "The address and port the server listens on."),
    setting(
        "public_url",
        "",
        "The address people see, with a path if there is one: https://www.example.com/accounts.",
    ),
    setting("trusted_proxies", "", "Networks (CIDR) of proxies whose X-Forwarded-For is believed."),
    secret(
        "master_key",
        "",
        "64 hex digits that seal what is stored; it cannot be changed later. With SQLite made beside the database at the first start.",
    ),
    setting(
        "site_name",
        "",
        "The website's name, as its users see it on Countersign's pages. If it is not set: the domain of the public URL.",
    ),
    setting("home", "page", "What GET / shows: 'page', 'off', or a URL to go to."),
    secret("signing_key", "", "The secret shared with Deskpro, at least 32 bytes."),
    setting("signing_key_encoding", "raw", "How the signing key is written: raw, base64, base64url or hex."),
    setting(
        "allow_short_key",
        "false",
        "Accept a signing key below 32 bytes (RFC 7518 section 3.2 forbids it).",
    ),
    setting(
        "init_script_url",
        "",
        "src of Deskpro's module script: https://HELPDESK/deskpro-messenger-init/web.js.",
    ),
    setting("deskpro_url", "", "data-deskpro-url of Deskpro's script."),
    setting("messenger_id", "", "data-messenger-id of Deskpro's script."),
    setting("ios_deskpro_url", "", "appUrl for iOS apps, where it is another than the web's."),
    setting("ios_messenger_id", "", "appId for iOS apps."),
    setting("android_deskpro_url", "", "appUrl for Android apps, where it is another than the web's."),
    setting("android_messenger_id", "", "appId for Android apps."),
    setting("token_lifetime", "600", "Seconds a token is valid, 60 to 3600."),
    setting("token_iat", "true", "Whether tokens say when they were issued."),
    setting("token_exp", "true", "Whether tokens say when they expire."),
    setting(
        "anonymous",
        "allow",
        "What visitors see who are not signed in: 'allow' the Messenger, unsigned, or 'hide' it.",
    ),
    setting(
        "messenger_options",
        "{\"showLauncherButton\":true}",
        "Further keys of DpMessengerOptions, as a JSON object.",
    ),
    setting(
        "allowed_origins",
        "",
        "Origins whose pages may fetch tokens, end the session, and be returned to after sign-in: https://www.example.com.",
    ),
    setting("csp_extra", "", "Origins added to the Content-Security-Policy of the page with the Messenger."),
    setting("verified_only", "true", "Whether only verified addresses are signed as identifiers."),
    setting("blocked", "", "Addresses, domains and Deskpro ids that never get a token: your own agents."),
    setting("session_idle", "28800", "Seconds without use after which a sign-in ends."),
    setting("session_absolute", "86400", "Seconds after which a sign-in ends however busy it is."),
    setting("admin_session_idle", "1800", "The same for admins, without use."),
    setting("admin_session_absolute", "43200", "The same for admins, however busy."),
    setting(
        "session_kept",
        "2592000",
        "Seconds that whoever ticks “Keep me signed in” stays signed in, at most 30 days; 0 takes the box away.",
    ),
    setting("device_idle", "1209600", "Seconds without use after which an app's sign-in ends."),
    setting("device_absolute", "2592000", "Seconds after which an app's sign-in ends however busy it is."),
    setting("password_shortest", "15", "Characters a new password needs at least, never below 8."),
    setting(
        "guesses_per_account",
        "5",
        "Wrong passwords for one account from one network before waits begin.",
    ),
    setting(
        "guesses_per_network",
        "100",
        "Wrong passwords from one network (IPv4 address, IPv6 /64) before waits begin.",
    ),
    setting(
        "token_requests",
        "600",
        "Requests for a token that one sign-in may make at once; as many again every 30 seconds. Each process counts for itself.",
    ),
    setting(
        "api_key_requests",
        "3000",
        "Requests that one API key may make at once; as many again every 30 seconds. Each process counts for itself.",
    ),
    setting("audit_kept", "400", "Days that a line of the audit is kept."),
    setting("counts_kept", "400", "Days that numbers over time are kept, such as tokens by the minute."),
    setting(
        "log",
        "info",
        "What is logged: error, warn, info, debug, or a filter such as countersign=debug. Libraries never log below info.",
    ),
    setting("log_format", "text", "How it is logged: text or json."),
];

/// Settings that may differ between servers on one database, and those of keys, which are compared as bytes.
pub(super) const OF_ONE_SERVER: [&str; 9] = [
    "database_url",
    "listen",
    "trusted_proxies",
    "master_key",
    "signing_key",
    "signing_key_encoding",
    "allow_short_key",
    "log",
    "log_format",
];

#[cfg(test)]
mod tests {
    use super::SETTINGS;
    use crate::core::messenger::fields::{FIELDS, Texts, default_of, read};
    use crate::core::token;

    /// The environment and the table of messengers name the same fields, and a token lives as long by either.
    #[test]
    fn what_is_said_of_a_field_twice_is_the_same() {
        for (name, default) in FIELDS {
            let setting = SETTINGS.iter().find(|setting| setting.name == name).expect("a setting");
            assert_eq!(setting.default, default, "{name}");
        }
        assert_eq!(default_of("token_lifetime").parse(), Ok(token::LIFETIME));
        let messenger = read(&"default".into(), &Texts::new()).expect("a messenger of defaults alone");
        assert_eq!(messenger.token_lifetime, token::LIFETIME);
    }
}
