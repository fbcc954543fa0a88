//! The socket and the core together: what happens at each poll.
//!
//! A file for each thing that tasks wait for: [`receive`], [`lend`] and [`read`] take messages and
//! bytes, [`send`] and [`mod@write`] give them, [`transmit`] brings what is queued to the network, [`ahead`]
//! reads while nobody receives, [`close`] ends it all, [`attend`] is the background task's and
//! [`events`] that of handlers.

mod ahead;
mod attend;
mod close;
mod events;
mod lend;
mod read;
mod receive;
mod send;
mod transmit;
mod write;

use std::io;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Instant;

use tokio::task::coop::poll_proceed;
use twinsock_proto::{Closed, Connection};

use crate::driver::alarm::{self, Alarm};
use crate::driver::engine::attend::Attendant;
pub(crate) use crate::driver::engine::lend::Loan;
pub(crate) use crate::driver::engine::read::{
    BeforeWaiting, CloseWithoutCode, Read, Room, StreamReading,
};
use crate::driver::inbox::Inbox;
use crate::driver::transport::Transport;
use crate::driver::turn::Turn;
use crate::driver::unsent::{StreamFraming, Unsent};
use crate::error::Error;

/// A connection with its transport.
///
/// Every method is one poll: it does what can be done at once and never blocks. Tasks that wait
/// are in the [`WakerSet`](crate::driver::wakers::WakerSet).
#[derive(Debug)]
pub(crate) struct Engine {
    connection: Connection,
    transport: Transport,
    surface: Surface,
    /// What the network said when it failed.
    network_error: Option<Arc<io::Error>>,
    alarm: Alarm,
    inbox: Inbox,
    ahead: Ahead,
    unread: Unread,
    owner: Owner,
    /// What a stream's application wrote and did not flush.
    unsent: Unsent,
    message_writer: MessageWriting,
    turn: Turn,
    attendant: Attendant,
    handled: Handled,
    end: End,
    wakes: Wakes,
    /// How often was read since reading last paused.
    reads: u32,
    /// How many messages were handed out since the runtime was last asked whether to go on.
    handed_out: u32,
    /// Wakes all that wait.
    waker: Waker,
}

/// What the application sees of the connection.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Surface {
    Messages,
    /// Bytes without borders; after the peer's Close the application may still write.
    Stream(StreamFraming),
}

/// Whether those who wait are to look again, once the engine is unlocked.
#[derive(Clone, Copy, Debug, PartialEq)]
#[must_use]
pub(crate) enum Wakes {
    None,
    Due,
}

/// Whether reading ahead waits for the application to take what is there.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Ahead {
    MayRead,
    WaitsForReceiver,
}

/// What happens to messages that come.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Unread {
    /// They wait for a receiver.
    Kept,
    /// This endpoint closes: nobody will ask for them.
    Discarded,
}

/// Whether the application still has the socket.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Owner {
    Present,
    /// A background task brings the connection to its end, or nobody does.
    Gone,
}

/// Whether somebody is writing a message part by part: other messages wait for its end.
#[derive(Clone, Copy, Debug, PartialEq)]
enum MessageWriting {
    Nobody,
    UnderWay,
}

/// What the application has handlers for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Handled {
    Nothing,
    /// The end; what comes is received by calls.
    End,
    /// What comes, and the end.
    Messages,
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
    pub(crate) fn new(
        connection: Connection,
        transport: Transport,
        surface: Surface,
        waker: Waker,
    ) -> Self {
        let framing = match surface {
            Surface::Messages => StreamFraming::default(),
            Surface::Stream(framing) => framing,
        };
        Self {
            connection,
            transport,
            surface,
            network_error: None,
            alarm: Alarm::default(),
            inbox: Inbox::default(),
            ahead: Ahead::MayRead,
            unread: Unread::Kept,
            owner: Owner::Present,
            unsent: Unsent::new(framing),
            message_writer: MessageWriting::Nobody,
            turn: Turn::Fresh,
            attendant: Attendant::Absent,
            handled: Handled::Nothing,
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

    /// A peer that sends fast keeps no other task of the runtime waiting.
    fn poll_fairness(&mut self) -> Poll<()> {
        // Of a batch that was lent no more than a whole turn is counted.
        self.handed_out = self.handed_out.min(MOST_IN_A_TURN);
        while self.handed_out >= MOST_HANDED_OUT {
            let mut context = Context::from_waker(&self.waker);
            ready!(poll_proceed(&mut context)).made_progress();
            self.handed_out -= MOST_HANDED_OUT;
        }
        Poll::Ready(())
    }

    fn poll_alarm(&mut self) -> Poll<()> {
        self.poll_alarm_until(None)
    }

    /// The same, and ready at `due` too.
    fn poll_alarm_until(&mut self, due: Option<Instant>) -> Poll<()> {
        let mut context = Context::from_waker(&self.waker);
        let deadline = self.connection.poll_timeout().into_iter().chain(due).min();
        ready!(self.alarm.poll(&mut context, deadline));
        self.connection.handle_timeout(alarm::now());
        Poll::Ready(())
    }

    /// The error for a connection that did not close but fail.
    fn failure(&self, closed: &Closed) -> Option<Error> {
        let failure = closed.failure()?;
        Some(Error::failed(*failure, self.network_error.clone()))
    }

    /// The error for sending on a connection that is closing or closed.
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
}

/// One unit of the runtime's budget for a task's turn, of which there are 128, is spent on so many
/// messages. A unit for each would cost a system call per 128 messages that are sent in answer.
const MOST_HANDED_OUT: u32 = 8;

/// After so many messages the budget is spent.
const MOST_IN_A_TURN: u32 = 128 * MOST_HANDED_OUT;
