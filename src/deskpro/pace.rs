//! When the next request may be sent: the budget of the settings, pauses that Deskpro asked for, and pauses after a limit
//! without a time. Pure: moments are parameters, monotonic, from any start.
//!
//! Limits of API keys are hourly or daily, so a refusal without a time may last for hours. Then one request tries it again,
//! at growing intervals, for as long as it takes; nothing is given up meanwhile.

use std::collections::VecDeque;
use std::time::Duration;

use super::error::Error;

/// The first wait after a limit without a time, and the longest.
const FIRST: Duration = Duration::from_secs(30);
const LONGEST: Duration = Duration::from_hours(1);
/// The longest pause that is believed; a longer one is tried again after this.
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
    Now,
    /// Not before this moment.
    At(Duration),
    /// Another request is trying whether a limit is over.
    Trying,
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
    is_trying: bool,
}

impl Pace {
    /// Nothing was sent yet.
    pub fn new(budget: Budget) -> Self {
        Self { budget, sent: VecDeque::new(), paused: None }
    }

    /// Asks for a turn at `now`. [`Turn::Now`] counts as sent, and must be followed by [`Pace::answered`].
    pub fn ask(&mut self, now: Duration) -> Turn {
        if let Some(pause) = &mut self.paused {
            if now < pause.until {
                return Turn::At(pause.until);
            }
            if pause.is_trying {
                return Turn::Trying;
            }
        }
        if let Some(at) = self.within_budget(now) {
            return Turn::At(at);
        }
        if let Some(pause) = &mut self.paused {
            pause.is_trying = true;
        }
        if self.budget != Budget::default() {
            self.sent.push_back(now);
        }
        Turn::Now
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
    pub fn answered(&mut self, now: Duration, error: Option<&Error>) {
        let Some(Error::Paused { wait, .. }) = error else {
            // An answer of any other kind does not say whether a limit is over, if there is no answer.
            match error {
                Some(Error::Unreachable(_) | Error::Lost(_) | Error::Server(_)) => {
                    if let Some(pause) = &mut self.paused {
                        pause.is_trying = false;
                        pause.until = pause.until.max(now + FIRST);
                    }
                }
                _ => self.paused = None,
            }
            return;
        };
        let before = self.paused.map_or(FIRST, |pause| pause.next);
        let (wait, next) = match wait {
            Some(wait) => ((*wait).min(MOST), FIRST),
            None => (before, (before * 2).min(LONGEST)),
        };
        let until = self.paused.map_or(now + wait, |pause| pause.until.max(now + wait));
        self.paused = Some(Pause { until, next, is_trying: false });
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

    #[test]
    fn a_pause_lasts_as_long_as_deskpro_says() {
        let mut pace = Pace::new(Budget::default());
        assert_eq!(pace.ask(at(0)), Turn::Now);
        assert_eq!(pace.ask(at(0)), Turn::Now);
        pace.answered(at(1), Some(&limited(Some(3))));
        // The answer to a request that was under way does not end the pause earlier, nor does it count twice.
        pace.answered(at(1), Some(&limited(Some(2))));
        assert_eq!(pace.ask(at(3)), Turn::At(at(4)));
        assert_eq!(pace.ask(at(4)), Turn::Now);
        assert_eq!(pace.ask(at(4)), Turn::Trying);
        pace.answered(at(5), None);
        assert_eq!((pace.ask(at(5)), pace.ask(at(5))), (Turn::Now, Turn::Now));
    }

    #[test]
    fn a_limit_without_a_time_is_tried_rarely_and_for_ever() {
        let mut pace = Pace::new(Budget::default());
        pace.ask(at(0));
        pace.answered(at(0), Some(&limited(None)));
        let (mut tries, mut now) = (0, at(0));
        while now < at(90 * 60) {
            match pace.ask(now) {
                Turn::Now => {
                    tries += 1;
                    pace.answered(now, Some(&limited(None)));
                }
                Turn::At(moment) => now = moment,
                Turn::Trying => panic!("there is one"),
            }
        }
        assert!((6..=12).contains(&tries), "{tries}");
        // No wait is longer than an hour.
        for _ in 0..50 {
            let Turn::At(moment) = pace.ask(now) else {
                pace.answered(now, Some(&limited(None)));
                continue;
            };
            assert!(moment <= now + LONGEST);
            now = moment;
        }
        assert_eq!(pace.ask(now), Turn::Now);
        pace.answered(now, None);
        assert_eq!(pace.paused_until(), None);
    }

    #[test]
    fn no_span_has_more_than_its_budget() {
        let mut pace = Pace::new(Budget { minute: Some(3), hour: Some(5), day: None });
        let (mut sent, mut now) = (Vec::new(), at(10));
        while sent.len() < 30 {
            match pace.ask(now) {
                Turn::Now => {
                    pace.answered(now, None);
                    sent.push(now);
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
            for first in &sent {
                let within =
                    sent.iter().filter(|moment| *moment >= first && **moment < *first + span).count();
                assert!(within <= most, "{within} in {span:?} from {first:?}");
            }
        }
        assert_eq!(Pace::new(Budget { minute: Some(0), ..Budget::default() }).ask(at(5)), Turn::At(at(65)));
    }

    #[test]
    fn a_helpdesk_that_cannot_be_reached_during_a_pause_does_not_end_it() {
        let mut pace = Pace::new(Budget::default());
        pace.ask(at(0));
        pace.answered(at(0), Some(&limited(Some(5))));
        assert_eq!(pace.ask(at(5)), Turn::Now);
        pace.answered(at(6), Some(&Error::Server(502)));
        assert_eq!(pace.ask(at(6)), Turn::At(at(36)));
        assert_eq!(pace.ask(at(36)), Turn::Now);
    }
}
