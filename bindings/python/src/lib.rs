//! `donjon._donjon`: the Python classes over the C ABI.
//!
//! Each class holds one handle of the ABI and each method is one call of it, so this crate converts and
//! decides nothing. The calls themselves are in [`abi`], which alone has `unsafe`.

use pyo3::prelude::*;

mod abi;
mod argument;
mod blind_index;
mod claims;
mod envelope;
mod error;
mod fernet;
mod from_json;
mod hasher;
mod issuer;
mod jwks;
mod jws;
mod keyring;
mod limit_table;
mod limits;
mod lockout;
mod long;
mod policy;
mod proxies;
mod purpose;
mod reader;
mod refresh;
mod revocation;
mod revocation_rules;
mod revocation_set;
mod sealer;
mod session;
mod sessions;
mod setting;
#[cfg(feature = "test-entropy")]
mod shim;
mod stream;
mod strength;
mod subject;
mod to_json;
mod verdict;
mod verifier;

#[pymodule]
mod _donjon {
    use pyo3::prelude::*;

    use crate::abi;

    #[pymodule_export]
    use crate::blind_index::BlindIndex;
    #[pymodule_export]
    use crate::claims::Claims;
    #[pymodule_export]
    use crate::envelope::{chunked_open, chunked_seal, envelope_inspect, erasure};
    #[pymodule_export]
    use crate::fernet::{Fernet, derive_key, generate_key, open_aes_engine};
    #[pymodule_export]
    use crate::hasher::{Hasher, Verification};
    #[pymodule_export]
    use crate::issuer::{Refresh, TokenIssuer};
    #[pymodule_export]
    use crate::jwks::{JwksVerdict, jwks_refresh};
    #[pymodule_export]
    use crate::jws::{Jws, sign_token, unverified_header, verify_jws, verify_jws_of_config};
    #[pymodule_export]
    use crate::keyring::Keyring;
    #[pymodule_export]
    use crate::limit_table::{LimitTable, LimitTableStatistics};
    #[pymodule_export]
    use crate::limits::{Limits, compare_and_set_script, profiles};
    #[pymodule_export]
    use crate::lockout::LockoutKeys;
    #[pymodule_export]
    use crate::policy::{Policy, permission_implies};
    #[pymodule_export]
    use crate::proxies::{Client, Proxies};
    #[pymodule_export]
    use crate::purpose::PurposeTokens;
    #[pymodule_export]
    use crate::reader::Reader;
    #[pymodule_export]
    use crate::refresh::{RefreshVerdict, refresh_begin, refresh_revoke, refresh_rotate};
    #[pymodule_export]
    use crate::revocation::check_revocation;
    #[pymodule_export]
    use crate::revocation_rules::{MarkerVerdict, RevocationRules, store_marker};
    #[pymodule_export]
    use crate::revocation_set::{RevocationSet, sign_revocation_set};
    #[pymodule_export]
    use crate::sealer::{KeySource, Sealer, generate_external_key};
    #[pymodule_export]
    use crate::session::Session;
    #[pymodule_export]
    use crate::sessions::{SessionVerdict, Sessions};
    #[pymodule_export]
    use crate::setting::{open_setting, seal_setting};
    #[cfg(feature = "test-entropy")]
    #[pymodule_export]
    use crate::shim::test_entropy;
    #[pymodule_export]
    use crate::stream::{Decryptor, Encryptor};
    #[pymodule_export]
    use crate::strength::{breach_count, breach_prefix, password_estimate, password_strength};
    #[pymodule_export]
    use crate::subject::Subject;
    #[pymodule_export]
    use crate::verdict::Verdict;
    #[pymodule_export]
    use crate::verifier::TokenVerifier;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        crate::error::check_abi_version()?;
        module.add("__version__", abi::version())?;
        module.add("ENVELOPE_PREFIX_MAX", abi::PREFIX_MAX)?;
        module.add("READER_TAIL_MAX", abi::TAIL_MAX)?;
        module.add("STATUSES", crate::error::statuses())
    }
}
