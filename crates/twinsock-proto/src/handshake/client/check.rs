//! The checks that RFC 6455 §4.1 asks of a client before it trusts a 101 response.

use http::Version;
use http::header::{self, HeaderName};

use crate::deflate::offer::DeflateOffer;
use crate::deflate::parameters::DeflateParameters;
use crate::handshake::error::{HandshakeError, HeadError};
use crate::handshake::excerpt::Excerpt;
use crate::handshake::extension;
use crate::handshake::head_parser::ResponseLines;
use crate::handshake::header_list::{self, HeaderLines as _};
use crate::handshake::key::Accept;
use crate::handshake::subprotocol::Subprotocol;

/// The header lines as they stand in the response's bytes.
type Fields<'a> = [httparse::Header<'a>];

/// What the server's answer has to match.
#[derive(Debug)]
pub(super) struct Expected {
    pub(super) accept: Accept,
    pub(super) protocols: Vec<Subprotocol>,
    pub(super) deflate: Box<[DeflateOffer]>,
}

/// What the server chose.
#[derive(Debug)]
pub(super) struct Chosen {
    pub(super) protocol: Option<Subprotocol>,
    pub(super) deflate: Option<DeflateParameters>,
}

impl Expected {
    /// Checks a 101 response; gives what the server chose.
    pub(super) fn check(&self, response: &ResponseLines<'_>) -> Result<Chosen, HandshakeError> {
        if response.version != Version::HTTP_11 {
            return Err(HeadError::HttpVersion {
                got: Excerpt::new(b"HTTP/1.0"),
            }
            .into());
        }
        let headers = response.headers;
        check_upgrade(headers)?;
        self.check_accept(headers)?;
        check_no_body(headers)?;
        Ok(Chosen {
            deflate: extension::chosen(&self.deflate, headers, &header::SEC_WEBSOCKET_EXTENSIONS)?,
            protocol: self.chosen_protocol(headers)?,
        })
    }

    /// RFC 6455 §4.1, response check 4: the answer must be that to our key, apart from surrounding whitespace.
    fn check_accept(&self, headers: &Fields<'_>) -> Result<(), HandshakeError> {
        let value = required(headers, &header::SEC_WEBSOCKET_ACCEPT)?;
        if value != self.accept.as_str().as_bytes() {
            return Err(HandshakeError::Accept {
                got: Excerpt::new(value),
            });
        }
        Ok(())
    }

    /// RFC 6455 §4.1, response check 6. A server may also choose none.
    fn chosen_protocol(&self, headers: &Fields<'_>) -> Result<Option<Subprotocol>, HandshakeError> {
        // RFC 6455 §11.3.4: this header must not come more than once in a response.
        let Some(value) = optional(headers, &header::SEC_WEBSOCKET_PROTOCOL)? else {
            return Ok(None);
        };
        match self
            .protocols
            .iter()
            .find(|offered| offered.as_str().as_bytes() == value)
        {
            Some(protocol) => Ok(Some(protocol.clone())),
            None => Err(HandshakeError::Protocol {
                got: Excerpt::new(value),
            }),
        }
    }
}

/// RFC 6455 §4.1, response checks 2 and 3.
fn check_upgrade(headers: &Fields<'_>) -> Result<(), HandshakeError> {
    let upgrade = required(headers, &header::UPGRADE)?;
    if !upgrade.eq_ignore_ascii_case(b"websocket") {
        return Err(HandshakeError::Upgrade {
            got: Excerpt::new(upgrade),
        });
    }
    if header_list::contains(headers, &header::CONNECTION, "upgrade") {
        return Ok(());
    }
    match headers.values(&header::CONNECTION).next() {
        Some(value) => Err(HandshakeError::Connection {
            got: Excerpt::new(value),
        }),
        None => Err(HandshakeError::MissingHeader {
            name: header::CONNECTION,
        }),
    }
}

/// After a 101 response the first byte is that of a frame. A peer, or something on the way, that believes in a body
/// sees other messages than we do (RFC 9110 §8.6, RFC 9112 §6.1).
fn check_no_body(headers: &Fields<'_>) -> Result<(), HandshakeError> {
    if headers.values(&header::TRANSFER_ENCODING).next().is_some() {
        return Err(HandshakeError::Body {
            name: header::TRANSFER_ENCODING,
        });
    }
    match optional(headers, &header::CONTENT_LENGTH)? {
        Some(len) if len != b"0" => Err(HandshakeError::Body {
            name: header::CONTENT_LENGTH,
        }),
        _ => Ok(()),
    }
}

fn required<'a>(headers: &'a Fields<'_>, name: &HeaderName) -> Result<&'a [u8], HandshakeError> {
    let missing = || HandshakeError::MissingHeader { name: name.clone() };
    optional(headers, name)?.ok_or_else(missing)
}

fn optional<'a>(
    headers: &'a Fields<'_>,
    name: &HeaderName,
) -> Result<Option<&'a [u8]>, HandshakeError> {
    header_list::single(headers, name)
        .map_err(|_| HandshakeError::MalformedHeader { name: name.clone() })
}
