//! Compressed payloads as RFC 7692 writes them, cut and fragmented in every way.

use proptest::prelude::*;
use twinsock_proto::{
    ContextTakeover, Deflate, DeflateDirection, DeflateParameters, Failure, Message, ReceiveMode,
    Role, Settings, Violation, WindowBits,
};
use twinsock_testkit::endpoint::{Endpoint, Taking};
use twinsock_testkit::wire::{self, Frame};

fn settings(context_takeover: ContextTakeover) -> Settings {
    let direction = DeflateDirection {
        window_bits: WindowBits::MAX,
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

/// A compressed message of these payloads, each in a frame of its own.
fn frames(payloads: &[&[u8]]) -> Vec<Frame> {
    let last = payloads.len() - 1;
    let frame = |(index, payload): (usize, &&[u8])| {
        let frame = match index {
            0 => wire::text(payload).reserved(0b100),
            _ => wire::continuation(payload),
        };
        match index == last {
            true => frame,
            false => frame.fragment(),
        }
    };
    payloads.iter().enumerate().map(frame).collect()
}

/// What a client makes of the frames, read in pieces that end at these places.
fn received(settings: Settings, wire: &[u8], cuts: &[usize]) -> (Vec<Message>, Endpoint) {
    let mut client = Endpoint::with_settings(Role::Client, settings);
    let mut start = 0;
    for &cut in cuts.iter().chain([&wire.len()]) {
        client.receive(&wire[start..cut]);
        start = cut;
    }
    (client.messages(), client)
}

/// Each payload with the texts that it becomes, as messages that follow each other.
const SEQUENCES: &[(&[&[u8]], &[&str])] = &[
    // §7.2.3.1
    (&[b"\xf2\x48\xcd\xc9\xc9\x07\x00"], &["Hello"]),
    // §7.2.3.2: the window of the first serves the second.
    (
        &[
            b"\xf2\x48\xcd\xc9\xc9\x07\x00",
            b"\xf2\x00\x11\x00\x00",
            b"\xf2\x00\x11\x00\x00",
        ],
        &["Hello", "Hello", "Hello"],
    ),
    // §7.2.3.3: not compressed.
    (&[b"\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00"], &["Hello"]),
    // §7.2.3.4: BFINAL.
    (
        &[
            b"\xf3\x48\xcd\xc9\xc9\x07\x00\x00",
            b"\xf3\x48\xcd\xc9\xc9\x07\x00\x00",
            b"\xf2\x48\xcd\xc9\xc9\x07\x00",
            b"\xf2\x00\x11\x00\x00",
        ],
        &["Hello", "Hello", "Hello", "Hello"],
    ),
    // §7.2.3.5: two blocks.
    (
        &[b"\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00"],
        &["Hello"],
    ),
    // §7.2.3.6: empty, in three ways; the last one is not in the RFC, but some send it.
    (&[b"\x00", b"\x02\x00", b"", b"\x00"], &["", "", "", ""]),
    // Empty blocks of each kind before and behind.
    (
        &[b"\x00\x00\x00\xff\xff\x02\x00\x00\x00\xff\xff\xf2\x48\xcd\xc9\xc9\x07\x00\x00\x00\xff\xff\x00"],
        &["Hello"],
    ),
    // A BFINAL block with nothing behind it, several of them, and an empty one.
    (
        &[
            b"\xf3\x48\xcd\xc9\xc9\x07\x00",
            b"\xf3\x48\xcd\xc9\xc9\x07\x00\xf3\x48\xcd\xc9\xc9\x07\x00\x03\x00",
            b"\xf2\x48\xcd\xc9\xc9\x07\x00",
        ],
        &["Hello", "HelloHello", "Hello"],
    ),
];

fn expected(texts: &[&str]) -> Vec<Message> {
    texts.iter().map(|&text| Message::from(text)).collect()
}

#[test]
fn section_7_2_3_examples_are_read_at_every_split() {
    for (payloads, texts) in SEQUENCES {
        let wire: Vec<u8> = payloads
            .iter()
            .flat_map(|payload| wire::join(&frames(&[payload])))
            .collect();
        for first in 0..=wire.len() {
            for second in first..=wire.len() {
                let settings = settings(ContextTakeover::On);
                let (messages, client) = received(settings, &wire, &[first, second]);
                assert_eq!(messages, expected(texts), "cut at {first} and {second}");
                assert!(client.connection.is_open());
            }
        }
    }
}

/// The payload in three frames that end at these places, with a Ping behind the first.
fn in_three_frames(payload: &[u8], first: usize, second: usize) -> Vec<u8> {
    let (first, second) = (first.min(payload.len()), second.min(payload.len()));
    let (head, rest) = payload.split_at(first);
    let (middle, end) = rest.split_at(second - first);
    let mut frames = frames(&[head, middle, end]);
    frames.insert(1, wire::ping("between"));
    wire::join(&frames)
}

#[test]
fn section_7_2_3_examples_are_read_in_every_fragmentation() {
    let places = (0..=40).flat_map(|first| (first..=40).map(move |second| (first, second)));
    for (first, second) in places {
        for (payloads, texts) in SEQUENCES {
            let in_frames = payloads
                .iter()
                .flat_map(|payload| in_three_frames(payload, first, second));
            let wire: Vec<u8> = in_frames.collect();
            let (messages, mut client) = received(settings(ContextTakeover::On), &wire, &[]);
            assert_eq!(messages, expected(texts), "cut at {first} and {second}");
            assert_eq!(client.transmitted_frames().len(), payloads.len(), "pongs");
        }
    }
}

#[test]
fn examples_are_read_byte_by_byte_in_parts_and_taken_along() {
    for (payloads, texts) in SEQUENCES {
        let wire: Vec<u8> = payloads
            .iter()
            .flat_map(|payload| wire::join(&frames(&[payload])))
            .collect();
        let cuts: Vec<usize> = (1..wire.len()).collect();
        let in_parts = Settings {
            receive_mode: ReceiveMode::PartialMessage,
            ..settings(ContextTakeover::On)
        };
        let (parts, client) = received(in_parts, &wire, &cuts);
        let text: String = parts.iter().filter_map(Message::as_text).collect();
        assert_eq!(text, texts.concat());
        assert_eq!(
            client.connection.statistics().received.messages,
            texts.len() as u64
        );
        let mut owner = Endpoint::with_settings(Role::Client, settings(ContextTakeover::On))
            .taking(Taking::Owned);
        owner.receive(&wire);
        assert_eq!(owner.messages(), expected(texts));
    }
}

#[test]
fn without_context_takeover_a_message_cannot_refer_to_another() {
    let wire: Vec<u8> = [
        &b"\xf2\x48\xcd\xc9\xc9\x07\x00"[..],
        b"\xf2\x00\x11\x00\x00",
    ]
    .iter()
    .flat_map(|payload| wire::join(&frames(&[payload])))
    .collect();
    let (messages, client) = received(settings(ContextTakeover::Off), &wire, &[]);
    assert_eq!(messages, expected(&["Hello"]));
    fails_with(&client, Violation::InvalidDeflate, 1007);
}

#[test]
fn uncompressed_messages_come_between_compressed_ones() {
    let mut wire = wire::text("plain").bytes();
    wire.extend(wire::join(&frames(&[b"\xf2\x48\xcd\xc9\xc9\x07\x00"])));
    wire.extend(wire::text("pla").fragment().bytes());
    wire.extend(wire::continuation("in").bytes());
    wire.extend(wire::join(&frames(&[b"\xf2\x00\x11\x00\x00"])));
    for cut in 0..=wire.len() {
        let (messages, _) = received(settings(ContextTakeover::On), &wire, &[cut]);
        assert_eq!(messages, expected(&["plain", "Hello", "plain", "Hello"]));
    }
}

fn fails_with(client: &Endpoint, violation: Violation, code: u16) {
    let ending = client.connection.ending().expect("it fails");
    assert_eq!(ending.failure(), Some(&violation.into()));
    assert_eq!(u16::from(violation.close_code()), code);
}

#[test]
fn payloads_that_are_no_deflate_or_end_too_soon_fail_with_1007() {
    let invalid: &[&[u8]] = &[
        // A block of the reserved type.
        b"\x06\x00",
        // The length of a stored block and its complement do not agree.
        b"\x00\x05\x00\x00\x00Hello\x00",
        // A reference to what was before the beginning.
        b"\x1a\x06\x00",
        // Cut within a block: coded, stored, and with its own codes.
        b"\xf2\x48",
        b"\xf2\x48\xcd\xc9\xc9",
        b"\x00\x05\x00\xfa\xff\x48\x65",
        b"\x04\xc0",
        // The tail was not left out, and the end of the last block is missing.
        b"\xf2\x48\xcd\xc9\xc9\x07\x00\x00\x00\xff\xff",
    ];
    for payload in invalid {
        for takeover in [ContextTakeover::On, ContextTakeover::Off] {
            let wire = wire::join(&frames(&[payload]));
            for cut in 0..=wire.len() {
                let (messages, client) = received(settings(takeover), &wire, &[cut]);
                assert_eq!(messages, [], "{payload:x?}");
                fails_with(&client, Violation::InvalidDeflate, 1007);
            }
        }
    }
}

#[test]
fn text_is_checked_after_it_is_inflated() {
    // "Hell\xff" stored, and a character cut at the end.
    for payload in [
        &b"\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\xff\x00"[..],
        b"\x00\x02\x00\xfd\xff\xe2\x82\x00",
    ] {
        let (messages, client) = received(
            settings(ContextTakeover::On),
            &wire::join(&frames(&[payload])),
            &[],
        );
        assert_eq!(messages, []);
        fails_with(&client, Violation::InvalidUtf8, 1007);
    }
    // A character that is cut by the end of a block and of a frame.
    let wire = wire::join(&frames(&[
        b"\x00\x01\x00\xfe\xff\xe2\x00\x01\x00\xfe",
        b"\xff\x82\x00\x01\x00\xfe\xff\xac\x00",
    ]));
    let (messages, _) = received(settings(ContextTakeover::On), &wire, &[]);
    assert_eq!(messages, expected(&["€"]));
}

#[test]
fn a_reserved_bit_is_a_violation_where_nothing_defines_it() {
    let hello = b"\xf2\x48\xcd\xc9\xc9\x07\x00";
    let with_deflate = settings(ContextTakeover::On);
    let first = wire::text(b"\xf2\x48").reserved(0b100).fragment();
    let cases: &[(Settings, Vec<Frame>, u8)] = &[
        (Settings::default(), frames(&[hello]), 0b100),
        (with_deflate, vec![wire::ping("").reserved(0b100)], 0b100),
        (
            with_deflate,
            vec![wire::close(1000, "").reserved(0b100)],
            0b100,
        ),
        (
            with_deflate,
            vec![first, wire::continuation(b"\xcd").reserved(0b100)],
            0b100,
        ),
        (with_deflate, vec![wire::text(hello).reserved(0b110)], 0b110),
        (
            with_deflate,
            vec![wire::binary(hello).reserved(0b010)],
            0b010,
        ),
        (with_deflate, vec![wire::text(hello).reserved(0b001)], 0b001),
    ];
    for (settings, frames, bits) in cases {
        let (_, client) = received(*settings, &wire::join(frames), &[]);
        fails_with(&client, Violation::ReservedBits(*bits), 1002);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn any_bytes_are_inflated_or_refused(
        payloads in prop::collection::vec(
            prop_oneof![
                prop::collection::vec(any::<u8>(), 0..400),
                // More often sound: blocks with fixed codes and stored ones.
                (prop::sample::select(vec![0x00, 0x02, 0x03, 0x04, 0x0A, 0x4A]),
                    prop::collection::vec(any::<u8>(), 0..100))
                    .prop_map(|(first, rest)| [vec![first], rest].concat()),
            ],
            1..4,
        ),
        has_takeover: bool,
        receives_parts: bool,
        piece in 1..200usize,
    ) {
        let takeover = match has_takeover {
            true => ContextTakeover::On,
            false => ContextTakeover::Off,
        };
        let mut settings = settings(takeover);
        settings.limits.max_message_size = Some(10_000);
        if receives_parts {
            settings.receive_mode = ReceiveMode::PartialMessage;
        }
        let mut client = Endpoint::with_settings(Role::Client, settings);
        for payload in &payloads {
            let wire = wire::binary(payload).reserved(0b100).bytes();
            for piece in wire.chunks(piece) {
                client.receive(piece);
            }
        }
        let ending = client.connection.ending();
        let failure = ending.and_then(|closed| closed.failure());
        let is_expected = matches!(
            failure,
            None | Some(
                Failure::Violation(Violation::InvalidDeflate) | Failure::LimitExceeded(_)
            )
        );
        prop_assert!(is_expected, "{:?}", failure);
    }
}
