"""Equality search over what is encrypted."""

from __future__ import annotations

from typing import Any

import pytest

import donjon
from conftest import NOW
from donjon import BlindIndex, Keyring


def index_of(keyring: Keyring, **changes: Any) -> BlindIndex:
    place: dict[str, Any] = {"tenant": "tenant-7", "table": "users", "column": "email"}
    return BlindIndex(keyring, **place | changes)


def test_equal_values_are_found(stored_keys: Keyring) -> None:
    index = index_of(stored_keys)
    stored = index.value("ann@example.com")
    assert len(stored) == 1 + 4
    assert index.value(b"ann@example.com") == stored
    assert stored in index.candidates("ann@example.com")
    assert stored not in index.candidates("Ann@example.com")


def test_a_column_has_values_of_its_own(stored_keys: Keyring) -> None:
    places: list[dict[str, Any]] = [
        {},
        {"tenant": "tenant-8"},
        {"table": "people"},
        {"column": "name"},
        {"tenant": "tenant-7u", "table": "sers"},
    ]
    assert len({index_of(stored_keys, **place).value("x") for place in places}) == len(places)


def test_a_rotated_key_is_searched_as_well(stored_keys: Keyring) -> None:
    old = index_of(stored_keys)
    new = index_of(stored_keys.rotate("blind-index", now=NOW))
    assert new.value("x") != old.value("x")
    candidates = new.candidates("x")
    assert candidates[0] == new.value("x")
    assert old.value("x") in candidates
    assert len({candidate[0] for candidate in candidates}) == len(candidates)


@pytest.mark.parametrize(("bits", "length"), [(8, 1), (9, 2), (33, 5), (256, 32)])
def test_bits_are_what_is_stored(stored_keys: Keyring, bits: int, length: int) -> None:
    stored = index_of(stored_keys, bits=bits).value("x")
    assert len(stored) == 1 + length
    assert stored[-1] & ((1 << -bits % 8) - 1) == 0


@pytest.mark.parametrize("bits", [0, 7, 257, -1, 2**40])
def test_bits_have_bounds(stored_keys: Keyring, bits: int) -> None:
    with pytest.raises((donjon.ConfigError, donjon.InvalidArgument)):
        index_of(stored_keys, bits=bits)


def test_a_keyring_without_a_key_is_refused_and_says_so(keyring: Keyring) -> None:
    with pytest.raises(donjon.ConfigError) as caught:
        index_of(keyring)
    assert caught.value.diagnosis is not None


def test_table_and_column_have_to_be_given(stored_keys: Keyring) -> None:
    with pytest.raises(TypeError):
        BlindIndex(stored_keys, table="users")  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        BlindIndex(stored_keys, "users", "email")  # type: ignore[call-arg]
