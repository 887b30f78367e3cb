"""Long calls on threads, so that event loops go on meanwhile."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from donjon.errors import Busy

_T = TypeVar("_T")


class Offload:
    """Up to `workers` calls at once; the others wait in turn, up to `max_wait_s`, then are `Busy`.

    The threads are made when they are first needed: a process that was forked makes its own.
    """

    def __init__(self, workers: int, max_wait_s: float) -> None:
        self._workers = workers
        self._max_wait_s = max_wait_s
        self._lock = threading.Lock()
        self._executor: ThreadPoolExecutor | None = None
        self._process = os.getpid()
        self._unfinished = 0
        self._closed = False

    async def run(self, call: Callable[[], _T]) -> _T:
        """Await `call()`. If that is cancelled while `call` waits, it is never begun."""
        return await asyncio.wrap_future(self._submit(call))

    def close(self) -> None:
        """Take no more calls. Those that were taken are finished, and then the threads end."""
        with self._lock:
            self._closed = True
            executor, self._executor = self._executor, None
        if executor is not None and self._process == os.getpid():
            executor.shutdown(wait=False)

    def _submit(self, call: Callable[[], _T]) -> Future[_T]:
        with self._lock:
            executor = self._running()
            deadline = None
            if self._unfinished >= self._workers:
                if self._max_wait_s == 0:
                    raise Busy
                deadline = time.monotonic() + self._max_wait_s
            future = executor.submit(_unless_late, call, deadline)
            self._unfinished += 1
        future.add_done_callback(self._finished)
        return future

    def _running(self) -> ThreadPoolExecutor:
        if self._closed:
            raise RuntimeError("closed")
        if self._executor is None or self._process != os.getpid():
            # Threads do not survive a fork, nor does what they were doing.
            self._executor = ThreadPoolExecutor(self._workers, thread_name_prefix="donjon")
            self._process, self._unfinished = os.getpid(), 0
        return self._executor

    def _finished(self, _: Future[_T]) -> None:
        with self._lock:
            self._unfinished -= 1


def _unless_late(call: Callable[[], _T], deadline: float | None) -> _T:
    if deadline is not None and time.monotonic() > deadline:
        raise Busy
    return call()


def usable_cpus() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
