//! Where the cryptography comes from.

use std::sync::{Arc, LazyLock};

use rustls::crypto::ring::cipher_suite::TLS13_AES_128_GCM_SHA256;
use rustls::crypto::{CryptoProvider, ring};
use rustls::{CipherSuiteCommon, SupportedCipherSuite};
use sha1::{Digest as _, Sha1};

use crate::error::Error;

/// The one provider of this library. Each configuration names it, so that it does not matter which
/// ones other crates have installed for the process, or whether any did.
///
/// By ring: aws-lc-rs is a little faster, but gathers randomness for 60 ms before its first byte.
static PROVIDER: LazyLock<Arc<CryptoProvider>> =
    LazyLock::new(|| Arc::new(ring::default_provider()));

pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::clone(&PROVIDER)
}

/// Fills `bytes` from a source that cannot be predicted.
pub(crate) fn fill_with_randomness(bytes: &mut [u8]) -> Result<(), Error> {
    PROVIDER
        .secure_random
        .fill(bytes)
        .map_err(|_| Error::no_randomness())
}

pub(super) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let CipherSuiteCommon { hash_provider, .. } = match &TLS13_AES_128_GCM_SHA256 {
        SupportedCipherSuite::Tls13(suite) => &suite.common,
        SupportedCipherSuite::Tls12(suite) => &suite.common,
    };
    let mut digest = [0; 32];
    let output = hash_provider.hash(bytes);
    for (to, from) in digest.iter_mut().zip(output.as_ref()) {
        *to = *from;
    }
    digest
}

pub(super) fn sha1(bytes: &[u8]) -> [u8; 20] {
    Sha1::digest(bytes).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn both_digests_are_those_of_the_standard() {
        // FIPS 180-4, the example "abc".
        assert_eq!(
            hex(&sha256(b"abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_eq!(
            hex(&sha1(b"abc")),
            "a9993e364706816aba3e25717850c26c9cd0d89d"
        );
    }
}
