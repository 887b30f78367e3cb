"""Where somebody is signed in: by tokens on a phone, by a cookie in a browser, all in one list.

With REDIS_URL the records are there, and the Go service reads the same ones. Without, they are in
this process, and the Go service fetches what was revoked, signed.
"""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

from donjon import Keyring
from donjon.records import AsyncRecordStore, MemoryRecords
from donjon.redis import AsyncRedisRecords
from donjon.sessions import AsyncSessionManager

REFRESH_GRACE = timedelta(seconds=3)  # short, for the demo's sake: leave it out and it is 10 s

CONFIG: dict[str, Any] = {"refresh_grace_ms": REFRESH_GRACE // timedelta(milliseconds=1)}

# The names of users in the store, and the CSRF tokens. With another `device` secret, users are
# signed in anew.
KEYS = Keyring.from_env(
    keys=[{"purpose": use, "alg": "HS256", "epoch": 1} for use in ("device", "csrf")]
)


def records() -> AsyncRecordStore | MemoryRecords:
    """Return what keeps the records."""
    url = os.environ.get("REDIS_URL")
    if not url:
        return MemoryRecords()
    from redis.asyncio import Redis  # which the demo does not need otherwise

    return AsyncRedisRecords(Redis.from_url(url), prefix=os.environ.get("DEMO_PREFIX", "demo:"))


manager = AsyncSessionManager(KEYS, records(), config=CONFIG)
