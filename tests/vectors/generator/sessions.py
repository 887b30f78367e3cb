"""Sign-ins, step by step: what is decided, and what is stored then (docs/sessions.md; ATTACKS.md 20 and 49 to 53)."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from .envelopes import flipped
from .jose import b64u
from .keys import EDDSA, stream
from .session_records import (
    COOKIE,
    DEVICE_1,
    DEVICE_2,
    DEVICE_3,
    KEK_1,
    KEK_2,
    MAX_DATA,
    MAX_LABEL,
    NO_AGENT,
    PLAIN_RING,
    SEALED_RING,
    TAG,
    TOKENS,
    Entropy,
    Entry,
    Record,
    Ring,
    State,
    agent,
    id_bytes,
    id_hash,
    id_text,
    network,
    parsed,
    raw_record,
    record_key,
    sealed,
)
from .session_rules import ABSOLUTE, ADDRESS, AGENT, FOREIGN, IDLE, MALFORMED, MAY, MUST, STORE, UNKNOWN, Config, Rules, Verdict
from .suite import NOW, Case, Suite, refusal

NOW_MS = NOW * 1000
SECOND, MINUTE, HOUR, DAY = 1000, 60_000, 3_600_000, 86_400_000
SOURCE = "docs/sessions.md"
HOME, ELSEWHERE = "192.0.2.7", "203.0.113.9"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"
ROTATED = Ring(device=((DEVICE_1, "verify-only"), (DEVICE_2, "primary"), (DEVICE_3, "active")))


def suites() -> Iterator[Suite]:
    yield keys()
    yield creating()
    yield checking()
    yield changing()
    yield rotating()
    yield families()
    yield lists()
    yield records()
    yield at_random()
    yield configurations()


class User:
    """What is stored for one user, and every step that is taken with it, as cases of a suite."""

    def __init__(self, suite: Suite, title: str, *, ring: Ring = PLAIN_RING, config: Case | None = None, subject: str = "ann", stored: bytes = b"", since: int = 0) -> None:
        self.suite, self.title, self.steps = suite, title, 0
        self.ring, self.config, self.subject, self.stored, self.since = ring, config or {}, subject, stored, since
        self.attack: int | None = None

    @property
    def rules(self) -> Rules:
        return Rules(self.ring, Config(self.config))

    def request(self, op: str, **more: Any) -> Case:
        return {"op": op, "keyring": self.ring.jwks(), "config": self.config, **more}

    def name(self, what: str) -> str:
        self.steps += 1
        return f"{self.title}, {self.steps}: {what}"

    def taken(self, what: str, request: Case, verdict: Verdict, entropy: Entropy, made: Case, says: dict[str, Any], *, is_written: bool = True, outputs: bool = True) -> Verdict:
        """A step. What is said of it by hand is held against the reference."""
        for name, value in says.items():
            assert getattr(verdict, name) == value, (self.title, what, name, value, verdict)
        numbers = {name: getattr(verdict, name) for name in ("status", "reason", "write", "changes", "keep_ms")}
        session = {"session": verdict.session} if outputs and verdict.status in {"ok", "step_up_required"} else {}
        answer = {"ok": True} | made | numbers | {"record_hex": verdict.record.hex()} | session
        self.suite.add(self.name(what), request | {"entropy_hex": entropy.hex()}, answer, self.attack)
        if verdict.write and is_written:
            self.stored = verdict.record
        return verdict

    def begun(self, op: str, now: int, address: str, user_agent: str, label: str, data: bytes, is_written: bool, says: dict[str, Any]) -> Verdict:
        entropy = Entropy(f"{self.suite.name}, {self.title}, {self.steps}")
        request = self.request(op, record_hex=self.stored.hex(), subject=self.subject, address=address, user_agent=user_agent, label=label, data_hex=data.hex(), now_ms=now, store_since_ms=self.since)
        rules = self.rules
        decide = rules.create if op == "session_create" else rules.begin_family
        verdict = decide(self.stored, self.subject, address, user_agent, label, data, now, self.since, entropy)
        made: Case = {"id": verdict.id} if op == "session_create" else {"state_hex": verdict.state.hex()}
        return self.taken(op.removeprefix("session_").replace("_", " "), request, verdict, entropy, made, says, is_written=is_written)

    def create(self, now: int, *, address: str = HOME, user_agent: str = FIREFOX, label: str = "", data: bytes = b"", is_written: bool = True, **says: Any) -> str:
        """The id; empty if none was made."""
        return self.begun("session_create", now, address, user_agent, label, data, is_written, says).id or ""

    def begin(self, now: int, *, address: str = HOME, user_agent: str = FIREFOX, label: str = "", data: bytes = b"", is_written: bool = True, **says: Any) -> str:
        """The family."""
        state = self.begun("session_begin_family", now, address, user_agent, label, data, is_written, says).state
        return b64u(state[16:])

    def check(self, text: str, now: int, *, address: str = HOME, user_agent: str = FIREFOX, is_written: bool = True, **says: Any) -> Verdict:
        entropy = Entropy(f"{self.suite.name}, {self.title}, {self.steps}")
        request = self.request("session_check", record_hex=self.stored.hex(), id=text, address=address, user_agent=user_agent, now_ms=now, store_since_ms=self.since)
        verdict = self.rules.check(self.stored, text, address, user_agent, now, self.since, entropy)
        return self.taken("check", request, verdict, entropy, {}, says, is_written=is_written)

    def rotate(self, text: str, now: int, *, address: str = HOME, user_agent: str = FIREFOX, data: bytes = b"", **says: Any) -> str:
        entropy = Entropy(f"{self.suite.name}, {self.title}, {self.steps}")
        request = self.request("session_rotate", record_hex=self.stored.hex(), id=text, address=address, user_agent=user_agent, data_hex=data.hex(), now_ms=now, store_since_ms=self.since)
        verdict = self.rules.rotate(self.stored, text, address, user_agent, data, now, self.since, entropy)
        return self.taken("rotate", request, verdict, entropy, {"id": verdict.id}, says).id or ""

    def refresh(self, family: str, generation: int, now: int, *, issued_at_s: int | None = NOW, address: str = HOME, user_agent: str = FIREFOX, is_written: bool = True, **says: Any) -> Verdict:
        entropy = Entropy(f"{self.suite.name}, {self.title}, {self.steps}")
        request = self.request(
            "session_refresh", record_hex=self.stored.hex(), subject=self.subject, family=family, generation=generation, issued_at_s=issued_at_s,
            address=address, user_agent=user_agent, now_ms=now, store_since_ms=self.since,
        )  # fmt: skip
        verdict = self.rules.refresh(self.stored, self.subject, family, generation, issued_at_s, address, user_agent, now, self.since, entropy)
        return self.taken("refresh", request, verdict, entropy, {"state_hex": verdict.state.hex()}, says, is_written=is_written)

    def list(self, now: int, named: str = "", /, **says: Any) -> None:
        sessions = self.rules.listed(self.stored, self.subject, named, now, self.since)
        for name, value in says.items():
            assert [session[name] for session in sessions] == value, (self.title, sessions)
        request = self.request("session_list", record_hex=self.stored.hex(), subject=self.subject, current=named, now_ms=now, store_since_ms=self.since)
        self.suite.add(self.name("list"), request, {"ok": True, "sessions": sessions}, self.attack)

    def revoke(self, which: str, handle: str, now: int, *, is_written: bool = True, **says: Any) -> Verdict:
        entropy = Entropy(f"{self.suite.name}, {self.title}, {self.steps}")
        request = self.request("session_revoke", record_hex=self.stored.hex(), subject=self.subject, which=which, handle=handle, now_ms=now, store_since_ms=self.since)
        verdict = self.rules.revoke(self.stored, self.subject, which, handle, now, self.since, entropy)
        made = {"revoked": verdict.revoked} if verdict.status == "ok" else {}
        return self.taken(f"revoke {which}", request, verdict, entropy, made, says, is_written=is_written, outputs=False)


def handle(text: str) -> str:
    raw = id_bytes(text)
    assert raw is not None
    return b64u(id_hash(raw)[:16])


def keys() -> Suite:
    suite = Suite("session-keys", "Where a user's record is, under each key that names users, and what an id is.", f"{SOURCE}, The bytes; ATTACKS.md 53")
    rings = {
        "one key": PLAIN_RING, "a rotated key": ROTATED, "a disabled key": Ring(device=((DEVICE_1, "disabled"), (DEVICE_2, "primary"))), "an active key before the primary": Ring(device=((DEVICE_3, "active"), (DEVICE_1, "primary"))),
    }  # fmt: skip
    subjects = {"ann": "ann", "one byte": "a", "many scripts": "zo\u00eb \u4e2d\U0001f600", "a NUL within": "a\x00b", "1,024 bytes": "s" * 1024, "a number": "42", "a path": "../ann"}
    for name, ring in rings.items():
        for what, subject in subjects.items():
            suite.add(f"{name}: {what}", {"op": "session_keys", "keyring": ring.jwks(), "config": {}, "subject": subject}, {"ok": True, "keys": [record_key(tag) for tag in ring.tags(subject)]})
    ended = ROTATED.jwks()
    ended["keys"][0]["not_after_s"] = 1
    suite.add("a key whose time is over still names", {"op": "session_keys", "keyring": ended, "config": {}, "subject": "ann"}, {"ok": True, "keys": [record_key(tag) for tag in ROTATED.tags("ann")]})
    for name, (subject, error) in {"no subject": ("", "invalid_argument"), "1,025 bytes": ("s" * 1025, "too_large"), "1,025 bytes in 513 characters": ("\u00e9" * 512 + "s", "too_large")}.items():
        suite.add(f"refused: {name}", {"op": "session_keys", "keyring": PLAIN_RING.jwks(), "config": {}, "subject": subject}, refusal(error))
    good = id_text(PLAIN_RING.tags("ann")[0], stream("an id", 32))

    def leads(name: str, text: str, answer: Case) -> None:
        suite.add(f"an id: {name}", {"op": "session_key", "keyring": PLAIN_RING.jwks(), "config": {}, "id": text}, answer, 53)

    leads("ann's", good, {"ok": True, "key": record_key(PLAIN_RING.tags("ann")[0])})
    leads("nobody's", "A" * 64, {"ok": True, "key": record_key(bytes(16))})
    leads("of the last characters", "_" * 64, {"ok": True, "key": record_key(b"\xff" * 16)})
    for name, text in no_ids(good).items():
        leads(name, text, refusal("invalid_session"))
    for op, more in {"session_key": {"id": 5}, "session_keys": {"subject": None}, "session_check": {}}.items():
        suite.add(f"{op}: a field that is none", {"op": op, "keyring": PLAIN_RING.jwks(), "config": {}} | more, refusal("bad_request"))
    return suite


def no_ids(good: str) -> dict[str, str]:
    return {
        "empty": "", "a character short": good[:-1], "a character long": good + "A", "four characters short": good[:-4], "twice": good * 2, "padded": good[:-1] + "=", "in the other alphabet": good[:-1] + "/", "a plus": "+" + good[1:], "a blank before": " " + good[1:], "a line feed behind": good[:-1] + "\n",
        "a NUL": good[:-1] + "\x00", "a letter with an accent": good[:-2] + "\u00e9", "in hexadecimal": "0123456789abcdef" * 6, "its key": "{" + good[:22] + "}:sessions", "quoted": f'"{good[:-2]}"', "4 KiB": "A" * 4096,
    }  # fmt: skip


# ---- log-in ----


def creating() -> Suite:
    suite = Suite("session-create", "Log-ins: the first, the one over the limit, and what is found in the place of a record.", f"{SOURCE}; ATTACKS.md 49, 51 and 53")
    ann = User(suite, "the first")
    ann.create(NOW_MS, label="Laptop", data=b"\x01\x02", status="ok", write=MUST, changes=0, reason=0, keep_ms=8 * HOUR + MINUTE)
    ann.create(NOW_MS + 1, label="Telephone", keep_ms=8 * HOUR + MINUTE)
    ann.create(NOW_MS + 1, address="", user_agent="", label="")
    for subject in ("a", "zo\u00eb \u4e2d\U0001f600", "a\x00b", "s" * 1024):
        User(suite, f"a subject of {len(subject.encode())} bytes", subject=subject).create(NOW_MS)
    for name, ring in {"with a rotated key": ROTATED, "sealed": SEALED_RING, "sealed under a rotated key": replace(SEALED_RING, envelope=((KEK_1, "verify-only"), (KEK_2, "primary")))}.items():
        ann = User(suite, name, ring=ring, config={"sealed": True} if ring.envelope else {})
        ann.create(NOW_MS)
        ann.create(NOW_MS + 5)
    evicting(suite)
    anonymous(suite)
    times(suite)
    texts(suite)
    damaged(suite)
    refused(suite)
    return suite


def evicting(suite: Suite) -> None:
    ann = User(suite, "the sixth")
    ann.attack = 51
    ids = [ann.create(NOW_MS + at) for at in range(5)]
    sixth = ann.begun("session_create", NOW_MS + 5, HOME, FIREFOX, "", b"", True, {"status": "ok"})
    assert sixth.session
    assert sixth.session["evicted"] == [{"handle": handle(ids[0]), "kind": "cookie"}]
    ann.check(ids[0], NOW_MS + 6, status="invalid_session", reason=UNKNOWN)
    ann.check(ids[1], NOW_MS + 6, status="ok")
    ann = User(suite, "the sixth where the oldest is the one used last")
    ann.attack = 51
    ids = [ann.create(NOW_MS + at) for at in range(5)]
    ann.check(ids[0], NOW_MS + HOUR, status="ok", write=MAY)
    ann.create(NOW_MS + HOUR)
    ann.check(ids[0], NOW_MS + HOUR, status="invalid_session", reason=UNKNOWN)
    ann = User(suite, "five in one millisecond, and more")
    ann.attack = 51
    ids = [ann.create(NOW_MS) for _ in range(8)]
    for number, text in enumerate(ids):
        ann.check(text, NOW_MS, status="ok" if number >= 3 else "invalid_session")
    for name, config in {"refused": {"at_limit": "refuse"}, "refused, and sealed": {"at_limit": "refuse", "sealed": True, "max_per_user": 2}}.items():
        ann = User(suite, f"one more is {name}", ring=SEALED_RING, config=config)
        ann.attack = 51
        most = int(config.get("max_per_user", 5))
        ids = [ann.create(NOW_MS + at, status="ok") for at in range(most)]
        ann.create(NOW_MS + 10, status="session_limit", write=0, record=b"")
        ann.check(ids[0], NOW_MS + 10, status="ok")
        ann.begin(NOW_MS + 10, status="session_limit", write=0)
        ann.create(NOW_MS + 8 * HOUR - 1, status="session_limit", is_written=False)
        ann.create(NOW_MS + 8 * HOUR, status="ok")
        ann.create(NOW_MS + 8 * HOUR, status="session_limit")
    for most in (1, 2, 64):
        ann = User(suite, f"{most} at most", config={"max_per_user": most})
        ids = [ann.create(NOW_MS + at, address="", user_agent="") for at in range(most)] if most < 64 else [""]
        if most == 64:
            entries = tuple(Entry(COOKIE, id_hash(bytes([at]) * 48), NOW_MS + at, NOW_MS + at) for at in range(64))
            ann.stored = bytes(Record("ann", entries))
        ann.create(NOW_MS + 100, status="ok")
        ann.list(NOW_MS + 100)
    ann = User(suite, "a limit that was lowered")
    ids = [ann.create(NOW_MS + at) for at in range(5)]
    ann.config = {"max_per_user": 2}
    verdict = ann.begun("session_create", NOW_MS + 9, HOME, FIREFOX, "", b"", True, {"status": "ok"})
    assert verdict.session
    assert [gone["handle"] for gone in verdict.session["evicted"]] == [handle(text) for text in ids[:4]]
    ann.check(ids[4], NOW_MS + 10, status="ok")
    ann = User(suite, "what ran out is not counted, and goes")
    ann.attack = 51
    early = [ann.create(NOW_MS + at) for at in range(3)]
    late = [ann.create(NOW_MS + 7 * HOUR + at) for at in range(2)]
    verdict = ann.begun("session_create", NOW_MS + 8 * HOUR + 1, HOME, FIREFOX, "", b"", True, {"status": "ok"})
    assert verdict.session
    assert verdict.session["evicted"] == []
    for text, status in zip([*early, *late], ("invalid_session", "invalid_session", "expired", "ok", "ok")):
        ann.check(text, NOW_MS + 8 * HOUR + 2, status=status, is_written=False)
    ann = User(suite, "families and cookies are counted alike", config={"max_per_user": 3})
    family = ann.begin(NOW_MS)
    ids = [ann.create(NOW_MS + at) for at in (1, 2)]
    verdict = ann.begun("session_create", NOW_MS + 3, HOME, FIREFOX, "", b"", True, {"status": "ok"})
    assert verdict.session
    assert verdict.session["evicted"] == [{"handle": family, "kind": "tokens"}]
    ann.refresh(family, 0, NOW_MS + 4, status="revoked", reason=UNKNOWN)
    ann.begin(NOW_MS + 5)
    ann.check(ids[0], NOW_MS + 6, status="invalid_session", reason=UNKNOWN)


def anonymous(suite: Suite) -> None:
    for name, ring, config in (("", PLAIN_RING, {}), (", sealed", SEALED_RING, {"sealed": True}), (", at a limit of 1", PLAIN_RING, {"max_per_user": 1, "at_limit": "refuse"})):
        guest = User(suite, f"before the log-in{name}", subject="", ring=ring, config=config)
        guest.attack = 49
        text = guest.create(NOW_MS, data=b"a basket", status="ok", write=MUST)
        assert id_bytes(text)[:TAG] not in ring.tags("") + ring.tags("ann")  # type: ignore[index]
        guest.check(text, NOW_MS + 1, status="ok")
        guest.check(text, NOW_MS + MINUTE, status="ok", write=MAY)
        rotated = guest.rotate(text, NOW_MS + 2 * MINUTE, data=b"two baskets", status="ok")
        guest.check(text, NOW_MS + 2 * MINUTE, status="invalid_session", reason=UNKNOWN)
        guest.check(rotated, NOW_MS + 2 * MINUTE, status="ok")
        guest.list(NOW_MS + 2 * MINUTE, rotated, current=[True])
        # The id of before the log-in leads to no user, whatever the user's record has in it.
        ann = User(suite, f"the id from before the log-in{name}, after it", ring=ring, config=config)
        ann.attack = 49
        ann.create(NOW_MS + 3 * MINUTE)
        ann.check(text, NOW_MS + 3 * MINUTE, status="invalid_session")
        guest.revoke("one", rotated, NOW_MS + 3 * MINUTE, status="ok", write=MUST, record=b"")
        guest.check(rotated, NOW_MS + 3 * MINUTE, status="invalid_session", reason=UNKNOWN)
    # A record whose subject is empty cannot stand in for a user's: the tag of an id says nothing about it.
    raw = PLAIN_RING.tags("ann")[0] + stream("a guest's", 32)
    guest = User(suite, "a guest's record under ann's key", stored=bytes(Record("", (Entry(COOKIE, id_hash(raw), NOW_MS, NOW_MS),))))
    guest.create(NOW_MS + 1, status="ok")
    ann = User(suite, "a guest with a record", subject="", stored=guest.stored)
    suite.add("a guest's session where there is a record", ann.request("session_create", record_hex=guest.stored.hex(), subject="", address="", user_agent="", label="", data_hex="", now_ms=NOW_MS, store_since_ms=0, entropy_hex="00" * 48), refusal("invalid_argument"))


def times(suite: Suite) -> None:
    ann = User(suite, "a store that began this millisecond", since=NOW_MS)
    text = ann.create(NOW_MS)
    ann.check(text, NOW_MS, status="ok")
    ann = User(suite, "a store that begins later than it is", since=NOW_MS + 5_000)
    text = ann.create(NOW_MS, status="ok", keep_ms=8 * HOUR + MINUTE + 5_000)
    ann.check(text, NOW_MS + 1, status="ok", write=0)
    ann.begin(NOW_MS)
    ann = User(suite, "sessions from before the store are not counted", config={"max_per_user": 1, "at_limit": "refuse"})
    ann.create(NOW_MS)
    ann.since = NOW_MS + 1
    ann.create(NOW_MS + 2, status="ok")
    ann = User(suite, "a clock that went back")
    first, second = ann.create(NOW_MS), ann.create(NOW_MS + 10)
    third = ann.create(NOW_MS + 5)
    for text in (first, second, third):
        ann.check(text, NOW_MS + 10, status="ok")
    ann.list(NOW_MS + 10, created_ms=[NOW_MS, NOW_MS + 5, NOW_MS + 10])
    ann.config = {"max_per_user": 3}
    fourth = ann.create(NOW_MS - DAY, status="ok")
    ann.check(first, NOW_MS, status="invalid_session", reason=UNKNOWN)
    ann.check(fourth, NOW_MS - DAY, status="ok")
    ann.create(NOW_MS + 20)
    ann.check(fourth, NOW_MS + 20, status="invalid_session", reason=UNKNOWN)
    for now in (0, 1):
        User(suite, f"in millisecond {now}").create(now, status="ok")


def texts(suite: Suite) -> None:
    for name, label in {
        "as long as may be": "x" * MAX_LABEL, "a byte too long": "x" * (MAX_LABEL + 1), "cut within a character": "x" * 63 + "\u00e9", "cut within a long character": "x" * 62 + "\U0001f600y", "much too long": "\u4e2d" * 1000, "controls": "a\x00b\x1b[31mc\x7fd\u0085e\r\nf", "only controls": "\x01\x02\u009f",
        "directions": "\u202aa\u202bb\u202cc\u202dd\u202ee\u2066f\u2067g\u2068h\u2069i\u200ej\u200fk", "what stays": "\u200b\ufeff\u00ad\u2028 <b>&amp;</b>", "controls before the cut": "\x00" * 100 + "y" * 70, "white space": "  ", "quotes": "\"\\/'",
    }.items():  # fmt: skip
        User(suite, f"a label of {name}").create(NOW_MS, label=label, status="ok")
    for length in (1, 2, 3, 255, 256, MAX_DATA):
        User(suite, f"data of {length} bytes").create(NOW_MS, data=stream("data", length), status="ok")
    browsers = {
        "without anything but a version": "128.0_1", "with a byte": "a", "of 1,024 bytes": "b" * 1024, "of 2,000 bytes": "b" * 2000, "cut within a character": "b" * 1023 + "\u00e9", "that differs behind the 1,024th byte": "1" * 1023 + "cd", "in upper case": FIREFOX.upper(), "updated": FIREFOX.replace("128", "129"), "of digits of another script": "\u0661\u0662 x",
    }  # fmt: skip
    for name, header in browsers.items():
        User(suite, f"a browser {name}").create(NOW_MS, user_agent=header, status="ok")
    for address in ("0.0.0.0", "255.255.255.255", "10.1.2.3", "::", "::1", "2001:db8:1:2:3:4:5:6", "2001:DB8::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::ffff:192.0.2.7", "::ffff:c000:207", "64:ff9b::192.0.2.7", "::192.0.2.7"):
        User(suite, f"from {address}").create(NOW_MS, address=address, status="ok")
    for ipv4, ipv6 in ((32, 128), (1, 1), (8, 64), (25, 49), (31, 127)):
        for address in ("203.0.113.255", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"):
            User(suite, f"from {address} in networks of {ipv4} and {ipv6} bits", config={"address": {"ipv4_prefix": ipv4, "ipv6_prefix": ipv6}}).create(NOW_MS, address=address)


def damaged(suite: Suite) -> None:
    ann = User(suite, "the records that are damaged")
    ann.create(NOW_MS, label="Laptop", data=b"data")
    whole = ann.stored
    bob = User(suite, "another's", subject="bob")
    bob.create(NOW_MS)
    for name, stored in {
        "empty but for a byte": b"\x01", "zeros": bytes(64), "ones": b"\xff" * 200, "cut": whole[:-1], "a byte behind": whole + b"\x00", "another version": b"\x02" + whole[1:], "bob's": bob.stored, "a text": b"{}", "100,000 bytes": bytes(100_000),
    }.items():  # fmt: skip
        ann = User(suite, f"a log-in replaces what is {name}", stored=stored)
        text = ann.create(NOW_MS + 1, status="ok", reason=0)
        ann.check(text, NOW_MS + 2, status="ok")
    ann = User(suite, "plain where it is to be sealed", ring=SEALED_RING, config={"sealed": True}, stored=whole)
    text = ann.create(NOW_MS + 1, status="ok")
    ann.config = {}
    text = ann.create(NOW_MS + 2, status="ok")
    ann.check(text, NOW_MS + 3, status="ok")


def refused(suite: Suite) -> None:
    ann = User(suite, "refused")
    good = ann.request("session_create", record_hex="", subject="ann", address=HOME, user_agent=FIREFOX, label="", data_hex="", now_ms=NOW_MS, store_since_ms=0, entropy_hex="00" * 48)
    for op in ("session_create", "session_begin_family"):
        for name, change, error in (
            ("a subject of 1,025 bytes", {"subject": "s" * 1025}, "too_large"), ("data of 513 bytes", {"data_hex": "00" * 513}, "too_large"), ("a time before 1970", {"now_ms": -1}, "invalid_argument"), ("the first time of all", {"now_ms": -(2**63)}, "invalid_argument"),
            ("a store from before 1970", {"store_since_ms": -1}, "invalid_argument"), ("no entropy", {"entropy_hex": ""}, "entropy_unavailable"), ("a byte of entropy less", {"entropy_hex": "00" * (31 if op == "session_create" else 15)}, "entropy_unavailable"),
            *((f"from {address!r}", {"address": address}, "invalid_argument") for address in ("testclient", "192.0.2", "192.0.2.256", "0192.0.2.7", "192.0.2.0/24", " 192.0.2.7", "2001:db8::g", "unknown", "192.0.2.7, 10.0.0.1", "-")),
        ):  # fmt: skip
            suite.add(f"{op}: {name}", good | {"op": op} | change, refusal(error))
    for drawn in (0, 31, 32, 63, 64, 111):
        request = good | {"keyring": SEALED_RING.jwks(), "config": {"sealed": True}, "entropy_hex": "00" * drawn}
        suite.add(f"sealed with {drawn} bytes of entropy", request, refusal("entropy_unavailable"))
    suite.add("a family of nobody", good | {"op": "session_begin_family", "subject": ""}, refusal("invalid_argument"))


# ---- requests ----


def checking() -> Suite:
    suite = Suite("session-check", "Requests with a session: when it is over, when it is touched, and whose it is.", f"{SOURCE}; ATTACKS.md 50 and 53")
    ann = User(suite, "idle for eight hours")
    ann.attack = 50
    text = ann.create(NOW_MS)
    ann.check(text, NOW_MS, status="ok", write=0)
    ann.check(text, NOW_MS + 8 * HOUR - 1, status="ok", write=MAY, is_written=False)
    ann.check(text, NOW_MS + 8 * HOUR, status="expired", reason=IDLE, write=MAY, record=b"", keep_ms=0, is_written=False)
    ann.check(text, NOW_MS + 30 * DAY, status="expired", reason=IDLE, is_written=False)
    ann = User(suite, "used every hour, for a day and no longer")
    ann.attack = 50
    text = ann.create(NOW_MS)
    for hour in range(1, 24):
        ann.check(text, NOW_MS + hour * HOUR, status="ok", write=MAY, keep_ms=min(8 * HOUR, DAY - hour * HOUR) + MINUTE)
    ann.check(text, NOW_MS + DAY - 1, status="ok")
    ann.check(text, NOW_MS + DAY, status="expired", reason=ABSOLUTE, write=MAY)
    ann.check(text, NOW_MS + DAY, status="invalid_session", reason=UNKNOWN)
    ann = User(suite, "idle first, absolute passed too")
    ann.attack = 50
    text = ann.create(NOW_MS)
    ann.check(text, NOW_MS + 15 * HOUR, status="expired", reason=IDLE, is_written=False)
    ann.check(text, NOW_MS + 2 * DAY, status="expired", reason=IDLE)
    ann = User(suite, "absolute first, idle passed too")
    ann.attack = 50
    text = ann.create(NOW_MS)
    for hours in (7, 14, 21):
        ann.check(text, NOW_MS + hours * HOUR, status="ok")
    ann.check(text, NOW_MS + 24 * HOUR, status="expired", reason=ABSOLUTE, is_written=False)
    ann.check(text, NOW_MS + 29 * HOUR, status="expired", reason=ABSOLUTE, is_written=False)
    ann.check(text, NOW_MS + 90 * HOUR, status="expired", reason=ABSOLUTE)
    ann = User(suite, "both at once", config={"idle_timeout_s": 100, "absolute_timeout_s": 100, "touch_interval_s": 50})
    text = ann.create(NOW_MS)
    ann.check(text, NOW_MS + 99_999, status="ok", is_written=False)
    ann.check(text, NOW_MS + 100_000, status="expired", reason=IDLE)
    shortest = {"idle_timeout_s": 2, "absolute_timeout_s": 2, "touch_interval_s": 1}
    ann = User(suite, "as short as may be", config=shortest)
    text = ann.create(NOW_MS)
    for at, status in ((0, "ok"), (999, "ok"), (1000, "ok"), (1999, "ok"), (2000, "expired")):
        ann.check(text, NOW_MS + at, status=status)
    century = 3_155_760_000
    ann = User(suite, "as long as may be", config={"idle_timeout_s": century, "absolute_timeout_s": century, "touch_interval_s": century // 2})
    text = ann.create(NOW_MS)
    for at, status in ((century * 500 - 1, "ok"), (century * 500, "ok"), (century * 1000 - 1, "ok"), (century * 1000, "expired")):
        ann.check(text, NOW_MS + at, status=status, is_written=False)

    ann = User(suite, "touched once a minute")
    text = ann.create(NOW_MS)
    for at, write in ((1, 0), (59_999, 0), (60_000, MAY), (60_001, 0), (119_999, 0), (120_000, MAY), (300_000, MAY)):
        ann.check(text, NOW_MS + at, status="ok", write=write)
    ann = User(suite, "a touch that is lost")
    text = ann.create(NOW_MS)
    ann.check(text, NOW_MS + 60_000, status="ok", write=MAY, is_written=False)
    ann.check(text, NOW_MS + 60_001, status="ok", write=MAY)
    ann.check(text, NOW_MS + 60_002, status="ok", write=0)
    ann = User(suite, "a clock that goes back ends nothing and lowers nothing")
    text = ann.create(NOW_MS)
    ann.check(text, NOW_MS + HOUR, write=MAY)
    for back in (1, HOUR, DAY, NOW_MS):
        ann.check(text, NOW_MS + HOUR - back, status="ok", write=0)
    ann.check(text, NOW_MS + 9 * HOUR - 1, status="ok", is_written=False)
    ann.check(text, NOW_MS + 9 * HOUR, status="expired", reason=IDLE)

    ann = User(suite, "the others' touches and ends")
    first, second = ann.create(NOW_MS), ann.create(NOW_MS + 5 * HOUR)
    family = ann.begin(NOW_MS + 6 * HOUR)
    ann.check(second, NOW_MS + 8 * HOUR, status="ok", write=MAY, is_written=False)
    ann.check(first, NOW_MS + 8 * HOUR, status="expired", write=MAY, is_written=False)
    ann.check(second, NOW_MS + 8 * HOUR, status="ok", write=MAY)
    ann.check(first, NOW_MS + 8 * HOUR, status="invalid_session", reason=UNKNOWN, write=0)
    ann.check(second, NOW_MS + 30 * HOUR, status="expired", reason=IDLE)
    ann.refresh(family, 0, NOW_MS + 31 * HOUR, status="ok")

    ann = User(suite, "a store that forgot")
    text = ann.create(NOW_MS)
    later = ann.create(NOW_MS + 10)
    ann.since = NOW_MS
    ann.check(text, NOW_MS + 20, status="ok")
    ann.since = NOW_MS + 1
    ann.check(text, NOW_MS + 20, status="invalid_session", reason=STORE, write=MAY, is_written=False)
    ann.check(text, NOW_MS + 2 * DAY, status="invalid_session", reason=STORE, is_written=False)
    ann.check(later, NOW_MS + 20, status="ok")
    ann.since = NOW_MS + DAY
    ann.check(later, NOW_MS + 20, status="invalid_session", reason=STORE, write=MAY, record=b"")
    guessed(suite)
    named(suite)
    for name, change, error in (
        ("a time before 1970", {"now_ms": -1}, "invalid_argument"), ("a store from before 1970", {"store_since_ms": -1}, "invalid_argument"), ("an address that is none", {"address": "somewhere"}, "invalid_argument"),
    ):  # fmt: skip
        ann = User(suite, f"refused: {name}")
        text = ann.create(NOW_MS)
        request = ann.request("session_check", record_hex=ann.stored.hex(), id=text, address=HOME, user_agent=FIREFOX, now_ms=NOW_MS, store_since_ms=0) | change
        suite.add(f"checking with {name}", request, refusal(error))
    return suite


def guessed(suite: Suite) -> None:
    ann = User(suite, "guesses")
    ann.attack = 53
    text = ann.create(NOW_MS)
    raw = id_bytes(text)
    assert raw is not None
    for at in (0, 7, 15, 16, 17, 31, 32, 46, 47):
        ann.check(b64u(flipped(raw, at, at % 8)), NOW_MS, status="invalid_session", reason=UNKNOWN, write=0)
    # Whoever reads the store has the hash of the id, and that is no id.
    hashed = id_hash(raw)
    for guess in (hashed + raw[:16], raw[:16] + hashed, bytes(48), hashed[:16] + hashed):
        ann.check(b64u(guess), NOW_MS, status="invalid_session", reason=UNKNOWN)
    for name, guess in no_ids(text).items():
        ann.title = f"an id that is none: {name}"
        ann.check(guess, NOW_MS, status="invalid_session", reason=MALFORMED, write=0)
    ann.title = "an id that is none: a handle"
    ann.check(handle(text), NOW_MS, status="invalid_session", reason=MALFORMED)
    family = User(suite, "a family is no session")
    name = family.begin(NOW_MS)
    family.check(b64u(family.ring.tags("ann")[0] + State.read(parsed(family.stored).entries[0].credential).family * 2), NOW_MS, status="invalid_session", reason=UNKNOWN)  # type: ignore[union-attr]
    family.check(name, NOW_MS, status="invalid_session", reason=MALFORMED)
    nothing = User(suite, "nothing is stored")
    nothing.check(text, NOW_MS, status="invalid_session", reason=UNKNOWN, write=0)


def named(suite: Suite) -> None:
    """Ids whose tag is not their user's."""
    ann, bob = User(suite, "another's record", subject="ann"), User(suite, "another's", subject="bob")
    text, other = ann.create(NOW_MS), bob.create(NOW_MS)
    mine, theirs = ann.stored, bob.stored
    ann.stored = theirs
    ann.check(text, NOW_MS + 1, status="invalid_session", reason=UNKNOWN)
    ann.check(other, NOW_MS + 1, status="ok")
    raw = PLAIN_RING.tags("bob")[0] + stream("forged", 32)
    for name, tag in {"another user's": PLAIN_RING.tags("bob")[0], "nobody's": bytes(16), "of another key": Ring(device=((DEVICE_2, "primary"),)).tags("ann")[0], "of no subject": PLAIN_RING.tags("")[0]}.items():
        raw = tag + stream("forged", 32)
        forged = User(suite, f"a tag that is {name}", stored=bytes(Record("ann", (Entry(COOKIE, id_hash(raw), NOW_MS, NOW_MS, label="forged"),))))
        forged.attack = 53
        forged.check(b64u(raw), NOW_MS + HOUR, status="invalid_session", reason=FOREIGN, write=0)
        forged.rotate(b64u(raw), NOW_MS + HOUR, status="invalid_session", reason=FOREIGN, write=0)
        forged.check(b64u(raw), NOW_MS + DAY, status="invalid_session", reason=FOREIGN, write=0)
    assert mine
    for status, good in (("verify-only", True), ("active", True), ("disabled", False)):
        ann = User(suite, f"an id of a key that is now {status}")
        text = ann.create(NOW_MS)
        ann.ring = Ring(device=((DEVICE_1, status), (DEVICE_2, "primary")))
        ann.check(text, NOW_MS + MINUTE, status="ok" if good else "invalid_session", reason=0 if good else FOREIGN)
        new = ann.rotate(text, NOW_MS + MINUTE, status="ok" if good else "invalid_session")
        if good:
            assert new[:21] == text[:21]
            ann.check(new, NOW_MS + 2 * MINUTE, status="ok")
            ann.list(NOW_MS + 2 * MINUTE, new, current=[True])
            ann.revoke("one", handle(new), NOW_MS + 2 * MINUTE, status="ok", write=MUST)


def changing() -> Suite:
    suite = Suite("session-changes", "Requests from another address or browser: reported, to be authenticated again, or the end.", f"{SOURCE}; ATTACKS.md 52")
    severities = ("report", "step_up", "invalidate")
    for address_change in severities:
        for agent_change in severities:
            config = {"address": {"on_change": address_change}, "user_agent": {"on_change": agent_change}}
            for what, address in {"the same": HOME, "another in the network": "192.0.2.200", "another": ELSEWHERE, "no": ""}.items():
                for who, header in {"the same": FIREFOX, "an updated": FIREFOX.replace("128", "131"), "another": CHROME, "no": ""}.items():
                    ann = User(suite, f"{address_change} and {agent_change}: {what} address, {who} browser", config=config)
                    ann.attack = 52
                    ann.stored = bytes(Record("ann", (entry(ann, 1), entry(ann, 2, network=b"", agent=NO_AGENT))))
                    verdict = ann.check(ident(ann, 1), NOW_MS + 2 * MINUTE, address=address, user_agent=header)
                    is_moved, is_other = what in {"another", "no"}, who in {"another", "no"}
                    assert verdict.changes == is_moved + 2 * is_other
                    worst = max([0] + [severities.index(address_change)] * is_moved + [severities.index(agent_change)] * is_other)
                    assert verdict.status == ("ok", "step_up_required", "invalid_session")[worst]
                    assert verdict.write == (MAY, 0, MUST)[worst]
                    by_address = is_moved and severities.index(address_change) == worst
                    assert verdict.reason == (0 if worst == 0 else ADDRESS if by_address else AGENT)
    for what, address in {"an": ELSEWHERE, "no": ""}.items():
        for who, header in {"a": CHROME, "no": ""}.items():
            config = {"address": {"on_change": "invalidate"}, "user_agent": {"on_change": "invalidate"}}
            ann = User(suite, f"nothing was stored, {what} address and {who} browser are sent", config=config)
            ann.attack = 52
            ann.stored = bytes(Record("ann", (entry(ann, 1, network=b"", agent=NO_AGENT),)))
            ann.check(ident(ann, 1), NOW_MS + 1, address=address, user_agent=header, status="ok", changes=0, write=0)
    ann = User(suite, "what needs another log-in is not touched, and is good again from home", config={"address": {"on_change": "step_up"}})
    ann.attack = 52
    text = ann.create(NOW_MS)
    ann.check(text, NOW_MS + HOUR, address=ELSEWHERE, status="step_up_required", reason=ADDRESS, write=0)
    ann.check(text, NOW_MS + HOUR, status="ok", write=MAY)
    new = ann.rotate(text, NOW_MS + 2 * HOUR, address=ELSEWHERE, status="ok")
    ann.check(new, NOW_MS + 2 * HOUR, address=ELSEWHERE, status="ok", changes=0)
    ann.check(new, NOW_MS + 2 * HOUR, status="step_up_required", changes=1)
    ann.check(text, NOW_MS + 2 * HOUR, status="invalid_session", reason=UNKNOWN)
    ann = User(suite, "what is reported is reported each time", config={"address": {"on_change": "report"}})
    text = ann.create(NOW_MS)
    for minute in (0, 1, 2):
        ann.check(text, NOW_MS + minute * MINUTE, address=ELSEWHERE, user_agent=CHROME, status="ok", changes=3, write=MAY if minute else 0)
    ann.check(text, NOW_MS + 2 * MINUTE, status="ok", changes=0)
    ann = User(suite, "what is invalidated is gone, and the others stay")
    ann.attack = 52
    first, second = ann.create(NOW_MS), ann.create(NOW_MS + 1)
    ann.check(first, NOW_MS + 2, address=ELSEWHERE, status="invalid_session", reason=ADDRESS, write=MUST, changes=1)
    ann.check(first, NOW_MS + 3, status="invalid_session", reason=UNKNOWN)
    ann.check(second, NOW_MS + 3, status="ok")
    ann.check(second, NOW_MS + 4, address=ELSEWHERE, status="invalid_session", reason=ADDRESS, write=MUST, record=b"", keep_ms=0)
    ann = User(suite, "what is over is over, from wherever")
    text = ann.create(NOW_MS)
    ann.check(text, NOW_MS + 8 * HOUR, address=ELSEWHERE, user_agent=CHROME, status="expired", reason=IDLE)
    networks(suite)
    browsers(suite)
    return suite


def entry(user: User, number: int, at: int = NOW_MS, **changes: Any) -> Entry:
    """A session of ann's at home; its id is `ident`."""
    raw = id_bytes(ident(user, number))
    assert raw is not None
    return Entry(COOKIE, id_hash(raw), at + number, at + number, network(HOME, 24, 48), agent(FIREFOX), f"number {number}").but(**changes)


def ident(user: User, number: int) -> str:
    return id_text(user.ring.tags(user.subject)[0], stream(f"the id of number {number}", 32))


def networks(suite: Suite) -> None:
    for first, second, prefixes, is_same in (
        ("192.0.2.7", "192.0.2.255", {}, True), ("192.0.2.7", "192.0.3.7", {}, False), ("192.0.2.7", "192.0.1.255", {}, False), ("192.0.2.7", "::ffff:192.0.2.8", {}, True), ("::ffff:192.0.2.7", "192.0.2.8", {}, True), ("::ffff:192.0.2.7", "::ffff:c000:2ff", {}, True), ("::ffff:192.0.2.7", "::ffff:192.0.3.7", {}, False),
        ("192.0.2.7", "::192.0.2.7", {}, False), ("192.0.2.7", "64:ff9b::192.0.2.7", {}, False), ("192.0.2.7", "2001:db8::1", {}, False), ("2001:db8::1", "192.0.2.7", {}, False), ("2001:db8::1", "2001:db8:0:ffff:ffff::9", {}, True), ("2001:db8::1", "2001:db8:1::1", {}, False), ("2001:db8::1", "2001:DB8:0:0::2", {}, True),
        ("192.0.2.7", "192.0.2.7", {"ipv4_prefix": 32}, True), ("192.0.2.7", "192.0.2.6", {"ipv4_prefix": 32}, False), ("192.0.2.7", "192.0.2.6", {"ipv4_prefix": 31}, True), ("192.0.2.7", "192.0.2.8", {"ipv4_prefix": 31}, False), ("192.0.2.7", "192.0.2.127", {"ipv4_prefix": 25}, True), ("192.0.2.7", "192.0.2.128", {"ipv4_prefix": 25}, False),
        ("10.1.2.3", "10.255.255.255", {"ipv4_prefix": 8}, True), ("10.1.2.3", "11.1.2.3", {"ipv4_prefix": 8}, False), ("10.1.2.3", "127.255.255.255", {"ipv4_prefix": 1}, True), ("10.1.2.3", "128.0.0.0", {"ipv4_prefix": 1}, False), ("0.0.0.0", "0.0.0.255", {}, True), ("255.255.255.255", "255.255.255.0", {}, True),
        ("2001:db8::1", "2001:db8::1", {"ipv6_prefix": 128}, True), ("2001:db8::1", "2001:db8::2", {"ipv6_prefix": 128}, False), ("2001:db8::1", "2001:db8::ffff:ffff:ffff:ffff", {"ipv6_prefix": 64}, True), ("2001:db8::1", "2001:db8:0:1::1", {"ipv6_prefix": 64}, False), ("2001:db8::1", "2001:db8:0:7fff::", {"ipv6_prefix": 49}, True), ("2001:db8::1", "2001:db8:0:8000::", {"ipv6_prefix": 49}, False),
        ("2001:db8::1", "2fff::1", {"ipv6_prefix": 4}, True), ("2001:db8::1", "3001:db8::1", {"ipv6_prefix": 4}, False), ("::", "::1", {}, True), ("::1", "::2", {"ipv6_prefix": 127}, False),
    ):  # fmt: skip
        ann = User(suite, f"from {first}, then from {second}" + "".join(f", {bits} bits" for bits in prefixes.values()), config={"address": prefixes})
        ann.attack = 52
        text = ann.create(NOW_MS, address=first)
        ann.check(text, NOW_MS + 1, address=second, status="ok" if is_same else "invalid_session", changes=0 if is_same else 1)
    ann = User(suite, "networks that are configured to be another size")
    text = ann.create(NOW_MS)
    for bits in (32, 8):
        ann.config = {"address": {"ipv4_prefix": bits}}
        ann.check(text, NOW_MS + 1, address="192.0.2.99", status="ok", changes=0)
    new = ann.rotate(text, NOW_MS + 2, address="192.0.2.99")
    ann.check(new, NOW_MS + 3, address="192.77.0.1", status="ok", changes=0)


def browsers(suite: Suite) -> None:
    config = {"user_agent": {"on_change": "invalidate"}}
    for name, first, second, is_same in (
        ("an update", FIREFOX, FIREFOX.replace("128.0", "140.0.1"), True), ("a version with an underscore", "Mac OS X 10_15_7", "Mac OS X 14_2", True), ("another browser", FIREFOX, CHROME, False), ("another case", FIREFOX, FIREFOX.lower(), False), ("a blank more", FIREFOX, FIREFOX + " ", False), ("only digits, then none", "128.0", "", True),
        ("only digits, then another", "128.0", FIREFOX, True), ("one, then only digits", FIREFOX, "128.0", False), ("what is behind 1,024 bytes", "b" * 1024 + "c", "b" * 1024 + "d", True), ("the 1,024th byte", "b" * 1023 + "c", "b" * 1023 + "d", False), ("digits count among the 1,024 bytes", "1" * 1024 + "c", "2" * 1024 + "d", True),
        ("digits before the 1,024th byte", "1" * 1023 + "c", "2" * 1023 + "d", False), ("digits of another script", "x\u0661", "x\u0662", False),
    ):  # fmt: skip
        ann = User(suite, f"browsers: {name}", config=config)
        ann.attack = 52
        text = ann.create(NOW_MS, user_agent=first)
        ann.check(text, NOW_MS + 1, user_agent=second, status="ok" if is_same else "invalid_session", changes=0 if is_same else 2)


def rotating() -> Suite:
    suite = Suite("session-rotate", "New ids where privileges change: the old one is dead at once.", f"{SOURCE}; ATTACKS.md 49")
    for name, ring, config in (("", PLAIN_RING, {}), (", sealed", SEALED_RING, {"sealed": True}), (", a rotated key", ROTATED, {})):
        ann = User(suite, f"rotation{name}", ring=ring, config=config)
        ann.attack = 49
        text, other = ann.create(NOW_MS, label="Laptop", data=b"user"), ann.create(NOW_MS + 1)
        new = ann.rotate(text, NOW_MS + 10, data=b"admin", status="ok", write=MUST, changes=0)
        assert new[:21] == text[:21]
        assert new != text
        ann.check(text, NOW_MS + 10, status="invalid_session", reason=UNKNOWN)
        ann.check(new, NOW_MS + 10, status="ok", changes=0)
        ann.check(other, NOW_MS + 10, status="ok")
        ann.list(NOW_MS + 10, new, created_ms=[NOW_MS, NOW_MS + 1], current=[True, False], label=["Laptop", ""])
        newest = ann.rotate(new, NOW_MS + HOUR, address="2001:db8::1", user_agent=CHROME, status="ok")
        ann.check(newest, NOW_MS + HOUR, address="2001:db8::2", user_agent=CHROME, status="ok", changes=0)
        ann.rotate(text, NOW_MS + HOUR, status="invalid_session", reason=UNKNOWN, write=0)
        ann.rotate(newest, NOW_MS + DAY, status="expired", reason=IDLE, write=MAY)
    ann = User(suite, "rotation does not prolong the day")
    text = ann.create(NOW_MS)
    for hours in (6, 12, 18, 23):
        text = ann.rotate(text, NOW_MS + hours * HOUR, status="ok")
    ann.rotate(text, NOW_MS + DAY, status="expired", reason=ABSOLUTE, write=MAY, record=b"")
    ann = User(suite, "rotation is not asked from where")
    text = ann.create(NOW_MS)
    text = ann.rotate(text, NOW_MS + 1, address=ELSEWHERE, user_agent=CHROME, status="ok")
    text = ann.rotate(text, NOW_MS + 2, address="", user_agent="", status="ok")
    ann.check(text, NOW_MS + 3, address=HOME, user_agent=CHROME, status="ok", changes=0)
    ann = User(suite, "rotation under a clock that went back")
    text = ann.create(NOW_MS)
    text = ann.rotate(text, NOW_MS - HOUR, status="ok", keep_ms=9 * HOUR + MINUTE)
    ann.check(text, NOW_MS, status="ok")
    ann = User(suite, "rotation after the store forgot")
    text = ann.create(NOW_MS)
    ann.since = NOW_MS + 1
    ann.rotate(text, NOW_MS + 2, status="invalid_session", reason=STORE, write=MAY)
    for name, guess in no_ids(text).items():
        ann.title = f"rotation of an id that is none: {name}"
        ann.rotate(guess, NOW_MS, status="invalid_session", reason=MALFORMED)
    ann = User(suite, "refused")
    text = ann.create(NOW_MS)
    for name, change, error in (
        ("data of 513 bytes", {"data_hex": "00" * 513}, "too_large"), ("a time before 1970", {"now_ms": -1}, "invalid_argument"), ("31 bytes of entropy", {"entropy_hex": "00" * 31}, "entropy_unavailable"), ("an address that is none", {"address": "somewhere"}, "invalid_argument"),
    ):  # fmt: skip
        request = ann.request("session_rotate", record_hex=ann.stored.hex(), id=text, address=HOME, user_agent=FIREFOX, data_hex="", now_ms=NOW_MS, store_since_ms=0, entropy_hex="00" * 32)
        suite.add(f"rotating with {name}", request | change, refusal(error))
    return suite


# ---- families ----


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


# ---- lists, and log-outs ----


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
            for which in ("one", "others"):
                ann.revoke(which, text, NOW_MS + 10, status="invalid_session", reason=UNKNOWN, write=0)
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
        bob = User(suite, f"ann's record, and bob's name{name}", ring=ring, config=config, subject="bob", stored=whole)
        bob.revoke("one", ids[0], NOW_MS + 10, status="invalid_session", reason=UNKNOWN, write=0)
        bob.revoke("all", "", NOW_MS + 10, status="ok", write=MUST, record=b"", revoked=[])
    nothing = User(suite, "nothing is stored")
    nothing.list(NOW_MS, created_ms=[])
    for which in ("one", "others"):
        nothing.revoke(which, ident(nothing, 1), NOW_MS, status="invalid_session", reason=UNKNOWN, write=0)
    nothing.revoke("all", "", NOW_MS, status="ok", write=0)
    for op, more in {"session_list": {"current": ""}, "session_revoke": {"which": "all", "handle": ""}}.items():
        request = nothing.request(op, record_hex="", subject="ann", now_ms=NOW_MS, store_since_ms=0) | more
        for name, change, error in (("a time before 1970", {"now_ms": -1}, "invalid_argument"), ("a store from before 1970", {"store_since_ms": -1}, "invalid_argument"), ("a subject of 1,025 bytes", {"subject": "s" * 1025}, "too_large")):
            suite.add(f"{op} with {name}", request | change, refusal(error))
    suite.add("revoking some", nothing.request("session_revoke", record_hex="", subject="ann", which="some", handle="", now_ms=NOW_MS, store_since_ms=0), refusal("bad_request"))
    return suite


# ---- bytes ----


def records() -> Suite:
    suite = Suite("session-records", "Records, whole and in every way not whole: they let nobody in.", f"{SOURCE}, The bytes; ATTACKS.md 53")
    ann = User(suite, "a record")
    small = (entry(ann, 1, data=b"data"),)
    family = Entry(TOKENS, bytes(State(stream("a family", 16), 3, NOW_MS)), NOW_MS + 2, NOW_MS + 3, network("2001:db8::1", 24, 48), NO_AGENT, "App")
    large = (entry(ann, 1), family, entry(ann, 3, label="x" * MAX_LABEL, data=stream("data", MAX_DATA)), entry(ann, 4, network=b"", agent=NO_AGENT, label=""))

    def checks(name: str, stored: bytes, *, ring: Ring = PLAIN_RING, config: Case | None = None, golden: bool = False, attack: int | None = 53, **says: Any) -> None:
        config = config or {}
        entropy = Entropy(f"records, {name}")
        verdict = Rules(ring, Config(config)).check(stored, ident(ann, 1), HOME, FIREFOX, NOW_MS + 2 * MINUTE, 0, entropy)
        for member, value in says.items():
            assert getattr(verdict, member) == value, (name, verdict)
        request = {"op": "session_check", "keyring": ring.jwks(), "config": config, "record_hex": stored.hex(), "id": ident(ann, 1), "address": HOME, "user_agent": FIREFOX, "now_ms": NOW_MS + 2 * MINUTE, "store_since_ms": 0, "entropy_hex": entropy.hex()}
        answer = {"ok": True} | {member: getattr(verdict, member) for member in ("status", "reason", "write", "changes", "keep_ms")} | {"record_hex": verdict.record.hex()}
        suite.add(name, request, answer | ({"session": verdict.session} if verdict.status == "ok" else {}), attack, golden=golden)

    sealed_config = {"sealed": True}
    tag = PLAIN_RING.tags("ann")[0]
    whole = {"small": bytes(Record("ann", small)), "large": bytes(Record("ann", large))}
    locked = {name: sealed(SEALED_RING, tag, plain, Entropy(f"sealing {name}")) for name, plain in whole.items()}
    for name in whole:
        checks(f"{name}, plain", whole[name], golden=True, attack=None, status="ok")
        checks(f"{name}, sealed", locked[name], ring=SEALED_RING, config=sealed_config, golden=True, attack=None, status="ok")
        checks(f"{name}, plain where it is to be sealed", whole[name], ring=SEALED_RING, config=sealed_config, status="invalid_session", reason=FOREIGN)
        checks(f"{name}, sealed where it is to be plain", locked[name], ring=SEALED_RING, status="invalid_session", reason=FOREIGN)
    for name, stored in whole.items():
        lengths = range(1, len(stored)) if name == "small" else sorted({*range(1, len(stored), 13), *range(len(stored) - 5, len(stored))})
        for length in lengths:
            checks(f"the first {length} bytes of the {name} one", stored[:length], status="invalid_session", reason=FOREIGN, write=0)
        for more in (b"\x00", b"\x01", bytes(100), stored):
            checks(f"{len(more)} bytes behind the {name} one, {more[0]}", stored + more, status="invalid_session", reason=FOREIGN, write=0)
    for at in range(len(whole["small"])):
        checks(f"bit {at % 8} of byte {at} flipped", flipped(whole["small"], at, at % 8))
    sealed_small = locked["small"]
    for length in sorted({*range(1, 30), *range(30, len(sealed_small), 9), len(sealed_small) - 1}):
        checks(f"the first {length} bytes of the sealed one", sealed_small[:length], ring=SEALED_RING, config=sealed_config, status="invalid_session", reason=FOREIGN, write=0)
    for at in sorted({*range(20), *range(20, len(sealed_small), 7)}):
        checks(f"bit {at % 8} of byte {at} of the sealed one flipped", flipped(sealed_small, at, at % 8), ring=SEALED_RING, config=sealed_config, status="invalid_session", reason=FOREIGN, write=0)
    checks("a byte behind the sealed one", sealed_small + b"\x00", ring=SEALED_RING, config=sealed_config, status="invalid_session", reason=FOREIGN)
    moved = sealed(SEALED_RING, PLAIN_RING.tags("bob")[0], whole["small"], Entropy("sealing for bob"))
    checks("sealed under another user's key", moved, ring=SEALED_RING, config=sealed_config, status="invalid_session", reason=FOREIGN)
    for name, plain in {"nothing": b"", "what is cut": whole["small"][:-1], "what is sealed": sealed_small}.items():
        checks(f"{name}, sealed", sealed(SEALED_RING, tag, plain, Entropy(f"sealing {name}")), ring=SEALED_RING, config=sealed_config, status="invalid_session", reason=FOREIGN)
    rotated = replace(SEALED_RING, envelope=((KEK_1, "verify-only"), (KEK_2, "primary")))
    checks("sealed before a rotation", sealed_small, ring=rotated, config=sealed_config, status="ok", write=MAY)
    checks("sealed under a key that is disabled", sealed_small, ring=replace(SEALED_RING, envelope=((KEK_1, "disabled"), (KEK_2, "primary"))), config=sealed_config, status="invalid_session", reason=FOREIGN)
    checks("sealed under a key that is not there", sealed_small, ring=replace(SEALED_RING, envelope=((KEK_2, "primary"),)), config=sealed_config, status="invalid_session", reason=FOREIGN)
    first = small[0]
    one_byte = b"\x18\xc0\x00\x02\x00"
    odd: dict[str, bytes] = {
        "no entry": raw_record(b"ann", []), "an entry more than told": raw_record(b"ann", [first, entry(ann, 2)], count=1), "an entry less than told": raw_record(b"ann", [first], count=2), "version 0": raw_record(b"ann", [first], version=0), "version 2": raw_record(b"ann", [first], version=2), "version 255": raw_record(b"ann", [first], version=255),
        "64 entries": raw_record(b"ann", [first, *(entry(ann, number) for number in range(2, 65))]), "65 entries": raw_record(b"ann", [first, *(entry(ann, number) for number in range(2, 66))]), "255 entries": raw_record(b"ann", [first, *(entry(ann, number) for number in range(2, 256))]),
        "kind 0": raw_record(b"ann", [first.but(kind=0)]), "kind 3": raw_record(b"ann", [first.but(kind=3)]), "a cookie's entry of kind 2": raw_record(b"ann", [first.but(kind=2)]), "another entry of kind 3": raw_record(b"ann", [first, entry(ann, 2, kind=3)]),
        "the same twice": raw_record(b"ann", [first, first]), "one credential twice": raw_record(b"ann", [first, entry(ann, 2, credential=first.credential)]), "one family twice": raw_record(b"ann", [first, family, family.but(label="another")]), "one family in two generations": raw_record(b"ann", [first, family, family.but(credential=bytes(State(stream("a family", 16), 4, NOW_MS)))]),
        "not in order": raw_record(b"ann", [entry(ann, 2), first]), "in one millisecond": raw_record(b"ann", [first, entry(ann, 2, created_ms=first.created_ms)]), "seen before it was created": raw_record(b"ann", [first.but(seen_ms=first.created_ms - 1)]), "seen as it was created": raw_record(b"ann", [first.but(seen_ms=first.created_ms)]), "another seen before it was created": raw_record(b"ann", [first, entry(ann, 2, seen_ms=0)]),
        "a time of 2^63": raw_record(b"ann", [first.but(seen_ms=2**63)]), "a time of 2^64 - 1": raw_record(b"ann", [first.but(seen_ms=2**64 - 1)]), "times of 2^63": raw_record(b"ann", [first.but(created_ms=2**63, seen_ms=2**63)]), "times of 0": raw_record(b"ann", [entry(ann, 2, created_ms=0, seen_ms=0), first]),
        **{f"a network of {length} bytes": raw_record(b"ann", [first.but(network=(one_byte + bytes(20))[:length])]) for length in (1, 4, 6, 16, 18, 25)}, "33 bits of 4 bytes": raw_record(b"ann", [first.but(network=b"\x21\xc0\x00\x02\x07")]), "255 bits of 4 bytes": raw_record(b"ann", [first.but(network=b"\xff\xc0\x00\x02\x07")]), "129 bits of 16 bytes": raw_record(b"ann", [first.but(network=b"\x81" + bytes(15) + b"\x01")]),
        "host bits": raw_record(b"ann", [first.but(network=b"\x18\xc0\x00\x02\x01")]), "a host bit beside the prefix": raw_record(b"ann", [first.but(network=b"\x17\xc0\x00\x03\x00")]), "host bits of 16 bytes": raw_record(b"ann", [first.but(network=b"\x30\x20\x01\x0d\xb8" + bytes(11) + b"\x01")]), "32 bits of 4 bytes": raw_record(b"ann", [first.but(network=b"\x20\xc0\x00\x02\x07")]),
        "a label of 65 bytes": raw_record(b"ann", [first.but(label="x" * 65)]), "a label of 255 bytes": raw_record(b"ann", [first.but(label="x" * 255)]), "a label that is no UTF-8": raw_record(b"ann", [first.but(label=b"\xff\xfe")]), "a label that is cut within a character": raw_record(b"ann", [first.but(label="\u4e2d".encode()[:2])]), "a label with a surrogate": raw_record(b"ann", [first.but(label=b"\xed\xa0\x80")]),
        "a label with a control": raw_record(b"ann", [first.but(label="a\nb")]), "a label with a direction": raw_record(b"ann", [first.but(label="a\u202eb")]), "data of 513 bytes": raw_record(b"ann", [first.but(data=bytes(513))]), "data of 65,535 bytes": raw_record(b"ann", [first.but(data=bytes(65535))]),
        "a subject of 1,025 bytes": raw_record(b"s" * 1025, [first]), "a subject that is no UTF-8": raw_record(b"\xff\xfe\xfd", [first]), "another subject": raw_record(b"bob", [first]), "a longer subject": raw_record(b"ann ", [first]), "a subject in upper case": raw_record(b"Ann", [first]), "no subject": raw_record(b"", [first]),
        **{f"a family's state of {name}": raw_record(b"ann", [first, family.but(credential=bad)]) for name, bad in {"zeros": bytes(32), "ones": b"\xff" * 32, "another version": b"\x02" + family.credential[1:], "an unknown flag": b"\x01\x02" + family.credential[2:], "something in the zeros": b"\x01\x00\x01" + family.credential[3:], "a negative time": family.credential[:8] + b"\x80" + family.credential[9:]}.items()},
        "a family that was revoked": raw_record(b"ann", [first, family.but(credential=bytes(State(stream("a family", 16), 3, NOW_MS, is_revoked=True)))]),
    }  # fmt: skip
    for name, stored in odd.items():
        checks(f"a record with {name}", stored)
    return suite


# ---- everything, at random ----


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
    held: dict[str, list[list[Any]]] = {user.subject: [] for user in users}
    older: dict[str, list[bytes]] = {user.subject: [b""] for user in users}
    now, since = NOW_MS, 0
    for _ in range(steps):
        user = chance.choice(users)
        now += chance.choice((0, 0, 1, 500, 3_000, 3_000, 9_000, 20_000, -2_000, -7_000))
        if chance.random() < 0.02:
            since = now - chance.choice((0, 5_000, 60_000))
        user.since = since
        mine, families, stores = ids[user.subject], held[user.subject], older[user.subject]
        place = {"address": chance.choice((HOME, HOME, HOME, "192.0.2.99", ELSEWHERE, "2001:db8::7", "")), "user_agent": chance.choice((FIREFOX, FIREFOX, FIREFOX, CHROME, ""))}
        text = chance.choice(mine[-4:] or ["A" * 64])
        family = chance.choice(families[-3:]) if families else [b64u(bytes(16)), 0]
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


# ---- configuration ----


def configurations() -> Suite:
    suite = Suite("session-config", "Configurations of sessions: read, or refused when they are loaded.", f"{SOURCE}, Configuration")

    def says(name: str, config: Any, status: str, ring: Any = None) -> None:
        text = config if isinstance(config, str) else json.dumps(config)
        suite.add(name, {"op": "session_diagnose", "keyring": ring or SEALED_RING.jwks(), "config": text}, {"ok": True, "status": status})

    century = 3_155_760_000
    good: dict[str, Any] = {
        "nothing": {}, "all that there is": {
            "idle_timeout_s": 28800, "absolute_timeout_s": 86400, "touch_interval_s": 60, "max_per_user": 5, "at_limit": "evict_oldest", "address": {"on_change": "invalidate", "ipv4_prefix": 24, "ipv6_prefix": 48}, "user_agent": {"on_change": "report"}, "family_lifetime_s": 2592000, "family_idle_timeout_s": 604800, "refresh_grace_ms": 10000, "sealed": False,
            "cookie": {"name": "__Host-session", "same_site": "lax", "domain": None, "path": "/", "persistent": True, "insecure": False}, "csrf_token": "required", "trusted_origins": ["https://app.example.com"],
        },
        "the shortest": {"idle_timeout_s": 2, "absolute_timeout_s": 2, "touch_interval_s": 1, "family_lifetime_s": 1, "family_idle_timeout_s": 1, "refresh_grace_ms": 0}, "the longest": {"idle_timeout_s": century, "absolute_timeout_s": century, "touch_interval_s": century // 2, "family_lifetime_s": century, "family_idle_timeout_s": century, "refresh_grace_ms": 300_000},
        "idle for as long as the absolute": {"idle_timeout_s": 86400}, "twice the touch": {"idle_timeout_s": 120}, "1 at most": {"max_per_user": 1}, "64 at most": {"max_per_user": 64}, "refusing": {"at_limit": "refuse"}, "sealed": {"sealed": True}, "a family idle for as long as it lives": {"family_idle_timeout_s": 2592000},
        **{f"an address that is to {change}": {"address": {"on_change": change}} for change in ("report", "step_up", "invalidate")}, **{f"a browser that is to {change}": {"user_agent": {"on_change": change}} for change in ("report", "step_up", "invalidate")}, "empty objects": {"address": {}, "user_agent": {}, "cookie": {}}, "the widest prefixes": {"address": {"ipv4_prefix": 1, "ipv6_prefix": 1}},
        "the narrowest prefixes": {"address": {"ipv4_prefix": 32, "ipv6_prefix": 128}}, "white space": " {\n} ",
    }  # fmt: skip
    for name, config in good.items():
        says(f"read: {name}", config, "ok")
    numbers = {"idle_timeout_s": (0, century + 1), "absolute_timeout_s": (0, century + 1), "touch_interval_s": (0, century + 1), "max_per_user": (0, 65), "family_lifetime_s": (0, century + 1), "family_idle_timeout_s": (0, century + 1), "refresh_grace_ms": (-1, 300_001)}
    bad: dict[str, Any] = {
        "no object": [], "a number": 5, "a text": '"{}"', "null": None, "no JSON": "{", "nothing at all": " ", "an unknown member": {"idle_timeout": 5}, "a member in upper case": {"Idle_timeout_s": 5}, "a member twice": '{"max_per_user":5,"max_per_user":5}', "an unknown member of address": {"address": {"prefix": 24}}, "an unknown member of user_agent": {"user_agent": {"prefix": 24}}, "an unknown member of cookie": {"cookie": {"max_age": 5}},
        **{f"{name} of {value}": {name: value} for name, values in numbers.items() for value in values}, **{f"{name} that is {what}": {name: value} for name in numbers for what, value in {"negative": -5, "a text": "60", "a fraction": 60.5, "null": None, "a list": [60], "true": True}.items()}, **{f"{name} of 2^64": {name: 2**64} for name in numbers},
        "idle longer than the absolute": {"idle_timeout_s": 86401}, "an absolute shorter than idle": {"absolute_timeout_s": 28799}, "idle less than twice the touch": {"idle_timeout_s": 119}, "a touch of over half of idle": {"touch_interval_s": 14401}, "a family idle for longer than it lives": {"family_idle_timeout_s": 2592001}, "a family that lives for less than it may be idle": {"family_lifetime_s": 604799},
        **{f"at_limit that is {value}": {"at_limit": value} for value in ("evict", "", "REFUSE", 5, None, True)}, **{f"sealed that is {value}": {"sealed": value} for value in ("yes", 1, None)}, **{f"{name} that is {what}": {name: value} for name in ("address", "user_agent", "cookie") for what, value in {"null": None, "a text": "report", "a list": []}.items()},
        **{f"{name} that is to {value}": {name: {"on_change": value}} for name in ("address", "user_agent") for value in ("ignore", "", "Report", None, 1)}, **{f"{name} of {value}": {"address": {name: value}} for name, values in {"ipv4_prefix": (-1, 33, "24", None, 24.5), "ipv6_prefix": (-1, 129, "48", None, 48.5)}.items() for value in values},
    }  # fmt: skip
    for name, config in bad.items():
        says(f"refused: {name}", config, "config_error")
    ring = SEALED_RING.jwks()["keys"]
    without = {"device": ring[1:], "csrf": [ring[0], ring[2]]}
    for purpose, rest in without.items():
        says(f"a keyring without a {purpose} secret", {}, "config_error", {"keys": rest})
    for purpose, number in {"device": 0, "csrf": 1}.items():
        for status in ("active", "verify-only", "disabled"):
            says(f"a keyring whose {purpose} secret is {status}", {}, "config_error", {"keys": [key | {"status": status} if key is ring[number] else key for key in ring]})
    says("sealed without an envelope secret", {"sealed": True}, "config_error", {"keys": ring[:2]})
    says("sealed with an envelope secret that only opens", {"sealed": True}, "config_error", {"keys": [*ring[:2], ring[2] | {"status": "verify-only"}]})
    says("plain without an envelope secret", {}, "ok", {"keys": ring[:2]})
    says("a keyring of something else", {}, "config_error", {"keys": [EDDSA.private_jwk(purpose="token", status="primary")]})
    return suite

