use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use super::WebSocketUri;
use super::authority::Authority;
use super::error::UriError;

/// A host and a port: where a proxy's tunnel is to end.
///
/// The host is a DNS name, which the proxy resolves, or an IP address. It has no zone: a proxy knows nothing of our
/// links.
///
/// ```
/// use twinsock_proto::uri::{Destination, WebSocketUri};
///
/// let destination = Destination::new("Game.example", 443)?;
/// assert_eq!(destination.to_string(), "game.example:443");
/// let uri: WebSocketUri = "wss://game.example/live".parse()?;
/// assert_eq!(Destination::from(&uri), destination);
/// assert_eq!(Destination::new("::1", 80)?.to_string(), "[::1]:80");
/// # Ok::<(), twinsock_proto::uri::UriError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Destination {
    /// Host and port; an IPv6 address has its brackets.
    text: String,
    port: u16,
}

impl Destination {
    /// `host` is a DNS name of at most 254 bytes, or an IP address; an IPv6 address may have brackets.
    ///
    /// # Errors
    ///
    /// [`UriError`], when `host` is neither, or `port` is zero.
    pub fn new(host: &str, port: u16) -> Result<Self, UriError> {
        let is_bare_address = host.parse::<Ipv6Addr>().is_ok();
        let host = if is_bare_address {
            format!("[{host}]")
        } else {
            host.to_owned()
        };
        let authority = Authority::parse_international(&format!("{host}:{port}"))?;
        Ok(Self {
            text: format!("{}:{port}", authority.host),
            port,
        })
    }

    /// The host, in lower case; an IPv6 address comes without its brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        let host = self.text.rsplit_once(':').map_or("", |(host, _)| host);
        let address = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'));
        address.unwrap_or(host)
    }

    /// The port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Host and port as the target of a CONNECT request has them (RFC 9110 §9.3.6): the port is always there.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The host, if it is an address.
    pub(crate) fn address(&self) -> Option<IpAddr> {
        self.host().parse().ok()
    }
}

impl From<&WebSocketUri> for Destination {
    fn from(uri: &WebSocketUri) -> Self {
        let port = uri.port();
        let text = if uri.host().contains(':') {
            format!("[{}]:{port}", uri.host())
        } else {
            format!("{}:{port}", uri.host())
        };
        Self { text, port }
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
