"""Single-purpose tokens (FORMATS.md, State binding; ATTACKS.md 19 and 27)."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from typing import Any

from . import keys
from .jose import b64u, jws, lp, parts
from .keys import EDDSA, ES256, HS256, STATE_BINDING, Key, Secret, stream
from .phc import phc as hashed
from .suite import NOW, Suite, refusal

PURPOSES = ("reset", "verify-email", "invite", "device")
TTL = 3600
ENTROPY = stream("purpose jti", 16)


def fingerprint(purpose: str, subject: str, state: str, binding: Secret = STATE_BINDING) -> str:
    """The first 16 bytes of HMAC-SHA-256(state-binding key, lp(purpose) || lp(subject) || lp(state))."""
    tag = hmac.new(binding.secret, lp(purpose) + lp(subject) + lp(state), hashlib.sha256).digest()
    return b64u(tag[:16])


def ring(signer: Key, binding: Secret = STATE_BINDING, *more: dict[str, Any]) -> dict[str, Any]:
    assert not isinstance(signer, keys.RsaKey)
    return {"keys": [signer.private_jwk(purpose="token", status="primary"), binding.jwk(purpose="state-binding", status="primary"), *more]}


def body(purpose: str, subject: str, state: str, **changes: Any) -> dict[str, Any]:
    good: dict[str, Any] = {"sub": subject, "iat": NOW, "exp": NOW + TTL, "jti": b64u(ENTROPY), "sfp": fingerprint(purpose, subject, state)}
    return {name: value for name, value in (good | changes).items() if value is not ...}


def minted(signer: Key, purpose: str, subject: str, state: str, **changes: Any) -> str:
    return jws({"alg": signer.alg, "kid": signer.kid, "typ": f"{purpose}+jwt"}, body(purpose, subject, state, **changes), signer)


def suites() -> Iterator[Suite]:
    suite = Suite("purpose", "Tokens for one purpose, one subject and one state: whatever else they meet, they are invalid.", "FORMATS.md, State binding; ATTACKS.md 19 and 27")
    invalid = refusal("invalid")

    def check(name: str, token: str, answer: dict[str, Any], attack: int = 27, **changes: Any) -> None:
        request: dict[str, Any] = {"op": "purpose_check", "keyring": ring(EDDSA), "purpose": "reset", "subject": "ann", "state": "hash-1", "now_s": NOW, "token": token}
        suite.add(name, request | changes, answer, attack)

    def mint(name: str, answer: dict[str, Any], **changes: Any) -> None:
        request: dict[str, Any] = {
            "op": "purpose_mint", "keyring": ring(EDDSA), "purpose": "reset", "subject": "ann", "state": "hash-1", "now_s": NOW, "ttl_s": TTL, "entropy_hex": ENTROPY.hex(),
        }
        suite.add(name, request | changes, answer)

    phc = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$QrVqk0cNjmPQ7iYHdZ0X1l1zHcKxkq8qk1kX3b6v5nM"
    for signer in (EDDSA, ES256, HS256):
        for purpose in PURPOSES:
            text = minted(signer, purpose, "ann", "hash-1")
            mint(f"minting {purpose} under {signer.alg}", {"ok": True, "token": text}, keyring=ring(signer), purpose=purpose)
            check(f"{purpose} under {signer.alg} is good", text, {"ok": True}, keyring=ring(signer), purpose=purpose)
    mint("bound to a password hash", {"ok": True, "token": minted(EDDSA, "reset", "ann", phc)}, state=phc)
    mint("bound to the empty state", {"ok": True, "token": minted(EDDSA, "reset", "ann", "")}, state="")
    mint("a subject of many scripts", {"ok": True, "token": minted(EDDSA, "reset", "zo\u00eb \u4e2d\U0001f600", "hash-1")}, subject="zo\u00eb \u4e2d\U0001f600")
    mint("a subject that JSON escapes", {"ok": True, "token": minted(EDDSA, "reset", 'a"b\\c\n', "hash-1")}, subject='a"b\\c\n')
    mint("a purpose of 32 letters", {"ok": True, "token": minted(EDDSA, "a" * 32, "ann", "hash-1")}, purpose="a" * 32)
    for name, purpose in {"empty": "", "at": "at", "rt": "rt", "in upper case": "Reset", "with a space": "re set", "that begins with a digit": "1st", "that begins with a hyphen": "-x", "with an underscore": "a_b", "with a plus": "reset+jwt", "of 33 letters": "a" * 33, "with a NUL": "reset\u0000", "that is not ASCII": "r\u00e9set"}.items():
        mint(f"minting for a purpose {name}", refusal("invalid_argument"), purpose=purpose)
        check(f"checking for a purpose {name}", minted(EDDSA, "reset", "ann", "hash-1"), refusal("invalid|invalid_argument"), purpose=purpose)
    mint("no life", refusal("invalid_argument"), ttl_s=0)
    mint("a negative life", refusal("invalid_argument"), ttl_s=-1)
    century = 3_155_760_000  # no duration is configured longer than 100 years of 365.25 days
    mint("a life of 100 years", {"ok": True, "token": minted(EDDSA, "reset", "ann", "hash-1", exp=NOW + century)}, ttl_s=century)
    mint("a life over 100 years", refusal("invalid_argument"), ttl_s=century + 1)
    mint("a life of the greatest of 64 bits", refusal("invalid_argument"), ttl_s=2**63 - 1)
    mint("no entropy", refusal("entropy_unavailable"), entropy_hex="")
    mint("a byte too little of entropy", refusal("entropy_unavailable"), entropy_hex=ENTROPY[:-1].hex())
    mint("no subject", refusal("invalid_argument"), subject="")
    mint("a keyring without a state-binding key", refusal("config_error"), keyring={"keys": ring(EDDSA)["keys"][:1]})
    mint("a keyring without a token key", refusal("config_error"), keyring={"keys": ring(EDDSA)["keys"][1:]})
    mint("a keyring whose state-binding key is not primary", refusal("config_error"), keyring={"keys": [ring(EDDSA)["keys"][0], STATE_BINDING.jwk(purpose="state-binding", status="active")]})

    good = minted(EDDSA, "reset", "ann", "hash-1")
    check("good a second before it expires", good, {"ok": True}, now_s=NOW + TTL - 1)
    check("expired", good, invalid, now_s=NOW + TTL)
    check("expired long ago", good, invalid, now_s=NOW + 10**9)
    check("checked long before it was made", good, invalid, now_s=NOW - 86400)
    check("the state has changed", good, invalid, state="hash-2")
    check("the state is gone", good, invalid, state="")
    check("the state has a letter more", good, invalid, state="hash-11")
    check("the state in upper case", good, invalid, state="HASH-1")
    check("another subject", good, invalid, subject="bob")
    check("a subject that begins alike", good, invalid, subject="anna")
    check("a subject in upper case", good, invalid, subject="Ann")
    check("the empty subject", good, refusal("invalid|invalid_argument"), subject="")
    for purpose in PURPOSES[1:]:
        check(f"reset where {purpose} is expected", good, invalid, 19, purpose=purpose)
        check(f"{purpose} where reset is expected", minted(EDDSA, purpose, "ann", "hash-1"), invalid, 19)
    # What the length prefixes are for: the same letters cut elsewhere.
    check("subject and state cut elsewhere", minted(EDDSA, "reset", "annh", "ash-1"), invalid)
    check("subject and state cut elsewhere, with the fingerprint of the whole", minted(EDDSA, "reset", "ann", "hash-1", sfp=fingerprint("reset", "annh", "ash-1")), invalid)
    check("purpose and subject cut elsewhere", minted(EDDSA, "reset", "ann", "hash-1", sfp=fingerprint("reseta", "nn", "hash-1")), invalid)
    forged = {
        "a fingerprint of another state": {"sfp": fingerprint("reset", "ann", "hash-2")}, "a fingerprint of another subject": {"sfp": fingerprint("reset", "bob", "hash-1")},
        "a fingerprint under another key": {"sfp": fingerprint("reset", "ann", "hash-1", Secret(None, "HS256", stream("other", 32)))},
        "no fingerprint": {"sfp": ...}, "an empty fingerprint": {"sfp": ""}, "a fingerprint that is null": {"sfp": None}, "a fingerprint that is a list": {"sfp": [fingerprint("reset", "ann", "hash-1")]},
        "a fingerprint cut to 15 bytes": {"sfp": fingerprint("reset", "ann", "hash-1")[:20]}, "a fingerprint of all 32 bytes": {"sfp": b64u(hmac.digest(STATE_BINDING.secret, lp("reset") + lp("ann") + lp("hash-1"), "sha256"))},
        "a padded fingerprint": {"sfp": fingerprint("reset", "ann", "hash-1") + "=="}, "a fingerprint of zeros": {"sfp": b64u(bytes(16))},
        "no expiry": {"exp": ...}, "an expiry that is text": {"exp": str(NOW + TTL)}, "an expiry in the past": {"exp": NOW}, "no subject": {"sub": ...}, "a subject that is a list": {"sub": ["ann"]},
    }
    for name, changes in forged.items():
        check(f"signed, with {name}", minted(EDDSA, "reset", "ann", "hash-1", **changes), invalid)
    head, payload, tag = parts(good)
    shapes = {
        "empty": "", "two dots": "..", "no signature": f"{head}.{payload}.", "cut short": good[:-1], "a letter more": good + "A", "padded": good + "==", "two parts": f"{head}.{payload}",
        "another signature": f"{head}.{payload}.{tag[:-2]}AA", "another payload": f"{head}.{payload[:-2]}AA.{tag}", "JSON": '{"payload":"' + payload + '"}', "alg none": jws({"alg": "none", "typ": "reset+jwt"}, body("reset", "ann", "hash-1"), None),
    }
    for name, text in shapes.items():
        check(f"{name} instead of a token", text, invalid)
    access = jws({"alg": "EdDSA", "kid": EDDSA.kid, "typ": "at+jwt"}, body("reset", "ann", "hash-1"), EDDSA)
    check("an access token with the right fingerprint", access, invalid, 19)
    check("a token without a type, with the right fingerprint", jws({"alg": "EdDSA", "kid": EDDSA.kid}, body("reset", "ann", "hash-1"), EDDSA), invalid, 19)
    check("another key's signature", jws({"alg": "EdDSA", "kid": EDDSA.kid, "typ": "reset+jwt"}, body("reset", "ann", "hash-1"), keys.ATTACKER), invalid)
    binding_signed = jws({"alg": "HS256", "kid": STATE_BINDING.kid, "typ": "reset+jwt"}, body("reset", "ann", "hash-1"), STATE_BINDING)
    check("signed with the state-binding key", binding_signed, invalid)

    # Bound to the stored password hash, a reset dies with whatever replaces that: also the same password, hashed again.
    stored = {name: hashed(b"correct horse battery staple", stream(name, 16)) for name in ("salt", "another salt")}
    stored |= {"another password": hashed(b"battery staple", stream("salt", 16)), "no password": "", "a line behind": stored["salt"] + "\n"}
    reset = minted(EDDSA, "reset", "ann", stored["salt"])
    check("bound to a password hash, and that stands", reset, {"ok": True}, state=stored["salt"])
    for name in ("another password", "another salt", "no password", "a line behind"):
        check(f"bound to a password hash, and {name} stands now", reset, invalid, state=stored[name])
    check("bound to a password hash, for another user with the same", reset, invalid, state=stored["salt"], subject="bob")
    check("bound to a password hash, after its time", reset, invalid, state=stored["salt"], now_s=NOW + TTL)
    check("bound to a password hash, for another purpose", reset, invalid, state=stored["salt"], purpose="invite")

    # Rotation: what is out there stays good as long as its keys verify.
    older = Secret("older", "HS256", stream("older binding", 32))
    bound_before = minted(EDDSA, "reset", "ann", "hash-1", sfp=fingerprint("reset", "ann", "hash-1", older))
    check("bound by a key that still verifies", bound_before, {"ok": True}, keyring=ring(EDDSA, STATE_BINDING, older.jwk(purpose="state-binding", status="verify-only", not_after_s=NOW + 1)))
    check("bound by a key whose time is over", bound_before, invalid, keyring=ring(EDDSA, STATE_BINDING, older.jwk(purpose="state-binding", status="verify-only", not_after_s=NOW)))
    check("bound by a disabled key", bound_before, invalid, keyring=ring(EDDSA, STATE_BINDING, older.jwk(purpose="state-binding", status="disabled")))
    check("bound by a key of another purpose", bound_before, invalid, keyring=ring(EDDSA, STATE_BINDING, older.jwk(purpose="csrf", status="primary")))
    check("signed by a key that still verifies", minted(EDDSA, "reset", "ann", "hash-1"), {"ok": True}, keyring=ring(ES256, STATE_BINDING, EDDSA.jwk(purpose="token", status="verify-only")))
    check("signed by a disabled key", minted(EDDSA, "reset", "ann", "hash-1"), invalid, keyring=ring(ES256, STATE_BINDING, EDDSA.jwk(purpose="token", status="disabled")))
    yield suite
