//! Hosts that are connected to without a proxy: the list of `no_proxy`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Which hosts a list names.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Exceptions {
    /// The list is a single asterisk.
    All,
    Only(Vec<Entry>),
}

/// One entry of a list.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Entry {
    /// A name, which stands for all names below it too; in lower case.
    Domain(String),
    /// All addresses that have their first bits in common with this one.
    Network(Network),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Network {
    V4 { address: Ipv4Addr, bits: u32 },
    V6 { address: Ipv6Addr, bits: u32 },
}

impl Default for Exceptions {
    fn default() -> Self {
        Self::Only(Vec::new())
    }
}

impl Exceptions {
    /// Reads a list and passes over what no host can match, as curl does.
    pub(super) fn lenient(list: &str) -> Self {
        if list == "*" {
            return Self::All;
        }
        Self::Only(texts(list).filter_map(Entry::parse).collect())
    }

    /// Reads a list in which each entry has to mean something.
    pub(super) fn strict(list: &str) -> Result<Self, String> {
        if let Self::All = Self::lenient(list) {
            return Ok(Self::All);
        }
        let refused = |text| {
            format!("expected a domain, an address or a network such as 10.0.0.0/8, got {text:?}")
        };
        let entries = texts(list).map(|text| Entry::parse(text).ok_or_else(|| refused(text)));
        Ok(Self::Only(entries.collect::<Result<_, _>>()?))
    }

    /// Whether the list names `host`, which is in lower case and has no brackets.
    pub(super) fn contain(&self, host: &str) -> bool {
        let Self::Only(entries) = self else {
            return true;
        };
        let host = host.strip_suffix('.').unwrap_or(host);
        match host.parse::<IpAddr>() {
            Ok(address) => entries.iter().any(|entry| entry.has_address(address)),
            Err(_) => entries.iter().any(|entry| entry.has_name(host)),
        }
    }
}

/// The entries of a list, which has commas, blanks or both between them.
fn texts(list: &str) -> impl Iterator<Item = &str> {
    let texts = list.split(|sign: char| sign == ',' || sign.is_ascii_whitespace());
    texts.filter(|text| !text.is_empty())
}

impl Entry {
    /// `None` for what no host can match: a port, a wildcard, a broken address.
    fn parse(text: &str) -> Option<Self> {
        if text.contains('/') {
            return Network::parse(text).map(Self::Network);
        }
        if let Some(address) = parse_address(text) {
            return Some(Self::Network(Network::of(address)));
        }
        let domain = text.strip_suffix('.').unwrap_or(text);
        let domain = domain.strip_prefix('.').unwrap_or(domain);
        let is_sign = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        let is_domain = !domain.is_empty()
            && domain.bytes().all(is_sign)
            && !domain.split('.').any(str::is_empty);
        is_domain.then(|| Self::Domain(domain.to_ascii_lowercase()))
    }

    fn has_name(&self, name: &str) -> bool {
        let Self::Domain(domain) = self else {
            return false;
        };
        let above = name.strip_suffix(domain.as_str());
        above.is_some_and(|above| above.is_empty() || above.ends_with('.'))
    }

    fn has_address(&self, address: IpAddr) -> bool {
        matches!(self, Self::Network(network) if network.contains(address))
    }
}

impl Network {
    fn parse(text: &str) -> Option<Self> {
        let (address, bits) = text.split_once('/')?;
        if !bits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let bits = bits.parse().ok()?;
        match parse_address(address)? {
            IpAddr::V4(address) if bits <= 32 => Some(Self::V4 { address, bits }),
            IpAddr::V6(address) if bits <= 128 => Some(Self::V6 { address, bits }),
            _ => None,
        }
    }

    /// The network of this address alone.
    fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => Self::V4 { address, bits: 32 },
            IpAddr::V6(address) => Self::V6 { address, bits: 128 },
        }
    }

    fn contains(self, other: IpAddr) -> bool {
        match (self, other) {
            (Self::V4 { address, bits }, IpAddr::V4(other)) => {
                let difference = address.to_bits() ^ other.to_bits();
                // With no bits in common the shift is as wide as the number: nothing is left.
                difference.checked_shr(32 - bits).unwrap_or(0) == 0
            }
            (Self::V6 { address, bits }, IpAddr::V6(other)) => {
                let difference = address.to_bits() ^ other.to_bits();
                difference.checked_shr(128 - bits).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}

/// An address, with or without the brackets that an IPv6 address has in a URI.
fn parse_address(text: &str) -> Option<IpAddr> {
    let inside = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'));
    match inside {
        Some(inside) => inside.parse().ok().map(IpAddr::V6),
        None => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What curl 7.88 and 8.23 do; a remark stands before a row for which one of them differs.
    #[test]
    fn a_list_names_the_hosts_that_it_names_for_curl() {
        for (list, host, is_named) in [
            // One asterisk names all hosts, and is a wildcard nowhere else.
            ("*", "h.example", true),
            ("*", "127.0.0.1", true),
            ("x,*", "h.example", false),
            ("*,x", "h.example", false),
            (" *", "h.example", false),
            ("*.example", "h.example", false),
            // A domain names itself and all below it, and begins at the border of a label.
            ("h.example", "h.example", true),
            ("h.example", "www.h.example", true),
            ("h.example", "nonh.example", false),
            ("h.example", "h.example.org", false),
            ("example", "h.example", true),
            // One dot in front and one behind say nothing.
            (".h.example", "www.h.example", true),
            (".h.example", "h.example", true),
            ("..h.example", "h.example", false),
            ("h.example.", "h.example", true),
            ("h.example", "h.example.", true),
            (".", "h.example", false),
            // Capital letters say nothing.
            ("H.Example", "h.example", true),
            // An entry with a port names no host.
            ("h.example:80", "h.example", false),
            ("127.0.0.1:80", "127.0.0.1", false),
            // Between entries are commas, blanks or both.
            ("", "h.example", false),
            ("x,h.example", "h.example", true),
            ("x, h.example", "h.example", true),
            ("x ,h.example", "h.example", true),
            // (curl 8.23 reads nothing behind an entry that has no comma after it.)
            ("x h.example", "h.example", true),
            ("x\th.example", "h.example", true),
            (",,x,,h.example,", "h.example", true),
            // An address is compared as an address, and no end of it is a domain.
            ("127.0.0.1", "127.0.0.1", true),
            ("127.0.0.1", "127.0.0.2", false),
            (".0.0.1", "127.0.0.1", false),
            ("1", "127.0.0.1", false),
            ("::1", "::1", true),
            // (curl 7.88 compares IPv6 addresses as text and knows no networks of them.)
            ("0:0::1", "::1", true),
            // (For both only the address in the URI has brackets.)
            ("[::1]", "::1", true),
            ("[127.0.0.1]", "127.0.0.1", false),
            // A network names its addresses.
            ("127.0.0.0/8", "127.0.0.1", true),
            ("10.0.0.0/8", "127.0.0.1", false),
            ("127.0.0.9/31", "127.0.0.8", true),
            ("127.0.0.9/31", "127.0.0.10", false),
            ("127.0.0.1/32", "127.0.0.1", true),
            ("127.0.0.1/33", "127.0.0.1", false),
            // (curl 7.88 reads what it can of a broken number of bits.)
            ("127.0.0.1/", "127.0.0.1", false),
            ("127.0.0.1/+8", "127.0.0.1", false),
            // (For both this is the address 0.0.0.0 alone.)
            ("0.0.0.0/0", "127.0.0.1", true),
            ("0.0.0.0/0", "::1", false),
            ("fd00::/8", "fd12:3456::1", true),
            ("fd00::/8", "fe80::1", false),
            ("2001:db8::/33", "2001:db8:7fff::1", true),
            ("2001:db8::/33", "2001:db8:8000::1", false),
            // (Both as above.)
            ("[fd00::]/8", "fd12::1", true),
            ("::/0", "fe80::1", true),
            ("::1/129", "::1", false),
            // Names are not looked up for it.
            ("127.0.0.0/8", "localhost", false),
            ("localhost", "127.0.0.1", false),
        ] {
            let named = Exceptions::lenient(list).contain(host);
            assert_eq!(named, is_named, "list {list:?}, host {host:?}");
        }
    }

    #[test]
    fn a_strict_list_refuses_what_no_host_can_match() {
        for list in [
            "h.example:80",
            "x *",
            "*.example",
            "10.0.0.0/33",
            "a..b",
            "a/b",
        ] {
            assert!(Exceptions::strict(list).is_err(), "{list}");
        }
        for list in ["", "*", "h.example, .lan 10.0.0.0/8 ::1"] {
            assert_eq!(Exceptions::strict(list), Ok(Exceptions::lenient(list)));
        }
    }
}
