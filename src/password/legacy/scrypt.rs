//! scrypt (RFC 7914), as passlib and as Django write it.

use alloc::vec::Vec;
use base64ct::{Base64, Base64Unpadded, Encoding as _};
use zeroize::Zeroizing;

use crate::ct;
use crate::password::phc::decimal;
use crate::password::{Password, PasswordError};

/// The bytes of a hash. Exactly these: scrypt's shorter outputs begin its longer ones, so what was cut
/// short would verify, with fewer bits.
const PASSLIB_LEN: usize = 32;
const DJANGO_LEN: usize = 64;

const MAX_LOG_N: u32 = 21;
const MAX_R: u32 = 64;
const MAX_P: u32 = 64;

/// The most work, N · r · p: 16 times OWASP's recommendation.
const MAX_WORK: u64 = 1 << 24;

/// A scrypt hash, taken apart.
pub(crate) struct Scrypt {
    params: ::scrypt::Params,
    memory_kib: u32,
    salt: Vec<u8>,
    hash: Vec<u8>,
}

impl Scrypt {
    /// passlib's `$scrypt$ln=<log2 N>,r=<r>,p=<p>$<salt>$<hash>`, in base64 without padding.
    pub(crate) fn read_passlib(text: &str) -> Result<Self, PasswordError> {
        let invalid = PasswordError::InvalidHash;
        let mut fields = text.strip_prefix("$scrypt$").ok_or(invalid)?.split('$');
        let (Some(params), Some(salt), Some(hash), None) =
            (fields.next(), fields.next(), fields.next(), fields.next())
        else {
            return Err(invalid);
        };
        let mut params = params.split(',');
        let mut next = |prefix| params.next().and_then(|param: &str| param.strip_prefix(prefix));
        let mut cost = |prefix| next(prefix).and_then(decimal).ok_or(invalid);
        let (log_n, r, p) = (cost("ln=")?, cost("r=")?, cost("p=")?);
        if params.next().is_some() {
            return Err(invalid);
        }
        let decode = |text| Base64Unpadded::decode_vec(text).map_err(|_| invalid);
        Self::new(log_n, r, p, decode(salt)?, checked(decode(hash)?, PASSLIB_LEN)?)
    }

    /// Django's `scrypt$<N>$<salt, as it is>$<r>$<p>$<hash, in padded base64>`.
    pub(crate) fn read_django(text: &str) -> Result<Self, PasswordError> {
        let invalid = PasswordError::InvalidHash;
        let mut fields = text.strip_prefix("scrypt$").ok_or(invalid)?.split('$');
        let mut next = || fields.next().ok_or(invalid);
        let (n, salt, r, p, hash) = (next()?, next()?, next()?, next()?, next()?);
        if fields.next().is_some() {
            return Err(invalid);
        }
        let number = |text| decimal(text).ok_or(invalid);
        let (n, r, p) = (number(n)?, number(r)?, number(p)?);
        let hash = Base64::decode_vec(hash).map_err(|_| invalid)?;
        // What is no power of two is no N of scrypt's, unless the number did not fit.
        if !n.is_power_of_two() && n != u32::MAX {
            return Err(invalid);
        }
        let log_n = if n == u32::MAX { u32::MAX } else { n.trailing_zeros() };
        Self::new(log_n, r, p, salt.as_bytes().to_vec(), checked(hash, DJANGO_LEN)?)
    }

    fn new(log_n: u32, r: u32, p: u32, salt: Vec<u8>, hash: Vec<u8>) -> Result<Self, PasswordError> {
        let out_of_bounds = PasswordError::ParamsOutOfBounds;
        let in_bounds =
            (1..=MAX_LOG_N).contains(&log_n) && (1..=MAX_R).contains(&r) && (1..=MAX_P).contains(&p);
        if !in_bounds {
            return Err(out_of_bounds);
        }
        let n = 1_u64.checked_shl(log_n).ok_or(out_of_bounds)?;
        let (r_wide, p_wide) = (u64::from(r), u64::from(p));
        if n.saturating_mul(r_wide).saturating_mul(p_wide) > MAX_WORK {
            return Err(out_of_bounds);
        }
        // N blocks of 128 · r bytes, p more of them, and one to work in.
        let blocks = n.saturating_add(p_wide).saturating_add(1);
        let memory_kib = blocks.saturating_mul(r_wide).saturating_mul(128).div_ceil(1024);
        let log_n = u8::try_from(log_n).map_err(|_| out_of_bounds)?;
        Ok(Self {
            params: ::scrypt::Params::new(log_n, r, p).map_err(|_| out_of_bounds)?,
            memory_kib: u32::try_from(memory_kib).map_err(|_| out_of_bounds)?,
            salt,
            hash,
        })
    }

    /// The memory that [`Scrypt::matches`] allocates, in KiB. It is not wiped: the primitive does not.
    pub(crate) const fn memory_kib(&self) -> u32 {
        self.memory_kib
    }

    pub(crate) fn matches(&self, password: Password<'_>) -> Result<bool, PasswordError> {
        self.check_memory()?;
        let mut out = Zeroizing::new([0; DJANGO_LEN]);
        let out = out.get_mut(..self.hash.len()).ok_or(PasswordError::Internal)?;
        ::scrypt::scrypt(password.as_bytes(), &self.salt, &self.params, out)
            .map_err(|_| PasswordError::Internal)?;
        Ok(ct::eq(out, &self.hash))
    }

    /// The primitive allocates without asking, so ask before it does: a caller with threads lets one in at
    /// a time, or what the one was promised, the other takes.
    fn check_memory(&self) -> Result<(), PasswordError> {
        let bytes = usize::try_from(self.memory_kib).unwrap_or(usize::MAX).saturating_mul(1024);
        Vec::<u8>::new().try_reserve_exact(bytes).map_err(|_| PasswordError::OutOfMemory)
    }
}

fn checked(hash: Vec<u8>, len: usize) -> Result<Vec<u8>, PasswordError> {
    if hash.len() == len { Ok(hash) } else { Err(PasswordError::InvalidHash) }
}
