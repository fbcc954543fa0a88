//! What every client does to connect, and says when it cannot.

use std::time::Duration;

use twinsock::{Error, ErrorKind, MessageWebSocketBuilder, StreamWebSocketBuilder, Timeouts};

use crate::args::ClientOptions;
use crate::exit_code::ExitCode;
use crate::failure::{Failure, chain};

/// How long the peer is waited for when nobody reads what it sends any more.
pub(crate) const LEAVE_TIME: Duration = Duration::from_secs(1);

/// A builder of either kind of socket.
pub(crate) trait Builder: Sized {
    fn header(self, name: &str, value: &str) -> Self;
    fn protocol(self, protocol: &str) -> Self;
    fn timeouts(self, timeouts: Timeouts) -> Self;
}

macro_rules! is_a_builder {
    ($builder:ident) => {
        impl Builder for $builder {
            fn header(self, name: &str, value: &str) -> Self {
                self.header(name, value)
            }

            fn protocol(self, protocol: &str) -> Self {
                self.protocol(protocol)
            }

            fn timeouts(self, timeouts: Timeouts) -> Self {
                self.timeouts(timeouts)
            }
        }
    };
}

is_a_builder!(MessageWebSocketBuilder);
is_a_builder!(StreamWebSocketBuilder);

/// Sets what the user asked for.
pub(crate) fn set_up<B: Builder>(builder: B, options: &ClientOptions) -> B {
    let mut builder = builder.timeouts(timeouts(options.connect_timeout));
    for header in &options.headers {
        builder = builder.header(&header.name, &header.value);
    }
    for protocol in &options.protocols {
        builder = builder.protocol(protocol);
    }
    builder
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

pub(crate) fn cannot_connect(options: &ClientOptions, error: &Error) -> Failure {
    let uri = &options.uri;
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
    if options.uri.to_ascii_lowercase().starts_with("wss://") {
        let message = format!("cannot connect to {}: this program has no TLS", options.uri);
        return Failure::new(ExitCode::Usage, message)
            .with_hint("a TLS tunnel such as stunnel gives it a ws:// address");
    }
    let text = chain(error);
    let is_named = |name: &str| {
        let mut words = text.split(|sign: char| !sign.is_ascii_alphanumeric() && sign != '-');
        words.any(|word| word.eq_ignore_ascii_case(name))
    };
    let mut names = options.headers.iter().map(|header| header.name.as_str());
    match names.find(|name| is_named(name)) {
        Some(name) => Failure::new(ExitCode::Usage, format!("--header {name:?}: {text}")),
        None => Failure::new(ExitCode::Usage, text),
    }
}

/// What the user may try instead.
fn hint(error: &Error) -> Option<String> {
    let response = error.response()?;
    if let Some(location) = response.headers().get("location") {
        let location = String::from_utf8_lossy(location.as_bytes());
        return Some(format!("the server points to {location}"));
    }
    match response.status().as_u16() {
        401 => Some("--header 'Authorization: …' sends credentials".to_owned()),
        200 => Some("this is a web server; its WebSocket may be at another path".to_owned()),
        _ => None,
    }
}
