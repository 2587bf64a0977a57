//! The differences between two mappings, as a page shows them.

use crate::core::catalogue::Catalogue;
use crate::core::mapping::{
    Difference, RowDifference, Tree, Word, compare, compare_rest, compare_tables, words,
};

/// The differences of two mappings.
#[derive(Default)]
pub struct Diff {
    /// Rule by rule.
    pub lines: Vec<DiffLine>,
    /// The other differences, in sentences.
    pub rest: Vec<String>,
    /// Both mappings as text, if one of them cannot be read rule by rule.
    pub texts: Option<(String, String)>,
}

/// One rule that differs.
pub struct DiffLine {
    /// `added`, `removed`, `changed` or `moved`.
    pub kind: &'static str,
    /// The claim's name.
    pub title: String,
    /// The rule before.
    pub before: Option<Vec<Word>>,
    /// The rule after.
    pub after: Option<Vec<Word>>,
    /// What changed in its lookup tables.
    pub rows: Vec<RowDifference>,
}

impl Diff {
    /// Compares two mappings, given as text.
    pub fn of(before: &str, after: &str, names: &Catalogue) -> Self {
        let (Some(earlier), Some(later)) = (Tree::read(before), Tree::read(after)) else {
            let texts = (before != after).then(|| (before.to_owned(), after.to_owned()));
            return Self { texts, ..Self::default() };
        };
        let (earlier, later) = (names.named(earlier), names.named(later));
        let lines = compare(&earlier, &later);
        let lines = lines.into_iter().map(|difference| DiffLine::of(difference, names)).collect();
        Self { lines, rest: compare_rest(&earlier, &later), texts: None }
    }

    /// Whether there are no differences.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty() && self.rest.is_empty() && self.texts.is_none()
    }

    /// How many changes there are.
    pub fn count(&self) -> usize {
        self.lines.len() + self.rest.len() + usize::from(self.texts.is_some())
    }
}

impl DiffLine {
    fn of(difference: Difference, names: &Catalogue) -> Self {
        let rows = match &difference {
            Difference::Changed(before, after) => compare_tables(before, after),
            _ => Vec::new(),
        };
        let (kind, before, after) = match difference {
            Difference::Added(_, rule) => ("added", None, Some(rule)),
            Difference::Removed(_, rule) => ("removed", Some(rule), None),
            Difference::Changed(before, after) => ("changed", Some(before), Some(after)),
            Difference::Moved(rule) => ("moved", None, Some(rule)),
        };
        let title = after.as_ref().or(before.as_ref()).map(|rule| rule.title(names)).unwrap_or_default();
        Self { kind, title, before: before.as_ref().map(words), after: after.as_ref().map(words), rows }
    }
}
