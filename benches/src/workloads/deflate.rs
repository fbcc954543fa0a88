//! Echo as a server, with messages that are compressed.

use std::net::Ipv4Addr;

use tokio::net::TcpListener;

use crate::compression::Compression;
use crate::frames::Frames;
use crate::library::{Compressing, Outcome};
use crate::measure::Sample;
use crate::memory::MemoryStream;
use crate::neutral::{self, EchoedMessages};
use crate::quantity::Quantity;
use crate::run::Run;
use crate::workloads::echo::{self, Turn};
use crate::workloads::in_memory;

/// Over TCP on loopback, in the plain loop.
pub(crate) async fn over_tcp<L: Compressing>(
    run: &Run,
    compression: Compression,
    in_flight: usize,
) -> Outcome<Sample> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let messages = EchoedMessages {
        takeover: compression.takeover,
        size: run.workload.size,
        in_flight,
        count: run.total() + in_flight,
    };
    let sent = messages.count * messages.size;
    let neutral = neutral::connect_compressing(listener.local_addr()?, messages);
    let (stream, _) = listener.accept().await?;
    stream.set_nodelay(true)?;
    let socket = L::accept_compressing(stream, compression).await?;
    let (mut sample, echoed) = echo::serve(socket, Turn::Plain, run, neutral).await?;
    sample.set(Quantity::CompressedPart, echoed as f64 / sent as f64);
    Ok(sample)
}

/// Out of memory and into a sink.
pub(crate) async fn in_memory<L: Compressing>(
    run: &Run,
    compression: Compression,
) -> Outcome<Sample> {
    let frames = Frames::compressed(run.workload.size, compression.takeover)?;
    let stream = MemoryStream::offering(compression.takeover, frames);
    in_memory::with_socket(L::accept_compressing(stream, compression).await?, run).await
}
