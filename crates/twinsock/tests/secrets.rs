//! Whatever goes wrong, and whatever is printed of it: no password, token or cookie shows.

mod certificates;

use std::error::Error as _;
use std::fmt::Debug;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use certificates::{Authority, params};
use http::{HeaderValue, Uri};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use twinsock::{
    CertificateError, ClientTls, CookieStore, Credential, Error, MessageWebSocket,
    MessageWebSocketBuilder, Proxy, ProxyChoice, RedirectPolicy, StreamWebSocket, Timeouts,
};
use twinsock_testkit::credentials::basic;
use twinsock_testkit::http_peer::{Answer, HttpPeer, Request, tls};
use twinsock_testkit::sockets::PATIENT;
use twinsock_testkit::socks_peer::{SocksPeer, Users};

const USER_PASSWORD: &str = "Secret-Of-Joe";
const PROXY_PASSWORD: &str = "Secret-Of-Ann";
const TOKEN: &str = "Secret-Token";
const API_KEY: &str = "Secret-Api-Key";
const COOKIE: &str = "Secret-Cookie";
const STORED: &str = "Secret-Stored-Cookie";
const SET: &str = "Secret-Set-Cookie";
const QUERY: &str = "Secret-Query";
const LOCATION: &str = "Secret-Location";

const ALL: [&str; 9] = [
    USER_PASSWORD,
    PROXY_PASSWORD,
    TOKEN,
    API_KEY,
    COOKIE,
    STORED,
    SET,
    QUERY,
    LOCATION,
];

/// Some of the peers here wait for another protocol.
const HASTY: Timeouts = Timeouts {
    proxy: Duration::from_millis(100),
    tls: Duration::from_millis(500),
    ..PATIENT
};

/// All that was printed, and with it what no print may hold.
struct Prints {
    secrets: Vec<String>,
    texts: Vec<(String, String)>,
}

impl Prints {
    fn new() -> Self {
        let mut secrets: Vec<_> = ALL.iter().map(|text| (*text).to_owned()).collect();
        for pair in [basic("joe", USER_PASSWORD), basic("ann", PROXY_PASSWORD)] {
            secrets.push(pair.replace("Basic ", ""));
        }
        secrets.extend(ALL.map(|text| STANDARD.encode(text)));
        secrets.extend(ALL.map(|text| text.replace('-', "%2D")));
        // What is shown as a list of bytes is shown too.
        secrets.extend(ALL.map(|text| format!("{:?}", text.as_bytes()).replace(['[', ']'], "")));
        Self {
            secrets,
            texts: Vec::new(),
        }
    }

    fn add(&mut self, of: &str, shown: &impl Debug) {
        self.texts.push((of.to_owned(), format!("{shown:?}")));
        self.texts.push((of.to_owned(), format!("{shown:#?}")));
    }

    fn add_text(&mut self, of: &str, text: impl ToString) {
        self.texts.push((of.to_owned(), text.to_string()));
    }

    fn add_error(&mut self, of: &str, error: &Error) {
        self.add(of, error);
        self.add_text(of, error);
        self.add(of, &error.connect_report());
        self.add(of, &error.failed_addresses());
        let mut source = error.source();
        while let Some(cause) = source {
            self.add(of, &cause);
            self.add_text(of, cause);
            source = cause.source();
        }
        for step in error
            .connect_report()
            .iter()
            .flat_map(|report| report.steps())
        {
            self.add_text(of, step);
            self.add_text(of, step.subject());
            self.add_text(of, step.failure().unwrap_or_default());
        }
        let error = std::io::Error::from(error.clone());
        self.add(of, &error);
        self.add_text(of, error);
    }

    fn add_socket(&mut self, of: &str, socket: &MessageWebSocket) {
        let information = socket.information();
        self.add(of, socket);
        self.add(of, information);
        self.add(of, &information.connect_report());
        self.add(of, &information.tls());
        for step in information
            .connect_report()
            .iter()
            .flat_map(|report| report.steps())
        {
            self.add_text(of, step);
        }
    }

    /// Digest's answers, seen by the peer.
    fn add_secrets_of(&mut self, asked: &[Request]) {
        for name in ["authorization", "proxy-authorization"] {
            let values = asked.iter().filter_map(|request| request.header(name));
            for part in values.filter_map(|value| value.split("response=\"").nth(1)) {
                self.secrets.push(part.trim_end_matches('"').to_owned());
            }
        }
    }

    fn assert_show_nothing(&self) {
        assert!(!self.texts.is_empty());
        for (of, text) in &self.texts {
            for secret in &self.secrets {
                let (text, secret) = (text.to_lowercase(), secret.to_lowercase());
                assert!(!text.contains(&secret), "{of} shows {secret}: {text}");
            }
        }
    }
}

struct Store;

impl CookieStore for Store {
    fn cookies(&self, _: &Uri) -> Option<HeaderValue> {
        HeaderValue::from_str(STORED).ok()
    }

    fn store(&self, _: &Uri, _: &mut dyn Iterator<Item = &HeaderValue>) {}
}

/// Cookies of the caller's own leave no room for those of a store.
#[derive(Clone, Copy, Debug)]
enum CookiesOf {
    Caller,
    Store,
}

fn builder(cookies: CookiesOf) -> MessageWebSocketBuilder {
    let builder = MessageWebSocket::builder()
        .proxy(ProxyChoice::Direct)
        .redirects(RedirectPolicy::follow())
        .server_credential(Credential::new("joe", USER_PASSWORD).expect("made right"))
        .proxy_credential(Credential::new("ann", PROXY_PASSWORD).expect("made right"))
        .header("Authorization", &format!("Bearer {TOKEN}"))
        .header("X-Api-Key", API_KEY)
        .cookies(Arc::new(Store))
        .timeouts(HASTY);
    match cookies {
        CookiesOf::Caller => builder.header("Cookie", &format!("id={COOKIE}")),
        CookiesOf::Store => builder,
    }
}

/// What is asked for everywhere.
fn resource() -> String {
    format!("/{QUERY}?token={QUERY}")
}

/// What servers and proxies answer: each in a row of its own, many without sense.
fn answers() -> Vec<Answer> {
    let location = |text: &str| format!("Location: {text}\r\nSet-Cookie: id={SET}\r\n");
    let asks = |challenge: &str| {
        format!("WWW-Authenticate: {challenge}\r\nProxy-Authenticate: {challenge}\r\n")
    };
    let mut answers: Vec<_> = [
        (404, String::new()),
        (
            302,
            location(&format!("ws://localhost:1/{LOCATION}?{LOCATION}")),
        ),
        (302, location(&format!("/{LOCATION}"))),
        (302, location(&format!("ftp://localhost/{LOCATION}"))),
        (302, location(&format!("ws://x:{LOCATION}@localhost/"))),
        (302, location(&format!("ws://localhost:{LOCATION}/"))),
        (302, location(&format!("{LOCATION}://localhost/"))),
        (401, asks("Basic realm=\"x\"")),
        (407, asks("Basic realm=\"x\"")),
        (401, asks("Digest realm=\"x\", nonce=\"y\", qop=\"auth\"")),
        (
            407,
            asks("Digest realm=\"x\", nonce=\"y\", algorithm=SHA-256, qop=\"auth\""),
        ),
        (
            401,
            asks("Digest realm=\"x\", nonce=\"y\", stale=true, qop=\"auth\""),
        ),
        (401, asks("Digest realm=\"x\"")),
        (401, asks("Negotiate")),
        (407, asks("\"")),
        (101, format!("Set-Cookie: id={SET}\r\n")),
        (200, format!("Set-Cookie: id={SET}\r\n")),
    ]
    .iter()
    .map(|(status, headers)| Answer::status(*status, headers))
    .collect();
    for bytes in [
        "",
        "SSH-2.0-x\r\n",
        "HTTP/1.1 200\r\n",
        "HTTP/2 200 OK\r\n\r\n",
        "HTTP/1.1 x",
    ] {
        answers.push(Answer::Bytes(bytes.into()));
    }
    answers
}

async fn connect_and_add(
    prints: &mut Prints,
    of: &str,
    builder: MessageWebSocketBuilder,
    uri: &str,
) {
    prints.add(of, &builder);
    match builder.connect(uri).await {
        Ok(socket) => prints.add_socket(of, &socket),
        Err(error) => prints.add_error(of, &error),
    }
}

#[tokio::test]
async fn no_answer_of_a_server_has_a_secret_shown() {
    let mut prints = Prints::new();
    for answer in answers() {
        for cookies in [CookiesOf::Caller, CookiesOf::Store] {
            let of = format!("a server's {answer:?} to cookies of {cookies:?}");
            let answer = answer.clone();
            let server = HttpPeer::start(move |_| answer.clone()).await.unwrap();
            let uri = server.uri("ws", &resource());
            connect_and_add(&mut prints, &of, builder(cookies), &uri).await;
            assert!(!server.asked().is_empty());
            prints.add_secrets_of(&server.asked());
        }
    }
    prints.assert_show_nothing();
}

#[tokio::test]
async fn no_answer_of_a_proxy_has_a_secret_shown() {
    let mut prints = Prints::new();
    for answer in answers() {
        let of = format!("a proxy's {answer:?}");
        let peer = HttpPeer::start(move |_| answer.clone()).await.unwrap();
        for scheme in ["http", "socks5h", "socks5"] {
            let address = format!("{scheme}://ann:{PROXY_PASSWORD}@{}", peer.address());
            let proxy = Proxy::parse(&address).unwrap();
            prints.add(&of, &proxy);
            prints.add_text(&of, &proxy);
            prints.add(&of, &ProxyChoice::from(proxy.clone()));
            let builder = builder(CookiesOf::Store).proxy(proxy);
            let uri = format!("ws://127.0.0.1:1{}", resource());
            connect_and_add(&mut prints, &of, builder, &uri).await;
        }
        prints.add_secrets_of(&peer.asked());
    }
    let socks = SocksPeer::start(Users::One("ann", "another"))
        .await
        .unwrap();
    let proxy = Proxy::parse(&format!("socks5h://{}", socks.address())).unwrap();
    let uri = format!("ws://server.example{}", resource());
    let builder = builder(CookiesOf::Caller).proxy(proxy);
    connect_and_add(&mut prints, "a SOCKS proxy", builder, &uri).await;
    assert_eq!(socks.asked().len(), 2);
    prints.assert_show_nothing();
}

#[tokio::test]
async fn no_success_has_a_secret_shown() {
    let mut prints = Prints::new();
    let server = HttpPeer::start(|request| match request.header("authorization") {
        Some(value) if value.starts_with("Digest ") => {
            Answer::Open(format!("Set-Cookie: id={SET}\r\n"))
        }
        _ => Answer::status(401, "WWW-Authenticate: Digest realm=\"x\", nonce=\"y\"\r\n"),
    });
    let server = server.await.unwrap();
    let proxy = HttpPeer::start(|request| match request.header("proxy-authorization") {
        Some(_) => Answer::Tunnel,
        None => Answer::status(407, "Proxy-Authenticate: Basic realm=\"x\"\r\n"),
    });
    let proxy = proxy.await.unwrap();
    let choice = Proxy::parse(&proxy.address().to_string()).unwrap();
    let uri = server.uri("ws", &resource());
    let builder = || builder(CookiesOf::Caller).proxy(choice.clone());
    let socket = builder().connect(&uri).await.unwrap();
    prints.add_socket("a socket", &socket);
    // Its marks keep the response's own cookies out of what an application prints.
    prints.add(
        "a response",
        &socket.information().response().unwrap().headers(),
    );
    prints.add_secrets_of(&server.asked());
    prints.add_secrets_of(&proxy.asked());
    prints.assert_show_nothing();
    let stream = StreamWebSocket::builder()
        .header("Authorization", TOKEN)
        .server_credential(Credential::new("joe", USER_PASSWORD).unwrap());
    prints.add("a stream's builder", &stream);
    prints.add(
        "a credential",
        &Credential::new("joe", USER_PASSWORD).unwrap(),
    );
    prints.assert_show_nothing();
}

#[tokio::test]
async fn no_failure_of_tls_has_a_secret_shown() {
    let mut prints = Prints::new();
    let (root, other) = (Authority::root(), Authority::root());
    let leaf = root.issue(params());
    let acceptor = tls(&leaf.chain, &leaf.key).unwrap();
    let secure = HttpPeer::start_over_tls(acceptor, |_| Answer::status(403, ""));
    let secure = secure.await.unwrap();
    let plain = HttpPeer::start(|_| Answer::status(403, "")).await.unwrap();
    let ignoring = || {
        let builder = builder(CookiesOf::Caller).tls(other.trusted());
        builder.dangerously_ignore_certificate_errors([CertificateError::Untrusted])
    };
    let (secure, plain) = (
        secure.uri("wss", &resource()),
        plain.uri("wss", &resource()),
    );
    for (of, builder, uri) in [
        (
            "a trusted server",
            builder(CookiesOf::Caller).tls(root.trusted()),
            &secure,
        ),
        (
            "an untrusted server",
            builder(CookiesOf::Caller).tls(other.trusted()),
            &secure,
        ),
        ("an ignored error", ignoring(), &secure),
        (
            "a plain server",
            builder(CookiesOf::Caller).tls(root.trusted()),
            &plain,
        ),
    ] {
        connect_and_add(&mut prints, of, builder, uri).await;
    }
    let identity = root.issue(params());
    let tls = ClientTls::builder().identity(identity.identity());
    prints.add("a builder", &tls);
    prints.add("an identity", &tls.build().unwrap());
    let key = format!("{:?}", identity.key).replace(['[', ']'], "");
    prints.secrets.push(key);
    prints.assert_show_nothing();
}

/// A service that sends back what it is sent, as port 7 once had it: the request, secrets and all.
async fn mirror() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("made right");
    let port = listener.local_addr().expect("made right").port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut bytes = vec![0; 4096];
            let count = stream.read(&mut bytes).await?;
            stream.write_all(&bytes[..count]).await?;
        }
        Ok::<(), std::io::Error>(())
    });
    port
}

#[tokio::test]
async fn a_service_that_sends_the_request_back_has_no_secret_shown() {
    let mut prints = Prints::new();
    let port = mirror().await;
    let uri = format!("ws://127.0.0.1:{port}{}", resource());
    connect_and_add(&mut prints, "a mirror", builder(CookiesOf::Caller), &uri).await;
    prints.assert_show_nothing();
}

#[tokio::test]
async fn a_proxy_that_sends_the_request_back_has_no_secret_shown() {
    let mut prints = Prints::new();
    let port = mirror().await;
    for scheme in ["http", "socks5h"] {
        let address = format!("{scheme}://ann:{PROXY_PASSWORD}@127.0.0.1:{port}");
        let builder = builder(CookiesOf::Caller).proxy(Proxy::parse(&address).unwrap());
        let uri = format!("ws://server.example{}", resource());
        connect_and_add(&mut prints, "a mirror", builder, &uri).await;
    }
    prints.assert_show_nothing();
}

/// It puts what it was told into its challenge, its realm, and its reason.
#[tokio::test]
async fn a_server_that_repeats_the_answer_in_its_challenge_has_no_secret_shown() {
    let mut prints = Prints::new();
    let server = HttpPeer::start(|request| {
        let told = request.header("authorization").unwrap_or_default();
        let told = told.replace(['"', ' '], "");
        Answer::status(
            401,
            &format!("WWW-Authenticate: Basic realm=\"{told}\"\r\n"),
        )
    });
    let server = server.await.unwrap();
    let uri = server.uri("ws", &resource());
    connect_and_add(
        &mut prints,
        "a repeating server",
        builder(CookiesOf::Store),
        &uri,
    )
    .await;
    prints.assert_show_nothing();
}

#[test]
fn no_setting_that_cannot_be_has_a_secret_shown() {
    let mut prints = Prints::new();
    let bell = format!("{TOKEN}\u{7}");
    for (of, builder) in [
        (
            "a value",
            MessageWebSocket::builder().header("X-Api-Key", &bell),
        ),
        (
            "a line end",
            MessageWebSocket::builder().header("Cookie", &format!("{COOKIE}\r\n")),
        ),
    ] {
        prints.add(of, &builder);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let error = runtime
            .block_on(builder.connect("ws://localhost:1/"))
            .unwrap_err();
        prints.add_error(of, &error);
    }
    for address in [
        "http://ann:{}@",
        "http://ann:{}",
        "ann:{}",
        "ann:{}@host:99999",
        "ann:/{}@host",
        "ann:#{}@host",
        "ann:{}%@host",
        "socks4://ann:{}@host",
        "http:/ann:{}@host",
        "http//ann:{}@host",
        "http:ann:{}@host",
        "http://ann@{}@",
        "http://ann:x@{}:x",
        "http://{}",
        "http://ann:{} @host",
        "http://[ann:{}@host",
        "ann {}",
    ] {
        let address = address.replace("{}", PROXY_PASSWORD);
        match Proxy::parse(&address) {
            // It is the name of a host then, and such a name is shown.
            Ok(proxy) => prints.add(&address.replace(PROXY_PASSWORD, ""), &proxy.scheme()),
            Err(error) => prints.add_error(&address, &error),
        }
    }
    for (name, password) in [
        ("", USER_PASSWORD),
        ("joe", &*format!("{USER_PASSWORD}\u{0}")),
    ] {
        let error = Credential::new(name, password).unwrap_err();
        prints.add("a credential", &error);
        prints.add_text("a credential", error);
    }
    prints.assert_show_nothing();
}

/// What is shown of an address that cannot be used.
#[tokio::test]
async fn an_address_that_cannot_be_has_no_secret_shown() {
    let mut prints = Prints::new();
    for address in [
        "ws://joe:{}@host/",
        "ws://joe:/{}@host/",
        "ws://joe:x/{}@host/",
        "ws://joe:?{}@host/",
        "ws://joe:{}",
        "ws://joe:#{}@host",
        "ws://host/?token={}#part",
        "ws://host/?token={} x",
        "http://host/?token={}",
        "wss//joe:{}@host",
        "joe:{}@host",
        "ws:joe:{}@host",
    ] {
        let uri = address.replace("{}", USER_PASSWORD);
        let error = MessageWebSocket::connect(&uri).await.unwrap_err();
        prints.add_error(address, &error);
    }
    prints.assert_show_nothing();
}

/// A log of what each test here would find, were there no marks: the tests can fail.
#[test]
#[should_panic(expected = "a mistake shows")]
fn a_secret_that_is_shown_is_found() {
    let mut prints = Prints::new();
    let shown = Mutex::new(basic("joe", USER_PASSWORD));
    prints.add("a mistake", &shown);
    prints.assert_show_nothing();
}
