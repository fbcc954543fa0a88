//! Messages that are lent are those that events give, whoever asks for which of them.

use std::time::{Duration, Instant};

use bytes::{Buf, BufMut};
use proptest::prelude::*;
use twinsock_proto::{
    AbortCause, Closed, Connection, Event, Failure, Limits, Message, MessageType, ReceiveMode,
    Role, Settings, Statistics, Transmit,
};
use twinsock_testkit::endpoint::Endpoint;
use twinsock_testkit::wire::{self, Frame};

const ROLES: [Role; 2] = [Role::Client, Role::Server];

/// How the application asks for what came.
#[derive(Clone, Copy, Debug)]
enum Ask {
    Event,
    /// So many messages are looked at, then the rest is given back.
    Lend(usize),
    /// The last of so many is gone on to, but not looked at.
    LendAndPeek(usize),
}

/// All that can be seen of a connection after the peer sent some bytes and ended.
#[derive(Debug, PartialEq)]
struct Outcome {
    messages: Vec<Message>,
    transmitted: Vec<u8>,
    closed: Option<Closed>,
    statistics: Statistics,
}

/// An application that asks in different ways, one after the other.
struct Application<'a> {
    connection: Connection,
    now: Instant,
    asks: std::iter::Cycle<std::slice::Iter<'a, Ask>>,
    messages: Vec<Message>,
}

impl<'a> Application<'a> {
    fn new(role: Role, asks: &'a [Ask]) -> Self {
        let settings = Settings {
            limits: Limits {
                max_message_size: Some(100_000),
                ..Limits::default()
            },
            ..Settings::default()
        };
        let Endpoint {
            connection, now, ..
        } = Endpoint::with_settings(role, settings);
        Self {
            connection,
            now,
            asks: asks.iter().cycle(),
            messages: Vec::new(),
        }
    }

    fn receive(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let mut memory = self.connection.receive_memory();
            let count = bytes.len().min(memory.remaining_mut());
            memory.put_slice(&bytes[..count]);
            drop(memory);
            self.connection.handle_received(self.now);
            bytes = &bytes[count..];
            self.take();
        }
    }

    /// Takes all there is.
    fn take(&mut self) {
        while let Some(&ask) = self.asks.next() {
            let is_more = match ask {
                Ask::Event => self.take_event(),
                Ask::Lend(count) => self.borrow(count, 0),
                // Peeking alone would never come to an end.
                Ask::LendAndPeek(count) => self.borrow(count, 1) && self.take_event(),
            };
            if !is_more {
                break;
            }
        }
    }

    fn take_event(&mut self) -> bool {
        match self.connection.poll_event() {
            Some(Event::MessageReceived(message)) => self.messages.push(message.into_owned()),
            Some(event) => unreachable!("{event:?}"),
            None => return false,
        }
        true
    }

    fn borrow(&mut self, look: usize, peek: usize) -> bool {
        let Some(mut lent) = self.connection.lend_messages() else {
            return false;
        };
        assert!(self.connection.has_lent_messages());
        assert!(self.connection.lend_messages().is_none(), "lent once");
        assert!(self.connection.poll_event().is_none(), "all of it is lent");
        for _ in 0..look {
            if !lent.advance() {
                break;
            }
            match lent.message() {
                Ok(message) => self
                    .messages
                    .push(message.expect("one is there").into_owned()),
                Err(violation) => {
                    self.connection.refuse_received(violation);
                    assert!(!lent.advance(), "nothing counts behind a violation");
                    break;
                }
            }
        }
        for _ in 0..peek {
            lent.advance();
        }
        self.connection.give_back(lent);
        assert!(!self.connection.has_lent_messages());
        true
    }

    fn transmitted(&mut self) -> Vec<u8> {
        let mut wire = Vec::new();
        while let Some(transmit) = self.connection.poll_transmit() {
            if let Transmit::Bytes(queue) = transmit {
                let count = queue.remaining();
                wire.put(queue.take(count));
                self.connection.handle_transmitted(self.now, count);
            }
        }
        wire
    }
}

fn outcome<'a>(role: Role, parts: impl IntoIterator<Item = &'a [u8]>, asks: &[Ask]) -> Outcome {
    let mut application = Application::new(role, asks);
    for part in parts {
        application.receive(part);
    }
    // At the end only: how often the network takes bytes may change the answers to Pings.
    let transmitted = application.transmitted();
    application.connection.handle_end_of_stream(application.now);
    application.take();
    Outcome {
        messages: application.messages,
        transmitted,
        closed: application.connection.closed().cloned(),
        statistics: application.connection.statistics(),
    }
}

/// What an honest peer may send, and what a peer may do wrong at the end.
fn vectors() -> Vec<Vec<Frame>> {
    let three = || vec![wire::text("a"), wire::binary([1, 2, 3]), wire::text("")];
    let behind = |frames: &[Frame]| [&three()[..], frames, &three()].concat();
    vec![
        three(),
        vec![
            wire::text([b'a'; 125]),
            wire::binary([7; 126]),
            wire::text("schön 😀"),
        ],
        behind(&[wire::ping("between"), wire::pong("unasked")]),
        behind(&[
            wire::text("a😀").fragment(),
            wire::ping("within"),
            wire::continuation("").fragment(),
            wire::continuation("é"),
        ]),
        vec![
            wire::binary("a").fragment(),
            wire::continuation("b"),
            wire::text("c"),
        ],
        behind(&[wire::close(1000, "bye")]),
        behind(&[wire::text("cut").claims(100)]),
        behind(&[wire::text(b"good \xFF bad")]),
        vec![wire::text(b"\xC3"), wire::text("behind")],
        behind(&[wire::text("a").fragment(), wire::text("b")]),
        behind(&[wire::continuation("a")]),
        behind(&[wire::binary("a").claims(100_001)]),
        behind(&[wire::text("a").reserved(4)]),
        behind(&[wire::frame(0x83, "")]),
        behind(&[wire::ping([0; 126])]),
        behind(&[wire::close(1005, "")]),
    ]
}

fn bytes_for(role: Role, frames: &[Frame]) -> Vec<u8> {
    let frames = frames.iter().cloned();
    wire::join(
        &frames
            .map(|frame| frame.sent_by(role.peer()))
            .collect::<Vec<_>>(),
    )
}

const MANNERS: [&[Ask]; 6] = [
    &[Ask::Lend(usize::MAX)],
    &[Ask::Lend(1)],
    &[Ask::Lend(2), Ask::Event],
    &[Ask::Event, Ask::Lend(1)],
    &[Ask::LendAndPeek(0)],
    &[Ask::LendAndPeek(1)],
];

fn assert_same_in_every_manner(role: Role, parts: &[&[u8]], frames: &[Frame]) {
    let expected = outcome(role, parts.iter().copied(), &[Ask::Event]);
    for asks in MANNERS {
        let lent = outcome(role, parts.iter().copied(), asks);
        assert_eq!(lent, expected, "{asks:?}, {frames:?}");
    }
}

#[test]
fn every_vector_has_the_same_outcome_when_lent_at_every_cut() {
    for role in ROLES {
        for frames in vectors() {
            let bytes = bytes_for(role, &frames);
            for cut in 0..=bytes.len() {
                let (first, second) = bytes.split_at(cut);
                assert_same_in_every_manner(role, &[first, second], &frames);
            }
            assert_same_in_every_manner(role, &bytes.chunks(1).collect::<Vec<_>>(), &frames);
        }
    }
}

fn a_frame() -> impl Strategy<Value = Vec<Frame>> {
    let small = || prop::collection::vec(any::<u8>(), 0..40);
    let text = || proptest::string::string_regex("[a-zé😀]{0,60}").expect("a pattern");
    prop_oneof![
        6 => small().prop_map(|bytes| vec![wire::binary(bytes)]),
        6 => text().prop_map(|text| vec![wire::text(text)]),
        1 => (100..70_000usize).prop_map(|length| vec![wire::binary(vec![9; length])]),
        1 => (100..40_000usize).prop_map(|length| vec![wire::text("ö".repeat(length))]),
        2 => (text(), text()).prop_map(|(first, second)| vec![
            wire::text(first).fragment(),
            wire::ping("within"),
            wire::continuation(second),
        ]),
        1 => small().prop_map(|payload| vec![wire::ping(payload)]),
        1 => small().prop_map(|payload| vec![wire::pong(payload)]),
    ]
}

/// What ends it, if anything but the stream does.
fn a_last_frame() -> impl Strategy<Value = Vec<Frame>> {
    prop_oneof![
        4 => Just(vec![]),
        2 => Just(vec![wire::close(1001, "bye"), wire::text("behind")]),
        2 => Just(vec![wire::text(b"bad \xFF"), wire::text("behind")]),
        1 => Just(vec![wire::binary("").claims(100_001)]),
        1 => Just(vec![wire::continuation("of nothing"), wire::text("behind")]),
        1 => Just(vec![wire::text("cut").claims(9)]),
    ]
}

fn an_ask() -> impl Strategy<Value = Ask> {
    prop_oneof![
        Just(Ask::Event),
        (1..6usize).prop_map(Ask::Lend),
        Just(Ask::Lend(usize::MAX)),
        (0..4usize).prop_map(Ask::LendAndPeek),
    ]
}

proptest! {
    #[test]
    fn any_frames_in_any_pieces_have_the_same_outcome_in_any_manner(
        frames in prop::collection::vec(a_frame(), 0..30),
        last in a_last_frame(),
        sizes in prop::collection::vec(prop_oneof![1..40usize, 1..70_000usize], 1..12),
        asks in prop::collection::vec(an_ask(), 1..8),
    ) {
        let frames = [frames.concat(), last].concat();
        for role in ROLES {
            let bytes = bytes_for(role, &frames);
            let pieces = in_pieces(&bytes, &sizes);
            let expected = outcome(role, pieces.iter().copied(), &[Ask::Event]);
            let lent = outcome(role, pieces.iter().copied(), &asks);
            // Not with assert_eq: megabytes would be printed.
            prop_assert_eq!(lent.messages.len(), expected.messages.len());
            prop_assert_eq!(&lent.closed, &expected.closed);
            prop_assert_eq!(lent.statistics, expected.statistics);
            prop_assert!(lent == expected, "the contents differ");
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

// ---- what else happens to a connection meanwhile ----

/// A server that was sent these frames and looked at none.
fn server(frames: &[Frame]) -> Endpoint {
    let mut server = Endpoint::new(Role::Server);
    let masked: Vec<_> = frames.iter().cloned().map(Frame::masked).collect();
    let bytes = wire::join(&masked);
    server.connection.receive_memory().put_slice(&bytes);
    server.connection.handle_received(server.now);
    server
}

#[test]
fn what_is_kept_of_lent_messages_of_all_kinds_is_whole() {
    let frames = [
        wire::text("frag").fragment(),
        wire::continuation("mented"),
        wire::binary("bi").fragment(),
        wire::continuation("nary"),
        wire::text("schön"),
        wire::binary([0, 255]),
        wire::text(""),
        wire::binary(""),
    ];
    let mut server = server(&frames);
    let mut kept = Vec::new();
    while let Some(mut lent) = server.connection.lend_messages() {
        while lent.advance() {
            let message = lent.message().expect("valid").expect("there");
            assert!(message.is_complete());
            kept.push((message.message_type(), message.into_owned()));
        }
        server.connection.give_back(lent);
    }
    let expected = [
        Message::from("fragmented"),
        Message::from(b"binary".to_vec()),
        Message::from("schön"),
        Message::from(vec![0, 255]),
        Message::from(""),
        Message::from(Vec::new()),
    ];
    let expected = expected.map(|message| (message.message_type(), message));
    assert_eq!(kept, expected);
    assert_eq!(expected[0].0, MessageType::Text);
}

#[test]
fn what_is_set_while_messages_are_lent_counts_when_they_are_back() {
    let mut server = server(&[wire::text("a"), wire::binary("b").fragment()]);
    let lent = server.connection.lend_messages().expect("one has come");
    server
        .connection
        .set_receive_mode(ReceiveMode::PartialMessage);
    assert!(server.connection.has_unread_bytes());
    server.connection.give_back(lent);
    assert_eq!(
        server.connection.receive_mode(),
        ReceiveMode::PartialMessage
    );
    server.take_events();
    assert_eq!(
        server.messages(),
        [Message::from("a"), Message::from(b"b".to_vec())]
    );
}

#[test]
fn bytes_that_come_while_messages_are_lent_follow_them() {
    let mut server = server(&[wire::text("a"), wire::text("b")]);
    let mut lent = server.connection.lend_messages().expect("two have come");
    assert!(lent.advance());
    assert_eq!(
        lent.message().expect("valid").expect("there").as_text(),
        Some("a")
    );
    server.deliver_frames(&[wire::text("c")]);
    let read = server.connection.statistics().received.bytes;
    assert_eq!(read, 3 * 7);
    server.connection.give_back(lent);
    server.take_events();
    assert_eq!(server.messages(), ["b".into(), "c".into()]);
    assert_eq!(server.connection.statistics().received.bytes, read);
}

#[test]
fn bytes_that_nobody_looks_at_any_more_are_counted() {
    let mut server = server(&[wire::text("a"), wire::text("b")]);
    let lent = server.connection.lend_messages().expect("two have come");
    server.connection.abort(server.now, AbortCause::Requested);
    server.deliver_frames(&[wire::text("c")]);
    let read = server.connection.statistics().received.bytes;
    server.connection.give_back(lent);
    assert_eq!(server.connection.statistics().received.bytes, read);
    server.take_events();
    assert_eq!(server.messages(), []);
}

/// The end is decided: it is told as it is, and the peer gets its Close frame.
#[test]
fn a_violation_in_messages_that_were_lent_before_the_end_changes_nothing() {
    let mut server = server(&[wire::text("a"), wire::text(b"\xFF")]);
    let mut lent = server.connection.lend_messages().expect("one has come");
    server.connection.abort(server.now, AbortCause::Requested);
    let ending = server.connection.ending().cloned();
    assert!(lent.advance() && lent.message().is_ok());
    assert!(lent.advance());
    let violation = lent.message().expect_err("no UTF-8");
    server.connection.refuse_received(violation);
    server.connection.give_back(lent);
    assert_eq!(server.connection.ending().cloned(), ending);
    assert_eq!(server.connection.closed(), None, "the peer is to be told");
    let frames = server.transmitted_frames();
    assert!(matches!(&frames[..], [close] if close.payload().starts_with(&1011_u16.to_be_bytes())));
    server.receive_end();
    let failure = server
        .connection
        .closed()
        .and_then(Closed::failure)
        .copied();
    assert_eq!(failure, Some(Failure::Aborted(AbortCause::Requested)));
}

#[test]
fn a_peer_is_not_given_up_while_what_it_sent_is_lent() {
    let mut server = server(&[wire::text("a"), wire::pong("")]);
    let lent = server.connection.lend_messages().expect("one has come");
    server.wait(Duration::from_secs(3_600));
    assert!(server.connection.is_open());
    server.connection.give_back(lent);
    server.take_events();
    assert_eq!(server.messages(), ["a".into()]);
    server.wait(Duration::from_secs(60));
    assert!(!server.connection.is_open(), "its silence counts again");
}

/// A reply is then written at once: no other follows it.
#[test]
fn a_single_message_that_is_lent_leaves_nothing_unread() {
    let mut server = server(&[wire::text("a")]);
    let lent = server.connection.lend_messages().expect("one has come");
    assert!(!server.connection.has_unread_bytes());
    server.connection.give_back(lent);
    assert!(server.connection.has_unread_bytes(), "it was not looked at");
}
