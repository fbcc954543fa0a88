use std::fmt;

use bytes::{Bytes, BytesMut};
use http::header::{HeaderMap, HeaderValue};
use http::{Request, StatusCode};

use super::check::{Checked, check};
use super::policy::Policy;
use super::refusal::{Refusal, encode_rejection};
use crate::deflate::parameters::DeflateParameters;
use crate::handshake::error::{Misuse, RequestError};
use crate::handshake::excerpt::Excerpt;
use crate::handshake::head::{Collected, HeadCollector, HeadLimits, StartLine};
use crate::handshake::head_parser::read_request;
use crate::handshake::head_writer::HeadWriter;
use crate::handshake::key::Key;
use crate::handshake::received_head::ReceivedHead;
use crate::handshake::subprotocol::Subprotocol;

/// A client's request is awaited (RFC 6455 §4.2.1).
///
/// Holds no more than [`HeadLimits::total`] bytes of it.
///
/// ```
/// use twinsock_proto::handshake::HeadLimits;
/// use twinsock_proto::handshake::server::{AwaitRequest, Policy, Step};
///
/// let step = AwaitRequest::new(HeadLimits::default());
/// let Step::Incomplete(step) = step.proceed(b"GET /chat HTTP/1.1\r\nHost: a.example\r\n")? else { panic!() };
/// let rest = b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
///     Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
/// let Step::Received(received) = step.proceed(rest)? else { panic!() };
/// assert_eq!(received.resource(), "/chat");
///
/// let accepted = received.accept(&Policy::new())?;
/// assert!(accepted.response().starts_with(b"HTTP/1.1 101 Switching Protocols\r\n"));
/// # Ok::<(), twinsock_proto::handshake::server::Refusal>(())
/// ```
#[derive(Debug)]
pub struct AwaitRequest {
    head: HeadCollector,
}

/// What one piece of input led to.
///
/// ```
/// use twinsock_proto::handshake::HeadLimits;
/// use twinsock_proto::handshake::server::{AwaitRequest, Step};
///
/// let step = AwaitRequest::new(HeadLimits::default());
/// assert!(matches!(step.proceed(b"GET / HT")?, Step::Incomplete(_)));
/// # Ok::<(), twinsock_proto::handshake::server::Refusal>(())
/// ```
#[derive(Debug)]
pub enum Step {
    /// More input is needed.
    Incomplete(AwaitRequest),
    /// A sound request has come; now the application decides.
    Received(Received),
}

/// A sound request for a WebSocket, not answered yet.
///
/// For an example see [`AwaitRequest`].
#[derive(Debug)]
pub struct Received {
    request: ReceivedHead<Request<()>>,
    checked: Checked,
    leftover: BytesMut,
}

/// The connection is open as soon as [`response`](Self::response) is sent.
///
/// For an example see [`AwaitRequest`].
pub struct Accepted {
    response: Bytes,
    request: ReceivedHead<Request<()>>,
    protocol: Option<Subprotocol>,
    deflate: Option<DeflateParameters>,
    leftover: BytesMut,
}

impl AwaitRequest {
    /// Begins a handshake. Nothing is sent before the client has spoken.
    #[must_use]
    pub fn new(limits: HeadLimits) -> Self {
        Self {
            head: HeadCollector::new(StartLine::Request, limits),
        }
    }

    /// Takes what the client sent, in pieces of any size.
    ///
    /// # Errors
    ///
    /// [`Refusal`], whose response is to be sent before the connection is closed.
    pub fn proceed(mut self, input: &[u8]) -> Result<Step, Refusal> {
        let collected = self
            .head
            .feed(input)
            .map_err(|error| Refusal::new(error.into()))?;
        let Collected::Complete { rest } = collected else {
            return Ok(Step::Incomplete(self));
        };
        let head = (self.head.bytes(), self.head.header_count());
        let checked = read_request(head, check).map_err(Refusal::new)?;
        Ok(Step::Received(Received {
            request: ReceivedHead::new(self.head.take_bytes()),
            checked,
            leftover: BytesMut::from(rest),
        }))
    }

    /// Takes note that the client will send no more.
    #[must_use]
    pub fn handle_eof(self) -> RequestError {
        RequestError::EndOfStream {
            received: self.head.bytes().len(),
        }
    }
}

impl Received {
    /// The request; its URI is the target as it was received.
    #[must_use]
    pub fn request(&self) -> &Request<()> {
        self.request.get()
    }

    /// The resource name: path and query of the target (RFC 6455 §4.2.2, item 4).
    #[must_use]
    pub fn resource(&self) -> &str {
        self.request()
            .uri()
            .path_and_query()
            .map_or("/", |resource| resource.as_str())
    }

    /// The host that the client wants to reach, in lower case; an IPv6 address has its brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.checked.host.host
    }

    /// The port that the client named along with the host; `None` where it named none.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        self.checked.host.port
    }

    /// The web page's origin as the client sent it; `None` when the client is no browser (RFC 6455 §10.2).
    #[must_use]
    pub fn origin(&self) -> Option<&HeaderValue> {
        self.checked.origin.as_ref()
    }

    /// The client's key.
    #[must_use]
    pub fn key(&self) -> &Key {
        &self.checked.key
    }

    /// The subprotocols that the client offers, the one it prefers first.
    #[must_use]
    pub fn protocols(&self) -> &[Subprotocol] {
        &self.checked.protocols
    }

    /// Opens the connection, if `policy` allows it (RFC 6455 §4.2.2).
    ///
    /// # Errors
    ///
    /// [`Refusal`] with [`RequestError::Origin`], when the page's origin is not allowed.
    pub fn accept(self, policy: &Policy) -> Result<Accepted, Refusal> {
        if let Some(origin) = self.origin()
            && !policy.allows_origin(origin, &self.checked.host)
        {
            let got = Excerpt::new(origin.as_bytes());
            return Err(Refusal::new(RequestError::Origin { got }));
        }
        let protocol = policy.choose_protocol(self.protocols()).cloned();
        let agreement = policy.accept_deflate(self.checked.deflate.as_ref());
        let response = HeadWriter::response(StatusCode::SWITCHING_PROTOCOLS)
            .fixed("Upgrade", "websocket")
            .fixed("Connection", "Upgrade")
            .accept(&self.checked.key.accept())
            .protocols(protocol.as_slice())
            .deflate(agreement.map(|agreement| agreement.answer))
            .headers(policy.headers())
            .finish(b"");
        Ok(Accepted {
            response,
            request: self.request,
            protocol,
            deflate: agreement.map(|agreement| agreement.parameters),
            leftover: self.leftover,
        })
    }

    /// Turns the client away for a reason of the application's own; gives the response to send before the
    /// connection is closed. `Connection` and `Content-Length` are added, and `Content-Type: text/plain` unless
    /// `headers` names another.
    ///
    /// # Errors
    ///
    /// [`Misuse`], when `status` is interim or allows no body, or when `headers` has one that is the handshake's.
    pub fn reject(
        self,
        status: StatusCode,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Bytes, Misuse> {
        encode_rejection(status, headers, body)
    }
}

impl Accepted {
    /// The 101 response to send.
    #[must_use]
    pub fn response(&self) -> &Bytes {
        &self.response
    }

    /// The client's request.
    #[must_use]
    pub fn request(&self) -> &Request<()> {
        self.request.get()
    }

    /// The subprotocol that was chosen.
    #[must_use]
    pub fn protocol(&self) -> Option<&Subprotocol> {
        self.protocol.as_ref()
    }

    /// How messages are compressed; `None` when they are not.
    #[must_use]
    pub fn deflate(&self) -> Option<DeflateParameters> {
        self.deflate
    }

    /// The bytes that came after the request: the beginning of the first frame, from a client that did not wait.
    #[must_use]
    pub fn leftover(&self) -> &[u8] {
        &self.leftover
    }

    /// Response to send, request, subprotocol and first frame bytes, owned.
    #[must_use]
    pub fn into_parts(
        self,
    ) -> (
        Bytes,
        ReceivedHead<Request<()>>,
        Option<Subprotocol>,
        BytesMut,
    ) {
        (self.response, self.request, self.protocol, self.leftover)
    }
}

impl fmt::Debug for Accepted {
    /// Leaves out the response: it may set a cookie.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Accepted")
            .field("request", &self.request)
            .field("protocol", &self.protocol)
            .field("deflate", &self.deflate)
            .field("leftover", &self.leftover.len())
            .finish_non_exhaustive()
    }
}
