//! Bytes to those who read a stream.

use std::task::{Poll, ready};

use bytes::BufMut;
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
    /// Reads what is there into `memory`, which has room. The end stays once it is reached.
    pub(crate) fn poll_read_bytes(
        &mut self,
        memory: &mut impl BufMut,
        reading: StreamReading,
    ) -> Poll<Result<Read, Error>> {
        ready!(self.poll_fairness());
        self.resume_reading_ahead();
        self.connection
            .set_receive_mode(ReceiveMode::PartialMessage);
        loop {
            if let Some(bytes) = self.connection.poll_bytes() {
                let count = bytes.len().min(memory.remaining_mut());
                memory.put_slice(&bytes[..count]);
                self.connection.consume(count);
                self.handed_out += 1;
                return Poll::Ready(Ok(Read::Bytes));
            }
            if let Some(end) = self.end_of_bytes(reading.close_without_code) {
                return Poll::Ready(end);
            }
            if self.poll_read().is_pending() {
                self.prepare_to_wait(reading.before_waiting);
                ready!(self.poll_pause());
            }
        }
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
