//! Points in time.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::data::error::DataError;
use crate::data::ticks;

/// A point in time: a count of 100 ns since the beginning of 1601 in UTC, negative before it
/// (`DateTime` in UWP).
///
/// It reaches from about 29,200 years before 1601 to as many after it.
///
/// ```
/// use std::time::{SystemTime, UNIX_EPOCH};
/// use twinsock::DateTime;
///
/// let beginning_of_1970 = DateTime::from_ticks(116_444_736_000_000_000);
/// assert_eq!(DateTime::try_from(UNIX_EPOCH)?, beginning_of_1970);
/// assert_eq!(SystemTime::try_from(beginning_of_1970)?, UNIX_EPOCH);
/// # Ok::<(), twinsock::DataError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DateTime {
    ticks: i64,
}

impl DateTime {
    /// The point in time so many units of 100 ns after the beginning of 1601 in UTC.
    #[must_use]
    pub const fn from_ticks(ticks: i64) -> Self {
        Self { ticks }
    }

    /// Units of 100 ns since the beginning of 1601 in UTC (`DateTime.UniversalTime` in UWP).
    #[must_use]
    pub const fn ticks(self) -> i64 {
        self.ticks
    }
}

impl TryFrom<SystemTime> for DateTime {
    type Error = DataError;

    /// Rounds down to units of 100 ns.
    ///
    /// # Errors
    /// [`DataError::TimeOutOfRange`] more than about 29,200 years from 1601.
    fn try_from(time: SystemTime) -> Result<Self, DataError> {
        let since_1970 = match time.duration_since(UNIX_EPOCH) {
            Ok(after) => ticks::rounded_down(after),
            Err(error) => -ticks::rounded_up(error.duration()),
        };
        let ticks = since_1970.saturating_add(i128::from(FROM_1601_TO_1970));
        ticks::in_range(ticks).map(Self::from_ticks)
    }
}

impl TryFrom<DateTime> for SystemTime {
    type Error = DataError;

    /// # Errors
    /// [`DataError::TimeOutOfRange`] where the system's clock does not reach so far: on Windows
    /// before 1601.
    fn try_from(time: DateTime) -> Result<Self, DataError> {
        let distance = ticks::to_duration(time.ticks.abs_diff(FROM_1601_TO_1970));
        let system_time = if time.ticks < FROM_1601_TO_1970 {
            UNIX_EPOCH.checked_sub(distance)
        } else {
            UNIX_EPOCH.checked_add(distance)
        };
        system_time.ok_or(DataError::TimeOutOfRange {
            ticks: time.ticks.into(),
        })
    }
}

/// From the beginning of 1601 to that of 1970, in units of 100 ns.
const FROM_1601_TO_1970: i64 = 116_444_736_000_000_000;
