"""pyca cryptography's names: `from donjon.compat.fernet import Fernet` for `cryptography.fernet`.

The same calls, arguments and exceptions, and tokens that either reads; where cryptography is lax,
this is as strict as the kernel. The README of the package lists the differences. New code uses
`donjon.Envelope`, which binds data to where it belongs and rotates keys without touching it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import donjon
from donjon import fernet

__all__ = ["Fernet", "InvalidToken", "MultiFernet"]

_T = TypeVar("_T")

_MOST_KEYS = 64
_FOR_EVER_S = 2**63 - 1


class InvalidToken(Exception):
    """The token is forged, damaged, of another key, or its time is over. Which, is not told."""


class Fernet:
    """Encrypts and decrypts tokens under one key: 32 bytes as base64url, as `generate_key` has it.

    `backend` is ignored, as it is in cryptography.
    """

    def __init__(self, key: bytes | str, backend: Any = None) -> None:  # noqa: ARG002
        if not isinstance(key, bytes | str):
            raise TypeError(f"a Fernet key is bytes or str, not {type(key).__name__}")
        self._key = key
        self._tokens = _Tokens([key])

    @classmethod
    def generate_key(cls) -> bytes:
        """Return a new key."""
        return fernet.generate_key().encode()

    def encrypt(self, data: bytes) -> bytes:
        """Return a token of `data`, of this moment."""
        return self._tokens.encrypt(data, None)

    def encrypt_at_time(self, data: bytes, current_time: int) -> bytes:
        """Return a token of `data`, of `current_time` in Unix seconds."""
        return self._tokens.encrypt(data, current_time)

    def decrypt(self, token: bytes | str, ttl: float | None = None) -> bytes:
        """Return what the token holds, if it is at most `ttl` seconds old, or raise `InvalidToken`.

        Without `ttl`, its age is not looked at. Fractions of a second are cut off.
        """
        return self._tokens.decrypt(token, ttl, None)

    def decrypt_at_time(self, token: bytes | str, ttl: float, current_time: float) -> bytes:
        """`decrypt`, as of `current_time`."""
        return self._tokens.decrypt(token, _given(ttl), current_time)

    def extract_timestamp(self, token: bytes | str) -> int:
        """Return when the token was made, in Unix seconds. This is authentic."""
        return self._tokens.timestamp(token)


class MultiFernet:
    """Several keys: the first makes tokens, all of them open them."""

    def __init__(self, fernets: Iterable[Fernet]) -> None:
        keys = [_key_of(fernet) for fernet in fernets]
        if not keys:
            raise ValueError("MultiFernet requires at least one Fernet instance")
        if len(keys) > _MOST_KEYS:
            raise ValueError(f"a MultiFernet is of {_MOST_KEYS} keys at most, not of {len(keys)}")
        self._tokens = _Tokens(keys)

    def encrypt(self, msg: bytes) -> bytes:
        """Return a token of `msg`, of this moment."""
        return self._tokens.encrypt(msg, None)

    def encrypt_at_time(self, msg: bytes, current_time: int) -> bytes:
        """Return a token of `msg`, of `current_time` in Unix seconds."""
        return self._tokens.encrypt(msg, current_time)

    def rotate(self, msg: bytes | str) -> bytes:
        """Return a token of the first key that holds the same, with the time that it had."""
        return self._tokens.rotate(msg)

    def decrypt(self, msg: bytes | str, ttl: float | None = None) -> bytes:
        """As `Fernet.decrypt`."""
        return self._tokens.decrypt(msg, ttl, None)

    def decrypt_at_time(self, msg: bytes | str, ttl: float, current_time: float) -> bytes:
        """As `Fernet.decrypt_at_time`."""
        return self._tokens.decrypt(msg, _given(ttl), current_time)

    def extract_timestamp(self, msg: bytes | str) -> int:
        """As `Fernet.extract_timestamp`."""
        return self._tokens.timestamp(msg)


class _Tokens:
    """`donjon.fernet.Fernet` with cryptography's exceptions."""

    __slots__ = ("_fernet",)

    def __init__(self, keys: list[bytes | str]) -> None:
        try:
            self._fernet = fernet.Fernet(keys)
        except donjon.ConfigError as error:
            raise ValueError("Fernet key must be 32 url-safe base64-encoded bytes.") from error

    def encrypt(self, data: bytes, now: int | None) -> bytes:
        if not isinstance(data, bytes):
            raise TypeError("data must be bytes")
        return self._fernet.encrypt(data, now=now)

    def decrypt(self, token: bytes | str, ttl: float | None, now: float | None) -> bytes:
        whole_ttl = None if ttl is None else _whole(ttl)
        whole_now = None if now is None else _whole(now)

        def opened() -> bytes:
            if whole_ttl is not None and whole_ttl < 0:
                raise InvalidToken
            return self._fernet.decrypt(token, ttl=whole_ttl, now=whole_now)

        return _opened(token, opened)

    def rotate(self, token: bytes | str) -> bytes:
        return _opened(token, lambda: self._fernet.rotate(token))

    def timestamp(self, token: bytes | str) -> int:
        return _opened(token, lambda: self._fernet.timestamp(token))


def _opened(token: bytes | str, call: Callable[[], _T]) -> _T:
    if not isinstance(token, bytes | str):
        raise TypeError("token must be bytes or str")
    try:
        return call()
    except (donjon.DecryptFailed, donjon.InvalidArgument) as error:
        # The second: text that is no Unicode, or a time before 1970.
        raise InvalidToken from error


def _whole(seconds: float) -> int:
    """Return the whole seconds, as many as the kernel can count: the rest is for ever."""
    return _FOR_EVER_S if seconds >= _FOR_EVER_S else math.floor(seconds)


def _given(ttl: float) -> float:
    if ttl is None:
        raise ValueError("decrypt_at_time() can only be used with a non-None ttl")
    return ttl


def _key_of(fernet: Fernet) -> bytes | str:
    if not isinstance(fernet, Fernet):
        raise TypeError(f"a MultiFernet is of Fernets, not of {type(fernet).__name__}")
    return fernet._key
