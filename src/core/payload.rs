//! The payload: the twelve claims of Deskpro Messenger's JWT in their exact JSON types, and the
//! length of the token that carries them. Signing itself is in `token`.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::{Deserialize, Serialize};

/// The longest signed token, in bytes (`mapping.md` 3.4).
pub const MAX_TOKEN_BYTES: usize = 8192;

/// `{"typ":"JWT","alg":"HS256"}` in base64url, in bytes.
const HEADER_BYTES: usize = 36;

/// An HS256 signature in base64url, in bytes.
const SIGNATURE_BYTES: usize = 43;

/// `"iat":1700000000` or `"exp":1700000000`, in bytes. Unix seconds have ten digits until 2286.
const TIME_BYTES: usize = 16;

/// What a token says about a user. Absent claims are left out; a list is empty only if the mapping
/// sends it empty. The signer adds `iat` and `exp` as the last claims.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Payload {
    /// The id of a Deskpro person, an identifier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deskpro_id: Option<String>,
    /// The verified address, an identifier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Further addresses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub emails: Option<Vec<String>>,
    /// The full name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The first name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    /// The last name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    /// The id of an organization.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization_id: Option<String>,
    /// The id of a Deskpro language.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language_id: Option<String>,
    /// Ids of user groups, without the implied 1 and 2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usergroup_ids: Option<Vec<String>>,
    /// Custom user fields by their ids.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, Texts>,
    /// The name of an IANA time zone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// Labels, free text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<Vec<String>>,
}

/// The value of a claim: a string or a list of strings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Texts {
    /// One string.
    One(String),
    /// A list of strings.
    List(Vec<String>),
}

impl Payload {
    /// The payload when only `deskpro_id` is signed, because Deskpro knows the users already (upfront).
    #[must_use]
    pub fn id_alone(&self) -> Payload {
        Payload { deskpro_id: self.deskpro_id.clone(), ..Payload::default() }
    }

    /// Every address in it: `email`, then `emails`.
    pub fn addresses(&self) -> impl Iterator<Item = &str> {
        let further = self.emails.iter().flatten();
        self.email.iter().chain(further).map(String::as_str)
    }

    /// The length in bytes of the signed token that carries this payload and these times.
    pub fn token_bytes(&self, iat: bool, exp: bool) -> usize {
        let mut json = Counter(0);
        serde_json::to_writer(&mut json, self)
            .expect("a payload consists of strings and lists, and counting cannot fail");
        let times = usize::from(iat) + usize::from(exp);
        let commas = if *self == Payload::default() { times.saturating_sub(1) } else { times };
        let payload = json.0 + times * TIME_BYTES + commas;
        // Three bytes become four characters; base64url in a JWT is not padded (RFC 7515 section 2).
        HEADER_BYTES + 1 + (payload * 4).div_ceil(3) + 1 + SIGNATURE_BYTES
    }
}

struct Counter(usize);

impl Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
