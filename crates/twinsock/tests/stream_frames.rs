//! A byte stream and the frames that carry it, seen by a peer that writes and reads frames.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio_test::{assert_pending, task};
use twinsock::{AcceptOptions, Error, StreamFraming, StreamWebSocket};
use twinsock_proto::Role;
use twinsock_testkit::raw::RawPeer;
use twinsock_testkit::sockets::PATIENT;
use twinsock_testkit::streams::{client_of_raw, patient, server_of_raw};
use twinsock_testkit::wire::{self, Frame};

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;
const MILLISECOND: Duration = Duration::from_millis(1);

async fn client() -> (StreamWebSocket, RawPeer<DuplexStream>) {
    client_of_raw(patient(), MIB).await.expect("a pair")
}

async fn server() -> (StreamWebSocket, RawPeer<DuplexStream>) {
    let options = AcceptOptions::new().timeouts(PATIENT);
    server_of_raw(options, MIB).await.expect("a pair")
}

async fn next(raw: &mut RawPeer<DuplexStream>) -> Frame {
    raw.receive().await.expect("open").expect("a frame")
}

async fn assert_nothing_came(raw: &mut RawPeer<DuplexStream>) {
    let mut receiving = task::spawn(raw.receive());
    assert_pending!(receiving.poll());
}

fn ours(error: &io::Error) -> Error {
    let inner = error.get_ref().and_then(|error| error.downcast_ref());
    Error::clone(inner.expect("an error of the library"))
}

// ---- reading ----

#[tokio::test(start_paused = true)]
async fn bytes_are_read_before_their_frame_is_complete() -> io::Result<()> {
    for ((mut stream, mut raw), sender) in [
        (client().await, Role::Server),
        (server().await, Role::Client),
    ] {
        let frame = wire::binary([1, 2, 3]).claims(1 << 30).sent_by(sender);
        raw.stream.write_all(&frame.bytes()).await?;
        let mut bytes = [0; 100];
        assert_eq!(stream.read(&mut bytes).await?, 3);
        assert_eq!(bytes[..3], [1, 2, 3]);
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn what_carries_no_bytes_is_no_end_and_no_error() -> io::Result<()> {
    let (mut stream, mut raw) = server().await;
    raw.send(&[
        wire::binary(""),
        wire::binary("").fragment(),
        wire::ping("one"),
        wire::continuation("").fragment(),
        wire::continuation("a").fragment(),
        wire::pong("two"),
        wire::continuation("b"),
        wire::binary(""),
        wire::ping("three"),
        wire::binary("c"),
        wire::close(1000, ""),
    ])
    .await?;
    let mut bytes = Vec::new();
    let mut part = [0; 2];
    loop {
        match stream.read(&mut part).await? {
            0 => break,
            count => bytes.extend_from_slice(&part[..count]),
        }
    }
    assert_eq!(bytes, b"abc");
    assert_eq!(next(&mut raw).await, wire::pong("one"));
    assert_eq!(next(&mut raw).await, wire::pong("three"));
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_reader_waits_through_empty_messages() -> io::Result<()> {
    let (mut stream, mut raw) = server().await;
    let mut bytes = [0; 9];
    let mut reading = task::spawn(stream.read(&mut bytes));
    for frame in [
        wire::binary(""),
        wire::ping(""),
        wire::binary("").fragment(),
    ] {
        raw.send(&[frame]).await?;
        assert_pending!(reading.poll());
    }
    raw.send(&[wire::continuation("x")]).await?;
    assert_eq!(reading.await?, 1);
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn text_is_taken_as_bytes_where_that_was_asked_for() -> io::Result<()> {
    let (mut stream, mut raw) = client_of_raw(patient().text_as_bytes(), MIB).await?;
    let text = "grüße".as_bytes();
    for cut in 0..=text.len() {
        let (first, rest) = text.split_at(cut);
        raw.send(&[wire::text(first).fragment(), wire::continuation(rest)])
            .await?;
        raw.send(&[wire::binary("+")]).await?;
        let mut bytes = [0; 8];
        stream.read_exact(&mut bytes).await?;
        assert_eq!(bytes, *b"gr\xc3\xbc\xc3\x9fe+", "cut at {cut}");
    }
    Ok(())
}

// ---- writing ----

#[tokio::test(start_paused = true)]
async fn what_is_written_between_two_flushes_is_one_message() -> io::Result<()> {
    let (mut stream, mut raw) = client().await;
    for part in ["one ", "two ", "three"] {
        stream.write_all(part.as_bytes()).await?;
    }
    stream.flush().await?;
    assert_eq!(next(&mut raw).await, wire::binary("one two three"));
    stream.flush().await?;
    stream.flush().await?;
    stream.write_all(b"").await?;
    stream.flush().await?;
    assert_nothing_came(&mut raw).await;
    stream.write_all(b"four").await?;
    stream.flush().await?;
    assert_eq!(next(&mut raw).await, wire::binary("four"));
    Ok(())
}

/// The sizes of frames, and whether each ends its message; all data frames in a row.
fn shape(frames: &[Frame]) -> Vec<(u8, usize)> {
    let shape = |frame: &Frame| (frame.first_byte(), frame.payload().len());
    frames.iter().map(shape).collect()
}

const FIRST: u8 = 0x02;
const MORE: u8 = 0x00;
const LAST: u8 = 0x80;
const WHOLE: u8 = 0x82;

/// The frames that come while `writing`, which says how many bytes they are in all.
async fn frames_of(
    raw: &mut RawPeer<DuplexStream>,
    writing: impl Future<Output = io::Result<usize>>,
) -> io::Result<Vec<Frame>> {
    let mut frames = Vec::new();
    let mut size = 0;
    let mut written = None;
    tokio::pin!(writing);
    while written.is_none_or(|written| size < written) {
        tokio::select! {
            result = &mut writing, if written.is_none() => written = Some(result?),
            frame = raw.receive() => {
                let frame = frame?.expect("a frame");
                size += frame.payload().len();
                frames.push(frame);
            }
        }
    }
    Ok(frames)
}

#[tokio::test(start_paused = true)]
async fn more_than_64_kib_between_two_flushes_is_one_message_in_fragments() -> io::Result<()> {
    let (mut stream, mut raw) = client().await;
    let bytes: Vec<u8> = (0..=250).cycle().take(200 * KIB).collect();
    stream.write_all(&bytes).await?;
    stream.flush().await?;
    let mut frames = Vec::new();
    while frames
        .last()
        .is_none_or(|frame: &Frame| frame.first_byte() & 0x80 == 0)
    {
        frames.push(next(&mut raw).await);
    }
    let parts = [
        (FIRST, 64 * KIB),
        (MORE, 64 * KIB),
        (MORE, 64 * KIB),
        (LAST, 8 * KIB),
    ];
    assert_eq!(shape(&frames), parts);
    let came: Vec<u8> = frames.iter().flat_map(Frame::payload).copied().collect();
    assert!(came == bytes);
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn no_message_is_larger_than_a_mib() -> io::Result<()> {
    let (mut stream, mut raw) = client().await;
    let frames = frames_of(&mut raw, async {
        stream.write_all(&vec![7; 3 * MIB + 5]).await?;
        stream.flush().await?;
        Ok(3 * MIB + 5)
    })
    .await?;
    let mut sizes = vec![0];
    for frame in &frames {
        *sizes.last_mut().expect("one") += frame.payload().len();
        if frame.first_byte() & 0x80 != 0 {
            sizes.push(0);
        }
    }
    assert_eq!(sizes, [MIB, MIB, MIB, 5, 0]);
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_message_that_just_filled_its_frames_ends_at_the_flush() -> io::Result<()> {
    for size in [64 * KIB, 128 * KIB, MIB - 64 * KIB] {
        let (mut stream, mut raw) = client().await;
        stream.write_all(&vec![1; size]).await?;
        stream.flush().await?;
        let mut frames = Vec::new();
        for _ in 0..size / (64 * KIB) {
            frames.push(next(&mut raw).await);
        }
        assert_eq!(
            frames.last().map(|frame| frame.first_byte() & 0x80),
            Some(0x80)
        );
        assert_nothing_came(&mut raw).await;
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn an_endless_message_ends_at_the_shutdown_alone() -> io::Result<()> {
    let builder = patient().framing(StreamFraming::EndlessMessage);
    let (mut stream, mut raw) = client_of_raw(builder, 4 * MIB).await?;
    stream.write_all(b"one").await?;
    stream.flush().await?;
    stream.flush().await?;
    assert_eq!(next(&mut raw).await, wire::binary("one").fragment());
    let frames = frames_of(&mut raw, async {
        stream.write_all(&vec![7; 3 * MIB]).await?;
        stream.flush().await?;
        Ok(3 * MIB)
    })
    .await?;
    assert!(frames.iter().all(|frame| frame.first_byte() == MORE));
    stream.write_all(b"last").await?;
    AsyncWriteExt::shutdown(&mut stream).await?;
    assert_eq!(next(&mut raw).await, wire::continuation("last"));
    assert_eq!(next(&mut raw).await, wire::close(1000, ""));
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn an_endless_message_that_is_flushed_already_ends_with_an_empty_frame() -> io::Result<()> {
    let builder = patient().framing(StreamFraming::EndlessMessage);
    let (mut stream, mut raw) = client_of_raw(builder, MIB).await?;
    stream.write_all(b"all").await?;
    stream.flush().await?;
    AsyncWriteExt::shutdown(&mut stream).await?;
    assert_eq!(next(&mut raw).await, wire::binary("all").fragment());
    assert_eq!(next(&mut raw).await, wire::continuation(""));
    assert_eq!(next(&mut raw).await, wire::close(1000, ""));
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_hundred_thousand_tiny_writes_are_two_frames() -> io::Result<()> {
    let (mut stream, mut raw) = client().await;
    for number in 0..100_000_u32 {
        stream.write_all(&number.to_be_bytes()[3..]).await?;
    }
    stream.flush().await?;
    let frames = [next(&mut raw).await, next(&mut raw).await];
    assert_eq!(shape(&frames), [(FIRST, 65_536), (LAST, 34_464)]);
    Ok(())
}

// ---- without a flush ----

#[tokio::test(start_paused = true)]
async fn what_is_not_flushed_goes_out_after_a_millisecond_without_a_write() -> io::Result<()> {
    let (mut stream, mut raw) = client().await;
    stream.write_all(b"and ").await?;
    tokio::time::sleep(MILLISECOND / 2).await;
    stream.write_all(b"so on").await?;
    tokio::time::sleep(MILLISECOND * 3 / 4).await;
    assert_nothing_came(&mut raw).await;
    tokio::time::sleep(2 * MILLISECOND).await;
    let frame = next(&mut raw).await;
    assert_eq!(shape(&[frame]), [(WHOLE, 9)]);
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_writer_that_never_pauses_is_sent_after_ten_milliseconds() -> io::Result<()> {
    let (mut stream, mut raw) = client().await;
    for _ in 0..40 {
        stream.write_all(b"word ").await?;
        tokio::time::sleep(MILLISECOND / 2).await;
    }
    let mut receiving = task::spawn(raw.receive());
    let frame = tokio_test::assert_ready!(receiving.poll())?.expect("a frame");
    assert!(frame.payload().starts_with(b"word word "));
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_pause_is_noticed_by_a_socket_that_is_attended_to() -> io::Result<()> {
    let (mut stream, mut raw) = client().await;
    stream.attend();
    tokio::time::sleep(10 * MILLISECOND).await;
    for word in ["hello", "again"] {
        stream.write_all(word.as_bytes()).await?;
        assert_nothing_came(&mut raw).await;
        tokio::time::sleep(5 * MILLISECOND).await;
        let mut receiving = task::spawn(raw.receive());
        let frame = tokio_test::assert_ready!(receiving.poll())?.expect("a frame");
        assert_eq!(frame, wire::binary(word));
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_pause_is_noticed_after_the_peers_end_too() -> io::Result<()> {
    let (mut stream, mut raw) = server().await;
    raw.send(&[wire::close(1000, "")]).await?;
    assert_eq!(stream.read(&mut [0; 9]).await?, 0);
    tokio::time::sleep(10 * MILLISECOND).await;
    stream.write_all(b"an answer").await?;
    tokio::time::sleep(5 * MILLISECOND).await;
    let mut receiving = task::spawn(raw.receive());
    let frame = tokio_test::assert_ready!(receiving.poll())?.expect("a frame");
    assert_eq!(frame, wire::binary("an answer"));
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_read_that_waits_sends_what_the_same_task_wrote() -> io::Result<()> {
    let (mut stream, mut raw) = client().await;
    stream.write_all(b"a question").await?;
    let mut answer = [0; 9];
    let mut reading = task::spawn(stream.read(&mut answer));
    assert_pending!(reading.poll());
    assert_eq!(next(&mut raw).await, wire::binary("a question"));
    raw.send(&[wire::binary("an answer")]).await?;
    assert_eq!(reading.await?, 9);
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_read_that_need_not_wait_sends_nothing() -> io::Result<()> {
    let (mut stream, mut raw) = client().await;
    raw.send(&[wire::binary("ab")]).await?;
    stream.write_all(b"not yet").await?;
    assert_eq!(stream.read_u8().await?, b'a');
    assert_eq!(stream.read_u8().await?, b'b');
    assert_nothing_came(&mut raw).await;
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn the_reading_half_leaves_it_to_the_other_one_to_flush() -> io::Result<()> {
    let (stream, mut raw) = client().await;
    let (mut reader, mut writer) = stream.split();
    writer.write_all(b"and ").await?;
    let mut bytes = [0; 9];
    let mut reading = task::spawn(reader.read(&mut bytes));
    assert_pending!(reading.poll());
    assert_nothing_came(&mut raw).await;
    writer.write_all(b"so on").await?;
    writer.flush().await?;
    assert_eq!(next(&mut raw).await, wire::binary("and so on"));
    writer.write_all(b"forgotten").await?;
    assert_pending!(reading.poll());
    tokio::time::sleep(2 * MILLISECOND).await;
    assert_eq!(next(&mut raw).await, wire::binary("forgotten"));
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_speaks_text_is_told_1003() -> io::Result<()> {
    let (mut stream, mut raw) = server().await;
    raw.send(&[wire::binary("ok"), wire::text("hello")]).await?;
    let mut bytes = Vec::new();
    let (read, told) = tokio::join!(stream.read_to_end(&mut bytes), async {
        let told = raw.receive_all().await;
        drop(raw);
        told
    });
    assert_eq!(bytes, b"ok");
    let error = read.expect_err("text");
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    assert_eq!(ours(&error).kind(), twinsock::ErrorKind::ProtocolViolation);
    assert_eq!(told?[0].payload()[..2], 1003_u16.to_be_bytes());
    let again = stream.read(&mut [0; 9]).await.expect_err("still");
    assert_eq!(ours(&again).to_string(), ours(&error).to_string());
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn text_that_is_not_utf8_fails_the_stream_that_takes_text_too() -> io::Result<()> {
    for frames in [
        vec![wire::text(b"ab\xff")],
        vec![
            wire::text(b"ab\xc3").fragment(),
            wire::continuation(b"\x28"),
        ],
        vec![wire::text(b"ab\xe2\x82")],
    ] {
        let (mut stream, mut raw) = client_of_raw(patient().text_as_bytes(), MIB).await?;
        raw.send(&frames).await?;
        let mut bytes = Vec::new();
        let (read, told) = tokio::join!(stream.read_to_end(&mut bytes), async {
            let told = raw.receive_all().await;
            drop(raw);
            told
        });
        assert_eq!(
            read.expect_err("no text").kind(),
            io::ErrorKind::InvalidData
        );
        assert_eq!(told?[0].payload()[..2], 1007_u16.to_be_bytes());
    }
    Ok(())
}
