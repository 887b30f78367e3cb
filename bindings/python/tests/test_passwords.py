"""Passwords are verified as they were hashed, and what is stored is believed only within bounds."""

from __future__ import annotations

import hashlib
import json
import os
import statistics
import subprocess
import sys
import threading
import time
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import donjon
from conftest import NOW, PASSWORD
from donjon import Keyring, PasswordHasher

# Of "U*U", by the reference implementation: its own test vector.
BCRYPT = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"


def b64(data: bytes) -> str:
    return b64encode(data).decode().rstrip("=")


def phc(params: str, *, version: str = "v=19", salt: int = 16, digest: int = 32) -> str:
    return f"$argon2id${version}${params}${b64(bytes(salt))}${b64(bytes(digest))}"


def django_pbkdf2(password: str) -> str:
    digest = hashlib.pbkdf2_hmac("sha256", password.encode(), b"salt", 1000)
    return f"pbkdf2_sha256$1000$salt${b64encode(digest).decode()}"


def peppers(*secrets: str) -> Keyring:
    """A keyring of peppers, the last of them primary."""
    keys = [
        {
            "kty": "oct",
            "kid": f"pepper-{secret}",
            "alg": "HS256",
            "k": b64(hashlib.sha256(secret.encode()).digest()).translate({43: "-", 47: "_"}),
            "purpose": "password-pepper",
            "status": "primary" if secret == secrets[-1] else "active",
        }
        for secret in secrets
    ]
    return Keyring.from_jwks({"keys": keys})


def test_the_default_is_the_one_of_the_requirements() -> None:
    with PasswordHasher() as hasher:
        stored = hasher.hash(PASSWORD)
        assert stored.startswith("$argon2id$v=19$m=65536,t=3,p=1$")
        assert hasher.slots == 4
        assert repr(hasher) == "<PasswordHasher of 4 slots>"
        verification = hasher.verify(stored, PASSWORD)
        assert (verification.needs_rehash, verification.truncated) == (False, False)


def test_of_two_hashes_each_has_its_own_salt(hasher: PasswordHasher) -> None:
    assert hasher.hash(PASSWORD) != hasher.hash(PASSWORD)


@pytest.mark.parametrize(
    "password", ["", "é", "\0", "a\0b", "🔑" * 100, b"\xff\xfe", b"\0" * 4096, "x" * 4096]
)
def test_passwords_are_bytes_to_the_last(hasher: PasswordHasher, password: str | bytes) -> None:
    stored = hasher.hash(password)
    as_bytes = password.encode() if isinstance(password, str) else password
    assert hasher.verify(stored, password) == hasher.verify(stored.encode(), as_bytes)
    for other in (as_bytes[:-1] or b"x", as_bytes + b"\0", b"\0" + as_bytes):
        with pytest.raises((donjon.PasswordMismatch, donjon.PasswordTooLarge)):
            hasher.verify(stored, other)


def test_a_wrong_password_is_a_mismatch_and_so_is_nobodys(
    hasher: PasswordHasher, stored: str
) -> None:
    for hash_, password in ((stored, "wrong"), (None, PASSWORD), (None, "")):
        with pytest.raises(donjon.PasswordMismatch) as caught:
            hasher.verify(hash_, password)
        assert (caught.value.http_status, str(caught.value)) == (401, "the password does not match")


def test_an_unknown_user_costs_what_a_known_one_does() -> None:
    hasher = PasswordHasher(memory_kib=4096, time_cost=2, allow_weak=True)
    stored = hasher.hash(PASSWORD)

    def seconds(hash_: str | None) -> float:
        start = time.thread_time()
        with pytest.raises(donjon.PasswordMismatch):
            hasher.verify(hash_, "wrong")
        return time.thread_time() - start

    known, unknown = [], []
    for _ in range(21):
        known.append(seconds(stored))
        unknown.append(seconds(None))
    assert 0.5 < statistics.median(unknown) / statistics.median(known) < 2


@pytest.mark.parametrize("size", [4097, 10**6])
def test_a_huge_password_is_refused_before_it_is_hashed(
    hasher: PasswordHasher, stored: str, size: int
) -> None:
    huge = "x" * size
    for ask in (
        lambda: hasher.hash(huge),
        lambda: hasher.verify(stored, huge),
        lambda: hasher.verify(None, huge),
        lambda: donjon.check_strength(huge),
        lambda: donjon.estimate_strength(huge),
        lambda: donjon.breach_prefix(huge),
    ):
        with pytest.raises(donjon.PasswordTooLarge):
            ask()


def test_half_a_character_is_no_password(hasher: PasswordHasher, stored: str) -> None:
    for ask in (
        lambda: hasher.hash("\ud800"),
        lambda: hasher.verify(stored, "\ud800"),
        lambda: hasher.verify(None, "\ud800"),
        lambda: donjon.check_strength("\ud800"),
        lambda: donjon.breach_prefix("\ud800"),
    ):
        with pytest.raises(donjon.MalformedPassword) as caught:
            ask()
        assert (caught.value.reason, caught.value.http_status) == ("malformed", 401)


@pytest.mark.parametrize("password", [None, 1, True, ["x"], bytearray(b"x"), object()])
def test_a_password_is_str_or_bytes(hasher: PasswordHasher, stored: str, password: Any) -> None:
    for ask in (lambda: hasher.hash(password), lambda: hasher.verify(stored, password)):
        with pytest.raises(TypeError, match="expected str or bytes"):
            ask()


@pytest.mark.parametrize(
    "stored",
    [
        phc("m=4194304,t=3,p=1"),
        phc("m=2097153,t=1,p=1"),
        phc("m=65536,t=101,p=1"),
        phc("m=65536,t=0,p=1"),
        phc("m=65536,t=3,p=0"),
        phc("m=65536,t=3,p=17"),
        phc("m=8,t=1,p=2"),
        phc("m=2097152,t=5,p=1"),
        phc("m=4294967295,t=4294967295,p=255"),
        # Within the bounds, and over this hasher's budget.
        phc("m=524288,t=1,p=1"),
    ],
)
def test_what_a_stored_hash_may_demand_has_bounds(hasher: PasswordHasher, stored: str) -> None:
    start = time.thread_time()
    for ask in (hasher.check_needs_rehash, lambda stored: hasher.verify(stored, PASSWORD)):
        with pytest.raises(donjon.ParamsOutOfBounds):
            ask(stored)
    assert time.thread_time() - start < 0.1


@pytest.mark.parametrize(
    "stored",
    [
        "x",
        PASSWORD,
        "\ud800",
        b"\xff",
        "$argon2id$",
        phc("t=3,m=65536,p=1"),
        phc("m=65536,m=65536,t=3,p=1"),
        phc("m=65536,t=3"),
        phc("m=065536,t=3,p=1"),
        phc("m=65536,t=3,p=1,data=AAAA"),
        phc("m=65536,t=3,p=1,x=1"),
        phc("m=-8,t=3,p=1"),
        phc("m=65536,t=3,p=1", version="v=16"),
        phc("m=65536,t=3,p=1", version="v=019"),
        phc("m=65536,t=3,p=1", salt=7),
        phc("m=65536,t=3,p=1", salt=49),
        phc("m=65536,t=3,p=1", digest=11),
        phc("m=65536,t=3,p=1", digest=65),
        phc("m=65536,t=3,p=1") + "=",
        phc("m=65536,t=3,p=1") + "\n",
        phc("m=65536,t=3,p=1")[:-1] + "B",
        phc("m=65536,t=3,p=1").replace("A", "-", 1),
        phc("m=65536,t=3,p=1") + "$",
        phc("m=65536,t=3,p=1") + "A" * 10**6,
    ],
)
def test_what_is_stored_is_read_strictly(hasher: PasswordHasher, stored: str | bytes) -> None:
    for ask in (hasher.check_needs_rehash, lambda stored: hasher.verify(stored, PASSWORD)):
        with pytest.raises(donjon.InvalidHash) as caught:
            ask(stored)
        assert str(caught.value) == "the stored hash is not of its format"


@pytest.mark.parametrize("stored", ["", b"", "!", "!" + "x" * 40])
def test_a_user_without_a_password_is_one_whom_nobody_knows(
    hasher: PasswordHasher, stored: str | bytes
) -> None:
    for password in (PASSWORD, "", "!"):
        with pytest.raises(donjon.PasswordMismatch):
            hasher.verify(stored, password)
    with pytest.raises(donjon.InvalidHash):
        hasher.check_needs_rehash(stored)


def test_a_weak_hash_verifies_and_is_to_be_made_anew(hasher: PasswordHasher) -> None:
    weak = PasswordHasher(memory_kib=8, time_cost=1, allow_weak=True).hash(PASSWORD)
    assert hasher.verify(weak, PASSWORD).needs_rehash
    assert hasher.check_needs_rehash(weak)
    verification, newer = hasher.verify_and_update(weak, PASSWORD)
    assert verification.needs_rehash
    assert newer is not None
    assert hasher.verify_and_update(newer, PASSWORD)[1] is None


def test_who_was_right_gets_in_though_there_is_no_turn_for_a_hash_anew(
    hasher: PasswordHasher, stored: str
) -> None:
    class Crowded:
        """Has its turn, and none after it."""

        verify = hasher._hasher.verify

        def hash(self, *_: object, **__: object) -> str:
            raise donjon.Busy

    crowded = PasswordHasher(memory_kib=128, time_cost=1, allow_weak=True)
    assert crowded.verify_and_update(stored, PASSWORD)[1] is not None
    crowded._hasher = Crowded()  # type: ignore[assignment]
    weak = PasswordHasher(memory_kib=8, time_cost=1, allow_weak=True).hash(PASSWORD)
    verification, newer = crowded.verify_and_update(weak, PASSWORD)
    assert (verification.needs_rehash, newer) == (True, None)
    with pytest.raises(donjon.PasswordMismatch):
        crowded.verify_and_update(weak, "wrong")


@pytest.mark.parametrize("stored", [1, True, 1.5, ["x"], object()])
def test_a_stored_hash_is_str_bytes_or_none(hasher: PasswordHasher, stored: Any) -> None:
    with pytest.raises(TypeError, match="expected str or bytes"):
        hasher.verify(stored, PASSWORD)


def test_only_a_log_in_knows_unknown_users(hasher: PasswordHasher) -> None:
    with pytest.raises(TypeError):
        hasher.check_needs_rehash(None)  # type: ignore[arg-type]


def test_swapped_arguments_let_nobody_in(hasher: PasswordHasher, stored: str) -> None:
    with pytest.raises(donjon.InvalidHash) as caught:
        hasher.verify(PASSWORD, stored)
    assert PASSWORD not in str(caught.value)


# ---- legacy ----


def test_bcrypt_is_verified_only_where_it_was_asked_for(hasher: PasswordHasher) -> None:
    with pytest.raises(donjon.UnsupportedHash):
        hasher.verify(BCRYPT, "U*U")
    old = PasswordHasher(memory_kib=64, time_cost=1, allow_weak=True, legacy=["bcrypt"])
    verification = old.verify(BCRYPT, "U*U")
    assert (verification.needs_rehash, verification.truncated) == (True, False)
    assert old.verify_and_update(BCRYPT, "U*U")[1] is not None
    with pytest.raises(donjon.PasswordMismatch):
        old.verify(BCRYPT, "U*V")


def test_bcrypt_that_read_half_a_password_says_so_and_nothing_is_made_of_it() -> None:
    # Of 72 times "a" and then whatever: the reference implementation reads no more.
    stored = "$2a$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui"
    password = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
    password += "0123456789chars after 72 are ignored"
    hasher = PasswordHasher(memory_kib=64, time_cost=1, allow_weak=True, legacy=["bcrypt"])
    verification, newer = hasher.verify_and_update(stored, password)
    assert (verification.needs_rehash, verification.truncated) == (True, True)
    assert newer is None
    assert not hasher.verify(stored, password[:72]).truncated


def test_djangos_pbkdf2_is_verified(hasher: PasswordHasher) -> None:
    stored = django_pbkdf2(PASSWORD)
    with pytest.raises(donjon.UnsupportedHash):
        hasher.verify(stored, PASSWORD)
    old = PasswordHasher(memory_kib=64, time_cost=1, allow_weak=True, legacy=("pbkdf2",))
    assert old.verify(stored, PASSWORD).needs_rehash
    with pytest.raises(donjon.PasswordMismatch):
        old.verify(stored, "wrong")


# ---- peppers ----


def test_a_pepper_is_rotated_and_nobody_is_locked_out() -> None:
    def hasher(*secrets: str) -> PasswordHasher:
        return PasswordHasher(memory_kib=64, time_cost=1, allow_weak=True, pepper=peppers(*secrets))

    old = hasher("one").hash(PASSWORD)
    assert ",keyid=" in old
    both = hasher("one", "two")
    verification, newer = both.verify_and_update(old, PASSWORD)
    assert verification.needs_rehash
    assert newer is not None
    assert not hasher("two").verify(newer, PASSWORD).needs_rehash
    with pytest.raises(donjon.PepperRefused) as caught:
        hasher("two").verify(old, PASSWORD)
    assert (caught.value.reason, caught.value.http_status) == ("unknown_key", 500)


def test_without_its_pepper_a_hash_is_worth_nothing(hasher: PasswordHasher) -> None:
    peppered = PasswordHasher(memory_kib=64, time_cost=1, allow_weak=True, pepper=peppers("one"))
    stored = peppered.hash(PASSWORD)
    with pytest.raises(donjon.PepperRefused):
        hasher.verify(stored, PASSWORD)
    assert peppered.check_needs_rehash(hasher.hash(PASSWORD))


def test_a_pepper_that_is_disabled_says_so() -> None:
    keyring = peppers("one", "two")
    stored = PasswordHasher(
        memory_kib=64, time_cost=1, allow_weak=True, pepper=peppers("one")
    ).hash(PASSWORD)
    disabled = PasswordHasher(
        memory_kib=64, time_cost=1, allow_weak=True, pepper=keyring.disable("pepper-one")
    )
    with pytest.raises(donjon.PepperRefused) as caught:
        disabled.verify(stored, PASSWORD)
    assert caught.value.reason == "key_disabled"


def test_a_pepper_ends_when_its_overlap_does() -> None:
    keyring = peppers("one").rotate("password-pepper", overlap=60, now=NOW)
    before = PasswordHasher(memory_kib=64, time_cost=1, allow_weak=True, pepper=peppers("one"))
    after = PasswordHasher(memory_kib=64, time_cost=1, allow_weak=True, pepper=keyring)
    stored = before.hash(PASSWORD)
    assert after.verify(stored, PASSWORD, now=NOW + 59).needs_rehash
    with pytest.raises(donjon.PepperRefused) as caught:
        after.verify(stored, PASSWORD, now=NOW + 61)
    assert caught.value.reason == "key_expired"


def test_no_pepper_is_used_before_time_began() -> None:
    hasher = PasswordHasher(memory_kib=64, time_cost=1, allow_weak=True, pepper=peppers("one"))
    stored = hasher.hash(PASSWORD)
    with pytest.raises(donjon.InvalidArgument):
        hasher.hash(PASSWORD, now=-1)
    with pytest.raises(donjon.InvalidArgument):
        hasher.verify(stored, PASSWORD, now=-1)


# ---- configuration ----


@pytest.mark.parametrize(
    "options",
    [
        {"memory_kib": 64},
        {"preset": "owasp", "time_cost": 1},
        {"preset": "cheapest"},
        {"preset": "rfc9106"},
        {"preset": 1},
        {"memory_kib": 0},
        {"memory_kib": -1},
        {"memory_kib": 2**63},
        {"memory_kib": True},
        {"memory_kib": 65536.0},
        {"time_cost": 101},
        {"parallelism": 17},
        {"hash_len": 8},
        {"hash_len": 65},
        {"salt_len": 8},
        {"memory_budget_kib": 65535},
        {"max_wait_ms": -1},
        {"max_wait_ms": 60001},
        {"legacy": "bcrypt"},
        {"legacy": ["md5"]},
        {"legacy": [1]},
        {"allow_weak": "yes"},
        {"pepper": "secret"},
        {"pepper": Keyring.generate()},
        {"unknown": 1},
    ],
    ids=str,
)
def test_a_hasher_takes_nothing_that_is_weak_or_unknown(options: dict[str, Any]) -> None:
    with pytest.raises((donjon.ConfigError, TypeError)):
        PasswordHasher(**options)


@pytest.mark.parametrize(
    ("preset", "parameters"),
    [
        ("default", "m=65536,t=3,p=1"),
        ("owasp", "m=19456,t=2,p=1"),
        ("rfc9106-low-memory", "m=65536,t=3,p=4"),
    ],
)
def test_presets_are_what_they_say(preset: Any, parameters: str) -> None:
    assert f"${parameters}$" in PasswordHasher(preset=preset).hash(PASSWORD)


def test_the_largest_preset_wants_a_budget_of_its_size() -> None:
    assert PasswordHasher(preset="rfc9106", memory_budget_kib=2**21).slots == 1


def test_a_configuration_of_the_kernels_own_is_a_hasher(hasher: PasswordHasher) -> None:
    config = {"memory_kib": 64, "time_cost": 1, "allow_weak": True}
    stored = hasher.hash(PASSWORD)
    for form in (config, json.dumps(config), json.dumps(config).encode()):
        assert not PasswordHasher.from_config(form).verify(stored, PASSWORD).needs_rehash
    assert PasswordHasher.from_config("").slots == 4
    for refused in ("{", "[]", '{"time_cost":3,"time_cost":3}', '{"x":1}'):
        with pytest.raises(donjon.ConfigError):
            PasswordHasher.from_config(refused)


# ---- memory, threads, forks ----


def test_more_hashes_than_the_memory_is_for_are_busy() -> None:
    hasher = PasswordHasher(
        memory_kib=65536, time_cost=2, memory_budget_kib=65536, max_wait_ms=0, allow_weak=True
    )
    barrier = threading.Barrier(4)

    def hash_one(_: int) -> str | int:
        barrier.wait()
        try:
            return hasher.hash(PASSWORD)
        except donjon.Busy as error:
            return error.http_status

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(hash_one, range(4)))
    made = [answer for answer in answers if isinstance(answer, str)]
    assert made
    assert [answer for answer in answers if answer not in made] == [503] * (4 - len(made)) != []
    assert all(hasher.verify(stored, PASSWORD) for stored in made)


def test_threads_share_a_hasher(hasher: PasswordHasher, stored: str) -> None:
    def work(number: int) -> bool:
        for _ in range(20):
            mine = hasher.hash(f"password {number}")
            hasher.verify(mine, f"password {number}")
            with pytest.raises(donjon.PasswordMismatch):
                hasher.verify(stored, f"password {number}")
        return True

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(8)))


def test_other_threads_go_on_while_one_hashes() -> None:
    hasher = PasswordHasher(memory_kib=65536, time_cost=6)
    done, ticks = threading.Event(), 0

    def hash_once() -> None:
        hasher.hash(PASSWORD)
        done.set()

    thread = threading.Thread(target=hash_once)
    thread.start()
    while not done.is_set():
        ticks += 1
        time.sleep(0.001)
    thread.join()
    assert ticks > 10


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_hashes_with_memory_and_threads_of_its_own() -> None:
    program = f"""
import asyncio, os
from donjon import PasswordHasher
hasher = PasswordHasher(memory_kib=64, time_cost=1, allow_weak=True)
stored = asyncio.run(hasher.ahash({PASSWORD!r}))
child = os.fork()
hasher.verify(stored, {PASSWORD!r})
asyncio.run(hasher.averify(stored, {PASSWORD!r}))
if child == 0:
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
"""
    # The parent's threads are idle when it forks, which newer Pythons warn of all the same.
    command = [sys.executable, "-W", "error", "-W", "ignore::DeprecationWarning", "-c", program]
    subprocess.run(command, check=True, timeout=60)
