//! `donjon._donjon`: the Python classes over the C ABI.
//!
//! Each class holds one handle of the ABI and each method is one call of it, so this crate converts and
//! decides nothing. The calls themselves are in [`abi`], the only file with `unsafe`.

use pyo3::prelude::*;

mod abi;
mod argument;
mod claims;
mod error;
mod from_json;
mod hasher;
mod issuer;
mod jwks;
mod jws;
mod keyring;
mod policy;
mod purpose;
mod refresh;
mod revocation;
#[cfg(feature = "test-entropy")]
mod shim;
mod strength;
mod subject;
mod to_json;
mod verifier;

#[pymodule]
mod _donjon {
    use pyo3::prelude::*;

    use crate::abi;

    #[pymodule_export]
    use crate::claims::Claims;
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
    use crate::policy::{Policy, permission_implies};
    #[pymodule_export]
    use crate::purpose::PurposeTokens;
    #[pymodule_export]
    use crate::refresh::{RefreshVerdict, refresh_begin, refresh_revoke, refresh_rotate};
    #[pymodule_export]
    use crate::revocation::check_revocation;
    #[cfg(feature = "test-entropy")]
    #[pymodule_export]
    use crate::shim::test_entropy;
    #[pymodule_export]
    use crate::strength::{breach_count, breach_prefix, password_estimate, password_strength};
    #[pymodule_export]
    use crate::subject::Subject;
    #[pymodule_export]
    use crate::verifier::TokenVerifier;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        crate::error::check_abi_version()?;
        module.add("__version__", abi::version())?;
        module.add("STATUSES", crate::error::statuses())
    }
}
