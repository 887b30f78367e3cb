"""Limits that many processes share, in Redis or Valkey, one server or a cluster.

    store = RedisStore(redis.Redis(host="…", socket_timeout=0.5))
    store = AsyncRedisStore(redis.asyncio.Redis(host="…"))
    limiter = AsyncLimiter(store, on_failure=LimitTable())

The client is redis-py's, its cluster's, or one with the same methods; none is imported here. A
verdict is one round trip: the kernel's script, which reads the state and spends atomically, and the
kernel's own arithmetic over what the script saw. Every key expires by itself. What a client raises
comes through; a `Limiter` makes of it what it is configured to.

A client that decodes its responses (`decode_responses=True`) is refused: a state is bytes. So is
one of asyncio by `RedisStore`, and another by `AsyncRedisStore`. A pool of redis-py has 100
connections and fails when more are wanted; its `BlockingConnectionPool` waits.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from inspect import iscoroutinefunction
from typing import Any, Literal, NamedTuple, Protocol

from donjon._donjon import Limits, Verdict, compare_and_set_script
from donjon._steps import Steps, arun, run
from donjon.errors import ConfigError, StoreUnavailable

__all__ = ["AsyncRedisStore", "RedisStore"]

ROUNDS = 16
"""How often a key that others change meanwhile is tried again."""

_SPENT, _OTHER_LIMITS = 1, 2


class _Client(Protocol):
    """What is asked of a client, synchronous or not."""

    evalsha: Callable[..., Any]
    eval: Callable[..., Any]
    delete: Callable[..., Any]


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


class _Store:
    """What both stores do, as steps."""

    _AWAITS: bool

    def __init__(
        self,
        client: Any,
        *,
        prefix: str = "donjon:limit:",
        clock: Literal["server", "caller"] = "server",
    ) -> None:
        if clock not in ("server", "caller"):
            raise ConfigError("clock is `server` or `caller`")
        if _decodes(client):
            raise ConfigError("states are bytes: the client has decode_responses=True")
        if _is_awaited(client) not in (None, self._AWAITS):
            raise ConfigError("an AsyncRedisStore has a client of asyncio, a RedisStore another")
        self._client: _Client = client
        self._prefix = prefix
        self._clock = clock
        self._swap = _Script.of(compare_and_set_script())

    def _spend(self, limits: Limits, key: str, cost: int) -> Steps[Verdict]:
        for _ in range(ROUNDS):
            seen = _seen((yield from self._evaluate(key, *self._ask(limits, cost))))
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
            seen = _seen((yield from self._evaluate(key, *self._ask(limits, 0))))
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
        replaced = yield from self._evaluate(key, self._swap, [before, after, ttl_ms])
        return bool(replaced == 1)

    def _evaluate(self, key: str, script: _Script, arguments: Sequence[Any]) -> Steps[Any]:
        name = self._name(key)
        try:
            return (yield partial(self._client.evalsha, script.sha, 1, name, *arguments))
        except Exception as error:
            if not _is_unknown_script(error):
                raise
        return (yield partial(self._client.eval, script.text, 1, name, *arguments))

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


def _verdict(limits: Limits, cost: int, seen: _Seen) -> Verdict:
    """Return the kernel's verdict on what the script saw, which is the script's."""
    verdict, _ = limits.spend(seen.state, cost, now_ms=seen.now_ms)
    if (verdict.allowed and cost > 0) != (seen.wrote == _SPENT):
        raise StoreUnavailable("the script and the kernel disagree")
    return verdict


def _ttl_ms(verdict: Verdict) -> str:
    return str(max(verdict.keep_ms, 1))


def _is_unknown_script(error: Exception) -> bool:
    """Tell by its name: the class is that of whichever client this is."""
    return any(kind.__name__ == "NoScriptError" for kind in type(error).__mro__)


def _is_awaited(client: Any) -> bool | None:
    """Tell by the method that all others of a client call; `None` if it has none."""
    execute = getattr(client, "execute_command", None)
    return None if execute is None else iscoroutinefunction(execute)


def _decodes(client: Any) -> bool:
    encoder = getattr(client, "get_encoder", None)
    return bool(encoder is not None and encoder().decode_responses)
