//! Client authentication: a server that lets in only who shows a certificate of its authority.
//!
//! `cargo run -p twinsock --example client_authentication`
//!
//! The certificates are made on the spot. Those of a real server and its clients are in files, whose
//! content `Certificate::from_pem` and `Identity::from_pem` take.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use twinsock::{
    Certificate, ClientCertificates, ClientTls, Error, Identity, Incoming, Listener, ProxyChoice,
    ServerTls, StreamWebSocket,
};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

#[tokio::main]
async fn main() -> Outcome<()> {
    let authority = Authority::new()?;
    let roots = Certificate::from_pem(authority.0.pem())?;

    let clients = ClientCertificates::Required(roots.clone());
    let server = ServerTls::builder(authority.issue("127.0.0.1")?).client_certificates(clients);
    let listener = Listener::bind("127.0.0.1:0").await?;
    let listener = listener.with_tls(server.build()?);
    let uri = format!("wss://{}/", listener.local_address());
    tokio::spawn(serve(listener));

    let stranger = ClientTls::builder().only_roots(roots.clone()).build()?;
    match connect(&uri, stranger).await {
        Ok(_) => println!("a client without a certificate was let in"),
        Err(error) => println!("without a certificate: {error} ({:?})", error.kind()),
    }

    let known = ClientTls::builder()
        .only_roots(roots)
        .identity(authority.issue("alice.example")?)
        .build()?;
    let mut stream = connect(&uri, known).await?;
    let mut greeting = String::new();
    stream.read_to_string(&mut greeting).await?;
    println!("with one: {greeting}");
    Ok(stream.shutdown().await?)
}

async fn connect(uri: &str, tls: ClientTls) -> Result<StreamWebSocket, Error> {
    let builder = StreamWebSocket::builder().tls(tls);
    // The server is on this machine.
    builder.proxy(ProxyChoice::Direct).connect(uri).await
}

async fn serve(listener: Listener) -> Result<(), Error> {
    loop {
        let incoming = listener.accept().await?;
        tokio::spawn(async move {
            if let Err(error) = greet(incoming).await {
                println!("the server: {error}");
            }
        });
    }
}

/// Greets the client by the name in its certificate.
async fn greet(incoming: Incoming) -> std::io::Result<()> {
    let mut stream = incoming.accept_stream().await?;
    let information = stream.information();
    let certificate = information.tls().and_then(|tls| tls.peer_certificate());
    let names = certificate.map(Certificate::dns_names).unwrap_or_default();
    let greeting = format!("Hello, {}!", names.join(", "));
    stream.write_all(greeting.as_bytes()).await?;
    Ok(stream.shutdown().await?)
}

/// Who issues the certificates of both ends.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Result<Self, rcgen::Error> {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        CertifiedIssuer::self_signed(params, KeyPair::generate()?).map(Self)
    }

    /// A certificate for `name`, with its key.
    fn issue(&self, name: &str) -> Outcome<Identity> {
        let key = KeyPair::generate()?;
        let certificate = CertificateParams::new([name.to_owned()])?.signed_by(&key, &self.0)?;
        Ok(Identity::from_pem(certificate.pem(), key.serialize_pem())?)
    }
}
