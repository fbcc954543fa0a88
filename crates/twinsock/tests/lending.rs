//! Messages that are lent: the same messages as ever, whoever else uses the socket.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use tokio::time::timeout;
use twinsock::{
    CloseCode, Error, Message, MessageLender, MessageRef, MessageType, MessageWebSocket,
};
use twinsock_testkit::raw::REQUEST;
use twinsock_testkit::script::{Script, Step, Wire};
use twinsock_testkit::sockets::{PATIENT, pair, server_of_raw, server_over};
use twinsock_testkit::wire::{self, Frame};

const LONG: Duration = Duration::from_secs(3_600);

/// Another handle of the socket, which lends.
fn lend(socket: &MessageWebSocket) -> MessageLender {
    let (_, receiver) = socket.clone().split();
    receiver.lend()
}

async fn next(lender: &mut MessageLender) -> Result<Option<Message>, Error> {
    let message = lender.receive().await?;
    Ok(message.map(MessageRef::into_owned))
}

async fn poll_once<F: Future>(mut future: Pin<&mut F>) -> Poll<F::Output> {
    poll_fn(|context| Poll::Ready(future.as_mut().poll(context))).await
}

/// Polls each call once and drops it, until one is ready.
async fn insist(lender: &mut MessageLender) -> Result<Option<Message>, Error> {
    for _ in 0..100_000 {
        if let Poll::Ready(received) = poll_once(pin!(next(lender))).await {
            return received;
        }
    }
    unreachable!("it never gets ready")
}

fn masked(frames: &[Frame]) -> Vec<u8> {
    let frames: Vec<_> = frames.iter().cloned().map(Frame::masked).collect();
    wire::join(&frames)
}

fn number(number: u32) -> Frame {
    wire::binary(number.to_le_bytes())
}

fn numbered(message: &[u8]) -> u32 {
    u32::from_le_bytes(message.try_into().expect("four bytes"))
}

/// A server, what it writes, and the place of the first frame in that.
struct Server {
    socket: MessageWebSocket,
    wire: Wire,
    head: usize,
}

impl Server {
    /// A server whose network brings this.
    async fn reading(steps: impl IntoIterator<Item = Step>) -> Self {
        let request = Step::Bytes(REQUEST.into());
        let script = Script::new(std::iter::once(request).chain(steps), []);
        let wire = script.wire();
        let socket = server_over(script, PATIENT).await.expect("a good request");
        let head = wire.bytes().len();
        Self { socket, wire, head }
    }

    /// A server that reads all of these frames at once.
    async fn reading_at_once(frames: &[Frame]) -> Self {
        Self::reading([Step::Bytes(masked(frames)), Step::End]).await
    }

    fn frames(&self) -> Vec<Frame> {
        wire::read(&self.wire.bytes()[self.head..])
    }
}

// ---- nothing is lost, doubled or out of order ----

/// Of each kind, with Pings and a large one, up to the peer's Close.
fn mixed(large: usize) -> (Vec<u8>, Vec<Message>) {
    let frames = [
        wire::text("héllo"),
        wire::binary([1, 2, 3]),
        wire::text("frag").fragment(),
        wire::ping("one"),
        wire::continuation("men").fragment(),
        wire::continuation("ted"),
        wire::text(""),
        wire::ping("two"),
        wire::binary(vec![7; large]),
        wire::text("nearly"),
        wire::text("last"),
        wire::close(1000, "done"),
    ];
    let messages = vec![
        Message::from("héllo"),
        Message::from(vec![1, 2, 3]),
        Message::from("fragmented"),
        Message::from(""),
        Message::from(vec![7; large]),
        Message::from("nearly"),
        Message::from("last"),
    ];
    (masked(&frames), messages)
}

async fn server_of_parts(parts: impl Iterator<Item = &[u8]>, pauses: usize) -> Server {
    let parts = parts.filter(|part| !part.is_empty());
    let steps: Vec<_> = parts
        .flat_map(|part| {
            let pauses = std::iter::repeat_n(Step::Pending, pauses);
            pauses.chain([Step::Bytes(part.to_vec())])
        })
        .collect();
    Server::reading(steps.into_iter().chain([Step::End])).await
}

fn assert_ended_well(server: &Server, case: &str) {
    assert!(server.socket.closed().expect(case).is_clean(), "{case}");
    let answers = [wire::pong("one"), wire::pong("two"), wire::close(1000, "")];
    assert_eq!(server.frames(), answers, "{case}");
}

async fn assert_all_lent(server: &Server, messages: &[Message], case: &str) {
    let mut lender = lend(&server.socket);
    for message in messages {
        let received = insist(&mut lender).await.expect(case);
        assert_eq!(received.as_ref(), Some(message), "{case}");
    }
    assert_eq!(insist(&mut lender).await.expect(case), None, "{case}");
    assert_ended_well(server, case);
}

/// The next messages are these.
async fn assert_numbers(lender: &mut MessageLender, numbers: impl Iterator<Item = u32>) {
    for number in numbers {
        let message = next(lender).await.expect("open").expect("a message");
        assert_eq!(numbered(message.as_bytes()), number);
    }
}

#[tokio::test]
async fn a_dropped_receive_loses_nothing_wherever_the_network_cuts() {
    let (bytes, messages) = mixed(200);
    for cut in 0..=bytes.len() {
        for pauses in [0, 1, 2] {
            let case = format!("cut at {cut}, {pauses} pauses");
            let (first, second) = bytes.split_at(cut);
            let server = server_of_parts([first, second].into_iter(), pauses).await;
            assert_all_lent(&server, &messages, &case).await;
        }
    }
}

#[tokio::test]
async fn a_dropped_receive_loses_nothing_of_what_comes_byte_by_byte() {
    let (bytes, messages) = mixed(20_000);
    for pauses in [0, 1, 2] {
        let server = server_of_parts(bytes.chunks(1), pauses).await;
        assert_all_lent(&server, &messages, &format!("{pauses} pauses")).await;
    }
}

/// Who takes the next message.
#[derive(Clone, Copy, Debug)]
enum Taker {
    Lender,
    AnotherLender,
    Socket,
    Parts,
}

async fn take_parts(socket: &MessageWebSocket) -> Message {
    let mut bytes = Vec::new();
    loop {
        let part = socket.receive_part().await.expect("open").expect("a part");
        bytes.extend_from_slice(part.as_bytes());
        if part.is_complete() {
            return match part.message_type() {
                MessageType::Binary => Message::from(bytes),
                MessageType::Text => Message::from(String::from_utf8(bytes).expect("UTF-8")),
            };
        }
    }
}

/// Takes a message and leaves nothing on loan.
async fn take(server: &Server, taker: Taker, lender: &mut Option<MessageLender>) -> Message {
    let socket = &server.socket;
    if !matches!(taker, Taker::Lender) {
        *lender = None;
    }
    let message = match taker {
        Taker::Lender => {
            let lender = lender.get_or_insert_with(|| lend(socket));
            insist(lender).await.expect("open")
        }
        Taker::AnotherLender => insist(&mut lend(socket)).await.expect("open"),
        Taker::Socket => socket.receive().await.expect("open"),
        Taker::Parts => Some(take_parts(socket).await),
    };
    message.expect("a message")
}

#[tokio::test]
async fn what_a_dropped_lender_leaves_is_for_whoever_receives_next() {
    use Taker::{AnotherLender, Lender, Parts, Socket};
    let (bytes, messages) = mixed(200);
    let takers = [Lender, AnotherLender, Socket, Parts];
    // Each order of four takers, over and over.
    for order in 0..256 {
        let order = [order & 3, order >> 2 & 3, order >> 4 & 3, order >> 6];
        let server = server_of_parts([&bytes[..]].into_iter(), 1).await;
        let mut lender = None;
        for (message, taker) in messages.iter().zip(order.iter().cycle()) {
            let taken = take(&server, takers[*taker], &mut lender).await;
            assert_eq!(&taken, message, "{order:?}");
        }
        drop(lender);
        assert_eq!(server.socket.receive().await.expect("a good end"), None);
        assert_ended_well(&server, &format!("{order:?}"));
    }
}

#[tokio::test]
async fn a_receiver_again_gives_what_was_not_looked_at() {
    let server = Server::reading_at_once(&[1, 2, 3].map(number)).await;
    let mut lender = lend(&server.socket);
    assert!(next(&mut lender).await.expect("open").is_some());
    let receiver = lender.into_receiver();
    for expected in [2, 3] {
        let message = receiver.receive().await.expect("open").expect("a message");
        assert_eq!(numbered(message.as_bytes()), expected);
    }
}

#[tokio::test]
async fn what_is_left_of_a_message_in_parts_is_passed_over() {
    let frames = [
        wire::text("begun").fragment(),
        wire::continuation("ended"),
        wire::text("whole"),
        wire::text("next"),
    ];
    let server = Server::reading_at_once(&frames).await;
    let part = server.socket.receive_part().await.expect("open");
    assert_eq!(part.expect("a part").as_text(), Some("begun"));
    let mut lender = lend(&server.socket);
    assert_eq!(next(&mut lender).await.expect("open"), Some("whole".into()));
    assert_eq!(next(&mut lender).await.expect("open"), Some("next".into()));
}

#[tokio::test]
async fn a_reader_that_is_dropped_passes_over_nothing_that_was_lent() {
    let server = Server::reading_at_once(&[1, 2, 3].map(number)).await;
    let mut lender = lend(&server.socket);
    assert!(next(&mut lender).await.expect("open").is_some());
    // Nothing to read while all is on loan.
    assert!(
        poll_once(pin!(server.socket.receive_stream()))
            .await
            .is_pending()
    );
    assert_numbers(&mut lender, 2..=3).await;
}

/// Receives as impatiently as can be until the end, and now and then starts anew.
async fn receive_impatiently(socket: MessageWebSocket, every: usize) -> Vec<u32> {
    let mut received = Vec::new();
    let mut lender = lend(&socket);
    loop {
        if received.len().is_multiple_of(every) {
            drop(lender);
            lender = lend(&socket);
        }
        let message = tokio::select! {
            message = next(&mut lender) => message.expect("a good end"),
            () = tokio::task::yield_now() => continue,
        };
        match message {
            Some(message) => received.push(numbered(message.as_bytes())),
            None => return received,
        }
    }
}

async fn receive_owned(socket: MessageWebSocket) -> Vec<u32> {
    let mut received = Vec::new();
    while let Some(message) = socket.receive().await.expect("a good end") {
        received.push(numbered(message.as_bytes()));
    }
    received
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_receivers_of_all_kinds_share_what_comes() {
    const COUNT: u32 = 20_000;
    let (client, server) = pair(2_000).await.expect("a pair");
    server.attend();
    let receivers: Vec<_> = [1, 3, 50, usize::MAX]
        .map(|every| tokio::spawn(receive_impatiently(server.clone(), every)))
        .into();
    let plain = tokio::spawn(receive_owned(server.clone()));
    for number in 0..COUNT {
        client
            .send_binary(&number.to_le_bytes())
            .await
            .expect("open");
    }
    let closing = tokio::spawn(async move { client.close(CloseCode::NORMAL, "").await });
    let mut all = Vec::new();
    for receiver in receivers.into_iter().chain([plain]) {
        let received = timeout(Duration::from_secs(60), receiver).await;
        let received = received.expect("nobody waits in vain").expect("no panic");
        assert!(received.is_sorted_by(|a, b| a < b), "out of order");
        all.extend(received);
    }
    all.sort_unstable();
    assert!(all.into_iter().eq(0..COUNT), "lost or doubled");
    closing.await.expect("no panic").expect("a good end");
}

// ---- bad ends ----

/// The error, again and again and for everybody, and what the peer was told.
async fn assert_fails(server: &Server, lender: &mut MessageLender, code: u16) {
    let error = insist(lender).await.expect_err("it failed");
    for _ in 0..3 {
        let again = insist(lender).await.expect_err("it failed");
        assert_eq!(again.kind(), error.kind());
    }
    let other = server.socket.receive().await.expect_err("it failed");
    assert_eq!(other.kind(), error.kind());
    let frames = server.frames();
    assert_eq!(frames.len(), 1, "{frames:?}");
    let close = frames.first().expect("a Close");
    assert!(
        close.payload().starts_with(&code.to_be_bytes()),
        "{close:?}"
    );
    assert!(server.socket.closed().expect("closed").failure().is_some());
}

#[tokio::test]
async fn messages_before_a_bad_one_come_and_none_behind_it() {
    let bad = [
        (vec![wire::text(b"no \xFF UTF-8")], 1007),
        (
            vec![wire::text(b"\xC3").fragment(), wire::continuation(b"\x28")],
            1007,
        ),
        (vec![wire::continuation("of nothing")], 1002),
        (vec![wire::text("a").reserved(2)], 1002),
        (vec![wire::binary("").claims(1 << 40)], 1009),
    ];
    for (frames, code) in bad {
        for before in 0..4 {
            let frames = [
                &(0..before).map(number).collect::<Vec<_>>()[..],
                &frames,
                &[number(77), wire::close(1000, "")],
            ]
            .concat();
            let server = Server::reading_at_once(&frames).await;
            let mut lender = lend(&server.socket);
            assert_numbers(&mut lender, 0..before).await;
            assert_fails(&server, &mut lender, code).await;
            let received = server.socket.information().statistics().received;
            assert!(received.messages >= u64::from(before), "{received:?}");
        }
    }
}

#[tokio::test]
async fn what_came_before_a_reset_is_lent() {
    let bytes = masked(&[1, 2, 3].map(number));
    let server = Server::reading([Step::Bytes(bytes), Step::Reset]).await;
    let mut lender = lend(&server.socket);
    for expected in 1..=3 {
        let message = insist(&mut lender).await.expect("open").expect("a message");
        assert_eq!(numbered(message.as_bytes()), expected);
    }
    let error = insist(&mut lender).await.expect_err("reset");
    assert_eq!(
        error.kind(),
        server.socket.receive().await.expect_err("reset").kind()
    );
}

// ---- replies ----

#[tokio::test]
async fn a_reply_to_a_message_that_came_alone_goes_out_at_once() {
    let server = Server::reading([Step::Bytes(masked(&[number(1)]))]).await;
    let mut lender = lend(&server.socket);
    let message = lender.receive().await.expect("open").expect("a message");
    let sent = poll_once(pin!(server.socket.send_ref(&message))).await;
    assert!(matches!(sent, Poll::Ready(Ok(()))));
    assert_eq!(server.frames(), [number(1)]);
}

#[tokio::test]
async fn replies_to_many_messages_go_out_together() {
    let frames: Vec<_> = (0..100).map(number).collect();
    let server = Server::reading([Step::Bytes(masked(&frames))]).await;
    let mut lender = lend(&server.socket);
    for _ in 0..100 {
        let message = lender.receive().await.expect("open").expect("a message");
        server.socket.send_ref(&message).await.expect("open");
    }
    assert!(poll_once(pin!(lender.receive())).await.is_pending());
    assert_eq!(server.frames(), frames);
    assert!(server.wire.polls() < 10, "{} writes", server.wire.polls());
}

/// Echoes so many messages.
async fn echo(socket: MessageWebSocket, count: usize) -> Result<(), Error> {
    let (sender, receiver) = socket.split();
    let mut lender = receiver.lend();
    for _ in 0..count {
        let message = lender.receive().await?.expect("a message");
        sender.send_ref(&message).await?;
    }
    Ok(())
}

/// More is under way than the network holds, so each waits for the other to read.
#[tokio::test(start_paused = true)]
async fn two_that_echo_what_they_borrow_do_not_wait_for_each_other() {
    for capacity in [100, 1_000, 10_000] {
        let (client, server) = pair(capacity).await.expect("a pair");
        let mut echoes = [&client, &server].map(|socket| tokio::spawn(echo(socket.clone(), 5_000)));
        for number in 0..100u8 {
            client.send(vec![number; 1_000]).await.expect("open");
        }
        let [first, second] = &mut echoes;
        let first = timeout(LONG, async {
            tokio::select!(end = first => end, end = second => end)
        });
        let ended = first.await.expect("they go on");
        ended.expect("no panic").expect("open");
        echoes.iter().for_each(tokio::task::JoinHandle::abort);
    }
}

#[tokio::test(start_paused = true)]
async fn a_reply_that_waits_for_room_needs_nothing_of_what_is_on_loan() {
    let (server, mut peer) = server_of_raw(PATIENT, 1_000).await.expect("a pair");
    let frames: Vec<_> = (0..20).map(number).collect();
    peer.send(&frames).await.expect("open");
    let replying = tokio::spawn(async move {
        let mut lender = lend(&server);
        while let Some(message) = next(&mut lender).await? {
            server.send(vec![message.as_bytes()[0]; 50_000]).await?;
        }
        Ok::<_, Error>(())
    });
    for expected in 0..20u8 {
        let reply = timeout(LONG, peer.receive()).await.expect("it goes on");
        assert_eq!(
            reply.expect("open"),
            Some(wire::binary(vec![expected; 50_000]))
        );
    }
    peer.send(&[wire::close(1000, "")]).await.expect("open");
    let closed = peer.receive().await.expect("open");
    assert_eq!(closed, Some(wire::close(1000, "")));
    drop(peer);
    replying.await.expect("no panic").expect("a good end");
}

// ---- fairness ----

async fn count_turns(turns: &AtomicUsize) {
    loop {
        turns.fetch_add(1, Ordering::Relaxed);
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn other_tasks_run_while_small_messages_keep_coming() {
    const COUNT: usize = 1_000_000;
    let batch = Step::Bytes(masked(&vec![wire::text(""); 10_000]));
    let server = Server::reading(std::iter::repeat_n(batch, COUNT / 10_000)).await;
    let turns = Arc::<AtomicUsize>::default();
    let counting = tokio::spawn({
        let turns = Arc::clone(&turns);
        async move { count_turns(&turns).await }
    });
    let mut lender = lend(&server.socket);
    for _ in 0..COUNT {
        lender.receive().await.expect("open");
    }
    let turns = turns.load(Ordering::Relaxed);
    assert!(turns > 50, "another task had {turns} turns");
    counting.abort();
}
