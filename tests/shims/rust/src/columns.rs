//! The operations of blind indexes, sealed settings and erasure.

use donjon::entropy::FixedEntropy;
use donjon::envelope::{BlindIndex, Erasure};
use donjon::settings::Settings;

use crate::operations::{Outcome, keyring};
use crate::request::Request;
use crate::{Answer, hex};

pub(crate) fn blind_index(request: &Request<'_>) -> Outcome {
    let (keys, bits) = (request.raw("keyring")?, request.u32("bits")?);
    let (tenant, table, column) = (request.text("tenant")?, request.text("table")?, request.text("column")?);
    let (value, now_s) = (request.hex("value_hex")?, request.integer_or_zero("now_s")?);
    let index = BlindIndex::new(&keyring(keys)?, &tenant, &table, &column, bits)?;
    let stored = index.value(now_s, &value)?;
    let candidates: Vec<String> = index.candidates(now_s, &value)?.iter().map(|each| hex(each)).collect();
    let candidates = candidates.iter().map(String::as_str);
    Ok(Answer::empty().hex("index_hex", &stored).texts("candidates_hex", candidates))
}

pub(crate) fn setting_seal(request: &Request<'_>) -> Outcome {
    let (keys, name, value) = (request.raw("keyring")?, request.text("name")?, request.text("value")?);
    let (entropy, now_s) = (request.hex("entropy_hex")?, request.integer_or_zero("now_s")?);
    let text =
        Settings::new(&keyring(keys)?)?.seal(&name, &value, now_s, &mut FixedEntropy::new(&entropy))?;
    Ok(Answer::empty().text("text", &text))
}

pub(crate) fn setting_open(request: &Request<'_>) -> Outcome {
    let (keys, name, text) = (request.raw("keyring")?, request.text("name")?, request.text("text")?);
    let now_s = request.integer_or_zero("now_s")?;
    let value = Settings::new(&keyring(keys)?)?.open(&name, text.as_bytes(), now_s)?;
    Ok(Answer::empty().text("value", &value))
}

pub(crate) fn erasure(request: &Request<'_>) -> Outcome {
    let (keys, key_ids) = (request.raw("keyring")?, request.texts("key_ids")?);
    let (backups_expire_s, now_s) = (request.time("backups_expire_s")?, request.integer("now_s")?);
    let key_ids: Vec<&str> = key_ids.iter().map(String::as_str).collect();
    let erasure = Erasure::of(&keyring(keys)?, &key_ids, backups_expire_s, now_s)?;
    let null = || String::from("null");
    let by = erasure.by().map_or_else(null, |by| format!("\"{}\"", by.name()));
    Ok(Answer::empty()
        .raw("erased", erasure.is_erased().to_string())
        .raw("by", by)
        .texts("alive", erasure.alive())
        .raw("backups_expire_s", backups_expire_s.map_or_else(null, |end| end.to_string())))
}
