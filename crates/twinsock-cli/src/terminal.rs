//! The program's own lines on standard output and standard error.
//!
//! Both take no harm from what a peer sends: standard error never carries a control character,
//! standard output carries them only when it is no terminal.

use std::fmt;
use std::io::{self, BufWriter, IsTerminal, Stdout, Write};

/// Text with its control characters written out: C0 (line ends too), DEL and C1.
///
/// A terminal would obey them: change its title, its colours, or what a key sends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Escaped<'a>(pub(crate) &'a str);

/// What happens to control characters.
#[derive(Clone, Copy, Debug, PartialEq)]
enum ControlCharacters {
    Pass,
    Escape,
}

/// Standard output, line by line, held back until [`flush`](Self::flush).
#[derive(Debug)]
pub(crate) struct Output {
    stream: BufWriter<Stdout>,
    control_characters: ControlCharacters,
}

/// How much is held back.
const BUFFER_SIZE: usize = 64 * 1024;

impl Output {
    pub(crate) fn new() -> Self {
        let stdout = io::stdout();
        let control_characters = match stdout.is_terminal() {
            true => ControlCharacters::Escape,
            false => ControlCharacters::Pass,
        };
        Self {
            stream: BufWriter::with_capacity(BUFFER_SIZE, stdout),
            control_characters,
        }
    }

    pub(crate) fn print_line(&mut self, text: &str) -> io::Result<()> {
        match self.control_characters {
            ControlCharacters::Pass => self.stream.write_all(text.as_bytes())?,
            ControlCharacters::Escape => write!(self.stream, "{}", Escaped(text))?,
        }
        self.stream.write_all(b"\n")
    }

    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

/// Writes one line to standard error.
pub(crate) fn say(line: impl fmt::Display) {
    let text = line.to_string();
    // One write, so that lines of several tasks do not mix. Nobody can be told that it failed.
    let line = format!("{}\n", Escaped(&text));
    let _ = io::stderr().write_all(line.as_bytes());
}

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        while let Some(place) = rest.find(char::is_control) {
            let (plain, tail) = rest.split_at(place);
            formatter.write_str(plain)?;
            let mut tail = tail.chars();
            if let Some(control) = tail.next() {
                write!(formatter, "{}", control.escape_default())?;
            }
            rest = tail.as_str();
        }
        formatter.write_str(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn escaped(text: &str) -> String {
        Escaped(text).to_string()
    }

    #[test]
    fn ordinary_text_stays_as_it_is() {
        for text in [
            "",
            "hello",
            "schön 漢字 😀",
            "back\\slash \"quoted\"",
            "\u{a0}",
        ] {
            assert_eq!(escaped(text), text);
        }
    }

    #[test]
    fn control_characters_are_written_out() {
        assert_eq!(escaped("\x1b[31mred\x1b[0m"), r"\u{1b}[31mred\u{1b}[0m");
        assert_eq!(
            escaped("two\nlines\r\n\tindented"),
            r"two\nlines\r\n\tindented"
        );
        assert_eq!(escaped("ö\u{7f}ö\u{9b}"), r"ö\u{7f}ö\u{9b}");
    }

    #[test]
    fn nothing_that_a_terminal_obeys_is_left() {
        let all: String = ('\0'..='\u{ff}').collect();
        assert!(!escaped(&all).contains(char::is_control));
    }
}
