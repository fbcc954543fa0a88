//! Compressed messages refer no further back than was agreed on, as a simple inflater sees it that
//! has nothing in common with the one in use.

use bytes::Bytes;
use twinsock_proto::{
    Compress, Compression, ContextTakeover, Deflate, DeflateDirection, DeflateLevel,
    DeflateParameters, Fragment, MessageType, Role, Settings, WindowBits,
};
use twinsock_testkit::endpoint::Endpoint;
use twinsock_testkit::wire;

/// RFC 1951, bit by bit.
struct Inflater<'a> {
    bytes: &'a [u8],
    bit: usize,
    output: Vec<u8>,
    furthest: usize,
}

/// How many codes of each length there are, and what they stand for, in their order.
struct Code {
    counts: [usize; 16],
    symbols: Vec<usize>,
}

impl Code {
    fn new(lengths: &[usize]) -> Self {
        let mut counts = [0; 16];
        for &length in lengths {
            counts[length] += 1;
        }
        counts[0] = 0;
        let mut symbols: Vec<usize> = (0..lengths.len())
            .filter(|&symbol| lengths[symbol] > 0)
            .collect();
        symbols.sort_by_key(|&symbol| (lengths[symbol], symbol));
        Self { counts, symbols }
    }
}

const LENGTHS: [(usize, usize); 29] = [
    (3, 0),
    (4, 0),
    (5, 0),
    (6, 0),
    (7, 0),
    (8, 0),
    (9, 0),
    (10, 0),
    (11, 1),
    (13, 1),
    (15, 1),
    (17, 1),
    (19, 2),
    (23, 2),
    (27, 2),
    (31, 2),
    (35, 3),
    (43, 3),
    (51, 3),
    (59, 3),
    (67, 4),
    (83, 4),
    (99, 4),
    (115, 4),
    (131, 5),
    (163, 5),
    (195, 5),
    (227, 5),
    (258, 0),
];

const ORDER: [usize; 19] = [
    16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
];

impl Inflater<'_> {
    fn bits(&mut self, count: usize) -> usize {
        (0..count).fold(0, |value, index| {
            let bit = self.bytes[self.bit / 8] >> (self.bit % 8) & 1;
            self.bit += 1;
            value | usize::from(bit) << index
        })
    }

    fn symbol(&mut self, code: &Code) -> usize {
        let (mut value, mut first, mut index) = (0, 0, 0);
        for count in &code.counts[1..] {
            value |= self.bits(1);
            if value < first + count {
                return code.symbols[index + value - first];
            }
            index += count;
            first = (first + count) << 1;
            value <<= 1;
        }
        unreachable!("no code has more than 15 bits")
    }

    /// All blocks until the input ends.
    fn inflate(&mut self) {
        while self.bit < self.bytes.len() * 8 {
            assert_eq!(self.bits(1), 0, "we never set BFINAL");
            match self.bits(2) {
                0 => self.stored(),
                1 => {
                    let literals = (0..288).map(|symbol| match symbol {
                        144..=255 => 9,
                        256..=279 => 7,
                        _ => 8,
                    });
                    let literals = Code::new(&literals.collect::<Vec<_>>());
                    self.coded(&literals, &Code::new(&[5; 30]));
                }
                2 => {
                    let (literals, distances) = self.own_codes();
                    self.coded(&literals, &distances);
                }
                _ => unreachable!("a reserved type"),
            }
        }
    }

    fn stored(&mut self) {
        self.bit = self.bit.next_multiple_of(8);
        let (length, complement) = (self.bits(16), self.bits(16));
        assert_eq!(length, complement ^ 0xFFFF);
        let start = self.bit / 8;
        self.output
            .extend_from_slice(&self.bytes[start..start + length]);
        self.bit += length * 8;
    }

    fn own_codes(&mut self) -> (Code, Code) {
        let (literals, distances, codes) = (self.bits(5) + 257, self.bits(5) + 1, self.bits(4) + 4);
        let mut lengths = [0; 19];
        for &place in &ORDER[..codes] {
            lengths[place] = self.bits(3);
        }
        let code = Code::new(&lengths);
        let mut lengths = Vec::new();
        while lengths.len() < literals + distances {
            let (length, times) = match self.symbol(&code) {
                16 => (*lengths.last().expect("one before"), 3 + self.bits(2)),
                17 => (0, 3 + self.bits(3)),
                18 => (0, 11 + self.bits(7)),
                length => (length, 1),
            };
            lengths.resize(lengths.len() + times, length);
        }
        let (literals, distances) = lengths.split_at(literals);
        (Code::new(literals), Code::new(distances))
    }

    fn coded(&mut self, literals: &Code, distances: &Code) {
        loop {
            let symbol = self.symbol(literals);
            match symbol {
                0..=255 => self.output.push(u8::try_from(symbol).expect("a byte")),
                256 => return,
                _ => {
                    let (length, extra) = LENGTHS[symbol - 257];
                    let length = length + self.bits(extra);
                    let distance = self.distance(distances);
                    self.repeat(length, distance);
                }
            }
        }
    }

    fn repeat(&mut self, length: usize, distance: usize) {
        self.furthest = self.furthest.max(distance);
        for _ in 0..length {
            self.output.push(self.output[self.output.len() - distance]);
        }
    }

    fn distance(&mut self, distances: &Code) -> usize {
        match self.symbol(distances) {
            symbol @ 0..=3 => symbol + 1,
            symbol => {
                let extra = symbol / 2 - 1;
                ((2 + symbol % 2) << extra) + 1 + self.bits(extra)
            }
        }
    }
}

/// Words in an order that does not repeat soon, with runs between them.
fn text(length: usize) -> Vec<u8> {
    let words = [
        "alpha ",
        "beta ",
        "gamma ",
        "delta ",
        "aaaaaaaaaaaaaaaa",
        "{\"id\":",
        "0",
        "1",
    ];
    let mut state = 1_u32;
    let mut text = Vec::new();
    while text.len() < length {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        text.extend_from_slice(words[state as usize >> 16 & 7].as_bytes());
    }
    text.truncate(length);
    text
}

/// What a server sends for these messages: the payloads with their tails.
fn sent(deflate: Deflate, messages: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let settings = Settings {
        deflate: Some(deflate),
        ..Settings::default()
    };
    let mut server = Endpoint::with_settings(Role::Server, settings);
    server.connection.set_compress(Compress::Always);
    let mut payloads = Vec::new();
    for (index, message) in messages.iter().enumerate() {
        server.send(message.clone()).expect("open");
        let frames = wire::read(&server.transmitted());
        assert_eq!(frames.len(), 1);
        payloads.push([frames[0].payload(), &[0x00, 0x00, 0xFF, 0xFF]].concat());
        if index % 3 == 2 {
            server.connection.release_deflate();
        }
    }
    payloads
}

fn deflate(window_bits: u8, level: u8, context_takeover: ContextTakeover) -> Deflate {
    let direction = DeflateDirection {
        window_bits: WindowBits::new(window_bits).expect("8 to 15"),
        context_takeover,
    };
    let parameters = DeflateParameters {
        client: DeflateDirection::default(),
        server: direction,
    };
    Deflate {
        parameters,
        compression: Compression {
            level: DeflateLevel::new(level).expect("1 to 9"),
            ..Compression::default()
        },
    }
}

fn messages() -> Vec<Vec<u8>> {
    let text = text(90_000);
    [10, 300, 40_000, 300, 1, 0, 90_000, 5_000]
        .iter()
        .map(|&length| text[..length].to_vec())
        .collect()
}

#[test]
fn with_context_takeover_no_reference_is_longer_than_the_window() {
    for window_bits in 8..=15 {
        for level in [1, 2, 4, 6, 9] {
            let messages = messages();
            let wire = sent(deflate(window_bits, level, ContextTakeover::On), &messages).concat();
            let mut inflater = Inflater {
                bytes: &wire,
                bit: 0,
                output: Vec::new(),
                furthest: 0,
            };
            inflater.inflate();
            assert!(
                inflater.output == messages.concat(),
                "{window_bits} {level}"
            );
            let furthest = inflater.furthest;
            assert!(
                furthest <= 1 << window_bits,
                "{window_bits} {level}: {furthest}"
            );
            // And it is made use of, but for the smallest, in which only runs count.
            let least = match window_bits {
                8 => 1,
                _ => 1 << (window_bits - 2),
            };
            assert!(furthest >= least, "{window_bits} {level}: {furthest}");
        }
    }
}

#[test]
fn without_context_takeover_each_message_stands_for_itself() {
    for window_bits in 8..=15 {
        for level in 1..=9 {
            let messages = messages();
            let payloads = sent(deflate(window_bits, level, ContextTakeover::Off), &messages);
            for (payload, message) in payloads.iter().zip(&messages) {
                assert_stands_for_itself(payload, message, 1 << window_bits);
            }
        }
    }
}

#[test]
fn connections_that_share_a_compressor_share_nothing_else() {
    let server = |level, takeover| {
        let settings = Settings {
            deflate: Some(deflate(15, level, takeover)),
            ..Settings::default()
        };
        let mut server = Endpoint::with_settings(Role::Server, settings);
        server.connection.set_compress(Compress::Always);
        server
    };
    for level in 1..=9 {
        let mut first = server(level, ContextTakeover::Off);
        let mut second = server(level, ContextTakeover::Off);
        let mut other = server(level, ContextTakeover::On);
        for message in messages() {
            for server in [&mut first, &mut second] {
                assert_stands_for_itself(&in_parts(server, &message), &message, 1 << 15);
                server.send(message.clone()).expect("open");
                assert_stands_for_itself(&payload(server), &message, 1 << 15);
            }
            // What it leaves in the pool has a past.
            other.send(message).expect("open");
            other.connection.release_deflate();
        }
    }
}

/// What the server sends for a message in two parts and an empty end.
fn in_parts(server: &mut Endpoint, message: &[u8]) -> Vec<u8> {
    let (first, second) = message.split_at(message.len() / 2);
    for (part, fragment) in [
        (first, Fragment::Nonfinal),
        (second, Fragment::Nonfinal),
        (&[], Fragment::Final),
    ] {
        let part = Bytes::copy_from_slice(part);
        let connection = &mut server.connection;
        let sent = connection.send_fragment(MessageType::Binary, fragment, part);
        sent.expect("open");
    }
    payload(server)
}

/// The message that the server has sent, with the end that is left out (RFC 7692 §7.2.2).
fn payload(server: &mut Endpoint) -> Vec<u8> {
    let frames = wire::read(&server.transmitted());
    let payloads: Vec<&[u8]> = frames.iter().map(|frame| frame.payload()).collect();
    [&payloads.concat()[..], &[0x00, 0x00, 0xFF, 0xFF]].concat()
}

/// A reference to what was before the message would be out of bounds here.
fn assert_stands_for_itself(payload: &[u8], message: &[u8], window: usize) {
    let mut inflater = Inflater {
        bytes: payload,
        bit: 0,
        output: Vec::new(),
        furthest: 0,
    };
    inflater.inflate();
    assert!(inflater.output == message, "{window}");
    assert!(inflater.furthest <= window);
}
