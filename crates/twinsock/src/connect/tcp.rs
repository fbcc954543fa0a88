//! From addresses to a TCP connection.

use std::net::SocketAddr;

use socket2::SockRef;
use tokio::net::{TcpSocket, TcpStream};

use crate::connect::options::ConnectOptions;
use crate::connect::{Attempt, ConnectPhase};
use crate::error::Error;
use crate::opening::Addresses;
use crate::timeout::Timeout;

/// Connects to the first address that answers, of as many as may be tried; the error is the last
/// one's.
pub(crate) async fn connect_to_any(
    addresses: &[SocketAddr],
    attempt: &mut Attempt<'_>,
) -> Result<(TcpStream, Addresses), Error> {
    let Attempt {
        options,
        budget,
        report,
    } = attempt;
    let mut last_error = Error::timeout(Timeout::Connect);
    for &address in addresses.iter().take(options.max_addresses) {
        let connecting = budget.spend(Timeout::Connect, connect_to(address, options));
        let subject = address.to_string();
        match report
            .record(ConnectPhase::Connect, subject, connecting)
            .await
        {
            Ok(connected) => return Ok(connected),
            Err(error) => last_error = error,
        }
        if budget.is_spent() {
            break;
        }
    }
    Err(last_error)
}

async fn connect_to(
    address: SocketAddr,
    options: &ConnectOptions,
) -> Result<(TcpStream, Addresses), Error> {
    let connect = async {
        let socket = match address {
            SocketAddr::V4(_) => TcpSocket::new_v4(),
            SocketAddr::V6(_) => TcpSocket::new_v6(),
        }?;
        options.tcp.prepare(&SockRef::from(&socket))?;
        let stream = socket.connect(address).await?;
        let send_timeout = options.timeouts.send;
        options.tcp.apply(&SockRef::from(&stream), send_timeout)?;
        let addresses = Addresses::of(&stream)?;
        Ok((stream, addresses))
    };
    connect
        .await
        .map_err(|error| Error::cannot_connect(address, error))
}
