//! `twinsock connect`: lines of standard input go out, text messages that come are printed.

use std::io;
use std::pin::pin;
use std::sync::Arc;

use tokio::sync::mpsc;
use twinsock::{CloseCode, Closed, Error, Message, MessageWebSocket};

use crate::args::{ConnectOptions, DEFAULT_MESSAGE_SIZE};
use crate::client;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::standard_input::{self, Batch};
use crate::terminal::{self, Output};

pub(crate) async fn run(options: ConnectOptions) -> Result<(), Failure> {
    let socket = Arc::new(open(&options).await?);
    let longest_line = options.max_message_size.max(DEFAULT_MESSAGE_SIZE);
    let lines = standard_input::read_lines(longest_line)?;
    let outcome = converse(&socket, lines, &options.client.uri).await;
    if outcome.is_err() && socket.closed().is_none() {
        // Whether the peer answers changes nothing any more.
        let _ = tokio::time::timeout(client::LEAVE_TIME, socket.close(CloseCode::NORMAL, "")).await;
    }
    client::disconnected(&options.client, socket.information());
    outcome
}

async fn open(options: &ConnectOptions) -> Result<MessageWebSocket, Failure> {
    let builder = MessageWebSocket::builder().max_message_size(options.max_message_size);
    let options = &options.client;
    let builder = client::set_up(builder, options)?;
    let socket = builder.connect(&options.uri).await;
    let socket = socket.map_err(|error| client::cannot_connect(options, &error))?;
    client::connected(options, socket.information());
    Ok(socket)
}

/// Sends and prints at the same time, until the connection has closed.
async fn converse(
    socket: &Arc<MessageWebSocket>,
    lines: mpsc::Receiver<Batch>,
    uri: &str,
) -> Result<(), Failure> {
    let mut output = Output::new();
    // A task of its own: a reader of standard output who is slow keeps no line from being sent.
    let mut sending = tokio::spawn(send_lines(Arc::clone(socket), lines));
    let mut printing = pin!(print_messages(socket, &mut output, uri));
    let sent = tokio::select! {
        printed = &mut printing => {
            sending.abort();
            return printed.and_then(|()| judge(socket.closed()));
        }
        sent = &mut sending => sent.unwrap_or(Ok(())),
    };
    // What the peer sends before its own Close is still printed. It may have closed before us:
    // then the printing tells.
    let _ = socket.start_close(CloseCode::NORMAL, "");
    let printed = printing.await;
    sent.and(printed).and_then(|()| judge(socket.closed()))
}

/// Sends until the input ends or nothing can be sent any more; why not, the receiver learns.
async fn send_lines(
    socket: Arc<MessageWebSocket>,
    mut batches: mpsc::Receiver<Batch>,
) -> Result<(), Failure> {
    while let Some(batch) = batches.recv().await {
        for line in batch? {
            if socket.send(line).await.is_err() {
                return Ok(());
            }
        }
    }
    Ok(())
}

async fn print_messages(
    socket: &MessageWebSocket,
    output: &mut Output,
    uri: &str,
) -> Result<(), Failure> {
    let write_failed = |error| Failure::of_standard_output(&error);
    loop {
        let received = receive_or_flush(socket, output)
            .await
            .map_err(write_failed)?;
        match received {
            Ok(Some(message)) => print(&message, output).map_err(write_failed)?,
            Ok(None) => return output.flush().map_err(write_failed),
            Err(error) => {
                output.flush().map_err(write_failed)?;
                return Err(Failure::of_library(uri, &error));
            }
        }
    }
}

/// The next message; while there is none, what was printed goes out.
async fn receive_or_flush(
    socket: &MessageWebSocket,
    output: &mut Output,
) -> io::Result<Result<Option<Message>, Error>> {
    let mut receiving = pin!(socket.receive());
    tokio::select! {
        biased;
        received = &mut receiving => return Ok(received),
        () = std::future::ready(()) => {}
    }
    output.flush()?;
    Ok(receiving.await)
}

fn print(message: &Message, output: &mut Output) -> io::Result<()> {
    match message {
        Message::Text(text) => output.print_line(text),
        Message::Binary(bytes) => {
            // On a terminal both streams show, in the order of the messages.
            output.flush()?;
            terminal::say(format_args!("binary message, {} bytes", bytes.len()));
            Ok(())
        }
    }
}

/// Whether the connection closed as it should, whoever began.
fn judge(closed: Option<Closed>) -> Result<(), Failure> {
    let Some(closed) = closed else {
        return Ok(());
    };
    match (closed.code(), closed.received()) {
        (CloseCode::NORMAL | CloseCode::GOING_AWAY | CloseCode::NO_STATUS_RECEIVED, _) => Ok(()),
        (_, Some(reason)) => Err(Failure::closed_by_peer(reason)),
        (_, None) => Err(Failure::new(ExitCode::ConnectionFailed, closed.to_string())),
    }
}
