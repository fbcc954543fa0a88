//! What a client's socket of either kind is set to before it connects.

use http::{HeaderName, HeaderValue};
use twinsock_proto::handshake::Subprotocol;
use twinsock_proto::handshake::client::Request;
use twinsock_proto::uri::WebSocketUri;
use twinsock_proto::{Limits, Settings};

use crate::connect;
use crate::driver::ByteStream;
use crate::error::Error;
use crate::opening::Opened;
use crate::timeout::Timeouts;

/// Beneath every builder: what was set, and the connecting itself.
#[derive(Debug, Default)]
pub(crate) struct ConnectOptions {
    headers: Vec<(HeaderName, HeaderValue)>,
    protocols: Vec<Subprotocol>,
    pub(crate) limits: Limits,
    pub(crate) timeouts: Timeouts,
    /// The first setting that cannot be.
    invalid: Option<Error>,
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

    /// Connects, and gives what a socket is made of.
    pub(crate) async fn connect(self, uri: &str) -> Result<(Opened, Settings), Error> {
        let (request, settings, timeouts) = self.into_parts(uri)?;
        let opened = connect::connect(request, &timeouts).await?;
        Ok((opened, settings))
    }

    /// The same over a byte stream that is already there.
    pub(crate) async fn connect_over(
        self,
        stream: impl ByteStream + 'static,
        uri: &str,
    ) -> Result<(Opened, Settings), Error> {
        let (request, settings, timeouts) = self.into_parts(uri)?;
        let opened = connect::connect_over(Box::new(stream), request, &timeouts).await?;
        Ok((opened, settings))
    }

    fn into_parts(self, uri: &str) -> Result<(Request, Settings, Timeouts), Error> {
        if let Some(error) = self.invalid {
            return Err(error);
        }
        let uri: WebSocketUri = uri.parse().map_err(|error| {
            let shown = without_credentials(uri);
            Error::invalid_argument(format!("the address {shown:?} cannot be used: {error}"))
        })?;
        let mut request = Request::new(uri);
        for (name, value) in self.headers {
            request = request.header(name, value)?;
        }
        for protocol in self.protocols {
            request = request.protocol(protocol)?;
        }
        let settings = Settings {
            limits: self.limits,
            timing: self.timeouts.into(),
        };
        Ok((request, settings, self.timeouts))
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
