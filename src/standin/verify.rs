//! One token, judged by itself: signature, times, types. Who it names is asked of `people`.

use super::claims::{self, Claims};
use super::play::Play;
use super::refusal::Refusal;
use super::token;

/// The claims of `token` if everything about it is right at `now` (unix seconds), else the first thing that is not.
/// The order is the one in which a careful verifier looks: form, algorithm, signature, times, claims.
///
/// # Errors
/// A [`Refusal`] for anything that makes the token unacceptable under `play`.
pub fn verify(token: &str, secret: &[u8], play: &Play, now: i64) -> Result<Claims, Refusal> {
    let payload = token::open(token, secret, play.secret)?;
    claims::check_times(&payload, play, now)?;
    claims::read(payload, play.unknown_claims)
}
