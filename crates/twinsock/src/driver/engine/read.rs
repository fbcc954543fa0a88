//! Bytes to those who read a stream.

use std::task::{Context, Poll, ready};

use bytes::BufMut;
use bytes::buf::Limit;
use tokio::io::ReadBuf;
use twinsock_proto::{CloseCode, CloseReason, Closed, Initiator, ReceiveMode};

use crate::driver::alarm;
use crate::driver::engine::{Engine, Output};
use crate::error::Error;

/// How a stream is read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StreamReading {
    pub(crate) before_waiting: BeforeWaiting,
    pub(crate) close_without_code: CloseWithoutCode,
}

/// What happens to bytes that were written and not flushed when a reader is about to wait.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum BeforeWaiting {
    /// They are sent: the task that wrote them now awaits the answer.
    Send,
    /// They are left to the other half.
    Leave,
}

/// What a Close frame without a code is (RFC 6455 §7.4.1, 1005).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum CloseWithoutCode {
    /// An end that the peer did not mean.
    #[default]
    IsAnError,
    IsTheEnd,
}

/// What reading came to.
#[derive(Debug)]
pub(crate) enum Read {
    Bytes,
    /// The peer has said all.
    End,
}

impl Engine {
    /// Reads what is there into `room`, of which there is some. The end stays once it is reached.
    pub(crate) fn poll_read_bytes(
        &mut self,
        room: &mut impl Room,
        reading: StreamReading,
    ) -> Poll<Result<Read, Error>> {
        ready!(self.poll_fairness());
        self.resume_reading_ahead();
        self.connection
            .set_receive_mode(ReceiveMode::PartialMessage);
        loop {
            if self.connection.move_bytes(room) > 0 {
                self.handed_out += 1;
                return Poll::Ready(Ok(Read::Bytes));
            }
            if let Some(end) = self.end_of_bytes(reading.close_without_code) {
                return Poll::Ready(end);
            }
            match self.poll_read_for(room) {
                Poll::Ready(0) => {}
                Poll::Ready(1..) => {
                    self.handed_out += 1;
                    return Poll::Ready(Ok(Read::Bytes));
                }
                Poll::Pending => {
                    self.prepare_to_wait(reading.before_waiting);
                    ready!(self.poll_pause());
                }
            }
        }
    }

    /// Reads once: into `room` if it is large, and tells how much of it is for the application.
    fn poll_read_for(&mut self, room: &mut impl Room) -> Poll<usize> {
        if room.remaining_mut() < READ_AT_ONCE || !self.connection.may_read_directly() {
            return self.poll_read().map(|()| 0);
        }
        ready!(self.poll_may_read());
        let before = room.filled().len();
        let mut context = Context::from_waker(&self.waker);
        let read = self
            .transport
            .poll_read(&mut context, (&mut *room).limit(READ_AT_ONCE));
        if ready!(self.handle_read(read)) == 0 {
            return Poll::Ready(0);
        }
        let bytes = room.filled().get_mut(before..).unwrap_or_default();
        let count = self
            .connection
            .handle_received_directly(alarm::now(), bytes);
        room.shorten(before + count);
        Poll::Ready(count)
    }

    fn prepare_to_wait(&mut self, before_waiting: BeforeWaiting) {
        if before_waiting == BeforeWaiting::Send {
            self.push_unsent_message();
        }
    }

    /// Nothing more is read: has the connection driven while the application may still write,
    /// and to its end when all is said.
    pub(crate) fn attend_end_of_bytes(&mut self) -> Output {
        match self.connection.held_close() {
            Some(_) => self.keep_attendant(),
            None => self.call_attendant(),
        }
    }

    /// Whether the peer has said all, and how it put that.
    fn end_of_bytes(&mut self, without_code: CloseWithoutCode) -> Option<Result<Read, Error>> {
        if let Some(reason) = self.connection.held_close() {
            let end = judge(reason, without_code);
            if end.is_err() || !self.connection.is_open() {
                // Nothing will be written any more: the peer gets its answer.
                let _ = self.connection.close(alarm::now(), CloseReason::empty());
            }
            return Some(end);
        }
        let ending = self.connection.ending()?;
        match ending.received() {
            Some(_) if is_echo(ending) => Some(Ok(Read::End)),
            Some(reason) => Some(judge(reason, without_code)),
            None if self.connection.closed().is_some() => {
                Some(self.reach_end().map(|()| Read::End))
            }
            None => None,
        }
    }
}

/// Memory of whoever reads, in which what was read can be set right.
pub(crate) trait Room: BufMut {
    /// All that is in it.
    fn filled(&mut self) -> &mut [u8];

    /// Leaves but the first `length` bytes in it.
    fn shorten(&mut self, length: usize);
}

impl Room for ReadBuf<'_> {
    fn filled(&mut self) -> &mut [u8] {
        self.filled_mut()
    }

    fn shorten(&mut self, length: usize) {
        let filled = ReadBuf::filled(self).len();
        self.set_filled(length.min(filled));
    }
}

impl Room for Limit<&mut Vec<u8>> {
    fn filled(&mut self) -> &mut [u8] {
        self.get_mut()
    }

    fn shorten(&mut self, length: usize) {
        let taken_off = self.get_ref().len().saturating_sub(length);
        self.get_mut().truncate(length);
        let room = Limit::limit(self) + taken_off;
        self.set_limit(room);
    }
}

/// With less room the read memory is read into: large pieces cost fewer system calls.
const READ_AT_ONCE: usize = 64 * 1024;

/// The end that the peer meant, or the error that tells what it said instead.
fn judge(reason: &CloseReason, without_code: CloseWithoutCode) -> Result<Read, Error> {
    match reason.code() {
        CloseCode::NORMAL | CloseCode::GOING_AWAY => Ok(Read::End),
        CloseCode::NO_STATUS_RECEIVED if without_code == CloseWithoutCode::IsTheEnd => {
            Ok(Read::End)
        }
        _ => Err(Error::closed_by_peer(reason.clone())),
    }
}

/// Whether the peer answered our Close with the same code; without one it may have lost what it wrote.
fn is_echo(ending: &Closed) -> bool {
    let code = |reason: Option<&CloseReason>| reason.map(CloseReason::code);
    ending.initiator() == Initiator::Local
        && code(ending.sent()) != Some(CloseCode::NO_STATUS_RECEIVED)
        && code(ending.sent()) == code(ending.received())
}
