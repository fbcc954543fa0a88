use http::HeaderMap;
use http::header::{HeaderName, HeaderValue};

use crate::deflate::offer::DeflateOffer;
use crate::handshake::error::Misuse;
use crate::handshake::extra_headers::ExtraHeaders;
use crate::handshake::head_writer::HeadWriter;
use crate::handshake::key::Key;
use crate::handshake::subprotocol::Subprotocol;
use crate::uri::WebSocketUri;

/// What a client asks of a server: a resource, subprotocols to choose from, and headers of its own.
///
/// ```
/// use twinsock_proto::handshake::client::Request;
///
/// let request = Request::new("ws://game.example/live".parse()?)
///     .header("Origin", "http://game.example")?
///     .protocol("chat.v2".parse()?)?
///     .protocol("chat.v1".parse()?)?;
/// assert_eq!(request.protocols().len(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Request {
    uri: WebSocketUri,
    headers: ExtraHeaders,
    protocols: Vec<Subprotocol>,
    deflate: Vec<DeflateOffer>,
}

impl Request {
    /// How many offers to compress a request has at most.
    pub const MOST_DEFLATE_OFFERS: usize = 8;

    /// A request for `uri` that offers no subprotocol and has no header beyond those of the handshake.
    #[must_use]
    pub fn new(uri: WebSocketUri) -> Self {
        Self {
            uri,
            headers: ExtraHeaders::default(),
            protocols: Vec::new(),
            deflate: Vec::new(),
        }
    }

    /// Adds a header, such as `Origin`, `Cookie`, `Authorization` or `User-Agent`; default none.
    ///
    /// A name may be added again where a header can have several lines.
    ///
    /// # Errors
    ///
    /// [`Misuse`], when name or value break the grammar of RFC 9110 §5 (a line end, for one), when the header is one
    /// that the handshake itself sets (`Host`, `Upgrade`, `Sec-WebSocket-*` and others), or when it may be there only
    /// once and is.
    pub fn header<N, V>(mut self, name: N, value: V) -> Result<Self, Misuse>
    where
        N: TryInto<HeaderName>,
        V: TryInto<HeaderValue>,
    {
        self.headers.append(name, value)?;
        Ok(self)
    }

    /// Offers a subprotocol, the preferred one first; default none (RFC 6455 §4.1, item 10).
    ///
    /// # Errors
    ///
    /// [`Misuse::RepeatedProtocol`], when it has been offered before.
    pub fn protocol(mut self, protocol: Subprotocol) -> Result<Self, Misuse> {
        if self.protocols.contains(&protocol) {
            return Err(Misuse::RepeatedProtocol { protocol });
        }
        self.protocols.push(protocol);
        Ok(self)
    }

    /// Offers to compress messages, in the way that is preferred first; further offers are fallbacks. Default none.
    ///
    /// Beyond [`MOST_DEFLATE_OFFERS`](Self::MOST_DEFLATE_OFFERS) they are left out.
    #[must_use]
    pub fn deflate(mut self, offer: DeflateOffer) -> Self {
        if self.deflate.len() < Self::MOST_DEFLATE_OFFERS {
            self.deflate.push(offer);
        }
        self
    }

    /// Where the request goes.
    #[must_use]
    pub fn uri(&self) -> &WebSocketUri {
        &self.uri
    }

    /// The headers that were added.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        self.headers.as_map()
    }

    /// The subprotocols on offer, the preferred one first.
    #[must_use]
    pub fn protocols(&self) -> &[Subprotocol] {
        &self.protocols
    }

    /// The offers to compress, the preferred one first.
    #[must_use]
    pub fn deflate_offers(&self) -> &[DeflateOffer] {
        &self.deflate
    }

    /// RFC 6455 §4.1: the request line and the headers that each opening handshake has.
    pub(super) fn encode(&self, key: &Key) -> bytes::Bytes {
        HeadWriter::request(&self.uri)
            .fixed("Upgrade", "websocket")
            .fixed("Connection", "Upgrade")
            .key(key)
            .fixed("Sec-WebSocket-Version", "13")
            .protocols(&self.protocols)
            .deflate(self.deflate.iter().map(|offer| offer.to_parameter_list()))
            .headers(self.headers.as_map())
            .finish(b"")
    }

    /// Subprotocols and offers to compress.
    pub(super) fn into_offers(self) -> (Vec<Subprotocol>, Box<[DeflateOffer]>) {
        (self.protocols, self.deflate.into())
    }
}
