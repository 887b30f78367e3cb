"""Single-purpose tokens are good once."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import donjon
from conftest import NOW, SECRET
from donjon import InvalidToken, Keyring, PasswordHasher, PurposeTokens

OLD, NEW = "$argon2id$old", "$argon2id$new"


class Store:
    """One stored password hash, with the compare-and-swap of a database."""

    def __init__(self) -> None:
        self.hash = OLD
        self.lock = threading.Lock()

    def swap(self, old: str, new: str) -> bool:
        with self.lock:
            if self.hash != old:
                return False
            self.hash = new
            return True


@pytest.fixture(scope="session")
def tokens(keyring: Keyring) -> PurposeTokens:
    return PurposeTokens(keyring)


@pytest.fixture(scope="session")
def token(tokens: PurposeTokens) -> str:
    return tokens.mint("reset", "ann", state=OLD, ttl=600, now=NOW)


def test_a_token_is_good_for_what_it_was_made_for(tokens: PurposeTokens, token: str) -> None:
    tokens.check(token, "reset", "ann", state=OLD, now=NOW)
    tokens.check(token.encode(), "reset", "ann", state=OLD.encode(), now=NOW + 599)


@pytest.mark.parametrize(
    "change",
    [
        {"purpose": "invite"},
        {"subject": "eve"},
        {"state": NEW},
        {"now": NOW + 600},
        {"token": "x"},
        {"token": "\ud800"},
    ],
    ids=["purpose", "subject", "state", "late", "no token", "surrogate"],
)
def test_it_is_good_for_nothing_else(
    tokens: PurposeTokens, token: str, change: dict[str, Any]
) -> None:
    asked = {"token": token, "purpose": "reset", "subject": "ann", "state": OLD, "now": NOW}
    with pytest.raises(donjon.TokenError):
        tokens.check(**{**asked, **change})


def test_using_it_changes_the_state_and_so_uses_it_up(tokens: PurposeTokens, token: str) -> None:
    store = Store()

    def reset() -> None:
        state = store.hash
        tokens.consume(
            token, "reset", "ann", state=state, swap=lambda: store.swap(state, NEW), now=NOW
        )

    reset()
    assert store.hash == NEW
    with pytest.raises(InvalidToken):
        reset()


def test_of_two_uses_at_once_one_passes(tokens: PurposeTokens, token: str) -> None:
    for _ in range(50):
        store, barrier = Store(), threading.Barrier(2)

        def use(new: str, store: Store = store, barrier: threading.Barrier = barrier) -> bool:
            state = store.hash

            def swap() -> bool:
                barrier.wait()  # Both have checked the token before either swaps.
                return store.swap(state, new)

            try:
                tokens.consume(token, "reset", "ann", state=state, swap=swap, now=NOW)
            except InvalidToken:
                return False
            return True

        with ThreadPoolExecutor(2) as pool:
            passed = list(pool.map(use, ("first", "second")))
        assert sorted(passed) == [False, True]
        assert store.hash == ("first", "second")[passed.index(True)]


@pytest.mark.anyio
async def test_of_two_tasks_at_once_one_passes(tokens: PurposeTokens, token: str) -> None:
    store = Store()

    async def use(new: str) -> bool:
        state = store.hash

        async def swap() -> bool:
            await asyncio.sleep(0)  # Both have checked the token before either swaps.
            return store.swap(state, new)

        try:
            await tokens.aconsume(token, "reset", "ann", state=state, swap=swap, now=NOW)
        except InvalidToken:
            return False
        return True

    assert sorted(await asyncio.gather(use("first"), use("second"))) == [False, True]


def test_of_two_resets_at_once_one_sets_the_password(
    tokens: PurposeTokens, hasher: PasswordHasher
) -> None:
    """As a service does it: the state is the stored hash, and each request hashes its own."""
    for _ in range(20):
        store, barrier = Store(), threading.Barrier(2)
        store.hash = hasher.hash("forgotten")
        token = tokens.mint("reset", "ann", state=store.hash, ttl=600, now=NOW)

        def reset(
            password: str, store: Store = store, token: str = token, barrier: Any = barrier
        ) -> bool:
            state, new = store.hash, hasher.hash(password)

            def swap() -> bool:
                barrier.wait()
                return store.swap(state, new)

            try:
                tokens.consume(token, "reset", "ann", state=state, swap=swap, now=NOW)
            except InvalidToken:
                return False
            return True

        passwords = ("the first one", "the second one")
        with ThreadPoolExecutor(2) as pool:
            passed = list(pool.map(reset, passwords))
        assert sorted(passed) == [False, True]
        assert hasher.verify(store.hash, passwords[passed.index(True)])
        with pytest.raises(donjon.PasswordMismatch):
            hasher.verify(store.hash, passwords[passed.index(False)])
        # It is used up, and so it is by a new hash of the same password.
        for later in (store.hash, hasher.hash("forgotten")):
            with pytest.raises(InvalidToken):
                tokens.check(token, "reset", "ann", state=later, now=NOW)


@pytest.mark.parametrize("returned", [None, 1, "yes"])
def test_a_swap_that_does_not_say_is_refused(
    tokens: PurposeTokens, token: str, returned: object
) -> None:
    swap: Callable[[], bool] = lambda: returned  # type: ignore[assignment, return-value]  # noqa: E731
    with pytest.raises(TypeError):
        tokens.consume(token, "reset", "ann", state=OLD, swap=swap, now=NOW)


def test_a_bad_token_never_reaches_the_store(tokens: PurposeTokens, token: str) -> None:
    def swap() -> bool:
        raise AssertionError

    with pytest.raises(InvalidToken):
        tokens.consume(token, "reset", "eve", state=OLD, swap=swap, now=NOW)


@pytest.mark.parametrize("purpose", ["at", "rt", "Reset", "", "-x", "a" * 33])
def test_purposes_have_names(tokens: PurposeTokens, purpose: str) -> None:
    with pytest.raises(donjon.DonjonError):
        tokens.mint(purpose, "ann", state=OLD, ttl=600)


def test_binding_to_a_state_needs_a_key_for_it() -> None:
    with pytest.raises(donjon.ConfigError):
        PurposeTokens(Keyring.from_secret(SECRET))
