#!/usr/bin/env python3
"""Many processes that share limits in one Redis: no more is let through than the limit, whatever becomes of the server.

    tests/redis/processes.py [--requests 2000] [--trials 200] [--kills 2]

By a clock that stands still, eight processes have exactly the limit let through, by every algorithm. By the
server's clock they have at most what each algorithm promises in any window of one period. Two processes that race
for one key never get more than the limit together, and the key has a time to live. While the server is killed,
started again and made to hang, every request ends as was configured: refused, let through, or counted in the process;
and none in anything else.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import multiprocessing
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing.synchronize import Barrier, Event
from typing import Any
from unittest import mock

import redis
import redis.asyncio
from donjon import Limits, LimitTable, StoreUnavailable
from donjon.limits import AsyncLimiter, Limiter
from donjon.redis import AsyncRedisStore, RedisStore
from redis.backoff import NoBackoff
from redis.retry import Retry
from server import HOST, Server, within

PROCESSES = 8
NOW_NS = 1_700_000_000 * 10**9
MOST_S = 900
WAIT_S = 120
PREFIX = "donjon:limit:"


class Failed(Exception):
    """More was let through than may be, or a request ended in what was not configured."""


def spawned(processes: int, work: Callable[..., Any], *arguments: Any) -> list[Any]:
    """What the work comes to in so many processes, each of which is told its number."""
    with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn"), initializer=_share, initargs=(barrier_of(processes),)) as pool:
        return list(pool.map(_numbered, range(processes), [work] * processes, [arguments] * processes, timeout=MOST_S))


def barrier_of(parties: int) -> Barrier:
    return multiprocessing.get_context("spawn").Barrier(parties, timeout=WAIT_S)


together: Barrier


def _share(barrier: Barrier) -> None:
    global together
    together = barrier


def _numbered(number: int, work: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    together.wait()
    return work(number, *arguments)


# ---- exactly the limit ----


def limits_of(requests: int) -> dict[str, Limits]:
    """What is limited so that half of the requests for a key, or fewer, are let through."""
    half = max(1, requests // 2)
    rates = {algorithm: Limits(f"{half}/hour; {2 * half}/day", algorithm=algorithm) for algorithm in ("gcra", "token_bucket", "fixed_window", "sliding_window")}
    return rates | {"sliding_log": Limits(f"{min(half, 64)}/hour", algorithm="sliding_log"), "lockout": Limits.lockout(min(half, 255))}


def exactly(port: int, requests: int) -> None:
    each = requests // PROCESSES // len(limits_of(1))
    allowed: Counter[str] = sum(spawned(PROCESSES, ask_in_a_still_moment, port, each), Counter())
    for name, limits in limits_of(each * PROCESSES).items():
        wanted = limits.items[0].amount
        if allowed[name] != wanted:
            raise Failed(f"{allowed[name]} of {each * PROCESSES} were let through by {name}, and {wanted} may be")
    print(f"  {each * PROCESSES * len(allowed)} requests of {PROCESSES} processes: exactly the limit, by {', '.join(allowed)}")


def ask_in_a_still_moment(_: int, port: int, each: int) -> Counter[str]:
    store = RedisStore(client(port), clock="caller")
    limits, allowed = limits_of(each * PROCESSES), Counter[str]()
    with mock.patch("time.time_ns", return_value=NOW_NS):
        for _ in range(each):
            for name, one in limits.items():
                allowed[name] += store.spend(one, f"still:{name}").allowed
    return allowed


# ---- by the server's clock ----


def bounded(port: int, seconds: float) -> None:
    bounds = {"gcra": 39, "token_bucket": 39, "fixed_window": 40, "sliding_window": 39, "sliding_log": 20}
    moments: dict[str, list[int]] = {name: [] for name in bounds}
    for given in spawned(PROCESSES, ask_for_a_while, port, seconds, list(bounds)):
        for name, times in given.items():
            moments[name] += times
    seen = {name: most_in_a_second(sorted(times)) for name, times in moments.items()}
    for name, bound in bounds.items():
        if not 20 <= seen[name] <= bound:
            raise Failed(f"{seen[name]} within a second by {name}, and at most {bound} may be")
        if len(moments[name]) > 20 * (seconds + 10) + 20:
            raise Failed(f"{len(moments[name])} in all by {name}")
    print(f"  20 in a second, by the server's clock: at most {', '.join(f'{most} by {name}' for name, most in seen.items())}")


def ask_for_a_while(_: int, port: int, seconds: float, names: list[Any]) -> dict[str, list[int]]:
    store, until = RedisStore(client(port)), time.monotonic() + seconds
    limits = {name: Limits("20/second", algorithm=name) for name in names}
    moments: dict[str, list[int]] = {name: [] for name in names}
    while time.monotonic() < until:
        for name, one in limits.items():
            verdict = store.spend(one, f"while:{name}")
            if verdict.allowed:
                moments[name].append(verdict.now_ms)
    return moments


def most_in_a_second(times: list[int]) -> int:
    return max(sum(start <= time < start + 1000 for time in times[at : at + 100]) for at, start in enumerate(times))


# ---- two for one key ----


def race(port: int, trials: int) -> None:
    got = spawned(2, race_for_keys, port, trials)
    with client(port) as connection:
        for trial, counts in enumerate(zip(*got)):
            wanted = racing(trial).items[0].amount
            if sum(counts) != wanted:
                raise Failed(f"trial {trial}: {counts} were let through, and {wanted} may be")
            if connection.pttl(f"{PREFIX}{{race:{trial}}}") <= 0:
                raise Failed(f"trial {trial}: the key lives for ever")
    both = sum(0 < first < racing(trial).items[0].amount for trial, first in enumerate(got[0]))
    print(f"  {trials} races of two processes for a key: the limit, {both} times shared between them")


def racing(trial: int) -> Limits:
    return list(limits_of(2 + 2 * (trial % 3)).values())[trial % 6]


def race_for_keys(number: int, port: int, trials: int) -> list[int]:
    store, allowed = RedisStore(client(port)), []
    for trial in range(trials):
        limits = racing(trial)
        together.wait()
        allowed.append(sum(store.spend(limits, f"race:{trial}").allowed for _ in range(limits.items[0].amount)))
    return allowed


# ---- a server that is killed ----

OUTAGE_S = 1.5
SLOW_S = 0.25
POLICIES = ("refuse", "allow", "table")
LIMIT = 30


@dataclass
class Ended:
    """When a request was made, and how it ended."""

    at: float
    how: str


def outlived(server: Server, kills: int) -> None:
    context = multiprocessing.get_context("spawn")
    stop, queue = context.Event(), context.Queue()
    workers = [context.Process(target=serve, args=(policy, is_async, server.port, stop, queue), daemon=True) for policy in POLICIES for is_async in (False, True)]
    for worker in workers:
        worker.start()
    for _ in workers:
        queue.get(timeout=WAIT_S)
    time.sleep(OUTAGE_S)
    outages = []
    for kill in range(kills):
        begun = time.monotonic()
        if kill % 2:
            server.pause()
        else:
            server.kill()
        time.sleep(OUTAGE_S)
        outages.append((begun, time.monotonic()))
        if kill % 2:
            server.resume()
        else:
            server.start()
        time.sleep(OUTAGE_S)
    stop.set()
    ended: dict[tuple[str, bool], list[Ended]] = {}
    for _ in workers:
        policy, is_async, given, reports = queue.get(timeout=WAIT_S)
        if min(reports["ERROR"], reports["WARNING"]) < kills:
            raise Failed(f"{kills} outages, and the log has {reports}")
        ended[policy, is_async] = given
    for worker in workers:
        worker.join(WAIT_S)
    total: Counter[str] = Counter()
    for (policy, is_async), given in ended.items():
        total += as_configured(policy, f"{policy}{' with asyncio' if is_async else ''}", given, outages)
    print(f"  {kills} times the server was killed or hung, with {total.total()} requests: {', '.join(f'{count} {how}' for how, count in total.most_common())}")


def as_configured(policy: str, name: str, given: list[Ended], outages: list[tuple[float, float]]) -> Counter[str]:
    wanted = {"refuse": {"refused without the store"}, "allow": {"let through without the store"}, "table": {"counted without the store", "over the limit without the store"}}[policy]
    for each in given:
        if each.how not in wanted | {"allowed", "over the limit"}:
            raise Failed(f"{name}: a request ended as {each.how}")
    for number, (begun, over) in enumerate(outages):
        meanwhile = {each.how for each in given if begun + SLOW_S < each.at < over - 2 * SLOW_S}
        if not meanwhile or not meanwhile <= wanted:
            raise Failed(f"{name}: while the server was gone for the {number}. time, requests ended as {meanwhile}")
        after = [each.how for each in given if over + 2 * SLOW_S < each.at < over + OUTAGE_S]
        if not {"allowed", "over the limit"} & set(after):
            raise Failed(f"{name}: when the server was back, requests ended as {set(after)}")
    counts = Counter(each.how for each in given)
    # What was not saved is forgotten when the server is killed: each of its lives has the limit.
    lives = 1 + (len(outages) + 1) // 2
    if counts["allowed"] > LIMIT * lives or counts["counted without the store"] > LIMIT:
        raise Failed(f"{name}: more was let through than the limit: {counts}")
    return counts


class Reports(logging.Handler):
    """What the log says of the store, counted."""

    def __init__(self) -> None:
        super().__init__()
        self.counts: Counter[str] = Counter()
        logging.getLogger("donjon.limits").addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        self.counts[record.levelname] += 1


def serve(policy: str, is_async: bool, port: int, stop: Event, queue: Any) -> None:
    failed: list[Exception] = []
    reports = Reports()
    on_failure: Any = LimitTable() if policy == "table" else policy
    key, limits = f"kill:{policy}:{is_async}", Limits(f"{LIMIT}/hour", algorithm="fixed_window")
    if is_async:
        ended = asyncio.run(serve_asyncio(on_failure, key, limits, port, stop, queue, failed))
    else:
        limiter = Limiter(RedisStore(client(port, SLOW_S)), on_failure=on_failure, on_error=failed.append)
        queue.put("ready")
        ended = []
        while not stop.is_set():
            at = time.monotonic()
            try:
                verdict = limiter.hit(limits, key)
                ended.append(Ended(at, how(verdict, policy)))
            except StoreUnavailable:
                ended.append(Ended(at, "refused without the store"))
            except Exception as error:  # noqa: BLE001  that there is none is what is tested
                ended.append(Ended(at, repr(error)))
            time.sleep(0.002)
    without = sum("without" in each.how for each in ended)
    if len(failed) != without:
        ended.append(Ended(0, f"{len(failed)} failures reported of {without}"))
    queue.put((policy, is_async, ended, reports.counts))


async def serve_asyncio(on_failure: Any, key: str, limits: Limits, port: int, stop: Event, queue: Any, failed: list[Exception]) -> list[Ended]:
    connection = redis.asyncio.Redis(host=HOST, port=port)
    limiter = AsyncLimiter(AsyncRedisStore(connection), on_failure=on_failure, on_error=failed.append, timeout_s=SLOW_S)
    queue.put("ready")
    ended: list[Ended] = []

    async def requests() -> None:
        while not stop.is_set():
            at = time.monotonic()
            try:
                verdict = await limiter.hit(limits, key)
                ended.append(Ended(at, how(verdict, on_failure if isinstance(on_failure, str) else "table")))
            except StoreUnavailable:
                ended.append(Ended(at, "refused without the store"))
            except Exception as error:  # noqa: BLE001  that there is none is what is tested
                ended.append(Ended(at, repr(error)))
            await asyncio.sleep(0.01)

    await asyncio.gather(*(requests() for _ in range(4)))
    await connection.aclose()
    return ended


def how(verdict: Any, policy: str) -> str:
    if not verdict.degraded:
        return "allowed" if verdict.allowed else "over the limit"
    if policy == "table":
        return "counted without the store" if verdict.allowed else "over the limit without the store"
    return "let through without the store" if verdict.allowed else "refused by a policy that lets through"


def client(port: int, timeout_s: float = 30) -> redis.Redis:
    return redis.Redis(HOST, port, socket_timeout=timeout_s, retry=Retry(NoBackoff(), 0))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--kills", type=int, default=2)
    options = parser.parse_args()
    within(MOST_S)
    with Server() as server:
        exactly(server.port, options.requests)
        bounded(server.port, 3.0)
        race(server.port, options.trials)
        outlived(server, options.kills)


if __name__ == "__main__":
    try:
        main()
    except Failed as failure:
        sys.exit(f"processes: {failure}")
