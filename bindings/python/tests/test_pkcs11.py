"""A key that never leaves its HSM: `donjon.pkcs11` on SoftHSM2, with a token of the test's own."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

MODULE = Path("/usr/lib/softhsm/libsofthsm2.so")
if not MODULE.exists():
    pytest.skip("SoftHSM2 is not installed: apt-get install softhsm2", allow_module_level=True)
pkcs11 = pytest.importorskip("pkcs11")

from donjon import DecryptFailed, EnvelopeKeyRefused, kms  # noqa: E402
from donjon.pkcs11 import PKCS11Provider  # noqa: E402

CONTEXT = ("reports", "2024")
PIN = "1234"


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A session on a new token with the keys `old`, `new` and, of 128 bits, `short`."""
    folder = tmp_path_factory.mktemp("softhsm")
    tokens = folder / "tokens"
    tokens.mkdir()
    configuration = folder / "softhsm2.conf"
    configuration.write_text(f"directories.tokendir = {tokens}\nobjectstore.backend = file\n")
    before = os.environ.get("SOFTHSM2_CONF")
    os.environ["SOFTHSM2_CONF"] = str(configuration)
    try:
        make = ["softhsm2-util", "--init-token", "--free", "--label", "test"]
        subprocess.run([*make, "--so-pin", PIN, "--pin", PIN], check=True, capture_output=True)
        library = pkcs11.lib(str(MODULE))
        library.reinitialize()
        with library.get_token(token_label="test").open(user_pin=PIN, rw=True) as session:
            for label, bits in [("old", 256), ("new", 256), ("short", 128)]:
                session.generate_key(pkcs11.KeyType.AES, bits, label=label, store=True)
            yield session
    finally:
        if before is None:
            del os.environ["SOFTHSM2_CONF"]
        else:
            os.environ["SOFTHSM2_CONF"] = before


@pytest.fixture
def provider(session: Any) -> PKCS11Provider:
    return PKCS11Provider(session, "new", older=["old"])


def test_what_is_sealed_opens(provider: PKCS11Provider) -> None:
    sealed = kms.seal(provider, b"report", context=CONTEXT)
    assert kms.open(provider, sealed, context=CONTEXT) == b"report"
    with pytest.raises(DecryptFailed):
        kms.open(provider, sealed, context=("reports", "2025"))


def test_the_key_never_leaves_the_token(session: Any, provider: PKCS11Provider) -> None:
    key = session.get_key(label="new")
    assert key[pkcs11.Attribute.SENSITIVE] is True
    assert key[pkcs11.Attribute.EXTRACTABLE] is False
    key_id, blob = provider.wrap(bytes(32))
    assert (key_id, len(blob)) == ("new", 12 + 32 + 16)
    assert provider.wrap(bytes(32))[1] != blob


def test_an_envelope_names_its_key_and_gets_no_other(
    session: Any, provider: PKCS11Provider
) -> None:
    old = PKCS11Provider(session, "old")
    sealed = kms.seal(old, b"report", context=CONTEXT)
    assert kms.open(provider, sealed, context=CONTEXT) == b"report"
    new = kms.seal(provider, b"report", context=CONTEXT)
    with pytest.raises(EnvelopeKeyRefused):
        kms.open(old, new, context=CONTEXT)


def test_a_wrapped_key_that_was_changed_does_not_open(provider: PKCS11Provider) -> None:
    _, blob = provider.wrap(bytes(32))
    for i in range(len(blob)):
        damaged = bytearray(blob)
        damaged[i] ^= 1
        with pytest.raises(DecryptFailed):
            provider.unwrap("new", bytes(damaged))
    for length in range(len(blob)):
        with pytest.raises(DecryptFailed):
            provider.unwrap("new", blob[:length])
    with pytest.raises(DecryptFailed):
        provider.unwrap("old", blob)


def test_a_data_key_is_wrapped_once(provider: PKCS11Provider) -> None:
    key, wrapped = kms.new_data_key(provider, "tenant-7")
    cell = key.seal(b"secret", context=CONTEXT)
    assert kms.open_data_key(provider, wrapped, "tenant-7").open(cell, context=CONTEXT) == b"secret"
    with pytest.raises(DecryptFailed):
        kms.open_data_key(provider, wrapped, "tenant-8")


def test_moving_to_another_key_of_the_token_leaves_the_payload(
    session: Any, provider: PKCS11Provider
) -> None:
    sealed = kms.seal(PKCS11Provider(session, "old"), b"report", context=CONTEXT)
    moved = kms.rewrap(provider, sealed)
    assert kms.open(PKCS11Provider(session, "new"), moved, context=CONTEXT) == b"report"
    assert moved[-38:] == sealed[-38:]


def test_only_keys_of_256_bits_are_taken(session: Any) -> None:
    with pytest.raises(ValueError, match="short"):
        PKCS11Provider(session, "short")
    with pytest.raises(pkcs11.NoSuchKey):
        PKCS11Provider(session, "none")
