"""One document over HTTPS: bounded in size and in time, from this URL and no other."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, NamedTuple

import anyio
import httpx

from donjon.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine


class Source(NamedTuple):
    """Where a document is, and what there may be of it."""

    url: httpx.URL
    accept: str
    max_bytes: int
    timeout_s: float
    transport: httpx.AsyncBaseTransport | None


class Document(NamedTuple):
    """What was fetched; no body where it is still the one of this tag."""

    body: bytes | None
    tag: str


def https_only(url: str, *, allow_http: bool) -> httpx.URL:
    """Read a URL, and refuse it where others could answer for it."""
    read = httpx.URL(url)
    if read.scheme not in ({"https", "http"} if allow_http else {"https"}) or not read.host:
        raise ConfigError("it is fetched over https, unless allow_http says otherwise")
    return read


def fetch(source: Source, tag: str = "") -> Document:
    """Fetch a document, on an event loop of its own: for a thread that has none.

    With the `tag` of the last one, it is sent only if it has changed.
    """

    async def in_time() -> Document:
        with anyio.fail_after(source.timeout_s):
            return await _fetch(source, tag)

    return _run(in_time)


async def _fetch(source: Source, tag: str) -> Document:
    headers = {"Accept": source.accept, "Accept-Encoding": "identity"}
    if tag:
        headers["If-None-Match"] = tag
    # A client per fetch: it belongs to this event loop, and there is none for a while after it.
    async with (
        httpx.AsyncClient(transport=source.transport, timeout=source.timeout_s) as client,
        client.stream("GET", source.url, headers=headers, follow_redirects=False) as response,
    ):
        if tag and response.status_code == httpx.codes.NOT_MODIFIED:
            return Document(None, tag)
        if response.status_code != httpx.codes.OK:
            raise ConfigError(f"the server answered {response.status_code}")
        if response.headers.get("Content-Encoding", "identity") != "identity":
            # A few bytes could unpack to any size before the next line sees them.
            raise ConfigError("the server compressed its answer without being asked")
        body = bytearray()
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > source.max_bytes:
                raise ConfigError(f"the answer is over {source.max_bytes} bytes")
        return Document(bytes(body), response.headers.get("ETag", ""))


def _run(fetching: Callable[[], Coroutine[Any, Any, Document]]) -> Document:
    """Run it, as `asyncio.run` does but for its end: that waits for names to be resolved."""
    loop = asyncio.SelectorEventLoop()
    try:
        return loop.run_until_complete(fetching())
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
