//! How many passwords are hashed at once, and how many wait. A permit carries its working memory and
//! belongs to the blocking job, so a client that disconnects frees nothing early. The memory is reused:
//! allocating 19 MiB for each hash made the memory of a small server grow by hundreds of MiB.
//!
//! Each hash runs on a thread of its own. On Linux it has a low priority, so that a token waits less for it on a
//! single core. A thread that has lowered its priority cannot raise it again, so it ends with the hash.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use prometheus::Histogram;

use super::clock;
use super::metrics::seconds;
use crate::core::password::{self, Judgement, Memory, Password};

/// How much work may wait, as time; beyond it the answer is 503 at once.
const LONGEST_QUEUE: Duration = Duration::from_secs(2);
/// Waiting jobs for each permit, however fast the machine.
const MOST_WAITING: usize = 64;

/// The gate in front of Argon2.
pub struct Hashing {
    state: Mutex<State>,
    freed: Condvar,
    permits: usize,
    hashes: AtomicU64,
    seconds: Histogram,
}

struct State {
    idle: Vec<Memory>,
    made: usize,
    waiting: usize,
    mean: Duration,
}

/// Too many passwords wait to be checked; try again after this many seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Busy(pub i64);

impl Hashing {
    /// A gate with this many permits.
    pub fn new(permits: usize) -> Self {
        Self {
            state: Mutex::new(State {
                idle: Vec::new(),
                made: 0,
                waiting: 0,
                // Until something is measured, a slow machine is assumed.
                mean: Duration::from_millis(50),
            }),
            freed: Condvar::new(),
            permits: permits.max(1),
            hashes: AtomicU64::new(0),
            seconds: Histogram::with_opts(seconds(
                "password_hash_seconds",
                "Time to check or store one password",
            ))
            .expect("a name and a help"),
        }
    }

    /// One permit less than there are cores, so that tokens are still issued while passwords are checked.
    pub fn for_this_machine() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self::new(cores.saturating_sub(1))
    }

    /// How many passwords were hashed since the start.
    pub fn count(&self) -> u64 {
        self.hashes.load(Ordering::Relaxed)
    }

    /// How long each took.
    pub(super) fn seconds(&self) -> &Histogram {
        &self.seconds
    }

    /// How many wait for a permit.
    pub(super) fn waiting(&self) -> usize {
        self.state.lock().waiting
    }

    /// Reports at once that too many wait: before anything is stored about a guess, so that a refusal
    /// needs no disk.
    pub fn ensure_room(&self) -> Result<(), Busy> {
        if self.is_full(&self.state.lock()) {
            return Err(Busy(LONGEST_QUEUE.as_secs().cast_signed()));
        }
        Ok(())
    }

    fn is_full(&self, state: &State) -> bool {
        if !state.idle.is_empty() || state.made < self.permits {
            return false;
        }
        let permits = u32::try_from(self.permits).unwrap_or(u32::MAX);
        let by_time = LONGEST_QUEUE.as_millis() * u128::from(permits) / state.mean.as_millis().max(1);
        let most = usize::try_from(by_time).unwrap_or(usize::MAX).clamp(1, MOST_WAITING * self.permits);
        state.waiting >= most
    }

    /// Hashes a new password.
    pub fn hash(&self, password: &Password) -> Result<String, Busy> {
        let salt = clock::random();
        self.with_permit(|memory| password::hash(password, salt, memory))
    }

    /// Checks a password; without a stored hash, the same work is done.
    pub fn judge(&self, password: &Password, stored: Option<&str>) -> Result<Judgement, Busy> {
        self.with_permit(|memory| password::judge(password, stored, memory))
    }

    fn with_permit<T: Send>(&self, work: impl FnOnce(&mut Memory) -> T + Send) -> Result<T, Busy> {
        let mut permit = Permit { memory: Some(self.take()?), gate: self };
        let memory = permit.memory.as_mut().expect("it is given back on drop only");
        let watch = clock::Stopwatch::start();
        let answer = with_low_priority(|| work(memory));
        let took = watch.elapsed();
        self.hashes.fetch_add(1, Ordering::Relaxed);
        self.seconds.observe(took.as_secs_f64());
        let mut state = self.state.lock();
        state.mean = (state.mean * 7 + took) / 8;
        Ok(answer)
    }

    fn take(&self) -> Result<Memory, Busy> {
        let mut state = self.state.lock();
        if self.is_full(&state) {
            return Err(Busy(LONGEST_QUEUE.as_secs().cast_signed()));
        }
        if state.idle.is_empty() && state.made >= self.permits {
            state.waiting += 1;
            while state.idle.is_empty() {
                self.freed.wait(&mut state);
            }
            state.waiting -= 1;
        }
        Ok(state.idle.pop().unwrap_or_else(|| {
            state.made += 1;
            Memory::default()
        }))
    }
}

/// How much nicer than other threads a hash is: it still gets a quarter of a core that tokens keep busy.
#[cfg(target_os = "linux")]
const NICE: i32 = 5;

fn with_low_priority<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    let work = Mutex::new(Some(work));
    let run = || work.lock().take().map(|work| work());
    let lowered = || {
        lower_priority();
        run()
    };
    let answer = std::thread::scope(|scope| {
        match std::thread::Builder::new().name("hash".into()).spawn_scoped(scope, lowered) {
            Ok(thread) => thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
            // The system gives no more threads.
            Err(_) => run(),
        }
    });
    answer.expect("the work is done by one of the two")
}

/// Linux has a priority for each thread; elsewhere it would be that of the process.
fn lower_priority() {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{getpriority_process, setpriority_process};
        let thread = Some(rustix::thread::gettid());
        let lowered = getpriority_process(thread).and_then(|nice| setpriority_process(thread, nice + NICE));
        if let Err(error) = lowered {
            tracing::debug!(%error, "a hash has the priority of other threads");
        }
    }
}

/// Working memory that is returned even if the work panics.
struct Permit<'a> {
    memory: Option<Memory>,
    gate: &'a Hashing,
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if let Some(memory) = self.memory.take() {
            self.gate.state.lock().idle.push(memory);
            self.gate.freed.notify_one();
        }
    }
}
