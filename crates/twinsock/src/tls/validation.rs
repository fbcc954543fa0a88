//! The application's own look at a server's certificate.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use crate::tls::information::TlsInformation;

/// What the application thinks of a server's certificate; see
/// [`server_custom_validation`](crate::MessageWebSocketBuilder::server_custom_validation).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// The connection goes on.
    Accept,
    /// It ends, with
    /// [`ErrorKind::CertificateRejected`](crate::ErrorKind::CertificateRejected) (`Reject` in
    /// UWP).
    Reject,
}

type Deciding = Pin<Box<dyn Future<Output = Verdict> + Send>>;

/// The application's handler.
#[derive(Clone)]
pub(crate) struct Validation(Arc<dyn Fn(TlsInformation) -> Deciding + Send + Sync>);

impl Validation {
    pub(crate) fn new<F>(handler: impl Fn(TlsInformation) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Verdict> + Send + 'static,
    {
        Self(Arc::new(move |information| Box::pin(handler(information))))
    }

    pub(crate) async fn verdict(&self, information: TlsInformation) -> Verdict {
        (self.0)(information).await
    }
}

impl fmt::Debug for Validation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Validation")
    }
}
