//! What a client's socket of either kind is set to before it connects.

use std::time::Duration;

use http::header::PROXY_AUTHORIZATION;
use http::{HeaderName, HeaderValue};
use twinsock_proto::authentication::Credential;
use twinsock_proto::handshake::Subprotocol;
use twinsock_proto::handshake::client::Request;
use twinsock_proto::uri::WebSocketUri;
use twinsock_proto::{Compression, DeflateOffer, Limits, Settings, Timing};

use crate::connect::{self, Resolver};
use crate::cookies::Cookies;
use crate::driver::ByteStream;
use crate::error::Error;
use crate::opening::{Opened, Opening};
use crate::proxy::ProxyChoice;
use crate::redirect::RedirectPolicy;
use crate::tcp_options::TcpOptions;
use crate::timeout::Timeouts;
use crate::tls::{CertificateError, CertificateErrorSeverity, ClientTls, Validation};

/// Beneath every builder: what was set, and the connecting itself.
#[derive(Debug)]
pub(crate) struct ConnectOptions {
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) protocols: Vec<Subprotocol>,
    pub(crate) deflate: Vec<DeflateOffer>,
    pub(crate) compression: Compression,
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
    pub(crate) proxy: ProxyChoice,
    pub(crate) proxy_credential: Option<Credential>,
    pub(crate) server_credential: Option<Credential>,
    pub(crate) redirects: RedirectPolicy,
    pub(crate) cookies: Cookies,
    /// The first setting that cannot be.
    invalid: Option<Error>,
}

impl Default for ConnectOptions {
    fn default() -> Self {
        Self {
            headers: Vec::new(),
            protocols: Vec::new(),
            deflate: Vec::new(),
            compression: Compression::default(),
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
            proxy: ProxyChoice::default(),
            proxy_credential: None,
            server_credential: None,
            redirects: RedirectPolicy::default(),
            cookies: Cookies::default(),
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
            // The server must not see it; a proxy's user is set apart.
            (Ok(PROXY_AUTHORIZATION), _) => self.refuse(Error::invalid_argument(
                "expected no header \"proxy-authorization\" for the server: proxy_credential sets \
                 the proxy's user",
            )),
            (Ok(name), Ok(mut value)) => {
                // It may be a secret: `Debug` does not show it.
                value.set_sensitive(true);
                self.headers.push((name, value));
            }
            // What is behind its first word may be the value.
            (Err(_), _) => self.refuse(Error::invalid_argument(format!(
                "expected a header name of token characters, got {:?}",
                name.split_once(' ').map_or(name, |(word, _)| word)
            ))),
            // The value may be a secret: it is not shown.
            (_, Err(_)) => self.refuse(Error::invalid_argument(format!(
                "expected a value of visible characters for the header {name:?}, got others"
            ))),
        }
    }

    pub(crate) fn add_deflate(&mut self, offer: DeflateOffer) {
        if self.deflate.len() == Request::MOST_DEFLATE_OFFERS {
            self.refuse(Error::invalid_argument(format!(
                "expected at most {} offers to compress, got more",
                Request::MOST_DEFLATE_OFFERS
            )));
            return;
        }
        self.deflate.push(offer);
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
        let opened = Box::pin(connect::connect(self.uri(uri)?, &self)).await?;
        let settings = self.settings(&opened.opening);
        Ok((opened, settings))
    }

    /// The same over a byte stream that is already there.
    pub(crate) async fn connect_over(
        self,
        stream: impl ByteStream + 'static,
        uri: &str,
    ) -> Result<(Opened, Settings), Error> {
        let uri = self.uri(uri)?;
        let opening = connect::connect_over(Box::new(stream), uri, &self);
        let opened = Box::pin(opening).await?;
        let settings = self.settings(&opened.opening);
        Ok((opened, settings))
    }

    /// The address, if all settings can be.
    fn uri(&self, uri: &str) -> Result<WebSocketUri, Error> {
        if let Some(error) = &self.invalid {
            return Err(error.clone());
        }
        uri.parse().map_err(|error| {
            let shown = shown(uri);
            Error::invalid_argument(format!("the address {shown:?} cannot be used: {error}"))
        })
    }

    fn settings(&self, opening: &Opening) -> Settings {
        Settings {
            deflate: opening.compressed(self.compression),
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

/// The address for an error's text, without what may be a secret: user information, a query, and
/// what stands where a port should.
fn shown(uri: &str) -> String {
    let authority = uri.find("://").map_or(0, |scheme| scheme + "://".len());
    if uri.contains('@') {
        return format!("{}…", &uri[..authority]);
    }
    let secret = uri.find(['?', '#']).into_iter();
    let port = uri[authority..]
        .find(':')
        .map(|colon| authority + colon + 1);
    let is_number = |start: usize| uri[start..].starts_with(|sign: char| sign.is_ascii_digit());
    let broken_port = port.filter(|&start| !is_number(start) && !uri.contains('['));
    match secret.chain(broken_port).min() {
        Some(end) => format!("{}…", &uri[..end]),
        None => uri.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_in_an_address_is_not_shown() {
        for (address, shows) in [
            ("ws://user:secret@host/path", "ws://…"),
            ("ws://user:s/e?cret@host", "ws://…"),
            ("user:secret@host", "…"),
            ("ws://user:secret", "ws://user:…"),
            ("ws://host/?token=secret#x", "ws://host/…"),
            ("http://host/", "http://host/"),
            ("ws://host:99999/", "ws://host:99999/"),
            ("ws://[::1", "ws://[::1"),
            ("not a uri", "not a uri"),
            ("", ""),
        ] {
            assert_eq!(shown(address), shows);
        }
    }
}
