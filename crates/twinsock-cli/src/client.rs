//! What every client does to connect, and says when it cannot.

use std::time::Duration;

use twinsock::{
    CertificateError, ClientTls, Compression, Credential, DeflateOffer, Error, ErrorKind,
    Information, MessageWebSocketBuilder, Proxy, ProxyChoice, RedirectPolicy,
    StreamWebSocketBuilder, Timeouts,
};

use crate::args::{ClientOptions, Header, Secret, compression};
use crate::exit_code::ExitCode;
use crate::failure::{Failure, chain};
use crate::{tls, verbose};

/// How long the peer is waited for when nobody reads what it sends any more.
pub(crate) const LEAVE_TIME: Duration = Duration::from_secs(1);

/// A builder of either kind of socket.
pub(crate) trait Builder: Sized {
    fn header(self, name: &str, value: &str) -> Self;
    fn protocol(self, protocol: &str) -> Self;
    fn deflate(self, offer: DeflateOffer) -> Self;
    fn compression(self, compression: Compression) -> Self;
    fn timeouts(self, timeouts: Timeouts) -> Self;
    fn tls(self, tls: ClientTls) -> Self;
    fn proxy(self, proxy: ProxyChoice) -> Self;
    fn proxy_credential(self, credential: Credential) -> Self;
    fn server_credential(self, credential: Credential) -> Self;
    fn redirects(self, policy: RedirectPolicy) -> Self;
    fn dangerously_ignore_certificate_errors(self, errors: Vec<CertificateError>) -> Self;
}

/// A method of a builder under the same name.
macro_rules! forward {
    ($builder:ident: $($method:ident($($name:ident: $argument:ty),*)),* $(,)?) => {
        impl Builder for $builder {
            $(fn $method(self, $($name: $argument),*) -> Self {
                self.$method($($name),*)
            })*
        }
    };
}

macro_rules! is_a_builder {
    ($builder:ident) => {
        forward! {
            $builder:
            header(name: &str, value: &str),
            protocol(protocol: &str),
            deflate(offer: DeflateOffer),
            compression(compression: Compression),
            timeouts(timeouts: Timeouts),
            tls(tls: ClientTls),
            proxy(proxy: ProxyChoice),
            proxy_credential(credential: Credential),
            server_credential(credential: Credential),
            redirects(policy: RedirectPolicy),
            dangerously_ignore_certificate_errors(errors: Vec<CertificateError>),
        }
    };
}

is_a_builder!(MessageWebSocketBuilder);
is_a_builder!(StreamWebSocketBuilder);

/// Sets what the user asked for.
pub(crate) fn set_up<B: Builder>(builder: B, options: &ClientOptions) -> Result<B, Failure> {
    let mut builder = builder.timeouts(timeouts(options.connect_timeout));
    for header in &options.headers {
        let header = Header::parse(header)
            .map_err(|error| Failure::new(ExitCode::Usage, format!("--header: {error}")))?;
        builder = builder.header(&header.name, &header.value);
    }
    for protocol in &options.protocols {
        builder = builder.protocol(protocol);
    }
    if let Some(proxy) = &options.proxy {
        builder = builder.proxy(proxy_choice(proxy, tls::of_proxy(options)?)?);
    }
    if let Some(user) = &options.proxy_user {
        builder = builder.proxy_credential(credential("--proxy-user", user)?);
    }
    if let Some(user) = &options.user {
        builder = builder.server_credential(credential("--user", user)?);
    }
    for offer in &options.deflate {
        builder = builder.deflate(*offer);
    }
    builder = builder.compression(compression(options.deflate_level));
    if options.follow_redirects {
        builder = builder.redirects(RedirectPolicy::follow());
    }
    builder =
        builder.dangerously_ignore_certificate_errors(options.ignored_certificate_errors.clone());
    Ok(builder.tls(tls::of_client(options)?))
}

fn proxy_choice(text: &Secret, tls: ClientTls) -> Result<ProxyChoice, Failure> {
    if text.0 == "none" {
        return Ok(ProxyChoice::Direct);
    }
    let proxy = text.0.parse::<Proxy>();
    let proxy = proxy.map_err(|error| Failure::of_library("--proxy", &error))?;
    Ok(ProxyChoice::Fixed(proxy.tls(tls)))
}

/// The text itself is not shown: it may hold a password, wherever its colon is missing.
fn credential(option: &str, text: &Secret) -> Result<Credential, Failure> {
    let refused =
        |expected: &str| Failure::new(ExitCode::Usage, format!("{option}: expected {expected}"));
    let (user, password) = text
        .0
        .split_once(':')
        .ok_or_else(|| refused("a name, a colon and a password, got no colon"))?;
    Credential::new(user, password).map_err(|error| refused(&error.to_string()))
}

fn timeouts(overall: Option<Duration>) -> Timeouts {
    let defaults = Timeouts::default();
    // A user who allows more than a step's default means it.
    let step = defaults.connect.max(overall.unwrap_or_default());
    Timeouts {
        resolve: step,
        connect: step,
        proxy: step,
        tls: step,
        handshake: step,
        overall,
        ..defaults
    }
}

/// Tells of a connection what the user wants to know.
pub(crate) fn connected(options: &ClientOptions, information: &Information) {
    if options.verbose {
        verbose::tell_of_connection(information);
    }
}

/// Tells what went over a connection that is over, if the user wants to know.
pub(crate) fn disconnected(options: &ClientOptions, information: &Information) {
    if options.verbose {
        verbose::tell_of_traffic(information.statistics());
    }
}

pub(crate) fn cannot_connect(options: &ClientOptions, error: &Error) -> Failure {
    if options.verbose {
        verbose::tell_of_failure(error);
    }
    let uri = without_query(&options.uri);
    match error.kind() {
        ErrorKind::InvalidArgument => invalid_argument(options, error),
        ErrorKind::ConnectionLost => {
            let message = format!("cannot connect to {uri}: {}", chain(error));
            Failure::new(ExitCode::HandshakeFailed, message)
        }
        _ => {
            let failure = Failure::of_library(&format!("cannot connect to {uri}"), error);
            match hint(error) {
                Some(hint) => failure.with_hint(hint),
                None => failure,
            }
        }
    }
}

/// The library names a header in lower case; the user is shown it as it was typed.
fn invalid_argument(options: &ClientOptions, error: &Error) -> Failure {
    let text = chain(error);
    let is_named = |name: &str| {
        let mut words = text.split(|sign: char| !sign.is_ascii_alphanumeric() && sign != '-');
        words.any(|word| word.eq_ignore_ascii_case(name))
    };
    let headers = options
        .headers
        .iter()
        .filter_map(|header| Header::parse(header).ok());
    let mut names = headers.map(|header| header.name);
    match names.find(|name| is_named(name)) {
        Some(name) => Failure::new(ExitCode::Usage, format!("--header {name:?}: {text}")),
        None => Failure::new(ExitCode::Usage, text),
    }
}

/// What the user may try instead.
fn hint(error: &Error) -> Option<String> {
    match error.kind() {
        ErrorKind::ProxyAuthenticationRequired => {
            return Some("--proxy-user NAME:PASSWORD names the proxy's user".to_owned());
        }
        ErrorKind::CertificateRejected => {
            let is_stranger = matches!(
                error.certificate_errors(),
                [CertificateError::Untrusted | CertificateError::IncompleteChain]
            );
            return is_stranger.then(|| "--ca FILE names certificates to trust".to_owned());
        }
        _ => {}
    }
    let response = error.response()?;
    let location = response.headers().get("location");
    let is_refused = error.kind() == ErrorKind::HandshakeRefused;
    if let Some(location) = location.filter(|_| is_refused && response.status().is_redirection()) {
        let location = String::from_utf8_lossy(location.as_bytes());
        let location = without_query(&location);
        return Some(format!(
            "the server points to {location}; --follow-redirects goes there"
        ));
    }
    match response.status().as_u16() {
        401 => Some("--user NAME:PASSWORD sends credentials".to_owned()),
        200 => Some("this is a web server; its WebSocket may be at another path".to_owned()),
        _ => None,
    }
}

/// The address for people and logs: a query may be a token.
pub(crate) fn without_query(uri: &str) -> String {
    match uri.split_once('?') {
        Some((start, _)) => format!("{start}?…"),
        None => uri.to_owned(),
    }
}
