"""Access tokens: issued, verified, refused."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

import donjon
from conftest import AUDIENCE, ISSUER, NOW, PERMISSIONS, SECRET
from donjon import Keyring, TokenIssuer, TokenVerifier


def test_an_issued_token_verifies(issuer: TokenIssuer, verifier: TokenVerifier) -> None:
    token = issuer.access("ann", permissions=PERMISSIONS, roles=["editor"], now=NOW)
    claims = verifier.verify(token, now=NOW)
    assert claims.subject == "ann"
    assert claims.issuer == ISSUER
    assert claims.audience == (AUDIENCE,)
    assert claims.permissions == tuple(PERMISSIONS)
    assert claims.roles == ("editor",)
    assert (claims.issued_at, claims.expires_at) == (NOW, NOW + 30 * 60)
    assert claims.not_before is None
    assert claims.family is None
    assert claims.generation is None


def test_a_token_may_be_bytes(issuer: TokenIssuer, verifier: TokenVerifier) -> None:
    assert verifier.verify(issuer.access("ann").encode()).subject == "ann"


def test_the_clock_is_read_where_now_is_not_given(
    issuer: TokenIssuer, verifier: TokenVerifier
) -> None:
    assert verifier.verify(issuer.access("ann")).subject == "ann"
    with pytest.raises(donjon.ExpiredToken):
        verifier.verify(issuer.access("ann", now=NOW))


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512", "ES256", "EdDSA"])
def test_every_signing_algorithm_goes_round(algorithm: str) -> None:
    keyring = Keyring.generate(algorithm)
    token = TokenIssuer(keyring, issuer=None, audience=None).access("ann")
    verifier = TokenVerifier(
        keyring, issuer=None, audience=None, type="at+jwt", algorithms=[algorithm]
    )
    assert verifier.verify(token).subject == "ann"


def test_token_ids_do_not_repeat(issuer: TokenIssuer, verifier: TokenVerifier) -> None:
    ids = {verifier.verify(issuer.access("ann")).token_id for _ in range(100)}
    assert len(ids) == 100


def test_a_time_to_live_is_seconds_or_a_timedelta(
    issuer: TokenIssuer, verifier: TokenVerifier
) -> None:
    for ttl in (60, timedelta(minutes=1)):
        token = issuer.access("ann", ttl=ttl, now=NOW)
        assert verifier.verify(token, now=NOW).expires_at == NOW + 60


@pytest.mark.parametrize("ttl", [0, -1, timedelta(), timedelta(milliseconds=500)])
def test_a_time_to_live_of_nothing_is_not_the_default(
    issuer: TokenIssuer, ttl: int | timedelta
) -> None:
    with pytest.raises(donjon.InvalidArgument):
        issuer.access("ann", ttl=ttl)


def test_a_log_in_outlives_the_log_out_of_the_same_second(
    issuer: TokenIssuer, verifier: TokenVerifier
) -> None:
    old = verifier.verify(issuer.access("ann", now=NOW), now=NOW)
    new = verifier.verify(issuer.access("ann", revoked_since=NOW, now=NOW), now=NOW)
    donjon.check_revocation(new.issued_at, subject_since=NOW, store_since=0)
    with pytest.raises(donjon.TokenRevoked):
        donjon.check_revocation(old.issued_at, subject_since=NOW, store_since=0)


def test_an_absent_list_of_permissions_differs_from_an_empty_one(
    issuer: TokenIssuer, verifier: TokenVerifier
) -> None:
    absent, empty = issuer.access("ann"), issuer.access("ann", permissions=[])
    assert "permissions" not in verifier.verify(absent)
    assert verifier.verify(empty)["permissions"] == []
    assert verifier.verify(absent).permissions == verifier.verify(empty).permissions == ()


def test_further_claims_come_back(issuer: TokenIssuer, verifier: TokenVerifier) -> None:
    further = {
        "text": 'é "quoted" \u2028 \x00',
        "numbers": [0, -1, 2**53 + 1, 2**64 - 1, 0.1, 1e300],
        "nested": {"none": None, "yes": True, "no": False, "empty": [[], {}]},
    }
    claims = verifier.verify(issuer.access("ann", claims=further)).to_dict()
    assert {name: claims[name] for name in further} == further


@pytest.mark.parametrize("name", ["iss", "sub", "aud", "exp", "iat", "jti"])
def test_further_claims_cannot_name_registered_ones(issuer: TokenIssuer, name: str) -> None:
    with pytest.raises(donjon.InvalidArgument):
        issuer.access("ann", claims={name: "x"})


def test_permissions_are_given_once(issuer: TokenIssuer) -> None:
    with pytest.raises(donjon.DonjonError):
        issuer.access("ann", permissions=["a"], claims={"permissions": ["b"]})


def test_a_claim_over_the_limit_is_refused_when_minting(issuer: TokenIssuer) -> None:
    with pytest.raises(donjon.TooLarge):
        issuer.access("ann", claims={"x": "y" * 100_000})


@pytest.mark.parametrize(
    ("error", "options"),
    [
        (donjon.InvalidIssuer, {"issuer": "https://auth.example.evil.net"}),
        (donjon.InvalidAudience, {"audience": "ap"}),
        (donjon.WrongTokenType, {"type": "rt+jwt"}),
        (donjon.MissingClaim, {"require": ["nbf"]}),
        (donjon.AlgNotAllowed, {"algorithms": ["ES256"]}),
    ],
)
def test_what_was_not_expected_is_refused(
    keyring: Keyring, issuer: TokenIssuer, error: type[donjon.TokenError], options: dict[str, Any]
) -> None:
    expected = {
        "issuer": ISSUER,
        "audience": AUDIENCE,
        "type": "at+jwt",
        "algorithms": ["EdDSA"],
        **options,
    }
    with pytest.raises(error):
        TokenVerifier(keyring, **expected).verify(issuer.access("ann"))


def test_one_of_several_audiences_is_enough(keyring: Keyring) -> None:
    token = TokenIssuer(keyring, issuer=None, audience=["api", "admin"]).access("ann")
    for audience in ("admin", ["other", "api"], ("api",), {"api"}):
        verifier = TokenVerifier(
            keyring, issuer=None, audience=audience, type="at+jwt", algorithms=["EdDSA"]
        )
        assert verifier.verify(token).audience == ("api", "admin")


@pytest.mark.parametrize("missing", ["issuer", "audience", "type", "algorithms"])
def test_an_expectation_is_given_or_waived_and_never_forgotten(
    keyring: Keyring, missing: str
) -> None:
    expected = {"issuer": None, "audience": None, "type": "at+jwt", "algorithms": ["EdDSA"]}
    del expected[missing]
    with pytest.raises(TypeError, match=missing):
        TokenVerifier(keyring, **expected)  # type: ignore[arg-type]


def test_a_verifier_without_algorithms_is_refused(keyring: Keyring) -> None:
    with pytest.raises(donjon.ConfigError):
        TokenVerifier(keyring, issuer=None, audience=None, type=None, algorithms=[])


def test_leeway_moves_both_ends_and_has_a_bound(keyring: Keyring, issuer: TokenIssuer) -> None:
    token = issuer.access("ann", ttl=60, now=NOW)

    def verifier(leeway: int | timedelta) -> TokenVerifier:
        return TokenVerifier(
            keyring,
            issuer=ISSUER,
            audience=AUDIENCE,
            type="at+jwt",
            algorithms=["EdDSA"],
            leeway=leeway,
        )

    assert verifier(timedelta(seconds=5)).verify(token, now=NOW + 64).subject == "ann"
    with pytest.raises(donjon.ExpiredToken):
        verifier(5).verify(token, now=NOW + 65)
    with pytest.raises(donjon.ConfigError):
        verifier(301)


def test_expiry_is_required_unless_waived() -> None:
    keyring = Keyring.from_secret(SECRET)
    token = donjon.sign_token(keyring, {"sub": "ann"}, type="at+jwt")
    with pytest.raises(donjon.MissingClaim):
        _hs256(keyring).verify(token)
    assert _hs256(keyring, require_expiry=False).verify(token).expires_at is None
    with pytest.raises(TypeError):
        _hs256(keyring, require_expiry=False, require=["sub"])


def test_an_old_token_is_told_apart_by_its_claim() -> None:
    keyring = Keyring.from_secret(SECRET)
    verifier = _hs256(keyring, legacy_type_claim="token_type")
    for kind, accepted in (("access", True), ("refresh", False), (None, False)):
        claims = {"sub": "ann", "exp": NOW + 60} | ({"token_type": kind} if kind else {})
        token = donjon.sign_token(keyring, claims)
        if accepted:
            assert verifier.verify(token, now=NOW).subject == "ann"
        else:
            with pytest.raises(donjon.TokenError):
                verifier.verify(token, now=NOW)


def _hs256(keyring: Keyring, **options: object) -> TokenVerifier:
    expected = {"issuer": None, "audience": None, "type": "at+jwt", "algorithms": ["HS256"]}
    return TokenVerifier(keyring, **{**expected, **options})  # type: ignore[arg-type]


def test_a_verifier_takes_the_kernels_own_configuration(
    keyring: Keyring, issuer: TokenIssuer
) -> None:
    config = f'{{"issuer":"{ISSUER}","audience":"api","type":"at+jwt","algorithms":["EdDSA"]}}'
    verifier = TokenVerifier.from_config(keyring, config)
    assert verifier.verify(issuer.access("ann")).subject == "ann"
    with pytest.raises(donjon.ConfigError):
        TokenVerifier.from_config(keyring, config.replace("issuer", "isuer"))


def test_every_changed_character_is_noticed(issuer: TokenIssuer, verifier: TokenVerifier) -> None:
    token = issuer.access("ann")
    for at in range(len(token)):
        changed = token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :]
        with pytest.raises(donjon.TokenError):
            verifier.verify(changed)


def test_a_bare_jws_gives_its_payload(keyring: Keyring, issuer: TokenIssuer) -> None:
    jws = donjon.verify_jws(keyring, issuer.access("ann"), algorithms=["EdDSA"])
    assert b'"sub":"ann"' in jws.payload
    assert jws.algorithm == "EdDSA"
    assert jws.key_id == keyring.summary()[0]["kid"]
    with pytest.raises(donjon.AlgNotAllowed):
        donjon.verify_jws(keyring, issuer.access("ann"), algorithms=["ES256"])


def test_a_header_can_be_read_unverified(keyring: Keyring, issuer: TokenIssuer) -> None:
    kid = keyring.summary()[0]["kid"]
    header = donjon.unverified_header(issuer.access("ann"))
    assert header == {"alg": "EdDSA", "kid": kid, "typ": "at+jwt"}


def test_reprs_hold_no_secret(
    keyring: Keyring, issuer: TokenIssuer, verifier: TokenVerifier
) -> None:
    token = issuer.access("ann", claims={"email": "ann@example.org"})
    for thing in (keyring, issuer, verifier, issuer.begin_refresh("ann")):
        assert len(repr(thing)) < 40
    shown = repr(verifier.verify(token))
    assert shown.startswith("Claims(issuer='https://auth.example', subject='ann', expires_at=")
    assert "email" not in shown
