"""Tokens of other issuers: their key sets, fetched over HTTPS and kept current.

    identity = JWKSClient("https://id.example/.well-known/jwks.json")
    verifier = identity.verifier(
        issuer="https://id.example", audience="api", type="at+jwt", algorithms=["RS256"]
    )
    claims = verifier.verify(token)

When to fetch is the kernel's decision: when the set is stale, and when a token names a key that is
not in it, but never twice within the cooldown, however many unknown keys arrive. One fetch runs at
a time. It follows no redirect and is bounded in size and in time. A failed one leaves the last set
in use. `AsyncJWKSClient` is the same to await; an asynchronous service uses that one, since the
other keeps the event loop waiting while it fetches.
"""

from __future__ import annotations

import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Generic, Literal, TypedDict, TypeVar

import anyio
import httpx

from donjon import Claims, ConfigError, DonjonError, Keyring, TokenVerifier, UnknownKey
from donjon._donjon import jwks_refresh

if TYPE_CHECKING:
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

_log = logging.getLogger("donjon.jwks")
_Event = Literal["unknown_key", "periodic", "fetched", "failed"]


class KeySetUnavailable(DonjonError):
    """The key set could not be fetched, and there is none from before."""

    http_status = 503


class Expectations(TypedDict, total=False):
    """What a `TokenVerifier` takes besides its keyring."""

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
        self._url = httpx.URL(url)
        if self._url.scheme not in ({"https", "http"} if allow_http else {"https"}):
            raise ConfigError("a key set is fetched over https, unless allow_http says otherwise")
        self._timeout = timeout
        self._cooldown_ms = cooldown // timedelta(milliseconds=1)
        self._max_age_ms = max_age // timedelta(milliseconds=1)
        self._transport = transport
        self._state: bytes | None = None
        self.last: Keyring | None = None
        self.decide("periodic", peek=True)  # Refuses times that the kernel refuses, at once.

    def decide(self, event: _Event, *, peek: bool = False) -> bool:
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

    async def renew(self) -> None:
        """Fetch the set. A failure is told to the kernel and logged."""
        try:
            with anyio.fail_after(self._timeout):
                self.last = Keyring.from_jwks(await self._fetch())
        except (httpx.HTTPError, TimeoutError, DonjonError) as error:
            self.decide("failed")
            _log.warning("no key set from %s: %s", self._url.host, error or type(error).__name__)
        else:
            self.decide("fetched")

    async def _fetch(self) -> bytes:
        headers = {
            "Accept": "application/jwk-set+json, application/json",
            "Accept-Encoding": "identity",
        }
        # A client per fetch: it belongs to this event loop, and there is one in many minutes.
        async with (
            httpx.AsyncClient(transport=self._transport, timeout=self._timeout) as client,
            client.stream("GET", self._url, headers=headers, follow_redirects=False) as response,
        ):
            if response.status_code != httpx.codes.OK:
                raise ConfigError(f"the server answered {response.status_code}")
            if response.headers.get("Content-Encoding", "identity") != "identity":
                # A few bytes could unpack to any size before the next line sees them.
                raise ConfigError("the server compressed the key set without being asked")
            body = bytearray()
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > MAX_BYTES:
                    raise ConfigError(f"the key set is over {MAX_BYTES} bytes")
            return bytes(body)

    def known(self) -> Keyring:
        """Return the last set."""
        if self.last is None:
            raise KeySetUnavailable("no key set could be fetched")
        return self.last


class JWKSClient:
    """The key set at `url`, for threads. Share one between them."""

    def __init__(self, url: str, **options: Any) -> None:
        self._set = _KeySet(url, **options)
        self._lock = threading.Lock()

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
        # While another thread fetches, a stale set serves on; a missing one is waited for.
        must_wait = seen is None or event == "unknown_key"
        if not self._lock.acquire(blocking=must_wait):
            return self._set.known()
        try:
            if self._set.last is seen and self._set.decide(event):
                # Both clients fetch asynchronously: only there a deadline covers all of it.
                with ThreadPoolExecutor(max_workers=1) as thread:
                    thread.submit(anyio.run, self._set.renew).result()
            return self._set.known()
        finally:
            self._lock.release()


class AsyncJWKSClient:
    """The key set at `url`, for tasks. Share one between those of one event loop."""

    def __init__(self, url: str, **options: Any) -> None:
        self._set = _KeySet(url, **options)
        self._lock = anyio.Lock()

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
        if event == "periodic" and seen is not None and self._lock.locked():
            return seen
        async with self._lock:
            if self._set.last is seen and self._set.decide(event):
                await self._set.renew()
            return self._set.known()


_Client = TypeVar("_Client", JWKSClient, AsyncJWKSClient)


class _Verifiers(Generic[_Client]):
    """A `TokenVerifier` per key set, made when the set changes."""

    def __init__(self, client: _Client, expectations: Expectations) -> None:
        self._client: _Client = client
        self._expectations: Expectations = expectations
        # Refuses expectations that the kernel refuses, before any token comes.
        self._made = (_NO_KEYS, TokenVerifier(_NO_KEYS, **expectations))

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
