"""Envelopes by hand (FORMATS.md, Envelopes): headers, wraps and payloads, right or wrong in exactly one place."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from . import cobblestone
from .jose import b64u, lp
from .keys import Secret, stream
from .phc import argon2

MAGIC = b"DJN1"
SELF_CONTAINED, DATA_KEY, CELL, PASSPHRASE, EXTERNAL = 1, 2, 3, 4, 5
NAMES = {SELF_CONTAINED: "self-contained", DATA_KEY: "data-key", CELL: "cell", PASSPHRASE: "passphrase", EXTERNAL: "external"}
WRAP = cobblestone.HEADER + cobblestone.KEY + cobblestone.TAG
CONTEXT_MAX = 4096

Parts = list[str]


def encoded(parts: Parts) -> bytes:
    return b"".join(lp(part) for part in parts)


def payload_context(kind: int, parts: Parts) -> bytes:
    return lp("donjon/payload/v1") + lp(bytes([kind])) + lp(encoded(parts))


def wrap_context(kind: int, kid: str, scope: str = "") -> bytes:
    return lp("donjon/wrap/v1") + lp(bytes([kind])) + lp(kid) + lp(scope)


def data_key_id(data_key: bytes) -> str:
    return b64u(cobblestone.expand(data_key, b"donjon/data-key-id/v1", 12))


@dataclass(frozen=True)
class Argon:
    """What a passphrase becomes a key with."""

    salt: bytes
    memory_kib: int = 8
    time_cost: int = 1
    parallelism: int = 1

    def header(self) -> bytes:
        return self.salt + b"".join(n.to_bytes(4, "big") for n in (self.memory_kib, self.time_cost, self.parallelism))

    def key(self, passphrase: bytes) -> bytes:
        return argon2("argon2id", passphrase, self.salt, self.memory_kib, self.time_cost, self.parallelism, 32)


@dataclass(frozen=True)
class Envelope:
    """The fields of an envelope. Lengths are told as they are, unless they are given."""

    kind: int
    kid: bytes
    wrap: bytes = b""
    payload: bytes = b""
    argon: bytes = b""
    magic: bytes = MAGIC
    kid_len: int | None = None
    wrap_len: int | None = None

    def header(self) -> bytes:
        kid_len = len(self.kid) if self.kid_len is None else self.kid_len
        wrap_len = len(self.wrap) if self.wrap_len is None else self.wrap_len
        return self.magic + bytes([self.kind, kid_len]) + self.kid + self.argon + wrap_len.to_bytes(2, "big") + self.wrap

    def __bytes__(self) -> bytes:
        return self.header() + self.payload

    def but(self, **changes: Any) -> Envelope:
        return dataclasses.replace(self, **changes)


@dataclass(frozen=True)
class Drawn:
    """The bytes that an operation draws, in the order in which it draws them."""

    label: str

    def __getattr__(self, name: str) -> bytes:
        lengths = {"data_key": 32, "wrap_salt": 24, "payload_salt": 24, "argon_salt": 16}
        return stream(f"{self.label}: {name}", lengths[name])

    def hex(self, *names: str) -> str:
        return b"".join(getattr(self, name) for name in names).hex()


def self_contained(kek: Secret, parts: Parts, plaintext: bytes, drawn: Drawn) -> Envelope:
    """Sealed under a keyring's key; what it draws is the data key, the wrap's salt, the payload's salt."""
    kid = kek.kid or ""
    wrap = cobblestone.seal(kek.secret, wrap_context(SELF_CONTAINED, kid), drawn.wrap_salt, drawn.data_key)
    payload = cobblestone.seal(drawn.data_key, payload_context(SELF_CONTAINED, parts), drawn.payload_salt, plaintext)
    return Envelope(SELF_CONTAINED, kid.encode(), wrap, payload)


def wrapped_data_key(kek: Secret, scope: str, data_key: bytes, wrap_salt: bytes) -> Envelope:
    kid = kek.kid or ""
    return Envelope(DATA_KEY, kid.encode(), cobblestone.seal(kek.secret, wrap_context(DATA_KEY, kid, scope), wrap_salt, data_key))


def cell(data_key: bytes, parts: Parts, plaintext: bytes, salt: bytes) -> Envelope:
    payload = cobblestone.seal(data_key, payload_context(CELL, parts), salt, plaintext)
    return Envelope(CELL, data_key_id(data_key).encode(), b"", payload)


def under_passphrase(passphrase: bytes, argon: Argon, parts: Parts, plaintext: bytes, drawn: Drawn) -> Envelope:
    wrap = cobblestone.seal(argon.key(passphrase), wrap_context(PASSPHRASE, ""), drawn.wrap_salt, drawn.data_key)
    payload = cobblestone.seal(drawn.data_key, payload_context(PASSPHRASE, parts), drawn.payload_salt, plaintext)
    return Envelope(PASSPHRASE, b"", wrap, payload, argon.header())


def external(data_key: bytes, kid: str, blob: bytes, parts: Parts, plaintext: bytes, salt: bytes) -> Envelope:
    payload = cobblestone.seal(data_key, payload_context(EXTERNAL, parts), salt, plaintext)
    return Envelope(EXTERNAL, kid.encode(), blob, payload)


KEK = Secret("envelope-2", "HS256", stream("key-encryption key", 32))
OLD_KEK = Secret("envelope-1", "HS256", stream("old key-encryption key", 32))
OTHER_KEK = Secret("envelope-2", "HS256", stream("another key-encryption key", 32))


def ring(*keys: dict[str, Any]) -> dict[str, Any]:
    return {"keys": list(keys)}


PRIMARY = KEK.jwk(purpose="envelope", status="primary")
RING = ring(PRIMARY, OLD_KEK.jwk(purpose="envelope", status="verify-only"))
