"""Where records are, and log-ins (docs/sessions.md; ATTACKS.md 49, 51 and 53)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from .keys import stream
from .session_records import (
    COOKIE,
    DEVICE_1,
    DEVICE_2,
    DEVICE_3,
    KEK_1,
    KEK_2,
    MAX_DATA,
    MAX_LABEL,
    PLAIN_RING,
    SEALED_RING,
    TAG,
    Entry,
    Record,
    Ring,
    id_bytes,
    id_hash,
    id_text,
    record_key,
)
from .session_rules import MAY, MUST, UNKNOWN
from .session_users import (
    DAY,
    FIREFOX,
    HOME,
    HOUR,
    MINUTE,
    NOW_MS,
    ROTATED,
    SOURCE,
    User,
    handle,
    no_ids,
)
from .suite import Case, Suite, refusal


def suites() -> Iterator[Suite]:
    yield keys()
    yield creating()


def keys() -> Suite:
    suite = Suite("session-keys", "Where a user's record is, under each key that names users, and what an id is.", f"{SOURCE}, The bytes; ATTACKS.md 53")
    rings = {
        "one key": PLAIN_RING, "a rotated key": ROTATED, "a disabled key": Ring(device=((DEVICE_1, "disabled"), (DEVICE_2, "primary"))), "a destroyed key": Ring(device=((DEVICE_1, "destroyed"), (DEVICE_2, "primary"), (DEVICE_3, "disabled"))), "an active key before the primary": Ring(device=((DEVICE_3, "active"), (DEVICE_1, "primary"))),
    }  # fmt: skip
    subjects = {"ann": "ann", "one byte": "a", "many scripts": "zo\u00eb \u4e2d\U0001f600", "a NUL within": "a\x00b", "1,024 bytes": "s" * 1024, "a number": "42", "a path": "../ann"}
    for name, ring in rings.items():
        for what, subject in subjects.items():
            suite.add(f"{name}: {what}", {"op": "session_keys", "keyring": ring.jwks(), "config": {}, "subject": subject}, {"ok": True, "keys": [record_key(tag) for tag in ring.tags(subject)]}, golden=True)
    ended = ROTATED.jwks()
    ended["keys"][0]["not_after_s"] = 1
    suite.add("a key whose time is over still names", {"op": "session_keys", "keyring": ended, "config": {}, "subject": "ann"}, {"ok": True, "keys": [record_key(tag) for tag in ROTATED.tags("ann")]})
    for name, (subject, error) in {"no subject": ("", "invalid_argument"), "1,025 bytes": ("s" * 1025, "too_large"), "1,025 bytes in 513 characters": ("\u00e9" * 512 + "s", "too_large")}.items():
        suite.add(f"refused: {name}", {"op": "session_keys", "keyring": PLAIN_RING.jwks(), "config": {}, "subject": subject}, refusal(error))
    good = id_text(PLAIN_RING.tags("ann")[0], stream("an id", 32))

    def leads(name: str, text: str, answer: Case) -> None:
        suite.add(f"an id: {name}", {"op": "session_key", "keyring": PLAIN_RING.jwks(), "config": {}, "session_id": text}, answer, 53)

    leads("ann's", good, {"ok": True, "key": record_key(PLAIN_RING.tags("ann")[0])})
    leads("nobody's", "A" * 64, {"ok": True, "key": record_key(bytes(16))})
    leads("of the last characters", "_" * 64, {"ok": True, "key": record_key(b"\xff" * 16)})
    for name, text in no_ids(good).items():
        leads(name, text, refusal("invalid_session"))
    for op, more in {"session_key": {"session_id": 5}, "session_keys": {"subject": None}, "session_check": {}}.items():
        suite.add(f"{op}: a field that is none", {"op": op, "keyring": PLAIN_RING.jwks(), "config": {}} | more, refusal("bad_request"))
    return suite


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
        "directions": "\u202aa\u202bb\u202cc\u202dd\u202ee\u2066f\u2067g\u2068h\u2069i\u200ej\u200fk\u061cl", "what stays": "\u200b\ufeff\u00ad\u2028 <b>&amp;</b>", "controls before the cut": "\x00" * 100 + "y" * 70, "white space": "  ", "quotes": "\"\\/'",
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
