"""Routes: an account, its password, and the tokens that it gets."""

from __future__ import annotations

from typing import Annotated

from donjon import InvalidToken, Subject
from fastapi import APIRouter, Depends, HTTPException, Response
from pydantic import BaseModel, Field, SecretStr

from accounts import NameTaken
from state import User, accounts, may, passwords, tokens
from tokens import TokenPair

router = APIRouter()


def no_store(response: Response) -> None:
    """Keep tokens out of caches (RFC 6749, section 5.1)."""
    response.headers["Cache-Control"] = "no-store"


Username = Annotated[str, Field(pattern=r"^[a-z0-9.@_-]{1,64}$")]


class Credentials(BaseModel):
    """Who somebody says they are."""

    username: Username
    password: SecretStr = Field(max_length=1024)  # characters, of which 4,096 bytes hold any

    @property
    def secret(self) -> str:
        """The password."""
        return self.password.get_secret_value()


class RefreshToken(BaseModel):
    """What a client keeps between two sets of tokens."""

    refresh_token: str


class Forgotten(BaseModel):
    """Whose password to reset."""

    username: Username


class Reset(Credentials):
    """The new password, and the token that the mail brought."""

    token: str


class Narrowed(BaseModel):
    """What a token shall be good for."""

    permissions: list[Annotated[str, Field(max_length=128)]] = Field(min_length=1, max_length=32)


class AccessToken(BaseModel):
    """A token that is not refreshed."""

    access_token: str


@router.post("/register", status_code=201)
async def register(new: Credentials) -> str:
    """Open an account."""
    await passwords.require_good(new.secret, new.username)
    try:
        await accounts.register(new.username, new.secret)
    except NameTaken:
        raise HTTPException(409, "This name is taken") from None
    return new.username


@router.post("/login", dependencies=[Depends(no_store)])
async def login(who: Credentials) -> TokenPair:
    """Exchange a password for an access token and a refresh token."""
    await accounts.authenticate(who.username, who.secret)
    return tokens.begin(who.username, accounts.roles(who.username))


@router.post("/refresh", dependencies=[Depends(no_store)])
async def refresh(used: RefreshToken) -> TokenPair:
    """Exchange a refresh token, which is thereby used up, for a new pair, with today's roles."""
    return tokens.refresh(used.refresh_token, accounts.roles)


@router.post("/tokens", dependencies=[Depends(no_store)])
async def hand_on(
    user: User, wanted: Narrowed, subject: Annotated[Subject, Depends(may.subject)]
) -> AccessToken:
    """Mint a token for a script: it has these permissions and no more, and none that one lacks."""
    subject.require_all(wanted.permissions)
    return AccessToken(access_token=tokens.narrow(user, wanted.permissions))


@router.post("/logout", status_code=204)
async def log_out(user: User, last: RefreshToken) -> None:
    """Take back both tokens of this log-in."""
    tokens.end(user, last.refresh_token)


@router.post("/password/forgot", status_code=202)
async def forgot_password(forgotten: Forgotten) -> None:
    """Mail a token that resets the password, if there is such an account."""
    if stored := accounts.password_hash(forgotten.username):
        token = tokens.mint_reset(forgotten.username, stored)
        print(f"mail to {forgotten.username}: {token}", flush=True)


@router.post("/password/reset", status_code=204)
async def reset_password(reset: Reset) -> None:
    """Set a new password, once per token, and log the account out everywhere."""
    name = reset.username
    await passwords.require_good(reset.secret, name)
    stored = accounts.password_hash(name)
    if stored is None:
        raise InvalidToken

    async def swap() -> bool:
        return await accounts.change_password(name, stored, reset.secret)

    await tokens.consume_reset(reset.token, name, stored, swap)
    tokens.end_all(name)
