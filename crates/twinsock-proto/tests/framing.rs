//! One frame: reserved bits, opcodes, lengths, control frames (RFC 6455 §5.2, §5.5).

use twinsock_proto::{
    CloseCode, ControlPayload, Limits, Message, Opcode, Role, Settings, Violation,
};
use twinsock_testkit::endpoint::Endpoint;
use twinsock_testkit::wire::{self, Frame, LengthForm};

const ROLES: [Role; 2] = [Role::Client, Role::Server];

/// The frame fails the connection with the violation's code (§7.1.7), in both roles.
fn assert_violation(frame: &Frame, violation: Violation) {
    for role in ROLES {
        let mut endpoint = Endpoint::new(role);
        endpoint.receive_frames(std::slice::from_ref(frame));
        let close = wire::close(violation.close_code().value(), violation.to_string());
        assert_eq!(endpoint.transmitted_frames(), [close], "{frame:?}");
        assert!(endpoint.has_ended());
        assert_eq!(endpoint.messages(), []);
        endpoint.receive_end();
        let closed = endpoint.connection.closed().expect("closed");
        assert_eq!(closed.failure(), Some(&violation.into()));
        assert_eq!(closed.code(), CloseCode::ABNORMAL_CLOSURE);
    }
}

fn message_sent(message: impl Into<Message>) -> Vec<u8> {
    let mut server = Endpoint::new(Role::Server);
    server.send(message).expect("open");
    server.transmitted()
}

/// §5.2: RSV1 to RSV3 must be 0 unless an extension says otherwise; else the connection fails.
#[test]
fn reserved_bits_are_refused_on_every_kind_of_frame() {
    let kinds = [
        wire::text("a"),
        wire::binary("a").fragment(),
        wire::continuation(""),
        wire::ping(""),
        wire::pong(""),
        wire::close(1000, ""),
    ];
    for bits in 0b001..=0b111 {
        for kind in kinds.clone() {
            assert_violation(&kind.reserved(bits), Violation::ReservedBits(bits));
        }
    }
}

/// §5.2: an unknown opcode fails the connection.
#[test]
fn reserved_opcodes_are_refused() {
    for opcode in (0x3..=0x7).chain(0xB..=0xF) {
        for is_final in [0x80, 0] {
            let frame = wire::frame(is_final | opcode, "");
            assert_violation(&frame, Violation::UnknownOpcode(opcode));
        }
    }
}

/// §5.2: what follows a violation is not looked at (§7.1.7).
#[test]
fn the_first_violation_counts() {
    let mut server = Endpoint::new(Role::Server);
    let frames = [
        wire::frame(0x83, "").masked(),
        wire::text(b"\xFF").reserved(7),
    ];
    server.receive(&wire::join(&frames));
    server.receive_end();
    let closed = server.connection.closed().expect("closed");
    assert_eq!(closed.failure(), Some(&Violation::UnknownOpcode(3).into()));
}

/// §5.2: the minimal number of bytes must be used to encode the length.
#[test]
fn lengths_in_more_bytes_than_needed_are_refused() {
    let cases = [
        (0, LengthForm::Bits16),
        (125, LengthForm::Bits16),
        (0, LengthForm::Bits64),
        (125, LengthForm::Bits64),
        (126, LengthForm::Bits64),
        (0xFFFF, LengthForm::Bits64),
    ];
    for (length, form) in cases {
        let frame = wire::binary("").claims(length).length_in(form);
        assert_violation(&frame, Violation::LengthNotMinimal(length));
    }
}

/// §5.2: the most significant bit of a 64-bit length must be 0.
#[test]
fn a_length_with_its_top_bit_set_is_refused() {
    for length in [1 << 63, u64::MAX] {
        let frame = wire::binary("").claims(length);
        assert_violation(&frame, Violation::LengthTopBitSet(length));
    }
}

/// §5.2: each form of the length, at both its ends.
#[test]
fn every_length_is_received_and_sent_in_its_shortest_form() {
    for length in [0, 1, 125, 126, 127, 0xFFFF, 0x1_0000, 200_000] {
        let payload = vec![7; length];
        let bytes = wire::binary(&payload).bytes();
        assert_eq!(message_sent(payload.clone()), bytes, "{length}");
        let mut client = Endpoint::new(Role::Client);
        client.receive(&bytes);
        assert_eq!(client.messages(), [payload.into()], "{length}");
    }
}

/// §5.2: the opcode tells text from binary (§5.6); a message is a single final frame (§6.1).
#[test]
fn a_message_is_sent_as_one_frame_of_its_type() {
    assert_eq!(message_sent("hi"), wire::text("hi").bytes());
    assert_eq!(message_sent(vec![1, 2]), wire::binary([1, 2]).bytes());
}

/// §5.2: reserved bits and opcodes belong to extensions; without one nothing sent has them.
#[test]
fn nothing_sent_has_a_reserved_bit_or_opcode() {
    for role in ROLES {
        let mut endpoint = Endpoint::new(role);
        endpoint.send("a").expect("open");
        endpoint.send(vec![0xFF; 300]).expect("open");
        let payload = ControlPayload::new(b"a").expect("short");
        endpoint
            .connection
            .ping(endpoint.now, payload)
            .expect("open");
        endpoint.receive_frames(&[wire::ping("b"), wire::close(1000, "")]);
        let frames = endpoint.transmitted_frames();
        let mut first_bytes: Vec<u8> = frames.iter().map(Frame::first_byte).collect();
        first_bytes.sort_unstable();
        assert_eq!(first_bytes, [0x81, 0x82, 0x88, 0x89, 0x8A]);
    }
}

/// §5.7: the frames that the RFC shows.
#[test]
fn the_rfcs_examples_are_read_as_it_says() {
    let hello = b"\x81\x05Hello";
    let masked = b"\x81\x85\x37\xFA\x21\x3D\x7F\x9F\x4D\x51\x58";
    let fragments = b"\x01\x03Hel\x80\x02lo";
    for (role, bytes) in [
        (Role::Client, &hello[..]),
        (Role::Server, masked),
        (Role::Client, fragments),
    ] {
        let mut endpoint = Endpoint::new(role);
        endpoint.receive(bytes);
        assert_eq!(endpoint.messages(), ["Hello".into()]);
    }

    let mut client = Endpoint::new(Role::Client);
    client.receive(b"\x89\x05Hello");
    assert_eq!(client.transmitted_frames(), [wire::pong("Hello")]);

    for (head, length) in [
        (&b"\x82\x7E\x01\0"[..], 256),
        (b"\x82\x7F\0\0\0\0\0\x01\0\0", 65_536),
    ] {
        let payload = vec![7; length];
        let bytes = [head, &payload].concat();
        assert_eq!(message_sent(payload.clone()), bytes);
        client.receive(&bytes);
        assert_eq!(client.messages(), [payload.into()]);
    }
}

/// §5.5: control frames must have at most 125 bytes.
#[test]
fn control_frames_of_126_bytes_are_refused() {
    for opcode in [Opcode::Close, Opcode::Ping, Opcode::Pong] {
        let first = 0x80 | opcode.bits();
        let violation = Violation::ControlFrameTooLong(opcode);
        assert_violation(&wire::frame(first, [b'a'; 126]), violation);
        assert_violation(&wire::frame(first, "").claims(1 << 62), violation);
        let padded = wire::frame(first, "").length_in(LengthForm::Bits16);
        assert_violation(&padded, violation);
    }
}

/// §5.5: 125 bytes are allowed.
#[test]
fn control_frames_of_125_bytes_are_received() {
    for role in ROLES {
        let mut endpoint = Endpoint::new(role);
        let mut body = 1000u16.to_be_bytes().to_vec();
        body.resize(125, b'a');
        endpoint.receive_frames(&[wire::ping([b'a'; 125]), wire::pong([b'a'; 125])]);
        assert_eq!(endpoint.transmitted_frames(), [wire::pong([b'a'; 125])]);
        endpoint.receive_frames(&[wire::close_with_body(body)]);
        assert_eq!(endpoint.transmitted_frames(), [wire::close(1000, "")]);
    }
}

/// §5.5: control frames must not be fragmented.
#[test]
fn fragmented_control_frames_are_refused() {
    for opcode in [Opcode::Close, Opcode::Ping, Opcode::Pong] {
        let frame = wire::frame(opcode.bits(), "");
        assert_violation(&frame, Violation::FragmentedControlFrame(opcode));
    }
}

/// §7.1.7: a violation shows as soon as the bytes that make it are there.
#[test]
fn a_violation_is_reported_before_the_frame_is_whole() {
    for (wire, violation) in [
        (&b"\x83"[..], Violation::UnknownOpcode(3)),
        (b"\xC1", Violation::ReservedBits(0b100)),
        (b"\x09", Violation::FragmentedControlFrame(Opcode::Ping)),
        (b"\x81\x01", Violation::UnmaskedFrame),
        (b"\x89\xFE", Violation::ControlFrameTooLong(Opcode::Ping)),
        (b"\x81\xFE\0\x01", Violation::LengthNotMinimal(1)),
    ] {
        let mut server = Endpoint::new(Role::Server);
        server.receive(&wire[..wire.len() - 1]);
        assert!(server.connection.is_open(), "{wire:x?}");
        server.receive(&wire[wire.len() - 1..]);
        server.receive_end();
        let closed = server.connection.closed().expect("closed");
        assert_eq!(closed.failure(), Some(&violation.into()));
    }
}

/// §6.2: messages before a violation in the same read are received.
#[test]
fn messages_before_a_violation_are_delivered() {
    for role in ROLES {
        let mut endpoint = Endpoint::new(role);
        let sender = role.peer();
        let frames = [
            wire::text("one").sent_by(sender),
            wire::binary("two").sent_by(sender),
            wire::frame(0x83, "").sent_by(sender),
            wire::text("three").sent_by(sender),
        ];
        endpoint.receive(&wire::join(&frames));
        assert_eq!(
            endpoint.messages(),
            ["one".into(), Message::from(&b"two"[..])]
        );
    }
}

/// §7.1.7: what was queued before a failure precedes the Close frame.
#[test]
fn output_queued_before_a_failure_precedes_the_close() {
    let settings = Settings {
        limits: Limits {
            send_queue_size: 1,
            ..Limits::default()
        },
        ..Settings::default()
    };
    for role in ROLES {
        let mut endpoint = Endpoint::with_settings(role, settings);
        endpoint.send("one").expect("open");
        endpoint.send(vec![2; 100_000]).expect("open");
        endpoint.receive_frames(&[wire::frame(0x83, "")]);
        let frames = endpoint.transmitted_frames();
        assert_eq!(frames.len(), 3);
        assert_eq!(frames[0], wire::text("one"));
        assert_eq!(frames[1], wire::binary([2; 100_000]));
        assert_eq!(frames[2].first_byte(), 0x88);
    }
}
