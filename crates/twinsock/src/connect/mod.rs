//! A client's way to an open connection, a file per step.
//!
//! ```text
//!  resolve ──▶ tcp ──▶ secure (wss) ──▶ handshake
//! ```

mod budget;
mod handshake;
mod options;
mod order;
mod race;
mod report;
mod resolve;
mod schedule;
mod secure;
mod tcp;

use tokio::net::TcpStream;
use twinsock_proto::handshake::client::Request;
use twinsock_proto::uri::{Scheme, WebSocketUri};

pub use crate::connect::report::{ConnectPhase, ConnectReport, ConnectStep};
pub use crate::connect::resolve::{Resolve, Resolving};

pub(crate) use crate::connect::options::{ConnectOptions, shared_settings};
pub(crate) use crate::connect::resolve::Resolver;

use crate::connect::budget::Budget;
use crate::connect::resolve::Destination;
use crate::connect::secure::{Check, Secured};
use crate::driver::ByteStream;
use crate::error::Error;
use crate::opening::{Addresses, Opened};
use crate::timeout::Timeout;

/// One attempt to connect: its settings, its time, and what came of its steps.
pub(crate) struct Attempt<'a> {
    options: &'a ConnectOptions,
    budget: Budget,
    report: ConnectReport,
}

/// Connects: the name, its addresses, the handshake. The report is kept, whatever comes of it.
async fn connect(request: Request, options: &ConnectOptions) -> Result<Opened, Error> {
    let mut attempt = Attempt::new(options);
    match attempt.connect(request).await {
        Ok(opened) => Ok(opened.reported(attempt.report)),
        Err(error) => Err(error.reported(attempt.report)),
    }
}

/// Does the opening handshake over `stream`.
async fn connect_over(
    stream: Box<dyn ByteStream>,
    request: Request,
    options: &ConnectOptions,
) -> Result<Opened, Error> {
    Attempt::new(options).open(stream, request).await
}

impl<'a> Attempt<'a> {
    fn new(options: &'a ConnectOptions) -> Self {
        Self {
            options,
            budget: Budget::new(&options.timeouts),
            report: ConnectReport::new(),
        }
    }

    async fn connect(&mut self, request: Request) -> Result<Opened, Error> {
        let (stream, ends) = self.reach(request.uri()).await?;
        let stream: Box<dyn ByteStream> = Box::new(stream);
        let (stream, tls) = match request.uri().scheme() {
            Scheme::Ws => (stream, None),
            Scheme::Wss => {
                let secured = self.secure(stream, request.uri().host()).await?;
                (secured.stream, Some(secured.information))
            }
        };
        let opened = self.open(stream, request).await?;
        Ok(opened.at(Some(ends)).over_tls(tls))
    }

    /// TLS with the server over `stream`.
    async fn secure(&mut self, stream: Box<dyn ByteStream>, host: &str) -> Result<Secured, Error> {
        let check = Check {
            tls: &self.options.tls,
            ignorable: &self.options.ignorable,
            validation: self.options.validation.as_ref(),
        };
        let securing = secure::secure(stream, host, &check);
        let securing = self.budget.spend(Timeout::Tls, securing);
        self.report.record(ConnectPhase::Tls, host, securing).await
    }

    /// A TCP connection to the host.
    async fn reach(&mut self, uri: &WebSocketUri) -> Result<(TcpStream, Addresses), Error> {
        tcp::reach(&Destination::of(uri), self).await
    }

    /// The opening handshake over `stream`.
    async fn open(
        &mut self,
        stream: Box<dyn ByteStream>,
        request: Request,
    ) -> Result<Opened, Error> {
        let subject = request.uri().to_string();
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
    use tokio::net::TcpListener;

    use super::*;
    use crate::message::{MessageWebSocket, MessageWebSocketBuilder};
    use crate::timeout::Timeouts;

    /// The TCP connection that a builder's settings lead to, and one without any.
    async fn reached(builder: MessageWebSocketBuilder) -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let uri = format!("ws://{address}/").parse().unwrap();
        let (stream, _) = Attempt::new(&builder.options).reach(&uri).await.unwrap();
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
