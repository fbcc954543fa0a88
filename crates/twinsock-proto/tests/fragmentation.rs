//! Messages in fragments (RFC 6455 §5.4).

use twinsock_proto::{CloseCode, Message, Opcode, Role, Violation};
use twinsock_testkit::endpoint::Endpoint;
use twinsock_testkit::wire::{self, Frame};

const ROLES: [Role; 2] = [Role::Client, Role::Server];

fn received(frames: &[Frame]) -> Vec<Message> {
    let [client, server] = ROLES.map(|role| {
        let mut endpoint = Endpoint::new(role);
        endpoint.receive_frames(frames);
        assert!(endpoint.connection.is_open());
        endpoint.messages()
    });
    assert_eq!(client, server);
    client
}

fn assert_violation(frames: &[Frame], violation: Violation) {
    for role in ROLES {
        let mut endpoint = Endpoint::new(role);
        endpoint.receive_frames(frames);
        let close = wire::close(CloseCode::PROTOCOL_ERROR.value(), violation.to_string());
        assert_eq!(endpoint.transmitted_frames(), [close]);
        assert_eq!(endpoint.messages(), []);
    }
}

/// §5.4: a first frame with an opcode, continuations, the last one final.
#[test]
fn fragments_make_one_message_of_the_first_ones_type() {
    let frames = |first: Frame| {
        [
            first.fragment(),
            wire::continuation("b").fragment(),
            wire::continuation("c"),
        ]
    };
    assert_eq!(received(&frames(wire::text("a"))), ["abc".into()]);
    let binary = Message::from(&b"abc"[..]);
    assert_eq!(received(&frames(wire::binary("a"))), [binary]);
}

/// §5.4: fragments may be empty.
#[test]
fn empty_fragments_add_nothing() {
    for first in [wire::text(""), wire::binary("")] {
        let frames = [
            first.fragment(),
            wire::continuation("").fragment(),
            wire::continuation(""),
        ];
        assert_eq!(received(&frames).len(), 1);
        assert!(received(&frames)[0].is_empty());
    }
}

/// §5.4: control frames may come between the fragments, and are answered at once (§5.5.2).
#[test]
fn control_frames_may_come_between_fragments() {
    for role in ROLES {
        let mut endpoint = Endpoint::new(role);
        endpoint.receive_frames(&[wire::text("a").fragment(), wire::ping("1")]);
        assert_eq!(endpoint.transmitted_frames(), [wire::pong("1")]);
        endpoint.receive_frames(&[wire::continuation("b").fragment(), wire::pong("?")]);
        assert_eq!(endpoint.messages(), []);
        endpoint.receive_frames(&[wire::ping("2"), wire::continuation("c")]);
        assert_eq!(endpoint.transmitted_frames(), [wire::pong("2")]);
        assert_eq!(endpoint.messages(), ["abc".into()]);
    }
}

/// §5.4, §5.5.1: Close is a control frame, so it too may come between fragments.
#[test]
fn a_close_between_fragments_is_answered_and_the_message_dropped() {
    for role in ROLES {
        let mut endpoint = Endpoint::new(role);
        endpoint.receive_frames(&[
            wire::text("a").fragment(),
            wire::close(1001, "bye"),
            wire::continuation("b"),
        ]);
        assert_eq!(endpoint.transmitted_frames(), [wire::close(1001, "")]);
        assert_eq!(endpoint.messages(), []);
        endpoint.receive_end();
        assert!(endpoint.connection.closed().expect("closed").is_clean());
    }
}

/// §5.4: a continuation needs a message to continue.
#[test]
fn a_continuation_without_a_message_is_refused() {
    for frame in [wire::continuation("a"), wire::continuation("a").fragment()] {
        assert_violation(&[frame], Violation::UnexpectedContinuation);
    }
}

/// §5.4: the last fragment ends the message; nothing continues it.
#[test]
fn a_continuation_after_the_last_fragment_is_refused() {
    for role in ROLES {
        let mut endpoint = Endpoint::new(role);
        endpoint.receive_frames(&[
            wire::text("a").fragment(),
            wire::continuation("b"),
            wire::continuation("c"),
        ]);
        assert_eq!(endpoint.messages(), ["ab".into()]);
        assert!(!endpoint.connection.is_open());
    }
}

/// §6.2: behind the last fragment a message of its own begins, with a type of its own.
#[test]
fn what_follows_the_last_fragment_is_a_message_of_its_own() {
    let frames = [
        wire::text("a").fragment(),
        wire::continuation("b"),
        wire::binary("c"),
        wire::binary("d").fragment(),
        wire::continuation("e"),
        wire::text("f"),
    ];
    let expected = [
        "ab".into(),
        Message::from(&b"c"[..]),
        Message::from(&b"de"[..]),
        "f".into(),
    ];
    assert_eq!(received(&frames), expected);
}

/// §5.4: the fragments of one message must not be interleaved with another message.
#[test]
fn a_message_within_a_message_is_refused() {
    for first in [wire::text("a"), wire::binary("a")] {
        let first = first.fragment();
        for (second, opcode) in [
            (wire::text("b"), Opcode::Text),
            (wire::binary("b").fragment(), Opcode::Binary),
        ] {
            let frames = [first.clone(), second];
            assert_violation(&frames, Violation::MessageInterrupted(opcode));
        }
    }
}

/// §5.4: an endpoint must be able to receive any number of fragments.
#[test]
fn a_message_may_have_very_many_fragments() {
    let mut frames = vec![wire::continuation("x").fragment(); 10_000];
    frames.insert(0, wire::text("").fragment());
    frames.push(wire::continuation(""));
    assert_eq!(received(&frames), ["x".repeat(10_000).into()]);
}

/// §5.4: fragments of any size, also larger than what is read at once.
#[test]
fn large_and_small_fragments_mix() {
    let sizes = [1, 70_000, 3, 0, 200_000, 16_384, 5];
    let mut frames: Vec<_> = sizes
        .iter()
        .map(|&size| wire::continuation(vec![7; size]).fragment())
        .collect();
    frames.insert(0, wire::binary("").fragment());
    frames.push(wire::continuation([7]));
    let expected = vec![7; sizes.iter().sum::<usize>() + 1];
    assert_eq!(received(&frames), [expected.into()]);
}

/// §5.4: without an extension the boundaries of fragments mean nothing to the receiver.
#[test]
fn any_fragmentation_gives_the_same_message() {
    let text = "schön 😀";
    for first in 0..=text.len() {
        for second in first..=text.len() {
            let bytes = text.as_bytes();
            let frames = [
                wire::text(&bytes[..first]).fragment(),
                wire::continuation(&bytes[first..second]).fragment(),
                wire::continuation(&bytes[second..]),
            ];
            assert_eq!(received(&frames), [text.into()], "{first} {second}");
        }
    }
}
