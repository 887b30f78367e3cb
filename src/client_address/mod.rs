//! The client's address: who sent a request that came through proxies.
//!
//! *Decides* which one address stands for the client, and which bucket its limits count in. *Inputs*: the
//! address that the connection came from (the peer), the lines of the one header that the host's proxies write,
//! and whom to trust: networks of proxies, or a number of them. *State*: none. *Threat*: a client that writes
//! the header itself, to be somebody else or somebody new at each request; one that writes it so that what the
//! proxy appends is misread; one that has 2^64 addresses.
//!
//! - No header is looked at unless it is named, and only the named one.
//! - Lists are read from the right, where the proxies append, and no further than needed: the first address that
//!   no trusted network has is the client. What a client wrote lies to the left of it, and whatever that is, it
//!   changes nothing: an open quote, a megabyte, no address at all.
//! - What is met on the way and is no address (`unknown`, `_hidden`, an empty entry, a syntax error) ends the
//!   search, and so does the start of the last [`MAX_READ_LEN`] bytes: the peer it is.
//! - `::ffff:10.0.0.1` is 10.0.0.1, everywhere; zones and ports are dropped.
//!
//! Deciding allocates nothing and takes time in proportion to what is read.
//!
//! ```
//! use donjon::client_address::Proxies;
//!
//! let proxies = Proxies::from_json(br#"{"header":"x-forwarded-for","trusted":["10.0.0.0/8"]}"#)?;
//! let client = proxies.client(b"10.0.0.1:4711", b"192.0.2.1, 2001:db8:1:2::3, 10.7.7.7")?;
//! assert_eq!(client.ip.to_string(), "2001:db8:1:2::3");
//! assert_eq!(client.bucket.to_string(), "2001:db8:1:2::/64");
//! // Not through a proxy: the header is the client's own.
//! assert_eq!(proxies.client(b"203.0.113.9", b"127.0.0.1")?.ip.to_string(), "203.0.113.9");
//! # Ok::<(), donjon::client_address::ClientAddressError>(())
//! ```

mod address;
mod bucket;
mod config;
mod entries;
mod error;
mod forwarded;
mod header;
mod network;
mod networks;
mod proxies;
mod x_forwarded_for;

pub use address::MAX_ADDRESS_LEN;
pub(crate) use address::parse;
pub use bucket::{Bucket, DEFAULT_IPV6_PREFIX, MIN_IPV6_PREFIX};
pub use config::{MAX_HOPS, MAX_TRUSTED};
pub use entries::MAX_READ_LEN;
pub use error::ClientAddressError;
pub use network::{Network, NetworkError};
pub use proxies::{Client, Proxies};
