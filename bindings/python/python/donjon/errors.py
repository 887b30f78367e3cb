"""Every way that donjon says no, as exceptions.

One class per status of the C ABI, named for what a caller would do about it. `reason` is the
status's pinned name and belongs in a log; a client is told `http_status` and nothing more.
"""

from __future__ import annotations

from typing import ClassVar

from donjon._donjon import STATUSES

_ROWS = {name: (status, message, http) for status, name, message, http in STATUSES}
_CLASSES: dict[int, type[DonjonError]] = {}


class DonjonError(Exception):
    """Everything that donjon raises, but for a `TypeError` where the type is wrong."""

    status: ClassVar[int]
    reason: ClassVar[str]
    http_status: ClassVar[int]
    message: ClassVar[str]

    def __init_subclass__(cls, *, reason: str | None = None) -> None:
        """Bind the class to the row of the ABI's table that `reason` names, if it names one."""
        super().__init_subclass__()
        if reason is not None:
            cls.reason = reason
            cls.status, cls.message, cls.http_status = _ROWS[reason]
            _CLASSES[cls.status] = cls

    def __init__(self, message: str | None = None) -> None:
        super().__init__(self.message if message is None else message)


class InternalError(DonjonError, reason="internal_error"):
    """A defect in donjon; nothing was decided."""


DonjonError.reason, DonjonError.status = InternalError.reason, InternalError.status
DonjonError.message, DonjonError.http_status = InternalError.message, InternalError.http_status


class InvalidArgument(DonjonError, ValueError, reason="invalid_argument"):
    """An argument that no correct caller passes."""


class ConfigError(DonjonError, ValueError, reason="config_error"):
    """A key, a key set or a configuration was refused when it was loaded."""


class OutOfMemory(DonjonError, MemoryError, reason="out_of_memory"):
    """Memory that the input asked for could not be had."""


class EntropyUnavailable(DonjonError, reason="entropy_unavailable"):
    """The operating system gave no randomness; nothing was made."""


class TokenError(DonjonError):
    """A token was refused. Answer 401, and say no more."""

    http_status = 401


class MalformedToken(TokenError, reason="malformed"):
    """Not of its format."""


class TooLarge(TokenError, reason="too_large"):
    """Over its limit."""


class Unsupported(TokenError, reason="unsupported"):
    """A format that is deliberately not read: JWE, compressed or JSON-serialised tokens."""


class UnsupportedCritical(TokenError, reason="unsupported_critical"):
    """The token demands an extension (`crit`)."""


class KeyRefused(TokenError):
    """No key may verify the token."""


class UnknownKey(KeyRefused, reason="unknown_key"):
    """No usable key answers to the token."""


class KeyDisabled(KeyRefused, reason="key_disabled"):
    """An operator disabled the key."""


class KeyDestroyed(KeyRefused, reason="key_destroyed"):
    """The key was destroyed."""


class KeyExpired(KeyRefused, reason="key_expired"):
    """The key verified until a time that has passed."""


class AlgNotAllowed(TokenError, reason="alg_not_allowed"):
    """The algorithm is not on the list, or not the key's."""


class BadSignature(TokenError, reason="bad_signature"):
    """The signature does not hold."""


class BadClaimType(TokenError, reason="bad_claim_type"):
    """A claim is of the wrong type or out of range."""


class MissingClaim(TokenError, reason="missing_claim"):
    """A required claim is missing."""


class ExpiredToken(TokenError, reason="expired"):
    """The token's time is over."""


class NotYetValid(TokenError, reason="not_yet_valid"):
    """The token's time has not come."""


class InvalidIssuer(TokenError, reason="invalid_issuer"):
    """Another issuer."""


class InvalidAudience(TokenError, reason="invalid_audience"):
    """Another audience."""


class WrongTokenType(TokenError, reason="wrong_token_type"):
    """Another type: a refresh token for an access token."""


class ReuseDetected(TokenError, reason="reuse_detected"):
    """A refresh token was used again after its time: somebody else may have it.

    `state` revokes its family. Store it by compare-and-swap, before anything else.
    """

    state: bytes


class StateStale(TokenError, reason="state_stale"):
    """The stored state is behind the token, or gone: log in again."""


class TokenRevoked(TokenError, reason="revoked"):
    """The token, its family, its key or all tokens of its subject are revoked."""


class InvalidToken(TokenError, reason="invalid"):
    """A single-purpose token that is not good, for whichever reason."""


def for_status(status: int) -> DonjonError:
    """Return the exception of a status. One without a class of its own can only be a defect."""
    return _CLASSES.get(status, InternalError)()
