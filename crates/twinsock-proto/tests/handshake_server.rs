//! The server's opening handshake (RFC 6455 §4.2), as seen by a caller.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

use http::header;
use http::{HeaderMap, HeaderValue, StatusCode};
use proptest::prelude::*;
use twinsock_proto::handshake::server::{
    Accepted, AwaitRequest, Origin, OriginPolicy, Policy, Received, Refusal, Step,
};
use twinsock_proto::handshake::{HeadError, HeadLimits, KeyError, Misuse, RequestError};

const GOOD: &str = "GET /chat HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

fn step() -> AwaitRequest {
    AwaitRequest::new(HeadLimits::default())
}

fn receive(request: &str) -> Result<Received, Refusal> {
    match step().proceed(request.as_bytes())? {
        Step::Received(received) => Ok(received),
        Step::Incomplete(_) => panic!("incomplete: {request:?}"),
    }
}

fn refused(request: &str) -> RequestError {
    let (error, response) = receive(request).expect_err("must be refused").into_parts();
    assert_complete_refusal(&response, error.status());
    error
}

/// Every refusal is a whole response that ends the connection.
fn assert_complete_refusal(response: &[u8], status: StatusCode) {
    let text = std::str::from_utf8(response).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    assert!(
        head.starts_with(&format!("HTTP/1.1 {} ", status.as_str())),
        "{head}"
    );
    assert!(head.contains("\r\nConnection: close"), "{head}");
    assert!(
        head.contains(&format!("\r\nContent-Length: {}", body.len())),
        "{head}"
    );
}

fn accept(request: &str, policy: &Policy) -> Result<Accepted, Refusal> {
    receive(request)?.accept(policy)
}

fn accepted_text(accepted: &Accepted) -> &str {
    std::str::from_utf8(accepted.response()).unwrap()
}

fn with(header: &str) -> String {
    GOOD.replace("\r\n\r\n", &format!("\r\n{header}\r\n\r\n"))
}

fn without(name: &str) -> String {
    let lines = GOOD
        .split_inclusive("\r\n")
        .filter(|line| !line.starts_with(name));
    lines.collect()
}

/// What a request came to, in a form that can be compared.
#[derive(Clone, Debug, PartialEq)]
enum Outcome {
    Waiting,
    Received {
        target: String,
        headers: HeaderMap,
        leftover: Vec<u8>,
    },
    Refused(Refusal),
}

fn outcome_of<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Outcome {
    let mut pieces = pieces.into_iter();
    let mut step = step();
    while let Some(piece) = pieces.next() {
        step = match step.proceed(piece) {
            Ok(Step::Incomplete(step)) => step,
            Ok(Step::Received(received)) => {
                let policy = Policy::new().origins(OriginPolicy::AnyOriginDangerously);
                let (_, request, _, leftover) = received.accept(&policy).unwrap().into_parts();
                let request = request.get();
                let mut leftover = leftover.to_vec();
                pieces.for_each(|piece| leftover.extend_from_slice(piece));
                let target = request.uri().to_string();
                return Outcome::Received {
                    target,
                    headers: request.headers().clone(),
                    leftover,
                };
            }
            Err(refusal) => return Outcome::Refused(refusal),
        };
    }
    Outcome::Waiting
}

// What a server takes from a request.

#[test]
fn section_4_2_1_sound_request_is_received() {
    let received = receive(&with(
        "Sec-WebSocket-Protocol: chat, superchat\r\nOrigin: http://a.example",
    ))
    .unwrap();
    assert_eq!(received.resource(), "/chat");
    assert_eq!(
        (received.host(), received.port()),
        ("server.example.com", None)
    );
    assert_eq!(received.key().as_str(), "dGhlIHNhbXBsZSBub25jZQ==");
    assert_eq!(received.origin().unwrap(), "http://a.example");
    let protocols: Vec<&str> = received
        .protocols()
        .iter()
        .map(|protocol| protocol.as_str())
        .collect();
    assert_eq!(protocols, ["chat", "superchat"]);
    assert_eq!(received.request().headers()["upgrade"], "websocket");
}

#[test]
fn section_4_2_1_unknown_headers_are_ignored() {
    let received = receive(&with(
        "X-Unknown: 1\r\nSec-WebSocket-Unknown: 2\r\nCookie: a=b\r\nX-Unknown: \"3",
    ))
    .unwrap();
    let values = received.request().headers().get_all("x-unknown").iter();
    assert_eq!(values.count(), 2);
    let accepted = received.accept(&Policy::new()).unwrap();
    assert_eq!(
        accepted_text(&accepted),
        accepted_text(&accept(GOOD, &Policy::new()).unwrap())
    );
}

#[test]
fn section_4_2_1_method_must_be_get() {
    for method in ["POST", "HEAD", "OPTIONS", "CONNECT", "get", "GETS", "*"] {
        let request = GOOD.replace("GET", method);
        assert!(
            matches!(refused(&request), RequestError::Method { .. }),
            "{method}"
        );
        let refusal = receive(&request).unwrap_err();
        assert!(refusal.response().starts_with(b"HTTP/1.1 405 "));
        assert!(
            std::str::from_utf8(refusal.response())
                .unwrap()
                .contains("\r\nAllow: GET\r\n")
        );
    }
    assert!(
        receive(&GOOD.replace("GET", "HEAD"))
            .unwrap_err()
            .response()
            .ends_with(b"\r\n\r\n")
    );
}

#[test]
fn section_4_2_1_version_must_be_http_1_1() {
    for version in ["HTTP/1.0", "HTTP/0.9", "HTTP/2.0", "HTTP/1.2", "HTTP/1.10"] {
        let error = refused(&GOOD.replace("HTTP/1.1", version));
        assert!(
            matches!(error, RequestError::Head(HeadError::HttpVersion { .. })),
            "{version}: {error:?}"
        );
        assert_eq!(error.status(), StatusCode::HTTP_VERSION_NOT_SUPPORTED);
    }
    let preface = refused("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    assert_eq!(preface.status(), StatusCode::HTTP_VERSION_NOT_SUPPORTED);
}

#[test]
fn section_4_2_1_target_is_a_resource_name_or_an_http_uri() {
    for (target, resource) in [
        ("/", "/"),
        ("/a?b=c", "/a?b=c"),
        ("//a/b", "//a/b"),
        ("/a:b@c", "/a:b@c"),
        ("/?a={b|c}", "/?a={b|c}"),
        ("http://server.example.com/x?y", "/x?y"),
        ("https://server.example.com", "/"),
        ("HTTP://server.example.com?y", "/?y"),
    ] {
        assert_eq!(
            receive(&GOOD.replace("/chat", target)).unwrap().resource(),
            resource,
            "{target}"
        );
    }
    for target in [
        "*",
        "chat",
        "server.example.com:80",
        "ws://a/b",
        "ftp://a/b",
        "/a#b",
        "http://a/b#c",
        "http:///a",
        "/ä",
        "?a",
        "http:/a",
    ] {
        let error = refused(&GOOD.replace("/chat", target));
        assert!(
            matches!(error, RequestError::Target { .. } | RequestError::Host(_)),
            "{target}: {error:?}"
        );
        assert_eq!(error.status(), StatusCode::BAD_REQUEST);
    }
}

#[test]
fn rfc_9112_3_2_target_has_neither_space_nor_control_character() {
    for target in ["/a b", "/a\tb", "/a\0b", "/a\x7fb", "/a\rb", "/a\nb", ""] {
        let error = refused(&GOOD.replace("/chat", target));
        assert_eq!(
            error.status(),
            StatusCode::BAD_REQUEST,
            "{target:?}: {error:?}"
        );
    }
}

#[test]
fn section_4_2_1_host_must_be_there_once_and_valid() {
    assert_eq!(
        refused(&without("Host")),
        RequestError::MissingHeader { name: header::HOST }
    );
    assert_eq!(
        refused(&with("Host: server.example.com")),
        RequestError::MalformedHeader { name: header::HOST }
    );
    for host in [
        "", "a b", "a/b", "user@a", "a:0", "a:65536", "a:b", "a,b", "[::1", "http://a", "a..b",
        "127.1",
    ] {
        let error = refused(&GOOD.replace("Host: server.example.com", &format!("Host: {host}")));
        assert!(matches!(error, RequestError::Host(_)), "{host}: {error:?}");
        assert_eq!(error.status(), StatusCode::BAD_REQUEST);
    }
    let non_ascii = GOOD.replace("server.example.com", "sërver");
    assert_eq!(
        refused(&non_ascii),
        RequestError::MalformedHeader { name: header::HOST }
    );
    let received = receive(&GOOD.replace("server.example.com", "[2001:DB8::1]:8080")).unwrap();
    assert_eq!(
        (received.host(), received.port()),
        ("[2001:db8::1]", Some(8080))
    );
}

#[test]
fn rfc_9112_3_2_2_absolute_target_overrides_the_host() {
    let received = receive(&GOOD.replace("/chat", "http://other.example:81/")).unwrap();
    assert_eq!(
        (received.host(), received.port()),
        ("other.example", Some(81))
    );
    let credentials = GOOD.replace("/chat", "http://user:secret@other.example/");
    let error = refused(&credentials);
    assert!(matches!(error, RequestError::Host(_)), "{error:?}");
    assert!(!error.to_string().contains("secret"));
}

#[test]
fn section_4_2_1_upgrade_must_list_websocket() {
    for value in [
        "WebSocket",
        "h2c, websocket",
        "websocket,h2c",
        "a/1\r\nUpgrade: websocket",
    ] {
        receive(&GOOD.replace("Upgrade: websocket", &format!("Upgrade: {value}"))).unwrap();
    }
    let missing = RequestError::NotUpgrade {
        name: header::UPGRADE,
    };
    for request in [
        without("Upgrade"),
        GOOD.replace(": websocket", ": h2c"),
        GOOD.replace(": websocket", ": websocket/13"),
        GOOD.replace(": websocket", ": "),
    ] {
        assert_eq!(refused(&request), missing);
    }
}

#[test]
fn section_4_2_1_connection_must_list_upgrade() {
    for value in ["upgrade", "keep-alive, Upgrade", "x\r\nConnection: UPGRADE"] {
        receive(&GOOD.replace("Connection: Upgrade", &format!("Connection: {value}"))).unwrap();
    }
    let missing = RequestError::NotUpgrade {
        name: header::CONNECTION,
    };
    for request in [
        without("Connection"),
        GOOD.replace(": Upgrade", ": close"),
        GOOD.replace(": Upgrade", ": upgraded"),
    ] {
        assert_eq!(refused(&request), missing);
    }
}

#[test]
fn rfc_9110_15_5_22_upgrade_required_names_the_upgrade() {
    let refusal = receive("GET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap_err();
    let text = std::str::from_utf8(refusal.response()).unwrap();
    assert!(text.starts_with(
        "HTTP/1.1 426 Upgrade Required\r\nConnection: close, Upgrade\r\nUpgrade: websocket\r\n"
    ));
}

#[test]
fn section_4_4_other_versions_are_told_13() {
    for request in [
        GOOD.replace("Version: 13", "Version: 8"),
        GOOD.replace("Version: 13", "Version: 14"),
        GOOD.replace("Version: 13", "Version: 013"),
        GOOD.replace("Version: 13", "Version: 13, 8"),
        GOOD.replace("Version: 13", "Version: "),
        without("Sec-WebSocket-Version"),
    ] {
        assert!(matches!(refused(&request), RequestError::Version { .. }));
        let refusal = receive(&request).unwrap_err();
        let text = std::str::from_utf8(refusal.response()).unwrap();
        assert!(text.starts_with("HTTP/1.1 426 "));
        assert!(text.contains("\r\nSec-WebSocket-Version: 13\r\n"), "{text}");
    }
}

#[test]
fn section_11_3_5_version_must_not_be_repeated() {
    let repeated = RequestError::MalformedHeader {
        name: header::SEC_WEBSOCKET_VERSION,
    };
    assert_eq!(refused(&with("Sec-WebSocket-Version: 13")), repeated);
    assert_eq!(repeated.status(), StatusCode::BAD_REQUEST);
}

#[test]
fn section_4_2_1_key_must_be_16_bytes_in_base64() {
    let key = "dGhlIHNhbXBsZSBub25jZQ==";
    assert_eq!(
        refused(&without("Sec-WebSocket-Key")),
        RequestError::MissingHeader {
            name: header::SEC_WEBSOCKET_KEY
        }
    );
    for (value, expected) in [
        ("", KeyError::Length { got: 0 }),
        ("dGhlIHNhbXBsZSBub25j", KeyError::Length { got: 20 }),
        ("dGhlIHNhbXBsZSBub25jZTEy", KeyError::NotBase64),
        ("dGhlIHNhbXBsZSBub25jZR==", KeyError::NotBase64),
        ("????????????????????????", KeyError::NotBase64),
    ] {
        let error = refused(&GOOD.replace(key, value));
        assert_eq!(error, RequestError::Key(expected));
        assert_eq!(error.status(), StatusCode::BAD_REQUEST);
    }
}

#[test]
fn section_11_3_1_key_must_not_be_repeated() {
    let error = refused(&with("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="));
    assert_eq!(
        error,
        RequestError::MalformedHeader {
            name: header::SEC_WEBSOCKET_KEY
        }
    );
}

#[test]
fn section_11_3_4_offered_subprotocols_may_span_lines() {
    let received = receive(&with(
        "Sec-WebSocket-Protocol: a ,b\r\nSec-WebSocket-Protocol: c",
    ))
    .unwrap();
    assert_eq!(received.protocols().len(), 3);
}

#[test]
fn section_4_1_offered_subprotocols_are_unique_tokens() {
    for value in ["a, b, a", "a\r\nSec-WebSocket-Protocol: a"] {
        let error = refused(&with(&format!("Sec-WebSocket-Protocol: {value}")));
        assert_eq!(
            error,
            RequestError::RepeatedProtocol {
                protocol: "a".parse().unwrap()
            }
        );
    }
    for value in ["", ",", "a b", "a;b", "\"a\"", "a/b", "ä"] {
        let error = refused(&with(&format!("Sec-WebSocket-Protocol: {value}")));
        assert_eq!(
            error,
            RequestError::MalformedHeader {
                name: header::SEC_WEBSOCKET_PROTOCOL
            },
            "{value}"
        );
    }
}

#[test]
fn section_9_1_offered_extensions_are_declined_but_must_be_well_formed() {
    let offer = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits, x; y=\"z\"";
    let accepted = accept(&with(offer), &Policy::new()).unwrap();
    assert!(
        !accepted_text(&accepted)
            .to_lowercase()
            .contains("extensions")
    );
    receive(&with(
        "Sec-WebSocket-Extensions: a\r\nSec-WebSocket-Extensions: b",
    ))
    .unwrap();
    for value in ["", "a; b=\"c d\"", "a b", ";", "a; b=\"", "a;"] {
        let error = refused(&with(&format!("Sec-WebSocket-Extensions: {value}")));
        assert_eq!(
            error,
            RequestError::MalformedHeader {
                name: header::SEC_WEBSOCKET_EXTENSIONS
            },
            "{value}"
        );
    }
}

#[test]
fn request_must_not_have_a_body() {
    for header in [
        "Content-Length: 1",
        "Content-Length: x",
        "Content-Length: 0, 5",
    ] {
        assert_eq!(
            refused(&with(header)),
            RequestError::Body {
                name: header::CONTENT_LENGTH
            }
        );
    }
    assert_eq!(
        refused(&with("Transfer-Encoding: chunked")),
        RequestError::Body {
            name: header::TRANSFER_ENCODING
        }
    );
    let twice = refused(&with("Content-Length: 0\r\nContent-Length: 5"));
    assert_eq!(
        twice,
        RequestError::MalformedHeader {
            name: header::CONTENT_LENGTH
        }
    );
    receive(&with("Content-Length: 0")).unwrap();
}

// What a server answers.

#[test]
fn section_4_2_2_answer_has_every_required_header() {
    let accepted = accept(GOOD, &Policy::new()).unwrap();
    assert_eq!(
        accepted_text(&accepted),
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
    );
}

#[test]
fn section_4_2_2_first_supported_subprotocol_that_was_offered_is_chosen() {
    let policy = ["x", "b", "a"]
        .into_iter()
        .fold(Policy::new(), |policy, name| {
            policy.protocol(name.parse().unwrap()).unwrap()
        });
    let accepted = accept(&with("Sec-WebSocket-Protocol: a, b"), &policy).unwrap();
    assert_eq!(accepted.protocol().unwrap().as_str(), "b");
    assert!(accepted_text(&accepted).contains("\r\nSec-WebSocket-Protocol: b\r\n"));
    for request in [with("Sec-WebSocket-Protocol: c, B"), GOOD.to_owned()] {
        let accepted = accept(&request, &policy).unwrap();
        assert_eq!(accepted.protocol(), None);
        assert!(!accepted_text(&accepted).contains("Sec-WebSocket-Protocol"));
    }
    assert!(matches!(
        policy.protocol("a".parse().unwrap()),
        Err(Misuse::RepeatedProtocol { .. })
    ));
}

#[test]
fn section_4_2_2_further_headers_are_added() {
    let policy = Policy::new()
        .header("Set-Cookie", "a=secret")
        .and_then(|policy| policy.header("Set-Cookie", "c=d"))
        .unwrap();
    let accepted = accept(GOOD, &policy).unwrap();
    assert!(accepted_text(&accepted).ends_with("set-cookie: a=secret\r\nset-cookie: c=d\r\n\r\n"));
    assert!(!format!("{accepted:?} {policy:?}").contains("secret"));
}

#[test]
fn rfc_9110_5_5_added_headers_cannot_add_lines_or_replace_ours() {
    for name in [
        "Sec-WebSocket-Accept",
        "Sec-WebSocket-Extensions",
        "Connection",
        "Upgrade",
        "Content-Length",
        "Transfer-Encoding",
    ] {
        assert!(
            matches!(
                Policy::new().header(name, "x"),
                Err(Misuse::ReservedHeader { .. })
            ),
            "{name}"
        );
    }
    for value in ["a\r\nX: y", "a\n", "\0"] {
        assert!(matches!(
            Policy::new().header("x", value),
            Err(Misuse::HeaderValue { .. })
        ));
    }
    assert!(matches!(
        Policy::new().header("x\r\ny", "z"),
        Err(Misuse::HeaderName)
    ));
}

#[test]
fn section_4_1_bytes_after_the_request_belong_to_frames() {
    let accepted = accept(
        &format!("{GOOD}\x01\x02GET / HTTP/1.1\r\n\r\n"),
        &Policy::new(),
    )
    .unwrap();
    assert_eq!(accepted.leftover(), b"\x01\x02GET / HTTP/1.1\r\n\r\n");
}

#[test]
fn secrets_of_the_client_stay_out_of_debug_output() {
    let request = with("Cookie: secret\r\nAuthorization: Basic secret");
    assert!(!format!("{:?}", receive(&request).unwrap()).contains("secret"));
    let cut = &request.as_bytes()[..request.len() - 1];
    let Ok(Step::Incomplete(step)) = step().proceed(cut) else {
        panic!()
    };
    assert!(!format!("{step:?}").contains("secret"));
}

// Origins.

fn origin_outcome(host: &str, origin: &str, policy: OriginPolicy) -> Result<(), RequestError> {
    let request = with(&format!("Origin: {origin}")).replace("server.example.com", host);
    let policy = Policy::new().origins(policy);
    match accept(&request, &policy) {
        Ok(_) => Ok(()),
        Err(refusal) => {
            assert_complete_refusal(refusal.response(), StatusCode::FORBIDDEN);
            Err(refusal.into_parts().0)
        }
    }
}

#[test]
fn section_10_2_same_host_is_allowed_by_default() {
    for (host, origin) in [
        ("a.example", "http://a.example"),
        ("a.example", "https://a.example"),
        ("A.Example", "https://a.eXample"),
        ("a.example:443", "https://a.example"),
        ("a.example", "https://a.example:443"),
        ("a.example:80", "http://a.example"),
        ("a.example:8080", "http://a.example:8080"),
        ("[::1]:3000", "http://[0:0::1]:3000"),
        ("127.0.0.1", "http://127.0.0.1"),
    ] {
        assert_eq!(
            origin_outcome(host, origin, OriginPolicy::default()),
            Ok(()),
            "{host} {origin}"
        );
    }
}

#[test]
fn section_10_2_other_origins_are_forbidden_by_default() {
    for (host, origin) in [
        ("a.example", "http://b.example"),
        ("a.example", "http://a.example.evil"),
        ("a.example", "http://sub.a.example"),
        ("a.example", "http://a.example:8080"),
        ("a.example:8080", "http://a.example"),
        ("a.example:80", "https://a.example"),
        ("a.example", "chrome-extension://a.example"),
        ("a.example", "null"),
        ("a.example", ""),
        ("a.example", "a.example"),
        ("a.example", "http://a.example/"),
        ("a.example", "http://a.example, http://b.example"),
        ("a.example", "http://user@a.example"),
        ("a.example", "http://a.example ä"),
        ("localhost", "http://127.0.0.1"),
    ] {
        let outcome = origin_outcome(host, origin, OriginPolicy::default());
        assert!(
            matches!(outcome, Err(RequestError::Origin { .. })),
            "{host} {origin:?}"
        );
    }
}

#[test]
fn section_10_2_listed_origins_are_compared_exactly() {
    let policy = || {
        let listed = ["https://b.example", "http://c.example:81", "app://local"];
        OriginPolicy::SameHostOr(listed.map(|origin| origin.parse().unwrap()).to_vec())
    };
    for origin in [
        "https://b.example",
        "HTTPS://B.example:443",
        "http://c.example:81",
        "http://a.example",
        "app://local",
    ] {
        assert_eq!(
            origin_outcome("a.example", origin, policy()),
            Ok(()),
            "{origin}"
        );
    }
    for origin in [
        "http://b.example",
        "https://b.example:444",
        "http://c.example",
        "https://x.b.example",
        "app://local:1",
        "null",
    ] {
        assert!(
            origin_outcome("a.example", origin, policy()).is_err(),
            "{origin}"
        );
    }
}

#[test]
fn section_10_2_check_can_be_switched_off_dangerously() {
    for origin in ["http://evil.example", "null", "garbage"] {
        assert_eq!(
            origin_outcome("a.example", origin, OriginPolicy::AnyOriginDangerously),
            Ok(())
        );
    }
}

#[test]
fn section_10_2_client_without_origin_is_no_browser() {
    accept(GOOD, &Policy::new()).unwrap();
}

#[test]
fn rfc_6454_7_3_origin_must_not_be_repeated() {
    let error = refused(&with(
        "Origin: http://server.example.com\r\nOrigin: http://evil.example",
    ));
    assert_eq!(
        error,
        RequestError::MalformedHeader {
            name: header::ORIGIN
        }
    );
}

#[test]
fn origins_are_scheme_host_and_port_alone() {
    for text in [
        "",
        "null",
        "a.example",
        "://a",
        "http://",
        "http://a/",
        "http://a?b",
        "http://a#b",
        "http://*",
        "1http://a",
        "http://a:0",
        " http://a",
        "http://a\r\nX: y",
    ] {
        assert!(text.parse::<Origin>().is_err(), "{text:?}");
    }
    let origin: Origin = "HTTP://A.example:8080".parse().unwrap();
    assert_eq!(origin.to_string(), "http://a.example:8080");
}

// The application's own refusal.

#[test]
fn section_4_2_2_application_may_answer_otherwise() {
    let mut headers = HeaderMap::new();
    headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic"));
    let response = receive(GOOD)
        .unwrap()
        .reject(StatusCode::UNAUTHORIZED, &headers, b"sign in")
        .unwrap();
    assert_complete_refusal(&response, StatusCode::UNAUTHORIZED);
    let text = std::str::from_utf8(&response).unwrap();
    assert!(text.contains("\r\nwww-authenticate: Basic\r\n"));
    assert!(text.ends_with("\r\n\r\nsign in"));
}

#[test]
fn section_4_2_2_resource_that_is_not_there_is_answered_404() {
    let received = receive(GOOD).unwrap();
    assert_eq!(received.resource(), "/chat");
    let response = received
        .reject(StatusCode::NOT_FOUND, &HeaderMap::new(), b"no /chat")
        .unwrap();
    assert_complete_refusal(&response, StatusCode::NOT_FOUND);
    let text = std::str::from_utf8(&response).unwrap();
    assert!(!text.contains("Sec-WebSocket-Accept"));
}

/// §8.1 holds in the opening handshake too, for each header whose text means something here.
#[test]
fn section_8_1_bytes_that_are_not_utf8_are_refused() {
    for header in [
        "Sec-WebSocket-Protocol",
        "Sec-WebSocket-Extensions",
        "Sec-WebSocket-Key",
        "Sec-WebSocket-Version",
        "Host",
        "Upgrade",
        "Connection",
    ] {
        let request = without(header);
        let (head, _) = request.split_once("\r\n\r\n").unwrap();
        let request = [
            head.as_bytes(),
            b"\r\n",
            header.as_bytes(),
            b": \xff\r\n\r\n",
        ]
        .concat();
        let outcome = outcome_of([&request[..]]);
        assert!(
            matches!(outcome, Outcome::Refused(_)),
            "{header}: {outcome:?}"
        );
    }
}

#[test]
fn rejection_cannot_open_or_contradict_itself() {
    for status in [
        StatusCode::SWITCHING_PROTOCOLS,
        StatusCode::CONTINUE,
        StatusCode::NO_CONTENT,
        StatusCode::NOT_MODIFIED,
    ] {
        let misuse = receive(GOOD)
            .unwrap()
            .reject(status, &HeaderMap::new(), b"")
            .unwrap_err();
        assert_eq!(misuse, Misuse::Status { status });
    }
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static("5"));
    let misuse = receive(GOOD)
        .unwrap()
        .reject(StatusCode::FORBIDDEN, &headers, b"")
        .unwrap_err();
    assert_eq!(
        misuse,
        Misuse::ReservedHeader {
            name: header::CONTENT_LENGTH
        }
    );
}

// Messages that are none.

#[test]
fn rfc_9112_malformed_heads_are_refused() {
    let first = "GET / HTTP/1.1\r\n";
    for (request, expected) in [
        (
            "GET / HTTP/1.1\n".to_owned(),
            HeadError::BareLineFeed { line: 1 },
        ),
        (
            format!("{first}a: b\n\n"),
            HeadError::BareLineFeed { line: 2 },
        ),
        (
            format!("{first}a: b\rc: d\r\n"),
            HeadError::BareCarriageReturn { line: 2 },
        ),
        (
            format!("{first}a: b\r\n c\r\n"),
            HeadError::Folded { line: 3 },
        ),
        (format!("{first} a: b\r\n"), HeadError::Folded { line: 2 }),
        (
            format!("{first}a: \x0b\r\n"),
            HeadError::ControlCharacter {
                line: 2,
                byte: 0x0b,
            },
        ),
    ] {
        assert_eq!(
            refused(&request),
            RequestError::Head(expected),
            "{request:?}"
        );
    }
    for line in ["a b: c", "a : c", ": c", "nothing", "ä: c", "(a): b"] {
        let error = refused(&with(line));
        assert!(
            matches!(error, RequestError::Head(HeadError::Syntax { .. })),
            "{line:?}: {error:?}"
        );
        assert_eq!(error.status(), StatusCode::BAD_REQUEST);
    }
}

#[test]
fn other_protocols_are_refused_at_once() {
    for request in [
        "\x16\x03\x01",
        "SSH-2.0-x\r\n",
        "GET /\r\n",
        "\r\n",
        "GET / HTTP/1.1 x\r\n",
        "GET  / HTTP/1.1\r\n",
        "hello\n",
    ] {
        let error = refused(request);
        assert!(
            matches!(error, RequestError::Head(HeadError::NotHttp { .. })),
            "{request:?}: {error:?}"
        );
        assert_eq!(error.status(), StatusCode::BAD_REQUEST);
    }
}

#[test]
fn limits_hold_while_bytes_arrive() {
    let line = refused(&format!("GET /{}", "a".repeat(10_000)));
    assert_eq!(line.status(), StatusCode::URI_TOO_LONG);
    for request in [
        format!("GET / HTTP/1.1\r\na: {}", "b".repeat(10_000)),
        format!("GET / HTTP/1.1\r\n{}", "a: b\r\n".repeat(200)),
        format!(
            "GET / HTTP/1.1\r\n{}",
            format!("a: {}\r\n", "b".repeat(8000)).repeat(9)
        ),
    ] {
        assert_eq!(
            refused(&request).status(),
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE
        );
    }
}

#[test]
fn end_of_stream_says_how_much_came() {
    assert_eq!(
        step().handle_eof(),
        RequestError::EndOfStream { received: 0 }
    );
    let Ok(Step::Incomplete(step)) = step().proceed(b"GET /") else {
        panic!()
    };
    assert_eq!(step.handle_eof(), RequestError::EndOfStream { received: 5 });
}

#[test]
fn refusals_repeat_nothing_of_the_request() {
    for request in [
        GOOD.replace("GET", "MARKER"),
        GOOD.replace("/chat", "MARKER"),
        GOOD.replace("server.example.com", "MARKER MARKER"),
        GOOD.replace("Version: 13", "Version: MARKER"),
        GOOD.replace("dGhlIHNhbXBsZSBub25jZQ==", "MARKER"),
        with("MARKER"),
        with("Sec-WebSocket-Protocol: MARKER, MARKER"),
        "MARKER\r\n".to_owned(),
    ] {
        let refusal = receive(&request).unwrap_err();
        assert!(
            !std::str::from_utf8(refusal.response())
                .unwrap()
                .contains("MARKER"),
            "{request}"
        );
    }
    let refusal = accept(&with("Origin: http://MARKER"), &Policy::new()).unwrap_err();
    assert!(
        !std::str::from_utf8(refusal.response())
            .unwrap()
            .contains("MARKER")
    );
}

#[test]
fn every_split_gives_the_same_result() {
    let vectors = [
        format!("{}\x01\x02\x03", with("Sec-WebSocket-Protocol: chat")),
        format!("{GOOD}\r\n\r\n"),
        with("a: b\n"),
        with(" folded"),
        with("Sec-WebSocket-Key: x"),
        GOOD.replace("GET", "POST"),
        GOOD.replace("13", "8"),
        GOOD.replace("HTTP/1.1", "HTTP/1.0"),
        "\x16\x03\x01\x02".to_owned(),
        "SSH-2.0-OpenSSH\r\nmore".to_owned(),
        "GET / HTTP/1.1\nHost: a\n\n".to_owned(),
    ];
    for vector in vectors.iter().map(String::as_bytes) {
        let whole = outcome_of([vector]);
        for cut in 0..=vector.len() {
            let cut_once = outcome_of([&vector[..cut], &vector[cut..]]);
            assert_eq!(
                cut_once,
                whole,
                "cut after byte {cut} of {:?}",
                vector.escape_ascii().to_string()
            );
        }
        assert_eq!(
            outcome_of(vector.chunks(1)),
            whole,
            "{:?}",
            vector.escape_ascii().to_string()
        );
    }
}

/// Bytes that look like a request, and then go wrong somewhere.
fn near_request() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(b"GET / HTTP/1.1\r\n".to_vec()),
        Just(b"Host: a\r\nUpgrade: websocket\r\nConnection: upgrade\r\n".to_vec()),
        Just(
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
                .to_vec()
        ),
        Just(b"Sec-WebSocket-Protocol: a, b\r\n".to_vec()),
        Just(b"Sec-WebSocket-Extensions: ".to_vec()),
        Just(b"Origin: ".to_vec()),
        Just(b"\r\n".to_vec()),
        proptest::collection::vec(any::<u8>(), 0..12),
        "[ -~]{0,20}".prop_map(String::into_bytes),
    ];
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        outcome_of([&bytes[..]]);
    }

    #[test]
    fn near_requests_give_one_result_however_cut(bytes in near_request(), size in 1..40_usize) {
        prop_assert_eq!(outcome_of([&bytes[..]]), outcome_of(bytes.chunks(size)));
    }

    #[test]
    fn arbitrary_header_values_never_panic(
        name in proptest::sample::select(vec![
            "Host", "Upgrade", "Connection", "Origin", "Sec-WebSocket-Key", "Sec-WebSocket-Version",
            "Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions", "Content-Length",
        ]),
        value in proptest::collection::vec(prop_oneof![0x20..0x7f_u8, 0x80..=0xff_u8], 0..60),
    ) {
        let (head, tail) = GOOD.split_at(GOOD.len() - 2);
        let request = [head.as_bytes(), name.as_bytes(), b": ", &value, b"\r\n", tail.as_bytes()].concat();
        if let Ok(Step::Received(received)) = step().proceed(&request) {
            let _ = received.accept(&Policy::new());
        }
    }

    #[test]
    fn no_head_outgrows_its_limits(bytes in proptest::collection::vec(0x20..0x7f_u8, 300..600)) {
        let limits = HeadLimits { line: 100, headers: 2, total: 200 };
        prop_assert!(AwaitRequest::new(limits).proceed(&[b"GET / HTTP/1.1\r\na: ", &bytes[..]].concat()).is_err());
    }
}
