//! The fields of a messenger's form: their labels, kinds and values.

use crate::core::messenger::fields::{FieldProblem, Texts, items};
use crate::core::problem::Problem;

/// What kind of control a field is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// One line.
    Line,
    /// A number of seconds.
    Seconds,
    /// One item per line.
    Lines,
    /// A JSON object.
    Json,
    /// A checkbox.
    Box,
    /// One of these choices: value and label.
    Choice(&'static [(&'static str, &'static str)]),
}

/// A field of the form.
#[derive(Clone, Copy)]
pub struct Field {
    /// The name of the setting.
    pub name: &'static str,
    /// Its label.
    pub label: &'static str,
    /// The hint below the label.
    pub hint: &'static str,
    /// Its kind of control.
    pub kind: Kind,
}

/// Fields that belong together.
pub struct Group {
    /// The heading.
    pub title: &'static str,
    /// A sentence about the group.
    pub lead: &'static str,
    /// The fields.
    pub fields: &'static [Field],
}

const fn field(name: &'static str, label: &'static str, hint: &'static str, kind: Kind) -> Field {
    Field { name, label, hint, kind }
}

/// The form.
pub const SECTIONS: &[Group] = &[
    Group {
        title: "Deskpro's values",
        lead: "You find these values in the deployment snippet that Deskpro shows for the Messenger.",
        fields: &[
            field("init_script_url", "Init script URL", "src of the module script", Kind::Line),
            field("deskpro_url", "Deskpro URL", "data-deskpro-url", Kind::Line),
            field("messenger_id", "Messenger id", "data-messenger-id", Kind::Line),
        ],
    },
    Group {
        title: "Apps",
        lead: "Only if iOS or Android has its own deployment; otherwise apps get the values above.",
        fields: &[
            field("ios_deskpro_url", "iOS: app URL", "appUrl", Kind::Line),
            field("ios_messenger_id", "iOS: app id", "appId", Kind::Line),
            field("android_deskpro_url", "Android: app URL", "appUrl", Kind::Line),
            field("android_messenger_id", "Android: app id", "appId", Kind::Line),
        ],
    },
    Group {
        title: "Pages",
        lead: "Which pages may send requests, and what they show.",
        fields: &[
            field(
                "allowed_origins",
                "Allowed origins",
                "Pages that may fetch tokens, end the session and be returned to, one per line: https://www.example.com. Exact: no path, no *.",
                Kind::Lines,
            ),
            field(
                "anonymous",
                "Visitors who are not signed in",
                "",
                Kind::Choice(&[
                    ("allow", "see the Messenger; support sees them as unconfirmed"),
                    ("hide", "do not see the Messenger (for deployments that require a token)"),
                ]),
            ),
            field(
                "messenger_options",
                "Options",
                "Further keys of DpMessengerOptions, as a JSON object",
                Kind::Json,
            ),
            field(
                "csp_extra",
                "More origins in the page's Content-Security-Policy",
                "For Deskpro's files on other hosts, one per line; only for Countersign's own page",
                Kind::Lines,
            ),
        ],
    },
    Group {
        title: "Tokens",
        lead: "",
        fields: &[
            field(
                "token_lifetime",
                "Lifetime in seconds",
                "60 to 3600; a page fetches the next token in time",
                Kind::Seconds,
            ),
            field("token_iat", "Include the time of issue (iat)", "", Kind::Box),
            field(
                "token_exp",
                "Include the time of expiry (exp)",
                "Without it, a copied token is valid forever.",
                Kind::Box,
            ),
            field(
                "verified_only",
                "Identify users only by verified addresses and trusted attributes",
                "Without it, anyone who enters another person's address is signed in as that person at Deskpro.",
                Kind::Box,
            ),
            field(
                "blocked",
                "Never issue tokens to",
                "Your own agents: addresses, domains, Deskpro ids, one per line",
                Kind::Lines,
            ),
        ],
    },
];

/// Fields that belong together, with their values.
pub struct Section {
    /// The heading.
    pub title: &'static str,
    /// A sentence about the group.
    pub lead: &'static str,
    /// The fields.
    pub fields: Vec<FieldView>,
}

/// A field with its value.
pub struct FieldView {
    /// What it is.
    pub field: Field,
    /// Its value.
    pub value: String,
    /// Whether the environment sets it.
    pub is_fixed: bool,
    /// Its errors.
    pub errors: Vec<String>,
}

impl Field {
    /// Whether this is the checkbox of a setting.
    pub fn is_box(&self, name: &str) -> bool {
        self.name == name && self.kind == Kind::Box
    }
}

impl Group {
    /// The same group with the values of its fields and their errors.
    pub fn filled(&self, texts: &Texts, fixed: &[&'static str], problems: &[FieldProblem]) -> Section {
        let view = |field: &Field| {
            let text = texts.get(field.name).cloned().unwrap_or_default();
            FieldView {
                field: *field,
                // The environment separates by commas, a form by lines.
                value: if field.kind == Kind::Lines && problems.is_empty() {
                    items(&text).join("\n")
                } else {
                    text
                },
                is_fixed: fixed.contains(&field.name),
                errors: problems
                    .iter()
                    .filter(|problem| problem.place == field.name)
                    .map(Problem::message)
                    .collect(),
            }
        };
        Section { title: self.title, lead: self.lead, fields: self.fields.iter().map(view).collect() }
    }
}

impl FieldView {
    /// The environment variable that sets it.
    pub fn variable(&self) -> String {
        format!("COUNTERSIGN_{}", self.field.name.to_uppercase())
    }

    /// Whether it is this kind of control.
    pub fn is(&self, kind: &str) -> bool {
        match self.field.kind {
            Kind::Line => kind == "line",
            Kind::Seconds => kind == "seconds",
            Kind::Lines => kind == "lines",
            Kind::Json => kind == "json",
            Kind::Box => kind == "box",
            Kind::Choice(_) => kind == "choice",
        }
    }

    /// What can be chosen.
    pub fn choices(&self) -> &'static [(&'static str, &'static str)] {
        match self.field.kind {
            Kind::Choice(choices) => choices,
            _ => &[],
        }
    }

    /// How many lines the value needs.
    pub fn rows(&self) -> usize {
        (self.value.lines().count() + 1).clamp(2, 12)
    }
}
