//! `donjon_sealer`.

use super::keyring::donjon_keyring;
use super::memory::{Output, Slot, bytes, free, reference, text};
use super::{diagnosis, guard};
use crate::envelope::{Context, Inspection, MAX_PREFIX_LEN, PassphraseParams, Sealer};
use crate::error::Status;
use crate::runtime::OsEntropy;

/// As many first bytes of any envelope as tell all that stands before its first chunk, and the cap for a
/// header.
pub const DONJON_ENVELOPE_PREFIX_MAX: usize = 6336;

/// The plaintext of every chunk but the last, in bytes.
pub const DONJON_CHUNK_LEN: usize = 16384;

/// A data key, in bytes.
pub const DONJON_DATA_KEY_LEN: usize = 32;

/// The longest passphrase, in bytes.
pub const DONJON_PASSPHRASE_MAX: usize = 4096;

/// Seals and opens under one source of keys: a keyring, a passphrase, a host's KMS or HSM, or a data key.
/// Everything that takes a sealer takes any of them.
///
/// A function that opens writes as it goes: where it fails, the output holds zeros or what it held before,
/// and never plaintext. Its output and its inputs do not overlap (INVALID_ARGUMENT).
pub struct donjon_sealer(pub(super) Sealer);

/// Makes a sealer of the "envelope" secrets of a keyring: it seals under the primary, and opens under the
/// one that an envelope names. The keyring may be freed afterwards.
///
/// Errors: CONFIG_ERROR (no primary; a key that is no secret or has no id).
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_sealer_new(
    keyring: *const donjon_keyring,
    out: *mut *mut donjon_sealer,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (keyring, out) = unsafe { (reference(keyring)?, Slot::new(out)?) };
        out.put_handle(donjon_sealer(Sealer::new(&keyring.0)?));
        Ok(())
    })
}

/// Says why donjon_sealer_new refuses a keyring: null if it does not, else
/// `{"error":"config_error","path":"","message":"…"}`.
///
/// Errors: BUFFER_TOO_SMALL.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_sealer_diagnose(
    keyring: *const donjon_keyring,
    out: *mut u8,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (keyring, out) = unsafe { (reference(keyring)?, Output::new(out, cap, out_len)?) };
        diagnosis::write(Sealer::new(&keyring.0), out)
    })
}

/// Makes a sealer of a passphrase. Each envelope costs one Argon2id: when it is sealed, of these
/// parameters; when it is opened, of those that it says, within bounds. Its memory is allocated for each,
/// and wiped.
///
/// memory_kib, time_cost, parallelism: all 0 for the default, 256 MiB, 3 passes, 1 lane. At most 1 GiB,
///   16 passes, 16 lanes, and four passes over 1 GiB of work.
///
/// Errors: INVALID_ARGUMENT (an empty passphrase), TOO_LARGE, PARAMS_OUT_OF_BOUNDS.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_sealer_from_passphrase(
    passphrase: *const u8,
    passphrase_len: usize,
    memory_kib: u32,
    time_cost: u32,
    parallelism: u32,
    out: *mut *mut donjon_sealer,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (passphrase, out) = unsafe { (bytes(passphrase, passphrase_len)?, Slot::new(out)?) };
        let params = match (memory_kib, time_cost, parallelism) {
            (0, 0, 0) => PassphraseParams::DEFAULT,
            _ => PassphraseParams::new(memory_kib, time_cost, parallelism)?,
        };
        out.put_handle(donjon_sealer(Sealer::from_passphrase(passphrase, params)?));
        Ok(())
    })
}

/// Makes a sealer of a data key that the host's KMS or HSM has wrapped or unwrapped. It opens those
/// envelopes alone that hold this wrapped key; what it seals holds it too.
///
/// To seal: have the KMS make a data key, or wrap one of donjon_external_key_generate. To open: give the
/// KMS what donjon_envelope_inspect says. The data key is copied; wipe the host's.
/// key_id: names the KMS's key, 1 to 128 bytes. wrapped_key: what the KMS made, 1 to 6,144 bytes.
///
/// Errors: INVALID_ARGUMENT.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_sealer_from_external(
    data_key: *const u8,
    data_key_len: usize,
    key_id: *const u8,
    key_id_len: usize,
    wrapped_key: *const u8,
    wrapped_key_len: usize,
    out: *mut *mut donjon_sealer,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (data_key, key_id, wrapped_key, out) = unsafe {
            (
                bytes(data_key, data_key_len)?,
                text(key_id, key_id_len)?,
                bytes(wrapped_key, wrapped_key_len)?,
                Slot::new(out)?,
            )
        };
        out.put_handle(donjon_sealer(Sealer::from_external(data_key, key_id, wrapped_key)?));
        Ok(())
    })
}

/// Draws a data key for a KMS or HSM that wraps keys and makes none.
///
/// cap: at least DONJON_DATA_KEY_LEN.
///
/// Errors: ENTROPY_UNAVAILABLE, BUFFER_TOO_SMALL.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_external_key_generate(out: *mut u8, cap: usize, out_len: *mut usize) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let out = unsafe { Output::new(out, cap, out_len) }?;
        let fill = |key: &mut [u8]| crate::entropy::Entropy::fill(&mut OsEntropy, key);
        out.fill(DONJON_DATA_KEY_LEN, &[], |key| fill(key).map_err(|_| Status::EntropyUnavailable))
    })
}

/// The id of the key that new envelopes name: the keyring's primary, the KMS's, the data key's own; empty
/// for a passphrase.
///
/// Errors: BUFFER_TOO_SMALL.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_sealer_key_id(
    sealer: *const donjon_sealer,
    out: *mut u8,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (sealer, out) = unsafe { (reference(sealer)?, Output::new(out, cap, out_len)?) };
        out.write(sealer.0.key_id().as_bytes())
    })
}

/// The length of the envelope of so much plaintext, just as donjon_sealer_seal writes it.
///
/// Errors: TOO_LARGE.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_sealer_sealed_len(
    sealer: *const donjon_sealer,
    plaintext_len: usize,
    out: *mut usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (sealer, out) = unsafe { (reference(sealer)?, Slot::new(out)?) };
        out.put(sealer.0.envelope_len(plaintext_len)?);
        Ok(())
    })
}

/// Seals bytes for a context: the very same opens them, and no other.
///
/// context: of donjon_context_append, or empty. now_s: for the end of a keyring's key, not negative.
/// cap: at least donjon_sealer_sealed_len of the plaintext.
///
/// Errors: INVALID_ARGUMENT (not a context), KEY_EXPIRED (the primary), TOO_LARGE, OUT_OF_MEMORY,
/// ENTROPY_UNAVAILABLE, BUFFER_TOO_SMALL.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_sealer_seal(
    sealer: *const donjon_sealer,
    context: *const u8,
    context_len: usize,
    now_s: i64,
    plaintext: *const u8,
    plaintext_len: usize,
    out: *mut u8,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (sealer, context, plaintext, out) = unsafe {
            (
                reference(sealer)?,
                bytes(context, context_len)?,
                bytes(plaintext, plaintext_len)?,
                Output::new(out, cap, out_len)?,
            )
        };
        let bound = Context::from_encoded(context)?;
        out.fill(sealer.0.envelope_len(plaintext.len())?, &[context, plaintext], |out| {
            sealer.0.seal_into(&bound, now_s, plaintext, &mut OsEntropy, out)
        })
    })
}

/// Opens an envelope, whole or not at all.
///
/// cap: at least the plaintext's length, which BUFFER_TOO_SMALL says before any work; the envelope's is
/// always enough.
///
/// Errors: DECRYPT_FAILED (another context, another kind, cut off, changed, no envelope); UNKNOWN_KEY,
/// KEY_DISABLED, KEY_DESTROYED, KEY_EXPIRED (the key that it names; no other is tried);
/// PARAMS_OUT_OF_BOUNDS (of a passphrase's, before any work); INVALID_ARGUMENT, TOO_LARGE (context),
/// OUT_OF_MEMORY, BUFFER_TOO_SMALL.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_sealer_open(
    sealer: *const donjon_sealer,
    context: *const u8,
    context_len: usize,
    now_s: i64,
    envelope: *const u8,
    envelope_len: usize,
    out: *mut u8,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (sealer, context, envelope, out) = unsafe {
            (
                reference(sealer)?,
                bytes(context, context_len)?,
                bytes(envelope, envelope_len)?,
                Output::new(out, cap, out_len)?,
            )
        };
        let bound = Context::from_encoded(context)?;
        out.fill(Sealer::opened_len(envelope)?, &[context, envelope], |out| {
            sealer.0.open_into(&bound, now_s, envelope, out)
        })
    })
}

/// Whether an envelope or a wrapped data key should be wrapped anew: 1 if the key that it names is not the
/// one that wraps now (of a passphrase: if its parameters are others), else 0.
///
/// prefix: its first DONJON_ENVELOPE_PREFIX_MAX bytes, or all of it.
///
/// Errors: DECRYPT_FAILED (none of a kind that this sealer wraps).
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_sealer_needs_rewrap(
    sealer: *const donjon_sealer,
    prefix: *const u8,
    prefix_len: usize,
    out: *mut u32,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (sealer, prefix, out) =
            unsafe { (reference(sealer)?, bytes(prefix, prefix_len)?, Slot::new(out)?) };
        out.put(sealer.0.needs_rewrap(prefix)?.into());
        Ok(())
    })
}

/// Changes the key of an envelope without touching its payload: gives the header to put in the place of
/// the old one, whose length is old_header_len.
///
/// from: opens the envelope. to: wraps its data key; of the same kind as from, often the same handle. Of
///   external keys, the same data key wrapped anew.
/// prefix: the envelope's first DONJON_ENVELOPE_PREFIX_MAX bytes, or all of it.
/// cap: at least DONJON_ENVELOPE_PREFIX_MAX.
///
/// Errors: as donjon_sealer_open, for from; as donjon_sealer_seal, for to; INVALID_ARGUMENT (another kind
/// or data key).
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_sealer_rewrap(
    from: *const donjon_sealer,
    to: *const donjon_sealer,
    now_s: i64,
    prefix: *const u8,
    prefix_len: usize,
    old_header_len: *mut usize,
    out: *mut u8,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (from, to, prefix, old_header_len, out) = unsafe {
            (
                reference(from)?,
                reference(to)?,
                bytes(prefix, prefix_len)?,
                Slot::new(old_header_len)?,
                Output::new(out, cap, out_len)?,
            )
        };
        let out = out.require(DONJON_ENVELOPE_PREFIX_MAX)?;
        let (header, old_len) = from.0.rewrap(&to.0, now_s, prefix, &mut OsEntropy)?;
        out.write(&header)?;
        old_header_len.put(old_len);
        Ok(())
    })
}

/// Says what an envelope, a cell or a wrapped data key says of itself, before any key is asked for:
/// `{"kind":"self-contained","key_id":"…","header_len":134,"wrapped_key":null,"memory_kib":null,
/// "time_cost":null,"parallelism":null}`. Nothing of it is authentic yet.
///
/// kind: "self-contained", "data-key", "cell", "passphrase" or "external". key_id: the key that opens it.
/// wrapped_key: base64url of what the KMS is to unwrap, of an external one. header_len: where the payload
/// begins.
///
/// Errors: DECRYPT_FAILED (no envelope), BUFFER_TOO_SMALL.
///
/// # Safety
/// The pointers are as the contract says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_envelope_inspect(
    prefix: *const u8,
    prefix_len: usize,
    out: *mut u8,
    cap: usize,
    out_len: *mut usize,
) -> i32 {
    guard(|| {
        // SAFETY: the caller's pointers, as the contract says.
        let (prefix, out) = unsafe { (bytes(prefix, prefix_len)?, Output::new(out, cap, out_len)?) };
        out.write(Inspection::new(prefix)?.to_json().as_bytes())
    })
}

/// Frees a sealer, and wipes its keys.
///
/// # Safety
/// sealer is NULL, or a handle that was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn donjon_sealer_free(sealer: *mut donjon_sealer) {
    // SAFETY: the caller's handle, as the contract says.
    guard(|| unsafe {
        free(sealer);
        Ok(())
    });
}

const _: () = assert!(DONJON_ENVELOPE_PREFIX_MAX == MAX_PREFIX_LEN);
