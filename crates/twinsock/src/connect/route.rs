//! The way to the server: straight, or through a proxy.

use twinsock_proto::authentication::{Credential, Party, Target};
use twinsock_proto::proxy::http::ConnectRequest;
use twinsock_proto::proxy::socks5::Socks5;
use twinsock_proto::uri::{Destination, WebSocketUri};

use crate::connect::authentication::Authentication;
use crate::connect::resolve::Host;
use crate::connect::{Attempt, ConnectPhase, tcp, tunnel};
use crate::driver::ByteStream;
use crate::error::{Error, ErrorKind};
use crate::opening::Addresses;
use crate::proxy::{Proxy, ProxyScheme};
use crate::timeout::Timeout;

/// A byte stream, and where its TCP connection runs.
pub(super) type Reached = (Box<dyn ByteStream>, Addresses);

impl Attempt<'_> {
    /// A byte stream that ends at the server.
    pub(super) async fn reach(&mut self, uri: &WebSocketUri) -> Result<Reached, Error> {
        let Some(proxy) = self.options.proxy.proxy_for(uri)? else {
            return self.reach_host(&Host::of(uri)).await;
        };
        let reached = match proxy.scheme() {
            ProxyScheme::Http | ProxyScheme::Https => self.tunnel(&proxy, &uri.into()).await,
            ProxyScheme::Socks5h => self.relay(&proxy, uri.into()).await,
            ProxyScheme::Socks5 => self.relay_to_address(&proxy, uri).await,
        };
        reached.map_err(|error| error.within(format_args!("through the proxy {proxy}")))
    }

    async fn reach_host(&mut self, host: &Host<'_>) -> Result<Reached, Error> {
        let (stream, ends) = tcp::reach(host, self).await?;
        Ok((Box::new(stream), ends))
    }

    /// Through an HTTP proxy, which may ask for credentials. Each answer takes a new connection:
    /// the proxy need not keep the old one.
    async fn tunnel(&mut self, proxy: &Proxy, destination: &Destination) -> Result<Reached, Error> {
        let credential = self.credential_for(proxy);
        let mut authentication = Authentication::new(Party::Proxy, credential);
        loop {
            let mut request = ConnectRequest::new(destination.clone());
            if let Some((name, value)) = authentication.header() {
                request = request.header(name, value)?;
            }
            match self.tunnel_by(proxy, &request).await {
                Err(error) if error.kind() == ErrorKind::ProxyAuthenticationRequired => {
                    authentication.answer(error, Target::connect(destination))?;
                }
                outcome => return outcome,
            }
        }
    }

    async fn tunnel_by(
        &mut self,
        proxy: &Proxy,
        request: &ConnectRequest,
    ) -> Result<Reached, Error> {
        let (mut stream, ends) = self.reach_proxy(proxy).await?;
        let negotiating = tunnel::by_http(&mut stream, request, &self.budget);
        let negotiating = self.budget.spend(Timeout::Proxy, negotiating);
        let subject = format!("{proxy} to {}", request.destination());
        self.report
            .record(ConnectPhase::Proxy, subject, negotiating)
            .await?;
        Ok((stream, ends))
    }

    /// Through a SOCKS5 proxy that is told the address.
    async fn relay_to_address(
        &mut self,
        proxy: &Proxy,
        uri: &WebSocketUri,
    ) -> Result<Reached, Error> {
        // One of them: the proxy tells too little of a failure to try another.
        let addresses = tcp::addresses(&Host::of(uri), self).await?;
        let address = addresses
            .first()
            .ok_or_else(|| Error::no_address(uri.host()))?;
        let destination = Destination::new(&address.ip().to_string(), address.port())
            .map_err(|error| Error::invalid_argument(error.to_string()))?;
        self.relay(proxy, destination).await
    }

    /// Through a SOCKS5 proxy.
    async fn relay(&mut self, proxy: &Proxy, destination: Destination) -> Result<Reached, Error> {
        let subject = format!("{proxy} to {destination}");
        let start = Socks5::start(destination, self.credential_for(proxy))?;
        let (mut stream, ends) = self.reach_proxy(proxy).await?;
        let negotiating = tunnel::by_socks5(&mut stream, start, &self.budget);
        let negotiating = self.budget.spend(Timeout::Proxy, negotiating);
        self.report
            .record(ConnectPhase::Proxy, subject, negotiating)
            .await?;
        Ok((stream, ends))
    }

    async fn reach_proxy(&mut self, proxy: &Proxy) -> Result<Reached, Error> {
        let (stream, ends) = self.reach_host(&Host::of(proxy.address())).await?;
        match proxy.scheme() {
            ProxyScheme::Https => Ok((self.secure_to_proxy(stream, proxy).await?, ends)),
            ProxyScheme::Http | ProxyScheme::Socks5 | ProxyScheme::Socks5h => Ok((stream, ends)),
        }
    }

    /// What the proxy's own address says goes before what is set for any.
    fn credential_for<'p>(&'p self, proxy: &'p Proxy) -> Option<&'p Credential> {
        let own = proxy.given_credential();
        own.or(self.options.proxy_credential.as_ref())
    }
}
