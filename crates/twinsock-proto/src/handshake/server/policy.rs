use http::HeaderMap;
use http::header::{HeaderName, HeaderValue};

use super::origin::Origin;
use crate::deflate::parameter_list::ParameterList;
use crate::deflate::terms::{Agreement, DeflateTerms};
use crate::handshake::error::Misuse;
use crate::handshake::extra_headers::ExtraHeaders;
use crate::handshake::subprotocol::Subprotocol;
use crate::uri::Authority;

/// Whom a server accepts, which subprotocols it speaks, and which headers it adds to its answer.
///
/// By default: pages of the same host, no subprotocol, no compression, no header.
///
/// ```
/// use twinsock_proto::handshake::server::{OriginPolicy, Policy};
///
/// let policy = Policy::new()
///     .protocol("chat.v2".parse()?)?
///     .protocol("chat.v1".parse()?)?
///     .origins(OriginPolicy::SameHostOr(vec!["https://game.example".parse()?]))
///     .header("Server", "twinsock")?;
/// # let _ = policy;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Policy {
    protocols: Vec<Subprotocol>,
    origins: OriginPolicy,
    headers: ExtraHeaders,
    deflate: Option<DeflateTerms>,
}

impl Policy {
    /// The default policy.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a subprotocol that the server speaks, the preferred one first; default none.
    ///
    /// The first of the server's list that the client offers is chosen: the order is the server's. When nothing
    /// matches, the connection opens without a subprotocol (RFC 6455 §4.2.2), and either side may then close it.
    ///
    /// # Errors
    ///
    /// [`Misuse::RepeatedProtocol`], when it has been added before.
    pub fn protocol(mut self, protocol: Subprotocol) -> Result<Self, Misuse> {
        if self.protocols.contains(&protocol) {
            return Err(Misuse::RepeatedProtocol { protocol });
        }
        self.protocols.push(protocol);
        Ok(self)
    }

    /// Sets which web pages may connect; default [`OriginPolicy::SameHostOr`] no others.
    #[must_use]
    pub fn origins(mut self, origins: OriginPolicy) -> Self {
        self.origins = origins;
        self
    }

    /// Allows pages of one more origin, where not all are allowed already.
    #[must_use]
    pub fn origin(mut self, origin: Origin) -> Self {
        if let OriginPolicy::SameHostOr(others) = &mut self.origins {
            others.push(origin);
        }
        self
    }

    /// Compresses messages for clients that offer it; default not.
    ///
    /// The first of a client's offers that can be accepted is (RFC 7692 §5).
    #[must_use]
    pub fn deflate(mut self, terms: DeflateTerms) -> Self {
        self.deflate = Some(terms);
        self
    }

    /// Adds a header to the 101 response, such as `Set-Cookie` or `Server`; default none.
    ///
    /// # Errors
    ///
    /// [`Misuse`], when name or value break the grammar of RFC 9110 §5, when the header is one that the handshake
    /// itself sets, or when it may be there only once and is.
    pub fn header<N, V>(mut self, name: N, value: V) -> Result<Self, Misuse>
    where
        N: TryInto<HeaderName>,
        V: TryInto<HeaderValue>,
    {
        self.headers.append(name, value)?;
        Ok(self)
    }

    pub(super) fn allows_origin(&self, origin: &HeaderValue, host: &Authority) -> bool {
        self.origins.allows(origin, host)
    }

    pub(super) fn choose_protocol(&self, offered: &[Subprotocol]) -> Option<&Subprotocol> {
        self.protocols
            .iter()
            .find(|supported| offered.contains(supported))
    }

    pub(super) fn accept_deflate(&self, offer: Option<&ParameterList>) -> Option<Agreement> {
        Some(self.deflate.as_ref()?.accept(offer?))
    }

    pub(super) fn headers(&self) -> &HeaderMap {
        self.headers.as_map()
    }
}

/// Which web pages may connect (RFC 6455 §10.2).
///
/// A browser lets any page open a WebSocket to any server, sends the user's cookies along, and names the page in
/// `Origin`. A server that does not look at it lets foreign pages act in the user's name. A client without `Origin`
/// is no browser and is not concerned; it could write what it likes there.
///
/// ```
/// use twinsock_proto::handshake::server::OriginPolicy;
/// assert_eq!(OriginPolicy::default(), OriginPolicy::SameHostOr(Vec::new()));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OriginPolicy {
    /// Pages whose host and port equal those of the `Host` header, and pages of exactly these origins; default, with
    /// no others.
    ///
    /// Whether the page came over http or https is not compared for the same host, because behind a proxy that ends
    /// TLS a server cannot know its own scheme.
    SameHostOr(Vec<Origin>),
    /// Every page on the web, with the user's cookies. Safe only where nothing depends on who the user is or on
    /// which network the browser is in.
    AnyOriginDangerously,
}

impl OriginPolicy {
    fn allows(&self, origin: &HeaderValue, host: &Authority) -> bool {
        let Self::SameHostOr(others) = self else {
            return true;
        };
        let origin = origin
            .to_str()
            .ok()
            .and_then(|text| text.parse::<Origin>().ok());
        origin.is_some_and(|origin| origin.is_at(host) || others.contains(&origin))
    }
}

impl Default for OriginPolicy {
    fn default() -> Self {
        Self::SameHostOr(Vec::new())
    }
}
