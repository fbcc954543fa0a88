//! Whoever waits is woken when it can go on, and waking may run any code.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use tokio::time::Instant;
use twinsock::{ErrorKind, Message, MessageType, MessageWebSocket, Timeout, Timeouts};
use twinsock_testkit::raw::REQUEST;
use twinsock_testkit::script::{Script, Step};
use twinsock_testkit::sockets::{PATIENT, client_of_raw, pair, server_of_raw, server_over};
use twinsock_testkit::wire;

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn a_ping_hastens_the_deadline_of_a_receive_that_waits_already() {
    let timeouts = Timeouts {
        pong: Some(SECOND),
        ..PATIENT
    };
    let (client, _silent) = client_of_raw(timeouts, 1024).await.expect("a pair");
    let client = Arc::new(client);
    let receiving = tokio::spawn({
        let client = Arc::clone(&client);
        async move { client.receive().await }
    });
    tokio::task::yield_now().await;
    let start = Instant::now();
    client.ping(b"are you there?").await.expect("open");
    let error = receiving.await.expect("no panic").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout(Timeout::Pong));
    assert!(start.elapsed() < 2 * SECOND, "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_failed_write_ends_a_receive_that_waits_already() {
    let stream = Script::new(
        [Step::Bytes(REQUEST.into())],
        [vec![Step::Takes(1_000)], vec![Step::Reset; 1_000]].concat(),
    );
    let timeouts = Timeouts {
        close: SECOND,
        ..PATIENT
    };
    let server = Arc::new(server_over(stream, timeouts).await.expect("a good request"));
    let receiving = tokio::spawn({
        let server = Arc::clone(&server);
        async move { server.receive().await }
    });
    tokio::task::yield_now().await;
    let _ = server.send("lost").await;
    receiving.await.expect("no panic").unwrap_err();
    assert!(server.closed().is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_message_is_left_behind_when_the_background_task_ends() {
    let (client, server) = pair(1 << 20).await.expect("a pair");
    for round in 0..20_000_u32 {
        // Two are gathered and written by the background task; the last ones meet its end.
        let count = 3 + round % 4;
        for _ in 0..count {
            client.send_binary(&[1]).await.expect("open");
            (0..round % 50).for_each(|_| std::hint::spin_loop());
        }
        for _ in 0..count {
            let received = tokio::time::timeout(30 * SECOND, server.receive()).await;
            let message = received.expect("no message waits for a later call");
            assert_eq!(message.expect("open"), Some(Message::from(vec![1])));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_sender_that_waits_behind_a_close_does_not_spin() {
    let (server, mut raw) = server_of_raw(PATIENT, 1024).await.expect("a pair");
    raw.send(&[wire::close(1000, "")]).await.expect("open");
    server.send(vec![0; 100_000]).await.expect("room");
    let mut sending = tokio_test::task::spawn(server.send("no room"));
    let mut polls = 0;
    while polls == 0 || sending.is_woken() {
        assert!(sending.poll().is_pending());
        polls += 1;
        assert!(polls < 10, "it wakes itself");
    }
}

#[tokio::test(start_paused = true)]
async fn a_sender_that_waits_learns_at_once_that_nothing_can_be_sent_any_more() {
    let timeouts = Timeouts {
        close: 60 * SECOND,
        ..PATIENT
    };
    let (server, mut raw) = server_of_raw(timeouts, 1024).await.expect("a pair");
    server.send(vec![0; 100_000]).await.expect("room");
    let sending = tokio::spawn(async move { server.send("no room").await });
    tokio::task::yield_now().await;
    let start = Instant::now();
    raw.send(&[wire::frame(0x83, "")]).await.expect("open");
    sending
        .await
        .expect("no panic")
        .expect_err("the peer broke the protocol");
    assert!(start.elapsed() < SECOND, "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_sender_that_waits_for_another_learns_it_too() {
    let timeouts = Timeouts {
        close: 60 * SECOND,
        ..PATIENT
    };
    let (server, mut raw) = server_of_raw(timeouts, 1024).await.expect("a pair");
    let other = server.clone();
    let _writer = other.send_stream(MessageType::Text).await.expect("open");
    let sending = tokio::spawn(async move { server.send("not yet").await });
    tokio::task::yield_now().await;
    let start = Instant::now();
    raw.send(&[wire::frame(0x83, "")]).await.expect("open");
    sending
        .await
        .expect("no panic")
        .expect_err("the peer broke the protocol");
    assert!(start.elapsed() < SECOND, "{:?}", start.elapsed());
}

/// Looks at the socket when it is woken, as an executor that polls at once would.
struct Inquisitive {
    socket: Arc<MessageWebSocket>,
    woken: AtomicUsize,
}

impl Wake for Inquisitive {
    fn wake(self: Arc<Self>) {
        assert!(self.socket.closed().is_none());
        self.woken.fetch_add(1, Ordering::SeqCst);
    }
}

#[tokio::test]
async fn a_waker_may_use_the_socket() {
    let (client, _server) = pair(1024).await.expect("a pair");
    let socket = Arc::new(client);
    let inquisitive = Arc::new(Inquisitive {
        socket: Arc::clone(&socket),
        woken: AtomicUsize::new(0),
    });
    let waker = Waker::from(Arc::clone(&inquisitive));
    let mut receive = pin!(socket.receive());
    assert!(poll(receive.as_mut(), &waker).is_pending());
    socket
        .start_close(twinsock::CloseCode::NORMAL, "")
        .expect("a good code");
    assert_eq!(inquisitive.woken.load(Ordering::SeqCst), 1);
}

/// A task that ends, with all it holds, when its last waker is dropped.
struct LastHold(#[expect(dead_code, reason = "held until dropped")] Box<dyn Send + Sync>);

impl Wake for LastHold {
    fn wake(self: Arc<Self>) {}
}

#[tokio::test]
async fn dropping_a_waker_may_end_another_wait_for_the_same_socket() {
    let (client, _server) = pair(1024).await.expect("a pair");
    let socket: &'static MessageWebSocket = Box::leak(Box::new(client));
    let mut other = Box::pin(socket.receive());
    assert!(poll(other.as_mut(), Waker::noop()).is_pending());
    let held = std::sync::Mutex::new(other);
    let waker = Waker::from(Arc::new(LastHold(Box::new(held))));
    let mut receive = Box::pin(socket.receive());
    assert!(poll(receive.as_mut(), &waker).is_pending());
    drop(waker);
    drop(receive);
}

fn poll<F: Future>(future: std::pin::Pin<&mut F>, waker: &Waker) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(waker))
}
