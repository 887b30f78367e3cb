//! The operations of Fernet and AesEngine.

use donjon::aes_engine::{self, Padding};
use donjon::entropy::FixedEntropy;
use donjon::fernet::{Fernet, derive_key};

use crate::Answer;
use crate::operations::Outcome;
use crate::refusal::Refusal;
use crate::request::Request;

pub(crate) fn fernet_encrypt(request: &Request<'_>) -> Outcome {
    let (key, now_s) = (request.text("key")?, request.integer("now_s")?);
    let (iv, plaintext) = (request.hex("iv_hex")?, request.hex("plaintext_hex")?);
    let token = Fernet::new(&key)?.encrypt(now_s, &plaintext, &mut FixedEntropy::new(&iv))?;
    Ok(Answer::empty().text("token", &token))
}

pub(crate) fn fernet_decrypt(request: &Request<'_>) -> Outcome {
    let (key, token) = (request.text("key")?, request.text("token")?);
    let (now_s, ttl_s) = (request.integer("now_s")?, request.integer_or_null("ttl_s")?);
    let plaintext = Fernet::new(&key)?.decrypt(now_s, ttl_s, token.as_bytes())?;
    Ok(Answer::empty().hex("plaintext_hex", &plaintext))
}

pub(crate) fn fernet_rotate(request: &Request<'_>) -> Outcome {
    let (key, token, iv) = (request.text("key")?, request.text("token")?, request.hex("iv_hex")?);
    let rotated = Fernet::new(&key)?.rotate(token.as_bytes(), &mut FixedEntropy::new(&iv))?;
    Ok(Answer::empty().text("token", &rotated))
}

pub(crate) fn fernet_timestamp(request: &Request<'_>) -> Outcome {
    let (key, token) = (request.text("key")?, request.text("token")?);
    let timestamp_s = Fernet::new(&key)?.timestamp(token.as_bytes())?;
    Ok(Answer::empty().raw("timestamp_s", timestamp_s.to_string()))
}

pub(crate) fn fernet_derive_key(request: &Request<'_>) -> Outcome {
    let (password, salt) = (request.hex("password_hex")?, request.hex("salt_hex")?);
    let key = derive_key(&password, &salt, request.u32("iterations")?)?;
    Ok(Answer::empty().text("key", &key))
}

pub(crate) fn aes_engine_open(request: &Request<'_>) -> Outcome {
    let (secret, text) = (request.hex("secret_hex")?, request.text("text")?);
    let padding = Padding::from_name(&request.text("padding")?).ok_or(Refusal::BadRequest)?;
    let plaintext = aes_engine::open(&secret, padding, text.as_bytes())?;
    Ok(Answer::empty().hex("plaintext_hex", plaintext.as_bytes()))
}
