"""Tokens of other issuers: their key sets, fetched over HTTPS and kept current.

    identity = JWKSClient("https://id.example/.well-known/jwks.json")
    verifier = identity.verifier(
        issuer="https://id.example", audience="api", type="at+jwt", algorithms=["RS256"]
    )
    claims = verifier.verify(token)

When to fetch is the kernel's decision: when the set is stale, and when a token names a key that is
not in it, but never twice within the cooldown, however many unknown keys arrive. One fetch runs at
a time, on a thread of its own, so that no request takes it along when it is cancelled. It follows
no redirect and is bounded in size and in time. A failed one leaves the last set in use.
`AsyncJWKSClient` is the same to await, with asyncio; an asynchronous service uses that one, since
the other keeps the event loop waiting while it fetches.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from concurrent.futures import Future
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Generic, Literal, TypedDict, TypeVar

from donjon import Claims, ConfigError, DonjonError, Keyring, TokenVerifier, UnknownKey
from donjon._donjon import jwks_refresh
from donjon._fetch import Source, fetch, https_only

if TYPE_CHECKING:
    import httpx
    from typing_extensions import NotRequired, Required, Unpack

__all__ = [
    "AsyncJWKSClient",
    "AsyncJWKSVerifier",
    "JWKSClient",
    "JWKSVerifier",
    "KeySetUnavailable",
]

MAX_BYTES = 256 * 1024
"""The largest key set that is read."""

_SECRET = frozenset({"HS256", "HS384", "HS512"})

_log = logging.getLogger("donjon.jwks")
_Event = Literal["unknown_key", "periodic", "fetched", "failed"]


class KeySetUnavailable(DonjonError):
    """The key set could not be fetched, and there is none from before."""

    http_status = 503


class Expectations(TypedDict, total=False):
    """What a `TokenVerifier` takes besides its keyring. No HMAC: a published secret is none."""

    issuer: Required[str | None]
    audience: Required[str | list[str] | None]
    type: Required[str | None]
    algorithms: Required[list[str]]
    leeway: NotRequired[int | timedelta]
    require: NotRequired[list[str] | None]
    require_expiry: NotRequired[bool]
    legacy_type_claim: NotRequired[str | None]


class _KeySet:
    """A key set as last fetched, and the kernel's state about fetching it again."""

    def __init__(
        self,
        url: str,
        *,
        allow_http: bool = False,
        timeout: float = 5.0,
        cooldown: timedelta = timedelta(seconds=30),
        max_age: timedelta = timedelta(minutes=15),
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._source = Source(
            https_only(url, allow_http=allow_http),
            "application/jwk-set+json, application/json",
            MAX_BYTES,
            timeout,
            transport,
        )
        self._cooldown_ms = cooldown // timedelta(milliseconds=1)
        self._max_age_ms = max_age // timedelta(milliseconds=1)
        self._state: bytes | None = None
        self._flight: Future[None] | None = None
        self._lock = threading.Lock()  # held to decide, never while a fetch is on
        self.last: Keyring | None = None
        self._decide("periodic", peek=True)  # Refuses times that the kernel refuses, at once.

    def _decide(self, event: _Event, *, peek: bool = False) -> bool:
        """Ask the kernel whether to fetch, or tell it how a fetch went."""
        verdict = jwks_refresh(
            self._state,
            event,
            now_ms=time.monotonic_ns() // 1_000_000,
            cooldown_ms=self._cooldown_ms,
            max_age_ms=self._max_age_ms,
        )
        if not peek:
            self._state = verdict.state
        return verdict.fetch

    def board(self, event: _Event, seen: Keyring | None) -> Future[None] | None:
        """Return the fetch to wait for, if any; begin it, if the kernel says so."""
        with self._lock:
            if self.last is not seen:
                return None  # What the caller asks for came meanwhile.
            begins = self._flight is None and self._decide(event)
            if begins:
                self._flight = self._depart()
            # While a fetch is on, a stale set serves on; a missing one is waited for.
            waits = begins or seen is None or event == "unknown_key"
            return self._flight if waits else None

    def _depart(self) -> Future[None]:
        flight: Future[None] = Future()
        flight.set_running_or_notify_cancel()  # Whoever waits for it cannot cancel it any more.
        threading.Thread(target=self._fly, args=(flight,), daemon=True).start()
        return flight

    def _fly(self, flight: Future[None]) -> None:
        """Fetch the set. A failure is told to the kernel and logged."""
        keyring = None
        try:
            keyring = Keyring.from_jwks(fetch(self._source).body or b"")
        except Exception as error:  # noqa: BLE001  whatever it is, no request is to blame for it
            reason = str(error) or type(error).__name__
            _log.warning("no key set from %s: %s", self._source.url.host, reason)
        finally:
            with self._lock:
                self.last = self.last if keyring is None else keyring
                self._decide("failed" if keyring is None else "fetched")
                self._flight = None
            flight.set_result(None)

    def known(self) -> Keyring:
        """Return the last set."""
        if self.last is None:
            raise KeySetUnavailable("no key set could be fetched")
        return self.last


class JWKSClient:
    """The key set at `url`, for threads. Share one between them."""

    def __init__(self, url: str, **options: Any) -> None:
        self._set = _KeySet(url, **options)

    def keyring(self) -> Keyring:
        """Return the key set, fetched at first and when it is stale."""
        return self._current("periodic", self._set.last)

    def keyring_after(self, seen: Keyring) -> Keyring:
        """Return the key set for a token whose key `seen` lacks: `seen` if there is no other."""
        return self._current("unknown_key", seen)

    def verifier(self, **expectations: Unpack[Expectations]) -> JWKSVerifier:
        """Return a verifier of tokens that these keys signed."""
        return JWKSVerifier(self, expectations)

    def _current(self, event: _Event, seen: Keyring | None) -> Keyring:
        if flight := self._set.board(event, seen):
            flight.result()
        return self._set.known()


class AsyncJWKSClient:
    """The key set at `url`, for tasks of asyncio. Share one between them."""

    def __init__(self, url: str, **options: Any) -> None:
        self._set = _KeySet(url, **options)

    async def keyring(self) -> Keyring:
        """Return the key set, fetched at first and when it is stale."""
        return await self._current("periodic", self._set.last)

    async def keyring_after(self, seen: Keyring) -> Keyring:
        """Return the key set for a token whose key `seen` lacks: `seen` if there is no other."""
        return await self._current("unknown_key", seen)

    def verifier(self, **expectations: Unpack[Expectations]) -> AsyncJWKSVerifier:
        """Return a verifier of tokens that these keys signed."""
        return AsyncJWKSVerifier(self, expectations)

    async def _current(self, event: _Event, seen: Keyring | None) -> Keyring:
        if flight := self._set.board(event, seen):
            await asyncio.wrap_future(flight)
        return self._set.known()


_Client = TypeVar("_Client", JWKSClient, AsyncJWKSClient)


class _Verifiers(Generic[_Client]):
    """A `TokenVerifier` per key set, made when the set changes."""

    def __init__(self, client: _Client, expectations: Expectations) -> None:
        self._client: _Client = client
        self._expectations: Expectations = expectations
        # Refuses expectations that the kernel refuses, before any token comes.
        self._made = (_NO_KEYS, TokenVerifier(_NO_KEYS, **expectations))
        if not _SECRET.isdisjoint(expectations["algorithms"]):
            raise ConfigError("a key set is published: a secret in it is none")

    def _over(self, keyring: Keyring) -> TokenVerifier:
        made_for, verifier = self._made
        if made_for is not keyring:
            verifier = TokenVerifier(keyring, **self._expectations)
            self._made = (keyring, verifier)
        return verifier


_NO_KEYS = Keyring.from_jwks('{"keys":[]}')


class JWKSVerifier(_Verifiers[JWKSClient]):
    """Verifies tokens with the keys of a `JWKSClient`."""

    def verify(self, token: str | bytes, *, now: int | None = None) -> Claims:
        """As `TokenVerifier.verify`; an unknown key may have the key set fetched first."""
        keyring = self._client.keyring()
        try:
            return self._over(keyring).verify(token, now=now)
        except UnknownKey:
            renewed = self._client.keyring_after(keyring)
            if renewed is keyring:
                raise
        return self._over(renewed).verify(token, now=now)


class AsyncJWKSVerifier(_Verifiers[AsyncJWKSClient]):
    """Verifies tokens with the keys of an `AsyncJWKSClient`."""

    async def verify(self, token: str | bytes, *, now: int | None = None) -> Claims:
        """As `TokenVerifier.verify`; an unknown key may have the key set fetched first."""
        keyring = await self._client.keyring()
        try:
            return self._over(keyring).verify(token, now=now)
        except UnknownKey:
            renewed = await self._client.keyring_after(keyring)
            if renewed is keyring:
                raise
        return self._over(renewed).verify(token, now=now)
