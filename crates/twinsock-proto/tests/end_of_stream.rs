//! The byte stream ends or breaks, in every state (RFC 6455 §7.1.4, §7.1.5, §7.3).

use std::time::Duration;

use twinsock_proto::{CloseCode, CloseReason, Closed, Failure, Initiator, Loss, Overdue, Role};
use twinsock_testkit::endpoint::Endpoint;
use twinsock_testkit::wire;

const ROLES: [Role; 2] = [Role::Client, Role::Server];

fn closed(endpoint: &Endpoint) -> &Closed {
    endpoint.connection.closed().expect("closed")
}

fn close(endpoint: &mut Endpoint) {
    let reason = CloseReason::new(CloseCode::NORMAL, "").expect("valid");
    endpoint
        .connection
        .close(endpoint.now, reason)
        .expect("open");
}

/// §7.1.5: without a Close frame the code is 1006.
#[test]
fn an_end_without_a_close_is_abnormal() {
    for role in ROLES {
        let mut endpoint = Endpoint::new(role);
        endpoint.receive_end();
        let closed = closed(&endpoint);
        assert_eq!(closed.failure(), Some(&Failure::EndOfStream));
        assert_eq!(closed.code(), CloseCode::ABNORMAL_CLOSURE);
        assert_eq!(closed.initiator(), Initiator::Peer);
        assert!(!closed.is_clean());
        assert_eq!(endpoint.transmitted(), b"");
    }
}

#[test]
fn an_end_inside_a_frame_is_abnormal() {
    let frames = [
        wire::text("hello").fragment().bytes(),
        wire::text("hello").claims(6).bytes(),
        wire::binary([7; 100_000]).claims(200_000).bytes(),
        wire::ping("").claims(1).bytes(),
        b"\x81".to_vec(),
    ];
    for bytes in frames {
        let mut client = Endpoint::new(Role::Client);
        client.receive(&bytes);
        client.receive_end();
        assert_eq!(closed(&client).failure(), Some(&Failure::EndOfStream));
        assert_eq!(client.messages(), [], "an unfinished message is no message");
    }
}

#[test]
fn messages_before_the_end_are_received() {
    let mut server = Endpoint::new(Role::Server);
    let bytes = wire::join(&[wire::text("one").masked(), wire::text("two").masked()]);
    bytes::BufMut::put_slice(&mut server.connection.receive_memory(), &bytes);
    server.connection.handle_received(server.now);
    server.connection.handle_end_of_stream(server.now);
    assert_eq!(server.connection.closed(), None);
    server.take_events();
    assert_eq!(server.messages(), ["one".into(), "two".into()]);
    assert_eq!(closed(&server).failure(), Some(&Failure::EndOfStream));
}

#[test]
fn a_close_before_the_end_counts_and_is_answered() {
    for role in ROLES {
        let mut endpoint = Endpoint::new(role);
        let close = wire::close(1001, "bye").sent_by(role.peer());
        bytes::BufMut::put_slice(&mut endpoint.connection.receive_memory(), &close.bytes());
        endpoint.connection.handle_received(endpoint.now);
        endpoint.receive_end();
        assert_eq!(closed(&endpoint).code(), CloseCode::GOING_AWAY);
        assert_eq!(endpoint.transmitted_frames(), [wire::close(1001, "")]);
    }
}

/// §7.1.4: with one Close only, the close is not clean.
#[test]
fn an_end_instead_of_an_answer_is_abnormal() {
    for role in ROLES {
        let mut endpoint = Endpoint::new(role);
        close(&mut endpoint);
        endpoint.transmitted();
        endpoint.receive_frames(&[wire::text("last")]);
        endpoint.receive_end();
        assert_eq!(endpoint.messages(), ["last".into()]);
        let closed = closed(&endpoint);
        assert_eq!(closed.failure(), Some(&Failure::EndOfStream));
        assert_eq!(closed.initiator(), Initiator::Local);
        assert!(closed.sent().is_some() && !closed.is_clean());
    }
}

#[test]
fn an_end_after_both_closes_is_what_was_awaited() {
    for role in ROLES {
        let mut endpoint = Endpoint::new(role);
        close(&mut endpoint);
        endpoint.transmitted();
        endpoint.receive_frames(&[wire::close(1000, "")]);
        endpoint.receive_end();
        assert!(closed(&endpoint).is_clean());
        assert_eq!(endpoint.connection.poll_timeout(), None);
    }
}

#[test]
fn an_end_after_a_failure_keeps_the_failure() {
    for role in ROLES {
        let mut endpoint = Endpoint::new(role);
        endpoint.receive_frames(&[wire::frame(0x83, "")]);
        let before = endpoint.connection.closed().cloned();
        endpoint.receive_end();
        assert_eq!(before, None);
        assert!(matches!(
            closed(&endpoint).failure(),
            Some(Failure::Violation(_))
        ));
    }
}

#[test]
fn the_first_end_counts() {
    let mut server = Endpoint::new(Role::Server);
    server.receive_end();
    let first = closed(&server).clone();
    server.receive_end();
    server
        .connection
        .handle_send_failed(server.now, Loss::EndOfStream);
    server.receive_frames(&[wire::close(1000, "")]);
    server.wait(Duration::from_secs(100));
    assert_eq!(closed(&server), &first);
    assert_eq!(server.transmitted(), b"");
}

// ---- the sending side breaks ----

/// What the peer sent before its end is worth having though nothing can be sent.
#[test]
fn what_was_received_survives_a_broken_sending_side() {
    let mut server = Endpoint::new(Role::Server);
    server.send("lost").expect("open");
    server
        .connection
        .handle_send_failed(server.now, Loss::EndOfStream);
    assert!(!server.connection.is_open());
    assert_eq!(server.transmitted(), b"");
    server.receive_frames(&[wire::text("kept"), wire::ping("?")]);
    assert_eq!(server.messages(), ["kept".into()]);
    assert!(!server.connection.has_output(), "nobody takes a Pong");
    server.receive_end();
    assert_eq!(closed(&server).failure(), Some(&Failure::EndOfStream));
    assert_eq!(closed(&server).initiator(), Initiator::Peer);
}

/// The usual end of a peer that closes and is gone: the write fails, then its Close is read.
#[test]
fn a_close_that_cannot_be_answered_is_the_peers() {
    let mut server = Endpoint::new(Role::Server);
    server
        .connection
        .handle_send_failed(server.now, Loss::EndOfStream);
    server.receive_frames(&[wire::close(1001, "bye")]);
    server.receive_end();
    let closed = closed(&server);
    assert_eq!(closed.code(), CloseCode::GOING_AWAY);
    assert_eq!(closed.initiator(), Initiator::Peer);
    assert_eq!(closed.sent(), None);
    assert!(!closed.is_clean());
}

/// §7.1.4: a Close that never left was not sent, and what went before it is lost as well.
#[test]
fn a_close_that_never_left_was_not_sent() {
    for role in ROLES {
        let mut endpoint = Endpoint::new(role);
        close(&mut endpoint);
        endpoint.transmit_at_most(2);
        endpoint
            .connection
            .handle_send_failed(endpoint.now, Loss::EndOfStream);
        endpoint.receive_frames(&[wire::close(1000, "")]);
        endpoint.receive_end();
        assert_eq!(closed(&endpoint).sent(), None);
        assert!(!closed(&endpoint).is_clean());
    }
}

#[test]
fn an_answer_that_never_left_was_not_sent() {
    for role in ROLES {
        let mut endpoint = Endpoint::new(role);
        endpoint.receive_frames(&[wire::close(1000, "")]);
        endpoint
            .connection
            .handle_send_failed(endpoint.now, Loss::EndOfStream);
        endpoint.receive_end();
        assert_eq!(closed(&endpoint).sent(), None);
        assert_eq!(closed(&endpoint).initiator(), Initiator::Peer);
        assert!(!closed(&endpoint).is_clean());
    }
}

#[test]
fn a_close_that_left_before_the_break_was_sent() {
    for role in ROLES {
        let mut endpoint = Endpoint::new(role);
        close(&mut endpoint);
        endpoint.transmitted();
        endpoint
            .connection
            .handle_send_failed(endpoint.now, Loss::EndOfStream);
        endpoint.receive_frames(&[wire::close(1000, "")]);
        endpoint.receive_end();
        assert!(closed(&endpoint).is_clean());
        assert_eq!(closed(&endpoint).initiator(), Initiator::Local);
    }
}

#[test]
fn a_broken_sending_side_waits_for_the_end_no_longer_than_for_a_close() {
    let mut client = Endpoint::new(Role::Client);
    client
        .connection
        .handle_send_failed(client.now, Loss::EndOfStream);
    client.wait(Duration::from_secs(10));
    let failure = Failure::TimedOut(Overdue::Close);
    assert_eq!(closed(&client).failure(), Some(&failure));
}

#[test]
fn a_peer_that_ends_its_stream_behind_its_close_is_still_sent_what_waits() {
    let mut server = Endpoint::new(Role::Server);
    server.send(vec![7; 100]).expect("open");
    server.receive_frames(&[wire::close(1000, "")]);
    server.receive_end();
    assert_eq!(server.connection.closed(), None);
    assert_eq!(server.transmit_at_most(60).len(), 60);
    assert_eq!(server.connection.closed(), None);
    assert_eq!(server.transmitted().len(), 102 - 60 + 4);
    assert!(server.connection.closed().expect("closed").is_clean());
}

#[test]
fn a_peer_that_takes_nothing_after_its_end_is_not_waited_for_long() {
    let mut server = Endpoint::new(Role::Server);
    server.send("unsaid").expect("open");
    server.receive_frames(&[wire::close(1000, "")]);
    server.receive_end();
    server.wait(Duration::from_secs(10));
    assert!(server.connection.closed().is_some());
}
