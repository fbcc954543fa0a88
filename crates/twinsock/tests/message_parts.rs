//! Messages that are received and sent in parts.

#![expect(clippy::excessive_nesting, reason = "cases are loops around loops")]

use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::task::Poll;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio_test::{assert_pending, assert_ready, task};
use twinsock::{
    AbortCause, AcceptOptions, Error, ErrorKind, Failure, Message, MessageType, MessageWebSocket,
    Received,
};
use twinsock_testkit::raw::{REQUEST, RawPeer};
use twinsock_testkit::script::{Script, Step};
use twinsock_testkit::sockets::{PATIENT, client_of_raw, pair, server_of_raw, server_over};
use twinsock_testkit::wire::{self, Frame};

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

async fn server() -> (MessageWebSocket, RawPeer<DuplexStream>) {
    server_of_raw(PATIENT, MIB).await.expect("a pair")
}

async fn client() -> (MessageWebSocket, RawPeer<DuplexStream>) {
    client_of_raw(PATIENT, MIB).await.expect("a pair")
}

async fn next(raw: &mut RawPeer<DuplexStream>) -> Frame {
    raw.receive().await.expect("open").expect("a frame")
}

async fn assert_nothing_came(raw: &mut RawPeer<DuplexStream>) {
    let mut receiving = task::spawn(raw.receive());
    assert_pending!(receiving.poll());
}

async fn part(socket: &MessageWebSocket) -> Received {
    let part = socket.receive_part().await.expect("open");
    part.expect("a part")
}

/// The parts up to the end of a message, joined.
async fn whole(socket: &MessageWebSocket) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    while let Some(part) = socket.receive_part().await? {
        bytes.extend_from_slice(part.as_bytes());
        if part.is_complete() {
            break;
        }
    }
    Ok(bytes)
}

/// The parts that come without waiting.
async fn parts_at_hand(socket: &MessageWebSocket) -> Vec<Received> {
    let mut parts = Vec::new();
    while let Poll::Ready(part) = poll_once(pin!(socket.receive_part())).await {
        parts.push(part.expect("good text").expect("open"));
    }
    parts
}

/// Drops `receive_part` after each poll until it is ready.
async fn insist_on_part(socket: &MessageWebSocket) -> Option<Received> {
    for _ in 0..1_000 {
        if let Poll::Ready(part) = poll_once(pin!(socket.receive_part())).await {
            return part.expect("clean");
        }
    }
    unreachable!("it never gets ready")
}

async fn poll_once<F: Future>(mut future: Pin<&mut F>) -> Poll<F::Output> {
    poll_fn(|context| Poll::Ready(future.as_mut().poll(context))).await
}

// ---- receiving parts ----

#[tokio::test]
async fn a_part_is_there_before_its_frame_is_complete() -> io::Result<()> {
    let (socket, mut raw) = server().await;
    let frame = wire::binary("abc").claims(1 << 40).masked();
    raw.stream.write_all(&frame.bytes()).await?;
    let first = part(&socket).await;
    assert_eq!(
        (first.as_bytes(), first.is_complete()),
        (&b"abc"[..], false)
    );
    let mut receiving = task::spawn(socket.receive_part());
    assert_pending!(receiving.poll());
    Ok(())
}

#[tokio::test]
async fn text_is_cut_between_characters_wherever_the_network_cuts() -> io::Result<()> {
    let text = "aß€𝄞z";
    let cuts = (0..=text.len()).flat_map(|cut| (cut..=text.len()).map(move |second| (cut, second)));
    for (cut, second) in cuts {
        let (socket, mut raw) = server().await;
        let pieces = [
            wire::text(&text.as_bytes()[..cut]).fragment(),
            wire::continuation(&text.as_bytes()[cut..second]).fragment(),
            wire::continuation(&text.as_bytes()[second..]),
        ];
        let mut joined = String::new();
        for (index, piece) in pieces.into_iter().enumerate() {
            raw.send(&[piece]).await?;
            for part in parts_at_hand(&socket).await {
                joined.push_str(part.as_text().expect("a text"));
                assert_eq!(part.is_complete(), index == 2 && joined == text);
            }
        }
        assert_eq!(joined, text, "cut at {cut} and {second}");
    }
    Ok(())
}

#[tokio::test]
async fn bad_text_fails_with_1007_whatever_the_parts() -> io::Result<()> {
    for (first, rest) in [
        (&b"a\xe2"[..], &b"\x28"[..]),
        (b"a", b"\xff"),
        (b"a\xe2", b"\x82"),
    ] {
        let (socket, mut raw) = server().await;
        raw.send(&[
            wire::text(first).fragment(),
            wire::ping(""),
            wire::continuation(rest),
        ])
        .await?;
        let (read, told) = tokio::join!(whole(&socket), async {
            assert_eq!(next(&mut raw).await, wire::pong(""));
            let told = next(&mut raw).await;
            drop(raw);
            told
        });
        assert_eq!(
            read.expect_err("no text").kind(),
            ErrorKind::ProtocolViolation
        );
        assert_eq!(told.payload()[..2], 1007_u16.to_be_bytes());
    }
    Ok(())
}

#[tokio::test]
async fn a_message_above_the_limit_comes_in_parts_but_not_whole() -> io::Result<()> {
    let options = AcceptOptions::new()
        .timeouts(PATIENT)
        .max_message_size(1000);
    let (near, far) = tokio::io::duplex(MIB);
    let (socket, raw) = tokio::join!(options.accept(near), RawPeer::client(far));
    let (socket, mut raw) = (socket.expect("a good request"), raw?);
    let large = vec![7; 100 * KIB];
    raw.send(&[
        wire::binary(&large),
        wire::binary(&large).fragment(),
        wire::continuation(&large),
        wire::text("fits"),
        wire::binary(&large),
    ])
    .await?;
    assert!(whole(&socket).await.expect("in parts") == large);
    assert_eq!(whole(&socket).await.expect("in parts").len(), 200 * KIB);
    let message = socket.receive().await.expect("below the limit");
    assert_eq!(message, Some(Message::from("fits")));
    drop(raw);
    let error = socket.receive().await.expect_err("above the limit");
    assert_eq!(error.kind(), ErrorKind::MessageTooBig);
    Ok(())
}

#[tokio::test]
async fn receive_in_the_midst_of_a_message_gives_the_next_one() -> io::Result<()> {
    let (socket, mut raw) = server().await;
    raw.send(&[wire::text("first, ").fragment()]).await?;
    assert_eq!(part(&socket).await.as_text(), Some("first, "));
    raw.send(&[
        wire::continuation("still first, ").fragment(),
        wire::ping("?"),
        wire::continuation(vec![b'x'; 200 * KIB]),
        wire::text("second"),
        wire::text("third"),
    ])
    .await?;
    let message = socket.receive().await.expect("open");
    assert_eq!(message, Some(Message::from("second")));
    assert_eq!(part(&socket).await.as_text(), Some("third"));
    Ok(())
}

#[tokio::test]
async fn a_message_is_read_like_a_file() -> io::Result<()> {
    let (socket, mut raw) = client().await;
    raw.send(&[
        wire::binary(vec![1; 100 * KIB]).fragment(),
        wire::continuation(""),
        wire::text(""),
        wire::text("last"),
        wire::close(1000, ""),
    ])
    .await?;
    drop(raw);
    let mut sizes = Vec::new();
    while let Some(mut message) = socket.receive_stream().await.expect("clean") {
        let mut bytes = Vec::new();
        message.read_to_end(&mut bytes).await?;
        assert_eq!(message.read(&mut [0; 9]).await?, 0);
        sizes.push((message.message_type(), bytes.len()));
    }
    let (binary, text) = (MessageType::Binary, MessageType::Text);
    assert_eq!(sizes, [(binary, 100 * KIB), (text, 0), (text, 4)]);
    Ok(())
}

#[tokio::test]
async fn a_reader_whose_message_is_cut_off_gives_an_error() -> io::Result<()> {
    for end in [vec![], wire::close(1000, "").bytes()] {
        let (socket, mut raw) = client().await;
        raw.send(&[wire::binary("half").fragment()]).await?;
        raw.stream.write_all(&end).await?;
        drop(raw);
        let mut message = socket.receive_stream().await.expect("open").expect("one");
        let error = message.read_to_end(&mut Vec::new()).await.expect_err("cut");
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }
    Ok(())
}

#[tokio::test]
async fn what_a_dropped_reader_has_not_read_is_passed_over() -> io::Result<()> {
    let rest = [
        wire::continuation("never ").fragment(),
        wire::ping("?"),
        wire::continuation(vec![b'x'; 100 * KIB]).fragment(),
        wire::continuation("seen"),
        wire::text("next"),
    ];
    for late in 0..=rest.len() {
        let (socket, mut raw) = server().await;
        raw.send(&[wire::text("begun ").fragment()]).await?;
        raw.send(&rest[..late]).await?;
        let mut message = socket.receive_stream().await.expect("open").expect("one");
        assert_eq!(message.read_u8().await?, b'b');
        drop(message);
        raw.send(&rest[late..]).await?;
        let message = socket.receive_stream().await.expect("open");
        let mut text = String::new();
        message.expect("one").read_to_string(&mut text).await?;
        assert_eq!(text, "next", "{late} frames before the drop");
    }
    Ok(())
}

#[tokio::test]
async fn a_reader_that_has_read_all_drops_nothing_else() -> io::Result<()> {
    let (socket, mut raw) = server().await;
    raw.send(&[wire::text("one"), wire::text("two"), wire::text("three")])
        .await?;
    for expected in ["one", "two"] {
        let mut message = socket.receive_stream().await.expect("open").expect("one");
        assert_eq!(message.read_u8().await?, expected.as_bytes()[0]);
    }
    let message = socket.receive().await.expect("open");
    assert_eq!(message, Some(Message::from("three")));
    Ok(())
}

#[tokio::test]
async fn a_dropped_receive_part_loses_nothing_wherever_the_network_cuts() {
    let frames = [
        wire::text("grüße").fragment(),
        wire::ping("one"),
        wire::continuation(" €"),
        wire::binary([1, 2, 3]),
        wire::close(1000, ""),
    ];
    let bytes = wire::join(&frames.map(Frame::masked));
    for cut in 0..=bytes.len() {
        let parts = [&bytes[..cut], &bytes[cut..]].map(|part| Step::Bytes(part.to_vec()));
        let [first, second] = parts;
        let request = Step::Bytes(REQUEST.into());
        let steps = [
            request,
            Step::Pending,
            first,
            Step::Pending,
            second,
            Step::Pending,
        ];
        let steps = steps
            .into_iter()
            .filter(|step| *step != Step::Bytes(Vec::new()));
        let socket = server_over(Script::new(steps.chain([Step::End]), []), PATIENT).await;
        let socket = socket.expect("a good request");
        let (mut joined, mut ends) = (Vec::new(), 0);
        while let Some(part) = insist_on_part(&socket).await {
            joined.extend_from_slice(part.as_bytes());
            ends += usize::from(part.is_complete());
        }
        assert_eq!(joined, "grüße €\x01\x02\x03".as_bytes(), "cut at {cut}");
        assert_eq!(ends, 2, "cut at {cut}");
    }
}

#[tokio::test]
async fn reading_ahead_while_a_send_waits_loses_no_part() -> Result<(), Error> {
    let (client, server) = pair(1024).await?;
    let sent: Vec<u8> = (0..=250).cycle().take(MIB).collect();
    let echo = async {
        while let Some(part) = server.receive_part().await? {
            let is_complete = part.is_complete();
            let bytes = part.into_bytes();
            match is_complete {
                true => server.send_final_frame(bytes).await?,
                false => server.send_nonfinal_frame(bytes).await?,
            };
        }
        Ok::<_, Error>(())
    };
    let using = async {
        let sending = async {
            let mut message = client.send_stream(MessageType::Binary).await?;
            message.write_all(&sent).await.expect("open");
            message.finish().await
        };
        let (sending, received) = tokio::join!(sending, whole(&client));
        sending?;
        assert!(received? == sent);
        client.close(twinsock::CloseCode::NORMAL, "").await
    };
    let (echo, using) = tokio::join!(echo, using);
    echo.and(using)
}

// ---- sending parts ----

/// Whether the future is ready after so many polls; then it is dropped.
async fn is_ready_within<F: Future>(polls: usize, future: F) -> bool {
    let mut future = pin!(future);
    for _ in 0..polls {
        if poll_once(future.as_mut()).await.is_ready() {
            return true;
        }
    }
    false
}

#[tokio::test]
async fn control_frames_go_out_between_the_fragments() -> Result<(), Error> {
    let (socket, mut raw) = client().await;
    let mut message = socket.send_stream(MessageType::Text).await?;
    message.write_all(b"on").await.expect("open");
    message.flush().await.expect("open");
    let mut pinging = task::spawn(socket.ping(b"!"));
    assert_ready!(pinging.poll())?;
    let mut keeping_alive = task::spawn(socket.send_keep_alive());
    assert_ready!(keeping_alive.poll())?;
    message.write_all(b"e").await.expect("open");
    message.finish().await?;
    socket.flush().await?;
    let expected = [
        wire::text("on").fragment(),
        wire::ping("!"),
        wire::pong(""),
        wire::continuation("e"),
    ];
    for frame in expected {
        assert_eq!(next(&mut raw).await, frame);
    }
    Ok(())
}

#[tokio::test]
async fn other_messages_wait_for_the_writer() -> Result<(), Error> {
    let (socket, mut raw) = client().await;
    let mut message = socket.send_stream(MessageType::Binary).await?;
    message.write_all(b"a").await.expect("open");
    let mut sending = task::spawn(socket.send("second"));
    let mut beginning = task::spawn(socket.send_stream(MessageType::Text));
    assert_pending!(sending.poll());
    assert_pending!(beginning.poll());
    message.flush().await.expect("open");
    assert_pending!(sending.poll());
    message.finish().await?;
    assert!(sending.is_woken());
    assert_ready!(sending.poll())?;
    let writer = assert_ready!(beginning.poll())?;
    writer.finish().await?;
    socket.flush().await?;
    let expected = [
        wire::binary("a").fragment(),
        wire::continuation(""),
        wire::text("second"),
        wire::text(""),
    ];
    for frame in expected {
        assert_eq!(next(&mut raw).await, frame);
    }
    Ok(())
}

#[tokio::test]
async fn a_writer_dropped_in_the_midst_of_its_message_ends_the_connection() -> Result<(), Error> {
    for flushed in [false, true] {
        let (socket, mut raw) = client().await;
        let mut message = socket.send_stream(MessageType::Binary).await?;
        message.write_all(b"half").await.expect("open");
        if flushed {
            message.flush().await.expect("open");
        }
        drop(message);
        let mut told = next(&mut raw).await;
        if flushed {
            assert_eq!(told, wire::binary("half").fragment());
            told = next(&mut raw).await;
        }
        assert_eq!(told.payload()[..2], 1011_u16.to_be_bytes());
        raw.send(&[wire::close(1011, "")]).await.expect("open");
        drop(raw);
        let error = socket.receive().await.expect_err("given up");
        assert_eq!(error.kind(), ErrorKind::Aborted);
        let closed = socket.closed().expect("closed");
        let cause = Failure::Aborted(AbortCause::MessageUnfinished);
        assert_eq!(closed.failure(), Some(&cause));
    }
    Ok(())
}

#[tokio::test]
async fn a_writer_dropped_before_anything_was_written_sends_nothing() -> Result<(), Error> {
    let (socket, mut raw) = client().await;
    drop(socket.send_stream(MessageType::Binary).await?);
    let mut message = socket.send_stream(MessageType::Binary).await?;
    assert_eq!(message.write(b"").await.expect("open"), 0);
    drop(message);
    assert_nothing_came(&mut raw).await;
    socket.send("fine").await?;
    assert_eq!(next(&mut raw).await, wire::text("fine"));
    Ok(())
}

#[tokio::test]
async fn a_text_with_a_bad_part_is_never_finished() -> Result<(), Error> {
    let (socket, mut raw) = client().await;
    let mut message = socket.send_stream(MessageType::Text).await?;
    message.write_all(b"good").await.expect("open");
    message.flush().await.expect("open");
    message.write_all(b"\xff").await.expect("gathered");
    for _ in 0..2 {
        let error = message.flush().await.expect_err("no text");
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    }
    let error = message.finish().await.expect_err("no text");
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert_eq!(next(&mut raw).await, wire::text("good").fragment());
    assert_eq!(next(&mut raw).await.payload()[..2], 1011_u16.to_be_bytes());
    Ok(())
}

#[tokio::test]
async fn in_the_midst_of_frames_no_other_message_can_be_sent() -> Result<(), Error> {
    let (socket, mut raw) = client().await;
    socket.set_message_type(MessageType::Text);
    assert_eq!(
        socket
            .send_nonfinal_frame("gr\u{fc}".as_bytes()[..3].to_vec())
            .await?,
        3
    );
    for _ in 0..2 {
        let error = socket.send("another").await.expect_err("in the midst");
        assert_eq!(error.kind(), ErrorKind::IllegalCall);
        let error = socket.send_stream(MessageType::Text).await.err();
        assert_eq!(
            error.map(|error| error.kind()),
            Some(ErrorKind::IllegalCall)
        );
        let error = socket
            .send_nonfinal_frame(vec![0xff])
            .await
            .expect_err("no text");
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    }
    assert_eq!(socket.send_final_frame(vec![0xbc]).await?, 1);
    socket.send("another").await?;
    socket.flush().await?;
    assert_eq!(next(&mut raw).await, wire::text(b"gr\xc3").fragment());
    assert_eq!(next(&mut raw).await, wire::continuation([0xbc]));
    assert_eq!(next(&mut raw).await, wire::text("another"));
    Ok(())
}

#[tokio::test]
async fn a_finish_dropped_at_any_poll_sends_the_whole_message_or_gives_up() -> Result<(), Error> {
    for patience in 0..4 {
        let request = Step::Bytes(REQUEST.into());
        let mut writes = vec![Step::Takes(usize::MAX)];
        let pauses = [Step::Takes(3_000), Step::Pending, Step::Pending];
        (0..1_000).for_each(|_| writes.extend_from_slice(&pauses));
        let script = Script::new([request], writes);
        let wire_written = script.wire();
        let socket = server_over(script, PATIENT).await?;
        let head = wire_written.bytes().len();
        // So that there is no room.
        socket.send(vec![0; 64 * KIB]).await?;
        let mut message = socket.send_stream(MessageType::Binary).await?;
        let mut bytes = &[7; 100][..];
        message.write_all_buf(&mut bytes).await.expect("open");
        let is_finished = is_ready_within(patience, message.finish()).await;
        let _ = socket.flush().await;
        let frames = wire::read(&wire_written.bytes()[head..]);
        let is_sent = frames.contains(&wire::binary([7; 100]));
        assert_eq!(is_sent, is_finished, "{patience} polls");
        assert_eq!(
            frames.last().map(Frame::first_byte) == Some(0x88),
            !is_finished
        );
    }
    Ok(())
}
