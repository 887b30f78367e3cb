"""`PasswordHasher`."""

from __future__ import annotations

from typing import Literal

import donjon
from donjon.compat.argon2 import profiles
from donjon.compat.argon2.exceptions import (
    HashingError,
    UnsupportedParametersError,
    VerificationError,
    translated,
)
from donjon.compat.argon2.parameters import Parameters, Type

_DEFAULT = profiles.RFC_9106_LOW_MEMORY

DEFAULT_RANDOM_SALT_LENGTH = _DEFAULT.salt_len
DEFAULT_HASH_LENGTH = _DEFAULT.hash_len
DEFAULT_TIME_COST = _DEFAULT.time_cost
DEFAULT_MEMORY_COST = _DEFAULT.memory_cost
DEFAULT_PARALLELISM = _DEFAULT.parallelism

# Four hashes at once of the default, as `donjon.PasswordHasher` has it; more for what takes more.
_BUDGET_KIB = 256 * 1024


class PasswordHasher:
    """Hashes passwords with Argon2id, and verifies hashes of all three Argon2.

    The budget of memory is 256 MiB, or what one hash takes if that is more. Hashes wait for it, and
    after 10 seconds fail.
    """

    __slots__ = ("_hasher", "_parameters", "encoding")

    def __init__(
        self,
        time_cost: int = DEFAULT_TIME_COST,
        memory_cost: int = DEFAULT_MEMORY_COST,
        parallelism: int = DEFAULT_PARALLELISM,
        hash_len: int = DEFAULT_HASH_LENGTH,
        salt_len: int = DEFAULT_RANDOM_SALT_LENGTH,
        encoding: str = "utf-8",
        type: Type = Type.ID,
    ) -> None:
        numbers = (time_cost, memory_cost, parallelism, hash_len, salt_len)
        if not all(isinstance(number, int) for number in numbers):
            raise TypeError("costs and lengths are int")
        if not isinstance(encoding, str) or not isinstance(type, Type):
            raise TypeError("encoding is a str, type is a Type")
        if type is not Type.ID:
            raise NotImplementedError("donjon makes hashes of Argon2id alone")
        self.encoding = encoding
        self._parameters = Parameters(
            type=type,
            version=19,
            salt_len=salt_len,
            hash_len=hash_len,
            time_cost=time_cost,
            memory_cost=memory_cost,
            parallelism=parallelism,
        )
        try:
            self._hasher = donjon.PasswordHasher(
                memory_kib=memory_cost,
                time_cost=time_cost,
                parallelism=parallelism,
                hash_len=hash_len,
                salt_len=salt_len,
                memory_budget_kib=max(_BUDGET_KIB, memory_cost),
                legacy=["argon2i", "argon2d"],
            )
        except donjon.ConfigError as error:
            raise UnsupportedParametersError(str(error)) from error

    @classmethod
    def from_parameters(cls, params: Parameters) -> PasswordHasher:
        """Return a hasher of `params`."""
        return cls(
            time_cost=params.time_cost,
            memory_cost=params.memory_cost,
            parallelism=params.parallelism,
            hash_len=params.hash_len,
            salt_len=params.salt_len,
            type=params.type,
        )

    @property
    def time_cost(self) -> int:
        """Passes over the memory."""
        return self._parameters.time_cost

    @property
    def memory_cost(self) -> int:
        """KiB of memory."""
        return self._parameters.memory_cost

    @property
    def parallelism(self) -> int:
        """Lanes."""
        return self._parameters.parallelism

    @property
    def hash_len(self) -> int:
        """Bytes of a hash."""
        return self._parameters.hash_len

    @property
    def salt_len(self) -> int:
        """Bytes of a salt."""
        return self._parameters.salt_len

    @property
    def type(self) -> Type:
        """`Type.ID`."""
        return self._parameters.type

    def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
        """Return what to store for `password`. The salt is always random."""
        if salt is not None:
            raise NotImplementedError("donjon draws the salt itself")
        with translated(HashingError):
            return self._hasher.hash(self._encoded(password))

    def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:
        """Return `True` if `password` is the one of `hash`, else raise `VerifyMismatchError`."""
        with translated(VerificationError):
            self._hasher.verify(_stored(hash), self._encoded(password))
        return True

    def check_needs_rehash(self, hash: str | bytes) -> bool:
        """Return whether `hash` has other parameters than this hasher's."""
        with translated(VerificationError):
            return self._hasher.check_needs_rehash(_stored(hash))

    def _encoded(self, password: str | bytes) -> bytes:
        return password.encode(self.encoding) if isinstance(password, str) else password


def _stored(hash: str | bytes) -> str | bytes:
    # For donjon, `None` is a user that does not exist; here it is a mistake.
    if not isinstance(hash, str | bytes):
        raise TypeError(f"expected str or bytes, not {type(hash).__name__}")
    return hash
