//! `ws://` and `wss://` addresses (RFC 6455 §3).
//!
//! [`WebSocketUri`] is the only way to say where a client connects to: once it exists, its host, port and resource
//! name can be written into a request without any further check. It resolves no names and opens nothing.
//!
//! What always holds: the text is visible ASCII, the host is a DNS name, an IPv4 or an IPv6 address, the port is not
//! zero, there is neither user information nor a fragment, and the resource name starts with `/`.

use std::error::Error;
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::Range;
use std::str::FromStr;

/// An absolute `ws` or `wss` address (RFC 6455 §3), in normal form.
///
/// Normal form means: scheme and host in lower case, an IPv6 address in its shortest spelling, no port where it is
/// the scheme's default, and `/` for an empty path. Two addresses are equal when their normal forms are.
///
/// ```
/// use twinsock_proto::uri::{Scheme, WebSocketUri};
///
/// let uri: WebSocketUri = "WSS://Echo.Example:443/chat?room=1".parse()?;
/// assert_eq!(uri.scheme(), Scheme::Wss);
/// assert_eq!(uri.host(), "echo.example");
/// assert_eq!(uri.port(), 443);
/// assert_eq!(uri.authority(), "echo.example");
/// assert_eq!(uri.resource(), "/chat?room=1");
/// assert_eq!(uri.to_string(), "wss://echo.example/chat?room=1");
/// # Ok::<(), twinsock_proto::uri::UriError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WebSocketUri {
    text: String,
    scheme: Scheme,
    host: Range<usize>,
    port: u16,
    resource_start: usize,
}

impl WebSocketUri {
    /// Whether the connection is secured by TLS.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The host to connect to, in lower case; an IPv6 address comes without its brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.text[self.host.clone()]
    }

    /// The port to connect to; where the address names none, the scheme's [default](Scheme::default_port).
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Host and port as the `Host` header carries them: the port only where it is not the default (RFC 6455 §4.1).
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.text[self.scheme.prefix().len()..self.resource_start]
    }

    /// The resource name: path and query, `/` for an empty path (RFC 6455 §3).
    #[must_use]
    pub fn resource(&self) -> &str {
        &self.text[self.resource_start..]
    }

    /// The whole address in normal form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    fn assemble(scheme: Scheme, authority: &Authority, resource: &str) -> Self {
        let mut text = scheme.prefix().to_owned();
        let mut host = text.len()..text.len() + authority.host.len();
        if authority.host.starts_with('[') {
            host = host.start + 1..host.end - 1;
        }
        text.push_str(&authority.host);
        let port = authority.port.unwrap_or(scheme.default_port());
        if port != scheme.default_port() {
            text.push_str(&format!(":{port}"));
        }
        let resource_start = text.len();
        // RFC 6455 §3: an empty path component stands for "/".
        if !resource.starts_with('/') {
            text.push('/');
        }
        text.push_str(resource);
        Self {
            text,
            scheme,
            host,
            port,
            resource_start,
        }
    }
}

impl FromStr for WebSocketUri {
    type Err = UriError;

    fn from_str(text: &str) -> Result<Self, UriError> {
        if let Some((position, character)) = text
            .char_indices()
            .find(|(_, character)| !character.is_ascii_graphic())
        {
            return Err(UriError::ForbiddenCharacter {
                character,
                position,
            });
        }
        let (scheme, rest) = split_scheme(text)?;
        // RFC 6455 §3: fragment identifiers are meaningless here and must not be used.
        if rest.contains('#') {
            return Err(UriError::Fragment);
        }
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, resource) = rest.split_at(end);
        let authority = Authority::parse(authority)?;
        check_resource(resource, text.len() - resource.len())?;
        Ok(Self::assemble(scheme, &authority, resource))
    }
}

impl TryFrom<&str> for WebSocketUri {
    type Error = UriError;

    fn try_from(text: &str) -> Result<Self, UriError> {
        text.parse()
    }
}

impl TryFrom<String> for WebSocketUri {
    type Error = UriError;

    fn try_from(text: String) -> Result<Self, UriError> {
        text.parse()
    }
}

impl fmt::Display for WebSocketUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Which of the two schemes an address has (RFC 6455 §3).
///
/// ```
/// use twinsock_proto::uri::Scheme;
/// assert_eq!(Scheme::Wss.default_port(), 443);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// `ws`: over plain TCP.
    Ws,
    /// `wss`: over TLS.
    Wss,
}

impl Scheme {
    /// The scheme in lower case: `ws` or `wss`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ws => "ws",
            Self::Wss => "wss",
        }
    }

    /// The port where an address names none: 80 for `ws`, 443 for `wss` (RFC 6455 §3).
    #[must_use]
    pub fn default_port(self) -> u16 {
        match self {
            Self::Ws => 80,
            Self::Wss => 443,
        }
    }

    fn prefix(self) -> &'static str {
        match self {
            Self::Ws => "ws://",
            Self::Wss => "wss://",
        }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a text is no [`WebSocketUri`], or why a host and port are not valid.
///
/// Quoted parts are at most 64 characters long; user information is never quoted, because it may be a password.
///
/// ```
/// use twinsock_proto::uri::{UriError, WebSocketUri};
///
/// let error = "https://echo.example".parse::<WebSocketUri>().unwrap_err();
/// assert_eq!(error.to_string(), "expected scheme ws or wss, got \"https\" (its WebSocket form is wss)");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UriError {
    /// A control character, a space or a non-ASCII character, at this byte offset.
    ForbiddenCharacter {
        /// The character.
        character: char,
        /// Its offset in bytes.
        position: usize,
    },
    /// The text does not start with `scheme://`.
    NotAbsolute,
    /// The scheme is neither `ws` nor `wss`.
    Scheme {
        /// The scheme that came.
        got: String,
    },
    /// There is a fragment (RFC 6455 §3 forbids it).
    Fragment,
    /// There is a user name or password; credentials belong into an `Authorization` header.
    UserInfo,
    /// There is no host.
    EmptyHost,
    /// The host is neither a DNS name nor an IP address.
    Host {
        /// The host that came.
        got: String,
    },
    /// The port is not a number from 1 to 65535.
    Port {
        /// The port that came.
        got: String,
    },
    /// A `%` that is not followed by two hexadecimal digits, at this byte offset (RFC 3986 §2.1).
    PercentEncoding {
        /// The offset in bytes.
        position: usize,
    },
}

impl fmt::Display for UriError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ForbiddenCharacter {
                character,
                position,
            } => {
                write!(
                    f,
                    "expected characters of RFC 3986, got {character:?} at byte {position}"
                )
            }
            Self::NotAbsolute => {
                f.write_str("expected an address that starts with ws:// or wss://")
            }
            Self::Scheme { got } => {
                write!(f, "expected scheme ws or wss, got {got:?}")?;
                match got.as_str() {
                    "http" => f.write_str(" (its WebSocket form is ws)"),
                    "https" => f.write_str(" (its WebSocket form is wss)"),
                    _ => Ok(()),
                }
            }
            Self::Fragment => f.write_str("expected no fragment, got one after '#'"),
            Self::UserInfo => f.write_str("expected no user information, got some before '@'"),
            Self::EmptyHost => f.write_str("expected a host, got none"),
            Self::Host { got } => write!(f, "expected a DNS name or an IP address, got {got:?}"),
            Self::Port { got } => write!(f, "expected a port from 1 to 65535, got {got:?}"),
            Self::PercentEncoding { position } => {
                write!(
                    f,
                    "expected two hexadecimal digits after '%' at byte {position}"
                )
            }
        }
    }
}

impl Error for UriError {}

/// A host and, if one was named, a port (RFC 3986 §3.2 without user information), as in a `Host` header.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Authority {
    /// In lower case; an IPv6 address in its shortest spelling and with brackets.
    pub(crate) host: String,
    pub(crate) port: Option<u16>,
}

impl Authority {
    pub(crate) fn parse(text: &str) -> Result<Self, UriError> {
        // By bytes: it is short, and a search for characters costs more than it.
        let find = |wanted: u8| text.bytes().position(|byte| byte == wanted);
        if find(b'@').is_some() {
            return Err(UriError::UserInfo);
        }
        let host_end = match find(b']') {
            Some(bracket) => bracket + 1,
            None => find(b':').unwrap_or(text.len()),
        };
        let (host, port) = text.split_at(host_end);
        Ok(Self {
            host: normal_host(host)?,
            port: parse_port(port)?,
        })
    }
}

fn split_scheme(text: &str) -> Result<(Scheme, &str), UriError> {
    let (scheme, rest) = text.split_once("://").ok_or(UriError::NotAbsolute)?;
    if scheme.eq_ignore_ascii_case("ws") {
        return Ok((Scheme::Ws, rest));
    }
    if scheme.eq_ignore_ascii_case("wss") {
        return Ok((Scheme::Wss, rest));
    }
    // What precedes "://" may belong to a path or query; only RFC 3986 §3.1's grammar makes it a scheme.
    if !is_scheme(scheme) {
        return Err(UriError::NotAbsolute);
    }
    Err(UriError::Scheme {
        got: bounded(&scheme.to_ascii_lowercase()),
    })
}

/// RFC 3986 §3.1: a letter, then letters, digits, `+`, `-` and `.`.
pub(crate) fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
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
    let refused = || UriError::Port {
        got: bounded(text.strip_prefix(':').unwrap_or(text)),
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

/// RFC 3986 §3.3 and §3.4: the characters of a path and a query.
fn check_resource(resource: &str, offset: usize) -> Result<(), UriError> {
    let bytes = resource.as_bytes();
    for (index, &byte) in bytes.iter().enumerate() {
        let position = offset + index;
        if byte == b'%' {
            let digits = bytes.get(index + 1..index + 3);
            if !digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)) {
                return Err(UriError::PercentEncoding { position });
            }
        } else if !byte.is_ascii_alphanumeric() && !b"-._~!$&'()*+,;=:@/?".contains(&byte) {
            return Err(UriError::ForbiddenCharacter {
                character: char::from(byte),
                position,
            });
        }
    }
    Ok(())
}

fn bounded(text: &str) -> String {
    text.chars().take(MAX_QUOTED).collect()
}

const MAX_QUOTED: usize = 64;
