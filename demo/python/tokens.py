"""The tokens of this service: what donjon decides, joined to the stores."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta

from donjon import (
    Claims,
    Keyring,
    PurposeTokens,
    ReuseDetected,
    TokenIssuer,
    TokenVerifier,
    check_revocation,
)
from donjon.limits import AsyncLockout
from pydantic import BaseModel

from limits import ADDRESS_LOCKOUT, limiter
from stores import Families, Revocations

# Who issues the tokens, and whom they are for: the Go service says the same.
ISSUER = "https://accounts.demo.example"
AUDIENCE = "demo"

REFRESH_GRACE = timedelta(seconds=3)  # short, for the demo's sake: leave it out and it is 10 s
RESET_TTL = timedelta(minutes=15)
SCRIPT_TTL = timedelta(minutes=5)

Roles = tuple[str, ...]

log = logging.getLogger("demo")


class TokenPair(BaseModel):
    """What a client gets at log-in, and at each refresh (RFC 6749, section 5.1)."""

    access_token: str
    refresh_token: str
    token_type: str = "bearer"  # noqa: S105


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
    """Makes, checks and takes back tokens."""

    def __init__(self) -> None:
        self.keys = Keys(epoch=1)  # a real service reads it from its configuration
        self.families = Families()
        self.revocations = Revocations()

    def rotate_keys(self) -> None:
        """Sign with the next key from now on."""
        self.keys = Keys(self.keys.epoch + 1)
        log.info("keys rotated epoch=%d", self.keys.epoch)

    def verify(self, token: str) -> Claims:
        """Return the claims of an access token that is good and was not taken back."""
        return self._not_revoked(self.keys.access.verify(token))

    def begin(self, subject: str, roles: Roles) -> TokenPair:
        """Return the first tokens of a log-in."""
        keys = self.keys
        since = self.revocations.since(subject)
        first = keys.issuer.begin_refresh(subject, revoked_since=since)
        self.families.swap(first.family, None, first.state)
        return self._pair(keys, subject, roles, first.token)

    def refresh(self, token: str, roles_of: Callable[[str], Roles]) -> TokenPair:
        """Return the next tokens of a log-in, in exchange for its last refresh token."""
        keys = self.keys
        used = self._not_revoked(keys.refresh.verify(token))
        subject: str = used["sub"]
        return self._pair(keys, subject, roles_of(subject), self._rotate(keys, used))

    def narrow(self, user: Claims, permissions: list[str]) -> str:
        """Return an access token with the user's roles, of which only these permissions count."""
        subject: str = user["sub"]
        since = self.revocations.since(subject)
        return self.keys.issuer.access(
            subject, roles=user.roles, permissions=permissions, ttl=SCRIPT_TTL, revoked_since=since
        )

    def end(self, user: Claims, refresh_token: str) -> None:
        """Take back the tokens of one log-in."""
        self.revocations.add(user)
        self.families.revoke(self.keys.refresh.verify(refresh_token)["family"])

    def end_all(self, subject: str) -> None:
        """Log out everywhere, in one write: what was issued until now is good no more."""
        self.revocations.add_subject(subject)

    def mint_reset(self, subject: str, stored: str) -> str:
        """Return a token that resets the password, as long as the stored hash is what it is."""
        return self.keys.purpose.mint("reset", subject, state=stored, ttl=RESET_TTL)

    async def consume_reset(
        self, token: str, subject: str, stored: str, swap: Callable[[], Awaitable[bool]]
    ) -> None:
        """Let one use of the token through to `swap`, and a bad token not even there."""
        await self.keys.purpose.aconsume(token, "reset", subject, state=stored, swap=swap)

    def _pair(self, keys: Keys, subject: str, roles: Roles, refresh_token: str) -> TokenPair:
        since = self.revocations.since(subject)
        access = keys.issuer.access(subject, roles=roles, revoked_since=since)
        return TokenPair(access_token=access, refresh_token=refresh_token)

    def _rotate(self, keys: Keys, used: Claims) -> str:
        """Ask for the successor of a refresh token, until the answer and the store agree."""
        since = self.revocations.since(used["sub"])
        while True:
            state = self.families.get(used["family"])
            try:
                successor = keys.issuer.rotate_refresh(
                    used, state, grace=REFRESH_GRACE, revoked_since=since
                )
            except ReuseDetected as reuse:
                if self.families.swap(used["family"], state, reuse.state):
                    raise
                continue  # another request was faster: ask again
            if not successor.changed or self.families.swap(used["family"], state, successor.state):
                return successor.token

    def _not_revoked(self, claims: Claims) -> Claims:
        check_revocation(
            claims.issued_at,
            store_since=self.revocations.began_at,
            subject_since=self.revocations.since(claims["sub"]),
            token_revoked=claims in self.revocations,
        )
        return claims
