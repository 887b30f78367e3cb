"""`Claims` is a mapping that nobody can change."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

import donjon
from conftest import NOW, SECRET
from donjon import Claims, Keyring, TokenVerifier

CLAIMS = {
    "sub": "ann",
    "aud": ["api", "admin"],
    "exp": NOW + 60.75,
    "nbf": NOW - 1,
    "iat": NOW - 1,
    "roles": ["editor"],
    "profile": {"name": "Ann", "tags": ["a", "b"]},
    "big": 2**80,
    "none": None,
}


@pytest.fixture
def claims() -> Claims:
    keyring = Keyring.from_secret(SECRET)
    text = json.dumps(CLAIMS)
    verifier = TokenVerifier(keyring, issuer=None, audience="api", type=None, algorithms=["HS256"])
    return verifier.verify(donjon.sign_token(keyring, text), now=NOW)


def test_it_is_a_mapping(claims: Claims) -> None:
    assert isinstance(claims, Mapping)
    assert claims.to_dict() == CLAIMS
    assert dict(claims) == CLAIMS
    assert dict(**claims) == CLAIMS
    assert list(claims) == list(claims.keys()) == list(CLAIMS)
    assert list(claims.values()) == list(CLAIMS.values())
    assert list(claims.items()) == list(CLAIMS.items())
    assert len(claims) == len(CLAIMS)


def test_a_claim_is_found_or_not(claims: Claims) -> None:
    assert claims["profile"]["tags"] == ["a", "b"]
    assert claims.get("profile") == CLAIMS["profile"]
    assert claims.get("none", 1) is None
    assert claims.get("other") is None
    assert claims.get("other", 1) == 1
    assert "sub" in claims
    assert "other" not in claims
    with pytest.raises(KeyError, match="other"):
        claims["other"]


@pytest.mark.parametrize("name", [1, None, b"sub", ("sub",), "\ud800"])
def test_a_name_that_is_no_text_is_not_there(claims: Claims, name: object) -> None:
    assert name not in claims
    assert claims.get(name) is None  # type: ignore[call-overload]
    with pytest.raises(KeyError):
        claims[name]  # type: ignore[index]


def test_registered_claims_are_typed(claims: Claims) -> None:
    assert claims.subject == "ann"
    assert claims.issuer is None
    assert claims.audience == ("api", "admin")
    assert (claims.expires_at, claims.not_before, claims.issued_at) == (NOW + 60, NOW - 1, NOW - 1)
    assert claims.token_id is None
    assert claims.key_id is None


def test_nobody_can_change_it(claims: Claims) -> None:
    claims["roles"].append("admin")
    claims.to_dict()["sub"] = "eve"
    assert claims["roles"] == ["editor"]
    assert claims.roles == ("editor",)
    assert claims.subject == "ann"
    with pytest.raises(AttributeError):
        claims.subject = "eve"  # type: ignore[misc]
    with pytest.raises(TypeError):
        claims["sub"] = "eve"  # type: ignore[index]
    with pytest.raises(AttributeError):
        claims.other = 1  # type: ignore[attr-defined]


def test_nobody_can_make_one() -> None:
    with pytest.raises(TypeError):
        Claims()
    with pytest.raises(TypeError):
        type("Forged", (Claims,), {})


def test_it_equals_what_says_the_same(claims: Claims) -> None:
    assert claims == CLAIMS
    assert claims != {}
    other: object = "ann"
    assert claims != other
    with pytest.raises(TypeError):
        hash(claims)


def test_it_gives_the_signed_json(claims: Claims) -> None:
    assert claims.json == json.dumps(CLAIMS, separators=(",", ":"))
