//! What an application can say and ask about compression.

use crate::connection::Connection;
use crate::deflate::settings::Compress;

/// What compression holds in memory; of messages that are lent, what their receiver holds is not
/// in it.
///
/// ```
/// # use std::time::Instant;
/// use twinsock_proto::{Connection, DeflateMemory, Role, Settings};
///
/// let server = Connection::new(Role::Server, Settings::default(), [0; 32], Instant::now());
/// assert_eq!(server.deflate_memory(), DeflateMemory::default());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeflateMemory {
    /// The ends of past messages, in bytes: with context takeover at most a window for each
    /// direction.
    pub history: usize,
    /// Whether zlib's compressor is held: some 130 to 350 KiB, as the window is.
    pub compressor: bool,
    /// Whether zlib's decompressor is held: some 40 KiB.
    pub decompressor: bool,
}

impl Connection {
    /// Whether messages that begin from now on are compressed, where both ends
    /// [agreed](crate::Settings::deflate) to;
    /// [`Compression::compress`](crate::Compression::compress) until this is called.
    pub fn set_compress(&mut self, compress: Compress) {
        if let Some(deflater) = self.state.sender.deflater_mut() {
            deflater.set_compress(compress);
        }
    }

    /// Has the messages that begin in `action` compressed as is said here, and later ones as
    /// before.
    pub fn with_compress<T>(
        &mut self,
        compress: Compress,
        action: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let deflater = self.state.sender.deflater();
        let before = deflater.map_or(compress, |deflater| deflater.compress_choice());
        self.set_compress(compress);
        let result = action(self);
        self.set_compress(before);
        result
    }

    /// Gives back what zlib holds for later messages; they take it again. With context takeover
    /// the ends of past messages stay, one window for each direction.
    ///
    /// It happens by itself when nothing has come for as long as
    /// [`Timing::keep_alive`](crate::Timing::keep_alive), and when nothing but Pings and Pongs has
    /// come and gone for so long; what compresses is given back with our Close frame. Without
    /// context takeover, and with it for windows of up to 12 bits, it happens at the end of each
    /// message.
    pub fn release_deflate(&mut self) {
        if let Some(deflater) = self.state.sender.deflater_mut() {
            deflater.release();
        }
        self.receiver.release_deflate();
    }

    /// Does so if the peer sends nothing but control frames, and we nothing else either.
    pub(super) fn release_idle_deflate(&mut self) {
        let Some(patience) = self.state.keep_alive.interval() else {
            return;
        };
        let messages = self.receiver.count().messages + self.state.sender.count().messages;
        let now = self.state.now();
        let is_idle = match self.state.sender.deflater_mut() {
            Some(deflater) => deflater.is_idle(now, messages, patience),
            None => false,
        };
        if is_idle {
            self.release_deflate();
        }
    }

    /// Nothing that comes is wanted any more: from now on compressed messages come out empty, and
    /// cost no work.
    ///
    /// For a connection that closes and whose application receives no more: without it the rest
    /// of a bomb would be inflated for nobody.
    pub fn stop_inflating(&mut self) {
        self.receiver.stop_inflating();
    }

    /// What compression holds in memory.
    #[must_use]
    pub fn deflate_memory(&self) -> DeflateMemory {
        let compressor = self
            .state
            .sender
            .deflater()
            .map(|deflater| deflater.compressor());
        let decompressor = self.receiver.decompressor();
        let sent = compressor.map_or(0, |compressor| compressor.history_size());
        let received = decompressor.map_or(0, |decompressor| decompressor.history_size());
        DeflateMemory {
            history: sent + received,
            compressor: compressor.is_some_and(|compressor| compressor.holds_zlib()),
            decompressor: decompressor.is_some_and(|decompressor| decompressor.holds_zlib()),
        }
    }
}
