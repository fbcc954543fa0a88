//! Cookies of the opening handshake (RFC 6265).

#[cfg(feature = "cookie-store")]
mod jar;

use std::fmt;
use std::sync::Arc;

use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use twinsock_proto::uri::{Scheme, WebSocketUri};

use crate::error::Error;

/// Where a client's cookies come from and go to.
///
/// Each request of an opening handshake is sent with what [`cookies`](Self::cookies) gives for its
/// address, and each response to one is shown to [`store`](Self::store): acceptances, refusals,
/// and redirects on the way. A client that adds a header `Cookie` by itself sends that alone, since
/// there can be only one (RFC 6265 §5.4); what servers set is stored all the same. Proxies neither
/// see nor set cookies.
///
/// The address is shown as a cookie knows it: `http` for `ws`, `https` for `wss`, so that a cookie
/// with `Secure` is for `wss` alone. Which cookies are for which address, and how long, is up to
/// the store. Both are called while connecting, and must not block.
///
/// With the feature `cookie-store` a `Mutex<cookie_store::CookieStore>` is one, with all rules of
/// RFC 6265. A store may be shared by any number of clients.
///
/// ```
/// use std::sync::Mutex;
///
/// use twinsock::CookieStore;
/// use twinsock::http::{HeaderValue, Uri};
///
/// /// Cookies for one server whose cookies are for all paths and have no dates.
/// struct Session {
///     host: &'static str,
///     cookies: Mutex<Vec<String>>,
/// }
///
/// impl CookieStore for Session {
///     fn cookies(&self, uri: &Uri) -> Option<HeaderValue> {
///         // A redirect may lead to somebody else.
///         uri.host().filter(|&host| host == self.host)?;
///         let cookies = self.cookies.lock().ok()?.join("; ");
///         HeaderValue::from_str(&cookies).ok()
///     }
///
///     fn store(&self, uri: &Uri, set_cookies: &mut dyn Iterator<Item = &HeaderValue>) {
///         let Ok(mut cookies) = self.cookies.lock() else { return };
///         if uri.host() != Some(self.host) {
///             return;
///         }
///         for set_cookie in set_cookies.filter_map(|value| value.to_str().ok()) {
///             let (cookie, _attributes) = set_cookie.split_once(';').unwrap_or((set_cookie, ""));
///             cookies.push(cookie.to_owned());
///         }
///     }
/// }
/// ```
pub trait CookieStore: Send + Sync {
    /// The value of the header `Cookie` for a request to `uri`; `None`, or an empty one, for no
    /// such header.
    fn cookies(&self, uri: &Uri) -> Option<HeaderValue>;

    /// Takes the values of the headers `Set-Cookie` of a response of `uri`, in their order. It is
    /// not called when there are none.
    fn store(&self, uri: &Uri, set_cookies: &mut dyn Iterator<Item = &HeaderValue>);
}

/// The store of a client, if it has one.
#[derive(Clone, Default)]
pub(crate) struct Cookies(Option<Arc<dyn CookieStore>>);

impl Cookies {
    pub(crate) fn new(store: Arc<dyn CookieStore>) -> Self {
        Self(Some(store))
    }

    /// The header `Cookie` for a request to `uri` with these headers of the caller's.
    pub(crate) fn header(
        &self,
        uri: &WebSocketUri,
        headers: &[(HeaderName, HeaderValue)],
    ) -> Result<Option<HeaderValue>, Error> {
        let Some(store) = &self.0 else {
            return Ok(None);
        };
        if headers.iter().any(|(name, _)| name == COOKIE) {
            return Ok(None);
        }
        let value = store.cookies(&http_form(uri)?);
        Ok(value.filter(|value| !value.is_empty()).map(|mut value| {
            // `Debug` does not show it.
            value.set_sensitive(true);
            value
        }))
    }

    /// Shows the store what a response of `uri` sets.
    pub(crate) fn store(&self, uri: &WebSocketUri, response: &HeaderMap) -> Result<(), Error> {
        let Some(store) = &self.0 else {
            return Ok(());
        };
        let mut set_cookies = response.get_all(SET_COOKIE).iter().peekable();
        if set_cookies.peek().is_some() {
            store.store(&http_form(uri)?, &mut set_cookies);
        }
        Ok(())
    }
}

/// It shows nothing of the store, which is full of secrets.
impl fmt::Debug for Cookies {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self.0 {
            Some(_) => "Cookies(a store)",
            None => "Cookies(none)",
        })
    }
}

/// The address with the scheme that cookies are defined for.
fn http_form(uri: &WebSocketUri) -> Result<Uri, Error> {
    let scheme = match uri.scheme() {
        Scheme::Ws => "http",
        Scheme::Wss => "https",
    };
    Uri::builder()
        .scheme(scheme)
        .authority(uri.authority())
        .path_and_query(uri.resource())
        .build()
        .map_err(|error| {
            Error::invalid_argument(format!("an address that cookies can be found for: {error}"))
        })
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// Gives one cookie to all, and keeps what it was told.
    #[derive(Default)]
    struct Notebook {
        gives: &'static str,
        told: Mutex<Vec<String>>,
    }

    impl CookieStore for Notebook {
        fn cookies(&self, uri: &Uri) -> Option<HeaderValue> {
            self.told.lock().unwrap().push(format!("asked for {uri}"));
            Some(HeaderValue::from_static(self.gives))
        }

        fn store(&self, uri: &Uri, set_cookies: &mut dyn Iterator<Item = &HeaderValue>) {
            let values: Vec<_> = set_cookies.map(|value| value.to_str().unwrap()).collect();
            let told = format!("{uri} sets {}", values.join(" and "));
            self.told.lock().unwrap().push(told);
        }
    }

    fn notebook(gives: &'static str) -> (Arc<Notebook>, Cookies) {
        let notebook = Arc::new(Notebook {
            gives,
            ..Notebook::default()
        });
        (Arc::clone(&notebook), Cookies::new(notebook))
    }

    fn uri(text: &str) -> WebSocketUri {
        text.parse().unwrap()
    }

    #[test]
    fn a_store_is_asked_for_the_http_form_of_the_address() {
        for (address, shown) in [
            ("ws://h.example", "http://h.example/"),
            (
                "wss://h.example:8443/a?b=%20c",
                "https://h.example:8443/a?b=%20c",
            ),
            ("wss://[::1]:443/", "https://[::1]/"),
            ("ws://[fe80::1%25eth0]/", "http://[fe80::1]/"),
            ("ws://a_b.example/?x", "http://a_b.example/?x"),
        ] {
            let (notebook, cookies) = notebook("id=1");
            let value = cookies.header(&uri(address), &[]).unwrap().unwrap();
            assert_eq!(value, "id=1");
            assert!(value.is_sensitive());
            assert_eq!(
                *notebook.told.lock().unwrap(),
                [format!("asked for {shown}")]
            );
        }
    }

    #[test]
    fn the_callers_own_cookies_are_sent_alone() {
        let (notebook, cookies) = notebook("id=1");
        let own = [(COOKIE, HeaderValue::from_static("mine=2"))];
        assert_eq!(cookies.header(&uri("ws://h.example"), &own).unwrap(), None);
        assert!(notebook.told.lock().unwrap().is_empty());
        let other = [(
            HeaderName::from_static("x-game"),
            HeaderValue::from_static("42"),
        )];
        assert!(
            cookies
                .header(&uri("ws://h.example"), &other)
                .unwrap()
                .is_some()
        );
    }

    #[test]
    fn an_empty_value_is_no_header() {
        let (_, cookies) = notebook("");
        assert_eq!(cookies.header(&uri("ws://h.example"), &[]).unwrap(), None);
        let none = Cookies::default();
        assert_eq!(none.header(&uri("ws://h.example"), &[]).unwrap(), None);
    }

    #[test]
    fn what_a_response_sets_is_stored_in_its_order() {
        let (notebook, cookies) = notebook("");
        let mut headers = HeaderMap::new();
        cookies
            .store(&uri("wss://h.example/chat"), &headers)
            .unwrap();
        headers.append(SET_COOKIE, HeaderValue::from_static("a=1; Path=/"));
        headers.append(SET_COOKIE, HeaderValue::from_static("b=2"));
        cookies
            .store(&uri("wss://h.example/chat"), &headers)
            .unwrap();
        Cookies::default()
            .store(&uri("ws://h.example"), &headers)
            .unwrap();
        let told = notebook.told.lock().unwrap();
        assert_eq!(*told, ["https://h.example/chat sets a=1; Path=/ and b=2"]);
    }

    #[test]
    fn an_address_too_long_for_a_store_is_an_error() {
        let (_, cookies) = notebook("");
        let long = uri(&format!("ws://h.example/{}", "x".repeat(70_000)));
        assert!(cookies.header(&long, &[]).is_err());
    }

    #[test]
    fn debug_shows_no_cookies() {
        let (_, cookies) = notebook("id=1");
        assert_eq!(format!("{cookies:?}"), "Cookies(a store)");
    }
}
