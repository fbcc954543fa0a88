//! What is measured: the list of workloads.

use std::fmt;

use crate::compression::{Compression, Takeover};
use crate::descriptors;
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

/// How many threads the library's runtime has.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Threads {
    One,
    Two,
}

impl Threads {
    const BOTH: [Self; 2] = [Self::One, Self::Two];

    fn name(self) -> &'static str {
        match self {
            Self::One => "current-thread",
            Self::Two => "two-workers",
        }
    }
}

/// What a connection has done before it is idle.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Past {
    /// The handshake alone.
    Constructed,
    /// One echo of the workload's size.
    Echo,
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
    /// As `Echo`, with messages that are compressed.
    Deflate {
        compression: Compression,
        in_flight: usize,
    },
    /// As `MemoryEcho`, with messages that are compressed.
    MemoryDeflate(Compression),
    /// Bytes in memory become messages.
    Parse,
    /// Messages become bytes in a sink.
    Serialise,
    /// Over TCP on loopback, in one direction.
    Bulk(Direction),
    /// Over TCP on loopback, one message in flight on each connection.
    Many {
        connections: usize,
        threads: Threads,
    },
    /// Nothing, with thousands of connections.
    Idle(Past),
    /// Its own handshake, as a server.
    HandshakeInMemory,
    /// Its own handshake over TCP on loopback.
    HandshakeOverTcp,
}

impl Task {
    /// How messages are compressed; `None` where they are not.
    pub(crate) fn compression(self) -> Option<Compression> {
        match self {
            Self::Deflate { compression, .. } | Self::MemoryDeflate(compression) => {
                Some(compression)
            }
            _ => None,
        }
    }
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
/// What a process has open beside its connections.
const OTHER_DESCRIPTORS: usize = 100;
const SIZES: [usize; 5] = [16, 125, 1 << 10, 64 << 10, 1 << 20];
/// The fastest, twinsock's default, and that of zlib and most peers.
const LEVELS: [u8; 3] = [1, 2, 6];
/// Sizes of compressed messages, and how many are in flight.
const COMPRESSED: [(usize, &[usize]); 2] = [(1 << 10, &[1, 16]), (64 << 10, &[1])];
const CONTENTS: [Content; 3] = [Content::Binary, Content::Ascii, Content::MultiByte];

/// Those for every day.
pub(crate) const QUICK: [&str; 18] = [
    "echo/server/binary/32/1",
    "echo/server/binary/32/1000",
    "echo-batched/server/binary/32/1000",
    "parse/server/binary/125",
    "parse/server/multi-byte/1024",
    "parse/server/binary/1048576",
    "serialise/server/binary/125",
    "serialise/client/binary/125",
    "serialise/client/binary/1048576",
    "memory-echo/server/binary/125",
    "deflate/server/1024/no-takeover/2/16",
    "memory-deflate/server/1024/no-takeover/2",
    "bulk/server/send",
    "bulk/server/receive",
    "many/1000/current-thread",
    "idle/echoed/64",
    "handshake/memory",
    "handshake/tcp/server",
];

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
    workloads.extend(compressed().map(|(task, size)| json(task, size)));
    workloads.extend(bulk());
    workloads.extend(many());
    workloads.extend(idle());
    workloads.extend(handshakes());
    workloads
}

/// What the descriptors of this process do not allow is left out.
fn many() -> impl Iterator<Item = Workload> {
    let limit = descriptors::raise();
    let counts = [1, 100, 1_000, 10_000].into_iter();
    let counts = counts.filter(move |count| count + OTHER_DESCRIPTORS < limit);
    counts.flat_map(|connections| {
        Threads::BOTH.map(|threads| {
            let task = Task::Many {
                connections,
                threads,
            };
            binary(task, Role::Server, 64)
        })
    })
}

fn idle() -> [Workload; 3] {
    [
        (Past::Constructed, 64),
        (Past::Echo, 64),
        (Past::Echo, 1 << 20),
    ]
    .map(|(past, size)| binary(Task::Idle(past), Role::Server, size))
}

fn handshakes() -> [Workload; 3] {
    [
        (Task::HandshakeInMemory, Role::Server),
        (Task::HandshakeOverTcp, Role::Server),
        (Task::HandshakeOverTcp, Role::Client),
    ]
    .map(|(task, role)| binary(task, role, 0))
}

fn compressions() -> impl Iterator<Item = Compression> {
    let takeovers = Takeover::BOTH.into_iter();
    takeovers.flat_map(|takeover| LEVELS.map(|level| Compression { takeover, level }))
}

/// Over TCP first.
fn compressed() -> impl Iterator<Item = (Task, usize)> {
    let over_tcp = COMPRESSED.into_iter().flat_map(|(size, in_flights)| {
        compressions().flat_map(move |compression| {
            in_flights.iter().map(move |in_flight| {
                let task = Task::Deflate {
                    compression,
                    in_flight: *in_flight,
                };
                (task, size)
            })
        })
    });
    let in_memory = COMPRESSED.into_iter().flat_map(|(size, _)| {
        compressions().map(move |compression| (Task::MemoryDeflate(compression), size))
    });
    over_tcp.chain(in_memory)
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

fn json(task: Task, size: usize) -> Workload {
    Workload {
        task,
        role: Role::Server,
        content: Content::Json,
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
    /// The group of tables that the row is in.
    pub(crate) fn group(&self) -> &'static str {
        match self.task {
            Task::Echo { .. } => "echo",
            Task::EchoBatched { .. } => "echo-batched",
            Task::MemoryEcho => "memory-echo",
            Task::Deflate { .. } => "deflate",
            Task::MemoryDeflate(_) => "memory-deflate",
            Task::Parse => "parse",
            Task::Serialise => "serialise",
            Task::Bulk(_) => "bulk",
            Task::Many { .. } => "many",
            Task::Idle(_) => "idle",
            Task::HandshakeInMemory | Task::HandshakeOverTcp => "handshake",
        }
    }

    /// What a figure is about one of.
    pub(crate) fn unit(&self) -> &'static str {
        match self.task {
            Task::Idle(_) => "connection",
            Task::HandshakeInMemory | Task::HandshakeOverTcp => "handshake",
            _ => "message",
        }
    }

    /// Whether the clock tells more than the CPU time.
    pub(crate) fn is_over_network(&self) -> bool {
        match self.task {
            Task::Echo { .. }
            | Task::EchoBatched { .. }
            | Task::Deflate { .. }
            | Task::Bulk(_)
            | Task::Many { .. }
            | Task::HandshakeOverTcp => true,
            Task::MemoryEcho
            | Task::MemoryDeflate(_)
            | Task::Parse
            | Task::Serialise
            | Task::Idle(_)
            | Task::HandshakeInMemory => false,
        }
    }

    /// About how long one sample takes, with its process.
    pub(crate) fn seconds(&self) -> f64 {
        match self.task {
            Task::Echo { .. } | Task::EchoBatched { .. } => 0.3,
            Task::MemoryEcho | Task::Parse | Task::Serialise => 0.2,
            Task::Deflate { .. } | Task::MemoryDeflate(_) => 0.6,
            Task::Bulk(_) => 0.5,
            Task::Many { connections, .. } => 0.8 + connections as f64 / 10_000.0,
            Task::Idle(_) => 1.5,
            Task::HandshakeInMemory | Task::HandshakeOverTcp => 0.3,
        }
    }

    /// How many messages one sample takes: some 50 to 500 ms.
    pub(crate) fn messages(&self) -> usize {
        match self.task {
            Task::Echo { in_flight: 1 } => 5_000,
            Task::Echo { in_flight: 2..=99 } => 40_000,
            Task::Echo { .. } => 100_000,
            Task::EchoBatched { .. } => 100_000_000 / (400 + self.size * 3 / 10),
            Task::Deflate { compression, .. } | Task::MemoryDeflate(compression) => {
                // About what zlib takes for a KiB, in nanoseconds, and for what is done once.
                let each = 5_000 + self.size * usize::from(compression.level) * 2;
                200_000_000 / each
            }
            Task::Bulk(_) => BULK_MESSAGES,
            Task::Many { connections: 1, .. } => 20_000,
            Task::Many { .. } => 100_000,
            Task::Idle(_) if self.size < 1 << 20 => 5_000,
            Task::Idle(_) => 500,
            Task::HandshakeInMemory => 50_000,
            Task::HandshakeOverTcp => 5_000,
            Task::MemoryEcho | Task::Parse | Task::Serialise => 50_000_000 / (60 + self.size / 8),
        }
    }
}

impl fmt::Display for Workload {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (group, role) = (self.group(), self.role.name());
        let (content, size) = (self.content.name(), self.size);
        match self.task {
            Task::Echo { in_flight } | Task::EchoBatched { in_flight } => {
                write!(formatter, "{group}/{role}/{content}/{size}/{in_flight}")
            }
            Task::MemoryEcho | Task::Parse | Task::Serialise => {
                write!(formatter, "{group}/{role}/{content}/{size}")
            }
            Task::Deflate {
                compression,
                in_flight,
            } => {
                let (takeover, level) = (compression.takeover.name(), compression.level);
                write!(
                    formatter,
                    "{group}/{role}/{size}/{takeover}/{level}/{in_flight}"
                )
            }
            Task::MemoryDeflate(Compression { takeover, level }) => {
                let takeover = takeover.name();
                write!(formatter, "{group}/{role}/{size}/{takeover}/{level}")
            }
            Task::Bulk(direction) => write!(formatter, "{group}/{role}/{}", direction.name()),
            Task::Many {
                connections,
                threads,
            } => write!(formatter, "{group}/{connections}/{}", threads.name()),
            Task::Idle(Past::Constructed) => write!(formatter, "{group}/constructed"),
            Task::Idle(Past::Echo) => write!(formatter, "{group}/echoed/{size}"),
            Task::HandshakeInMemory => write!(formatter, "{group}/memory"),
            Task::HandshakeOverTcp => write!(formatter, "{group}/tcp/{role}"),
        }
    }
}
