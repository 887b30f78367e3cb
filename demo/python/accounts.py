"""Accounts, in this process, with passwords under the standard library's scrypt."""

from __future__ import annotations

import hmac
from base64 import b64decode, b64encode
from hashlib import scrypt
from os import urandom
from threading import Lock


class NameTaken(Exception):
    """There is such an account already."""


class Accounts:
    """Names and password hashes; a database in real life."""

    def __init__(self) -> None:
        self._hashes: dict[str, str] = {}
        self._lock = Lock()

    def register(self, name: str, password: str) -> None:
        """Open an account."""
        stored = hash_password(password)
        with self._lock:
            if name in self._hashes:
                raise NameTaken
            self._hashes[name] = stored

    def authenticate(self, name: str, password: str) -> bool:
        """Tell whether the password is right; a name that nobody has takes as long to refuse."""
        stored = self._hashes.get(name)
        right = verify_password(password, stored or NOBODYS_HASH)
        return right and stored is not None

    def password_hash(self, name: str) -> str | None:
        """Return what a password reset is bound to."""
        return self._hashes.get(name)

    def change_password(self, name: str, stored: str | None, password: str) -> bool:
        """Compare and swap: set the password if its hash is still the stored one."""
        new = hash_password(password)
        with self._lock:
            if stored is None or self._hashes.get(name) != stored:
                return False
            self._hashes[name] = new
            return True


def hash_password(password: str) -> str:
    """Return salt and hash."""
    salt = urandom(16)
    return ":".join(b64encode(part).decode() for part in (salt, _scrypt(password, salt)))


def verify_password(password: str, stored: str) -> bool:
    """Compare with a stored hash, in constant time."""
    salt, expected = (b64decode(part) for part in stored.split(":"))
    return hmac.compare_digest(_scrypt(password, salt), expected)


def _scrypt(password: str, salt: bytes) -> bytes:
    return scrypt(password.encode(), salt=salt, n=2**14, r=8, p=5)


NOBODYS_HASH = hash_password("")
