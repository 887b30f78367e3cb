//! Revocation: whether a token that verifies was taken back since.
//!
//! *Decides* from what a store says: the token, its family or its key were revoked, or all tokens of its
//! subject *since* a time, so that "log out everywhere" is one write and not a scan. *Inputs*: what the token
//! says of itself; the records that were found; the clock. *State*: small records that the host's store keeps,
//! and a [marker](StoreMarker) of the store itself. *Threat*: a store that was flushed or restored forgets; so
//! tokens older than its marker are refused, and without one all are. What is damaged, or the record of
//! something else, counts as revoked.
//!
//! Tokens are told apart by `jti`, never by their text: an ECDSA signature has a twin.
//!
//! Where there is no store to ask, a [set](RevocationSet) that was signed answers, for as long as it says: one
//! that is withheld, rolled back or forged refuses every token.
//!
//! ```text
//! record = 1 ‖ kind u8 (1 token, 2 family, 3 subject, 4 key) ‖ until_s i64 ‖ since_s i64 ‖ id
//! keys   = "{" T "}:revoked:since"                  T    = base64url(the subject's tag)
//!          "{" T "}:revoked:token:" H(jti)          H(x) = base64url(first 16 bytes of SHA-256(x))
//!          "{" T "}:revoked:family:" H(family)
//!          "revoked:key:" H(kid)
//! marker = 1 ‖ count u56 ‖ since_ms i64 ‖ alive_ms i64, under "epoch"
//! set    = "DJR1" ‖ kid length u8 ‖ kid ‖ sequence u64 ‖ issued_at_s i64 ‖ valid_until_s i64 ‖ store_since_s i64
//!          ‖ skew_s u16 ‖ seed(16) ‖ table of ids ‖ table of subjects
//!          ‖ keys: count u16, each length u8 ‖ kid ‖ signature length u16 ‖ signature
//! table  = count u32 ‖ b u8 ‖ offsets u32 × (2^b + 1) ‖ entries: remainder(3) ‖ of subjects: since_s i64
//! ```
//!
//! ```
//! use donjon::entropy::FixedEntropy;
//! use donjon::keyring::Keyring;
//! use donjon::revocation::{Revocable, RevocationError, RevocationSet, SetTerms, Suspect, sign_set};
//! # let keyring = Keyring::from_master("pDOI4XyVoYMjTPMoWUTfR2QiDkVKlBuWUOaEp5XcEnU",
//! #     r#"{"keys":[{"purpose":"token","epoch":1},{"purpose":"device","epoch":1}]}"#).unwrap();
//! use donjon::revocation::Revocations;
//!
//! let (now_ms, now_s) = (1_800_000_000_000, 1_800_000_000);
//! let rules = Revocations::new(&keyring, b"")?;
//! let written = rules.revoke(Revocable::Token { subject: "ann", token_id: "t1" }, b"", None, now_ms, 0)?;
//!
//! let mut records = (written.value.len() as u32).to_be_bytes().to_vec();
//! records.extend_from_slice(&written.value);
//! let terms = SetTerms { sequence: 1, store_since_ms: 0, skew_s: 2, issued_at_s: now_s, valid_until_s: now_s + 300 };
//! let bytes = sign_set(&keyring, terms, &records, &mut FixedEntropy::new(&[7; 16]))?;
//!
//! let set = RevocationSet::open(&bytes, &keyring, 0, now_s)?;
//! let suspect = Suspect { subject: "ann", token_id: "t1", family: "", key_id: "", issued_at_s: Some(now_s) };
//! assert_eq!(set.check(&suspect, now_s).outcome, Err(RevocationError::Revoked));
//! assert_eq!(set.check(&Suspect { token_id: "t2", ..suspect }, now_s).outcome, Ok(()));
//! # Ok::<(), RevocationError>(())
//! ```

mod builder;
mod error;
mod facts;
mod keys;
mod marker;
mod record;
mod rules;
mod set;
mod table;

pub use builder::{MAX_SET_RECORDS_LEN, SetTerms, set_bound, sign_set};
pub use error::RevocationError;
pub use facts::{DEFAULT_SKEW_S, RevocationFacts, issue_time};
pub use keys::{Revocable, Suspect};
pub use marker::{MARKER_LEN, MarkerReason, MarkerVerdict, MarkerWrite, StoreMarker};
pub use record::MAX_REVOKED_ID_LEN;
pub use rules::{DEFAULT_LONGEST_TTL_S, Revocations, Written};
pub use set::{MAX_SET_TTL_S, RevocationSet, SetInfo, SetVerdict};
