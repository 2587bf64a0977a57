//! Every setting with its name, its default and what it does: the one list that the reader, the
//! documentation and the error messages share.

/// One setting, as the documentation and the settings file know it.
pub struct Setting {
    /// The key in the settings file; in the environment `COUNTERSIGN_` and the name in uppercase.
    pub name: &'static str,
    /// The value used when it is not set; empty if there is no default.
    pub default: &'static str,
    /// What it does, in one sentence.
    pub meaning: &'static str,
    /// Secrets are also read from the file named by `NAME_FILE`, and are never printed.
    pub secret: bool,
}

const fn setting(name: &'static str, default: &'static str, meaning: &'static str) -> Setting {
    Setting { name, default, meaning, secret: false }
}

const fn secret(name: &'static str, default: &'static str, meaning: &'static str) -> Setting {
    Setting { name, default, meaning, secret: true }
}

/// All settings. Any other name is refused, with the nearest of these names as a suggestion.
pub const SETTINGS: &[Setting] = &[
    secret(
        "database_url",
        "sqlite:data/countersign.db",
        "Where users are stored: sqlite:PATH or postgres://USER:PASSWORD@HOST/NAME?sslmode=require.",
    ),
    setting("listen", "127.0.0.1:8080", "Address and port the server listens on."),
    setting(
        "metrics_listen",
        "",
        "Address and port for metrics, such as 127.0.0.1:9090: GET /metrics for Prometheus, without a password. Empty: none.",
    ),
    setting(
        "public_url",
        "",
        "Public address, with a path if there is one: https://www.example.com/accounts.",
    ),
    setting("trusted_proxies", "", "Networks (CIDR) of proxies whose X-Forwarded-For is trusted."),
    secret(
        "master_key",
        "",
        "64 hex digits that encrypt the stored secrets; it cannot be changed later. With SQLite, it is created beside the database at the first start.",
    ),
    setting(
        "site_name",
        "",
        "Name of the website, as users see it on Countersign's pages. If not set: the domain of the public URL.",
    ),
    setting("home", "page", "What GET / shows: 'page', 'off', or a URL to redirect to."),
    secret("signing_key", "", "The secret shared with Deskpro, at least 32 bytes."),
    setting("signing_key_encoding", "raw", "Encoding of the signing key: raw, base64, base64url or hex."),
    setting(
        "allow_short_key",
        "false",
        "Accept a signing key shorter than 32 bytes (RFC 7518 section 3.2 forbids it).",
    ),
    setting(
        "init_script_url",
        "",
        "src of Deskpro's module script: https://HELPDESK/deskpro-messenger-init/web.js.",
    ),
    setting("deskpro_url", "", "data-deskpro-url of Deskpro's script."),
    setting("messenger_id", "", "data-messenger-id of Deskpro's script."),
    setting("ios_deskpro_url", "", "appUrl for iOS apps, if different from the web's."),
    setting("ios_messenger_id", "", "appId for iOS apps."),
    setting("android_deskpro_url", "", "appUrl for Android apps, if different from the web's."),
    setting("android_messenger_id", "", "appId for Android apps."),
    setting("token_lifetime", "600", "Seconds a token is valid, 60 to 3600."),
    setting("token_iat", "true", "Whether tokens contain the time they were issued."),
    setting("token_exp", "true", "Whether tokens contain the time they expire."),
    setting(
        "anonymous",
        "allow",
        "What visitors who are not signed in see: 'allow' shows them the Messenger without a token, 'hide' hides it.",
    ),
    setting(
        "messenger_options",
        "{\"showLauncherButton\":true}",
        "More keys of DpMessengerOptions, as a JSON object.",
    ),
    setting(
        "allowed_origins",
        "",
        "Origins whose pages may fetch tokens, end the session, and receive the user after sign-in: https://www.example.com.",
    ),
    setting("csp_extra", "", "Origins added to the Content-Security-Policy of the page with the Messenger."),
    setting("verified_only", "true", "Whether only verified addresses are signed as identifiers."),
    setting(
        "blocked",
        "",
        "Addresses, domains and Deskpro IDs that never get a token, such as those of your own agents.",
    ),
    setting("session_idle", "28800", "Seconds without use after which a session ends."),
    setting("session_absolute", "86400", "Maximum length of a session in seconds, even if active."),
    setting("admin_session_idle", "1800", "Seconds without use after which an admin's session ends."),
    setting(
        "admin_session_absolute",
        "43200",
        "Maximum length of an admin's session in seconds, even if active.",
    ),
    setting(
        "session_kept",
        "2592000",
        "Length of a session in seconds if the user ticks “Keep me signed in”, at most 30 days; 0 hides the checkbox.",
    ),
    setting("device_idle", "1209600", "Seconds without use after which an app's session ends."),
    setting("device_absolute", "2592000", "Maximum length of an app's session in seconds, even if active."),
    setting("password_shortest", "15", "Minimum length of a new password in characters (8 or more)."),
    setting(
        "guesses_per_account",
        "5",
        "Wrong passwords for one account from one network before waiting times start.",
    ),
    setting(
        "guesses_per_network",
        "100",
        "Wrong passwords from one network (IPv4 address, IPv6 /64) before waiting times start.",
    ),
    setting(
        "token_cache",
        "64",
        "Memory for what tokens depend on, in MiB, in each process; 0 remembers nothing, and every token reads the database.",
    ),
    setting(
        "token_requests",
        "600",
        "Token requests that one session may make at once; the same number again every 30 seconds. Each process counts separately.",
    ),
    setting(
        "api_key_requests",
        "3000",
        "Requests that one API key may make at once; the same number again every 30 seconds. Each process counts separately.",
    ),
    setting("audit_kept", "400", "Days that audit log entries are stored."),
    setting("counts_kept", "400", "Days that statistics are stored, such as tokens per minute."),
    setting(
        "log",
        "info",
        "What is logged: error, warn, info, debug, or a filter such as countersign=debug. Libraries log at info and above only.",
    ),
    setting("log_format", "text", "Log format: text or json."),
];

/// Settings that may differ between servers on one database, and settings for keys, which are compared
/// as bytes.
pub(super) const OF_ONE_SERVER: [&str; 11] = [
    "database_url",
    "listen",
    "metrics_listen",
    "trusted_proxies",
    "token_cache",
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

    /// The environment and the table of messengers name the same fields, and the token lifetime is the
    /// same in both.
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
