//! `ws://` and `wss://` addresses (RFC 6455 §3).

use proptest::prelude::*;
use twinsock_proto::uri::{Scheme, UriError, WebSocketUri};

fn parse(text: &str) -> Result<WebSocketUri, UriError> {
    text.parse()
}

#[test]
fn section_3_default_ports_are_80_and_443() {
    let plain = parse("ws://a.example").unwrap();
    assert_eq!((plain.scheme(), plain.port()), (Scheme::Ws, 80));
    let secure = parse("wss://a.example").unwrap();
    assert_eq!((secure.scheme(), secure.port()), (Scheme::Wss, 443));
}

#[test]
fn section_3_scheme_and_host_are_case_insensitive() {
    assert_eq!(parse("wSs://A.Example/P"), parse("wss://a.example/P"));
}

#[test]
fn section_3_resource_name_is_path_and_query() {
    for (text, resource) in [
        ("ws://h", "/"),
        ("ws://h/", "/"),
        ("ws://h?q=1", "/?q=1"),
        ("ws://h/?q", "/?q"),
        ("ws://h/?", "/?"),
        ("ws://h/a/b?c=d?e/f", "/a/b?c=d?e/f"),
        ("ws://h/%7Euser/a:b@c;d", "/%7Euser/a:b@c;d"),
        ("ws://h//double", "//double"),
        ("ws://h/a@b", "/a@b"),
        ("ws://h/a://b", "/a://b"),
    ] {
        assert_eq!(parse(text).unwrap().resource(), resource, "{text}");
    }
}

#[test]
fn section_3_fragment_is_refused() {
    for text in ["ws://h#", "ws://h/a#b", "ws://h/?q#b", "ws://h:80#b"] {
        assert_eq!(parse(text), Err(UriError::Fragment), "{text}");
    }
}

#[test]
fn section_3_escaped_number_sign_is_kept() {
    let resource = "/a%23b?c=%23d";
    assert_eq!(
        parse(&format!("ws://h{resource}")).unwrap().resource(),
        resource
    );
}

#[test]
fn section_4_1_host_header_omits_the_default_port() {
    for (text, authority) in [
        ("ws://h:80", "h"),
        ("ws://h:443", "h:443"),
        ("wss://h:443", "h"),
        ("wss://h:80/x", "h:80"),
        ("ws://h:/x", "h"),
        ("ws://h:00080", "h"),
        ("ws://[::1]", "[::1]"),
        ("ws://[0:0::1]:8080/x", "[::1]:8080"),
    ] {
        assert_eq!(parse(text).unwrap().authority(), authority, "{text}");
    }
}

#[test]
fn hosts_are_names_or_addresses() {
    for (text, host) in [
        ("ws://[2001:DB8::1]/", "2001:db8::1"),
        ("ws://[::ffff:192.0.2.1]:9", "::ffff:192.0.2.1"),
        ("ws://127.0.0.1:9001", "127.0.0.1"),
        ("ws://a_b.example.", "a_b.example."),
        ("ws://xn--bcher-kva.example", "xn--bcher-kva.example"),
    ] {
        assert_eq!(parse(text).unwrap().host(), host, "{text}");
    }
}

#[test]
fn hosts_that_could_deceive_are_refused() {
    let long_label = format!("ws://{}.example", "a".repeat(64));
    let long_name = format!("ws://{}example", "abcdefg.".repeat(32));
    for text in [
        "ws://a..b",
        "ws://.a",
        "ws://.",
        "ws://a,b",
        "ws://a%00b",
        "ws://a\\b",
        "ws://127.1",
        "ws://1.2.3.256",
        "ws://0x7f.0x1",
        "ws://2130706433",
        "ws://[::1",
        "ws://[v1.a]",
        "ws://[127.0.0.1]",
        "ws://[]",
        "ws://::1",
        "ws://a]",
        "ws://a[::1]",
        &long_label,
        &long_name,
    ] {
        let refused = parse(text).unwrap_err();
        assert!(
            matches!(refused, UriError::Host { .. } | UriError::EmptyHost),
            "{text}: {refused:?}"
        );
    }
}

#[test]
fn other_schemes_are_refused_and_named() {
    for (text, hint) in [
        ("http://h", "form is ws)"),
        ("HTTPS://h", "form is wss)"),
        ("ftp://h", "\"ftp\""),
    ] {
        let refused = parse(text).unwrap_err().to_string();
        assert!(refused.contains(hint), "{refused}");
    }
}

#[test]
fn relative_addresses_are_refused() {
    for text in [
        "",
        "h",
        "//h/a",
        "/a",
        "ws:h",
        "ws:/h",
        "h:80/?u=ws://x",
        "ws",
        "://h",
    ] {
        assert_eq!(parse(text), Err(UriError::NotAbsolute), "{text}");
    }
}

#[test]
fn empty_hosts_and_user_information_are_refused() {
    for text in ["ws://", "ws:///a", "ws://:80", "ws://?q"] {
        assert_eq!(parse(text), Err(UriError::EmptyHost), "{text}");
    }
    for text in [
        "ws://user@h",
        "ws://user:secret@h/a",
        "ws://@h",
        "ws://trusted.example@evil.example",
    ] {
        let refused = parse(text).unwrap_err();
        assert_eq!(refused, UriError::UserInfo, "{text}");
        assert!(!refused.to_string().contains("secret"));
    }
}

#[test]
fn ports_out_of_range_are_refused() {
    for text in [
        "ws://h:0",
        "ws://h:65536",
        "ws://h:99999999999",
        "ws://h:+80",
        "ws://h:8a",
        "ws://[::1]80",
        "ws://h:1:2",
    ] {
        assert!(
            matches!(parse(text), Err(UriError::Port { .. })),
            "{text}: {:?}",
            parse(text)
        );
    }
    assert_eq!(parse("ws://h:65535").unwrap().port(), 65535);
}

#[test]
fn section_3_line_ends_cannot_enter_the_request_line_or_host() {
    for text in [
        "ws://h/a\r\nX: y",
        "ws://h\r\n/",
        "ws://h/a b",
        "ws://h/\0",
        "ws://h/\u{7f}",
        "ws://h/ü",
        " ws://h",
        "ws://h\n",
    ] {
        assert!(
            matches!(parse(text), Err(UriError::ForbiddenCharacter { .. })),
            "{text:?}"
        );
    }
}

/// §11.1.1, §11.1.2: what is not ASCII is for the caller to convert; nothing goes out as it is. For hosts see
/// `uri_hosts.rs`.
#[test]
fn section_11_1_only_converted_characters_are_accepted() {
    for scheme in ["ws", "wss"] {
        for text in ["h/bücher", "h/?q=bücher", "h#ü"] {
            let refused = parse(&format!("{scheme}://{text}")).unwrap_err();
            assert!(
                matches!(refused, UriError::ForbiddenCharacter { .. }),
                "{text}"
            );
        }
        let uri = format!("{scheme}://xn--bcher-kva.example/b%C3%BCcher?q=b%C3%BCcher");
        let uri = parse(&uri).unwrap();
        assert_eq!(uri.host(), "xn--bcher-kva.example");
        assert_eq!(uri.resource(), "/b%C3%BCcher?q=b%C3%BCcher");
    }
}

#[test]
fn rfc_3986_path_characters_are_enforced() {
    for text in [
        "ws://h/\"",
        "ws://h/<a>",
        "ws://h/a\\b",
        "ws://h/^",
        "ws://h/?{a}",
        "ws://h/|",
        "ws://h/[a]",
    ] {
        assert!(
            matches!(parse(text), Err(UriError::ForbiddenCharacter { .. })),
            "{text}"
        );
    }
    for text in ["ws://h/%", "ws://h/%a", "ws://h/%zz", "ws://h/?%4"] {
        assert!(
            matches!(parse(text), Err(UriError::PercentEncoding { .. })),
            "{text}"
        );
    }
}

#[test]
fn quoted_parts_are_bounded() {
    let refused = parse(&format!("{}://h", "a".repeat(10_000))).unwrap_err();
    assert!(refused.to_string().len() < 200);
}

proptest! {
    #[test]
    fn arbitrary_text_never_panics(text in ".{0,200}") {
        let _ = parse(&text);
    }

    #[test]
    fn near_addresses_never_panic(text in "(ws|wss|http)?(://)?[a\\[\\]:@.0-9%#/?\\\\-]{0,30}") {
        if let Ok(uri) = parse(&text) {
            prop_assert!(uri.resource().starts_with('/'));
            prop_assert!(!uri.host().is_empty());
        }
    }

    #[test]
    fn display_of_a_parsed_address_is_its_identity(
        text in "[wW][sS]{1,2}://([a-zA-Z][a-z0-9]{0,9}(\\.[a-z]{1,5}){0,3}|\\[::[1-9a-fA-F]{1,4}\\])(:[1-9][0-9]{0,3})?(/[a-z%20~;:@/]{0,9})?(\\?[a-z=&/?]{0,9})?"
    ) {
        if let Ok(uri) = parse(&text) {
            prop_assert_eq!(parse(&uri.to_string()), Ok(uri.clone()));
            prop_assert_eq!(parse(uri.as_str()).unwrap().to_string(), uri.to_string());
        }
    }
}
