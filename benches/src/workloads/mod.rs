//! How each workload is run with a library.

mod bulk;
mod deflate;
mod echo;
mod handshake;
mod idle;
mod in_memory;
mod many;

use bytes::Bytes;
use tokio::runtime::Builder;

use crate::library::{Compressing, Library, Outcome, Socket};
use crate::measure::Sample;
use crate::run::Run;
use crate::workload::{Role, Task, Threads, Workload};

/// One sample of a library that does not compress.
pub(crate) fn run<L: Library>(run: &Run) -> Outcome<Sample> {
    carried_out(run, task::<L>(run))
}

/// One sample of a library that compresses.
pub(crate) fn run_compressing<L: Compressing>(run: &Run) -> Outcome<Sample> {
    match run.workload.task {
        Task::Deflate {
            compression,
            in_flight,
        } => carried_out(run, deflate::over_tcp::<L>(run, compression, in_flight)),
        Task::MemoryDeflate(compression) => {
            carried_out(run, deflate::in_memory::<L>(run, compression))
        }
        _ => self::run::<L>(run),
    }
}

fn carried_out(run: &Run, task: impl Future<Output = Outcome<Sample>>) -> Outcome<Sample> {
    let threads = match run.workload.task {
        Task::Many { threads, .. } => threads,
        _ => Threads::One,
    };
    let runtime = match threads {
        Threads::One => Builder::new_current_thread().enable_all().build()?,
        Threads::Two => Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()?,
    };
    let sample = runtime.block_on(task);
    runtime.shutdown_background();
    sample
}

async fn task<L: Library>(run: &Run) -> Outcome<Sample> {
    match (run.workload.task, run.workload.role) {
        (Task::Echo { in_flight }, Role::Server) => echo::as_server::<L>(run, in_flight).await,
        (Task::Echo { in_flight }, Role::Client) => echo::as_client::<L>(run, in_flight).await,
        (Task::EchoBatched { in_flight }, _) => echo::batched::<L>(run, in_flight).await,
        (Task::MemoryEcho | Task::Parse | Task::Serialise, _) => in_memory::run::<L>(run).await,
        (Task::Deflate { .. } | Task::MemoryDeflate(_), _) => Err("it does not compress".into()),
        (Task::Bulk(direction), _) => bulk::run::<L>(run, direction).await,
        (
            Task::Many {
                connections,
                threads,
            },
            _,
        ) => many::run::<L>(run, connections, threads).await,
        (Task::Idle(past), _) => idle::run::<L>(run, past).await,
        (Task::HandshakeInMemory, _) => handshake::in_memory::<L>(run).await,
        (Task::HandshakeOverTcp, Role::Server) => handshake::as_server::<L>(run).await,
        (Task::HandshakeOverTcp, Role::Client) => handshake::as_client::<L>(run).await,
    }
}

/// A message of the workload that the library sends.
fn prepared<S: Socket>(workload: &Workload) -> Outcome<S::Prepared> {
    let content = workload.content;
    let payload = content.payload(workload.size, &mut fastrand::Rng::with_seed(7));
    S::prepare(content.kind(), &Bytes::from(payload))
}

/// That a whole message of the right size came.
fn expect_size(received: Option<usize>, size: usize) -> Outcome<()> {
    match received == Some(size) {
        true => Ok(()),
        false => Err(format!("expected a message of {size} bytes, {received:?} came").into()),
    }
}
