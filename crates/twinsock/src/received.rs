//! What a message socket received.

use std::io::Cursor;

use bytes::Bytes;
use twinsock_proto::{Connection, Event, Message, MessageType};

use crate::data::DataReader;

/// A message, or a part of one (`MessageWebSocketMessageReceivedEventArgs` in UWP).
///
/// ```
/// # async fn run(socket: twinsock::MessageWebSocket) -> Result<(), twinsock::Error> {
/// while let Some(part) = socket.receive_part().await? {
///     println!("{} bytes", part.len());
///     if part.is_complete() {
///         println!("and that was the message");
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    content: Message,
    completeness: Completeness,
}

/// Whether a message ends here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Completeness {
    Complete,
    Partial,
}

/// In which form the application gets what came.
pub(crate) trait Handed: Sized {
    /// The next message or part; `None` when none is here.
    fn take(connection: &mut Connection) -> Option<Self>;

    /// A message that was taken out of the connection before.
    fn whole(message: Message) -> Self;
}

impl Handed for Message {
    #[inline]
    fn take(connection: &mut Connection) -> Option<Self> {
        connection.poll_message()
    }

    fn whole(message: Message) -> Self {
        message
    }
}

impl Handed for Received {
    fn take(connection: &mut Connection) -> Option<Self> {
        let Some(Event::MessageReceived(message)) = connection.poll_event() else {
            return None;
        };
        let completeness = match message.is_complete() {
            true => Completeness::Complete,
            false => Completeness::Partial,
        };
        Some(Self {
            content: message.into_owned(),
            completeness,
        })
    }

    fn whole(message: Message) -> Self {
        Self {
            content: message,
            completeness: Completeness::Complete,
        }
    }
}

impl Received {
    /// Text or binary (`MessageType` in UWP).
    #[must_use]
    pub fn message_type(&self) -> MessageType {
        self.content.message_type()
    }

    /// Whether the message ends here (`IsMessageComplete` in UWP); always so where whole messages
    /// are received.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.completeness == Completeness::Complete
    }

    /// The bytes; none in an empty message, or where only the end of a message came.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.content.as_bytes()
    }

    /// The text, of a text message; a part of one ends between two characters.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        self.content.as_text()
    }

    /// How many bytes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.content.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.content.is_empty()
    }

    /// The content, without a copy; of a part only what came with it.
    #[must_use]
    pub fn into_message(self) -> Message {
        self.content
    }

    /// The bytes, without a copy.
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        self.content.into_bytes()
    }

    /// A reader of the bytes, all at hand (`GetDataReader` in UWP).
    #[must_use]
    pub fn into_reader(self) -> DataReader {
        DataReader::from_bytes(self.into_bytes())
    }

    /// The bytes as a stream to read from (`GetDataStream` in UWP).
    #[must_use]
    pub fn into_stream(self) -> Cursor<Bytes> {
        Cursor::new(self.into_bytes())
    }
}
