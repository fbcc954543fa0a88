//! A tunnel through a SOCKS 5 proxy (RFC 1928, RFC 1929), as seen by a caller.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

use proptest::prelude::*;
use twinsock_proto::authentication::Credential;
use twinsock_proto::proxy::socks5::{Refusal, Socks5, Socks5Error, Step};
use twinsock_proto::uri::{Destination, UriError};

fn destination() -> Destination {
    Destination::new("a.example", 443).unwrap()
}

fn credential() -> Credential {
    Credential::new("Aladdin", "open sesame").unwrap()
}

fn anonymous() -> Socks5 {
    Socks5::start(destination(), None).unwrap().0
}

fn named() -> Socks5 {
    Socks5::start(destination(), Some(&credential())).unwrap().0
}

/// What a negotiation came to: all that was sent, and how it ended.
#[derive(Clone, Debug, PartialEq)]
struct Outcome {
    sent: Vec<Vec<u8>>,
    end: End,
}

#[derive(Clone, Debug, PartialEq)]
enum End {
    Waiting,
    Established(Vec<u8>),
    Failed(Socks5Error),
}

/// Feeds pieces until the tunnel stands; what then remains of them has come through it.
fn outcome_of<'a>(step: Socks5, pieces: impl IntoIterator<Item = &'a [u8]>) -> Outcome {
    let mut pieces = pieces.into_iter();
    let mut step = step;
    let mut sent = Vec::new();
    while let Some(piece) = pieces.next() {
        step = match step.proceed(piece) {
            Ok(Step::Incomplete(step)) => step,
            Ok(Step::Send(step, to_send)) => {
                sent.push(to_send.to_vec());
                step
            }
            Ok(Step::Established { leftover }) => {
                let mut leftover = leftover.to_vec();
                pieces.for_each(|piece| leftover.extend_from_slice(piece));
                let end = End::Established(leftover);
                return Outcome { sent, end };
            }
            Err(error) => {
                let end = End::Failed(error);
                return Outcome { sent, end };
            }
        };
    }
    let end = End::Waiting;
    Outcome { sent, end }
}

fn error_of(step: Socks5, answers: &[&[u8]]) -> Socks5Error {
    match outcome_of(step, answers.iter().copied()).end {
        End::Failed(error) => error,
        other => panic!("expected an error, got {other:?}"),
    }
}

/// The awaited reply's state, after a proxy that asks for nothing.
fn awaiting_reply() -> Socks5 {
    match anonymous().proceed(&[5, 0]) {
        Ok(Step::Send(step, _)) => step,
        other => panic!("{other:?}"),
    }
}

// What is sent.

#[test]
fn rfc_1928_section_3_user_name_and_password_are_offered_with_a_credential_only() {
    let (_, to_send) = Socks5::start(destination(), None).unwrap();
    assert_eq!(&to_send[..], [5, 1, 0]);
    let (_, to_send) = Socks5::start(destination(), Some(&credential())).unwrap();
    assert_eq!(&to_send[..], [5, 2, 0, 2]);
}

#[test]
fn rfc_1928_section_4_a_destination_is_a_name_or_an_address() {
    for (host, port, bytes) in [
        (
            "a.example",
            443,
            &b"\x05\x01\x00\x03\x09a.example\x01\xBB"[..],
        ),
        ("192.0.2.1", 80, b"\x05\x01\x00\x01\xC0\x00\x02\x01\x00\x50"),
        (
            "2001:db8::1",
            65535,
            b"\x05\x01\x00\x04\x20\x01\x0D\xB8\0\0\0\0\0\0\0\0\0\0\0\x01\xFF\xFF",
        ),
    ] {
        let destination = Destination::new(host, port).unwrap();
        let (step, _) = Socks5::start(destination, None).unwrap();
        assert_eq!(outcome_of(step, [&[5, 0][..]]).sent, [bytes], "{host}");
    }
}

#[test]
fn rfc_1928_section_5_the_longest_name_fits_and_a_longer_one_is_refused() {
    let labels = [
        "a".repeat(63),
        "b".repeat(63),
        "c".repeat(63),
        "d".repeat(61),
    ];
    let longest = labels.join(".") + ".";
    let (step, _) = Socks5::start(Destination::new(&longest, 80).unwrap(), None).unwrap();
    let sent = outcome_of(step, [&[5, 0][..]]).sent;
    assert_eq!(sent[0].get(4..5), Some(&[254][..]));
    assert_eq!(sent[0].get(5..259), Some(longest.as_bytes()));
    assert_eq!(sent[0].len(), 261);
    let longer = format!("{longest}ee");
    assert!(matches!(
        Destination::new(&longer, 80),
        Err(UriError::Host { .. })
    ));
}

#[test]
fn rfc_1929_section_2_user_name_and_password_have_255_bytes_at_most() {
    let start = |user_name: &str, password: &str| {
        let credential = Credential::new(user_name, password).unwrap();
        Socks5::start(destination(), Some(&credential))
    };
    let (long, longer) = ("x".repeat(255), "x".repeat(256));
    let step = start(&long, &long).unwrap().0;
    let sent = outcome_of(step, [&[5, 2][..]]).sent;
    assert_eq!(
        sent,
        [[&[1, 255], long.as_bytes(), &[255], long.as_bytes()].concat()]
    );
    assert_eq!(
        start(&longer, "x").unwrap_err(),
        Socks5Error::UserNameTooLong { length: 256 }
    );
    assert_eq!(
        start("x", &longer).unwrap_err(),
        Socks5Error::PasswordTooLong
    );
}

// The steps.

const REQUEST: &[u8] = b"\x05\x01\x00\x03\x09a.example\x01\xBB";

#[test]
fn rfc_1928_a_proxy_that_asks_for_nothing_gets_the_request() {
    for step in [anonymous(), named()] {
        let outcome = outcome_of(
            step,
            [&[5, 0][..], b"\x05\x00\x00\x01\x7F\x00\x00\x01\x04\x38"],
        );
        assert_eq!(outcome.sent, [REQUEST]);
        assert_eq!(outcome.end, End::Established(Vec::new()));
    }
}

#[test]
fn rfc_1929_a_proxy_that_asks_for_a_credential_gets_it_first() {
    let outcome = outcome_of(
        named(),
        [
            &[5, 2][..],
            &[1, 0],
            b"\x05\x00\x00\x01\x7F\x00\x00\x01\x04\x38",
        ],
    );
    assert_eq!(
        outcome.sent,
        [&b"\x01\x07Aladdin\x0Bopen sesame"[..], REQUEST]
    );
    assert_eq!(outcome.end, End::Established(Vec::new()));
}

#[test]
fn rfc_1928_section_6_what_follows_the_reply_is_handed_on_untouched() {
    let longest = [&b"\x05\x00\x00\x03\xFF"[..], &[b'x'; 255], &[0, 0]].concat();
    for reply in [
        &b"\x05\x00\x00\x01\0\0\0\0\0\0"[..],
        b"\x05\x00\xFF\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
        b"\x05\x00\x00\x03\x00\0\0",
        b"\x05\x00\x00\x03\x02\x05\x00\0\0",
        &longest,
    ] {
        for leftover in [&b""[..], b"\x05", b"\x05\x00\x16\x03\x01", &[0; 70_000]] {
            let bytes = [reply, leftover].concat();
            let outcome = outcome_of(awaiting_reply(), [&bytes[..]]);
            assert_eq!(outcome.end, End::Established(leftover.to_vec()));
        }
        let (cut, _) = reply.split_at(reply.len() - 1);
        assert_eq!(outcome_of(awaiting_reply(), [cut]).end, End::Waiting);
    }
}

#[test]
fn rfc_1928_every_wire_vector_gives_the_same_result_at_every_split() {
    type Conversation = (fn() -> Socks5, &'static [&'static [u8]]);
    let conversations: [Conversation; 5] = [
        (
            anonymous,
            &[&[5, 0], b"\x05\x00\x00\x01\0\0\0\0\0\0\x16\x03"],
        ),
        (named, &[&[5, 2], &[1, 0], b"\x05\x00\x00\x03\x01x\0\0more"]),
        (
            named,
            &[
                &[5, 0],
                &[
                    5, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                ],
            ],
        ),
        (named, &[&[5, 2], &[1, 1]]),
        (anonymous, &[&[5, 0], &[5, 5]]),
    ];
    for (start, answers) in conversations {
        let whole = outcome_of(start(), answers.iter().copied());
        assert_ne!(whole.end, End::Waiting);
        for (index, answer) in answers.iter().enumerate() {
            for at in 0..=answer.len() {
                let (first, second) = answer.split_at(at);
                let mut pieces = answers.to_vec();
                pieces.splice(index..=index, [first, second]);
                assert_eq!(
                    outcome_of(start(), pieces),
                    whole,
                    "{answers:?} {index} {at}"
                );
            }
        }
        let bytes = answers.iter().flat_map(|answer| answer.chunks(1));
        assert_eq!(outcome_of(start(), bytes), whole);
    }
}

// What goes wrong.

#[test]
fn rfc_1928_section_6_each_reply_code_has_its_name() {
    for (code, refusal, text) in [
        (1, Refusal::GeneralFailure, "general failure"),
        (2, Refusal::NotAllowed, "not allowed"),
        (3, Refusal::NetworkUnreachable, "network unreachable"),
        (4, Refusal::HostUnreachable, "host unreachable"),
        (5, Refusal::ConnectionRefused, "connection refused"),
        (6, Refusal::TtlExpired, "TTL expired"),
        (7, Refusal::CommandNotSupported, "command not supported"),
        (
            8,
            Refusal::AddressTypeNotSupported,
            "address type not supported",
        ),
        (9, Refusal::Unknown(9), "unknown code 9"),
        (255, Refusal::Unknown(255), "unknown code 255"),
    ] {
        let error = error_of(awaiting_reply(), &[&[5, code]]);
        assert_eq!(error, Socks5Error::Refused(refusal));
        assert!(error.to_string().contains(text), "{error}");
    }
}

#[test]
fn rfc_1928_section_3_methods_that_were_not_offered_are_refused() {
    for (step, method, expected) in [
        (anonymous(), 0xFF, Socks5Error::NoAcceptableMethod),
        (named(), 0xFF, Socks5Error::NoAcceptableMethod),
        (anonymous(), 2, Socks5Error::Method { got: 2 }),
        (named(), 1, Socks5Error::Method { got: 1 }),
        (named(), 0x80, Socks5Error::Method { got: 0x80 }),
    ] {
        assert_eq!(error_of(step, &[&[5, method]]), expected);
    }
}

#[test]
fn rfc_1929_section_2_any_status_but_zero_is_a_rejection() {
    for status in [1, 2, 255] {
        let error = error_of(named(), &[&[5, 2], &[1, status]]);
        assert_eq!(error, Socks5Error::Rejected { status });
    }
}

#[test]
fn other_versions_are_refused_by_their_first_byte() {
    for got in [0, 1, 4, b'H', 255] {
        assert_eq!(
            error_of(anonymous(), &[&[got]]),
            Socks5Error::Version { got }
        );
        assert_eq!(
            error_of(awaiting_reply(), &[&[got]]),
            Socks5Error::Version { got }
        );
    }
    let error = error_of(named(), &[&[5, 2], &[5]]);
    assert_eq!(error, Socks5Error::AuthenticationVersion { got: 5 });
}

#[test]
fn rfc_1928_section_5_unknown_address_types_are_refused() {
    for got in [0, 2, 5, 255] {
        let error = error_of(awaiting_reply(), &[&[5, 0, 0, got]]);
        assert_eq!(error, Socks5Error::AddressType { got });
    }
}

#[test]
fn bytes_before_the_next_request_are_refused() {
    let error = error_of(anonymous(), &[&[5, 0, 5, 0, 0]]);
    assert_eq!(error, Socks5Error::EarlyBytes { count: 3 });
    let error = error_of(named(), &[&[5, 2, 1]]);
    assert_eq!(error, Socks5Error::EarlyBytes { count: 1 });
    let error = error_of(named(), &[&[5, 2], &[1, 0, 5, 0]]);
    assert_eq!(error, Socks5Error::EarlyBytes { count: 2 });
}

#[test]
fn a_cut_stream_says_how_much_came() {
    assert_eq!(
        anonymous().handle_eof(),
        Socks5Error::EndOfStream { received: 0 }
    );
    let Ok(Step::Incomplete(step)) = awaiting_reply().proceed(&[5, 0, 0, 1, 127]) else {
        panic!("expected more to come");
    };
    assert_eq!(step.handle_eof(), Socks5Error::EndOfStream { received: 5 });
}

#[test]
fn nothing_that_is_made_of_a_credential_shows_it() {
    let waiting = format!("{:?}", named());
    let step = named().proceed(&[5, 2]);
    let sent = format!("{step:?}");
    let Ok(Step::Send(step, _)) = step else {
        panic!("{sent}");
    };
    let rejected = step.proceed(&[1, 1]).unwrap_err();
    let long = Credential::new("x", &"sesame".repeat(50)).unwrap();
    let too_long = Socks5::start(destination(), Some(&long)).unwrap_err();
    for shown in [
        waiting,
        sent,
        format!("{rejected:?} {rejected}"),
        format!("{too_long:?} {too_long}"),
    ] {
        assert!(!shown.contains("sesame"), "{shown}");
        assert!(!shown.contains("115, 101, 115, 97, 109, 101"), "{shown}");
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic_and_nothing_is_lost(
        pieces in proptest::collection::vec(prop_oneof![
            Just(vec![5, 0]),
            Just(vec![5, 2]),
            Just(vec![1, 0]),
            Just(vec![5, 0, 0, 3, 9]),
            proptest::collection::vec(any::<u8>(), 0..12),
        ], 0..8)
    ) {
        let outcome = outcome_of(named(), pieces.iter().map(Vec::as_slice));
        if let End::Established(leftover) = outcome.end {
            prop_assert!(pieces.concat().ends_with(&leftover));
        }
        prop_assert!(outcome.sent.len() <= 2);
    }

    #[test]
    fn a_reply_of_arbitrary_bytes_is_the_same_however_it_is_cut(
        bytes in (prop_oneof![Just(vec![]), Just(vec![5, 0, 0, 3]), Just(vec![5, 0, 0, 1])],
            proptest::collection::vec(any::<u8>(), 0..300))
            .prop_map(|(start, rest)| [start, rest].concat()),
        size in 1..40_usize,
    ) {
        let whole = outcome_of(awaiting_reply(), [&bytes[..]]);
        prop_assert_eq!(outcome_of(awaiting_reply(), bytes.chunks(size)), whole);
    }
}
