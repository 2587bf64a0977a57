//! Reads CSV strictly (RFC 4180, with any separator): every format error is found, with its line, and
//! reading continues after it. The well-maintained crates read leniently: a stray quote or a byte
//! that is not UTF-8 would silently become some value. This reader knows nothing about users, and has
//! one record in memory at a time.

use std::io::{self, Read};

/// The longest record, in bytes: a quote that is never closed must not read the whole file into memory.
const LONGEST_RECORD: usize = 16 * 1024 * 1024;
/// How much is read at once, in bytes.
const CHUNK: usize = 64 * 1024;
/// How far ahead the reader looks for the end of the file, in bytes.
const AHEAD: usize = 1024;

/// One record of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The line on which it starts; the first line of the file is 1.
    pub line: usize,
    /// Its fields, or its first format error.
    pub fields: Result<Vec<String>, Malformed>,
}

/// A format error on a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// The line of the error.
    pub line: usize,
    /// The field, counted from 0, if the error is in one field.
    pub field: Option<usize>,
    /// What is wrong and what to do.
    pub what: String,
    /// The line that cannot be read; bytes that are not UTF-8 are written as `\xE4`.
    pub text: String,
    /// Whether nothing more can be read.
    pub is_end: bool,
}

/// Iterates over the records of a CSV document. Empty lines are skipped.
pub struct Reader<R> {
    input: R,
    separator: u8,
    /// The part of the input that was read and is still needed: it starts with the current record.
    buffer: Vec<u8>,
    at: usize,
    /// Bytes before the buffer.
    passed: u64,
    line: usize,
    has_ended: bool,
    failure: Option<io::Error>,
}

impl<R: Read> Reader<R> {
    /// Starts at the first byte; UTF-8 byte-order marks are not part of the text.
    pub fn new(input: R, separator: u8) -> Self {
        let mut reader = Self {
            input,
            separator,
            buffer: Vec::new(),
            at: 0,
            passed: 0,
            line: 1,
            has_ended: false,
            failure: None,
        };
        while (0..3).map(|i| reader.byte(reader.at + i)).eq([Some(0xef), Some(0xbb), Some(0xbf)]) {
            reader.at += 3;
        }
        reader
    }

    /// How many bytes have been read.
    pub fn position(&self) -> u64 {
        self.passed + self.at as u64
    }

    /// Skips to after the next line break, and drops the skipped part.
    pub fn skip_line(&mut self) {
        loop {
            let rest = &self.buffer[self.at..];
            if let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
                self.at += end + 1;
                break;
            }
            self.at = self.buffer.len();
            if self.has_ended {
                break;
            }
            self.forget();
            self.fill();
        }
        self.line += 1;
    }

    /// Drops everything before `at`.
    fn forget(&mut self) {
        self.passed += self.at as u64;
        self.buffer.drain(..self.at);
        self.at = 0;
    }

    fn fill(&mut self) {
        let known = self.buffer.len();
        self.buffer.resize(known + CHUNK, 0);
        let count = loop {
            match self.input.read(&mut self.buffer[known..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(count) => break count,
                Err(error) => {
                    self.failure = Some(error);
                    break 0;
                }
            }
        };
        self.buffer.truncate(known + count);
        if count == 0 {
            self.has_ended = true;
            self.cut_end();
        }
    }

    /// Removes the Ctrl-Z with which old programs end a file.
    fn cut_end(&mut self) {
        let from = self.at.max(self.buffer.len().saturating_sub(AHEAD));
        let is_end = |byte: &u8| matches!(byte, 0x1a | b'\r' | b'\n' | 0);
        let tail = self.buffer[from..].iter().rev().take_while(|byte| is_end(byte)).count();
        let begin = self.buffer.len() - tail;
        if let Some(end) = self.buffer[begin..].iter().position(|byte| *byte == 0x1a) {
            self.buffer.truncate(begin + end);
        }
    }

    fn byte(&mut self, place: usize) -> Option<u8> {
        while place + AHEAD >= self.buffer.len() && !self.has_ended {
            self.fill();
        }
        self.buffer.get(place).copied()
    }

    fn peek(&mut self) -> Option<u8> {
        self.byte(self.at)
    }

    /// An error found inside the record: reading continues after the line on which the record starts,
    /// so that an open quote hides nothing.
    fn give_up(&mut self, begin: usize, line: usize, mut error: Malformed) -> Record {
        let end = self.buffer[begin..].iter().position(|byte| *byte == b'\n');
        let end = end.map_or(self.buffer.len(), |end| begin + end);
        error.text = escaped(&self.buffer[begin..end]);
        self.at = begin;
        self.line = line;
        self.skip_line();
        Record { line, fields: Err(error) }
    }

    fn record(&mut self) -> Record {
        let (begin, line) = (self.at, self.line);
        let mut fields = Vec::new();
        loop {
            let field_line = self.line;
            let (raw, end) = match self.field(begin) {
                Ok(found) => found,
                Err(error) => return self.give_up(begin, line, error),
            };
            let (what, before) = match String::from_utf8(raw) {
                Ok(text) => {
                    if let Some(place) = text.find('\0') {
                        let what = "A NUL character. Remove it; databases cannot store it.".to_owned();
                        (what, lines(&text.as_bytes()[..place]))
                    } else {
                        fields.push(text);
                        if end == End::Record {
                            return Record { line, fields: Ok(fields) };
                        }
                        continue;
                    }
                }
                Err(error) => {
                    let place = error.utf8_error().valid_up_to();
                    let raw = error.as_bytes();
                    (not_utf8(raw[place]), lines(&raw[..place]))
                }
            };
            let error = Malformed { field: Some(fields.len()), ..Malformed::new(field_line + before, &what) };
            return self.finish_malformed(end, begin, line, error);
        }
    }

    /// An error in a field whose format is right: the rest of the record is skipped.
    fn finish_malformed(&mut self, mut end: End, begin: usize, line: usize, mut error: Malformed) -> Record {
        while end == End::Field {
            let (at, field_line) = (self.at, self.line);
            if let Ok((_, next)) = self.field(begin) {
                end = next;
            } else {
                (self.at, self.line) = (at, field_line);
                self.skip_line();
                error.text = String::new();
                return Record { line, fields: Err(error) };
            }
        }
        let read = &self.buffer[begin..self.at];
        error.text = escaped(read.trim_ascii_end());
        Record { line, fields: Err(error) }
    }

    /// One field and what ended it. Afterwards `at` is after the separator or the line break.
    fn field(&mut self, begin: usize) -> Result<(Vec<u8>, End), Malformed> {
        let quoted = self.peek() == Some(b'"');
        let opened = self.line;
        let mut raw = Vec::new();
        if quoted {
            self.at += 1;
            self.quoted(begin, opened, &mut raw)?;
        }
        loop {
            let error = |what: &str| Err(Malformed::new(opened, what));
            match self.peek() {
                None => return Ok((raw, End::Record)),
                Some(byte) if byte == self.separator => {
                    self.at += 1;
                    return Ok((raw, End::Field));
                }
                Some(b'\n') => {
                    self.at += 1;
                    self.line += 1;
                    return Ok((raw, End::Record));
                }
                Some(b'\r') if self.byte(self.at + 1) == Some(b'\n') => {
                    self.at += 2;
                    self.line += 1;
                    return Ok((raw, End::Record));
                }
                Some(b'\r') => {
                    let what = "A line ends with only CR. Save the file with LF or CRLF line breaks.";
                    return Err(Malformed::new(self.line, what));
                }
                Some(_) if quoted && self.line > opened => {
                    // Either quote may be the wrong one; the first is where to start looking.
                    return error(&format!(
                        "The quote that opens here closes on line {}, and more text follows. \
                         Close it where its value ends, or double the quotes that belong to the value.",
                        self.line
                    ));
                }
                Some(_) if quoted => {
                    return error(
                        "Text after a closing quote. Put the whole value in quotes and double the quotes inside it.",
                    );
                }
                Some(b'"') => {
                    return error(
                        "A quote inside a value. Put the whole value in quotes and double the quotes inside it.",
                    );
                }
                Some(_) if self.at - begin >= LONGEST_RECORD => {
                    return error("This line has more than 16 MiB. It is not a row of a table of users.");
                }
                Some(byte) => {
                    raw.push(byte);
                    self.at += 1;
                }
            }
        }
    }

    /// The part in quotes, including the closing quote.
    fn quoted(&mut self, begin: usize, opened: usize, raw: &mut Vec<u8>) -> Result<(), Malformed> {
        loop {
            match self.peek() {
                Some(b'"') if self.byte(self.at + 1) == Some(b'"') => {
                    raw.push(b'"');
                    self.at += 2;
                }
                Some(b'"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(byte) if self.at - begin < LONGEST_RECORD => {
                    self.line += usize::from(byte == b'\n');
                    raw.push(byte);
                    self.at += 1;
                }
                Some(_) => {
                    let what = "The value that starts here has more than 16 MiB, or its quote is never closed. \
                        Close the quote, or shorten the value.";
                    return Err(Malformed::new(opened, what));
                }
                None => {
                    let what = "A quote is opened and never closed. Close it, or double it if it belongs to the value.";
                    return Err(Malformed::new(opened, what));
                }
            }
        }
    }
}

impl Malformed {
    /// An error on a line.
    pub fn new(line: usize, what: &str) -> Self {
        Self { line, field: None, what: what.to_owned(), text: String::new(), is_end: false }
    }
}

fn lines(bytes: &[u8]) -> usize {
    bytes.split(|byte| *byte == b'\n').count() - 1
}

fn not_utf8(byte: u8) -> String {
    // From 0xA1, Latin-1 and Windows-1252 have the same letters.
    let letter =
        if byte >= 0xa1 { format!(" ('{}' in Windows-1252)", char::from(byte)) } else { String::new() };
    format!("The byte 0x{byte:02X}{letter} is not UTF-8. Save the file as UTF-8.")
}

/// Bytes as a string from which they can be restored.
fn escaped(bytes: &[u8]) -> String {
    let chunk = |chunk: std::str::Utf8Chunk<'_>| {
        let invalid: String = chunk.invalid().iter().map(|byte| format!("\\x{byte:02X}")).collect();
        format!("{}{invalid}", chunk.valid())
    };
    bytes.utf8_chunks().map(chunk).collect::<String>().trim_end_matches('\r').to_owned()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Field,
    Record,
}

impl<R: Read> Iterator for Reader<R> {
    type Item = Record;

    fn next(&mut self) -> Option<Record> {
        if self.at > CHUNK {
            self.forget();
        }
        while let Some(byte @ (b'\n' | b'\r')) = self.peek() {
            self.line += usize::from(byte == b'\n');
            self.at += 1;
            if self.at > CHUNK {
                self.forget();
            }
        }
        let record = self.peek().is_some().then(|| self.record());
        match self.failure.take() {
            Some(error) => {
                let error =
                    Malformed::new(self.line, &format!("The rest of the file cannot be read: {error}."));
                Some(Record { line: self.line, fields: Err(Malformed { is_end: true, ..error }) })
            }
            None => record,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &[u8], expected: &[(usize, Result<&[&str], usize>)]) {
        let found: Vec<Record> = Reader::new(text, b',').collect();
        let found: Vec<(usize, Result<Vec<&str>, usize>)> = found
            .iter()
            .map(|record| {
                let fields = record.fields.as_ref().map(|fields| fields.iter().map(String::as_str).collect());
                (record.line, fields.map_err(|error| error.line))
            })
            .collect();
        let expected: Vec<_> =
            expected.iter().map(|(line, fields)| (*line, fields.map(<[&str]>::to_vec))).collect();
        assert_eq!(found, expected, "{}", String::from_utf8_lossy(text));
    }

    #[test]
    fn quotes_line_ends_and_blank_lines_are_read_as_rfc_4180_has_them() {
        check(b"a,b\r\n1,\"x, \"\"y\"\"\"\n", &[(1, Ok(&["a", "b"])), (2, Ok(&["1", "x, \"y\""]))]);
        check(
            b"\xef\xbb\xbfa,b\n\n\"two\nlines\",\n3,4",
            &[(1, Ok(&["a", "b"])), (3, Ok(&["two\nlines", ""])), (5, Ok(&["3", "4"]))],
        );
    }

    #[test]
    fn reading_goes_on_after_an_error() {
        check(
            b"a,b\n\"open,2\n3,4\n5,6\n",
            &[(1, Ok(&["a", "b"])), (2, Err(2)), (3, Ok(&["3", "4"])), (4, Ok(&["5", "6"]))],
        );
        check(
            b"a,b\n1,\"open\n3,4\n5,\"6, 7\"\n",
            &[(1, Ok(&["a", "b"])), (2, Err(2)), (3, Ok(&["3", "4"])), (4, Ok(&["5", "6, 7"]))],
        );
        check(b"a,b\n\xff,\"open\n3,4\n", &[(1, Ok(&["a", "b"])), (2, Err(2)), (3, Ok(&["3", "4"]))]);
        check(b"a\nx\"y\nz\n", &[(1, Ok(&["a"])), (2, Err(2)), (3, Ok(&["z"]))]);
        check(b"a\n\"x\"y\nz\n", &[(1, Ok(&["a"])), (2, Err(2)), (3, Ok(&["z"]))]);
        check(b"a\n\xff\xfe,\"q\n\"\nz\n", &[(1, Ok(&["a"])), (2, Err(2)), (4, Ok(&["z"]))]);
        check(b"a\nx\0\nz\n", &[(1, Ok(&["a"])), (2, Err(2)), (3, Ok(&["z"]))]);
    }
}
