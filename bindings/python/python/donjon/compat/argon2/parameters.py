"""What a hash was made with."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from donjon.compat.argon2.exceptions import InvalidHashError


class Type(Enum):
    """The three Argon2. donjon makes hashes of `ID` alone."""

    D = 0
    I = 1  # noqa: E741  argon2-cffi's name
    ID = 2


@dataclass(slots=True)
class Parameters:
    """The parameters of a hash; `memory_cost` in KiB."""

    type: Type
    version: int
    salt_len: int
    hash_len: int
    time_cost: int
    memory_cost: int
    parallelism: int


_TYPES = {"argon2d": Type.D, "argon2i": Type.I, "argon2id": Type.ID}
_NUMBER = r"=(0|[1-9][0-9]{0,9})"
_BASE64 = r"\$([A-Za-z0-9+/]+)"
_HASH = re.compile(
    rf"\$(argon2(?:d|i|id))\$v{_NUMBER}\$m{_NUMBER},t{_NUMBER},p{_NUMBER}"
    rf"(?:,keyid=[A-Za-z0-9+/]+)?{_BASE64}{_BASE64}"
)


def extract_parameters(hash: str) -> Parameters:
    """Return what `hash` says that it was made with. To show it: verifying asks the kernel."""
    found = _HASH.fullmatch(hash)
    if found is None:
        raise InvalidHashError
    kind, version, memory, time, lanes, salt, digest = found.groups()
    return Parameters(
        type=_TYPES[kind],
        version=int(version),
        salt_len=len(salt) * 3 // 4,
        hash_len=len(digest) * 3 // 4,
        time_cost=int(time),
        memory_cost=int(memory),
        parallelism=int(lanes),
    )
