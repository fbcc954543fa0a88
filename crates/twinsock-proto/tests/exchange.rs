//! Random conversations: whatever is sent is what is received (RFC 6455 §5.4, §6).

use std::time::Duration;

use bytes::Buf;
use proptest::prelude::*;
use twinsock_proto::{
    CloseReason, ControlPayload, Limits, Message, MessageType, Role, Settings, Transmit,
};
use twinsock_testkit::endpoint::Endpoint;
use twinsock_testkit::pair::Pair;
use twinsock_testkit::wire::{self, Frame};

fn any_message() -> impl Strategy<Value = Message> {
    prop_oneof![
        ".{0,80}".prop_map(Message::from),
        prop::collection::vec(any::<u8>(), 0..300).prop_map(Message::from),
        (60_000usize..140_000, any::<u8>()).prop_map(|(size, byte)| vec![byte; size].into()),
        (10_000usize..40_000).prop_map(|count| "ö".repeat(count).into()),
    ]
}

/// The frames of a message cut at these places, with a Ping after each.
fn fragments(message: &Message, cuts: &[prop::sample::Index]) -> Vec<Frame> {
    let bytes = message.as_bytes();
    let mut places: Vec<_> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
    places.sort_unstable();
    places.push(bytes.len());
    let mut frames = Vec::new();
    let mut start = 0;
    for end in places {
        let payload = &bytes[start..end];
        let frame = match message.message_type() {
            _ if !frames.is_empty() => wire::continuation(payload),
            MessageType::Text => wire::text(payload),
            MessageType::Binary => wire::binary(payload),
        };
        frames.push(frame.fragment());
        frames.push(wire::ping(start.to_be_bytes()));
        start = end;
    }
    let last = frames.len() - 2;
    let payload = frames[last].payload().to_vec();
    frames[last] = wire::frame(frames[last].first_byte() | 0x80, payload);
    frames
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn messages_in_random_fragments_and_reads_are_received_exactly(
        messages in prop::collection::vec(
            (any_message(), prop::collection::vec(any::<prop::sample::Index>(), 0..5)),
            0..5,
        ),
        read_size in prop_oneof![1usize..50, 1_000usize..100_000],
        is_server: bool,
    ) {
        let role = if is_server { Role::Server } else { Role::Client };
        let frames: Vec<_> = messages
            .iter()
            .flat_map(|(message, cuts)| fragments(message, cuts))
            .map(|frame| frame.sent_by(role.peer()))
            .collect();
        let mut endpoint = Endpoint::new(role);
        for part in wire::join(&frames).chunks(read_size) {
            endpoint.receive(part);
        }
        let expected: Vec<_> = messages.into_iter().map(|(message, _)| message).collect();
        prop_assert_eq!(endpoint.messages(), expected);
        prop_assert!(endpoint.connection.is_open());
    }

    #[test]
    fn two_endpoints_exchange_messages_and_close_cleanly(
        steps in prop::collection::vec(any_step(), 0..12),
        piece in prop_oneof![1usize..50, 1_000usize..100_000],
        closer in prop_oneof![Just(Role::Client), Just(Role::Server)],
    ) {
        let mut pair = Pair::new();
        let mut sent = [Vec::new(), Vec::new()];
        for (role, step) in steps {
            take_step(&mut pair, role, step, piece, &mut sent);
        }
        let endpoint = endpoint_of(&mut pair, closer);
        endpoint.connection.close(endpoint.now, CloseReason::empty()).expect("open");
        pair.settle_in_pieces(piece);
        let [by_client, by_server] = sent;
        prop_assert_eq!(pair.server.messages(), by_client);
        prop_assert_eq!(pair.client.messages(), by_server);
        for endpoint in [&pair.client, &pair.server] {
            prop_assert!(endpoint.connection.closed().is_some_and(|closed| closed.is_clean()));
        }
    }

    #[test]
    fn what_is_sent_survives_writes_of_any_size(
        messages in prop::collection::vec((any_message(), any::<bool>()), 0..8),
        taken in prop_oneof![1usize..50, 1_000usize..100_000],
    ) {
        for role in [Role::Client, Role::Server] {
            let mut endpoint = Endpoint::new(role);
            let mut others = Vec::new();
            let mut wire = Vec::new();
            for (message, is_shared) in &messages {
                let message = deep_copy(message);
                if *is_shared {
                    others.push(message.clone());
                }
                endpoint.send(message).expect("open");
                wire.extend(endpoint.transmit_at_most(taken));
            }
            while endpoint.connection.has_output() {
                wire.extend(endpoint.transmit_at_most(taken));
            }
            let received: Vec<_> = wire::read(&wire).iter().map(|frame| {
                prop_assert_eq!(frame.is_masked(), role == Role::Client);
                Ok(frame.payload().to_vec())
            }).collect::<Result<_, TestCaseError>>()?;
            let expected: Vec<_> = messages.iter().map(|(message, _)| message.as_bytes()).collect();
            prop_assert_eq!(received, expected);
        }
    }
}

#[derive(Clone, Debug)]
enum Step {
    Send(Message),
    Ping(u8),
    Wait(u8),
    Settle,
}

fn any_step() -> impl Strategy<Value = (Role, Step)> {
    let step = prop_oneof![
        4 => any_message().prop_map(Step::Send),
        1 => any::<u8>().prop_map(Step::Ping),
        1 => (0u8..60).prop_map(Step::Wait),
        2 => Just(Step::Settle),
    ];
    (prop_oneof![Just(Role::Client), Just(Role::Server)], step)
}

fn endpoint_of(pair: &mut Pair, role: Role) -> &mut Endpoint {
    match role {
        Role::Client => &mut pair.client,
        Role::Server => &mut pair.server,
    }
}

fn take_step(pair: &mut Pair, role: Role, step: Step, piece: usize, sent: &mut [Vec<Message>; 2]) {
    let endpoint = endpoint_of(pair, role);
    match step {
        Step::Send(message) => {
            endpoint.send(deep_copy(&message)).expect("open");
            sent[usize::from(role == Role::Server)].push(message);
        }
        Step::Ping(byte) => {
            let payload = ControlPayload::new(&[byte]).expect("short");
            endpoint
                .connection
                .ping(endpoint.now, payload)
                .expect("open");
        }
        Step::Wait(seconds) => {
            for _ in 0..seconds {
                pair.wait(Duration::from_secs(1));
            }
        }
        Step::Settle => pair.settle_in_pieces(piece),
    }
}

/// A message whose payload nobody else holds, so that it is sent without a copy.
fn deep_copy(message: &Message) -> Message {
    match message {
        Message::Text(text) => Message::from(text.as_str().to_owned()),
        Message::Binary(bytes) => Message::from(bytes.to_vec()),
    }
}

/// §5.1: many messages may go into one write; the chunks of a vectored write say the same.
#[test]
fn a_vectored_write_carries_the_same_bytes() {
    let settings = Settings {
        limits: Limits {
            send_queue_size: usize::MAX,
            ..Limits::default()
        },
        ..Settings::default()
    };
    let mut server = Endpoint::with_settings(Role::Server, settings);
    for size in [1, 9_000, 2, 100_000, 3] {
        server.send(vec![7; size]).expect("open");
    }
    let Some(Transmit::Bytes(queue)) = server.connection.poll_transmit() else {
        panic!("bytes wait");
    };
    let mut slices = [std::io::IoSlice::new(&[]); 16];
    let count = queue.chunks_vectored(&mut slices);
    let vectored: Vec<u8> = slices[..count]
        .iter()
        .flat_map(|slice| slice.to_vec())
        .collect();
    assert_eq!(vectored, server.transmitted());
}
