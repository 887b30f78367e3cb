"""How good a password is that is being chosen, and whether it is known to be out."""

from __future__ import annotations

import dataclasses
import hashlib
from typing import Any

import pytest

import donjon
from donjon import breach_count, breach_prefix, check_strength, estimate_strength

GOOD = "Violet-Kettle7!"


def test_a_good_password_passes_every_check() -> None:
    strength = check_strength(GOOD)
    assert strength.valid
    assert strength.score == 1.0
    assert set(strength.checks) == {
        "length",
        "uppercase",
        "lowercase",
        "digits",
        "special",
        "common",
    }
    assert all(strength.checks.values())
    assert strength.feedback == ()


@pytest.mark.parametrize(
    ("password", "missing"),
    [
        ("Violet-Ket7", "length"),
        ("violet-kettle7!", "uppercase"),
        ("VIOLET-KETTLE7!", "lowercase"),
        ("Violet-Kettle!", "digits"),
        ("VioletKettle77", "special"),
        ("P@ssw0rd1234", "common"),
    ],
)
def test_what_is_missing_is_said_and_counted(password: str, missing: str) -> None:
    strength = check_strength(password)
    assert not strength.valid
    assert [name for name, passed in strength.checks.items() if not passed] == [missing]
    assert strength.score == pytest.approx(5 / 6)
    assert len(strength.feedback) == 1


def test_a_password_made_of_the_users_name_is_common() -> None:
    name = ["Violet Kettle", "violet.kettle@example.com"]
    assert check_strength(GOOD).checks["common"]
    assert not check_strength(GOOD, name).checks["common"]
    assert not check_strength(GOOD, set(name)).valid


def test_nist_asks_for_length_and_nothing_else() -> None:
    passphrase = "a quiet lamp by the tall door"
    assert not check_strength(passphrase).valid
    strength = check_strength(passphrase, profile="nist-800-63b-4")
    assert strength.valid
    assert set(strength.checks) == {"length", "common"}
    assert not check_strength("quietlampdoor", profile="nist-800-63b-4").valid
    assert check_strength("quietlampdoor", profile="nist-800-63b-4-mfa").valid


def test_long_passwords_are_judged_to_the_end() -> None:
    assert check_strength("a" * 127 + "B1!").checks["special"]
    assert check_strength("é" * 2000 + "Bb1!").checks["special"]


def test_a_verdict_is_a_value() -> None:
    strength = check_strength(GOOD)
    assert strength == check_strength(GOOD.encode())
    with pytest.raises(dataclasses.FrozenInstanceError):
        strength.valid = False  # type: ignore[misc]
    with pytest.raises(TypeError):
        strength.checks["common"] = True  # type: ignore[index]
    assert GOOD not in repr(strength)


def test_zxcvbn_counts_guesses() -> None:
    weak, strong = estimate_strength("password1"), estimate_strength("violet kettle quiet lamp")
    assert weak.score == 0
    assert strong.score == 4
    assert weak.guesses_log10 < strong.guesses_log10
    assert weak.warning
    assert weak.suggestions
    own = estimate_strength("violetkettle", ["violet", "kettle"])
    assert own.guesses_log10 < estimate_strength("violetkettle").guesses_log10
    assert isinstance(estimate_strength("x" * 4096).score, int)


@pytest.mark.parametrize("inputs", ["violet", b"violet", 7, {"a": 1}, [1], [None], iter(["a"])])
def test_user_inputs_are_a_list_of_str(inputs: Any) -> None:
    for ask in (check_strength, estimate_strength):
        with pytest.raises(TypeError, match="expected a list of str"):
            ask(GOOD, inputs)


@pytest.mark.parametrize("inputs", [["x" * 257], ["abc"] * 17, ["abc"] * 10**6])
def test_user_inputs_have_a_bound(inputs: list[str]) -> None:
    for ask in (check_strength, estimate_strength):
        with pytest.raises(donjon.PasswordTooLarge):
            ask(GOOD, inputs)


def test_bytes_that_are_no_text_cannot_be_judged() -> None:
    with pytest.raises(donjon.MalformedPassword):
        check_strength(b"\xff\xfe")


def test_a_profile_is_one_of_three() -> None:
    for profile in ("nist", "Composition", "\ud800"):
        with pytest.raises(donjon.InvalidArgument):
            check_strength(GOOD, profile=profile)  # type: ignore[arg-type]


# ---- breaches ----

DIGEST = hashlib.sha1(GOOD.encode(), usedforsecurity=False).hexdigest().upper()
OTHERS = [f"{n:035X}:{n}" for n in range(1, 500)]


def test_five_digits_leave_the_host() -> None:
    assert breach_prefix(GOOD) == DIGEST[:5]
    assert breach_prefix("password") == "5BAA6"


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("suffix", [DIGEST[5:], DIGEST[5:].lower()])
def test_the_answer_says_how_often(end: str, suffix: str) -> None:
    body = end.join([*OTHERS, f"{suffix}:42"])
    assert breach_count(GOOD, body) == breach_count(GOOD, body.encode()) == 42
    assert breach_count("another", body) == 0


@pytest.mark.parametrize(
    "body",
    [
        "",
        "<html>Too many requests</html>",
        '{"error": 429}',
        "\n".join([*OTHERS, "x"]),
        "\n".join([*OTHERS, DIGEST[5:]]),
        "\n".join([*OTHERS, DIGEST[4:] + ":1"]),
        "\n".join([*OTHERS, DIGEST[5:] + ":-1"]),
        b"\xff" * 40,
        "A" * (1 << 21),
    ],
)
def test_an_error_page_is_no_all_clear(body: str | bytes) -> None:
    with pytest.raises(donjon.RangeRefused) as caught:
        breach_count(GOOD, body)
    assert caught.value.http_status == 503
