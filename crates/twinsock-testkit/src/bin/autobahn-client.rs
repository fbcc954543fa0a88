//! The client that the Autobahn suite tests: `autobahn-client URL NAME`.

use std::process::ExitCode;

use twinsock::{Error, MessageWebSocket};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let (Some(url), Some(name)) = (arguments.next(), arguments.next()) else {
        return complain("usage: autobahn-client URL NAME");
    };
    let count = match case_count(&url).await {
        Ok(count) => count,
        Err(error) => return complain(&format!("no cases from {url}: {error}")),
    };
    for case in 1..=count {
        // How a case ends is for the suite to judge.
        let _ = echo(&format!("{url}/runCase?case={case}&agent={name}")).await;
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

async fn echo(url: &str) -> Result<(), Error> {
    let socket = MessageWebSocket::builder()
        .max_message_size(64 << 20)
        .connect(url)
        .await?;
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
