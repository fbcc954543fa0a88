//! Which proxy is used for which address.

use twinsock_proto::uri::WebSocketUri;

use crate::error::Error;
use crate::proxy::{Proxy, environment};

/// Which proxy a client connects through.
///
/// # From the environment
/// As with curl, each address has its own variables, of which the first counts that is set and
/// not empty:
///
/// | address | variables |
/// | --- | --- |
/// | `ws://` | `ws_proxy`, `WS_PROXY`, `http_proxy`, `all_proxy`, `ALL_PROXY` |
/// | `wss://` | `wss_proxy`, `WSS_PROXY`, `https_proxy`, `HTTPS_PROXY`, `all_proxy`, `ALL_PROXY` |
///
/// `HTTP_PROXY` is not read, because a web server that runs a program by CGI lets its clients set
/// it; on Windows, where `http_proxy` is the same variable, it is. A value is an address as [`Proxy::parse`] reads it; one that it refuses is an error when
/// connecting. They are read at each connecting.
///
/// Hosts in `no_proxy`, else `NO_PROXY`, are connected to directly. It is a single `*` for all
/// hosts, or a list with commas or blanks between the entries:
/// * `example.com` or `.example.com` is this name and all names that end in `.example.com`;
/// * `192.0.2.1`, `::1` or `[::1]` is this address;
/// * `10.0.0.0/8` or `fd00::/8` are the addresses that begin with the same 8 bits.
///
/// Only the host that is connected to counts, as it is written: names are not resolved for it, and
/// an entry with a port or another `*` names no host.
///
/// # A fixed proxy
/// A proxy that the program itself names is used for all addresses but those of its own list
/// ([`Proxy::except`]). `no_proxy` does not count for it (for curl it does): who names a proxy for
/// the sake of anonymity must not have the environment lead past it.
///
/// ```
/// use twinsock::{Proxy, ProxyChoice};
///
/// let choice = ProxyChoice::from(Proxy::parse("socks5h://127.0.0.1:9050")?);
/// assert!(matches!(choice, ProxyChoice::Fixed(_)));
/// assert!(matches!(ProxyChoice::default(), ProxyChoice::FromEnvironment));
/// # Ok::<(), twinsock::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum ProxyChoice {
    /// The one that the environment names for the address, if any.
    #[default]
    FromEnvironment,
    /// None: connections are direct, whatever the environment says.
    Direct,
    /// This one.
    Fixed(Proxy),
}

impl ProxyChoice {
    /// The proxy for `uri`; `None` for a direct connection.
    pub(crate) fn proxy_for(&self, uri: &WebSocketUri) -> Result<Option<Proxy>, Error> {
        match self {
            // The only place that reads the environment.
            Self::FromEnvironment => environment::proxy_for(uri, |name| std::env::var_os(name)),
            Self::Direct => Ok(None),
            Self::Fixed(proxy) => Ok(proxy.is_for(uri.host()).then(|| proxy.clone())),
        }
    }
}

/// A fixed proxy.
impl From<Proxy> for ProxyChoice {
    fn from(proxy: Proxy) -> Self {
        Self::Fixed(proxy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fixed_proxy_is_used_but_for_its_own_exceptions() {
        let proxy = Proxy::parse("proxy.example:3128").unwrap();
        let proxy = proxy.except("near.example").unwrap();
        let choice = ProxyChoice::from(proxy);
        let host = |uri: &str| {
            let found = choice.proxy_for(&uri.parse().unwrap()).unwrap();
            found.map(|proxy| proxy.to_string())
        };
        assert_eq!(
            host("wss://far.example").as_deref(),
            Some("http://proxy.example:3128")
        );
        assert_eq!(host("wss://www.near.example"), None);
    }

    #[test]
    fn direct_is_without_a_proxy() {
        let uri = "ws://far.example".parse().unwrap();
        assert!(ProxyChoice::Direct.proxy_for(&uri).unwrap().is_none());
    }
}
