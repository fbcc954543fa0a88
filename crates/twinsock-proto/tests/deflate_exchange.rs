//! Two connections that compress for each other.

use std::fmt;
use std::time::Duration;

use proptest::prelude::*;
use twinsock_proto::{
    CloseCode, CloseReason, Compress, Compression, ContextTakeover, ControlPayload, Deflate,
    DeflateDirection, DeflateLevel, DeflateParameters, Fragment, Message, MessageType, ReceiveMode,
    Settings, WindowBits,
};
use twinsock_testkit::endpoint::Endpoint;
use twinsock_testkit::noise::noise;
use twinsock_testkit::pair::Pair;
use twinsock_testkit::wire::{self, Frame};

fn parameters(window_bits: u8, context_takeover: ContextTakeover) -> DeflateParameters {
    let direction = DeflateDirection {
        window_bits: WindowBits::new(window_bits).expect("8 to 15"),
        context_takeover,
    };
    DeflateParameters {
        client: direction,
        server: direction,
    }
}

fn settings(deflate: Deflate) -> Settings {
    Settings {
        deflate: Some(deflate),
        ..Settings::default()
    }
}

fn usual(context_takeover: ContextTakeover) -> Settings {
    settings(Deflate::new(parameters(15, context_takeover)))
}

/// What the server sends for this message, in one frame.
fn sent(pair: &mut Pair, message: impl Into<Message>) -> Frame {
    pair.server.send(message).expect("open");
    let wire = pair.server.transmitted();
    pair.client.receive(&wire);
    let mut frames = wire::read(&wire);
    assert_eq!(frames.len(), 1);
    frames.remove(0)
}

const TEXT: &str = "{\"user\":1,\"name\":\"somebody\"},{\"user\":2,\"name\":\"somebody else\"},\
    {\"user\":3,\"name\":\"nobody\"},{\"user\":4,\"name\":\"somebody\"},{\"user\":5,\"name\":\"anybody\"}";

#[test]
fn what_is_compressed_has_rsv1_and_is_smaller() {
    let mut pair = Pair::with_settings(usual(ContextTakeover::On));
    let first = sent(&mut pair, TEXT);
    assert_eq!(first.first_byte(), 0xC1);
    assert!(first.payload().len() < TEXT.len());
    let second = sent(&mut pair, TEXT);
    assert_eq!(second.first_byte(), 0xC1);
    assert!(second.payload().len() < 10, "{}", second.payload().len());
    assert_eq!(pair.client.messages(), [TEXT.into(), TEXT.into()]);
}

#[test]
fn without_context_takeover_each_message_is_compressed_alike() {
    let mut pair = Pair::with_settings(usual(ContextTakeover::Off));
    let first = sent(&mut pair, TEXT);
    assert_eq!(sent(&mut pair, TEXT), first);
    assert_eq!(pair.client.messages(), [TEXT.into(), TEXT.into()]);
    let held = pair.server.connection.deflate_memory();
    assert_eq!(
        (held.history, held.compressor, held.decompressor),
        (0, false, false)
    );
    let held = pair.client.connection.deflate_memory();
    assert_eq!(
        (held.history, held.compressor, held.decompressor),
        (0, false, false)
    );
}

#[test]
fn only_for_large_windows_is_the_memory_of_zlib_held_between_messages() {
    for (window_bits, is_held) in [(9, false), (12, false), (13, true), (15, true)] {
        let deflate = Deflate::new(parameters(window_bits, ContextTakeover::On));
        let mut pair = Pair::with_settings(settings(deflate));
        let sizes = [(); 2].map(|()| sent(&mut pair, TEXT).payload().len());
        assert!(sizes[1] < sizes[0], "{sizes:?}");
        assert_eq!(pair.client.messages(), [TEXT.into(), TEXT.into()]);
        let sending = pair.server.connection.deflate_memory();
        let receiving = pair.client.connection.deflate_memory();
        assert_eq!(
            (sending.compressor, receiving.decompressor),
            (is_held, is_held),
            "{window_bits}"
        );
        assert!(sending.history > 0 && receiving.history > 0);
    }
}

#[test]
fn small_messages_and_those_that_would_grow_go_as_they_are() {
    let mut pair = Pair::with_settings(usual(ContextTakeover::Off));
    assert_eq!(sent(&mut pair, &TEXT[..127]).first_byte(), 0x81);
    assert_eq!(sent(&mut pair, &TEXT[..128]).first_byte(), 0xC1);
    let noise: Vec<u8> = noise(1_000);
    let frame = sent(&mut pair, noise.clone());
    assert_eq!((frame.first_byte(), frame.payload()), (0x82, &noise[..]));
}

#[test]
fn with_context_takeover_small_messages_are_compressed_too() {
    let mut pair = Pair::with_settings(usual(ContextTakeover::On));
    for (length, first_byte) in [(15, 0x81), (16, 0xC1), (50, 0xC1)] {
        assert_eq!(sent(&mut pair, &TEXT[..length]).first_byte(), first_byte);
    }
    let length = sent(&mut pair, &TEXT[..40]).payload().len();
    assert!(length < 16, "{length} bytes");
}

#[test]
fn the_least_size_may_be_set() {
    for takeover in [ContextTakeover::On, ContextTakeover::Off] {
        let mut deflate = Deflate::new(parameters(15, takeover));
        deflate.compression.least_size = Some(100);
        let mut pair = Pair::with_settings(settings(deflate));
        assert_eq!(sent(&mut pair, &TEXT[..99]).first_byte(), 0x81);
        assert_eq!(sent(&mut pair, &TEXT[..100]).first_byte(), 0xC1);
    }
}

#[test]
fn what_is_compressed_or_encrypted_already_goes_as_it_is() {
    for takeover in [ContextTakeover::On, ContextTakeover::Off] {
        let mut pair = Pair::with_settings(usual(takeover));
        let mut framed = TEXT.as_bytes().to_vec();
        framed.extend(noise(20_000));
        for message in [noise(8_192), framed.clone()] {
            let frame = sent(&mut pair, message.clone());
            assert_eq!((frame.first_byte(), frame.payload()), (0x82, &message[..]));
        }
        // What has each byte equally often may still be much alike, and half of the bits is half.
        let ramp: Vec<u8> = (0..=255).cycle().take(20_000).collect();
        let half = noise(20_000).iter().map(|byte| byte % 16).collect();
        for message in [ramp, half, TEXT.repeat(20).into_bytes()] {
            let frame = sent(&mut pair, message.clone());
            assert_eq!(frame.first_byte(), 0xC2);
            assert!(frame.payload().len() < message.len() * 3 / 4);
        }
        pair.server.connection.set_compress(Compress::Always);
        assert_eq!(sent(&mut pair, framed).first_byte(), 0xC2);
        assert_eq!(pair.client.messages().len(), 6);
    }
}

#[test]
fn each_message_may_be_compressed_or_not() {
    for takeover in [ContextTakeover::On, ContextTakeover::Off] {
        let mut pair = Pair::with_settings(usual(takeover));
        pair.server.connection.set_compress(Compress::Never);
        assert_eq!(sent(&mut pair, TEXT).payload(), TEXT.as_bytes());
        pair.server.connection.set_compress(Compress::Always);
        assert_eq!(sent(&mut pair, "a").first_byte(), 0xC1);
        // RFC 7692 §7.2.3.6, also where zlib has nothing to flush.
        for _ in 0..3 {
            let empty = sent(&mut pair, "");
            assert_eq!(empty.first_byte(), 0xC1);
            assert!(!empty.payload().is_empty());
        }
        pair.server.connection.set_compress(Compress::Auto);
        assert_eq!(sent(&mut pair, "a").first_byte(), 0x81);
        assert_eq!(sent(&mut pair, TEXT).first_byte(), 0xC1);
        let expected = [TEXT, "a", "", "", "", "a", TEXT].map(Message::from);
        assert_eq!(pair.client.messages(), expected);
    }
}

/// The first two tell what they are: RSV1 in the first frame of a message alone.
#[test]
fn a_message_in_parts_is_compressed_as_it_began_and_each_part_can_be_read() {
    let in_parts = Settings {
        receive_mode: ReceiveMode::PartialMessage,
        ..usual(ContextTakeover::On)
    };
    let mut pair = Pair::with_settings(in_parts);
    let (text, server) = (MessageType::Text, &mut pair.server);
    let mut bytes = Vec::new();
    for (part, fragment) in [
        ("a", Fragment::Nonfinal),
        ("", Fragment::Nonfinal),
        (TEXT, Fragment::Nonfinal),
        ("", Fragment::Final),
    ] {
        // What comes later is not heeded within a message.
        let part = part.as_bytes().to_vec().into();
        server
            .connection
            .send_fragment(text, fragment, part)
            .expect("open");
        server.connection.set_compress(Compress::Never);
        let wire = server.transmitted();
        pair.client.receive(&wire);
        bytes.extend(wire::read(&wire));
    }
    let first_bytes: Vec<u8> = bytes.iter().map(Frame::first_byte).collect();
    assert_eq!(first_bytes, [0x41, 0x00, 0x00, 0x80]);
    let parts = pair.client.messages();
    assert_eq!(parts, ["a".into(), TEXT.into(), Message::from("")]);
    assert_eq!(sent(&mut pair, TEXT).first_byte(), 0x81);
}

#[test]
fn section_7_2_1_only_the_last_part_of_a_message_lacks_the_end_of_its_flush() {
    let mut pair = Pair::with_settings(usual(ContextTakeover::On));
    let connection = &mut pair.server.connection;
    for fragment in [Fragment::Nonfinal, Fragment::Nonfinal, Fragment::Final] {
        let part = TEXT.as_bytes().to_vec().into();
        connection
            .send_fragment(MessageType::Text, fragment, part)
            .expect("open");
    }
    let frames = pair.server.transmitted_frames();
    let ends: Vec<bool> = frames
        .iter()
        .map(|frame| frame.payload().ends_with(&[0x00, 0x00, 0xFF, 0xFF]))
        .collect();
    assert_eq!(ends, [true, true, false]);
}

#[test]
fn gathered_bytes_are_compressed_and_masked() {
    let mut pair = Pair::with_settings(usual(ContextTakeover::On));
    for endpoint in [&mut pair.client, &mut pair.server] {
        let connection = &mut endpoint.connection;
        for fragment in [Fragment::Nonfinal, Fragment::Final] {
            let mut bytes = connection.begin_bytes();
            bytes.append(TEXT.as_bytes());
            connection.send_bytes(fragment, bytes).expect("open");
        }
        let frames = endpoint.transmitted_frames();
        let sizes: Vec<(u8, bool)> = frames
            .iter()
            .map(|frame| (frame.first_byte(), frame.payload().len() < TEXT.len()))
            .collect();
        assert_eq!(sizes, [(0x42, true), (0x80, true)]);
    }
}

#[test]
fn zlibs_memory_is_given_back_when_nothing_comes_and_the_context_stays() {
    let mut pair = Pair::with_settings(usual(ContextTakeover::On));
    sent(&mut pair, TEXT);
    let server = pair.server.connection.deflate_memory();
    assert!(
        server.compressor && server.history >= TEXT.len(),
        "{server:?}"
    );
    assert!(pair.client.connection.deflate_memory().decompressor);
    pair.wait(Duration::from_secs(21));
    for endpoint in [&pair.server, &pair.client] {
        let held = endpoint.connection.deflate_memory();
        assert!(!held.compressor && !held.decompressor, "{held:?}");
    }
    assert_eq!(
        pair.server.connection.deflate_memory().history,
        server.history
    );
    let second = sent(&mut pair, TEXT);
    assert!(second.payload().len() < 10, "{}", second.payload().len());
    assert_eq!(pair.client.messages(), [TEXT.into(), TEXT.into()]);
}

#[test]
fn zlibs_memory_is_given_back_also_when_nothing_comes_but_pings() {
    let mut pair = Pair::with_settings(usual(ContextTakeover::On));
    sent(&mut pair, TEXT);
    pair.client.send(TEXT).expect("open");
    pair.settle();
    let holds_zlib = |endpoint: &Endpoint| {
        let held = endpoint.connection.deflate_memory();
        (held.compressor, held.decompressor)
    };
    // As often as no keep-alive of the server's own is due.
    let mut passed = Vec::new();
    for _ in 0..4 {
        pair.wait(Duration::from_secs(10));
        let Pair { client, .. } = &mut pair;
        let ping = ControlPayload::new(b"still there").expect("short");
        client.connection.ping(client.now, ping).expect("open");
        pair.settle();
        passed.push(holds_zlib(&pair.server));
    }
    let (held, given_back) = ((true, true), (false, false));
    assert_eq!(passed, [held, held, given_back, given_back]);
    assert!(sent(&mut pair, TEXT).payload().len() < 10);
    assert_eq!(pair.client.messages(), [TEXT.into(), TEXT.into()]);
}

#[test]
fn who_pings_between_messages_has_its_compressor_kept() {
    let mut pair = Pair::with_settings(usual(ContextTakeover::On));
    for _ in 0..10 {
        sent(&mut pair, TEXT);
        let Pair { client, .. } = &mut pair;
        let ping = ControlPayload::new(b"still there").expect("short");
        client.connection.ping(client.now, ping).expect("open");
        pair.settle();
        pair.wait(Duration::from_secs(15));
        assert!(pair.server.connection.deflate_memory().compressor);
    }
}

#[test]
fn whoever_has_said_its_last_compresses_no_more_and_still_inflates() {
    for takeover in [ContextTakeover::On, ContextTakeover::Off] {
        let mut pair = Pair::with_settings(usual(takeover));
        sent(&mut pair, TEXT);
        pair.client.send(TEXT).expect("open");
        pair.settle();
        // Half of a message is under way without an end.
        let part = TEXT.as_bytes().to_vec().into();
        let server = &mut pair.server;
        let fragment = Fragment::Nonfinal;
        let text = MessageType::Text;
        let connection = &mut server.connection;
        connection
            .send_fragment(text, fragment, part)
            .expect("open");
        assert!(connection.deflate_memory().compressor);
        connection
            .close_sending(
                server.now,
                CloseReason::new(CloseCode::NORMAL, "").expect("short"),
            )
            .expect("open");
        assert!(!connection.deflate_memory().compressor);
        let frames = server.transmitted();
        pair.client.send(TEXT).expect("open");
        pair.settle();
        assert_eq!(pair.server.messages(), [TEXT.into(), TEXT.into()]);
        pair.client.receive(&frames);
        pair.settle();
        assert!(!pair.client.connection.deflate_memory().compressor);
    }
}

#[test]
fn what_is_held_for_an_idle_connection_is_a_window_for_each_direction() {
    let deflate = Deflate::new(parameters(10, ContextTakeover::On));
    let mut pair = Pair::with_settings(settings(deflate));
    for _ in 0..5 {
        sent(&mut pair, vec![7; 100_000]);
        sent(&mut pair, TEXT);
    }
    for endpoint in [&mut pair.server, &mut pair.client] {
        endpoint.connection.release_deflate();
        let held = endpoint.connection.deflate_memory();
        assert_eq!(
            (held.history, held.compressor, held.decompressor),
            (1024, false, false)
        );
    }
}

/// A message and how it is sent.
#[derive(Clone)]
struct Sending {
    payload: Vec<u8>,
    is_text: bool,
    compress: Compress,
    cuts: Vec<prop::sample::Index>,
    then: Then,
}

/// What happens behind a message.
#[derive(Clone, Copy, Debug)]
enum Then {
    Nothing,
    ReleaseSender,
    ReleaseReceiver,
    Wait,
}

/// Short, so that a failure can be read.
impl fmt::Debug for Sending {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let beginning = &self.payload[..self.payload.len().min(20)];
        let (length, compress, then) = (self.payload.len(), self.compress, self.then);
        write!(
            formatter,
            "{compress:?} {length} bytes {beginning:?} in {} parts, then {then:?}",
            self.cuts.len() + 1
        )
    }
}

fn payload() -> impl Strategy<Value = Vec<u8>> {
    let words = prop::sample::select(vec!["alpha", "beta", " ", "{\"a\":1}", "größe", "€"]);
    prop_oneof![
        prop::collection::vec(words, 0..200).prop_map(|words| words.concat().into_bytes()),
        (any::<u8>(), 0..200_000usize).prop_map(|(byte, length)| vec![byte % 128; length]),
        (0..70_000usize).prop_map(noise),
        ".{0,300}".prop_map(String::into_bytes),
    ]
}

fn sending() -> impl Strategy<Value = Sending> {
    let compress = prop_oneof![
        4 => Just(Compress::Auto),
        3 => Just(Compress::Always),
        1 => Just(Compress::Never)
    ];
    let then = prop_oneof![
        4 => Just(Then::Nothing),
        1 => Just(Then::ReleaseSender),
        1 => Just(Then::ReleaseReceiver),
        1 => Just(Then::Wait)
    ];
    let cuts = prop_oneof![
        Just(Vec::new()),
        prop::collection::vec(any::<prop::sample::Index>(), 0..4)
    ];
    (payload(), any::<bool>(), compress, cuts, then).prop_map(
        |(payload, is_text, compress, cuts, then)| Sending {
            is_text: is_text && std::str::from_utf8(&payload).is_ok(),
            payload,
            compress,
            cuts,
            then,
        },
    )
}

fn send(endpoint: &mut Endpoint, sending: &Sending) {
    let message_type = match sending.is_text {
        true => MessageType::Text,
        false => MessageType::Binary,
    };
    let connection = &mut endpoint.connection;
    connection.set_compress(sending.compress);
    let mut rest = bytes::Bytes::from(sending.payload.clone());
    if sending.cuts.is_empty() {
        return endpoint.send(message(sending)).expect("open");
    }
    for cut in &sending.cuts {
        let part = rest.split_to(cut.index(rest.len() + 1));
        let fragment = Fragment::Nonfinal;
        connection
            .send_fragment(message_type, fragment, part)
            .expect("open");
        connection
            .ping(
                endpoint.now,
                ControlPayload::new(b"between").expect("short"),
            )
            .expect("open");
    }
    connection
        .send_fragment(message_type, Fragment::Final, rest)
        .expect("open");
}

fn message(sending: &Sending) -> Message {
    match String::from_utf8(sending.payload.clone()) {
        Ok(text) if sending.is_text => text.into(),
        _ => sending.payload.clone().into(),
    }
}

/// The parts of messages joined again; one part ends what has the number of all messages.
fn joined(parts: &[Message]) -> Vec<u8> {
    parts
        .iter()
        .flat_map(|part| part.as_bytes().to_vec())
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn any_messages_arrive_as_they_were_sent(
        sendings in prop::collection::vec(sending(), 1..6),
        window_bits in 8..=15u8,
        level in 1..=9u8,
        has_takeover: bool,
        from_client: bool,
        receives_parts: bool,
        piece in prop_oneof![1..50usize, 1_000..100_000usize],
    ) {
        let takeover = match has_takeover {
            true => ContextTakeover::On,
            false => ContextTakeover::Off,
        };
        let deflate = Deflate {
            parameters: parameters(window_bits, takeover),
            compression: Compression {
                level: DeflateLevel::new(level).expect("1 to 9"),
                ..Compression::default()
            },
        };
        let mut settings = settings(deflate);
        if receives_parts {
            settings.receive_mode = ReceiveMode::PartialMessage;
        }
        let mut pair = Pair::with_settings(settings);
        for sending in &sendings {
            let Pair { client, server, .. } = &mut pair;
            let (sender, receiver) = match from_client {
                true => (client, server),
                false => (server, client),
            };
            prop_assert_eq!(sender.connection.ending(), None);
            send(sender, sending);
            let wire = sender.transmitted();
            for piece in wire.chunks(piece.max(wire.len() / 500)) {
                receiver.receive(piece);
            }
            let messages = receiver.messages();
            if receives_parts {
                prop_assert!(joined(&messages) == sending.payload);
                prop_assert!(messages.iter().all(|part| part.len() <= 64 << 10));
            } else {
                prop_assert!(messages == [message(sending)], "{:?}", receiver.connection.ending());
            }
            match sending.then {
                Then::Nothing | Then::Wait => {}
                Then::ReleaseSender => sender.connection.release_deflate(),
                Then::ReleaseReceiver => receiver.connection.release_deflate(),
            }
            pair.settle();
            if let Then::Wait = sending.then {
                pair.wait(Duration::from_secs(25));
            }
        }
    }
}
