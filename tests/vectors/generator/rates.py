"""A reference of the limits' arithmetic: slow, in fractions, and obviously what FORMATS.md says.

An algorithm is two functions: whether a cost fits at a moment, and the state once it is spent. All that a verdict says
follows from the first by search: what remains is the greatest cost that fits, and the wait is the first millisecond at
which it does. No formula of the kernel is used.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil
from typing import Any

MAX_NOW_MS = 2**47 - 1
MAX_PERIOD_S = 100 * 360 * 86400
MAX_FULL_MS = 2**46
MAX_LIMITS, MAX_SPEC_LEN, MAX_LOG, MAX_ATTEMPTS = 8, 1024, 64, 255
U32 = 2**32 - 1
UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "month": 30 * 86400, "year": 360 * 86400}
KINDS = {"gcra": 0x11, "token_bucket": 0x12, "fixed_window": 0x13, "sliding_window": 0x14, "sliding_log": 0x15, "lockout": 0x16}


class Refused(Exception):
    """The name of a status."""


@dataclass(frozen=True)
class Limit:
    """`amount` in `period_s`, by an algorithm."""

    algorithm: str
    amount: int
    period_s: int
    burst: int
    growth: int = 1
    max_lock_s: int = 86400

    @property
    def period(self) -> int:
        return self.period_s * 1000

    @property
    def interval(self) -> Fraction:
        """The milliseconds in which one comes back."""
        return Fraction(self.period, self.amount)

    @property
    def capacity(self) -> int:
        return self.burst if self.is_bucket else self.amount

    @property
    def is_bucket(self) -> bool:
        return self.algorithm in {"gcra", "token_bucket"}

    @property
    def tag(self) -> tuple[Any, ...]:
        """What a state is said to be of."""
        return self.algorithm, self.amount, self.period_s, self.burst


# ---- the states: None is that of who never spent anything ----


@dataclass(frozen=True)
class Arrival:
    """GCRA and the token bucket: the theoretical arrival time, in milliseconds."""

    tat: Fraction


@dataclass(frozen=True)
class Window:
    start: int
    count: int


@dataclass(frozen=True)
class Windows:
    start: int
    previous: int
    current: int


@dataclass(frozen=True)
class Log:
    times: tuple[int, ...]


@dataclass(frozen=True)
class Failures:
    failures: int
    locks: int
    last: int
    until: int


State = Arrival | Window | Windows | Log | Failures | None


# ---- the algorithms ----


def as_of(limit: Limit, state: State, now: int) -> State:
    """The state as it counts at `now`: what has passed is gone."""
    match state:
        case Window(start, count) if count == 0 or now >= start + limit.period:
            return None
        case Windows(start) if now >= start + 2 * limit.period:
            return None
        case Windows(start, _, current) if now >= start + limit.period:
            return Windows(start + limit.period, current, 0) if current else None
        case Windows(_, 0, 0):
            return None
        case Log(times):
            return Log(tuple(time for time in times if now - time < limit.period))
        case Failures(failures, locks, last, until):
            is_over = now >= until if failures == limit.amount else now - last >= limit.period
            left = 0 if is_over else failures
            remembered_ms = limit.max_lock_s * 1000 if limit.growth > 1 else 0
            return Failures(left, locks, last, until) if left or now < max(last, until) + remembered_ms else None
    return state


def fits(limit: Limit, state: State, now: int, cost: int) -> bool:
    """Whether `cost` may be spent at `now`."""
    match as_of(limit, state, now):
        case None:
            return cost <= limit.capacity
        case Arrival(tat):
            return max(tat, Fraction(now)) + cost * limit.interval <= now + limit.burst * limit.interval
        case Window(_, count):
            return count + cost <= limit.amount
        case Windows(start, previous, current):
            left = limit.period - max(now - start, 0)
            return ceil(Fraction(previous * left, limit.period)) + current + cost <= limit.amount
        case Log(times):
            return len(times) + cost <= limit.amount
        case Failures(failures):
            return failures + cost <= limit.amount


def spent(limit: Limit, state: State, now: int, cost: int) -> State:
    """The state once `cost`, which fits and is not 0, was spent at `now`."""
    current = as_of(limit, state, now)
    match limit.algorithm, current:
        case "gcra" | "token_bucket", _:
            tat = max(current.tat if isinstance(current, Arrival) else 0, Fraction(now))
            return Arrival(tat + cost * limit.interval)
        case "fixed_window", None:
            return Window(now, cost)
        case "fixed_window", Window(start, count):
            return Window(start, count + cost)
        case "sliding_window", None:
            return Windows(now, 0, cost)
        case "sliding_window", Windows(start, previous, count):
            return Windows(start, previous, count + cost)
        case "sliding_log", _:
            times = current.times if isinstance(current, Log) else ()
            return Log(times + (max([now, *times[-1:]]),) * cost)
    before = current if isinstance(current, Failures) else Failures(0, 0, 0, 0)
    after = replace(before, failures=before.failures + cost, last=max(before.last, now))
    if after.failures < limit.amount:
        return after
    lock_s = min(limit.period_s * limit.growth**before.locks, limit.max_lock_s)
    return replace(after, until=after.last + lock_s * 1000, locks=min(before.locks + 1, 255))


def first(low: int, high: int, holds: Callable[[int], bool]) -> int:
    """The least number from `low` to `high` of which it holds, which it does of all that follow."""
    assert holds(high)
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle + 1, high)
    return low


def wait(limit: Limit, state: State, now: int, cost: int) -> int:
    """The milliseconds until `cost` fits, if nobody else spends anything."""
    return first(0, 2**49, lambda ms: fits(limit, state, now + ms, cost))


def remaining(limit: Limit, state: State, now: int) -> int:
    """The greatest cost that fits."""
    return first(1, limit.capacity + 1, lambda cost: not fits(limit, state, now, cost)) - 1


def keep(limit: Limit, state: State, now: int) -> int:
    """The milliseconds for which the state is of any use."""
    until_full = wait(limit, state, now, limit.capacity)
    return until_full if limit.growth == 1 else first(until_full, 2**49, lambda ms: as_of(limit, state, now + ms) is None)


# ---- the bytes ----


def encoded(limit: Limit, state: State, now: int) -> bytes:
    head = struct.pack(">BII", KINDS[limit.algorithm], limit.amount, limit.period_s)
    match state:
        case Arrival(tat):
            ms, rest = divmod(tat, 1)
            return head + limit.burst.to_bytes(4, "big") + u48(ms) + int(rest * limit.amount).to_bytes(4, "big")
        case Window(start, count):
            return head + u48(start) + count.to_bytes(4, "big")
        case Windows(start, previous, current):
            return head + u48(start) + previous.to_bytes(4, "big") + current.to_bytes(4, "big")
        case Log(times):
            return head + bytes([len(times)]) + b"".join(map(u48, times))
        case Failures(failures, locks, last, until):
            return head + bytes([failures, locks]) + u48(last) + u48(until)
    nothing = {"fixed_window": Window(now, 0), "sliding_window": Windows(now, 0, 0), "sliding_log": Log(()), "lockout": Failures(0, 0, 0, 0)}
    return encoded(limit, nothing.get(limit.algorithm, Arrival(Fraction(0))), now)


def u48(value: int) -> bytes:
    return int(value).to_bytes(6, "big")


class Damaged(Exception):
    """These bytes are no state."""


class Bytes:
    """Bytes that are taken from the front."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def take(self, size: int) -> int:
        if len(self.data) < size:
            raise Damaged
        taken, self.data = self.data[:size], self.data[size:]
        return int.from_bytes(taken, "big")

    def most(self, size: int, bound: int) -> int:
        value = self.take(size)
        if value > bound:
            raise Damaged
        return value


def decoded(data: bytes, limits: list[Limit]) -> list[tuple[Limit, State]]:
    """What a key's state holds, one after the other. Of `limits` are those that have their tag."""
    rest, states = Bytes(data), []
    while rest.data:
        stored, state = decoded_one(rest)
        states.append((next((limit for limit in limits if limit.tag == stored.tag), stored), state))
    return states


def decoded_one(rest: Bytes) -> tuple[Limit, State]:
    kind, amount, period_s = rest.take(1), rest.take(4), rest.take(4)
    name = {byte: name for name, byte in KINDS.items()}.get(kind, "")
    burst = rest.take(4) if name in {"gcra", "token_bucket"} else amount
    try:
        limit = checked(Limit(name, amount, period_s, burst))
    except (Refused, KeyError):
        raise Damaged from None
    if limit.is_bucket:
        ms, part = rest.take(6), rest.most(4, amount - 1)
        return limit, Arrival(ms + Fraction(part, amount))
    if name == "fixed_window":
        return limit, Window(rest.take(6), rest.most(4, amount))
    if name == "sliding_window":
        return limit, Windows(rest.take(6), rest.most(4, amount), rest.most(4, amount))
    if name == "sliding_log":
        times = tuple(rest.take(6) for _ in range(rest.most(1, amount)))
        if list(times) != sorted(times):
            raise Damaged
        return limit, Log(times)
    state = Failures(rest.most(1, amount), rest.take(1), rest.take(6), rest.take(6))
    if state.last > MAX_NOW_MS or (state.failures == amount and state.until <= state.last):
        raise Damaged
    return limit, state


# ---- the limits of a key ----


@dataclass(frozen=True)
class Verdict:
    """What is said of a cost."""

    allowed: bool
    never_allowed: bool
    limit: int
    remaining: int
    index: int
    reset_after_ms: int
    retry_after_ms: int | None
    keep_ms: int


def clock(now: int) -> int:
    if now < 0:
        raise Refused("invalid_argument")
    return min(now, MAX_NOW_MS)


def spend(limits: list[Limit], data: bytes, now: int, cost: int) -> tuple[Verdict, bytes]:
    """The verdict on `cost`, and what to store."""
    now = clock(now)
    states, data = own(limits, data, now)
    asked = max(cost, 1)
    allowed = all(fits(limit, state, now, asked) for limit, state in zip(limits, states))
    if allowed and cost > 0:
        states = [spent(limit, state, now, cost) for limit, state in zip(limits, states)]
        data = b"".join(encoded(limit, state, now) for limit, state in zip(limits, states))
    verdicts = [verdict(index, limit, state, now, None if allowed else asked) for index, (limit, state) in enumerate(zip(limits, states))]
    kept = max(each.keep_ms for each in verdicts)
    return replace(min(verdicts, key=strictness), keep_ms=kept), data


def verdict(index: int, limit: Limit, state: State, now: int, asked: int | None) -> Verdict:
    """How one limit stands. `asked` is what was not spent, because of this limit or another."""
    never = asked is not None and asked > limit.capacity
    retry = None if never else 0 if asked is None else wait(limit, state, now, asked)
    full = wait(limit, state, now, limit.capacity)
    return Verdict(retry == 0, never, limit.capacity, remaining(limit, state, now), index, full, retry, keep(limit, state, now))


def strictness(one: Verdict) -> tuple[int, ...]:
    """The least speaks for all: one that never allows it, then the longest wait, then the fewest left."""
    if one.never_allowed:
        return (0, one.index)
    if one.retry_after_ms:
        return (1, -one.retry_after_ms, one.index)
    return (2, one.remaining, -one.reset_after_ms, one.index)


def own(limits: list[Limit], data: bytes, now: int) -> tuple[list[State], bytes]:
    """The states of these limits, and their bytes: those that are stored, or what they are converted to."""
    if not data:
        return [None] * len(limits), b""
    try:
        stored = decoded(data, limits)
    except Damaged:
        states = [spent(limit, None, now, limit.capacity) for limit in limits]
        return states, b"".join(encoded(limit, state, now) for limit, state in zip(limits, states))
    if [limit.tag for limit, _ in stored] == [limit.tag for limit in limits]:
        return [state for _, state in stored], data
    states = [converted(limit, limits, stored, now) for limit in limits]
    return states, b"".join(encoded(limit, state, now) for limit, state in zip(limits, states))


def converted(limit: Limit, limits: list[Limit], stored: list[tuple[Limit, State]], now: int) -> State:
    """A limit's own state, if it is there; else one that has used as much as others have, and a lock that lasts as long."""
    for other, state in stored:
        if other.tag == limit.tag:
            return state
    used = used_of(limit, limits, stored, now)
    state = spent(limit, None, now, used) if used else None
    locks = [before for _, before in stored if isinstance(before, Failures)]
    if limit.algorithm != "lockout" or not locks:
        return state
    fresh = state if isinstance(state, Failures) else Failures(0, 0, 0, 0)
    return replace(fresh, locks=max(each.locks for each in (fresh, *locks)), until=max(each.until for each in (fresh, *locks)))


def used_of(limit: Limit, limits: list[Limit], stored: list[tuple[Limit, State]], now: int) -> int:
    """How much of a limit counts as used, going by the states of others."""
    old = [(each.period_s, each.capacity, remaining(each, state, now)) for each, state in stored]
    heirs = {each.period_s for each in limits}
    same = [each for each in old if each[0] == limit.period_s][:1]
    gone = [each for each in old if each[0] not in heirs]
    used = max(capacity - left for _, capacity, left in same or gone or old)
    least = min(left for _, _, left in same or gone or old)
    if not same and not gone:
        return min(used, limit.capacity)
    return min(max(used, limit.capacity - min(least, limit.capacity)), limit.capacity)


def give_back(limits: list[Limit], data: bytes, spent_at: int, now: int, cost: int) -> bytes:
    """What to store once `cost`, which was spent at `spent_at`, is given back."""
    spent_at, now = clock(spent_at), clock(now)
    states, data = own(limits, data, now)
    if not data:
        return b""
    return b"".join(encoded(limit, given_back(limit, state, spent_at, now, cost), now) for limit, state in zip(limits, states))


def given_back(limit: Limit, state: State, spent_at: int, now: int, cost: int) -> State:
    """The state without what time has not given back of `cost` already."""
    passed = max(now - spent_at, 0)
    if isinstance(state, Arrival):
        return Arrival(max(state.tat - max(cost * limit.interval - passed, Fraction(0)), Fraction(0)))
    if isinstance(state, Window):
        return replace(state, count=max(state.count - cost, 0)) if state.start <= spent_at and now < state.start + limit.period else state
    if isinstance(state, Log):
        at = sum(time < spent_at for time in state.times)
        return Log(state.times[:at] + state.times[at + cost :]) if passed < limit.period else state
    match as_of(limit, state, now):
        case Windows(start, previous, current) if start <= spent_at:
            return Windows(start, previous, max(current - cost, 0))
        case Windows(start, previous, current) if start - limit.period <= spent_at:
            return Windows(start, max(previous - cost, 0), current)
        case Failures(failures, locks, last, until) if spent_at <= last and passed < limit.period:
            left = max(failures - cost, 0)
            is_unlocked = left < limit.amount <= failures
            return Failures(left, max(locks - 1, 0), last, 0) if is_unlocked else Failures(left, locks, last, until)
        case counted:
            return counted


# ---- configurations ----


def checked(limit: Limit) -> Limit:
    if limit.algorithm not in KINDS or limit.amount == 0 or limit.burst == 0 or not 1 <= limit.period_s <= MAX_PERIOD_S:
        raise Refused("config_error")
    if not limit.is_bucket and limit.burst != limit.amount:
        raise Refused("config_error")
    if limit.burst * limit.interval >= MAX_FULL_MS + 1:
        raise Refused("config_error")
    if limit.amount > {"sliding_log": MAX_LOG, "lockout": MAX_ATTEMPTS}.get(limit.algorithm, U32):
        raise Refused("config_error")
    return limit


ITEM = re.compile(r"[ \t\n\r\f]*([0-9]+)[ \t\n\r\f]*(?:/|per)[ \t\n\r\f]*(?:([0-9]+)[ \t\n\r\f]*)?([a-z]+)[ \t\n\r\f]*", re.ASCII | re.IGNORECASE)


def parsed(text: str) -> list[tuple[int, int]]:
    """The amounts and periods of a text, or `config_error`."""
    items = []
    for part in re.split("[;,|]", text):
        match = ITEM.fullmatch(part)
        unit = match and UNITS.get(match[3].lower(), UNITS.get(match[3].lower().removesuffix("s")))
        if not match or not unit:
            raise Refused("config_error")
        amount, multiple = int(match[1]), int(match[2] or 1)
        if not 1 <= amount <= U32 or not 1 <= multiple <= U32 or multiple * unit > MAX_PERIOD_S:
            raise Refused("config_error")
        items.append((amount, multiple * unit))
    periods = {period_s for _, period_s in items}
    if len(text.encode()) > MAX_SPEC_LEN or not 1 <= len(items) <= MAX_LIMITS or len(periods) < len(items):
        raise Refused("config_error")
    return items


def configured(config: dict[str, Any]) -> list[Limit]:
    """The limits of a configuration whose members are of the right types."""
    if "lockout" in config:
        given = {"attempts": 5, "lock_s": 900, "growth": 1} | config["lockout"]
        longest = given.get("max_lock_s", max(given["lock_s"], 86400))
        if not 1 <= given["growth"] <= 100 or not given["lock_s"] <= longest <= MAX_PERIOD_S:
            raise Refused("config_error")
        limit = checked(Limit("lockout", given["attempts"], given["lock_s"], given["attempts"]))
        return [replace(limit, growth=given["growth"], max_lock_s=longest)]
    algorithm, burst = config.get("algorithm", "gcra"), config.get("burst")
    items = parsed(config["limits"])
    if algorithm == "lockout" or (burst is not None and len(items) > 1):
        raise Refused("config_error")
    return [checked(Limit(algorithm, amount, period_s, amount if burst is None else burst)) for amount, period_s in items]
