//! A client's way to an open connection, a file per step.
//!
//! ```text
//!  journey ─▶ route ─▶ resolve ─▶ tcp ─▶ tunnel ─▶ secure ─▶ handshake ─▶ open
//!     ▲                                (a proxy's)  (wss)        │
//!     └──────── another address, or credentials ◀── refused ─────┘
//! ```

mod authentication;
mod budget;
mod handshake;
mod journey;
mod negotiate;
mod options;
mod order;
mod race;
mod report;
mod resolve;
mod route;
mod schedule;
mod secure;
mod settings;
mod tcp;
mod tunnel;

use twinsock_proto::handshake::client::Request;
use twinsock_proto::uri::{Scheme, WebSocketUri};

pub use crate::connect::report::{ConnectPhase, ConnectReport, ConnectStep};
pub use crate::connect::resolve::{Resolve, Resolving};

pub(crate) use crate::connect::options::ConnectOptions;
pub(crate) use crate::connect::resolve::Resolver;
pub(crate) use crate::connect::settings::shared_settings;

use crate::connect::budget::Budget;
use crate::connect::journey::Journey;
use crate::connect::secure::{Check, Secured};
use crate::driver::ByteStream;
use crate::error::{Error, ErrorKind};
use crate::opening::Opened;
use crate::proxy::Proxy;
use crate::timeout::Timeout;

/// One attempt to connect: its settings, its time, and what came of its steps.
pub(crate) struct Attempt<'a> {
    options: &'a ConnectOptions,
    budget: Budget,
    report: ConnectReport,
}

/// Connects to `uri`. The report is kept, whatever comes of it.
async fn connect(uri: WebSocketUri, options: &ConnectOptions) -> Result<Opened, Error> {
    let mut attempt = Attempt::new(options);
    match attempt.connect(Journey::new(options, uri)).await {
        Ok(opened) => Ok(opened.reported(attempt.report)),
        Err(error) => Err(error.reported(attempt.report)),
    }
}

/// Does the opening handshake over `stream`, with one request.
async fn connect_over(
    stream: Box<dyn ByteStream>,
    uri: WebSocketUri,
    options: &ConnectOptions,
) -> Result<Opened, Error> {
    let journey = Journey::new(options, uri);
    let opened = Attempt::new(options).open(stream, journey.request()?).await;
    journey.store_cookies(&opened)?;
    opened
}

impl<'a> Attempt<'a> {
    fn new(options: &'a ConnectOptions) -> Self {
        Self {
            options,
            budget: Budget::new(&options.timeouts),
            report: ConnectReport::new(),
        }
    }

    /// Each request takes a connection of its own: a server that has refused need not keep it.
    async fn connect(&mut self, mut journey: Journey<'_>) -> Result<Opened, Error> {
        loop {
            let opened = self.connect_once(&journey).await;
            journey.store_cookies(&opened)?;
            match opened {
                Err(error) if error.kind() == ErrorKind::HandshakeRefused => {
                    journey.go_on_after(error)?;
                }
                outcome => return outcome,
            }
        }
    }

    async fn connect_once(&mut self, journey: &Journey<'_>) -> Result<Opened, Error> {
        let request = journey.request()?;
        let (stream, ends) = self.reach(journey.uri()).await?;
        let (stream, tls) = match journey.uri().scheme() {
            Scheme::Ws => (stream, None),
            Scheme::Wss => {
                let secured = self.secure(stream, journey).await?;
                (secured.stream, Some(secured.information))
            }
        };
        let opened = self.open(stream, request).await?;
        Ok(opened.at(Some(ends)).over_tls(tls))
    }

    /// TLS with the server over `stream`.
    async fn secure(
        &mut self,
        stream: Box<dyn ByteStream>,
        journey: &Journey<'_>,
    ) -> Result<Secured, Error> {
        self.agree(stream, journey.uri().host(), &journey.check())
            .await
    }

    /// TLS with a proxy over `stream`.
    async fn secure_to_proxy(
        &mut self,
        stream: Box<dyn ByteStream>,
        proxy: &Proxy,
    ) -> Result<Box<dyn ByteStream>, Error> {
        let tls = proxy.own_tls().cloned().unwrap_or_default();
        let check = Check::of_proxy(&tls);
        let secured = self.agree(stream, proxy.host(), &check).await?;
        Ok(secured.stream)
    }

    async fn agree(
        &mut self,
        stream: Box<dyn ByteStream>,
        host: &str,
        check: &Check<'_>,
    ) -> Result<Secured, Error> {
        let securing = secure::secure(stream, host, check);
        let securing = self.budget.spend(Timeout::Tls, securing);
        self.report.record(ConnectPhase::Tls, host, securing).await
    }

    /// The opening handshake over `stream`.
    async fn open(
        &mut self,
        stream: Box<dyn ByteStream>,
        request: Request,
    ) -> Result<Opened, Error> {
        // Not the resource: a query may be a secret.
        let subject = request.uri().authority().to_owned();
        let opening = handshake::open(stream, request, &self.budget);
        let opening = self.budget.spend(Timeout::Handshake, opening);
        self.report
            .record(ConnectPhase::Handshake, subject, opening)
            .await
            .map_err(secure::told_by_tls)
    }
}

#[cfg(test)]
mod tests {
    use socket2::SockRef;
    use tokio::net::{TcpListener, TcpStream};

    use super::*;
    use crate::connect::resolve::Host;
    use crate::message::{MessageWebSocket, MessageWebSocketBuilder};
    use crate::timeout::Timeouts;

    /// The TCP connection that a builder's settings lead to, and one without any.
    async fn reached(builder: MessageWebSocketBuilder) -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let uri = format!("ws://{address}/").parse().unwrap();
        let (stream, _) = tcp::reach(&Host::of(&uri), &mut Attempt::new(&builder.options))
            .await
            .unwrap();
        (stream, TcpStream::connect(address).await.unwrap())
    }

    #[tokio::test]
    async fn by_default_nagles_algorithm_is_off_and_the_buffer_the_systems() {
        let (stream, plain) = reached(MessageWebSocket::builder()).await;
        let (stream, plain) = (SockRef::from(&stream), SockRef::from(&plain));
        assert!(stream.tcp_nodelay().unwrap() && !plain.tcp_nodelay().unwrap());
        assert_eq!(
            stream.send_buffer_size().unwrap(),
            plain.send_buffer_size().unwrap()
        );
    }

    #[tokio::test]
    async fn the_system_is_told_what_the_builder_was_told() {
        let builder = MessageWebSocket::builder()
            .nagle()
            .outbound_buffer_size(20_000);
        let (stream, _) = reached(builder).await;
        let stream = SockRef::from(&stream);
        assert!(!stream.tcp_nodelay().unwrap());
        let size = stream.send_buffer_size().unwrap();
        assert!((20_000..=40_000).contains(&size), "{size}");
    }

    #[tokio::test]
    async fn sizes_beyond_all_measure_are_brought_within_the_systems_limits() {
        let mut sizes = Vec::new();
        for size in [0, 20_000, usize::MAX] {
            let (stream, _) = reached(MessageWebSocket::builder().outbound_buffer_size(size)).await;
            sizes.push(SockRef::from(&stream).send_buffer_size().unwrap());
        }
        assert!(sizes[0] < sizes[1] && sizes[1] < sizes[2], "{sizes:?}");
    }

    #[cfg(any(target_os = "linux", target_os = "android"))]
    #[tokio::test]
    async fn the_send_timeout_is_the_systems_too() {
        use std::time::Duration;

        let most = Duration::from_millis(i32::MAX as u64);
        for (send, told) in [
            (Timeouts::default().send, Some(Duration::from_secs(30))),
            (None, None),
            (Some(Duration::ZERO), Some(Duration::from_millis(1))),
            (Some(Duration::MAX), Some(most)),
        ] {
            let timeouts = Timeouts {
                send,
                ..Timeouts::default()
            };
            let (stream, _) = reached(MessageWebSocket::builder().timeouts(timeouts)).await;
            let found = SockRef::from(&stream).tcp_user_timeout().unwrap();
            assert_eq!(found.filter(|limit| !limit.is_zero()), told, "{send:?}");
        }
    }

    #[tokio::test]
    async fn no_more_addresses_are_tried_than_allowed() {
        let gone = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let there = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut addresses = vec![gone.local_addr().unwrap(); 4];
        addresses.push(there.local_addr().unwrap());
        drop(gone);
        for (builder, is_reached) in [
            (MessageWebSocket::builder(), true),
            (MessageWebSocket::builder().max_addresses(4), false),
            (MessageWebSocket::builder().max_addresses(5), true),
            (MessageWebSocket::builder().max_addresses(usize::MAX), true),
        ] {
            let mut attempt = Attempt::new(&builder.options);
            let reached = tcp::connect_to_any(&addresses, &mut attempt).await;
            assert_eq!(reached.is_ok(), is_reached, "{builder:?}");
        }
        addresses.insert(0, addresses[0]);
        let options = ConnectOptions::default();
        let sixth = tcp::connect_to_any(&addresses, &mut Attempt::new(&options)).await;
        assert!(sixth.is_err(), "five by default");
    }
}
