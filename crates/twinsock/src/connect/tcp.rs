//! From a host to a TCP connection.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use socket2::SockRef;
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::Instant;

use crate::connect::budget::Budget;
use crate::connect::options::ConnectOptions;
use crate::connect::order::Order;
use crate::connect::resolve::{self, Host};
use crate::connect::schedule::Schedule;
use crate::connect::{Attempt, ConnectPhase, race};
use crate::error::{AddressFailure, Error, FailedAddress};
use crate::opening::Addresses;
use crate::timeout::Timeout;

/// A TCP connection to a host.
pub(crate) async fn reach(
    host: &Host<'_>,
    attempt: &mut Attempt<'_>,
) -> Result<(TcpStream, Addresses), Error> {
    let addresses = addresses(host, attempt).await?;
    connect_to_any(&addresses, attempt).await
}

/// The addresses of `host` in time, with an entry in the report.
pub(crate) async fn addresses(
    host: &Host<'_>,
    attempt: &mut Attempt<'_>,
) -> Result<Vec<SocketAddr>, Error> {
    let resolving = resolve::addresses(host, attempt.options);
    let resolving = attempt.budget.spend(Timeout::Resolve, resolving);
    attempt
        .report
        .record(ConnectPhase::Resolve, host.name, resolving)
        .await
}

/// Connects to the address that answers first, of as many as may be tried.
pub(crate) async fn connect_to_any(
    addresses: &[SocketAddr],
    attempt: &mut Attempt<'_>,
) -> Result<(TcpStream, Addresses), Error> {
    let Attempt {
        options,
        budget,
        report,
        ..
    } = attempt;
    let now = Instant::now();
    let order = Order::of(
        addresses,
        options.max_addresses,
        options.tcp.local_address.map(SocketAddr::from),
    );
    let mut failed = Vec::new();
    for address in order.skipped {
        let reason = AddressFailure::OtherFamily;
        let error = Error::attempt_failed(&reason);
        report.note(
            ConnectPhase::Connect,
            address.to_string(),
            now,
            Some(&error),
        );
        failed.push(FailedAddress::new(address, reason));
    }
    let schedule = Schedule::new(order.tried, now, budget.end());
    let connect = |address| connect_in_time(address, options, budget);
    let lost = match race::first_to_stand(schedule, connect, report).await {
        Ok(connected) => return Ok(connected),
        Err(lost) => lost,
    };
    failed.extend(lost);
    Err(if budget.is_spent() {
        Error::not_connected_in_time(failed)
    } else {
        Error::not_connected(failed)
    })
}

async fn connect_in_time(
    address: SocketAddr,
    options: &ConnectOptions,
    budget: &Budget,
) -> Result<(TcpStream, Addresses), AddressFailure> {
    budget
        .within(Timeout::Connect, connect_to(address, options))
        .await
        .unwrap_or(Err(AddressFailure::TimedOut))
}

async fn connect_to(
    address: SocketAddr,
    options: &ConnectOptions,
) -> Result<(TcpStream, Addresses), AddressFailure> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4(),
        SocketAddr::V6(_) => TcpSocket::new_v6(),
    };
    let socket = socket.map_err(|error| AddressFailure::NoSocket(Arc::new(error)))?;
    if let Some(local) = options.tcp.local_address {
        local
            .bind(&socket)
            .map_err(|error| AddressFailure::CannotBind(Arc::new(error)))?;
    }
    connect_by(socket, address, options)
        .await
        .map_err(|error| AddressFailure::Network(Arc::new(error)))
}

async fn connect_by(
    socket: TcpSocket,
    address: SocketAddr,
    options: &ConnectOptions,
) -> io::Result<(TcpStream, Addresses)> {
    options.tcp.prepare(&SockRef::from(&socket))?;
    let stream = socket.connect(address).await?;
    let send_timeout = options.timeouts.send;
    options.tcp.apply(&SockRef::from(&stream), send_timeout)?;
    let addresses = Addresses::of(&stream)?;
    if addresses.local == addresses.peer {
        // Nobody listens there, and the system has given this end the very same port.
        return Err(io::ErrorKind::ConnectionRefused.into());
    }
    Ok((stream, addresses))
}
