//! Readers and writers over sockets and byte streams: what goes out, and what a dropped future
//! loses (nothing).

use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use bytes::BytesMut;
use tokio::io::{AsyncWriteExt, duplex};
use twinsock::{
    CloseCode, DataError, DataReader, DataWriter, Error, ErrorKind, InputStreamOptions, Message,
    MessageType, MessageWebSocket,
};
use twinsock_testkit::raw::REQUEST;
use twinsock_testkit::script::{Script, Step};
use twinsock_testkit::sockets::{PATIENT, pair, server_over};
use twinsock_testkit::wire;

async fn poll_once<F: Future>(future: F) -> Poll<F::Output> {
    let mut future = pin!(future);
    poll_fn(|context| Poll::Ready(future.as_mut().poll(context))).await
}

// ---- storing to a message socket ----

#[tokio::test]
async fn one_store_is_one_message_of_the_sockets_type() {
    let (client, server) = pair(1_000).await.expect("a pair");
    assert_eq!(client.message_type(), MessageType::Binary);
    let mut writer = DataWriter::over(&client);
    writer.write_u16(7);
    writer.write_string("Zoë");
    assert_eq!(writer.store().await.expect("open"), 6);
    assert_eq!(writer.unstored_buffer_length(), 0);
    client.set_message_type(MessageType::Text);
    writer.write_string("Zoë");
    assert_eq!(writer.store().await.expect("open"), 4);
    writer.flush().await.expect("open");
    let message = server.receive().await.expect("open");
    assert_eq!(message, Some(Message::from(b"\0\x07Zo\xC3\xAB".to_vec())));
    let message = server.receive().await.expect("open");
    assert_eq!(message, Some(Message::from("Zoë")));
}

#[tokio::test]
async fn a_store_of_nothing_is_an_empty_message() {
    let (client, server) = pair(1_000).await.expect("a pair");
    assert_eq!(DataWriter::over(&client).store().await.expect("open"), 0);
    let message = server.receive().await.expect("open");
    assert_eq!(message, Some(Message::from(Vec::new())));
}

#[tokio::test]
async fn the_type_is_one_for_both_halves_and_all_tasks() {
    let (client, server) = pair(1_000).await.expect("a pair");
    let (sender, receiver) = client.split();
    let setter = tokio::spawn(async move {
        receiver.socket().set_message_type(MessageType::Text);
        receiver
    });
    let _receiver = setter.await.expect("no panic");
    let storing = tokio::spawn(async move {
        let mut writer = DataWriter::over(sender);
        writer.write_string("hello");
        writer.store().await?;
        let sender = writer.detach_stream();
        sender.send_text("still here").await?;
        let mut writer = DataWriter::over(&sender);
        writer.write_string("only lent");
        writer.store().await?;
        Ok::<_, DataError>(sender)
    });
    let _sender = storing.await.expect("no panic").expect("open");
    for text in ["hello", "still here", "only lent"] {
        let message = server.receive().await.expect("open");
        assert_eq!(message, Some(Message::from(text)));
    }
}

#[tokio::test]
async fn writers_of_several_tasks_do_not_mix_their_messages() {
    let (client, server) = pair(1_000).await.expect("a pair");
    let client = Arc::new(client);
    for byte in [1, 2] {
        tokio::spawn(store_often(Arc::clone(&client), byte));
    }
    let mut counts = [0; 2];
    for _ in 0..40 {
        let message = server.receive().await.expect("open").expect("a message");
        let bytes = message.into_bytes();
        assert!(bytes == vec![bytes[0]; 5_000]);
        counts[usize::from(bytes[0]) - 1] += 1;
    }
    assert_eq!(counts, [20, 20]);
}

async fn store_often(socket: Arc<MessageWebSocket>, byte: u8) -> Result<(), DataError> {
    let mut writer = DataWriter::over(&*socket);
    for _ in 0..20 {
        writer.write_bytes(&[byte; 5_000]);
        writer.store().await?;
    }
    Ok(())
}

#[tokio::test]
async fn text_that_is_not_utf_8_is_neither_sent_nor_lost() {
    let (client, server) = pair(1_000).await.expect("a pair");
    client.set_message_type(MessageType::Text);
    let mut writer = DataWriter::over(&client);
    writer.write_bytes(b"ab\xFF");
    let error = writer.store().await.unwrap_err();
    assert!(matches!(
        error,
        DataError::InvalidUnicode { position: 2, .. }
    ));
    assert_eq!(Error::from(error).kind(), ErrorKind::InvalidArgument);
    client.set_message_type(MessageType::Binary);
    assert_eq!(writer.store().await.expect("open"), 3);
    let message = server.receive().await.expect("open");
    assert_eq!(message, Some(Message::from(b"ab\xFF".to_vec())));
}

#[tokio::test]
async fn after_the_close_the_bytes_stay_in_the_writer() {
    let (client, _server) = pair(1_000).await.expect("a pair");
    client.start_close(CloseCode::NORMAL, "").expect("valid");
    let mut writer = DataWriter::over(&client);
    writer.write_string("late");
    let error = writer.store().await.unwrap_err();
    assert_eq!(format!("{:x}", error.hresult()), "80000013");
    assert_eq!(Error::from(error).kind(), ErrorKind::Closed);
    assert_eq!(writer.detach_buffer(), "late");
}

#[tokio::test]
async fn a_dropped_store_has_queued_the_whole_message_or_nothing() {
    let request = Step::Bytes(REQUEST.into());
    let mut writes = vec![Step::Takes(usize::MAX)];
    for _ in 0..1_000 {
        writes.extend([Step::Takes(1_000), Step::Pending, Step::Pending]);
    }
    let script = Script::new([request], writes);
    let wire = script.wire();
    let server = server_over(script, PATIENT).await.expect("a good request");
    let head = wire.bytes().len();
    let mut writer = DataWriter::over(&server);
    let mut drops = 0;
    let mut expected = Vec::new();
    for number in 0..20 {
        writer.write_bytes(&[number; 30_000]);
        while poll_once(writer.store()).await.is_pending() {
            assert_eq!(writer.unstored_buffer_length(), 30_000);
            drops += 1;
        }
        assert_eq!(writer.unstored_buffer_length(), 0);
        expected.push(wire::binary(vec![number; 30_000]));
    }
    writer.flush().await.expect("open");
    assert!(drops > 10, "{drops}");
    assert!(wire::read(&wire.bytes()[head..]) == expected);
}

// ---- storing to a byte stream ----

#[tokio::test]
async fn a_dropped_store_goes_on_where_it_was() {
    let steps = [Step::Takes(3), Step::Pending, Step::Takes(1), Step::Pending];
    let script = Script::new([], steps);
    let wire = script.wire();
    let mut writer = DataWriter::over(script);
    writer.write_string("hello, world");
    let mut drops = 0;
    while poll_once(writer.store()).await.is_pending() {
        drops += 1;
        let left = 12 - wire.bytes().len();
        assert_eq!(writer.unstored_buffer_length(), left);
    }
    assert_eq!(drops, 5);
    assert_eq!(wire.bytes(), b"hello, world");
    assert_eq!(writer.store().await.expect("nothing to do"), 0);
}

#[tokio::test]
async fn the_memory_of_a_large_store_is_given_back() {
    let mut capacities = Vec::new();
    for size in [1_000, 1_000_000] {
        let (client, _server) = pair(1_000).await.expect("a pair");
        let mut writer = DataWriter::over(&client);
        writer.write_bytes(&vec![1; size]);
        writer.store().await.expect("open");
        writer.write_byte(1);
        capacities.push(BytesMut::from(writer.detach_buffer()).capacity());
    }
    assert!((1_000..2_000).contains(&capacities[0]), "{capacities:?}");
    assert!(capacities[1] < 65_536, "{capacities:?}");
}

#[tokio::test]
async fn a_failed_store_keeps_what_was_not_written() {
    let mut writer = DataWriter::over(Script::new([], [Step::Takes(2), Step::Reset]));
    writer.write_string("hello");
    let error = writer.store().await.unwrap_err();
    assert!(matches!(error, DataError::Stream(_)));
    assert_eq!(Error::from(error.clone()).kind(), ErrorKind::ConnectionLost);
    assert_eq!(format!("{:x}", error.hresult()), "80072eff");
    assert_eq!(
        io::Error::from(error).kind(),
        io::ErrorKind::ConnectionReset
    );
    assert_eq!(writer.detach_buffer(), "llo");
}

#[tokio::test]
async fn a_stream_that_takes_nothing_any_more_is_an_error() {
    let mut writer = DataWriter::over(Script::new([], [Step::Takes(0)]));
    writer.write_byte(1);
    let error = io::Error::from(writer.store().await.unwrap_err());
    assert_eq!(error.kind(), io::ErrorKind::WriteZero);
    assert_eq!(writer.unstored_buffer_length(), 1);
}

// ---- loading from a byte stream ----

fn parts<const N: usize>(steps: [Step; N]) -> DataReader<Script> {
    DataReader::over(Script::new(steps, []))
}

fn bytes(text: &str) -> Step {
    Step::Bytes(text.into())
}

#[tokio::test]
async fn a_load_gives_the_full_count_or_what_comes_before_the_end() {
    let mut reader = parts([bytes("he"), Step::Pending, bytes("llo, wor"), Step::End]);
    assert_eq!(reader.load(0).await.expect("nothing to do"), 0);
    assert_eq!(reader.load(5).await.expect("open"), 5);
    assert_eq!(reader.unconsumed_buffer_length(), 5);
    assert_eq!(reader.load(100).await.expect("open"), 5);
    assert_eq!(reader.load(100).await.expect("ended"), 0);
    assert_eq!(reader.read_string(10).expect("loaded"), "hello, wor");
    assert!(reader.read_byte().is_err());
}

#[tokio::test]
async fn a_load_takes_no_more_than_its_count() {
    let (mut near, mut far) = duplex(100);
    far.write_all(b"hello, world").await.expect("room");
    let mut reader = DataReader::over(&mut near);
    assert_eq!(reader.load(5).await.expect("open"), 5);
    assert_eq!(reader.detach_buffer(), "hello");
    let mut other = DataReader::over(&mut near);
    assert_eq!(other.load(7).await.expect("open"), 7);
    assert_eq!(other.detach_buffer(), ", world");
}

#[tokio::test]
async fn a_load_of_more_than_there_can_be_ends_with_the_stream() {
    let mut reader = parts([bytes("hello"), Step::End]);
    assert_eq!(reader.load(usize::MAX).await.expect("open"), 5);
}

#[tokio::test]
async fn a_partial_load_gives_what_is_there() {
    let mut reader = parts([Step::Pending, bytes("hello"), bytes("world"), Step::End]);
    reader.set_input_stream_options(InputStreamOptions::Partial);
    let nothing = poll_once(reader.load(0)).await;
    assert!(matches!(nothing, Poll::Ready(Ok(0))));
    assert_eq!(reader.load(3).await.expect("open"), 3);
    assert_eq!(reader.load(100).await.expect("open"), 2);
    assert_eq!(reader.load(100).await.expect("open"), 5);
    assert_eq!(reader.load(100).await.expect("ended"), 0);
    assert_eq!(reader.read_string(10).expect("loaded"), "helloworld");
}

#[tokio::test]
async fn what_was_read_ahead_is_loaded_without_the_stream() {
    let mut reader = parts([bytes("hello, world")]);
    for options in [
        InputStreamOptions::ReadAhead,
        InputStreamOptions::PartialReadAhead,
    ] {
        reader.set_input_stream_options(options);
        assert_eq!(reader.load(3).await.expect("open"), 3);
        assert_eq!(reader.unconsumed_buffer_length(), 3);
        assert!(reader.read_u32().is_err(), "not loaded");
        reader.read_buffer(3).expect("loaded");
    }
    // The script is over: a poll of the stream would wait for ever.
    let ahead = poll_once(reader.load(2)).await;
    assert!(matches!(ahead, Poll::Ready(Ok(2))));
    assert_eq!(reader.detach_buffer(), " world");
    assert_eq!(reader.unconsumed_buffer_length(), 0);
}

#[tokio::test]
async fn a_dropped_load_can_be_made_again() {
    let mut reader = parts([
        bytes("he"),
        Step::Pending,
        bytes("l"),
        Step::Pending,
        bytes("lo, world"),
    ]);
    for _ in 0..2 {
        assert!(poll_once(reader.load(5)).await.is_pending());
        assert_eq!(reader.unconsumed_buffer_length(), 0);
    }
    assert_eq!(reader.load(5).await.expect("open"), 5);
    assert_eq!(reader.read_string(5).expect("loaded"), "hello");
}

#[tokio::test]
async fn what_came_before_a_failure_can_be_loaded() {
    let mut reader = parts([bytes("hello"), Step::Reset]);
    let error = reader.load(6).await.unwrap_err();
    assert_eq!(Error::from(error).kind(), ErrorKind::ConnectionLost);
    assert_eq!(reader.load(2).await.expect("there"), 2);
    reader.set_input_stream_options(InputStreamOptions::Partial);
    assert_eq!(reader.load(6).await.expect("there"), 3);
    assert!(reader.load(6).await.is_err());
    assert_eq!(reader.read_string(5).expect("loaded"), "hello");
}
