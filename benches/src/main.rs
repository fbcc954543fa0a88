//! twinsock and its peers, side by side in one run; see the README beside this package.

mod allocations;
mod chart;
mod compression;
mod corpus;
mod crowd;
mod descriptors;
mod figure;
mod frames;
mod gathering;
mod instructions;
mod libraries;
mod library;
mod machine;
mod measure;
mod memory;
mod meter;
mod neutral;
mod opening;
mod other_side;
mod per_message;
mod processor;
mod quantity;
mod report;
mod rounds;
mod row;
mod run;
mod sample;
mod system_calls;
mod table;
mod workload;
mod workloads;

use std::time::Instant;

use clap::Parser;
use heap_counter::CountingAllocator;

use crate::figure::Figure;
use crate::library::Outcome;
use crate::machine::Machine;
use crate::report::{Report, Version};
use crate::rounds::Plan;
use crate::run::Run;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

/// Measures twinsock and its peers side by side.
#[derive(Parser)]
struct Arguments {
    /// Only workloads whose name begins with this, such as `echo/server`; may be repeated.
    #[arg(long)]
    only: Vec<String>,
    /// Only libraries whose name begins with this; may be repeated.
    #[arg(long)]
    library: Vec<String>,
    /// The kinds of figures.
    #[arg(long, value_delimiter = ',', default_values = ["time", "allocations"])]
    figures: Vec<Figure>,
    /// One or two workloads of each group in two rounds: for every day.
    #[arg(long)]
    quick: bool,
    /// How often each is timed, one library after the other in each round; 3, or 2 if quick.
    #[arg(long)]
    rounds: Option<usize>,
    /// Lists the workloads and the libraries.
    #[arg(long)]
    list: bool,
    /// Names the files below `results/`.
    #[arg(long, default_value = "latest")]
    name: String,
    /// Takes one sample, of the workload and the library with exactly these names.
    #[arg(long, hide = true)]
    sample: bool,
    /// How many messages that sample takes.
    #[arg(long, hide = true, requires = "sample")]
    messages: Option<usize>,
    /// Is the other side of a sample, with these orders as JSON.
    #[arg(long, hide = true)]
    other_side: Option<String>,
}

fn main() -> Outcome<()> {
    let arguments = Arguments::parse();
    if let Some(orders) = &arguments.other_side {
        return crowd::obey(&serde_json::from_str(orders)?);
    }
    if arguments.sample {
        return one_sample(&arguments);
    }
    let plan = plan(&arguments);
    match arguments.list {
        true => list(&plan),
        false => carry_out(plan, &arguments.name)?,
    }
    Ok(())
}

fn plan(arguments: &Arguments) -> Plan {
    let mut workloads = workload::all();
    workloads.retain(|workload| is_among(&arguments.only, &workload.to_string()));
    if arguments.quick {
        workloads.retain(|workload| workload::QUICK.contains(&&*workload.to_string()));
    }
    let mut entries = libraries::all().to_vec();
    entries.retain(|entry| is_among(&arguments.library, entry.name));
    Plan {
        workloads,
        entries,
        figures: arguments.figures.clone(),
        rounds: arguments
            .rounds
            .unwrap_or(if arguments.quick { 2 } else { 3 }),
    }
}

/// Who asks for nothing gets everything.
fn is_among(wanted: &[String], name: &str) -> bool {
    wanted.is_empty() || wanted.iter().any(|beginning| name.starts_with(beginning))
}

fn list(plan: &Plan) {
    for workload in &plan.workloads {
        println!("{workload}");
    }
    for entry in &plan.entries {
        println!("{} {}: {}", entry.name, entry.version(), entry.flush);
    }
}

fn carry_out(mut plan: Plan, name: &str) -> Outcome<()> {
    plan.figures.retain(|figure| figure.is_available());
    let workloads = &plan.workloads;
    plan.entries.retain(|entry| {
        let mut workloads = workloads.iter();
        // What is not asked for is not installed.
        workloads.any(|workload| entry.takes_part_in(workload)) && entry.is_available()
    });
    let (start, machine) = (Instant::now(), Machine::here());
    eprintln!("about {:.0} minutes", (plan.seconds() / 60.0).ceil());
    let report = Report {
        machine,
        rounds: plan.rounds,
        libraries: plan.entries.iter().map(Version::of).collect(),
        rows: plan.rows(),
        entries: plan.entries,
    };
    println!("{}", report.markdown());
    eprintln!("raw results: {}", report.save(name)?.display());
    eprintln!("{:.0} s", start.elapsed().as_secs_f64());
    Ok(())
}

fn one_sample(arguments: &Arguments) -> Outcome<()> {
    let workloads = workload::all();
    let mut workloads = workloads.iter();
    let workload = workloads.find(|workload| arguments.only.contains(&workload.to_string()));
    let entries = libraries::all();
    let mut entries = entries.iter();
    let entry = entries.find(|entry| arguments.library.iter().any(|name| name == entry.name));
    let (Some(workload), Some(entry), [figure, ..]) = (workload, entry, &*arguments.figures) else {
        return Err("expected the names of a workload and a library, got others".into());
    };
    let mut run = Run::of(*workload);
    if let Some(messages) = arguments.messages {
        run.messages = messages;
    }
    sample::print(*figure, &run, entry)
}
