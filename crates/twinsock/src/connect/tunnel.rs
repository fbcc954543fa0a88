//! A tunnel through a proxy, over a byte stream to it.

use ::http::StatusCode;
use bytes::{Bytes, BytesMut};
use twinsock_proto::handshake::HeadLimits;
use twinsock_proto::proxy::http::{self, AwaitTunnel, ConnectRequest, TunnelError};
use twinsock_proto::proxy::socks5::{self, Socks5, Socks5Error};

use crate::connect::budget::Budget;
use crate::connect::negotiate::{Negotiation, Progress, negotiate};
use crate::driver::ByteStream;
use crate::error::{Error, ErrorKind};
use crate::timeout::Timeout;

/// Has an HTTP proxy make the connection (RFC 9110 §9.3.6).
pub(super) async fn by_http(
    stream: &mut Box<dyn ByteStream>,
    request: &ConnectRequest,
    budget: &Budget,
) -> Result<(), Error> {
    let start = AwaitTunnel::start(request, HeadLimits::default());
    let deadline = budget.deadline(Timeout::Proxy);
    let leftover = negotiate(stream, start, deadline)
        .await
        .map_err(lost_by_proxy)?;
    expect_silence(&leftover)
}

/// Has a SOCKS5 proxy make the connection (RFC 1928).
pub(super) async fn by_socks5(
    stream: &mut Box<dyn ByteStream>,
    start: (Socks5, Bytes),
    budget: &Budget,
) -> Result<(), Error> {
    let deadline = budget.deadline(Timeout::Proxy);
    let leftover = negotiate(stream, start, deadline)
        .await
        .map_err(lost_by_proxy)?;
    expect_silence(&leftover)
}

/// A connection that breaks here is the proxy's.
fn lost_by_proxy(error: Error) -> Error {
    match error.kind() {
        ErrorKind::ConnectionLost => Error::with_source(
            ErrorKind::ProxyFailed,
            "the proxy ended the connection",
            error,
        ),
        _ => error,
    }
}

/// In a tunnel to a WebSocket server the client speaks first: in TLS, and in HTTP.
fn expect_silence(leftover: &[u8]) -> Result<(), Error> {
    match leftover {
        [] => Ok(()),
        _ => Err(Error::new(
            ErrorKind::ProxyFailed,
            format!(
                "expected nothing behind the proxy's answer, got {} bytes",
                leftover.len()
            ),
        )),
    }
}

impl Negotiation for AwaitTunnel {
    type Agreed = BytesMut;

    fn proceed(self, input: &[u8]) -> Result<Progress<Self>, Error> {
        Ok(match self.proceed(input)? {
            http::Step::Incomplete(negotiation) => Progress::Incomplete(negotiation),
            http::Step::Established(tunnel) => Progress::Agreed(tunnel.into_parts().1),
        })
    }

    fn handle_eof(self) -> Error {
        self.handle_eof().into()
    }

    fn is_refused(&self) -> bool {
        self.is_refused()
    }
}

impl Negotiation for Socks5 {
    type Agreed = BytesMut;

    fn proceed(self, input: &[u8]) -> Result<Progress<Self>, Error> {
        Ok(match self.proceed(input)? {
            socks5::Step::Incomplete(negotiation) => Progress::Incomplete(negotiation),
            socks5::Step::Send(negotiation, bytes) => Progress::Send(negotiation, bytes),
            socks5::Step::Established { leftover } => Progress::Agreed(leftover),
        })
    }

    fn handle_eof(self) -> Error {
        self.handle_eof().into()
    }

    fn is_refused(&self) -> bool {
        // Its refusals have no reasons to wait for.
        false
    }
}

impl From<TunnelError> for Error {
    fn from(error: TunnelError) -> Self {
        let context = error.to_string();
        let TunnelError::Refused(refusal) = error else {
            return Self::new(ErrorKind::ProxyFailed, context);
        };
        let kind = match refusal.status() {
            StatusCode::PROXY_AUTHENTICATION_REQUIRED => ErrorKind::ProxyAuthenticationRequired,
            _ => ErrorKind::ProxyFailed,
        };
        Self::with_response(kind, context, refusal.into_response())
    }
}

impl From<Socks5Error> for Error {
    fn from(error: Socks5Error) -> Self {
        let kind = match error {
            Socks5Error::UserNameTooLong { .. } | Socks5Error::PasswordTooLong => {
                ErrorKind::InvalidArgument
            }
            Socks5Error::NoAcceptableMethod | Socks5Error::Rejected { .. } => {
                ErrorKind::ProxyAuthenticationRequired
            }
            _ => ErrorKind::ProxyFailed,
        };
        Self::new(kind, error.to_string())
    }
}
