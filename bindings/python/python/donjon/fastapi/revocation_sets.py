"""The signed set of what is revoked, for verifiers that are offline: `revocation_set_router`."""

import asyncio
import hashlib
import logging
from collections.abc import Callable
from time import monotonic
from typing import NamedTuple

from fastapi import APIRouter, HTTPException, Request, Response

from donjon import ConfigError, DonjonError, Keyring, StoreUnavailable
from donjon._steps import within
from donjon.fastapi.session_auth import ask
from donjon.revocation import AsyncRevocations, Revocations

__all__ = ["revocation_set_router"]

_log = logging.getLogger("donjon.fastapi")

MEDIA_TYPE = "application/octet-stream"


def revocation_set_router(
    revocations: AsyncRevocations | Revocations,
    keyring: Callable[[], Keyring],
    *,
    path: str = "/.well-known/revocation-set",
    valid_for_s: int = 300,
    renew_after_s: int = 5,
    timeout_s: float = 2.0,
) -> APIRouter:
    """Return a router that publishes what is revoked, signed by whichever keyring is current.

    A set is good for `valid_for_s`, and what is revoked meanwhile is in the one that is made
    `renew_after_s` after it, when somebody asks: a verifier that polls accepts a revoked token for
    that time and its own interval at the most. While the store does not answer, or a set is not
    made within `timeout_s`, the last one is published for as long as it is good, and a 503 from
    then on.

    It is compact and has no names in it, but who guesses one can tell whether it is there: include
    the router with a dependency where that is too much.
    """
    if not 0 < renew_after_s < valid_for_s:
        raise ConfigError("a set is renewed while the one before is still good")
    published = _Published(revocations, keyring, valid_for_s, renew_after_s, timeout_s)
    router = APIRouter()

    @router.get(path, include_in_schema=False)
    async def revocation_set(request: Request) -> Response:
        try:
            current = await published.current()
        except DonjonError as error:
            _log.warning("no revocation set: %s", error)
            raise HTTPException(503) from error
        headers = {
            "Cache-Control": f"private, max-age={published.max_age_s(current)}",
            "ETag": current.tag,
        }
        if _has(request.headers.get("if-none-match", ""), current.tag):
            return Response(status_code=304, headers=headers)
        return Response(current.document, media_type=MEDIA_TYPE, headers=headers)

    return router


class _Set(NamedTuple):
    """A set that was published, `made_at` a time of the monotonic clock."""

    document: bytes
    tag: str
    made_at: float


class _Published:
    """The last set, and the next one while it is made, which is no request's own."""

    def __init__(
        self,
        revocations: AsyncRevocations | Revocations,
        keyring: Callable[[], Keyring],
        valid_for_s: int,
        renew_after_s: int,
        timeout_s: float,
    ) -> None:
        self._revocations = revocations
        self._keyring = keyring
        self._valid_for_s = valid_for_s
        self._renew_after_s = renew_after_s
        self._timeout_s = timeout_s
        self._last: _Set | None = None
        self._making: asyncio.Task[_Set] | None = None

    async def current(self) -> _Set:
        """Return the set to publish."""
        last = self._last
        if last is not None and _age_s(last) < self._renew_after_s:
            return last
        try:
            return await self._next()
        except DonjonError as error:
            if last is None or _age_s(last) >= self._valid_for_s:
                raise
            _log.warning("the revocation set was not renewed: %s", error)
            return last

    async def _next(self) -> _Set:
        """Wait a while for the set that is being made, which goes on for whoever asks next."""
        making = self._making
        if making is None or making.done() or making.get_loop() is not asyncio.get_running_loop():
            making = self._making = asyncio.create_task(self._make())
            making.add_done_callback(_look_at)
        done, _ = await asyncio.wait({making}, timeout=self._timeout_s)
        if not done or making.cancelled():
            raise StoreUnavailable("the set is still being made")
        return making.result()

    async def _make(self) -> _Set:
        made_at = monotonic()
        publish = ask(self._revocations.publish, self._keyring(), self._valid_for_s)
        try:
            document = await within(self._valid_for_s, publish)
        except asyncio.TimeoutError:
            raise StoreUnavailable("the store takes too long") from None
        tag = f'"{hashlib.sha256(document).hexdigest()[:32]}"'
        self._last = _Set(document, tag, made_at)
        return self._last

    def max_age_s(self, current: _Set) -> int:
        """Return how long it may be cached: no longer than until there is another."""
        return max(0, int(self._renew_after_s - _age_s(current)))


def _look_at(made: asyncio.Task[_Set]) -> None:
    """Have nothing said about a failure that nobody has waited for."""
    if not made.cancelled():
        made.exception()


def _age_s(published: _Set) -> float:
    return monotonic() - published.made_at


def _has(tags: str, tag: str) -> bool:
    """Tell whether `If-None-Match` names the tag (RFC 9110, 13.1.2)."""
    return any(one.strip().removeprefix("W/") in (tag, "*") for one in tags.split(","))
