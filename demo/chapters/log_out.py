"""Somebody logs out."""

from __future__ import annotations

from chapters.log_in import log_in
from walk import Walk

# Until the Go service has what was revoked: the set is renewed once a second, and fetched sooner.
FETCHED_S = 1.6


def tell(walk: Walk) -> None:
    """Walk through it."""
    here, elsewhere = log_in(walk, "ann"), log_in(walk, "ann")
    token: str = here["access_token"]
    walk.expect("log out", walk.post("/logout", bearer=token), status=204)
    walk.expect(
        "the refresh token is dead",
        walk.post("/refresh", refresh_token=here["refresh_token"]),
        status=401,
        reason="revoked",
    )
    walk.fetch_revocations(FETCHED_S)
    walk.expect("the access token is, too", *walk.both(token), status=401, reason="revoked")
    walk.expect("the log-in on another device lives", *walk.both(elsewhere["access_token"]))
