//! Protocols made for TCP run over a byte stream unchanged.

use std::future::poll_fn;
use std::io;
use std::pin::pin;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::SendRequest;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::compat::{Compat, FuturesAsyncReadCompatExt, TokioAsyncReadCompatExt};
use twinsock::StreamWebSocket;
use twinsock_testkit::streams::{pair_over, tcp_pair};

const MIB: usize = 1024 * 1024;

async fn streams() -> io::Result<(StreamWebSocket, StreamWebSocket)> {
    let (near, far) = tcp_pair().await?;
    Ok(pair_over(near, far).await?)
}

fn some_bytes(count: usize) -> Vec<u8> {
    (0..=250).cycle().take(count).collect()
}

// ---- HTTP/1 ----

async fn echo_body(
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Box<dyn std::error::Error + Send + Sync>> {
    let body = request.into_body().collect().await?;
    Ok(Response::new(Full::new(body.to_bytes())))
}

fn serve_http(stream: StreamWebSocket) -> JoinHandle<hyper::Result<()>> {
    let server = hyper::server::conn::http1::Builder::new();
    tokio::spawn(server.serve_connection(TokioIo::new(stream), service_fn(echo_body)))
}

async fn ask(client: &mut SendRequest<Full<Bytes>>, body: Vec<u8>) -> hyper::Result<Bytes> {
    client.ready().await?;
    let request = Request::post("/").header("host", "localhost");
    let request = request.body(Full::from(body)).expect("a good request");
    let response = client.send_request(request).await?;
    Ok(response.into_body().collect().await?.to_bytes())
}

#[tokio::test]
async fn http_requests_follow_each_other_on_one_stream() -> Result<(), Box<dyn std::error::Error>> {
    let (near, far) = streams().await?;
    let serving = serve_http(far);
    let (mut client, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(near)).await?;
    let connection = tokio::spawn(connection);
    for size in [0, 1, 1000, 5 * MIB, 1, 100_000] {
        let body = some_bytes(size);
        assert!(ask(&mut client, body.clone()).await? == body, "{size}");
    }
    drop(client);
    connection.await??;
    serving.await??;
    Ok(())
}

#[tokio::test]
async fn an_http_body_without_a_length_ends_with_the_stream() -> io::Result<()> {
    let (mut near, far) = streams().await?;
    let serving = serve_http(far);
    let request = "POST / HTTP/1.0\r\ncontent-length: 5\r\n\r\nhello";
    near.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    near.read_to_string(&mut answer).await?;
    assert!(answer.starts_with("HTTP/1.0 200 OK\r\n"), "{answer}");
    assert!(answer.ends_with("\r\n\r\nhello"), "{answer}");
    near.shutdown().await?;
    serving.await?.map_err(io::Error::other)
}

// ---- yamux ----

type Session = yamux::Connection<Compat<StreamWebSocket>>;

fn session(stream: StreamWebSocket, mode: yamux::Mode) -> Session {
    yamux::Connection::new(stream.compat(), yamux::Config::default(), mode)
}

/// Echoes on every stream until the session ends.
async fn serve_session(mut session: Session) -> Result<usize, yamux::ConnectionError> {
    let mut echoes = JoinSet::new();
    while let Some(stream) = poll_fn(|context| session.poll_next_inbound(context)).await {
        let (mut reader, mut writer) = tokio::io::split(stream?.compat());
        echoes.spawn(async move {
            tokio::io::copy(&mut reader, &mut writer).await?;
            writer.shutdown().await
        });
    }
    Ok(echoes
        .join_all()
        .await
        .into_iter()
        .filter(Result::is_ok)
        .count())
}

/// Sends so much on a stream and gets it back.
async fn use_stream(stream: yamux::Stream, size: usize) -> io::Result<()> {
    let sent = some_bytes(size);
    let (mut reader, mut writer) = tokio::io::split(stream.compat());
    let mut received = Vec::new();
    let (written, read) = tokio::join!(
        async {
            writer.write_all(&sent).await?;
            writer.shutdown().await
        },
        reader.read_to_end(&mut received)
    );
    written?;
    read?;
    assert!(received == sent, "{size}");
    Ok(())
}

#[tokio::test]
async fn a_yamux_session_with_twenty_streams() -> Result<(), Box<dyn std::error::Error>> {
    let (near, far) = streams().await?;
    let serving = tokio::spawn(serve_session(session(far, yamux::Mode::Server)));
    let mut client = session(near, yamux::Mode::Client);
    let mut uses = JoinSet::new();
    for number in 1..=20 {
        let stream = poll_fn(|context| client.poll_new_outbound(context)).await?;
        uses.spawn(use_stream(stream, number * 50_000));
    }
    {
        let mut all = pin!(uses.join_all());
        let driving = poll_fn(|context| client.poll_next_inbound(context));
        tokio::select! {
            results = &mut all => assert!(results.into_iter().all(|result| result.is_ok())),
            _ = driving => unreachable!("the server opens no stream"),
        }
    }
    poll_fn(|context| client.poll_close(context)).await?;
    assert_eq!(serving.await??, 20);
    Ok(())
}
