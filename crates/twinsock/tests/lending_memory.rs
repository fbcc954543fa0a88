//! What lending costs in memory, counted by the allocator. It counts for the whole process, so
//! there is one test.

use std::time::Duration;

use peak_alloc::PeakAlloc;
use tokio::time::timeout;
use twinsock::{CloseCode, Message, MessageLender, MessageRef, MessageWebSocket, Timeouts};
use twinsock_testkit::raw::REQUEST;
use twinsock_testkit::script::{Script, Step};
use twinsock_testkit::sockets::{PATIENT, server_over};
use twinsock_testkit::wire::{self, Frame};

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

const KIB: usize = 1024;
const SIZE: usize = 16;

/// With its header a power of two, so that no read ends in the midst of a message: one that is
/// cut is put together in memory of its own.
const UNCUT: usize = 26;

/// Several times what the read memory holds.
const COUNT: usize = 40_000;

/// What is allocated while `action` runs, at its highest, and what is left of it.
async fn counted<T>(action: impl Future<Output = T>) -> (T, usize, usize) {
    let before = ALLOCATOR.current_usage();
    ALLOCATOR.reset_peak_usage();
    let result = action.await;
    let peak = ALLOCATOR.peak_usage().saturating_sub(before);
    let held = ALLOCATOR.current_usage().saturating_sub(before);
    (result, peak, held)
}

/// A server that can read all of these frames at once, and then waits.
async fn server(frames: &[Frame]) -> MessageWebSocket {
    let masked: Vec<_> = frames.iter().cloned().map(Frame::masked).collect();
    let steps = [
        Step::Bytes(REQUEST.into()),
        Step::Bytes(wire::join(&masked)),
    ];
    let script = Script::new(steps, []);
    let timeouts = Timeouts {
        close: Duration::from_secs(1),
        ..PATIENT
    };
    server_over(script, timeouts).await.expect("a good request")
}

fn frames(size: usize) -> Vec<Frame> {
    let text = || wire::text(vec![b'x'; size]);
    let binary = || wire::binary(vec![7; size]);
    (0..COUNT / 2).flat_map(|_| [text(), binary()]).collect()
}

async fn lender(size: usize) -> MessageLender {
    let socket = server(&frames(size)).await;
    let (_, receiver) = socket.split();
    receiver.lend()
}

async fn look_at(lender: &mut MessageLender, count: usize) -> usize {
    let mut bytes = 0;
    for _ in 0..count {
        let message = lender.receive().await.expect("open").expect("a message");
        bytes += message.as_bytes().len();
    }
    bytes
}

async fn keep(lender: &mut MessageLender, kept: &mut Vec<Message>) {
    let message = lender.receive().await.expect("open").expect("a message");
    kept.push(MessageRef::into_owned(message));
}

#[tokio::test(start_paused = true)]
async fn lending_allocates_nothing_and_what_is_kept_is_no_more_than_itself() {
    looking_allocates_nothing().await;
    keeping_allocates_what_is_kept().await;
    one_that_is_kept_pins_nothing().await;
    nothing_is_held_when_all_was_looked_at().await;
    nothing_is_held_when_the_connection_ended_meanwhile().await;
}

#[expect(clippy::print_stdout, reason = "the measured numbers are the result")]
async fn looking_allocates_nothing() {
    let mut lender = lender(UNCUT).await;
    // Once it was read and waited, the memory for both is there.
    look_at(&mut lender, COUNT / 2).await;
    let rest = COUNT / 2;
    let (bytes, peak, _) = counted(look_at(&mut lender, rest)).await;
    assert_eq!(bytes, rest * UNCUT);
    println!("{rest} messages looked at: {peak} bytes allocated");
    assert_eq!(peak, 0);
}

#[expect(clippy::print_stdout, reason = "the measured numbers are the result")]
async fn keeping_allocates_what_is_kept() {
    let mut lender = lender(SIZE).await;
    look_at(&mut lender, 1).await;
    let mut kept = Vec::with_capacity(1_000);
    let keeping = async {
        for _ in 0..1_000 {
            keep(&mut lender, &mut kept).await;
        }
    };
    let ((), peak, held) = counted(keeping).await;
    println!("1000 messages of {SIZE} bytes kept: {held} bytes, peak {peak}");
    // No second allocation, not even for a while.
    assert_eq!(held, 1_000 * SIZE);
    assert_eq!(peak, held);
}

#[expect(clippy::print_stdout, reason = "the measured numbers are the result")]
async fn one_that_is_kept_pins_nothing() {
    let mut kept = Vec::with_capacity(1);
    let (rest, _, _) = counted(async {
        let mut lender = lender(SIZE).await;
        look_at(&mut lender, 1).await;
        keep(&mut lender, &mut kept).await;
        lender
    })
    .await;
    drop(rest);
    // The farewell of the socket.
    tokio::task::yield_now().await;
    let before = ALLOCATOR.current_usage();
    kept.clear();
    let pinned = before - ALLOCATOR.current_usage();
    println!("one message of {SIZE} bytes pinned {pinned} bytes");
    assert!(pinned < 200);
}

#[expect(clippy::print_stdout, reason = "the measured numbers are the result")]
async fn nothing_is_held_when_all_was_looked_at() {
    let before = ALLOCATOR.current_usage();
    let mut lenders = Vec::with_capacity(10);
    for _ in 0..10 {
        let mut lender = lender(SIZE).await;
        look_at(&mut lender, COUNT).await;
        let more = timeout(Duration::from_secs(1), lender.receive()).await;
        assert!(more.is_err(), "nothing else comes");
        lenders.push(lender);
    }
    let held = ALLOCATOR.current_usage().saturating_sub(before) / lenders.len();
    println!("an idle lender holds {held} bytes");
    // The thread may keep one read memory more as a spare.
    assert!(held < 16 * KIB, "{held}");
}

#[expect(clippy::print_stdout, reason = "the measured numbers are the result")]
async fn nothing_is_held_when_the_connection_ended_meanwhile() {
    let before = ALLOCATOR.current_usage();
    let mut sockets = Vec::with_capacity(10);
    for _ in 0..10 {
        let (sender, receiver) = server(&frames(SIZE)).await.split();
        let mut lender = receiver.lend();
        look_at(&mut lender, 1).await;
        let closed = sender.close(CloseCode::NORMAL, "").await;
        assert!(closed.is_err(), "the peer's answer cannot be read");
        while let Ok(Some(_)) = lender.receive().await {}
        sockets.push((sender, lender));
    }
    let held = ALLOCATOR.current_usage().saturating_sub(before) / sockets.len();
    println!("a lender whose connection ended holds {held} bytes");
    assert!(held < 16 * KIB, "{held}");
}
