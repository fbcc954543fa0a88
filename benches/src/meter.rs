//! Counts what many tasks do together: it knows when the warm-up is over, and when all is done.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

use crate::library::{Failure, Outcome};
use crate::measure::{Clock, Sample};

pub(crate) struct Meter {
    warm_up: usize,
    messages: usize,
    start: fn() -> Outcome<Clock>,
    count: AtomicUsize,
    state: Mutex<State>,
    done: Notify,
}

enum State {
    WarmingUp,
    Measuring(Clock),
    Done(Outcome<Sample>),
}

impl Meter {
    /// Starts a clock with `start` after `warm_up` ticks, and stops it `messages` ticks later.
    pub(crate) fn new(warm_up: usize, messages: usize, start: fn() -> Outcome<Clock>) -> Self {
        Self {
            warm_up: warm_up.max(1),
            messages,
            start,
            count: AtomicUsize::new(0),
            state: Mutex::new(State::WarmingUp),
            done: Notify::new(),
        }
    }

    /// How many ticks there will be.
    pub(crate) fn total(&self) -> usize {
        self.warm_up + self.messages
    }

    /// One more.
    pub(crate) fn tick(&self) {
        let count = self.count.fetch_add(1, Ordering::Relaxed) + 1;
        if count == self.warm_up {
            self.change(|_| match (self.start)() {
                Ok(clock) => State::Measuring(clock),
                Err(error) => State::Done(Err(error)),
            });
        } else if count == self.total() {
            self.change(|state| match state {
                State::Measuring(clock) => State::Done(clock.stop(self.messages)),
                other => other,
            });
            self.done.notify_one();
        }
    }

    /// The first failure is the sample's, if it comes before the end.
    pub(crate) fn fail(&self, error: Failure) {
        self.change(|state| match state {
            State::Done(outcome) => State::Done(outcome),
            _ => State::Done(Err(error)),
        });
        self.done.notify_one();
    }

    /// Waits for the last tick.
    pub(crate) async fn sample(&self) -> Outcome<Sample> {
        self.done.notified().await;
        let mut state = self.state.lock().map_err(|_| "the meter is broken")?;
        match std::mem::replace(&mut *state, State::WarmingUp) {
            State::Done(outcome) => outcome,
            _ => Err("the meter ended too early".into()),
        }
    }

    fn change(&self, change: impl FnOnce(State) -> State) {
        if let Ok(mut state) = self.state.lock() {
            *state = change(std::mem::replace(&mut *state, State::WarmingUp));
        }
    }
}
