//! A client's settings of TLS.

mod certificates;

use std::future::{pending, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use certificates::{Authority, Leaf, Server, assert_echoes, authority_params, params, short};
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use twinsock::rustls::client::WebPkiServerVerifier;
use twinsock::rustls::crypto::{CryptoProvider, ring};
use twinsock::rustls::{ClientConfig, RootCertStore};
use twinsock::{
    Certificate, CertificateError, ClientTls, ConnectPhase, Error, ErrorKind, Identity,
    MessageWebSocket, RevocationList, ServerTls, Timeout, TlsInformation, TlsVersion, Verdict,
    WebErrorStatus,
};

async fn connect(tls: &ClientTls, uri: &str) -> Result<MessageWebSocket, Error> {
    MessageWebSocket::builder()
        .tls(tls.clone())
        .connect(uri)
        .await
}

/// A root, a server that it has vouched for, and its certificate.
async fn server() -> (Authority, Leaf, Server) {
    let root = Authority::root();
    let leaf = root.issue(params());
    let server = Server::start(leaf.server_tls()).await;
    (root, leaf, server)
}

#[tokio::test]
async fn a_message_comes_back_over_tls() {
    let (root, leaf, server) = server().await;
    let socket = connect(&root.trusted(), &server.uri()).await.unwrap();
    assert_echoes(&socket).await;
    let information = socket.information();
    let tls = information.tls().unwrap();
    assert_eq!(tls.version(), Some(TlsVersion::Tls13));
    assert_eq!(tls.alpn_protocol(), Some(&b"http/1.1"[..]));
    assert!(tls.cipher_suite().starts_with("TLS13_"), "{tls:?}");
    let shown = information.server_certificate().unwrap();
    assert_eq!(shown, &leaf.certificate());
    assert_eq!(shown.dns_names(), ["localhost"]);
    let report = information.connect_report().unwrap();
    let steps: Vec<_> = report.steps().iter().map(|step| step.phase()).collect();
    assert!(steps.ends_with(&[
        ConnectPhase::Connect,
        ConnectPhase::Tls,
        ConnectPhase::Handshake
    ]));
}

#[tokio::test]
async fn intermediates_are_told() {
    let root = Authority::root();
    let issuer = root.intermediate(authority_params("an issuer"));
    let server = Server::start(issuer.issue(params()).server_tls()).await;
    let socket = connect(&root.trusted(), &server.uri()).await.unwrap();
    let intermediates = socket
        .information()
        .server_intermediate_certificates()
        .to_vec();
    assert_eq!(intermediates, [issuer.certificate()]);
}

#[tokio::test]
async fn the_systems_roots_do_not_trust_a_stranger() {
    let (root, _, server) = server().await;
    let error = connect(&ClientTls::default(), &server.uri())
        .await
        .unwrap_err();
    // A system without any roots cannot tell.
    assert!(
        matches!(
            error.kind(),
            ErrorKind::CertificateRejected | ErrorKind::System
        ),
        "{error:?}"
    );
    let tls = ClientTls::builder()
        .extra_roots([root.certificate()])
        .build()
        .unwrap();
    match connect(&tls, &server.uri()).await {
        Ok(socket) => assert_echoes(&socket).await,
        Err(error) => assert_eq!(error.kind(), ErrorKind::System),
    }
}

#[tokio::test]
async fn roots_are_taken_in_pem_and_der() {
    let (root, _, server) = server().await;
    let stranger = Authority::of(authority_params("a stranger"));
    let pem = format!("{}\n{}", stranger.issuer().pem(), root.issuer().pem());
    let roots = Certificate::from_pem(&pem).unwrap();
    assert_eq!(roots, [stranger.certificate(), root.certificate()]);
    let tls = ClientTls::builder().only_roots(roots).build().unwrap();
    assert_echoes(&connect(&tls, &server.uri()).await.unwrap()).await;
    let der = Certificate::from_der(root.issuer().der().to_vec()).unwrap();
    let tls = ClientTls::builder().only_roots([der]).build().unwrap();
    assert_echoes(&connect(&tls, &server.uri()).await.unwrap()).await;
}

#[test]
fn what_cannot_be_read_is_an_invalid_argument() {
    let root = Authority::root();
    let leaf = root.issue(params());
    let pem = root.issuer().pem();
    let broken = pem.replace('M', "?");
    let other = KeyPair::generate().unwrap().serialize_der();
    let chain = || [leaf.certificate()];
    for (error, part) in [
        (Certificate::from_pem("").unwrap_err(), "got none"),
        (Certificate::from_pem(&broken).unwrap_err(), "in PEM, got"),
        (Certificate::from_der([1, 2]).unwrap_err(), "got 2 bytes"),
        (RevocationList::from_pem(&pem).unwrap_err(), "got none"),
        (RevocationList::from_der([1, 2]).unwrap_err(), "got 2 bytes"),
        (Identity::from_pem(&pem, &pem).unwrap_err(), "private key"),
        (
            Identity::from_der(chain(), [1, 2]).unwrap_err(),
            "other bytes",
        ),
        (
            Identity::from_der(chain(), other).unwrap_err(),
            "KeyMismatch",
        ),
        (
            Identity::from_der([], leaf.key.clone()).unwrap_err(),
            "got none",
        ),
        (
            ClientTls::builder().only_roots([]).build().unwrap_err(),
            "got none",
        ),
        (
            ClientTls::builder().versions([]).build().unwrap_err(),
            "got none",
        ),
    ] {
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
        assert!(error.to_string().contains(part), "{error}");
    }
    let secret = format!("{:?}", leaf.identity());
    assert!(!secret.contains("key"), "{secret}");
}

/// A key for tests alone: none of RSA can be made here.
fn rsa_key() -> KeyPair {
    KeyPair::from_pem(include_str!("certificates/rsa_key.pem")).expect("a key")
}

#[tokio::test]
async fn keys_of_every_sort_are_taken() {
    let root = Authority::root();
    let ecdsa_p256 = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    let ecdsa_p384 = KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap();
    let ed25519 = KeyPair::generate_for(&PKCS_ED25519).unwrap();
    let rsa = rsa_key();
    for key in [ecdsa_p256, ecdsa_p384, ed25519, rsa] {
        let leaf = params().signed_by(&key, root.issuer()).unwrap();
        let text = format!("{}{}", key.serialize_pem(), leaf.pem());
        let identity = Identity::from_pem(&text, &text).unwrap();
        let server = Server::start(ServerTls::new(identity).unwrap()).await;
        assert_echoes(&connect(&root.trusted(), &server.uri()).await.unwrap()).await;
    }
}

/// A key in PKCS#1 or SEC1 is the inside of one in PKCS#8 (RFC 5958 §2), which begins at its last
/// octet string.
#[tokio::test]
async fn older_forms_of_keys_are_taken() {
    let root = Authority::root();
    let ecdsa = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    for (key, begin) in [
        (rsa_key(), &[0x30, 0x82, 0x04][..]),
        (ecdsa, &[0x30, 0x6b, 0x02]),
    ] {
        let whole = key.serialize_der();
        let inside = whole.windows(3).rposition(|bytes| bytes == begin).unwrap();
        let leaf = params().signed_by(&key, root.issuer()).unwrap();
        let chain = Certificate::from_der(leaf.der().to_vec()).unwrap();
        let identity = Identity::from_der([chain], &whole[inside..]).unwrap();
        let server = Server::start(ServerTls::new(identity).unwrap()).await;
        assert_echoes(&connect(&root.trusted(), &server.uri()).await.unwrap()).await;
    }
}

#[tokio::test]
async fn only_the_versions_asked_for_are_spoken() {
    let root = Authority::root();
    let identity = root.issue(params()).identity();
    let only = |version| {
        let builder = ClientTls::builder().only_roots([root.certificate()]);
        builder.versions([version]).build().unwrap()
    };
    let (old, new) = (TlsVersion::Tls12, TlsVersion::Tls13);
    let of_old = ServerTls::builder(identity)
        .versions([old])
        .build()
        .unwrap();
    let of_old = Server::start(of_old).await;
    let (_, _, of_all) = server().await;
    let socket = connect(&only(old), &of_old.uri()).await.unwrap();
    assert_echoes(&socket).await;
    assert_eq!(socket.information().tls().unwrap().version(), Some(old));
    let error = connect(&only(new), &of_old.uri()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TlsFailed);
    assert_eq!(error.status(), WebErrorStatus::CannotConnect);
    // The other server has another root, but a version comes before a certificate.
    let error = connect(&only(old), &of_all.uri()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::CertificateRejected);
}

#[tokio::test]
async fn a_pin_is_asked_for_beside_all_else() {
    let (root, leaf, server) = server().await;
    let builder = || ClientTls::builder().only_roots([root.certificate()]);
    let pin = leaf.certificate().sha256();
    let key = leaf.certificate().public_key_sha256().unwrap();
    for right in [
        builder().pin_certificate(pin),
        builder().pin_certificate([0; 32]).pin_certificate(pin),
        builder().pin_public_key(key),
        builder().pin_certificate([0; 32]).pin_public_key(key),
    ] {
        let tls = right.build().unwrap();
        assert_echoes(&connect(&tls, &server.uri()).await.unwrap()).await;
    }
    for wrong in [
        builder().pin_certificate([0; 32]),
        builder().pin_public_key([0; 32]),
        builder().pin_certificate(key),
    ] {
        let error = connect(&wrong.build().unwrap(), &server.uri())
            .await
            .unwrap_err();
        assert_eq!(error.certificate_errors(), [CertificateError::OtherErrors]);
        assert!(format!("{error:?}").contains("pinned"), "{error:?}");
    }
    let of_stranger = ClientTls::builder()
        .only_roots([leaf.certificate()])
        .pin_certificate(pin);
    let error = connect(&of_stranger.build().unwrap(), &server.uri())
        .await
        .unwrap_err();
    assert_eq!(
        error.certificate_errors(),
        [CertificateError::IncompleteChain]
    );
}

#[tokio::test]
async fn a_pin_makes_up_for_an_ignored_issuer() {
    let leaf = Leaf::self_signed(params());
    let server = Server::start(leaf.server_tls()).await;
    let builder = ClientTls::builder().pin_certificate(leaf.certificate().sha256());
    let pinned = builder
        .only_roots([Authority::root().certificate()])
        .build()
        .unwrap();
    let socket = MessageWebSocket::builder()
        .tls(pinned)
        .dangerously_ignore_certificate_errors([CertificateError::Untrusted])
        .connect(&server.uri())
        .await;
    assert_echoes(&socket.unwrap()).await;
}

/// Connects with a handler that counts its calls and says this.
async fn connect_if(
    verdict: Verdict,
    tls: &ClientTls,
    (uri, fingerprint): (&str, [u8; 32]),
) -> (Result<MessageWebSocket, Error>, usize) {
    let asked = Arc::new(AtomicUsize::new(0));
    let asking = Arc::clone(&asked);
    let decide = move |tls: TlsInformation| {
        asking.fetch_add(1, Ordering::SeqCst);
        assert_eq!(tls.certificate_errors(), []);
        let shown = tls.peer_certificate().map(Certificate::sha256);
        assert_eq!(shown, Some(fingerprint));
        async move {
            tokio::task::yield_now().await;
            verdict
        }
    };
    let builder = MessageWebSocket::builder().tls(tls.clone());
    let result = builder.server_custom_validation(decide).connect(uri).await;
    (result, asked.load(Ordering::SeqCst))
}

#[tokio::test]
async fn the_application_has_the_last_word() {
    let (root, leaf, server) = server().await;
    let (tls, uri) = (root.trusted(), server.uri());
    let shown = (uri.as_str(), leaf.certificate().sha256());
    let (accepted, asked) = connect_if(Verdict::Accept, &tls, shown).await;
    assert_echoes(&accepted.unwrap()).await;
    assert_eq!(asked, 1);
    // This session is resumed.
    let (rejected, asked) = connect_if(Verdict::Reject, &tls, shown).await;
    assert_eq!(asked, 1);
    let error = rejected.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::CertificateRejected);
    assert_eq!(error.hresult().cast_unsigned(), 0x800C_000E);
    assert_eq!(error.status(), WebErrorStatus::CertificateContainsErrors);
}

#[tokio::test]
async fn the_application_is_told_what_was_ignored_and_not_asked_when_it_is_not() {
    let leaf = Leaf::self_signed(params());
    let server = Server::start(leaf.server_tls()).await;
    let asked = Arc::new(AtomicUsize::new(0));
    for ignored in [&[CertificateError::Untrusted][..], &[]] {
        let asking = Arc::clone(&asked);
        let decide = move |tls: TlsInformation| {
            asking.fetch_add(1, Ordering::SeqCst);
            assert_eq!(tls.certificate_errors(), [CertificateError::Untrusted]);
            ready(Verdict::Accept)
        };
        let connecting = MessageWebSocket::builder()
            .tls(Authority::root().trusted())
            .dangerously_ignore_certificate_errors(ignored.iter().copied())
            .server_custom_validation(decide)
            .connect(&server.uri())
            .await;
        assert_eq!(connecting.is_ok(), !ignored.is_empty());
        assert_eq!(asked.load(Ordering::SeqCst), 1);
    }
}

#[tokio::test]
async fn an_application_that_does_not_decide_runs_out_of_time() {
    let (root, _, server) = server().await;
    let connecting = MessageWebSocket::builder()
        .tls(root.trusted())
        .timeouts(short())
        .server_custom_validation(|_| pending())
        .connect(&server.uri())
        .await;
    let error = connecting.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout(Timeout::Tls));
}

#[tokio::test]
async fn a_server_that_does_not_answer_runs_out_of_time() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("wss://{}/", listener.local_addr().unwrap());
    let connecting = MessageWebSocket::builder().timeouts(short()).connect(&uri);
    let (result, accepted) = tokio::join!(connecting, listener.accept());
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout(Timeout::Tls));
    let report = error.connect_report().unwrap();
    assert_eq!(report.steps().last().unwrap().phase(), ConnectPhase::Tls);
    drop(accepted);
}

#[tokio::test]
async fn a_server_that_speaks_plain_http_is_told_so() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("wss://{}/", listener.local_addr().unwrap());
    let serving = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.read(&mut [0; 1024]).await.unwrap();
        stream
            .write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            .await
            .unwrap();
        stream
    });
    let error = MessageWebSocket::connect(&uri).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TlsFailed);
    assert!(error.to_string().contains("plain HTTP"), "{error}");
    drop(serving);
}

#[tokio::test]
async fn a_server_that_ends_in_the_middle_is_told_so() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("wss://{}/", listener.local_addr().unwrap());
    let serving = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut hello = vec![0; 5];
        stream.read_exact(&mut hello).await.unwrap();
        let length = usize::from(u16::from_be_bytes([hello[3], hello[4]]));
        stream.read_exact(&mut vec![0; length]).await.unwrap();
    });
    let error = MessageWebSocket::connect(&uri).await.unwrap_err();
    serving.await.unwrap();
    assert_eq!(error.kind(), ErrorKind::TlsFailed);
}

/// Whether a second connection resumes the session of the first.
async fn resumes(tls: &ClientTls, server: &Server) -> bool {
    let mut resumed = Vec::new();
    for _ in 0..2 {
        let socket = connect(tls, &server.uri()).await.expect("a connection");
        // The tickets of TLS 1.3 come with the first bytes of the server.
        assert_echoes(&socket).await;
        let information = socket.information();
        assert!(information.server_certificate().is_some());
        resumed.push(information.tls().expect("TLS").is_resumed());
    }
    assert!(!resumed[0]);
    resumed[1]
}

#[tokio::test]
async fn a_second_connection_resumes_the_session_of_the_first() {
    let (root, _, server) = server().await;
    for versions in [[TlsVersion::Tls12], [TlsVersion::Tls13]] {
        let builder = ClientTls::builder().only_roots([root.certificate()]);
        let builder = builder.versions(versions);
        let never = builder.clone().without_resumption();
        assert!(resumes(&builder.build().unwrap(), &server).await);
        assert!(!resumes(&never.build().unwrap(), &server).await);
    }
}

#[tokio::test]
async fn a_connection_that_ignores_errors_neither_resumes_nor_is_resumed() {
    let (root, _, server) = server().await;
    let tls = root.trusted();
    for (ignored, is_resumed) in [
        (&[CertificateError::Expired][..], false),
        (&[], false),
        (&[CertificateError::Expired], false),
        (&[], true),
    ] {
        let socket = MessageWebSocket::builder()
            .tls(tls.clone())
            .dangerously_ignore_certificate_errors(ignored.iter().copied())
            .connect(&server.uri())
            .await
            .unwrap();
        assert_echoes(&socket).await;
        assert_eq!(socket.information().tls().unwrap().is_resumed(), is_resumed);
    }
}

#[tokio::test]
async fn errors_that_may_not_be_ignored_are_refused() {
    for error in [
        CertificateError::Revoked,
        CertificateError::InvalidSignature,
        CertificateError::BasicConstraintsError,
        CertificateError::OtherErrors,
    ] {
        let builder = MessageWebSocket::builder().dangerously_ignore_certificate_errors([error]);
        let refused = builder.connect("wss://localhost:1/").await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::InvalidArgument);
    }
}

#[tokio::test]
async fn a_configuration_of_rustls_is_taken_as_it_is() {
    let (root, _, server) = server().await;
    let mut roots = RootCertStore::empty();
    roots.add(root.issuer().der().clone()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let tls = ClientTls::from_rustls(config);
    let socket = connect(&tls, &server.uri()).await.unwrap();
    assert_echoes(&socket).await;
    assert!(
        socket
            .information()
            .tls()
            .unwrap()
            .alpn_protocol()
            .is_some()
    );
    let uri = server.uri().replace("localhost", "[::ffff:127.0.0.1]");
    let error = connect(&tls, &uri).await.unwrap_err();
    assert_eq!(error.certificate_errors(), [CertificateError::InvalidName]);
    let ignoring = MessageWebSocket::builder()
        .tls(tls)
        .dangerously_ignore_certificate_errors([CertificateError::Expired]);
    let error = ignoring.connect(&server.uri()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
}

/// As the system's verifier where there is one: it tells one error at a time.
#[tokio::test]
async fn all_errors_are_found_with_a_verifier_of_ones_own() {
    let root = Authority::root();
    let stranger = Authority::of(authority_params("a stranger"));
    let mut roots = RootCertStore::empty();
    roots.add(root.issuer().der().clone()).unwrap();
    let provider = Arc::new(ring::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider);
    let verifier = verifier.build().unwrap();
    let replaced = ClientTls::builder()
        .dangerously_verify_with(verifier.clone())
        .only_roots([root.certificate()]);
    assert_eq!(
        replaced.build().unwrap_err().kind(),
        ErrorKind::InvalidArgument
    );
    let builder = ClientTls::builder().dangerously_verify_with(verifier);
    let tls = builder.build().unwrap();
    let mut wrong = certificates::params_for("elsewhere.example");
    wrong.not_after = rcgen::date_time_ymd(2020, 1, 1);
    let (expired, name) = (CertificateError::Expired, CertificateError::InvalidName);
    let (unknown, chain) = (
        CertificateError::Untrusted,
        CertificateError::IncompleteChain,
    );
    for (leaf, expected) in [
        (root.issue(params()), &[][..]),
        (root.issue(wrong.clone()), &[expired, name]),
        (
            root.issue(certificates::params_for("elsewhere.example")),
            &[name],
        ),
        (stranger.issue(wrong.clone()), &[expired, chain, name]),
        (Leaf::self_signed(wrong), &[unknown, expired, name]),
    ] {
        let server = Server::start(leaf.server_tls()).await;
        match connect(&tls, &server.uri()).await {
            Ok(_) => assert_eq!(expected, []),
            Err(error) => {
                let mut found = error.certificate_errors().to_vec();
                found.sort();
                assert_eq!(found, expected);
            }
        }
    }
}

#[tokio::test]
async fn what_others_install_for_the_process_does_not_matter() {
    let useless = CryptoProvider {
        cipher_suites: Vec::new(),
        kx_groups: Vec::new(),
        ..ring::default_provider()
    };
    let _ = useless.install_default();
    let (root, _, server) = server().await;
    assert_echoes(&connect(&root.trusted(), &server.uri()).await.unwrap()).await;
}

#[tokio::test]
async fn keys_are_logged_only_when_asked_for() {
    let (root, _, server) = server().await;
    let path = std::env::temp_dir().join(format!("twinsock-keys-{}", std::process::id()));
    let builder = ClientTls::builder().only_roots([root.certificate()]);
    let tls = builder.dangerously_log_keys_to(&path).build().unwrap();
    connect(&tls, &server.uri()).await.unwrap();
    let log = std::fs::read_to_string(&path).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;

        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "for its owner alone");
    }
    std::fs::remove_file(&path).unwrap();
    assert!(
        log.lines()
            .any(|line| line.starts_with("CLIENT_TRAFFIC_SECRET_0 ")),
        "{log}"
    );
    assert!(
        log.lines().all(|line| line.split(' ').count() == 3),
        "{log}"
    );
    let nowhere = ClientTls::builder()
        .dangerously_log_keys_to("/nowhere/at/all")
        .build();
    assert_eq!(nowhere.unwrap_err().kind(), ErrorKind::System);
}

#[test]
fn a_certificate_tells_what_it_says() {
    let root = Authority::root();
    let mut params = params();
    params.not_before = rcgen::date_time_ymd(2001, 9, 9);
    params.not_after = rcgen::date_time_ymd(2033, 5, 18);
    params.serial_number = Some(rcgen::SerialNumber::from(258u64));
    let certificate = root.issue(params).certificate();
    let seconds = |time: std::time::SystemTime| {
        time.duration_since(std::time::UNIX_EPOCH)
            .unwrap()
            .as_secs()
    };
    assert_eq!(certificate.valid_from().map(seconds), Some(999_993_600));
    assert_eq!(certificate.valid_to().map(seconds), Some(1_999_987_200));
    assert_eq!(certificate.serial_number().unwrap(), [1, 2]);
    assert_ne!(certificate.sha1()[..], certificate.sha256()[..20]);
}
