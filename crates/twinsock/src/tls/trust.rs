//! Who decides whether a certificate is right.

use std::sync::Arc;

use rustls::RootCertStore;
use rustls::client::danger::ServerCertVerifier;

use crate::error::Error;
use crate::tls::certificate::Certificate;
use crate::tls::examination::{Anchors, Presented, examine};
use crate::tls::findings::Findings;
use crate::tls::foreign;
use crate::tls::revocation_list::RevocationList;

/// Who decides.
#[derive(Debug)]
pub(super) enum Trust {
    /// This library, by roots that it knows.
    Anchors(Anchors),
    /// The operating system, or a verifier of the caller's.
    Foreign(Arc<dyn ServerCertVerifier>),
}

impl Trust {
    pub(super) fn in_roots(
        roots: RootCertStore,
        revocation_lists: &[RevocationList],
    ) -> Result<Self, Error> {
        let lists: Result<_, _> = revocation_lists
            .iter()
            .map(RevocationList::parsed)
            .collect();
        Ok(Self::Anchors(Anchors {
            roots,
            revocation_lists: lists?,
        }))
    }

    /// All that is wrong with what a server has shown.
    pub(super) fn judge(&self, presented: &Presented<'_>) -> Findings {
        match self {
            Self::Anchors(anchors) => examine(presented, anchors),
            Self::Foreign(verifier) => foreign::judge(verifier.as_ref(), presented),
        }
    }
}

/// Adds roots to those that are trusted.
pub(super) fn add_roots(store: &mut RootCertStore, roots: &[Certificate]) -> Result<(), Error> {
    for root in roots {
        store.add(root.der().clone()).map_err(|error| {
            Error::invalid_argument(format!("expected a root certificate, got: {error}"))
        })?;
    }
    Ok(())
}
