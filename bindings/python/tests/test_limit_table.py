"""The table in this process: bounded, shared by threads, and never forgiving."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import donjon
from donjon import Limits, LimitTable

NOW = 1_700_000_000_000
FIVE = Limits("5/minute")


def test_each_key_has_what_the_limits_give_it() -> None:
    table = LimitTable()
    for key in ("ann", "bob"):
        left = [table.spend(FIVE, key, now_ms=NOW).remaining for _ in range(5)]
        assert left == [4, 3, 2, 1, 0]
        verdict = table.spend(FIVE, key, now_ms=NOW)
        assert not verdict
        assert (verdict.retry_after_ms, verdict.reset_after_ms) == (12_000, 60_000)
        assert table.spend(FIVE, key, now_ms=NOW + 12_000).allowed


@pytest.mark.parametrize("algorithm", ["gcra", "fixed_window", "sliding_window", "sliding_log"])
def test_it_decides_as_the_limits_themselves_do(algorithm: Any) -> None:
    limits, table, state = Limits("9/second; 20/minute", algorithm=algorithm), LimitTable(), b""
    for step in range(400):
        now, cost = NOW + step * 97, step * step % 4
        verdict, state = limits.spend(state, cost, now_ms=now)
        assert table.spend(limits, "key", cost, now_ms=now) == verdict
        if step % 17 == 0:
            state = limits.give_back(state, now, 1, now_ms=now)
            table.give_back(limits, "key", now, 1, now_ms=now)


def test_what_is_asked_is_not_spent() -> None:
    table = LimitTable()
    assert table.spend(FIVE, "ann", 0, now_ms=NOW).remaining == 5
    assert table.spend(FIVE, "ann", 6, now_ms=NOW).never_allowed
    assert table.spend(FIVE, "ann", 5, now_ms=NOW).allowed


def test_what_is_given_back_can_be_spent_again() -> None:
    table = LimitTable()
    verdict = table.spend(FIVE, "ann", 5)
    table.give_back(FIVE, "ann", verdict.now_ms, 2)
    assert table.spend(FIVE, "ann", 2)
    assert not table.spend(FIVE, "ann")
    # Nothing was spent of this one.
    table.give_back(FIVE, "bob", verdict.now_ms, 2)
    assert table.spend(FIVE, "bob", 0).remaining == 5


def test_what_is_forgotten_begins_anew() -> None:
    table, lockout = LimitTable(), Limits.lockout()
    assert table.spend(lockout, "ann", 5, now_ms=NOW)
    assert not table.spend(lockout, "ann", now_ms=NOW)
    table.forget("ann")
    table.forget("nobody")
    assert table.spend(lockout, "ann", now_ms=NOW).remaining == 4


def test_a_key_under_other_limits_finds_what_it_spent_before() -> None:
    table = LimitTable()
    table.spend(FIVE, "ann", 5, now_ms=NOW)
    assert not table.spend(Limits("3/minute"), "ann", now_ms=NOW)
    # The same limits, made again, are the same.
    other = LimitTable()
    other.spend(FIVE, "ann", 2, now_ms=NOW)
    assert other.spend(Limits("5 per 60 seconds"), "ann", now_ms=NOW).remaining == 2


# ---- its clock ----


def test_without_a_time_it_goes_by_a_clock_that_only_goes_forward() -> None:
    table, limits = LimitTable(), Limits("1000000/second")
    times = [table.spend(limits, "ann").now_ms for _ in range(10_000)]
    assert times == sorted(times)
    assert abs(times[-1] - time.time_ns() // 1_000_000) < 5_000
    short = Limits("1 per 1 second", burst=1)
    assert table.spend(short, "bob")
    refused = table.spend(short, "bob")
    assert refused.retry_after_ms
    time.sleep(refused.retry_after_ms / 1_000 + 0.002)
    assert table.spend(short, "bob")


# Attack 43.
def test_a_time_before_the_last_refills_nothing() -> None:
    table = LimitTable()
    table.spend(FIVE, "ann", 5, now_ms=NOW)
    for now in (NOW - 1, NOW - 60_000, 0):
        assert not table.spend(FIVE, "ann", now_ms=now)
    for now in (-1, -(2**63)):
        with pytest.raises(donjon.InvalidArgument):
            table.spend(FIVE, "ann", now_ms=now)
        with pytest.raises(donjon.InvalidArgument):
            table.give_back(FIVE, "ann", now, now_ms=NOW)
    assert not table.spend(FIVE, "ann", now_ms=NOW)
    assert table.spend(FIVE, "last", 5, now_ms=2**63 - 1)
    assert not table.spend(FIVE, "last", now_ms=2**63 - 1)


# ---- its bounds (attacks 48, 48a) ----


def test_it_never_holds_more_keys_than_it_may_and_says_what_went() -> None:
    table = LimitTable(1_000)
    for number in range(20_000):
        assert table.spend(FIVE, f"key-{number}", now_ms=NOW + number)
    stats = table.stats()
    assert stats.entries <= stats.capacity
    assert 1_000 <= stats.capacity < 3_000
    assert stats.evicted + stats.expired == 20_000 - stats.entries
    assert stats.evicted > 0
    assert stats.refused == 0
    assert 0 < stats.bytes < 1_000_000
    assert stats == table.stats()
    assert repr(stats).startswith(f"LimitTableStatistics(entries={stats.entries}, ")


def test_what_is_whole_again_goes_first() -> None:
    table = LimitTable(1_000)
    for number in range(500):
        table.spend(FIVE, f"old-{number}", now_ms=NOW)
    for number in range(20_000):
        table.spend(FIVE, f"new-{number}", now_ms=NOW + 120_000 + number)
    assert table.stats().expired >= 500 * 0.9


def test_a_flood_of_fresh_keys_unlocks_nobody() -> None:
    table, lockout = LimitTable(1_000), Limits.lockout(5, 900)
    assert table.spend(lockout, "victim", 5, now_ms=NOW)
    for number in range(50_000):
        table.spend(lockout, f"198.51.{number >> 8}.{number & 255}", now_ms=NOW + number)
    assert not table.spend(lockout, "victim", now_ms=NOW + 50_000)
    assert table.spend(lockout, "victim", now_ms=NOW + 900_000)


@pytest.mark.parametrize("when_full", ["refuse", "allow"])
def test_where_only_locks_are_left_new_keys_get_what_was_configured(when_full: Any) -> None:
    table, lockout = LimitTable(100, when_full), Limits.lockout(1, 900)
    verdicts = [table.spend(lockout, f"key-{number}", now_ms=NOW) for number in range(5_000)]
    full = [verdict for verdict in verdicts if verdict.table_full]
    stats = table.stats()
    assert len(full) >= 4_000
    assert stats.evicted == 0
    assert stats.entries <= stats.capacity
    assert stats.refused == len(full)
    assert {verdict.allowed for verdict in full} == {when_full == "allow"}
    # Each that found a place is still locked.
    held = [number for number, verdict in enumerate(verdicts) if not verdict.table_full]
    assert len(held) == stats.entries
    assert not any(table.spend(lockout, f"key-{number}", now_ms=NOW) for number in held)


@pytest.mark.parametrize("capacity", [0, -1, 2**62, 2**63 - 1])
def test_a_capacity_that_makes_no_sense_is_refused(capacity: int) -> None:
    with pytest.raises(donjon.ConfigError):
        LimitTable(capacity)


@pytest.mark.parametrize("when_full", ["", "Refuse", "forgive"])
def test_there_are_two_ways_to_be_full(when_full: Any) -> None:
    with pytest.raises(donjon.ConfigError):
        LimitTable(when_full=when_full)


# ---- its keys ----


def test_a_text_and_its_utf8_are_one_key() -> None:
    table = LimitTable()
    table.spend(FIVE, "jürgen", 3, now_ms=NOW)
    assert table.spend(FIVE, "jürgen".encode(), now_ms=NOW).remaining == 1


def test_keys_that_differ_in_anything_differ() -> None:
    table = LimitTable()
    keys = ["", "a", "A", "a\0", "\0a", "a\0b", "a ", "ä", "a\u0308", "\0", "\0\0", "\n"]
    for key in keys:
        assert table.spend(FIVE, key, 5, now_ms=NOW), repr(key)
    assert table.stats().entries == len(keys)
    assert not any(table.spend(FIVE, key, now_ms=NOW) for key in keys)


@pytest.mark.parametrize("key", ["x" * 1_025, b"x" * 1_025, "ä" * 513, "x" * 10**7])
def test_a_key_has_an_end(key: str | bytes) -> None:
    table = LimitTable()
    for call in (
        lambda: table.spend(FIVE, key),
        lambda: table.give_back(FIVE, key, 0),
        lambda: table.forget(key),
    ):
        with pytest.raises(donjon.LimitInputRefused) as caught:
            call()
        assert (caught.value.reason, caught.value.http_status) == ("too_large", 400)
    assert table.stats().entries == 0
    assert table.spend(FIVE, key[:512])
    assert table.spend(FIVE, b"y" * 1_024)


def test_half_a_character_is_no_key() -> None:
    table = LimitTable()
    with pytest.raises(donjon.LimitInputRefused) as caught:
        table.spend(FIVE, "ann\ud800")
    assert caught.value.reason == "malformed"


@pytest.mark.parametrize("key", [None, 1, True, ["a"], bytearray(b"a"), memoryview(b"a"), object()])
def test_a_key_is_str_or_bytes(key: Any) -> None:
    table = LimitTable()
    with pytest.raises(TypeError, match="expected str or bytes"):
        table.spend(FIVE, key)
    with pytest.raises(TypeError, match="expected str or bytes"):
        table.forget(key)


class Name(str):
    __slots__ = ()

    def __str__(self) -> str:
        return "eve"

    def encode(self, *_: object) -> bytes:
        return os.urandom(8)

    def __eq__(self, other: object) -> bool:
        return False

    def __hash__(self) -> int:
        return id(self)


def test_a_key_is_what_it_holds() -> None:
    table = LimitTable()
    table.spend(FIVE, Name("ann"), 5, now_ms=NOW)
    assert not table.spend(FIVE, "ann", now_ms=NOW)
    assert table.spend(FIVE, "eve", now_ms=NOW)


@pytest.mark.parametrize("limits", ["5/minute", None, 5, LimitTable])
def test_limits_are_limits(limits: Any) -> None:
    with pytest.raises(TypeError):
        LimitTable().spend(limits, "ann")


@pytest.mark.parametrize("cost", [True, 1.0, "1", None])
def test_a_cost_is_an_int(cost: Any) -> None:
    with pytest.raises(TypeError):
        LimitTable().spend(FIVE, "ann", cost)


@pytest.mark.parametrize("cost", [-1, 2**32, 10**100])
def test_a_cost_fits_32_bits_and_has_no_sign(cost: int) -> None:
    table = LimitTable()
    with pytest.raises(donjon.InvalidArgument):
        table.spend(FIVE, "ann", cost)
    with pytest.raises(donjon.InvalidArgument):
        table.give_back(FIVE, "ann", NOW, cost)
    assert table.stats().entries == 0


# ---- threads and processes ----


# Attack 44.
def test_of_64_guesses_at_once_five_get_through() -> None:
    table, barrier = LimitTable(), threading.Barrier(64)
    for limits in (FIVE, Limits("5/minute", algorithm="sliding_log"), Limits.lockout()):

        def guess(_: int, limits: Limits = limits) -> list[bool]:
            barrier.wait()
            return [bool(table.spend(limits, f"ann-{round_}-{id(limits)}")) for round_ in range(20)]

        with ThreadPoolExecutor(64) as pool:
            guesses = list(pool.map(guess, range(64)))
        # A retry within the minute is 12 seconds off.
        assert [sum(column) for column in zip(*guesses, strict=True)] == [5] * 20


def test_threads_may_do_anything_at_once() -> None:
    table, lockout = LimitTable(500), Limits.lockout(3, 60)
    failures: list[BaseException] = []

    def work(name: int) -> None:
        try:
            for step in range(3_000):
                key = f"key-{(name * 7 + step) % 1_500}"
                verdict = table.spend(FIVE if step % 2 else lockout, key)
                assert 0 <= verdict.remaining <= 5
                if step % 5 == 0:
                    table.give_back(FIVE, key, verdict.now_ms)
                if step % 50 == 0:
                    table.forget(key)
                    table.spend(Limits(f"{step + 1}/minute"), key)
                    assert table.stats().entries <= table.stats().capacity
        except BaseException as error:
            failures.append(error)
            raise

    threads = [threading.Thread(target=work, args=(name,)) for name in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_tables_and_limits_go_when_nobody_has_them() -> None:
    def work(_: int) -> int:
        verdict = None
        for number in range(200):
            table, limits = LimitTable(64), Limits("5/minute; 7/hour")
            verdict = table.spend(limits, f"key-{number}")
            del table, limits
        assert verdict
        # A verdict is a copy: it outlives both.
        return verdict.remaining

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(work, range(8))) == {4}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_goes_on_with_a_table_of_its_own() -> None:
    # In a process of its own: pytest's may have threads, and forking those is deprecated.
    program = """
import os, sys
from donjon import Limits, LimitTable
limits, table = Limits("5/minute"), LimitTable()
assert table.spend(limits, "ann", 3).remaining == 2
child = os.fork()
assert table.spend(limits, "ann", 2)
assert not table.spend(limits, "ann")
now = table.spend(limits, "bob").now_ms
assert abs(table.spend(limits, "bob").now_ms - now) < 5000
if child == 0:
    sys.stdout.flush()
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
"""
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True, timeout=60)


def test_a_fork_among_threads_that_spend_leaves_the_child_a_table_that_works() -> None:
    program = """
import os, threading, warnings
warnings.simplefilter("ignore")
from donjon import Limits, LimitTable
limits, table, done = Limits("1000000/minute"), LimitTable(), threading.Event()

def work():
    number = 0
    while not done.is_set():
        number += 1
        table.spend(limits, f"key-{number % 100}")

threads = [threading.Thread(target=work) for _ in range(4)]
for thread in threads:
    thread.start()
for _ in range(50):
    child = os.fork()
    if child == 0:
        for number in range(100):
            table.spend(limits, f"key-{number}")
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
done.set()
for thread in threads:
    thread.join()
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)
