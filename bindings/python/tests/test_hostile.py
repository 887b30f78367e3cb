"""What a careless or hostile caller passes: wrong types, huge values, half characters."""

from __future__ import annotations

import enum
import gc
import weakref
from collections import OrderedDict
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import pytest

import donjon
from conftest import AUDIENCE, ISSUER, NOW, SECRET
from donjon import Keyring, TokenIssuer, TokenVerifier


class Text(str):
    """Claims to be another text than it is."""

    __slots__ = ()

    def __str__(self) -> str:
        return "eve"

    def encode(self, *_: object) -> bytes:
        return b"eve"

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = str.__hash__


class Blob(bytes):
    def __bytes__(self) -> bytes:
        return b"eve"

    def __len__(self) -> int:
        return 10**12


class Number(int):
    def __int__(self) -> int:
        return 0

    def __index__(self) -> int:
        return 0


class Verb(str, enum.Enum):
    READ = "document:read"


@pytest.mark.parametrize(
    "token", [None, 1, True, 1.5, [], {}, object(), bytearray(b"a.b.c"), memoryview(b"a.b.c")]
)
def test_a_token_is_str_or_bytes(verifier: TokenVerifier, token: Any) -> None:
    with pytest.raises(TypeError, match="expected str or bytes"):
        verifier.verify(token)


@pytest.mark.parametrize(
    "token",
    ["", ".", "..", "\ud800.\udfff.x", b"\xff\xfe.\x00.", "é.é.é", "a.b.c\n", "a.b.c\x00", "=.=.="],
)
def test_junk_is_a_token_error(verifier: TokenVerifier, token: str | bytes) -> None:
    with pytest.raises(donjon.TokenError):
        verifier.verify(token)


@pytest.mark.parametrize("huge", ["." * 10**7, "A" * 10**7, b"A" * 10**7, "a.b." + "c" * 10**7])
def test_a_huge_token_is_refused_at_once(verifier: TokenVerifier, huge: str | bytes) -> None:
    with pytest.raises((donjon.TooLarge, donjon.MalformedToken)):
        verifier.verify(huge)


def test_the_error_does_not_show_the_token(verifier: TokenVerifier) -> None:
    with pytest.raises(donjon.TokenError) as caught:
        verifier.verify("topsecret.topsecret.topsecret")
    assert "topsecret" not in str(caught.value)
    with pytest.raises(TypeError) as wrong:
        verifier.verify(["topsecret"])  # type: ignore[arg-type]
    assert "topsecret" not in str(wrong.value)


def test_subclasses_are_what_they_hold(issuer: TokenIssuer, verifier: TokenVerifier) -> None:
    token = issuer.access(
        Text("ann"),
        permissions=[Verb.READ],
        claims=OrderedDict(text=Text("ann"), number=Number(7)),
        now=Number(NOW),
    )
    for form in (Text(token), Blob(token.encode())):
        claims = verifier.verify(form, now=NOW)
        assert claims.subject == "ann"
        assert claims.permissions == ("document:read",)
        assert (claims["text"], claims["number"]) == ("ann", 7)


@pytest.mark.parametrize("now", [True, False, 1.0, "1", Decimal(1), None.__class__, b"1"])
def test_now_is_an_int(issuer: TokenIssuer, verifier: TokenVerifier, now: Any) -> None:
    with pytest.raises(TypeError, match="expected int"):
        issuer.access("ann", now=now)
    with pytest.raises(TypeError, match="expected int"):
        verifier.verify("x", now=now)


@pytest.mark.parametrize("now", [2**63, -(2**63) - 1, 10**100])
def test_now_fits_64_bits(verifier: TokenVerifier, now: int) -> None:
    with pytest.raises(donjon.InvalidArgument):
        verifier.verify("x", now=now)


@pytest.mark.parametrize(
    ("now", "refusal"),
    [
        (2**63 - 1, donjon.ExpiredToken),
        (0, donjon.NotYetValid),
        (-1, donjon.InvalidArgument),
        (-(2**63), donjon.InvalidArgument),
    ],
)
def test_the_ends_of_time_are_no_accident(
    issuer: TokenIssuer, verifier: TokenVerifier, now: int, refusal: type[donjon.DonjonError]
) -> None:
    token = issuer.access("ann", now=NOW)
    with pytest.raises(refusal):
        verifier.verify(token, now=now)


@pytest.mark.parametrize("ttl", [True, 1.5, "60", None.__class__])
def test_a_duration_is_an_int_or_a_timedelta(issuer: TokenIssuer, ttl: Any) -> None:
    with pytest.raises(TypeError, match="expected int or timedelta"):
        issuer.access("ann", ttl=ttl)


@pytest.mark.parametrize("subject", ["", "\ud800", "x" * 100_000])
def test_a_bad_subject_is_the_callers_mistake(issuer: TokenIssuer, subject: str) -> None:
    with pytest.raises(donjon.DonjonError):
        issuer.access(subject)


@pytest.mark.parametrize("subject", [None, 7, True, b"ann", ["ann"]])
def test_a_subject_is_a_str(issuer: TokenIssuer, subject: Any) -> None:
    with pytest.raises(TypeError, match="expected str"):
        issuer.access(subject)


@pytest.mark.parametrize(
    "permissions", ["document:read", b"x", 7, {"a": 1}, iter(["a"]), [1], [None], [b"x"], [["a"]]]
)
def test_permissions_are_a_list_of_str(issuer: TokenIssuer, permissions: Any) -> None:
    with pytest.raises(TypeError, match="expected a list of str"):
        issuer.access("ann", permissions=permissions)


@pytest.mark.parametrize(
    "value",
    [object(), {1: 2}, {"x": {None: 1}}, {1, 2}, b"x", Decimal(1), 1j, float("nan"), float("inf")],
)
def test_claims_are_what_json_has(issuer: TokenIssuer, value: Any) -> None:
    with pytest.raises(TypeError):
        issuer.access("ann", claims={"x": value})


@pytest.mark.parametrize("claims", [[], "{}", MappingProxyType({}), 7])
def test_claims_are_a_dict(issuer: TokenIssuer, claims: Any) -> None:
    with pytest.raises(TypeError):
        issuer.access("ann", claims=claims)


@pytest.mark.parametrize("value", [2**64, -(2**63) - 1, "\ud800", {"\ud800": 1}])
def test_claims_that_json_cannot_carry_are_refused(issuer: TokenIssuer, value: Any) -> None:
    with pytest.raises(donjon.InvalidArgument):
        issuer.access("ann", claims={"x": value})


def test_a_list_inside_itself_ends(issuer: TokenIssuer) -> None:
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(donjon.InvalidArgument):
        issuer.access("ann", claims={"x": endless})


def test_depth_has_one_bound_in_both_directions(
    issuer: TokenIssuer, verifier: TokenVerifier
) -> None:
    def nested(depth: int) -> Any:
        return [nested(depth - 1)] if depth else 0

    # The claims themselves are the first of 32 containers.
    assert verifier.verify(issuer.access("ann", claims={"x": nested(31)}))["x"] == nested(31)
    with pytest.raises(donjon.DonjonError):
        issuer.access("ann", claims={"x": nested(32)})


def test_width_has_a_bound(issuer: TokenIssuer) -> None:
    for wide in ([0] * 10**6, {str(n): n for n in range(10**5)}, "x" * 10**7):
        with pytest.raises(donjon.DonjonError):
            issuer.access("ann", claims={"x": wide})
    with pytest.raises(donjon.DonjonError):
        issuer.access("ann", permissions=["x"] * 10**6)


@pytest.mark.parametrize(
    "option",
    [
        {"issuer": 7},
        {"issuer": ["a"]},
        {"audience": 7},
        {"audience": [7]},
        {"audience": []},
        {"type": True},
        {"algorithms": "EdDSA"},
        {"algorithms": None},
        {"algorithms": [None]},
        {"algorithms": ["none"]},
        {"leeway": 1.5},
        {"leeway": -1},
        {"require": "sub"},
        {"require_expiry": 0},
        {"legacy_type_claim": ("a", "b", "c")},
        {"unknown": 1},
    ],
    ids=str,
)
def test_a_verifier_takes_nothing_else(keyring: Keyring, option: dict[str, Any]) -> None:
    expected = {
        "issuer": ISSUER,
        "audience": AUDIENCE,
        "type": "at+jwt",
        "algorithms": ["EdDSA"],
        **option,
    }
    with pytest.raises((TypeError, ValueError)):
        TokenVerifier(keyring, **expected)


@pytest.mark.parametrize("keyring", [None, "{}", {}, object(), Keyring])
def test_a_keyring_is_a_keyring(keyring: Any) -> None:
    for build in (
        lambda: TokenIssuer(keyring, issuer=None, audience=None),
        lambda: donjon.PurposeTokens(keyring),
        lambda: TokenVerifier(keyring, issuer=None, audience=None, type=None, algorithms=["HS256"]),
    ):
        with pytest.raises(TypeError):
            build()


def test_classes_that_guard_are_closed() -> None:
    for guard in (Keyring, TokenIssuer, TokenVerifier, donjon.Claims, donjon.Refresh):
        with pytest.raises(TypeError):
            type("Mine", (guard,), {})
    with pytest.raises(TypeError):
        Keyring()


def test_objects_hold_no_one_back() -> None:
    keyring = Keyring.from_secret(SECRET)
    issuer = TokenIssuer(keyring, issuer=None, audience=None)
    del keyring
    gc.collect()
    assert issuer.access("ann")


def test_no_reference_leaks() -> None:
    class Tracked(list):  # type: ignore[type-arg]
        pass

    issuer = TokenIssuer(Keyring.from_secret(SECRET), issuer=None, audience=None)
    tracked = Tracked(["a"])
    gone = weakref.ref(tracked)
    issuer.access("ann", permissions=tracked)
    del tracked
    gc.collect()
    assert gone() is None
