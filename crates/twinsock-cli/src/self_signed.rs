//! A certificate made on the spot, for a server and a client in one process.

use rcgen::{CertifiedKey, generate_simple_self_signed};
use twinsock::{Certificate, ClientTls, Error, Identity, ServerTls};

use crate::exit_code::ExitCode;
use crate::failure::Failure;

/// A server's TLS, and that of a client that trusts it alone.
#[derive(Debug)]
pub(crate) struct Tls {
    pub(crate) server: ServerTls,
    pub(crate) client: ClientTls,
}

impl Tls {
    /// For servers at 127.0.0.1.
    pub(crate) fn new() -> Result<Self, Failure> {
        let made = generate_simple_self_signed(["127.0.0.1".to_owned()]);
        let CertifiedKey { cert, signing_key } = made.map_err(|error| {
            Failure::new(
                ExitCode::System,
                format!("cannot make a certificate: {error}"),
            )
        })?;
        Self::of(&cert.pem(), &signing_key.serialize_pem())
            .map_err(|error| Failure::of_library("TLS", &error))
    }

    fn of(certificate: &str, key: &str) -> Result<Self, Error> {
        let roots = Certificate::from_pem(certificate)?;
        Ok(Self {
            server: ServerTls::new(Identity::from_pem(certificate, key)?)?,
            client: ClientTls::builder().only_roots(roots).build()?,
        })
    }
}
