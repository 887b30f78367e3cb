"""Routes: an account, its password, and the tokens that it gets."""

from __future__ import annotations

from typing import Annotated

from donjon import Busy, Client, InvalidToken, Subject
from donjon.fastapi import TokenAnswer
from fastapi import APIRouter, Cookie, Depends, Header, HTTPException, Response
from pydantic import BaseModel, Field, SecretStr

from accounts import NameTaken
from limits import LOG_IN, address, limiter
from state import User, accounts, may, passwords, tokens

DEVICE_TTL = 90 * 86_400  # seconds

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
@limiter.limit("10/minute")
async def register(new: Credentials) -> str:
    """Open an account."""
    await passwords.require_good(new.secret, new.username)
    try:
        await accounts.register(new.username, new.secret)
    except NameTaken:
        raise HTTPException(409, "This name is taken") from None
    return new.username


async def authenticate(who: Credentials, client: Client | None, device: str | None) -> str:
    """Return the name of the account whose password this is."""
    name, stored = who.username, accounts.password_hash(who.username)
    # Counted before anything is hashed, for names that nobody has as well.
    attempt = await tokens.keys.lockout.reserve(
        name,
        address=client.bucket if client else None,
        device=device,
        subject=name if stored else "",
        state=stored or "",
    )
    try:
        await accounts.authenticate(name, who.secret)
    except Busy:
        await attempt.withdraw()  # nobody has looked at the password
        raise
    await attempt.succeeded()
    return name


@router.post("/login", dependencies=[Depends(no_store)])
@limiter.limit(LOG_IN)
async def login(
    who: Credentials,
    response: Response,
    client: Annotated[Client | None, Depends(address)],
    device: Annotated[str | None, Cookie()] = None,
    user_agent: Annotated[str, Header()] = "",
) -> TokenAnswer:
    """Exchange a password for an access token and a refresh token."""
    name = await authenticate(who, client, device)
    know_again(response, name)
    where = {"address": client.ip if client else "", "user_agent": user_agent}
    pair = await tokens.begin(name, accounts.roles(name), label=user_agent, **where)
    return TokenAnswer.of(pair)


def know_again(response: Response, name: str) -> None:
    """Give the device a token by which nobody else can lock its owner out there."""
    stored = accounts.password_hash(name) or ""
    device = tokens.keys.lockout.device_token(name, state=stored, ttl=DEVICE_TTL)
    response.set_cookie(
        "device", device, DEVICE_TTL, path="/login", secure=True, httponly=True, samesite="strict"
    )


@router.post("/refresh", dependencies=[Depends(no_store)])
async def refresh(
    used: RefreshToken,
    client: Annotated[Client | None, Depends(address)],
    user_agent: Annotated[str, Header()] = "",
) -> TokenAnswer:
    """Exchange a refresh token, which is thereby used up, for a new pair, with today's roles."""
    where = {"address": client.ip if client else "", "user_agent": user_agent}
    return TokenAnswer.of(await tokens.refresh(used.refresh_token, accounts.roles, **where))


@router.post("/tokens", dependencies=[Depends(no_store)])
async def hand_on(
    user: User, wanted: Narrowed, subject: Annotated[Subject, Depends(may.subject)]
) -> AccessToken:
    """Mint a token for a script: it has these permissions and no more, and none that one lacks."""
    subject.require_all(wanted.permissions)
    return AccessToken(access_token=await tokens.narrow(user, wanted.permissions))


@router.post("/logout", status_code=204)
async def log_out(user: User) -> None:
    """Take back both tokens of this log-in."""
    await tokens.end(user)


@router.post("/password/forgot", status_code=202)
@limiter.limit("5/hour")
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
    await tokens.end_all(name)
