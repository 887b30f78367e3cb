"""How far long work has come, at a terminal."""

from __future__ import annotations

import sys
import time
from types import TracebackType

_WIDTH = 30
_EVERY_S = 0.1
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")


class ProgressBar:
    """A line on stderr, if that is a terminal: it is gone once the work is done."""

    def __init__(self, label: str, *, quiet: bool = False) -> None:
        self._label = label
        self._shown = not quiet and sys.stderr.isatty()
        self._started = self._last = time.monotonic()

    def __call__(self, done: int, total: int | None) -> None:
        """Show how far it is, but not more often than anyone can read."""
        now = time.monotonic()
        if self._shown and now - self._last >= _EVERY_S:
            self._last = now
            rate = done / max(now - self._started, _EVERY_S)
            self._write(f"{self._label}: {_bar(done, total)}, {size_text(rate)}/s")

    def __enter__(self) -> ProgressBar:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._write("")

    def _write(self, line: str) -> None:
        if self._shown:
            # Back to the beginning of the line, and what was there is cleared.
            print(f"\r\x1b[K{line}", end="", file=sys.stderr, flush=True)


def _bar(done: int, total: int | None) -> str:
    if not total:
        return size_text(done)
    share = min(done / total, 1.0)
    filled = int(share * _WIDTH)
    return f"[{'#' * filled}{' ' * (_WIDTH - filled)}] {share:4.0%} of {size_text(total)}"


def size_text(size: float) -> str:
    """Return a size as people read it."""
    for unit in _UNITS:
        if size < 1024 or unit == _UNITS[-1]:
            break
        size /= 1024
    return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
