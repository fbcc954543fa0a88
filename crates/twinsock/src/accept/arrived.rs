//! A connection whose request is still to come.

use crate::driver::ByteStream;
use crate::opening::{Addresses, Opened};
use crate::tls::TlsInformation;

/// A byte stream from a client, with what is known of it.
pub(crate) struct Arrived {
    pub(crate) stream: Box<dyn ByteStream>,
    pub(crate) place: Place,
}

/// Where a connection runs, and over what; nothing for a stream of the caller's.
#[derive(Default)]
pub(crate) struct Place {
    pub(crate) addresses: Option<Addresses>,
    pub(crate) tls: Option<TlsInformation>,
}

impl Arrived {
    /// Over a stream of the caller's.
    pub(crate) fn over(stream: impl ByteStream + 'static) -> Self {
        Self {
            stream: Box::new(stream),
            place: Place::default(),
        }
    }
}

impl Place {
    /// Tells the socket.
    pub(crate) fn tell(self, opened: Opened) -> Opened {
        opened.at(self.addresses).over_tls(self.tls)
    }
}
