"""`donjon.compat.jwt` beside the real PyJWT: the same verdicts, or stricter ones."""

from __future__ import annotations

import inspect
import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from types import ModuleType
from typing import Any

import jwt as pyjwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

import donjon
from conftest import MASTER, SECRET
from donjon.compat import jwt as ours

BOTH = pytest.mark.parametrize("jwt", [pyjwt, ours], ids=["pyjwt", "donjon"])
NOW = int(time.time())
CLAIMS = {"sub": "ann", "exp": NOW + 3600, "iat": NOW, "roles": ["editor"], "é": {"x": [1, 2.5]}}


def pem_pair(private: Any) -> tuple[str, str]:
    secret = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    public = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return secret.decode(), public.decode()


P256 = ec.generate_private_key(ec.SECP256R1())
ED25519 = ed25519.Ed25519PrivateKey.generate()
RSA = rsa.generate_private_key(65537, 2048)
KEYS: dict[str, tuple[Any, Any]] = {
    "HS256": (SECRET, SECRET),
    "HS384": (MASTER + SECRET, MASTER + SECRET),
    "HS512": (MASTER + SECRET, (MASTER + SECRET).encode()),
    "ES256": pem_pair(P256),
    "EdDSA": pem_pair(ED25519),
}


def outcome(jwt: ModuleType, call: str, *args: Any, **kwargs: Any) -> Any:
    """The value, or the name of the exception."""
    try:
        return getattr(jwt, call)(*args, **kwargs)
    except Exception as error:  # noqa: BLE001
        return type(error).__name__


@pytest.mark.parametrize("algorithm", KEYS)
@pytest.mark.parametrize(
    ("signer", "reader"),
    [(pyjwt, ours), (ours, pyjwt), (ours, ours)],
    ids=["pyjwt to donjon", "donjon to pyjwt", "donjon to donjon"],
)
def test_each_reads_what_the_other_signs(
    signer: ModuleType, reader: ModuleType, algorithm: str
) -> None:
    private, public = KEYS[algorithm]
    token = signer.encode(CLAIMS, private, algorithm=algorithm, headers={"kid": "k1"})
    assert reader.decode(token, public, algorithms=[algorithm]) == CLAIMS
    header = reader.get_unverified_header(token)
    assert header == {"alg": algorithm, "kid": "k1", "typ": "JWT"}


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES384"])
def test_tokens_of_identity_providers_verify(algorithm: str) -> None:
    key: Any = RSA if algorithm != "ES384" else ec.generate_private_key(ec.SECP384R1())
    private, public = pem_pair(key)
    token = pyjwt.encode(CLAIMS, private, algorithm=algorithm)
    assert ours.decode(token, public, algorithms=[algorithm]) == CLAIMS
    with pytest.raises(NotImplementedError):
        ours.encode(CLAIMS, private, algorithm=algorithm)


@BOTH
def test_keys_of_cryptography_are_keys(jwt: ModuleType) -> None:
    for private, algorithm in ((P256, "ES256"), (ED25519, "EdDSA")):
        token = jwt.encode(CLAIMS, private, algorithm=algorithm)
        assert jwt.decode(token, private.public_key(), algorithms=[algorithm]) == CLAIMS


@BOTH
def test_jwks_are_keys(jwt: ModuleType) -> None:
    jwk = {"kty": "oct", "k": MASTER, "kid": "k1", "alg": "HS256", "use": "sig"}
    others = [7, {}, {"kty": "XYZ"}]
    keys = jwt.PyJWKSet.from_json(json.dumps({"keys": [*others, jwk]}))
    key = keys["k1"]
    assert [k.key_id for k in keys] == ["k1"]
    assert (key.key_type, key.public_key_use, key.algorithm_name) == ("oct", "sig", "HS256")
    token = jwt.encode(CLAIMS, key)
    assert jwt.decode(token, key) == CLAIMS
    with pytest.raises(KeyError):
        keys["k2"]
    with pytest.raises(jwt.PyJWKSetError):
        jwt.PyJWKSet.from_dict({"keys": []})
    with pytest.raises(jwt.InvalidKeyError):
        jwt.PyJWK({"k": MASTER})


def test_a_key_of_a_strange_type_is_no_key() -> None:
    kinds: list[Any] = [["oct"], {}, 7, None]
    for kty in kinds:
        with pytest.raises(ours.InvalidKeyError):
            ours.PyJWK({"kty": kty, "k": MASTER})


def test_a_jwk_signs_with_its_own_algorithm_alone() -> None:
    secret = urlsafe_b64encode((MASTER + SECRET).encode()).decode().rstrip("=")
    key = ours.PyJWK({"kty": "oct", "k": secret, "alg": "HS256"})
    assert ours.get_unverified_header(ours.encode(CLAIMS, key, "HS256"))["alg"] == "HS256"
    for changes in ({"algorithm": "HS512"}, {"headers": {"alg": "HS512"}}):
        with pytest.raises(ours.InvalidKeyError):
            ours.encode(CLAIMS, key, **changes)


@BOTH
def test_decode_complete_has_all_three_parts(jwt: ModuleType) -> None:
    token = pyjwt.encode(CLAIMS, SECRET)
    parts = jwt.decode_complete(token, SECRET, algorithms=["HS256"])
    assert parts == pyjwt.decode_complete(token, SECRET, algorithms=["HS256"])


@BOTH
def test_datetimes_become_seconds(jwt: ModuleType) -> None:
    end = datetime.now(tz=timezone.utc) + timedelta(hours=1)
    token = jwt.encode({"exp": end}, SECRET)
    assert jwt.decode(token, SECRET, algorithms=["HS256"]) == {"exp": int(end.timestamp())}


@BOTH
def test_an_encoder_of_the_callers_is_used(jwt: ModuleType) -> None:
    class Encoder(json.JSONEncoder):
        def default(self, o: Any) -> Any:
            return sorted(o)

    token = jwt.encode({**CLAIMS, "set": {2, 1}}, SECRET, json_encoder=Encoder)
    assert jwt.decode(token, SECRET, algorithms=["HS256"])["set"] == [1, 2]


def signed(claims: dict[str, Any], **changes: Any) -> str:
    return pyjwt.encode({**CLAIMS, **claims}, SECRET, **changes)


def just_expired() -> str:
    """Made when it is asked for: the suite takes longer than any leeway."""
    return signed({"exp": int(time.time()) - 10})


CASES: dict[str, tuple[str | Callable[[], str], dict[str, Any], str]] = {
    "expired": (signed({"exp": NOW - 10}), {}, "ExpiredSignatureError"),
    "within the leeway": (just_expired, {"leeway": 60}, "ok"),
    "a leeway of a timedelta": (
        just_expired,
        {"leeway": timedelta(minutes=1)},
        "ok",
    ),
    "not yet": (signed({"nbf": NOW + 600}), {}, "ImmatureSignatureError"),
    "issued in the future": (signed({"iat": NOW + 600}), {}, "ImmatureSignatureError"),
    "forged": (signed({})[:-4] + "AAAA", {}, "InvalidSignatureError"),
    "another algorithm": (
        pyjwt.encode(CLAIMS, SECRET * 2, "HS512"),
        {},
        "InvalidAlgorithmError",
    ),
    "alg none": (pyjwt.encode(CLAIMS, "", None), {}, "InvalidAlgorithmError"),
    "no token": ("x", {}, "DecodeError"),
    "two parts": ("a.b", {}, "DecodeError"),
    "issuer": (signed({"iss": "a"}), {"issuer": "a"}, "ok"),
    "one of the issuers": (signed({"iss": "a"}), {"issuer": ["b", "a"]}, "ok"),
    "another issuer": (signed({"iss": "a"}), {"issuer": "b"}, "InvalidIssuerError"),
    "none of the issuers": (signed({"iss": "a"}), {"issuer": ["b"]}, "InvalidIssuerError"),
    "no issuer": (signed({}), {"issuer": "a"}, "MissingRequiredClaimError"),
    "none of the issuers' claims": (
        signed({}),
        {"issuer": ["a"]},
        "MissingRequiredClaimError",
    ),
    "no audience": (signed({}), {"audience": "a"}, "MissingRequiredClaimError"),
    "audience": (signed({"aud": "a"}), {"audience": "a"}, "ok"),
    "one of the audiences": (signed({"aud": ["a", "b"]}), {"audience": ["c", "b"]}, "ok"),
    "another audience": (signed({"aud": "a"}), {"audience": "b"}, "InvalidAudienceError"),
    "an audience that was not expected": (signed({"aud": "a"}), {}, "InvalidAudienceError"),
    "an audience that is not looked at": (
        signed({"aud": "a"}),
        {"options": {"verify_aud": False}},
        "ok",
    ),
    "a strict audience": (
        signed({"aud": ["a"]}),
        {"audience": "a", "options": {"strict_aud": True}},
        "InvalidAudienceError",
    ),
    "subject": (signed({}), {"subject": "ann"}, "ok"),
    "another subject": (signed({}), {"subject": "eve"}, "InvalidSubjectError"),
    "a required claim": (
        signed({}),
        {"options": {"require": ["exp", "jti"]}},
        "MissingRequiredClaimError",
    ),
    "no algorithms": (signed({}), {"algorithms": None}, "DecodeError"),
}


@pytest.mark.parametrize("case", CASES)
def test_both_come_to_the_same_verdict(case: str) -> None:
    token, options, verdict = CASES[case]
    arguments = {"algorithms": ["HS256"], **options}
    if callable(token):
        token = token()
    for jwt in (pyjwt, ours):
        found = outcome(jwt, "decode", token, SECRET, **arguments)
        assert found == verdict or (verdict == "ok" and isinstance(found, dict)), jwt.__name__


STRICTER: dict[str, tuple[str, dict[str, Any], str]] = {
    "no expiry": (
        pyjwt.encode({"sub": "ann"}, SECRET),
        {},
        "MissingRequiredClaimError",
    ),
    "a signature that is not looked at": (
        signed({}),
        {"options": {"verify_signature": False}},
        "NotImplementedError",
    ),
    "a time that is not looked at": (
        signed({"exp": 1}),
        {"options": {"verify_exp": False}},
        "NotImplementedError",
    ),
    "an option that does not exist": (
        signed({}),
        {"options": {"verify_audience": False}},
        "TypeError",
    ),
    "an exp of text": (signed({"exp": str(NOW + 3_600)}), {}, "DecodeError"),
    "an exp that is true": (signed({"iat": True}), {}, "DecodeError"),
    "a leeway of an hour": (signed({}), {"leeway": 3600}, "InvalidKeyError"),
    "a refresh token": (
        signed({}, headers={"typ": "rt+jwt"}),
        {},
        "InvalidTokenError",
    ),
    "an algorithm list as one text": (signed({}), {"algorithms": "HS256"}, "DecodeError"),
    "HMAC and public keys for one key": (
        signed({}),
        {"algorithms": ["HS256", "RS256"]},
        "InvalidKeyError",
    ),
}


@pytest.mark.parametrize("case", STRICTER)
def test_where_pyjwt_says_yes_donjon_does_not(case: str) -> None:
    token, options, verdict = STRICTER[case]
    arguments = {"algorithms": ["HS256"], **options}
    assert isinstance(outcome(pyjwt, "decode", token, SECRET, **arguments), dict)
    assert outcome(ours, "decode", token, SECRET, **arguments) == verdict


def test_expiry_can_be_waived_by_name() -> None:
    token = pyjwt.encode({"sub": "ann"}, SECRET)
    waived: dict[str, Any] = {"algorithms": ["HS256"], "options": {"require_exp": False}}
    assert ours.decode(token, SECRET, **waived) == {"sub": "ann"}
    with pytest.raises(ours.ExpiredSignatureError):
        ours.decode(signed({"exp": 1}), SECRET, **waived)


@pytest.mark.parametrize("secret", ["secret", "changeme" * 5, "", "x" * 64])
def test_weak_secrets_are_no_keys(secret: str) -> None:
    with pytest.raises(ours.InvalidKeyError):
        ours.encode(CLAIMS, secret)


def test_a_public_key_is_no_secret() -> None:
    _, public = KEYS["ES256"]
    with pytest.raises(ours.InvalidKeyError):
        ours.encode(CLAIMS, public, algorithm="HS256")


@pytest.mark.parametrize("kid", ["k2", "../../etc/passwd", "x" * 200, "\x00", "", 7, {"a": 1}])
def test_a_token_cannot_choose_the_key(kid: Any) -> None:
    header = {"alg": "HS256", "kid": kid, "typ": "JWT"}
    token = (
        pyjwt.api_jws.PyJWS().encode(json.dumps(CLAIMS).encode(), SECRET, "HS256", headers=header)
        if isinstance(kid, str)
        else _with_header(header)
    )
    key = ours.PyJWK({"kty": "oct", "k": MASTER, "kid": "k1", "alg": "HS256"})
    with pytest.raises(ours.InvalidTokenError):
        ours.decode(token, key)


def _with_header(header: dict[str, Any]) -> str:
    parts = (json.dumps(header).encode(), json.dumps(CLAIMS).encode(), b"x" * 32)
    return ".".join(urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


def test_a_number_that_python_does_not_read_is_an_invalid_token() -> None:
    claims = b'{"exp":%d,"n":%s}' % (NOW + 3600, b"1" * 5000)
    token = donjon.sign_token(donjon.Keyring.from_secret(SECRET, "HS256"), claims)
    with pytest.raises(ours.DecodeError):
        ours.decode(token, SECRET, algorithms=["HS256"])


def test_errors_keep_their_cause() -> None:
    with pytest.raises(ours.ExpiredSignatureError) as caught:
        ours.decode(signed({"exp": 1}), SECRET, algorithms=["HS256"])
    assert getattr(caught.value.__cause__, "reason", None) == "expired"


def test_the_exceptions_are_pyjwts() -> None:
    for name in (name for name in ours.__all__ if name.endswith("Error")):
        mine, theirs = getattr(ours, name), getattr(pyjwt.exceptions, name)
        assert [c.__name__ for c in mine.__mro__] == [c.__name__ for c in theirs.__mro__]
        assert getattr(ours.exceptions, name) is mine


@pytest.mark.parametrize("call", ["encode", "decode", "decode_complete", "get_unverified_header"])
def test_the_arguments_are_pyjwts(call: str) -> None:
    mine = list(inspect.signature(getattr(ours, call)).parameters)
    theirs = list(inspect.signature(getattr(pyjwt, call)).parameters)
    assert mine == [name for name in theirs if name != "kwargs"]


@BOTH
@pytest.mark.parametrize("payload", [None, "x", b"x", ["x"]])
def test_a_payload_is_a_dict(jwt: ModuleType, payload: Any) -> None:
    with pytest.raises(TypeError):
        jwt.encode(payload, SECRET)
