//! A client that loses its connection and tells how:
//! `loss-client URI {call|event|stream} {idle|sending} SEND KEEP_ALIVE PONG`, times in seconds.
//!
//! Prints `open`, then `closed failure=… status=…` for each time that the end is told.

use std::process::ExitCode;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use twinsock::{Closed, Error, MessageWebSocket, StreamWebSocket, Timeouts, WebErrorStatus};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [uri, form, traffic, times @ ..] = arguments.as_slice() else {
        return complain("expected URI FORM TRAFFIC SEND KEEP_ALIVE PONG");
    };
    let times: Vec<u64> = times.iter().filter_map(|time| time.parse().ok()).collect();
    let [send, keep_alive, pong] = times[..] else {
        return complain("expected three times in seconds");
    };
    let timeouts = Timeouts {
        send: Some(Duration::from_secs(send)),
        keep_alive: Some(Duration::from_secs(keep_alive)),
        pong: Some(Duration::from_secs(pong)),
        ..Timeouts::default()
    };
    let pause = match traffic.as_str() {
        "sending" => Duration::from_millis(100),
        _ => Duration::from_secs(3600),
    };
    let lost = match form.as_str() {
        "call" => by_call(uri, timeouts, pause).await,
        "event" => by_event(uri, timeouts, pause).await,
        _ => by_stream(uri, timeouts, pause).await,
    };
    match lost {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => complain(&error.to_string()),
    }
}

async fn by_call(uri: &str, timeouts: Timeouts, pause: Duration) -> Result<(), Error> {
    let builder = MessageWebSocket::builder().timeouts(timeouts);
    let socket = builder.connect(uri).await?;
    say("open");
    let sending = async {
        while socket.send_text("tick").await.is_ok() {
            tokio::time::sleep(pause).await;
        }
        std::future::pending().await
    };
    let receiving = async {
        loop {
            match socket.receive().await {
                Ok(Some(_)) => {}
                Ok(None) => return None,
                Err(error) => return Some(error.status()),
            }
        }
    };
    let status = tokio::select! {
        status = receiving => status,
        () = sending => None,
    };
    tell(socket.closed(), status);
    Ok(())
}

async fn by_event(uri: &str, timeouts: Timeouts, pause: Duration) -> Result<(), Error> {
    let (end, mut ended) = tokio::sync::mpsc::channel(1);
    let socket = MessageWebSocket::builder()
        .timeouts(timeouts)
        .on_closed(move |closed| {
            let status = WebErrorStatus::of_closed(&closed);
            tell(Some(closed), status);
            let _ = end.try_send(());
        })
        .connect(uri)
        .await?;
    say("open");
    loop {
        let _ = socket.send_text("tick").await;
        tokio::select! {
            _ = ended.recv() => return Ok(()),
            () = tokio::time::sleep(pause) => {}
        }
    }
}

async fn by_stream(uri: &str, timeouts: Timeouts, pause: Duration) -> Result<(), Error> {
    let builder = StreamWebSocket::builder().timeouts(timeouts);
    let (mut reader, mut writer) = builder.connect(uri).await?.split();
    say("open");
    let sending = async {
        while writer.write_all(b"tick").await.is_ok() && writer.flush().await.is_ok() {
            tokio::time::sleep(pause).await;
        }
        std::future::pending().await
    };
    let mut memory = [0; 1024];
    let receiving = async {
        loop {
            match reader.read(&mut memory).await {
                Ok(0) => return None,
                Ok(_) => {}
                Err(error) => return Error::inside(&error).map(Error::status),
            }
        }
    };
    let status = tokio::select! {
        status = receiving => status,
        () = sending => None,
    };
    tell(reader.closed(), status);
    Ok(())
}

fn tell(closed: Option<Closed>, status: Option<WebErrorStatus>) {
    let failure = closed.and_then(|closed| closed.failure().copied());
    let failure = failure.map_or("none".to_owned(), |failure| format!("{failure:?}"));
    let status = status.map_or("none".to_owned(), |status| format!("{status:?}"));
    say(&format!("closed failure={failure} status={status}"));
}

#[expect(clippy::print_stdout, reason = "what it tells is its result")]
fn say(line: &str) {
    println!("{line}");
}

#[expect(clippy::print_stderr, reason = "a program tells what is wrong")]
fn complain(line: &str) -> ExitCode {
    eprintln!("{line}");
    ExitCode::FAILURE
}
