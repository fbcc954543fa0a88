//! All errors of a certificate where another verifier decides, which tells only one.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::{ServerName, UnixTime};
use rustls::{OtherError, RootCertStore};

use crate::tls::certificate::Certificate;
use crate::tls::certificate_error::CertificateError;
use crate::tls::examination::{Anchors, Presented, examine};
use crate::tls::findings::{Cause, Findings, of_rustls};

/// Asks the verifier; when there is an error, the others are found without it. Whether the issuer
/// is trusted only the verifier knows: it is asked again for a name and a time that are right, and
/// what it does not accept even then is not trusted.
pub(super) fn judge(verifier: &dyn ServerCertVerifier, presented: &Presented<'_>) -> Findings {
    let Some(first) = ask(verifier, presented) else {
        return Findings::default();
    };
    let nobody = Anchors {
        roots: RootCertStore::empty(),
        revocation_lists: Vec::new(),
    };
    let mut findings = examine(presented, &nobody);
    let leaf = Certificate::shown(presented.leaf);
    let name = valid_name(&leaf);
    let favourable = Presented {
        name: name.as_ref().unwrap_or(presented.name),
        now: valid_time(&leaf, presented.now),
        ..*presented
    };
    match ask(verifier, &favourable) {
        None => {
            findings.remove(CertificateError::Untrusted);
            findings.remove(CertificateError::IncompleteChain);
        }
        Some(error) => add(&mut findings, error),
    }
    add(&mut findings, first);
    findings
}

/// What the verifier finds; `None` for nothing.
fn ask(
    verifier: &dyn ServerCertVerifier,
    presented: &Presented<'_>,
) -> Option<rustls::CertificateError> {
    let Presented {
        leaf,
        intermediates,
        name,
        now,
        ocsp_response,
    } = *presented;
    match verifier.verify_server_cert(leaf, intermediates, name, ocsp_response, now) {
        Ok(_) => None,
        Err(rustls::Error::InvalidCertificate(error)) => Some(error),
        Err(error) => Some(rustls::CertificateError::Other(OtherError(Arc::new(error)))),
    }
}

fn add(findings: &mut Findings, error: rustls::CertificateError) {
    let sort = of_rustls(&error);
    // The two are the same to a verifier.
    let is_known =
        sort == CertificateError::Untrusted && findings.has(CertificateError::IncompleteChain);
    if !is_known {
        findings.add(sort, Cause::Rustls(error));
    }
}

/// A name that the certificate is for.
fn valid_name(leaf: &Certificate) -> Option<ServerName<'static>> {
    let names = leaf.dns_names().into_iter();
    let mut names =
        names.filter_map(|name| ServerName::try_from(name.replacen('*', "any", 1)).ok());
    names.next()
}

/// A time at which the certificate is valid: now, if it can be.
fn valid_time(leaf: &Certificate, now: UnixTime) -> UnixTime {
    let earliest = leaf.valid_from().and_then(unix_time).unwrap_or(now);
    let latest = leaf.valid_to().and_then(unix_time).unwrap_or(now);
    now.min(latest).max(earliest.min(latest))
}

fn unix_time(time: SystemTime) -> Option<UnixTime> {
    let since: Duration = time.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    Some(UnixTime::since_unix_epoch(since))
}
