//! What the targets share: published keys and sealers, tokens that the kernel would not sign, slow readings
//! of what it reads fast, and a host of the C ABI.

pub mod abi;
pub mod cobblestone;
pub mod draws;
pub mod edits;
pub mod reference;
pub mod sealers;

use std::sync::LazyLock;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// One key of each kind and each status. Everybody knows them: most are those of RFC 7515 and RFC 8037.
pub const KEYS: &str = include_str!("keys.json");

/// `header` and `payload` under the HMAC key of [`KEYS`], whatever they are.
pub fn signed(header: &[u8], payload: &[u8]) -> String {
    let mut token = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
    let mac = mac(token.as_bytes());
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(mac, &mut token);
    token
}

/// HMAC-SHA-256 under the HMAC key of [`KEYS`].
pub fn mac(message: &[u8]) -> [u8; 32] {
    HMAC.clone().chain_update(message).finalize().into_bytes().into()
}

static HMAC: LazyLock<Hmac<Sha256>> = LazyLock::new(|| {
    let keys: serde_json::Value = serde_json::from_str(KEYS).unwrap();
    let secret = URL_SAFE_NO_PAD.decode(keys["keys"][0]["k"].as_str().unwrap()).unwrap();
    Hmac::new_from_slice(&secret).unwrap()
});

/// Parts behind their lengths.
pub fn lp(parts: &[&[u8]]) -> Vec<u8> {
    let with_length = |part: &&[u8]| [&(part.len() as u32).to_be_bytes(), *part].concat();
    parts.iter().flat_map(with_length).collect()
}
