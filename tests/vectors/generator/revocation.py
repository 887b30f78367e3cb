"""The decision over revocation facts (FORMATS.md, Revocation)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .suite import NOW, Suite, refusal


def suites() -> Iterator[Suite]:
    suite = Suite("revocation", "Refused when the token, its family or its key is revoked, or when it was issued too early.", "FORMATS.md, Revocation; ATTACKS.md 13, 20 and 52a")
    clean: dict[str, Any] = {
        "op": "revocation_check", "issued_at_s": NOW, "subject_since_s": None, "store_since_s": NOW - 86400, "skew_s": 2,
        "token_revoked": False, "family_revoked": False, "key_revoked": False,
    }

    def check(name: str, error: str | None, attack: int | None = None, **facts: Any) -> None:
        suite.add(name, clean | facts, refusal(error) if error else {"ok": True}, attack)

    check("nothing speaks against it", None)
    check("the token is revoked", "revoked", 13, token_revoked=True)
    check("its family is revoked", "revoked", 20, family_revoked=True)
    check("its key is revoked", "revoked", key_revoked=True)
    check("all three", "revoked", token_revoked=True, family_revoked=True, key_revoked=True)
    for skew in (0, 1, 2, 300):
        check(f"skew {skew}: issued long before the subject was logged out everywhere", "revoked", subject_since_s=NOW + 10000, skew_s=skew)
        check(f"skew {skew}: issued a second before", "revoked", subject_since_s=NOW + 1, skew_s=skew)
        check(f"skew {skew}: issued in the same second", "revoked", subject_since_s=NOW, skew_s=skew)
        check(f"skew {skew}: issued at the end of the skew", "revoked", subject_since_s=NOW - skew, skew_s=skew)
        check(f"skew {skew}: issued a second after the skew, as the issuer stamps it", None, subject_since_s=NOW - skew - 1, skew_s=skew)
        check(f"skew {skew}: issued long after", None, subject_since_s=NOW - 10000, skew_s=skew)
    check("the store's marker is missing", "revoked", 20, store_since_s=None)
    check("the store was flushed after the token was issued", "revoked", store_since_s=NOW + 1000)
    check("the store was restored long after the token was issued", "revoked", store_since_s=NOW + 10**9)
    check("the store's marker is long before the token", None, store_since_s=0)
    check("no issue time where the subject was logged out", "missing_claim|revoked", issued_at_s=None, subject_since_s=NOW - 10000)
    check("no issue time", "missing_claim", issued_at_s=None)
    check("no issue time, and the token is revoked", "revoked|missing_claim", issued_at_s=None, token_revoked=True)
    check("negative skew", "invalid_argument", skew_s=-1)
    check("a skew over 300", "invalid_argument", skew_s=301)
    check("a skew of the greatest of 64 bits does not wrap", "invalid_argument", skew_s=2**63 - 1)
    check("a log-out at the end of time does not wrap", "revoked", subject_since_s=2**63 - 1)
    check("issued at the end of time", None, issued_at_s=2**63 - 1, subject_since_s=NOW)
    check("issued at the end of time, logged out at the end of time", "revoked", issued_at_s=2**63 - 1, subject_since_s=2**63 - 1)
    check("issued in 1970", "revoked", issued_at_s=0, subject_since_s=0)
    yield suite
