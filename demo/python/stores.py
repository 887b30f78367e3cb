"""What the service has to remember about tokens: in this process, so for one process only.

Each does one generic thing. A store that several processes share does it with one atomic command.
"""

from __future__ import annotations

import time
from threading import Lock

from donjon import Claims
from donjon.refresh import revoke


class Families:
    """The state of each refresh family: 32 bytes per log-in, replaced by compare-and-swap."""

    def __init__(self) -> None:
        self._states: dict[str, bytes] = {}
        self._lock = Lock()

    def get(self, family: str) -> bytes | None:
        """Return the state of a family."""
        return self._states.get(family)

    def swap(self, family: str, last: bytes | None, state: bytes) -> bool:
        """Store a state if the last one, `None` for none, is still there; tell whether it was."""
        with self._lock:
            if self._states.get(family) != last:
                return False
            self._states[family] = state
            return True

    def revoke(self, family: str) -> None:
        """Let no token of the family refresh any more."""
        while last := self.get(family):
            if self.swap(family, last, revoke(last)):
                return


class Revocations:
    """The access tokens that were taken back one by one, and the subjects logged out everywhere."""

    def __init__(self) -> None:
        self.began_at = int(time.time())
        self._lock = Lock()
        self._tokens: dict[str | None, int] = {}
        self._subjects: dict[str, int] = {}

    def __contains__(self, claims: Claims) -> bool:
        return claims.token_id in self._tokens

    def add(self, claims: Claims) -> None:
        """Take one token back, until it expires by itself."""
        now = int(time.time())
        with self._lock:
            live = {token: until for token, until in self._tokens.items() if until > now}
            self._tokens = {**live, claims.token_id: claims.expires_at or now}

    def add_subject(self, subject: str) -> None:
        """Take back whatever the subject holds by now."""
        self._subjects[subject] = int(time.time())

    def since(self, subject: str) -> int | None:
        """Return when the subject was last logged out everywhere."""
        return self._subjects.get(subject)
