//! The parts of a rule as they were typed: where its value comes from, what is done with it, when the rule
//! applies, and what happens if there is no value.

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

use super::json::{Json, Node};
use super::part::{At, Leaf, Leaves, Odd};
use crate::core::mapping::steps::Step;
use crate::core::mapping::steps::lookup::Lookup;

/// A rule.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Rule {
    /// The claim, as the grammar writes it.
    pub claim: Leaf,
    /// Where the value comes from.
    #[serde(rename = "from")]
    pub source: Source,
    /// What is done with it, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<At<Step>>,
    /// When the rule applies; always, if there is no condition.
    #[serde(rename = "when", skip_serializing_if = "Option::is_none")]
    pub condition: Option<Condition>,
    /// What happens if there is no value.
    #[serde(skip_serializing_if = "Missing::is_omit")]
    pub missing: Missing,
    /// The JSON that is there instead of a list of steps.
    #[serde(skip)]
    pub(crate) odd_steps: Odd,
}

/// Where the value of a rule comes from.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// An attribute, by name.
    Attribute(Leaf),
    /// A string that is the same for all users.
    Constant(Leaf),
    /// Texts with parts, tried in turn.
    Text(Leaves),
    /// Something else.
    #[serde(skip)]
    Odd(Odd),
}

/// When a rule applies: an attribute and one test.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// The attribute that is tested.
    pub attribute: Leaf,
    /// The test.
    pub test: Test,
    /// Whether the result of the test is negated.
    pub not: bool,
    /// The JSON, if it is not such an object.
    pub(crate) odd: Odd,
}

/// What a condition tests.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// It has a value.
    Set,
    /// It means yes.
    True,
    /// It is this string.
    Is(Leaf),
    /// It is one of these strings.
    In(Leaves),
    /// Something else.
    Odd(Odd),
}

/// What happens if a rule has no value.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Missing {
    /// Its claim gets no value from this rule.
    #[default]
    Omit,
    /// There is no token.
    Refuse,
    /// This value is used.
    Default(Default),
    /// Something else.
    Odd(Odd),
}

/// The default of a rule.
#[derive(Clone, Debug, PartialEq)]
pub enum Default {
    /// One string.
    One(Leaf),
    /// A list of strings.
    List(Leaves),
}

impl Rule {
    /// The keys of a rule.
    pub(crate) const KEYS: [&'static str; 5] = ["claim", "from", "steps", "when", "missing"];

    /// A rule that uses an attribute unchanged.
    pub fn of_attribute(claim: &str, attribute: &str) -> Self {
        Self {
            claim: claim.into(),
            source: Source::Attribute(attribute.into()),
            steps: Vec::new(),
            condition: None,
            missing: Missing::Omit,
            odd_steps: Odd(None),
        }
    }

    /// The lookup tables of its steps, each with the number of the step.
    pub fn tables(&self) -> impl Iterator<Item = (usize, &Lookup)> {
        self.steps.iter().enumerate().filter_map(|(i, step)| match &step.value {
            Step::Lookup(table) => Some((i, table)),
            _ => None,
        })
    }

    pub(crate) fn read(node: &Node) -> Self {
        let absent = Node::absent(node.at);
        let (steps, odd_steps) = match node.get("steps") {
            None => (Vec::new(), Odd(None)),
            Some(Node { json: Json::List(items), .. }) => {
                (items.iter().map(|item| At::node(item, Step::read(item))).collect(), Odd(None))
            }
            Some(other) => (Vec::new(), Odd::of(other)),
        };
        Self {
            claim: Leaf::read(node.get("claim").unwrap_or(&absent)),
            source: Source::read(node.get("from").unwrap_or(&absent)),
            steps,
            condition: node.get("when").map(Condition::read),
            missing: node.get("missing").map(Missing::read).unwrap_or_default(),
            odd_steps,
        }
    }

    /// Whether it contains everything that was read.
    pub(crate) fn is_right(&self) -> bool {
        self.claim.is_text()
            && self.source.is_right()
            && self.odd_steps.0.is_none()
            && self.steps.iter().all(|step| step.is_right())
            && self.condition.as_ref().is_none_or(Condition::is_right)
            && self.missing.is_right()
    }
}

impl Source {
    /// The keys of a source.
    pub(crate) const KEYS: [&'static str; 3] = ["attribute", "constant", "text"];

    fn read(node: &Node) -> Self {
        node.single()
            .and_then(|(key, value)| Self::of(key, value))
            .unwrap_or_else(|| Self::Odd(Odd::of(node)))
    }

    /// One source, by its key.
    pub(crate) fn of(key: &str, value: &Node) -> Option<Self> {
        match key {
            "attribute" => Some(Self::Attribute(Leaf::read(value))),
            "constant" => Some(Self::Constant(Leaf::read(value))),
            "text" => Some(Self::Text(Leaves::read(value))),
            _ => None,
        }
    }

    /// The source in an odd object, if the object has exactly one.
    pub(crate) fn settled(&self) -> Option<Self> {
        let Self::Odd(odd) = self else { return Some(self.clone()) };
        let node = odd.0.as_deref()?;
        let mut found = Self::KEYS.iter().filter_map(|key| Self::of(key, node.get(key)?));
        found.next().filter(|_| found.next().is_none())
    }

    fn is_right(&self) -> bool {
        match self {
            Self::Attribute(text) | Self::Constant(text) => text.is_text(),
            Self::Text(texts) => texts.is_texts(),
            Self::Odd(_) => false,
        }
    }
}

impl Condition {
    /// The keys of a condition.
    pub(crate) const KEYS: [&'static str; 6] = ["attribute", "set", "true", "is", "in", "not"];

    /// A condition that an editor made.
    pub fn new(attribute: impl Into<Leaf>, test: Test, not: bool) -> Self {
        Self { attribute: attribute.into(), test, not, odd: Odd(None) }
    }

    fn read(node: &Node) -> Self {
        let absent = Node::absent(node.at);
        let tests = Test::KEYS.iter().filter_map(|key| Some(Test::of(key, node.get(key)?)));
        let tests: Vec<Test> = tests.collect();
        let not = node.get("not");
        let is_not = not.is_some_and(|not| matches!(not.json, Json::Bool(true)));
        let is_right = node.exactly(Self::KEYS).is_some()
            && matches!(tests.as_slice(), [Test::Set | Test::True | Test::Is(_) | Test::In(_)])
            && node.get("attribute").is_some()
            && not.is_some() == is_not;
        Self {
            attribute: Leaf::read(node.get("attribute").unwrap_or(&absent)),
            test: tests.into_iter().next().unwrap_or_else(|| Test::Odd(Odd::of(node))),
            not: is_not,
            odd: if is_right { Odd(None) } else { Odd::of(node) },
        }
    }

    fn is_right(&self) -> bool {
        let test = match &self.test {
            Test::Set | Test::True => true,
            Test::Is(text) => text.is_text(),
            Test::In(texts) => texts.is_texts(),
            Test::Odd(_) => false,
        };
        test && self.odd.0.is_none() && self.attribute.is_text()
    }
}

impl Serialize for Condition {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let mut object = out.serialize_map(None)?;
        object.serialize_entry("attribute", &self.attribute)?;
        match &self.test {
            Test::Set => object.serialize_entry("set", &true)?,
            Test::True => object.serialize_entry("true", &true)?,
            Test::Is(text) => object.serialize_entry("is", text)?,
            Test::In(texts) => object.serialize_entry("in", texts)?,
            Test::Odd(_) => {}
        }
        if self.not {
            object.serialize_entry("not", &true)?;
        }
        object.end()
    }
}

impl Test {
    /// The keys of the tests.
    pub(crate) const KEYS: [&'static str; 4] = ["set", "true", "is", "in"];

    /// One test, by its key.
    pub(crate) fn of(key: &str, value: &Node) -> Self {
        match (key, &value.json) {
            ("set", Json::Bool(true)) => Self::Set,
            ("true", Json::Bool(true)) => Self::True,
            ("is", _) => Self::Is(Leaf::read(value)),
            ("in", _) => Self::In(Leaves::read(value)),
            _ => Self::Odd(Odd::of(value)),
        }
    }
}

impl Missing {
    fn read(node: &Node) -> Self {
        match (&node.json, node.exactly(["default"])) {
            (Json::Text(text), _) if text == "omit" => Self::Omit,
            (Json::Text(text), _) if text == "refuse" => Self::Refuse,
            (_, Some([Some(default)])) => Self::Default(Default::read(default)),
            _ => Self::Odd(Odd::of(node)),
        }
    }

    fn is_omit(&self) -> bool {
        *self == Self::Omit
    }

    fn is_right(&self) -> bool {
        match self {
            Self::Omit | Self::Refuse => true,
            Self::Default(Default::One(text)) => text.is_text(),
            Self::Default(Default::List(texts)) => texts.is_texts(),
            Self::Odd(_) => false,
        }
    }
}

impl Default {
    pub(crate) fn read(node: &Node) -> Self {
        if matches!(node.json, Json::List(_)) {
            Self::List(Leaves::read(node))
        } else {
            Self::One(Leaf::read(node))
        }
    }
}

impl Serialize for Missing {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Omit | Self::Odd(_) => out.serialize_str("omit"),
            Self::Refuse => out.serialize_str("refuse"),
            Self::Default(Default::One(text)) => out.collect_map([("default", text)]),
            Self::Default(Default::List(texts)) => out.collect_map([("default", texts)]),
        }
    }
}
