//! The issuer: mints access and refresh tokens.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::TokenError;
use super::claims::Claims;
use super::jws::{self, header_segment, token_bound};
use super::refresh::{RefreshState, is_family};
use super::verifier::{Expected, integer, one_or_more, text_of};
use crate::base64url;
use crate::bytes::length;
use crate::entropy::Entropy;
use crate::json::{self, Limits, Members, ObjectWriter, Value};
use crate::keyring::{Key, KeyStatus, Keyring, Purpose};
use crate::revocation::{DEFAULT_SKEW_S, issue_time};
use crate::signature::Algorithm;
use crate::time::MAX_DURATION_S;

/// The life of an access token unless said otherwise: 30 minutes.
pub const DEFAULT_ACCESS_TTL_S: i64 = 30 * 60;
/// The life of a refresh token unless said otherwise: 7 days.
pub const DEFAULT_REFRESH_TTL_S: i64 = 7 * 24 * 60 * 60;
/// The longest subject, in bytes.
pub const MAX_SUBJECT_LEN: usize = 1024;

/// Claims that the issuer writes itself, and that nobody passes in; but for an access token's `family`.
const RESERVED: [&str; 9] = ["iss", "sub", "aud", "iat", "exp", "jti", "family", "generation", "sfp"];

/// Room for the punctuation, the names and the numbers of the claims that the issuer writes.
const FIXED_CLAIMS_LEN: usize = 256;

/// What an issuer stamps on every token.
#[derive(Debug, Clone)]
pub struct IssuerConfig {
    /// `iss`, or none.
    pub issuer: Expected<String>,
    /// `aud`, or none. One is written as a string, several as a list.
    pub audience: Expected<Vec<String>>,
    /// The life of an access token, in seconds.
    pub access_ttl_s: i64,
    /// The life of a refresh token, in seconds.
    pub refresh_ttl_s: i64,
}

impl IssuerConfig {
    /// Access tokens of 30 minutes, refresh tokens of 7 days.
    #[must_use]
    pub const fn new(issuer: Expected<String>, audience: Expected<Vec<String>>) -> Self {
        Self { issuer, audience, access_ttl_s: DEFAULT_ACCESS_TTL_S, refresh_ttl_s: DEFAULT_REFRESH_TTL_S }
    }

    /// Reads the JSON form, in which a `null` waives and a missing member does not:
    /// `{"issuer":"https://a","audience":"api","access_ttl_s":1800,"refresh_ttl_s":604800}`. The lives
    /// may be left out.
    ///
    /// # Errors
    /// - [`TokenError::Config`]: a member missing, unknown, or of the wrong type.
    pub fn from_json(text: &[u8]) -> Result<Self, TokenError> {
        let Ok(Value::Object(object)) = json::parse(text, Limits::DOCUMENT) else {
            return Err(TokenError::Config("not a JSON object"));
        };
        let mut issuer = None;
        let mut audience = None;
        let mut config = Self::new(Expected::Waived, Expected::Waived);
        for (name, value) in object.iter() {
            match (&*name.decode(), value) {
                ("issuer", Value::Null) => issuer = Some(Expected::Waived),
                ("issuer", value) => issuer = Some(Expected::Exactly(text_of(value)?)),
                ("audience", Value::Null) => audience = Some(Expected::Waived),
                ("audience", value) => audience = Some(Expected::Exactly(one_or_more(value)?)),
                ("access_ttl_s", value) => config.access_ttl_s = integer(value)?,
                ("refresh_ttl_s", value) => config.refresh_ttl_s = integer(value)?,
                _ => return Err(TokenError::Config("unknown member")),
            }
        }
        config.issuer = issuer.ok_or(TokenError::Config("issuer is missing: null waives it"))?;
        config.audience = audience.ok_or(TokenError::Config("audience is missing: null waives it"))?;
        Ok(config)
    }
}

/// What one token grants.
#[derive(Debug, Clone, Copy)]
pub struct Grant<'a> {
    /// Whom the token is about.
    pub subject: &'a str,
    /// What the subject may do, `permissions`; left out where empty.
    pub permissions: &'a [&'a str],
    /// The subject's `roles`; left out where empty.
    pub roles: &'a [&'a str],
    /// Further claims as one JSON object; empty for none. It may hold `permissions` and `roles` (lists of
    /// strings) where the grant names none, and an access token's the `family` that it goes with, by which
    /// it is revoked together with that.
    pub claims: &'a str,
    /// The token's life in seconds, if not the issuer's.
    pub ttl_s: Option<i64>,
    /// Since when the subject's earlier tokens are revoked ("log out everywhere"): the new token is
    /// stamped late enough to live.
    pub revoked_since_s: Option<i64>,
}

impl<'a> Grant<'a> {
    /// A token about `subject` and nothing more.
    #[must_use]
    pub const fn new(subject: &'a str) -> Self {
        Self { subject, permissions: &[], roles: &[], claims: "", ttl_s: None, revoked_since_s: None }
    }

    /// With these permissions.
    #[must_use]
    pub const fn with_permissions(self, permissions: &'a [&'a str]) -> Self {
        Self { permissions, ..self }
    }

    /// With these roles.
    #[must_use]
    pub const fn with_roles(self, roles: &'a [&'a str]) -> Self {
        Self { roles, ..self }
    }

    /// With further claims, one JSON object.
    #[must_use]
    pub const fn with_claims(self, claims: &'a str) -> Self {
        Self { claims, ..self }
    }
}

/// A key that signs, and the header that its tokens of one type begin with.
#[derive(Debug)]
pub(super) struct SigningKey {
    key: Arc<Key>,
    algorithm: Algorithm,
}

impl SigningKey {
    pub(super) fn primary(keyring: &Keyring) -> Result<Self, TokenError> {
        let key = keyring.primary(Purpose::Token).ok_or(TokenError::Config("no primary token key"))?;
        let algorithm =
            key.minting_algorithm().ok_or(TokenError::Config("the primary token key does not sign"))?;
        Ok(Self { key: Arc::clone(key), algorithm })
    }

    pub(super) fn header_segment(&self, typ: &str) -> String {
        header_segment(&self.key, self.algorithm, typ)
    }

    /// Signs, unless the key has ended: nobody would verify the token.
    pub(super) fn sign(
        &self,
        header_segment: &str,
        payload: &[u8],
        now_s: i64,
    ) -> Result<String, TokenError> {
        self.key.check_usable(now_s)?;
        jws::sign(&self.key, self.algorithm, header_segment, payload)
    }
}

/// Mints tokens with the primary token key of a keyring. Built once, shared by all threads; after a
/// rotation, build a new one.
#[derive(Debug)]
pub struct Issuer {
    signer: SigningKey,
    access_header: String,
    refresh_header: String,
    /// The key that successors' ids are computed with; refresh tokens want one.
    binding: Option<Arc<Key>>,
    /// `{"iss":"…",` and `,"aud":…`, spelt out once.
    opening: String,
    audience: String,
    access_ttl_s: i64,
    refresh_ttl_s: i64,
}

impl Issuer {
    /// An issuer that signs with the primary token key of `keyring`.
    ///
    /// # Errors
    /// - [`TokenError::Config`]: no primary token key, one that does not sign, a life that is not
    ///   positive or over 100 years, an empty issuer or audience.
    pub fn new(keyring: &Keyring, config: IssuerConfig) -> Result<Self, TokenError> {
        if !is_life(config.access_ttl_s) || !is_life(config.refresh_ttl_s) {
            return Err(TokenError::Config("a life is not positive, or over 100 years"));
        }
        let signer = SigningKey::primary(keyring)?;
        Ok(Self {
            access_header: signer.header_segment("at+jwt"),
            refresh_header: signer.header_segment("rt+jwt"),
            signer,
            binding: keyring.primary(Purpose::StateBinding).cloned(),
            opening: opening(&config.issuer)?,
            audience: audience(&config.audience)?,
            access_ttl_s: config.access_ttl_s,
            refresh_ttl_s: config.refresh_ttl_s,
        })
    }

    /// Mints an access token (`at+jwt`).
    ///
    /// Cost: one signature, 16 bytes of entropy.
    ///
    /// # Errors
    /// - [`TokenError::InvalidArgument`]: an empty subject, a claim that is written already, a `family` that
    ///   is none, a life that is not positive or over 100 years.
    /// - [`TokenError::BadClaimType`], [`TokenError::Malformed`]: the further claims are no JSON object,
    ///   or `permissions` or `roles` no list of strings.
    /// - [`TokenError::TooLarge`]: over a limit.
    /// - [`TokenError::KeyExpired`]: the key's end has passed.
    /// - [`TokenError::Entropy`]: no entropy.
    pub fn access(
        &self,
        grant: &Grant<'_>,
        now_s: i64,
        entropy: &mut impl Entropy,
    ) -> Result<String, TokenError> {
        let mut id = [0; 16];
        entropy.fill(&mut id)?;
        let payload = self.payload(grant, self.access_ttl_s, now_s, &id, None)?;
        self.signer.sign(&self.access_header, payload.as_bytes(), now_s)
    }

    /// Mints the refresh token (`rt+jwt`) that a family stands at. The same state gives a token with the
    /// same id, whoever asks: two concurrent refreshes end up with one successor.
    ///
    /// # Errors
    /// As [`Issuer::access`]; also [`TokenError::Config`] where the keyring has no primary
    /// `state-binding` secret, and [`TokenError::Revoked`] for a revoked family.
    pub fn refresh(&self, state: &RefreshState, grant: &Grant<'_>, now_s: i64) -> Result<String, TokenError> {
        if state.is_revoked() {
            return Err(TokenError::Revoked);
        }
        let id = self.successor_id(state)?;
        let payload = self.payload(grant, self.refresh_ttl_s, now_s, &id, Some(state))?;
        self.signer.sign(&self.refresh_header, payload.as_bytes(), now_s)
    }

    /// The characters of a token at most, for a subject and further claims of these many bytes.
    #[must_use]
    pub fn token_bound(&self, subject_len: usize, claims_len: usize) -> usize {
        let payload = self.opening.len().saturating_add(self.audience.len()).saturating_add(FIXED_CLAIMS_LEN);
        // A character of the subject takes six bytes of JSON at most.
        let payload = payload.saturating_add(subject_len.saturating_mul(6)).saturating_add(claims_len);
        let header = self.access_header.len().max(self.refresh_header.len());
        token_bound(header, payload.min(jws::MAX_PAYLOAD_LEN))
    }

    fn successor_id(&self, state: &RefreshState) -> Result<[u8; 16], TokenError> {
        const LABEL: &[u8] = b"donjon/refresh/v1";
        let no_key = TokenError::Config("refresh tokens want a primary `state-binding` secret");
        let binding = self.binding.as_ref().ok_or(no_key)?;
        let family = state.family();
        let generation = state.generation().to_be_bytes();
        let mac =
            binding.mac(&[&length(LABEL), LABEL, &length(family), family, &generation]).ok_or(no_key)?;
        mac.first_chunk().copied().ok_or(no_key)
    }

    fn payload(
        &self,
        grant: &Grant<'_>,
        default_ttl_s: i64,
        now_s: i64,
        id: &[u8; 16],
        state: Option<&RefreshState>,
    ) -> Result<String, TokenError> {
        let ttl_s = grant.ttl_s.unwrap_or(default_ttl_s);
        if grant.subject.is_empty() || !is_life(ttl_s) || now_s < 0 {
            return Err(TokenError::InvalidArgument);
        }
        if grant.subject.len() > MAX_SUBJECT_LEN || grant.claims.len() > jws::MAX_PAYLOAD_LEN {
            return Err(TokenError::TooLarge);
        }
        let issued_at_s = issue_time(now_s, grant.revoked_since_s, DEFAULT_SKEW_S);
        let room = self.opening.len().saturating_add(self.audience.len()).saturating_add(FIXED_CLAIMS_LEN);
        let mut payload = String::with_capacity(
            room.saturating_add(grant.subject.len()).saturating_add(grant.claims.len()),
        );
        payload.push_str(&self.opening);
        json::write_text(grant.subject, &mut payload);
        payload.push_str(&self.audience);
        payload.push_str(",\"iat\":");
        json::write_integer(issued_at_s, &mut payload);
        payload.push_str(",\"exp\":");
        json::write_integer(issued_at_s.saturating_add(ttl_s), &mut payload);
        payload.push_str(",\"jti\":\"");
        base64url::encode_into(id, &mut payload);
        payload.push('"');
        if let Some(state) = state {
            payload.push_str(",\"family\":\"");
            base64url::encode_into(state.family(), &mut payload);
            payload.push_str("\",\"generation\":");
            json::write_integer(i64::from(state.generation()), &mut payload);
        }
        write_list("permissions", grant.permissions, &mut payload);
        write_list("roles", grant.roles, &mut payload);
        write_further(grant, state, &mut payload)?;
        payload.push('}');
        Ok(payload)
    }
}

/// Whether a token may live this long.
pub(super) fn is_life(ttl_s: i64) -> bool {
    (1..=MAX_DURATION_S).contains(&ttl_s)
}

fn opening(issuer: &Expected<String>) -> Result<String, TokenError> {
    let mut out = String::from("{");
    if let Expected::Exactly(issuer) = issuer {
        if issuer.is_empty() {
            return Err(TokenError::Config("the issuer is empty"));
        }
        out.push_str("\"iss\":");
        json::write_text(issuer, &mut out);
        out.push(',');
    }
    out.push_str("\"sub\":");
    Ok(out)
}

fn audience(audience: &Expected<Vec<String>>) -> Result<String, TokenError> {
    let Expected::Exactly(list) = audience else { return Ok(String::new()) };
    if list.is_empty() || list.iter().any(String::is_empty) {
        return Err(TokenError::Config("the audience is empty"));
    }
    let mut out = String::from(",\"aud\":");
    if let [one] = list.as_slice() {
        json::write_text(one, &mut out);
        return Ok(out);
    }
    for (index, one) in list.iter().enumerate() {
        out.push(if index == 0 { '[' } else { ',' });
        json::write_text(one, &mut out);
    }
    out.push(']');
    Ok(out)
}

/// Appends a list of strings, unless it is empty.
fn write_list(name: &str, list: &[&str], out: &mut String) {
    for (index, one) in list.iter().enumerate() {
        if index == 0 {
            out.push_str(",\"");
            out.push_str(name);
            out.push_str("\":[");
        } else {
            out.push(',');
        }
        json::write_text(one, out);
    }
    if !list.is_empty() {
        out.push(']');
    }
}

/// Appends the members of the caller's object, each checked.
fn write_further(
    grant: &Grant<'_>,
    state: Option<&RefreshState>,
    out: &mut String,
) -> Result<(), TokenError> {
    let claims = grant.claims;
    if claims.is_empty() {
        return Ok(());
    }
    let mut members = Members::open_str(claims, Limits::DOCUMENT)?;
    let mut is_empty = true;
    while let Some((name, value)) = members.next_member()? {
        is_empty = false;
        let is_its_family = name == "family"
            && state.is_none()
            && matches!(value, Value::Text(text) if is_family(&text.decode()));
        if !is_its_family && RESERVED.iter().any(|reserved| name == *reserved) {
            return Err(TokenError::InvalidArgument);
        }
        let is_there = |member: &str, list: &[&str]| name == member && !list.is_empty();
        if is_there("permissions", grant.permissions) || is_there("roles", grant.roles) {
            return Err(TokenError::InvalidArgument);
        }
        let is_list = matches!(value, Value::Array(list) if list.is_all_text());
        if (name == "permissions" || name == "roles") && !is_list {
            return Err(TokenError::BadClaimType);
        }
        let is_date = matches!(value, Value::Number(number) if number.numeric_date().is_some());
        if name == "nbf" && !is_date {
            return Err(TokenError::BadClaimType);
        }
    }
    if is_empty {
        return Ok(());
    }
    let compacted;
    let text = if members.has_space() {
        compacted = json::compact(claims);
        &compacted
    } else {
        claims
    };
    // The text is one object: what lies between its braces goes in behind a comma.
    let inner =
        text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).ok_or(TokenError::Malformed)?;
    out.push(',');
    out.push_str(inner);
    Ok(())
}

/// Signs complete claims: nothing is added, the registered ones are checked for their types. With
/// `key_id`, by that key; without, by the primary token key, or the only one that signs. An empty `typ`
/// leaves the header without one.
///
/// # Errors
/// - [`TokenError::UnknownKey`], [`TokenError::KeyDisabled`], [`TokenError::KeyDestroyed`]: no such key,
///   or it does not sign now.
/// - [`TokenError::InvalidArgument`]: a `typ` that is not printable ASCII of up to 64 characters.
/// - [`TokenError::Malformed`], [`TokenError::BadClaimType`], [`TokenError::TooLarge`]: the claims.
pub fn sign_claims(
    keyring: &Keyring,
    key_id: Option<&str>,
    typ: &str,
    claims: &[u8],
) -> Result<String, TokenError> {
    if typ.len() > MAX_TYP_LEN || !typ.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(TokenError::InvalidArgument);
    }
    if claims.len() > jws::MAX_PAYLOAD_LEN {
        return Err(TokenError::TooLarge);
    }
    let key = signing_key(keyring, key_id)?;
    let algorithm = key.minting_algorithm().ok_or(TokenError::AlgNotAllowed)?;
    let checked = Claims::read::<&str>(claims.to_vec(), &[])?;
    if checked.has_bad_audience {
        return Err(TokenError::BadClaimType);
    }
    jws::sign(key, algorithm, &header_segment(key, algorithm, typ), checked.json().as_bytes())
}

/// The longest `typ` that is signed, in characters.
pub const MAX_TYP_LEN: usize = 64;

/// The characters of a token of [`sign_claims`] at most.
#[must_use]
pub const fn sign_claims_bound(typ_len: usize, claims_len: usize) -> usize {
    // A key id takes six bytes of JSON a character at most, a typ two; the rest of the header is shorter
    // than 64. What is over a limit is refused whatever its room.
    let typ_len = if typ_len < MAX_TYP_LEN { typ_len } else { MAX_TYP_LEN };
    let claims_len = if claims_len < jws::MAX_PAYLOAD_LEN { claims_len } else { jws::MAX_PAYLOAD_LEN };
    let header = typ_len.saturating_mul(2).saturating_add(64 + 6 * crate::keyring::MAX_KEY_ID_LEN);
    token_bound(base64url::encoded_len(header).saturating_add(1), claims_len)
}

fn signing_key<'a>(keyring: &'a Keyring, key_id: Option<&str>) -> Result<&'a Key, TokenError> {
    if let Some(id) = key_id {
        let key = keyring
            .of_purpose(Purpose::Token)
            .find(|key| key.id() == Some(id))
            .ok_or(TokenError::UnknownKey)?;
        key.check_usable(0)?;
        let makes = matches!(key.status(), KeyStatus::Primary | KeyStatus::Active);
        return if makes { Ok(key) } else { Err(TokenError::UnknownKey) };
    }
    if let Some(primary) = keyring.primary(Purpose::Token) {
        return Ok(primary);
    }
    let signs = |key: &&Arc<Key>| key.status() == KeyStatus::Active && key.minting_algorithm().is_some();
    let mut signing = keyring.of_purpose(Purpose::Token).filter(signs);
    signing.next().filter(|_| signing.next().is_none()).map(AsRef::as_ref).ok_or(TokenError::UnknownKey)
}

/// Writes the claims of a purpose token; here because it shares the issuer's ways of writing.
pub(super) fn purpose_payload(
    subject: &str,
    issued_at_s: i64,
    ttl_s: i64,
    id: &[u8; 16],
    fingerprint: &[u8],
) -> String {
    let mut payload = String::new();
    let mut object = ObjectWriter::open(&mut payload);
    object
        .text("sub", subject)
        .integer("iat", issued_at_s)
        .integer("exp", issued_at_s.saturating_add(ttl_s))
        .text("jti", &base64url::encode(id))
        .text("sfp", &base64url::encode(fingerprint));
    object.close();
    payload
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::OsEntropy;
    use crate::signature::AlgorithmSet;
    use crate::token::{TokenType, Verifier, VerifierConfig};

    const NOW_S: i64 = 1_800_000_000;
    const FAMILY: &str = "BwcHBwcHBwcHBwcHBwcHBw";

    #[test]
    fn an_access_token_carries_the_family_that_it_is_revoked_with_and_is_no_refresh_token() {
        let keyring = Keyring::generate_from_json(b"", NOW_S, &mut OsEntropy).unwrap();
        let issuer = Issuer::new(&keyring, IssuerConfig::new(Expected::Waived, Expected::Waived)).unwrap();
        let claims = alloc::format!(r#"{{"family":"{FAMILY}"}}"#);
        let grant = Grant::new("ann").with_claims(&claims);
        let token = issuer.access(&grant, NOW_S, &mut OsEntropy).unwrap();
        let verify = |typ| {
            let typ = Expected::Exactly(typ);
            let algorithms = AlgorithmSet::one(Algorithm::EdDsa);
            let config = VerifierConfig::new(Expected::Waived, Expected::Waived, typ, algorithms);
            Verifier::new(&keyring, config).unwrap().verify(token.as_bytes(), NOW_S)
        };
        let read = verify(TokenType::Access).unwrap();
        assert_eq!((read.family(), read.generation()), (Some(FAMILY), None));
        assert_eq!(verify(TokenType::Refresh).unwrap_err(), TokenError::WrongTokenType);

        for refused in [
            r#"{"family":""}"#,
            r#"{"family":"BwcHBwcHBwcHBwcHBwcHB"}"#,
            r#"{"family":"BwcHBwcHBwcHBwcHBwcHBx"}"#,
            r#"{"family":"BwcHBwcHBwcHBwcHBwcHBw=="}"#,
            r#"{"family":7}"#,
            r#"{"family":null}"#,
            r#"{"generation":1}"#,
            r#"{"family":"BwcHBwcHBwcHBwcHBwcHBw","generation":1}"#,
        ] {
            let refused = issuer.access(&Grant::new("ann").with_claims(refused), NOW_S, &mut OsEntropy);
            assert_eq!(refused.unwrap_err(), TokenError::InvalidArgument);
        }
        // A refresh token says of which family it is, and nobody else does.
        let state = RefreshState::begin(0, &mut OsEntropy).unwrap();
        assert_eq!(issuer.refresh(&state, &grant, NOW_S).unwrap_err(), TokenError::InvalidArgument);
    }
}
