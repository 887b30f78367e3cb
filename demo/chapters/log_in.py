"""Somebody registers, logs in, and shows one token to two services."""

from __future__ import annotations

from walk import Answer, Walk

PASSWORD = "Quiet-Basalt-Otter-41"  # noqa: S105  of a demo account


def register(walk: Walk, name: str, password: str = PASSWORD) -> Answer:
    """Open an account."""
    return walk.post("/register", username=name, password=password)


def log_in(walk: Walk, name: str, password: str = PASSWORD) -> Answer:
    """Ask for the first tokens of a log-in."""
    return walk.post("/login", username=name, password=password)


def tell(walk: Walk) -> None:
    """Walk through it."""
    walk.expect("register ann again", register(walk, "ann"), status=409)
    wrong = log_in(walk, "ann", "Quiet-Basalt-Otter-42")
    mismatch = "password_mismatch"
    note = f"{wrong.took_ms:.0f} ms"
    walk.expect("log in with a wrong password", wrong, status=401, reason=mismatch, note=note)
    nobody = log_in(walk, "nobody")
    note = f"{nobody.took_ms:.0f} ms, and the same answer"
    same = wrong.told == nobody.told
    walk.expect("log in as nobody", nobody, status=401, reason=mismatch, note=note, holds=same)

    pair = log_in(walk, "ann")
    walk.expect("log in", pair, note="an access and a refresh token")
    python, go = walk.both(pair["access_token"])
    walk.expect("call the Python service", python, note=", ".join(python["roles"]))
    same = all(python[name] == go[name] for name in ("subject", "roles", "key_id"))
    walk.expect("call the Go service with the same token", go, note="the same claims", holds=same)
    walk.expect("call them without a token", *walk.both(None), status=401)
