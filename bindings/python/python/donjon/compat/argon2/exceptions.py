"""argon2-cffi's exceptions, and which of donjon's becomes which."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import donjon


class Argon2Error(Exception):
    """Base of those that are about a password."""


class VerificationError(Argon2Error):
    """The password was not verified."""


class VerifyMismatchError(VerificationError):
    """The password is another one."""


class HashingError(Argon2Error):
    """The password was not hashed."""


class InvalidHashError(ValueError):
    """The stored hash is none."""


class UnsupportedParametersError(ValueError):
    """The parameters are refused."""


InvalidHash = InvalidHashError


@contextmanager
def translated(otherwise: type[Argon2Error]) -> Iterator[None]:
    """Raise argon2-cffi's exception for donjon's, which stays its cause."""
    try:
        yield
    except donjon.PasswordMismatch as error:
        raise VerifyMismatchError("The password does not match the supplied hash") from error
    except (donjon.InvalidHash, donjon.UnsupportedHash) as error:
        raise InvalidHashError(error.message) from error
    except donjon.DonjonError as error:
        raise otherwise(error.message) from error
