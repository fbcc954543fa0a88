//! What the system is asked for on a TCP connection.

use std::io;
use std::time::Duration;

use socket2::SockRef;

/// The settings of a TCP socket.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct TcpOptions {
    pub(crate) nagle: Nagle,
    /// In bytes; `None` leaves it to the system.
    pub(crate) outbound_buffer_size: Option<usize>,
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
