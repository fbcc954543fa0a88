use std::borrow::Cow;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::Range;

use super::error::{UriError, bounded};
use super::international::to_ascii;

/// A host and, if one was named, a port (RFC 3986 §3.2 without user information), as in a `Host` header.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Authority {
    /// In lower case; an IPv6 address in its shortest spelling and with brackets.
    pub(crate) host: String,
    pub(crate) port: Option<u16>,
}

impl Authority {
    /// Reads what must be ASCII, as a header is.
    pub(crate) fn parse(text: &str) -> Result<Self, UriError> {
        let (host, port) = split(text)?;
        Ok(Self {
            host: normal_host(host)?,
            port: parse_port(port)?,
        })
    }

    /// The same where the host may be of any script.
    pub(super) fn parse_international(text: &str) -> Result<Self, UriError> {
        let (host, port) = split(text)?;
        let host = if host.is_ascii() {
            Cow::Borrowed(host)
        } else {
            to_ascii(host)?
        };
        Ok(Self {
            host: normal_host(&host)?,
            port: parse_port(port)?,
        })
    }
}

/// Where in `text` the authority is that begins at `start` (RFC 3986 §3.2).
pub(super) fn authority_range(text: &str, start: usize) -> Range<usize> {
    let rest = text.get(start..).unwrap_or_default();
    start..start + rest.find(['/', '?', '#']).unwrap_or(rest.len())
}

/// All is visible ASCII; only an authority may have more than that, and is judged by itself.
pub(super) fn check_characters(text: &str, authority: Range<usize>) -> Result<(), UriError> {
    let is_allowed = |position, character: char| {
        character.is_ascii_graphic() || !character.is_ascii() && authority.contains(&position)
    };
    match text
        .char_indices()
        .find(|&(position, character)| !is_allowed(position, character))
    {
        Some((position, character)) => Err(UriError::ForbiddenCharacter {
            character,
            position,
        }),
        None => Ok(()),
    }
}

fn split(text: &str) -> Result<(&str, &str), UriError> {
    // By bytes: it is short, and a search for characters costs more than it.
    let find = |wanted: u8| text.bytes().position(|byte| byte == wanted);
    if find(b'@').is_some() {
        return Err(UriError::UserInfo);
    }
    let host_end = match find(b']') {
        Some(bracket) => bracket + 1,
        None => find(b':').unwrap_or(text.len()),
    };
    Ok(text.split_at(host_end))
}

fn normal_host(host: &str) -> Result<String, UriError> {
    let refused = || UriError::Host { got: bounded(host) };
    if host.is_empty() {
        return Err(UriError::EmptyHost);
    }
    if let Some(literal) = host.strip_prefix('[') {
        let literal = literal.strip_suffix(']').ok_or_else(refused)?;
        let address: Ipv6Addr = literal.parse().map_err(|_| refused())?;
        return Ok(format!("[{address}]"));
    }
    if !is_dns_name(host) || is_broken_ipv4(host) {
        return Err(refused());
    }
    Ok(host.to_ascii_lowercase())
}

/// RFC 3986 §3.2.2 leaves a registered name to the naming system: DNS, whose limits are RFC 1035 §2.3.4.
/// The underscore is not in a host name's grammar, but in names that are in use.
fn is_dns_name(host: &str) -> bool {
    let name = host.strip_suffix('.').unwrap_or(host);
    name.len() <= 253
        && name.as_bytes().split(|&byte| byte == b'.').all(|label| {
            (1..=63).contains(&label.len())
                && label
                    .iter()
                    .all(|&byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
        })
}

/// Resolvers read "127.1" or "1.2.3.0400" as addresses, each in its own way; a filter that reads them in another is
/// deceived. What ends in a number must therefore be a dotted quad.
fn is_broken_ipv4(host: &str) -> bool {
    let name = host.strip_suffix('.').unwrap_or(host);
    let mut labels = name.as_bytes().rsplit(|&byte| byte == b'.');
    let last = labels.next().unwrap_or_default();
    let digits = last.strip_prefix(b"0x").or(last.strip_prefix(b"0X"));
    let is_number = last.iter().all(u8::is_ascii_digit)
        || digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit));
    is_number && name.parse::<Ipv4Addr>().is_err()
}

/// RFC 3986 §3.2.3 allows a colon with nothing after it; it then stands for the default port.
fn parse_port(text: &str) -> Result<Option<u16>, UriError> {
    let refused = || {
        let got = text.strip_prefix(':').unwrap_or(text);
        // What is no number may be a password whose '@' was forgotten.
        let is_number = got.bytes().all(|byte| byte.is_ascii_digit());
        let got = if is_number {
            bounded(got)
        } else {
            "…".to_owned()
        };
        UriError::Port { got }
    };
    if text.is_empty() || text == ":" {
        return Ok(None);
    }
    let digits = text.strip_prefix(':').ok_or_else(refused)?;
    // `u16::from_str` would take a leading plus sign.
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(refused());
    }
    match digits.parse() {
        Ok(0) | Err(_) => Err(refused()),
        Ok(port) => Ok(Some(port)),
    }
}
