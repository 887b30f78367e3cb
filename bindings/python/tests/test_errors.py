"""One exception per status of the ABI."""

from __future__ import annotations

import pickle

import pytest

import donjon
from donjon import _donjon, errors

# Never leaves the binding: it brings buffers of the length that the ABI says.
INTERNAL = {"buffer_too_small"}


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


def test_what_a_client_did_is_a_token_error() -> None:
    for status, _, _, http_status in _donjon.STATUSES:
        error = errors.for_status(status)
        assert isinstance(error, donjon.TokenError) == (http_status < 500)


def test_a_status_from_the_future_is_a_defect() -> None:
    assert type(errors.for_status(9999)) is donjon.InternalError


def test_an_exception_says_why_and_can_cross_processes() -> None:
    error = donjon.ExpiredToken("session 7")
    assert (error.status, error.reason, error.http_status) == (45, "expired", 401)
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is donjon.ExpiredToken
    assert str(again) == "session 7"


def test_callers_mistakes_are_value_errors() -> None:
    assert issubclass(donjon.ConfigError, ValueError)
    assert issubclass(donjon.InvalidArgument, ValueError)
    assert not issubclass(donjon.TokenError, ValueError)
