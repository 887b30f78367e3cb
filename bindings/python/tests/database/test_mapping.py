"""The ways to map a class that encrypted columns have to stand: inheritance, names, eager loads."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import (
    Column,
    Dialect,
    Engine,
    FetchedValue,
    ForeignKey,
    LargeBinary,
    String,
    Table,
    TypeDecorator,
    Uuid,
    create_engine,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    MappedAsDataclass,
    Session,
    configure_mappers,
    joinedload,
    mapped_column,
    registry,
    relationship,
    selectin_polymorphic,
    selectinload,
)

from database.models import ENVELOPE, KEYRING
from donjon import DataKey, DecryptFailed, Envelope
from donjon.sqlalchemy import (
    BlindIndex,
    CellError,
    EncryptedBytes,
    EncryptedString,
    Sealed,
    rewrap_column,
    seal_values,
)
from donjon.sqlalchemy.layout import Layout


class Base(DeclarativeBase):
    """The tables of this file."""


class Stamped:
    """A mixin: its columns are copied into each class."""

    author: Mapped[str | None] = mapped_column(EncryptedString(ENVELOPE))


class Animal(Stamped, Base):
    """The base of a hierarchy."""

    __tablename__ = "animals"
    __mapper_args__ = {"polymorphic_on": "kind", "polymorphic_identity": "animal"}  # noqa: RUF012

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    kind: Mapped[str]
    name: Mapped[str] = mapped_column(EncryptedString(ENVELOPE))
    keeper_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("keepers.id"))


class Cat(Animal):
    """With a table of its own."""

    __tablename__ = "cats"
    __mapper_args__ = {"polymorphic_identity": "cat"}  # noqa: RUF012

    id: Mapped[uuid.UUID] = mapped_column(ForeignKey("animals.id"), primary_key=True)
    purr: Mapped[str] = mapped_column(EncryptedString(ENVELOPE))


class Bird(Animal):
    """In its base's table."""

    __mapper_args__ = {"polymorphic_identity": "bird"}  # noqa: RUF012

    song: Mapped[str | None] = mapped_column(EncryptedString(ENVELOPE))


class Keeper(Stamped, Base):
    """Has animals."""

    __tablename__ = "keepers"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    animals: Mapped[list[Animal]] = relationship()


class Record(MappedAsDataclass, Base):
    """A dataclass of a composite key, whose attributes have other names than their columns."""

    __tablename__ = "records"

    year: Mapped[int] = mapped_column("y", primary_key=True)
    number: Mapped[str] = mapped_column("n", primary_key=True)
    body: Mapped[str] = mapped_column("b", EncryptedString(ENVELOPE))
    body_index: Mapped[bytes | None] = mapped_column(
        "bi", BlindIndex(KEYRING, of="body", bits=256), init=False
    )


@pytest.fixture
def engine() -> Iterator[Engine]:
    made = create_engine("sqlite://")
    Base.metadata.create_all(made)
    yield made
    made.dispose()


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    with Session(engine) as made:
        yield made


def animals() -> list[Animal]:
    return [
        Animal(name="worm", author="a"),
        Cat(name="tom", purr="loud", author="b"),
        Bird(name="tit", song="high", author=None),
    ]


def told(animal: Animal) -> list[str | None]:
    own = {Cat: ["purr"], Bird: ["song"]}.get(type(animal), [])
    return [getattr(animal, name) for name in ("name", "author", *own)]


@pytest.mark.parametrize(
    "options", [[], [selectin_polymorphic(Animal, [Cat, Bird])]], ids=["late", "eager"]
)
def test_every_class_of_a_hierarchy_opens_its_cells(session: Session, options: Any) -> None:
    session.add_all(animals())
    session.commit()
    session.expunge_all()
    found = session.scalars(select(Animal).options(*options).order_by(Animal.kind)).all()
    assert [told(animal) for animal in found] == [
        ["worm", "a"],
        ["tit", None, "high"],
        ["tom", "b", "loud"],
    ]
    tom = found[2]
    assert isinstance(tom, Cat)
    tom.purr, tom.name = "soft", "thomas"
    session.commit()
    session.expunge_all()
    assert told(session.scalars(select(Cat)).one()) == ["thomas", "b", "soft"]


@pytest.mark.parametrize("load", [joinedload, selectinload])
def test_related_objects_are_opened(session: Session, load: Any) -> None:
    session.add(Keeper(author="x", animals=animals()))
    session.commit()
    session.expunge_all()
    keeper = session.scalars(select(Keeper).options(load(Keeper.animals))).unique().one()
    assert keeper.author == "x"
    assert sorted(animal.name for animal in keeper.animals) == ["tit", "tom", "worm"]


def test_many_rows_come_piece_by_piece(session: Session) -> None:
    session.add_all([Keeper(author=str(i)) for i in range(100)])
    session.commit()
    session.expunge_all()
    rows = session.scalars(select(Keeper).execution_options(yield_per=7))
    assert {keeper.author for keeper in rows} == {str(i) for i in range(100)}


def test_a_composite_key_and_other_names_bind_as_well(session: Session) -> None:
    session.add_all(
        [Record(2024, "1", "one"), Record(2024, "2", "two"), Record(2, "0241", "three")]
    )
    session.commit()
    session.expunge_all()
    two = session.scalars(select(Record).where(Record.body_index.matches("two"))).one()
    assert (two.number, two.body) == ("2", "two")
    # The context is what is documented, so that a program in another language can open it.
    table: Any = Record.__table__
    raw: Any = session.connection().scalar(select(table.c.b).where(table.c.n == "2"))
    assert ENVELOPE.open(bytes(raw), context=["records", "b", "2024", "2"]) == b"two"
    moved = {"year": 2024, "number": "3", "body": raw}
    session.connection().execute(insert(table).values(y=2024, n="3", b=raw))
    third = session.get_one(Record, (2024, "3"))
    with pytest.raises(DecryptFailed):
        _ = third.body
    with pytest.raises(CellError):
        seal_values(Record, moved)
    assert isinstance(raw, Sealed)


def test_a_version_is_no_key() -> None:
    class Own(DeclarativeBase):
        """Of this test alone."""

    class Counted(Own):
        """Has another version after every update."""

        __tablename__ = "counted"
        id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
        version: Mapped[int] = mapped_column()
        secret: Mapped[str] = mapped_column(EncryptedString(ENVELOPE, row=["id", "version"]))
        __mapper_args__ = {"version_id_col": version}  # noqa: RUF012

    with pytest.raises(CellError, match="version"):
        Own.registry.configure()
    Own.registry.dispose()


def test_a_relationship_that_is_written_late_may_lead_elsewhere() -> None:
    class Own(DeclarativeBase):
        """Of this test alone."""

    class Node(Own):
        """Bound to its own key, and not to the one that is late."""

        __tablename__ = "nodes"
        id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
        best_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("nodes.id"))
        secret: Mapped[str] = mapped_column(EncryptedString(ENVELOPE))
        best: Mapped[Any] = relationship("Node", remote_side="Node.id", post_update=True)
        liked_by: Mapped[Any] = relationship(
            "Node", post_update=True, viewonly=False, overlaps="best"
        )

    Own.registry.configure()
    Own.registry.dispose()


@pytest.mark.parametrize("key", [{"year": 5}, {Record.number: "5"}, {"number": "5"}], ids=str)
def test_an_update_by_other_names_is_refused_as_well(session: Session, key: Any) -> None:
    session.add(Record(2024, "1", "one"))
    session.commit()
    with pytest.raises(CellError, match="bound"):
        session.execute(update(Record).values(key))
    with pytest.raises(CellError, match="bound"):
        session.query(Record).update(key)


def test_a_key_is_bound_as_the_database_gives_it_back(session: Session) -> None:
    written: Any = "0002024"
    session.add(Record(written, "07", "one"))
    session.commit()
    session.expunge_all()
    found = session.scalars(select(Record)).one()
    assert (found.year, found.number, found.body) == (2024, "07", "one")


class Guid(TypeDecorator[uuid.UUID]):
    """A host's own type, which takes identifiers in any spelling."""

    impl = String(32)
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:  # noqa: ARG002
        return value and uuid.UUID(str(value)).hex

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:  # noqa: ARG002
        return value and uuid.UUID(value)


@pytest.mark.parametrize("spelled", [str, lambda key: key.hex, lambda key: str(key).upper()])
def test_a_key_of_a_type_of_the_host_s_is_bound_as_it_comes_back(spelled: Any) -> None:
    class Own(DeclarativeBase):
        pass

    class Note(Own):
        __tablename__ = "notes"
        id: Mapped[Any] = mapped_column(Guid, primary_key=True)
        text: Mapped[str] = mapped_column(EncryptedString(ENVELOPE))

    engine = create_engine("sqlite://")
    Own.metadata.create_all(engine)
    with Session(engine) as session:
        session.add(Note(id=spelled(uuid.uuid4()), text="there"))
        session.commit()
        session.expunge_all()
        assert session.scalars(select(Note)).one().text == "there"
    engine.dispose()


def test_tools_for_tables_go_by_the_names_of_attributes(engine: Engine) -> None:
    with Session(engine) as session:
        session.add_all([Record(2024, "1", "one"), Cat(name="tom", purr="loud")])
        session.commit()
    new = Envelope(KEYRING.rotate("envelope"))
    assert rewrap_column(engine, Record, "body", new).rewrapped == 1
    assert rewrap_column(engine, Cat, "purr", new).rewrapped == 1
    for entity, column in [(Record, "b"), (Record, "none"), (Record.__table__, "body")]:
        with pytest.raises(CellError, match="no column"):
            rewrap_column(engine, entity, column, new)
    with pytest.raises(CellError, match="another table"):
        rewrap_column(engine, Cat, "purr", new, scope="name")


def test_one_row_that_fails_puts_the_others_back(session: Session) -> None:
    session.add(Record(1, "1", "there"))
    session.commit()
    rows = [Record(2, "1", "first"), Record(1, "1", "again"), Record(3, "1", "last")]
    session.expunge_all()
    session.add_all(rows)
    with pytest.raises(IntegrityError):
        session.flush()
    session.rollback()
    assert [row.body for row in rows] == ["first", "again", "last"]
    wrong: Any = 5
    rows[1].number, rows[2].body = "2", wrong
    session.add_all(rows)
    with pytest.raises(TypeError):
        session.flush()
    session.rollback()
    assert [row.body for row in rows] == ["first", "again", 5]


def test_a_row_whose_key_the_database_lost_is_loaded_all_the_same(session: Session) -> None:
    registry_ = registry()
    table = Table(
        "cards",
        registry_.metadata,
        Column("id", Uuid, primary_key=True, default=uuid.uuid4),
        Column("public", String),
        Column("text", EncryptedString(ENVELOPE, row="public")),
    )

    class Card:
        id: Any
        public: Any
        text: Any

    registry_.map_imperatively(Card, table)
    table.create(session.connection())
    card = Card()
    card.public, card.text = "p", "secret"
    session.add(card)
    session.flush()
    session.connection().execute(table.update().values(public=None))
    session.expire(card)
    assert card.public is None
    with pytest.raises(CellError, match="`public`, which has no value"):
        _ = card.text


# ---- declarations that are refused ----


def declare(*, key: Any = ENVELOPE, between: Any = (String,), **options: Any) -> None:
    """Map a class of a UUID, another column, and a cell with these options."""

    class Own(DeclarativeBase):
        """Of this test alone."""

    class Refused(Own):
        """Refused, when the mappers are configured."""

        __tablename__ = "refused"
        id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
        other: Mapped[Any] = mapped_column(*between)
        secret: Mapped[str] = mapped_column(EncryptedString(key, **options))

    try:
        Own.registry.configure()
    finally:
        Own.registry.dispose()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"row": "none"}, "no plain column"),
        ({"row": "secret"}, "no plain column"),
        ({"row": ()}, "names no column"),
        ({"key": lambda _: ENVELOPE}, "`scope`"),
        (
            {"row": "other", "between": [String, FetchedValue(for_update=True)]},
            "without its object",
        ),
        (
            {"row": "other", "between": [String, ForeignKey("refused.id", onupdate="cascade")]},
            "without its object",
        ),
        (
            {"scope": "other", "between": [String, ForeignKey("refused.id", ondelete="SET NULL")]},
            "without its object",
        ),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_no_cell_can_be_bound_to_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(CellError, match=message):
        declare(**options)


@pytest.mark.parametrize("options", [{"remote_side": "Node.id"}, {}], ids=["one", "many"])
def test_a_relationship_that_is_written_late_gives_no_key(options: dict[str, Any]) -> None:
    class Own(DeclarativeBase):
        """Of this test alone."""

    class Node(Own):
        """Points to its favourite, which is known after the insert."""

        __tablename__ = "nodes"
        id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
        best_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("nodes.id"))
        secret: Mapped[str] = mapped_column(EncryptedString(ENVELOPE, scope="best_id"))
        best: Mapped[Any] = relationship("Node", post_update=True, **options)

    with pytest.raises(CellError, match="too late"):
        Own.registry.configure()
    Own.registry.dispose()


def test_an_index_of_no_cell_is_refused() -> None:
    metadata = Base.metadata
    table = Table(
        "plain",
        type(metadata)(),
        Column("id", Uuid, primary_key=True),
        Column("name", String),
        Column("name_index", BlindIndex(KEYRING, of="name")),
        Column("data", LargeBinary),
    )
    with pytest.raises(CellError, match="no cell"):
        seal_values(table, {"id": uuid.uuid4(), "name": "x"})


def test_keys_by_a_function_of_the_scope() -> None:
    asked: list[Any] = []
    keys: dict[str, DataKey] = {name: ENVELOPE.new_data_key(name)[0] for name in "ab"}

    def key_of(scope: Any) -> DataKey:
        asked.append(scope)
        return keys[scope]

    metadata = type(Base.metadata)()
    table = Table(
        "scoped",
        metadata,
        Column("id", String, primary_key=True),
        Column("owner", String),
        Column("data", EncryptedBytes(key_of, scope="owner")),
    )
    row = seal_values(table, {"id": "1", "owner": "a", "data": b"x"})
    assert asked == ["a"]
    context = ["a", "scoped", "data", "1"]
    assert keys["a"].open(bytes(row["data"]), context=context) == b"x"
    configure_mappers()


def test_an_object_that_is_merged_without_a_load_keeps_its_plaintext(session: Session) -> None:
    """As a cache of the second level does."""
    session.add(record := Record(2024, "1", "one"))
    session.commit()
    session.refresh(record)
    session.expunge(record)
    merged = session.merge(record, load=False)
    name = next(iter(Layout.of(Record).cells))
    assert getattr(merged, name) == getattr(record, name)
