//! Who is told the user's name and password, and who is not.

mod certificates;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};

use certificates::{Authority, Leaf, params};
use twinsock::{
    Credential, Error, ErrorKind, MessageWebSocket, MessageWebSocketBuilder, Proxy, ProxyChoice,
    RedirectPolicy, StreamWebSocket, WebErrorStatus,
};
use twinsock_testkit::credentials::{basic, is_digest};
use twinsock_testkit::http_peer::{Answer, HttpPeer, Request, TlsAcceptor, tls};
use twinsock_testkit::socks_peer::{SocksPeer, Users};

const BASIC: &str = "WWW-Authenticate: Basic realm=\"x\"\r\n";
const PROXY_BASIC: &str = "Proxy-Authenticate: Basic realm=\"x\"\r\n";

fn joe() -> Credential {
    Credential::new("joe", "hunter2").expect("made right")
}

fn ann() -> Credential {
    Credential::new("ann", "secret").expect("made right")
}

fn direct() -> MessageWebSocketBuilder {
    MessageWebSocket::builder().proxy(ProxyChoice::Direct)
}

async fn peer(script: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> HttpPeer {
    HttpPeer::start(script).await.expect("made right")
}

/// A server that asks with this line, and opens to whoever answers.
async fn asking(challenge: &'static str) -> HttpPeer {
    peer(move |request| match request.header("authorization") {
        None => Answer::status(401, &format!("WWW-Authenticate: {challenge}\r\n")),
        Some(_) => Answer::open(),
    })
    .await
}

/// A proxy that asks with this line, and lets through whoever answers.
async fn asking_proxy(challenge: &'static str) -> HttpPeer {
    peer(move |request| match request.header("proxy-authorization") {
        None => Answer::status(407, &format!("Proxy-Authenticate: {challenge}\r\n")),
        Some(_) => Answer::Tunnel,
    })
    .await
}

fn proxy_at(scheme: &str, address: SocketAddr) -> Proxy {
    Proxy::parse(&format!("{scheme}://localhost:{}", address.port())).expect("made right")
}

fn assert_refused(error: &Error, status: u16) {
    assert_eq!(error.kind(), ErrorKind::HandshakeRefused, "{error}");
    assert_eq!(error.response().expect("made right").status(), status);
}

#[tokio::test]
async fn basic_is_answered_by_both_sockets_in_place_of_the_callers_header() {
    let server = asking_for("Bearer old").await;
    let uri = server.uri("ws", "/");
    let connecting = direct().server_credential(joe());
    let connecting = connecting.header("Authorization", "Bearer old");
    connecting
        .header("X-Kept", "1")
        .connect(&uri)
        .await
        .unwrap();
    let stream = StreamWebSocket::builder().proxy(ProxyChoice::Direct);
    let stream = stream
        .header("authorization", "Bearer old")
        .header("X-Kept", "1");
    stream.server_credential(joe()).connect(&uri).await.unwrap();
    let asked = server.asked();
    assert_eq!(asked.len(), 4);
    for pair in asked.chunks(2) {
        assert_eq!(pair[0].header("authorization"), Some("Bearer old"));
        assert_eq!(
            pair[1].header("authorization"),
            Some(&*basic("joe", "hunter2"))
        );
        assert_eq!(pair[1].header("x-kept"), Some("1"));
        let keys = [0, 1].map(|index: usize| pair[index].header("sec-websocket-key"));
        assert!(keys[0].is_some() && keys[0] != keys[1], "{keys:?}");
    }
}

/// A server that asks whoever comes without a header, or with this one.
async fn asking_for(refused: &'static str) -> HttpPeer {
    peer(move |request| match request.header("authorization") {
        Some(value) if value != refused => Answer::open(),
        _ => Answer::status(401, BASIC),
    })
    .await
}

#[tokio::test]
async fn digest_is_answered_for_the_resource_with_every_algorithm() {
    for challenge in [
        "Digest realm=\"x y\", nonce=\"n/+=\", qop=\"auth\", algorithm=MD5",
        "Digest realm=\"x y\", nonce=\"n/+=\", qop=\"auth-int,auth\", algorithm=MD5-sess",
        "Digest realm=\"x y\", nonce=\"n/+=\", qop=\"auth\", algorithm=SHA-256, opaque=\"o\"",
        "Digest realm=\"x y\", nonce=\"n/+=\", qop=\"auth\", algorithm=SHA-256-sess",
        "digest REALM=\"x y\",NONCE=\"n/+=\"",
        "Basic realm=\"b\", Digest realm=\"x y\", nonce=\"n\", qop=auth",
    ] {
        let server = asking(challenge).await;
        let connecting = direct().server_credential(joe());
        connecting
            .connect(&server.uri("ws", "/a?b=c"))
            .await
            .unwrap();
        let asked = server.asked();
        let answer = asked[1].header("authorization").unwrap();
        assert!(is_digest(answer, "GET", "hunter2"), "{challenge}: {answer}");
        assert!(!is_digest(answer, "GET", "hunter3"), "{answer}");
        assert!(answer.contains("uri=\"/a?b=c\""), "{answer}");
        assert!(answer.contains("username=\"joe\""), "{answer}");
    }
}

#[tokio::test]
async fn a_stale_nonce_is_answered_once_more_and_not_again() {
    for (stale_answers, is_opened) in [(1, true), (2, false), (usize::MAX, false)] {
        let count = AtomicUsize::new(0);
        let server = peer(move |_| match count.fetch_add(1, Ordering::SeqCst) {
            0 => digest_challenge("first", ""),
            number if number > stale_answers => Answer::open(),
            number => digest_challenge(&number.to_string(), ", stale=true"),
        })
        .await;
        let opened = direct().server_credential(joe());
        let opened = opened.connect(&server.uri("ws", "/")).await;
        assert_eq!(opened.is_ok(), is_opened);
        let asked = server.asked();
        assert_eq!(asked.len(), 3);
        let answers = [1, 2].map(|index: usize| asked[index].header("authorization").unwrap());
        assert!(answers[0].contains("\"first\"") && answers[1].contains("nonce=\"1\""));
        assert!(
            answers
                .iter()
                .all(|answer| is_digest(answer, "GET", "hunter2"))
        );
    }
}

fn digest_challenge(nonce: &str, more: &str) -> Answer {
    let line =
        format!("WWW-Authenticate: Digest realm=\"x\", nonce=\"{nonce}\", qop=\"auth\"{more}");
    Answer::status(401, &format!("{line}\r\n"))
}

#[tokio::test]
async fn a_wrong_password_is_tried_once_and_the_whole_response_is_kept() {
    let server = peer(|_| {
        let head =
            format!("HTTP/1.1 401 Who\r\n{BASIC}X-Reason: locked\r\nContent-Length: 4\r\n\r\n");
        Answer::Bytes([head.as_bytes(), b"away"].concat())
    })
    .await;
    let connecting = direct().server_credential(joe());
    let error = connecting
        .connect(&server.uri("ws", "/"))
        .await
        .unwrap_err();
    assert_refused(&error, 401);
    assert_eq!(error.status(), WebErrorStatus::Unauthorized);
    let response = error.response().unwrap();
    assert_eq!(response.headers()["x-reason"], "locked");
    assert_eq!(&response.body()[..], b"away");
    assert_eq!(server.asked().len(), 2);
}

#[tokio::test]
async fn what_cannot_be_answered_is_not_asked_again() {
    for (challenge, told) in [
        ("Negotiate", "got \"Negotiate\""),
        ("Bearer realm=\"x\"", "got \"Bearer\""),
        ("NTLM TlRMTVNTUAAC==", "got \"NTLM\""),
        ("Digest realm=\"x\"", "well-formed"),
        ("Digest realm=\"x\", nonce=\"unended", "well-formed"),
        ("=", "well-formed"),
        (",,,", "well-formed"),
        (
            "Digest realm=x, nonce=y, algorithm=SHA-512-256, qop=auth",
            "SHA-256 or MD5",
        ),
        ("Digest realm=x, nonce=y, qop=\"auth-int\"", "qop"),
    ] {
        let server = asking(challenge).await;
        let connecting = direct().server_credential(joe());
        let error = connecting
            .connect(&server.uri("ws", "/"))
            .await
            .unwrap_err();
        assert_refused(&error, 401);
        assert!(error.to_string().contains(told), "{challenge}: {error}");
        assert_eq!(server.asked().len(), 1, "{challenge}");
    }
    let silent = peer(|_| Answer::status(401, "")).await;
    let connecting = direct().server_credential(joe());
    let error = connecting
        .connect(&silent.uri("ws", "/"))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("www-authenticate"), "{error}");
}

#[tokio::test]
async fn without_a_credential_nothing_is_answered() {
    let server = asking("Basic realm=\"x\"").await;
    let error = direct().connect(&server.uri("ws", "/")).await.unwrap_err();
    assert_refused(&error, 401);
    // A proxy's user is not the server's.
    let connecting = direct().proxy_credential(ann());
    let error = connecting
        .connect(&server.uri("ws", "/"))
        .await
        .unwrap_err();
    assert_refused(&error, 401);
    assert_eq!(server.asked().len(), 2);
}

#[tokio::test]
async fn a_401_with_a_location_is_no_redirect() {
    let server = peer(|request| match request.header("authorization") {
        None => Answer::status(401, &format!("{BASIC}Location: /elsewhere\r\n")),
        Some(_) => Answer::open(),
    })
    .await;
    let connecting = direct().redirects(RedirectPolicy::follow());
    connecting
        .server_credential(joe())
        .connect(&server.uri("ws", "/a"))
        .await
        .unwrap();
    let asked = server.asked();
    assert_eq!(
        asked.iter().map(Request::target).collect::<Vec<_>>(),
        ["/a", "/a"]
    );
}

#[tokio::test]
async fn a_colon_in_the_user_name_is_for_digest_alone() {
    let colon = || Credential::new("jo:e", "hunter2").unwrap();
    let server = asking("Basic realm=\"x\"").await;
    let connecting = direct().server_credential(colon());
    let error = connecting
        .connect(&server.uri("ws", "/"))
        .await
        .unwrap_err();
    assert_refused(&error, 401);
    assert!(error.to_string().contains("without a colon"), "{error}");
    assert_eq!(server.asked().len(), 1);
    let server = asking("Basic, Digest realm=\"x\", nonce=\"y\"").await;
    let connecting = direct().server_credential(colon());
    connecting.connect(&server.uri("ws", "/")).await.unwrap();
    let asked = server.asked();
    assert!(is_digest(
        asked[1].header("authorization").unwrap(),
        "GET",
        "hunter2"
    ));
}

#[tokio::test]
async fn a_407_of_the_server_is_not_answered() {
    let server = peer(|_| Answer::status(407, PROXY_BASIC)).await;
    let proxy = asking_proxy("Basic").await;
    for choice in [
        ProxyChoice::Direct,
        proxy_at("http", proxy.address()).into(),
    ] {
        let connecting = direct().proxy(choice).proxy_credential(ann());
        let connecting = connecting.server_credential(joe());
        let error = connecting
            .connect(&server.uri("ws", "/"))
            .await
            .unwrap_err();
        assert_refused(&error, 407);
    }
    assert_eq!(server.asked().len(), 2);
    for request in server.asked() {
        assert_eq!(request.header("proxy-authorization"), None);
    }
}

#[tokio::test]
async fn a_401_of_the_proxy_is_not_answered() {
    let proxy = peer(|_| Answer::status(401, BASIC)).await;
    let connecting = direct().proxy(proxy_at("http", proxy.address()));
    let connecting = connecting.proxy_credential(ann()).server_credential(joe());
    let error = connecting
        .connect("ws://server.example/")
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ProxyFailed);
    assert_eq!(error.response().unwrap().status(), 401);
    assert_eq!(proxy.asked().len(), 1);
}

/// A certificate for this host, and its authority.
fn certified() -> (Authority, Leaf) {
    let root = Authority::root();
    let leaf = root.issue(params());
    (root, leaf)
}

/// What a proxy of either sort may see: the way, and nothing else of the request.
fn assert_sees_only_the_way(request: &Request, host: &str) {
    assert_eq!(request.first_line(), format!("CONNECT {host} HTTP/1.1"));
    let names = request
        .text()
        .lines()
        .skip(1)
        .filter_map(|line| line.split_once(':'));
    let names: Vec<_> = names.map(|(name, _)| name.to_ascii_lowercase()).collect();
    let known = |name: &String| ["host", "proxy-authorization"].contains(&name.as_str());
    assert!(names.iter().all(known), "{request}");
}

/// A peer that is reached by this scheme.
async fn over(
    scheme: &str,
    tls: &TlsAcceptor,
    script: impl Fn(&Request) -> Answer + Send + Sync + 'static,
) -> HttpPeer {
    let starting = match scheme {
        "http" | "ws" => HttpPeer::start(script).await,
        _ => HttpPeer::start_over_tls(tls.clone(), script).await,
    };
    starting.expect("made right")
}

#[tokio::test]
async fn each_party_is_told_its_own_user_alone_over_every_combination() {
    let (root, leaf) = certified();
    let tls = tls(&leaf.chain, &leaf.key).unwrap();
    for (proxy_scheme, server_scheme) in [
        ("http", "ws"),
        ("http", "wss"),
        ("https", "ws"),
        ("https", "wss"),
    ] {
        let server = over(server_scheme, &tls, |request| {
            match request.header("authorization") {
                Some(value) if value.starts_with("Basic ") => Answer::open(),
                _ => Answer::status(401, BASIC),
            }
        })
        .await;
        let proxy = over(proxy_scheme, &tls, |request| {
            match request.header("proxy-authorization") {
                None => Answer::status(407, PROXY_BASIC),
                Some(_) => Answer::Tunnel,
            }
        })
        .await;
        let connecting = direct()
            .proxy(proxy_at(proxy_scheme, proxy.address()).tls(root.trusted()))
            .tls(root.trusted())
            .proxy_credential(ann())
            .server_credential(joe())
            .header("Authorization", "Bearer token")
            .header("Cookie", "id=1")
            .header("X-Api-Key", "key");
        connecting
            .connect(&server.uri(server_scheme, "/?q=1"))
            .await
            .unwrap();
        // Each of the server's two requests took a tunnel, and each tunnel two requests.
        let asked = proxy.asked();
        assert_eq!(asked.len(), 4, "{proxy_scheme}, {server_scheme}");
        let host = format!("localhost:{}", server.address().port());
        asked
            .iter()
            .for_each(|request| assert_sees_only_the_way(request, &host));
        for pair in asked.chunks(2) {
            assert_eq!(pair[0].header("proxy-authorization"), None);
            let answer = pair[1].header("proxy-authorization");
            assert_eq!(answer, Some(&*basic("ann", "secret")));
        }
        let asked = server.asked();
        assert_eq!(asked[0].header("authorization"), Some("Bearer token"));
        assert_eq!(
            asked[1].header("authorization"),
            Some(&*basic("joe", "hunter2"))
        );
        assert!(
            asked
                .iter()
                .all(|asked| asked.header("proxy-authorization").is_none())
        );
    }
}

#[tokio::test]
async fn digest_for_a_proxy_is_over_connect_and_the_host() {
    let server = peer(|_| Answer::open()).await;
    let proxy =
        asking_proxy("Digest realm=\"x\", nonce=\"y\", qop=\"auth\", algorithm=SHA-256").await;
    let connecting = direct().proxy(proxy_at("http", proxy.address()));
    connecting
        .proxy_credential(ann())
        .connect(&server.uri("ws", "/a?b"))
        .await
        .unwrap();
    let asked = proxy.asked();
    let answer = asked[1].header("proxy-authorization").unwrap();
    assert!(is_digest(answer, "CONNECT", "secret"), "{answer}");
    let host = format!("uri=\"localhost:{}\"", server.address().port());
    assert!(answer.contains(&host), "{answer}");
}

#[tokio::test]
async fn a_proxys_own_address_names_its_user() {
    let server = peer(|_| Answer::open()).await;
    let proxy = asking_proxy("Basic").await;
    let address = format!("http://eve:own@localhost:{}", proxy.address().port());
    let connecting = direct().proxy_credential(ann());
    let connecting = connecting.proxy(Proxy::parse(&address).unwrap());
    connecting.connect(&server.uri("ws", "/")).await.unwrap();
    let answer = basic("eve", "own");
    assert_eq!(
        proxy.asked()[1].header("proxy-authorization"),
        Some(&*answer)
    );
}

#[tokio::test]
async fn a_proxy_that_does_not_ask_is_told_nothing() {
    let server = peer(|_| Answer::open()).await;
    let proxy = peer(|_| Answer::Tunnel).await;
    let connecting = direct().proxy(proxy_at("http", proxy.address()));
    connecting
        .proxy_credential(ann())
        .connect(&server.uri("ws", "/"))
        .await
        .unwrap();
    assert_eq!(proxy.asked().len(), 1);
    assert_eq!(proxy.asked()[0].header("proxy-authorization"), None);
}

#[tokio::test]
async fn a_proxy_that_keeps_asking_is_an_error_with_its_response() {
    for (credential, requests) in [(Some(ann()), 2), (None, 1)] {
        let proxy = peer(|_| Answer::status(407, PROXY_BASIC)).await;
        let mut connecting = direct().proxy(proxy_at("http", proxy.address()));
        if let Some(credential) = credential {
            connecting = connecting.proxy_credential(credential);
        }
        // The server's user is not the proxy's.
        let connecting = connecting.server_credential(joe());
        let error = connecting
            .connect("wss://server.example/")
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ProxyAuthenticationRequired);
        assert_eq!(error.status(), WebErrorStatus::ProxyAuthenticationRequired);
        assert_eq!(
            error.response().unwrap().headers()["proxy-authenticate"],
            "Basic realm=\"x\""
        );
        assert_eq!(proxy.asked().len(), requests);
    }
}

#[tokio::test]
async fn a_socks_proxy_is_told_the_user_when_it_asks() {
    let server = asking("Basic").await;
    for scheme in ["socks5", "socks5h"] {
        for (users, told) in [(Users::All, 2), (Users::One("ann", "secret"), 3)] {
            let proxy = SocksPeer::start(users).await.unwrap();
            let connecting = direct().proxy(proxy_at(scheme, proxy.address()));
            let connecting = connecting.proxy_credential(ann()).server_credential(joe());
            connecting.connect(&server.uri("ws", "/")).await.unwrap();
            let asked = proxy.asked();
            assert_eq!(asked.len(), 2 * told, "one tunnel for each request");
            let user = b"\x01\x03ann\x06secret".to_vec();
            assert_eq!(asked[1] == user, told == 3);
            assert!(asked.iter().all(|message| !contains(message, b"joe")));
        }
    }
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[tokio::test]
async fn a_socks_proxy_that_wants_another_user_is_asked_once() {
    for (credential, told) in [(Some(joe()), 2), (None, 1)] {
        let proxy = SocksPeer::start(Users::One("ann", "secret")).await.unwrap();
        let mut connecting = direct().proxy(proxy_at("socks5h", proxy.address()));
        if let Some(credential) = credential {
            connecting = connecting.proxy_credential(credential);
        }
        let error = connecting
            .connect("ws://server.example/")
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ProxyAuthenticationRequired);
        assert_eq!(error.status(), WebErrorStatus::ProxyAuthenticationRequired);
        assert_eq!(proxy.asked().len(), told);
    }
}

#[tokio::test]
async fn a_user_too_long_for_socks_is_told_to_nobody() {
    let proxy = SocksPeer::start(Users::All).await.unwrap();
    let long = "x".repeat(256);
    for (name, password) in [(&*long, "secret"), ("ann", &*long)] {
        let connecting = direct().proxy(proxy_at("socks5h", proxy.address()));
        let connecting = connecting.proxy_credential(Credential::new(name, password).unwrap());
        let error = connecting
            .connect("ws://server.example/")
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    }
    assert!(proxy.asked().is_empty());
}

#[tokio::test]
async fn the_name_of_the_server_is_told_to_a_socks5h_proxy_and_its_address_to_a_socks5_one() {
    let server = peer(|_| Answer::open()).await;
    let port = server.address().port();
    let port_bytes = port.to_be_bytes();
    let table = HashMap::from([(
        "server.example".to_owned(),
        vec![SocketAddr::from(([192, 0, 2, 7], 0))],
    )]);
    for (scheme, named) in [
        ("socks5h", &b"\x05\x01\x00\x03\x0eserver.example"[..]),
        ("socks5", b"\x05\x01\x00\x01\xc0\x00\x02\x07"),
    ] {
        let proxy = SocksPeer::start(Users::All).await.unwrap();
        let choice = Proxy::parse(&format!("{scheme}://{}", proxy.address())).unwrap();
        let connecting = direct().proxy(choice).resolver(table.clone());
        connecting
            .connect(&format!("ws://server.example:{port}/"))
            .await
            .unwrap();
        assert_eq!(proxy.asked()[1], [named, &port_bytes].concat());
    }
}

#[tokio::test]
async fn over_a_stream_of_the_callers_own_there_is_one_request() {
    let server = asking("Basic").await;
    let stream = tokio::net::TcpStream::connect(server.address())
        .await
        .unwrap();
    let connecting = direct()
        .server_credential(joe())
        .redirects(RedirectPolicy::follow());
    let error = connecting
        .connect_over(stream, "ws://localhost/")
        .await
        .unwrap_err();
    assert_refused(&error, 401);
    assert_eq!(server.asked().len(), 1);
}
