//! Any `Sec-WebSocket-Extensions` header, as a server and as a client meet it.
//!
//! ```text
//! cd crates/twinsock-proto && cargo +nightly fuzz run extensions
//! ```

#![no_main]

use libfuzzer_sys::fuzz_target;
use twinsock_proto::handshake::{HeadLimits, client, server};
use twinsock_proto::{ContextTakeover, DeflateOffer, DeflateTerms, WindowBits};

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: a.example\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Extensions: ";

const RESPONSE: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\
    Sec-WebSocket-Extensions: ";

fn particular() -> DeflateOffer {
    DeflateOffer {
        server_max_window_bits: WindowBits::new(10),
        server_context_takeover: ContextTakeover::Off,
        ..DeflateOffer::default()
    }
}

/// What a client makes of an answer to two offers.
fn opened(header: &[u8]) -> Option<client::Opened> {
    let uri = "ws://a.example/".parse().expect("an address");
    let request = client::Request::new(uri)
        .deflate(particular())
        .deflate(DeflateOffer::default());
    let nonce = *b"the sample nonce";
    let (step, _) = client::AwaitResponse::start(request, nonce, HeadLimits::default());
    match step.proceed(&[RESPONSE, header, b"\r\n\r\n"].concat()) {
        Ok(client::Step::Opened(opened)) => Some(opened),
        Ok(client::Step::Incomplete(_)) | Err(_) => None,
    }
}

/// What a server answers.
fn accepted(header: &[u8]) -> Option<server::Accepted> {
    let step = server::AwaitRequest::new(HeadLimits::default());
    let Ok(server::Step::Received(received)) =
        step.proceed(&[REQUEST, header, b"\r\n\r\n"].concat())
    else {
        return None;
    };
    let terms = DeflateTerms {
        server_context_takeover: ContextTakeover::On,
        client_context_takeover: ContextTakeover::On,
        ..DeflateTerms::default()
    };
    received.accept(&server::Policy::new().deflate(terms)).ok()
}

fuzz_target!(|header: &[u8]| {
    let _ = opened(header);
    let Some(accepted) = accepted(header) else {
        return;
    };
    let response = std::str::from_utf8(accepted.response()).expect("ASCII");
    let answer = response
        .lines()
        .find_map(|line| line.strip_prefix("Sec-WebSocket-Extensions: "));
    assert_eq!(answer.is_some(), accepted.deflate().is_some());
    if let Some(answer) = answer {
        assert!(answer.starts_with("permessage-deflate"), "{answer}");
    }
});
