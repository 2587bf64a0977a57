//! Dates: read in one written form, written in another (`mapping.md` section 2).

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::Serialize;

/// A step that turns a date from one form into another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Date {
    #[serde(rename = "in")]
    input: Format,
    #[serde(rename = "out")]
    output: Format,
}

/// A checked format, as it was written and in its pieces.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(into = "String")]
pub(super) struct Format {
    written: String,
    pieces: Vec<Piece>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Piece {
    Literal(char),
    Field(Field),
    /// Unix seconds, alone and only where dates are read.
    Unix,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Year,
    Month,
    Day,
    Hour,
    Minute,
    Second,
}

const FIELDS: [(char, Field); 6] = [
    ('Y', Field::Year),
    ('m', Field::Month),
    ('d', Field::Day),
    ('H', Field::Hour),
    ('M', Field::Minute),
    ('S', Field::Second),
];

impl From<Format> for String {
    fn from(format: Format) -> String {
        format.written
    }
}

impl Format {
    /// A format that dates are read by, or what is wrong with it.
    pub fn to_read(written: &str) -> Result<Format, String> {
        let written = written.trim();
        if written == "%s" {
            let pieces = vec![Piece::Unix];
            return Ok(Format { written: written.to_owned(), pieces });
        }
        let format = Format::parse(written)?;
        for (letter, field) in FIELDS {
            let needed = matches!(field, Field::Year | Field::Month | Field::Day);
            match format.pieces.iter().filter(|p| **p == Piece::Field(field)).count() {
                0 if needed => return Err(format!("%{letter} is missing")),
                0 | 1 => {}
                _ => return Err(format!("%{letter} stands there twice")),
            }
        }
        Ok(format)
    }

    /// A format that dates are written by, or what is wrong with it.
    pub fn to_write(written: &str) -> Result<Format, String> {
        let format = Format::parse(written.trim())?;
        let writes = |piece: &Piece| matches!(piece, Piece::Field(_));
        if format.pieces.iter().any(writes) {
            Ok(format)
        } else {
            Err("no part of a date stands in it".to_owned())
        }
    }

    fn parse(written: &str) -> Result<Format, String> {
        let mut pieces = Vec::new();
        let mut letters = written.chars();
        while let Some(letter) = letters.next() {
            if letter != '%' {
                pieces.push(Piece::Literal(letter));
                continue;
            }
            let directive = letters.next();
            let field = FIELDS.iter().find(|(letter, _)| Some(*letter) == directive);
            pieces.push(match (field, directive) {
                (Some((_, field)), _) => Piece::Field(*field),
                (None, Some('%')) => Piece::Literal('%'),
                (None, Some('s')) => return Err("%s stands alone, and only in “in”".to_owned()),
                (None, Some(other)) => return Err(format!("%{other} is unknown")),
                (None, None) => return Err("a % stands alone at its end".to_owned()),
            });
        }
        let written = written.to_owned();
        Ok(Format { written, pieces })
    }

    fn read(&self, text: &str) -> Option<DateTime> {
        // In the order of `FIELDS`; what the format lacks is 0.
        let mut fields = [0_i16; 6];
        let mut rest = text;
        for piece in &self.pieces {
            match piece {
                Piece::Unix => return unix(text),
                Piece::Literal(letter) => rest = rest.strip_prefix(*letter)?,
                Piece::Field(field) => {
                    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
                    let width = match field {
                        Field::Year if digits < 4 => return None,
                        Field::Year => 4,
                        _ => digits.min(2),
                    };
                    // No digit at all is no number.
                    fields[*field as usize] = rest[..width].parse().ok()?;
                    rest = &rest[width..];
                }
            }
        }
        if !rest.is_empty() {
            return None;
        }
        let [year, month, day, hour, minute, second] = fields;
        if year < 1 {
            return None;
        }
        let small = |number: i16| i8::try_from(number).ok();
        let (month, day) = (small(month)?, small(day)?);
        let (hour, minute, second) = (small(hour)?, small(minute)?, small(second)?);
        DateTime::new(year, month, day, hour, minute, second, 0).ok()
    }

    fn write(&self, date: DateTime) -> String {
        let write = |piece: &Piece| match piece {
            Piece::Literal(letter) => letter.to_string(),
            Piece::Field(Field::Year) => format!("{:04}", date.year()),
            Piece::Field(Field::Month) => format!("{:02}", date.month()),
            Piece::Field(Field::Day) => format!("{:02}", date.day()),
            Piece::Field(Field::Hour) => format!("{:02}", date.hour()),
            Piece::Field(Field::Minute) => format!("{:02}", date.minute()),
            Piece::Field(Field::Second) => format!("{:02}", date.second()),
            Piece::Unix => String::new(),
        };
        self.pieces.iter().map(write).collect()
    }
}

fn unix(text: &str) -> Option<DateTime> {
    let digits = (1..=11).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    let seconds = if digits {
        text.parse().ok()?
    } else {
        return None;
    };
    let moment = Timestamp::from_second(seconds).ok()?;
    Some(TimeZone::UTC.to_datetime(moment))
}

impl Date {
    pub(super) fn new(input: Format, output: Format) -> Date {
        Date { input, output }
    }

    /// The date in its other form; none when the text is not a date of the first.
    pub(super) fn turn(&self, text: &str) -> Option<String> {
        Some(self.output.write(self.input.read(text)?))
    }
}
