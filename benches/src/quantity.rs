//! What is measured, and how it is written.

use serde::{Deserialize, Serialize};

/// One figure of a sample.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Quantity {
    CpuNanoseconds,
    WallNanoseconds,
}

impl Quantity {
    /// In the order of the tables.
    pub(crate) const ALL: [Self; 2] = [Self::CpuNanoseconds, Self::WallNanoseconds];

    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::CpuNanoseconds => "CPU time per message",
            Self::WallNanoseconds => "time on the clock per message",
        }
    }

    /// With its unit.
    pub(crate) fn text(self, value: f64) -> String {
        match self {
            Self::CpuNanoseconds | Self::WallNanoseconds => time(value),
        }
    }
}

fn time(nanoseconds: f64) -> String {
    match nanoseconds {
        0.0..100.0 => format!("{nanoseconds:.1} ns"),
        0.0..1_000.0 => format!("{nanoseconds:.0} ns"),
        _ => format!("{:.2} µs", nanoseconds / 1_000.0),
    }
}
