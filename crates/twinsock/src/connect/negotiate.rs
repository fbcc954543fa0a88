//! What is settled with a server or a proxy before a connection stands, over a byte stream to it.

use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::AsyncWriteExt;
use tokio::time::Instant;

use crate::driver::ByteStream;
use crate::error::Error;
use crate::opening::poll_read;

/// A state machine of the core that waits for the peer's part.
pub(super) trait Negotiation: Sized {
    /// What comes of it when the peer agrees.
    type Agreed;

    fn proceed(self, input: &[u8]) -> Result<Progress<Self>, Error>;

    /// The peer will send no more.
    fn handle_eof(self) -> Error;

    /// Whether the peer has refused, and only its reasons are still coming.
    fn is_refused(&self) -> bool;
}

/// What one piece of input led to.
pub(super) enum Progress<N: Negotiation> {
    Incomplete(N),
    /// These bytes are to be sent, then it goes on.
    Send(N, Bytes),
    Agreed(N::Agreed),
}

/// Sends the first bytes and goes on until the peer has agreed or refused.
///
/// Of a refusal's body only what comes soon is awaited, and not beyond `deadline`.
pub(super) async fn negotiate<N: Negotiation>(
    stream: &mut Box<dyn ByteStream>,
    (mut negotiation, first): (N, Bytes),
    deadline: Option<Instant>,
) -> Result<N::Agreed, Error> {
    send(stream, &first).await?;
    let mut body_deadline = None;
    loop {
        if negotiation.is_refused() {
            let soon = Instant::now() + REFUSAL_BODY;
            body_deadline.get_or_insert(deadline.map_or(soon, |deadline| soon.min(deadline)));
        }
        let bytes = read(stream, body_deadline).await?;
        if bytes.is_empty() {
            return Err(negotiation.handle_eof());
        }
        negotiation = match negotiation.proceed(&bytes)? {
            Progress::Incomplete(negotiation) => negotiation,
            Progress::Send(negotiation, bytes) => {
                send(stream, &bytes).await?;
                negotiation
            }
            Progress::Agreed(agreed) => return Ok(agreed),
        };
    }
}

/// How long the whole body of a refusal is awaited: it is only for people to read.
const REFUSAL_BODY: Duration = Duration::from_secs(1);

async fn send(stream: &mut Box<dyn ByteStream>, bytes: &[u8]) -> Result<(), Error> {
    let lost = |error| Error::connection_lost(Arc::new(error));
    stream.write_all(bytes).await.map_err(lost)?;
    stream.flush().await.map_err(lost)
}

/// Reads more; of a refusal's body only what comes soon.
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
