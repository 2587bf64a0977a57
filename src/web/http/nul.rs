//! Bodies with the NUL character. Nothing that we store can contain it (PostgreSQL accepts none in a
//! string), so it is refused before a form or JSON is read, for every field of every route.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::HttpMessage as _;
use actix_web::dev::{Payload, ServiceRequest};
use actix_web::error::PayloadError;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::Bytes;
use futures_core::Stream;

/// Ends a request's body with an error at a NUL, if it is a form or JSON.
pub fn refuse(request: &mut ServiceRequest) {
    let kind = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    let writing = if kind.eq_ignore_ascii_case("application/json") {
        Writing::Json
    } else if kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        Writing::Form
    } else {
        return;
    };
    let body = request.take_payload();
    if matches!(body, Payload::None) {
        return;
    }
    let payload = Box::pin(Checked { body, scan: Scan { writing, seen: 0 } });
    request.set_payload(Payload::Stream { payload });
}

/// How a body writes characters that it cannot contain directly.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Writing {
    /// `%00`
    Form,
    /// `\u0000`
    Json,
}

struct Scan {
    writing: Writing,
    /// How much of an encoded NUL the last bytes are.
    seen: usize,
}

impl Scan {
    /// Whether there is a NUL in the next bytes.
    fn finds(&mut self, bytes: &[u8]) -> bool {
        bytes.iter().any(|byte| *byte == 0 || self.ends(*byte))
    }

    fn ends(&mut self, byte: u8) -> bool {
        let written: &[u8] = if self.writing == Writing::Form { b"%00" } else { b"\\u0000" };
        if byte == written[self.seen] {
            self.seen += 1;
        } else {
            // A backslash after a backslash starts no escape: it is the second half of one.
            let is_escaped = self.writing == Writing::Json && self.seen == 1;
            self.seen = usize::from(!is_escaped && byte == written[0]);
        }
        let is_whole = self.seen == written.len();
        if is_whole {
            self.seen = 0;
        }
        is_whole
    }
}

struct Checked {
    body: Payload,
    scan: Scan,
}

impl Stream for Checked {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let polled = Pin::new(&mut self.body).poll_next(context);
        match polled {
            Poll::Ready(Some(Ok(bytes))) if self.scan.finds(&bytes) => {
                let error = io::Error::new(io::ErrorKind::InvalidData, "it contains a NUL character");
                Poll::Ready(Some(Err(PayloadError::Io(error))))
            }
            polled => polled,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nul_is_found_however_it_is_written_and_cut() {
        let check = |writing: Writing, text: &str, expected: bool| {
            for size in [1, 2, 3, 100] {
                let mut scan = Scan { writing, seen: 0 };
                let found = text.as_bytes().chunks(size).any(|piece| scan.finds(piece));
                assert_eq!(found, expected, "{text:?} by {size}");
            }
        };
        check(Writing::Form, "a=%00", true);
        check(Writing::Form, "a=\0", true);
        check(Writing::Form, "a=%0%00", true);
        check(Writing::Form, "a=%%00", true);
        check(Writing::Form, "a=%2500&b=%0a0&c=00", false);
        check(Writing::Json, r#"{"a":"\u0000"}"#, true);
        check(Writing::Json, r#"{"a":"\\\u0000"}"#, true);
        check(Writing::Json, r#"{"a":"\n\u0000"}"#, true);
        check(Writing::Json, r#"{"a":"\\u0000"}"#, false);
        check(Writing::Json, r#"{"a":"\u00001"}"#, true);
        check(Writing::Json, r#"{"a":"\u0001 0000 %00"}"#, false);
    }
}
