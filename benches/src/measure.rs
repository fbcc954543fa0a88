//! The clock, and what comes of the samples of several rounds.

use std::time::{Duration, Instant};

use cpu_time::ThreadTime;
use serde::{Deserialize, Serialize};

use crate::library::Outcome;

/// Started when the warm-up is over; it knows the time and the CPU time of the calling thread.
pub(crate) struct Clock {
    wall: Instant,
    cpu: ThreadTime,
}

impl Clock {
    pub(crate) fn start() -> Outcome<Self> {
        let wall = Instant::now();
        let cpu = ThreadTime::try_now()?;
        Ok(Self { wall, cpu })
    }

    /// What one of `messages` took.
    pub(crate) fn stop(self, messages: usize) -> Outcome<Sample> {
        let cpu = self.cpu.try_elapsed()?;
        let wall = self.wall.elapsed();
        Ok(Sample {
            cpu_nanoseconds: per_message(cpu, messages),
            wall_nanoseconds: per_message(wall, messages),
        })
    }
}

fn per_message(time: Duration, messages: usize) -> f64 {
    time.as_secs_f64() * 1e9 / messages as f64
}

/// One run of one library on one workload, per message.
#[derive(Clone, Copy, Deserialize, Serialize)]
pub(crate) struct Sample {
    pub(crate) cpu_nanoseconds: f64,
    pub(crate) wall_nanoseconds: f64,
}

/// The middle of several rounds, and how far they lie apart.
#[derive(Clone, Copy)]
pub(crate) struct Summary {
    pub(crate) median: f64,
    /// From the least to the greatest, as a part of the median.
    pub(crate) spread: f64,
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
        Some(Self {
            median,
            spread: (greatest - least) / median,
        })
    }
}
