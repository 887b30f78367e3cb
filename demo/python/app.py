"""The demo's Python service: accounts, the tokens that they get, and who they are.

    DONJON_MASTER=... uvicorn app:app

It decides nothing about tokens itself: it asks donjon, and keeps what donjon gives it to keep.
SIGHUP moves it to the next epoch of keys.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from donjon import Claims, TokenError
from donjon.fastapi import BearerAuth, jwks_router
from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field, SecretStr

from accounts import Accounts, NameTaken
from tokens import TokenPair, Tokens

logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
log = logging.getLogger("demo")

accounts = Accounts()
tokens = Tokens()
auth = BearerAuth(tokens)
User = Annotated[Claims, Depends(auth.current_user)]


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Rotate the keys when the operator says so."""
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, tokens.rotate_keys)
    yield


app = FastAPI(title="donjon demo", lifespan=lifespan)
app.include_router(jwks_router(lambda: tokens.keys.ring))


@app.exception_handler(TokenError)
def refuse(_: Request, error: TokenError) -> Response:
    """Tell the log why, and the client nothing."""
    log.info("request refused: %s", error.reason)
    challenge = {"WWW-Authenticate": "Bearer"}
    return JSONResponse({"detail": "Not authenticated"}, status_code=401, headers=challenge)


def no_store(response: Response) -> None:
    """Keep tokens out of caches (RFC 6749, section 5.1)."""
    response.headers["Cache-Control"] = "no-store"


Username = Annotated[str, Field(pattern=r"^[a-z0-9.@_-]{1,64}$")]


class Credentials(BaseModel):
    """Who somebody says they are."""

    username: Username
    password: SecretStr = Field(min_length=8, max_length=256)


class RefreshToken(BaseModel):
    """What a client keeps between two sets of tokens."""

    refresh_token: str


class Forgotten(BaseModel):
    """Whose password to reset."""

    username: Username


class Reset(Credentials):
    """The new password, and the token that the mail brought."""

    token: str


class Profile(BaseModel):
    """Who the caller is, as the token says. The same, name by name, in the Go service."""

    service: str = "python"
    subject: str | None
    permissions: tuple[str, ...]
    key_id: str | None


@app.post("/register", status_code=201)
def register(new: Credentials) -> str:
    """Open an account."""
    try:
        accounts.register(new.username, new.password.get_secret_value())
    except NameTaken:
        raise HTTPException(409, "This name is taken") from None
    return new.username


@app.post("/login", dependencies=[Depends(no_store)])
def login(who: Credentials) -> TokenPair:
    """Exchange a password for an access token and a refresh token."""
    if not accounts.authenticate(who.username, who.password.get_secret_value()):
        log.info("log-in refused: wrong_password")
        raise HTTPException(401, "Not authenticated", headers={"WWW-Authenticate": "Bearer"})
    return tokens.begin(who.username)


@app.post("/refresh", dependencies=[Depends(no_store)])
def refresh(used: RefreshToken) -> TokenPair:
    """Exchange a refresh token, which is thereby used up, for a new pair."""
    return tokens.refresh(used.refresh_token)


@app.post("/logout", status_code=204)
def log_out(user: User, last: RefreshToken) -> None:
    """Take back both tokens of this log-in."""
    tokens.end(user, last.refresh_token)


@app.get("/me")
def me(user: User) -> Profile:
    """Tell the caller who they are."""
    return Profile(subject=user.subject, permissions=user.permissions, key_id=user.key_id)


@app.post("/password/forgot", status_code=202)
def forgot_password(forgotten: Forgotten) -> None:
    """Mail a token that resets the password, if there is such an account."""
    if stored := accounts.password_hash(forgotten.username):
        token = tokens.mint_reset(forgotten.username, stored)
        print(f"mail to {forgotten.username}: {token}", flush=True)


@app.post("/password/reset", status_code=204)
def reset_password(reset: Reset) -> None:
    """Set a new password, once per token, and log the account out everywhere."""
    name, password = reset.username, reset.password.get_secret_value()
    stored = accounts.password_hash(name)
    tokens.consume_reset(
        reset.token, name, stored, swap=lambda: accounts.change_password(name, stored, password)
    )
    tokens.end_all(name)


@app.get("/healthz", status_code=204, include_in_schema=False)
def healthz() -> None:
    """Answer as soon as the service is up."""
