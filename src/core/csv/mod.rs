//! Writes CSV (RFC 4180) that is safe to open in a spreadsheet. Every CSV file of the product is
//! written here. `read` reads CSV.
//!
//! The guard is an apostrophe before a value that a spreadsheet would run as a formula (OWASP, CSV
//! Injection). It can be removed without knowing which program wrote the file: a value that starts with
//! its own apostrophe, which [`unguarded`] would remove, gets one more. So `unguarded` returns the value
//! that `line` or `raw_line` was called with, whatever it is.

pub mod read;

use std::borrow::Cow;

/// Whether a spreadsheet would run a value as a formula. Full-width signs are included.
fn is_formula(value: &str) -> bool {
    const SIGNS: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];
    value.starts_with(['\t', '\r']) || value.trim_start().starts_with(SIGNS)
}

/// Whether programs write an apostrophe before this value: before a formula, or before a number, because
/// a spreadsheet would round it or remove its leading zeros.
fn is_guardable(bare: &str) -> bool {
    is_formula(bare) || (!bare.is_empty() && bare.bytes().all(|byte| byte.is_ascii_digit()))
}

/// A value as a cell. It gets one more apostrophe if it has one that a reader would remove and, with
/// `formulas`, if a spreadsheet would run it.
fn cell(value: &str, formulas: bool) -> Cow<'_, str> {
    let bare = value.trim_start_matches('\'');
    let has_own = bare.len() < value.len();
    if (has_own && is_guardable(bare)) || (formulas && is_formula(bare)) {
        Cow::Owned(format!("'{value}"))
    } else {
        Cow::Borrowed(value)
    }
}

/// The value of a cell without the apostrophe that programs write for spreadsheets; `None` if it has no
/// such apostrophe.
pub fn unguarded(cell: &str) -> Option<&str> {
    let rest = cell.strip_prefix('\'')?;
    is_guardable(rest.trim_start_matches('\'')).then_some(rest)
}

/// One line of CSV with its line break. A value that a spreadsheet would run gets an apostrophe.
pub fn line(values: &[String]) -> String {
    join(values, true, ',')
}

/// The same with another separator: `;`, `|` or a tab.
pub fn line_with(separator: char, values: &[String]) -> String {
    join(values, true, separator)
}

/// One line of CSV with its line break, for programs: formulas stay unchanged.
pub fn raw_line(values: &[String]) -> String {
    join(values, false, ',')
}

fn join(values: &[String], formulas: bool, separator: char) -> String {
    // Values are quoted if another separator, or a reader that trims, would change them.
    let is_plain = |text: &str| {
        let parts = |c: char| c.is_control() || matches!(c, '"' | ',' | ';' | '|');
        !text.contains(parts) && text == text.trim()
    };
    let cells: Vec<String> = values
        .iter()
        .map(|value| match cell(value, formulas) {
            text if is_plain(&text) => text.into_owned(),
            text => format!("\"{}\"", text.replace('"', "\"\"")),
        })
        .collect();
    format!("{}\n", cells.join(separator.encode_utf8(&mut [0; 4])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guard_can_be_taken_off_without_knowing_who_wrote_the_file() {
        let check = |value: &str, guarded: &str, raw: &str| {
            assert_eq!((&*cell(value, true), &*cell(value, false)), (guarded, raw), "{value:?}");
            for written in [guarded, raw] {
                assert_eq!(unguarded(written).unwrap_or(written), value, "{written:?}");
            }
        };
        check("gold", "gold", "gold");
        check("=1+1", "'=1+1", "=1+1");
        check("'=1+1", "''=1+1", "''=1+1");
        check("''+49", "'''+49", "'''+49");
        check("+49 1", "'+49 1", "+49 1");
        check("9980000000001", "9980000000001", "9980000000001");
        check("'9980000000001", "''9980000000001", "''9980000000001");
        check("'t Hooft", "'t Hooft", "'t Hooft");
        check("'", "'", "'");
        check("\t1", "'\t1", "\t1");
        check(" \u{a0}=1", "' \u{a0}=1", " \u{a0}=1");
        check("＝1", "'＝1", "＝1");
    }

    #[test]
    fn a_cell_is_quoted_where_any_separator_or_a_trimming_reader_would_take_it_apart() {
        let values = ["a;b", "a|b", "a\tb", " a", "say \"hi\"", "a\u{1a}", "plain"].map(str::to_owned);
        assert_eq!(line(&values), "\"a;b\",\"a|b\",\"a\tb\",\" a\",\"say \"\"hi\"\"\",\"a\u{1a}\",plain\n");
    }
}
