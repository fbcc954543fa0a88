//! Any public calls, in any order, from several tasks at both ends: each of them ends in time,
//! what arrives is in order, and in the end nothing is left.
//!
//! `PROPTEST_CASES` sets how many histories are tried.

use std::io;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use peak_alloc::PeakAlloc;
use proptest::prelude::*;
use tokio::io::{
    AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf, duplex,
};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use twinsock::{
    AcceptOptions, CloseCode, Handlers, Information, Message, MessageLender, MessageType,
    MessageWebSocket, StreamWebSocket, Timeouts,
};
use twinsock_testkit::sockets::URI;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

const TIMEOUTS: Timeouts = Timeouts {
    resolve: Duration::from_secs(5),
    connect: Duration::from_secs(5),
    proxy: Duration::from_secs(5),
    tls: Duration::from_secs(5),
    handshake: Duration::from_secs(5),
    overall: None,
    accept: Duration::from_secs(5),
    close: Duration::from_secs(2),
    keep_alive: Some(Duration::from_secs(7)),
    pong: Some(Duration::from_secs(5)),
    send: Some(Duration::from_secs(3)),
    receive: Some(Duration::from_secs(3)),
};

/// More than all timeouts and pauses of a history together.
const BOUND: Duration = Duration::from_secs(120);

/// More than any history needs; a socket that spins needs more.
const MOST_POLLS: usize = 200_000;

/// Spare memory of the thread, and what the test itself keeps.
const MOST_LEFT: usize = 512 * 1024;

// ---- histories ----

#[derive(Clone, Copy, Debug)]
enum Kind {
    Messages,
    HandledMessages,
    Stream,
    SplitStream,
}

#[derive(Clone, Copy, Debug)]
enum Action {
    Send(usize),
    SendParts(usize),
    BeginParts(usize),
    SendFrames(usize),
    Receive,
    ReceivePart,
    ReceiveStream,
    ReceiveAll,
    /// So many messages, the last of which is kept on loan for so long.
    Lend(usize, u64),
    LendAll,
    Flush,
    Ping,
    KeepAlive,
    StartClose,
    Close,
    HalfClose,
    Attend,
    Sleep(u64),
}

/// When the caller loses patience.
#[derive(Clone, Copy, Debug)]
enum Patience {
    ToTheEnd,
    /// The future is dropped after so many polls.
    Polls(usize),
}

type Step = (Action, Patience);

#[derive(Clone, Debug)]
struct End {
    kind: Kind,
    tasks: [Vec<Step>; 2],
}

fn kind() -> impl Strategy<Value = Kind> {
    use Kind::{HandledMessages, Messages, SplitStream, Stream};
    proptest::sample::select(vec![Messages, HandledMessages, Stream, SplitStream])
}

fn action() -> impl Strategy<Value = Action> {
    let size = || prop_oneof![0..200_usize, 0..20_000_usize, 0..300_000_usize];
    prop_oneof![
        6 => size().prop_map(Action::Send),
        2 => size().prop_map(Action::SendParts),
        1 => size().prop_map(Action::BeginParts),
        1 => size().prop_map(Action::SendFrames),
        6 => Just(Action::Receive),
        2 => Just(Action::ReceivePart),
        2 => Just(Action::ReceiveStream),
        3 => Just(Action::ReceiveAll),
        3 => (1..5_usize, 0..3000_u64).prop_map(|(count, time)| Action::Lend(count, time)),
        2 => Just(Action::LendAll),
        3 => Just(Action::Flush),
        2 => Just(Action::Ping),
        1 => Just(Action::KeepAlive),
        1 => Just(Action::StartClose),
        1 => Just(Action::Close),
        1 => Just(Action::HalfClose),
        1 => Just(Action::Attend),
        3 => (0..3000_u64).prop_map(Action::Sleep),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let patience = prop_oneof![
        3 => Just(Patience::ToTheEnd),
        1 => (1..5_usize).prop_map(Patience::Polls),
    ];
    (action(), patience)
}

fn end() -> impl Strategy<Value = End> {
    let steps = || proptest::collection::vec(step(), 0..12);
    (kind(), steps(), steps()).prop_map(|(kind, first, second)| End {
        kind,
        tasks: [first, second],
    })
}

// ---- the network ----

/// Memory that counts how often it is polled, and fails when that is too often.
struct Watched(DuplexStream, Arc<AtomicUsize>);

impl Watched {
    fn count(&self) -> io::Result<()> {
        match self.1.fetch_add(1, Ordering::Relaxed) {
            0..MOST_POLLS => Ok(()),
            _ => Err(io::ErrorKind::ConnectionReset.into()),
        }
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        memory: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.count()?;
        Pin::new(&mut self.0).poll_read(context, memory)
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.count()?;
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}

// ---- what is known of each end ----

/// What an end sent and received.
#[derive(Debug, Default)]
struct Log {
    /// The messages that were certainly sent, by task.
    sent: [Vec<u32>; 2],
    /// The messages that were received, by the task that sent them.
    received: [Vec<u32>; 2],
    next: u32,
    completeness: Completeness,
    written: usize,
    read: usize,
    reading: Reading,
    peer: Peer,
    ends_told: usize,
}

impl Log {
    fn reach_end(&mut self) {
        if self.completeness == Completeness::All {
            self.completeness = Completeness::AllToTheEnd;
        }
    }
}

/// Whether each message that came is in the log.
#[derive(Debug, Default, PartialEq)]
enum Completeness {
    #[default]
    All,
    AllToTheEnd,
    /// Some were received in parts or discarded.
    Some,
}

#[derive(Debug, Default, PartialEq)]
enum Reading {
    #[default]
    GoesOn,
    Ended,
}

/// Whether the other end sends what this one understands.
#[derive(Debug, Default, PartialEq)]
enum Peer {
    #[default]
    Alike,
    OfAnotherKind,
}

type SharedLog = Arc<Mutex<Log>>;

fn with<T>(log: &SharedLog, action: impl FnOnce(&mut Log) -> T) -> T {
    action(&mut log.lock().unwrap_or_else(PoisonError::into_inner))
}

/// The byte of a stream at this place.
fn byte_at(place: usize) -> u8 {
    u8::try_from((place ^ (place >> 8)) & 0xff).unwrap_or_default()
}

/// A message that says which one it is.
fn message(task: usize, number: u32, size: usize) -> Vec<u8> {
    let mut bytes = vec![u8::try_from(task).unwrap_or_default()];
    bytes.extend(number.to_le_bytes());
    bytes.resize(5 + size, number.to_le_bytes()[0]);
    bytes
}

fn take_message(log: &SharedLog, message: &[u8]) {
    if with(log, |log| log.peer == Peer::OfAnotherKind) {
        return;
    }
    let [task @ 0..2, a, b, c, d, fill @ ..] = message else {
        return; // sent frame by frame
    };
    let number = u32::from_le_bytes([*a, *b, *c, *d]);
    assert!(fill.iter().all(|byte| byte == a), "a message is mixed up");
    with(log, |log| log.received[usize::from(*task)].push(number));
}

/// Runs a call until the caller loses patience; `None` then.
async fn call<T>(step: Step, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    let mut polls = 0;
    let limited = std::future::poll_fn(|context| {
        if let Poll::Ready(value) = future.as_mut().poll(context) {
            return Poll::Ready(Some(value));
        }
        polls += 1;
        match step.1 {
            Patience::Polls(most) if polls >= most => Poll::Ready(None),
            Patience::Polls(_) | Patience::ToTheEnd => Poll::Pending,
        }
    });
    let ended = timeout(BOUND, limited).await;
    assert!(ended.is_ok(), "{step:?} never ended");
    ended.ok().flatten()
}

/// The same for a call that may rightly wait for the peer.
async fn wait<T>(step: Step, future: impl Future<Output = T>) -> Option<T> {
    let limited = timeout(Duration::from_secs(1), future);
    call(step, limited).await.and_then(Result::ok)
}

// ---- message sockets ----

async fn use_messages(socket: MessageWebSocket, task: usize, steps: Vec<Step>, log: SharedLog) {
    for step in steps {
        match step.0 {
            Action::Send(size) => {
                let (number, bytes) = next_message(&log, task, size);
                let sent = call(step, socket.send(Message::from(bytes))).await;
                if matches!(sent, Some(Ok(()))) {
                    with(&log, |log| log.sent[task].push(number));
                }
            }
            Action::SendParts(size) => {
                let (number, bytes) = next_message(&log, task, size);
                let sent = call(step, send_parts(&socket, &bytes)).await;
                if matches!(sent, Some(Ok(()))) {
                    with(&log, |log| log.sent[task].push(number));
                }
            }
            Action::BeginParts(size) => {
                let begun = async {
                    let mut writer = socket.send_stream(MessageType::Binary).await?;
                    writer.write_all(&vec![0xff; size]).await
                };
                let _ = call(step, begun).await;
            }
            Action::SendFrames(size) => {
                let frames = async {
                    socket.send_nonfinal_frame(vec![0xff; size]).await?;
                    socket.send_final_frame("").await
                };
                let _ = call(step, frames).await;
            }
            Action::Sleep(time) => sleep(Duration::from_millis(time)).await,
            _ => receive_messages(&socket, step, &log).await,
        }
    }
}

fn next_message(log: &SharedLog, task: usize, size: usize) -> (u32, Vec<u8>) {
    let number = with(log, |log| {
        log.next += 1;
        log.next
    });
    (number, message(task, number, size))
}

async fn send_parts(socket: &MessageWebSocket, bytes: &[u8]) -> io::Result<()> {
    let mut writer = socket.send_stream(MessageType::Binary).await?;
    for piece in bytes.chunks(3000) {
        writer.write_all(piece).await?;
        writer.flush().await?;
    }
    Ok(writer.finish().await?)
}

async fn receive_messages(socket: &MessageWebSocket, step: Step, log: &SharedLog) {
    match step.0 {
        Action::Receive => {
            if let Some(Ok(Some(message))) = wait(step, socket.receive()).await {
                take_message(log, message.as_bytes());
            }
        }
        Action::ReceiveAll => {
            while let Some(Ok(message)) = wait(step, socket.receive()).await {
                let Some(message) = message else {
                    return with(log, Log::reach_end);
                };
                take_message(log, message.as_bytes());
            }
        }
        Action::Lend(count, time) => {
            let mut lender = lend(socket);
            for _ in 0..count {
                borrow(&mut lender, step, log).await;
            }
            sleep(Duration::from_millis(time)).await;
        }
        Action::LendAll => {
            let mut lender = lend(socket);
            while borrow(&mut lender, step, log).await == Borrowed::AMessage {}
        }
        Action::ReceivePart => {
            with(log, |log| log.completeness = Completeness::Some);
            let _ = wait(step, socket.receive_part()).await;
        }
        Action::ReceiveStream => {
            with(log, |log| log.completeness = Completeness::Some);
            let read = async {
                let mut memory = vec![0; 10_000];
                match socket.receive_stream().await? {
                    Some(mut reader) => reader.read(&mut memory).await,
                    None => Ok(0),
                }
            };
            let _ = wait(step, read).await;
        }
        _ => control_messages(socket, step, log).await,
    }
}

fn lend(socket: &MessageWebSocket) -> MessageLender {
    let (_, receiver) = socket.clone().split();
    receiver.lend()
}

/// What a lender gave.
#[derive(PartialEq)]
enum Borrowed {
    AMessage,
    Nothing,
}

async fn borrow(lender: &mut MessageLender, step: Step, log: &SharedLog) -> Borrowed {
    match wait(step, lender.receive()).await {
        Some(Ok(Some(message))) => {
            take_message(log, message.as_bytes());
            return Borrowed::AMessage;
        }
        Some(Ok(None)) => with(log, Log::reach_end),
        Some(Err(_)) | None => {}
    }
    Borrowed::Nothing
}

async fn control_messages(socket: &MessageWebSocket, step: Step, log: &SharedLog) {
    match step.0 {
        Action::Flush => {
            let _ = call(step, socket.flush()).await;
        }
        Action::Ping => {
            let _ = call(step, socket.ping(b"any")).await;
        }
        Action::KeepAlive => {
            let _ = call(step, socket.send_keep_alive()).await;
        }
        Action::StartClose | Action::HalfClose => {
            let started = socket.start_close(CloseCode::NORMAL, "started");
            started.expect("a valid reason");
        }
        Action::Close => {
            with(log, |log| log.completeness = Completeness::Some);
            let _ = call(step, socket.close(CloseCode::NORMAL, "closed")).await;
        }
        _ => socket.attend(),
    }
}

// ---- streams ----

async fn use_stream(mut stream: StreamWebSocket, steps: Vec<Step>, log: SharedLog) {
    for step in steps {
        match step.0 {
            Action::Close => {
                // What comes is discarded.
                let _ = call(step, stream.shutdown()).await;
                return;
            }
            Action::StartClose => {
                let _ = call(step, stream.close(CloseCode::GOING_AWAY, "")).await;
                return;
            }
            Action::Ping => {
                let _ = call(step, stream.ping(b"any")).await;
            }
            Action::KeepAlive => {
                let _ = call(step, stream.send_keep_alive()).await;
            }
            Action::Attend => stream.attend(),
            Action::Receive
            | Action::ReceiveAll
            | Action::ReceivePart
            | Action::ReceiveStream
            | Action::Lend(..)
            | Action::LendAll => read(&mut stream, step, &log).await,
            _ => write(&mut stream, step, &log).await,
        }
    }
}

async fn read(reader: &mut (impl AsyncRead + Unpin), step: Step, log: &SharedLog) {
    let mut memory = vec![0; 40_000];
    loop {
        let Some(Ok(count)) = wait(step, reader.read(&mut memory)).await else {
            return;
        };
        with(log, |log| {
            if log.peer == Peer::OfAnotherKind {
                return;
            }
            for (place, byte) in memory[..count].iter().enumerate() {
                assert_eq!(*byte, byte_at(log.read + place), "bytes are mixed up");
            }
            log.read += count;
            if count == 0 {
                log.reading = Reading::Ended;
            } else {
                assert_eq!(log.reading, Reading::GoesOn, "the end is the end");
            }
        });
        if count == 0 || !matches!(step.0, Action::ReceiveAll) {
            return;
        }
    }
}

async fn write(writer: &mut (impl AsyncWrite + Unpin), step: Step, log: &SharedLog) {
    match step.0 {
        Action::Send(size)
        | Action::SendParts(size)
        | Action::BeginParts(size)
        | Action::SendFrames(size) => {
            let before = with(log, |log| log.written);
            let bytes: Vec<u8> = (before..before + size).map(byte_at).collect();
            let mut rest = &bytes[..];
            while !rest.is_empty() {
                let Some(Ok(count)) = call(step, writer.write(rest)).await else {
                    return;
                };
                with(log, |log| log.written += count);
                rest = &rest[count..];
            }
        }
        Action::HalfClose => {
            let _ = call(step, writer.shutdown()).await;
        }
        Action::Sleep(time) => sleep(Duration::from_millis(time)).await,
        _ => {
            let _ = call(step, writer.flush()).await;
        }
    }
}

/// Each half does of the steps what it can.
fn use_halves(stream: StreamWebSocket, tasks: [Vec<Step>; 2], log: &SharedLog) -> JoinSet<()> {
    let (mut reader, mut writer) = stream.split();
    let [reading, writing] = tasks;
    let mut halves = JoinSet::new();
    let log_of_reader = Arc::clone(log);
    halves.spawn(async move {
        for step in reading {
            match step.0 {
                Action::Sleep(time) => sleep(Duration::from_millis(time)).await,
                _ => read(&mut reader, step, &log_of_reader).await,
            }
        }
    });
    let log = Arc::clone(log);
    halves.spawn(async move {
        for step in writing {
            write(&mut writer, step, &log).await;
        }
    });
    halves
}

// ---- both ends ----

enum Socket {
    Messages(MessageWebSocket),
    Stream(StreamWebSocket),
}

async fn connect(kind: Kind, stream: Watched) -> Socket {
    match kind {
        Kind::Messages | Kind::HandledMessages => {
            let builder = MessageWebSocket::builder().timeouts(TIMEOUTS);
            Socket::Messages(builder.connect_over(stream, URI).await.expect("a server"))
        }
        Kind::Stream | Kind::SplitStream => {
            let builder = StreamWebSocket::builder().timeouts(TIMEOUTS);
            Socket::Stream(builder.connect_over(stream, URI).await.expect("a server"))
        }
    }
}

async fn accept(kind: Kind, stream: Watched) -> Socket {
    let options = AcceptOptions::new().timeouts(TIMEOUTS);
    match kind {
        Kind::Messages | Kind::HandledMessages => {
            Socket::Messages(options.accept(stream).await.expect("a client"))
        }
        Kind::Stream | Kind::SplitStream => {
            Socket::Stream(options.accept_stream(stream).await.expect("a client"))
        }
    }
}

fn start(socket: Socket, end: End, log: &SharedLog) -> (Information, JoinSet<()>) {
    let End { kind, tasks } = end;
    match socket {
        Socket::Messages(mut socket) => {
            let information = socket.information().clone();
            if let Kind::HandledMessages = kind {
                socket = handled(socket, log);
            }
            let mut set = JoinSet::new();
            for (task, steps) in tasks.into_iter().enumerate() {
                set.spawn(use_messages(socket.clone(), task, steps, Arc::clone(log)));
            }
            (information, set)
        }
        Socket::Stream(stream) => {
            let information = stream.information().clone();
            if let Kind::SplitStream = kind {
                return (information, use_halves(stream, tasks, log));
            }
            let log_of_end = Arc::clone(log);
            let told = move |_| with(&log_of_end, |log| log.ends_told += 1);
            let stream = stream.on_closed(told).expect("a runtime");
            let mut set = JoinSet::new();
            set.spawn(use_stream(stream, tasks.concat(), Arc::clone(log)));
            (information, set)
        }
    }
}

fn handled(socket: MessageWebSocket, log: &SharedLog) -> MessageWebSocket {
    let (log_of_messages, log_of_end) = (Arc::clone(log), Arc::clone(log));
    let handlers = Handlers::new()
        .on_message_received_async(move |_socket, received| {
            let log = Arc::clone(&log_of_messages);
            async move {
                if let Ok(received) = received {
                    take_message(&log, received.as_bytes());
                }
                sleep(Duration::from_millis(50)).await;
            }
        })
        .on_closed(move |_| with(&log_of_end, |log| log.ends_told += 1));
    socket.with_handlers(handlers).expect("a runtime")
}

async fn run(ends: [End; 2], capacity: usize) {
    let polls = Arc::new(AtomicUsize::new(0));
    let (near, far) = duplex(capacity);
    let near = Watched(near, Arc::clone(&polls));
    let far = Watched(far, Arc::clone(&polls));
    let kinds = [ends[0].kind, ends[1].kind];
    let [client_end, server_end] = ends;
    let (client, server) = tokio::join!(connect(kinds[0], near), accept(kinds[1], far));
    let logs = [SharedLog::default(), SharedLog::default()];
    let are_streams = kinds.map(|kind| matches!(kind, Kind::Stream | Kind::SplitStream));
    if are_streams[0] != are_streams[1] {
        for log in &logs {
            with(log, |log| log.peer = Peer::OfAnotherKind);
        }
    }
    let (client, mut tasks) = start(client, client_end, &logs[0]);
    let (server, mut others) = start(server, server_end, &logs[1]);
    while let Some(ended) = tasks.join_next().await {
        ended.expect("no failed assertion");
    }
    while let Some(ended) = others.join_next().await {
        ended.expect("no failed assertion");
    }
    sleep(BOUND).await;
    let alive = tokio::runtime::Handle::current()
        .metrics()
        .num_alive_tasks();
    assert_eq!(alive, 0, "a task is left");
    let polls = polls.load(Ordering::Relaxed);
    assert!(polls < MOST_POLLS, "a task spins");
    check_ends(&client, &server);
    for (kind, log) in kinds.iter().zip(&logs) {
        let told = matches!(kind, Kind::HandledMessages | Kind::Stream);
        with(log, |log| assert_eq!(log.ends_told, usize::from(told)));
    }
    let pairs = [(&logs[0], &logs[1]), (&logs[1], &logs[0])];
    for (sender, receiver) in pairs {
        with(sender, |sender| {
            with(receiver, |receiver| check(sender, receiver));
        });
    }
}

fn check_ends(client: &Information, server: &Information) {
    let client = client.closed().expect("ended");
    let server = server.closed().expect("ended");
    if client.is_clean() && server.is_clean() {
        assert_eq!(client.sent(), server.received());
        assert_eq!(server.sent(), client.received());
    }
}

fn check(sender: &Log, receiver: &Log) {
    if receiver.peer == Peer::OfAnotherKind {
        return;
    }
    if receiver.reading == Reading::Ended {
        assert_eq!(receiver.read, sender.written, "the end came too early");
    }
    for (sent, received) in sender.sent.iter().zip(&receiver.received) {
        check_messages(sent, received, &receiver.completeness);
    }
}

fn check_messages(sent: &[u32], received: &[u32], completeness: &Completeness) {
    assert!(received.is_sorted_by(|a, b| a < b), "out of order");
    let last = match completeness {
        Completeness::Some => return,
        Completeness::All => received.last().copied().unwrap_or(0),
        Completeness::AllToTheEnd => u32::MAX,
    };
    for number in sent.iter().filter(|number| **number <= last) {
        assert!(received.contains(number), "message {number} is missing");
    }
}

#[test]
fn every_call_ends_in_time_and_nothing_is_left() {
    let cases = std::env::var("PROPTEST_CASES").ok();
    let config = ProptestConfig {
        cases: cases.and_then(|cases| cases.parse().ok()).unwrap_or(400),
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let capacity = prop_oneof![500..2000_usize, Just(4096), Just(1 << 16)];
    proptest!(config, |(client in end(), server in end(), capacity in capacity)| {
        let before = ALLOCATOR.current_usage();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .expect("a runtime");
        runtime.block_on(run([client, server], capacity));
        drop(runtime);
        let left = ALLOCATOR.current_usage().saturating_sub(before);
        assert!(left < MOST_LEFT, "{left} bytes are left");
    });
}

/// Found by the test above: each poll of the shutdown woke the background task, and that one it.
#[test]
fn a_shutdown_that_waits_for_the_network_wakes_nobody_in_vain() {
    let whole = |action| (action, Patience::ToTheEnd);
    let client = End {
        kind: Kind::SplitStream,
        tasks: [
            vec![whole(Action::Send(0))],
            vec![
                whole(Action::BeginParts(1977)),
                whole(Action::Flush),
                whole(Action::Send(1976)),
                (Action::Flush, Patience::Polls(1)),
                whole(Action::HalfClose),
            ],
        ],
    };
    let server = End {
        kind: Kind::Stream,
        tasks: [
            vec![whole(Action::HalfClose), whole(Action::Sleep(1))],
            vec![],
        ],
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .expect("a runtime");
    runtime.block_on(run([client, server], 993));
}
