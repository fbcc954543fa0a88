use std::error::Error;
use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};

use crate::handshake::error::{HeadError, Misuse, RequestError};
use crate::handshake::extra_headers::ExtraHeaders;
use crate::handshake::head_writer::HeadWriter;

/// A request that was refused: why, and the complete HTTP response that says so.
///
/// The response ends the connection (`Connection: close`) and repeats nothing of what the client sent.
///
/// ```
/// use twinsock_proto::handshake::HeadLimits;
/// use twinsock_proto::handshake::server::AwaitRequest;
///
/// let step = AwaitRequest::new(HeadLimits::default());
/// let refusal = step.proceed(b"POST / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap_err();
/// assert_eq!(refusal.to_string(), "expected method GET, got \"POST\"");
/// assert!(refusal.response().starts_with(b"HTTP/1.1 405 Method Not Allowed\r\n"));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Refusal {
    error: RequestError,
    response: Bytes,
}

impl Refusal {
    pub(super) fn new(error: RequestError) -> Self {
        let status = error.status();
        let writer = HeadWriter::response(status);
        let writer = match status {
            // RFC 9110 §15.5.22: 426 must name the upgrade, and §7.8: `Connection` must then name it too.
            StatusCode::UPGRADE_REQUIRED => writer
                .fixed("Connection", "close, Upgrade")
                .fixed("Upgrade", "websocket")
                // RFC 6455 §4.4: the versions that we understand.
                .fixed("Sec-WebSocket-Version", "13"),
            // RFC 9110 §15.5.6: 405 must list what is allowed.
            StatusCode::METHOD_NOT_ALLOWED => {
                writer.fixed("Connection", "close").fixed("Allow", "GET")
            }
            _ => writer.fixed("Connection", "close"),
        };
        let text = text_for(&error);
        let response = writer
            .fixed("Content-Type", PLAIN_TEXT)
            .content_length(text.len())
            .finish(text.as_bytes());
        Self { error, response }
    }

    /// Why the request was refused.
    #[must_use]
    pub fn error(&self) -> &RequestError {
        &self.error
    }

    /// The response to send before the connection is closed.
    #[must_use]
    pub fn response(&self) -> &Bytes {
        &self.response
    }

    /// Reason and response, owned.
    #[must_use]
    pub fn into_parts(self) -> (RequestError, Bytes) {
        (self.error, self.response)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.error, f)
    }
}

impl Error for Refusal {}

/// The application's own refusal.
pub(super) fn encode_rejection(
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Bytes, Misuse> {
    // RFC 9110 §6.4.1: these end nothing, or have no content.
    let bodiless = [
        StatusCode::NO_CONTENT,
        StatusCode::RESET_CONTENT,
        StatusCode::NOT_MODIFIED,
    ];
    if status.is_informational() || bodiless.contains(&status) {
        return Err(Misuse::Status { status });
    }
    let mut extra = ExtraHeaders::default();
    for (name, value) in headers {
        extra.append(name.clone(), value.clone())?;
    }
    if !headers.contains_key(header::CONTENT_TYPE) {
        extra.append(header::CONTENT_TYPE, PLAIN_TEXT)?;
    }
    Ok(HeadWriter::response(status)
        .fixed("Connection", "close")
        .headers(extra.as_map())
        .content_length(body.len())
        .finish(body))
}

/// A sentence for the person at the other end. Fixed text: what a client sent must not come back in a page that its
/// browser may show, and says nothing about the server that the status does not.
fn text_for(error: &RequestError) -> &'static str {
    match error {
        // RFC 9110 §9.3.2: no answer to HEAD has content.
        RequestError::Method { got } if got.as_bytes() == b"HEAD" => "",
        RequestError::Head(error) => text_for_head(error),
        RequestError::EndOfStream { .. } => "The request is not complete.\n",
        RequestError::Method { .. } => "A WebSocket is opened with GET.\n",
        RequestError::Target { .. } => "The request target is not valid.\n",
        RequestError::MissingHeader { .. } => "A required header is missing.\n",
        RequestError::MalformedHeader { .. } => "A header is repeated or malformed.\n",
        RequestError::Host(_) => "The host is not valid.\n",
        RequestError::Body { .. } => "The request must not have a body.\n",
        RequestError::NotUpgrade { .. } => "Only WebSocket connections are served here.\n",
        RequestError::Version { .. } => "Only WebSocket version 13 is served here.\n",
        RequestError::Key(_) => "The Sec-WebSocket-Key is not valid.\n",
        RequestError::RepeatedProtocol { .. } => "A subprotocol is offered twice.\n",
        RequestError::Origin { .. } => "This origin may not connect.\n",
    }
}

fn text_for_head(error: &HeadError) -> &'static str {
    match error {
        HeadError::HttpVersion { .. } => "Only HTTP/1.1 is served here.\n",
        HeadError::LineTooLong { .. }
        | HeadError::TooManyHeaders { .. }
        | HeadError::TooLarge { .. } => "The request is too large.\n",
        HeadError::NotHttp { .. }
        | HeadError::BareLineFeed { .. }
        | HeadError::BareCarriageReturn { .. }
        | HeadError::Folded { .. }
        | HeadError::ControlCharacter { .. }
        | HeadError::Syntax { .. } => "The request is malformed.\n",
    }
}

const PLAIN_TEXT: &str = "text/plain; charset=utf-8";
