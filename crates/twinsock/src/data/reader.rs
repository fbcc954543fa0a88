//! Bytes into numbers, strings and times.

use std::fmt;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt};

use crate::data::InMemory;
use crate::data::byte_order::ByteOrder;
use crate::data::date_time::DateTime;
use crate::data::encoding::UnicodeEncoding;
use crate::data::error::DataError;
use crate::data::guid::{self, Guid};
use crate::data::load_options::InputStreamOptions;
use crate::data::time_span::TimeSpan;

/// Reads values from bytes: those of a message, or those loaded from a stream (`DataReader` in
/// UWP).
///
/// The `read_…` methods take from what is loaded, never from the stream: over a stream
/// [`load`](Self::load) comes first. Over memory all is loaded from the beginning.
///
/// ```
/// use twinsock::{DataReader, Message};
///
/// let message = Message::from(b"\x00\x07\x04Zo\xC3\xAB".to_vec());
/// let mut reader = DataReader::from_bytes(message.into_bytes());
/// assert_eq!(reader.read_u16()?, 7);
/// let length = reader.read_byte()?;
/// assert_eq!(reader.read_string(length.into())?, "Zoë");
/// assert_eq!(reader.unconsumed_buffer_length(), 0);
/// # Ok::<(), twinsock::DataError>(())
/// ```
///
/// # When a read fails
/// It consumes nothing: the same bytes can be read in another way, or again after another `load`.
///
/// # Ownership
/// The reader owns the stream only if it was given away: over `&mut stream` it is a loan, and
/// nothing closes when the reader is dropped.
///
/// # At the same time
/// Every method that changes the reader takes `&mut self`, so two loads, or a read during a load,
/// do not compile.
pub struct DataReader<S = InMemory> {
    source: S,
    /// First what is loaded, behind it what came from the stream and is not loaded yet.
    memory: BytesMut,
    loaded: usize,
    byte_order: ByteOrder,
    unicode_encoding: UnicodeEncoding,
    options: InputStreamOptions,
}

impl DataReader<InMemory> {
    /// A reader over memory (`DataReader.FromBuffer` in UWP).
    ///
    /// The bytes are copied only if somebody else shares them.
    #[must_use]
    pub fn from_bytes(bytes: impl Into<Bytes>) -> Self {
        Self::with_source(InMemory, bytes.into().into())
    }
}

impl<R: AsyncRead + Unpin> DataReader<R> {
    /// A reader over a byte stream, which may be `&mut stream` (`DataReader(inputStream)` in UWP).
    ///
    /// ```
    /// # async fn run() -> Result<(), twinsock::DataError> {
    /// use twinsock::DataReader;
    ///
    /// let mut stream: &[u8] = b"\x05helloworld";
    /// let mut reader = DataReader::over(&mut stream);
    /// reader.load(1).await?;
    /// let length = reader.read_byte()?.into();
    /// reader.load(length).await?;
    /// assert_eq!(reader.read_string(length)?, "hello");
    /// assert_eq!(stream, b"world");
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(run()).unwrap();
    /// ```
    #[must_use]
    pub fn over(stream: R) -> Self {
        Self::with_source(stream, BytesMut::new())
    }

    /// When a load is done; by default with the full count.
    #[must_use]
    pub fn input_stream_options(&self) -> InputStreamOptions {
        self.options
    }

    /// Sets when the loads from now on are done.
    pub fn set_input_stream_options(&mut self, options: InputStreamOptions) {
        self.options = options;
    }

    /// Loads `count` bytes behind those that are loaded and not consumed; gives how many
    /// (`LoadAsync` in UWP).
    ///
    /// They are fewer when the stream ends before, and 0 at its end; with
    /// [`Partial`](InputStreamOptions::Partial) as soon as there is at least one. More is taken
    /// from the stream only with [`ReadAhead`](InputStreamOptions::ReadAhead). Memory is taken for
    /// what arrives, not for `count`.
    ///
    /// # Errors
    /// [`DataError::Stream`] when the stream failed. What came before is not lost: a load of as
    /// many bytes or a partial one gives it.
    ///
    /// # Cancel safety
    /// A dropped `load` loses nothing and loads nothing: what it has taken from the stream is the
    /// first that the next `load` gives, so the same call can be made again.
    pub async fn load(&mut self, count: usize) -> Result<usize, DataError> {
        while !self.options.suffices(self.read_ahead(), count) {
            let missing = count.saturating_sub(self.read_ahead());
            let room = self.options.largest_read(missing);
            self.memory.reserve(room);
            let mut memory = (&mut self.memory).limit(room);
            let read = self.source.read_buf(&mut memory).await;
            if read.map_err(DataError::stream)? == 0 {
                break;
            }
        }
        let loaded = self.read_ahead().min(count);
        self.loaded += loaded;
        Ok(loaded)
    }

    /// The stream; bytes that were taken from it and not consumed are dropped, unless
    /// [`detach_buffer`](Self::detach_buffer) has taken them (`DetachStream` in UWP).
    #[must_use]
    pub fn detach_stream(self) -> R {
        self.source
    }
}

impl<S> DataReader<S> {
    fn with_source(source: S, memory: BytesMut) -> Self {
        Self {
            source,
            loaded: memory.len(),
            memory,
            byte_order: ByteOrder::default(),
            unicode_encoding: UnicodeEncoding::default(),
            options: InputStreamOptions::default(),
        }
    }

    /// The order of the bytes of numbers; by default big-endian.
    #[must_use]
    pub fn byte_order(&self) -> ByteOrder {
        self.byte_order
    }

    /// Sets the order of the bytes of numbers that are read from now on.
    pub fn set_byte_order(&mut self, byte_order: ByteOrder) {
        self.byte_order = byte_order;
    }

    /// The encoding of strings; by default UTF-8.
    #[must_use]
    pub fn unicode_encoding(&self) -> UnicodeEncoding {
        self.unicode_encoding
    }

    /// Sets the encoding of strings that are read from now on.
    pub fn set_unicode_encoding(&mut self, encoding: UnicodeEncoding) {
        self.unicode_encoding = encoding;
    }

    /// How many bytes are loaded and not consumed (`UnconsumedBufferLength` in UWP).
    #[must_use]
    pub fn unconsumed_buffer_length(&self) -> usize {
        self.loaded
    }

    /// Takes all that was not consumed, also what was read ahead, and leaves the reader empty
    /// (`DetachBuffer` in UWP).
    #[must_use = "the bytes are no longer in the reader"]
    pub fn detach_buffer(&mut self) -> Bytes {
        self.loaded = 0;
        std::mem::take(&mut self.memory).freeze()
    }

    /// Reads a byte (`ReadByte` in UWP).
    ///
    /// # Errors
    /// [`DataError::OutOfBounds`] when fewer bytes are loaded.
    pub fn read_byte(&mut self) -> Result<u8, DataError> {
        self.take().map(|[byte]| byte)
    }

    /// Fills `bytes`, whose length says how many are read (`ReadBytes` in UWP).
    ///
    /// # Errors
    /// [`DataError::OutOfBounds`] when fewer bytes are loaded; `bytes` is as it was.
    pub fn read_bytes(&mut self, bytes: &mut [u8]) -> Result<(), DataError> {
        bytes.copy_from_slice(self.peek(bytes.len())?);
        self.consume(bytes.len());
        Ok(())
    }

    /// Reads `length` bytes without a copy: they share the reader's memory (`ReadBuffer` in UWP).
    ///
    /// # Errors
    /// [`DataError::OutOfBounds`] when fewer bytes are loaded.
    pub fn read_buffer(&mut self, length: usize) -> Result<Bytes, DataError> {
        self.peek(length)?;
        self.loaded -= length;
        Ok(self.memory.split_to(length).freeze())
    }

    /// Reads a byte: `true` unless it is 0 (`ReadBoolean` in UWP).
    ///
    /// # Errors
    /// [`DataError::OutOfBounds`] when fewer bytes are loaded.
    pub fn read_boolean(&mut self) -> Result<bool, DataError> {
        self.read_byte().map(|byte| byte != 0)
    }

    /// Reads 2 bytes in the byte order (`ReadInt16` in UWP).
    ///
    /// # Errors
    /// [`DataError::OutOfBounds`] when fewer bytes are loaded.
    pub fn read_i16(&mut self) -> Result<i16, DataError> {
        self.take_ordered().map(i16::from_be_bytes)
    }

    /// Reads 4 bytes in the byte order (`ReadInt32` in UWP).
    ///
    /// # Errors
    /// [`DataError::OutOfBounds`] when fewer bytes are loaded.
    pub fn read_i32(&mut self) -> Result<i32, DataError> {
        self.take_ordered().map(i32::from_be_bytes)
    }

    /// Reads 8 bytes in the byte order (`ReadInt64` in UWP).
    ///
    /// # Errors
    /// [`DataError::OutOfBounds`] when fewer bytes are loaded.
    pub fn read_i64(&mut self) -> Result<i64, DataError> {
        self.take_ordered().map(i64::from_be_bytes)
    }

    /// Reads 2 bytes in the byte order (`ReadUInt16` in UWP).
    ///
    /// # Errors
    /// [`DataError::OutOfBounds`] when fewer bytes are loaded.
    pub fn read_u16(&mut self) -> Result<u16, DataError> {
        self.take_ordered().map(u16::from_be_bytes)
    }

    /// Reads 4 bytes in the byte order (`ReadUInt32` in UWP).
    ///
    /// # Errors
    /// [`DataError::OutOfBounds`] when fewer bytes are loaded.
    pub fn read_u32(&mut self) -> Result<u32, DataError> {
        self.take_ordered().map(u32::from_be_bytes)
    }

    /// Reads 8 bytes in the byte order (`ReadUInt64` in UWP).
    ///
    /// # Errors
    /// [`DataError::OutOfBounds`] when fewer bytes are loaded.
    pub fn read_u64(&mut self) -> Result<u64, DataError> {
        self.take_ordered().map(u64::from_be_bytes)
    }

    /// Reads 4 bytes in the byte order (`ReadSingle` in UWP).
    ///
    /// # Errors
    /// [`DataError::OutOfBounds`] when fewer bytes are loaded.
    pub fn read_f32(&mut self) -> Result<f32, DataError> {
        self.take_ordered().map(f32::from_be_bytes)
    }

    /// Reads 8 bytes in the byte order (`ReadDouble` in UWP).
    ///
    /// # Errors
    /// [`DataError::OutOfBounds`] when fewer bytes are loaded.
    pub fn read_f64(&mut self) -> Result<f64, DataError> {
        self.take_ordered().map(f64::from_be_bytes)
    }

    /// Reads 16 bytes: 4, 2 and 2 in the byte order, then 8 as they are (`ReadGuid` in UWP).
    ///
    /// # Errors
    /// [`DataError::OutOfBounds`] when fewer bytes are loaded.
    pub fn read_guid(&mut self) -> Result<Guid, DataError> {
        let bytes: [u8; guid::SIZE] = self.take()?;
        Ok(Guid::from_bytes(bytes, self.byte_order))
    }

    /// Reads 8 bytes in the byte order: units of 100 ns since 1601 (`ReadDateTime` in UWP).
    ///
    /// # Errors
    /// [`DataError::OutOfBounds`] when fewer bytes are loaded.
    pub fn read_date_time(&mut self) -> Result<DateTime, DataError> {
        self.read_i64().map(DateTime::from_ticks)
    }

    /// Reads 8 bytes in the byte order: units of 100 ns (`ReadTimeSpan` in UWP).
    ///
    /// # Errors
    /// [`DataError::OutOfBounds`] when fewer bytes are loaded.
    pub fn read_time_span(&mut self) -> Result<TimeSpan, DataError> {
        self.read_i64().map(TimeSpan::from_ticks)
    }

    /// Reads a string of so many code units of the encoding: bytes in UTF-8, pairs of bytes in
    /// UTF-16, never characters (`ReadString` in UWP).
    ///
    /// # Errors
    /// [`DataError::OutOfBounds`] when fewer bytes are loaded; [`DataError::InvalidUnicode`] when
    /// they are no text in the encoding.
    pub fn read_string(&mut self, code_units: usize) -> Result<String, DataError> {
        // More than there can be is wanted too when the product has no number.
        let length = code_units.saturating_mul(self.unicode_encoding.code_unit_size());
        let text = self.unicode_encoding.decode(self.peek(length)?)?;
        self.consume(length);
        Ok(text)
    }

    fn take_ordered<const N: usize>(&mut self) -> Result<[u8; N], DataError> {
        let order = self.byte_order;
        self.take().map(|bytes| order.arrange(bytes))
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], DataError> {
        let mut bytes = [0; N];
        self.read_bytes(&mut bytes)?;
        Ok(bytes)
    }

    fn peek(&self, wanted: usize) -> Result<&[u8], DataError> {
        let loaded = self.memory.get(..self.loaded);
        loaded
            .and_then(|loaded| loaded.get(..wanted))
            .ok_or(DataError::OutOfBounds {
                wanted,
                available: self.loaded,
            })
    }

    /// Takes off what [`peek`](Self::peek) has shown.
    fn consume(&mut self, count: usize) {
        self.memory.advance(count);
        self.loaded -= count;
    }

    /// How many bytes came from the stream and are not loaded.
    fn read_ahead(&self) -> usize {
        self.memory.len() - self.loaded
    }
}

/// Shows how much is in it; never what.
impl<S> fmt::Debug for DataReader<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("DataReader")
            .field("unconsumed_buffer_length", &self.unconsumed_buffer_length())
            .field("byte_order", &self.byte_order)
            .field("unicode_encoding", &self.unicode_encoding)
            .finish_non_exhaustive()
    }
}
