//! The system calls of the library's thread, as strace counts them. Without its option to follow,
//! it sees the main thread alone: the other side is on another thread, or in another process.

use std::process::Command;

use crate::libraries::Entry;
use crate::library::Outcome;
use crate::measure::Sample;
use crate::per_message;
use crate::quantity::Quantity;
use crate::sample;
use crate::workload::Workload;

pub(crate) fn count(workload: Workload, entry: &Entry) -> Outcome<Sample> {
    let [all, waits] = per_message::growth(workload, |run| {
        let mut strace = Command::new("strace");
        strace.args(["--summary-only", "--output=/dev/stdout"]);
        let output = sample::run_under(strace, run, entry)?;
        Ok(counts(&String::from_utf8_lossy(&output.stdout)))
    })?;
    Ok(Sample::from([
        (Quantity::SystemCalls, all),
        (Quantity::Waits, waits),
    ]))
}

/// All calls, and those that wait for the network: lines such as
/// ` 12.34    0.001234          12       103         2 epoll_wait`.
fn counts(summary: &str) -> [f64; 2] {
    let (mut all, mut waits) = (0.0, 0.0);
    for line in summary.lines() {
        let words: Vec<_> = line.split_whitespace().collect();
        let count = words.get(3).and_then(|word| word.parse::<f64>().ok());
        let (Some(count), Some(name)) = (count, words.last()) else {
            continue;
        };
        match *name {
            "total" => {}
            "epoll_wait" | "epoll_pwait" | "epoll_pwait2" => {
                all += count;
                waits += count;
            }
            _ => all += count,
        }
    }
    [all, waits]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_summed_and_waits_are_told_apart() {
        let summary = "{\"cpu-nanoseconds\":12.5}\n\
            % time     seconds  usecs/call     calls    errors syscall\n\
            ------ ----------- ----------- --------- --------- ----------------\n\
            60.00    0.000600          12       100        40 recvfrom\n\
            40.00    0.000400          80         5           epoll_wait\n\
            ------ ----------- ----------- --------- --------- ----------------\n\
            100.00    0.001000          17       105        40 total\n";
        assert_eq!(counts(summary), [105.0, 5.0]);
    }
}
