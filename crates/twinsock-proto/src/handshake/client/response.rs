use bytes::{Bytes, BytesMut};
use http::{Response, StatusCode};

use super::check::{Chosen, Expected};
use super::refusal::{Refusal, WantedStatus};
use super::request::Request;
use crate::deflate::parameters::DeflateParameters;
use crate::handshake::error::HandshakeError;
use crate::handshake::head::HeadLimits;
use crate::handshake::head_parser::ResponseLines;
use crate::handshake::key::Key;
use crate::handshake::received_head::ReceivedHead;
use crate::handshake::response_collector::{NoAgreement, Progress, ResponseCollector};
use crate::handshake::subprotocol::Subprotocol;

/// The request is on its way; the server's answer is awaited (RFC 6455 §4.1).
///
/// Interim responses (100, 103 and other 1xx) are skipped, eight at most (RFC 9110 §15.2). Holds no more than
/// [`HeadLimits::total`] bytes of a head, and of a refusal's body no more than [`Refusal::MAX_BODY_LEN`].
///
/// ```
/// use twinsock_proto::handshake::HeadLimits;
/// use twinsock_proto::handshake::client::{AwaitResponse, Request, Step};
///
/// let request = Request::new("ws://server.example.com/chat".parse()?);
/// let nonce = *b"the sample nonce"; // 16 bytes from a source that cannot be predicted
/// let (step, to_send) = AwaitResponse::start(request, nonce, HeadLimits::default());
/// assert!(to_send.starts_with(b"GET /chat HTTP/1.1\r\nHost: server.example.com\r\n"));
///
/// let Step::Incomplete(step) = step.proceed(b"HTTP/1.1 101 Switching Protocols\r\n")? else { panic!() };
/// let rest = b"Upgrade: websocket\r\nConnection: Upgrade\r\n\
///     Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n\x81\x00";
/// let Step::Opened(opened) = step.proceed(rest)? else { panic!() };
/// assert_eq!(opened.leftover(), b"\x81\x00");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct AwaitResponse {
    expected: Expected,
    response: ResponseCollector,
}

/// What one piece of input led to.
///
/// ```
/// use twinsock_proto::handshake::HeadLimits;
/// use twinsock_proto::handshake::client::{AwaitResponse, Request, Step};
///
/// let request = Request::new("ws://server.example.com/chat".parse()?);
/// let (step, _) = AwaitResponse::start(request, [7; 16], HeadLimits::default());
/// assert!(matches!(step.proceed(b"HTTP/1.1 1")?, Step::Incomplete(_)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub enum Step {
    /// More input is needed.
    Incomplete(AwaitResponse),
    /// The server agreed.
    Opened(Opened),
}

/// The connection is open: what the server answered, and the bytes that already belong to frames.
///
/// For an example see [`AwaitResponse`].
#[derive(Debug)]
pub struct Opened {
    response: ReceivedHead<Response<()>>,
    protocol: Option<Subprotocol>,
    deflate: Option<DeflateParameters>,
    leftover: BytesMut,
}

impl AwaitResponse {
    /// Begins a handshake; the bytes are to be sent to the server.
    ///
    /// `nonce` must be new and random for each connection (RFC 6455 §4.1, item 7). Nothing else may be sent before
    /// the connection is open.
    #[must_use]
    pub fn start(request: Request, nonce: [u8; 16], limits: HeadLimits) -> (Self, Bytes) {
        let key = Key::from_nonce(nonce);
        let to_send = request.encode(&key);
        let (protocols, deflate) = request.into_offers();
        let expected = Expected {
            accept: key.accept(),
            protocols,
            deflate,
        };
        let response = ResponseCollector::new(WantedStatus::SwitchingProtocols, limits);
        (Self { expected, response }, to_send)
    }

    /// Takes what the server sent, in pieces of any size.
    ///
    /// # Errors
    ///
    /// [`HandshakeError`]; the connection must then be closed without another byte (RFC 6455 §7.1.7).
    pub fn proceed(self, input: &[u8]) -> Result<Step, HandshakeError> {
        let Self { expected, response } = self;
        let check = |lines: &ResponseLines<'_>| match lines.status {
            StatusCode::SWITCHING_PROTOCOLS => expected.check(lines).map(Some),
            _ => Ok(None),
        };
        Ok(match response.proceed(input, check)? {
            Progress::Incomplete(response) => Step::Incomplete(Self { expected, response }),
            Progress::Agreed(agreement) => {
                let Chosen { protocol, deflate } = agreement.terms;
                Step::Opened(Opened {
                    response: agreement.response,
                    protocol,
                    deflate,
                    leftover: agreement.leftover,
                })
            }
        })
    }

    /// Takes note that the server will send no more.
    #[must_use]
    pub fn handle_eof(self) -> HandshakeError {
        self.response.handle_eof().into()
    }

    /// Whether the server has refused, and only the body of its response is still coming.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        self.response.is_refused()
    }

    /// Stops waiting, for instance when time is up: gives the refusal with as much of its body as came, or `None`
    /// when the server has not refused.
    #[must_use]
    pub fn into_refusal(self) -> Option<Box<Refusal>> {
        self.response.into_refusal()
    }
}

impl From<NoAgreement> for HandshakeError {
    fn from(reason: NoAgreement) -> Self {
        match reason {
            NoAgreement::Head(error) => Self::Head(error),
            NoAgreement::EndOfStream { received } => Self::EndOfStream { received },
            NoAgreement::Refused(refusal) => Self::Refused(refusal),
            NoAgreement::TooManyInterimResponses { limit } => {
                Self::TooManyInterimResponses { limit }
            }
        }
    }
}

impl Opened {
    /// The server's 101 response.
    #[must_use]
    pub fn response(&self) -> &Response<()> {
        self.response.get()
    }

    /// The subprotocol that the server chose; `None` when it chose none, even if some were offered.
    #[must_use]
    pub fn protocol(&self) -> Option<&Subprotocol> {
        self.protocol.as_ref()
    }

    /// How messages are compressed; `None` when they are not, even if that was offered.
    #[must_use]
    pub fn deflate(&self) -> Option<DeflateParameters> {
        self.deflate
    }

    /// The bytes that came after the response: the beginning of the first frame.
    #[must_use]
    pub fn leftover(&self) -> &[u8] {
        &self.leftover
    }

    /// Response, subprotocol and first frame bytes, owned.
    #[must_use]
    pub fn into_parts(self) -> (ReceivedHead<Response<()>>, Option<Subprotocol>, BytesMut) {
        (self.response, self.protocol, self.leftover)
    }
}
