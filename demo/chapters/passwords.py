"""Somebody chooses a password, and is told what is wrong with it until it is good."""

from __future__ import annotations

from chapters.log_in import PASSWORD, register
from walk import Answer, Walk


def tell(walk: Walk) -> None:
    """Walk through it."""

    def refused(what: str, password: str, failed: str) -> None:
        answer = walk.post("/register", username="ann", password=password)
        checks: dict[str, bool] = answer["detail"]["checks"]
        found = " ".join(name for name, passed in checks.items() if not passed)
        walk.expect(what, answer, status=422, reason="weak", holds=found == failed)
        walk.show(f"{password}: {ticked(answer)}")

    refused("register with a short password", "heron", "length uppercase digits special")
    refused("with a common one, decorated", "P@ssw0rd2024!", "common")
    refused("with one made of the name", "Ann-Ann-1990!", "common")
    refused("with one that was in a breach", "Correct-Horse-7-Battery", "breached")

    endless = register(walk, "ann", "Aa1!" * 300)
    walk.expect("with one of 1,200 characters", endless, status=422)
    good = register(walk, "ann")
    note = f"{good.took_ms:.0f} ms, most of it one hash"
    walk.expect(f"register ann with {PASSWORD}", good, status=201, note=note)


def ticked(answer: Answer) -> str:
    """Show the checks as what they are."""
    checks: dict[str, bool] = answer["detail"]["checks"]
    return "  ".join(f"{'✓' if passed else '✗'} {name}" for name, passed in checks.items())
