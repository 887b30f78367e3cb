"""donjon beside PyJWT and joserfc, as a web service uses them."""

from __future__ import annotations

import secrets
import time
import warnings
from typing import Any

import donjon
import joserfc.jwk
import joserfc.jwt
import jwt as pyjwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from race import report

SUBJECT = "5f0c2a9e-4b7d-4c1e-9a53-0d8e6f7b2c14"
PERMISSIONS = [
    "document:read",
    "document:write",
    "document:share",
    "comment:write",
    "folder:read",
    "user:invite",
    "audit:read",
]


def measure() -> None:
    # joserfc wants `Ed25519` (RFC 9864) for what the token's header calls `EdDSA`.
    warnings.filterwarnings("ignore", message="EdDSA is deprecated")
    compare("HS256", (1 / 20, 1 / 8, 1 / 12))
    compare("ES256", None)
    compare("EdDSA", None)


def compare(alg: str, wanted: tuple[float, float, float] | None) -> None:
    keyring, pyjwt_key, pyjwt_public, joserfc_key = keys(alg)
    issuer = donjon.TokenIssuer(keyring, issuer=None, audience=None)
    verifier = donjon.TokenVerifier(
        keyring, issuer=None, audience=None, type="at+jwt", algorithms=[alg]
    )
    registry = joserfc.jwt.JWTClaimsRegistry(exp={"essential": True})

    def ours_sign() -> str:
        return issuer.access(SUBJECT, permissions=PERMISSIONS)

    def claims_with_jti() -> dict[str, Any]:
        now = int(time.time())
        return {
            "sub": SUBJECT,
            "iat": now,
            "exp": now + 1800,
            "jti": secrets.token_urlsafe(16),
            "permissions": PERMISSIONS,
        }

    def pyjwt_sign() -> str:
        return pyjwt.encode(claims_with_jti(), pyjwt_key, algorithm=alg)

    def joserfc_sign() -> str:
        return joserfc.jwt.encode({"alg": alg}, claims_with_jti(), joserfc_key, algorithms=[alg])

    token = ours_sign()

    def ours_subject() -> str | None:
        return verifier.verify(token).subject

    def ours_dict() -> dict[str, Any]:
        return verifier.verify(token).to_dict()

    def pyjwt_dict() -> dict[str, Any]:
        return pyjwt.decode(token, pyjwt_public, algorithms=[alg])

    def pyjwt_subject() -> str:
        return pyjwt.decode(token, pyjwt_public, algorithms=[alg])["sub"]

    def joserfc_dict() -> dict[str, Any]:
        claims = joserfc.jwt.decode(token, joserfc_key, algorithms=[alg]).claims
        registry.validate(claims)
        return claims

    def joserfc_subject() -> str:
        return joserfc_dict()["sub"]

    # All of them read the same out of the same token, and what each signs the others verify.
    assert ours_dict() == pyjwt_dict() == joserfc_dict()
    assert ours_subject() == pyjwt_subject() == joserfc_subject() == SUBJECT
    assert ours_dict()["permissions"] == PERMISSIONS
    foreign = donjon.TokenVerifier(keyring, issuer=None, audience=None, type=None, algorithms=[alg])
    for signed in (pyjwt_sign(), joserfc_sign()):
        assert foreign.verify(signed).subject == SUBJECT
    assert len({ours_sign() for _ in range(100)}) == 100

    verify, verify_all, sign = wanted or (None, None, None)
    report(
        f"tokens {alg} verify, read subject",
        ours_subject,
        {"PyJWT": pyjwt_subject, "joserfc": joserfc_subject},
        verify,
    )
    report(
        f"tokens {alg} verify, all claims as dict",
        ours_dict,
        {"PyJWT": pyjwt_dict, "joserfc": joserfc_dict},
        verify_all,
    )
    report(f"tokens {alg} sign", ours_sign, {"PyJWT": pyjwt_sign, "joserfc": joserfc_sign}, sign)


def keys(alg: str) -> tuple[donjon.Keyring, Any, Any, Any]:
    """One key, as donjon, PyJWT (to sign, to verify) and joserfc hold it."""
    if alg == "HS256":
        secret = secrets.token_bytes(32)
        return (
            donjon.Keyring.from_secret(secret, alg=alg, kid="2026-11"),
            secret,
            secret,
            joserfc.jwk.OctKey.import_key(secret),
        )
    private = (
        ec.generate_private_key(ec.SECP256R1())
        if alg == "ES256"
        else ed25519.Ed25519PrivateKey.generate()
    )
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    peer = joserfc.jwk.ECKey if alg == "ES256" else joserfc.jwk.OKPKey
    return (
        donjon.Keyring.from_pem(pem, alg=alg, kid="2026-11"),
        private,
        private.public_key(),
        peer.import_key(pem),
    )
