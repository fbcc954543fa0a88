//! Zones of IPv6 addresses (RFC 6874).

use std::borrow::Cow;
use std::net::Ipv6Addr;

use super::error::{UriError, bounded};

/// The zone of an address, and what a `Host` header says of that address.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Zone {
    id: String,
    authority: String,
}

impl Zone {
    pub(super) fn new(id: String, authority: String) -> Self {
        Self { id, authority }
    }

    /// Its name, unescaped.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// Host and port without it.
    pub(super) fn authority(&self) -> &str {
        &self.authority
    }

    /// As it stands in an address.
    pub(super) fn encoded(&self) -> String {
        let mut encoded = String::from("%25");
        for byte in self.id.bytes() {
            if is_unreserved(byte) {
                encoded.push(char::from(byte));
            } else {
                encoded.push_str(&format!("%{byte:02X}"));
            }
        }
        encoded
    }

    /// Gives an authority without the zone that its address may have, and that zone's name.
    pub(super) fn cut_out(authority: &str) -> Result<(Cow<'_, str>, Option<String>), UriError> {
        // What precedes an '@' may be a password; it is refused elsewhere, without a word of it.
        let literal = authority
            .strip_prefix('[')
            .filter(|literal| !literal.contains('@'));
        let Some((address, after)) = literal.and_then(|literal| literal.split_once('%')) else {
            return Ok((Cow::Borrowed(authority), None));
        };
        let refused = || UriError::Zone {
            got: bounded(authority),
        };
        let (zone, after) = after.split_once(']').ok_or_else(refused)?;
        // RFC 6874 §2: the percent sign is itself escaped.
        let zone = zone.strip_prefix("25").and_then(decode);
        // RFC 6874 §1: a zone tells apart addresses that several links may have.
        let is_link_local = address
            .parse()
            .is_ok_and(|address: Ipv6Addr| address.is_unicast_link_local());
        match zone.filter(|_| is_link_local) {
            Some(zone) => Ok((Cow::Owned(format!("[{address}]{after}")), Some(zone))),
            None => Err(refused()),
        }
    }
}

/// RFC 6874 §2: unreserved characters and escapes, at least one; what they stand for must be visible.
fn decode(encoded: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'%' {
            bytes.push(Some(byte).filter(|&byte| is_unreserved(byte))?);
            continue;
        }
        let (&digits, after) = after.split_first_chunk::<2>()?;
        let digit = |digit: u8| char::from(digit).to_digit(16);
        bytes.push(u8::try_from(digit(digits[0])? * 16 + digit(digits[1])?).ok()?);
        rest = after;
    }
    String::from_utf8(bytes)
        .ok()
        .filter(|zone| !zone.is_empty() && !zone.chars().any(char::is_control))
}

/// RFC 3986 §2.3.
fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}
