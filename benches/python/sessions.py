"""A session of one of 1,000 users, checked: beside the requirements' way of doing it, and beside starsessions."""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
import time
import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import redis
import redis.asyncio
import starsessions
import starsessions.stores.redis
from donjon import Keyring
from donjon.fastapi import SessionAuth
from donjon.records import MemoryRecords
from donjon.redis import AsyncRedisRecords, RedisRecords
from donjon.sessions import AsyncSessionManager, SessionManager
from fastapi import FastAPI, Request
from race import report, report_times

sys.path.append(str(Path(__file__).resolve().parents[2] / "tests" / "redis"))
from server import HOST, Server

USERS = 1_000
TIMEOUT_S = 8 * 3600
WHO = {"address": "192.0.2.7", "user_agent": "Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0"}
PURPOSES = ("device", "csrf")
MASTER = "pDOI4XyVoYMjTPMoWUTfR2QiDkVKlBuWUOaEp5XcEnU"
KEYRING = Keyring.from_master(MASTER, keys=[{"purpose": purpose, "epoch": 1} for purpose in PURPOSES])


def measure() -> None:
    in_process()
    with Server() as server:
        on_redis(server)
        asyncio.run(whole_requests(server))


class Dictionary:
    """What the requirements' code asks of a Redis, in this process."""

    def __init__(self) -> None:
        self._values: dict[str, tuple[str, float]] = {}

    def get(self, key: str) -> str | None:
        value, until = self._values.get(key, (None, 0.0))
        return value if until > time.time() else None

    def setex(self, key: str, seconds: int, value: str) -> None:
        self._values[key] = value, time.time() + seconds


class RequiredSessions:
    """The requirements' `create_session` and `validate_session`, without what they log and what they count."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def create(self, user: str) -> str:
        session_id, now = str(uuid.uuid4()), datetime.now(UTC).isoformat()
        self._set(session_id, {"user_id": user, "ip_address": WHO["address"], "user_agent": WHO["user_agent"], "created_at": now, "last_activity": now})
        return session_id

    def validate(self, session_id: str) -> dict[str, Any] | None:
        if not (stored := self._client.get(f"session:{session_id}")):
            return None
        session: dict[str, Any] = json.loads(stored)
        if session["ip_address"] != WHO["address"] or session["user_agent"] != WHO["user_agent"]:
            return None
        session["last_activity"] = datetime.now(UTC).isoformat()
        self._set(session_id, session)
        return session

    def _set(self, session_id: str, session: dict[str, Any]) -> None:
        self._client.setex(f"session:{session_id}", TIMEOUT_S, json.dumps(session))


def in_process() -> None:
    compare("session check in process", MemoryRecords(), Dictionary(), "redis 'GET, json, SETEX' on a dict")


def on_redis(server: Server) -> None:
    with server.client() as ours, server.client() as theirs:
        compare("session check on Redis", RedisRecords(ours), theirs, "redis GET, json, SETEX")


def compare(name: str, store: Any, client: Any, peer: str) -> None:
    manager, required = SessionManager(KEYRING, store), RequiredSessions(client)
    ours = [manager.log_in(f"user-{number}", **WHO).id for number in range(USERS)]
    theirs = [required.create(f"user-{number}") for number in range(USERS)]
    our_ids, their_ids = itertools.cycle(ours), itertools.cycle(theirs)

    def check() -> None:
        assert manager.check(next(our_ids), **WHO).subject

    def validate() -> None:
        session = required.validate(next(their_ids))
        assert session is not None and session["user_id"]

    report(name, check, {peer: validate})


# ---- a whole request ----


async def whole_requests(server: Server) -> None:
    """A route that answers with who is logged in, from the server's call to the last byte of the answer."""
    for where in ("in process", "on Redis"):
        clients = [redis.asyncio.Redis(host=HOST, port=server.port) for _ in range(2)]
        our_store = AsyncRedisRecords(clients[0]) if where == "on Redis" else MemoryRecords()
        their_store = starsessions.stores.redis.RedisStore(connection=clients[1]) if where == "on Redis" else starsessions.InMemoryStore()
        ours, theirs = await ours_app(our_store), await starsessions_app(their_store)
        for ask in (ours, theirs):
            assert await ask() == b'"ann"'
        least = {"ours": float("inf"), "theirs": float("inf")}
        for _ in range(200):
            for who, ask in (("ours", ours), ("theirs", theirs)):
                start = time.perf_counter()
                for _ in range(20):
                    await ask()
                least[who] = min(least[who], (time.perf_counter() - start) / 20)
        report_times(f"session whole request {where}", least["ours"] * 1e9, "starsessions rolling", least["theirs"] * 1e9)
        for client in clients:
            await client.aclose()


async def ours_app(store: Any) -> Callable[[], Awaitable[bytes]]:
    app, manager = FastAPI(), AsyncSessionManager(KEYRING, store)
    auth = SessionAuth(manager)
    auth.install(app)

    @app.get("/")
    async def index(request: Request) -> str:
        return (await auth.current_session(request)).subject

    begun = await manager.log_in("ann", address="192.0.2.7", user_agent=WHO["user_agent"])
    return asking(app, f"__Host-session={begun.id}")


async def starsessions_app(store: Any) -> Callable[[], Awaitable[bytes]]:
    app = FastAPI()

    @app.get("/")
    async def index(request: Request) -> str:
        user: str = request.session["user"]
        return user

    app.add_middleware(starsessions.SessionAutoloadMiddleware)
    app.add_middleware(starsessions.SessionMiddleware, store=store, lifetime=TIMEOUT_S, rolling=True)
    session_id = starsessions.session.generate_session_id()
    await store.write(session_id=session_id, data=json.dumps({"user": "ann"}).encode(), lifetime=TIMEOUT_S, ttl=TIMEOUT_S)
    return asking(app, f"session={session_id}")


def asking(app: FastAPI, cookie: str) -> Callable[[], Awaitable[bytes]]:
    headers = [(b"host", b"example.com"), (b"user-agent", WHO["user_agent"].encode()), (b"cookie", cookie.encode())]
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "path": "/",
        "raw_path": b"/",
        "query_string": b"",
        "root_path": "",
        "scheme": "https",
        "client": ("192.0.2.7", 50_000),
        "server": ("127.0.0.1", 8000),
        "headers": headers,
    }

    async def ask() -> bytes:
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, object]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        await app(dict(scope, headers=list(headers), state={}), receive, send)
        assert sent[0]["status"] == 200, sent
        return b"".join(message.get("body", b"") for message in sent[1:])

    return ask
