//! Masking (RFC 6455 §5.1, §5.3, §10.3).

use std::collections::HashSet;

use twinsock_proto::{CloseCode, ControlPayload, Failure, Message, Role, Violation};
use twinsock_testkit::endpoint::Endpoint;
use twinsock_testkit::wire;

fn failure(endpoint: &mut Endpoint) -> Failure {
    endpoint.receive_end();
    let closed = endpoint.connection.closed().expect("closed");
    *closed.failure().expect("failed")
}

/// §5.1: a client masks all that it sends.
#[test]
fn a_client_masks_every_kind_of_frame() {
    let mut client = Endpoint::new(Role::Client);
    client.send("text").expect("open");
    client.send(vec![7; 100_000]).expect("open");
    client.receive_frames(&[wire::ping("a")]);
    let payload = ControlPayload::new(b"b").expect("short");
    client.connection.ping(client.now, payload).expect("open");
    client.receive_frames(&[wire::close(1000, "")]);
    let frames = wire::read(&client.transmitted());
    assert_eq!(frames.len(), 5, "text, binary, Ping, Pong and Close");
    assert!(frames.iter().all(wire::Frame::is_masked));
}

/// §5.1: a server must not mask.
#[test]
fn a_server_masks_no_frame() {
    let mut server = Endpoint::new(Role::Server);
    server.send("text").expect("open");
    server.send(vec![7; 100_000]).expect("open");
    server.receive_frames(&[wire::ping("a"), wire::close(1000, "")]);
    let frames = wire::read(&server.transmitted());
    assert!(!frames.iter().any(wire::Frame::is_masked));
}

/// §5.1: a server fails the connection on an unmasked frame, with 1002 if it likes.
#[test]
fn a_server_refuses_every_kind_of_unmasked_frame() {
    for frame in every_kind() {
        let mut server = Endpoint::new(Role::Server);
        server.receive(&frame.bytes());
        let close = wire::close(
            CloseCode::PROTOCOL_ERROR.value(),
            Violation::UnmaskedFrame.to_string(),
        );
        assert_eq!(server.transmitted_frames(), [close]);
        assert!(server.has_ended());
        assert_eq!(failure(&mut server), Violation::UnmaskedFrame.into());
    }
}

/// §5.1: a client fails the connection on a masked frame.
#[test]
fn a_client_refuses_every_kind_of_masked_frame() {
    for frame in every_kind() {
        let mut client = Endpoint::new(Role::Client);
        client.receive(&frame.masked().bytes());
        let close = wire::close(
            CloseCode::PROTOCOL_ERROR.value(),
            Violation::MaskedFrame.to_string(),
        );
        assert_eq!(client.transmitted_frames(), [close]);
        assert!(client.has_ended());
        assert_eq!(failure(&mut client), Violation::MaskedFrame.into());
    }
}

fn every_kind() -> Vec<wire::Frame> {
    vec![
        wire::text("a"),
        wire::binary("a").fragment(),
        wire::ping(""),
        wire::pong(""),
        wire::close(1000, ""),
        wire::continuation(""),
    ]
}

/// §5.3: a fresh key for each frame, chosen unpredictably; §10.3: not from a predictable source.
#[test]
fn each_frame_has_a_key_of_its_own() {
    let mut client = Endpoint::new(Role::Client);
    for _ in 0..1_000 {
        client.send("the same").expect("open");
    }
    let frames = wire::read(&client.transmitted());
    let keys: HashSet<_> = frames.iter().map(wire::Frame::key).collect();
    assert!(keys.len() > 995, "only {} different keys", keys.len());
}

/// §5.3: any key is right, also zero; the payload is what it was.
#[test]
fn a_server_undoes_any_key() {
    let payload: Vec<u8> = (0..=255).cycle().take(1_000).collect();
    for key in [[0; 4], [0xFF; 4], [1, 2, 3, 4], [0, 0, 0, 1]] {
        for length in [0, 1, 3, 4, 7, 8, 9, 125, 126, 1_000] {
            let mut server = Endpoint::new(Role::Server);
            let frame = wire::binary(&payload[..length]).masked_with(key);
            server.receive(&frame.bytes());
            assert_eq!(
                server.messages(),
                [Message::from(&payload[..length])],
                "{key:?}"
            );
        }
    }
}

/// §5.3: each fragment is masked with its own key, from the key's first byte.
#[test]
fn each_fragment_is_masked_for_itself() {
    let mut server = Endpoint::new(Role::Server);
    let frames = [
        wire::text("hel").fragment().masked_with([1, 2, 3, 4]),
        wire::continuation("lo").masked_with([5, 6, 7, 8]),
    ];
    server.receive(&wire::join(&frames));
    assert_eq!(server.messages(), ["hello".into()]);
}

/// §5.3: masking does not change the payload's length, nor a payload that others hold.
#[test]
fn a_payload_that_others_hold_is_not_masked_in_place() {
    let mut client = Endpoint::new(Role::Client);
    let message = Message::from(vec![7; 200_000]);
    client.send(message.clone()).expect("open");
    let frames = wire::read(&client.transmitted());
    assert_eq!(frames[0].payload(), [7; 200_000]);
    assert_eq!(message.as_bytes(), [7; 200_000]);
}
