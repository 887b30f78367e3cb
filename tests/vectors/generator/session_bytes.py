"""Records that are not whole, and configurations that are not read (docs/sessions.md; ATTACKS.md 53)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from .envelopes import flipped
from .keys import EDDSA, stream
from .session_records import (
    KEK_1,
    KEK_2,
    MAX_DATA,
    MAX_LABEL,
    NO_AGENT,
    PLAIN_RING,
    SEALED_RING,
    TOKENS,
    Entropy,
    Entry,
    Record,
    Ring,
    State,
    network,
    raw_record,
    sealed,
)
from .session_rules import FOREIGN, MAY, Config, Rules
from .session_users import FIREFOX, HOME, MINUTE, NOW_MS, SOURCE, User, entry, ident
from .suite import Case, Suite


def suites() -> Iterator[Suite]:
    yield records()
    yield configurations()


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
        request = {"op": "session_check", "keyring": ring.jwks(), "config": config, "record_hex": stored.hex(), "session_id": ident(ann, 1), "address": HOME, "user_agent": FIREFOX, "now_ms": NOW_MS + 2 * MINUTE, "store_since_ms": 0, "entropy_hex": entropy.hex()}
        answer = {"ok": True} | {member: getattr(verdict, member) for member in ("status", "reason", "write", "changes", "keep_ms")} | {"record_hex": verdict.record.hex()}
        suite.add(name, request, answer | ({"session": verdict.session} if verdict.status == "ok" else {}), attack)
        if golden:
            # That it is read stays so. What is told of it, and written in its place, may become more.
            suite.add(f"for ever: {name}", request, {"ok": True, "status": verdict.status}, golden=True)

    sealed_config = {"sealed": True}
    tag = PLAIN_RING.tags("ann")[0]
    whole = {"small": bytes(Record("ann", small)), "large": bytes(Record("ann", large))}
    locked = {name: sealed(SEALED_RING, tag, plain, Entropy(f"sealing {name}")) for name, plain in whole.items()}
    for name, plain in whole.items():
        checks(f"{name}, plain", plain, golden=True, attack=None, status="ok")
        checks(f"{name}, sealed", locked[name], ring=SEALED_RING, config=sealed_config, golden=True, attack=None, status="ok")
        checks(f"{name}, plain where it is to be sealed", plain, ring=SEALED_RING, config=sealed_config, status="invalid_session", reason=FOREIGN)
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
