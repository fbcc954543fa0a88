use bytes::Bytes;
use http::HeaderMap;
use http::header::{HeaderName, HeaderValue};

use crate::handshake::Misuse;
use crate::handshake::extra_headers::ExtraHeaders;
use crate::handshake::head_writer::HeadWriter;
use crate::uri::Destination;

/// What a client asks of an HTTP proxy: a tunnel to a host and port (RFC 9110 §9.3.6).
///
/// ```
/// use twinsock_proto::proxy::http::ConnectRequest;
/// use twinsock_proto::uri::Destination;
///
/// let request = ConnectRequest::new(Destination::new("game.example", 443)?).header("User-Agent", "game/2")?;
/// assert_eq!(request.destination().as_str(), "game.example:443");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct ConnectRequest {
    destination: Destination,
    headers: ExtraHeaders,
}

impl ConnectRequest {
    /// A request that has no header but `Host`.
    #[must_use]
    pub fn new(destination: Destination) -> Self {
        Self {
            destination,
            headers: ExtraHeaders::default(),
        }
    }

    /// Adds a header, such as `User-Agent` or `Proxy-Authorization`; default none. The proxy reads them, the server
    /// does not.
    ///
    /// # Errors
    ///
    /// [`Misuse`], when name or value break the grammar of RFC 9110 §5 (a line end, for one), when the header is one
    /// that the request sets or must not have (`Host`, `Content-Length` and others), or when it may be there only once
    /// and is.
    pub fn header<N, V>(mut self, name: N, value: V) -> Result<Self, Misuse>
    where
        N: TryInto<HeaderName>,
        V: TryInto<HeaderValue>,
    {
        self.headers.append(name, value)?;
        Ok(self)
    }

    /// Where the tunnel is to end.
    #[must_use]
    pub fn destination(&self) -> &Destination {
        &self.destination
    }

    /// The headers that were added.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        self.headers.as_map()
    }

    pub(super) fn encode(&self) -> Bytes {
        HeadWriter::connect(&self.destination)
            .headers(self.headers.as_map())
            .finish(b"")
    }
}
