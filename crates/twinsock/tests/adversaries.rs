//! What hostile peers can do to an echo server: little, and nothing to its other clients.
//!
//! Memory is what the process allocates at most beyond what it had before the attack, the
//! attacker's own included.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use peak_alloc::PeakAlloc;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use twinsock::{
    AcceptOptions, CloseCode, Closed, Error, ErrorKind, Handlers, Message, MessageWebSocket,
    Timeout, Timeouts,
};
use twinsock_testkit::raw::{REQUEST, RawPeer};
use twinsock_testkit::sockets::{PATIENT, client_of_raw, echo_server};
use twinsock_testkit::wire::{self, Frame};

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// The allocator counts for the whole process: one test at a time.
static TURN: Mutex<()> = Mutex::new(());

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;
const MILLION: usize = 1_000_000;

const HALF_A_SECOND: Duration = Duration::from_millis(500);

/// Short for a test; in the same relation to each other as the defaults.
const HASTY: Timeouts = Timeouts {
    accept: HALF_A_SECOND,
    close: HALF_A_SECOND,
    send: Some(HALF_A_SECOND),
    receive: Some(HALF_A_SECOND),
    ..PATIENT
};

type Ending = Result<Option<Closed>, Error>;

/// A server under attack.
struct Target {
    address: std::net::SocketAddr,
    endings: UnboundedReceiver<Ending>,
}

impl Target {
    async fn attacker(&self) -> RawPeer<TcpStream> {
        RawPeer::connect(self.address).await.expect("a server")
    }

    /// How the next connection ended.
    async fn ending(&mut self) -> Ending {
        self.endings.recv().await.expect("the server runs")
    }

    async fn assert_ends_with(&mut self, kind: ErrorKind) {
        assert_eq!(self.ending().await.expect_err("an attack").kind(), kind);
    }
}

/// Attacks an echo server while a bystander echoes with it, and counts memory.
fn attack(
    name: &str,
    budget: usize,
    options: AcceptOptions,
    attack: impl AsyncFnOnce(&mut Target),
) {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let (ended, endings) = unbounded_channel();
        let (address, server) = echo_server(options, move |ending| drop(ended.send(ending)))
            .await
            .expect("a port");
        let mut target = Target { address, endings };
        let bystander = Bystander::start(address).await;
        ALLOCATOR.reset_peak_usage();
        let before = ALLOCATOR.current_usage();
        attack(&mut target).await;
        let most = ALLOCATOR.peak_usage().saturating_sub(before);
        let echoes = bystander.assert_is_well().await;
        report(&format!(
            "{name}: at most {most} bytes of {budget}, {echoes} echoes beside it"
        ));
        assert!(most <= budget, "{name}: {most} > {budget}");
        server.abort();
    });
}

#[expect(clippy::print_stdout, reason = "the measured numbers are the result")]
fn report(line: &str) {
    println!("{line}");
}

/// A client that goes on echoing.
struct Bystander {
    goes_on: Arc<AtomicBool>,
    echoes: Arc<AtomicUsize>,
    task: tokio::task::JoinHandle<Result<(), Error>>,
}

impl Bystander {
    async fn start(address: std::net::SocketAddr) -> Self {
        let socket = MessageWebSocket::connect(&format!("ws://{address}/")).await;
        let socket = socket.expect("a server");
        let goes_on = Arc::new(AtomicBool::new(true));
        let echoes = Arc::<AtomicUsize>::default();
        let task = tokio::spawn({
            let (goes_on, echoes) = (Arc::clone(&goes_on), Arc::clone(&echoes));
            async move { echo_on(&socket, &goes_on, &echoes).await }
        });
        while echoes.load(Ordering::SeqCst) < 10 {
            tokio::task::yield_now().await;
        }
        Self {
            goes_on,
            echoes,
            task,
        }
    }

    /// How often it echoed until it was well after the attack too.
    async fn assert_is_well(self) -> usize {
        let before = self.echoes.load(Ordering::SeqCst);
        while self.echoes.load(Ordering::SeqCst) < before + 10 {
            tokio::task::yield_now().await;
        }
        self.goes_on.store(false, Ordering::SeqCst);
        self.task.await.expect("no panic").expect("open");
        self.echoes.load(Ordering::SeqCst)
    }
}

async fn echo_on(
    socket: &MessageWebSocket,
    goes_on: &AtomicBool,
    echoes: &AtomicUsize,
) -> Result<(), Error> {
    while goes_on.load(Ordering::SeqCst) {
        socket.send("well?").await?;
        assert_eq!(socket.receive().await?, Some(Message::from("well?")));
        echoes.fetch_add(1, Ordering::SeqCst);
    }
    socket.close(CloseCode::NORMAL, "").await
}

/// How far repeating came.
#[derive(PartialEq)]
enum Repeated {
    All,
    UntilTheServerHungUp,
}

/// Sends a frame so often, many with each write, unless the server hangs up first.
async fn repeat(peer: &mut RawPeer<TcpStream>, frame: Frame, count: usize) -> Repeated {
    const AT_ONCE: usize = 400;
    let bytes = frame.masked().bytes().repeat(AT_ONCE);
    for _ in 0..count / AT_ONCE {
        if peer.stream.write_all(&bytes).await.is_err() {
            return Repeated::UntilTheServerHungUp;
        }
    }
    Repeated::All
}

#[test]
fn a_million_pings_from_a_peer_that_never_reads() {
    let options = AcceptOptions::new().timeouts(HASTY);
    attack("pings, never reads", MIB, options, async |target| {
        let mut peer = target.attacker().await;
        let ping = wire::ping([7; 125]);
        repeat(&mut peer, ping.clone(), MILLION).await;
        // The system may have taken all answers that were left: a few more Pings, and it is full.
        let more = async {
            while repeat(&mut peer, ping.clone(), 400).await == Repeated::All {
                tokio::task::yield_now().await;
            }
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = more => {}
            () = target.assert_ends_with(ErrorKind::Timeout(Timeout::Send)) => {}
        }
    });
}

#[test]
fn a_million_fragments_of_one_byte_are_one_message() {
    let options = AcceptOptions::new()
        .timeouts(HASTY)
        .max_message_size(1 << 20);
    attack("fragments", 8 * MIB, options, async |target| {
        let mut peer = target.attacker().await;
        peer.send(&[wire::text("a").fragment()])
            .await
            .expect("open");
        repeat(&mut peer, wire::continuation("a").fragment(), MILLION).await;
        peer.send(&[wire::continuation("")]).await.expect("open");
        let echo = peer.receive().await.expect("open").expect("an echo");
        assert_eq!(echo.payload().len(), MILLION + 1);
        peer.send(&[wire::close(1000, "")]).await.expect("open");
        assert_eq!(
            peer.receive().await.expect("open"),
            Some(wire::close(1000, ""))
        );
        drop(peer);
        assert!(
            target
                .ending()
                .await
                .expect("clean")
                .expect("closed")
                .is_clean()
        );
    });
}

#[test]
fn fragments_of_one_byte_without_end() {
    let options = AcceptOptions::new()
        .timeouts(HASTY)
        .max_message_size(100_000);
    attack("endless fragments", MIB, options, async |target| {
        let mut peer = target.attacker().await;
        peer.send(&[wire::binary("a").fragment()])
            .await
            .expect("open");
        repeat(&mut peer, wire::continuation("a").fragment(), MILLION).await;
        target.assert_ends_with(ErrorKind::MessageTooBig).await;
    });
}

#[test]
fn a_million_empty_fragments_cost_no_memory() {
    let options = AcceptOptions::new().timeouts(HASTY);
    attack("empty fragments", MIB, options, async |target| {
        let mut peer = target.attacker().await;
        peer.send(&[wire::binary("").fragment()])
            .await
            .expect("open");
        repeat(&mut peer, wire::continuation("").fragment(), MILLION).await;
        target
            .assert_ends_with(ErrorKind::Timeout(Timeout::Receive))
            .await;
    });
}

#[test]
fn a_claim_of_four_exbibytes_is_refused_with_1009() {
    let options = AcceptOptions::new().timeouts(HASTY);
    attack("a claim above the limit", MIB, options, async |target| {
        let mut peer = target.attacker().await;
        peer.send(&[wire::binary([0; 1000]).claims(1 << 62)])
            .await
            .expect("open");
        let close = peer.receive().await.expect("open").expect("a close frame");
        assert_eq!(close.payload()[..2], 1009_u16.to_be_bytes());
        drop(peer);
        target.assert_ends_with(ErrorKind::MessageTooBig).await;
    });
}

#[test]
fn a_claim_of_four_exbibytes_reserves_nothing_where_there_is_no_limit() {
    let options = AcceptOptions::new().timeouts(HASTY).max_message_size(None);
    attack("a claim without a limit", MIB, options, async |target| {
        let mut peer = target.attacker().await;
        peer.send(&[wire::binary([0; 1000]).claims(1 << 62)])
            .await
            .expect("open");
        target
            .assert_ends_with(ErrorKind::Timeout(Timeout::Receive))
            .await;
    });
}

#[test]
fn a_request_that_drips_in() {
    let options = AcceptOptions::new().timeouts(HASTY);
    attack("a dripping request", MIB, options, async |target| {
        let mut stream = TcpStream::connect(target.address).await.expect("a server");
        stream.set_nodelay(true).expect("a socket");
        let endless = REQUEST.trim_end().bytes().chain("\r\nX: ".bytes());
        for byte in endless.chain(std::iter::repeat_n(b'x', 1_000)) {
            stream.write_all(&[byte]).await.expect("open");
            tokio::task::yield_now().await;
        }
        target
            .assert_ends_with(ErrorKind::Timeout(Timeout::Handshake))
            .await;
    });
}

#[test]
fn a_peer_that_never_hangs_up() {
    let options = AcceptOptions::new().timeouts(HASTY);
    attack("no answer to Close", MIB, options, async |target| {
        let mut peer = target.attacker().await;
        peer.send(&[wire::frame(0x83, "")]).await.expect("open");
        target.assert_ends_with(ErrorKind::ProtocolViolation).await;
        let told = peer.receive_all().await.expect("open");
        assert_eq!(told[0].payload()[..2], 1002_u16.to_be_bytes());
    });
}

#[test]
fn a_peer_that_never_reads_its_echoes() {
    let options = AcceptOptions::new().timeouts(HASTY);
    attack("unread echoes", 2 * MIB, options, async |target| {
        let mut peer = target.attacker().await;
        repeat(&mut peer, wire::binary([7; 1_000]), MILLION / 10).await;
        target
            .assert_ends_with(ErrorKind::Timeout(Timeout::Send))
            .await;
    });
}

#[test]
fn a_thousand_handshakes_that_are_never_finished() {
    let options = AcceptOptions::new().timeouts(HASTY);
    attack("half-open handshakes", 32 * MIB, options, async |target| {
        let mut streams = Vec::new();
        for _ in 0..1_000 {
            let mut stream = TcpStream::connect(target.address).await.expect("a server");
            stream.write_all(b"GET / HTTP/1.1\r\n").await.expect("open");
            streams.push(stream);
        }
        for _ in 0..1_000 {
            target
                .assert_ends_with(ErrorKind::Timeout(Timeout::Handshake))
                .await;
        }
    });
}

/// TCP connections: the near ends, and the far ones.
async fn connections(count: usize) -> (Vec<TcpStream>, Vec<TcpStream>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound");
    let (mut near, mut far) = (Vec::new(), Vec::new());
    for _ in 0..count {
        near.push(TcpStream::connect(address).await.expect("it listens"));
        far.push(listener.accept().await.expect("somebody connects").0);
    }
    (near, far)
}

#[test]
fn a_connection_that_is_idle_again_holds_little() {
    const COUNT: usize = 200;
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let held = runtime.expect("a runtime").block_on(async {
        // Spare memory of the thread, and what the runtime keeps, is there before.
        idle_connections(2).await;
        idle_connections(COUNT).await
    });
    report(&format!("an idle connection after traffic: {held} bytes"));
    assert!(held <= 4 * KIB, "{held}");
}

/// Connects, echoes a large and a small message on each, and tells what one holds then.
async fn idle_connections(count: usize) -> usize {
    let (near, far) = connections(count).await;
    let before = ALLOCATOR.current_usage();
    let mut sockets = Vec::with_capacity(count);
    let mut peers = Vec::with_capacity(count);
    for (near, far) in near.into_iter().zip(far) {
        let (socket, peer) = tokio::join!(MessageWebSocket::accept(far), RawPeer::client(near));
        let (socket, mut peer) = (socket.expect("a handshake"), peer.expect("a handshake"));
        for length in [100_000, 10] {
            let (frames, echoed) = (
                [wire::binary(vec![7; length])],
                wire::binary(vec![7; length]),
            );
            let echo = async {
                let message = socket.receive().await?.expect("a message");
                socket.send(message).await?;
                // Waits in vain, as most connections do most of the time.
                tokio::time::timeout(Duration::ZERO, socket.receive())
                    .await
                    .expect_err("nothing came");
                Ok::<_, Error>(())
            };
            let (sent, echo) = tokio::join!(peer.send(&frames), echo);
            sent.expect("open");
            echo.expect("open");
            assert!(peer.receive().await.expect("open") == Some(echoed));
        }
        sockets.push(socket);
        peers.push(peer);
    }
    ALLOCATOR.current_usage().saturating_sub(before) / count
}

#[test]
fn a_connection_that_has_handlers_holds_little_more() {
    const COUNT: usize = 200;
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let (without, with) = runtime.expect("a runtime").block_on(async {
        // Spare memory of the thread, and what the runtime keeps, is there before.
        connections_with_handlers(COUNT).await;
        (
            idle_connections(COUNT).await,
            connections_with_handlers(COUNT).await,
        )
    });
    report(&format!(
        "an idle connection with handlers and their task: {with} bytes, without: {without} bytes"
    ));
    assert!(with <= 4 * KIB, "{with}");
    assert!(with <= without + 2 * KIB, "{with}, {without}");
}

/// Connects, has handlers echo a large message on each, and tells what one holds then.
async fn connections_with_handlers(count: usize) -> usize {
    let (near, far) = connections(count).await;
    let before = ALLOCATOR.current_usage();
    let mut kept = Vec::with_capacity(count);
    for (near, far) in near.into_iter().zip(far) {
        let (socket, peer) = tokio::join!(MessageWebSocket::accept(far), RawPeer::client(near));
        let (socket, mut peer) = (socket.expect("a handshake"), peer.expect("a handshake"));
        let handlers = Handlers::new()
            .on_message_received_async(|socket, received| async move {
                let message = received.expect("open").into_message();
                socket.send(message).await.expect("open");
            })
            .on_closed(drop);
        let socket = socket.with_handlers(handlers).expect("it has none yet");
        let message = [wire::binary(vec![7; 100_000])];
        peer.send(&message).await.expect("open");
        assert!(peer.receive().await.expect("open").as_ref() == message.first());
        kept.push((socket, peer));
    }
    ALLOCATOR.current_usage().saturating_sub(before) / count
}

#[test]
fn a_socket_that_is_closed_but_kept_holds_no_buffer() {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.expect("a runtime").block_on(async {
        let (near, far) = connections(50).await;
        let before = ALLOCATOR.current_usage();
        let mut closed = Vec::new();
        for (near, far) in near.into_iter().zip(far) {
            let (socket, peer) = tokio::join!(MessageWebSocket::accept(far), RawPeer::client(near));
            let (socket, mut peer) = (socket.expect("a handshake"), peer.expect("a handshake"));
            peer.send(&[wire::close(1000, "")]).await.expect("open");
            drop(peer);
            assert_eq!(socket.receive().await.expect("clean"), None);
            closed.push(socket);
        }
        // The thread keeps two pieces of memory of 64 KiB.
        let held = ALLOCATOR.current_usage().saturating_sub(before + 128 * KIB) / closed.len();
        report(&format!("a closed connection: {held} bytes"));
        assert!(held <= 4 * KIB, "{held}");
    });
}

/// A peer that takes nothing and is given up: what it was sent does not outlive the socket.
#[test]
fn an_information_that_is_kept_keeps_no_unsent_messages() {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let timeouts = Timeouts {
            keep_alive: Some(HALF_A_SECOND),
            pong: Some(HALF_A_SECOND),
            ..PATIENT
        };
        let before = ALLOCATOR.current_usage();
        let (client, _raw) = client_of_raw(timeouts, KIB).await.expect("a pair");
        client.send(vec![7; 4 * MIB]).await.expect("open");
        let information = client.information().clone();
        client.receive().await.expect_err("a peer that is gone");
        drop(client);
        assert!(information.closed().is_some());
        let held = ALLOCATOR.current_usage().saturating_sub(before);
        report(&format!("a kept Information: {held} bytes"));
        assert!(held <= MIB, "{held}");
    });
}
