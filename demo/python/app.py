"""The demo's Python service: accounts, the tokens that they get, and what these are good for.

    DONJON_MASTER=... uvicorn app:app

It decides nothing about tokens, passwords or permissions itself: it asks donjon, and keeps what
donjon gives it to keep. SIGHUP moves it to the next epoch of keys, SIGUSR1 has it read its policy
again, SIGUSR2 its keyring.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from donjon import (
    Busy,
    Client,
    EnvelopeError,
    MalformedPassword,
    PasswordMismatch,
    PasswordTooLarge,
    TokenError,
)
from donjon.fastapi import jwks_router, revocation_set_router, session_router
from fastapi import Depends, FastAPI, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel

import documents
import logs
import operators
import phones
import session_limit
import sign_in
import web
from limits import address, limiter
from passwords import NotGoodEnough
from policies import replace_policy
from state import User, browsers, contacts, may, passwords, tokens

logs.set_up()
log = logging.getLogger("demo")


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Do what the operator says by signals."""
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGHUP, rotate_keys)
    loop.add_signal_handler(signal.SIGUSR1, replace_policy, may)
    loop.add_signal_handler(signal.SIGUSR2, replace_keyring)
    async with browsers.lifespan():
        yield


def rotate_keys() -> None:
    """Sign and hash with the next keys from now on."""
    passwords.rotate_pepper()
    tokens.rotate_keys()


def replace_keyring() -> None:
    """Seal and open with the keys of the keyring as it is now."""
    log.info("keyring read, data keys wrapped anew: %d", contacts.replace_keyring())


app = FastAPI(title="donjon demo", lifespan=lifespan)
may.install(app)
limiter.install(app)
browsers.install(app)
for router in (sign_in, web, documents, operators, phones, session_limit):
    app.include_router(router.router)
app.include_router(session_router(browsers), prefix="/web")
app.include_router(jwks_router(lambda: tokens.keys.ring))
# For services that verify tokens and have no store in common with this one.
app.include_router(
    revocation_set_router(
        tokens.manager.revocations, lambda: tokens.keys.ring, valid_for_s=60, renew_after_s=1
    )
)


@app.exception_handler(TokenError)
@app.exception_handler(PasswordMismatch)
def refuse(_: Request, error: TokenError | PasswordMismatch) -> Response:
    """Tell the log why, and the client nothing."""
    log.info("request refused: %s", error.reason)
    challenge = {"WWW-Authenticate": "Bearer"}
    return JSONResponse({"detail": "Not authenticated"}, status_code=401, headers=challenge)


@app.exception_handler(EnvelopeError)
def alarm(_: Request, error: EnvelopeError) -> Response:
    """What was stored does not open: it is not where it was put, or its key is gone."""
    log.error("request refused: %s", error.reason)
    return JSONResponse({"detail": "Internal Server Error"}, status_code=500)


@app.exception_handler(Busy)
def come_back(_: Request, error: Busy) -> Response:
    """Too many log in at once: this one waited long enough."""
    log.warning("request refused: %s", error.reason)
    return JSONResponse({"detail": "Try again"}, status_code=503, headers={"Retry-After": "2"})


@app.exception_handler(NotGoodEnough)
def choose_another(_: Request, error: NotGoodEnough) -> Response:
    """Tell who chooses a password what is wrong with it."""
    log.info("password refused: weak (%s)", error)
    detail = {"checks": error.checks, "feedback": error.feedback}
    return JSONResponse({"detail": detail}, status_code=422)


@app.exception_handler(MalformedPassword)
@app.exception_handler(PasswordTooLarge)
def no_password(_: Request, error: MalformedPassword | PasswordTooLarge) -> Response:
    """Half a character, as JSON can spell it, is nothing that anybody typed."""
    log.info("password refused: %s", error.reason)
    return JSONResponse({"detail": "Not a password"}, status_code=422)


class Profile(BaseModel):
    """Who the caller is, and from where. The same, name by name, in the Go service."""

    service: str = "python"
    subject: str | None
    roles: tuple[str, ...]
    key_id: str | None
    address: str | None


@app.get("/me")
async def me(user: User, client: Annotated[Client | None, Depends(address)]) -> Profile:
    """Tell the caller who they are, and where they are taken to be."""
    where = client.ip if client else None
    return Profile(subject=user.subject, roles=user.roles, key_id=user.key_id, address=where)


@app.get("/healthz", status_code=204, include_in_schema=False)
async def healthz() -> None:
    """Answer as soon as the service is up."""
