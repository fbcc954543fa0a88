//! Units of 100 ns, in which the Universal Windows Platform counts time.

use std::time::Duration;

use crate::data::error::DataError;

/// Nanoseconds in a tick.
const NANOSECONDS: u128 = 100;

/// Ticks in a second.
const PER_SECOND: u64 = 10_000_000;

/// A whole number of ticks, as a duration.
pub(super) fn to_duration(ticks: u64) -> Duration {
    // Less than a second's worth of nanoseconds fits.
    let nanoseconds = u32::try_from(ticks % PER_SECOND * 100).unwrap_or(0);
    Duration::new(ticks / PER_SECOND, nanoseconds)
}

/// The whole ticks in a duration.
pub(super) fn rounded_down(duration: Duration) -> i128 {
    fits(duration.as_nanos() / NANOSECONDS)
}

/// The fewest ticks that are not shorter than a duration.
pub(super) fn rounded_up(duration: Duration) -> i128 {
    fits(duration.as_nanos().div_ceil(NANOSECONDS))
}

pub(super) fn in_range(ticks: i128) -> Result<i64, DataError> {
    i64::try_from(ticks).map_err(|_| DataError::TimeOutOfRange { ticks })
}

/// The longest duration has fewer than 2⁹⁴ nanoseconds.
fn fits(ticks: u128) -> i128 {
    i128::try_from(ticks).unwrap_or(i128::MAX)
}
