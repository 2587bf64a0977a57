//! The kind of a file: its character encoding and its column separator. Both are determined from the
//! start of the file, never guessed from the rows. Files of another kind are reported by name.

use std::io::{Cursor, Read};

use super::source::{Source, Utf16};
use crate::core::attribute::aliases;
use crate::core::csv::read::Reader;

/// How much of a file is checked, in bytes.
const HEAD: u64 = 256 * 1024;

/// Possible column separators, in order of preference.
const SEPARATORS: [(u8, &str); 4] =
    [(b',', "commas"), (b';', "semicolons"), (b'\t', "tabs"), (b'|', "vertical bars")];

/// Files that are not CSV, by their first bytes.
const OTHERS: [(&[u8], &str); 16] = [
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook (.xls)"),
    (b"\x1f\x8b", "compressed with gzip"),
    (b"BZh", "compressed with bzip2"),
    (b"\xfd7zXZ\0", "compressed with xz"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"Rar!", "a RAR archive"),
    (b"%PDF-", "a PDF document"),
    (b"{\\rtf", "an RTF document"),
    (b"PAR1", "a Parquet file"),
    (b"SQLite format 3\0", "a SQLite database"),
    (b"PGDMP", "a PostgreSQL dump"),
    (b"BEGIN:VCARD", "a file of contacts (vCard)"),
    (b"\xff\xfe\0\0", "UTF-32"),
    (b"\0\0\xfe\xff", "UTF-32"),
    (b"ID;P", "a SYLK file"),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    Utf8,
    Utf16 { is_big: bool },
}

/// How a file is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Dialect {
    encoding: Encoding,
    separator: u8,
    /// It starts with a byte-order mark, which spreadsheets need.
    has_mark: bool,
    /// The first line names the separator (`sep=;`), as Excel writes it.
    names_separator: bool,
}

impl Dialect {
    /// Determines it from the start of a file; or returns a sentence that says what the file is instead.
    pub fn of(source: Source<'_>) -> Result<Self, String> {
        let mut raw = Vec::new();
        let read = source.open().and_then(|input| input.take(HEAD).read_to_end(&mut raw));
        read.map_err(|error| format!("The file cannot be read: {error}."))?;
        if let Some(what) = other_kind(&raw) {
            return Err(format!("This is not a CSV file: it is {what}. Save the table as CSV (UTF-8)."));
        }
        let encoding = match raw.as_slice() {
            [0xff, 0xfe, ..] => Encoding::Utf16 { is_big: false },
            [0xfe, 0xff, ..] => Encoding::Utf16 { is_big: true },
            _ => Encoding::Utf8,
        };
        let mut head = Vec::new();
        decode(encoding, Cursor::new(raw))
            .read_to_end(&mut head)
            .map_err(|error| format!("The file cannot be read: {error}."))?;
        let text = String::from_utf8_lossy(&head);
        let has_mark = encoding != Encoding::Utf8 || text.starts_with('\u{feff}');
        let text = text.trim_start_matches('\u{feff}');
        if let Some(what) = other_text(text) {
            return Err(format!(
                "This is not a CSV file: it looks like {what}. Save the table as CSV (UTF-8)."
            ));
        }
        let named = named_separator(text);
        let separator = named.unwrap_or_else(|| separator_of(&head));
        Ok(Self { encoding, separator, has_mark, names_separator: named.is_some() })
    }

    /// The separator for a file that the same program can open.
    pub fn common_separator(self) -> char {
        let is_common = SEPARATORS.iter().any(|(byte, _)| *byte == self.separator);
        if is_common { self.separator.into() } else { ',' }
    }

    /// Whether the file starts with a byte-order mark.
    pub fn has_mark(self) -> bool {
        self.has_mark
    }

    /// Opens a file at its first record, which is the header.
    pub fn read<'a>(self, source: Source<'a>) -> std::io::Result<Reader<Box<dyn Read + 'a>>> {
        let mut reader = Reader::new(decode(self.encoding, source.open()?), self.separator);
        if self.names_separator {
            reader.skip_line();
        }
        Ok(reader)
    }

    /// Approximately how many bytes a reader of this file returns.
    pub fn bytes(self, source: Source<'_>) -> u64 {
        let bytes = source.bytes().unwrap_or_default();
        if self.encoding == Encoding::Utf8 { bytes } else { bytes / 2 }
    }

    /// A sentence about a file with an unusual encoding or separator.
    pub fn note(self) -> Option<String> {
        let separator = SEPARATORS.iter().find(|(byte, _)| *byte == self.separator).map(|(_, name)| *name);
        let separator = match separator {
            Some("commas") => None,
            Some(name) => Some(format!("The columns of this file are separated by {name}.")),
            None => {
                Some(format!("The columns of this file are separated by '{}'.", char::from(self.separator)))
            }
        };
        let encoding = (self.encoding != Encoding::Utf8).then(|| "This file is UTF-16.".to_owned());
        let parts: Vec<String> = encoding.into_iter().chain(separator).collect();
        (!parts.is_empty()).then(|| format!("{} It was read that way.", parts.join(" ")))
    }
}

fn decode<'a>(encoding: Encoding, mut input: impl Read + 'a) -> Box<dyn Read + 'a> {
    match encoding {
        Encoding::Utf8 => Box::new(input),
        Encoding::Utf16 { is_big } => {
            // The mark has been read before; if it cannot be read now, the next read fails at once.
            let _ = input.read_exact(&mut [0; 2]);
            Box::new(Utf16::new(input, is_big))
        }
    }
}

/// A file that is not text, by its first bytes.
fn other_kind(raw: &[u8]) -> Option<&'static str> {
    let contains = |word: &[u8]| raw.windows(word.len()).any(|window| window == word);
    if raw.starts_with(b"PK\x03\x04") || raw.starts_with(b"PK\x05\x06") {
        return Some(match () {
            () if contains(b"opendocument.spreadsheet") => "a LibreOffice workbook (.ods)",
            () if contains(b"[Content_Types].xml") || contains(b"xl/") => "an Excel workbook (.xlsx)",
            () => "a ZIP archive",
        });
    }
    if let Some((_, what)) = OTHERS.iter().find(|(begin, _)| raw.starts_with(begin)) {
        return Some(what);
    }
    // Letters of the header with a zero byte next to each.
    let is_utf16 = |first: usize| {
        raw.len() >= 4
            && raw[..raw.len().min(16) / 2 * 2].chunks(2).all(|pair| pair[first] == 0 && pair[1 - first] != 0)
    };
    (is_utf16(0) || is_utf16(1)).then_some("UTF-16 without its byte-order mark")
}

/// Content that is not a table.
fn other_text(text: &str) -> Option<&'static str> {
    let text = text.trim_start();
    let begin: String = text.chars().take(64).collect::<String>().to_lowercase();
    let behind = |sign: char| begin.strip_prefix(sign).map(|rest| rest.trim_start().chars().next());
    let is_json =
        matches!(behind('{'), Some(Some('"' | '}'))) || matches!(behind('['), Some(Some('{' | '[' | ']')));
    if is_json {
        return Some("JSON");
    }
    if ["<!doctype html", "<html", "<table", "<head", "<meta"].iter().any(|tag| begin.starts_with(tag)) {
        return Some("an HTML page");
    }
    if begin.starts_with("<?xml") || begin.starts_with("<!doctype") {
        return Some("XML");
    }
    let sql = ["-- ", "/*!", "insert into", "create table", "drop table", "copy public.", "set names"];
    if sql.iter().any(|word| begin.starts_with(word)) {
        return Some("SQL");
    }
    (begin.starts_with("dn: ") || begin.starts_with("version: 1\n")).then_some("an LDIF file")
}

/// The separator named by a first line `sep=;`.
fn named_separator(text: &str) -> Option<u8> {
    let line = text.lines().next()?.trim_end_matches('\r');
    let line = line.strip_prefix('"').and_then(|line| line.strip_suffix('"')).unwrap_or(line);
    let (word, separator) = line.split_at_checked(4)?;
    match separator.as_bytes() {
        [byte] if word.eq_ignore_ascii_case("sep=") && !byte.is_ascii_alphanumeric() && *byte != b'"' => {
            Some(*byte)
        }
        _ => None,
    }
}

/// The separator with which the header contains a well-known column; or else the most frequent one.
fn separator_of(head: &[u8]) -> u8 {
    let names_a_key = |separator: u8| {
        let header = Reader::new(head, separator).next().and_then(|record| record.fields.ok());
        header.is_some_and(|fields| fields.len() > 1 && fields.iter().any(|name| aliases::is_key(name)))
    };
    if let Some((separator, _)) = SEPARATORS.iter().find(|(separator, _)| names_a_key(*separator)) {
        return *separator;
    }
    let mut counts = [0; SEPARATORS.len()];
    let mut is_quoted = false;
    for byte in head.trim_ascii_start() {
        match byte {
            b'"' => is_quoted = !is_quoted,
            b'\n' if !is_quoted => break,
            _ if is_quoted => {}
            _ => {
                let place = SEPARATORS.iter().position(|(separator, _)| separator == byte);
                place.into_iter().for_each(|place| counts[place] += 1);
            }
        }
    }
    // Of several with the same count, the first.
    let most = (0..SEPARATORS.len()).rev().max_by_key(|place| counts[*place]).unwrap_or_default();
    SEPARATORS[most].0
}
