"""Accounts that were brought along, with the hashes of the libraries that made them."""

from __future__ import annotations

from chapters.log_in import log_in
from walk import Walk

OWNER = "Nine-Copper-Kettles-8"
DAN = "Two-Hollow-Walnuts-5"


def tell(walk: Walk) -> None:
    """Walk through it."""
    wrong = log_in(walk, "olga", "Nine-Copper-Kettles-9")
    walk.expect("olga, of bcrypt, mistypes", wrong, status=401, reason="password_mismatch")
    for name, password, scheme in (("olga", OWNER, "bcrypt"), ("dan", DAN, "Django's PBKDF2")):
        first, second = log_in(walk, name, password), log_in(walk, name, password)
        hashed = f"password of {name} hashed anew"
        once = hashed in first.log and hashed not in second.log
        what = f"{name} logs in, of {scheme}, and again"
        walk.expect(what, first, second, note="hashed anew, once", holds=once)
