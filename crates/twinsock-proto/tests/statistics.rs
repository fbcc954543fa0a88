//! What went over a connection, counted.

use bytes::{Buf, BufMut, Bytes};
use twinsock_proto::{
    AbortCause, CloseCode, CloseReason, Compress, Connection, ControlPayload, Deflate,
    DeflateParameters, Fragment, Message, MessageType, ReceiveMode, Role, Settings, Traffic,
    Transmit,
};
use twinsock_testkit::endpoint::Endpoint;
use twinsock_testkit::pair::Pair;
use twinsock_testkit::wire::{self, Frame};

const ROLES: [Role; 2] = [Role::Client, Role::Server];

/// Bytes, frames and messages.
type Counts = (u64, u64, u64);

fn counts(traffic: Traffic) -> Counts {
    (traffic.bytes, traffic.frames, traffic.messages)
}

fn sent(endpoint: &Endpoint) -> Counts {
    counts(endpoint.connection.statistics().sent)
}

fn received(endpoint: &Endpoint) -> Counts {
    counts(endpoint.connection.statistics().received)
}

/// A client's frames have four bytes of mask key each (RFC 6455 §5.2).
fn masked(role: Role, (bytes, frames, messages): Counts) -> Counts {
    let keys = match role {
        Role::Client => 4 * frames,
        Role::Server => 0,
    };
    (bytes + keys, frames, messages)
}

#[test]
fn nothing_has_gone_at_first() {
    for role in ROLES {
        let statistics = Endpoint::new(role).connection.statistics();
        assert_eq!(statistics, Default::default());
    }
}

#[test]
fn each_kind_of_message_sent_counts_its_header_and_payload() {
    for role in ROLES {
        let mut endpoint = Endpoint::new(role);
        let mut expected = (0, 0, 0);
        for (message, bytes) in [
            (Message::from("hello"), 2 + 5),
            (Message::from(""), 2),
            (Message::from(vec![7; 200]), 4 + 200),
            (Message::from(vec![7; 70_000]), 10 + 70_000),
        ] {
            endpoint.send(message).expect("open");
            endpoint.transmitted();
            expected = (expected.0 + bytes, expected.1 + 1, expected.2 + 1);
            assert_eq!(sent(&endpoint), masked(role, expected));
        }
        assert_eq!(received(&endpoint), (0, 0, 0));
    }
}

#[test]
fn a_message_in_parts_is_one_message_of_many_frames() {
    for role in ROLES {
        let mut endpoint = Endpoint::new(role);
        let mut part = |fragment, bytes: &'static [u8]| {
            let bytes = Bytes::from_static(bytes);
            let connection = &mut endpoint.connection;
            connection.send_fragment(MessageType::Text, fragment, bytes)
        };
        part(Fragment::Nonfinal, b"one ").expect("open");
        part(Fragment::Nonfinal, b"").expect("open");
        endpoint.transmitted();
        assert_eq!(sent(&endpoint), masked(role, (6 + 2, 2, 0)));
        let connection = &mut endpoint.connection;
        let end = Bytes::from_static(b"two");
        connection
            .send_fragment(MessageType::Text, Fragment::Final, end)
            .expect("open");
        endpoint.transmitted();
        assert_eq!(sent(&endpoint), masked(role, (6 + 2 + 5, 3, 1)));
    }
}

#[test]
fn a_refused_part_counts_for_nothing() {
    let mut endpoint = Endpoint::new(Role::Server);
    let bytes = Bytes::from_static(b"\xFF");
    let refused = endpoint
        .connection
        .send_fragment(MessageType::Text, Fragment::Final, bytes);
    assert!(refused.is_err());
    assert_eq!(sent(&endpoint), (0, 0, 0));
}

#[test]
fn control_frames_are_frames_but_no_messages() {
    for role in ROLES {
        let mut endpoint = Endpoint::new(role);
        let now = endpoint.now;
        let payload = ControlPayload::new(b"ping").expect("short");
        endpoint.connection.ping(now, payload).expect("open");
        endpoint.connection.send_unsolicited_pong().expect("open");
        endpoint.receive_frames(&[wire::ping("hi")]);
        endpoint.receive_frames(&[wire::pong("")]);
        let reason = CloseReason::new(CloseCode::NORMAL, "bye").expect("short");
        endpoint.connection.close(now, reason).expect("open");
        endpoint.transmitted();
        let expected = (6 + 2 + 4 + 7, 4, 0);
        assert_eq!(sent(&endpoint), masked(role, expected));
        endpoint.receive_frames(&[wire::close(1000, "bye")]);
        let expected = (4 + 2 + 7, 3, 0);
        assert_eq!(received(&endpoint), masked(role.peer(), expected));
    }
}

#[test]
fn what_is_received_counts_the_same_however_it_is_cut() {
    let frames = [
        wire::text("hello"),
        wire::text("in ").fragment(),
        wire::ping("between"),
        wire::continuation("").fragment(),
        wire::continuation("parts"),
        wire::binary(vec![7; 300]),
        wire::binary(vec![7; 100_000]),
        wire::binary(vec![7; 40_000]).fragment(),
        wire::continuation(vec![7; 40_000]),
        wire::binary(""),
    ];
    let payload = 5 + 3 + 7 + 5 + 300 + 100_000 + 80_000;
    let headers = 6 * 2 + 3 * 4 + 10;
    for role in ROLES {
        let wire: Vec<u8> = frames
            .iter()
            .flat_map(|frame| of(role.peer(), frame))
            .collect();
        for mode in [ReceiveMode::FullMessage, ReceiveMode::PartialMessage] {
            for piece in [1, 7, 1_000, 50_000, usize::MAX] {
                let mut endpoint = Endpoint::new(role);
                endpoint.connection.set_receive_mode(mode);
                wire.chunks(piece).for_each(|piece| endpoint.receive(piece));
                let all = masked(role.peer(), (payload + headers, 10, 6));
                assert_eq!(all.0, wire.len() as u64);
                assert_eq!(received(&endpoint), all, "{mode:?} in pieces of {piece}");
                endpoint.connection.take_idle_memory();
                assert_eq!(received(&endpoint), all);
            }
        }
    }
}

fn of(role: Role, frame: &Frame) -> Vec<u8> {
    frame.clone().sent_by(role).bytes()
}

#[test]
fn bytes_count_before_their_frame_is_whole() {
    let mut server = Endpoint::new(Role::Server);
    let frame = wire::binary(vec![7; 100_000]).masked().bytes();
    for (index, piece) in frame.chunks(9_999).enumerate() {
        assert_eq!(received(&server), (9_999 * index as u64, 0, 0));
        server.receive(piece);
    }
    assert_eq!(received(&server), (100_014, 1, 1));
}

#[test]
fn bytes_that_are_discarded_count_as_bytes_only() {
    let mut server = Endpoint::new(Role::Server);
    let begun = wire::binary(vec![7; 100_000]).masked().bytes();
    server.receive(&begun[..70_000]);
    let now = server.now;
    let cause = AbortCause::MessageUnfinished;
    server.connection.abort(now, cause);
    server.receive(&begun[70_000..]);
    server.receive(&[0xFF; 1_000]);
    assert_eq!(received(&server), (101_014, 0, 0));
}

#[test]
fn frames_count_when_they_are_queued_and_bytes_when_they_are_taken() {
    let mut server = Endpoint::new(Role::Server);
    server.send(vec![7; 20_000]).expect("open");
    assert_eq!(sent(&server), (0, 1, 1));
    server.transmit_at_most(5_000);
    assert_eq!(sent(&server), (5_000, 1, 1));
    server.transmitted();
    assert_eq!(sent(&server), (20_004, 1, 1));
}

#[test]
fn after_a_clean_close_one_end_has_received_what_the_other_has_sent() {
    let mut pair = Pair::new();
    for index in 0..50_usize {
        pair.client.send(vec![7; index * 1_000]).expect("open");
        pair.server.send("x".repeat(index * 99)).expect("open");
    }
    let now = pair.server.now;
    let ping = ControlPayload::new(b"?").expect("short");
    pair.server.connection.ping(now, ping).expect("open");
    pair.settle_in_pieces(777);
    let reason = CloseReason::normal();
    pair.client.connection.close(now, reason).expect("open");
    pair.settle();
    let (client, server) = (&pair.client.connection, &pair.server.connection);
    assert!(client.closed().is_some_and(|closed| closed.is_clean()));
    let (client, server) = (client.statistics(), server.statistics());
    assert_eq!(client.sent, server.received);
    assert_eq!(server.sent, client.received);
    assert_eq!((client.sent.frames, client.sent.messages), (52, 50));
}

#[test]
fn the_network_that_refuses_bytes_counts_nothing() {
    let endpoint = Endpoint::new(Role::Server);
    let (now, mut server) = (endpoint.now, endpoint.connection);
    server.send_text("hello").expect("open");
    server.handle_transmitted(now, 0);
    assert_eq!(counts(server.statistics().sent), (0, 1, 1));
    let Some(Transmit::Bytes(queue)) = server.poll_transmit() else {
        panic!("bytes wait")
    };
    queue.advance(3);
    server.handle_transmitted(now, 3);
    assert_eq!(counts(server.statistics().sent), (3, 1, 1));
}

#[test]
fn both_ends_count_what_compression_saves() {
    let mut pair = Pair::with_settings(Settings {
        deflate: Some(Deflate::new(DeflateParameters::default())),
        ..Settings::default()
    });
    let repeated = "compressed ".repeat(100);
    pair.server.send(repeated.as_str()).expect("open");
    let plain = |connection: &mut Connection| connection.send_text("plain");
    let connection = &mut pair.server.connection;
    let sent = connection.with_compress(Compress::Never, plain);
    sent.expect("open");
    let wire = pair.server.transmitted();
    let deflated = wire::read(&wire)[0].payload().len() as u64;
    pair.client.receive(&wire);
    assert_eq!(
        pair.client.messages(),
        [repeated.as_str().into(), "plain".into()]
    );
    let sent = pair.server.connection.statistics().sent;
    let received = pair.client.connection.statistics().received;
    assert_eq!(received, sent);
    assert_eq!(sent.messages, 2);
    assert_eq!(sent.inflated_bytes, repeated.len() as u64);
    assert_eq!(sent.deflated_bytes, deflated);
}

#[test]
fn what_compression_saves_is_counted_of_lent_messages_too() {
    let mut pair = Pair::with_settings(Settings {
        deflate: Some(Deflate::new(DeflateParameters::default())),
        ..Settings::default()
    });
    let repeated = "compressed ".repeat(100);
    let inflated = |pair: &Pair| {
        let received = pair.client.connection.statistics().received;
        received.inflated_bytes
    };
    for count in 1..=3 {
        let before = inflated(&pair);
        pair.server.send(repeated.as_str()).expect("open");
        let mut wire = &*pair.server.transmitted();
        let client = &mut pair.client;
        client.connection.receive_memory().put(&mut wire);
        client.connection.handle_received(client.now);
        let lent = client.connection.lend_messages().expect("a message");
        assert!(inflated(&pair) >= before, "it never goes back");
        pair.client.connection.give_back(lent);
        assert_eq!(inflated(&pair), count * repeated.len() as u64);
        pair.client.take_events();
        assert_eq!(pair.client.messages(), [repeated.as_str().into()]);
    }
}
