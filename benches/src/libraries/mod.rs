//! One file for each library, and the list of them.

mod fastwebsockets;
mod floor;
mod hyper_upgrade;
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

use crate::library::{Library, Outcome, Standing};
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
    pub(crate) package: &'static str,
    pub(crate) flush: &'static str,
    pub(crate) standing: Standing,
    takes_part_in: fn(Task) -> bool,
    run: fn(&Run) -> Outcome<Sample>,
}

impl Entry {
    fn of<L: Library>() -> Self {
        Self {
            name: L::NAME,
            package: L::PACKAGE,
            flush: L::FLUSH,
            standing: L::STANDING,
            takes_part_in: L::takes_part_in,
            run: workloads::run::<L>,
        }
    }

    pub(crate) fn takes_part_in(&self, workload: &Workload) -> bool {
        (self.takes_part_in)(workload.task)
    }

    pub(crate) fn run(&self, run: &Run) -> Outcome<Sample> {
        (self.run)(run)
    }

    /// As the lock file has it.
    pub(crate) fn version(&self) -> &'static str {
        let head = format!("name = \"{}\"\nversion = \"", self.package);
        include_str!("../../Cargo.lock")
            .split_once(&head)
            .and_then(|(_, rest)| rest.split('"').next())
            .unwrap_or("?")
    }
}

/// Ours first, then the limits.
pub(crate) fn all() -> [Entry; 13] {
    [
        Entry::of::<twinsock::Twinsock>(),
        Entry::of::<twinsock_lent::TwinsockLent>(),
        Entry::of::<twinsock_core::TwinsockCore>(),
        Entry::of::<twinsock_stream::TwinsockStream>(),
        Entry::of::<raw::Raw>(),
        Entry::of::<floor::Floor>(),
        Entry::of::<tungstenite::Tungstenite>(),
        Entry::of::<fastwebsockets::FastWebSockets>(),
        Entry::of::<tokio_websockets::TokioWebSockets>(),
        Entry::of::<yawc::Yawc>(),
        Entry::of::<sockudo::Sockudo>(),
        Entry::of::<web_socket::WebSocketCrate>(),
        Entry::of::<wtx::Wtx>(),
    ]
}
