//! Where a redirect leads: references that are resolved (RFC 3986 §5).

use proptest::prelude::*;
use twinsock_proto::uri::{UriError, WebSocketUri};

fn join(base: &str, location: &str) -> Result<String, UriError> {
    let base: WebSocketUri = base.parse()?;
    base.join(location).map(|uri| uri.to_string())
}

/// The base of all examples in RFC 3986 §5.4.
const BASE: &str = "ws://a/b/c/d;p?q";

#[test]
fn rfc_3986_section_5_4_1_normal_examples() {
    for (reference, expected) in [
        ("g", "ws://a/b/c/g"),
        ("./g", "ws://a/b/c/g"),
        ("g/", "ws://a/b/c/g/"),
        ("/g", "ws://a/g"),
        ("//g", "ws://g/"),
        ("?y", "ws://a/b/c/d;p?y"),
        ("g?y", "ws://a/b/c/g?y"),
        ("#s", "ws://a/b/c/d;p?q"),
        ("g#s", "ws://a/b/c/g"),
        ("g?y#s", "ws://a/b/c/g?y"),
        (";x", "ws://a/b/c/;x"),
        ("g;x", "ws://a/b/c/g;x"),
        ("g;x?y#s", "ws://a/b/c/g;x?y"),
        ("", "ws://a/b/c/d;p?q"),
        (".", "ws://a/b/c/"),
        ("./", "ws://a/b/c/"),
        ("..", "ws://a/b/"),
        ("../", "ws://a/b/"),
        ("../g", "ws://a/b/g"),
        ("../..", "ws://a/"),
        ("../../", "ws://a/"),
        ("../../g", "ws://a/g"),
    ] {
        assert_eq!(
            join(BASE, reference).as_deref(),
            Ok(expected),
            "{reference}"
        );
    }
}

#[test]
fn rfc_3986_section_5_4_2_abnormal_examples() {
    for (reference, expected) in [
        ("../../../g", "ws://a/g"),
        ("../../../../g", "ws://a/g"),
        ("/./g", "ws://a/g"),
        ("/../g", "ws://a/g"),
        ("g.", "ws://a/b/c/g."),
        (".g", "ws://a/b/c/.g"),
        ("g..", "ws://a/b/c/g.."),
        ("..g", "ws://a/b/c/..g"),
        ("./../g", "ws://a/b/g"),
        ("./g/.", "ws://a/b/c/g/"),
        ("g/./h", "ws://a/b/c/g/h"),
        ("g/../h", "ws://a/b/c/h"),
        ("g;x=1/./y", "ws://a/b/c/g;x=1/y"),
        ("g;x=1/../y", "ws://a/b/c/y"),
        ("g?y/./x", "ws://a/b/c/g?y/./x"),
        ("g?y/../x", "ws://a/b/c/g?y/../x"),
        ("g#s/./x", "ws://a/b/c/g"),
        ("g#s/../x", "ws://a/b/c/g"),
    ] {
        assert_eq!(
            join(BASE, reference).as_deref(),
            Ok(expected),
            "{reference}"
        );
    }
    // A strict parser does not take the base's host for it.
    assert_eq!(join(BASE, "ws:g"), Err(UriError::NotAbsolute));
}

#[test]
fn absolute_locations_stand_for_themselves() {
    for (location, expected) in [
        ("ws://b", "ws://b/"),
        ("WSS://B:443/x/../y?z#f", "wss://b/y?z"),
        ("http://b:80/x", "ws://b/x"),
        ("https://b/x", "wss://b/x"),
        ("https://b:80/x", "wss://b:80/x"),
        ("https://b?q", "wss://b/?q"),
        ("https://b#f", "wss://b/"),
        ("//b:81/./x", "ws://b:81/x"),
        ("///x#", "expected a host, got none"),
        ("//[::1]?q=a://b", "ws://[::1]/?q=a://b"),
        ("//[fe80::1%25eth0]/", "ws://[fe80::1%25eth0]/"),
        ("/a:b", "ws://a/a:b"),
        ("./a:b", "ws://a/b/c/a:b"),
        ("?a:b", "ws://a/b/c/d;p?a:b"),
    ] {
        let joined = join(BASE, location).unwrap_or_else(|error| error.to_string());
        assert_eq!(joined, expected, "{location}");
    }
}

#[test]
fn relative_locations_keep_scheme_port_and_zone() {
    let base = "wss://[fe80::1%25eth0]:8443/a/b?c";
    assert_eq!(
        join(base, "d").as_deref(),
        Ok("wss://[fe80::1%25eth0]:8443/a/d")
    );
    let uri: WebSocketUri = base.parse().unwrap();
    let joined = uri.join("/d?e").unwrap();
    assert_eq!(joined.authority(), "[fe80::1]:8443");
    assert_eq!((joined.zone(), joined.resource()), (Some("eth0"), "/d?e"));
    assert!(joined.same_origin(&uri));
    assert_eq!(join("ws://a?q", "x").as_deref(), Ok("ws://a/x"));
}

#[test]
fn what_is_no_reference_to_a_websocket_is_refused() {
    for location in ["g:h", "ftp://b/", "javascript:alert(1)", "file:///etc"] {
        assert!(
            matches!(join(BASE, location), Err(UriError::Scheme { .. })),
            "{location}"
        );
    }
    for location in ["https:", "https:/x", "https:x", "1:2", ":"] {
        assert_eq!(
            join(BASE, location),
            Err(UriError::NotAbsolute),
            "{location}"
        );
    }
    for location in ["https://u:secret@b/", "//u@b"] {
        assert_eq!(join(BASE, location), Err(UriError::UserInfo), "{location}");
    }
    assert_eq!(join(BASE, "https://"), Err(UriError::EmptyHost));
    assert_eq!(
        join(BASE, "/a/%zz"),
        Err(UriError::PercentEncoding { position: 3 })
    );
    for (location, position) in [
        ("a b", 1),
        ("/\r\nX: y", 1),
        ("/ü", 1),
        ("//b/|", 4),
        ("?[", 1),
    ] {
        let refused = join(BASE, location).unwrap_err();
        assert!(
            matches!(refused, UriError::ForbiddenCharacter { position: at, .. } if at == position),
            "{location}: {refused:?}"
        );
    }
}

proptest! {
    #[test]
    fn any_location_leads_to_a_normal_address_or_nowhere(
        location in prop_oneof![".{0,100}", "(https?:|wss?:)?(//)?[a:.@\\[\\]%25]{0,6}[./a?#:%2]{0,20}"]
    ) {
        if let Ok(joined) = join(BASE, &location) {
            let uri: WebSocketUri = joined.parse().unwrap();
            prop_assert_eq!(uri.as_str(), &joined);
            prop_assert!(joined.len() <= BASE.len() + location.len() + 2 || !location.is_ascii());
            let path = uri.resource().split('?').next().unwrap();
            prop_assert!(path.split('/').all(|segment| segment != "." && segment != ".."));
        }
    }

    #[test]
    fn an_address_joined_to_another_is_itself(
        path in "(/[a-z]{1,3}){0,4}/?", query in "(\\?[a-z/.]{0,5})?"
    ) {
        let address = format!("wss://b:1{path}{query}");
        let expected: WebSocketUri = address.parse().unwrap();
        prop_assert_eq!(join(BASE, &address).unwrap(), expected.to_string());
    }
}
