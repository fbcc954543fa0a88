//! TLS (RFC 8446, RFC 5246), by rustls.

mod certificate;
mod certificate_error;
mod client;
mod examination;
mod findings;
mod foreign;
mod identity;
mod information;
mod key_log;
mod pem;
mod provider;
mod revocation_list;
mod server;
mod server_certificates;
mod session;
mod severity;
mod stream;
mod system_roots;
mod trust;
mod validation;
mod verifier;
mod version;

pub use crate::tls::certificate::Certificate;
pub use crate::tls::certificate_error::CertificateError;
pub use crate::tls::client::{ClientTls, ClientTlsBuilder};
pub use crate::tls::identity::Identity;
pub use crate::tls::information::TlsInformation;
pub use crate::tls::revocation_list::RevocationList;
pub use crate::tls::server::{ClientCertificates, ServerTls, ServerTlsBuilder};
pub use crate::tls::severity::CertificateErrorSeverity;
pub use crate::tls::validation::Verdict;
pub use crate::tls::version::TlsVersion;

pub(crate) use crate::tls::client::{Introduction, server_name};
pub(crate) use crate::tls::findings::{described, listed};
pub(crate) use crate::tls::provider::fill_with_randomness;
pub(crate) use crate::tls::stream::TlsStream;
pub(crate) use crate::tls::validation::Validation;

/// The protocol beneath a WebSocket's opening handshake (RFC 7301).
const ALPN: &[u8] = b"http/1.1";
