//! Text that arrives in pieces.

use std::fmt;
use std::mem;

use bytes::BufMut;
use bytes::buf::UninitSlice;

use crate::level::Level;
use crate::mask::{append_masked_with, mask_with};
use crate::utf8::{InvalidUtf8, copy_whole_characters, unmask_whole_characters, whole_characters};

/// Puts text together from pieces that may be cut anywhere, also inside a character, and checks
/// it as it arrives.
///
/// The first byte that cannot belong to UTF-8 is reported when it arrives, not at the end (RFC
/// 6455 §8.1): so is a character's beginning that nothing could finish, as F4 90 (above
/// U+10FFFF) or ED A0 (a surrogate).
///
/// A piece comes in one of two ways: [`append`](Self::append) copies it;
/// [`room`](Self::room) lends memory to read it into, and [`check_new`](Self::check_new) then
/// looks at it where it stands.
///
/// After an error the text that was checked before is still there. Behind it are bytes that count
/// as not looked at, so that [`finish`](Self::finish) fails too; how many and which is not
/// specified. `Debug` shows sizes only.
///
/// ```
/// use twinsock_simd::TextBuffer;
///
/// let mut buffer = TextBuffer::default();
/// let (first, second) = "naïve".as_bytes().split_at(3); // inside the ï
/// buffer.append(first, None)?;
/// assert_eq!(buffer.as_str(), "na");
/// buffer.append(second, None)?;
/// buffer.finish()?;
/// assert_eq!(buffer.take_text(), "naïve");
/// # Ok::<(), twinsock_simd::InvalidUtf8>(())
/// ```
#[derive(Default)]
pub struct TextBuffer {
    /// Text, then the bytes of a cut character, then what was not looked at. The methods of this
    /// module keep `text <= looked_at <= bytes.len()`.
    bytes: Vec<u8>,
    /// How many bytes are text.
    text: usize,
    /// How many bytes are text or a cut character's.
    looked_at: usize,
}

impl TextBuffer {
    /// Lends memory for at most `wanted` more bytes, which are to be
    /// [checked](Self::check_new) next.
    ///
    /// It is what is reserved already, so it may be less than `wanted`, or nothing: see
    /// [`reserve_exact`](Self::reserve_exact).
    ///
    /// ```
    /// use bytes::BufMut;
    /// use twinsock_simd::TextBuffer;
    ///
    /// let mut buffer = TextBuffer::default();
    /// buffer.reserve_exact(16);
    /// buffer.room(5).put_slice(b"Hello");
    /// assert_eq!(buffer.unchecked(), 5);
    /// buffer.check_new(None)?;
    /// assert_eq!(buffer.as_str(), "Hello");
    /// # Ok::<(), twinsock_simd::InvalidUtf8>(())
    /// ```
    #[inline]
    pub fn room(&mut self, wanted: usize) -> Room<'_> {
        let left = wanted.min(self.bytes.capacity() - self.bytes.len());
        Room {
            bytes: &mut self.bytes,
            left,
        }
    }

    /// Reserves memory for at least `additional` more bytes, as [`Vec::reserve_exact`] does.
    ///
    /// ```
    /// let mut buffer = twinsock_simd::TextBuffer::default();
    /// buffer.reserve_exact(100);
    /// assert!(buffer.capacity() >= 100);
    /// ```
    #[inline]
    pub fn reserve_exact(&mut self, additional: usize) {
        self.bytes.reserve_exact(additional);
    }

    /// How many bytes fit without more memory, with those that came.
    ///
    /// ```
    /// assert_eq!(twinsock_simd::TextBuffer::default().capacity(), 0);
    /// ```
    #[inline]
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    /// How many bytes came through [`room`](Self::room) and were not looked at yet.
    ///
    /// ```
    /// assert_eq!(twinsock_simd::TextBuffer::default().unchecked(), 0);
    /// ```
    #[inline]
    #[must_use]
    pub fn unchecked(&self) -> usize {
        self.bytes.len() - self.looked_at
    }

    /// Unmasks and checks what came through [`room`](Self::room), where it stands, in one pass.
    ///
    /// `key[0]` belongs to the first of these bytes; `None`: they are not masked.
    ///
    /// # Errors
    ///
    /// If something cannot belong to UTF-8. A character may be cut at the end.
    ///
    /// ```
    /// use bytes::BufMut;
    /// use twinsock_simd::TextBuffer;
    ///
    /// let mut buffer = TextBuffer::default();
    /// buffer.reserve_exact(5);
    /// buffer.room(5).put_slice(&[0x7f, 0x9f, 0x4d, 0x51, 0x58]);
    /// buffer.check_new(Some([0x37, 0xfa, 0x21, 0x3d]))?;
    /// assert_eq!(buffer.as_str(), "Hello");
    /// # Ok::<(), twinsock_simd::InvalidUtf8>(())
    /// ```
    #[inline]
    pub fn check_new(&mut self, key: Option<[u8; 4]>) -> Result<(), InvalidUtf8> {
        self.check_new_with(Level::current(), key)
    }

    #[inline]
    pub(crate) fn check_new_with(
        &mut self,
        level: Level,
        mut key: Option<[u8; 4]>,
    ) -> Result<(), InvalidUtf8> {
        if self.is_cut() {
            let length = self.missing().min(self.unchecked());
            let new = &mut self.bytes[self.looked_at..][..length];
            if let Some(key) = &mut key {
                mask_with(level, new, *key);
                key.rotate_left(length % 4);
            }
            self.finish_character(length)?;
        }
        let new = &mut self.bytes[self.looked_at..];
        let whole = match key {
            Some(key) => unmask_whole_characters(level, new, key)?,
            None => whole_characters(level, new)?,
        };
        self.found(whole);
        Ok(())
    }

    /// Takes the next piece: copies, unmasks and checks it in one pass.
    ///
    /// `key[0]` belongs to its first byte; `None`: it is not masked. Memory grows as
    /// [`Vec::reserve`] does it, at most once.
    ///
    /// # Errors
    ///
    /// If something cannot belong to UTF-8. A character may be cut at the end. Also if bytes that
    /// came through [`room`](Self::room) were not [checked](Self::check_new) before.
    ///
    /// ```
    /// let mut buffer = twinsock_simd::TextBuffer::default();
    /// let payload = [0x7f, 0x9f, 0x4d, 0x51, 0x58];
    /// buffer.append(&payload, Some([0x37, 0xfa, 0x21, 0x3d]))?;
    /// assert_eq!(buffer.as_str(), "Hello");
    /// assert!(buffer.append(b"\xED\xA0", None).is_err());
    /// # Ok::<(), twinsock_simd::InvalidUtf8>(())
    /// ```
    #[inline]
    pub fn append(&mut self, piece: &[u8], key: Option<[u8; 4]>) -> Result<(), InvalidUtf8> {
        self.append_with(Level::current(), piece, key.unwrap_or_default())
    }

    /// [`append`](Self::append); a key of zeros leaves the bytes as they are.
    #[inline]
    pub(crate) fn append_with(
        &mut self,
        level: Level,
        mut piece: &[u8],
        mut key: [u8; 4],
    ) -> Result<(), InvalidUtf8> {
        if self.unchecked() > 0 {
            return Err(InvalidUtf8);
        }
        self.bytes.reserve(piece.len());
        if self.is_cut() {
            let (new, rest) = piece.split_at(self.missing().min(piece.len()));
            append_masked_with(level, &mut self.bytes, new, key);
            self.finish_character(new.len())?;
            key.rotate_left(new.len() % 4);
            piece = rest;
        }
        let (room, _) = self.bytes.spare_capacity_mut().split_at_mut(piece.len());
        let whole = copy_whole_characters(level, piece, room, key);
        // SAFETY: the room was reserved above, and all of it is initialised, whatever was found.
        unsafe { self.bytes.set_len(self.bytes.len() + piece.len()) };
        self.found(whole?);
        Ok(())
    }

    /// The text that was checked: all that came, but for a cut character and what was not looked
    /// at.
    ///
    /// ```
    /// let mut buffer = twinsock_simd::TextBuffer::default();
    /// buffer.append(b"5 \xE2\x82", None)?;
    /// assert_eq!(buffer.as_str(), "5 ");
    /// # Ok::<(), twinsock_simd::InvalidUtf8>(())
    /// ```
    #[inline]
    #[must_use]
    pub fn as_str(&self) -> &str {
        let text = &self.bytes[..self.text];
        // SAFETY: `text` grows only by what was found to be whole characters.
        unsafe { str::from_utf8_unchecked(text) }
    }

    /// How many bytes came and were not taken, with a cut character's and those that were not
    /// looked at.
    ///
    /// ```
    /// let mut buffer = twinsock_simd::TextBuffer::default();
    /// buffer.append(b"5 \xE2\x82", None)?;
    /// assert_eq!(buffer.len(), 4);
    /// # Ok::<(), twinsock_simd::InvalidUtf8>(())
    /// ```
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether nothing came, or all of it was taken.
    ///
    /// ```
    /// assert!(twinsock_simd::TextBuffer::default().is_empty());
    /// ```
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The text has ended: so must its last character.
    ///
    /// # Errors
    ///
    /// If a character is cut, or bytes were not looked at.
    ///
    /// ```
    /// let mut buffer = twinsock_simd::TextBuffer::default();
    /// buffer.append(b"\xE2\x82", None)?;
    /// assert!(buffer.finish().is_err());
    /// buffer.append(b"\xAC", None)?;
    /// assert!(buffer.finish().is_ok());
    /// # Ok::<(), twinsock_simd::InvalidUtf8>(())
    /// ```
    #[inline]
    pub fn finish(&self) -> Result<(), InvalidUtf8> {
        if self.text == self.bytes.len() {
            Ok(())
        } else {
            Err(InvalidUtf8)
        }
    }

    /// Takes the text that was checked, with its memory; a cut character and what was not looked
    /// at stay.
    ///
    /// ```
    /// let mut buffer = twinsock_simd::TextBuffer::default();
    /// buffer.append(b"5 \xE2\x82", None)?;
    /// assert_eq!(buffer.take_text(), "5 ");
    /// buffer.append(b"\xAC", None)?;
    /// assert_eq!(buffer.take_text(), "€");
    /// # Ok::<(), twinsock_simd::InvalidUtf8>(())
    /// ```
    #[must_use]
    pub fn take_text(&mut self) -> String {
        let rest = if self.text == self.bytes.len() {
            Vec::new()
        } else {
            self.bytes.split_off(self.text)
        };
        self.looked_at -= self.text;
        self.text = 0;
        let text = mem::replace(&mut self.bytes, rest);
        // SAFETY: these are the first `text` bytes, which grow only by what was found to be
        // whole characters.
        unsafe { String::from_utf8_unchecked(text) }
    }

    #[inline]
    fn is_cut(&self) -> bool {
        self.text < self.looked_at
    }

    /// How many bytes the cut character needs.
    fn missing(&self) -> usize {
        let cut = &self.bytes[self.text..self.looked_at];
        let length = match cut.first() {
            Some(0xF0..) => 4,
            Some(0xE0..) => 3,
            _ => 2,
        };
        length - cut.len()
    }

    /// Looks at `length` more bytes, which are the cut character's.
    fn finish_character(&mut self, length: usize) -> Result<(), InvalidUtf8> {
        let end = self.looked_at + length;
        match str::from_utf8(&self.bytes[self.text..end]) {
            Ok(_) => self.text = end,
            // No error length: these bytes may begin a character.
            Err(error) if error.error_len().is_none() => {}
            Err(_) => return Err(InvalidUtf8),
        }
        self.looked_at = end;
        Ok(())
    }

    /// All bytes that came were looked at, and `whole` of the new ones are whole characters.
    ///
    /// Where no new ones are left, a character that is still cut stays so.
    #[inline]
    fn found(&mut self, whole: usize) {
        if !self.is_cut() {
            self.text += whole;
            self.looked_at = self.bytes.len();
        }
    }
}

impl fmt::Debug for TextBuffer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("TextBuffer")
            .field("len", &self.len())
            .field("unchecked", &self.unchecked())
            .finish_non_exhaustive()
    }
}

/// Memory of a [`TextBuffer`] to read bytes into: see [`TextBuffer::room`].
///
/// It never grows: [`remaining_mut`](BufMut::remaining_mut) is what is left of it.
///
/// ```
/// use bytes::BufMut;
///
/// let mut buffer = twinsock_simd::TextBuffer::default();
/// buffer.reserve_exact(8);
/// let mut room = buffer.room(3);
/// room.put_slice(b"ab");
/// assert_eq!(room.remaining_mut(), 1);
/// ```
pub struct Room<'a> {
    bytes: &'a mut Vec<u8>,
    /// At most the vector's spare capacity.
    left: usize,
}

// SAFETY: `chunk_mut` is the vector's spare memory, `left` bytes of it, and `advance_mut` moves
// its begin by what was written.
unsafe impl BufMut for Room<'_> {
    #[inline]
    fn remaining_mut(&self) -> usize {
        self.left
    }

    #[inline]
    unsafe fn advance_mut(&mut self, count: usize) {
        assert!(count <= self.left, "advanced by {count} of {}", self.left);
        self.left -= count;
        // SAFETY: that many bytes are within the capacity, and the caller vouches that they are
        // initialised.
        unsafe { self.bytes.set_len(self.bytes.len() + count) };
    }

    #[inline]
    fn chunk_mut(&mut self) -> &mut UninitSlice {
        UninitSlice::uninit(&mut self.bytes.spare_capacity_mut()[..self.left])
    }
}

impl fmt::Debug for Room<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Room")
            .field("left", &self.left)
            .finish_non_exhaustive()
    }
}
