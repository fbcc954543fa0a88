//! How both ends agree on compression (RFC 7692 §5, §7.1).

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

use proptest::prelude::*;
use twinsock_proto::handshake::{
    Excerpt, HandshakeError, HeadLimits, RequestError, client, server,
};
use twinsock_proto::{
    ClientWindow, ContextTakeover, DeflateDirection, DeflateOffer, DeflateParameterError,
    DeflateParameters, DeflateTerms, WindowBits,
};

use ContextTakeover::{Off, On};

fn bits(bits: u8) -> WindowBits {
    WindowBits::new(bits).unwrap()
}

fn parameters(client: (u8, ContextTakeover), server: (u8, ContextTakeover)) -> DeflateParameters {
    let direction = |(window, context_takeover)| DeflateDirection {
        window_bits: bits(window),
        context_takeover,
    };
    DeflateParameters {
        client: direction(client),
        server: direction(server),
    }
}

/// Accepts what it can.
fn generous() -> DeflateTerms {
    DeflateTerms {
        server_context_takeover: On,
        client_context_takeover: On,
        ..DeflateTerms::default()
    }
}

/// What the server answers to these `Sec-WebSocket-Extensions` lines, and what that comes to.
fn answer(
    terms: Option<DeflateTerms>,
    lines: &[&str],
) -> Result<(Option<String>, Option<DeflateParameters>), RequestError> {
    let mut request = String::from(
        "GET / HTTP/1.1\r\nHost: a.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n",
    );
    for line in lines {
        request += &format!("Sec-WebSocket-Extensions: {line}\r\n");
    }
    request += "\r\n";
    let step = server::AwaitRequest::new(HeadLimits::default());
    let received = match step.proceed(request.as_bytes()) {
        Ok(server::Step::Received(received)) => received,
        Ok(server::Step::Incomplete(_)) => panic!("incomplete"),
        Err(refusal) => return Err(refusal.into_parts().0),
    };
    let mut policy = server::Policy::new();
    if let Some(terms) = terms {
        policy = policy.deflate(terms);
    }
    let accepted = received.accept(&policy).unwrap();
    let response = std::str::from_utf8(accepted.response()).unwrap();
    let line = response
        .lines()
        .find_map(|line| line.strip_prefix("Sec-WebSocket-Extensions: "));
    Ok((line.map(str::to_owned), accepted.deflate()))
}

/// What the client makes of this answer.
fn opened(
    offers: &[DeflateOffer],
    lines: &[&str],
) -> Result<Option<DeflateParameters>, HandshakeError> {
    let mut request = client::Request::new("ws://a.example/".parse().unwrap());
    for &offer in offers {
        request = request.deflate(offer);
    }
    let mut response = String::from(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n",
    );
    for line in lines {
        response += &format!("Sec-WebSocket-Extensions: {line}\r\n");
    }
    response += "\r\n";
    let nonce = *b"the sample nonce";
    let (step, _) = client::AwaitResponse::start(request, nonce, HeadLimits::default());
    match step.proceed(response.as_bytes())? {
        client::Step::Opened(opened) => Ok(opened.deflate()),
        client::Step::Incomplete(_) => panic!("incomplete"),
    }
}

/// The offers as they stand in the request.
fn offered(offers: &[DeflateOffer]) -> Option<String> {
    let mut request = client::Request::new("ws://a.example/".parse().unwrap());
    for &offer in offers {
        request = request.deflate(offer);
    }
    let (_, bytes) = client::AwaitResponse::start(request, [0; 16], HeadLimits::default());
    let text = std::str::from_utf8(&bytes).unwrap();
    let mut lines = text
        .lines()
        .filter_map(|line| line.strip_prefix("Sec-WebSocket-Extensions: "));
    let line = lines.next().map(str::to_owned);
    assert_eq!(lines.next(), None, "one line");
    line
}

#[test]
fn the_default_offer_is_that_of_browsers() {
    assert_eq!(offered(&[]), None);
    assert_eq!(
        offered(&[DeflateOffer::default()]).unwrap(),
        "permessage-deflate; client_max_window_bits"
    );
}

#[test]
fn all_parameters_can_be_offered_and_several_offers_stand_in_one_header() {
    let small = DeflateOffer {
        server_max_window_bits: Some(bits(10)),
        client_max_window_bits: ClientWindow::AtMost(bits(9)),
        server_context_takeover: Off,
        client_context_takeover: Off,
    };
    let plain = DeflateOffer {
        client_max_window_bits: ClientWindow::Unlimited,
        ..DeflateOffer::default()
    };
    assert_eq!(
        offered(&[small, plain]).unwrap(),
        "permessage-deflate; server_no_context_takeover; client_no_context_takeover; \
         server_max_window_bits=10; client_max_window_bits=9, permessage-deflate"
    );
    let many = [DeflateOffer::default(); 20];
    assert_eq!(offered(&many).unwrap().matches("permessage").count(), 8);
}

#[test]
fn a_server_accepts_on_generous_terms_what_is_offered() {
    let cases: &[(&str, &str, DeflateParameters)] = &[
        ("permessage-deflate", "", parameters((15, On), (15, On))),
        (
            "permessage-deflate; client_max_window_bits",
            "",
            parameters((15, On), (15, On)),
        ),
        (
            "permessage-deflate; client_max_window_bits=10",
            "; client_max_window_bits=10",
            parameters((10, On), (15, On)),
        ),
        (
            "permessage-deflate; server_max_window_bits=10",
            "; server_max_window_bits=10",
            parameters((15, On), (10, On)),
        ),
        (
            "permessage-deflate; server_max_window_bits=15",
            "; server_max_window_bits=15",
            parameters((15, On), (15, On)),
        ),
        (
            "permessage-deflate; server_max_window_bits=8; client_max_window_bits=8",
            "; server_max_window_bits=8; client_max_window_bits=8",
            parameters((8, On), (8, On)),
        ),
        (
            "permessage-deflate; server_no_context_takeover",
            "; server_no_context_takeover",
            parameters((15, On), (15, Off)),
        ),
        (
            "permessage-deflate; client_no_context_takeover",
            "; client_no_context_takeover",
            parameters((15, Off), (15, On)),
        ),
        // RFC 6455 §9.1: a quoted value is the same value.
        (
            "permessage-deflate ;\tserver_max_window_bits = \"1\\0\"",
            "; server_max_window_bits=10",
            parameters((15, On), (10, On)),
        ),
    ];
    for (offer, told, expected) in cases {
        let (line, agreed) = answer(Some(generous()), &[offer]).unwrap();
        assert_eq!(
            line.unwrap(),
            format!("permessage-deflate{told}"),
            "{offer}"
        );
        assert_eq!(agreed, Some(*expected), "{offer}");
    }
}

#[test]
fn a_server_keeps_to_its_terms() {
    let small = DeflateTerms {
        server_max_window_bits: bits(11),
        client_max_window_bits: bits(12),
        ..generous()
    };
    let cases: &[(DeflateTerms, &str, &str, DeflateParameters)] = &[
        (
            DeflateTerms::default(),
            "permessage-deflate; client_max_window_bits",
            "; server_no_context_takeover; client_no_context_takeover",
            parameters((15, Off), (15, Off)),
        ),
        (
            small,
            "permessage-deflate; client_max_window_bits",
            "; client_max_window_bits=12",
            parameters((12, On), (11, On)),
        ),
        (
            small,
            "permessage-deflate; client_max_window_bits=14; server_max_window_bits=13",
            "; server_max_window_bits=11; client_max_window_bits=12",
            parameters((12, On), (11, On)),
        ),
        (
            small,
            "permessage-deflate; client_max_window_bits=9; server_max_window_bits=9",
            "; server_max_window_bits=9; client_max_window_bits=9",
            parameters((9, On), (9, On)),
        ),
        // It cannot be limited, so nothing is kept for it.
        (
            small,
            "permessage-deflate",
            "; client_no_context_takeover",
            parameters((15, Off), (11, On)),
        ),
    ];
    for (terms, offer, told, expected) in cases {
        let (line, agreed) = answer(Some(*terms), &[offer]).unwrap();
        assert_eq!(
            line.unwrap(),
            format!("permessage-deflate{told}"),
            "{offer}"
        );
        assert_eq!(agreed, Some(*expected), "{offer}");
    }
}

#[test]
fn a_server_declines_what_it_cannot_accept_and_opens_the_connection() {
    for offer in [
        "permessage-deflate; unknown",
        "permessage-deflate; server_no_context_takeover=1",
        "permessage-deflate; client_no_context_takeover=true",
        "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
        "permessage-deflate; client_no_context_takeover; client_no_context_takeover",
        "permessage-deflate; server_max_window_bits",
        "permessage-deflate; server_max_window_bits=7",
        "permessage-deflate; server_max_window_bits=16",
        "permessage-deflate; server_max_window_bits=08",
        "permessage-deflate; server_max_window_bits=010",
        "permessage-deflate; server_max_window_bits=+10",
        "permessage-deflate; server_max_window_bits=1e1",
        "permessage-deflate; server_max_window_bits=-9",
        "permessage-deflate; server_max_window_bits=266",
        "permessage-deflate; server_max_window_bits=99999999999999999999",
        "permessage-deflate; server_max_window_bits=10; server_max_window_bits=10",
        "permessage-deflate; client_max_window_bits=7",
        "permessage-deflate; client_max_window_bits=16",
        "permessage-deflate; client_max_window_bits=\"015\"",
        "permessage-deflate; client_max_window_bits; client_max_window_bits=10",
        "permessage-deflate; Server_No_Context_Takeover",
        "x-webkit-deflate-frame",
        "permessage-bzip2; client_max_window_bits",
    ] {
        assert_eq!(
            answer(Some(generous()), &[offer]),
            Ok((None, None)),
            "{offer}"
        );
    }
    let declined = answer(None, &["permessage-deflate"]);
    assert_eq!(declined, Ok((None, None)), "nothing is accepted by default");
    assert_eq!(answer(Some(generous()), &[]), Ok((None, None)));
}

#[test]
fn a_server_takes_the_first_offer_that_it_can_accept() {
    let fallback = [
        "permessage-deflate; server_max_window_bits=7, other; a=b, permessage-deflate; \
         server_max_window_bits=10, permessage-deflate; server_max_window_bits=9",
        "permessage-deflate",
    ];
    let expected = Some("permessage-deflate; server_max_window_bits=10".to_owned());
    assert_eq!(answer(Some(generous()), &fallback).unwrap().0, expected);
    let in_lines = [
        "permessage-deflate; x",
        "permessage-deflate; server_max_window_bits=10",
    ];
    assert_eq!(answer(Some(generous()), &in_lines).unwrap().0, expected);
}

#[test]
fn a_malformed_header_fails_the_handshake_even_behind_a_good_offer() {
    for line in [
        "permessage-deflate, a b",
        "permessage-deflate; server_max_window_bits=\"1 0\"",
    ] {
        let error = answer(Some(generous()), &[line]).unwrap_err();
        assert!(
            matches!(error, RequestError::MalformedHeader { .. }),
            "{line}"
        );
        let error = opened(&[DeflateOffer::default()], &[line]).unwrap_err();
        assert!(
            matches!(error, HandshakeError::MalformedHeader { .. }),
            "{line}"
        );
    }
}

/// Offers all there is.
fn particular() -> DeflateOffer {
    DeflateOffer {
        server_max_window_bits: Some(bits(12)),
        client_max_window_bits: ClientWindow::AtMost(bits(11)),
        server_context_takeover: Off,
        client_context_takeover: Off,
    }
}

#[test]
fn a_client_takes_an_answer_to_what_it_offered() {
    let any = DeflateOffer::default();
    let unlimited = DeflateOffer {
        client_max_window_bits: ClientWindow::Unlimited,
        ..any
    };
    let cases: &[(DeflateOffer, &str, DeflateParameters)] = &[
        (any, "permessage-deflate", parameters((15, On), (15, On))),
        (
            any,
            "permessage-deflate; client_max_window_bits=8; server_max_window_bits=\"9\"",
            parameters((8, On), (9, On)),
        ),
        (
            any,
            "permessage-deflate; client_no_context_takeover; server_no_context_takeover",
            parameters((15, Off), (15, Off)),
        ),
        (
            unlimited,
            "permessage-deflate; server_max_window_bits=15",
            parameters((15, On), (15, On)),
        ),
        (
            particular(),
            "permessage-deflate; server_max_window_bits=12; server_no_context_takeover",
            parameters((11, Off), (12, Off)),
        ),
        (
            particular(),
            "permessage-deflate; server_max_window_bits=8; server_no_context_takeover; \
             client_max_window_bits=9; client_no_context_takeover",
            parameters((9, Off), (8, Off)),
        ),
    ];
    for (offer, line, expected) in cases {
        assert_eq!(opened(&[*offer], &[line]), Ok(Some(*expected)), "{line}");
    }
    assert_eq!(opened(&[any], &[]), Ok(None), "it may be declined");
    // The answer is to the fallback.
    let expected = Some(parameters((15, On), (15, On)));
    assert_eq!(
        opened(&[particular(), any], &["permessage-deflate"]),
        Ok(expected)
    );
}

#[test]
fn an_answer_that_suits_several_offers_is_kept_to_as_if_it_were_to_each() {
    // RFC 7692 §7.1.1.2, §7.1.2.2: what an offer says of the client holds also where the answer is
    // silent, and which of the offers a server took it does not tell.
    let any = DeflateOffer::default();
    let careful = DeflateOffer {
        client_max_window_bits: ClientWindow::AtMost(bits(10)),
        client_context_takeover: Off,
        ..any
    };
    let limited = DeflateOffer {
        client_max_window_bits: ClientWindow::AtMost(bits(12)),
        ..any
    };
    let cases: &[(&[DeflateOffer], &str, DeflateParameters)] = &[
        (
            &[any, careful],
            "permessage-deflate",
            parameters((10, Off), (15, On)),
        ),
        (
            &[any, limited],
            "permessage-deflate; client_no_context_takeover",
            parameters((12, Off), (15, On)),
        ),
        // Eleven is no answer to an offer of ten.
        (
            &[careful, limited, any],
            "permessage-deflate; client_max_window_bits=11",
            parameters((11, On), (15, On)),
        ),
        // The server's own side was asked for in one of them alone.
        (
            &[particular(), any],
            "permessage-deflate; server_max_window_bits=12",
            parameters((15, On), (12, On)),
        ),
    ];
    for (offers, line, expected) in cases {
        assert_eq!(opened(offers, &[line]), Ok(Some(*expected)), "{line}");
    }
}

#[test]
fn an_offer_that_can_be_accepted_is_found_behind_many_that_cannot() {
    let bad = ["permessage-deflate; server_max_window_bits"; 20].join(",");
    let lines = [&bad, "permessage-deflate"];
    let (line, _) = answer(Some(generous()), &lines).unwrap();
    assert_eq!(line.as_deref(), Some("permessage-deflate"));
}

/// The answer with these parameters is refused for this reason.
fn refused(offer: DeflateOffer, parameters: &str, expected: &DeflateParameterError) {
    let line = format!("permessage-deflate{parameters}");
    let error = opened(&[offer], &[&line]).unwrap_err();
    assert_eq!(error, HandshakeError::Deflate(expected.clone()), "{line}");
    assert!(!error.to_string().is_empty());
}

const SERVER_WINDOW: &str = "server_max_window_bits";
const CLIENT_WINDOW: &str = "client_max_window_bits";
const SERVER_TAKEOVER: &str = "server_no_context_takeover";
const CLIENT_TAKEOVER: &str = "client_no_context_takeover";

#[test]
fn a_client_refuses_parameters_that_are_not_as_they_must_be() {
    use DeflateParameterError::{Repeated, RepeatedExtension, Unknown, Value};
    let value = |name, got: &str| Value {
        name,
        got: Some(Excerpt::new(got.as_bytes())),
    };
    let missing = |name| Value { name, got: None };
    let got = Excerpt::new(b"mystery");
    for (parameters, expected) in [
        ("; mystery=1", Unknown { got }),
        (
            "; server_no_context_takeover; server_no_context_takeover",
            Repeated {
                name: SERVER_TAKEOVER,
            },
        ),
        (
            "; client_max_window_bits=9; client_max_window_bits=9",
            Repeated {
                name: CLIENT_WINDOW,
            },
        ),
        (
            "; client_no_context_takeover=1",
            value(CLIENT_TAKEOVER, "1"),
        ),
        ("; server_max_window_bits=7", value(SERVER_WINDOW, "7")),
        ("; server_max_window_bits=16", value(SERVER_WINDOW, "16")),
        (
            "; server_max_window_bits=4294967304",
            value(SERVER_WINDOW, "4294967304"),
        ),
        ("; client_max_window_bits=09", value(CLIENT_WINDOW, "09")),
        ("; server_max_window_bits", missing(SERVER_WINDOW)),
        ("; client_max_window_bits", missing(CLIENT_WINDOW)),
        (", permessage-deflate", RepeatedExtension),
        (
            "\r\nSec-WebSocket-Extensions: permessage-deflate",
            RepeatedExtension,
        ),
    ] {
        refused(DeflateOffer::default(), parameters, &expected);
    }
}

#[test]
fn a_client_refuses_what_does_not_suit_its_offer() {
    use DeflateParameterError::{Missing, NotOffered, WindowTooLarge};
    let unlimited = DeflateOffer {
        client_max_window_bits: ClientWindow::Unlimited,
        ..DeflateOffer::default()
    };
    let not_offered = NotOffered {
        name: CLIENT_WINDOW,
    };
    refused(unlimited, "; client_max_window_bits=15", &not_offered);
    let too_large = |name, offered, got| WindowTooLarge {
        name,
        offered: bits(offered),
        got: bits(got),
    };
    for (parameters, expected) in [
        (
            "; server_max_window_bits=12",
            Missing {
                name: SERVER_TAKEOVER,
            },
        ),
        (
            "; server_no_context_takeover",
            Missing {
                name: SERVER_WINDOW,
            },
        ),
        (
            "; server_no_context_takeover; server_max_window_bits=13",
            too_large(SERVER_WINDOW, 12, 13),
        ),
        (
            "; server_no_context_takeover; server_max_window_bits=12; client_max_window_bits=12",
            too_large(CLIENT_WINDOW, 11, 12),
        ),
    ] {
        refused(particular(), parameters, &expected);
    }
}

#[test]
fn a_client_refuses_extensions_that_it_did_not_offer() {
    for (offers, line) in [
        (&[][..], "permessage-deflate"),
        (&[], "permessage-deflate; server_max_window_bits=99"),
        (&[DeflateOffer::default()], "permessage-bzip2"),
        (
            &[DeflateOffer::default()],
            "permessage-deflate, permessage-bzip2",
        ),
        (&[DeflateOffer::default()], "Permessage-Deflate"),
    ] {
        let error = opened(offers, &[line]).unwrap_err();
        assert!(
            matches!(error, HandshakeError::Extension { .. }),
            "{line}: {error}"
        );
    }
}

fn window() -> impl Strategy<Value = WindowBits> {
    (8..=15u8).prop_map(bits)
}

fn takeover() -> impl Strategy<Value = ContextTakeover> {
    prop_oneof![Just(On), Just(Off)]
}

prop_compose! {
    fn offer()(
        server_max_window_bits in proptest::option::of(window()),
        client_max_window_bits in prop_oneof![
            Just(ClientWindow::Any),
            Just(ClientWindow::Unlimited),
            window().prop_map(ClientWindow::AtMost),
        ],
        server_context_takeover in takeover(),
        client_context_takeover in takeover(),
    ) -> DeflateOffer {
        DeflateOffer {
            server_max_window_bits,
            client_max_window_bits,
            server_context_takeover,
            client_context_takeover,
        }
    }
}

prop_compose! {
    fn terms()(
        server_max_window_bits in window(),
        client_max_window_bits in window(),
        server_context_takeover in takeover(),
        client_context_takeover in takeover(),
    ) -> DeflateTerms {
        DeflateTerms {
            server_max_window_bits,
            client_max_window_bits,
            server_context_takeover,
            client_context_takeover,
        }
    }
}

/// Whether what one end does fits what the other is ready for.
fn fits(done: DeflateDirection, expected: DeflateDirection) -> bool {
    let takeover_fits = done.context_takeover == Off || expected.context_takeover == On;
    done.window_bits <= expected.window_bits && takeover_fits
}

proptest! {
    #[test]
    fn what_a_server_answers_a_client_takes_and_neither_exceeds_what_the_other_expects(
        offers in prop::collection::vec(offer(), 1..4),
        terms in terms(),
    ) {
        let line = offered(&offers).unwrap();
        let (answer, at_server) = answer(Some(terms), &[&line]).unwrap();
        let at_server = at_server.expect("every offer of ours can be accepted");
        let at_client = opened(&offers, &[&answer.unwrap()]).unwrap().unwrap();
        prop_assert!(fits(at_server.server, at_client.server));
        prop_assert!(fits(at_client.client, at_server.client));
        // And nobody keeps more than it wanted to.
        if at_server.client.context_takeover == On {
            prop_assert!(at_server.client.window_bits <= terms.client_max_window_bits);
        }
        prop_assert!(at_server.server.window_bits <= terms.server_max_window_bits);
    }

    #[test]
    fn any_header_is_answered_without_a_panic(
        line in prop::collection::vec(
            prop::sample::select(vec![
                "permessage-deflate", ";", ",", "=", "\"", " ", "1", "0", "15", "8", "\\",
                "server_max_window_bits", "client_max_window_bits", "client_no_context_takeover",
                "server_no_context_takeover", "ä",
            ]),
            0..30,
        ),
    ) {
        let line = line.concat();
        let _ = answer(Some(generous()), &[&line]);
        let _ = opened(&[particular(), DeflateOffer::default()], &[&line]);
    }
}

#[test]
fn a_good_offer_is_found_behind_a_thousand_bad_ones() {
    let bad = "permessage-deflate;x,".repeat(350);
    let bad = bad.trim_end_matches(',');
    let long = format!("permessage-deflate{}", ";a".repeat(4_000));
    let lines = [bad, bad, &long, bad, "permessage-deflate"];
    let (line, _) = answer(Some(generous()), &lines).unwrap();
    assert_eq!(line.as_deref(), Some("permessage-deflate"));
    assert_eq!(answer(Some(generous()), &lines[..4]), Ok((None, None)));
}
