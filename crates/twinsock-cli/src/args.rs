//! The command line.

use std::str::FromStr;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{Args, ColorChoice, Parser, Subcommand};

use crate::exit_code::{self, ExitCode};
use crate::failure::Failure;

/// WebSockets (RFC 6455) from the command line: an echo server, clients for lines and bytes, a demonstration.
#[derive(Parser)]
#[command(name = "twinsock", version, color = ColorChoice::Never, after_help = exit_code::help())]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Serves: sends each message back as it came, until SIGINT or SIGTERM
    #[command(after_help = exit_code::help())]
    Serve(ServeOptions),
    /// Connects: lines of standard input go out as text messages, those that come are printed
    #[command(after_help = exit_code::help())]
    Connect(ConnectOptions),
    /// Streams: bytes of standard input go out as they are, bytes that come go to standard output
    ///
    /// The end of standard input is told to the server with a Close frame; what the server still has to say is
    /// awaited. A server that answers that frame at once, as it may, says no more: `twinsock serve` sends everything
    /// back first. When the server ends the stream, the program ends too. A server that closes without a code, or
    /// with another than 1000 and 1001, has not said all: that is an error. While standard output is not read the
    /// server has to wait, and may give up: `twinsock serve` does so after 30 s.
    #[command(after_help = exit_code::help())]
    Stream(StreamOptions),
    /// Shows a server and clients in one process, checks all echoes and tells how fast they were
    #[command(after_help = exit_code::help())]
    Demo(DemoOptions),
}

#[derive(Args)]
pub(crate) struct ServeOptions {
    /// The address to listen on; port 0 is any free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9001")]
    pub(crate) listen: String,
    /// The largest message that is echoed, in bytes; when more of one has come, the connection is closed with 1009,
    /// though its beginning may have gone back already [default: no limit]
    #[arg(long, value_name = "BYTES", allow_negative_numbers = true)]
    pub(crate) max_message_size: Option<u64>,
    /// A subprotocol that is spoken, the preferred one first
    #[arg(long = "protocol", value_name = "PROTOCOL")]
    pub(crate) protocols: Vec<String>,
    /// Another origin whose web pages may connect, as scheme://host or scheme://host:port
    #[arg(long = "origin", value_name = "ORIGIN")]
    pub(crate) origins: Vec<String>,
}

/// What every client is told on the command line.
#[derive(Args)]
pub(crate) struct ClientOptions {
    /// The server's address, such as ws://127.0.0.1:9001
    pub(crate) uri: String,
    /// A header for the handshake, such as 'Authorization: Bearer …'
    #[arg(long = "header", value_name = "NAME: VALUE")]
    pub(crate) headers: Vec<Header>,
    /// A subprotocol to offer, the preferred one first
    #[arg(long = "protocol", value_name = "PROTOCOL")]
    pub(crate) protocols: Vec<String>,
    /// The time for all of connecting, from the name to the end of the handshake
    #[arg(long, value_name = "SECONDS", value_parser = positive_seconds, allow_negative_numbers = true)]
    pub(crate) connect_timeout: Option<Duration>,
}

#[derive(Args)]
pub(crate) struct ConnectOptions {
    #[command(flatten)]
    pub(crate) client: ClientOptions,
    /// The largest message received, in bytes
    #[arg(long, value_name = "BYTES", default_value_t = DEFAULT_MESSAGE_SIZE, allow_negative_numbers = true)]
    pub(crate) max_message_size: u64,
}

#[derive(Args)]
pub(crate) struct StreamOptions {
    #[command(flatten)]
    pub(crate) client: ClientOptions,
    /// Sends all bytes as one message without an end, rather than one message each time the input pauses
    #[arg(long)]
    pub(crate) endless_message: bool,
    /// Takes the bytes of text messages too; otherwise one ends the connection with 1003
    #[arg(long)]
    pub(crate) text_as_bytes: bool,
}

#[derive(Args)]
pub(crate) struct DemoOptions {
    /// How much is copied through the stream, in bytes or with KiB, MiB or GiB
    #[arg(long, value_name = "SIZE", default_value = "1GiB", value_parser = size, allow_negative_numbers = true)]
    pub(crate) stream_size: u64,
}

/// A header of the handshake. It has no `Debug`: the value may be a secret.
#[derive(Clone)]
pub(crate) struct Header {
    pub(crate) name: String,
    pub(crate) value: String,
}

/// 64 MiB, the library's default.
pub(crate) const DEFAULT_MESSAGE_SIZE: u64 = 64 << 20;

/// What is to be done; `None` when the user asked for help, and got it.
pub(crate) fn parse() -> Result<Option<Command>, Failure> {
    match Arguments::try_parse() {
        Ok(arguments) => Ok(Some(arguments.command)),
        Err(error) if error.use_stderr() => Err(usage_failure(&error)),
        Err(help) => match help.print() {
            Ok(()) => Ok(None),
            Err(error) => Err(Failure::of_standard_output(&error)),
        },
    }
}

/// Clap explains itself in several paragraphs: the first one is the error.
fn usage_failure(error: &clap::Error) -> Failure {
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return Failure::new(
            ExitCode::Usage,
            "expected a command: serve, connect, stream or demo",
        )
        .with_hint(SEE_HELP);
    }
    let text = error.to_string();
    let first_paragraph: Vec<&str> = text
        .lines()
        .map(str::trim)
        .take_while(|line| !line.is_empty())
        .collect();
    let message = first_paragraph.join(" ");
    let message = message.strip_prefix("error: ").unwrap_or(&message);
    // Its other tips explain how to pass options as values, which nobody means here.
    let tip = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("tip: "))
        .find(|tip| tip.contains("similar"));
    Failure::new(ExitCode::Usage, message).with_hint(tip.unwrap_or(SEE_HELP))
}

const SEE_HELP: &str =
    "`twinsock --help` lists the commands, `twinsock COMMAND --help` their options";

impl FromStr for Header {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, value) = text
            .split_once(':')
            .ok_or("expected a name, a colon and a value")?;
        Ok(Self {
            name: name.to_owned(),
            value: value.trim_matches([' ', '\t']).to_owned(),
        })
    }
}

fn positive_seconds(text: &str) -> Result<Duration, &'static str> {
    text.parse()
        .ok()
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .filter(|duration| !duration.is_zero())
        .ok_or("expected a number of seconds above 0")
}

/// A number of bytes, such as `65536` or `64KiB`.
fn size(text: &str) -> Result<u64, &'static str> {
    let units = [("KiB", 10), ("MiB", 20), ("GiB", 30)];
    let (number, shift) = units
        .iter()
        .find_map(|(unit, shift)| Some((text.strip_suffix(unit)?, *shift)))
        .unwrap_or((text, 0));
    number
        .trim_end()
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(1 << shift))
        .ok_or("expected a number of bytes, such as 65536 or 64KiB")
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_header_is_cut_at_its_first_colon() {
        let header: Header = "X-Time:  12:30 \t".parse().unwrap();
        assert_eq!((&*header.name, &*header.value), ("X-Time", "12:30"));
        assert!("no colon".parse::<Header>().is_err());
    }

    #[test]
    fn a_timeout_is_a_positive_number_of_seconds() {
        assert_eq!(positive_seconds("0.25"), Ok(Duration::from_millis(250)));
        for text in ["0", "-1", "soon", "", "NaN", "inf", "1e300", "1e-300"] {
            assert!(positive_seconds(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_size_may_have_a_unit() {
        assert_eq!(size("65536"), Ok(65_536));
        assert_eq!(size("64KiB"), size("65536"));
        assert_eq!((size("3MiB"), size("1 GiB")), (Ok(3 << 20), Ok(1 << 30)));
        for text in ["", "GiB", "-1", "1.5GiB", "1GB", "17179869184GiB"] {
            assert!(size(text).is_err(), "{text}");
        }
    }
}
