use std::error::Error;
use std::fmt;

use bytes::{Bytes, BytesMut};
use http::header::{self, HeaderMap};
use http::{Response, StatusCode};

use crate::handshake::header_list;

/// A server's answer other than 101, or a proxy's other than 2xx: the whole response, with the beginning of its body.
///
/// A client may act on it, for instance authenticate after 401 or follow a redirect (RFC 6455 §4.1).
///
/// ```
/// use twinsock_proto::handshake::client::{AwaitResponse, Request, Step};
/// use twinsock_proto::handshake::{HandshakeError, HeadLimits};
///
/// let request = Request::new("ws://game.example/".parse()?);
/// let (step, _) = AwaitResponse::start(request, [7; 16], HeadLimits::default());
/// let answer = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 5\r\n\r\nno bot";
/// let Err(HandshakeError::Refused(refusal)) = step.proceed(answer) else { panic!() };
/// assert_eq!(refusal.status(), http::StatusCode::FORBIDDEN);
/// assert_eq!(refusal.response().body(), "no bo");
/// assert_eq!(refusal.to_string(), "expected status 101, got 403 Forbidden");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Refusal {
    wanted: WantedStatus,
    response: Response<Bytes>,
}

impl Refusal {
    /// How many bytes of the body are kept: 1024.
    pub const MAX_BODY_LEN: usize = 1024;

    /// The status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.response.status()
    }

    /// The response. A chunked body comes without its chunk lines; a compressed one comes as it is.
    #[must_use]
    pub fn response(&self) -> &Response<Bytes> {
        &self.response
    }

    /// The response, owned.
    #[must_use]
    pub fn into_response(self) -> Response<Bytes> {
        self.response
    }
}

/// The status that was hoped for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WantedStatus {
    SwitchingProtocols,
    Successful,
}

impl fmt::Display for WantedStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SwitchingProtocols => "101",
            Self::Successful => "2xx",
        })
    }
}

impl PartialEq for Refusal {
    fn eq(&self, other: &Self) -> bool {
        self.wanted == other.wanted
            && self.response.status() == other.response.status()
            && self.response.version() == other.response.version()
            && self.response.headers() == other.response.headers()
            && self.response.body() == other.response.body()
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status = self.status();
        write!(
            f,
            "expected status {}, got {}",
            self.wanted,
            status.as_str()
        )?;
        status
            .canonical_reason()
            .map_or(Ok(()), |reason| write!(f, " {reason}"))
    }
}

impl Error for Refusal {}

/// A refusal whose body is still arriving.
#[derive(Debug)]
pub(in crate::handshake) struct RefusalCollector {
    wanted: WantedStatus,
    head: Response<()>,
    body: BytesMut,
    framing: BodyFraming,
}

/// Whether more of a body is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::handshake) enum BodyState {
    Open,
    Complete,
}

impl RefusalCollector {
    pub(in crate::handshake) fn new(wanted: WantedStatus, head: Response<()>) -> Self {
        let framing = BodyFraming::of(&head);
        Self {
            wanted,
            head,
            body: BytesMut::new(),
            framing,
        }
    }

    /// Takes bytes of the body, up to its end or [`Refusal::MAX_BODY_LEN`]; what comes after is ignored.
    pub(in crate::handshake) fn feed(&mut self, input: &[u8]) -> BodyState {
        let room = Refusal::MAX_BODY_LEN.saturating_sub(self.body.len());
        match &mut self.framing {
            BodyFraming::Length(remaining) => {
                let wanted = room.min(usize::try_from(*remaining).unwrap_or(room));
                let taken = input.get(..wanted).unwrap_or(input);
                self.body.extend_from_slice(taken);
                *remaining -= taken.len() as u64;
            }
            BodyFraming::Chunked(chunk) => {
                let data = input
                    .iter()
                    .filter(|&&byte| chunk.advance(byte) == ChunkByte::Data);
                self.body.extend(data.take(room));
            }
            BodyFraming::UntilEndOfStream => {
                self.body
                    .extend_from_slice(input.get(..room).unwrap_or(input));
            }
        }
        self.state()
    }

    /// The refusal with as much of its body as came.
    pub(in crate::handshake) fn finish(self) -> Refusal {
        let body = self.body.freeze();
        Refusal {
            wanted: self.wanted,
            response: self.head.map(|()| body),
        }
    }

    fn state(&self) -> BodyState {
        match self.framing {
            BodyFraming::Length(0) | BodyFraming::Chunked(Chunk::End) => BodyState::Complete,
            _ if self.body.len() >= Refusal::MAX_BODY_LEN => BodyState::Complete,
            _ => BodyState::Open,
        }
    }
}

/// How the end of a body is told (RFC 9112 §6.3).
#[derive(Debug)]
enum BodyFraming {
    /// After this many more bytes.
    Length(u64),
    Chunked(Chunk),
    UntilEndOfStream,
}

impl BodyFraming {
    fn of(head: &Response<()>) -> Self {
        let headers = head.headers();
        if matches!(
            head.status(),
            StatusCode::SWITCHING_PROTOCOLS | StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED
        ) {
            return Self::Length(0);
        }
        if header_list::contains(headers, &header::TRANSFER_ENCODING, "chunked") {
            return Self::Chunked(Chunk::Size(0));
        }
        if headers.contains_key(header::TRANSFER_ENCODING) {
            return Self::UntilEndOfStream;
        }
        // A length that makes no sense ends nothing; the connection is of no further use anyway.
        content_length(headers).map_or(Self::UntilEndOfStream, Self::Length)
    }
}

fn content_length(headers: &HeaderMap) -> Option<u64> {
    let value = header_list::single(headers, &header::CONTENT_LENGTH).ok()??;
    let value = str::from_utf8(value).ok()?;
    value
        .bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| value.parse().ok())?
}

/// Where in a chunked body the next byte is (RFC 9112 §7.1). Lenient, because nothing follows the body that could be
/// misread; what is not a chunk ends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Chunk {
    /// In the size line, with the size so far.
    Size(u64),
    /// After the digits of the size.
    Extension(u64),
    /// In the data, with this many bytes to come; at zero in the line end that follows them.
    Data(u64),
    End,
}

impl Chunk {
    fn advance(&mut self, byte: u8) -> ChunkByte {
        let kind = if let Self::Data(1..) = self {
            ChunkByte::Data
        } else {
            ChunkByte::Framing
        };
        *self = self.after(byte);
        kind
    }

    fn after(self, byte: u8) -> Self {
        match (self, byte) {
            (Self::Size(0) | Self::Extension(0), b'\n') => Self::End,
            (Self::Size(size) | Self::Extension(size), b'\n') => Self::Data(size),
            (Self::Size(size), b'\r' | b';' | b' ' | b'\t') => Self::Extension(size),
            (Self::Size(size), _) => Self::with_digit(size, byte),
            (Self::Extension(size), _) => Self::Extension(size),
            (Self::Data(0), b'\n') => Self::Size(0),
            (Self::Data(0), b'\r') => Self::Data(0),
            (Self::Data(0) | Self::End, _) => Self::End,
            (Self::Data(remaining), _) => Self::Data(remaining - 1),
        }
    }

    fn with_digit(size: u64, byte: u8) -> Self {
        let digit = char::from(byte).to_digit(16).map(u64::from);
        let larger = digit.and_then(|digit| size.checked_mul(16)?.checked_add(digit));
        larger.map_or(Self::End, Self::Size)
    }
}

/// What a byte of a chunked body is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ChunkByte {
    Data,
    Framing,
}
