//! The numbers of the Universal Windows Platform for an error.

use crate::error::{Error, ErrorKind};
use crate::timeout::Timeout;
use crate::tls::CertificateError;
use crate::web_error_status::{WebErrorStatus, hresult};

impl Error {
    /// The number of the Universal Windows Platform for it (`WebSocketError.GetStatus` in UWP).
    ///
    /// | [`kind`](Self::kind) | status |
    /// | --- | --- |
    /// | `InvalidArgument`, `System` | `Unknown` |
    /// | `IllegalCall` | `Unknown` |
    /// | `Closed`, `ClosedByPeer(_)` | `Disconnected` |
    /// | `Aborted` | `OperationCanceled` |
    /// | `NameNotResolved` | `HostNameNotResolved` |
    /// | `CannotConnect` | `ServerUnreachable` when there was no way to any address, else `CannotConnect` |
    /// | `CertificateRejected` | that of the error found, see [`CertificateError`](crate::CertificateError); `CertificateContainsErrors` for several, and when the application rejected it |
    /// | `TlsFailed` | `CannotConnect` |
    /// | `ProxyFailed` | the HTTP status when the proxy gave one, else `CannotConnect` |
    /// | `ProxyAuthenticationRequired` | `ProxyAuthenticationRequired` |
    /// | `RedirectFailed(_)` | `HttpsToHttpOnRedirection` or `HttpToHttpsOnRedirection` when the change of scheme is why, else `RedirectFailed` |
    /// | `HandshakeRefused` | the HTTP status, see [`WebErrorStatus::from_http`] |
    /// | `InvalidHandshake`, `ProtocolViolation` | `ErrorHttpInvalidServerResponse` |
    /// | `MessageTooBig` | `ConnectionAborted` |
    /// | `Timeout(Pong)`: the peer fell silent | `ServerUnreachable` |
    /// | any other `Timeout(_)` | `Timeout` |
    /// | `ConnectionLost` | `ConnectionReset` after a TCP reset, else `ConnectionAborted` |
    ///
    /// When the addresses of a host have failed for different reasons, the one that was come
    /// nearest to decides ([`failed_addresses`](Self::failed_addresses) has them all):
    ///
    /// | the most that came of any address | kind | status |
    /// | --- | --- | --- |
    /// | it refused, or the network said something else | `CannotConnect` | `CannotConnect` |
    /// | it did not answer in time | `Timeout(Connect)` | `Timeout` |
    /// | there was no way to it | `CannotConnect` | `ServerUnreachable` |
    /// | the local address could not be used | `CannotConnect` | `CannotConnect` |
    /// | the system gave no socket | `System` | `Unknown` |
    /// | the local address is of the other family | `CannotConnect` | `ServerUnreachable` |
    ///
    /// When [`Timeouts::overall`](crate::Timeouts::overall) was over first, it is
    /// `Timeout(Connect)` and `Timeout`, whatever some addresses said before.
    #[must_use]
    pub fn status(&self) -> WebErrorStatus {
        match self.kind() {
            ErrorKind::InvalidArgument | ErrorKind::IllegalCall | ErrorKind::System => {
                WebErrorStatus::Unknown
            }
            ErrorKind::Closed | ErrorKind::ClosedByPeer(_) => WebErrorStatus::Disconnected,
            ErrorKind::Aborted => WebErrorStatus::OperationCanceled,
            ErrorKind::NameNotResolved => WebErrorStatus::HostNameNotResolved,
            ErrorKind::CannotConnect if self.is_unreachable() => WebErrorStatus::ServerUnreachable,
            ErrorKind::CannotConnect | ErrorKind::TlsFailed => WebErrorStatus::CannotConnect,
            ErrorKind::CertificateRejected if self.is_refused_certificate() => {
                WebErrorStatus::CertificateContainsErrors
            }
            ErrorKind::CertificateRejected => CertificateError::status(self.certificate_errors()),
            ErrorKind::ProxyAuthenticationRequired => WebErrorStatus::ProxyAuthenticationRequired,
            ErrorKind::ProxyFailed => self
                .http_status()
                .map_or(WebErrorStatus::CannotConnect, WebErrorStatus::from_http),
            ErrorKind::HandshakeRefused => {
                WebErrorStatus::from_http(self.http_status().unwrap_or_default())
            }
            ErrorKind::RedirectFailed(fault) => fault.status(),
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
    /// (`E_ILLEGAL_METHOD_CALL`) for a call that does not fit, 0x80000013 (`RO_E_CLOSED`) for a
    /// socket that is closed, and 0x800C000E (`INET_E_SECURITY_PROBLEM`) for a certificate that
    /// the application itself has rejected.
    #[must_use]
    pub fn hresult(&self) -> i32 {
        match self.kind() {
            ErrorKind::InvalidArgument => hresult(0x8007_0057),
            ErrorKind::IllegalCall => hresult(0x8000_000E),
            ErrorKind::Closed => hresult(0x8000_0013),
            ErrorKind::CertificateRejected if self.is_refused_certificate() => hresult(0x800C_000E),
            _ => self.status().hresult(),
        }
    }

    fn http_status(&self) -> Option<u16> {
        self.response().map(|response| response.status().as_u16())
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Arc;

    use twinsock_proto::Failure;

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
