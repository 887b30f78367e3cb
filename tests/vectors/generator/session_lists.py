"""Lists and log-outs; and everything, at random (docs/sessions.md)."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from .jose import b64u
from .keys import stream
from .session_records import (
    COOKIE,
    DEVICE_1,
    DEVICE_2,
    PLAIN_RING,
    SEALED_RING,
    TAG,
    Entropy,
    Entry,
    Record,
    Ring,
    State,
    id_hash,
    sealed,
)
from .session_rules import MUST, UNKNOWN
from .session_users import (
    CHROME,
    DAY,
    ELSEWHERE,
    FIREFOX,
    HOME,
    HOUR,
    NOW_MS,
    ROTATED,
    SOURCE,
    User,
    handle,
    ident,
)
from .suite import Case, Suite, refusal


def suites() -> Iterator[Suite]:
    yield lists()
    yield at_random()


def lists() -> Suite:
    suite = Suite("session-lists", "The list of a user's sign-ins, and log-outs: one, the others, all.", SOURCE)
    for name, ring, config in (("", PLAIN_RING, {}), (", sealed", SEALED_RING, {"sealed": True})):

        def fresh(title: str, ring: Ring = ring, config: Case = config, name: str = name) -> tuple[User, list[str], str]:
            ann = User(suite, title + name, ring=ring, config=config)
            ids = [ann.create(NOW_MS, label="Laptop", data=b"\xff\x00"), ann.create(NOW_MS + 1, address="2001:db8:1:2::3", user_agent="", label="\"quoted\" \\ \u4e2d")]
            return ann, ids, ann.begin(NOW_MS + 2, address="", label="App")

        ann, ids, family = fresh("listed")
        for current, which in (("", None), (ids[0], 0), (ids[1], 1), (handle(ids[1]), 1), (family, 2), (family[:-1], None), ("somewhere", None), (ident(ann, 9), None), (handle(ident(ann, 9)), None), ("A" * 64, None)):
            ann.list(NOW_MS + 10, current, created_ms=[NOW_MS, NOW_MS + 1, NOW_MS + 2], kind=["cookie", "cookie", "tokens"], current=[number == which for number in range(3)])
        ann.list(NOW_MS + 8 * HOUR, created_ms=[NOW_MS + 1, NOW_MS + 2])
        ann.list(NOW_MS + 7 * DAY, created_ms=[NOW_MS + 2])
        ann.list(NOW_MS + 8 * DAY, created_ms=[])
        ann.list(0, created_ms=[NOW_MS, NOW_MS + 1, NOW_MS + 2])
        ann.since = NOW_MS + 1
        ann.list(NOW_MS + 10, created_ms=[NOW_MS + 1, NOW_MS + 2])
        ann.since = 0
        ann.subject = "bob"
        ann.list(NOW_MS + 10, created_ms=[])

        ann, ids, family = fresh("one goes, by its handle")
        ann.revoke("one", handle(ids[0]), NOW_MS + 10, status="ok", write=MUST)
        ann.check(ids[0], NOW_MS + 10, status="invalid_session", reason=UNKNOWN)
        ann.check(ids[1], NOW_MS + 10, address="2001:db8:1:2::3", user_agent="", status="ok")
        ann.revoke("one", handle(ids[0]), NOW_MS + 10, status="invalid_session", reason=UNKNOWN, write=0)
        ann.revoke("one", family, NOW_MS + 10, status="ok", write=MUST)
        ann.refresh(family, 0, NOW_MS + 10, status="revoked", reason=UNKNOWN)
        ann.revoke("one", ids[1], NOW_MS + 10, status="ok", write=MUST, record=b"", keep_ms=0)
        ann.revoke("one", ids[1], NOW_MS + 10, status="invalid_session", reason=UNKNOWN, write=0)
        ann, ids, family = fresh("a handle that is none")
        for text in ("somewhere", handle(ids[0])[:-1], handle(ids[0]) + "A", ids[0][:-1], ident(ann, 9), handle(ident(ann, 9)), "A" * 22, "A" * 64, handle(ids[0]).swapcase()):
            for what in ("one", "others"):
                ann.revoke(what, text, NOW_MS + 10, status="invalid_session", reason=UNKNOWN, write=0)
        ann, ids, family = fresh("what ran out is not there")
        ann.revoke("one", handle(ids[0]), NOW_MS + 8 * HOUR, status="invalid_session", reason=UNKNOWN, write=0)
        ann.revoke("others", handle(ids[0]), NOW_MS + 8 * HOUR, status="invalid_session", reason=UNKNOWN, write=0)
        assert len(ann.revoke("others", family, NOW_MS + 8 * HOUR, status="ok", write=MUST).revoked) == 1
        ann, ids, family = fresh("the others go")
        assert len(ann.revoke("others", ids[1], NOW_MS + 10, status="ok", write=MUST).revoked) == 2
        ann.revoke("others", handle(ids[1]), NOW_MS + 10, status="ok", write=0)
        ann.check(ids[1], NOW_MS + 11, address="2001:db8:1:2::3", user_agent="", status="ok")
        ann.check(ids[0], NOW_MS + 11, status="invalid_session", reason=UNKNOWN)
        ann, ids, family = fresh("the others go, a family stays")
        assert len(ann.revoke("others", family, NOW_MS + 10, status="ok", write=MUST).revoked) == 2
        ann.refresh(family, 0, NOW_MS + 11, status="ok")
        ann, ids, family = fresh("all go")
        assert len(ann.revoke("all", "", NOW_MS + 10, status="ok", write=MUST, record=b"", keep_ms=0).revoked) == 3
        ann.check(ids[0], NOW_MS + 11, status="invalid_session", reason=UNKNOWN)
        ann.refresh(family, 0, NOW_MS + 11, status="revoked", reason=UNKNOWN)
        ann.revoke("all", "", NOW_MS + 12, status="ok", write=0)
        ann, ids, family = fresh("all go, though some ran out")
        assert len(ann.revoke("all", "", NOW_MS + 8 * HOUR, status="ok", write=MUST, is_written=False).revoked) == 2
        assert len(ann.revoke("all", "", NOW_MS + 99 * DAY, status="ok", write=MUST).revoked) == 0
        ann, ids, family = fresh("a record that is damaged")
        whole = ann.stored
        for what, stored in {"cut": whole[:-1], "a byte behind": whole + b"\x00", "zeros": bytes(100), "a byte": b"\x01"}.items():
            ann.title, ann.stored = f"a record that is damaged: {what}{name}", stored
            ann.list(NOW_MS + 10, created_ms=[])
            ann.revoke("one", ids[0], NOW_MS + 10, status="invalid_session", reason=UNKNOWN, write=0)
            ann.revoke("others", ids[0], NOW_MS + 10, status="invalid_session", reason=UNKNOWN, write=0)
            ann.revoke("all", "", NOW_MS + 10, status="ok", write=MUST, record=b"", revoked=[], is_written=False)
        for rotated in (ring, replace(ring, device=((DEVICE_1, "verify-only"), (DEVICE_2, "primary")))):
            ann, ids, family = fresh(f"who logs out says an id, and not who it is, {len(rotated.device)} keys")
            ann.ring = rotated
            assert [gone["subject"] for gone in ann.revoke("one", ids[0], NOW_MS + 10, subject="", status="ok", write=MUST, is_written=False).revoked] == ["ann"]
            assert len(ann.revoke("others", ids[0], NOW_MS + 10, subject="", status="ok", write=MUST).revoked) == 2
            ann.revoke("one", ids[1], NOW_MS + 10, subject="", status="invalid_session", reason=UNKNOWN, write=0)
            ann.revoke("one", handle(ids[0]), NOW_MS + 10, subject="", status="invalid_session", reason=UNKNOWN, write=0)
            ann.ring = replace(ring, device=((DEVICE_1, "destroyed"), (DEVICE_2, "primary")))
            ann.revoke("one", ids[0], NOW_MS + 10, subject="", status="invalid_session", write=0)
            ann.ring = replace(ring, device=((DEVICE_1, "disabled"), (DEVICE_2, "primary")))
            ann.revoke("one", ids[0], NOW_MS + 10, subject="", status="ok", write=MUST)
        forged = PLAIN_RING.tags("bob")[0] + stream("forged", 32)
        plain = bytes(Record("ann", (Entry(COOKIE, id_hash(forged), NOW_MS, NOW_MS),)))
        ann = User(suite, f"who logs out has an id of another{name}", ring=ring, config=config)
        ann.stored = sealed(ring, forged[:TAG], plain, Entropy("sealing a forged one")) if config else plain
        ann.revoke("one", b64u(forged), NOW_MS + 10, subject="", status="invalid_session", write=0)
        bob = User(suite, f"ann's record, and bob's name{name}", ring=ring, config=config, subject="bob", stored=whole)
        bob.revoke("one", ids[0], NOW_MS + 10, status="invalid_session", reason=UNKNOWN, write=0)
        bob.revoke("all", "", NOW_MS + 10, status="ok", write=MUST, record=b"", revoked=[])
    nothing = User(suite, "nothing is stored")
    nothing.list(NOW_MS, created_ms=[])
    for what in ("one", "others"):
        nothing.revoke(what, ident(nothing, 1), NOW_MS, status="invalid_session", reason=UNKNOWN, write=0)
    nothing.revoke("all", "", NOW_MS, status="ok", write=0)
    for op, more in {"session_list": {"current": ""}, "session_revoke": {"which": "all", "handle": ""}}.items():
        request = nothing.request(op, record_hex="", subject="ann", now_ms=NOW_MS, store_since_ms=0) | more
        for name, change, error in (("a time before 1970", {"now_ms": -1}, "invalid_argument"), ("a store from before 1970", {"store_since_ms": -1}, "invalid_argument"), ("a subject of 1,025 bytes", {"subject": "s" * 1025}, "too_large")):
            suite.add(f"{op} with {name}", request | change, refusal(error))
    suite.add("revoking some", nothing.request("session_revoke", record_hex="", subject="ann", which="some", handle="", now_ms=NOW_MS, store_since_ms=0), refusal("bad_request"))
    return suite


def at_random() -> Suite:
    suite = Suite("session-random", "Hundreds of steps of two users, at random, held against lists and one `if` after the other.", SOURCE)
    for title, ring, config, steps in (
        ("as configured by default", PLAIN_RING, {}, 200),
        ("short and strict", PLAIN_RING, {"idle_timeout_s": 40, "absolute_timeout_s": 100, "touch_interval_s": 5, "max_per_user": 3, "user_agent": {"on_change": "invalidate"}, "family_lifetime_s": 120, "family_idle_timeout_s": 50, "refresh_grace_ms": 4000}, 250),
        ("refusing, and asking again", ROTATED, {"idle_timeout_s": 60, "absolute_timeout_s": 90, "touch_interval_s": 10, "max_per_user": 2, "at_limit": "refuse", "address": {"on_change": "step_up", "ipv4_prefix": 32}, "user_agent": {"on_change": "step_up"}, "family_lifetime_s": 90, "family_idle_timeout_s": 90}, 200),
        ("sealed", SEALED_RING, {"sealed": True, "idle_timeout_s": 40, "absolute_timeout_s": 100, "touch_interval_s": 5, "address": {"on_change": "report"}, "family_lifetime_s": 120, "family_idle_timeout_s": 50}, 120),
    ):  # fmt: skip
        walk(suite, title, ring, config, steps)
    return suite


def walk(suite: Suite, title: str, ring: Ring, config: Case, steps: int) -> None:
    chance = random.Random(title)
    users = [User(suite, f"{title}: {subject}", ring=ring, config=config, subject=subject) for subject in ("ann", "bob")]
    ids: dict[str, list[str]] = {user.subject: [] for user in users}
    held: dict[str, list[Any]] = {user.subject: [] for user in users}
    older: dict[str, list[bytes]] = {user.subject: [b""] for user in users}
    now, since = NOW_MS, 0
    for _ in range(steps):
        user = chance.choice(users)
        now += chance.choice((0, 0, 1, 500, 3_000, 3_000, 9_000, 20_000, -2_000, -7_000))
        if chance.random() < 0.02:
            since = now - chance.choice((0, 5_000, 60_000))
        user.since = since
        mine, families, stores = ids[user.subject], held[user.subject], older[user.subject]
        place: dict[str, Any] = {"address": chance.choice((HOME, HOME, HOME, "192.0.2.99", ELSEWHERE, "2001:db8::7", "")), "user_agent": chance.choice((FIREFOX, FIREFOX, FIREFOX, CHROME, ""))}
        text = chance.choice(mine[-4:] or ["A" * 64])
        family: Any = chance.choice(families[-3:]) if families else [b64u(bytes(16)), 0]
        is_written = chance.random() < 0.95
        step = chance.choices(("create", "check", "rotate", "begin", "refresh", "list", "one", "others", "all", "foreign", "older", "damaged"), (14, 34, 8, 7, 18, 4, 4, 2, 1, 3, 1, 1))[0]
        if step == "create":
            made = user.create(now, label=chance.choice(("", "Laptop", "\u4e2d\x00")), data=stream("walk", chance.choice((0, 3))), is_written=is_written, **place)
            mine += [made] if made and is_written else []
        elif step == "check":
            user.check(text, now, is_written=is_written, **place)
        elif step == "rotate":
            made = user.rotate(text, now, data=stream("walk", chance.choice((0, 5))), **place)
            mine += [made] if made else []
        elif step == "begin":
            made = user.begin(now, is_written=is_written, **place)
            families += [[made, 0]] if made and is_written else []
        elif step == "refresh":
            generation = max(0, family[1] - chance.choice((0, 0, 0, 0, 1, 2, -1)))
            verdict = user.refresh(family[0], generation, now, issued_at_s=now // 1000 - chance.choice((0, 30)), is_written=is_written, **place)
            if verdict.status == "ok" and is_written:
                family[1] = State.read(verdict.state).generation
        elif step == "list":
            user.list(now, chance.choice((text, family[0], "")))
        elif step in {"one", "others"}:
            user.revoke(step, chance.choice((text, handle(text), family[0])), now, is_written=is_written)
        elif step == "all":
            user.revoke("all", "", now)
        elif step == "foreign":
            other = users[0] if user is users[1] else users[1]
            user.check(chance.choice(ids[other.subject] or ["A" * 64]), now, **place)
        elif step == "older":
            user.stored = chance.choice(stores)
        else:
            user.stored = user.stored[:-1]
        stores.append(user.stored)
