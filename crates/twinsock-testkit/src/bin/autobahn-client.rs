//! The client that the Autobahn suite tests: `autobahn-client URL NAME [--go-on] [--offer PARAMETERS]…`.
//!
//! With `--go-on` it uses each socket further after an error, as a careless application would;
//! without, it drops the socket at once. The suite must see no difference.
//!
//! Each `--offer` is one offer to compress, such as `server_max_window_bits=9`, the preferred one
//! first; without any it offers as browsers do.

use std::process::ExitCode;

use twinsock::{CloseCode, Compress, Compression, DeflateOffer, Error, MessageWebSocket};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let (Some(url), Some(name)) = (arguments.next(), arguments.next()) else {
        return complain("usage: autobahn-client URL NAME [--go-on] [--offer PARAMETERS]...");
    };
    let options = match Options::parse(arguments) {
        Ok(options) => options,
        Err(complaint) => return complain(&complaint),
    };
    let count = match case_count(&url).await {
        Ok(count) => count,
        Err(error) => return complain(&format!("no cases from {url}: {error}")),
    };
    for case in 1..=count {
        // How a case ends is for the suite to judge.
        let _ = run_case(&format!("{url}/runCase?case={case}&agent={name}"), &options).await;
    }
    match MessageWebSocket::connect(&format!("{url}/updateReports?agent={name}")).await {
        Ok(socket) => {
            let _ = socket.receive().await;
            ExitCode::SUCCESS
        }
        Err(error) => complain(&format!("no reports: {error}")),
    }
}

struct Options {
    after_error: AfterError,
    offers: Vec<DeflateOffer>,
}

/// What the application does when a socket has failed.
#[derive(Clone, Copy)]
enum AfterError {
    Drop,
    GoOn,
}

impl Options {
    fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self {
            after_error: AfterError::Drop,
            offers: Vec::new(),
        };
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--go-on" => options.after_error = AfterError::GoOn,
                "--offer" => {
                    let text = arguments.next().ok_or("--offer has no parameters")?;
                    let offer = text.parse().map_err(|error| format!("{text}: {error}"))?;
                    options.offers.push(offer);
                }
                other => return Err(format!("unknown option {other}")),
            }
        }
        if options.offers.is_empty() {
            options.offers.push(DeflateOffer::default());
        }
        Ok(options)
    }
}

async fn case_count(url: &str) -> Result<u32, Error> {
    let socket = MessageWebSocket::connect(&format!("{url}/getCaseCount")).await?;
    let message = socket.receive().await?;
    let count = message
        .as_ref()
        .and_then(|message| message.as_text()?.parse().ok());
    Ok(count.unwrap_or(0))
}

async fn run_case(url: &str, options: &Options) -> Result<(), Error> {
    let mut builder = MessageWebSocket::builder()
        .max_message_size(64 << 20)
        // The small messages too: they are cases as well.
        .compression(Compression {
            compress: Compress::Always,
            ..Compression::default()
        });
    for offer in &options.offers {
        builder = builder.deflate(*offer);
    }
    let socket = builder.connect(url).await?;
    let result = echo(&socket).await;
    if let (Err(_), AfterError::GoOn) = (&result, options.after_error) {
        let _ = socket.send_text("still there?").await;
        let _ = socket.receive().await;
        let _ = socket.close(CloseCode::NORMAL, "").await;
    }
    result
}

async fn echo(socket: &MessageWebSocket) -> Result<(), Error> {
    while let Some(message) = socket.receive().await? {
        socket.send(message).await?;
    }
    Ok(())
}

#[expect(clippy::print_stderr, reason = "a program's complaint")]
fn complain(complaint: &str) -> ExitCode {
    eprintln!("autobahn-client: {complaint}");
    ExitCode::FAILURE
}
