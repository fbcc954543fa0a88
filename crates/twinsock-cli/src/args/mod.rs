//! The command line.

mod client;
mod server;
mod values;

use clap::error::ErrorKind;
use clap::{Args, ColorChoice, Parser, Subcommand};

pub(crate) use crate::args::client::ClientOptions;
pub(crate) use crate::args::server::ServeOptions;
pub(crate) use crate::args::values::{Header, Secret, compression};

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
    #[arg(long, value_name = "SIZE", default_value = "1GiB", value_parser = values::size, allow_negative_numbers = true)]
    pub(crate) stream_size: u64,
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

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }
}
