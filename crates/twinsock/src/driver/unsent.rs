//! What a stream's application wrote and did not flush.

use std::fmt;
use std::io::IoSlice;
use std::time::{Duration, Instant};

use twinsock_proto::{Connection, Fragment, OutgoingBytes};

use crate::driver::alarm;

/// How the bytes that are written to a [`StreamWebSocket`](crate::StreamWebSocket) become
/// messages.
///
/// A peer cannot rely on the borders in either case: they are where flushes are, not where a
/// protocol's units end.
///
/// ```
/// assert_eq!(twinsock::StreamFraming::default(), twinsock::StreamFraming::MessagePerFlush);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StreamFraming {
    /// What is written between two flushes is one binary message, of at most 1 MiB: a larger one
    /// would exceed what many peers receive.
    #[default]
    MessagePerFlush,
    /// All that is ever written is one binary message without an end, a fragment per flush: for
    /// peers that read streams and count messages.
    EndlessMessage,
}

/// Bytes on their way into a frame: small writes are gathered, so that none becomes a message
/// of its own.
#[derive(Default)]
pub(crate) struct Unsent {
    framing: StreamFraming,
    bytes: Option<OutgoingBytes>,
    /// When they were written.
    written: Option<Written>,
    /// How many bytes of their message were sent already.
    message_size: usize,
}

/// When the oldest and the newest of the bytes were written.
#[derive(Clone, Copy)]
struct Written {
    first: Instant,
    last: Instant,
}

impl Unsent {
    pub(crate) fn new(framing: StreamFraming) -> Self {
        Self {
            framing,
            ..Self::default()
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn is_full(&self) -> bool {
        self.len() >= MOST_UNSENT
    }

    fn len(&self) -> usize {
        self.bytes.as_ref().map_or(0, OutgoingBytes::len)
    }

    /// Takes as much of `slices` as there is room for, and tells how much.
    pub(crate) fn push(&mut self, slices: &[IoSlice<'_>], connection: &mut Connection) -> usize {
        if slices.iter().all(|slice| slice.is_empty()) {
            return 0;
        }
        let bytes = self.bytes.get_or_insert_with(|| connection.begin_bytes());
        let before = bytes.len();
        for slice in slices {
            let room = MOST_UNSENT.saturating_sub(bytes.len());
            bytes.append(&slice[..slice.len().min(room)]);
        }
        let count = bytes.len() - before;
        if count > 0 {
            let last = alarm::now();
            let first = self.written.map_or(last, |written| written.first);
            self.written = Some(Written { first, last });
        }
        count
    }

    /// Whether a flush ends the message.
    pub(crate) fn fragment_at_flush(&self) -> Fragment {
        match self.framing {
            StreamFraming::MessagePerFlush => Fragment::Final,
            StreamFraming::EndlessMessage => Fragment::Nonfinal,
        }
    }

    /// Whether the message ends though more is about to be written.
    pub(crate) fn fragment_when_full(&self) -> Fragment {
        let size = self.message_size.saturating_add(self.len());
        match self.framing {
            StreamFraming::MessagePerFlush if size >= MOST_IN_MESSAGE => Fragment::Final,
            StreamFraming::MessagePerFlush | StreamFraming::EndlessMessage => Fragment::Nonfinal,
        }
    }

    /// All of them, for a frame.
    pub(crate) fn take(
        &mut self,
        fragment: Fragment,
        connection: &mut Connection,
    ) -> OutgoingBytes {
        let bytes = self.bytes.take();
        let bytes = bytes.unwrap_or_else(|| connection.begin_bytes());
        self.written = None;
        self.message_size = match fragment {
            Fragment::Nonfinal => self.message_size.saturating_add(bytes.len()),
            Fragment::Final => 0,
        };
        bytes
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::new(self.framing);
    }

    /// When they are sent without a flush: after a pause, or when they have waited long enough.
    pub(crate) fn due(&self) -> Option<Instant> {
        let Written { first, last } = self.written?;
        Some((last + LONGEST_PAUSE).min(first + LONGEST_DELAY))
    }
}

/// The bytes are the application's secrets: their number is enough.
impl fmt::Debug for Unsent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Unsent({} bytes)", self.len())
    }
}

/// How large a message may become before a flush ends it, in bytes.
const MOST_IN_MESSAGE: usize = 1024 * 1024;

/// How much is gathered for one frame, in bytes.
const MOST_UNSENT: usize = 64 * 1024;

/// An application that writes nothing for so long has forgotten to flush, or does not know that
/// it should: over TCP it need not.
const LONGEST_PAUSE: Duration = Duration::from_millis(1);

/// However often an application writes, no byte waits longer for a flush.
const LONGEST_DELAY: Duration = Duration::from_millis(10);
