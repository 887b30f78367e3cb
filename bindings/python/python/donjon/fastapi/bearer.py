"""Who is asking: `BearerAuth`, and the public keys that others check its tokens with."""

import logging
from collections.abc import Awaitable, Callable
from inspect import isawaitable
from typing import Protocol

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.openapi.models import HTTPBearer
from fastapi.security.base import SecurityBase

from donjon import Claims, DonjonError, Keyring, TokenError

__all__ = ["BearerAuth", "Verifier", "jwks_router"]

_log = logging.getLogger("donjon.fastapi")


class Verifier(Protocol):
    """A `TokenVerifier`, or one of `donjon.jwks`, synchronous or not."""

    def verify(self, token: str, /) -> Claims | Awaitable[Claims]:
        """Return the claims of a good token."""


Check = Callable[[Claims], Awaitable[None] | None]


class BearerAuth:
    """The dependencies `current_user` and `optional_user`, over one verifier.

    `check` is called with verified claims and raises a `TokenError` to refuse them after all: this
    is where revocation is looked up. One that is not awaited is called as it is, so let it not wait
    for a store: it looks into a set (`OfflineRevocations`). `scheme_name` is what OpenAPI calls the
    scheme.
    """

    def __init__(
        self, verifier: Verifier, *, check: Check | None = None, scheme_name: str = "bearer"
    ) -> None:
        self.verifier = verifier
        self.check = check
        self.scheme_name = scheme_name
        self.current_user = CurrentUser(self, scheme_name)
        self.optional_user = OptionalUser(self, scheme_name)

    async def authenticate(self, request: Request) -> Claims | None:
        """Return the claims of the request's token; `None` if it brings no bearer token at all.

        Raises:
            HTTPException: 401 if it brings one that is refused, 503 if no verdict could be had.

        """
        token = _bearer_token(request)
        if token is None:
            return None
        try:
            verdict = self.verifier.verify(token)
            claims = await verdict if isawaitable(verdict) else verdict
            checked = self.check(claims) if self.check else None
            if checked is not None:
                await checked
        except TokenError as error:
            _log.info("token refused: %s", error.reason)
            raise _unauthorized('Bearer error="invalid_token"') from None
        except DonjonError as error:
            _log.warning("no verdict on a token: %s", error)
            raise HTTPException(error.http_status) from error
        return claims


# No annotation here is a text: older FastAPIs look for the names in a function's globals, and an
# object that is called has none.
class BearerScheme(SecurityBase):
    """What FastAPI puts into the OpenAPI document, as it does with every `SecurityBase`."""

    def __init__(self, auth: BearerAuth, scheme_name: str) -> None:
        self.auth = auth
        self.scheme_name = scheme_name
        self.model = HTTPBearer(bearerFormat="JWT")


class CurrentUser(BearerScheme):
    """Depends: the claims of the caller's token. Without one, 401."""

    async def __call__(self, request: Request) -> Claims:
        claims = await self.auth.authenticate(request)
        if claims is None:
            raise _unauthorized("Bearer")
        return claims


class OptionalUser(BearerScheme):
    """Depends: the claims of the caller's token, `None` without one. A bad token is still 401."""

    async def __call__(self, request: Request) -> Claims | None:
        return await self.auth.authenticate(request)


def jwks_router(
    keyring: Callable[[], Keyring],
    *,
    path: str = "/.well-known/jwks.json",
    max_age_s: int = 300,
) -> APIRouter:
    """Return a router that publishes the public keys of whichever keyring is current.

    `max_age_s` is how long others may cache them: rotate with an overlap that is longer.
    """
    router = APIRouter()

    @router.get(path, include_in_schema=False)
    def jwks() -> Response:
        return Response(
            keyring().public_jwks(),
            media_type="application/jwk-set+json",
            headers={"Cache-Control": f"public, max-age={max_age_s}"},
        )

    return router


def _bearer_token(request: Request) -> str | None:
    values = request.headers.getlist("authorization")
    if len(values) > 1:
        # Two headers may mean two different users to two readers.
        raise _unauthorized('Bearer error="invalid_request"')
    scheme, _, token = values[0].partition(" ") if values else ("", "", "")
    return token.strip(" ") if scheme.lower() == "bearer" else None


def _unauthorized(challenge: str) -> HTTPException:
    return HTTPException(401, "Not authenticated", headers={"WWW-Authenticate": challenge})
