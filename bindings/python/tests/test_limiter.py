"""Limiters over a store: all or nothing, and what becomes of a store that fails."""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from donjon import (
    InvalidArgument,
    LimitInputRefused,
    Limits,
    LimitTable,
    StoreUnavailable,
    Verdict,
)
from donjon.limits import AsyncLimiter, Charge, Limiter

pytestmark = pytest.mark.anyio

ONE, TWO, TEN = Limits("1/minute"), Limits("2/minute"), Limits("10/minute")


class Store:
    """A table that fails when it is told to, and says what it was asked."""

    def __init__(self) -> None:
        self.table = LimitTable()
        self.error: BaseException | None = None
        self.asked: list[tuple[str, str]] = []

    def spend(self, limits: Limits, key: str, cost: int = 1, /) -> Verdict:
        self.ask("spend", key)
        return self.table.spend(limits, key, cost)

    def give_back(self, limits: Limits, key: str, spent_at_ms: int, cost: int = 1, /) -> None:
        self.ask("give_back", key)
        self.table.give_back(limits, key, spent_at_ms, cost)

    def forget(self, key: str, /) -> None:
        self.ask("forget", key)
        self.table.forget(key)

    def ask(self, what: str, key: str) -> None:
        self.asked.append((what, key))
        if self.error is not None:
            raise self.error

    def left(self, limits: Limits, key: str) -> int:
        return self.table.spend(limits, key, 0).remaining


class AsyncStore(Store):
    """The same, to await."""

    def __init__(self) -> None:
        super().__init__()
        self.delay_s = 0.0

    async def spend(self, limits: Limits, key: str, cost: int = 1, /) -> Verdict:  # type: ignore[override]
        await asyncio.sleep(self.delay_s)
        return super().spend(limits, key, cost)

    async def give_back(  # type: ignore[override]
        self, limits: Limits, key: str, spent_at_ms: int, cost: int = 1, /
    ) -> None:
        await asyncio.sleep(self.delay_s)
        super().give_back(limits, key, spent_at_ms, cost)

    async def forget(self, key: str, /) -> None:  # type: ignore[override]
        await asyncio.sleep(self.delay_s)
        super().forget(key)


class Both:
    """One interface to a limiter of either kind, so that both pass the same tests."""

    def __init__(self, asynchronous: bool) -> None:
        self.asynchronous = asynchronous
        self.store: Any = AsyncStore() if asynchronous else Store()
        self.limiter: Any = None

    def limit(self, **options: Any) -> Any:
        kind: Any = AsyncLimiter if self.asynchronous else Limiter
        self.limiter = kind(self.store, **options)
        return self.limiter

    async def hit(self, *arguments: Any) -> Verdict:
        verdict: Any = self.limiter.hit(*arguments)
        return await verdict if self.asynchronous else verdict  # type: ignore[no-any-return]

    async def hit_all(self, *charges: Any) -> list[Verdict]:
        verdicts: Any = self.limiter.hit_all(charges)
        return await verdicts if self.asynchronous else verdicts  # type: ignore[no-any-return]


@pytest.fixture(params=[False, True], ids=["threads", "asyncio"])
def both(request: pytest.FixtureRequest) -> Both:
    made = Both(request.param)
    made.limit()
    return made


async def test_a_limit_is_spent_and_then_refuses(both: Both) -> None:
    assert [(await both.hit(TWO, "k")).allowed for _ in range(3)] == [True, True, False]
    assert (await both.hit(TWO, "other")).remaining == 1
    refusal = await both.hit(TWO, "k")
    assert (refusal.limit, refusal.remaining, refusal.degraded) == (2, 0, False)
    assert refusal.retry_after_ms is not None
    assert 0 < refusal.retry_after_ms <= 60_000


async def test_a_cost_of_0_asks_and_a_cost_over_all_is_never_allowed(both: Both) -> None:
    assert (await both.hit(TWO, "k", 0)).remaining == 2
    assert (await both.hit(TWO, "k", 2)).remaining == 0
    assert not (await both.hit(TWO, "k", 0)).allowed
    never = await both.hit(TWO, "new", 3)
    assert (never.never_allowed, never.retry_after_ms) == (True, None)
    assert both.store.left(TWO, "new") == 2


async def test_several_are_spent_all_or_nothing(both: Both) -> None:
    assert [v.allowed for v in await both.hit_all((TEN, "a"), (ONE, "b"))] == [True, True]
    verdicts = await both.hit_all((TEN, "a"), (ONE, "b"), (TEN, "c"))
    assert [verdict.allowed for verdict in verdicts] == [True, False]
    assert [both.store.left(TEN, key) for key in ("a", "c")] == [9, 10]
    assert ("spend", "c") not in both.store.asked
    verdicts = await both.hit_all(Charge(TEN, "a", 4), Charge(TEN, "d", 11))
    assert verdicts[-1].never_allowed
    assert both.store.left(TEN, "a") == 9
    assert await both.hit_all() == []


@pytest.mark.parametrize("narrow_first", [True, False])
async def test_the_narrow_limit_comes_first_and_the_shared_one_last(narrow_first: bool) -> None:
    """The other way round, what is given back late is not: time gave one of all that were out."""
    store = AsyncStore()
    limiter = AsyncLimiter(store)
    shared = Limits("600/minute")
    await limiter.hit(ONE, "narrow")
    charges = [Charge(ONE, "narrow"), Charge(shared, "shared")]
    store.delay_s = 0.15  # Longer than a unit takes.
    refused = await asyncio.gather(
        *(limiter.hit_all(charges if narrow_first else charges[::-1]) for _ in range(50))
    )
    assert not any(verdicts[-1].allowed for verdicts in refused)
    left = store.left(shared, "shared")
    assert left == 600 if narrow_first else left < 590


async def test_a_key_twice_in_one_is_spent_twice(both: Both) -> None:
    # Counted: of what comes back evenly, two refunds each leave out what time has given back.
    two = Limits("2/minute", algorithm="fixed_window")
    assert [v.allowed for v in await both.hit_all((two, "a"), (two, "a"))] == [True, True]
    verdicts = await both.hit_all((two, "b"), (two, "b"), (two, "b"))
    assert [v.allowed for v in verdicts] == [True, True, False]
    assert both.store.left(two, "b") == 2


# ---- what a caller gets wrong is not the store's failure ----


@pytest.mark.parametrize("policy", ["refuse", "allow"])
async def test_what_no_store_would_take_is_the_callers(both: Both, policy: Any) -> None:
    limiter = both.limit(on_failure=policy)
    for cost in (-1, 2**32, 2**70, 1.0, True, "1", None):
        with pytest.raises(InvalidArgument):
            await both.hit(TWO, "k", cost)
    for wrong in (b"k", 7, None):
        with pytest.raises(TypeError):
            await both.hit(TWO, wrong)
    for limits in ("2/minute", None):
        with pytest.raises(TypeError):
            await both.hit(limits, "k")
    for key in ("x" * 1025, "é" * 513, "\ud800"):
        with pytest.raises(LimitInputRefused):
            await both.hit(TWO, key)
        with pytest.raises(LimitInputRefused):
            await both.hit_all((TWO, "k"), (TWO, key))
    assert both.store.left(TWO, "k") == 2
    assert (await both.hit(TWO, "x" * 1024)).allowed
    assert limiter.failures == 0


def test_a_policy_is_one_of_three() -> None:
    for policy in ("open", None, "Allow", object()):
        with pytest.raises(InvalidArgument):
            Limiter(Store(), on_failure=policy)  # type: ignore[arg-type]


# ---- a store that fails ----

FAILURES = [
    ConnectionError("refused"),
    TimeoutError(),
    OSError("broken"),
    TypeError("a defect of the client"),
    ValueError("b"),
    StoreUnavailable(),
    KeyError("x"),
    RecursionError(),
]


@pytest.mark.parametrize("error", FAILURES, ids=lambda error: type(error).__name__)
async def test_refuse_is_an_exception_of_its_own(both: Both, error: Exception) -> None:
    limiter = both.limit(on_failure="refuse")
    both.store.error = error
    for failures in (1, 2):
        with pytest.raises(StoreUnavailable) as raised:
            await both.hit(TWO, "k")
        assert raised.value.http_status == 503
        assert "refused" not in str(raised.value)
        assert limiter.failures == failures


@pytest.mark.parametrize("error", FAILURES, ids=lambda error: type(error).__name__)
async def test_allow_lets_everybody_through_and_says_so(both: Both, error: Exception) -> None:
    both.limit(on_failure="allow")
    both.store.error = error
    verdicts = [await both.hit(TWO, "k") for _ in range(5)]
    assert all(verdict.allowed and verdict.degraded for verdict in verdicts)
    # But not what never would be.
    assert (await both.hit(TWO, "k", 3)).never_allowed


async def test_a_table_counts_meanwhile_and_the_store_goes_on_where_it_was(both: Both) -> None:
    both.limit(on_failure=LimitTable())
    assert not (await both.hit(TWO, "k")).degraded
    both.store.error = ConnectionError()
    verdicts = [await both.hit(TWO, "k") for _ in range(3)]
    assert [verdict.allowed for verdict in verdicts] == [True, True, False]
    assert all(verdict.degraded for verdict in verdicts)
    both.store.error = None
    verdicts = [await both.hit(TWO, "k") for _ in range(2)]
    assert [verdict.allowed for verdict in verdicts] == [True, False]
    assert not any(verdict.degraded for verdict in verdicts)


async def test_a_fallback_that_fails_too_refuses(both: Both) -> None:
    limiter = both.limit(on_failure=LimitTable())
    both.store.error = ConnectionError()

    limiter._on_failure = Store()
    limiter._on_failure.error = MemoryError()
    with pytest.raises(StoreUnavailable):
        await both.hit(TWO, "k")
    assert limiter.failures == 2


async def test_what_was_spent_before_the_failure_is_given_back(both: Both) -> None:
    class Second(type(both.store)):  # type: ignore[misc]
        def ask(self, what: str, key: str) -> None:
            super().ask(what, key)
            if (what, key) == ("spend", "b"):
                raise ConnectionError

    both.store = Second()
    both.limit(on_failure="refuse")
    with pytest.raises(StoreUnavailable):
        await both.hit_all((TEN, "a"), (TEN, "b"), (TEN, "c"))
    assert both.store.left(TEN, "a") == 10
    both.limit(on_failure="allow")
    verdicts = await both.hit_all((TEN, "a"), (TEN, "b"), (TEN, "c"))
    assert [(v.allowed, v.degraded) for v in verdicts] == [
        (True, False),
        (True, True),
        (True, False),
    ]


async def test_giving_back_may_fail_too(both: Both) -> None:
    class Forgetful(type(both.store)):  # type: ignore[misc]
        def ask(self, what: str, key: str) -> None:
            super().ask(what, key)
            if what == "give_back":
                raise ConnectionError

    both.store = Forgetful()
    limiter = both.limit()
    await both.hit(ONE, "b")
    verdicts = await both.hit_all((TEN, "a"), (ONE, "b"))
    assert [verdict.allowed for verdict in verdicts] == [True, False]
    assert both.store.left(TEN, "a") == 9
    assert limiter.failures == 1


async def test_an_answer_that_is_no_verdict_is_a_failure(both: Both) -> None:
    class Wrong(Store):
        def spend(self, *_: Any) -> Any:
            return "yes"

    class AsyncWrong(Store):
        async def spend(self, *_: Any) -> Any:  # type: ignore[override]
            return "yes"

    both.store = AsyncWrong() if both.asynchronous else Wrong()
    both.limit(on_failure="refuse")
    with pytest.raises(StoreUnavailable):
        await both.hit(TWO, "k")


async def test_failures_are_said_when_they_begin_and_end_and_counted_every_time(
    both: Both, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[Exception] = []
    limiter = both.limit(on_failure="allow", on_error=seen.append)
    with caplog.at_level(logging.DEBUG, "donjon.limits"):
        for _ in range(2):
            both.store.error = ConnectionError("refused")
            for _ in range(3):
                await both.hit(TWO, "secret-user")
            both.store.error = None
            for _ in range(3):
                await both.hit(TWO, "secret-user")
    messages = [record.getMessage() for record in caplog.records]
    assert messages == [
        "the store of limits fails (ConnectionError: refused): everybody is let through",
        "the store of limits answers again, 3 failed so far",
        "the store of limits fails (ConnectionError: refused): everybody is let through",
        "the store of limits answers again, 6 failed so far",
    ]
    assert [record.levelno for record in caplog.records[:2]] == [logging.ERROR, logging.WARNING]
    assert len(seen) == limiter.failures == 6
    assert "secret-user" not in caplog.text


async def test_a_callback_that_fails_is_logged(
    both: Both, caplog: pytest.LogCaptureFixture
) -> None:
    def on_error(_: Exception) -> None:
        raise ZeroDivisionError

    both.limit(on_failure="allow", on_error=on_error)
    both.store.error = ConnectionError()
    assert (await both.hit(TWO, "k")).allowed
    assert "ZeroDivisionError" in caplog.text


def test_what_ends_a_program_comes_through() -> None:
    store = Store()
    limiter = Limiter(store, on_failure="allow")
    store.error = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        limiter.hit(TWO, "k")
    assert limiter.failures == 0


# ---- asyncio ----


async def test_a_slow_store_has_failed() -> None:
    store = AsyncStore()
    limiter = AsyncLimiter(store, on_failure="allow", timeout_s=0.05)
    store.delay_s = 10
    begun = time.monotonic()
    verdict = await limiter.hit(TWO, "k")
    assert time.monotonic() - begun < 2
    assert (verdict.allowed, verdict.degraded, limiter.failures) == (True, True, 1)


async def test_a_slow_store_blocks_no_other_task() -> None:
    store = AsyncStore()
    store.delay_s = 0.2
    limiter = AsyncLimiter(store)
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.01)
            ticks += 1

    ticking = asyncio.create_task(tick())
    await asyncio.gather(*(limiter.hit(TEN, f"k{index}") for index in range(50)))
    ticking.cancel()
    assert ticks >= 5


async def test_a_task_that_is_cancelled_ends_and_keeps_what_it_spent() -> None:
    store = AsyncStore()
    limiter = AsyncLimiter(store, on_failure="allow", timeout_s=10)
    await limiter.hit(TEN, "a")
    store.delay_s = 0.1
    task = asyncio.create_task(limiter.hit_all([(TEN, "a"), (TEN, "b")]))
    await asyncio.sleep(0.15)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (store.left(TEN, "a"), store.left(TEN, "b")) == (8, 10)
    assert limiter.failures == 0
    store.delay_s = 0
    assert (await limiter.hit(TEN, "a")).remaining == 7


async def test_a_table_needs_no_awaiting() -> None:
    limiter = AsyncLimiter(LimitTable())
    assert [(await limiter.hit(TWO, "k")).allowed for _ in range(3)] == [True, True, False]


async def test_a_synchronous_store_is_refused_where_it_would_block_the_loop() -> None:
    with pytest.raises(TypeError, match="asynchronous"):
        AsyncLimiter(Store())  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="awaited"):
        Limiter(AsyncStore())  # type: ignore[arg-type]


# ---- threads and processes ----


def test_64_threads_spend_a_limit_once() -> None:
    limiter = Limiter(LimitTable())
    limits = Limits("50/hour", algorithm="sliding_log")
    allowed: list[bool] = []

    def spend() -> None:
        allowed.extend(limiter.hit(limits, "k").allowed for _ in range(20))

    threads = [threading.Thread(target=spend) for _ in range(64)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(allowed), sum(allowed)) == (1280, 50)


@pytest.mark.parametrize(
    ("make", "workers", "warns"),
    [
        (LimitTable, "4", True),
        (LimitTable, "1", False),
        (LimitTable, "many", False),
        (Store, "4", False),
    ],
)
def test_a_table_among_several_workers_warns(
    make: Callable[[], Any],
    workers: str,
    warns: bool,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("WEB_CONCURRENCY", workers)
    Limiter(make())
    assert ("each of its siblings has its own" in caplog.text) is warns


def test_a_table_in_a_process_that_was_forked_warns_once() -> None:
    script = """
import logging, os, sys
from donjon.limits import Limiter, Limits, LimitTable

logging.basicConfig(stream=sys.stdout, format="%(process)d %(message)s")
limiter, limits = Limiter(LimitTable()), Limits("9/minute")
limiter.hit(limits, "k")
child = os.fork()
limiter.hit(limits, "k")
limiter.hit(limits, "k")
if child:
    os.waitpid(child, 0)
print("parent" if child else "child", os.getpid(), flush=True)
"""
    output = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
        env=os.environ,
    ).stdout.splitlines()
    (warning,) = [line for line in output if "was forked" in line]
    (child,) = [line.split()[1] for line in output if line.startswith("child")]
    assert warning.startswith(child)
