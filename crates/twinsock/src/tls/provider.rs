//! Where the cryptography comes from.

use std::sync::{Arc, LazyLock};

use rustls::crypto::{CryptoProvider, aws_lc_rs};

use crate::error::Error;

/// The one provider of this library. Each configuration names it, so that it does not matter which
/// ones other crates have installed for the process, or whether any did.
static PROVIDER: LazyLock<Arc<CryptoProvider>> =
    LazyLock::new(|| Arc::new(aws_lc_rs::default_provider()));

#[expect(dead_code, reason = "the TLS step is to come")]
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
