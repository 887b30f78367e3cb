#!/usr/bin/env python3
"""Kills processes that seal a file over and over, at random moments.

    tests/kill/kill_seal_file.py [--kills 3] [--rows 2000] [--seed N]

Each time the file has another edition of its rows. After every kill the sealed file must be there as a whole, be
readable by its owner alone, and open to one edition, the last that was finished or the next. What a killed
process leaves beside it may not show what it was sealing. In the end one edition is left to finish.
"""

from __future__ import annotations

import random
import stat
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from donjon import DecryptFailed, Envelope, Keyring
from killing import Failed, Options, Worker, begin

CONTEXT = ("reports", "table")
# Of each process, and by and by of all of them.
LONGEST_S = 0.5


class Store:
    """A folder with a keyring, a file, and the same file sealed."""

    def __init__(self, folder: Path) -> None:
        self.keys, self.plain = folder / "keyring.json", folder / "table.txt"
        self.done, self.sealed = folder / "done", folder / "sealed" / "table.sealed"

    def create(self, rows: int) -> None:
        self.keys.write_text(Keyring.generate(purposes=["envelope"]).export_secret_jwks())
        self.plain.write_bytes(edition(0, rows))
        self.done.write_text(f"0 {rows}")
        self.sealed.parent.mkdir()
        self.envelope.seal_file(self.plain, self.sealed, context=CONTEXT)

    @property
    def envelope(self) -> Envelope:
        return Envelope(Keyring.from_jwks(self.keys.read_text()))

    def seal_editions(self, editions: Iterator[int]) -> None:
        envelope, rows = self.envelope, self._done()[1]
        for number in editions:
            draft = self.plain.with_suffix(".part")
            draft.write_bytes(edition(number, rows))
            draft.replace(self.plain)
            envelope.seal_file(self.plain, self.sealed, context=CONTEXT)
            draft.write_text(f"{number} {rows}")
            draft.replace(self.done)

    def _done(self) -> tuple[int, int]:
        number, rows = self.done.read_text().split()
        return int(number), int(rows)

    def check(self) -> int:
        """Open the sealed file, and return its edition."""
        number, rows = self._done()
        opened = self.plain.with_name("opened.txt")
        self.envelope.open_file(self.sealed, opened, context=CONTEXT)
        found = opened.read_bytes()
        if found not in {edition(number, rows), edition(number + 1, rows)}:
            raise Failed(f"the sealed file is not edition {number}, nor the next")
        for path in self.sealed.parent.iterdir():
            if stat.S_IMODE(path.stat().st_mode) != 0o600:
                raise Failed(f"others may read {path.name}")
            if b"row " in path.read_bytes():
                raise Failed(f"{path.name} shows what was sealed")
            if path != self.sealed:
                self._check_remains(path)
        return int(found.split(b":", 1)[0])

    def _check_remains(self, path: Path) -> None:
        """A draft that was not finished does not open, and nothing was made of what would."""
        opened = self.plain.with_name("remains.txt")
        try:
            self.envelope.open_file(path, opened, context=CONTEXT)
        except DecryptFailed:
            if opened.exists():
                raise Failed("a part of a draft was taken for a file") from None
        opened.unlink(missing_ok=True)
        path.unlink()


def edition(number: int, rows: int) -> bytes:
    return b"%d:" % number + b"".join(b"row %d of edition %d\n" % (i, number) for i in range(rows))


def work(folder: Path) -> None:
    store = Store(folder)
    first = store.check() + 1
    begin()
    store.seal_editions(count(first))


def main() -> None:
    options = Options.parse(__doc__)
    if options.worker is not None:
        return work(options.worker)
    choose = random.Random(options.seed)
    print(f"seal_file: {options.kills} kills, {options.rows} rows, seed {options.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="donjon-kill-") as name:
        store = Store(Path(name))
        store.create(options.rows)
        begun = time.monotonic()
        for _ in range(options.kills):
            if not Worker(Path(name)).killed_after(choose.uniform(0, LONGEST_S)):
                raise Failed("a worker ended by itself")
            store.check()
        last = store.check() + 1
        store.seal_editions(iter([last]))
        if store.check() != last:
            raise Failed("the last edition was not sealed")
        took_s = time.monotonic() - begun
    print(f"seal_file: {options.kills} processes killed, {last} editions sealed, {took_s:.0f} s")
    return None


if __name__ == "__main__":
    try:
        main()
    except Failed as failure:
        sys.exit(f"kill_seal_file: {failure}")
