//! One direction's messages, compressed.

use std::fmt;

use zlib_rs::{DeflateFlush, Status};

use crate::deflate::TAIL;
use crate::deflate::history::History;
use crate::deflate::parameters::{ContextTakeover, DeflateDirection};
use crate::deflate::pool::{
    CompressingEngine, Configuration, give_back_compressed, take_compressed,
};
use crate::deflate::settings::DeflateLevel;
use crate::deflate::trial::is_hopeless;

/// What a part ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Itself: more of the message follows.
    OfPart,
    /// The message.
    OfMessage,
}

/// Compresses the messages of one direction (RFC 7692 §7.2.1).
pub(crate) struct Compressor {
    configuration: Configuration,
    engine: Option<Box<CompressingEngine>>,
    /// Present with context takeover.
    history: Option<History>,
}

impl Compressor {
    pub(crate) fn new(direction: DeflateDirection, level: DeflateLevel) -> Self {
        let DeflateDirection {
            window_bits,
            context_takeover,
        } = direction;
        let history = match context_takeover {
            ContextTakeover::On => Some(History::new(window_bits.size())),
            ContextTakeover::Off => None,
        };
        Self {
            configuration: Configuration { level, window_bits },
            engine: None,
            history,
        }
    }

    /// Whether messages refer to earlier ones: then one that was compressed must be sent so.
    pub(crate) fn takes_context_over(&self) -> bool {
        self.history.is_some()
    }

    /// Whether a message looks as if compressing it gains nothing.
    pub(crate) fn is_hopeless(&self, message: &[u8]) -> bool {
        is_hopeless(message, self.configuration)
    }

    /// Compresses the next part of a message, so that the peer can inflate all of it, and gives
    /// it to `send`; large ones may be taken along.
    pub(crate) fn compress<T>(
        &mut self,
        part: &[u8],
        end: End,
        send: impl FnOnce(&mut Vec<u8>) -> T,
    ) -> T {
        let mut engine = match self.engine.take() {
            Some(engine) => engine,
            None => self.revived(),
        };
        let mut output = take_compressed();
        engine.compress(part, &mut output);
        if end == End::OfMessage {
            leave_tail_out(&mut output);
        }
        let sent = send(&mut output);
        give_back_compressed(output);
        if let Some(history) = &mut self.history {
            history.push(part);
        }
        // Without takeover the message's end is the end.
        if end == End::OfMessage && self.history.is_none() {
            engine.give_back();
        } else {
            self.engine = Some(engine);
        }
        sent
    }

    /// Gives zlib's memory back; not for use within a message without context takeover.
    pub(crate) fn release(&mut self) {
        if self.history.is_some()
            && let Some(engine) = self.engine.take()
        {
            engine.give_back();
        }
    }

    /// Nothing more is compressed: all memory is given back, also within a message.
    pub(crate) fn end(&mut self) {
        if let Some(engine) = self.engine.take() {
            engine.give_back();
        }
        self.history = None;
    }

    /// How much memory is held for later messages, without zlib's own, in bytes.
    pub(crate) fn history_size(&self) -> usize {
        self.history.as_ref().map_or(0, History::capacity)
    }

    /// Whether zlib's memory is held.
    pub(crate) fn holds_zlib(&self) -> bool {
        self.engine.is_some()
    }

    /// An engine that goes on behind what went before.
    fn revived(&mut self) -> Box<CompressingEngine> {
        let mut engine = CompressingEngine::take(self.configuration);
        if let Some(history) = &mut self.history {
            // It fails only for data with a header, which this is not.
            let _ = engine.zlib.set_dictionary(history.as_slice());
        }
        engine
    }
}

impl CompressingEngine {
    /// Compresses all of `part` into the output, which is empty.
    pub(super) fn compress(&mut self, part: &[u8], output: &mut Vec<u8>) {
        let zlib = &mut self.zlib;
        let (mut consumed, mut produced) = (0, 0);
        loop {
            if output.len() == produced {
                // Half is what text becomes; without output zlib stops too soon.
                let more = (part.len() - consumed) / 2;
                output.resize(produced + more.clamp(LEAST_OUTPUT, MOST_ADDED), 0);
            }
            let (before_in, before_out) = (zlib.total_in(), zlib.total_out());
            let result = zlib.compress(
                &part[consumed..],
                &mut output[produced..],
                DeflateFlush::SyncFlush,
            );
            consumed += difference(zlib.total_in(), before_in);
            produced += difference(zlib.total_out(), before_out);
            // The only errors are those of misuse, and no progress, when nothing is to be flushed.
            let is_stuck = !matches!(result, Ok(Status::Ok));
            if is_stuck || produced < output.len() {
                return output.truncate(produced);
            }
        }
    }
}

/// RFC 7692 §7.2.1: a message ends without the tail of its last flush.
fn leave_tail_out(output: &mut Vec<u8>) {
    match output.strip_suffix(&TAIL) {
        Some(rest) => output.truncate(rest.len()),
        // Nothing was to be flushed: the peer adds the tail to an empty block (§7.2.3.6).
        None => output.push(0x00),
    }
}

fn difference(after: u64, before: u64) -> usize {
    usize::try_from(after - before).unwrap_or(usize::MAX)
}

impl Drop for Compressor {
    fn drop(&mut self) {
        self.end();
    }
}

impl fmt::Debug for Compressor {
    /// The bytes are the application's secrets.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Compressor")
            .field("configuration", &self.configuration)
            .finish_non_exhaustive()
    }
}

/// The least room for output: an empty block always fits.
const LEAST_OUTPUT: usize = 256;

/// How much room is added at most at once.
const MOST_ADDED: usize = 64 * 1024;
