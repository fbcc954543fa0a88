//! Whether and how what is sent is compressed.

use std::time::{Duration, Instant};

use crate::deflate::compressor::{Compressor, End};
use crate::deflate::count::DeflateCount;
use crate::deflate::parameters::ContextTakeover;
use crate::deflate::settings::{Compress, Deflate};
use crate::frame::coding::Coding;
use crate::role::Role;
use crate::send::sender::Fragment;

/// Compresses what is sent, as far as that is wanted.
#[derive(Debug)]
pub(crate) struct Deflater {
    compressor: Compressor,
    compress: Compress,
    least_size: usize,
    /// How the message under way is coded; `None` between messages.
    under_way: Option<Coding>,
    count: DeflateCount,
    /// What was seen when somebody last asked whether there were more messages, and there were.
    seen: Option<Seen>,
}

/// How many messages there were, at a time.
#[derive(Debug)]
struct Seen {
    messages: u64,
    since: Instant,
}

impl Deflater {
    pub(crate) fn new(role: Role, deflate: &Deflate) -> Self {
        let direction = match role {
            Role::Client => deflate.parameters.client,
            Role::Server => deflate.parameters.server,
        };
        let compression = deflate.compression;
        let least_size = match direction.context_takeover {
            ContextTakeover::On => LEAST_SIZE_WITH_TAKEOVER,
            ContextTakeover::Off => LEAST_SIZE,
        };
        Self {
            compressor: Compressor::new(direction, compression.level),
            compress: compression.compress,
            least_size: compression.least_size.unwrap_or(least_size),
            under_way: None,
            count: DeflateCount::default(),
            seen: None,
        }
    }

    pub(crate) fn compress_choice(&self) -> Compress {
        self.compress
    }

    pub(crate) fn set_compress(&mut self, compress: Compress) {
        self.compress = compress;
    }

    /// How the next part of a message will be coded.
    fn coding(&self, part: &[u8], fragment: Fragment) -> Coding {
        if let Some(coding) = self.under_way {
            return coding;
        }
        let is_wanted = match self.compress {
            Compress::Always => true,
            Compress::Auto => match fragment {
                Fragment::Nonfinal => true,
                Fragment::Final => {
                    part.len() >= self.least_size && !self.compressor.is_hopeless(part)
                }
            },
            Compress::Never => false,
        };
        match is_wanted {
            true => Coding::Deflate,
            false => Coding::Plain,
        }
    }

    /// Compresses the next part of a message and gives that to `send`, which may take the memory
    /// along; [`Coding::Plain`]: it is to be sent as it is instead.
    pub(crate) fn compress(
        &mut self,
        part: &[u8],
        fragment: Fragment,
        send: impl FnOnce(&mut Vec<u8>),
    ) -> Coding {
        let coding = self.coding(part, fragment);
        let is_whole = self.under_way.is_none() && fragment == Fragment::Final;
        let (under_way, end) = match fragment {
            Fragment::Nonfinal => (Some(coding), End::OfPart),
            Fragment::Final => (None, End::OfMessage),
        };
        self.under_way = under_way;
        if coding == Coding::Plain {
            return coding;
        }
        // With takeover the peer's window has to follow ours.
        let may_be_plain =
            is_whole && self.compress == Compress::Auto && !self.compressor.takes_context_over();
        let count = &mut self.count;
        self.compressor.compress(part, end, |compressed| {
            if may_be_plain && compressed.len() >= part.len() {
                return Coding::Plain;
            }
            count.add(compressed.len(), part.len());
            send(compressed);
            Coding::Deflate
        })
    }

    /// What was compressed so far.
    pub(crate) fn count(&self) -> DeflateCount {
        self.count
    }

    /// Gives zlib's memory back that is held between messages.
    pub(crate) fn release(&mut self) {
        self.compressor.release();
    }

    /// No more messages are sent.
    pub(crate) fn end(&mut self) {
        self.compressor.end();
    }

    /// Whether no message has come or gone for so long, as far as was asked meanwhile: `messages`
    /// is how many there were.
    pub(crate) fn is_idle(&mut self, now: Instant, messages: u64, patience: Duration) -> bool {
        match &self.seen {
            Some(seen) if seen.messages == messages => {
                now.saturating_duration_since(seen.since) >= patience
            }
            _ => {
                let since = now;
                self.seen = Some(Seen { messages, since });
                false
            }
        }
    }

    pub(crate) fn compressor(&self) -> &Compressor {
        &self.compressor
    }
}

/// The smallest message that is compressed where it stands for itself.
const LEAST_SIZE: usize = 128;

/// The same where it may refer to earlier ones.
const LEAST_SIZE_WITH_TAKEOVER: usize = 16;
