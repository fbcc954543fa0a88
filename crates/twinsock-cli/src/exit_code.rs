//! Exit codes, each with a name and a line in `--help`.

use std::fmt::Write;

use twinsock::ErrorKind;

/// How the program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum ExitCode {
    Success = 0,
    Unexpected = 1,
    Usage = 2,
    CannotConnect = 3,
    HandshakeFailed = 4,
    ConnectionFailed = 5,
    TimedOut = 6,
    StandardStream = 7,
    System = 8,
    Interrupted = 9,
    TlsFailed = 10,
    ProxyFailed = 11,
}

impl ExitCode {
    const ALL: [Self; 12] = [
        Self::Success,
        Self::Unexpected,
        Self::Usage,
        Self::CannotConnect,
        Self::HandshakeFailed,
        Self::ConnectionFailed,
        Self::TimedOut,
        Self::StandardStream,
        Self::System,
        Self::Interrupted,
        Self::TlsFailed,
        Self::ProxyFailed,
    ];

    fn meaning(self) -> &'static str {
        match self {
            Self::Success => {
                "done; closed with 1000, 1001 or, unless bytes were streamed, without a code"
            }
            Self::Unexpected => "the peer closed with another code, or sent what it should not",
            Self::Usage => "the command line is wrong",
            Self::CannotConnect => "the server's name has no address, or none could be reached",
            Self::HandshakeFailed => "the server refused the WebSocket, or does not speak it",
            Self::ConnectionFailed => "an open connection broke, or the peer broke the protocol",
            Self::TimedOut => "something took too long",
            Self::StandardStream => "standard input or output failed, or a line was not UTF-8",
            Self::System => "the system refused something, such as the port to listen on",
            Self::Interrupted => "SIGINT or SIGTERM ended a stream that was not whole",
            Self::TlsFailed => {
                "no TLS: the server's certificate is not trusted, or it wants another of ours"
            }
            Self::ProxyFailed => "the proxy made no connection, or wants credentials",
        }
    }
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code as u8)
    }
}

impl From<ErrorKind> for ExitCode {
    fn from(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::InvalidArgument => Self::Usage,
            ErrorKind::NameNotResolved | ErrorKind::CannotConnect => Self::CannotConnect,
            ErrorKind::HandshakeRefused
            | ErrorKind::InvalidHandshake
            | ErrorKind::RedirectFailed(_) => Self::HandshakeFailed,
            ErrorKind::CertificateRejected | ErrorKind::TlsFailed => Self::TlsFailed,
            ErrorKind::ProxyFailed | ErrorKind::ProxyAuthenticationRequired => Self::ProxyFailed,
            ErrorKind::Timeout(_) => Self::TimedOut,
            ErrorKind::System => Self::System,
            ErrorKind::ClosedByPeer(_) => Self::Unexpected,
            // The kinds are open for more; an unknown one is most likely the connection's.
            _ => Self::ConnectionFailed,
        }
    }
}

/// The section of `--help`.
pub(crate) fn help() -> String {
    let mut text = String::from("Exit codes:");
    for code in ExitCode::ALL {
        // Writing to a string cannot fail.
        let _ = write!(text, "\n  {}  {}", code as u8, code.meaning());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_has_a_line_for_each_code_in_order() {
        let text = help();
        for (number, line) in text.lines().skip(1).enumerate() {
            assert!(line.starts_with(&format!("  {number}  ")), "{line}");
        }
        assert_eq!(text.lines().count(), 1 + ExitCode::ALL.len());
    }
}
