//! How each workload is run with a library.

mod bulk;
mod echo;
mod in_memory;

use bytes::Bytes;
use tokio::runtime::{Builder, Runtime};

use crate::library::{Library, Outcome, Socket};
use crate::measure::Sample;
use crate::run::Run;
use crate::workload::{Role, Task, Workload};

/// One sample.
pub(crate) fn run<L: Library>(run: &Run) -> Outcome<Sample> {
    runtime()?.block_on(async {
        match (run.workload.task, run.workload.role) {
            (Task::Echo { in_flight }, Role::Server) => echo::as_server::<L>(run, in_flight).await,
            (Task::Echo { in_flight }, Role::Client) => echo::as_client::<L>(run, in_flight).await,
            (Task::EchoBatched { in_flight }, _) => echo::batched::<L>(run, in_flight).await,
            (Task::Bulk(direction), _) => bulk::run::<L>(run, direction).await,
            (Task::MemoryEcho | Task::Parse | Task::Serialise, _) => in_memory::run::<L>(run).await,
        }
    })
}

fn runtime() -> Outcome<Runtime> {
    Ok(Builder::new_current_thread().enable_all().build()?)
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
