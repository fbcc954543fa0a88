//! What a client's socket of either kind is set to before it connects.

use std::time::Duration;

use http::{HeaderName, HeaderValue};
use twinsock_proto::handshake::Subprotocol;
use twinsock_proto::handshake::client::Request;
use twinsock_proto::uri::WebSocketUri;
use twinsock_proto::{Limits, Settings, Timing};

use crate::connect::{self, Resolver};
use crate::driver::ByteStream;
use crate::error::Error;
use crate::opening::Opened;
use crate::tcp_options::TcpOptions;
use crate::timeout::Timeouts;
use crate::tls::{CertificateError, CertificateErrorSeverity, ClientTls, Validation};

/// Beneath every builder: what was set, and the connecting itself.
#[derive(Debug)]
pub(crate) struct ConnectOptions {
    headers: Vec<(HeaderName, HeaderValue)>,
    protocols: Vec<Subprotocol>,
    pub(crate) limits: Limits,
    pub(crate) timeouts: Timeouts,
    pub(crate) unsolicited_pong: Option<Duration>,
    pub(crate) tcp: TcpOptions,
    /// How many addresses of a name are tried.
    pub(crate) max_addresses: usize,
    pub(crate) resolver: Resolver,
    pub(crate) tls: ClientTls,
    /// The errors of the server's certificate that are let pass.
    pub(crate) ignorable: Vec<CertificateError>,
    pub(crate) validation: Option<Validation>,
    /// The first setting that cannot be.
    invalid: Option<Error>,
}

impl Default for ConnectOptions {
    fn default() -> Self {
        Self {
            headers: Vec::new(),
            protocols: Vec::new(),
            limits: Limits::default(),
            timeouts: Timeouts::default(),
            unsolicited_pong: None,
            tcp: TcpOptions::default(),
            // As many as UWP tries.
            max_addresses: 5,
            resolver: Resolver::default(),
            tls: ClientTls::default(),
            ignorable: Vec::new(),
            validation: None,
            invalid: None,
        }
    }
}

impl ConnectOptions {
    pub(crate) fn add_protocol(&mut self, protocol: &str) {
        match protocol.parse::<Subprotocol>() {
            Ok(protocol) => self.protocols.push(protocol),
            Err(error) => self.refuse(error.into()),
        }
    }

    pub(crate) fn add_header(&mut self, name: &str, value: &str) {
        match (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            (Ok(name), Ok(mut value)) => {
                // It may be a secret: `Debug` does not show it.
                value.set_sensitive(true);
                self.headers.push((name, value));
            }
            (Err(_), _) => self.refuse(Error::invalid_argument(format!(
                "expected a header name of token characters, got {name:?}"
            ))),
            // The value may be a secret: it is not shown.
            (_, Err(_)) => self.refuse(Error::invalid_argument(format!(
                "expected a value of visible characters for the header {name:?}, got others"
            ))),
        }
    }

    pub(crate) fn set_max_addresses(&mut self, count: usize) {
        if count == 0 {
            self.refuse(Error::invalid_argument(
                "expected at least one address to try, got 0",
            ));
        }
        self.max_addresses = count;
    }

    pub(crate) fn ignore(&mut self, errors: impl IntoIterator<Item = CertificateError>) {
        for error in errors {
            if error.severity() == CertificateErrorSeverity::Fatal {
                self.refuse(Error::invalid_argument(format!(
                    "expected a certificate error that may be ignored, got {error:?}"
                )));
            }
            self.ignorable.push(error);
        }
    }

    /// Connects, and gives what a socket is made of.
    pub(crate) async fn connect(self, uri: &str) -> Result<(Opened, Settings), Error> {
        // Apart from the caller's future, which is as large as its largest state for as long as
        // its task lives.
        let opened = Box::pin(connect::connect(self.request(uri)?, &self)).await?;
        Ok((opened, self.settings()))
    }

    /// The same over a byte stream that is already there.
    pub(crate) async fn connect_over(
        self,
        stream: impl ByteStream + 'static,
        uri: &str,
    ) -> Result<(Opened, Settings), Error> {
        let request = self.request(uri)?;
        let opening = connect::connect_over(Box::new(stream), request, &self);
        let opened = Box::pin(opening).await?;
        Ok((opened, self.settings()))
    }

    fn request(&self, uri: &str) -> Result<Request, Error> {
        if let Some(error) = &self.invalid {
            return Err(error.clone());
        }
        let uri: WebSocketUri = uri.parse().map_err(|error| {
            let shown = without_credentials(uri);
            Error::invalid_argument(format!("the address {shown:?} cannot be used: {error}"))
        })?;
        let mut request = Request::new(uri);
        for (name, value) in self.headers.iter().cloned() {
            request = request.header(name, value)?;
        }
        for protocol in self.protocols.iter().cloned() {
            request = request.protocol(protocol)?;
        }
        Ok(request)
    }

    fn settings(&self) -> Settings {
        Settings {
            limits: self.limits,
            timing: Timing {
                unsolicited_pong: self.unsolicited_pong,
                ..self.timeouts.into()
            },
            ..Settings::default()
        }
    }

    /// Keeps the error for `connect` to report.
    fn refuse(&mut self, error: Error) {
        self.invalid.get_or_insert(error);
    }
}

/// Writes the settings that every builder has, for one whose field `options` is a
/// [`ConnectOptions`]: they are the same, and so is what is said of them.
macro_rules! shared_settings {
    ($builder:ident) => {
        impl $builder {
            /// Offers a subprotocol, the preferred one first; none by default
            /// (`Control.SupportedProtocols` in UWP).
            #[must_use]
            pub fn protocol(mut self, protocol: &str) -> Self {
                self.options.add_protocol(protocol);
                self
            }

            /// Adds a header to the handshake's request, such as `Origin`, `Cookie` or
            /// `Authorization`; the handshake's own headers are refused (`SetRequestHeader` in
            /// UWP).
            #[must_use]
            pub fn header(mut self, name: &str, value: &str) -> Self {
                self.options.add_header(name, value);
                self
            }

            /// How long is waited for what.
            #[must_use]
            pub fn timeouts(mut self, timeouts: $crate::Timeouts) -> Self {
                self.options.timeouts = timeouts;
                self
            }

            /// How often a Pong goes out that nobody asked for (RFC 6455 §5.5.3,
            /// `Control.DesiredUnsolicitedPongInterval` in UWP); `None`, the default, for none.
            ///
            /// It keeps routers between the peers from forgetting the connection, and lets a dead
            /// network show as a failure to send. Whether the peer is there only a Ping finds out:
            /// [`Timeouts::keep_alive`](crate::Timeouts::keep_alive). Less than 1 s is raised to 1 s.
            /// Like all timers it runs while the application receives, or waits to send.
            #[must_use]
            pub fn unsolicited_pong_interval(
                mut self,
                interval: impl Into<Option<::std::time::Duration>>,
            ) -> Self {
                self.options.unsolicited_pong = interval.into();
                self
            }

            /// How many addresses of a name are tried; 5 by default, as in UWP. Zero is refused by
            /// `connect`.
            ///
            /// They are tried in the resolver's order of preference, IPv6 and IPv4 in turns
            /// (RFC 8305): the next one begins a quarter of a second after the one before, or at
            /// once when that has failed, and the first connection that stands is taken. Each may
            /// take [`Timeouts::connect`](crate::Timeouts::connect).
            #[must_use]
            pub fn max_addresses(mut self, count: usize) -> Self {
                self.options.set_max_addresses(count);
                self
            }

            /// Who finds the addresses of a name: a table, a closure, or a
            /// [`Resolve`](crate::Resolve) of your own; by default the system.
            ///
            /// Over a stream of your own it has no effect.
            #[must_use]
            pub fn resolver(mut self, resolver: impl $crate::Resolve + 'static) -> Self {
                self.options.resolver = $crate::connect::Resolver::new(resolver);
                self
            }

            /// This end's address, on a host that has several; the system's choice by default.
            ///
            /// It takes an [`IpAddr`](::std::net::IpAddr), or a
            /// [`SocketAddr`](::std::net::SocketAddr) with a port, 0 for any. Addresses of the
            /// other family are not tried, and do not count as tried: so
            /// `Ipv4Addr::UNSPECIFIED` says no more than that IPv6 is not wanted. With a port of
            /// its own a client can connect to each server once at a time; elsewhere than on Unix
            /// only one address at a time. Over a stream of your own it has no effect.
            #[must_use]
            pub fn local_address(mut self, address: impl Into<$crate::LocalAddress>) -> Self {
                self.options.tcp.local_address = Some(address.into());
                self
            }

            /// The settings of TLS for a `wss` address; [`ClientTls::default`](crate::ClientTls)
            /// by default.
            #[must_use]
            pub fn tls(mut self, tls: $crate::ClientTls) -> Self {
                self.options.tls = tls;
                self
            }

            /// Connects to a server although its certificate has these errors
            /// (`Control.IgnorableServerCertificateErrors` in UWP); none by default.
            ///
            /// Whoever is between the two may then read and change all that is said: use it with
            /// [`server_custom_validation`](Self::server_custom_validation) or a
            /// [pin](crate::ClientTlsBuilder::pin_certificate), or better trust the server's own
            /// [root](crate::ClientTlsBuilder::only_roots). Other errors still fail, also when the
            /// certificate has both. Such a connection resumes no session. It concerns the server
            /// alone, no proxy. An error that may not be ignored (see
            /// [`CertificateError::severity`](crate::CertificateError::severity)) is refused by
            /// `connect`.
            #[must_use]
            #[doc(alias = "IgnorableServerCertificateErrors")]
            pub fn dangerously_ignore_certificate_errors(
                mut self,
                errors: impl IntoIterator<Item = $crate::CertificateError>,
            ) -> Self {
                self.options.ignore(errors);
                self
            }

            /// Has `handler` look at the server's certificate and decide
            /// (`ServerCustomValidationRequested` in UWP).
            ///
            /// It is called when all other checks are passed, with the errors that were ignored,
            /// and before a byte of the request has gone out; for a resumed session too. It has
            /// the time of [`Timeouts::tls`](crate::Timeouts::tls). When it rejects, connecting
            /// fails with
            /// [`ErrorKind::CertificateRejected`](crate::ErrorKind::CertificateRejected) and the
            /// HRESULT 0x800C000E (`INET_E_SECURITY_PROBLEM`). Its panic is that of the caller of
            /// `connect`.
            ///
            /// ```
            /// # async fn run(fingerprint: [u8; 32]) -> Result<(), twinsock::Error> {
            /// use twinsock::{MessageWebSocket, Verdict};
            ///
            /// let socket = MessageWebSocket::builder()
            ///     .server_custom_validation(move |tls| async move {
            ///         match tls.peer_certificate() {
            ///             Some(shown) if shown.sha256() == fingerprint => Verdict::Accept,
            ///             _ => Verdict::Reject,
            ///         }
            ///     })
            ///     .connect("wss://bank.example/")
            ///     .await?;
            /// # Ok(())
            /// # }
            /// ```
            #[must_use]
            pub fn server_custom_validation<F>(
                mut self,
                handler: impl Fn($crate::TlsInformation) -> F + Send + Sync + 'static,
            ) -> Self
            where
                F: Future<Output = $crate::Verdict> + Send + 'static,
            {
                self.options.validation = Some($crate::tls::Validation::new(handler));
                self
            }

            /// Turns Nagle's algorithm on (`Control.NoDelay = false` in UWP); by default it is
            /// off: `TCP_NODELAY` is set.
            ///
            /// The system then holds a small segment back until the peer has confirmed the one
            /// before. The socket gathers messages by itself, so this hardly ever pays. Over a
            /// stream of your own it has no effect.
            #[must_use]
            #[doc(alias = "no_delay")]
            pub fn nagle(mut self) -> Self {
                self.options.tcp.nagle = $crate::tcp_options::Nagle::On;
                self
            }

            /// How many bytes the system may hold that the peer has not confirmed (`SO_SNDBUF`,
            /// `Control.OutboundBufferSizeInBytes` in UWP); the system's choice by default.
            ///
            /// Setting it turns off the system's own tuning of the buffer, so most programs leave
            /// it alone. The system brings it within its limits, and Linux doubles it for its
            /// bookkeeping. Over a stream of your own it has no effect.
            #[must_use]
            pub fn outbound_buffer_size(mut self, bytes: usize) -> Self {
                self.options.tcp.outbound_buffer_size = Some(bytes);
                self
            }
        }
    };
}

pub(crate) use shared_settings;

/// The address for an error's text: what may be a password is left out.
fn without_credentials(uri: &str) -> String {
    let start = uri.find("://").map_or(0, |scheme| scheme + "://".len());
    let end = uri[start..]
        .find(['/', '?', '#'])
        .map_or(uri.len(), |length| start + length);
    match uri[start..end].rfind('@') {
        Some(at) => format!("{}…{}", &uri[..start], &uri[start + at..]),
        None => uri.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_in_an_address_is_not_shown() {
        for (address, shown) in [
            ("ws://user:secret@host/path", "ws://…@host/path"),
            ("ws://user:s@cret@host", "ws://…@host"),
            ("user:secret@host", "…@host"),
            ("ws://host/a@b", "ws://host/a@b"),
            ("ws://host", "ws://host"),
            ("", ""),
        ] {
            assert_eq!(without_credentials(address), shown);
        }
    }
}
