//! Reads a collected head, once (RFC 9112 §3, §4, §5).

use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::{Method, Request, Response, StatusCode, Uri, Version};

use super::error::{HeadError, RequestError};
use super::excerpt::Excerpt;
use super::extra_headers::mark_secret;
use super::head::HeadCollector;

/// The response in a complete head.
pub(super) fn parse_response(head: &HeadCollector) -> Result<Response<()>, HeadError> {
    let mut fields = vec![httparse::EMPTY_HEADER; head.header_count()];
    let mut parsed = httparse::Response::new(&mut fields);
    let status = parsed.parse(head.bytes()).map_err(syntax_error)?;
    let (true, Some(code), Some(minor)) = (status.is_complete(), parsed.code, parsed.version)
    else {
        return Err(HeadError::Syntax {
            expected: "a complete head",
        });
    };
    let mut response = Response::new(());
    *response.status_mut() =
        StatusCode::from_u16(code).map_err(|_| HeadError::Syntax { expected: STATUS })?;
    *response.version_mut() = if minor == 0 {
        Version::HTTP_10
    } else {
        Version::HTTP_11
    };
    *response.headers_mut() = header_map(parsed.headers)?;
    Ok(response)
}

/// The request in a complete head.
pub(super) fn parse_request(head: &HeadCollector) -> Result<Request<()>, RequestError> {
    let mut fields = vec![httparse::EMPTY_HEADER; head.header_count()];
    let mut parsed = httparse::Request::new(&mut fields);
    let status = parsed.parse(head.bytes()).map_err(syntax_error)?;
    let (true, Some(method), Some(target)) = (status.is_complete(), parsed.method, parsed.path)
    else {
        return Err(RequestError::Head(HeadError::Syntax {
            expected: "a complete head",
        }));
    };
    let mut request = Request::new(());
    *request.method_mut() =
        Method::from_bytes(method.as_bytes()).map_err(|_| HeadError::Syntax {
            expected: "a method of token characters",
        })?;
    *request.headers_mut() = header_map(parsed.headers)?;
    // RFC 9110 §9.1: an unknown method is answered as such, whatever its target looks like.
    if request.method() == Method::GET {
        *request.uri_mut() = parse_target(target)?;
    }
    Ok(request)
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

fn header_map(fields: &[httparse::Header<'_>]) -> Result<HeaderMap, HeadError> {
    let mut headers = HeaderMap::new();
    for field in fields {
        let name =
            HeaderName::from_bytes(field.name.as_bytes()).map_err(|_| HeadError::Syntax {
                expected: HEADER_NAME,
            })?;
        let mut value = HeaderValue::from_bytes(field.value).map_err(|_| HeadError::Syntax {
            expected: HEADER_VALUE,
        })?;
        mark_secret(&name, &mut value);
        headers
            .try_append(name, value)
            .map_err(|_| HeadError::TooManyHeaders {
                limit: fields.len(),
            })?;
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

const HEADER_NAME: &str = "a header name of token characters and a colon";
const HEADER_VALUE: &str = "a header value of visible characters";
const STATUS: &str = "a status code from 100 to 999";
