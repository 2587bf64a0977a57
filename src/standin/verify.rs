//! One token, checked by itself: signature, times, types. `people` decides who it names.

use super::claims::{self, Claims};
use super::play::Play;
use super::refusal::Refusal;
use super::token;

/// The claims of `token` if everything about it is right at `now` (unix seconds), otherwise the first
/// thing that is wrong. The order is that of a careful verifier: format, algorithm, signature, times,
/// claims.
///
/// # Errors
/// A [`Refusal`] for anything that makes the token unacceptable under `play`.
pub fn verify(token: &str, secret: &[u8], play: &Play, now: i64) -> Result<Claims, Refusal> {
    let payload = token::open(token, secret, play.secret)?;
    claims::check_times(&payload, play, now)?;
    claims::read(payload, play.unknown_claims)
}
