//! The demonstration's copy: many bytes through an echo server, compared by their hash.

use std::fmt;
use std::time::{Duration, Instant};

use sha1::{Digest, Sha1};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use twinsock::{StreamReader, StreamWebSocket, StreamWriter};

use crate::progress::Transfer;
use crate::sample::Bytes;

/// How much is written or read at once.
const CHUNK_SIZE: usize = 64 * 1024;

/// A copy that is done.
#[derive(Debug)]
pub(crate) struct Copied {
    pub(crate) sent: Summary,
    pub(crate) received: Summary,
    pub(crate) elapsed: Duration,
}

/// A number of bytes and their SHA-1.
///
/// That hash suffices against accidents, and is in the program already: the opening handshake
/// needs it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Summary {
    pub(crate) size: u64,
    hash: Vec<u8>,
}

/// Sends `size` bytes and the end, and receives until the peer's.
pub(crate) async fn copy(
    socket: StreamWebSocket,
    size: u64,
    transfer: &Transfer,
) -> std::io::Result<Copied> {
    let started = Instant::now();
    let (reader, writer) = socket.split();
    let sending = tokio::spawn(send(writer, size, transfer.clone()));
    let received = receive(reader, transfer).await?;
    let sent = sending.await??;
    Ok(Copied {
        sent,
        received,
        elapsed: started.elapsed(),
    })
}

async fn send(mut writer: StreamWriter, size: u64, transfer: Transfer) -> std::io::Result<Summary> {
    let (mut bytes, mut hasher) = (Bytes::default(), Sha1::new());
    let mut chunk = vec![0; CHUNK_SIZE];
    let mut missing = size;
    while missing > 0 {
        let count = usize::try_from(missing).map_or(CHUNK_SIZE, |missing| missing.min(CHUNK_SIZE));
        chunk.truncate(count);
        bytes.fill(&mut chunk);
        hasher.update(&chunk);
        writer.write_all(&chunk).await?;
        transfer.add_sent(count);
        missing -= count as u64;
    }
    writer.shutdown().await?;
    Ok(Summary::new(size, hasher))
}

async fn receive(mut reader: StreamReader, transfer: &Transfer) -> std::io::Result<Summary> {
    let mut hasher = Sha1::new();
    let mut chunk = vec![0; CHUNK_SIZE];
    let mut size = 0;
    loop {
        let count = reader.read(&mut chunk).await?;
        if count == 0 {
            return Ok(Summary::new(size, hasher));
        }
        hasher.update(chunk.get(..count).unwrap_or_default());
        transfer.add_received(count);
        size += count as u64;
    }
}

impl Copied {
    /// In millions of bytes.
    #[expect(clippy::cast_precision_loss, reason = "the rate is rounded anyway")]
    pub(crate) fn megabytes_per_second(&self) -> f64 {
        let seconds = self.elapsed.as_secs_f64().max(f64::MIN_POSITIVE);
        self.received.size as f64 / seconds / 1e6
    }
}

impl Summary {
    fn new(size: u64, hasher: Sha1) -> Self {
        Self {
            size,
            hash: hasher.finalize().to_vec(),
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} bytes with SHA-1 ", self.size)?;
        self.hash
            .iter()
            .try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}
