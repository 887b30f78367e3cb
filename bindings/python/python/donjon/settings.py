"""Secrets among settings: sealed where they are written down, opened when a service starts.

    seal_setting(keyring, "database_url", "postgres://…")  # "sealed:RE…": into the environment
    settings = open_settings(os.environ, keyring)

A sealed value opens under the name that it was sealed for, and under no other. The keyring has a
key of the purpose `settings`.
"""

from __future__ import annotations

from collections.abc import Mapping

from donjon._donjon import Keyring, open_setting, seal_setting
from donjon.errors import EnvelopeError

__all__ = ["open_setting", "open_settings", "seal_setting"]

_SEALED = "sealed:"


def open_settings(
    settings: Mapping[str, str], keyring: Keyring, *, now: int | None = None
) -> dict[str, str]:
    """Return the settings with those opened that are sealed: all of them, or none.

    Names are as they were sealed: `DATABASE_URL` is another name than `database_url`.
    """
    return {
        name: _opened(keyring, name, value, now) if value.startswith(_SEALED) else value
        for name, value in settings.items()
    }


def _opened(keyring: Keyring, name: str, value: str, now: int | None) -> str:
    try:
        return open_setting(keyring, name, value, now=now)
    except EnvelopeError as error:
        # Of many settings, the operator wants to know which. Its name is no secret.
        error.args = (f"{name}: {error}",)
        raise
