//! Every state of the closing handshake × every input has a stated outcome (RFC 6455 §7).
//!
//! Each row: what the call returned, the frames that went out, whether the stream was ended, the
//! messages that came, and where the connection then stands.

use std::fmt::Write as _;
use std::time::Duration;

use twinsock_proto::{CloseCode, CloseReason, ControlPayload, Loss, NotOpen, Role};
use twinsock_testkit::endpoint::Endpoint;
use twinsock_testkit::wire;

type Input = fn(&mut Endpoint) -> Result<(), NotOpen>;
type Reach = fn(&mut Endpoint);
type Named<T> = (&'static str, T);

const STATES: [Named<Reach>; 6] = [
    ("open", |_| {}),
    ("close sent", |endpoint| {
        close(endpoint);
        endpoint.transmitted();
    }),
    ("send failed", |endpoint| {
        endpoint
            .connection
            .handle_send_failed(endpoint.now, Loss::EndOfStream);
    }),
    ("closed by peer", |endpoint| {
        endpoint.receive_frames(&[wire::close(1001, "")]);
        endpoint.transmitted();
    }),
    ("failed", |endpoint| {
        endpoint.receive_frames(&[wire::frame(0x83, "")]);
        endpoint.transmitted();
    }),
    ("closed", |endpoint| {
        endpoint.receive_frames(&[wire::close(1001, "")]);
        endpoint.transmitted();
        endpoint.receive_end();
    }),
];

const INPUTS: [Named<Input>; 12] = [
    ("send", |endpoint| endpoint.send("hi").map_err(|_| NotOpen)),
    ("ping", |endpoint| {
        let payload = ControlPayload::new(b"a").expect("short");
        endpoint.connection.ping(endpoint.now, payload)
    }),
    ("close", |endpoint| try_close(endpoint)),
    ("gets text", |endpoint| gets(endpoint, wire::text("hi"))),
    ("gets ping", |endpoint| gets(endpoint, wire::ping("a"))),
    ("gets pong", |endpoint| gets(endpoint, wire::pong("a"))),
    ("gets close", |endpoint| {
        gets(endpoint, wire::close(4000, ""))
    }),
    ("gets violation", |endpoint| {
        gets(endpoint, wire::frame(0x83, ""))
    }),
    ("gets end", |endpoint| {
        endpoint.receive_end();
        Ok(())
    }),
    ("send fails", |endpoint| {
        endpoint
            .connection
            .handle_send_failed(endpoint.now, Loss::EndOfStream);
        Ok(())
    }),
    ("nothing taken", |endpoint| {
        endpoint.connection.handle_transmitted(endpoint.now, 0);
        Ok(())
    }),
    ("an hour passes", |endpoint| {
        endpoint.wait(Duration::from_secs(3600));
        Ok(())
    }),
];

/// The table, one row per pair, to be read in review.
const EXPECTED: &str = include_str!("state_table.txt");

fn close(endpoint: &mut Endpoint) {
    try_close(endpoint).expect("open");
}

fn try_close(endpoint: &mut Endpoint) -> Result<(), NotOpen> {
    let reason = CloseReason::new(CloseCode::NORMAL, "").expect("valid");
    endpoint.connection.close(endpoint.now, reason)
}

#[expect(clippy::unnecessary_wraps, reason = "one type for all inputs")]
fn gets(endpoint: &mut Endpoint, frame: wire::Frame) -> Result<(), NotOpen> {
    endpoint.receive_frames(&[frame]);
    Ok(())
}

/// One row of the table.
fn outcome(endpoint: &mut Endpoint, input: Input) -> String {
    let had_ended = endpoint.has_ended();
    let mut row = String::new();
    if input(endpoint).is_err() {
        row.push_str("refused; ");
    }
    let messages = endpoint.messages().len();
    if messages > 0 {
        row.push_str("message; ");
    }
    for frame in endpoint.transmitted_frames() {
        write!(row, "sends {:x}; ", frame.first_byte()).expect("a string takes all");
    }
    if endpoint.has_ended() && !had_ended {
        row.push_str("ends; ");
    }
    row.push_str(&standing(endpoint));
    row
}

/// Where the connection stands, as an application sees it.
fn standing(endpoint: &Endpoint) -> String {
    let connection = &endpoint.connection;
    match connection.closed() {
        Some(closed) => {
            assert_eq!(connection.poll_timeout(), None, "nothing is due any more");
            assert!(!connection.is_open());
            closed.to_string()
        }
        None if connection.is_open() => "open".to_owned(),
        None => {
            assert!(
                connection.poll_timeout().is_some(),
                "closing ends some time"
            );
            "closing".to_owned()
        }
    }
}

#[test]
fn every_state_and_input_has_its_stated_outcome() {
    let mut expected = EXPECTED.lines();
    for role in [Role::Client, Role::Server] {
        for (state, reach) in STATES {
            for (input, apply) in INPUTS {
                let mut endpoint = Endpoint::new(role);
                reach(&mut endpoint);
                let row = outcome(&mut endpoint, apply);
                let row = format!("{role:?}, {state}, {input}: {row}");
                assert_eq!(Some(&row[..]), expected.next());
            }
        }
    }
    assert_eq!(expected.next(), None);
}

/// No order of inputs panics, revives a connection, or changes how it ended.
#[test]
fn every_sequence_of_four_inputs_is_survived() {
    for role in [Role::Client, Role::Server] {
        for code in 0..INPUTS.len().pow(4) {
            let mut endpoint = Endpoint::new(role);
            let mut was_open = true;
            let mut ended = None;
            for place in 0..4 {
                let (_, apply) = INPUTS[code / INPUTS.len().pow(place) % INPUTS.len()];
                outcome(&mut endpoint, apply);
                assert!(was_open || !endpoint.connection.is_open(), "revived");
                was_open = endpoint.connection.is_open();
                let closed = endpoint.connection.closed().cloned();
                assert!(ended.is_none() || ended == closed, "changed its mind");
                ended = closed;
            }
        }
    }
}
