"""Statements of a session write no plaintext into cells, and leave no cells behind."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import (
    Engine,
    ForeignKey,
    LargeBinary,
    String,
    Table,
    bindparam,
    create_engine,
    func,
    insert,
    literal,
    null,
    select,
    text,
    type_coerce,
    update,
)
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, configure_mappers, mapped_column

from database.models import ENVELOPE, KEYRING, User
from donjon import DecryptFailed
from donjon.sqlalchemy import (
    BlindIndex,
    CellError,
    EncryptedBytes,
    EncryptedJSON,
    EncryptedString,
    seal_values,
)

PLAIN = "plaintext"


class Base(DeclarativeBase):
    """The tables of this file."""


class Card(Base):
    """A cell bound to a tenant and a row, and a column that is unique besides."""

    __tablename__ = "cards"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    tenant: Mapped[int]
    label: Mapped[str | None] = mapped_column(unique=True)
    by_tenant: Mapped[str | None] = mapped_column(EncryptedString(ENVELOPE, row=("tenant", "id")))
    number: Mapped[str | None] = mapped_column(EncryptedString(ENVELOPE))


class Painted(Base):
    """Cells with defaults of the client."""

    __tablename__ = "painted"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    colour: Mapped[str] = mapped_column(EncryptedString(ENVELOPE), default="red")
    tags: Mapped[list[str]] = mapped_column(EncryptedJSON(ENVELOPE), default=list)


class Person(Base):
    """The base has what the cells of its subclasses are bound to."""

    __tablename__ = "persons"
    __mapper_args__ = {"polymorphic_on": "kind", "polymorphic_identity": "person"}  # noqa: RUF012

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    kind: Mapped[str]
    tenant: Mapped[int]
    badge: Mapped[int | None]


class Guest(Person):
    """In the same table."""

    __mapper_args__ = {"polymorphic_identity": "guest"}  # noqa: RUF012

    room: Mapped[str | None] = mapped_column(EncryptedString(ENVELOPE, scope="tenant"))


class Clerk(Person):
    """In a table of its own."""

    __tablename__ = "clerks"
    __mapper_args__ = {"polymorphic_identity": "clerk"}  # noqa: RUF012

    id: Mapped[uuid.UUID] = mapped_column(ForeignKey("persons.id"), primary_key=True)
    wage: Mapped[str | None] = mapped_column(EncryptedString(ENVELOPE, row=("badge",)))


CARDS: Table = Card.__table__  # type: ignore[assignment]
PERSONS: Table = Person.__table__  # type: ignore[assignment]


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    Base.metadata.drop_all(engine)
    Base.metadata.create_all(engine)
    with Session(engine) as made:
        yield made
    Base.metadata.drop_all(engine)


@pytest.fixture
def card(session: Session) -> Card:
    card = Card(tenant=1, label="ann", by_tenant="secret", number="1234")
    session.add(card)
    session.commit()
    return card


def stored(session: Session) -> list[Any]:
    """Return what is in the column, whatever that is."""
    raw = type_coerce(CARDS.c.number, LargeBinary)
    return list(session.connection().scalars(select(raw)))


COMPUTED = [
    literal(PLAIN),
    func.upper(PLAIN),
    func.coalesce(Card.number, PLAIN),
    type_coerce(PLAIN, LargeBinary),
    text(f"'{PLAIN}'"),
    bindparam("value", PLAIN, type_=String),
    Card.label,
    Card.number,
    select(literal(PLAIN)).scalar_subquery(),
    PLAIN,
]


@pytest.mark.parametrize("target", [Card, CARDS], ids=["ORM", "Core"])
@pytest.mark.parametrize("value", COMPUTED, ids=str)
def test_no_expression_is_written_into_a_cell(
    session: Session, card: Card, target: Any, value: Any
) -> None:
    before, row = stored(session), {"id": uuid.uuid4(), "tenant": 1, "number": value}
    statements: list[Any] = [
        update(target).values(number=value),
        update(target).values({CARDS.c.number: value}),
        update(target).ordered_values((CARDS.c.number, value)),
        insert(target).values(row),
        insert(target).values([row]),
    ]
    for statement in statements:
        with pytest.raises(CellError) as caught:
            session.execute(statement)
        assert PLAIN not in str(caught.value)
        session.rollback()
    assert stored(session) == before
    assert card.number == "1234"


def test_parameters_and_positions_are_looked_at_too(session: Session) -> None:
    row = {"id": uuid.uuid4(), "tenant": 1, "number": func.upper(PLAIN)}
    for parameters in (row, [row]):
        with pytest.raises(CellError):
            session.execute(insert(Card), parameters)
        session.rollback()
    by_position = (uuid.uuid4(), 1, None, None, literal(PLAIN))
    with pytest.raises(CellError):
        session.execute(insert(Card).values([by_position]))


def test_no_select_fills_a_cell(session: Session, card: Card) -> None:  # noqa: ARG001
    source = select(literal(str(uuid.uuid4())), literal(1), Card.label)
    for target in (Card, CARDS):
        with pytest.raises(CellError, match="SELECT"):
            session.execute(insert(target).from_select(["id", "tenant", "number"], source))
    others = select(Card.id, Card.tenant).where(Card.tenant == 2)
    session.execute(insert(Card).from_select(["id", "tenant"], others))


def test_null_and_what_is_sealed_are_written(session: Session, card: Card) -> None:
    sealed = seal_values(Card, {"id": card.id, "tenant": 1, "number": "5678"})["number"]
    session.execute(update(Card).values(number=bindparam("x")), {"x": sealed})
    session.expire_all()
    assert card.number == "5678"
    session.execute(update(Card).values(number=literal(sealed, CARDS.c.number.type)))
    for nothing in (None, null()):
        session.execute(update(Card).values(number=nothing))
        assert stored(session) == [None]


def test_a_cell_copied_onto_itself_is_left_behind_as_well(session: Session, card: Card) -> None:
    with pytest.raises(CellError):
        session.execute(update(Card).values(tenant=2, by_tenant=Card.by_tenant))
    session.rollback()
    assert card.by_tenant == "secret"


@pytest.mark.parametrize("target", [Person, PERSONS, Guest], ids=["base", "table", "subclass"])
def test_an_update_of_a_base_leaves_no_cell_of_a_subclass_behind(
    session: Session, target: Any
) -> None:
    session.add(guest := Guest(tenant=1, room="7"))
    session.commit()
    with pytest.raises(CellError, match="bound"):
        session.execute(update(target).values(tenant=2))
    session.rollback()
    assert guest.room == "7"


def test_nor_does_that_of_a_base_in_another_table(session: Session) -> None:
    session.add(Clerk(id=uuid.uuid4(), tenant=1, badge=1, wage="7"))
    session.commit()
    for target in (Person, PERSONS):
        with pytest.raises(CellError, match=r"clerks\.wage"):
            session.execute(update(target).values(badge=2))


def upsert(session: Session, **values: Any) -> Any:
    """Return an upsert of one card in the session's dialect."""
    made = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    row = {"id": uuid.uuid4(), "tenant": 1, "label": "ann", "number": "new", "by_tenant": "new"}
    return made.insert(Card).values(seal_values(Card, row | values))


def test_an_upsert_leaves_no_cell_behind(session: Session, card: Card) -> None:
    statement = upsert(session)
    for changes in (
        {"tenant": 5},
        {"number": statement.excluded.number},
        {"number": None},
        {Card.number: statement.excluded.number},
    ):
        with pytest.raises(CellError, match="upsert"):
            session.execute(statement.on_conflict_do_update(index_elements=["label"], set_=changes))
    session.execute(
        statement.on_conflict_do_update(index_elements=["label"], set_={"label": "bob"})
    )
    session.expire_all()
    assert (card.label, card.number, card.by_tenant) == ("bob", "1234", "secret")
    session.execute(statement.on_conflict_do_nothing())


def test_an_upsert_by_what_a_cell_is_bound_to_writes_it(session: Session, card: Card) -> None:
    statement = upsert(session, id=card.id)
    new = {"number": statement.excluded.number, "id": statement.excluded.id}
    by_key = {"index_elements": [Card.id]}
    session.execute(statement.on_conflict_do_update(**by_key, set_=new))
    session.commit()
    assert (card.number, card.by_tenant) == ("new", "secret")
    for refused in (
        {"id": uuid.uuid4()},
        {"by_tenant": statement.excluded.by_tenant},
        {"number": statement.excluded.by_tenant},
        {"number": func.upper(PLAIN)},
        {"number": literal(PLAIN)},
        {"number": PLAIN},
    ):
        with pytest.raises(CellError):
            session.execute(statement.on_conflict_do_update(**by_key, set_=refused))
        session.rollback()
    assert card.number == "new"


def test_an_upsert_of_mysql_says_not_where_the_conflict_is() -> None:
    statement = mysql.insert(Card).values(id=uuid.uuid4(), tenant=1)
    with Session(create_engine("sqlite://")) as session:
        for changes in ({"number": statement.inserted.number}, {"tenant": 2}):
            with pytest.raises(CellError, match="upsert"):
                session.execute(statement.on_duplicate_key_update(**changes))


def test_a_statement_that_entities_are_read_from_is_looked_at(session: Session, card: Card) -> None:
    for values in ({"number": literal(PLAIN)}, {"tenant": 2}):
        changing = update(Card).values(values).returning(Card)
        with pytest.raises(CellError):
            session.scalars(select(Card).from_statement(changing))
    session.rollback()
    assert (card.number, card.by_tenant) == ("1234", "secret")


def test_no_cell_is_written_without_its_index(engine: Engine) -> None:
    """Else the row is found by what was in it, and not by what is."""
    with Session(engine) as session:
        session.add(user := User(email="ann@example.com"))
        session.commit()
        new = seal_values(User, {"id": user.id, "email": "bob@example.com"})
        for value in (None, new["email"]):
            with pytest.raises(CellError, match="index"):
                session.execute(update(User).values(email=value))
        made = postgresql if engine.dialect.name == "postgresql" else sqlite
        statement = made.insert(User).values(new)
        changes = {"email": statement.excluded.email}
        with pytest.raises(CellError, match="index"):
            session.execute(statement.on_conflict_do_update(index_elements=["id"], set_=changes))
        changes["email_index"] = statement.excluded.email_index
        session.execute(statement.on_conflict_do_update(index_elements=["id"], set_=changes))
        session.commit()
        found = select(User).where(User.email_index.matches("bob@example.com"))
        assert session.scalars(found).one().email == "bob@example.com"
        session.execute(update(User).values(email=None, email_index=None))


def test_there_are_no_variants_of_what_is_sealed() -> None:
    """They would be read and written in its place: plaintext, without a word."""
    for made in (EncryptedBytes(ENVELOPE), BlindIndex(KEYRING, of="number")):
        with pytest.raises(CellError, match="variant"):
            made.with_variant(LargeBinary(), "sqlite")


def test_what_is_read_as_another_type_does_not_pass_for_opened(
    session: Session, card: Card
) -> None:
    id_ = card.id
    session.expunge_all()
    columns = CARDS.c.id, CARDS.c.tenant, literal(PLAIN).label("number")
    other = text(f"SELECT id, tenant, '{PLAIN}' AS number FROM cards").columns(*columns)
    found = session.scalars(select(Card).from_statement(other)).one()
    with pytest.raises(DecryptFailed):
        _ = found.number
    assert found.id == id_


def test_a_default_of_the_client_is_sealed(session: Session) -> None:
    session.add(painted := Painted())
    session.commit()
    assert (painted.colour, painted.tags) == ("red", [])
    raw = select(type_coerce(Painted.__table__.c.colour, LargeBinary))
    assert b"red" not in session.connection().scalars(raw).one()


@pytest.mark.parametrize(
    "default", [{"server_default": PLAIN}, {"default": func.lower(PLAIN)}, {"onupdate": PLAIN}]
)
def test_no_default_of_the_database_is_sealed(default: dict[str, Any]) -> None:
    class Own(DeclarativeBase):
        """Of this test."""

    class Defaulted(Own):
        __tablename__ = "defaulted"
        id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
        secret: Mapped[str] = mapped_column(EncryptedString(ENVELOPE), **default)

    with pytest.raises(CellError, match="default"):
        configure_mappers()
    Own.registry.dispose()
