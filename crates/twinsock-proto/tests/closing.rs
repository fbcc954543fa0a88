//! The closing handshake (RFC 6455 §5.5.1, §7).

use std::time::Duration;

use twinsock_proto::{
    CloseCode, CloseReason, Closed, Failure, Initiator, Loss, NotOpen, Overdue, Role, SendError,
    Violation,
};
use twinsock_testkit::endpoint::Endpoint;
use twinsock_testkit::pair::Pair;
use twinsock_testkit::wire;

const ROLES: [Role; 2] = [Role::Client, Role::Server];

fn reason(code: u16, text: &str) -> CloseReason {
    CloseReason::new(CloseCode::from(code), text).expect("valid")
}

fn close(endpoint: &mut Endpoint, reason: CloseReason) -> Result<(), NotOpen> {
    endpoint.connection.close(endpoint.now, reason)
}

fn closed(endpoint: &Endpoint) -> &Closed {
    endpoint.connection.closed().expect("closed")
}

// ---- the peer begins ----

/// §5.5.1: a Close is answered with a Close that echoes the code.
#[test]
fn the_peers_close_is_answered_with_its_code() {
    for role in ROLES {
        for code in [1000, 1001, 1003, 1007, 1011, 1014, 3000, 4999] {
            let mut endpoint = Endpoint::new(role);
            endpoint.receive_frames(&[wire::close(code, "the peer's reason")]);
            assert!(!endpoint.connection.is_open());
            assert_eq!(endpoint.transmitted_frames(), [wire::close(code, "")]);
            endpoint.receive_end();
            let closed = closed(&endpoint);
            assert!(closed.is_clean());
            assert_eq!(closed.initiator(), Initiator::Peer);
            assert_eq!(closed.code().value(), code);
            assert_eq!(closed.reason(), "the peer's reason");
        }
    }
}

/// §5.5.1: a Close may be empty; §7.1.5: its code then counts as 1005, which is never sent.
#[test]
fn an_empty_close_is_answered_with_an_empty_one() {
    for role in ROLES {
        let mut endpoint = Endpoint::new(role);
        endpoint.receive_frames(&[wire::close_with_body("")]);
        assert_eq!(endpoint.transmitted_frames(), [wire::close_with_body("")]);
        endpoint.receive_end();
        assert_eq!(closed(&endpoint).code(), CloseCode::NO_STATUS_RECEIVED);
        assert_eq!(closed(&endpoint).reason(), "");
        assert!(closed(&endpoint).is_clean());
    }
}

/// §5.5.1: what follows the peer's Close is ignored, even a violation.
#[test]
fn data_after_the_peers_close_is_ignored() {
    for role in ROLES {
        let mut endpoint = Endpoint::new(role);
        endpoint.receive_frames(&[wire::close(1000, ""), wire::text("late")]);
        endpoint.receive(b"\xFF\xFF\xFF\xFF");
        endpoint.receive_frames(&[wire::close(1001, "again")]);
        assert_eq!(endpoint.messages(), []);
        assert_eq!(endpoint.transmitted_frames(), [wire::close(1000, "")]);
        endpoint.receive_end();
        assert_eq!(closed(&endpoint).code(), CloseCode::NORMAL);
        assert!(closed(&endpoint).is_clean());
    }
}

/// §5.5.1: the answer may wait until the messages under way are sent.
#[test]
fn the_answer_goes_behind_the_messages_that_wait() {
    let mut server = Endpoint::new(Role::Server);
    server.send("one").expect("open");
    server.receive_frames(&[wire::close(1000, "")]);
    assert_eq!(server.send("two"), Err(SendError::NotOpen));
    let frames = server.transmitted_frames();
    assert_eq!(frames, [wire::text("one"), wire::close(1000, "")]);
}

// ---- this endpoint begins ----

/// §7.1.2: a code and a text, or nothing.
#[test]
fn our_close_carries_its_code_and_text() {
    for role in ROLES {
        for (reason, frame) in [
            (reason(1000, "done"), wire::close(1000, "done")),
            (reason(4000, ""), wire::close(4000, "")),
            (CloseReason::empty(), wire::close_with_body("")),
        ] {
            let mut endpoint = Endpoint::new(role);
            close(&mut endpoint, reason).expect("open");
            assert_eq!(endpoint.transmitted_frames(), [frame]);
            assert!(!endpoint.has_ended());
        }
    }
}

/// §7.1.4: when both are exchanged, the close is clean; §7.1.5: the code is the peer's.
#[test]
fn the_peers_answer_ends_the_handshake() {
    for role in ROLES {
        let mut endpoint = Endpoint::new(role);
        close(&mut endpoint, reason(1000, "done")).expect("open");
        endpoint.transmitted();
        endpoint.receive_frames(&[wire::close(1001, "me too")]);
        assert_eq!(endpoint.transmitted_frames(), []);
        endpoint.receive_end();
        let closed = closed(&endpoint);
        assert!(closed.is_clean());
        assert_eq!(closed.initiator(), Initiator::Local);
        assert_eq!(closed.code(), CloseCode::GOING_AWAY);
        assert_eq!(closed.reason(), "me too");
        assert_eq!(closed.sent(), Some(&reason(1000, "done")));
    }
}

/// §5.5.1: no data frame after our Close.
#[test]
fn nothing_can_be_sent_after_our_close() {
    for role in ROLES {
        let mut endpoint = Endpoint::new(role);
        close(&mut endpoint, reason(1000, "")).expect("open");
        assert_eq!(endpoint.send("late"), Err(SendError::NotOpen));
        assert_eq!(
            endpoint.connection.send_text("late"),
            Err(SendError::NotOpen)
        );
        assert_eq!(
            endpoint.connection.send_binary(b"late"),
            Err(SendError::NotOpen)
        );
        assert_eq!(close(&mut endpoint, reason(1001, "")), Err(NotOpen));
        assert_eq!(endpoint.transmitted_frames(), [wire::close(1000, "")]);
    }
}

/// §5.5.1: what was queued before goes before.
#[test]
fn messages_queued_before_our_close_precede_it() {
    let mut server = Endpoint::new(Role::Server);
    server.send("one").expect("open");
    close(&mut server, reason(1000, "")).expect("open");
    let frames = server.transmitted_frames();
    assert_eq!(frames, [wire::text("one"), wire::close(1000, "")]);
}

/// §1.4: until the peer's Close, its messages still come.
#[test]
fn messages_after_our_close_are_received_until_the_peers() {
    for role in ROLES {
        let mut endpoint = Endpoint::new(role);
        close(&mut endpoint, reason(1000, "")).expect("open");
        endpoint.receive_frames(&[
            wire::text("one"),
            wire::text("two"),
            wire::close(1000, ""),
            wire::text("three"),
        ]);
        assert_eq!(endpoint.messages(), ["one".into(), "two".into()]);
    }
}

/// §7.1.7 holds after our Close too; the peer cannot be told a second time (§5.5.1).
#[test]
fn a_violation_after_our_close_fails_the_connection() {
    for role in ROLES {
        let mut endpoint = Endpoint::new(role);
        close(&mut endpoint, reason(1000, "")).expect("open");
        endpoint.receive_frames(&[wire::ping("a"), wire::frame(0x83, "")]);
        let frames = endpoint.transmitted_frames();
        assert_eq!(frames, [wire::close(1000, ""), wire::pong("a")]);
        assert!(endpoint.has_ended());
        endpoint.receive_end();
        let violation = Violation::UnknownOpcode(3);
        assert_eq!(closed(&endpoint).failure(), Some(&violation.into()));
        assert_eq!(closed(&endpoint).sent(), Some(&reason(1000, "")));
        assert!(!closed(&endpoint).is_clean());
    }
}

// ---- held until the application is ready ----

/// §5.5.1 lets the answer wait: what came before the peer's Close is still replied to.
#[test]
fn a_close_that_is_read_ahead_is_answered_when_the_application_goes_on() {
    for role in ROLES {
        let mut endpoint = Endpoint::new(role);
        endpoint.deliver_frames(&[
            wire::text("last"),
            wire::close(1000, ""),
            wire::text("late"),
        ]);
        assert!(endpoint.connection.poll_event_ahead().is_some());
        assert!(endpoint.connection.poll_event_ahead().is_none());
        assert!(endpoint.connection.holds_close());
        assert!(endpoint.connection.is_open());
        endpoint.send("reply").expect("open");
        assert!(endpoint.connection.poll_event().is_none());
        assert!(!endpoint.connection.holds_close());
        let frames = endpoint.transmitted_frames();
        assert_eq!(frames, [wire::text("reply"), wire::close(1000, "")]);
        assert!(!endpoint.connection.is_open());
    }
}

/// §7.1.3: whose Close was first, also when ours came before the application knew of it.
#[test]
fn closing_while_a_close_is_held_answers_it() {
    for role in ROLES {
        let mut endpoint = Endpoint::new(role);
        endpoint.deliver_frames(&[wire::close(1001, "")]);
        assert!(endpoint.connection.poll_event_ahead().is_none());
        close(&mut endpoint, reason(1000, "mine")).expect("open");
        assert_eq!(endpoint.transmitted_frames(), [wire::close(1001, "")]);
        endpoint.receive_end();
        assert_eq!(closed(&endpoint).initiator(), Initiator::Peer);
        assert!(closed(&endpoint).is_clean());
    }
}

/// The end of the stream behind a held Close is no failure.
#[test]
fn a_held_close_is_clean_even_when_the_stream_has_ended() {
    for role in ROLES {
        let mut endpoint = Endpoint::new(role);
        endpoint.deliver_frames(&[wire::close(1001, "")]);
        assert!(endpoint.connection.poll_event_ahead().is_none());
        endpoint.connection.handle_end_of_stream(endpoint.now);
        assert!(endpoint.connection.poll_event_ahead().is_none());
        assert!(endpoint.connection.poll_event().is_none());
        endpoint.transmitted();
        assert!(closed(&endpoint).is_clean());
    }
}

/// The peer's Close is the end, whatever becomes of the answer.
#[test]
fn a_held_close_that_cannot_be_answered_any_more_is_the_end() {
    for role in ROLES {
        let mut endpoint = Endpoint::new(role);
        endpoint.deliver_frames(&[wire::close(1001, "")]);
        assert!(endpoint.connection.poll_event_ahead().is_none());
        let now = endpoint.now;
        endpoint.connection.handle_end_of_stream(now);
        endpoint.connection.handle_send_failed(now, Loss::Reset);
        assert_eq!(closed(&endpoint).code(), CloseCode::GOING_AWAY);
        assert_eq!(closed(&endpoint).sent(), None);
        assert_eq!(closed(&endpoint).failure(), None);
    }
}

/// Nothing can be replied behind our own Close, so there is nothing to wait for.
#[test]
fn a_close_behind_our_own_is_not_held() {
    for role in ROLES {
        let mut endpoint = Endpoint::new(role);
        let now = endpoint.now;
        let sent = endpoint.connection.close_sending(now, reason(1000, ""));
        sent.expect("open");
        endpoint.deliver_frames(&[wire::close(1000, "")]);
        assert!(endpoint.connection.poll_event_ahead().is_none());
        assert!(!endpoint.connection.holds_close());
        endpoint.transmitted();
        endpoint.receive_end();
        assert!(closed(&endpoint).is_clean());
    }
}

// ---- both begin ----

/// §7.1.3: both Closes cross; neither is answered.
#[test]
fn closes_that_cross_answer_each_other() {
    let mut pair = Pair::new();
    close(&mut pair.client, reason(1000, "client")).expect("open");
    close(&mut pair.server, reason(1001, "server")).expect("open");
    pair.settle();
    assert_eq!(closed(&pair.client).reason(), "server");
    assert_eq!(closed(&pair.server).reason(), "client");
    for endpoint in [&pair.client, &pair.server] {
        assert!(closed(endpoint).is_clean());
        assert_eq!(closed(endpoint).initiator(), Initiator::Local);
    }
}

// ---- what a Close frame may say ----

/// §7.4: codes that are reserved or undefined are not accepted.
#[test]
fn codes_that_must_not_be_sent_are_refused() {
    for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, u16::MAX] {
        let violation = Violation::InvalidCloseCode(CloseCode::from(code));
        assert_refused(&wire::close(code, ""), violation);
    }
}

/// §5.5.1: a body has at least the two bytes of the code.
#[test]
fn half_a_code_is_refused() {
    assert_refused(&wire::close_with_body([3]), Violation::CloseTooShort);
}

/// §5.5.1: the text is UTF-8.
#[test]
fn a_text_that_is_not_utf8_is_refused() {
    for text in [&b"\xFF"[..], b"good \xC3", b"\xED\xA0\x80"] {
        assert_refused(&wire::close(1000, text), Violation::CloseTextNotUtf8);
    }
}

fn assert_refused(frame: &wire::Frame, violation: Violation) {
    for role in ROLES {
        let mut endpoint = Endpoint::new(role);
        endpoint.receive_frames(std::slice::from_ref(frame));
        let close = wire::close(violation.close_code().value(), violation.to_string());
        assert_eq!(endpoint.transmitted_frames(), [close]);
        endpoint.receive_end();
        assert_eq!(closed(&endpoint).failure(), Some(&violation.into()));
        assert_eq!(closed(&endpoint).code(), CloseCode::ABNORMAL_CLOSURE);
    }
}

/// §7.4.1, §5.5: the same rules for what we send.
#[test]
fn a_reason_that_no_close_can_carry_cannot_be_made() {
    for code in [0, 999, 1004, 1005, 1006, 1015, 5000] {
        assert!(CloseReason::new(CloseCode::from(code), "").is_err());
    }
    assert!(CloseReason::new(CloseCode::NORMAL, &"x".repeat(123)).is_ok());
    assert!(CloseReason::new(CloseCode::NORMAL, &"x".repeat(124)).is_err());
}

/// §5.5: a Close of 125 bytes is received whole.
#[test]
fn the_longest_text_is_received() {
    let text = "x".repeat(123);
    let mut server = Endpoint::new(Role::Server);
    server.receive_frames(&[wire::close(1000, &text)]);
    server.receive_end();
    assert_eq!(closed(&server).reason(), text);
}

// ---- who ends the TCP connection ----

/// §7.1.1: the server ends the stream first, whoever began.
#[test]
fn a_server_ends_the_stream_once_both_closes_are_exchanged() {
    let mut server = Endpoint::new(Role::Server);
    server.receive_frames(&[wire::close(1000, "")]);
    server.transmitted();
    assert!(server.has_ended());

    let mut server = Endpoint::new(Role::Server);
    close(&mut server, reason(1000, "")).expect("open");
    server.transmitted();
    assert!(!server.has_ended());
    server.receive_frames(&[wire::close(1000, "")]);
    server.transmitted();
    assert!(server.has_ended());
    assert_eq!(server.connection.closed(), None, "the peer's end is due");
}

/// §7.1.1: the client waits for the server to end the stream.
#[test]
fn a_client_waits_for_the_server_to_end_the_stream() {
    let mut client = Endpoint::new(Role::Client);
    client.receive_frames(&[wire::close(1000, "")]);
    client.transmitted();
    assert!(!client.has_ended());
    assert_eq!(client.connection.closed(), None);
    client.receive_end();
    assert!(closed(&client).is_clean());
}

/// §7.1.1: not before its own Close is out.
#[test]
fn the_stream_ends_behind_all_that_waits() {
    let mut server = Endpoint::new(Role::Server);
    server.send(vec![7; 100_000]).expect("open");
    server.receive_frames(&[wire::close(1000, "")]);
    while server.transmit_at_most(30_000).len() == 30_000 {
        assert!(!server.has_ended());
    }
    assert!(server.has_ended());
}

/// §7.1.7: who fails the connection ends it, a client too.
#[test]
fn whoever_fails_the_connection_ends_the_stream() {
    for role in ROLES {
        let mut endpoint = Endpoint::new(role);
        endpoint.receive_frames(&[wire::frame(0x83, "")]);
        endpoint.transmitted();
        assert!(endpoint.has_ended());
    }
}

/// §7.1.7: after a failure nothing of what comes is looked at.
#[test]
fn what_comes_after_a_failure_is_ignored() {
    for role in ROLES {
        let mut endpoint = Endpoint::new(role);
        endpoint.receive_frames(&[
            wire::frame(0x83, ""),
            wire::text("late"),
            wire::close(1000, "late"),
        ]);
        assert_eq!(endpoint.transmitted_frames().len(), 1);
        assert_eq!(endpoint.messages(), []);
        endpoint.receive_end();
        assert_eq!(closed(&endpoint).received(), None);
    }
}

// ---- a pair ----

#[test]
fn either_end_of_a_pair_can_close() {
    for piece in [1, 2, 3, usize::MAX] {
        for role in ROLES {
            let mut pair = Pair::new();
            let opener = match role {
                Role::Client => &mut pair.client,
                Role::Server => &mut pair.server,
            };
            close(opener, reason(1000, "done")).expect("open");
            pair.settle_in_pieces(piece);
            for endpoint in [&pair.client, &pair.server] {
                assert!(closed(endpoint).is_clean());
                assert_eq!(closed(endpoint).code(), CloseCode::NORMAL);
                let began = endpoint.connection.role() == role;
                assert_eq!(closed(endpoint).initiator() == Initiator::Local, began);
            }
        }
    }
}

/// A peer that neither answers nor ends keeps nobody waiting.
#[test]
fn a_silent_peer_keeps_no_closing_endpoint_waiting() {
    for role in ROLES {
        let mut endpoint = Endpoint::new(role);
        close(&mut endpoint, reason(1000, "")).expect("open");
        endpoint.transmitted();
        endpoint.wait(Duration::from_secs(10));
        let failure = Failure::TimedOut(Overdue::Close);
        assert_eq!(closed(&endpoint).failure(), Some(&failure));
        assert_eq!(closed(&endpoint).code(), CloseCode::ABNORMAL_CLOSURE);
        assert_eq!(closed(&endpoint).sent(), Some(&reason(1000, "")));
    }
}
