"""What an operator has at hand: the keyring's file, the database's file, and `python -m donjon`."""

from __future__ import annotations

import base64
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from donjon import Keyring
from donjon.settings import seal_setting

PURPOSES = ("envelope", "blind-index", "settings")
GATEWAY = "https://demo:Nine-Copper-Kettles@sms.example/v1"


class CommandFailed(Exception):
    """`python -m donjon` refused."""


class Vault:
    """Keyring and database, in files."""

    def __init__(self, folder: Path) -> None:
        self.keyring_file = folder / "keyring.json"
        self.database = folder / "contacts.db"
        self.keyring_file.unlink(missing_ok=True)  # of an attempt whose ports were taken
        self.donjon("keyring", "generate", "--keyring", f"{self.keyring_file}", *PURPOSES)
        self.environment = {
            "DEMO_KEYRING": f"{self.keyring_file}",
            "DEMO_DATABASE": f"sqlite:///{self.database}",
            "SMS_GATEWAY": seal_setting(self.keyring, "SMS_GATEWAY", GATEWAY),
        }

    @property
    def keyring(self) -> Keyring:
        """The keys, as the file has them now."""
        return Keyring.from_jwks(self.keyring_file.read_bytes())

    def primary(self) -> str:
        """Return the id of the key that wraps."""
        (kid,) = [
            key["kid"]
            for key in self.keyring.summary()
            if (key["purpose"], key["status"]) == ("envelope", "primary")
        ]
        return kid or ""

    def donjon(self, *arguments: str) -> bytes:
        """Run `python -m donjon`, and return what it printed."""
        command = [sys.executable, "-m", "donjon", *arguments]
        done = subprocess.run(  # noqa: S603  a command of ours
            command, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=60
        )
        if done.returncode:
            raise CommandFailed(f"python -m donjon {arguments[0]}: {done.stderr.decode()}")
        return done.stdout

    def cell(self, name: str, database: Path | None = None) -> bytes:
        """Return what the database has of somebody's number."""
        return self._column("SELECT phone FROM contacts WHERE name = ?", name, database)

    def data_key(self, name: str, database: Path | None = None) -> bytes:
        """Return what the database has of somebody's data key."""
        return self._column("SELECT wrapped FROM data_keys WHERE scope = ?", name, database)

    def row(self, name: str) -> dict[str, str]:
        """Return both as JSON can have them."""
        stored = {"phone": self.cell(name), "data_key": self.data_key(name)}
        return {column: base64.b64encode(data).decode() for column, data in stored.items()}

    def put_cell(self, name: str, cell: bytes) -> None:
        """Write to the database, as whoever has got hold of it may."""
        with closing(sqlite3.connect(self.database)) as database, database:
            database.execute("UPDATE contacts SET phone = ? WHERE name = ?", (cell, name))

    def _column(self, query: str, name: str, database: Path | None) -> bytes:
        with closing(sqlite3.connect(database or self.database)) as opened:
            (found,) = opened.execute(query, (name,)).fetchone()
        return bytes(found)


def rights_of(file: Path) -> str:
    """Return who may use a file, as `chmod` spells it."""
    return f"{file.stat().st_mode & 0o777:04o}"
