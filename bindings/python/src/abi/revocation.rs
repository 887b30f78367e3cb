//! Revocation: what a store has, how whole it is, and the set for those without one.

use super::{Handle, Keyring, Noun, Outcome, answer, check, ffi, fill, written};

impl Noun for ffi::donjon_revocations {
    const FREE: unsafe extern "C" fn(*mut Self) = ffi::donjon_revocations_free;
}

impl Noun for ffi::donjon_revocation_set {
    const FREE: unsafe extern "C" fn(*mut Self) = ffi::donjon_revocation_set_free;
}

pub(crate) use ffi::{
    DONJON_MARKER_DAMAGED as MARKER_DAMAGED, DONJON_MARKER_MISSING as MARKER_MISSING,
    DONJON_MARKER_ROLLED_BACK as MARKER_ROLLED_BACK, DONJON_MARKER_SILENT as MARKER_SILENT,
    DONJON_REVOKED_FAMILY as REVOKED_FAMILY, DONJON_REVOKED_KEY as REVOKED_KEY,
    DONJON_REVOKED_SUBJECT as REVOKED_SUBJECT, DONJON_REVOKED_TOKEN as REVOKED_TOKEN,
    donjon_marker_verdict as MarkerVerdict,
};

type Marker = [u8; ffi::DONJON_MARKER_LEN];

/// What a token says of itself that it may be revoked by. Empty is none.
#[derive(Clone, Copy)]
pub(crate) struct Suspect<'a> {
    pub(crate) subject: &'a [u8],
    pub(crate) token_id: &'a [u8],
    pub(crate) family: &'a [u8],
    pub(crate) key_id: &'a [u8],
}

pub(crate) struct RevocationRules(Handle<ffi::donjon_revocations>);

impl RevocationRules {
    pub(crate) fn new(keyring: &Keyring, config: &[u8]) -> Outcome<Self> {
        Handle::make(|out| {
            // SAFETY: the module's contract.
            unsafe { ffi::donjon_revocations_new(keyring.0.get(), config.as_ptr(), config.len(), out) }
        })
        .map(Self)
    }

    pub(crate) fn keys(&self, suspect: Suspect<'_>) -> Outcome<Vec<u8>> {
        // SAFETY: the module's contract.
        answer(|out, cap, len| unsafe {
            ffi::donjon_revocations_keys(
                self.0.get(),
                suspect.subject.as_ptr(),
                suspect.subject.len(),
                suspect.token_id.as_ptr(),
                suspect.token_id.len(),
                suspect.family.as_ptr(),
                suspect.family.len(),
                suspect.key_id.as_ptr(),
                suspect.key_id.len(),
                out,
                cap,
                len,
            )
        })
    }

    pub(crate) fn check(
        &self,
        suspect: Suspect<'_>,
        issued_at_s: i64,
        values: &[u8],
        store_since_ms: i64,
    ) -> Outcome<()> {
        // SAFETY: the module's contract.
        check(unsafe {
            ffi::donjon_revocations_check(
                self.0.get(),
                suspect.subject.as_ptr(),
                suspect.subject.len(),
                suspect.token_id.as_ptr(),
                suspect.token_id.len(),
                suspect.family.as_ptr(),
                suspect.family.len(),
                suspect.key_id.as_ptr(),
                suspect.key_id.len(),
                issued_at_s,
                values.as_ptr(),
                values.len(),
                store_since_ms,
            )
        })
    }

    pub(crate) fn issue_since(&self, subject: &[u8], values: &[u8], store_since_ms: i64) -> Outcome<i64> {
        // SAFETY: the module's contract.
        written(|since| unsafe {
            ffi::donjon_revocations_issue_since(
                self.0.get(),
                subject.as_ptr(),
                subject.len(),
                values.as_ptr(),
                values.len(),
                store_since_ms,
                since,
            )
        })
    }

    pub(crate) fn key(&self, kind: u32, subject: &[u8], id: &[u8]) -> Outcome<Vec<u8>> {
        // SAFETY: the module's contract.
        answer(|out, cap, len| unsafe {
            ffi::donjon_revocations_key(
                self.0.get(),
                kind,
                subject.as_ptr(),
                subject.len(),
                id.as_ptr(),
                id.len(),
                out,
                cap,
                len,
            )
        })
    }

    /// The record to store, and for how long.
    #[allow(clippy::too_many_arguments, reason = "as many as the decision wants")]
    pub(crate) fn revoke(
        &self,
        kind: u32,
        subject: &[u8],
        id: &[u8],
        stored: &[u8],
        until_s: i64,
        now_ms: i64,
        store_since_ms: i64,
    ) -> Outcome<(Vec<u8>, i64)> {
        // The longest id that is taken, and what is before it.
        const MAX: usize = 2048;
        let mut keep_ms = 0;
        // SAFETY: the module's contract.
        let value = fill(MAX, |out, cap, len| unsafe {
            ffi::donjon_revocations_revoke(
                self.0.get(),
                kind,
                subject.as_ptr(),
                subject.len(),
                id.as_ptr(),
                id.len(),
                stored.as_ptr(),
                stored.len(),
                until_s,
                now_ms,
                store_since_ms,
                &raw mut keep_ms,
                out,
                cap,
                len,
            )
        })?;
        Ok((value, keep_ms))
    }
}

/// Why [`RevocationRules::new`] refuses a configuration.
pub(crate) fn revocation_rules_diagnose(keyring: &Keyring, config: &[u8]) -> Outcome<Vec<u8>> {
    // SAFETY: the module's contract.
    answer(|out, cap, len| unsafe {
        ffi::donjon_revocations_diagnose(keyring.0.get(), config.as_ptr(), config.len(), out, cap, len)
    })
}

pub(crate) fn store_marker(
    stored: &[u8],
    seen: &[u8],
    max_silence_ms: i64,
    now_ms: i64,
) -> Outcome<(MarkerVerdict, Marker)> {
    let mut marker = [0; ffi::DONJON_MARKER_LEN];
    // SAFETY: the module's contract; `marker` is as long as the ABI says.
    let verdict = written(|verdict| unsafe {
        ffi::donjon_store_marker(
            stored.as_ptr(),
            stored.len(),
            seen.as_ptr(),
            seen.len(),
            max_silence_ms,
            now_ms,
            marker.as_mut_ptr(),
            verdict,
        )
    })?;
    Ok((verdict, marker))
}

/// What a set says of itself.
#[derive(Clone, Copy)]
pub(crate) struct SetTerms {
    pub(crate) sequence: u64,
    pub(crate) store_since_ms: i64,
    pub(crate) skew_s: i64,
    pub(crate) issued_at_s: i64,
    pub(crate) valid_until_s: i64,
}

pub(crate) fn revocation_set_sign(keyring: &Keyring, terms: SetTerms, records: &[u8]) -> Outcome<Vec<u8>> {
    let bound = ffi::donjon_revocation_set_bound(records.len());
    // SAFETY: the module's contract.
    fill(bound, |out, cap, len| unsafe {
        ffi::donjon_revocation_set_sign(
            keyring.0.get(),
            terms.sequence,
            terms.store_since_ms,
            terms.skew_s,
            terms.issued_at_s,
            terms.valid_until_s,
            records.as_ptr(),
            records.len(),
            out,
            cap,
            len,
        )
    })
}

pub(crate) struct RevocationSet(Handle<ffi::donjon_revocation_set>);

impl RevocationSet {
    pub(crate) fn open(set: &[u8], keyring: &Keyring, last_sequence: u64, now_s: i64) -> Outcome<Self> {
        Handle::make(|out| {
            let (keyring, bytes, len) = (keyring.0.get(), set.as_ptr(), set.len());
            // SAFETY: the module's contract.
            unsafe { ffi::donjon_revocation_set_open(bytes, len, keyring, last_sequence, now_s, out) }
        })
        .map(Self)
    }

    /// What there is against a token, and whether another may be meant.
    pub(crate) fn check(&self, suspect: Suspect<'_>, issued_at_s: i64, now_s: i64) -> (Outcome<()>, bool) {
        let mut is_probable = 0;
        // SAFETY: the module's contract.
        let status = unsafe {
            ffi::donjon_revocation_set_check(
                self.0.get(),
                suspect.subject.as_ptr(),
                suspect.subject.len(),
                suspect.token_id.as_ptr(),
                suspect.token_id.len(),
                suspect.family.as_ptr(),
                suspect.family.len(),
                suspect.key_id.as_ptr(),
                suspect.key_id.len(),
                issued_at_s,
                now_s,
                &raw mut is_probable,
            )
        };
        (check(status), is_probable != 0)
    }

    pub(crate) fn info(&self) -> Outcome<Vec<u8>> {
        // SAFETY: the module's contract.
        answer(|out, cap, len| unsafe { ffi::donjon_revocation_set_info(self.0.get(), out, cap, len) })
    }
}
