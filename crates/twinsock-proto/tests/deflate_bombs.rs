//! What little input can make of compression: memory and work are bounded.

use std::time::{Duration, Instant};

use peak_alloc::PeakAlloc;
use twinsock_proto::{
    ContextTakeover, Deflate, DeflateDirection, DeflateParameters, Failure, LimitExceeded, Limits,
    ReceiveMode, Role, Settings, WindowBits,
};
use twinsock_testkit::endpoint::Endpoint;
use twinsock_testkit::wire;
use zlib_rs::{DeflateConfig, DeflateFlush};

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

const MIB: usize = 1 << 20;

fn settings(takeover: ContextTakeover, max_message_size: u64) -> Settings {
    let direction = DeflateDirection {
        window_bits: WindowBits::MAX,
        context_takeover: takeover,
    };
    let parameters = DeflateParameters {
        client: direction,
        server: direction,
    };
    Settings {
        limits: Limits {
            max_message_size: Some(max_message_size),
            ..Limits::default()
        },
        deflate: Some(Deflate::new(parameters)),
        ..Settings::default()
    }
}

/// Compressed as small as zlib can, without the tail.
fn compressed(pieces: impl Iterator<Item = Vec<u8>>) -> Vec<u8> {
    let mut zlib = zlib_rs::Deflate::new_with_config(DeflateConfig {
        level: 9,
        window_bits: -15,
        ..DeflateConfig::default()
    });
    let mut payload = Vec::new();
    let mut output = vec![0; 1 << 16];
    let mut add = |piece: &[u8], flush| {
        let (start, mut consumed) = (zlib.total_in(), 0);
        loop {
            let before = zlib.total_out();
            zlib.compress(&piece[consumed..], &mut output, flush)
                .expect("room");
            let count = usize::try_from(zlib.total_out() - before).expect("64 KiB");
            payload.extend_from_slice(&output[..count]);
            consumed = usize::try_from(zlib.total_in() - start).expect("small");
            if count < output.len() {
                return;
            }
        }
    };
    for piece in pieces {
        add(&piece, DeflateFlush::NoFlush);
    }
    add(&[], DeflateFlush::SyncFlush);
    payload.truncate(payload.len() - 4);
    payload
}

/// So many times 2 MiB of zeros, each in 2 KiB that stand for themselves.
fn zeros(times: usize) -> Vec<u8> {
    let mut piece = compressed(std::iter::once(vec![0; 2 * MIB]));
    piece.extend([0x00, 0x00, 0xFF, 0xFF]);
    let mut payload = piece.repeat(times);
    payload.truncate(payload.len() - 4);
    payload
}

/// What reading these bytes took.
#[derive(Debug)]
struct Cost {
    memory: usize,
    time: Duration,
}

/// Receives a message with this payload and passes over what comes out.
#[expect(clippy::disallowed_methods, reason = "the time is the result")]
#[expect(clippy::print_stdout, reason = "the measured numbers are the result")]
fn receive(name: &str, settings: Settings, payload: &[u8]) -> (Endpoint, usize, Cost) {
    let mut client = Endpoint::with_settings(Role::Client, settings);
    let wire = wire::binary(payload).reserved(0b100).bytes();
    let before = ALLOCATOR.current_usage();
    ALLOCATOR.reset_peak_usage();
    let start = Instant::now();
    let mut received = 0;
    for piece in wire.chunks(64 << 10) {
        let mut rest = piece;
        while !rest.is_empty() {
            let count = rest.len().min(16 << 10);
            client.receive(&rest[..count]);
            rest = &rest[count..];
            let messages = client.messages();
            received += messages.iter().map(|message| message.len()).sum::<usize>();
        }
    }
    let time = start.elapsed();
    let memory = ALLOCATOR.peak_usage().saturating_sub(before);
    println!(
        "{name}: {} bytes in, {received} out, {memory} bytes of memory at most, {time:?}",
        payload.len()
    );
    (client, received, Cost { memory, time })
}

fn failure(client: &Endpoint) -> Option<&Failure> {
    client
        .connection
        .ending()
        .and_then(|closed| closed.failure())
}

fn is_too_big(client: &Endpoint, limit: u64) -> bool {
    matches!(
        failure(client),
        Some(Failure::LimitExceeded(LimitExceeded::MessageSize { limit: told, .. }))
            if *told == limit
    )
}

/// One test, since memory is that of the whole process.
#[test]
fn memory_and_work_are_bounded() {
    a_gibibyte_of_zeros_stops_at_the_limit();
    parts_are_bounded();
    blocks_without_content_are_bounded();
    tiny_members_cost_what_they_weigh();
}

fn a_gibibyte_of_zeros_stops_at_the_limit() {
    // A GiB in a MiB.
    let bomb = zeros(512);
    assert!(bomb.len() < MIB + MIB / 16, "{}", bomb.len());
    for takeover in [ContextTakeover::On, ContextTakeover::Off] {
        let limit = 4 * MIB as u64;
        let (client, received, cost) = receive("bomb", settings(takeover, limit), &bomb);
        assert!(is_too_big(&client, limit), "{:?}", failure(&client));
        assert_eq!(received, 0);
        // The message doubles its memory up to the limit, and the old is there until it is moved.
        assert!(cost.memory < 7 * MIB, "{cost:?}");
    }
    // A bomb within a bomb is a message like any other.
    let nested = compressed(std::iter::once(bomb));
    let limit = 16 * MIB as u64;
    let (client, received, _) = receive("nested", settings(ContextTakeover::Off, limit), &nested);
    assert_eq!(failure(&client), None);
    assert!(received < 2 * MIB, "{received}");
    // Exactly the limit is none too many, and a byte more is.
    for (size, fits) in [(MIB, true), (MIB + 1, false)] {
        let payload = compressed(std::iter::once(vec![0; size]));
        let settings = settings(ContextTakeover::On, MIB as u64);
        let (client, received, _) = receive("limit", settings, &payload);
        assert_eq!(received == size, fits);
        assert_eq!(is_too_big(&client, MIB as u64), !fits);
    }
}

fn parts_are_bounded() {
    let bomb = zeros(32);
    let settings = Settings {
        receive_mode: ReceiveMode::PartialMessage,
        ..settings(ContextTakeover::On, 10)
    };
    let mut client = Endpoint::with_settings(Role::Client, settings);
    let wire = wire::binary(&bomb).reserved(0b100).bytes();
    let mut memory = client.connection.receive_memory();
    bytes::BufMut::put_slice(&mut memory, &wire[..wire.len().min(60_000)]);
    drop(memory);
    client.connection.handle_received(client.now);
    let before = ALLOCATOR.current_usage();
    ALLOCATOR.reset_peak_usage();
    let mut total = 0;
    while let Some(part) = client.connection.poll_message() {
        assert!(part.len() <= 64 << 10, "{}", part.len());
        total += part.len();
    }
    assert!(total > 50 * MIB, "{total}");
    let memory = ALLOCATOR.peak_usage().saturating_sub(before);
    assert!(memory < 256 << 10, "{memory}");
}

/// What stands for nothing: an empty stored block, four with fixed codes (each has ten bits), and
/// one that is the last of a member.
const EMPTY_BLOCKS: [&[u8]; 3] = [
    &[0x00, 0x00, 0x00, 0xFF, 0xFF],
    &[0x02, 0x08, 0x20, 0x80, 0x00],
    &[0x03, 0x00],
];

fn blocks_without_content_are_bounded() {
    for mode in [ReceiveMode::FullMessage, ReceiveMode::PartialMessage] {
        for block in EMPTY_BLOCKS {
            let mut settings = settings(ContextTakeover::On, u64::MAX);
            settings.receive_mode = mode;
            let endless = block.repeat(4 * MIB / block.len());
            let (client, received, cost) = receive("endless", settings, &endless);
            let limit = 64 << 10;
            let expected = Failure::LimitExceeded(LimitExceeded::EmptyBlocks { limit });
            assert_eq!(failure(&client), Some(&expected), "{block:?}");
            assert_eq!(received, 0);
            assert!(cost.memory < 256 << 10, "{cost:?}");
        }
    }
    // Where something comes out now and then, what comes out is bounded, and what comes in.
    let mut some = EMPTY_BLOCKS[0].repeat(10_000);
    some.extend([0x73, 0x04, 0x00]);
    let most = some.repeat(MIB / some.len());
    let limit = MIB as u64;
    let (client, received, _) = receive("spaced", settings(ContextTakeover::On, limit), &most);
    assert_eq!(failure(&client), None);
    assert_eq!(received, MIB / some.len());
    let endless = some.repeat(2 * MIB / some.len());
    let (client, ..) = receive("spaced", settings(ContextTakeover::On, limit), &endless);
    assert!(is_too_big(&client, limit), "{:?}", failure(&client));
}

fn tiny_members_cost_what_they_weigh() {
    let nearly_all_empty = [EMPTY_BLOCKS[2].repeat(999), vec![0x73, 0x04, 0x00]].concat();
    for (name, members) in [
        ("a million members, most of them empty", nearly_all_empty),
        (
            "a million members of a byte",
            [0x73, 0x04, 0x00].repeat(1_000),
        ),
    ] {
        let half = members.repeat(500);
        let whole = members.repeat(1_000);
        let settings = settings(ContextTakeover::On, 64 * MIB as u64);
        let (_, least, first) = receive(name, settings, &half);
        let (client, received, second) = receive(name, settings, &whole);
        assert_eq!(failure(&client), None);
        assert!(received == 2 * least && least >= 500, "{received} {least}");
        // Linear: twice as many cost no more than four times as much.
        let most = first.time * 4 + Duration::from_millis(500);
        assert!(second.time < most, "{first:?} {second:?}");
        assert!(second.memory < 8 * MIB, "{second:?}");
    }
}
