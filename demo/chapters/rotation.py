"""The operator rotates the keys, first in one service and later in the other."""

from __future__ import annotations

from typing import Any

from chapters.log_in import log_in
from raw_tokens import header_of
from walk import Answer, Walk

PRIVATE_MEMBERS = {"d", "k", "p", "q", "dp", "dq", "qi", "oth"}


def tell(walk: Walk) -> None:
    """Walk through it."""
    before = log_in(walk, "ann")
    old: str = before["access_token"]
    published = walk.get("/.well-known/jwks.json")
    keys = published["keys"]
    walk.expect(
        "fetch the published keys", published, note="public ones only", holds=is_public(keys)
    )

    walk.services.python.rotate_keys()
    rotated = walk.get("/.well-known/jwks.json")
    grown = set(key_ids(published)) < set(key_ids(rotated)) and is_public(rotated["keys"])
    walk.expect("rotate the Python service's keys", rotated, note="by SIGHUP", holds=grown)
    walk.expect("call both with the old access token", *walk.both(old), note=kid(old))

    after = walk.post("/refresh", refresh_token=before["refresh_token"])
    new: str = after["access_token"]
    is_next = kid(new) != kid(old) and header_of(new)["kid"] in key_ids(published)
    note = "nobody was logged out"
    walk.expect("refresh with the old refresh token", after, note=note, holds=is_next)
    walk.expect("call both with the new access token", *walk.both(new), note=kid(new))
    again, once_more = log_in(walk, "ann"), log_in(walk, "ann")
    hashed = "password of ann hashed anew"
    once = hashed in again.log and hashed not in once_more.log
    note = "the hash moves to the next pepper"
    walk.expect("ann logs in twice, by the old password", again, once_more, note=note, holds=once)

    walk.services.go.rotate_keys()
    walk.expect("rotate the Go service too: the old token", *walk.both(old), note=kid(old))
    walk.expect("and the new token", *walk.both(new), note=kid(new))


def key_ids(jwks: Answer) -> list[str]:
    """Return the ids of the published keys."""
    return [key["kid"] for key in jwks["keys"]]


def is_public(keys: list[dict[str, Any]]) -> bool:
    """Tell whether no key is secret, nor any of its members."""
    return all(key["kty"] != "oct" and not PRIVATE_MEMBERS & key.keys() for key in keys)


def kid(token: str) -> str:
    """Name the key that signed a token, as the token says."""
    return f"kid {header_of(token)['kid']}"
