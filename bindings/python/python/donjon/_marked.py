"""A store of records with its marker, which says since when the store has known everything."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial
from inspect import isawaitable, iscoroutinefunction
from typing import Any, NamedTuple

from donjon import _clock
from donjon._donjon import store_marker
from donjon._duration import Duration, milliseconds
from donjon._steps import Steps, within
from donjon.errors import StoreUnavailable
from donjon.records import MemoryRecords

MARKER = "epoch"
ROUNDS = 24
"""How often a record that others change meanwhile is tried again."""

_BYTES = frozenset([bytes])
_PAUSE_S = 0.05
_LATELY_S = 1.0
_CONFIRM_S = 2.5
"""Somebody who is there touches the marker within this time."""

_CONFIRMED, _CONFIRMED_KEEP_MS = b"\1", 60_000


class Found(NamedTuple):
    """What a store had at `now_ms`, and since when it has known everything."""

    now_ms: int
    since_ms: int
    values: list[bytes]
    is_fresh: bool

    @property
    def moment(self) -> dict[str, Any]:
        """The times that the kernel decides by."""
        return {"now_ms": self.now_ms, "store_since_ms": self.since_ms}


class MarkedStore:
    """A store, and the marker by which it is noticed that it was flushed, or set back.

    What a store raises becomes a `StoreUnavailable`, and the log says when that begins and ends.
    """

    def __init__(
        self,
        store: Any,
        *,
        sleep: Callable[[float], Any],
        timeout_s: float | None,
        max_silence: Duration,
        log: logging.Logger,
        consequence: str,
    ) -> None:
        awaits = timeout_s is not None
        if awaits != iscoroutinefunction(store.replace) and not isinstance(store, MemoryRecords):
            raise TypeError("a store to await is for the asynchronous kind, and no other is")
        self._store = store
        self._fresh = getattr(store, "get_fresh", None)
        self._cached = getattr(store, "_get_within", None)
        self._waits_for_replicas = bool(getattr(store, "waits_for_replicas", False))
        self._sleep = sleep
        # What is in this process answers at once.
        self._timeout_s = None if isinstance(store, MemoryRecords) else timeout_s
        self._max_silence_ms = milliseconds(max_silence, "max_silence")
        self._log = log
        self._consequence = consequence
        self._lock = threading.Lock()
        self._seen = b""
        self._failing = False
        self._failed_at = -_LATELY_S

    @property
    def max_silence_s(self) -> float:
        """For how long nobody may touch the marker."""
        return self._max_silence_ms / 1000

    @property
    def has_cache(self) -> bool:
        """Whether what is read may be of a while ago, unless it is asked for fresh."""
        return self._fresh is not None

    @property
    def failed_lately(self) -> bool:
        """Whether there is little hope that the store would answer now."""
        return self._failing and time.monotonic() < self._failed_at + _LATELY_S

    def read(self, keys: Sequence[str], *, fresh: bool) -> Steps[Found]:
        """Return what the keys have, if the store knows everything since some time.

        `fresh` is not of a cache. Where the marker has to be written, it was, before this returns.
        """
        was_silent = False
        for lost in range(ROUNDS):
            yield from self.pause(lost)
            # The marker may be raised by others from here on: theirs would be no step back.
            seen, now_ms = self._seen, _clock.now_ms()
            is_fresh = fresh or lost > 0 or not self.has_cache
            stored, *values = yield from self._get([MARKER, *keys], is_fresh)
            verdict = self._verdict_on(stored, seen, now_ms)
            marker = stored
            if verdict.reason == "silent" and was_silent:
                ahead = StoreUnavailable(
                    "others keep the store alive: this machine's clock is wrong"
                )
                self._failed(ahead)
                raise ahead
            if verdict.reason == "silent" and not (yield from self._stays_silent(stored)):
                was_silent = True  # And is not any more, if what others did was to begin anew.
                continue
            self._answered(is_fresh)
            if verdict.write == "must":
                if not (yield from self.swap(MARKER, stored, verdict.marker, verdict.keep_ms)):
                    continue
                marker = verdict.marker
                self._log.warning("the store of records begins anew: %s", verdict.reason)
            elif verdict.write == "may":
                if not is_fresh:
                    yield from self._touch()
                elif (
                    yield from self.try_to_replace(MARKER, stored, verdict.marker, verdict.keep_ms)
                ):
                    marker = verdict.marker
            self._raise(marker)
            return Found(now_ms, verdict.since_ms, values, is_fresh)
        raise StoreUnavailable("others keep changing the marker")

    def _verdict_on(self, stored: bytes, seen: bytes, now_ms: int) -> Any:
        """Return what the marker comes to, and raise if that is beyond this machine's clock."""
        try:
            return store_marker(stored, seen, max_silence_ms=self._max_silence_ms, now_ms=now_ms)
        except StoreUnavailable:
            behind = StoreUnavailable(
                "the store begins in the future: this machine's clock is behind, or another's"
                " was ahead"
            )
            self._failed(behind)
            raise behind from None

    def _stays_silent(self, stored: bytes) -> Steps[bool]:
        """Tell whether nobody touches the store for as long as others would take to, if any do."""
        yield partial(self._sleep, _CONFIRM_S)
        [again] = yield from self._get([MARKER], fresh=True)
        return bool(again == stored)

    def confirm(self, key: str) -> Steps[None]:
        """Have replicas acknowledge what was written under a key, where the store waits for them.

        By another write to the same server: what was written before is acknowledged before it.
        """
        if not self._waits_for_replicas:
            return
        for lost in range(ROUNDS):
            yield from self.pause(lost)
            if (yield from self.replace(f"{key}:confirmed", b"", _CONFIRMED, _CONFIRMED_KEEP_MS)):
                return
        raise StoreUnavailable("others keep changing what is confirmed")

    def _touch(self) -> Steps[None]:
        """Say that the store is alive, by its marker as it is now, and not as a cache has it."""
        if not self.failed_lately:
            with suppress(StoreUnavailable):
                yield from self.read([], fresh=True)

    def replace(self, key: str, before: bytes, after: bytes, keep_ms: int) -> Steps[bool]:
        """Write a record in the place of another. False if others were faster.

        A client that repeats what was not answered is told no by its own write. So what is there
        already is done, and acknowledged as anything else: what nobody else can have written, as
        ids are drawn at random; and what does not depend on who did, as that something has ended.
        """
        if (yield from self.swap(key, before, after, keep_ms)):
            return True
        is_done = yield from self.swap(key, after, after, keep_ms)
        if is_done and not after:
            yield from self.confirm(key)
        return is_done

    def try_to_replace(self, key: str, before: bytes, after: bytes, keep_ms: int) -> Steps[bool]:
        """`swap`, where it is of no matter whether it is done."""
        try:
            return (yield from self.swap(key, before, after, keep_ms))
        except StoreUnavailable:
            return False

    def swap(self, key: str, before: bytes, after: bytes, keep_ms: int) -> Steps[bool]:
        """Write a record in the place of another, and return what the store says of it."""
        call = partial(self._store.replace, key, before, after, keep_ms)
        answer = yield from self._ask(call, self._timeout_s)
        if not isinstance(answer, bool):
            self._failed(TypeError("the store did not say whether it was done"))
            raise StoreUnavailable
        return answer

    def scan(self, part: str) -> Steps[list[bytes]]:
        """Return every record whose key has `part` in it."""
        # Of many records: that may take its time.
        found: list[bytes] = yield from self._ask(partial(_scanned, self._store, part), None)
        return found

    def pause(self, lost: int) -> Iterable[Callable[[], Any]]:
        """Wait a little, after so many rounds that others won: not before the first."""
        return self._wait(lost) if lost else ()

    def _wait(self, lost: int) -> Steps[None]:
        longest_s = min(_PAUSE_S, 0.001 * 2**lost)
        yield partial(self._sleep, random.uniform(0, longest_s))  # noqa: S311  it is no secret

    def _get(self, keys: list[str], fresh: bool) -> Steps[list[bytes]]:
        if not fresh and self._cached is not None:
            call = partial(self._cached, self._timeout_s, keys)
            found = yield from self._ask(call, None, is_answer=False)
        else:
            ask = self._fresh if fresh and self._fresh is not None else self._store.get_many
            found = yield from self._ask(partial(ask, keys), self._timeout_s, is_answer=False)
        if not _is_answer(found, len(keys)):
            self._failed(TypeError("the store did not answer what it was asked"))
            raise StoreUnavailable
        return list(found)

    def _ask(
        self, call: Callable[[], Any], timeout_s: float | None, *, is_answer: bool = True
    ) -> Steps[Any]:
        try:
            answer = yield call if timeout_s is None else partial(_in_time, call, timeout_s)
        except Exception as error:
            self._failed(error)
            if isinstance(error, StoreUnavailable):
                raise
            raise StoreUnavailable from error
        if is_answer:
            self._answered()
        return answer

    def _raise(self, marker: bytes) -> None:
        # The later marker has the greater bytes.
        if marker != self._seen:
            with self._lock:
                self._seen = max(self._seen, marker)

    def _failed(self, error: Exception) -> None:
        with self._lock:
            begins, self._failing = not self._failing, True
            self._failed_at = time.monotonic()
        if begins:
            self._log.error(
                "the store of records fails (%s: %s): %s",
                type(error).__name__,
                error,
                self._consequence,
            )

    def _answered(self, is_fresh: bool = True) -> None:
        if is_fresh and self._failing:
            with self._lock:
                ends, self._failing = self._failing, False
            if ends:
                self._log.warning("the store of records answers again")


async def _in_time(call: Callable[[], Any], timeout_s: float) -> Any:
    answer = call()
    return await within(timeout_s, answer) if isawaitable(answer) else answer


def _is_answer(found: Any, count: int) -> bool:
    # Every check of a session comes by here, and a list is known at once, other sequences are not.
    if not isinstance(found, (list, Sequence)) or len(found) != count:
        return False
    return _BYTES.issuperset(map(type, found))


def _scanned(store: Any, part: str) -> Any:
    found = store.scan(part)
    return _collected(found) if hasattr(found, "__aiter__") else list(found)


async def _collected(found: Any) -> list[bytes]:
    return [value async for value in found]
