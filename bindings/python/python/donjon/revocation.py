"""Revocation: tokens that are refused although they verify, because they were taken back.

    revocations = AsyncRevocations(keyring, AsyncRedisRecords(client))
    auth = BearerAuth(verifier, check=revocations.check)

    await revocations.revoke(claims)          # this token
    await revocations.revoke_subject("ann")   # all of hers until now: "log out everywhere"

A token is looked up by its id, its family, its subject and its key, in one read. What that comes to
is the kernel's decision. A store that was flushed, or set back, is noticed by its marker: tokens
from before are refused then. New tokens of a subject are minted with the `revoked_since` that
`issue_since` gives, so that they live though they are of the same second.

Verifiers without the store have `OfflineRevocations`, over a signed set that `publish` makes.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any, Literal, TypedDict

from donjon import _clock
from donjon._donjon import (
    Claims,
    Keyring,
    RevocationRules,
    RevocationSet,
    sign_revocation_set,
    store_marker,
)
from donjon._duration import Duration, milliseconds
from donjon._marked import ROUNDS, MarkedStore
from donjon._steps import Steps, arun, run
from donjon.errors import (
    InvalidArgument,
    MissingClaim,
    RevocationSetStale,
    StateStale,
    StoreUnavailable,
    TokenRevoked,
)
from donjon.records import AsyncCachedRecords, AsyncRecordStore, MemoryRecords, RecordStore
from donjon.types import RevocationSetInfo

__all__ = [
    "AsyncOfflineRevocations",
    "AsyncRevocations",
    "OfflineRevocations",
    "RevocationRules",
    "RevocationSet",
    "Revocations",
    "sign_revocation_set",
    "store_marker",
]

SEQUENCE = "revocation-set"
"""The key under which the store has the sequence of the last set."""

_SEQUENCE_KEEP_MS = 10 * 366 * 86_400_000
LONGEST_TTL = timedelta(days=30)
_SKEW = timedelta(seconds=2)
_SLOW_MS = 1000
_DAY_S = 86_400

_Kind = Literal["token", "family", "subject", "key"]
_OnFailure = Literal["refuse", "accept"]

_log = logging.getLogger("donjon.revocation")


class _Revocations:
    """What both kinds do, as steps."""

    def __init__(
        self, keyring: Keyring, store: MarkedStore, *, longest_ttl: Duration, skew: Duration
    ) -> None:
        self._skew_s = milliseconds(skew, "skew", least=0) // 1000
        self._rules = RevocationRules(
            keyring,
            {
                "skew_s": self._skew_s,
                "longest_ttl_s": milliseconds(longest_ttl, "longest_ttl") // 1000,
            },
        )
        self._store = store
        self._on_failure: _OnFailure = "refuse"

    @classmethod
    def _over(cls, keyring: Keyring, store: MarkedStore, longest_ttl: Duration) -> Any:
        """Make the revocations of a manager of sessions, in its store."""
        made = cls.__new__(cls)
        _Revocations.__init__(made, keyring, store, longest_ttl=longest_ttl, skew=_SKEW)
        return made

    def _check(self, claims: Claims) -> Steps[None]:
        try:
            yield from self._confirm(claims)
        except StoreUnavailable:
            if self._on_failure == "refuse":
                raise

    def _confirm(self, claims: Claims) -> Steps[None]:
        """Raise if the token was taken back, or if that cannot be known."""
        suspect = suspect_of(claims)
        found = yield from self._store.read(self._rules.keys(**suspect), fresh=False)
        self._rules.check(
            found.values, **suspect, issued_at=claims.issued_at, store_since_ms=found.since_ms
        )

    def _revoke(
        self, kind: _Kind, *, subject: str = "", id: str = "", until: int | None = None
    ) -> Steps[None]:
        key = self._rules.key(kind, subject=subject, id=id)
        for lost in range(ROUNDS):
            yield from self._store.pause(lost)
            found = yield from self._store.read([key], fresh=True)
            [stored] = found.values
            # By now, and not by when a slow store was asked: it counts how long the writing takes.
            now_ms = max(found.now_ms, _clock.now_ms())
            value, keep_ms = self._rules.revoke(
                kind,
                stored,
                subject=subject,
                id=id,
                until=until,
                now_ms=now_ms,
                store_since_ms=found.since_ms,
            )
            # What is there already is written again: a store that waits for replicas waits then.
            written = yield from self._store.replace(key, stored, value, keep_ms)
            # All tokens until *now* die, also those that were minted while this was written.
            if written and (kind != "subject" or _clock.now_ms() - now_ms <= _SLOW_MS):
                return
        raise StoreUnavailable("others keep changing the record")

    def _revoke_token(self, claims: Claims) -> Steps[None]:
        if claims.generation is not None and claims.family is not None:
            # Of a refresh token others follow.
            yield from self._revoke(
                "family",
                subject=claims.subject or "",
                id=claims.family,
                until=claims.expires_at,
            )
            return
        if claims.token_id is None:
            raise MissingClaim("a token without `jti` is revoked by its subject, or by its family")
        yield from self._revoke(
            "token", subject=claims.subject or "", id=claims.token_id, until=claims.expires_at
        )

    def _issue_since(self, subject: str) -> Steps[int | None]:
        found = yield from self._store.read(self._rules.keys(subject=subject), fresh=True)
        return self._rules.issue_since(subject, found.values, store_since_ms=found.since_ms)

    def _publish(
        self, keyring: Keyring, valid_for: Duration, sign: Callable[..., Any]
    ) -> Steps[bytes]:
        valid_for_s = milliseconds(valid_for, "valid_for") // 1000
        for lost in range(ROUNDS):
            yield from self._store.pause(lost)
            found = yield from self._store.read([SEQUENCE], fresh=True)
            [last] = found.values
            records = yield from self._store.scan("revoked:")
            # A store that was flushed has no sequence, but verifiers remember one.
            sequence = max(int.from_bytes(last[:8], "big") + 1, found.now_ms)
            now_s = found.now_ms // 1000
            signed: bytes = yield partial(
                sign,
                keyring,
                records,
                sequence=sequence,
                store_since_ms=found.since_ms,
                issued_at=now_s,
                valid_until=now_s + valid_for_s,
                skew=self._skew_s,
            )
            # Whoever publishes next reads what this one has read, or more. The number is to be this
            # one's alone: that it is there already does not say who has put it there.
            after = sequence.to_bytes(8, "big")
            if (yield from self._store.swap(SEQUENCE, last, after, _SEQUENCE_KEEP_MS)):
                return signed
        raise StoreUnavailable("others keep publishing")


class Revocations(_Revocations):
    """Revocations in a store, for threads. Share one between them.

    The keyring has a `device` secret, which names users in the store. Where the store fails,
    `on_failure` decides what becomes of tokens that are checked: `refuse` raises `StoreUnavailable`
    (503), `accept` lets them through, and the log says when that begins and ends. Nothing is taken
    back or issued then, either way.

    A store whose marker nobody has touched for `max_silence` counts as one that was set back: let
    it be no longer than the age of a backup that you would restore. `longest_ttl` is how long your
    longest token lives, and `skew` how far clocks may be apart: for those that a `TokenIssuer`
    stamps, leave it.
    """

    def __init__(
        self,
        keyring: Keyring,
        store: RecordStore,
        *,
        on_failure: _OnFailure = "refuse",
        max_silence: Duration = _DAY_S,
        longest_ttl: Duration = LONGEST_TTL,
        skew: Duration = _SKEW,
    ) -> None:
        marked = MarkedStore(
            store,
            sleep=time.sleep,
            timeout_s=None,
            max_silence=max_silence,
            log=_log,
            consequence=_consequence(on_failure),
        )
        super().__init__(keyring, marked, longest_ttl=longest_ttl, skew=skew)
        self._on_failure = on_failure

    def check(self, claims: Claims) -> None:
        """Return if the token stands, raise `TokenRevoked` if it was taken back."""
        run(self._check(claims))

    def revoke(self, claims: Claims) -> None:
        """Take back this token until it would have ended; with a refresh token, its family."""
        run(self._revoke_token(claims))

    def revoke_token(self, subject: str, token_id: str, *, until: int | None = None) -> None:
        """Take back the token of this `jti`, `until` it ends in Unix seconds, if that is known."""
        run(self._revoke("token", subject=subject, id=token_id, until=until))

    def revoke_subject(self, subject: str) -> None:
        """Take back all tokens of the subject that were issued until now."""
        run(self._revoke("subject", subject=subject))

    def revoke_family(self, subject: str, family: str, *, until: int | None = None) -> None:
        """Take back a family: its refresh tokens, and the access tokens that carry its name."""
        run(self._revoke("family", subject=subject, id=family, until=until))

    def revoke_key(self, key_id: str, *, until: int | None = None) -> None:
        """Take back all tokens that a key has signed."""
        run(self._revoke("key", id=key_id, until=until))

    def issue_since(self, subject: str) -> int | None:
        """Return the `revoked_since` that new tokens of the subject are to be minted with."""
        return run(self._issue_since(subject))

    def publish(self, keyring: Keyring, valid_for: Duration) -> bytes:
        """Return a set of all that is revoked, signed with the keyring's primary token key.

        It is good for `valid_for`, a day at most, and has what was revoked before this call. Its
        sequence is above that of all before, whichever process publishes.
        """
        return run(self._publish(keyring, valid_for, sign_revocation_set))

    def keep_alive(self) -> None:
        """Touch the store's marker, where nobody else may ask for as long as `max_silence`."""
        run(self._store.read([], fresh=True))


class AsyncRevocations(_Revocations):
    """`Revocations`, to await. A store that takes longer than `timeout_s` has failed."""

    def __init__(
        self,
        keyring: Keyring,
        store: AsyncRecordStore | AsyncCachedRecords | MemoryRecords,
        *,
        on_failure: _OnFailure = "refuse",
        max_silence: Duration = _DAY_S,
        longest_ttl: Duration = LONGEST_TTL,
        skew: Duration = _SKEW,
        timeout_s: float = 2.0,
    ) -> None:
        marked = MarkedStore(
            store,
            sleep=asyncio.sleep,
            timeout_s=timeout_s,
            max_silence=max_silence,
            log=_log,
            consequence=_consequence(on_failure),
        )
        super().__init__(keyring, marked, longest_ttl=longest_ttl, skew=skew)
        self._on_failure = on_failure

    async def check(self, claims: Claims) -> None:
        """Return if the token stands, raise `TokenRevoked` if it was taken back."""
        await arun(self._check(claims))

    async def revoke(self, claims: Claims) -> None:
        """Take back this token until it would have ended; with a refresh token, its family."""
        await arun(self._revoke_token(claims))

    async def revoke_token(self, subject: str, token_id: str, *, until: int | None = None) -> None:
        """Take back the token of this `jti`, `until` it ends in Unix seconds, if that is known."""
        await arun(self._revoke("token", subject=subject, id=token_id, until=until))

    async def revoke_subject(self, subject: str) -> None:
        """Take back all tokens of the subject that were issued until now."""
        await arun(self._revoke("subject", subject=subject))

    async def revoke_family(self, subject: str, family: str, *, until: int | None = None) -> None:
        """Take back a family: its refresh tokens, and the access tokens that carry its name."""
        await arun(self._revoke("family", subject=subject, id=family, until=until))

    async def revoke_key(self, key_id: str, *, until: int | None = None) -> None:
        """Take back all tokens that a key has signed."""
        await arun(self._revoke("key", id=key_id, until=until))

    async def issue_since(self, subject: str) -> int | None:
        """Return the `revoked_since` that new tokens of the subject are to be minted with."""
        return await arun(self._issue_since(subject))

    async def publish(self, keyring: Keyring, valid_for: Duration) -> bytes:
        """Return a set of all that is revoked, as `Revocations.publish` does."""
        return await arun(self._publish(keyring, valid_for, _sign_elsewhere))

    async def keep_alive(self) -> None:
        """Touch the store's marker, where nobody else may ask for as long as `max_silence`."""
        await arun(self._store.read([], fresh=True))


class _Offline:
    """The last set, and what it says of a token."""

    def __init__(self, keyring: Keyring | Callable[[], Keyring]) -> None:
        self._keyring = keyring
        self._set: RevocationSet | None = None
        self._info: RevocationSetInfo | None = None
        self._lock = threading.Lock()

    @property
    def info(self) -> RevocationSetInfo | None:
        """What the last set says of itself, `None` if there was none yet."""
        return self._info

    def update(self, document: bytes) -> bool:
        """Use a set that was published from now on; False if it is older than the one in use.

        One that is forged, damaged, or over is refused, and changes nothing.
        """
        keyring = self._keyring if isinstance(self._keyring, Keyring) else self._keyring()
        with self._lock:
            last = self._info["sequence"] if self._info else 0
            try:
                opened = RevocationSet.open(document, keyring, last_sequence=last)
            except StateStale:
                return False
            self._set, self._info = opened, opened.info()
            return True

    def _check(self, claims: Claims, confirm: _Revocations | None) -> Steps[None]:
        current = self._set
        if current is None:
            raise RevocationSetStale("there is no set of what is revoked yet")
        verdict = current.check(**suspect_of(claims), issued_at=claims.issued_at)
        if verdict == "good":
            return
        if verdict == "revoked" or confirm is None:
            raise TokenRevoked
        try:
            yield from confirm._confirm(claims)
        except StoreUnavailable:
            raise TokenRevoked from None


class OfflineRevocations(_Offline):
    """What is revoked, for a verifier without the store: by a set that is fetched now and then.

    `keyring` has the key that signs the sets, or is a function that returns the current one.
    Without a set, or once its time is over, every token is refused (`RevocationSetStale`, 503):
    whoever withholds it gains nothing. A set says of about one token in a million that it is
    revoked though it is not; with `confirm`, the store is asked about those.
    """

    def __init__(
        self, keyring: Keyring | Callable[[], Keyring], *, confirm: Revocations | None = None
    ) -> None:
        super().__init__(keyring)
        self._confirm = confirm

    def check(self, claims: Claims) -> None:
        """Return if the token stands, raise `TokenRevoked` if it was taken back."""
        run(self._check(claims, self._confirm))


class AsyncOfflineRevocations(_Offline):
    """`OfflineRevocations`, to await."""

    def __init__(
        self, keyring: Keyring | Callable[[], Keyring], *, confirm: AsyncRevocations | None = None
    ) -> None:
        super().__init__(keyring)
        self._confirm = confirm

    async def check(self, claims: Claims) -> None:
        """Return if the token stands, raise `TokenRevoked` if it was taken back."""
        await arun(self._check(claims, self._confirm))


class Suspect(TypedDict):
    """What a token may be revoked by."""

    subject: str
    token_id: str
    family: str
    key_id: str


def suspect_of(claims: Claims) -> Suspect:
    """Return what a token may be revoked by."""
    return {
        "subject": claims.subject or "",
        "token_id": claims.token_id or "",
        "family": claims.family or "",
        "key_id": claims.key_id or "",
    }


async def _sign_elsewhere(*arguments: Any, **terms: Any) -> bytes:
    """Sign on another thread: of many records that takes a while."""
    return await asyncio.to_thread(partial(sign_revocation_set, *arguments, **terms))


def _consequence(on_failure: _OnFailure) -> str:
    if on_failure not in ("refuse", "accept"):
        raise InvalidArgument("on_failure is `refuse` or `accept`")
    return "tokens are accepted" if on_failure == "accept" else "tokens are refused"
