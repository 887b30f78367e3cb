"""Random histories of a session: each encrypted column has what a plain one beside it has."""

from __future__ import annotations

import pickle
import random
import uuid
from collections.abc import Callable

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Mapped, Session, SessionTransaction, mapped_column

from database.models import ENVELOPE, KEYRING, KEYS, Base
from donjon.sqlalchemy import BlindIndex, EncryptedString, open_values

STEPS = 60
TENANTS = (1, 2, 3)


class Twin(Base):
    """Two encrypted columns, one of them by tenant and deferred, and what is in them."""

    __tablename__ = "twins"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    public: Mapped[uuid.UUID] = mapped_column(default=uuid.uuid4)
    tenant: Mapped[int]
    a_plain: Mapped[str | None]
    b_plain: Mapped[str | None]
    a: Mapped[str | None] = mapped_column(EncryptedString(ENVELOPE))
    b: Mapped[str | None] = mapped_column(
        EncryptedString(KEYS, row="public", scope="tenant"), deferred=True
    )
    a_index: Mapped[bytes | None] = mapped_column(BlindIndex(KEYRING, of="a", bits=256))
    b_index: Mapped[bytes | None] = mapped_column(
        BlindIndex(KEYRING, of="b", bits=256, tenant="tenant")
    )

    def check(self) -> None:
        assert (self.a, self.b) == (self.a_plain, self.b_plain)


class History:
    """One session, and what is done with it by chance."""

    def __init__(self, engine: Engine, seed: int) -> None:
        self.choose = random.Random(seed)
        self.session = Session(
            engine,
            expire_on_commit=self.choose.random() < 0.7,
            autoflush=self.choose.random() < 0.7,
        )
        self.savepoints: list[SessionTransaction] = []

    def step(self) -> None:
        anything: list[Callable[[], None]] = [self.add, self.add, self.finish, self.savepoint]
        some_row = [self.write, self.write, self.move, self.move, self.look, self.carry]
        rows = self.session.scalars(select(Twin)).all()
        step = self.choose.choice([*anything, *some_row] if rows else anything)
        self.row = self.choose.choice(rows) if rows else None
        step()

    def add(self) -> None:
        a, b = self.value(), self.value()
        tenant = self.choose.choice(TENANTS)
        self.session.add(Twin(tenant=tenant, a=a, a_plain=a, b=b, b_plain=b))

    def write(self) -> None:
        row, value = self.row, self.value()
        assert row is not None
        match self.choose.randrange(4):
            case 0:
                row.a = row.a_plain = value
            case 1:
                row.b = row.b_plain = value
            case 2:
                row.a_index = b"forged"
            case _:
                self.session.delete(row)

    def move(self) -> None:
        row = self.row
        assert row is not None
        match self.choose.randrange(4):
            case 0:
                row.id = uuid.uuid4()
            case 1:
                row.public = uuid.uuid4()
            case 2:
                row.tenant = self.choose.choice(TENANTS)
            case _:
                row.tenant, row.tenant = 99, row.tenant
                row.b = row.b_plain = self.value()

    def look(self) -> None:
        row = self.row
        assert row is not None
        self.session.flush()
        if row not in self.session:
            return
        match self.choose.randrange(4):
            case 0:
                row.check()
            case 1:
                self.session.expire(row, [self.choose.choice(["a", "b", "public", "tenant"])])
            case 2:
                names = self.choose.choice([None, ["a"], ["b"], ["public", "b"]])
                self.session.refresh(row, names)
            case _:
                columns = select(Twin.id, Twin.public, Twin.tenant, Twin.a, Twin.b, Twin.b_plain)
                for found in self.session.execute(columns):
                    opened = open_values(Twin, found, connection=self.session.connection())
                    assert opened["b"] == opened["b_plain"]

    def carry(self) -> None:
        """Take the object out of the session, as a cache would, and back."""
        row = self.row
        assert row is not None
        self.session.flush()
        if row in self.session:
            carried = pickle.loads(pickle.dumps(row))
            self.session.expunge(row)
            self.session.merge(carried)

    def savepoint(self) -> None:
        if self.savepoints and self.choose.random() < 0.5:
            savepoint = self.savepoints.pop()
            if savepoint.is_active and self.choose.random() < 0.5:
                savepoint.commit()
            elif savepoint.is_active:
                savepoint.rollback()
        elif len(self.savepoints) < 2:
            self.savepoints.append(self.session.begin_nested())

    def finish(self) -> None:
        self.savepoints.clear()
        self.choose.choice([self.session.commit, self.session.rollback, self.close])()

    def close(self) -> None:
        self.session.commit()
        self.session.close()

    def value(self) -> str | None:
        return self.choose.choice([None, "", "x" * 30, str(self.choose.random())])


def check(engine: Engine) -> None:
    """Read everything as another process would."""
    KEYS.forget()
    with Session(engine) as session:
        for row in session.scalars(select(Twin)).all():
            row.check()
            assert (row.a is None, row.b is None) == (row.a_index is None, row.b_index is None)
            if row.a is not None:
                by_a = select(Twin).where(Twin.a_index.matches(row.a))
                assert row in session.scalars(by_a).all()
            if row.b is not None:
                by_b = select(Twin).where(Twin.b_index.matches(row.b, tenant=row.tenant))
                assert row in session.scalars(by_b).all()


@pytest.mark.parametrize("seed", range(15))
def test_whatever_a_session_does_a_cell_has_what_was_put_in(engine: Engine, seed: int) -> None:
    KEYS.forget()
    history = History(engine, seed)
    for _ in range(STEPS):
        history.step()
    history.close()
    check(engine)
