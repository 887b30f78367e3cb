"""The bare construction, against pyca's."""

from __future__ import annotations

import pytest
from cryptography.cobblestone import Cobblestone256Decryptor, Cobblestone256Encryptor

import donjon
from conftest import SIZES, plaintext_of
from donjon import DecryptFailed, chunked

KEY = bytes(range(32))


@pytest.mark.parametrize("size", SIZES)
def test_it_is_what_others_write_and_read(size: int) -> None:
    plaintext = plaintext_of(size)
    message = chunked.seal(KEY, plaintext, context=b"place")
    assert chunked.open(KEY, message, context="place") == plaintext
    decryptor = Cobblestone256Decryptor(KEY, b"place")
    assert decryptor.update(message) + decryptor.finalize() == plaintext
    encryptor = Cobblestone256Encryptor(KEY, b"place")
    theirs = encryptor.update(plaintext) + encryptor.finalize()
    assert chunked.open(KEY, theirs, context=b"place") == plaintext


def test_another_key_or_context_does_not_open_it() -> None:
    message = chunked.seal(KEY, b"secret", context=b"place")
    for key, context in ((bytes(32), b"place"), (KEY, b""), (KEY, b"place\0")):
        with pytest.raises(DecryptFailed):
            chunked.open(key, message, context=context)
    for length in range(len(message)):
        with pytest.raises(DecryptFailed):
            chunked.open(KEY, message[:length], context=b"place")


@pytest.mark.parametrize("key", [b"", bytes(31)])
def test_a_key_has_its_length(key: bytes) -> None:
    with pytest.raises(donjon.InvalidArgument):
        chunked.seal(key, b"x", context=b"")
    with pytest.raises(donjon.DonjonError):
        chunked.open(key, bytes(100), context=b"")


def test_a_context_has_to_be_given() -> None:
    with pytest.raises(TypeError):
        chunked.seal(KEY, b"x")  # type: ignore[call-arg]
