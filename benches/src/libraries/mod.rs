//! One file for each library, and the list of them.

mod fastwebsockets;
mod floor;
mod hyper_upgrade;
mod node_ws;
mod raw;
mod sockudo;
mod stream_sink;
mod tokio_websockets;
mod tungstenite;
mod twinsock;
mod twinsock_core;
mod twinsock_lent;
mod twinsock_stream;
mod web_socket;
mod wtx;
mod yawc;

use crate::figure::Figure;
use crate::library::{Compressing, Library, Outcome, Standing};
use crate::measure::Sample;
use crate::run::Run;
use crate::workload::{Task, Workload};
use crate::workloads;

/// What a message may have at most, alike for all libraries.
const MAX_MESSAGE_SIZE: usize = 64 << 20;

/// With twinsock, a message of less than this is copied rather than shared.
const SMALL: usize = 4 << 10;

/// A library in the list.
#[derive(Clone, Copy)]
pub(crate) struct Entry {
    pub(crate) name: &'static str,
    version: fn() -> String,
    pub(crate) flush: &'static str,
    pub(crate) standing: Standing,
    is_available: fn() -> bool,
    takes_part_in: fn(Task) -> bool,
    has: fn(Figure) -> bool,
    run: fn(&Run) -> Outcome<Sample>,
}

impl Entry {
    fn of<L: Library>() -> Self {
        Self {
            name: L::NAME,
            version: || locked_version(L::PACKAGE).to_owned(),
            flush: L::FLUSH,
            standing: L::STANDING,
            is_available: || true,
            takes_part_in: |task| task.compression().is_none() && L::takes_part_in(task),
            has: |_| true,
            run: workloads::run::<L>,
        }
    }

    fn compressing<L: Compressing>() -> Self {
        Self {
            takes_part_in: |task| match task.compression() {
                Some(compression) => L::has(compression.takeover) && L::takes_part_in(task),
                None => L::takes_part_in(task),
            },
            run: workloads::run_compressing::<L>,
            ..Self::of::<L>()
        }
    }

    /// A process of its own, of which only the time is known.
    fn node_ws() -> Self {
        Self {
            name: node_ws::NAME,
            version: node_ws::version,
            flush: node_ws::FLUSH,
            standing: Standing::Peer,
            is_available: node_ws::is_available,
            takes_part_in: node_ws::takes_part_in,
            has: |figure| figure == Figure::Time,
            run: node_ws::run,
        }
    }

    /// Whether what it needs is installed; a line says what is not.
    pub(crate) fn is_available(&self) -> bool {
        (self.is_available)()
    }

    /// Whether such figures can be had of it.
    pub(crate) fn has(&self, figure: Figure) -> bool {
        (self.has)(figure)
    }

    pub(crate) fn takes_part_in(&self, workload: &Workload) -> bool {
        (self.takes_part_in)(workload.task)
    }

    pub(crate) fn run(&self, run: &Run) -> Outcome<Sample> {
        (self.run)(run)
    }

    pub(crate) fn version(&self) -> String {
        (self.version)()
    }
}

/// As the lock file has it.
fn locked_version(package: &str) -> &'static str {
    let head = format!("name = \"{package}\"\nversion = \"");
    include_str!("../../Cargo.lock")
        .split_once(&head)
        .and_then(|(_, rest)| rest.split('"').next())
        .unwrap_or("?")
}

/// Ours first, then the limits.
pub(crate) fn all() -> [Entry; 14] {
    [
        Entry::compressing::<twinsock::Twinsock>(),
        Entry::compressing::<twinsock_lent::TwinsockLent>(),
        Entry::compressing::<twinsock_core::TwinsockCore>(),
        Entry::of::<twinsock_stream::TwinsockStream>(),
        Entry::of::<raw::Raw>(),
        Entry::of::<floor::Floor>(),
        Entry::of::<tungstenite::Tungstenite>(),
        Entry::of::<fastwebsockets::FastWebSockets>(),
        Entry::of::<tokio_websockets::TokioWebSockets>(),
        Entry::compressing::<yawc::Yawc>(),
        Entry::compressing::<sockudo::Sockudo>(),
        Entry::of::<web_socket::WebSocketCrate>(),
        Entry::compressing::<wtx::Wtx>(),
        Entry::node_ws(),
    ]
}
