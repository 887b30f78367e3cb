"""PyJWT's exceptions, and which of donjon's becomes which."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import donjon


class PyJWTError(Exception):
    """Base of all of them."""


class InvalidTokenError(PyJWTError):
    """The token was refused."""


class DecodeError(InvalidTokenError):
    """The token is not of its format."""


class InvalidSignatureError(DecodeError):
    """The signature does not hold."""


class ExpiredSignatureError(InvalidTokenError):
    """`exp` has passed."""


class InvalidAudienceError(InvalidTokenError):
    """Another audience."""


class InvalidIssuerError(InvalidTokenError):
    """Another issuer."""


class InvalidIssuedAtError(InvalidTokenError):
    """Never raised here: an `iat` of the wrong type is a `DecodeError`, as every such claim is."""


class ImmatureSignatureError(InvalidTokenError):
    """`nbf` or `iat` is in the future."""


class InvalidKeyError(PyJWTError):
    """The key was refused."""


class InvalidAlgorithmError(InvalidTokenError):
    """The algorithm is not allowed, or not the key's."""


class MissingRequiredClaimError(InvalidTokenError):
    """A required claim is missing. `claim` names those that were required."""

    def __init__(self, claim: str) -> None:
        super().__init__(claim)
        self.claim = claim

    def __str__(self) -> str:
        return f'Token is missing the "{self.claim}" claim'


class InvalidSubjectError(InvalidTokenError):
    """Another subject."""


class InvalidJTIError(InvalidTokenError):
    """Never raised here: a `jti` of the wrong type is a `DecodeError`, as every such claim is."""


class PyJWKError(PyJWTError):
    """The JWK was refused."""


class PyJWKSetError(PyJWTError):
    """The JWK Set has no usable key."""


class PyJWKClientError(PyJWTError):
    """For `except` clauses only: `donjon.jwks` fetches key sets."""


class PyJWKClientConnectionError(PyJWKClientError):
    """For `except` clauses only: `donjon.jwks` fetches key sets."""


_TRANSLATION: dict[type[donjon.TokenError], type[InvalidTokenError]] = {
    donjon.AlgNotAllowed: InvalidAlgorithmError,
    donjon.BadClaimType: DecodeError,
    donjon.BadSignature: InvalidSignatureError,
    donjon.ExpiredToken: ExpiredSignatureError,
    donjon.InvalidAudience: InvalidAudienceError,
    donjon.InvalidIssuer: InvalidIssuerError,
    donjon.MalformedToken: DecodeError,
    donjon.NotYetValid: ImmatureSignatureError,
    donjon.TooLarge: DecodeError,
    donjon.Unsupported: DecodeError,
    donjon.UnsupportedCritical: DecodeError,
}


@contextmanager
def translated(required: str = "") -> Iterator[None]:
    """Raise PyJWT's exception for donjon's; `required` names the claims that were required."""
    try:
        yield
    except donjon.MissingClaim as error:
        raise MissingRequiredClaimError(required) from error
    except donjon.TokenError as error:
        raise _TRANSLATION.get(type(error), InvalidTokenError)(error.message) from error
    except donjon.ConfigError as error:
        raise InvalidKeyError(error.message) from error
