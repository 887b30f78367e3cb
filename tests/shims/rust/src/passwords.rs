//! The operations of passwords.

use donjon::entropy::FixedEntropy;
use donjon::error::Status;
use donjon::keyring::Keyring;
use donjon::password::{HasherConfig, Password, PasswordError, Profile, Strength, UserInputs, breach};
use donjon::runtime::PasswordHasher;

use crate::Answer;
use crate::operations::{Outcome, keyring};
use crate::refusal::Refusal;
use crate::request::Request;

const LEGACY: &str = r#","legacy":["bcrypt","pbkdf2","scrypt","argon2i","argon2d"]"#;

/// What makes a hasher: its configuration as text, its peppers, and when it is asked.
struct HasherFields<'a> {
    config: String,
    keyring: Option<&'a str>,
    now_s: i64,
}

impl<'a> HasherFields<'a> {
    fn read(
        request: &Request<'a>,
        otherwise: impl FnOnce() -> Result<String, Refusal>,
    ) -> Result<Self, Refusal> {
        let made = otherwise()?;
        let config = request.optional_raw("config").map_or(made, String::from);
        let keyring = request.optional_raw("keyring").filter(|raw| *raw != "null");
        Ok(Self { config, keyring, now_s: request.integer_or_zero("now_s")? })
    }

    fn hasher(&self) -> Result<PasswordHasher, Refusal> {
        let peppers: Option<Keyring> = self.keyring.map(keyring).transpose()?;
        let config = HasherConfig::from_json(self.config.as_bytes())?;
        Ok(PasswordHasher::new(&config, peppers.as_ref())?)
    }
}

pub(crate) fn password_hash(request: &Request<'_>) -> Outcome {
    let (password, salt) = (request.hex("password_hex")?, request.hex("salt_hex")?);
    let fields = HasherFields::read(request, || {
        let (memory_kib, time_cost) = (request.integer("m_kib")?, request.integer("t")?);
        let (parallelism, salt_len) = (request.integer("p")?, salt.len());
        Ok(format!(
            r#"{{"memory_kib":{memory_kib},"time_cost":{time_cost},"parallelism":{parallelism},"salt_len":{salt_len},"memory_budget_kib":2097152,"allow_weak":true}}"#
        ))
    })?;
    let hasher = fields.hasher()?;
    let hash = hasher.hash(Password::new(&password)?, fields.now_s, &mut FixedEntropy::new(&salt))?;
    Ok(Answer::empty().text("hash", &hash))
}

/// The default parameters, with room for every hash that is read.
fn verifying<'a>(request: &Request<'a>) -> Result<HasherFields<'a>, Refusal> {
    HasherFields::read(request, || {
        let legacy = if request.boolean("legacy")? { LEGACY } else { "" };
        Ok(format!(r#"{{"memory_budget_kib":2097152{legacy}}}"#))
    })
}

pub(crate) fn password_verify(request: &Request<'_>) -> Outcome {
    let (password, hash) = (request.hex("password_hex")?, request.text("hash")?);
    let fields = verifying(request)?;
    let hasher = fields.hasher()?;
    let verified = Password::new(&password)
        .and_then(|password| hasher.verify(password, hash.as_bytes(), fields.now_s))
        .map(Some)
        .or_else(|error| if error == PasswordError::Mismatch { Ok(None) } else { Err(error) })?;
    let says = |what: Option<bool>| what.unwrap_or(false).to_string();
    Ok(Answer::empty()
        .raw("match", verified.is_some().to_string())
        .raw("needs_rehash", says(verified.map(|verdict| verdict.needs_rehash)))
        .raw("truncated", says(verified.map(|verdict| verdict.truncated))))
}

/// Never an answer: what is refused is all that there is to see.
pub(crate) fn password_unknown_user(request: &Request<'_>) -> Outcome {
    let password = request.hex("password_hex")?;
    let fields = verifying(request)?;
    let hasher = fields.hasher()?;
    hasher.verify_unknown_user(Password::new(&password)?, fields.now_s)?;
    Ok(Answer::empty())
}

pub(crate) fn password_needs_rehash(request: &Request<'_>) -> Outcome {
    let hash = request.text("hash")?;
    let fields = verifying(request)?;
    let needs_rehash = fields.hasher()?.needs_rehash(hash.as_bytes(), fields.now_s)?;
    Ok(Answer::empty().raw("needs_rehash", needs_rehash.to_string()))
}

pub(crate) fn password_strength(request: &Request<'_>) -> Outcome {
    let (password, inputs) = (request.text("password")?, request.optional_texts("user_inputs")?);
    let profile = request.optional_text("profile")?.unwrap_or_default();
    let profile = Profile::from_name(&profile).ok_or(Status::InvalidArgument)?;
    let inputs = UserInputs::new(inputs.iter().flatten().map(String::as_str))?;
    let strength = Strength::of(profile, Password::new(password.as_bytes())?, &inputs)?.to_json();
    let members = Request::read(&strength)?;
    let member = |answer: Answer, name| Ok(answer.raw(name, members.raw(name)?));
    ["valid", "score", "checks", "feedback"].into_iter().try_fold(Answer::empty(), member)
}

pub(crate) fn breach_prefix(request: &Request<'_>) -> Outcome {
    let password = request.hex("password_hex")?;
    let prefix = breach::prefix(Password::new(&password)?);
    Ok(Answer::empty().text("prefix", &String::from_utf8_lossy(&prefix)))
}

pub(crate) fn breach_count(request: &Request<'_>) -> Outcome {
    let (password, range) = (request.hex("password_hex")?, request.text("range")?);
    let count = breach::count(Password::new(&password)?, range.as_bytes())?;
    Ok(Answer::empty().raw("count", count.to_string()))
}
