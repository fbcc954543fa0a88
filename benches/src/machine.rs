//! Where and when a run took place.

use std::fmt;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;

use crate::processor;

/// What has to be known about a machine to compare its figures.
#[derive(Serialize)]
pub(crate) struct Machine {
    processor: String,
    processors: usize,
    system: String,
    compiler: String,
    /// How many tasks ran when the benchmark began: what else the machine did.
    load: String,
    /// Seconds since 1970.
    time: u64,
}

impl Machine {
    /// This one, now.
    pub(crate) fn here() -> Self {
        Self {
            processor: processor_name().unwrap_or_else(|| std::env::consts::ARCH.to_owned()),
            processors: processor::count(),
            system: output("uname", "-sr"),
            compiler: output("rustc", "--version"),
            load: first_word("/proc/loadavg"),
            time: SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, |time| time.as_secs()),
        }
    }

    /// The processor's name as that of a folder.
    pub(crate) fn slug(&self) -> String {
        let words: Vec<_> = self
            .processor
            .split(|sign: char| !sign.is_ascii_alphanumeric())
            .filter(|word| !word.is_empty())
            .collect();
        words.join("-").to_ascii_lowercase()
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} × {}, {}, {}, load {} at the beginning",
            self.processors, self.processor, self.system, self.compiler, self.load
        )
    }
}

fn processor_name() -> Option<String> {
    let text = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn first_word(path: &str) -> String {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.split(' ').next().unwrap_or_default().to_owned()
}

fn output(program: &str, argument: &str) -> String {
    let output = Command::new(program).arg(argument).output();
    let text = output.map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&text).trim().to_owned()
}
