//! The operations of envelopes, data keys and streams.

use donjon::entropy::FixedEntropy;
use donjon::envelope::{
    Context, Decryptor, Encryptor, Inspection, MAX_PREFIX_LEN, MAX_TAIL_LEN, PassphraseParams, Reader,
    Sealer, chunked,
};

use crate::Answer;
use crate::operations::{Outcome, keyring};
use crate::refusal::Refusal;
use crate::request::Request;

/// More than this is not read at once: some hosts make room for it before they read.
const MAX_READ: u64 = 1 << 24;

pub(crate) fn chunked_seal(request: &Request<'_>) -> Outcome {
    let (key, context) = (request.hex("key_hex")?, request.hex("context_hex")?);
    let (salt, plaintext) = (request.hex("salt_hex")?, request.hex("plaintext_hex")?);
    let message = chunked::seal(&key, &context, &plaintext, &mut FixedEntropy::new(&salt))?;
    Ok(Answer::empty().hex("message_hex", &message))
}

pub(crate) fn chunked_open(request: &Request<'_>) -> Outcome {
    let (key, context) = (request.hex("key_hex")?, request.hex("context_hex")?);
    let message = request.hex("message_hex")?;
    Ok(Answer::empty().hex("plaintext_hex", &chunked::open(&key, &context, &message)?))
}

/// A keyring's sealer, and when it is asked.
struct Keyed<'a> {
    keyring: &'a str,
    now_s: i64,
}

impl<'a> Keyed<'a> {
    fn read(request: &Request<'a>) -> Result<Self, Refusal> {
        Ok(Self { keyring: request.raw("keyring")?, now_s: request.integer_or_zero("now_s")? })
    }

    fn sealer(&self) -> Result<Sealer, Refusal> {
        Ok(Sealer::new(&keyring(self.keyring)?)?)
    }
}

fn seal(
    sealer: &Sealer,
    context: &[String],
    now_s: i64,
    plaintext: &[u8],
    entropy: &[u8],
) -> Result<Vec<u8>, Refusal> {
    Ok(sealer.seal(&Context::new(context)?, now_s, plaintext, &mut FixedEntropy::new(entropy))?)
}

fn open(sealer: &Sealer, context: &[String], now_s: i64, envelope: &[u8]) -> Outcome {
    let plaintext = sealer.open(&Context::new(context)?, now_s, envelope)?;
    Ok(Answer::empty().hex("plaintext_hex", &plaintext))
}

pub(crate) fn envelope_seal(request: &Request<'_>) -> Outcome {
    let (keyed, context) = (Keyed::read(request)?, request.texts("context")?);
    let (plaintext, entropy) = (request.hex("plaintext_hex")?, request.hex("entropy_hex")?);
    let sealer = keyed.sealer()?;
    let envelope = seal(&sealer, &context, keyed.now_s, &plaintext, &entropy)?;
    Ok(Answer::empty().hex("envelope_hex", &envelope).text("kid", sealer.key_id()))
}

pub(crate) fn envelope_open(request: &Request<'_>) -> Outcome {
    let (keyed, context) = (Keyed::read(request)?, request.texts("context")?);
    let envelope = request.hex("envelope_hex")?;
    open(&keyed.sealer()?, &context, keyed.now_s, &envelope)
}

pub(crate) fn envelope_rewrap(request: &Request<'_>) -> Outcome {
    let (keyed, envelope) = (Keyed::read(request)?, request.hex("envelope_hex")?);
    let entropy = request.hex("entropy_hex")?;
    let sealer = keyed.sealer()?;
    let prefix = envelope.get(..MAX_PREFIX_LEN).unwrap_or(&envelope);
    let (mut rewrapped, old_header_len) =
        sealer.rewrap(&sealer, keyed.now_s, prefix, &mut FixedEntropy::new(&entropy))?;
    rewrapped.extend_from_slice(envelope.get(old_header_len..).unwrap_or_default());
    Ok(Answer::empty().hex("envelope_hex", &rewrapped))
}

pub(crate) fn envelope_needs_rewrap(request: &Request<'_>) -> Outcome {
    let (keyed, envelope) = (Keyed::read(request)?, request.hex("envelope_hex")?);
    let needs_rewrap = keyed.sealer()?.needs_rewrap(&envelope)?;
    Ok(Answer::empty().raw("needs_rewrap", needs_rewrap.to_string()))
}

pub(crate) fn envelope_inspect(request: &Request<'_>) -> Outcome {
    let envelope = request.hex("envelope_hex")?;
    Ok(Answer::empty().raw("inspection", Inspection::new(&envelope)?.to_json()))
}

pub(crate) fn passphrase_seal(request: &Request<'_>) -> Outcome {
    let (passphrase, context) = (request.hex("passphrase_hex")?, request.texts("context")?);
    let (plaintext, entropy) = (request.hex("plaintext_hex")?, request.hex("entropy_hex")?);
    let costs = (request.count("memory_kib")?, request.count("time_cost")?, request.count("parallelism")?);
    let sealer = Sealer::from_passphrase(&passphrase, PassphraseParams::new(costs.0, costs.1, costs.2)?)?;
    Ok(Answer::empty().hex("envelope_hex", &seal(&sealer, &context, 0, &plaintext, &entropy)?))
}

pub(crate) fn passphrase_open(request: &Request<'_>) -> Outcome {
    let (passphrase, context) = (request.hex("passphrase_hex")?, request.texts("context")?);
    let envelope = request.hex("envelope_hex")?;
    open(&Sealer::from_passphrase(&passphrase, PassphraseParams::DEFAULT)?, &context, 0, &envelope)
}

fn external(request: &Request<'_>) -> Result<impl FnOnce() -> Result<Sealer, Refusal>, Refusal> {
    let (data_key, key_id) = (request.hex("data_key_hex")?, request.text("key_id")?);
    let wrapped_key = request.hex("wrapped_key_hex")?;
    Ok(move || Ok(Sealer::from_external(&data_key, &key_id, &wrapped_key)?))
}

pub(crate) fn external_seal(request: &Request<'_>) -> Outcome {
    let (sealer, context) = (external(request)?, request.texts("context")?);
    let (plaintext, entropy) = (request.hex("plaintext_hex")?, request.hex("entropy_hex")?);
    Ok(Answer::empty().hex("envelope_hex", &seal(&sealer()?, &context, 0, &plaintext, &entropy)?))
}

pub(crate) fn external_open(request: &Request<'_>) -> Outcome {
    let (sealer, context) = (external(request)?, request.texts("context")?);
    let envelope = request.hex("envelope_hex")?;
    open(&sealer()?, &context, 0, &envelope)
}

pub(crate) fn data_key_new(request: &Request<'_>) -> Outcome {
    let (keyed, scope) = (Keyed::read(request)?, request.text("scope")?);
    let entropy = request.hex("entropy_hex")?;
    let mut entropy = FixedEntropy::new(&entropy);
    let (data_key, wrapped) = keyed.sealer()?.new_data_key(scope.as_bytes(), keyed.now_s, &mut entropy)?;
    Ok(Answer::empty().hex("data_key_hex", &wrapped).text("key_id", data_key.key_id()))
}

pub(crate) fn data_key_rewrap(request: &Request<'_>) -> Outcome {
    let (keyed, scope) = (Keyed::read(request)?, request.text("scope")?);
    let (wrapped, entropy) = (request.hex("data_key_hex")?, request.hex("entropy_hex")?);
    let sealer = keyed.sealer()?;
    let mut entropy = FixedEntropy::new(&entropy);
    let rewrapped = sealer.rewrap_data_key(&sealer, scope.as_bytes(), keyed.now_s, &wrapped, &mut entropy)?;
    Ok(Answer::empty().hex("data_key_hex", &rewrapped))
}

/// A stored data key, and what unwraps it.
struct Stored<'a> {
    keyed: Keyed<'a>,
    scope: String,
    wrapped: Vec<u8>,
}

impl<'a> Stored<'a> {
    fn read(request: &Request<'a>) -> Result<Self, Refusal> {
        Ok(Self {
            keyed: Keyed::read(request)?,
            scope: request.text("scope")?,
            wrapped: request.hex("data_key_hex")?,
        })
    }

    fn data_key(&self) -> Result<Sealer, Refusal> {
        let sealer = self.keyed.sealer()?;
        Ok(sealer.open_data_key(self.scope.as_bytes(), self.keyed.now_s, &self.wrapped)?)
    }
}

pub(crate) fn cell_seal(request: &Request<'_>) -> Outcome {
    let (stored, context) = (Stored::read(request)?, request.texts("context")?);
    let (plaintext, entropy) = (request.hex("plaintext_hex")?, request.hex("entropy_hex")?);
    let cell = seal(&stored.data_key()?, &context, stored.keyed.now_s, &plaintext, &entropy)?;
    Ok(Answer::empty().hex("cell_hex", &cell))
}

pub(crate) fn cell_open(request: &Request<'_>) -> Outcome {
    let (stored, context) = (Stored::read(request)?, request.texts("context")?);
    let cell = request.hex("cell_hex")?;
    open(&stored.data_key()?, &context, stored.keyed.now_s, &cell)
}

pub(crate) fn stream_seal(request: &Request<'_>) -> Outcome {
    let (keyed, context) = (Keyed::read(request)?, request.texts("context")?);
    let (pieces, entropy) = (request.hexes("pieces_hex")?, request.hex("entropy_hex")?);
    let mut entropy = FixedEntropy::new(&entropy);
    let (mut envelope, mut encryptor) =
        Encryptor::new(&keyed.sealer()?, &Context::new(&context)?, keyed.now_s, &mut entropy)?;
    for piece in pieces {
        envelope.extend(encryptor.push(&piece)?);
    }
    envelope.extend(encryptor.finish()?);
    Ok(Answer::empty().hex("envelope_hex", &envelope))
}

pub(crate) fn stream_open(request: &Request<'_>) -> Outcome {
    let (keyed, context) = (Keyed::read(request)?, request.texts("context")?);
    let mut pieces = request.hexes("pieces_hex")?.into_iter();
    let mut gathered = Vec::new();
    while gathered.len() < MAX_PREFIX_LEN {
        let Some(piece) = pieces.next() else { break };
        gathered.extend(piece);
    }
    let prefix = gathered.get(..MAX_PREFIX_LEN).unwrap_or(&gathered);
    let (consumed, mut decryptor) =
        Decryptor::new(&keyed.sealer()?, &Context::new(&context)?, keyed.now_s, prefix)?;
    let mut plaintext = decryptor.push(gathered.get(consumed..).unwrap_or_default())?;
    for piece in pieces {
        plaintext.extend(decryptor.push(&piece)?);
    }
    plaintext.extend(decryptor.finish()?);
    Ok(Answer::empty().hex("plaintext_hex", &plaintext))
}

pub(crate) fn reader_read(request: &Request<'_>) -> Outcome {
    let (keyed, context) = (Keyed::read(request)?, request.texts("context")?);
    let envelope = request.hex("envelope_hex")?;
    let (offset, length) = (request.size("offset")?, request.u32("length")?.into());
    if length > MAX_READ {
        return Err(Refusal::BadRequest);
    }
    let prefix = envelope.get(..MAX_PREFIX_LEN).unwrap_or(&envelope);
    let tail = envelope.get(envelope.len().saturating_sub(MAX_TAIL_LEN)..).unwrap_or_default();
    let total_len = envelope.len() as u64;
    let reader =
        Reader::new(&keyed.sealer()?, &Context::new(&context)?, keyed.now_s, prefix, tail, total_len)?;
    let span = reader.span(offset, length);
    let sealed = envelope.get(span.offset as usize..(span.offset + span.len) as usize).unwrap_or_default();
    let plaintext = reader.read(offset, length, sealed)?;
    Ok(Answer::empty().hex("plaintext_hex", &plaintext).raw("size", reader.len().to_string()))
}
