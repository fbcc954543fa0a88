//! What a byte stream holds: its buffers, whatever is carried.
//!
//! Memory is what the process allocates beyond what it had when the connection was open, both
//! ends together.

use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use peak_alloc::PeakAlloc;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream};
use twinsock::{AcceptOptions, StreamWebSocket, Timeouts};
use twinsock_proto::Role;
use twinsock_testkit::raw::RawPeer;
use twinsock_testkit::sockets::{PATIENT, server_of_raw as message_server_of_raw};
use twinsock_testkit::streams::{client_of_raw, pair, pair_over, patient, server_of_raw, tcp_pair};
use twinsock_testkit::wire;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// The allocator counts for the whole process: one test at a time.
static TURN: Mutex<()> = Mutex::new(());

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;
const TRANSFER: usize = 256 * MIB;
const ON_THE_WAY: usize = 64 * KIB;

/// Runs `transfer`, and tells the most that was held meanwhile.
async fn most_held(name: &str, transfer: impl Future<Output = io::Result<()>>) -> io::Result<()> {
    ALLOCATOR.reset_peak_usage();
    let before = ALLOCATOR.current_usage();
    transfer.await?;
    let most = ALLOCATOR.peak_usage().saturating_sub(before);
    report(&format!("{name}: at most {most} bytes of {MIB}"));
    assert!(most < MIB, "{name}: {most}");
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the measured numbers are the result")]
fn report(line: &str) {
    println!("{line}");
}

fn run(case: impl Future<Output = io::Result<()>>) {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let result = runtime.expect("a runtime").block_on(case);
    result.expect("the transfer is done");
}

/// Reads so many bytes in pieces and looks at none.
async fn swallow(reader: &mut (impl AsyncRead + Unpin), mut count: usize) -> io::Result<()> {
    let mut memory = vec![0; 32 * KIB];
    while count > 0 {
        match reader.read(&mut memory).await? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => count -= read,
        }
    }
    Ok(())
}

/// Writes so many bytes in pieces, each of them flushed.
async fn pour(
    writer: &mut (impl AsyncWrite + Unpin),
    count: usize,
    piece: usize,
) -> io::Result<()> {
    let bytes = vec![0; piece];
    for _ in 0..count / piece {
        writer.write_all(&bytes).await?;
        writer.flush().await?;
    }
    Ok(())
}

/// Sends so many bytes in frames of `size`, masked or not; a frame larger than memory in pieces.
async fn pour_frames(raw: &mut RawPeer<DuplexStream>, sender: Role, size: usize) -> io::Result<()> {
    let piece = size.min(64 * KIB);
    // Masked with zeros, so that the pieces need not be masked.
    let frame = wire::binary(vec![0; piece]).claims(size as u64);
    let frame = match sender {
        Role::Client => frame.masked_with([0; 4]),
        Role::Server => frame,
    };
    let bytes = frame.bytes();
    if size == piece {
        let many = bytes.repeat((64 * KIB).div_ceil(bytes.len()));
        let frames = many.len() / bytes.len();
        for _ in 0..TRANSFER / size / frames {
            raw.stream.write_all(&many).await?;
        }
        return Ok(());
    }
    raw.stream.write_all(&bytes).await?;
    let rest = vec![0; piece];
    for _ in 1..size / piece {
        raw.stream.write_all(&rest).await?;
    }
    Ok(())
}

async fn receive(
    (mut stream, mut raw): (StreamWebSocket, RawPeer<DuplexStream>),
    sender: Role,
    size: usize,
) -> io::Result<()> {
    let frames = TRANSFER / size;
    let batch = (64 * KIB).div_ceil(size + 2).max(1);
    // Whole batches only, see `pour_frames`.
    let least = if size > 64 * KIB {
        TRANSFER
    } else {
        frames.saturating_sub(batch) * size
    };
    let name = format!("frames of {size} bytes, sent by a {sender:?}");
    most_held(&name, async {
        let receiving = swallow(&mut stream, least);
        tokio::select! {
            received = receiving => received,
            sent = async {
                pour_frames(&mut raw, sender, size).await?;
                std::future::pending().await
            } => sent,
        }
    })
    .await
}

async fn server() -> io::Result<(StreamWebSocket, RawPeer<DuplexStream>)> {
    server_of_raw(AcceptOptions::new().timeouts(PATIENT), ON_THE_WAY).await
}

#[test]
fn tiny_frames() {
    run(async {
        receive(
            client_of_raw(patient(), ON_THE_WAY).await?,
            Role::Server,
            16,
        )
        .await?;
        receive(server().await?, Role::Client, 16).await
    });
}

#[test]
fn frames_of_64_kib() {
    run(async {
        receive(
            client_of_raw(patient(), ON_THE_WAY).await?,
            Role::Server,
            64 * KIB,
        )
        .await?;
        receive(server().await?, Role::Client, 64 * KIB).await
    });
}

#[test]
fn a_single_frame_larger_than_any_memory() {
    run(async {
        receive(
            client_of_raw(patient(), ON_THE_WAY).await?,
            Role::Server,
            TRANSFER,
        )
        .await?;
        receive(server().await?, Role::Client, TRANSFER).await
    });
}

#[test]
fn what_is_written_in_pieces_of_any_size() {
    run(async {
        let (mut client, mut server) = pair(ON_THE_WAY).await.map_err(io::Error::from)?;
        for (piece, total) in [(16, 8 * MIB), (64 * KIB, 64 * MIB), (64 * MIB, TRANSFER)] {
            // The application's own piece is not the stream's.
            let bytes = vec![0; piece];
            for name in ["to the server", "to the client"] {
                let name = format!("pieces of {piece} bytes {name}");
                most_held(&name, send_all((&mut client, &mut server), &bytes, total)).await?;
                std::mem::swap(&mut client, &mut server);
            }
        }
        Ok(())
    });
}

async fn send_all(
    (sender, receiver): (&mut StreamWebSocket, &mut StreamWebSocket),
    piece: &[u8],
    total: usize,
) -> io::Result<()> {
    let sending = async {
        for _ in 0..total / piece.len() {
            sender.write_all(piece).await?;
            sender.flush().await?;
        }
        Ok(())
    };
    tokio::try_join!(sending, swallow(receiver, total)).map(|_| ())
}

#[test]
fn a_stream_that_is_idle_after_traffic_holds_hardly_anything() {
    run(async {
        const STREAMS: usize = 20;
        let mut streams = Vec::with_capacity(2 * STREAMS);
        for _ in 0..STREAMS {
            // The system holds what is on the way.
            let (near, far) = tcp_pair().await?;
            streams.push(pair_over(near, far).await?);
        }
        // The first one fills the thread's spare memory.
        talk(&mut streams[0]).await?;
        let before = ALLOCATOR.current_usage();
        for stream in &mut streams[1..] {
            talk(stream).await?;
        }
        let held = ALLOCATOR.current_usage().saturating_sub(before) / (2 * (STREAMS - 1));
        report(&format!("idle after traffic: {held} bytes for each end"));
        assert!(held < 4 * KIB, "{held}");
        Ok(())
    });
}

/// Both directions carry something, and both ends wait again.
async fn talk((near, far): &mut (StreamWebSocket, StreamWebSocket)) -> io::Result<()> {
    for _ in 0..2 {
        tokio::try_join!(pour(near, MIB, 100 * KIB), swallow(far, 1000 * KIB))?;
        std::mem::swap(near, far);
    }
    for stream in [near, far] {
        let mut memory = [0; 9];
        let mut reading = tokio_test::task::spawn(stream.read(&mut memory));
        tokio_test::assert_pending!(reading.poll());
    }
    Ok(())
}

/// Whoever keeps an eye on a connection keeps nothing of what had come of a message.
#[test]
fn a_message_that_never_became_whole_is_gone_with_its_connection() {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let timeouts = Timeouts {
            receive: Some(Duration::from_secs(1)),
            close: Duration::from_secs(1),
            ..PATIENT
        };
        let pair = message_server_of_raw(timeouts, 1 << 16).await;
        let (server, mut peer) = pair.expect("a pair");
        server.attend();
        let before = ALLOCATOR.current_usage();
        let start = wire::binary(vec![0; 8 * MIB]).claims(9 * MIB as u64);
        peer.send(&[start.masked_with([0; 4])]).await.expect("open");
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert!(server.closed().is_some());
        let held = ALLOCATOR.current_usage().saturating_sub(before);
        report(&format!("after a message that stopped: {held} bytes"));
        assert!(held < MIB, "{held}");
    });
}
