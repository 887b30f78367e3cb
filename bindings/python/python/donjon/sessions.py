"""Sessions: who is signed in, where, and for how much longer.

    manager = AsyncSessionManager(keyring, AsyncRedisRecords(client))

    signed_in = await manager.log_in("ann", address=client.ip, user_agent=agent, label="Firefox")
    session = await manager.check(signed_in.id, address=client.ip, user_agent=agent)
    await manager.log_out_everywhere("ann")

All sign-ins of a user, cookies and families of refresh tokens alike, are one record in the store.
Whatever happens to them is one step: the record is read, the kernel decides, and what it says is
written if the record is still the same; if not, the step is taken again. So what is promised holds
however many processes share the store: never more than `max_per_user`, the oldest goes, and what
was revoked is refused by whoever asks after the revocation has returned.

The store has hashes of ids. A store that fails lets nobody in (`StoreUnavailable`), and one that
was flushed, or set back, ends the sessions from before.

`Sessions` is the decisions alone, for hosts that keep records in some other way; of a manager it
also has what is about cookies and requests: `manager.sessions.check_request(…)`.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from donjon._donjon import Claims, Keyring, Session, Sessions, SessionVerdict, TokenIssuer
from donjon._duration import Duration
from donjon._marked import ROUNDS, Found, MarkedStore
from donjon._steps import Steps, arun, run
from donjon.errors import (
    DonjonError,
    InternalError,
    InvalidArgument,
    InvalidSession,
    ReuseDetected,
    StoreUnavailable,
    WrongTokenType,
)
from donjon.records import AsyncCachedRecords, AsyncRecordStore, MemoryRecords, RecordStore
from donjon.revocation import LONGEST_TTL, AsyncRevocations, Revocations, suspect_of

__all__ = [
    "AsyncSessionManager",
    "LoggedIn",
    "Session",
    "SessionManager",
    "SessionVerdict",
    "Sessions",
    "TokenPair",
]

_log = logging.getLogger("donjon.sessions")

_Texts = list[str] | tuple[str, ...] | set[str] | frozenset[str]
_Listed = list[Session]
_Decide = Callable[[bytes, Found], SessionVerdict]
_CONTENDED = "others keep changing the sessions of this user"


@dataclass(frozen=True)
class LoggedIn:
    """A session that was begun or rotated, and the id that is its key."""

    id: str = field(repr=False)
    session: Session


@dataclass(frozen=True)
class TokenPair:
    """The tokens of a sign-in, for its client alone."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    session: Session


class _Carried(NamedTuple):
    """What an access token says besides whose it is."""

    permissions: _Texts | None
    roles: _Texts | None
    claims: Mapping[str, Any] | None


class _Manager:
    """What both managers do, as steps."""

    revocations: Any

    def __init__(
        self, keyring: Keyring, store: MarkedStore, config: Mapping[str, Any] | None
    ) -> None:
        self._sessions = Sessions(keyring, None if config is None else dict(config))
        self._store = store

    @property
    def sessions(self) -> Sessions:
        """The decisions, and what is about cookies and requests."""
        return self._sessions

    def _log_in(self, subject: str, previous: str | None, **sign_in: Any) -> Steps[LoggedIn]:
        if not subject:
            raise InvalidArgument("whoever logs in has a name")
        if previous:
            yield from self._log_out(previous)
        keys = self._sessions.keys(subject)

        def decide(found: Found) -> SessionVerdict:
            return self._sessions.create(
                found.values[0],
                subject,
                **found.moment,
                **sign_in,
            )

        verdict = yield from self._begin(subject, keys, [], decide)
        return _logged_in(verdict)

    def _begin_anonymous(self, **sign_in: Any) -> Steps[LoggedIn]:
        for lost in range(ROUNDS):
            yield from self._store.pause(lost)
            # Its id, which is drawn anew, says where its record is.
            found = yield from self._store.read([], fresh=True)
            verdict = self._sessions.create(b"", "", **found.moment, **sign_in)
            begun = _logged_in(_accepted(verdict))
            key = self._sessions.key(begun.id)
            if (yield from self._store.replace(key, b"", verdict.record, verdict.keep_ms)):
                return begun
        raise StoreUnavailable(_CONTENDED)

    def _begin(
        self,
        subject: str,
        keys: Sequence[str],
        further: Sequence[str],
        decide: Callable[[Found], SessionVerdict],
    ) -> Steps[SessionVerdict]:
        """Begin a sign-in in the record under the first of the keys. Those of the others end.

        The access tokens of a family that has to go are dead before it goes: afterwards, nobody
        would know that they are still to be revoked, should the store fail now.
        """
        doomed: set[str] = set()
        for lost in range(ROUNDS):
            yield from self._store.pause(lost)
            found = yield from self._store.read([*keys, *further], fresh=True)
            verdict = _accepted(decide(found))
            # An older secret's records would have sign-ins beyond what this one counts.
            for key, older in zip(keys[1:], found.values[1 : len(keys)], strict=True):
                if older:
                    yield from self._revoke_in(key, subject, "all", "")
            evicted = {handle for handle, kind in _session(verdict).evicted if kind == "tokens"}
            for family in evicted - doomed:
                yield from self._revoke_family(subject, family)
            doomed |= evicted
            before, after = found.values[0], verdict.record
            if (yield from self._store.replace(keys[0], before, after, verdict.keep_ms)):
                # Where others made room meanwhile: it would be left without access tokens.
                for family in doomed - evicted:
                    with suppress(InvalidSession):
                        yield from self._revoke_in(keys[0], subject, "one", family)
                return verdict
        raise StoreUnavailable(_CONTENDED)

    def _settle(self, key: str, decide: _Decide) -> Steps[SessionVerdict]:
        """Have a decision about one record, and write what it says, as it says."""
        refusal: DonjonError | None = None
        for lost in range(ROUNDS):
            yield from self._store.pause(lost)
            found = yield from self._store.read([key], fresh=True)
            [before] = found.values
            verdict = decide(before, found)
            refusal = refusal or verdict.refusal()
            after, keep_ms = verdict.record, verdict.keep_ms
            if verdict.write == "may":
                yield from self._store.try_to_replace(key, before, after, keep_ms)
            elif verdict.write == "must" and not (
                yield from self._store.replace(key, before, after, keep_ms)
            ):
                continue
            if refusal is not None:
                raise refusal
            return verdict
        raise refusal or StoreUnavailable(_CONTENDED)

    def _settle_from_cache(self, key: str, decide: _Decide) -> Steps[SessionVerdict]:
        """`_settle`, by what was read a while ago, where that lets somebody in."""
        if not self._store.has_cache:
            return (yield from self._settle(key, decide))
        found = yield from self._store.read([key], fresh=False)
        verdict = decide(found.values[0], found)
        if verdict.refusal() is not None or verdict.write == "must":
            # A cache may be behind a log-in elsewhere: nobody is refused by it.
            return (yield from self._settle(key, decide))
        if verdict.write == "may" and not self._store.failed_lately:
            with suppress(StoreUnavailable):
                return (yield from self._settle(key, decide))
        return verdict

    def _check(self, id: str, address: str, user_agent: str | bytes) -> Steps[Session]:
        def decide(record: bytes, found: Found) -> SessionVerdict:
            return self._sessions.check(
                record,
                id,
                address=address,
                user_agent=user_agent,
                now_ms=found.now_ms,  # not by `moment`: every request comes by here
                store_since_ms=found.since_ms,
            )

        return _session((yield from self._settle_from_cache(self._sessions.key(id), decide)))

    def _rotate(
        self, id: str, address: str, user_agent: str | bytes, data: bytes | None
    ) -> Steps[LoggedIn]:
        def decide(record: bytes, found: Found) -> SessionVerdict:
            return self._sessions.rotate(
                record,
                id,
                address=address,
                user_agent=user_agent,
                data=data,
                **found.moment,
            )

        return _logged_in((yield from self._settle(self._sessions.key(id), decide)))

    def _log_out(self, id: str) -> Steps[None]:
        def decide(record: bytes, found: Found) -> SessionVerdict:
            return self._sessions.revoke(record, "one", handle=id, **found.moment)

        try:
            key = self._sessions.key(id)
        except InvalidSession:
            return
        try:
            yield from self._settle(key, decide)
        except InvalidSession:  # It is not there, and that is what was asked for.
            yield from self._store.confirm(key)

    def _list(self, subject: str, current: str) -> Steps[_Listed]:
        found = yield from self._store.read(self._sessions.keys(subject), fresh=True)
        listed: _Listed = []
        for record in found.values:
            listed += self._sessions.list(record, subject, current=current, **found.moment)
        return listed

    def _revoke(self, subject: str, handle: str) -> Steps[_Listed]:
        keys = self._sessions.keys(subject)
        for last, key in enumerate(keys, start=1 - len(keys)):
            try:
                return (yield from self._revoke_in(key, subject, "one", handle))
            except InvalidSession:
                # Perhaps it has ended, and this call is made again since replicas did not say so.
                yield from self._store.confirm(key)
                if last == 0:
                    raise
        raise InternalError

    def _revoke_others(self, subject: str, keep: str) -> Steps[_Listed]:
        keys = self._sessions.keys(subject)
        for last, key in enumerate(keys, start=1 - len(keys)):
            try:
                revoked = yield from self._revoke_in(key, subject, "others", keep)
            except InvalidSession:
                if last == 0:
                    raise
                continue
            for other in keys:
                if other != key:
                    revoked += yield from self._revoke_in(other, subject, "all", "")
            return revoked
        raise InternalError

    def _log_out_everywhere(self, subject: str) -> Steps[_Listed]:
        # Tokens first: who refreshes meanwhile gets one that is dead already.
        yield from self.revocations._revoke("subject", subject=subject)
        revoked: _Listed = []
        for key in self._sessions.keys(subject):
            revoked += yield from self._revoke_in(key, subject, "all", "")
        return revoked

    def _revoke_in(self, key: str, subject: str, which: str, handle: str) -> Steps[_Listed]:
        """End sign-ins of one record. The access tokens of families go first."""
        for lost in range(ROUNDS):
            yield from self._store.pause(lost)
            found = yield from self._store.read([key], fresh=True)
            [before] = found.values
            verdict = self._sessions.revoke(
                before,
                which,  # type: ignore[arg-type]
                subject=subject,
                handle=handle,
                **found.moment,
            )
            _accepted(verdict)
            for ended in verdict.revoked:
                if ended.kind == "tokens":
                    yield from self._revoke_family(subject, ended.handle)
            if verdict.write != "must":
                yield from self._store.confirm(key)
                return list(verdict.revoked)
            after = verdict.record
            if (yield from self._store.replace(key, before, after, verdict.keep_ms)):
                return list(verdict.revoked)
        raise StoreUnavailable(_CONTENDED)

    def _revoke_family(self, subject: str, family: str) -> Steps[None]:
        yield from self.revocations._revoke("family", subject=subject, id=family)

    def _begin_tokens(
        self, issuer: TokenIssuer, subject: str, carried: _Carried, **sign_in: Any
    ) -> Steps[TokenPair]:
        if not subject:
            raise InvalidArgument("whoever logs in has a name")
        keys = self._sessions.keys(subject)
        pair: TokenPair | None = None

        def decide(found: Found) -> SessionVerdict:
            nonlocal pair
            verdict = self._sessions.begin_family(
                found.values[0],
                subject,
                **found.moment,
                **sign_in,
            )
            if verdict.state is not None:
                # Minted before it is written, and given out after that: a claim that is none is
                # refused before there is a sign-in.
                since = self._issue_since(subject, found, found.values[len(keys) :])
                pair = _pair(issuer, subject, verdict, carried, since, found)
            return verdict

        since_keys = self.revocations._rules.keys(subject=subject)
        yield from self._begin(subject, keys, since_keys, decide)
        if pair is None:
            raise InternalError
        return pair

    def _refresh_tokens(
        self,
        issuer: TokenIssuer,
        used: Claims,
        carried: _Carried,
        address: str,
        user_agent: str | bytes,
    ) -> Steps[TokenPair]:
        if used.subject is None or used.family is None or used.generation is None:
            raise WrongTokenType
        subject, rules = used.subject, self.revocations._rules
        keys, suspect = self._sessions.keys(subject), suspect_of(used)
        of_subject, of_token = len(rules.keys(subject=subject)), rules.keys(**suspect)
        reuse: DonjonError | None = None
        for lost in range(ROUNDS):
            yield from self._store.pause(lost)
            found = yield from self._store.read([*keys, *of_token], fresh=True)
            values = found.values[len(keys) :]
            at, verdict = self._refreshed(used, found, address, user_agent, len(keys))
            if reuse is not None and verdict.status != reuse.reason:
                raise reuse  # Somebody else has ended the family.
            if isinstance(verdict.refusal(), ReuseDetected):
                reuse = verdict.refusal()
                yield from self._revoke_family(subject, used.family)
            else:
                _accepted(verdict)
                rules.check(
                    values,
                    **suspect,
                    issued_at=used.issued_at,
                    store_since_ms=found.since_ms,
                )
                since = self._issue_since(subject, found, values[:of_subject])
                pair = _pair(issuer, subject, verdict, carried, since, found)
            before, after = found.values[at], verdict.record
            if verdict.write != "must" or (
                yield from self._store.replace(keys[at], before, after, verdict.keep_ms)
            ):
                _accepted(verdict)
                return pair
        raise StoreUnavailable(_CONTENDED)

    def _refreshed(
        self, used: Claims, found: Found, address: str, user_agent: str | bytes, records: int
    ) -> tuple[int, SessionVerdict]:
        """Return the decision about a refresh token, by the record that has its family."""
        verdicts = [
            self._sessions.refresh(
                record,
                used.subject or "",
                used.family or "",
                used.generation or 0,
                issued_at=used.issued_at,
                address=address,
                user_agent=user_agent,
                **found.moment,
            )
            for record in found.values[:records]
        ]
        known = ("ok", "reuse_detected", "expired")
        at = next((at for at, verdict in enumerate(verdicts) if verdict.status in known), 0)
        return at, verdicts[at]

    def _issue_since(self, subject: str, found: Found, values: Sequence[bytes]) -> int | None:
        since: int | None = self.revocations._rules.issue_since(
            subject, values, store_since_ms=found.since_ms
        )
        return since

    def _keep_alive(self) -> Steps[None]:
        yield from self._store.read([], fresh=True)


class SessionManager(_Manager):
    """Sessions in a store, for threads. Share one between them.

    The keyring has a `device` and a `csrf` secret. `config` is the kernel's own, as
    `docs/sessions.md` has it; without one, 8 hours idle, a day in all, five sign-ins per user, of
    which the oldest goes. A store whose marker nobody has touched for `max_silence` counts as one
    that was set back, and its sessions end: let it be no longer than the age of a backup that you
    would restore. `longest_ttl` is how long your longest access token lives: for so long is kept
    that it was taken back.
    """

    revocations: Revocations
    """Of access tokens, in the same store."""

    def __init__(
        self,
        keyring: Keyring,
        store: RecordStore,
        *,
        config: Mapping[str, Any] | None = None,
        max_silence: Duration = 86_400,
        longest_ttl: Duration = LONGEST_TTL,
    ) -> None:
        marked = MarkedStore(
            store,
            sleep=time.sleep,
            timeout_s=None,
            max_silence=max_silence,
            log=_log,
            consequence="nobody is let in",
        )
        super().__init__(keyring, marked, config)
        self.revocations = Revocations._over(keyring, marked, longest_ttl)

    def log_in(
        self,
        subject: str,
        *,
        address: str = "",
        user_agent: str | bytes = "",
        label: str = "",
        data: bytes = b"",
        previous: str | None = None,
    ) -> LoggedIn:
        """Begin a session with a cookie, for somebody who was authenticated.

        Its id is new, and `previous`, the id that the request brought, is dead from now on,
        whatever it was. `label` is what the user knows the device by, `data` up to 512 bytes that
        are kept with it. What went because there were too many is in `session.evicted`; where
        nothing is to go, it is a `SessionLimitReached`, and `previous` is dead all the same.
        """
        sign_in = _sign_in(address, user_agent, label, data)
        return run(self._log_in(subject, previous, **sign_in))

    def begin_anonymous(
        self, *, address: str = "", user_agent: str | bytes = "", label: str = "", data: bytes = b""
    ) -> LoggedIn:
        """Begin a session of nobody yet, as before a log-in, which makes another."""
        return run(self._begin_anonymous(**_sign_in(address, user_agent, label, data)))

    def check(self, id: str, *, address: str = "", user_agent: str | bytes = "") -> Session:
        """Return the session that a request's id is of.

        Raises `InvalidSession`, of which `SessionExpired` is one, or `StepUpRequired`; `why` is for
        the log.
        """
        return run(self._check(id, address, user_agent))

    def rotate(
        self, id: str, *, address: str = "", user_agent: str | bytes = "", data: bytes | None = None
    ) -> LoggedIn:
        """Give the session another id, after its user was authenticated, or where rights change.

        The old id is dead at once. The address and the browser of now are those to compare with;
        `data` stays what it is, unless there is other: empty is none.
        """
        return run(self._rotate(id, address, user_agent, data))

    def log_out(self, id: str) -> None:
        """End the session, if it is one still."""
        run(self._log_out(id))

    def list(self, subject: str, current: str = "") -> _Listed:
        """Return the sign-ins of a user. `current` is the id or the handle of the one to mark."""
        return run(self._list(subject, current))

    def revoke(self, subject: str, handle: str) -> _Listed:
        """End a sign-in of the user, with its tokens, and return it: `InvalidSession` if none."""
        return run(self._revoke(subject, handle))

    def revoke_others(self, subject: str, keep: str) -> _Listed:
        """End all sign-ins of the user but the one of this id or handle, and return them."""
        return run(self._revoke_others(subject, keep))

    def log_out_everywhere(self, subject: str) -> _Listed:
        """End all sign-ins of the user, and all access tokens until now. Return the sign-ins."""
        return run(self._log_out_everywhere(subject))

    def begin_tokens(
        self,
        issuer: TokenIssuer,
        subject: str,
        *,
        permissions: _Texts | None = None,
        roles: _Texts | None = None,
        claims: Mapping[str, Any] | None = None,
        address: str = "",
        user_agent: str | bytes = "",
        label: str = "",
        data: bytes = b"",
    ) -> TokenPair:
        """Begin a sign-in by tokens, for somebody who was authenticated.

        It is one of the user's sign-ins as any other. What the access token carries is looked up
        anew at every refresh; the refresh token carries none of it.
        """
        sign_in = _sign_in(address, user_agent, label, data)
        carried = _Carried(permissions, roles, claims)
        return run(self._begin_tokens(issuer, subject, carried, **sign_in))

    def refresh_tokens(
        self,
        issuer: TokenIssuer,
        used: Claims,
        /,
        *,
        permissions: _Texts | None = None,
        roles: _Texts | None = None,
        claims: Mapping[str, Any] | None = None,
        address: str = "",
        user_agent: str | bytes = "",
    ) -> TokenPair:
        """Return the next tokens, for the claims of a refresh token that was verified.

        Raises `ReuseDetected` for a token that was used before its grace: then its family is ended,
        with its access tokens; `ExpiredToken`, `TokenRevoked` and `StateStale`, when the user has
        to log in again.
        """
        carried = _Carried(permissions, roles, claims)
        return run(self._refresh_tokens(issuer, used, carried, address, user_agent))

    def keep_alive(self) -> None:
        """Touch the store's marker, where nobody else may ask for as long as `max_silence`."""
        run(self._keep_alive())


class AsyncSessionManager(_Manager):
    """`SessionManager`, to await. A store that takes longer than `timeout_s` has failed."""

    revocations: AsyncRevocations
    """Of access tokens, in the same store."""

    def __init__(
        self,
        keyring: Keyring,
        store: AsyncRecordStore | AsyncCachedRecords | MemoryRecords,
        *,
        config: Mapping[str, Any] | None = None,
        max_silence: Duration = 86_400,
        longest_ttl: Duration = LONGEST_TTL,
        timeout_s: float = 2.0,
    ) -> None:
        marked = MarkedStore(
            store,
            sleep=asyncio.sleep,
            timeout_s=timeout_s,
            max_silence=max_silence,
            log=_log,
            consequence="nobody is let in",
        )
        super().__init__(keyring, marked, config)
        self.revocations = AsyncRevocations._over(keyring, marked, longest_ttl)

    async def log_in(
        self,
        subject: str,
        *,
        address: str = "",
        user_agent: str | bytes = "",
        label: str = "",
        data: bytes = b"",
        previous: str | None = None,
    ) -> LoggedIn:
        """Begin a session with a cookie, as `SessionManager.log_in` does."""
        sign_in = _sign_in(address, user_agent, label, data)
        return await arun(self._log_in(subject, previous, **sign_in))

    async def begin_anonymous(
        self, *, address: str = "", user_agent: str | bytes = "", label: str = "", data: bytes = b""
    ) -> LoggedIn:
        """Begin a session of nobody yet, as before a log-in, which makes another."""
        return await arun(self._begin_anonymous(**_sign_in(address, user_agent, label, data)))

    async def check(self, id: str, *, address: str = "", user_agent: str | bytes = "") -> Session:
        """Return the session that a request's id is of, as `SessionManager.check` does."""
        return await arun(self._check(id, address, user_agent))

    async def rotate(
        self, id: str, *, address: str = "", user_agent: str | bytes = "", data: bytes | None = None
    ) -> LoggedIn:
        """Give the session another id, as `SessionManager.rotate` does."""
        return await arun(self._rotate(id, address, user_agent, data))

    async def log_out(self, id: str) -> None:
        """End the session, if it is one still."""
        await arun(self._log_out(id))

    async def list(self, subject: str, current: str = "") -> _Listed:
        """Return the sign-ins of a user. `current` is the id or the handle of the one to mark."""
        return await arun(self._list(subject, current))

    async def revoke(self, subject: str, handle: str) -> _Listed:
        """End a sign-in of the user, with its tokens, and return it: `InvalidSession` if none."""
        return await arun(self._revoke(subject, handle))

    async def revoke_others(self, subject: str, keep: str) -> _Listed:
        """End all sign-ins of the user but the one of this id or handle, and return them."""
        return await arun(self._revoke_others(subject, keep))

    async def log_out_everywhere(self, subject: str) -> _Listed:
        """End all sign-ins of the user, and all access tokens until now. Return the sign-ins."""
        return await arun(self._log_out_everywhere(subject))

    async def begin_tokens(
        self,
        issuer: TokenIssuer,
        subject: str,
        *,
        permissions: _Texts | None = None,
        roles: _Texts | None = None,
        claims: Mapping[str, Any] | None = None,
        address: str = "",
        user_agent: str | bytes = "",
        label: str = "",
        data: bytes = b"",
    ) -> TokenPair:
        """Begin a sign-in by tokens, as `SessionManager.begin_tokens` does."""
        sign_in = _sign_in(address, user_agent, label, data)
        carried = _Carried(permissions, roles, claims)
        return await arun(self._begin_tokens(issuer, subject, carried, **sign_in))

    async def refresh_tokens(
        self,
        issuer: TokenIssuer,
        used: Claims,
        /,
        *,
        permissions: _Texts | None = None,
        roles: _Texts | None = None,
        claims: Mapping[str, Any] | None = None,
        address: str = "",
        user_agent: str | bytes = "",
    ) -> TokenPair:
        """Return the next tokens, as `SessionManager.refresh_tokens` does."""
        carried = _Carried(permissions, roles, claims)
        return await arun(self._refresh_tokens(issuer, used, carried, address, user_agent))

    async def keep_alive(self) -> None:
        """Touch the store's marker, where nobody else may ask for as long as `max_silence`."""
        await arun(self._keep_alive())


def _sign_in(address: str, user_agent: str | bytes, label: str, data: bytes) -> dict[str, Any]:
    return {"address": address, "user_agent": user_agent, "label": label, "data": data}


def _accepted(verdict: SessionVerdict) -> SessionVerdict:
    """Return the verdict, or raise what it refuses with."""
    refusal = verdict.refusal()
    if refusal is not None:
        raise refusal
    return verdict


def _session(verdict: SessionVerdict) -> Session:
    if verdict.session is None:
        raise InternalError
    return verdict.session


def _logged_in(verdict: SessionVerdict) -> LoggedIn:
    if verdict.id is None:
        raise InternalError
    return LoggedIn(verdict.id, _session(verdict))


def _pair(
    issuer: TokenIssuer,
    subject: str,
    verdict: SessionVerdict,
    carried: _Carried,
    since: int | None,
    found: Found,
) -> TokenPair:
    """Mint tokens as of when the store was read: a revocation that came since takes them along."""
    session, state, now = _session(verdict), verdict.state, found.now_ms // 1000
    if state is None:
        raise InternalError
    access_token = issuer.access(
        subject,
        permissions=carried.permissions,
        roles=carried.roles,
        claims={**(carried.claims or {}), "family": session.handle},
        revoked_since=since,
        now=now,
    )
    refresh_token = issuer._refresh_of(state, subject, revoked_since=since, now=now)
    return TokenPair(access_token, refresh_token, session)
