"""Where sessions and revocations are kept: bytes by key, each replaced only if it is what it was.

    store = MemoryRecords()  # one process
    store = CachedRecords(RedisRecords(client), max_age=timedelta(seconds=2))

What is in a record is the kernel's business, and when it is over stands in it: the times to live
of a store are for tidiness. `donjon.redis` and `donjon.sqlalchemy` have stores that many processes
share; any object with these three methods is one.
"""

from __future__ import annotations

import heapq
import logging
import os
import re
import threading
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterator, Sequence
from inspect import iscoroutinefunction
from typing import Any, NamedTuple, Protocol

from donjon._duration import Duration, milliseconds
from donjon._steps import Steps, arun, run
from donjon._workers import workers
from donjon.errors import InvalidArgument, StoreUnavailable

__all__ = [
    "AsyncCachedRecords",
    "AsyncRecordStore",
    "CachedRecords",
    "MemoryRecords",
    "RecordStore",
    "begins_with",
]

_ENTRY_BYTES = 250
"""What an entry of `MemoryRecords` takes besides its key and its value, roughly."""

_LATELY_S = 1.0
"""For so long after a failure, a cache does not ask if it has an answer that will do."""

_log = logging.getLogger("donjon.records")


class RecordStore(Protocol):
    """Records by key. Whatever it raises is a store that failed."""

    def get_many(self, keys: Sequence[str], /) -> Sequence[bytes]:
        """Return what each key has, in order; nothing is `b""`."""

    def replace(self, key: str, before: bytes, after: bytes, keep_ms: int, /) -> bool:
        """Put `after` in the place of `before`, atomically, and keep it for `keep_ms`.

        False, and nothing is done, if the key has something else. Nothing is `b""`: before it for
        what is new, after it for what goes.
        """

    def scan(self, part: str, /) -> Iterator[bytes]:
        """Give every record whose key begins with `part`, but for the `{…}:` of a user's.

        In any order, perhaps more than once. `begins_with` tells which those are, so that what else
        lies in the same place, as limits with keys that strangers chose, is none of them.
        """


class AsyncRecordStore(Protocol):
    """A `RecordStore` to await."""

    async def get_many(self, keys: Sequence[str], /) -> Sequence[bytes]:
        """Return what each key has, in order; nothing is `b""`."""

    async def replace(self, key: str, before: bytes, after: bytes, keep_ms: int, /) -> bool:
        """Put `after` in the place of `before`, atomically, and keep it for `keep_ms`.

        False, and nothing is done, if the key has something else. Nothing is `b""`: before it for
        what is new, after it for what goes.
        """

    def scan(self, part: str, /) -> AsyncIterator[bytes]:
        """Give every record whose key begins with `part`, but for the `{…}:` of a user's.

        In any order, perhaps more than once. `begins_with` tells which those are, so that what else
        lies in the same place, as limits with keys that strangers chose, is none of them.
        """


class _Kept(NamedTuple):
    value: bytes
    until: float


class MemoryRecords:
    """Records in this process, which end with it. For threads, and for asyncio.

    They take up to `max_bytes`, roughly. Full of records that are not over it refuses further ones
    (`StoreUnavailable`) and forgets none.
    """

    def __init__(self, *, max_bytes: int = 64 * 1024 * 1024) -> None:
        if isinstance(max_bytes, bool) or not isinstance(max_bytes, int) or max_bytes < 1:
            raise InvalidArgument("max_bytes is a positive integer")
        self._max_bytes = max_bytes
        self._bytes = 0
        self._entries: dict[str, _Kept] = {}
        self._ends: list[tuple[float, str]] = []  # a heap; what was replaced since is in it still
        self._lock = threading.Lock()
        self._process = os.getpid()
        if workers() > 1:
            _log.warning("records are kept in this process, and each of its siblings has its own")

    def get_many(self, keys: Sequence[str]) -> list[bytes]:
        """Return what each key has, in order; nothing is `b""`."""
        self._warn_of_a_fork()
        with self._lock:
            now = time.monotonic()
            return [self._live(key, now) for key in keys]

    def replace(self, key: str, before: bytes, after: bytes, keep_ms: int) -> bool:
        """Put `after` in the place of `before`, atomically, and keep it for `keep_ms`."""
        self._warn_of_a_fork()
        with self._lock:
            now = time.monotonic()
            self._drop_ended(now)
            if self._live(key, now) != before:
                return False
            grows = _size(key, after) - _size(key, before)
            if grows > 0 and self._bytes + grows > self._max_bytes:
                raise StoreUnavailable("the records in memory are as many as may be")
            self._bytes += grows
            if after:
                self._keep(key, bytes(after), now + keep_ms / 1000)
            else:
                self._entries.pop(key, None)
            return True

    def scan(self, part: str) -> Iterator[bytes]:
        """Give every record whose key begins with `part`, but for the `{…}:` of a user's."""
        with self._lock:
            now = time.monotonic()
            found = [key for key in self._entries if begins_with(key, part)]
            values = [self._live(key, now) for key in found]
        return (value for value in values if value)

    def __len__(self) -> int:
        with self._lock:
            self._drop_ended(time.monotonic())
            return len(self._entries)

    def _live(self, key: str, now: float) -> bytes:
        kept = self._entries.get(key)
        return kept.value if kept is not None and now < kept.until else b""

    def _keep(self, key: str, value: bytes, until: float) -> None:
        self._entries[key] = _Kept(value, until)
        heapq.heappush(self._ends, (until, key))
        if len(self._ends) > 2 * len(self._entries) + 64:
            self._ends = [(kept.until, key) for key, kept in self._entries.items()]
            heapq.heapify(self._ends)

    def _drop_ended(self, now: float) -> None:
        while self._ends and self._ends[0][0] <= now:
            until, key = heapq.heappop(self._ends)
            kept = self._entries.get(key)
            if kept is not None and kept.until == until:
                del self._entries[key]
                self._bytes -= _size(key, kept.value)

    def _warn_of_a_fork(self) -> None:
        if self._process != os.getpid():
            self._process = os.getpid()
            _log.warning("records are kept in a process that was forked: each has its own")


_RECORD_KEY = re.compile(r"(?:\{[A-Za-z0-9_-]{22}\}:)?([A-Za-z0-9_:-]+)")


def begins_with(key: str, part: str) -> bool:
    """Tell whether it is the key of a record, and begins so, but for the `{…}:` of a user's."""
    record = _RECORD_KEY.fullmatch(key)
    return record is not None and record[1].startswith(part)


def _size(key: str, value: bytes) -> int:
    return _ENTRY_BYTES + len(key) + len(value) if value else 0


class _Read:
    """One that is under way, and the keys that were replaced meanwhile."""

    def __init__(self) -> None:
        self.begun = time.monotonic()
        self.replaced: set[str] = set()


class _Cached:
    """What both caches do, as steps."""

    _AWAITS: bool

    def __init__(
        self,
        store: Any,
        *,
        max_age: Duration,
        max_entries: int = 10_000,
        stale_if_error: Duration = 0,
    ) -> None:
        if iscoroutinefunction(store.replace) != self._AWAITS:
            raise TypeError("CachedRecords is for stores of threads, AsyncCachedRecords for others")
        if isinstance(max_entries, bool) or not isinstance(max_entries, int) or max_entries < 1:
            raise InvalidArgument("max_entries is a positive integer")
        self._store = store
        self.waits_for_replicas = bool(getattr(store, "waits_for_replicas", False))
        self._max_age_s = milliseconds(max_age, "max_age") / 1000
        further = milliseconds(stale_if_error, "stale_if_error", least=0)
        self._stale_s = self._max_age_s + further / 1000
        self._max_entries = max_entries
        self._entries: OrderedDict[str, tuple[bytes, float]] = OrderedDict()
        self._reads: set[_Read] = set()
        self._failed_at: float | None = None
        self._lock = threading.Lock()

    def _get(self, keys: Sequence[str]) -> Steps[list[bytes]]:
        values = self._young(keys, self._max_age_s)
        wanted = [key for key in dict.fromkeys(keys) if key not in values]
        if wanted:
            values |= yield from self._read_or_stale(wanted)
        return [values[key] for key in keys]

    def _read_or_stale(self, wanted: Sequence[str]) -> Steps[dict[str, bytes]]:
        """Ask the store, or do with what was read of it for a while longer, should it fail."""
        failed_at = self._failed_at
        if failed_at is not None and time.monotonic() < failed_at + _LATELY_S:
            stale = self._young(wanted, self._stale_s)
            if len(stale) == len(wanted):
                return stale
        try:
            return (yield from self._read(wanted))
        except Exception as error:
            if failed_at is None:
                kind = type(error).__name__
                _log.error("the store behind a cache fails (%s: %s)", kind, error)
            self._failed_at = time.monotonic()
            stale = self._young(wanted, self._stale_s)
            if len(stale) < len(wanted):
                raise
            return stale

    def _read(self, keys: Sequence[str]) -> Steps[dict[str, bytes]]:
        """Ask the store, and keep what it says, unless it was replaced while it said so."""
        read = _Read()
        with self._lock:
            self._reads.add(read)
        try:
            found = yield lambda: self._store.get_many(keys)
            if len(found) != len(keys):
                raise StoreUnavailable("the store did not answer what it was asked")
            values = dict(zip(keys, found, strict=True))
            if self._failed_at is not None:
                self._failed_at = None
                _log.warning("the store behind a cache answers again")
            with self._lock:
                for key, value in values.items():
                    if key not in read.replaced:
                        self._keep(key, value, read.begun)
            return values
        finally:
            with self._lock:
                self._reads.discard(read)

    def _replace(self, key: str, before: bytes, after: bytes, keep_ms: int) -> Steps[bool]:
        self._forget(key)
        try:
            return bool((yield lambda: self._store.replace(key, before, after, keep_ms)))
        finally:
            self._forget(key)

    def _young(self, keys: Sequence[str], age_s: float) -> dict[str, bytes]:
        """Return what is kept of the keys, and was read no longer ago than that."""
        values: dict[str, bytes] = {}
        with self._lock:
            oldest = time.monotonic() - age_s
            for key in keys:
                value, begun = self._entries.get(key, (b"", oldest))
                if begun > oldest:
                    values[key] = value
                    self._entries.move_to_end(key)
        return values

    def _keep(self, key: str, value: bytes, begun: float) -> None:
        if begun <= self._entries.get(key, (b"", 0.0))[1]:
            return  # Another read began later, and ended sooner.
        self._entries[key] = value, begun
        self._entries.move_to_end(key)
        while len(self._entries) > self._max_entries:
            self._entries.popitem(last=False)

    def _forget(self, key: str) -> None:
        with self._lock:
            self._entries.pop(key, None)
            for read in self._reads:
                read.replaced.add(key)


class CachedRecords(_Cached):
    """A store, and what was read of it for up to `max_age`: so late may a revocation be noticed.

    While the store fails, what was read is served for up to `stale_if_error` longer. It keeps up to
    `max_entries`, also that there is nothing. What is replaced by way of this cache, it notices at
    once; who else needs what the store has now calls `get_fresh`, as a manager does before it
    refuses somebody.
    """

    _AWAITS = False

    def __init__(
        self,
        store: RecordStore,
        *,
        max_age: Duration,
        max_entries: int = 10_000,
        stale_if_error: Duration = 0,
    ) -> None:
        super().__init__(
            store, max_age=max_age, max_entries=max_entries, stale_if_error=stale_if_error
        )

    def get_many(self, keys: Sequence[str]) -> list[bytes]:
        """Return what each key has, or had up to `max_age` ago."""
        return run(self._get(keys))

    def get_fresh(self, keys: Sequence[str]) -> list[bytes]:
        """Return what each key has now."""
        values = run(self._read(keys))
        return [values[key] for key in keys]

    def replace(self, key: str, before: bytes, after: bytes, keep_ms: int) -> bool:
        """Replace it in the store, and forget what was read of it."""
        return run(self._replace(key, before, after, keep_ms))

    def scan(self, part: str) -> Iterator[bytes]:
        """Give what the store has."""
        return iter(self._store.scan(part))


class AsyncCachedRecords(_Cached):
    """`CachedRecords`, over a store that is awaited."""

    _AWAITS = True

    def __init__(
        self,
        store: AsyncRecordStore,
        *,
        max_age: Duration,
        max_entries: int = 10_000,
        stale_if_error: Duration = 0,
    ) -> None:
        super().__init__(
            store, max_age=max_age, max_entries=max_entries, stale_if_error=stale_if_error
        )

    async def get_many(self, keys: Sequence[str]) -> list[bytes]:
        """Return what each key has, or had up to `max_age` ago."""
        return await arun(self._get(keys))

    async def _get_within(self, timeout_s: float, keys: Sequence[str]) -> list[bytes]:
        """`get_many`, where a store that takes longer than that has failed."""
        # Whoever cancels a call on the cache takes from it the time to serve what is stale.
        return await arun(self._get(keys), timeout_s)

    async def get_fresh(self, keys: Sequence[str]) -> list[bytes]:
        """Return what each key has now."""
        values = await arun(self._read(keys))
        return [values[key] for key in keys]

    async def replace(self, key: str, before: bytes, after: bytes, keep_ms: int) -> bool:
        """Replace it in the store, and forget what was read of it."""
        return await arun(self._replace(key, before, after, keep_ms))

    def scan(self, part: str) -> AsyncIterator[bytes]:
        """Give what the store has."""
        found: AsyncIterator[bytes] = self._store.scan(part)
        return found
