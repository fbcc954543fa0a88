//! `twinsock demo`: servers and clients in one process, with every echo checked.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;
use twinsock::{
    CloseCode, Error, Listener, Message, MessageType, MessageWebSocket, ProxyChoice,
    StreamWebSocket, StreamWebSocketBuilder,
};

use crate::args::DemoOptions;
use crate::copy::copy;
use crate::echo::{EchoError, echo};
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::measurement::{HEADING, Measurement, Order};
use crate::peak_memory::peak_memory;
use crate::progress::{Step, Transfer};
use crate::sample;
use crate::self_signed::Tls;
use crate::terminal::Output;

/// Sizes that are exchanged one by one.
const ONE_BY_ONE: [usize; 5] = [16, 1 << 10, 64 << 10, 1 << 20, 16 << 20];

/// How long each of them goes on.
const ONE_BY_ONE_TIME: Duration = Duration::from_millis(200);

/// The burst of small messages, and that of larger ones.
const SMALL_BURST: (usize, usize) = (32, 100_000);
const LARGE_BURST: (usize, usize) = (64 << 10, 2_000);

pub(crate) async fn run(options: DemoOptions) -> Result<(), Failure> {
    let tls = Tls::new()?;
    let (uri, server) = start_server(&tls).await?;
    let builder = MessageWebSocket::builder()
        .proxy(ProxyChoice::Direct)
        .tls(tls.client.clone());
    let socket = builder.connect(&uri).await;
    let socket = Arc::new(socket.map_err(|error| Failure::of_library(&uri, &error))?);
    let mut show = Show::new();
    show.print(&format!(
        "messages: an echo server at {uri} and a client, both in this process"
    ))?;
    if let Some(tls) = socket.information().tls() {
        let version = tls
            .version()
            .map_or("TLS".to_owned(), |version| version.to_string());
        show.print(&format!(
            "{version}, {}, with a certificate made for this",
            tls.cipher_suite()
        ))?;
    }
    show.print(HEADING)?;
    exchange_all(&socket, &mut show)
        .await
        .map_err(|trouble| trouble.at(&uri))?;
    finish(&socket, server, &mut show)
        .await
        .map_err(|trouble| trouble.at(&uri))?;
    let (uri, server) = start_server(&tls).await?;
    let builder = StreamWebSocket::builder()
        .proxy(ProxyChoice::Direct)
        .tls(tls.client);
    copy_stream((builder, &uri), options.stream_size, &mut show)
        .await
        .map_err(|trouble| trouble.at(&uri))?;
    wait_for(server).await.map_err(|trouble| trouble.at(&uri))
}

/// An echo server for one client, on a free port; and its address.
async fn start_server(tls: &Tls) -> Result<(String, JoinHandle<Result<(), EchoError>>), Failure> {
    let address = "127.0.0.1:0";
    let listener = Listener::bind(address).await;
    let listener = listener.map_err(|error| Failure::of_library(address, &error))?;
    let listener = listener.with_tls(tls.server.clone());
    let uri = format!("wss://{}", listener.local_address());
    let server = tokio::spawn(async move {
        let socket = listener.accept().await?.accept().await?;
        echo(&socket, None).await
    });
    Ok((uri, server))
}

async fn exchange_all(socket: &Arc<MessageWebSocket>, show: &mut Show) -> Result<(), Trouble> {
    for size in ONE_BY_ONE {
        for message_type in [MessageType::Text, MessageType::Binary] {
            let message = sample::message(message_type, size);
            show.measure(exchange_one_by_one(socket, &message)).await?;
        }
    }
    let (size, count) = SMALL_BURST;
    let numbered = move |number| sample::numbered(number, size);
    show.measure(exchange_in_flight(socket, count, numbered))
        .await?;
    let (size, count) = LARGE_BURST;
    let message = sample::message(MessageType::Binary, size);
    show.measure(exchange_in_flight(socket, count, move |_| message.clone()))
        .await
}

/// Sends a message when the echo of the one before has come.
async fn exchange_one_by_one(
    socket: &MessageWebSocket,
    message: &Message,
) -> Result<Measurement, Trouble> {
    let started = Instant::now();
    let mut messages = 0;
    while messages == 0 || started.elapsed() < ONE_BY_ONE_TIME {
        socket.send(message.clone()).await?;
        expect(socket.receive().await?, message, messages)?;
        messages += 1;
    }
    Ok(Measurement {
        name: match message.message_type() {
            MessageType::Text => "text, one by one",
            MessageType::Binary => "binary, one by one",
        },
        messages,
        size: message.len(),
        elapsed: started.elapsed(),
        order: Order::OneByOne,
    })
}

/// Sends in one task and receives in another. What is under way is bounded by the socket: `send`
/// waits while its queue is full.
async fn exchange_in_flight(
    socket: &Arc<MessageWebSocket>,
    count: usize,
    message: impl Fn(usize) -> Message + Clone + Send + 'static,
) -> Result<Measurement, Trouble> {
    let started = Instant::now();
    let sending = tokio::spawn({
        let (socket, message) = (Arc::clone(socket), message.clone());
        async move {
            for number in 0..count {
                socket.send(message(number)).await?;
            }
            Ok::<(), Error>(())
        }
    });
    for number in 0..count {
        expect(socket.receive().await?, &message(number), number)?;
    }
    // All echoes have come, so all was sent.
    sending.abort();
    let sample = message(0);
    Ok(Measurement {
        name: match sample.message_type() {
            MessageType::Text => "text, in flight",
            MessageType::Binary => "binary, in flight",
        },
        messages: count,
        size: sample.len(),
        elapsed: started.elapsed(),
        order: Order::InFlight,
    })
}

fn expect(echo: Option<Message>, sent: &Message, number: usize) -> Result<(), Trouble> {
    match echo {
        Some(echo) if echo == *sent => Ok(()),
        Some(echo) => Err(Trouble::Unexpected(format!(
            "expected the echo of message {number}, {:?} of {} bytes, got {:?} of {} other bytes",
            sent.message_type(),
            sent.len(),
            echo.message_type(),
            echo.len()
        ))),
        None => Err(Trouble::Unexpected(format!(
            "expected the echo of message {number}, got the end of the connection"
        ))),
    }
}

/// Closes, and tells how the connection ended.
async fn finish(
    socket: &MessageWebSocket,
    server: JoinHandle<Result<(), EchoError>>,
    show: &mut Show,
) -> Result<(), Trouble> {
    socket
        .close(CloseCode::NORMAL, "the demonstration is over")
        .await?;
    wait_for(server).await?;
    let closed = socket.closed();
    let closed = closed.filter(|closed| closed.is_clean() && closed.code() == CloseCode::NORMAL);
    let closed = closed.ok_or_else(|| {
        Trouble::Unexpected(format!("expected a clean close, got {:?}", socket.closed()))
    })?;
    show.print("every echo had the type and the bytes of its message")?;
    show.print(&closed.to_string())?;
    Ok(())
}

async fn wait_for(server: JoinHandle<Result<(), EchoError>>) -> Result<(), Trouble> {
    match server.await {
        Ok(served) => Ok(served?),
        Err(error) => Err(Trouble::Unexpected(error.to_string())),
    }
}

/// Sends so many bytes as a stream, and compares what comes back.
async fn copy_stream(
    (builder, uri): (StreamWebSocketBuilder, &str),
    size: u64,
    show: &mut Show,
) -> Result<(), Trouble> {
    let peak_before = peak_memory();
    show.print(&format!("stream: another echo server at {uri}"))?;
    let socket = builder.connect(uri).await?;
    let transfer = Transfer::of(size);
    let copied = copy(socket, size, &transfer).await;
    transfer.clear();
    let copied = copied.map_err(Trouble::Stream)?;
    if copied.received != copied.sent {
        return Err(Trouble::Unexpected(format!(
            "expected {} back, got {}",
            copied.sent, copied.received
        )));
    }
    let rate = copied.megabytes_per_second();
    let seconds = copied.elapsed.as_secs_f64();
    show.print(&format!("there and back went {}", copied.sent))?;
    show.print(&format!("in {seconds:.2} s: {rate:.0} MB/s each way"))?;
    if let (Some(before), Some(after)) = (peak_before, peak_memory()) {
        let [before, after] = [before, after].map(|bytes| bytes >> 20);
        show.print(&format!(
            "most memory of this process: {after} MiB, {before} MiB before the stream"
        ))?;
    }
    Ok(())
}

/// Where the user sees what happens.
struct Show {
    output: Output,
    step: Step,
    exchanges_done: usize,
}

impl Show {
    fn new() -> Self {
        Self {
            output: Output::new(),
            step: Step::new(),
            exchanges_done: 0,
        }
    }

    fn print(&mut self, line: &str) -> Result<(), Failure> {
        self.output
            .print_line(line)
            .and_then(|()| self.output.flush())
            .map_err(|error| Failure::of_standard_output(&error))
    }

    async fn measure(
        &mut self,
        exchange: impl Future<Output = Result<Measurement, Trouble>>,
    ) -> Result<(), Trouble> {
        let all = 2 * ONE_BY_ONE.len() + 2;
        self.step
            .show(&format!("exchange {} of {all} …", self.exchanges_done + 1));
        let measured = exchange.await;
        self.step.clear();
        self.exchanges_done += 1;
        Ok(self.print(&measured?.to_string())?)
    }
}

/// What can spoil the demonstration.
enum Trouble {
    Connection(Error),
    Stream(std::io::Error),
    Unexpected(String),
    Told(Failure),
}

impl Trouble {
    fn at(self, uri: &str) -> Failure {
        match self {
            Self::Connection(error) => Failure::of_library(uri, &error),
            Self::Stream(error) => Failure::of_stream(uri, &error),
            Self::Unexpected(what) => Failure::new(ExitCode::Unexpected, format!("{uri}: {what}")),
            Self::Told(failure) => failure,
        }
    }
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self::Connection(error)
    }
}

impl From<EchoError> for Trouble {
    fn from(error: EchoError) -> Self {
        match error {
            EchoError::Connection(error) => Self::Connection(error),
            EchoError::TooBig { .. } => Self::Unexpected(error.to_string()),
        }
    }
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::Told(failure)
    }
}
