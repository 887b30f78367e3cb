"""What one request spends of limits, kept in its ASGI scope: `Record`."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from starlette.requests import HTTPConnection
from starlette.types import Scope

from donjon import Limits, Verdict
from donjon.limits import Charge

__all__ = ["Charging", "Due", "Record", "begun", "record_of"]

_KEY = "donjon.limits"


class Due(NamedTuple):
    """What one request owes one limit. Whoever has no `by` is counted by address."""

    limits: Limits
    scope: str
    by: str | None
    cost: int

    def charge(self, address: str) -> Charge:
        """Return it as what a limiter takes."""
        by = address if self.by is None else self.by
        return Charge(self.limits, f"{self.scope}:{by}", self.cost)


class Charging(Protocol):
    """A limiter, as routes see it."""

    async def charge(self, connection: HTTPConnection, dues: Sequence[Due]) -> None:
        """Spend all of it, or answer 429."""

    def bucket_of(self, scope: Scope) -> str:
        """Return what the client is counted by."""


class Record:
    """What was spent for one request, and so what its response says."""

    def __init__(self, limiter: Charging) -> None:
        self.limiter = limiter
        self._ordinals: dict[str, int] = {}
        self._tightest: tuple[Limits, Verdict] | None = None

    def counter(self, name: str) -> str:
        """Return a name that no other limit of the request has: the second one's ends in `#2`."""
        ordinal = self._ordinals[name] = self._ordinals.get(name, 0) + 1
        return name if ordinal == 1 else f"{name}#{ordinal}"

    def note(self, limits: Limits, verdict: Verdict) -> None:
        """Keep the verdict if it is the one to tell: a refusal, or that which has least left."""
        if self._tightest is None or _rank(verdict) < _rank(self._tightest[1]):
            self._tightest = (limits, verdict)

    def headers(self, *, ietf: bool) -> list[tuple[bytes, bytes]]:
        """Return what the response says, if anything was spent."""
        if self._tightest is None:
            return []
        limits, verdict = self._tightest
        headers = limits.headers(verdict, now_ms=verdict.now_ms, ietf=ietf)
        return [
            (name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers
        ]


def begun(scope: Scope, limiter: Charging) -> Record | None:
    """Begin the record of a request, if it has none yet."""
    if scope["type"] != "http" or _KEY in scope:
        return None
    record: Record = scope.setdefault(_KEY, Record(limiter))
    return record


def record_of(scope: Scope) -> Record:
    """Return the record of a request, which the application's middleware began."""
    record: Record | None = scope.get(_KEY)
    if record is None:
        raise RuntimeError("limits without a limiter: call Limiter.install(app)")
    return record


def _rank(verdict: Verdict) -> tuple[bool, int, int]:
    return (verdict.allowed, verdict.remaining, -verdict.reset_after_ms)
