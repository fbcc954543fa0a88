//! `ws://` and `wss://` addresses (RFC 6455 §3).
//!
//! [`WebSocketUri`] is the only way to say where a client connects to: once it exists, its host, port and resource
//! name can be written into a request without any further check. It resolves no names and opens nothing.
//!
//! What always holds: the text is visible ASCII, the host is a DNS name, an IPv4 or an IPv6 address, the port is not
//! zero, there is neither user information nor a fragment, and the resource name starts with `/`.
//!
//! A link-local IPv6 address may have a zone (RFC 6874). With the feature `idn` a host that is not ASCII is converted
//! to its `xn--` form, as browsers do (UTS 46, non-transitional); without it such a host is an error.

mod authority;
mod destination;
mod error;
mod international;
mod reference;
mod resource;
mod scheme;
mod zone;

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

pub(crate) use authority::Authority;
pub use destination::Destination;
pub use error::UriError;
pub use scheme::Scheme;
pub(crate) use scheme::is_scheme;

use authority::{authority_range, check_characters};
use resource::check_resource;
use zone::Zone;

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
    zone: Option<Zone>,
}

impl WebSocketUri {
    /// Whether the connection is secured by TLS.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The host to connect to, in lower case; an IPv6 address comes without its brackets and its zone.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.text[self.host.clone()]
    }

    /// The port to connect to; where the address names none, the scheme's [default](Scheme::default_port).
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The zone of a link-local IPv6 address, such as `eth0`: the interface to connect through (RFC 6874).
    ///
    /// It says something to this host alone, so no header carries it.
    ///
    /// ```
    /// use twinsock_proto::uri::WebSocketUri;
    ///
    /// let uri: WebSocketUri = "ws://[fe80::1%25eth0]/".parse()?;
    /// assert_eq!((uri.host(), uri.zone()), ("fe80::1", Some("eth0")));
    /// assert_eq!(uri.authority(), "[fe80::1]");
    /// # Ok::<(), twinsock_proto::uri::UriError>(())
    /// ```
    #[must_use]
    pub fn zone(&self) -> Option<&str> {
        self.zone.as_ref().map(Zone::id)
    }

    /// Host and port as the `Host` header carries them: the port only where it is not the default (RFC 6455 §4.1),
    /// and no zone (RFC 6874 §4).
    #[must_use]
    pub fn authority(&self) -> &str {
        match &self.zone {
            Some(zone) => zone.authority(),
            None => &self.text[self.scheme.prefix().len()..self.resource_start],
        }
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

    /// Whether both have the same origin: scheme, host and port are equal (RFC 6454 §4); and the zone, if any.
    ///
    /// What one origin was told in confidence, such as a password or a cookie, another one must not be told.
    ///
    /// ```
    /// use twinsock_proto::uri::WebSocketUri;
    ///
    /// let uri: WebSocketUri = "wss://a.example/".parse()?;
    /// assert!(uri.same_origin(&"wss://A.example:443/chat?x".parse()?));
    /// assert!(!uri.same_origin(&"ws://a.example:443/".parse()?));
    /// # Ok::<(), twinsock_proto::uri::UriError>(())
    /// ```
    #[must_use]
    pub fn same_origin(&self, other: &Self) -> bool {
        let origin = |uri: &Self| uri.resource_start;
        self.text[..origin(self)] == other.text[..origin(other)]
    }

    /// What `authority` and `resource` make, each as an address has it.
    fn assemble(scheme: Scheme, authority: &str, resource: &str) -> Result<Self, UriError> {
        let (authority, zone_id) = Zone::cut_out(authority)?;
        let authority = Authority::parse_international(&authority)?;
        let mut text = scheme.prefix().to_owned();
        let mut host = text.len()..text.len() + authority.host.len();
        if authority.host.starts_with('[') {
            host = host.start + 1..host.end - 1;
        }
        let port = authority.port.unwrap_or(scheme.default_port());
        let mut host_and_port = authority.host;
        if port != scheme.default_port() {
            host_and_port.push_str(&format!(":{port}"));
        }
        text.push_str(&host_and_port);
        let zone = zone_id.map(|id| Zone::new(id, host_and_port));
        if let Some(zone) = &zone {
            text.insert_str(host.end, &zone.encoded());
        }
        let resource_start = text.len();
        // RFC 6455 §3: an empty path component stands for "/".
        if !resource.starts_with('/') {
            text.push('/');
        }
        text.push_str(resource);
        Ok(Self {
            text,
            scheme,
            host,
            port,
            resource_start,
            zone,
        })
    }
}

impl FromStr for WebSocketUri {
    type Err = UriError;

    fn from_str(text: &str) -> Result<Self, UriError> {
        let start = text.find("://").map_or(text.len(), |scheme| scheme + 3);
        check_characters(text, authority_range(text, start))?;
        let (scheme, rest) = split_scheme(text)?;
        // RFC 6455 §3: fragment identifiers are meaningless here and must not be used.
        if rest.contains('#') {
            return Err(UriError::Fragment);
        }
        let (authority, resource) = rest.split_at(authority_range(rest, 0).end);
        let uri = Self::assemble(scheme, authority, resource)?;
        check_resource(resource, text.len() - resource.len())?;
        Ok(uri)
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
        got: error::bounded(&scheme.to_ascii_lowercase()),
    })
}
