"""How a user logs in with a password: `login_router`."""

import logging
from collections.abc import Awaitable, Callable

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field, SecretStr

from donjon import DonjonError, PasswordMismatch, RateLimited
from donjon.fastapi.limiter import RateLimitExceeded
from donjon.fastapi.session_auth import SessionAuth, ask, refusal
from donjon.fastapi.session_routes import answers

__all__ = ["Credentials", "login_router"]

_log = logging.getLogger("donjon.fastapi")


class Credentials(BaseModel):
    """Who somebody says they are, and what they call the device in lists."""

    username: str = Field(min_length=1, max_length=1024)
    password: SecretStr = Field(max_length=4096)
    device: str = Field("", max_length=256)


Authenticate = Callable[[Credentials, Request], str | Awaitable[str | None] | None]


def login_router(
    auth: SessionAuth, authenticate: Authenticate, *, path: str = "/login"
) -> APIRouter:
    """Return a router for log-ins: `POST /login`, with `username`, `password` and a `device`.

    `authenticate` is called with those and the request, awaited or on a thread as a route is, and
    returns whose they are: the subject of the session, or `None`. What it raises is answered as it
    is to be, `PasswordMismatch` with 401, `RateLimited` with 429, `Busy` with 503.

    Who logs in has a new session, and the one that the browser had is over; nobody else's pages can
    log them in. Whose credentials are refused keeps what they had.
    """
    router = APIRouter()

    @router.post(path, status_code=204, responses=_ANSWERS)
    async def log_in(credentials: Credentials, request: Request) -> None:
        """Log in."""
        try:
            subject = await ask(authenticate, credentials, request)
            if not subject:
                raise PasswordMismatch
        except DonjonError as error:
            level = logging.INFO if error.http_status < 500 else logging.WARNING
            _log.log(level, "log-in refused: %s", error.reason)
            raise _told(error, request) from None
        await auth.log_in(request, subject, label=credentials.device)

    return router


def _told(error: DonjonError, request: Request) -> Exception:
    if isinstance(error, RateLimited) and error.limits is not None and error.verdict is not None:
        return RateLimitExceeded(error.limits, error.verdict)
    return refusal(error, request.scope)


_ANSWERS = {401: {"description": "The credentials are nobody's"}, **answers(403, 409, 429)}
