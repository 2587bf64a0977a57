//! Why a value did not reach its claim: a code that is counted by, and a sentence that is shown.

use serde::ser::{Serialize, SerializeStruct, Serializer};

/// A reason for something that is missing. Serialised as `{"code", "message"}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Why {
    /// The user has no such attribute, or nothing in it.
    NotSet,
    /// No such attribute exists any more (`mapping.md` 3.5).
    UnknownAttribute,
    /// Nothing but white space and invisible characters.
    Blank,
    /// Above 8,192 bytes.
    TooLong,
    /// More than 1,000 items.
    TooManyItems,
    /// None of the texts could be filled.
    NoText,
    /// A part of the text is not there.
    PartMissing,
    /// A list where one text is asked for.
    IsList,
    /// Not in the lookup's table.
    NotInTable,
    /// In the lookup's table, with an output that is left empty.
    EmptyOutput,
    /// Not the date that the step reads.
    UnreadableDate,
    /// Neither yes nor no.
    NeitherYesNorNo,
    /// The steps of the mapping wrote more than is allowed for one user.
    TooMuchWork,
    /// No Deskpro id.
    NotAnId,
    /// A group that Deskpro implies.
    ImpliedGroup,
    /// No address.
    NotAnAddress,
    /// No IANA time zone.
    NotATimezone,
    /// An identifier without proof.
    Unverified,
    /// The same item came earlier.
    GivenAlready,
    /// The item equals the claim `email`.
    EqualsEmail,
    /// The rule's condition does not hold.
    ConditionFalse,
    /// `"token": "id"` signs `deskpro_id` alone.
    NotSigned,
}

/// All of them.
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

    /// Whether it is the value that is not as it must be, so that a list of the values says what to
    /// change. An address without proof is none of them: every user has another.
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

    /// The sentence of a code; the code's own words are lost with an older program's report.
    pub fn message_of(code: &str) -> &'static str {
        let known = ALL.iter().find(|why| why.code() == code);
        known.map_or("There is another reason.", |why| why.message())
    }

    /// What happened, in a sentence.
    pub fn message(self) -> &'static str {
        match self {
            Why::NotSet => "The user has nothing in this attribute.",
            Why::UnknownAttribute => "This attribute does not exist any more.",
            Why::Blank => "There is nothing in it but white space or invisible characters.",
            Why::TooLong => "It is longer than 8,192 bytes.",
            Why::TooManyItems => "It has more than 1,000 items.",
            Why::NoText => "None of the texts has all its parts.",
            Why::PartMissing => "A part of this text is not there.",
            Why::IsList => "It is a list, and only one text fits here.",
            Why::NotInTable => "The lookup's table has no such value.",
            Why::EmptyOutput => "The lookup table has an empty output for this value.",
            Why::UnreadableDate => "It is not a date of the form that the step reads.",
            Why::NeitherYesNorNo => "It says neither yes nor no.",
            Why::TooMuchWork => "The steps of this mapping write too much for one user.",
            Why::NotAnId => "It is no Deskpro id: 1 to 18 digits, the first not 0.",
            Why::ImpliedGroup => "Deskpro implies the groups 1 and 2; they cannot be given.",
            Why::NotAnAddress => "It is no e-mail address that can be signed.",
            Why::NotATimezone => "It is no name of a time zone in the IANA database.",
            Why::Unverified => "Nobody proved that it is the user's.",
            Why::GivenAlready => "The same item is in the list already.",
            Why::EqualsEmail => "It is the claim “email” already.",
            Why::ConditionFalse => "The rule's condition does not hold for this user.",
            Why::NotSigned => "The token carries deskpro_id alone.",
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
