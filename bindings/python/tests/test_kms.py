"""Envelopes under a key that is elsewhere: `donjon.kms`, with a provider in memory."""

from __future__ import annotations

import secrets

import pytest

from donjon import DecryptFailed, Envelope, EnvelopeInputRefused, KeyProvider, Keyring, kms
from donjon.errors import InvalidArgument

CONTEXT = ("reports", "2024")


class Vault:
    """Keeps what it "wrapped", and counts how often it is asked."""

    def __init__(self, name: str = "vault") -> None:
        self.name = name
        self.kept: dict[bytes, bytes] = {}
        self.asked = 0

    def wrap(self, data_key: bytes) -> tuple[str, bytes]:
        self.asked += 1
        blob = secrets.token_bytes(48)
        self.kept[blob] = data_key
        return self.name, blob

    def unwrap(self, key_id: str, blob: bytes) -> bytes:
        self.asked += 1
        assert key_id == self.name
        return self.kept[blob]


@pytest.fixture
def vault() -> Vault:
    return Vault()


def test_what_is_sealed_opens_and_each_asks_once(vault: Vault) -> None:
    provider: KeyProvider = vault
    sealed = kms.seal(provider, b"report", context=CONTEXT)
    assert vault.asked == 1
    assert kms.open(provider, sealed, context=CONTEXT) == b"report"
    assert vault.asked == 2
    assert b"report" not in sealed
    with pytest.raises(DecryptFailed):
        kms.open(provider, sealed, context=("reports", "2025"))


def test_every_envelope_has_a_data_key_of_its_own(vault: Vault) -> None:
    for _ in range(3):
        kms.seal(vault, b"report", context=CONTEXT)
    assert len(set(vault.kept.values())) == 3


def test_rewrap_leaves_the_payload(vault: Vault) -> None:
    sealed = kms.seal(vault, b"report", context=CONTEXT)
    other = Vault("other")
    moved = kms.rewrap(vault, sealed, to=other)
    assert kms.open(other, moved, context=CONTEXT) == b"report"
    assert moved[-38:] == sealed[-38:]
    again = kms.rewrap(other, moved)
    assert again != moved
    assert kms.open(other, again, context=CONTEXT) == b"report"


def test_a_data_key_is_asked_for_once_per_tenant(vault: Vault) -> None:
    key, wrapped = kms.new_data_key(vault, "tenant-7")
    cell = key.seal(b"secret", context=CONTEXT)
    vault.asked = 0
    again = kms.open_data_key(vault, wrapped, "tenant-7")
    assert [again.open(cell, context=CONTEXT) for _ in range(3)] == [b"secret"] * 3
    assert vault.asked == 1
    with pytest.raises(DecryptFailed):
        kms.open_data_key(vault, wrapped, "tenant-8")
    other = Vault("other")
    moved = kms.rewrap_data_key(vault, wrapped, "tenant-7", to=other)
    assert kms.open_data_key(other, moved, "tenant-7").open(cell, context=CONTEXT) == b"secret"


def test_a_provider_is_not_asked_about_what_is_not_its_own(vault: Vault) -> None:
    envelope = Envelope(Keyring.generate(purposes=["envelope"]))
    for foreign in (envelope.seal(b"x", context=CONTEXT), b"", b"DJN1", b"junk" * 40):
        for call in (
            lambda data: kms.open(vault, data, context=CONTEXT),
            lambda data: kms.rewrap(vault, data),
            lambda data: kms.open_data_key(vault, data, "tenant-7"),
        ):
            with pytest.raises(DecryptFailed):
                call(foreign)
    assert vault.asked == 0


def test_a_provider_that_answers_with_another_key_opens_nothing(vault: Vault) -> None:
    sealed = kms.seal(vault, b"report", context=CONTEXT)
    blob = next(iter(vault.kept))
    vault.kept[blob] = bytes(range(32))
    with pytest.raises(DecryptFailed):
        kms.open(vault, sealed, context=CONTEXT)
    vault.kept[blob] = b"short"
    with pytest.raises((InvalidArgument, EnvelopeInputRefused)):
        kms.open(vault, sealed, context=CONTEXT)


def test_what_a_provider_raises_comes_through(vault: Vault) -> None:
    sealed = kms.seal(vault, b"report", context=CONTEXT)
    vault.kept.clear()
    with pytest.raises(KeyError):
        kms.open(vault, sealed, context=CONTEXT)
