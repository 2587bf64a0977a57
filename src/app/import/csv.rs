//! Reading CSV strictly (RFC 4180): every fault is found, with its line, and reading goes on
//! behind it. The well-kept crates read leniently: a stray quote or a byte that is no UTF-8
//! would become some value, and nobody would know. It knows nothing of users.

/// The largest record, in bytes: a quote that is never closed must not swallow the file.
const LONGEST_RECORD: usize = 1024 * 1024;

/// One record of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The line on which it begins; the first of the file is 1.
    pub line: usize,
    /// Its fields, or the first fault of its form.
    pub fields: Result<Vec<String>, Malformed>,
}

/// A fault of form, on a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// Where it is.
    pub line: usize,
    /// What is wrong and what to do.
    pub what: String,
}

/// Walks over the records of a text. Lines without anything are passed over.
pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    line: usize,
}

impl<'a> Reader<'a> {
    /// Begins at the first byte; a UTF-8 byte-order mark is no part of the text.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes: bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes), at: 0, line: 1 }
    }

    /// How many bytes are read, and how many there are.
    pub fn progress(&self) -> (usize, usize) {
        (self.at, self.bytes.len())
    }

    /// Skips to behind the next line end.
    fn skip_line(&mut self) {
        let rest = &self.bytes[self.at..];
        self.at += rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |end| end + 1);
        self.line += 1;
    }

    /// A fault found behind the begin of the record: reading goes on with the line behind the
    /// one where the record begins, so that an open quote hides nothing.
    fn give_up(&mut self, begin: usize, line: usize, fault: Malformed) -> Record {
        self.at = begin;
        self.line = line;
        self.skip_line();
        Record { line, fields: Err(fault) }
    }

    fn record(&mut self) -> Record {
        let (begin, line) = (self.at, self.line);
        let mut fields = Vec::new();
        loop {
            let field_line = self.line;
            let (raw, end) = match self.field(begin) {
                Ok(found) => found,
                Err(fault) => return self.give_up(begin, line, fault),
            };
            match String::from_utf8(raw) {
                Ok(text) if text.contains('\0') => {
                    return self.finish_faulty(
                        end,
                        line,
                        field_line,
                        "A NUL character. Remove it; no database keeps it.",
                    );
                }
                Ok(text) => fields.push(text),
                Err(_) => {
                    return self.finish_faulty(
                        end,
                        line,
                        field_line,
                        "Bytes that are not UTF-8. Save the file as UTF-8.",
                    );
                }
            }
            if end == End::Record {
                return Record { line, fields: Ok(fields) };
            }
        }
    }

    /// A fault in a field whose form is right: the rest of the record is read over.
    fn finish_faulty(&mut self, mut end: End, line: usize, fault_line: usize, what: &str) -> Record {
        let begin = self.at;
        while end == End::Field {
            let (at, field_line) = (self.at, self.line);
            if let Ok((_, next)) = self.field(begin) {
                end = next;
            } else {
                (self.at, self.line) = (at, field_line);
                self.skip_line();
                break;
            }
        }
        Record { line, fields: Err(Malformed { line: fault_line, what: what.to_owned() }) }
    }

    /// One field and what ended it. Afterwards `at` is behind the comma or the line end.
    fn field(&mut self, begin: usize) -> Result<(Vec<u8>, End), Malformed> {
        let quoted = self.peek() == Some(b'"');
        let opened = self.line;
        let fault = |line, what: &str| Err(Malformed { line, what: what.to_owned() });
        let mut raw = Vec::new();
        if quoted {
            self.at += 1;
            loop {
                match self.peek() {
                    Some(b'"') if self.bytes.get(self.at + 1) == Some(&b'"') => {
                        raw.push(b'"');
                        self.at += 2;
                    }
                    Some(b'"') => {
                        self.at += 1;
                        break;
                    }
                    Some(byte) if self.at - begin < LONGEST_RECORD => {
                        self.line += usize::from(byte == b'\n');
                        raw.push(byte);
                        self.at += 1;
                    }
                    _ => {
                        return fault(
                            opened,
                            "A quote is opened and never closed. Close it, or double it where it belongs to the text.",
                        );
                    }
                }
            }
        }
        loop {
            match self.peek() {
                None => return Ok((raw, End::Record)),
                Some(b',') => {
                    self.at += 1;
                    return Ok((raw, End::Field));
                }
                Some(b'\n') => {
                    self.at += 1;
                    self.line += 1;
                    return Ok((raw, End::Record));
                }
                Some(b'\r') if self.bytes.get(self.at + 1) == Some(&b'\n') => {
                    self.at += 2;
                    self.line += 1;
                    return Ok((raw, End::Record));
                }
                Some(b'\r') => {
                    return fault(
                        self.line,
                        "A line ends with CR alone. Save the file with line ends LF or CRLF.",
                    );
                }
                Some(_) if quoted && self.line > opened => {
                    // Either end may be the wrong one; the first is where to begin looking.
                    let what = format!(
                        "The quote that is opened here closes on line {}, and text follows. \
                         Close it where its text ends, or double the quotes that belong to the text.",
                        self.line
                    );
                    return fault(opened, &what);
                }
                Some(_) if quoted => {
                    return fault(
                        opened,
                        "Text behind a closing quote. Put the whole text in quotes and double the ones inside.",
                    );
                }
                Some(b'"') => {
                    return fault(
                        opened,
                        "A quote inside a text. Put the whole text in quotes and double the ones inside.",
                    );
                }
                Some(byte) => {
                    raw.push(byte);
                    self.at += 1;
                }
            }
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Field,
    Record,
}

impl Iterator for Reader<'_> {
    type Item = Record;

    fn next(&mut self) -> Option<Record> {
        while matches!(self.peek(), Some(b'\n' | b'\r')) {
            if self.peek() == Some(b'\n') {
                self.line += 1;
            }
            self.at += 1;
        }
        (self.at < self.bytes.len()).then(|| self.record())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &[u8], expected: &[(usize, Result<&[&str], usize>)]) {
        let found: Vec<Record> = Reader::new(text).collect();
        let found: Vec<(usize, Result<Vec<&str>, usize>)> = found
            .iter()
            .map(|record| {
                let fields = record.fields.as_ref().map(|fields| fields.iter().map(String::as_str).collect());
                (record.line, fields.map_err(|fault| fault.line))
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
    fn reading_goes_on_behind_a_fault() {
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
