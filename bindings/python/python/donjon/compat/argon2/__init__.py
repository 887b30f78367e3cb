"""argon2-cffi's names over donjon: `from donjon.compat import argon2` for `import argon2`.

The same calls, arguments and exceptions, and hashes that either reads; where argon2-cffi is lax,
this is as strict as the kernel. The README of the package lists the differences. New code uses
`donjon.PasswordHasher`, which bounds memory, knows of users that do not exist, and can be awaited.
"""

from donjon.compat.argon2 import exceptions, profiles
from donjon.compat.argon2.hasher import (
    DEFAULT_HASH_LENGTH,
    DEFAULT_MEMORY_COST,
    DEFAULT_PARALLELISM,
    DEFAULT_RANDOM_SALT_LENGTH,
    DEFAULT_TIME_COST,
    PasswordHasher,
)
from donjon.compat.argon2.parameters import Parameters, Type, extract_parameters

__all__ = [
    "DEFAULT_HASH_LENGTH",
    "DEFAULT_MEMORY_COST",
    "DEFAULT_PARALLELISM",
    "DEFAULT_RANDOM_SALT_LENGTH",
    "DEFAULT_TIME_COST",
    "Parameters",
    "PasswordHasher",
    "Type",
    "exceptions",
    "extract_parameters",
    "profiles",
]
