//! A page as it is remembered: with gaps where each response has a nonce and a token of its own.

use memchr::memchr2;

/// Where a nonce stands. No page contains these characters: see `client::visible`.
const NONCE: char = '\u{0}';
/// Where the token stands.
const TOKEN: char = '\u{1}';
/// Between the policy and the page.
const END: char = '\u{2}';

/// A policy and its page, with gaps in place of this nonce and this token.
pub fn with_gaps(policy: &str, html: &str, nonce: &str, token: &str) -> String {
    let cut = |text: &str| text.replace(nonce, NONCE.encode_utf8(&mut [0; 4]));
    let html = cut(html).replace(token, TOKEN.encode_utf8(&mut [0; 4]));
    format!("{}{END}{html}", cut(policy))
}

/// The policy and the page with this nonce and this token.
pub fn filled(gaps: &str, nonce: &str, token: &str) -> (String, String) {
    let (policy, html) = gaps.split_once(END).unwrap_or_default();
    (fill(policy, nonce, token), fill(html, nonce, token))
}

fn fill(mut gaps: &str, nonce: &str, token: &str) -> String {
    let mut text = String::with_capacity(gaps.len() + token.len() + 10 * nonce.len());
    while let Some(place) = memchr2(NONCE as u8, TOKEN as u8, gaps.as_bytes()) {
        text.push_str(&gaps[..place]);
        text.push_str(if gaps[place..].starts_with(NONCE) { nonce } else { token });
        gaps = &gaps[place + 1..];
    }
    text.push_str(gaps);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_filled_as_it_was_with_another_nonce_and_token() {
        let page = |nonce: &str, token: &str| {
            (format!("script-src 'nonce-{nonce}'"), format!("ä<a {nonce}>{token}</a><b {nonce}>ö{token}"))
        };
        let (policy, html) = page("n1", "t.1");
        let gaps = with_gaps(&policy, &html, "n1", "t.1");
        assert_eq!(filled(&gaps, "longer", ""), page("longer", ""));
        assert_eq!(filled(&gaps, "n1", "t.1"), (policy, html));
    }
}
