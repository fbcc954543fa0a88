//! How often a library asks for memory, on its own thread.

use heap_counter::Counts;

use crate::libraries::Entry;
use crate::library::Outcome;
use crate::measure::Sample;
use crate::per_message;
use crate::quantity::Quantity;
use crate::workload::Workload;

/// Runs in this process, whose times are worth nothing then.
pub(crate) fn count(workload: Workload, entry: &Entry) -> Outcome<Sample> {
    // What is made once in a process is there after the first run.
    entry.run(&per_message::short(workload))?;
    let [allocations] = per_message::growth(workload, |run| {
        let before = Counts::now();
        entry.run(run)?;
        Ok([(Counts::now().allocations - before.allocations) as f64])
    })?;
    Ok(Sample::from([(Quantity::Allocations, allocations)]))
}
