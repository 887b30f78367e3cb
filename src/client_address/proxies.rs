//! The decision.

use core::net::IpAddr;
use core::num::NonZeroU8;

use super::ClientAddressError;
use super::address;
use super::bucket::Bucket;
use super::entries::Entries;
use super::header::Header;
use super::networks::Networks;

/// The proxies before a host: what they write, and which of them to believe.
///
/// See [`Proxies::from_json`] for what can be said about them; the default is that there are none.
#[derive(Debug, Clone)]
pub struct Proxies {
    pub(super) header: Option<Header>,
    pub(super) trust: Trust,
    pub(super) ipv6_prefix: u8,
}

/// Whom to believe.
#[derive(Debug, Clone)]
pub(super) enum Trust {
    /// Whoever is in one of these networks; where there are none, nobody.
    Networks(Networks),
    /// The last so many.
    Hops(NonZeroU8),
}

/// Who sent a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Client {
    /// Its address, never an IPv4-mapped one.
    pub ip: IpAddr,
    /// What its limits count in.
    pub bucket: Bucket,
    /// Whether the header said so, and not the connection.
    pub from_header: bool,
}

impl Proxies {
    /// The name of the header whose lines [`Proxies::client`] wants, in lower case.
    #[must_use]
    pub fn header(&self) -> Option<&'static str> {
        self.header.map(Header::name)
    }

    /// The client of a request.
    ///
    /// `peer`: the address that the connection came from, with or without a port. `lines`: the values of all lines
    /// of the header, as they came, with a LF between two; empty if there are none. They may be anything.
    ///
    /// # Errors
    /// - [`ClientAddressError::Peer`]: the peer is no address, and no header speaks for it.
    pub fn client(&self, peer: &[u8], lines: &[u8]) -> Result<Client, ClientAddressError> {
        let peer = address::parse(peer);
        let named = self.header.and_then(|header| self.named(header, peer, lines));
        let ip = named.or(peer).ok_or(ClientAddressError::Peer)?;
        Ok(Client { ip, bucket: Bucket::of(ip, self.ipv6_prefix), from_header: named.is_some() })
    }

    /// The client that the header names, if those who wrote it are believed.
    fn named(&self, header: Header, peer: Option<IpAddr>, lines: &[u8]) -> Option<IpAddr> {
        if let Trust::Networks(networks) = &self.trust {
            peer.filter(|peer| networks.contain(*peer))?;
        }
        let mut entries = Entries::of(header, lines);
        match (header, &self.trust) {
            (Header::XRealIp, _) => {
                let only = entries.next().filter(|_| entries.next().is_none());
                header.address(only?)
            }
            (_, Trust::Networks(networks)) => last_untrusted(header, entries, networks),
            (_, Trust::Hops(hops)) => {
                let hop = usize::from(hops.get()).saturating_sub(1);
                header.address(entries.nth(hop)?)
            }
        }
    }
}

/// The first address from the right that is in none of the networks; the leftmost if all are.
fn last_untrusted(header: Header, entries: Entries<'_>, networks: &Networks) -> Option<IpAddr> {
    let mut leftmost = None;
    for entry in entries {
        let address = header.address(entry)?;
        if !networks.contain(address) {
            return Some(address);
        }
        leftmost = Some(address);
    }
    leftmost
}
