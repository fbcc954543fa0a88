//! Text that arrives in pieces.

use std::fmt;
use std::mem;

use crate::level::Level;
use crate::mask::append_masked_with;
use crate::utf8::{InvalidUtf8, copy_whole_characters};

/// Puts text together from pieces that may be cut anywhere, also inside a character, and checks
/// it as it arrives.
///
/// The first byte that cannot belong to UTF-8 is reported when it arrives, not at the end (RFC
/// 6455 §8.1): so is a character's beginning that nothing could finish, as F4 90 (above
/// U+10FFFF) or ED A0 (a surrogate).
///
/// After an error the text that was checked before is still there, and some bytes of the piece
/// that made it: nothing can be [appended](Self::append) behind them, and
/// [`finish`](Self::finish) fails too. `Debug` shows sizes only.
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
    /// Text, then the bytes of a cut character, then, after an error, bytes that do not count.
    /// The methods of this module keep `text <= sound <= bytes.len()`.
    bytes: Vec<u8>,
    /// How many bytes are text.
    text: usize,
    /// How many bytes are text or a cut character's.
    sound: usize,
}

impl TextBuffer {
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

    /// Takes the next piece: copies, unmasks and checks it in one pass.
    ///
    /// `key[0]` belongs to its first byte; `None`: it is not masked. Memory grows as
    /// [`Vec::reserve`] does it, at most once.
    ///
    /// # Errors
    ///
    /// If something cannot belong to UTF-8, in this piece or in one before. A character may be cut
    /// at the end.
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
        if self.is_broken() {
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

    /// The text that was checked: all that came, but for a cut character.
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

    /// How many bytes came and were not taken, with a cut character's.
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
    /// If a character is cut, or a piece was not UTF-8.
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

    /// Takes the text that was checked, with its memory; a cut character stays.
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
        self.sound -= self.text;
        self.text = 0;
        let text = mem::replace(&mut self.bytes, rest);
        // SAFETY: these are the first `text` bytes, which grow only by what was found to be
        // whole characters.
        unsafe { String::from_utf8_unchecked(text) }
    }

    #[inline]
    fn is_cut(&self) -> bool {
        self.text < self.sound
    }

    /// Whether a piece was not UTF-8.
    #[inline]
    fn is_broken(&self) -> bool {
        self.sound < self.bytes.len()
    }

    /// How many bytes the cut character needs.
    fn missing(&self) -> usize {
        let cut = &self.bytes[self.text..self.sound];
        let length = match cut.first() {
            Some(0xF0..) => 4,
            Some(0xE0..) => 3,
            _ => 2,
        };
        length - cut.len()
    }

    /// The next `length` bytes are the cut character's.
    fn finish_character(&mut self, length: usize) -> Result<(), InvalidUtf8> {
        let end = self.sound + length;
        match str::from_utf8(&self.bytes[self.text..end]) {
            Ok(_) => self.text = end,
            // No error length: these bytes may begin a character.
            Err(error) if error.error_len().is_none() => {}
            Err(_) => return Err(InvalidUtf8),
        }
        self.sound = end;
        Ok(())
    }

    /// All bytes that came are sound, and `whole` of the new ones are whole characters.
    ///
    /// Where no new ones are left, a character that is still cut stays so.
    #[inline]
    fn found(&mut self, whole: usize) {
        if !self.is_cut() {
            self.text += whole;
            self.sound = self.bytes.len();
        }
    }
}

impl fmt::Debug for TextBuffer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("TextBuffer")
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}
