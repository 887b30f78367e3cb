//! Keys as JWK (RFC 7517, RFC 7518 §6, RFC 8037): bytes to checked keys, and back.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::key::{Key, KeyStatus, MAX_KEY_ID_LEN, Purpose};
use super::secret;
use crate::base64url;
use crate::json::{Number, Object, ObjectWriter, Text, Value};
#[cfg(feature = "rsa")]
use crate::signature::RsaKey;
use crate::signature::{Algorithm, AlgorithmSet, Ed25519Key, HmacKey, Material, P256Key, P384Key};

type Refusal = &'static str;

/// The members of a JWK that donjon reads; all others are ignored (RFC 7517 §4).
#[derive(Default)]
struct Members<'a> {
    kty: Option<Text<'a>>,
    kid: Option<Text<'a>>,
    alg: Option<Text<'a>>,
    usage: Option<Text<'a>>,
    crv: Option<Text<'a>>,
    x: Option<Text<'a>>,
    y: Option<Text<'a>>,
    d: Option<Text<'a>>,
    k: Option<Text<'a>>,
    n: Option<Text<'a>>,
    e: Option<Text<'a>>,
    purpose: Option<Text<'a>>,
    status: Option<Text<'a>>,
    operations: Option<Value<'a>>,
    is_derived: bool,
    epoch: Option<u32>,
    created_s: Option<Number<'a>>,
    not_after_s: Option<Number<'a>>,
}

impl<'a> Members<'a> {
    fn read(jwk: Object<'a>) -> Result<Self, Refusal> {
        let mut members = Self::default();
        for (name, value) in jwk.iter() {
            let text = match &*name.decode() {
                "kty" => &mut members.kty,
                "kid" => &mut members.kid,
                "alg" => &mut members.alg,
                "use" => &mut members.usage,
                "crv" => &mut members.crv,
                "x" => &mut members.x,
                "y" => &mut members.y,
                "d" => &mut members.d,
                "k" => &mut members.k,
                "n" => &mut members.n,
                "e" => &mut members.e,
                "purpose" => &mut members.purpose,
                "status" => &mut members.status,
                "key_ops" => {
                    members.operations = Some(value);
                    continue;
                }
                "derived" => {
                    let Value::Bool(is_derived) = value else { return Err("derived is no boolean") };
                    members.is_derived = is_derived;
                    continue;
                }
                "epoch" => {
                    members.epoch = Some(epoch(value)?);
                    continue;
                }
                "created_s" => {
                    members.created_s = Some(number(value)?);
                    continue;
                }
                "not_after_s" => {
                    members.not_after_s = Some(number(value)?);
                    continue;
                }
                _ => continue,
            };
            let Value::Text(found) = value else { return Err("a member is of the wrong type") };
            *text = Some(found);
        }
        Ok(members)
    }
}

fn number(value: Value<'_>) -> Result<Number<'_>, Refusal> {
    match value {
        Value::Number(number) => Ok(number),
        _ => Err("a time is not a number"),
    }
}

fn epoch(value: Value<'_>) -> Result<u32, Refusal> {
    let Value::Number(number) = value else { return Err("an epoch is not a number") };
    number.raw().parse().ok().filter(|epoch| *epoch > 0).ok_or("an epoch is out of range")
}

/// The longest secret of any type in base64url: longer ones are refused before anything is copied.
const MAX_SECRET_TEXT_LEN: usize = base64url::encoded_len(secret::MAX_SECRET_LEN);

/// Reads one key. `None`: a key of a type or on a curve that donjon does not know, which a foreign set
/// may well hold (RFC 7517 §5).
pub(super) fn read(jwk: Object<'_>) -> Result<Option<Key>, Refusal> {
    let members = Members::read(jwk)?;
    let id = members.kid.map(key_id).transpose()?;
    let purpose = named(members.purpose, Purpose::from_name, "unknown purpose")?.unwrap_or(Purpose::Token);
    let status = named(members.status, KeyStatus::from_name, "unknown status")?.unwrap_or(KeyStatus::Active);
    let seconds = |number: Number<'_>| number.integer().filter(|s| *s >= 0).ok_or("a time is out of range");
    let mut key = Key {
        id,
        purpose,
        status,
        declared: None,
        algorithms: AlgorithmSet::NONE,
        created_s: members.created_s.map(seconds).transpose()?,
        not_after_s: members.not_after_s.map(seconds).transpose()?,
        is_derived: members.is_derived,
        epoch: members.epoch,
        material: None,
    };
    if status == KeyStatus::Destroyed {
        // Somebody wrote the status down and left the secret: nothing was destroyed.
        if members.k.is_some() || members.d.is_some() {
            return Err("a destroyed key still has its secret");
        }
        return if key.id.is_some() { Ok(Some(key)) } else { Err("a destroyed key has no id") };
    }
    let Some(material) = material(&members)? else { return Ok(None) };
    key.declared = members.alg.and_then(|alg| Algorithm::from_name(&alg.decode()));
    key.algorithms = algorithms(&members, key.declared, &material)?;
    key.material = Some(Arc::new(material));
    Ok(Some(key))
}

fn key_id(id: Text<'_>) -> Result<Box<str>, Refusal> {
    checked_key_id(&id.decode())
}

pub(super) fn checked_key_id(id: &str) -> Result<Box<str>, Refusal> {
    if id.is_empty() || id.len() > MAX_KEY_ID_LEN || id.chars().any(char::is_control) {
        return Err("the key id is empty, over 128 bytes or has control characters");
    }
    Ok(id.into())
}

fn named<T>(
    name: Option<Text<'_>>,
    find: fn(&str) -> Option<T>,
    refusal: Refusal,
) -> Result<Option<T>, Refusal> {
    name.map(|name| find(&name.decode()).ok_or(refusal)).transpose()
}

/// A key that says what it is for is used for nothing else: `alg` of another family is a mistake and
/// refused; `use`, `key_ops` and an `alg` that does not sign leave it with nothing that it may do here.
fn algorithms(
    members: &Members<'_>,
    declared: Option<Algorithm>,
    material: &Material,
) -> Result<AlgorithmSet, Refusal> {
    let able = material.algorithms();
    let signs =
        members.usage.is_none_or(|usage| usage == "sig") && members.operations.is_none_or(is_for_signatures);
    match (members.alg, declared) {
        (_, Some(declared)) if !able.contains(declared) => {
            Err("alg does not fit the key, or the secret is too short for it")
        }
        _ if !signs => Ok(AlgorithmSet::NONE),
        (_, Some(declared)) => Ok(AlgorithmSet::one(declared)),
        (Some(_), None) => Ok(AlgorithmSet::NONE),
        (None, None) => Ok(able),
    }
}

fn is_for_signatures(operations: Value<'_>) -> bool {
    let Value::Array(operations) = operations else { return false };
    operations.texts().any(|operation| operation == "verify" || operation == "sign")
}

fn material(members: &Members<'_>) -> Result<Option<Material>, Refusal> {
    let kty = members.kty.ok_or("kty is missing")?;
    let crv = || members.crv.ok_or("crv is missing");
    let material = match &*kty.decode() {
        "oct" => Some(Material::Hmac(Box::new(symmetric(members)?))),
        "OKP" if crv()? == "Ed25519" => Some(Material::Ed25519(Box::new(ed25519(members)?))),
        "EC" if crv()? == "P-256" => Some(Material::P256(Box::new(p256(members)?))),
        "EC" if crv()? == "P-384" => {
            let key = P384Key::from_public(&point(members, 48)?).ok_or("not a point of P-384")?;
            Some(Material::P384(Box::new(key)))
        }
        #[cfg(feature = "rsa")]
        "RSA" => Some(Material::Rsa(Box::new(rsa(members)?))),
        _ => None,
    };
    Ok(material)
}

fn secret_bytes(text: Option<Text<'_>>, missing: Refusal) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    let text = text.ok_or(missing)?;
    if text.raw().len() > MAX_SECRET_TEXT_LEN {
        return Err("a secret is longer than 1,024 bytes");
    }
    base64url::decode_secret(text.raw().as_bytes()).map_err(|_| "a member is not canonical base64url")
}

fn public_bytes(text: Option<Text<'_>>, missing: Refusal) -> Result<Vec<u8>, Refusal> {
    let text = text.ok_or(missing)?;
    base64url::decode(text.raw().as_bytes()).map_err(|_| "a member is not canonical base64url")
}

fn symmetric(members: &Members<'_>) -> Result<HmacKey, Refusal> {
    hmac_key(secret_bytes(members.k, "k is missing")?)
}

pub(super) fn hmac_key(secret: Zeroizing<Vec<u8>>) -> Result<HmacKey, Refusal> {
    if let Some(weakness) = secret::weakness(&secret) {
        return Err(weakness);
    }
    HmacKey::new(secret).ok_or("the secret is shorter than 32 bytes")
}

fn ed25519(members: &Members<'_>) -> Result<Ed25519Key, Refusal> {
    let public = public_bytes(members.x, "x is missing")?;
    let key = match members.d {
        Some(_) => {
            let seed = secret_bytes(members.d, "d is missing")?;
            Ed25519Key::from_seed(seed.as_slice().try_into().map_err(|_| "d is not 32 bytes")?)
        }
        None => Ed25519Key::from_public(public.as_slice().try_into().map_err(|_| "x is not 32 bytes")?),
    };
    let key = key.ok_or("not a canonical Ed25519 point of large order")?;
    if key.public().as_slice() == public { Ok(key) } else { Err("x is not the public key of d") }
}

fn p256(members: &Members<'_>) -> Result<P256Key, Refusal> {
    let public = point(members, 32)?;
    let key = match members.d {
        Some(_) => {
            let scalar = secret_bytes(members.d, "d is missing")?;
            if scalar.len() != 32 {
                return Err("d is not 32 bytes");
            }
            P256Key::from_scalar(&scalar)
        }
        None => P256Key::from_public(&public),
    };
    let key = key.ok_or("not a point or a scalar of P-256")?;
    if key.public().as_ref() == public { Ok(key) } else { Err("x and y are not the public key of d") }
}

/// `4 ‖ x ‖ y`; each coordinate is as long as the field (RFC 7518 §6.2.1.2).
fn point(members: &Members<'_>, field_len: usize) -> Result<Vec<u8>, Refusal> {
    let x = public_bytes(members.x, "x is missing")?;
    let y = public_bytes(members.y, "y is missing")?;
    if x.len() != field_len || y.len() != field_len {
        return Err("a coordinate is not as long as the field");
    }
    Ok([&[4], x.as_slice(), y.as_slice()].concat())
}

#[cfg(feature = "rsa")]
fn rsa(members: &Members<'_>) -> Result<RsaKey, Refusal> {
    let modulus = public_bytes(members.n, "n is missing")?;
    let exponent = public_bytes(members.e, "e is missing")?;
    RsaKey::from_parts(&modulus, &exponent).ok_or("not an RSA key of 2,048 to 8,192 bits")
}

/// RFC 7638: SHA-256 over the required public members in lexical order. A symmetric key has none: its
/// thumbprint would let anyone test guesses of the secret.
pub(super) fn thumbprint(material: &Material) -> Option<String> {
    let members = material.public_members();
    if members.is_empty() {
        return None;
    }
    let mut canonical = String::new();
    let mut object = ObjectWriter::open(&mut canonical);
    for (name, value) in &members {
        object.text(name, value);
    }
    object.close();
    Some(base64url::encode(&Sha256::digest(canonical.as_bytes())))
}

/// Appends the public JWK of a key that has one.
pub(super) fn write_public(key: &Key, out: &mut String) {
    let Some(material) = key.material.as_deref() else { return };
    let mut object = ObjectWriter::open(out);
    write_identity(key, &mut object);
    object.text("use", "sig");
    for (name, value) in material.public_members() {
        object.text(name, &value);
    }
    object.close();
}

/// Appends the whole key, its secret included.
pub(super) fn write_secret(key: &Key, out: &mut String) {
    let mut object = ObjectWriter::open(out);
    write_identity(key, &mut object);
    object.text("purpose", key.purpose.name()).text("status", key.status.name());
    if key.is_derived {
        object.raw("derived", "true");
    }
    if let Some(epoch) = key.epoch {
        object.integer("epoch", epoch.into());
    }
    if let Some(created_s) = key.created_s {
        object.integer("created_s", created_s);
    }
    if let Some(not_after_s) = key.not_after_s {
        object.integer("not_after_s", not_after_s);
    }
    if let Some(material) = key.material.as_deref() {
        if key.algorithms.is_empty() {
            // It may not sign here, whatever its type: the reader must come to the same verdict.
            object.text("use", "enc");
        }
        for (name, value) in material.public_members() {
            object.text(name, &value);
        }
        write_secret_member(material, &mut object);
    }
    object.close();
}

fn write_identity(key: &Key, object: &mut ObjectWriter<'_>) {
    if let Some(id) = key.id() {
        object.text("kid", id);
    }
    if let Some(algorithm) = key.declared {
        object.text("alg", algorithm.name());
    }
}

fn write_secret_member(material: &Material, object: &mut ObjectWriter<'_>) {
    match material {
        Material::Hmac(key) => {
            object.text("kty", "oct").text("k", &base64url::encode_secret(key.secret()));
        }
        Material::Ed25519(key) => {
            if let Some(seed) = key.seed() {
                object.text("d", &base64url::encode_secret(seed));
            }
        }
        Material::P256(key) => {
            if let Some(scalar) = key.scalar() {
                object.text("d", &base64url::encode_secret(&*scalar));
            }
        }
        _ => {}
    }
}
