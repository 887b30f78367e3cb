"""`donjon.compat.argon2` beside the real argon2-cffi: the same hashes, or stricter ones."""

from __future__ import annotations

import inspect
from dataclasses import asdict
from types import ModuleType
from typing import Any

import argon2 as theirs
import pytest

import donjon
from conftest import PASSWORD
from donjon.compat import argon2 as ours

BOTH = pytest.mark.parametrize("argon2", [theirs, ours], ids=["argon2-cffi", "donjon"])
# The least that OWASP recommends, and so the quickest that both make.
LEAST = {"time_cost": 5, "memory_cost": 7168, "parallelism": 1}


def hasher(argon2: Any, **options: Any) -> Any:
    return argon2.PasswordHasher(**{**LEAST, **options})


@pytest.fixture(scope="module")
def stored() -> str:
    return str(hasher(theirs).hash(PASSWORD))


@pytest.mark.parametrize(
    ("maker", "reader"),
    [(theirs, ours), (ours, theirs), (ours, ours)],
    ids=["argon2-cffi to donjon", "donjon to argon2-cffi", "donjon to donjon"],
)
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"parallelism": 4},
        {"hash_len": 16, "salt_len": 24},
        {"time_cost": 2, "memory_cost": 19456},
    ],
    ids=str,
)
def test_each_reads_what_the_other_makes(maker: Any, reader: Any, options: dict[str, int]) -> None:
    made = hasher(maker, **options).hash(PASSWORD)
    same = hasher(reader, **options)
    assert same.verify(made, PASSWORD) is True
    assert same.verify(made.encode(), PASSWORD.encode()) is True
    assert not same.check_needs_rehash(made)
    assert same.check_needs_rehash(hasher(maker, time_cost=6).hash(PASSWORD))
    with pytest.raises(reader.exceptions.VerifyMismatchError):
        same.verify(made, "wrong")


@pytest.mark.parametrize("kind", ["I", "D"])
def test_hashes_of_the_other_two_argon2_verify(kind: str) -> None:
    made = hasher(theirs, type=theirs.Type[kind]).hash(PASSWORD)
    assert hasher(ours).verify(made, PASSWORD) is True
    assert hasher(ours).check_needs_rehash(made)
    with pytest.raises(NotImplementedError):
        hasher(ours, type=ours.Type[kind])


@BOTH
def test_the_defaults_are_the_same(argon2: ModuleType) -> None:
    for name in ("HASH_LENGTH", "MEMORY_COST", "PARALLELISM", "RANDOM_SALT_LENGTH", "TIME_COST"):
        assert getattr(argon2, f"DEFAULT_{name}") == getattr(theirs, f"DEFAULT_{name}")
    made = argon2.PasswordHasher()
    assert (made.time_cost, made.memory_cost, made.parallelism) == (3, 65536, 4)
    assert (made.hash_len, made.salt_len, made.encoding) == (32, 16, "utf-8")
    assert made.type is argon2.Type.ID


def test_the_signatures_are_the_same() -> None:
    for name in ("__init__", "hash", "verify", "check_needs_rehash", "from_parameters"):
        mine, other = (
            inspect.signature(getattr(argon2.PasswordHasher, name)) for argon2 in (ours, theirs)
        )
        assert list(mine.parameters) == list(other.parameters)
        for parameter in other.parameters.values():
            if not isinstance(parameter.default, theirs.Type):
                assert mine.parameters[parameter.name].default == parameter.default


def test_the_profiles_are_the_same() -> None:
    names = ("RFC_9106_LOW_MEMORY", "RFC_9106_HIGH_MEMORY", "PRE_21_2", "CHEAPEST")
    for name in names:
        mine, other = (asdict(getattr(argon2.profiles, name)) for argon2 in (ours, theirs))
        assert mine.pop("type").name == other.pop("type").name
        assert mine == other
    assert ours.profiles.get_default_parameters() == ours.profiles.RFC_9106_LOW_MEMORY


@BOTH
def test_a_profile_is_a_hasher(argon2: ModuleType) -> None:
    made = argon2.PasswordHasher.from_parameters(argon2.profiles.PRE_21_2)
    assert (made.time_cost, made.memory_cost, made.parallelism) == (2, 102400, 8)


def test_what_a_hash_was_made_with_can_be_asked(stored: str) -> None:
    for hash_ in (stored, hasher(theirs, type=theirs.Type.I).hash(PASSWORD)):
        mine, other = (
            asdict(ours.extract_parameters(hash_)),
            asdict(theirs.extract_parameters(hash_)),
        )
        assert mine.pop("type").name == other.pop("type").name
        assert mine == other
    for bad in ("", "x", stored[1:], stored + "$", stored.replace("m=", "x="), "$2b$12$abc"):
        with pytest.raises(ours.exceptions.InvalidHashError):
            ours.extract_parameters(bad)


@BOTH
@pytest.mark.parametrize("bad", ["x", PASSWORD, "$2b$12$" + "a" * 53, "argon2id$v=19"])
def test_what_is_no_hash_is_an_invalid_hash(argon2: ModuleType, bad: str) -> None:
    with pytest.raises(argon2.exceptions.InvalidHashError):
        hasher(argon2).verify(bad, PASSWORD)
    assert argon2.exceptions.InvalidHash is argon2.exceptions.InvalidHashError
    assert issubclass(argon2.exceptions.InvalidHashError, ValueError)


def test_the_exceptions_are_the_same() -> None:
    for name, other in vars(theirs.exceptions).items():
        if isinstance(other, type) and issubclass(other, Exception):
            mine = getattr(ours.exceptions, name)
            names = [base.__name__ for base in other.__mro__]
            assert [base.__name__ for base in mine.__mro__] == names


@BOTH
def test_text_is_encoded_as_was_asked(argon2: ModuleType) -> None:
    latin = hasher(argon2, encoding="latin-1")
    made = latin.hash("é")
    assert latin.verify(made, b"\xe9") is True
    assert hasher(theirs, encoding="latin-1").verify(made, "é") is True
    with pytest.raises(argon2.exceptions.VerifyMismatchError):
        hasher(argon2).verify(made, "é")
    for unencodable in ("\ud800", "🔑"):
        with pytest.raises(UnicodeEncodeError):
            latin.hash(unencodable)


@BOTH
@pytest.mark.parametrize(
    "options", [{"time_cost": "3"}, {"memory_cost": 1.5}, {"encoding": 8}, {"type": 2}], ids=str
)
def test_parameters_have_types(argon2: ModuleType, options: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        hasher(argon2, **options)


# ---- stricter than argon2-cffi ----


@pytest.mark.parametrize(
    "options",
    [
        {"time_cost": 1},
        {"memory_cost": 8},
        {"hash_len": 8},
        {"salt_len": 8},
        {"parallelism": 17},
        {"memory_cost": 2**22},
    ],
    ids=str,
)
def test_weak_or_absurd_parameters_are_refused(options: dict[str, int]) -> None:
    with pytest.raises(ours.exceptions.UnsupportedParametersError):
        hasher(ours, **options)
    with pytest.raises(ValueError, match=r"weaker|out of range"):
        ours.PasswordHasher.from_parameters(ours.profiles.CHEAPEST)


def test_what_a_stored_hash_demands_is_bounded(stored: str) -> None:
    with pytest.raises(ours.exceptions.VerificationError) as caught:
        hasher(ours).verify(stored.replace("m=7168", "m=4194304"), PASSWORD)
    assert isinstance(caught.value.__cause__, donjon.ParamsOutOfBounds)


def test_a_huge_password_is_not_hashed(stored: str) -> None:
    with pytest.raises(ours.exceptions.HashingError):
        hasher(ours).hash("x" * 4097)
    with pytest.raises(ours.exceptions.VerificationError):
        hasher(ours).verify(stored, "x" * 4097)


def test_the_salt_is_random() -> None:
    with pytest.raises(NotImplementedError):
        hasher(ours).hash(PASSWORD, salt=bytes(16))


@pytest.mark.parametrize("none", ["", "!unusable"])
def test_what_says_that_there_is_no_password_is_a_mismatch(none: str) -> None:
    with pytest.raises(ours.exceptions.VerifyMismatchError):
        hasher(ours).verify(none, PASSWORD)
    with pytest.raises(theirs.exceptions.InvalidHashError):
        hasher(theirs).verify(none, PASSWORD)


def test_no_hash_is_a_mistake_and_not_an_unknown_user() -> None:
    with pytest.raises(TypeError):
        hasher(ours).verify(None, PASSWORD)


def test_a_message_shows_no_secret(stored: str) -> None:
    for hash_, password in ((stored, "topsecret"), ("topsecret", PASSWORD)):
        with pytest.raises((ours.exceptions.Argon2Error, ValueError)) as caught:
            hasher(ours).verify(hash_, password)
        assert "topsecret" not in str(caught.value)
