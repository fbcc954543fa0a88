//! A tunnel through an HTTP proxy (RFC 9110 §9.3.6), as seen by a caller.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

use http::StatusCode;
use http::header::{HOST, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, USER_AGENT};
use proptest::prelude::*;
use twinsock_proto::handshake::client::Refusal;
use twinsock_proto::handshake::{HeadError, HeadLimits, Misuse};
use twinsock_proto::proxy::http::{AwaitTunnel, ConnectRequest, Step, TunnelError};
use twinsock_proto::uri::Destination;

fn request(host: &str, port: u16) -> ConnectRequest {
    ConnectRequest::new(Destination::new(host, port).unwrap())
}

fn step() -> AwaitTunnel {
    AwaitTunnel::start(&request("a.example", 443), HeadLimits::default()).0
}

fn sent(request: &ConnectRequest) -> String {
    let (_, bytes) = AwaitTunnel::start(request, HeadLimits::default());
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[derive(Clone, Debug, PartialEq)]
enum Outcome {
    Waiting,
    Established(StatusCode, Vec<u8>),
    Failed(TunnelError),
}

/// Feeds pieces until the tunnel stands; what then remains of them has come through it.
fn outcome_of<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Outcome {
    let mut pieces = pieces.into_iter();
    let mut step = step();
    while let Some(piece) = pieces.next() {
        step = match step.proceed(piece) {
            Ok(Step::Incomplete(step)) => step,
            Ok(Step::Established(tunnel)) => {
                let (response, leftover) = tunnel.into_parts();
                let mut leftover = leftover.to_vec();
                pieces.for_each(|piece| leftover.extend_from_slice(piece));
                return Outcome::Established(response.get().status(), leftover);
            }
            Err(error) => return Outcome::Failed(error),
        };
    }
    Outcome::Waiting
}

fn refusal(response: &str) -> Box<Refusal> {
    let error = match step().proceed(response.as_bytes()) {
        Ok(Step::Incomplete(step)) => step.handle_eof(),
        Ok(Step::Established(_)) => panic!("{response:?} was taken for a tunnel"),
        Err(error) => error,
    };
    match error {
        TunnelError::Refused(refusal) => refusal,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

#[test]
fn rfc_9110_9_3_6_target_and_host_are_host_and_port() {
    for (host, port, text) in [
        ("A.example", 443, "a.example:443"),
        ("a.example", 80, "a.example:80"),
        ("::1", 8080, "[::1]:8080"),
    ] {
        assert_eq!(
            sent(&request(host, port)),
            format!("CONNECT {text} HTTP/1.1\r\nHost: {text}\r\n\r\n")
        );
    }
}

#[test]
fn headers_for_the_proxy_are_sent_and_secrets_not_shown() {
    let request = request("a.example", 443)
        .header(USER_AGENT, "game/2")
        .unwrap()
        .header(PROXY_AUTHORIZATION, "Basic c2VjcmV0")
        .unwrap();
    let text = sent(&request);
    assert!(
        text.ends_with("\r\nuser-agent: game/2\r\nproxy-authorization: Basic c2VjcmV0\r\n\r\n")
    );
    let (step, _) = AwaitTunnel::start(&request, HeadLimits::default());
    for shown in [format!("{request:?}"), format!("{step:?}")] {
        assert!(!shown.contains("c2VjcmV0"), "{shown}");
    }
}

#[test]
fn headers_that_could_contradict_the_request_are_refused() {
    for name in ["Host", "Content-Length", "Transfer-Encoding", "Upgrade"] {
        let refused = request("a.example", 443).header(name, "1").unwrap_err();
        assert!(matches!(refused, Misuse::ReservedHeader { .. }), "{name}");
    }
    let refused = request("a.example", 443).header("x", "a\r\nb").unwrap_err();
    assert!(matches!(refused, Misuse::HeaderValue { .. }));
    assert_eq!(request("a.example", 443).headers().get(HOST), None);
}

#[test]
fn rfc_9110_9_3_6_any_2xx_is_a_tunnel_whatever_it_says_of_a_body() {
    for head in [
        "HTTP/1.1 200 Connection established\r\n\r\n",
        "HTTP/1.0 200 OK\r\n\r\n",
        "HTTP/1.1 204 No Content\r\n\r\n",
        "HTTP/1.1 299 \r\nContent-Length: 3\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n",
    ] {
        let bytes = [head.as_bytes(), b"\x16\x03\x01through"].concat();
        let Outcome::Established(_, leftover) = outcome_of([&bytes[..]]) else {
            panic!("{head:?}");
        };
        assert_eq!(leftover, b"\x16\x03\x01through", "{head:?}");
    }
}

#[test]
fn any_other_status_hands_over_the_response() {
    let refused = refusal(
        "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"x\"\r\n\
         Content-Length: 4\r\n\r\nwho?more",
    );
    assert_eq!(refused.status(), StatusCode::PROXY_AUTHENTICATION_REQUIRED);
    assert_eq!(
        refused.response().headers()[PROXY_AUTHENTICATE],
        "Basic realm=\"x\""
    );
    assert_eq!(refused.response().body(), "who?");
    let error = TunnelError::Refused(refused);
    assert_eq!(
        error.to_string(),
        "no tunnel: expected status 2xx, got 407 Proxy Authentication Required"
    );
    for status in [302, 400, 403, 502, 999] {
        let refused = refusal(&format!("HTTP/1.1 {status} x\r\n\r\nwhy"));
        assert_eq!(refused.status().as_u16(), status);
        assert_eq!(refused.response().body(), "why");
    }
}

#[test]
fn refusal_keeps_the_first_kibibyte_of_the_body() {
    let response = format!("HTTP/1.1 502 x\r\n\r\n{}", "y".repeat(5000));
    let Err(TunnelError::Refused(refused)) = step().proceed(response.as_bytes()) else {
        panic!("expected a refusal");
    };
    assert_eq!(refused.response().body().len(), Refusal::MAX_BODY_LEN);
}

#[test]
fn refusal_can_be_taken_before_its_end() {
    let Ok(Step::Incomplete(waiting)) = step().proceed(b"HTTP/1.1 403 x\r\n\r\nbec") else {
        panic!("expected more to come");
    };
    assert!(waiting.is_refused());
    assert_eq!(waiting.into_refusal().unwrap().response().body(), "bec");
    assert!(step().into_refusal().is_none());
}

/// RFC 9110 §15.2.2: nothing asked for another protocol.
#[test]
fn switching_protocols_is_a_refusal_at_once() {
    let refused = step().proceed(b"HTTP/1.1 101 x\r\nUpgrade: y\r\n\r\n");
    let Err(TunnelError::Refused(refused)) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(refused.status(), StatusCode::SWITCHING_PROTOCOLS);
}

#[test]
fn rfc_9110_15_2_interim_responses_are_skipped_eight_times() {
    let interim = |count| "HTTP/1.1 100 Continue\r\n\r\n".repeat(count) + "HTTP/1.1 200 x\r\n\r\n";
    assert_eq!(
        outcome_of([interim(8).as_bytes()]),
        Outcome::Established(StatusCode::OK, Vec::new())
    );
    assert_eq!(
        outcome_of([interim(9).as_bytes()]),
        Outcome::Failed(TunnelError::TooManyInterimResponses { limit: 8 })
    );
}

#[test]
fn other_protocols_and_ends_are_named() {
    let refused = outcome_of([&b"\x05\xff and what a SOCKS proxy may say\r\n\r\n"[..]]);
    assert!(matches!(
        refused,
        Outcome::Failed(TunnelError::Head(HeadError::NotHttp { .. }))
    ));
    assert_eq!(
        step().handle_eof(),
        TunnelError::EndOfStream { received: 0 }
    );
    let Ok(Step::Incomplete(waiting)) = step().proceed(b"HTTP/1.1 200") else {
        panic!("expected more to come");
    };
    assert_eq!(
        waiting.handle_eof().to_string(),
        "expected the rest of a proxy's response, got the end of the stream after 12 bytes"
    );
}

#[test]
fn limits_hold_while_bytes_arrive() {
    let limits = HeadLimits {
        total: 100,
        ..HeadLimits::default()
    };
    let (mut step, _) = AwaitTunnel::start(&request("a.example", 443), limits);
    for count in 0.. {
        match step.proceed(b"HTTP/1.1 200 x\r\n".get(count..=count).unwrap_or(b"y")) {
            Ok(Step::Incomplete(next)) => step = next,
            other => {
                let expected = Err(TunnelError::Head(HeadError::TooLarge { limit: 100 }));
                assert_eq!(other.map(|_| ()), expected);
                assert_eq!(count, 100);
                return;
            }
        }
    }
}

#[test]
fn every_split_gives_the_same_result() {
    for response in [
        "HTTP/1.1 200 Connection established\r\nContent-Length: 9\r\n\r\n\x16\x03 first bytes",
        "HTTP/1.1 100 x\r\n\r\nHTTP/1.1 200 x\r\n\r\n\r\n\r\n",
        "HTTP/1.1 407 x\r\nContent-Length: 3\r\n\r\nwhy and more",
        "HTTP/1.1 503 x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nwhy\r\n0\r\n\r\n",
        "HTTP/1.1 200 x\nA: b\r\n\r\n",
        "SSH-2.0-OpenSSH\r\n",
    ] {
        let bytes = response.as_bytes();
        let whole = outcome_of([bytes]);
        assert_ne!(whole, Outcome::Waiting);
        for at in 0..=bytes.len() {
            let (first, second) = bytes.split_at(at);
            assert_eq!(outcome_of([first, second]), whole, "{response:?} at {at}");
        }
        assert_eq!(outcome_of(bytes.chunks(1)), whole, "{response:?} in bytes");
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic_and_splits_never_matter(
        start in proptest::sample::select(vec![
            "",
            "HTTP/1.1 ",
            "HTTP/1.1 200 x\r\n",
            "HTTP/1.1 407 x\r\nTransfer-Encoding: chunked\r\n\r\n",
        ]),
        bytes in proptest::collection::vec(any::<u8>(), 0..300),
        size in 1..40_usize,
    ) {
        let bytes = [start.as_bytes(), &bytes].concat();
        prop_assert_eq!(outcome_of(bytes.chunks(size)), outcome_of([&bytes[..]]));
    }
}
