//! The certificates that a server shows.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use crate::tls::identity::Identity;

/// The certificate for each name, which may be exchanged at any time.
#[derive(Debug)]
pub(super) struct ServerCertificates(RwLock<Identities>);

#[derive(Debug)]
struct Identities {
    default: Arc<CertifiedKey>,
    by_name: HashMap<String, Arc<CertifiedKey>>,
}

impl ServerCertificates {
    pub(super) fn new(default: &Identity, by_name: &[(String, Identity)]) -> Self {
        let by_name = by_name
            .iter()
            .map(|(name, identity)| (key_of(name), identity.key()));
        Self(RwLock::new(Identities {
            default: default.key(),
            by_name: by_name.collect(),
        }))
    }

    pub(super) fn set_default(&self, identity: &Identity) {
        let mut identities = self.0.write().unwrap_or_else(PoisonError::into_inner);
        identities.default = identity.key();
    }

    pub(super) fn set(&self, name: &str, identity: &Identity) {
        let mut identities = self.0.write().unwrap_or_else(PoisonError::into_inner);
        identities.by_name.insert(key_of(name), identity.key());
    }

    fn of(&self, name: Option<&str>) -> Arc<CertifiedKey> {
        let identities = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let by_name = name.and_then(|name| identities.by_name.get(&key_of(name)));
        Arc::clone(by_name.unwrap_or(&identities.default))
    }
}

/// Names are compared without regard to case (RFC 6066 §3).
fn key_of(name: &str) -> String {
    name.to_ascii_lowercase()
}

impl ResolvesServerCert for ServerCertificates {
    fn resolve(&self, client_hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.of(client_hello.server_name()))
    }
}
