//! What a hostile peer makes an endpoint hold, counted by the allocator (RFC 6455 §10.4).
//!
//! *Held* is what is allocated between two inputs; *peak* also counts the moment in which a
//! buffer is moved to a larger one.

use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::BufMut;
use peak_alloc::PeakAlloc;
use proptest::prelude::*;
use twinsock_proto::{Connection, Limits, ReceiveMode, Role, Settings};
use twinsock_testkit::endpoint::Endpoint;
use twinsock_testkit::wire;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// The allocator counts for the whole process: one test at a time.
static TURN: Mutex<()> = Mutex::new(());

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;
const MILLION: usize = 1_000_000;

/// The read memory, a little, and what the test runner's other threads allocate meanwhile.
const FIXED: usize = 80 * KIB;

/// Held by a test from its first line to its last.
fn turn() -> MutexGuard<'static, ()> {
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Counts what is allocated beyond what was there at the beginning.
struct Count {
    before: usize,
    held: usize,
}

impl Count {
    fn begin() -> Self {
        ALLOCATOR.reset_peak_usage();
        Self {
            before: ALLOCATOR.current_usage(),
            held: 0,
        }
    }

    /// To be called between two inputs.
    fn sample(&mut self) {
        let now = ALLOCATOR.current_usage().saturating_sub(self.before);
        self.held = self.held.max(now);
    }

    #[expect(clippy::print_stdout, reason = "the measured numbers are the result")]
    fn assert_at_most(self, attack: &str, held: usize, peak: usize) {
        let most = ALLOCATOR.peak_usage().saturating_sub(self.before);
        println!("{attack}: held {} bytes, peak {most}", self.held);
        assert!(self.held <= held, "{attack}: held {} > {held}", self.held);
        assert!(most <= peak, "{attack}: peak {most} > {peak}");
    }
}

fn server(max_message_size: Option<u64>) -> Endpoint {
    let settings = Settings {
        limits: Limits {
            max_message_size,
            ..Limits::default()
        },
        ..Settings::default()
    };
    Endpoint::with_settings(Role::Server, settings)
}

const ONE_MIB: Option<u64> = Some(1 << 20);

#[test]
fn an_idle_connection_holds_next_to_nothing() {
    let _turn = turn();
    let mut count = Count::begin();
    let servers: Vec<Endpoint> = (0..100).map(|_| server_after_traffic()).collect();
    count.sample();
    assert!(servers.iter().all(|server| server.connection.is_open()));
    // The connections themselves are on the heap here, and the test's record of each.
    count.assert_at_most("100 idle connections", 150 * KIB, 150 * KIB + FIXED);
}

fn server_after_traffic() -> Endpoint {
    let mut server = server(ONE_MIB);
    server.receive_frames(&[wire::text("hello")]);
    server.send("hello").expect("open");
    server.transmitted();
    server.messages();
    server.connection.take_idle_memory();
    server
}

#[test]
fn a_million_pings_of_a_peer_that_never_reads() {
    let _turn = turn();
    let ping = wire::ping([7; 125]).masked().bytes();
    let mut count = Count::begin();
    let mut server = server(ONE_MIB);
    for _ in 0..MILLION {
        server.receive(&ping);
        server.connection.poll_transmit();
        count.sample();
    }
    assert!(server.connection.is_open());
    // The queue is a vector that doubles until it holds its limit.
    count.assert_at_most("ping flood", FIXED + 128 * KIB, FIXED + 192 * KIB);
}

#[test]
fn a_million_fragments_of_one_byte() {
    let _turn = turn();
    // So that a buffer that only doubles would end well above the limit.
    let start = [b'x'; 40_000];
    let limit = 1_050_000;
    for (name, first) in [("binary", wire::binary(start)), ("text", wire::text(start))] {
        let first = first.fragment().masked().bytes();
        let fragment = wire::continuation("x").fragment().masked().bytes();
        let mut count = Count::begin();
        let mut server = server(Some(limit as u64));
        server.receive(&first);
        for _ in 0..MILLION {
            server.receive(&fragment);
            count.sample();
        }
        assert!(server.connection.is_open());
        let attack = format!("one-byte fragments, {name}");
        count.assert_at_most(&attack, FIXED + limit, FIXED + 2 * limit);
    }
}

#[test]
fn a_million_empty_fragments() {
    let _turn = turn();
    let first = wire::text("").fragment().masked().bytes();
    let fragment = wire::continuation("").fragment().masked().bytes();
    let mut count = Count::begin();
    let mut server = server(ONE_MIB);
    server.receive(&first);
    for _ in 0..MILLION {
        server.receive(&fragment);
        count.sample();
    }
    assert!(server.connection.is_open());
    count.assert_at_most("empty fragments", FIXED, FIXED);
}

#[test]
fn a_message_that_stops_one_byte_short_of_the_limit() {
    let _turn = turn();
    let first = wire::binary("").fragment().masked().bytes();
    let fragment = wire::continuation(vec![7; MIB / 32]).fragment();
    let fragment = fragment.masked().bytes();
    let last = wire::continuation(vec![7; MIB / 32 - 1]).fragment();
    let last = last.masked().bytes();
    let mut count = Count::begin();
    let mut server = server(ONE_MIB);
    server.receive(&first);
    for _ in 0..31 {
        server.receive(&fragment);
        count.sample();
    }
    server.receive(&last);
    count.sample();
    assert!(server.connection.is_open());
    count.assert_at_most("limit minus one", FIXED + MIB, FIXED + 2 * MIB);
}

#[test]
fn a_claim_of_two_to_the_sixty_second() {
    let _turn = turn();
    for max_message_size in [None, Some(1 << 63), ONE_MIB] {
        for frame in [wire::binary([7; 1_000]), wire::text([b'x'; 1_000])] {
            let bytes = frame.claims(1 << 62).masked().bytes();
            let mut count = Count::begin();
            let mut server = server(max_message_size);
            server.receive(&bytes);
            // Ready to read on.
            assert!(server.connection.receive_memory().has_remaining_mut());
            count.sample();
            count.assert_at_most("claim of 2^62", 2 * FIXED, 2 * FIXED);
        }
    }
}

#[test]
fn a_kept_part_of_a_text_holds_no_more_than_itself() {
    let _turn = turn();
    let text = wire::text([b'x'; 60_000]).claims(1 << 30).masked().bytes();
    let mut count = Count::begin();
    let mut server = server(None);
    server
        .connection
        .set_receive_mode(ReceiveMode::PartialMessage);
    server.receive(&text);
    count.sample();
    count.assert_at_most("part of a text", FIXED + 60_000, FIXED + 60_000);
}

#[test]
fn an_endless_drip_of_single_bytes() {
    let _turn = turn();
    // 14 bytes of header, then the payload: never more than a frame is under way.
    let frame = wire::binary(vec![7; 70_000]).masked().bytes();
    let mut count = Count::begin();
    let mut server = server(ONE_MIB);
    for _ in 0..10 {
        for byte in &frame {
            server.receive(std::slice::from_ref(byte));
            count.sample();
        }
        server.messages();
    }
    // A message that the application has not taken yet is its own memory.
    count.assert_at_most("drip", FIXED + 140_000, FIXED + 280_000);
}

#[test]
fn headers_that_never_end() {
    let _turn = turn();
    let header = wire::binary("").claims(1 << 20).masked().bytes();
    let (_, incomplete) = header.split_last().expect("not empty");
    let mut count = Count::begin();
    let mut servers: Vec<_> = (0..100).map(|_| server(ONE_MIB)).collect();
    for byte in incomplete {
        for server in &mut servers {
            server.receive(std::slice::from_ref(byte));
            server.connection.take_idle_memory();
        }
        count.sample();
    }
    count.assert_at_most("100 incomplete headers", 100 * KIB, 100 * KIB + FIXED);
}

#[test]
fn a_queue_that_is_never_empty() {
    let _turn = turn();
    let mut count = Count::begin();
    let mut client = Endpoint::new(Role::Client);
    client.connection.send_binary(&[7; 1_000]).expect("open");
    for _ in 0..100_000 {
        client.connection.send_binary(&[7; 1_000]).expect("open");
        client.transmit_at_most(1_008);
        count.sample();
    }
    count.assert_at_most("never empty queue", 16 * KIB, 16 * KIB);
}

#[test]
fn what_comes_after_the_close() {
    let _turn = turn();
    let garbage = vec![0xFF; 16 * KIB];
    let mut count = Count::begin();
    let mut server = server(ONE_MIB);
    let big = wire::binary(vec![7; MIB / 2]).fragment().masked().bytes();
    server.receive(&big);
    drop(big);
    server.receive_frames(&[wire::frame(0x83, "")]);
    server.transmitted();
    // The unfinished message is gone at once.
    count.sample();
    for _ in 0..1_000 {
        server.receive(&garbage);
        count.sample();
    }
    count.assert_at_most("data after a failure", FIXED, FIXED + 2 * MIB);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Neither a panic nor more than the limit, whatever comes.
    #[test]
    fn arbitrary_frames_stay_within_the_limit(
        frames in prop::collection::vec((any::<u8>(), 0u64..40_000, 0usize..20_000), 1..40),
        is_server: bool,
    ) {
        let _turn = turn();
        let role = if is_server { Role::Server } else { Role::Client };
        let bytes: Vec<_> = frames.iter().map(|&(first, claim, size)| {
            // Mostly opcodes that exist, so that much gets through.
            let first = first & 0x80 | [0, 0, 0, 1, 2, 9, 10, first & 0x0F][usize::from(first & 7)];
            wire::frame(first, vec![b'x'; size]).claims(claim).sent_by(role.peer()).bytes()
        }).collect();
        let settings = Settings {
            limits: Limits { max_message_size: Some(50_000), ..Limits::default() },
            ..Settings::default()
        };
        let mut count = Count::begin();
        let mut endpoint = Endpoint::with_settings(role, settings);
        for bytes in &bytes {
            feed(&mut endpoint.connection, endpoint.now, bytes, &mut count);
        }
        count.assert_at_most("arbitrary frames", FIXED + 50_000, FIXED + 100_000);
    }
}

/// Reads without keeping what comes.
fn feed(connection: &mut Connection, now: std::time::Instant, mut bytes: &[u8], count: &mut Count) {
    while !bytes.is_empty() {
        let mut memory = connection.receive_memory();
        let size = bytes.len().min(memory.remaining_mut());
        memory.put_slice(&bytes[..size]);
        drop(memory);
        bytes = &bytes[size..];
        connection.handle_received(now);
        while connection.poll_event().is_some() {}
        count.sample();
    }
}

/// What is behind a Close frame is passed over, so none of it is collected.
#[test]
fn a_message_behind_a_close_that_is_held() {
    let _turn = turn();
    for (name, frame) in [("binary", wire::binary("x")), ("text", wire::text("x"))] {
        let frame = frame.claims(8 * MIB as u64).masked_with([0; 4]).bytes();
        let mut server = server(Some(16 * MIB as u64));
        let mut count = Count::begin();
        server.deliver_frames(&[wire::close(1000, "")]);
        assert!(!server.connection.has_event_ahead());
        let pieces = std::iter::repeat_n(&[b'x'; KIB][..], 7 * KIB);
        for bytes in std::iter::once(&frame[..]).chain(pieces) {
            let mut memory = server.connection.receive_memory();
            let room = bytes.len().min(memory.remaining_mut());
            memory.put_slice(&bytes[..room]);
            drop(memory);
            server.connection.handle_received(server.now);
            assert!(!server.connection.has_event_ahead());
            count.sample();
        }
        assert!(server.connection.holds_close());
        let attack = format!("{name} behind a Close");
        count.assert_at_most(&attack, FIXED + 128 * KIB, FIXED + 192 * KIB);
    }
}
