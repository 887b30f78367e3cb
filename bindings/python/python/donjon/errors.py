"""Every way that donjon says no, as exceptions.

One class per status of the C ABI, named for what a caller would do about it; a status that several
capabilities share has one in each, so that `except PasswordError` means what it says. `reason` is
the status's pinned name and belongs in a log; a client is told `http_status` and nothing more.
"""

from __future__ import annotations

from typing import Literal

from donjon._donjon import STATUSES, Limits, Session, Verdict
from donjon.types import Diagnosis, Explanation

Area = Literal[
    "common", "password", "breach", "policy", "document", "envelope", "limit", "address", "session"
]

_ROWS = {name: (status, message, http) for status, name, message, http in STATUSES}
_CLASSES: dict[tuple[Area, int], type[DonjonError]] = {}


class DonjonError(Exception):
    """Everything that donjon raises, but for a `TypeError` where the type is wrong."""

    status: int
    reason: str
    http_status: int
    message: str

    def __init_subclass__(
        cls, *, reason: str | None = None, area: Area = "common", also: tuple[str, ...] = ()
    ) -> None:
        """Bind the class to the row of the ABI's table that `reason` names, if it names one.

        In an area it is also what the rows in `also` are there, each with its own reason.
        """
        super().__init_subclass__()
        if reason is not None:
            cls.reason = reason
            cls.status, cls.message, http_status = _ROWS[reason]
            if "http_status" not in vars(cls):
                cls.http_status = http_status
            for name in (reason, *also):
                _CLASSES[area, _ROWS[name][0]] = cls

    def __init__(self, message: str | None = None) -> None:
        super().__init__(self.message if message is None else message)


class InternalError(DonjonError, reason="internal_error"):
    """A defect in donjon; nothing was decided."""


DonjonError.reason, DonjonError.status = InternalError.reason, InternalError.status
DonjonError.message, DonjonError.http_status = InternalError.message, InternalError.http_status


class InvalidArgument(DonjonError, ValueError, reason="invalid_argument"):
    """An argument that no correct caller passes."""


class ConfigError(DonjonError, ValueError, reason="config_error"):
    """A key, a key set, a configuration or a policy was refused when it was loaded."""

    diagnosis: Diagnosis | None = None
    """What the kernel has to say about it."""

    @property
    def path(self) -> str:
        """Where it is wrong: `keys[3]`, `roles.editor.allow[0]`, or empty."""
        return self.diagnosis["path"] if self.diagnosis else ""

    def __str__(self) -> str:
        if self.diagnosis is None:
            return super().__str__()
        path, message = self.diagnosis["path"], self.diagnosis["message"]
        return f"{path}: {message}" if path else message


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

    `state` revokes its family. Store it by compare-and-swap, before anything else. It is empty
    where a manager of sessions has ended the family.
    """

    state: bytes = b""


class StateStale(TokenError, reason="state_stale"):
    """The stored state is behind the token, or gone: log in again."""


class TokenRevoked(TokenError, reason="revoked"):
    """The token, its family, its key or all tokens of its subject are revoked."""


class InvalidToken(TokenError, reason="invalid"):
    """A single-purpose token that is not good, for whichever reason."""


class PasswordError(DonjonError):
    """A password was refused, or what is stored for it."""


class PasswordMismatch(PasswordError, reason="password_mismatch"):
    """Not the password that was hashed, or no such user: which, is not told."""


class InvalidHash(PasswordError, reason="invalid_hash"):
    """What is stored is no hash of a known format, or is damaged."""


class ParamsOutOfBounds(PasswordError, reason="params_out_of_bounds"):
    """The stored hash demands more memory or time than is allowed."""


class Busy(PasswordError, reason="busy"):
    """As many hashes run as the memory allows, and the wait was long enough. Try again later."""


class MalformedPassword(PasswordError, reason="malformed", area="password"):
    """Half a character in a password, or bytes that are no text where text is judged."""


class PasswordTooLarge(PasswordError, reason="too_large", area="password"):
    """A password of over 4096 bytes, or too much beside it."""


class UnsupportedHash(PasswordError, reason="unsupported", area="password"):
    """The stored hash is of a scheme that is not in `legacy`."""

    http_status = 500


class PepperRefused(
    PasswordError,
    reason="unknown_key",
    area="password",
    also=("key_disabled", "key_destroyed", "key_expired"),
):
    """The stored hash wants a pepper that is unknown, disabled, destroyed or expired."""

    http_status = 500


class RangeRefused(PasswordError, reason="malformed", area="breach", also=("too_large",)):
    """What was fetched about breached passwords is no answer: nothing is known of the password."""

    http_status = 503


class PolicyError(DonjonError):
    """A policy was refused, or somebody by a policy."""


class InvalidPolicy(
    PolicyError,
    ConfigError,
    reason="config_error",
    area="document",
    also=("malformed", "too_large"),
):
    """A policy document was refused when it was loaded. `path` is where it is wrong."""


class PermissionDenied(PolicyError, reason="permission_denied"):
    """The roles do not allow it. Answer 403, and say no more.

    `explanation` is for the log: as `Subject.explain` has it, `None` where a role was required.
    `policy_digest` is that of the policy that denied, where a `Subject` did.
    """

    explanation: Explanation | None = None
    policy_digest: bytes | None = None


class UnknownPermission(PolicyError, reason="unknown_permission"):
    """The policy's catalogue has no such permission."""


class UnknownRole(PolicyError, reason="unknown_role"):
    """The policy has no such role."""


class SeparationOfDuty(PolicyError, reason="separation_of_duty"):
    """The roles exclude each other."""


class CardinalityExceeded(PolicyError, reason="cardinality_exceeded"):
    """As many have the role as may."""


class PolicyInputRefused(PolicyError, reason="malformed", area="policy", also=("too_large",)):
    """A permission, a role or a list of them that is none, or too long."""

    http_status = 500


class EnvelopeError(DonjonError):
    """Something was not sealed, or does not open."""

    http_status = 500


class DecryptFailed(EnvelopeError, reason="decrypt_failed"):
    """Another key, another context, or not what was sealed: which, is not told."""


class EnvelopeKeyRefused(
    EnvelopeError,
    reason="unknown_key",
    area="envelope",
    also=("key_disabled", "key_destroyed", "key_expired"),
):
    """The envelope names a key that is unknown, disabled, destroyed or expired.

    `reason` says which. No other key is tried.
    """

    http_status = 500


class EnvelopeInputRefused(
    EnvelopeError,
    reason="too_large",
    area="envelope",
    also=("malformed", "params_out_of_bounds"),
):
    """Not of its form, or over its bounds: a context, a plaintext, a stored passphrase's cost."""

    http_status = 500


class LimitError(DonjonError):
    """Something was refused by a limit, or could not be counted."""


class RateLimited(LimitError, reason="rate_limited"):
    """The limit is spent. Answer 429, with the fields that `limits.headers(verdict)` gives."""

    def __init__(
        self,
        message: str | None = None,
        *,
        verdict: Verdict | None = None,
        limits: Limits | None = None,
    ) -> None:
        super().__init__(message)
        self.verdict = verdict
        self.limits = limits


class StoreUnavailable(LimitError, reason="store_unavailable"):
    """The store did not answer, and what it would have said was needed."""


class LimitInputRefused(LimitError, reason="too_large", area="limit", also=("malformed",)):
    """A key of over 1,024 bytes, or half a character in one."""

    http_status = 400


class SessionError(DonjonError):
    """A session was refused, or a request that comes with one.

    `why` is for the log: `idle`, `address`, `unknown`…, empty where there is no more to say.
    `session` is what it is about, where the client may do something to have it again.
    """

    why: str = ""
    session: Session | None = None


class InvalidSession(SessionError, reason="invalid_session"):
    """There is no such session, or not any more: clear the cookie. Answer 401, and say no more."""


class SessionExpired(InvalidSession, reason="expired", area="session"):
    """The session's time is over, by whichever of its two deadlines came first."""


class StepUpRequired(SessionError, reason="step_up_required"):
    """Its user has to authenticate again, and is then given another id by `rotate`."""


class SessionLimitReached(SessionError, reason="session_limit"):
    """The user is signed in as often as may be, and none of those is to go for a new one."""


class CsrfFailed(SessionError, reason="csrf_failed"):
    """The request does not show that it comes from the session's own pages."""


class CrossSite(SessionError, reason="cross_site"):
    """The request comes from another site."""


class SessionInputRefused(SessionError, reason="too_large", area="session", also=("malformed",)):
    """Too much to keep in a session, or a field of a request that is over its limit."""

    http_status = 400


class RevocationSetStale(StoreUnavailable, reason="revocation_set_stale"):
    """The set of what is revoked is out of date, and without a good one no token is good."""


class MalformedAddress(DonjonError, reason="malformed", area="address"):
    """The peer is no address, and no header may speak for it: a mistake in how a service is run."""

    http_status = 500


def for_status(status: int, area: Area = "common") -> DonjonError:
    """Return the exception of a status. One without a class of its own can only be a defect."""
    usual = _CLASSES.get(("common", status), InternalError)
    error = _CLASSES.get((area, status), usual)()
    if error.status != usual.status:
        # A class of several rows: the status says which.
        error.status, error.reason, error.message = usual.status, usual.reason, usual.message
        error.args = (usual.message,)
    return error
