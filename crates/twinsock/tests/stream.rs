//! A byte stream over messages: what is read, what is written, and how it ends.

use std::io;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, duplex};
use twinsock::{AcceptOptions, CloseCode, Error, ErrorKind, StreamWebSocket};
use twinsock_testkit::sockets::{PATIENT, URI};

async fn pair(capacity: usize) -> Result<(StreamWebSocket, StreamWebSocket), Error> {
    let (client, server) = duplex(capacity);
    let builder = StreamWebSocket::builder().timeouts(PATIENT);
    let options = AcceptOptions::new().timeouts(PATIENT);
    tokio::try_join!(
        builder.connect_over(client, URI),
        options.accept_stream(server)
    )
}

#[tokio::test]
async fn bytes_go_both_ways_and_each_direction_ends_by_itself() -> Result<(), Error> {
    let (mut client, mut server) = pair(4096).await?;
    client.write_all(b"a request").await.expect("open");
    AsyncWriteExt::shutdown(&mut client).await.expect("open");
    let mut request = String::new();
    server.read_to_string(&mut request).await.expect("an end");
    assert_eq!(request, "a request");
    server.write_all(b"and, much later, ").await.expect("open");
    server.flush().await.expect("open");
    server.write_all(b"an answer").await.expect("open");
    AsyncWriteExt::shutdown(&mut server).await.expect("open");
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.expect("an end");
    assert_eq!(answer, "and, much later, an answer");
    assert_eq!(client.read(&mut [0; 9]).await.expect("still the end"), 0);
    client.shutdown().await?;
    server.shutdown().await?;
    let (near, far) = (
        client.closed().expect("closed"),
        server.closed().expect("closed"),
    );
    assert!(near.is_clean() && far.is_clean(), "{near}, {far}");
    Ok(())
}

#[tokio::test]
async fn a_large_transfer_comes_whole() -> Result<(), Error> {
    let (mut client, server) = pair(64 * 1024).await?;
    let (mut reader, mut writer) = server.split();
    let echo = tokio::spawn(async move {
        let count =
            tokio::io::copy_buf(&mut tokio::io::BufReader::new(&mut reader), &mut writer).await?;
        writer.shutdown().await?;
        io::Result::Ok(count)
    });
    let sent: Vec<u8> = (0..=250).cycle().take(3_000_000).collect();
    let mut received = Vec::new();
    let (mut reader, mut writer) = tokio::io::split(client);
    let (written, read) = tokio::join!(
        async {
            writer.write_all(&sent).await?;
            writer.shutdown().await
        },
        reader.read_to_end(&mut received)
    );
    written.expect("open");
    read.expect("an end");
    assert!(received == sent);
    assert_eq!(echo.await.expect("no panic").expect("open"), 3_000_000);
    client = reader.unsplit(writer);
    client.shutdown().await?;
    Ok(())
}

#[tokio::test]
async fn another_code_than_1000_is_an_error_that_tells_it() -> Result<(), Error> {
    let (mut client, mut server) = pair(4096).await?;
    client.write_all(b"half of it").await.expect("open");
    let (closed, read) = tokio::join!(client.close(CloseCode::from(4001), "no more"), async {
        let mut line = Vec::new();
        let error = server.read_to_end(&mut line).await.expect_err("cut off");
        (line, error)
    });
    closed?;
    let (line, error) = read;
    assert_eq!(line, b"half of it");
    let error = error
        .get_ref()
        .and_then(|error| error.downcast_ref::<Error>());
    let error = error.expect("one of ours");
    assert_eq!(error.kind(), ErrorKind::ClosedByPeer(CloseCode::from(4001)));
    assert_eq!(error.close_reason().expect("a reason").text(), "no more");
    Ok(())
}

#[tokio::test]
async fn lines_are_read_without_another_buffer() -> Result<(), Error> {
    let (mut client, mut server) = pair(64).await?;
    let writing = async {
        client.write_all(b"one\ntwo\nthr").await?;
        client.flush().await?;
        client.write_all(b"ee\n").await?;
        AsyncWriteExt::shutdown(&mut client).await
    };
    let reading = async {
        let mut lines = Vec::new();
        let mut stream = (&mut server).lines();
        while let Some(line) = stream.next_line().await? {
            lines.push(line);
        }
        io::Result::Ok(lines)
    };
    let (written, lines) = tokio::join!(writing, reading);
    written.expect("open");
    assert_eq!(lines.expect("an end"), ["one", "two", "three"]);
    Ok(())
}
