//! Tokens: JWS in compact form (RFC 7515, RFC 7519), minted and checked with the advice of RFC 8725.
//!
//! *Decides* whether a token is genuine, of the expected type, in its time, and from and for whom it
//! should be. *Inputs*: a keyring, expectations that are given or waived by name, the token, the clock.
//! *State*: none for access tokens; 32 bytes per refresh family ([`refresh`]); what the host's store
//! says about [revocation](crate::revocation). *Threat*: forgery by confusing algorithms, keys or types;
//! parsers that disagree; replayed refresh tokens; inputs made to be expensive.
//!
//! | type | `typ` | life | made by |
//! |---|---|---|---|
//! | access | `at+jwt` (RFC 9068) | 30 min | [`Issuer::access`] |
//! | refresh | `rt+jwt` | 7 days | [`Issuer::refresh`] |
//! | single purpose | `reset+jwt`, `invite+jwt`, … | as asked | [`PurposeTokens::mint`] |
//!
//! The types never pass for each other. A signature failure outranks every claim error, and no claims
//! come with an error.

mod claims;
mod error;
mod header;
mod issuer;
mod jws;
mod purpose;
pub mod refresh;
mod token_type;
mod verifier;

pub use claims::{Claims, Span};
pub use error::TokenError;
pub use issuer::{
    DEFAULT_ACCESS_TTL_S, DEFAULT_REFRESH_TTL_S, Grant, Issuer, IssuerConfig, MAX_SUBJECT_LEN, MAX_TYP_LEN,
    sign_claims, sign_claims_bound,
};
pub use jws::{
    Jws, MAX_HEADER_LEN, MAX_PAYLOAD_LEN, MAX_SIGNATURE_LEN, MAX_TOKEN_LEN, unverified_header, verify_jws,
};
pub use purpose::{MAX_STATE_LEN, PurposeTokens, purpose_token_bound};
pub use token_type::{MAX_PURPOSE_LEN, PurposeName, TokenType};
pub use verifier::{Expected, Verifier, VerifierConfig, read_algorithms};
