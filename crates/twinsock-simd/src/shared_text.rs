//! Text that was checked once, in memory that may be shared.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::str::Utf8Error;

use bytes::Bytes;

use crate::utf8::from_utf8;

/// Text in shared memory: cloning it copies nothing, and it is never checked again.
///
/// Made from a `String`, from checked [`Bytes`] and by [`from_static`](Self::from_static) without a
/// copy; from a `&str` by one.
///
/// ```
/// use twinsock_simd::SharedText;
///
/// let text = SharedText::from(String::from("schön"));
/// assert_eq!(text.clone().as_str().as_ptr(), text.as_str().as_ptr());
/// assert!(text.ends_with("ön"));
/// ```
// The bytes are UTF-8: each way to make one starts from text or checks, and none changes it.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct SharedText(Bytes);

impl SharedText {
    /// Text that lives as long as the program; nothing is copied.
    ///
    /// ```
    /// const HELLO: twinsock_simd::SharedText = twinsock_simd::SharedText::from_static("hello");
    /// assert_eq!(HELLO.as_str(), "hello");
    /// ```
    #[must_use]
    pub const fn from_static(text: &'static str) -> Self {
        Self(Bytes::from_static(text.as_bytes()))
    }

    /// The text.
    ///
    /// ```
    /// assert_eq!(twinsock_simd::SharedText::default().as_str(), "");
    /// ```
    #[inline]
    #[must_use]
    pub fn as_str(&self) -> &str {
        // SAFETY: the field is private, and whatever makes a value of this type puts UTF-8 there.
        unsafe { str::from_utf8_unchecked(&self.0) }
    }
}

impl Deref for SharedText {
    type Target = str;

    #[inline]
    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl Hash for SharedText {
    /// As its text hashes.
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl fmt::Debug for SharedText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), formatter)
    }
}

impl fmt::Display for SharedText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.as_str(), formatter)
    }
}

impl From<String> for SharedText {
    #[inline]
    fn from(text: String) -> Self {
        Self(Bytes::from(text))
    }
}

impl From<&str> for SharedText {
    #[inline]
    fn from(text: &str) -> Self {
        Self(Bytes::copy_from_slice(text.as_bytes()))
    }
}

impl From<SharedText> for Bytes {
    #[inline]
    fn from(text: SharedText) -> Self {
        text.0
    }
}

impl TryFrom<Bytes> for SharedText {
    type Error = Utf8Error;

    /// Checks the bytes and takes them over without a copy.
    fn try_from(bytes: Bytes) -> Result<Self, Utf8Error> {
        // The standard library is slower with long text, but says where it failed.
        if bytes.len() < LONG || from_utf8(&bytes).is_err() {
            str::from_utf8(&bytes)?;
        }
        Ok(Self(bytes))
    }
}

/// From so many bytes on, the vectors' start is earned back.
const LONG: usize = 128;
