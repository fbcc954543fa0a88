//! What compression holds in memory.

use peak_alloc::PeakAlloc;
use twinsock_proto::{
    ContextTakeover, Deflate, DeflateDirection, DeflateParameters, Settings, WindowBits,
};
use twinsock_testkit::pair::Pair;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// Enough that what the pool keeps for all hardly counts.
const PAIRS: usize = 100;

fn settings(window_bits: u8, context_takeover: ContextTakeover) -> Settings {
    let direction = DeflateDirection {
        window_bits: WindowBits::new(window_bits).expect("8 to 15"),
        context_takeover,
    };
    let parameters = DeflateParameters {
        client: direction,
        server: direction,
    };
    Settings {
        deflate: Some(Deflate::new(parameters)),
        ..Settings::default()
    }
}

/// Two that have compressed for each other, and hold nothing else.
fn used(settings: Settings, text: &str) -> Pair {
    let mut pair = Pair::with_settings(settings);
    for _ in 0..3 {
        pair.client.send(text).expect("open");
        pair.server.send(text).expect("open");
        pair.settle();
        assert_eq!(pair.client.messages(), [text.into()]);
        assert_eq!(pair.server.messages(), [text.into()]);
    }
    for endpoint in [&mut pair.client, &mut pair.server] {
        drop(endpoint.connection.take_idle_memory());
    }
    pair
}

/// Bytes for each connection, busy and idle.
fn held(settings: Settings, pairs: usize, text: &str) -> (isize, isize) {
    // The pool is filled.
    let mut first: Vec<Pair> = (0..8).map(|_| used(settings, text)).collect();
    release(&mut first);
    drop(first);
    let before = ALLOCATOR.current_usage();
    let each = || {
        let more = ALLOCATOR.current_usage().cast_signed() - before.cast_signed();
        more / (2 * pairs).cast_signed()
    };
    let mut pairs: Vec<Pair> = (0..pairs).map(|_| used(settings, text)).collect();
    let busy = each();
    release(&mut pairs);
    (busy, each())
}

fn release(pairs: &mut [Pair]) {
    for pair in pairs {
        pair.client.connection.release_deflate();
        pair.server.connection.release_deflate();
    }
}

#[test]
#[expect(clippy::print_stdout, reason = "the measured numbers are the result")]
fn an_idle_connection_holds_a_window_for_each_direction_at_most() {
    let line = |number: u64| format!("{{\"id\":{number},\"hash\":{}}},", number.pow(5));
    let text: String = (1..1_500).map(line).collect();
    assert!(text.len() > 40_000);
    let (_, plain) = held(Settings::default(), PAIRS, &text);
    println!("without compression: {plain} bytes for each connection");
    let (_, idle) = held(settings(15, ContextTakeover::Off), PAIRS, &text);
    println!("without takeover: {} bytes more", idle - plain);
    // What the queue keeps differs by a little.
    assert!(idle - plain < 512);
    for window_bits in [8, 10, 12, 15] {
        let settings = settings(window_bits, ContextTakeover::On);
        let (busy, idle) = held(settings, PAIRS / 4, &text);
        println!(
            "takeover, {window_bits} bits: {} bytes more while busy, {} while idle",
            busy - plain,
            idle - plain
        );
        assert!(
            idle - plain < (2 << window_bits) + 512,
            "{window_bits}: {idle}"
        );
    }
}

#[test]
fn a_connection_without_compression_is_hardly_larger() {
    // 712 bytes before compression came; then a pointer and what is counted.
    let size = size_of::<twinsock_proto::Connection>();
    assert!(size <= 728, "{size}");
}
