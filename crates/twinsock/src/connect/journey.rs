//! Where a client is on its way to a server that sends it on, or asks who is there.

use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use twinsock_proto::authentication::{Party, Target};
use twinsock_proto::handshake::client::Request;
use twinsock_proto::uri::WebSocketUri;

use crate::connect::authentication::Authentication;
use crate::connect::options::ConnectOptions;
use crate::connect::secure::Check;
use crate::error::{Error, ErrorKind};
use crate::opening::Opened;
use crate::tls::Introduction;

/// One request after the other, until a server opens the connection or refuses for good.
pub(super) struct Journey<'a> {
    options: &'a ConnectOptions,
    uri: WebSocketUri,
    /// The caller's, or what is left of them in another origin.
    headers: Vec<(HeaderName, HeaderValue)>,
    authentication: Authentication,
    place: Place,
    redirects: usize,
}

/// Whose server the next one is.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Place {
    /// The caller has named its origin.
    Asked,
    /// A redirect has named it, now or before.
    SentTo,
}

impl<'a> Journey<'a> {
    pub(super) fn new(options: &'a ConnectOptions, uri: WebSocketUri) -> Self {
        let credential = options.server_credential.as_ref();
        Self {
            options,
            uri,
            headers: options.headers.clone(),
            authentication: Authentication::new(Party::Server, credential),
            place: Place::Asked,
            redirects: 0,
        }
    }

    /// The next request.
    pub(super) fn request(&self) -> Result<Request, Error> {
        let mut request = Request::new(self.uri.clone());
        let answer = self.authentication.header();
        // The answer to the server's own question takes the place of the caller's header.
        let is_answered = |name: &HeaderName| answer.is_some() && name == header::AUTHORIZATION;
        for (name, value) in &self.headers {
            if !is_answered(name) {
                request = request.header(name.clone(), value.clone())?;
            }
        }
        let cookies = self.options.cookies.header(&self.uri, &self.headers)?;
        let cookies = cookies.map(|cookies| (header::COOKIE, cookies));
        for (name, value) in answer.into_iter().chain(cookies) {
            request = request.header(name, value)?;
        }
        for protocol in &self.options.protocols {
            request = request.protocol(protocol.clone())?;
        }
        let offers = self.options.deflate.iter();
        Ok(offers.fold(request, |request, offer| request.deflate(*offer)))
    }

    /// Where the next request goes.
    pub(super) fn uri(&self) -> &WebSocketUri {
        &self.uri
    }

    /// How the server's certificate is checked there, and what it is shown. In another origin
    /// nothing is ignored for which the caller has named the first one.
    pub(super) fn check(&self) -> Check<'a> {
        let options = self.options;
        let (ignorable, introduction) = match self.place {
            Place::Asked => (options.ignorable.as_slice(), Introduction::WithIdentity),
            Place::SentTo => (Default::default(), Introduction::Anonymous),
        };
        Check {
            tls: &options.tls,
            ignorable,
            validation: options.validation.as_ref(),
            introduction,
        }
    }

    /// Shows the cookies of the server's response, whatever it said.
    pub(super) fn store_cookies(&self, opened: &Result<Opened, Error>) -> Result<(), Error> {
        let headers = match opened {
            Ok(opened) => opened.opening.response().map(Response::headers),
            Err(refusal) if refusal.kind() == ErrorKind::HandshakeRefused => {
                refusal.response().map(Response::headers)
            }
            Err(_) => None,
        };
        match headers {
            Some(headers) => self.options.cookies.store(&self.uri, headers),
            None => Ok(()),
        }
    }

    /// Makes the next request the one that `refusal` asks for; gives it back when it asks for
    /// none that may be made.
    pub(super) fn go_on_after(&mut self, refusal: Error) -> Result<(), Error> {
        let status = refusal.response().map(Response::status);
        if status == Some(StatusCode::UNAUTHORIZED) {
            return self.authentication.answer(refusal, Target::get(&self.uri));
        }
        self.follow(refusal)
    }

    fn follow(&mut self, refusal: Error) -> Result<(), Error> {
        let policy = &self.options.redirects;
        let redirect = policy.next(&self.uri, refusal, self.redirects)?;
        redirect.retain_headers(&mut self.headers);
        if !redirect.keeps_credentials() {
            // For good: what another origin leads to is not what the caller asked for.
            self.place = Place::SentTo;
        }
        let credential = self.options.server_credential.as_ref();
        let credential = credential.filter(|_| self.place == Place::Asked);
        self.authentication = Authentication::new(Party::Server, credential);
        self.uri = redirect.uri().clone();
        self.redirects += 1;
        Ok(())
    }
}
