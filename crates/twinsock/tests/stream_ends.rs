//! How a byte stream ends, seen by a peer that writes and reads frames.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::time::Instant;
use tokio_test::{assert_pending, task};
use twinsock::{
    AcceptOptions, CloseCode, Error, ErrorKind, StreamFraming, StreamWebSocket, Timeout, Timeouts,
};
use twinsock_testkit::raw::{REQUEST, RawPeer};
use twinsock_testkit::script::{Script, Step};
use twinsock_testkit::sockets::PATIENT;
use twinsock_testkit::streams::{client_of_raw, pair, patient, server_of_raw};
use twinsock_testkit::wire::{self, Frame};

const MIB: usize = 1024 * 1024;
const SECOND: Duration = Duration::from_secs(1);

const HASTY: Timeouts = Timeouts {
    close: SECOND,
    ..PATIENT
};

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

async fn shut_down(stream: &mut StreamWebSocket) -> io::Result<()> {
    AsyncWriteExt::shutdown(stream).await
}

fn ours(error: &io::Error) -> Error {
    let inner = error.get_ref().and_then(|error| error.downcast_ref());
    Error::clone(inner.expect("an error of the library"))
}

// ---- the peer's end ----

#[tokio::test]
async fn codes_1000_and_1001_are_the_end_and_it_stays() -> io::Result<()> {
    for code in [1000, 1001] {
        let (mut stream, mut raw) = server().await;
        raw.send(&[wire::binary("all"), wire::close(code, "bye")])
            .await?;
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await?;
        assert_eq!(bytes, b"all");
        for _ in 0..3 {
            assert_eq!(stream.read(&mut [0; 9]).await?, 0);
        }
        shut_down(&mut stream).await?;
        assert_eq!(next(&mut raw).await, wire::close(code, ""));
        assert_eq!(stream.read(&mut [0; 9]).await?, 0);
    }
    Ok(())
}

#[tokio::test]
async fn other_codes_are_errors_and_stay() -> io::Result<()> {
    let ends = [
        (wire::close_with_body(""), 1005, ""),
        (wire::close(1011, "a bug"), 1011, "a bug"),
        (wire::close(4000, "enough"), 4000, "enough"),
    ];
    for (close, code, text) in ends {
        let (mut stream, mut raw) = client().await;
        raw.send(&[wire::binary("some"), close]).await?;
        let mut bytes = Vec::new();
        for _ in 0..3 {
            let error = stream.read_to_end(&mut bytes).await.expect_err("cut off");
            assert_eq!(error.kind(), io::ErrorKind::ConnectionAborted);
            let error = ours(&error);
            assert_eq!(error.kind(), ErrorKind::ClosedByPeer(CloseCode::from(code)));
            assert_eq!(error.close_reason().expect("told").text(), text);
        }
        assert_eq!(bytes, b"some");
        let answer = next(&mut raw).await;
        assert_eq!(answer.first_byte(), 0x88);
        let error = stream.write(b"late").await.expect_err("ended");
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    }
    Ok(())
}

#[tokio::test]
async fn a_close_without_a_code_is_the_end_where_that_was_asked_for() -> io::Result<()> {
    let (mut stream, mut raw) = client_of_raw(patient().end_without_code(), MIB).await?;
    raw.send(&[wire::binary("all"), wire::close_with_body("")])
        .await?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await?;
    assert_eq!(bytes, b"all");
    stream.write_all(b"thanks").await?;
    shut_down(&mut stream).await?;
    assert_eq!(next(&mut raw).await, wire::binary("thanks"));
    assert_eq!(next(&mut raw).await, wire::close_with_body(""));
    Ok(())
}

#[tokio::test]
async fn the_end_of_tcp_without_a_close_is_no_end_of_the_stream() -> io::Result<()> {
    for begun in [vec![], wire::binary("cut").claims(9).bytes()] {
        let (mut stream, mut raw) = client().await;
        raw.stream.write_all(&begun).await?;
        drop(raw);
        let mut bytes = Vec::new();
        for _ in 0..2 {
            let error = stream.read_to_end(&mut bytes).await.expect_err("cut off");
            assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
            assert_eq!(ours(&error).kind(), ErrorKind::ConnectionLost);
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_reset_is_told_as_one() -> io::Result<()> {
    let request = Step::Bytes(REQUEST.into());
    let script = Script::new([request, Step::Pending, Step::Reset], []);
    let options = AcceptOptions::new().timeouts(PATIENT);
    let mut stream = options.accept_stream(script).await?;
    for _ in 0..2 {
        let error = stream.read(&mut [0; 9]).await.expect_err("reset");
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
        assert_eq!(ours(&error).kind(), ErrorKind::ConnectionLost);
    }
    Ok(())
}

#[tokio::test]
async fn what_is_written_after_the_peers_end_still_arrives() -> io::Result<()> {
    let (mut stream, mut raw) = server().await;
    raw.send(&[
        wire::binary("question"),
        wire::close(1000, ""),
        wire::ping("?"),
    ])
    .await?;
    let mut question = Vec::new();
    stream.read_to_end(&mut question).await?;
    for _ in 0..3 {
        stream.write_all(b"answer").await?;
        stream.flush().await?;
    }
    shut_down(&mut stream).await?;
    let frames = raw.receive_all().await?;
    let (pongs, data): (Vec<_>, Vec<_>) = frames
        .into_iter()
        .partition(|frame| *frame == wire::pong("?"));
    assert_eq!(pongs.len(), 1);
    let answer = wire::binary("answer");
    assert_eq!(
        data,
        [
            answer.clone(),
            answer.clone(),
            answer,
            wire::close(1000, "")
        ]
    );
    Ok(())
}

#[tokio::test]
async fn a_peer_that_ends_its_tcp_side_behind_its_close_gets_the_whole_answer() -> io::Result<()> {
    for size in [10, 100_000, MIB] {
        let options = AcceptOptions::new().timeouts(PATIENT);
        let (mut stream, mut raw) = server_of_raw(options, 1024).await?;
        raw.send(&[wire::close(1000, "")]).await?;
        raw.stream.shutdown().await?;
        let answering = async {
            assert_eq!(stream.read(&mut [0; 9]).await?, 0);
            stream.write_all(&vec![7; size]).await?;
            shut_down(&mut stream).await
        };
        let (answered, frames) = tokio::join!(answering, raw.receive_all());
        answered?;
        let frames = frames?;
        let came: usize = frames.iter().map(|frame| frame.payload().len()).sum();
        assert_eq!(came, size + 2);
        assert_eq!(frames.last(), Some(&wire::close(1000, "")));
    }
    Ok(())
}

// ---- our end ----

#[tokio::test(start_paused = true)]
async fn after_our_end_the_peer_may_go_on_for_long() -> io::Result<()> {
    let timeouts = Timeouts {
        keep_alive: Some(20 * SECOND),
        pong: Some(20 * SECOND),
        ..HASTY
    };
    let (mut stream, mut raw) = client_of_raw(patient().timeouts(timeouts), MIB).await?;
    stream.write_all(b"question").await?;
    shut_down(&mut stream).await?;
    assert_eq!(next(&mut raw).await, wire::binary("question"));
    assert_eq!(next(&mut raw).await, wire::close(1000, ""));
    for number in 0..100 {
        let mut reading = task::spawn(stream.read_u8());
        assert_pending!(reading.poll());
        if number > 0 {
            assert_eq!(next(&mut raw).await, wire::pong([number - 1]));
        }
        tokio::time::sleep(10 * SECOND).await;
        assert_pending!(reading.poll());
        raw.send(&[wire::ping([number]), wire::binary([number])])
            .await?;
        assert_eq!(reading.await?, number);
    }
    let error = stream.write(b"late").await.expect_err("ended");
    assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    raw.send(&[wire::close(1000, "")]).await?;
    assert_eq!(stream.read(&mut [0; 9]).await?, 0);
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn after_our_end_a_peer_that_is_gone_is_still_noticed() -> io::Result<()> {
    let timeouts = Timeouts {
        keep_alive: Some(20 * SECOND),
        pong: Some(20 * SECOND),
        ..HASTY
    };
    let (mut stream, _raw) = client_of_raw(patient().timeouts(timeouts), MIB).await?;
    shut_down(&mut stream).await?;
    let start = Instant::now();
    let error = stream.read(&mut [0; 9]).await.expect_err("gone");
    assert_eq!(ours(&error).kind(), ErrorKind::Timeout(Timeout::Pong));
    assert_eq!(start.elapsed().as_secs(), 40);
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn shutdown_waits_for_an_answer_no_longer_than_the_close_timeout() -> io::Result<()> {
    let (mut stream, mut raw) = client_of_raw(patient().timeouts(HASTY), MIB).await?;
    raw.send(&[wire::binary("unread")]).await?;
    stream.write_all(b"last").await?;
    let start = Instant::now();
    let error = stream.shutdown().await.expect_err("no answer");
    assert_eq!(error.kind(), ErrorKind::Timeout(Timeout::Close));
    assert_eq!(start.elapsed(), SECOND);
    assert_eq!(next(&mut raw).await, wire::binary("last"));
    assert_eq!(next(&mut raw).await, wire::close(1000, ""));
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn shutdown_waits_for_a_peer_that_never_reads_no_longer_either() -> io::Result<()> {
    let (mut stream, _raw) = client_of_raw(patient().timeouts(HASTY), 1024).await?;
    let mut written = 0;
    loop {
        let bytes = [7; 10_000];
        let mut writing = task::spawn(stream.write(&bytes));
        match writing.poll() {
            std::task::Poll::Ready(count) => written += count?,
            std::task::Poll::Pending => break,
        }
    }
    assert!(written < 300_000, "{written}");
    let start = Instant::now();
    let error = stream.shutdown().await.expect_err("no answer");
    assert_eq!(error.kind(), ErrorKind::Timeout(Timeout::Close));
    assert_eq!(start.elapsed(), SECOND);
    Ok(())
}

#[tokio::test]
async fn shutdown_discards_what_keeps_the_peer_from_reading() -> io::Result<()> {
    let (mut client, mut server) = pair(1024).await?;
    let peer = tokio::spawn(async move {
        server.write_all(&vec![2; MIB]).await?;
        let mut rest = Vec::new();
        server.read_to_end(&mut rest).await?;
        server.shutdown().await?;
        io::Result::Ok(rest)
    });
    // Both write until nothing goes on, then this end gives up.
    let sent = vec![1; MIB];
    let mut writing = Box::pin(client.write_all(&sent));
    for _ in 0..1_000 {
        tokio::select! {
            biased;
            _ = &mut writing => unreachable!("the peer does not read"),
            () = tokio::task::yield_now() => {}
        }
    }
    drop(writing);
    client.shutdown().await?;
    let rest = peer.await??;
    assert!(!rest.is_empty() && rest.iter().all(|&byte| byte == 1));
    Ok(())
}

#[tokio::test]
async fn a_shutdown_tells_what_was_lost() -> io::Result<()> {
    // The network fails while the last bytes go out.
    let request = Step::Bytes(REQUEST.into());
    let script = Script::new([request], [Step::Takes(usize::MAX), Step::Reset]);
    let options = AcceptOptions::new().timeouts(PATIENT);
    let mut stream = options.accept_stream(script).await?;
    stream.write_all(b"lost").await?;
    shut_down(&mut stream).await.expect_err("a reset");
    // The peer has given up before them.
    let (stream, mut raw) = client().await;
    let (mut reader, mut writer) = stream.split();
    writer.write_all(b"lost").await?;
    raw.send(&[wire::close(4000, "")]).await?;
    reader.read(&mut [0; 9]).await.expect_err("cut off");
    // The background task has its turn, and cannot send them either.
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    writer.shutdown().await.expect_err("closed by the peer");
    Ok(())
}

// ---- without an end ----

#[tokio::test]
async fn dropping_sends_what_was_written_but_never_the_end_of_a_message() -> io::Result<()> {
    let (mut stream, mut raw) = client().await;
    stream.write_all(b"half of").await?;
    drop(stream);
    assert_eq!(next(&mut raw).await, wire::binary("half of").fragment());
    assert_eq!(next(&mut raw).await, wire::close_with_body(""));
    Ok(())
}

#[tokio::test]
async fn what_a_drop_cuts_off_never_passes_for_whole() -> io::Result<()> {
    for framing in [
        StreamFraming::MessagePerFlush,
        StreamFraming::EndlessMessage,
    ] {
        let options = AcceptOptions::new().timeouts(PATIENT).framing(framing);
        let (mut stream, mut raw) = server_of_raw(options, MIB).await?;
        raw.send(&[wire::close(1000, "")]).await?;
        assert_eq!(stream.read(&mut [0; 9]).await?, 0);
        stream.write_all(b"half of").await?;
        if framing == StreamFraming::EndlessMessage {
            stream.flush().await?;
        }
        drop(stream);
        assert_eq!(next(&mut raw).await, wire::binary("half of").fragment());
        assert_eq!(next(&mut raw).await, wire::close_with_body(""));
    }
    Ok(())
}

#[tokio::test]
async fn a_drop_after_the_peers_end_answers_it() -> io::Result<()> {
    let (mut stream, mut raw) = server().await;
    raw.send(&[wire::close(1000, "")]).await?;
    assert_eq!(stream.read(&mut [0; 9]).await?, 0);
    stream.write_all(b"all of it").await?;
    stream.flush().await?;
    drop(stream);
    assert_eq!(next(&mut raw).await, wire::binary("all of it"));
    assert_eq!(next(&mut raw).await, wire::close(1000, ""));
    Ok(())
}

#[tokio::test]
async fn an_abort_ends_tcp_and_tells_nothing() -> io::Result<()> {
    let (mut stream, mut raw) = client().await;
    stream.write_all(b"unsaid").await?;
    stream.abort();
    assert_eq!(raw.receive().await?, None);
    Ok(())
}

#[tokio::test]
async fn halves_end_the_connection_when_both_are_gone() -> io::Result<()> {
    let (stream, mut raw) = client().await;
    let (reader, mut writer) = stream.split();
    drop(reader);
    writer.write_all(b"still here").await?;
    writer.flush().await?;
    assert_eq!(next(&mut raw).await, wire::binary("still here"));
    let mut receiving = task::spawn(raw.receive());
    assert_pending!(receiving.poll());
    drop(writer);
    assert_eq!(receiving.await?, Some(wire::close_with_body("")));
    Ok(())
}

#[tokio::test]
async fn a_dropped_writer_cuts_its_direction_off_and_leaves_the_other() -> io::Result<()> {
    let (near, mut far) = pair(MIB).await.expect("a pair");
    let (mut reader, mut writer) = near.split();
    writer.write_all(b"half of it").await?;
    drop(writer);
    let mut received = Vec::new();
    let error = far.read_to_end(&mut received).await.expect_err("cut off");
    assert_eq!(received, b"half of it");
    let kind = ErrorKind::ClosedByPeer(CloseCode::NO_STATUS_RECEIVED);
    assert_eq!(ours(&error).kind(), kind);
    // The peer gave up then, and does not say that it has said all.
    let error = reader.read_u8().await.expect_err("no orderly end");
    assert_eq!(ours(&error).kind(), kind);
    Ok(())
}

#[tokio::test]
async fn a_writer_closes_with_a_code_and_aborts() -> io::Result<()> {
    let (near, mut far) = pair(MIB).await.expect("a pair");
    let (_reader, mut writer) = near.split();
    let (closed, read) = tokio::join!(
        writer.close(CloseCode::from(4001), "no more"),
        far.read_u8(),
    );
    closed?;
    let error = ours(&read.expect_err("no orderly end"));
    assert_eq!(error.close_reason().expect("a reason").text(), "no more");

    let (near, mut far) = pair(MIB).await.expect("a pair");
    let (_reader, writer) = near.split();
    writer.abort();
    let error = far.read(&mut [0; 9]).await.expect_err("no Close came");
    assert_eq!(ours(&error).kind(), ErrorKind::ConnectionLost);
    Ok(())
}
