//! Where redirects lead, and what is told there.

mod certificates;

use std::sync::{Arc, Mutex};

use certificates::{Authority, Server, params};
use http::{HeaderValue, Uri};
use twinsock::{
    ClientCertificates, ClientTls, CookieStore, Credential, Error, ErrorKind, MessageWebSocket,
    MessageWebSocketBuilder, Proxy, ProxyChoice, RedirectFault, RedirectPolicy, ServerTls,
    StreamWebSocket, WebErrorStatus,
};
use twinsock_testkit::credentials::basic;
use twinsock_testkit::http_peer::{Answer, HttpPeer, Request, TlsAcceptor, tls};

const BASIC: &str = "WWW-Authenticate: Basic realm=\"x\"\r\n";

fn builder() -> MessageWebSocketBuilder {
    MessageWebSocket::builder()
        .proxy(ProxyChoice::Direct)
        .redirects(RedirectPolicy::follow())
}

fn credential() -> Credential {
    Credential::new("joe", "hunter2").expect("made right")
}

/// Everything that is not to be told to another origin.
fn secretive() -> MessageWebSocketBuilder {
    builder()
        .server_credential(credential())
        .header("Authorization", "Bearer token-1")
        .header("Cookie", "id=cookie-1")
        .header("Origin", "https://page.example")
        .header("X-Api-Key", "key-1")
        .header("User-Agent", "tester")
}

fn assert_told_nothing(request: &Request) {
    for name in ["authorization", "cookie", "origin", "x-api-key"] {
        assert_eq!(request.header(name), None, "{request}");
    }
    assert_eq!(request.header("user-agent"), Some("tester"));
}

/// A server that opens each WebSocket.
async fn opening() -> HttpPeer {
    HttpPeer::start(|_| Answer::open())
        .await
        .expect("made right")
}

/// A server that asks for a user, and refuses all.
async fn asking() -> HttpPeer {
    let script = |_: &Request| Answer::status(401, BASIC);
    HttpPeer::start(script).await.expect("made right")
}

/// A server that redirects everything to there.
async fn redirecting(location: String) -> HttpPeer {
    let script = move |_: &Request| Answer::redirect(302, &location);
    HttpPeer::start(script).await.expect("made right")
}

fn fault(error: &Error) -> RedirectFault {
    let fault = match error.kind() {
        ErrorKind::RedirectFailed(fault) => Some(fault),
        _ => None,
    };
    fault.expect("a redirect that was not followed")
}

#[tokio::test]
async fn each_status_is_followed_by_both_sockets() {
    for status in [301, 302, 303, 307, 308] {
        let server = HttpPeer::start(move |request| match request.target() {
            "/a/old?x" => Answer::redirect(status, "new?y"),
            _ => Answer::open(),
        });
        let server = server.await.unwrap();
        let uri = server.uri("ws", "/a/old?x");
        builder().connect(&uri).await.unwrap();
        let stream = StreamWebSocket::builder()
            .proxy(ProxyChoice::Direct)
            .redirects(RedirectPolicy::follow());
        stream.connect(&uri).await.unwrap();
        let targets: Vec<_> = server
            .asked()
            .iter()
            .map(|r| r.target().to_owned())
            .collect();
        assert_eq!(targets, ["/a/old?x", "/a/new?y", "/a/old?x", "/a/new?y"]);
        for request in server.asked() {
            assert!(request.first_line().starts_with("GET "), "{request}");
        }
    }
}

#[tokio::test]
async fn other_statuses_are_refusals_even_with_a_location() {
    for status in [300, 304, 305, 306, 401, 407, 503] {
        let script = move |_: &Request| Answer::redirect(status, "/new");
        let server = HttpPeer::start(script).await.unwrap();
        let connecting = builder().server_credential(credential());
        let error = connecting
            .connect(&server.uri("ws", "/"))
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::HandshakeRefused, "{status}");
        assert_eq!(error.response().unwrap().status(), status);
        assert_eq!(server.asked().len(), 1, "{status}");
    }
}

/// A server on which `/n` leads to `/n-1`, and `/0` is a WebSocket.
async fn stairs() -> HttpPeer {
    let script =
        |request: &Request| match request.target()[1..].parse::<usize>().expect("made right") {
            0 => Answer::open(),
            step => Answer::redirect(302, &format!("/{}", step - 1)),
        };
    HttpPeer::start(script).await.expect("made right")
}

#[tokio::test]
async fn ten_are_followed_and_eleven_are_not() {
    let server = stairs().await;
    builder().connect(&server.uri("ws", "/10")).await.unwrap();
    assert_eq!(server.asked().len(), 11);
    let server = stairs().await;
    let error = builder()
        .connect(&server.uri("ws", "/11"))
        .await
        .unwrap_err();
    assert_eq!(fault(&error), RedirectFault::TooMany);
    assert_eq!(error.status(), WebErrorStatus::RedirectFailed);
    assert_eq!(error.response().unwrap().headers()["location"], "/0");
    assert_eq!(server.asked().len(), 11);
}

#[tokio::test]
async fn a_loop_ends() {
    let server = redirecting("/".to_owned()).await;
    let error = builder().connect(&server.uri("ws", "/")).await.unwrap_err();
    assert_eq!(fault(&error), RedirectFault::TooMany);
    assert_eq!(server.asked().len(), 11);
    // Each step may ask for the user once more, but not without end.
    let server = HttpPeer::start(|request| match request.header("authorization") {
        None => Answer::status(401, BASIC),
        Some(_) => Answer::redirect(302, "/"),
    });
    let server = server.await.unwrap();
    let connecting = builder().server_credential(credential());
    let error = connecting
        .connect(&server.uri("ws", "/"))
        .await
        .unwrap_err();
    assert_eq!(fault(&error), RedirectFault::TooMany);
    assert_eq!(server.asked().len(), 22);
}

#[tokio::test]
async fn the_same_origin_keeps_all() {
    let server = HttpPeer::start(|request| match request.target() {
        "/a" => Answer::redirect(307, "/b"),
        _ => Answer::open(),
    });
    let server = server.await.unwrap();
    secretive().connect(&server.uri("ws", "/a")).await.unwrap();
    let asked = server.asked();
    for name in [
        "authorization",
        "cookie",
        "origin",
        "x-api-key",
        "user-agent",
    ] {
        assert!(asked[0].header(name).is_some(), "{name}");
        assert_eq!(asked[0].header(name), asked[1].header(name));
    }
}

#[tokio::test]
async fn another_origin_is_told_nothing_and_gets_no_answer() {
    let other = asking().await;
    let server = redirecting(other.uri("ws", "/")).await;
    let error = secretive()
        .connect(&server.uri("ws", "/"))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::HandshakeRefused);
    assert_eq!(error.status(), WebErrorStatus::Unauthorized);
    assert!(server.asked()[0].header("x-api-key").is_some());
    let asked = other.asked();
    assert_eq!(asked.len(), 1, "the user was told");
    assert_told_nothing(&asked[0]);
}

/// It redirects once more within itself: that makes it no more trusted than it was.
#[tokio::test]
async fn another_origin_gets_no_answer_after_a_redirect_of_its_own() {
    let other = HttpPeer::start(|request| match request.target() {
        "/" => Answer::redirect(302, "/again"),
        _ => Answer::status(401, BASIC),
    });
    let other = other.await.unwrap();
    let server = redirecting(other.uri("ws", "/")).await;
    let error = secretive()
        .connect(&server.uri("ws", "/"))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::HandshakeRefused);
    let asked = other.asked();
    assert_eq!(asked.len(), 2, "the user was told");
    asked.iter().for_each(assert_told_nothing);
}

#[tokio::test]
async fn a_user_who_was_told_to_the_first_origin_is_not_told_to_another() {
    let other = asking().await;
    let location = other.uri("ws", "/");
    let server = HttpPeer::start(move |request| match request.header("authorization") {
        Some("Bearer token-1") | None => Answer::status(401, BASIC),
        Some(_) => Answer::redirect(302, &location),
    });
    let server = server.await.unwrap();
    let error = secretive()
        .connect(&server.uri("ws", "/"))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::HandshakeRefused);
    assert_eq!(
        server.asked()[1].header("authorization"),
        Some(&*basic("joe", "hunter2"))
    );
    assert_eq!(other.asked().len(), 1);
    assert_told_nothing(&other.asked()[0]);
}

/// A server, and another one that leads back to its path `/back`.
async fn there_and_back() -> (HttpPeer, HttpPeer) {
    let there = Arc::new(Mutex::new(String::new()));
    let location = Arc::clone(&there);
    let server = HttpPeer::start(move |request| match request.target() {
        "/" => Answer::redirect(302, &location.lock().expect("made right")),
        "/back" => Answer::redirect(302, "/asks"),
        _ => Answer::status(401, BASIC),
    });
    let server = server.await.expect("made right");
    let other = redirecting(server.uri("ws", "/back")).await;
    *there.lock().expect("made right") = other.uri("ws", "/");
    (server, other)
}

#[tokio::test]
async fn what_was_left_out_stays_left_out_on_the_way_back() {
    let (server, other) = there_and_back().await;
    let error = secretive()
        .connect(&server.uri("ws", "/"))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::HandshakeRefused);
    assert_eq!(other.asked().len(), 1);
    let asked = server.asked();
    let targets: Vec<_> = asked.iter().map(Request::target).collect();
    assert_eq!(targets, ["/", "/back", "/asks"], "and no answer to 401");
    asked[1..].iter().for_each(assert_told_nothing);
}

#[tokio::test]
async fn a_header_that_is_kept_is_told_to_all() {
    let other = opening().await;
    let server = redirecting(other.uri("ws", "/")).await;
    let policy = RedirectPolicy::follow().keep_header_across_origins("x-game");
    let connecting = secretive()
        .header("X-Game", "42")
        .redirects(policy.unwrap());
    connecting.connect(&server.uri("ws", "/")).await.unwrap();
    assert_told_nothing(&other.asked()[0]);
    assert_eq!(other.asked()[0].header("x-game"), Some("42"));
}

/// A TLS server's settings, and those of a client that trusts it.
fn tls_pair() -> (TlsAcceptor, ClientTls) {
    let root = Authority::root();
    let leaf = root.issue(params());
    (
        tls(&leaf.chain, &leaf.key).expect("made right"),
        root.trusted(),
    )
}

#[tokio::test]
async fn no_redirect_leads_from_wss_to_ws() {
    let (server_tls, trusted) = tls_pair();
    let plain = opening().await;
    for scheme in ["ws", "http"] {
        let location = plain.uri(scheme, "/");
        let script = move |_: &Request| Answer::redirect(301, &location);
        let server = HttpPeer::start_over_tls(server_tls.clone(), script);
        let server = server.await.unwrap();
        let connecting = builder().tls(trusted.clone());
        let error = connecting
            .connect(&server.uri("wss", "/"))
            .await
            .unwrap_err();
        assert_eq!(fault(&error), RedirectFault::ToPlain);
        assert_eq!(error.status(), WebErrorStatus::HttpsToHttpOnRedirection);
    }
    assert!(plain.asked().is_empty());
}

#[tokio::test]
async fn a_redirect_to_tls_is_followed_unless_the_origin_must_stay() {
    let (server_tls, trusted) = tls_pair();
    let secure = HttpPeer::start_over_tls(server_tls, |_| Answer::open());
    let secure = secure.await.unwrap();
    let server = redirecting(secure.uri("https", "/there")).await;
    let uri = server.uri("ws", "/");
    let socket = secretive()
        .tls(trusted.clone())
        .connect(&uri)
        .await
        .unwrap();
    assert!(socket.information().tls().is_some());
    assert_told_nothing(&secure.asked()[0]);
    let policy = RedirectPolicy::same_origin_only();
    let connecting = builder().tls(trusted).redirects(policy);
    let error = connecting.connect(&uri).await.unwrap_err();
    assert_eq!(fault(&error), RedirectFault::ToSecure);
    assert_eq!(error.status(), WebErrorStatus::HttpToHttpsOnRedirection);
    assert_eq!(secure.asked().len(), 1);
}

#[tokio::test]
async fn a_location_that_cannot_be_is_a_fault_that_shows_nothing_of_it() {
    for location in [
        "ftp://localhost/?token=hunter2",
        "ws://joe:hunter2@localhost/",
        "ws://joe:hunter2/",
        "ws://hunter2:hunter2/",
        "ws://[hunter2]/",
        "hunter2:token",
        "/%hunter2",
        "/\u{e9}hunter2",
        "ws://localhost:0/hunter2",
    ] {
        let server = redirecting(location.to_owned()).await;
        let error = builder().connect(&server.uri("ws", "/")).await.unwrap_err();
        assert_eq!(fault(&error), RedirectFault::InvalidLocation, "{location}");
        let text = format!("{error} {error:?} {:?}", error.connect_report());
        assert!(!text.contains("hunter2"), "{location}: {text}");
        assert_eq!(server.asked().len(), 1);
    }
}

#[tokio::test]
async fn redirects_lead_through_the_proxy_each_time() {
    let proxy = HttpPeer::start(|request| match request.header("proxy-authorization") {
        None => Answer::status(407, "Proxy-Authenticate: Basic realm=\"p\"\r\n"),
        Some(_) => Answer::Tunnel,
    });
    let proxy = proxy.await.unwrap();
    let other = opening().await;
    let port = other.address().port();
    let server = redirecting(format!("ws://other.example:{port}/")).await;
    let port = server.address().port();
    let choice = Proxy::parse(&format!("http://ann:secret@{}", proxy.address()));
    let connecting = secretive().proxy(choice.unwrap());
    connecting
        .connect(&format!("ws://first.example:{port}/"))
        .await
        .unwrap();
    let lines: Vec<_> = proxy
        .asked()
        .iter()
        .map(|r| r.target().to_owned())
        .collect();
    let (first, second) = (&lines[0], &lines[2]);
    assert_eq!(lines, [first, first, second, second].map(Clone::clone));
    assert!(first.starts_with("first.example:") && second.starts_with("other.example:"));
    assert_told_nothing(&other.asked()[0]);
    for asked in [server.asked(), other.asked()].concat() {
        assert_eq!(asked.header("proxy-authorization"), None);
    }
}

#[tokio::test]
async fn a_proxy_redirects_nobody() {
    let proxy = redirecting("ws://localhost:1/".to_owned()).await;
    let choice = Proxy::parse(&proxy.address().to_string()).unwrap();
    let error = builder()
        .proxy(choice)
        .connect("ws://server.example/")
        .await;
    let error = error.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ProxyFailed);
    assert_eq!(error.response().unwrap().status(), 302);
    assert_eq!(proxy.asked().len(), 1);
}

/// Gives each cookie to all addresses, and keeps them all.
#[derive(Default)]
struct Jar(Mutex<Vec<String>>);

impl CookieStore for Jar {
    fn cookies(&self, _: &Uri) -> Option<HeaderValue> {
        HeaderValue::from_str(&self.0.lock().expect("made right").join("; ")).ok()
    }

    fn store(&self, uri: &Uri, set_cookies: &mut dyn Iterator<Item = &HeaderValue>) {
        let port = uri.port_u16().expect("made right");
        let set =
            set_cookies.map(|value| format!("{}@{port}", value.to_str().expect("made right")));
        self.0.lock().expect("made right").extend(set);
    }
}

#[tokio::test]
async fn cookies_are_set_by_every_response_and_sent_with_the_next_request() {
    let server =
        HttpPeer::start(
            |request| match (request.target(), request.header("authorization")) {
                ("/", _) => Answer::status(302, "Location: /b\r\nSet-Cookie: by=302\r\n"),
                (_, None) => Answer::status(401, &format!("{BASIC}Set-Cookie: by=401\r\n")),
                _ => Answer::Open("Set-Cookie: by=101\r\n".to_owned()),
            },
        );
    let server = server.await.unwrap();
    let port = server.address().port();
    let jar = Arc::new(Jar::default());
    let connecting = || {
        let store: Arc<dyn CookieStore> = jar.clone();
        builder().cookies(store).server_credential(credential())
    };
    connecting().connect(&server.uri("ws", "/")).await.unwrap();
    let cookies: Vec<_> = server
        .asked()
        .iter()
        .map(|r| r.header("cookie").map(str::to_owned))
        .collect();
    let first = format!("by=302@{port}");
    let both = format!("{first}; by=401@{port}");
    assert_eq!(cookies, [None, Some(first), Some(both.clone())]);
    connecting().connect(&server.uri("ws", "/")).await.unwrap();
    let all = format!("{both}; by=101@{port}");
    assert_eq!(server.asked()[3].header("cookie"), Some(&*all));
}

#[tokio::test]
async fn a_cookie_header_of_the_callers_is_sent_alone_and_left_out_elsewhere() {
    let other = opening().await;
    let location = other.uri("ws", "/");
    let script = move |_: &Request| {
        Answer::status(
            302,
            &format!("Location: {location}\r\nSet-Cookie: by=302\r\n"),
        )
    };
    let server = HttpPeer::start(script).await.unwrap();
    let jar = Arc::new(Jar(Mutex::new(vec!["old=1".to_owned()])));
    let connecting = builder().cookies(jar.clone()).header("Cookie", "mine=2");
    connecting.connect(&server.uri("ws", "/")).await.unwrap();
    assert_eq!(server.asked()[0].header("cookie"), Some("mine=2"));
    // There the store speaks: it knows what is for whom.
    let stored = format!("old=1; by=302@{}", server.address().port());
    assert_eq!(other.asked()[0].header("cookie"), Some(&*stored));
}

#[tokio::test]
async fn a_proxy_sets_no_cookies_and_gets_none() {
    let set = "Set-Cookie: by=proxy\r\nProxy-Authenticate: Basic realm=\"p\"\r\n";
    let script = move |_: &Request| Answer::status(407, set);
    let proxy = HttpPeer::start(script).await.unwrap();
    let jar = Arc::new(Jar(Mutex::new(vec!["old=1".to_owned()])));
    let choice = Proxy::parse(&format!("ann:secret@{}", proxy.address()));
    let connecting = secretive().cookies(jar.clone()).proxy(choice.unwrap());
    let error = connecting
        .connect("ws://server.example:81/")
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ProxyAuthenticationRequired);
    assert_eq!(*jar.0.lock().unwrap(), ["old=1"]);
    for request in proxy.asked() {
        for name in [
            "authorization",
            "cookie",
            "origin",
            "x-api-key",
            "user-agent",
        ] {
            assert_eq!(request.header(name), None, "{request}");
        }
    }
}

/// A server that lets nobody in without a certificate of this authority.
async fn certified_server(root: &Authority) -> Server {
    let asked = ClientCertificates::Required(vec![root.certificate()]);
    let tls = ServerTls::builder(root.issue(params()).identity());
    let tls = tls.client_certificates(asked).build();
    Server::start(tls.expect("made right")).await
}

#[tokio::test]
async fn another_origin_is_not_shown_the_clients_certificate() {
    let root = Authority::root();
    let other = certified_server(&root).await;
    let server = redirecting(other.uri()).await;
    let mut client = params();
    client.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
    let tls = ClientTls::builder().only_roots([root.certificate()]);
    let tls = tls.identity(root.issue(client).identity()).build().unwrap();
    let opened = builder().tls(tls).connect(&server.uri("ws", "/")).await;
    assert_eq!(opened.unwrap_err().kind(), ErrorKind::TlsFailed);
}
