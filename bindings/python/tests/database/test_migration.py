"""Columns that Fernet or sqlalchemy-utils wrote move into encrypted ones: `migrate_column`."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.fernet import Fernet as PycaFernet
from sqlalchemy import Engine, Text, Uuid, insert, null, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from sqlalchemy_utils import StringEncryptedType
from sqlalchemy_utils.types.encrypted.encrypted_type import AesEngine

from database.models import ENVELOPE, KEYRING
from donjon.fernet import Fernet, open_aes_engine
from donjon.sqlalchemy import BlindIndex, CellError, DataKeys, EncryptedString, migrate_column

SECRET = "a secret of the old service"
TOKEN_KEY = PycaFernet.generate_key()
NAMES = [f"person {i} Ö" for i in range(25)]


class Old(DeclarativeBase):
    """How the old service maps its tables."""


class OldPerson(Old):
    """With sqlalchemy-utils, and with Fernet by hand."""

    __tablename__ = "people"

    id: Mapped[Any] = mapped_column(Uuid, primary_key=True)
    name: Mapped[Any] = mapped_column(StringEncryptedType(Text, SECRET, AesEngine, "pkcs5"))
    token: Mapped[str | None]


class New(DeclarativeBase):
    """How the new service does."""


KEYS = DataKeys(ENVELOPE, DataKeys.table(New.metadata, "people_keys"))


class Person(New):
    """The same table, with columns added."""

    __tablename__ = "people"

    id: Mapped[Any] = mapped_column(Uuid, primary_key=True)
    old_name: Mapped[str | None] = mapped_column("name", Text)
    token: Mapped[str | None]
    sealed_name: Mapped[str | None] = mapped_column(EncryptedString(ENVELOPE))
    name_index: Mapped[bytes | None] = mapped_column(BlindIndex(KEYRING, of="sealed_name"))
    sealed_token: Mapped[str | None] = mapped_column(EncryptedString(KEYS, scope="id"))


@pytest.fixture
def people(engine: Engine) -> Any:
    """A database that the old service filled."""
    New.metadata.drop_all(engine)
    New.metadata.create_all(engine)
    KEYS.forget()
    fernet = PycaFernet(TOKEN_KEY)
    with Session(engine) as session:
        for i, name in enumerate(NAMES):
            token = fernet.encrypt(name.encode()).decode()
            session.add(OldPerson(id=_uuid(i), name=name, token=token))
        session.add(OldPerson(id=_uuid(99), name=None, token=None))
        session.commit()
    yield engine
    New.metadata.drop_all(engine)


def _uuid(i: int) -> Any:
    from uuid import UUID

    return UUID(int=i + 1)


def read_aes(text: str) -> str:
    return open_aes_engine(SECRET, text, padding="pkcs5")


def test_a_column_of_sqlalchemy_utils_moves(people: Engine) -> None:
    seen: list[tuple[int, int]] = []
    options: dict[str, Any] = {"source": "old_name", "read": read_aes}
    moved = migrate_column(
        people, Person, "sealed_name", batch=10, progress=lambda *p: seen.append(p), **options
    )
    assert moved == 25
    assert seen == [(10, 25), (20, 25), (25, 25)]
    assert migrate_column(people, Person, "sealed_name", **options) == 0
    with Session(people) as session:
        rows = session.scalars(select(Person).order_by(Person.id)).all()
        assert [row.sealed_name for row in rows] == [*NAMES, None]
        by_name = select(Person).where(Person.name_index.matches(NAMES[3]))
        assert session.scalars(by_name).one() is rows[3]


def test_a_column_of_fernet_tokens_moves_to_keys_of_the_rows(people: Engine) -> None:
    tokens = Fernet([TOKEN_KEY])
    options: dict[str, Any] = {"source": "token", "read": lambda t: tokens.decrypt(t).decode()}
    assert migrate_column(people, Person, "sealed_token", **options) == 25
    with Session(people) as session:
        rows = session.scalars(select(Person).order_by(Person.id)).all()
        assert [row.sealed_token for row in rows] == [*NAMES, None]


def test_what_cannot_be_read_ends_it_and_it_goes_on_later(people: Engine) -> None:
    options: dict[str, Any] = {"source": "old_name", "read": read_aes, "batch": 10}
    broken = update(Person).where(Person.id == _uuid(15))
    with people.begin() as connection:
        kept = connection.scalar(select(Person.old_name).where(Person.id == _uuid(15)))
        connection.execute(broken.values(old_name="AAAA"))
    with pytest.raises(Exception, match=r"does not open"):
        migrate_column(people, Person, "sealed_name", **options)
    with people.begin() as connection:
        connection.execute(broken.values(old_name=kept))
    assert migrate_column(people, Person, "sealed_name", **options) == 15


def test_a_row_written_meanwhile_is_left_as_it_is(people: Engine) -> None:
    def read(text: str) -> str:
        if text == first:
            with Session(people) as session:
                session.get_one(Person, _uuid(0)).sealed_name = "newer"
                session.commit()
        return read_aes(text)

    with people.connect() as connection:
        first = connection.scalar(select(Person.old_name).where(Person.id == _uuid(0)))
    assert migrate_column(people, Person, "sealed_name", source="old_name", read=read) == 24
    with Session(people) as session:
        assert session.get_one(Person, _uuid(0)).sealed_name == "newer"


class Member(New):
    """A cell and a unique index that are bound to a tenant."""

    __tablename__ = "members"

    id: Mapped[int] = mapped_column(primary_key=True)
    tenant: Mapped[int]
    region: Mapped[str | None]
    plain: Mapped[str | None]
    email: Mapped[str | None] = mapped_column(EncryptedString(ENVELOPE, scope="tenant"))
    email_index: Mapped[bytes | None] = mapped_column(
        BlindIndex(KEYRING, of="email", bits=256), unique=True
    )
    by_region: Mapped[bytes | None] = mapped_column(
        BlindIndex(KEYRING, of="email", table="by region", tenant="region")
    )


@pytest.mark.parametrize("change", [{"tenant": 2}, {"region": "west"}])
def test_a_row_that_moves_meanwhile_is_sealed_where_it_went(
    people: Engine, change: dict[str, Any]
) -> None:
    def read(plain: str) -> str:
        with people.begin() as connection:
            connection.execute(update(Member).values(**change))
        return plain

    with Session(people) as session:
        session.add(Member(id=1, tenant=1, region="east", plain="ann@example.com"))
        session.commit()
    assert migrate_column(people, Member, "email", source="plain", read=read) == 0
    assert migrate_column(people, Member, "email", source="plain", read=read) == 1
    with Session(people) as session:
        assert session.get_one(Member, 1).email == "ann@example.com"


def test_an_error_shows_no_source(people: Engine) -> None:
    with Session(people) as session:
        session.add_all(
            Member(id=i, tenant=1, region="east", plain="ann@example.com") for i in (1, 2)
        )
        session.commit()
    with pytest.raises(IntegrityError) as caught:
        migrate_column(people, Member, "email", source="plain", read=str)
    assert "ann@example.com" not in str(caught.value)


def test_what_is_no_pair_of_columns_is_refused(people: Engine) -> None:
    for column, source in [("token", "old_name"), ("sealed_name", "none")]:
        with pytest.raises(CellError):
            migrate_column(people, Person, column, source=source, read=read_aes)


def test_the_old_service_wrote_what_it_says(people: Engine) -> None:
    statement = insert(Person).values(id=_uuid(50), old_name=null())
    with people.begin() as connection:
        connection.execute(statement)
        text = connection.scalar(select(Person.old_name).where(Person.id == _uuid(0)))
    assert text is not None
    assert "person" not in text
    assert read_aes(text) == NAMES[0]
