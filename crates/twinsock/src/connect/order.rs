//! Which addresses of a host are tried, and in which order (RFC 8305 §4).

use std::net::SocketAddr;

/// What becomes of the addresses that a resolver found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Order {
    /// Those to try, the first one first.
    pub(crate) tried: Vec<SocketAddr>,
    /// Those that the local address cannot reach.
    pub(crate) skipped: Vec<SocketAddr>,
}

impl Order {
    /// The families take turns, beginning with that of the first address; within each the
    /// resolver's order stays. Of the whole at most `most` are tried. With a local address only
    /// those of its family are, and the others take no place.
    pub(crate) fn of(found: &[SocketAddr], most: usize, local: Option<SocketAddr>) -> Self {
        let (mut tried, skipped): (Vec<SocketAddr>, _) = found
            .iter()
            .partition(|found| local.is_none_or(|local| is_same_family(found, &local)));
        tried = interleave(tried);
        tried.truncate(most);
        Self { tried, skipped }
    }
}

fn interleave(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let Some(first) = addresses.first().copied() else {
        return addresses;
    };
    let (preferred, others): (Vec<_>, Vec<_>) = addresses
        .into_iter()
        .partition(|address| is_same_family(address, &first));
    let (mut preferred, mut others) = (preferred.into_iter(), others.into_iter());
    let mut order = Vec::with_capacity(preferred.len() + others.len());
    while preferred.len() + others.len() > 0 {
        order.extend(preferred.next());
        order.extend(others.next());
    }
    order
}

fn is_same_family(one: &SocketAddr, other: &SocketAddr) -> bool {
    one.is_ipv4() == other.is_ipv4()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Addresses by their last number: `4` is IPv4's, `6` is IPv6's.
    fn addresses(families: &str) -> Vec<SocketAddr> {
        let each = families.chars().zip(1..);
        each.map(|(family, port)| match family {
            '4' => SocketAddr::from(([127, 0, 0, 1], port)),
            _ => SocketAddr::from(([0; 8], port)),
        })
        .collect()
    }

    /// The ports of those that are tried, and of those that are not.
    fn ports(families: &str, most: usize, local: Option<&str>) -> (Vec<u16>, Vec<u16>) {
        let local = local.map(|local| local.parse().expect("an address"));
        let Order { tried, skipped } = Order::of(&addresses(families), most, local);
        let ports = |of: Vec<SocketAddr>| of.iter().map(SocketAddr::port).collect();
        (ports(tried), ports(skipped))
    }

    #[test]
    fn the_families_take_turns_and_the_first_addresses_family_begins() {
        for (families, order) in [
            ("", vec![]),
            ("6", vec![1]),
            ("4444", vec![1, 2, 3, 4]),
            ("6644", vec![1, 3, 2, 4]),
            ("4466", vec![1, 3, 2, 4]),
            ("66664", vec![1, 5, 2, 3, 4]),
            ("4646", vec![1, 2, 3, 4]),
        ] {
            assert_eq!(ports(families, 5, None).0, order, "{families}");
        }
    }

    #[test]
    fn of_many_addresses_of_one_family_the_other_keeps_its_places() {
        assert_eq!(ports("66666666444", 5, None).0, [1, 9, 2, 10, 3]);
        assert_eq!(ports("66666666444", 1, None).0, [1]);
        assert_eq!(ports("664", usize::MAX, None).0, [1, 3, 2]);
    }

    #[test]
    fn a_local_address_leaves_only_its_own_family() {
        let (tried, skipped) = ports("666666444", 2, Some("127.0.0.1:0"));
        assert_eq!((tried, skipped), (vec![7, 8], vec![1, 2, 3, 4, 5, 6]));
        let (tried, skipped) = ports("44", 5, Some("[::]:0"));
        assert_eq!((tried, skipped), (vec![], vec![1, 2]));
    }
}
