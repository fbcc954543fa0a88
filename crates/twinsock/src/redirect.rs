//! Which redirects are followed, where to, and what is told there.

use http::header::{ACCEPT_LANGUAGE, AUTHORIZATION, COOKIE, LOCATION, USER_AGENT};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use twinsock_proto::uri::{Scheme, UriError, WebSocketUri};

use crate::error::{Error, ErrorKind, RedirectFault};

/// What a client does when the server answers the opening handshake with a redirect: 301, 302,
/// 303, 307 or 308. By default it does not follow (RFC 6455 §4.1 leaves it to the client).
///
/// A redirect that is not followed because none are is an
/// [`ErrorKind::HandshakeRefused`] with the server's whole response. One that a policy does not
/// follow, or cannot, is an [`ErrorKind::RedirectFailed`], which says why.
///
/// # What is never done
/// * No redirect leads from `wss` to `ws`.
/// * No more than 10 are followed.
/// * Another origin, which is another scheme, host or port, is not told what the first one was
///   told: no credentials, and of the headers that were added only those that reveal nothing,
///   `User-Agent` and `Accept-Language`, and those of
///   [`keep_header_across_origins`](Self::keep_header_across_origins). What was left out on the
///   way stays left out, also when a redirect leads back. `Origin` is left out too: a server that
///   trusts it must not be reached in its name because another server wished so.
///
/// Subprotocols are offered to each server; do not put secrets into them.
///
/// Whither a redirect leads is the server's choice: [`follow`](Self::follow) goes to private
/// addresses and to any port as well. Where that must not be,
/// [`same_origin_only`](Self::same_origin_only) is for.
///
/// ```
/// use twinsock::RedirectPolicy;
///
/// let policy = RedirectPolicy::follow().limit(3)?.keep_header_across_origins("X-Game")?;
/// # Ok::<(), twinsock::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct RedirectPolicy {
    follows: Follows,
    limit: usize,
    /// What another origin may be told.
    kept_headers: Vec<HeaderName>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Follows {
    Nothing,
    SameOrigin,
    AnyOrigin,
}

/// As many as are ever followed.
const MOST: usize = 10;

impl Default for RedirectPolicy {
    fn default() -> Self {
        Self::none()
    }
}

impl RedirectPolicy {
    /// Follows no redirect; the default.
    #[must_use]
    pub fn none() -> Self {
        Self::new(Follows::Nothing)
    }

    /// Follows at most 10 redirects, also to another origin.
    #[must_use]
    pub fn follow() -> Self {
        Self::new(Follows::AnyOrigin)
    }

    /// Follows at most 10 redirects, as long as scheme, host and port stay the same.
    #[must_use]
    pub fn same_origin_only() -> Self {
        Self::new(Follows::SameOrigin)
    }

    /// Follows no more than so many, 1 to 10.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidArgument`] for another number, and when no redirect is followed at all.
    pub fn limit(mut self, count: usize) -> Result<Self, Error> {
        self.require_following("a limit")?;
        if !(1..=MOST).contains(&count) {
            return Err(Error::invalid_argument(format!(
                "expected 1 to {MOST} redirects, got {count}"
            )));
        }
        self.limit = count;
        Ok(self)
    }

    /// Sends a header that was added to another origin too.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidArgument`] for a name that is none, for `Authorization`, `Cookie` and
    /// all that begins with `Proxy-`, and when no redirect to another origin is followed.
    pub fn keep_header_across_origins(mut self, name: &str) -> Result<Self, Error> {
        self.require_following("a header across origins")?;
        if self.follows == Follows::SameOrigin {
            return Err(Error::invalid_argument(
                "a header across origins: this policy follows no redirect to another origin",
            ));
        }
        let Ok(parsed) = HeaderName::try_from(name) else {
            return Err(Error::invalid_argument(format!(
                "expected a header name of token characters, got {name:?}"
            )));
        };
        let is_secret =
            [AUTHORIZATION, COOKIE].contains(&parsed) || parsed.as_str().starts_with("proxy-");
        if is_secret {
            return Err(Error::invalid_argument(format!(
                "the header {name:?} is never sent to another origin"
            )));
        }
        self.kept_headers.push(parsed);
        Ok(self)
    }

    /// Where to go on after a handshake with `current` failed with `error`, when `followed`
    /// redirects were followed before; or the error that tells why not.
    pub(crate) fn next(
        &self,
        current: &WebSocketUri,
        error: Error,
        followed: usize,
    ) -> Result<Redirect<'_>, Error> {
        let refusal = match error.kind() {
            ErrorKind::HandshakeRefused => error.response(),
            _ => None,
        };
        let Some(response) = refusal else {
            return Err(error);
        };
        match self.decide(current, response, followed) {
            Decision::NoRedirect => Err(error),
            Decision::Follow(redirect) => Ok(redirect),
            Decision::Fault(fault, context) => Err(Error::with_response(
                ErrorKind::RedirectFailed(fault),
                context,
                response.clone(),
            )),
        }
    }

    /// What to do about a response that is not 101.
    fn decide<B>(
        &self,
        current: &WebSocketUri,
        response: &Response<B>,
        followed: usize,
    ) -> Decision<'_> {
        if self.follows == Follows::Nothing || !is_redirect(response.status()) {
            return Decision::NoRedirect;
        }
        let uri = match target(current, response) {
            Ok(uri) => uri,
            Err(reason) => return Decision::Fault(RedirectFault::InvalidLocation, reason),
        };
        let is_same_origin = uri.same_origin(current);
        let is_forbidden = self.follows == Follows::SameOrigin && !is_same_origin;
        let fault = match (current.scheme(), uri.scheme()) {
            _ if followed >= self.limit => RedirectFault::TooMany,
            (Scheme::Wss, Scheme::Ws) => RedirectFault::ToPlain,
            (Scheme::Ws, Scheme::Wss) if is_forbidden => RedirectFault::ToSecure,
            _ if is_forbidden => RedirectFault::OtherOrigin,
            _ => {
                let told = match is_same_origin {
                    true => Told::All,
                    false => Told::Only(&self.kept_headers),
                };
                return Decision::Follow(Redirect { uri, told });
            }
        };
        let context = self.describe(fault, current, &uri);
        Decision::Fault(fault, context)
    }

    fn new(follows: Follows) -> Self {
        Self {
            follows,
            limit: MOST,
            kept_headers: vec![USER_AGENT, ACCEPT_LANGUAGE],
        }
    }

    fn require_following(&self, what: &str) -> Result<(), Error> {
        if self.follows == Follows::Nothing {
            return Err(Error::invalid_argument(format!(
                "{what}: this policy follows no redirect"
            )));
        }
        Ok(())
    }

    fn describe(&self, fault: RedirectFault, from: &WebSocketUri, to: &WebSocketUri) -> String {
        // Origins only: what follows them may be a secret.
        let origin = |uri: &WebSocketUri| format!("{}://{}", uri.scheme(), uri.authority());
        let (from, to) = (origin(from), origin(to));
        match fault {
            RedirectFault::TooMany => {
                format!("{from} redirects to {to}, and {} were followed", self.limit)
            }
            RedirectFault::ToPlain => format!("{from} redirects to {to}, which is not secure"),
            _ => format!("{from} redirects to {to}, which is another origin"),
        }
    }
}

/// What comes of a response.
enum Decision<'a> {
    /// It is none, or none are followed: the refusal stays one.
    NoRedirect,
    Follow(Redirect<'a>),
    Fault(RedirectFault, String),
}

/// A redirect that is followed.
#[derive(Debug)]
pub(crate) struct Redirect<'a> {
    uri: WebSocketUri,
    told: Told<'a>,
}

/// What its target may be told.
#[derive(Debug)]
enum Told<'a> {
    All,
    Only(&'a [HeaderName]),
}

impl Redirect<'_> {
    /// Where it leads.
    pub(crate) fn uri(&self) -> &WebSocketUri {
        &self.uri
    }

    /// Whether the user's credentials for the server, and a client certificate, are for the
    /// target too.
    pub(crate) fn keeps_credentials(&self) -> bool {
        matches!(self.told, Told::All)
    }

    /// Takes out of the caller's headers what the target must not be told. For a chain of
    /// redirects the same list is passed each time.
    pub(crate) fn retain_headers(&self, headers: &mut Vec<(HeaderName, HeaderValue)>) {
        if let Told::Only(kept) = self.told {
            headers.retain(|(name, _)| kept.contains(name));
        }
    }
}

/// 300 leaves the choice to the user, 304 and 305 are no redirects.
fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

fn target<B>(current: &WebSocketUri, response: &Response<B>) -> Result<WebSocketUri, String> {
    let mut locations = response.headers().get_all(LOCATION).iter();
    let location = match (locations.next(), locations.next()) {
        (Some(location), None) => location,
        (None, _) => return Err("a redirect without a Location".to_owned()),
        (Some(_), Some(_)) => return Err("a redirect with several Locations".to_owned()),
    };
    let location = std::str::from_utf8(location.as_bytes())
        .map_err(|_| "a redirect whose Location is not UTF-8".to_owned())?;
    current
        .join(location)
        .map_err(|error| format!("a redirect to no WebSocket address: {}", fault_of(&error)))
}

/// What is wrong with a Location. None of it is quoted: any part may be a secret.
fn fault_of(error: &UriError) -> &'static str {
    match error {
        UriError::Scheme { .. } => "expected scheme ws or wss, got another",
        UriError::UserInfo => "expected no user information, got some before '@'",
        UriError::EmptyHost
        | UriError::Host { .. }
        | UriError::InternationalHost { .. }
        | UriError::Zone { .. } => "expected a DNS name or an IP address, got something else",
        UriError::Port { .. } => "expected a port from 1 to 65535, got something else",
        UriError::PercentEncoding { .. } => "expected two hexadecimal digits after '%'",
        _ => "expected a reference of RFC 3986, got something else",
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn uri(text: &str) -> WebSocketUri {
        text.parse().unwrap()
    }

    fn response(status: u16, locations: &[&str]) -> Response<Bytes> {
        let mut response = Response::builder().status(status);
        for location in locations {
            response = response.header(LOCATION, *location);
        }
        response.body(Bytes::from_static(b"moved")).unwrap()
    }

    fn refusal(status: u16, locations: &[&str]) -> Error {
        let response = response(status, locations);
        Error::with_response(ErrorKind::HandshakeRefused, "refused", response)
    }

    /// Where a redirect from the first address leads, or why it does not.
    fn follow(
        policy: &RedirectPolicy,
        from: &str,
        location: &str,
        followed: usize,
    ) -> Result<String, ErrorKind> {
        let next = policy.next(&uri(from), refusal(302, &[location]), followed);
        next.map(|redirect| redirect.uri().to_string())
            .map_err(|error| error.kind())
    }

    #[test]
    fn a_location_is_resolved_as_a_link_is() {
        let policy = RedirectPolicy::follow();
        for (from, location, to) in [
            ("ws://a.example/x/y?z", "/live", "ws://a.example/live"),
            (
                "ws://a.example/x/y?z",
                "live?1#part",
                "ws://a.example/x/live?1",
            ),
            ("wss://a.example:8443/", "//b.example/", "wss://b.example/"),
            ("ws://a.example/", "https://a.example/", "wss://a.example/"),
            (
                "ws://a.example/",
                "wss://a.example:8443/",
                "wss://a.example:8443/",
            ),
            (
                "wss://a.example/",
                "https://b.example/c",
                "wss://b.example/c",
            ),
        ] {
            assert_eq!(follow(&policy, from, location, 0).as_deref(), Ok(to));
        }
    }

    #[test]
    fn only_five_statuses_are_redirects() {
        let policy = RedirectPolicy::follow();
        let from = uri("ws://a.example/");
        for status in [301, 302, 303, 307, 308] {
            let next = policy.next(&from, refusal(status, &["/b"]), 0).unwrap();
            assert_eq!(next.uri().as_str(), "ws://a.example/b", "{status}");
        }
        for status in [200, 300, 304, 305, 306, 401, 404, 500] {
            let error = policy.next(&from, refusal(status, &["/b"]), 0).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::HandshakeRefused, "{status}");
        }
    }

    #[test]
    fn a_policy_that_follows_nothing_leaves_the_refusal_as_it_is() {
        let error = RedirectPolicy::default()
            .next(
                &uri("wss://a.example/"),
                refusal(307, &["ws://b.example/"]),
                0,
            )
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::HandshakeRefused);
        let response = error.response().unwrap();
        assert_eq!(response.status(), StatusCode::TEMPORARY_REDIRECT);
        assert_eq!(response.headers()[LOCATION], "ws://b.example/");
        assert_eq!(&response.body()[..], b"moved");
    }

    #[test]
    fn other_errors_pass_through() {
        let error = RedirectPolicy::follow()
            .next(&uri("ws://a.example/"), Error::closed(), 0)
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Closed);
    }

    #[test]
    fn each_fault_has_its_kind_and_keeps_the_response() {
        let (any, same) = (RedirectPolicy::follow(), RedirectPolicy::same_origin_only());
        let (ws, wss) = ("ws://a.example/", "wss://a.example/");
        for (policy, from, location, fault) in [
            (&any, wss, "ws://a.example/", RedirectFault::ToPlain),
            (&any, wss, "http://b.example/", RedirectFault::ToPlain),
            (&same, wss, "ws://a.example/", RedirectFault::ToPlain),
            (&same, ws, "wss://a.example/", RedirectFault::ToSecure),
            (&same, ws, "//b.example/", RedirectFault::OtherOrigin),
            (&same, ws, "//a.example:81/", RedirectFault::OtherOrigin),
            (&any, ws, "ftp://a.example/", RedirectFault::InvalidLocation),
            (&any, ws, "//u:p@a.example/", RedirectFault::InvalidLocation),
        ] {
            let error = policy.next(&uri(from), refusal(302, &[location]), 0);
            let error = error.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::RedirectFailed(fault), "{location}");
            assert_eq!(&error.response().unwrap().body()[..], b"moved");
        }
        assert!(follow(&same, ws, "//A.example:80/x", 0).is_ok());
    }

    #[test]
    fn no_more_are_followed_than_the_limit_says() {
        let kind = ErrorKind::RedirectFailed(RedirectFault::TooMany);
        let (ten, three) = (RedirectPolicy::follow(), RedirectPolicy::follow().limit(3));
        for (policy, limit) in [(ten, 10), (three.unwrap(), 3)] {
            assert!(follow(&policy, "ws://a.example/", "/", limit - 1).is_ok());
            assert_eq!(follow(&policy, "ws://a.example/", "/", limit), Err(kind));
        }
    }

    #[test]
    fn one_location_is_needed() {
        let kind = ErrorKind::RedirectFailed(RedirectFault::InvalidLocation);
        for locations in [&[][..], &["/a", "/b"]] {
            let error = RedirectPolicy::follow()
                .next(&uri("ws://a.example/"), refusal(301, locations), 0)
                .unwrap_err();
            assert_eq!(error.kind(), kind, "{locations:?}");
        }
    }

    #[test]
    fn another_origin_is_told_nothing_that_was_meant_for_the_first() {
        let all = [
            "user-agent",
            "accept-language",
            "origin",
            "authorization",
            "cookie",
            "x-api-key",
            "x-game",
        ];
        let policy = RedirectPolicy::follow();
        let policy = policy.keep_header_across_origins("X-Game").unwrap();
        for (from, location, is_same) in [
            ("ws://a.example/", "/other", true),
            ("wss://a.example/", "https://A.example:443/", true),
            ("ws://a.example/", "wss://a.example/", false),
            ("ws://a.example/", "ws://www.a.example/", false),
            ("ws://a.example/", "ws://a.example:8080/", false),
        ] {
            let mut headers: Vec<_> = all
                .iter()
                .map(|&name| (HeaderName::from_static(name), HeaderValue::from_static("x")))
                .collect();
            let redirect = policy
                .next(&uri(from), refusal(308, &[location]), 0)
                .unwrap();
            redirect.retain_headers(&mut headers);
            let names: Vec<_> = headers.iter().map(|(name, _)| name.as_str()).collect();
            let kept = match is_same {
                true => &all[..],
                false => &["user-agent", "accept-language", "x-game"],
            };
            assert_eq!(names, kept, "{from} to {location}");
            assert_eq!(
                redirect.keeps_credentials(),
                is_same,
                "{from} to {location}"
            );
        }
    }

    #[test]
    fn a_fault_shows_origins_and_no_more() {
        let error = RedirectPolicy::follow()
            .next(
                &uri("wss://a.example/?token=hunter2"),
                refusal(302, &["ws://b.example:81/?token=hunter2"]),
                0,
            )
            .unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains("wss://a.example ") && text.contains("ws://b.example:81"),
            "{text}"
        );
        assert!(!text.contains("hunter2"), "{text}");
    }

    #[test]
    fn settings_that_cannot_be_are_refused() {
        let follow = RedirectPolicy::follow;
        let keep = |name| follow().keep_header_across_origins(name);
        for refused in [
            follow().limit(0),
            follow().limit(11),
            RedirectPolicy::none().limit(1),
            keep("Authorization"),
            keep("COOKIE"),
            keep("Proxy-Authorization"),
            keep("no name"),
            RedirectPolicy::none().keep_header_across_origins("X-Game"),
            RedirectPolicy::same_origin_only().keep_header_across_origins("X-Game"),
        ] {
            assert_eq!(refused.unwrap_err().kind(), ErrorKind::InvalidArgument);
        }
        assert!(follow().limit(1).is_ok() && follow().limit(10).is_ok());
    }
}
