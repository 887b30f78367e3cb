"""Password hashes by hand: PHC strings (C2SP phc-strings) over `cryptography`'s Argon2 (RFC 9106)."""

from __future__ import annotations

import base64
import hashlib

from cryptography.hazmat.primitives.kdf.argon2 import Argon2d, Argon2i, Argon2id

from .keys import Secret, stream

KINDS = {"argon2id": Argon2id, "argon2i": Argon2i, "argon2d": Argon2d}
PEPPER = Secret("pepper-2", "HS256", stream("pepper", 32))
OLD_PEPPER = Secret("pepper-1", "HS256", stream("old pepper", 32))


def b64(data: bytes) -> str:
    """Standard base64 without padding."""
    return base64.b64encode(data).rstrip(b"=").decode()


def argon2(kind: str, password: bytes, salt: bytes, m: int, t: int, p: int, size: int, secret: bytes | None = None, ad: bytes | None = None) -> bytes:
    return KINDS[kind](salt=salt, length=size, iterations=t, lanes=p, memory_cost=m, secret=secret, ad=ad).derive(password)


def keyid(kid: str) -> str:
    """The first 8 bytes of SHA-256 of the key's id: as many as a PHC string has room for."""
    return b64(hashlib.sha256(kid.encode()).digest()[:8])


def phc(password: bytes, salt: bytes, *, m: int = 8, t: int = 1, p: int = 1, size: int = 32, pepper: Secret | None = None, kind: str = "argon2id") -> str:
    digest = argon2(kind, password, salt, m, t, p, size, pepper and pepper.secret)
    named = f",keyid={keyid(pepper.kid or '')}" if pepper else ""
    return f"${kind}$v=19$m={m},t={t},p={p}{named}${b64(salt)}${b64(digest)}"


def _agrees_with_rfc_9106() -> None:
    """RFC 9106 §5: the parameters of its three test vectors, which no PHC string can say (their associated data)."""
    tags = {
        "argon2d": "512b391b6f1162975371d30919734294f868e3be3984f3c1a13a4db9fabe4acb",
        "argon2i": "c814d9d1dc7f37aa13f0d77f2494bda1c8de6b016dd388d29952a4c4672b6ce8",
        "argon2id": "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659",
    }
    for kind, tag in tags.items():
        assert argon2(kind, b"\x01" * 32, b"\x02" * 16, 32, 3, 4, 32, b"\x03" * 8, b"\x04" * 12).hex() == tag, kind


_agrees_with_rfc_9106()
