"""`token_sign`: the bytes of a token that donjon makes, for every algorithm that it signs with."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from . import keys
from .jose import compact, jws, parts
from .suite import NOW, Suite, claims, header, key_set, refusal


def request(signers: Any, kid: str | None, typ: str | None, body: Any) -> dict[str, Any]:
    return {"op": "token_sign", "keys": {"keys": signers}, "kid": kid, "typ": typ, "claims": body}


def suites() -> Iterator[Suite]:
    suite = Suite(
        "signing",
        "Tokens byte for byte: the header's members are alg, kid, typ; the claims are the caller's, compacted; ECDSA uses RFC 6979.",
        "RFC 7515 section 7.1, RFC 6979, RFC 8037",
    )
    signers = (keys.HS256, keys.HS384, keys.HS512, keys.ES256, keys.EDDSA)
    for key in signers:
        body = claims(permissions=["document:read", "document:*"], roles=["editor"])
        primary = key.private_jwk(purpose="token", status="primary")
        made = jws(header(key), body, key)
        suite.add(f"an access token under {key.alg}", request([primary], key.kid, "at+jwt", body), {"ok": True, "token": made})
        suite.add(f"the primary key signs where none is named, {key.alg}", request([primary], None, "at+jwt", body), {"ok": True, "token": made})
        suite.add(
            f"no type, {key.alg}",
            request([primary], key.kid, None, body),
            {"ok": True, "token": jws(header(key, typ=...), body, key)},
        )
        anonymous = keys.without(key, kid=True)
        suite.add(
            f"a primary key without an id, {key.alg}",
            request([anonymous.private_jwk(purpose="token", status="primary")], None, "rt+jwt", body),
            {"ok": True, "token": jws(header(anonymous, typ="rt+jwt"), body, anonymous)},
        )
        verify = {
            "op": "token_verify", "keys": key_set(key), "algorithms": [key.alg], "token": made, "now_s": NOW,
            "issuer": body["iss"], "audience": "api", "typ": "at+jwt", "leeway_s": 0, "require": ["sub", "jti", "permissions"],
        }
        suite.add(f"and verifies, {key.alg}", verify, {"ok": True, "claims": body})

    primary = keys.EDDSA.private_jwk(purpose="token", status="primary")
    older = keys.ES256.private_jwk(purpose="token", status="active")
    # Escapes stay as the caller wrote them, so only those are here that every JSON writer writes alike.
    awkward = {"sub": "ann", "quote": 'a "b" \\ c\n\t', "nested": {"a": [1, None, True, {}, [], ""]}, "": 0}
    suite.add(
        "claims of every type keep their order",
        request([primary], None, "at+jwt", awkward),
        {"ok": True, "token": jws(header(keys.EDDSA), compact(awkward), keys.EDDSA)},
    )
    suite.add("no claims at all", request([primary], None, "at+jwt", {}), {"ok": True, "token": jws(header(keys.EDDSA), {}, keys.EDDSA)})
    suite.add("another purpose's type", request([primary], None, "reset+jwt", {"sub": "ann"}), {"ok": True, "token": jws(header(keys.EDDSA, typ="reset+jwt"), {"sub": "ann"}, keys.EDDSA)})

    body = claims()
    refused = "invalid_argument|bad_claim_type|malformed"
    for name, bad in {"a list": [], "a string": "ann", "null": None, "a number": 7, "true": True}.items():
        suite.add(f"claims that are {name}", request([primary], None, "at+jwt", bad), refusal(refused))
    for name, change in MISTYPED.items():
        suite.add(f"minting {name}", request([primary], None, "at+jwt", claims(**change)), refusal("invalid_argument|bad_claim_type"), 18)
    suite.add("a key that the ring does not have", request([primary], "nobody", "at+jwt", body), refusal("unknown_key"))
    suite.add("a public key cannot sign", request([keys.EDDSA.jwk()], keys.EDDSA.kid, "at+jwt", body), refusal("unknown_key|config_error|alg_not_allowed"))
    suite.add("a public key cannot be primary", request([keys.EDDSA.jwk(purpose="token", status="primary")], None, "at+jwt", body), refusal("unknown_key|config_error|alg_not_allowed"))
    suite.add("two keys that could sign, none of them primary", request([older, keys.EDDSA.private_jwk(status="active")], None, "at+jwt", body), refusal("unknown_key|config_error"))
    disabled = keys.EDDSA.private_jwk(purpose="token", status="disabled")
    suite.add("a disabled key", request([disabled], keys.EDDSA.kid, "at+jwt", body), refusal("key_disabled"))
    binding = keys.STATE_BINDING.jwk(purpose="state-binding", status="primary")
    suite.add("a key of another purpose", request([primary, binding], keys.STATE_BINDING.kid, "at+jwt", body), refusal("unknown_key|alg_not_allowed"))
    assert len(parts(jws(header(keys.EDDSA), body, keys.EDDSA))) == 3
    yield suite


MISTYPED: dict[str, dict[str, Any]] = {
    "a subject that is a number": {"sub": 42},
    "a subject that is null": {"sub": None},
    "a subject that is a list": {"sub": ["ann"]},
    "a subject that is an object": {"sub": {"id": "ann"}},
    "a token id that is a number": {"jti": 1},
    "a token id that is a list": {"jti": ["a"]},
    "a token id that is null": {"jti": None},
    "permissions that are a string": {"permissions": "document:*"},
    "permissions that are an object": {"permissions": {"document": "*"}},
    "permissions that are null": {"permissions": None},
    "permissions that are true": {"permissions": True},
    "permissions with a number": {"permissions": ["document:read", 7]},
    "permissions with null": {"permissions": [None]},
    "permissions with a list": {"permissions": [["document:read"]]},
    "roles that are a string": {"roles": "admin"},
    "roles with an object": {"roles": [{"name": "admin"}]},
    "roles that are a number": {"roles": 0},
}
