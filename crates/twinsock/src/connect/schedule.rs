//! When the next address of a host is tried (RFC 8305 §5).

use std::net::SocketAddr;
use std::time::Duration;
use std::vec;

use tokio::time::Instant;

/// How long an address is alone in the race before the next one joins it.
pub(crate) const DELAY: Duration = Duration::from_millis(250);

/// The addresses that wait, and the time of the next: [`DELAY`] after the one before has begun,
/// or at once when that one has failed.
///
/// It reads no clock: each call says what time it is.
#[derive(Debug)]
pub(crate) struct Schedule {
    waiting: vec::IntoIter<SocketAddr>,
    /// How many have begun.
    begun: usize,
    next: Instant,
    /// When all of connecting has to be done.
    end: Option<Instant>,
}

/// An address whose turn has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Start {
    /// Which of the attempts it is, counted from 1.
    pub(crate) number: usize,
    pub(crate) address: SocketAddr,
}

impl Schedule {
    pub(crate) fn new(addresses: Vec<SocketAddr>, now: Instant, end: Option<Instant>) -> Self {
        Self {
            waiting: addresses.into_iter(),
            begun: 0,
            next: now,
            end,
        }
    }

    /// The address that is to begin now, if one is. After it [`due`](Self::due) is later than now.
    pub(crate) fn begin(&mut self, now: Instant) -> Option<Start> {
        if self.is_over(now) {
            self.waiting = Vec::new().into_iter();
        }
        if now < self.due()? {
            return None;
        }
        let address = self.waiting.next()?;
        self.begun += 1;
        self.next = now + DELAY;
        Some(Start {
            number: self.begun,
            address,
        })
    }

    /// Takes note of an attempt that failed: when it is the newest, the next one need not wait.
    pub(crate) fn failed(&mut self, number: usize, now: Instant) {
        if number == self.begun {
            self.next = now;
        }
    }

    /// When the next one is to begin; `None` when there is no next one.
    pub(crate) fn due(&self) -> Option<Instant> {
        (self.waiting.len() > 0 && !self.is_over(self.next)).then_some(self.next)
    }

    fn is_over(&self, now: Instant) -> bool {
        self.end.is_some_and(|end| now >= end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILLISECOND: Duration = Duration::from_millis(1);

    fn schedule(count: u16, end: Option<Duration>) -> (Schedule, Instant) {
        let now = Instant::now();
        let addresses = (1..=count).map(|port| SocketAddr::from(([127, 0, 0, 1], port)));
        let end = end.map(|end| now + end);
        (Schedule::new(addresses.collect(), now, end), now)
    }

    /// The port of the address that begins now.
    fn begin(schedule: &mut Schedule, now: Instant) -> Option<u16> {
        schedule.begin(now).map(|start| start.address.port())
    }

    #[test]
    fn the_first_begins_at_once_and_each_other_after_the_delay() {
        let (mut schedule, start) = schedule(3, None);
        for port in 1..=3_u16 {
            let due = start + DELAY * u32::from(port - 1);
            assert_eq!(schedule.due(), Some(due));
            assert_eq!(schedule.begin(due - MILLISECOND), None);
            assert_eq!(begin(&mut schedule, due), Some(port));
            assert_eq!(schedule.begin(due), None);
        }
        assert_eq!(schedule.due(), None);
        assert_eq!(schedule.begin(start + DELAY * 100), None);
    }

    #[test]
    fn after_a_failure_of_the_newest_the_next_begins_at_once() {
        let (mut schedule, start) = schedule(3, None);
        assert_eq!(begin(&mut schedule, start), Some(1));
        let early = start + MILLISECOND;
        schedule.failed(1, early);
        assert_eq!(begin(&mut schedule, early), Some(2));
        // The second is still alone with the time that it has.
        schedule.failed(1, early + MILLISECOND);
        assert_eq!(schedule.begin(early + MILLISECOND), None);
        assert_eq!(schedule.due(), Some(early + DELAY));
    }

    #[test]
    fn nothing_begins_once_the_time_for_all_is_over() {
        let (mut quick, start) = schedule(3, Some(DELAY));
        assert_eq!(begin(&mut quick, start), Some(1));
        assert_eq!(quick.due(), None, "the delay ends too late");
        quick.failed(1, start + MILLISECOND);
        assert_eq!(quick.due(), Some(start + MILLISECOND));
        assert_eq!(begin(&mut quick, start + MILLISECOND), Some(2));
        let (mut late, start) = schedule(3, Some(DELAY));
        assert_eq!(late.begin(start + DELAY), None);
        assert_eq!(late.due(), None);
    }
}
