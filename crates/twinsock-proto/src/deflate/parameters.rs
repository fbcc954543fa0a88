//! What both ends agree on.

use std::fmt;

/// The base-2 logarithm of how far back compressed data may refer, from 8 to 15 (RFC 7692
/// §7.1.2).
///
/// ```
/// use twinsock_proto::WindowBits;
///
/// let bits = WindowBits::new(12).expect("8 to 15");
/// assert_eq!(bits.size(), 4096);
/// assert_eq!(WindowBits::new(7), None);
/// assert_eq!(WindowBits::default(), WindowBits::MAX);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WindowBits(u8);

impl WindowBits {
    /// 256 bytes. zlib cannot compress for so little, so only runs of the same byte are shortened
    /// then, and characters coded by how often they come.
    pub const MIN: Self = Self(8);

    /// 32 KiB; what holds where nothing is said.
    pub const MAX: Self = Self(15);

    /// `None` for other numbers than 8 to 15.
    #[must_use]
    pub const fn new(bits: u8) -> Option<Self> {
        match bits {
            8..=15 => Some(Self(bits)),
            _ => None,
        }
    }

    /// The number of bits.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }

    /// How many bytes the window has.
    #[must_use]
    pub const fn size(self) -> usize {
        1 << self.0
    }
}

impl Default for WindowBits {
    fn default() -> Self {
        Self::MAX
    }
}

impl fmt::Display for WindowBits {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// Whether a message may refer to those before it (RFC 7692 §7.1.1): then messages that are alike
/// become much smaller, but both ends keep a window for as long as the connection lives.
///
/// ```
/// use twinsock_proto::ContextTakeover;
///
/// assert_eq!(ContextTakeover::default(), ContextTakeover::On);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ContextTakeover {
    /// It may.
    #[default]
    On,
    /// Each message stands for itself, and nothing is kept between messages.
    Off,
}

/// How the messages of one direction are compressed.
///
/// See [`DeflateParameters`] for an example.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct DeflateDirection {
    /// How far back they refer at most.
    pub window_bits: WindowBits,
    /// Whether they refer to earlier messages.
    pub context_takeover: ContextTakeover,
}

/// What both ends agreed on in the opening handshake (RFC 7692 §7.1).
///
/// By default what holds where the header says no more than `permessage-deflate`.
///
/// ```
/// use twinsock_proto::{ContextTakeover, DeflateParameters, WindowBits};
///
/// let parameters = DeflateParameters::default();
/// assert_eq!(parameters.server.window_bits, WindowBits::MAX);
/// assert_eq!(parameters.client.context_takeover, ContextTakeover::On);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct DeflateParameters {
    /// What the client sends.
    pub client: DeflateDirection,
    /// What the server sends.
    pub server: DeflateDirection,
}
