//! From the core's errors, and to those of the standard library.

use std::io;

use twinsock_proto::handshake::{HandshakeError, Misuse, RequestError, SubprotocolError};
use twinsock_proto::{InvalidCloseReason, Overdue};

use crate::error::{Error, ErrorKind};
use crate::timeout::Timeout;

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
            ErrorKind::CannotConnect
            | ErrorKind::ProxyFailed
            | ErrorKind::HandshakeRefused
            | ErrorKind::RedirectFailed(_) => io::ErrorKind::ConnectionRefused,
            ErrorKind::ProxyAuthenticationRequired => io::ErrorKind::PermissionDenied,
            ErrorKind::CertificateRejected
            | ErrorKind::TlsFailed
            | ErrorKind::InvalidHandshake
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
            HandshakeError::Refused(refusal) => Self::with_response(
                ErrorKind::HandshakeRefused,
                context,
                refusal.into_response(),
            ),
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
    use std::sync::Arc;

    use twinsock_proto::Failure;

    use super::*;

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
}
