//! The client's opening handshake over a byte stream (RFC 6455 §4.1).

use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::time::Instant;
use twinsock_proto::handshake::HeadLimits;
use twinsock_proto::handshake::client::{AwaitResponse, Request, Step};

use crate::connect::budget::Budget;
use crate::driver::ByteStream;
use crate::error::Error;
use crate::opening::{Head, Opened, Opening, poll_read};
use crate::timeout::Timeout;
use crate::tls::fill_with_randomness;

/// How long the whole body of a refusal is awaited: it is only for people to read.
const REFUSAL_BODY: Duration = Duration::from_secs(1);

pub(crate) async fn open(
    mut stream: Box<dyn ByteStream>,
    request: Request,
    budget: &Budget,
) -> Result<Opened, Error> {
    let deadline = budget.deadline(Timeout::Handshake);
    let mut nonce = [0; 16];
    fill_with_randomness(&mut nonce)?;
    let (mut awaiting, bytes) = AwaitResponse::start(request, nonce, HeadLimits::default());
    let lost = |error| Error::connection_lost(Arc::new(error));
    stream.write_all(&bytes).await.map_err(lost)?;
    stream.flush().await.map_err(lost)?;
    let mut body_deadline = None;
    loop {
        if awaiting.is_refused() {
            let soon = Instant::now() + REFUSAL_BODY;
            body_deadline.get_or_insert(deadline.map_or(soon, |deadline| soon.min(deadline)));
        }
        let bytes = read(&mut stream, body_deadline).await?;
        if bytes.is_empty() {
            return Err(awaiting.handle_eof().into());
        }
        awaiting = match awaiting.proceed(&bytes)? {
            Step::Incomplete(awaiting) => awaiting,
            Step::Opened(opened) => {
                let (response, protocol, leftover) = opened.into_parts();
                let head = Head::FromServer(response);
                let opening = Opening {
                    head,
                    protocol,
                    addresses: None,
                    tls: None,
                    report: None,
                };
                return Ok(Opened {
                    stream,
                    opening,
                    leftover,
                });
            }
        };
    }
}

/// Reads more of the response; of a refusal's body only what comes soon.
async fn read(
    stream: &mut Box<dyn ByteStream>,
    body_deadline: Option<Instant>,
) -> Result<Vec<u8>, Error> {
    let read = poll_fn(|context| poll_read(stream, context, <[u8]>::to_vec));
    let Some(deadline) = body_deadline else {
        return read
            .await
            .map_err(|error| Error::connection_lost(Arc::new(error)));
    };
    let result = tokio::time::timeout_at(deadline, read).await;
    Ok(result.ok().and_then(Result::ok).unwrap_or_default())
}
