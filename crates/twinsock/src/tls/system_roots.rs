//! Whom the operating system trusts.

use std::sync::Arc;

use crate::error::Error;
use crate::tls::certificate::Certificate;
use crate::tls::revocation_list::RevocationList;
use crate::tls::trust::Trust;

/// Trusts whom the system trusts, and these. It reads files or asks a service of the system: not
/// for an async thread.
#[cfg(all(unix, not(target_vendor = "apple"), not(target_os = "android")))]
pub(super) fn trust(
    more: &[Certificate],
    revocation_lists: &[RevocationList],
) -> Result<Arc<Trust>, Error> {
    use std::sync::OnceLock;

    use rustls::RootCertStore;

    /// Read once for the process.
    static ROOTS: OnceLock<Arc<RootCertStore>> = OnceLock::new();

    let roots = match ROOTS.get() {
        Some(roots) => Arc::clone(roots),
        None => {
            let found = Arc::new(read()?);
            Arc::clone(ROOTS.get_or_init(|| found))
        }
    };
    let mut roots = RootCertStore::clone(&roots);
    crate::tls::trust::add_roots(&mut roots, more)?;
    Ok(Arc::new(Trust::in_roots(roots, revocation_lists)?))
}

#[cfg(all(unix, not(target_vendor = "apple"), not(target_os = "android")))]
fn read() -> Result<rustls::RootCertStore, Error> {
    use std::io;

    let found = rustls_native_certs::load_native_certs();
    let mut roots = rustls::RootCertStore::empty();
    // Some systems have some that cannot be used.
    let (added, _) = roots.add_parsable_certificates(found.certs);
    if added > 0 {
        return Ok(roots);
    }
    let source = match found.errors.into_iter().next() {
        Some(error) => io::Error::other(error),
        None => io::Error::from(io::ErrorKind::NotFound),
    };
    Err(Error::system(
        "the system has no root certificates: install them (ca-certificates), or give roots of your own",
        source,
    ))
}

/// Lets the system itself verify.
#[cfg(any(windows, target_vendor = "apple", target_os = "android"))]
pub(super) fn trust(
    more: &[Certificate],
    revocation_lists: &[RevocationList],
) -> Result<Arc<Trust>, Error> {
    use std::io;

    use rustls_platform_verifier::Verifier;

    use crate::tls::provider::provider;

    if !revocation_lists.is_empty() {
        return Err(Error::invalid_argument(
            "expected roots of your own beside revocation lists: this system verifies by itself",
        ));
    }
    #[cfg(not(target_os = "android"))]
    let verifier = {
        let more = more.iter().map(|root| root.der().clone());
        Verifier::new_with_extra_roots(more, provider())
    };
    #[cfg(target_os = "android")]
    let verifier = match more {
        [] => Verifier::new(provider()),
        _ => {
            return Err(Error::invalid_argument(
                "expected only_roots, got extra_roots: Android adds none to its own",
            ));
        }
    };
    let verifier = verifier.map_err(|error| {
        Error::system(
            "the system's verifier cannot be used",
            io::Error::other(error),
        )
    })?;
    Ok(Arc::new(Trust::Foreign(Arc::new(verifier))))
}
