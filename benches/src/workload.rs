//! What is measured: the list of workloads.

use std::fmt;

use crate::frames::Content;

/// The side that the library under test is on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Server,
    Client,
}

impl Role {
    pub(crate) const BOTH: [Self; 2] = [Self::Server, Self::Client];

    fn name(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Client => "client",
        }
    }
}

/// Where the messages go, seen from the library.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    Send,
    Receive,
}

impl Direction {
    const BOTH: [Self; 2] = [Self::Send, Self::Receive];

    fn name(self) -> &'static str {
        match self {
            Self::Send => "send",
            Self::Receive => "receive",
        }
    }
}

/// What the library does.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Task {
    /// Over TCP on loopback, in the plain loop of receive and send, with so many messages under
    /// way.
    Echo { in_flight: usize },
    /// The same in the best loop that is batched by hand.
    EchoBatched { in_flight: usize },
    /// The same out of memory and into a sink: all that is no system call.
    MemoryEcho,
    /// Bytes in memory become messages.
    Parse,
    /// Messages become bytes in a sink.
    Serialise,
    /// Over TCP on loopback, in one direction.
    Bulk(Direction),
}

/// One row of the table.
#[derive(Clone, Copy)]
pub(crate) struct Workload {
    pub(crate) task: Task,
    pub(crate) role: Role,
    pub(crate) content: Content,
    pub(crate) size: usize,
}

/// The size of messages in bulk.
pub(crate) const BULK_SIZE: usize = 64 << 10;
/// 1 GiB of them.
const BULK_MESSAGES: usize = 16 << 10;
const SIZES: [usize; 5] = [16, 125, 1 << 10, 64 << 10, 1 << 20];
const CONTENTS: [Content; 3] = [Content::Binary, Content::Ascii, Content::MultiByte];

/// All rows, in the table's order.
pub(crate) fn all() -> Vec<Workload> {
    let mut workloads = echoes();
    for role in Role::BOTH {
        for content in CONTENTS {
            workloads.extend(of_every_size(Task::Parse, role, content));
        }
    }
    for role in Role::BOTH {
        workloads.extend(of_every_size(Task::Serialise, role, Content::Binary));
    }
    workloads.extend(of_every_size(
        Task::MemoryEcho,
        Role::Server,
        Content::Binary,
    ));
    workloads.extend(bulk());
    workloads
}

fn bulk() -> impl Iterator<Item = Workload> {
    let sides = Role::BOTH.into_iter();
    sides.flat_map(|role| Direction::BOTH.map(|way| binary(Task::Bulk(way), role, BULK_SIZE)))
}

fn echoes() -> Vec<Workload> {
    let mut workloads = Vec::new();
    for role in Role::BOTH {
        for in_flight in [1, 16, 1_000] {
            workloads.push(binary(Task::Echo { in_flight }, role, 32));
        }
    }
    for (size, in_flight) in [(32, 1_000), (1 << 10, 1_000), (64 << 10, 64)] {
        workloads.push(binary(Task::EchoBatched { in_flight }, Role::Server, size));
    }
    workloads
}

fn binary(task: Task, role: Role, size: usize) -> Workload {
    Workload {
        task,
        role,
        content: Content::Binary,
        size,
    }
}

fn of_every_size(task: Task, role: Role, content: Content) -> impl Iterator<Item = Workload> {
    SIZES.into_iter().map(move |size| Workload {
        task,
        role,
        content,
        size,
    })
}

impl Workload {
    /// The table that the row is in.
    pub(crate) fn table(&self) -> &'static str {
        match self.task {
            Task::Echo { .. } => "echo",
            Task::EchoBatched { .. } => "echo-batched",
            Task::MemoryEcho => "memory-echo",
            Task::Parse => "parse",
            Task::Serialise => "serialise",
            Task::Bulk(_) => "bulk",
        }
    }

    /// Whether the clock tells more than the CPU time.
    pub(crate) fn is_over_network(&self) -> bool {
        match self.task {
            Task::Echo { .. } | Task::EchoBatched { .. } | Task::Bulk(_) => true,
            Task::MemoryEcho | Task::Parse | Task::Serialise => false,
        }
    }

    /// How many messages one sample takes: some 50 to 500 ms.
    pub(crate) fn messages(&self) -> usize {
        match self.task {
            Task::Echo { in_flight: 1 } => 5_000,
            Task::Echo { in_flight: 2..=99 } => 40_000,
            Task::Echo { .. } => 100_000,
            Task::EchoBatched { .. } => 100_000_000 / (400 + self.size * 3 / 10),
            Task::Bulk(_) => BULK_MESSAGES,
            Task::MemoryEcho | Task::Parse | Task::Serialise => 50_000_000 / (60 + self.size / 8),
        }
    }
}

impl fmt::Display for Workload {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (table, role) = (self.table(), self.role.name());
        let (content, size) = (self.content.name(), self.size);
        match self.task {
            Task::Echo { in_flight } | Task::EchoBatched { in_flight } => {
                write!(formatter, "{table}/{role}/{content}/{size}/{in_flight}")
            }
            Task::MemoryEcho | Task::Parse | Task::Serialise => {
                write!(formatter, "{table}/{role}/{content}/{size}")
            }
            Task::Bulk(direction) => write!(formatter, "{table}/{role}/{}", direction.name()),
        }
    }
}
