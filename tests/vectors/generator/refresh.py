"""Refresh rotation and the refresh of key sets (FORMATS.md, Refresh families; ATTACKS.md 7 and 20)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .jose import b64u
from .keys import stream
from .suite import NOW, Suite, refusal

NOW_MS = NOW * 1000
GRACE_MS = 10_000
FAMILY = stream("family", 16)
OTHER = stream("another family", 16)


def suites() -> Iterator[Suite]:
    yield families()
    yield key_sets()


def state(generation: int, rotated_ms: int = NOW_MS, *, revoked: bool = False, family: bytes = FAMILY) -> bytes:
    """32 bytes: version, flags, two zeros, generation, time of the last rotation, family; big-endian."""
    return bytes([1, revoked, 0, 0]) + generation.to_bytes(4, "big") + rotated_ms.to_bytes(8, "big") + family


def families() -> Suite:
    suite = Suite("refresh", "What a refresh token that was presented leads to.", "FORMATS.md, Refresh families; ATTACKS.md 20")

    def rotate(name: str, stored: bytes | None, generation: int, now_ms: int, answer: dict[str, Any], grace_ms: int = GRACE_MS, family: bytes | str = FAMILY) -> None:
        request = {
            "op": "refresh_rotate", "state_hex": None if stored is None else stored.hex(), "family": family if isinstance(family, str) else b64u(family),
            "generation": generation, "now_ms": now_ms, "grace_ms": grace_ms,
        }
        suite.add(name, request, answer, 20)

    def moves(after: bytes) -> dict[str, Any]:
        return {"ok": True, "status": "ok", "changed": True, "state_hex": after.hex()}

    def repeats(stored: bytes) -> dict[str, Any]:
        return {"ok": True, "status": "ok", "changed": False, "state_hex": stored.hex()}

    def reuse(stored: bytes) -> dict[str, Any]:
        return {"ok": True, "status": "reuse_detected", "changed": True, "state_hex": (stored[:1] + b"\x01" + stored[2:]).hex()}

    stale = {"ok": True, "status": "state_stale", "changed": False}
    revoked = {"ok": True, "status": "revoked", "changed": False}

    rotate("the first token rotates", state(0), 0, NOW_MS + 5, moves(state(1, NOW_MS + 5)))
    rotate("the live token rotates", state(7), 7, NOW_MS + 60_000, moves(state(8, NOW_MS + 60_000)))
    rotate("the live token rotates without any grace", state(7), 7, NOW_MS + 5, moves(state(8, NOW_MS + 5)), grace_ms=0)
    rotate("the live token rotates a year later", state(7), 7, NOW_MS + 365 * 86_400_000, moves(state(8, NOW_MS + 365 * 86_400_000)))
    rotate("the one before it, in the same millisecond, has the same successor", state(8), 7, NOW_MS, repeats(state(8)))
    rotate("the one before it within the grace has the same successor", state(8), 7, NOW_MS + 5_000, repeats(state(8)))
    rotate("the one before it at the end of the grace", state(8), 7, NOW_MS + GRACE_MS, repeats(state(8)))
    rotate("the one before it a millisecond after the grace is reuse", state(8), 7, NOW_MS + GRACE_MS + 1, reuse(state(8)))
    rotate("the one before it a day later is reuse", state(8), 7, NOW_MS + 86_400_000, reuse(state(8)))
    rotate("the one before it without any grace, a millisecond later, is reuse", state(8), 7, NOW_MS + 1, reuse(state(8)), grace_ms=0)
    rotate("an older one is reuse, even within the grace", state(8), 6, NOW_MS, reuse(state(8)))
    rotate("the very first one is reuse", state(8), 0, NOW_MS, reuse(state(8)))
    rotate("a token ahead of the store: it went back in time", state(8), 9, NOW_MS, stale)
    rotate("a token far ahead of the store", state(8), 4_000_000_000, NOW_MS, stale)
    rotate("the store knows nothing", None, 0, NOW_MS, stale)
    rotate("the store knows nothing of a later one", None, 9, NOW_MS, stale)
    for generation in (0, 7, 8, 9):
        rotate(f"the family was revoked: generation {generation} within the grace", state(8, revoked=True), generation, NOW_MS, revoked)
        rotate(f"the family was revoked: generation {generation} long after", state(8, revoked=True), generation, NOW_MS + 10**9, revoked)
    rotate("the family was revoked at its first token", state(0, revoked=True), 0, NOW_MS, revoked)
    rotate("another family's state", state(8, family=OTHER), 8, NOW_MS, stale)
    rotate("another family's revoked state", state(8, family=OTHER, revoked=True), 8, NOW_MS, stale)
    for name, family in {"empty": "", "cut short": b64u(FAMILY)[:-1], "padded": b64u(FAMILY) + "==", "with trailing bits": b64u(FAMILY)[:-1] + ("B" if b64u(FAMILY)[-1] != "B" else "C"), "in hexadecimal": FAMILY.hex(), "a word": "family"}.items():
        rotate(f"a family id that is {name}", state(8), 8, NOW_MS, stale, family=family)
    rotate("a clock that went back revokes nobody", state(8), 7, NOW_MS - 86_400_000, repeats(state(8)))
    rotate("a clock that was ahead is forgotten at the next rotation", state(8), 8, NOW_MS - 86_400_000, moves(state(9, NOW_MS - 86_400_000)))
    rotate("a clock at its end does not wrap", state(8), 8, 2**63 - 1, moves(state(9, 2**63 - 1)))
    rotate("a clock before 1970 does not wrap", state(8), 7, -(2**63), repeats(state(8)))
    rotate("the last generation of all", state(2**32 - 1), 2**32 - 1, NOW_MS, stale)
    rotate("the last rotation of all", state(2**32 - 2), 2**32 - 2, NOW_MS, moves(state(2**32 - 1)))
    rotate("the longest grace", state(8), 7, NOW_MS + 300_000, repeats(state(8)), grace_ms=300_000)
    for name, grace in {"negative": -1, "over five minutes": 300_001, "a year": 31_536_000_000, "the greatest of 64 bits": 2**63 - 1}.items():
        rotate(f"a grace that is {name}", state(8), 8, NOW_MS, refusal("invalid_argument"), grace_ms=grace)
    good = state(8)
    corrupt = {
        "empty text": b"", "one byte": good[:1], "one byte short": good[:-1], "one byte long": good + b"\0", "all zero": bytes(32), "all ones": b"\xff" * 32,
        "another version": b"\x02" + good[1:], "an unknown flag": good[:1] + b"\x02" + good[2:], "something in the zeros": good[:2] + b"\x01" + good[3:], "a negative time": good[:8] + b"\x80" + good[9:],
    }
    for name, text in corrupt.items():
        # No state at all is how a store says that it knows nothing.
        answer = stale if text == b"" else refusal("malformed|invalid_argument")
        suite.add(f"a corrupt state: {name}", {"op": "refresh_rotate", "state_hex": text.hex(), "family": b64u(FAMILY), "generation": 8, "now_ms": NOW_MS, "grace_ms": GRACE_MS}, answer, 20)
    return suite


def jwks_state(failures: int = 0, attempted_ms: int = -1, fetched_ms: int = -1) -> bytes:
    """24 bytes: version, failures in a row, six zeros, last attempt, last success; -1 is never; big-endian."""
    return bytes([1, failures, 0, 0, 0, 0, 0, 0]) + attempted_ms.to_bytes(8, "big", signed=True) + fetched_ms.to_bytes(8, "big", signed=True)


def key_sets() -> Suite:
    suite = Suite("jwks_refresh", "When a key set is fetched: an unknown key id is no reason to fetch more often than the cooldown lets.", "ATTACKS.md 7")
    cooldown, max_age = 30_000, 600_000

    def decide(name: str, stored: bytes | None, event: str, now_ms: int, answer: dict[str, Any], **policy: int) -> None:
        request = {"op": "jwks_refresh", "state_hex": None if stored is None else stored.hex(), "event": event, "now_ms": now_ms, "cooldown_ms": cooldown, "max_age_ms": max_age}
        suite.add(name, request | policy, answer, 7)

    def yes(after: bytes) -> dict[str, Any]:
        return {"ok": True, "fetch": True, "retry_after_ms": 0, "state_hex": after.hex()}

    def no(wait_ms: int, after: bytes) -> dict[str, Any]:
        return {"ok": True, "fetch": False, "retry_after_ms": wait_ms, "state_hex": after.hex()}

    for event in ("unknown_key", "periodic"):
        decide(f"{event}: the first time", None, event, NOW_MS, yes(jwks_state(0, NOW_MS)))
        decide(f"{event}: right after an attempt", jwks_state(0, NOW_MS), event, NOW_MS, no(cooldown, jwks_state(0, NOW_MS)))
        decide(f"{event}: a millisecond before the cooldown ends", jwks_state(0, NOW_MS), event, NOW_MS + cooldown - 1, no(1, jwks_state(0, NOW_MS)))
        decide(f"{event}: when the cooldown ends", jwks_state(0, NOW_MS), event, NOW_MS + cooldown, yes(jwks_state(0, NOW_MS + cooldown)))
        for failures in (1, 2, 5, 6, 255):
            wait = cooldown << min(failures, 5)
            decide(f"{event}: {failures} failures in a row, just before the longer cooldown ends", jwks_state(failures, NOW_MS), event, NOW_MS + wait - 1, no(1, jwks_state(failures, NOW_MS)))
            decide(f"{event}: {failures} failures in a row, when it ends", jwks_state(failures, NOW_MS), event, NOW_MS + wait, yes(jwks_state(failures, NOW_MS + wait)))
    fresh = jwks_state(0, NOW_MS, NOW_MS)
    decide("unknown_key: a young set, after the cooldown", fresh, "unknown_key", NOW_MS + cooldown, yes(jwks_state(0, NOW_MS + cooldown, NOW_MS)))
    decide("unknown_key: a young set, within the cooldown", fresh, "unknown_key", NOW_MS + 1, no(cooldown - 1, fresh))
    decide("periodic: a young set, after the cooldown", fresh, "periodic", NOW_MS + cooldown, no(max_age - cooldown, fresh))
    decide("periodic: a millisecond before it is old", fresh, "periodic", NOW_MS + max_age - 1, no(1, fresh))
    decide("periodic: it is old", fresh, "periodic", NOW_MS + max_age, yes(jwks_state(0, NOW_MS + max_age, NOW_MS)))
    decide("fetched: the failures are forgotten", jwks_state(3, NOW_MS), "fetched", NOW_MS + 5, no(cooldown, jwks_state(0, NOW_MS + 5, NOW_MS + 5)))
    decide("failed: the first", jwks_state(0, NOW_MS), "failed", NOW_MS + 5, no(cooldown * 2, jwks_state(1, NOW_MS + 5)))
    decide("failed: once more", jwks_state(1, NOW_MS), "failed", NOW_MS + 5, no(cooldown * 4, jwks_state(2, NOW_MS + 5)))
    decide("failed: the count does not wrap", jwks_state(255, NOW_MS), "failed", NOW_MS + 5, no(cooldown * 32, jwks_state(255, NOW_MS + 5)))
    decide("failed: the last good fetch is remembered", fresh, "failed", NOW_MS + 5, no(cooldown * 2, jwks_state(1, NOW_MS + 5, NOW_MS)))
    decide("a clock that went back waits one cooldown, not until it has caught up", jwks_state(0, NOW_MS + 10**9, NOW_MS + 10**9), "unknown_key", NOW_MS, no(cooldown, jwks_state(0, NOW_MS, NOW_MS)))
    decide("a clock at its end does not wrap", fresh, "unknown_key", 2**63 - 1, yes(jwks_state(0, 2**63 - 1, NOW_MS)))
    century = 3_155_760_000_000  # no duration is configured longer than 100 years of 365.25 days
    decide("a cooldown of 100 years, doubled five times, does not wrap", jwks_state(5, NOW_MS), "unknown_key", NOW_MS, no(century * 32, jwks_state(5, NOW_MS)), cooldown_ms=century)
    decide("an age of 100 years", fresh, "periodic", NOW_MS, no(century, fresh), max_age_ms=century)
    policies = {
        "no cooldown": {"cooldown_ms": 0}, "a negative cooldown": {"cooldown_ms": -1}, "a cooldown over 100 years": {"cooldown_ms": century + 1}, "a cooldown of the greatest of 64 bits": {"cooldown_ms": 2**63 - 1},
        "no age": {"max_age_ms": 0}, "a negative age": {"max_age_ms": -1}, "an age over 100 years": {"max_age_ms": century + 1}, "an age of the greatest of 64 bits": {"max_age_ms": 2**63 - 1},
    }
    for name, policy in policies.items():
        decide(f"a policy with {name}", None, "unknown_key", NOW_MS, refusal("invalid_argument"), **policy)
    corrupt = {"one byte": fresh[:1], "one byte short": fresh[:-1], "one byte long": fresh + b"\0", "all zero": bytes(24), "all ones": b"\xff" * 24, "another version": b"\x02" + fresh[1:], "something in the zeros": fresh[:2] + b"\x01" + fresh[3:], "a time before 1970": fresh[:8] + b"\xff" * 7 + b"\xfe" + fresh[16:]}
    for name, text in corrupt.items():
        decide(f"a corrupt state: {name}", text, "unknown_key", NOW_MS, refusal("malformed|invalid_argument"))
    return suite
