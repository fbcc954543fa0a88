use std::fmt;

/// Why a SOCKS 5 proxy refused, as far as it says (RFC 1928 §6).
///
/// ```
/// use twinsock_proto::proxy::socks5::Refusal;
///
/// assert_eq!(Refusal::from_code(5), Some(Refusal::ConnectionRefused));
/// assert_eq!(Refusal::from_code(0), None);
/// assert_eq!(Refusal::ConnectionRefused.to_string(), "connection refused");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Refusal {
    /// 1: the proxy failed.
    GeneralFailure,
    /// 2: its rules do not allow the connection.
    NotAllowed,
    /// 3: the network cannot be reached.
    NetworkUnreachable,
    /// 4: the host cannot be reached; many proxies also mean a name that is not found.
    HostUnreachable,
    /// 5: nobody listens there.
    ConnectionRefused,
    /// 6: the packets' time to live ran out.
    TtlExpired,
    /// 7: the proxy does not know CONNECT.
    CommandNotSupported,
    /// 8: the proxy does not know this type of address.
    AddressTypeNotSupported,
    /// Another code.
    Unknown(u8),
}

impl Refusal {
    /// What a reply's code means; `None` for 0, which is success.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            0 => return None,
            1 => Self::GeneralFailure,
            2 => Self::NotAllowed,
            3 => Self::NetworkUnreachable,
            4 => Self::HostUnreachable,
            5 => Self::ConnectionRefused,
            6 => Self::TtlExpired,
            7 => Self::CommandNotSupported,
            8 => Self::AddressTypeNotSupported,
            _ => Self::Unknown(code),
        })
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::GeneralFailure => "general failure",
            Self::NotAllowed => "connection not allowed by the proxy's rules",
            Self::NetworkUnreachable => "network unreachable",
            Self::HostUnreachable => "host unreachable",
            Self::ConnectionRefused => "connection refused",
            Self::TtlExpired => "TTL expired",
            Self::CommandNotSupported => "command not supported",
            Self::AddressTypeNotSupported => "address type not supported",
            Self::Unknown(code) => return write!(f, "unknown code {code}"),
        })
    }
}
