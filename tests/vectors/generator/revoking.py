"""Revocation records, their keys and the store's marker: all of the formats, and what is decided by them."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import Any

from .jose import b64u, lp

KINDS = {"token": 1, "family": 2, "subject": 3, "key": 4}
NEVER = -(2**63)
LATEST = 2**63 - 1
DEFAULT_SKEW_S = 2
DEFAULT_LONGEST_TTL_S = 2_592_000
# A verifier may still take a token this long after its end.
MAX_LEEWAY_S = 300
MAX_ID_LEN = 1024
# How long a store keeps a record after the record's own end.
MARGIN_MS = 60_000
# And how long at most: 100 years.
LONGEST_KEEP_MS = 3_155_760_000_000
MARKER_KEEP_MS = LONGEST_KEEP_MS // 10
ALIVE_EVERY_MS = 1000
# How far clocks may be apart that share a store.
MAX_AHEAD_MS = 300_000
MAX_COUNT = 2**56 - 1

MARKER_REASONS = ("", "missing", "damaged", "rolled back", "silent")


class Damaged(Exception):
    """Bytes that are no record, or the record of something else."""


def clamped(number: int) -> int:
    return max(NEVER, min(LATEST, number))


# ---- keys ----


def short_hash(text: str) -> str:
    return b64u(hashlib.sha256(text.encode()).digest()[:16])


def tag(device_secret: bytes, subject: str) -> str:
    """What stands for a user in the keys of a store."""
    return b64u(hmac.new(device_secret, lp("donjon/user/v1") + lp(subject), hashlib.sha256).digest()[:16])


def place(user: str, kind: str, name: str = "") -> str:
    """Where a record of this kind lies; `user` is the tag."""
    if kind == "subject":
        return "{" + user + "}:revoked:since"
    return f"revoked:key:{short_hash(name)}" if kind == "key" else "{" + user + "}:revoked:" + kind + ":" + short_hash(name)


@dataclass(frozen=True)
class Token:
    """What of a token revocation is about; empty is none."""

    subject: str = "ann"
    token_id: str = ""
    family: str = ""
    key_id: str = ""

    def lookups(self, device_secrets: list[bytes]) -> list[tuple[str, str, str]]:
        """Each key that is read, with the kind and the id of what it would hold; the secrets are the primary first."""
        users = [tag(secret, self.subject) for secret in device_secrets]
        named = [("subject", self.subject), ("token", self.token_id), ("family", self.family)]
        own = [(place(user, kind, name), kind, name) for kind, name in named if name for user in users]
        return own + ([(place("", "key", self.key_id), "key", self.key_id)] if self.key_id else [])


# ---- records ----


def record(kind: str, name: str, until_s: int, since_s: int = 0) -> bytes:
    """Version, kind, when it may be forgotten, since when (of a subject), whose it is."""
    return bytes([1, KINDS[kind]]) + until_s.to_bytes(8, "big", signed=True) + since_s.to_bytes(8, "big", signed=True) + name.encode()


def read_record(stored: bytes, kind: str, name: str) -> tuple[int, int]:
    """The end and the beginning of a record of this kind that is about this id."""
    until_s, since_s = (int.from_bytes(stored[at : at + 8], "big", signed=True) for at in (2, 10))
    if len(name.encode()) > MAX_ID_LEN or stored != record(kind, name, until_s, since_s if kind == "subject" else 0):
        raise Damaged
    return until_s, since_s


def store_since_s(store_since_ms: int, skew_s: int) -> int:
    """The first second whose tokens a store knows of: as if everybody had been logged out when it began."""
    return store_since_ms // 1000 + skew_s + 1 if store_since_ms else 0


def is_revoked(token: Token, device_secrets: list[bytes], values: list[bytes], issued_at_s: int, since_ms: int, skew_s: int = DEFAULT_SKEW_S) -> bool:
    """Whether a token of this time is refused by what lies under its keys."""
    if issued_at_s < store_since_s(since_ms, skew_s):
        return True
    for (_, kind, name), stored in zip(token.lookups(device_secrets), values, strict=True):
        if not stored:
            continue
        try:
            since_s = read_record(stored, kind, name)[1]
        except Damaged:
            return True
        if kind != "subject" or issued_at_s <= since_s + skew_s:
            return True
    return False


def issue_since(subject: str, values: list[bytes], since_ms: int, skew_s: int = DEFAULT_SKEW_S) -> int | None:
    """What an issuer is told, which stamps three seconds later: so that the token is neither too old for a log-out nor for the store."""
    wanted = [read_record(stored, "subject", subject)[1] + skew_s + 1 for stored in values if stored]
    if since_ms:
        wanted.append(store_since_s(since_ms, skew_s))
    return clamped(max(wanted) - DEFAULT_SKEW_S - 1) if wanted else None


def revoke(kind: str, name: str, stored: bytes, until_s: int | None, now_ms: int, since_ms: int = 0, skew_s: int = DEFAULT_SKEW_S, longest_ttl_s: int = DEFAULT_LONGEST_TTL_S) -> dict[str, Any]:
    """What is written over `stored`, and how long it is kept."""
    now_s = max(now_ms, 0) // 1000
    try:
        stored_until_s, stored_since_s = read_record(stored, kind, name)
    except Damaged:
        stored_until_s = stored_since_s = NEVER
    if kind == "subject":
        # What was stamped because the store began anew is taken back as well.
        since_s = clamped(max(now_s, stored_since_s + 1, store_since_s(since_ms, skew_s) - skew_s))
        end_s = clamped(since_s + skew_s + longest_ttl_s + MAX_LEEWAY_S)
    else:
        since_s = 0
        end_s = clamped((now_s + longest_ttl_s if until_s is None else until_s) + MAX_LEEWAY_S)
    end_s = max(end_s, stored_until_s)
    keep_ms = min(max(clamped(end_s * 1000) - max(now_ms, 0), 0) + MARGIN_MS, LONGEST_KEEP_MS)
    return {"value_hex": record(kind, name, end_s, since_s).hex(), "keep_ms": keep_ms}


# ---- the store's marker ----


class ClockBehind(Exception):
    """The store's knowledge begins in the future: one of the clocks is wrong."""


def marker(count: int, since_ms: int, alive_ms: int) -> bytes:
    return bytes([1]) + count.to_bytes(7, "big") + since_ms.to_bytes(8, "big", signed=True) + alive_ms.to_bytes(8, "big", signed=True)


def read_marker(stored: bytes) -> tuple[int, int, int]:
    count = int.from_bytes(stored[1:8], "big")
    since_ms, alive_ms = (int.from_bytes(stored[at : at + 8], "big", signed=True) for at in (8, 16))
    if stored != marker(count, since_ms, alive_ms) or not 0 <= since_ms <= alive_ms:
        raise Damaged
    return count, since_ms, alive_ms


def store_marker(stored: bytes, seen: bytes, max_silence_ms: int, now_ms: int) -> dict[str, Any]:
    """What a store's marker says of the store, and what is written."""
    ahead_ms = now_ms + MAX_AHEAD_MS
    seen_count, seen_since_ms, _ = read_marker(seen) if seen else (0, None, 0)
    try:
        count, since_ms, alive_ms = read_marker(stored)
    except Damaged:
        count = since_ms = alive_ms = 0
        reason = "damaged" if stored else "missing"
    else:
        if since_ms > ahead_ms:
            raise ClockBehind
        # Each write counts on, so that two markers of one count are of two histories.
        is_other = bool(seen) and count == seen_count and stored != seen
        reason = "rolled back" if count < seen_count or is_other else "silent" if now_ms - alive_ms > max_silence_ms else ""
    write = 0
    if reason:
        # Later than the beginning that was seen, also in one second: tokens are stamped in seconds.
        later_ms = seen_since_ms + 1000 if seen_since_ms is not None and seen_since_ms <= ahead_ms else 0
        since_ms = alive_ms = max(now_ms, later_ms)
        write = 1
    elif now_ms - alive_ms >= ALIVE_EVERY_MS or alive_ms > ahead_ms:
        alive_ms = max(now_ms, since_ms)
        write = 2
    if write:
        count = min(max(count, seen_count) + 1, MAX_COUNT)
    return {"marker_hex": marker(count, since_ms, alive_ms).hex(), "since_ms": since_ms, "keep_ms": MARKER_KEEP_MS, "write": write, "reason": MARKER_REASONS.index(reason)}
