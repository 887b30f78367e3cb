"""Refresh tokens over HTTP: `token_router`."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from inspect import isawaitable
from typing import Any, Literal

from fastapi import APIRouter, HTTPException, Request, Response
from pydantic import BaseModel

from donjon import Claims, DonjonError, Proxies, TokenError, TokenIssuer
from donjon.errors import SessionError, WrongTokenType
from donjon.fastapi.bearer import Verifier
from donjon.fastapi.client_address import ClientAddress
from donjon.fastapi.session_auth import ask
from donjon.fastapi.session_record import field
from donjon.sessions import AsyncSessionManager, SessionManager, TokenPair

__all__ = ["TokenAnswer", "token_router"]

_log = logging.getLogger("donjon.fastapi")

Grant = Callable[[Claims], Mapping[str, Any] | Awaitable[Mapping[str, Any]]]


class TokenRequest(BaseModel):
    """What a client sends that has a refresh token."""

    refresh_token: str


class TokenAnswer(BaseModel):
    """The tokens of a sign-in, named as by RFC 6749 (5.1)."""

    access_token: str
    refresh_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105  the type's name

    @classmethod
    def of(cls, pair: TokenPair) -> "TokenAnswer":
        """Return the answer that carries these."""
        return cls(access_token=pair.access_token, refresh_token=pair.refresh_token)


def token_router(
    manager: AsyncSessionManager | SessionManager,
    issuer: TokenIssuer | Callable[[], TokenIssuer],
    verifier: Verifier | Callable[[], Verifier],
    *,
    grant: Grant | None = None,
    address: ClientAddress | Proxies | None = None,
    prefix: str = "/tokens",
) -> APIRouter:
    """Return a router for refresh tokens: `POST /tokens/refresh` and `POST /tokens/logout`.

    `verifier` is one of refresh tokens (`type="rt+jwt"`); where keys are rotated, it and `issuer`
    are functions that return those that are current. `grant` is what the new access token carries,
    as `roles`, `permissions` and `claims`: it is called with the claims of the refresh token, looks
    up what the user may do by now, and raises a `TokenError` if that is nothing. Like a route, it
    is awaited, or called on a thread.

    A token is refused with 401, whatever is wrong with it; why is in the log of `donjon.fastapi`. A
    log-out is answered with 204 even for a token that was not good any more (RFC 7009, 2.2).
    """
    found = address if isinstance(address, ClientAddress) else ClientAddress(address)
    router = APIRouter(prefix=prefix)

    async def claims_of(token: str) -> Claims:
        verdict = (verifier() if callable(verifier) else verifier).verify(token)
        return await verdict if isawaitable(verdict) else verdict

    @router.post("/refresh", responses=_REFUSALS)
    async def refresh(body: TokenRequest, request: Request, response: Response) -> TokenAnswer:
        """Return an access token and the refresh token to use next."""
        client = found.of(request.scope)
        try:
            claims = await claims_of(body.refresh_token)
            carried = await ask(grant, claims) if grant else {}
            pair: TokenPair = await ask(
                manager.refresh_tokens,
                issuer() if callable(issuer) else issuer,
                claims,
                address="" if client is None else client.ip,
                user_agent=field(request.scope, "user-agent"),
                **carried,
            )
        except (TokenError, SessionError) as error:
            _log.info("refresh token refused: %s", error.reason)
            raise _unauthorized() from None
        except DonjonError as error:
            raise _no_verdict(error) from error
        if pair.session.changes:
            _log.info("refreshed in spite of another %s", " and ".join(pair.session.changes))
        response.headers["Cache-Control"] = "no-store"
        return TokenAnswer.of(pair)

    @router.post("/logout", status_code=204, responses=_UNAVAILABLE)
    async def log_out(body: TokenRequest) -> None:
        """End the sign-in of a refresh token, and its access tokens."""
        try:
            claims = await claims_of(body.refresh_token)
            if claims.subject is None or claims.family is None:
                raise WrongTokenType
            await ask(manager.revoke, claims.subject, claims.family)
        except (TokenError, SessionError) as error:
            _log.info("nothing to log out of: %s", error.reason)
        except DonjonError as error:
            raise _no_verdict(error) from error

    return router


_UNAVAILABLE: dict[int | str, dict[str, Any]] = {
    503: {"description": "The store does not answer"},
}
_REFUSALS: dict[int | str, dict[str, Any]] = {
    401: {"description": "The refresh token is not good, or not any more"},
    **_UNAVAILABLE,
}


def _unauthorized() -> HTTPException:
    challenge = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
    return HTTPException(401, "Not authenticated", headers=challenge)


def _no_verdict(error: DonjonError) -> HTTPException:
    _log.warning("no verdict on a refresh token: %s", error)
    return HTTPException(error.http_status)
