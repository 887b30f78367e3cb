"""Keys as PyJWT takes them: secrets, PEM, `cryptography`'s objects, JWKs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import donjon
from donjon.compat.jwt.exceptions import InvalidKeyError, PyJWKError, PyJWKSetError, PyJWTError

_DEFAULT_ALGORITHMS = {
    "oct": "HS256",
    "RSA": "RS256",
    "EC P-256": "ES256",
    "EC P-384": "ES384",
    "OKP Ed25519": "EdDSA",
}


class PyJWK:
    """One JSON Web Key."""

    def __init__(self, jwk_data: dict[str, Any], algorithm: str | None = None) -> None:
        kind = f"{jwk_data.get('kty')} {jwk_data.get('crv', '')}".strip()
        algorithm = algorithm or jwk_data.get("alg") or _DEFAULT_ALGORITHMS.get(kind)
        if algorithm is None:
            raise InvalidKeyError("no supported algorithm goes with the key's type")
        self._jwk_data = {**jwk_data, "alg": algorithm}
        self.algorithm_name = algorithm
        try:
            known = len(self.keyring())
        except donjon.ConfigError as error:
            raise InvalidKeyError(error.message) from error
        if not known:
            raise PyJWKError("a key of this type is not supported")

    @staticmethod
    def from_dict(obj: dict[str, Any], algorithm: str | None = None) -> PyJWK:
        """Return the key that `obj` is."""
        return PyJWK(obj, algorithm)

    @staticmethod
    def from_json(data: str, algorithm: str | None = None) -> PyJWK:
        """Return the key that `data` is."""
        return PyJWK(_object_of(data), algorithm)

    @property
    def key_type(self) -> str | None:
        """`kty`."""
        return self._jwk_data.get("kty")

    @property
    def key_id(self) -> str | None:
        """`kid`."""
        return self._jwk_data.get("kid")

    @property
    def public_key_use(self) -> str | None:
        """`use`."""
        return self._jwk_data.get("use")

    def keyring(self, kid: str | None = None) -> donjon.Keyring:
        """Return a keyring of this key alone; `kid` names a key without a name of its own."""
        name = {} if kid is None else {"kid": kid}
        return donjon.Keyring.from_jwks({"keys": [{**name, **self._jwk_data}]})

    def __repr__(self) -> str:
        return f"PyJWK(key_id={self.key_id!r}, algorithm_name={self.algorithm_name!r})"


class PyJWKSet:
    """The usable keys of a JWK Set."""

    def __init__(self, keys: list[dict[str, Any]]) -> None:
        self.keys = list(_usable(keys))
        if not self.keys:
            raise PyJWKSetError("the JWK Set has no usable keys")

    @staticmethod
    def from_dict(obj: dict[str, Any]) -> PyJWKSet:
        """Return the set that `obj` is."""
        return PyJWKSet(obj.get("keys", []))

    @staticmethod
    def from_json(data: str) -> PyJWKSet:
        """Return the set that `data` is."""
        return PyJWKSet.from_dict(_object_of(data))

    def __getitem__(self, kid: str) -> PyJWK:
        for key in self.keys:
            if key.key_id == kid:
                return key
        raise KeyError(f"keyset has no key for kid: {kid}")

    def __iter__(self) -> Iterator[PyJWK]:
        return iter(self.keys)


def keyring_of(key: Any, algorithm: str, kid: str | None) -> donjon.Keyring:
    """Return a keyring of `key` alone, under the name `kid`."""
    if isinstance(key, PyJWK):
        return key.keyring(kid)
    if algorithm.startswith("HS"):
        return donjon.Keyring.from_secret(key, algorithm, kid=kid)
    return donjon.Keyring.from_pem(_text_of(key), algorithm, kid=kid)


def verifying_keyring(key: Any, algorithm: str, kid: str | None) -> donjon.Keyring:
    """Return a keyring of `key`, by whichever name the token calls it.

    The caller has chosen the key already, so only a `PyJWK` with a name of its own can be another.
    """
    keyring = keyring_of(key, algorithm, None)
    if kid is None:
        return keyring
    try:
        return keyring_of(key, algorithm, kid)
    except donjon.ConfigError:
        # The key was good without the token's name for it.
        raise donjon.UnknownKey from None


def hashable(key: Any) -> Any:
    """Return the key as something that a cache can hold: `cryptography`'s objects as PEM."""
    return key if isinstance(key, PyJWK) else _text_of(key)


def _text_of(key: Any) -> str | bytes:
    """Return a secret or PEM as it is; `cryptography`'s objects write PEM themselves."""
    if isinstance(key, str | bytes):
        return key
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
        PublicFormat,
    )

    pem: bytes
    if hasattr(key, "private_bytes"):
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    elif hasattr(key, "public_bytes"):
        pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    else:
        raise TypeError(f"a key is a str, bytes, a PyJWK or of cryptography, not {type(key)}")
    return pem


def _usable(keys: list[dict[str, Any]]) -> Iterator[PyJWK]:
    for key in keys:
        # A set may well hold keys of other types (RFC 7517, section 5).
        with suppress(PyJWTError):
            if isinstance(key, dict):
                yield PyJWK(key)


def _object_of(data: str) -> dict[str, Any]:
    value = json.loads(data, object_pairs_hook=_distinct)
    if not isinstance(value, dict):
        raise PyJWKError("not a JSON object")
    return value


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise PyJWKError("a member is there twice")
    return members
