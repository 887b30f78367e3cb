"""One sequence of calls for synchronous and asynchronous hosts.

It is a generator that yields what to call next and is sent what came of it, or has it thrown.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Generator
from inspect import isawaitable
from typing import Any, TypeVar

_T = TypeVar("_T")

Steps = Generator[Callable[[], Any], Any, _T]


def run(steps: Steps[_T]) -> _T:
    """Make the calls one after the other."""
    try:
        call = next(steps)
        while True:
            try:
                result = call()
            except Exception as error:  # noqa: BLE001  the sequence says what is to be done about it
                call = steps.throw(error)
            else:
                call = steps.send(result)
    except StopIteration as done:
        return done.value  # type: ignore[no-any-return]
    finally:
        steps.close()


async def arun(steps: Steps[_T], timeout_s: float | None = None) -> _T:
    """`run`, where calls return what to await, or the result itself. Each has `timeout_s`."""
    try:
        call = next(steps)
        while True:
            try:
                result = call()
                if isawaitable(result):
                    result = await within(timeout_s, result)
            except Exception as error:  # noqa: BLE001  the sequence says what is to be done about it
                call = steps.throw(error)
            else:
                call = steps.send(result)
    except StopIteration as done:
        return done.value  # type: ignore[no-any-return]
    finally:
        steps.close()


async def within(timeout_s: float | None, result: Awaitable[_T]) -> _T:
    """Await it, for so long at most; with `None`, for however long it takes."""
    if timeout_s is None:  # Every call on a store in this process is one of these.
        return await result
    if sys.version_info < (3, 11):
        return await asyncio.wait_for(result, timeout_s)
    async with asyncio.timeout(timeout_s):
        return await result
