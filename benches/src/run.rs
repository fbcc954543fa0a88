//! So many messages of one workload.

use crate::frames::Frames;
use crate::workload::{Task, Workload};

/// What one process does.
#[derive(Clone, Copy)]
pub(crate) struct Run {
    pub(crate) workload: Workload,
    /// Those that are measured.
    pub(crate) messages: usize,
}

impl Run {
    /// As long as the workload needs.
    pub(crate) fn of(workload: Workload) -> Self {
        Self {
            workload,
            messages: workload.messages(),
        }
    }

    /// A tenth as many messages go before those that are measured; where there are many
    /// connections, until all are open and have been heard.
    pub(crate) fn warm_up(&self) -> usize {
        let least = match self.workload.task {
            Task::Many { connections, .. } => 2 * connections,
            _ => 0,
        };
        least.max(self.messages / 10)
    }

    /// With the warm-up.
    pub(crate) fn total(&self) -> usize {
        self.warm_up() + self.messages
    }

    /// What the library's peer sends.
    pub(crate) fn frames(&self) -> Frames {
        let workload = self.workload;
        Frames::sent_to(workload.role, workload.content, workload.size)
    }
}
