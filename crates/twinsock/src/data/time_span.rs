//! Lengths of time.

use std::time::Duration;

use crate::data::error::DataError;
use crate::data::ticks;

/// A length of time in units of 100 ns, which may be negative (`TimeSpan` in UWP).
///
/// ```
/// use std::time::Duration;
/// use twinsock::TimeSpan;
///
/// let span = TimeSpan::try_from(Duration::from_millis(3))?;
/// assert_eq!(span.ticks(), 30_000);
/// assert_eq!(Duration::try_from(span)?, Duration::from_millis(3));
/// assert!(Duration::try_from(TimeSpan::from_ticks(-1)).is_err());
/// # Ok::<(), twinsock::DataError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TimeSpan {
    ticks: i64,
}

impl TimeSpan {
    /// So many units of 100 ns.
    #[must_use]
    pub const fn from_ticks(ticks: i64) -> Self {
        Self { ticks }
    }

    /// Units of 100 ns (`TimeSpan.Duration` in UWP).
    #[must_use]
    pub const fn ticks(self) -> i64 {
        self.ticks
    }
}

impl TryFrom<Duration> for TimeSpan {
    type Error = DataError;

    /// Rounds down to units of 100 ns.
    ///
    /// # Errors
    /// [`DataError::TimeOutOfRange`] above about 29,200 years.
    fn try_from(duration: Duration) -> Result<Self, DataError> {
        ticks::in_range(ticks::rounded_down(duration)).map(Self::from_ticks)
    }
}

impl TryFrom<TimeSpan> for Duration {
    type Error = DataError;

    /// # Errors
    /// [`DataError::TimeOutOfRange`] for a negative one.
    fn try_from(span: TimeSpan) -> Result<Self, DataError> {
        let ticks = u64::try_from(span.ticks).map_err(|_| DataError::TimeOutOfRange {
            ticks: span.ticks.into(),
        })?;
        Ok(ticks::to_duration(ticks))
    }
}
