//! Where a request ends in the bytes of a connection (RFC 9112). Pure. It does not judge requests: it only
//! finds the end of a head and of a body, so that a connection knows what it is waiting for.

use memchr::memchr;

/// The head of a request, as its bytes arrive.
#[derive(Debug, Default)]
pub struct Head {
    came: Came,
    /// Whether the current line has a character.
    in_line: bool,
    after_cr: bool,
}

/// How much of a head has arrived.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Came {
    #[default]
    Nothing,
    /// Not yet the end of the request line. Empty lines before it are skipped (section 2.2).
    NoLine,
    Lines,
}

impl Head {
    /// Whether a byte of it has arrived.
    pub fn has_started(&self) -> bool {
        self.came != Came::Nothing
    }

    /// Reads the bytes up to the end of the head: returns how many they are, and whether the head ends with
    /// them.
    ///
    /// A line ends only with CR LF. A bare LF becomes NUL, which the HTTP layer refuses with 400, in the
    /// order of the responses. A server that treats a bare LF as the end of a line can be made to see a
    /// request different from the one that the proxy before it sees (section 2.2 allows it, section 11.2
    /// says why not).
    pub fn take(&mut self, bytes: &mut [u8]) -> (usize, bool) {
        let mut start = 0;
        while let Some(place) = memchr(b'\n', &bytes[start..]).map(|place| start + place) {
            self.go_on(&bytes[start..place]);
            start = place + 1;
            if !std::mem::take(&mut self.after_cr) {
                bytes[place] = 0;
                self.go_on(&[0]);
            } else if std::mem::take(&mut self.in_line) {
                self.came = Came::Lines;
            } else if self.came == Came::Lines {
                return (start, true);
            }
        }
        self.go_on(&bytes[start..]);
        (bytes.len(), false)
    }

    /// Notes bytes of a line.
    fn go_on(&mut self, bytes: &[u8]) {
        let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else { return };
        if self.came == Came::Nothing {
            self.came = Came::NoLine;
        }
        // One CR belongs to the end of the line.
        self.in_line |= bytes.len() > 1 || *first != b'\r' || self.after_cr;
        self.after_cr = *last == b'\r';
    }
}

/// How the length of a body is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// By `Content-Length`; 0 without a body.
    Bytes(u64),
    /// With chunks.
    Chunked,
    /// Not at all: the body ends with the connection.
    Endless,
}

/// The body of a request.
#[derive(Debug)]
pub struct Body(Part);

/// What comes next in a body.
#[derive(Clone, Copy, Debug)]
enum Part {
    Bytes(u64),
    /// The first digit of a chunk's size.
    Size,
    /// Further digits.
    Digits(u64),
    /// What follows the digits, up to CR.
    Extension(u64),
    SizeLf(u64),
    Data(u64),
    DataCr,
    DataLf,
    EndCr,
    EndLf,
    Trailer,
    TrailerLf,
    /// Also used for an invalid chunked body: the HTTP layer refuses it and closes the connection.
    Endless,
}

impl Body {
    /// A body of which nothing has arrived.
    pub fn new(length: Length) -> Self {
        Self(match length {
            Length::Bytes(bytes) => Part::Bytes(bytes),
            Length::Chunked => Part::Size,
            Length::Endless => Part::Endless,
        })
    }

    /// Whether all of it has arrived.
    pub fn has_ended(&self) -> bool {
        matches!(self.0, Part::Bytes(0))
    }

    /// Reads the bytes up to the end of the body: returns how many they are.
    pub fn take(&mut self, bytes: &[u8]) -> usize {
        let mut taken = 0;
        while taken < bytes.len() && !self.has_ended() {
            let here = bytes.len() - taken;
            let many = |left: u64| usize::try_from(left).map_or(here, |left| left.min(here));
            match self.0 {
                Part::Endless => return bytes.len(),
                Part::Bytes(left) => {
                    self.0 = Part::Bytes(left - many(left) as u64);
                    taken += many(left);
                }
                Part::Data(left) => {
                    let rest = left - many(left) as u64;
                    self.0 = if rest == 0 { Part::DataCr } else { Part::Data(rest) };
                    taken += many(left);
                }
                part => {
                    self.0 = part.after(bytes[taken]);
                    taken += 1;
                }
            }
        }
        taken
    }
}

impl Part {
    /// What comes after a byte between the data of chunks (section 7.1), as the HTTP layer reads it.
    fn after(self, byte: u8) -> Self {
        let digit = char::from(byte).to_digit(16).map(u64::from);
        match (self, byte) {
            (Self::Size, _) => digit.map_or(Self::Endless, Self::Digits),
            (Self::Digits(size) | Self::Extension(size), b'\r') => Self::SizeLf(size),
            (Self::Digits(size), b' ' | b'\t' | b';') | (Self::Extension(size), _) => Self::Extension(size),
            (Self::Digits(size), _) => {
                let grown = digit.and_then(|digit| size.checked_mul(16)?.checked_add(digit));
                grown.map_or(Self::Endless, Self::Digits)
            }
            (Self::SizeLf(0) | Self::TrailerLf, b'\n') => Self::EndCr,
            (Self::SizeLf(size), b'\n') => Self::Data(size),
            (Self::DataCr, b'\r') => Self::DataLf,
            (Self::DataLf, b'\n') => Self::Size,
            (Self::EndCr, b'\r') => Self::EndLf,
            (Self::EndLf, b'\n') => Self::Bytes(0),
            (Self::Trailer, b'\r') => Self::TrailerLf,
            (Self::EndCr | Self::Trailer, _) => Self::Trailer,
            _ => Self::Endless,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many bytes belong to the head if they arrive in pieces of `size`.
    fn head(text: &str, size: usize) -> (usize, bool, Vec<u8>) {
        let (mut head, mut bytes, mut all) = (Head::default(), text.as_bytes().to_vec(), 0);
        for piece in bytes.chunks_mut(size) {
            let (taken, ended) = head.take(piece);
            all += taken;
            if ended {
                return (all, true, bytes);
            }
        }
        (all, false, bytes)
    }

    #[test]
    fn a_head_ends_with_its_empty_line_however_it_comes() {
        let check = |text: &str, expected: Option<usize>| {
            for size in [1, 2, 3, 1000] {
                let (taken, ended, _) = head(text, size);
                assert_eq!(ended.then_some(taken), expected, "{text:?} by {size}");
            }
        };
        check("GET / HTTP/1.1\r\nhost: x\r\n\r\nGET", Some(27));
        check("\r\n\r\nGET / HTTP/1.1\r\n\r\n", Some(22));
        check("GET / HTTP/1.1\r\nhost: x\r\n", None);
        check("GET / HTTP/1.1\r\nhost: x\n\nGET / HTTP/1.1\r\n\r\n", Some(43));
    }

    #[test]
    fn a_bare_line_feed_ends_no_line() {
        for text in
            ["GET / HTTP/1.1\nhost: x\r\n\r\n", "\nGET / HTTP/1.1\r\n\r\n", "GET /\r\na: b\n\n\r\n\r\n"]
        {
            let (_, _, seen) = head(text, 2);
            assert!(seen.contains(&0), "{text:?}");
        }
        assert!(!head("GET / HTTP/1.1\r\nhost: x\r\n\r\n", 1).2.contains(&0));
    }

    #[test]
    fn a_body_ends_where_its_length_says() {
        let check = |length: Length, text: &str, expected: Option<usize>| {
            for size in [1, 2, 3, 1000] {
                let mut body = Body::new(length);
                let taken: usize = text.as_bytes().chunks(size).map(|piece| body.take(piece)).sum();
                assert_eq!(body.has_ended().then_some(taken), expected, "{text:?} by {size}");
            }
        };
        check(Length::Bytes(0), "GET", Some(0));
        check(Length::Bytes(3), "abcGET", Some(3));
        check(Length::Bytes(9), "abc", None);
        check(Length::Chunked, "3\r\nabc\r\n0\r\n\r\nGET", Some(13));
        check(Length::Chunked, "3;x=\"y\"\r\na\r\n\r\n0\r\nt: x\r\nu: y\r\n\r\nGET", Some(31));
        check(Length::Chunked, "0\r\n\r\n", Some(5));
        check(Length::Chunked, "1f\r\nabc", None);
        check(Length::Chunked, "ffffffffffffffff1\r\nabc", None);
        check(Length::Chunked, "3\nabc\r\n0\r\n\r\n", None);
        check(Length::Endless, "anything", None);
    }
}
