//! What the system is asked for on a TCP connection.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::time::Duration;

use socket2::SockRef;
use tokio::net::TcpSocket;

/// The settings of a TCP socket.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct TcpOptions {
    pub(crate) nagle: Nagle,
    /// In bytes; `None` leaves it to the system.
    pub(crate) outbound_buffer_size: Option<usize>,
    /// This end's address; `None` leaves it to the system.
    pub(crate) local_address: Option<LocalAddress>,
}

/// The address that a client connects from, see
/// [`local_address`](crate::MessageWebSocketBuilder::local_address).
///
/// ```
/// use std::net::{IpAddr, Ipv4Addr, SocketAddr};
///
/// use twinsock::{LocalAddress, MessageWebSocket};
///
/// let any_port: IpAddr = Ipv4Addr::LOCALHOST.into();
/// let builder = MessageWebSocket::builder().local_address(any_port);
/// assert_eq!(
///     LocalAddress::from(any_port),
///     LocalAddress::from(SocketAddr::new(any_port, 0))
/// );
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LocalAddress(SocketAddr);

impl LocalAddress {
    /// Has `socket` connect from here.
    pub(crate) fn bind(self, socket: &TcpSocket) -> io::Result<()> {
        // Several addresses may be tried from the same port, and the same server again soon. On
        // Windows the option would let others take the port away.
        if cfg!(unix) && self.0.port() != 0 {
            socket.set_reuseaddr(true)?;
        }
        socket.bind(self.0)
    }
}

/// Nagle's algorithm holds small segments back until the peer has confirmed what went before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Nagle {
    /// The socket gathers messages by itself; the algorithm would only delay the last one.
    #[default]
    Off,
    On,
}

impl TcpOptions {
    /// Sets what must stand before a socket connects: once the connection stands, the system
    /// begins to tune the buffer by itself.
    pub(crate) fn prepare(&self, socket: &SockRef<'_>) -> io::Result<()> {
        let Some(size) = self.outbound_buffer_size else {
            return Ok(());
        };
        socket.set_send_buffer_size(size.clamp(1, LARGEST))
    }

    /// Sets the rest, once the connection stands.
    ///
    /// The limit on unconfirmed data must wait for it: Linux would apply it to connecting too.
    pub(crate) fn apply(
        &self,
        socket: &SockRef<'_>,
        send_timeout: Option<Duration>,
    ) -> io::Result<()> {
        socket.set_tcp_nodelay(self.nagle == Nagle::Off)?;
        limit_unconfirmed(socket, send_timeout);
        Ok(())
    }
}

/// Without it Linux goes on for a quarter of an hour to send to a peer that has vanished.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn limit_unconfirmed(socket: &SockRef<'_>, send_timeout: Option<Duration>) {
    let Some(limit) = send_timeout else {
        return;
    };
    // Zero would mean the system's own limit, and the system takes no more than a C `int`.
    let limit = limit.clamp(
        Duration::from_millis(1),
        Duration::from_millis(i32::MAX as u64),
    );
    // A system that only looks like Linux may not know it; the connection is as good without.
    let _ = socket.set_tcp_user_timeout(Some(limit));
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn limit_unconfirmed(_: &SockRef<'_>, _: Option<Duration>) {}

/// Systems take a buffer's size as a C `int`.
const LARGEST: usize = i32::MAX as usize;

impl From<LocalAddress> for SocketAddr {
    fn from(address: LocalAddress) -> Self {
        address.0
    }
}

impl From<SocketAddr> for LocalAddress {
    fn from(address: SocketAddr) -> Self {
        Self(address)
    }
}

impl From<SocketAddrV4> for LocalAddress {
    fn from(address: SocketAddrV4) -> Self {
        Self(address.into())
    }
}

impl From<SocketAddrV6> for LocalAddress {
    fn from(address: SocketAddrV6) -> Self {
        Self(address.into())
    }
}

impl From<IpAddr> for LocalAddress {
    fn from(address: IpAddr) -> Self {
        Self(SocketAddr::new(address, 0))
    }
}

impl From<Ipv4Addr> for LocalAddress {
    fn from(address: Ipv4Addr) -> Self {
        IpAddr::from(address).into()
    }
}

impl From<Ipv6Addr> for LocalAddress {
    fn from(address: Ipv6Addr) -> Self {
        IpAddr::from(address).into()
    }
}
