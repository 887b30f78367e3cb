"""Somebody logs out."""

from __future__ import annotations

from chapters.log_in import log_in
from walk import Walk


def tell(walk: Walk) -> None:
    """Walk through it."""
    here, elsewhere = log_in(walk, "ann"), log_in(walk, "ann")
    token: str = here["access_token"]
    out = walk.post("/logout", bearer=token, refresh_token=here["refresh_token"])
    walk.expect("log out", out, status=204)
    walk.expect(
        "the refresh token is dead",
        walk.post("/refresh", refresh_token=here["refresh_token"]),
        status=401,
        reason="revoked",
    )
    python, go = walk.both(token)
    walk.expect("the access token is, too", python, status=401, reason="revoked")
    note = "the services share no store yet"
    walk.expect("the Go service takes it until it expires", go, note=note)
    walk.expect("the log-in on another device lives", *walk.both(elsewhere["access_token"]))
