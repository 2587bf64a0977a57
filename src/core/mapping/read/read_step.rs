//! Reads the steps of a rule and judges each (`mapping.md` section 2 and 4).

use std::collections::HashSet;

use crate::core::attribute::is_blank;
use crate::core::mapping::apply::value::compared;
use crate::core::mapping::claim::Claim;
use crate::core::mapping::read::finding::{Findings, Place};
use crate::core::mapping::read::json::Json;
use crate::core::mapping::read::spot::{Spot, blank_text, duplicate_key, only_one};
use crate::core::mapping::steps::date::format::{Date, Format};
use crate::core::mapping::steps::step::{Lookup, Otherwise, Step};

/// Reads all steps of a rule; none when one of them cannot be read.
pub(crate) fn read_steps(
    found: &mut Findings,
    spot: &Spot<'_>,
    claim: Option<&Claim>,
    after_text: bool,
) -> Option<Vec<Step>> {
    let items = spot.list(found, "a list of steps")?;
    let steps: Vec<Option<Step>> = items
        .iter()
        .enumerate()
        .map(|(i, spot)| {
            let mut reader = StepReader { found, claim, is_first: i == 0, after_text };
            reader.step(spot)
        })
        .collect();
    steps.into_iter().collect()
}

struct StepReader<'a> {
    found: &'a mut Findings,
    claim: Option<&'a Claim>,
    is_first: bool,
    after_text: bool,
}

impl StepReader<'_> {
    fn step(&mut self, spot: &Spot<'_>) -> Option<Step> {
        const KNOWN: &str = "“split”, “date”, “yes_no”, “lookup”";
        match &spot.node.json {
            Json::Text(text) if text == "lower" => return Some(Step::Lower),
            Json::Text(text) if text == "upper" => {
                identifier_rule(self.found, self.claim, &spot.place);
                return Some(Step::Upper);
            }
            _ => {}
        }
        let needed = "“lower”, “upper”, or an object with “split”, “date”, “yes_no” or “lookup”";
        let mut keys = spot.object(self.found, needed)?;
        let (split, date) = (keys.take("split"), keys.take("date"));
        let (yes_no, lookup) = (keys.take("yes_no"), keys.take("lookup"));
        if date.is_some() || yes_no.is_some() || lookup.is_some() {
            identifier_rule(self.found, self.claim, &spot.place);
        }
        let split = split.map(|value| self.split(spot, &value));
        let date = date.map(|value| self.date(&value));
        let yes_no = yes_no.map(|value| self.yes_no(&value));
        let lookup = lookup.map(|value| self.lookup(&value));
        let kinds = [split, date, yes_no, lookup].into_iter().flatten().collect();
        only_one(self.found, spot, &keys, kinds, KNOWN)
    }

    /// A split that has no place here, or cuts addresses at something odd, has `bad_split` alone,
    /// whatever its separator is.
    fn split(&mut self, step: &Spot<'_>, value: &Spot<'_>) -> Option<Step> {
        if let Some((message, help)) = self.bad_split(value) {
            self.found.error("bad_split", &step.place, message, help);
            return None;
        }
        let separator = value.text(self.found, "a separator in double quotes")?;
        if separator.is_empty() {
            value.wrong_type(self.found, "a separator, such as “,”");
            return None;
        }
        Some(Step::Split(separator.to_owned()))
    }

    /// What is wrong with a split, and what to do.
    fn bad_split(&self, value: &Spot<'_>) -> Option<(&'static str, &'static str)> {
        const OF_ADDRESSES: [&str; 6] = [",", ";", "|", " ", "\n", "\r\n"];
        let is_odd = match &value.node.json {
            Json::Text(separator) => !OF_ADDRESSES.contains(&separator.as_str()),
            _ => false,
        };
        if self.claim.is_some_and(|claim| !claim.is_list()) {
            let message = "This claim takes one text, so there is nothing to cut.";
            Some((message, "Take the step out."))
        } else if !self.is_first {
            Some(("“split” stands behind another step.", "Put it first."))
        } else if self.after_text {
            let message = "What users write into a text would be cut with it.";
            let help = "Take the step out, or use an attribute instead of the text.";
            Some((message, help))
        } else if self.claim == Some(&Claim::Emails) && is_odd {
            let message = "Addresses cannot be cut here.";
            let help = "Cut at a comma, semicolon, bar, space or line break.";
            Some((message, help))
        } else {
            None
        }
    }

    fn date(&mut self, spot: &Spot<'_>) -> Option<Step> {
        let needed = "an object with “in” and “out”";
        let [input, output] = self.two(spot, ["in", "out"], needed)?;
        let input = input.and_then(|spot| {
            let help = "A format to read needs a year (%Y or %y), a month (%m, %b or %B) and a day (%d), \
                        once each; it may have %H, or %I with %p, and %M, %S, %f, %z, and %* at the end. \
                        Or it is %s alone (Unix time). %% is a percent sign.";
            self.format(&spot, Format::to_read, help)
        });
        let output = output.and_then(|spot| {
            let help = "A format to write needs at least one of %Y, %y, %m, %b, %B, %d, %H, %I, %p, %M \
                        and %S. %% is a percent sign.";
            self.format(&spot, Format::to_write, help)
        });
        Some(Step::Date(Date::new(input?, output?)))
    }

    fn format(
        &mut self,
        spot: &Spot<'_>,
        read: impl Fn(&str) -> Result<Format, String>,
        help: &str,
    ) -> Option<Format> {
        let text = spot.text(self.found, "a date format in double quotes, such as “%Y-%m-%d”")?;
        match read(text) {
            Ok(format) => Some(format),
            Err(fault) => {
                let message = format!("This is not a date format: {fault}.");
                self.found.error("bad_date", &spot.place, message, help);
                None
            }
        }
    }

    fn yes_no(&mut self, spot: &Spot<'_>) -> Option<Step> {
        let [yes, no] = self.two(spot, ["yes", "no"], "an object with “yes” and “no”")?;
        let yes = yes.and_then(|spot| spot.filled_text(self.found));
        let no = no.and_then(|spot| spot.filled_text(self.found));
        Some(Step::YesNo { yes: yes?, no: no? })
    }

    /// The values of an object with exactly these two keys.
    fn two<'a>(&mut self, spot: &Spot<'a>, names: [&str; 2], needed: &str) -> Option<[Option<Spot<'a>>; 2]> {
        let mut keys = spot.object(self.found, needed)?;
        let values = names.map(|name| keys.take(name));
        let absent = names.iter().zip(&values).filter(|(_, value)| value.is_none());
        let absent: Vec<&str> = absent.map(|(name, _)| *name).collect();
        keys.need(self.found, &absent);
        keys.no_others(self.found, &format!("“{}”, “{}”", names[0], names[1]));
        Some(values)
    }

    fn lookup(&mut self, spot: &Spot<'_>) -> Option<Step> {
        let mut keys = spot.object(self.found, "an object with “values”")?;
        let (values, otherwise) = (keys.take("values"), keys.take("otherwise"));
        let keep = keys.take("keep");
        if values.is_none() {
            keys.need(self.found, &["values"]);
        }
        keys.no_others(self.found, "“values”, “otherwise”, “keep”");
        if otherwise.is_some() && keep.is_some() {
            let message = "“otherwise” and “keep” say two different things.";
            self.found.error("wrong_type", &spot.place, message, "Keep one of them.");
        }
        let values = values.and_then(|spot| self.table(&spot));
        let otherwise = otherwise.map(|spot| spot.filled_text(self.found).map(Otherwise::Text));
        let keep = keep.map(|spot| spot.only_true(self.found).map(|()| Otherwise::Keep));
        let otherwise = match (otherwise, keep) {
            (None, None) => Some(Otherwise::Missing),
            (Some(one), None) | (None, Some(one)) => one,
            (Some(_), Some(_)) => None,
        };
        Some(Step::Lookup(Lookup::new(values?, otherwise?)))
    }

    fn table(&mut self, spot: &Spot<'_>) -> Option<Vec<(String, Option<String>)>> {
        let needed = "an object with at least one key and its text";
        let entries = spot.object(self.found, needed)?.into_list();
        if entries.is_empty() {
            spot.wrong_type(self.found, needed);
            return None;
        }
        let mut known = HashSet::new();
        let mut table = Some(Vec::new());
        for entry in entries {
            if !known.insert(compared(entry.key.trim())) {
                duplicate_key(self.found, &entry.place, entry.key);
                table = None;
                continue;
            }
            let key_is_blank = is_blank(entry.key);
            if key_is_blank {
                blank_text(self.found, &entry.place);
            }
            let output = match entry.value.node.json {
                Json::Null => Some(None),
                _ => entry.value.filled_text(self.found).map(Some),
            };
            let output = output.filter(|_| !key_is_blank);
            table = table.zip(output).map(|(mut table, output)| {
                table.push((entry.key.to_owned(), output));
                table
            });
        }
        table
    }
}

/// Says that this cannot make an identifier, if the claim is one.
pub(crate) fn identifier_rule(found: &mut Findings, claim: Option<&Claim>, place: &Place) {
    if let Some(claim) = claim.filter(|claim| claim.is_identifier()) {
        let message = format!(
            "“{claim}” decides who Deskpro takes the user for, so it comes straight from an attribute."
        );
        let help = "Use an attribute, without default and with no step but “lower” \
                    (and “split” for “emails”).";
        found.error("identifier_rule", place, message, help);
    }
}
