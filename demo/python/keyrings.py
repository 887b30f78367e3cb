"""The keys of data at rest, which an operator looks after with `python -m donjon keyring`."""

from __future__ import annotations

import os
from pathlib import Path

from donjon import Keyring

PURPOSES = ["envelope", "blind-index", "settings"]

FILE = os.environ.get("DEMO_KEYRING")


def read_keyring() -> Keyring:
    """Read the keyring. Without a file there are keys for as long as this process runs."""
    if FILE is None:
        return Keyring.generate(None, purposes=PURPOSES)
    return Keyring.from_jwks(Path(FILE).read_bytes())
