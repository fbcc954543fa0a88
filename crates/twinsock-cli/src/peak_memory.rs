//! The most memory that this process has had.

/// In bytes; `None` where the system does not tell.
pub(crate) fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    high_water_mark(&status)
}

/// The line `VmHWM:     1234 kB` of Linux.
fn high_water_mark(status: &str) -> Option<u64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_high_water_mark_is_read_in_kibibytes() {
        let status =
            "Name:\ttwinsock\nVmPeak:\t  9999 kB\nVmHWM:\t    5308 kB\nVmRSS:\t    12 kB\n";
        assert_eq!(high_water_mark(status), Some(5308 * 1024));
        for broken in [
            "",
            "VmHWM:",
            "VmHWM: much kB",
            "VmHWM: 99999999999999999999 kB",
        ] {
            assert_eq!(high_water_mark(broken), None, "{broken}");
        }
    }
}
