//! When the next request may be sent: the budget of the settings, pauses that Deskpro asked for, and pauses after a limit
//! without a time. Times are parameters, from any start, and never go back.
//!
//! Limits of API keys are hourly or daily, so a refusal without a time may last for hours. Then one request at a time tests
//! the limit, at growing intervals, until it is over.

use std::collections::VecDeque;
use std::time::Duration;

use super::error::Error;

/// The first wait after a limit without a time, and the longest.
const FIRST: Duration = Duration::from_secs(30);
const LONGEST: Duration = Duration::from_hours(1);
/// After this long without an outcome, another request may test the limit.
const GIVEN_UP: Duration = Duration::from_mins(2);
/// The longest pause that is accepted; a longer one is tried again after this.
const MOST: Duration = Duration::from_hours(24);

/// The most requests in a minute, an hour and a day; `None` for no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Budget {
    /// In any minute.
    pub minute: Option<u32>,
    /// In any hour.
    pub hour: Option<u32>,
    /// In any day.
    pub day: Option<u32>,
}

impl Budget {
    /// Each span, and how many requests may be sent in it.
    fn limits(self) -> [(Duration, Option<u32>); 3] {
        [
            (Duration::from_mins(1), self.minute),
            (Duration::from_hours(1), self.hour),
            (Duration::from_hours(24), self.day),
        ]
    }
}

/// Whether a request may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Now.
    Now(Ticket),
    /// Not before this moment.
    At(Duration),
    /// Another request is testing whether a limit is over.
    Trying,
}

/// A request that may be sent, for [`Pace::answered`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Ticket {
    /// It tests whether a limit is over. Every other request that is under way during a pause was sent before it.
    is_try: bool,
}

/// Requests to one helpdesk, in time.
#[derive(Debug)]
pub struct Pace {
    budget: Budget,
    /// When requests of the last day were sent, as long as the budget needs them.
    sent: VecDeque<Duration>,
    paused: Option<Pause>,
}

#[derive(Clone, Copy, Debug)]
struct Pause {
    until: Duration,
    /// The wait before the next try, if Deskpro did not say how long.
    next: Duration,
    /// When a request began to test whether it is over.
    tried: Option<Duration>,
}

impl Pace {
    /// Nothing was sent yet.
    pub fn new(budget: Budget) -> Self {
        Self { budget, sent: VecDeque::new(), paused: None }
    }

    /// The same after earlier requests: how long ago each group of them was sent, and how long to wait because of a limit.
    pub fn resumed(
        budget: Budget,
        earlier: &[(Duration, u32)],
        wait: Option<Duration>,
        now: Duration,
    ) -> Self {
        let mut sent: Vec<Duration> = earlier
            .iter()
            .filter_map(|(ago, count)| Some((now.checked_sub(*ago)?, *count)))
            .flat_map(|(at, count)| std::iter::repeat_n(at, usize::try_from(count).unwrap_or(usize::MAX)))
            .collect();
        sent.sort_unstable();
        let sent = if budget == Budget::default() { VecDeque::new() } else { sent.into() };
        let paused = wait.map(|wait| Pause { until: now + wait.min(MOST), next: FIRST, tried: None });
        Self { budget, sent, paused }
    }

    /// Sends nothing for a while because nothing arrives, and then one request at a time, as after a limit.
    pub fn pause(&mut self, now: Duration) {
        if self.paused.is_none() {
            self.paused = Some(Pause { until: now + FIRST, next: FIRST, tried: None });
        }
    }

    /// Asks for a turn at `now`. [`Turn::Now`] counts as sent, and is followed by [`Pace::answered`].
    pub fn ask(&mut self, now: Duration) -> Turn {
        if let Some(pause) = &mut self.paused {
            if now < pause.until {
                return Turn::At(pause.until);
            }
            if pause.tried.is_some_and(|tried| now < tried + GIVEN_UP) {
                return Turn::Trying;
            }
        }
        if let Some(at) = self.within_budget(now) {
            return Turn::At(at);
        }
        let is_try = self.paused.is_some();
        if let Some(pause) = &mut self.paused {
            pause.tried = Some(now);
        }
        if self.budget != Budget::default() {
            self.sent.push_back(now);
        }
        Turn::Now(Ticket { is_try })
    }

    /// When the budget allows the next request, if not now.
    fn within_budget(&mut self, now: Duration) -> Option<Duration> {
        let longest = self
            .budget
            .limits()
            .into_iter()
            .filter(|(_, most)| most.is_some())
            .map(|(span, _)| span)
            .max()?;
        while self.sent.front().is_some_and(|sent| *sent + longest <= now) {
            self.sent.pop_front();
        }
        let late = |(span, most): (Duration, Option<u32>)| {
            // The request that must have left the span before the next one.
            let most = usize::try_from(most?).ok()?;
            let first = self.sent.len().checked_sub(most)?;
            let until = self.sent.get(first).map_or(now + span, |sent| *sent + span);
            (until > now).then_some(until)
        };
        self.budget.limits().into_iter().filter_map(late).max()
    }

    /// What came of a request; `None` for an answer that is no error.
    pub fn answered(&mut self, now: Duration, ticket: Ticket, error: Option<&Error>) {
        match error {
            Some(Error::Paused { wait, .. }) => self.limited(now, ticket, *wait),
            // It does not say whether a limit is over.
            Some(
                Error::Unreachable(_)
                | Error::Lost(_)
                | Error::Server(_)
                | Error::NotAllowed(_)
                | Error::NotDeskpro(_),
            ) => {
                if let (true, Some(pause)) = (ticket.is_try, &mut self.paused) {
                    pause.tried = None;
                    pause.until = pause.until.max(now + FIRST);
                }
            }
            // An answer to a request from before the pause says nothing about it either.
            _ if ticket.is_try => self.paused = None,
            _ => {}
        }
    }

    fn limited(&mut self, now: Duration, ticket: Ticket, wait: Option<Duration>) {
        // A wait of 0 is the same as no time.
        let wait = wait.filter(|wait| !wait.is_zero()).map(|wait| wait.min(MOST));
        let before = self.paused;
        if let (false, Some(mut pause)) = (ticket.is_try, before) {
            // Several requests of one moment are refused for one reason.
            pause.until = pause.until.max(wait.map_or(Duration::ZERO, |wait| now + wait));
            self.paused = Some(pause);
            return;
        }
        let guessed = before.map_or(FIRST, |pause| pause.next);
        let (wait, next) = match wait {
            Some(wait) => (wait, FIRST),
            None => (guessed, (guessed * 2).min(LONGEST)),
        };
        self.paused = Some(Pause { until: now + wait, next, tried: None });
    }

    /// Until when nothing is sent because of a limit.
    pub fn paused_until(&self) -> Option<Duration> {
        self.paused.map(|pause| pause.until)
    }

    /// How many requests are left in each span of the budget at `now`: minute, hour, day.
    pub fn left(&self, now: Duration) -> [Option<u32>; 3] {
        self.budget.limits().map(|(span, most)| {
            let sent = self.sent.iter().filter(|sent| **sent + span > now).count();
            most.map(|most| most.saturating_sub(u32::try_from(sent).unwrap_or(u32::MAX)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn limited(wait: Option<u64>) -> Error {
        Error::Paused { is_maintenance: false, wait: wait.map(at) }
    }

    fn sent(pace: &mut Pace, now: Duration) -> Ticket {
        match pace.ask(now) {
            Turn::Now(ticket) => ticket,
            other => panic!("{other:?} at {now:?}"),
        }
    }

    #[test]
    fn a_pause_lasts_as_long_as_deskpro_says() {
        let mut pace = Pace::new(Budget::default());
        let under_way: Vec<Ticket> = (0..4).map(|_| sent(&mut pace, at(0))).collect();
        pace.answered(at(1), under_way[0], Some(&limited(Some(3))));
        // Answers to requests that were under way do not end the pause earlier.
        pace.answered(at(1), under_way[1], None);
        pace.answered(at(1), under_way[2], Some(&limited(Some(2))));
        pace.answered(at(1), under_way[3], Some(&Error::Server(502)));
        assert_eq!(pace.ask(at(3)), Turn::At(at(4)));
        let ticket = sent(&mut pace, at(4));
        assert_eq!(pace.ask(at(4)), Turn::Trying);
        pace.answered(at(5), ticket, None);
        let (_, _) = (sent(&mut pace, at(5)), sent(&mut pace, at(5)));
    }

    #[test]
    fn a_limit_without_a_time_is_tried_rarely_and_for_ever() {
        for refusal in [limited(None), limited(Some(0))] {
            let mut pace = Pace::new(Budget::default());
            let under_way: Vec<Ticket> = (0..4).map(|_| sent(&mut pace, at(0))).collect();
            for ticket in under_way {
                pace.answered(at(0), ticket, Some(&refusal));
            }
            assert_eq!(pace.ask(at(0)), Turn::At(at(30)), "four refusals of one moment are one");
            let (mut tries, mut now) = (0, at(0));
            while now < at(90 * 60) {
                match pace.ask(now) {
                    Turn::Now(ticket) => {
                        tries += 1;
                        pace.answered(now, ticket, Some(&refusal));
                    }
                    Turn::At(moment) => now = moment,
                    Turn::Trying => panic!("there is one"),
                }
            }
            assert!((6..=12).contains(&tries), "{tries}");
            // No wait is longer than an hour.
            for _ in 0..50 {
                let moment = match pace.ask(now) {
                    Turn::At(moment) => moment,
                    Turn::Now(ticket) => {
                        pace.answered(now, ticket, Some(&refusal));
                        continue;
                    }
                    Turn::Trying => panic!("there is one"),
                };
                assert!(moment <= now + LONGEST);
                now = moment;
            }
            let ticket = sent(&mut pace, now);
            pace.answered(now, ticket, None);
            assert_eq!(pace.paused_until(), None);
        }
    }

    #[test]
    fn a_try_that_never_ends_does_not_end_everything() {
        let mut pace = Pace::new(Budget::default());
        let ticket = sent(&mut pace, at(0));
        pace.answered(at(0), ticket, Some(&limited(Some(5))));
        let _lost = sent(&mut pace, at(5));
        assert_eq!(pace.ask(at(124)), Turn::Trying);
        let ticket = sent(&mut pace, at(125));
        pace.answered(at(126), ticket, None);
        assert_eq!(pace.paused_until(), None);
    }

    #[test]
    fn no_span_has_more_than_its_budget() {
        let mut pace = Pace::new(Budget { minute: Some(3), hour: Some(5), day: None });
        let (mut times, mut now) = (Vec::new(), at(10));
        while times.len() < 30 {
            match pace.ask(now) {
                Turn::Now(ticket) => {
                    pace.answered(now, ticket, None);
                    times.push(now);
                    now += Duration::from_millis(700);
                }
                Turn::At(moment) => {
                    assert!(moment > now);
                    now = moment;
                }
                Turn::Trying => panic!("nothing is paused"),
            }
        }
        for (span, most) in [(at(60), 3), (at(3600), 5)] {
            for first in &times {
                let within = times.iter().filter(|time| *time >= first && **time < *first + span).count();
                assert!(within <= most, "{within} in {span:?} from {first:?}");
            }
        }
        assert_eq!(Pace::new(Budget { minute: Some(0), ..Budget::default() }).ask(at(5)), Turn::At(at(65)));
    }

    #[test]
    fn a_helpdesk_that_cannot_be_reached_during_a_pause_does_not_end_it() {
        for error in [Error::Server(502), Error::NotDeskpro("a page".into()), Error::Lost("reset".into())] {
            let mut pace = Pace::new(Budget::default());
            let ticket = sent(&mut pace, at(0));
            pace.answered(at(0), ticket, Some(&limited(Some(5))));
            let ticket = sent(&mut pace, at(5));
            pace.answered(at(6), ticket, Some(&error));
            assert_eq!(pace.ask(at(6)), Turn::At(at(36)));
            let _ = sent(&mut pace, at(36));
        }
    }
}
