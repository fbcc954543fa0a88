//! Reads a collected head, once (RFC 9112 §3, §4, §5).

use std::mem::MaybeUninit;

use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::{Method, Request, Response, StatusCode, Uri, Version};

use super::error::{HeadError, RequestError};
use super::excerpt::Excerpt;
use super::extra_headers::mark_secret;

/// The header lines as they stand in a head's bytes.
type Fields<'a> = [httparse::Header<'a>];

/// What a request's head says, as it stands in its bytes.
pub(super) struct RequestLines<'a> {
    pub(super) method: &'a str,
    /// `/` where the method is not GET: then nobody asks for it.
    pub(super) target: Uri,
    pub(super) headers: &'a Fields<'a>,
}

/// What a response's head says, as it stands in its bytes.
pub(crate) struct ResponseLines<'a> {
    pub(crate) status: StatusCode,
    pub(super) version: Version,
    pub(super) headers: &'a Fields<'a>,
}

/// Reads a complete head with so many header lines at most, and hands what it says to `then`.
pub(super) fn read_response<T, E: From<HeadError>>(
    (head, header_count): (&[u8], usize),
    then: impl FnOnce(&ResponseLines<'_>) -> Result<T, E>,
) -> Result<T, E> {
    let mut memory = FieldMemory::new(header_count);
    let mut parsed = httparse::Response::new(&mut []);
    let status = httparse::ParserConfig::default()
        .parse_response_with_uninit_headers(&mut parsed, head, memory.fields())
        .map_err(syntax_error)?;
    let (true, Some(code), Some(minor)) = (status.is_complete(), parsed.code, parsed.version)
    else {
        return Err(INCOMPLETE.into());
    };
    let status = StatusCode::from_u16(code).map_err(|_| HeadError::Syntax { expected: STATUS })?;
    let version = if minor == 0 {
        Version::HTTP_10
    } else {
        Version::HTTP_11
    };
    check_fields(parsed.headers)?;
    then(&ResponseLines {
        status,
        version,
        headers: parsed.headers,
    })
}

/// The same for a request.
pub(super) fn read_request<T>(
    (head, header_count): (&[u8], usize),
    then: impl FnOnce(&RequestLines<'_>) -> Result<T, RequestError>,
) -> Result<T, RequestError> {
    let mut memory = FieldMemory::new(header_count);
    let mut parsed = httparse::Request::new(&mut []);
    let status = parsed
        .parse_with_uninit_headers(head, memory.fields())
        .map_err(syntax_error)?;
    let (true, Some(method), Some(target)) = (status.is_complete(), parsed.method, parsed.path)
    else {
        return Err(INCOMPLETE.into());
    };
    if method != "GET" {
        Method::from_bytes(method.as_bytes()).map_err(|_| HeadError::Syntax {
            expected: "a method of token characters",
        })?;
    }
    check_fields(parsed.headers)?;
    // RFC 9110 §9.1: an unknown method is answered as such, whatever its target looks like.
    let target = if method == "GET" {
        parse_target(target)?
    } else {
        Uri::default()
    };
    then(&RequestLines {
        method,
        target,
        headers: parsed.headers,
    })
}

impl RequestLines<'_> {
    pub(super) fn to_request(&self) -> Result<Request<()>, HeadError> {
        let mut request = Request::new(());
        *request.method_mut() =
            Method::from_bytes(self.method.as_bytes()).map_err(|_| INCOMPLETE)?;
        request.uri_mut().clone_from(&self.target);
        *request.headers_mut() = header_map(self.headers)?;
        Ok(request)
    }
}

impl ResponseLines<'_> {
    pub(super) fn to_response(&self) -> Result<Response<()>, HeadError> {
        let mut response = Response::new(());
        *response.status_mut() = self.status;
        *response.version_mut() = self.version;
        *response.headers_mut() = header_map(self.headers)?;
        Ok(response)
    }
}

/// Room for header lines: for the usual number, or else for as many as there are.
struct FieldMemory<'a> {
    few: [MaybeUninit<httparse::Header<'a>>; USUAL_HEADERS],
    many: Vec<MaybeUninit<httparse::Header<'a>>>,
}

impl<'a> FieldMemory<'a> {
    fn new(count: usize) -> Self {
        let mut many = Vec::new();
        if count > USUAL_HEADERS {
            many.resize_with(count, MaybeUninit::uninit);
        }
        Self {
            few: [const { MaybeUninit::uninit() }; USUAL_HEADERS],
            many,
        }
    }

    fn fields(&mut self) -> &mut [MaybeUninit<httparse::Header<'a>>] {
        match self.many.is_empty() {
            true => &mut self.few,
            false => &mut self.many,
        }
    }
}

/// What [`header_map`] asks for beyond what the parser saw to.
fn check_fields(fields: &Fields<'_>) -> Result<(), HeadError> {
    if fields.len() > MOST_HEADERS {
        return Err(HeadError::TooManyHeaders {
            limit: MOST_HEADERS,
        });
    }
    if fields.iter().any(|field| field.name.len() > MOST_IN_NAME) {
        return Err(HeadError::Syntax {
            expected: HEADER_NAME,
        });
    }
    Ok(())
}

/// RFC 9112 §3.2: of the four forms of a target, GET knows origin-form and absolute-form. RFC 6455 §4.2.1 allows the
/// absolute form with an http or https URI.
fn parse_target(target: &str) -> Result<Uri, RequestError> {
    let refused = || RequestError::Target {
        got: Excerpt::new(target.as_bytes()),
    };
    // RFC 6455 §3: no fragment. Nor anything that is not visible ASCII, which `Uri` would partly let pass. Braces and
    // the like are not in RFC 3986 either, but browsers send them unescaped in a query.
    if target.contains('#') || !target.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(refused());
    }
    if target == "/" {
        return Ok(Uri::default());
    }
    let uri: Uri = target.parse().map_err(|_| refused())?;
    if target.starts_with('/') {
        return Ok(uri);
    }
    match (uri.scheme_str(), uri.authority()) {
        (Some("http" | "https"), Some(_)) => {}
        _ => return Err(refused()),
    }
    // RFC 6455 §3: an empty path stands for "/". `Uri` fills it in, but not before a query.
    if uri
        .path_and_query()
        .is_some_and(|resource| resource.as_str().starts_with('?'))
    {
        return target.replacen('?', "/?", 1).parse().map_err(|_| refused());
    }
    Ok(uri)
}

fn header_map(fields: &Fields<'_>) -> Result<HeaderMap, HeadError> {
    let too_many = |_| HeadError::TooManyHeaders {
        limit: MOST_HEADERS,
    };
    let mut headers = HeaderMap::try_with_capacity(fields.len()).map_err(too_many)?;
    for field in fields {
        let name =
            HeaderName::from_bytes(field.name.as_bytes()).map_err(|_| HeadError::Syntax {
                expected: HEADER_NAME,
            })?;
        let mut value = HeaderValue::from_bytes(field.value).map_err(|_| HeadError::Syntax {
            expected: HEADER_VALUE,
        })?;
        mark_secret(&name, &mut value);
        headers.try_append(name, value).map_err(too_many)?;
    }
    Ok(headers)
}

fn syntax_error(error: httparse::Error) -> HeadError {
    let expected = match error {
        httparse::Error::HeaderName => HEADER_NAME,
        httparse::Error::HeaderValue => HEADER_VALUE,
        httparse::Error::NewLine => "a line end of CR LF",
        httparse::Error::Status => STATUS,
        httparse::Error::Token => "a start line of visible characters",
        httparse::Error::TooManyHeaders => "as many headers as lines",
        httparse::Error::Version => "HTTP/1.1",
    };
    HeadError::Syntax { expected }
}

const INCOMPLETE: HeadError = HeadError::Syntax {
    expected: "a complete head",
};

/// So many header lines cost no allocation.
const USUAL_HEADERS: usize = 24;

/// A [`HeaderMap`] takes so many different names in any case.
const MOST_HEADERS: usize = 24 * 1024;

/// A [`HeaderName`] takes so many bytes.
const MOST_IN_NAME: usize = u16::MAX as usize;

const HEADER_NAME: &str = "a header name of token characters and a colon";
const HEADER_VALUE: &str = "a header value of visible characters";
const STATUS: &str = "a status code from 100 to 999";
