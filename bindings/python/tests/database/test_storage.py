"""What whoever gets the database's files can read: nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine
from sqlalchemy.orm import Session

from database.models import KEYS, Base, Note, Tenant, User
from database.postgresql import PostgreSQL

MARK = "Zanzibar-7261"


def fill(engine: Engine) -> None:
    """Write, change and delete rows that are full of a word, and one that has it in the clear."""
    KEYS.forget()
    Base.metadata.drop_all(engine)
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        values: dict[str, Any] = {"email": MARK, "phone": MARK, "settings": {MARK: MARK}}
        rows = [User(photo=MARK.encode(), **values) for _ in "abc"]
        session.add_all([*rows, Tenant(id=1, notes=[Note(text=MARK * 100)])])
        session.commit()
        rows[0].email, rows[1].settings = MARK * 2, {"changed": MARK}
        session.delete(rows[2])
        session.commit()


def contents(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def shows(data: bytes, word: str) -> bool:
    """Say whether the word is there, as it is or as something trivial makes it."""
    plain = word.encode()
    spellings = [plain, plain.hex().encode(), json.dumps(word)[1:-1].encode(), plain[::-1]]
    return any(spelling in data for spelling in spellings)


def test_a_sqlite_file_shows_no_plaintext(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'test.db'}")
    fill(engine)
    with Session(engine) as session:
        session.add(User(name="Visible-4410", email=MARK))
        session.commit()
    engine.dispose()
    data = contents(tmp_path)
    assert shows(data, "Visible-4410")
    assert not shows(data, MARK)


def test_a_postgresql_cluster_shows_no_plaintext(postgresql: PostgreSQL) -> None:
    engine = create_engine(postgresql.url("psycopg"))
    fill(engine)
    with Session(engine) as session:
        session.add(User(name="Visible-4410", email=MARK))
        session.commit()
    postgresql.execute("CHECKPOINT")
    # Tables, the write-ahead log and the server's own log.
    data = contents(postgresql.folder)
    assert shows(data, "Visible-4410")
    assert not shows(data, MARK)
    Base.metadata.drop_all(engine)
    engine.dispose()
