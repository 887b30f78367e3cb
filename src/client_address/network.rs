//! A network in CIDR notation.

use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::str::FromStr;

/// What is wrong with a text that should be a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NetworkError(pub(super) &'static str);

/// The addresses that begin with the same bits.
///
/// IPv4-mapped IPv6 addresses (`::ffff:10.0.0.1`) are IPv4 addresses, and in no IPv6 network.
// INVARIANT: the length is at most the address's, the bits behind it are zero, the address is not IPv4-mapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Network {
    first: IpAddr,
    prefix_len: u8,
}

impl Network {
    /// The network of that many leading bits that has the address; the longest if that is more than the address's.
    pub(crate) fn around(address: IpAddr, prefix_len: u8) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => {
                let prefix_len = prefix_len.min(32);
                let mask = u32::MAX.checked_shl(32_u32.saturating_sub(prefix_len.into())).unwrap_or(0);
                Self { first: Ipv4Addr::from_bits(address.to_bits() & mask).into(), prefix_len }
            }
            IpAddr::V6(address) => {
                let prefix_len = prefix_len.min(128);
                let mask = u128::MAX.checked_shl(128_u32.saturating_sub(prefix_len.into())).unwrap_or(0);
                Self { first: Ipv6Addr::from_bits(address.to_bits() & mask).into(), prefix_len }
            }
        }
    }

    /// Its lowest address.
    #[must_use]
    pub const fn first(self) -> IpAddr {
        self.first
    }

    /// How many bits its addresses share.
    #[must_use]
    pub const fn prefix_len(self) -> u8 {
        self.prefix_len
    }

    /// Whether the address is in it.
    #[must_use]
    pub fn contains(self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.first.is_ipv4() && Self::around(address, self.prefix_len) == self
    }
}

/// Reads `10.0.0.0/8` or `2001:db8::/32` (RFC 4632, RFC 4291 §2.3); an address alone is a network of one. Bits
/// behind the prefix, leading zeros, zones and IPv4-mapped addresses are refused.
impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let (address, prefix_len) =
            text.split_once('/').map_or((text, None), |(address, len)| (address, Some(len)));
        let address: IpAddr =
            address.parse().map_err(|_| NetworkError("not an address and a prefix length"))?;
        if address.to_canonical() != address {
            return Err(NetworkError("an IPv4-mapped address: write the IPv4 network"));
        }
        let most = if address.is_ipv4() { 32 } else { 128 };
        let prefix_len = match prefix_len {
            None => most,
            Some(digits) => prefix_length(digits)
                .filter(|len| *len <= most)
                .ok_or(NetworkError("the prefix length is out of range"))?,
        };
        let network = Self::around(address, prefix_len);
        if network.first != address {
            return Err(NetworkError("the address has bits behind the prefix"));
        }
        Ok(network)
    }
}

/// A number in decimal digits, without a sign or leading zeros.
fn prefix_length(digits: &str) -> Option<u8> {
    let is_plain =
        digits.bytes().all(|byte| byte.is_ascii_digit()) && (digits == "0" || !digits.starts_with('0'));
    digits.parse().ok().filter(|_| is_plain)
}

/// In CIDR notation.
impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first, self.prefix_len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString as _;

    fn network(text: &str) -> Network {
        text.parse().unwrap()
    }

    #[test]
    fn a_network_is_written_as_it_was_read() {
        for text in
            ["0.0.0.0/0", "10.0.0.0/8", "128.0.0.0/1", "192.0.2.255/32", "::/0", "2001:db8::/33", "::1/128"]
        {
            assert_eq!(network(text).to_string(), text);
        }
        assert_eq!(network("192.0.2.1").to_string(), "192.0.2.1/32");
        assert_eq!(network("::1").to_string(), "::1/128");
        assert_eq!(network("2001:DB8:0::/48").to_string(), "2001:db8::/48");
        assert_eq!(
            (network("10.0.0.0/8").first().to_string(), network("::/7").prefix_len()),
            ("10.0.0.0".into(), 7)
        );
    }

    #[test]
    fn what_would_have_to_be_guessed_is_refused() {
        for text in [
            "",
            "/",
            "/8",
            "10.0.0.0/",
            "10.0.0.0/33",
            "10.0.0.0/-1",
            "10.0.0.0/+8",
            "10.0.0.0/08",
            "10.0.0.0/00",
            "10.0.0.0/8.0",
            "10.0.0.0/256",
            "10.0.0.0/255.0.0.0",
            "10.0.0.0/8/8",
            "10.0.0.0 /8",
            " 10.0.0.0/8",
            "10.0.0.0/8 ",
            "10.0.0.0/\u{668}",
            "10.0.0.5/8",
            "10.0.0.1/31",
            "010.0.0.0/8",
            "0x0a.0.0.0/8",
            "10/8",
            "10.0.0/24",
            "127.1",
            "1.2.3",
            "10.0.0.0:80/8",
            "[::1]/128",
            "::1/129",
            "::1/127",
            "2001:db8::1/64",
            "fe80::%eth0/64",
            "fe80::/64%eth0",
            "::ffff:10.0.0.0/104",
            "::ffff:10.0.0.1",
            "::ffff:0:0/96",
            "*",
            "all",
        ] {
            assert!(text.parse::<Network>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_network_has_what_begins_with_its_bits() {
        for (text, inside, outside) in [
            (
                "10.0.0.0/8",
                ["10.0.0.0", "10.255.255.255", "::ffff:10.1.2.3"],
                ["9.255.255.255", "11.0.0.0", "::10.0.0.1"],
            ),
            (
                "192.0.2.128/25",
                ["192.0.2.128", "192.0.2.200", "192.0.2.255"],
                ["192.0.2.127", "192.0.3.128", "::"],
            ),
            (
                "2001:db8::/33",
                ["2001:db8::", "2001:db8:7fff::", "2001:db8::1"],
                ["2001:db8:8000::", "2001:db7::", "1.1.1.1"],
            ),
            // All of IPv6, and so no IPv4-mapped address.
            ("::/0", ["::", "ffff::", "::1"], ["::ffff:1.2.3.4", "0.0.0.0", "1.2.3.4"]),
        ] {
            for (addresses, is_inside) in [(inside, true), (outside, false)] {
                for address in addresses {
                    let address: IpAddr = address.parse().unwrap();
                    assert_eq!(network(text).contains(address), is_inside, "{text} {address}");
                }
            }
        }
        assert!(network("0.0.0.0/0").contains(Ipv4Addr::BROADCAST.into()));
        assert!(!network("0.0.0.0/0").contains(Ipv6Addr::LOCALHOST.into()));
    }
}
