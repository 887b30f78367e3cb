"""Encrypted columns with `AsyncSession`: aiosqlite and asyncpg."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

from database.models import ENVELOPE, KEYRING, KEYS, Base, Note, Tenant, User
from donjon import DecryptFailed
from donjon.sqlalchemy import DataKeyMissing, Sealed, rewrap_column

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["aiosqlite", "asyncpg"])
async def engine(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    if request.param == "aiosqlite":
        url = f"sqlite+aiosqlite:///{tmp_path / 'test.db'}"
    else:
        url = request.getfixturevalue("postgresql").url("asyncpg")
    made = create_async_engine(url)
    KEYS.forget()
    async with made.begin() as connection:
        await connection.run_sync(Base.metadata.drop_all)
        await connection.run_sync(Base.metadata.create_all)
    yield made
    async with made.begin() as connection:
        await connection.run_sync(Base.metadata.drop_all)
    await made.dispose()


@pytest.fixture
async def session(engine: AsyncEngine) -> AsyncIterator[AsyncSession]:
    async with AsyncSession(engine, expire_on_commit=False) as made:
        yield made


async def test_an_object_is_written_read_and_found(session: AsyncSession) -> None:
    session.add(User(email="ann@example.com", settings={"a": 1}, photo=b"\0"))
    await session.commit()
    session.expunge_all()
    by_email = select(User).where(User.email_index.matches("ANN@example.com"))
    user = (await session.scalars(by_email)).one()
    assert (user.email, user.settings) == ("ann@example.com", {"a": 1})
    await session.refresh(user, ["photo"])
    assert user.photo == b"\0"
    user.email = "new@example.com"
    await session.commit()
    await session.refresh(user)
    assert user.email == "new@example.com"


async def test_a_cell_moved_fails_where_it_is_read(session: AsyncSession) -> None:
    ann, bob = User(email="ann@example.com"), User(email="bob@example.com")
    session.add_all([ann, bob])
    await session.commit()
    table = User.__table__
    connection = await session.connection()
    cell = await connection.scalar(select(table.c.email).where(table.c.id == ann.id))
    assert isinstance(cell, Sealed)
    await connection.execute(update(User).where(User.id == bob.id).values(email=cell))
    await session.commit()
    session.expunge_all()
    users = {user.id: user for user in await session.scalars(select(User))}
    assert users[ann.id].email == "ann@example.com"
    # No input or output is in it: it fails as it should, and not as a missing greenlet.
    for _ in range(2):
        with pytest.raises(DecryptFailed):
            _ = users[bob.id].email


async def test_keys_of_tenants_are_looked_up_and_shredded(session: AsyncSession) -> None:
    session.add_all([Tenant(id=i, notes=[Note(text=f"note {i}")]) for i in (1, 2)])
    await session.commit()
    KEYS.forget()
    session.expunge_all()
    notes = (await session.scalars(select(Note).order_by(Note.tenant_id))).all()
    assert [note.text for note in notes] == ["note 1", "note 2"]
    connection = await session.connection()
    erasure = await connection.run_sync(KEYS.shred, 1, keyring=KEYRING)
    await session.commit()
    assert not erasure.erased
    session.expunge_all()
    notes = (await session.scalars(select(Note).order_by(Note.tenant_id))).all()
    assert notes[1].text == "note 2"
    with pytest.raises(DataKeyMissing):
        _ = notes[0].text


async def test_keys_are_looked_up_while_rows_stream_in(session: AsyncSession) -> None:
    session.add_all([Tenant(id=i, notes=[Note(text="note")]) for i in range(1, 6)])
    await session.commit()
    KEYS.forget()
    session.expunge_all()
    rows = await session.stream_scalars(select(Note).execution_options(yield_per=2))
    assert [n.text async for n in rows] == ["note"] * 5


async def test_a_table_is_wrapped_anew(engine: AsyncEngine, session: AsyncSession) -> None:
    session.add_all([User(email=f"{i}@example.com") for i in range(5)])
    await session.commit()
    async with engine.connect() as connection:
        rotation = await connection.run_sync(rewrap_column, User, "email", ENVELOPE, batch=2)
    assert (rotation.seen, rotation.rewrapped) == (5, 0)
