//! Alerts about synchronizations, to a URL that an admin chose. Every server looks, because the one that talks to the desk may
//! be what is wrong; one of them sends.

use secrecy::ExposeSecret as _;

use super::status::DeskStatus;
use crate::app::audit::{Event, record};
use crate::app::desks::gone;
use crate::app::{App, AppError, Caller, clock};
use crate::core::alert::{Kind, Tell, Told, Trouble, body, due};
use crate::core::id::DeskId;
use crate::core::sync::{PersonState, RunState};
use crate::outgoing::webhook::{self, Message, Receiver};
use crate::store::desks::StoredDesk;
use crate::store::{alerts, desks, secrets};

/// How long one server has for sending an alert (seconds).
const BUSY: i64 = 60;
/// How long after a failure it is tried again (seconds).
const AGAIN: i64 = 300;

impl App {
    /// Chooses where alerts of a desk are sent, with a new secret that signs them, in place of earlier ones. Returns the
    /// secret, which cannot be shown again.
    pub fn send_alerts_to(&self, id: &DeskId, url: &str, caller: &Caller) -> Result<String, AppError> {
        let (now, secret_id) = (self.now(), clock::new_id());
        let secret = webhook::secret(&clock::random::<32>());
        let sealed = self.0.seal.seal(&secret_id, secret.expose_secret().as_bytes(), clock::random());
        let url = url.trim();
        self.store().write(now, |tx| {
            let desk = desks::hold(tx, id)?.ok_or_else(gone)?;
            webhook::check(url, desk.is_private).map_err(AppError::Refused)?;
            secrets::put(tx, &secret_id, secrets::ALERTS, &sealed)?;
            desks::set_alerts(tx, id, Some((url, &secret_id)))?;
            if let Some(before) = &desk.alert_id {
                secrets::delete(tx, before)?;
            }
            // The new receiver knows nothing.
            alerts::forget(tx, id)?;
            record(tx, now, caller, &Event::AlertsSet { helpdesk: desk.origin, on: true }, id)?;
            Ok::<_, AppError>(())
        })?;
        Ok(secret.expose_secret().to_owned())
    }

    /// No longer sends alerts.
    pub fn send_no_alerts(&self, id: &DeskId, caller: &Caller) -> Result<(), AppError> {
        let now = self.now();
        self.store().write(now, |tx| {
            let desk = desks::hold(tx, id)?.ok_or_else(gone)?;
            let Some(before) = &desk.alert_id else { return Ok(()) };
            desks::set_alerts(tx, id, None)?;
            secrets::delete(tx, before)?;
            alerts::forget(tx, id)?;
            record(tx, now, caller, &Event::AlertsSet { helpdesk: desk.origin, on: false }, id)?;
            Ok::<_, AppError>(())
        })
    }

    /// Sends a test. `Refused` says why it did not arrive.
    pub fn test_alerts(&self, id: &DeskId) -> Result<(), AppError> {
        let stored = self.store().read(|db| desks::by_id(db, id))?.ok_or_else(gone)?;
        let Some(receiver) = self.receiver(&stored)? else {
            return Err(AppError::Refused("No alerts are sent. Enter a URL first.".into()));
        };
        self.send_alert(&receiver, &stored, Kind::Stopped, Tell::Raised, None)
            .map_err(|why| AppError::Refused(format!("The test did not arrive: {why}.")))
    }

    /// Sends the alerts that are due. To be called regularly, by every server.
    pub fn send_alerts(&self) -> Result<(), AppError> {
        for stored in self.desks()? {
            if self.is_stopping() {
                return Ok(());
            }
            // A synchronization that an admin paused has no news.
            if stored.alert_url.is_none() || stored.paused_at.is_some() {
                continue;
            }
            let status = self.desk_status(&stored.id)?;
            // While a run is going on, it is not certain that a problem has ended.
            let is_settled = status.running().is_none() && stored.wanted.is_none();
            for kind in Kind::ALL {
                let trouble = status.trouble_of(kind);
                // During a run, many may have failed who are sent before its end.
                let is_known = is_settled || trouble.is_some() && kind != Kind::Refused;
                if is_known {
                    self.send_if_due(&status, kind, trouble.as_ref())?;
                }
            }
        }
        Ok(())
    }

    fn send_if_due(
        &self,
        status: &DeskStatus,
        kind: Kind,
        trouble: Option<&Trouble>,
    ) -> Result<(), AppError> {
        let (id, now) = (&status.desk.id, self.now_for_all()?);
        let number = trouble.map_or(0, |trouble| trouble.number);
        let told = self.store().read(|db| alerts::of(db, id, kind))?;
        let is_over = trouble.is_none() && !told.is_raised && !told.problem.is_empty();
        if is_over {
            // It ended before it could be told.
            let told = Told { busy_until: None, problem: String::new(), ..told };
            self.store().write(now, |tx| alerts::put(tx, id, kind, &told))?;
            return Ok(());
        }
        if due(kind, &told, trouble, now).is_none() && (!told.is_raised || told.number <= number) {
            return Ok(());
        }
        // Another server may be sending it.
        let claimed = self.store().write(now, |tx| {
            let Some(stored) = desks::hold(tx, id)?.filter(|desk| desk.alert_url.is_some()) else {
                return Ok(None);
            };
            let told = alerts::of(tx, id, kind)?;
            let tell = due(kind, &told, trouble, now);
            let busy_until = if tell.is_some() { Some(now + BUSY) } else { told.busy_until };
            // Fewer than before are no news, but more after that are.
            let told = Told { busy_until, number: told.number.min(number), ..told };
            alerts::put(tx, id, kind, &told)?;
            Ok::<_, AppError>(tell.map(|tell| (stored, tell, told)))
        })?;
        let Some((stored, tell, told)) = claimed else { return Ok(()) };
        let Some(receiver) = self.receiver(&stored)? else { return Ok(()) };
        let sent = self.send_alert(&receiver, &stored, kind, tell, trouble);
        let told = match sent {
            Ok(()) => {
                let is_raised = tell == Tell::Raised;
                let raised_at = if is_raised { Some(now) } else { told.raised_at };
                Told { is_raised, raised_at, number, busy_until: None, problem: String::new() }
            }
            Err(why) => {
                tracing::warn!(kind = kind.as_str(), "an alert could not be sent; it will be retried: {why}");
                Told { busy_until: Some(now + AGAIN), problem: why, ..told }
            }
        };
        self.store().write(now, |tx| {
            // It may have another receiver by now, who knows nothing.
            let is_same = desks::hold(tx, id)?.is_some_and(|desk| desk.alert_id == stored.alert_id);
            if is_same { alerts::put(tx, id, kind, &told) } else { Ok(()) }
        })?;
        Ok(())
    }

    fn receiver(&self, stored: &StoredDesk) -> Result<Option<Receiver>, AppError> {
        let (Some(url), Some(id)) = (&stored.alert_url, &stored.alert_id) else { return Ok(None) };
        let sealed = self.store().read(|db| secrets::by_id(db, id))?;
        let secret = sealed.and_then(|sealed| self.0.seal.open(id, &sealed));
        let secret = secret.and_then(|bytes| String::from_utf8(bytes).ok());
        let receiver = |secret: String| Receiver {
            url: url.clone(),
            is_private: stored.is_private,
            secret: secret.into(),
        };
        Ok(secret.map(receiver))
    }

    fn send_alert(
        &self,
        receiver: &Receiver,
        stored: &StoredDesk,
        kind: Kind,
        tell: Tell,
        trouble: Option<&Trouble>,
    ) -> Result<(), String> {
        let public = self.settings().public_url.as_ref();
        let console =
            public.map(|url| format!("{}{}/admin/sync/{}", url.origin.as_str(), url.path, stored.id));
        let (id, at) = (clock::new_id(), self.now());
        let body = body(tell, kind, &stored.origin, console.as_deref(), trouble, at);
        webhook::send(receiver, &Message { id: &id, at, body: &body })
    }

    /// The alerts of a desk that could not be sent, with the reason.
    pub fn unsent_alerts(&self, id: &DeskId) -> Result<Vec<(Kind, String)>, AppError> {
        self.store().read(|db| {
            let mut unsent = Vec::new();
            for kind in Kind::ALL {
                let told = alerts::of(db, id, kind)?;
                if !told.problem.is_empty() {
                    unsent.push((kind, told.problem));
                }
            }
            Ok(unsent)
        })
    }
}

impl DeskStatus {
    /// What is wrong now, if something of a kind is.
    pub fn trouble_of(&self, kind: Kind) -> Option<Trouble> {
        let helpdesk = self.desk.origin.as_str();
        let users = |number: i64| if number == 1 { "1 user".to_owned() } else { format!("{number} users") };
        match kind {
            Kind::Stopped => {
                let trouble = |code: &str, words: &str| Trouble {
                    code: code.to_owned(),
                    words: format!("{helpdesk}: the synchronization stopped. {words}"),
                    number: 0,
                };
                // Until a run has ended well, nothing proves that it works again.
                let last = self.runs.first().filter(|run| run.state == RunState::Stopped);
                let stopped =
                    self.stored.stopped.as_ref().map(|stopped| trouble(&stopped.code, &stopped.words));
                stopped.or_else(|| last.map(|run| trouble(&run.code, &run.words)))
            }
            Kind::Overdue => self.is_overdue.then(|| Trouble {
                code: "overdue".into(),
                words: format!(
                    "{helpdesk}: a run is overdue. At least one server must run; its log says what is wrong."
                ),
                number: 0,
            }),
            Kind::Refused => {
                let all: i64 = self.states.iter().map(|(_, count)| count).sum();
                let number = self.count(PersonState::Refused) + self.count(PersonState::Failed);
                let is_too_many = number * 100 > all * self.desk.settings.alert_percent;
                (number > 0 && is_too_many).then(|| Trouble {
                    code: "refused".into(),
                    words: format!(
                        "{helpdesk}: {} of {all} could not be sent. The console lists them, with the reason for each.",
                        users(number)
                    ),
                    number,
                })
            }
            Kind::Conflicts => {
                let number = self.count(PersonState::Conflict);
                (number > 0).then(|| Trouble {
                    code: "conflicts".into(),
                    words: format!(
                        "{helpdesk}: {} in conflict. The console says how to resolve each.",
                        if number == 1 { "1 user is".to_owned() } else { format!("{number} users are") }
                    ),
                    number,
                })
            }
        }
    }
}
