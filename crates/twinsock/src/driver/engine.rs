//! The socket and the core together: what happens at each poll.

use std::io;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use tokio::task::coop::poll_proceed;
use twinsock_proto::{
    CloseReason, Closed, Connection, ControlPayload, Event, Message, NotOpen, Transmit,
};

use crate::driver::alarm::{self, Alarm};
use crate::driver::inbox::Inbox;
use crate::driver::memory;
use crate::driver::transport::Transport;
use crate::driver::turn::Turn;
use crate::error::Error;

/// A connection with its transport.
///
/// Every method is one poll: it does what can be done at once and never blocks. Tasks that wait
/// are in the [`WakerSet`](crate::driver::wakers::WakerSet).
#[derive(Debug)]
pub(crate) struct Engine {
    connection: Connection,
    transport: Transport,
    /// What the network said when it failed.
    network_error: Option<Arc<io::Error>>,
    alarm: Alarm,
    inbox: Inbox,
    unread: Unread,
    turn: Turn,
    attendant: Attendant,
    end: End,
    wakes: Wakes,
    /// How often was read since reading last paused.
    reads: u32,
    /// How many messages were handed out since the runtime was last asked whether to go on.
    handed_out: u32,
    /// Wakes all that wait.
    waker: Waker,
}

/// Whether those who wait are to look again, once the engine is unlocked.
#[derive(Clone, Copy, Debug, PartialEq)]
#[must_use]
pub(crate) enum Wakes {
    None,
    Due,
}

/// What happens to messages that come.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Unread {
    /// They wait for a receiver.
    Kept,
    /// This endpoint closes: nobody will ask for them.
    Discarded,
}

/// Whether a background task will write what waits if nobody else does.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Attendant {
    Absent,
    Called,
}

/// Whether the transport is still needed.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    /// The connection goes on.
    No,
    /// The stream ended towards us.
    InputEnded,
    /// The transport was let go.
    Reached,
}

/// Whether output is left for which nobody is responsible yet.
#[derive(Clone, Copy, Debug, PartialEq)]
#[must_use]
pub(crate) enum Output {
    /// All is sent, or somebody will see to it.
    Settled,
    /// A background task must see to it.
    NeedsAttendant,
}

impl Engine {
    pub(crate) fn new(connection: Connection, transport: Transport, waker: Waker) -> Self {
        Self {
            connection,
            transport,
            network_error: None,
            alarm: Alarm::default(),
            inbox: Inbox::default(),
            unread: Unread::Kept,
            turn: Turn::Fresh,
            attendant: Attendant::Absent,
            end: End::No,
            wakes: Wakes::None,
            reads: 0,
            handed_out: 0,
            waker,
        }
    }

    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// How the connection ended, once nothing more happens.
    pub(crate) fn closed(&self) -> Option<&Closed> {
        self.connection.closed()
    }

    pub(crate) fn take_wakes(&mut self) -> Wakes {
        std::mem::replace(&mut self.wakes, Wakes::None)
    }

    // ---- receiving ----

    /// The next message; `None` after the end.
    pub(crate) fn poll_message(&mut self) -> Poll<Result<Option<Message>, Error>> {
        ready!(self.poll_fairness());
        if self.connection.holds_close() {
            // It is answered now; its deadlines count from now, not from when it was read.
            self.connection.handle_timeout(alarm::now());
        }
        loop {
            if let Some(message) = self.take_message() {
                self.handed_out += 1;
                return Poll::Ready(Ok(Some(message)));
            }
            if self.connection.closed().is_some() {
                return Poll::Ready(self.reach_end().map(|()| None));
            }
            if self.poll_read().is_pending() {
                ready!(self.poll_pause());
            }
        }
    }

    /// A peer that sends fast keeps no other task of the runtime waiting.
    fn poll_fairness(&mut self) -> Poll<()> {
        if self.handed_out >= MOST_HANDED_OUT {
            let mut context = Context::from_waker(&self.waker);
            ready!(poll_proceed(&mut context)).made_progress();
            self.handed_out = 0;
        }
        Poll::Ready(())
    }

    /// A message that is already here.
    fn take_message(&mut self) -> Option<Message> {
        if let Some(message) = self.take_read_ahead() {
            return Some(message);
        }
        while let Some(Event::MessageReceived(message)) = self.connection.poll_event() {
            if self.unread == Unread::Kept {
                return Some(message.into_owned());
            }
        }
        None
    }

    fn take_read_ahead(&mut self) -> Option<Message> {
        if self.inbox.is_full() {
            // A sender may go on reading ahead.
            self.wakes = Wakes::Due;
        }
        self.inbox.pop()
    }

    /// Nothing is left to do but wait: sends what waits, then looks at the clock.
    ///
    /// Ready when something happened meanwhile.
    fn poll_pause(&mut self) -> Poll<()> {
        self.turn = Turn::Fresh;
        let _ = self.poll_write();
        if self.connection.closed().is_some() {
            return Poll::Ready(());
        }
        self.poll_alarm()
    }

    fn poll_alarm(&mut self) -> Poll<()> {
        let mut context = Context::from_waker(&self.waker);
        ready!(
            self.alarm
                .poll(&mut context, self.connection.poll_timeout())
        );
        self.connection.handle_timeout(alarm::now());
        Poll::Ready(())
    }

    /// Reads once. Pending also when the stream has ended, and now and then when a peer never
    /// pauses: then output and timers get their turn.
    fn poll_read(&mut self) -> Poll<()> {
        if self.end != End::No {
            return Poll::Pending;
        }
        if self.reads >= MOST_READS {
            self.reads = 0;
            self.wakes = Wakes::Due;
            return Poll::Pending;
        }
        self.reads += 1;
        if self.connection.needs_memory() {
            self.connection.lend_memory(memory::take());
        }
        let mut context = Context::from_waker(&self.waker);
        let read = self
            .transport
            .poll_read(&mut context, self.connection.receive_memory());
        match read {
            Poll::Pending => {
                self.reads = 0;
                self.give_memory_back();
                return Poll::Pending;
            }
            Poll::Ready(Ok(1..)) => self.connection.handle_received(alarm::now()),
            Poll::Ready(Ok(0)) => self.handle_end_of_stream(),
            Poll::Ready(Err(error)) => {
                self.network_error.get_or_insert_with(|| Arc::new(error));
                self.handle_end_of_stream();
            }
        }
        Poll::Ready(())
    }

    fn give_memory_back(&mut self) {
        if let Some(memory) = self.connection.take_idle_memory() {
            memory::give_back(memory);
        }
    }

    fn handle_end_of_stream(&mut self) {
        self.end = End::InputEnded;
        self.connection.handle_end_of_stream(alarm::now());
    }

    // ---- sending ----

    /// Ready when a message may be queued.
    pub(crate) fn poll_room(&mut self) -> Poll<Result<(), Error>> {
        loop {
            if !self.connection.is_open() {
                // The answer to the peer's Close, if it was just read.
                let _ = self.poll_write();
                return Poll::Ready(Err(self.not_open()));
            }
            if self.connection.has_room() {
                return Poll::Ready(Ok(()));
            }
            let _ = self.poll_write();
            if self.connection.has_room() || !self.connection.is_open() {
                continue;
            }
            if self.poll_read_ahead().is_pending() {
                ready!(self.poll_alarm());
            }
        }
    }

    /// Queues what `command` says, and writes it unless it may wait for more to come.
    pub(crate) fn send(
        &mut self,
        command: impl FnOnce(&mut Connection) -> Result<(), NotOpen>,
    ) -> Result<Output, Error> {
        if command(&mut self.connection).is_err() {
            return Err(self.not_open());
        }
        Ok(self.settle_output())
    }

    /// Queues a message as part of a batch: the caller flushes.
    pub(crate) fn feed(&mut self, message: Message) -> Result<(), Error> {
        self.connection
            .send(message)
            .map_err(|NotOpen| self.not_open())
    }

    pub(crate) fn ping(&mut self, payload: ControlPayload) -> Result<Output, Error> {
        // Those who wait have a new deadline: that of the answer.
        self.wakes = Wakes::Due;
        self.send(|connection| connection.ping(alarm::now(), payload))
    }

    /// Ready when all that was sent is with the network.
    pub(crate) fn poll_flush(&mut self) -> Poll<Result<(), Error>> {
        loop {
            let is_written = self.poll_write().is_ready();
            if let Some(closed) = self.connection.closed() {
                return Poll::Ready(self.failure(closed).map_or(Ok(()), Err));
            }
            if is_written {
                return Poll::Ready(match &self.network_error {
                    Some(error) => Err(Error::connection_lost(Arc::clone(error))),
                    None => Ok(()),
                });
            }
            if self.poll_read_ahead().is_pending() {
                ready!(self.poll_alarm());
            }
        }
    }

    /// A message goes out at once, unless more messages are about to follow it.
    ///
    /// More follow when received bytes wait to be handled (the application is in a loop of
    /// receiving and sending) or when one was sent before in the same turn. Such messages are
    /// gathered until a receiver is about to wait, or there are many; and if neither happens, a
    /// background task writes them as soon as the application's task pauses.
    fn settle_output(&mut self) -> Output {
        let more_follow = self.turn.goes_on()
            || self.attendant == Attendant::Called
            || self.connection.has_unread_bytes()
            || !self.inbox.is_empty();
        if !more_follow || !self.connection.has_room() {
            let _ = self.poll_write();
            self.turn = Turn::written_now();
        }
        self.call_attendant()
    }

    fn call_attendant(&mut self) -> Output {
        let is_left = self.connection.has_output() || self.transport.holds_back();
        if !is_left || self.attendant == Attendant::Called {
            return Output::Settled;
        }
        self.attendant = Attendant::Called;
        Output::NeedsAttendant
    }

    /// Writes what waits. Ready when nothing waits any more, or nothing can be written.
    fn poll_write(&mut self) -> Poll<()> {
        let mut context = Context::from_waker(&self.waker);
        while let Some(transmit) = self.connection.poll_transmit() {
            let result = match transmit {
                Transmit::Bytes(queue) => self.transport.poll_write(&mut context, queue),
                Transmit::EndOfStream => {
                    self.transport.end();
                    continue;
                }
            };
            match result {
                Poll::Ready(Ok(count)) => {
                    self.connection.handle_transmitted(alarm::now(), count);
                }
                Poll::Ready(Err(error)) => return self.handle_send_error(error),
                Poll::Pending => {
                    self.connection.handle_transmitted(alarm::now(), 0);
                    return Poll::Pending;
                }
            }
        }
        match ready!(self.transport.poll_flush(&mut context)) {
            Ok(()) => Poll::Ready(()),
            Err(error) => self.handle_send_error(error),
        }
    }

    fn handle_send_error(&mut self, error: io::Error) -> Poll<()> {
        self.network_error.get_or_insert_with(|| Arc::new(error));
        self.connection.handle_send_failed(alarm::now());
        // Those who wait have a new deadline: that of the end.
        self.wakes = Wakes::Due;
        Poll::Ready(())
    }

    /// Reads on while a sender waits, so that the peer is not kept from reading in its turn.
    ///
    /// The peer's Close is left for the next receiver: what came before it may still be replied
    /// to.
    fn poll_read_ahead(&mut self) -> Poll<()> {
        if self.inbox.is_full() {
            // One more read, and the core knows that it is we who do not read: it then does not
            // take the silence for the peer's.
            return match self.connection.has_unread_bytes() {
                true => Poll::Pending,
                false => self.poll_read(),
            };
        }
        let held_close = self.connection.holds_close();
        if let Some(Event::MessageReceived(message)) = self.connection.poll_event_ahead() {
            if self.unread == Unread::Kept {
                self.inbox.push(message.into_owned());
                self.wakes = Wakes::Due;
            }
            return Poll::Ready(());
        }
        if self.connection.closed().is_some() || self.connection.holds_close() {
            if !held_close {
                // Once: the sender that reads ahead is among those who wait.
                self.wakes = Wakes::Due;
            }
            return Poll::Pending;
        }
        ready!(self.poll_read());
        // This task may find room and leave: then a receiver must look at what it read.
        self.wakes = Wakes::Due;
        Poll::Ready(())
    }

    fn not_open(&self) -> Error {
        let failure = self
            .connection
            .closed()
            .and_then(|closed| self.failure(closed));
        match (failure, &self.network_error) {
            (Some(failure), _) => failure,
            (None, Some(error)) => Error::connection_lost(Arc::clone(error)),
            (None, None) => Error::closed(),
        }
    }

    // ---- closing ----

    /// Begins to close; what comes until the peer's Close is still received.
    pub(crate) fn start_close(&mut self, reason: CloseReason) -> Output {
        if self.connection.close(alarm::now(), reason).is_err() {
            // Already closing: the first reason stands, and nobody learns anything new.
            return Output::Settled;
        }
        let _ = self.poll_write();
        self.wakes = Wakes::Due;
        self.call_attendant()
    }

    /// Ready when the connection has ended; messages that come until then are discarded.
    pub(crate) fn poll_closed(&mut self) -> Poll<Result<(), Error>> {
        self.unread = Unread::Discarded;
        self.inbox.clear();
        self.poll_message().map_ok(|_| ())
    }

    /// The owner is gone: says so to the peer. Ready when nothing more is to be done.
    pub(crate) fn abandon(&mut self) -> Poll<()> {
        let _ = self.start_close(CloseReason::empty());
        self.poll_closed().map(|_| ())
    }

    /// Lets the transport go when no runtime is there to see the end.
    pub(crate) fn abort(&mut self) {
        self.end = End::Reached;
        self.transport.release();
        self.alarm.stop();
        if !self.connection.needs_memory() {
            // What is in it is discarded: nobody will ask for it.
            let _ = self.connection.receive_memory();
            self.give_memory_back();
        }
    }

    /// The connection is closed: sends what can still go out, and lets the transport go.
    fn reach_end(&mut self) -> Result<(), Error> {
        if self.end != End::Reached {
            let _ = self.poll_write();
            self.abort();
            self.wakes = Wakes::Due;
        }
        self.closed()
            .and_then(|closed| self.failure(closed))
            .map_or(Ok(()), Err)
    }

    /// The error for a connection that did not close but fail.
    fn failure(&self, closed: &Closed) -> Option<Error> {
        let failure = closed.failure()?;
        Some(Error::failed(*failure, self.network_error.clone()))
    }

    // ---- the background task ----

    /// Writes what waits. Ready when nothing is left, or nothing can be written any more.
    pub(crate) fn poll_attend(&mut self) -> Poll<()> {
        while self.connection.closed().is_none() && self.poll_write().is_pending() {
            // What the peer answered meanwhile must be known before it is given up.
            if self.poll_read_ahead().is_pending() {
                ready!(self.poll_alarm());
            }
        }
        // Under the same lock: what is sent from now on needs another attendant.
        self.attendant = Attendant::Absent;
        self.turn = Turn::Fresh;
        Poll::Ready(())
    }

    /// The background task will not come: writes what can be written at once.
    pub(crate) fn dismiss_attendant(&mut self) {
        if self.connection.closed().is_none() {
            let _ = self.poll_write();
        }
        self.attendant = Attendant::Absent;
        self.turn = Turn::Fresh;
    }
}

/// How often is read before output and timers get their turn: 2 MiB.
const MOST_READS: u32 = 32;

/// One unit of the runtime's budget for a task's turn, of which there are 128, is spent on so many
/// messages. A unit for each would cost a system call per 128 messages that are sent in answer.
const MOST_HANDED_OUT: u32 = 8;
