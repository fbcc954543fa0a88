//! What a message costs, from runs of two lengths: all that happens once falls out.

use crate::library::Outcome;
use crate::run::Run;
use crate::workload::Workload;

/// The longer run is so many times as long.
const FACTOR: usize = 5;
/// The longer run is such a part of one that is timed.
const PART: usize = 4;

/// The shorter run.
pub(crate) fn short(workload: Workload) -> Run {
    Run {
        workload,
        messages: long(workload).messages / FACTOR,
    }
}

fn long(workload: Workload) -> Run {
    Run {
        workload,
        messages: workload.messages() / PART,
    }
}

/// By how much each of the counts grows with a message.
pub(crate) fn growth<const N: usize>(
    workload: Workload,
    mut count: impl FnMut(&Run) -> Outcome<[f64; N]>,
) -> Outcome<[f64; N]> {
    let (short, long) = (short(workload), long(workload));
    let (few, many) = (count(&short)?, count(&long)?);
    let messages = (long.total() - short.total()) as f64;
    Ok(std::array::from_fn(|index| {
        (many[index] - few[index]) / messages
    }))
}
