//! The headers that proxies tell the client's address in.

use core::net::IpAddr;

use super::{forwarded, x_forwarded_for};

/// Which header the host's proxies write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Header {
    XForwardedFor,
    Forwarded,
    XRealIp,
}

impl Header {
    const ALL: [Self; 3] = [Self::XForwardedFor, Self::Forwarded, Self::XRealIp];

    /// The header of a name, in any case.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|header| header.name().eq_ignore_ascii_case(name))
    }

    /// In lower case.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::XForwardedFor => "x-forwarded-for",
            Self::Forwarded => "forwarded",
            Self::XRealIp => "x-real-ip",
        }
    }

    /// Where the last entry's separator is, a byte before the entry.
    pub(super) fn last_separator(self, text: &[u8]) -> Option<usize> {
        match self {
            Self::XForwardedFor | Self::XRealIp => x_forwarded_for::last_separator(text),
            Self::Forwarded => forwarded::last_separator(text),
        }
    }

    /// The address of an entry.
    pub(super) fn address(self, entry: &[u8]) -> Option<IpAddr> {
        match self {
            Self::XForwardedFor | Self::XRealIp => x_forwarded_for::address(entry),
            Self::Forwarded => forwarded::address(entry),
        }
    }
}
