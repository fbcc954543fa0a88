//! A client's way to an open connection, a file per step.

mod budget;
mod handshake;
mod options;
mod resolve;
mod tcp;

use twinsock_proto::handshake::client::Request;
use twinsock_proto::uri::Scheme;

pub(crate) use crate::connect::options::{ConnectOptions, shared_settings};

use crate::connect::budget::Budget;
use crate::driver::ByteStream;
use crate::error::Error;
use crate::opening::Opened;
use crate::timeout::{Timeout, Timeouts};

/// Connects: the name, then its addresses one after the other, then the handshake.
async fn connect(request: Request, timeouts: &Timeouts) -> Result<Opened, Error> {
    if request.uri().scheme() == Scheme::Wss {
        return Err(Error::invalid_argument(format!(
            "expected a ws:// address, got {}: for TLS pass a stream to connect_over",
            request.uri()
        )));
    }
    let budget = Budget::new(timeouts);
    let addresses = budget
        .spend(Timeout::Resolve, resolve::addresses(request.uri()))
        .await?;
    let (stream, ends) = tcp::connect_to_any(&addresses, &budget).await?;
    let stream = Box::new(stream);
    let opened = budget
        .spend(
            Timeout::Handshake,
            handshake::open(stream, request, &budget),
        )
        .await?;
    Ok(opened.at(Some(ends)))
}

/// Does the opening handshake over `stream`.
async fn connect_over(
    stream: Box<dyn ByteStream>,
    request: Request,
    timeouts: &Timeouts,
) -> Result<Opened, Error> {
    let budget = Budget::new(timeouts);
    budget
        .spend(
            Timeout::Handshake,
            handshake::open(stream, request, &budget),
        )
        .await
}
