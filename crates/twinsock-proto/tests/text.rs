//! Text is UTF-8 (RFC 6455 §5.6, §8.1; RFC 3629).

use twinsock_proto::{CloseCode, Failure, Message, MessageType, Role, Violation};
use twinsock_testkit::endpoint::Endpoint;
use twinsock_testkit::wire::{self, Frame};

const ROLES: [Role; 2] = [Role::Client, Role::Server];

/// Good text, then bytes of which the last is the first that cannot belong to it.
const INVALID: [&[u8]; 16] = [
    b"\x80", // a continuation byte alone
    b"\xBF",
    b"\xC0", // overlong
    b"\xC1",
    b"\xE0\x80",
    b"\xE0\x9F",
    b"\xF0\x80",
    b"\xF0\x8F",
    b"\xED\xA0", // surrogates
    b"\xED\xBF",
    b"\xF4\x90", // above U+10FFFF
    b"\xF5",
    b"\xFF",
    b"\xC3\x28", // cut by an ASCII byte
    b"\xE2\x82\x28",
    b"\xF0\x9F\x98\x28",
];

fn assert_invalid(endpoint: &mut Endpoint) {
    let violation = Violation::InvalidUtf8;
    let close = wire::close(CloseCode::INVALID_PAYLOAD.value(), violation.to_string());
    assert_eq!(endpoint.transmitted_frames(), [close]);
    assert_eq!(endpoint.messages(), []);
    endpoint.receive_end();
    let closed = endpoint.connection.closed().expect("closed");
    assert_eq!(closed.failure(), Some(&Failure::Violation(violation)));
}

fn assert_invalid_frames(frames: &[Frame]) {
    for role in ROLES {
        let mut endpoint = Endpoint::new(role);
        endpoint.receive_frames(frames);
        assert_invalid(&mut endpoint);
    }
}

/// §5.6: the payload of a text message is UTF-8; no byte order mark is taken off.
#[test]
fn any_text_is_received_as_it_is() {
    for text in [
        "",
        "hello",
        "\0",
        "schön",
        "\u{FEFF}bom",
        "\u{D7FF}\u{E000}\u{FFFD}\u{FFFE}\u{FFFF}",
        "\u{10000}\u{10FFFF}",
        "κόσμε 한국어 😀",
    ] {
        for role in ROLES {
            let mut endpoint = Endpoint::new(role);
            endpoint.receive_frames(&[wire::text(text)]);
            assert_eq!(endpoint.messages(), [text.into()]);
        }
    }
}

/// §8.1: invalid text fails the connection with 1007.
#[test]
fn invalid_text_in_one_frame_is_refused() {
    for bad in INVALID {
        assert_invalid_frames(&[wire::text(bad)]);
        assert_invalid_frames(&[wire::text([b"good ", bad, b" good"].concat())]);
    }
}

/// §8.1: the text of a message is checked as a whole, whatever its fragments.
#[test]
fn invalid_text_in_fragments_is_refused() {
    for bad in INVALID {
        for cut in 0..=bad.len() {
            assert_invalid_frames(&[
                wire::text(&bad[..cut]).fragment(),
                wire::continuation(&bad[cut..]),
            ]);
        }
    }
}

/// §8.1: a character that the message cuts off is invalid.
#[test]
fn a_character_cut_by_the_end_of_the_message_is_refused() {
    for character in ["é", "€", "😀"] {
        for length in 1..character.len() {
            let cut = &character.as_bytes()[..length];
            assert_invalid_frames(&[wire::text(cut)]);
            assert_invalid_frames(&[wire::text(cut).fragment(), wire::continuation("")]);
            assert_invalid_frames(&[wire::text(cut), wire::text(&character.as_bytes()[length..])]);
        }
    }
}

/// §8.1: a character that a fragment cuts is continued by the next, also past control frames.
#[test]
fn a_character_may_be_cut_by_a_fragment() {
    for role in ROLES {
        let mut endpoint = Endpoint::new(role);
        endpoint.receive_frames(&[
            wire::text(b"\xF0").fragment(),
            wire::continuation(b"\x9F").fragment(),
            wire::ping(""),
            wire::continuation("").fragment(),
            wire::continuation(b"\x98\x80"),
        ]);
        assert_eq!(endpoint.messages(), ["😀".into()]);
    }
}

/// §8.1: the failure need not await the end of the message, so it does not.
#[test]
fn an_unfinished_frame_fails_at_its_first_bad_byte() {
    for bad in INVALID {
        for prefix in [&b""[..], b"good", "schön".as_bytes()] {
            let mut server = Endpoint::new(Role::Server);
            let text = [prefix, bad].concat();
            let bytes = wire::text(&text).claims(1_000).masked().bytes();
            let (&last, good) = bytes.split_last().expect("not empty");
            server.receive(good);
            assert!(server.connection.is_open(), "{text:x?}");
            server.receive(&[last]);
            assert_invalid(&mut server);
        }
    }
}

/// §8.1: the same in an unfinished fragment after the first.
#[test]
fn an_unfinished_continuation_fails_at_its_first_bad_byte() {
    for bad in INVALID {
        let mut client = Endpoint::new(Role::Client);
        let (&last, good) = bad.split_last().expect("not empty");
        client.receive(&wire::text(good).fragment().bytes());
        client.receive(&wire::continuation("").claims(1_000).bytes());
        assert!(client.connection.is_open(), "{bad:x?}");
        client.receive(&[last]);
        assert_invalid(&mut client);
    }
}

/// §5.6: binary data is whatever it is.
#[test]
fn binary_messages_are_not_checked() {
    for bad in INVALID {
        let mut server = Endpoint::new(Role::Server);
        server.receive_frames(&[wire::binary(bad)]);
        assert_eq!(server.messages(), [Message::from(bad)]);
    }
}

/// §5.6: a message remembers its type, lent or owned.
#[test]
fn the_type_of_an_empty_message_is_kept() {
    let mut server = Endpoint::new(Role::Server);
    server.receive_frames(&[wire::text(""), wire::binary("")]);
    let types: Vec<_> = server
        .messages()
        .iter()
        .map(Message::message_type)
        .collect();
    assert_eq!(types, [MessageType::Text, MessageType::Binary]);
}
