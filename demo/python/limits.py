"""How often: who counts, and where what was spent is kept."""

from __future__ import annotations

import os

from donjon import Limits, LimitTable, Proxies
from donjon.fastapi import ClientAddress, Limiter
from donjon.limits import AsyncLimiter, AsyncLimitStore
from donjon.redis import AsyncRedisStore

LOG_IN = Limits.profile("deepinsight/login")
SESSION_CREATE = Limits.profile("session-cluster/session_create")

# A school is one address: it has more attempts than an account.
ADDRESS_LOCKOUT = Limits.lockout(attempts=20)


def counters() -> AsyncLimiter:
    """Return what counts: in this process, or where the Go service counts as well.

    While Redis is down, this process counts for itself: guesses go on being counted, and nobody is
    locked out by an outage.
    """
    here = LimitTable()
    store = shared_store()
    return AsyncLimiter(store, on_failure=here) if store else AsyncLimiter(here)


def shared_store() -> AsyncLimitStore | None:
    """Return what several processes share, if there is any."""
    url = os.environ.get("REDIS_URL")
    if not url:
        return None
    from redis.asyncio import Redis  # which the demo does not need otherwise

    return AsyncRedisStore(Redis.from_url(url), prefix=os.environ.get("DEMO_PREFIX", "demo:"))


# The proxy before both services is the walk-through, and this is the header that it writes.
address = ClientAddress(Proxies("x-forwarded-for", trusted=["127.0.0.1"]))
limiter = Limiter(storage=counters(), address=address)
