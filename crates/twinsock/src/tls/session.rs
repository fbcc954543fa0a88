//! The settings that a client's and a server's TLS have in common.

use std::path::PathBuf;
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::{KeyLog, SupportedProtocolVersion};

use crate::error::Error;
use crate::tls::key_log;
use crate::tls::provider::provider;
use crate::tls::version::TlsVersion;

/// How sessions are made.
#[derive(Clone, Debug)]
pub(super) struct SessionSettings {
    pub(super) versions: Vec<TlsVersion>,
    pub(super) resumption: Resumption,
    pub(super) provider: Arc<CryptoProvider>,
    pub(super) key_log: Option<PathBuf>,
}

/// Whether a session may go on where an earlier one has ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Resumption {
    Allowed,
    Never,
}

impl Default for SessionSettings {
    fn default() -> Self {
        Self {
            versions: TlsVersion::all(),
            resumption: Resumption::Allowed,
            provider: provider(),
            key_log: None,
        }
    }
}

impl SessionSettings {
    /// The versions, as rustls takes them.
    pub(super) fn supported(&self) -> Result<Vec<&'static SupportedProtocolVersion>, Error> {
        TlsVersion::supported(&self.versions)
    }

    /// Opens the file for keys, if there is to be one.
    pub(super) fn open_key_log(&self) -> Result<Option<Arc<dyn KeyLog>>, Error> {
        self.key_log.as_deref().map(key_log::open).transpose()
    }
}

/// Writes the methods of a builder for its field `session`, a `SessionSettings`: they are the same
/// for both, and so is what is said of them.
macro_rules! session_settings {
    ($builder:ident) => {
        impl $builder {
            /// Speaks only these versions; by default TLS 1.2 and 1.3.
            #[must_use]
            pub fn versions(
                mut self,
                versions: impl IntoIterator<Item = $crate::TlsVersion>,
            ) -> Self {
                self.session.versions = versions.into_iter().collect();
                self
            }

            /// Begins each connection anew, at the price of a full handshake: nobody can tell then
            /// that two of them are of the same client.
            #[must_use]
            pub fn without_resumption(mut self) -> Self {
                self.session.resumption = $crate::tls::session::Resumption::Never;
                self
            }

            /// Whose key exchange and ciphers are used; those of
            /// [`ring`](rustls::crypto::ring) by default.
            ///
            /// That of `aws-lc-rs`, for one, adds a key exchange that a quantum computer does not
            /// break. Certificates are checked with ring's signatures all the same.
            #[must_use]
            pub fn crypto_provider(
                mut self,
                provider: ::std::sync::Arc<rustls::crypto::CryptoProvider>,
            ) -> Self {
                self.session.provider = provider;
                self
            }

            /// Appends the keys of each session to a file, in the format of `SSLKEYLOGFILE`, for
            /// tools like Wireshark. Whoever has the file can read all that is said.
            #[must_use]
            pub fn dangerously_log_keys_to(
                mut self,
                path: impl Into<::std::path::PathBuf>,
            ) -> Self {
                self.session.key_log = Some(path.into());
                self
            }
        }
    };
}

pub(super) use session_settings;
