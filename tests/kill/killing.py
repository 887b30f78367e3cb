"""What the two kill tests share: workers that are killed at some moment, and the options."""

from __future__ import annotations

import argparse
import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

MOST_S = 300.0
WORKING = b"working\n"


@dataclass
class Options:
    """How much is killed."""

    kills: int
    rows: int
    seed: int
    worker: Path | None

    @classmethod
    def parse(cls, description: str | None) -> Options:
        parser = argparse.ArgumentParser(
            description=description, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        parser.add_argument("--kills", type=int, default=3)
        parser.add_argument("--rows", type=int, default=2000)
        parser.add_argument("--seed", type=int, default=None)
        parser.add_argument("--worker", type=Path, help=argparse.SUPPRESS)
        given = parser.parse_args()
        seed = random.SystemRandom().randrange(2**32) if given.seed is None else given.seed
        return cls(given.kills, given.rows, seed, given.worker)


class Failed(Exception):
    """Something was lost, or half-written, or was not finished."""


class Worker:
    """A process of the script that runs, at work on `folder`."""

    def __init__(self, folder: Path) -> None:
        command = [sys.executable, "-W", "error", sys.argv[0], "--worker", str(folder)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        if self._process.stdout.readline() != WORKING:
            raise Failed(f"a worker did not begin: {self.wait()}")
        self._begun = time.monotonic()

    def wait(self) -> int:
        """Return its status when it ends."""
        try:
            status = self._process.wait(MOST_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise Failed(f"a worker did not finish within {MOST_S} s") from None
        finally:
            if self._process.stdout is not None:
                self._process.stdout.close()
        return status

    def killed_after(self, seconds: float) -> bool:
        """Kill it that long after it began; return whether it was still at work."""
        time.sleep(max(0.0, self._begun + seconds - time.monotonic()))
        self._process.kill()
        status = self.wait()
        if status not in {0, -signal.SIGKILL}:
            raise Failed(f"a worker failed: {status}")
        return status != 0


def begin() -> None:
    """Tell the parent that from here on the work is done."""
    sys.stdout.buffer.write(WORKING)
    sys.stdout.buffer.flush()
