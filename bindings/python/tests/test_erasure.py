"""Whether what was sealed is gone for good."""

from __future__ import annotations

from typing import Any

import pytest

import donjon
from conftest import MASTER, NOW
from donjon import Envelope, Erasure, Keyring, erasure


def test_it_is_gone_once_all_keys_that_wrapped_it_are_destroyed(stored_keys: Keyring) -> None:
    first = Envelope(stored_keys)
    keyring = stored_keys.rotate("envelope")
    key_ids = [first.key_id, Envelope(keyring).key_id]
    alive = erasure(keyring, key_ids, now=NOW)
    assert alive == Erasure(erased=False, by=None, alive=tuple(key_ids), backups_expire=None)
    keyring = keyring.rotate("envelope")
    for key_id in key_ids:
        keyring = keyring.destroy(key_id)
    assert erasure(keyring, key_ids, now=NOW).by == "keys_destroyed"


def test_it_is_gone_once_no_backup_holds_it(stored_keys: Keyring) -> None:
    key_ids = (Envelope(stored_keys).key_id,)
    before = erasure(stored_keys, key_ids, backups_expire=NOW, now=NOW - 1)
    after = erasure(stored_keys, key_ids, backups_expire=NOW, now=NOW)
    assert (before.erased, before.backups_expire) == (False, NOW)
    assert (after.erased, after.by) == (True, "backups_expired")


def test_a_derived_key_is_never_destroyed() -> None:
    keys: Any = [{"purpose": "envelope", "alg": "HS256", "epoch": 1}]
    keyring = Keyring.from_master(MASTER, keys=keys)
    key_ids = [Envelope(keyring).key_id]
    with pytest.raises(donjon.ConfigError):
        erasure(keyring, key_ids, now=NOW)
    assert not erasure(keyring, key_ids, backups_expire=NOW + 1, now=NOW).erased


def test_what_says_nothing_is_refused(stored_keys: Keyring) -> None:
    with pytest.raises(donjon.InvalidArgument):
        erasure(stored_keys, [])
    with pytest.raises(donjon.EnvelopeKeyRefused):
        erasure(stored_keys, ["nobody"])
    for moment in (-1, -(2**62)):
        with pytest.raises(donjon.InvalidArgument):
            erasure(stored_keys, [Envelope(stored_keys).key_id], backups_expire=moment)
