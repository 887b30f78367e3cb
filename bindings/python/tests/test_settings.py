"""Secrets among settings."""

from __future__ import annotations

import pytest

import donjon
from donjon import Keyring
from donjon.settings import open_setting, open_settings, seal_setting


def test_a_sealed_setting_opens_under_its_name(stored_keys: Keyring) -> None:
    sealed = seal_setting(stored_keys, "DATABASE_URL", "postgres://é")
    assert sealed.startswith("sealed:")
    assert sealed.isascii()
    assert open_setting(stored_keys, "DATABASE_URL", sealed) == "postgres://é"
    with pytest.raises(donjon.DecryptFailed):
        open_setting(stored_keys, "database_url", sealed)


def test_settings_are_opened_where_they_are_sealed(stored_keys: Keyring) -> None:
    sealed = seal_setting(stored_keys, "PASSWORD", "hunter2")
    settings = {"PASSWORD": sealed, "HOST": "localhost", "EMPTY": ""}
    assert open_settings(settings, stored_keys) == settings | {"PASSWORD": "hunter2"}
    with pytest.raises(donjon.DecryptFailed, match="OTHER: ") as caught:
        open_settings({"HOST": "x", "OTHER": sealed}, stored_keys)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "plain", "sealed", "SEALED:x", " sealed:x"])
def test_what_is_not_sealed_is_not_opened(stored_keys: Keyring, text: str) -> None:
    with pytest.raises(donjon.EnvelopeInputRefused) as caught:
        open_setting(stored_keys, "X", text)
    assert caught.value.reason == "malformed"


@pytest.mark.parametrize("text", ["sealed:", "sealed:!", "sealed:AAAA", "sealed:RE5KMQ=="])
def test_what_is_damaged_does_not_open(stored_keys: Keyring, text: str) -> None:
    with pytest.raises(donjon.EnvelopeError):
        open_setting(stored_keys, "X", text)


def test_a_keyring_without_the_purpose_is_refused(keyring: Keyring) -> None:
    with pytest.raises(donjon.ConfigError):
        seal_setting(keyring, "X", "x")


def test_rotation_leaves_sealed_settings_readable(stored_keys: Keyring) -> None:
    sealed = seal_setting(stored_keys, "X", "value")
    rotated = stored_keys.rotate("settings")
    assert open_setting(rotated, "X", sealed, now=2**40) == "value"
