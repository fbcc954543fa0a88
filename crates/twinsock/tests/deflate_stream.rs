//! Compressed bytes through the library's streams (RFC 7692).

use std::io;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};
use twinsock::{
    AcceptOptions, Compress, ContextTakeover, DeflateOffer, DeflateTerms, StreamFraming,
    StreamWebSocket,
};
use twinsock_testkit::sockets::{PATIENT, URI};
use twinsock_testkit::streams::{patient, tcp_pair};

const SIZE: usize = 16 << 20;

fn terms(takeover: ContextTakeover) -> DeflateTerms {
    DeflateTerms {
        server_context_takeover: takeover,
        client_context_takeover: takeover,
        ..DeflateTerms::default()
    }
}

/// Stretches of text, of zeros and of noise.
fn mixed(size: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(size + 100_000);
    let mut state = 1u64;
    for stretch in 0.. {
        if bytes.len() >= size {
            break;
        }
        match stretch % 3 {
            0 => bytes.extend(b"the same words again and again, ".repeat(2_000)),
            1 => bytes.resize(bytes.len() + 50_000, 0),
            _ => bytes.extend((0..10_000).flat_map(|_| {
                // Xorshift: zlib finds nothing in it.
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                state.to_le_bytes()
            })),
        }
    }
    bytes.truncate(size);
    bytes
}

async fn pair(
    framing: StreamFraming,
    takeover: ContextTakeover,
) -> io::Result<(StreamWebSocket, StreamWebSocket)> {
    let (near, far) = tcp_pair().await?;
    let options = AcceptOptions::new()
        .timeouts(PATIENT)
        .framing(framing)
        .deflate(terms(takeover));
    let builder = patient().framing(framing).deflate(DeflateOffer::default());
    Ok(tokio::try_join!(
        builder.connect_over(near, URI),
        options.accept_stream(far)
    )?)
}

/// All bytes there while others come back, and each end ends its own direction.
async fn exchange(client: StreamWebSocket, server: StreamWebSocket) -> io::Result<u64> {
    let (there, back) = (mixed(SIZE), mixed(SIZE / 4));
    let information = client.information().clone();
    let client = tokio::spawn(async move {
        let (mut reader, mut writer) = client.split();
        writer.write_all(&there).await?;
        writer.shutdown().await?;
        let mut received = Vec::new();
        reader.read_to_end(&mut received).await?;
        assert!(received == mixed(SIZE / 4));
        io::Result::Ok(())
    });
    let (mut reader, mut writer) = server.split();
    let mut received = Vec::new();
    reader.read_to_end(&mut received).await?;
    assert!(received == mixed(SIZE));
    // The other direction is still open.
    writer.write_all(&back).await?;
    writer.shutdown().await?;
    client.await??;
    Ok(information.statistics().sent.bytes)
}

#[tokio::test]
async fn sixteen_mebibytes_of_all_kinds_come_whole_with_either_framing() -> io::Result<()> {
    for framing in [
        StreamFraming::MessagePerFlush,
        StreamFraming::EndlessMessage,
    ] {
        for takeover in [ContextTakeover::On, ContextTakeover::Off] {
            let (client, server) = pair(framing, takeover).await?;
            let agreed = client.information().deflate().expect("agreed");
            assert_eq!(agreed.client.context_takeover, takeover);
            let sent = exchange(client, server).await?;
            assert!(sent < 10 << 20, "{framing:?}, {takeover:?}: {sent}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn what_is_flushed_is_there_at_once_also_in_an_endless_message() -> io::Result<()> {
    for framing in [
        StreamFraming::MessagePerFlush,
        StreamFraming::EndlessMessage,
    ] {
        let (mut client, mut server) = pair(framing, ContextTakeover::On).await?;
        for number in 0..200u32 {
            let line = format!("line {number} of many that are alike\n").repeat(10);
            client.write_all(line.as_bytes()).await?;
            client.flush().await?;
            let mut received = vec![0; line.len()];
            server.read_exact(&mut received).await?;
            assert_eq!(received, line.as_bytes());
        }
        let sent = client.information().statistics().sent.bytes;
        assert!(sent < 200 * 60, "{framing:?}: {sent}");
    }
    Ok(())
}

#[tokio::test]
async fn a_stream_reads_plain_and_compressed_messages_in_turn() -> io::Result<()> {
    let (near, far) = duplex(1 << 20);
    let options = AcceptOptions::new()
        .timeouts(PATIENT)
        .deflate(terms(ContextTakeover::On));
    let builder = patient().deflate(DeflateOffer::default());
    let (mut client, mut server) =
        tokio::try_join!(builder.connect_over(near, URI), options.accept_stream(far))?;
    let bytes = mixed(300_000);
    for compress in [Compress::Always, Compress::Never, Compress::Auto] {
        client.set_compress(compress);
        client.write_all(&bytes).await?;
        client.flush().await?;
        // Plain ones may be read straight into this memory; compressed ones may not.
        let mut received = vec![0; bytes.len()];
        server.read_exact(&mut received).await?;
        assert!(received == bytes, "{compress:?}");
    }
    client.release_deflate();
    assert!(!client.information().deflate_memory().compressor);
    let ending = async {
        let count = server.read(&mut [0; 10]).await?;
        server.shutdown().await?;
        io::Result::Ok(count)
    };
    let (read, closed) = tokio::join!(ending, client.shutdown());
    assert_eq!(read?, 0);
    Ok(closed?)
}

#[tokio::test]
async fn a_reader_goes_on_behind_a_shutdown_that_was_given_up() -> io::Result<()> {
    let framing = StreamFraming::MessagePerFlush;
    let (mut client, mut server) = pair(framing, ContextTakeover::On).await?;
    let given_up = tokio_test::task::spawn(server.shutdown()).poll();
    assert!(given_up.is_pending());
    let pieces = [
        "compressed ".repeat(50),
        "plain".to_owned(),
        "compressed too ".repeat(50),
    ];
    for piece in &pieces {
        client.write_all(piece.as_bytes()).await?;
        client.flush().await?;
    }
    let mut received = Vec::new();
    let reading = server.read_to_end(&mut received);
    let (ended, _) = tokio::join!(client.shutdown(), reading);
    ended?;
    assert!(
        received == pieces.concat().as_bytes(),
        "{} bytes",
        received.len()
    );
    Ok(())
}
