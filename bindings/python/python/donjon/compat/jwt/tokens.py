"""`encode` and `decode`."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from calendar import timegm
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import donjon
from donjon.compat.jwt.exceptions import (
    DecodeError,
    InvalidAlgorithmError,
    InvalidAudienceError,
    InvalidIssuerError,
    InvalidKeyError,
    InvalidSubjectError,
    InvalidTokenError,
    MissingRequiredClaimError,
    translated,
)
from donjon.compat.jwt.keys import PyJWK, hashable, keyring_of, verifying_keyring

_SIGNS = frozenset({"HS256", "HS384", "HS512", "ES256", "EdDSA"})

# What an option may say. None of them turns the check of a signature or of a time off.
_CHANGEABLE = frozenset({"verify_aud", "verify_iss", "verify_sub", "strict_aud", "require_exp"})
_FIXED = frozenset(
    {
        "verify_signature",
        "verify_exp",
        "verify_nbf",
        "verify_iat",
        "verify_jti",
        "enforce_minimum_key_length",
    }
)

# Refresh and single-purpose tokens of donjon never pass for access tokens, here neither.
_TYPES = frozenset({None, "JWT", "jwt", "at+jwt"})


def encode(
    payload: dict[str, Any],
    key: Any,
    algorithm: str | None = None,
    headers: dict[str, Any] | None = None,
    json_encoder: type[json.JSONEncoder] | None = None,
    sort_headers: bool = True,  # noqa: ARG001  donjon has one order of headers
) -> str:
    """Sign `payload` with `key`, by default with HS256 or the algorithm of the `PyJWK`."""
    if not isinstance(payload, dict):
        raise TypeError("Expecting a dict object, as JWT only supports JSON objects as payloads.")
    named = dict(headers or {})
    default = key.algorithm_name if isinstance(key, PyJWK) else "HS256"
    algorithm = named.pop("alg", algorithm) or default
    typ, kid = named.pop("typ", "JWT"), named.pop("kid", None)
    if isinstance(key, PyJWK) and algorithm != default:
        raise InvalidKeyError(f"the key is for {default}")
    if algorithm not in _SIGNS:
        raise NotImplementedError(f"donjon does not sign with {algorithm}")
    if named:
        raise NotImplementedError(f"a header of donjon's has alg, kid and typ, not {sorted(named)}")
    claims = {name: _seconds(name, value) for name, value in payload.items()}
    text = json.dumps(claims, cls=json_encoder, allow_nan=False) if json_encoder else claims
    with translated():
        return donjon.sign_token(keyring_of(key, algorithm, kid), text, type=typ)


def decode(
    jwt: str | bytes,
    key: Any = "",
    algorithms: Sequence[str] | None = None,
    options: dict[str, Any] | None = None,
    verify: bool | None = None,
    detached_payload: bytes | None = None,
    audience: str | Iterable[str] | None = None,
    subject: str | None = None,
    issuer: str | Iterable[str] | None = None,
    leeway: float | timedelta = 0,
) -> dict[str, Any]:
    """Verify a token and return its claims."""
    payload: dict[str, Any] = decode_complete(
        jwt,
        key,
        algorithms,
        options,
        verify,
        detached_payload,
        audience,
        issuer,
        subject,
        leeway,
    )["payload"]
    return payload


def decode_complete(
    jwt: str | bytes,
    key: Any = "",
    algorithms: Sequence[str] | None = None,
    options: dict[str, Any] | None = None,
    verify: bool | None = None,
    detached_payload: bytes | None = None,
    audience: str | Iterable[str] | None = None,
    issuer: str | Iterable[str] | None = None,
    subject: str | None = None,
    leeway: float | timedelta = 0,
) -> dict[str, Any]:
    """Verify a token and return its `payload`, `header` and `signature`."""
    if verify is not None or detached_payload is not None:
        raise NotImplementedError("verify and detached_payload are not supported")
    expected = _Expected(options or {}, audience, issuer, subject)
    allowed = _allowed(key, algorithms)
    header = get_unverified_header(jwt)
    with translated(expected.required_names):
        verifier = _verifier(
            hashable(key),
            _key_id(header),
            _chosen(header.get("alg"), allowed),
            allowed,
            expected.audience,
            expected.issuer,
            _whole_seconds(leeway),
            expected.required,
        )
        # A number may be longer than Python's integers are read.
        payload = verifier.verify(jwt).to_dict()
    expected.check(payload, header)
    return {"payload": payload, "header": header, "signature": _signature(jwt)}


def get_unverified_header(jwt: str | bytes) -> dict[str, Any]:
    """Return the header, NOT verified."""
    with translated():
        return donjon.unverified_header(jwt)


class _Expected:
    """What the caller's arguments ask for, and the part of it that only PyJWT has."""

    def __init__(
        self,
        options: dict[str, Any],
        audience: str | Iterable[str] | None,
        issuer: str | Iterable[str] | None,
        subject: str | None,
    ) -> None:
        _refuse_laxness(options)
        checks_audience = options.get("verify_aud", True)
        checks_issuer = options.get("verify_iss", True)
        self.audience = _frozen(audience) if checks_audience else None
        self._issuers = _frozen(issuer) if checks_issuer else None
        self._subject = subject if options.get("verify_sub", True) else None
        self._refuses_audience = checks_audience and audience is None
        self._single_audience = checks_audience and options.get("strict_aud", False)
        if self._single_audience and not isinstance(audience, str):
            raise InvalidAudienceError("strict_aud goes with one audience")
        required = tuple(options.get("require", ()))
        self.required = required if options.get("require_exp", True) else None
        if self.required is None and required:
            raise NotImplementedError("require_exp=False does not go with require")

    @property
    def issuer(self) -> str | None:
        """The issuer, where there is only one to expect."""
        return self._issuers if isinstance(self._issuers, str) else None

    @property
    def required_names(self) -> str:
        """What may be missing: the kernel says that a claim is, not which."""
        names = [] if self.required is None else ["exp", *self.required]
        names += ["iss"] if self.issuer is not None else []
        names += ["aud"] if self.audience is not None else []
        return '", "'.join(dict.fromkeys(names))

    def check(self, payload: dict[str, Any], header: dict[str, Any]) -> None:
        """Check of a verified token what the kernel's verifier does not take."""
        if header.get("typ") not in _TYPES:
            raise InvalidTokenError("the token is of another type")
        if self._refuses_audience and payload.get("aud"):
            raise InvalidAudienceError("the token is for an audience, and none was expected")
        if self._single_audience and not isinstance(payload.get("aud"), str):
            raise InvalidAudienceError("the token is for several audiences")
        if isinstance(self._issuers, tuple):
            if "iss" not in payload:
                raise MissingRequiredClaimError("iss")
            if payload["iss"] not in self._issuers:
                raise InvalidIssuerError("the token is from another issuer")
        if self._subject is not None and payload.get("sub") != self._subject:
            raise InvalidSubjectError("the token is about another subject")


@lru_cache(maxsize=128)
def _verifier(
    key: Any,
    kid: str | None,
    algorithm: str,
    algorithms: tuple[str, ...],
    audience: str | tuple[str, ...] | None,
    issuer: str | None,
    leeway: int,
    required: tuple[str, ...] | None,
) -> donjon.TokenVerifier:
    return donjon.TokenVerifier(
        verifying_keyring(key, algorithm, kid),
        issuer=issuer,
        audience=audience,
        type=None,
        algorithms=algorithms,
        leeway=leeway,
        require=required or None,
        require_expiry=required is not None,
    )


def _allowed(key: Any, algorithms: Sequence[str] | None) -> tuple[str, ...]:
    if algorithms is None and isinstance(key, PyJWK):
        return (key.algorithm_name,)
    if not algorithms or isinstance(algorithms, str):
        raise DecodeError('It is required that you pass in a value for the "algorithms" argument.')
    return tuple(algorithms)


def _chosen(named: str | None, allowed: tuple[str, ...]) -> str:
    """Return which of the allowed algorithms the caller's key is loaded for.

    The kernel holds the token to the key's algorithm afterwards, so this lets nothing in.
    """
    if named not in allowed:
        raise InvalidAlgorithmError("The specified alg value is not allowed")
    return named


def _key_id(header: dict[str, Any]) -> str | None:
    kid = header.get("kid")
    if kid is not None and not isinstance(kid, str):
        raise DecodeError("Key ID header parameter must be a string")
    return kid


def _refuse_laxness(options: dict[str, Any]) -> None:
    for name, value in options.items():
        if name in _FIXED and not value:
            raise NotImplementedError(f"donjon does not turn {name} off")
        if name not in _FIXED | _CHANGEABLE | {"require"}:
            raise TypeError(f"unknown option {name!r}")


def _frozen(value: str | Iterable[str] | None) -> str | tuple[str, ...] | None:
    return value if value is None or isinstance(value, str) else tuple(value)


def _whole_seconds(leeway: float | timedelta) -> int:
    seconds = leeway.total_seconds() if isinstance(leeway, timedelta) else leeway
    if seconds != int(seconds):
        raise ValueError("a leeway is of whole seconds")
    return int(seconds)


def _seconds(name: str, value: Any) -> Any:
    if name in {"exp", "iat", "nbf"} and isinstance(value, datetime):
        return timegm(value.utctimetuple())
    return value


def _signature(jwt: str | bytes) -> bytes:
    text = jwt.encode() if isinstance(jwt, str) else jwt
    return urlsafe_b64decode(text.rpartition(b".")[2] + b"==")
