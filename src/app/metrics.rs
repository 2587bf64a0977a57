//! What operators watch: counters and histograms of this process, as Prometheus reads them. `docs/metrics.md` has the
//! meaning of each; a test compares.
//!
//! Labels have few values, which we choose: no name, address or text of a user, and no path that somebody typed.

use std::time::Duration;

use prometheus::core::Collector;
use prometheus::{
    Gauge, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts,
    Registry, TextEncoder,
};

use super::App;
use crate::core::alert::Kind;
use crate::core::job::JobState;
use crate::store::{self, Error, desks, jobs};

/// From a tenth of a millisecond to the six seconds in which every request ends.
const SECONDS: [f64; 12] = [0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 6.0];

/// The methods that have a label of their own; whatever else a client makes up is `other`.
const METHODS: [&str; 6] = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"];

/// Why a token was not remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Miss {
    /// It was not requested before, or is forgotten.
    Absent,
    /// Something has changed that it depends on.
    Changed,
    /// The use of the session has to be written, or the session is over.
    Due,
    /// Nothing is remembered: it is switched off, or the database did not answer the last poll.
    Off,
}

/// Requests of one route with the same method and status.
pub struct CountedRequests {
    answered: IntCounter,
    seconds: Histogram,
}

impl CountedRequests {
    /// Counts one that took this long.
    pub fn add(&self, took: Duration) {
        self.answered.inc();
        self.seconds.observe(took.as_secs_f64());
    }
}

/// Everything that is counted.
pub(super) struct Metrics {
    registry: Registry,
    pub tokens: IntCounterVec,
    pub refusals: IntCounterVec,
    pub hits: IntCounter,
    misses: [IntCounter; 4],
    pub outcomes: IntCounterVec,
    requests: IntCounterVec,
    request_seconds: HistogramVec,
    pub compilations: IntCounter,
    pub waiting_work: IntCounter,
    cache_bytes: IntGauge,
    poll_age: Gauge,
    hashes_waiting: IntGauge,
    jobs: IntGaugeVec,
    people: IntGaugeVec,
    problems: IntGaugeVec,
    uncertain: IntGaugeVec,
}

impl Metrics {
    /// Counts from 0, beside what others count themselves.
    pub fn new(others: &[&Histogram], statements: &IntCounter) -> Self {
        let registry = Registry::new();
        let kept = Kept(&registry);
        let misses =
            kept.counters("token_cache_misses_total", "Tokens that were not remembered", &["reason"]);
        let build = kept.gauges("build_info", "The version that is running", &["version"]);
        build.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
        kept.register(statements.clone());
        for histogram in others {
            kept.register((*histogram).clone());
        }
        Self {
            tokens: kept.counters("tokens_total", "Tokens that were issued", &["messenger"]),
            refusals: kept.counters("token_refusals_total", "Users who got no token", &["code"]),
            hits: kept.counter("token_cache_hits_total", "Tokens that were remembered"),
            misses: ["absent", "changed", "due", "off"].map(|reason| misses.with_label_values(&[reason])),
            outcomes: kept.counters("outcomes_total", "Ways to sign in, by outcome", &["kind", "outcome"]),
            requests: kept.counters(
                "http_requests_total",
                "Requests that were answered",
                &["route", "method", "status"],
            ),
            request_seconds: kept.histograms(
                "http_request_seconds",
                "Time from the head of a request to its answer",
                &["route"],
            ),
            compilations: kept.counter("mapping_compilations_total", "Published mappings that were compiled"),
            waiting_work: kept.counter("waiting_work_total", "Work that ran on a thread which may wait"),
            cache_bytes: kept.gauge("token_cache_bytes", "Memory for tokens that are remembered"),
            poll_age: {
                let gauge = Gauge::with_opts(opts(
                    "changes_poll_age_seconds",
                    "Time since the last poll of changes that was answered",
                ));
                kept.register(gauge.expect("a name and a help"))
            },
            hashes_waiting: kept.gauge("password_hashes_waiting", "Passwords that wait to be checked"),
            jobs: kept.gauges("jobs", "Jobs in the database", &["state"]),
            uncertain: kept.gauges(
                "users_in_conflict",
                "Users in conflict at the last check",
                &["messenger"],
            ),
            problems: kept.gauges(
                "sync_problems",
                "Whether a synchronization has a problem: 1 or 0",
                &["messenger", "kind"],
            ),
            people: kept.gauges(
                "sync_people",
                "Users at helpdesks whose API keeps them",
                &["messenger", "state"],
            ),
            registry,
        }
    }

    pub fn miss(&self, why: Miss) {
        self.misses[why as usize].inc();
    }
}

/// A registry that metrics are made for.
struct Kept<'a>(&'a Registry);

impl Kept<'_> {
    fn register<C: Collector + Clone + 'static>(&self, made: C) -> C {
        self.0.register(Box::new(made.clone())).expect("each name is registered once");
        made
    }

    fn counters(&self, name: &str, help: &str, labels: &[&str]) -> IntCounterVec {
        self.register(IntCounterVec::new(opts(name, help), labels).expect("a name, a help and labels"))
    }

    fn counter(&self, name: &str, help: &str) -> IntCounter {
        self.register(IntCounter::with_opts(opts(name, help)).expect("a name and a help"))
    }

    fn gauges(&self, name: &str, help: &str, labels: &[&str]) -> IntGaugeVec {
        self.register(IntGaugeVec::new(opts(name, help), labels).expect("a name, a help and labels"))
    }

    fn gauge(&self, name: &str, help: &str) -> IntGauge {
        self.register(IntGauge::with_opts(opts(name, help)).expect("a name and a help"))
    }

    fn histograms(&self, name: &str, help: &str, labels: &[&str]) -> HistogramVec {
        self.register(HistogramVec::new(seconds(name, help), labels).expect("a name, a help and labels"))
    }
}

fn opts(name: &str, help: &str) -> Opts {
    Opts::new(format!("countersign_{name}"), help)
}

/// A histogram of seconds.
pub(super) fn seconds(name: &str, help: &str) -> HistogramOpts {
    HistogramOpts::from(opts(name, help)).buckets(SECONDS.to_vec())
}

impl App {
    /// Where requests with the same answer are counted; `None` if nobody reads metrics. `route` is a pattern of ours,
    /// never what somebody typed.
    pub fn counted_requests(&self, route: &str, method: &str, status: u16) -> Option<CountedRequests> {
        self.settings().metrics_listen?;
        let metrics = &self.0.metrics;
        let method = METHODS.iter().find(|known| **known == method).unwrap_or(&"other");
        Some(CountedRequests {
            answered: metrics.requests.with_label_values(&[route, method, &status.to_string()]),
            seconds: metrics.request_seconds.with_label_values(&[route]),
        })
    }

    /// How users stand at helpdesks; left out while the database does not answer.
    fn count_people(&self) {
        let people = &self.0.metrics.people;
        people.reset();
        let counted = self.store().read(|db| {
            for desk in desks::all(db)? {
                for (state, count) in store::people::states(db, &desk.id)? {
                    people.with_label_values(&[desk.messenger_id.as_str(), state.as_str()]).set(count);
                }
            }
            Ok::<_, Error>(())
        });
        if let Err(error) = counted {
            tracing::debug!(error = &error as &dyn std::error::Error, "people were not counted");
        }
    }

    /// Users who are not certain, as of the last look; left out if nobody looked.
    fn count_uncertain(&self) {
        let uncertain = &self.0.metrics.uncertain;
        uncertain.reset();
        for messenger in self.messengers().iter() {
            if let Ok(Some(check)) = self.identity_check(&messenger.id)
                && check.state == JobState::Done
            {
                uncertain.with_label_values(&[messenger.id.as_str()]).set(check.found.count);
            }
        }
    }

    /// What is wrong with synchronizations; left out while the database does not answer.
    fn count_problems(&self) {
        let problems = &self.0.metrics.problems;
        problems.reset();
        match self.desk_statuses() {
            Ok(statuses) => {
                for (status, kind) in statuses.iter().flat_map(|it| Kind::ALL.map(|kind| (it, kind))) {
                    let labels = [status.desk.messenger.as_str(), kind.as_str()];
                    problems.with_label_values(&labels).set(i64::from(status.trouble_of(kind).is_some()));
                }
            }
            Err(error) => {
                tracing::debug!(error = &error as &dyn std::error::Error, "problems were not counted");
            }
        }
    }

    /// All metrics, in the text format of Prometheus (version 0.0.4).
    pub fn metrics(&self) -> Result<String, Error> {
        let metrics = &self.0.metrics;
        let bytes = |bytes: usize| i64::try_from(bytes).unwrap_or(i64::MAX);
        metrics.cache_bytes.set(bytes(self.remembered_bytes()));
        metrics.hashes_waiting.set(bytes(self.0.hashing.waiting()));
        metrics.poll_age.set(self.poll_age().map_or(f64::NAN, |age| age.as_secs_f64()));
        match self.store().read(|db| jobs::states(db)) {
            Ok(states) => {
                for state in JobState::ALL {
                    let jobs = states.get(state.as_str()).copied().unwrap_or_default();
                    metrics.jobs.with_label_values(&[state.as_str()]).set(jobs);
                }
            }
            // What the database knows is left out while it does not answer.
            Err(error) => {
                metrics.jobs.reset();
                tracing::debug!(error = &error as &dyn std::error::Error, "jobs were not counted");
            }
        }
        self.count_people();
        self.count_problems();
        self.count_uncertain();
        TextEncoder::new()
            .encode_to_string(&metrics.registry.gather())
            .map_err(|error| Error::Failed(error.into()))
    }
}
