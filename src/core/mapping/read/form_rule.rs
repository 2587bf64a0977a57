//! One rule as it was typed, in the JSON of the grammar: what `form` reads and writes.

use std::marker::PhantomData;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde::ser::Serializer;
use serde::{Deserialize, Serialize};

use crate::core::payload::Texts;

/// A rule as it was typed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleForm {
    /// The claim, as the grammar writes it.
    pub claim: String,
    /// Where the value comes from.
    #[serde(rename = "from")]
    pub source: SourceForm,
    /// What is done with it, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<StepForm>,
    /// When the rule speaks; always when there is none.
    #[serde(rename = "when", default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<ConditionForm>,
    /// What happens when there is nothing to give.
    #[serde(default, skip_serializing_if = "MissingForm::is_omit")]
    pub missing: MissingForm,
}

/// Where the value of a rule comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceForm {
    /// An attribute, by name.
    Attribute(String),
    /// A text that is the same for all.
    Constant(String),
    /// Texts with parts, tried in turn.
    Text(Vec<String>),
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepForm {
    /// Cut at this separator.
    Split(String),
    /// Small letters.
    Lower,
    /// Capitals.
    Upper,
    /// A date in another form.
    Date(DateForm),
    /// One text for yes, another for no.
    YesNo(YesNoForm),
    /// What a table says.
    Lookup(LookupForm),
}

/// The two forms of a date.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DateForm {
    /// How it is read.
    #[serde(rename = "in")]
    pub input: String,
    /// How it is written.
    #[serde(rename = "out")]
    pub output: String,
}

/// What yes and no become.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct YesNoForm {
    /// What yes becomes.
    pub yes: String,
    /// What no becomes.
    pub no: String,
}

/// A table, and what becomes of a value that is not in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LookupForm {
    /// Keys with what they become, in order; also two that are equal. `None`: it gives nothing.
    #[serde(serialize_with = "write_pairs", deserialize_with = "read_pairs")]
    pub values: Vec<(String, Option<String>)>,
    /// What a value becomes that is not in the table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub otherwise: Option<String>,
    /// Whether such a value stays as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep: Option<Yes>,
}

/// When a rule speaks: an attribute and one test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "ConditionJson", into = "ConditionJson")]
pub struct ConditionForm {
    /// The attribute that is looked at.
    pub attribute: String,
    /// What is asked of it.
    pub test: TestForm,
    /// Whether the answer is turned round.
    pub not: bool,
}

/// What a condition asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TestForm {
    /// There is something in it.
    Set,
    /// It says yes.
    True,
    /// It is this text.
    Is(String),
    /// It is one of these texts.
    In(Vec<String>),
}

/// What happens when a rule has nothing to give.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MissingForm {
    /// Its claim does without.
    #[default]
    Omit,
    /// There is no token.
    Refuse,
    /// This is given.
    #[serde(untagged)]
    Default(DefaultForm),
}

/// The default of a rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DefaultForm {
    /// One text, or a list.
    pub default: Texts,
}

impl MissingForm {
    fn is_omit(&self) -> bool {
        *self == Self::Omit
    }
}

/// `true`, the only choice of a switch of the grammar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "bool", into = "bool")]
pub struct Yes;

impl TryFrom<bool> for Yes {
    type Error = &'static str;
    fn try_from(answer: bool) -> Result<Self, Self::Error> {
        if answer { Ok(Self) } else { Err("true is the only choice") }
    }
}

impl From<Yes> for bool {
    fn from(_: Yes) -> Self {
        true
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ConditionJson {
    attribute: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    set: Option<Yes>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    r#true: Option<Yes>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    is: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    r#in: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    not: Option<Yes>,
}

impl TryFrom<ConditionJson> for ConditionForm {
    type Error = &'static str;
    fn try_from(json: ConditionJson) -> Result<Self, Self::Error> {
        let ConditionJson { attribute, set, r#true, is, r#in, not } = json;
        let test = match (set, r#true, is, r#in) {
            (Some(Yes), None, None, None) => TestForm::Set,
            (None, Some(Yes), None, None) => TestForm::True,
            (None, None, Some(text), None) => TestForm::Is(text),
            (None, None, None, Some(texts)) => TestForm::In(texts),
            _ => return Err("a condition has one test"),
        };
        Ok(Self { attribute, test, not: not.is_some() })
    }
}

impl From<ConditionForm> for ConditionJson {
    fn from(form: ConditionForm) -> Self {
        let ConditionForm { attribute, test, not } = form;
        let not = not.then_some(Yes);
        let mut json = Self { attribute, set: None, r#true: None, is: None, r#in: None, not };
        match test {
            TestForm::Set => json.set = Some(Yes),
            TestForm::True => json.r#true = Some(Yes),
            TestForm::Is(text) => json.is = Some(text),
            TestForm::In(texts) => json.r#in = Some(texts),
        }
        json
    }
}

fn write_pairs<S: Serializer>(pairs: &[(String, Option<String>)], out: S) -> Result<S::Ok, S::Error> {
    out.collect_map(pairs.iter().map(|(key, value)| (key, value)))
}

pub(crate) fn read_pairs<'de, V: Deserialize<'de>, D: Deserializer<'de>>(
    from: D,
) -> Result<Vec<(String, V)>, D::Error> {
    struct Pairs<V>(PhantomData<V>);
    impl<'de, V: Deserialize<'de>> Visitor<'de> for Pairs<V> {
        type Value = Vec<(String, V)>;
        fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            out.write_str("an object of texts")
        }
        fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
            let mut pairs = Vec::new();
            while let Some(pair) = map.next_entry()? {
                pairs.push(pair);
            }
            Ok(pairs)
        }
    }
    from.deserialize_map(Pairs(PhantomData))
}

impl RuleForm {
    /// A rule that takes an attribute as it is.
    pub fn of_attribute(claim: &str, attribute: &str) -> Self {
        Self {
            claim: claim.to_owned(),
            source: SourceForm::Attribute(attribute.to_owned()),
            steps: Vec::new(),
            condition: None,
            missing: MissingForm::Omit,
        }
    }
}
