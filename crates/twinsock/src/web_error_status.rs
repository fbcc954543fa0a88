//! The error numbers of the Universal Windows Platform.

use std::fmt;

use twinsock_proto::Closed;

use crate::error::Error;

/// What went wrong, as `Windows.Web.WebErrorStatus` numbers it.
///
/// [`Error::status`](crate::Error::status) gives it for every error, and
/// [`from_hresult`](Self::from_hresult) for the HRESULTs of that platform
/// (`WebSocketError.GetStatus` in UWP).
///
/// ```
/// use twinsock::WebErrorStatus;
///
/// let hresult = WebErrorStatus::NotFound.hresult();
/// assert_eq!(format!("{hresult:#x}"), "0x80190194");
/// assert_eq!(WebErrorStatus::from_hresult(hresult), WebErrorStatus::NotFound);
/// assert_eq!(WebErrorStatus::NotFound.number(), 404);
/// assert_eq!(WebErrorStatus::Timeout.to_string(), "7 (Timeout)");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[repr(i32)]
pub enum WebErrorStatus {
    /// The cause is not known.
    Unknown = 0,
    /// The certificate names another host.
    CertificateCommonNameIsIncorrect = 1,
    /// The certificate is out of its dates.
    CertificateExpired = 2,
    /// The certificate has other or several errors.
    CertificateContainsErrors = 3,
    /// The certificate was revoked.
    CertificateRevoked = 4,
    /// The certificate is invalid.
    CertificateIsInvalid = 5,
    /// The server does not answer.
    ServerUnreachable = 6,
    /// Something was not done in time.
    Timeout = 7,
    /// The server's answer was invalid.
    ErrorHttpInvalidServerResponse = 8,
    /// The connection was aborted.
    ConnectionAborted = 9,
    /// The connection was reset.
    ConnectionReset = 10,
    /// The connection has ended.
    Disconnected = 11,
    /// A redirect led from plain to secure.
    HttpToHttpsOnRedirection = 12,
    /// A redirect led from secure to plain.
    HttpsToHttpOnRedirection = 13,
    /// No connection could be made.
    CannotConnect = 14,
    /// The name has no address.
    HostNameNotResolved = 15,
    /// The operation was cancelled, or the socket closed meanwhile.
    OperationCanceled = 16,
    /// A redirect failed.
    RedirectFailed = 17,
    /// The server answered with an unexpected status.
    UnexpectedStatusCode = 18,
    /// The server answered with an unexpected redirect.
    UnexpectedRedirection = 19,
    /// The server answered with an unexpected 4xx status.
    UnexpectedClientError = 20,
    /// The server answered with an unexpected 5xx status.
    UnexpectedServerError = 21,
    /// The server has no support for ranges.
    InsufficientRangeSupport = 22,
    /// The server told no length.
    MissingContentLengthSupport = 23,
    /// The server answered with HTTP status 300.
    MultipleChoices = 300,
    /// The server answered with HTTP status 301.
    MovedPermanently = 301,
    /// The server answered with HTTP status 302.
    Found = 302,
    /// The server answered with HTTP status 303.
    SeeOther = 303,
    /// The server answered with HTTP status 304.
    NotModified = 304,
    /// The server answered with HTTP status 305.
    UseProxy = 305,
    /// The server answered with HTTP status 307.
    TemporaryRedirect = 307,
    /// The server answered with HTTP status 400.
    BadRequest = 400,
    /// The server answered with HTTP status 401.
    Unauthorized = 401,
    /// The server answered with HTTP status 402.
    PaymentRequired = 402,
    /// The server answered with HTTP status 403.
    Forbidden = 403,
    /// The server answered with HTTP status 404.
    NotFound = 404,
    /// The server answered with HTTP status 405.
    MethodNotAllowed = 405,
    /// The server answered with HTTP status 406.
    NotAcceptable = 406,
    /// The server answered with HTTP status 407.
    ProxyAuthenticationRequired = 407,
    /// The server answered with HTTP status 408.
    RequestTimeout = 408,
    /// The server answered with HTTP status 409.
    Conflict = 409,
    /// The server answered with HTTP status 410.
    Gone = 410,
    /// The server answered with HTTP status 411.
    LengthRequired = 411,
    /// The server answered with HTTP status 412.
    PreconditionFailed = 412,
    /// The server answered with HTTP status 413.
    RequestEntityTooLarge = 413,
    /// The server answered with HTTP status 414.
    RequestUriTooLong = 414,
    /// The server answered with HTTP status 415.
    UnsupportedMediaType = 415,
    /// The server answered with HTTP status 416.
    RequestedRangeNotSatisfiable = 416,
    /// The server answered with HTTP status 417.
    ExpectationFailed = 417,
    /// The server answered with HTTP status 500.
    InternalServerError = 500,
    /// The server answered with HTTP status 501.
    NotImplemented = 501,
    /// The server answered with HTTP status 502.
    BadGateway = 502,
    /// The server answered with HTTP status 503.
    ServiceUnavailable = 503,
    /// The server answered with HTTP status 504.
    GatewayTimeout = 504,
    /// The server answered with HTTP status 505.
    HttpVersionNotSupported = 505,
}

impl WebErrorStatus {
    /// Every status.
    const ALL: [Self; 55] = [
        Self::Unknown,
        Self::CertificateCommonNameIsIncorrect,
        Self::CertificateExpired,
        Self::CertificateContainsErrors,
        Self::CertificateRevoked,
        Self::CertificateIsInvalid,
        Self::ServerUnreachable,
        Self::Timeout,
        Self::ErrorHttpInvalidServerResponse,
        Self::ConnectionAborted,
        Self::ConnectionReset,
        Self::Disconnected,
        Self::HttpToHttpsOnRedirection,
        Self::HttpsToHttpOnRedirection,
        Self::CannotConnect,
        Self::HostNameNotResolved,
        Self::OperationCanceled,
        Self::RedirectFailed,
        Self::UnexpectedStatusCode,
        Self::UnexpectedRedirection,
        Self::UnexpectedClientError,
        Self::UnexpectedServerError,
        Self::InsufficientRangeSupport,
        Self::MissingContentLengthSupport,
        Self::MultipleChoices,
        Self::MovedPermanently,
        Self::Found,
        Self::SeeOther,
        Self::NotModified,
        Self::UseProxy,
        Self::TemporaryRedirect,
        Self::BadRequest,
        Self::Unauthorized,
        Self::PaymentRequired,
        Self::Forbidden,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::NotAcceptable,
        Self::ProxyAuthenticationRequired,
        Self::RequestTimeout,
        Self::Conflict,
        Self::Gone,
        Self::LengthRequired,
        Self::PreconditionFailed,
        Self::RequestEntityTooLarge,
        Self::RequestUriTooLong,
        Self::UnsupportedMediaType,
        Self::RequestedRangeNotSatisfiable,
        Self::ExpectationFailed,
        Self::InternalServerError,
        Self::NotImplemented,
        Self::BadGateway,
        Self::ServiceUnavailable,
        Self::GatewayTimeout,
        Self::HttpVersionNotSupported,
    ];

    /// The number that the platform gives it.
    #[must_use]
    pub fn number(self) -> i32 {
        self as i32
    }

    /// The status for an HTTP status that refused the opening handshake.
    #[must_use]
    pub fn from_http(status: u16) -> Self {
        let listed = Self::ALL
            .into_iter()
            .find(|listed| listed.number() == i32::from(status));
        match (listed, status) {
            (Some(listed), 300..) => listed,
            (_, 300..=399) => Self::UnexpectedRedirection,
            (_, 400..=499) => Self::UnexpectedClientError,
            (_, 500..=599) => Self::UnexpectedServerError,
            _ => Self::UnexpectedStatusCode,
        }
    }

    /// The status for the end of a connection: the one that [`Error::status`] tells those who
    /// call; `None` when it did not fail, whatever code the peer closed with.
    ///
    /// ```
    /// # fn handler(closed: twinsock::Closed) {
    /// use twinsock::WebErrorStatus;
    ///
    /// match WebErrorStatus::of_closed(&closed) {
    ///     None => println!("closed: {}", closed.code()),
    ///     Some(status) => println!("failed: {status}"),
    /// }
    /// # }
    /// ```
    ///
    /// [`Error::status`]: crate::Error::status
    #[must_use]
    pub fn of_closed(closed: &Closed) -> Option<Self> {
        let failure = closed.failure()?;
        Some(Error::failed(*failure, None).status())
    }

    /// The status for one of the platform's HRESULTs; `Unknown` for those that it does not list.
    #[must_use]
    pub fn from_hresult(hresult: i32) -> Self {
        if let Some((_, status)) = HRESULTS.iter().find(|(number, _)| *number == hresult) {
            return *status;
        }
        let http = hresult.wrapping_sub(HTTP_HRESULT);
        let listed = Self::ALL.into_iter().find(|status| status.number() == http);
        listed.filter(|_| http >= 300).unwrap_or(Self::Unknown)
    }

    /// The HRESULT that stands for this status; 0x80004005 (`E_FAIL`) for `Unknown` and the two
    /// statuses about downloads.
    #[must_use]
    pub fn hresult(self) -> i32 {
        if self.number() >= 300 {
            return HTTP_HRESULT + self.number();
        }
        let listed = HRESULTS.iter().find(|(_, status)| *status == self);
        listed.map_or(E_FAIL, |(number, _)| *number)
    }
}

impl fmt::Display for WebErrorStatus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} ({self:?})", self.number())
    }
}

/// The number with these 32 bits.
pub(crate) const fn hresult(bits: u32) -> i32 {
    i32::from_ne_bytes(bits.to_ne_bytes())
}

/// An HTTP status is added to this.
const HTTP_HRESULT: i32 = hresult(0x8019_0000);

/// `E_FAIL`.
const E_FAIL: i32 = hresult(0x8000_4005);

/// The HRESULTs that do not come from an HTTP status; the first of a status stands for it.
const HRESULTS: &[(i32, WebErrorStatus)] = &[
    (
        hresult(0x8007_2F06),
        WebErrorStatus::CertificateCommonNameIsIncorrect,
    ),
    (hresult(0x8007_2F05), WebErrorStatus::CertificateExpired),
    (
        hresult(0x8007_2F17),
        WebErrorStatus::CertificateContainsErrors,
    ),
    (hresult(0x8007_2F8A), WebErrorStatus::CertificateRevoked),
    (hresult(0x8007_2F89), WebErrorStatus::CertificateIsInvalid),
    (hresult(0x8007_2F0D), WebErrorStatus::CertificateIsInvalid),
    (hresult(0x8007_2F84), WebErrorStatus::ServerUnreachable),
    (hresult(0x8007_2EE2), WebErrorStatus::Timeout),
    (
        hresult(0x8007_2F78),
        WebErrorStatus::ErrorHttpInvalidServerResponse,
    ),
    (hresult(0x8007_2EFE), WebErrorStatus::ConnectionAborted),
    (hresult(0x8007_2EFF), WebErrorStatus::ConnectionReset),
    (hresult(0x8007_2F83), WebErrorStatus::Disconnected),
    (
        hresult(0x8007_2F07),
        WebErrorStatus::HttpToHttpsOnRedirection,
    ),
    (
        hresult(0x8007_2F08),
        WebErrorStatus::HttpsToHttpOnRedirection,
    ),
    (hresult(0x8007_2EFD), WebErrorStatus::CannotConnect),
    (hresult(0x8007_2EE7), WebErrorStatus::HostNameNotResolved),
    (hresult(0x8007_2EF1), WebErrorStatus::OperationCanceled),
    (hresult(0x8007_04C7), WebErrorStatus::OperationCanceled),
    (hresult(0x8000_4004), WebErrorStatus::OperationCanceled),
    (hresult(0x8007_2F7C), WebErrorStatus::RedirectFailed),
    (hresult(0x8019_0001), WebErrorStatus::UnexpectedStatusCode),
    (hresult(0x8019_0003), WebErrorStatus::UnexpectedRedirection),
    (hresult(0x8019_0004), WebErrorStatus::UnexpectedClientError),
    (hresult(0x8019_0005), WebErrorStatus::UnexpectedServerError),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_is_found_by_its_hresult() {
        let without = [
            WebErrorStatus::Unknown,
            WebErrorStatus::InsufficientRangeSupport,
            WebErrorStatus::MissingContentLengthSupport,
        ];
        for status in WebErrorStatus::ALL {
            let expected = if without.contains(&status) {
                WebErrorStatus::Unknown
            } else {
                status
            };
            assert_eq!(WebErrorStatus::from_hresult(status.hresult()), expected);
        }
    }

    #[test]
    fn http_statuses_that_are_not_listed_fall_into_their_class() {
        for (http, status) in [
            (308, WebErrorStatus::UnexpectedRedirection),
            (426, WebErrorStatus::UnexpectedClientError),
            (511, WebErrorStatus::UnexpectedServerError),
            (200, WebErrorStatus::UnexpectedStatusCode),
            (15, WebErrorStatus::UnexpectedStatusCode),
            (407, WebErrorStatus::ProxyAuthenticationRequired),
        ] {
            assert_eq!(WebErrorStatus::from_http(http), status, "{http}");
        }
    }

    #[test]
    fn arbitrary_numbers_are_unknown() {
        for number in [0, 1, -1, 404, i32::MIN, i32::MAX, HTTP_HRESULT] {
            assert_eq!(
                WebErrorStatus::from_hresult(number),
                WebErrorStatus::Unknown
            );
        }
    }
}
