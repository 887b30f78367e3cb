"""A blind index moves to another key: `reindex_column`."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, Table, select, update
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from database.models import ENVELOPE
from donjon import DecryptFailed, Keyring
from donjon.sqlalchemy import (
    BlindIndex,
    CellError,
    EncryptedString,
    RotationIncomplete,
    Sealed,
    reindex_column,
)

OLD = Keyring.generate(purposes=["blind-index"])
NEW = OLD.rotate("blind-index", overlap=0)
[OLD_KEY] = [
    str(key["kid"])
    for key in OLD.summary()
    if key["purpose"] == "blind-index" and key["status"] == "primary"
]
Normalise = Callable[[str], str]


def guests(keyring: Keyring, normalise: Normalise = str.casefold) -> Any:
    """Return the table as a service maps it that has this keyring and this rule."""

    class Base(DeclarativeBase):
        """Of this service."""

    class Guest(Base):
        __tablename__ = "guests"

        id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
        house: Mapped[int]
        email: Mapped[str | None] = mapped_column(EncryptedString(ENVELOPE, scope="house"))
        found_by: Mapped[bytes | None] = mapped_column(
            "email_index", BlindIndex(keyring, of="email", normalise=normalise, tenant="house")
        )

    return Guest


Before = guests(OLD)
After = guests(NEW)
Last = guests(NEW.disable(OLD_KEY))
TABLE: Table = After.__table__


@pytest.fixture
def full(engine: Engine) -> Iterator[Engine]:
    """A database with 25 guests under the old key, and one of no name."""
    Before.metadata.drop_all(engine)
    Before.metadata.create_all(engine)
    with Session(engine) as session:
        session.add_all(Before(house=i % 2, email=f"Guest{i}") for i in range(25))
        session.add(Before(house=1, email=None))
        session.commit()
    yield engine
    Before.metadata.drop_all(engine)


def found(engine: Engine, entity: Any) -> int:
    """Return how many guests are found by their names."""
    with Session(engine) as session:
        return sum(
            bool(session.scalars(select(entity).where(matches)).all())
            for i in range(25)
            for matches in [entity.found_by.matches(f"guest{i}", tenant=i % 2)]
        )


def test_rows_are_found_under_the_new_key_alone(full: Engine) -> None:
    assert (found(full, After), found(full, Last)) == (25, 0)
    seen: list[tuple[int, int]] = []
    done = reindex_column(full, After, "found_by", batch=10, progress=lambda *p: seen.append(p))
    assert (done.seen, done.rewrapped, done.failed) == (25, 25, [])
    assert seen == [(10, 25), (20, 25), (25, 25)]
    assert found(full, Last) == 25
    assert reindex_column(full, After, "found_by").rewrapped == 0
    with Session(full) as session:
        nobody = session.scalars(select(Last).where(Last.email.is_(None))).one()
        assert nobody.found_by is None


def test_another_rule_is_applied(full: Engine) -> None:
    upper = guests(OLD, str.upper)
    assert found(full, upper) == 0
    assert reindex_column(full, upper, "found_by").rewrapped == 25
    assert found(full, upper) == 25


def test_a_row_written_meanwhile_is_left_as_it_is(full: Engine) -> None:
    raced: list[str] = []

    def slow(name: str) -> str:
        """Another writes the row between its being read and written."""
        if not raced:
            raced.append(name)
            with Session(full) as session:
                by_name = select(After).where(After.found_by.matches(name, tenant=0))
                rows = [*session.scalars(by_name)] or [
                    *session.scalars(select(After).where(After.found_by.matches(name, tenant=1)))
                ]
                rows[0].email = "Newer"
                session.commit()
        return name.casefold()

    if full.dialect.name == "sqlite":
        pytest.skip("SQLite has one writer at a time")
    assert reindex_column(full, guests(NEW, slow), "found_by", batch=100).rewrapped == 24
    with Session(full) as session:
        newer = [g for g in session.scalars(select(After)) if g.email == "Newer"]
        [again] = session.scalars(
            select(Last).where(Last.found_by.matches("newer", tenant=newer[0].house))
        )
        assert again.id == newer[0].id


def test_a_row_that_does_not_open_is_told_and_holds_up_nothing(full: Engine) -> None:
    with full.begin() as connection:
        first = connection.scalar(select(TABLE.c.id).where(TABLE.c.email.is_not(None)))
        broken = update(TABLE).where(TABLE.c.id == first)
        connection.execute(broken.values(email=Sealed(b"DJN1 damaged")))
    with pytest.raises(RotationIncomplete, match="1 of 25") as caught:
        reindex_column(full, After, "found_by")
    [(key, error)] = caught.value.rotation.failed
    assert key == (first,)
    assert isinstance(error, DecryptFailed)
    assert caught.value.rotation.rewrapped == 24


def test_what_is_no_index_is_refused(full: Engine) -> None:
    for name in ("email", "none"):
        with pytest.raises(CellError, match="no blind index"):
            reindex_column(full, After, name)
