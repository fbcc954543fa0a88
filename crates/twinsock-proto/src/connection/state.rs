//! What both directions share: the closing handshake, the timers, and what is to be sent.

use std::time::{Duration, Instant};

use crate::connection::Transmit;
use crate::connection::bandwidth::{Bandwidth, Ceiling};
use crate::connection::close::{CloseState, Closed};
use crate::connection::keep_alive::{Due, KeepAlive};
use crate::connection::timer::{Timer, TimerTable};
use crate::error::{AbortCause, Failure, Loss, NotOpen, Overdue};
use crate::frame::close_reason::{CloseCode, CloseReason};
use crate::frame::control::ControlPayload;
use crate::limits::Timing;
use crate::role::Role;
use crate::send::sender::Sender;

/// A connection but for its receiving direction.
#[derive(Debug)]
pub(crate) struct State {
    role: Role,
    patience: Patience,
    pub(crate) sender: Sender,
    close: CloseState,
    timers: TimerTable,
    pub(crate) keep_alive: KeepAlive,
    pub(crate) inbound: Bandwidth,
    pub(crate) outbound: Bandwidth,
    /// The latest time that an input told.
    now: Instant,
    /// Whether all that was read has been looked at.
    is_caught_up: bool,
    input: Direction,
    output: Direction,
    /// What the application does after our Close.
    after_close: AfterClose,
    /// How the network lost the connection, told when all that was received is handed out.
    loss: Option<Loss>,
}

/// How long is waited for the peer and the network; the rest of the timing is the keep-alive's.
#[derive(Clone, Copy, Debug)]
struct Patience {
    close: Option<Duration>,
    send: Option<Duration>,
    receive: Option<Duration>,
}

impl Patience {
    fn new(timing: &Timing) -> Self {
        Self {
            close: timing.close,
            send: timing.send,
            receive: timing.receive,
        }
    }
}

/// What the application does after our Close frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AfterClose {
    /// It waits for the peer's, for a limited time.
    Wait,
    /// It goes on receiving for as long as the peer is there.
    Receive,
}

/// What a deadline that passed tells about the traffic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Activity {
    Usual,
    /// Nothing came for so long that the peer is asked whether it is there.
    Lull,
}

/// One direction of the byte stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    Open,
    Ended,
}

impl State {
    pub(crate) fn new(role: Role, timing: Timing, sender: Sender, now: Instant) -> Self {
        Self {
            role,
            patience: Patience::new(&timing),
            sender,
            close: CloseState::Open,
            timers: TimerTable::default(),
            keep_alive: KeepAlive::new(&timing, now),
            inbound: Bandwidth::new(Ceiling::Level),
            outbound: Bandwidth::new(Ceiling::Refusal),
            now,
            is_caught_up: true,
            input: Direction::Open,
            output: Direction::Open,
            after_close: AfterClose::Wait,
            loss: None,
        }
    }

    pub(crate) fn role(&self) -> Role {
        self.role
    }

    /// The latest time that an input told.
    pub(crate) fn now(&self) -> Instant {
        self.now
    }

    pub(crate) fn is_open(&self) -> bool {
        matches!(self.close, CloseState::Open)
    }

    /// Whether what comes is still looked at.
    pub(crate) fn is_receiving(&self) -> bool {
        match self.close {
            CloseState::Open | CloseState::CloseSent(_) => true,
            CloseState::Draining(_) | CloseState::Closed(_) => false,
        }
    }

    pub(crate) fn closed(&self) -> Option<&Closed> {
        match &self.close {
            CloseState::Closed(closed) => Some(closed),
            CloseState::Open | CloseState::CloseSent(_) | CloseState::Draining(_) => None,
        }
    }

    pub(crate) fn ending(&self) -> Option<&Closed> {
        match &self.close {
            CloseState::Draining(closed) | CloseState::Closed(closed) => Some(closed),
            CloseState::Open | CloseState::CloseSent(_) => None,
        }
    }

    pub(crate) fn require_open(&self) -> Result<(), NotOpen> {
        if self.is_open() { Ok(()) } else { Err(NotOpen) }
    }

    // ---- commands ----

    pub(crate) fn ping(&mut self, now: Instant, payload: ControlPayload) -> Result<(), NotOpen> {
        self.require_open()?;
        self.keep_alive.handle_ping_sent(payload, now);
        self.sender.send_ping(&payload);
        Ok(())
    }

    /// Closes, and awaits the peer's Close for as long as [`Timing::close`] says.
    pub(crate) fn close(&mut self, now: Instant, reason: CloseReason) -> Result<(), NotOpen> {
        match self.close {
            CloseState::Open => self.close_sending(now, reason)?,
            CloseState::CloseSent(_) if self.after_close == AfterClose::Receive => self.now = now,
            CloseState::CloseSent(_) | CloseState::Draining(_) | CloseState::Closed(_) => {
                return Err(NotOpen);
            }
        }
        self.after_close = AfterClose::Wait;
        self.start(Timer::Close, self.patience.close);
        Ok(())
    }

    /// Closes, and receives for as long as the peer is there.
    pub(crate) fn close_sending(
        &mut self,
        now: Instant,
        reason: CloseReason,
    ) -> Result<(), NotOpen> {
        self.require_open()?;
        self.now = now;
        // RFC 6455 §5.5.2: a Ping that came before is answered.
        self.sender.send_pending_pong();
        self.sender.send_close(&reason);
        self.close = CloseState::CloseSent(Some(Box::new(reason)));
        self.after_close = AfterClose::Receive;
        Ok(())
    }

    /// Gives the connection up for a reason that is not the peer's.
    pub(crate) fn abort(&mut self, now: Instant, cause: AbortCause) {
        self.now = now;
        self.fail(Failure::Aborted(cause));
    }

    // ---- inputs ----

    /// Bytes were read: `total` since the opening handshake.
    pub(crate) fn handle_received(&mut self, now: Instant, total: u64) {
        self.now = now;
        self.inbound.handle_bytes(now, total);
        self.is_caught_up = false;
        self.timers.clear(Timer::Receive);
        self.keep_alive.handle_received(now);
    }

    pub(crate) fn handle_loss(&mut self, now: Instant, loss: Loss) {
        self.now = now;
        self.loss.get_or_insert(loss);
        self.input = Direction::Ended;
        self.end_drained();
    }

    pub(crate) fn handle_send_failed(&mut self, now: Instant, loss: Loss) {
        self.now = now;
        self.loss.get_or_insert(loss);
        self.output = Direction::Ended;
        self.lose_output();
        self.timers.clear(Timer::Send);
        match self.close {
            CloseState::Open => self.close = CloseState::CloseSent(None),
            CloseState::CloseSent(_) if self.after_close == AfterClose::Receive => {}
            CloseState::Draining(_) => return self.end_drained(),
            CloseState::CloseSent(_) | CloseState::Closed(_) => return,
        }
        self.after_close = AfterClose::Wait;
        self.start(Timer::Close, self.patience.close);
    }

    pub(crate) fn handle_transmitted(&mut self, now: Instant, count: usize) {
        self.now = now;
        let total = self.sender.bytes_taken();
        match count {
            0 => self.outbound.handle_refusal(now, total),
            _ => self.outbound.handle_bytes(now, total),
        }
        if count > 0 || !self.sender.has_output() {
            self.timers.clear(Timer::Send);
        }
        self.end_drained();
        // The peer has the full time for its answer once it has our Close frame.
        let advanced_close = count > 0 && self.sender.advanced_close();
        let awaits_close =
            matches!(self.close, CloseState::CloseSent(_)) && self.after_close == AfterClose::Wait;
        if advanced_close && awaits_close {
            self.start(Timer::Close, self.patience.close);
        }
        let awaits_progress = self.sender.has_output() && self.closed().is_none();
        if awaits_progress && !self.timers.is_set(Timer::Send) {
            self.start(Timer::Send, self.patience.send);
        }
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) -> Activity {
        self.now = now;
        while let Some(timer) = self.timers.take_expired(now) {
            match timer {
                Timer::Close if self.is_receiving() => self.fail(Failure::TimedOut(Overdue::Close)),
                Timer::Close => {
                    self.lose_output();
                    self.end_draining();
                }
                Timer::Send => self.fail(Failure::TimedOut(Overdue::Send)),
                Timer::Receive => self.fail(Failure::TimedOut(Overdue::Receive)),
            }
        }
        let mut activity = Activity::Usual;
        if !self.keeps_alive() {
            return activity;
        }
        match self.keep_alive.handle_timeout(now) {
            Due::Nothing => {}
            Due::Ping(payload) => {
                self.sender.send_ping(&payload);
                activity = Activity::Lull;
            }
            // Nothing is read until the application has caught up: the answer may be there.
            Due::GiveUp if !self.is_caught_up => self.keep_alive.handle_received(now),
            Due::GiveUp => self.fail(Failure::TimedOut(Overdue::Pong)),
        }
        if self.keeps_alive() && self.keep_alive.take_due_pong(now) {
            self.sender.send_unsolicited_pong();
        }
        activity
    }

    pub(crate) fn handle_ping(&mut self, payload: ControlPayload) {
        // RFC 6455 §5.5.2: a Ping is answered until the peer's Close has come, also after ours:
        // §5.5.1 forbids only data frames then.
        if self.is_receiving() && self.output == Direction::Open {
            self.sender.answer_ping(payload);
        }
    }

    pub(crate) fn handle_pong(&mut self, payload: &ControlPayload) {
        self.keep_alive.handle_pong(payload, self.now);
    }

    pub(crate) fn handle_close(&mut self, received: CloseReason) {
        // RFC 6455 §5.5.1: answered with a Close that typically echoes the code.
        let answer = CloseReason::bare(received.code());
        self.answer_close(received, answer);
    }

    pub(crate) fn answer_close(&mut self, received: CloseReason, answer: CloseReason) {
        if self.output == Direction::Open {
            // RFC 6455 §5.5.2: the Ping came before the Close, so it is owed an answer.
            self.sender.send_pending_pong();
        }
        let closed = match &self.close {
            CloseState::Open => {
                self.sender.send_close(&answer);
                Closed::by_peer(received, answer)
            }
            CloseState::CloseSent(sent) => Closed::answered(sent.as_deref().cloned(), received),
            CloseState::Draining(_) | CloseState::Closed(_) => return,
        };
        self.drain(closed);
    }

    /// All that was read is looked at.
    pub(crate) fn handle_bytes_used_up(&mut self) {
        self.is_caught_up = true;
        if self.input == Direction::Ended {
            self.fail(self.loss.unwrap_or(Loss::EndOfStream).into());
        }
    }

    /// All that was read is looked at, also what came behind a Close frame that is not answered
    /// yet: the end of the stream is no loss then.
    pub(crate) fn handle_bytes_behind_close(&mut self) {
        self.is_caught_up = true;
    }

    /// All that was read is looked at, and the rest of what the peer began is missing.
    pub(crate) fn handle_message_cut(&mut self) {
        self.handle_bytes_used_up();
        if self.is_receiving() && !self.timers.is_set(Timer::Receive) {
            self.start(Timer::Receive, self.patience.receive);
        }
    }

    // ---- outputs ----

    pub(crate) fn has_output(&self) -> bool {
        self.output == Direction::Open && (self.sender.has_output() || self.owes_end_of_stream())
    }

    pub(crate) fn poll_transmit(&mut self) -> Option<Transmit<'_>> {
        if !self.has_output() {
            return None;
        }
        if self.sender.has_output() {
            return Some(Transmit::Bytes(self.sender.transmit()));
        }
        self.output = Direction::Ended;
        Some(Transmit::EndOfStream)
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let keep_alive = if self.keeps_alive() {
            self.keep_alive.deadline()
        } else {
            None
        };
        [self.timers.next_deadline(), keep_alive]
            .into_iter()
            .flatten()
            .min()
    }

    // ---- transitions ----

    /// RFC 6455 §7.1.7: tells the peer why if it can be told, then waits for it to go.
    pub(crate) fn fail(&mut self, failure: Failure) {
        self.sender.forget_ping();
        if let Failure::TimedOut(Overdue::Send | Overdue::Close) = failure {
            self.lose_output();
        }
        let sent = match &self.close {
            CloseState::Open => self.send_failure(&failure),
            CloseState::CloseSent(sent) => sent.as_deref().cloned(),
            CloseState::Draining(closed) => {
                // The end is decided; only a peer that takes no bytes hastens it.
                self.close = CloseState::Closed(closed.clone());
                return self.timers.clear_all();
            }
            CloseState::Closed(_) => return,
        };
        let closed = Closed::failed(sent, failure);
        match failure {
            Failure::Violation(_) | Failure::LimitExceeded(_) | Failure::Aborted(_) => {
                self.drain(closed);
            }
            // The peer does not answer: what can go out at once goes, nothing more is awaited.
            Failure::TimedOut(_) | Failure::EndOfStream | Failure::Reset | Failure::Network => {
                self.close = CloseState::Closed(Box::new(closed));
                self.timers.clear_all();
            }
        }
    }

    fn send_failure(&mut self, failure: &Failure) -> Option<CloseReason> {
        let reason = failure_reason(failure, failure.close_code()?);
        self.sender.send_close(&reason);
        Some(reason)
    }

    /// What waits to be sent is lost; a Close frame among it was never sent.
    fn lose_output(&mut self) {
        if self.sender.owes_close() {
            match &mut self.close {
                CloseState::CloseSent(sent) => *sent = None,
                CloseState::Draining(closed) => closed.forget_sent(),
                // An end that may have been told is final.
                CloseState::Open | CloseState::Closed(_) => {}
            }
        }
        self.sender.discard();
    }

    fn drain(&mut self, closed: Closed) {
        self.close = CloseState::Draining(Box::new(closed));
        self.timers.clear(Timer::Receive);
        self.start(Timer::Close, self.patience.close);
        self.end_drained();
    }

    /// The peer's stream has ended, and it has all that was said before our Close: nothing more
    /// happens.
    fn end_drained(&mut self) {
        if self.input == Direction::Ended && !self.sender.owes_bytes_before_close() {
            self.end_draining();
        }
    }

    fn end_draining(&mut self) {
        if let CloseState::Draining(closed) = &self.close {
            self.close = CloseState::Closed(closed.clone());
            self.timers.clear_all();
        }
    }

    /// Whether the peer is to show now and then that it is there: as long as nothing else ends
    /// the connection in time.
    fn keeps_alive(&self) -> bool {
        match self.close {
            CloseState::Open => true,
            CloseState::CloseSent(_) => {
                self.after_close == AfterClose::Receive && self.output == Direction::Open
            }
            CloseState::Draining(_) | CloseState::Closed(_) => false,
        }
    }

    fn start(&mut self, timer: Timer, after: Option<Duration>) {
        // A time too far away to be told never comes.
        let deadline = after.and_then(|after| self.now.checked_add(after));
        self.timers.set(timer, deadline);
    }

    /// RFC 6455 §7.1.1: the server ends the TCP connection first; so does whoever failed it.
    fn owes_end_of_stream(&self) -> bool {
        let CloseState::Draining(closed) = &self.close else {
            return false;
        };
        self.role == Role::Server || closed.failure().is_some()
    }
}

/// The Close frame that tells the peer what it did; the text is cut to what fits.
fn failure_reason(failure: &Failure, code: CloseCode) -> CloseReason {
    let mut text = failure.to_string();
    let end = (0..=CloseReason::MAX_TEXT_LENGTH)
        .rev()
        .find(|&end| text.is_char_boundary(end));
    text.truncate(end.unwrap_or_default());
    CloseReason::new(code, &text).unwrap_or_else(|_| CloseReason::bare(code))
}
