//! Addresses that are relative to another one (RFC 3986 §5).

use std::ops::Range;

use super::WebSocketUri;
use super::authority::{authority_range, check_characters};
use super::error::{UriError, bounded};
use super::resource::{check_resource, remove_dot_segments};
use super::scheme::{Scheme, is_scheme};

impl WebSocketUri {
    /// The address that `location` means when this one answers with it, as a redirect's `Location` header does
    /// (RFC 3986 §5.2).
    ///
    /// `location` may be absolute (`http` stands for `ws`, `https` for `wss`) or relative; its fragment is dropped.
    /// Whether to go there is the caller's to decide: see [`scheme`](Self::scheme) and
    /// [`same_origin`](Self::same_origin).
    ///
    /// # Errors
    ///
    /// [`UriError`], when `location` is no reference to a `ws` or `wss` address.
    ///
    /// ```
    /// use twinsock_proto::uri::WebSocketUri;
    ///
    /// let uri: WebSocketUri = "wss://a.example/chat/old?room=1".parse()?;
    /// assert_eq!(uri.join("../live")?.as_str(), "wss://a.example/live");
    /// assert_eq!(uri.join("https://b.example/#top")?.as_str(), "wss://b.example/");
    /// # Ok::<(), twinsock_proto::uri::UriError>(())
    /// ```
    pub fn join(&self, location: &str) -> Result<Self, UriError> {
        let reference = Reference::parse(location)?;
        let query = reference.query.map(|query| ["?", query].concat());
        let query = query.as_deref().unwrap_or_default();
        if let Some(authority) = reference.authority {
            let resource = remove_dot_segments(reference.path) + query;
            let scheme = reference.scheme.unwrap_or(self.scheme);
            return Self::assemble(scheme, authority, &resource);
        }
        let (own_path, own_query) = self.split_resource();
        Ok(match reference.path {
            "" if reference.query.is_none() => self.with_resource(own_path, own_query),
            "" => self.with_resource(own_path, query),
            path if path.starts_with('/') => self.with_resource(&remove_dot_segments(path), query),
            path => {
                // RFC 3986 §5.2.3: it takes the place of what follows the last slash.
                let (parents, _) = own_path.rsplit_once('/').unwrap_or_default();
                let path = remove_dot_segments(&[parents, "/", path].concat());
                self.with_resource(&path, query)
            }
        })
    }

    /// The path, and the query with its question mark.
    fn split_resource(&self) -> (&str, &str) {
        let resource = self.resource();
        resource.split_at(resource.find('?').unwrap_or(resource.len()))
    }

    fn with_resource(&self, path: &str, query: &str) -> Self {
        Self {
            text: [&self.text[..self.resource_start], path, query].concat(),
            host: self.host.clone(),
            zone: self.zone.clone(),
            ..*self
        }
    }
}

/// The parts of a reference (RFC 3986 §4.1). A scheme is there only with an authority.
struct Reference<'a> {
    scheme: Option<Scheme>,
    authority: Option<&'a str>,
    path: &'a str,
    query: Option<&'a str>,
}

impl<'a> Reference<'a> {
    fn parse(text: &'a str) -> Result<Self, UriError> {
        let (text, _fragment) = text.split_once('#').unwrap_or((text, ""));
        let scheme_end = match text.find([':', '/', '?']) {
            Some(end) if text[end..].starts_with(':') => Some(end),
            _ => None,
        };
        let start = scheme_end.map_or(0, |end| end + 1);
        let authority = text[start..]
            .starts_with("//")
            .then(|| authority_range(text, start + 2));
        check_characters(text, authority.clone().unwrap_or(0..0))?;
        let scheme = scheme_end
            .map(|end| read_scheme(&text[..end]))
            .transpose()?;
        if scheme.is_some() && authority.is_none() {
            return Err(UriError::NotAbsolute);
        }
        let resource_start = authority.as_ref().map_or(start, |authority| authority.end);
        let resource = &text[resource_start..];
        check_resource(resource, resource_start)?;
        let (path, query) = match resource.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (resource, None),
        };
        Ok(Self {
            scheme,
            authority: authority.map(|authority: Range<usize>| &text[authority]),
            path,
            query,
        })
    }
}

/// A server that redirects may speak of the resource as HTTP knows it.
fn read_scheme(text: &str) -> Result<Scheme, UriError> {
    let scheme = text.to_ascii_lowercase();
    match scheme.as_str() {
        "ws" | "http" => Ok(Scheme::Ws),
        "wss" | "https" => Ok(Scheme::Wss),
        // RFC 3986 §4.2: the first segment of a relative path has no colon.
        _ if !is_scheme(text) => Err(UriError::NotAbsolute),
        _ => Err(UriError::Scheme {
            got: bounded(&scheme),
        }),
    }
}
