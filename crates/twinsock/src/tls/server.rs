//! A server's settings of TLS.

use std::fmt;
use std::sync::Arc;

use rustls::crypto::ring::Ticketer;
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::{RootCertStore, ServerConfig};

use crate::error::Error;
use crate::tls::ALPN;
use crate::tls::certificate::Certificate;
use crate::tls::identity::Identity;
use crate::tls::provider::provider;
use crate::tls::server_certificates::ServerCertificates;
use crate::tls::session::{Resumption, SessionSettings, session_settings};
use crate::tls::trust::add_roots;

/// A server's settings of TLS, for [`Listener::with_tls`](crate::Listener::with_tls). A clone is
/// cheap and the same: what is [reloaded](Self::reload) in one is so in all.
///
/// By default it speaks TLS 1.2 and 1.3, resumes sessions by tickets that it encrypts and does not
/// keep, and asks clients for no certificate.
///
/// ```no_run
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// use twinsock::{Identity, Listener, ServerTls};
///
/// let identity = Identity::from_pem(std::fs::read("chain.pem")?, std::fs::read("key.pem")?)?;
/// let tls = ServerTls::new(identity)?;
/// let listener = Listener::bind("0.0.0.0:443").await?.with_tls(tls.clone());
/// // Months later, with the renewed certificate:
/// tls.reload(Identity::from_pem(std::fs::read("chain.pem")?, std::fs::read("key.pem")?)?)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct ServerTls {
    config: Arc<ServerConfig>,
    /// None of ours in a configuration of the caller's.
    certificates: Option<Arc<ServerCertificates>>,
}

impl ServerTls {
    /// Shows this certificate, with the default settings.
    ///
    /// # Errors
    /// [`ErrorKind::System`](crate::ErrorKind::System) when the system gives no randomness.
    pub fn new(identity: Identity) -> Result<Self, Error> {
        Self::builder(identity).build()
    }

    /// Settings of your own. `identity` is shown to clients that ask for no name, or one that is
    /// not known.
    #[must_use]
    pub fn builder(identity: Identity) -> ServerTlsBuilder {
        ServerTlsBuilder {
            identity,
            by_name: Vec::new(),
            clients: ClientCertificates::NotAsked,
            session: SessionSettings::default(),
        }
    }

    /// Takes a configuration of [`rustls`] for what cannot be set here. Only its
    /// protocol (ALPN) is set to `http/1.1`.
    #[must_use]
    pub fn from_rustls(mut config: ServerConfig) -> Self {
        config.alpn_protocols = vec![ALPN.to_vec()];
        Self {
            config: Arc::new(config),
            certificates: None,
        }
    }

    /// Shows another certificate to clients that connect from now on, in place of the default one.
    /// Connections that stand are not touched; a client that resumes a session of before keeps the
    /// old one in its information.
    ///
    /// # Errors
    /// [`ErrorKind::IllegalCall`](crate::ErrorKind::IllegalCall) for a configuration of rustls,
    /// which has its own resolver.
    pub fn reload(&self, identity: Identity) -> Result<(), Error> {
        self.certificates()?.set_default(&identity);
        Ok(())
    }

    /// The same for clients that ask for `name`, known before or not.
    ///
    /// # Errors
    /// As [`reload`](Self::reload).
    pub fn reload_for(&self, name: &str, identity: Identity) -> Result<(), Error> {
        self.certificates()?.set(name, &identity);
        Ok(())
    }

    fn certificates(&self) -> Result<&ServerCertificates, Error> {
        self.certificates.as_deref().ok_or_else(|| {
            Error::illegal_call(
                "expected settings made by the builder, got a rustls configuration: it has its \
                 own way to choose a certificate",
            )
        })
    }

    pub(crate) fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.config)
    }
}

impl fmt::Debug for ServerTls {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ServerTls").finish_non_exhaustive()
    }
}

/// Whether clients are asked for a certificate.
///
/// ```no_run
/// # fn run() -> Result<(), Box<dyn std::error::Error>> {
/// use twinsock::{Certificate, ClientCertificates};
///
/// let ours = Certificate::from_pem(std::fs::read("our-clients.pem")?)?;
/// let clients = ClientCertificates::Required(ours);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum ClientCertificates {
    /// They are not.
    #[default]
    NotAsked,
    /// They may show one, which one of these roots has issued. A wrong one fails the handshake;
    /// [`Information::tls`](crate::Information::tls) tells whether there was any.
    Optional(Vec<Certificate>),
    /// Without one that one of these roots has issued there is no connection.
    Required(Vec<Certificate>),
}

/// Makes a [`ServerTls`]; see there for an example.
#[derive(Clone, Debug)]
pub struct ServerTlsBuilder {
    identity: Identity,
    by_name: Vec<(String, Identity)>,
    clients: ClientCertificates,
    session: SessionSettings,
}

session_settings!(ServerTlsBuilder);

impl ServerTlsBuilder {
    /// Shows another certificate to clients that ask for exactly this name (SNI, RFC 6066 §3).
    #[must_use]
    pub fn identity_for(mut self, name: &str, identity: Identity) -> Self {
        self.by_name.push((name.to_owned(), identity));
        self
    }

    /// Whether clients are asked for a certificate; by default they are not.
    #[must_use]
    pub fn client_certificates(mut self, clients: ClientCertificates) -> Self {
        self.clients = clients;
        self
    }

    /// The settings, checked.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) when client certificates
    /// are asked for without a root that issues them, or there is no version to speak;
    /// [`ErrorKind::System`](crate::ErrorKind::System) when the key log cannot be written, or the
    /// system gives no randomness.
    pub fn build(self) -> Result<ServerTls, Error> {
        let versions = self.session.supported()?;
        let key_log = self.session.open_key_log()?;
        let certificates = ServerCertificates::new(&self.identity, &self.by_name);
        let certificates = Arc::new(certificates);
        let config = ServerConfig::builder_with_provider(self.session.provider)
            .with_protocol_versions(&versions)
            .map_err(|error| Error::invalid_argument(error.to_string()))?;
        let config = match self.clients.verifier()? {
            None => config.with_no_client_auth(),
            Some(verifier) => config.with_client_cert_verifier(verifier),
        };
        let mut config = config.with_cert_resolver(Arc::clone(&certificates) as _);
        config.alpn_protocols = vec![ALPN.to_vec()];
        match self.session.resumption {
            Resumption::Allowed => {
                config.ticketer = Ticketer::new().map_err(|_| Error::no_randomness())?;
            }
            Resumption::Never => {
                config.session_storage = Arc::new(NoServerSessionStorage {});
                config.send_tls13_tickets = 0;
            }
        }
        if let Some(key_log) = key_log {
            config.key_log = key_log;
        }
        Ok(ServerTls {
            config: Arc::new(config),
            certificates: Some(certificates),
        })
    }
}

impl ClientCertificates {
    fn verifier(&self) -> Result<Option<Arc<dyn ClientCertVerifier>>, Error> {
        let roots = match self {
            Self::NotAsked => return Ok(None),
            Self::Optional(roots) | Self::Required(roots) => roots,
        };
        let mut store = RootCertStore::empty();
        add_roots(&mut store, roots)?;
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(store), provider());
        let verifier = match self {
            Self::Optional(_) => verifier.allow_unauthenticated(),
            _ => verifier,
        };
        let verifier = verifier.build().map_err(|error| {
            Error::invalid_argument(format!("expected roots for client certificates: {error}"))
        })?;
        Ok(Some(verifier))
    }
}
