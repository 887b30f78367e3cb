"""JWS by hand (RFC 7515), so that a token may be wrong in exactly one place."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

if TYPE_CHECKING:
    from .keys import Key

HASHES = {"256": (hashlib.sha256, hashes.SHA256()), "384": (hashlib.sha384, hashes.SHA384()), "512": (hashlib.sha512, hashes.SHA512())}


def b64u(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64u(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def as_bytes(part: Any) -> bytes:
    """Bytes as they are, text in UTF-8, everything else as compact JSON."""
    if isinstance(part, bytes):
        return part
    return (part if isinstance(part, str) else compact(part)).encode()


def lp(data: bytes | str) -> bytes:
    """FORMATS.md: the length as a big-endian u32, then the bytes."""
    data = as_bytes(data)
    return len(data).to_bytes(4, "big") + data


def signature(alg: str, key: Key, message: bytes) -> bytes:
    """The signature of RFC 7518 §3 and RFC 8037; ECDSA with the nonces of RFC 6979."""
    from . import keys

    family, size = alg[:2], alg[2:]
    if family == "HS":
        assert isinstance(key, keys.Secret)
        return hmac.new(key.secret, message, HASHES[size][0]).digest()
    if isinstance(key, keys.EdwardsKey):
        return key.private.sign(message)
    if isinstance(key, keys.EllipticKey):
        der = key.private.sign(message, ec.ECDSA(HASHES[size][1], deterministic_signing=True))
        r, s = decode_dss_signature(der)
        width = (key.private.curve.key_size + 7) // 8
        return r.to_bytes(width, "big") + s.to_bytes(width, "big")
    assert isinstance(key, keys.RsaKey)
    if family == "RS":
        return key.private.sign(message, padding.PKCS1v15(), HASHES[size][1])
    return _pss(key, HASHES[size][0], message)


def _pss(key: Any, digest: Any, message: bytes) -> bytes:
    """RSASSA-PSS (RFC 8017 §8.1) with a salt that depends on the message, so that it repeats."""
    numbers = key.private.private_numbers()
    n, d = numbers.public_numbers.n, numbers.d
    length, size = (n.bit_length() - 1 + 7) // 8, digest().digest_size
    hashed = digest(message).digest()
    salt = digest(b"salt" + message).digest()
    h = digest(bytes(8) + hashed + salt).digest()
    db = bytes(length - 2 * size - 2) + b"\x01" + salt
    mask = b"".join(digest(h + i.to_bytes(4, "big")).digest() for i in range(len(db) // size + 1))
    masked = bytearray(a ^ b for a, b in zip(db, mask))
    masked[0] &= 0xFF >> (8 * length - (n.bit_length() - 1))
    encoded = bytes(masked) + h + b"\xbc"
    return pow(int.from_bytes(encoded, "big"), d, n).to_bytes((n.bit_length() + 7) // 8, "big")


def jws(header: Any, payload: Any, key: Key | None, alg: str | None = None, sig: bytes | None = None) -> str:
    """A compact JWS. `alg` is how it is signed, whatever the header says; without a key, `sig` stands as it is."""
    signing_input = f"{b64u(as_bytes(header))}.{b64u(as_bytes(payload))}"
    if sig is None:
        if key is None:
            sig = b""
        else:
            signed_as = alg or key.alg
            assert signed_as is not None
            sig = signature(signed_as, key, signing_input.encode())
    return f"{signing_input}.{b64u(sig)}"


def parts(token: str) -> list[str]:
    return token.split(".")


def resigned(header_text: str, payload_text: str, key: Key, alg: str | None = None) -> str:
    """A token whose first two segments are these texts, encoded well or not, under a signature that holds."""
    signing_input = f"{header_text}.{payload_text}"
    signed_as = alg or key.alg
    assert signed_as is not None
    return f"{signing_input}.{b64u(signature(signed_as, key, signing_input.encode('utf-8')))}"
