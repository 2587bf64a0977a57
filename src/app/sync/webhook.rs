//! Calls of Deskpro's CRM Sync: a person was created, updated or deleted. The content of a call is not trusted: the people it
//! names are read from the API and judged like in a comparison.

use secrecy::{ExposeSecret as _, SecretString};
use subtle::ConstantTimeEq as _;

use crate::app::audit::{Event, record};
use crate::app::desks::gone;
use crate::app::rates::Bucket;
use crate::app::{App, AppError, Caller, clock};
use crate::core::id::DeskId;
use crate::core::person_event::PersonEvent;
use crate::store::{Error, desks, people, secrets};

/// The user name of calls.
pub const USER_NAME: &str = "deskpro";
/// `called_at` is written again after this long, in seconds.
const CALL_WRITTEN_EVERY: i64 = 60;

/// What a call proves itself with.
#[derive(Default)]
pub struct Presented {
    /// User name and password of basic authentication, as `NAME:PASSWORD`.
    pub basic: Option<SecretString>,
    /// The value of the header, if a proxy in front of Countersign uses `Authorization` itself.
    pub header: Option<SecretString>,
}

impl App {
    /// Lets Deskpro call, with a new secret in place of an earlier one. Returns the secret, which cannot be shown again.
    pub fn allow_calls(&self, id: &DeskId, caller: &Caller) -> Result<String, AppError> {
        let (now, secret, secret_id) = (self.now(), clock::new_secret(), clock::new_id());
        let sealed = self.0.seal.seal(&secret_id, secret.as_bytes(), clock::random());
        self.store().write(now, |tx| {
            let desk = desks::hold(tx, id)?.ok_or_else(gone)?;
            secrets::put(tx, &secret_id, secrets::WEBHOOK, &sealed)?;
            desks::set_webhook(tx, id, Some(&secret_id))?;
            if let Some(before) = &desk.webhook_id {
                secrets::delete(tx, before)?;
            }
            record(tx, now, caller, &Event::WebhookSet { helpdesk: desk.origin, on: true }, id)?;
            Ok::<_, AppError>(())
        })?;
        Ok(secret)
    }

    /// No longer lets Deskpro call.
    pub fn refuse_calls(&self, id: &DeskId, caller: &Caller) -> Result<(), AppError> {
        let now = self.now();
        self.store().write(now, |tx| {
            let desk = desks::hold(tx, id)?.ok_or_else(gone)?;
            let Some(before) = &desk.webhook_id else { return Ok(()) };
            desks::set_webhook(tx, id, None)?;
            secrets::delete(tx, before)?;
            record(tx, now, caller, &Event::WebhookSet { helpdesk: desk.origin, on: false }, id)?;
            Ok::<_, AppError>(())
        })
    }

    /// Whether a call comes from somebody who knows the secret; the same answer for a desk that does not exist.
    pub fn is_call_allowed(&self, id: &DeskId, presented: &Presented) -> Result<bool, AppError> {
        let sealed = self.store().read(|db| {
            let webhook = desks::by_id(db, id)?.and_then(|desk| desk.webhook_id);
            let sealed = webhook.as_ref().map(|webhook| secrets::by_id(db, webhook)).transpose()?;
            Ok::<_, AppError>(webhook.zip(sealed.flatten()))
        })?;
        let secret = sealed.and_then(|(webhook, sealed)| self.0.seal.open(&webhook, &sealed));
        let Some(secret) = secret else { return Ok(false) };
        let basic = [USER_NAME.as_bytes(), b":", &secret].concat();
        let is = |presented: &Option<SecretString>, expected: &[u8]| {
            let presented = presented.as_ref().map_or("", |secret| secret.expose_secret());
            presented.as_bytes().ct_eq(expected)
        };
        Ok((is(&presented.basic, &basic) | is(&presented.header, &secret)).into())
    }

    /// Marks the people that a call names, so that they are looked at soon. Returns how many users that are.
    pub fn person_changed(&self, id: &DeskId, event: &PersonEvent) -> Result<u64, AppError> {
        self.0.call_rates.take(Bucket::of(id.as_str())).map_err(AppError::TooMany)?;
        let now = self.now_for_all()?;
        Ok(self.store().write(now, |tx| {
            let marked = people::mark_look(tx, id, event, now)?;
            desks::called(tx, id, now, CALL_WRITTEN_EVERY)?;
            Ok::<_, Error>(marked)
        })?)
    }
}
