//! The client's opening handshake over a byte stream (RFC 6455 §4.1).

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::Instant;
use twinsock_proto::handshake::HeadLimits;
use twinsock_proto::handshake::client::{AwaitResponse, Request, Step};

use crate::connect::budget::Budget;
use crate::driver::ByteStream;
use crate::error::Error;
use crate::opening::{Head, Opened, Opening};

/// How much of the response is read at once.
const READ_SIZE: usize = 4 * 1024;

/// How long the whole body of a refusal is awaited: it is only for people to read.
const REFUSAL_BODY: Duration = Duration::from_secs(1);

pub(crate) async fn open(
    mut stream: Box<dyn ByteStream>,
    request: Request,
    budget: &Budget,
) -> Result<Opened, Error> {
    let deadline = budget.deadline();
    let mut nonce = [0; 16];
    getrandom::fill(&mut nonce).map_err(Error::no_randomness)?;
    let (mut awaiting, bytes) = AwaitResponse::start(request, nonce, HeadLimits::default());
    let lost = |error| Error::connection_lost(Arc::new(error));
    stream.write_all(&bytes).await.map_err(lost)?;
    stream.flush().await.map_err(lost)?;
    let mut memory = Vec::with_capacity(READ_SIZE);
    let mut body_deadline = None;
    loop {
        memory.clear();
        if awaiting.is_refused() {
            let soon = Instant::now() + REFUSAL_BODY;
            body_deadline.get_or_insert(deadline.map_or(soon, |deadline| soon.min(deadline)));
        }
        if read(&mut stream, &mut memory, body_deadline).await? == 0 {
            return Err(awaiting.handle_eof().into());
        }
        awaiting = match awaiting.proceed(&memory)? {
            Step::Incomplete(awaiting) => awaiting,
            Step::Opened(opened) => {
                let (response, protocol, leftover) = opened.into_parts();
                let head = Head::FromServer(response);
                let opening = Opening {
                    head,
                    protocol,
                    addresses: None,
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
    memory: &mut Vec<u8>,
    body_deadline: Option<Instant>,
) -> Result<usize, Error> {
    let read = stream.read_buf(memory);
    let Some(deadline) = body_deadline else {
        return read
            .await
            .map_err(|error| Error::connection_lost(Arc::new(error)));
    };
    let result = tokio::time::timeout_at(deadline, read).await;
    Ok(result.ok().and_then(Result::ok).unwrap_or(0))
}
