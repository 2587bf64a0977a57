//! The fields of a messenger's form: their words, their kinds, and what stands in them.

use crate::core::messenger::fields::{FieldProblem, Texts, items};
use crate::core::problem::Problem;

/// What kind of control a field is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// One line.
    Line,
    /// A number of seconds.
    Seconds,
    /// One item a line.
    Lines,
    /// A JSON object.
    Json,
    /// A box that is ticked or not.
    Box,
    /// One of these: value and words.
    Choice(&'static [(&'static str, &'static str)]),
}

/// A field as the form knows it.
#[derive(Clone, Copy)]
pub struct Field {
    /// The name of the setting.
    pub name: &'static str,
    /// Its label.
    pub label: &'static str,
    /// What helps to fill it in.
    pub hint: &'static str,
    /// Its control.
    pub kind: Kind,
}

/// Fields that belong together.
pub struct Group {
    /// The heading.
    pub title: &'static str,
    /// What they are for.
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
        lead: "They stand in the deployment snippet that Deskpro shows for the Messenger.",
        fields: &[
            field("init_script_url", "Init script URL", "src of the module script", Kind::Line),
            field("deskpro_url", "Deskpro URL", "data-deskpro-url", Kind::Line),
            field("messenger_id", "Messenger id", "data-messenger-id", Kind::Line),
        ],
    },
    Group {
        title: "Apps",
        lead: "Only where iOS or Android have a deployment of their own; otherwise they get the values above.",
        fields: &[
            field("ios_deskpro_url", "iOS: app URL", "appUrl", Kind::Line),
            field("ios_messenger_id", "iOS: app id", "appId", Kind::Line),
            field("android_deskpro_url", "Android: app URL", "appUrl", Kind::Line),
            field("android_messenger_id", "Android: app id", "appId", Kind::Line),
        ],
    },
    Group {
        title: "Pages",
        lead: "Which pages may ask, and what they show.",
        fields: &[
            field(
                "allowed_origins",
                "Allowed origins",
                "Pages that may fetch tokens, end the sign-in and be returned to, one a line: https://www.example.com. Exact: no path, no *.",
                Kind::Lines,
            ),
            field(
                "anonymous",
                "Visitors who are not signed in",
                "",
                Kind::Choice(&[
                    ("allow", "see the Messenger and are unconfirmed to support"),
                    ("hide", "see no Messenger (for deployments that require a token)"),
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
                "More origins in the page's policy",
                "For Deskpro's files on other hosts, one a line; only for our own page",
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
                "60 to 3600; a page fetches the next in time",
                Kind::Seconds,
            ),
            field("token_iat", "Say when it was issued (iat)", "", Kind::Box),
            field(
                "token_exp",
                "Say when it expires (exp)",
                "Without it a copied token is good for ever.",
                Kind::Box,
            ),
            field(
                "verified_only",
                "Only verified addresses and proved attributes name a user",
                "Without it, whoever types somebody else's address is signed in as them at Deskpro.",
                Kind::Box,
            ),
            field(
                "blocked",
                "Never issued to",
                "Your own agents: addresses, domains, Deskpro ids, one a line",
                Kind::Lines,
            ),
        ],
    },
];

/// Fields that belong together, filled in.
pub struct Section {
    /// The heading.
    pub title: &'static str,
    /// What they are for.
    pub lead: &'static str,
    /// The fields.
    pub fields: Vec<FieldView>,
}

/// A field, filled in.
pub struct FieldView {
    /// What it is.
    pub field: Field,
    /// What stands in it.
    pub value: String,
    /// Whether the environment sets it.
    pub is_fixed: bool,
    /// What is wrong with it.
    pub errors: Vec<String>,
}

impl Field {
    /// Whether this is the box of a setting.
    pub fn is_box(&self, name: &str) -> bool {
        self.name == name && self.kind == Kind::Box
    }
}

impl Group {
    /// The same with what stands in the fields and what is wrong with it.
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
    /// The variable that sets it.
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

    /// How many lines a text takes.
    pub fn rows(&self) -> usize {
        (self.value.lines().count() + 1).clamp(2, 12)
    }
}
