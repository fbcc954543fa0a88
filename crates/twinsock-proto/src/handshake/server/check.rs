//! The checks that RFC 6455 §4.2.1 asks of a server before it believes in a request.
//!
//! Their order is from the message to the handshake: a request that is no sound HTTP is told so before it is asked
//! for an upgrade, and the version is settled before the headers whose meaning depends on it.

use std::collections::HashSet;

use http::Uri;
use http::header::{self, HeaderName, HeaderValue};

use crate::deflate::parameter_list::ParameterList;
use crate::handshake::error::RequestError;
use crate::handshake::excerpt::Excerpt;
use crate::handshake::extension;
use crate::handshake::head_parser::RequestLines;
use crate::handshake::header_list::{self, HeaderLines as _};
use crate::handshake::key::Key;
use crate::handshake::subprotocol::Subprotocol;
use crate::uri::Authority;

/// The header lines as they stand in the request's bytes.
type Fields<'a> = [httparse::Header<'a>];

/// What a sound request says.
#[derive(Debug)]
pub(super) struct Checked {
    pub(super) host: Authority,
    pub(super) key: Key,
    pub(super) protocols: Vec<Subprotocol>,
    pub(super) deflate: Option<ParameterList>,
    pub(super) origin: Option<HeaderValue>,
}

pub(super) fn check(request: &RequestLines<'_>) -> Result<Checked, RequestError> {
    let headers = request.headers;
    check_method(request.method)?;
    let host = host(headers, &request.target)?;
    check_no_body(headers)?;
    check_upgrade(headers)?;
    check_version(headers)?;
    let key = required(headers, &header::SEC_WEBSOCKET_KEY)?;
    let key = Key::from_header(key).map_err(RequestError::Key)?;
    let protocols = protocols(headers)?;
    let deflate = deflate_offer(headers)?;
    // RFC 6454 §7.3: no more than one; which of two would be the page's nobody could say.
    let origin = optional(headers, &header::ORIGIN)?;
    Ok(Checked {
        host,
        key,
        protocols,
        deflate,
        origin: origin.and_then(|origin| HeaderValue::from_bytes(origin).ok()),
    })
}

fn check_method(method: &str) -> Result<(), RequestError> {
    if method != "GET" {
        return Err(RequestError::Method {
            got: Excerpt::new(method.as_bytes()),
        });
    }
    Ok(())
}

/// RFC 9112 §3.2: exactly one valid `Host`, else 400. §3.2.2: where the target is absolute, its host counts.
fn host(headers: &Fields<'_>, target: &Uri) -> Result<Authority, RequestError> {
    let value = required(headers, &header::HOST)?;
    let text = str::from_utf8(value).ok().filter(|text| text.is_ascii());
    let text = text.ok_or(RequestError::MalformedHeader { name: header::HOST })?;
    let host = Authority::parse(text).map_err(RequestError::Host)?;
    match target.authority() {
        Some(authority) => Authority::parse(authority.as_str()).map_err(RequestError::Host),
        None => Ok(host),
    }
}

/// The byte after the head is that of a frame. Something on the way that believes in a body would see other messages
/// than we do (RFC 9112 §11.2).
fn check_no_body(headers: &Fields<'_>) -> Result<(), RequestError> {
    if headers.values(&header::TRANSFER_ENCODING).next().is_some() {
        return Err(RequestError::Body {
            name: header::TRANSFER_ENCODING,
        });
    }
    match optional(headers, &header::CONTENT_LENGTH)? {
        Some(len) if len != b"0" => Err(RequestError::Body {
            name: header::CONTENT_LENGTH,
        }),
        _ => Ok(()),
    }
}

/// RFC 6455 §4.2.1, items 3 and 4. Other protocols and options may be listed too.
fn check_upgrade(headers: &Fields<'_>) -> Result<(), RequestError> {
    for (name, wanted) in [
        (header::UPGRADE, "websocket"),
        (header::CONNECTION, "upgrade"),
    ] {
        if !header_list::contains(headers, &name, wanted) {
            return Err(RequestError::NotUpgrade { name });
        }
    }
    Ok(())
}

/// RFC 6455 §4.2.1, item 6, and §4.4. A request without a version is answered like one of another version: with the
/// version that would have worked.
fn check_version(headers: &Fields<'_>) -> Result<(), RequestError> {
    match optional(headers, &header::SEC_WEBSOCKET_VERSION)? {
        Some(b"13") => Ok(()),
        got => Err(RequestError::Version {
            got: got.map(Excerpt::new),
        }),
    }
}

/// RFC 6455 §4.1, item 10: tokens, each of them once. §11.3.4: perhaps in several lines.
fn protocols(headers: &Fields<'_>) -> Result<Vec<Subprotocol>, RequestError> {
    let name = header::SEC_WEBSOCKET_PROTOCOL;
    let Ok(offered) = header_list::tokens(headers, &name) else {
        return Err(RequestError::MalformedHeader { name });
    };
    // A set, because a search for each of thousands of short names would be quadratic.
    let mut seen = HashSet::with_capacity(offered.len());
    let mut protocols = Vec::with_capacity(offered.len());
    for offered in offered {
        let parsed = offered.parse::<Subprotocol>();
        let protocol = parsed.map_err(|_| RequestError::MalformedHeader { name: name.clone() })?;
        if !seen.insert(offered) {
            return Err(RequestError::RepeatedProtocol { protocol });
        }
        protocols.push(protocol);
    }
    Ok(protocols)
}

/// Other extensions are declined by saying nothing (RFC 6455 §9.1). But a malformed header must fail the connection
/// even where none is wanted.
fn deflate_offer(headers: &Fields<'_>) -> Result<Option<ParameterList>, RequestError> {
    let name = header::SEC_WEBSOCKET_EXTENSIONS;
    extension::offer(headers, &name).map_err(|_| RequestError::MalformedHeader { name })
}

fn required<'a>(headers: &'a Fields<'_>, name: &HeaderName) -> Result<&'a [u8], RequestError> {
    let missing = || RequestError::MissingHeader { name: name.clone() };
    optional(headers, name)?.ok_or_else(missing)
}

fn optional<'a>(
    headers: &'a Fields<'_>,
    name: &HeaderName,
) -> Result<Option<&'a [u8]>, RequestError> {
    header_list::single(headers, name)
        .map_err(|_| RequestError::MalformedHeader { name: name.clone() })
}
