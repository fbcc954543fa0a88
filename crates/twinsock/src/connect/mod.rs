//! A client's way to an open connection, a file per step.

mod budget;
mod handshake;
mod options;
mod resolve;
mod tcp;

use tokio::net::TcpStream;
use twinsock_proto::handshake::client::Request;
use twinsock_proto::uri::{Scheme, WebSocketUri};

pub(crate) use crate::connect::options::{ConnectOptions, shared_settings};

use crate::connect::budget::Budget;
use crate::driver::ByteStream;
use crate::error::Error;
use crate::opening::{Addresses, Opened};
use crate::timeout::{Timeout, Timeouts};

/// Connects: the name, then its addresses one after the other, then the handshake.
async fn connect(request: Request, options: &ConnectOptions) -> Result<Opened, Error> {
    if request.uri().scheme() == Scheme::Wss {
        return Err(Error::invalid_argument(format!(
            "expected a ws:// address, got {}: for TLS pass a stream to connect_over",
            request.uri()
        )));
    }
    let budget = Budget::new(&options.timeouts);
    let (stream, ends) = reach(request.uri(), options, &budget).await?;
    let stream = Box::new(stream);
    let opened = budget
        .spend(
            Timeout::Handshake,
            handshake::open(stream, request, &budget),
        )
        .await?;
    Ok(opened.at(Some(ends)))
}

/// A TCP connection to the host.
async fn reach(
    uri: &WebSocketUri,
    options: &ConnectOptions,
    budget: &Budget,
) -> Result<(TcpStream, Addresses), Error> {
    let addresses = budget
        .spend(Timeout::Resolve, resolve::addresses(uri))
        .await?;
    tcp::connect_to_any(&addresses, options, budget).await
}

/// Does the opening handshake over `stream`.
async fn connect_over(
    stream: Box<dyn ByteStream>,
    request: Request,
    timeouts: &Timeouts,
) -> Result<Opened, Error> {
    let budget = Budget::new(timeouts);
    budget
        .spend(
            Timeout::Handshake,
            handshake::open(stream, request, &budget),
        )
        .await
}

#[cfg(test)]
mod tests {
    use socket2::SockRef;
    use tokio::net::TcpListener;

    use super::*;
    use crate::message::{MessageWebSocket, MessageWebSocketBuilder};

    /// The TCP connection that a builder's settings lead to, and one without any.
    async fn reached(builder: MessageWebSocketBuilder) -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let uri = format!("ws://{address}/").parse().unwrap();
        let options = builder.options;
        let budget = Budget::new(&options.timeouts);
        let (stream, _) = reach(&uri, &options, &budget).await.unwrap();
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
            let budget = Budget::new(&builder.options.timeouts);
            let reached = tcp::connect_to_any(&addresses, &builder.options, &budget).await;
            assert_eq!(reached.is_ok(), is_reached, "{builder:?}");
        }
        addresses.insert(0, addresses[0]);
        let options = ConnectOptions::default();
        let budget = Budget::new(&options.timeouts);
        let sixth = tcp::connect_to_any(&addresses, &options, &budget).await;
        assert!(sixth.is_err(), "five by default");
    }
}
