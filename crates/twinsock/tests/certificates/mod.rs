//! Certificates made on the spot, and servers that show them.

#![allow(dead_code, reason = "each test file uses its part")]

use std::net::SocketAddr;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, SanType,
};
use tokio::task::JoinHandle;
use twinsock::rustls::ServerConfig;
use twinsock::rustls::crypto::ring;
use twinsock::rustls::server::{ClientHello, ResolvesServerCert};
use twinsock::rustls::sign::CertifiedKey;
use twinsock::{
    AcceptOptions, Certificate, ClientTls, Error, Identity, Incoming, Listener, MessageWebSocket,
    ServerTls, Timeouts,
};

/// Who issues certificates.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    /// From itself up to the root, which is left out.
    chain: Vec<Vec<u8>>,
}

/// A certificate with its key and the chain that is sent with it.
pub(crate) struct Leaf {
    pub(crate) chain: Vec<Vec<u8>>,
    pub(crate) key: Vec<u8>,
}

/// What an authority is made of.
pub(crate) fn authority_params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

/// What a server's certificate for `localhost` is made of, with nothing wrong.
pub(crate) fn params() -> CertificateParams {
    let names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
    let mut params = CertificateParams::new(names).expect("made right");
    params
        .distinguished_name
        .push(DnType::CommonName, "a server");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params
}

/// The same for another name alone.
pub(crate) fn params_for(name: &str) -> CertificateParams {
    let mut params = params();
    params.subject_alt_names = vec![SanType::DnsName(name.try_into().expect("made right"))];
    params
}

impl Authority {
    pub(crate) fn root() -> Self {
        Self::of(authority_params("a root"))
    }

    pub(crate) fn of(params: CertificateParams) -> Self {
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().expect("made right"))
            .expect("made right");
        let chain = Vec::new();
        Self { issuer, chain }
    }

    /// An authority beneath this one.
    pub(crate) fn intermediate(&self, params: CertificateParams) -> Self {
        let key = KeyPair::generate().expect("made right");
        let issuer = CertifiedIssuer::signed_by(params, key, &self.issuer).expect("made right");
        let mut chain = vec![issuer.der().to_vec()];
        chain.extend(self.chain.iter().cloned());
        Self { issuer, chain }
    }

    pub(crate) fn issuer(&self) -> &CertifiedIssuer<'static, KeyPair> {
        &self.issuer
    }

    pub(crate) fn certificate(&self) -> Certificate {
        Certificate::from_der(self.issuer.der().to_vec()).expect("made right")
    }

    pub(crate) fn issue(&self, params: CertificateParams) -> Leaf {
        let key = KeyPair::generate().expect("made right");
        let leaf = params.signed_by(&key, &self.issuer).expect("made right");
        let mut chain = vec![leaf.der().to_vec()];
        chain.extend(self.chain.iter().cloned());
        let key = key.serialize_der();
        Leaf { chain, key }
    }

    /// A client's settings that trust this root alone.
    pub(crate) fn trusted(&self) -> ClientTls {
        let builder = ClientTls::builder().only_roots([self.certificate()]);
        builder.build().expect("made right")
    }
}

impl Leaf {
    pub(crate) fn self_signed(params: CertificateParams) -> Self {
        let key = KeyPair::generate().expect("made right");
        let leaf = params.self_signed(&key).expect("made right");
        Self {
            chain: vec![leaf.der().to_vec()],
            key: key.serialize_der(),
        }
    }

    pub(crate) fn certificate(&self) -> Certificate {
        Certificate::from_der(self.chain[0].clone()).expect("made right")
    }

    pub(crate) fn identity(&self) -> Identity {
        let chain = self.chain.iter().cloned();
        let chain = chain.map(|der| Certificate::from_der(der).expect("made right"));
        Identity::from_der(chain, self.key.clone()).expect("made right")
    }

    pub(crate) fn server_tls(&self) -> ServerTls {
        ServerTls::new(self.identity()).expect("made right")
    }

    /// The same without a look at the certificate.
    pub(crate) fn unchecked_server_tls(&self) -> ServerTls {
        let provider = Arc::new(ring::default_provider());
        let key = self.key.clone().try_into().expect("made right");
        let key = provider
            .key_provider
            .load_private_key(key)
            .expect("made right");
        let chain = self.chain.iter().cloned().map(Into::into).collect();
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("made right")
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(Unchecked(Arc::new(CertifiedKey::new(chain, key)))));
        ServerTls::from_rustls(config)
    }
}

#[derive(Debug)]
struct Unchecked(Arc<CertifiedKey>);

impl ResolvesServerCert for Unchecked {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

/// An echo server with TLS, until it is dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    accepting: JoinHandle<()>,
}

impl Server {
    pub(crate) async fn start(tls: ServerTls) -> Self {
        Self::start_with(tls, AcceptOptions::new()).await
    }

    pub(crate) async fn start_with(tls: ServerTls, options: AcceptOptions) -> Self {
        let listener = Listener::bind("127.0.0.1:0").await.expect("made right");
        let listener = listener.with_options(options).with_tls(tls);
        let address = listener.local_address();
        let accepting = tokio::spawn(async move {
            while let Ok(incoming) = listener.accept().await {
                tokio::spawn(echo(incoming));
            }
        });
        Self { address, accepting }
    }

    pub(crate) fn uri(&self) -> String {
        format!("wss://localhost:{}/", self.address.port())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn echo(incoming: Incoming) -> Result<(), Error> {
    let socket = incoming.accept().await?;
    while let Some(message) = socket.receive().await? {
        socket.send(message).await?;
    }
    Ok(())
}

/// That a message comes back.
pub(crate) async fn assert_echoes(socket: &MessageWebSocket) {
    socket.send_text("echo").await.expect("made right");
    let message = socket
        .receive()
        .await
        .expect("made right")
        .expect("made right");
    assert_eq!(message.as_text(), Some("echo"));
}

/// Timeouts short enough for a test that waits for one.
pub(crate) fn short() -> Timeouts {
    let short = std::time::Duration::from_millis(200);
    Timeouts {
        tls: short,
        accept: short,
        ..Timeouts::default()
    }
}
