//! Hosts that are more than ASCII names and plain addresses: zones (RFC 6874) and other scripts (RFC 5890).

use proptest::prelude::*;
use twinsock_proto::uri::{Destination, UriError, WebSocketUri};

fn parse(text: &str) -> Result<WebSocketUri, UriError> {
    text.parse()
}

#[test]
fn rfc_6874_zone_is_read_but_never_sent() {
    for (text, zone, authority, normal) in [
        (
            "ws://[fe80::1%25eth0]/",
            "eth0",
            "[fe80::1]",
            "ws://[fe80::1%25eth0]/",
        ),
        (
            "WSS://[FE80:0::1%25En-1.2_~]:8443/a?b",
            "En-1.2_~",
            "[fe80::1]:8443",
            "wss://[fe80::1%25En-1.2_~]:8443/a?b",
        ),
        (
            "ws://[fe80::1%25%65th%200]:80",
            "eth 0",
            "[fe80::1]",
            "ws://[fe80::1%25eth%200]/",
        ),
    ] {
        let uri = parse(text).unwrap();
        assert_eq!(uri.host(), "fe80::1", "{text}");
        assert_eq!(uri.zone(), Some(zone));
        assert_eq!(uri.authority(), authority);
        assert_eq!(uri.as_str(), normal);
        assert_eq!(parse(normal), Ok(uri.clone()));
        assert!(uri.as_str().ends_with(uri.resource()));
    }
    assert_eq!(parse("ws://[fe80::1]/").unwrap().zone(), None);
}

#[test]
fn rfc_6874_what_is_no_zone_of_a_link_local_address_is_refused() {
    for text in [
        "ws://[fe80::1%eth0]",
        "ws://[fe80::1%25]",
        "ws://[fe80::1%]",
        "ws://[fe80::1%25eth0",
        "ws://[fe80::1%25a%2]",
        "ws://[fe80::1%25a%zz]",
        "ws://[fe80::1%25a%00]",
        "ws://[fe80::1%25a%ff]",
        "ws://[fe80::1%25a:b]",
        "ws://[fe80::1%25ü]",
        "ws://[::1%25eth0]",
        "ws://[2001:db8::1%25eth0]",
        "ws://[fe80%25eth0]",
    ] {
        let refused = parse(text).unwrap_err();
        assert!(
            matches!(refused, UriError::Zone { .. }),
            "{text}: {refused:?}"
        );
    }
    let refused = parse("ws://[fe80::1%25x:secret@h]/").unwrap_err();
    assert_eq!(refused, UriError::UserInfo);
}

#[test]
fn rfc_6454_section_4_origin_is_scheme_host_and_port() {
    let origin = parse("wss://a.example/x").unwrap();
    for (other, same) in [
        ("wss://A.Example:443/y?z", true),
        ("ws://a.example:443/x", false),
        ("wss://a.example:444/x", false),
        ("wss://b.example/x", false),
        ("wss://a.example./x", false),
    ] {
        assert_eq!(origin.same_origin(&parse(other).unwrap()), same, "{other}");
    }
    let zoned = parse("ws://[fe80::1%25eth0]/").unwrap();
    assert!(!zoned.same_origin(&parse("ws://[fe80::1%25eth1]/").unwrap()));
    assert!(!zoned.same_origin(&parse("ws://[fe80::1]/").unwrap()));
}

#[test]
fn a_destination_is_a_host_and_a_port() {
    for (host, port, text) in [
        ("A.example", 443, "a.example:443"),
        ("192.0.2.1", 1, "192.0.2.1:1"),
        ("2001:DB8::0:1", 80, "[2001:db8::1]:80"),
        ("[::1]", 65535, "[::1]:65535"),
    ] {
        let destination = Destination::new(host, port).unwrap();
        assert_eq!(destination.as_str(), text);
        assert_eq!(destination.port(), port);
        let uri = parse(&format!("ws://{text}/x")).unwrap();
        assert_eq!(Destination::from(&uri), destination);
        assert_eq!(destination.host(), uri.host());
    }
    let zoned = parse("wss://[fe80::1%25eth0]/").unwrap();
    assert_eq!(Destination::from(&zoned).as_str(), "[fe80::1]:443");
}

#[test]
fn a_destination_cannot_be_anything_else() {
    let long = "a.".repeat(128);
    for host in [
        "", "a b", "a:80", "a\r\nb", "a@b", "[::1", "::1%eth0", "127.1", &long, "a/b",
    ] {
        assert!(Destination::new(host, 80).is_err(), "{host:?}");
    }
    assert!(matches!(
        Destination::new("a", 0),
        Err(UriError::Port { .. })
    ));
}

#[cfg(not(feature = "idn"))]
#[test]
fn rfc_5890_without_the_feature_the_ascii_form_is_asked_for() {
    for text in ["wss://bücher.example/", "ws://ü", "ws://例え.jp:80/x"] {
        let refused = parse(text).unwrap_err();
        assert!(
            matches!(refused, UriError::InternationalHost { .. }),
            "{text}"
        );
        assert!(refused.to_string().contains("xn--"), "{refused}");
    }
}

#[cfg(feature = "idn")]
#[test]
fn rfc_5890_hosts_of_any_script_are_converted_as_browsers_do() {
    for (text, authority) in [
        ("wss://bücher.example/", "xn--bcher-kva.example"),
        ("wss://BÜCHER.example:444/", "xn--bcher-kva.example:444"),
        ("ws://bu\u{308}cher.example", "xn--bcher-kva.example"),
        // Non-transitional: it stays another name than "fass".
        ("ws://faß.example", "xn--fa-hia.example"),
        ("ws://例え。テスト", "xn--r8jz45g.xn--zckzah"),
        ("ws://１２７.0.0.1/", "127.0.0.1"),
        ("ws://ａ.example", "a.example"),
    ] {
        let uri = parse(text).unwrap();
        assert_eq!(uri.authority(), authority, "{text}");
        assert!(uri.as_str().is_ascii());
        assert_eq!(parse(uri.as_str()), Ok(uri));
    }
    let destination = Destination::new("bücher.example", 443).unwrap();
    assert_eq!(destination.as_str(), "xn--bcher-kva.example:443");
}

#[cfg(feature = "idn")]
#[test]
fn rfc_5890_conversion_lets_nothing_else_in() {
    let long = format!("ws://{}.example", "ü".repeat(64));
    let endless = format!("ws://{}", "ü".repeat(1_000_000));
    for text in [
        // Full-width forms of characters that end a host.
        "ws://ü／x.example",
        "ws://ü：80",
        "ws://ü？x",
        "ws://ü＠b.example",
        "ws://ü％41.example",
        "ws://ü%41.example",
        "ws://１２７.1",
        "ws://ü..example",
        "ws://ü\u{202e}.example",
        "ws://\u{ad}",
        "ws://[ü]",
        &long,
        &endless,
    ] {
        let refused = parse(text).unwrap_err();
        assert!(
            matches!(refused, UriError::Host { .. } | UriError::EmptyHost),
            "{refused:?}"
        );
    }
    assert_eq!(parse("ws://ü:sécret@h/"), Err(UriError::UserInfo));
    assert!(matches!(parse("ws://h:８０/"), Err(UriError::Port { .. })));
}

proptest! {
    #[test]
    fn any_host_is_normal_or_refused(host in "(\\[fe80::1%25)?[a-zü例.％%ß\\-0-9\\]:]{0,20}") {
        if let Ok(uri) = parse(&format!("ws://{host}/")) {
            prop_assert!(uri.as_str().is_ascii());
            prop_assert!(!uri.authority().contains('%'));
            prop_assert_eq!(parse(uri.as_str()), Ok(uri));
        }
    }
}
