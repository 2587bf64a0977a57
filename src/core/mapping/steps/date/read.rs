//! Reads a date with a format: from left to right, each directive takes as much as it can, without
//! backtracking (`mapping.md` section 2).

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::format::{Field, Format, MONTHS, Piece};

impl Format {
    /// The date in a trimmed string in this format; `None` if the string is not such a date.
    pub(super) fn read(&self, text: &str) -> Option<DateTime> {
        let mut reader = Reader { text, at: 0 };
        let mut found = Parts::default();
        for piece in &self.pieces {
            match piece {
                Piece::Literal(letter) => reader.literal(*letter)?,
                Piece::Field(Field::Unix) => return unix(text),
                Piece::Field(field) => found.take(*field, &mut reader)?,
            }
        }
        if reader.at < text.len() { None } else { found.date() }
    }
}

/// The parts that were read; a part that the format lacks is 0.
#[derive(Default)]
struct Parts {
    year: i16,
    month: i8,
    day: i8,
    hour: i8,
    minute: i8,
    second: i8,
    /// The hour of half a day, and which half.
    half: Option<(i8, bool)>,
}

impl Parts {
    fn take(&mut self, field: Field, reader: &mut Reader<'_>) -> Option<()> {
        match field {
            Field::Year => self.year = reader.digits(4, 4)?.parse().ok()?,
            Field::ShortYear => {
                let year: i16 = reader.digits(2, 2)?.parse().ok()?;
                self.year = if year <= 68 { 2000 + year } else { 1900 + year };
            }
            Field::Month => self.month = reader.number()?,
            Field::ShortMonthName | Field::MonthName => self.month = reader.month_name()?,
            Field::Day => self.day = reader.number()?,
            Field::Hour => self.hour = reader.number()?,
            Field::Hour12 => self.half.get_or_insert_default().0 = reader.number()?,
            Field::HalfDay => self.half.get_or_insert_default().1 = reader.is_afternoon()?,
            Field::Minute => self.minute = reader.number()?,
            Field::Second => self.second = reader.number()?,
            Field::Fraction => {
                let digits = reader.digits(1, usize::MAX)?;
                return (digits.len() <= 9).then_some(());
            }
            Field::Offset => reader.offset()?,
            Field::Rest => reader.rest()?,
            // Never together with other directives.
            Field::Unix => return None,
        }
        Some(())
    }

    fn date(self) -> Option<DateTime> {
        let hour = match self.half {
            None => self.hour,
            Some((hour @ 1..=12, afternoon)) => hour % 12 + if afternoon { 12 } else { 0 },
            Some(_) => return None,
        };
        if self.year < 1 {
            return None;
        }
        DateTime::new(self.year, self.month, self.day, hour, self.minute, self.second, 0).ok()
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn left(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn literal(&mut self, letter: char) -> Option<()> {
        if !self.left().starts_with(letter) {
            return None;
        }
        self.at += letter.len_utf8();
        Some(())
    }

    /// As many digits as there are, at least `least` and at most `most`.
    fn digits(&mut self, least: usize, most: usize) -> Option<&'a str> {
        let left = self.left();
        let width = left.bytes().take_while(u8::is_ascii_digit).count().min(most);
        if width < least {
            return None;
        }
        self.at += width;
        Some(&left[..width])
    }

    /// A number of two digits if there are two, otherwise of one.
    fn number(&mut self) -> Option<i8> {
        self.digits(1, 2)?.parse().ok()
    }

    /// Skips this word if it is next, in uppercase or lowercase ASCII.
    fn took(&mut self, word: &str) -> bool {
        let is_next = self.left().get(..word.len()).is_some_and(|next| next.eq_ignore_ascii_case(word));
        self.at += if is_next { word.len() } else { 0 };
        is_next
    }

    /// The number of a month, from its whole name or its first three letters.
    fn month_name(&mut self) -> Option<i8> {
        let month = MONTHS.iter().position(|name| self.took(name) || self.took(&name[..3]))?;
        i8::try_from(month + 1).ok()
    }

    fn is_afternoon(&mut self) -> Option<bool> {
        if self.took("AM") { Some(false) } else { self.took("PM").then_some(true) }
    }

    /// The longest form of an offset. A number above its limits does not match that form.
    fn offset(&mut self) -> Option<()> {
        let left = self.left().as_bytes();
        let number = |digits: Option<&[u8]>, most: u8| match digits {
            Some([tens @ b'0'..=b'9', ones @ b'0'..=b'9']) => (tens - b'0') * 10 + (ones - b'0') <= most,
            _ => false,
        };
        let width = if matches!(left.first(), Some(b'+' | b'-')) && number(left.get(1..3), 14) {
            if left.get(3) == Some(&b':') && number(left.get(4..6), 59) {
                6
            } else if number(left.get(3..5), 59) {
                5
            } else {
                3
            }
        } else {
            let is_word = self.took("UTC") || self.took("GMT") || self.took("Z");
            return is_word.then_some(());
        };
        self.at += width;
        Some(())
    }

    /// Anything that is left, unless that would split a number or a word.
    fn rest(&mut self) -> Option<()> {
        let before = self.text[..self.at].chars().next_back();
        if let (Some(before), Some(next)) = (before, self.left().chars().next()) {
            let both = |is: fn(&char) -> bool| is(&before) && is(&next);
            if both(char::is_ascii_digit) || both(char::is_ascii_alphabetic) {
                return None;
            }
        }
        self.at = self.text.len();
        Some(())
    }
}

/// 1 to 11 digits are seconds, 12 to 14 are milliseconds. The fraction of a second is dropped.
fn unix(text: &str) -> Option<DateTime> {
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let seconds = match text.len() {
        1..=11 => text.parse::<i64>().ok()?,
        12..=14 => text.parse::<i64>().ok()? / 1000,
        _ => return None,
    };
    let moment = Timestamp::from_second(seconds).ok()?;
    Some(TimeZone::UTC.to_datetime(moment))
}
