"""Limits over a store: in this process, or one that many processes share.

    limiter = Limiter(RedisStore(client), on_failure="refuse")
    per_user = Limits("10/second; 1000/hour")

    verdict = limiter.hit(per_user, f"search:{user_id}")
    if not verdict.allowed:
        ...  # 429, with per_user.headers(verdict) and per_user.refusal(verdict)

`LimitTable()` is the store of one process; `donjon.redis` has those of many. What a verdict says is
the kernel's arithmetic, whichever store keeps the state. A store that fails or is late is never the
caller's error: `on_failure` says what becomes of the request, the log of `donjon.limits` says when
it begins and ends, and `on_error` is called every time.

`Lockout` counts attempts to log in before a password is hashed, by the account and by the address:

    attempt = lockout.reserve(email, address=client.bucket)  # or it raises RateLimited
    hasher.verify(stored, password)
    attempt.succeeded()

`AsyncLimiter` and `AsyncLockout` are the same to await, with asyncio.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterable
from datetime import timedelta
from functools import partial
from inspect import iscoroutinefunction
from typing import Any, Literal, NamedTuple, Protocol

from donjon._donjon import (
    Keyring,
    Limits,
    LimitTable,
    LimitTableStatistics,
    LockoutKeys,
    Verdict,
    compare_and_set_script,
    profiles,
)
from donjon._steps import Steps, arun, run
from donjon._workers import workers
from donjon.errors import InvalidArgument, LimitInputRefused, RateLimited, StoreUnavailable

__all__ = [
    "AsyncAttempt",
    "AsyncLimitStore",
    "AsyncLimiter",
    "AsyncLockout",
    "Attempt",
    "Charge",
    "LimitStore",
    "LimitTable",
    "LimitTableStatistics",
    "Limiter",
    "Limits",
    "Lockout",
    "Verdict",
    "compare_and_set_script",
    "profiles",
]

KEY_MAX = 1024
"""The longest key, in bytes of UTF-8."""

_COST_MAX = 2**32 - 1

_log = logging.getLogger("donjon.limits")


class LimitStore(Protocol):
    """Where limits are kept. Whatever it raises, a limiter takes for a store that failed."""

    def spend(self, limits: Limits, key: str, cost: int = 1, /) -> Verdict:
        """Spend `cost` of `key` if there is that much, in one atomic step."""

    def give_back(self, limits: Limits, key: str, spent_at_ms: int, cost: int = 1, /) -> None:
        """Give back what was spent at `spent_at_ms`, the `now_ms` of that verdict."""

    def forget(self, key: str, /) -> None:
        """Forget what was spent of `key`."""


class AsyncLimitStore(Protocol):
    """A `LimitStore` to await."""

    async def spend(self, limits: Limits, key: str, cost: int = 1, /) -> Verdict:
        """Spend `cost` of `key` if there is that much, in one atomic step."""

    async def give_back(self, limits: Limits, key: str, spent_at_ms: int, cost: int = 1, /) -> None:
        """Give back what was spent at `spent_at_ms`, the `now_ms` of that verdict."""

    async def forget(self, key: str, /) -> None:
        """Forget what was spent of `key`."""


OnFailure = Literal["refuse", "allow"] | LimitTable
OnError = Callable[[Exception], object]


class Charge(NamedTuple):
    """What to spend, and of which limits."""

    limits: Limits
    key: str
    cost: int = 1


class _Spent(NamedTuple):
    """A charge that was made, and the store that has it: none, where it was waved through."""

    store: Any
    charge: Charge
    verdict: Verdict


class _Limiter:
    """What both limiters do, as steps."""

    def __init__(self, store: Any, on_failure: OnFailure, on_error: OnError | None) -> None:
        if not isinstance(on_failure, LimitTable) and on_failure not in ("refuse", "allow"):
            raise InvalidArgument("on_failure is `refuse`, `allow` or a LimitTable")
        self._store = store
        self._on_failure = on_failure
        self._on_error = on_error
        self._lock = threading.Lock()
        self._failing = False
        self._failures = 0
        self._process = os.getpid()
        if isinstance(store, LimitTable) and workers() > 1:
            _log.warning("limits are kept in this process, and each of its siblings has its own")

    @property
    def failures(self) -> int:
        """How often the store failed."""
        return self._failures

    def _charge(self, charges: Iterable[Charge | tuple[Limits, str]]) -> Steps[list[_Spent]]:
        """Spend all of it or nothing. The last verdict refuses if any does."""
        spent: list[_Spent] = []
        for charge in [_checked(charge) for charge in charges]:
            try:
                one = yield from self._spend(charge)
            except StoreUnavailable:
                yield from self._give_back(spent)
                raise
            if not one.verdict.allowed:
                yield from self._give_back(spent)
            spent.append(one)
            if not one.verdict.allowed:
                break
        return spent

    def _spend(self, charge: Charge) -> Steps[_Spent]:
        self._warn_of_a_fork()
        try:
            verdict = yield partial(self._store.spend, *charge)
        except (InvalidArgument, LimitInputRefused):
            raise  # The caller's doing: no store would take it.
        except Exception as error:  # noqa: BLE001  it is the store's, whatever it is
            self._failed(error)
            return self._without_store(charge)
        if not isinstance(verdict, Verdict):
            self._failed(TypeError(f"the store answered a {type(verdict).__name__}"))
            return self._without_store(charge)
        self._answered()
        return _Spent(self._store, charge, verdict)

    def _without_store(self, charge: Charge) -> _Spent:
        if self._on_failure == "refuse":
            raise StoreUnavailable
        if not isinstance(self._on_failure, str):
            try:
                verdict = self._on_failure.spend(*charge)
            except Exception as error:  # noqa: BLE001  as out of memory
                self._failed(error)
                raise StoreUnavailable from None
            return _Spent(self._on_failure, charge, verdict.as_degraded())
        # As if nothing had been spent yet.
        verdict, _ = charge.limits.spend(None, charge.cost)
        return _Spent(None, charge, verdict.as_degraded())

    def _give_back(self, spent: Iterable[_Spent]) -> Steps[None]:
        for store, (limits, key, cost), verdict in spent:
            yield from self._settle(store, "give_back", limits, key, verdict.now_ms, cost)

    def _forget(self, spent: _Spent) -> Steps[None]:
        yield from self._settle(spent.store, "forget", spent.charge.key)

    def _settle(self, store: Any, name: str, *arguments: Any) -> Steps[None]:
        """Tell the store. If it fails now, what was spent stays spent."""
        if store is None:
            return
        try:
            yield partial(getattr(store, name), *arguments)
        except Exception as error:  # noqa: BLE001  it is the store's, whatever it is
            self._failed(error)

    def _failed(self, error: Exception) -> None:
        with self._lock:
            self._failures += 1
            begins, self._failing = not self._failing, True
        if begins:
            _log.error(
                "the store of limits fails (%s: %s): %s",
                type(error).__name__,
                error,
                _consequence(self._on_failure),
            )
        if self._on_error is not None:
            try:
                self._on_error(error)
            except Exception:  # noqa: BLE001  the request has nothing to do with it
                _log.exception("on_error failed")

    def _answered(self) -> None:
        if self._failing:
            with self._lock:
                ends, self._failing = self._failing, False
            if ends:
                _log.warning("the store of limits answers again, %d failed so far", self._failures)

    def _warn_of_a_fork(self) -> None:
        if isinstance(self._store, LimitTable) and self._process != os.getpid():
            self._process = os.getpid()
            _log.warning("limits are kept in a process that was forked: each has its own")


class Limiter(_Limiter):
    """Limits over a store, for threads. Share one between them.

    Where the store fails, `on_failure` decides: `refuse` raises `StoreUnavailable` (503), `allow`
    lets everybody through, and a `LimitTable` counts in this process meanwhile. Such a verdict is
    `degraded`. How long it waits for a slow store is for the store's client to be configured.
    """

    def __init__(
        self,
        store: LimitStore,
        *,
        on_failure: OnFailure = "refuse",
        on_error: OnError | None = None,
    ) -> None:
        if iscoroutinefunction(store.spend):
            raise TypeError("a Limiter has a store that is not awaited: see AsyncLimiter")
        super().__init__(store, on_failure, on_error)

    def hit(self, limits: Limits, key: str, cost: int = 1) -> Verdict:
        """Spend `cost` of `key`, if there is that much. A cost of 0 asks, and spends nothing."""
        return self.hit_all([Charge(limits, key, cost)])[0]

    def hit_all(self, charges: Iterable[Charge | tuple[Limits, str]]) -> list[Verdict]:
        """Spend all of the charges or none, and return their verdicts, in order.

        The last one refuses if any does, and those after it were not asked. They are spent one
        after the other, and others may be refused meanwhile what is then given back: the narrow
        limit first, and last the one that many share. For a refusal that comes later than one unit
        takes to be there again gives nothing back; clients that their own limit refuses would use
        up a shared one before it.
        """
        return [one.verdict for one in run(self._charge(charges))]


class AsyncLimiter(_Limiter):
    """`Limiter`, for tasks of asyncio. A store that takes longer than `timeout_s` has failed.

    What a task had spent when it was cancelled stays spent.
    """

    def __init__(
        self,
        store: AsyncLimitStore | LimitTable,
        *,
        on_failure: OnFailure = "refuse",
        on_error: OnError | None = None,
        timeout_s: float = 1.0,
    ) -> None:
        if not isinstance(store, LimitTable) and not iscoroutinefunction(store.spend):
            raise TypeError("an AsyncLimiter has an asynchronous store, or a LimitTable")
        super().__init__(store, on_failure, on_error)
        self._timeout_s = timeout_s

    async def hit(self, limits: Limits, key: str, cost: int = 1) -> Verdict:
        """Spend `cost` of `key`, if there is that much. A cost of 0 asks, and spends nothing."""
        return (await self.hit_all([Charge(limits, key, cost)]))[0]

    async def hit_all(self, charges: Iterable[Charge | tuple[Limits, str]]) -> list[Verdict]:
        """Spend all of the charges or none, and return their verdicts, in order.

        The last one refuses if any does, and those after it were not asked. They are spent one
        after the other, and others may be refused meanwhile what is then given back: the narrow
        limit first, and last the one that many share. For a refusal that comes later than one unit
        takes to be there again gives nothing back; clients that their own limit refuses would use
        up a shared one before it.
        """
        return [one.verdict for one in await self._run(self._charge(charges))]

    async def _run(self, steps: Steps[Any]) -> Any:
        return await arun(steps, self._timeout_s)


class _Lockout:
    """What both lock-outs do, as steps."""

    def __init__(
        self, keyring: Keyring, limits: Limits | None, address_limits: Limits | None
    ) -> None:
        self._keys = LockoutKeys(keyring)
        self._limits = limits or Limits.lockout()
        self._address_limits = address_limits or self._limits

    def device_token(
        self,
        subject: str,
        *,
        state: str | bytes,
        ttl: int | timedelta = timedelta(days=90),
        now: int | None = None,
    ) -> str:
        """Return a token for the device that the subject has just logged in from.

        An attempt that brings it is counted by itself, so that nobody else can lock the subject
        out there. It proves nothing else. It dies when `state`, the stored password hash, changes.
        """
        return self._keys.device_token(subject, state=state, ttl=ttl, now=now)

    def _reserve(
        self,
        limiter: _Limiter,
        account: str,
        address: str | None,
        device: str | None,
        subject: str,
        state: str | bytes,
    ) -> Steps[list[tuple[_Spent, str]]]:
        if account == "":
            raise LimitInputRefused("an account has a name")
        counters = self._keys.counters(
            account, address=address, device=device, subject=subject, state=state
        )
        # What is given back on success is shared by others: the address.
        shared, own = self._address_limits, self._limits
        charges = [
            Charge(shared if counter["on_success"] == "give_back" else own, counter["key"])
            for counter in counters
        ]
        spent = yield from limiter._charge(charges)
        last = spent[-1]
        if not last.verdict.allowed:
            error = RateLimited(verdict=last.verdict)
            error.limits = last.charge.limits
            raise error
        return [(one, counter["on_success"]) for one, counter in zip(spent, counters, strict=True)]


def _success(limiter: _Limiter, reserved: list[tuple[_Spent, str]]) -> Steps[None]:
    for spent, on_success in reserved:
        if on_success == "forget":
            yield from limiter._forget(spent)
        else:
            yield from limiter._give_back([spent])


class Attempt:
    """An attempt to log in, which counts as failed until it `succeeded` or is withdrawn."""

    def __init__(self, limiter: Limiter, reserved: list[tuple[_Spent, str]]) -> None:
        self._limiter = limiter
        self._reserved = reserved

    def succeeded(self) -> None:
        """Forget the failures of the account, and give back what the address spent."""
        reserved, self._reserved = self._reserved, []
        run(_success(self._limiter, reserved))

    def withdraw(self) -> None:
        """Give all of it back: no password was looked at, as when a hasher is `Busy`."""
        reserved, self._reserved = self._reserved, []
        run(self._limiter._give_back(spent for spent, _ in reserved))


class AsyncAttempt:
    """`Attempt`, to await."""

    def __init__(self, limiter: AsyncLimiter, reserved: list[tuple[_Spent, str]]) -> None:
        self._limiter = limiter
        self._reserved = reserved

    async def succeeded(self) -> None:
        """Forget the failures of the account, and give back what the address spent."""
        reserved, self._reserved = self._reserved, []
        await self._limiter._run(_success(self._limiter, reserved))

    async def withdraw(self) -> None:
        """Give all of it back: no password was looked at, as when a hasher is `Busy`."""
        reserved, self._reserved = self._reserved, []
        await self._limiter._run(self._limiter._give_back(spent for spent, _ in reserved))


class Lockout(_Lockout):
    """Refuses attempts to log in after too many that failed, for an account and for an address.

    Five within 15 minutes lock for 15 minutes, unless `limits` says otherwise, as
    `Limits.lockout(…)` makes it; `address_limits` is for addresses, which many people may share.
    An attempt is counted when it is reserved, before a password is hashed, so that no number of
    them at once comes through. Accounts that do not exist are counted as those that do: what the
    store sees of them are HMACs by the keyring's `device` key, which it needs besides the usual.
    """

    def __init__(
        self,
        keyring: Keyring,
        limiter: Limiter,
        *,
        limits: Limits | None = None,
        address_limits: Limits | None = None,
    ) -> None:
        super().__init__(keyring, limits, address_limits)
        self._limiter = limiter

    def reserve(
        self,
        account: str,
        *,
        address: str | None = None,
        device: str | None = None,
        subject: str = "",
        state: str | bytes = b"",
    ) -> Attempt:
        """Count an attempt, or raise `RateLimited`; `LimitInputRefused` for what is no name.

        `account` is what the client calls the account, written as the service looks it up (in one
        case); `address` is the client's `bucket`. A `device` token counts if it is of this
        `subject` and `state`, the hash that is stored: both are empty where there is no account.
        """
        steps = self._reserve(self._limiter, account, address, device, subject, state)
        return Attempt(self._limiter, run(steps))


class AsyncLockout(_Lockout):
    """`Lockout`, to await."""

    def __init__(
        self,
        keyring: Keyring,
        limiter: AsyncLimiter,
        *,
        limits: Limits | None = None,
        address_limits: Limits | None = None,
    ) -> None:
        super().__init__(keyring, limits, address_limits)
        self._limiter = limiter

    async def reserve(
        self,
        account: str,
        *,
        address: str | None = None,
        device: str | None = None,
        subject: str = "",
        state: str | bytes = b"",
    ) -> AsyncAttempt:
        """Count an attempt, as `Lockout.reserve`."""
        steps = self._reserve(self._limiter, account, address, device, subject, state)
        return AsyncAttempt(self._limiter, await self._limiter._run(steps))


def _checked(asked: Charge | tuple[Limits, str]) -> Charge:
    """Refuse what no store could take, so that it is not mistaken for a store that failed."""
    charge = Charge(*asked)
    limits, key, cost = charge
    if not isinstance(limits, Limits):
        raise TypeError(f"limits are a donjon.Limits, not a {type(limits).__name__}")
    if not isinstance(key, str):
        raise TypeError(f"a key is a str, not a {type(key).__name__}")
    if isinstance(cost, bool) or not isinstance(cost, int) or not 0 <= cost <= _COST_MAX:
        raise InvalidArgument("a cost is an integer from 0 to 4,294,967,295")
    if len(key if key.isascii() else _encoded(key)) > KEY_MAX:
        raise LimitInputRefused(f"a key is over {KEY_MAX} bytes")
    return charge


def _encoded(key: str) -> bytes:
    try:
        return key.encode()
    except UnicodeEncodeError:
        raise LimitInputRefused("a key has half a character") from None


def _consequence(on_failure: OnFailure) -> str:
    if isinstance(on_failure, LimitTable):
        return "they are kept in this process meanwhile"
    return "everybody is let through" if on_failure == "allow" else "everybody is refused"
