"""argon2-cffi's named parameters."""

from __future__ import annotations

from dataclasses import replace

from donjon.compat.argon2.parameters import Parameters, Type

RFC_9106_LOW_MEMORY = Parameters(
    type=Type.ID,
    version=19,
    salt_len=16,
    hash_len=32,
    time_cost=3,
    memory_cost=65536,
    parallelism=4,
)

RFC_9106_HIGH_MEMORY = replace(RFC_9106_LOW_MEMORY, time_cost=1, memory_cost=2097152)

PRE_21_2 = replace(RFC_9106_LOW_MEMORY, hash_len=16, time_cost=2, memory_cost=102400, parallelism=8)

# There to be compared with: donjon makes no such hash.
CHEAPEST = replace(
    RFC_9106_LOW_MEMORY, salt_len=8, hash_len=4, time_cost=1, memory_cost=8, parallelism=1
)


def get_default_parameters() -> Parameters:
    """Return what a `PasswordHasher` of no arguments has."""
    return replace(RFC_9106_LOW_MEMORY)
