//! What can go wrong with data, sorted by what was asked for.

use std::fmt;
use std::io;
use std::sync::Arc;

use crate::data::encoding::UnicodeEncoding;
use crate::error::Error;
use crate::web_error_status::hresult;

/// Why data could not be read, written, loaded or stored.
///
/// Whatever it is, nothing was consumed by a read, and a store has lost no byte that it did not
/// hand on.
///
/// It becomes an [`Error`] with `?`: the socket's own as it was, a stream's as lost connection or
/// failure of the system, and all others, which come from a wrong expectation of the caller's, as
/// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument).
///
/// ```
/// use twinsock::{DataError, DataReader};
///
/// let mut reader = DataReader::from_bytes(vec![1, 2, 3]);
/// let error = reader.read_u32().unwrap_err();
/// assert!(matches!(error, DataError::OutOfBounds { wanted: 4, available: 3 }));
/// assert_eq!(error.to_string(), "expected 4 bytes, got 3");
/// assert_eq!(format!("{:#x}", error.hresult()), "0x8000000b");
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum DataError {
    /// A read wants more than was loaded.
    OutOfBounds {
        /// How many bytes the read takes.
        wanted: usize,
        /// How many bytes are there.
        available: usize,
    },
    /// Bytes are no text in the encoding.
    InvalidUnicode {
        /// The encoding.
        encoding: UnicodeEncoding,
        /// How many code units before it are good.
        position: usize,
    },
    /// A part of a buffer reaches beyond it.
    InvalidRange {
        /// Where the part begins, in bytes.
        start: usize,
        /// How many bytes it has.
        count: usize,
        /// How many bytes the buffer has.
        length: usize,
    },
    /// A time is beyond what its type can hold.
    TimeOutOfRange {
        /// The time in units of 100 ns, since the beginning of 1601 if it is a point in time.
        ticks: i128,
    },
    /// A text is no GUID.
    InvalidGuid {
        /// How many bytes before it are good.
        position: usize,
    },
    /// The stream beneath failed.
    Stream(Arc<io::Error>),
    /// The socket beneath failed, or is closing or closed.
    Socket(Error),
}

impl DataError {
    /// The HRESULT that the Universal Windows Platform would give: 0x8000000B (`E_BOUNDS`),
    /// 0x80070459 (`ERROR_NO_UNICODE_TRANSLATION`), 0x80070057 (`E_INVALIDARG`), and
    /// [`Error::hresult`] for sockets and streams.
    #[must_use]
    pub fn hresult(&self) -> i32 {
        match self {
            Self::OutOfBounds { .. } => hresult(0x8000_000B),
            Self::InvalidUnicode { .. } => hresult(0x8007_0459),
            Self::InvalidRange { .. } | Self::TimeOutOfRange { .. } | Self::InvalidGuid { .. } => {
                hresult(0x8007_0057)
            }
            Self::Stream(error) => stream_failure(error).hresult(),
            Self::Socket(error) => error.hresult(),
        }
    }

    pub(super) fn stream(error: io::Error) -> Self {
        Self::Stream(Arc::new(error))
    }
}

impl fmt::Display for DataError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutOfBounds { wanted, available } => {
                write!(formatter, "expected {wanted} bytes, got {available}")
            }
            Self::InvalidUnicode { encoding, position } => write!(
                formatter,
                "expected {encoding:?}, got something else at code unit {position}"
            ),
            Self::InvalidRange {
                start,
                count,
                length,
            } => write!(
                formatter,
                "expected a part of {length} bytes, got {count} from {start} on"
            ),
            Self::TimeOutOfRange { ticks } => write!(
                formatter,
                "expected a time that its type can hold, got {ticks} units of 100 ns"
            ),
            Self::InvalidGuid { position } => write!(
                formatter,
                "expected hexadecimal digits in the form 8-4-4-4-12, got something else at byte \
                 {position}"
            ),
            Self::Stream(_) => formatter.write_str("the stream failed"),
            Self::Socket(error) => error.fmt(formatter),
        }
    }
}

impl std::error::Error for DataError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Stream(error) => Some(&**error),
            // It speaks for itself above: what counts is what is beneath it.
            Self::Socket(error) => error.source(),
            Self::OutOfBounds { .. }
            | Self::InvalidUnicode { .. }
            | Self::InvalidRange { .. }
            | Self::TimeOutOfRange { .. }
            | Self::InvalidGuid { .. } => None,
        }
    }
}

impl From<Error> for DataError {
    fn from(error: Error) -> Self {
        Self::Socket(error)
    }
}

impl From<DataError> for Error {
    fn from(error: DataError) -> Self {
        match error {
            DataError::Socket(error) => error,
            DataError::Stream(error) => stream_failure(&error),
            DataError::OutOfBounds { .. }
            | DataError::InvalidUnicode { .. }
            | DataError::InvalidRange { .. }
            | DataError::TimeOutOfRange { .. }
            | DataError::InvalidGuid { .. } => Self::invalid_argument(error.to_string()),
        }
    }
}

/// For functions that give an [`io::Error`]: the stream's own, or the kind that comes nearest.
impl From<DataError> for io::Error {
    fn from(error: DataError) -> Self {
        let kind = match error {
            DataError::Socket(error) => return error.into(),
            DataError::Stream(error) => {
                let kind = error.kind();
                return Arc::try_unwrap(error).unwrap_or_else(|shared| Self::new(kind, shared));
            }
            DataError::OutOfBounds { .. } => io::ErrorKind::UnexpectedEof,
            DataError::InvalidUnicode { .. } => io::ErrorKind::InvalidData,
            DataError::InvalidRange { .. }
            | DataError::TimeOutOfRange { .. }
            | DataError::InvalidGuid { .. } => io::ErrorKind::InvalidInput,
        };
        Self::new(kind, error)
    }
}

/// The socket's error if the stream is one of this library, else what the kind tells.
fn stream_failure(error: &Arc<io::Error>) -> Error {
    let inner = error.get_ref();
    if let Some(error) = inner.and_then(|inner| inner.downcast_ref::<Error>()) {
        return error.clone();
    }
    match error.kind() {
        io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::NotConnected
        | io::ErrorKind::UnexpectedEof => Error::connection_lost(Arc::clone(error)),
        kind => Error::system("the stream failed", io::Error::new(kind, Arc::clone(error))),
    }
}
