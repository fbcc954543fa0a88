//! The server's opening handshake over a byte stream (RFC 6455 §4.2).

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;
use twinsock_proto::handshake::HeadLimits;
use twinsock_proto::handshake::server::{AwaitRequest, Received, Refusal, Step};

use crate::accept::options::AcceptOptions;
use crate::accept::pending::PendingHandshake;
use crate::driver::ByteStream;
use crate::error::Error;
use crate::timeout::Timeout;

/// How much of the request is read at once.
const READ_SIZE: usize = 4 * 1024;

/// How long a client that was turned away may go on sending before the connection is dropped.
const LINGER: Duration = Duration::from_secs(1);

/// Reads the request, within the time that the client has.
pub(crate) async fn receive_request(
    mut stream: Box<dyn ByteStream>,
    options: AcceptOptions,
) -> Result<PendingHandshake, Error> {
    let received = timeout(options.timeout(), read_request(&mut stream)).await;
    match received.map_err(|_| Error::timeout(Timeout::Handshake))?? {
        Ok(received) => Ok(PendingHandshake::new(stream, received, options)),
        Err(refusal) => Err(refuse(stream, refusal).await),
    }
}

async fn read_request(
    stream: &mut Box<dyn ByteStream>,
) -> Result<Result<Received, Refusal>, Error> {
    let mut awaiting = AwaitRequest::new(HeadLimits::default());
    let mut memory = Vec::with_capacity(READ_SIZE);
    loop {
        memory.clear();
        let read = stream.read_buf(&mut memory).await;
        if read.map_err(|error| Error::connection_lost(Arc::new(error)))? == 0 {
            return Err(awaiting.handle_eof().into());
        }
        awaiting = match awaiting.proceed(&memory) {
            Ok(Step::Incomplete(awaiting)) => awaiting,
            Ok(Step::Received(received)) => return Ok(Ok(received)),
            Err(refusal) => return Ok(Err(refusal)),
        };
    }
}

/// Turns the client away; the error says why.
pub(crate) async fn refuse(stream: Box<dyn ByteStream>, refusal: Refusal) -> Error {
    let (error, response) = refusal.into_parts();
    // The client may be gone already; what counts is why it was turned away.
    let _ = send_last(stream, &response).await;
    error.into()
}

/// Sends a response and ends the connection so that the client gets to read it.
///
/// Closing at once with unread bytes would reset the connection, and the response with it.
pub(crate) async fn send_last(
    mut stream: Box<dyn ByteStream>,
    response: &[u8],
) -> Result<(), Error> {
    let lost = |error| Error::connection_lost(Arc::new(error));
    let send = async {
        stream.write_all(response).await?;
        stream.shutdown().await
    };
    timeout(LINGER, send)
        .await
        .map_err(|_| Error::timeout(Timeout::Handshake))?
        .map_err(lost)?;
    let drain = async {
        let mut discarded = [0; 1024];
        while matches!(stream.read(&mut discarded).await, Ok(1..)) {}
    };
    let _ = timeout(LINGER, drain).await;
    Ok(())
}
