"""What an attempt to log in is counted by: never the name, never whether there is such a user."""

from __future__ import annotations

from typing import Any

import pytest

import donjon
from conftest import MASTER, NOW, SECRET
from donjon import Keyring, Limits, LimitTable, LockoutKeys, PurposeTokens
from donjon.types import MasterKey

HASH = "$argon2id$v=19$m=65536,t=3,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNo"
ADDRESS = "192.0.2.7"


@pytest.fixture(scope="module")
def keys() -> Keyring:
    return Keyring.generate(purposes=["device"], now=NOW)


@pytest.fixture(scope="module")
def lockout(keys: Keyring) -> LockoutKeys:
    return LockoutKeys(keys)


def token_of(lockout: LockoutKeys, **changed: Any) -> str:
    options: dict[str, Any] = {"state": HASH, "ttl": 86_400, "now": NOW, **changed}
    return lockout.device_token(options.pop("subject", "ann"), **options)


def kinds(lockout: LockoutKeys, account: str = "ann@example.com", **options: Any) -> list[str]:
    known: dict[str, Any] = {"subject": "ann", "state": HASH, "now": NOW, "address": ADDRESS}
    counters = lockout.counters(account, **{**known, **options})
    return [counter["key"].partition(":")[0] for counter in counters]


def test_an_attempt_is_charged_to_its_account_and_its_address(lockout: LockoutKeys) -> None:
    counters = lockout.counters("ann@example.com", address=ADDRESS)
    assert [counter["on_success"] for counter in counters] == ["give_back", "forget"]
    address, account = (counter["key"] for counter in counters)
    assert account.startswith("account:")
    assert address.startswith("address:")
    # The store of counters names nobody.
    assert "ann" not in account
    assert ADDRESS not in address
    assert len(lockout.counters("ann@example.com")) == 1
    assert lockout.counters("ann@example.com", address="") == counters[1:]


def test_an_account_is_counted_alike_whether_it_exists_or_not(lockout: LockoutKeys) -> None:
    unknown = lockout.counters("ann", address=ADDRESS, device=token_of(lockout), now=NOW)
    known = lockout.counters("ann", address=ADDRESS, subject="ann", state=HASH, now=NOW)
    assert unknown == known


def test_accounts_and_addresses_do_not_meet(lockout: LockoutKeys) -> None:
    found = set()
    for account, address in (("a", "b"), ("b", "a"), ("ab", ""), ("", "ab"), ("a\0b", "\0")):
        if account:
            counters = lockout.counters(account, address=address)
            found |= {counter["key"].partition(":")[2] for counter in counters}
    assert len(found) == 7
    assert lockout.counters("é") == lockout.counters("é".encode())


def test_a_known_device_is_counted_by_itself(lockout: LockoutKeys) -> None:
    token = token_of(lockout)
    (counter,) = lockout.counters(
        "ann@example.com", address=ADDRESS, device=token, subject="ann", state=HASH, now=NOW
    )
    assert counter["key"].startswith("device:")
    assert counter["on_success"] == "forget"
    assert kinds(lockout, device=token.encode()) == ["device"]
    # Another device of the same user has a counter of its own.
    other = lockout.counters("ann", device=token_of(lockout), subject="ann", state=HASH, now=NOW)
    assert other[0]["key"] != counter["key"]


@pytest.mark.parametrize(
    ("made", "used"),
    [
        ({}, {"state": HASH + "x"}),
        ({}, {"state": ""}),
        ({}, {"subject": "bob"}),
        ({}, {"subject": ""}),
        ({}, {"now": NOW + 86_401}),
        ({}, {"now": NOW - 3_600}),
        ({"subject": "bob"}, {}),
        ({"state": b"other"}, {}),
    ],
)
def test_a_device_token_that_is_not_good_counts_as_none(
    lockout: LockoutKeys, made: dict[str, Any], used: dict[str, Any]
) -> None:
    assert kinds(lockout, device=token_of(lockout, **made), **used) == ["address", "account"]


@pytest.mark.parametrize(
    "device",
    [None, "", b"", "x", "a.b.c", ".", "\ud800", "\0", b"\xff", "A" * 100_000, "é" * 5_000],
)
def test_whatever_a_client_sends_as_a_token_is_at_worst_none(
    lockout: LockoutKeys, device: Any
) -> None:
    assert kinds(lockout, device=device) == ["address", "account"]


def test_a_device_token_of_other_keys_counts_as_none(lockout: LockoutKeys) -> None:
    other = LockoutKeys(Keyring.generate(purposes=["device"], now=NOW))
    assert kinds(lockout, device=token_of(other)) == ["address", "account"]


def test_a_token_of_another_purpose_is_no_device_and_a_device_none_of_it(
    lockout: LockoutKeys, keys: Keyring
) -> None:
    tokens = PurposeTokens(keys)
    reset = tokens.mint("password-reset", "ann", state=HASH, ttl=3_600, now=NOW)
    assert kinds(lockout, device=reset) == ["address", "account"]
    with pytest.raises(donjon.InvalidToken):
        tokens.check(token_of(lockout), "password-reset", "ann", state=HASH, now=NOW)


def test_workers_that_share_a_master_secret_share_their_counters() -> None:
    epochs: list[MasterKey] = [
        {"purpose": "token", "alg": "EdDSA", "epoch": 1},
        {"purpose": "state-binding", "alg": "HS256", "epoch": 1},
        {"purpose": "device", "alg": "HS256", "epoch": 1},
    ]
    one, other = (LockoutKeys(Keyring.from_master(MASTER, keys=epochs)) for _ in range(2))
    assert one.counters("ann", address=ADDRESS) == other.counters("ann", address=ADDRESS)
    assert kinds(other, device=token_of(one)) == ["device"]


def test_a_flood_of_guesses_locks_the_account_and_not_the_known_device(
    lockout: LockoutKeys,
) -> None:
    table, limits = LimitTable(), Limits.lockout()

    def attempt(address: str, **options: Any) -> bool:
        counters = lockout.counters("ann", address=address, now=NOW, **options)
        return all(table.spend(limits, counter["key"]) for counter in counters)

    assert [attempt(f"203.0.113.{at}") for at in range(64)] == [True] * 5 + [False] * 59
    assert not attempt(ADDRESS)
    assert attempt(ADDRESS, device=token_of(lockout), subject="ann", state=HASH)


def test_a_keyring_without_its_keys_makes_none() -> None:
    for keyring in (Keyring.generate(now=NOW), Keyring.from_secret(SECRET)):
        with pytest.raises(donjon.ConfigError):
            LockoutKeys(keyring)
    with pytest.raises(donjon.ConfigError):
        LockoutKeys(Keyring.generate(None, purposes=["device"], now=NOW))


def test_what_is_no_account_is_refused(lockout: LockoutKeys) -> None:
    with pytest.raises(donjon.InvalidArgument):
        lockout.counters("")
    for account in ("x" * 1_025, b"x" * 1_025, "ann\udc80"):
        with pytest.raises(donjon.LimitInputRefused):
            lockout.counters(account)
    with pytest.raises(donjon.LimitInputRefused):
        lockout.counters("ann", address="x" * 1_025)
    for wrong in (None, 1, ["ann"], bytearray(b"ann")):
        with pytest.raises(TypeError):
            lockout.counters(wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("ttl", [0, -1, 2**62])
def test_a_device_token_lives_for_a_time(lockout: LockoutKeys, ttl: int) -> None:
    with pytest.raises(donjon.InvalidArgument):
        token_of(lockout, ttl=ttl)
    with pytest.raises(donjon.InvalidArgument):
        token_of(lockout, subject="")


def test_it_shows_no_secret(lockout: LockoutKeys) -> None:
    assert repr(lockout) == "LockoutKeys(...)"
