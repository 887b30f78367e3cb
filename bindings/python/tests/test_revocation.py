"""What the stores know, and whether the token stands."""

from __future__ import annotations

import pytest

from conftest import NOW
from donjon import MissingClaim, TokenRevoked, check_revocation


def test_a_token_that_nothing_speaks_against_stands() -> None:
    check_revocation(NOW, store_since=0)
    check_revocation(NOW, store_since=0, subject_since=NOW - 3)


@pytest.mark.parametrize("fact", ["token_revoked", "family_revoked", "key_revoked"])
def test_each_fact_revokes(fact: str) -> None:
    with pytest.raises(TokenRevoked):
        check_revocation(NOW, store_since=0, **{fact: True})


def test_a_token_from_before_the_log_out_is_dead() -> None:
    for since in (NOW - 2, NOW, NOW + 1):
        with pytest.raises(TokenRevoked):
            check_revocation(NOW, store_since=0, subject_since=since)


def test_a_store_that_was_flushed_refuses_what_is_older() -> None:
    for since in (None, NOW + 1):
        with pytest.raises(TokenRevoked):
            check_revocation(NOW, store_since=since)


def test_a_token_without_a_time_cannot_be_placed() -> None:
    with pytest.raises((MissingClaim, TokenRevoked)):
        check_revocation(None, store_since=0, subject_since=NOW)


def test_the_stores_age_is_never_assumed() -> None:
    with pytest.raises(TypeError, match="store_since"):
        check_revocation(NOW)  # type: ignore[call-arg]
