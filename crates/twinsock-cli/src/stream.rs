//! `twinsock stream`: bytes of standard input go out, bytes that come go to standard output.

use std::io;
use std::pin::pin;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use twinsock::{CloseCode, Error, StreamFraming, StreamWebSocket, Timeouts};

use crate::args::StreamOptions;
use crate::client::{self, LEAVE_TIME};
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::progress::Transfer;
use crate::signals::StopSignal;
use crate::standard_bytes::{Available, ByteInput, ByteOutput};

pub(crate) async fn run(options: StreamOptions) -> Result<(), Failure> {
    let mut stop_signal =
        StopSignal::new().map_err(|error| Failure::system("cannot wait for signals", &error))?;
    let mut socket = tokio::select! {
        opened = open(&options) => opened?,
        () = stop_signal.received() => {
            return Err(Failure::new(ExitCode::Interrupted, "interrupted while connecting"));
        }
    };
    let transfer = Transfer::without_total();
    let outcome = tokio::select! {
        outcome = copy(&mut socket, &options.client.uri, &transfer) => outcome,
        () = stop_signal.received() => Err(Cut::by_signal(&transfer)),
    };
    transfer.end();
    let Err(cut) = outcome else {
        client::disconnected(&options.client, socket.information());
        return Ok(());
    };
    if let Some((code, limit)) = cut.farewell.filter(|_| socket.closed().is_none()) {
        let farewell = tokio::time::timeout(limit, socket.close(code, ""));
        tokio::select! {
            // Whether the peer answers changes nothing any more.
            _ = farewell => {}
            () = stop_signal.received() => {}
        }
    }
    client::disconnected(&options.client, socket.information());
    Err(cut.failure)
}

async fn open(options: &StreamOptions) -> Result<StreamWebSocket, Failure> {
    let mut builder = StreamWebSocket::builder();
    if options.endless_message {
        builder = builder.framing(StreamFraming::EndlessMessage);
    }
    if options.text_as_bytes {
        builder = builder.text_as_bytes();
    }
    let options = &options.client;
    let builder = client::set_up(builder, options)?;
    let socket = builder.connect(&options.uri).await;
    let socket = socket.map_err(|error| client::cannot_connect(options, &error))?;
    client::connected(options, socket.information());
    Ok(socket)
}

/// Copies both ways until the peer has said all.
async fn copy(socket: &mut StreamWebSocket, uri: &str, transfer: &Transfer) -> Result<(), Cut> {
    let (input, mut output) = (ByteInput::start()?, ByteOutput::start()?);
    let received = {
        let (reader, writer) = tokio::io::split(&mut *socket);
        let mut receiving = pin!(receive(reader, &mut output, transfer));
        tokio::select! {
            received = &mut receiving => received,
            sent = send(writer, input, transfer) => {
                sent.map_err(Cut::by_input)?;
                receiving.await
            }
        }
    };
    if !matches!(received, Err(Trouble::Output(_))) {
        // Also what came before a failure is the user's.
        output.finish().await?;
    }
    received.map_err(|trouble| match trouble {
        Trouble::Output(failure) => Cut::from(failure),
        Trouble::Connection(error) => Cut::by_peer(Failure::of_stream(uri, &error)),
    })?;
    // The peer has closed: if the input goes on, nobody wants it any more.
    let ended = socket.shutdown().await;
    ended.map_err(|error: Error| Cut::by_peer(Failure::of_library(uri, &error)))
}

/// Sends until the input ends, and tells the peer so, or until nothing can be sent any more; why
/// not, the receiver learns.
async fn send(
    mut writer: impl AsyncWrite + Unpin,
    mut input: ByteInput,
    transfer: &Transfer,
) -> Result<(), Failure> {
    loop {
        let available = match input.available()? {
            // What was read so far is not kept waiting for more.
            Available::Later if writer.flush().await.is_err() => return Ok(()),
            Available::Later => input.next().await?,
            available => available,
        };
        let Available::Bytes(chunk) = available else {
            let _ = writer.shutdown().await;
            return Ok(());
        };
        if writer.write_all(chunk.bytes()).await.is_err() {
            return Ok(());
        }
        transfer.add_sent(chunk.bytes().len());
        input.give_back(chunk);
    }
}

/// Receives until the peer has said all.
async fn receive(
    mut reader: impl AsyncRead + Unpin,
    output: &mut ByteOutput,
    transfer: &Transfer,
) -> Result<(), Trouble> {
    loop {
        let mut chunk = output.chunk().await.map_err(Trouble::Output)?;
        let read = tokio::select! {
            read = reader.read(chunk.memory()) => read,
            failure = output.failed() => return Err(Trouble::Output(failure)),
        };
        let count = read.map_err(Trouble::Connection)?;
        if count == 0 {
            return Ok(());
        }
        chunk.set_length(count);
        output.write(chunk);
        transfer.add_received(count);
    }
}

/// Why receiving ended before the peer had said all.
enum Trouble {
    Output(Failure),
    Connection(io::Error),
}

/// An end before both had said all.
struct Cut {
    failure: Failure,
    /// What the peer is told, and how long its answer is waited for.
    farewell: Option<(CloseCode, Duration)>,
}

impl Cut {
    fn by_signal(transfer: &Transfer) -> Self {
        let (sent, received) = (transfer.sent(), transfer.received());
        Self {
            failure: Failure::new(
                ExitCode::Interrupted,
                format!("interrupted after {sent} bytes sent and {received} received"),
            ),
            farewell: Some((CloseCode::GOING_AWAY, Timeouts::default().close)),
        }
    }

    /// The peer must not take what it got for all.
    fn by_input(failure: Failure) -> Self {
        Self {
            failure,
            farewell: Some((CloseCode::INTERNAL_ERROR, LEAVE_TIME)),
        }
    }

    fn by_peer(failure: Failure) -> Self {
        Self {
            failure,
            farewell: None,
        }
    }
}

/// Standard output takes no more.
impl From<Failure> for Cut {
    fn from(failure: Failure) -> Self {
        Self {
            failure,
            farewell: Some((CloseCode::GOING_AWAY, LEAVE_TIME)),
        }
    }
}
