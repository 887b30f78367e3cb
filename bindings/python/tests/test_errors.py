"""One exception per status of the ABI."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import get_args

import pytest

import donjon
from conftest import SECRET
from donjon import _donjon, errors

# Never leaves the binding: it brings buffers of the length that the ABI says.
INTERNAL = {"buffer_too_small"}
STATUS = {name: status for status, name, _, _ in _donjon.STATUSES}


@pytest.mark.parametrize("row", _donjon.STATUSES, ids=lambda row: row[1])
def test_a_status_has_an_exception_of_its_own(row: tuple[int, str, str, int]) -> None:
    status, name, message, http_status = row
    error = errors.for_status(status)
    if name in INTERNAL:
        assert type(error) is donjon.InternalError
        return
    assert (error.status, error.reason, error.http_status) == (status, name, http_status)
    assert str(error) == message
    assert getattr(donjon, type(error).__name__) is type(error)


def test_what_a_client_did_with_a_token_is_a_token_error() -> None:
    for status, _, _, http_status in _donjon.STATUSES:
        error = errors.for_status(status)
        others = donjon.PasswordError | donjon.PolicyError | donjon.LimitError | donjon.SessionError
        if not isinstance(error, others):
            assert isinstance(error, donjon.TokenError) == (http_status < 500)


@pytest.mark.parametrize(
    ("area", "group"),
    [
        ("password", donjon.PasswordError),
        ("breach", donjon.PasswordError),
        ("policy", donjon.PolicyError),
        ("document", donjon.PolicyError),
        ("limit", donjon.LimitError),
        ("session", donjon.SessionError),
    ],
)
@pytest.mark.parametrize("reason", ["malformed", "too_large"])
def test_a_shared_status_is_of_the_group_of_what_was_asked(
    area: errors.Area, group: type[donjon.DonjonError], reason: str
) -> None:
    status = STATUS[reason]
    error = errors.for_status(status, area)
    assert isinstance(error, group)
    assert not isinstance(error, donjon.TokenError)
    assert (error.status, error.reason) == (status, reason)
    assert str(error) == errors.for_status(status).message


def test_a_pepper_that_is_refused_says_why_and_is_the_services_fault() -> None:
    for reason in ("unknown_key", "key_disabled", "key_destroyed", "key_expired"):
        error = errors.for_status(STATUS[reason], "password")
        assert type(error) is donjon.PepperRefused
        assert (error.reason, error.http_status) == (reason, 500)
        again = pickle.loads(pickle.dumps(error))
        assert (type(again), again.reason) == (donjon.PepperRefused, reason)


def test_every_area_falls_back_on_the_usual_exceptions() -> None:
    for status, _, _, _ in _donjon.STATUSES:
        for area in get_args(errors.Area):
            assert errors.for_status(status, area).status in {status, donjon.InternalError.status}


def test_a_status_from_the_future_is_a_defect() -> None:
    assert type(errors.for_status(9999)) is donjon.InternalError


def test_an_exception_says_why_and_can_cross_processes() -> None:
    error = donjon.ExpiredToken("session 7")
    assert (error.status, error.reason, error.http_status) == (45, "expired", 401)
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is donjon.ExpiredToken
    assert str(again) == "session 7"


def test_what_is_refused_when_it_is_loaded_says_why_and_where() -> None:
    jwk = {"kty": "oct", "alg": "HS256", "kid": "k1", "k": "topsecrettopsecrettopsecret"}
    keyring = donjon.Keyring.from_secret(SECRET)
    refusals: list[tuple[Callable[[], object], str]] = [
        (lambda: donjon.Keyring.from_jwks({"keys": [jwk]}), "keys[0]"),
        (lambda: donjon.TokenIssuer(keyring, issuer="", audience=None), ""),
        (lambda: donjon.TokenVerifier.from_config(keyring, '{"x":1}'), ""),
        (lambda: donjon.PasswordHasher(memory_kib=8), ""),
        (lambda: donjon.PasswordHasher(pepper=keyring), ""),
        (lambda: donjon.Policy({"permissions": []}), ""),
    ]
    for load, path in refusals:
        with pytest.raises(donjon.ConfigError) as caught:
            load()
        error = caught.value
        assert error.path.startswith(path)
        assert error.diagnosis is not None
        assert error.diagnosis["message"] in str(error)
        assert str(error) != error.message
        assert "topsecret" not in str(error)
        assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_callers_mistakes_are_value_errors() -> None:
    assert issubclass(donjon.ConfigError, ValueError)
    assert issubclass(donjon.InvalidArgument, ValueError)
    assert not issubclass(donjon.TokenError, ValueError)
