//! The lines of standard input.
//!
//! They are read in a thread of their own that nobody waits for: reading from a terminal cannot be
//! cancelled, and the program must be able to end while it goes on. What was read ahead is at most
//! two batches: lines that came together, 64 KiB of them, or one larger line.

use std::io::{self, BufRead, BufReader, Read};
use std::thread;

use tokio::sync::mpsc;

use crate::exit_code::ExitCode;
use crate::failure::Failure;

/// Lines that came together, or why no more come.
pub(crate) type Batch = Result<Vec<String>, Failure>;

/// How much is read at once, and how many bytes of lines make a batch.
const BATCH_SIZE: usize = 64 * 1024;

/// Starts to read; the channel ends with the input.
///
/// A line above `longest` bytes is an error, so that an input without line ends does not fill the
/// memory.
pub(crate) fn read_lines(longest: u64) -> Result<mpsc::Receiver<Batch>, Failure> {
    let (sender, receiver) = mpsc::channel(1);
    thread::Builder::new()
        .name("standard input".to_owned())
        .spawn(move || {
            let input = BufReader::with_capacity(BATCH_SIZE, io::stdin().lock());
            Lines::new(input, longest).hand_over(&sender);
        })
        .map_err(|error| Failure::system("cannot read standard input", &error))?;
    Ok(receiver)
}

struct Lines<R> {
    input: BufReader<R>,
    longest: u64,
    /// The number of the line last read, from 1.
    number: u64,
}

impl<R: Read> Lines<R> {
    fn new(input: BufReader<R>, longest: u64) -> Self {
        Self {
            input,
            longest,
            number: 0,
        }
    }

    /// Reads until the input ends, fails, or nobody wants more.
    fn hand_over(mut self, receiver: &mpsc::Sender<Batch>) {
        loop {
            let mut batch = Vec::new();
            let ended = self.fill(&mut batch);
            if !batch.is_empty() && receiver.blocking_send(Ok(batch)).is_err() {
                return;
            }
            match ended {
                Ok(More::Yes) => {}
                Ok(More::No) => return,
                Err(failure) => {
                    // If nobody wants more, nobody needs to know.
                    let _ = receiver.blocking_send(Err(failure));
                    return;
                }
            }
        }
    }

    /// Waits for a line, and takes those that came with it.
    fn fill(&mut self, batch: &mut Vec<String>) -> Result<More, Failure> {
        let mut size = 0;
        loop {
            let Some(line) = self.next_line()? else {
                return Ok(More::No);
            };
            size += line.len();
            batch.push(line);
            if size >= BATCH_SIZE || !self.input.buffer().contains(&b'\n') {
                return Ok(More::Yes);
            }
        }
    }

    /// The next line without its end; `None` at the end of the input.
    fn next_line(&mut self) -> Result<Option<String>, Failure> {
        let mut line = Vec::new();
        let read = (&mut self.input)
            .take(self.longest.saturating_add(1))
            .read_until(b'\n', &mut line)
            .map_err(|error| Failure::of_standard_input(&error))?;
        if read == 0 {
            return Ok(None);
        }
        self.number += 1;
        if line.last() == Some(&b'\n') {
            line.pop();
        } else if line.len() as u64 > self.longest {
            return Err(failure(format!(
                "expected lines of at most {} bytes, got a longer one: line {} of standard input",
                self.longest, self.number
            ))
            .with_hint("--max-message-size BYTES allows longer ones"));
        }
        let line = String::from_utf8(line).map_err(|error| {
            let (number, error) = (self.number, error.utf8_error());
            failure(format!(
                "line {number} of standard input is not UTF-8: {error}"
            ))
            .with_hint("lines are sent as text messages, which are UTF-8")
        })?;
        Ok(Some(line))
    }
}

/// Whether the input goes on.
#[derive(Debug, PartialEq)]
enum More {
    Yes,
    No,
}

fn failure(message: String) -> Failure {
    Failure::new(ExitCode::StandardStream, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(input: &[u8]) -> Lines<&[u8]> {
        Lines::new(BufReader::new(input), 10)
    }

    fn all_lines(input: &[u8]) -> Vec<String> {
        let mut lines = lines(input);
        std::iter::from_fn(|| lines.next_line().unwrap()).collect()
    }

    #[test]
    fn lines_lose_their_end_and_nothing_else() {
        assert_eq!(all_lines(b""), [""; 0]);
        assert_eq!(all_lines(b"one\n\n two \r\n"), ["one", "", " two \r"]);
        assert_eq!(all_lines(b"one\nlast"), ["one", "last"]);
    }

    #[test]
    fn the_longest_line_passes_and_a_longer_one_does_not() {
        assert_eq!(all_lines(b"0123456789\n0123456789"), ["0123456789"; 2]);
        assert!(lines(b"0123456789x\n").next_line().is_err());
        assert!(lines(b"0123456789x").next_line().is_err());
    }

    #[test]
    fn lines_before_a_bad_one_are_kept() {
        let mut batch = Vec::new();
        let outcome = lines(b"one\ntwo\n\xff\n").fill(&mut batch);
        assert_eq!(batch, ["one", "two"]);
        assert!(outcome.is_err());
    }
}
