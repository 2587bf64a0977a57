//! The settings of a messenger as strings, by the names that the environment, the table and the console
//! share: they are read, all checked at once, and written.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use url::Url;

use super::{Anonymous, AppDeployment, Deployment, Messenger, Policy};
use crate::core::id::MessengerId;
use crate::core::mapping::BlockList;
use crate::core::origin::{Origin, has_plain_host};
use crate::core::problem::Problem;
use crate::core::token;

/// Strings by the names of [`FIELDS`]; a missing name has its default.
pub type Texts = BTreeMap<String, String>;

/// Every field with its default.
pub const FIELDS: [(&str, &str); 16] = [
    ("init_script_url", ""),
    ("deskpro_url", ""),
    ("messenger_id", ""),
    ("ios_deskpro_url", ""),
    ("ios_messenger_id", ""),
    ("android_deskpro_url", ""),
    ("android_messenger_id", ""),
    ("token_lifetime", "600"),
    ("token_iat", "true"),
    ("token_exp", "true"),
    ("anonymous", "allow"),
    ("messenger_options", "{\"showLauncherButton\":true}"),
    ("allowed_origins", ""),
    ("csp_extra", ""),
    ("verified_only", "true"),
    ("blocked", ""),
];

/// What is wrong with a field, by its name.
pub type FieldProblem = Problem<&'static str>;

/// The problem of a field.
pub fn problem(field: &'static str, what: String, fix: &str) -> FieldProblem {
    Problem { fix: Some(fix.to_owned()), ..Problem::new(field, what) }
}

const SCRIPT: &str = "Copy the value from the deployment snippet that Deskpro shows; it starts with https:// and has no '#' and no user name.";
const HELPDESK: &str = "Copy the value from the deployment snippet that Deskpro shows; it starts with https:// and has no '#', no '?' and no user name.";
const ID: &str = "Use only letters and digits; an id usually has 26 of them.";
const ORIGIN: &str = "Use exact origins such as https://www.example.com: no path, no '*', no 'null'.";
const LIFETIME: &str = "Use a whole number from 60 to 3600.";
const YES_NO: &str = "Use true or false.";

/// Options through which a page would get a token: the name itself, and the name of the object in which a
/// script looks up missing names.
pub const PLANTS: [&str; 2] = ["signedUserInfo", "__proto__"];

/// The default of a field.
pub fn default_of(field: &str) -> &'static str {
    FIELDS.iter().find(|(name, _)| *name == field).map_or("", |(_, default)| default)
}

/// A messenger from its settings, or everything that is wrong with them.
pub fn read(id: &MessengerId, texts: &Texts) -> Result<Messenger, Vec<FieldProblem>> {
    let mut reader = Reader { texts, problems: Vec::new() };
    let messenger = reader.messenger(id);
    match messenger {
        Some(messenger) if reader.problems.is_empty() => Ok(messenger),
        _ => Err(reader.problems),
    }
}

struct Reader<'a> {
    texts: &'a Texts,
    problems: Vec<FieldProblem>,
}

impl Reader<'_> {
    fn messenger(&mut self, id: &MessengerId) -> Option<Messenger> {
        let deployment = self.deployment();
        let ios = self.app("ios_deskpro_url", "ios_messenger_id");
        let android = self.app("android_deskpro_url", "android_messenger_id");
        let options = self.one(
            "messenger_options",
            "Use a JSON object such as {\"showLauncherButton\": true}.",
            |text| serde_json::from_str::<Map<String, Value>>(text).ok(),
        );
        let anonymous = self.one("anonymous", "Use 'allow' or 'hide'.", Anonymous::parse);
        let lifetime = self.one("token_lifetime", LIFETIME, |text| {
            text.parse().ok().filter(|seconds| (token::SHORTEST..=token::LONGEST).contains(seconds))
        });
        let (iat, exp) = (self.yes_no("token_iat"), self.yes_no("token_exp"));
        let allowed_origins = self.list("allowed_origins", ORIGIN, Origin::parse);
        let csp_extra = self.list("csp_extra", ORIGIN, Origin::parse);
        let verified_only = self.yes_no("verified_only");
        let blocked = self.blocked();
        // Everything is read before the first `?`, so that all problems are reported at once.
        Some(Messenger {
            id: id.clone(),
            deployment,
            ios,
            android,
            // The token comes from the session, never from a setting of any name.
            options: options?.into_iter().filter(|(name, _)| !PLANTS.contains(&name.as_str())).collect(),
            anonymous: anonymous?,
            token_lifetime: lifetime?,
            token_iat: iat?,
            token_exp: exp?,
            allowed_origins,
            csp_extra,
            policy: Policy { verified_only: verified_only?, blocked: blocked? },
        })
    }

    fn deployment(&mut self) -> Option<Deployment> {
        let init_script_url = self.optional("init_script_url", SCRIPT, script_url);
        let deskpro_url = self.optional("deskpro_url", HELPDESK, helpdesk_url);
        let messenger_id = self.optional("messenger_id", ID, messenger_id);
        self.ensure_together(
            &["init_script_url", "deskpro_url", "messenger_id"],
            "It is not set, but at least one of Deskpro's other two values is.",
            "Set COUNTERSIGN_INIT_SCRIPT_URL, COUNTERSIGN_DESKPRO_URL and COUNTERSIGN_MESSENGER_ID together, or set none of them.",
        );
        let (init_script_url, deskpro_url, messenger_id) = (init_script_url?, deskpro_url?, messenger_id?);
        Some(Deployment { init_script_url, deskpro_url, messenger_id })
    }

    fn app(&mut self, url: &'static str, id: &'static str) -> Option<AppDeployment> {
        let deskpro_url = self.optional(url, HELPDESK, helpdesk_url);
        let messenger_id = self.optional(id, ID, messenger_id);
        self.ensure_together(
            &[url, id],
            "It is not set, but the other one is.",
            "Set the app's URL and id together, or set neither.",
        );
        Some(AppDeployment { deskpro_url: deskpro_url?, messenger_id: messenger_id? })
    }

    /// Checks values that must be set together. A value that is set but cannot be read was already reported.
    fn ensure_together(&mut self, names: &[&'static str], what: &str, fix: &'static str) {
        let missing = names.iter().find(|name| self.text(name).is_empty());
        let is_any_set = names.iter().any(|name| !self.text(name).is_empty());
        if let (Some(missing), true) = (missing, is_any_set) {
            self.problems.push(problem(missing, what.to_owned(), fix));
        }
    }

    fn blocked(&mut self) -> Option<BlockList> {
        match BlockList::parse(&items(&self.text("blocked"))) {
            Ok(list) => Some(list),
            Err(error) => {
                let what = format!("The value cannot be used: {error}.");
                let fix = "Use addresses, domains and Deskpro ids, such as bob@example.com, example.com, 42.";
                self.problems.push(problem("blocked", what, fix));
                None
            }
        }
    }

    /// The field's value; if it is empty, the default.
    fn text(&self, field: &str) -> String {
        let text = self.texts.get(field).map(|text| text.trim()).filter(|text| !text.is_empty());
        text.unwrap_or_else(|| default_of(field)).to_owned()
    }

    fn problem(&mut self, field: &'static str, value: &str, fix: &'static str) {
        self.problems.push(problem(field, format!("'{value}' cannot be used."), fix));
    }

    fn one<T>(
        &mut self,
        field: &'static str,
        fix: &'static str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let text = self.text(field);
        let value = read(&text);
        if value.is_none() {
            self.problem(field, &text, fix);
        }
        value
    }

    fn optional<T>(
        &mut self,
        field: &'static str,
        fix: &'static str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        if self.text(field).is_empty() { None } else { self.one(field, fix, read) }
    }

    fn list<T>(
        &mut self,
        field: &'static str,
        fix: &'static str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Vec<T> {
        let mut values = Vec::new();
        for item in items(&self.text(field)) {
            match read(&item) {
                Some(value) => values.push(value),
                None => self.problem(field, &item, fix),
            }
        }
        values
    }

    fn yes_no(&mut self, field: &'static str) -> Option<bool> {
        self.one(field, YES_NO, |word| match word {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        })
    }
}

/// The items of a list: one per line, or separated by commas.
pub fn items(text: &str) -> Vec<String> {
    text.split([',', '\n', '\r']).map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
}

/// A web URL without a user name, in the usual form: the parser would also accept `https:host`, drop line
/// breaks, and read `\` as `/`.
pub fn web_url(text: &str) -> Option<Url> {
    let (scheme, rest) = text.split_once("://")?;
    let is_odd = |letter: char| letter.is_whitespace() || letter.is_control() || letter == '\\';
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let is_web = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    if !is_web || authority.contains('@') || text.contains(is_odd) {
        return None;
    }
    Url::parse(text).ok().filter(has_plain_host)
}

/// The URL of a script. A fragment is never sent, so a URL with a fragment is a mistake.
fn script_url(text: &str) -> Option<Url> {
    web_url(text).filter(|url| url.fragment().is_none())
}

/// The URL from which Deskpro's script builds others.
fn helpdesk_url(text: &str) -> Option<Url> {
    script_url(text).filter(|url| url.query().is_none())
}

/// A messenger's id at Deskpro.
pub fn messenger_id(text: &str) -> Option<String> {
    let plain =
        !text.is_empty() && text.len() <= 100 && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    plain.then(|| text.to_owned())
}
