"""The keys of the vectors: derived from labels, so that every run has the same ones. Never for use."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from .jose import b64u, unb64u

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
P384_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973
ED25519_ORDER = 2**252 + 27742317777372353535851937790883648493

Jwk = dict[str, Any]


def stream(label: str, length: int) -> bytes:
    """`length` bytes that depend on `label` alone."""
    return hashlib.shake_256(f"donjon vectors: {label}".encode()).digest(length)


@dataclass(frozen=True)
class Secret:
    """An HMAC key."""

    kid: str | None
    alg: str | None
    secret: bytes

    def jwk(self, **more: Any) -> Jwk:
        return _jwk({"kty": "oct", "k": b64u(self.secret)}, self.kid, self.alg, more)

    private_jwk = jwk


@dataclass(frozen=True)
class EllipticKey:
    """A P-256, P-384 or P-521 key."""

    kid: str | None
    alg: str | None
    private: ec.EllipticCurvePrivateKey

    def jwk(self, **more: Any) -> Jwk:
        numbers = self.private.public_key().public_numbers()
        size = (self.private.curve.key_size + 7) // 8
        curve = {256: "P-256", 384: "P-384", 521: "P-521"}[self.private.curve.key_size]
        x, y = (b64u(n.to_bytes(size, "big")) for n in (numbers.x, numbers.y))
        return _jwk({"kty": "EC", "crv": curve, "x": x, "y": y}, self.kid, self.alg, more)

    def private_jwk(self, **more: Any) -> Jwk:
        size = (self.private.curve.key_size + 7) // 8
        d = self.private.private_numbers().private_value.to_bytes(size, "big")
        return self.jwk(d=b64u(d), **more)


@dataclass(frozen=True)
class EdwardsKey:
    """An Ed25519 key."""

    kid: str | None
    alg: str | None
    seed: bytes

    @property
    def private(self) -> ed25519.Ed25519PrivateKey:
        return ed25519.Ed25519PrivateKey.from_private_bytes(self.seed)

    @property
    def public_bytes(self) -> bytes:
        return self.private.public_key().public_bytes_raw()

    def jwk(self, **more: Any) -> Jwk:
        return _jwk({"kty": "OKP", "crv": "Ed25519", "x": b64u(self.public_bytes)}, self.kid, self.alg, more)

    def private_jwk(self, **more: Any) -> Jwk:
        return self.jwk(d=b64u(self.seed), **more)


@dataclass(frozen=True)
class RsaKey:
    """An RSA key; donjon verifies with these only."""

    kid: str | None
    alg: str | None
    private: rsa.RSAPrivateKey

    def jwk(self, **more: Any) -> Jwk:
        numbers = self.private.public_key().public_numbers()
        n, e = (b64u(v.to_bytes((v.bit_length() + 7) // 8, "big")) for v in (numbers.n, numbers.e))
        return _jwk({"kty": "RSA", "n": n, "e": e}, self.kid, self.alg, more)


Key = Secret | EllipticKey | EdwardsKey | RsaKey


def _jwk(body: Jwk, kid: str | None, alg: str | None, more: Jwk) -> Jwk:
    named: Jwk = {}
    if kid is not None:
        named["kid"] = kid
    if alg is not None:
        named["alg"] = alg
    return named | body | more


def elliptic(label: str, kid: str | None, alg: str | None, curve: ec.EllipticCurve) -> EllipticKey:
    order = {256: P256_ORDER, 384: P384_ORDER}[curve.key_size]
    scalar = int.from_bytes(stream(label, 64), "big") % (order - 1) + 1
    return EllipticKey(kid, alg, ec.derive_private_key(scalar, curve))


def without(key: Key, *, kid: bool = False, alg: bool = False) -> Key:
    """The same key material, anonymous or for any algorithm."""
    material = {"secret": "secret", "private": "private", "seed": "seed"}
    fields = {name: getattr(key, name) for name in material if name in key.__dataclass_fields__}
    return type(key)(None if kid else key.kid, None if alg else key.alg, **fields)


def public_texts(key: EllipticKey | EdwardsKey | RsaKey) -> dict[str, bytes]:
    """Every text that a service might have at hand for a public key."""
    public = key.private.public_key()
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    texts = {
        "SPKI PEM": pem,
        "SPKI PEM without its last line feed": pem.rstrip(b"\n"),
        "SPKI PEM with CRLF": pem.replace(b"\n", b"\r\n"),
        "SPKI DER": public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo),
        "OpenSSH text": public.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH),
    }
    if isinstance(key, RsaKey):
        texts["PKCS#1 PEM"] = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.PKCS1)
        texts["PKCS#1 DER"] = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.PKCS1)
    return texts


HS256 = Secret("hmac-256", "HS256", stream("HS256", 32))
HS384 = Secret("hmac-384", "HS384", stream("HS384", 48))
HS512 = Secret("hmac-512", "HS512", stream("HS512", 64))
ES256 = elliptic("ES256", "p-256", "ES256", ec.SECP256R1())
ES384 = elliptic("ES384", "p-384", "ES384", ec.SECP384R1())
EDDSA = EdwardsKey("ed25519", "EdDSA", stream("EdDSA", 32))
ATTACKER = EdwardsKey("attacker", "EdDSA", stream("attacker", 32))
ATTACKER_ES256 = elliptic("attacker ES256", "attacker-p-256", "ES256", ec.SECP256R1())
STATE_BINDING = Secret("state-binding", "HS256", stream("state binding", 32))
DEVICE = Secret("device", "HS256", stream("device", 32))

# The key of RFC 7520 §3.4: published, so nobody mistakes it for a secret.
_RSA = {
    "n": "n4EPtAOCc9AlkeQHPzHStgAbgs7bTZLwUBZdR8_KuKPEHLd4rHVTeT-O-XV2jRojdNhxJWTDvNd7nqQ0VEiZQHz_AJmSCpMaJMRBSFKrKb2wqVwGU_NsYOYL-QtiWN2lbzcEe6XC0dApr5ydQLrHqkHHig3RBordaZ6Aj-oBHqFEHYpPe7Tpe-OfVfHd1E6cS6M1FZcD1NNLYD5lFHpPI9bTwJlsde3uhGqC0ZCuEHg8lhzwOHrtIQbS0FVbb9k3-tVTU4fg_3L_vniUFAKwuCLqKnS2BYwdq_mzSnbLY7h_qixoR7jig3__kRhuaxwUkRz5iaiQkqgc5gHdrNP5zw",
    "e": "AQAB",
    "d": "bWUC9B-EFRIo8kpGfh0ZuyGPvMNKvYWNtB_ikiH9k20eT-O1q_I78eiZkpXxXQ0UTEs2LsNRS-8uJbvQ-A1irkwMSMkK1J3XTGgdrhCku9gRldY7sNA_AKZGh-Q661_42rINLRCe8W-nZ34ui_qOfkLnK9QWDDqpaIsA-bMwWWSDFu2MUBYwkHTMEzLYGqOe04noqeq1hExBTHBOBdkMXiuFhUq1BU6l-DqEiWxqg82sXt2h-LMnT3046AOYJoRioz75tSUQfGCshWTBnP5uDjd18kKhyv07lhfSJdrPdM5Plyl21hsFf4L_mHCuoFau7gdsPfHPxxjVOcOpBrQzwQ",
    "p": "3Slxg_DwTXJcb6095RoXygQCAZ5RnAvZlno1yhHtnUex_fp7AZ_9nRaO7HX_-SFfGQeutao2TDjDAWU4Vupk8rw9JR0AzZ0N2fvuIAmr_WCsmGpeNqQnev1T7IyEsnh8UMt-n5CafhkikzhEsrmndH6LxOrvRJlsPp6Zv8bUq0k",
    "q": "uKE2dh-cTf6ERF4k4e_jy78GfPYUIaUyoSSJuBzp3Cubk3OCqs6grT8bR_cu0Dm1MZwWmtdqDyI95HrUeq3MP15vMMON8lHTeZu2lmKvwqW7anV5UzhM1iZ7z4yMkuUwFWoBvyY898EXvRD-hdqRxHlSqAZ192zB3pVFJ0s7pFc",
}


def _rsa() -> rsa.RSAPrivateKey:
    n, e, d, p, q = (int.from_bytes(unb64u(_RSA[name]), "big") for name in ("n", "e", "d", "p", "q"))
    numbers = rsa.RSAPrivateNumbers(
        p, q, d, rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), rsa.rsa_crt_iqmp(p, q), rsa.RSAPublicNumbers(e, n)
    )
    return numbers.private_key()


RS256 = RsaKey("rsa", "RS256", _rsa())
PS256 = RsaKey("rsa-pss", "PS256", RS256.private)
