//! `donjon_keyring`.

use super::memory::{Output, Slot, bytes, free, optional_text, reference, text};
use super::status::DONJON_NEVER;
use super::{diagnosis, guard};
use crate::error::Status;
use crate::keyring::{KeyStatus, Keyring, Purpose};
use crate::runtime::OsEntropy;
use crate::signature::Algorithm;

/// A set of keys. It never changes: every change makes a new handle, and both must be freed. Secrets are
/// wiped when the last handle that holds them is freed.
pub struct donjon_keyring(pub(super) Keyring);

fn algorithm(name: &str) -> Result<Algorithm, Status> {
    Algorithm::from_name(name).ok_or(Status::ConfigError)
}

/// Makes fresh keys: per purpose a primary one and an active one, the next primary.
///
/// spec: a JSON object of purposes and algorithms; empty stands for
///   {"token":"EdDSA","state-binding":"HS256"}. Algorithms: HS256, HS384, HS512, ES256, EdDSA.
/// now_s: the keys' time of creation.
///
/// Errors: CONFIG_ERROR (spec), ENTROPY_UNAVAILABLE.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_keyring_generate(
    spec: *const u8,
    spec_len: usize,
    now_s: i64,
    out: *mut *mut donjon_keyring,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (spec, out) = unsafe { (bytes(spec, spec_len)?, Slot::new(out)?) };
        out.put_handle(donjon_keyring(Keyring::generate_from_json(spec, now_s, &mut OsEntropy)?));
        Ok(())
    })
}

/// Reads a JWK Set (RFC 7517): one of donjon's, or an identity provider's. A key without "purpose" and
/// "status" is an active token key. Keys of types and curves that donjon does not know are left out.
///
/// Errors: CONFIG_ERROR (not strict JSON, a weak secret, a degenerate key, two keys with one kid, two
/// primaries of one purpose, over 256 KiB or 512 keys).
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_keyring_from_jwks(
    jwks: *const u8,
    jwks_len: usize,
    out: *mut *mut donjon_keyring,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (jwks, out) = unsafe { (bytes(jwks, jwks_len)?, Slot::new(out)?) };
        out.put_handle(donjon_keyring(Keyring::from_jwks(jwks)?));
        Ok(())
    })
}

/// Says why donjon_keyring_from_jwks refuses a key set: null if it does not, else
/// `{"error":"config_error","path":"keys[3]","message":"…"}`, which says nothing of the key itself.
///
/// Errors: BUFFER_TOO_SMALL.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_keyring_diagnose(
    jwks: *const u8,
    jwks_len: usize,
    out: *mut u8,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (jwks, out) = unsafe { (bytes(jwks, jwks_len)?, Output::new(out, cap, out_len)?) };
        diagnosis::write(Keyring::from_jwks(jwks), out)
    })
}

/// Derives the keyring of a master secret; every host that is given both has the same keys.
///
/// master: base64url, without padding, of at least 32 random bytes.
/// config: empty, or {"keys":[{"purpose":"token","alg":"EdDSA","epoch":2,"oldest":1,"disabled":[]}]},
///   each entry in the place of its purpose's default (epoch 1 of token/EdDSA and
///   state-binding/HS256). "epoch" is the primary key, the one after it is active, those from "oldest"
///   (default: "epoch") up verify. To rotate, make a keyring with the next epoch.
///
/// Errors: CONFIG_ERROR.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_keyring_from_master(
    master: *const u8,
    master_len: usize,
    config: *const u8,
    config_len: usize,
    out: *mut *mut donjon_keyring,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (master, config, out) =
            unsafe { (bytes(master, master_len)?, bytes(config, config_len)?, Slot::new(out)?) };
        out.put_handle(donjon_keyring(Keyring::from_master(master, config)?));
        Ok(())
    })
}

/// A keyring of one raw HMAC secret, as its primary token key.
///
/// alg: HS256, HS384 or HS512; the secret is at least as long as the hash. kid: may be empty.
///
/// Errors: CONFIG_ERROR (too short, repeated, a placeholder, the text of a public key).
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_keyring_from_secret(
    secret: *const u8,
    secret_len: usize,
    alg: *const u8,
    alg_len: usize,
    kid: *const u8,
    kid_len: usize,
    out: *mut *mut donjon_keyring,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (secret, alg, kid, out) = unsafe {
            (bytes(secret, secret_len)?, text(alg, alg_len)?, optional_text(kid, kid_len)?, Slot::new(out)?)
        };
        out.put_handle(donjon_keyring(Keyring::from_secret(secret, algorithm(alg)?, kid)?));
        Ok(())
    })
}

/// A keyring of one PEM key: SPKI or PKCS#1 public, PKCS#8 or SEC1 private. A private key becomes the
/// primary token key, a public one is active.
///
/// alg: the algorithm that the key is for; it must fit. kid: may be empty.
///
/// Errors: CONFIG_ERROR.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_keyring_from_pem(
    pem: *const u8,
    pem_len: usize,
    alg: *const u8,
    alg_len: usize,
    kid: *const u8,
    kid_len: usize,
    out: *mut *mut donjon_keyring,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (pem, alg, kid, out) = unsafe {
            (bytes(pem, pem_len)?, text(alg, alg_len)?, optional_text(kid, kid_len)?, Slot::new(out)?)
        };
        let pem = core::str::from_utf8(pem).map_err(|_| Status::ConfigError)?;
        out.put_handle(donjon_keyring(Keyring::from_pem(pem, algorithm(alg)?, kid)?));
        Ok(())
    })
}

/// The keyring and one more JWK.
///
/// Errors: CONFIG_ERROR, as donjon_keyring_from_jwks; also for a key of an unknown type.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_keyring_import(
    keyring: *const donjon_keyring,
    jwk: *const u8,
    jwk_len: usize,
    out: *mut *mut donjon_keyring,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (keyring, jwk, out) = unsafe { (reference(keyring)?, bytes(jwk, jwk_len)?, Slot::new(out)?) };
        out.put_handle(donjon_keyring(keyring.0.import(jwk)?));
        Ok(())
    })
}

/// The keyring in which the active key of a purpose is its primary, a fresh key is active, and the old
/// primary, if there is one, verifies on until now_s + overlap_s: give at least the longest life of what
/// it signed. Of "envelope", "blind-index" and "settings" keys, whose work is stored, the old primary opens
/// on without an end, whatever overlap_s, and no key leaves the keyring: destroy one when nothing is stored
/// under it any more, or to erase what is. Keys of other purposes leave when their time to verify is over.
///
/// purpose: such as "token". alg: of the new keys; empty for the same as before.
///
/// Errors: CONFIG_ERROR (unknown purpose or algorithm, no algorithm where no key says which, over 512 keys,
/// or derived keys, which rotate by their epoch), ENTROPY_UNAVAILABLE.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_keyring_rotate(
    keyring: *const donjon_keyring,
    purpose: *const u8,
    purpose_len: usize,
    alg: *const u8,
    alg_len: usize,
    now_s: i64,
    overlap_s: i64,
    out: *mut *mut donjon_keyring,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (keyring, purpose, alg, out) = unsafe {
            (reference(keyring)?, text(purpose, purpose_len)?, optional_text(alg, alg_len)?, Slot::new(out)?)
        };
        let purpose = Purpose::from_name(purpose).ok_or(Status::ConfigError)?;
        let alg = alg.map(algorithm).transpose()?;
        let rotated = keyring.0.rotate(purpose, alg, now_s, overlap_s, &mut OsEntropy)?;
        out.put_handle(donjon_keyring(rotated));
        Ok(())
    })
}

/// The keyring in which one key has another status.
///
/// status: "active", "verify-only", "disabled" or "destroyed". not_after_s: until when a verify-only key
///   checks, or DONJON_NEVER for no end.
///
/// Errors: UNKNOWN_KEY, CONFIG_ERROR (unknown status, a destroyed key, destroying a derived one).
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_keyring_set_status(
    keyring: *const donjon_keyring,
    kid: *const u8,
    kid_len: usize,
    status: *const u8,
    status_len: usize,
    not_after_s: i64,
    out: *mut *mut donjon_keyring,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (keyring, kid, status, out) =
            unsafe { (reference(keyring)?, text(kid, kid_len)?, text(status, status_len)?, Slot::new(out)?) };
        let status = KeyStatus::from_name(status).ok_or(Status::ConfigError)?;
        let not_after_s = Some(not_after_s).filter(|&end| end != DONJON_NEVER);
        out.put_handle(donjon_keyring(keyring.0.with_status(kid, status, not_after_s)?));
        Ok(())
    })
}

/// SECRET: the whole keyring as a JWK Set, for the operator's secret store.
///
/// Errors: BUFFER_TOO_SMALL.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_keyring_to_jwks(
    keyring: *const donjon_keyring,
    out: *mut u8,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (keyring, out) = unsafe { (reference(keyring)?, Output::new(out, cap, out_len)?) };
        out.write(keyring.0.secret_jwks().as_bytes())
    })
}

/// The public keys that check tokens at now_s, as a JWK Set for /.well-known/jwks.json.
///
/// Errors: BUFFER_TOO_SMALL.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_keyring_public_jwks(
    keyring: *const donjon_keyring,
    now_s: i64,
    out: *mut u8,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (keyring, out) = unsafe { (reference(keyring)?, Output::new(out, cap, out_len)?) };
        out.write(keyring.0.public_jwks(now_s).as_bytes())
    })
}

/// What a log may say of the keyring, as JSON: {"keys":[{"kid","kty","alg","purpose","status",
/// "created_s","not_after_s","thumbprint"}]}. What is not there is null. No key material; thumbprints
/// (RFC 7638) of public keys only.
///
/// Errors: BUFFER_TOO_SMALL.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_keyring_summary(
    keyring: *const donjon_keyring,
    out: *mut u8,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (keyring, out) = unsafe { (reference(keyring)?, Output::new(out, cap, out_len)?) };
        out.write(keyring.0.summary().as_bytes())
    })
}

/// Frees a keyring. Issuers and verifiers made from it live on.
///
/// # Safety
/// keyring is NULL, or a handle that was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_keyring_free(keyring: *mut donjon_keyring) {
    // SAFETY: the caller's handle, as the contract says.
    guard(|| unsafe {
        free(keyring);
        Ok(())
    });
}
