//! The checks that RFC 6455 §4.1 asks of a client before it trusts a 101 response.

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Response, Version};

use crate::handshake::error::{HandshakeError, HeadError};
use crate::handshake::excerpt::Excerpt;
use crate::handshake::header_list;
use crate::handshake::key::Accept;
use crate::handshake::subprotocol::Subprotocol;

/// What the server's answer has to match.
#[derive(Debug)]
pub(super) struct Expected {
    pub(super) accept: Accept,
    pub(super) protocols: Vec<Subprotocol>,
}

impl Expected {
    /// Checks a 101 response; gives the subprotocol that the server chose.
    pub(super) fn check(
        &self,
        response: &Response<()>,
    ) -> Result<Option<Subprotocol>, HandshakeError> {
        if response.version() != Version::HTTP_11 {
            return Err(HeadError::HttpVersion {
                got: Excerpt::new(b"HTTP/1.0"),
            }
            .into());
        }
        let headers = response.headers();
        check_upgrade(headers)?;
        self.check_accept(headers)?;
        check_no_body(headers)?;
        check_extensions(headers)?;
        self.chosen_protocol(headers)
    }

    /// RFC 6455 §4.1, response check 4: the answer must be that to our key, apart from surrounding whitespace.
    fn check_accept(&self, headers: &HeaderMap) -> Result<(), HandshakeError> {
        let value = required(headers, &header::SEC_WEBSOCKET_ACCEPT)?;
        if value.as_bytes() != self.accept.as_str().as_bytes() {
            return Err(HandshakeError::Accept {
                got: Excerpt::new(value.as_bytes()),
            });
        }
        Ok(())
    }

    /// RFC 6455 §4.1, response check 6. A server may also choose none.
    fn chosen_protocol(&self, headers: &HeaderMap) -> Result<Option<Subprotocol>, HandshakeError> {
        // RFC 6455 §11.3.4: this header must not come more than once in a response.
        let Some(value) = optional(headers, &header::SEC_WEBSOCKET_PROTOCOL)? else {
            return Ok(None);
        };
        let chosen = value.as_bytes();
        match self
            .protocols
            .iter()
            .find(|offered| offered.as_str().as_bytes() == chosen)
        {
            Some(protocol) => Ok(Some(protocol.clone())),
            None => Err(HandshakeError::Protocol {
                got: Excerpt::new(chosen),
            }),
        }
    }
}

/// RFC 6455 §4.1, response checks 2 and 3.
fn check_upgrade(headers: &HeaderMap) -> Result<(), HandshakeError> {
    let upgrade = required(headers, &header::UPGRADE)?.as_bytes();
    if !upgrade.eq_ignore_ascii_case(b"websocket") {
        return Err(HandshakeError::Upgrade {
            got: Excerpt::new(upgrade),
        });
    }
    if header_list::contains(headers, &header::CONNECTION, "upgrade") {
        return Ok(());
    }
    match headers.get(header::CONNECTION) {
        Some(value) => Err(HandshakeError::Connection {
            got: Excerpt::new(value.as_bytes()),
        }),
        None => Err(HandshakeError::MissingHeader {
            name: header::CONNECTION,
        }),
    }
}

/// After a 101 response the first byte is that of a frame. A peer, or something on the way, that believes in a body
/// sees other messages than we do (RFC 9110 §8.6, RFC 9112 §6.1).
fn check_no_body(headers: &HeaderMap) -> Result<(), HandshakeError> {
    if headers.contains_key(header::TRANSFER_ENCODING) {
        return Err(HandshakeError::Body {
            name: header::TRANSFER_ENCODING,
        });
    }
    match optional(headers, &header::CONTENT_LENGTH)? {
        Some(len) if len.as_bytes() != b"0" => Err(HandshakeError::Body {
            name: header::CONTENT_LENGTH,
        }),
        _ => Ok(()),
    }
}

/// RFC 6455 §4.1, response check 5: an extension that was not offered must fail the connection, and so must a
/// malformed header (§9.1). None is offered.
fn check_extensions(headers: &HeaderMap) -> Result<(), HandshakeError> {
    let name = header::SEC_WEBSOCKET_EXTENSIONS;
    let used = header_list::extension_names(headers, &name);
    match used.as_deref() {
        Ok([]) => Ok(()),
        Ok([first, ..]) => Err(HandshakeError::Extension {
            got: Excerpt::new(first.as_bytes()),
        }),
        Err(_) => Err(HandshakeError::MalformedHeader { name }),
    }
}

fn required<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> Result<&'a HeaderValue, HandshakeError> {
    let missing = || HandshakeError::MissingHeader { name: name.clone() };
    optional(headers, name)?.ok_or_else(missing)
}

fn optional<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> Result<Option<&'a HeaderValue>, HandshakeError> {
    header_list::single(headers, name)
        .map_err(|_| HandshakeError::MalformedHeader { name: name.clone() })
}
