//! Why the program ends without success, and how it says so.

use std::error::Error;
use std::fmt;
use std::io;

use twinsock::CloseReason;

use crate::exit_code::ExitCode;
use crate::terminal;

/// An end without success: one `error: ` line, perhaps a `hint: ` line, and an exit code.
#[derive(Debug)]
pub(crate) struct Failure {
    exit_code: ExitCode,
    /// Nothing when nobody is left to be told.
    message: Option<String>,
    hint: Option<String>,
}

impl Failure {
    pub(crate) fn new(exit_code: ExitCode, message: impl Into<String>) -> Self {
        Self {
            exit_code,
            message: Some(message.into()),
            hint: None,
        }
    }

    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// An error of the library; `context` says what was tried.
    pub(crate) fn of_library(context: &str, error: &twinsock::Error) -> Self {
        let message = format!("{context}: {}", chain(error));
        Self::new(ExitCode::from(error.kind()), message)
    }

    /// The end of a stream that should have gone on; `context` says what was tried.
    pub(crate) fn of_stream(context: &str, error: &io::Error) -> Self {
        let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
        match inner.map(|error: &twinsock::Error| (error, error.close_reason())) {
            Some((_, Some(reason))) => Self::closed_by_peer(reason),
            Some((error, None)) => Self::of_library(context, error),
            None => Self::new(ExitCode::ConnectionFailed, format!("{context}: {error}")),
        }
    }

    /// The peer's Close frame was not that of an orderly end.
    pub(crate) fn closed_by_peer(reason: &CloseReason) -> Self {
        Self::new(
            ExitCode::Unexpected,
            format!("closed by the peer: {reason}"),
        )
    }

    pub(crate) fn of_standard_input(error: &io::Error) -> Self {
        Self::new(
            ExitCode::StandardStream,
            format!("cannot read standard input: {error}"),
        )
    }

    pub(crate) fn system(context: &str, error: &io::Error) -> Self {
        Self::new(ExitCode::System, format!("{context}: {}", chain(error)))
    }

    /// Standard output took no more. When its reader has gone, as in `twinsock … | head`, that is
    /// no failure, and nothing is said.
    pub(crate) fn of_standard_output(error: &io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self {
                exit_code: ExitCode::Success,
                message: None,
                hint: None,
            };
        }
        Self::new(
            ExitCode::StandardStream,
            format!("cannot write to standard output: {error}"),
        )
    }

    /// Tells the user.
    pub(crate) fn report(self) -> ExitCode {
        if let Some(message) = &self.message {
            terminal::say(format_args!("error: {message}"));
        }
        if let Some(hint) = &self.hint {
            terminal::say(format_args!("hint: {hint}"));
        }
        self.exit_code
    }
}

/// The message alone, for a place where the program goes on.
impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.message.as_deref().unwrap_or_default())
    }
}

/// An error and its sources in one line.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_that_has_gone_is_no_failure() {
        let gone = Failure::of_standard_output(&io::ErrorKind::BrokenPipe.into());
        assert_eq!(gone.exit_code, ExitCode::Success);
        assert_eq!(gone.message, None);
        let full = Failure::of_standard_output(&io::ErrorKind::StorageFull.into());
        assert_eq!(full.exit_code, ExitCode::StandardStream);
    }
}
