//! The peer's head once the handshake is done.

use std::fmt;
use std::sync::OnceLock;

use http::{Request, Response};

use super::error::{HeadError, RequestError};
use super::head_parser::{read_request, read_response};

/// The head that the peer sent, found sound: its bytes, made a request or response when somebody asks.
///
/// Most applications never do, and the bytes take a fraction of the memory.
///
/// ```
/// use twinsock_proto::handshake::HeadLimits;
/// use twinsock_proto::handshake::server::{AwaitRequest, Policy, Step};
///
/// let request = b"GET /chat HTTP/1.1\r\nHost: a.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
///     Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
/// let Step::Received(received) = AwaitRequest::new(HeadLimits::default()).proceed(request)? else { panic!() };
/// let (_response, head, ..) = received.accept(&Policy::new())?.into_parts();
/// assert_eq!(head.get().uri(), "/chat");
/// # Ok::<(), twinsock_proto::handshake::server::Refusal>(())
/// ```
pub struct ReceivedHead<T> {
    bytes: Box<[u8]>,
    message: OnceLock<Box<T>>,
}

impl<T> ReceivedHead<T> {
    /// `bytes` are a head that was read without an error.
    pub(super) fn new(bytes: Box<[u8]>) -> Self {
        Self {
            bytes,
            message: OnceLock::new(),
        }
    }

    /// The bytes, and as many header lines as there can be: each has its line end.
    fn head(&self) -> (&[u8], usize) {
        let lines = self.bytes.iter().filter(|&&byte| byte == b'\n').count();
        (&self.bytes, lines)
    }
}

impl ReceivedHead<Request<()>> {
    /// The request, read from its bytes the first time.
    #[must_use]
    pub fn get(&self) -> &Request<()> {
        self.message.get_or_init(|| Box::new(self.read()))
    }

    fn read(&self) -> Request<()> {
        let request: Result<_, RequestError> =
            read_request(self.head(), |lines| Ok(lines.to_request()?));
        // The same bytes were read without an error when they came.
        request.unwrap_or_default()
    }
}

impl ReceivedHead<Response<()>> {
    /// The response, read from its bytes the first time.
    #[must_use]
    pub fn get(&self) -> &Response<()> {
        self.message.get_or_init(|| Box::new(self.read()))
    }

    fn read(&self) -> Response<()> {
        let response: Result<_, HeadError> =
            read_response(self.head(), |lines| lines.to_response());
        // As above.
        response.unwrap_or_default()
    }
}

impl fmt::Debug for ReceivedHead<Request<()>> {
    /// A secret's value is not shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.get(), f)
    }
}

impl fmt::Debug for ReceivedHead<Response<()>> {
    /// A secret's value is not shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.get(), f)
    }
}
