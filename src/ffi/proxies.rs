//! `donjon_proxies`.

use std::fmt::Display;
use std::io::Write as _;

use super::memory::{Output, Slot, bytes, free, reference};
use super::{diagnosis, guard};
use crate::client_address::{Client, Proxies};
use crate::error::Status;

/// The proxies before a host: which header they write, and which of them to believe.
pub struct donjon_proxies(Proxies);

/// Who sent a request. Texts are not terminated; what is behind them is zero.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct donjon_client {
    /// Its address, as RFC 5952 writes it: no port, no zone, never IPv4-mapped.
    pub ip: [u8; 46],
    /// The bytes of ip.
    pub ip_len: u8,
    /// 1: the header said so. 0: it is the peer.
    pub from_header: u8,
    /// What its limits count in: an IPv4 address, or an IPv6 network such as 2001:db8:1:2::/64.
    pub bucket: [u8; 50],
    /// The bytes of bucket.
    pub bucket_len: u8,
    /// Zero.
    pub reserved: u8,
}

impl TryFrom<Client> for donjon_client {
    type Error = Status;

    fn try_from(client: Client) -> Result<Self, Status> {
        let (ip, ip_len) = padded(client.ip)?;
        let (bucket, bucket_len) = padded(client.bucket)?;
        Ok(Self { ip, ip_len, from_header: client.from_header.into(), bucket, bucket_len, reserved: 0 })
    }
}

/// A text and its length, zeros behind it.
fn padded<const N: usize>(value: impl Display) -> Result<([u8; N], u8), Status> {
    let mut text = [0; N];
    let mut rest = &mut text[..];
    write!(rest, "{value}").map_err(|_| Status::InternalError)?;
    let len = N.saturating_sub(rest.len());
    Ok((text, u8::try_from(len).map_err(|_| Status::InternalError)?))
}

/// Says what proxies are before a host.
///
/// config: empty for none, so that the peer is the client; or {"header":"x-forwarded-for",
///   "trusted":["10.0.0.0/8","2001:db8::/32"],"hops":0,"ipv6_prefix":64}, any member left out or null.
///   "header": the one header that the proxies write: "x-forwarded-for", "forwarded" (RFC 7239) or
///   "x-real-ip". No other is ever looked at.
///   "trusted": the networks of the proxies, up to 4,096, or single addresses. Bits behind the prefix, leading
///   zeros, zones and IPv4-mapped networks are refused. None: nobody is believed.
///   "hops": instead of them, how many proxies every request passes, up to 255: the client is that entry from
///   the right. Only where nothing but the proxies reaches the host.
///   "ipv6_prefix": how many bits of an IPv6 address are its bucket, 32 to 128.
///
/// Errors: CONFIG_ERROR.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_proxies_new(
    config: *const u8,
    config_len: usize,
    out: *mut *mut donjon_proxies,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (config, out) = unsafe { (bytes(config, config_len)?, Slot::new(out)?) };
        out.put_handle(donjon_proxies(Proxies::from_json(config)?));
        Ok(())
    })
}

/// Says why donjon_proxies_new refuses a configuration: null if it does not, else
/// `{"error":"config_error","path":"trusted[0]","message":"…"}`.
///
/// Errors: BUFFER_TOO_SMALL.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_proxies_diagnose(
    config: *const u8,
    config_len: usize,
    out: *mut u8,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (config, out) = unsafe { (bytes(config, config_len)?, Output::new(out, cap, out_len)?) };
        diagnosis::write(Proxies::from_json(config), out)
    })
}

/// The client of a request: the peer, unless it is a proxy that is believed and the header names another.
///
/// peer: the address that the connection came from, with or without a port.
/// lines: the values of all lines of the header, as they came, with a LF between two; empty if there are none.
///   They may be anything. The last 16 KiB are read, from the right and no further than needed: entries of
///   trusted networks are passed over, and the first other one is the client, or the leftmost if there is no
///   other. An entry that is no address on the way there, and of "x-real-ip" anything but one address, leaves
///   it at the peer.
///
/// Errors: MALFORMED (the peer is no address, as of a Unix socket, and no header speaks for it).
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_proxies_client(
    proxies: *const donjon_proxies,
    peer: *const u8,
    peer_len: usize,
    lines: *const u8,
    lines_len: usize,
    out: *mut donjon_client,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (proxies, peer, lines, out) = unsafe {
            (reference(proxies)?, bytes(peer, peer_len)?, bytes(lines, lines_len)?, Slot::new(out)?)
        };
        out.put(proxies.0.client(peer, lines)?.try_into()?);
        Ok(())
    })
}

/// Frees proxies.
///
/// # Safety
/// proxies is NULL, or a handle that was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_proxies_free(proxies: *mut donjon_proxies) {
    // SAFETY: the caller's handle, as the contract says.
    guard(|| unsafe {
        free(proxies);
        Ok(())
    });
}
