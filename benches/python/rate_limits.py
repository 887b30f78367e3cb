"""Limits of 100,000 keys beside the package `limits`, in one process and in Redis; slowapi's whole request."""

from __future__ import annotations

import asyncio
import itertools
import random
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import fastapi
import limits.aio.storage
import limits.aio.strategies
import limits.storage
import limits.strategies
import redis
import redis.asyncio
import slowapi
import slowapi.util
from donjon import Limits, LimitTable
from donjon.fastapi import Limiter
from donjon.redis import AsyncRedisStore, RedisStore
from race import report, report_bytes, report_times

sys.path.append(str(Path(__file__).resolve().parents[2] / "tests" / "redis"))
from server import Server

KEYS = 100_000
RATE = "50/hour"
PER_KEY_WANTED = 64
# The same arithmetic on both sides.
STRATEGIES = {
    "fixed_window": "FixedWindowRateLimiter",
    "sliding_window": "SlidingWindowCounterRateLimiter",
    "sliding_log": "MovingWindowRateLimiter",
}
CONNECTIONS = 64


def measure() -> None:
    for algorithm, strategy in STRATEGIES.items():
        compare_in_process(algorithm, strategy)
    report_memory()
    asyncio.run(compare_requests())
    with Server() as server:
        for workers in (1, 16, 64):
            compare_in_redis(server, "fixed_window", workers)
        compare_in_redis(server, "sliding_window", 16)
        for workers in (1, 16, 64):
            compare_in_async_redis(server, "fixed_window", workers)
        compare_in_async_redis(server, "sliding_window", 16)


def compare_in_process(algorithm: str, strategy: str) -> None:
    ours, theirs = Limits(RATE, algorithm=algorithm), limits.parse(RATE)
    table = LimitTable(2 * KEYS)
    peer = getattr(limits.strategies, strategy)(limits.storage.MemoryStorage())

    # They let through the same, and every key is there before anything is timed.
    for _ in range(60):
        assert table.spend(ours, "somebody").allowed == peer.hit(theirs, "somebody")
    for key in random_keys():
        assert table.spend(ours, key).allowed and peer.hit(theirs, key)

    our_keys, their_keys = itertools.cycle(random_keys()), itertools.cycle(random_keys())
    report(
        f"limits {algorithm} in process, 100,000 keys",
        lambda: table.spend(ours, next(our_keys)),
        {f"limits {strategy}": lambda: peer.hit(theirs, next(their_keys))},
        1 / 8,
    )


def random_keys() -> list[str]:
    """Addresses, the same in each run, in no order."""
    chance = random.Random(5)
    numbers = chance.sample(range(1 << 24), KEYS)
    return [f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}" for n in numbers]


def report_memory() -> None:
    """What a key takes beyond its own bytes: as the table says, and as the system says of a process of its own."""
    for of in ("statistics", "resident"):
        ours = per_key("donjon", of)
        report_bytes(f"limits memory per key, {of}", ours, "64 B", PER_KEY_WANTED)
    ours, theirs = per_key("donjon", "resident"), per_key("limits", "resident")
    report_bytes(
        "limits memory per key, resident, key and all",
        ours + len(random_keys()[0]),
        "limits MemoryStorage",
        theirs + len(random_keys()[0]),
        wanted=None,
    )


def per_key(whose: str, of: str) -> int:
    command = [sys.executable, __file__, whose, of]
    return int(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)


def hold_keys(whose: str, of: str) -> int:
    """The child: bytes per key, less the key's own."""
    keys = random_keys()
    length = sum(map(len, keys))
    if whose == "donjon":
        ours, table = Limits(RATE), LimitTable(KEYS)
        before = resident()
        for key in keys:
            table.spend(ours, key)
        # The keys themselves were there before, in Python's own form.
        held = table.stats().bytes if of == "statistics" else resident() - before
        return round((held - length) / table.stats().entries)
    peer = limits.strategies.FixedWindowRateLimiter(limits.storage.MemoryStorage())
    theirs, before = limits.parse(RATE), resident()
    for key in keys:
        peer.hit(theirs, key)
    return round((resident() - before - length) / KEYS)


def resident() -> int:
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) * 1024


async def compare_requests() -> None:
    """A route that is limited by address, from the server's call to the last byte of the answer."""
    apps = {"donjon": ours_app(), "slowapi": slowapi_app()}

    async def answer(app: fastapi.FastAPI) -> dict[bytes, bytes]:
        sent = []

        async def receive() -> dict[str, object]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: dict[str, object]) -> None:
            sent.append(message)

        await app(dict(SCOPE, headers=[], state={}), receive, send)
        assert sent[0]["status"] == 200
        return dict(sent[0]["headers"])

    for app in apps.values():
        assert (await answer(app))[b"x-ratelimit-limit"] == b"1000000000"

    loop = asyncio.get_running_loop()
    least = dict.fromkeys(apps, float("inf"))
    for _ in range(200):
        for name, app in apps.items():
            start = loop.time()
            for _ in range(20):
                await answer(app)
            least[name] = min(least[name], (loop.time() - start) / 20)
    report_times(
        "limits FastAPI, whole request", least["donjon"] * 1e9, "slowapi", least["slowapi"] * 1e9
    )


SCOPE = {
    "type": "http",
    "asgi": {"version": "3.0"},
    "http_version": "1.1",
    "method": "GET",
    "path": "/",
    "raw_path": b"/",
    "query_string": b"",
    "root_path": "",
    "scheme": "http",
    "client": ("192.0.2.7", 50_000),
    "server": ("127.0.0.1", 8000),
}


def ours_app() -> fastapi.FastAPI:
    app = fastapi.FastAPI()
    limiter = Limiter()
    limiter.install(app)

    @app.get("/")
    @limiter.limit("1000000000/hour")
    async def index() -> str:
        return "ok"

    return app


def slowapi_app() -> fastapi.FastAPI:
    app = fastapi.FastAPI()
    limiter = slowapi.Limiter(key_func=slowapi.util.get_remote_address, headers_enabled=True)
    app.state.limiter = limiter

    @app.get("/")
    @limiter.limit("1000000000/hour")
    async def index(request: fastapi.Request, response: fastapi.Response) -> str:
        return "ok"

    return app


def compare_in_redis(server: Server, algorithm: str, workers: int) -> None:
    ours, theirs, keys = Limits(RATE, algorithm=algorithm), limits.parse(RATE), random_keys()
    client = redis.Redis.from_url(server.url, max_connections=CONNECTIONS)
    client.flushall()
    store = RedisStore(client)
    storage = limits.storage.RedisStorage(server.url, max_connections=CONNECTIONS)
    peer = getattr(limits.strategies, STRATEGIES[algorithm])(storage)
    for _ in range(60):
        assert store.spend(ours, "somebody").allowed == peer.hit(theirs, "somebody")
    our_s, their_s = alternate(
        lambda: in_threads(lambda key: store.spend(ours, key), keys, workers),
        lambda: in_threads(lambda key: peer.hit(theirs, key), keys, workers),
    )
    name = f"limits redis {algorithm}, {workers} thread{'s' * (workers > 1)}"
    report_times(name, our_s * 1e9, "limits RedisStorage", their_s * 1e9, 1.0)


def compare_in_async_redis(server: Server, algorithm: str, workers: int) -> None:
    """Both with redis-py: a client that is faster is faster for both."""
    ours, theirs, keys = Limits(RATE, algorithm=algorithm), limits.parse(RATE), random_keys()
    uri = f"async+{server.url}"

    async def race() -> tuple[float, float]:
        client = redis.asyncio.Redis.from_url(server.url, max_connections=CONNECTIONS)
        await client.flushall()
        store = AsyncRedisStore(client)
        storage = limits.aio.storage.RedisStorage(
            uri, implementation="redispy", max_connections=CONNECTIONS
        )
        peer = getattr(limits.aio.strategies, STRATEGIES[algorithm])(storage)
        for _ in range(60):
            assert (await store.spend(ours, "somebody")).allowed == await peer.hit(
                theirs, "somebody"
            )
        least = [float("inf")] * 2
        for _ in range(ROUNDS):
            least[0] = min(least[0], await in_tasks(lambda k: store.spend(ours, k), keys, workers))
            least[1] = min(least[1], await in_tasks(lambda k: peer.hit(theirs, k), keys, workers))
        return least[0], least[1]

    our_s, their_s = asyncio.run(race())
    name = f"limits redis {algorithm}, {workers} task{'s' * (workers > 1)}"
    report_times(name, our_s * 1e9, "limits aio.RedisStorage", their_s * 1e9, 1.0)


ROUNDS = 12
ROUND_S = 0.4


def alternate(ours: Callable[[], float], peer: Callable[[], float]) -> tuple[float, float]:
    """The least seconds per request of each, over rounds that alternate."""
    least = (float("inf"), float("inf"))
    for _ in range(ROUNDS):
        least = (min(least[0], ours()), min(least[1], peer()))
    return least


def in_threads(call: Callable[[str], object], keys: list[str], workers: int) -> float:
    """Seconds per request, of all workers together."""
    done = [0] * workers
    until = time.perf_counter() + ROUND_S

    def work(number: int) -> None:
        mine = itertools.cycle(random.sample(keys, 1000))
        while time.perf_counter() < until:
            call(next(mine))
            done[number] += 1

    threads = [threading.Thread(target=work, args=(number,)) for number in range(workers)]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return (time.perf_counter() - start) / sum(done)


async def in_tasks(
    call: Callable[[str], Awaitable[object]], keys: list[str], workers: int
) -> float:
    done = 0
    start = time.perf_counter()
    until = start + ROUND_S

    async def work() -> None:
        nonlocal done
        mine = itertools.cycle(random.sample(keys, 1000))
        while time.perf_counter() < until:
            await call(next(mine))
            done += 1

    await asyncio.gather(*(work() for _ in range(workers)))
    return (time.perf_counter() - start) / done


if __name__ == "__main__":
    print(hold_keys(*sys.argv[1:]))
