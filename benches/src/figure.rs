//! The kinds of figures that can be asked for; each kind has samples of its own.

use std::process::{Command, Stdio};

use clap::ValueEnum;

use crate::workload::{Task, Threads, Workload};

/// A kind of figures.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Figure {
    /// CPU time and the clock; the memory of idle connections.
    Time,
    /// Allocations per message.
    Allocations,
    /// System calls per message, with strace.
    Syscalls,
    /// Instructions per message, with valgrind.
    Instructions,
}

impl Figure {
    /// As an argument.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Time => "time",
            Self::Allocations => "allocations",
            Self::Syscalls => "syscalls",
            Self::Instructions => "instructions",
        }
    }

    /// Whether the workload has such figures.
    pub(crate) fn is_of(self, workload: &Workload) -> bool {
        let is_one_thread = !matches!(
            workload.task,
            Task::Many {
                threads: Threads::Two,
                ..
            }
        );
        let is_idle = matches!(workload.task, Task::Idle(_));
        match self {
            Self::Time => true,
            // Only one thread counts.
            Self::Allocations => is_one_thread && !is_idle,
            Self::Syscalls => workload.is_over_network() && is_one_thread,
            // Valgrind takes long, and large messages show other things.
            Self::Instructions => {
                !workload.is_over_network() && !is_idle && workload.size <= 1 << 10
            }
        }
    }

    /// How often a sample is worth taking: what is counted stays the same.
    pub(crate) fn rounds(self, workload: &Workload, rounds: usize) -> usize {
        match (self, workload.task) {
            (Self::Time, Task::Idle(_)) => 1,
            (Self::Time, _) => rounds,
            _ => 1,
        }
    }

    /// About how long one sample takes.
    pub(crate) fn seconds(self, workload: &Workload) -> f64 {
        match self {
            Self::Time => workload.seconds(),
            Self::Allocations => 0.1 + 0.3 * workload.seconds(),
            Self::Syscalls => 0.5 + 3.0 * workload.seconds(),
            Self::Instructions => 4.0,
        }
    }

    /// Whether what it needs is installed.
    pub(crate) fn is_available(self) -> bool {
        let tool = match self {
            Self::Time | Self::Allocations => return true,
            Self::Syscalls => "strace",
            Self::Instructions => "valgrind",
        };
        let mut version = Command::new(tool);
        version.arg("--version").stdout(Stdio::null());
        let is_there = version.status().is_ok_and(|status| status.success());
        if !is_there {
            eprintln!("no figures `{}`: {tool} is not there", self.name());
        }
        is_there
    }
}
