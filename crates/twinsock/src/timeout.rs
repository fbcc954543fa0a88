//! How long is waited, and which wait ran out.

use std::fmt;
use std::time::Duration;

use twinsock_proto::Timing;

/// How long a socket waits before it gives up.
///
/// The defaults are those of the Universal Windows Platform where it has one: 60 s for each
/// address, of at most five; 30 s without progress in sending and receiving. There they are
/// fixed; here each can be set. For a shorter wait in connecting alone there is also
/// [`tokio::time::timeout`]: dropping the future of a `connect` cancels it.
///
/// ```
/// use std::time::Duration;
///
/// use twinsock::Timeouts;
///
/// let timeouts = Timeouts { connect: Duration::from_secs(5), ..Timeouts::default() };
/// assert_eq!(timeouts.close, Duration::from_secs(10));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// A client: finding the addresses of a name; 60 s by default.
    pub resolve: Duration,
    /// A client: reaching one address; 60 s by default.
    ///
    /// Five addresses of a name are tried by default, see
    /// [`max_addresses`](crate::MessageWebSocketBuilder::max_addresses), each one begun a little
    /// after the one before: at the worst they take little more than a minute together.
    pub connect: Duration,
    /// A client: having a proxy make the connection; 60 s by default.
    pub proxy: Duration,
    /// A client: agreeing on TLS, with the server or with a proxy, and the application's own check
    /// of the certificate; 60 s by default.
    pub tls: Duration,
    /// A client: the opening handshake; 60 s by default.
    pub handshake: Duration,
    /// A client: all of connecting, name resolution included; `None` for no limit, the default.
    pub overall: Option<Duration>,
    /// A server: TLS with the client, again the whole of its request, and again the sending of the
    /// answer; 10 s by default.
    ///
    /// Without it a client that sends one byte a minute holds a connection for ever.
    pub accept: Duration,
    /// The peer's Close frame, and then the end of its stream; 10 s by default. Afterwards the
    /// connection is dropped.
    pub close: Duration,
    /// Silence of the peer before it is sent a Ping; 20 s by default, `None` for no Pings.
    pub keep_alive: Option<Duration>,
    /// The answer to such a Ping, or any other byte; 20 s by default, `None` for no limit.
    pub pong: Option<Duration>,
    /// Progress of bytes that wait to be sent; 30 s by default, `None` for no limit.
    ///
    /// On Linux and Android it covers the bytes that the system holds as well
    /// (`TCP_USER_TIMEOUT`), on connections that this library has made or accepted: when the peer
    /// has vanished, or takes none of them, the connection fails after this time
    /// ([`Timeout::Send`]). Elsewhere the system has limits of its own, of many minutes.
    pub send: Option<Duration>,
    /// Progress of a message that the peer has begun; 30 s by default, `None` for no limit.
    ///
    /// An idle connection is no failure: this runs only while a message is under way.
    pub receive: Option<Duration>,
}

/// How long each step of connecting may take: as long as an address may in UWP.
const STEP: Duration = Duration::from_secs(60);

impl Default for Timeouts {
    fn default() -> Self {
        let Timing {
            keep_alive,
            pong,
            send,
            receive,
            ..
        } = Timing::default();
        Self {
            resolve: STEP,
            connect: STEP,
            proxy: STEP,
            tls: STEP,
            handshake: STEP,
            overall: None,
            accept: Duration::from_secs(10),
            close: Duration::from_secs(10),
            keep_alive,
            pong,
            send,
            receive,
        }
    }
}

impl From<Timeouts> for Timing {
    fn from(timeouts: Timeouts) -> Self {
        let Timeouts {
            close,
            keep_alive,
            pong,
            send,
            receive,
            ..
        } = timeouts;
        Self {
            keep_alive,
            pong,
            // No wait: it has a setting of its own.
            unsolicited_pong: None,
            close: Some(close),
            send,
            receive,
        }
    }
}

/// Which wait ran out.
///
/// ```
/// use twinsock::Timeout;
///
/// assert_eq!(Timeout::Close.to_string(), "the peer did not answer our Close frame in time");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Timeout {
    /// [`Timeouts::resolve`] or [`Timeouts::overall`], while the name was resolved.
    Resolve,
    /// [`Timeouts::connect`] or [`Timeouts::overall`], before a connection stood.
    Connect,
    /// [`Timeouts::proxy`] or [`Timeouts::overall`], while the proxy made its connection.
    Proxy,
    /// [`Timeouts::tls`], [`Timeouts::overall`] or [`Timeouts::accept`], before TLS was agreed on.
    Tls,
    /// [`Timeouts::handshake`], [`Timeouts::overall`] or [`Timeouts::accept`], during the opening
    /// handshake.
    Handshake,
    /// [`Timeouts::send`].
    Send,
    /// [`Timeouts::receive`].
    Receive,
    /// [`Timeouts::pong`].
    Pong,
    /// [`Timeouts::close`].
    Close,
}

impl fmt::Display for Timeout {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Resolve => "the name was not resolved in time",
            Self::Connect => "no connection in time",
            Self::Proxy => "the proxy made no connection in time",
            Self::Tls => "no TLS in time",
            Self::Handshake => "no opening handshake in time",
            Self::Send => "the peer took no bytes in time",
            Self::Receive => "the peer did not go on with its message in time",
            Self::Pong => "the peer did not answer a ping in time",
            Self::Close => "the peer did not answer our Close frame in time",
        })
    }
}
