//! The verifier: it is told what to expect, or told to waive it, and says yes or why not.

use alloc::string::String;
use alloc::vec::Vec;

use super::TokenError;
use super::claims::{Claims, bit};
use super::jws::TrustedKeys;
use super::token_type::TokenType;
use crate::json::{self, Limits, Value};
use crate::keyring::Keyring;
use crate::signature::{Algorithm, AlgorithmSet};
use crate::time::{MAX_LEEWAY_S, NumericDate};

/// How far ahead of the clock a token may claim to have been minted: an issuer that has just honoured
/// "log out everywhere" stamps up to this much (see [`crate::revocation`]).
const MAX_EARLY_S: i64 = crate::revocation::DEFAULT_SKEW_S + 1;

/// The most claims that a verifier can ask for.
const MAX_REQUIRED: usize = 64;

/// What is expected of a token. There is no default: it is given, or waived by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected<T> {
    /// Exactly this.
    Exactly(T),
    /// Anything, and nothing too.
    Waived,
}

/// What a verifier expects.
#[derive(Debug, Clone)]
pub struct VerifierConfig {
    /// The issuer, compared byte by byte.
    pub issuer: Expected<String>,
    /// The audiences that this service answers to: the token must name one of them.
    pub audience: Expected<Vec<String>>,
    /// The type of token.
    pub token_type: Expected<TokenType>,
    /// The algorithms, of which the key's must be one. Never waived.
    pub algorithms: AlgorithmSet,
    /// How far off the clocks may be, in seconds, at most [`MAX_LEEWAY_S`].
    pub leeway_s: i64,
    /// Whether `exp` must be there.
    pub expiry: Expected<()>,
    /// Further claims that must be there, at most 64.
    pub required: Vec<String>,
    /// For tokens of stacks that keep the type in a claim: its name. It is then mandatory.
    pub legacy_type_claim: Option<String>,
}

impl VerifierConfig {
    /// Expectations with no leeway, `exp` mandatory, nothing else required.
    #[must_use]
    pub const fn new(
        issuer: Expected<String>,
        audience: Expected<Vec<String>>,
        token_type: Expected<TokenType>,
        algorithms: AlgorithmSet,
    ) -> Self {
        Self {
            issuer,
            audience,
            token_type,
            algorithms,
            leeway_s: 0,
            expiry: Expected::Exactly(()),
            required: Vec::new(),
            legacy_type_claim: None,
        }
    }

    /// Reads the JSON form, in which a `null` waives and a missing member does not:
    /// `{"issuer":"https://a","audience":["api"],"type":"at+jwt","algorithms":["EdDSA"],"leeway_s":0,
    /// "require":["sub"],"legacy_type_claim":"token_type"}`. The last three may be left out; `"require":
    /// null` waives `exp` too.
    ///
    /// # Errors
    /// - [`TokenError::Config`]: a member missing, unknown, or of the wrong type.
    pub fn from_json(text: &[u8]) -> Result<Self, TokenError> {
        let Ok(Value::Object(object)) = json::parse(text, Limits::DOCUMENT) else {
            return Err(TokenError::Config("not a JSON object"));
        };
        let mut issuer = None;
        let mut audience = None;
        let mut token_type = None;
        let mut algorithms = None;
        let mut config = Self::new(Expected::Waived, Expected::Waived, Expected::Waived, AlgorithmSet::NONE);
        for (name, value) in object.iter() {
            match &*name.decode() {
                "issuer" => issuer = Some(expected(value, text_of)?),
                "audience" => audience = Some(expected(value, one_or_more)?),
                "type" => token_type = Some(expected(value, type_of)?),
                "algorithms" => algorithms = Some(read_algorithms(value)?),
                "leeway_s" => config.leeway_s = integer(value)?,
                "require" => match value {
                    Value::Null => config.expiry = Expected::Waived,
                    _ => config.required = texts(value)?,
                },
                "legacy_type_claim" => {
                    config.legacy_type_claim = match value {
                        Value::Null => None,
                        value => Some(text_of(value)?),
                    }
                }
                _ => return Err(TokenError::Config("unknown member")),
            }
        }
        config.issuer = issuer.ok_or(TokenError::Config("issuer is missing: null waives it"))?;
        config.audience = audience.ok_or(TokenError::Config("audience is missing: null waives it"))?;
        config.token_type = token_type.ok_or(TokenError::Config("type is missing: null waives it"))?;
        config.algorithms = algorithms.ok_or(TokenError::Config("algorithms is missing"))?;
        Ok(config)
    }
}

/// Reads a JSON list of algorithm names. All must be known: a verifier that silently drops one is not
/// the one that was asked for.
///
/// # Errors
/// - [`TokenError::Config`]: not a list of names of algorithms.
pub fn read_algorithms(value: Value<'_>) -> Result<AlgorithmSet, TokenError> {
    texts(value)?
        .iter()
        .map(|name| Algorithm::from_name(name).ok_or(TokenError::Config("unknown algorithm")))
        .collect()
}

fn expected<'a, T>(
    value: Value<'a>,
    read: impl Fn(Value<'a>) -> Result<T, TokenError>,
) -> Result<Expected<T>, TokenError> {
    match value {
        Value::Null => Ok(Expected::Waived),
        value => read(value).map(Expected::Exactly),
    }
}

pub(super) fn text_of(value: Value<'_>) -> Result<String, TokenError> {
    match value {
        Value::Text(text) if !text.raw().is_empty() => Ok(text.decode().into_owned()),
        _ => Err(TokenError::Config("a text is empty or no text")),
    }
}

fn type_of(value: Value<'_>) -> Result<TokenType, TokenError> {
    TokenType::from_typ(&text_of(value)?).ok_or(TokenError::Config("not a type of token"))
}

pub(super) fn texts(value: Value<'_>) -> Result<Vec<String>, TokenError> {
    match value {
        Value::Array(array) => array.iter().map(text_of).collect(),
        _ => Err(TokenError::Config("not a list")),
    }
}

pub(super) fn one_or_more(value: Value<'_>) -> Result<Vec<String>, TokenError> {
    match value {
        Value::Array(_) => texts(value),
        _ => text_of(value).map(|text| alloc::vec![text]),
    }
}

pub(super) fn integer(value: Value<'_>) -> Result<i64, TokenError> {
    match value {
        Value::Number(number) => number.integer().ok_or(TokenError::Config("not a whole number")),
        _ => Err(TokenError::Config("not a whole number")),
    }
}

/// Checks tokens against keys and expectations. Built once, shared by all threads.
///
/// ```
/// # use donjon::{entropy::FixedEntropy, keyring::Keyring, signature::{Algorithm, AlgorithmSet}};
/// # use donjon::token::{Expected, Grant, Issuer, IssuerConfig, TokenType, Verifier, VerifierConfig};
/// # let keyring = Keyring::from_master("pDOI4XyVoYMjTPMoWUTfR2QiDkVKlBuWUOaEp5XcEnU", "").unwrap();
/// # let config = IssuerConfig::new(Expected::Exactly("https://a".into()), Expected::Exactly(vec!["api".into()]));
/// # let issuer = Issuer::new(&keyring, config).unwrap();
/// # let token = issuer.access(&Grant::new("ann"), 1_000, &mut FixedEntropy::new(&[7; 16])).unwrap();
/// let verifier = Verifier::new(&keyring, VerifierConfig::new(
///     Expected::Exactly("https://a".into()),
///     Expected::Exactly(vec!["api".into()]),
///     Expected::Exactly(TokenType::Access),
///     AlgorithmSet::one(Algorithm::EdDsa),
/// ))?;
/// assert_eq!(verifier.verify(token.as_bytes(), 1_001)?.subject(), Some("ann"));
/// # Ok::<(), donjon::token::TokenError>(())
/// ```
#[derive(Debug)]
pub struct Verifier {
    trusted: TrustedKeys,
    config: VerifierConfig,
    /// The expected `typ`, spelt out once.
    typ: Option<String>,
    required: u64,
}

impl Verifier {
    /// A verifier that trusts the token keys of `keyring`.
    ///
    /// # Errors
    /// - [`TokenError::Config`]: no algorithms; HMAC and public-key algorithms without keys of both;
    ///   an empty expectation; leeway out of range; a type waived whose claim is named.
    pub fn new(keyring: &Keyring, mut config: VerifierConfig) -> Result<Self, TokenError> {
        let refused = |reason| Err(TokenError::Config(reason));
        // A name that is asked for twice is asked for.
        config.required.sort_unstable();
        config.required.dedup();
        if !(0..=MAX_LEEWAY_S).contains(&config.leeway_s) {
            return refused("the leeway is negative or over 300 seconds");
        }
        if matches!(&config.issuer, Expected::Exactly(issuer) if issuer.is_empty()) {
            return refused("the issuer is empty");
        }
        if matches!(&config.audience, Expected::Exactly(list) if list.is_empty() || list.iter().any(String::is_empty))
        {
            return refused("the audience is empty");
        }
        if config.required.len() > MAX_REQUIRED {
            return refused("more than 64 required claims");
        }
        let typ = match &config.token_type {
            Expected::Exactly(token_type)
                if token_type.legacy_name().is_some() || config.legacy_type_claim.is_none() =>
            {
                Some(token_type.typ())
            }
            _ if config.legacy_type_claim.is_some() => {
                return refused("legacy_type_claim wants the type that it stands for");
            }
            _ => None,
        };
        let required = (0..config.required.len()).map(bit).fold(0, |all, bit| all | bit);
        let trusted = TrustedKeys::new(keyring, config.algorithms)?.expecting(typ.as_deref());
        Ok(Self { trusted, config, typ, required })
    }

    /// Checks `token` and returns its claims.
    ///
    /// Cost: one signature; nothing is allocated before it holds, one buffer after.
    ///
    /// # Errors
    /// [`TokenError::InvalidArgument`] for a negative `now_s`; else the first that applies, in this order: shape ([`TokenError::Malformed`], [`TokenError::TooLarge`],
    /// [`TokenError::Unsupported`]), header ([`TokenError::AlgNotAllowed`],
    /// [`TokenError::UnsupportedCritical`]), key ([`TokenError::UnknownKey`], [`TokenError::KeyDisabled`],
    /// [`TokenError::KeyDestroyed`], [`TokenError::KeyExpired`]), [`TokenError::BadSignature`], claims
    /// ([`TokenError::BadClaimType`], [`TokenError::WrongTokenType`], [`TokenError::MissingClaim`],
    /// [`TokenError::Expired`], [`TokenError::NotYetValid`], [`TokenError::InvalidIssuer`],
    /// [`TokenError::InvalidAudience`]).
    pub fn verify(&self, token: &[u8], now_s: i64) -> Result<Claims, TokenError> {
        let verified = self
            .trusted
            .open(token, now_s, |header| header.is_none_or(|header| self.is_typ_expected(header)))?;
        let mut claims = Claims::read(verified.payload, &self.config.required)?;
        if !verified.of_header {
            return Err(TokenError::WrongTokenType);
        }
        self.check_legacy_type(&claims)?;
        self.check_times(&claims, now_s)?;
        self.check_issuer(&claims)?;
        self.check_audience(&claims)?;
        if claims.found & self.required != self.required {
            return Err(TokenError::MissingClaim);
        }
        if let Some(id) = verified.key.id() {
            claims.set_key_id(id);
        }
        Ok(claims)
    }

    fn is_typ_expected(&self, header: &super::header::Header<'_>) -> bool {
        let Some(typ) = &self.typ else { return true };
        let is_untyped = header.typ.is_none() || header.is_typ("JWT");
        header.is_typ(typ) || (self.config.legacy_type_claim.is_some() && is_untyped)
    }

    fn check_legacy_type(&self, claims: &Claims) -> Result<(), TokenError> {
        let (Some(name), Expected::Exactly(expected)) =
            (&self.config.legacy_type_claim, &self.config.token_type)
        else {
            return Ok(());
        };
        match claims.get(name) {
            Some(Value::Text(value)) if expected.legacy_name().is_some_and(|name| value == name) => Ok(()),
            Some(Value::Text(_)) => Err(TokenError::WrongTokenType),
            Some(_) => Err(TokenError::BadClaimType),
            None => Err(TokenError::MissingClaim),
        }
    }

    fn check_times(&self, claims: &Claims, now_s: i64) -> Result<(), TokenError> {
        check_times(claims, now_s, self.config.leeway_s, &self.config.expiry)
    }

    fn check_issuer(&self, claims: &Claims) -> Result<(), TokenError> {
        let Expected::Exactly(expected) = &self.config.issuer else { return Ok(()) };
        match claims.issuer() {
            None => Err(TokenError::MissingClaim),
            Some(issuer) if issuer == expected => Ok(()),
            Some(_) => Err(TokenError::InvalidIssuer),
        }
    }

    fn check_audience(&self, claims: &Claims) -> Result<(), TokenError> {
        if claims.has_bad_audience {
            return Err(TokenError::InvalidAudience);
        }
        let Expected::Exactly(accepted) = &self.config.audience else { return Ok(()) };
        if claims.spans.audience.is_none() {
            return Err(TokenError::MissingClaim);
        }
        let names_one =
            claims.audience().any(|audience| accepted.iter().any(|accepted| audience == accepted.as_str()));
        names_one.then_some(()).ok_or(TokenError::InvalidAudience)
    }
}

/// RFC 7519 §4.1.4–4.1.6. `exp == now` has expired. Leeway moves `now`, never the claim.
pub(super) fn check_times(
    claims: &Claims,
    now_s: i64,
    leeway_s: i64,
    expiry: &Expected<()>,
) -> Result<(), TokenError> {
    let earliest = now_s.saturating_sub(leeway_s);
    let latest = now_s.saturating_add(leeway_s);
    match claims.expires_at {
        None if *expiry == Expected::Waived => {}
        None => return Err(TokenError::MissingClaim),
        Some(end) if !end.is_after(earliest) => return Err(TokenError::Expired),
        Some(_) => {}
    }
    let is_after = |time: Option<NumericDate>, limit| time.is_some_and(|time| time.is_after(limit));
    if is_after(claims.not_before, latest) || is_after(claims.issued_at, latest.saturating_add(MAX_EARLY_S)) {
        return Err(TokenError::NotYetValid);
    }
    Ok(())
}
