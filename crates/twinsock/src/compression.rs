// What is said of it stands in docs/compression.md.

/// Writes what both sockets and the halves that send can be told about compression, for one that
/// has a method `driver`: it is the same for all of them, and so is what is said of it.
macro_rules! shared_compression {
    ($socket:ident) => {
        impl $socket {
            /// Has the messages that begin from now on compressed as is said here, in whatever
            /// task they are sent, where both ends agreed to; until this is called as the
            /// settings' [`Compression::compress`](crate::Compression::compress) says.
            ///
            /// Where nothing was agreed on it has no effect. Of a stream, what was written before
            /// and is not flushed counts as what begins from now on; flush before a change. With
            /// [`StreamFraming::EndlessMessage`](crate::StreamFraming::EndlessMessage) the choice at
            /// the first flush holds for all.
            pub fn set_compress(&self, compress: $crate::Compress) {
                self.driver().set_compress(compress);
            }

            /// Gives back the memory that zlib holds for later messages, which they take again;
            /// with context takeover the windows stay.
            ///
            /// It happens by itself when nothing has come, or nothing but Pings and Pongs has come
            /// and gone, for as long as [`Timeouts::keep_alive`](crate::Timeouts::keep_alive), unless
            /// that is `None`; without context takeover, and with it for windows of up to 12 bits, at
            /// the end of each message. Within a message nothing is given back.
            /// [`Information::deflate_memory`](crate::Information::deflate_memory) tells what is
            /// held.
            pub fn release_deflate(&self) {
                self.driver().release_deflate();
            }
        }
    };
}

pub(crate) use shared_compression;
