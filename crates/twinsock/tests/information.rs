//! What a socket tells about itself, at any time and from anywhere.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{
    AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf, duplex, split as split_stream,
};
use tokio::task::yield_now;
use tokio::time::{MissedTickBehavior, advance, interval};
use twinsock::{
    AbortCause, AcceptOptions, BandwidthStatistics, CloseCode, Error, Failure, Information,
    Listener, MessageWebSocket, SocketState, Statistics,
};
use twinsock_testkit::sockets::{PATIENT, URI, pair, server_of_raw};
use twinsock_testkit::{streams, wire};

/// Lets other tasks run until the state is reached.
async fn reach(information: &Information, state: SocketState) {
    while information.state() != state {
        yield_now().await;
    }
}

fn sent(information: &Information) -> (u64, u64, u64) {
    let sent = information.statistics().sent;
    (sent.bytes, sent.frames, sent.messages)
}

/// What the opening handshake left behind at both ends.
fn assert_agreed(near: &Information, far: &Information, address: SocketAddr) {
    assert_eq!(near.peer_address(), Some(address));
    assert_eq!(far.local_address(), Some(address));
    assert_eq!(near.local_address(), far.peer_address());
    assert_eq!(
        (near.protocol(), far.protocol()),
        (Some("chat.v2"), Some("chat.v2"))
    );
    let headers = near.response_headers().expect("a client");
    assert_eq!(headers["upgrade"], "websocket");
    assert_eq!(near.response().expect("a client").status(), 101);
    assert_eq!(far.request().expect("a server").uri(), "/room");
    assert!(near.request().is_none() && far.response_headers().is_none());
    let second = Duration::from_secs(1);
    assert_eq!(near.actual_unsolicited_pong_interval(), Some(second));
    assert_eq!(far.actual_unsolicited_pong_interval(), None);
}

#[tokio::test]
async fn all_that_was_agreed_on_is_known_before_and_after_the_close_and_the_drop()
-> Result<(), Error> {
    let options = AcceptOptions::new().protocol("chat.v2")?;
    let listener = Listener::bind("127.0.0.1:0").await?.with_options(options);
    let address = listener.local_address();
    let builder = MessageWebSocket::builder()
        .protocol("chat.v2")
        .unsolicited_pong_interval(Duration::from_millis(1));
    let uri = format!("ws://{address}/room");
    let (client, server) = tokio::try_join!(builder.connect(&uri), async {
        listener.accept().await?.accept().await
    })?;
    let near = client.information().clone();
    let far = server.information().clone();
    let check = || assert_agreed(&near, &far, address);
    check();
    assert_eq!((near.state(), near.closed()), (SocketState::Open, None));
    assert_eq!(near.round_trip_time(), None);
    client.ping(b"?").await?;
    let echo = async {
        while let Some(message) = server.receive().await? {
            server.send(message).await?;
        }
        Ok(())
    };
    let (_, ()) = tokio::try_join!(echo, async {
        client.send_text("hello").await?;
        client.receive().await?;
        client.close(CloseCode::NORMAL, "done").await
    })?;
    check();
    let round_trip_time = near.round_trip_time();
    assert!(round_trip_time.is_some());
    assert_eq!(client.round_trip_time(), round_trip_time);
    assert_eq!(near.closed(), client.closed());
    let statistics = near.statistics();
    drop((client, server));
    check();
    assert_eq!(
        (near.state(), far.state()),
        (SocketState::Closed, SocketState::Closed)
    );
    assert_eq!(near.round_trip_time(), round_trip_time);
    assert_eq!(near.statistics(), statistics);
    assert_eq!(
        near.closed().expect("closed").sent().expect("sent").text(),
        "done"
    );
    assert_eq!(far.closed().expect("closed").reason(), "done");
    Ok(())
}

#[tokio::test]
async fn after_a_clean_close_the_two_ends_agree_on_what_was_on_the_wire() -> Result<(), Error> {
    let (client, server) = pair(1_000).await?;
    let (near, far) = (client.information().clone(), server.information().clone());
    assert_eq!(near.statistics(), Statistics::default());
    let echo = tokio::spawn(async move {
        while let Some(message) = server.receive().await? {
            server.send(message).await?;
        }
        Ok::<_, Error>(())
    });
    client.send_text("hello").await?;
    client.send_binary(&[7; 70_000]).await?;
    client.ping(b"12345").await?;
    client.send_nonfinal_frame("in ").await?;
    client.send_final_frame("parts").await?;
    for _ in 0..3 {
        client.receive().await?;
    }
    client.close(CloseCode::NORMAL, "done").await?;
    echo.await.expect("no panic")?;
    // Each of the client's frames has a mask key of four bytes.
    let frames = [2 + 5, 10 + 70_000, 2 + 5, 2 + 3, 2 + 5, 4 + 4];
    let bytes = frames.iter().map(|frame| frame + 4).sum();
    assert_eq!(sent(&near), (bytes, 6, 3));
    // The echo of the parts is one frame; the code is echoed without the reason.
    let frames = [2 + 5, 10 + 70_000, 2 + 5, 2 + 8, 4];
    assert_eq!(sent(&far), (frames.iter().sum(), 5, 3));
    assert_eq!(near.statistics().sent, far.statistics().received);
    assert_eq!(near.statistics().received, far.statistics().sent);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_task_can_look_while_the_socket_is_busy() -> Result<(), Error> {
    const MESSAGES: u64 = 20_000;
    let (client, server) = pair(64 * 1024).await?;
    let information = server.information().clone();
    let watching = tokio::spawn(async move {
        let mut seen = 0;
        while seen < MESSAGES {
            let received = information.statistics().received;
            assert!(received.messages >= seen && received.frames >= received.messages);
            seen = received.messages;
            assert_eq!(information.closed(), None);
            yield_now().await;
        }
        information
    });
    let receiving = tokio::spawn(async move {
        for _ in 0..MESSAGES {
            server.receive().await?;
        }
        Ok::<_, Error>(server)
    });
    for _ in 0..MESSAGES {
        client.send_binary(&[7; 16]).await?;
    }
    client.flush().await?;
    let server = receiving.await.expect("no panic")?;
    let information = watching.await.expect("no panic");
    assert_eq!(information.statistics(), server.information().statistics());
    Ok(())
}

#[tokio::test]
async fn looking_at_a_socket_does_not_keep_it_open() -> Result<(), Error> {
    let (client, server) = pair(1_000).await?;
    let information = client.information().clone();
    drop(client);
    assert_eq!(server.receive().await?, None);
    reach(&information, SocketState::Closed).await;
    assert!(information.closed().expect("closed").is_clean());

    let (client, mut server) = streams::pair(1_000).await?;
    let (reader, writer) = client.split();
    let information = reader.information().clone();
    drop(writer);
    assert_eq!(information.state(), SocketState::CloseSent);
    drop(reader);
    // A Close frame without a code is no orderly end of a stream.
    assert!(server.read(&mut [0]).await.is_err());
    drop(server);
    reach(&information, SocketState::Closed).await;
    assert!(information.closed().expect("closed").is_clean());
    Ok(())
}

#[test]
fn a_socket_that_is_dropped_outside_of_a_runtime_is_closed() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let (client, server) = runtime.block_on(pair(1_000)).expect("a pair");
    let information = client.information().clone();
    drop(client);
    assert_eq!(information.state(), SocketState::Closed);
    let closed = information.closed().expect("closed");
    let failure = Failure::Aborted(AbortCause::Requested);
    assert_eq!(closed.failure(), Some(&failure));
    assert!(closed.sent().is_some(), "what can be sent at once is");
    assert_eq!(runtime.block_on(server.receive()).expect("a close"), None);
}

#[tokio::test]
async fn a_stream_that_is_aborted_is_closed_at_once() -> Result<(), Error> {
    let (mut client, _server) = streams::pair(100).await?;
    client.write_all(&[7; 1_000]).await.expect("open");
    let information = client.information().clone();
    client.abort();
    assert_eq!(information.state(), SocketState::Closed);
    let closed = information.closed().expect("closed");
    let failure = Failure::Aborted(AbortCause::Requested);
    assert_eq!((closed.failure(), closed.sent()), (Some(&failure), None));
    Ok(())
}

#[tokio::test]
async fn a_streams_directions_close_one_after_the_other() -> Result<(), Error> {
    let (mut client, mut server) = streams::pair(1_000).await?;
    let (near, far) = (client.information().clone(), server.information().clone());
    assert_eq!(
        (near.state(), far.state()),
        (SocketState::Open, SocketState::Open)
    );
    AsyncWriteExt::shutdown(&mut client).await.expect("open");
    assert_eq!(near.state(), SocketState::CloseSent);
    assert_eq!(server.read(&mut [0]).await.expect("an end"), 0);
    assert_eq!(far.state(), SocketState::CloseReceived);
    server.write_all(b"bye").await.expect("open");
    let (reader, mut writer) = server.split();
    assert_eq!(reader.information().state(), SocketState::CloseReceived);
    assert_eq!(writer.information().state(), SocketState::CloseReceived);
    writer.shutdown().await.expect("open");
    drop((reader, writer));
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.expect("an end");
    assert_eq!(answer, "bye");
    reach(&near, SocketState::Closed).await;
    reach(&far, SocketState::Closed).await;
    assert_eq!(near.statistics().sent, far.statistics().received);
    assert_eq!(near.statistics().received, far.statistics().sent);
    Ok(())
}

#[tokio::test]
async fn the_peers_close_shows_before_the_application_has_come_to_it() -> Result<(), Error> {
    let (server, mut raw) = server_of_raw(PATIENT, 1_000).await.expect("a pair");
    server.attend();
    let frames = [wire::text("last words"), wire::close(1000, "")];
    raw.send(&frames).await.expect("open");
    let information = server.information();
    reach(information, SocketState::CloseReceived).await;
    drop(raw);
    assert!(server.receive().await?.is_some());
    assert_eq!(server.receive().await?, None);
    assert_eq!(information.state(), SocketState::Closed);
    Ok(())
}

#[tokio::test]
async fn a_stream_pings_and_shows_itself_as_a_message_socket_does() -> Result<(), Error> {
    let (mut client, mut server) = streams::pair(1_000).await?;
    assert_eq!(client.round_trip_time(), None);
    assert_eq!(client.actual_unsolicited_pong_interval(), None);
    client.ping(b"?").await?;
    client.send_keep_alive().await?;
    let error = client.ping(&[0; 126]).await.expect_err("too long");
    assert_eq!(
        error.to_string(),
        "expected a ping of at most 125 bytes, got 126"
    );
    AsyncWriteExt::shutdown(&mut client).await.expect("open");
    assert!(client.ping(b"?").await.is_err());
    assert_eq!(server.read(&mut [0]).await.expect("an end"), 0);
    let mut memory = [0];
    let (_, end) = tokio::join!(server.shutdown(), client.read(&mut memory));
    assert_eq!(end.expect("an end"), 0);
    assert!(client.round_trip_time().is_some());
    assert_eq!(sent(client.information()), (7 + 6 + 8, 3, 0));
    Ok(())
}

/// Bytes each 10 ms.
const PIECE: usize = 10_000;

/// In bits per second.
const THROTTLE: u64 = 8 * 100 * PIECE as u64;

/// A byte stream that carries no more than [`THROTTLE`] in each direction.
fn throttled() -> (DuplexStream, DuplexStream) {
    let (near, near_relay) = duplex(2 * PIECE);
    let (far, far_relay) = duplex(2 * PIECE);
    let (near_reader, near_writer) = split_stream(near_relay);
    let (far_reader, far_writer) = split_stream(far_relay);
    tokio::spawn(relay(near_reader, far_writer));
    tokio::spawn(relay(far_reader, near_writer));
    (near, far)
}

async fn relay(mut from: ReadHalf<DuplexStream>, mut to: WriteHalf<DuplexStream>) {
    let mut ticks = interval(Duration::from_millis(10));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut bytes = [0; PIECE];
    loop {
        ticks.tick().await;
        match from.read(&mut bytes).await {
            Ok(count @ 1..) if to.write_all(&bytes[..count]).await.is_ok() => {}
            _ => return,
        }
    }
}

fn assert_near(estimate: u64, rate: u64) {
    assert!(estimate.abs_diff(rate) <= rate / 5, "{estimate} for {rate}");
}

#[tokio::test(start_paused = true)]
async fn the_bandwidth_is_that_of_a_throttled_network() -> Result<(), Error> {
    let (near, far) = throttled();
    let builder = MessageWebSocket::builder().timeouts(PATIENT);
    let options = AcceptOptions::new().timeouts(PATIENT);
    let (client, server) = tokio::try_join!(builder.connect_over(near, URI), options.accept(far))?;
    let (near, far) = (client.information().clone(), server.information().clone());
    assert_eq!(near.bandwidth_statistics(), BandwidthStatistics::default());
    // Three seconds; the last messages are still under way at its end.
    let receiving = tokio::spawn(async move {
        for _ in 0..45 {
            server.receive().await?;
        }
        Ok::<_, Error>(server)
    });
    for _ in 0..47 {
        client.send(vec![7; 64 * 1024]).await?;
    }
    let server = receiving.await.expect("no panic")?;
    let (outbound, inbound) = (near.bandwidth_statistics(), far.bandwidth_statistics());
    assert_near(outbound.outbound_bits_per_second, THROTTLE);
    assert_near(inbound.inbound_bits_per_second, THROTTLE);
    assert!(outbound.outbound_bits_per_second_instability < THROTTLE / 5);
    assert!(inbound.inbound_bits_per_second_instability < THROTTLE / 5);
    assert!(outbound.outbound_bandwidth_peaked && inbound.inbound_bandwidth_peaked);
    assert_eq!(outbound.inbound_bits_per_second, 0);
    assert_eq!(inbound.outbound_bits_per_second, 0);

    for _ in 0..2 {
        server.receive().await?;
    }
    advance(Duration::from_secs(1)).await;
    let (outbound, inbound) = (near.bandwidth_statistics(), far.bandwidth_statistics());
    assert!(!outbound.outbound_bandwidth_peaked && !inbound.inbound_bandwidth_peaked);
    assert_near(outbound.outbound_bits_per_second, THROTTLE);
    assert_near(inbound.inbound_bits_per_second, THROTTLE);
    Ok(())
}

/// The task that would have seen to the end went with its runtime.
#[test]
fn a_connection_whose_runtime_ended_is_not_kept_by_who_looks_at_it() {
    let runtime = || {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.enable_all().build().expect("a runtime")
    };
    let (first, second) = (runtime(), runtime());
    let (information, mut peer) = first.block_on(async {
        let sockets = server_of_raw(PATIENT, 4096).await;
        let (socket, peer) = sockets.expect("a pair");
        (socket.information().clone(), peer)
    });
    drop(first);
    assert_eq!(information.state(), SocketState::Closed);
    second.block_on(async {
        assert_eq!(
            peer.receive().await.expect("open"),
            Some(wire::close_with_body(""))
        );
        assert_eq!(peer.receive().await.expect("an end"), None);
    });
}
