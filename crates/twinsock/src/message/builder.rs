//! Settings before connecting, and the connecting itself.

use http::{HeaderName, HeaderValue};
use twinsock_proto::handshake::Subprotocol;
use twinsock_proto::handshake::client::Request;
use twinsock_proto::uri::WebSocketUri;
use twinsock_proto::{Limits, Settings};

use crate::connect;
use crate::driver::ByteStream;
use crate::error::Error;
use crate::message::MessageWebSocket;
use crate::timeout::Timeouts;

/// The settings of a client's [`MessageWebSocket`], made before it connects
/// (`MessageWebSocketControl` in UWP).
///
/// A value that cannot be, such as a header with a line end, is reported by `connect`.
///
/// ```
/// # async fn run() -> Result<(), twinsock::Error> {
/// use std::time::Duration;
///
/// use twinsock::{MessageWebSocket, Timeouts};
///
/// let socket = MessageWebSocket::builder()
///     .protocol("chat.v2")
///     .header("X-Game", "42")
///     .max_message_size(1 << 20)
///     .timeouts(Timeouts { connect: Duration::from_secs(5), ..Timeouts::default() })
///     .connect("ws://game.example/live")
///     .await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Default)]
pub struct MessageWebSocketBuilder {
    headers: Vec<(HeaderName, HeaderValue)>,
    protocols: Vec<Subprotocol>,
    limits: Limits,
    timeouts: Timeouts,
    /// The first setting that cannot be.
    invalid: Option<Error>,
}

impl MessageWebSocketBuilder {
    /// Offers a subprotocol, the preferred one first; none by default
    /// (`Control.SupportedProtocols` in UWP).
    #[must_use]
    pub fn protocol(mut self, protocol: &str) -> Self {
        match protocol.parse::<Subprotocol>() {
            Ok(protocol) => self.protocols.push(protocol),
            Err(error) => self.refuse(error.into()),
        }
        self
    }

    /// Adds a header to the handshake's request, such as `Origin`, `Cookie` or `Authorization`;
    /// the handshake's own headers are refused (`SetRequestHeader` in UWP).
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
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
        self
    }

    /// The largest message received, in bytes; 64 MiB by default, `None` for no limit
    /// (`Control.MaxMessageSize` in UWP). A larger one fails the connection with 1009.
    #[must_use]
    pub fn max_message_size(mut self, size: impl Into<Option<u64>>) -> Self {
        self.limits.max_message_size = size.into();
        self
    }

    /// How long is waited for what.
    #[must_use]
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }

    /// Connects to a `ws://` address.
    ///
    /// # Errors
    /// By [`ErrorKind`](crate::ErrorKind): `InvalidArgument` for a setting or an address that
    /// cannot be (`wss://` too: pass a TLS stream to [`connect_over`](Self::connect_over));
    /// `NameNotResolved`; `CannotConnect` when all addresses failed, with the last one's error;
    /// `HandshakeRefused` with the server's [`response`](Error::response); `InvalidHandshake`;
    /// `ConnectionLost`; `Timeout`.
    ///
    /// # Cancel safety
    /// Dropping the future ends the attempt and leaves no connection behind.
    pub async fn connect(self, uri: &str) -> Result<MessageWebSocket, Error> {
        let (request, settings, timeouts) = self.into_parts(uri)?;
        let opened = connect::connect(request, &timeouts).await?;
        opened.into_message_socket(settings)
    }

    /// Does the opening handshake over a byte stream that is already there.
    ///
    /// `uri` names the host and resource to ask for; with `wss://` the stream is expected to be
    /// TLS. [`Timeouts::connect`] covers the handshake.
    ///
    /// # Errors
    /// As [`connect`](Self::connect), but for what concerns names and addresses.
    ///
    /// # Cancel safety
    /// Dropping the future drops the stream.
    pub async fn connect_over(
        self,
        stream: impl ByteStream + 'static,
        uri: &str,
    ) -> Result<MessageWebSocket, Error> {
        let (request, settings, timeouts) = self.into_parts(uri)?;
        let opened = connect::connect_over(Box::new(stream), request, &timeouts).await?;
        opened.into_message_socket(settings)
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
            ..Settings::default()
        };
        Ok((request, settings, self.timeouts))
    }

    fn refuse(&mut self, error: Error) {
        self.invalid.get_or_insert(error);
    }
}

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
