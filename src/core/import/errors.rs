//! Summarises what is wrong in a file. A cause that repeats is reported a few times and then counted, so
//! that it never hides another one, and the report of a file of any length is short.

use std::collections::HashMap;

use super::Place;
use crate::core::problem::Problem;

/// How often one cause is reported row by row.
const LISTED: usize = 5;
/// How many further lines of a cause are named.
const NAMED: usize = 10;
/// How many causes are distinguished; all others are treated as one.
const CAUSES: usize = 500;

/// A new user in a file that names no logins: one sentence for the whole file.
pub const NO_LOGIN_COLUMN: &str =
    "The file has no column 'login', but this row is a new user, who needs a login. Add the column.";

#[derive(Default)]
struct Cause {
    count: usize,
    /// The first of the lines that are only counted.
    lines: Vec<usize>,
    /// The place of the last problem that is reported.
    last: usize,
}

/// The errors of a file.
#[derive(Default)]
pub struct Errors {
    listed: Vec<Problem<Place>>,
    causes: HashMap<(Option<String>, String), Cause>,
}

impl Errors {
    /// Whether there are no errors.
    pub fn is_empty(&self) -> bool {
        self.listed.is_empty()
    }

    /// Adds what is wrong with a row, or with the header.
    pub fn extend(&mut self, problems: impl IntoIterator<Item = Problem<Place>>) {
        problems.into_iter().for_each(|problem| self.push(problem));
    }

    fn push(&mut self, problem: Problem<Place>) {
        let mut key = (problem.place.column.clone(), shape(&problem.what));
        if self.causes.len() >= CAUSES && !self.causes.contains_key(&key) {
            key = (None, String::new());
        }
        let cause = self.causes.entry(key).or_default();
        cause.count += 1;
        if cause.count <= most_told(&problem.what) {
            cause.last = self.listed.len();
            self.listed.push(problem);
        } else if cause.lines.len() < NAMED {
            cause.lines.push(problem.place.line);
        }
    }

    /// All reported problems, in the order of the file, each cause with the number of its further rows.
    pub fn finish(mut self) -> Vec<Problem<Place>> {
        for cause in self.causes.values().filter(|cause| !cause.lines.is_empty()) {
            let Some(problem) = self.listed.get_mut(cause.last) else { continue };
            let more = cause.count - most_told(&problem.what);
            let lines: Vec<String> = cause.lines.iter().map(usize::to_string).collect();
            let rest = if more > cause.lines.len() { " and others" } else { "" };
            let (rows, word) = if more == 1 { ("row has", "line") } else { ("rows have", "lines") };
            let lines = lines.join(", ");
            let more = format!(" … and {more} more {rows} the same error: {word} {lines}{rest}.");
            problem.what.push_str(&more);
        }
        // Some problems are found only after all rows were read.
        self.listed.sort_by_key(|problem| problem.place.row);
        self.listed
    }
}

fn most_told(message: &str) -> usize {
    if message == NO_LOGIN_COLUMN { 1 } else { LISTED }
}

/// A message without the parts that differ from row to row: quotations and numbers. Everything between
/// the first and the last quotation mark is left out, because a value may contain such marks.
/// Messages are distinguished by this and not with a code of their own, so no message can be forgotten, wherever it is
/// created.
fn shape(message: &str) -> String {
    let frame = match (message.find('\''), message.rfind('\'')) {
        (Some(first), Some(last)) => format!("{}{}", &message[..first], &message[last..]),
        _ => message.to_owned(),
    };
    frame.chars().filter(|c| !c.is_ascii_digit()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_that_repeats_is_told_a_few_times_and_hides_no_other() {
        let problem =
            |row: usize, message: String| Problem::new(Place { row, ..Place::of_file(row + 1) }, message);
        let mut errors = Errors::default();
        for row in 1..=400 {
            errors.extend([problem(row, format!("'o'x{row}' is no number such as 12."))]);
            if row == 300 {
                errors.extend([problem(row, "Something else.".into())]);
            }
        }
        let listed = errors.finish();
        assert_eq!(listed.iter().map(|problem| problem.place.row).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 300]);
        assert_eq!(
            listed[4].what,
            "'o'x5' is no number such as 12. … and 395 more rows have the same error: \
             lines 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 and others."
        );
        assert_eq!(listed[5].what, "Something else.");
    }
}
