//! When a load is done.

/// When [`DataReader::load`](crate::DataReader::load) is done, and how much it may take from the
/// stream (`InputStreamOptions` in UWP); by default [`None`](Self::None).
///
/// ```
/// # async fn run() -> Result<(), twinsock::DataError> {
/// use twinsock::{DataReader, InputStreamOptions};
///
/// let mut reader = DataReader::over(&b"hello"[..]);
/// reader.set_input_stream_options(InputStreamOptions::Partial);
/// assert_eq!(reader.load(1_000).await?, 5);
/// # Ok(())
/// # }
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(run()).unwrap();
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum InputStreamOptions {
    /// Loads the full count, or what comes before the end of the stream.
    #[default]
    None = 0,
    /// Done as soon as there is at least one byte.
    Partial = 1,
    /// Loads the full count, and may read ahead for the loads to come.
    ReadAhead = 2,
    /// Done as soon as there is at least one byte, and may read ahead.
    PartialReadAhead = 3,
}

impl InputStreamOptions {
    /// The number of the Universal Windows Platform, where the options are flags.
    #[must_use]
    pub const fn number(self) -> u32 {
        self as u32
    }

    /// Whether so many bytes are enough for a load of `count`.
    pub(super) fn suffices(self, available: usize, count: usize) -> bool {
        match self {
            Self::None | Self::ReadAhead => available >= count,
            Self::Partial | Self::PartialReadAhead => available >= count.min(1),
        }
    }

    /// How many bytes a read may take when `missing` are asked for.
    pub(super) fn largest_read(self, missing: usize) -> usize {
        let wanted = match self {
            Self::None | Self::Partial => missing,
            Self::ReadAhead | Self::PartialReadAhead => missing.max(READ_AHEAD),
        };
        wanted.min(LARGEST_READ)
    }
}

/// So much is asked for at least when reading ahead.
const READ_AHEAD: usize = 8 * 1024;

/// Memory is reserved for what arrives, not for what was asked for.
const LARGEST_READ: usize = 64 * 1024;
