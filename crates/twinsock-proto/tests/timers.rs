//! Deadlines: what is awaited, for how long, and what happens then.

use std::time::Duration;

use twinsock_proto::{
    CloseCode, CloseReason, Closed, ControlPayload, Failure, Initiator, Overdue, Role, Settings,
    Timing,
};
use twinsock_testkit::endpoint::Endpoint;
use twinsock_testkit::wire;

const SECOND: Duration = Duration::from_secs(1);

const NEVER: Timing = Timing {
    keep_alive: None,
    pong: None,
    unsolicited_pong: None,
    close: None,
    send: None,
    receive: None,
};

fn endpoint(role: Role, timing: Timing) -> Endpoint {
    let settings = Settings {
        timing,
        ..Settings::default()
    };
    Endpoint::with_settings(role, settings)
}

fn closed(endpoint: &Endpoint) -> &Closed {
    endpoint.connection.closed().expect("closed")
}

fn assert_timed_out(endpoint: &Endpoint, overdue: Overdue) {
    assert_eq!(
        closed(endpoint).failure(),
        Some(&Failure::TimedOut(overdue))
    );
    assert_eq!(closed(endpoint).initiator(), Initiator::Local);
    assert_eq!(endpoint.connection.poll_timeout(), None);
}

/// As the network does when it is full.
fn refuse_to_transmit(endpoint: &mut Endpoint) {
    assert!(endpoint.connection.poll_transmit().is_some());
    endpoint.connection.handle_transmitted(endpoint.now, 0);
}

#[test]
fn an_unanswered_close_is_given_up_after_its_time() {
    let mut client = Endpoint::new(Role::Client);
    let reason = CloseReason::new(CloseCode::NORMAL, "").expect("valid");
    client.connection.close(client.now, reason).expect("open");
    client.transmitted();
    client.wait(9 * SECOND);
    assert_eq!(client.connection.closed(), None);
    client.wait(SECOND);
    assert_timed_out(&client, Overdue::Close);
}

#[test]
fn bytes_that_are_no_close_do_not_prolong_the_wait_for_it() {
    let mut client = Endpoint::new(Role::Client);
    client
        .connection
        .close(client.now, CloseReason::empty())
        .expect("open");
    for _ in 0..10 {
        client.transmitted();
        client.wait(SECOND);
        client.receive_frames(&[wire::text("more"), wire::ping("there?")]);
    }
    assert_timed_out(&client, Overdue::Close);
}

#[test]
fn a_close_behind_a_long_queue_waits_while_the_queue_moves() {
    let mut client = Endpoint::new(Role::Client);
    client.send(vec![0; 100_000]).expect("open");
    client
        .connection
        .close(client.now, CloseReason::empty())
        .expect("open");
    for _ in 0..10 {
        client.wait(8 * SECOND);
        client.transmit_at_most(10_000);
    }
    assert_eq!(client.connection.closed(), None);
    client.transmitted();
    client.wait(9 * SECOND);
    client.receive_frames(&[wire::close_with_body("")]);
    client.receive_end();
    assert!(closed(&client).is_clean());
}

#[test]
fn a_close_behind_a_queue_that_stands_still_is_given_up() {
    let mut client = Endpoint::new(Role::Client);
    client.send(vec![0; 100_000]).expect("open");
    client
        .connection
        .close(client.now, CloseReason::empty())
        .expect("open");
    client.transmit_at_most(10_000);
    client.wait(10 * SECOND);
    assert_timed_out(&client, Overdue::Close);
    assert_eq!(closed(&client).sent(), None, "the Close never left");
}

#[test]
fn pongs_after_our_close_do_not_prolong_the_wait_for_the_peers() {
    let mut client = Endpoint::new(Role::Client);
    client
        .connection
        .close(client.now, CloseReason::empty())
        .expect("open");
    client.transmitted();
    for _ in 0..10 {
        client.wait(SECOND);
        client.receive_frames(&[wire::ping("")]);
        client.transmitted();
    }
    assert_timed_out(&client, Overdue::Close);
}

#[test]
fn the_end_of_the_stream_is_awaited_no_longer_than_the_close() {
    let mut client = Endpoint::new(Role::Client);
    client.receive_frames(&[wire::close(1000, "")]);
    client.transmitted();
    client.wait(9 * SECOND);
    client.receive(&[0xFF; 100]);
    assert_eq!(client.connection.closed(), None);
    client.wait(SECOND);
    assert!(closed(&client).is_clean());
    assert_eq!(client.connection.poll_timeout(), None);
}

#[test]
fn an_answer_that_nobody_took_in_time_was_not_sent() {
    let mut server = Endpoint::new(Role::Server);
    server.send("lost").expect("open");
    server.receive_frames(&[wire::close(1000, "")]);
    server.wait(10 * SECOND);
    assert_eq!(closed(&server).sent(), None);
    assert!(!closed(&server).is_clean());
    assert!(!server.connection.has_output());
}

#[test]
fn bytes_that_nobody_takes_fail_the_connection() {
    let mut server = Endpoint::new(Role::Server);
    server.send("hello").expect("open");
    refuse_to_transmit(&mut server);
    for _ in 0..29 {
        server.wait(SECOND);
        refuse_to_transmit(&mut server);
        server.receive_frames(&[wire::text("I talk but do not listen")]);
    }
    assert!(server.connection.is_open());
    server.wait(SECOND);
    assert_timed_out(&server, Overdue::Send);
}

#[test]
fn each_byte_taken_grants_the_full_time_again() {
    let mut server = endpoint(
        Role::Server,
        Timing {
            send: Some(30 * SECOND),
            ..NEVER
        },
    );
    server.send("hello").expect("open");
    refuse_to_transmit(&mut server);
    for _ in 0..6 {
        server.wait(29 * SECOND);
        server.transmit_at_most(1);
        assert!(server.connection.is_open());
    }
    server.transmitted();
    assert_eq!(server.connection.poll_timeout(), None);
}

#[test]
fn a_message_that_does_not_go_on_fails_the_connection() {
    let starts = [
        wire::text("hel").fragment().masked().bytes(),
        wire::text("hel").claims(5).masked().bytes(),
        b"\x81".to_vec(),
        wire::ping("hel").claims(5).masked().bytes(),
    ];
    for start in starts {
        let mut server = endpoint(
            Role::Server,
            Timing {
                receive: Some(30 * SECOND),
                ..NEVER
            },
        );
        server.receive(&start);
        server.wait(29 * SECOND);
        assert!(server.connection.is_open());
        server.wait(SECOND);
        assert_timed_out(&server, Overdue::Receive);
        let failure = Failure::TimedOut(Overdue::Receive).to_string();
        assert_eq!(server.transmitted_frames(), [wire::close(1011, failure)]);
    }
}

#[test]
fn between_messages_nothing_is_awaited() {
    let mut server = endpoint(
        Role::Server,
        Timing {
            receive: Some(30 * SECOND),
            ..NEVER
        },
    );
    server.receive(&wire::text("hel").fragment().masked().bytes());
    assert!(server.connection.poll_timeout().is_some());
    server.receive(&wire::continuation("lo").masked().bytes());
    assert_eq!(server.connection.poll_timeout(), None);
}

#[test]
fn a_silent_peer_is_pinged_then_given_up() {
    let mut server = Endpoint::new(Role::Server);
    server.wait(19 * SECOND);
    assert_eq!(server.transmitted(), b"");
    server.wait(SECOND);
    assert_eq!(server.transmitted_frames()[0].first_byte(), 0x89);
    server.wait(19 * SECOND);
    assert!(server.connection.is_open());
    server.wait(SECOND);
    assert_timed_out(&server, Overdue::Pong);
    assert_eq!(closed(&server).code(), CloseCode::ABNORMAL_CLOSURE);
}

#[test]
fn a_peer_that_was_not_listened_to_is_not_given_up() {
    let mut server = Endpoint::new(Role::Server);
    let bytes = wire::join(&[wire::text("one").masked(), wire::text("two").masked()]);
    bytes::BufMut::put_slice(&mut server.connection.receive_memory(), &bytes);
    server.connection.handle_received(server.now);
    assert!(server.connection.poll_event().is_some());
    // The application takes its time; until the second message is taken nothing more is read.
    server.wait(200 * SECOND);
    server.transmitted();
    assert!(server.connection.is_open());
    server.take_events();
    assert_eq!(server.messages(), ["two".into()]);
    server.wait(40 * SECOND);
    assert_timed_out(&server, Overdue::Pong);
}

#[test]
fn a_closed_connection_has_no_deadline() {
    let mut server = Endpoint::new(Role::Server);
    server.send("hello").expect("open");
    refuse_to_transmit(&mut server);
    server.receive_end();
    assert_eq!(
        closed(&server).failure(),
        Some(&Failure::EndOfStream),
        "closed"
    );
    refuse_to_transmit(&mut server);
    assert_eq!(server.connection.poll_timeout(), None);
}

#[test]
fn without_timers_nothing_is_ever_due() {
    let mut client = endpoint(Role::Client, NEVER);
    client.send("hello").expect("open");
    refuse_to_transmit(&mut client);
    client.receive(b"\x01\x05he");
    assert_eq!(client.connection.poll_timeout(), None);
    let payload = ControlPayload::new(b"?").expect("short");
    client.connection.ping(client.now, payload).expect("open");
    assert_eq!(client.connection.poll_timeout(), None);
    client
        .connection
        .close(client.now, CloseReason::empty())
        .expect("open");
    assert_eq!(client.connection.poll_timeout(), None);
}

#[test]
fn a_time_too_long_to_be_added_up_never_comes() {
    let forever = Some(Duration::MAX);
    let timing = Timing {
        keep_alive: forever,
        pong: forever,
        unsolicited_pong: forever,
        close: forever,
        send: forever,
        receive: forever,
    };
    let mut client = endpoint(Role::Client, timing);
    assert_eq!(client.connection.poll_timeout(), None);
    client.send("hello").expect("open");
    refuse_to_transmit(&mut client);
    client.receive(b"\x01\x05he");
    let payload = ControlPayload::new(b"?").expect("short");
    client.connection.ping(client.now, payload).expect("open");
    client
        .connection
        .close(client.now, CloseReason::empty())
        .expect("open");
    client.connection.handle_timeout(client.now);
    assert_eq!(client.connection.poll_timeout(), None);
}

#[test]
fn times_of_zero_are_due_at_once_and_end() {
    let now = Some(Duration::ZERO);
    let timing = Timing {
        keep_alive: now,
        pong: now,
        unsolicited_pong: now,
        close: now,
        send: now,
        receive: now,
    };
    let mut client = endpoint(Role::Client, timing);
    client.wait(Duration::ZERO);
    assert_timed_out(&client, Overdue::Pong);
}

#[test]
fn a_clock_that_goes_backwards_does_no_harm() {
    let mut server = Endpoint::new(Role::Server);
    server.wait(20 * SECOND);
    server.now -= 10 * SECOND;
    let ping = server.transmitted_frames();
    server.receive_frames(&[wire::pong(ping[0].payload())]);
    assert_eq!(
        server.connection.round_trip_time(),
        Some(Duration::ZERO),
        "never negative"
    );
}

fn unsolicited(interval: Duration) -> Timing {
    Timing {
        unsolicited_pong: Some(interval),
        ..NEVER
    }
}

#[test]
fn no_pong_goes_out_unasked_by_default() {
    let mut server = Endpoint::new(Role::Server);
    assert_eq!(server.connection.unsolicited_pong_interval(), None);
    for _ in 0..10 {
        server.wait(15 * SECOND);
        server.receive_frames(&[wire::text("here")]);
    }
    assert_eq!(server.transmitted(), b"");
}

#[test]
fn an_unsolicited_pong_goes_out_each_interval() {
    for role in [Role::Client, Role::Server] {
        let mut endpoint = endpoint(role, unsolicited(10 * SECOND));
        for _ in 0..5 {
            endpoint.wait(9 * SECOND);
            assert_eq!(endpoint.transmitted(), b"");
            endpoint.wait(SECOND);
            assert_eq!(endpoint.transmitted_frames(), [wire::pong("")]);
        }
        assert!(endpoint.connection.is_open(), "no answer is expected");
    }
}

#[test]
fn traffic_does_not_put_off_an_unsolicited_pong() {
    let mut client = endpoint(Role::Client, unsolicited(10 * SECOND));
    client.wait(9 * SECOND);
    client.receive_frames(&[wire::ping("a"), wire::text("b")]);
    client.send("c").expect("open");
    client.wait(SECOND);
    let expected = [wire::pong("a"), wire::text("c"), wire::pong("")];
    assert_eq!(client.transmitted_frames(), expected);
    assert_eq!(client.messages(), ["b".into()]);
}

#[test]
fn unsolicited_pongs_neither_replace_pings_nor_put_them_off() {
    let timing = Timing {
        unsolicited_pong: Some(15 * SECOND),
        ..Timing::default()
    };
    let mut server = endpoint(Role::Server, timing);
    server.wait(15 * SECOND);
    assert_eq!(server.transmitted_frames(), [wire::pong("")]);
    server.wait(5 * SECOND);
    assert_eq!(server.transmitted_frames()[0].first_byte(), 0x89);
    server.wait(10 * SECOND);
    assert_eq!(server.transmitted_frames(), [wire::pong("")]);
    server.wait(10 * SECOND);
    assert_timed_out(&server, Overdue::Pong);
}

#[test]
fn while_one_unsolicited_pong_waits_there_is_no_other() {
    let mut client = endpoint(Role::Client, unsolicited(SECOND));
    client.send(vec![0; 1_000]).expect("open");
    client.wait(SECOND);
    client.transmit_at_most(1_009);
    for _ in 0..3 {
        client.wait(SECOND);
        client.connection.send_unsolicited_pong().expect("open");
        assert_eq!(client.transmit_at_most(1).len(), 1, "a part of it");
    }
    client.wait(10 * SECOND);
    assert_eq!(client.transmitted().len(), 2, "the rest of it");
    client.wait(SECOND);
    assert_eq!(client.transmitted_frames(), [wire::pong("")]);
}

#[test]
fn what_was_missed_is_not_made_up_for() {
    let mut server = endpoint(Role::Server, unsolicited(SECOND));
    for _ in 0..2 {
        server.now += 100 * SECOND;
        server.connection.handle_timeout(server.now);
        assert_eq!(server.transmitted_frames(), [wire::pong("")]);
        server.connection.handle_timeout(server.now);
        assert_eq!(server.transmitted(), b"");
    }
    assert_eq!(server.connection.poll_timeout(), Some(server.now + SECOND));
}

#[test]
fn an_interval_below_a_second_is_a_second() {
    for (interval, actual) in [
        (Duration::ZERO, SECOND),
        (SECOND / 2, SECOND),
        (SECOND, SECOND),
        (Duration::MAX, Duration::MAX),
    ] {
        let client = endpoint(Role::Client, unsolicited(interval));
        let connection = &client.connection;
        assert_eq!(connection.unsolicited_pong_interval(), Some(actual));
        let deadline = connection.poll_timeout();
        assert_eq!(deadline, client.now.checked_add(actual));
    }
}

#[test]
fn a_connection_that_closes_sends_no_unsolicited_pong() {
    let mut client = endpoint(Role::Client, unsolicited(SECOND));
    let reason = CloseReason::new(CloseCode::NORMAL, "").expect("valid");
    client.connection.close(client.now, reason).expect("open");
    assert!(client.connection.send_unsolicited_pong().is_err());
    client.wait(10 * SECOND);
    assert_eq!(client.transmitted_frames(), [wire::close(1000, "")]);
    assert_eq!(client.connection.poll_timeout(), None);
}
