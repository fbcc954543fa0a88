//! The proxy that the environment names for an address, by the rules of curl.

use std::ffi::OsString;

use twinsock_proto::uri::{Scheme, WebSocketUri};

use crate::error::Error;
use crate::proxy::exceptions::Exceptions;
use crate::proxy::{Proxy, address};

/// Where a proxy for `ws` may be, the first that has a value counts.
///
/// `HTTP_PROXY` is not among them: a web server that runs a program by CGI sets it to what a client
/// sends as its header `Proxy`.
const WS: [&str; 5] = [
    "ws_proxy",
    "WS_PROXY",
    "http_proxy",
    "all_proxy",
    "ALL_PROXY",
];
/// The same for `wss`.
const WSS: [&str; 6] = [
    "wss_proxy",
    "WSS_PROXY",
    "https_proxy",
    "HTTPS_PROXY",
    "all_proxy",
    "ALL_PROXY",
];
/// Where the list of hosts without a proxy may be.
const EXCEPTIONS: [&str; 2] = ["no_proxy", "NO_PROXY"];

/// The proxy for `uri`; `lookup` gives the value of a variable.
pub(super) fn proxy_for(
    uri: &WebSocketUri,
    lookup: impl Fn(&str) -> Option<OsString>,
) -> Result<Option<Proxy>, Error> {
    if let Some((_, list)) = first_of(&EXCEPTIONS, &lookup)?
        && Exceptions::lenient(&list).contain(uri.host())
    {
        return Ok(None);
    }
    let names: &[&str] = match uri.scheme() {
        Scheme::Ws => &WS,
        Scheme::Wss => &WSS,
    };
    let Some((name, value)) = first_of(names, &lookup)? else {
        return Ok(None);
    };
    let proxy = address::parse(&value);
    proxy
        .map(Some)
        .map_err(|fault| Error::invalid_argument(format!("the variable {name}: {fault}")))
}

/// The first variable that has a value, and that value. An empty one counts as none.
fn first_of<'a>(
    names: &[&'a str],
    lookup: impl Fn(&str) -> Option<OsString>,
) -> Result<Option<(&'a str, String)>, Error> {
    let found = names.iter().find_map(|&name| {
        let value = lookup(name).filter(|value| !value.is_empty())?;
        Some((name, value))
    });
    let Some((name, value)) = found else {
        return Ok(None);
    };
    match value.into_string() {
        Ok(value) => Ok(Some((name, value))),
        Err(_) => Err(Error::invalid_argument(format!(
            "the variable {name}: expected a value in UTF-8"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    /// The proxy's host under these variables, written as `name=value` with blanks between them.
    fn found(variables: &str, uri: &str) -> Result<Option<String>, Error> {
        let variables: Vec<_> = variables
            .split_whitespace()
            .map(|variable| variable.split_once('=').unwrap())
            .collect();
        let lookup = |wanted: &str| {
            let mut variables = variables.iter();
            let (_, value) = variables.find(|(name, _)| *name == wanted)?;
            Some(OsString::from(value))
        };
        let proxy = proxy_for(&uri.parse().unwrap(), lookup)?;
        Ok(proxy.map(|proxy| proxy.host().to_owned()))
    }

    /// Variables, an address, and its proxy: what curl documents (libcurl-env), and what libcurl
    /// 8.23 does.
    const ROWS: &[(&str, &str, Option<&str>)] = &[
        // Nothing set, no proxy.
        ("", "ws://h.example", None),
        ("", "wss://h.example", None),
        // The address's own scheme comes first, then its HTTP form, then what is for all.
        (
            "ws_proxy=a http_proxy=b all_proxy=c",
            "ws://h.example",
            Some("a"),
        ),
        ("http_proxy=b all_proxy=c", "ws://h.example", Some("b")),
        ("all_proxy=c", "ws://h.example", Some("c")),
        (
            "wss_proxy=a https_proxy=b all_proxy=c",
            "wss://h.example",
            Some("a"),
        ),
        ("https_proxy=b all_proxy=c", "wss://h.example", Some("b")),
        ("all_proxy=c", "wss://h.example", Some("c")),
        // No variable is for the other scheme.
        (
            "wss_proxy=a https_proxy=b HTTPS_PROXY=c",
            "ws://h.example",
            None,
        ),
        (
            "ws_proxy=a http_proxy=b WS_PROXY=c",
            "wss://h.example",
            None,
        ),
        // Lower case comes before upper case, and upper case before the next name.
        ("WS_PROXY=A ws_proxy=a", "ws://h.example", Some("a")),
        ("WS_PROXY=a http_proxy=b", "ws://h.example", Some("a")),
        ("WSS_PROXY=a https_proxy=b", "wss://h.example", Some("a")),
        ("HTTPS_PROXY=B https_proxy=b", "wss://h.example", Some("b")),
        ("HTTPS_PROXY=b all_proxy=c", "wss://h.example", Some("b")),
        ("ALL_PROXY=C all_proxy=c", "ws://h.example", Some("c")),
        ("ALL_PROXY=c", "wss://h.example", Some("c")),
        // HTTP_PROXY may come from a client of a web server: it is not read.
        ("HTTP_PROXY=evil", "ws://h.example", None),
        ("HTTP_PROXY=evil http_proxy=b", "ws://h.example", Some("b")),
        ("HTTP_PROXY=evil ALL_PROXY=c", "ws://h.example", Some("c")),
        // An empty value is none.
        ("ws_proxy= http_proxy= all_proxy=", "ws://h.example", None),
        ("ws_proxy= http_proxy=b", "ws://h.example", Some("b")),
        ("https_proxy= HTTPS_PROXY=b", "wss://h.example", Some("b")),
        ("http_proxy= ALL_PROXY=c", "ws://h.example", Some("c")),
        // Excepted hosts have no proxy; the lower case list counts alone.
        ("ws_proxy=a no_proxy=h.example", "ws://h.example", None),
        ("ws_proxy=a NO_PROXY=h.example", "ws://h.example", None),
        ("all_proxy=a no_proxy=*", "wss://[::1]", None),
        (
            "ws_proxy=a no_proxy=x NO_PROXY=h.example",
            "ws://h.example",
            Some("a"),
        ),
        (
            "ws_proxy=a no_proxy= NO_PROXY=h.example",
            "ws://h.example",
            None,
        ),
        ("ws_proxy=a no_proxy=", "ws://h.example", Some("a")),
        // The address's port says nothing.
        ("ws_proxy=a no_proxy=h.example", "ws://h.example:81", None),
        (
            "ws_proxy=a no_proxy=h.example:80",
            "ws://h.example",
            Some("a"),
        ),
        (
            "wss_proxy=a no_proxy=10.0.0.0/8",
            "wss://10.1.2.3:8443/x",
            None,
        ),
        // What is not used may be anything.
        (
            "ws_proxy=a http_proxy=socks4://b",
            "ws://h.example",
            Some("a"),
        ),
        (
            "ws_proxy=socks4://b no_proxy=h.example",
            "ws://h.example",
            None,
        ),
    ];

    #[test]
    fn the_environment_names_the_proxy_that_it_names_for_curl() {
        for &(variables, uri, proxy) in ROWS {
            let found = found(variables, uri).unwrap();
            assert_eq!(found.as_deref(), proxy, "{variables:?}, {uri}");
        }
    }

    #[test]
    fn a_variable_that_cannot_be_used_is_named() {
        let error = found("https_proxy=socks4://user:hunter2@b", "wss://h.example").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        let text = error.to_string();
        assert!(
            text.contains("https_proxy") && text.contains("SOCKS4"),
            "{text}"
        );
        assert!(!text.contains("hunter2"), "{text}");
    }

    #[cfg(unix)]
    #[test]
    fn a_value_that_is_no_text_is_an_error() {
        use std::os::unix::ffi::OsStringExt;

        let lookup = |name: &str| (name == "all_proxy").then(|| OsString::from_vec(vec![0xFF]));
        let error = proxy_for(&"ws://h.example".parse().unwrap(), lookup).unwrap_err();
        assert!(error.to_string().contains("all_proxy"), "{error}");
    }
}
