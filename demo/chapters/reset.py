"""A password is reset, by a token that is bound to the stored hash."""

from __future__ import annotations

import re

from chapters.log_in import PASSWORD, log_in, register
from walk import CannotGoOn, Walk

SECOND, THIRD = "Second-Tin-Lantern-2", "Third-Tin-Lantern-3"


def tell(walk: Walk) -> None:
    """Walk through it."""
    register(walk, "ben")
    before = log_in(walk, "ben")
    token = mailed_token(walk, "ben")
    as_access = walk.both(token)
    walk.expect(
        "a reset token for an access token", *as_access, status=401, reason="wrong_token_type"
    )
    for_ann = walk.post("/password/reset", username="ann", token=token, password=PASSWORD)
    walk.expect("reset ann's password with ben's token", for_ann, status=401, reason="invalid")

    reset = walk.post("/password/reset", username="ben", token=token, password=SECOND)
    walk.expect("reset ben's password", reset, status=204)
    again = walk.post("/password/reset", username="ben", token=token, password=THIRD)
    walk.expect("with the same token again", again, status=401, reason="invalid")
    out = walk.post("/refresh", refresh_token=before["refresh_token"])
    walk.expect("refresh a log-in of before", out, status=401, reason="revoked")
    after = log_in(walk, "ben", SECOND)
    walk.expect("log in with the new password", after)
    walk.expect("call both, in the same second", *walk.both(after["access_token"]))

    two_at_once(walk)


def two_at_once(walk: Walk) -> None:
    """Use one reset token twice at the same moment."""
    token = mailed_token(walk, "ben")
    passwords = ("Race-First-Marble-1", "Race-Second-Marble-2")
    answers = walk.post_at_once(
        "/password/reset",
        *({"username": "ben", "token": token, "password": password} for password in passwords),
    )
    ranked = sorted(zip(answers, passwords, strict=True), key=lambda pair: pair[0].status)
    (winner, won), (loser, lost) = ranked
    walk.expect("two resets at once, with one token: one works", winner, status=204)
    walk.expect("the other does not", loser, status=401, reason="invalid")
    walk.expect("the winner's password is the password", log_in(walk, "ben", won))
    denied = log_in(walk, "ben", lost)
    walk.expect("the loser's is not", denied, status=401, reason="password_mismatch")


def mailed_token(walk: Walk, name: str) -> str:
    """Forget a password, and read the mail, which this service prints."""
    python = walk.services.python
    begin = python.log_size()
    walk.post("/password/forgot", username=name)
    mail = re.search(rf"^mail to {name}: (\S+)$", python.read_log(begin), re.MULTILINE)
    if mail is None:
        raise CannotGoOn(f"no mail to {name}")
    return mail[1]
