"""ATTACKS.md 19: a token of one type is never a token of another."""

from __future__ import annotations

from collections.abc import Iterator

from .jose import jws
from .keys import EDDSA, HS256
from .suite import Suite, claims, header, token

TYPES = ["at+jwt", "rt+jwt", "reset+jwt", "verify-email+jwt", "invite+jwt", "device+jwt"]


def suites() -> Iterator[Suite]:
    suite = Suite("attacks-types", "Every pair of token types, and types that are kept in a claim.", "ATTACKS.md 19, RFC 8725 section 3.11, RFC 9068 section 4")
    for expected in TYPES:
        for given in TYPES:
            name = f"{given} where {expected} is expected"
            text = token(EDDSA, {"typ": given})
            suite.verify(name, text, EDDSA, ["EdDSA"], typ=expected, error=None if given == expected else "wrong_token_type", attack=19)
    near = {
        "no type": ..., "JWT": "JWT", "jwt": "jwt", "empty": "", "cut short": "at+jw", "longer": "at+jwts", "only its suffix": "+jwt", "a space after it": "at+jwt ",
        "a parameter": "at+jwt; charset=utf-8", "another tree": "text/at+jwt", "two of them": "at+jwt,rt+jwt", "a NUL after it": "at+jwt\u0000", "JOSE": "JOSE", "application/jwt": "application/jwt", "application/rt+jwt": "application/rt+jwt",
    }
    for name, typ in near.items():
        suite.verify(f"{name} where at+jwt is expected", token(EDDSA, {"typ": typ}), EDDSA, ["EdDSA"], error="wrong_token_type", attack=19)
    # RFC 9068 section 4, step 1: "at+jwt" or "application/at+jwt".
    suite.verify("application/at+jwt where at+jwt is expected", token(EDDSA, {"typ": "application/at+jwt"}), EDDSA, ["EdDSA"], attack=19)
    # Media types are compared without regard to case (RFC 7515 section 4.1.9, RFC 2045 section 5.1).
    suite.verify("AT+JWT where at+jwt is expected", token(EDDSA, {"typ": "AT+JWT"}), EDDSA, ["EdDSA"], attack=19)
    for name, value in {"a number": 1, "null": None, "a list": ["at+jwt"], "true": True}.items():
        suite.verify(f"a type that is {name}", jws(header(EDDSA, typ=...) | {"typ": value}, claims(), EDDSA), EDDSA, ["EdDSA"], error="malformed|wrong_token_type", attack=19)
    suite.verify("a type in the claims is not the token's type", jws(header(EDDSA, typ=...), claims(typ="at+jwt"), EDDSA), EDDSA, ["EdDSA"], error="wrong_token_type", attack=19)
    for given in [*TYPES, "JWT", ...]:
        shown = "no type" if given is ... else given
        suite.verify(f"{shown} where the type is waived", token(EDDSA, {"typ": given}), EDDSA, ["EdDSA"], typ=None, attack=19)
    for name, value in {"absent": ..., "a number": 1, "a list": ["at+jwt"], "true": True, "an object": {}}.items():
        suite.verify(f"an expected type that is {name}", token(EDDSA), EDDSA, ["EdDSA"], typ=value, error="config_error", attack=19)

    # FORMATS.md: legacy_type_claim names the claim that the old stacks kept the type in; it is then mandatory.
    words = {"at+jwt": "access", "rt+jwt": "refresh", "reset+jwt": "reset"}
    for name in ("token_type", "type"):

        def check(what: str, expected: str, change: dict[str, object], error: str | None, name: str = name, typ: object = "JWT") -> None:
            text = jws(header(HS256, typ=typ), claims(**change), HS256)
            suite.verify(f"{name}: {what}", text, HS256, ["HS256"], typ=expected, legacy_type_claim=name, error=error, ok=claims(**change), attack=19)

        for expected, word in words.items():
            for other in words.values():
                check(f"{other} where {expected} is expected", expected, {name: other}, None if other == word else "wrong_token_type")
        check("access under no type in the header", "at+jwt", {name: "access"}, None, typ=...)
        check("access under its type in the header", "at+jwt", {name: "access"}, None, typ="at+jwt")
        check("access under another type in the header", "at+jwt", {name: "access"}, "wrong_token_type", typ="rt+jwt")
        check("another type in the header and missing", "at+jwt", {}, "wrong_token_type|missing_claim", typ="rt+jwt")
        check("the type in the header and missing", "at+jwt", {}, "wrong_token_type|missing_claim", typ="at+jwt")
        check("in upper case", "at+jwt", {name: "ACCESS"}, "wrong_token_type")
        check("longer", "at+jwt", {name: "access2"}, "wrong_token_type")
        check("empty", "at+jwt", {name: ""}, "wrong_token_type")
        check("the media type", "at+jwt", {name: "at+jwt"}, "wrong_token_type")
        check("missing", "at+jwt", {}, "wrong_token_type|missing_claim")
        check("in another claim", "at+jwt", {"kind": "access"}, "wrong_token_type|missing_claim")
        for what, value in {"a number": 1, "null": None, "true": True, "a list with it": ["access"], "an object": {}}.items():
            check(what, "at+jwt", {name: value}, "wrong_token_type|bad_claim_type")
    legacy = jws(header(HS256, typ="JWT"), claims(token_type="access"), HS256)
    suite.verify("a legacy claim without a type to stand for", legacy, HS256, ["HS256"], typ=None, legacy_type_claim="token_type", error="config_error", attack=19)
    suite.verify("no legacy claim", legacy, HS256, ["HS256"], error="wrong_token_type", attack=19)
    for what, value in {"empty": "", "a list": ["token_type"], "an object": {"name": "token_type"}, "a number": 1, "true": True}.items():
        suite.verify(f"a legacy claim that is {what}", legacy, HS256, ["HS256"], legacy_type_claim=value, error="config_error", attack=19)
    yield suite
