//! What a user of the public names can do: read a proxy's address, choose a policy, keep cookies.

use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use http::{HeaderValue, Uri};
use twinsock::{CookieStore, ErrorKind, Proxy, ProxyChoice, ProxyScheme, RedirectPolicy};

fn is_shareable<T: Send + Sync + Unpin + Clone + Debug + 'static>() {}

#[test]
fn every_setting_may_be_shared_between_threads() {
    is_shareable::<Proxy>();
    is_shareable::<ProxyChoice>();
    is_shareable::<ProxyScheme>();
    is_shareable::<RedirectPolicy>();
}

#[test]
fn a_proxy_is_read_from_text_in_every_usual_way() {
    let parsed: Proxy = "socks5://[::1]".parse().unwrap();
    let converted = Proxy::try_from("socks5://[::1]:1080/").unwrap();
    assert_eq!(parsed.to_string(), converted.to_string());
    assert_eq!(parsed.scheme(), ProxyScheme::Socks5);
    assert_eq!((parsed.host(), parsed.port()), ("::1", 1080));
    let error = "socks4://host".parse::<Proxy>().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
}

/// A store needs nothing but the two functions, and is used through a shared pointer.
#[test]
fn a_store_of_ones_own_is_a_trait_object() {
    #[derive(Default)]
    struct Last(Mutex<Option<HeaderValue>>);

    impl CookieStore for Last {
        fn cookies(&self, _uri: &Uri) -> Option<HeaderValue> {
            self.0.lock().unwrap().clone()
        }

        fn store(&self, _uri: &Uri, set_cookies: &mut dyn Iterator<Item = &HeaderValue>) {
            *self.0.lock().unwrap() = set_cookies.last().cloned();
        }
    }

    let store: Arc<dyn CookieStore> = Arc::new(Last::default());
    let uri = Uri::from_static("https://h.example/");
    assert_eq!(store.cookies(&uri), None);
    let set = [
        HeaderValue::from_static("a=1"),
        HeaderValue::from_static("b=2"),
    ];
    store.store(&uri, &mut set.iter());
    assert_eq!(store.cookies(&uri), Some(set[1].clone()));
}

#[cfg(feature = "cookie-store")]
#[test]
fn a_jar_is_a_store_too() {
    use twinsock::cookie_store::CookieStore as Jar;

    let jar = Arc::new(Mutex::new(Jar::new()));
    let store: Arc<dyn CookieStore> = jar.clone();
    let set = [HeaderValue::from_static("id=1; Path=/; Max-Age=60")];
    store.store(&Uri::from_static("https://h.example/"), &mut set.iter());
    assert!(jar.lock().unwrap().contains("h.example", "/", "id"));
}
