"""Limits: how they are written, what they decide, and that nothing a caller passes refills them."""

from __future__ import annotations

import copy
import json
import pickle
import random
from collections.abc import Iterable
from typing import Any

import pytest

import donjon
from donjon import Limit, Limits, Verdict, _donjon

NOW = 1_700_000_000_000
MAX_NOW = 2**47 - 1
ALGORITHMS = ["gcra", "token_bucket", "fixed_window", "sliding_window", "sliding_log"]


def limits_of(algorithm: str, text: str = "5/minute") -> Limits:
    if algorithm == "lockout":
        return Limits.lockout(5, 60)
    return Limits(text, algorithm=algorithm)  # type: ignore[arg-type]


def spent(limits: Limits, cost: int, now_ms: int = NOW, state: bytes = b"") -> bytes:
    verdict, state = limits.spend(state, cost, now_ms=now_ms)
    assert verdict.allowed
    return state


# ---- how they are written ----


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("10/minute", [(10, 60)]),
        ("5 per 1 hour", [(5, 3_600)]),
        ("1 per 10 second", [(1, 10)]),
        (" 7 PER 3 Days ", [(7, 3 * 86_400)]),
        ("1/month", [(1, 30 * 86_400)]),
        ("1/year", [(1, 360 * 86_400)]),
        ("10/second; 100/hour", [(10, 1), (100, 3_600)]),
        ("10/second,100/hour|1000/day", [(10, 1), (100, 3_600), (1_000, 86_400)]),
        ("4294967295/second", [(2**32 - 1, 1)]),
    ],
)
def test_limits_are_written_as_the_limits_package_has_them(
    text: str, items: list[tuple[int, int]]
) -> None:
    limits = Limits(text)
    assert limits.algorithm == "gcra"
    assert limits.items == tuple(Limit(amount, period, amount) for amount, period in items)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("", 0),
        ("0/minute", 0),
        ("-1/second", 0),
        ("10/fortnight", 3),
        ("1e3/day", 1),
        ("10", 2),
        ("10/", 3),
        ("10/0 minute", 3),
        ("1.5/minute", 1),
        ("10/minute;", 10),
        ("10/minute;;5/hour", 10),
        ("10/minute; x", 11),
        ("4294967296/second", 0),
        ("99999999999999999999999/second", 0),
        ("\uff11\uff10/minute", 0),
    ],
)
def test_what_is_wrong_with_limits_is_said_with_its_place(text: str, at: int) -> None:
    with pytest.raises(donjon.ConfigError) as caught:
        Limits(text)
    assert caught.value.path == "limits"
    assert caught.value.diagnosis is not None
    assert caught.value.diagnosis["message"].endswith(f" at byte {at}")
    assert str(caught.value).startswith("limits: ")


@pytest.mark.parametrize(
    "make",
    [
        lambda: Limits("5/minute", algorithm="leaky"),  # type: ignore[arg-type]
        lambda: Limits("5/minute", algorithm="lockout"),
        lambda: Limits("5/minute", burst=0),
        lambda: Limits("5/minute; 50/hour", burst=9),
        lambda: Limits("5/minute", algorithm="fixed_window", burst=9),
        lambda: Limits("65/minute", algorithm="sliding_log"),
        lambda: Limits("5/minute; 6/60 seconds"),
        lambda: Limits(";".join(f"1/{n} second" for n in range(1, 10))),
        lambda: Limits("1/second" + " " * 1_100),
        lambda: Limits.lockout(0),
        lambda: Limits.lockout(256),
        lambda: Limits.lockout(lock_s=0),
        lambda: Limits.lockout(growth=0),
        lambda: Limits.profile("session-cluster/none"),
        lambda: Limits.profile(""),
        lambda: Limits.from_config('{"limits":"5/minute","limits":"6/minute"}'),
        lambda: Limits.from_config(b"\xff"),
        lambda: Limits.from_config(""),
    ],
)
def test_limits_that_make_no_sense_are_refused_with_a_reason(make: Any) -> None:
    with pytest.raises(donjon.ConfigError) as caught:
        make()
    assert caught.value.diagnosis is not None
    assert caught.value.diagnosis["message"]


def test_a_burst_is_what_may_be_had_at_once() -> None:
    limits = Limits("10/minute", burst=3)
    assert limits.items == (Limit(10, 60, 3),)
    verdict, _ = limits.spend(None, 3, now_ms=NOW)
    assert (verdict.limit, verdict.remaining) == (3, 0)
    # As much as the amount is what it is anyway.
    assert Limits("5/minute", algorithm="fixed_window", burst=5).items[0].burst == 5


def test_every_profile_can_be_had_by_its_name() -> None:
    profiles = _donjon.profiles()
    assert set(profiles) == {"deepinsight", "session-cluster"}
    for document, endpoints in profiles.items():
        assert "default" in endpoints
        for endpoint, profile in endpoints.items():
            limits = Limits.profile(f"{document}/{endpoint}")
            assert limits.algorithm == profile["algorithm"]
            assert limits.items == Limits(profile["limits"]).items


def test_limits_are_values_that_cross_processes() -> None:
    for limits in (
        Limits("10/minute", burst=3),
        Limits.lockout(growth=2),
        Limits.profile("deepinsight/login"),
    ):
        again = pickle.loads(pickle.dumps(limits))
        assert again.items == limits.items
        assert again.algorithm == limits.algorithm
        assert repr(again) == repr(limits)
        assert eval(repr(limits), {"Limits": Limits}).items == limits.items
    assert len({limits, limits, again}) == 2
    with pytest.raises(AttributeError):
        limits.algorithm = "gcra"  # type: ignore[misc]


# ---- what they decide ----


def test_a_verdict_says_what_is_left_and_when_there_is_more() -> None:
    limits = Limits("5/minute")
    verdict, state = limits.spend(None, 4, now_ms=NOW)
    assert verdict == Verdict(True, 5, 1, 48_000, 0, keep_ms=48_000, now_ms=NOW)
    verdict, state = limits.spend(state, 2, now_ms=NOW + 1)
    assert verdict == Verdict(False, 5, 1, 47_999, 11_999, keep_ms=47_999, now_ms=NOW + 1)
    verdict, state = limits.spend(state, 2, now_ms=NOW + 12_000)
    assert verdict.allowed
    assert verdict.remaining == 0
    assert len(state) == 23


def test_the_clock_is_the_systems_where_no_time_is_given() -> None:
    limits = Limits("1/hour")
    verdict, state = limits.spend(None)
    assert verdict.allowed
    assert verdict.now_ms > NOW
    verdict, _ = limits.spend(state)
    assert not verdict.allowed
    reset = dict(limits.headers(verdict))["X-RateLimit-Reset"]
    assert 0 <= int(reset) - verdict.now_ms // 1000 - 3_600 <= 2


@pytest.mark.parametrize("algorithm", [*ALGORITHMS, "lockout"])
def test_after_retry_after_it_is_allowed_and_not_a_millisecond_before(algorithm: str) -> None:
    limits, now, state = limits_of(algorithm), NOW, b""
    draw, refused = random.Random(7), 0
    for _ in range(300):
        cost = draw.choice([1, 1, 1, 2, 5])
        verdict, next_state = limits.spend(state, cost, now_ms=now)
        if not verdict:
            refused += 1
            assert next_state == state
            assert verdict.retry_after_ms
            later = now + verdict.retry_after_ms
            assert not limits.spend(state, cost, now_ms=later - 1)[0]
            assert limits.spend(state, cost, now_ms=later)[0]
        state, now = next_state, now + draw.choice([0, 1, 999, 7_000, 30_000])
    assert refused > 20


@pytest.mark.parametrize("algorithm", [*ALGORITHMS, "lockout"])
def test_after_reset_after_all_of_it_is_there_again(algorithm: str) -> None:
    limits = limits_of(algorithm)
    verdict, state = limits.spend(None, 3, now_ms=NOW)
    assert limits.spend(state, 0, now_ms=NOW + verdict.reset_after_ms)[0].remaining == 5
    assert limits.spend(state, 0, now_ms=NOW + verdict.reset_after_ms - 1)[0].remaining < 5


def test_several_limits_are_spent_all_or_nothing() -> None:
    limits = Limits("10/second; 12/hour")
    state = spent(limits, 10)
    verdict, same = limits.spend(state, 1, now_ms=NOW)
    assert (verdict.allowed, verdict.index, verdict.limit) == (False, 0, 10)
    assert same == state
    state = spent(limits, 2, NOW + 1_000, state)
    verdict, _ = limits.spend(state, 5, now_ms=NOW + 2_000)
    # The second refuses for longer, and is the one that is reported.
    assert (verdict.allowed, verdict.index, verdict.limit, verdict.remaining) == (False, 1, 12, 0)


# Attack 42.
@pytest.mark.parametrize("algorithm", [*ALGORITHMS, "lockout"])
def test_what_costs_more_than_there_ever_is_is_never_allowed(algorithm: str) -> None:
    limits = limits_of(algorithm)
    for cost in (6, 2**32 - 1):
        verdict, state = limits.spend(None, cost, now_ms=NOW)
        assert (verdict.allowed, verdict.never_allowed) == (False, True)
        assert verdict.retry_after_ms is None
        assert state == b""
        assert "Retry-After" not in dict(limits.headers(verdict, now_ms=NOW))
        assert limits.refusal(verdict)["error"]["details"]["retry_after"] is None


# Attack 42.
@pytest.mark.parametrize("algorithm", [*ALGORITHMS, "lockout"])
def test_a_cost_of_nothing_asks_and_spends_nothing(algorithm: str) -> None:
    limits = limits_of(algorithm)
    verdict, state = limits.spend(None, 0, now_ms=NOW)
    assert (verdict.allowed, verdict.remaining, state) == (True, 5, b"")
    full = spent(limits, 5)
    verdict, state = limits.spend(full, 0, now_ms=NOW)
    assert (verdict.allowed, verdict.remaining, state) == (False, 0, full)
    assert verdict.retry_after_ms


# ---- what must not refill them (attack 43) ----


@pytest.mark.parametrize("algorithm", [*ALGORITHMS, "lockout"])
@pytest.mark.parametrize("back", [1, 1_000, 60_000, NOW])
def test_a_clock_that_goes_back_refills_nothing(algorithm: str, back: int) -> None:
    limits = limits_of(algorithm)
    state = spent(limits, 5)
    verdict, same = limits.spend(state, 1, now_ms=NOW - back)
    assert not verdict
    assert verdict.remaining == 0
    assert same == state


@pytest.mark.parametrize("algorithm", [*ALGORITHMS, "lockout"])
@pytest.mark.parametrize("now", [0, MAX_NOW, MAX_NOW + 1, 2**63 - 1])
def test_the_first_and_the_last_moment_are_moments(algorithm: str, now: int) -> None:
    limits = limits_of(algorithm)
    state = spent(limits, 5, now)
    verdict, _ = limits.spend(state, 1, now_ms=now)
    assert not verdict
    assert verdict.reset_after_ms > 0
    # A state of the future, too.
    assert not limits.spend(state, 1, now_ms=0)[0]


@pytest.mark.parametrize("algorithm", [*ALGORITHMS, "lockout"])
@pytest.mark.parametrize("now", [-1, -(2**47), -(2**63)])
def test_there_is_no_time_before_1970(algorithm: str, now: int) -> None:
    limits = limits_of(algorithm)
    state = spent(limits, 1)
    for call in (
        lambda: limits.spend(None, now_ms=now),
        lambda: limits.spend(state, now_ms=now),
        lambda: limits.give_back(state, now, now_ms=NOW),
        lambda: limits.give_back(state, NOW, now_ms=now),
        lambda: limits.headers(Verdict(True, 5, 5, 0, 0), now_ms=now),
        lambda: limits.refusal(Verdict(False, 5, 0, 1, 1), now_ms=now),
    ):
        with pytest.raises(donjon.InvalidArgument):
            call()


def damaged(state: bytes) -> Iterable[bytes]:
    for length in range(1, len(state)):
        yield state[:length]
    for length in (1, 2, 23, 4_096):
        yield state + bytes(length)
        yield bytes(length)
        yield b"\xff" * length


@pytest.mark.parametrize("algorithm", [*ALGORITHMS, "lockout"])
def test_a_damaged_state_is_all_spent(algorithm: str) -> None:
    limits = limits_of(algorithm)
    for state in damaged(spent(limits, 1)):
        verdict, _ = limits.spend(state, 1, now_ms=NOW)
        assert not verdict, state.hex()
        assert verdict.remaining == 0


@pytest.mark.parametrize("algorithm", [*ALGORITHMS, "lockout"])
def test_no_state_is_too_strange(algorithm: str) -> None:
    limits, draw = limits_of(algorithm), random.Random(11)
    good = spent(limits, 2)
    for _ in range(2_000):
        state = bytearray(good)
        for _ in range(draw.randrange(1, 4)):
            state[draw.randrange(len(state))] = draw.randrange(256)
        verdict, after = limits.spend(bytes(state), 1, now_ms=NOW)
        assert 0 <= verdict.remaining <= 5
        assert verdict.reset_after_ms >= 0
        limits.give_back(after, NOW, 1, now_ms=NOW)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_another_specification_finds_what_was_spent_under_the_old_one(algorithm: str) -> None:
    state = spent(limits_of(algorithm, "5/minute"), 5)
    for text in ("10/minute", "3/minute", "5/hour", "10/minute; 20/hour"):
        for other in ALGORITHMS:
            verdict, _ = limits_of(other, text).spend(state, 0, now_ms=NOW)
            assert verdict.limit - verdict.remaining >= min(5, verdict.limit), (text, other)


# ---- how much is admitted (attack 44) ----


def admitted(limits: Limits, arrivals: Iterable[int]) -> list[int]:
    state, times = b"", []
    for now in arrivals:
        verdict, state = limits.spend(state, 1, now_ms=now)
        if verdict:
            times.append(now)
    return times


def most_in_a_window(times: list[int], window: int) -> int:
    most = start = 0
    for end, time in enumerate(times):
        while times[start] <= time - window:
            start += 1
        most = max(most, end - start + 1)
    return most


@pytest.mark.parametrize(
    ("algorithm", "most"),
    [
        ("gcra", 19),
        ("token_bucket", 19),
        ("fixed_window", 20),
        ("sliding_window", 19),
        ("sliding_log", 10),
    ],
)
def test_the_most_in_any_period_is_what_the_algorithm_promises(algorithm: str, most: int) -> None:
    draw = random.Random(42)
    for pause in (1, 20, 90, 400):
        arrivals, now = [], NOW
        for _ in range(4_000):
            now += 0 if draw.random() < 0.5 else draw.randrange(2 * pause)
            arrivals.append(now)
        times = admitted(limits_of(algorithm, "10/second"), arrivals)
        assert 10 <= most_in_a_window(times, 1_000) <= most


@pytest.mark.parametrize("algorithm", ["gcra", "token_bucket"])
def test_seven_a_second_is_seven_a_second_to_the_last(algorithm: str) -> None:
    times = admitted(limits_of(algorithm, "7/second"), range(NOW, NOW + 100_000))
    assert len(times) == 700 + 7 - 1
    often = admitted(limits_of(algorithm, "10000/second"), [NOW + at // 20 for at in range(40_000)])
    assert len(often) == 10_000 + 10_000 * 1_999 // 1_000


def test_five_a_day_keep_a_burst_of_one_at_least() -> None:
    limits = Limits("5/day", burst=1)
    state = spent(limits, 1)
    verdict, _ = limits.spend(state, 1, now_ms=NOW)
    assert verdict.retry_after_ms == 86_400_000 // 5


# ---- what is given back ----


@pytest.mark.parametrize("algorithm", [*ALGORITHMS, "lockout"])
def test_what_was_spent_can_be_given_back_once_it_is_not_needed(algorithm: str) -> None:
    limits = limits_of(algorithm)
    state = spent(limits, 5)
    state = limits.give_back(state, NOW, 2, now_ms=NOW)
    assert limits.spend(state, 0, now_ms=NOW)[0].remaining == 2
    assert limits.spend(None, 0, now_ms=NOW)[0].remaining == 5
    assert limits.give_back(None, NOW, 1, now_ms=NOW) == b""


@pytest.mark.parametrize("algorithm", [*ALGORITHMS, "lockout"])
@pytest.mark.parametrize("cost", [1, 5, 2**32 - 1])
def test_no_more_is_given_back_than_was_spent(algorithm: str, cost: int) -> None:
    limits = limits_of(algorithm)
    state = spent(limits, 1)
    state = limits.give_back(state, NOW, cost, now_ms=NOW)
    verdict, _ = limits.spend(state, 6, now_ms=NOW)
    assert verdict.remaining == 5
    assert verdict.never_allowed


@pytest.mark.parametrize("algorithm", [*ALGORITHMS, "lockout"])
def test_what_time_has_given_back_is_not_given_back_again(algorithm: str) -> None:
    limits = limits_of(algorithm)
    state, later = spent(limits, 2), NOW + 300_000
    state = spent(limits, 5, later, state)
    state = limits.give_back(state, NOW, 2, now_ms=later)
    assert limits.spend(state, 0, now_ms=later)[0].remaining == 0


# ---- lock-out ----


def test_failures_lock_and_each_lock_is_longer() -> None:
    limits, now, state = Limits.lockout(3, 60, growth=2, max_lock_s=100), NOW, b""
    assert limits.items == (Limit(3, 60, 3),)
    locks = []
    for _ in range(4):
        for _ in range(3):
            state = spent(limits, 1, now, state)
        verdict, same = limits.spend(state, 1, now_ms=now)
        assert not verdict
        assert same == state
        assert verdict.retry_after_ms
        locks.append(verdict.retry_after_ms)
        now += verdict.retry_after_ms
    assert locks == [60_000, 100_000, 100_000, 100_000]


def test_an_attempt_that_succeeds_is_given_back_and_unlocks() -> None:
    limits = Limits.lockout()
    state = spent(limits, 5)
    verdict, _ = limits.spend(state, 1, now_ms=NOW)
    assert verdict.retry_after_ms == 900_000
    state = limits.give_back(state, NOW, 1, now_ms=NOW + 1)
    assert limits.spend(state, 0, now_ms=NOW + 1)[0].remaining == 1


# ---- what a client is told ----


def test_the_headers_say_how_the_limit_stands() -> None:
    limits = Limits("5/minute; 100/hour")
    verdict, state = limits.spend(None, 5, now_ms=NOW)
    headers = limits.headers(verdict, now_ms=NOW)
    assert headers == [
        ("X-RateLimit-Limit", "5"),
        ("X-RateLimit-Remaining", "0"),
        ("X-RateLimit-Reset", str(NOW // 1_000 + 60)),
    ]
    verdict, _ = limits.spend(state, 1, now_ms=NOW + 1)
    assert dict(limits.headers(verdict, now_ms=NOW + 1))["Retry-After"] == "12"
    fields = dict(limits.headers(verdict, now_ms=NOW + 1, ietf=True))
    assert fields["RateLimit-Policy"].count("w=") == 2
    assert ";r=0;t=60" in fields["RateLimit"]
    for name, value in fields.items():
        assert (name + value).isascii()
        assert (name + value).isprintable()


def test_the_body_of_a_refusal_is_the_documents() -> None:
    limits = Limits("5/minute")
    verdict, _ = limits.spend(spent(limits, 5), 1, now_ms=NOW)
    details = {
        "limit": 5,
        "remaining": 0,
        "reset_time": NOW // 1_000 + 60,
        "retry_after": 12,
    }
    body = {"error": {"code": "rate_limited", "message": "Rate limit exceeded", "details": details}}
    assert limits.refusal(verdict, now_ms=NOW) == body
    assert Limits.refusal(verdict, now_ms=NOW) == body
    code = 'a "code"\n\u2028'
    assert limits.refusal(verdict, code=code, now_ms=NOW)["error"]["code"] == code
    json.dumps(body)


# ---- for a store ----


def test_a_script_takes_texts_and_goes_by_the_servers_clock_unless_told() -> None:
    scripts = {algorithm: limits_of(algorithm).script for algorithm in [*ALGORITHMS, "lockout"]}
    assert scripts["gcra"] == Limits("9/day", burst=2).script
    # They are one arithmetic.
    assert len(set(scripts.values())) >= 5
    args = Limits("5/minute").script_args(2)
    assert all(type(arg) is str for arg in args)
    assert "" in args
    told = Limits("5/minute").script_args(2, now_ms=NOW)
    assert len(told) == len(args)
    assert str(NOW) in told
    with pytest.raises(donjon.InvalidArgument):
        Limits("5/minute").script_args(1, now_ms=-1)
    assert "KEYS[1]" in _donjon.compare_and_set_script()


# ---- verdicts ----


def test_a_verdict_is_as_true_as_it_is_allowed() -> None:
    allowed, refused = Verdict(True, 5, 4, 1, 0), Verdict(False, 5, 0, 1, 1)
    assert allowed
    assert not refused


def test_a_verdict_is_a_value() -> None:
    verdict, _ = Limits("5/minute").spend(None, now_ms=NOW)
    for again in (pickle.loads(pickle.dumps(verdict)), copy.copy(verdict), eval(repr(verdict))):
        assert again == verdict
        assert hash(again) == hash(verdict)
    assert verdict.as_degraded() != verdict
    assert verdict.as_degraded().degraded
    assert not verdict.degraded
    assert verdict.as_degraded() == verdict.as_degraded().as_degraded()
    with pytest.raises(AttributeError):
        verdict.allowed = True  # type: ignore[misc]
    assert verdict != "Verdict"


def test_an_exception_takes_its_verdict_and_its_limits_along() -> None:
    limits = Limits("5/minute")
    verdict, _ = limits.spend(spent(limits, 5), now_ms=NOW)
    error = donjon.RateLimited(verdict=verdict, limits=limits)
    again = pickle.loads(pickle.dumps(error))
    assert (again.verdict, again.limits.items) == (verdict, limits.items)
    assert (error.http_status, error.reason, str(error)) == (429, "rate_limited", error.message)
    assert donjon.RateLimited().verdict is None


@pytest.mark.parametrize(
    "verdict",
    [
        Verdict(True, 5, 4, -1, 0),
        Verdict(False, 5, 4, 1, -7),
        Verdict(True, 5, 4, 1, 0, index=7),
        Verdict(True, 5, 4, 1, 0, index=2**32 - 1),
        Verdict(True, 5, 4, 1, 0, never_allowed=True),
        Verdict(False, 5, 4, 1, None),
    ],
)
def test_a_verdict_that_no_limits_gave_makes_no_headers(verdict: Verdict) -> None:
    with pytest.raises(donjon.InvalidArgument):
        Limits("5/minute").headers(verdict, now_ms=NOW)


# ---- careless and hostile callers ----


class Text(str):
    __slots__ = ()

    def __str__(self) -> str:
        return "1000000/second"

    def encode(self, *_: object) -> bytes:
        return b"1000000/second"


class Blob(bytes):
    def __bytes__(self) -> bytes:
        return b""

    def __len__(self) -> int:
        return 0


class Number(int):
    def __int__(self) -> int:
        return 0

    def __index__(self) -> int:
        return 0


def test_subclasses_are_what_they_hold() -> None:
    limits = Limits(Text("5/minute"), algorithm=Text("gcra"), burst=Number(4))  # type: ignore[arg-type]
    assert limits.items == (Limit(5, 60, 4),)
    state = spent(limits, Number(4), Number(NOW))
    assert not limits.spend(Blob(state), Number(1), now_ms=Number(NOW))[0]


@pytest.mark.parametrize("cost", [True, False, 1.0, "1", None, b"1", [1]])
def test_a_cost_is_an_int(cost: Any) -> None:
    with pytest.raises(TypeError):
        Limits("5/minute").spend(None, cost)
    with pytest.raises(TypeError):
        Limits("5/minute").give_back(None, 0, cost)
    with pytest.raises(TypeError):
        Limits("5/minute").script_args(cost)


@pytest.mark.parametrize("cost", [-1, 2**32, 2**64, 10**100])
def test_a_cost_fits_32_bits_and_has_no_sign(cost: int) -> None:
    with pytest.raises(donjon.InvalidArgument):
        Limits("5/minute").spend(None, cost)


@pytest.mark.parametrize("now", [True, 1.0, "1", b"1", [1]])
def test_now_is_an_int(now: Any) -> None:
    with pytest.raises(TypeError):
        Limits("5/minute").spend(None, now_ms=now)


@pytest.mark.parametrize("now", [2**63, -(2**63) - 1, 10**100])
def test_now_fits_64_bits(now: int) -> None:
    with pytest.raises(donjon.InvalidArgument):
        Limits("5/minute").spend(None, now_ms=now)


@pytest.mark.parametrize("state", ["", "text", 1, [1], object()])
def test_a_state_is_bytes_or_none(state: Any) -> None:
    with pytest.raises(TypeError, match="expected bytes or another buffer"):
        Limits("5/minute").spend(state)


def test_a_state_may_be_any_buffer() -> None:
    limits = Limits("5/minute")
    state = spent(limits, 5)
    for form in (bytearray(state), memoryview(state), memoryview(state * 2)[: len(state)]):
        assert not limits.spend(form, now_ms=NOW)[0]


@pytest.mark.parametrize("text", [b"5/minute", None, 5, ["5/minute"]])
def test_limits_are_a_text(text: Any) -> None:
    with pytest.raises(TypeError, match="expected str"):
        Limits(text)


def test_half_a_character_is_the_callers_mistake() -> None:
    for text in ("5/\udc80", "\ud800"):
        with pytest.raises(donjon.InvalidArgument):
            Limits(text)
        with pytest.raises(donjon.InvalidArgument):
            Limits.profile(text)


@pytest.mark.parametrize("burst", [True, 1.5, "5"])
def test_a_burst_is_an_int(burst: Any) -> None:
    with pytest.raises(TypeError):
        Limits("5/minute", burst=burst)


@pytest.mark.parametrize("arguments", [("yes", 1, 1, 1, 1), (True, True, 1, 1, 1), (1, 1, 1, 1, 1)])
def test_a_verdict_is_made_of_what_it_holds(arguments: Any) -> None:
    with pytest.raises(TypeError):
        Verdict(*arguments)
