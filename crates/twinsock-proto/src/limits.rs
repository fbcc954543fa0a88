//! Every limit on size and time.

use std::time::Duration;

/// Whether messages are handed out whole or in parts (`MessageWebSocketReceiveMode` in UWP).
///
/// ```
/// assert_eq!(twinsock_proto::ReceiveMode::default(), twinsock_proto::ReceiveMode::FullMessage);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ReceiveMode {
    /// Each message once it is all there, at most
    /// [`max_message_size`](Limits::max_message_size) bytes.
    #[default]
    FullMessage,
    /// What has come of a message, before the rest is there: nothing is collected, and messages
    /// of any size may come. A part of a text ends between two characters.
    PartialMessage,
}

/// What happens when the peer begins a text message.
///
/// ```
/// assert_eq!(twinsock_proto::TextPolicy::default(), twinsock_proto::TextPolicy::Accept);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum TextPolicy {
    /// It is received, and must be UTF-8.
    #[default]
    Accept,
    /// It fails the connection with 1003: bytes are expected (RFC 6455 §7.4.1).
    Refuse,
}

/// How much a connection may hold.
///
/// Each limit bounds what a peer can make this endpoint keep in memory.
///
/// ```
/// use twinsock_proto::Limits;
///
/// let limits = Limits { max_message_size: Some(1 << 20), ..Limits::default() };
/// assert_eq!(limits.send_queue_size, 64 * 1024);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The largest message received, in bytes, all fragments together; 64 MiB by default, `None`
    /// for no limit.
    ///
    /// Without it a peer can have this endpoint collect fragments until memory is gone.
    pub max_message_size: Option<u64>,
    /// How many bytes may wait to be sent before there is no more room; 64 KiB by default.
    ///
    /// A message is queued whole, so at most this much and one message wait. Without it a peer
    /// that does not read makes the queue grow for ever.
    pub send_queue_size: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_message_size: Some(64 << 20),
            send_queue_size: 64 << 10,
        }
    }
}

/// How long a connection waits before it acts or gives up; `None` turns a timer off.
///
/// ```
/// use std::time::Duration;
///
/// use twinsock_proto::Timing;
///
/// let timing = Timing { keep_alive: None, ..Timing::default() };
/// assert_eq!(timing.close, Some(Duration::from_secs(10)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// After how long without a byte from the peer a Ping is sent; 20 s by default.
    ///
    /// Without it a peer that vanished is never noticed by an endpoint that only listens.
    pub keep_alive: Option<Duration>,
    /// How long that Ping may stay without an answer or any other byte; 20 s by default.
    pub pong: Option<Duration>,
    /// How often a Pong goes out that nobody asked for (RFC 6455 §5.5.3), as long as the
    /// connection is open; off by default, and at least 1 s.
    ///
    /// It keeps what lies between the peers from forgetting the connection and asks for no
    /// answer, so it proves nothing: whether the peer is there, a Ping finds out.
    pub unsolicited_pong: Option<Duration>,
    /// How long the peer's Close, and then the end of the stream, is awaited; 10 s by default.
    ///
    /// While our Close waits behind other bytes and these go out, the time begins anew.
    /// Without it a peer that never answers holds the connection for ever.
    pub close: Option<Duration>,
    /// How long bytes that wait to be sent may make no progress; 30 s by default.
    pub send: Option<Duration>,
    /// How long a message under way may make no progress; 30 s by default.
    ///
    /// Without it a peer can hold memory by beginning messages and never ending them.
    pub receive: Option<Duration>,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            keep_alive: Some(Duration::from_secs(20)),
            pong: Some(Duration::from_secs(20)),
            unsolicited_pong: None,
            close: Some(Duration::from_secs(10)),
            send: Some(Duration::from_secs(30)),
            receive: Some(Duration::from_secs(30)),
        }
    }
}
