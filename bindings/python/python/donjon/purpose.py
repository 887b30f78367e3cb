"""Tokens for one purpose each: a password reset, an e-mail verification, an invitation.

Such a token is bound to a state (the stored password hash, the address to verify) and is good while
that state is. Consuming it is therefore one compare-and-swap of the state, and needs no list of
used tokens.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from donjon import _donjon
from donjon.errors import InvalidToken

State = str | bytes


class PurposeTokens(_donjon.PurposeTokens):
    """Mints, checks and consumes single-purpose tokens. Immutable; share it between threads."""

    __slots__ = ()

    def consume(
        self,
        token: str | bytes,
        purpose: str,
        subject: str,
        *,
        state: State,
        swap: Callable[[], bool],
        now: int | None = None,
    ) -> None:
        """Use the token up, or raise `InvalidToken`.

        `state` is what the store has now. `swap` replaces it by the new one if it is still the
        same, in one atomic step (`UPDATE … WHERE id = ? AND password_hash = ?`), and returns
        whether it was. Of two requests with one token, only one can pass.
        """
        self.check(token, purpose, subject, state=state, now=now)
        _require_swapped(swap())

    async def aconsume(
        self,
        token: str | bytes,
        purpose: str,
        subject: str,
        *,
        state: State,
        swap: Callable[[], Awaitable[bool]],
        now: int | None = None,
    ) -> None:
        """`consume`, with a `swap` to await."""
        self.check(token, purpose, subject, state=state, now=now)
        _require_swapped(await swap())


def _require_swapped(swapped: object) -> None:
    # A swap that forgot to return, or a coroutine that nobody awaited, must not pass for a success.
    if not isinstance(swapped, bool):
        raise TypeError(f"swap must return a bool, not {type(swapped).__name__}")
    if not swapped:
        raise InvalidToken
