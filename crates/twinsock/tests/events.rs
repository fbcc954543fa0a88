//! The event form: which handler is called, how often, in what order, at every end.

mod record;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::StreamExt as _;
use tokio::io::{DuplexStream, duplex};
use tokio::sync::{Notify, mpsc};
use tokio::time::{sleep, timeout};
use twinsock::{
    AcceptOptions, CloseCode, ErrorKind, Handlers, Initiator, Message, MessageWebSocket,
    ReceiveMode, Timeouts,
};
use twinsock_testkit::raw::RawPeer;
use twinsock_testkit::sockets::{PATIENT, URI, server_of_raw};
use twinsock_testkit::wire;

use record::{Event, Record};

const LONG: Duration = Duration::from_secs(3600);

/// Where time is not paused.
const A_MINUTE: Duration = Duration::from_secs(60);

type Peer = RawPeer<DuplexStream>;

async fn plain() -> (MessageWebSocket, Peer) {
    server_of_raw(PATIENT, 4096).await.expect("a pair")
}

async fn with(handlers: Handlers) -> (MessageWebSocket, Peer) {
    let (socket, peer) = plain().await;
    let socket = socket.with_handlers(handlers).expect("it has none yet");
    (socket, peer)
}

async fn recorded() -> (MessageWebSocket, Peer, Record) {
    let (handlers, record) = record::new();
    let (socket, peer) = with(handlers).await;
    (socket, peer, record)
}

/// The peer's next frame, which comes without any help.
async fn next(peer: &mut Peer) -> wire::Frame {
    let frame = timeout(LONG, peer.receive()).await;
    frame.expect("not stuck").expect("open").expect("a frame")
}

// ---- what is received ----

#[tokio::test(start_paused = true)]
async fn messages_are_handled_in_order_and_then_the_end() {
    let (_socket, mut peer, record) = recorded().await;
    let frames = [
        wire::text("one"),
        wire::text("t").fragment(),
        wire::continuation("wo"),
        wire::text(""),
        wire::close(1001, "bye"),
    ];
    peer.send(&frames).await.expect("open");
    assert_eq!(next(&mut peer).await, wire::close(1001, ""));
    drop(peer);
    let (messages, closed) = record.messages_and_clean_end().await;
    assert_eq!(messages, ["one", "two", ""]);
    assert_eq!(closed.code(), CloseCode::GOING_AWAY);
    assert_eq!(closed.reason(), "bye");
    assert_eq!(closed.initiator(), Initiator::Peer);
}

#[tokio::test(start_paused = true)]
async fn in_partial_mode_the_handler_gets_parts() {
    let (near, far) = duplex(4096);
    let options = AcceptOptions::new().receive_mode(ReceiveMode::PartialMessage);
    let (socket, peer) = tokio::join!(options.accept(near), RawPeer::client(far));
    let (socket, mut peer) = (socket.expect("a client"), peer.expect("a server"));
    let (parts, mut received) = mpsc::unbounded_channel();
    let handlers = Handlers::new().on_message_received(move |_, part| {
        let part = part.expect("open");
        let text = part.as_text().expect("text").to_owned();
        parts.send((text, part.is_complete())).expect("listened to");
    });
    let _socket = socket.with_handlers(handlers).expect("it has none yet");
    peer.send(&[wire::text("be").fragment()])
        .await
        .expect("open");
    assert_eq!(received.recv().await, Some(("be".to_owned(), false)));
    peer.send(&[wire::continuation("gin")]).await.expect("open");
    assert_eq!(received.recv().await, Some(("gin".to_owned(), true)));
}

#[tokio::test(start_paused = true)]
async fn what_came_before_the_handlers_is_theirs_too() {
    let (socket, mut peer) = plain().await;
    peer.send(&[wire::text("early"), wire::close(1000, "")])
        .await
        .expect("open");
    let (handlers, record) = record::new();
    let _socket = socket.with_handlers(handlers).expect("it has none yet");
    drop(peer);
    assert_eq!(record.messages_and_clean_end().await.0, ["early"]);
}

#[tokio::test(start_paused = true)]
async fn a_client_sets_its_handlers_before_it_connects() {
    let (near, far) = duplex(4096);
    let (events, record) = record::channel();
    let (messages, ends) = (events.clone(), events);
    let builder = MessageWebSocket::builder()
        .on_message_received(move |_, received| messages.received(received))
        .on_closed(move |closed| ends.closed(closed));
    let (client, server) = tokio::join!(
        builder.connect_over(near, URI),
        MessageWebSocket::accept(far)
    );
    let (_client, server) = (client.expect("a server"), server.expect("a client"));
    server.send_text("hello").await.expect("open");
    server
        .close(CloseCode::NORMAL, "")
        .await
        .expect("a clean end");
    assert_eq!(record.messages_and_clean_end().await.0, ["hello"]);
}

#[tokio::test(start_paused = true)]
async fn async_handlers_of_a_client_may_reply() {
    let (near, far) = duplex(4096);
    let (ended, end) = tokio::sync::oneshot::channel();
    let builder = MessageWebSocket::builder()
        .on_message_received_async(|socket, received| async move {
            let message = received.expect("open").into_message();
            socket.send(message).await.expect("open");
        })
        .on_closed_async(|closed| async move {
            sleep(LONG).await;
            ended.send(closed).expect("listened to");
        });
    let (client, server) = tokio::join!(
        builder.connect_over(near, URI),
        MessageWebSocket::accept(far)
    );
    let (_client, server) = (client.expect("a server"), server.expect("a client"));
    for text in ["one", "two"] {
        server.send_text(text).await.expect("open");
        let echo = server.receive().await.expect("open");
        assert_eq!(echo, Some(Message::from(text)));
    }
    server
        .close(CloseCode::NORMAL, "")
        .await
        .expect("a clean end");
    assert!(end.await.expect("called").is_clean());
}

#[tokio::test(start_paused = true)]
async fn what_came_before_the_close_can_be_replied_to() {
    let (_socket, mut peer) = with(Handlers::new().on_message_received_async(
        |socket, received| async move {
            sleep(LONG).await;
            socket
                .send(received.expect("open").into_message())
                .await
                .expect("open");
        },
    ))
    .await;
    let frames = [wire::text("one"), wire::text("two"), wire::close(1000, "")];
    peer.send(&frames).await.expect("open");
    for frame in &frames {
        let received = peer.receive().await.expect("open");
        assert_eq!(received.as_ref(), Some(frame));
    }
}

#[tokio::test(start_paused = true)]
async fn a_handler_is_called_when_the_one_before_has_finished() {
    let running = Arc::new(AtomicUsize::new(0));
    let (done, mut order) = mpsc::unbounded_channel();
    let counted = Arc::clone(&running);
    let (_socket, mut peer) = with(Handlers::new().on_message_received_async(
        move |_, received| {
            let (running, done) = (Arc::clone(&counted), done.clone());
            async move {
                assert_eq!(running.fetch_add(1, Ordering::SeqCst), 0, "two at a time");
                let length = received.expect("open").len();
                // The later, the faster.
                sleep(Duration::from_secs(10 - length as u64)).await;
                running.fetch_sub(1, Ordering::SeqCst);
                done.send(length).expect("listened to");
            }
        },
    ))
    .await;
    let frames: Vec<_> = (0..10)
        .map(|length| wire::binary(vec![7; length]))
        .collect();
    peer.send(&frames).await.expect("open");
    for length in 0..10 {
        assert_eq!(order.recv().await, Some(length));
    }
}

// ---- while a handler runs ----

/// A handler that waits for `gate` each time, and the record of its messages.
fn gated(gate: &Arc<Notify>) -> (Handlers, Record) {
    let gate = Arc::clone(gate);
    let (events, record) = record::channel();
    let ends = events.clone();
    let handlers = Handlers::new()
        .on_message_received_async(move |socket, received| {
            let (gate, events) = (Arc::clone(&gate), events.clone());
            async move {
                drop(socket);
                events.received(received);
                gate.notified().await;
                events.finished();
            }
        })
        .on_closed(move |closed| ends.closed(closed));
    (handlers, record)
}

#[tokio::test(start_paused = true)]
async fn pings_are_answered_while_a_handler_runs() {
    let gate = Arc::new(Notify::new());
    let (_socket, mut peer) = with(gated(&gate).0).await;
    peer.send(&[wire::text("busy"), wire::ping("there?")])
        .await
        .expect("open");
    assert_eq!(next(&mut peer).await, wire::pong("there?"));
}

#[tokio::test(start_paused = true)]
async fn the_keep_alive_runs_while_a_handler_runs() {
    let gate = Arc::new(Notify::new());
    let (socket, mut peer) = server_of_raw(Timeouts::default(), 4096)
        .await
        .expect("a pair");
    let (handlers, mut record) = gated(&gate);
    let _socket = socket.with_handlers(handlers).expect("it has none yet");
    peer.send(&[wire::text("busy")]).await.expect("open");
    assert_eq!(next(&mut peer).await.first_byte(), 0x89);
    sleep(LONG).await;
    assert_eq!(record.next().await, Event::Message("busy".to_owned()));
    gate.notify_one();
    assert_eq!(record.next().await, Event::Finished);
    // One more call with the error: it waits too.
    gate.notify_one();
    assert_eq!(
        record.next().await.kind(),
        Some(ErrorKind::Timeout(twinsock::Timeout::Pong))
    );
    assert_eq!(record.next().await, Event::Finished);
    record.failed_end().await;
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_sends_on_waits_for_the_handler() {
    let gate = Arc::new(Notify::new());
    let (_socket, mut peer) = with(gated(&gate).0).await;
    let frame = wire::binary([7; 1000]);
    let mut taken = 0;
    while let Ok(sent) = timeout(LONG, peer.send(std::slice::from_ref(&frame))).await {
        sent.expect("open");
        taken += 1000;
        assert!(taken < 256 * 1024, "reading ahead has no bound");
    }
    assert!(taken > 48 * 1024, "{taken}");
}

#[tokio::test(start_paused = true)]
async fn an_end_while_a_handler_runs_is_told_afterwards() {
    let gate = Arc::new(Notify::new());
    let (handlers, record) = gated(&gate);
    let (socket, mut peer) = with(handlers).await;
    peer.send(&[wire::text("one"), wire::text("two")])
        .await
        .expect("open");
    drop(peer);
    sleep(LONG).await;
    assert!(socket.closed().is_some(), "noticed at once");
    (0..3).for_each(|_| gate.notify_one());
    let opening = tokio::spawn(async move {
        loop {
            gate.notify_one();
            sleep(Duration::from_secs(1)).await;
        }
    });
    let events = record.all().await;
    opening.abort();
    let text = |text: &str| Event::Message(text.to_owned());
    assert_eq!(
        events[..4],
        [text("one"), Event::Finished, text("two"), Event::Finished]
    );
    assert_eq!(events[4].kind(), Some(ErrorKind::ConnectionLost));
    assert_eq!(events[5], Event::Finished);
    assert!(matches!(&events[6..], [Event::Closed(_)]), "{events:?}");
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_runs_on_after_the_last_handle_is_dropped_is_the_last_one() {
    let gate = Arc::new(Notify::new());
    let (handlers, mut record) = gated(&gate);
    let pair = server_of_raw(Timeouts::default(), 4096).await;
    let (socket, mut peer) = pair.expect("a pair");
    let socket = socket.with_handlers(handlers).expect("it has none yet");
    peer.send(&[wire::text("one"), wire::text("two")])
        .await
        .expect("open");
    assert_eq!(record.next().await, Event::Message("one".to_owned()));
    drop(socket);
    // The connection closes though the handler is not done.
    assert_eq!(next(&mut peer).await, wire::close_with_body(""));
    peer.send(&[wire::close_with_body("")]).await.expect("open");
    drop(peer);
    // Longer than the peer's Close would be awaited.
    sleep(LONG).await;
    gate.notify_one();
    assert_eq!(record.next().await, Event::Finished);
    assert!(record.messages_and_clean_end().await.0.is_empty());
}

// ---- calls beside handlers ----

#[tokio::test(start_paused = true)]
async fn messages_go_to_the_handler_and_to_nobody_else() {
    let (mut socket, mut peer, record) = recorded().await;
    let illegal = |error: twinsock::Error| assert_eq!(error.kind(), ErrorKind::IllegalCall);
    illegal(socket.receive().await.expect_err("illegal"));
    illegal(socket.receive_part().await.expect_err("illegal"));
    illegal(
        socket
            .receive_stream()
            .await
            .map(|_| ())
            .expect_err("illegal"),
    );
    illegal(socket.clone().receive().await.expect_err("illegal"));
    illegal(socket.next().await.expect("an item").expect_err("illegal"));
    assert!(socket.next().await.is_none());
    peer.send(&[wire::text("one")]).await.expect("open");
    socket.send_text("free").await.expect("open");
    assert_eq!(next(&mut peer).await, wire::text("free"));
    socket.send_binary(b"again").await.expect("open");
    assert_eq!(next(&mut peer).await, wire::binary("again"));
    peer.send(&[wire::close(1000, "")]).await.expect("open");
    drop(peer);
    assert_eq!(record.messages_and_clean_end().await.0, ["one"]);
    illegal(
        socket
            .receive()
            .await
            .expect_err("illegal after the end too"),
    );
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_waits_learns_that_a_handler_was_set() {
    let (socket, _peer) = plain().await;
    let other = socket.clone();
    let receiving = tokio::spawn(async move { other.receive().await });
    sleep(LONG).await;
    let handlers = Handlers::new().on_message_received(|_, _| ());
    let _socket = socket.with_handlers(handlers).expect("it has none yet");
    let error = receiving.await.expect("no panic").expect_err("illegal");
    assert_eq!(error.kind(), ErrorKind::IllegalCall);
}

#[tokio::test(start_paused = true)]
async fn a_socket_with_a_handler_for_the_end_alone_is_received_from() {
    let (handlers, record) = record::new_for_the_end();
    let (socket, mut peer) = with(handlers).await;
    peer.send(&[wire::ping("there?"), wire::text("one")])
        .await
        .expect("open");
    assert_eq!(next(&mut peer).await, wire::pong("there?"));
    assert_eq!(
        socket.receive().await.expect("open"),
        Some(Message::from("one"))
    );
    peer.send(&[wire::close(1000, "")]).await.expect("open");
    drop(peer);
    assert!(record.messages_and_clean_end().await.0.is_empty());
    assert_eq!(socket.receive().await.expect("a clean end"), None);
}

#[tokio::test(start_paused = true)]
async fn handlers_are_set_once() {
    let (socket, _peer, record) = recorded().await;
    let other = socket.clone();
    let error = other
        .with_handlers(Handlers::new().on_closed(|_| ()))
        .expect_err("twice");
    assert_eq!(error.kind(), ErrorKind::IllegalCall);
    let socket = socket
        .with_handlers(Handlers::new())
        .expect("there is none to be set");
    socket.attend();
    drop(socket);
    drop(record);
}

#[tokio::test(start_paused = true)]
async fn outside_of_a_runtime_there_is_nobody_to_call_handlers() {
    let (socket, _peer) = plain().await;
    let setting = std::thread::spawn(move || socket.with_handlers(record::new().0));
    let error = setting.join().expect("no panic").expect_err("no runtime");
    assert_eq!(error.kind(), ErrorKind::IllegalCall);
}

#[tokio::test(start_paused = true)]
async fn there_is_one_task_with_handlers_and_none_without() {
    let tasks = || {
        tokio::runtime::Handle::current()
            .metrics()
            .num_alive_tasks()
    };
    let (_socket, _peer) = plain().await;
    assert_eq!(tasks(), 0);
    let (_socket, _peer, record) = recorded().await;
    assert_eq!(tasks(), 1);
    let (socket, _peer) = plain().await;
    socket.attend();
    socket.attend();
    assert_eq!(tasks(), 2);
    drop(record);
}

#[tokio::test(start_paused = true)]
async fn a_clone_keeps_the_connection_and_shares_its_settings() {
    let (socket, mut peer) = plain().await;
    let other = socket.clone();
    socket.set_message_type(twinsock::MessageType::Text);
    drop(socket);
    assert_eq!(other.message_type(), twinsock::MessageType::Text);
    other.send_text("still here").await.expect("open");
    assert_eq!(next(&mut peer).await, wire::text("still here"));
    drop(other);
    assert_eq!(next(&mut peer).await, wire::close_with_body(""));
}

async fn send_lengths(socket: MessageWebSocket, count: usize) {
    for length in 0..count {
        socket.send(vec![7; length]).await.expect("open");
    }
}

/// The client sends from several tasks while the server's handlers echo, on several threads.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn handlers_on_several_threads_miss_nothing() {
    const EACH: usize = 500;
    const SENDERS: usize = 4;
    let (near, far) = duplex(1000);
    let (echoes, mut received) = mpsc::unbounded_channel();
    let builder = MessageWebSocket::builder().on_message_received(move |_, message| {
        // Nobody counts any more when the test has ended.
        let _ = echoes.send(message.map(|message| message.len()));
    });
    let (client, server) = tokio::join!(
        builder.connect_over(near, URI),
        MessageWebSocket::accept(far)
    );
    let client = client.expect("a server");
    let echo = Handlers::new().on_message_received_async(|socket, message| async move {
        if let Ok(message) = message {
            socket.send(message.into_message()).await.expect("open");
        }
    });
    let _server = server
        .expect("a client")
        .with_handlers(echo)
        .expect("it has none yet");
    for _ in 0..SENDERS {
        tokio::spawn(send_lengths(client.clone(), EACH));
    }
    let mut sum = 0;
    for _ in 0..SENDERS * EACH {
        let length = timeout(A_MINUTE, received.recv()).await.expect("not stuck");
        sum += length.expect("a handler").expect("open");
    }
    assert_eq!(sum, SENDERS * EACH * (EACH - 1) / 2);
}

/// An application that sends now and then, and never receives.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_attended_socket_on_another_thread_sends_without_further_calls() {
    let (near, far) = duplex(1000);
    let (client, server) = tokio::join!(
        MessageWebSocket::connect_over(near, URI),
        MessageWebSocket::accept(far)
    );
    let (client, server) = (client.expect("a server"), server.expect("a client"));
    client.attend();
    for number in 0..500 {
        let text = number.to_string();
        client.send_text(&text).await.expect("open");
        let received = timeout(A_MINUTE, server.receive())
            .await
            .expect("not stuck");
        assert_eq!(received.expect("open"), Some(Message::from(text)));
    }
}

#[tokio::test(start_paused = true)]
async fn the_task_of_handlers_takes_the_place_of_the_attendant() {
    let (socket, mut peer) = plain().await;
    socket.attend();
    sleep(LONG).await;
    let (handlers, record) = record::new();
    let socket = socket.with_handlers(handlers).expect("it has none yet");
    sleep(LONG).await;
    let tasks = tokio::runtime::Handle::current().metrics();
    assert_eq!(tasks.num_alive_tasks(), 1);
    let frames = [wire::text("one"), wire::text("two"), wire::close(1000, "")];
    peer.send(&frames).await.expect("open");
    drop(peer);
    let (messages, closed) = record.messages_and_clean_end().await;
    assert_eq!(messages, ["one", "two"]);
    assert_eq!(socket.closed(), Some(closed));
}

#[test]
fn when_the_runtime_ends_first_the_application_is_on_its_own() {
    let runtime = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime")
    };
    let ending = runtime();
    let (socket, mut peer, record) = ending.block_on(recorded());
    drop(ending);
    runtime().block_on(async {
        peer.send(&[wire::text("late")]).await.expect("open");
        let received = socket.receive().await.expect("no handler any more");
        assert_eq!(received, Some(Message::from("late")));
        assert!(record.all().await.is_empty(), "never called");
    });
}
