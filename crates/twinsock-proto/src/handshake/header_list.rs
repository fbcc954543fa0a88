//! Header values that are comma-separated lists (RFC 9110 §5.6.1; RFC 6455 §9.1 for extensions).
//!
//! Several lines of one header are one list. An empty element is skipped (RFC 9110 §5.6.1.2); a list without any
//! element is malformed, because each list here needs at least one.

use std::borrow::Cow;

use http::HeaderMap;
use http::header::{HeaderName, HeaderValue};

/// The header lines of a head: as they stand in its bytes, or put together in a map.
pub(super) trait HeaderLines {
    /// The values of all lines with this name, in the order of the lines.
    fn values(&self, name: &HeaderName) -> impl Iterator<Item = &[u8]>;
}

impl HeaderLines for HeaderMap {
    fn values(&self, name: &HeaderName) -> impl Iterator<Item = &[u8]> {
        self.get_all(name).iter().map(HeaderValue::as_bytes)
    }
}

impl HeaderLines for [httparse::Header<'_>] {
    fn values(&self, name: &HeaderName) -> impl Iterator<Item = &[u8]> {
        let name = name.as_str();
        self.iter()
            .filter(move |field| field.name.eq_ignore_ascii_case(name))
            .map(|field| field.value)
    }
}

/// A header that breaks its grammar, or that may come once and came more often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

/// The only value of a header that must not be repeated; `None` when it is missing.
pub(super) fn single<'a>(
    lines: &'a (impl HeaderLines + ?Sized),
    name: &HeaderName,
) -> Result<Option<&'a [u8]>, Malformed> {
    let mut values = lines.values(name);
    let first = values.next();
    if values.next().is_some() {
        Err(Malformed)
    } else {
        Ok(first)
    }
}

/// Whether `wanted` is an element of the list, in upper or lower case. Other elements may be anything: a `Connection`
/// or `Upgrade` header also speaks to others than us.
pub(super) fn contains(
    lines: &(impl HeaderLines + ?Sized),
    name: &HeaderName,
    wanted: &str,
) -> bool {
    lines
        .values(name)
        .flat_map(|value| value.split(|&byte| byte == b','))
        .any(|element| element.trim_ascii().eq_ignore_ascii_case(wanted.as_bytes()))
}

/// All elements of a list of tokens; none when the header is missing.
pub(super) fn tokens<'a>(
    lines: &'a (impl HeaderLines + ?Sized),
    name: &HeaderName,
) -> Result<Vec<&'a str>, Malformed> {
    elements(lines, name, |scanner| scanner.token())
}

/// An element of a `Sec-WebSocket-Extensions` header (RFC 6455 §9.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Extension<'a> {
    pub(super) name: &'a str,
    /// The first of them; see [`MOST_PARAMETERS`].
    pub(super) parameters: Vec<(&'a str, Option<Cow<'a, str>>)>,
}

/// What `judge` makes of each extension in a `Sec-WebSocket-Extensions` header. A malformed header must end the
/// handshake (RFC 6455 §9.1), even where no extension is wanted.
pub(super) fn extensions<'a, T>(
    lines: &'a (impl HeaderLines + ?Sized),
    name: &HeaderName,
    judge: impl Fn(Extension<'a>) -> T,
) -> Result<Vec<T>, Malformed> {
    elements(lines, name, |scanner| {
        let mut extension = Extension {
            name: scanner.token()?,
            parameters: Vec::new(),
        };
        while scanner.skip_separator(b';') {
            let parameter = scanner.parameter()?;
            if extension.parameters.len() < MOST_PARAMETERS {
                extension.parameters.push(parameter);
            }
        }
        Ok(judge(extension))
    })
}

/// RFC 9110 §5.6.2: one or more of the characters that separate nothing.
pub(super) fn is_token(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().copied().all(is_token_byte)
}

fn elements<'a, T>(
    lines: &'a (impl HeaderLines + ?Sized),
    name: &HeaderName,
    read: impl Fn(&mut Scanner<'a>) -> Result<T, Malformed>,
) -> Result<Vec<T>, Malformed> {
    let mut found = Vec::new();
    let mut is_there = false;
    for value in lines.values(name) {
        is_there = true;
        let mut scanner = Scanner { rest: value };
        loop {
            while scanner.skip_separator(b',') {}
            if scanner.rest.is_empty() {
                break;
            }
            found.push(read(&mut scanner)?);
            scanner.skip_whitespace();
            if !matches!(scanner.rest.first(), None | Some(b',')) {
                return Err(Malformed);
            }
        }
    }
    if found.is_empty() && is_there {
        Err(Malformed)
    } else {
        Ok(found)
    }
}

/// Reads a header's value from left to right, each byte once.
pub(crate) struct Scanner<'a> {
    pub(crate) rest: &'a [u8],
}

impl<'a> Scanner<'a> {
    pub(crate) fn token(&mut self) -> Result<&'a str, Malformed> {
        let rest = self.rest;
        let end = rest
            .iter()
            .position(|&byte| !is_token_byte(byte))
            .unwrap_or(rest.len());
        let (token, rest) = rest.split_at(end);
        self.rest = rest;
        match str::from_utf8(token) {
            Ok(token) if !token.is_empty() => Ok(token),
            _ => Err(Malformed),
        }
    }

    /// A parameter's name and value.
    fn parameter(&mut self) -> Result<(&'a str, Option<Cow<'a, str>>), Malformed> {
        let name = self.token()?;
        if !self.skip_separator(b'=') {
            return Ok((name, None));
        }
        let value = match self.rest.split_first() {
            Some((b'"', rest)) => {
                self.rest = rest;
                Cow::Owned(self.quoted_token()?)
            }
            _ => Cow::Borrowed(self.token()?),
        };
        Ok((name, Some(value)))
    }

    /// RFC 6455 §9.1: what a quoted string stands for, once unescaped, must again be a token.
    fn quoted_token(&mut self) -> Result<String, Malformed> {
        let mut token = String::new();
        loop {
            let byte = match self.next()? {
                b'"' if !token.is_empty() => return Ok(token),
                b'\\' => self.next()?,
                byte => byte,
            };
            if !is_token_byte(byte) {
                return Err(Malformed);
            }
            token.push(char::from(byte));
        }
    }

    pub(crate) fn next(&mut self) -> Result<u8, Malformed> {
        let (&byte, rest) = self.rest.split_first().ok_or(Malformed)?;
        self.rest = rest;
        Ok(byte)
    }

    pub(crate) fn skip_whitespace(&mut self) {
        while let Some((b' ' | b'\t', rest)) = self.rest.split_first() {
            self.rest = rest;
        }
    }

    /// Skips `separator` and the whitespace around it, which RFC 6455 §9.1 implies (RFC 2616 §2.1); says whether
    /// there was one.
    pub(crate) fn skip_separator(&mut self, separator: u8) -> bool {
        self.skip_whitespace();
        match self.rest.split_first() {
            Some((&first, rest)) if first == separator => {
                self.rest = rest;
                self.skip_whitespace();
                true
            }
            _ => false,
        }
    }
}

fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// So many parameters of an extension are kept: more than any has that is known here, so that a longer list is seen
/// to be wrong without being held.
const MOST_PARAMETERS: usize = 8;

#[cfg(test)]
mod tests {
    use http::header::{CONNECTION, SEC_WEBSOCKET_EXTENSIONS};
    use proptest::prelude::*;

    use super::*;

    fn headers(name: &HeaderName, lines: &[&[u8]]) -> HeaderMap {
        let values = lines
            .iter()
            .map(|line| HeaderValue::from_bytes(line).unwrap());
        values.map(|value| (name.clone(), value)).collect()
    }

    fn extensions(lines: &[&str]) -> Result<Vec<String>, Malformed> {
        let lines: Vec<&[u8]> = lines.iter().map(|line| line.as_bytes()).collect();
        let headers = headers(&SEC_WEBSOCKET_EXTENSIONS, &lines);
        super::extensions(&headers, &SEC_WEBSOCKET_EXTENSIONS, |extension| {
            extension.name.to_owned()
        })
    }

    #[test]
    fn connection_tokens_are_found_in_any_case_and_line() {
        for lines in [
            &[&b"keep-alive, Upgrade"[..]][..],
            &[b"UPGRADE"],
            &[b"close", b"x ,\tupgrade\t"],
            &[b",,upgrade"],
        ] {
            assert!(contains(
                &headers(&CONNECTION, lines),
                &CONNECTION,
                "upgrade"
            ));
        }
        for lines in [
            &[&b"upgraded"[..]][..],
            &[b"up grade"],
            &[b"no-upgrade"],
            &[b"\"upgrade\""],
            &[],
        ] {
            assert!(!contains(
                &headers(&CONNECTION, lines),
                &CONNECTION,
                "upgrade"
            ));
        }
    }

    #[test]
    fn section_9_1_well_formed_extension_lists_are_read() {
        assert_eq!(extensions(&[]).unwrap(), [""; 0]);
        assert_eq!(extensions(&["a"]).unwrap(), ["a"]);
        assert_eq!(
            extensions(&["a; b=1 ;c = \"x\", d", "e;f=\"\\g\""]).unwrap(),
            ["a", "d", "e"]
        );
        assert_eq!(extensions(&[", a,, b ,"]).unwrap(), ["a", "b"]);
    }

    #[test]
    fn section_9_1_parameters_are_read_and_unquoted() {
        let line = [&b"a; b; c=1 ; d = \"\\x2\\y\"; e=\"z\""[..]];
        let headers = headers(&SEC_WEBSOCKET_EXTENSIONS, &line);
        let parameters = super::extensions(&headers, &SEC_WEBSOCKET_EXTENSIONS, |extension| {
            extension.parameters
        });
        let expected = [
            ("b", None),
            ("c", Some("1".into())),
            ("d", Some("x2y".into())),
            ("e", Some("z".into())),
        ];
        assert_eq!(parameters.unwrap(), [expected]);
    }

    #[test]
    fn section_9_1_malformed_extension_lists_are_refused() {
        for line in [
            "",
            ",",
            "a;",
            "a;;b",
            ";a",
            "a b",
            "a; b=",
            "a; =c",
            "a; b=\"\"",
            "a; b=\"c",
            "a; b=\"c d\"",
            "a; b=\"c\"d",
            "a; b=\"c,d\"",
            "a; b=c d",
            "a/b",
            "\"a\"",
            "a; b=\"\\",
            "a=b",
        ] {
            assert_eq!(extensions(&[line]), Err(Malformed), "{line:?}");
        }
    }

    proptest! {
        #[test]
        fn lists_never_panic(line in proptest::collection::vec(prop_oneof![
            proptest::sample::select(b" \t,;=\"\\ab".to_vec()), 0x80..=0xff_u8], 0..60)) {
            let headers = headers(&CONNECTION, &[&line]);
            let _ = tokens(&headers, &CONNECTION);
            let _ = super::extensions(&headers, &CONNECTION, |extension| extension.parameters);
            let _ = contains(&headers, &CONNECTION, "a");
        }
    }
}
