//! What rustls asks about a server's certificate.

use std::sync::{Arc, OnceLock};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, SignatureScheme};

use crate::tls::certificate::Certificate;
use crate::tls::certificate_error::CertificateError;
use crate::tls::examination::Presented;
use crate::tls::findings::{Cause, Findings};
use crate::tls::provider::provider;
use crate::tls::trust::Trust;

/// What must be right beside the chain: nothing, or one of these.
#[derive(Clone, Debug, Default)]
pub(super) struct Pins {
    pub(super) certificates: Vec<[u8; 32]>,
    pub(super) public_keys: Vec<[u8; 32]>,
}

impl Pins {
    fn allow(&self, leaf: &CertificateDer<'_>) -> bool {
        if self.certificates.is_empty() && self.public_keys.is_empty() {
            return true;
        }
        let leaf = Certificate::shown(leaf);
        let key = leaf.public_key_sha256();
        self.certificates.contains(&leaf.sha256())
            || key.is_some_and(|key| self.public_keys.contains(&key))
    }
}

/// Decides by what is trusted. One that ignores nothing may be shared by all connections; one that
/// ignores errors is for a single one, and tells afterwards what it ignored.
#[derive(Debug)]
pub(super) struct Verifier {
    trust: Arc<Trust>,
    pins: Pins,
    ignorable: Vec<CertificateError>,
    ignored: OnceLock<Vec<CertificateError>>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Verifier {
    pub(super) fn new(trust: Arc<Trust>, pins: Pins) -> Self {
        Self {
            trust,
            pins,
            ignorable: Vec::new(),
            ignored: OnceLock::new(),
            algorithms: provider().signature_verification_algorithms,
        }
    }

    /// One that lets these errors pass.
    pub(super) fn ignoring(&self, errors: &[CertificateError]) -> Self {
        Self {
            trust: Arc::clone(&self.trust),
            pins: self.pins.clone(),
            ignorable: errors.to_vec(),
            ignored: OnceLock::new(),
            algorithms: self.algorithms,
        }
    }

    /// What it let pass.
    pub(super) fn ignored(&self) -> Vec<CertificateError> {
        self.ignored.get().cloned().unwrap_or_default()
    }

    fn judge(&self, presented: &Presented<'_>) -> Findings {
        let mut findings = self.trust.judge(presented);
        if !self.pins.allow(presented.leaf) {
            let cause = "it is none of the pinned ones";
            findings.add(CertificateError::OtherErrors, Cause::Own(cause));
        }
        findings
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let presented = Presented {
            leaf,
            intermediates,
            name,
            now,
            ocsp_response,
        };
        let findings = self.judge(&presented);
        let errors = findings.errors();
        if errors.iter().all(|error| self.ignorable.contains(error)) {
            let _ = self.ignored.set(errors);
            return Ok(ServerCertVerified::assertion());
        }
        Err(findings.into_rustls().into())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
