//! Strict base64url without padding (RFC 4648 §5, RFC 7515 §2): one canonical text for every byte
//! string. `=`, `+`, `/`, white space and non-zero trailing bits are errors.
//!
//! Public bytes go through a fast decoder; secrets through one whose timing does not depend on them.

use alloc::string::String;
use alloc::vec::Vec;
use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurposeConfig};
use base64ct::{Base64UrlUnpadded, Encoding as _};
use zeroize::Zeroizing;

const STRICT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_encode_padding(false)
    .with_decode_padding_mode(DecodePaddingMode::RequireNone)
    .with_decode_allow_trailing_bits(false);

/// The vector instructions of this processor, asked for once.
#[cfg(all(feature = "std", any(target_arch = "x86_64", target_arch = "aarch64")))]
fn engine() -> &'static impl base64::Engine {
    use base64::engine::Simd;
    use std::sync::LazyLock;

    static ENGINE: LazyLock<Simd> = LazyLock::new(|| Simd::url_safe(STRICT));
    &*ENGINE
}

#[cfg(not(all(feature = "std", any(target_arch = "x86_64", target_arch = "aarch64"))))]
fn engine() -> &'static impl base64::Engine {
    use base64::engine::GeneralPurpose;

    const ENGINE: GeneralPurpose = GeneralPurpose::new(&base64::alphabet::URL_SAFE, STRICT);
    &ENGINE
}

/// The text is not canonical base64url.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not canonical base64url")]
pub struct Base64Error;

/// The number of characters that `bytes` bytes take.
#[must_use]
pub const fn encoded_len(bytes: usize) -> usize {
    bytes.saturating_mul(4).div_ceil(3)
}

/// The number of bytes that `chars` characters of canonical text hold.
#[must_use]
pub const fn decoded_len(chars: usize) -> usize {
    // INVARIANT: 3/4 of the text without the intermediate overflow of `chars * 3`.
    (chars / 4).saturating_mul(3).saturating_add((chars % 4).saturating_mul(3) / 4)
}

/// Appends the text of `bytes` to `out`, as bytes.
pub fn encode_to_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    out.resize(start.saturating_add(encoded_len(bytes.len())), 0);
    let written = out.get_mut(start..).map(|room| engine().encode_slice(bytes, room));
    debug_assert_eq!(written, Some(Ok(encoded_len(bytes.len()))));
}

/// Appends the text of `bytes` to `out`.
pub fn encode_into(bytes: &[u8], out: &mut String) {
    engine().encode_string(bytes, out);
}

/// The text of `bytes`.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    engine().encode(bytes)
}

/// Decodes into the front of `out` and returns the bytes written; allocates nothing.
///
/// # Errors
/// - [`Base64Error`]: not canonical, or longer than `out`.
pub fn decode_to_slice<'a>(text: &[u8], out: &'a mut [u8]) -> Result<&'a [u8], Base64Error> {
    let written = engine().decode_slice(text, out).map_err(|_| Base64Error)?;
    out.get(..written).ok_or(Base64Error)
}

/// Decodes public text.
///
/// # Errors
/// - [`Base64Error`]: not canonical.
pub fn decode(text: &[u8]) -> Result<Vec<u8>, Base64Error> {
    engine().decode(text).map_err(|_| Base64Error)
}

/// Decodes public text to the end of `out`.
///
/// # Errors
/// - [`Base64Error`]: not canonical.
pub(crate) fn decode_into(text: &[u8], out: &mut Vec<u8>) -> Result<(), Base64Error> {
    engine().decode_vec(text, out).map_err(|_| Base64Error)
}

/// Decodes a secret in time that depends on its length alone.
///
/// # Errors
/// - [`Base64Error`]: not canonical.
pub fn decode_secret(text: &[u8]) -> Result<Zeroizing<Vec<u8>>, Base64Error> {
    let mut bytes = Zeroizing::new(alloc::vec![0; decoded_len(text.len())]);
    let written = Base64UrlUnpadded::decode(text, &mut bytes).map_err(|_| Base64Error)?.len();
    bytes.truncate(written);
    Ok(bytes)
}

/// Encodes a secret in time that depends on its length alone.
#[must_use]
pub fn encode_secret(bytes: &[u8]) -> Zeroizing<String> {
    Zeroizing::new(Base64UrlUnpadded::encode_string(bytes))
}

/// Whether `text` is canonical, without decoding it anywhere: the constant-memory check of text that
/// is refused anyway.
#[must_use]
pub fn is_canonical(text: &[u8]) -> bool {
    // 1,024 characters are whole quads, so every block but the last decodes by itself.
    let mut scratch = [0; 768];
    text.chunks(1024).all(|block| decode_to_slice(block, &mut scratch).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_canonical_text_decodes() {
        for bad in ["Zg==", "Zg=", "Zh", "Z", "+w", "/w", " Zg", "Zg\n", "Zm9v\0", "Zm9vY"] {
            assert!(decode(bad.as_bytes()).is_err(), "{bad:?}");
            assert!(decode_secret(bad.as_bytes()).is_err(), "{bad:?}");
            assert!(!is_canonical(bad.as_bytes()), "{bad:?}");
        }
        for (text, bytes) in
            [("", &b""[..]), ("Zg", b"f"), ("Zm8", b"fo"), ("Zm9v", b"foo"), ("-_8", &[0xfb, 0xff])]
        {
            assert_eq!(decode(text.as_bytes()).unwrap(), bytes);
            assert_eq!(*decode_secret(text.as_bytes()).unwrap(), bytes);
            assert_eq!(encode(bytes), text);
            assert_eq!(*encode_secret(bytes), text);
            assert_eq!((encoded_len(bytes.len()), decoded_len(text.len())), (text.len(), bytes.len()));
        }
    }

    proptest::proptest! {
        #[test]
        fn both_decoders_agree(text in "[-_A-Za-z0-9=+/ ]{0,80}") {
            let public = decode(text.as_bytes()).ok();
            let secret = decode_secret(text.as_bytes()).ok().map(|bytes| bytes.to_vec());
            assert_eq!(public, secret);
            assert_eq!(public.is_some(), is_canonical(text.as_bytes()));
        }

        #[test]
        fn canonical_text_is_recognised_at_every_length(bytes in proptest::collection::vec(0_u8.., 0..4000)) {
            let text = encode(&bytes);
            assert!(is_canonical(text.as_bytes()));
            assert_eq!(decode(text.as_bytes()).unwrap(), bytes);
        }
    }
}
