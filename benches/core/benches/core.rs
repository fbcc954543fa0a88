//! The core alone, `twinsock-proto`: one direction at a time, without a byte stream or a runtime.

use std::hint::black_box;
use std::time::Instant;

use bytes::{Buf, BufMut};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use twinsock_proto::handshake::HeadLimits;
use twinsock_proto::handshake::server::{AwaitRequest, Policy, Step};
use twinsock_proto::{Connection, Event, Message, Role, Settings, Transmit};

/// As much is handed to the core at once as from a socket.
const READ: usize = 64 << 10;
/// At least this much is received in one turn.
const BLOCK: usize = 256 << 10;
/// So many messages are sent between two transmissions.
const QUEUED: u64 = 16;
/// From this size on a message is shared, not copied.
const LARGE: usize = 4 << 10;
const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Version: 13\r\n\r\n";

fn opened(role: Role) -> Connection {
    Connection::new(role, Settings::default(), [7; 32], Instant::now())
}

fn binary(size: usize) -> Message {
    Message::from(vec![0x5a_u8; size])
}

fn text(size: usize) -> Message {
    Message::from("naïve 日本 ".repeat(size / 15))
}

/// Takes all that is queued as if it were written; calls `write` with it.
fn transmit(connection: &mut Connection, mut write: impl FnMut(&[u8])) {
    let now = Instant::now();
    while let Some(Transmit::Bytes(queue)) = connection.poll_transmit() {
        let bytes = queue.chunk();
        let count = bytes.len();
        write(bytes);
        queue.advance(count);
        connection.handle_transmitted(now, count);
    }
}

fn send(connection: &mut Connection, message: &Message) {
    let sent = match message {
        Message::Text(text) if text.len() < LARGE => connection.send_text(text),
        Message::Binary(bytes) if bytes.len() < LARGE => connection.send_binary(bytes),
        _ => connection.send(message.clone()),
    };
    sent.expect("the connection is open");
}

/// The same message again and again, with other mask keys, as a client sends it.
fn masked(message: &Message) -> (Vec<u8>, u64) {
    let (mut client, mut bytes, mut count) = (opened(Role::Client), Vec::new(), 0);
    while bytes.len() < BLOCK {
        send(&mut client, message);
        transmit(&mut client, |part| bytes.extend_from_slice(part));
        count += 1;
    }
    (bytes, count)
}

fn receive_all(server: &mut Connection, mut bytes: &[u8], now: Instant) {
    while bytes.has_remaining() {
        let mut memory = server.receive_memory();
        let count = bytes.len().min(READ).min(memory.remaining_mut());
        memory.put_slice(&bytes[..count]);
        drop(memory);
        bytes.advance(count);
        server.handle_received(now);
        while let Some(Event::MessageReceived(message)) = server.poll_event() {
            black_box(message.as_bytes());
        }
    }
}

/// Messages per second, as a server.
fn receive(criterion: &mut Criterion) {
    let cases = [
        ("binary/16", binary(16)),
        ("binary/125", binary(125)),
        ("text/125", text(125)),
        ("text/1024", text(1 << 10)),
        ("binary/65536", binary(64 << 10)),
        ("text/65536", text(64 << 10)),
        ("binary/1048576", binary(1 << 20)),
    ];
    let mut group = criterion.benchmark_group("receive");
    for (name, message) in cases {
        let (bytes, count) = masked(&message);
        let mut server = opened(Role::Server);
        let now = Instant::now();
        group.throughput(Throughput::Elements(count));
        group.bench_function(name, |bencher| {
            bencher.iter(|| receive_all(&mut server, &bytes, now));
        });
    }
}

/// Messages per second.
fn send_queued(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("send");
    group.throughput(Throughput::Elements(QUEUED));
    for (name, role) in [("server", Role::Server), ("client", Role::Client)] {
        for size in [16, 125, 1 << 10, 64 << 10, 1 << 20] {
            let (message, mut connection) = (binary(size), opened(role));
            group.bench_function(format!("{name}/{size}"), |bencher| {
                bencher.iter(|| send_all(&mut connection, &message));
            });
        }
    }
}

fn send_all(connection: &mut Connection, message: &Message) {
    for _ in 0..QUEUED {
        send(connection, message);
    }
    transmit(connection, |part| {
        black_box(part);
    });
}

/// As a server: from the request to the response.
fn handshake(criterion: &mut Criterion) {
    let policy = Policy::new();
    criterion.bench_function("handshake", |bencher| {
        bencher.iter(|| {
            let step = AwaitRequest::new(HeadLimits::default()).proceed(black_box(REQUEST));
            match step {
                Ok(Step::Received(received)) => black_box(received.accept(&policy)).is_ok(),
                _ => false,
            }
        });
    });
}

criterion_group!(core, receive, send_queued, handshake);
criterion_main!(core);
