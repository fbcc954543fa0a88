//! What can go wrong, sorted by whose fault it is.

mod addresses;
mod conversions;
mod kind;
mod status;

use std::fmt;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use http::Response;
use twinsock_proto::{CloseReason, Failure, Loss};

use crate::connect::ConnectReport;
use crate::timeout::Timeout;
use crate::tls::CertificateError;

pub use crate::error::addresses::{AddressFailure, FailedAddress};
pub use crate::error::kind::{ErrorKind, RedirectFault};

/// Why something could not be done.
///
/// [`kind`](Self::kind) sorts errors by whose fault it is; [`source`](std::error::Error::source)
/// tells the cause beneath. Cloning is cheap: a socket that has failed gives the same error to
/// each later call.
///
/// ```
/// use twinsock::{ErrorKind, MessageWebSocket};
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
/// # runtime.block_on(async {
/// let error = MessageWebSocket::connect("http://127.0.0.1/").await.unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::InvalidArgument);
/// # });
/// ```
#[derive(Clone)]
pub struct Error(Arc<Inner>);

struct Inner {
    kind: ErrorKind,
    /// What failed, where the kind alone does not tell; else the source speaks.
    context: String,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
    detail: Detail,
    /// The steps of a connecting that failed.
    report: Option<Box<ConnectReport>>,
}

/// What an error of some kinds carries beside its text.
enum Detail {
    None,
    /// What a server or a proxy answered.
    Response(Response<Bytes>),
    /// What was found in the server's certificate.
    Certificate(Vec<CertificateError>),
    /// What was found and ignored in a certificate that the application has rejected.
    RefusedCertificate(Vec<CertificateError>),
    /// Why a peer ended a stream.
    CloseReason(CloseReason),
    /// How an open connection failed.
    Failure(Failure),
    /// Which addresses were not connected to.
    Addresses(Vec<FailedAddress>),
}

impl Error {
    /// Whose fault it is, and of what sort.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The error of a socket inside of an [`io::Error`], as a
    /// [`StreamWebSocket`](crate::StreamWebSocket) gives it; `None` for one of another origin.
    ///
    /// ```
    /// # async fn run(mut stream: twinsock::StreamWebSocket) {
    /// use tokio::io::AsyncReadExt;
    /// use twinsock::Error;
    ///
    /// if let Err(error) = stream.read_u8().await {
    ///     let status = Error::inside(&error).map(Error::status);
    ///     println!("{error}, status {status:?}");
    /// }
    /// # }
    /// ```
    #[must_use]
    pub fn inside(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }

    /// Whether something was not done in time.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        matches!(self.kind(), ErrorKind::Timeout(_))
    }

    /// Whether the socket was closing or closed.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.kind() == ErrorKind::Closed
    }

    /// The answer of a server that refused the opening handshake, or of a proxy that refused the
    /// connection, with the first KiB of its body.
    #[must_use]
    pub fn response(&self) -> Option<&Response<Bytes>> {
        match &self.0.detail {
            Detail::Response(response) => Some(response),
            _ => None,
        }
    }

    /// All that was found wrong with the server's certificate, when that is why no connection was
    /// made (`ServerCertificateErrors` in UWP), errors that were to be ignored included; else
    /// nothing.
    #[must_use]
    pub fn certificate_errors(&self) -> &[CertificateError] {
        match &self.0.detail {
            Detail::Certificate(errors) | Detail::RefusedCertificate(errors) => errors,
            _ => &[],
        }
    }

    /// In which steps connecting failed, and how long each took; `None` for other errors.
    #[must_use]
    pub fn connect_report(&self) -> Option<&ConnectReport> {
        self.0.report.as_deref()
    }

    /// The Close frame of a peer that ended a stream with another code than 1000 or 1001.
    #[must_use]
    pub fn close_reason(&self) -> Option<&CloseReason> {
        match &self.0.detail {
            Detail::CloseReason(reason) => Some(reason),
            _ => None,
        }
    }

    /// The same error with the steps that led to it.
    pub(crate) fn reported(self, report: ConnectReport) -> Self {
        self.with(|inner| inner.report = Some(Box::new(report)))
    }

    /// The same error, said of a part of something.
    pub(crate) fn within(self, whole: impl fmt::Display) -> Self {
        self.with(|inner| inner.context = format!("{whole}: {}", inner.context))
    }

    /// The same error, with what was behind it.
    pub(crate) fn because(self, reason: &impl fmt::Display) -> Self {
        self.with(|inner| inner.context = format!("{}: {reason}", inner.context))
    }

    fn with(mut self, change: impl FnOnce(&mut Inner)) -> Self {
        // A fresh error is nobody else's.
        if let Some(inner) = Arc::get_mut(&mut self.0) {
            change(inner);
        }
        self
    }

    fn failure(&self) -> Option<Failure> {
        match self.0.detail {
            Detail::Failure(failure) => Some(failure),
            _ => None,
        }
    }

    /// Of a connection that was lost without a reset: what the system said of it, if that was
    /// not just the end.
    fn network_error_kind(&self) -> io::ErrorKind {
        let source = self.0.source.as_ref();
        source
            .filter(|_| self.failure() != Some(Failure::EndOfStream))
            .and_then(|source| source.downcast_ref::<Arc<io::Error>>())
            .map_or(io::ErrorKind::UnexpectedEof, |error| error.kind())
    }

    fn is_reset(&self) -> bool {
        if let Some(failure) = self.failure() {
            return failure == Failure::Reset;
        }
        let source = self.0.source.as_ref();
        source
            .and_then(|source| source.downcast_ref::<Arc<io::Error>>())
            .is_some_and(|error| loss(error) == Loss::Reset)
    }

    pub(crate) fn new(kind: ErrorKind, context: impl Into<String>) -> Self {
        Self::with_detail(kind, context, Detail::None)
    }

    fn with_detail(kind: ErrorKind, context: impl Into<String>, detail: Detail) -> Self {
        Self(Arc::new(Inner {
            kind,
            context: context.into(),
            source: None,
            detail,
            report: None,
        }))
    }

    pub(crate) fn with_source(
        kind: ErrorKind,
        context: impl Into<String>,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self(Arc::new(Inner {
            kind,
            context: context.into(),
            source: Some(source.into()),
            detail: Detail::None,
            report: None,
        }))
    }

    /// The answer of a server or a proxy that the error comes of.
    pub(crate) fn with_response(
        kind: ErrorKind,
        context: impl Into<String>,
        response: Response<Bytes>,
    ) -> Self {
        Self::with_detail(kind, context, Detail::Response(response))
    }

    /// The server's certificate was not accepted because of `errors`.
    pub(crate) fn certificate_rejected(
        context: impl Into<String>,
        errors: Vec<CertificateError>,
    ) -> Self {
        Self::with_detail(
            ErrorKind::CertificateRejected,
            context,
            Detail::Certificate(errors),
        )
    }

    /// The application did not accept the server's certificate, in which `errors` were ignored.
    pub(crate) fn certificate_refused(
        context: impl Into<String>,
        errors: Vec<CertificateError>,
    ) -> Self {
        Self::with_detail(
            ErrorKind::CertificateRejected,
            context,
            Detail::RefusedCertificate(errors),
        )
    }

    /// Whether it was the application itself that did not accept the server's certificate.
    fn is_refused_certificate(&self) -> bool {
        matches!(self.0.detail, Detail::RefusedCertificate(_))
    }

    pub(crate) fn invalid_argument(context: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidArgument, context)
    }

    pub(crate) fn closed() -> Self {
        Self::new(ErrorKind::Closed, "the socket is closing or closed")
    }

    pub(crate) fn illegal_call(context: impl Into<String>) -> Self {
        Self::new(ErrorKind::IllegalCall, context)
    }

    pub(crate) fn closed_by_peer(reason: CloseReason) -> Self {
        Self::with_detail(
            ErrorKind::ClosedByPeer(reason.code()),
            format!("expected a Close frame with 1000 or 1001, got {reason}"),
            Detail::CloseReason(reason),
        )
    }

    pub(crate) fn timeout(timeout: Timeout) -> Self {
        Self::new(ErrorKind::Timeout(timeout), timeout.to_string())
    }

    pub(crate) fn name_not_resolved(host: &str, source: io::Error) -> Self {
        let context = format!("the name {host:?} was not resolved");
        Self::with_source(ErrorKind::NameNotResolved, context, source)
    }

    pub(crate) fn no_address(host: &str) -> Self {
        Self::new(
            ErrorKind::NameNotResolved,
            format!("the name {host:?} has no address"),
        )
    }

    pub(crate) fn system(context: &str, source: io::Error) -> Self {
        Self::with_source(ErrorKind::System, context, source)
    }

    pub(crate) fn cannot_listen(source: io::Error) -> Self {
        let kind = match source.kind() {
            io::ErrorKind::InvalidInput => ErrorKind::InvalidArgument,
            _ => ErrorKind::System,
        };
        Self::with_source(kind, "cannot listen", source)
    }

    pub(crate) fn no_randomness() -> Self {
        Self::new(ErrorKind::System, "the system gave no randomness")
    }

    pub(crate) fn connection_lost(source: Arc<io::Error>) -> Self {
        Self::with_source(ErrorKind::ConnectionLost, LOST, source)
    }

    /// A connection that failed once it was open.
    pub(crate) fn failed(failure: Failure, network_error: Option<Arc<io::Error>>) -> Self {
        let (kind, context, source) = match failure {
            Failure::EndOfStream | Failure::Reset | Failure::Network => {
                let context = match &network_error {
                    Some(_) => LOST.to_owned(),
                    None => failure.to_string(),
                };
                (ErrorKind::ConnectionLost, context, network_error)
            }
            Failure::Aborted(_) => (ErrorKind::Aborted, failure.to_string(), None),
            Failure::TimedOut(overdue) => {
                let timeout = Timeout::from(overdue);
                (ErrorKind::Timeout(timeout), timeout.to_string(), None)
            }
            Failure::LimitExceeded(_) => (ErrorKind::MessageTooBig, failure.to_string(), None),
            _ => (ErrorKind::ProtocolViolation, failure.to_string(), None),
        };
        Self(Arc::new(Inner {
            kind,
            context,
            source: source.map(Into::into),
            detail: Detail::Failure(failure),
            report: None,
        }))
    }
}

/// What a lost connection's error says; its source tells more.
const LOST: &str = "the connection was lost";

/// How the network lost the connection, by what the system says.
pub(crate) fn loss(error: &io::Error) -> Loss {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => Loss::EndOfStream,
        // Written to after the reset, a connection is a broken pipe.
        io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe => Loss::Reset,
        io::ErrorKind::TimedOut => Loss::TimedOut,
        _ => Loss::Network,
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0.context)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = formatter.debug_struct("Error");
        debug
            .field("kind", &self.0.kind)
            .field("context", &self.0.context);
        if let Some(source) = &self.0.source {
            debug.field("source", &source);
        }
        if let Some(response) = self.response() {
            debug.field("status", &response.status());
        }
        debug.finish()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        let source = self.0.source.as_deref()?;
        // A lost connection's error is shared: what counts is the one inside.
        Some(match source.downcast_ref::<Arc<io::Error>>() {
            Some(shared) => &**shared,
            None => source,
        })
    }
}
