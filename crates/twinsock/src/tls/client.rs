//! A client's settings of TLS.

use std::fmt;
use std::sync::{Arc, LazyLock};

use rustls::client::danger::ServerCertVerifier;
use rustls::client::{self, ResolvesClientCert};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::ServerName;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{
    ClientConfig, CommonState, KeyLog, RootCertStore, SignatureScheme, SupportedProtocolVersion,
};
use tokio::sync::OnceCell;

use crate::error::Error;
use crate::tls::certificate::Certificate;
use crate::tls::certificate_error::CertificateError;
use crate::tls::identity::Identity;
use crate::tls::information::TlsInformation;
use crate::tls::provider::provider;
use crate::tls::revocation_list::RevocationList;
use crate::tls::session::{Resumption, SessionSettings, session_settings};
use crate::tls::trust::{Trust, add_roots};
use crate::tls::verifier::{Pins, Verifier};
use crate::tls::{ALPN, system_roots};

/// A client's settings of TLS for `wss` addresses. A clone is cheap and the same: all connections
/// with it share the sessions that can be resumed.
///
/// The default trusts whom the system trusts, speaks TLS 1.2 and 1.3, resumes sessions and shows no
/// certificate of its own; it is one for the whole process. Which cryptography other crates have
/// installed for the process does not matter.
///
/// The system's roots are read once, with the first connection. On Windows, Apple systems and
/// Android the system itself verifies; Android wants `rustls_platform_verifier::android` to be
/// initialised before.
///
/// ```no_run
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// use twinsock::{Certificate, ClientTls, MessageWebSocket};
///
/// let tls = ClientTls::builder()
///     .only_roots(Certificate::from_pem(std::fs::read("our-ca.pem")?)?)
///     .build()?;
/// let socket = MessageWebSocket::builder().tls(tls).connect("wss://intranet.example/").await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct ClientTls(Arc<Source>);

/// Where the configuration comes from.
enum Source {
    /// The caller's own.
    Callers(Arc<ClientConfig>),
    /// Made at the first connection, since that may need the system's roots.
    Ours {
        settings: Arc<Settings>,
        ready: OnceCell<Ready>,
    },
}

/// What was set, and found to be in order.
struct Settings {
    decider: Decider,
    roots: Vec<Certificate>,
    revocation_lists: Vec<RevocationList>,
    identity: Option<Identity>,
    key_log: Option<Arc<dyn KeyLog>>,
    provider: Arc<CryptoProvider>,
    versions: Vec<&'static SupportedProtocolVersion>,
    pins: Pins,
    resumption: Resumption,
}

/// Who decides on a server's certificate.
#[derive(Clone, Debug, Default)]
enum Decider {
    /// The system's roots, and those that were given.
    #[default]
    System,
    /// The roots that were given.
    Roots,
    /// A verifier that was given.
    Verifier(Arc<dyn ServerCertVerifier>),
}

#[derive(Clone)]
struct Ready {
    config: Arc<ClientConfig>,
    verifier: Arc<Verifier>,
}

/// The configuration for one connection.
pub(crate) struct ClientSession {
    pub(crate) config: Arc<ClientConfig>,
    /// Has noted what it ignored; `None` when nothing may be.
    verifier: Option<Arc<Verifier>>,
}

/// Whether a server that asks for it is shown the client's certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Introduction {
    WithIdentity,
    Anonymous,
}

/// Shows no certificate.
#[derive(Debug)]
struct NoIdentity;

impl ResolvesClientCert for NoIdentity {
    fn resolve(
        &self,
        _root_hint_subjects: &[&[u8]],
        _signature_schemes: &[SignatureScheme],
    ) -> Option<Arc<CertifiedKey>> {
        None
    }

    fn has_certs(&self) -> bool {
        false
    }
}

impl ClientSession {
    /// What was agreed on under this configuration.
    pub(crate) fn information(&self, state: &CommonState) -> TlsInformation {
        let ignored = self.verifier.as_ref().map(|verifier| verifier.ignored());
        TlsInformation::of(state, ignored.unwrap_or_default())
    }
}

static DEFAULT: LazyLock<ClientTls> = LazyLock::new(|| {
    let settings = Settings {
        decider: Decider::System,
        roots: Vec::new(),
        revocation_lists: Vec::new(),
        identity: None,
        key_log: None,
        provider: provider(),
        versions: rustls::DEFAULT_VERSIONS.to_vec(),
        pins: Pins::default(),
        resumption: Resumption::Allowed,
    };
    ClientTls::ours(settings)
});

/// The one for the whole process.
impl Default for ClientTls {
    fn default() -> Self {
        DEFAULT.clone()
    }
}

impl ClientTls {
    /// Settings of your own.
    #[must_use]
    pub fn builder() -> ClientTlsBuilder {
        ClientTlsBuilder::default()
    }

    /// Takes a configuration of [`rustls`] for what cannot be set here, with its
    /// own verifier. Only its protocol (ALPN) is set to `http/1.1`.
    ///
    /// Certificate errors cannot be ignored then, and of several only the one is told that the
    /// verifier tells.
    #[must_use]
    pub fn from_rustls(mut config: ClientConfig) -> Self {
        config.alpn_protocols = vec![ALPN.to_vec()];
        Self(Arc::new(Source::Callers(Arc::new(config))))
    }

    fn ours(settings: Settings) -> Self {
        Self(Arc::new(Source::Ours {
            settings: Arc::new(settings),
            ready: OnceCell::new(),
        }))
    }

    /// The configuration for a connection that lets these errors pass.
    pub(crate) async fn session(
        &self,
        ignorable: &[CertificateError],
        introduction: Introduction,
    ) -> Result<ClientSession, Error> {
        let mut session = self.session_with_identity(ignorable).await?;
        if introduction == Introduction::Anonymous {
            let mut config = ClientConfig::clone(&session.config);
            config.client_auth_cert_resolver = Arc::new(NoIdentity);
            // A session under the identity would tell it as well.
            config.resumption = client::Resumption::disabled();
            session.config = Arc::new(config);
        }
        Ok(session)
    }

    async fn session_with_identity(
        &self,
        ignorable: &[CertificateError],
    ) -> Result<ClientSession, Error> {
        let (settings, ready) = match &*self.0 {
            Source::Ours { settings, ready } => (settings, ready),
            Source::Callers(config) if ignorable.is_empty() => {
                return Ok(ClientSession {
                    config: Arc::clone(config),
                    verifier: None,
                });
            }
            Source::Callers(_) => {
                return Err(Error::invalid_argument(
                    "expected no certificate errors to ignore beside a rustls configuration of \
                     your own: its verifier decides",
                ));
            }
        };
        let ready = ready.get_or_try_init(|| settings.prepare()).await?;
        Ok(ready.session(ignorable))
    }
}

impl Settings {
    async fn prepare(self: &Arc<Self>) -> Result<Ready, Error> {
        let trust = match &self.decider {
            Decider::Verifier(verifier) => Arc::new(Trust::Foreign(Arc::clone(verifier))),
            Decider::Roots => {
                let mut roots = RootCertStore::empty();
                add_roots(&mut roots, &self.roots)?;
                Arc::new(Trust::in_roots(roots, &self.revocation_lists)?)
            }
            Decider::System => {
                let settings = Arc::clone(self);
                let reading = tokio::task::spawn_blocking(move || {
                    system_roots::trust(&settings.roots, &settings.revocation_lists)
                });
                reading.await.map_err(|error| {
                    let error = std::io::Error::other(error);
                    Error::system("the system's root certificates were not read", error)
                })??
            }
        };
        self.configure(trust)
    }

    fn configure(&self, trust: Arc<Trust>) -> Result<Ready, Error> {
        let verifier = Arc::new(Verifier::new(trust, self.pins.clone()));
        let config = ClientConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_protocol_versions(&self.versions)
            .map_err(|error| Error::invalid_argument(error.to_string()))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::clone(&verifier) as _);
        let mut config = match &self.identity {
            None => config.with_no_client_auth(),
            Some(identity) => {
                let key = SingleCertAndKey::from(identity.key());
                config.with_client_cert_resolver(Arc::new(key))
            }
        };
        config.alpn_protocols = vec![ALPN.to_vec()];
        if let Some(key_log) = &self.key_log {
            config.key_log = Arc::clone(key_log);
        }
        if self.resumption == Resumption::Never {
            config.resumption = client::Resumption::disabled();
        }
        Ok(Ready {
            config: Arc::new(config),
            verifier,
        })
    }
}

impl Ready {
    /// A connection that ignores errors has a verifier of its own, and so resumes nothing: rustls
    /// resumes a session only under the verifier that has seen its certificate.
    fn session(&self, ignorable: &[CertificateError]) -> ClientSession {
        if ignorable.is_empty() {
            return ClientSession {
                config: Arc::clone(&self.config),
                verifier: None,
            };
        }
        let verifier = Arc::new(self.verifier.ignoring(ignorable));
        let mut config = ClientConfig::clone(&self.config);
        config.resumption = client::Resumption::disabled();
        config
            .dangerous()
            .set_certificate_verifier(Arc::clone(&verifier) as _);
        ClientSession {
            config: Arc::new(config),
            verifier: Some(verifier),
        }
    }
}

/// Makes a [`ClientTls`]; see there for an example.
#[derive(Clone, Debug, Default)]
pub struct ClientTlsBuilder {
    decider: Decider,
    roots: Vec<Certificate>,
    revocation_lists: Vec<RevocationList>,
    identity: Option<Identity>,
    pins: Pins,
    session: SessionSettings,
}

session_settings!(ClientTlsBuilder);

impl ClientTlsBuilder {
    /// Trusts these roots beside the system's.
    #[must_use]
    pub fn extra_roots(mut self, roots: impl IntoIterator<Item = Certificate>) -> Self {
        self.roots.extend(roots);
        self
    }

    /// Trusts these roots, and those of [`extra_roots`](Self::extra_roots), in place of the
    /// system's.
    #[must_use]
    pub fn only_roots(mut self, roots: impl IntoIterator<Item = Certificate>) -> Self {
        // A verifier stays: beside roots it is refused, in whichever order they come.
        if !matches!(self.decider, Decider::Verifier(_)) {
            self.decider = Decider::Roots;
        }
        self.extra_roots(roots)
    }

    /// Has a verifier of [`rustls`] decide, in place of any roots: one that is wrong
    /// lets anybody pass for the server. Whoever has the private key of the certificate is checked
    /// all the same.
    ///
    /// It tells one error; the others are found by asking it again for another name and time.
    #[must_use]
    pub fn dangerously_verify_with(mut self, verifier: Arc<dyn ServerCertVerifier>) -> Self {
        self.decider = Decider::Verifier(verifier);
        self
    }

    /// Refuses what these lists have revoked; no lists by default.
    ///
    /// Once there is one, each certificate below the root needs one of its issuer, in date and
    /// signed, or else has
    /// [`RevocationInformationMissing`](CertificateError::RevocationInformationMissing) or
    /// [`RevocationFailure`](CertificateError::RevocationFailure). Where the system verifies
    /// (Windows, Apple, Android) lists need [`only_roots`](Self::only_roots): the first connection
    /// tells.
    #[must_use]
    pub fn revocation_lists(mut self, lists: impl IntoIterator<Item = RevocationList>) -> Self {
        self.revocation_lists.extend(lists);
        self
    }

    /// Shows this certificate when the server asks for one (`Control.ClientCertificate` in UWP).
    #[must_use]
    pub fn identity(mut self, identity: Identity) -> Self {
        self.identity = Some(identity);
        self
    }

    /// Accepts only servers whose certificate has this SHA-256, or another pinned one; all other
    /// checks are made as well. A server with another certificate has
    /// [`OtherErrors`](CertificateError::OtherErrors).
    #[must_use]
    pub fn pin_certificate(mut self, sha256: [u8; 32]) -> Self {
        self.pins.certificates.push(sha256);
        self
    }

    /// The same with the SHA-256 of the public key, which may stay when the certificate is renewed
    /// ([`Certificate::public_key_sha256`]).
    #[must_use]
    pub fn pin_public_key(mut self, sha256: [u8; 32]) -> Self {
        self.pins.public_keys.push(sha256);
        self
    }

    /// The settings, checked.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) when no root is trusted,
    /// there are roots beside a verifier, or no version to speak; [`ErrorKind::System`](crate::ErrorKind::System) when the
    /// key log cannot be written.
    pub fn build(self) -> Result<ClientTls, Error> {
        let mut roots = RootCertStore::empty();
        add_roots(&mut roots, &self.roots)?;
        match &self.decider {
            Decider::Roots if roots.is_empty() => {
                return Err(Error::invalid_argument(
                    "expected at least one root to trust, got none",
                ));
            }
            Decider::Verifier(_) if !roots.is_empty() || !self.revocation_lists.is_empty() => {
                return Err(Error::invalid_argument(
                    "expected no roots and no revocation lists beside a verifier, got some",
                ));
            }
            _ => {}
        }
        Ok(ClientTls::ours(Settings {
            decider: self.decider,
            roots: self.roots,
            revocation_lists: self.revocation_lists,
            identity: self.identity,
            key_log: self.session.open_key_log()?,
            versions: self.session.supported()?,
            provider: self.session.provider,
            pins: self.pins,
            resumption: self.session.resumption,
        }))
    }
}

/// The host as rustls takes it: a DNS name, or an IP address, which is not told to the server.
pub(crate) fn server_name(host: &str) -> Result<ServerName<'static>, Error> {
    ServerName::try_from(host.to_owned()).map_err(|_| {
        Error::invalid_argument(format!(
            "expected a DNS name or an IP address for TLS, got {host:?}"
        ))
    })
}

impl fmt::Debug for ClientTls {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = formatter.debug_struct("ClientTls");
        if let Source::Ours { settings, .. } = &*self.0 {
            debug
                .field("decider", &settings.decider)
                .field("roots", &settings.roots)
                .field("identity", &settings.identity);
        }
        debug.finish_non_exhaustive()
    }
}
