use bytes::{Bytes, BytesMut};
use http::Response;

use super::error::TunnelError;
use super::request::ConnectRequest;
use crate::handshake::client::Refusal;
use crate::handshake::client::refusal::WantedStatus;
use crate::handshake::head_parser::ResponseLines;
use crate::handshake::response_collector::{Progress, ResponseCollector};
use crate::handshake::{HeadLimits, ReceivedHead};

/// The request is on its way; the proxy's answer is awaited (RFC 9110 §9.3.6).
///
/// Interim responses (100, 103 and other 1xx) are skipped, eight at most (RFC 9110 §15.2). Holds no more than
/// [`HeadLimits::total`] bytes of a head, and of a refusal's body no more than [`Refusal::MAX_BODY_LEN`].
///
/// ```
/// use twinsock_proto::handshake::HeadLimits;
/// use twinsock_proto::proxy::http::{AwaitTunnel, ConnectRequest, Step};
/// use twinsock_proto::uri::Destination;
///
/// let request = ConnectRequest::new(Destination::new("game.example", 443)?);
/// let (step, to_send) = AwaitTunnel::start(&request, HeadLimits::default());
/// assert_eq!(to_send, "CONNECT game.example:443 HTTP/1.1\r\nHost: game.example:443\r\n\r\n");
///
/// let Step::Incomplete(step) = step.proceed(b"HTTP/1.1 200 Connection est")? else { panic!() };
/// let Step::Established(tunnel) = step.proceed(b"ablished\r\n\r\nthe server's")? else { panic!() };
/// assert_eq!(tunnel.leftover(), b"the server's");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct AwaitTunnel {
    response: ResponseCollector,
}

/// What one piece of input led to.
///
/// For an example see [`AwaitTunnel`].
#[derive(Debug)]
pub enum Step {
    /// More input is needed.
    Incomplete(AwaitTunnel),
    /// The tunnel stands.
    Established(Tunnel),
}

/// The tunnel stands: what the proxy answered, and the bytes that already came through.
///
/// For an example see [`AwaitTunnel`].
#[derive(Debug)]
pub struct Tunnel {
    response: ReceivedHead<Response<()>>,
    leftover: BytesMut,
}

impl AwaitTunnel {
    /// Begins a negotiation; the bytes are to be sent to the proxy.
    ///
    /// Nothing else may be sent before the tunnel stands.
    #[must_use]
    pub fn start(request: &ConnectRequest, limits: HeadLimits) -> (Self, Bytes) {
        let response = ResponseCollector::new(WantedStatus::Successful, limits);
        (Self { response }, request.encode())
    }

    /// Takes what the proxy sent, in pieces of any size.
    ///
    /// # Errors
    ///
    /// [`TunnelError`]; the connection must then be closed.
    pub fn proceed(self, input: &[u8]) -> Result<Step, TunnelError> {
        // RFC 9110 §9.3.6: whatever such a response says of a body, what follows its head is the tunnel's.
        let check = |lines: &ResponseLines<'_>| {
            Ok::<_, TunnelError>(lines.status.is_success().then_some(()))
        };
        Ok(match self.response.proceed(input, check)? {
            Progress::Incomplete(response) => Step::Incomplete(Self { response }),
            Progress::Agreed(agreement) => Step::Established(Tunnel {
                response: agreement.response,
                leftover: agreement.leftover,
            }),
        })
    }

    /// Takes note that the proxy will send no more.
    #[must_use]
    pub fn handle_eof(self) -> TunnelError {
        self.response.handle_eof().into()
    }

    /// Whether the proxy has refused, and only the body of its response is still coming.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        self.response.is_refused()
    }

    /// Stops waiting, for instance when time is up: gives the refusal with as much of its body as came, or `None`
    /// when the proxy has not refused.
    #[must_use]
    pub fn into_refusal(self) -> Option<Box<Refusal>> {
        self.response.into_refusal()
    }
}

impl Tunnel {
    /// The proxy's response.
    #[must_use]
    pub fn response(&self) -> &Response<()> {
        self.response.get()
    }

    /// The bytes that came after the response, through the tunnel.
    #[must_use]
    pub fn leftover(&self) -> &[u8] {
        &self.leftover
    }

    /// Response and the tunnel's first bytes, owned.
    #[must_use]
    pub fn into_parts(self) -> (ReceivedHead<Response<()>>, BytesMut) {
        (self.response, self.leftover)
    }
}
