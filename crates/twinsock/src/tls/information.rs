//! What was agreed on in TLS.

use std::fmt;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::{CommonState, HandshakeKind};

use crate::tls::certificate::Certificate;
use crate::tls::certificate_error::CertificateError;
use crate::tls::severity::CertificateErrorSeverity;
use crate::tls::version::TlsVersion;

/// What is known of the TLS beneath a connection, from
/// [`Information::tls`](crate::Information::tls), and of a server's certificate for the
/// application's own check. A clone is cheap.
///
/// ```
/// # async fn run() -> Result<(), twinsock::Error> {
/// let socket = twinsock::MessageWebSocket::connect("wss://echo.example/").await?;
/// if let Some(tls) = socket.information().tls() {
///     println!("{:?}, {}", tls.version(), tls.cipher_suite());
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct TlsInformation(Arc<Inner>);

struct Inner {
    /// The peer's own first.
    certificates: Vec<Certificate>,
    errors: Vec<CertificateError>,
    version: Option<TlsVersion>,
    cipher_suite: &'static str,
    alpn: Option<Vec<u8>>,
    handshake: Option<HandshakeKind>,
}

impl TlsInformation {
    /// Of a connection whose TLS is agreed on. `errors` are those that were ignored.
    pub(crate) fn of(state: &CommonState, errors: Vec<CertificateError>) -> Self {
        let certificates: &[CertificateDer<'_>] = state.peer_certificates().unwrap_or_default();
        let suite = state.negotiated_cipher_suite();
        Self(Arc::new(Inner {
            certificates: certificates.iter().map(Certificate::shown).collect(),
            errors,
            version: state.protocol_version().and_then(TlsVersion::of),
            cipher_suite: suite
                .and_then(|suite| suite.suite().as_str())
                .unwrap_or("unknown"),
            alpn: state.alpn_protocol().map(<[u8]>::to_vec),
            handshake: state.handshake_kind(),
        }))
    }

    /// The peer's certificate: a server's, or that of a client that showed one
    /// (`ServerCertificate` in UWP).
    #[must_use]
    pub fn peer_certificate(&self) -> Option<&Certificate> {
        self.0.certificates.first()
    }

    /// The other certificates that the peer sent, in its order (`ServerIntermediateCertificates`
    /// in UWP).
    #[must_use]
    pub fn intermediate_certificates(&self) -> &[Certificate] {
        self.0.certificates.get(1..).unwrap_or_default()
    }

    /// What is wrong with the server's certificate and was ignored (`ServerCertificateErrors` in
    /// UWP); nothing for a resumed session, since none with errors is resumed.
    #[must_use]
    pub fn certificate_errors(&self) -> &[CertificateError] {
        &self.0.errors
    }

    /// How bad that is (`ServerCertificateErrorSeverity` in UWP).
    #[must_use]
    pub fn certificate_error_severity(&self) -> CertificateErrorSeverity {
        CertificateErrorSeverity::of(&self.0.errors)
    }

    /// The version of TLS.
    #[must_use]
    pub fn version(&self) -> Option<TlsVersion> {
        self.0.version
    }

    /// The cipher suite, such as `TLS13_AES_256_GCM_SHA384`.
    #[must_use]
    pub fn cipher_suite(&self) -> &str {
        self.0.cipher_suite
    }

    /// The protocol that was agreed on (ALPN, RFC 7301), `http/1.1`; `None` when the peer does not
    /// negotiate one.
    #[must_use]
    pub fn alpn_protocol(&self) -> Option<&[u8]> {
        self.0.alpn.as_deref()
    }

    /// Whether the session of an earlier connection was resumed, which saves a round trip or the
    /// work of both ends.
    #[must_use]
    pub fn is_resumed(&self) -> bool {
        self.0.handshake == Some(HandshakeKind::Resumed)
    }
}

impl fmt::Debug for TlsInformation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("TlsInformation")
            .field("version", &self.version())
            .field("cipher_suite", &self.cipher_suite())
            .field("peer_certificate", &self.peer_certificate())
            .field("certificate_errors", &self.certificate_errors())
            .field("is_resumed", &self.is_resumed())
            .finish_non_exhaustive()
    }
}
