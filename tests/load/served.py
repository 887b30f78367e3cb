"""The demo's service and a probe of it: how late its event loop runs, and how much memory it has."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

from app import app
from pydantic import BaseModel

TICK_S = 0.005


class Probed(BaseModel):
    """What the probe has seen since it was started."""

    pid: int
    late_ms: list[float]
    rss_kib: int
    peak_kib: int


class Probe:
    """A task of the event loop that asks to be woken, and notes how much later it was."""

    def __init__(self) -> None:
        self.late_ms: list[float] = []
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Watch from now on."""
        self.late_ms.clear()
        self._task = self._task or asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        while True:
            begun = time.perf_counter()
            await asyncio.sleep(TICK_S)
            self.late_ms.append((time.perf_counter() - begun - TICK_S) * 1000)


probe = Probe()


@app.post("/probe", status_code=204)
async def start() -> None:
    """Start the probe, or start it over."""
    probe.start()


@app.get("/probe")
async def read() -> Probed:
    """Tell what it has seen."""
    return Probed(
        pid=os.getpid(),
        late_ms=probe.late_ms,
        rss_kib=memory_kib("VmRSS"),
        peak_kib=memory_kib("VmHWM"),
    )


def memory_kib(name: str) -> int:
    """Return one of the kernel's figures about this process (proc_pid_status(5))."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name + ":"))
