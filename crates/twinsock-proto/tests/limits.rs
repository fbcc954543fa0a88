//! What a peer can make an endpoint hold (RFC 6455 §10.4).

use twinsock_proto::{CloseCode, Failure, LimitExceeded, Limits, Role, Settings};
use twinsock_testkit::endpoint::Endpoint;
use twinsock_testkit::wire::{self, Frame};

fn server(max_message_size: impl Into<Option<u64>>) -> Endpoint {
    let limits = Limits {
        max_message_size: max_message_size.into(),
        ..Limits::default()
    };
    let settings = Settings {
        limits,
        ..Settings::default()
    };
    Endpoint::with_settings(Role::Server, settings)
}

/// The message was refused because of its size, and the peer was told (§7.4.1).
fn assert_too_big(endpoint: &mut Endpoint, limit: u64, size: u64) {
    let failure = Failure::LimitExceeded(LimitExceeded::MessageSize { limit, size });
    let close = wire::close(CloseCode::MESSAGE_TOO_BIG.value(), failure.to_string());
    assert_eq!(endpoint.messages(), []);
    assert_eq!(endpoint.transmitted_frames(), [close]);
    endpoint.receive_end();
    let closed = endpoint.connection.closed().expect("closed");
    assert_eq!(closed.failure(), Some(&failure));
}

fn fragments(sizes: &[usize]) -> Vec<Frame> {
    let last = sizes.len() - 1;
    let frames = sizes.iter().enumerate().map(|(index, &size)| {
        let payload = vec![b'x'; size];
        let frame = if index == 0 {
            wire::text(payload)
        } else {
            wire::continuation(payload)
        };
        if index == last {
            frame
        } else {
            frame.fragment()
        }
    });
    frames.collect()
}

#[test]
fn a_message_of_exactly_the_limit_is_received() {
    for sizes in [&[100][..], &[50, 50], &[100, 0, 0], &[0, 99, 1]] {
        let mut server = server(100);
        server.receive_frames(&fragments(sizes));
        assert_eq!(server.messages(), ["x".repeat(100).into()], "{sizes:?}");
    }
}

#[test]
fn a_message_of_one_byte_more_is_refused() {
    for sizes in [&[101][..], &[50, 51], &[100, 0, 1], &[0, 100, 1]] {
        let mut server = server(100);
        server.receive_frames(&fragments(sizes));
        assert_too_big(&mut server, 100, 101);
    }
}

#[test]
fn a_message_is_refused_as_soon_as_a_header_claims_too_much() {
    let mut server = server(100);
    server.receive(&wire::binary("").claims(101).masked().bytes());
    assert_too_big(&mut server, 100, 101);
}

#[test]
fn what_the_fragments_before_took_counts() {
    let mut server = server(100);
    server.receive(&wire::binary([0; 60]).fragment().masked().bytes());
    server.receive(&wire::continuation("").claims(41).masked().bytes());
    assert_too_big(&mut server, 100, 101);
}

#[test]
fn the_largest_claims_neither_overflow_nor_reserve() {
    for claim in [1 << 62, (1 << 63) - 1] {
        let mut bounded = server(1 << 20);
        bounded.receive(&wire::binary("ab").fragment().masked().bytes());
        bounded.receive(&wire::continuation("").claims(claim).masked().bytes());
        assert_too_big(&mut bounded, 1 << 20, 2 + claim);

        let mut unbounded = server(None);
        unbounded.receive(&wire::binary("ab").fragment().masked().bytes());
        let frame = wire::continuation([7; 100_000]).claims(claim);
        unbounded.receive(&frame.masked().bytes());
        assert!(unbounded.connection.is_open());
    }
}

#[test]
fn without_a_limit_a_large_message_is_received() {
    let mut server = server(None);
    server.receive_frames(&[wire::binary(vec![7; 1 << 20])]);
    assert_eq!(server.messages(), [vec![7; 1 << 20].into()]);
}

#[test]
fn a_limit_of_zero_lets_empty_messages_through() {
    let mut server = server(0);
    server.receive_frames(&[wire::text(""), wire::text("x")]);
    assert_eq!(server.messages(), ["".into()]);
    assert!(!server.connection.is_open());
}

#[test]
fn each_message_is_counted_for_itself() {
    let mut server = server(100);
    for _ in 0..10 {
        server.receive_frames(&fragments(&[60, 40]));
        server.receive_frames(&fragments(&[100]));
    }
    assert_eq!(server.messages().len(), 20);
}

#[test]
fn control_frames_do_not_count() {
    let mut server = server(10);
    server.receive_frames(&[
        wire::text("12345").fragment(),
        wire::ping([0; 125]),
        wire::continuation("67890"),
    ]);
    assert_eq!(server.messages(), ["1234567890".into()]);
}

#[test]
fn room_ends_when_the_queue_is_full_and_returns_as_it_empties() {
    let mut server = server(None);
    assert!(server.connection.has_room());
    server.send(vec![0; 64 << 10]).expect("open");
    assert!(!server.connection.has_room());
    server.transmit_at_most(100);
    assert!(server.connection.has_room());
}

#[test]
fn an_empty_queue_has_room_whatever_its_limit() {
    let limits = Limits {
        send_queue_size: 0,
        ..Limits::default()
    };
    let settings = Settings {
        limits,
        ..Settings::default()
    };
    let mut server = Endpoint::with_settings(Role::Server, settings);
    assert!(server.connection.has_room());
    server.receive_frames(&[wire::ping("a")]);
    assert_eq!(server.transmitted_frames(), [wire::pong("a")]);
}
