//! Whole messages: lent, owned, and the text that they carry.

use std::fmt;
use std::ops::Deref;

use bytes::Bytes;
use twinsock_simd::{SharedText, TextBuffer};

use crate::receive::assembly::BinaryAssembly;

/// Whether a message is text or binary (RFC 6455 §5.6; `SocketMessageType` in UWP).
///
/// ```
/// use twinsock_proto::{Message, MessageType};
///
/// assert_eq!(Message::from("hello").message_type(), MessageType::Text);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MessageType {
    /// Bytes.
    Binary,
    /// Text in UTF-8.
    Text,
}

/// Text that is known to be UTF-8, in shared memory: cloning it copies nothing.
///
/// Made from a `String`, and by [`from_static`](Self::from_static), without a copy; from a `&str`
/// by one.
///
/// ```
/// use twinsock_proto::Utf8Bytes;
///
/// let text = Utf8Bytes::from(String::from("schön"));
/// assert_eq!(text.len(), 6);
/// assert!(text.ends_with("ön"));
/// ```
#[derive(Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Utf8Bytes(SharedText);

impl Utf8Bytes {
    /// Text that lives as long as the program; nothing is copied.
    #[must_use]
    pub const fn from_static(text: &'static str) -> Self {
        Self(SharedText::from_static(text))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Deref for Utf8Bytes {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for Utf8Bytes {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Utf8Bytes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(formatter)
    }
}

impl fmt::Display for Utf8Bytes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(formatter)
    }
}

impl PartialEq<str> for Utf8Bytes {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for Utf8Bytes {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl From<String> for Utf8Bytes {
    fn from(text: String) -> Self {
        Self(SharedText::from(text))
    }
}

impl From<&str> for Utf8Bytes {
    fn from(text: &str) -> Self {
        Self(SharedText::from(text))
    }
}

impl From<Utf8Bytes> for Bytes {
    fn from(text: Utf8Bytes) -> Self {
        text.0.into()
    }
}

impl From<Utf8Bytes> for String {
    fn from(text: Utf8Bytes) -> Self {
        Self::from(text.as_str())
    }
}

impl TryFrom<Bytes> for Utf8Bytes {
    type Error = std::str::Utf8Error;

    /// Checks the bytes and takes them over without a copy.
    fn try_from(bytes: Bytes) -> Result<Self, Self::Error> {
        SharedText::try_from(bytes).map(Self)
    }
}

/// A whole message, owned.
///
/// Cloning shares the payload; sending one that nobody else holds copies nothing.
///
/// ```
/// use twinsock_proto::Message;
///
/// match Message::from("hello") {
///     Message::Text(text) => assert_eq!(text, "hello"),
///     Message::Binary(bytes) => panic!("{bytes:?}"),
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Message {
    /// Text.
    Text(Utf8Bytes),
    /// Bytes.
    Binary(Bytes),
}

impl Message {
    /// Text or binary.
    #[must_use]
    pub fn message_type(&self) -> MessageType {
        match self {
            Self::Text(_) => MessageType::Text,
            Self::Binary(_) => MessageType::Binary,
        }
    }

    /// The payload, whatever its type.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Binary(bytes) => bytes,
        }
    }

    /// The text; `None` for a binary message.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Binary(_) => None,
        }
    }

    /// The payload, whatever its type, without a copy.
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        match self {
            Self::Text(text) => text.into(),
            Self::Binary(bytes) => bytes,
        }
    }

    /// How many bytes the payload has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.as_bytes().len()
    }

    /// Whether the payload is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.as_bytes().is_empty()
    }
}

impl From<Utf8Bytes> for Message {
    fn from(text: Utf8Bytes) -> Self {
        Self::Text(text)
    }
}

impl From<String> for Message {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl From<&str> for Message {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<Bytes> for Message {
    fn from(bytes: Bytes) -> Self {
        Self::Binary(bytes)
    }
}

impl From<Vec<u8>> for Message {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Binary(bytes.into())
    }
}

impl From<&[u8]> for Message {
    fn from(bytes: &[u8]) -> Self {
        Self::Binary(Bytes::copy_from_slice(bytes))
    }
}

/// A message, or a part of one, lent: it stands in the connection's own memory.
///
/// It lives until the connection is used again; [`into_owned`](Self::into_owned) keeps it.
///
/// ```
/// # use std::time::Instant;
/// # use bytes::BufMut;
/// use twinsock_proto::{Connection, Event, Role, Settings};
///
/// let mut client = Connection::new(Role::Client, Settings::default(), [0; 32], Instant::now());
/// client.receive_memory().put_slice(b"\x81\x05hello");
/// client.handle_received(Instant::now());
/// let Some(Event::MessageReceived(message)) = client.poll_event() else { panic!() };
/// assert_eq!(message.as_text(), Some("hello"));
/// ```
#[derive(Debug)]
pub struct MessageRef<'a> {
    pub(crate) lent: Lent<'a>,
    pub(crate) completeness: Completeness,
}

/// Whether a message is all there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Completeness {
    Complete,
    Partial,
}

/// Where a lent message stands.
#[derive(Debug)]
pub(crate) enum Lent<'a> {
    /// A single frame, in the memory that was read into.
    Text(&'a str),
    /// The same for bytes.
    Binary(&'a [u8]),
    /// Put together from parts in memory of its own, which the message may take along.
    AssembledText(&'a mut TextBuffer),
    /// The same for bytes.
    AssembledBinary(&'a mut BinaryAssembly),
    /// A message that is somebody's own.
    Owned(&'a mut Message),
}

impl<'a> From<&'a mut Message> for MessageRef<'a> {
    /// Lends a message that is owned; [`into_owned`](Self::into_owned) takes it and leaves an
    /// empty one.
    fn from(message: &'a mut Message) -> Self {
        Self {
            lent: Lent::Owned(message),
            completeness: Completeness::Complete,
        }
    }
}

impl MessageRef<'_> {
    /// Whether the message ends here; always so unless parts are asked for with
    /// [`ReceiveMode::PartialMessage`](crate::ReceiveMode) (`IsMessageComplete` in UWP).
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.completeness == Completeness::Complete
    }

    /// Text or binary.
    #[must_use]
    pub fn message_type(&self) -> MessageType {
        match &self.lent {
            Lent::Text(_) | Lent::AssembledText(_) => MessageType::Text,
            Lent::Binary(_) | Lent::AssembledBinary(_) => MessageType::Binary,
            Lent::Owned(message) => message.message_type(),
        }
    }

    /// The payload, whatever its type.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match &self.lent {
            Lent::Text(text) => text.as_bytes(),
            Lent::AssembledText(text) => text.as_str().as_bytes(),
            Lent::Binary(bytes) => bytes,
            Lent::AssembledBinary(bytes) => bytes.as_bytes(),
            Lent::Owned(message) => message.as_bytes(),
        }
    }

    /// The text; `None` for a binary message.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match &self.lent {
            Lent::Text(text) => Some(text),
            Lent::AssembledText(text) => Some(text.as_str()),
            Lent::Binary(_) | Lent::AssembledBinary(_) => None,
            Lent::Owned(message) => message.as_text(),
        }
    }

    /// A message that may be kept.
    ///
    /// A message that came in one read is copied, so that keeping 16 bytes keeps 16 bytes; one
    /// that was put together from several reads takes its memory along.
    #[must_use]
    pub fn into_owned(self) -> Message {
        match self.lent {
            Lent::Text(text) => Message::from(text),
            Lent::Binary(bytes) => Message::from(bytes),
            Lent::AssembledText(text) => Message::from(text.take_text()),
            Lent::AssembledBinary(bytes) => Message::from(bytes.take()),
            Lent::Owned(message) => std::mem::replace(message, Message::Binary(Bytes::new())),
        }
    }
}
