"""Log-ins by tokens in the record of sign-ins (docs/sessions.md, Refresh families; ATTACKS.md 20)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from .jose import b64u
from .keys import stream
from .session_records import (
    DEVICE_1,
    DEVICE_2,
    KEK_1,
    KEK_2,
    PLAIN_RING,
    SEALED_RING,
    TOKENS,
    Entry,
    Record,
    Ring,
    State,
)
from .session_rules import ABSOLUTE, FOREIGN, IDLE, MAY, MUST, STORE, UNKNOWN
from .session_users import (
    CHROME,
    DAY,
    ELSEWHERE,
    FIREFOX,
    HOME,
    HOUR,
    MINUTE,
    NOW_MS,
    SOURCE,
    User,
    handle,
)
from .suite import NOW, Suite, refusal


def suites() -> Iterator[Suite]:
    yield families()


def families() -> Suite:
    suite = Suite("session-families", "Log-ins by tokens: refreshes, repeats, reuse, and the end.", f"{SOURCE}, Refresh families; ATTACKS.md 20")
    for name, ring, config in (("", PLAIN_RING, {}), (", sealed", SEALED_RING, {"sealed": True}), (", without a grace", PLAIN_RING, {"refresh_grace_ms": 0}), (", the longest grace", PLAIN_RING, {"refresh_grace_ms": 300_000})):
        grace = int(config.get("refresh_grace_ms", 10_000))
        ann = User(suite, f"refreshed{name}", ring=ring, config=config)
        ann.attack = 20
        family = ann.begin(NOW_MS, label="App", data=b"phone", status="ok", write=MUST)
        ann.refresh(family, 0, NOW_MS + 900_000, status="ok", write=MUST)
        ann.refresh(family, 0, NOW_MS + 900_000, status="ok", write=0)
        ann.refresh(family, 0, NOW_MS + 900_000 + grace, status="ok", write=0)
        ann.refresh(family, 1, NOW_MS + 900_000 + grace, status="ok", write=MUST)
        ann.refresh(family, 2, NOW_MS + 900_000 + grace, status="ok", write=MUST)
        ann.refresh(family, 0, NOW_MS + 900_000 + grace, status="reuse_detected", write=MUST, record=b"", keep_ms=0)
        for generation in (0, 1, 2, 3):
            ann.refresh(family, generation, NOW_MS + 900_001 + grace, status="revoked", reason=UNKNOWN, write=0)
    ann = User(suite, "reuse ends the family and no other")
    ann.attack = 20
    text, family, other = ann.create(NOW_MS), ann.begin(NOW_MS), ann.begin(NOW_MS)
    ann.refresh(family, 0, NOW_MS + 100_000, status="ok")
    ann.refresh(family, 0, NOW_MS + 110_001, status="reuse_detected", write=MUST)
    ann.refresh(family, 1, NOW_MS + 110_001, status="revoked")
    ann.refresh(other, 0, NOW_MS + 110_001, status="ok")
    ann.check(text, NOW_MS + 110_001, status="ok")
    ann = User(suite, "two at once")
    ann.attack = 20
    family = ann.begin(NOW_MS)
    first = ann.refresh(family, 0, NOW_MS + 100_000, is_written=False, status="ok")
    second = ann.refresh(family, 0, NOW_MS + 100_001, is_written=False, status="ok")
    ann.stored = first.record
    third = ann.refresh(family, 0, NOW_MS + 100_001, status="ok", write=0)
    assert third.state == first.state != second.state
    ann = User(suite, "a store that went back")
    ann.attack = 20
    family = ann.begin(NOW_MS)
    before = ann.stored
    ann.refresh(family, 0, NOW_MS + 1, status="ok")
    ann.refresh(family, 5, NOW_MS + 2, status="state_stale", reason=UNKNOWN, write=0)
    ann.stored = before
    ann.refresh(family, 1, NOW_MS + 3, status="state_stale", reason=UNKNOWN, write=0)
    for since, issued, status, reason in (
        (0, NOW, "revoked", UNKNOWN), (0, 0, "revoked", UNKNOWN), (0, -1, "state_stale", STORE), (0, None, "state_stale", STORE), (1, 0, "state_stale", STORE), (1, 1, "revoked", UNKNOWN), (999, 1, "revoked", UNKNOWN), (1000, 1, "state_stale", STORE), (1000, 2, "revoked", UNKNOWN), (NOW_MS, NOW, "state_stale", STORE), (NOW_MS, NOW + 1, "revoked", UNKNOWN), (NOW_MS - 1, NOW, "revoked", UNKNOWN),
        (NOW_MS - 1, NOW - 1, "state_stale", STORE), (NOW_MS + 999, NOW, "state_stale", STORE), (NOW_MS + 999, NOW + 1, "revoked", UNKNOWN),
    ):  # fmt: skip
        ann = User(suite, f"a family that is not there, the store since {since}, the token of {issued}", since=since)
        ann.refresh(b64u(stream("no family", 16)), 3, NOW_MS + 1000, issued_at_s=issued, status=status, reason=reason, write=0)
        ann.create(NOW_MS + 1000)
        ann.refresh(b64u(stream("no family", 16)), 3, NOW_MS + 1000, issued_at_s=issued, status=status, reason=reason, write=0)
    ann = User(suite, "a family from before the store")
    family, text = ann.begin(NOW_MS), ann.create(NOW_MS + 5)
    ann.since = NOW_MS + 1
    ann.refresh(family, 0, NOW_MS + 10, status="state_stale", reason=STORE, write=MAY, is_written=False)
    ann.refresh(family, 0, NOW_MS + 10, issued_at_s=NOW + 5, status="state_stale", reason=STORE, write=MAY)
    ann.check(text, NOW_MS + 10, status="ok")
    lives(suite)
    moved(suite)
    odd(suite)
    return suite


def lives(suite: Suite) -> None:
    ann = User(suite, "unused for a week")
    family = ann.begin(NOW_MS)
    ann.refresh(family, 0, NOW_MS + 7 * DAY - 1, status="ok", is_written=False)
    ann.refresh(family, 0, NOW_MS + 7 * DAY, status="expired", reason=IDLE, write=MAY, record=b"")
    ann.refresh(family, 0, NOW_MS + 7 * DAY, status="revoked", reason=UNKNOWN)
    ann = User(suite, "refreshed every five days, for thirty")
    family = ann.begin(NOW_MS)
    for number, days in enumerate((5, 10, 15, 20, 25)):
        ann.refresh(family, number, NOW_MS + days * DAY, status="ok", keep_ms=min(7 * DAY, 30 * DAY - days * DAY) + MINUTE)
    ann.refresh(family, 5, NOW_MS + 30 * DAY - 1, status="ok", is_written=False)
    ann.refresh(family, 5, NOW_MS + 30 * DAY, status="expired", reason=ABSOLUTE, write=MAY, is_written=False)
    ann.refresh(family, 5, NOW_MS + 40 * DAY, status="expired", reason=ABSOLUTE, is_written=False)
    ann.refresh(family, 1, NOW_MS + 40 * DAY, status="expired", reason=ABSOLUTE)
    ann = User(suite, "a repeat does not keep it alive")
    family = ann.begin(NOW_MS)
    ann.refresh(family, 0, NOW_MS + DAY, status="ok")
    ann.refresh(family, 0, NOW_MS + DAY + 10_000, status="ok", write=0)
    ann.refresh(family, 1, NOW_MS + 8 * DAY, status="expired", reason=IDLE)
    ann = User(suite, "a refresh takes what ran out with it")
    text, family = ann.create(NOW_MS), ann.begin(NOW_MS)
    ann.refresh(family, 0, NOW_MS + DAY, status="ok", write=MUST)
    ann.check(text, NOW_MS + DAY, status="invalid_session", reason=UNKNOWN)
    ann = User(suite, "both of a family's ends at once", config={"family_lifetime_s": 100, "family_idle_timeout_s": 100})
    family = ann.begin(NOW_MS)
    ann.refresh(family, 0, NOW_MS + 99_999, status="ok", is_written=False)
    ann.refresh(family, 0, NOW_MS + 100_000, status="expired", reason=IDLE)
    ann = User(suite, "a refresh under a clock that went back")
    family = ann.begin(NOW_MS)
    ann.refresh(family, 0, NOW_MS + HOUR, status="ok")
    ann.refresh(family, 0, NOW_MS - HOUR, status="ok", write=0)
    ann.refresh(family, 1, NOW_MS - HOUR, status="ok", write=MUST)
    ann.refresh(family, 1, NOW_MS, status="reuse_detected")
    ann = User(suite, "a family that begins under a store that begins later", since=NOW_MS + 5000)
    family = ann.begin(NOW_MS)
    ann.refresh(family, 0, NOW_MS + 10, issued_at_s=NOW + 6, status="ok")
    ann.refresh(family, 1, NOW_MS + 6000, issued_at_s=NOW + 6, status="ok")


def moved(suite: Suite) -> None:
    ann = User(suite, "a telephone moves", config={"address": {"on_change": "invalidate"}, "user_agent": {"on_change": "invalidate"}})
    family = ann.begin(NOW_MS)
    ann.refresh(family, 0, NOW_MS + HOUR, address=ELSEWHERE, status="ok", changes=1)
    ann.refresh(family, 1, NOW_MS + 2 * HOUR, address=ELSEWHERE, status="ok", changes=0)
    ann.refresh(family, 2, NOW_MS + 3 * HOUR, address=ELSEWHERE, user_agent=CHROME, status="ok", changes=2)
    ann.refresh(family, 2, NOW_MS + 3 * HOUR, status="ok", changes=3, write=0)
    ann.refresh(family, 3, NOW_MS + 4 * HOUR, address="", user_agent="", status="ok", changes=3)
    ann.refresh(family, 4, NOW_MS + 5 * HOUR, address=HOME, user_agent=FIREFOX, status="ok", changes=0)
    ann.refresh(family, 5, NOW_MS + 6 * HOUR, address="2001:db8::1", status="ok", changes=1)
    ann.list(NOW_MS + 6 * HOUR, family, network=["2001:db8::/48"], current=[True])


def odd(suite: Suite) -> None:
    ann = User(suite, "another's family")
    ann.attack = 20
    family = ann.begin(NOW_MS)
    bob = User(suite, "ann's family, and bob's subject", subject="bob", stored=ann.stored)
    bob.refresh(family, 0, NOW_MS + 1, status="revoked", reason=FOREIGN, write=0)
    bob.refresh(family, 0, NOW_MS + 1, issued_at_s=-1, status="state_stale", reason=FOREIGN, write=0)
    whole = ann.stored
    for name, stored in {"cut": whole[:-1], "a byte behind": whole + b"\x00", "zeros": bytes(80)}.items():
        broken = User(suite, f"a refresh of a record that is damaged: {name}", stored=stored)
        broken.refresh(family, 0, NOW_MS + 1, status="revoked", reason=FOREIGN, write=0)
    for name, text in {"empty": "", "cut short": family[:-1], "padded": family + "==", "with trailing bits": family[:-1] + ("B" if family[-1] != "B" else "C"), "in hexadecimal": stream("no family", 16).hex(), "a word": "family"}.items():
        ann.title = f"a family id that is {name}"
        ann.refresh(text, 0, NOW_MS + 1, status="revoked", reason=UNKNOWN, write=0)
    ann = User(suite, "a session is no family")
    text = ann.create(NOW_MS)
    ann.refresh(handle(text), 0, NOW_MS + 1, status="revoked", reason=UNKNOWN)
    state = State(stream("the last generation", 16), 2**32 - 1, NOW_MS)

    def of(state: State) -> bytes:
        return bytes(Record("ann", (Entry(TOKENS, bytes(state), NOW_MS, NOW_MS),)))

    ann = User(suite, "the last generation of all", stored=of(state))
    ann.refresh(b64u(state.family), 2**32 - 1, NOW_MS + 1, status="state_stale", write=0)
    ann.refresh(b64u(state.family), 2**32 - 2, NOW_MS + 1, status="ok", write=0)
    ann = User(suite, "the last rotation of all", stored=of(replace(state, generation=2**32 - 2)))
    ann.refresh(b64u(state.family), 2**32 - 2, NOW_MS + 1, status="ok", write=MUST)
    ann = User(suite, "a family whose state says that it was revoked", stored=of(replace(state, generation=8, is_revoked=True)))
    for generation in (7, 8, 9):
        ann.refresh(b64u(state.family), generation, NOW_MS + 1, status="revoked", write=0)
    request = ann.request("session_refresh", record_hex=ann.stored.hex(), subject="ann", family=b64u(state.family), generation=8, issued_at_s=NOW, address=HOME, user_agent=FIREFOX, now_ms=NOW_MS, store_since_ms=0)
    for name, change, error in (
        ("no subject", {"subject": ""}, "invalid_argument"), ("a subject of 1,025 bytes", {"subject": "s" * 1025}, "too_large"), ("a negative generation", {"generation": -1}, "invalid_argument"), ("a generation of 2^32", {"generation": 2**32}, "invalid_argument"), ("a time before 1970", {"now_ms": -1}, "invalid_argument"),
        ("a store from before 1970", {"store_since_ms": -1}, "invalid_argument"), ("an address that is none", {"address": "somewhere"}, "invalid_argument"),
    ):  # fmt: skip
        suite.add(f"refreshing with {name}", request | change, refusal(error))
    for rotated in (PLAIN_RING, Ring(device=((DEVICE_1, "verify-only"), (DEVICE_2, "primary")))):
        ann = User(suite, f"{len(rotated.device)} keys that name users", ring=SEALED_RING, config={"sealed": True})
        family = ann.begin(NOW_MS)
        ann.ring = replace(rotated, envelope=((KEK_1, "verify-only"), (KEK_2, "primary")))
        ann.refresh(family, 0, NOW_MS + 1, status="ok", write=MUST)
        ann.refresh(family, 1, NOW_MS + 1, status="ok", write=MUST)
