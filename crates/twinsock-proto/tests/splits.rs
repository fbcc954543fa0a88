//! However the network cuts the bytes, the same happens (RFC 6455 §5.4, §6.2).

use bytes::BufMut;
use proptest::prelude::*;
use twinsock_proto::{Closed, Limits, Message, Role, Settings};
use twinsock_testkit::endpoint::{Endpoint, Taking};
use twinsock_testkit::wire::{self, Frame, LengthForm};

const ROLES: [Role; 2] = [Role::Client, Role::Server];

/// All that can be seen of a connection after the peer sent some bytes and ended.
#[derive(Debug, PartialEq)]
struct Outcome {
    messages: Vec<Message>,
    transmitted: Vec<u8>,
    was_ended_by_us: bool,
    closed: Option<Closed>,
}

/// The same, whichever way messages are taken.
fn outcome<'a>(role: Role, parts: impl IntoIterator<Item = &'a [u8]> + Clone) -> Outcome {
    let lent = outcome_of(role, Taking::Lent, parts.clone());
    assert_eq!(outcome_of(role, Taking::Owned, parts), lent);
    lent
}

fn outcome_of<'a>(
    role: Role,
    taking: Taking,
    parts: impl IntoIterator<Item = &'a [u8]>,
) -> Outcome {
    let settings = Settings {
        limits: Limits {
            max_message_size: Some(100_000),
            ..Limits::default()
        },
        ..Settings::default()
    };
    let mut endpoint = Endpoint::with_settings(role, settings).taking(taking);
    for part in parts {
        endpoint.receive(part);
    }
    // Transmitted at the end only: when there is no room the newest Ping alone is answered, so
    // how often the network takes bytes may change the answers.
    let transmitted = endpoint.transmitted();
    let was_ended_by_us = endpoint.has_ended();
    endpoint.receive_end();
    Outcome {
        messages: endpoint.messages(),
        transmitted,
        was_ended_by_us,
        closed: endpoint.connection.closed().cloned(),
    }
}

/// What honest peers send.
fn valid() -> Vec<Vec<Frame>> {
    vec![
        vec![wire::text("")],
        vec![wire::text("schön 😀"), wire::binary([0, 255])],
        vec![wire::text([b'a'; 125]), wire::text([b'b'; 126])],
        vec![
            wire::text("a😀").fragment(),
            wire::ping("between"),
            wire::continuation("").fragment(),
            wire::continuation("é"),
            wire::pong("unasked"),
        ],
        vec![
            wire::binary("a").fragment(),
            wire::continuation("b"),
            wire::text("c"),
        ],
        vec![wire::text("a").fragment(), wire::close(1001, "bye")],
        vec![wire::ping("1"), wire::text("x"), wire::ping([7; 125])],
        vec![wire::text("x"), wire::close(1000, "schön"), wire::text("y")],
        vec![wire::close_with_body("")],
        vec![wire::text("cut").claims(100)],
        vec![wire::ping("cut").claims(100)],
        vec![],
    ]
}

/// One frame that breaks the protocol, or a limit, at the end of each.
fn violations() -> Vec<Vec<Frame>> {
    let mut vectors: Vec<Vec<Frame>> = vec![
        vec![wire::continuation("a")],
        vec![wire::text("a").fragment(), wire::text("b")],
        vec![wire::binary("a").fragment(), wire::binary("b").fragment()],
        vec![wire::frame(0x09, "")],
        vec![wire::frame(0x08, "")],
        vec![wire::ping([0; 126])],
        vec![wire::ping("").length_in(LengthForm::Bits16)],
        vec![wire::text("a").length_in(LengthForm::Bits16)],
        vec![wire::text("a").length_in(LengthForm::Bits64)],
        vec![wire::text("a").claims(1 << 63)],
        vec![wire::text("a").claims(1 << 62)],
        vec![wire::text("a").claims(100_001)],
        vec![
            wire::text("a").fragment(),
            wire::continuation("b").claims(100_000),
        ],
        vec![wire::text(b"good \xFF bad")],
        vec![wire::text(b"good \xE0\x80 bad").claims(1_000)],
        vec![wire::text(b"good \xE2\x82")],
        vec![wire::text(b"\xE2").fragment(), wire::continuation(b"\x28")],
        vec![wire::text(b"\xE2").fragment(), wire::continuation("")],
        vec![wire::close_with_body([3])],
        vec![wire::close(1005, "")],
        vec![wire::close(1000, b"\xFF")],
    ];
    vectors.extend((1..8).map(|bits| vec![wire::text("a").reserved(bits)]));
    vectors.extend((0x83..0x88).map(|first| vec![wire::frame(first, "")]));
    vectors.extend((0x8B..=0x8F).map(|first| vec![wire::frame(first, "")]));
    vectors
}

/// Every vector as bytes for an endpoint in this role.
fn corpus(role: Role) -> Vec<Vec<u8>> {
    let sender = role.peer();
    let encode = |frames: &[Frame]| -> Vec<u8> {
        let frames: Vec<_> = frames
            .iter()
            .map(|frame| frame.clone().sent_by(sender))
            .collect();
        wire::join(&frames)
    };
    let mut corpus: Vec<_> = valid().iter().map(|frames| encode(frames)).collect();
    for frames in violations() {
        let surrounded = [
            &[wire::text("before"), wire::ping("p")][..],
            &frames,
            &[wire::text("after"), wire::close(1000, "")],
        ]
        .concat();
        corpus.push(encode(&frames));
        corpus.push(encode(&surrounded));
    }
    corpus.push(wire::text("wrongly masked").sent_by(role).bytes());
    corpus
}

#[test]
fn every_vector_has_the_same_outcome_at_every_cut() {
    for role in ROLES {
        for bytes in corpus(role) {
            let whole = outcome(role, [&bytes[..]]);
            for cut in 0..=bytes.len() {
                let (first, second) = bytes.split_at(cut);
                assert_eq!(outcome(role, [first, second]), whole, "{cut} of {bytes:x?}");
            }
            assert_eq!(outcome(role, bytes.chunks(1)), whole, "{bytes:x?}");
        }
    }
}

#[test]
fn every_violation_fails_the_connection_and_lets_earlier_messages_through() {
    for role in ROLES {
        for frames in violations() {
            let frames = [&[wire::text("before")][..], &frames].concat();
            let frames: Vec<_> = frames
                .into_iter()
                .map(|frame| frame.sent_by(role.peer()))
                .collect();
            let outcome = outcome(role, [&wire::join(&frames)[..]]);
            assert_eq!(outcome.messages, ["before".into()]);
            assert!(outcome.was_ended_by_us);
            let closed = outcome.closed.expect("closed");
            assert!(closed.failure().is_some(), "{frames:?}");
            assert!(closed.sent().is_some(), "{frames:?}");
        }
    }
}

#[test]
fn large_messages_have_the_same_outcome_in_pieces_of_any_size() {
    for role in ROLES {
        let sender = role.peer();
        let frames = [
            wire::binary((0..=255).cycle().take(70_000).collect::<Vec<u8>>()).sent_by(sender),
            wire::text("ö".repeat(20_000)).fragment().sent_by(sender),
            wire::ping("").sent_by(sender),
            wire::continuation("ö".repeat(20_000)).sent_by(sender),
        ];
        let bytes = wire::join(&frames);
        let whole = outcome(role, [&bytes[..]]);
        for size in [7, 100, 1_000, 4_096, 16_384, 65_535, 65_536, 65_537] {
            assert_eq!(outcome(role, bytes.chunks(size)), whole, "{size}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn every_vector_has_the_same_outcome_in_random_pieces(
        which in any::<prop::sample::Index>(),
        sizes in prop::collection::vec(1usize..20, 1..40),
    ) {
        for role in ROLES {
            let corpus = corpus(role);
            let bytes = &corpus[which.index(corpus.len())];
            let whole = outcome(role, [&bytes[..]]);
            prop_assert_eq!(outcome(role, in_pieces(bytes, &sizes)), whole);
        }
    }

    /// Also nonsense is the same nonsense, and never a panic.
    #[test]
    fn arbitrary_bytes_have_the_same_outcome_in_random_pieces(
        mut bytes in prop::collection::vec(any::<u8>(), 0..300),
        is_plausible: bool,
        sizes in prop::collection::vec(1usize..20, 1..40),
    ) {
        for role in ROLES {
            if is_plausible && bytes.len() > 2 {
                // A start that gets past the first checks.
                bytes[0] = [0x01, 0x02, 0x81, 0x82, 0x89][usize::from(bytes[0]) % 5];
                bytes[1] = bytes[1] & 0x1F | if role == Role::Server { 0x80 } else { 0 };
            }
            let whole = outcome(role, [&bytes[..]]);
            prop_assert_eq!(outcome(role, in_pieces(&bytes, &sizes)), whole);
        }
    }
}

/// Cuts `bytes` into pieces of these sizes, over and over.
fn in_pieces<'a>(mut bytes: &'a [u8], sizes: &[usize]) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    for &size in sizes.iter().cycle() {
        if bytes.is_empty() {
            break;
        }
        let (piece, rest) = bytes.split_at(size.min(bytes.len()));
        pieces.push(piece);
        bytes = rest;
    }
    pieces
}

#[test]
fn a_large_message_whose_header_comes_alone_takes_no_small_reads() {
    const SIZE: usize = 1 << 20;
    let message = wire::binary(vec![7; SIZE]).masked().bytes();
    let (header, mut rest) = message.split_at(message.len() - SIZE);
    let mut endpoint = Endpoint::new(Role::Server);
    endpoint.receive(header);
    let mut reads = Vec::new();
    while !rest.is_empty() {
        let room = endpoint.connection.receive_memory().remaining_mut();
        let (read, after) = rest.split_at(room.min(1 << 16).min(rest.len()));
        endpoint.receive(read);
        reads.push(read.len());
        rest = after;
    }
    assert_eq!(endpoint.messages(), [Message::from(vec![7; SIZE])]);
    assert!(reads.len() <= SIZE / (1 << 16) + 1, "{reads:?}");
}
