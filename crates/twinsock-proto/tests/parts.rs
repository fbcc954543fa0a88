//! Messages that are handed out in parts, and as bytes without borders, however the network cuts.

use std::time::Duration;

use bytes::BufMut;
use twinsock_proto::{Event, Limits, MessageType, ReceiveMode, Role, Settings, TextPolicy};
use twinsock_testkit::endpoint::Endpoint;
use twinsock_testkit::wire::{self, Frame};

const PARTS: Settings = Settings {
    limits: Limits {
        max_message_size: Some(10),
        send_queue_size: 64 << 10,
    },
    timing: twinsock_proto::Timing {
        keep_alive: None,
        pong: None,
        unsolicited_pong: None,
        close: Some(Duration::from_secs(10)),
        send: None,
        receive: None,
    },
    receive_mode: ReceiveMode::PartialMessage,
    text: TextPolicy::Accept,
    deflate: None,
};

fn server() -> Endpoint {
    Endpoint::with_settings(Role::Server, PARTS)
}

/// Text and binary, whole and in fragments, with control frames between them; the limit on whole
/// messages is far below their sizes.
fn conversation(large: usize) -> (Vec<u8>, Vec<(MessageType, Vec<u8>)>) {
    let frames = [
        wire::text("héllo wörld"),
        wire::ping("1"),
        wire::binary([1, 2, 3, 4, 5]).fragment(),
        wire::ping("2"),
        wire::continuation("").fragment(),
        wire::continuation([6, 7, 8, 9, 10, 11, 12]),
        wire::text("").fragment(),
        wire::continuation(&"a€𝄞".as_bytes()[..5]).fragment(),
        wire::continuation(&"a€𝄞".as_bytes()[5..]),
        wire::binary(""),
        wire::binary(vec![7; large]),
        wire::pong("3"),
        wire::text("").fragment(),
        wire::continuation("end"),
    ];
    let messages = vec![
        (MessageType::Text, "héllo wörld".into()),
        (MessageType::Binary, (1..=12).collect()),
        (MessageType::Text, "a€𝄞".into()),
        (MessageType::Binary, Vec::new()),
        (MessageType::Binary, vec![7; large]),
        (MessageType::Text, "end".into()),
    ];
    let masked: Vec<Frame> = frames.into_iter().map(Frame::masked).collect();
    (wire::join(&masked), messages)
}

/// One read, or as many as the memory asks for; no event is taken.
fn read(endpoint: &mut Endpoint, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        let mut memory = endpoint.connection.receive_memory();
        let count = bytes.len().min(memory.remaining_mut());
        memory.put_slice(&bytes[..count]);
        drop(memory);
        endpoint.connection.handle_received(endpoint.now);
        bytes = &bytes[count..];
    }
}

/// Messages put together from parts.
#[derive(Default)]
struct Joined {
    messages: Vec<(MessageType, Vec<u8>)>,
    under_way: Option<(MessageType, Vec<u8>)>,
}

impl Joined {
    fn take_from(&mut self, endpoint: &mut Endpoint) {
        while let Some(event) = endpoint.connection.poll_event() {
            let Event::MessageReceived(part) = event else {
                unreachable!("{event:?}")
            };
            let begun = self
                .under_way
                .get_or_insert_with(|| (part.message_type(), Vec::new()));
            assert_eq!(begun.0, part.message_type());
            if part.message_type() == MessageType::Text {
                assert!(part.as_text().is_some());
            }
            begun.1.extend_from_slice(part.as_bytes());
            if part.is_complete() {
                self.messages.extend(self.under_way.take());
            }
        }
    }
}

#[test]
fn the_parts_of_a_message_are_the_message_wherever_the_network_cuts() {
    let (bytes, messages) = conversation(200);
    for cut in 0..=bytes.len() {
        for second in [cut, cut + 1, cut + 2, cut + 7] {
            let second = second.min(bytes.len());
            let (mut server, mut joined) = (server(), Joined::default());
            for piece in [&bytes[..cut], &bytes[cut..second], &bytes[second..]] {
                read(&mut server, piece);
                joined.take_from(&mut server);
            }
            assert_eq!(joined.messages, messages, "cut at {cut} and {second}");
            assert_eq!(
                server.transmitted_frames(),
                [wire::pong("1"), wire::pong("2")]
            );
        }
    }
}

#[test]
fn the_parts_of_a_large_frame_are_the_frame() {
    let (bytes, messages) = conversation(300_000);
    for piece in [1, 100, 70_000, 1 << 20] {
        let (mut server, mut joined) = (server(), Joined::default());
        for piece in bytes.chunks(piece) {
            read(&mut server, &piece[..piece.len().min(30_000)]);
            joined.take_from(&mut server);
            for rest in piece.chunks(30_000).skip(1) {
                read(&mut server, rest);
                joined.take_from(&mut server);
            }
        }
        assert!(joined.messages == messages, "pieces of {piece}");
    }
}

/// What is there, taken so many bytes at a time.
fn consume(endpoint: &mut Endpoint, at_once: usize, bytes: &mut Vec<u8>) {
    while let Some(there) = endpoint.connection.poll_bytes() {
        let count = there.len().min(at_once);
        assert!(count > 0, "no bytes are no end");
        bytes.extend_from_slice(&there[..count]);
        endpoint.connection.consume(count);
    }
}

#[test]
fn a_stream_has_all_bytes_whatever_is_read_and_consumed_at_once() {
    let (bytes, messages) = conversation(200);
    let expected: Vec<u8> = messages.into_iter().flat_map(|(_, bytes)| bytes).collect();
    for at_once in [1, 2, 3, 7, 100, usize::MAX] {
        for piece in 1..=bytes.len() {
            let (mut server, mut stream) = (server(), Vec::new());
            for piece in bytes.chunks(piece) {
                read(&mut server, piece);
                consume(&mut server, at_once, &mut stream);
            }
            assert!(stream == expected, "{at_once} of pieces of {piece}");
        }
    }
}

#[test]
fn bytes_stay_until_they_are_consumed() {
    let mut server = server();
    read(&mut server, &wire::binary("abc").masked().bytes());
    for _ in 0..3 {
        assert_eq!(server.connection.poll_bytes(), Some(&b"abc"[..]));
        assert!(server.connection.has_event_ahead());
    }
    server.connection.consume(1);
    assert_eq!(server.connection.poll_bytes(), Some(&b"bc"[..]));
    server.connection.consume(9);
    assert_eq!(server.connection.poll_bytes(), None);
    server.connection.consume(9);
    assert!(!server.connection.has_event_ahead());
}

#[test]
fn looking_ahead_takes_nothing() {
    let (bytes, messages) = conversation(200);
    for piece in 1..=bytes.len() {
        let (mut server, mut joined) = (server(), Joined::default());
        for piece in bytes.chunks(piece) {
            server.connection.has_event_ahead();
            read(&mut server, piece);
            server.connection.has_event_ahead();
            server.connection.has_event_ahead();
            joined.take_from(&mut server);
        }
        assert_eq!(joined.messages, messages, "pieces of {piece}");
    }
}

#[test]
fn whole_messages_are_whole_wherever_the_mode_changes() {
    let (bytes, messages) = conversation(200);
    let settings = Settings {
        limits: Limits::default(),
        ..PARTS
    };
    for cut in 0..=bytes.len() {
        let mut server = Endpoint::with_settings(Role::Server, settings);
        let mut joined = Joined::default();
        read(&mut server, &bytes[..cut]);
        joined.take_from(&mut server);
        // Had it been handed out in part, the rest is passed over.
        let skipped = usize::from(joined.under_way.take().is_some());
        server.connection.set_receive_mode(ReceiveMode::FullMessage);
        read(&mut server, &bytes[cut..]);
        let before = joined.messages.len();
        let mut whole = Vec::new();
        while let Some(Event::MessageReceived(message)) = server.connection.poll_event() {
            assert!(message.is_complete());
            whole.push((message.message_type(), message.as_bytes().to_vec()));
        }
        assert_eq!(joined.messages, messages[..before], "cut at {cut}");
        assert_eq!(whole, messages[before + skipped..], "cut at {cut}");
    }
}

#[test]
fn parts_lose_nothing_wherever_the_mode_changes() {
    let (bytes, messages) = conversation(20_000);
    let settings = Settings {
        limits: Limits::default(),
        receive_mode: ReceiveMode::FullMessage,
        ..PARTS
    };
    for cut in (0..200).chain((200..bytes.len()).step_by(97)) {
        let mut server = Endpoint::with_settings(Role::Server, settings);
        let mut joined = Joined::default();
        read(&mut server, &bytes[..cut]);
        joined.take_from(&mut server);
        server
            .connection
            .set_receive_mode(ReceiveMode::PartialMessage);
        joined.take_from(&mut server);
        read(&mut server, &bytes[cut..]);
        joined.take_from(&mut server);
        assert!(joined.messages == messages, "cut at {cut}");
    }
}

#[test]
fn what_was_not_handed_out_of_a_message_may_be_passed_over() {
    let (bytes, messages) = conversation(200);
    for cut in 0..=bytes.len() {
        let (mut server, mut joined) = (server(), Joined::default());
        read(&mut server, &bytes[..cut]);
        joined.take_from(&mut server);
        server.connection.skip_message();
        server.connection.skip_message();
        let skipped = usize::from(joined.under_way.take().is_some());
        let before = joined.messages.len();
        read(&mut server, &bytes[cut..]);
        joined.take_from(&mut server);
        assert_eq!(
            joined.messages[before..],
            messages[before + skipped..],
            "cut at {cut}"
        );
    }
}

#[test]
fn a_message_of_any_size_takes_no_more_memory_than_one_read() {
    let mut server = server();
    let header = wire::binary("").claims(1 << 50).masked().bytes();
    read(&mut server, &header);
    let piece = vec![7; 10_000];
    for _ in 0..1_000 {
        let room = server.connection.receive_memory().remaining_mut();
        assert!(room <= 128 << 10, "{room}");
        read(&mut server, &piece);
        let Some(Event::MessageReceived(part)) = server.connection.poll_event() else {
            unreachable!("bytes came")
        };
        assert_eq!((part.as_bytes().len(), part.is_complete()), (10_000, false));
    }
    server.receive_end();
    assert!(server.connection.closed().is_some());
}

#[test]
fn nothing_comes_after_a_violation() {
    let bad = [
        wire::continuation("x"),
        wire::frame(0x83, "x"),
        wire::text(b"a\xffb"),
        wire::binary("x").reserved(1),
    ];
    for bad in bad {
        let mut server = server();
        let frames = [wire::binary("good"), bad, wire::binary("late")].map(Frame::masked);
        read(&mut server, &wire::join(&frames));
        let mut stream = Vec::new();
        consume(&mut server, 3, &mut stream);
        assert_eq!(stream, b"good");
        assert!(server.connection.ending().is_some());
        assert!(!server.connection.has_event_ahead());
        assert_eq!(server.connection.poll_bytes(), None);
        assert!(server.connection.poll_event().is_none());
        server.connection.consume(5);
        server.connection.skip_message();
        assert_eq!(server.transmitted_frames().len(), 1);
    }
}

#[test]
fn text_that_is_refused_fails_with_1003_before_its_bytes_come() {
    let settings = Settings {
        text: TextPolicy::Refuse,
        ..PARTS
    };
    let mut server = Endpoint::with_settings(Role::Server, settings);
    let header = wire::text("").claims(1000).masked().bytes();
    read(&mut server, &header);
    assert_eq!(server.connection.poll_bytes(), None);
    let told = server.transmitted_frames();
    assert_eq!(told[0].payload()[..2], 1003_u16.to_be_bytes());
}

#[test]
fn an_end_in_the_midst_of_a_character_is_bad_text() {
    let mut server = server();
    let frames = [wire::text(b"a\xe2\x82").fragment(), wire::continuation("")].map(Frame::masked);
    read(&mut server, &wire::join(&frames));
    let mut stream = Vec::new();
    consume(&mut server, 9, &mut stream);
    assert_eq!(stream, b"a");
    let told = server.transmitted_frames();
    assert_eq!(told[0].payload()[..2], 1007_u16.to_be_bytes());
}
