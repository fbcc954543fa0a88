//! The clock, and what comes of the samples of several rounds.

use std::collections::BTreeMap;
use std::io;
use std::time::{Duration, Instant};

use cpu_time::{ProcessTime, ThreadTime};
use serde::{Deserialize, Serialize};

use crate::library::Outcome;
use crate::quantity::Quantity;

/// Started when the warm-up is over; it knows the time and the CPU time.
pub(crate) struct Clock {
    wall: Instant,
    cpu: Duration,
    read_cpu: fn() -> io::Result<Duration>,
}

impl Clock {
    /// With the CPU time of the calling thread.
    pub(crate) fn start() -> Outcome<Self> {
        Self::with(|| Ok(ThreadTime::try_now()?.as_duration()))
    }

    /// With the CPU time of all threads.
    pub(crate) fn start_for_process() -> Outcome<Self> {
        Self::with(|| Ok(ProcessTime::try_now()?.as_duration()))
    }

    fn with(read_cpu: fn() -> io::Result<Duration>) -> Outcome<Self> {
        Ok(Self {
            wall: Instant::now(),
            cpu: read_cpu()?,
            read_cpu,
        })
    }

    /// What one of `messages` took.
    pub(crate) fn stop(self, messages: usize) -> Outcome<Sample> {
        let cpu = (self.read_cpu)()?.saturating_sub(self.cpu);
        let wall = self.wall.elapsed();
        Ok(Sample::from([
            (Quantity::CpuNanoseconds, per_message(cpu, messages)),
            (Quantity::WallNanoseconds, per_message(wall, messages)),
        ]))
    }
}

fn per_message(time: Duration, messages: usize) -> f64 {
    time.as_secs_f64() * 1e9 / messages as f64
}

/// What one run of one library on one workload found.
#[derive(Clone, Deserialize, Serialize)]
#[serde(transparent)]
pub(crate) struct Sample(BTreeMap<Quantity, f64>);

impl<const N: usize> From<[(Quantity, f64); N]> for Sample {
    fn from(values: [(Quantity, f64); N]) -> Self {
        Self(values.into())
    }
}

impl Sample {
    pub(crate) fn set(&mut self, quantity: Quantity, value: f64) {
        self.0.insert(quantity, value);
    }

    pub(crate) fn get(&self, quantity: Quantity) -> Option<f64> {
        self.0.get(&quantity).copied()
    }
}

/// The middle of several rounds, and how far they lie apart.
#[derive(Clone, Copy)]
pub(crate) struct Summary {
    pub(crate) median: f64,
    /// From the least to the greatest, as a part of the median; `None` of a single round.
    pub(crate) spread: Option<f64>,
}

impl Summary {
    /// `None` of no values.
    pub(crate) fn of(values: impl Iterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<_> = values.collect();
        values.sort_by(f64::total_cmp);
        let (least, greatest) = (*values.first()?, *values.last()?);
        let upper = *values.get(values.len() / 2)?;
        let lower = *values.get((values.len() - 1) / 2)?;
        let median = f64::midpoint(lower, upper);
        let spread = (values.len() > 1 && median > 0.0).then(|| (greatest - least) / median);
        Some(Self { median, spread })
    }
}
