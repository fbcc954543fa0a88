//! A byte stream over a WebSocket behaves like one over TCP: the same cases run over both, and
//! over relays between them.

#![expect(
    clippy::excessive_nesting,
    reason = "a case is a block in a closure in a test"
)]

use std::future::{Future, poll_fn};
use std::io::{self, IoSlice};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use tokio::io::{
    AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader,
    copy_bidirectional,
};
use tokio_test::assert_ok;
use twinsock_testkit::streams::{pair_over, tcp_pair};

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// What carries bytes between the two ends of a case.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    Tcp,
    WebSocket,
    /// TCP to a relay, and a WebSocket from there.
    TcpAndWebSocket,
    /// A WebSocket to a relay, and TCP from there.
    WebSocketAndTcp,
}

type Stream = Box<dyn ByteStream>;

trait ByteStream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> ByteStream for T {}

async fn hop(way: Way) -> (Stream, Stream) {
    let (near, far) = tcp_pair().await.expect("a port");
    if way == Way::Tcp {
        return (Box::new(near), Box::new(far));
    }
    let (near, far) = pair_over(near, far).await.expect("a pair");
    (Box::new(near), Box::new(far))
}

/// The two ends; the relay, if there is one, runs until both have ended.
async fn ends(way: Way) -> (Stream, Stream) {
    let hops = match way {
        Way::Tcp | Way::WebSocket => return hop(way).await,
        Way::TcpAndWebSocket => [Way::Tcp, Way::WebSocket],
        Way::WebSocketAndTcp => [Way::WebSocket, Way::Tcp],
    };
    let (near, mut left) = hop(hops[0]).await;
    let (mut right, far) = hop(hops[1]).await;
    tokio::spawn(async move { copy_bidirectional(&mut left, &mut right).await });
    (near, far)
}

/// Runs the case over every way, from either end.
async fn over_all<F: Future<Output = io::Result<()>>>(
    case: impl Fn(Stream, Stream) -> F,
) -> io::Result<()> {
    for way in [
        Way::Tcp,
        Way::WebSocket,
        Way::TcpAndWebSocket,
        Way::WebSocketAndTcp,
    ] {
        let (near, far) = ends(way).await;
        in_time(format!("{way:?}"), case(near, far)).await?;
        let (near, far) = ends(way).await;
        in_time(format!("{way:?}, turned"), case(far, near)).await?;
    }
    Ok(())
}

/// A case that hangs fails.
async fn in_time(name: String, case: impl Future<Output = io::Result<()>>) -> io::Result<()> {
    let result = tokio::time::timeout(Duration::from_secs(20), case).await;
    let result = result.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
    result.map_err(|error| io::Error::new(error.kind(), format!("{name}: {error}")))
}

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn up_to(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).expect("64 bits") % (most + 1)
    }
}

fn some_bytes(count: usize) -> Vec<u8> {
    (0..=250).cycle().take(count).collect()
}

async fn poll_once<F: Future>(mut future: Pin<&mut F>) -> Poll<F::Output> {
    poll_fn(|context| Poll::Ready(future.as_mut().poll(context))).await
}

/// Sends back all that comes, then ends too.
async fn echo(stream: Stream) -> io::Result<u64> {
    let (mut reader, mut writer) = tokio::io::split(stream);
    let count = tokio::io::copy(&mut reader, &mut writer).await?;
    writer.shutdown().await?;
    Ok(count)
}

#[tokio::test]
async fn bytes_in_pieces_of_any_size_come_back_in_order() -> io::Result<()> {
    over_all(async |near, far| {
        let echo = tokio::spawn(echo(far));
        let sent = some_bytes(2 * MIB);
        let (mut reader, mut writer) = tokio::io::split(near);
        let writing = async {
            let mut dice = Dice(42);
            let mut rest = &sent[..];
            while !rest.is_empty() {
                let most = [10, 2_000, 200_000][dice.up_to(2)];
                let (piece, later) = rest.split_at(rest.len().min(dice.up_to(most)));
                writer.write_all(piece).await?;
                rest = later;
                if dice.up_to(3) == 0 {
                    writer.flush().await?;
                }
            }
            writer.shutdown().await
        };
        let reading = async {
            let mut dice = Dice(43);
            let mut received = Vec::new();
            let mut memory = vec![0; 100_001];
            loop {
                let most = [10, 2_000, 100_000][dice.up_to(2)];
                let size = dice.up_to(most) + 1;
                match reader.read(&mut memory[..size]).await? {
                    0 => return io::Result::Ok(received),
                    count => received.extend_from_slice(&memory[..count]),
                }
            }
        };
        let (written, received) = tokio::join!(writing, reading);
        written?;
        assert!(received? == sent);
        assert_eq!(echo.await??, sent.len() as u64);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_request_is_read_to_its_end_and_then_answered_for_long() -> io::Result<()> {
    over_all(async |mut near, mut far| {
        let client = async {
            near.write_all(b"a request").await?;
            near.shutdown().await?;
            let mut answer = Vec::new();
            near.read_to_end(&mut answer).await?;
            for _ in 0..3 {
                assert_eq!(near.read(&mut [0; 9]).await?, 0);
            }
            io::Result::Ok(answer)
        };
        let server = async {
            let mut request = Vec::new();
            far.read_to_end(&mut request).await?;
            assert_eq!(request, b"a request");
            for _ in 0..200 {
                assert_eq!(far.read(&mut [0; 9]).await?, 0);
                far.write_all(&some_bytes(10_000)).await?;
                far.flush().await?;
                tokio::task::yield_now().await;
            }
            far.shutdown().await
        };
        let (answer, served) = tokio::join!(client, server);
        served?;
        assert!(answer? == some_bytes(10_000).repeat(200));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn what_is_written_before_a_read_need_not_be_flushed() -> io::Result<()> {
    over_all(async |mut near, mut far| {
        let client = async {
            for number in 0..100 {
                near.write_all(&[number]).await?;
                assert_eq!(near.read_u8().await?, number + 1);
            }
            io::Result::Ok(())
        };
        let server = async {
            for _ in 0..100 {
                let number = far.read_u8().await?;
                far.write_all(&[number + 1]).await?;
            }
            far.flush().await
        };
        tokio::try_join!(client, server).map(|_| ())
    })
    .await
}

#[tokio::test]
async fn a_peer_that_does_not_read_stops_the_writer_until_it_does() -> io::Result<()> {
    over_all(async |mut near, mut far| {
        let piece = some_bytes(100 * KIB);
        let mut written = 0;
        loop {
            let write = near.write(&piece[written % piece.len()..]);
            match tokio::time::timeout(Duration::from_millis(50), write).await {
                Ok(count) => written += count?,
                Err(_) => break,
            }
        }
        assert!(written < 40 * MIB, "{written} bytes are on their way");
        let reading = async {
            let mut received = Vec::new();
            far.read_to_end(&mut received).await?;
            io::Result::Ok(received)
        };
        let (ended, received) = tokio::join!(near.shutdown(), reading);
        ended?;
        let received = received?;
        assert_eq!(received.len(), written);
        assert!(
            received
                .chunks(piece.len())
                .all(|part| part == &piece[..part.len()])
        );
        Ok(())
    })
    .await
}

#[tokio::test]
async fn vectored_writes_keep_the_order() -> io::Result<()> {
    over_all(async |mut near, mut far| {
        let sent = some_bytes(300 * KIB);
        let writing = async {
            let mut rest = &sent[..];
            while !rest.is_empty() {
                let (first, more) = rest.split_at(rest.len().min(10));
                let (second, more) = more.split_at(more.len().min(70_000));
                let slices = [first, &[], second, more].map(IoSlice::new);
                let count = near.write_vectored(&slices).await?;
                rest = &rest[count..];
            }
            near.shutdown().await
        };
        let mut received = Vec::new();
        let (written, read) = tokio::join!(writing, far.read_to_end(&mut received));
        written?;
        read?;
        assert!(received == sent);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn tiny_writes_and_reads_lose_nothing() -> io::Result<()> {
    over_all(async |mut near, mut far| {
        let sent = some_bytes(20_000);
        let writing = async {
            for byte in &sent {
                near.write_all(std::slice::from_ref(byte)).await?;
            }
            near.shutdown().await
        };
        let reading = async {
            for byte in &sent {
                assert_eq!(far.read_u8().await?, *byte);
            }
            far.read(&mut [0]).await
        };
        assert_eq!(tokio::try_join!(writing, reading)?.1, 0);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_read_into_no_memory_takes_nothing_and_is_no_end() -> io::Result<()> {
    over_all(async |mut near, mut far| {
        near.write_all(b"ab").await?;
        near.flush().await?;
        assert_eq!(far.read_u8().await?, b'a');
        assert_eq!(far.read(&mut []).await?, 0);
        assert_eq!(far.read_u8().await?, b'b');
        Ok(())
    })
    .await
}

#[tokio::test]
async fn after_a_shutdown_nothing_can_be_written() -> io::Result<()> {
    over_all(async |mut near, mut far| {
        near.shutdown().await?;
        let error = near.write(b"late").await.expect_err("ended");
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
        assert_eq!(far.read(&mut [0; 9]).await?, 0);
        far.write_all(b"still open").await?;
        far.shutdown().await?;
        let mut rest = String::new();
        near.read_to_string(&mut rest).await?;
        assert_eq!(rest, "still open");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn lines_are_read() -> io::Result<()> {
    over_all(async |mut near, far| {
        let text: String = (0..2_000).map(|line| format!("line {line}\n")).collect();
        let writing = async {
            near.write_all(text.as_bytes()).await?;
            near.shutdown().await
        };
        let reading = async {
            let mut lines = BufReader::new(far).lines();
            let mut count = 0;
            while let Some(line) = lines.next_line().await? {
                assert_eq!(line, format!("line {count}"));
                count += 1;
            }
            io::Result::Ok(count)
        };
        assert_eq!(tokio::try_join!(writing, reading)?.1, 2_000);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_reader_dropped_at_each_poll_loses_no_byte() -> io::Result<()> {
    over_all(async |mut near, mut far| {
        let sent = some_bytes(MIB);
        let writing = async {
            for piece in sent.chunks(7_777) {
                near.write_all(piece).await?;
                near.flush().await?;
                tokio::task::yield_now().await;
            }
            near.shutdown().await
        };
        let reading = async {
            let mut received = Vec::new();
            let mut memory = vec![0; 5_000];
            loop {
                // A new future for each poll; the wake-up is for the task.
                let read = poll_fn(|context| pin!(far.read(&mut memory)).poll(context)).await?;
                match read {
                    0 => return io::Result::Ok(received),
                    count => received.extend_from_slice(&memory[..count]),
                }
            }
        };
        let (written, received) = tokio::join!(writing, reading);
        written?;
        assert!(received? == sent);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_writer_dropped_at_each_poll_has_written_what_it_told() -> io::Result<()> {
    over_all(async |mut near, mut far| {
        let sent = some_bytes(4 * MIB);
        let writing = async {
            let mut rest = &sent[..];
            while !rest.is_empty() {
                let piece = &rest[..rest.len().min(50_000)];
                match poll_once(pin!(near.write(piece))).await {
                    Poll::Ready(count) => rest = &rest[count?..],
                    Poll::Pending => tokio::task::yield_now().await,
                }
                if rest.len().is_multiple_of(3) {
                    let _ = poll_once(pin!(near.flush())).await;
                }
            }
            near.shutdown().await
        };
        let mut received = Vec::new();
        let (written, read) = tokio::join!(writing, far.read_to_end(&mut received));
        written?;
        read?;
        assert!(received == sent);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_stream_dropped_with_unread_bytes_is_an_error_and_no_end() -> io::Result<()> {
    for way in [Way::Tcp, Way::WebSocket] {
        let (mut near, mut far) = ends(way).await;
        far.write_all(b"read, and not read").await?;
        far.flush().await?;
        near.read_u8().await?;
        drop(near);
        let read = far.read_to_end(&mut Vec::new()).await;
        read.expect_err("dropped");
    }
    Ok(())
}

#[tokio::test]
async fn a_relay_tells_how_much_it_carried() -> io::Result<()> {
    for (first, second) in [
        (Way::Tcp, Way::WebSocket),
        (Way::WebSocket, Way::Tcp),
        (Way::WebSocket, Way::WebSocket),
    ] {
        let (mut near, mut left) = hop(first).await;
        let (mut right, mut far) = hop(second).await;
        let relay = tokio::spawn(async move { copy_bidirectional(&mut left, &mut right).await });
        let there = async {
            near.write_all(&some_bytes(300_000)).await?;
            near.shutdown().await?;
            near.read_to_end(&mut Vec::new()).await
        };
        let back = async {
            let count = far.read_to_end(&mut Vec::new()).await?;
            far.write_all(&some_bytes(500_000)).await?;
            far.shutdown().await?;
            io::Result::Ok(count)
        };
        assert_eq!(tokio::try_join!(there, back)?, (500_000, 300_000));
        assert_eq!(assert_ok!(relay.await?), (300_000, 500_000));
    }
    Ok(())
}
