//! From a host's name to its addresses.

use std::net::{IpAddr, SocketAddr};

use twinsock_proto::uri::WebSocketUri;

use crate::error::Error;

/// The addresses of the host, in the system's order of preference.
pub(crate) async fn addresses(uri: &WebSocketUri) -> Result<Vec<SocketAddr>, Error> {
    let (host, port) = (uri.host(), uri.port());
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let found = tokio::net::lookup_host((host, port))
        .await
        .map_err(|error| Error::name_not_resolved(host, error))?;
    let mut addresses = Vec::new();
    for address in found {
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    if addresses.is_empty() {
        Err(Error::no_address(host))
    } else {
        Ok(addresses)
    }
}
