"""Stores of records: one set of tests for all, and what only some of them do."""

from __future__ import annotations

import asyncio
import gc
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest
import redis
import redis.asyncio
from redis.backoff import NoBackoff
from redis.retry import Retry
from server import Server
from sqlalchemy import MetaData, create_engine, create_mock_engine, select
from sqlalchemy.ext.asyncio import create_async_engine

from donjon import ConfigError, InvalidArgument, StoreUnavailable
from donjon.records import AsyncCachedRecords, CachedRecords, MemoryRecords, RecordStore
from donjon.redis import AsyncRedisRecords, RedisRecords
from donjon.sqlalchemy import AsyncSqlRecords, SqlRecords
from stores import KINDS, Stores

pytestmark = pytest.mark.anyio

KEEP_MS = 600_000
SHORT_MS = 600  # and long enough for a machine with much to do
KEY = "{0123456789abcdefghijkl}:sessions"


@pytest.fixture(params=KINDS)
def store(request: pytest.FixtureRequest, stores: Stores) -> RecordStore:
    return stores.store(request.param)


# ---- what every store does ----


def test_what_is_not_there_is_empty(store: RecordStore) -> None:
    assert list(store.get_many([])) == []
    assert list(store.get_many([KEY, "epoch", KEY])) == [b"", b"", b""]


def test_a_record_is_put_where_there_is_none(store: RecordStore) -> None:
    assert store.replace(KEY, b"", b"one", KEEP_MS) is True
    assert store.replace(KEY, b"", b"two", KEEP_MS) is False
    assert list(store.get_many(["epoch", KEY])) == [b"", b"one"]


def test_a_record_is_replaced_if_it_is_what_it_was(store: RecordStore) -> None:
    assert store.replace(KEY, b"one", b"two", KEEP_MS) is False
    assert list(store.get_many([KEY])) == [b""]
    store.replace(KEY, b"", b"one", KEEP_MS)
    assert store.replace(KEY, b"other", b"two", KEEP_MS) is False
    assert store.replace(KEY, b"on", b"two", KEEP_MS) is False
    assert list(store.get_many([KEY])) == [b"one"]
    assert store.replace(KEY, b"one", b"two", KEEP_MS) is True
    assert store.replace(KEY, b"two", b"two", KEEP_MS) is True
    assert list(store.get_many([KEY])) == [b"two"]


def test_a_record_goes_if_it_is_what_it_was(store: RecordStore) -> None:
    assert store.replace(KEY, b"", b"", KEEP_MS) is True
    store.replace(KEY, b"", b"one", KEEP_MS)
    assert store.replace(KEY, b"", b"", KEEP_MS) is False
    assert store.replace(KEY, b"other", b"", KEEP_MS) is False
    assert list(store.get_many([KEY])) == [b"one"]
    assert store.replace(KEY, b"one", b"", 0) is True
    assert list(store.get_many([KEY])) == [b""]
    assert store.replace(KEY, b"one", b"", KEEP_MS) is False
    assert store.replace(KEY, b"", b"again", KEEP_MS) is True


def test_any_bytes_are_kept_as_they_are(store: RecordStore) -> None:
    values = [b"\0", bytes(range(256)), b"\r\n", "é".encode(), b"x" * 70_000, b"0", b" a "]
    for index, value in enumerate(values):
        assert store.replace(f"k{index}", b"", value, KEEP_MS) is True
    keys = [f"k{index}" for index in range(len(values))]
    assert list(store.get_many(keys)) == values
    for key, value in zip(keys, values, strict=True):
        assert store.replace(key, value, value[::-1], KEEP_MS) is True
    assert list(store.get_many(keys[::-1])) == [value[::-1] for value in values[::-1]]


def test_keys_differ_in_any_letter(store: RecordStore) -> None:
    keys = ["{a}:x", "{A}:x", "{a}:X", "{a}:x ", "{a}:x%", "{a}_x", "a:x", "{b}:x"]
    for key in keys:
        assert store.replace(key, b"", key.encode(), KEEP_MS) is True
    assert list(store.get_many(keys)) == [key.encode() for key in keys]


def test_what_is_over_is_gone(store: RecordStore) -> None:
    store.replace("short", b"", b"one", SHORT_MS)
    store.replace("long", b"", b"one", SHORT_MS)
    store.replace("long", b"one", b"two", KEEP_MS)
    store.replace("shortened", b"", b"one", KEEP_MS)
    store.replace("shortened", b"one", b"two", SHORT_MS)
    if not isinstance(store, CachedRecords):
        assert list(store.get_many(["short", "long"])) == [b"one", b"two"]
    time.sleep(SHORT_MS / 1000 + 0.05)
    assert list(store.get_many(["short", "long", "shortened"])) == [b"", b"two", b""]
    assert store.replace("short", b"one", b"two", KEEP_MS) is False
    assert store.replace("shortened", b"two", b"", KEEP_MS) is False
    assert set(store.scan("")) == {b"two"}
    assert store.replace("short", b"", b"three", KEEP_MS) is True
    assert list(store.get_many(["short"])) == [b"three"]


def test_a_scan_gives_what_has_the_part_in_its_key(
    store: RecordStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for pages in ("donjon.redis._PAGE", "donjon.sqlalchemy.records._PAGE"):
        monkeypatch.setattr(pages, 20)
    tags = [f"{index:022}" for index in range(59)]
    wanted = {f"{{{tag}}}:revoked:token:{tag}": tag.encode() for tag in tags}
    for key, value in wanted.items():
        store.replace(key, b"", value, KEEP_MS)
    # What strangers may have as keys of limits, and other services in the same place.
    others = [
        "limit:{login:revoked:x}",
        "x:revoked:token:x",
        "{short}:revoked:since",
        "revoked:{x}",
    ]
    others += [f"{{{tags[0]}}}:revoked:x}}", "Revoked:x", f"{{{tags[0]}}}:x:revoked:x", "revoked:é"]
    for key in ("epoch", KEY, *others):
        store.replace(key, b"", b"other", KEEP_MS)
    store.replace("revoked:key:x", b"", b"key", KEEP_MS)
    assert set(store.scan("revoked:")) == {*wanted.values(), b"key"}
    assert set(store.scan("revoked:key:")) == {b"key"}
    assert list(store.scan("nowhere")) == []


def test_of_threads_that_put_a_record_at_once_one_does(store: RecordStore) -> None:
    for index in range(10):
        key = f"key {index}"
        won = race(lambda mine, key=key: store.replace(key, b"", b"%d" % mine, KEEP_MS))
        assert sum(won) == 1
        assert list(store.get_many([key])) == [b"%d" % won.index(True)]


def test_threads_that_count_lose_nothing(store: RecordStore) -> None:
    fresh = getattr(store, "get_fresh", store.get_many)

    def counts(_: int) -> bool:
        for _ in range(8):
            while True:
                [before] = fresh([KEY])
                after = b"%d" % (int(before or b"0") + 1)
                if store.replace(KEY, before, after, KEEP_MS):
                    break
        return True

    race(counts)
    assert list(store.get_many([KEY])) == [b"%d" % (8 * 8)]


def test_of_threads_that_take_a_record_away_at_once_one_does(store: RecordStore) -> None:
    for _ in range(10):
        store.replace(KEY, b"", b"one", KEEP_MS)
        assert sum(race(lambda _: store.replace(KEY, b"one", b"", KEEP_MS))) == 1


def race(act: Any) -> list[bool]:
    """Act in 8 threads at once."""
    answers: dict[int, bool] = {}
    start = threading.Barrier(8)

    def acts(index: int) -> None:
        start.wait()
        answers[index] = act(index)

    threads = [threading.Thread(target=acts, args=(index,)) for index in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 8
    return [answers[index] for index in range(8)]


# ---- in memory ----


def fill(store: MemoryRecords, keep_ms: int) -> None:
    for index in range(1000):
        store.replace(f"key {index}", b"", b"x" * 100, keep_ms)


def test_memory_that_is_full_refuses_and_forgets_nothing() -> None:
    store = MemoryRecords(max_bytes=10_000)
    with pytest.raises(StoreUnavailable):
        fill(store, 60_000)
    assert 10 < len(store) < 100
    assert b"" not in store.get_many([f"key {index}" for index in range(len(store))])
    # What takes no more room than was there goes on.
    assert store.replace("key 0", b"x" * 100, b"y" * 100, KEEP_MS)
    with pytest.raises(StoreUnavailable):
        store.replace("key 0", b"y" * 100, b"y" * 9000, KEEP_MS)
    assert store.replace("key 0", b"y" * 100, b"", KEEP_MS)
    assert store.replace("other", b"", b"x" * 100, KEEP_MS)


def test_memory_takes_again_what_fits_once_others_are_over() -> None:
    store = MemoryRecords(max_bytes=10_000)
    for _ in range(3):
        with pytest.raises(StoreUnavailable):
            fill(store, 50)
        assert len(store) > 10
        time.sleep(0.06)
        assert len(store) == 0


def test_memory_does_not_grow_with_what_is_replaced() -> None:
    store = MemoryRecords()
    before = b""
    for index in range(5000):
        after = b"%d" % index
        assert store.replace(KEY, before, after, KEEP_MS)
        before = after
    assert len(store) == 1
    assert len(store._ends) < 100


def test_memory_of_several_workers_warns(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    MemoryRecords()
    assert caplog.text == ""
    monkeypatch.setenv("WEB_CONCURRENCY", "4")
    MemoryRecords()
    assert "each of its siblings has its own" in caplog.text


@pytest.mark.parametrize(
    ("command", "warns"),
    [
        (["/usr/bin/uvicorn", "app:app", "--workers", "2"], True),
        (["/usr/lib/python3/uvicorn/__main__.py", "--workers=2", "app:app"], True),
        (["gunicorn", "-w", "4", "app:app"], True),
        (["gunicorn", "-w4", "app:app"], True),
        (["uvicorn", "app:app", "--workers", "1"], False),  # It outweighs the environment.
        (["uvicorn", "app:app", "--reload"], None),
        (["pytest", "-w", "4"], None),
        (["uvicorn", "app:app", "--workers", "x"], None),
        ([], None),
    ],
)
def test_memory_of_a_server_that_was_told_to_start_several_warns(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    command: list[str],
    warns: bool | None,
) -> None:
    monkeypatch.setattr("sys.argv", command)
    for configured in ("1", "4", "many"):
        caplog.clear()
        monkeypatch.setenv("WEB_CONCURRENCY", configured)
        MemoryRecords()
        assert bool(caplog.text) is (configured == "4" if warns is None else warns)


def test_memory_that_was_forked_warns_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    store = MemoryRecords()
    monkeypatch.setattr(os, "getpid", lambda: -1)
    store.get_many([KEY])
    store.replace(KEY, b"", b"one", KEEP_MS)
    assert caplog.text.count("forked") == 1


@pytest.mark.parametrize("max_bytes", [0, -1, True, "1", 1.5])
def test_memory_without_a_bound_is_refused(max_bytes: Any) -> None:
    with pytest.raises(InvalidArgument):
        MemoryRecords(max_bytes=max_bytes)


# ---- with a cache ----


class Counted:
    """Records in memory that count what is asked of them, and fail when told so."""

    def __init__(self) -> None:
        self.records = MemoryRecords()
        self.asked: list[list[str]] = []
        self.fails = False

    def get_many(self, keys: Any) -> list[bytes]:
        self.asked.append(list(keys))
        if self.fails:
            raise OSError("no route")
        return self.records.get_many(keys)

    def replace(self, key: str, before: bytes, after: bytes, keep_ms: int) -> bool:
        if self.fails:
            raise OSError("no route")
        return self.records.replace(key, before, after, keep_ms)

    def scan(self, part: str) -> Iterator[bytes]:
        return self.records.scan(part)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def test_a_cache_asks_once_within_its_age(clock: list[float]) -> None:
    counted = Counted()
    store = CachedRecords(counted, max_age=timedelta(seconds=2))
    counted.records.replace("a", b"", b"one", KEEP_MS)
    for _ in range(3):
        assert store.get_many(["a", "b"]) == [b"one", b""]
    assert store.get_many(["c", "a", "c"]) == [b"", b"one", b""]
    assert counted.asked == [["a", "b"], ["c"]]
    counted.records.replace("a", b"one", b"two", KEEP_MS)
    clock[0] += 1.999
    assert store.get_many(["a"]) == [b"one"]
    clock[0] += 0.001
    assert store.get_many(["a"]) == [b"two"]


def test_the_age_of_what_is_cached_begins_before_it_was_read(clock: list[float]) -> None:
    class Slow(Counted):
        def get_many(self, keys: Any) -> list[bytes]:
            values = super().get_many(keys)
            clock[0] += 1.5
            return values

    slow = Slow()
    store = CachedRecords(slow, max_age=2)
    store.get_many(["a"])
    slow.records.replace("a", b"", b"one", KEEP_MS)
    clock[0] += 0.5
    assert store.get_many(["a"]) == [b"one"]


def test_a_cache_forgets_what_is_replaced_by_way_of_it(clock: list[float]) -> None:
    counted = Counted()
    store = CachedRecords(counted, max_age=60)
    assert store.get_many(["a"]) == [b""]
    assert store.replace("a", b"", b"one", KEEP_MS)
    assert store.get_many(["a"]) == [b"one"]
    counted.records.replace("a", b"one", b"two", KEEP_MS)
    assert store.get_many(["a"]) == [b"one"]
    assert not store.replace("a", b"one", b"three", KEEP_MS)
    assert store.get_many(["a"]) == [b"two"]
    counted.fails = True
    with pytest.raises(OSError, match="no route"):
        store.replace("a", b"two", b"three", KEEP_MS)
    counted.fails = False
    counted.records.replace("a", b"two", b"four", KEEP_MS)
    assert store.get_many(["a"]) == [b"four"]
    assert clock == [1000.0]


def test_a_read_that_was_under_way_while_its_key_was_replaced_is_not_kept() -> None:
    """Nor one that began before another, and ended after it."""
    counted = Counted()
    store = CachedRecords(counted, max_age=60)
    read, go_on = threading.Event(), threading.Event()
    plain = counted.get_many

    def slowly(keys: Any) -> list[bytes]:
        values = plain(keys)
        if not read.is_set():
            read.set()
            go_on.wait(10)
        return values

    counted.get_many = slowly  # type: ignore[method-assign]
    for replace in (store.replace, counted.records.replace):
        read.clear()
        go_on.clear()
        before = counted.records.get_many(["a"])[0]
        late = threading.Thread(target=store.get_many, args=(["a"],))
        late.start()
        assert read.wait(10)
        assert replace("a", before, before + b"x", KEEP_MS)
        if replace != store.replace:
            assert store.get_fresh(["a"]) == [before + b"x"]
        go_on.set()
        late.join()
        assert store.get_many(["a"]) == [before + b"x"]
        store._forget("a")
    assert store._reads == set()


def test_what_is_asked_for_fresh_is_of_now() -> None:
    counted = Counted()
    store = CachedRecords(counted, max_age=60)
    assert store.get_many(["a"]) == [b""]
    counted.records.replace("a", b"", b"one", KEEP_MS)
    assert store.get_many(["a"]) == [b""]
    assert store.get_fresh(["a", "a"]) == [b"one", b"one"]
    assert store.get_many(["a"]) == [b"one"]


def test_a_cache_serves_longer_only_while_the_store_fails(
    clock: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    counted = Counted()
    store = CachedRecords(counted, max_age=2, stale_if_error=30)
    counted.records.replace("a", b"", b"one", KEEP_MS)
    assert store.get_many(["a"]) == [b"one"]
    counted.fails = True
    clock[0] += 30
    assert store.get_many(["a"]) == [b"one"]
    asked = len(counted.asked)
    clock[0] += 0.999
    assert store.get_many(["a"]) == [b"one"]  # It has only just failed.
    assert len(counted.asked) == asked
    clock[0] += 1
    assert store.get_many(["a"]) == [b"one"]
    assert len(counted.asked) == asked + 1
    with pytest.raises(OSError, match="no route"):
        store.get_many(["a", "never read"])
    assert caplog.text.count("the store behind a cache fails (OSError: no route)") == 1
    with pytest.raises(OSError, match="no route"):
        store.get_fresh(["a"])
    clock[0] += 0.001
    with pytest.raises(OSError, match="no route"):
        store.get_many(["a"])
    counted.fails = False
    assert store.get_many(["a"]) == [b"one"]
    assert caplog.text.count("the store behind a cache answers again") == 1
    without = CachedRecords(counted, max_age=2)
    without.get_many(["a"])
    clock[0] += 2
    counted.fails = True
    with pytest.raises(OSError, match="no route"):
        without.get_many(["a"])


def test_a_cache_is_bounded() -> None:
    counted = Counted()
    store = CachedRecords(counted, max_age=60, max_entries=3)
    store.get_many(["a", "b", "c"])
    store.get_many(["a"])
    store.get_many(["d"])
    assert len(store._entries) == 3
    counted.asked.clear()
    store.get_many(["a", "b"])
    assert counted.asked == [["b"]]


@pytest.mark.parametrize("changed", [{"max_age": 0}, {"max_entries": 0}, {"stale_if_error": -1}])
def test_a_cache_without_a_bound_is_refused(changed: Any) -> None:
    with pytest.raises(InvalidArgument):
        CachedRecords(MemoryRecords(), **({"max_age": 1} | changed))
    with pytest.raises(TypeError, match="timedelta"):
        CachedRecords(MemoryRecords(), max_age=1.5)  # type: ignore[arg-type]


async def test_an_asynchronous_cache() -> None:
    counted = Counted()

    class Awaitable:
        async def get_many(self, keys: Any) -> list[bytes]:
            return counted.get_many(keys)

        async def replace(self, key: str, before: bytes, after: bytes, keep_ms: int) -> bool:
            return counted.replace(key, before, after, keep_ms)

        async def scan(self, part: str) -> Any:
            for value in counted.scan(part):
                yield value

    store = AsyncCachedRecords(Awaitable(), max_age=60)
    assert await store.get_many(["a"]) == [b""]
    assert await store.replace("a", b"", b"one", KEEP_MS)
    assert await store.get_many(["a"]) == [b"one"]
    counted.records.replace("a", b"one", b"two", KEEP_MS)
    assert await store.get_many(["a"]) == [b"one"]
    assert await store.get_fresh(["a"]) == [b"two"]
    assert [value async for value in store.scan("a")] == [b"two"]
    with pytest.raises(TypeError, match="AsyncCachedRecords"):
        CachedRecords(Awaitable(), max_age=1)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="AsyncCachedRecords"):
        AsyncCachedRecords(MemoryRecords(), max_age=1)  # type: ignore[arg-type]


# ---- in Redis ----


def test_keys_in_redis(redis_server: Server) -> None:
    with redis.Redis(port=redis_server.port) as client:
        client.flushall()
        assert RedisRecords(client).replace(KEY, b"", b"one", KEEP_MS)
        assert RedisRecords(client, prefix="a*?[b]\\:").replace(KEY, b"", b"two", KEEP_MS)
        client.set("ab:sessions", b"not of these")
        assert sorted(client.keys("*")) == sorted(
            [f"donjon:{KEY}".encode(), f"a*?[b]\\:{KEY}".encode(), b"ab:sessions"]
        )
        assert 0 < client.pttl(f"donjon:{KEY}") <= KEEP_MS
        assert list(RedisRecords(client).scan("sessions")) == [b"one"]
        assert list(RedisRecords(client, prefix="a*?[b]\\:").scan("sessions")) == [b"two"]


def test_what_redis_has_lost_or_is_of_another_type_is_said(redis_server: Server) -> None:
    with redis.Redis(port=redis_server.port) as client:
        client.flushall()
        store = RedisRecords(client)
        store.replace(KEY, b"", b"one", KEEP_MS)
        client.script_flush()
        assert store.replace(KEY, b"one", b"two", KEEP_MS)
        client.lpush("donjon:list", "x")
        with pytest.raises(redis.ResponseError):
            store.replace("list", b"", b"one", KEEP_MS)


@pytest.mark.parametrize("reply", [None, b"OK", 7, [b"a"], [b"a", 1], [b"a", b"b", b"c"]], ids=repr)
async def test_a_reply_that_is_none_of_records_is_a_store_that_fails(reply: Any) -> None:
    class Lying:
        def mget(self, _: Any) -> Any:
            return reply

        def evalsha(self, *_: Any) -> Any:
            return reply

        eval = evalsha

    class AsyncLying:
        async def mget(self, _: Any) -> Any:
            return reply

        async def evalsha(self, *_: Any) -> Any:
            return reply

        eval = evalsha

    store, async_store = RedisRecords(Lying()), AsyncRedisRecords(AsyncLying())
    with pytest.raises(StoreUnavailable):
        store.get_many(["a", "b"])
    with pytest.raises(StoreUnavailable):
        store.replace("a", b"", b"one", KEEP_MS)
    with pytest.raises(StoreUnavailable):
        await async_store.get_many(["a", "b"])
    with pytest.raises(StoreUnavailable):
        await async_store.replace("a", b"", b"one", KEEP_MS)


def test_clients_that_records_do_not_go_with(redis_server: Server) -> None:
    with pytest.raises(ConfigError, match="decode_responses"):
        RedisRecords(redis.Redis(port=redis_server.port, decode_responses=True))
    with pytest.raises(ConfigError, match="client of asyncio"):
        RedisRecords(redis.asyncio.Redis(port=redis_server.port))
    with pytest.raises(ConfigError, match="client of asyncio"):
        AsyncRedisRecords(redis.Redis(port=redis_server.port))
    client = redis.Redis(port=redis_server.port)
    for wrong in (-1, True, 1.0):
        with pytest.raises((InvalidArgument, TypeError)):
            RedisRecords(client, wait_replicas=wrong)  # type: ignore[arg-type]
    with pytest.raises(InvalidArgument, match="wait_timeout"):
        RedisRecords(client, wait_timeout=0)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
async def test_clients_that_are_behind_are_refused(
    redis_server: Server, redis_cluster: Server
) -> None:
    sentinel: Any = cast(Any, redis.sentinel.Sentinel)([("127.0.0.1", 1)])
    RedisRecords(sentinel.master_for("donjon"))
    cache = redis.cache.CacheConfig()
    behind: list[Any] = [
        redis.Redis(port=redis_server.port, protocol=3, cache_config=cache),
        sentinel.slave_for("donjon"),
    ]
    cluster: dict[str, Any] = {"host": "127.0.0.1", "port": redis_cluster.port}
    strategy = redis.cluster.LoadBalancingStrategy.RANDOM
    behind.append(redis.RedisCluster(**cluster, read_from_replicas=True))
    behind.append(redis.RedisCluster(**cluster, load_balancing_strategy=strategy))
    for client in behind:
        with pytest.raises(ConfigError, match="replicas"):
            RedisRecords(client)
        client.close()
    async with redis.asyncio.RedisCluster(**cluster, read_from_replicas=True) as other:
        with pytest.raises(ConfigError, match="replicas"):
            AsyncRedisRecords(other)


@pytest.fixture
def replicated() -> Iterator[tuple[Server, Server]]:
    """A server and its replica."""
    with Server() as primary, Server() as replica:
        with primary.client() as client:
            client.config_set("repl-diskless-sync-delay", 0)
        with replica.client() as client:
            client.replicaof("127.0.0.1", primary.port)
            until = time.monotonic() + 20
            while client.info("replication")["master_link_status"] != "up":
                assert time.monotonic() < until
                time.sleep(0.02)
        with (
            primary.client() as client
        ):  # It counts replicas once they have acknowledged something.
            client.set("first", "x")
            assert client.wait(1, 20_000) == 1
        yield primary, replica


async def test_a_change_waits_for_replicas(replicated: tuple[Server, Server]) -> None:
    primary, replica = replicated
    async_client = redis.asyncio.Redis(port=primary.port)
    with primary.client() as client, replica.client() as copy:
        client.script_flush()
        patient: dict[str, Any] = {"wait_replicas": 1, "wait_timeout": 10}
        store, async_store = (
            RedisRecords(client, **patient),
            AsyncRedisRecords(async_client, **patient),
        )
        for index in range(50):
            assert store.replace(f"a{index}", b"", b"one", KEEP_MS)
            assert copy.get(f"donjon:a{index}") == b"one"
            assert await async_store.replace(f"b{index}", b"", b"one", KEEP_MS)
            assert copy.get(f"donjon:b{index}") == b"one"
        assert not store.replace("a0", b"", b"two", KEEP_MS)
        hasty = patient | {"wait_timeout": timedelta(milliseconds=200)}
        store, async_store = (
            RedisRecords(client, **hasty),
            AsyncRedisRecords(async_client, **hasty),
        )
        replica.pause()
        try:
            begun = time.monotonic()
            with pytest.raises(StoreUnavailable, match="replicas"):
                store.replace("a0", b"one", b"two", KEEP_MS)
            with pytest.raises(StoreUnavailable, match="replicas"):
                await async_store.replace("b0", b"one", b"two", KEEP_MS)
            assert 0.4 <= time.monotonic() - begun < 5
            assert store.get_many(["a0", "b0"]) == [b"two", b"two"]
            assert not store.replace("a0", b"one", b"three", KEEP_MS)
        finally:
            replica.resume()
        client.lpush("donjon:list", "x")
        with pytest.raises(redis.ResponseError, match="WRONGTYPE"):
            store.replace("list", b"", b"one", KEEP_MS)
    await async_client.aclose()


async def test_a_server_that_is_a_replica_lets_nobody_in(replicated: tuple[Server, Server]) -> None:
    """Also one that somebody has made a replica of: it may not know what was revoked since."""
    primary, replica = replicated
    with primary.client() as client, replica.client() as copy:
        store = RedisRecords(client)
        assert store.replace(KEY, b"", b"one", KEEP_MS)
        for protocol in (2, 3):
            for _ in range(2):  # It does not become one by being asked again.
                at: dict[str, Any] = {"port": replica.port, "protocol": protocol}
                with pytest.raises(StoreUnavailable, match="replica"):
                    RedisRecords(redis.Redis(**at)).get_many([KEY])
                async with redis.asyncio.Redis(**at) as other:
                    with pytest.raises(StoreUnavailable, match="replica"):
                        await AsyncRedisRecords(other).get_many([KEY])
        assert store.get_many([KEY]) == [b"one"]
        copy.replicaof("NO", "ONE")
        client.replicaof("127.0.0.1", replica.port)
        with pytest.raises(redis.ReadOnlyError):
            store.replace(KEY, b"one", b"two", KEEP_MS)
        with pytest.raises(StoreUnavailable, match="replica"):
            store.get_many([KEY])
        client.replicaof("NO", "ONE")
        assert store.get_many([KEY]) == [b"one"]


def test_a_server_that_does_not_say_what_it_is_is_believed(redis_server: Server) -> None:
    class Old(redis.Redis):
        """Of a server before Redis 6, or that has the command renamed."""

        def execute_command(self, *words: Any, **options: Any) -> Any:
            if words == ("HELLO",):
                raise redis.ResponseError("unknown command 'HELLO'")
            return super().execute_command(*words, **options)  # type: ignore[no-untyped-call]

    with Old(port=redis_server.port) as client:
        assert RedisRecords(client).get_many(["nobody"]) == [b""]


async def test_a_cluster_without_replicas_acknowledges_nothing(redis_cluster: Server) -> None:
    options: dict[str, Any] = {"wait_replicas": 1, "wait_timeout": timedelta(milliseconds=50)}
    with redis.RedisCluster(host="127.0.0.1", port=redis_cluster.port) as client:
        client.flushall()
        client.script_flush()
        store = RedisRecords(client, **options)
        with pytest.raises(StoreUnavailable, match="replicas"):
            store.replace(KEY, b"", b"one", KEEP_MS)
        assert store.get_many([KEY, "epoch"]) == [b"one", b""]
        assert not store.replace(KEY, b"", b"two", KEEP_MS)
    async with redis.asyncio.RedisCluster(host="127.0.0.1", port=redis_cluster.port) as other:
        async_store = AsyncRedisRecords(other, **options)
        with pytest.raises(StoreUnavailable, match="replicas"):
            await async_store.replace(KEY, b"one", b"two", KEEP_MS)
        assert not await async_store.replace(KEY, b"one", b"three", KEEP_MS)
        assert await async_store.get_many([KEY]) == [b"two"]


def test_a_server_that_is_gone_is_a_store_that_fails() -> None:
    with Server() as server:
        client = redis.Redis(port=server.port, socket_timeout=0.2, retry=Retry(NoBackoff(), 0))
        store = RedisRecords(client)
        store.replace(KEY, b"", b"one", KEEP_MS)
    with pytest.raises(redis.ConnectionError):
        store.get_many([KEY])
    with pytest.raises(redis.ConnectionError):
        store.replace(KEY, b"one", b"two", KEEP_MS)


# ---- in a database ----


@pytest.mark.parametrize("kind", ["sqlite", "sqlite async", "postgresql", "postgresql async"])
def test_what_is_over_is_purged_a_day_later(
    stores: Stores, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store: Any = stores.store(kind)
    now_ms, day_ms = time.time_ns() // 1_000_000, 86_400_000
    for index in range(20):
        store.replace(f"short {index}", b"", b"one", 1)
    store.replace("long", b"", b"one", 10 * day_ms)
    time.sleep(0.01)
    # By a clock that is an hour ahead, what others still need is over.
    monkeypatch.setattr("donjon.sqlalchemy.records._now_ms", lambda: now_ms + day_ms - 1)
    assert store.get_many(["short 0"]) == [b""]
    assert store.purge() == 0
    monkeypatch.setattr("donjon.sqlalchemy.records._now_ms", lambda: now_ms + day_ms + 60_000)
    assert store.purge() == 20
    assert store.purge() == 0
    assert list(store.get_many(["long"])) == [b"one"]


async def test_what_was_cancelled_leaves_no_lock_behind(tmp_path: Path) -> None:
    """As a manager does with a call that takes too long. Others have to be able to write."""
    engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path / 'a.db'}")
    store = AsyncSqlRecords(engine)
    await store.create_table()
    for index in range(20):
        await store.replace(f"k{index}", b"", b"one", KEEP_MS)
    gc.disable()
    try:
        for steps in range(60):
            reads = asyncio.create_task(store.get_many([f"k{index}" for index in range(20)]))
            for _ in range(steps):
                await asyncio.sleep(0.0001 * (steps % 2))
            reads.cancel()
            await asyncio.wait({reads})
            await asyncio.sleep(0.01)
        with closing(sqlite3.connect(tmp_path / "a.db", timeout=2)) as other:
            other.execute("BEGIN EXCLUSIVE")
            other.rollback()
    finally:
        gc.enable()
    # What was begun is done, though nobody waits for it any more.
    writes = asyncio.create_task(store.replace(KEY, b"", b"one", KEEP_MS))
    await asyncio.sleep(0)
    writes.cancel()
    for _ in range(1000):
        if await store.get_many([KEY]) == [b"one"]:
            break
        await asyncio.sleep(0.01)
    assert await store.get_many([KEY]) == [b"one"]
    assert writes.cancelled()
    await engine.dispose()


def test_a_table_of_ones_own(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'a.db'}")
    metadata = MetaData()
    table = SqlRecords.table(metadata, "logins")
    metadata.create_all(engine)
    store = SqlRecords(engine, table)
    store.create_table()
    assert store.replace(KEY, b"", b"one", KEEP_MS)
    with engine.connect() as connection:
        [row] = connection.execute(select(table)).all()
    assert (row.key, row.value) == (KEY, b"one")
    assert abs(row.expires_ms - time.time() * 1000 - KEEP_MS) < 5000
    # The engine is as it was: it begins transactions.
    with engine.connect() as connection, connection.begin():
        connection.execute(table.delete())
        connection.get_transaction().rollback()  # type: ignore[union-attr]
    assert store.get_many([KEY]) == [b"one"]
    engine.dispose()


def test_another_database_is_refused() -> None:
    other: Any = create_mock_engine("mysql://", lambda *_: None)
    for kind in (SqlRecords, AsyncSqlRecords):
        with pytest.raises(ConfigError, match="PostgreSQL and SQLite"):
            kind(other)


def test_serializable_transactions_of_others_are_lost_rounds(stores: Stores) -> None:
    """Where a server makes every transaction serializable, one that loses is told so."""
    sql: Any = stores.store("postgresql")
    with sql._engine.connect() as connection:
        connection.exec_driver_sql(
            "ALTER ROLE donjon SET default_transaction_isolation = 'serializable'"
        )
    sql._engine.dispose()
    try:
        test_threads_that_count_lose_nothing(sql)
    finally:
        with sql._engine.connect() as connection:
            connection.exec_driver_sql("ALTER ROLE donjon RESET default_transaction_isolation")
        sql._engine.dispose()
