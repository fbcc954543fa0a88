//! A server with TLS that renews its certificate while a client is connected.
//!
//! `cargo run -p twinsock --example tls_server`
//!
//! The certificates are made on the spot. Those of a real server are in files, which it reads again
//! when it is told that they were renewed.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use rcgen::{CertifiedKey, generate_simple_self_signed};
use twinsock::{
    Certificate, ClientTls, CloseCode, Error, Identity, Incoming, Listener, MessageWebSocket,
    ProxyChoice, ServerTls,
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (first, mut roots) = new_certificate()?;
    let (renewed, others) = new_certificate()?;
    roots.extend(others);

    let server = ServerTls::new(first)?;
    let listener = Listener::bind("127.0.0.1:0").await?;
    let listener = listener.with_tls(server.clone());
    let uri = format!("wss://{}/", listener.local_address());
    tokio::spawn(serve(listener));

    // A client that resumes a session is not shown the certificate again.
    let client = ClientTls::builder().only_roots(roots);
    let client = client.without_resumption().build()?;
    let early = connect(&uri, &client).await?;
    show("before", &early);
    server.reload(renewed)?;
    let late = connect(&uri, &client).await?;
    show("after", &late);

    early.send_text("still here").await?;
    println!("the first connection: {:?}", early.receive().await?);
    early.close(CloseCode::NORMAL, "").await?;
    Ok(late.close(CloseCode::NORMAL, "").await?)
}

/// A certificate for this machine, and what a client has to trust for it.
fn new_certificate() -> Result<(Identity, Vec<Certificate>), Box<dyn std::error::Error>> {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["127.0.0.1".to_owned()])?;
    let identity = Identity::from_pem(cert.pem(), signing_key.serialize_pem())?;
    Ok((identity, Certificate::from_pem(cert.pem())?))
}

async fn connect(uri: &str, tls: &ClientTls) -> Result<MessageWebSocket, Error> {
    let builder = MessageWebSocket::builder().tls(tls.clone());
    // The server is on this machine.
    builder.proxy(ProxyChoice::Direct).connect(uri).await
}

fn show(when: &str, socket: &MessageWebSocket) {
    if let Some(certificate) = socket.information().server_certificate() {
        let [first, second, ..] = certificate.sha256();
        println!("{when}: a certificate with the fingerprint {first:02x}{second:02x}…");
    }
}

async fn serve(listener: Listener) -> Result<(), Error> {
    loop {
        let incoming = listener.accept().await?;
        tokio::spawn(echo(incoming));
    }
}

async fn echo(incoming: Incoming) -> Result<(), Error> {
    let socket = incoming.accept().await?;
    while let Some(message) = socket.receive().await? {
        socket.send(message).await?;
    }
    Ok(())
}
