"""The Redis or Valkey that REDIS_URL names, in which both services count, if there is one."""

from __future__ import annotations

import os

URL = os.environ.get("REDIS_URL", "")


class StoreFailed(Exception):
    """REDIS_URL names none that answers."""


def require_answer() -> None:
    """Raise if there should be one, and it does not answer."""
    if URL:
        read("donjon:demo")


def read(key: str) -> str:
    """Show what is stored under a key, and for how long."""
    from redis import Redis, RedisError  # which the demo does not need otherwise

    try:
        with Redis.from_url(URL, socket_timeout=5, socket_connect_timeout=5) as client:
            state, seconds = client.get(key), client.ttl(key)
    except (RedisError, ValueError) as error:
        raise StoreFailed(f"REDIS_URL: {error}") from None
    return f"{key} = {state.hex() if isinstance(state, bytes) else state}, {seconds} s to live"
