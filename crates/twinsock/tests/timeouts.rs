//! Each timeout names itself, comes when it is due and not before.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::{Instant, sleep};
use twinsock::{
    AcceptOptions, CloseCode, Error, ErrorKind, Listener, Message, MessageWebSocket, Timeout,
    Timeouts,
};
use twinsock_testkit::raw::{RawPeer, read_head};
use twinsock_testkit::sockets::{PATIENT, URI, client_of_raw, pair_with, server_of_raw};
use twinsock_testkit::wire;

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3_600);

/// Waits for an error that is a timeout and comes on the second.
async fn assert_times_out<T: std::fmt::Debug>(
    timeout: Timeout,
    after: Duration,
    action: impl Future<Output = Result<T, Error>>,
) {
    let start = Instant::now();
    let error = action.await.expect_err("too late");
    assert_eq!(error.kind(), ErrorKind::Timeout(timeout));
    assert!(error.is_timeout());
    let waited = start.elapsed();
    assert!(
        waited >= after && waited < after + SECOND,
        "{timeout:?} after {waited:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_server_that_says_nothing_is_a_handshake_timeout() {
    let (near, _far) = duplex(1024);
    let timeouts = Timeouts {
        handshake: 5 * SECOND,
        ..PATIENT
    };
    let builder = MessageWebSocket::builder().timeouts(timeouts);
    assert_times_out(
        Timeout::Handshake,
        5 * SECOND,
        builder.connect_over(near, URI),
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_server_that_goes_on_and_on_with_its_head_is_a_handshake_timeout() {
    let (near, mut far) = duplex(1024);
    let dripping = tokio::spawn(async move {
        read_head(&mut far).await?;
        far.write_all(b"HTTP/1.1 101 Switching Protocols\r\nX: ")
            .await?;
        loop {
            sleep(SECOND).await;
            far.write_all(b"x").await?;
        }
        #[expect(unreachable_code, reason = "it names the type of the error")]
        Ok::<(), io::Error>(())
    });
    let timeouts = Timeouts {
        handshake: 5 * SECOND,
        ..PATIENT
    };
    let builder = MessageWebSocket::builder().timeouts(timeouts);
    assert_times_out(
        Timeout::Handshake,
        5 * SECOND,
        builder.connect_over(near, URI),
    )
    .await;
    dripping.abort();
}

#[tokio::test(start_paused = true)]
async fn a_refusal_whose_body_drips_in_is_a_refusal_all_the_same() {
    let (near, mut far) = duplex(1024);
    let dripping = tokio::spawn(async move {
        read_head(&mut far).await?;
        far.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 1000\r\n\r\n")
            .await?;
        loop {
            sleep(SECOND / 2).await;
            far.write_all(b"x").await?;
        }
        #[expect(unreachable_code, reason = "it names the type of the error")]
        Ok::<(), io::Error>(())
    });
    let timeouts = Timeouts {
        handshake: 5 * SECOND,
        ..PATIENT
    };
    let builder = MessageWebSocket::builder().timeouts(timeouts);
    let error = builder.connect_over(near, URI).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::HandshakeRefused);
    assert_eq!(error.response().expect("a response").status(), 403);
    dripping.abort();
}

#[tokio::test]
async fn a_server_that_accepts_nothing_is_a_handshake_timeout_until_its_backlog_is_full() {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind(([127, 0, 0, 1], 0).into()).expect("a port");
    let listener = socket.listen(0).expect("a backlog of hardly anything");
    let address = listener.local_addr().expect("bound");
    let mut backlog = Vec::new();
    for timeouts in [
        Timeouts {
            connect: SECOND / 10,
            handshake: SECOND / 10,
            ..PATIENT
        },
        Timeouts {
            overall: Some(SECOND / 10),
            ..PATIENT
        },
    ] {
        let connect = async || {
            let builder = MessageWebSocket::builder().timeouts(timeouts);
            let opened = builder.connect(&format!("ws://{address}/")).await;
            opened.unwrap_err().kind()
        };
        if backlog.is_empty() {
            assert_eq!(connect().await, ErrorKind::Timeout(Timeout::Handshake));
        }
        for _ in 0..10 {
            let filling = TcpStream::connect(address);
            backlog.push(tokio::time::timeout(SECOND / 100, filling).await);
        }
        assert_eq!(connect().await, ErrorKind::Timeout(Timeout::Connect));
    }
}

#[tokio::test]
async fn a_client_that_gives_up_leaves_no_connection_behind() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let uri = format!("ws://{}/", listener.local_addr().expect("bound"));
    let short = SECOND / 10;
    for (timeouts, patience) in [
        (
            Timeouts {
                handshake: short,
                ..PATIENT
            },
            HOUR,
        ),
        (
            Timeouts {
                overall: Some(short),
                ..PATIENT
            },
            HOUR,
        ),
        (PATIENT, short),
    ] {
        let builder = MessageWebSocket::builder().timeouts(timeouts);
        let connecting = tokio::time::timeout(patience, builder.connect(&uri));
        let ((), opened) = tokio::join!(assert_connection_ends(&listener), connecting);
        let timeout = ErrorKind::Timeout(Timeout::Handshake);
        match opened {
            Ok(opened) => assert_eq!(opened.unwrap_err().kind(), timeout),
            Err(_) => assert_eq!(patience, short),
        }
    }
}

/// Accepts a client, never answers it, and sees it go.
async fn assert_connection_ends(listener: &TcpListener) {
    let (mut stream, _) = listener.accept().await.expect("a client");
    read_head(&mut stream).await.expect("a request");
    assert_eq!(stream.read(&mut [0; 1]).await.expect("an end"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_says_nothing_is_a_handshake_timeout() {
    let (near, _far) = duplex(1024);
    let timeouts = Timeouts {
        accept: 5 * SECOND,
        ..PATIENT
    };
    let options = AcceptOptions::new().timeouts(timeouts);
    assert_times_out(Timeout::Handshake, 5 * SECOND, options.accept(near)).await;
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_takes_no_bytes_is_a_send_timeout() {
    let timeouts = Timeouts {
        send: Some(5 * SECOND),
        ..PATIENT
    };
    let (client, _raw) = client_of_raw(timeouts, 1024).await.expect("a pair");
    client.send(vec![0; 100_000]).await.expect("room");
    assert_times_out(Timeout::Send, 5 * SECOND, client.send("no room")).await;
    let error = client.receive().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout(Timeout::Send));
}

#[cfg(any(target_os = "linux", target_os = "android"))]
#[tokio::test]
async fn a_peer_that_takes_no_bytes_from_the_system_is_lost() {
    let timeouts = Timeouts {
        send: Some(SECOND / 10),
        ..PATIENT
    };
    let options = AcceptOptions::new()
        .timeouts(timeouts)
        .outbound_buffer_size(1 << 20);
    let listener = Listener::bind("127.0.0.1:0").await.expect("a port");
    let listener = listener.with_options(options);
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4_096).expect("a small window");
    let connecting = async {
        let stream = socket.connect(listener.local_address()).await;
        RawPeer::client(stream.expect("a listener")).await
    };
    let accepting = async { listener.accept().await?.accept().await };
    let (server, _raw) = tokio::join!(accepting, connecting);
    let server = server.expect("a client");
    server.send_binary(&[0; 60_000]).await.expect("room");
    server.flush().await.expect("all is with the system");
    let received = tokio::time::timeout(30 * SECOND, server.receive()).await;
    let error = received.expect("noticed soon").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout(Timeout::Send));
}

#[tokio::test(start_paused = true)]
async fn a_send_timeout_needs_no_caller_that_waits() {
    let timeouts = Timeouts {
        send: Some(5 * SECOND),
        ..PATIENT
    };
    let (client, _raw) = client_of_raw(timeouts, 1024).await.expect("a pair");
    client.send(vec![0; 10_000]).await.expect("room");
    sleep(6 * SECOND).await;
    assert!(client.closed().is_some());
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_takes_bytes_slowly_is_no_timeout() {
    let timeouts = Timeouts {
        send: Some(5 * SECOND),
        ..PATIENT
    };
    let (client, mut raw) = client_of_raw(timeouts, 1024).await.expect("a pair");
    client.send(vec![0; 20_000]).await.expect("room");
    let (flushed, ()) = tokio::join!(client.flush(), async {
        let mut piece = [0; 1024];
        for _ in 0..20 {
            sleep(4 * SECOND).await;
            let taken = raw.stream.read(&mut piece).await.expect("open");
            assert!(taken > 0);
        }
    });
    flushed.expect("slow is not dead");
}

#[tokio::test(start_paused = true)]
async fn a_message_that_does_not_go_on_is_a_receive_timeout() {
    for begun in [
        wire::text("half").fragment(),
        wire::binary("half").claims(100),
    ] {
        let timeouts = Timeouts {
            receive: Some(5 * SECOND),
            close: SECOND,
            ..PATIENT
        };
        let (server, mut raw) = server_of_raw(timeouts, 1024).await.expect("a pair");
        raw.send(&[begun]).await.expect("open");
        assert_times_out(Timeout::Receive, 5 * SECOND, server.receive()).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_that_goes_on_slowly_is_no_timeout() {
    let timeouts = Timeouts {
        receive: Some(5 * SECOND),
        ..PATIENT
    };
    let (server, mut raw) = server_of_raw(timeouts, 1024).await.expect("a pair");
    let (received, ()) = tokio::join!(server.receive(), async {
        for byte in wire::text("slow").masked().bytes() {
            sleep(4 * SECOND).await;
            raw.stream.write_all(&[byte]).await.expect("open");
        }
    });
    assert_eq!(received.expect("open"), Some(Message::from("slow")));
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_answers_no_ping_is_a_pong_timeout() {
    let timeouts = Timeouts {
        keep_alive: Some(20 * SECOND),
        pong: Some(5 * SECOND),
        close: SECOND,
        ..PATIENT
    };
    let (client, mut raw) = client_of_raw(timeouts, 1024).await.expect("a pair");
    assert_times_out(Timeout::Pong, 25 * SECOND, client.receive()).await;
    let ping = raw.receive().await.expect("open").expect("a ping");
    assert_eq!(ping.first_byte(), 0x89);
}

#[tokio::test(start_paused = true)]
async fn unsolicited_pongs_go_out_on_the_second_while_a_client_receives() {
    let (near, far) = duplex(1024);
    let builder = MessageWebSocket::builder()
        .unsolicited_pong_interval(10 * SECOND)
        .timeouts(PATIENT);
    let (client, raw) = tokio::join!(builder.connect_over(near, URI), RawPeer::server(far));
    assert_unsolicited_pongs(client.expect("a server"), raw.expect("a client")).await;
}

#[tokio::test(start_paused = true)]
async fn unsolicited_pongs_go_out_on_the_second_while_a_server_receives() {
    let (near, far) = duplex(1024);
    let options = AcceptOptions::new()
        .unsolicited_pong_interval(10 * SECOND)
        .timeouts(PATIENT);
    let (server, raw) = tokio::join!(options.accept(near), RawPeer::client(far));
    assert_unsolicited_pongs(server.expect("a client"), raw.expect("a server")).await;
}

async fn assert_unsolicited_pongs(socket: MessageWebSocket, mut raw: RawPeer<DuplexStream>) {
    assert_eq!(socket.actual_unsolicited_pong_interval(), Some(10 * SECOND));
    let receiving = tokio::spawn(async move { socket.receive().await });
    let mut last = Instant::now();
    for _ in 0..5 {
        let frame = raw.receive().await.expect("open");
        assert_eq!(frame, Some(wire::pong("")));
        let waited = last.elapsed();
        assert!(
            waited >= 10 * SECOND && waited < 11 * SECOND,
            "after {waited:?}"
        );
        last = Instant::now();
    }
    raw.send(&[wire::text("never disturbed")])
        .await
        .expect("open");
    let message = receiving.await.expect("no panic").expect("open");
    assert_eq!(message, Some(Message::from("never disturbed")));
}

#[tokio::test]
async fn an_interval_that_is_too_short_is_raised_and_none_is_none() {
    for (interval, actual) in [
        (None, None),
        (Some(Duration::ZERO), Some(SECOND)),
        (Some(SECOND / 2), Some(SECOND)),
        (Some(2 * SECOND), Some(2 * SECOND)),
    ] {
        let (near, far) = duplex(1024);
        let builder = MessageWebSocket::builder().unsolicited_pong_interval(interval);
        let (client, _raw) = tokio::join!(builder.connect_over(near, URI), RawPeer::server(far));
        let client = client.expect("a server");
        assert_eq!(client.actual_unsolicited_pong_interval(), actual);
    }
}

#[tokio::test]
async fn a_keep_alive_frame_is_a_pong_that_goes_out_at_once() {
    let (client, mut raw) = client_of_raw(PATIENT, 1024).await.expect("a pair");
    assert_eq!(client.actual_unsolicited_pong_interval(), None);
    for _ in 0..2 {
        client.send_keep_alive().await.expect("open");
        let frame = raw.receive().await.expect("open");
        assert_eq!(frame, Some(wire::pong("")));
    }
    client.start_close(CloseCode::NORMAL, "").expect("valid");
    let error = client.send_keep_alive().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_does_not_answer_close_is_a_close_timeout() {
    let timeouts = Timeouts {
        close: 5 * SECOND,
        ..PATIENT
    };
    let (client, _raw) = client_of_raw(timeouts, 1024).await.expect("a pair");
    assert_times_out(
        Timeout::Close,
        5 * SECOND,
        client.close(CloseCode::NORMAL, ""),
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_does_not_hang_up_after_close_is_left_but_the_close_was_clean() {
    let timeouts = Timeouts {
        close: 5 * SECOND,
        ..PATIENT
    };
    let (client, mut raw) = client_of_raw(timeouts, 1024).await.expect("a pair");
    raw.send(&[wire::close(1000, "")]).await.expect("open");
    let start = Instant::now();
    client.close(CloseCode::NORMAL, "").await.expect("clean");
    assert!(start.elapsed() >= 5 * SECOND && start.elapsed() < 6 * SECOND);
    assert!(client.closed().expect("closed").is_clean());
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_lives_for_hours_with_pings_alone() {
    let (client, server) = pair_with(1024, Timeouts::default()).await.expect("a pair");
    let client = Arc::new(client);
    let receiving = tokio::spawn({
        let client = Arc::clone(&client);
        async move { client.receive().await }
    });
    let echo = tokio::spawn(async move {
        while let Some(message) = server.receive().await? {
            server.send(message).await?;
        }
        Ok::<_, Error>(())
    });
    sleep(5 * HOUR).await;
    assert!(client.closed().is_none());
    assert!(client.round_trip_time().is_some());
    client.send("still here").await.expect("open");
    let message = receiving.await.expect("no panic").expect("open");
    assert_eq!(message, Some(Message::from("still here")));
    client.close(CloseCode::NORMAL, "").await.expect("clean");
    echo.await.expect("no panic").expect("clean");
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_rests_for_hours_does_not_take_its_own_silence_for_the_peers() {
    let (client, mut raw) = client_of_raw(Timeouts::default(), 1024)
        .await
        .expect("a pair");
    for number in 0..3 {
        raw.send(&[wire::text(number.to_string())])
            .await
            .expect("open");
        sleep(HOUR).await;
        let message = client.receive().await.expect("open");
        assert_eq!(message, Some(Message::from(number.to_string())));
    }
}

#[tokio::test(start_paused = true)]
async fn the_longest_durations_are_no_limit_and_no_panic() {
    let longest = Timeouts {
        resolve: Duration::MAX,
        connect: Duration::MAX,
        proxy: Duration::MAX,
        tls: Duration::MAX,
        handshake: Duration::MAX,
        overall: Some(Duration::MAX),
        accept: Duration::MAX,
        close: Duration::MAX,
        keep_alive: Some(Duration::MAX),
        pong: Some(Duration::MAX),
        send: Some(Duration::MAX),
        receive: Some(Duration::MAX),
    };
    let (client, server) = pair_with(1024, longest).await.expect("a pair");
    client.ping(b"").await.expect("open");
    client.send(vec![0; 10_000]).await.expect("room");
    sleep(HOUR).await;
    let (received, flushed) = tokio::join!(server.receive(), client.flush());
    assert_eq!(received.expect("open").expect("a message").len(), 10_000);
    flushed.expect("open");
    let (closed, received) = tokio::join!(client.close(CloseCode::NORMAL, ""), server.receive());
    closed.expect("clean");
    assert_eq!(received.expect("clean"), None);
}

#[tokio::test(start_paused = true)]
async fn the_shortest_durations_end_the_connection_and_nothing_else() {
    let shortest = Timeouts {
        keep_alive: Some(Duration::ZERO),
        pong: Some(Duration::ZERO),
        send: Some(Duration::ZERO),
        receive: Some(Duration::ZERO),
        close: Duration::ZERO,
        ..PATIENT
    };
    let (client, _raw) = client_of_raw(shortest, 1024).await.expect("a pair");
    assert!(client.receive().await.unwrap_err().is_timeout());
    let (near, far) = duplex(1024);
    let none = Timeouts {
        handshake: Duration::ZERO,
        ..PATIENT
    };
    let builder = MessageWebSocket::builder().timeouts(none);
    let (opened, _raw) = tokio::join!(builder.connect_over(near, URI), RawPeer::server(far));
    assert!(opened.is_err_and(|error| error.is_timeout()));
}
