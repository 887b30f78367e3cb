"""Purposes, statuses and times of keys (FORMATS.md, Keys)."""

from __future__ import annotations

from collections.abc import Iterator

from .jose import jws
from .keys import EDDSA, ES256, HS256, STATE_BINDING, Secret, stream
from .suite import NOW, Suite, claims, header, token


def suites() -> Iterator[Suite]:
    suite = Suite("keyring", "What a key's purpose, status and times let it do.", "FORMATS.md, Keys; ATTACKS.md 39")
    text = token(EDDSA)

    def one(name: str, error: str | None, now: int = NOW, **members: object) -> None:
        suite.verify(name, text, {"keys": [EDDSA.jwk(**members)]}, ["EdDSA"], now_s=now, error=error)

    def pair(name: str, error: str | None, **members: object) -> None:
        suite.verify(name, text, {"keys": [EDDSA.private_jwk(**members)]}, ["EdDSA"], error=error)

    one("a foreign key, neither purpose nor status, verifies", None)
    pair("a primary key verifies", None, purpose="token", status="primary", created_s=NOW - 1000)
    one("an active key verifies", None, purpose="token", status="active", created_s=NOW - 1000)
    one("a key that only verifies, verifies", None, purpose="token", status="verify-only")
    one("until its time", None, purpose="token", status="verify-only", not_after_s=NOW + 1)
    one("at its time no more", "key_expired", purpose="token", status="verify-only", not_after_s=NOW)
    one("nor after its time", "key_expired", purpose="token", status="verify-only", not_after_s=NOW - 1000)
    one("a disabled key", "key_disabled", purpose="token", status="disabled")
    pair("a disabled key pair", "key_disabled", purpose="token", status="disabled", not_after_s=NOW + 1000)
    spare = EDDSA.jwk() | {"kid": "spare"}
    destroyed = {"kid": EDDSA.kid, "purpose": "token", "status": "destroyed"}
    suite.verify("a destroyed key", text, {"keys": [destroyed, spare]}, ["EdDSA"], error="key_destroyed")
    suite.verify("a disabled key beside one that would verify", text, {"keys": [EDDSA.jwk(status="disabled"), spare]}, ["EdDSA"], error="key_disabled")
    suite.verify("an expired key beside one that would verify", text, {"keys": [EDDSA.jwk(status="verify-only", not_after_s=1), spare]}, ["EdDSA"], error="key_expired")
    forged = text[:-4] + ("AAAA" if not text.endswith("AAAA") else "BBBA")
    suite.verify("a forged token under a disabled key", forged, {"keys": [EDDSA.jwk(status="disabled")]}, ["EdDSA"], error="key_disabled|bad_signature")
    anonymous = jws(header(EDDSA, kid=...), claims(), EDDSA)
    suite.verify("no key id, and the one key is disabled", anonymous, {"keys": [EDDSA.jwk(status="disabled")]}, ["EdDSA"], error="unknown_key|key_disabled")
    suite.verify("no key id, one usable key and one disabled", anonymous, {"keys": [EDDSA.jwk(), spare | {"status": "disabled"}]}, ["EdDSA"])
    suite.verify("no key id, one usable key and one expired", anonymous, {"keys": [EDDSA.jwk(), spare | {"status": "verify-only", "not_after_s": NOW}]}, ["EdDSA"])
    suite.verify("no key id, one key for each of two algorithms", anonymous, [EDDSA, ES256], ["EdDSA", "ES256"])

    for purpose in ("state-binding", "envelope", "password-pepper", "blind-index", "device", "csrf", "audit", "settings"):
        other = Secret("other", "HS256", stream(purpose, 32))
        ring = {"keys": [HS256.jwk(), other.jwk(purpose=purpose, status="primary")]}
        suite.verify(f"a token under the {purpose} key", token(other), ring, ["HS256"], error="unknown_key|alg_not_allowed")
        ring = {"keys": [other.jwk(purpose=purpose, status="primary"), HS256.jwk()]}
        suite.verify(f"the {purpose} key is no candidate without a key id", jws(header(HS256, kid=...), claims(), HS256), ring, ["HS256"])

    one("an unknown purpose", "config_error", purpose="tokens")
    one("an unknown status", "config_error", status="retired")
    one("a purpose that is a number", "config_error", purpose=1)
    one("a status that is null", "config_error", status=None)
    for member in ("created_s", "not_after_s"):
        for name, value in {"a string": "1700000000", "negative": -1, "a fraction": 1.5, "null": None, "over 64 bits": 2**63}.items():
            if value == 2**63:
                continue  # a plain-JSON reader may round it; the comparison of the hosts sends it as text
            one(f"{member} that is {name}", "config_error", status="verify-only", **{member: value})
    two = [EDDSA.private_jwk(purpose="token", status="primary"), ES256.private_jwk(purpose="token", status="primary")]
    suite.load("two primary token keys", two, error="config_error")
    suite.load("a primary for each of two purposes", [two[0], STATE_BINDING.jwk(purpose="state-binding", status="primary")])
    suite.load("two active keys and a primary", [two[0], ES256.private_jwk(purpose="token", status="active"), HS256.jwk(purpose="token", status="active")])
    suite.load("a destroyed key keeps its id and nothing else", destroyed, summary=[{"kid": EDDSA.kid, "kty": None, "alg": None, "thumbprint": None}])
    yield suite
