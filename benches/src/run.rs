//! So many messages of one workload.

use crate::frames::Frames;
use crate::workload::Workload;

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

    /// A tenth as many messages go before those that are measured.
    pub(crate) fn warm_up(&self) -> usize {
        self.messages / 10
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
