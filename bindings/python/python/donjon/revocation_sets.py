"""What is revoked, for verifiers without the store: signed sets, fetched over HTTPS.

    identity = JWKSClient("https://id.example/.well-known/jwks.json")
    revocations = RevocationSetClient(
        "https://id.example/.well-known/revocation-set", identity.keyring
    )
    claims = identity.verifier(…).verify(token)
    revocations.check(claims)

A thread fetches a set every `interval`, and tokens are looked up in the last one, in memory. So
what is revoked is refused after that time, and what publishing and a fetch take, as long as they
work; at the latest when the last set's time is over, for then every token is.
`AsyncRevocationSetClient` is the same to await, with asyncio: an asynchronous service uses that
one, since the other keeps the event loop waiting for the first set. Its `keyring` is called on that
thread, so it is a `JWKSClient`'s there too.

    auth = BearerAuth(AsyncJWKSClient(…).verifier(…), check=revocations.check)
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING

from donjon import Claims, Keyring
from donjon._duration import Duration, milliseconds
from donjon._fetch import Source, fetch, https_only
from donjon.revocation import (
    AsyncOfflineRevocations,
    AsyncRevocations,
    OfflineRevocations,
    Revocations,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx
    from typing_extensions import Self

__all__ = ["AsyncRevocationSetClient", "RevocationSetClient"]

MAX_BYTES = 64 * 1024 * 1024
"""The largest set that is read, unless told otherwise: of about 19 million tokens."""

_log = logging.getLogger("donjon.revocation")


class _Poller:
    """A thread that fetches sets until it is told to stop, in the process that asks for them."""

    def __init__(
        self,
        url: str,
        offline: OfflineRevocations | AsyncOfflineRevocations,
        *,
        interval: Duration,
        timeout: float,
        max_bytes: int,
        allow_http: bool,
        transport: httpx.AsyncBaseTransport | None,
    ) -> None:
        where = https_only(url, allow_http=allow_http)
        self._source = Source(where, "application/octet-stream", max_bytes, timeout, transport)
        self._offline = offline
        self._interval_s = milliseconds(interval, "interval") / 1000
        self._tag = ""
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._process: int | None = None
        self._first = _done()

    def begin(self) -> Future[None]:
        """Have the thread run, and return what is done once it has fetched for the first time."""
        # A fork has no threads of its parent's.
        if self._process != os.getpid() and not self._stop.is_set():
            with self._lock:
                if self._process != os.getpid():
                    first = _pending()
                    threading.Thread(
                        target=self._poll, args=(first,), name=_THREAD, daemon=True
                    ).start()
                    # In this order: who sees the process takes what its thread will have done.
                    self._first, self._process = first, os.getpid()
        return self._first

    def end(self) -> None:
        """Stop fetching. What was fetched is of use for as long as it is good."""
        self._stop.set()

    def _poll(self, first: Future[None]) -> None:
        while not self._stop.is_set():
            self._fetch()
            if not first.done():
                first.set_result(None)
            self._stop.wait(self._interval_s)

    def _fetch(self) -> None:
        try:
            document, tag = fetch(self._source, self._tag)
            # Of several publishers one may be behind: then the set that is here is the later one.
            if document is not None and self._offline.update(document):
                self._tag = tag
        except Exception as error:  # noqa: BLE001  whatever it is, no request is to blame for it
            reason = str(error) or type(error).__name__
            _log.warning("no revocation set from %s: %s", self._source.url.host, reason)


_THREAD = "revocation-set"


def _pending() -> Future[None]:
    made: Future[None] = Future()
    made.set_running_or_notify_cancel()  # Whoever waits for it cannot cancel it any more.
    return made


def _done() -> Future[None]:
    """Return what is there where nothing was begun: a client that was closed before its use."""
    made = _pending()
    made.set_result(None)
    return made


class RevocationSetClient:
    """The set at `url`, for threads. Share one between them.

    `keyring` has the keys of whoever signs the sets, or is a function that returns the current one,
    as a `JWKSClient` has it. The first token that is checked waits for the first set.
    """

    def __init__(
        self,
        url: str,
        keyring: Keyring | Callable[[], Keyring],
        *,
        confirm: Revocations | None = None,
        interval: Duration = 10,
        timeout: float = 5.0,
        max_bytes: int = MAX_BYTES,
        allow_http: bool = False,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.offline = OfflineRevocations(keyring, confirm=confirm)
        self._poller = _Poller(
            url,
            self.offline,
            interval=interval,
            timeout=timeout,
            max_bytes=max_bytes,
            allow_http=allow_http,
            transport=transport,
        )

    def check(self, claims: Claims) -> None:
        """Return if the token stands, raise `TokenRevoked` if it was taken back."""
        first = self._poller.begin()
        if not first.done():
            first.result()
        self.offline.check(claims)

    def close(self) -> None:
        """Stop fetching."""
        self._poller.end()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncRevocationSetClient:
    """`RevocationSetClient`, for tasks of asyncio."""

    def __init__(
        self,
        url: str,
        keyring: Keyring | Callable[[], Keyring],
        *,
        confirm: AsyncRevocations | None = None,
        interval: Duration = 10,
        timeout: float = 5.0,
        max_bytes: int = MAX_BYTES,
        allow_http: bool = False,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.offline = AsyncOfflineRevocations(keyring, confirm=confirm)
        self._poller = _Poller(
            url,
            self.offline,
            interval=interval,
            timeout=timeout,
            max_bytes=max_bytes,
            allow_http=allow_http,
            transport=transport,
        )

    async def check(self, claims: Claims) -> None:
        """Return if the token stands, raise `TokenRevoked` if it was taken back."""
        first = self._poller.begin()
        if not first.done():
            await asyncio.wrap_future(first)
        await self.offline.check(claims)

    def close(self) -> None:
        """Stop fetching."""
        self._poller.end()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()
