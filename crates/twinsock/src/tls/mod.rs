//! TLS (RFC 8446, RFC 5246), by rustls.

mod certificate_error;
mod provider;

pub use crate::tls::certificate_error::CertificateError;

pub(crate) use crate::tls::provider::fill_with_randomness;
