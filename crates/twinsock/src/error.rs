//! What can go wrong, sorted by whose fault it is.

use std::fmt;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use http::Response;
use twinsock_proto::handshake::{HandshakeError, Misuse, RequestError, SubprotocolError};
use twinsock_proto::{CloseCode, CloseReason, Failure, InvalidCloseReason, Loss, Overdue};

use crate::timeout::Timeout;
use crate::web_error_status::{WebErrorStatus, hresult};

/// Why something could not be done.
///
/// [`kind`](Self::kind) sorts errors by whose fault it is; [`source`](std::error::Error::source)
/// tells the cause beneath. Cloning is cheap: a socket that has failed gives the same error to
/// each later call.
///
/// ```
/// use twinsock::{ErrorKind, MessageWebSocket};
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
/// # runtime.block_on(async {
/// let error = MessageWebSocket::connect("http://127.0.0.1/").await.unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::InvalidArgument);
/// # });
/// ```
#[derive(Clone)]
pub struct Error(Arc<Inner>);

struct Inner {
    kind: ErrorKind,
    /// What failed, where the kind alone does not tell; else the source speaks.
    context: String,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
    response: Option<Response<Bytes>>,
    close_reason: Option<CloseReason>,
    /// How an open connection failed.
    failure: Option<Failure>,
}

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
    /// The server answered the opening handshake with another status than 101; see
    /// [`Error::response`].
    HandshakeRefused,
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

impl Error {
    /// Whose fault it is, and of what sort.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The error of a socket inside of an [`io::Error`], as a
    /// [`StreamWebSocket`](crate::StreamWebSocket) gives it; `None` for one of another origin.
    ///
    /// ```
    /// # async fn run(mut stream: twinsock::StreamWebSocket) {
    /// use tokio::io::AsyncReadExt;
    /// use twinsock::Error;
    ///
    /// if let Err(error) = stream.read_u8().await {
    ///     let status = Error::inside(&error).map(Error::status);
    ///     println!("{error}, status {status:?}");
    /// }
    /// # }
    /// ```
    #[must_use]
    pub fn inside(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }

    /// Whether something was not done in time.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        matches!(self.kind(), ErrorKind::Timeout(_))
    }

    /// Whether the socket was closing or closed.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.kind() == ErrorKind::Closed
    }

    /// The number of the Universal Windows Platform for it (`WebSocketError.GetStatus` in UWP).
    ///
    /// | [`kind`](Self::kind) | status |
    /// | --- | --- |
    /// | `InvalidArgument`, `System` | `Unknown` |
    /// | `IllegalCall` | `Unknown` |
    /// | `Closed`, `ClosedByPeer(_)` | `Disconnected` |
    /// | `Aborted` | `OperationCanceled` |
    /// | `NameNotResolved` | `HostNameNotResolved` |
    /// | `CannotConnect` | `CannotConnect` |
    /// | `HandshakeRefused` | the HTTP status, see [`WebErrorStatus::from_http`] |
    /// | `InvalidHandshake`, `ProtocolViolation` | `ErrorHttpInvalidServerResponse` |
    /// | `MessageTooBig` | `ConnectionAborted` |
    /// | `Timeout(Pong)`: the peer fell silent | `ServerUnreachable` |
    /// | any other `Timeout(_)` | `Timeout` |
    /// | `ConnectionLost` | `ConnectionReset` after a TCP reset, else `ConnectionAborted` |
    #[must_use]
    pub fn status(&self) -> WebErrorStatus {
        match self.kind() {
            ErrorKind::InvalidArgument | ErrorKind::IllegalCall | ErrorKind::System => {
                WebErrorStatus::Unknown
            }
            ErrorKind::Closed | ErrorKind::ClosedByPeer(_) => WebErrorStatus::Disconnected,
            ErrorKind::Aborted => WebErrorStatus::OperationCanceled,
            ErrorKind::NameNotResolved => WebErrorStatus::HostNameNotResolved,
            ErrorKind::CannotConnect => WebErrorStatus::CannotConnect,
            ErrorKind::HandshakeRefused => {
                let status = self
                    .response()
                    .map_or(0, |response| response.status().as_u16());
                WebErrorStatus::from_http(status)
            }
            ErrorKind::InvalidHandshake | ErrorKind::ProtocolViolation => {
                WebErrorStatus::ErrorHttpInvalidServerResponse
            }
            ErrorKind::MessageTooBig => WebErrorStatus::ConnectionAborted,
            ErrorKind::Timeout(Timeout::Pong) => WebErrorStatus::ServerUnreachable,
            ErrorKind::Timeout(_) => WebErrorStatus::Timeout,
            ErrorKind::ConnectionLost if self.is_reset() => WebErrorStatus::ConnectionReset,
            ErrorKind::ConnectionLost => WebErrorStatus::ConnectionAborted,
        }
    }

    /// The HRESULT that the Universal Windows Platform would give: that of
    /// [`status`](Self::status), but 0x80070057 (`E_INVALIDARG`) for a bad argument, 0x8000000E
    /// (`E_ILLEGAL_METHOD_CALL`) for a call that does not fit, and 0x80000013 (`RO_E_CLOSED`) for
    /// a socket that is closed.
    #[must_use]
    pub fn hresult(&self) -> i32 {
        match self.kind() {
            ErrorKind::InvalidArgument => hresult(0x8007_0057),
            ErrorKind::IllegalCall => hresult(0x8000_000E),
            ErrorKind::Closed => hresult(0x8000_0013),
            _ => self.status().hresult(),
        }
    }

    /// The server's answer to a refused opening handshake, with the first KiB of its body.
    #[must_use]
    pub fn response(&self) -> Option<&Response<Bytes>> {
        self.0.response.as_ref()
    }

    /// The Close frame of a peer that ended a stream with another code than 1000 or 1001.
    #[must_use]
    pub fn close_reason(&self) -> Option<&CloseReason> {
        self.0.close_reason.as_ref()
    }

    /// Of a connection that was lost without a reset: what the system said of it, if that was
    /// not just the end.
    fn network_error_kind(&self) -> io::ErrorKind {
        let source = self.0.source.as_ref();
        source
            .filter(|_| self.0.failure != Some(Failure::EndOfStream))
            .and_then(|source| source.downcast_ref::<Arc<io::Error>>())
            .map_or(io::ErrorKind::UnexpectedEof, |error| error.kind())
    }

    fn is_reset(&self) -> bool {
        if let Some(failure) = self.0.failure {
            return failure == Failure::Reset;
        }
        let source = self.0.source.as_ref();
        source
            .and_then(|source| source.downcast_ref::<Arc<io::Error>>())
            .is_some_and(|error| loss(error) == Loss::Reset)
    }

    pub(crate) fn new(kind: ErrorKind, context: impl Into<String>) -> Self {
        Self(Arc::new(Inner {
            kind,
            context: context.into(),
            source: None,
            response: None,
            close_reason: None,
            failure: None,
        }))
    }

    fn with_source(
        kind: ErrorKind,
        context: impl Into<String>,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        let (context, source) = (context.into(), Some(source.into()));
        Self(Arc::new(Inner {
            kind,
            context,
            source,
            response: None,
            close_reason: None,
            failure: None,
        }))
    }

    pub(crate) fn invalid_argument(context: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidArgument, context)
    }

    pub(crate) fn closed() -> Self {
        Self::new(ErrorKind::Closed, "the socket is closing or closed")
    }

    pub(crate) fn illegal_call(context: impl Into<String>) -> Self {
        Self::new(ErrorKind::IllegalCall, context)
    }

    pub(crate) fn closed_by_peer(reason: CloseReason) -> Self {
        Self(Arc::new(Inner {
            kind: ErrorKind::ClosedByPeer(reason.code()),
            context: format!("expected a Close frame with 1000 or 1001, got {reason}"),
            source: None,
            response: None,
            close_reason: Some(reason),
            failure: None,
        }))
    }

    pub(crate) fn timeout(timeout: Timeout) -> Self {
        Self::new(ErrorKind::Timeout(timeout), timeout.to_string())
    }

    pub(crate) fn name_not_resolved(host: &str, source: io::Error) -> Self {
        let context = format!("the name {host:?} was not resolved");
        Self::with_source(ErrorKind::NameNotResolved, context, source)
    }

    pub(crate) fn no_address(host: &str) -> Self {
        Self::new(
            ErrorKind::NameNotResolved,
            format!("the name {host:?} has no address"),
        )
    }

    pub(crate) fn cannot_connect(address: std::net::SocketAddr, source: io::Error) -> Self {
        Self::with_source(
            ErrorKind::CannotConnect,
            format!("no connection to {address}"),
            source,
        )
    }

    pub(crate) fn system(context: &str, source: io::Error) -> Self {
        Self::with_source(ErrorKind::System, context, source)
    }

    pub(crate) fn cannot_listen(source: io::Error) -> Self {
        let kind = match source.kind() {
            io::ErrorKind::InvalidInput => ErrorKind::InvalidArgument,
            _ => ErrorKind::System,
        };
        Self::with_source(kind, "cannot listen", source)
    }

    pub(crate) fn no_randomness(source: getrandom::Error) -> Self {
        Self::with_source(ErrorKind::System, "the system gave no randomness", source)
    }

    pub(crate) fn connection_lost(source: Arc<io::Error>) -> Self {
        Self::with_source(ErrorKind::ConnectionLost, LOST, source)
    }

    /// A connection that failed once it was open.
    pub(crate) fn failed(failure: Failure, network_error: Option<Arc<io::Error>>) -> Self {
        let (kind, context, source) = match failure {
            Failure::EndOfStream | Failure::Reset | Failure::Network => {
                let context = match &network_error {
                    Some(_) => LOST.to_owned(),
                    None => failure.to_string(),
                };
                (ErrorKind::ConnectionLost, context, network_error)
            }
            Failure::Aborted(_) => (ErrorKind::Aborted, failure.to_string(), None),
            Failure::TimedOut(overdue) => {
                let timeout = Timeout::from(overdue);
                (ErrorKind::Timeout(timeout), timeout.to_string(), None)
            }
            Failure::LimitExceeded(_) => (ErrorKind::MessageTooBig, failure.to_string(), None),
            _ => (ErrorKind::ProtocolViolation, failure.to_string(), None),
        };
        Self(Arc::new(Inner {
            kind,
            context,
            source: source.map(Into::into),
            response: None,
            close_reason: None,
            failure: Some(failure),
        }))
    }
}

/// What a lost connection's error says; its source tells more.
const LOST: &str = "the connection was lost";

/// How the network lost the connection, by what the system says.
pub(crate) fn loss(error: &io::Error) -> Loss {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => Loss::EndOfStream,
        // Written to after the reset, a connection is a broken pipe.
        io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe => Loss::Reset,
        io::ErrorKind::TimedOut => Loss::TimedOut,
        _ => Loss::Network,
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0.context)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = formatter.debug_struct("Error");
        debug
            .field("kind", &self.0.kind)
            .field("context", &self.0.context);
        if let Some(source) = &self.0.source {
            debug.field("source", &source);
        }
        if let Some(response) = &self.0.response {
            debug.field("status", &response.status());
        }
        debug.finish()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        let source = self.0.source.as_deref()?;
        // A lost connection's error is shared: what counts is the one inside.
        Some(match source.downcast_ref::<Arc<io::Error>>() {
            Some(shared) => &**shared,
            None => source,
        })
    }
}

/// For functions that give an [`io::Error`]: the kind that comes nearest.
///
/// ```
/// use std::io;
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
/// # runtime.block_on(async {
/// async fn talk() -> io::Result<()> {
///     twinsock::MessageWebSocket::connect("not an address").await?;
///     Ok(())
/// }
/// assert_eq!(talk().await.unwrap_err().kind(), io::ErrorKind::InvalidInput);
/// # });
/// ```
impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        let kind = match error.kind() {
            ErrorKind::InvalidArgument => io::ErrorKind::InvalidInput,
            ErrorKind::Closed => io::ErrorKind::BrokenPipe,
            ErrorKind::ClosedByPeer(_) | ErrorKind::Aborted => io::ErrorKind::ConnectionAborted,
            ErrorKind::IllegalCall => io::ErrorKind::Other,
            ErrorKind::NameNotResolved => io::ErrorKind::NotFound,
            ErrorKind::CannotConnect | ErrorKind::HandshakeRefused => {
                io::ErrorKind::ConnectionRefused
            }
            ErrorKind::InvalidHandshake
            | ErrorKind::ProtocolViolation
            | ErrorKind::MessageTooBig => io::ErrorKind::InvalidData,
            ErrorKind::Timeout(_) => io::ErrorKind::TimedOut,
            ErrorKind::ConnectionLost if error.is_reset() => io::ErrorKind::ConnectionReset,
            ErrorKind::ConnectionLost => error.network_error_kind(),
            ErrorKind::System => io::ErrorKind::Other,
        };
        Self::new(kind, error)
    }
}

impl From<Misuse> for Error {
    fn from(misuse: Misuse) -> Self {
        Self::invalid_argument(misuse.to_string())
    }
}

impl From<SubprotocolError> for Error {
    fn from(error: SubprotocolError) -> Self {
        Self::invalid_argument(error.to_string())
    }
}

impl From<InvalidCloseReason> for Error {
    fn from(error: InvalidCloseReason) -> Self {
        Self::invalid_argument(error.to_string())
    }
}

impl From<HandshakeError> for Error {
    fn from(error: HandshakeError) -> Self {
        let context = error.to_string();
        match error {
            HandshakeError::Refused(refusal) => Self(Arc::new(Inner {
                kind: ErrorKind::HandshakeRefused,
                context,
                source: None,
                response: Some(refusal.into_response()),
                close_reason: None,
                failure: None,
            })),
            _ => Self::new(ErrorKind::InvalidHandshake, context),
        }
    }
}

impl From<RequestError> for Error {
    fn from(error: RequestError) -> Self {
        Self::new(ErrorKind::InvalidHandshake, error.to_string())
    }
}

impl From<Overdue> for Timeout {
    fn from(overdue: Overdue) -> Self {
        match overdue {
            Overdue::Send => Self::Send,
            Overdue::Receive => Self::Receive,
            Overdue::Pong => Self::Pong,
            Overdue::Close => Self::Close,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reset_is_told_from_a_mere_end() {
        let reset = Arc::new(io::Error::from(io::ErrorKind::ConnectionReset));
        let error = Error::failed(Failure::Reset, Some(Arc::clone(&reset)));
        assert_eq!(error.status(), WebErrorStatus::ConnectionReset);
        // The stream ended; that writing failed later changes nothing.
        let error = Error::failed(Failure::EndOfStream, Some(reset));
        assert_eq!(error.status(), WebErrorStatus::ConnectionAborted);
        let error = Error::failed(Failure::EndOfStream, None);
        assert_eq!(error.status(), WebErrorStatus::ConnectionAborted);
        assert_eq!(error.hresult(), hresult(0x8007_2EFE));
    }

    #[test]
    fn an_io_error_keeps_what_the_network_said() {
        let unreachable = Arc::new(io::Error::from(io::ErrorKind::HostUnreachable));
        for (failure, expected) in [
            (Failure::Network, io::ErrorKind::HostUnreachable),
            (Failure::Reset, io::ErrorKind::ConnectionReset),
            (Failure::EndOfStream, io::ErrorKind::UnexpectedEof),
        ] {
            let error = Error::failed(failure, Some(Arc::clone(&unreachable)));
            assert_eq!(io::Error::from(error).kind(), expected, "{failure}");
        }
    }

    #[test]
    fn arguments_and_closed_sockets_have_hresults_of_their_own() {
        assert_eq!(Error::invalid_argument("").hresult(), hresult(0x8007_0057));
        assert_eq!(Error::closed().hresult(), hresult(0x8000_0013));
        assert_eq!(
            Error::timeout(Timeout::Close).hresult(),
            hresult(0x8007_2EE2)
        );
        assert_eq!(
            Error::timeout(Timeout::Pong).hresult(),
            hresult(0x8007_2F84)
        );
    }
}
