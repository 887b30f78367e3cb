//! The operations: fields in, one call of the crate, members out.

use donjon::entropy::FixedEntropy;
use donjon::error::Status;
use donjon::json::{self, Limits, ObjectWriter, Value};
use donjon::jwks::{JwksEvent, JwksPolicy, JwksState};
use donjon::keyring::Keyring;
use donjon::revocation::RevocationFacts;
use donjon::signature::Algorithm;
use donjon::token::refresh::{REFRESH_STATE_LEN, RefreshState, RefreshVerdict};
use donjon::token::{
    PurposeName, PurposeTokens, Verifier, VerifierConfig, read_algorithms, sign_claims, verify_jws,
};

use crate::Answer;
use crate::refusal::Refusal;
use crate::request::Request;
use crate::{columns, envelopes, fernet, limits, passwords, revocation, roles, sessions};

pub(crate) type Outcome = Result<Answer, Refusal>;

pub(crate) fn dispatch(request: &Request<'_>) -> Outcome {
    match request.text("op")?.as_str() {
        "jws_verify" => jws_verify(request),
        "signature_verify" => signature_verify(request),
        "token_verify" => token_verify(request),
        "token_sign" => token_sign(request),
        "jwks_parse" => jwks_parse(request),
        "purpose_mint" => purpose_mint(request),
        "purpose_check" => purpose_check(request),
        "refresh_rotate" => refresh_rotate(request),
        "revocation_check" => revocation_check(request),
        "jwks_refresh" => jwks_refresh(request),
        "password_hash" => passwords::password_hash(request),
        "password_verify" => passwords::password_verify(request),
        "password_unknown_user" => passwords::password_unknown_user(request),
        "password_needs_rehash" => passwords::password_needs_rehash(request),
        "password_strength" => passwords::password_strength(request),
        "breach_prefix" => passwords::breach_prefix(request),
        "breach_count" => passwords::breach_count(request),
        "permission_implies" => roles::permission_implies(request),
        "rbac_check" => roles::rbac_check(request),
        "rbac_explain" => roles::rbac_explain(request),
        "what_can" => roles::what_can(request),
        "who_can" => roles::who_can(request),
        "has_role" => roles::has_role(request),
        "check_permission" => roles::check_permission(request),
        "check_role" => roles::check_role(request),
        "policy_assign" => roles::policy_assign(request),
        "policy_document" => roles::policy_document(request),
        "policy_shipped" => roles::policy_shipped(request),
        "policy_diagnose" => roles::policy_diagnose(request),
        "policy_diff" => roles::policy_diff(request),
        "policy_lint" => roles::policy_lint(request),
        "policy_matrix" => roles::policy_matrix(request),
        "casbin_import" => roles::casbin_import(request),
        "chunked_seal" => envelopes::chunked_seal(request),
        "chunked_open" => envelopes::chunked_open(request),
        "envelope_seal" => envelopes::envelope_seal(request),
        "envelope_open" => envelopes::envelope_open(request),
        "envelope_rewrap" => envelopes::envelope_rewrap(request),
        "envelope_needs_rewrap" => envelopes::envelope_needs_rewrap(request),
        "envelope_inspect" => envelopes::envelope_inspect(request),
        "passphrase_seal" => envelopes::passphrase_seal(request),
        "passphrase_open" => envelopes::passphrase_open(request),
        "external_seal" => envelopes::external_seal(request),
        "external_open" => envelopes::external_open(request),
        "data_key_new" => envelopes::data_key_new(request),
        "data_key_rewrap" => envelopes::data_key_rewrap(request),
        "cell_seal" => envelopes::cell_seal(request),
        "cell_open" => envelopes::cell_open(request),
        "stream_seal" => envelopes::stream_seal(request),
        "stream_open" => envelopes::stream_open(request),
        "reader_read" => envelopes::reader_read(request),
        "blind_index" => columns::blind_index(request),
        "setting_seal" => columns::setting_seal(request),
        "setting_open" => columns::setting_open(request),
        "erasure" => columns::erasure(request),
        "fernet_encrypt" => fernet::fernet_encrypt(request),
        "fernet_decrypt" => fernet::fernet_decrypt(request),
        "fernet_rotate" => fernet::fernet_rotate(request),
        "fernet_timestamp" => fernet::fernet_timestamp(request),
        "fernet_derive_key" => fernet::fernet_derive_key(request),
        "aes_engine_open" => fernet::aes_engine_open(request),
        "limit_parse" => limits::limit_parse(request),
        "limit_apply" => limits::limit_apply(request),
        "limits_describe" => limits::limits_describe(request),
        "limits_diagnose" => limits::limits_diagnose(request),
        "limits_spend" => limits::limits_spend(request),
        "limits_give_back" => limits::limits_give_back(request),
        "limits_headers" => limits::limits_headers(request),
        "limits_refusal" => limits::limits_refusal(request),
        "limits_script" => limits::limits_script(request),
        "limits_script_args" => limits::limits_script_args(request),
        "compare_and_set_script" => limits::compare_and_set(request),
        "limit_profiles" => limits::limit_profiles(request),
        "lockout_counters" => limits::lockout_counters(request),
        "lockout_device_token" => limits::lockout_device_token(request),
        "client_ip" => limits::client_ip(request),
        "session_diagnose" => sessions::session_diagnose(request),
        "session_keys" => sessions::session_keys(request),
        "session_key" => sessions::session_key(request),
        "session_create" => sessions::session_create(request),
        "session_check" => sessions::session_check(request),
        "session_rotate" => sessions::session_rotate(request),
        "session_begin_family" => sessions::session_begin_family(request),
        "session_refresh" => sessions::session_refresh(request),
        "session_list" => sessions::session_list(request),
        "session_revoke" => sessions::session_revoke(request),
        "session_csrf_token" => sessions::session_csrf_token(request),
        "session_check_request" => sessions::session_check_request(request),
        "session_cookie" => sessions::session_cookie(request),
        "session_csrf_cookie" => sessions::session_csrf_cookie(request),
        "session_read_cookie" => sessions::session_read_cookie(request),
        "revocation_keys" => revocation::revocation_keys(request),
        "revocation_record_check" => revocation::revocation_record_check(request),
        "revocation_issue_since" => revocation::revocation_issue_since(request),
        "revocation_key" => revocation::revocation_key(request),
        "revocation_revoke" => revocation::revocation_revoke(request),
        "store_marker" => revocation::store_marker(request),
        "revocation_set_sign" => revocation::revocation_set_sign(request),
        "revocation_set_open" => revocation::revocation_set_open(request),
        "revocation_set_info" => revocation::revocation_set_info(request),
        "revocation_set_check" => revocation::revocation_set_check(request),
        _ => Err(Refusal::UnsupportedOperation),
    }
}

pub(crate) fn keyring(text: &str) -> Result<Keyring, Refusal> {
    Ok(Keyring::from_jwks(text.as_bytes())?)
}

fn jws_verify(request: &Request<'_>) -> Outcome {
    let (keys, jws) = (request.raw("keys")?, request.text("jws")?);
    let algorithms = request.optional_raw("algorithms").unwrap_or_default();
    let now_s = request.integer_or_zero("now_s")?;
    let keyring = keyring(keys)?;
    let algorithms = json::parse(algorithms.as_bytes(), Limits::DOCUMENT).map_err(|_| Status::ConfigError)?;
    let verified = verify_jws(&keyring, read_algorithms(algorithms)?, jws.as_bytes(), now_s)?;
    let answer = Answer::empty().hex("payload_hex", &verified.payload).text("alg", verified.algorithm.name());
    Ok(match verified.key_id {
        Some(key_id) => answer.text("kid", &key_id),
        None => answer.raw("kid", "null"),
    })
}

/// The signature of a message under the one key that is given.
fn signature_verify(request: &Request<'_>) -> Outcome {
    let (keys, alg) = (request.raw("keys")?, request.text("alg")?);
    let (message, signature) = (request.hex("message_hex")?, request.hex("signature_hex")?);
    let keyring = keyring(keys)?;
    let algorithm = Algorithm::from_name(&alg).ok_or(Status::ConfigError)?;
    let mut keys = keyring.keys();
    let key = keys.next().filter(|_| keys.next().is_none()).ok_or(Status::UnknownKey)?;
    let is_valid = key.verify(algorithm, &message, &signature);
    Ok(Answer::empty().raw("valid", is_valid.to_string()))
}

/// The members of a request that make up a verifier's configuration, and the kernel's names for them.
const EXPECTATIONS: [(&str, &str); 7] = [
    ("issuer", "issuer"),
    ("audience", "audience"),
    ("typ", "type"),
    ("algorithms", "algorithms"),
    ("leeway_s", "leeway_s"),
    ("require", "require"),
    ("legacy_type_claim", "legacy_type_claim"),
];

fn token_verify(request: &Request<'_>) -> Outcome {
    let (keys, token, now_s) = (request.raw("keys")?, request.text("token")?, request.integer("now_s")?);
    let mut config = String::new();
    let mut object = ObjectWriter::open(&mut config);
    for (member, name) in EXPECTATIONS {
        if let Some(raw) = request.optional_raw(member) {
            object.raw(name, raw);
        }
    }
    object.close();
    let verifier = Verifier::new(&keyring(keys)?, VerifierConfig::from_json(config.as_bytes())?)?;
    let claims = verifier.verify(token.as_bytes(), now_s)?;
    Ok(Answer::empty().raw("claims", claims.json()))
}

fn token_sign(request: &Request<'_>) -> Outcome {
    let (keys, claims) = (request.raw("keys")?, request.raw("claims")?);
    let (key_id, typ) = (request.optional_text("kid")?, request.optional_text("typ")?);
    request.integer_or_zero("now_s")?;
    // As in the C ABI, an empty id names no key.
    let key_id = key_id.filter(|id| !id.is_empty());
    let token = sign_claims(&keyring(keys)?, key_id.as_deref(), &typ.unwrap_or_default(), claims.as_bytes())?;
    Ok(Answer::empty().text("token", &token))
}

fn jwks_parse(request: &Request<'_>) -> Outcome {
    let summary = keyring(request.raw("jwks")?)?.summary();
    let Ok(Value::Object(summary)) = json::parse(summary.as_bytes(), Limits::DOCUMENT) else {
        return Err(Status::InternalError.into());
    };
    let Some(Value::Array(keys)) = summary.get("keys") else { return Err(Status::InternalError.into()) };
    let rows: Vec<String> = keys.iter().map(key_row).collect();
    Ok(Answer::empty().raw("keys", format!("[{}]", rows.join(","))))
}

fn key_row(key: Value<'_>) -> String {
    let mut row = String::new();
    let mut object = ObjectWriter::open(&mut row);
    if let Value::Object(key) = key {
        for name in ["kid", "kty", "alg", "thumbprint"] {
            match key.get(name) {
                Some(Value::Text(text)) => object.text(name, &text.decode()),
                _ => object.raw(name, "null"),
            };
        }
    }
    object.close();
    row
}

fn purpose_name(name: &str) -> Result<PurposeName, Refusal> {
    Ok(PurposeName::new(name).ok_or(Status::InvalidArgument)?)
}

fn purpose_mint(request: &Request<'_>) -> Outcome {
    let (keys, purpose, subject) =
        (request.raw("keyring")?, request.text("purpose")?, request.text("subject")?);
    let (state, entropy) = (request.text("state")?, request.hex("entropy_hex")?);
    let (now_s, ttl_s) = (request.integer("now_s")?, request.integer("ttl_s")?);
    let tokens = PurposeTokens::new(&keyring(keys)?)?;
    let mut entropy = FixedEntropy::new(&entropy);
    let token =
        tokens.mint(&purpose_name(&purpose)?, &subject, state.as_bytes(), ttl_s, now_s, &mut entropy)?;
    Ok(Answer::empty().text("token", &token))
}

fn purpose_check(request: &Request<'_>) -> Outcome {
    let (keys, purpose, subject) =
        (request.raw("keyring")?, request.text("purpose")?, request.text("subject")?);
    let (state, token) = (request.text("state")?, request.text("token")?);
    let now_s = request.integer("now_s")?;
    let tokens = PurposeTokens::new(&keyring(keys)?)?;
    tokens.check(&purpose_name(&purpose)?, &subject, state.as_bytes(), token.as_bytes(), now_s)?;
    Ok(Answer::empty())
}

fn refresh_rotate(request: &Request<'_>) -> Outcome {
    let (state, family) = (request.state("state_hex")?, request.text("family")?);
    let generation = request.integer("generation")?;
    let (now_ms, grace_ms) = (request.integer("now_ms")?, request.integer("grace_ms")?);
    let stored = state.map(|bytes| RefreshState::from_bytes(&bytes)).transpose()?;
    let generation = u32::try_from(generation).map_err(|_| Status::InvalidArgument)?;
    let verdict = RefreshState::rotate(stored.as_ref(), &family, generation, now_ms, grace_ms)?;
    let (is_changed, state) = match verdict {
        RefreshVerdict::Rotate(state) | RefreshVerdict::ReuseDetected(state) => (true, state.to_bytes()),
        RefreshVerdict::Repeat(state) => (false, state.to_bytes()),
        RefreshVerdict::Revoked | RefreshVerdict::StateStale => (false, [0; REFRESH_STATE_LEN]),
    };
    let answer = Answer::empty().text("status", verdict.status().name());
    Ok(answer.raw("changed", is_changed.to_string()).hex("state_hex", &state))
}

fn revocation_check(request: &Request<'_>) -> Outcome {
    RevocationFacts {
        issued_at_s: request.time("issued_at_s")?,
        subject_since_s: request.time("subject_since_s")?,
        store_since_s: request.time("store_since_s")?,
        skew_s: request.integer("skew_s")?,
        is_token_revoked: request.boolean("token_revoked")?,
        is_family_revoked: request.boolean("family_revoked")?,
        is_key_revoked: request.boolean("key_revoked")?,
    }
    .check()?;
    Ok(Answer::empty())
}

fn jwks_refresh(request: &Request<'_>) -> Outcome {
    let state = request.state("state_hex")?;
    let event = match request.text("event")?.as_str() {
        "unknown_key" => JwksEvent::UnknownKey,
        "periodic" => JwksEvent::Periodic,
        "fetched" => JwksEvent::Fetched,
        "failed" => JwksEvent::Failed,
        _ => return Err(Refusal::BadRequest),
    };
    let now_ms = request.integer("now_ms")?;
    let policy = JwksPolicy {
        cooldown_ms: request.integer("cooldown_ms")?,
        max_age_ms: request.integer("max_age_ms")?,
    };
    let state = state.map_or_else(|| Ok(JwksState::default()), |bytes| JwksState::from_bytes(&bytes))?;
    let verdict = state.refresh(event, now_ms, policy)?;
    let answer = Answer::empty().raw("fetch", verdict.fetch.to_string());
    Ok(answer
        .raw("retry_after_ms", verdict.retry_after_ms.to_string())
        .hex("state_hex", &verdict.state.to_bytes()))
}
