//! Writes an HTTP/1.1 head (RFC 9112 §2.1).

use bytes::Bytes;
use http::HeaderMap;
use http::header::HeaderName;

use super::key::{Accept, Key};
use super::subprotocol::Subprotocol;
use crate::deflate;
use crate::deflate::parameter_list::ParameterList;
use crate::uri::{Destination, WebSocketUri};

/// A head under construction. What can be written are only types that hold no line end by construction, so that no
/// value can add a line of its own.
#[derive(Debug)]
pub(crate) struct HeadWriter(Vec<u8>);

impl HeadWriter {
    pub(super) fn request(uri: &WebSocketUri) -> Self {
        // As long as a request with no more than what each must have.
        let len = REQUEST_LEN + uri.resource().len() + uri.authority().len();
        let mut writer = Self(Vec::with_capacity(len));
        writer.put(&[
            "GET ",
            uri.resource(),
            " HTTP/1.1\r\nHost: ",
            uri.authority(),
            "\r\n",
        ]);
        writer
    }

    /// RFC 9110 §9.3.6: the target and the host are both the tunnel's other end.
    pub(crate) fn connect(destination: &Destination) -> Self {
        let mut writer = Self(Vec::new());
        let host = destination.as_str();
        writer.put(&["CONNECT ", host, " HTTP/1.1\r\nHost: ", host, "\r\n"]);
        writer
    }

    pub(super) fn response(status: http::StatusCode) -> Self {
        // As long as a 101 with no more than what each must have.
        let mut writer = Self(Vec::with_capacity(RESPONSE_LEN));
        let reason = status.canonical_reason().unwrap_or_default();
        writer.put(&["HTTP/1.1 ", status.as_str(), " ", reason, "\r\n"]);
        writer
    }

    /// Adds a line that is the same in each handshake.
    pub(super) fn fixed(mut self, name: &'static str, value: &'static str) -> Self {
        self.put(&[name, ": ", value, "\r\n"]);
        self
    }

    pub(super) fn key(mut self, key: &Key) -> Self {
        self.put(&["Sec-WebSocket-Key: ", key.as_str(), "\r\n"]);
        self
    }

    pub(super) fn accept(mut self, accept: &Accept) -> Self {
        self.put(&["Sec-WebSocket-Accept: ", accept.as_str(), "\r\n"]);
        self
    }

    /// Adds the list of `protocols`; nothing when there are none.
    pub(super) fn protocols(mut self, protocols: &[Subprotocol]) -> Self {
        for (index, protocol) in protocols.iter().enumerate() {
            let before = if index == 0 {
                "Sec-WebSocket-Protocol: "
            } else {
                ", "
            };
            self.put(&[before, protocol.as_str()]);
        }
        if !protocols.is_empty() {
            self.put(&["\r\n"]);
        }
        self
    }

    /// Adds offers of compression, or the answer to one; nothing when there are none.
    pub(super) fn deflate(mut self, lists: impl IntoIterator<Item = ParameterList>) -> Self {
        let mut before = "Sec-WebSocket-Extensions: ";
        let mut end = "";
        for list in lists {
            self.put(&[before, deflate::NAME, &list.to_string()]);
            (before, end) = (", ", "\r\n");
        }
        self.put(&[end]);
        self
    }

    pub(crate) fn headers(mut self, headers: &HeaderMap) -> Self {
        for (name, value) in headers {
            self.put(&[HeaderName::as_str(name), ": "]);
            self.0.extend_from_slice(value.as_bytes());
            self.put(&["\r\n"]);
        }
        self
    }

    pub(super) fn content_length(mut self, len: usize) -> Self {
        self.put(&["Content-Length: ", &len.to_string(), "\r\n"]);
        self
    }

    /// Ends the head; `body` follows it.
    pub(crate) fn finish(mut self, body: &[u8]) -> Bytes {
        self.put(&["\r\n"]);
        self.0.extend_from_slice(body);
        self.0.into()
    }

    fn put(&mut self, parts: &[&str]) {
        for part in parts {
            self.0.extend_from_slice(part.as_bytes());
        }
    }
}

/// Of a request without its resource and its host.
const REQUEST_LEN: usize =
    "GET  HTTP/1.1\r\nHost: \r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        .len();

/// Of a 101 response.
const RESPONSE_LEN: usize =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
        .len();
