//! Client or server.

/// Which end of the connection this endpoint is (RFC 6455 §1.2).
///
/// The role decides which direction is masked (§5.1) and which end closes the TCP connection
/// first (§7.1.1); all else is the same on both ends.
///
/// ```
/// use twinsock_proto::Role;
///
/// assert_eq!(Role::Client.peer(), Role::Server);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// The endpoint that opened the connection; it masks every frame that it sends.
    Client,
    /// The endpoint that accepted the connection; it never masks.
    Server,
}

impl Role {
    /// The role of the other end.
    #[must_use]
    pub fn peer(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}
