"""ATTACKS.md 15 to 18: claims of the wrong type, at the wrong time, from and for somebody else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from .jose import compact, jws, parts
from .keys import EDDSA, HS256
from .signing import MISTYPED
from .suite import ISSUER, NOW, Suite, claims, header, token

MAX = 9223372036854775807


def suites() -> Iterator[Suite]:
    yield times()
    yield names()
    yield order()


def raw(member: str, text: str) -> str:
    """The good claims with `member` spelled as `text`, so that the number's spelling survives."""
    return compact(claims(**{member: ...}))[:-1] + f',"{member}":{text}' + "}"


def times() -> Suite:
    suite = Suite("attacks-times", "exp, nbf and iat: their types, their exact comparison with now, their absence.", "ATTACKS.md 15 and 16, RFC 7519 sections 2 and 4.1, CVE-2026-25537")
    wrong = {
        "a string": '"1700000600"', "an empty string": '""', "a word": '"never"', "null": "null", "true": "true", "false": "false",
        "a list": "[1700000600]", "an empty list": "[]", "an object": '{"s":1700000600}', "negative": "-1", "negative and a fraction": "-0.5",
        "negative and over 64 bits": "-9223372036854775809", "just over 64 bits": "9223372036854775808", "two to the 64th": "18446744073709551616",
        "a googol": "1" + "0" * 100, "over the range of a double": "1e400", "over 64 bits in an exponent": "1e19", "the least of 64 bits": "-9223372036854775808",
        "over 64 bits with a fraction": "9223372036854775808.5", "negative in an exponent": "-17e8",
    }
    for member in ("exp", "nbf", "iat"):
        for name, text in wrong.items():
            suite.claim(f"{member}: {name}", raw(member, text), error="bad_claim_type", attack=15)
        for name in ("a string", "null", "true", "negative", "just over 64 bits", "over the range of a double"):
            whole = jws(header(HS256), raw(member, wrong[name]), HS256)
            suite.verify(f"{member}: {name}, where nothing is required", whole, HS256, ["HS256"], require=None, error="bad_claim_type", attack=15)
            suite.verify(f"{member}: {name}, where everything is waived", whole, HS256, ["HS256"], require=None, issuer=None, audience=None, typ=None, error="bad_claim_type", attack=15)

    # (claim, its text, now, the answer): a fraction is compared exactly (RFC 7519's NumericDate), never through a double.
    big = 9007199254740993
    exact: list[tuple[str, str, str, int, str | None]] = [
        ("half a second left", "exp", "1700000000.5", NOW, None),
        ("half a second over", "exp", "1699999999.5", NOW, "expired"),
        ("a fraction of zero is no fraction", "exp", "1700000000.0", NOW, "expired"),
        ("a fraction of many zeros", "exp", "1700000000." + "0" * 40, NOW, "expired"),
        ("the smallest of fractions", "exp", "1700000000." + "0" * 40 + "1", NOW, None),
        ("nines that a double would round up", "exp", "1699999999." + "9" * 30, NOW, "expired"),
        ("an exponent", "exp", "1.7000006e9", NOW, None),
        ("an exponent that is now", "exp", "17e8", NOW, "expired"),
        ("an exponent with a plus", "exp", "17E+8", NOW, "expired"),
        ("an exponent and a fraction", "exp", "17000000005e-1", NOW, None),
        ("2^53 + 1, a second before", "exp", str(big), big - 1, None),
        ("2^53 + 1, at the second", "exp", str(big), big, "expired"),
        ("2^53 + 1 and a half, at the second", "exp", f"{big}.5", big, None),
        ("the greatest of 64 bits", "exp", str(MAX), NOW, None),
        ("the greatest of 64 bits, a second before", "exp", str(MAX), MAX - 1, None),
        ("the greatest of 64 bits, at the second", "exp", str(MAX), MAX, "expired"),
        ("zero", "exp", "0", NOW, "expired"),
        ("half a second to go", "nbf", "1700000000.5", NOW, "not_yet_valid"),
        ("half a second to go, a second later", "nbf", "1700000000.5", NOW + 1, None),
        ("at the second", "nbf", "1700000000.0", NOW, None),
        ("the smallest of fractions", "nbf", "1700000000." + "0" * 40 + "1", NOW, "not_yet_valid"),
        ("an exponent", "nbf", "17e8", NOW, None),
        ("zero", "nbf", "0", NOW, None),
        ("the greatest of 64 bits", "nbf", str(MAX), NOW, "not_yet_valid"),
        ("a fraction", "iat", "1699999999.25", NOW, None),
        ("zero", "iat", "0", NOW, None),
    ]
    for name, member, text, now, error in exact:
        whole = raw(member, text)
        expected: dict[str, Any] = {}
        if error is None:
            expected = {"ok": json.loads(whole)}
        suite.claim(f"{member}, {name}", whole, now_s=now, error=error, attack=15, **expected)

    suite.claim("exp missing", {"exp": ...}, error="missing_claim", attack=16)
    suite.claim("exp missing, an empty list of required claims", {"exp": ...}, require=[], error="missing_claim", attack=16)
    suite.claim("exp missing, and no word on required claims", {"exp": ...}, require=..., error="missing_claim", attack=16)
    suite.claim("exp missing and waived", {"exp": ...}, require=None, attack=16)
    suite.claim("exp there and past, though waived", {"exp": NOW - 1}, require=None, error="expired", attack=16)
    suite.claim("exp a second from now", {"exp": NOW + 1}, attack=16)
    suite.claim("exp is now", {"exp": NOW}, error="expired", attack=16)
    suite.claim("exp a second ago", {"exp": NOW - 1}, error="expired", attack=16)
    suite.claim("exp long ago", {"exp": 1}, error="expired", attack=16)
    suite.claim("nbf is now", {"nbf": NOW}, attack=16)
    suite.claim("nbf a second ago", {"nbf": NOW - 1}, attack=16)
    suite.claim("nbf a second from now", {"nbf": NOW + 1}, error="not_yet_valid", attack=16)
    suite.claim("nbf long from now", {"nbf": NOW + 86400}, error="not_yet_valid", attack=16)
    suite.claim("no nbf, no iat", {"iat": ...}, attack=16)
    # A log-in in the second of "log out everywhere" is stamped up to 3 s ahead (FORMATS.md); that much future is no error.
    suite.claim("iat is now", {"iat": NOW}, attack=16)
    suite.claim("iat three seconds from now", {"iat": NOW + 3}, attack=16)
    suite.claim("iat four seconds from now", {"iat": NOW + 4}, error="not_yet_valid", attack=16)
    suite.claim("iat a day from now", {"iat": NOW + 86400, "exp": NOW + 90000}, error="not_yet_valid", attack=16)
    suite.claim("iat thirteen seconds from now, leeway ten", {"iat": NOW + 13}, leeway_s=10, attack=16)
    suite.claim("iat fourteen seconds from now, leeway ten", {"iat": NOW + 14}, leeway_s=10, error="not_yet_valid", attack=16)
    for leeway in (1, 10, 300):
        suite.claim(f"leeway {leeway}: expired within it", {"exp": NOW - leeway + 1}, leeway_s=leeway, attack=16)
        suite.claim(f"leeway {leeway}: expired at its end", {"exp": NOW - leeway}, leeway_s=leeway, error="expired", attack=16)
        suite.claim(f"leeway {leeway}: not yet valid within it", {"nbf": NOW + leeway}, leeway_s=leeway, attack=16)
        suite.claim(f"leeway {leeway}: not yet valid beyond it", {"nbf": NOW + leeway + 1}, leeway_s=leeway, error="not_yet_valid", attack=16)
    for name, leeway in {"301 seconds": 301, "a day": 86400, "negative": -1, "a fraction": 0.5, "a string": "10", "null": None, "true": True, "the greatest of 64 bits": MAX}.items():
        suite.claim(f"a leeway that is {name}", {}, leeway_s=leeway, error="config_error", attack=16)
    suite.claim("no leeway given is none", {"exp": NOW}, leeway_s=..., error="expired", attack=16)
    for name in ("sub", "jti", "iat", "permissions", "tenant"):
        suite.claim(f"{name} is required and missing", {name: ...}, require=[name], error="missing_claim", attack=16)
    suite.claim("a required claim of the caller's is there", {"tenant": "t1"}, require=["tenant", "sub"], attack=16)
    suite.claim("one of two required claims is missing", {"tenant": "t1"}, require=["tenant", "region"], error="missing_claim", attack=16)
    for name, value in {"a string": "sub", "a number": 1, "an object": {"sub": True}, "a list with a number": ["sub", 1], "false": False}.items():
        suite.claim(f"required claims that are {name}", {}, require=value, error="config_error", attack=16)
    return suite


def names() -> Suite:
    suite = Suite("attacks-claims", "Issuers and audiences that nearly fit, and claims of the wrong type.", "ATTACKS.md 17 and 18, RFC 7519 section 4.1, CVE-2020-26160, CVE-2024-53861")
    near = {
        "cut short": ISSUER[:-1], "longer": ISSUER + ".evil.net", "a slash after it": ISSUER + "/", "its prefix": "https://issuer", "its suffix": "issuer.example",
        "one letter of it": "h", "empty": "", "in upper case": ISSUER.upper(), "another scheme": ISSUER.replace("https", "http"),
        "a space after it": ISSUER + " ", "a space before it": " " + ISSUER, "a NUL after it": ISSUER + "\u0000", "a line feed after it": ISSUER + "\n",
        "a user before the host": "https://issuer.example@evil.net", "a port": ISSUER + ":443", "a look-alike": "https://issuer.ex\u0430mple", "a zero-width space": ISSUER + "\u200b",
        "two of them": f"{ISSUER} {ISSUER}", "somebody else": "https://other.example",
    }
    for name, issuer in near.items():
        suite.claim(f"issuer: {name}", {"iss": issuer}, error="invalid_issuer", attack=17)
    suite.claim("issuer: missing", {"iss": ...}, error="invalid_issuer|missing_claim", attack=17)
    for name, value in {"a list with it": [ISSUER], "an object": {"iss": ISSUER}, "a number": 1, "null": None, "true": True}.items():
        suite.claim(f"issuer: {name}", {"iss": value}, error="invalid_issuer|bad_claim_type", attack=17)
        suite.claim(f"issuer: {name}, where the issuer is waived", {"iss": value}, issuer=None, error="bad_claim_type|invalid_issuer", attack=17)
    suite.claim("issuer: any, where it is waived", {"iss": "https://other.example"}, issuer=None, attack=17)
    suite.claim("issuer: none, where it is waived", {"iss": ...}, issuer=None, attack=17)
    for expected, given in (("ab", "a"), ("a", "ab"), ("abc", "b"), ("https://a.example/tenant", "https://a.example"), ("", "x")):
        suite.claim(f"issuer {given!r} where {expected!r} is expected", {"iss": given}, issuer=expected, error="invalid_issuer|config_error" if expected == "" else "invalid_issuer", attack=17)
    for name, value in {"absent": ..., "a list": [ISSUER], "a number": 1, "true": True, "an object": {}}.items():
        suite.claim(f"an expected issuer that is {name}", {}, issuer=value, error="config_error", attack=17)

    audiences: dict[str, Any] = {
        "an empty list": [], "an empty string": "", "another": "apj", "cut short": "ap", "longer": "api2", "its first letter": "a", "in upper case": "API",
        "a space after it": "api ", "a list of others": ["web", "app"], "a list with its prefix": ["ap"], "a list with an empty string": [""], "a comma list": "web,api", "a space list": "web api",
        "a list in a string": '["api"]', "a path": "api/", "a look-alike": "\u0430pi",
    }
    for name, audience in audiences.items():
        suite.claim(f"audience: {name}", {"aud": audience}, error="invalid_audience", attack=17)
        suite.claim(f"audience: {name}, several expected", {"aud": audience}, audience=["api", "billing"], error="invalid_audience", attack=17)
    mixed: dict[str, Any] = {"a list with it and a number": ["api", 1], "a list with a number and it": [1, "api"], "a list with it and null": ["api", None], "a list with it and a list": ["api", ["api"]], "a list in a list": [["api"]], "a list with an object": [{"api": True}]}
    for name, audience in mixed.items():
        suite.claim(f"audience: {name}", {"aud": audience}, error="invalid_audience", attack=17)
        suite.claim(f"audience: {name}, where the audience is waived", {"aud": audience}, audience=None, error="invalid_audience|bad_claim_type", attack=17)
    for name, audience in {"a number": 1, "null": None, "true": True, "an object": {"api": True}}.items():
        suite.claim(f"audience: {name}", {"aud": audience}, error="invalid_audience|bad_claim_type", attack=17)
        suite.claim(f"audience: {name}, where the audience is waived", {"aud": audience}, audience=None, error="invalid_audience|bad_claim_type", attack=17)
    suite.claim("audience: missing", {"aud": ...}, error="invalid_audience|missing_claim", attack=17)
    suite.claim("audience: none, where it is waived", {"aud": ...}, audience=None, attack=17)
    suite.claim("audience: any, where it is waived", {"aud": ["web", "app"]}, audience=None, attack=17)
    suite.claim("audience: a list of one", {"aud": ["api"]}, attack=17)
    suite.claim("audience: a list with it at its end", {"aud": ["web", "app", "api"]}, attack=17)
    suite.claim("audience: the second of the expected", {"aud": "billing"}, audience=["api", "billing"], attack=17)
    suite.claim("audience: a list that meets the expected in one", {"aud": ["web", "billing"]}, audience=["api", "billing"], attack=17)
    for name, value in {"absent": ..., "an empty list": [], "a number": 1, "a list with a number": ["api", 1], "true": True, "an object": {}}.items():
        suite.claim(f"an expected audience that is {name}", {}, audience=value, error="config_error", attack=17)

    for name, change in MISTYPED.items():
        suite.claim(f"verifying {name}", change, error="bad_claim_type", attack=18)
        suite.claim(f"verifying {name}, where everything is waived", change, require=None, issuer=None, audience=None, typ=None, error="bad_claim_type", attack=18)
    good: dict[str, dict[str, Any]] = {
        "no permissions": {"permissions": []}, "permissions and roles": {"permissions": ["document:read", "a:*"], "roles": ["editor", "viewer"]},
        "claims of the caller's of every type": {"x": None, "y": {"z": [1, "a", False]}, "tenant": 7}, "an empty subject is a string": {"sub": ""}, "a long subject": {"sub": "s" * 500},
    }
    for name, change in good.items():
        suite.claim(f"verifying {name}", change, attack=18)
    suite.claim("verifying without a subject that is not required", {"sub": ...}, require=[], attack=18)
    return suite


def order() -> Suite:
    suite = Suite("order", "Which refusal wins: signature before type before time before issuer before audience before the rest.", "ATTACKS.md (a signature failure outranks every claim error), DESIGN.md")
    broken: dict[str, dict[str, Any]] = {
        "expired": {"exp": NOW - 1}, "not yet valid": {"nbf": NOW + 60}, "from another issuer": {"iss": "x"}, "for another audience": {"aud": "x"},
        "without a subject": {"sub": ...}, "with a mistyped subject": {"sub": 1}, "with everything wrong": {"exp": NOW - 1, "iss": "x", "aud": "x", "sub": ...},
    }
    for key in (HS256, EDDSA):
        for name, change in broken.items():
            good = token(key, {}, change)
            flipped = good[:-4] + ("AAAA" if not good.endswith("AAAA") else "BBBA")
            suite.verify(f"forged and {name}, {key.alg}", flipped, key, [key.alg], error="bad_signature")
            wrong_type = jws(header(key, typ="rt+jwt"), claims(**change), key)
            if "sub" not in change or change["sub"] is ...:
                suite.verify(f"of another type and {name}, {key.alg}", wrong_type, key, [key.alg], error="wrong_token_type")
    suite.claim("mistyped and of another type", {"sub": 1}, typ="rt+jwt", error="bad_claim_type")
    suite.claim("expired, issuer, audience and requirement wrong", {"exp": NOW, "iss": "x", "aud": "x", "sub": ...}, error="expired")
    suite.claim("not yet valid, issuer and audience wrong", {"nbf": NOW + 1, "iss": "x", "aud": "x"}, error="not_yet_valid")
    suite.claim("issuer and audience wrong", {"iss": "x", "aud": "x"}, error="invalid_issuer")
    suite.claim("audience wrong and a requirement missing", {"aud": "x", "sub": ...}, error="invalid_audience")
    head = parts(token(HS256))[0]
    suite.verify("an unknown key outranks the signature", jws({"alg": "HS256", "kid": "nobody", "typ": "at+jwt"}, claims(exp=1), None, sig=bytes(32)), HS256, ["HS256"], error="unknown_key")
    suite.verify("an algorithm that is not allowed outranks an unknown key", jws({"alg": "RS256", "kid": "nobody", "typ": "at+jwt"}, claims(), None, sig=bytes(32)), HS256, ["HS256"], error="alg_not_allowed")
    suite.verify("a malformed payload under a forged signature is forged", f"{head}.{parts(jws({}, b'{', None))[1]}.{'A' * 43}", HS256, ["HS256"], error="bad_signature")
    suite.verify("configuration is looked at before the token", "not a token", HS256, ["HS256"], issuer=..., error="config_error")
    suite.verify("keys are looked at before the configuration", "not a token", {"keys": [HS256.jwk(), HS256.jwk()]}, [], error="config_error")
    return suite
