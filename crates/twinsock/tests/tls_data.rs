//! What goes over a connection with TLS: large, small, in both directions, and its end.

mod certificates;

use std::sync::Arc;

use bytes::Bytes;
use certificates::{Authority, assert_echoes, params};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::server::TlsStream;
use tokio_rustls::{TlsAcceptor, TlsConnector};
use twinsock::rustls::crypto::ring;
use twinsock::rustls::{ClientConfig, RootCertStore, ServerConfig};
use twinsock::{
    AcceptOptions, ClientTls, CloseCode, ErrorKind, Failure, Listener, MessageWebSocket,
    StreamWebSocket, TlsVersion, WebErrorStatus,
};
use twinsock_testkit::counting::{Counting, Counts};
use twinsock_testkit::raw::RawPeer;
use twinsock_testkit::wire;

/// How much goes over each version: the layers above do not know which one it is.
const SIZES: [(TlsVersion, usize); 2] =
    [(TlsVersion::Tls12, 4 << 20), (TlsVersion::Tls13, 64 << 20)];

/// A client's settings for this version and a server's listener.
async fn ends(version: TlsVersion) -> (ClientTls, Listener, String) {
    let root = Authority::root();
    let listener = Listener::bind("127.0.0.1:0").await.expect("a port");
    let uri = format!("wss://{}/", listener.local_address());
    let client = ClientTls::builder().only_roots([root.certificate()]);
    let client = client.versions([version]).build().expect("right");
    let listener = listener.with_tls(root.issue(params()).server_tls());
    (client, listener, uri)
}

fn pattern(size: usize) -> Bytes {
    let bytes = (0..size).map(|index| (index % 251).to_le_bytes()[0]);
    bytes.collect()
}

#[tokio::test]
async fn a_message_of_64_mib_comes_back() {
    for (version, size) in SIZES {
        let (tls, listener, uri) = ends(version).await;
        let builder = MessageWebSocket::builder().tls(tls);
        let accepting = async { listener.accept().await?.accept().await };
        let (client, server) = tokio::try_join!(builder.connect(&uri), accepting).unwrap();
        let message = pattern(size);
        let echo = async {
            let message = server.receive().await?.expect("a message");
            server.send(message).await
        };
        let there = async {
            client.send(message.clone()).await?;
            client.receive().await
        };
        let (_, back) = tokio::try_join!(echo, there).unwrap();
        assert!(back.unwrap().into_bytes() == message, "{version}");
    }
}

/// Writes all, and reads all that comes.
async fn transfer(socket: StreamWebSocket, bytes: Bytes) -> std::io::Result<Vec<u8>> {
    let (mut reader, mut writer) = socket.split();
    let write = async {
        writer.write_all(&bytes).await?;
        writer.shutdown().await
    };
    let mut received = Vec::new();
    tokio::try_join!(write, reader.read_to_end(&mut received))?;
    Ok(received)
}

#[tokio::test]
async fn streams_of_64_mib_go_both_ways_at_once() {
    for (version, size) in SIZES {
        let (tls, listener, uri) = ends(version).await;
        let builder = StreamWebSocket::builder().tls(tls);
        let accepting = async { listener.accept().await?.accept_stream().await };
        let (client, server) = tokio::try_join!(builder.connect(&uri), accepting).unwrap();
        let bytes = pattern(size);
        let client = tokio::spawn(transfer(client, bytes.clone()));
        let server = tokio::spawn(transfer(server, bytes.clone()));
        for received in [client.await.unwrap(), server.await.unwrap()] {
            assert!(received.unwrap() == bytes, "{version}");
        }
    }
}

/// Configurations for both ends of TLS that are not this library's.
fn configurations() -> (ClientConfig, ServerConfig) {
    let root = Authority::root();
    let leaf = root.issue(params());
    let provider = Arc::new(ring::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(root.issuer().der().clone()).expect("a root");
    let client = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let server = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(
            leaf.chain.into_iter().map(Into::into).collect(),
            leaf.key.try_into().expect("a key"),
        )
        .expect("a certificate");
    (client, server)
}

/// A client, and a server beneath whose TLS is counted.
async fn counted_pair() -> (MessageWebSocket, MessageWebSocket, Arc<Counts>) {
    let (client, server) = configurations();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound");
    let connecting = async {
        let stream = TcpStream::connect(address).await?;
        let name = "localhost".try_into().expect("a name");
        let stream = TlsConnector::from(Arc::new(client)).connect(name, stream);
        Ok(MessageWebSocket::connect_over(stream.await?, "wss://localhost/").await?)
    };
    let accepting = async {
        let (stream, counts) = Counting::new(listener.accept().await?.0);
        let stream = TlsAcceptor::from(Arc::new(server)).accept(stream).await?;
        Ok((AcceptOptions::new().accept(stream).await?, counts))
    };
    let both: std::io::Result<_> = tokio::try_join!(connecting, accepting);
    let (client, (server, counts)) = both.expect("a handshake");
    (client, server, counts)
}

#[tokio::test]
async fn messages_that_follow_each_other_go_out_in_one_write_and_one_record() {
    let (client, server, counts) = counted_pair().await;
    assert_echoes_once(&client, &server).await;
    let (writes, bytes) = (counts.writes(), counts.bytes_written());
    for _ in 0..100 {
        server.send("sixteen bytes...").await.unwrap();
    }
    server.flush().await.unwrap();
    // The first may go out at once, the others together.
    let writes = counts.writes() - writes;
    assert!(writes <= 2, "{writes}");
    // In TLS 1.3 a record costs 22 bytes (RFC 8446 §5.2).
    assert_eq!(counts.bytes_written() - bytes, 100 * (2 + 16) + writes * 22);
    for _ in 0..100 {
        client.receive().await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_header_and_its_payload_are_in_one_record() {
    let (client, server, counts) = counted_pair().await;
    assert_echoes_once(&client, &server).await;
    let bytes = counts.bytes_written();
    let message = pattern((16 << 10) - 4);
    server.send(message.clone()).await.unwrap();
    server.flush().await.unwrap();
    assert_eq!(counts.bytes_written() - bytes, (16 << 10) + 22);
    let received = client.receive().await.unwrap().unwrap();
    assert_eq!(received.into_bytes(), message);
}

/// Has the tickets of TLS 1.3 and the like out of the way.
async fn assert_echoes_once(client: &MessageWebSocket, server: &MessageWebSocket) {
    let echo = async {
        let message = server.receive().await.expect("open").expect("a message");
        server.send(message).await.expect("open");
    };
    tokio::join!(assert_echoes(client), echo);
}

/// A client of the library, and the raw server with TLS that it talks to.
async fn client_of_raw() -> (MessageWebSocket, RawPeer<TlsStream<TcpStream>>) {
    let (client, server) = configurations();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let uri = format!("wss://{}/", listener.local_addr().expect("bound"));
    let builder = MessageWebSocket::builder().tls(ClientTls::from_rustls(client));
    let serving = async {
        let (stream, _) = listener.accept().await?;
        let stream = TlsAcceptor::from(Arc::new(server)).accept(stream).await?;
        RawPeer::server(stream).await
    };
    let (client, raw) = tokio::join!(builder.connect(&uri), serving);
    (client.expect("a handshake"), raw.expect("a handshake"))
}

#[tokio::test]
async fn tls_that_is_cut_off_is_no_end_but_a_lost_connection() {
    let (client, mut raw) = client_of_raw().await;
    raw.send(&[wire::text("all there is")]).await.unwrap();
    let (mut tcp, _) = raw.stream.into_inner();
    tcp.shutdown().await.unwrap();
    assert!(client.receive().await.unwrap().is_some());
    let error = client.receive().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionLost);
    assert_eq!(error.status(), WebErrorStatus::ConnectionAborted);
    let closed = client.closed().unwrap();
    assert_eq!(closed.failure(), Some(&Failure::EndOfStream));
}

#[tokio::test]
async fn tls_that_ends_without_a_close_frame_is_a_lost_connection_too() {
    let (client, mut raw) = client_of_raw().await;
    raw.stream.shutdown().await.unwrap();
    let error = client.receive().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionLost);
    assert_eq!(
        client.closed().unwrap().failure(),
        Some(&Failure::EndOfStream)
    );
}

#[tokio::test]
async fn a_clean_close_needs_no_end_of_tls() {
    let (client, mut raw) = client_of_raw().await;
    let closing = tokio::spawn(async move {
        client.close(CloseCode::NORMAL, "done").await.unwrap();
        client.closed().unwrap()
    });
    let close = raw.receive().await.unwrap().unwrap();
    raw.send(&[close]).await.unwrap();
    raw.stream.flush().await.unwrap();
    // TCP alone is ended, as by many servers.
    let (mut tcp, _) = raw.stream.into_inner();
    tcp.shutdown().await.unwrap();
    let closed = closing.await.unwrap();
    assert_eq!(closed.failure(), None, "{closed:?}");
}

#[tokio::test]
async fn this_end_says_that_its_tls_ends() {
    let (client, mut raw) = client_of_raw().await;
    let closing = tokio::spawn(async move { client.close(CloseCode::NORMAL, "").await });
    let close = raw.receive().await.unwrap().unwrap();
    raw.send(&[close]).await.unwrap();
    raw.stream.shutdown().await.unwrap();
    // Without a close_notify this would be an error.
    assert_eq!(raw.receive().await.unwrap(), None);
    closing.await.unwrap().unwrap();
}

#[tokio::test]
async fn an_alert_in_the_middle_is_a_lost_connection() {
    let (client, raw) = client_of_raw().await;
    let (mut tcp, _) = raw.stream.into_inner();
    tcp.write_all(&[23, 3, 3, 0, 32]).await.unwrap();
    tcp.write_all(&[7; 32]).await.unwrap();
    let error = client.receive().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionLost);
    assert_eq!(client.closed().unwrap().failure(), Some(&Failure::Network));
}
