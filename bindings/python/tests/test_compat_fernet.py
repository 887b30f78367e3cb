"""`donjon.compat.fernet` beside the real `cryptography.fernet`: the same tokens and answers."""

from __future__ import annotations

import base64
import inspect
import random
import secrets
import subprocess
import sys
import time
from types import ModuleType
from typing import Any

import pytest
from cryptography import fernet as theirs

import donjon
from donjon.compat import fernet as ours

BOTH = pytest.mark.parametrize("fernet", [theirs, ours], ids=["cryptography", "donjon"])
# Public test keys of the Fernet specification's kind; they protect nothing.
KEYS = [base64.urlsafe_b64encode(bytes([i]) * 32) for i in (1, 2, 3)]
NOW = 1_700_000_000


def outcome(call: Any, *arguments: Any) -> Any:
    """Return what a call returns, or the name of what it raises."""
    try:
        return call(*arguments)
    except Exception as error:  # noqa: BLE001  whatever it is
        return type(error).__name__


@pytest.mark.parametrize(
    ("maker", "reader"),
    [(theirs, ours), (ours, theirs), (ours, ours)],
    ids=["cryptography to donjon", "donjon to cryptography", "donjon to donjon"],
)
@pytest.mark.parametrize("length", [0, 1, 15, 16, 17, 1000, 100_000])
def test_each_reads_what_the_other_makes(maker: Any, reader: Any, length: int) -> None:
    data = secrets.token_bytes(length)
    made = maker.Fernet(KEYS[0]).encrypt_at_time(data, NOW)
    assert isinstance(made, bytes)
    same = reader.Fernet(KEYS[0].decode())
    assert same.decrypt(made) == same.decrypt(made.decode()) == data
    assert same.extract_timestamp(made) == NOW
    assert same.decrypt_at_time(made, 60, NOW + 60) == data
    with pytest.raises(reader.InvalidToken):
        same.decrypt_at_time(made, 60, NOW + 61)
    with pytest.raises(reader.InvalidToken):
        reader.Fernet(KEYS[1]).decrypt(made)


def test_every_age_and_skew_is_judged_alike() -> None:
    token = theirs.Fernet(KEYS[0]).encrypt_at_time(b"x", NOW)
    mine, other = ours.Fernet(KEYS[0]), theirs.Fernet(KEYS[0])
    for ttl in (0, 1, 60, 3600, 2**40):
        for offset in (-3600, -61, -60, -59, -1, 0, 1, 59, 60, 61, 3599, 3600, 3601):
            arguments = token, ttl, NOW + offset
            expected = outcome(other.decrypt_at_time, *arguments)
            assert outcome(mine.decrypt_at_time, *arguments) == expected, (ttl, offset)
    for ttl, now in [(-1, NOW), (60, -1)]:
        assert outcome(mine.decrypt_at_time, token, ttl, now) == "InvalidToken"
        assert outcome(other.decrypt_at_time, token, ttl, now) == "InvalidToken"


def test_damaged_tokens_are_judged_alike() -> None:
    choose = random.Random(7)
    alphabet = b"ABCabc019-_=+/ \n.~\x00\xff"
    mine, other = ours.Fernet(KEYS[0]), theirs.Fernet(KEYS[0])
    token = other.encrypt_at_time(b"data to be damaged", NOW)
    read = 0
    for _ in range(3000):
        damaged = bytearray(token)
        for _ in range(choose.choice([1, 1, 2])):
            at = choose.randrange(len(damaged))
            match choose.randrange(3):
                case 0:
                    damaged[at] = choose.choice(alphabet)
                case 1:
                    del damaged[at:]
                    damaged += b"="
                case _:
                    damaged.insert(at, choose.choice(alphabet))
        expected, found = (
            outcome(other.decrypt, bytes(damaged)),
            outcome(mine.decrypt, bytes(damaged)),
        )
        # cryptography skips what is no base64; here a token has one spelling.
        assert found == expected or found == "InvalidToken", bytes(damaged)
        read += found == b"data to be damaged"
    assert read < 200
    for length in range(len(token)):
        assert outcome(mine.decrypt, token[:length]) == "InvalidToken"


def test_several_keys_are_used_alike() -> None:
    for module, peer in [(ours, theirs), (theirs, ours)]:
        tokens = [peer.Fernet(key).encrypt_at_time(key, NOW) for key in KEYS]
        several: Any = module.MultiFernet([module.Fernet(key) for key in KEYS[:2]])
        assert [outcome(several.decrypt, token) for token in tokens] == [*KEYS[:2], "InvalidToken"]
        rotated = several.rotate(tokens[1])
        assert peer.Fernet(KEYS[0]).decrypt(rotated) == KEYS[1]
        assert peer.Fernet(KEYS[0]).extract_timestamp(rotated) == NOW
        assert rotated != several.rotate(tokens[1].decode())
        assert several.extract_timestamp(tokens[1]) == NOW
        assert several.decrypt_at_time(tokens[1], 10, NOW + 10) == KEYS[1]
        assert peer.Fernet(KEYS[0]).decrypt(several.encrypt(b"new")) == b"new"
        assert several.extract_timestamp(several.encrypt_at_time(b"", 5)) == 5
        for call in (several.rotate, several.extract_timestamp):
            assert outcome(call, tokens[2]) == "InvalidToken"
        assert outcome(several.decrypt_at_time, tokens[0], 10, NOW + 11) == "InvalidToken"


@BOTH
def test_time_is_the_clocks(fernet: ModuleType) -> None:
    made = fernet.Fernet(KEYS[0])
    token = made.encrypt(b"now")
    assert abs(made.extract_timestamp(token) - time.time()) < 5
    assert made.decrypt(token, 10) == made.decrypt(token, ttl=10) == b"now"
    old = made.encrypt_at_time(b"old", int(time.time()) - 20)
    assert outcome(made.decrypt, old, 10) == "InvalidToken"
    assert made.decrypt(old) == b"old"


@BOTH
def test_types_are_checked(fernet: ModuleType) -> None:
    made: Any = fernet.Fernet(KEYS[0])
    several: Any = fernet.MultiFernet([made])
    token = made.encrypt(b"x")
    for each in (made, several):
        for data in ("text", None, 5, bytearray(b"x")):
            assert outcome(each.encrypt, data) == "TypeError"
            assert outcome(each.encrypt_at_time, data, NOW) == "TypeError"
        for bad in (None, 5, bytearray(token), [token]):
            for call in (each.decrypt, each.extract_timestamp):
                assert outcome(call, bad) == "TypeError"
            assert outcome(each.decrypt, bad, 10) == "TypeError"
            assert outcome(each.decrypt_at_time, bad, 10, NOW) == "TypeError"
        assert outcome(each.decrypt_at_time, token, None, NOW) == "ValueError"
    for bad in (None, 5):
        assert outcome(several.rotate, bad) == "TypeError"
        assert outcome(fernet.Fernet, bad) == "TypeError"
    assert outcome(fernet.MultiFernet, []) == "ValueError"
    assert outcome(fernet.MultiFernet, None) == "TypeError"
    assert outcome(fernet.MultiFernet, iter([made])) != "TypeError"


@BOTH
@pytest.mark.parametrize("key", [b"", b"short", KEYS[0][:-1], KEYS[0][:-4], "é" * 44])
def test_a_key_that_is_none_is_a_value_error(fernet: ModuleType, key: bytes | str) -> None:
    assert outcome(fernet.Fernet, key) in {"ValueError", "Error"}
    with pytest.raises(ValueError, match=r"."):
        fernet.Fernet(key)


def test_a_key_is_one_key() -> None:
    for text in (b",".join(KEYS[:2]), KEYS[0] + b",", KEYS[0] * 2, KEYS[0] + b"\n"):
        with pytest.raises(ValueError, match="32 url-safe"):
            ours.Fernet(text)


@BOTH
def test_a_generated_key_is_one(fernet: ModuleType) -> None:
    key = fernet.Fernet.generate_key()
    assert isinstance(key, bytes)
    assert len(base64.urlsafe_b64decode(key)) == 32
    assert key != fernet.Fernet.generate_key()
    assert theirs.Fernet(key).decrypt(ours.Fernet(key).encrypt(b"x")) == b"x"


def test_the_signatures_are_the_same() -> None:
    for name in ("Fernet", "MultiFernet"):
        mine, other = getattr(ours, name), getattr(theirs, name)
        public = [method for method in vars(other) if not method.startswith("_")]
        for method in ("__init__", *public):
            parameters = [
                [(p.name, p.kind, p.default) for p in inspect.signature(of).parameters.values()]
                for of in (getattr(mine, method), getattr(other, method))
            ]
            assert parameters[0] == parameters[1], method
    assert ours.InvalidToken.__mro__[1:] == theirs.InvalidToken.__mro__[1:]


def test_a_refusal_has_its_reason_and_shows_no_secret() -> None:
    made = ours.Fernet(KEYS[0])
    with pytest.raises(ours.InvalidToken) as caught:
        made.decrypt(b"topsecret")
    assert isinstance(caught.value.__cause__, donjon.DecryptFailed)
    shown = f"{caught.value} {caught.value.__cause__} {made!r}"
    assert "topsecret" not in shown
    assert KEYS[0].decode() not in shown


@BOTH
@pytest.mark.parametrize(
    ("ttl", "age", "opens"),
    [
        (60.5, 60, True),
        (60.5, 61, False),
        (60, 59.9, True),
        (60, 61.0, False),
        (0.5, 0, True),
        (-0.5, 0, False),
        (2**63 - 1, 60, True),
        (2**63, 60, True),
        (2**70, 60, True),
        (float("inf"), 60, True),
    ],
)
def test_seconds_may_be_fractions_and_very_many(
    fernet: ModuleType, ttl: float, age: float, opens: bool
) -> None:
    """As `timedelta.total_seconds()` and `time.time()` have them."""
    made: Any = fernet.Fernet(KEYS[0])
    token = made.encrypt_at_time(b"x", NOW)
    for each in (made, fernet.MultiFernet([made])):
        found = outcome(each.decrypt_at_time, token, ttl, NOW + age)
        assert found == (b"x" if opens else "InvalidToken")
    now = made.encrypt(b"now")
    assert outcome(made.decrypt, now, ttl + 30) == b"now"


def test_too_many_keys_are_told_so() -> None:
    made = ours.Fernet(KEYS[0])
    assert ours.MultiFernet([made] * 64).decrypt(made.encrypt(b"x")) == b"x"
    with pytest.raises(ValueError, match="64 keys at most, not of 65"):
        ours.MultiFernet([made] * 65)


# ---- stricter than cryptography ----


def test_a_token_has_one_spelling() -> None:
    mine, other = ours.Fernet(KEYS[0]), theirs.Fernet(KEYS[0])
    token = other.encrypt(b"x")
    for spelling in (b" " + token, token + b"\n", token[:5] + b"!" + token[5:], token + b"="):
        assert other.decrypt(spelling) == b"x"
        with pytest.raises(ours.InvalidToken):
            mine.decrypt(spelling)
    for unspeakable in ("é", "\ud800", "\0" * 100):
        with pytest.raises(ours.InvalidToken):
            mine.decrypt(unspeakable)


@pytest.mark.parametrize(
    "spelling",
    [
        base64.b64encode(bytes([251]) * 32),
        base64.urlsafe_b64encode(bytes([251]) * 32) + b"\n",
        base64.urlsafe_b64encode(bytes([251]) * 32)[:-2] + b"/=",
    ],
    ids=["standard alphabet", "newline", "bits after the end"],
)
def test_a_key_of_another_spelling_is_written_anew(spelling: bytes) -> None:
    """As the README says."""
    token = theirs.Fernet(spelling).encrypt(b"x")
    with pytest.raises(ValueError, match="32 url-safe"):
        ours.Fernet(spelling)
    key = base64.urlsafe_b64encode(base64.b64decode(spelling, b"-_"))
    assert ours.Fernet(key).decrypt(token) == b"x"


def test_it_needs_no_cryptography() -> None:
    program = "import sys, donjon.compat.fernet; assert 'cryptography' not in sys.modules"
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True)
