//! Proxies: what one is, and which one is used for which address.

mod address;
mod choice;
mod environment;
mod exceptions;

use std::fmt;
use std::str::FromStr;

use twinsock_proto::authentication::Credential;
use twinsock_proto::uri::WebSocketUri;

pub use crate::proxy::choice::ProxyChoice;

use crate::error::Error;
use crate::proxy::exceptions::Exceptions;
use crate::tls::ClientTls;

/// A proxy through which a client connects: its scheme, host and port, and perhaps a name and a
/// password for it (`Control.ProxyCredential` in UWP).
///
/// An address is written as for curl, `[scheme://][user:password@]host[:port]`:
///
/// | scheme | the proxy speaks | port without one |
/// | --- | --- | --- |
/// | `http`, or none | HTTP CONNECT over TCP | 1080 |
/// | `https` | HTTP CONNECT over TLS | 443 |
/// | `socks5` | SOCKS5; this end finds the address of the server's name | 1080 |
/// | `socks5h` | SOCKS5; the proxy finds it | 1080 |
///
/// In a user name or a password signs such as `@`, `:`, `/` and `%` are percent-encoded. Neither is
/// ever part of an error's text, and `Display` shows neither; `Debug` shows the user name.
///
/// ```
/// use twinsock::{Proxy, ProxyScheme};
///
/// let proxy = Proxy::parse("socks5h://me:p%40ss@proxy.example:9050")?;
/// assert_eq!(proxy.scheme(), ProxyScheme::Socks5h);
/// assert_eq!((proxy.host(), proxy.port()), ("proxy.example", 9050));
/// assert_eq!(proxy.to_string(), "socks5h://proxy.example:9050");
/// # Ok::<(), twinsock::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Proxy {
    scheme: ProxyScheme,
    /// Host and port, as if a WebSocket were to be there: what reaches such a server reaches the
    /// proxy too.
    address: WebSocketUri,
    credential: Option<Credential>,
    tls: Option<ClientTls>,
    exceptions: Exceptions,
}

/// What a proxy speaks; see [`Proxy`] for an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ProxyScheme {
    /// HTTP CONNECT over TCP.
    Http,
    /// HTTP CONNECT over TLS.
    Https,
    /// SOCKS5, with the address of the server's name found by this end.
    Socks5,
    /// SOCKS5, with the address found by the proxy.
    Socks5h,
}

impl Proxy {
    /// Reads an address such as `http://proxy.example:3128`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) for a scheme that is not
    /// in the list above, such as `socks4` and `socks4a`; for a host or port that cannot be; for
    /// anything behind the port but one slash.
    pub fn parse(address: &str) -> Result<Self, Error> {
        address::parse(address)
            .map_err(|fault| Error::invalid_argument(format!("the proxy's address: {fault}")))
    }

    /// The name and the password for the proxy, in place of those in its address.
    ///
    /// ```
    /// use twinsock::{Credential, Proxy};
    ///
    /// let credential = Credential::new("me", "secret")?;
    /// let proxy = Proxy::parse("proxy.example:3128")?.credential(credential);
    /// assert!(!format!("{proxy:?}").contains("secret"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn credential(mut self, credential: Credential) -> Self {
        self.credential = Some(credential);
        self
    }

    /// The settings of TLS with an `https` proxy; [`ClientTls::default`](crate::ClientTls) by
    /// default. Those for the server are set apart from them.
    #[must_use]
    pub fn tls(mut self, tls: ClientTls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// Hosts that are connected to without this proxy, written as in the variable `no_proxy`; see
    /// [`ProxyChoice`]. A second list takes the place of the first.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) for an entry that no host
    /// can match, such as one with a port.
    ///
    /// ```
    /// let proxy = twinsock::Proxy::parse("proxy.example")?.except("localhost, .lan, 10.0.0.0/8")?;
    /// # Ok::<(), twinsock::Error>(())
    /// ```
    pub fn except(mut self, hosts: &str) -> Result<Self, Error> {
        self.exceptions = Exceptions::strict(hosts).map_err(Error::invalid_argument)?;
        Ok(self)
    }

    /// What the proxy speaks.
    #[must_use]
    pub fn scheme(&self) -> ProxyScheme {
        self.scheme
    }

    /// The proxy's host, in lower case; an IPv6 address comes without its brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        self.address.host()
    }

    /// The proxy's port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Host and port, and the zone of a link-local address; the rest says nothing.
    pub(crate) fn address(&self) -> &WebSocketUri {
        &self.address
    }

    /// The name and the password for the proxy, if it was given any.
    pub(crate) fn given_credential(&self) -> Option<&Credential> {
        self.credential.as_ref()
    }

    /// The settings of TLS with this proxy, if there are any.
    pub(crate) fn own_tls(&self) -> Option<&ClientTls> {
        self.tls.as_ref()
    }

    fn is_for(&self, host: &str) -> bool {
        !self.exceptions.contain(host)
    }
}

/// Reads an address, as [`Proxy::parse`] does.
impl FromStr for Proxy {
    type Err = Error;

    fn from_str(address: &str) -> Result<Self, Error> {
        Self::parse(address)
    }
}

/// Reads an address, as [`Proxy::parse`] does.
impl TryFrom<&str> for Proxy {
    type Error = Error;

    fn try_from(address: &str) -> Result<Self, Error> {
        Self::parse(address)
    }
}

/// The address without user name and password.
impl fmt::Display for Proxy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = self.scheme;
        let host_and_port = self.address.as_str().trim_start_matches("ws://");
        let host_and_port = host_and_port.trim_end_matches('/');
        write!(formatter, "{scheme}://{host_and_port}")?;
        match self.port() {
            // The normal form of an address leaves it out.
            80 => formatter.write_str(":80"),
            _ => Ok(()),
        }
    }
}

impl ProxyScheme {
    /// The port where an address names none, as curl has it.
    fn default_port(self) -> u16 {
        match self {
            Self::Https => 443,
            Self::Http | Self::Socks5 | Self::Socks5h => 1080,
        }
    }
}

/// As an address has it: `http`, `https`, `socks5` or `socks5h`.
impl fmt::Display for ProxyScheme {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Http => "http",
            Self::Https => "https",
            Self::Socks5 => "socks5",
            Self::Socks5h => "socks5h",
        })
    }
}
