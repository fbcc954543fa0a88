//! How an open connection compresses.

use crate::deflate::parameters::DeflateParameters;

/// How hard a compressor tries, from 1, which is fastest, to 9; 2 by default.
///
/// ```
/// use twinsock_proto::DeflateLevel;
///
/// assert_eq!(DeflateLevel::default().get(), 2);
/// assert_eq!(DeflateLevel::new(10), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DeflateLevel(u8);

impl DeflateLevel {
    /// The least work.
    pub const FASTEST: Self = Self(1);

    /// The least bytes.
    pub const SMALLEST: Self = Self(9);

    /// `None` for other numbers than 1 to 9.
    #[must_use]
    pub const fn new(level: u8) -> Option<Self> {
        match level {
            1..=9 => Some(Self(level)),
            _ => None,
        }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl Default for DeflateLevel {
    fn default() -> Self {
        Self(2)
    }
}

/// Whether a message is compressed; see
/// [`Connection::set_compress`](crate::Connection::set_compress).
///
/// Never what is secret beside what others may choose: how long the result is tells whether they
/// are alike (RFC 7692 §8, RFC 7457 §2.6).
///
/// ```
/// assert_eq!(twinsock_proto::Compress::default(), twinsock_proto::Compress::Auto);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Compress {
    /// If it has at least [`Compression::least_size`] bytes, and does not look as if nothing were to
    /// be gained: from 8 KiB on a sample of it is tried when its bytes come equally often, as they
    /// do in what is compressed or encrypted already. Without context takeover also only if that
    /// makes it smaller.
    ///
    /// A message in parts is compressed whatever its first part is, unless that is the last one:
    /// for images, archives and the like in parts say [`Never`](Self::Never).
    #[default]
    Auto,
    /// Whatever its size.
    Always,
    /// Not at all.
    Never,
}

/// What is compressed, and how hard is tried: the choice of the sending end alone.
///
/// ```
/// use twinsock_proto::{Compress, Compression, DeflateLevel};
///
/// let compression = Compression {
///     level: DeflateLevel::SMALLEST,
///     ..Compression::default()
/// };
/// assert_eq!((compression.least_size, compression.compress), (None, Compress::Auto));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Compression {
    /// How hard is tried.
    pub level: DeflateLevel,
    /// The smallest message that [`Compress::Auto`] compresses, in bytes.
    ///
    /// `None`, the default, is 128 without context takeover: less gains next to nothing, and
    /// costs as much as a few hundred bytes. With it, where small messages that are like earlier
    /// ones gain most, it is 16.
    pub least_size: Option<usize>,
    /// Which messages are compressed, as long as nothing else is
    /// [said](crate::Connection::set_compress).
    pub compress: Compress,
}

/// How an open connection compresses, if both ends agreed to; see
/// [`Settings::deflate`](crate::Settings::deflate).
///
/// ```
/// use twinsock_proto::{Compression, Deflate, DeflateParameters, Settings};
///
/// let deflate = Deflate {
///     parameters: DeflateParameters::default(),
///     compression: Compression::default(),
/// };
/// let settings = Settings { deflate: Some(deflate), ..Settings::default() };
/// # let _ = settings;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deflate {
    /// What was agreed on.
    pub parameters: DeflateParameters,
    /// What this end makes of it.
    pub compression: Compression,
}

impl Deflate {
    /// The defaults, with what was agreed on.
    #[must_use]
    pub fn new(parameters: DeflateParameters) -> Self {
        Self {
            parameters,
            compression: Compression::default(),
        }
    }
}
