//! The settings of every client's builder.

/// Writes the settings that every builder has, for one whose field `options` is a
/// `ConnectOptions`: they are the same, and so is what is said of them.
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

            /// Offers to compress messages (permessage-deflate, RFC 7692); by default nothing is
            /// compressed.
            ///
            /// Several offers are made in their order, so that a server that declines the first
            /// can take the next; more than eight are refused by `connect`. Whether the server has accepted one,
            /// [`Information::deflate`](crate::Information::deflate) tells.
            /// [`compression`](crate::compression) tells what it costs in memory, and where
            /// compressing gives secrets away.
            ///
            /// ```
            /// # async fn run() -> Result<(), twinsock::Error> {
            /// use twinsock::{Compress, DeflateOffer, MessageWebSocket};
            ///
            /// let socket = MessageWebSocket::builder()
            ///     .deflate(DeflateOffer::default())
            ///     .connect("wss://feed.example/")
            ///     .await?;
            /// socket.send_with("a long text, a long text, a long text", Compress::Always).await?;
            /// # Ok(())
            /// # }
            /// ```
            #[must_use]
            pub fn deflate(mut self, offer: $crate::DeflateOffer) -> Self {
                self.options.add_deflate(offer);
                self
            }

            /// What is compressed, once the server has agreed to, and how hard is tried; see
            /// [`Compression`](crate::Compression) for the defaults.
            #[must_use]
            pub fn compression(mut self, compression: $crate::Compression) -> Self {
                self.options.compression = compression;
                self
            }

            /// The proxy to connect through; by default the one that the environment names, see
            /// [`ProxyChoice`](crate::ProxyChoice).
            ///
            /// Over a stream of your own it has no effect.
            #[must_use]
            pub fn proxy(mut self, proxy: impl Into<$crate::ProxyChoice>) -> Self {
                self.options.proxy = proxy.into();
                self
            }

            /// The user for a proxy that asks for one and whose own address names none
            /// (`Control.ProxyCredential` in UWP); none by default.
            ///
            /// It answers Basic and Digest of an HTTP proxy, and the user name and password of a
            /// SOCKS5 proxy. It is sent to the proxy alone, and to an HTTP proxy only when it asks.
            /// All but Digest tells the password to whoever listens on the way to a proxy that is
            /// not reached by TLS. Over a stream of your own it has no effect.
            #[must_use]
            pub fn proxy_credential(mut self, credential: $crate::Credential) -> Self {
                self.options.proxy_credential = Some(credential);
                self
            }

            /// The user for a server that asks for one by status 401
            /// (`Control.ServerCredential` in UWP); none by default.
            ///
            /// It answers Basic and Digest, by a second request over a new connection, in place of
            /// an `Authorization` [header](Self::header) of your own. Another origin, to which a
            /// redirect leads, is not told. Over a stream of your own there is no second request.
            ///
            /// Basic tells the password to whoever listens on the way, and over `ws` somebody in
            /// between can ask for it in the server's place: use it with `wss`.
            #[must_use]
            pub fn server_credential(mut self, credential: $crate::Credential) -> Self {
                self.options.server_credential = Some(credential);
                self
            }

            /// Which redirects are followed; by default none, see
            /// [`RedirectPolicy`](crate::RedirectPolicy).
            ///
            /// Over a stream of your own none can be.
            #[must_use]
            pub fn redirects(mut self, policy: $crate::RedirectPolicy) -> Self {
                self.options.redirects = policy;
                self
            }

            /// Where cookies for the handshake's requests come from, and those of its responses
            /// go to; by default there are none.
            #[must_use]
            pub fn cookies(mut self, store: ::std::sync::Arc<dyn $crate::CookieStore>) -> Self {
                self.options.cookies = $crate::cookies::Cookies::new(store);
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
            ///
            /// Over a stream of your own it has no effect, and for a `ws` address none either.
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
            /// `connect`. Without TLS, and over a stream of your own, it has no effect.
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
            /// `connect`. It is not called without TLS, nor over a stream of your own, whose
            /// certificate is yours to check.
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
