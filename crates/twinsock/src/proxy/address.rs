//! Reads a proxy's address.
//!
//! No fault quotes what may be a part of a user name or a password: where one was written without
//! its percent-encoding, that may be any part but the scheme.

use std::fmt;

use twinsock_proto::authentication::{Credential, InvalidCredential};
use twinsock_proto::uri::{UriError, WebSocketUri};

use crate::proxy::exceptions::Exceptions;
use crate::proxy::{Proxy, ProxyScheme};

/// Why a text is no proxy's address.
#[derive(Debug)]
pub(super) enum Fault {
    Socks4,
    UnknownScheme(String),
    NoHost,
    Host,
    Port,
    Rest,
    PercentEncoding,
    Credential(InvalidCredential),
}

pub(super) fn parse(address: &str) -> Result<Proxy, Fault> {
    let (scheme, rest) = split_scheme(address)?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, rest) = rest.split_at(end);
    if !matches!(rest, "" | "/") {
        return Err(Fault::Rest);
    }
    let (user_info, host_and_port) = match authority.rsplit_once('@') {
        Some((user_info, host_and_port)) => (Some(user_info), host_and_port),
        None => (None, authority),
    };
    if host_and_port.is_empty() || host_and_port.starts_with(':') {
        return Err(Fault::NoHost);
    }
    let port = default_port(host_and_port, scheme);
    let uri = format!("ws://{host_and_port}{port}/").parse::<WebSocketUri>();
    let address = uri.map_err(|error| match error {
        UriError::Port { .. } => Fault::Port,
        _ => Fault::Host,
    })?;
    Ok(Proxy {
        scheme,
        address,
        credential: user_info.map(read_credential).transpose()?,
        tls: None,
        exceptions: Exceptions::default(),
    })
}

fn split_scheme(address: &str) -> Result<(ProxyScheme, &str), Fault> {
    let Some((scheme, rest)) = address.split_once("://") else {
        return Ok((ProxyScheme::Http, address));
    };
    let scheme = match scheme.to_ascii_lowercase().as_str() {
        "http" => ProxyScheme::Http,
        "https" => ProxyScheme::Https,
        "socks5" => ProxyScheme::Socks5,
        "socks5h" => ProxyScheme::Socks5h,
        "socks4" | "socks4a" => return Err(Fault::Socks4),
        // Only what is a scheme by its grammar can be quoted without quoting a password.
        unknown if is_scheme(unknown) => return Err(Fault::UnknownScheme(unknown.to_owned())),
        _ => return Err(Fault::Rest),
    };
    Ok((scheme, rest))
}

/// RFC 3986 §3.1; longer ones than any that is in use are not quoted.
fn is_scheme(text: &str) -> bool {
    let is_sign = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    text.len() <= 16 && text.bytes().all(is_sign)
}

/// What has to follow, so that there is a port.
fn default_port(host_and_port: &str, scheme: ProxyScheme) -> String {
    let port = match host_and_port.rfind([':', ']']) {
        Some(last) => &host_and_port[last..],
        None => "",
    };
    match port {
        ":" => scheme.default_port().to_string(),
        "" | "]" => format!(":{}", scheme.default_port()),
        _ => String::new(),
    }
}

fn read_credential(user_info: &str) -> Result<Credential, Fault> {
    let (user_name, password) = split_user_info(user_info)?;
    Credential::new(&user_name, &password).map_err(Fault::Credential)
}

fn split_user_info(user_info: &str) -> Result<(String, String), Fault> {
    let (user_name, password) = user_info.split_once(':').unwrap_or((user_info, ""));
    Ok((decode(user_name)?, decode(password)?))
}

/// RFC 3986 §2.1.
fn decode(text: &str) -> Result<String, Fault> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let mut digit = || char::from(bytes.next()?).to_digit(16);
        let (Some(high), Some(low)) = (digit(), digit()) else {
            return Err(Fault::PercentEncoding);
        };
        decoded.push(u8::try_from(high * 16 + low).map_err(|_| Fault::PercentEncoding)?);
    }
    String::from_utf8(decoded).map_err(|_| Fault::PercentEncoding)
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Socks4 => "expected scheme socks5 or socks5h, got SOCKS4, which is not spoken",
            Self::UnknownScheme(scheme) => {
                return write!(
                    formatter,
                    "expected scheme http, https, socks5 or socks5h, got {scheme:?}"
                );
            }
            Self::NoHost => "expected a host, got none",
            Self::Host => "expected a DNS name or an IP address as its host",
            Self::Port => "expected a port from 1 to 65535",
            Self::Rest => {
                "expected [scheme://][user:password@]host[:port] and nothing more; signs such as / \
                 in a password are percent-encoded"
            }
            Self::PercentEncoding => {
                "expected user information in UTF-8, with two hexadecimal digits after each %"
            }
            Self::Credential(error) => return error.fmt(formatter),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn an_address_is_read_as_curl_reads_it() {
        for (address, read) in [
            ("http://proxy.example:3128", "http://proxy.example:3128"),
            ("proxy.example", "http://proxy.example:1080"),
            ("proxy.example:3128", "http://proxy.example:3128"),
            ("http://proxy.example", "http://proxy.example:1080"),
            ("http://proxy.example:80/", "http://proxy.example:80"),
            ("http://proxy.example:", "http://proxy.example:1080"),
            ("HTTPS://Proxy.Example", "https://proxy.example:443"),
            ("socks5://127.0.0.1", "socks5://127.0.0.1:1080"),
            ("socks5h://[0:0::1]:9050", "socks5h://[::1]:9050"),
            ("[::1]", "http://[::1]:1080"),
            ("[fe80::1%25eth0]:80", "http://[fe80::1%25eth0]:80"),
            ("user:password@proxy.example:1", "http://proxy.example:1"),
            ("user:password@[::1]:2", "http://[::1]:2"),
        ] {
            let proxy = parse(address).unwrap();
            assert_eq!(proxy.to_string(), read, "{address}");
        }
    }

    #[test]
    fn user_information_is_percent_decoded() {
        for (user_info, user_name, password) in [
            ("user:password", "user", "password"),
            ("us%3Aer:p%40ss%2f%25", "us:er", "p@ss/%"),
            ("user:p:a@ss", "user", "p:a@ss"),
            ("m%C3%BCller:ge%68eim", "müller", "geheim"),
            ("user", "user", ""),
        ] {
            let expected = (user_name.to_owned(), password.to_owned());
            assert_eq!(split_user_info(user_info).unwrap(), expected);
        }
    }

    #[test]
    fn user_information_becomes_a_credential() {
        let user_name = |address: &str| {
            let credential = parse(address).unwrap().credential;
            credential.map(|credential| credential.user_name().to_owned())
        };
        assert_eq!(
            user_name("http://us%3Aer:p@ss@host").as_deref(),
            Some("us:er")
        );
        assert_eq!(user_name("http://host"), None);
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for (address, named) in [
            ("", "expected a host"),
            ("http://", "expected a host"),
            ("http://user:password@", "expected a host"),
            ("socks4://host", "SOCKS4"),
            ("socks4a://host", "SOCKS4"),
            ("ftp://host", "\"ftp\""),
            ("http://host:0", "port from 1"),
            ("http://host:65536", "port from 1"),
            ("http://host:http", "port from 1"),
            ("http://[::1]3128", "port from 1"),
            ("http://::1", "expected a host"),
            ("http://[::1", "DNS name"),
            ("http://ho st", "DNS name"),
            ("http://127.1", "DNS name"),
            ("http://host/path", "nothing more"),
            ("http://host?query", "nothing more"),
            ("http://user@host", "expected a password"),
            ("http://:password@host", "expected a user name"),
            ("http://user:%0a@host", "control characters"),
            ("http://user:%4@host", "two hexadecimal digits"),
            ("http://user:%zz@host", "two hexadecimal digits"),
            ("http://user:%ff@host", "UTF-8"),
        ] {
            let error = Proxy::parse(address).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{address}");
            assert!(error.to_string().contains(named), "{address}: {error}");
        }
    }

    #[test]
    fn nothing_shows_a_user_name_or_a_password() {
        for address in [
            "http://joe:hunter2@host",
            "joe:hunter2@host:1",
            "socks4://joe:hunter2@host",
            "ftp://joe:hunter2@host",
            "http://joe:hunter2@",
            "http://joe:hunter2",
            "http://joe:hunter2@host:hunter2",
            "http://joe:hunter2@host/hunter2",
            "http://joe:x/hunter2@host",
            "http://joe:x?hunter2@host",
            "http://joe:x#hunter2@host",
            "http://joe:hunter2%@host",
            "http://joe:hunter2%ff@host",
            "joe:hunter2://@host",
            "joe:x://hunter2@host",
            "http://joe@hunter2:x:1",
        ] {
            let (shown, debug) = match Proxy::parse(address) {
                Ok(proxy) => (proxy.to_string(), format!("{proxy:?}")),
                Err(error) => (error.to_string(), format!("{error:?}")),
            };
            assert!(!shown.contains("hunter2"), "{address}: {shown}");
            assert!(!debug.contains("hunter2"), "{address}: {debug}");
        }
    }
}
