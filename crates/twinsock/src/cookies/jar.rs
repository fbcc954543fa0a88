//! The jar of the crate `cookie_store` as a [`CookieStore`].

use std::sync::{Mutex, MutexGuard, PoisonError};

use cookie_store::{CookieStore as Jar, RawCookie};
use http::{HeaderValue, Uri};
use url::Url;

use crate::cookies::CookieStore;

/// A jar that knows the rules of RFC 6265: domains, paths, dates, `Secure`.
///
/// It keeps `HttpOnly` cookies too, and gives them to the handshake, which is HTTP. Which domains
/// are public suffixes, such as `co.uk`, it knows only when it is given a list
/// (`cookie_store::CookieStore::with_suffix_list`, behind a feature of that crate): without one a
/// server may set a cookie for all of `co.uk`. A client of more than one party's servers should
/// have a list, or a jar for each party.
///
/// ```
/// use std::sync::{Arc, Mutex};
///
/// use twinsock::CookieStore;
/// use twinsock::http::{HeaderValue, Uri};
///
/// let jar = Arc::new(Mutex::new(cookie_store::CookieStore::new()));
/// let uri = Uri::from_static("https://game.example/live");
/// let sent = [HeaderValue::from_static("session=42; Secure; Path=/")];
/// jar.store(&uri, &mut sent.iter());
/// assert_eq!(jar.cookies(&uri), Some(HeaderValue::from_static("session=42")));
/// assert_eq!(jar.cookies(&Uri::from_static("http://game.example/live")), None);
/// ```
impl CookieStore for Mutex<Jar> {
    fn cookies(&self, uri: &Uri) -> Option<HeaderValue> {
        let url = to_url(uri)?;
        let jar = locked(self);
        let cookies: Vec<_> = jar
            .get_request_values(&url)
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        if cookies.is_empty() {
            return None;
        }
        HeaderValue::try_from(cookies.join("; ")).ok()
    }

    fn store(&self, uri: &Uri, set_cookies: &mut dyn Iterator<Item = &HeaderValue>) {
        let Some(url) = to_url(uri) else {
            return;
        };
        let cookies = set_cookies.filter_map(|value| {
            let text = std::str::from_utf8(value.as_bytes()).ok()?;
            RawCookie::parse(text.to_owned()).ok()
        });
        locked(self).store_response_cookies(cookies, &url);
    }
}

/// A jar is whole after each of its calls, also when somebody panicked in between.
fn locked(jar: &Mutex<Jar>) -> MutexGuard<'_, Jar> {
    jar.lock().unwrap_or_else(PoisonError::into_inner)
}

fn to_url(uri: &Uri) -> Option<Url> {
    Url::parse(&uri.to_string()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is sent to each address after `from` has set these cookies.
    fn sent(from: &'static str, set: &[&'static str], to: &'static str) -> String {
        let jar = Mutex::new(Jar::new());
        let set: Vec<_> = set
            .iter()
            .map(|&text| HeaderValue::from_static(text))
            .collect();
        jar.store(&Uri::from_static(from), &mut set.iter());
        let value = jar.cookies(&Uri::from_static(to));
        value.map_or(String::new(), |value| value.to_str().unwrap().to_owned())
    }

    #[test]
    fn the_jar_keeps_the_rules_of_rfc_6265() {
        let https = "https://a.example/chat/live";
        for (set, to, value) in [
            ("id=1", "https://a.example/chat/live", "id=1"),
            ("id=1", "http://a.example/chat/live", "id=1"),
            // Secure
            ("id=1; Secure", "https://a.example/chat/live", "id=1"),
            ("id=1; Secure", "http://a.example/chat/live", ""),
            // HttpOnly hides it from scripts alone.
            ("id=1; HttpOnly", "https://a.example/chat/live", "id=1"),
            // Domain
            ("id=1", "https://www.a.example/chat/live", ""),
            (
                "id=1; Domain=a.example",
                "https://www.a.example/chat/live",
                "id=1",
            ),
            ("id=1; Domain=b.example", "https://b.example/chat/live", ""),
            // Path
            ("id=1", "https://a.example/chat/other", "id=1"),
            ("id=1", "https://a.example/", ""),
            ("id=1; Path=/", "https://a.example/", "id=1"),
            // Dates
            ("id=1; Max-Age=0", "https://a.example/chat/live", ""),
            ("id=1; Max-Age=60", "https://a.example/chat/live", "id=1"),
            // Ports say nothing.
            ("id=1", "https://a.example:8443/chat/live", "id=1"),
        ] {
            assert_eq!(sent(https, &[set], to), value, "{set} to {to}");
        }
    }

    #[test]
    fn several_cookies_are_one_header() {
        let sent = sent(
            "http://a.example/",
            &["a=1", "b=2", "a=3"],
            "http://a.example/",
        );
        let mut cookies: Vec<_> = sent.split("; ").collect();
        cookies.sort_unstable();
        assert_eq!(cookies, ["a=3", "b=2"]);
    }

    #[test]
    fn what_is_no_cookie_is_passed_over() {
        let jar = Mutex::new(Jar::new());
        let uri = Uri::from_static("http://a.example/");
        let set = [
            HeaderValue::from_bytes(b"a=\xFF").unwrap(),
            HeaderValue::from_static(""),
            HeaderValue::from_static("b=2"),
        ];
        jar.store(&uri, &mut set.iter());
        assert_eq!(jar.cookies(&uri), Some(HeaderValue::from_static("b=2")));
    }
}
