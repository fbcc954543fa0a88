//! What the demonstration measured, as rows of a table.

use std::fmt;
use std::time::Duration;

/// An exchange of equal messages that is done.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measurement {
    pub(crate) name: &'static str,
    pub(crate) messages: usize,
    pub(crate) size: usize,
    pub(crate) elapsed: Duration,
    pub(crate) order: Order,
}

/// When a message is sent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Order {
    /// When the echo of the one before has come: each has a round trip of its own.
    OneByOne,
    /// As soon as there is room.
    InFlight,
}

pub(crate) const HEADING: &str =
    "                     messages      size   messages/s       MB/s   round trip";

impl fmt::Display for Measurement {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            messages,
            size,
            elapsed,
            order,
        } = *self;
        let seconds = elapsed.as_secs_f64().max(f64::MIN_POSITIVE);
        let rate = in_decimal(messages) / seconds;
        let megabytes = in_decimal(messages) * in_decimal(size) / seconds / 1e6;
        let round_trip = match order {
            Order::OneByOne => microseconds(seconds / in_decimal(messages)),
            Order::InFlight => "-".to_owned(),
        };
        let size = binary_size(size);
        write!(
            formatter,
            "{name:<19}{messages:>10}{size:>10}{rate:>13.0}{megabytes:>11.1}{round_trip:>13}"
        )
    }
}

/// As a number with fractions; beyond 2^53 it would be rounded.
#[expect(clippy::cast_precision_loss, reason = "counts here are far below 2^53")]
fn in_decimal(count: usize) -> f64 {
    count as f64
}

fn microseconds(seconds: f64) -> String {
    format!("{:.0} us", seconds * 1e6)
}

fn binary_size(bytes: usize) -> String {
    match bytes {
        0..0x400 => format!("{bytes} B"),
        0x400..0x10_0000 => format!("{} KiB", bytes >> 10),
        _ => format!("{} MiB", bytes >> 20),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_stands_below_its_heading() {
        let row = Measurement {
            name: "text, one by one",
            messages: 2_000,
            size: 65_536,
            elapsed: Duration::from_millis(500),
            order: Order::OneByOne,
        };
        let row = row.to_string();
        assert_eq!(row.len(), HEADING.len());
        let columns: Vec<&str> = row.split_whitespace().skip(4).collect();
        assert_eq!(columns, ["2000", "64", "KiB", "4000", "262.1", "250", "us"]);
    }
}
