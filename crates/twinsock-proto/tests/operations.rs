//! A careless driver: any call in any order, outputs left lying, reads without a look at events.
//!
//! Nothing here follows the driving contract. The connection may then do little that is useful,
//! but it never panics, never revives, and what it delivers is what was sent, in order.

use std::time::{Duration, Instant};

use bytes::{Buf, BufMut};
use proptest::prelude::*;
use twinsock_proto::{
    CloseReason, Closed, Connection, ControlPayload, Event, Limits, Loss, Message, Role, Settings,
    Timing, Transmit,
};
use twinsock_testkit::wire;

#[derive(Clone, Debug)]
enum Operation {
    Read(usize),
    TakeEvent,
    LendMemory(usize),
    TakeIdleMemory,
    Send(usize),
    Ping,
    Close,
    Transmit(usize),
    TransmitNothing,
    EndOfStream,
    SendFailed,
    Wait(Duration),
}

fn any_operation() -> impl Strategy<Value = Operation> {
    use Operation::{
        Close, EndOfStream, LendMemory, Ping, Read, Send, SendFailed, TakeEvent, TakeIdleMemory,
        Transmit, TransmitNothing, Wait,
    };
    prop_oneof![
        12 => prop_oneof![0usize..40, 1_000usize..100_000].prop_map(Read),
        12 => Just(TakeEvent),
        2 => (0usize..200_000).prop_map(LendMemory),
        2 => Just(TakeIdleMemory),
        3 => prop_oneof![0usize..40, 1_000usize..100_000].prop_map(Send),
        1 => Just(Ping),
        1 => Just(Close),
        6 => prop_oneof![0usize..40, 1_000usize..100_000].prop_map(Transmit),
        2 => Just(TransmitNothing),
        1 => Just(EndOfStream),
        1 => Just(SendFailed),
        2 => (0u64..20_000).prop_map(|time| Wait(Duration::from_millis(time))),
    ]
}

/// A connection, and the peer's bytes that it has not read yet.
struct Careless {
    connection: Connection,
    now: Instant,
    incoming: Vec<u8>,
    received: Vec<Message>,
    closed: Option<Closed>,
    was_open: bool,
}

impl Careless {
    fn apply(&mut self, operation: &Operation) {
        let connection = &mut self.connection;
        match *operation {
            Operation::Read(size) => {
                let mut memory = connection.receive_memory();
                let size = size.min(memory.remaining_mut()).min(self.incoming.len());
                memory.put_slice(&self.incoming[..size]);
                drop(memory);
                self.incoming.drain(..size);
                connection.handle_received(self.now);
            }
            Operation::TakeEvent => {
                if let Some(Event::MessageReceived(message)) = connection.poll_event() {
                    self.received.push(message.into_owned());
                }
            }
            Operation::LendMemory(size) => connection.lend_memory(Vec::with_capacity(size)),
            Operation::TakeIdleMemory => drop(connection.take_idle_memory()),
            Operation::Send(size) => {
                let _ = connection.send(vec![7; size].into());
            }
            Operation::Ping => {
                let payload = ControlPayload::new(b"?").expect("short");
                let _ = connection.ping(self.now, payload);
            }
            Operation::Close => {
                let _ = connection.close(self.now, CloseReason::empty());
            }
            Operation::Transmit(size) => {
                if let Some(Transmit::Bytes(queue)) = connection.poll_transmit() {
                    let size = size.min(queue.remaining());
                    queue.advance(size);
                    connection.handle_transmitted(self.now, size);
                }
            }
            Operation::TransmitNothing => connection.handle_transmitted(self.now, 0),
            Operation::EndOfStream => connection.handle_end_of_stream(self.now),
            Operation::SendFailed => connection.handle_send_failed(self.now, Loss::EndOfStream),
            Operation::Wait(time) => {
                self.now += time;
                connection.handle_timeout(self.now);
            }
        }
        self.check();
    }

    fn check(&mut self) {
        let connection = &self.connection;
        let closed = connection.closed().cloned();
        assert!(
            self.was_open || !connection.is_open(),
            "a closing connection opened"
        );
        assert!(
            closed.is_none() || connection.poll_timeout().is_none(),
            "closed, yet due"
        );
        assert!(
            connection.queued() == 0 || connection.has_output() || closed.is_some(),
            "bytes wait in vain"
        );
        if self.closed.is_some() {
            assert_eq!(closed, self.closed, "an end is final");
        }
        self.closed = closed;
        self.was_open = connection.is_open();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_order_of_calls_is_survived(
        messages in prop::collection::vec(
            (prop_oneof![0usize..300, 20_000usize..150_000], any::<u8>(), any::<bool>()),
            0..6,
        ),
        operations in prop::collection::vec(any_operation(), 0..120),
        is_server: bool,
    ) {
        let role = if is_server { Role::Server } else { Role::Client };
        let settings = Settings {
            limits: Limits { send_queue_size: 10_000, ..Limits::default() },
            timing: Timing::default(),
            ..Settings::default()
        };
        let now = start();
        let mut incoming = Vec::new();
        let mut sent = Vec::new();
        for (size, byte, is_cut) in messages {
            let payload = vec![byte; size];
            let (first, second) = payload.split_at(if is_cut { size / 3 } else { size });
            let sender = role.peer();
            if is_cut {
                incoming.extend(wire::binary(first).fragment().sent_by(sender).bytes());
                incoming.extend(wire::ping("").sent_by(sender).bytes());
                incoming.extend(wire::continuation(second).sent_by(sender).bytes());
            } else {
                incoming.extend(wire::binary(first).sent_by(sender).bytes());
            }
            sent.push(Message::from(payload));
        }
        let mut careless = Careless {
            connection: Connection::new(role, settings, [1; 32], now),
            now,
            incoming,
            received: Vec::new(),
            closed: None,
            was_open: true,
        };
        for operation in &operations {
            careless.apply(operation);
        }
        let received = careless.received;
        prop_assert!(received.len() <= sent.len());
        prop_assert!(received == sent[..received.len()], "not what was sent");
    }
}

/// Any point in time will do.
fn start() -> Instant {
    twinsock_testkit::endpoint::Endpoint::new(Role::Client).now
}
