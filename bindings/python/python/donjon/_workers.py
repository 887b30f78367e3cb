"""What is kept in one process is not what its siblings have."""

from __future__ import annotations

import os


def workers() -> int:
    """How many processes the server was told to start."""
    try:
        return int(os.environ.get("WEB_CONCURRENCY", "1"))
    except ValueError:
        return 1
