//! One file for each library, and the list of them.

mod fastwebsockets;
mod sockudo;
mod stream_sink;
mod tokio_websockets;
mod tungstenite;
mod twinsock;
mod twinsock_core;
mod web_socket;
mod wtx;
mod yawc;

use crate::frames::Frames;
use crate::library::{Library, Outcome, Part};
use crate::measure::Sample;
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
    part: Part,
    run: fn(&Workload, &Frames) -> Outcome<Sample>,
}

impl Entry {
    fn of<L: Library>() -> Self {
        Self {
            name: L::NAME,
            package: L::PACKAGE,
            flush: L::FLUSH,
            part: L::PART,
            run: workloads::run::<L>,
        }
    }

    /// Whether it is ours, and so no peer.
    pub(crate) fn is_ours(&self) -> bool {
        self.package.starts_with("twinsock")
    }

    pub(crate) fn takes_part_in(&self, workload: &Workload) -> bool {
        self.part == Part::Everything || !matches!(workload.task, Task::Echo { .. })
    }

    pub(crate) fn run(&self, workload: &Workload, frames: &Frames) -> Outcome<Sample> {
        (self.run)(workload, frames)
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

/// Ours first.
pub(crate) fn all() -> [Entry; 9] {
    [
        Entry::of::<twinsock::Twinsock>(),
        Entry::of::<twinsock_core::TwinsockCore>(),
        Entry::of::<tungstenite::Tungstenite>(),
        Entry::of::<fastwebsockets::FastWebSockets>(),
        Entry::of::<tokio_websockets::TokioWebSockets>(),
        Entry::of::<yawc::Yawc>(),
        Entry::of::<sockudo::Sockudo>(),
        Entry::of::<web_socket::WebSocketCrate>(),
        Entry::of::<wtx::Wtx>(),
    ]
}
