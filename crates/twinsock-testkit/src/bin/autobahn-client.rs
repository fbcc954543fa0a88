//! The client that the Autobahn suite tests: `autobahn-client URL NAME [--go-on]`.
//!
//! With `--go-on` it uses each socket further after an error, as a careless application would;
//! without, it drops the socket at once. The suite must see no difference.

use std::process::ExitCode;

use twinsock::{CloseCode, DeflateOffer, Error, MessageWebSocket};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let (Some(url), Some(name)) = (arguments.next(), arguments.next()) else {
        return complain("usage: autobahn-client URL NAME [--go-on]");
    };
    let after_error = match arguments.next().as_deref() {
        None => AfterError::Drop,
        Some("--go-on") => AfterError::GoOn,
        Some(other) => return complain(&format!("unknown option {other}")),
    };
    let count = match case_count(&url).await {
        Ok(count) => count,
        Err(error) => return complain(&format!("no cases from {url}: {error}")),
    };
    for case in 1..=count {
        // How a case ends is for the suite to judge.
        let _ = run_case(
            &format!("{url}/runCase?case={case}&agent={name}"),
            after_error,
        )
        .await;
    }
    match MessageWebSocket::connect(&format!("{url}/updateReports?agent={name}")).await {
        Ok(socket) => {
            let _ = socket.receive().await;
            ExitCode::SUCCESS
        }
        Err(error) => complain(&format!("no reports: {error}")),
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

/// What the application does when a socket has failed.
#[derive(Clone, Copy)]
enum AfterError {
    Drop,
    GoOn,
}

async fn run_case(url: &str, after_error: AfterError) -> Result<(), Error> {
    let socket = MessageWebSocket::builder()
        .max_message_size(64 << 20)
        .deflate(DeflateOffer::default())
        .connect(url)
        .await?;
    let result = echo(&socket).await;
    if let (Err(_), AfterError::GoOn) = (&result, after_error) {
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
