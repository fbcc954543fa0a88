//! Ways to a server on which a peer is silent, slow, or talks rubbish.

mod certificates;

use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use certificates::{Authority, params};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use twinsock::{
    Error, ErrorKind, MessageWebSocket, MessageWebSocketBuilder, Proxy, ProxyChoice,
    RedirectPolicy, Timeout, Timeouts,
};
use twinsock_testkit::http_peer::{Answer, HttpPeer, Request, tls};
use twinsock_testkit::sockets::PATIENT;

const SHORT: Duration = Duration::from_millis(150);

/// Far beyond all that is waited for here, and far below the defaults.
const LONG: Duration = Duration::from_secs(10);

/// Where no name is resolved, and nobody is.
const SERVER: &str = "ws://192.0.2.1/";

/// Only this step's time is short; or, in the second, the time for all of them.
fn short_for(timeout: Timeout) -> [Timeouts; 2] {
    let mut step = PATIENT;
    match timeout {
        Timeout::Resolve => step.resolve = SHORT,
        Timeout::Proxy => step.proxy = SHORT,
        Timeout::Tls => step.tls = SHORT,
        _ => step.handshake = SHORT,
    }
    let overall = Timeouts {
        overall: Some(SHORT),
        ..PATIENT
    };
    [step, overall]
}

async fn assert_times_out(
    timeout: Timeout,
    set_up: impl Fn() -> (MessageWebSocketBuilder, String),
) {
    for timeouts in short_for(timeout) {
        let (builder, uri) = set_up();
        let began = Instant::now();
        let error = builder.timeouts(timeouts).connect(&uri).await;
        let error = error.expect_err("a timeout");
        assert_eq!(error.kind(), ErrorKind::Timeout(timeout), "{error}");
        let took = began.elapsed();
        assert!(took >= SHORT && took < LONG, "{took:?}");
        let steps = error.connect_report().expect("made right").steps();
        assert!(steps.last().expect("made right").failure().is_some());
    }
}

fn direct() -> MessageWebSocketBuilder {
    MessageWebSocket::builder().proxy(ProxyChoice::Direct)
}

fn through(scheme: &str, address: SocketAddr) -> MessageWebSocketBuilder {
    let proxy = Proxy::parse(&format!("{scheme}://{address}"));
    direct().proxy(proxy.expect("made right"))
}

/// A server or proxy that reads once, says this to each connection, and then goes or stays.
async fn saying(bytes: Vec<u8>, then: Then) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("made right");
    let address = listener.local_addr().expect("made right");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 1024]).await?;
            stream.write_all(&bytes).await?;
            if then == Then::Goes {
                stream.shutdown().await?;
            }
            while stream
                .read(&mut [0; 1024])
                .await
                .is_ok_and(|count| count > 0)
            {}
        }
        Ok::<(), io::Error>(())
    });
    address
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Then {
    Goes,
    Stays,
}

#[tokio::test]
async fn a_resolver_that_never_answers_is_a_resolve_timeout() {
    let resolver = |_: String, _: u16| pending::<io::Result<Vec<SocketAddr>>>();
    let set_up = |choice: ProxyChoice| {
        let builder = direct().resolver(resolver).proxy(choice);
        (builder, "ws://server.example/".to_owned())
    };
    assert_times_out(Timeout::Resolve, || set_up(ProxyChoice::Direct)).await;
    for scheme in ["http", "https", "socks5", "socks5h"] {
        let proxy = Proxy::parse(&format!("{scheme}://proxy.example")).unwrap();
        assert_times_out(Timeout::Resolve, || set_up(proxy.clone().into())).await;
    }
}

#[tokio::test]
async fn a_proxy_that_says_nothing_or_half_is_a_proxy_timeout() {
    for (scheme, half) in [
        ("http", &b"HTTP/1.1 200 OK\r\n"[..]),
        ("socks5h", b"\x05"),
        ("socks5", b"\x05\x00"),
    ] {
        for said in [&b""[..], half] {
            let address = saying(said.to_vec(), Then::Stays).await;
            let set_up = || (through(scheme, address), SERVER.to_owned());
            assert_times_out(Timeout::Proxy, set_up).await;
        }
    }
}

#[tokio::test]
async fn tls_that_stalls_is_a_tls_timeout_with_the_server_and_with_a_proxy() {
    let address = saying(Vec::new(), Then::Stays).await;
    assert_times_out(Timeout::Tls, || (direct(), format!("wss://{address}/"))).await;
    assert_times_out(Timeout::Tls, || {
        (through("https", address), SERVER.to_owned())
    })
    .await;
    let proxy = HttpPeer::start(|_| Answer::Tunnel).await.unwrap();
    let uri = format!("wss://{address}/");
    assert_times_out(Timeout::Tls, || {
        (through("http", proxy.address()), uri.clone())
    })
    .await;
}

#[tokio::test]
async fn a_server_that_says_nothing_or_half_is_a_handshake_timeout() {
    let proxy = HttpPeer::start(|_| Answer::Tunnel).await.unwrap();
    for said in ["", "HTTP/1.1 101 Switching Protocols\r\n"] {
        let address = saying(said.into(), Then::Stays).await;
        let uri = format!("ws://{address}/");
        assert_times_out(Timeout::Handshake, || (direct(), uri.clone())).await;
        let through = || through("http", proxy.address());
        assert_times_out(Timeout::Handshake, || (through(), uri.clone())).await;
    }
}

#[tokio::test]
async fn the_time_for_all_is_that_of_all_requests_together() {
    let script = |request: &Request| match request.target() {
        "/" => Answer::Silence(SLOW_REDIRECT.into()),
        _ => Answer::Silence(Vec::new()),
    };
    let server = HttpPeer::start(script).await.unwrap();
    let timeouts = Timeouts {
        overall: Some(4 * SHORT),
        handshake: 3 * SHORT,
        ..PATIENT
    };
    let connecting = direct().redirects(RedirectPolicy::follow());
    let began = Instant::now();
    let error = connecting
        .timeouts(timeouts)
        .connect(&server.uri("ws", "/"))
        .await;
    let kind = error.unwrap_err().kind();
    assert_eq!(kind, ErrorKind::Timeout(Timeout::Handshake));
    let took = began.elapsed();
    assert!(took >= 4 * SHORT && took < 6 * SHORT, "{took:?}");
    assert_eq!(server.asked().len(), 2);
}

/// Its body is awaited for as long as a handshake may take.
const SLOW_REDIRECT: &str = "HTTP/1.1 302 x\r\nLocation: /silent\r\nContent-Length: 9\r\n\r\n";

#[tokio::test]
async fn a_refusal_whose_body_never_ends_is_a_refusal_in_time() {
    for handshake in [SHORT, LONG] {
        let timeouts = Timeouts {
            handshake,
            proxy: handshake,
            ..PATIENT
        };
        for body in [
            "Content-Length: 1000\r\n\r\nbecause",
            "Transfer-Encoding: chunked\r\n\r\n7\r\nbecause\r\n",
            "\r\nbecause",
        ] {
            let refusal = |status: u16| format!("HTTP/1.1 {status} No\r\n{body}").into_bytes();
            let server = saying(refusal(403), Then::Stays).await;
            let began = Instant::now();
            let error = direct()
                .timeouts(timeouts)
                .connect(&format!("ws://{server}/"))
                .await;
            let error = error.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::HandshakeRefused, "{error}");
            assert_eq!(&error.response().unwrap().body()[..], b"because");
            let proxy = saying(refusal(407), Then::Stays).await;
            let error = through("http", proxy)
                .timeouts(timeouts)
                .connect(SERVER)
                .await;
            let error = error.unwrap_err();
            assert_eq!(
                error.kind(),
                ErrorKind::ProxyAuthenticationRequired,
                "{error}"
            );
            assert_eq!(&error.response().unwrap().body()[..], b"because");
            assert!(began.elapsed() < LONG / 2);
        }
    }
}

/// What is no end of an answer, or none at all.
fn rubbish() -> Vec<(&'static str, Vec<u8>)> {
    let long_line = [b"HTTP/1.1 200 OK\r\nX: ".to_vec(), vec![b'x'; 1 << 20]].concat();
    let many_lines = [b"HTTP/1.1 200 OK\r\n".to_vec(), b"X: x\r\n".repeat(1 << 16)].concat();
    vec![
        ("noughts", vec![0; 100]),
        ("all bytes", (0..=255).collect()),
        ("another protocol", b"220 mail.example ESMTP\r\n".to_vec()),
        ("another version", b"HTTP/2.0 200 OK\r\n\r\n".to_vec()),
        ("a bare line feed", b"HTTP/1.1 200 OK\nX: y\n\n".to_vec()),
        ("no status", b"HTTP/1.1 \r\n\r\n".to_vec()),
        ("status 99", b"HTTP/1.1 99 x\r\n\r\n".to_vec()),
        ("status 1000", b"HTTP/1.1 1000 x\r\n\r\n".to_vec()),
        (
            "a folded line",
            b"HTTP/1.1 200 OK\r\nX: y\r\n z\r\n\r\n".to_vec(),
        ),
        (
            "a flood of 1xx",
            b"HTTP/1.1 100 Continue\r\n\r\n".repeat(10_000),
        ),
        ("a line without end", long_line),
        ("lines without end", many_lines),
        (
            "a server's TLS alert",
            b"\x15\x03\x03\x00\x02\x02\x28".to_vec(),
        ),
    ]
}

async fn failure(builder: MessageWebSocketBuilder, uri: &str) -> Error {
    let timeouts = Timeouts {
        overall: Some(LONG),
        ..PATIENT
    };
    let opened = builder.timeouts(timeouts).connect(uri).await;
    opened.expect_err("a failure")
}

#[tokio::test]
async fn rubbish_of_a_server_is_an_invalid_handshake() {
    for (name, bytes) in rubbish() {
        let address = saying(bytes, Then::Goes).await;
        let error = failure(direct(), &format!("ws://{address}/")).await;
        assert_eq!(error.kind(), ErrorKind::InvalidHandshake, "{name}: {error}");
        assert!(error.to_string().len() < 400, "{name}");
    }
}

#[tokio::test]
async fn rubbish_of_a_proxy_is_the_proxys_failure() {
    for (name, bytes) in rubbish() {
        let address = saying(bytes, Then::Goes).await;
        for scheme in ["http", "socks5", "socks5h"] {
            let error = failure(through(scheme, address), SERVER).await;
            assert_eq!(
                error.kind(),
                ErrorKind::ProxyFailed,
                "{scheme}, {name}: {error}"
            );
            assert!(error.to_string().len() < 400, "{name}");
        }
    }
}

#[tokio::test]
async fn bytes_behind_a_proxys_answer_are_its_failure() {
    for said in [
        "HTTP/1.1 200 OK\r\n\r\nHello",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nHello",
    ] {
        let address = saying(said.into(), Then::Stays).await;
        let error = failure(through("http", address), SERVER).await;
        assert_eq!(error.kind(), ErrorKind::ProxyFailed);
        assert!(error.to_string().contains("5 bytes"), "{error}");
    }
}

#[tokio::test]
async fn a_proxy_that_goes_after_each_byte_has_failed() {
    let http = b"HTTP/1.1 200 OK\r\nX: y\r\n\r\n";
    for length in 0..http.len() {
        let address = saying(http[..length].to_vec(), Then::Goes).await;
        let error = failure(through("http", address), SERVER).await;
        assert_eq!(error.kind(), ErrorKind::ProxyFailed, "{length}: {error}");
    }
    for length in 0..12 {
        let bytes = &b"\x05\x00\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x50"[..length];
        let address = saying(bytes.to_vec(), Then::Goes).await;
        let error = failure(through("socks5h", address), SERVER).await;
        assert_eq!(error.kind(), ErrorKind::ProxyFailed, "{length}: {error}");
    }
}

#[tokio::test]
async fn a_tls_server_that_goes_after_each_byte_is_a_failure_of_tls() {
    for length in 0..8 {
        let bytes = &b"\x16\x03\x03\x00\x7a\x02\x00\x00"[..length];
        let address = saying(bytes.to_vec(), Then::Goes).await;
        let error = failure(direct(), &format!("wss://{address}/")).await;
        assert_eq!(error.kind(), ErrorKind::TlsFailed, "{length}: {error}");
        let error = failure(through("https", address), SERVER).await;
        assert_eq!(error.kind(), ErrorKind::TlsFailed, "{length}: {error}");
    }
}

#[tokio::test]
async fn a_proxys_certificate_is_checked_by_its_own_settings_alone() {
    let (root, other) = (Authority::root(), Authority::root());
    let leaf = root.issue(params());
    let tls = tls(&leaf.chain, &leaf.key).unwrap();
    let proxy = HttpPeer::start_over_tls(tls, |_| Answer::Tunnel)
        .await
        .unwrap();
    let proxy_uri = format!("https://localhost:{}", proxy.address().port());
    let wrong = Proxy::parse(&proxy_uri).unwrap().tls(other.trusted());
    // What is ignored of the server, or trusted for it, is not for the proxy.
    let connecting = direct().tls(root.trusted()).proxy(wrong);
    let connecting =
        connecting.dangerously_ignore_certificate_errors([twinsock::CertificateError::Untrusted]);
    let error = failure(connecting, SERVER).await;
    assert_eq!(error.kind(), ErrorKind::CertificateRejected);
    assert!(proxy.asked().is_empty());
}

/// The zone says which interface a link-local address is behind: without it there is no way.
#[tokio::test]
async fn the_zone_of_a_proxys_address_counts() {
    let proxy = Proxy::parse("http://[fe80::1%25nosuch0]:3128").unwrap();
    let error = failure(direct().proxy(proxy), SERVER).await;
    assert_eq!(error.kind(), ErrorKind::NameNotResolved, "{error}");
}
