//! Numbers, strings and times as bytes (`Windows.Storage.Streams` in UWP).

mod byte_order;
mod date_time;
mod encoding;
mod error;
mod guid;
mod load_options;
mod reader;
mod target;
mod ticks;
mod time_span;
mod writer;

pub use crate::data::byte_order::ByteOrder;
pub use crate::data::date_time::DateTime;
pub use crate::data::encoding::UnicodeEncoding;
pub use crate::data::error::DataError;
pub use crate::data::guid::Guid;
pub use crate::data::load_options::InputStreamOptions;
pub use crate::data::reader::DataReader;
pub use crate::data::target::StoreTarget;
pub use crate::data::time_span::TimeSpan;
pub use crate::data::writer::DataWriter;

/// Stands where a [`DataReader`] or [`DataWriter`] has nothing beneath it but memory.
///
/// Such a reader cannot `load` and such a writer cannot `store`: neither compiles.
///
/// ```
/// use twinsock::{DataReader, InMemory};
///
/// fn version(mut reader: DataReader<InMemory>) -> Result<u16, twinsock::DataError> {
///     reader.read_u16()
/// }
/// assert_eq!(version(DataReader::from_bytes(vec![0, 7]))?, 7);
/// # Ok::<(), twinsock::DataError>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct InMemory;
