//! From addresses to a TCP connection.

use std::net::SocketAddr;

use tokio::net::TcpStream;

use crate::connect::budget::Budget;
use crate::error::Error;
use crate::opening::Addresses;
use crate::timeout::Timeout;

/// Connects to the first address that answers; the error is the last one's.
pub(crate) async fn connect_to_any(
    addresses: &[SocketAddr],
    budget: &Budget,
) -> Result<(TcpStream, Addresses), Error> {
    let mut last_error = Error::timeout(Timeout::Connect);
    for &address in addresses {
        match budget.spend(Timeout::Connect, connect_to(address)).await {
            Ok(connected) => return Ok(connected),
            Err(error) => last_error = error,
        }
        if budget.is_spent() {
            break;
        }
    }
    Err(last_error)
}

async fn connect_to(address: SocketAddr) -> Result<(TcpStream, Addresses), Error> {
    let failed = |error| Error::cannot_connect(address, error);
    let stream = TcpStream::connect(address).await.map_err(failed)?;
    // The socket gathers messages by itself; Nagle's algorithm would only delay the last one.
    stream.set_nodelay(true).map_err(failed)?;
    let addresses = Addresses::of(&stream).map_err(failed)?;
    Ok((stream, addresses))
}
