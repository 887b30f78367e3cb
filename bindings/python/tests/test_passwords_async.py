"""Hashing never holds the event loop up, stays within its memory, and gives up when it should."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import donjon
from conftest import PASSWORD
from donjon import PasswordHasher
from donjon._offload import Offload

pytestmark = pytest.mark.anyio


def threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("donjon")]


@pytest.fixture
def quick() -> Iterator[PasswordHasher]:
    with PasswordHasher(memory_kib=64, time_cost=1, allow_weak=True) as hasher:
        yield hasher


class Gate:
    """A call that takes until it is opened."""

    def __init__(self) -> None:
        self.begun = 0
        self.opened = threading.Event()

    def __call__(self) -> str:
        self.begun += 1
        assert self.opened.wait(30)
        return "through"


async def until(condition: object) -> None:
    assert callable(condition)
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.001)


async def test_what_is_awaited_is_what_is_called(quick: PasswordHasher) -> None:
    stored = await quick.ahash(PASSWORD)
    assert quick.verify(stored, PASSWORD) == await quick.averify(stored, PASSWORD)
    assert (await quick.averify_and_update(stored, PASSWORD))[1] is None
    for hash_, password in ((stored, "wrong"), (None, PASSWORD)):
        with pytest.raises(donjon.PasswordMismatch):
            await quick.averify(hash_, password)
    with pytest.raises(donjon.InvalidHash):
        await quick.averify("x", PASSWORD)
    with pytest.raises(TypeError):
        await quick.ahash(1)  # type: ignore[arg-type]


async def test_the_event_loop_goes_on_while_passwords_are_hashed() -> None:
    late = []

    async def tick() -> None:
        while True:
            started = time.perf_counter()
            await asyncio.sleep(0.001)
            late.append(time.perf_counter() - started - 0.001)

    with PasswordHasher(memory_kib=32768, time_cost=3, memory_budget_kib=65536) as hasher:
        stored = hasher.hash(PASSWORD)
        ticking = asyncio.create_task(tick())
        started = time.perf_counter()
        await asyncio.gather(*(hasher.averify(stored, PASSWORD) for _ in range(16)))
        took = time.perf_counter() - started
        ticking.cancel()
    # Had the loop waited for the hashes, there would be one tick for each.
    assert len(late) > took / 0.020
    assert sorted(late)[len(late) // 2] < 0.020


def resident_kib() -> int:
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Linux says how much it is")
async def test_64_log_ins_at_once_stay_within_the_memory() -> None:
    budget = 256 * 1024
    with PasswordHasher(
        memory_kib=65536, time_cost=1, memory_budget_kib=budget, max_wait_ms=60_000
    ) as hasher:
        stored = await hasher.ahash(PASSWORD)
        gc.collect()
        before, most, done = resident_kib(), 0, False

        async def watch() -> None:
            nonlocal most
            while not done:
                most = max(most, resident_kib())
                await asyncio.sleep(0.002)

        watching = asyncio.create_task(watch())
        verdicts = await asyncio.gather(*(hasher.averify(stored, PASSWORD) for _ in range(64)))
        done = True
        await watching
    assert len(verdicts) == 64
    # One region is held already; 16 MiB for what the interpreter does meanwhile.
    assert most - before < budget + 16 * 1024


async def test_who_waited_too_long_is_told_without_a_hash() -> None:
    offload, gate = Offload(1, 0.05), Gate()
    first = asyncio.create_task(offload.run(gate))
    await until(lambda: gate.begun == 1)
    late = asyncio.create_task(offload.run(gate))
    await asyncio.sleep(0.1)
    gate.opened.set()
    assert await first == "through"
    with pytest.raises(donjon.Busy):
        await late
    assert gate.begun == 1
    offload.close()


async def test_who_will_not_wait_is_told_at_once() -> None:
    offload, gate = Offload(2, 0), Gate()
    running = [asyncio.create_task(offload.run(gate)) for _ in range(2)]
    await until(lambda: gate.begun == 2)
    started = time.monotonic()
    with pytest.raises(donjon.Busy):
        await offload.run(gate)
    assert time.monotonic() - started < 1
    gate.opened.set()
    assert await asyncio.gather(*running) == ["through"] * 2
    # A thread is free again.
    assert await offload.run(gate) == "through"
    offload.close()


async def test_a_crowd_on_a_hasher_that_does_not_wait_is_busy_and_not_late() -> None:
    with PasswordHasher(memory_kib=65536, time_cost=3, max_wait_ms=0) as hasher:
        stored = hasher.hash(PASSWORD)
        answers = await asyncio.gather(
            *(hasher.averify(stored, PASSWORD) for _ in range(32)), return_exceptions=True
        )
    verified = [answer for answer in answers if isinstance(answer, donjon.Verification)]
    assert verified
    assert sum(isinstance(answer, donjon.Busy) for answer in answers) == 32 - len(verified) > 0


async def test_who_stopped_waiting_is_never_hashed_for() -> None:
    offload, gate = Offload(1, 60), Gate()
    running = asyncio.create_task(offload.run(gate))
    await until(lambda: gate.begun == 1)
    waiting = [asyncio.create_task(offload.run(gate)) for _ in range(100)]
    await asyncio.sleep(0)
    for task in waiting:
        task.cancel()
    assert all(
        isinstance(answer, asyncio.CancelledError)
        for answer in await asyncio.gather(*waiting, return_exceptions=True)
    )
    gate.opened.set()
    assert await running == "through"
    assert await offload.run(gate) == "through"
    assert gate.begun == 2
    offload.close()


async def test_who_stopped_waiting_for_a_running_hash_leaves_nothing_behind(
    quick: PasswordHasher,
) -> None:
    stored = await quick.ahash(PASSWORD)
    for _ in range(50):
        task = asyncio.create_task(quick.averify(stored, "wrong"))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises((asyncio.CancelledError, donjon.PasswordMismatch)):
            await task
    assert await quick.averify(stored, PASSWORD)
    await until(lambda: quick._offload._unfinished == 0)


async def test_there_are_no_more_threads_than_help(quick: PasswordHasher) -> None:
    await asyncio.gather(*(quick.ahash(PASSWORD) for _ in range(32)))
    assert 1 <= len(threads()) <= quick.slots


def test_event_loops_share_a_hasher(quick: PasswordHasher) -> None:
    stored = quick.hash(PASSWORD)

    async def log_in(number: int) -> bool:
        for _ in range(10):
            assert await quick.averify(stored, PASSWORD)
            with pytest.raises(donjon.PasswordMismatch):
                await quick.averify(stored, str(number))
        return True

    with ThreadPoolExecutor(4) as pool:
        loops = pool.map(lambda number: asyncio.run(log_in(number)), range(4))
        assert all(loops)
    # And one loop after the other.
    assert asyncio.run(log_in(1))
    assert asyncio.run(log_in(2))


async def test_closing_ends_the_threads_and_what_needs_none_goes_on() -> None:
    hasher = PasswordHasher(memory_kib=1024, time_cost=4, allow_weak=True)
    with hasher:
        stored = await hasher.ahash(PASSWORD)
        unfinished = asyncio.create_task(hasher.averify(stored, PASSWORD))
        await asyncio.sleep(0)
    assert await unfinished
    with pytest.raises(RuntimeError, match="closed"):
        await hasher.averify(stored, PASSWORD)
    hasher.close()
    assert hasher.verify(stored, PASSWORD)
    await until(lambda: not threads())


async def test_a_hasher_that_nobody_closed_takes_its_threads_along() -> None:
    hasher = PasswordHasher(memory_kib=64, time_cost=1, allow_weak=True)
    await hasher.ahash(PASSWORD)
    del hasher
    gc.collect()
    await until(lambda: not threads())
