//! From a host's name to its addresses.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::hash::BuildHasher;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::pin::Pin;
use std::sync::Arc;

use tokio::task::JoinHandle;
use twinsock_proto::uri::WebSocketUri;

use crate::connect::ConnectOptions;
use crate::error::Error;

/// Finds the addresses of a host's name, in place of the system; set by
/// [`resolver`](crate::MessageWebSocketBuilder::resolver).
///
/// A closure that gives a future is one, and so is a [`HashMap`] of names in lower case. It is
/// asked for names only: a host that is an address already is connected to as it is.
///
/// ```
/// # async fn run() -> Result<(), twinsock::Error> {
/// use std::collections::HashMap;
/// use std::net::SocketAddr;
///
/// use twinsock::MessageWebSocket;
///
/// // A table. Port 0 stands for the port of the WebSocket's address.
/// let table = HashMap::from([(
///     "echo.example".to_owned(),
///     vec![SocketAddr::from(([192, 0, 2, 1], 0))],
/// )]);
/// let builder = MessageWebSocket::builder().resolver(table);
/// let socket = builder.connect("ws://echo.example/").await?;
///
/// // A closure, which leaves most names to the system.
/// let builder = MessageWebSocket::builder().resolver(|host: String, port: u16| async move {
///     if host == "test.example" {
///         return Ok(vec![SocketAddr::from(([127, 0, 0, 1], port))]);
///     }
///     Ok(tokio::net::lookup_host((host, port)).await?.collect())
/// });
/// let socket = builder.connect("ws://test.example/").await?;
/// # Ok(())
/// # }
/// ```
pub trait Resolve: Send + Sync {
    /// The addresses to connect to for this host and port, the preferred one first. Port 0 in an
    /// address stands for `port`.
    ///
    /// `host` is in lower case. The answer is awaited for
    /// [`Timeouts::resolve`](crate::Timeouts::resolve); then, or when the caller gives up
    /// connecting, the future is dropped. Of the addresses no more are looked at than may be
    /// tried.
    ///
    /// # Errors
    /// Connecting ends with any error, and with an empty answer, as
    /// [`NameNotResolved`](crate::ErrorKind::NameNotResolved).
    fn resolve<'a>(&'a self, host: &'a str, port: u16) -> Resolving<'a>;
}

/// What [`Resolve::resolve`] gives: a future of addresses.
pub type Resolving<'a> = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send + 'a>>;

impl<R, F> Resolve for R
where
    R: Fn(String, u16) -> F + Send + Sync,
    F: Future<Output = io::Result<Vec<SocketAddr>>> + Send + 'static,
{
    fn resolve<'a>(&'a self, host: &'a str, port: u16) -> Resolving<'a> {
        Box::pin(self(host.to_owned(), port))
    }
}

/// A table: names that it does not have are not resolved.
impl<S: BuildHasher + Send + Sync> Resolve for HashMap<String, Vec<SocketAddr>, S> {
    fn resolve<'a>(&'a self, host: &'a str, _port: u16) -> Resolving<'a> {
        let found = self.get(host).cloned().unwrap_or_default();
        Box::pin(std::future::ready(Ok(found)))
    }
}

/// Where names are looked up: by the system, unless the application has set something else.
#[derive(Clone)]
pub(crate) struct Resolver(Arc<dyn Resolve>);

impl Resolver {
    pub(crate) fn new(resolve: impl Resolve + 'static) -> Self {
        Self(Arc::new(resolve))
    }
}

impl Default for Resolver {
    fn default() -> Self {
        Self::new(System)
    }
}

impl fmt::Debug for Resolver {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Resolver").finish_non_exhaustive()
    }
}

/// A host to connect to: the server, or a proxy.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Host<'a> {
    /// A name, or an address without brackets.
    pub(crate) name: &'a str,
    /// The interface behind which a link-local address is valid (RFC 4007 §11).
    pub(crate) zone: Option<&'a str>,
    pub(crate) port: u16,
}

impl<'a> Host<'a> {
    pub(crate) fn of(uri: &'a WebSocketUri) -> Self {
        Self {
            name: uri.host(),
            zone: uri.zone(),
            port: uri.port(),
        }
    }
}

/// The addresses of the host, each once, in the resolver's order of preference: of each
/// family no more than may be tried.
pub(crate) async fn addresses(
    host: &Host<'_>,
    options: &ConnectOptions,
) -> Result<Vec<SocketAddr>, Error> {
    let &Host { name, zone, port } = host;
    let scoped = zone.map(|zone| format!("{name}%{zone}"));
    let found = match (name.parse::<IpAddr>(), &scoped) {
        (Ok(address), None) => return Ok(vec![SocketAddr::new(address, port)]),
        // Only the system knows the number of an interface.
        (_, Some(scoped)) => System.resolve(scoped, port).await,
        (Err(_), None) => options.resolver.0.resolve(name, port).await,
    };
    let shown = scoped.as_deref().unwrap_or(name);
    let found = found.map_err(|error| Error::name_not_resolved(shown, error))?;
    let addresses = needed(found, port, options.max_addresses);
    if addresses.is_empty() {
        Err(Error::no_address(shown))
    } else {
        Ok(addresses)
    }
}

/// Of each family the first `most` addresses.
fn needed(found: Vec<SocketAddr>, port: u16, most: usize) -> Vec<SocketAddr> {
    let mut seen = HashSet::new();
    let (mut ipv4, mut ipv6) = (0, 0);
    let each = found.into_iter().map(|mut address| {
        if address.port() == 0 {
            address.set_port(port);
        }
        address
    });
    each.filter(|address| {
        let count = match address {
            SocketAddr::V4(_) => &mut ipv4,
            SocketAddr::V6(_) => &mut ipv6,
        };
        let is_needed = *count < most && seen.insert(*address);
        *count += usize::from(is_needed);
        is_needed
    })
    .collect()
}

/// The system's resolver (`getaddrinfo`).
struct System;

impl Resolve for System {
    fn resolve<'a>(&'a self, host: &'a str, port: u16) -> Resolving<'a> {
        let host = host.to_owned();
        Box::pin(async move {
            let find = move || (host.as_str(), port).to_socket_addrs();
            let found = Lookup::begin(find).done().await?;
            Ok(found.collect())
        })
    }
}

/// A lookup in a thread of the runtime. The system's call cannot be interrupted, but one that has
/// not begun when its caller gives up is never made; so a resolver that hangs is not asked again
/// for each connection that was given up.
struct Lookup<T>(JoinHandle<io::Result<T>>);

impl<T: Send + 'static> Lookup<T> {
    fn begin(find: impl FnOnce() -> io::Result<T> + Send + 'static) -> Self {
        Self(tokio::task::spawn_blocking(find))
    }

    async fn done(mut self) -> io::Result<T> {
        (&mut self.0).await.map_err(io::Error::other)?
    }
}

impl<T> Drop for Lookup<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> SocketAddr {
        text.parse().expect("an address")
    }

    async fn found(
        host: Host<'_>,
        resolver: impl Resolve + 'static,
    ) -> Result<Vec<SocketAddr>, Error> {
        let mut options = ConnectOptions::default();
        options.resolver = Resolver::new(resolver);
        addresses(&host, &options).await
    }

    /// A resolver that must not be asked.
    fn nobody(host: String, _: u16) -> std::future::Ready<io::Result<Vec<SocketAddr>>> {
        panic!("asked for {host}")
    }

    fn host(name: &str) -> Host<'_> {
        Host {
            name,
            zone: None,
            port: 80,
        }
    }

    #[tokio::test]
    async fn an_address_is_not_looked_up() {
        for (name, expected) in [
            ("192.0.2.1", "192.0.2.1:80"),
            ("2001:db8::1", "[2001:db8::1]:80"),
        ] {
            let found = found(host(name), nobody).await.expect("an address");
            assert_eq!(found, [address(expected)]);
        }
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn the_zone_of_an_address_becomes_the_number_of_the_interface() {
        let scoped = |zone| Host {
            zone: Some(zone),
            ..host("fe80::1")
        };
        let found_there = found(scoped("lo"), nobody).await.expect("an address");
        // The loopback interface is the first of every network namespace.
        assert_eq!(found_there, [address("[fe80::1%1]:80")]);
        let missing = found(scoped("no-such-interface"), nobody).await;
        let error = missing.expect_err("no such interface");
        assert_eq!(error.kind(), crate::ErrorKind::NameNotResolved);
        assert!(error.to_string().contains("fe80::1%no-such-interface"));
    }

    #[tokio::test]
    async fn an_address_comes_once_and_port_0_is_the_hosts() {
        let table = HashMap::from([(
            "host".to_owned(),
            vec![
                address("192.0.2.1:0"),
                address("192.0.2.1:80"),
                address("192.0.2.1:81"),
            ],
        )]);
        let found = found(host("host"), table).await.expect("addresses");
        assert_eq!(found, [address("192.0.2.1:80"), address("192.0.2.1:81")]);
    }

    #[tokio::test]
    async fn of_a_flood_of_addresses_no_more_are_kept_than_may_be_tried() {
        let ipv6 = (0..=u16::MAX).map(|number| [0x2001, 0xdb8, 0, 0, 0, 0, 0, number]);
        let ipv6 = ipv6.map(|address| SocketAddr::from((address, 80)));
        let ipv4 = (0..=255).map(|number| SocketAddr::from(([192, 0, 2, number], 80)));
        let flood = HashMap::from([("host".to_owned(), ipv6.chain(ipv4).collect::<Vec<_>>())]);
        let found = found(host("host"), flood).await.expect("addresses");
        assert_eq!(found.len(), 10);
        assert_eq!(found.iter().filter(|address| address.is_ipv4()).count(), 5);
    }

    #[tokio::test]
    async fn no_address_and_a_failed_lookup_are_told() {
        let empty = found(host("host"), HashMap::new()).await;
        assert_eq!(
            empty.unwrap_err().to_string(),
            "the name \"host\" has no address"
        );
        let broken = |_: String, _: u16| async { Err(io::Error::other("broken")) };
        let error = found(host("host"), broken).await.unwrap_err();
        assert_eq!(error.kind(), crate::ErrorKind::NameNotResolved);
    }

    #[test]
    fn a_lookup_that_nobody_waits_for_any_more_does_not_begin() {
        use std::sync::atomic::{AtomicUsize, Ordering};

        let mut builder = tokio::runtime::Builder::new_current_thread();
        let runtime = builder.max_blocking_threads(1).build().expect("a runtime");
        let begun = Arc::new(AtomicUsize::new(0));
        let count = || {
            let begun = Arc::clone(&begun);
            move || Ok(begun.fetch_add(1, Ordering::SeqCst))
        };
        let last = runtime.block_on(async {
            // The only thread is busy until the sender is dropped.
            let (sender, receiver) = std::sync::mpsc::channel::<()>();
            let busy = Lookup::begin(move || Ok(receiver.recv().is_ok()));
            drop(Lookup::begin(count()));
            let last = Lookup::begin(count());
            drop(sender);
            assert!(!busy.done().await.expect("no panic"));
            last.done().await
        });
        assert_eq!(last.expect("no panic"), 0, "the dropped one began");
    }
}
