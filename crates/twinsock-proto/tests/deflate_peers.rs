//! Random traffic in both directions, with a peer that shares nothing with this library but zlib:
//! whatever zlib makes of messages is read, and zlib reads whatever is sent.

use std::fmt;

use proptest::prelude::*;
use proptest::sample::Index;
use twinsock_proto::{
    Compress, Compression, ContextTakeover, ControlPayload, Deflate, DeflateDirection,
    DeflateLevel, DeflateParameters, Fragment, Message, MessageType, ReceiveMode, Role, Settings,
    WindowBits,
};
use twinsock_testkit::endpoint::{Endpoint, Taking};
use twinsock_testkit::noise::noise;
use twinsock_testkit::pair::Pair;
use twinsock_testkit::wire::{self, Frame};
use zlib_rs::{DeflateConfig, DeflateFlush, Inflate, InflateFlush, Status, Strategy as Coder};

const TAIL: [u8; 4] = [0x00, 0x00, 0xFF, 0xFF];

/// zlib alone, as RFC 7692 §7.2 tells how to use it.
struct Peer {
    role: Role,
    zlib: zlib_rs::Deflate,
    sends: DeflateDirection,
    receives: DeflateDirection,
    inflate: Inflate,
}

/// How the peer's zlib is set.
#[derive(Clone, Copy, Debug)]
struct Coding {
    level: i32,
    coder: Coder,
}

/// How a message of the peer's is put on the wire.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Form {
    Plain,
    Flushed,
    /// With BFINAL (§7.2.3.4).
    Finished,
}

impl Peer {
    fn new(role: Role, parameters: DeflateParameters, coding: Coding) -> Self {
        let (sends, receives) = match role {
            Role::Client => (parameters.client, parameters.server),
            Role::Server => (parameters.server, parameters.client),
        };
        let bits = i32::from(sends.window_bits.get());
        let config = DeflateConfig {
            level: coding.level,
            window_bits: -bits.max(9),
            // zlib has no window of 8 bits: without matches none is needed.
            strategy: match bits {
                8 => Coder::HuffmanOnly,
                _ => coding.coder,
            },
            ..DeflateConfig::default()
        };
        Self {
            role,
            zlib: zlib_rs::Deflate::new_with_config(config),
            sends,
            receives,
            inflate: Inflate::new(false, receives.window_bits.get()),
        }
    }

    fn compress(&mut self, mut piece: &[u8], flush: DeflateFlush, compressed: &mut Vec<u8>) {
        loop {
            let mut output = [0; 1000];
            let (before_in, before_out) = (self.zlib.total_in(), self.zlib.total_out());
            let status = self
                .zlib
                .compress(piece, &mut output, flush)
                .expect("no misuse");
            let (consumed, produced) = (
                count(self.zlib.total_in() - before_in),
                count(self.zlib.total_out() - before_out),
            );
            piece = &piece[consumed..];
            compressed.extend_from_slice(&output[..produced]);
            if status != Status::Ok || piece.is_empty() && produced < output.len() {
                return;
            }
        }
    }

    /// The payload of a message, flushed where it is cut.
    fn payload(&mut self, sending: &Sending) -> Vec<u8> {
        let mut payload = Vec::new();
        let (mut cuts, message) = (places(&sending.cuts, &sending.payload), &sending.payload);
        let mut start = 0;
        cuts.push(message.len());
        for (number, &end) in cuts.iter().enumerate() {
            let flush = match (number + 1 == cuts.len(), sending.form, number % 3) {
                (true, Form::Finished, _) => DeflateFlush::Finish,
                (true, _, _) | (false, _, 0) => DeflateFlush::SyncFlush,
                (false, _, 1) => DeflateFlush::FullFlush,
                (false, _, _) => DeflateFlush::NoFlush,
            };
            self.compress(&message[start..end], flush, &mut payload);
            start = end;
        }
        match sending.form {
            // §7.2.3.4: the block that a flush would have ended with.
            Form::Finished => payload.push(0x00),
            // §7.2.3.6: nothing was there to be flushed.
            _ if payload.is_empty() => payload.push(0x00),
            _ => payload = payload.strip_suffix(&TAIL).expect("a flush").to_vec(),
        }
        if sending.form == Form::Finished || self.sends.context_takeover == ContextTakeover::Off {
            self.zlib.reset();
        }
        payload
    }

    /// The message in frames that are cut anywhere, with a Ping behind each.
    fn send(&mut self, sending: &Sending) -> Vec<u8> {
        let (payload, bits) = match sending.form {
            Form::Plain => (sending.payload.clone(), 0),
            Form::Flushed | Form::Finished => (self.payload(sending), 0b100),
        };
        let mut cuts = places(&sending.frames, &payload);
        cuts.push(payload.len());
        let mut wire = Vec::new();
        let mut start = 0;
        for (number, &end) in cuts.iter().enumerate() {
            let part = &payload[start..end];
            let mut frame = match (number, sending.is_text()) {
                (0, true) => wire::text(part).reserved(bits),
                (0, false) => wire::binary(part).reserved(bits),
                _ => wire::continuation(part),
            };
            if number + 1 < cuts.len() {
                frame = frame.fragment();
            }
            wire.extend(frame.sent_by(self.role).bytes());
            wire.extend(wire::ping("between").sent_by(self.role).bytes());
            start = end;
        }
        wire
    }

    /// The one message in these frames; some are control frames.
    fn receive(&mut self, frames: &[Frame]) -> Vec<u8> {
        let is_data = |frame: &&Frame| frame.first_byte() & 0x08 == 0;
        let data: Vec<&Frame> = frames.iter().filter(is_data).collect();
        let payload: Vec<u8> = data
            .iter()
            .flat_map(|frame| frame.payload().to_vec())
            .collect();
        let first_bytes = || data.iter().map(|frame| frame.first_byte());
        assert!(first_bytes().all(|byte| byte & 0x30 == 0), "RSV2, RSV3");
        assert!(first_bytes().skip(1).all(|byte| byte & 0x4F == 0), "RSV1");
        assert_eq!(first_bytes().filter(|byte| byte & 0x80 != 0).count(), 1);
        match data[0].first_byte() & 0x40 {
            0 => payload,
            _ => self.inflated(&[&payload, &TAIL[..]].concat()),
        }
    }

    /// In small pieces. How far back it refers zlib does not mind: `deflate_windows.rs` does.
    fn inflated(&mut self, mut payload: &[u8]) -> Vec<u8> {
        if self.receives.context_takeover == ContextTakeover::Off {
            self.inflate = Inflate::new(false, self.receives.window_bits.get());
        }
        let mut message = Vec::new();
        loop {
            let mut output = [0; 512];
            let (before_in, before_out) = (self.inflate.total_in(), self.inflate.total_out());
            let status = self
                .inflate
                .decompress(payload, &mut output, InflateFlush::SyncFlush)
                .expect("sound");
            assert_ne!(status, Status::StreamEnd, "we never set BFINAL");
            let produced = count(self.inflate.total_out() - before_out);
            payload = &payload[count(self.inflate.total_in() - before_in)..];
            message.extend_from_slice(&output[..produced]);
            if produced < output.len() {
                assert_eq!(payload, b"", "all of it is used up");
                return message;
            }
        }
    }
}

fn count(difference: u64) -> usize {
    usize::try_from(difference).expect("small")
}

/// A message, and how either end sends it.
#[derive(Clone)]
struct Sending {
    payload: Vec<u8>,
    from_peer: bool,
    /// Where it is cut into parts, and zlib is flushed.
    cuts: Vec<Index>,
    /// Where the peer cuts frames.
    frames: Vec<Index>,
    form: Form,
    compress: Compress,
    wants_text: bool,
    releases: Releases,
}

/// When zlib's memory is given back.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Releases {
    Never,
    Before,
    /// Behind each part, and each piece that was read.
    BehindParts,
}

impl Sending {
    fn is_text(&self) -> bool {
        self.wants_text && std::str::from_utf8(&self.payload).is_ok()
    }

    fn message(&self) -> Message {
        match String::from_utf8(self.payload.clone()) {
            Ok(text) if self.wants_text => text.into(),
            _ => self.payload.clone().into(),
        }
    }

    fn message_type(&self) -> MessageType {
        match self.is_text() {
            true => MessageType::Text,
            false => MessageType::Binary,
        }
    }
}

/// Short, so that a failure can be read.
impl fmt::Debug for Sending {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let beginning = &self.payload[..self.payload.len().min(20)];
        formatter
            .debug_struct("Sending")
            .field("length", &self.payload.len())
            .field("beginning", &beginning)
            .field("from_peer", &self.from_peer)
            .field("cuts", &self.cuts.len())
            .field("frames", &self.frames.len())
            .field("form", &self.form)
            .field("compress", &self.compress)
            .field("is_text", &self.is_text())
            .field("releases", &self.releases)
            .finish()
    }
}

/// Places in the bytes, in order.
fn places(indices: &[Index], bytes: &[u8]) -> Vec<usize> {
    let place = |index: &Index| index.index(bytes.len() + 1);
    let mut places: Vec<usize> = indices.iter().map(place).collect();
    places.sort_unstable();
    places
}

/// What one of ours sends for a message.
fn send(endpoint: &mut Endpoint, sending: &Sending) {
    let connection = &mut endpoint.connection;
    connection.set_compress(sending.compress);
    if sending.releases != Releases::Never {
        connection.release_deflate();
    }
    if sending.cuts.is_empty() {
        return endpoint.send(sending.message()).expect("open");
    }
    let cuts = places(&sending.cuts, &sending.payload);
    let mut start = 0;
    for end in cuts.into_iter().chain([sending.payload.len()]) {
        let part = &sending.payload[start..end];
        let fragment = match end == sending.payload.len() && connection.is_mid_message() {
            true => Fragment::Final,
            false => Fragment::Nonfinal,
        };
        let text_or_bytes = sending.message_type();
        if text_or_bytes == MessageType::Binary && start % 2 == 1 {
            let mut bytes = connection.begin_bytes();
            bytes.append(part);
            connection.send_bytes(fragment, bytes).expect("open");
        } else {
            connection
                .send_fragment(text_or_bytes, fragment, part.to_vec().into())
                .expect("open");
        }
        if fragment == Fragment::Final {
            return;
        }
        let ping = ControlPayload::new(b"between").expect("short");
        connection.ping(endpoint.now, ping).expect("open");
        // Whoever says so amid a message means the next one.
        connection.set_compress(Compress::Never);
        if sending.releases == Releases::BehindParts {
            connection.release_deflate();
        }
        start = end;
    }
    let fragment = Fragment::Final;
    let connection = &mut endpoint.connection;
    connection
        .send_fragment(sending.message_type(), fragment, Vec::new().into())
        .expect("open");
}

/// What one of ours makes of it, read in pieces of this size.
fn receive(endpoint: &mut Endpoint, wire: &[u8], piece: usize, sending: &Sending) -> Vec<Message> {
    if sending.releases != Releases::Never {
        endpoint.connection.release_deflate();
    }
    for piece in wire.chunks(piece.max(wire.len() / 300)) {
        endpoint.receive(piece);
        if sending.releases == Releases::BehindParts {
            endpoint.connection.release_deflate();
        }
    }
    endpoint.messages()
}

fn joined(parts: &[Message]) -> Vec<u8> {
    let bytes = parts.iter().map(|part| part.as_bytes().to_vec());
    bytes.collect::<Vec<_>>().concat()
}

fn payload() -> impl Strategy<Value = Vec<u8>> {
    let words =
        || prop::sample::select(vec!["alpha", "beta", " ", "{\"a\":1}", "größe", "€", "😀"]);
    prop_oneof![
        Just(Vec::new()),
        prop::collection::vec(words(), 0..40).prop_map(|words| words.concat().into_bytes()),
        prop::collection::vec(words(), 0..4_000).prop_map(|words| words.concat().into_bytes()),
        (any::<u8>(), 0..100_000usize).prop_map(|(byte, length)| vec![byte % 128; length]),
        (0..40_000usize).prop_map(noise),
        // Far references: the same noise again, each time a little further away.
        (1..12_000usize).prop_map(|length| [noise(length), noise(length / 2)].concat()),
    ]
}

fn indices() -> impl Strategy<Value = Vec<Index>> {
    prop_oneof![
        Just(Vec::new()),
        prop::collection::vec(any::<Index>(), 0..6)
    ]
}

prop_compose! {
    fn sending()(
        payload in payload(),
        from_peer: bool,
        cuts in indices(),
        frames in indices(),
        form in prop_oneof![
            1 => Just(Form::Plain),
            4 => Just(Form::Flushed),
            1 => Just(Form::Finished),
        ],
        compress in prop_oneof![
            4 => Just(Compress::Auto),
            3 => Just(Compress::Always),
            1 => Just(Compress::Never),
        ],
        wants_text: bool,
        releases in prop_oneof![
            4 => Just(Releases::Never),
            1 => Just(Releases::Before),
            1 => Just(Releases::BehindParts),
        ],
    ) -> Sending {
        Sending { payload, from_peer, cuts, frames, form, compress, wants_text, releases }
    }
}

prop_compose! {
    fn direction()(window_bits in 8..=15u8, takes_over: bool) -> DeflateDirection {
        DeflateDirection {
            window_bits: WindowBits::new(window_bits).expect("8 to 15"),
            context_takeover: match takes_over {
                true => ContextTakeover::On,
                false => ContextTakeover::Off,
            },
        }
    }
}

prop_compose! {
    fn settings()(
        client in direction(),
        server in direction(),
        level in 1..=9u8,
        least_size in proptest::option::of(0..300usize),
        in_parts: bool,
    ) -> Settings {
        let deflate = Deflate {
            parameters: DeflateParameters { client, server },
            compression: Compression {
                level: DeflateLevel::new(level).expect("1 to 9"),
                least_size,
                ..Compression::default()
            },
        };
        Settings {
            deflate: Some(deflate),
            receive_mode: match in_parts {
                true => ReceiveMode::PartialMessage,
                false => ReceiveMode::FullMessage,
            },
            ..Settings::default()
        }
    }
}

fn coding() -> impl Strategy<Value = Coding> {
    let coder = prop_oneof![
        4 => Just(Coder::Default),
        1 => Just(Coder::Fixed),
        1 => Just(Coder::Rle),
        1 => Just(Coder::HuffmanOnly),
        1 => Just(Coder::Filtered),
    ];
    (0..=9i32, coder).prop_map(|(level, coder)| Coding { level, coder })
}

fn read_size() -> impl Strategy<Value = usize> {
    prop_oneof![1..50usize, 1_000..100_000usize]
}

/// Checks what came of a message: it, or its parts.
fn check(received: &[Message], sending: &Sending, mode: ReceiveMode) -> Result<(), TestCaseError> {
    match mode {
        ReceiveMode::FullMessage => prop_assert!(received == [sending.message()]),
        ReceiveMode::PartialMessage => {
            prop_assert!(joined(received) == sending.payload);
            prop_assert!(received.iter().all(|part| part.len() <= 64 << 10));
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn zlib_reads_what_we_send_and_we_read_what_zlib_sends(
        settings in settings(),
        sendings in prop::collection::vec(sending(), 1..10),
        coding in coding(),
        is_client: bool,
        takes_owned: bool,
        piece in read_size(),
    ) {
        let role = match is_client {
            true => Role::Client,
            false => Role::Server,
        };
        let taking = match takes_owned {
            true => Taking::Owned,
            false => Taking::Lent,
        };
        let parameters = settings.deflate.expect("on").parameters;
        let mut ours = Endpoint::with_settings(role, settings).taking(taking);
        let mut peer = Peer::new(role.peer(), parameters, coding);
        for sending in &sendings {
            if sending.from_peer {
                let wire = peer.send(sending);
                let received = receive(&mut ours, &wire, piece, sending);
                prop_assert_eq!(ours.connection.ending(), None);
                check(&received, sending, settings.receive_mode)?;
                // The Pongs.
                ours.transmitted();
            } else {
                send(&mut ours, sending);
                prop_assert!(peer.receive(&ours.transmitted_frames()) == sending.payload);
            }
        }
    }

    #[test]
    fn our_ends_read_what_each_other_sends(
        settings in settings(),
        sendings in prop::collection::vec(sending(), 1..10),
        piece in read_size(),
    ) {
        let mut pair = Pair::with_settings(settings);
        for sending in &sendings {
            let Pair { client, server, .. } = &mut pair;
            let (sender, receiver) = match sending.from_peer {
                true => (client, server),
                false => (server, client),
            };
            send(sender, sending);
            let wire = sender.transmitted();
            let received = receive(receiver, &wire, piece, sending);
            prop_assert_eq!(receiver.connection.ending(), None);
            check(&received, sending, settings.receive_mode)?;
            pair.settle();
        }
    }
}
