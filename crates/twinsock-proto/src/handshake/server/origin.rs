use std::error::Error;
use std::fmt;
use std::str::FromStr;

use crate::handshake::excerpt::Excerpt;
use crate::uri::{Authority, is_scheme};

/// Where a web page comes from: `scheme://host` with an optional port (RFC 6454 §6.2), in normal form.
///
/// Scheme and host are compared in lower case, and the default port of `http` and `https` equals no port. `null`, a
/// path and user information are refused.
///
/// ```
/// use twinsock_proto::handshake::server::Origin;
///
/// let origin: Origin = "HTTPS://Game.Example:443".parse()?;
/// assert_eq!(origin.to_string(), "https://game.example");
/// assert!("https://game.example/".parse::<Origin>().is_err());
/// # Ok::<(), twinsock_proto::handshake::server::OriginError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin {
    scheme: String,
    authority: Authority,
}

impl Origin {
    /// Whether this is a web page of the host that `host` names. A `Host` header without a port means the default
    /// port of the page's scheme, because how the server is reached is not known here.
    pub(super) fn is_at(&self, host: &Authority) -> bool {
        let Some(default) = default_port(&self.scheme) else {
            return false;
        };
        self.authority.host == host.host
            && self.authority.port.unwrap_or(default) == host.port.unwrap_or(default)
    }
}

impl FromStr for Origin {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, OriginError> {
        let refused = || OriginError {
            got: Excerpt::new(text.as_bytes()),
        };
        let (scheme, authority) = text.split_once("://").ok_or_else(refused)?;
        if !is_scheme(scheme) {
            return Err(refused());
        }
        let scheme = scheme.to_ascii_lowercase();
        let mut authority = Authority::parse(authority).map_err(|_| refused())?;
        authority.port = authority
            .port
            .filter(|&port| default_port(&scheme) != Some(port));
        Ok(Self { scheme, authority })
    }
}

impl TryFrom<&str> for Origin {
    type Error = OriginError;

    fn try_from(text: &str) -> Result<Self, OriginError> {
        text.parse()
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.authority.host)?;
        self.authority
            .port
            .map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

/// A text that is no [`Origin`].
///
/// ```
/// use twinsock_proto::handshake::server::Origin;
/// let error = "null".parse::<Origin>().unwrap_err();
/// assert_eq!(error.to_string(), r#"expected an origin of the form scheme://host:port, got "null""#);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OriginError {
    got: Excerpt,
}

impl fmt::Display for OriginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "expected an origin of the form scheme://host:port, got {}",
            self.got
        )
    }
}

impl Error for OriginError {}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}
