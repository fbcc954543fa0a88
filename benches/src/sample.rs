//! Each sample in a process of its own: what a library's large messages cost depends on the heap
//! that others left behind.

use std::process::{Command, Stdio};

use crate::libraries::Entry;
use crate::library::Outcome;
use crate::measure::Sample;
use crate::processor;
use crate::run::Run;
use crate::workload::Workload;

/// Runs this program again for one sample.
pub(crate) fn take(workload: &Workload, entry: &Entry) -> Outcome<Sample> {
    let output = Command::new(std::env::current_exe()?)
        .arg("--sample")
        .args(["--only", &workload.to_string()])
        .args(["--library", entry.name])
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        return Err(format!("its process ended with {}", output.status).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// Is that one process: measures, and prints what it took.
pub(crate) fn print(workload: &Workload, entry: &Entry) -> Outcome<()> {
    processor::pin_library();
    let sample = entry.run(&Run::of(*workload))?;
    println!("{}", serde_json::to_string(&sample)?);
    Ok(())
}
