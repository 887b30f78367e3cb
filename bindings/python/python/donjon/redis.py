"""Limits, sessions and revocations that many processes share, in Redis or Valkey.

    store = RedisStore(redis.Redis(host="…", socket_timeout=0.5))
    store = AsyncRedisStore(redis.asyncio.Redis(host="…"))
    limiter = AsyncLimiter(store, on_failure=LimitTable())

    manager = AsyncSessionManager(keyring, AsyncRedisRecords(redis.asyncio.Redis(host="…")))

One server or a cluster. The client is redis-py's, its cluster's, or one with the same methods; none
is imported here. Every key expires by itself. What a client raises comes through; a `Limiter` or a
manager makes of it what it is configured to.

A verdict on limits is one round trip: the kernel's script, which reads the state and spends
atomically, and the kernel's own arithmetic over what the script saw. So is a look at a session, and
each change another one.

A client that decodes its responses (`decode_responses=True`) is refused: a state is bytes. So is
one of asyncio by `RedisStore`, and another by `AsyncRedisStore`. Records are read where they are
written: a client that reads from replicas, or from a cache of its own, would let in who was just
revoked, and is refused; a server that turns out to be a replica is a `StoreUnavailable`. A pool of
redis-py has 100 connections and fails when more are wanted; its `BlockingConnectionPool` waits.
A server that evicts keys when its memory is full forgets revocations, and nobody notices: have
`maxmemory-policy noeviction`, with which it fails instead.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from functools import lru_cache, partial
from inspect import iscoroutinefunction
from typing import Any, Literal, NamedTuple, Protocol

from donjon._donjon import Limits, Verdict, compare_and_set_script
from donjon._duration import Duration, milliseconds
from donjon._steps import Steps, arun, run
from donjon.errors import ConfigError, InvalidArgument, StoreUnavailable
from donjon.records import begins_with

__all__ = ["AsyncRedisRecords", "AsyncRedisStore", "RedisRecords", "RedisStore"]

ROUNDS = 16
"""How often a key that others change meanwhile is tried again."""

_SPENT, _OTHER_LIMITS = 1, 2
_PAGE = 500


class _Client(Protocol):
    """What is asked of a client, synchronous or not."""

    evalsha: Callable[..., Any]
    eval: Callable[..., Any]
    delete: Callable[..., Any]
    mget: Callable[..., Any]
    pipeline: Callable[..., Any]
    scan_iter: Callable[..., Any]


class _Script(NamedTuple):
    text: str
    sha: str

    @classmethod
    def of(cls, text: str) -> _Script:
        return cls(text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())


class _Seen(NamedTuple):
    """What a script of limits saw and did."""

    wrote: int
    state: bytes
    now_ms: int


class _Scripted:
    """A client that is of the right kind, and how scripts are evaluated with it."""

    _AWAITS: bool

    def __init__(self, client: Any, prefix: str) -> None:
        if _decodes(client):
            raise ConfigError("states are bytes: the client has decode_responses=True")
        if _is_awaited(client) not in (None, self._AWAITS):
            raise ConfigError("an asynchronous store has a client of asyncio, and others another")
        self._client: _Client = client
        self._prefix = prefix
        self._swap = _Script.of(compare_and_set_script())

    def _evaluate(self, name: str, script: _Script, arguments: Sequence[Any]) -> Steps[Any]:
        try:
            return (yield partial(self._client.evalsha, script.sha, 1, name, *arguments))
        except Exception as error:
            if not _is_unknown_script(error):
                raise
        return (yield partial(self._client.eval, script.text, 1, name, *arguments))


class _Store(_Scripted):
    """What both stores of limits do, as steps."""

    def __init__(
        self,
        client: Any,
        *,
        prefix: str = "donjon:limit:",
        clock: Literal["server", "caller"] = "server",
    ) -> None:
        if clock not in ("server", "caller"):
            raise ConfigError("clock is `server` or `caller`")
        super().__init__(client, prefix)
        self._clock = clock

    def _spend(self, limits: Limits, key: str, cost: int) -> Steps[Verdict]:
        for _ in range(ROUNDS):
            seen = _seen((yield from self._evaluate(self._name(key), *self._ask(limits, cost))))
            if seen.wrote != _OTHER_LIMITS:
                return _verdict(limits, cost, seen)
            # The script leaves to the kernel what others counted. It is written in any case: what
            # is damaged counts as spent just now, until there is a time beside it.
            verdict, state = limits.spend(seen.state, cost, now_ms=seen.now_ms)
            if (yield from self._replace(key, seen.state, state, _ttl_ms(verdict))):
                return verdict
        raise StoreUnavailable("others keep changing the key")

    def _give_back(self, limits: Limits, key: str, spent_at_ms: int, cost: int) -> Steps[None]:
        for _ in range(ROUNDS):
            seen = _seen((yield from self._evaluate(self._name(key), *self._ask(limits, 0))))
            state = limits.give_back(seen.state, spent_at_ms, cost, now_ms=seen.now_ms)
            ttl_ms = ""
            if seen.wrote == _OTHER_LIMITS:
                ttl_ms = _ttl_ms(limits.spend(seen.state, 0, now_ms=seen.now_ms)[0])
            if state == seen.state or (yield from self._replace(key, seen.state, state, ttl_ms)):
                return
        raise StoreUnavailable("others keep changing the key")

    def _forget(self, key: str) -> Steps[None]:
        yield partial(self._client.delete, self._name(key))

    def _ask(self, limits: Limits, cost: int) -> tuple[_Script, Sequence[Any]]:
        """Return what to evaluate. A cost of 0 reads the state, and the server's clock."""
        if self._clock == "server":
            return _script(limits), _arguments(limits, cost)
        return _script(limits), limits.script_args(cost, now_ms=time.time_ns() // 1_000_000)

    def _replace(self, key: str, before: bytes, after: bytes, ttl_ms: str) -> Steps[bool]:
        """Write the state if it is still the one before. Without a `ttl_ms` it keeps its own."""
        arguments = [before, after, ttl_ms]
        replaced = yield from self._evaluate(self._name(key), self._swap, arguments)
        return bool(replaced == 1)

    def _name(self, key: str) -> str:
        return f"{self._prefix}{{{key}}}"


class RedisStore(_Store):
    """Keeps limits in Redis, for a client of threads.

    Keys are `prefix`, then the key in braces. Times are by the server's clock, the same for all
    that share it; with `clock="caller"` by this machine's.
    """

    _AWAITS = False

    def spend(self, limits: Limits, key: str, cost: int = 1) -> Verdict:
        """Spend `cost` of `key` if there is that much, atomically."""
        # Nearly always one call is all of it; if not, the steps begin anew.
        script, arguments = self._ask(limits, cost)
        try:
            reply = self._client.evalsha(script.sha, 1, self._name(key), *arguments)
        except Exception as error:
            if not _is_unknown_script(error):
                raise
        else:
            if (seen := _seen(reply)).wrote != _OTHER_LIMITS:
                return _verdict(limits, cost, seen)
        return run(self._spend(limits, key, cost))

    def give_back(self, limits: Limits, key: str, spent_at_ms: int, cost: int = 1) -> None:
        """Give back what was spent at `spent_at_ms`, the `now_ms` of that verdict."""
        run(self._give_back(limits, key, spent_at_ms, cost))

    def forget(self, key: str) -> None:
        """Forget what was spent of `key`."""
        run(self._forget(key))


class AsyncRedisStore(_Store):
    """`RedisStore`, for a client of asyncio."""

    _AWAITS = True

    async def spend(self, limits: Limits, key: str, cost: int = 1) -> Verdict:
        """Spend `cost` of `key` if there is that much, atomically."""
        script, arguments = self._ask(limits, cost)
        try:
            reply = await self._client.evalsha(script.sha, 1, self._name(key), *arguments)
        except Exception as error:
            if not _is_unknown_script(error):
                raise
        else:
            if (seen := _seen(reply)).wrote != _OTHER_LIMITS:
                return _verdict(limits, cost, seen)
        return await arun(self._spend(limits, key, cost))

    async def give_back(self, limits: Limits, key: str, spent_at_ms: int, cost: int = 1) -> None:
        """Give back what was spent at `spent_at_ms`, the `now_ms` of that verdict."""
        await arun(self._give_back(limits, key, spent_at_ms, cost))

    async def forget(self, key: str) -> None:
        """Forget what was spent of `key`."""
        await arun(self._forget(key))


class _Records(_Scripted):
    """What both stores of records do, as steps."""

    def __init__(
        self,
        client: Any,
        *,
        prefix: str = "donjon:",
        wait_replicas: int = 0,
        wait_timeout: Duration = 1,
    ) -> None:
        if isinstance(wait_replicas, bool) or not isinstance(wait_replicas, int):
            raise TypeError("wait_replicas is an int")
        if wait_replicas < 0:
            raise InvalidArgument("wait_replicas is 0 or more")
        super().__init__(client, prefix)
        if _is_behind(client):
            raise ConfigError("records are read where they are written: no replicas, no cache")
        self._is_cluster = hasattr(client, "mget_nonatomic")
        self._wait_replicas = wait_replicas
        self.waits_for_replicas = wait_replicas > 0
        self._wait_ms = milliseconds(wait_timeout, "wait_timeout")
        self._is_primary = self._is_cluster  # There a replica sends who asks to its primary.

    def _get_many(self, keys: Sequence[str]) -> Steps[list[bytes]]:
        names = [self._prefix + key for key in keys]
        if not names:
            return []
        if not self._is_primary:
            yield from self._ask_for_role()
        if self._is_cluster:
            pipeline = self._client.pipeline()
            for name in names:
                pipeline.get(name)
            reply = yield pipeline.execute
        else:
            reply = yield partial(self._client.mget, names)
        return _values(reply, len(names))

    def _ask_for_role(self) -> Steps[None]:
        """Raise if the server is a replica, which may not have heard of what was revoked.

        It may be the one that a fail-over made one. So it is asked before the first reading, and
        again once it has refused to be written to: whoever reads also writes, the marker, about
        once a second. `HELLO` needs no permission; a server that does not say is believed.
        """
        execute = getattr(self._client, "execute_command", None)
        said: Any = None
        if execute is not None:
            try:
                said = yield partial(execute, "HELLO")
            except Exception as error:
                if not _is_a(error, "ResponseError"):
                    raise
        if _role(said) in (b"replica", b"slave"):
            raise StoreUnavailable("the server is a replica, and may not know what was revoked")
        self._is_primary = True

    def _replace(self, key: str, before: bytes, after: bytes, keep_ms: int) -> Steps[bool]:
        name, arguments = self._prefix + key, [before, after, str(max(keep_ms, 1))]
        try:
            if self._wait_replicas:
                reply = yield from self._evaluate_and_wait(name, arguments)
            else:
                reply = yield from self._evaluate(name, self._swap, arguments)
        except Exception as error:
            if _is_a(error, "ReadOnlyError"):
                self._is_primary = self._is_cluster
            raise
        if reply not in (0, 1):
            raise StoreUnavailable("the script's answer is not one of its own")
        return bool(reply == 1)

    def _evaluate_and_wait(self, name: str, arguments: Sequence[Any]) -> Steps[Any]:
        """Write, and wait on the same connection: its own writes are what a `WAIT` waits for."""
        node = self._node(name)
        words: tuple[Any, ...] = ("EVALSHA", self._swap.sha)
        while True:
            pipeline = self._client.pipeline(transaction=False)
            options = {} if node is None else {"target_nodes": node}
            pipeline.execute_command(*words, 1, name, *arguments, **options)
            pipeline.execute_command("WAIT", self._wait_replicas, self._wait_ms, **options)
            replaced, acknowledged = yield partial(pipeline.execute, raise_on_error=False)
            if not isinstance(replaced, Exception):
                break
            if words[0] == "EVAL" or not _is_unknown_script(replaced):
                raise replaced
            words = ("EVAL", self._swap.text)
        if replaced == 1:
            if isinstance(acknowledged, Exception):
                raise acknowledged
            # In a cluster the key may have been moved meanwhile: then another node was asked.
            if acknowledged < self._wait_replicas or self._node(name) != node:
                raise StoreUnavailable("it was written, and too few replicas have acknowledged it")
        return replaced

    def _node(self, name: str) -> Any:
        """Return the node of a cluster that has the key."""
        return self._client.get_node_from_key(name) if self._is_cluster else None  # type: ignore[attr-defined]

    def _key(self, name: bytes) -> str:
        return name.decode(errors="replace")[len(self._prefix) :]

    def _matching(self, part: str) -> str:
        return f"{_literally(self._prefix)}*{_literally(part)}*"


class RedisRecords(_Records):
    """Keeps records in Redis, for a client of threads. Keys are `prefix`, then the record's.

    What it acknowledged survives as the server is configured: a restart, what was on its disk; a
    fail-over, what the replica had. With `wait_replicas` a change is only good once so many
    replicas have it. Are there fewer within `wait_timeout`, which is to be less than the client's
    own, it raises `StoreUnavailable`, and the change is made all the same.
    """

    _AWAITS = False

    def get_many(self, keys: Sequence[str]) -> list[bytes]:
        """Return what each key has, in order; nothing is `b""`."""
        return run(self._get_many(keys))

    def replace(self, key: str, before: bytes, after: bytes, keep_ms: int) -> bool:
        """Put `after` in the place of `before`, atomically, and keep it for `keep_ms`."""
        return run(self._replace(key, before, after, keep_ms))

    def scan(self, part: str) -> Iterator[bytes]:
        """Give every record whose key begins with `part`, but for the `{…}:` of a user's."""
        page: list[str] = []
        for name in self._client.scan_iter(match=self._matching(part), count=_PAGE):
            if begins_with(key := self._key(name), part):
                page.append(key)
            if len(page) == _PAGE:
                yield from filter(None, self.get_many(page))
                page = []
        yield from filter(None, self.get_many(page))


class AsyncRedisRecords(_Records):
    """`RedisRecords`, for a client of asyncio."""

    _AWAITS = True

    async def get_many(self, keys: Sequence[str]) -> list[bytes]:
        """Return what each key has, in order; nothing is `b""`."""
        return await arun(self._get_many(keys))

    async def replace(self, key: str, before: bytes, after: bytes, keep_ms: int) -> bool:
        """Put `after` in the place of `before`, atomically, and keep it for `keep_ms`."""
        return await arun(self._replace(key, before, after, keep_ms))

    async def scan(self, part: str) -> AsyncIterator[bytes]:
        """Give every record whose key begins with `part`, but for the `{…}:` of a user's."""
        page: list[str] = []
        async for name in self._client.scan_iter(match=self._matching(part), count=_PAGE):
            if begins_with(key := self._key(name), part):
                page.append(key)
            if len(page) == _PAGE:
                for value in filter(None, await self.get_many(page)):
                    yield value
                page = []
        for value in filter(None, await self.get_many(page)):
            yield value


@lru_cache(maxsize=256)
def _script(limits: Limits) -> _Script:
    return _Script.of(limits.script)


@lru_cache(maxsize=256)
def _arguments(limits: Limits, cost: int) -> list[str]:
    """Return what the script is called with, for the server's clock."""
    return limits.script_args(cost)


def _seen(reply: object) -> _Seen:
    """Read what a script answered: in bytes whether it spent (1), when (6), the state it found."""
    if isinstance(reply, bytes) and len(reply) >= 7 and reply[0] <= _OTHER_LIMITS:
        return _Seen(reply[0], reply[7:], int.from_bytes(reply[1:7], "big"))
    raise StoreUnavailable("the script's answer is not one of its own")


def _values(reply: object, count: int) -> list[bytes]:
    if isinstance(reply, list) and len(reply) == count:
        values = [b"" if value is None else value for value in reply]
        if all(isinstance(value, bytes) for value in values):
            return values
    raise StoreUnavailable("the server did not answer what it was asked")


def _literally(text: str) -> str:
    """Write a text in a pattern of keys so that it stands for itself."""
    return "".join(f"\\{letter}" if letter in "*?[]^\\" else letter for letter in text)


def _verdict(limits: Limits, cost: int, seen: _Seen) -> Verdict:
    """Return the kernel's verdict on what the script saw, which is the script's."""
    verdict, _ = limits.spend(seen.state, cost, now_ms=seen.now_ms)
    if (verdict.allowed and cost > 0) != (seen.wrote == _SPENT):
        raise StoreUnavailable("the script and the kernel disagree")
    return verdict


def _ttl_ms(verdict: Verdict) -> str:
    return str(max(verdict.keep_ms, 1))


def _is_unknown_script(error: Exception) -> bool:
    return _is_a(error, "NoScriptError")


def _is_a(error: Exception, name: str) -> bool:
    """Tell by its name: the class is that of whichever client this is."""
    return any(kind.__name__ == name for kind in type(error).__mro__)


def _role(said: Any) -> Any:
    """Return the role in an answer to `HELLO`: of pairs, or by the older protocol a flat list."""
    if isinstance(said, list):
        said = dict(zip(said[::2], said[1::2], strict=False))
    return said.get(b"role") if isinstance(said, dict) else None


def _is_awaited(client: Any) -> bool | None:
    """Tell by the method that all others of a client call; `None` if it has none."""
    execute = getattr(client, "execute_command", None)
    return None if execute is None else iscoroutinefunction(execute)


def _is_behind(client: Any) -> bool:
    """Tell whether what it reads may be of a while ago: of a replica, or kept by the client."""
    cache = getattr(client, "get_cache", None)
    pool = getattr(client, "connection_pool", None)
    return (
        bool(getattr(client, "read_from_replicas", False))
        or getattr(client, "load_balancing_strategy", None) is not None
        or not getattr(pool, "is_master", True)
        or (cache is not None and cache() is not None)
    )


def _decodes(client: Any) -> bool:
    encoder = getattr(client, "get_encoder", None)
    return bool(encoder is not None and encoder().decode_responses)
