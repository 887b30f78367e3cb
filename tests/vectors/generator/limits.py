"""Limits: their texts, every algorithm's arithmetic to the byte, and what a client is told (FORMATS.md, Limits; ATTACKS.md 41 to 44)."""

from __future__ import annotations

import hmac
import random
from collections.abc import Iterator
from dataclasses import asdict
from math import ceil
from typing import Any

from . import keys, rates
from .jose import b64u, lp
from .keys import EDDSA
from .purpose import ENTROPY, TTL, minted, ring
from .rates import MAX_NOW_MS, Limit, Refused
from .suite import NOW, Case, Suite, refusal

NOW_MS = 1_700_000_000_000
SOURCE = "FORMATS.md, Limits"
BUCKETS, WINDOWS = ("gcra", "token_bucket"), ("fixed_window", "sliding_window", "sliding_log")
ALGORITHMS = (*BUCKETS, *WINDOWS)
# One period each of them, and numbers that do not divide it.
LIMITS = ((7, 1), (3, 10), (10, 60), (1, 3600), (64, 86400))
LARGEST = ((1, rates.MAX_PERIOD_S), (rates.U32, 1), (rates.U32, rates.MAX_PERIOD_S), (rates.U32 - 1, 7), (10_000, 1))


def suites() -> Iterator[Suite]:
    yield parsing()
    yield applying()
    yield lists()
    yield lockout()
    yield headers()


def parsing() -> Suite:
    suite = Suite("limits-parse", "The texts of limits.", f"the package limits 5.8, rate limit string notation; {SOURCE}; ATTACKS.md 41")

    def reads(name: str, text: str, *limits: tuple[int, int]) -> None:
        assert rates.parsed(text) == list(limits), text
        suite.add(name, {"op": "limit_parse", "spec": text}, {"ok": True, "limits": [{"amount": amount, "period_s": period_s} for amount, period_s in limits]})

    def refuses(name: str, text: str) -> None:
        try:
            rates.parsed(text)
        except Refused:
            suite.add(f"refused: {name}", {"op": "limit_parse", "spec": text}, refusal("config_error"), 41)
        else:
            raise AssertionError(text)

    for unit, seconds in rates.UNITS.items():
        for spelling in (unit, f"{unit}s", unit.upper(), unit.capitalize() + "S"):
            reads(f"a {spelling}", f"10/{spelling}", (10, seconds))
        reads(f"2 {unit}s", f"10 per 2 {unit}s", (10, 2 * seconds))
    for text, amount, period_s in (
        ("10/minute", 10, 60), ("5 per 1 hour", 5, 3600), ("1 per 10 second", 1, 10), ("10 per minute", 10, 60), ("10per minute", 10, 60), ("10 perminute", 10, 60), ("10perminute", 10, 60), ("10 per5minute", 10, 300), ("10/5minute", 10, 300), ("10/5 minute", 10, 300), ("10 / 5 minutes", 10, 300), ("10 PER Minute", 10, 60),
        ("10/ minute", 10, 60), ("10 /minute", 10, 60), (" 10/minute ", 10, 60), ("\t10\t/\tminute\t", 10, 60), ("\n10\n/\r\nminute\n", 10, 60), ("\f10/minute", 10, 60), ("010/minute", 10, 60), ("10/010 second", 10, 10), ("0000000000000000001/second", 1, 1), ("10 permonth", 10, 2592000), ("1/day", 1, 86400), ("5/day", 5, 86400), ("1/1second", 1, 1),
        ("4294967295/second", 4294967295, 1), ("1/100 year", 1, 3110400000), ("1/3110400000 second", 1, 3110400000), ("1/1200 months", 1, 3110400000), ("1/36000 days", 1, 3110400000), ("1/864000 hours", 1, 3110400000), ("1/51840000 minutes", 1, 3110400000),
    ):  # fmt: skip
        reads(repr(text), text, (amount, period_s))
    for text in ("10/second; 100/hour", "10/second;100/hour", "10/second,100/hour", "10/second|100/hour", "10 per second ; 100 per hour", "\n10/second\n,\n100/hour\n"):
        reads(f"several: {text!r}", text, (10, 1), (100, 3600))
    reads("the order of several is that of the text", "100/hour;10/second", (100, 3600), (10, 1))
    reads("three separators at once", "1/second;2/minute,3/hour|4/day", (1, 1), (2, 60), (3, 3600), (4, 86400))
    reads("8 limits", ";".join(f"{count}/{count} second" for count in range(1, 9)), *((count, count) for count in range(1, 9)))
    reads("1,024 bytes", "10/minute".ljust(1024), (10, 60))

    for name, text in {
        "an amount of 0": "0/minute", "an amount of several zeros": "000/minute", "a negative amount": "-1/second", "a positive sign": "+1/second", "a unit that is none": "10/fortnight", "a week": "10/week", "an exponent": "1e3/day", "a fraction": "1.5/day", "a comma in the amount": "1,000/day", "an underscore in the amount": "1_000/day", "hexadecimal": "0x10/day",
        "an amount of 2^32": "4294967296/second", "an amount of 2^64": "18446744073709551616/second", "an amount of 2^64 + 1": "18446744073709551617/second", "an amount of 1,000 digits": "9" * 1000 + "/second", "a multiple of 0": "10/0 minute", "a negative multiple": "10/-1 minute", "a multiple of 2^32": "10/4294967296 second", "a multiple of 2^64 + 1": "10/18446744073709551617 second", "a period of over 100 years": "10/101 year",
        "a period of a second over 100 years": "10/3110400001 second", "a multiple that wraps": "10/71582789 minute", "nothing": "", "white space": "   ", "only an amount": "10", "only a unit": "minute", "no unit": "10/", "no unit after a multiple": "10/5", "no amount": "/minute", "no separator of amount and unit": "10 minute", "no separator, no space": "10minute", "two slashes": "10//minute", "slash and per": "10/per minute", "per twice": "10 per per minute",
        "half of per": "10 pe minute", "more of per": "10 pers minute", "an abbreviation": "10/min", "a letter": "10/s", "another abbreviation": "10/sec", "a plural of a plural": "10/secondss", "a unit and digits": "10/minute5", "a unit twice": "10/minute minute", "a word behind": "10/minute please", "a slash behind": "10/minute/", "two limits without a separator": "10/minute 5/hour", "two limits without anything between": "10/minute5/hour",
        "an empty limit behind": "10/minute;", "an empty limit before": ";10/minute", "an empty limit within": "10/minute;;5/hour", "a blank limit within": "10/minute; ;5/hour", "only a separator": ";", "a separator of nobody": "10/minute&5/hour", "a colon before the separator": "10/minute:;5/hour", "and": "10/minute and 5/hour", "a line for each": "10/minute\n5/hour", "a NUL": "10/minute\u0000", "a NUL before": "\u000010/minute", "a vertical tab": "10/\u000bminute",
        "a no-break space": "10/\u00a0minute", "digits of another script": "\u0661\u0660/minute", "digits that are wide": "\uff11\uff10/minute", "a long s": "10/\u017fecond", "a Kelvin sign": "10/\u212ainute", "a letter with an accent": "10/min\u00fcte", "a wide slash": "10\uff0fminute", "quotes": '"10/minute"', "a second limit that is bad": "10/minute; 5/fortnight", "two limits of one period": "10/minute; 5/minute", "two limits of one period in two units": "10/minute; 5/60 seconds",
        "9 limits": ";".join(f"{count}/{count} second" for count in range(1, 10)), "1,025 bytes": "10/minute".ljust(1025), "10,000 bytes": "10/minute;" * 1_000,
    }.items():  # fmt: skip
        refuses(name, text)
    for name, config in {
        "no member": {}, "no object": [], "a number": 5, "a limit that is no text": {"limits": 10}, "a list of limits": {"limits": ["10/minute"]}, "an unknown member": {"limits": "10/minute", "bursts": 5}, "an unknown algorithm": {"limits": "10/minute", "algorithm": "leaky_bucket"}, "an algorithm in upper case": {"limits": "10/minute", "algorithm": "GCRA"}, "the algorithm of lock-out": {"limits": "10/minute", "algorithm": "lockout"}, "an algorithm that is null": {"limits": "10/minute", "algorithm": None},
        "a burst of 0": {"limits": "10/minute", "burst": 0}, "a negative burst": {"limits": "10/minute", "burst": -1}, "a burst of 2^32": {"limits": "10/minute", "burst": 2**32}, "a burst that is a text": {"limits": "10/minute", "burst": "5"}, "a burst that is a fraction": {"limits": "10/minute", "burst": 5.5}, "a burst of several limits": {"limits": "10/minute; 100/hour", "burst": 20}, "a burst that takes too long to come back": {"limits": "1/100 years", "burst": 23},
        "a sliding log of 65": {"limits": "65/minute", "algorithm": "sliding_log"}, "a second limit that its algorithm cannot count": {"limits": "5/minute; 65/hour", "algorithm": "sliding_log"}, **{f"a burst of {algorithm}": {"limits": "10/minute", "algorithm": algorithm, "burst": 20} for algorithm in WINDOWS}, "limits and lock-out": {"limits": "10/minute", "lockout": {}}, "limits and a profile": {"limits": "10/minute", "profile": "deepinsight/login"}, "an unknown profile": {"profile": "deepinsight/logout"}, "half a profile": {"profile": "deepinsight"}, "a profile with an algorithm": {"profile": "deepinsight/login", "algorithm": "gcra"}, "a profile in upper case": {"profile": "DeepInsight/login"},
        "a lock-out that is none": {"lockout": 5}, "a lock-out of null": {"lockout": None}, "a lock-out with an algorithm": {"lockout": {}, "algorithm": "gcra"}, "no attempt": {"lockout": {"attempts": 0}}, "256 attempts": {"lockout": {"attempts": 256}}, "a lock of no time": {"lockout": {"lock_s": 0}}, "a lock of over 100 years": {"lockout": {"lock_s": rates.MAX_PERIOD_S + 1}}, "a growth of 0": {"lockout": {"growth": 0}}, "a growth of 101": {"lockout": {"growth": 101}}, "a longest lock that is shorter than the first": {"lockout": {"max_lock_s": 899}}, "a longest lock of over 100 years": {"lockout": {"max_lock_s": rates.MAX_PERIOD_S + 1}}, "an unknown member of a lock-out": {"lockout": {"lock": 900}}, "attempts that are a text": {"lockout": {"attempts": "5"}}, "a growth that is a fraction": {"lockout": {"growth": 1.5}},
    }.items():  # fmt: skip
        suite.add(f"a configuration refused: {name}", {"op": "limits_describe", "config": config}, refusal("config_error"), 41)
    for name, config in {
        "as little as there is": {"limits": "10/minute"}, "a burst": {"limits": "10/second", "burst": 20}, "a burst of 1": {"limits": "10/second", "burst": 1}, "a burst that is null": {"limits": "10/second", "burst": None}, "a burst that takes as long as may be": {"limits": "1/100 years", "burst": 22}, "a large burst": {"limits": "1000/second", "burst": rates.U32}, **{f"{algorithm} and a burst that is its amount": {"limits": "10/minute", "algorithm": algorithm, "burst": 10} for algorithm in ALGORITHMS},
        "a sliding log of 64": {"limits": "64/minute", "algorithm": "sliding_log"}, "several": {"limits": "10/second; 100/hour", "algorithm": "sliding_window"}, "the default lock-out": {"lockout": {}}, "a lock-out": {"lockout": {"attempts": 3, "lock_s": 60, "growth": 2, "max_lock_s": 3600}}, "a lock-out that is longer than the default's longest": {"lockout": {"lock_s": 90000}}, "255 attempts": {"lockout": {"attempts": 255, "growth": 100}},
    }.items():  # fmt: skip
        limits = rates.configured(config)
        description = {"algorithm": limits[0].algorithm, "limits": [{"amount": limit.amount, "period_s": limit.period_s, "burst": limit.burst} for limit in limits]}
        suite.add(f"a configuration: {name}", {"op": "limits_describe", "config": config}, {"ok": True, "description": description})
    return suite


# ---- the arithmetic ----


class Key:
    """What is stored for one key, and every step that is taken with it, as cases of a suite."""

    def __init__(self, suite: Suite, title: str, config: Case, state: bytes | None = None) -> None:
        self.suite, self.title, self.steps = suite, title, 0
        self.config, self.limits = config, rates.configured(config)
        self.state = state or b""

    def become(self, config: Case) -> None:
        """From here on its configuration is another."""
        self.config, self.limits = config, rates.configured(config)

    def spend(self, now: int, cost: int = 1, attack: int | None = None, **says: Any) -> rates.Verdict:
        """A step. What is said of it by hand is held against the reference."""
        verdict, after = rates.spend(self.limits, self.state, now, cost)
        for name, value in says.items():
            assert getattr(verdict, name) == value, (self.title, self.steps, name, verdict)
        self.add({"cost": cost, "now_ms": now, "state_hex": self.state.hex() or None}, asdict(verdict) | {"state_hex": after.hex()}, attack)
        self.state = after
        return verdict

    def add(self, request: Case, answer: Case, attack: int | None) -> None:
        self.steps += 1
        limit = self.limits[0]
        if self.suite.name == "limits-apply":
            burst = {} if "burst" not in self.config else {"burst": self.config["burst"]}
            request = {"op": "limit_apply", "algorithm": limit.algorithm, "amount": limit.amount, "period_s": limit.period_s} | burst | request
            answer = {name: value for name, value in answer.items() if name not in {"index", "keep_ms"}}
        else:
            request = {"op": "limits_spend", "config": self.config} | request
        self.suite.add(f"{self.title}, {self.steps}", request, {"ok": True} | answer, attack)

    def give_back(self, spent_at: int, now: int, cost: int = 1) -> None:
        after = rates.give_back(self.limits, self.state, spent_at, now, cost)
        self.steps += 1
        request = {"op": "limits_give_back", "config": self.config, "state_hex": self.state.hex() or None, "spent_at_ms": spent_at, "now_ms": now, "cost": cost}
        self.suite.add(f"{self.title}, {self.steps}, back", request, {"ok": True, "state_hex": after.hex()})
        self.state = after


def one(algorithm: str, amount: int, period_s: int, burst: int | None = None) -> Case:
    return {"limits": f"{amount} per {period_s} second", "algorithm": algorithm} | ({} if burst is None else {"burst": burst})


def applying() -> Suite:
    suite = Suite("limits-apply", "One limit, spent step by step: the verdict and the state of each, by every algorithm.", f"{SOURCE}; ITU-T I.371, annex A (GCRA); ATTACKS.md 41 to 43")
    by_hand(suite)
    for algorithm in ALGORITHMS:
        for amount, period_s in LIMITS:
            drained(suite, algorithm, amount, period_s)
        for amount, period_s in LARGEST:
            if algorithm != "sliding_log" or amount <= rates.MAX_LOG:
                edges(suite, algorithm, amount, period_s)
        edges(suite, algorithm, 5, 60)
        at_random(suite, algorithm)
        damaged(suite, algorithm)
    for algorithm in BUCKETS:
        for burst in (1, 2, 5, 50):
            key = Key(suite, f"{algorithm}, 5 in 2 s with a burst of {burst}", one(algorithm, 5, 2, burst))
            for step in range(8):
                key.spend(NOW_MS + 250 * step, 1 + step % 2, 42 if 1 + step % 2 > burst else None)
    conversions(suite)
    return suite


def by_hand(suite: Suite) -> None:
    """Said by hand, so that the reference is held to something too."""
    key = Key(suite, "7 in a second", one("gcra", 7, 1))
    for left, full in enumerate((143, 286, 429, 572, 715, 858, 1000)):
        key.spend(NOW_MS, allowed=True, remaining=6 - left, reset_after_ms=full, retry_after_ms=0)
    key.spend(NOW_MS, allowed=False, remaining=0, reset_after_ms=1000, retry_after_ms=143)
    key.spend(NOW_MS + 142, allowed=False, retry_after_ms=1)
    key.spend(NOW_MS + 143, allowed=True, remaining=0, reset_after_ms=1000)
    key = Key(suite, "5 in a day keep a burst of 5", one("gcra", 5, 86400))
    for _ in range(5):
        key.spend(NOW_MS, attack=41, allowed=True)
    key.spend(NOW_MS, allowed=False, retry_after_ms=17_280_000)
    key = Key(suite, "a fixed window begins with its first", one("fixed_window", 2, 10))
    for at, allowed, retry in ((0, True, 0), (9_999, True, 0), (9_999, False, 1), (10_000, True, 0), (10_001, True, 0), (19_999, False, 1)):
        key.spend(NOW_MS + at, allowed=allowed, retry_after_ms=retry)
    key = Key(suite, "of the window before as much counts as overlaps", one("sliding_window", 4, 10))
    for at, allowed, left in ((0, True, 3), (0, True, 2), (0, True, 1), (0, True, 0), (10_000, False, 0), (12_499, False, 0), (12_500, True, 0), (15_000, True, 0), (17_500, True, 0), (19_999, False, 0), (20_000, True, 0)):
        key.spend(NOW_MS + at, allowed=allowed, remaining=left)
    key = Key(suite, "a log forgets one after the other", one("sliding_log", 3, 10))
    for at, allowed, retry in ((0, True, 0), (1_000, True, 0), (2_000, True, 0), (9_999, False, 1), (10_000, True, 0), (10_000, False, 1_000), (11_000, True, 0)):
        key.spend(NOW_MS + at, allowed=allowed, retry_after_ms=retry)


def drained(suite: Suite, algorithm: str, amount: int, period_s: int) -> None:
    """All of it at once, then a wait, over and over; dear costs, and more than there can be."""
    key = Key(suite, f"{algorithm}, {amount} in {period_s} s", one(algorithm, amount, period_s))
    period = period_s * 1000
    key.spend(NOW_MS, 0, 42)
    key.spend(NOW_MS, amount + 1, 42, allowed=False, never_allowed=True, retry_after_ms=None, remaining=amount)
    key.spend(NOW_MS, rates.U32, 42, never_allowed=True)
    key.spend(NOW_MS, amount, allowed=True, remaining=0)
    key.spend(NOW_MS, 0, 42, allowed=False, remaining=0)
    wait = key.spend(NOW_MS, 1, allowed=False).retry_after_ms
    assert wait
    key.spend(NOW_MS + wait - 1, 1, allowed=False, retry_after_ms=1)
    key.spend(NOW_MS + wait, 0, 42, allowed=True)
    key.spend(NOW_MS + wait, 1, allowed=True)
    wait += key.spend(NOW_MS + wait, amount, allowed=False).retry_after_ms or 0
    key.spend(NOW_MS + wait, amount, allowed=True, remaining=0)
    key.spend(NOW_MS + wait + period, 1)
    key.spend(NOW_MS + wait + 3 * period, 1, allowed=True, remaining=amount - 1)


def edges(suite: Suite, algorithm: str, amount: int, period_s: int) -> None:
    """The first and the last millisecond that there are, and clocks that step back."""
    key = Key(suite, f"edges of {algorithm}, {amount} in {period_s} s", one(algorithm, amount, period_s))
    for now in (0, 0, 1, MAX_NOW_MS, 2**63 - 1, MAX_NOW_MS - 1, 0, 1, MAX_NOW_MS):
        key.spend(now, 1, 43)
    key.spend(0, amount, 43)
    key.spend(MAX_NOW_MS, 0, 43)
    key = Key(suite, f"a clock that steps back, {algorithm}, {amount} in {period_s} s", one(algorithm, amount, period_s))
    period = period_s * 1000
    for step in (0, -1, -period, -2 * period, 0, 1, period - 1, 0):
        key.spend(max(NOW_MS + step, 0), max(1, amount // 3), 43)
    suite.add(f"a time before 1970, {algorithm}, {amount} in {period_s} s", {"op": "limit_apply", "algorithm": algorithm, "amount": amount, "period_s": period_s, "cost": 1, "now_ms": -1, "state_hex": None}, refusal("invalid_argument"), 43)


def at_random(suite: Suite, algorithm: str) -> None:
    chance = random.Random(f"limits, {algorithm}")
    for number in range(5):
        amount, period_s = chance.choice([(chance.randint(1, 8), chance.randint(1, 5)), (chance.randint(1, 64), chance.randint(1, 5000))])
        burst = {"burst": chance.randint(1, 2 * amount)} if algorithm in BUCKETS and chance.random() < 0.5 else {}
        key = Key(suite, f"at random {number}, {algorithm}, {amount} in {period_s} s", one(algorithm, amount, period_s) | burst)
        now, period = NOW_MS, period_s * 1000
        for _ in range(20):
            now = max(0, now + chance.choice([0, 1, period, chance.randint(0, period), chance.randint(0, period // amount + 1), chance.randint(0, period // amount + 1), -chance.randint(0, 2 * period) if chance.random() < 0.3 else 0]))
            key.spend(now, chance.choice([1, 1, 1, 2, 3, 0, chance.randint(1, amount + 1)]))


def damaged(suite: Suite, algorithm: str) -> None:
    """Bytes that are no state: everything is used, from now on."""
    config = one(algorithm, 5, 60)
    fresh = Key(suite, f"the state that is damaged, {algorithm}", config)
    for at in range(3):
        fresh.spend(NOW_MS + at)
    good = fresh.state
    others = {"another version": b"\x20" + good[1:], "an unknown algorithm": b"\x17" + good[1:], "algorithm 0": b"\x10" + good[1:], "zeros": bytes(len(good)), "ones": b"\xff" * len(good), "a text": b"5", "a byte behind": good + b"\x00", "a limit of nothing": good[:1] + bytes(4) + good[5:], "a period of nothing": good[:5] + bytes(4) + good[9:], "4,096 zeros": bytes(4096)}
    if algorithm in BUCKETS:
        others |= {"a remainder that is the amount": good[:-4] + (5).to_bytes(4, "big"), "no burst": good[:9] + bytes(4) + good[13:]}
    elif algorithm == "sliding_log":
        others |= {"times out of order": good[:10] + good[16:22] + good[10:16] + good[22:], "more times than may be": good[:9] + bytes([6]) + good[10:16] * 6, "65 times": good[:9] + bytes([65]) + good[10:16] * 65}
    else:
        others |= {"more than may be": good[:-4] + (6).to_bytes(4, "big"), "2^32 - 1": good[:-4] + b"\xff" * 4}
    cut = {f"{length} bytes of it": good[:length] for length in range(1, len(good))}
    for name, state in (cut | others).items():
        key = Key(suite, f"a damaged state of {algorithm}: {name}", config, state)
        key.spend(NOW_MS + 10, 0, 43, allowed=False, remaining=0)
        if name in others:
            key.spend(NOW_MS + 11, 1, 43, allowed=False)
    key = Key(suite, f"a state twice, {algorithm}", config, good + good)
    key.spend(NOW_MS + 10, 1, 43, allowed=True, remaining=1)
    future = {"fixed_window": good[:9] + b"\xff" * 6 + good[15:], "sliding_window": good[:9] + b"\xff" * 6 + good[15:], "sliding_log": good[:9] + b"\x05" + b"\xff" * 30}
    key = Key(suite, f"a state of the far future, {algorithm}", config, future.get(algorithm, good[:13] + b"\xff" * 6 + good[19:]))
    for now in (0, NOW_MS, MAX_NOW_MS):
        key.spend(now, 0, 43)
        key.spend(now, 5, 43, allowed=False)


def conversions(suite: Suite) -> None:
    """A state of another limit: as much is used as was, and no more is left than was."""
    before = [one(algorithm, amount, period_s) for algorithm in ALGORITHMS for amount, period_s in ((10, 60), (50, 3600))] + [one("gcra", 10, 60, 20)]
    after = [*before, *(one(algorithm, 3, 1) for algorithm in ALGORITHMS), one("gcra", 10, 60, 5)]
    for old in before:
        used = Key(suite, f"{title(old)} before it becomes another", old)
        for at in range(4):
            used.spend(NOW_MS + at, 2)
        for new in after:
            if old != new:
                key = Key(suite, f"{title(old)} becomes {title(new)}", new, used.state)
                key.spend(NOW_MS + 1000, 0)
                key.spend(NOW_MS + 1000, 1)
    for algorithm in ALGORITHMS:
        key = Key(suite, f"a state that is over becomes another limit's, {algorithm}", one(algorithm, 5, 60))
        key.spend(NOW_MS, 5)
        key.become(one(algorithm, 5, 61))
        key.spend(NOW_MS + 120_000, 0, remaining=5)
        key.spend(NOW_MS + 120_000, 1, allowed=True, remaining=4)


def title(config: Case) -> str:
    limit = rates.configured(config)[0]
    return f"{limit.algorithm}, {limit.amount} in {limit.period_s} s" + (f" with a burst of {limit.burst}" if limit.burst != limit.amount else "")


def lists() -> Suite:
    suite = Suite("limits-lists", "Several limits of one key, spent all or nothing; what is given back.", SOURCE)
    for algorithm in ALGORITHMS:
        config = {"limits": "3/second; 5/minute, 8 per hour", "algorithm": algorithm}
        key = Key(suite, f"three limits, {algorithm}", config)
        key.spend(NOW_MS, 0, allowed=True, index=0, remaining=3)
        for _ in range(3):
            key.spend(NOW_MS, 1, allowed=True, index=0)
        key.spend(NOW_MS, 1, allowed=False, index=0)
        key.spend(NOW_MS, 4, allowed=False, never_allowed=True, index=0)
        key.spend(NOW_MS, 6, never_allowed=True, index=0)
        key.spend(NOW_MS + 3_000, 2, allowed=True, index=1)
        key.spend(NOW_MS + 6_000, 3, allowed=False)
        for at in range(7, 200, 23):
            key.spend(NOW_MS + 1_000 * at, 1 + at % 2)
        key.give_back(NOW_MS + 191_000, NOW_MS + 191_500, 2)
        key.give_back(NOW_MS, NOW_MS + 192_000, 3)
        key.spend(NOW_MS + 192_000, 0)
        key.spend(NOW_MS - 1, 1, 43)
        key = Key(suite, f"the last of three never allows it, {algorithm}", {"limits": "9/second;8/minute;5/hour", "algorithm": algorithm})
        key.spend(NOW_MS, 6, allowed=False, never_allowed=True, index=2, remaining=5)
        key.spend(NOW_MS, 9, allowed=False, never_allowed=True, index=1)
        key.spend(NOW_MS, 5, allowed=True, index=2, remaining=0)
        changed(suite, algorithm)
        returned(suite, algorithm)
        wandering(suite, algorithm)
        torn(suite, algorithm)
    return suite


def changed(suite: Suite, algorithm: str) -> None:
    """Lists that become others."""
    lists = {"one more": "10/minute; 50/hour; 3/second", "one less": "50/hour", "the other order": "50/hour; 10/minute", "another amount": "20/minute; 50/hour", "another period": "10/2 minutes; 50/hour", "all others": "4/second; 60/day", "one of another period": "60/day", "a smaller amount": "5/minute; 50/hour"}
    before = Key(suite, f"a list before it has another, {algorithm}", {"limits": "10/minute; 50/hour", "algorithm": algorithm})
    for at in (0, 100_000):
        before.spend(NOW_MS + at, 4)
    for name, text in lists.items():
        key = Key(suite, f"a list that has {name}, {algorithm}", {"limits": text, "algorithm": algorithm}, before.state)
        key.spend(NOW_MS + 101_000, 0)
        key.spend(NOW_MS + 101_000, 1)
        key.give_back(NOW_MS + 101_000, NOW_MS + 101_001)
    key = Key(suite, f"given back to a list that has become another, {algorithm}", {"limits": "10/minute", "algorithm": algorithm})
    key.spend(NOW_MS, 3)
    key.become({"limits": "8/minute; 20/hour", "algorithm": algorithm})
    key.give_back(NOW_MS, NOW_MS + 1, 3)
    key.spend(NOW_MS + 2, 0)


def returned(suite: Suite, algorithm: str) -> None:
    """What is given back: late, too much, twice, of others, and after clocks that stepped back."""
    period = 60_000
    for name, moments in {
        "at once": (0,), "later": (20_000,), "as late as may be": (period - 1,), "too late": (period,), "in the window after": (period + 10_000,), "two windows later": (2 * period + 1,), "twice": (10, 11), "before it was spent": (-1,), "long before it was spent": (-2 * period,), "at the end of time": (2**63 - 1 - NOW_MS,),
    }.items():  # fmt: skip
        key = Key(suite, f"given back {name}, {algorithm}", one(algorithm, 5, 60))
        key.spend(NOW_MS, 2)
        key.spend(NOW_MS + 5, 1)
        for moment in moments:
            key.give_back(NOW_MS, NOW_MS + moment, 2)
        key.spend(NOW_MS + period // 2, 1)
    key = Key(suite, f"more is given back than was spent, {algorithm}", one(algorithm, 5, 60))
    key.spend(NOW_MS, 2)
    key.give_back(NOW_MS, NOW_MS, 5)
    key.give_back(NOW_MS, NOW_MS, rates.U32)
    key.give_back(NOW_MS, NOW_MS, 0)
    key.spend(NOW_MS + 7, 5)
    key = Key(suite, f"what time gave back already is not given back again, {algorithm}", one(algorithm, 3, 10))
    key.spend(NOW_MS, 1)
    for at in (20_000, 20_001, 20_002):
        key.spend(NOW_MS + at, 1)
    key.give_back(NOW_MS, NOW_MS + 20_003, 1)
    key.spend(NOW_MS + 20_003, 1, allowed=False)
    key = Key(suite, f"nothing was spent, {algorithm}", one(algorithm, 3, 10))
    key.give_back(NOW_MS, NOW_MS, 1)
    key = Key(suite, f"given back to what is damaged, {algorithm}", one(algorithm, 3, 10), b"\x00")
    key.give_back(NOW_MS, NOW_MS, 1)
    for name, moments in {"spent before 1970": (-1, NOW_MS), "given back before 1970": (NOW_MS, -1)}.items():
        suite.add(f"{name}, {algorithm}", {"op": "limits_give_back", "config": one(algorithm, 3, 10), "state_hex": None, "spent_at_ms": moments[0], "now_ms": moments[1], "cost": 1}, refusal("invalid_argument"), 43)


def wandering(suite: Suite, algorithm: str) -> None:
    chance = random.Random(f"lists, {algorithm}")
    texts = ["2/second;5/4 seconds", "7/3 seconds; 20/minute; 30/5 minutes", "5/7 seconds", "3/second"]
    for number in range(4):
        key = Key(suite, f"at random {number}, {algorithm}", {"limits": chance.choice(texts), "algorithm": algorithm})
        now, spent = NOW_MS, [NOW_MS]
        for _ in range(30):
            now = max(0, now + chance.choice([0, 1, 100, 500, chance.randint(0, 5000), chance.randint(0, 500), -chance.randint(0, 3000) if chance.random() < 0.4 else 0]))
            if chance.random() < 0.25:
                key.give_back(chance.choice(spent), now, chance.choice([1, 1, 2, 5]))
            elif chance.random() < 0.1:
                key.become({"limits": chance.choice(texts), "algorithm": algorithm})
            elif key.spend(now, chance.choice([1, 1, 1, 2, 0, 3])).allowed:
                spent = [*spent[-3:], now]


def torn(suite: Suite, algorithm: str) -> None:
    """A list's state, cut wherever it can be."""
    config = {"limits": "3/second; 5/minute", "algorithm": algorithm}
    fresh = Key(suite, f"the states that are cut, {algorithm}", config)
    fresh.spend(NOW_MS, 2)
    for length in range(1, len(fresh.state)):
        Key(suite, f"states cut to {length} bytes, {algorithm}", config, fresh.state[:length]).spend(NOW_MS + 10, 1, 43)


# ---- lock-out ----


def lockout() -> Suite:
    suite = Suite("lockout", "Attempts that are counted before they are made, and locks.", f"{SOURCE}; ATTACKS.md 43, 44 and 48a")
    key = Key(suite, "the default: 5 attempts, 15 minutes", {"lockout": {}})
    for left in (4, 3, 2, 1, 0):
        key.spend(NOW_MS, allowed=True, remaining=left)
    key.spend(NOW_MS, allowed=False, remaining=0, retry_after_ms=900_000, attack=44)
    key.spend(NOW_MS + 899_999, allowed=False, retry_after_ms=1)
    key.spend(NOW_MS + 900_000, allowed=True, remaining=4, retry_after_ms=0)
    key.spend(NOW_MS + 900_000, 0, remaining=4)
    key.spend(NOW_MS + 1_799_999, 1, remaining=3)
    key.spend(NOW_MS + 2_700_000, 0, remaining=5)
    key = Key(suite, "64 guesses at once", {"lockout": {}})
    for guess in range(64):
        key.spend(NOW_MS, attack=44, allowed=guess < 5)
    key = Key(suite, "an attempt that succeeds is given back", {"lockout": {}})
    key.spend(NOW_MS)
    key.give_back(NOW_MS, NOW_MS + 300)
    key.spend(NOW_MS + 301, 0, remaining=5)
    key = Key(suite, "the attempt that locks succeeds", {"lockout": {"attempts": 3, "growth": 2}})
    for at in range(3):
        key.spend(NOW_MS + at)
    key.spend(NOW_MS + 4, 0, allowed=False)
    key.give_back(NOW_MS + 2, NOW_MS + 5)
    key.spend(NOW_MS + 6, allowed=True, remaining=0, reset_after_ms=900_000)
    key = Key(suite, "locks that grow", {"lockout": {"attempts": 2, "lock_s": 60, "growth": 2, "max_lock_s": 600}})
    now = NOW_MS
    for lock_s in (60, 120, 240, 480, 600, 600):
        key.spend(now, allowed=True)
        key.spend(now + 1, allowed=True, remaining=0, reset_after_ms=lock_s * 1000)
        key.spend(now + 2, allowed=False, retry_after_ms=lock_s * 1000 - 1)
        now += lock_s * 1000 + 1
    key.spend(now + 599_999, 2, allowed=True, reset_after_ms=600_000)
    key.spend(now + 599_999 + 1_199_999, 2, allowed=True, reset_after_ms=600_000)
    key.spend(now + 599_999 + 1_199_999 + 1_200_000, 2, allowed=True, reset_after_ms=60_000)
    key = Key(suite, "locks that do not grow", {"lockout": {"attempts": 1, "lock_s": 10}})
    for at in (0, 9_999, 10_000, 20_000, 29_999, 30_001):
        key.spend(NOW_MS + at)
    key = Key(suite, "255 locks, and 255 attempts", {"lockout": {"attempts": 255, "lock_s": 1, "growth": 100, "max_lock_s": rates.MAX_PERIOD_S}})
    key.state = key.state or bytes.fromhex("16000000ff00000001fefe") + rates.u48(NOW_MS) + rates.u48(0)
    key.spend(NOW_MS + 999, 2, allowed=False, retry_after_ms=1)
    key.spend(NOW_MS + 999, 1, allowed=True, reset_after_ms=rates.MAX_PERIOD_S * 1000)
    key.spend(NOW_MS + 1_000 + rates.MAX_PERIOD_S * 1000, 255, allowed=True)
    key.spend(MAX_NOW_MS, 256, 42, never_allowed=True)
    key = Key(suite, "several attempts at once", {"lockout": {"attempts": 5, "lock_s": 60}})
    key.spend(NOW_MS, 6, 42, allowed=False, never_allowed=True, retry_after_ms=None)
    key.spend(NOW_MS, 3, allowed=True, remaining=2)
    key.spend(NOW_MS + 10, 3, allowed=False, retry_after_ms=59_990, remaining=2)
    key.spend(NOW_MS + 20, 2, allowed=True, remaining=0)
    key.give_back(NOW_MS, NOW_MS + 30, 3)
    key.spend(NOW_MS + 40, 0, allowed=True, remaining=3)
    for name, moments in {"after the lock": (60_010,), "as late as may be": (59_999,), "too late": (60_000,), "twice": (20, 21), "before it was made": (-5,), "never made": (20,)}.items():
        key = Key(suite, f"given back {name}", {"lockout": {"attempts": 2, "lock_s": 60, "growth": 3}})
        key.spend(NOW_MS)
        key.spend(NOW_MS + 10)
        for moment in moments:
            key.give_back(NOW_MS + (100 if name == "never made" else 0), NOW_MS + moment)
        key.spend(NOW_MS + 60_020, 1)
    key = Key(suite, "a clock that steps back", {"lockout": {"attempts": 2, "lock_s": 60, "growth": 2}})
    for now in (NOW_MS, NOW_MS - 120_000, NOW_MS - 60_000, 0, NOW_MS + 59_999, NOW_MS + 60_000, 0, MAX_NOW_MS, 2**63 - 1, 0):
        key.spend(now, 1, 43)
    locked = Key(suite, "the state that is damaged", {"lockout": {}})
    locked.spend(NOW_MS, 5)
    for length in range(1, len(locked.state)):
        Key(suite, f"a state of {length} bytes", {"lockout": {}}, locked.state[:length]).spend(NOW_MS + 1, 1, 43, allowed=False, retry_after_ms=900_000)
    for name, state in {"another version": b"\x26" + locked.state[1:], "a byte behind": locked.state + b"\x00", "more failures than attempts": locked.state[:9] + b"\x06" + locked.state[10:], "a lock without an end": locked.state[:17] + bytes(6), "an attempt later than there are times": locked.state[:9] + b"\x01\x00" + b"\xff" * 6 + bytes(6), "a lock that ends as it begins": locked.state[:17] + rates.u48(NOW_MS), "zeros": bytes(23), "ones": b"\xff" * 23, "a limit's": bytes.fromhex("15000000050000038401") + rates.u48(NOW_MS)}.items():
        key = Key(suite, f"a state that is another: {name}", {"lockout": {}}, state)
        key.spend(NOW_MS + 1, 0, 43)
        key.spend(NOW_MS + 2, 1, 43)
    for name, config in {"more attempts": {"attempts": 6}, "fewer attempts": {"attempts": 3}, "a shorter lock": {"lock_s": 60}, "a longer lock": {"lock_s": 3600}, "growth": {"growth": 4}}.items():
        for attempts in (2, 5):
            key = Key(suite, f"{attempts} attempts, then {name}", {"lockout": {}})
            key.spend(NOW_MS, attempts)
            key.become({"lockout": config})
            key.spend(NOW_MS + 1_000, 0)
            key.spend(NOW_MS + 1_000, 1)
            key.spend(NOW_MS + 100_000, 1)
    chance = random.Random("lockout")
    for number in range(10):
        attempts, lock_s, growth = chance.randint(1, 6), chance.randint(1, 100), chance.choice([1, 2, 10])
        key = Key(suite, f"at random {number}", {"lockout": {"attempts": attempts, "lock_s": lock_s, "growth": growth, "max_lock_s": lock_s * chance.choice([1, 4, 1000])}})
        now, made = NOW_MS, [NOW_MS]
        for _ in range(30):
            now = max(0, now + chance.choice([0, 1, lock_s * 1000, chance.randint(0, 3000 * lock_s), chance.randint(0, 500 * lock_s), -chance.randint(0, lock_s * 2000) if chance.random() < 0.3 else 0]))
            if chance.random() < 0.2:
                key.give_back(chance.choice(made), now, chance.choice([1, 1, 2]))
            elif key.spend(now, chance.choice([1, 1, 1, 1, 2, 0])).allowed:
                made = [*made[-2:], now]
    charged(suite)
    return suite


# ---- which counters an attempt is charged to ----


def charged(suite: Suite) -> None:
    keyring = ring(EDDSA, keys.STATE_BINDING, keys.DEVICE.jwk(purpose="device", status="primary"))
    state = "$argon2id$1"
    token = minted(EDDSA, "device", "u1", state)

    def counter(kind: str, *parts: str, secret: bytes = keys.DEVICE.secret) -> Case:
        tag = hmac.digest(secret, b"".join(lp(part) for part in ("donjon/lockout/v1", kind, *parts)), "sha256")
        return {"key": f"{kind}:{b64u(tag)}", "on_success": "give_back" if kind == "address" else "forget"}

    def asks(name: str, answer: Any, **changes: Any) -> None:
        request = {"op": "lockout_counters", "keyring": keyring, "account": "ann@example.com", "address": "192.0.2.7", "subject": "", "state": "", "device": "", "now_s": NOW}
        suite.add(name, request | changes, answer if isinstance(answer, dict) else {"ok": True, "counters": answer})

    both = [counter("address", "192.0.2.7"), counter("account", "ann@example.com")]
    device = [counter("device", "u1", b64u(ENTROPY))]
    known = {"subject": "u1", "state": state, "device": token}
    asks("an attempt counts for its account and its address", both)
    asks("no address", both[1:], address="")
    asks("an IPv6 network", [counter("address", "2001:db8:1:2::/64"), both[1]], address="2001:db8:1:2::/64")
    asks("an account and an address that change places", [counter("address", "ann@example.com"), counter("account", "192.0.2.7")], account="192.0.2.7", address="ann@example.com")
    asks("an account of other scripts", [both[0], counter("account", "zo\u00eb \u4e2d\U0001f600")], account="zo\u00eb \u4e2d\U0001f600")
    asks("an account in another case is another", [both[0], counter("account", "Ann@example.com")], account="Ann@example.com")
    asks("an account with a NUL", [both[0], counter("account", "ann\u0000")], account="ann\u0000")
    asks("1,024 bytes of account and of address", [counter("address", "b" * 1024), counter("account", "a" * 1024)], account="a" * 1024, address="b" * 1024)
    asks("1,025 bytes of account", refusal("too_large"), account="a" * 1025)
    asks("1,025 bytes of address", refusal("too_large"), address="b" * 1025)
    asks("no account", refusal("invalid_argument"), account="")
    asks("a device that is known counts alone", device, **known)
    asks("a device that is known, and no address", device, **known, address="")
    asks("a device that is known, and the account is typed otherwise", device, **known, account="ANN")
    asks("a device that is known, in its last second", device, **known, now_s=NOW + TTL - 1)
    for name, changes in {
        "of another account": {"subject": "u2"}, "from before the password was changed": {"state": "$argon2id$2"}, "of an account that does not exist": {"subject": "", "state": ""}, "whose time is over": {"now_s": NOW + TTL}, "that is none": {"device": "x"}, "that somebody changed": {"device": token[:-6] + "AAAAAA"}, "for another purpose": {"device": minted(EDDSA, "reset", "u1", state)}, "under the key of an attacker": {"device": minted(keys.ATTACKER, "device", "u1", state)}, "without an id": {"device": minted(EDDSA, "device", "u1", state, jti=...)}, "that is too long": {"device": "a" * 20_000},
    }.items():  # fmt: skip
        asks(f"a device token {name}", both, **(known | changes))
    for purpose in ("device", "token", "state-binding"):
        kept = {"keys": [key for key in keyring["keys"] if key["purpose"] != purpose]}
        asks(f"a keyring without {purpose}", refusal("config_error"), keyring=kept)
    disabled = {"keys": [key | ({"status": "disabled"} if key["purpose"] == "device" else {}) for key in keyring["keys"]]}
    asks("a device secret that is disabled", refusal("config_error"), keyring=disabled)

    def mints(name: str, answer: Case, **changes: Any) -> None:
        suite.add(name, {"op": "lockout_device_token", "keyring": keyring, "subject": "u1", "state": state, "ttl_s": TTL, "now_s": NOW, "entropy_hex": ENTROPY.hex()} | changes, answer)

    mints("a device token", {"ok": True, "token": token})
    mints("a device token of no subject", refusal("invalid_argument"), subject="")
    mints("a device token of no life", refusal("invalid_argument"), ttl_s=0)
    mints("a device token with too little entropy", refusal("entropy_unavailable"), entropy_hex="00" * 15)


# ---- what a client is told ----


def headers() -> Suite:
    suite = Suite("limits-headers", "The header fields of an answer, and the body of a refusal; ready profiles.", "draft-ietf-httpapi-ratelimit-headers-10; RFC 9110, section 10.2.3; the requirements' tables and error bodies; ATTACKS.md 42")

    def told(name: str, config: Case, steps: list[tuple[int, int]], codes: tuple[str | None, ...] = (None,)) -> None:
        limits, state = rates.configured(config), b""
        for now, cost in steps[:-1]:
            _, state = rates.spend(limits, state, now, cost)
        now, cost = steps[-1]
        verdict, _ = rates.spend(limits, state, now, cost)
        asked: Case = {"config": config, "state_hex": state.hex() or None, "now_ms": now, "cost": cost}
        for ietf in (False, True):
            suite.add(f"{name}, {'both kinds' if ietf else 'X-RateLimit alone'}", {"op": "limits_headers"} | asked | {"ietf": ietf}, {"ok": True, "headers": fields(limits, verdict, now, ietf)})
        for code in () if verdict.allowed else codes:
            body = {"error": {"code": code or "rate_limited", "message": "Rate limit exceeded", "details": {"limit": verdict.limit, "remaining": verdict.remaining, "reset_time": ceil((now + verdict.reset_after_ms) / 1000), "retry_after": seconds(verdict.retry_after_ms)}}}
            suite.add(f"{name}, the body" + ("" if code is None else f" with the code {code!r}"), {"op": "limits_refusal"} | asked | ({} if code is None else {"code": code}), {"ok": True, "body": body})

    for algorithm in ALGORITHMS:
        config = one(algorithm, 5, 60)
        told(f"the first, {algorithm}", config, [(NOW_MS + 1, 1)])
        told(f"the last, {algorithm}", config, [(NOW_MS + 1, 4), (NOW_MS + 1, 1)])
        told(f"one too many, {algorithm}", config, [(NOW_MS + 1, 5), (NOW_MS + 2, 1)], (None, "", "LUCID_ERR_3010"))
        told(f"a millisecond too early, {algorithm}", config, [(NOW_MS, 5), (NOW_MS + (11_999 if algorithm in BUCKETS else 59_999), 1)])
        told(f"never allowed, {algorithm}", config, [(NOW_MS, 6)])
        told(f"a peek, {algorithm}", config, [(NOW_MS, 5), (NOW_MS, 0)])
        told(f"several, {algorithm}", {"limits": "3/second; 5/minute", "algorithm": algorithm}, [(NOW_MS, 3), (NOW_MS, 1)])
        told(f"several and the second, {algorithm}", {"limits": "3/second; 5/minute", "algorithm": algorithm}, [(NOW_MS, 3), (NOW_MS + 1500, 1)])
        told(f"the first millisecond, {algorithm}", config, [(0, 5), (0, 1)])
        told(f"the last, and later, {algorithm}", config, [(2**47 - 1, 5), (2**47 - 1, 1)])
    told("a burst", one("gcra", 10, 1, 20), [(NOW_MS, 7)])
    told("a lock-out", {"lockout": {}}, [(NOW_MS, 5), (NOW_MS + 1, 1)], (None, 'a "code"\n'))
    told("an attempt of a lock-out", {"lockout": {"attempts": 3}}, [(NOW_MS, 1)])
    told("a century", one("fixed_window", 1, rates.MAX_PERIOD_S), [(NOW_MS, 1), (NOW_MS, 1)])
    for op in ("limits_headers", "limits_refusal"):
        suite.add(f"{op} of a time before 1970", {"op": op, "config": one("gcra", 5, 60), "state_hex": None, "now_ms": -1, "cost": 6, "ietf": False}, refusal("invalid_argument"), 43)
    for name, (limits, algorithm) in PROFILES.items():
        limit = rates.configured({"limits": limits, "algorithm": algorithm})[0]
        suite.add(f"the profile {name}", {"op": "limits_describe", "config": {"profile": name}}, {"ok": True, "description": {"algorithm": algorithm, "limits": [{"amount": limit.amount, "period_s": limit.period_s, "burst": limit.amount}]}})
    documents = {name.split("/")[0]: {} for name in PROFILES}
    for name, (limits, algorithm) in PROFILES.items():
        documents[name.split("/")[0]][name.split("/")[1]] = {"limits": limits, "algorithm": algorithm}
    suite.add("all profiles", {"op": "limit_profiles"}, {"ok": True, "profiles": documents})
    return suite


def seconds(ms: int | None) -> int | None:
    return None if ms is None else ceil(ms / 1000)


def fields(limits: list[Limit], verdict: rates.Verdict, now: int, ietf: bool) -> list[list[str]]:
    told = [["X-RateLimit-Limit", str(verdict.limit)], ["X-RateLimit-Remaining", str(verdict.remaining)], ["X-RateLimit-Reset", str(ceil((now + verdict.reset_after_ms) / 1000))]]
    if ietf:
        names = [f'"{limit.amount}/{limit.period_s}s"' for limit in limits]
        told.append(["RateLimit-Policy", ", ".join(f"{name};q={limit.capacity};w={limit.period_s}" for name, limit in zip(names, limits))])
        told.append(["RateLimit", f"{names[verdict.index]};r={verdict.remaining};t={seconds(verdict.reset_after_ms)}"])
    if verdict.retry_after_ms:
        told.append(["Retry-After", str(seconds(verdict.retry_after_ms))])
    return told


# The requirements' tables, which say how much, not how it is counted: log-in is exact, the others as exact as a few bytes allow.
PROFILES = {
    "deepinsight/document_upload": ("10/minute", "sliding_window"),
    "deepinsight/login": ("5/minute", "sliding_log"),
    "deepinsight/ontology_generate": ("3/hour", "sliding_window"),
    "deepinsight/default": ("100/hour", "sliding_window"),
    "session-cluster/session_create": ("10/minute", "sliding_window"),
    "session-cluster/session_read": ("100/minute", "sliding_window"),
    "session-cluster/session_update": ("50/minute", "sliding_window"),
    "session-cluster/session_delete": ("5/minute", "sliding_window"),
    "session-cluster/chunk_download": ("1000/minute", "sliding_window"),
    "session-cluster/pipeline_control": ("20/minute", "sliding_window"),
    "session-cluster/statistics": ("60/minute", "sliding_window"),
    "session-cluster/default": ("100/minute", "sliding_window"),
}
