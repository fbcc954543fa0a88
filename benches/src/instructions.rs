//! The instructions of the library's process, as valgrind counts them.

use std::process::Command;

use crate::libraries::Entry;
use crate::library::Outcome;
use crate::measure::Sample;
use crate::per_message;
use crate::quantity::Quantity;
use crate::sample;
use crate::workload::Workload;

pub(crate) fn count(workload: Workload, entry: &Entry) -> Outcome<Sample> {
    let [instructions] = per_message::growth(workload, |run| {
        let mut valgrind = Command::new("valgrind");
        valgrind
            .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
            // It would count each byte that `rep movsb` and `rep stosb` write as an instruction.
            .env(
                "GLIBC_TUNABLES",
                "glibc.cpu.x86_rep_movsb_threshold=1000000000:\
                 glibc.cpu.x86_rep_stosb_threshold=1000000000",
            );
        let output = sample::run_under(valgrind, run, entry)?;
        Ok([collected(&String::from_utf8_lossy(&output.stderr))?])
    })?;
    Ok(Sample::from([(Quantity::Instructions, instructions)]))
}

/// The line `==1234== Collected : 56789`.
fn collected(messages: &str) -> Outcome<f64> {
    let mut lines = messages.lines();
    let count = lines.find_map(|line| line.split_once(" Collected : "));
    let (_, count) = count.ok_or("expected valgrind to tell what it collected")?;
    Ok(count.trim().parse()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_is_found_among_other_messages() {
        let messages = "==7== Events    : Ir\n==7== Collected : 123456\n==7== I   refs:  123,456\n";
        assert_eq!(collected(messages).unwrap(), 123_456.0);
        assert!(collected("==7== Events    : Ir\n").is_err());
    }
}
