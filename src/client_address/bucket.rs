//! Which addresses are counted as one.

use core::fmt;
use core::net::IpAddr;

use super::Network;

/// The bits of an IPv6 address that tell clients apart unless said otherwise: a /64 is one subscriber's.
pub const DEFAULT_IPV6_PREFIX: u8 = 64;

/// The fewest bits that can be chosen; fewer, and a provider's customers would share one bucket.
pub const MIN_IPV6_PREFIX: u8 = 32;

/// The addresses that one client is taken to have: an IPv4 address, or an IPv6 network. Limits, and whatever else
/// counts clients, count in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bucket(Network);

impl Bucket {
    pub(super) fn of(address: IpAddr, ipv6_prefix: u8) -> Self {
        Self(Network::around(address, if address.is_ipv4() { 32 } else { ipv6_prefix }))
    }

    /// The addresses that are in it.
    #[must_use]
    pub const fn network(self) -> Network {
        self.0
    }
}

/// `192.0.2.1`, or `2001:db8:1:2::/64`.
impl fmt::Display for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.first() {
            IpAddr::V4(address) => address.fmt(f),
            IpAddr::V6(_) => self.0.fmt(f),
        }
    }
}
