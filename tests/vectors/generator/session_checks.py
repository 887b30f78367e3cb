"""Requests with a session: when it is over, from where, by whom; new ids (docs/sessions.md; ATTACKS.md 49, 50, 52 and 53)."""

from __future__ import annotations

from collections.abc import Iterator

from .envelopes import flipped
from .jose import b64u
from .keys import stream
from .session_records import (
    COOKIE,
    DEVICE_1,
    DEVICE_2,
    NO_AGENT,
    PLAIN_RING,
    SEALED_RING,
    Entry,
    Record,
    Ring,
    State,
    id_bytes,
    id_hash,
    parsed,
)
from .session_rules import (
    ABSOLUTE,
    ADDRESS,
    AGENT,
    FOREIGN,
    IDLE,
    MALFORMED,
    MAY,
    MUST,
    STORE,
    UNKNOWN,
)
from .session_users import (
    CHROME,
    DAY,
    ELSEWHERE,
    FIREFOX,
    HOME,
    HOUR,
    MINUTE,
    NOW_MS,
    ROTATED,
    SOURCE,
    User,
    entry,
    handle,
    ident,
    no_ids,
)
from .suite import Suite, refusal


def suites() -> Iterator[Suite]:
    yield checking()
    yield changing()
    yield rotating()


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
        request = ann.request("session_check", record_hex=ann.stored.hex(), session_id=text, address=HOME, user_agent=FIREFOX, now_ms=NOW_MS, store_since_ms=0) | change
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
    for made_up in (hashed + raw[:16], raw[:16] + hashed, bytes(48), hashed[:16] + hashed):
        ann.check(b64u(made_up), NOW_MS, status="invalid_session", reason=UNKNOWN)
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
    for status, good in (("verify-only", True), ("active", True), ("disabled", True), ("destroyed", False)):
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
        request = ann.request("session_rotate", record_hex=ann.stored.hex(), session_id=text, address=HOME, user_agent=FIREFOX, data_hex="", now_ms=NOW_MS, store_since_ms=0, entropy_hex="00" * 32)
        suite.add(f"rotating with {name}", request | change, refusal(error))
    return suite
