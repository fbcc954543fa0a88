//! The server's opening handshake over a byte stream (RFC 6455 §4.2).

use std::future::poll_fn;
use std::mem::replace;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;
use twinsock_proto::handshake::HeadLimits;
use twinsock_proto::handshake::server::{AwaitRequest, Received, Refusal, Step};

use crate::accept::options::AcceptOptions;
use crate::driver::ByteStream;
use crate::error::Error;
use crate::opening::{Head, Opened, Opening, poll_read};
use crate::timeout::Timeout;

/// How long a client that was turned away may go on sending before the connection is dropped.
const LINGER: Duration = Duration::from_secs(1);

/// A byte stream whose client waits for an answer.
pub(crate) struct Requested {
    pub(crate) stream: Box<dyn ByteStream>,
    pub(crate) received: Received,
}

/// Reads the request, within the time that the client has.
pub(crate) async fn receive_request(
    mut stream: Box<dyn ByteStream>,
    options: &AcceptOptions,
) -> Result<Requested, Error> {
    let read = within(options.timeout(), read_request(&mut stream)).await;
    match read? {
        Ok(received) => Ok(Requested { stream, received }),
        Err(refusal) => Err(refuse(stream, refusal).await),
    }
}

/// Sends the response that opens the connection, unless the page's origin is not allowed.
pub(crate) async fn accept(requested: Requested, options: &AcceptOptions) -> Result<Opened, Error> {
    let Requested {
        mut stream,
        received,
    } = requested;
    let accepted = match received.accept(options.policy()) {
        Ok(accepted) => accepted,
        Err(refusal) => return Err(refuse(stream, refusal).await),
    };
    let deflate = accepted.deflate();
    let (response, request, protocol, leftover) = accepted.into_parts();
    let send = async {
        stream.write_all(&response).await?;
        stream.flush().await
    };
    let send = async {
        send.await
            .map_err(|error| Error::connection_lost(Arc::new(error)))
    };
    within(options.timeout(), send).await?;
    let opening = Opening {
        deflate,
        ..Opening::new(Head::FromClient(request), protocol)
    };
    Ok(Opened {
        stream,
        opening,
        leftover,
    })
}

/// Waits for a step of the handshake; a timer is set only where there is something to wait for.
async fn within<T>(
    limit: Duration,
    step: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let mut step = pin!(step);
    if let Poll::Ready(result) = poll_fn(|context| Poll::Ready(step.as_mut().poll(context))).await {
        return result;
    }
    timeout(limit, step)
        .await
        .unwrap_or_else(|_| Err(Error::timeout(Timeout::Handshake)))
}

async fn read_request(
    stream: &mut Box<dyn ByteStream>,
) -> Result<Result<Received, Refusal>, Error> {
    let mut awaiting = AwaitRequest::new(HeadLimits::default());
    loop {
        let step = poll_fn(|context| {
            poll_read(stream, context, |bytes| {
                let awaiting = replace(&mut awaiting, AwaitRequest::new(HeadLimits::default()));
                match bytes {
                    [] => Err(Error::from(awaiting.handle_eof())),
                    _ => Ok(awaiting.proceed(bytes)),
                }
            })
        });
        let step = step.await;
        match step.map_err(|error| Error::connection_lost(Arc::new(error)))?? {
            Ok(Step::Incomplete(rest)) => awaiting = rest,
            Ok(Step::Received(received)) => return Ok(Ok(received)),
            Err(refusal) => return Ok(Err(refusal)),
        }
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
    drain(&mut stream).await;
    Ok(())
}

/// Reads what the client still sends, for a while.
pub(crate) async fn drain(stream: &mut (impl AsyncRead + Unpin)) {
    let drain = async {
        let mut discarded = [0; 1024];
        while matches!(stream.read(&mut discarded).await, Ok(1..)) {}
    };
    let _ = timeout(LINGER, drain).await;
}
