"""A table moves to another key-encryption key: `rewrap_column`."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from sqlalchemy import (
    Column,
    Engine,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    create_engine,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.orm import Session

from database.models import KEYRING, User
from donjon import DecryptFailed, Envelope, Keyring, generate_external_key
from donjon.sqlalchemy import CellError, RotationIncomplete, rewrap_column

OLD = Keyring.generate(purposes=["envelope"])
NEW = OLD.rotate("envelope", overlap=0)
PLAIN = b"payload"

metadata = MetaData()
FILES = Table(
    "files",
    metadata,
    Column("folder", String(8), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("data", LargeBinary),
)
KEYS = Table(
    "wrapped_keys",
    metadata,
    Column("scope", String(8), primary_key=True),
    Column("wrapped", LargeBinary, nullable=False),
)


@pytest.fixture
def files(engine: Engine) -> Iterator[Engine]:
    """A database with 2 times 25 envelopes under the old key, one of them large, and one NULL."""
    metadata.drop_all(engine)
    metadata.create_all(engine)
    envelope = Envelope(OLD)
    rows = [
        {
            "folder": folder,
            "number": number,
            "data": envelope.seal(
                PLAIN * (5000 if number == 7 else 1), context=[folder, str(number)]
            ),
        }
        for folder in "ab"
        for number in range(25)
    ]
    with engine.begin() as connection:
        connection.execute(insert(FILES), rows)
        connection.execute(insert(FILES).values(folder="c", number=0, data=None))
    yield engine
    metadata.drop_all(engine)


def stored(engine: Engine) -> Sequence[Any]:
    with engine.connect() as connection:
        return connection.execute(select(FILES).order_by(FILES.c.folder, FILES.c.number)).all()


def opened(engine: Engine, keyring: Keyring) -> int:
    """Open every envelope, under the primary key alone; return how many there are."""
    envelope = Envelope(keyring)
    with engine.connect() as connection:
        rows = connection.execute(select(FILES).where(FILES.c.data.is_not(None))).all()
    for folder, number, data in rows:
        assert not envelope.needs_rewrap(data)
        length = len(PLAIN) * (5000 if number == 7 else 1)
        assert len(envelope.open(data, context=[folder, str(number)])) == length
    return len(rows)


def test_every_row_moves_and_the_payloads_stay(files: Engine) -> None:
    before = stored(files)
    seen: list[tuple[int, int]] = []
    rotation = rewrap_column(
        files, FILES, "data", Envelope(NEW), batch=20, progress=lambda *p: seen.append(p)
    )
    assert (rotation.seen, rotation.rewrapped, rotation.failed) == (50, 50, [])
    assert seen == [(20, 50), (40, 50), (50, 50)]
    assert opened(files, NEW.disable(Envelope(OLD).key_id)) == 50
    for old, new in zip(before, stored(files), strict=True):
        assert old[:2] == new[:2]
        assert old.data is new.data is None or old.data[-23:] == new.data[-23:]


def test_again_changes_nothing(files: Engine) -> None:
    rewrap_column(files, FILES, "data", Envelope(NEW))
    before = stored(files)
    assert rewrap_column(files, FILES, "data", Envelope(NEW)).rewrapped == 0
    assert stored(files) == before


def test_what_was_interrupted_goes_on(files: Engine) -> None:
    def stop(done: int, _: int) -> None:
        if done == 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rewrap_column(files, FILES, "data", Envelope(NEW), batch=10, progress=stop)
    assert rewrap_column(files, FILES, "data", Envelope(NEW), batch=10).rewrapped == 30
    assert opened(files, NEW) == 50


def test_two_at_once_finish_together(files: Engine) -> None:
    failures: list[BaseException] = []

    def run() -> None:
        try:
            rewrap_column(files, FILES, "data", Envelope(NEW), batch=3)
        except BaseException as error:  # noqa: BLE001  for the assertion below
            failures.append(error)

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    assert opened(files, NEW) == 50


def test_a_row_written_meanwhile_is_left_as_it_is(files: Engine) -> None:
    where = (FILES.c.folder == "a") & (FILES.c.number == 3)
    written = Envelope(OLD).seal(b"newer", context=["a", "3"])
    envelope = Envelope(NEW)

    class Slow(Envelope):
        """Another writes the row between its being read and written."""

        __slots__ = ()

        def rewrap(self, envelope: Any, **options: Any) -> bytes:
            if b"newer" not in raced:
                raced.append(b"newer")
                with files.begin() as connection:
                    connection.execute(update(FILES).where(where).values(data=written))
            return super().rewrap(envelope, **options)

    raced: list[bytes] = []
    rewrap_column(files, FILES, "data", Slow(NEW), batch=100)
    with files.connect() as connection:
        assert connection.scalar(select(FILES.c.data).where(where)) == written
    assert rewrap_column(files, FILES, "data", envelope).rewrapped == 1


def test_a_row_that_does_not_open_is_told_and_holds_up_nothing(files: Engine) -> None:
    where = (FILES.c.folder == "a") & (FILES.c.number == 3)
    with files.begin() as connection:
        connection.execute(update(FILES).where(where).values(data=b"DJN1 damaged"))
    for rewrapped in (49, 0):
        with pytest.raises(RotationIncomplete, match="1 of 50") as caught:
            rewrap_column(files, FILES, "data", Envelope(NEW))
        rotation = caught.value.rotation
        assert rotation.rewrapped == rewrapped
        [(key, error)] = rotation.failed
        assert key == ("a", 3)
        assert isinstance(error, DecryptFailed)


@pytest.mark.parametrize("value", ["'hello'", "1.5", "-1", "300000000"])
def test_what_is_no_bytes_at_all_holds_up_nothing(files: Engine, value: str) -> None:
    if files.dialect.name != "sqlite":
        pytest.skip("only SQLite stores anything in any column")
    with files.begin() as connection:
        connection.execute(
            text(f"UPDATE files SET data = {value} WHERE folder = 'a' AND number = 3")
        )
    with pytest.raises(RotationIncomplete) as caught:
        rewrap_column(files, FILES, "data", Envelope(NEW))
    [(key, error)] = caught.value.rotation.failed
    assert key == ("a", 3)
    assert isinstance(error, DecryptFailed)
    assert caught.value.rotation.rewrapped == 49


def test_wrapped_data_keys_move_with_their_scopes(files: Engine) -> None:
    envelope, keys = Envelope(OLD), {}
    with files.begin() as connection:
        for scope in ("ann", "bob"):
            keys[scope], wrapped = envelope.new_data_key(scope)
            connection.execute(insert(KEYS).values(scope=scope, wrapped=wrapped))
    other = Keyring.generate(purposes=["envelope"])
    rotation = rewrap_column(files, KEYS, "wrapped", envelope, scope="scope", to=Envelope(other))
    assert rotation.rewrapped == 2
    with files.connect() as connection:
        for scope, wrapped in connection.execute(select(KEYS)):
            assert Envelope(other).open_data_key(wrapped, scope).key_id == keys[scope].key_id


def test_wrapped_data_keys_move_to_a_kms_and_back(files: Engine) -> None:
    kms = Envelope.from_external(generate_external_key(), key_id="kms-1", wrapped_key=b"blob")
    with files.begin() as connection:
        key, wrapped = Envelope(OLD).new_data_key("ann")
        connection.execute(insert(KEYS).values(scope="ann", wrapped=wrapped))
        connection.execute(insert(KEYS).values(scope="bob", wrapped=b"damaged"))
    for from_, to in [(Envelope(OLD), kms), (kms, Envelope(NEW))]:
        for rewrapped in (1, 0):
            with pytest.raises(RotationIncomplete, match="1 of 2") as caught:
                rewrap_column(files, KEYS, "wrapped", from_, scope="scope", to=to)
            assert caught.value.rotation.rewrapped == rewrapped
        with files.connect() as connection:
            stored = connection.scalar(select(KEYS.c.wrapped).where(KEYS.c.scope == "ann"))
        assert stored is not None
        assert to.open_data_key(stored, "ann").key_id == key.key_id


def test_one_passphrase_to_another_is_not_said_to_be_done(files: Engine) -> None:
    cheap: Any = {"memory_kib": 8, "time_cost": 1, "parallelism": 1}
    old, new = (Envelope.from_passphrase(text, **cheap) for text in ("old one", "new one"))
    with pytest.raises(CellError, match="passphrase"):
        rewrap_column(files, FILES, "data", old, to=new)


def test_an_encrypted_column_moves_as_it_is_stored(engine: Engine) -> None:
    with Session(engine) as session:
        session.add_all([User(email=f"{i}@example.com", phone="1") for i in range(7)])
        session.commit()
    new = Envelope(KEYRING.rotate("envelope", overlap=0))
    assert rewrap_column(engine, User, "email", new, batch=3).rewrapped == 7
    with engine.connect() as connection:
        rows: Any = connection.execute(select(User.id, User.email)).all()
        for id_, cell in rows:
            assert not new.needs_rewrap(bytes(cell))
            opened = new.open(bytes(cell), context=["users", "email", str(id_)])
            assert opened.endswith(b"@example.com")
        phone: Any = connection.scalars(select(User.phone)).first()
        assert new.needs_rewrap(bytes(phone))


def test_it_commits_so_it_wants_no_transaction_of_others(files: Engine) -> None:
    with files.connect() as connection:
        rewrap_column(connection, FILES, "data", Envelope(NEW))
        assert not connection.in_transaction()
        connection.begin()
        with pytest.raises(CellError, match="transaction"):
            rewrap_column(connection, FILES, "data", Envelope(NEW))
    with pytest.raises(CellError, match="batch"):
        rewrap_column(files, FILES, "data", Envelope(NEW), batch=0)
    bare = Table("bare", MetaData(), Column("data", LargeBinary))
    with pytest.raises(CellError, match="primary key"):
        rewrap_column(create_engine("sqlite://"), bare, "data", Envelope(NEW))
