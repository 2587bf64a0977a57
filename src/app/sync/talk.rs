//! Talking to one desk: when a request may be sent, which ones are repeated, and what ends all of them. Used by several
//! threads at once; every wait ends early if the talk does.

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use serde::{Deserialize, Serialize};

use crate::app::{App, AppError, clock};
use crate::core::desk::Desk;
use crate::core::throttle::DAY;
use crate::deskpro::{Budget, Client, Error, Pace, PersonId, Turn};

/// How often one request is tried that may succeed in a moment.
const TRIES: u32 = 5;
/// The first wait before another try; it doubles each time.
const BACK_OFF: Duration = Duration::from_millis(500);
/// So many requests in a row that failed after all their tries mean that Deskpro is away.
const AWAY: u32 = 8;
/// How long one wait lasts before it is checked whether to go on.
const SLICE: Duration = Duration::from_millis(50);
/// How long somebody waits who waits for the answer.
const SHORT: Duration = Duration::from_secs(5);
/// Added to the monotonic clock, so that a day before the start of the process is a time, too.
const DAYS: Duration = Duration::from_hours(48);

/// Why nothing more is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Halt {
    /// Deskpro does not know the key.
    KeyRefused(String),
    /// The key's agent may not do this.
    Forbidden(String),
    /// So many people are missing that this is another helpdesk.
    WrongHelpdesk,
    /// Settings do not allow any request.
    NotAllowed(String),
    /// What answers is no Deskpro.
    NotDeskpro(String),
    /// Several tries brought no answer that is needed.
    Unanswered(String),
    /// The database failed; another server, or this one, continues later.
    Database(String),
    /// The desk was changed, paused or removed, another server has it, or the program stops.
    Interrupted,
}

impl Halt {
    /// The stable word of a desk that stopped by itself; `None` if it only was interrupted.
    pub fn code(&self) -> Option<&'static str> {
        match self {
            Self::KeyRefused(_) => Some("key_refused"),
            Self::Forbidden(_) => Some("forbidden"),
            Self::WrongHelpdesk => Some("wrong_helpdesk"),
            Self::NotAllowed(_) => Some("not_allowed"),
            Self::NotDeskpro(_) => Some("not_deskpro"),
            Self::Unanswered(_) => Some("unanswered"),
            Self::Database(_) | Self::Interrupted => None,
        }
    }

    /// What is wrong, and what to do.
    pub fn words(&self) -> String {
        match self {
            Self::KeyRefused(words) => format!(
                "{words} Copy the key again from Deskpro (Admin, Apps & Integrations, API Keys), and connect the helpdesk \
                 again."
            ),
            Self::Forbidden(words) => {
                format!("{words} In Deskpro, give the agent of the key the permission to manage users.")
            }
            Self::WrongHelpdesk => "Deskpro does not know many of the people that it should have. This is probably \
                another helpdesk, or the key of another one. Nobody was created in their place. Check the helpdesk and \
                the key; if people were deleted on purpose, start the synchronization again with `--anyway`."
                .into(),
            Self::NotDeskpro(words) => format!(
                "{words} Check the address, and whether a proxy or a login page answers instead of Deskpro."
            ),
            Self::Unanswered(words) => format!("{words} Not everybody was compared."),
            Self::NotAllowed(words) | Self::Database(words) => words.clone(),
            Self::Interrupted => String::new(),
        }
    }
}

impl From<AppError> for Halt {
    fn from(error: AppError) -> Self {
        Self::Database(error.to_string())
    }
}

impl From<crate::store::Error> for Halt {
    fn from(error: crate::store::Error) -> Self {
        Self::Database(error.to_string())
    }
}

/// What was spent of a budget, as it is stored: times in unix seconds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Spent {
    /// When requests were sent, to the minute, and how many.
    sent: Vec<(i64, u32)>,
    /// Until when nothing is sent because of a limit.
    pub until: Option<i64>,
    /// How many requests are left in a minute, an hour and a day.
    pub left: [Option<u32>; 3],
}

/// The conversation with one desk.
pub(super) struct Talk<'a> {
    app: &'a App,
    client: Client,
    /// How many requests were sent in each minute of the last day (unix seconds), by this server and those before.
    sent: Mutex<BTreeMap<i64, u32>>,
    pace: Mutex<Pace>,
    halted: Mutex<Option<Halt>>,
    /// Requests since the counter was taken last.
    requests: AtomicI64,
    /// Requests in a row that failed after all their tries.
    failures: AtomicU32,
    /// Whether requests are limited by settings.
    has_budget: bool,
    /// People whom a request writes at the moment.
    busy: (Mutex<HashSet<PersonId>>, Condvar),
    /// Whether somebody waits for the answer: then a limit ends it.
    pub is_impatient: bool,
}

impl<'a> Talk<'a> {
    /// Begins to talk to a desk that spent some of its budget before.
    pub fn new(app: &'a App, desk: &Desk, spent: &str) -> Result<Self, Halt> {
        let access = app.access(desk).map_err(|error| match error {
            AppError::Store(error) => error.into(),
            error => Halt::NotAllowed(error.to_string()),
        })?;
        let client = Client::new(&access).map_err(|error| Halt::NotAllowed(error.to_string()))?;
        let [minute, hour, day] = desk.settings.budget;
        let spent: Spent = serde_json::from_str(spent).unwrap_or_default();
        let now = app.now();
        let seconds = |seconds: i64| Duration::from_secs(u64::try_from(seconds).unwrap_or_default());
        let earlier: Vec<_> = spent.sent.iter().map(|(at, count)| (seconds(now - at), *count)).collect();
        let wait = spent.until.map(|until| seconds(until - now)).filter(|wait| !wait.is_zero());
        let pace = Pace::resumed(Budget { minute, hour, day }, &earlier, wait, Self::moment_of(app));
        Ok(Self {
            app,
            client,
            sent: Mutex::new(spent.sent.iter().copied().collect()),
            pace: Mutex::new(pace),
            halted: Mutex::new(None),
            requests: AtomicI64::new(0),
            failures: AtomicU32::new(0),
            has_budget: desk.settings.budget != [None; 3],
            busy: Default::default(),
            is_impatient: false,
        })
    }

    /// What was spent, as it is stored.
    pub fn spent(&self) -> String {
        let (now, wall) = (self.moment(), self.app.now());
        let seconds = |span: Duration| i64::try_from(span.as_secs()).unwrap_or(i64::MAX);
        let sent = {
            let mut sent = self.sent.lock();
            sent.retain(|minute, _| (wall - DAY..=wall).contains(minute));
            sent.iter().map(|(minute, count)| (*minute, *count)).collect()
        };
        let pace = self.pace.lock();
        let spent = Spent {
            sent,
            until: pace
                .paused_until()
                .filter(|until| *until > now)
                .map(|until| wall + seconds(until.saturating_sub(now)) + 1),
            left: pace.left(now),
        };
        serde_json::to_string(&spent).expect("numbers are JSON")
    }

    fn moment_of(app: &App) -> Duration {
        (app.0.monotonic)() + DAYS
    }

    fn moment(&self) -> Duration {
        Self::moment_of(self.app)
    }

    /// Waits until no other thread writes a person.
    pub fn alone_with(&self, id: PersonId) -> Alone<'_> {
        let mut busy = self.busy.0.lock();
        while !busy.insert(id) {
            self.busy.1.wait(&mut busy);
        }
        Alone { busy: &self.busy, id }
    }

    /// How many requests were sent since the last call.
    pub fn take_requests(&self) -> i64 {
        self.requests.swap(0, Ordering::Relaxed)
    }

    /// Ends everything that is under way, as soon as possible. The first reason stays.
    pub fn halt(&self, why: Halt) {
        self.halted.lock().get_or_insert(why);
    }

    /// Fails if it has ended.
    pub fn go_on(&self) -> Result<(), Halt> {
        if self.app.is_stopping() {
            self.halt(Halt::Interrupted);
        }
        match &*self.halted.lock() {
            Some(why) => Err(why.clone()),
            None => Ok(()),
        }
    }

    /// Waits by the monotonic clock.
    pub fn wait(&self, span: Duration) -> Result<(), Halt> {
        let until = self.moment() + span;
        self.wait_until(until)
    }

    fn wait_until(&self, until: Duration) -> Result<(), Halt> {
        loop {
            self.go_on()?;
            let left = until.saturating_sub(self.moment());
            if left.is_zero() {
                return Ok(());
            }
            std::thread::park_timeout(left.min(SLICE));
        }
    }

    /// Sends a request once, as soon as the budget allows it and no limit forbids it; for as long as it takes. What
    /// concerns all requests ends the conversation.
    pub fn ask_once<T>(&self, ask: &impl Fn(&Client) -> Result<T, Error>) -> Result<Result<T, Error>, Halt> {
        loop {
            self.go_on()?;
            let turn = self.pace.lock().ask(self.moment());
            let ticket = match turn {
                Turn::Now(ticket) => ticket,
                Turn::At(moment) if self.is_impatient && moment > self.moment() + SHORT => {
                    let words = "Deskpro takes no requests at the moment: a limit is reached, or it is in maintenance.";
                    self.halt(Halt::NotAllowed(words.into()));
                    continue;
                }
                Turn::At(moment) => {
                    self.wait_until(moment)?;
                    continue;
                }
                Turn::Trying => {
                    self.wait(SLICE)?;
                    continue;
                }
            };
            self.requests.fetch_add(1, Ordering::Relaxed);
            if self.has_budget {
                *self.sent.lock().entry(self.app.now().div_euclid(60) * 60).or_default() += 1;
            }
            let answer = ask(&self.client);
            self.pace.lock().answered(self.moment(), ticket, answer.as_ref().err());
            match answer {
                Err(Error::Paused { .. }) => {}
                Err(error @ Error::KeyRefused(_)) => self.halt(Halt::KeyRefused(error.to_string())),
                Err(error @ Error::Forbidden(_)) => self.halt(Halt::Forbidden(error.to_string())),
                Err(Error::NotAllowed(words)) => self.halt(Halt::NotAllowed(words)),
                answer => {
                    if !answer.as_ref().is_err_and(is_worth_another) {
                        self.failures.store(0, Ordering::Relaxed);
                    }
                    return Ok(answer);
                }
            }
        }
    }

    /// The same with further tries for what may succeed in a moment. Not for requests that create something.
    pub fn ask<T>(&self, ask: impl Fn(&Client) -> Result<T, Error>) -> Result<Result<T, Error>, Halt> {
        for tries in 1.. {
            let answer = self.ask_once(&ask)?;
            if !answer.as_ref().is_err_and(is_worth_another) || !self.back_off(tries)? {
                return Ok(answer);
            }
        }
        unreachable!("there is a last try")
    }

    /// Waits before another try; `false` if there is none.
    pub fn back_off(&self, tries: u32) -> Result<bool, Halt> {
        if tries >= TRIES {
            if self.failures.fetch_add(1, Ordering::Relaxed) + 1 >= AWAY {
                self.pace.lock().pause(self.moment());
            }
            return Ok(false);
        }
        // Half to one and a half of it, so that requests that failed together are not repeated together.
        let [random] = clock::random::<1>();
        let wait = BACK_OFF * 2_u32.pow(tries - 1);
        self.wait(wait / 2 + wait * u32::from(random) / 255)?;
        Ok(true)
    }
}

/// A person whom only this thread writes.
pub(super) struct Alone<'a> {
    busy: &'a (Mutex<HashSet<PersonId>>, Condvar),
    id: PersonId,
}

impl Drop for Alone<'_> {
    fn drop(&mut self) {
        self.busy.0.lock().remove(&self.id);
        self.busy.1.notify_all();
    }
}

/// Whether the same request may succeed in a moment. An answer that cannot be read counts, too: something between may
/// have answered.
pub(super) fn is_worth_another(error: &Error) -> bool {
    error.is_transient() || matches!(error, Error::NotDeskpro(_))
}
