"""Hashing and verifying one password, beside argon2-cffi and PyNaCl, which is libsodium."""

from __future__ import annotations

import argon2
import donjon
import nacl.pwhash
from race import report

PASSWORD = "Lanterns-over-7-Quiet-Harbours"
TIME_COST = 3
MEMORY_KIB = 64 * 1024


def measure() -> None:
    ours = donjon.PasswordHasher()
    cffi = argon2.PasswordHasher(time_cost=TIME_COST, memory_cost=MEMORY_KIB, parallelism=1)
    encoded = PASSWORD.encode()

    def nacl_hash() -> str:
        hashed = nacl.pwhash.argon2id.str(encoded, opslimit=TIME_COST, memlimit=MEMORY_KIB * 1024)
        return hashed.rstrip(b"\0").decode()

    stored = ours.hash(PASSWORD)

    # The same parameters everywhere, and what each makes the others verify.
    for hashed in (stored, cffi.hash(PASSWORD), nacl_hash()):
        assert hashed.startswith(f"$argon2id$v=19$m={MEMORY_KIB},t={TIME_COST},p=1$")
        assert [len(part) for part in hashed.split("$")[-2:]] == [22, 43]
        assert not ours.verify(hashed, PASSWORD).needs_rehash
        assert cffi.verify(hashed, PASSWORD)
        assert nacl.pwhash.verify(hashed.encode(), encoded)

    report(
        "passwords hash",
        lambda: ours.hash(PASSWORD),
        {"argon2-cffi": lambda: cffi.hash(PASSWORD), "PyNaCl": nacl_hash},
        0.7,
    )
    report(
        "passwords verify",
        lambda: ours.verify(stored, PASSWORD),
        {
            "argon2-cffi": lambda: cffi.verify(stored, PASSWORD),
            "PyNaCl": lambda: nacl.pwhash.verify(stored.encode(), encoded),
        },
    )
