//! Who waits for a socket.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Wake, Waker};

/// The tasks that wait for one socket.
///
/// A transport remembers only the waker that polled it last, yet any number of tasks may send,
/// receive and close. So the transport is polled with a waker of this set, which wakes them all;
/// each looks again and those that have nothing to do go on waiting. No wake-up is lost when one
/// of them is cancelled.
#[derive(Debug, Default)]
pub(crate) struct WakerSet {
    slots: Mutex<Vec<Slot>>,
    /// How often all were woken; counted while `slots` is locked.
    wakes: AtomicU32,
}

/// A point in the sequence of wake-ups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment(u32);

/// Whether a waiter that registers was too late for a wake-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Missed {
    Nothing,
    AWakeUp,
}

#[derive(Debug)]
enum Slot {
    Free,
    /// Taken by a waiter, which need not be woken now.
    Taken,
    Waiting(Waker),
}

/// A place in the set, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Waiter {
    wakers: Arc<WakerSet>,
    slot: Option<usize>,
}

impl WakerSet {
    /// The present: to be asked before looking whether there is something to wait for.
    pub(crate) fn moment(&self) -> Moment {
        Moment(self.wakes.load(Ordering::Acquire))
    }

    /// Wakes every task that waits.
    pub(crate) fn wake_all(&self) {
        let mut slots = self.slots();
        self.wakes.fetch_add(1, Ordering::Release);
        let mut waiting = slots.iter_mut().filter_map(Slot::take);
        // Mostly there is one, for which nothing is allocated.
        let first = waiting.next();
        let others: Vec<Waker> = waiting.collect();
        // Outside of the lock: waking may run code that registers again.
        drop(slots);
        first.into_iter().chain(others).for_each(Waker::wake);
    }

    fn slots(&self) -> MutexGuard<'_, Vec<Slot>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for WakerSet {
    fn wake(self: Arc<Self>) {
        self.wake_all();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.wake_all();
    }
}

impl Slot {
    fn take(&mut self) -> Option<Waker> {
        match std::mem::replace(self, Self::Taken) {
            Self::Waiting(waker) => Some(waker),
            Self::Taken => None,
            Self::Free => {
                *self = Self::Free;
                None
            }
        }
    }
}

impl Waiter {
    pub(crate) fn new(wakers: Arc<WakerSet>) -> Self {
        Self { wakers, slot: None }
    }

    /// Has `waker` woken at the next event, and tells whether one came since `moment`.
    pub(crate) fn register(&mut self, waker: &Waker, moment: Moment) -> Missed {
        let mut slots = self.wakers.slots();
        if slots.is_empty() {
            // Mostly one task waits: room for more would be held by each idle socket.
            slots.reserve_exact(1);
        }
        let index = *self.slot.get_or_insert_with(|| {
            slots
                .iter()
                .position(|slot| matches!(slot, Slot::Free))
                .unwrap_or_else(|| {
                    slots.push(Slot::Taken);
                    slots.len() - 1
                })
        });
        let mut before = None;
        if let Some(slot) = slots.get_mut(index)
            && !matches!(slot, Slot::Waiting(waiting) if waiting.will_wake(waker))
        {
            before = Some(std::mem::replace(slot, Slot::Waiting(waker.clone())));
        }
        let missed = match self.wakers.moment() == moment {
            true => Missed::Nothing,
            false => Missed::AWakeUp,
        };
        // Outside of the lock: the last waker of a task may take the task with it.
        drop(slots);
        drop(before);
        missed
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        let Some(index) = self.slot else { return };
        let mut slots = self.wakers.slots();
        let before = slots
            .get_mut(index)
            .map(|slot| std::mem::replace(slot, Slot::Free));
        while matches!(slots.last(), Some(Slot::Free)) {
            slots.pop();
        }
        // Outside of the lock, as in `register`.
        drop(slots);
        drop(before);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use tokio_test::task;

    use super::*;

    #[test]
    fn one_event_wakes_every_waiter() {
        let set = Arc::new(WakerSet::default());
        let mut waiters: Vec<Waiter> = (0..3).map(|_| Waiter::new(Arc::clone(&set))).collect();
        let mut tasks: Vec<_> = (0..3).map(|_| task::spawn(())).collect();
        for (waiter, task) in waiters.iter_mut().zip(&mut tasks) {
            let missed = task.enter(|context, _| waiter.register(context.waker(), set.moment()));
            assert_eq!(missed, Missed::Nothing);
        }
        Waker::from(Arc::clone(&set)).wake();
        assert!(tasks.iter().all(task::Spawn::is_woken));
    }

    #[test]
    fn a_waiter_that_is_too_late_for_a_wake_up_is_told() {
        let set = Arc::new(WakerSet::default());
        let moment = set.moment();
        set.wake_all();
        let mut task = task::spawn(());
        let mut waiter = Waiter::new(Arc::clone(&set));
        let missed = task.enter(|context, _| waiter.register(context.waker(), moment));
        assert_eq!(missed, Missed::AWakeUp);
    }

    /// What is waited for happens, and is announced, in the midst of the waiting.
    #[test]
    fn whatever_happens_is_seen_or_wakes() {
        for _ in 0..20_000 {
            let set = Arc::new(WakerSet::default());
            let happened = Arc::<AtomicBool>::default();
            let other = std::thread::spawn({
                let (set, happened) = (Arc::clone(&set), Arc::clone(&happened));
                move || happen(&set, &happened)
            });
            let mut task = task::spawn(());
            let mut waiter = Waiter::new(Arc::clone(&set));
            let moment = set.moment();
            let is_seen = || happened.load(Ordering::Relaxed);
            let seen = is_seen() || {
                let missed = task.enter(|context, _| waiter.register(context.waker(), moment));
                missed == Missed::AWakeUp && is_seen()
            };
            other.join().expect("no panic");
            assert!(seen || task.is_woken());
        }
    }

    /// Without an order of its own: the wake-up gives it one.
    fn happen(set: &WakerSet, happened: &AtomicBool) {
        happened.store(true, Ordering::Relaxed);
        set.wake_all();
    }

    #[test]
    fn waiters_that_come_and_go_leave_nothing_behind() {
        let set = Arc::new(WakerSet::default());
        for _ in 0..100 {
            let mut task = task::spawn(());
            let mut waiter = Waiter::new(Arc::clone(&set));
            let moment = set.moment();
            let missed = task.enter(|context, _| waiter.register(context.waker(), moment));
            assert_eq!(missed, Missed::Nothing);
        }
        assert!(set.slots().is_empty());
    }
}
