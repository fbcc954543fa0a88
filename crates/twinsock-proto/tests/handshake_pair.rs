//! Client and server against each other: what one side may send, the other side must understand (RFC 6455 §4).

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

use proptest::prelude::*;
use twinsock_proto::handshake::{HeadLimits, Subprotocol, client, server};
use twinsock_proto::uri::WebSocketUri;

fn uri() -> impl Strategy<Value = WebSocketUri> {
    let host = "[a-z][a-z0-9]{0,8}(\\.[a-z]{1,5}){0,2}|\\[::[1-9a-f]{1,4}\\]|192\\.0\\.2\\.[1-9]";
    let text = format!(
        "wss?://({host})(:[1-9][0-9]{{0,3}})?(/[a-zA-Z0-9~;:@/!$&'()*+,=.-]{{0,20}})?(\\?[a-z=&/?%20]{{0,9}})?"
    );
    let text = proptest::string::string_regex(&text).unwrap();
    text.prop_filter_map("not every '%' is followed by digits", |text| {
        text.parse().ok()
    })
}

fn protocols() -> impl Strategy<Value = Vec<Subprotocol>> {
    let names = proptest::collection::hash_set("[a-z]{1,2}", 0..6);
    names.prop_map(|names| {
        names
            .into_iter()
            .map(|name| name.parse().unwrap())
            .collect()
    })
}

proptest! {
    #[test]
    fn both_sides_agree_however_the_network_cuts(
        uri in uri(), offered in protocols(), supported in protocols(), nonce: [u8; 16], size in 1..200_usize,
    ) {
        let mut request = client::Request::new(uri.clone());
        for protocol in &offered {
            request = request.protocol(protocol.clone()).unwrap();
        }
        let mut policy = server::Policy::new();
        for protocol in &supported {
            policy = policy.protocol(protocol.clone()).unwrap();
        }
        let (client, to_server) = client::AwaitResponse::start(request, nonce, HeadLimits::default());

        let received = receive(&to_server, size);
        prop_assert_eq!(received.resource(), uri.resource());
        prop_assert_eq!(received.host(), uri.authority().strip_suffix(&format!(":{}", uri.port())).unwrap_or(uri.authority()));
        prop_assert_eq!(received.protocols(), &offered[..]);
        let accepted = received.accept(&policy).unwrap();
        prop_assert!(accepted.leftover().is_empty());

        let opened = open(client, accepted.response(), size);
        let expected = supported.iter().find(|protocol| offered.contains(protocol));
        prop_assert_eq!(opened.protocol(), expected);
        prop_assert_eq!(accepted.protocol(), expected);
        prop_assert!(opened.leftover().is_empty());
    }
}

fn receive(bytes: &[u8], size: usize) -> server::Received {
    let mut step = server::AwaitRequest::new(HeadLimits::default());
    for piece in bytes.chunks(size) {
        step = match step.proceed(piece).unwrap() {
            server::Step::Incomplete(step) => step,
            server::Step::Received(received) => return received,
        };
    }
    panic!("the request has no end")
}

fn open(mut step: client::AwaitResponse, bytes: &[u8], size: usize) -> client::Opened {
    for piece in bytes.chunks(size) {
        step = match step.proceed(piece).unwrap() {
            client::Step::Incomplete(step) => step,
            client::Step::Opened(opened) => return opened,
        };
    }
    panic!("the response has no end")
}
