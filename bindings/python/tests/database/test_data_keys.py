"""A data key per tenant: made once, kept for a while, shredded."""

from __future__ import annotations

import threading
import time
import uuid
from pathlib import Path

import pytest
from sqlalchemy import Engine, Table, create_engine, event, insert, select, text, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from conftest import MASTER, NOW
from database.models import ENVELOPE, KEYRING, KEYS, Note, Tenant
from donjon import ConfigError, DecryptFailed, Envelope, Keyring, generate_external_key
from donjon.sqlalchemy import (
    CellError,
    DataKeyMissing,
    DataKeys,
    RotationIncomplete,
    Sealed,
    open_values,
    rewrap_column,
    seal_values,
)

NOTES: Table = Note.__table__  # type: ignore[assignment]


@pytest.fixture(autouse=True)
def forget() -> None:
    """The keys that were kept are of another test's database."""
    KEYS.forget()


def note(session: Session, tenant: int, text: str = "secret") -> Note:
    made = Note(tenant=session.get(Tenant, tenant) or Tenant(id=tenant), text=text)
    session.add(made)
    session.commit()
    return made


def put(session: Session, target: Note, cell: Sealed) -> None:
    statement = update(NOTES).where(NOTES.c.id == target.id).values(text=cell)
    session.connection().execute(statement)
    session.commit()


def cell(session: Session, of: Note) -> Sealed:
    found = session.connection().scalar(select(NOTES.c.text).where(NOTES.c.id == of.id))
    assert isinstance(found, Sealed)
    return found


def stored_keys(session: Session) -> list[str]:
    return list(session.connection().scalars(select(KEYS._table.c.scope)))


def test_a_tenant_has_one_key(session: Session) -> None:
    first, second, other = note(session, 1), note(session, 1), note(session, 2)
    session.expire_all()
    assert (first.text, second.text, other.text) == ("secret",) * 3
    assert sorted(stored_keys(session)) == ["1", "2"]


def test_a_tenant_that_a_relationship_gives_is_known_in_time(session: Session) -> None:
    tenant = Tenant(notes=[Note(text="one"), Note(text="two")])
    session.add(tenant)
    session.commit()
    assert {n.text for n in session.scalars(select(Note))} == {"one", "two"}
    assert {n.tenant_id for n in tenant.notes} == {tenant.id}


@pytest.mark.parametrize("tenant", [1, 2])
def test_a_cell_moved_to_another_row_or_tenant_does_not_open(session: Session, tenant: int) -> None:
    source, target = note(session, 1), note(session, tenant)
    put(session, target, cell(session, source))
    with pytest.raises(DecryptFailed):
        _ = target.text


def test_a_row_that_moves_to_another_tenant_is_sealed_for_it(session: Session) -> None:
    moving, tenant = note(session, 1), Tenant(id=2)
    session.expire_all()
    moving.tenant = tenant
    session.commit()
    session.expunge_all()
    moved = session.scalars(select(Note)).one()
    assert (moved.tenant_id, moved.text) == (2, "secret")
    found = select(Note).where(Note.text_index.matches("secret", tenant=2))
    assert session.scalars(found).one() is moved
    KEYS.shred(session.connection(), 1, keyring=KEYRING)
    session.commit()
    assert moved.text == "secret"


def test_a_key_rolled_back_is_not_remembered(engine: Engine) -> None:
    with Session(engine) as session:
        session.add(Tenant(id=1, notes=[Note(text="lost")]))
        session.flush()
        session.rollback()
        with session.begin_nested() as savepoint:
            session.add(Tenant(id=1, notes=[Note(text="lost too")]))
            session.flush()
            savepoint.rollback()
        session.add(Tenant(id=1, notes=[Note(text="kept")]))
        session.commit()
    KEYS.forget()
    with Session(engine) as session:
        assert session.scalars(select(Note)).one().text == "kept"


def test_a_key_that_was_committed_is_looked_up_once(session: Session) -> None:
    note(session, 1)
    found = KEYS.get(session.connection(), 1)
    session.commit()
    assert KEYS.get(session.connection(), "1") is found
    assert KEYS.get_or_create(session.connection(), 1) is found


def test_the_keys_that_are_kept_are_bounded_in_number_and_time(session: Session) -> None:
    few = DataKeys(ENVELOPE, KEYS._table, cache=2, max_age_s=0.2)
    for scope in "abc":
        few.get_or_create(session.connection(), scope)
    session.commit()
    a, b, c = (few.get(session.connection(), scope) for scope in "abc")
    assert few.get(session.connection(), "b") is b
    assert few.get(session.connection(), "a") is not a
    time.sleep(0.25)
    assert few.get(session.connection(), "c") is not c


def test_two_who_make_one_key_at_once_get_the_same(engine: Engine) -> None:
    start, ids = threading.Barrier(4), []

    def make() -> None:
        own = DataKeys(ENVELOPE, KEYS._table)
        start.wait(10)
        for scope in range(20):
            with engine.begin() as connection:
                ids.append((scope, own.get_or_create(connection, scope).key_id))

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(ids) == 80
    assert len(set(ids)) == 20


def test_what_is_shredded_is_gone_and_the_rest_is_not(session: Session) -> None:
    first, other = note(session, 1), note(session, 2)
    erasure = KEYS.shred(session.connection(), 1, keyring=KEYRING)
    session.commit()
    assert not erasure.erased
    assert list(erasure.alive) == [ENVELOPE.key_id]
    assert len(session.scalars(select(Note)).all()) == 2
    assert other.text == "secret"
    for _ in range(2):
        with pytest.raises(DataKeyMissing):
            _ = first.text
    with pytest.raises(DataKeyMissing):
        KEYS.get(session.connection(), 1)
    with pytest.raises(DataKeyMissing):
        KEYS.shred(session.connection(), 1, keyring=KEYRING)


def test_a_shredding_that_is_rolled_back_was_none(session: Session) -> None:
    kept = note(session, 1)
    KEYS.shred(session.connection(), 1, keyring=KEYRING)
    session.rollback()
    assert kept.text == "secret"


def test_a_subject_shredded_may_come_again_with_another_key(session: Session) -> None:
    old = note(session, 1)
    KEYS.shred(session.connection(), 1, keyring=KEYRING)
    session.commit()
    new = note(session, 1, "again")
    session.expire_all()
    assert new.text == "again"
    with pytest.raises((DecryptFailed, Exception), match=r"."):
        _ = old.text


def test_erasure_counts_every_key_that_wrapped_it(engine: Engine) -> None:
    old = Keyring.generate(purposes=["envelope"])
    new = old.rotate("envelope", overlap=0)
    first, second = Envelope(old).key_id, Envelope(new).key_id
    with engine.begin() as connection:
        DataKeys(Envelope(old), KEYS._table).get_or_create(connection, "ann")
        DataKeys(Envelope(old), KEYS._table).get_or_create(connection, "bob")
    keys = DataKeys(Envelope(new), KEYS._table)
    for expected in (2, 0):
        assert keys.rewrap(engine).rewrapped == expected
    with engine.begin() as connection:
        erasure = keys.shred(connection, "ann", keyring=new)
        assert not erasure.erased
        assert set(erasure.alive) == {first, second}
        erasure = keys.shred(connection, "bob", keyring=new.destroy(first).destroy(second))
        assert erasure.erased
        assert erasure.by == "keys_destroyed"


def test_what_is_shredded_elsewhere_is_not_written_with(engine: Engine) -> None:
    with Session(engine) as session:
        note(session, 1, "before")
    elsewhere = DataKeys(ENVELOPE, KEYS._table)
    for again in range(2):
        with engine.begin() as connection:
            elsewhere.shred(connection, 1, keyring=KEYRING)
            if again:
                elsewhere.get_or_create(connection, 1)
        with Session(engine) as session:
            id_ = note(session, 1, "after").id
        KEYS.forget()
        with Session(engine) as session:
            assert session.get_one(Note, id_).text == "after"


def test_two_databases_have_keys_of_their_own(engine: Engine, tmp_path: Path) -> None:
    other = create_engine(f"sqlite:///{tmp_path / 'other.db'}")
    Note.metadata.create_all(other)
    for _ in range(2):
        for each in (engine, other):
            with Session(each) as session:
                note(session, 1, "secret")
                assert {n.text for n in session.scalars(select(Note))} == {"secret"}
                assert stored_keys(session) == ["1"]
    with engine.begin() as one, other.connect() as two:
        assert KEYS.get(one, 1).key_id != KEYS.get(two, 1).key_id
        KEYS.shred(one, 1, keyring=KEYRING)
        assert KEYS.get(two, 1)
    other.dispose()


def test_a_key_that_is_kept_is_looked_up_once_in_a_transaction_that_writes(
    session: Session,
) -> None:
    note(session, 1)
    looked_up: list[str] = []

    def count(*arguments: object) -> None:
        if "FROM data_keys" in str(arguments[2]):
            looked_up.append(str(arguments[2]))

    event.listen(session.get_bind(), "before_cursor_execute", count)
    session.add_all([Note(tenant_id=1, text=str(i)) for i in range(5)])
    session.flush()
    session.add(Note(tenant_id=1, text="more"))
    session.commit()
    assert len(looked_up) == 1
    session.add(Note(tenant_id=1, text="more"))
    session.commit()
    assert len(looked_up) == 2
    # A savepoint that is rolled back lets go of the row.
    with session.begin_nested():
        KEYS.get_or_create(session.connection(), 1)
    KEYS.get_or_create(session.connection(), 1)
    assert len(looked_up) == 4


def test_a_shredding_waits_for_who_is_writing(engine: Engine) -> None:
    if engine.dialect.name != "postgresql":
        pytest.skip("SQLite has one writer at a time")
    with Session(engine) as session:
        note(session, 1)
        session.add(Note(tenant_id=1, text="written meanwhile"))
        session.flush()
        with engine.connect() as connection:
            connection.execute(text("SET lock_timeout = '100ms'"))
            with pytest.raises(OperationalError, match="lock timeout"):
                KEYS.shred(connection, 1, keyring=KEYRING)


def test_erasure_counts_the_key_that_a_row_names_itself(engine: Engine) -> None:
    """Whoever wrapped it anew may have left the list behind, and whoever writes to it cut it."""
    old = Keyring.generate(purposes=["envelope"])
    new = old.rotate("envelope", overlap=0)
    first, second = Envelope(old).key_id, Envelope(new).key_id
    keys = DataKeys(Envelope(old), KEYS._table)
    with engine.begin() as connection:
        keys.get_or_create(connection, "ann")
        [wrapped] = connection.scalars(select(KEYS._table.c.wrapped))
        moved = Envelope(new).rewrap_data_key(wrapped, "ann")
        connection.execute(update(KEYS._table).values(wrapped=moved))
        erasure = keys.shred(connection, "ann", keyring=new.destroy(first))
    assert not erasure.erased
    assert erasure.alive == (second,)


def test_a_list_of_who_wrapped_keys_is_not_left_behind(engine: Engine) -> None:
    with engine.begin() as connection:
        KEYS.get_or_create(connection, "ann")
    new = Envelope(KEYRING.rotate("envelope", overlap=0))
    with pytest.raises(CellError, match="wrapped_by"):
        rewrap_column(engine, KEYS._table, "wrapped", new, scope="scope")


def test_a_key_of_a_kms_is_shredded_though_nothing_is_promised(engine: Engine) -> None:
    kms = Envelope.from_external(generate_external_key(), key_id="kms-1", wrapped_key=b"blob")
    keys = DataKeys(kms, KEYS._table)
    with engine.begin() as connection:
        keys.get_or_create(connection, "ann")
        erasure = keys.shred(connection, "ann", keyring=KEYRING, backups_expire=NOW, now=NOW - 1)
    assert (erasure.erased, erasure.by, erasure.alive) == (False, None, ("kms-1",))
    with engine.begin() as connection:
        with pytest.raises(DataKeyMissing):
            keys.get(connection, "ann")
        keys.get_or_create(connection, "ann")
        erasure = keys.shred(connection, "ann", keyring=KEYRING, backups_expire=NOW, now=NOW)
    assert (erasure.erased, erasure.by) == (True, "backups_expired")


@pytest.mark.parametrize("listed", ["{", "[]", "7", "[7]", '"a"', "", "[" * 100_000])
def test_a_list_that_is_none_holds_up_nothing(engine: Engine, listed: str) -> None:
    old = Keyring.generate(purposes=["envelope"])
    new = old.rotate("envelope", overlap=0)
    keys = DataKeys(Envelope(old), KEYS._table)
    with engine.begin() as connection:
        _, wrapped = Envelope(old).new_data_key("ann")
        row = {"scope": "ann", "wrapped": wrapped, "wrapped_by": listed}
        connection.execute(insert(KEYS._table).values(row))
        keys.get_or_create(connection, "bob")
    keys = DataKeys(Envelope(new), KEYS._table)
    with pytest.raises(RotationIncomplete) as caught:
        keys.rewrap(engine)
    assert caught.value.rotation.rewrapped == 1
    assert [key for key, _ in caught.value.rotation.failed] == [("ann",)]
    with engine.begin() as connection:
        gone = new.destroy(Envelope(old).key_id)
        erasure = keys.shred(connection, "ann", keyring=gone)
        assert (erasure.erased, erasure.alive) == (False, ())


def test_a_row_that_is_no_wrapped_key_is_shredded(engine: Engine) -> None:
    row = {"scope": "ann", "wrapped": b"damaged", "wrapped_by": f'["{ENVELOPE.key_id}"]'}
    with engine.begin() as connection:
        connection.execute(insert(KEYS._table).values(row))
        erasure = KEYS.shred(connection, "ann", keyring=KEYRING)
    assert (erasure.erased, erasure.alive) == (False, (ENVELOPE.key_id,))


def test_keys_are_looked_up_while_rows_stream_in(session: Session) -> None:
    for tenant in range(1, 6):
        note(session, tenant, f"of {tenant}")
    KEYS.forget()
    session.expunge_all()
    rows = session.scalars(select(Note).execution_options(yield_per=2))
    assert sorted(n.text or "" for n in rows) == [f"of {tenant}" for tenant in range(1, 6)]


def test_derived_keys_promise_no_erasure_by_themselves(session: Session) -> None:
    derived = Keyring.from_master(
        MASTER, keys=[{"purpose": "envelope", "alg": "HS256", "epoch": 1}]
    )
    keys = DataKeys(Envelope(derived), KEYS._table)
    keys.get_or_create(session.connection(), "ann")
    session.commit()
    with pytest.raises(ConfigError):
        keys.shred(session.connection(), "ann", keyring=derived)
    session.rollback()
    erasure = keys.shred(
        session.connection(), "ann", keyring=derived, backups_expire=NOW, now=NOW + 1
    )
    assert (erasure.erased, erasure.by) == (True, "backups_expired")


def test_statements_are_given_the_connection(session: Session) -> None:
    note(session, 1)
    values = {"public_id": uuid.uuid4(), "tenant_id": 1, "text": "by hand"}
    with pytest.raises(CellError, match="connection"):
        seal_values(Note, values | {"tenant_id": 99})
    connection = session.connection()
    session.execute(NOTES.insert(), [seal_values(Note, values, connection=connection)])
    row = session.execute(
        select(Note.public_id, Note.tenant_id, Note.text).where(
            Note.text_index.matches("by hand", tenant=1)
        )
    ).one()
    assert open_values(Note, row, connection=connection) == values


def test_the_index_of_another_tenant_is_another(session: Session) -> None:
    one, two = note(session, 1), note(session, 2)
    assert one.text_index != two.text_index
    with pytest.raises(CellError, match="tenant"):
        Note.text_index.matches("secret")
