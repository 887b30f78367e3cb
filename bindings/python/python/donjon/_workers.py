"""What is kept in one process is not what its siblings have."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from pathlib import PurePath

_SERVERS = frozenset({"fastapi", "granian", "gunicorn", "hypercorn", "uvicorn"})
_WORKERS = re.compile(r"(?<!\S)(?:--workers[= ]|-w ?)(\d+)(?!\S)")


def workers() -> int:
    """How many processes the server was told to start: by its command, or by the environment."""
    # A process that was spawned or forked has the command of the one that started it.
    told = _of_command(sys.argv) or os.environ.get("WEB_CONCURRENCY", "1")
    try:
        return int(told)
    except ValueError:
        return 1


def _of_command(command: Sequence[str]) -> str:
    """Return the number in it; nothing if it is not that of a server that starts processes."""
    program = PurePath(command[0] if command else "")
    name = program.parent.name if program.name == "__main__.py" else program.stem
    found = _WORKERS.search(" ".join(command[1:])) if name in _SERVERS else None
    return found[1] if found else ""
