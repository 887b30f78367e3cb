"""Fernet against pyca's, and what password-derived keys and `AesEngine` left behind."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from cryptography import fernet as pyca
from cryptography.hazmat.primitives import ciphers, hashes, padding
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

import donjon
from conftest import NOW, plaintext_of
from donjon import DecryptFailed
from donjon.fernet import Fernet, derive_key, generate_key, open_aes_engine

KEY = generate_key()


@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 64, 5000, 100_000])
def test_it_is_what_others_write_and_read(size: int) -> None:
    plaintext, ours, theirs = plaintext_of(size), Fernet([KEY]), pyca.Fernet(KEY)
    token = ours.encrypt(plaintext)
    assert theirs.decrypt(token) == plaintext
    assert ours.decrypt(theirs.encrypt(plaintext)) == plaintext
    assert ours.decrypt(token.decode()) == plaintext
    assert ours.timestamp(token) == theirs.extract_timestamp(token)


def test_the_first_key_makes_tokens_and_all_open_them() -> None:
    old, new = Fernet([KEY]), Fernet((generate_key(), KEY.encode()))
    token = old.encrypt(b"secret", now=NOW)
    assert new.decrypt(token) == b"secret"
    rotated = new.rotate(token)
    assert new.decrypt(rotated) == b"secret"
    assert new.timestamp(rotated) == NOW
    with pytest.raises(DecryptFailed):
        old.decrypt(rotated)


def test_a_token_has_its_time() -> None:
    fernet = Fernet([KEY])
    token = fernet.encrypt(b"secret", now=NOW)
    for ttl in (60, timedelta(minutes=1)):
        assert fernet.decrypt(token, ttl=ttl, now=NOW + 60) == b"secret"
        with pytest.raises(DecryptFailed):
            fernet.decrypt(token, ttl=ttl, now=NOW + 61)
    assert fernet.decrypt(token, ttl=0, now=NOW) == b"secret"
    with pytest.raises(DecryptFailed):
        fernet.decrypt(token, ttl=60, now=NOW - 61)
    assert fernet.decrypt(token, now=NOW - 61) == b"secret"
    for negative in (-1, -(2**62), timedelta(seconds=-1)):
        with pytest.raises(donjon.InvalidArgument):
            fernet.decrypt(token, ttl=negative, now=NOW)


def test_every_damage_is_one_error() -> None:
    fernet = Fernet([KEY])
    token = fernet.encrypt(b"secret")
    raw = base64.urlsafe_b64decode(token)
    for bit in range(len(raw) * 8):
        forged = bytearray(raw)
        forged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(DecryptFailed):
            fernet.decrypt(base64.urlsafe_b64encode(forged))
    for length in range(len(token)):
        with pytest.raises(DecryptFailed):
            fernet.decrypt(token[:length])
    for forged_text in (token + b"A", token + b"\n", b" " + token, "é", "\x00", ""):
        with pytest.raises(DecryptFailed):
            fernet.decrypt(forged_text)


@pytest.mark.parametrize(
    "keys",
    [[], [""], ["short"], [KEY[:-1]], [KEY + "A"], [KEY, "short"], ["é" * 44], [f"{KEY},{KEY}"]],
)
def test_a_bad_key_is_refused(keys: Sequence[str]) -> None:
    with pytest.raises(donjon.ConfigError):
        Fernet(keys)


@pytest.mark.parametrize("keys", [KEY, None, 7, {KEY}, iter([KEY])])
def test_keys_are_a_list(keys: Any) -> None:
    with pytest.raises(TypeError, match="expected a list of keys"):
        Fernet(keys)


def test_keys_that_were_derived_from_a_password_are_derived_again() -> None:
    kdf = PBKDF2HMAC(algorithm=hashes.SHA256(), length=32, salt=b"salt" * 4, iterations=1000)
    theirs = base64.urlsafe_b64encode(kdf.derive(b"password")).decode()
    assert derive_key("password", b"salt" * 4, iterations=1000) == theirs
    with pytest.raises(donjon.DonjonError):
        derive_key("password", b"salt" * 4, iterations=0)
    with pytest.raises(donjon.InvalidArgument):
        derive_key("password", b"salt" * 4, iterations=2**32)


def aes_engine(secret: str, text: str) -> str:
    """As sqlalchemy-utils' `AesEngine` with the padding `pkcs5` writes it."""
    digest = hashes.Hash(hashes.SHA256())
    digest.update(secret.encode())
    key = digest.finalize()
    padder = padding.PKCS7(128).padder()
    padded = padder.update(text.encode()) + padder.finalize()
    cipher = ciphers.Cipher(ciphers.algorithms.AES(key), ciphers.modes.CBC(key[:16]))
    encryptor = cipher.encryptor()
    return base64.b64encode(encryptor.update(padded) + encryptor.finalize()).decode()


def test_columns_of_aes_engine_are_read() -> None:
    for text in ("", "é", "x" * 5000):
        assert open_aes_engine("topsecret", aes_engine("topsecret", text)) == text
    with pytest.raises(DecryptFailed):
        open_aes_engine("topsecret", "AAAA")
    with pytest.raises(ValueError, match="padding"):
        open_aes_engine("topsecret", "AAAA", padding="none")  # type: ignore[arg-type]


def test_a_fernet_does_not_show_its_keys() -> None:
    assert repr(Fernet([KEY])) == "Fernet(...)"
