//! twinsock and its peers, side by side in one run; see the README beside this package.

mod frames;
mod gathering;
mod libraries;
mod library;
mod machine;
mod measure;
mod memory;
mod neutral;
mod opening;
mod processor;
mod quantity;
mod report;
mod run;
mod sample;
mod workload;
mod workloads;

use clap::Parser;

use crate::libraries::Entry;
use crate::library::Outcome;
use crate::machine::Machine;
use crate::report::{Report, Row, Series, Version};
use crate::workload::Workload;

/// Measures twinsock and its peers side by side.
#[derive(Parser)]
struct Arguments {
    /// Only workloads whose name begins with this, such as `echo/server`; may be repeated.
    #[arg(long)]
    only: Vec<String>,
    /// Only libraries whose name begins with this; may be repeated.
    #[arg(long)]
    library: Vec<String>,
    /// How often each is measured, one library after the other in each round.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Lists the workloads and the libraries.
    #[arg(long)]
    list: bool,
    /// Takes one sample, of the workload and the library with exactly these names.
    #[arg(long, hide = true)]
    sample: bool,
    /// Names the files below `results/`.
    #[arg(long, default_value = "latest")]
    name: String,
}

fn main() -> Outcome<()> {
    let arguments = Arguments::parse();
    if arguments.sample {
        return one_sample(&arguments);
    }
    let mut workloads = workload::all();
    workloads.retain(|workload| is_among(&arguments.only, &workload.to_string()));
    let mut entries = libraries::all().to_vec();
    entries.retain(|entry| is_among(&arguments.library, entry.name));
    if arguments.list {
        list(&workloads, &entries);
        return Ok(());
    }
    let machine = Machine::here();
    let rows = workloads
        .iter()
        .map(|workload| measured(workload, &entries, arguments.rounds))
        .collect();
    let report = Report {
        machine,
        rounds: arguments.rounds,
        libraries: entries.iter().map(Version::of).collect(),
        rows,
        entries,
    };
    println!("{}", report.markdown());
    eprintln!("raw results: {}", report.save(&arguments.name)?.display());
    Ok(())
}

fn one_sample(arguments: &Arguments) -> Outcome<()> {
    let workloads = workload::all();
    let workload = workloads
        .iter()
        .find(|workload| arguments.only.contains(&workload.to_string()));
    let entries = libraries::all();
    let entry = entries
        .iter()
        .find(|entry| arguments.library.iter().any(|name| name == entry.name));
    match (workload, entry) {
        (Some(workload), Some(entry)) => sample::print(workload, entry),
        _ => Err("expected the names of a workload and a library, got others".into()),
    }
}

/// Who asks for nothing gets everything.
fn is_among(wanted: &[String], name: &str) -> bool {
    wanted.is_empty() || wanted.iter().any(|beginning| name.starts_with(beginning))
}

fn list(workloads: &[Workload], entries: &[Entry]) {
    for workload in workloads {
        println!("{workload}");
    }
    for entry in entries {
        println!("{} {}: {}", entry.name, entry.version(), entry.flush);
    }
}

/// All rounds of one workload. Each round takes every library once, and begins with another one,
/// so that none has the better place.
fn measured(workload: &Workload, entries: &[Entry], rounds: usize) -> Row {
    eprintln!("{workload}");
    let entries: Vec<_> = entries
        .iter()
        .filter(|entry| entry.takes_part_in(workload))
        .collect();
    let mut series: Vec<_> = entries.iter().map(|entry| nothing_yet(entry)).collect();
    for round in 0..rounds {
        for turn in 0..entries.len() {
            let index = (round + turn) % entries.len();
            let series = &mut series[index];
            if series.failure.is_some() {
                continue;
            }
            match sample::take(workload, entries[index]) {
                Ok(sample) => series.samples.push(sample),
                Err(error) => series.failure = Some(error.to_string()),
            }
        }
    }
    Row {
        workload: *workload,
        series,
    }
}

fn nothing_yet(entry: &Entry) -> Series {
    Series {
        library: entry.name,
        samples: Vec::new(),
        failure: None,
    }
}
