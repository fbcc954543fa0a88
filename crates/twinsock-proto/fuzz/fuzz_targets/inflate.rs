//! Any bytes as compressed messages: read whole or in parts, and however they are cut, they are
//! the same; and what they become is compressed and inflated again.
//!
//! ```text
//! cd crates/twinsock-proto && cargo +nightly fuzz run inflate
//! ```

#![no_main]
#![allow(
    clippy::disallowed_methods,
    reason = "the time at the beginning is all there is"
)]

use std::time::Instant;

use bytes::{Buf, BufMut};
use libfuzzer_sys::fuzz_target;
use twinsock_proto::{
    Compress, Compression, Connection, ContextTakeover, Deflate, DeflateDirection, DeflateLevel,
    DeflateParameters, Limits, Message, ReceiveMode, Role, Settings, Transmit, WindowBits,
};

/// The first bytes of the input say how the rest is read.
struct Case<'a> {
    settings: Settings,
    /// How much is read at once.
    piece: usize,
    payloads: Vec<&'a [u8]>,
}

fn case(input: &[u8]) -> Option<Case<'_>> {
    let (&[flags, window, piece, separator], rest) = input.split_first_chunk()?;
    let direction = DeflateDirection {
        window_bits: WindowBits::new(8 + window % 8)?,
        context_takeover: match flags & 1 {
            0 => ContextTakeover::Off,
            _ => ContextTakeover::On,
        },
    };
    let parameters = DeflateParameters {
        client: direction,
        server: direction,
    };
    let deflate = Deflate {
        parameters,
        compression: Compression {
            level: DeflateLevel::new(1 + window / 8 % 9)?,
            ..Compression::default()
        },
    };
    let settings = Settings {
        limits: Limits {
            max_message_size: Some(1 << 20),
            ..Limits::default()
        },
        deflate: Some(deflate),
        ..Settings::default()
    };
    let piece = usize::from(piece).max(1);
    let payloads = rest.split(|&byte| byte == separator).take(8).collect();
    Some(Case {
        settings,
        piece,
        payloads,
    })
}

/// A server's frame of a compressed message.
fn frame(payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len()).unwrap_or(u16::MAX);
    let payload = &payload[..usize::from(length)];
    let mut frame = vec![0xC2];
    match length {
        0..=125 => frame.push(payload.len() as u8),
        _ => {
            frame.push(126);
            frame.extend(length.to_be_bytes());
        }
    }
    frame.extend(payload);
    frame
}

fn connection(role: Role, settings: Settings) -> Connection {
    Connection::new(role, settings, [7; 32], Instant::now())
}

/// All bytes that come out, how many messages, and whether it failed.
fn received(settings: Settings, wire: &[u8], piece: usize) -> (Vec<u8>, u64, bool) {
    let mut client = connection(Role::Client, settings);
    let mut bytes = Vec::new();
    for piece in wire.chunks(piece) {
        let mut memory = client.receive_memory();
        if memory.remaining_mut() < piece.len() {
            break;
        }
        memory.put_slice(piece);
        drop(memory);
        client.handle_received(Instant::now());
        while let Some(message) = client.poll_message() {
            bytes.extend_from_slice(message.as_bytes());
        }
    }
    let messages = client.statistics().received.messages;
    (bytes, messages, client.ending().is_some())
}

/// Compresses what came out, and inflates it again.
fn round_trip(settings: Settings, bytes: &[u8]) {
    let mut sender = connection(Role::Server, settings);
    let mut receiver = connection(Role::Client, settings);
    sender.set_compress(Compress::Always);
    for part in bytes.chunks(bytes.len() / 3 + 1) {
        sender.send(Message::from(part)).expect("open");
        sender.release_deflate();
        while let Some(Transmit::Bytes(queue)) = sender.poll_transmit() {
            let mut memory = receiver.receive_memory();
            let count = queue.remaining().min(memory.remaining_mut());
            memory.put(queue.take(count));
            drop(memory);
            sender.handle_transmitted(Instant::now(), count);
            receiver.handle_received(Instant::now());
            if let Some(message) = receiver.poll_message() {
                assert_eq!(message.as_bytes(), part);
            }
        }
    }
    assert_eq!(receiver.ending(), None);
}

fuzz_target!(|input: &[u8]| {
    let Some(case) = case(input) else {
        return;
    };
    let wire: Vec<u8> = case
        .payloads
        .iter()
        .flat_map(|payload| frame(payload))
        .collect();
    let whole = received(case.settings, &wire, usize::MAX);
    assert_eq!(received(case.settings, &wire, case.piece), whole);
    let in_parts = Settings {
        receive_mode: ReceiveMode::PartialMessage,
        ..case.settings
    };
    let (bytes, messages, has_failed) = received(in_parts, &wire, case.piece);
    if !whole.2 {
        assert_eq!((&bytes, messages, has_failed), (&whole.0, whole.1, false));
    }
    round_trip(case.settings, &bytes[..bytes.len().min(1 << 16)]);
});
