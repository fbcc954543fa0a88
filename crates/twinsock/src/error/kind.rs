//! Whose fault an error is.

use twinsock_proto::CloseCode;

use crate::timeout::Timeout;
use crate::web_error_status::WebErrorStatus;

/// Whose fault an [`Error`] is, and of what sort.
///
/// ```
/// use twinsock::{ErrorKind, Timeout};
///
/// assert_ne!(ErrorKind::Timeout(Timeout::Connect), ErrorKind::Timeout(Timeout::Close));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The caller passed something that cannot be: an address, a header, a close code.
    InvalidArgument,
    /// The caller used a socket that is closing or closed.
    Closed,
    /// The caller did something that does not fit what the socket is doing: another message in
    /// the middle of one, receiving beside a handler for received messages, handlers for a socket
    /// that has some.
    IllegalCall,
    /// The peer closed a stream with a code that is no orderly end, see
    /// [`Error::close_reason`].
    ClosedByPeer(CloseCode),
    /// This end gave the connection up: a message was not finished, a handler panicked, or
    /// the application aborted the connection.
    Aborted,
    /// The host's name has no address.
    NameNotResolved,
    /// No address of the host could be connected to.
    CannotConnect,
    /// The server's certificate was not accepted, see [`Error::certificate_errors`], or the
    /// application itself rejected it.
    CertificateRejected,
    /// No TLS could be agreed on, for another reason than the server's certificate: the server
    /// speaks none, wants a client certificate, knows no common version.
    TlsFailed,
    /// The proxy made no connection to the server, or did not speak the protocol of a proxy; see
    /// [`Error::response`].
    ProxyFailed,
    /// The proxy wants credentials, or other ones.
    ProxyAuthenticationRequired,
    /// The server answered the opening handshake with another status than 101; see
    /// [`Error::response`].
    HandshakeRefused,
    /// A redirect could not be followed, or may not be; see [`Error::response`].
    RedirectFailed(RedirectFault),
    /// The peer's part of the opening handshake broke the rules, or this server turned the
    /// client away because of them.
    InvalidHandshake,
    /// The peer broke the protocol (RFC 6455 §7.1.7).
    ProtocolViolation,
    /// The peer sent a message above the limit.
    MessageTooBig,
    /// Something was not done in time.
    Timeout(Timeout),
    /// The connection broke without a closing handshake.
    ConnectionLost,
    /// The system failed: no randomness, no descriptor, no socket.
    System,
}

/// Why a redirect was not followed.
///
/// ```
/// use twinsock::{ErrorKind, RedirectFault};
///
/// let kind = ErrorKind::RedirectFailed(RedirectFault::ToPlain);
/// assert_ne!(kind, ErrorKind::RedirectFailed(RedirectFault::TooMany));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RedirectFault {
    /// There were more than the policy follows.
    TooMany,
    /// It led from `wss` to `ws`, which is never followed.
    ToPlain,
    /// It led from `ws` to `wss`, and the policy does not allow another origin.
    ToSecure,
    /// It led to another host or port, and the policy does not allow another origin.
    OtherOrigin,
    /// It had no `Location`, or one that is no WebSocket address.
    InvalidLocation,
}

impl RedirectFault {
    pub(crate) fn status(self) -> WebErrorStatus {
        match self {
            Self::ToPlain => WebErrorStatus::HttpsToHttpOnRedirection,
            Self::ToSecure => WebErrorStatus::HttpToHttpsOnRedirection,
            Self::TooMany | Self::OtherOrigin | Self::InvalidLocation => {
                WebErrorStatus::RedirectFailed
            }
        }
    }
}
