//! Each sample in a process of its own: what a library's large messages cost depends on the heap
//! that others left behind.

use std::process::{Command, Output, Stdio};
use std::time::Duration;

use crate::allocations;
use crate::descriptors;
use crate::figure::Figure;
use crate::instructions;
use crate::libraries::Entry;
use crate::library::Outcome;
use crate::measure::Sample;
use crate::processor;
use crate::run::Run;
use crate::system_calls;
use crate::workload::{Task, Workload};

/// A sample that takes longer hangs: its process ends itself.
const PATIENCE: Duration = Duration::from_secs(120);

/// Takes one of this kind.
pub(crate) fn take(figure: Figure, workload: Workload, entry: &Entry) -> Outcome<Sample> {
    match figure {
        Figure::Time | Figure::Allocations => {
            let mut command = Command::new(std::env::current_exe()?);
            let run = Run::of(workload);
            command.args(arguments(figure, &run, entry));
            let output = finished(command.stderr(Stdio::inherit()))?;
            Ok(serde_json::from_slice(&output.stdout)?)
        }
        Figure::Syscalls => system_calls::count(workload, entry),
        Figure::Instructions => instructions::count(workload, entry),
    }
}

/// Runs one sample under a tool that watches its process.
pub(crate) fn run_under(mut tool: Command, run: &Run, entry: &Entry) -> Outcome<Output> {
    tool.arg(std::env::current_exe()?)
        .args(arguments(Figure::Time, run, entry));
    finished(&mut tool)
}

fn arguments(figure: Figure, run: &Run, entry: &Entry) -> [String; 9] {
    [
        "--sample",
        "--only",
        &run.workload.to_string(),
        "--library",
        entry.name,
        "--figures",
        figure.name(),
        "--messages",
        &run.messages.to_string(),
    ]
    .map(str::to_owned)
}

fn finished(command: &mut Command) -> Outcome<Output> {
    let output = command.stdin(Stdio::null()).output()?;
    match output.status.success() {
        true => Ok(output),
        false => Err(format!("its process ended with {}", output.status).into()),
    }
}

/// Is that one process: measures, and prints what it found.
pub(crate) fn print(figure: Figure, run: &Run, entry: &Entry) -> Outcome<()> {
    std::thread::spawn(|| {
        std::thread::sleep(PATIENCE);
        eprintln!("no end after {PATIENCE:?}");
        std::process::exit(1);
    });
    descriptors::raise();
    // The other side's process would inherit it.
    if !matches!(run.workload.task, Task::Many { .. } | Task::Idle(_)) {
        processor::pin_library();
    }
    let sample = match figure {
        Figure::Allocations => allocations::count(run.workload, entry)?,
        _ => entry.run(run)?,
    };
    println!("{}", serde_json::to_string(&sample)?);
    Ok(())
}
