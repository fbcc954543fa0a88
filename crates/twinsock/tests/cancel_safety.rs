//! A future that is dropped loses nothing and does nothing twice.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;

use tokio::task::yield_now;
use twinsock::{CloseCode, Error, Message, MessageWebSocket};
use twinsock_testkit::raw::REQUEST;
use twinsock_testkit::script::{Script, Step, Wire};
use twinsock_testkit::sockets::{PATIENT, pair, server_over};
use twinsock_testkit::wire::{self, Frame};

/// What a client sends, and the messages in it.
fn mixed(large: usize) -> (Vec<u8>, Vec<Message>) {
    let frames = [
        wire::text("héllo"),
        wire::binary([1, 2, 3]),
        wire::text("frag").fragment(),
        wire::ping("one"),
        wire::continuation("men").fragment(),
        wire::ping("two"),
        wire::continuation("ted"),
        wire::text(""),
        wire::binary(vec![7; large]),
        wire::ping("three"),
        wire::text("last"),
        wire::close(1000, "done"),
    ];
    let messages = vec![
        Message::from("héllo"),
        Message::from(vec![1, 2, 3]),
        Message::from("fragmented"),
        Message::from(""),
        Message::from(vec![7; large]),
        Message::from("last"),
    ];
    (wire::join(&frames.map(Frame::masked)), messages)
}

/// A server over a stream that brings these parts, with pauses between them.
async fn server_reading<'a>(parts: impl Iterator<Item = &'a [u8]>, pauses: usize) -> Server {
    let request = Step::Bytes(REQUEST.into());
    let parts = parts.flat_map(|part| {
        let pauses = std::iter::repeat_n(Step::Pending, pauses);
        pauses.chain([Step::Bytes(part.to_vec())])
    });
    let reads = std::iter::once(request).chain(parts).chain([Step::End]);
    Server::over(Script::new(reads, [])).await
}

struct Server {
    socket: MessageWebSocket,
    wire: Wire,
    /// Where the frames begin.
    head: usize,
}

impl Server {
    async fn over(script: Script) -> Self {
        let wire = script.wire();
        let socket = server_over(script, PATIENT).await.expect("a good request");
        let head = wire.bytes().len();
        Self { socket, wire, head }
    }

    /// A server whose peer sends nothing and whose network takes bytes as these steps say.
    async fn writing(steps: &[Step]) -> Self {
        // The response goes out whole.
        let request = Step::Bytes(REQUEST.into());
        let mut writes = vec![Step::Takes(usize::MAX)];
        (0..10_000).for_each(|_| writes.extend_from_slice(steps));
        Self::over(Script::new([request], writes)).await
    }

    /// What went out, and nothing but whole frames.
    fn frames(&self) -> Vec<Frame> {
        wire::read(&self.wire.bytes()[self.head..])
    }
}

async fn poll_once<F: Future>(mut future: Pin<&mut F>) -> Poll<F::Output> {
    poll_fn(|context| Poll::Ready(future.as_mut().poll(context))).await
}

/// Polls each future once and drops it, until one is ready.
async fn insist<T, F: Future<Output = T>>(mut call: impl FnMut() -> F) -> T {
    for _ in 0..100_000 {
        if let Poll::Ready(result) = poll_once(pin!(call())).await {
            return result;
        }
    }
    unreachable!("it never gets ready")
}

async fn assert_all_received(server: &Server, expected: &[Message], case: &str) {
    for message in expected {
        let received = insist(|| server.socket.receive()).await;
        assert_eq!(received.expect(case).as_ref(), Some(message), "{case}");
    }
    let end = insist(|| server.socket.receive()).await;
    assert_eq!(end.expect(case), None, "{case}");
    assert!(server.socket.closed().expect(case).is_clean(), "{case}");
    let answers = [
        wire::pong("one"),
        wire::pong("two"),
        wire::pong("three"),
        wire::close(1000, ""),
    ];
    assert_eq!(server.frames(), answers, "{case}");
}

#[tokio::test]
async fn a_dropped_receive_loses_nothing_wherever_the_network_cuts() {
    let (bytes, messages) = mixed(200);
    for cut in 0..=bytes.len() {
        for pauses in [1, 2] {
            let parts = [&bytes[..cut], &bytes[cut..]];
            let parts = parts.into_iter().filter(|part| !part.is_empty());
            let server = server_reading(parts, pauses).await;
            assert_all_received(&server, &messages, &format!("cut at {cut}, {pauses}")).await;
        }
    }
}

#[tokio::test]
async fn a_dropped_receive_loses_nothing_of_what_comes_byte_by_byte() {
    let (bytes, messages) = mixed(70_000);
    for pauses in [0, 1, 2] {
        let server = server_reading(bytes.chunks(1), pauses).await;
        assert_all_received(&server, &messages, &format!("{pauses} pauses")).await;
    }
}

/// How a network may take bytes.
fn networks() -> [Vec<Step>; 5] {
    use Step::{Pending, Takes};
    [
        vec![Takes(usize::MAX), Pending],
        vec![Takes(1_000), Pending, Pending],
        vec![Pending, Takes(7), Takes(3_333), Pending, Pending, Pending],
        vec![Takes(65_536), Pending, Pending, Pending, Pending],
        vec![Pending, Pending, Pending, Takes(40_000)],
    ]
}

#[tokio::test]
async fn a_dropped_send_has_queued_the_whole_message_or_nothing() {
    for network in networks() {
        for patience in 1..6 {
            assert_sends_are_whole(&network, patience).await;
        }
    }
}

/// Drops each send after so many polls.
async fn assert_sends_are_whole(network: &[Step], patience: usize) {
    let server = Server::writing(network).await;
    let mut expected = Vec::new();
    for number in 0..40u8 {
        let message = vec![number; 20_000 + usize::from(number)];
        let mut send = pin!(server.socket.send(message.clone()));
        for _ in 0..patience {
            if let Poll::Ready(result) = poll_once(send.as_mut()).await {
                result.expect("open");
                expected.push(wire::binary(message));
                break;
            }
        }
    }
    server.socket.flush().await.expect("open");
    assert!(expected.len() > 3, "{network:?}");
    assert!(server.frames() == expected, "{network:?}, {patience} polls");
}

#[tokio::test]
async fn a_dropped_ping_was_sent_whole_or_not_at_all() {
    for network in networks() {
        assert_pings_are_whole(&network).await;
    }
}

async fn assert_pings_are_whole(network: &[Step]) {
    let server = Server::writing(network).await;
    let mut expected = Vec::new();
    for number in 0..40u8 {
        let message = vec![number; 30_000];
        let sent = insist(|| server.socket.send_binary(&message)).await;
        sent.expect("open");
        expected.push(wire::binary(message));
        if let Poll::Ready(result) = poll_once(pin!(server.socket.ping(&[number]))).await {
            result.expect("open");
            expected.push(wire::ping([number]));
        }
    }
    insist(|| server.socket.flush()).await.expect("open");
    assert!(server.frames() == expected, "{network:?}");
}

#[tokio::test]
async fn a_dropped_close_sends_one_close_frame_behind_all_messages() {
    for network in networks() {
        let server = Server::writing(&network).await;
        server.socket.send(vec![1; 50_000]).await.expect("open");
        for _ in 0..5 {
            let close = server.socket.close(CloseCode::NORMAL, "bye");
            assert!(poll_once(pin!(close)).await.is_pending());
        }
        assert!(server.socket.send("late").await.unwrap_err().is_closed());
        insist(|| server.socket.flush()).await.expect("open");
        let expected = [wire::binary(vec![1; 50_000]), wire::close(1000, "bye")];
        assert!(server.frames() == expected, "{network:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn select_loops_in_several_tasks_lose_and_double_nothing() {
    const COUNT: u32 = 2_000;
    let (client, server) = pair(256).await.expect("a pair");
    let (client, server) = (Arc::new(client), Arc::new(server));
    let sender = tokio::spawn(send_impatiently(Arc::clone(&client), COUNT));
    let echo = tokio::spawn(async move {
        while let Some(message) = receive_impatiently(&server).await? {
            server.send(message).await?;
        }
        Ok::<_, Error>(())
    });
    for number in 0..COUNT {
        let message = receive_impatiently(&client).await.expect("open");
        assert_eq!(message, Some(Message::from(number.to_string())));
    }
    sender.await.expect("no panic").expect("open");
    client.close(CloseCode::NORMAL, "").await.expect("open");
    echo.await.expect("no panic").expect("open");
}

async fn send_impatiently(socket: Arc<MessageWebSocket>, count: u32) -> Result<(), Error> {
    for number in 0..count {
        loop {
            tokio::select! {
                result = socket.send(number.to_string()) => break result?,
                () = yield_now() => {}
            }
        }
    }
    socket.flush().await
}

async fn receive_impatiently(socket: &MessageWebSocket) -> Result<Option<Message>, Error> {
    loop {
        tokio::select! {
            received = socket.receive() => return received,
            () = yield_now() => {}
        }
    }
}
