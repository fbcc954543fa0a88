//! Compressed messages in the other ways of reading: as a stream, lent, and behind a Close frame.

use std::time::Instant;

use bytes::{Buf, BufMut};
use twinsock_proto::{
    Compress, Compression, Connection, Deflate, DeflateLevel, DeflateParameters, Event, Fragment,
    LimitExceeded, Limits, Message, MessageType, ReceiveMode, Role, Settings, Transmit,
};
use twinsock_testkit::endpoint::Endpoint;
use twinsock_testkit::noise::noise;
use twinsock_testkit::wire;

fn settings(receive_mode: ReceiveMode) -> Settings {
    Settings {
        receive_mode,
        deflate: Some(Deflate::new(DeflateParameters::default())),
        ..Settings::default()
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test is the caller that passes the time"
)]
fn connection(role: Role, receive_mode: ReceiveMode) -> Connection {
    Connection::new(role, settings(receive_mode), [7; 32], Instant::now())
}

/// Messages of many sizes, each second one compressed, with a Ping between them.
fn sent(role: Role) -> (Vec<u8>, Vec<Message>) {
    let mut sender = Endpoint::with_settings(role, settings(ReceiveMode::FullMessage));
    let mut messages = Vec::new();
    for (index, size) in [10, 200, 0, 70_000, 3, 200_000, 1_000, 1_000]
        .iter()
        .enumerate()
    {
        let compress = match index % 2 {
            0 => Compress::Never,
            _ => Compress::Always,
        };
        sender.connection.set_compress(compress);
        let bytes: Vec<u8> = (0..=255).cycle().step_by(index + 1).take(*size).collect();
        messages.push(Message::from(bytes.clone()));
        sender.send(bytes).expect("open");
        let ping = twinsock_proto::ControlPayload::new(b"between").expect("short");
        sender.connection.ping(sender.now, ping).expect("open");
    }
    (sender.transmitted(), messages)
}

fn put(connection: &mut Connection, now: Instant, piece: &mut &[u8]) {
    let mut memory = connection.receive_memory();
    let count = piece.len().min(memory.remaining_mut());
    memory.put_slice(&piece[..count]);
    drop(memory);
    piece.advance(count);
    connection.handle_received(now);
}

/// Reads as the driver of a stream does: directly where that is possible.
fn read_as_stream(role: Role, wire: &[u8], piece_size: usize, room: usize) -> Vec<u8> {
    let now = Endpoint::new(role).now;
    let mut reader = connection(role, ReceiveMode::PartialMessage);
    let mut stream = Vec::new();
    for piece in wire.chunks(piece_size) {
        let mut piece = piece;
        while !piece.is_empty() {
            if reader.may_read_directly() {
                let mut memory = piece.to_vec();
                let count = reader.handle_received_directly(now, &mut memory);
                stream.extend_from_slice(&memory[..count]);
                piece = &[];
            } else {
                put(&mut reader, now, &mut piece);
            }
            while reader.move_bytes(&mut (&mut stream).limit(room)) > 0 {}
        }
    }
    assert_eq!(reader.statistics().received.messages, 8);
    assert!(reader.is_open(), "{:?}", reader.ending());
    stream
}

#[test]
fn a_stream_reads_compressed_and_other_messages_alike() {
    for role in [Role::Client, Role::Server] {
        let (wire, messages) = sent(role.peer());
        let expected: Vec<u8> = messages
            .iter()
            .flat_map(|message| message.as_bytes().to_vec())
            .collect();
        for piece in [1, 7, 1_000, 20_000, 65_536] {
            for room in [5_000, usize::MAX] {
                let stream = read_as_stream(role, &wire, piece, room);
                assert!(stream == expected, "{role:?} {piece} {room}");
            }
        }
    }
}

#[test]
fn bytes_can_be_looked_at_and_taken_off_one_by_one() {
    let (wire, messages) = sent(Role::Server);
    let expected: Vec<u8> = messages
        .iter()
        .flat_map(|message| message.as_bytes().to_vec())
        .collect();
    let mut reader = connection(Role::Client, ReceiveMode::PartialMessage);
    let now = Endpoint::new(Role::Client).now;
    let (mut rest, mut stream) = (&wire[..], Vec::new());
    while !rest.is_empty() {
        put(&mut reader, now, &mut rest);
        while let Some(bytes) = reader.poll_bytes() {
            let count = bytes.len().min(100);
            stream.extend_from_slice(&bytes[..count]);
            reader.consume(count);
        }
    }
    assert!(stream == expected);
}

#[test]
fn lent_messages_are_compressed_and_others() {
    let (wire, messages) = sent(Role::Client);
    let mut reader = connection(Role::Server, ReceiveMode::FullMessage);
    let now = Endpoint::new(Role::Server).now;
    let (mut rest, mut received) = (&wire[..], Vec::new());
    while !rest.is_empty() {
        put(&mut reader, now, &mut rest);
        while let Some(mut lent) = reader.lend_messages() {
            while lent.advance() {
                let message = lent.message().expect("sound").expect("one");
                received.push(message.into_owned());
            }
            reader.give_back(lent);
        }
    }
    assert!(received == messages);
}

/// 64 MiB in 64 KiB.
fn bomb() -> Vec<u8> {
    let mut sender = Endpoint::with_settings(Role::Server, settings(ReceiveMode::FullMessage));
    sender.connection.set_compress(Compress::Always);
    sender.send(vec![0; 64 << 20]).expect("open");
    sender.transmitted()
}

#[test]
fn what_is_behind_a_close_frame_is_not_inflated_and_pings_there_are_answered() {
    let mut wire = wire::close(1000, "").bytes();
    // Half of a message that is no DEFLATE, and one that is too large.
    wire.extend(wire::text(b"\xff\xff").reserved(0b100).fragment().bytes());
    wire.extend(wire::ping("one").bytes());
    wire.extend(wire::continuation(b"\xff").bytes());
    wire.extend(bomb());
    wire.extend(wire::ping("two").bytes());
    let mut client = Endpoint::with_settings(Role::Client, settings(ReceiveMode::FullMessage));
    let mut rest = &wire[..];
    while !rest.is_empty() {
        put(&mut client.connection, client.now, &mut rest);
        assert!(!client.connection.has_event_ahead());
    }
    let pongs = [wire::pong("one"), wire::pong("two")];
    assert_eq!(client.transmitted_frames(), pongs);
    assert!(client.connection.poll_event().is_none());
    assert_eq!(client.transmitted_frames(), [wire::close(1000, "")]);
}

#[test]
fn the_rest_of_a_message_is_passed_over_and_the_next_one_refers_to_it() {
    let text = "{\"somebody\":1,\"nobody\":2}".repeat(20_000);
    let mut server = Endpoint::with_settings(Role::Server, settings(ReceiveMode::FullMessage));
    server.send(text.as_str()).expect("open");
    server.send(&text[..300]).expect("open");
    let mut client = connection(Role::Client, ReceiveMode::PartialMessage);
    let wire = server.transmitted();
    let (mut rest, now) = (&wire[..], server.now);
    put(&mut client, now, &mut rest);
    assert_eq!(rest, b"", "one read");
    let Some(Event::MessageReceived(part)) = client.poll_event() else {
        panic!("no part");
    };
    assert!(!part.is_complete());
    client.set_receive_mode(ReceiveMode::FullMessage);
    assert!(client.has_unread_bytes());
    let Some(Event::MessageReceived(next)) = client.poll_event() else {
        panic!("no message");
    };
    assert_eq!(next.as_text(), Some(&text[..300]));
}

#[test]
fn a_frame_that_claims_too_much_is_refused_at_once() {
    let limits = Limits {
        max_message_size: Some(1_600),
        ..Limits::default()
    };
    for (claim, is_refused) in [(3_040, false), (3_041, true), (1 << 62, true)] {
        let settings = Settings {
            limits,
            ..settings(ReceiveMode::FullMessage)
        };
        let mut client = Endpoint::with_settings(Role::Client, settings);
        client.receive(&wire::binary("").reserved(0b100).claims(claim).bytes());
        let expected = LimitExceeded::MessageSize {
            limit: 1_600,
            size: claim,
        };
        let failure = client
            .connection
            .ending()
            .and_then(|closed| closed.failure());
        assert_eq!(failure.copied(), is_refused.then_some(expected.into()));
    }
}

/// A client that takes messages of so many bytes.
fn client_with_limit(limit: usize) -> Endpoint {
    let limits = Limits {
        max_message_size: Some(limit as u64),
        ..Limits::default()
    };
    let settings = Settings {
        limits,
        ..settings(ReceiveMode::FullMessage)
    };
    Endpoint::with_settings(Role::Client, settings)
}

#[test]
fn a_message_within_the_limit_is_taken_though_it_grew_by_compressing() {
    // With fixed codes these bytes have nine bits each, as zlib writes them at level 1.
    let high = noise(1 << 20).iter().map(|byte| 144 + byte % 112).collect();
    for message in [high, noise(1 << 20)] {
        for level in [1, 2, 9].map(|level| DeflateLevel::new(level).expect("1 to 9")) {
            let deflate = Deflate {
                compression: Compression {
                    level,
                    ..Compression::default()
                },
                ..Deflate::new(DeflateParameters::default())
            };
            let settings = Settings {
                deflate: Some(deflate),
                ..Settings::default()
            };
            let mut server = Endpoint::with_settings(Role::Server, settings);
            server.connection.set_compress(Compress::Always);
            server.send(message.clone()).expect("open");
            let mut client = client_with_limit(message.len());
            client.receive(&server.transmitted());
            assert!(client.messages() == [message.clone().into()], "{level:?}");
        }
    }
}

#[test]
fn a_message_within_the_limit_is_taken_though_each_of_its_bytes_is_flushed() {
    let message = noise(3_000);
    for compress in [Compress::Always, Compress::Never] {
        let mut server = Endpoint::with_settings(Role::Server, settings(ReceiveMode::FullMessage));
        server.connection.set_compress(compress);
        for (index, byte) in message.iter().enumerate() {
            let fragment = match index + 1 == message.len() {
                true => Fragment::Final,
                false => Fragment::Nonfinal,
            };
            server
                .connection
                .send_fragment(MessageType::Binary, fragment, vec![*byte].into())
                .expect("open");
        }
        let mut client = client_with_limit(message.len());
        client.receive(&server.transmitted());
        assert!(
            client.messages() == [message.clone().into()],
            "{compress:?}"
        );
    }
}

#[test]
fn what_waits_to_be_sent_is_counted_as_it_goes_out() {
    let mut server = connection(Role::Server, ReceiveMode::FullMessage);
    server.send(Message::from(vec![7; 1 << 20])).expect("open");
    assert!(server.queued() < 2_000, "{}", server.queued());
    assert!(server.has_room());
    let Some(Transmit::Bytes(queue)) = server.poll_transmit() else {
        panic!("nothing is sent");
    };
    assert_eq!(queue.remaining(), queue.len());
}
