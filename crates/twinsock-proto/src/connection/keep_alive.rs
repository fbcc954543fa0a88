//! Pings that find out whether the peer is there, and how long it takes to answer; Pongs that
//! only show that we are.

use std::time::{Duration, Instant};

use crate::frame::control::ControlPayload;
use crate::limits::Timing;

/// Sends a Ping when the peer has been silent, and gives up when nothing follows.
#[derive(Debug)]
pub(crate) struct KeepAlive {
    interval: Option<Duration>,
    patience: Option<Duration>,
    last_received: Instant,
    /// The newest Ping: a peer need not answer older ones (RFC 6455 §5.5.3).
    newest_ping: Option<Box<SentPing>>,
    /// Since when a Ping has been out without any byte from the peer.
    unanswered_since: Option<Instant>,
    pings: u64,
    round_trip_time: Option<Duration>,
    pong_interval: Option<Duration>,
    /// When an unsolicited Pong was last due.
    last_pong: Instant,
}

/// A Ping that may still be answered; apart, because mostly there is none.
#[derive(Debug)]
struct SentPing {
    payload: ControlPayload,
    sent: Instant,
}

/// More unsolicited Pongs than one each second keep nothing alive that fewer would not.
const SHORTEST_PONG_INTERVAL: Duration = Duration::from_secs(1);

/// What is due.
#[derive(Debug, PartialEq)]
pub(crate) enum Due {
    Nothing,
    Ping(ControlPayload),
    GiveUp,
}

impl KeepAlive {
    pub(crate) fn new(timing: &Timing, now: Instant) -> Self {
        Self {
            interval: timing.keep_alive,
            patience: timing.pong,
            last_received: now,
            newest_ping: None,
            unanswered_since: None,
            pings: 0,
            round_trip_time: None,
            pong_interval: timing
                .unsolicited_pong
                .map(|interval| interval.max(SHORTEST_PONG_INTERVAL)),
            last_pong: now,
        }
    }

    pub(crate) fn round_trip_time(&self) -> Option<Duration> {
        self.round_trip_time
    }

    /// The time between unsolicited Pongs, as it is kept to.
    pub(crate) fn pong_interval(&self) -> Option<Duration> {
        self.pong_interval
    }

    /// After how long without a byte a Ping is due.
    pub(crate) fn interval(&self) -> Option<Duration> {
        self.interval
    }

    /// When something is due; `None` also for a time too far away to be told.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        [self.ping_deadline(), self.pong_deadline()]
            .into_iter()
            .flatten()
            .min()
    }

    fn ping_deadline(&self) -> Option<Instant> {
        match self.unanswered_since {
            Some(since) => since.checked_add(self.patience?),
            None => self.last_received.checked_add(self.interval?),
        }
    }

    fn pong_deadline(&self) -> Option<Instant> {
        self.last_pong.checked_add(self.pong_interval?)
    }

    /// Bytes came: the peer is there.
    pub(crate) fn handle_received(&mut self, now: Instant) {
        self.last_received = now;
        self.unanswered_since = None;
    }

    /// A Ping goes out, ours or the application's.
    pub(crate) fn handle_ping_sent(&mut self, payload: ControlPayload, now: Instant) {
        self.newest_ping = Some(Box::new(SentPing { payload, sent: now }));
        self.unanswered_since.get_or_insert(now);
    }

    /// A Pong came; one that answers no Ping of ours means nothing.
    pub(crate) fn handle_pong(&mut self, payload: &ControlPayload, now: Instant) {
        if let Some(ping) = self.newest_ping.take_if(|ping| ping.payload == *payload) {
            self.round_trip_time = Some(now.saturating_duration_since(ping.sent));
        }
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) -> Due {
        if !is_past(self.ping_deadline(), now) {
            return Due::Nothing;
        }
        if self.unanswered_since.is_some() {
            return Due::GiveUp;
        }
        self.pings += 1;
        let Some(payload) = ControlPayload::new(&self.pings.to_be_bytes()) else {
            return Due::Nothing;
        };
        self.handle_ping_sent(payload, now);
        Due::Ping(payload)
    }

    /// Whether an unsolicited Pong is due; if so, the next one is due an interval from now: what
    /// was missed is not made up for.
    pub(crate) fn take_due_pong(&mut self, now: Instant) -> bool {
        let is_due = is_past(self.pong_deadline(), now);
        if is_due {
            self.last_pong = now;
        }
        is_due
    }
}

fn is_past(deadline: Option<Instant>, now: Instant) -> bool {
    deadline.is_some_and(|deadline| deadline <= now)
}

#[cfg(test)]
#[expect(
    clippy::disallowed_methods,
    reason = "a test is the caller that passes the time"
)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn keep_alive(now: Instant) -> KeepAlive {
        let timing = Timing {
            pong: Some(5 * SECOND),
            ..Timing::default()
        };
        KeepAlive::new(&timing, now)
    }

    #[test]
    fn a_silent_peer_is_pinged_then_given_up() {
        let start = Instant::now();
        let mut keep_alive = keep_alive(start);
        assert_eq!(keep_alive.handle_timeout(start + 19 * SECOND), Due::Nothing);
        assert!(matches!(
            keep_alive.handle_timeout(start + 20 * SECOND),
            Due::Ping(_)
        ));
        assert_eq!(keep_alive.deadline(), Some(start + 25 * SECOND));
        assert_eq!(keep_alive.handle_timeout(start + 25 * SECOND), Due::GiveUp);
    }

    #[test]
    fn the_answer_gives_the_round_trip_time() {
        let start = Instant::now();
        let mut keep_alive = keep_alive(start);
        let Due::Ping(payload) = keep_alive.handle_timeout(start + 20 * SECOND) else {
            panic!()
        };
        keep_alive.handle_received(start + 21 * SECOND);
        keep_alive.handle_pong(&payload, start + 21 * SECOND);
        assert_eq!(keep_alive.round_trip_time(), Some(SECOND));
        assert_eq!(keep_alive.deadline(), Some(start + 41 * SECOND));
    }

    #[test]
    fn a_foreign_pong_is_no_measurement() {
        let start = Instant::now();
        let mut keep_alive = keep_alive(start);
        keep_alive.handle_timeout(start + 20 * SECOND);
        keep_alive.handle_pong(&ControlPayload::new(b"other").unwrap(), start + 21 * SECOND);
        assert_eq!(keep_alive.round_trip_time(), None);
    }

    #[test]
    fn pinging_again_does_not_prolong_the_patience() {
        let start = Instant::now();
        let mut keep_alive = keep_alive(start);
        for second in 0..5 {
            let payload = ControlPayload::new(&[second]).unwrap();
            keep_alive.handle_ping_sent(payload, start + u32::from(second) * SECOND);
        }
        assert_eq!(keep_alive.handle_timeout(start + 5 * SECOND), Due::GiveUp);
    }
}
