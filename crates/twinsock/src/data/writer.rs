//! Numbers, strings and times into bytes.

use std::fmt;

use bytes::{BufMut, Bytes, BytesMut};

use crate::data::InMemory;
use crate::data::byte_order::ByteOrder;
use crate::data::date_time::DateTime;
use crate::data::encoding::UnicodeEncoding;
use crate::data::error::DataError;
use crate::data::guid::Guid;
use crate::data::target::StoreTarget;
use crate::data::time_span::TimeSpan;

/// Gathers values as bytes and stores them to a socket or a stream (`DataWriter` in UWP).
///
/// Over a [`MessageWebSocket`](crate::MessageWebSocket) one [`store`](Self::store) sends one
/// message, of the socket's
/// [`message_type`](crate::MessageWebSocket::message_type). Over a byte stream the bytes go out in
/// the order in which they were written. [`DataWriter::new`] makes one over memory alone.
///
/// ```
/// # async fn run(socket: twinsock::MessageWebSocket) -> Result<(), twinsock::DataError> {
/// use twinsock::DataWriter;
///
/// let mut writer = DataWriter::over(&socket);
/// writer.write_u16(7);
/// let length = writer.measure_string("Zoë");
/// writer.write_byte(length as u8);
/// writer.write_string("Zoë");
/// assert_eq!(writer.store().await?, 7);
/// # Ok(())
/// # }
/// ```
///
/// # Ownership
/// The writer owns what it stands over only if that was given away: over `&socket` or
/// `&mut stream` it is a loan, and nothing closes when the writer is dropped. Bytes that were not
/// stored are dropped with it.
///
/// # At the same time
/// Every method that changes the writer takes `&mut self`, so two stores, or a write during a
/// store, do not compile. Several writers over one socket may store at the same time; their
/// messages do not mix.
pub struct DataWriter<T = InMemory> {
    target: T,
    unstored: BytesMut,
    byte_order: ByteOrder,
    unicode_encoding: UnicodeEncoding,
}

impl DataWriter<InMemory> {
    /// A writer over memory; [`detach_buffer`](Self::detach_buffer) gives what was written
    /// (`DataWriter()` in UWP).
    ///
    /// ```
    /// use twinsock::DataWriter;
    ///
    /// let mut writer = DataWriter::new();
    /// writer.write_u32(1);
    /// assert_eq!(writer.detach_buffer(), &[0, 0, 0, 1][..]);
    /// ```
    ///
    /// It has nowhere to store to:
    /// ```compile_fail,E0599
    /// # async fn run() {
    /// twinsock::DataWriter::new().store().await;
    /// # }
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self::with_target(InMemory)
    }
}

impl Default for DataWriter<InMemory> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: StoreTarget> DataWriter<T> {
    /// A writer that stores to `&MessageWebSocket`, a [`MessageSender`](crate::MessageSender), or
    /// a byte stream, which may be `&mut stream` (`DataWriter(outputStream)` in UWP).
    #[must_use]
    pub fn over(target: T) -> Self {
        Self::with_target(target)
    }

    /// Stores all that was written since the last store; gives how many bytes this call has
    /// stored (`StoreAsync` in UWP).
    ///
    /// Over a message socket it sends one message of the type that the socket has when the store
    /// begins, and is ready when it is queued; without any byte it sends an empty message. Over a
    /// byte stream it writes until nothing is left, and without any byte does nothing.
    ///
    /// # Errors
    /// * [`DataError::Socket`] as of [`send_text`](crate::MessageWebSocket::send_text): all bytes
    ///   are still in the writer.
    /// * [`DataError::InvalidUnicode`] when the socket's type is text and the bytes are not UTF-8:
    ///   nothing is sent, and all bytes are still in the writer.
    /// * [`DataError::Stream`]: what was not written is still in the writer.
    ///
    /// # Cancel safety
    /// A dropped `store` loses nothing. Over a message socket the whole message was queued or all
    /// bytes are still in the writer; over a byte stream those are that were not written, and the
    /// next `store` goes on with them.
    pub async fn store(&mut self) -> Result<usize, DataError> {
        let stored = self.target.store(&mut self.unstored).await?;
        if self.unstored.capacity() > KEPT_MEMORY {
            self.unstored = BytesMut::new();
        }
        Ok(stored)
    }

    /// Waits until all that was stored is with the operating system, or flushes the byte stream;
    /// what was not stored stays in the writer (`FlushAsync` in UWP).
    ///
    /// A message goes out without it.
    ///
    /// # Errors
    /// [`DataError::Socket`] or [`DataError::Stream`] when it failed.
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    pub async fn flush(&mut self) -> Result<(), DataError> {
        self.target.flush().await
    }

    /// What the writer stands over; bytes that were not stored are dropped, unless
    /// [`detach_buffer`](Self::detach_buffer) has taken them (`DetachStream` in UWP).
    #[must_use]
    pub fn detach_stream(self) -> T {
        self.target
    }
}

impl<T> DataWriter<T> {
    fn with_target(target: T) -> Self {
        Self {
            target,
            unstored: BytesMut::new(),
            byte_order: ByteOrder::default(),
            unicode_encoding: UnicodeEncoding::default(),
        }
    }

    /// The order of the bytes of numbers; by default big-endian.
    #[must_use]
    pub fn byte_order(&self) -> ByteOrder {
        self.byte_order
    }

    /// Sets the order of the bytes of numbers that are written from now on.
    pub fn set_byte_order(&mut self, byte_order: ByteOrder) {
        self.byte_order = byte_order;
    }

    /// The encoding of strings; by default UTF-8.
    #[must_use]
    pub fn unicode_encoding(&self) -> UnicodeEncoding {
        self.unicode_encoding
    }

    /// Sets the encoding of strings that are written from now on.
    pub fn set_unicode_encoding(&mut self, encoding: UnicodeEncoding) {
        self.unicode_encoding = encoding;
    }

    /// How many bytes were written and not stored or detached (`UnstoredBufferLength` in UWP).
    #[must_use]
    pub fn unstored_buffer_length(&self) -> usize {
        self.unstored.len()
    }

    /// Takes what was written and not stored, and leaves the writer empty (`DetachBuffer` in UWP).
    #[must_use = "the bytes are no longer in the writer"]
    pub fn detach_buffer(&mut self) -> Bytes {
        std::mem::take(&mut self.unstored).freeze()
    }

    /// Writes a byte (`WriteByte` in UWP).
    pub fn write_byte(&mut self, value: u8) {
        self.unstored.put_u8(value);
    }

    /// Writes bytes (`WriteBytes` in UWP).
    pub fn write_bytes(&mut self, bytes: &[u8]) {
        self.unstored.put_slice(bytes);
    }

    /// Writes the bytes of a buffer (`WriteBuffer` in UWP).
    pub fn write_buffer(&mut self, buffer: &Bytes) {
        self.unstored.put_slice(buffer);
    }

    /// Writes `count` bytes of a buffer, beginning with that at `start` (`WriteBuffer` in UWP).
    ///
    /// # Errors
    /// [`DataError::InvalidRange`], with nothing written, when the buffer ends before.
    pub fn write_buffer_range(
        &mut self,
        buffer: &Bytes,
        start: usize,
        count: usize,
    ) -> Result<(), DataError> {
        let part = start
            .checked_add(count)
            .and_then(|end| buffer.get(start..end))
            .ok_or(DataError::InvalidRange {
                start,
                count,
                length: buffer.len(),
            })?;
        self.unstored.put_slice(part);
        Ok(())
    }

    /// Writes a byte: 1 for `true`, 0 for `false` (`WriteBoolean` in UWP).
    #[expect(clippy::fn_params_excessive_bools, reason = "it is the value")]
    pub fn write_boolean(&mut self, value: bool) {
        self.write_byte(value.into());
    }

    /// Writes 2 bytes in the byte order (`WriteInt16` in UWP).
    pub fn write_i16(&mut self, value: i16) {
        self.write_ordered(value.to_be_bytes());
    }

    /// Writes 4 bytes in the byte order (`WriteInt32` in UWP).
    pub fn write_i32(&mut self, value: i32) {
        self.write_ordered(value.to_be_bytes());
    }

    /// Writes 8 bytes in the byte order (`WriteInt64` in UWP).
    pub fn write_i64(&mut self, value: i64) {
        self.write_ordered(value.to_be_bytes());
    }

    /// Writes 2 bytes in the byte order (`WriteUInt16` in UWP).
    pub fn write_u16(&mut self, value: u16) {
        self.write_ordered(value.to_be_bytes());
    }

    /// Writes 4 bytes in the byte order (`WriteUInt32` in UWP).
    pub fn write_u32(&mut self, value: u32) {
        self.write_ordered(value.to_be_bytes());
    }

    /// Writes 8 bytes in the byte order (`WriteUInt64` in UWP).
    pub fn write_u64(&mut self, value: u64) {
        self.write_ordered(value.to_be_bytes());
    }

    /// Writes 4 bytes in the byte order (`WriteSingle` in UWP).
    pub fn write_f32(&mut self, value: f32) {
        self.write_ordered(value.to_be_bytes());
    }

    /// Writes 8 bytes in the byte order (`WriteDouble` in UWP).
    pub fn write_f64(&mut self, value: f64) {
        self.write_ordered(value.to_be_bytes());
    }

    /// Writes 16 bytes: 4, 2 and 2 in the byte order, then 8 as they are (`WriteGuid` in UWP).
    pub fn write_guid(&mut self, value: Guid) {
        self.write_bytes(&value.to_bytes(self.byte_order));
    }

    /// Writes 8 bytes in the byte order: units of 100 ns since 1601 (`WriteDateTime` in UWP).
    pub fn write_date_time(&mut self, value: DateTime) {
        self.write_i64(value.ticks());
    }

    /// Writes 8 bytes in the byte order: units of 100 ns (`WriteTimeSpan` in UWP).
    pub fn write_time_span(&mut self, value: TimeSpan) {
        self.write_i64(value.ticks());
    }

    /// Writes a string in the encoding, without length or terminator; gives how many bytes it
    /// took (`WriteString` in UWP).
    pub fn write_string(&mut self, text: &str) -> usize {
        let before = self.unstored.len();
        self.unicode_encoding.encode(text, &mut self.unstored);
        self.unstored.len() - before
    }

    /// How many bytes [`write_string`](Self::write_string) would take (`MeasureString` in UWP).
    #[must_use]
    pub fn measure_string(&self, text: &str) -> usize {
        self.unicode_encoding.measure(text)
    }

    fn write_ordered<const N: usize>(&mut self, big_endian: [u8; N]) {
        self.unstored
            .put_slice(&self.byte_order.arrange(big_endian));
    }
}

/// Shows how much is in it; never what.
impl<T> fmt::Debug for DataWriter<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("DataWriter")
            .field("unstored_buffer_length", &self.unstored_buffer_length())
            .field("byte_order", &self.byte_order)
            .field("unicode_encoding", &self.unicode_encoding)
            .finish_non_exhaustive()
    }
}

/// A writer that is used again and again keeps so much memory between stores.
const KEPT_MEMORY: usize = 64 * 1024;
