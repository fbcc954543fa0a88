//! The client's opening handshake (RFC 6455 §4.1), as seen by a caller.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

use http::header::{self, HeaderName};
use http::{HeaderValue, StatusCode};
use proptest::prelude::*;
use twinsock_proto::handshake::client::{AwaitResponse, Opened, Refusal, Request, Step};
use twinsock_proto::handshake::{HandshakeError, HeadError, HeadLimits, Misuse, Subprotocol};

const NONCE: [u8; 16] = *b"the sample nonce";

const GOOD: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

fn request() -> Request {
    Request::new("ws://server.example.com/chat".parse().unwrap())
        .protocol("chat".parse().unwrap())
        .unwrap()
        .protocol("superchat".parse().unwrap())
        .unwrap()
}

fn step() -> AwaitResponse {
    AwaitResponse::start(request(), NONCE, HeadLimits::default()).0
}

fn sent(request: Request) -> String {
    let (_, bytes) = AwaitResponse::start(request, NONCE, HeadLimits::default());
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// What a handshake came to, in a form that can be compared.
#[derive(Clone, Debug, PartialEq)]
enum Outcome {
    Waiting,
    Opened {
        headers: http::HeaderMap,
        protocol: Option<Subprotocol>,
        leftover: Vec<u8>,
    },
    Failed(HandshakeError),
}

/// Feeds pieces until the end of the handshake; what then remains of the input counts as leftover, as it would if
/// the driver went on reading.
fn outcome_of<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Outcome {
    let mut pieces = pieces.into_iter();
    let mut step = step();
    while let Some(piece) = pieces.next() {
        step = match step.proceed(piece) {
            Ok(Step::Incomplete(step)) => step,
            Ok(Step::Opened(opened)) => {
                let (response, protocol, leftover) = opened.into_parts();
                let mut leftover = leftover.to_vec();
                pieces.for_each(|piece| leftover.extend_from_slice(piece));
                return Outcome::Opened {
                    headers: response.get().headers().clone(),
                    protocol,
                    leftover,
                };
            }
            Err(error) => return Outcome::Failed(error),
        };
    }
    Outcome::Waiting
}

fn respond(response: &str) -> Result<Opened, HandshakeError> {
    match step().proceed(response.as_bytes())? {
        Step::Opened(opened) => Ok(opened),
        Step::Incomplete(step) => Err(step.handle_eof()),
    }
}

fn refused(response: &str) -> HandshakeError {
    respond(response).expect_err("must be refused")
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

fn refusal(response: &str) -> Box<Refusal> {
    match refused(response) {
        HandshakeError::Refused(refusal) => refusal,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

// What a client sends.

#[test]
fn section_4_1_request_has_every_required_header() {
    assert_eq!(
        sent(request()),
        "GET /chat HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Protocol: chat, superchat\r\n\r\n"
    );
}

#[test]
fn section_4_1_host_has_the_port_unless_it_is_the_default() {
    for (uri, host) in [
        ("ws://h:80/", "Host: h\r\n"),
        ("ws://h:8080/", "Host: h:8080\r\n"),
        ("wss://h:443/", "Host: h\r\n"),
        ("wss://[::1]:80/", "Host: [::1]:80\r\n"),
    ] {
        assert!(
            sent(Request::new(uri.parse().unwrap())).contains(host),
            "{uri}"
        );
    }
}

#[test]
fn section_4_1_request_target_is_the_resource_name() {
    for (uri, line) in [
        ("ws://h", "GET / HTTP/1.1\r\n"),
        ("ws://h?a=b", "GET /?a=b HTTP/1.1\r\n"),
    ] {
        assert!(
            sent(Request::new(uri.parse().unwrap())).starts_with(line),
            "{uri}"
        );
    }
}

#[test]
fn section_4_1_key_comes_from_the_nonce_alone() {
    let key = |nonce| {
        let (_, bytes) = AwaitResponse::start(request(), nonce, HeadLimits::default());
        String::from_utf8(bytes.to_vec())
            .unwrap()
            .split("Key: ")
            .nth(1)
            .unwrap()[..24]
            .to_owned()
    };
    assert_eq!(key([0; 16]), "AAAAAAAAAAAAAAAAAAAAAA==");
    assert_ne!(key([0; 16]), key([1; 16]));
}

#[test]
fn section_4_1_subprotocols_are_unique_and_not_empty() {
    let chat: Subprotocol = "chat".parse().unwrap();
    assert_eq!(
        request().protocol(chat.clone()).unwrap_err(),
        Misuse::RepeatedProtocol { protocol: chat }
    );
    for name in [
        "",
        " ",
        "a b",
        "a,b",
        "a/b",
        "a\r\nX: y",
        "\u{7f}",
        "ä",
        "a;b",
        "\"a\"",
        "a=b",
        "a\t",
    ] {
        assert!(name.parse::<Subprotocol>().is_err(), "{name:?}");
    }
    assert!(!sent(Request::new("ws://h".parse().unwrap())).contains("Sec-WebSocket-Protocol"));
}

#[test]
fn section_4_1_further_headers_are_sent_as_given() {
    let request = request()
        .header("Origin", "http://example.com")
        .and_then(|request| request.header("Authorization", "Bearer secret"))
        .and_then(|request| request.header(header::COOKIE, HeaderValue::from_static("a=b; c=d")))
        .and_then(|request| request.header("X-Many", "1"))
        .and_then(|request| request.header("X-Many", "2"))
        .unwrap();
    assert_eq!(request.headers().len(), 5);
    assert!(!format!("{request:?}").contains("secret"));
    let sent = sent(request);
    for line in [
        "origin: http://example.com",
        "authorization: Bearer secret",
        "cookie: a=b; c=d",
        "x-many: 1\r\nx-many: 2",
    ] {
        assert!(sent.contains(&format!("\r\n{line}\r\n")), "{line}");
    }
    assert_eq!(sent.matches("\r\n\r\n").count(), 1);
}

#[test]
fn section_11_3_handshake_headers_cannot_be_set() {
    for name in [
        "Host",
        "Connection",
        "Upgrade",
        "Sec-WebSocket-Key",
        "Sec-WebSocket-Version",
        "Sec-WebSocket-Protocol",
        "Sec-WebSocket-Extensions",
        "sec-websocket-accept",
        "SEC-WEBSOCKET-ANYTHING",
        "Content-Length",
        "Transfer-Encoding",
        "TE",
        "Trailer",
        "Expect",
        "Keep-Alive",
        "Proxy-Connection",
        "HTTP2-Settings",
    ] {
        let misuse = request().header(name, "x").unwrap_err();
        assert_eq!(
            misuse,
            Misuse::ReservedHeader {
                name: name.parse().unwrap()
            }
        );
    }
}

#[test]
fn single_headers_cannot_be_repeated() {
    for name in ["Origin", "Cookie", "Authorization", "User-Agent"] {
        let misuse = request()
            .header(name, "x")
            .unwrap()
            .header(name, "y")
            .unwrap_err();
        assert_eq!(
            misuse,
            Misuse::RepeatedHeader {
                name: name.parse().unwrap()
            }
        );
    }
}

#[test]
fn rfc_9110_5_5_headers_cannot_add_lines() {
    for value in [
        "a\r\nX: y",
        "a\nX: y",
        "a\rb",
        "\0",
        "a\r\n\r\nGET / HTTP/1.1",
        "\u{7f}",
    ] {
        let misuse = request().header("x", value).unwrap_err();
        assert_eq!(
            misuse,
            Misuse::HeaderValue {
                name: HeaderName::from_static("x")
            },
            "{value:?}"
        );
    }
    for name in ["", "a b", "a:", "a\r\nb", "a\n", "ä", "a\0"] {
        assert_eq!(
            request().header(name, "x").unwrap_err(),
            Misuse::HeaderName,
            "{name:?}"
        );
    }
}

// What a client accepts.

#[test]
fn section_4_1_right_answer_opens() {
    let opened = respond(GOOD).unwrap();
    assert_eq!(opened.response().status(), StatusCode::SWITCHING_PROTOCOLS);
    assert_eq!((opened.protocol(), opened.leftover()), (None, &b""[..]));
}

#[test]
fn section_4_1_upgrade_must_be_websocket_in_any_case() {
    respond(&GOOD.replace("websocket", "WebSocket")).unwrap();
    let missing = HandshakeError::MissingHeader {
        name: header::UPGRADE,
    };
    assert_eq!(refused(&without("Upgrade")), missing);
    for value in [
        "h2c",
        "websocket, h2c",
        "websocket/13",
        "web socket",
        "\"websocket\"",
        "",
    ] {
        let error = refused(&GOOD.replace("Upgrade: websocket", &format!("Upgrade: {value}")));
        assert!(
            matches!(error, HandshakeError::Upgrade { .. }),
            "{value}: {error:?}"
        );
    }
    let repeated = HandshakeError::MalformedHeader {
        name: header::UPGRADE,
    };
    assert_eq!(refused(&with("Upgrade: websocket")), repeated);
}

#[test]
fn section_4_1_connection_must_list_upgrade() {
    for value in [
        "upgrade",
        "UPGRADE",
        "keep-alive, Upgrade",
        "x,upgrade ,y",
        "a\r\nConnection: upgrade",
    ] {
        respond(&GOOD.replace("Connection: Upgrade", &format!("Connection: {value}"))).unwrap();
    }
    assert_eq!(
        refused(&without("Connection")),
        HandshakeError::MissingHeader {
            name: header::CONNECTION
        }
    );
    for value in ["keep-alive", "upgraded", "close", ""] {
        let error = refused(&GOOD.replace("Connection: Upgrade", &format!("Connection: {value}")));
        assert!(
            matches!(error, HandshakeError::Connection { .. }),
            "{value}: {error:?}"
        );
    }
}

#[test]
fn section_4_1_accept_must_match() {
    let missing = HandshakeError::MissingHeader {
        name: header::SEC_WEBSOCKET_ACCEPT,
    };
    assert_eq!(refused(&without("Sec-WebSocket-Accept")), missing);
    respond(
        &GOOD
            .replace("Accept: ", "Accept: \t ")
            .replace("xOo=", "xOo= \t"),
    )
    .unwrap();
    for value in [
        "S3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
        "s3pPLMBiTxaQ9kYGzzhZRbK+xOo",
        "",
        "dGhlIHNhbXBsZSBub25jZQ==",
    ] {
        let error = refused(&GOOD.replace("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", value));
        assert!(
            matches!(error, HandshakeError::Accept { .. }),
            "{value}: {error:?}"
        );
    }
}

#[test]
fn section_11_3_3_accept_must_not_be_repeated() {
    let error = refused(&with("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    assert_eq!(
        error,
        HandshakeError::MalformedHeader {
            name: header::SEC_WEBSOCKET_ACCEPT
        }
    );
}

#[test]
fn section_4_1_unoffered_extension_is_refused_by_name() {
    for value in [
        "permessage-deflate",
        "permessage-deflate; server_max_window_bits=7",
        "x-a, x-b; c=\"d\"",
    ] {
        let error = refused(&with(&format!("Sec-WebSocket-Extensions: {value}")));
        let name = value.split([';', ',']).next().unwrap();
        assert!(
            matches!(&error, HandshakeError::Extension { got } if got.as_bytes() == name.as_bytes()),
            "{error:?}"
        );
    }
}

#[test]
fn section_9_1_malformed_extensions_are_refused() {
    for value in ["", ";", "a; b=\"c d\"", "a b", "a; b="] {
        let error = refused(&with(&format!("Sec-WebSocket-Extensions: {value}")));
        assert_eq!(
            error,
            HandshakeError::MalformedHeader {
                name: header::SEC_WEBSOCKET_EXTENSIONS
            },
            "{value}"
        );
    }
}

#[test]
fn section_4_1_offered_subprotocol_is_accepted() {
    let opened = respond(&with("Sec-WebSocket-Protocol: superchat")).unwrap();
    assert_eq!(opened.protocol().unwrap().as_str(), "superchat");
}

#[test]
fn section_4_1_unoffered_subprotocol_is_refused() {
    for value in ["mqtt", "Chat", "chat, superchat", "", "chat,", "\"chat\""] {
        let error = refused(&with(&format!("Sec-WebSocket-Protocol: {value}")));
        assert!(
            matches!(error, HandshakeError::Protocol { .. }),
            "{value}: {error:?}"
        );
    }
}

#[test]
fn section_4_1_subprotocol_is_refused_where_none_was_offered() {
    let request = Request::new("ws://server.example.com/chat".parse().unwrap());
    let (step, _) = AwaitResponse::start(request, NONCE, HeadLimits::default());
    let error = step.proceed(with("Sec-WebSocket-Protocol: chat").as_bytes());
    assert!(
        matches!(error, Err(HandshakeError::Protocol { .. })),
        "{error:?}"
    );
}

/// §8.1 holds in the opening handshake too, for each header whose text means something here.
#[test]
fn section_8_1_bytes_that_are_not_utf8_are_refused() {
    for header in [
        "Sec-WebSocket-Protocol",
        "Sec-WebSocket-Extensions",
        "Upgrade",
        "Connection",
        "Sec-WebSocket-Accept",
    ] {
        let response = without(header);
        let (head, _) = response.split_once("\r\n\r\n").unwrap();
        let response = [
            head.as_bytes(),
            b"\r\n",
            header.as_bytes(),
            b": \xff\r\n\r\n",
        ]
        .concat();
        let outcome = outcome_of([&response[..]]);
        assert!(
            matches!(outcome, Outcome::Failed(_)),
            "{header}: {outcome:?}"
        );
    }
}

#[test]
fn section_11_3_4_subprotocol_must_not_be_repeated() {
    let error = refused(&with(
        "Sec-WebSocket-Protocol: chat\r\nSec-WebSocket-Protocol: chat",
    ));
    assert_eq!(
        error,
        HandshakeError::MalformedHeader {
            name: header::SEC_WEBSOCKET_PROTOCOL
        }
    );
}

#[test]
fn section_4_1_response_must_be_http_1_1() {
    for version in [
        "HTTP/1.0", "HTTP/1.2", "HTTP/2.0", "HTTP/0.9", "HTTP/11", "HTTP/2",
    ] {
        let error = refused(&GOOD.replace("HTTP/1.1", version));
        assert!(
            matches!(error, HandshakeError::Head(HeadError::HttpVersion { .. })),
            "{version}: {error:?}"
        );
    }
}

#[test]
fn rfc_9110_8_6_switching_protocols_has_no_body() {
    for header in [
        "Content-Length: 5",
        "Content-Length: x",
        "Content-Length: 00",
    ] {
        assert_eq!(
            refused(&with(header)),
            HandshakeError::Body {
                name: header::CONTENT_LENGTH
            }
        );
    }
    for header in ["Transfer-Encoding: chunked", "Transfer-Encoding: identity"] {
        assert_eq!(
            refused(&with(header)),
            HandshakeError::Body {
                name: header::TRANSFER_ENCODING
            }
        );
    }
    respond(&with("Content-Length: 0")).unwrap();
}

#[test]
fn section_4_1_bytes_after_the_response_belong_to_frames() {
    let opened = respond(&format!("{GOOD}\x01\x02HTTP/1.1 200 OK\r\n\r\n")).unwrap();
    assert_eq!(opened.leftover(), b"\x01\x02HTTP/1.1 200 OK\r\n\r\n");
}

// Answers other than 101.

#[test]
fn section_4_1_other_status_hands_over_the_response() {
    let refusal = refusal(
        "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic\r\nContent-Length: 4\r\n\r\nsign in",
    );
    assert_eq!(refusal.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(refusal.response().headers()["www-authenticate"], "Basic");
    assert_eq!(refusal.response().body(), "sign");
    assert_eq!(
        HandshakeError::Refused(refusal).to_string(),
        "expected status 101, got 401 Unauthorized"
    );
}

#[test]
fn section_4_1_older_http_may_refuse_too() {
    assert_eq!(
        refusal("HTTP/1.0 503 No\r\n\r\nbusy").response().body(),
        "busy"
    );
    assert_eq!(
        refusal("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").status(),
        StatusCode::OK
    );
    assert_eq!(
        refusal("HTTP/1.1 799 \r\n\r\n").to_string(),
        "expected status 101, got 799"
    );
}

#[test]
fn refusal_keeps_the_first_kibibyte_of_the_body() {
    let body = "a".repeat(5000);
    for head in [
        "",
        "Content-Length: 5000\r\n",
        "Content-Length: x\r\n",
        "Content-Length: 5000\r\nContent-Length: 5\r\n",
    ] {
        let refusal = refusal(&format!("HTTP/1.1 500 No\r\n{head}\r\n{body}"));
        assert_eq!(refusal.response().body().len(), Refusal::MAX_BODY_LEN);
    }
}

#[test]
fn refusal_ends_with_its_length() {
    let step = step()
        .proceed(b"HTTP/1.1 403 No\r\nContent-Length: 3\r\n\r\nab")
        .unwrap();
    let Step::Incomplete(step) = step else {
        panic!()
    };
    let Err(HandshakeError::Refused(refusal)) = step.proceed(b"cd") else {
        panic!()
    };
    assert_eq!(refusal.response().body(), "abc");
    let empty = step_refusal(b"HTTP/1.1 204 No\r\n\r\n");
    assert!(empty.response().body().is_empty());
}

fn step_refusal(response: &[u8]) -> Box<Refusal> {
    match step().proceed(response) {
        Err(HandshakeError::Refused(refusal)) => refusal,
        other => panic!("expected a refusal at once, got {other:?}"),
    }
}

#[test]
fn refusal_decodes_a_chunked_body() {
    let head = "HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (chunks, body) in [
        ("3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n", "abcde"),
        ("0\r\n\r\n", ""),
        ("1\r\na\r\nzz\r\n", "a"),
        ("1\r\nabc", "a"),
        ("ffffffffffffffffff\r\nabc", ""),
    ] {
        assert_eq!(
            step_refusal(format!("{head}{chunks}").as_bytes())
                .response()
                .body(),
            body,
            "{chunks:?}"
        );
    }
    let endless = format!("{head}FFFFFF\r\n{}", "a".repeat(3000));
    assert_eq!(
        step_refusal(endless.as_bytes()).response().body().len(),
        1024
    );
}

#[test]
fn refusal_can_be_taken_before_its_end() {
    let Ok(Step::Incomplete(step)) = step().proceed(b"HTTP/1.1 403 No\r\n\r\nab") else {
        panic!()
    };
    assert_eq!(step.into_refusal().unwrap().response().body(), "ab");
    let Ok(Step::Incomplete(step)) = self::step().proceed(b"HTTP/1.1 403 No\r\n") else {
        panic!()
    };
    assert_eq!(step.into_refusal(), None);
}

#[test]
fn rfc_9110_15_2_interim_responses_are_skipped_eight_times() {
    let interim = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n";
    respond(&format!("{}{GOOD}", interim.repeat(4))).unwrap();
    let error = refused(&format!(
        "{}HTTP/1.1 102 No\r\n\r\n{GOOD}",
        interim.repeat(4)
    ));
    assert_eq!(error, HandshakeError::TooManyInterimResponses { limit: 8 });
}

// Messages that are none.

#[test]
fn end_of_stream_in_the_head_says_how_much_came() {
    let nothing = step().handle_eof();
    assert_eq!(nothing, HandshakeError::EndOfStream { received: 0 });
    let some = refused("HTTP/1.1 101 ");
    assert_eq!(some, HandshakeError::EndOfStream { received: 13 });
    assert_ne!(nothing.to_string(), some.to_string());
    assert_eq!(refused("HT"), HandshakeError::EndOfStream { received: 2 });
}

#[test]
fn other_protocols_are_named_by_their_beginning() {
    for (input, shown) in [
        ("SSH-2.0-OpenSSH_9.6\r\n", r#""SSH-2.0-OpenSSH_9.6""#),
        ("220 mail.example ESMTP\n", r#""220 mail.example ESMTP\n""#),
        ("\x15\x03\x01\x00\x02\x02F", r#""\x15""#),
        ("\r\nHTTP/1.1 101 S\r\n\r\n", r#""""#),
        ("http/1.1 101 S\r\n", r#""http/1.1 101 S""#),
        ("hello", r#""hello""#),
    ] {
        let error = refused(input);
        assert!(
            matches!(error, HandshakeError::Head(HeadError::NotHttp { .. })),
            "{input:?}: {error:?}"
        );
        assert_eq!(
            error.to_string(),
            format!("bad response: expected HTTP/1.1, got {shown}")
        );
    }
    let long = outcome_of([&[b'x'; 5000][..]]);
    assert!(matches!(
        long,
        Outcome::Failed(HandshakeError::Head(HeadError::NotHttp { .. }))
    ));
}

#[test]
fn rfc_9112_malformed_heads_are_refused() {
    let first = "HTTP/1.1 101 S\r\n";
    for (response, expected) in [
        (
            "HTTP/1.1 101 S\n".to_owned(),
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
        (format!("{first}\tb: c\r\n"), HeadError::Folded { line: 2 }),
        (
            format!("{first}a: \0\r\n"),
            HeadError::ControlCharacter { line: 2, byte: 0 },
        ),
        (
            format!("{first}a: \x7f\r\n"),
            HeadError::ControlCharacter {
                line: 2,
                byte: 0x7f,
            },
        ),
    ] {
        assert_eq!(
            refused(&response),
            HandshakeError::Head(expected),
            "{response:?}"
        );
    }
    for response in [
        "HTTP/1.1 1 S\r\n\r\n",
        "HTTP/1.1 1010 S\r\n\r\n",
        "HTTP/1.1  101 S\r\n\r\n",
        "HTTP/1.1 099 S\r\n\r\n",
        "HTTP/1.1 101 S\r\na b: c\r\n\r\n",
        "HTTP/1.1 101 S\r\na : c\r\n\r\n",
        "HTTP/1.1 101 S\r\n: c\r\n\r\n",
        "HTTP/1.1 101 S\r\nnothing\r\n\r\n",
        "HTTP/1.1 101 S\r\nä: c\r\n\r\n",
    ] {
        let error = refused(response);
        assert!(
            matches!(error, HandshakeError::Head(HeadError::Syntax { .. })),
            "{response:?}: {error:?}"
        );
    }
}

#[test]
fn limits_hold_while_bytes_arrive() {
    let endless_line = format!("HTTP/1.1 101 {}", "a".repeat(10_000));
    assert_eq!(
        refused(&endless_line),
        HandshakeError::Head(HeadError::LineTooLong {
            line: 1,
            limit: 8192
        })
    );
    let endless_headers = format!("HTTP/1.1 101 S\r\n{}", "a: b\r\n".repeat(200));
    assert_eq!(
        refused(&endless_headers),
        HandshakeError::Head(HeadError::TooManyHeaders { limit: 128 })
    );
    let large = format!(
        "HTTP/1.1 101 S\r\n{}",
        format!("a: {}\r\n", "b".repeat(8000)).repeat(9)
    );
    assert_eq!(
        refused(&large),
        HandshakeError::Head(HeadError::TooLarge { limit: 65536 })
    );
}

#[test]
fn every_split_gives_the_same_result() {
    let vectors = [
        format!("{}\x01\x02\x03", with("Sec-WebSocket-Protocol: chat")),
        format!("HTTP/1.1 103 Early\r\nLink: a\r\n\r\n{GOOD}\r\n\r\n"),
        with("Sec-WebSocket-Extensions: x"),
        with("a: b\n"),
        with(" folded"),
        GOOD.replace("xOo=", "xOx="),
        "SSH-2.0-OpenSSH_9.6\r\nmore".to_owned(),
        "\x15\x03\x01\x00\x02\x02F".to_owned(),
        "x".repeat(100),
        "HTTP/1.1 403 No\r\nContent-Length: 3\r\n\r\nabcd".to_owned(),
        "HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\nrest".to_owned(),
        "HTTP/1.1 403 No\r\n\r\nwithout end".to_owned(),
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

#[test]
fn leftover_survives_every_split() {
    let wire = format!("{GOOD}frame bytes");
    for size in 1..wire.len() {
        let Outcome::Opened { leftover, .. } = outcome_of(wire.as_bytes().chunks(size)) else {
            panic!()
        };
        assert_eq!(leftover, b"frame bytes");
    }
}

/// Bytes that look like a response, and then go wrong somewhere.
fn near_response() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(b"HTTP/1.1 101 S\r\n".to_vec()),
        Just(b"HTTP/1.1 103 E\r\n\r\n".to_vec()),
        Just(b"HTTP/1.1 403 F\r\n".to_vec()),
        Just(b"Upgrade: websocket\r\nConnection: upgrade\r\n".to_vec()),
        Just(b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n".to_vec()),
        Just(b"Transfer-Encoding: chunked\r\n".to_vec()),
        Just(b"Content-Length: 10\r\n".to_vec()),
        Just(b"Sec-WebSocket-Extensions: ".to_vec()),
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
    fn near_responses_give_one_result_however_cut(bytes in near_response(), size in 1..40_usize) {
        prop_assert_eq!(outcome_of([&bytes[..]]), outcome_of(bytes.chunks(size)));
    }

    #[test]
    fn no_head_outgrows_its_limits(bytes in proptest::collection::vec(0x20..0x7f_u8, 300..600)) {
        let limits = HeadLimits { line: 100, headers: 2, total: 200 };
        let (step, _) = AwaitResponse::start(request(), NONCE, limits);
        prop_assert!(step.proceed(&[b"HTTP/1.1 101 ", &bytes[..]].concat()).is_err());
    }

    #[test]
    fn no_header_that_is_accepted_adds_a_line(name in ".{0,12}", value in "(?s).{0,20}") {
        if let Ok(request) = request().header(name.as_str(), value.as_str()) {
            prop_assert_eq!(sent(request).matches('\n').count(), 9);
        }
    }
}
