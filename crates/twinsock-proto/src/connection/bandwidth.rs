//! How much the network carries, estimated from the traffic there is.

use std::time::{Duration, Instant};

use crate::connection::Connection;

/// How much the network carries in each direction, as far as the connection's traffic shows it
/// (`BandwidthStatistics` in UWP); zero and `false` where that is unknown.
///
/// ```
/// # use std::time::Instant;
/// use twinsock_proto::{BandwidthStatistics, Connection, Role, Settings};
///
/// let now = Instant::now();
/// let client = Connection::new(Role::Client, Settings::default(), [0; 32], now);
/// assert_eq!(client.bandwidth_statistics(now), BandwidthStatistics::default());
/// ```
///
/// # How it is estimated
/// * Each direction by itself, from the bytes of the WebSocket layer and the times at which the
///   byte stream took or gave them.
/// * Time is cut into windows: a window ends with the first traffic at least 100 ms after its
///   beginning, and its rate is that of the bytes behind its beginning.
/// * More than 100 ms without traffic are a pause. It ends the window, which then has no rate, and
///   does not count as time; but waiting for a network that takes no bytes is no pause.
/// * The first window after a pause has no rate either: it carries what had gathered in the
///   buffers of the system. For the same reason a window begins anew when the network first
///   refuses bytes.
/// * The first rate is the estimate, with half of it as its instability. Each further one moves the
///   instability by a quarter of the way to its distance from the estimate, then the estimate by
///   an eighth of the way to itself (as RFC 6298 §2 does for round trips).
/// * The bandwidth is peaked while the estimate has kept within an eighth for four windows and no
///   pause has come; outbound also only if the network refused bytes in each of the four: an
///   application that could have sent more shows no ceiling.
///
/// So traffic in bursts shorter than 200 ms tells nothing, and a rate is that of the application
/// where it is the application that limits it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BandwidthStatistics {
    /// The estimate for what is sent, in bits per second.
    pub outbound_bits_per_second: u64,
    /// The estimate for what is received, in bits per second.
    pub inbound_bits_per_second: u64,
    /// How far outbound rates are from their estimate on average, in bits per second.
    pub outbound_bits_per_second_instability: u64,
    /// How far inbound rates are from their estimate on average, in bits per second.
    pub inbound_bits_per_second_instability: u64,
    /// Whether the outbound estimate has reached its ceiling; `false` again when less is sent.
    pub outbound_bandwidth_peaked: bool,
    /// Whether the inbound estimate has reached its ceiling; `false` again when less comes.
    pub inbound_bandwidth_peaked: bool,
}

/// The estimate for one direction.
#[derive(Debug)]
pub(crate) struct Bandwidth {
    /// When the window began; `None` before any traffic.
    start: Option<Instant>,
    /// When its newest traffic was, in nanoseconds after its beginning: less than a window.
    newest: u32,
    phase: Phase,
    ceiling: Ceiling,
    /// For how many windows the estimate has kept near to `level`.
    level_windows: u8,
    /// How many bytes had gone before the window.
    bytes_before: u64,
    estimate: u64,
    instability: u64,
    level: u64,
}

/// What the rate of the window at hand tells.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Phase {
    /// Nothing: it is the first one after a pause.
    Gathered,
    /// What the application does: the network refuses nothing.
    Flowing,
    /// What the network does: it is full now.
    Full,
    /// The same: it was full in this window, and has taken bytes since.
    Resumed,
    /// It was full in the window before, not yet in this one.
    Eased,
}

/// When a level estimate is that of the network.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Ceiling {
    /// Always: what it would carry beyond cannot be known.
    Level,
    /// When it refuses more.
    Refusal,
}

impl Bandwidth {
    pub(crate) fn new(ceiling: Ceiling) -> Self {
        Self {
            start: None,
            newest: 0,
            phase: Phase::Gathered,
            ceiling,
            level_windows: 0,
            bytes_before: 0,
            estimate: 0,
            instability: 0,
            level: 0,
        }
    }

    /// Bytes went: `total` since the beginning.
    pub(crate) fn handle_bytes(&mut self, now: Instant, total: u64) {
        let Some(start) = self.start.filter(|_| !self.is_paused(now)) else {
            return self.resume(now, total);
        };
        let elapsed = now.saturating_duration_since(start);
        if elapsed >= WINDOW {
            self.end_window(rate(total.saturating_sub(self.bytes_before), elapsed));
            self.begin_window(now, total);
            return;
        }
        self.newest = elapsed.subsec_nanos();
        if self.phase == Phase::Full {
            self.phase = Phase::Resumed;
        }
    }

    /// The network takes no more for now, after `total` bytes.
    pub(crate) fn handle_refusal(&mut self, now: Instant, total: u64) {
        if self.is_paused(now) {
            self.resume(now, total);
        }
        if matches!(self.phase, Phase::Gathered | Phase::Flowing) {
            // What went until now filled buffers.
            self.begin_window(now, total);
        }
        self.phase = Phase::Full;
    }

    fn is_peaked(&self, now: Instant) -> bool {
        self.level_windows == LEVEL_WINDOWS && !self.is_paused(now)
    }

    /// Whether there is no traffic, but for the network's sake.
    fn is_paused(&self, now: Instant) -> bool {
        let Some(start) = self.start else {
            return true;
        };
        let silence = now
            .saturating_duration_since(start)
            .saturating_sub(Duration::from_nanos(self.newest.into()));
        self.phase != Phase::Full && silence > WINDOW
    }

    fn resume(&mut self, now: Instant, total: u64) {
        self.phase = Phase::Gathered;
        self.level_windows = 0;
        self.begin_window(now, total);
    }

    fn begin_window(&mut self, now: Instant, total: u64) {
        self.start = Some(now);
        self.newest = 0;
        self.bytes_before = total;
    }

    fn end_window(&mut self, rate: u64) {
        if self.phase != Phase::Gathered {
            self.take_rate(rate);
            self.watch_level();
        }
        self.phase = match self.phase {
            Phase::Full | Phase::Resumed => Phase::Eased,
            Phase::Gathered | Phase::Flowing | Phase::Eased => Phase::Flowing,
        };
    }

    fn take_rate(&mut self, rate: u64) {
        if self.estimate == 0 {
            self.estimate = rate;
            self.instability = rate / 2;
            return;
        }
        let distance = self.estimate.abs_diff(rate);
        self.instability = moved(self.instability, distance, 4);
        self.estimate = moved(self.estimate, rate, 8);
    }

    fn watch_level(&mut self) {
        let is_limited_by_network = match self.ceiling {
            Ceiling::Level => true,
            Ceiling::Refusal => matches!(self.phase, Phase::Full | Phase::Resumed),
        };
        if !is_limited_by_network {
            self.level_windows = 0;
        } else if self.level_windows == 0 || self.estimate.abs_diff(self.level) > self.level / 8 {
            self.level = self.estimate;
            self.level_windows = 1;
        } else {
            self.level_windows = LEVEL_WINDOWS.min(self.level_windows + 1);
        }
    }
}

impl Connection {
    /// How much the network carries, as far as the traffic until `now` shows it; the estimates
    /// stay when the connection has ended.
    #[must_use]
    pub fn bandwidth_statistics(&self, now: Instant) -> BandwidthStatistics {
        let (outbound, inbound) = (&self.state.outbound, &self.state.inbound);
        let goes_on = self.closed().is_none();
        BandwidthStatistics {
            outbound_bits_per_second: outbound.estimate,
            inbound_bits_per_second: inbound.estimate,
            outbound_bits_per_second_instability: outbound.instability,
            inbound_bits_per_second_instability: inbound.instability,
            outbound_bandwidth_peaked: goes_on && outbound.is_peaked(now),
            inbound_bandwidth_peaked: goes_on && inbound.is_peaked(now),
        }
    }
}

/// A value that has gone a part of its way to `goal`.
fn moved(value: u64, goal: u64, part: u64) -> u64 {
    let step = value.abs_diff(goal) / part;
    if goal > value {
        value.saturating_add(step)
    } else {
        value.saturating_sub(step)
    }
}

/// In bits per second; `elapsed` is no less than a window.
fn rate(bytes: u64, elapsed: Duration) -> u64 {
    let bits_in_nanoseconds = u128::from(bytes) * 8 * 1_000_000_000;
    let rate = bits_in_nanoseconds / elapsed.as_nanos().max(1);
    u64::try_from(rate).unwrap_or(u64::MAX)
}

/// The least time that gives a rate, and the most between two bytes of one burst.
const WINDOW: Duration = Duration::from_millis(100);

/// For how many windows an estimate must be level to have peaked.
const LEVEL_WINDOWS: u8 = 4;

#[cfg(test)]
#[expect(
    clippy::disallowed_methods,
    reason = "a test is the caller that passes the time"
)]
mod tests {
    use super::*;

    const MILLISECOND: Duration = Duration::from_millis(1);

    /// A direction whose traffic and clock are the test.
    struct Direction {
        bandwidth: Bandwidth,
        now: Instant,
        total: u64,
    }

    impl Direction {
        fn new(ceiling: Ceiling) -> Self {
            Self {
                bandwidth: Bandwidth::new(ceiling),
                now: Instant::now(),
                total: 0,
            }
        }

        fn carry(&mut self, bytes: u64) {
            self.total += bytes;
            self.bandwidth.handle_bytes(self.now, self.total);
        }

        fn wait(&mut self, milliseconds: u32) {
            self.now += milliseconds * MILLISECOND;
        }

        /// So many bytes each 10 ms.
        fn flow(&mut self, milliseconds: u32, bytes: u64) {
            for _ in 0..milliseconds / 10 {
                self.wait(10);
                self.carry(bytes);
            }
        }

        /// The same out of buffers that are full each time.
        fn push(&mut self, milliseconds: u32, bytes: u64) {
            for _ in 0..milliseconds / 10 {
                self.wait(10);
                self.carry(bytes);
                self.refuse();
            }
        }

        fn refuse(&mut self) {
            self.bandwidth.handle_refusal(self.now, self.total);
        }

        fn estimate(&self) -> u64 {
            self.bandwidth.estimate
        }

        fn is_peaked(&self) -> bool {
            self.bandwidth.is_peaked(self.now)
        }
    }

    /// 1000 bytes each 10 ms.
    const RATE: u64 = 800_000;

    #[test]
    fn a_steady_rate_is_the_estimate_and_has_peaked() {
        let mut inbound = Direction::new(Ceiling::Level);
        inbound.carry(50_000);
        inbound.flow(100, 1_000);
        assert_eq!(inbound.estimate(), 0, "what gathered before tells nothing");
        inbound.flow(100, 1_000);
        assert_eq!(inbound.estimate(), RATE);
        assert_eq!(inbound.bandwidth.instability, RATE / 2);
        inbound.flow(200, 1_000);
        assert!(!inbound.is_peaked());
        inbound.flow(1_000, 1_000);
        assert_eq!(inbound.estimate(), RATE);
        assert!(inbound.bandwidth.instability < RATE / 20);
        assert!(inbound.is_peaked());
    }

    #[test]
    fn a_ramp_has_not_peaked_until_it_ends() {
        let mut inbound = Direction::new(Ceiling::Level);
        for step in 1..=20 {
            inbound.flow(100, 100 * step * step);
            assert!(!inbound.is_peaked(), "step {step}");
        }
        assert!(inbound.bandwidth.instability > RATE);
        inbound.flow(5_000, 40_000);
        assert!(inbound.is_peaked());
        assert!(inbound.estimate().abs_diff(40 * RATE) < RATE);
    }

    #[test]
    fn pauses_between_bursts_are_no_time() {
        let mut inbound = Direction::new(Ceiling::Level);
        for _ in 0..20 {
            inbound.wait(5_000);
            // What came meanwhile and waited.
            inbound.carry(100_000);
            inbound.flow(400, 1_000);
        }
        assert_eq!(inbound.estimate(), RATE);
        assert!(!inbound.is_peaked(), "no burst is long enough");
    }

    #[test]
    fn bursts_shorter_than_two_windows_tell_nothing() {
        let mut inbound = Direction::new(Ceiling::Level);
        for _ in 0..100 {
            inbound.wait(150);
            inbound.flow(190, 1_000);
        }
        assert_eq!(inbound.estimate(), 0);
    }

    #[test]
    fn what_stops_keeps_its_estimate_but_has_not_peaked() {
        let mut inbound = Direction::new(Ceiling::Level);
        inbound.flow(1_000, 1_000);
        assert!(inbound.is_peaked());
        inbound.wait(100);
        assert!(inbound.is_peaked());
        inbound.wait(1);
        assert!(!inbound.is_peaked());
        assert_eq!(inbound.estimate(), RATE);
        inbound.flow(300, 1_000);
        assert!(!inbound.is_peaked(), "a pause begins anew");
    }

    #[test]
    fn less_traffic_is_no_peak_until_it_is_level() {
        let mut inbound = Direction::new(Ceiling::Level);
        inbound.flow(2_000, 1_000);
        inbound.flow(400, 400);
        assert!(!inbound.is_peaked());
        inbound.flow(5_000, 400);
        assert!(inbound.is_peaked());
        assert!(inbound.estimate().abs_diff(RATE * 2 / 5) < RATE / 50);
    }

    #[test]
    fn outbound_has_peaked_only_where_the_network_refuses_more() {
        let mut outbound = Direction::new(Ceiling::Refusal);
        outbound.flow(2_000, 1_000);
        assert_eq!(outbound.estimate(), RATE);
        assert!(!outbound.is_peaked(), "the application could send more");
        outbound.push(1_000, 1_000);
        assert!(outbound.is_peaked());
        outbound.flow(200, 1_000);
        assert!(!outbound.is_peaked(), "less is sent");
    }

    #[test]
    fn bytes_that_fill_buffers_are_no_rate() {
        let mut outbound = Direction::new(Ceiling::Refusal);
        outbound.carry(1_000_000);
        outbound.refuse();
        outbound.push(100, 1_000);
        assert_eq!(outbound.estimate(), RATE);
        // A little less for a while, then all at once.
        outbound.flow(200, 900);
        let before = outbound.estimate();
        outbound.carry(1_000_000);
        outbound.refuse();
        outbound.push(1_000, 1_000);
        assert!((before..=RATE).contains(&outbound.estimate()));
    }

    #[test]
    fn waiting_for_the_network_is_no_pause() {
        let mut outbound = Direction::new(Ceiling::Refusal);
        for _ in 0..10 {
            outbound.refuse();
            outbound.wait(1_000);
            assert_eq!(outbound.is_peaked(), outbound.total >= 4 * 100_000);
            outbound.carry(100_000);
        }
        assert_eq!(outbound.estimate(), RATE);
    }

    #[test]
    fn a_clock_that_goes_back_and_the_largest_numbers_are_survived() {
        let mut outbound = Direction::new(Ceiling::Refusal);
        let late = outbound.now + 10_000 * MILLISECOND;
        outbound.bandwidth.handle_bytes(late, u64::MAX);
        outbound.bandwidth.handle_refusal(outbound.now, 0);
        outbound.bandwidth.handle_bytes(outbound.now, 5);
        outbound.push(1_000, u64::MAX / 200);
        assert!(outbound.estimate() > 0);
    }
}
