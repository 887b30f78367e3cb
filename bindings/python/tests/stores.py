"""Every store of records, each on a server or in a file of its own, as tests and threads call it.

Those to await run on an event loop of their own thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import redis
import redis.asyncio
import valkey
from anyio.from_thread import BlockingPortal, start_blocking_portal
from server import HOST, Server
from sqlalchemy import create_engine
from sqlalchemy.ext.asyncio import create_async_engine

from database.postgresql import PostgreSQL
from donjon import Keyring
from donjon.records import CachedRecords, MemoryRecords, RecordStore
from donjon.redis import AsyncRedisRecords, RedisRecords
from donjon.revocation import AsyncRevocations, Revocations
from donjon.sessions import AsyncSessionManager, SessionManager
from donjon.sqlalchemy import AsyncSqlRecords, SqlRecords

KINDS = [
    "memory",
    "cached",
    "redis",
    "valkey",
    "redis cluster",
    "redis async",
    "redis cluster async",
    "sqlite",
    "sqlite async",
    "postgresql",
    "postgresql async",
]


class Awaited:
    """An asynchronous store, for threads."""

    def __init__(self, store: Any, portal: BlockingPortal) -> None:
        self.store = store
        self.portal = portal

    def get_many(self, keys: Sequence[str]) -> list[bytes]:
        return list(self._call(lambda: self.store.get_many(keys)))

    def replace(self, key: str, before: bytes, after: bytes, keep_ms: int) -> bool:
        return bool(self._call(lambda: self.store.replace(key, before, after, keep_ms)))

    def scan(self, part: str) -> Iterator[bytes]:
        async def collected() -> list[bytes]:
            return [value async for value in self.store.scan(part)]

        return iter(self._call(collected))

    def purge(self) -> Any:
        return self._call(self.store.purge)

    def _call(self, call: Callable[[], Any]) -> Any:
        async def called() -> Any:
            return await call()

        return self.portal.call(called)


class Driven:
    """An asynchronous manager, for threads."""

    def __init__(self, manager: Any, portal: BlockingPortal) -> None:
        self._manager = manager
        self._portal = portal

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._manager, name)
        if name == "revocations":
            return Driven(found, self._portal)
        if not callable(found):
            return found
        return lambda *arguments, **options: self._portal.call(
            partial(found, *arguments, **options)
        )


def session_manager(keyring: Keyring, store: RecordStore, **options: Any) -> Any:
    """Return the manager that goes with a store of `Stores.store`, as threads call it."""
    if isinstance(store, Awaited):
        return Driven(AsyncSessionManager(keyring, store.store, **options), store.portal)
    return SessionManager(keyring, store, **options)


def revocations(keyring: Keyring, store: RecordStore, **options: Any) -> Any:
    """Return the revocations that go with a store of `Stores.store`, as threads call them."""
    if isinstance(store, Awaited):
        return Driven(AsyncRevocations(keyring, store.store, **options), store.portal)
    return Revocations(keyring, store, **options)


class Stores:
    """Opens stores by their name in `KINDS`, and closes them all."""

    def __init__(self, request: pytest.FixtureRequest, folder: Path) -> None:
        self._request = request
        self._folder = folder
        self._open = ExitStack()

    def __enter__(self) -> Stores:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def store(self, kind: str) -> RecordStore:
        """Return an empty store. Those to await are wrapped."""
        match kind:
            case "memory":
                return MemoryRecords()
            case "cached":
                return CachedRecords(MemoryRecords(), max_age=60)
            case "redis" | "valkey" | "redis cluster":
                return RedisRecords(self._client(kind))
            case "sqlite" | "postgresql":
                return self._sql(kind)
        portal = self._open.enter_context(start_blocking_portal())
        return Awaited(self._open.enter_context(self._awaited(kind, portal)), portal)

    def server(self, kind: str) -> Server:
        name = "redis_cluster" if "cluster" in kind else "redis_server"
        started: Server = self._request.getfixturevalue(name)
        return started

    def _client(self, kind: str) -> Any:
        server = self.server(kind)
        made: Any
        if kind == "redis cluster":
            made = redis.RedisCluster(host=HOST, port=server.port)
        elif kind == "valkey":
            made = valkey.Valkey(port=server.port)
        else:
            made = redis.Redis(port=server.port, socket_timeout=10)
        made.flushall()
        self._open.callback(made.close)
        return made

    def _url(self, kind: str) -> str:
        if kind.startswith("sqlite"):
            driver = "sqlite+aiosqlite" if "async" in kind else "sqlite"
            return f"{driver}:///{self._folder / 'records.db'}"
        server: PostgreSQL = self._request.getfixturevalue("postgresql")
        server.execute("DROP TABLE IF EXISTS donjon_records")
        return server.url("asyncpg" if "async" in kind else "psycopg")

    def _sql(self, kind: str) -> SqlRecords:
        engine = create_engine(self._url(kind))
        self._open.callback(engine.dispose)
        store = SqlRecords(engine)
        store.create_table()
        return store

    async def _made(self, kind: str) -> tuple[Any, Callable[[], Any]]:
        if not kind.startswith("redis"):
            engine = create_async_engine(self._url(kind))
            store = AsyncSqlRecords(engine)
            await store.create_table()
            return store, engine.dispose
        port = self.server(kind).port
        client: Any
        if "cluster" in kind:
            client = redis.asyncio.RedisCluster(host=HOST, port=port)
        else:
            client = redis.asyncio.Redis(port=port)
        await client.flushall()
        return AsyncRedisRecords(client), client.aclose

    @contextmanager
    def _awaited(self, kind: str, portal: BlockingPortal) -> Iterator[Any]:
        store, close = portal.call(self._made, kind)
        try:
            yield store
        finally:
            portal.call(close)
