"""Limits in Redis: the kernel's verdicts, whoever shares them, whatever becomes of the server."""

from __future__ import annotations

import asyncio
import logging
import random
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from typing import Any

import pytest
import redis
import redis.asyncio
import valkey
import valkey.asyncio
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.retry import Retry
from server import HOST, Server

from donjon import ConfigError, Limits, LimitTable, StoreUnavailable, Verdict
from donjon.fastapi import Limiter as FastAPILimiter
from donjon.limits import AsyncLimiter, Limiter
from donjon.redis import AsyncRedisStore, RedisStore

pytestmark = pytest.mark.anyio

ALGORITHMS = ["gcra", "token_bucket", "fixed_window", "sliding_window", "sliding_log"]
PREFIX = "donjon:limit:"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server() as started:
        yield started


@pytest.fixture(scope="module")
def cluster() -> Iterator[Server]:
    with Server(cluster=True) as started:
        yield started


@pytest.fixture
def client(server: Server) -> Iterator[Any]:
    made = redis.Redis(port=server.port, socket_timeout=5)
    made.flushall()
    yield made
    made.close()


@pytest.fixture
def store(client: Any) -> RedisStore:
    return RedisStore(client)


@pytest.fixture
async def async_store(server: Server) -> AsyncIterator[AsyncRedisStore]:
    made = redis.asyncio.Redis(port=server.port)
    yield AsyncRedisStore(made)
    await made.aclose()


def every_key_expires(client: Any) -> bool:
    keys = client.keys("*")
    assert keys
    return all(client.pttl(key) > 0 for key in keys)


def comparable(verdict: Verdict) -> tuple[Any, ...]:
    """All of a verdict but the times, which differ from server to host."""
    return (verdict.allowed, verdict.never_allowed, verdict.limit, verdict.remaining, verdict.index)


# ---- verdicts ----


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_limit_is_spent_and_then_refuses(store: RedisStore, client: Any, algorithm: Any) -> None:
    limits = Limits("3/hour", algorithm=algorithm)
    verdicts = [store.spend(limits, "k") for _ in range(5)]
    assert [verdict.allowed for verdict in verdicts] == [True] * 3 + [False] * 2
    assert [verdict.remaining for verdict in verdicts] == [2, 1, 0, 0, 0]
    assert abs(verdicts[0].now_ms - time.time() * 1000) < 5000
    assert every_key_expires(client)
    assert client.keys("*") == [b"donjon:limit:{k}"]
    assert client.pttl("donjon:limit:{k}") <= verdicts[2].keep_ms <= 2 * 3600_000


@pytest.mark.parametrize("clock", ["server", "caller"])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
async def test_the_same_verdicts_as_a_table(
    async_store: AsyncRedisStore, client: Any, algorithm: Any, clock: Any
) -> None:
    """Of costs at random, peeks among them, of one limit and of a list."""
    choice = random.Random(algorithm)
    store = RedisStore(client, prefix="a:", clock=clock)
    table = LimitTable()
    for text in ("9/hour", "5/hour; 20/day"):
        limits = Limits(text, algorithm=algorithm)
        for _ in range(60):
            key, cost = choice.choice("abc") + text, choice.choice([0, 1, 1, 2, 3, 30])
            wanted = comparable(table.spend(limits, key, cost))
            assert comparable(store.spend(limits, key, cost)) == wanted
            assert comparable(await async_store.spend(limits, key, cost)) == wanted
    assert every_key_expires(client)


def test_a_lock_out_in_redis(store: RedisStore, client: Any) -> None:
    limits = Limits.lockout(attempts=3, lock_s=60, growth=2, max_lock_s=600)
    assert [store.spend(limits, "k").allowed for _ in range(4)] == [True, True, True, False]
    refusal = store.spend(limits, "k")
    assert refusal.retry_after_ms is not None
    assert 55_000 < refusal.retry_after_ms <= 60_000
    assert every_key_expires(client)
    store.forget("k")
    assert store.spend(limits, "k").remaining == 2


def test_keys_and_prefixes(store: RedisStore, client: Any) -> None:
    limits = Limits("2/hour")
    names = ["", "a b", "é", "{x}", "}{", "a}b{c", "\x00\r\n", "x" * 1024]
    for name in names:
        assert store.spend(limits, name).remaining == 1
    for name in names:
        assert store.spend(limits, name).remaining == 0
    assert len(client.keys("*")) == len(names)
    assert RedisStore(client, prefix="other:").spend(limits, "a b").remaining == 1


def test_giving_back_and_forgetting(store: RedisStore, client: Any) -> None:
    limits = Limits("5/hour", algorithm="sliding_window")
    first = store.spend(limits, "k", 3)
    name = f"{PREFIX}{{k}}"
    client.pexpire(name, 50_000)
    store.give_back(limits, "k", first.now_ms, 2)
    assert 0 < client.pttl(name) <= 50_000
    assert store.spend(limits, "k", 0).remaining == 4
    store.forget("k")
    assert not client.exists(name)
    store.give_back(limits, "k", first.now_ms)  # What is gone was forgotten.
    store.forget("k")
    assert store.spend(limits, "k", 0).remaining == 5


@pytest.mark.usefixtures("client")
async def test_giving_back_and_forgetting_asynchronously(async_store: AsyncRedisStore) -> None:
    limits = Limits("5/hour")
    first = await async_store.spend(limits, "k", 3)
    await async_store.give_back(limits, "k", first.now_ms, 2)
    assert (await async_store.spend(limits, "k", 0)).remaining == 4
    await async_store.forget("k")
    assert (await async_store.spend(limits, "k", 0)).remaining == 5


def test_giving_back_what_other_limits_counted_keeps_it_long_enough(
    store: RedisStore, client: Any
) -> None:
    spent = store.spend(Limits("10/minute", algorithm="fixed_window"), "k", 5)
    hourly = Limits("10/hour", algorithm="fixed_window")
    store.give_back(hourly, "k", spent.now_ms)
    assert client.pttl(f"{PREFIX}{{k}}") > 3_500_000
    assert store.spend(hourly, "k", 0).remaining <= 6


def test_the_clock_of_the_caller(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    limits = Limits("1/minute")
    store = RedisStore(client, clock="caller")
    now_ms = 2_000_000_000_000
    for later_ms, allowed in ((0, True), (59_999, False), (60_000, True), (0, False)):
        monkeypatch.setattr(time, "time_ns", lambda ms=now_ms + later_ms: ms * 1_000_000)
        verdict = store.spend(limits, "k")
        assert (verdict.allowed, verdict.now_ms) == (allowed, now_ms + later_ms)
    assert every_key_expires(client)


def test_scripts_that_a_server_has_lost_are_sent_again(store: RedisStore, client: Any) -> None:
    limits = Limits("9/hour")
    for spent in range(1, 4):
        client.script_flush()
        verdict = store.spend(limits, "k")
        assert verdict.remaining == 9 - spent
        client.script_flush()
        store.give_back(limits, "k", verdict.now_ms)
        store.spend(limits, "k")


# ---- what is stored already ----


@pytest.mark.parametrize("before", ALGORITHMS)
@pytest.mark.parametrize("after", ALGORITHMS)
def test_other_limits_refill_nothing(
    store: RedisStore, client: Any, before: Any, after: Any
) -> None:
    store.spend(Limits("10/hour", algorithm=before), "k", 8)
    for text in ("20/hour", "10/hour", "5/hour", "3/hour"):
        verdict = store.spend(Limits(text, algorithm=after), "k", 0)
        assert verdict.remaining <= max(0, verdict.limit - 8)
    assert every_key_expires(client)


DAMAGED = [b"x", b"\x11", b"\xff" * 23, b"\x11" + b"\x00" * 22, b"1", b"\x16" * 500, b"{}"]


@pytest.mark.parametrize("state", DAMAGED)
def test_a_damaged_state_counts_as_spent(store: RedisStore, client: Any, state: bytes) -> None:
    name = f"{PREFIX}{{k}}"
    for algorithm in ALGORITHMS:
        client.set(name, state)
        verdict = store.spend(Limits("3/hour", algorithm=algorithm), "k")  # type: ignore[arg-type]
        assert not verdict.allowed
        assert verdict.remaining == 0
        assert every_key_expires(client)
    client.set(name, state)
    store.give_back(Limits("3/hour"), "k", 0)
    assert not store.spend(Limits("3/hour"), "k").allowed


@pytest.mark.parametrize("make", ["lpush", "sadd"])
def test_a_key_of_another_type_is_a_store_that_fails(
    store: RedisStore, client: Any, make: str
) -> None:
    getattr(client, make)(f"{PREFIX}{{k}}", "x")
    limits = Limits("3/hour")
    with pytest.raises(StoreUnavailable):
        Limiter(store).hit(limits, "k")
    assert Limiter(store, on_failure="allow").hit(limits, "k").degraded
    assert Limiter(store).hit(limits, "other").allowed


@pytest.mark.parametrize(
    "reply",
    [
        None,
        b"",
        b"OK",
        7,
        "text of seven",
        [1, b"", 1],
        b"\x01" + bytes(5),
        b"\x03" + bytes(6),
        b"\x00" + bytes(6),  # It refuses what the kernel allows,
        b"\x01" + bytes(6) + b"x",  # and allows what that refuses.
        {"a": 1},
    ],
    ids=repr,
)
async def test_a_reply_that_is_not_the_scripts_is_a_store_that_fails(reply: Any) -> None:
    class Lying:
        def evalsha(self, *_: Any) -> Any:
            return reply

        eval = delete = evalsha

    class AsyncLying:
        async def evalsha(self, *_: Any) -> Any:
            return reply

        eval = delete = evalsha

    limits = Limits("3/hour")
    with pytest.raises(StoreUnavailable):
        Limiter(RedisStore(Lying())).hit(limits, "k")
    with pytest.raises(StoreUnavailable):
        await AsyncLimiter(AsyncRedisStore(AsyncLying())).hit(limits, "k")
    assert Limiter(RedisStore(Lying()), on_failure="allow").hit(limits, "k").degraded


def test_a_key_that_never_stays_the_same_ends_in_a_failure() -> None:
    class Restless:
        asked = 0

        def evalsha(self, _sha: str, _keys: int, _name: str, *arguments: Any) -> Any:
            self.asked += 1
            return 0 if len(arguments) == 3 else b"\x02" + bytes(6) + b"x"

        eval = delete = evalsha

    client = Restless()
    limits = Limits("3/hour")
    if len(limits.script_args()) == 3:
        pytest.fail("the fake cannot tell the scripts apart")
    with pytest.raises(StoreUnavailable):
        RedisStore(client).spend(limits, "k")
    assert client.asked < 50


def test_a_client_that_decodes_is_refused(server: Server, cluster: Server) -> None:
    options: dict[str, Any] = {"host": HOST, "decode_responses": True}
    with pytest.raises(ConfigError, match="decode_responses"):
        RedisStore(redis.Redis(port=server.port, **options))
    with pytest.raises(ConfigError, match="decode_responses"):
        AsyncRedisStore(redis.asyncio.Redis(port=server.port, **options))
    with pytest.raises(ConfigError, match="decode_responses"):
        AsyncRedisStore(redis.asyncio.RedisCluster(port=cluster.port, **options))
    with (
        redis.RedisCluster(port=cluster.port, **options) as client,
        pytest.raises(ConfigError, match="decode_responses"),
    ):
        RedisStore(client)
    with pytest.raises(ConfigError, match="clock"):
        RedisStore(redis.Redis(port=server.port), clock="mine")  # type: ignore[arg-type]


def test_a_client_of_the_other_kind_is_refused(server: Server, cluster: Server) -> None:
    """It would be a store that fails each time, which some limiters let through."""
    for made in (redis.asyncio.Redis, valkey.asyncio.Valkey):
        with pytest.raises(ConfigError, match="client of asyncio"):
            RedisStore(made(port=server.port))
    with pytest.raises(ConfigError, match="client of asyncio"):
        RedisStore(redis.asyncio.RedisCluster(host=HOST, port=cluster.port))
    for client in (redis.Redis(port=server.port), valkey.Valkey(port=server.port)):
        with pytest.raises(ConfigError, match="client of asyncio"):
            AsyncRedisStore(client)
    with (
        redis.RedisCluster(host=HOST, port=cluster.port) as clustered,
        pytest.raises(ConfigError, match="client of asyncio"),
    ):
        AsyncRedisStore(clustered)


# ---- other clients ----


@pytest.mark.usefixtures("client")
@pytest.mark.parametrize("protocol", [2, 3])
def test_both_protocols(server: Server, protocol: int) -> None:
    with redis.Redis(port=server.port, protocol=protocol) as other:
        verdicts = [RedisStore(other).spend(Limits("2/hour"), "k").allowed for _ in range(3)]
    assert verdicts == [True, True, False]


async def test_a_cluster(cluster: Server) -> None:
    limits, other = Limits("2/hour"), Limits("5/hour", algorithm="fixed_window")
    with redis.RedisCluster(host=HOST, port=cluster.port) as client:
        client.flushall()
        store = RedisStore(client)
        assert [store.spend(limits, "k").allowed for _ in range(3)] == [True, True, False]
        store.spend(limits, "o")
        assert store.spend(other, "o").remaining == 0  # of the one that was left
        verdict = store.spend(other, "n")
        assert (verdict.limit, verdict.remaining) == (5, 4)
        store.give_back(other, "n", verdict.now_ms)
        verdicts = Limiter(store).hit_all([(other, f"a{index}") for index in range(20)])
        assert [verdict.remaining for verdict in verdicts] == [4] * 20
    async with redis.asyncio.RedisCluster(host=HOST, port=cluster.port) as async_client:
        async_store = AsyncRedisStore(async_client)
        assert (await async_store.spend(other, "n", 0)).remaining == 5
        verdict = await async_store.spend(other, "n", 3)
        await async_store.give_back(other, "n", verdict.now_ms)
        assert (await async_store.spend(other, "n", 0)).remaining == 3
        await async_store.forget("n")
        assert (await async_store.spend(other, "n", 0)).remaining == 5


async def test_the_client_of_valkey(server: Server, client: Any) -> None:
    limits = Limits("4/hour")
    with valkey.Valkey(port=server.port) as other:
        verdict = RedisStore(other).spend(limits, "k")
        client.script_flush()
        assert RedisStore(other).spend(limits, "k").remaining == 2
        RedisStore(other).give_back(limits, "k", verdict.now_ms)
    async with valkey.asyncio.Valkey(port=server.port) as async_other:
        client.script_flush()
        assert (await AsyncRedisStore(async_other).spend(limits, "k")).remaining == 2
    with pytest.raises(ConfigError, match="decode_responses"):
        RedisStore(valkey.Valkey(port=server.port, decode_responses=True))


# ---- many at once ----


def test_threads_that_race_spend_a_limit_once(server: Server, client: Any) -> None:
    for algorithm in ALGORITHMS:
        limits = Limits("40/hour", algorithm=algorithm)  # type: ignore[arg-type]
        allowed = race(server, partial(hit, limits))
        assert allowed.count(True) == 40
        assert every_key_expires(client)
        client.flushall()


def test_threads_with_other_limits_never_spend_more(server: Server) -> None:
    """Each converts what the other has written."""
    kinds = [Limits("40/hour"), Limits("40/hour", algorithm="fixed_window")]
    allowed = race(server, lambda store: hit(random.choice(kinds), store))
    assert 0 < allowed.count(True) <= 40


def hit(limits: Limits, store: RedisStore) -> bool:
    return store.spend(limits, "race").allowed


def race(server: Server, spend: Callable[[RedisStore], bool]) -> list[bool]:
    """Spend 240 times, from 8 threads with a connection each."""
    allowed: list[bool] = []

    def spends() -> None:
        with redis.Redis(port=server.port, socket_timeout=10) as client:
            store = RedisStore(client)
            allowed.extend(spend(store) for _ in range(30))

    threads = [threading.Thread(target=spends) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(allowed) == 240
    return allowed


@pytest.mark.usefixtures("client")
async def test_64_parallel_spends_of_a_log_in_limit(async_store: AsyncRedisStore) -> None:
    limits = Limits("5/minute", algorithm="sliding_log")
    limiter = AsyncLimiter(async_store)
    verdicts = await asyncio.gather(*(limiter.hit(limits, "login:ann") for _ in range(64)))
    assert sum(verdict.allowed for verdict in verdicts) == 5


# ---- a server that goes ----


def without_retries(server: Server) -> Any:
    return redis.Redis(port=server.port, socket_timeout=0.2, retry=Retry(NoBackoff(), 0))


@pytest.mark.parametrize("policy", ["refuse", "allow", "table"])
def test_a_server_that_is_killed_and_started_again_under_threads(policy: Any) -> None:
    limits = Limits("1000000/hour")
    seen: Counter[str] = Counter()
    stop = threading.Event()
    unexpected: list[BaseException] = []
    with Server() as server:
        limiter = Limiter(
            RedisStore(without_retries(server)),
            on_failure=LimitTable() if policy == "table" else policy,
        )

        def spend(key: str) -> None:
            try:
                while not stop.is_set():
                    try:
                        verdict = limiter.hit(limits, key)
                    except StoreUnavailable:
                        seen["refused"] += 1
                    else:
                        seen["degraded" if verdict.degraded else "stored"] += 1
            except BaseException as error:  # noqa: BLE001  that is what there must be none of
                unexpected.append(error)

        threads = [threading.Thread(target=spend, args=(f"k{index}",)) for index in range(8)]
        for thread in threads:
            thread.start()
        for end in (server.kill, server.stop):
            grows(seen, "stored")
            end()
            grows(seen, "refused" if policy == "refuse" else "degraded")
            server.start()
        grows(seen, "stored")
        stop.set()
        for thread in threads:
            thread.join()
    assert unexpected == []
    assert set(seen) == {"stored", "refused" if policy == "refuse" else "degraded"}
    assert limiter.failures == seen["refused"] + seen["degraded"]


def grows(seen: Counter[str], what: str) -> None:
    """Wait until there are 20 more of it."""
    wanted, until = seen[what] + 20, time.monotonic() + 20
    while seen[what] < wanted:
        assert time.monotonic() < until, (what, seen)
        time.sleep(0.005)


@pytest.mark.parametrize("policy", ["refuse", "allow", "table"])
async def test_a_server_that_is_killed_and_started_again_under_a_service(
    policy: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """No client sees more than the configured answer; and the log says when it began and ended."""
    with Server() as server:
        client = redis.asyncio.Redis(port=server.port, retry=AsyncRetry(NoBackoff(), 0))
        limiter = AsyncLimiter(
            AsyncRedisStore(client),
            on_failure=LimitTable() if policy == "table" else policy,
            timeout_s=0.5,
        )
        routes = FastAPILimiter(storage=limiter)
        app = FastAPI()
        routes.install(app)

        @app.get("/")
        @routes.limit("1000000/hour")
        async def endpoint() -> None: ...

        seen: Counter[int] = Counter()
        transport = ASGITransport(app)  # What an application raises, this raises.
        async with AsyncClient(transport=transport, base_url="http://service") as asking:

            async def ask(until: Callable[[], bool]) -> None:
                while not until():
                    seen[(await asking.get("/")).status_code] += 1

            async def load() -> None:
                failures, begun = limiter.failures, time.monotonic()
                while limiter.failures == failures:  # until the failure is noticed
                    assert time.monotonic() - begun < 20
                    await ask_some(ask)

            await ask_some(ask)
            server.kill()
            await load()
            server.start()
            with caplog.at_level(logging.WARNING, "donjon.limits"):
                await until_answers(limiter, ask)
        await client.aclose()
    assert set(seen) == ({200, 503} if policy == "refuse" else {200})
    assert "the store of limits answers again" in caplog.text


async def ask_some(ask: Any) -> None:
    begun = time.monotonic()
    await asyncio.gather(*(ask(lambda: time.monotonic() > begun + 0.1) for _ in range(8)))


async def until_answers(limiter: AsyncLimiter, ask: Any) -> None:
    begun = time.monotonic()
    while True:
        before = limiter.failures
        await ask_some(ask)
        if limiter.failures == before:
            return
        assert time.monotonic() - begun < 20


@pytest.mark.parametrize("policy", ["refuse", "allow", "table"])
async def test_a_server_that_hangs_blocks_nobody(policy: Any) -> None:
    limits = Limits("2/hour")
    with Server() as server:
        client = redis.asyncio.Redis(port=server.port, retry=AsyncRetry(NoBackoff(), 0))
        limiter = AsyncLimiter(
            AsyncRedisStore(client),
            on_failure=LimitTable() if policy == "table" else policy,
            timeout_s=0.2,
        )
        assert (await limiter.hit(limits, "k")).remaining == 1
        latest = 0.0

        async def watch() -> None:
            nonlocal latest
            while True:
                begun = time.monotonic()
                await asyncio.sleep(0.01)
                latest = max(latest, time.monotonic() - begun)

        watching = asyncio.create_task(watch())
        server.pause()
        begun = time.monotonic()
        answers = await asyncio.gather(
            *(limiter.hit(limits, "k") for _ in range(20)), return_exceptions=True
        )
        took = time.monotonic() - begun
        server.resume()
        watching.cancel()
        assert took < 5
        assert latest < 0.2, "the event loop was blocked"
        if policy == "refuse":
            assert {type(answer) for answer in answers} == {StoreUnavailable}
        else:
            verdicts = [answer for answer in answers if isinstance(answer, Verdict)]
            assert all(verdict.degraded for verdict in verdicts)
            allowed = sum(verdict.allowed for verdict in verdicts)
            assert (len(verdicts), allowed) == (20, 20 if policy == "allow" else 2)
        # Late answers are nobody's: each key's limit tells whose an answer is.
        await answers_belong(limiter)
        await client.aclose()


async def test_tasks_that_are_cancelled_in_the_middle_leave_no_answers_to_others(
    server: Server, client: Any
) -> None:
    async_client = redis.asyncio.Redis(port=server.port, max_connections=4)
    limiter = AsyncLimiter(AsyncRedisStore(async_client))
    choice = random.Random(1)
    cancelled = 0
    for _ in range(60):
        tasks = [
            asyncio.create_task(limiter.hit(Limits(f"{amount}/hour"), f"c{amount}"))
            for amount in range(1, 4)
        ]
        await asyncio.sleep(choice.random() * 0.001)
        for task in tasks:
            task.cancel()
        done = await asyncio.gather(*tasks, return_exceptions=True)
        cancelled += sum(isinstance(one, asyncio.CancelledError) for one in done)
    assert cancelled > 10
    await answers_belong(limiter)
    assert limiter.failures == 0
    await async_client.aclose()
    assert every_key_expires(client)


async def answers_belong(limiter: AsyncLimiter) -> None:
    for amount in range(100, 120):
        verdict = await limiter.hit(Limits(f"{amount}/hour"), f"own{amount}")
        assert (verdict.limit, verdict.degraded) == (amount, False)
