//! Through a proxy that wants a user, to a server that wants another one.
//!
//! `cargo run -p twinsock --example proxy_and_credentials`
//!
//! Proxy and server are small ones in the same process. Without `proxy` a client takes the proxy
//! that the environment names, and its user from there too.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::io;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use twinsock::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use twinsock::http::{HeaderValue, Response, StatusCode};
use twinsock::{CloseCode, Credential, Error, Incoming, Listener, MessageWebSocket, Proxy};

/// `for-the-proxy:secret` and `Aladdin:open sesame` in base64, as Basic has them.
const AT_THE_PROXY: &str = "Basic Zm9yLXRoZS1wcm94eTpzZWNyZXQ=";
const AT_THE_SERVER: &str = "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==";

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let listener = Listener::bind("127.0.0.1:0").await?;
    let uri = format!("ws://{}/", listener.local_address());
    tokio::spawn(serve(listener));
    let port = TcpListener::bind("127.0.0.1:0").await?;
    let proxy = Proxy::parse(&format!("http://{}", port.local_addr()?))?;
    tokio::spawn(run_proxy(port));

    let builder = MessageWebSocket::builder().proxy(proxy.clone());
    match builder.connect(&uri).await {
        Ok(_) => println!("the proxy asked for nobody"),
        Err(error) => println!("without a user: {error} ({:?})", error.kind()),
    }

    let socket = MessageWebSocket::builder()
        .proxy(proxy)
        .proxy_credential(Credential::new("for-the-proxy", "secret")?)
        .server_credential(Credential::new("Aladdin", "open sesame")?)
        .connect(&uri)
        .await?;
    if let Some(report) = socket.information().connect_report() {
        report.steps().iter().for_each(|step| println!("{step}"));
    }
    socket.send_text("Hello, world!").await?;
    println!("{:?}", socket.receive().await?);
    Ok(socket.close(CloseCode::NORMAL, "done").await?)
}

async fn serve(listener: Listener) -> Result<(), Error> {
    loop {
        let incoming = listener.accept().await?;
        tokio::spawn(answer(incoming));
    }
}

/// An echo server for one user.
async fn answer(incoming: Incoming) -> Result<(), Error> {
    let handshake = incoming.receive_request().await?;
    let user = handshake.request().headers().get(AUTHORIZATION);
    if user.is_none_or(|user| user != AT_THE_SERVER) {
        let mut refusal = Response::new("who are you?");
        *refusal.status_mut() = StatusCode::UNAUTHORIZED;
        let challenge = HeaderValue::from_static("Basic realm=\"the cave\"");
        refusal.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        return handshake.reject_with(refusal).await;
    }
    let socket = handshake.accept().await?;
    while let Some(message) = socket.receive().await? {
        socket.send(message).await?;
    }
    Ok(())
}

async fn run_proxy(port: TcpListener) -> io::Result<()> {
    loop {
        let (client, _) = port.accept().await?;
        tokio::spawn(tunnel(client));
    }
}

/// HTTP CONNECT for one user: just enough for this example.
async fn tunnel(client: TcpStream) -> io::Result<()> {
    let mut client = BufReader::new(client);
    let (mut request, mut line, mut is_known) = (String::new(), String::new(), false);
    client.read_line(&mut request).await?;
    while client.read_line(&mut line).await? > 2 {
        is_known |= line.trim_end().ends_with(AT_THE_PROXY);
        line.clear();
    }
    if !is_known {
        let refusal = "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\
            Proxy-Authenticate: Basic realm=\"the way out\"\r\nConnection: close\r\n\r\n";
        return client.write_all(refusal.as_bytes()).await;
    }
    let destination = request.split(' ').nth(1).unwrap_or_default();
    let mut server = TcpStream::connect(destination).await?;
    client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
    copy_bidirectional(&mut client, &mut server).await?;
    Ok(())
}
