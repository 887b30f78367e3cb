#!/usr/bin/env python3
"""Logs in to the demo's FastAPI service, 64 at once, and reports what that does to it.

    tests/load/run.py [--log-ins 2000] [--at-once 64] [--memory-only]

Fails if the service's memory grows by more than its hasher's budget and a slack, if it goes on growing, or if an
answer is neither of the right kind nor `busy`; and unless --memory-only is given, if the event loop is later than
wanted.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import secrets
import statistics
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

HERE = Path(__file__).resolve().parent
DEMO = HERE.parent.parent / "demo"
sys.path.insert(0, str(DEMO))

from services import HOST, Service, ServiceFailed, free_ports

# The budget of the demo's hasher, and what 2,000 sessions, 64 connections and Python may need besides.
BUDGET_MIB = 256
SLACK_MIB = 64
# How much more the last quarter of the log-ins may leave than the first.
DRIFT_MIB = 32
LATE_P99_MS = 20.0
MOST_S = 570.0

# So many that nobody has five log-ins under way at once; and prime, so that everybody's fail now and then, and
# never five times running.
USERS = 61
PASSWORD = "Lanterns-over-7-Quiet-Harbours"


@dataclass
class Seen:
    """The service before, in the middle of, and after the log-ins."""

    statuses: Counter[str]
    took_s: float
    base_kib: int
    early_kib: int
    end_kib: int
    peak_kib: int
    late_ms: list[float]

    @property
    def growth_mib(self) -> float:
        return (self.peak_kib - self.base_kib) / 1024

    @property
    def drift_mib(self) -> float:
        return (self.end_kib - self.early_kib) / 1024


async def log_in_many(url: str, log_ins: int, at_once: int) -> Seen:
    """Open the accounts, then log in with good and bad credentials, `at_once` at a time."""
    limits = httpx.Limits(max_connections=at_once + 1)
    async with httpx.AsyncClient(
        base_url=url, limits=limits, timeout=120, trust_env=False
    ) as client:
        base = await probed(client)
        for user in range(USERS):
            who = credentials(user)
            (await client.post("/register", json=who, headers=sent_from(172, user))).raise_for_status()
        (await client.post("/probe")).raise_for_status()
        begun = time.monotonic()
        statuses = await log_ins_of(client, range(log_ins // 4), at_once)
        early = await probed(client)
        statuses += await log_ins_of(client, range(log_ins // 4, log_ins), at_once)
        took_s = time.monotonic() - begun
        end = await probed(client)
    return Seen(
        statuses=statuses,
        took_s=took_s,
        base_kib=base["rss_kib"],
        early_kib=early["rss_kib"],
        end_kib=end["rss_kib"],
        peak_kib=end["peak_kib"],
        late_ms=sorted(end["late_ms"]),
    )


async def log_ins_of(client: httpx.AsyncClient, numbers: range, at_once: int) -> Counter[str]:
    waiting = iter(numbers)
    statuses: Counter[str] = Counter()

    async def worker() -> None:
        for number in waiting:
            statuses[await log_in(client, number)] += 1

    await asyncio.gather(*(worker() for _ in range(at_once)))
    return statuses


async def log_in(client: httpx.AsyncClient, number: int) -> str:
    """Try one log-in, and tell what came of it: one in eight is refused, one in eight is nobody's."""
    kind = number % 8
    who = credentials(number % USERS)
    if kind == 3:
        who["password"] = PASSWORD + "?"
    elif kind == 5:
        who["username"] = f"nobody-{number}"
    answer = await client.post("/login", json=who, headers=sent_from(10, number))
    status = answer.status_code
    expected = 401 if kind in (3, 5) else 200
    if status == 503:
        return "busy"
    return {200: "logged in", 401: "refused"}[status] if status == expected else f"WRONG {status}"


def sent_from(network: int, number: int) -> dict[str, str]:
    """Return what a proxy writes: clients have addresses of their own, and the limits by address are not at issue."""
    return {"x-forwarded-for": f"{network}.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"}


def credentials(user: int) -> dict[str, str]:
    return {"username": f"user-{user}", "password": PASSWORD}


async def probed(client: httpx.AsyncClient) -> dict:
    return (await client.get("/probe")).raise_for_status().json()


def report(seen: Seen, memory_only: bool) -> list[str]:
    """Print the figures, and return what is wrong with them."""
    done = seen.statuses.total()
    what = ", ".join(f"{count} {status}" for status, count in sorted(seen.statuses.items()))
    print(
        f"  log-ins    {done} in {seen.took_s:.1f} s, {done / seen.took_s:.1f} per second: {what}"
    )
    print(
        f"  memory     {seen.base_kib / 1024:.0f} MiB before; at most {seen.growth_mib:.0f} MiB more,"
        f" of {BUDGET_MIB} + {SLACK_MIB}; {seen.drift_mib:+.0f} MiB after the first quarter"
    )
    percentile = statistics.quantiles(seen.late_ms, n=100, method="inclusive")
    print(
        f"  event loop {percentile[49]:.2f} ms late in the middle, p99 {percentile[98]:.1f} ms"
        f" (wanted under {LATE_P99_MS:.0f}), at most {seen.late_ms[-1]:.1f} ms"
    )
    wrong = [
        f"{count} answers: {status}" for status, count in seen.statuses.items() if "WRONG" in status
    ]
    if not seen.statuses["logged in"] or not seen.statuses["refused"]:
        wrong.append("nobody was logged in, or nobody refused")
    if seen.growth_mib > BUDGET_MIB + SLACK_MIB:
        wrong.append(f"memory grew by {seen.growth_mib:.0f} MiB")
    if seen.drift_mib > DRIFT_MIB:
        wrong.append(f"memory went on growing, by {seen.drift_mib:.0f} MiB")
    if not memory_only and percentile[98] >= LATE_P99_MS:
        wrong.append(f"the event loop was {percentile[98]:.1f} ms late")
    return wrong


def main() -> int:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--log-ins", type=int, default=2000)
    options.add_argument("--at-once", type=int, default=64)
    options.add_argument(
        "--memory-only", action="store_true", help="no time is wanted of the event loop"
    )
    given = options.parse_args()

    with TemporaryDirectory(prefix="donjon-load-") as folder:
        service = start(Path(folder) / "service.log")
        try:
            run = log_in_many(service.url, given.log_ins, given.at_once)
            seen = asyncio.run(asyncio.wait_for(run, MOST_S))
        except (httpx.HTTPError, asyncio.TimeoutError) as error:  # noqa: UP041  another in 3.10
            words = service.read_log()[-2000:]
            print(f"load: {error!r}; the service's last words:\n{words}", file=sys.stderr)
            return 1
        finally:
            service.stop()
    wrong = report(seen, given.memory_only)
    for what in wrong:
        print(f"load: {what}", file=sys.stderr)
    return 1 if wrong else 0


def start(log: Path) -> Service:
    """Start the demo's service with its probe, on another port if somebody was faster to take a free one."""
    path = os.pathsep.join([str(HERE), str(DEMO / "python")])
    env = {**os.environ, "DONJON_MASTER": secrets.token_urlsafe(32), "PYTHONPATH": path}
    options = ["--host", HOST, "--no-access-log", "--log-level", "warning"]
    attempts = 3
    while True:
        attempts -= 1
        port = free_ports()[0]
        service = Service("python", port, log)
        command = [sys.executable, "-m", "uvicorn", "served:app", "--port", str(port), *options]
        try:
            service.start(command, env)
            with httpx.Client(trust_env=False, timeout=5) as client:
                service.wait_until_ready(client)
        except ServiceFailed as failure:
            service.stop()
            if not failure.port_was_taken or not attempts:
                raise
        except BaseException:
            service.stop()
            raise
        else:
            return service


if __name__ == "__main__":
    sys.exit(main())
