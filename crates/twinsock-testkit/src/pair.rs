//! Two connections that face each other over a virtual network and clock.

use std::time::Duration;

use twinsock_proto::{Role, Settings};

use crate::endpoint::Endpoint;

/// A client and a server.
///
/// ```
/// use twinsock_testkit::pair::Pair;
///
/// let mut pair = Pair::new();
/// pair.client.send("hello")?;
/// pair.settle();
/// assert_eq!(pair.server.messages(), ["hello".into()]);
/// # Ok::<(), twinsock_proto::SendError>(())
/// ```
#[derive(Debug)]
pub struct Pair {
    /// The client.
    pub client: Endpoint,
    /// The server.
    pub server: Endpoint,
    /// Whether the end of the client's stream has been delivered.
    client_ended: bool,
    /// The same for the server's.
    server_ended: bool,
}

impl Default for Pair {
    fn default() -> Self {
        Self::new()
    }
}

impl Pair {
    /// Both open, with the default settings.
    #[must_use]
    pub fn new() -> Self {
        Self::with_settings(Settings::default())
    }

    /// Both open, with these settings.
    #[must_use]
    pub fn with_settings(settings: Settings) -> Self {
        Self {
            client: Endpoint::with_settings(Role::Client, settings),
            server: Endpoint::with_settings(Role::Server, settings),
            client_ended: false,
            server_ended: false,
        }
    }

    /// Carries bytes in pieces of at most `piece` and ends of streams until nothing moves.
    ///
    /// As TCP stacks do, an endpoint that is closed has ended its stream too.
    pub fn settle_in_pieces(&mut self, piece: usize) {
        loop {
            let moved = carry(&mut self.client, &mut self.server, piece)
                | carry(&mut self.server, &mut self.client, piece)
                | end(&self.client, &mut self.server, &mut self.client_ended)
                | end(&self.server, &mut self.client, &mut self.server_ended);
            if !moved {
                return;
            }
        }
    }

    /// Carries everything until nothing moves.
    pub fn settle(&mut self) {
        self.settle_in_pieces(usize::MAX);
    }

    /// Time passes for both, and what their timers cause is carried.
    pub fn wait(&mut self, duration: Duration) {
        self.client.wait(duration);
        self.server.wait(duration);
        self.settle();
    }
}

fn carry(from: &mut Endpoint, to: &mut Endpoint, piece: usize) -> bool {
    let wire = from.transmitted();
    for part in wire.chunks(piece) {
        to.receive(part);
    }
    !wire.is_empty()
}

fn end(from: &Endpoint, to: &mut Endpoint, delivered: &mut bool) -> bool {
    let ends = !*delivered && (from.has_ended() || from.connection.closed().is_some());
    if ends {
        *delivered = true;
        to.receive_end();
    }
    ends
}
