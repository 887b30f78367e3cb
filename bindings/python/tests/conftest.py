"""What the tests share: one keyring, one issuer, one verifier, one moment."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from server import Server

from database.postgresql import PostgreSQL, binaries
from donjon import DataKey, Envelope, Keyring, PasswordHasher, TokenIssuer, TokenVerifier
from stores import Stores

NOW = 1_700_000_000
ISSUER = "https://auth.example"
AUDIENCE = "api"
PERMISSIONS = [f"document:{verb}" for verb in ("read", "update", "delete", "share", "list")]
# 32 bytes of no pattern, as base64url.
MASTER = "pDOI4XyVoYMjTPMoWUTfR2QiDkVKlBuWUOaEp5XcEnU"
SECRET = "c4FzBv1Q9u0tXh7RkzW2mYpJ6dLsNe3G"

PASSWORD = "correct horse battery staple"

# A chunk holds 16,384 bytes, and the last one always fewer.
SIZES = [0, 1, 16_383, 16_384, 16_385, 3 * 16_384]
CONTEXT = ("tenant-7", "users", "email", "42")


def plaintext_of(size: int) -> bytes:
    return bytes(index * 7 % 251 for index in range(size))


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def keyring() -> Keyring:
    return Keyring.generate(now=NOW)


@pytest.fixture(scope="session")
def issuer(keyring: Keyring) -> TokenIssuer:
    return TokenIssuer(keyring, issuer=ISSUER, audience=AUDIENCE)


def verifier_of(keyring: Keyring, type_: str = "at+jwt") -> TokenVerifier:
    return TokenVerifier(
        keyring, issuer=ISSUER, audience=AUDIENCE, type=type_, algorithms=["EdDSA"]
    )


@pytest.fixture(scope="session")
def verifier(keyring: Keyring) -> TokenVerifier:
    return verifier_of(keyring)


@pytest.fixture(scope="session")
def refresh_verifier(keyring: Keyring) -> TokenVerifier:
    return verifier_of(keyring, "rt+jwt")


@pytest.fixture(scope="session")
def hasher() -> PasswordHasher:
    """A hasher that is weak, and therefore quick."""
    return PasswordHasher(memory_kib=64, time_cost=1, allow_weak=True)


@pytest.fixture(scope="session")
def stored(hasher: PasswordHasher) -> str:
    return hasher.hash(PASSWORD)


@pytest.fixture(scope="session")
def stored_keys() -> Keyring:
    """Keys of data that is stored."""
    return Keyring.generate(None, purposes=["envelope", "blind-index", "settings"], now=NOW)


@pytest.fixture(scope="session")
def envelope(stored_keys: Keyring) -> Envelope:
    return Envelope(stored_keys)


@pytest.fixture(scope="session")
def data_key(envelope: Envelope) -> DataKey:
    return envelope.new_data_key("tenant-7")[0]


@pytest.fixture(scope="session")
def redis_server() -> Iterator[Server]:
    with Server() as started:
        yield started


@pytest.fixture(scope="session")
def redis_cluster() -> Iterator[Server]:
    with Server(cluster=True) as started:
        yield started


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    found = binaries()
    if found is None:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    with PostgreSQL(found) as server:
        yield server


@pytest.fixture
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stores]:
    with Stores(request, tmp_path) as opened:
        yield opened
