//! Why a value is not in its claim: a code for statistics, and a sentence for people.

use serde::ser::{Serialize, SerializeStruct, Serializer};

/// A reason why something is missing. Serialised as `{"code", "message"}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Why {
    /// The user has no such attribute, or no value in it.
    NotSet,
    /// The attribute no longer exists (`mapping.md` 3.5).
    UnknownAttribute,
    /// Only white space and invisible characters.
    Blank,
    /// More than 8,192 bytes.
    TooLong,
    /// More than 1,000 items.
    TooManyItems,
    /// No text has values for all its parts.
    NoText,
    /// A part of the text has no value.
    PartMissing,
    /// A list where a single value is required.
    IsList,
    /// Not in the lookup's table.
    NotInTable,
    /// In the lookup's table, with an empty output.
    EmptyOutput,
    /// Not a date in the format that the step reads.
    UnreadableDate,
    /// Neither yes nor no.
    NeitherYesNorNo,
    /// The steps of the mapping wrote more than is allowed for one user.
    TooMuchWork,
    /// Not a Deskpro id.
    NotAnId,
    /// A group that Deskpro implies.
    ImpliedGroup,
    /// Not an address.
    NotAnAddress,
    /// Not an IANA time zone.
    NotATimezone,
    /// An identifier that is not verified or trusted (proved).
    Unverified,
    /// The list has the same item already.
    GivenAlready,
    /// The item equals the claim `email`.
    EqualsEmail,
    /// The rule's condition is not met.
    ConditionFalse,
    /// `"token": "id"` signs only `deskpro_id`.
    NotSigned,
}

/// All reasons.
const ALL: [Why; 22] = [
    Why::NotSet,
    Why::UnknownAttribute,
    Why::Blank,
    Why::TooLong,
    Why::TooManyItems,
    Why::NoText,
    Why::PartMissing,
    Why::IsList,
    Why::NotInTable,
    Why::EmptyOutput,
    Why::UnreadableDate,
    Why::NeitherYesNorNo,
    Why::TooMuchWork,
    Why::NotAnId,
    Why::ImpliedGroup,
    Why::NotAnAddress,
    Why::NotATimezone,
    Why::Unverified,
    Why::GivenAlready,
    Why::EqualsEmail,
    Why::ConditionFalse,
    Why::NotSigned,
];

impl Why {
    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Why::NotSet => "not_set",
            Why::UnknownAttribute => "unknown_attribute",
            Why::Blank => "blank",
            Why::TooLong => "too_long",
            Why::TooManyItems => "too_many_items",
            Why::NoText => "no_text",
            Why::PartMissing => "part_missing",
            Why::IsList => "is_list",
            Why::NotInTable => "not_in_table",
            Why::EmptyOutput => "empty_output",
            Why::UnreadableDate => "unreadable_date",
            Why::NeitherYesNorNo => "neither_yes_nor_no",
            Why::TooMuchWork => "too_much_work",
            Why::NotAnId => "not_an_id",
            Why::ImpliedGroup => "implied_group",
            Why::NotAnAddress => "not_an_address",
            Why::NotATimezone => "not_a_timezone",
            Why::Unverified => "unverified",
            Why::GivenAlready => "given_already",
            Why::EqualsEmail => "equals_email",
            Why::ConditionFalse => "condition_false",
            Why::NotSigned => "not_signed",
        }
    }

    /// Whether the reason lies in the value, so that a list of the values shows what to change. An address
    /// that is not verified is not such a reason: every user has a different one.
    pub(crate) fn is_in_the_value(self) -> bool {
        matches!(
            self,
            Why::TooLong
                | Why::NotInTable
                | Why::EmptyOutput
                | Why::UnreadableDate
                | Why::NeitherYesNorNo
                | Why::NotAnId
                | Why::ImpliedGroup
                | Why::NotAnAddress
                | Why::NotATimezone
        )
    }

    /// The sentence for a code. A report stores only codes. If another version of the program wrote it, a
    /// code may be unknown here.
    pub fn message_of(code: &str) -> &'static str {
        let known = ALL.iter().find(|why| why.code() == code);
        known.map_or("There is another reason.", |why| why.message())
    }

    /// What happened, in a sentence.
    pub fn message(self) -> &'static str {
        match self {
            Why::NotSet => "The user has no value in this attribute.",
            Why::UnknownAttribute => "This attribute no longer exists.",
            Why::Blank => "It contains only white space or invisible characters.",
            Why::TooLong => "It is longer than 8,192 bytes.",
            Why::TooManyItems => "It has more than 1,000 items.",
            Why::NoText => "No text has values for all its parts.",
            Why::PartMissing => "A part of this text has no value.",
            Why::IsList => "It is a list, but only a single value fits here.",
            Why::NotInTable => "The lookup table does not contain this value.",
            Why::EmptyOutput => "The lookup table has an empty output for this value.",
            Why::UnreadableDate => "It is not a date in the format that the step reads.",
            Why::NeitherYesNorNo => "It is neither yes nor no.",
            Why::TooMuchWork => "The steps of this mapping produce too much data for one user.",
            Why::NotAnId => "It is not a Deskpro id (1 to 18 digits, the first not 0).",
            Why::ImpliedGroup => "Deskpro implies groups 1 and 2, so they cannot be set.",
            Why::NotAnAddress => "It is not an email address that can be signed.",
            Why::NotATimezone => "It is not the name of a time zone in the IANA database.",
            Why::Unverified => "It is not verified as the user's own.",
            Why::GivenAlready => "The list already contains this item.",
            Why::EqualsEmail => "It is the same as the claim “email”.",
            Why::ConditionFalse => "This user does not meet the rule's condition.",
            Why::NotSigned => "The token carries only deskpro_id.",
        }
    }
}

impl Serialize for Why {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let mut reason = out.serialize_struct("Why", 2)?;
        reason.serialize_field("code", self.code())?;
        reason.serialize_field("message", self.message())?;
        reason.end()
    }
}
