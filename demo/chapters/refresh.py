"""A log-in lives on by refresh tokens, each of which is good once."""

from __future__ import annotations

from chapters.log_in import log_in
from raw_tokens import claims_of
from walk import Walk

GRACE_S = 3  # of the service, which has made it short for this


def tell(walk: Walk) -> None:
    """Walk through it."""
    first = log_in(walk, "ann")
    second = walk.post("/refresh", refresh_token=first["refresh_token"])
    walk.expect("refresh", second, note="a new pair")
    walk.expect("call both with the new access token", *walk.both(second["access_token"]))

    two_at_once(walk)

    walk.wait(GRACE_S + 0.5, f"the grace of {GRACE_S} s for late refreshes passes")
    replayed = walk.post("/refresh", refresh_token=first["refresh_token"])
    note = "its family is revoked"
    walk.expect(
        "replay the used refresh token", replayed, status=401, reason="reuse_detected", note=note
    )
    successor = walk.post("/refresh", refresh_token=second["refresh_token"])
    note = "thief and owner both log in again"
    walk.expect("so its successor is dead too", successor, status=401, reason="revoked", note=note)


def two_at_once(walk: Walk) -> None:
    """Refresh twice at the same moment, as two tabs of a browser do."""
    used = {"refresh_token": log_in(walk, "ann")["refresh_token"]}
    one, other = walk.post_at_once("/refresh", used, used)
    tokens = [claims_of(answer["refresh_token"]) for answer in (one, other)]
    same = tokens[0]["jti"] == tokens[1]["jti"] and tokens[0]["generation"] == 1
    walk.expect(
        "two refreshes at once, with one token", one, other, note="one successor", holds=same
    )
    both = [walk.post("/refresh", refresh_token=pair["refresh_token"]) for pair in (one, other)]
    walk.expect("go on from either of them", *both, note="nobody was logged out")
