"""Encrypted columns of mapped classes: what is stored, what is read, what is refused."""

from __future__ import annotations

import pickle
import uuid
from typing import Any

import pytest
from sqlalchemy import Table, event, insert, inspect, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, load_only, make_transient, undefer

from database.models import Counted, Numbered, User
from donjon import DecryptFailed
from donjon.sqlalchemy import CellError, Sealed, open_values, seal_values

EMAIL = "ann@example.com"
USERS: Table = User.__table__  # type: ignore[assignment]


def ann(**values: Any) -> User:
    filled = {"email": EMAIL, "phone": "+49", "photo": b"\0\xff", "settings": {"a": [1]}}
    return User(**{**filled, **values})


def cell(session: Session, user: User, column: str) -> Sealed:
    """Return a cell as the database has it."""
    statement = select(USERS.c[column]).where(USERS.c.id == user.id)
    found = session.connection().scalar(statement)
    assert isinstance(found, Sealed)
    return found


def put(session: Session, user: User, **cells: Sealed | None) -> None:
    """Write cells into the database behind the mapping's back."""
    statement = update(USERS).where(USERS.c.id == user.id).values(cells)
    session.connection().execute(statement)
    session.commit()


def reloaded(session: Session, user: User) -> User:
    """Return the object of the same row that another session would have."""
    id_ = user.id
    session.expunge_all()
    return session.get_one(User, id_)


@pytest.fixture
def user(session: Session) -> User:
    user = ann()
    session.add(user)
    session.commit()
    return user


def test_an_object_has_plaintext_and_the_database_does_not(session: Session, user: User) -> None:
    for column, plaintext in [("email", b"ann@"), ("photo", b"\0\xff"), ("settings", b'"a"')]:
        assert plaintext not in bytes(cell(session, user, column))
    session.expire_all()
    assert (user.email, user.phone, user.photo, user.settings) == (
        EMAIL,
        "+49",
        b"\0\xff",
        {"a": [1]},
    )


@pytest.mark.parametrize("value", ["", "\0", "é" * 40, "x" * 40_000])
def test_any_text_comes_back(session: Session, value: str) -> None:
    user = ann(email=value)
    session.add(user)
    session.commit()
    assert user.email == value


def test_equal_values_are_stored_differently(session: Session, user: User) -> None:
    other = ann(phone=EMAIL)
    session.add(other)
    session.commit()
    cells = {bytes(cell(session, u, c)) for u in (user, other) for c in ("email", "phone")}
    assert len(cells) == 4


def test_none_is_null(session: Session, user: User) -> None:
    user.email = None
    user.settings = None
    session.commit()
    row = session.connection().execute(select(USERS.c.email, USERS.c.settings, USERS.c.email_index))
    assert row.one() == (None, None, None)
    assert user.email is None
    assert session.scalars(select(User).where(User.email.is_(None))).one() is user
    assert session.scalars(select(User).where(User.email != None)).all() == []  # noqa: E711


def test_a_cell_moved_to_another_row_does_not_open(session: Session, user: User) -> None:
    other = ann(email="bob@example.com")
    session.add(other)
    session.flush()
    put(session, other, email=cell(session, user, "email"))
    with pytest.raises(DecryptFailed):
        _ = other.email
    assert other.phone == "+49"


def test_a_cell_moved_to_another_column_does_not_open(session: Session, user: User) -> None:
    put(session, user, phone=cell(session, user, "email"))
    with pytest.raises(DecryptFailed):
        _ = user.phone


@pytest.mark.parametrize("data", [b"", b"DJN1", b"plain text", bytes(200)])
def test_what_is_no_cell_does_not_open(session: Session, user: User, data: bytes) -> None:
    put(session, user, email=Sealed(data))
    with pytest.raises(DecryptFailed):
        _ = user.email


def test_a_cell_that_does_not_open_fails_where_it_is_read(session: Session, user: User) -> None:
    session.add(ann(email="bob@example.com"))
    put(session, user, email=Sealed(b"DJN1"))
    bad = reloaded(session, user)
    assert len(session.scalars(select(User)).all()) == 2
    for _ in range(2):
        with pytest.raises(DecryptFailed):
            _ = bad.email
    with pytest.raises(DecryptFailed) as caught:
        _ = pickle.loads(pickle.dumps(bad)).email
    assert caught.value.reason == "decrypt_failed"
    bad.phone = "+1"
    session.commit()
    bad.email = EMAIL
    session.commit()
    assert bad.email == EMAIL


def test_what_is_opened_is_no_change(session: Session, user: User) -> None:
    session.expire_all()
    assert user.email == EMAIL
    user.email = str(EMAIL)
    assert not session.is_modified(user)
    before = cell(session, user, "email")
    user.name = "Ann"
    session.commit()
    assert cell(session, user, "email") == before


def test_what_was_changed_is_sealed_anew(session: Session, user: User) -> None:
    before = cell(session, user, "email"), cell(session, user, "phone")
    user.email = "new@example.com"
    session.flush()
    assert user.email == "new@example.com"
    assert not session.is_modified(user)
    session.commit()
    assert user.email == "new@example.com"
    after = cell(session, user, "email"), cell(session, user, "phone")
    assert after[0] != before[0]
    assert after[1] == before[1]


def test_a_change_inside_a_value_that_is_tracked_is_written(session: Session, user: User) -> None:
    assert user.settings is not None
    user.settings["b"] = 2
    session.commit()
    found = reloaded(session, user)
    assert found.settings == {"a": [1], "b": 2}
    found.settings["c"] = 3
    session.flush()
    found.settings["d"] = 4
    session.commit()
    assert found.settings == {"a": [1], "b": 2, "c": 3, "d": 4}


def test_a_new_primary_key_seals_the_row_anew(session: Session, user: User) -> None:
    session.expire_all()
    user.id = uuid.uuid4()
    session.commit()
    found = reloaded(session, user)
    assert (found.email, found.photo) == (EMAIL, b"\0\xff")


def test_a_cell_that_does_not_open_keeps_its_row_where_it_is(session: Session, user: User) -> None:
    put(session, user, phone=Sealed(b"DJN1"))
    user.id = uuid.uuid4()
    with pytest.raises(DecryptFailed):
        session.flush()


def test_an_update_of_what_cells_are_bound_to_is_refused(session: Session, user: User) -> None:
    with pytest.raises(CellError, match=r"users\.email.*bound"):
        session.execute(update(User).values(id=uuid.uuid4()))
    with pytest.raises(CellError):
        session.execute(update(User).where(User.id == user.id), {"id": uuid.uuid4()})
    session.execute(update(User).values(name="Ann"))
    session.execute(update(User), [{"id": user.id, "name": "Bob"}])
    new = {"id": uuid.uuid4(), "email": EMAIL, "phone": "1", "photo": b"2", "settings": {}}
    session.execute(update(User).values(seal_values(User, new)))
    session.expunge_all()
    assert session.get_one(User, new["id"]).email == EMAIL


def test_deferred_and_partial_loads_open_too(session: Session, user: User) -> None:
    user = reloaded(session, user)
    assert "photo" in inspect(user).unloaded
    assert user.photo == b"\0\xff"
    session.expunge_all()
    user = session.scalars(select(User).options(undefer(User.photo))).one()
    assert inspect(user).dict["photo"] == b"\0\xff"
    session.expunge_all()
    user = session.scalars(select(User).options(load_only(User.name))).one()
    assert user.email == EMAIL
    session.expire(user, ["email"])
    assert user.email == EMAIL
    session.refresh(user, ["phone"])
    assert user.phone == "+49"
    user.phone = "changed"
    found = session.scalars(select(User).execution_options(populate_existing=True)).one()
    assert found.phone == "changed"


def test_an_expired_object_is_written_without_being_read(session: Session, user: User) -> None:
    user.email = "new@example.com"
    session.commit()
    assert reloaded(session, user).email == "new@example.com"


def test_merge_pickle_and_detach_keep_the_plaintext(session: Session, user: User) -> None:
    assert user.email == EMAIL
    _ = user.photo
    session.expunge(user)
    again = pickle.loads(pickle.dumps(user))
    assert again.email == EMAIL
    again.email = "new@example.com"
    assert session.merge(again).email == "new@example.com"
    session.commit()
    assert reloaded(session, again).email == "new@example.com"
    assert session.merge(reloaded(session, again), load=False).email == "new@example.com"


def test_a_copy_in_another_row_is_sealed_for_it(session: Session, user: User) -> None:
    old = user.id
    _ = user.photo
    make_transient(user)
    user.id = uuid.uuid4()
    session.add(user)
    session.commit()
    new = user.id
    session.expunge_all()
    for id_ in (old, new):
        assert session.get_one(User, id_).email == EMAIL


def test_a_row_deleted_and_made_anew_in_one_flush_opens(session: Session, user: User) -> None:
    anew = ann(id=user.id, email="new@example.com")
    session.delete(user)
    session.add(anew)
    session.commit()
    assert reloaded(session, anew).email == "new@example.com"


def test_a_failed_flush_leaves_the_plaintext(session: Session, user: User) -> None:
    double = ann(id=user.id, email="double@example.com")
    session.expunge(user)
    session.add(double)
    with pytest.raises(IntegrityError) as caught:
        session.commit()
    assert "double@" not in str(caught.value)
    session.rollback()
    assert double.email == "double@example.com"
    assert double.settings == {"a": [1]}
    double.id = uuid.uuid4()
    session.add(double)
    session.commit()
    assert double.email == "double@example.com"


def test_a_savepoint_rolled_back_leaves_what_was(session: Session, user: User) -> None:
    double = insert(USERS).values(id=user.id)
    with session.begin_nested() as savepoint:
        user.email = "new@example.com"
        session.flush()
        with pytest.raises(IntegrityError):
            session.execute(double)
        savepoint.rollback()
    assert user.email == EMAIL


def test_a_value_set_after_its_cell_was_sealed_is_refused(session: Session) -> None:
    new = ann()

    @event.listens_for(User, "before_insert")
    def too_late(*_: Any) -> None:
        new.email = EMAIL.upper()

    session.add(new)
    try:
        with pytest.raises(CellError) as caught:
            session.commit()
    finally:
        event.remove(User, "before_insert", too_late)
    assert EMAIL.upper() not in str(caught.value)


def test_a_key_changed_after_the_cell_was_sealed_fails_the_flush(session: Session) -> None:
    new = ann(id=uuid.uuid4())

    @event.listens_for(User, "before_insert")
    def too_late(*_: Any) -> None:
        new.id = uuid.uuid4()

    session.add(new)
    try:
        with pytest.raises(CellError, match="changed after it was sealed"):
            session.commit()
    finally:
        event.remove(User, "before_insert", too_late)
    session.rollback()
    assert new.email == EMAIL


def test_a_key_that_the_database_counts_is_refused(session: Session) -> None:
    session.add(Counted(secret="x"))
    with pytest.raises(CellError, match=r"counted\.secret.*`id`.*`row=`"):
        session.flush()
    session.rollback()
    session.add_all([Counted(id=7, secret="x"), Counted(secret=None)])
    session.flush()


def test_a_key_that_a_sequence_counts_is_asked_for(session: Session) -> None:
    numbered = Numbered(secret="x")
    session.add(numbered)
    if not session.connection().dialect.supports_sequences:
        with pytest.raises(CellError):
            session.flush()
        return
    session.commit()
    assert numbered.secret == "x"


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"email": b"bytes"}, TypeError),
        ({"email": 5}, TypeError),
        ({"email": "\ud800secret"}, ValueError),
        ({"photo": "text"}, TypeError),
        ({"settings": {"secret": float("nan")}}, ValueError),
        ({"settings": {"secret": {1}}}, TypeError),
        ({"email": Sealed(b"secret")}, CellError),
    ],
    ids=str,
)
def test_a_value_of_another_type_is_refused(
    session: Session, values: dict[str, Any], error: type[Exception]
) -> None:
    session.add(ann(email_index=None, **values) if "email" not in values else User(**values))
    with pytest.raises(error) as caught:
        session.flush()
    assert "secret" not in str(caught.value)


# ---- around the unit of work ----


def test_columns_selected_by_themselves_are_sealed(session: Session, user: User) -> None:
    row = session.execute(select(User.id, User.email)).one()
    assert isinstance(row.email, Sealed)
    assert EMAIL not in f"{row} {row.email!s} {row.email!r}"
    assert open_values(User, row) == {"id": user.id, "email": EMAIL}
    core = session.connection().execute(select(USERS)).one()
    assert open_values(USERS, core)["settings"] == {"a": [1]}
    with pytest.raises(DecryptFailed):
        open_values(User, {"id": uuid.uuid4(), "email": row.email})
    with pytest.raises(CellError, match="bound to `id`"):
        open_values(User, {"email": row.email})


@pytest.mark.parametrize("statement", [insert(User), insert(USERS)], ids=["ORM", "Core"])
def test_statements_take_what_is_sealed_and_nothing_else(session: Session, statement: Any) -> None:
    rows: list[dict[str, Any]] = [
        {"id": uuid.uuid4(), "email": f"{i}@example.com", "phone": None, "settings": {}}
        for i in range(3)
    ]
    with pytest.raises(CellError) as caught:
        session.execute(statement, rows)
    assert "example.com" not in str(caught.value)
    session.rollback()
    session.execute(statement, [seal_values(User, row) for row in rows])
    session.commit()
    assert {user.email for user in session.scalars(select(User))} == {r["email"] for r in rows}
    found = session.scalars(select(User).where(User.email_index.matches("1@EXAMPLE.com"))).one()
    assert found.id == rows[1]["id"]


def test_the_old_bulk_methods_write_no_plaintext(session: Session) -> None:
    with pytest.raises(CellError):
        session.bulk_save_objects([ann(id=uuid.uuid4())])
    session.rollback()
    with pytest.raises(CellError):
        session.bulk_insert_mappings(inspect(User), [{"id": uuid.uuid4(), "email": EMAIL}])


def test_an_update_with_a_sealed_value_reaches_the_object(session: Session, user: User) -> None:
    sealed = seal_values(User, {"id": user.id, "email": "new@example.com"})
    del sealed["id"]
    session.execute(update(User).where(User.id == user.id).values(sealed))
    assert user.email == "new@example.com"
    session.commit()
    assert user.email == "new@example.com"


def test_rows_returned_by_an_insert_are_opened(session: Session) -> None:
    values = seal_values(User, {"id": uuid.uuid4(), "email": EMAIL})
    user = session.scalars(insert(User).values(values).returning(User)).one()
    assert user.email == EMAIL


@pytest.mark.parametrize(
    "compare",
    [
        lambda: User.email == EMAIL,
        lambda: User.email != EMAIL,
        lambda: User.email.in_([EMAIL]),
        lambda: User.email.like("ann%"),
        lambda: User.email + "x",
        lambda: "x" + User.email,
        lambda: User.email < User.phone,
        lambda: User.email.desc(),
        lambda: User.settings["a"],
    ],
)
def test_a_cell_is_not_compared(compare: Any) -> None:
    with pytest.raises(CellError, match="BlindIndex"):
        compare()


@pytest.mark.parametrize("value", ["'hello'", "1.5", "-1", "300000000", "''"])
def test_a_value_of_another_type_takes_no_list_down(
    session: Session, user: User, value: str
) -> None:
    if session.get_bind().dialect.name != "sqlite":
        pytest.skip("only SQLite stores anything in any column")
    session.add(bob := ann(email="bob@example.com"))
    session.commit()
    session.execute(text(f"UPDATE users SET email = {value} WHERE id = :id"), {"id": user.id.hex})
    session.commit()
    assert set(session.scalars(select(User)).all()) == {user, bob}
    assert bob.email == "bob@example.com"
    with pytest.raises(DecryptFailed):
        _ = user.email


# ---- blind indexes ----


def test_an_index_finds_the_value(session: Session, user: User) -> None:
    session.add_all([ann(email="bob@example.com"), ann(email=None)])
    session.commit()
    for spelling in (EMAIL, EMAIL.upper()):
        found = session.scalars(select(User).where(User.email_index.matches(spelling))).all()
        assert found == [user]
    assert session.scalars(select(User).where(User.email_index.matches("ann"))).all() == []
    with pytest.raises(CellError, match="is_"):
        User.email_index.matches(None)


def test_an_index_follows_its_source(session: Session, user: User) -> None:
    by_email = select(User).where(User.email_index.matches("new@example.com"))
    user.email = "new@example.com"
    session.commit()
    assert session.scalars(by_email).one() is user
    user.email_index = b"forged"
    session.commit()
    assert session.scalars(by_email).one() is user
    user.email = None
    session.commit()
    assert user.email_index is None


def test_an_alias_is_searched_as_its_table_is(session: Session, user: User) -> None:
    from sqlalchemy.orm import aliased

    other = aliased(User, name="other")
    found = session.scalars(select(other).where(other.email_index.matches(EMAIL))).one()
    assert found is user
