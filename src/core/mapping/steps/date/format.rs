//! Date formats: what they may contain, and how a date is written with one. `read` reads a date.

use jiff::civil::DateTime;

/// A checked format, as its pieces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Format {
    pub(super) pieces: Vec<Piece>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Literal(char),
    Field(Field),
}

/// What a directive reads or writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    /// Four digits.
    Year,
    /// Two digits: 1969 to 2068.
    ShortYear,
    Month,
    /// Three letters when it is written.
    ShortMonthName,
    MonthName,
    Day,
    Hour,
    /// 1 to 12, with [`Field::HalfDay`].
    Hour12,
    /// AM or PM.
    HalfDay,
    Minute,
    Second,
    /// 1 to 9 digits, which are dropped.
    Fraction,
    /// A zone or its offset from UTC, which is not applied.
    Offset,
    /// Anything that is left at the end.
    Rest,
    /// Unix time in seconds or milliseconds, without other directives.
    Unix,
}

const DIRECTIVES: [(char, Field); 15] = [
    ('Y', Field::Year),
    ('y', Field::ShortYear),
    ('m', Field::Month),
    ('b', Field::ShortMonthName),
    ('B', Field::MonthName),
    ('d', Field::Day),
    ('H', Field::Hour),
    ('I', Field::Hour12),
    ('p', Field::HalfDay),
    ('M', Field::Minute),
    ('S', Field::Second),
    ('f', Field::Fraction),
    ('z', Field::Offset),
    ('*', Field::Rest),
    ('s', Field::Unix),
];

/// Directives that `in` may have at most once, and whether one of each group is required.
const GROUPS: [(&[Field], &str, bool); 9] = [
    (&[Field::Year, Field::ShortYear], "the year (%Y or %y)", true),
    (&[Field::Month, Field::ShortMonthName, Field::MonthName], "the month (%m, %b or %B)", true),
    (&[Field::Day], "the day (%d)", true),
    (&[Field::Hour, Field::Hour12], "the hour (%H, or %I with %p)", false),
    (&[Field::HalfDay], "%p", false),
    (&[Field::Minute], "%M", false),
    (&[Field::Second], "%S", false),
    (&[Field::Fraction], "%f", false),
    (&[Field::Offset], "%z", false),
];

/// The English names of the months.
pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

impl Format {
    /// A format for reading dates, or what is wrong with it.
    pub fn to_read(written: &str) -> Result<Format, String> {
        let format = Format::parse(written.trim())?;
        if format.count(&[Field::Unix]) > 0 {
            let is_alone = format.pieces.len() == 1;
            return if is_alone { Ok(format) } else { Err("%s must be the only directive".to_owned()) };
        }
        for (fields, name, is_needed) in GROUPS {
            match format.count(fields) {
                0 if is_needed => return Err(format!("{name} is missing")),
                0 | 1 => {}
                _ => return Err(format!("{name} appears twice")),
            }
        }
        if format.count(&[Field::Hour12]) != format.count(&[Field::HalfDay]) {
            return Err("%I and %p must be used together".to_owned());
        }
        let rest = format.pieces.iter().position(|piece| *piece == Piece::Field(Field::Rest));
        if rest.is_some_and(|at| at + 1 < format.pieces.len()) {
            return Err("%* must be at the end".to_owned());
        }
        Ok(format)
    }

    /// A format for writing dates, or what is wrong with it.
    pub fn to_write(written: &str) -> Result<Format, String> {
        let format = Format::parse(written.trim())?;
        let only_read = [Field::Unix, Field::Fraction, Field::Offset, Field::Rest];
        let odd =
            DIRECTIVES.iter().find(|(_, field)| only_read.contains(field) && format.count(&[*field]) > 0);
        if let Some((letter, _)) = odd {
            return Err(format!("%{letter} can only be read, not written"));
        }
        if format.pieces.iter().any(|piece| matches!(piece, Piece::Field(_))) {
            Ok(format)
        } else {
            Err("it contains no part of a date".to_owned())
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
            let field = DIRECTIVES.iter().find(|(letter, _)| Some(*letter) == directive);
            pieces.push(match (field, directive) {
                (Some((_, field)), _) => Piece::Field(*field),
                (None, Some('%')) => Piece::Literal('%'),
                (None, Some(other)) => return Err(format!("%{other} is unknown")),
                (None, None) => return Err("it ends with a single %".to_owned()),
            });
        }
        Ok(Format { pieces })
    }

    /// How many of its directives are one of these.
    fn count(&self, fields: &[Field]) -> usize {
        let is_one = |piece: &&Piece| matches!(piece, Piece::Field(field) if fields.contains(field));
        self.pieces.iter().filter(is_one).count()
    }

    /// Whether it reads a unix time.
    pub fn is_unix(&self) -> bool {
        self.pieces == [Piece::Field(Field::Unix)]
    }

    pub fn write(&self, date: DateTime) -> String {
        let month = MONTHS[usize::from(date.month().unsigned_abs()).saturating_sub(1).min(11)];
        let write = |piece: &Piece| match piece {
            Piece::Literal(letter) => letter.to_string(),
            Piece::Field(Field::Year) => format!("{:04}", date.year()),
            Piece::Field(Field::ShortYear) => format!("{:02}", date.year() % 100),
            Piece::Field(Field::Month) => format!("{:02}", date.month()),
            Piece::Field(Field::ShortMonthName) => month[..3].to_owned(),
            Piece::Field(Field::MonthName) => month.to_owned(),
            Piece::Field(Field::Day) => format!("{:02}", date.day()),
            Piece::Field(Field::Hour) => format!("{:02}", date.hour()),
            Piece::Field(Field::Hour12) => format!("{:02}", (date.hour() + 11) % 12 + 1),
            Piece::Field(Field::HalfDay) => if date.hour() < 12 { "AM" } else { "PM" }.to_owned(),
            Piece::Field(Field::Minute) => format!("{:02}", date.minute()),
            Piece::Field(Field::Second) => format!("{:02}", date.second()),
            // A format for writing never has one of these.
            Piece::Field(Field::Fraction | Field::Offset | Field::Rest | Field::Unix) => String::new(),
        };
        self.pieces.iter().map(write).collect()
    }
}
