//! The echo server and messages that do not come in one piece.
#![cfg(unix)]

mod program;

use program::Program;
use twinsock::{CloseCode, Message, MessageType, MessageWebSocket};

async fn served(options: &[&str]) -> (Program, MessageWebSocket) {
    let (server, uri) = Program::serve(options);
    let client = MessageWebSocket::connect(&uri).await;
    (server, client.expect("the server listens"))
}

#[tokio::test]
async fn a_message_comes_back_before_its_end_was_sent() {
    let (_server, client) = served(&[]).await;
    for (message_type, text) in [
        (MessageType::Text, "so far ✓"),
        (MessageType::Binary, "\0\u{1}"),
    ] {
        client.set_message_type(message_type);
        client.send_nonfinal_frame(text).await.unwrap();
        let part = client.receive_part().await.unwrap().unwrap();
        assert_eq!(part.message_type(), message_type);
        assert_eq!(
            (part.as_bytes(), part.is_complete()),
            (text.as_bytes(), false)
        );
        client.send_final_frame("").await.unwrap();
        let end = client.receive_part().await.unwrap().unwrap();
        assert!(end.is_complete() && end.is_empty());
    }
}

#[tokio::test]
async fn a_character_that_is_cut_comes_back_whole() {
    let (_server, client) = served(&[]).await;
    client.set_message_type(MessageType::Text);
    let text = "żółw 漢字 😀";
    for byte in text.as_bytes().chunks(1) {
        client.send_nonfinal_frame(byte.to_vec()).await.unwrap();
        client.flush().await.unwrap();
    }
    client.send_final_frame("").await.unwrap();
    assert_eq!(client.receive().await.unwrap(), Some(Message::from(text)));
}

#[tokio::test]
async fn large_messages_come_back_unchanged_and_keep_their_type() {
    let (_server, client) = served(&[]).await;
    let text = "schön 漢字 😀".repeat(300_000);
    for message in [
        Message::from(text.clone()),
        Message::from(text.into_bytes()),
    ] {
        client.send(message.clone()).await.unwrap();
        assert!(client.receive().await.unwrap() == Some(message));
    }
    client.close(CloseCode::NORMAL, "").await.unwrap();
}

#[tokio::test]
async fn the_parts_of_a_message_count_together_against_the_limit() {
    let (_server, client) = served(&["--max-message-size", "10"]).await;
    for _ in 0..3 {
        // Each message counts for itself.
        client.send_nonfinal_frame("12345").await.unwrap();
        client.send_final_frame("67890").await.unwrap();
        assert_eq!(client.receive().await.unwrap().unwrap().len(), 10);
    }
    client.send_nonfinal_frame("12345").await.unwrap();
    client.send_nonfinal_frame("67890").await.unwrap();
    client.send_nonfinal_frame("1").await.unwrap();
    while client.receive_part().await.unwrap().is_some() {}
    assert_eq!(client.closed().unwrap().code(), CloseCode::MESSAGE_TOO_BIG);
}
