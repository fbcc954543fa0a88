//! A stream's bytes, read straight into memory of the reader's own.

use bytes::BufMut;
use proptest::prelude::*;
use twinsock_proto::{ReceiveMode, Role, Statistics};
use twinsock_testkit::endpoint::Endpoint;
use twinsock_testkit::wire::{self, Frame};

/// What a reader of a stream came to.
#[derive(Debug, PartialEq)]
struct Outcome {
    bytes: Vec<u8>,
    statistics: Statistics,
    is_open: bool,
    answers: usize,
}

#[derive(Clone, Copy, PartialEq)]
enum Into {
    ReadMemory,
    OwnMemory,
}

/// Reads pieces of these sizes in turn, into the reader's own memory where it may be, and takes at most so much at a time otherwise.
fn read_in_pieces(wire: &[u8], sizes: &[usize], into: Into) -> Outcome {
    let mut server = Endpoint::new(Role::Server);
    let now = server.now;
    let connection = &mut server.connection;
    connection.set_receive_mode(ReceiveMode::PartialMessage);
    let (mut taken, mut rest) = (Vec::new(), wire);
    for &size in sizes.iter().cycle() {
        while connection.move_bytes(&mut (&mut taken).limit(size)) > 0 {}
        if rest.is_empty() {
            break;
        }
        let (piece, after) = rest.split_at(size.min(rest.len()));
        rest = after;
        if into == Into::OwnMemory && connection.may_read_directly() {
            let mut memory = piece.to_vec();
            let count = connection.handle_received_directly(now, &mut memory);
            taken.extend_from_slice(&memory[..count]);
        } else {
            connection.receive_memory().put_slice(piece);
            connection.handle_received(now);
        }
    }
    Outcome {
        bytes: taken,
        statistics: connection.statistics(),
        is_open: connection.is_open(),
        answers: connection.queued(),
    }
}

fn frames() -> impl Strategy<Value = Vec<Frame>> {
    let payload = || prop::collection::vec(any::<u8>(), 0..600);
    let fragments = prop::collection::vec(payload(), 1..4).prop_map(|parts| {
        let last = parts.len() - 1;
        let frame = |(index, part): (usize, &Vec<u8>)| {
            let frame = match index {
                0 => wire::binary(part),
                _ => wire::continuation(part),
            };
            match index == last {
                true => frame,
                false => frame.fragment(),
            }
        };
        parts.iter().enumerate().map(frame).collect::<Vec<_>>()
    });
    let frames = prop_oneof![
        6 => fragments,
        1 => Just(vec![wire::ping("are you there")]),
        1 => Just(vec![wire::text("schön")]),
        1 => payload().prop_map(|payload| vec![wire::binary(payload).reserved(1)]),
        1 => Just(vec![wire::close(1000, "")]),
    ];
    prop::collection::vec((frames, any::<[u8; 4]>()), 1..8).prop_map(|messages| {
        let masked = messages
            .into_iter()
            .flat_map(|(frames, key)| frames.into_iter().map(move |frame| (frame, key)));
        masked.map(|(frame, key)| frame.masked_with(key)).collect()
    })
}

proptest! {
    #[test]
    fn bytes_come_to_the_same_whichever_memory_they_are_read_into(
        frames in frames(),
        sizes in prop::collection::vec(1..900usize, 1..6),
    ) {
        let wire = wire::join(&frames);
        let [own, other] = [Into::OwnMemory, Into::ReadMemory]
            .map(|into| read_in_pieces(&wire, &sizes, into));
        prop_assert_eq!(own, other);
    }
}

#[test]
fn large_frames_lose_their_headers_where_they_were_read() {
    let mut server = Endpoint::new(Role::Server);
    server
        .connection
        .set_receive_mode(ReceiveMode::PartialMessage);
    let payload: Vec<u8> = (0..=250).cycle().take(40_000).collect();
    let frames = [
        wire::binary(&payload).masked(),
        wire::binary(&payload).masked_with([1, 2, 3, 4]),
    ];
    let mut memory = wire::join(&frames);
    assert!(server.connection.may_read_directly());
    let count = server
        .connection
        .handle_received_directly(server.now, &mut memory);
    assert_eq!(count, 80_000);
    assert!(memory[..40_000] == payload && memory[40_000..80_000] == payload);
    assert_eq!(server.connection.statistics().received.messages, 2);
}
