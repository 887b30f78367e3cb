//! Networks, asked together.

use alloc::vec::Vec;
use core::net::IpAddr;

use super::Network;

/// A set of networks. Asking takes a binary search.
// INVARIANT: sorted, and none within another: so only the last that begins at or before an address can have it.
#[derive(Debug, Clone, Default)]
pub(super) struct Networks(Vec<Network>);

impl Networks {
    /// Whether one of them has the address.
    pub(super) fn contain(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let after = self.0.partition_point(|network| network.first() <= address);
        after
            .checked_sub(1)
            .and_then(|last| self.0.get(last))
            .is_some_and(|network| network.contains(address))
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<Vec<Network>> for Networks {
    fn from(mut networks: Vec<Network>) -> Self {
        // Sorted by first address, then the larger first: what a network has within it follows it.
        networks.sort_unstable();
        networks.dedup_by(|next, kept| kept.contains(next.first()));
        networks.shrink_to_fit();
        Self(networks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::net::{Ipv4Addr, Ipv6Addr};
    use proptest::prelude::*;

    /// Networks and addresses in a corner so small that they meet.
    fn address() -> impl Strategy<Value = IpAddr> {
        let v4 = prop_oneof![0_u32..8, (0_u32..8).prop_map(|low| u32::MAX - low), Just(1 << 31)];
        let v6 = prop_oneof![0_u128..8, (0_u128..8).prop_map(|low| u128::MAX - low), Just(0xffff_0000_0001)];
        prop_oneof![
            v4.prop_map(|bits| Ipv4Addr::from_bits(bits).into()),
            v6.prop_map(|bits| Ipv6Addr::from_bits(bits).into()),
        ]
    }

    fn network() -> impl Strategy<Value = Network> {
        let prefix_len = prop_oneof![Just(0), Just(1), 26_u8..=32, 90_u8..=98, 124_u8..=128];
        (address(), prefix_len).prop_map(|(address, prefix_len)| Network::around(address, prefix_len))
    }

    proptest! {
        #[test]
        fn a_set_has_what_one_of_its_networks_has(
            networks in prop::collection::vec(network(), 0..12),
            address in address(),
        ) {
            let set = Networks::from(networks.clone());
            prop_assert_eq!(set.contain(address), networks.iter().any(|network| network.contains(address)));
            prop_assert_eq!(set.is_empty(), networks.is_empty());
        }
    }
}
