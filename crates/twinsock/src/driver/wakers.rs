//! Who waits for a socket.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Wake, Waker};

/// The tasks that wait for one socket.
///
/// A transport remembers only the waker that polled it last, yet any number of tasks may send,
/// receive and close. So the transport is polled with a waker of this set, which wakes them all;
/// each looks again and those that have nothing to do go on waiting. No wake-up is lost when one
/// of them is cancelled.
#[derive(Debug, Default)]
pub(crate) struct WakerSet(Mutex<Vec<Slot>>);

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
    /// Wakes every task that waits.
    pub(crate) fn wake_all(&self) {
        let woken: Vec<Waker> = self.slots().iter_mut().filter_map(Slot::take).collect();
        // Outside of the lock: waking may run code that registers again.
        woken.into_iter().for_each(Waker::wake);
    }

    fn slots(&self) -> MutexGuard<'_, Vec<Slot>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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

    /// Has `waker` woken at the next event.
    pub(crate) fn register(&mut self, waker: &Waker) {
        let mut slots = self.wakers.slots();
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
        // Outside of the lock: the last waker of a task may take the task with it.
        drop(slots);
        drop(before);
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
    use tokio_test::task;

    use super::*;

    #[test]
    fn one_event_wakes_every_waiter() {
        let set = Arc::new(WakerSet::default());
        let mut waiters: Vec<Waiter> = (0..3).map(|_| Waiter::new(Arc::clone(&set))).collect();
        let mut tasks: Vec<_> = (0..3).map(|_| task::spawn(())).collect();
        for (waiter, task) in waiters.iter_mut().zip(&mut tasks) {
            task.enter(|context, _| waiter.register(context.waker()));
        }
        Waker::from(Arc::clone(&set)).wake();
        assert!(tasks.iter().all(task::Spawn::is_woken));
    }

    #[test]
    fn waiters_that_come_and_go_leave_nothing_behind() {
        let set = Arc::new(WakerSet::default());
        for _ in 0..100 {
            let mut task = task::spawn(());
            let mut waiter = Waiter::new(Arc::clone(&set));
            task.enter(|context, _| waiter.register(context.waker()));
        }
        assert!(set.slots().is_empty());
    }
}
