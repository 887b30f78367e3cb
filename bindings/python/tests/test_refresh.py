"""Refresh tokens rotate, and a stolen one gives itself away."""

from __future__ import annotations

from datetime import timedelta

import pytest

import donjon
from conftest import NOW
from donjon import Refresh, TokenIssuer, TokenVerifier, refresh


def test_a_family_begins_and_rotates(issuer: TokenIssuer, refresh_verifier: TokenVerifier) -> None:
    first = issuer.begin_refresh("ann", now=NOW)
    assert isinstance(first, Refresh)
    assert first.changed
    assert len(first.state) == 32
    used = refresh_verifier.verify(first.token, now=NOW)
    assert (used.subject, used.generation, used.expires_at) == ("ann", 0, NOW + 7 * 86_400)
    assert first.family == used.family

    second = issuer.rotate_refresh(used, first.state, roles=["editor"], now=NOW + 60)
    assert second.changed
    assert second.family == first.family
    claims = refresh_verifier.verify(second.token, now=NOW + 60)
    assert (claims.subject, claims.family, claims.generation) == ("ann", used.family, 1)
    assert claims.roles == ("editor",)


def test_two_requests_at_once_get_one_successor(
    issuer: TokenIssuer, refresh_verifier: TokenVerifier
) -> None:
    first = issuer.begin_refresh("ann", now=NOW)
    used = refresh_verifier.verify(first.token, now=NOW)
    winner = issuer.rotate_refresh(used, first.state, now=NOW + 60)
    loser = issuer.rotate_refresh(used, winner.state, now=NOW + 65)
    assert not loser.changed
    assert loser.state == winner.state
    ids = {refresh_verifier.verify(r.token, now=NOW + 65).token_id for r in (winner, loser)}
    assert len(ids) == 1


def test_a_replay_after_the_grace_revokes_the_family(
    issuer: TokenIssuer, refresh_verifier: TokenVerifier
) -> None:
    first = issuer.begin_refresh("ann", now=NOW)
    used = refresh_verifier.verify(first.token, now=NOW)
    second = issuer.rotate_refresh(used, first.state, now=NOW + 60)
    with pytest.raises(donjon.ReuseDetected) as caught:
        issuer.rotate_refresh(used, second.state, grace=timedelta(seconds=5), now=NOW + 66)
    # The thief and the owner are both out.
    for token in (first.token, second.token):
        claims = refresh_verifier.verify(token, now=NOW + 66)
        with pytest.raises((donjon.ReuseDetected, donjon.TokenRevoked)):
            issuer.rotate_refresh(claims, caught.value.state, now=NOW + 66)


def test_a_store_that_forgot_asks_for_a_log_in(
    issuer: TokenIssuer, refresh_verifier: TokenVerifier
) -> None:
    first = issuer.begin_refresh("ann", now=NOW)
    used = refresh_verifier.verify(first.token, now=NOW)
    with pytest.raises(donjon.StateStale):
        issuer.rotate_refresh(used, None, now=NOW)
    second = issuer.rotate_refresh(used, first.state, now=NOW)
    newer = refresh_verifier.verify(second.token, now=NOW)
    with pytest.raises(donjon.StateStale):
        issuer.rotate_refresh(newer, first.state, now=NOW)


def test_a_log_out_ends_the_family(issuer: TokenIssuer, refresh_verifier: TokenVerifier) -> None:
    first = issuer.begin_refresh("ann", now=NOW)
    used = refresh_verifier.verify(first.token, now=NOW)
    with pytest.raises(donjon.TokenRevoked):
        issuer.rotate_refresh(used, refresh.revoke(first.state), now=NOW)


def test_an_access_token_does_not_refresh(issuer: TokenIssuer, verifier: TokenVerifier) -> None:
    first = issuer.begin_refresh("ann", now=NOW)
    access = verifier.verify(issuer.access("ann", now=NOW), now=NOW)
    with pytest.raises(donjon.WrongTokenType):
        issuer.rotate_refresh(access, first.state, now=NOW)


def test_a_refresh_token_is_no_access_token(issuer: TokenIssuer, verifier: TokenVerifier) -> None:
    with pytest.raises(donjon.WrongTokenType):
        verifier.verify(issuer.begin_refresh("ann").token)


@pytest.mark.parametrize("length", [1, 31, 33, 96])
def test_a_damaged_state_lets_nobody_in(
    issuer: TokenIssuer, refresh_verifier: TokenVerifier, length: int
) -> None:
    used = refresh_verifier.verify(issuer.begin_refresh("ann").token)
    with pytest.raises(donjon.DonjonError):
        issuer.rotate_refresh(used, bytes(length))


def test_the_decision_stands_by_itself() -> None:
    state = refresh.begin(now=NOW)
    verdict = refresh.rotate(state, "unknown", 0, now_ms=NOW * 1000, grace_ms=10_000)
    assert verdict.status != "ok"
    assert "unknown" not in repr(verdict)


def test_refresh_needs_a_key_that_binds_states() -> None:
    from conftest import SECRET

    issuer = TokenIssuer(donjon.Keyring.from_secret(SECRET), issuer=None, audience=None)
    assert issuer.access("ann")
    with pytest.raises(donjon.ConfigError):
        issuer.begin_refresh("ann")
