"""Somebody registers, logs in, and shows one token to two services."""

from __future__ import annotations

from walk import Answer, Walk

PASSWORD = "a pass phrase of some length"  # noqa: S105  of a demo account


def register(walk: Walk, name: str) -> Answer:
    """Open an account."""
    return walk.post("/register", username=name, password=PASSWORD)


def log_in(walk: Walk, name: str, password: str = PASSWORD) -> Answer:
    """Ask for the first tokens of a log-in."""
    return walk.post("/login", username=name, password=password)


def tell(walk: Walk) -> None:
    """Walk through it."""
    walk.expect("register ann", register(walk, "ann"), status=201)
    walk.expect("register ann again", register(walk, "ann"), status=409)
    wrong = log_in(walk, "ann", "a wrong pass phrase")
    walk.expect("log in with a wrong password", wrong, status=401, reason="wrong_password")
    nobody = log_in(walk, "nobody")
    walk.expect("log in as nobody", nobody, status=401, reason="wrong_password")

    pair = log_in(walk, "ann")
    walk.expect("log in", pair, note="an access and a refresh token")
    python, go = walk.both(pair["access_token"])
    walk.expect("call the Python service", python, note=", ".join(python["permissions"]))
    same = all(python[name] == go[name] for name in ("subject", "permissions", "key_id"))
    walk.expect("call the Go service with the same token", go, note="the same claims", holds=same)
    walk.expect("call them without a token", *walk.both(None), status=401)
