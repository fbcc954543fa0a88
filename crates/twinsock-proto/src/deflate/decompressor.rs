//! One direction's messages, inflated.

use std::fmt;

use zlib_rs::{Inflate, InflateFlush, Status};

use crate::deflate::history::History;
use crate::deflate::parameters::DeflateDirection;
use crate::deflate::pool::{give_back_decompressor, take_decompressor};
use crate::deflate::{TAIL, difference};

/// Inflates the messages of one direction (RFC 7692 §7.2.2).
///
/// Blocks may have BFINAL set (§7.2.3.4): what follows begins anew, without a window, as DEFLATE
/// data does. A message whose payload is empty is taken for an empty one, though it should be a
/// byte of zeros (§7.2.3.6), and one that ends with a BFINAL block may lack the zeros behind it.
pub(crate) struct Decompressor {
    zlib: Option<Box<Inflate>>,
    /// Present with context takeover.
    history: Option<History>,
    place: Place,
    /// How much of the message has come since anything last came out of it, in bytes.
    barren: u64,
}

/// Where the next byte of a message stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Nothing came since the message began, or since a block with BFINAL.
    Beginning,
    Within,
    /// Nowhere: whatever comes is passed over.
    Gone,
}

/// What a step came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Inflated {
    /// How much of the input is used up.
    pub(crate) consumed: usize,
    /// How much output there is; when it is full, there may be more without further input.
    pub(crate) produced: usize,
}

/// The bytes are not what DEFLATE makes, or end before it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct InvalidDeflate;

impl Decompressor {
    pub(crate) fn new(direction: DeflateDirection) -> Self {
        Self {
            zlib: None,
            history: History::of(direction),
            place: Place::Beginning,
            barren: 0,
        }
    }

    /// Goes on with a message until the input is used up or the output full.
    pub(crate) fn inflate(
        &mut self,
        input: &[u8],
        output: &mut [u8],
    ) -> Result<Inflated, InvalidDeflate> {
        if self.place == Place::Gone {
            return Ok(Inflated {
                consumed: input.len(),
                produced: 0,
            });
        }
        let done = self.inflate_blocks(input, output)?;
        self.barren = match done.produced {
            0 => self.barren.saturating_add(done.consumed as u64),
            _ => 0,
        };
        Ok(done)
    }

    /// How much of the message has come since anything last came out of it, in bytes.
    ///
    /// No compressor makes more than a few hundred, whatever it is given: more are blocks without
    /// content, of which a message could have any number.
    pub(crate) fn barren(&self) -> u64 {
        self.barren
    }

    fn inflate_blocks(
        &mut self,
        input: &[u8],
        output: &mut [u8],
    ) -> Result<Inflated, InvalidDeflate> {
        let mut done = Inflated {
            consumed: 0,
            produced: 0,
        };
        loop {
            let (rest, room) = (&input[done.consumed..], &mut output[done.produced..]);
            let is_over = room.is_empty() || rest.is_empty() && self.place == Place::Beginning;
            if is_over {
                return Ok(done);
            }
            let (step, status) = self.step(rest, room, InflateFlush::SyncFlush)?;
            if let Some(history) = &mut self.history {
                history.push(&room[..step.produced]);
            }
            done.consumed += step.consumed;
            done.produced += step.produced;
            match status {
                Status::StreamEnd => self.begin_anew(),
                Status::Ok | Status::BufError => {
                    // zlib stops only where it can do no more.
                    return Ok(done);
                }
            }
        }
    }

    /// The message has ended, and all that came of it is inflated: so must be its last block.
    pub(crate) fn finish(&mut self) -> Result<(), InvalidDeflate> {
        if self.place == Place::Gone {
            return Ok(());
        }
        if self.place == Place::Within {
            // RFC 7692 §7.2.2: the end that the sender left out. Where zlib stops at the end of
            // the next block, it is used up exactly, unless something is missing before it.
            let [first, second, third, fourth] = TAIL;
            let behind = [first, second, third, fourth, 0];
            let (step, status) = self.step(&behind, &mut [0], InflateFlush::Block)?;
            if (step.consumed, step.produced) != (TAIL.len(), 0) {
                self.pass_over();
                return Err(InvalidDeflate);
            }
            if let Status::StreamEnd = status {
                self.begin_anew();
            }
        }
        self.place = Place::Beginning;
        self.barren = 0;
        let history = self.history.as_ref();
        if history.is_none_or(History::is_cheap_to_revive) {
            self.release();
        }
        Ok(())
    }

    /// Gives zlib's memory back where no message is under way; the next message takes it again.
    pub(crate) fn release(&mut self) {
        if self.place == Place::Beginning
            && let Some(zlib) = self.zlib.take()
        {
            give_back_decompressor(zlib);
        }
    }

    /// Nothing more is inflated: what comes is passed over.
    pub(crate) fn pass_over(&mut self) {
        self.zlib = None;
        self.history = None;
        self.place = Place::Gone;
    }

    /// How much memory is held for later messages, without zlib's own, in bytes.
    pub(crate) fn history_size(&self) -> usize {
        self.history.as_ref().map_or(0, History::capacity)
    }

    /// Whether zlib's memory is held.
    pub(crate) fn holds_zlib(&self) -> bool {
        self.zlib.is_some()
    }

    fn step(
        &mut self,
        input: &[u8],
        output: &mut [u8],
        flush: InflateFlush,
    ) -> Result<(Inflated, Status), InvalidDeflate> {
        let zlib = match &mut self.zlib {
            Some(zlib) => zlib,
            empty => empty.insert(revived(self.history.as_mut())),
        };
        self.place = Place::Within;
        let (before_in, before_out) = (zlib.total_in(), zlib.total_out());
        let result = zlib.decompress(input, output, flush);
        let step = Inflated {
            consumed: difference(zlib.total_in(), before_in),
            produced: difference(zlib.total_out(), before_out),
        };
        match result {
            Ok(status) => Ok((step, status)),
            Err(_) => {
                self.pass_over();
                Err(InvalidDeflate)
            }
        }
    }

    /// A block with BFINAL has ended.
    fn begin_anew(&mut self) {
        if let Some(zlib) = &mut self.zlib {
            zlib.reset(false);
        }
        if let Some(history) = &mut self.history {
            history.clear();
        }
        self.place = Place::Beginning;
    }
}

/// A decompressor that goes on behind what went before.
fn revived(history: Option<&mut History>) -> Box<Inflate> {
    let mut zlib = take_decompressor();
    if let Some(history) = history {
        // It fails only for data with a header, which this is not.
        let _ = zlib.set_dictionary(history.as_slice());
    }
    zlib
}

impl Drop for Decompressor {
    fn drop(&mut self) {
        if let Some(zlib) = self.zlib.take() {
            give_back_decompressor(zlib);
        }
    }
}

impl fmt::Debug for Decompressor {
    /// The bytes are the application's secrets.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Decompressor")
            .field("place", &self.place)
            .finish_non_exhaustive()
    }
}
