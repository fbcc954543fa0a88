//! How many files and sockets this process may have open.

/// Raises the limit as far as the system lets it, and tells it.
pub(crate) fn raise() -> usize {
    let limit = rlimit::increase_nofile_limit(u64::MAX).unwrap_or(1_024);
    usize::try_from(limit).unwrap_or(usize::MAX)
}
