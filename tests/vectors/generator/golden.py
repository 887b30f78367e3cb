"""Golden derivations (FORMATS.md): computed here with `cryptography`'s HKDF and `hmac`, read by tests that reach them."""

from __future__ import annotations

import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from .jose import b64u, lp
from .keys import STATE_BINDING, stream
from .phc import OLD_PEPPER, PEPPER, phc

SECRET_LENGTH = {"EdDSA": 32, "HS256": 32, "HS384": 48, "HS512": 64}
DEFAULTS = [{"purpose": "token", "alg": "EdDSA"}, {"purpose": "state-binding", "alg": "HS256"}]


def derive(master: bytes, label: bytes, purpose: str, alg: str, epoch: int, length: int) -> bytes:
    """FORMATS.md, Master secret: HKDF with SHA-512, its two steps apart (RFC 5869)."""
    extracted = hmac.digest(b"donjon/master/v1", master, "sha512")
    info = label + lp(purpose) + lp(alg) + epoch.to_bytes(4, "big")
    return HKDFExpand(hashes.SHA512(), length, info).derive(extracted)


def key(master: bytes, purpose: str, alg: str, epoch: int, status: str) -> dict[str, Any]:
    secret = derive(master, b"donjon/key/v1", purpose, alg, epoch, SECRET_LENGTH[alg])
    kid = b64u(derive(master, b"donjon/kid/v1", purpose, alg, epoch, 16))
    if alg == "EdDSA":
        public = ed25519.Ed25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()
        body = {"kty": "OKP", "crv": "Ed25519", "x": b64u(public), "d": b64u(secret)}
    else:
        body = {"kty": "oct", "k": b64u(secret)}
    return {"kid": kid, "alg": alg, "purpose": purpose, "status": status, "epoch": epoch} | body


def keyring(master: bytes, entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The keys in the order of the configuration: each purpose's from its oldest epoch to the next one."""
    keys = []
    for entry in entries:
        epoch = entry.get("epoch", 1)
        for each in range(entry.get("oldest", epoch), epoch + 2):
            status = "primary" if each == epoch else "active" if each > epoch else "verify-only"
            if each in entry.get("disabled", []):
                status = "disabled"
            keys.append(key(master, entry["purpose"], entry["alg"], each, status))
    return keys


def masters() -> dict[str, Any]:
    cases = []
    for name, master in {"32 bytes": stream("master", 32), "64 bytes": stream("master", 64), "33 bytes": stream("master", 33)}.items():
        cases.append({"name": f"a master of {name}, the default configuration", "master": b64u(master), "config": None, "keys": keyring(master, DEFAULTS)})
    master = stream("master", 32)
    configured: dict[str, list[dict[str, Any]]] = {
        "the third epoch, the first two still verify": [{"purpose": "token", "alg": "EdDSA", "epoch": 3, "oldest": 1}],
        "symmetric tokens": [{"purpose": "token", "alg": "HS256", "epoch": 1}, {"purpose": "state-binding", "alg": "HS256", "epoch": 2, "oldest": 2}],
        "the longer hashes": [{"purpose": "token", "alg": "HS512", "epoch": 1}],
        "the middle hash": [{"purpose": "token", "alg": "HS384", "epoch": 7, "oldest": 6}],
        "a disabled epoch": [{"purpose": "token", "alg": "EdDSA", "epoch": 3, "oldest": 1, "disabled": [2]}],
        "a disabled next epoch": [{"purpose": "token", "alg": "EdDSA", "epoch": 1, "disabled": [2]}],
        "the last epoch but one": [{"purpose": "token", "alg": "EdDSA", "epoch": 4294967294}],
        "every purpose": [{"purpose": purpose, "alg": "HS256", "epoch": 2} for purpose in ("envelope", "password-pepper", "blind-index", "device", "csrf", "audit", "settings")],
    }
    for name, entries in configured.items():
        named = {entry["purpose"] for entry in entries}
        whole = [default for default in DEFAULTS if default["purpose"] not in named] + entries
        cases.append({"name": name, "master": b64u(master), "config": {"keys": entries}, "keys": keyring(master, whole)})
    return {
        "description": "Keyrings of a master secret. Keys in any order; `epoch` is not part of a JWK. Ed25519's d is the derived seed.",
        "source": "FORMATS.md, Master secret; RFC 5869",
        "cases": cases,
    }


def refresh_ids() -> dict[str, Any]:
    cases = []
    for label in ("ann", "bob"):
        family = stream(f"family {label}", 16)
        for generation in (0, 1, 2, 255, 4294967295):
            message = lp(b"donjon/refresh/v1") + lp(family) + generation.to_bytes(4, "big")
            tag = hmac.new(STATE_BINDING.secret, message, hashlib.sha256).digest()
            cases.append({"name": f"{label}, generation {generation}", "family": b64u(family), "generation": generation, "jti": b64u(tag[:16])})
    return {
        "description": "The ids of refresh tokens: whoever mints the successor, it has this jti.",
        "source": "FORMATS.md, Refresh families: the first 16 bytes of HMAC-SHA-256(state-binding key, lp(donjon/refresh/v1) || lp(family) || u32(generation))",
        "state_binding_key": STATE_BINDING.jwk(purpose="state-binding", status="primary"),
        "cases": cases,
    }


def password_hashes() -> dict[str, Any]:
    cases: list[dict[str, Any]] = []
    for name, password in {"words": b"correct horse battery staple", "empty": b"", "bytes that are no text": b"\xff\x00\xfe"}.items():
        for parameters, (m, t, p, size) in {"the default": (65536, 3, 1, 32), "OWASP's": (19456, 2, 1, 32), "the least": (8, 1, 1, 12), "four lanes": (64, 3, 4, 64)}.items():
            for pepper in (None, PEPPER, OLD_PEPPER):
                if m < 1000 or name == "words":
                    text = phc(password, stream(f"golden {name} {parameters}", 16), m=m, t=t, p=p, size=size, pepper=pepper)
                    cases.append({"name": f"{name}, {parameters}, {pepper.kid if pepper else 'no pepper'}", "password_hex": password.hex(), "hash": text})
    return {
        "description": "Hashes that donjon writes, each good for its password under these peppers.",
        "source": "RFC 9106; C2SP phc-strings; keyid is the first 8 bytes of SHA-256 of the key's id",
        "peppers": [PEPPER.jwk(purpose="password-pepper", status="primary"), OLD_PEPPER.jwk(purpose="password-pepper", status="verify-only")],
        "cases": cases,
    }


def write(folder: Path) -> None:
    for name, document in {"master": masters(), "refresh_jti": refresh_ids(), "hashes": password_hashes()}.items():
        (folder / f"{name}.json").write_text(json.dumps(document, indent=1) + "\n", encoding="ascii")
