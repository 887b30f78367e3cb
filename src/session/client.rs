//! What a request shows of its client, and what a record keeps of it: enough to notice that it is another one, and
//! no more.

use alloc::vec::Vec;
use core::net::IpAddr;

use sha2::{Digest as _, Sha256};

use super::SessionError;
use super::config::Config;
use crate::bytes::{Reader, length};
use crate::client_address::{self, Network};

/// The bytes of a user agent that are looked at.
const MAX_USER_AGENT_LEN: usize = 1024;

const LABEL: &[u8] = b"donjon/user-agent/v1";

/// The bytes of a network that is stored.
pub(super) const MAX_NETWORK_LEN: usize = 17;

/// The client of a request, as the host sees it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Client<'a> {
    /// Its address; empty for none. [`Proxies::client`](crate::client_address::Proxies::client) has it.
    pub address: &'a [u8],
    /// Its `User-Agent`; empty for none.
    pub user_agent: &'a [u8],
}

/// What is not as it was.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Changes {
    /// The client is in another network.
    pub address: bool,
    /// The client is another browser.
    pub user_agent: bool,
}

/// A client that was read.
#[derive(Clone, Copy)]
pub(super) struct Seen {
    address: Option<IpAddr>,
    user_agent: Fingerprint,
}

/// What a record keeps of a client.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Kept {
    pub(super) network: Option<Network>,
    pub(super) user_agent: Fingerprint,
}

/// Of a user agent; zeros for none.
pub(super) type Fingerprint = [u8; 8];

impl Client<'_> {
    pub(super) fn read(&self) -> Result<Seen, SessionError> {
        let address = match self.address {
            [] => None,
            text => Some(client_address::parse(text).ok_or(SessionError::InvalidArgument)?),
        };
        Ok(Seen { address, user_agent: fingerprint(self.user_agent) })
    }
}

impl Seen {
    pub(super) fn kept(&self, config: &Config) -> Kept {
        let around = |address: IpAddr| {
            let is_v4 = address.to_canonical().is_ipv4();
            Network::around(address, if is_v4 { config.ipv4_prefix } else { config.ipv6_prefix })
        };
        Kept { network: self.address.map(around), user_agent: self.user_agent }
    }
}

impl Kept {
    /// What was not kept is not compared. A network is compared as it was kept, so that a change of the
    /// configuration logs nobody out.
    pub(super) fn changes(&self, seen: &Seen) -> Changes {
        let is_in = |network: Network| seen.address.is_some_and(|address| network.contains(address));
        Changes {
            address: self.network.is_some_and(|network| !is_in(network)),
            user_agent: self.user_agent != [0; 8] && self.user_agent != seen.user_agent,
        }
    }
}

/// The first bytes of a hash of the user agent without its digits, dots and underscores: an update is not another
/// browser.
fn fingerprint(user_agent: &[u8]) -> Fingerprint {
    let is_kept = |byte: &u8| !matches!(byte, b'0'..=b'9' | b'.' | b'_');
    let mut normal = Vec::with_capacity(user_agent.len().min(MAX_USER_AGENT_LEN));
    normal.extend(user_agent.iter().take(MAX_USER_AGENT_LEN).copied().filter(is_kept));
    if normal.is_empty() {
        return [0; 8];
    }
    let hash = Sha256::new().chain_update(length(LABEL)).chain_update(LABEL).chain_update(normal).finalize();
    hash.first_chunk().copied().unwrap_or_default()
}

/// Appends the length, the bits of the prefix and the address; for none, a zero.
pub(super) fn write_network(network: Option<Network>, out: &mut Vec<u8>) {
    match network.map(|network| (network.first(), network.prefix_len())) {
        None => out.push(0),
        Some((IpAddr::V4(first), prefix_len)) => {
            out.extend([5, prefix_len]);
            out.extend(first.octets());
        }
        Some((IpAddr::V6(first), prefix_len)) => {
            out.extend([17, prefix_len]);
            out.extend(first.octets());
        }
    }
}

pub(super) fn read_network(reader: &mut Reader<'_>) -> Option<Option<Network>> {
    let [len] = *reader.array()?;
    if len == 0 {
        return Some(None);
    }
    let [prefix_len] = *reader.array()?;
    let first: IpAddr = match len {
        5 => (*reader.array::<4>()?).into(),
        17 => (*reader.array::<16>()?).into(),
        _ => return None,
    };
    let network = Network::around(first, prefix_len);
    (network.first() == first && network.prefix_len() == prefix_len).then_some(Some(network))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(bytes: &[u8]) -> Option<Option<Network>> {
        read_network(&mut Reader(bytes))
    }

    #[test]
    fn an_update_is_not_another_browser() {
        let of = |text: &str| fingerprint(text.as_bytes());
        let firefox = of("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0");
        assert_eq!(firefox, of("Mozilla/5.0 (X11; Linux x86_64; rv:141.0.1) Gecko/20100101 Firefox/141.0.1"));
        assert_ne!(firefox, of("Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0"));
        assert_eq!((of(""), of("5.0_1")), ([0; 8], [0; 8]));
        let long = "a".repeat(MAX_USER_AGENT_LEN);
        assert_eq!(of(&long), of(&(long.clone() + "b")));
        assert_ne!(of(&long), of(&"a".repeat(MAX_USER_AGENT_LEN - 1)));
    }

    #[test]
    fn networks_survive_storage_and_nothing_else_is_one() {
        for text in ["10.1.2.0/24", "0.0.0.0/0", "192.0.2.1/32", "2001:db8::/48", "::/0", "::1/128"] {
            let network: Network = text.parse().unwrap();
            let mut bytes = Vec::new();
            write_network(Some(network), &mut bytes);
            assert_eq!(stored(&bytes), Some(Some(network)), "{text}");
            assert!((0..bytes.len()).all(|len| stored(&bytes[..len]).is_none()), "{text}");
        }
        assert_eq!(stored(&[0]), Some(None));
        let mapped = [&[17, 128][..], &[0; 10], &[0xff, 0xff, 1, 2, 3, 4]].concat();
        for bad in
            [&[1, 0][..], &[5, 24, 10, 1, 2, 3], &[5, 33, 10, 1, 2, 3], &[6, 24, 10, 1, 2, 0, 0], &mapped]
        {
            assert_eq!(stored(bad), None, "{bad:?}");
        }
    }
}
