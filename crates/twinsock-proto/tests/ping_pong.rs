//! Pings, Pongs, keep-alive (RFC 6455 §5.5.2, §5.5.3).

use std::time::Duration;

use twinsock_proto::{CloseReason, ControlPayload, NotOpen, Role};
use twinsock_testkit::endpoint::Endpoint;
use twinsock_testkit::pair::Pair;
use twinsock_testkit::wire;

const ROLES: [Role; 2] = [Role::Client, Role::Server];
const SECOND: Duration = Duration::from_secs(1);

fn payload(bytes: &[u8]) -> ControlPayload {
    ControlPayload::new(bytes).expect("short enough")
}

fn ping(endpoint: &mut Endpoint, bytes: &[u8]) -> Result<(), NotOpen> {
    endpoint.connection.ping(endpoint.now, payload(bytes))
}

fn close(endpoint: &mut Endpoint) {
    let reason = CloseReason::empty();
    endpoint
        .connection
        .close(endpoint.now, reason)
        .expect("open");
}

/// §5.5.2: a Ping is answered; §5.5.3: with the same payload.
#[test]
fn a_pong_echoes_the_pings_payload() {
    for role in ROLES {
        for bytes in [&b""[..], b"hello", &[0xFF; 125]] {
            let mut endpoint = Endpoint::new(role);
            endpoint.receive_frames(&[wire::ping(bytes)]);
            assert_eq!(endpoint.transmitted_frames(), [wire::pong(bytes)]);
            assert_eq!(endpoint.transmitted(), b"");
        }
    }
}

/// §5.5.2: each Ping is answered while there is room for the answers.
#[test]
fn every_ping_is_answered_while_there_is_room() {
    let mut server = Endpoint::new(Role::Server);
    server.receive_frames(&[wire::ping("1"), wire::ping("2"), wire::ping("3")]);
    let frames = server.transmitted_frames();
    assert_eq!(frames, [wire::pong("1"), wire::pong("2"), wire::pong("3")]);
}

/// §5.5.3: of Pings for which there was no room, the newest is enough.
#[test]
fn only_the_newest_ping_is_answered_when_there_was_no_room() {
    let mut server = Endpoint::new(Role::Server);
    server.send(vec![0; 64 << 10]).expect("open");
    server.receive_frames(&[wire::ping("1"), wire::ping("2"), wire::ping("3")]);
    let frames = server.transmitted_frames();
    assert_eq!(frames[1..], [wire::pong("3")]);
}

/// §5.5.2: the answer comes as soon as practical: behind what waits, before what comes later.
#[test]
fn a_pong_goes_behind_what_waits_when_there_is_room() {
    let mut server = Endpoint::new(Role::Server);
    server.send("waits").expect("open");
    server.receive_frames(&[wire::ping("a")]);
    server.send("later").expect("open");
    let frames = server.transmitted_frames();
    assert_eq!(
        frames,
        [wire::text("waits"), wire::pong("a"), wire::text("later")]
    );
}

/// A peer that pings and does not read makes the queue grow no further than its limit.
#[test]
fn pings_of_a_peer_that_does_not_read_do_not_pile_up() {
    let mut server = Endpoint::new(Role::Server);
    server.send(vec![0; 64 << 10]).expect("open");
    for index in 0u32..10_000 {
        server.receive_frames(&[wire::ping(index.to_be_bytes())]);
        assert!(server.connection.poll_transmit().is_some());
        server.connection.handle_transmitted(server.now, 0);
    }
    assert!(server.connection.queued() < (64 << 10) + 16);
    let frames = server.transmitted_frames();
    assert_eq!(frames[1..], [wire::pong(9_999u32.to_be_bytes())]);
}

/// The same when each Pong still finds room.
#[test]
fn pongs_stop_at_the_limit_of_the_queue() {
    let mut server = Endpoint::new(Role::Server);
    for _ in 0..10_000 {
        server.receive_frames(&[wire::ping([0; 125])]);
        server.connection.poll_transmit();
    }
    assert!(server.connection.queued() < (64 << 10) + 127);
}

/// §5.5.2: no Pong once the peer's Close has come.
#[test]
fn no_ping_is_answered_after_the_peers_close() {
    for role in ROLES {
        let mut endpoint = Endpoint::new(role);
        endpoint.receive_frames(&[wire::close(1000, ""), wire::ping("a")]);
        assert_eq!(endpoint.transmitted_frames(), [wire::close(1000, "")]);

        let mut endpoint = Endpoint::new(role);
        endpoint.receive_frames(&[wire::ping("a"), wire::close(1000, "")]);
        let frames = endpoint.transmitted_frames();
        assert_eq!(frames, [wire::pong("a"), wire::close(1000, "")]);
    }
}

/// §5.5.2: a Ping is owed an answer until the peer's Close has come, whatever we have sent.
#[test]
fn a_ping_is_answered_after_our_close() {
    for role in ROLES {
        let mut endpoint = Endpoint::new(role);
        close(&mut endpoint);
        endpoint.receive_frames(&[wire::ping("a")]);
        let frames = endpoint.transmitted_frames();
        assert_eq!(frames, [wire::close_with_body(""), wire::pong("a")]);
        endpoint.receive_frames(&[wire::close_with_body(""), wire::ping("b")]);
        assert_eq!(endpoint.transmitted_frames(), []);
    }
}

/// §5.5.2: a Ping that came before our Close is answered before it.
#[test]
fn a_ping_is_answered_before_our_close() {
    let mut server = Endpoint::new(Role::Server);
    server.receive_frames(&[wire::ping("a")]);
    close(&mut server);
    let frames = server.transmitted_frames();
    assert_eq!(frames, [wire::pong("a"), wire::close_with_body("")]);
}

/// §5.5.3: a Pong may come unasked; no answer is expected.
#[test]
fn an_unsolicited_pong_means_nothing() {
    for role in ROLES {
        let mut endpoint = Endpoint::new(role);
        endpoint.receive_frames(&[wire::pong(""), wire::pong("hello")]);
        assert_eq!(endpoint.transmitted(), b"");
        assert_eq!(endpoint.messages(), []);
        assert_eq!(endpoint.connection.round_trip_time(), None);
        assert!(endpoint.connection.is_open());
    }
}

/// §5.5.2: a Ping may be sent any time while the connection is open.
#[test]
fn pings_are_sent_while_open_and_only_then() {
    let mut server = Endpoint::new(Role::Server);
    ping(&mut server, b"a").expect("open");
    assert_eq!(server.transmitted_frames(), [wire::ping("a")]);
    close(&mut server);
    assert_eq!(ping(&mut server, b"b"), Err(NotOpen));
}

#[test]
fn the_answer_gives_the_round_trip_time() {
    let mut server = Endpoint::new(Role::Server);
    ping(&mut server, b"a").expect("open");
    server.wait(3 * SECOND);
    server.receive_frames(&[wire::pong("other"), wire::pong("a")]);
    assert_eq!(server.connection.round_trip_time(), Some(3 * SECOND));
}

/// §5.5.3: a peer may answer only the newest Ping.
#[test]
fn the_round_trip_time_is_the_newest_pings() {
    let mut server = Endpoint::new(Role::Server);
    ping(&mut server, b"a").expect("open");
    server.wait(SECOND);
    ping(&mut server, b"b").expect("open");
    server.wait(SECOND);
    server.receive_frames(&[wire::pong("a")]);
    assert_eq!(server.connection.round_trip_time(), None);
    server.receive_frames(&[wire::pong("b")]);
    assert_eq!(server.connection.round_trip_time(), Some(SECOND));
    server.wait(SECOND);
    server.receive_frames(&[wire::pong("b")]);
    assert_eq!(server.connection.round_trip_time(), Some(SECOND));
}

#[test]
fn keep_alive_keeps_two_silent_endpoints_connected() {
    let mut pair = Pair::new();
    for _ in 0..100 {
        pair.wait(10 * SECOND);
    }
    assert!(pair.client.connection.is_open());
    assert!(pair.server.connection.is_open());
    let measured = [&pair.client, &pair.server]
        .iter()
        .any(|endpoint| endpoint.connection.round_trip_time().is_some());
    assert!(measured);
}

#[test]
fn any_byte_shows_that_the_peer_is_there() {
    let mut server = Endpoint::new(Role::Server);
    for byte in wire::text("drip").masked().bytes() {
        server.receive(&[byte]);
        server.wait(19 * SECOND);
        assert_eq!(server.transmitted(), b"", "no ping was needed");
    }
    assert_eq!(server.messages(), ["drip".into()]);
}
