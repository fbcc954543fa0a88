//! Why no address of a host could be connected to.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use crate::error::{Detail, Error, ErrorKind, Inner};
use crate::timeout::Timeout;

/// An address that no connection was made to, see [`Error::failed_addresses`].
///
/// ```
/// # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
/// # runtime.block_on(async {
/// use twinsock::{AddressFailure, MessageWebSocket};
///
/// // Port 1 of this host: nobody listens there.
/// let error = MessageWebSocket::connect("ws://127.0.0.1:1/").await.unwrap_err();
/// let failed = &error.failed_addresses()[0];
/// assert_eq!(failed.address().port(), 1);
/// assert!(matches!(failed.reason(), AddressFailure::Network(_)));
/// # });
/// ```
#[derive(Clone, Debug)]
pub struct FailedAddress {
    address: SocketAddr,
    reason: AddressFailure,
}

/// Why an address was not connected to; see [`FailedAddress`] for an example.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum AddressFailure {
    /// It was not tried: the local address is of the other family.
    OtherFamily,
    /// The system gave no socket for it: too many are open, or it does not know the family.
    NoSocket(Arc<io::Error>),
    /// The system did not take the local address: it is no address of this host, or its port is
    /// in use.
    CannotBind(Arc<io::Error>),
    /// Nothing answered within [`Timeouts::connect`](crate::Timeouts::connect) or
    /// [`Timeouts::overall`](crate::Timeouts::overall).
    TimedOut,
    /// The network said no: nobody listens there, no way leads there.
    Network(Arc<io::Error>),
}

/// How far connecting to an address came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reach {
    OtherFamily,
    NoSocket,
    NotBound,
    NoWay,
    NoAnswer,
    Refused,
}

impl FailedAddress {
    pub(crate) fn new(address: SocketAddr, reason: AddressFailure) -> Self {
        Self { address, reason }
    }

    /// The address.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Why no connection was made to it.
    #[must_use]
    pub fn reason(&self) -> &AddressFailure {
        &self.reason
    }
}

impl AddressFailure {
    fn reach(&self) -> Reach {
        match self {
            Self::OtherFamily => Reach::OtherFamily,
            Self::NoSocket(_) => Reach::NoSocket,
            Self::CannotBind(_) => Reach::NotBound,
            Self::TimedOut => Reach::NoAnswer,
            Self::Network(error) => match error.kind() {
                io::ErrorKind::HostUnreachable
                | io::ErrorKind::NetworkUnreachable
                | io::ErrorKind::NetworkDown => Reach::NoWay,
                io::ErrorKind::TimedOut => Reach::NoAnswer,
                _ => Reach::Refused,
            },
        }
    }

    /// What lies beneath an error that has this one reason.
    fn cause(&self) -> Option<Box<dyn std::error::Error + Send + Sync>> {
        match self {
            Self::TimedOut => None,
            Self::Network(error) => Some(Box::new(Arc::clone(error))),
            other => Some(Box::new(other.clone())),
        }
    }
}

impl Error {
    /// Each address that was tried without success, and why it failed, in the order of failing;
    /// nothing for errors of another origin.
    #[must_use]
    pub fn failed_addresses(&self) -> &[FailedAddress] {
        match &self.0.detail {
            Detail::Addresses(failed) => failed,
            _ => &[],
        }
    }

    /// No address of a host could be connected to. The one that was come nearest to says what
    /// sort of error it is: one that refuses tells more than one that does not answer, and that
    /// more than one without a way to it.
    pub(crate) fn not_connected(failed: Vec<FailedAddress>) -> Self {
        let kind = match furthest(&failed) {
            Some(Reach::NoSocket) => ErrorKind::System,
            Some(Reach::NoAnswer) => ErrorKind::Timeout(Timeout::Connect),
            _ => ErrorKind::CannotConnect,
        };
        Self::of_addresses(kind, failed)
    }

    /// The time for all of connecting was over before an address could be connected to.
    pub(crate) fn not_connected_in_time(failed: Vec<FailedAddress>) -> Self {
        Self::of_addresses(ErrorKind::Timeout(Timeout::Connect), failed)
    }

    /// One of several attempts, for the report: its address stands there already.
    pub(crate) fn attempt_failed(reason: &AddressFailure) -> Self {
        Self::new(ErrorKind::CannotConnect, reason.to_string())
    }

    /// An attempt that lost the race, for the report.
    pub(crate) fn given_up_for(winner: SocketAddr) -> Self {
        Self::new(ErrorKind::Aborted, format!("given up: {winner} was faster"))
    }

    fn of_addresses(kind: ErrorKind, failed: Vec<FailedAddress>) -> Self {
        let (context, source) = match (failed.as_slice(), kind) {
            ([] | [_], ErrorKind::Timeout(timeout)) => (timeout.to_string(), None),
            ([one], _) => (
                format!("no connection to {}", one.address),
                one.reason.cause(),
            ),
            (several, _) => (list(several), None),
        };
        Self(Arc::new(Inner {
            kind,
            context,
            source,
            detail: Detail::Addresses(failed),
            report: None,
        }))
    }

    /// Whether the network knew no way to the peer.
    pub(crate) fn is_unreachable(&self) -> bool {
        matches!(
            furthest(self.failed_addresses()),
            Some(Reach::OtherFamily | Reach::NoWay)
        )
    }
}

fn furthest(failed: &[FailedAddress]) -> Option<Reach> {
    failed.iter().map(|failed| failed.reason.reach()).max()
}

fn list(failed: &[FailedAddress]) -> String {
    let each: Vec<String> = failed.iter().map(ToString::to_string).collect();
    format!(
        "no connection to any of {} addresses: {}",
        each.len(),
        each.join("; ")
    )
}

/// Such as `127.0.0.1:80: Connection refused (os error 111)`.
impl fmt::Display for FailedAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.address, self.reason)
    }
}

impl fmt::Display for AddressFailure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherFamily => formatter.write_str("the local address is of the other family"),
            Self::NoSocket(error) => write!(formatter, "the system gave no socket: {error}"),
            Self::CannotBind(error) => {
                write!(formatter, "the local address cannot be used: {error}")
            }
            Self::TimedOut => formatter.write_str("no answer in time"),
            Self::Network(error) => write!(formatter, "{error}"),
        }
    }
}

impl std::error::Error for AddressFailure {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web_error_status::WebErrorStatus;

    fn network(kind: io::ErrorKind) -> AddressFailure {
        AddressFailure::Network(Arc::new(kind.into()))
    }

    fn no_socket() -> AddressFailure {
        AddressFailure::NoSocket(Arc::new(io::Error::other("too many")))
    }

    fn cannot_bind() -> AddressFailure {
        AddressFailure::CannotBind(Arc::new(io::ErrorKind::AddrNotAvailable.into()))
    }

    /// The error of hosts with these failures, in this order.
    fn error(reasons: &[AddressFailure]) -> Error {
        let failed = reasons.iter().zip(1..).map(|(reason, port)| {
            FailedAddress::new(SocketAddr::from(([127, 0, 0, 1], port)), reason.clone())
        });
        Error::not_connected(failed.collect())
    }

    #[test]
    fn the_address_that_was_come_nearest_to_says_what_sort_of_error_it_is() {
        let order = [
            (
                AddressFailure::OtherFamily,
                WebErrorStatus::ServerUnreachable,
            ),
            (no_socket(), WebErrorStatus::Unknown),
            (cannot_bind(), WebErrorStatus::CannotConnect),
            (
                network(io::ErrorKind::HostUnreachable),
                WebErrorStatus::ServerUnreachable,
            ),
            (AddressFailure::TimedOut, WebErrorStatus::Timeout),
            (
                network(io::ErrorKind::ConnectionRefused),
                WebErrorStatus::CannotConnect,
            ),
        ];
        for (position, (nearest, status)) in order.iter().enumerate() {
            for (other, _) in &order[..=position] {
                let one_way = error(&[nearest.clone(), other.clone()]);
                let other_way = error(&[other.clone(), nearest.clone()]);
                assert_eq!(one_way.status(), *status, "{nearest}, {other}");
                assert_eq!(other_way.status(), *status, "{other}, {nearest}");
            }
        }
    }

    #[test]
    fn the_systems_own_timeout_is_one_too() {
        let error = error(&[network(io::ErrorKind::TimedOut), AddressFailure::TimedOut]);
        assert_eq!(error.kind(), ErrorKind::Timeout(Timeout::Connect));
    }

    #[test]
    fn a_system_without_sockets_is_not_the_peers_fault() {
        assert_eq!(error(&[no_socket(), no_socket()]).kind(), ErrorKind::System);
    }

    #[test]
    fn one_address_speaks_for_itself_and_several_are_listed() {
        use std::error::Error as _;

        let refused = || network(io::ErrorKind::ConnectionRefused);
        let one = error(&[refused()]);
        assert_eq!(one.to_string(), "no connection to 127.0.0.1:1");
        let cause = one.source().expect("a cause").downcast_ref::<io::Error>();
        assert_eq!(
            cause.expect("the system's").kind(),
            io::ErrorKind::ConnectionRefused
        );
        let timed_out = error(&[AddressFailure::TimedOut]);
        assert_eq!(timed_out.to_string(), "no connection in time");
        let two = error(&[refused(), AddressFailure::TimedOut]);
        assert_eq!(
            two.to_string(),
            "no connection to any of 2 addresses: 127.0.0.1:1: connection refused; \
             127.0.0.1:2: no answer in time"
        );
        assert_eq!(two.failed_addresses().len(), 2);
    }

    #[test]
    fn the_end_of_all_time_is_a_timeout_whatever_else_was_said() {
        let refused = network(io::ErrorKind::ConnectionRefused);
        let failed = FailedAddress::new(SocketAddr::from(([127, 0, 0, 1], 1)), refused);
        let error = Error::not_connected_in_time(vec![failed]);
        assert_eq!(error.status(), WebErrorStatus::Timeout);
    }
}
