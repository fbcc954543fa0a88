//! One direction's messages, compressed.

use std::fmt;

use zlib_rs::{DeflateFlush, Status};

use crate::deflate::history::History;
use crate::deflate::parameters::DeflateDirection;
use crate::deflate::pool::{
    CompressingEngine, Configuration, Past, give_back_compressed, take_compressed,
};
use crate::deflate::settings::DeflateLevel;
use crate::deflate::trial::is_hopeless;
use crate::deflate::{TAIL, difference};

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
        let window_bits = direction.window_bits;
        Self {
            configuration: Configuration { level, window_bits },
            engine: None,
            history: History::of(direction),
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
        // Where nothing refers to this message, that costs less than to begin anew.
        let past = match (end, &self.history) {
            (End::OfMessage, None) => Past::Nothing,
            _ => Past::Something,
        };
        engine.compress(part, past, &mut output);
        if end == End::OfMessage {
            leave_tail_out(&mut output);
        }
        let sent = send(&mut output);
        give_back_compressed(output);
        if let Some(history) = &mut self.history {
            history.push(part);
        }
        let is_worth_holding = match (end, &self.history) {
            (End::OfPart, _) => true,
            (End::OfMessage, Some(history)) => !history.is_cheap_to_revive(),
            (End::OfMessage, None) => false,
        };
        match is_worth_holding {
            true => self.engine = Some(engine),
            false => engine.give_back(),
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
            engine.past = Past::Something;
        }
        engine
    }
}

impl CompressingEngine {
    /// Compresses all of `part` into the output, which is empty; `past` is what later parts may
    /// refer to.
    pub(super) fn compress(&mut self, part: &[u8], past: Past, output: &mut Vec<u8>) {
        let flush = match past {
            Past::Nothing => DeflateFlush::FullFlush,
            Past::Something => DeflateFlush::SyncFlush,
        };
        self.past = past;
        let zlib = &mut self.zlib;
        let (mut consumed, mut produced) = (0, 0);
        loop {
            if output.len() == produced {
                // Half is what text becomes. Without output zlib stops too soon, and where the end
                // just fits it is written twice: so a small part has more room than it needs.
                let rest = part.len() - consumed;
                let more = (rest / 2).max(rest.min(SMALL_PART) + LEAST_OUTPUT);
                output.resize(produced + more.min(MOST_ADDED), 0);
            }
            let (before_in, before_out) = (zlib.total_in(), zlib.total_out());
            let result = zlib.compress(&part[consumed..], &mut output[produced..], flush);
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

/// A part of no more than this becomes no more than itself, as far as room goes.
const SMALL_PART: usize = 4 * 1024;

/// How much room is added at most at once.
const MOST_ADDED: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deflate::parameters::ContextTakeover;

    /// What `text` becomes here, and what zlib makes of it with all the room it wants.
    fn payloads(text: &[u8], compressor: &mut Compressor) -> [Vec<u8>; 2] {
        let own = compressor.compress(text, End::OfMessage, |output| output.clone());
        let level = i32::from(DeflateLevel::default().get());
        let mut zlib = zlib_rs::Deflate::new(level, false, 15);
        let mut output = vec![0; text.len() + 1024];
        zlib.compress(text, &mut output, DeflateFlush::SyncFlush)
            .expect("it has room");
        output.truncate(difference(zlib.total_out(), 0) - TAIL.len());
        [own, output]
    }

    #[test]
    fn a_message_ends_once_and_stands_for_itself_wherever_its_end_falls() {
        let direction = DeflateDirection {
            context_takeover: ContextTakeover::Off,
            ..DeflateDirection::default()
        };
        let mut compressor = Compressor::new(direction, DeflateLevel::default());
        // Each digit has four bits: they become about half as long, and the zeros nothing. So the
        // end falls everywhere about the half of the message.
        let mut random = 1_u64;
        let mut digit = || {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            char::from_digit((random >> 60) as u32, 16).unwrap_or('0')
        };
        let digits: String = (0..900).map(|_| digit()).collect();
        for zeros in 0..300 {
            let text = "0".repeat(zeros) + &digits;
            let [own, zlib] = payloads(text.as_bytes(), &mut compressor);
            assert_eq!(own, zlib, "with {zeros} zeros");
        }
    }
}
