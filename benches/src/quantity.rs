//! What is measured, and how it is written.

use serde::{Deserialize, Serialize};

/// One figure of a sample.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Quantity {
    CpuNanoseconds,
    WallNanoseconds,
    /// What a message becomes with its header, by what it was without.
    CompressedPart,
    ResidentBytes,
    LiveBytes,
    LiveAllocations,
    Allocations,
    SystemCalls,
    /// Those system calls that wait for the network.
    Waits,
    Instructions,
}

impl Quantity {
    /// In the order of the tables.
    pub(crate) const ALL: [Self; 10] = [
        Self::CpuNanoseconds,
        Self::WallNanoseconds,
        Self::CompressedPart,
        Self::ResidentBytes,
        Self::LiveBytes,
        Self::LiveAllocations,
        Self::Allocations,
        Self::SystemCalls,
        Self::Waits,
        Self::Instructions,
    ];

    /// Of one message, connection or whatever the workload counts.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::CpuNanoseconds => "CPU time",
            Self::WallNanoseconds => "time on the clock",
            Self::CompressedPart => "bytes sent ÷ bytes",
            Self::ResidentBytes => "resident memory",
            Self::LiveBytes => "allocated memory",
            Self::LiveAllocations => "live allocations",
            Self::Allocations => "allocations",
            Self::SystemCalls => "system calls",
            Self::Waits => "system calls that wait",
            Self::Instructions => "instructions",
        }
    }

    /// With its unit.
    pub(crate) fn text(self, value: f64) -> String {
        match self {
            Self::CpuNanoseconds | Self::WallNanoseconds => time(value),
            Self::CompressedPart => format!("{:.2} %", 100.0 * value),
            Self::ResidentBytes | Self::LiveBytes => bytes(value),
            Self::LiveAllocations => format!("{value:.1}"),
            Self::Allocations => count(value, 2),
            Self::SystemCalls | Self::Waits => count(value, 3),
            Self::Instructions => format!("{value:.0}"),
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

fn bytes(count: f64) -> String {
    match count {
        ..100_000.0 => format!("{count:.0} B"),
        _ => format!("{:.0} KiB", count / 1_024.0),
    }
}

/// What happens just once leaves a trace in a difference, above or below nothing.
fn count(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    match text.trim_start_matches(['-', '0', '.']) {
        "" => text.trim_start_matches('-').to_owned(),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_below_nothing_is_nothing() {
        assert_eq!(Quantity::Allocations.text(-0.001), "0.00");
        assert_eq!(Quantity::Allocations.text(-0.51), "-0.51");
        assert_eq!(Quantity::Allocations.text(10.0), "10.00");
    }
}
