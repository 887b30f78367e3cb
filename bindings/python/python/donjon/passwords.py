"""Passwords: hashed, verified, and judged when they are chosen.

    hasher = PasswordHasher()
    stored = await hasher.ahash(password)  # when it is chosen
    try:
        _, newer = await hasher.averify_and_update(stored, password)  # at every log-in
    except PasswordMismatch:
        ...  # 401
    if newer:
        ...  # store it instead

A hash takes tens of milliseconds on purpose. `hash` and `verify` let other threads go on meanwhile;
`ahash` and `averify` let the event loop go on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType, TracebackType
from typing import Any, Literal

from donjon import _donjon
from donjon._donjon import Keyring, Verification, breach_count, breach_prefix
from donjon._offload import Offload, usable_cpus
from donjon.errors import Busy

__all__ = [
    "Estimate",
    "PasswordHasher",
    "Strength",
    "Verification",
    "breach_count",
    "breach_prefix",
    "check_strength",
    "estimate_strength",
]

Password = str | bytes
Texts = list[str] | tuple[str, ...] | set[str] | frozenset[str]
Preset = Literal["default", "owasp", "rfc9106", "rfc9106-low-memory"]
Legacy = Literal["bcrypt", "pbkdf2", "scrypt", "argon2i", "argon2d"]
Profile = Literal["composition", "nist-800-63b-4", "nist-800-63b-4-mfa"]


class PasswordHasher:
    """Hashes and verifies passwords with Argon2id, within a budget of memory.

    What is not given is the preset's: `default` is 64 MiB and 3 passes, `owasp` 19 MiB and 2,
    `rfc9106` 2 GiB and 1, `rfc9106-low-memory` 64 MiB and 3 in 4 lanes. What is weaker than OWASP
    recommends is a `ConfigError`, but for tests that say `allow_weak`.

    Hashes that would hold more than `memory_budget_kib` together (256 MiB) wait for up to
    `max_wait_ms` (10 seconds), then raise `Busy`. A preset that takes more wants a larger budget.
    Hashes of the schemes in `legacy` are verified and never made. `pepper` has keys of the purpose
    `password-pepper`: the primary one goes into new hashes, all of them verify.

    It never changes; any thread and any event loop of asyncio may use it. It keeps its memory for
    the next hash, so a service has one, made in the process that uses it: a server that forks its
    workers makes it after the fork. `close` ends the threads of what is awaited; the rest needs
    none.
    """

    __slots__ = ("_hasher", "_offload")

    def __init__(
        self,
        *,
        preset: Preset | None = None,
        memory_kib: int | None = None,
        time_cost: int | None = None,
        parallelism: int | None = None,
        hash_len: int | None = None,
        salt_len: int | None = None,
        memory_budget_kib: int | None = None,
        max_wait_ms: int | None = None,
        legacy: list[Legacy] | tuple[Legacy, ...] | None = None,
        allow_weak: bool = False,
        pepper: Keyring | None = None,
    ) -> None:
        config = {
            "preset": preset,
            "memory_kib": memory_kib,
            "time_cost": time_cost,
            "parallelism": parallelism,
            "hash_len": hash_len,
            "salt_len": salt_len,
            "memory_budget_kib": memory_budget_kib,
            "max_wait_ms": max_wait_ms,
            "legacy": legacy,
            "allow_weak": allow_weak,
        }
        given = {name: value for name, value in config.items() if value is not None}
        self._open(_donjon.Hasher(given, pepper=pepper))

    @classmethod
    def from_config(
        cls, config: str | bytes | dict[str, Any], *, pepper: Keyring | None = None
    ) -> PasswordHasher:
        """Return a hasher of the kernel's own configuration, as `include/donjon.h` has it."""
        made = cls.__new__(cls)
        made._open(_donjon.Hasher(config, pepper=pepper))
        return made

    def _open(self, hasher: _donjon.Hasher) -> None:
        self._hasher = hasher
        # More threads than processors would only make each other, and the event loop, late.
        workers = max(1, min(hasher.slots, usable_cpus()))
        self._offload = Offload(workers, hasher.max_wait_ms / 1000)

    @property
    def slots(self) -> int:
        """How many hashes the memory is enough for at once."""
        return self._hasher.slots

    def hash(self, password: Password, *, now: int | None = None) -> str:
        """Return what to store for `password`: a PHC string of up to 512 characters."""
        return self._hasher.hash(password, now=now)

    def verify(
        self, hash: str | bytes | None, password: Password, *, now: int | None = None
    ) -> Verification:
        """Return if `password` is the one of `hash`, and raise `PasswordMismatch` if it is not.

        `hash` is what is stored for the user, `None` if there is no such user: that takes as long,
        and is a `PasswordMismatch` too; so is an empty text, and one that begins with `!`, for
        users without a password. Swapped arguments let nobody in.
        """
        return self._hasher.verify(hash, password, now=now)

    def verify_and_update(
        self, hash: str | bytes | None, password: Password, *, now: int | None = None
    ) -> tuple[Verification, str | None]:
        """`verify`, and the hash to store instead if the stored one is to be made anew.

        Not if it was `truncated`: the rest of the password was never checked, so whoever knows its
        beginning could change it. Have the user choose a password. Nor if there is no turn for it
        in time: the password was right, and the next log-in hashes it anew.
        """
        verification = self._hasher.verify(hash, password, now=now)
        if not verification.needs_rehash or verification.truncated:
            return verification, None
        try:
            return verification, self._hasher.hash(password, now=now)
        except Busy:
            return verification, None

    def check_needs_rehash(self, hash: str | bytes, *, now: int | None = None) -> bool:
        """Return whether `hash` has other parameters, another pepper or an older scheme."""
        return self._hasher.check_needs_rehash(hash, now=now)

    async def ahash(self, password: Password, *, now: int | None = None) -> str:
        """`hash`, to be awaited."""
        return await self._offload.run(lambda: self.hash(password, now=now))

    async def averify(
        self, hash: str | bytes | None, password: Password, *, now: int | None = None
    ) -> Verification:
        """`verify`, to be awaited."""
        return await self._offload.run(lambda: self.verify(hash, password, now=now))

    async def averify_and_update(
        self, hash: str | bytes | None, password: Password, *, now: int | None = None
    ) -> tuple[Verification, str | None]:
        """`verify_and_update`, to be awaited."""
        return await self._offload.run(lambda: self.verify_and_update(hash, password, now=now))

    def close(self) -> None:
        """Await no more. What is awaited already is finished, and then the threads end."""
        self._offload.close()

    def __enter__(self) -> PasswordHasher:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<PasswordHasher of {self.slots} slots>"


@dataclass(frozen=True, slots=True)
class Strength:
    """How a password that is being chosen does against a profile's checks."""

    valid: bool
    score: float
    """The share of the checks that it passes, from 0 to 1."""
    checks: Mapping[str, bool]
    feedback: tuple[str, ...]
    """What to tell the user, in English."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """How many guesses a password takes, as zxcvbn sees it."""

    score: int
    """From 0, guessed at once, to 4."""
    guesses_log10: float
    warning: str | None
    suggestions: tuple[str, ...]


def check_strength(
    password: Password,
    user_inputs: Texts = (),
    profile: Profile = "composition",
) -> Strength:
    """Judge a password that is being chosen.

    `composition` asks for 12 characters, upper and lower case, a digit, a special character, and
    nothing common; `nist-800-63b-4` for 15 characters and nothing common; `nist-800-63b-4-mfa` for
    8, beside another factor. `user_inputs` are the user's name, e-mail address and the like, of
    which the password may not be made: up to 16, of up to 256 bytes each. More is
    `PasswordTooLarge`, as a password of over 4096 bytes is.
    """
    found = _donjon.password_strength(password, user_inputs, profile)
    return Strength(
        valid=found["valid"],
        score=float(found["score"]),
        checks=MappingProxyType(found["checks"]),
        feedback=tuple(found["feedback"]),
    )


def estimate_strength(password: Password, user_inputs: Texts = ()) -> Estimate:
    """Estimate how many guesses a password takes. Only its first 100 characters are looked at.

    That takes a few milliseconds, and a tenth of a second or two for a password that was made to
    take long. Other threads go on meanwhile and an event loop does not: there, await it as
    `asyncio.to_thread(estimate_strength, password)`. `user_inputs` are as for `check_strength`.
    """
    found = _donjon.password_estimate(password, user_inputs)
    feedback = found["feedback"]
    return Estimate(
        score=found["score"],
        guesses_log10=float(found["guesses_log10"]),
        warning=feedback["warning"],
        suggestions=tuple(feedback["suggestions"]),
    )
