"""The tokens of this service: what donjon decides, joined to what it issues them for."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from donjon import Claims, Keyring, PurposeTokens, TokenIssuer, TokenVerifier
from donjon.limits import AsyncLockout
from donjon.sessions import AsyncSessionManager, TokenPair

from limits import ADDRESS_LOCKOUT, limiter

# Who issues the tokens, and whom they are for: the Go service says the same.
ISSUER = "https://accounts.demo.example"
AUDIENCE = "demo"

RESET_TTL = timedelta(minutes=15)
SCRIPT_TTL = timedelta(minutes=5)

Roles = tuple[str, ...]

log = logging.getLogger("demo")


class Keys:
    """The keys of one epoch, and what works with them. Immutable: a rotation makes others.

    They are derived from the master secret that all services share. The key of the epoch before
    goes on verifying and that of the epoch after verifies already, so services need not rotate at
    the same moment.
    """

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch
        oldest = max(epoch - 1, 1)
        self.ring = Keyring.from_env(
            keys=[
                {"purpose": "token", "alg": "EdDSA", "epoch": epoch, "oldest": oldest},
                # Names the counters of log-ins that failed: with another they begin anew.
                {"purpose": "device", "alg": "HS256", "epoch": 1},
            ]
        )
        self.issuer = TokenIssuer(self.ring, issuer=ISSUER, audience=AUDIENCE)
        self.access = self._verifier("at+jwt")
        self.refresh = self._verifier("rt+jwt")
        self.purpose = PurposeTokens(self.ring)
        self.lockout = AsyncLockout(self.ring, limiter.limiter, address_limits=ADDRESS_LOCKOUT)

    def _verifier(self, type_: str) -> TokenVerifier:
        return TokenVerifier(
            self.ring, issuer=ISSUER, audience=AUDIENCE, type=type_, algorithms=["EdDSA"]
        )


class Tokens:
    """Makes, checks and takes back tokens. Who has which is in the manager's records."""

    def __init__(self, manager: AsyncSessionManager) -> None:
        self.keys = Keys(epoch=1)  # a real service reads it from its configuration
        self.manager = manager

    def rotate_keys(self) -> None:
        """Sign with the next key from now on."""
        self.keys = Keys(self.keys.epoch + 1)
        log.info("keys rotated epoch=%d", self.keys.epoch)

    async def verify(self, token: str) -> Claims:
        """Return the claims of an access token that is good and was not taken back."""
        claims = self.keys.access.verify(token)
        await self.manager.revocations.check(claims)
        return claims

    async def begin(self, subject: str, roles: Roles, **client: Any) -> TokenPair:
        """Return the first tokens of a log-in."""
        return await self.manager.begin_tokens(self.keys.issuer, subject, roles=roles, **client)

    async def refresh(
        self, token: str, roles_of: Callable[[str], Roles], **client: Any
    ) -> TokenPair:
        """Return the next tokens of a log-in, in exchange for its last refresh token."""
        keys = self.keys
        used = keys.refresh.verify(token)
        roles = roles_of(used["sub"])
        return await self.manager.refresh_tokens(keys.issuer, used, roles=roles, **client)

    async def narrow(self, user: Claims, permissions: list[str]) -> str:
        """Return an access token with the user's roles, of which only these permissions count."""
        subject: str = user["sub"]
        since = await self.manager.revocations.issue_since(subject)
        return self.keys.issuer.access(
            subject,
            roles=user.roles,
            permissions=permissions,
            claims={"family": user["family"]},  # it ends with the log-in that it is from
            ttl=SCRIPT_TTL,
            revoked_since=since,
        )

    async def end(self, user: Claims) -> None:
        """Take back the tokens of one log-in."""
        await self.manager.revoke(user["sub"], user["family"])

    async def end_all(self, subject: str) -> None:
        """Log out everywhere: what was issued until now is good no more."""
        await self.manager.log_out_everywhere(subject)

    def mint_reset(self, subject: str, stored: str) -> str:
        """Return a token that resets the password, as long as the stored hash is what it is."""
        return self.keys.purpose.mint("reset", subject, state=stored, ttl=RESET_TTL)

    async def consume_reset(
        self, token: str, subject: str, stored: str, swap: Callable[[], Awaitable[bool]]
    ) -> None:
        """Let one use of the token through to `swap`, and a bad token not even there."""
        await self.keys.purpose.aconsume(token, "reset", subject, state=stored, swap=swap)
