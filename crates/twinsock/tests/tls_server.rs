//! A server's settings of TLS, and clients that do not keep to them.

mod certificates;

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use certificates::{
    Authority, Leaf, Server, assert_echoes, authority_params, params, params_for, short,
};
use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use twinsock::http::StatusCode;
use twinsock::{
    AcceptOptions, CertificateError, ClientCertificates, ClientTls, Error, ErrorKind, Information,
    Listener, MessageWebSocket, ServerTls, Timeout, TlsVersion,
};

/// Long enough for all that is to happen at once.
const SOON: Duration = Duration::from_secs(10);

async fn listener(tls: ServerTls) -> (Listener, String) {
    let listener = Listener::bind("127.0.0.1:0").await.expect("a port");
    let listener = listener.with_tls(tls);
    let uri = format!("wss://localhost:{}/", listener.local_address().port());
    (listener, uri)
}

fn client(root: &Authority, name: &str) -> Leaf {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    root.issue(params)
}

#[tokio::test]
async fn a_client_that_speaks_plain_http_is_told_so() {
    let root = Authority::root();
    let (listener, _) = listener(root.issue(params()).server_tls()).await;
    let uri = format!("ws://{}/", listener.local_address());
    let accepting = async { listener.accept().await?.accept().await };
    let (client, server) = tokio::join!(MessageWebSocket::connect(&uri), accepting);
    let (client, server) = (client.unwrap_err(), server.unwrap_err());
    assert_eq!(server.kind(), ErrorKind::TlsFailed);
    assert!(server.to_string().contains("plain HTTP"), "{server}");
    assert_eq!(client.kind(), ErrorKind::HandshakeRefused);
    let response = client.response().unwrap();
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    let body = String::from_utf8_lossy(response.body());
    assert!(body.contains("wss") && body.ends_with('\n'), "{body}");
}

#[tokio::test]
async fn a_client_that_speaks_nonsense_fails() {
    let root = Authority::root();
    let (listener, _) = listener(root.issue(params()).server_tls()).await;
    for nonsense in [
        &b"\x16\x03\x01\x00\x05hello"[..],
        &[0; 100],
        b"\x80\x2e\x01",
    ] {
        let mut stream = TcpStream::connect(listener.local_address()).await.unwrap();
        stream.write_all(nonsense).await.unwrap();
        stream.shutdown().await.unwrap();
        let accepting = listener.accept().await.unwrap().accept();
        let error = timeout(SOON, accepting).await.unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TlsFailed, "{nonsense:?}");
    }
}

#[tokio::test]
async fn a_client_that_says_nothing_keeps_no_other_waiting_and_runs_out_of_time() {
    let root = Authority::root();
    let (listener, uri) = listener(root.issue(params()).server_tls()).await;
    let options = AcceptOptions::new().timeouts(short());
    let listener = listener.with_options(options);
    let silent = TcpStream::connect(listener.local_address()).await.unwrap();
    let mut partly = TcpStream::connect(listener.local_address()).await.unwrap();
    partly.write_all(&[22, 3, 1, 2, 0, 1]).await.unwrap();
    let first = tokio::spawn(listener.accept().await.unwrap().accept());
    let second = tokio::spawn(listener.accept().await.unwrap().accept());
    let builder = MessageWebSocket::builder().tls(root.trusted());
    let third = async { listener.accept().await?.accept().await };
    let (client, third) = tokio::join!(builder.connect(&uri), third);
    assert!(client.is_ok() && third.is_ok());
    for silent in [first, second] {
        let error = silent.await.unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout(Timeout::Tls));
    }
    drop((silent, partly));
}

/// What came of a connection at both ends: the server's information, and the client's error.
async fn meet(
    server: ServerTls,
    client: ClientTls,
) -> (Result<Information, Error>, Result<(), Error>) {
    let (listener, uri) = listener(server).await;
    let serving = tokio::spawn(async move {
        let handshake = listener.accept().await?.receive_request().await?;
        let shown = handshake
            .tls()
            .and_then(|tls| tls.peer_certificate().cloned());
        let socket = handshake.accept().await?;
        let information = socket.information().clone();
        assert_eq!(information.server_certificate(), None);
        assert_eq!(
            information.tls().and_then(|tls| tls.peer_certificate()),
            shown.as_ref()
        );
        let _ = socket.receive().await;
        Ok(information)
    });
    let connecting = MessageWebSocket::builder().tls(client).connect(&uri);
    let connected = timeout(SOON, connecting).await.expect("in time").map(drop);
    let served = timeout(SOON, serving).await.expect("in time");
    (served.expect("no panic"), connected)
}

#[tokio::test]
async fn a_clients_certificate_is_asked_for_as_it_was_set() {
    let root = Authority::root();
    let ours = Authority::of(authority_params("our clients"));
    let other = Authority::of(authority_params("other clients"));
    let (known, stranger) = (client(&ours, "known"), client(&other, "stranger"));
    let of_ours = || vec![ours.certificate()];
    for (asked, shown, expected) in [
        (ClientCertificates::NotAsked, Some(&known), Some(None)),
        (ClientCertificates::Optional(of_ours()), None, Some(None)),
        (
            ClientCertificates::Optional(of_ours()),
            Some(&known),
            Some(Some(&known)),
        ),
        (
            ClientCertificates::Optional(of_ours()),
            Some(&stranger),
            None,
        ),
        (
            ClientCertificates::Required(of_ours()),
            Some(&known),
            Some(Some(&known)),
        ),
        (ClientCertificates::Required(of_ours()), None, None),
        (
            ClientCertificates::Required(of_ours()),
            Some(&stranger),
            None,
        ),
    ] {
        let server = ServerTls::builder(root.issue(params()).identity());
        let server = server.client_certificates(asked).build().unwrap();
        for version in [TlsVersion::Tls12, TlsVersion::Tls13] {
            let client = ClientTls::builder().only_roots([root.certificate()]);
            let client = match shown {
                Some(shown) => client.identity(shown.identity()),
                None => client,
            };
            let client = client.versions([version]).build().unwrap();
            assert_met(meet(server.clone(), client).await, expected);
        }
    }
}

/// That a connection with the client's certificate or without one came to be, or none.
fn assert_met(
    (served, connected): (Result<Information, Error>, Result<(), Error>),
    expected: Option<Option<&Leaf>>,
) {
    let Some(expected) = expected else {
        let error = connected.expect_err("no connection");
        assert_eq!(error.kind(), ErrorKind::TlsFailed, "{error:?}");
        let error = served.expect_err("no connection");
        assert_eq!(error.kind(), ErrorKind::TlsFailed, "{error:?}");
        return;
    };
    connected.expect("a connection");
    let served = served.expect("a connection");
    let seen = served.tls().and_then(|tls| tls.peer_certificate());
    assert_eq!(seen, expected.map(Leaf::certificate).as_ref());
}

#[test]
fn client_certificates_need_a_root() {
    let identity = Authority::root().issue(params()).identity();
    for none in [
        ClientCertificates::Optional(Vec::new()),
        ClientCertificates::Required(Vec::new()),
    ] {
        let builder = ServerTls::builder(identity.clone()).client_certificates(none);
        assert_eq!(
            builder.build().unwrap_err().kind(),
            ErrorKind::InvalidArgument
        );
    }
    let builder = ServerTls::builder(identity).versions([]);
    assert_eq!(
        builder.build().unwrap_err().kind(),
        ErrorKind::InvalidArgument
    );
}

/// A client that resumes nothing and so sees the certificate of the moment.
fn fresh(root: &Authority) -> ClientTls {
    let builder = ClientTls::builder().only_roots([root.certificate()]);
    builder.without_resumption().build().expect("right")
}

fn shown(socket: &MessageWebSocket) -> Vec<u8> {
    let certificate = socket.information().server_certificate().expect("TLS");
    certificate.as_der().to_vec()
}

#[tokio::test]
async fn a_certificate_is_exchanged_under_traffic() {
    let root = Authority::root();
    let (old, new) = (root.issue(params()), root.issue(params()));
    let tls = old.server_tls();
    let server = Server::start(tls.clone()).await;
    let builder = MessageWebSocket::builder().tls(fresh(&root));
    let before = builder.connect(&server.uri()).await.unwrap();
    assert_eq!(shown(&before), old.chain[0]);
    let traffic = async {
        for _ in 0..100 {
            assert_echoes(&before).await;
        }
    };
    let reload = async {
        tokio::task::yield_now().await;
        tls.reload(new.identity()).unwrap();
        let builder = MessageWebSocket::builder().tls(fresh(&root));
        let after = builder.connect(&server.uri()).await.unwrap();
        assert_eq!(shown(&after), new.chain[0]);
        assert_echoes(&after).await;
    };
    tokio::join!(traffic, reload);
    assert_eq!(shown(&before), old.chain[0]);
    let callers = new.unchecked_server_tls();
    let error = callers.reload(old.identity()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::IllegalCall);
}

#[tokio::test]
async fn each_name_has_its_certificate() {
    let root = Authority::root();
    let (default, named) = (root.issue(params()), root.issue(params_for("localhost")));
    let builder = ServerTls::builder(default.identity());
    let tls = builder
        .identity_for("LocalHost", named.identity())
        .build()
        .unwrap();
    let server = Server::start(tls.clone()).await;
    let by_address = server.uri().replace("localhost", "127.0.0.1");
    for (uri, expected) in [(server.uri(), &named), (by_address, &default)] {
        let builder = MessageWebSocket::builder().tls(fresh(&root));
        assert_eq!(
            shown(&builder.connect(&uri).await.unwrap()),
            expected.chain[0]
        );
    }
    let renewed = root.issue(params());
    tls.reload_for("localhost", renewed.identity()).unwrap();
    let builder = MessageWebSocket::builder().tls(fresh(&root));
    assert_eq!(
        shown(&builder.connect(&server.uri()).await.unwrap()),
        renewed.chain[0]
    );
}

#[tokio::test]
async fn a_server_may_resume_nothing() {
    let root = Authority::root();
    let builder = ServerTls::builder(root.issue(params()).identity());
    let server = Server::start(builder.without_resumption().build().unwrap()).await;
    for version in [TlsVersion::Tls12, TlsVersion::Tls13] {
        let builder = ClientTls::builder().only_roots([root.certificate()]);
        let tls = builder.versions([version]).build().unwrap();
        for _ in 0..2 {
            let builder = MessageWebSocket::builder().tls(tls.clone());
            let socket = builder.connect(&server.uri()).await.unwrap();
            assert_echoes(&socket).await;
            assert!(!socket.information().tls().unwrap().is_resumed());
        }
    }
}

#[tokio::test]
async fn tcp_may_be_taken_from_a_port_with_tls() {
    let root = Authority::root();
    let (listener, _) = listener(root.issue(params()).server_tls()).await;
    let mut client = TcpStream::connect(listener.local_address()).await.unwrap();
    let mut server = listener.accept().await.unwrap().into_stream();
    client.write_all(b"x").await.unwrap();
    assert_eq!(server.read_u8().await.unwrap(), b'x');
}

#[tokio::test]
async fn a_stream_is_accepted_over_tls() {
    let root = Authority::root();
    let (listener, uri) = listener(root.issue(params()).server_tls()).await;
    let builder = twinsock::StreamWebSocket::builder().tls(root.trusted());
    let accepting = async { listener.accept().await?.accept_stream().await };
    let (client, server) = tokio::join!(builder.connect(&uri), accepting);
    let (mut client, mut server) = (client.unwrap(), server.unwrap());
    client.write_all(b"as over TCP").await.unwrap();
    client.flush().await.unwrap();
    let mut received = [0; 11];
    server.read_exact(&mut received).await.unwrap();
    assert_eq!(&received, b"as over TCP");
}

/// What a future comes to, unless it takes more polls than these.
async fn within_polls<F: Future>(future: F, most: usize) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut polls = 0;
    poll_fn(|context| {
        if polls == most {
            return Poll::Ready(None);
        }
        polls += 1;
        future.as_mut().poll(context).map(Some)
    })
    .await
}

#[tokio::test]
async fn a_client_that_is_dropped_at_any_poll_leaves_no_connection() {
    let root = Authority::root();
    let tls = root.trusted();
    let (listener, uri) = listener(root.issue(params()).server_tls()).await;
    let uri = uri.replace("localhost", "127.0.0.1");
    let mut came = 0;
    for polls in 1.. {
        let builder = MessageWebSocket::builder().tls(tls.clone());
        let uri = uri.clone();
        let connecting = async move { builder.connect(&uri).await };
        let connecting = async move { within_polls(connecting, polls).await.is_some() };
        let connecting = tokio::spawn(connecting);
        let accepting = timeout(Duration::from_millis(200), listener.accept());
        let Ok(incoming) = accepting.await else {
            continue;
        };
        came += 1;
        let serving = async { incoming?.accept().await?.receive().await };
        let ended = timeout(SOON, serving).await.expect("an end");
        if connecting.await.unwrap() {
            break;
        }
        assert!(ended.is_err(), "after {polls} polls");
    }
    assert!(came > 2, "{came}");
}

#[tokio::test]
async fn a_server_that_is_dropped_at_any_poll_leaves_no_connection() {
    let root = Authority::root();
    let tls = root.trusted();
    let (listener, uri) = listener(root.issue(params()).server_tls()).await;
    for polls in 0.. {
        let builder = MessageWebSocket::builder().tls(tls.clone());
        let uri = uri.clone();
        let connecting = tokio::spawn(async move { builder.connect(&uri).await });
        let incoming = listener.accept().await.unwrap();
        let accepted = within_polls(incoming.accept(), polls).await;
        let connected = timeout(SOON, connecting).await.expect("an end").unwrap();
        if let Some(accepted) = accepted {
            assert!(accepted.is_ok() && connected.is_ok());
            assert!(polls > 2, "{polls}");
            return;
        }
        assert!(connected.is_err(), "after {polls} polls");
    }
}

#[tokio::test]
async fn a_server_without_the_clients_trust_learns_of_it() {
    let leaf = Authority::root().issue(params());
    let (served, connected) = meet(leaf.server_tls(), Authority::root().trusted()).await;
    assert_eq!(served.unwrap_err().kind(), ErrorKind::TlsFailed);
    let error = connected.unwrap_err();
    assert!(
        !error
            .certificate_errors()
            .contains(&CertificateError::OtherErrors)
    );
    assert_eq!(error.kind(), ErrorKind::CertificateRejected);
}

#[test]
fn an_identity_shows_its_certificate() {
    let leaf = Authority::root().issue(params());
    assert_eq!(leaf.identity().certificate(), Some(leaf.certificate()));
}
