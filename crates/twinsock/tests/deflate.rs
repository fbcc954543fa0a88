//! Compressed messages through the library's own sockets (RFC 7692).

mod deflating;

use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::io::{AsyncReadExt as _, duplex};
use tokio::sync::mpsc;
use twinsock::{
    Compress, DeflateMemory, DeflateTerms, ErrorKind, Handlers, Message, MessageType,
    MessageWebSocket, Timeouts,
};
use twinsock_testkit::sockets::{PATIENT, URI};

use deflating::{TAKEOVER, accepting, cost, offering, pair, pair_of, sent_bytes, text};

// ---- messages, in every form ----

fn messages() -> Vec<Message> {
    let mixed: Vec<u8> = (0..300_000u32).flat_map(u32::to_le_bytes).collect();
    let mut messages: Vec<Message> = [0, 1, 127, 128, 1_000, 70_000, 1 << 20]
        .into_iter()
        .map(|size| Message::from(text(size)))
        .collect();
    messages.push("ä€𝄞".repeat(5_000).into());
    messages.push(mixed.into());
    messages
}

async fn assert_all_come(from: &MessageWebSocket, to: &MessageWebSocket) {
    for message in messages() {
        let (sent, received) = tokio::join!(from.send(message.clone()), to.receive());
        sent.expect("open");
        assert!(received.expect("open") == Some(message));
    }
}

#[tokio::test]
async fn messages_come_as_they_were_sent_in_both_directions() {
    for terms in [DeflateTerms::default(), TAKEOVER] {
        let (client, server) = pair(terms).await;
        assert_all_come(&client, &server).await;
        assert_all_come(&server, &client).await;
        let sent = sent_bytes(&client);
        assert!(sent < 2_000_000, "{sent}");
    }
}

#[tokio::test]
async fn lent_messages_are_inflated_too_and_can_be_sent_back() {
    let (client, server) = pair(TAKEOVER).await;
    let (sender, receiver) = server.split();
    let mut lender = receiver.lend();
    for round in 0..20 {
        let expected = format!("{round}: {}", text(5_000));
        client.send_text(&expected).await.expect("open");
        let message = lender.receive().await.expect("open").expect("a message");
        assert_eq!(message.as_text(), Some(&*expected));
        sender.send_ref(&message).await.expect("open");
        let echo = client.receive().await.expect("open");
        assert_eq!(echo, Some(expected.into()));
    }
}

#[tokio::test]
async fn parts_of_a_compressed_message_make_up_the_whole() {
    let (client, server) = pair(TAKEOVER).await;
    let expected = text(3 << 20);
    client.send_text(&expected).await.expect("open");
    let mut joined = String::new();
    loop {
        let part = server.receive_part().await.expect("open").expect("a part");
        assert_eq!(part.message_type(), MessageType::Text);
        assert!(part.len() <= 64 << 10, "{}", part.len());
        joined.push_str(part.as_text().expect("text"));
        if part.is_complete() {
            break;
        }
    }
    assert!(joined == expected);
}

#[tokio::test]
async fn a_message_that_is_written_in_parts_is_compressed_unless_it_says_otherwise() {
    let (client, server) = pair(TAKEOVER).await;
    let expected = text(500_000);
    for (compress, most) in [(Compress::Auto, 20_000), (Compress::Never, 600_000)] {
        let before = sent_bytes(&client);
        let writer = client.send_stream(MessageType::Binary).await.expect("open");
        let mut writer = writer.compress(compress);
        let sending = async {
            tokio::io::copy_buf(&mut expected.as_bytes(), &mut writer).await?;
            writer.finish().await?;
            io::Result::Ok(())
        };
        let receiving = async {
            let mut reader = server.receive_stream().await?.expect("open");
            let mut received = Vec::new();
            reader.read_to_end(&mut received).await?;
            io::Result::Ok(received)
        };
        let ((), received) = tokio::try_join!(sending, receiving).expect("open");
        assert!(received == expected.as_bytes());
        let size = sent_bytes(&client) - before;
        assert!(size < most, "{size}");
        assert!(compress == Compress::Auto || size > 500_000, "{size}");
    }
}

#[tokio::test]
async fn frames_by_hand_are_parts_of_one_compressed_message() {
    let (client, server) = pair(DeflateTerms::default()).await;
    client.set_message_type(MessageType::Text);
    let before = sent_bytes(&client);
    for _ in 0..10 {
        let sending = client.send_nonfinal_frame(text(2_000));
        assert_eq!(sending.await.expect("open"), 2_000);
    }
    client.send_final_frame("the end").await.expect("open");
    client.flush().await.expect("open");
    let size = sent_bytes(&client) - before;
    assert!(size < 2_000, "{size}");
    let expected = text(2_000).repeat(10) + "the end";
    assert!(server.receive().await.expect("open") == Some(expected.into()));
}

#[tokio::test]
async fn handlers_get_inflated_messages() {
    let (client, server) = pair(TAKEOVER).await;
    let (told, mut received) = mpsc::unbounded_channel();
    let handlers = Handlers::new().on_message_received(move |_, received| {
        let _ = told.send(received.expect("open").into_message());
    });
    let _server = server.with_handlers(handlers).expect("it has none yet");
    for message in messages() {
        client.send(message.clone()).await.expect("open");
        client.flush().await.expect("open");
        assert!(received.recv().await == Some(message));
    }
}

#[tokio::test]
async fn a_sink_compresses_and_a_stream_inflates() {
    let (mut client, mut server) = pair(TAKEOVER).await;
    for number in 0..20 {
        let message = Message::from(format!("{number}{}", text(1_000)));
        client.feed(message).await.expect("open");
    }
    client.flush().await.expect("open");
    let sent = sent_bytes(&client);
    assert!(sent < 5_000, "{sent}");
    for number in 0..20 {
        let message = server.next().await.expect("open").expect("open");
        assert_eq!(message, format!("{number}{}", text(1_000)).into());
    }
}

// ---- what is compressed ----

#[tokio::test]
async fn each_message_can_be_kept_from_being_compressed() {
    let (client, server) = pair(DeflateTerms::default()).await;
    let (long, short) = (text(1_000), text(100));
    let send = |size: &str, compress| {
        let message = size.to_owned();
        cost(&client, client.send_with(message, compress))
    };
    assert!(send(&long, Compress::Never).await > 1_000);
    assert!(send(&long, Compress::Auto).await < 100);
    assert!(send(&short, Compress::Auto).await > 100);
    assert!(send(&short, Compress::Always).await < 100);
    // For one message, not for those behind it.
    assert!(cost(&client, client.send(long.clone())).await < 100);
    client.set_compress(Compress::Never);
    assert!(cost(&client, client.send(long.clone())).await > 1_000);
    assert!(send(&long, Compress::Always).await < 100);
    for expected in [&long, &long, &short, &short, &long, &long, &long] {
        let received = server.receive().await.expect("open");
        assert_eq!(received, Some(expected.clone().into()));
    }
}

#[tokio::test]
async fn statistics_count_messages_and_the_bytes_of_the_wire() {
    let (client, server) = pair(TAKEOVER).await;
    for _ in 0..50 {
        client.send_text(&text(1_000)).await.expect("open");
        server.receive().await.expect("open");
    }
    let sent = client.information().statistics().sent;
    let received = server.information().statistics().received;
    assert_eq!((sent.messages, received.messages), (50, 50));
    assert_eq!(sent.bytes, received.bytes);
    assert!(sent.bytes < 50 * 30, "{}", sent.bytes);
}

// ---- futures that are dropped ----

async fn poll_once<F: Future>(mut future: Pin<&mut F>) -> Poll<F::Output> {
    poll_fn(|context| Poll::Ready(future.as_mut().poll(context))).await
}

#[tokio::test]
async fn sends_and_receives_that_are_dropped_at_every_poll_keep_the_windows_in_step() {
    // So little room that messages wait at every place.
    let (near, far) = duplex(64);
    let (client, server) = tokio::try_join!(offering().connect_over(near, URI), async {
        accepting(TAKEOVER).accept(far).await
    })
    .expect("they agree");
    let mut expected = Vec::new();
    let mut received = Vec::new();
    for number in 0..300 {
        let message = Message::from(format!("{number}: {}", text(number * 40)));
        if let Poll::Ready(sent) = poll_once(pin!(client.send(message.clone()))).await {
            sent.expect("open");
            expected.push(message);
        }
        if let Poll::Ready(message) = poll_once(pin!(server.receive())).await {
            received.push(message.expect("open").expect("a message"));
        }
    }
    while received.len() < expected.len() {
        let _ = poll_once(pin!(client.flush())).await;
        if let Poll::Ready(message) = poll_once(pin!(server.receive())).await {
            received.push(message.expect("open").expect("a message"));
        }
        tokio::task::yield_now().await;
    }
    assert!(expected.len() > 50, "{}", expected.len());
    assert!(received == expected);
}

// ---- memory ----

fn memory(socket: &MessageWebSocket) -> DeflateMemory {
    socket.information().deflate_memory()
}

fn holds_zlib(socket: &MessageWebSocket) -> bool {
    memory(socket).compressor || memory(socket).decompressor
}

/// Numbers that are like nothing before them.
fn numbers() -> String {
    let mut state = 1u32;
    let mut next = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_string()
    };
    (0..500).map(&mut next).collect()
}

/// How many bytes the server's echo took.
async fn echo(client: &MessageWebSocket, server: &MessageWebSocket) -> u64 {
    client.send_text(&numbers()).await.expect("open");
    let message = server.receive().await.expect("open").expect("a message");
    let size = cost(server, server.send(message)).await;
    let echo = client.receive().await.expect("open");
    assert_eq!(echo, Some(numbers().into()));
    size
}

#[tokio::test]
async fn memory_is_held_with_takeover_alone_until_it_is_released() {
    let (client, server) = pair(DeflateTerms::default()).await;
    echo(&client, &server).await;
    assert_eq!(memory(&client), DeflateMemory::default());
    assert_eq!(memory(&server), DeflateMemory::default());

    let (client, server) = pair(TAKEOVER).await;
    let first = echo(&client, &server).await;
    let held = memory(&server);
    assert!(held.compressor && held.decompressor, "{held:?}");
    server.release_deflate();
    assert!(!holds_zlib(&server));
    assert_eq!(memory(&server).history, held.history);
    assert!(held.history >= 2 * numbers().len(), "{held:?}");
    // It goes on where it ended: what comes next still refers to what was before.
    let second = echo(&client, &server).await;
    assert!(second < first / 10, "{first} {second}");
    assert!(holds_zlib(&server));
}

#[tokio::test(start_paused = true)]
async fn the_keep_alive_releases_it_when_nothing_has_come_for_long() {
    let timeouts = Timeouts {
        keep_alive: Some(Duration::from_secs(20)),
        ..PATIENT
    };
    let options = accepting(TAKEOVER).timeouts(timeouts);
    let (client, server) = pair_of(offering(), options).await;
    echo(&client, &server).await;
    assert!(holds_zlib(&server));
    client.attend();
    server.attend();
    tokio::time::sleep(Duration::from_secs(19)).await;
    assert!(holds_zlib(&server));
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(!holds_zlib(&server));
    assert!(holds_zlib(&client), "it has no keep-alive");
    echo(&client, &server).await;
}

#[tokio::test]
async fn whether_to_compress_is_said_before_anything_is_written() {
    let (client, server) = pair(TAKEOVER).await;
    let mut writer = client.send_stream(MessageType::Text).await.expect("open");
    tokio::io::AsyncWriteExt::write_all(&mut writer, b"too late")
        .await
        .expect("open");
    let error = writer.compress(Compress::Never).finish().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::IllegalCall);
    assert_eq!(server.receive().await.expect("closed"), None);
    let code = server.closed().map(|closed| closed.code());
    assert_eq!(code.map(u16::from), Some(1011), "the message is not whole");
}
