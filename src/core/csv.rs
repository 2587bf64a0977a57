//! Writing CSV (RFC 4180), safe to open in a spreadsheet. Reading it is `app::import`.

/// Whether a spreadsheet would run a text (OWASP, CSV Injection), full-width signs included.
fn is_formula(cell: &str) -> bool {
    const SIGNS: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];
    cell.starts_with(['\t', '\r']) || cell.trim_start().starts_with(SIGNS)
}

/// One line of CSV, with its end. `guard`: a text that a spreadsheet would run gets an apostrophe before it.
pub fn line(cells: &[String], guard: bool) -> String {
    let quoted: Vec<String> = cells
        .iter()
        .map(|cell| {
            let text = if guard && is_formula(cell) { format!("'{cell}") } else { cell.clone() };
            if text.contains(['"', ',', '\n', '\r']) || text != text.trim() {
                format!("\"{}\"", text.replace('"', "\"\""))
            } else {
                text
            }
        })
        .collect();
    format!("{}\n", quoted.join(","))
}
