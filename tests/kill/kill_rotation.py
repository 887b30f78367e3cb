#!/usr/bin/env python3
"""Kills processes that move a table to another key-encryption key, at random moments.

    tests/kill/kill_rotation.py [--kills 3] [--rows 2000] [--seed N]

After every kill each row must open, as what it was, under its old key or its new one. Some of the time two
processes rotate at once, and both are killed. A rotation that finishes before it is killed is followed by one to
yet another key. In the end one is left to finish: no row may be under an older key, and a further run may change
nothing.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from pathlib import Path

from donjon import Envelope, Keyring
from donjon.sqlalchemy import rewrap_column
from killing import Failed, Options, Worker, begin
from sqlalchemy import (
    Column,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    create_engine,
    insert,
    select,
    text,
)

ROWS = Table(
    "rows",
    MetaData(),
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("data", LargeBinary, nullable=False),
)
BATCH = 200


class Store:
    """A folder with a keyring and a table of envelopes."""

    def __init__(self, folder: Path) -> None:
        self._keys = folder / "keyring.json"
        self.engine = create_engine(f"sqlite:///{folder / 'rows.db'}", connect_args={"timeout": 60})

    @property
    def keyring(self) -> Keyring:
        return Keyring.from_jwks(self._keys.read_text())

    @keyring.setter
    def keyring(self, keyring: Keyring) -> None:
        draft = self._keys.with_suffix(".part")
        draft.write_text(keyring.export_secret_jwks())
        draft.replace(self._keys)

    def fill(self, rows: int) -> None:
        ROWS.metadata.create_all(self.engine)
        envelope = Envelope(self.keyring)
        with self.engine.begin() as connection:
            connection.execute(
                insert(ROWS),
                [
                    {"id": i, "data": envelope.seal(payload(i), context=["rows", str(i)])}
                    for i in range(rows)
                ],
            )

    def rotate(self) -> int:
        return rewrap_column(
            self.engine, ROWS, "data", Envelope(self.keyring), batch=BATCH
        ).rewrapped

    def check(self, rows: int) -> int:
        """Open every row, and return how many are still under an older key."""
        envelope, left, seen = Envelope(self.keyring), 0, 0
        with self.engine.connect() as connection:
            if connection.scalar(text("PRAGMA integrity_check")) != "ok":
                raise Failed("the database is damaged")
            for i, data in connection.execute(select(ROWS).order_by(ROWS.c.id)):
                if i != seen or envelope.open(data, context=["rows", str(i)]) != payload(i):
                    raise Failed(f"row {i} is not what it was")
                left += envelope.needs_rewrap(data)
                seen += 1
        if seen != rows:
            raise Failed(f"{rows - seen} rows are lost")
        return left


def payload(i: int) -> bytes:
    return b"row %d" % i * (1 + i % 7)


def work(folder: Path) -> None:
    store = Store(folder)
    store.keyring  # noqa: B018  read before the clock is started
    begin()
    store.rotate()


def main() -> None:
    options = Options.parse(__doc__)
    if options.worker is not None:
        return work(options.worker)
    choose = random.Random(options.seed)
    print(f"rotation: {options.kills} kills, {options.rows} rows, seed {options.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="donjon-kill-") as name:
        store = Store(Path(name))
        store.keyring = Keyring.generate(purposes=["envelope"])
        store.fill(options.rows)
        took_s = timed_rotation(store, Path(name))
        kills = rotations = 0
        while kills < options.kills:
            if store.check(options.rows) == 0:
                store.keyring = store.keyring.rotate("envelope", overlap=0)
                rotations += 1
            workers = [Worker(Path(name)) for _ in range(choose.choice([1, 1, 2]))]
            moment_s = choose.uniform(0, took_s)
            kills += sum([worker.killed_after(moment_s) for worker in workers])
        store.check(options.rows)
        store.keyring = store.keyring.rotate("envelope", overlap=0)
        if (status := Worker(Path(name)).wait()) != 0:
            raise Failed(f"the last rotation failed: {status}")
        if store.check(options.rows) or store.rotate():
            raise Failed("the last rotation left rows behind")
        store.engine.dispose()
    print(
        f"rotation: {kills} processes killed in {rotations} rotations, every row opened after each"
    )
    return None


def timed_rotation(store: Store, folder: Path) -> float:
    """Rotate once without a kill, and return how long that takes."""
    store.keyring = store.keyring.rotate("envelope", overlap=0)
    worker = Worker(folder)
    begun = time.monotonic()
    if (status := worker.wait()) != 0:
        raise Failed(f"a rotation failed: {status}")
    return time.monotonic() - begun


if __name__ == "__main__":
    try:
        main()
    except Failed as failure:
        sys.exit(f"kill_rotation: {failure}")
