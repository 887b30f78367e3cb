"""Keyrings: made, read, rotated, published; never shown."""

from __future__ import annotations

import copy
import json
import pickle
from datetime import timedelta
from typing import Any

import pytest

import donjon
from conftest import MASTER, NOW, SECRET
from donjon import Keyring, TokenIssuer, TokenVerifier


def test_the_same_master_secret_gives_the_same_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DONJON_MASTER", MASTER)
    monkeypatch.setenv("OTHER_MASTER", MASTER)
    here, there, elsewhere = (
        Keyring.from_master(MASTER),
        Keyring.from_env(),
        Keyring.from_env("OTHER_MASTER"),
    )
    assert here.public_jwks() == there.public_jwks() == elsewhere.public_jwks()
    token = TokenIssuer(here, issuer=None, audience=None).access("ann")
    verifier = TokenVerifier(there, issuer=None, audience=None, type="at+jwt", algorithms=["EdDSA"])
    assert verifier.verify(token).subject == "ann"


def test_an_environment_without_the_variable_is_a_config_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("DONJON_MASTER", raising=False)
    with pytest.raises(donjon.ConfigError, match=r"DONJON_MASTER: .* not set") as caught:
        Keyring.from_env()
    assert caught.value.path == "DONJON_MASTER"
    monkeypatch.setenv("DONJON_MASTER", "")
    with pytest.raises(donjon.ConfigError) as empty:
        Keyring.from_env()
    assert "not set" not in str(empty.value)


def test_derived_keys_rotate_by_their_epoch() -> None:
    old = Keyring.from_master(MASTER)
    new = Keyring.from_master(
        MASTER, keys=[{"purpose": "token", "alg": "EdDSA", "epoch": 2, "oldest": 1}]
    )
    token = TokenIssuer(old, issuer=None, audience=None).access("ann")
    verifier = TokenVerifier(new, issuer=None, audience=None, type="at+jwt", algorithms=["EdDSA"])
    assert verifier.verify(token).subject == "ann"
    kids = [key["kid"] for key in old.summary() if key["purpose"] == "token"]
    with pytest.raises(donjon.ConfigError):
        old.destroy(str(kids[0]))


@pytest.mark.parametrize(
    "secret",
    ["short", "a" * 64, "changeme" * 8, "secret" * 8, "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2Vw"],
)
def test_a_weak_secret_is_refused(secret: str) -> None:
    with pytest.raises(donjon.ConfigError):
        Keyring.from_secret(secret)


def test_rotation_logs_nobody_out() -> None:
    before = Keyring.generate(now=NOW)
    token = TokenIssuer(before, issuer=None, audience=None).access("ann", ttl=3600, now=NOW)
    after = before.rotate(overlap=timedelta(minutes=30), now=NOW)

    def verify(keyring: Keyring, now: int) -> donjon.Claims:
        verifier = TokenVerifier(
            keyring, issuer=None, audience=None, type="at+jwt", algorithms=["EdDSA"]
        )
        return verifier.verify(token, now=now)

    assert verify(before, NOW).key_id == verify(after, NOW + 1799).key_id
    with pytest.raises(donjon.KeyExpired):
        verify(after, NOW + 1800)
    fresh = TokenIssuer(after, issuer=None, audience=None).access("ann", now=NOW)
    assert donjon.unverified_header(fresh)["kid"] != donjon.unverified_header(token)["kid"]


def test_a_change_leaves_the_old_keyring_as_it_was(keyring: Keyring) -> None:
    before = keyring.summary()
    assert keyring.rotate(overlap=60) is not keyring
    assert keyring.summary() == before


@pytest.mark.parametrize(
    ("change", "error"),
    [(Keyring.disable, donjon.KeyDisabled), (Keyring.destroy, donjon.KeyDestroyed)],
)
def test_a_key_can_be_taken_out(change: object, error: type[donjon.KeyRefused]) -> None:
    keyring = Keyring.generate()
    token = TokenIssuer(keyring, issuer=None, audience=None).access("ann")
    kid = donjon.unverified_header(token)["kid"]
    changed = change(keyring, kid)  # type: ignore[operator]
    verifier = TokenVerifier(
        changed, issuer=None, audience=None, type="at+jwt", algorithms=["EdDSA"]
    )
    with pytest.raises(error):
        verifier.verify(token)


def test_a_disabled_key_can_be_enabled() -> None:
    keyring = Keyring.generate()
    kid = str(keyring.summary()[0]["kid"])
    statuses = [key["status"] for key in keyring.disable(kid).enable(kid).summary()]
    assert "disabled" not in statuses


def test_only_public_keys_are_published(keyring: Keyring) -> None:
    published = json.loads(keyring.public_jwks(now=NOW))["keys"]
    assert published
    for key in published:
        assert key["kty"] == "OKP"
        assert not {"d", "k"} & set(key)


def test_a_keyring_survives_its_secret_export(keyring: Keyring) -> None:
    text = keyring.export_secret_jwks()
    for form in (text, text.encode(), json.loads(text)):
        again = Keyring.from_jwks(form)
        assert again.export_secret_jwks() == text
        assert again.summary() == keyring.summary()


def test_a_summary_has_no_key_material(keyring: Keyring) -> None:
    assert len(keyring) == len(keyring.summary())
    assert {name for key in keyring.summary() for name in key} == {
        "kid",
        "kty",
        "alg",
        "purpose",
        "status",
        "created_s",
        "not_after_s",
        "thumbprint",
    }


def test_a_key_can_be_added(keyring: Keyring) -> None:
    jwk = {"kty": "oct", "k": MASTER, "kid": "partner", "alg": "HS256"}
    assert len(keyring.add(jwk)) == len(keyring) + 1
    assert len(keyring.add(json.dumps(jwk))) == len(keyring) + 1
    with pytest.raises(donjon.ConfigError):
        keyring.add(jwk).add(jwk)


def test_keys_of_unknown_types_are_left_out() -> None:
    jwks = {"keys": [{"kty": "XYZ", "kid": "x"}, {"kty": "oct", "k": MASTER}]}
    assert len(Keyring.from_jwks(jwks)) == 1


@pytest.mark.parametrize(
    "jwks",
    [
        "",
        "{",
        "[]",
        '{"keys":{}}',
        '{"keys":[],"keys":[]}',
        '{"keys":[NaN]}',
        b"\xff",
        {},
        {"keys": 1},
    ],
)
def test_what_is_no_key_set_is_refused(jwks: str | bytes | dict[str, Any]) -> None:
    with pytest.raises(donjon.ConfigError):
        Keyring.from_jwks(jwks)


def test_an_unknown_key_is_a_distinct_error(keyring: Keyring) -> None:
    with pytest.raises(donjon.UnknownKey):
        keyring.disable("nobody")


def test_secrets_cannot_be_pickled_or_copied_by_accident(keyring: Keyring) -> None:
    for act in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            act(keyring)
    with pytest.raises(TypeError):
        pickle.dumps(TokenIssuer(keyring, issuer=None, audience=None))


def test_a_secret_may_have_a_key_id() -> None:
    assert Keyring.from_secret(SECRET, kid="old-stack").summary()[0]["kid"] == "old-stack"
    assert Keyring.from_secret(SECRET).summary()[0]["kid"] is None


def test_only_keys_of_stored_data_rotate_without_an_overlap() -> None:
    purposes = ["envelope", "blind-index", "settings", "password-pepper"]
    keyring = Keyring.generate(purposes=purposes, now=NOW)
    for purpose in purposes[:3]:
        (old,) = [
            key
            for key in keyring.rotate(purpose, now=NOW).summary()
            if key["status"] == "verify-only"
        ]
        assert (old["purpose"], old["not_after_s"]) == (purpose, None)
    for purpose in ("token", "password-pepper"):
        with pytest.raises(TypeError, match="overlap"):
            keyring.rotate(purpose)


def test_keys_are_generated_for_what_they_are_wanted_for() -> None:
    assert len(Keyring.generate(None)) == 0
    found = {key["purpose"] for key in Keyring.generate(None, purposes=["envelope"]).summary()}
    assert found == {"envelope"}
    with pytest.raises(donjon.ConfigError):
        Keyring.generate(purposes=["teapot"])
    with pytest.raises(TypeError):
        Keyring.generate(purposes="envelope")
