"""Sessions and revocations in a table: `SqlRecords`, `AsyncSqlRecords`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import (
    BigInteger,
    Column,
    Delete,
    Engine,
    LargeBinary,
    MetaData,
    Select,
    String,
    Table,
    Update,
    delete,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, StatementError

from donjon.errors import ConfigError
from donjon.records import begins_with

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

_T = TypeVar("_T")

_PAGE = 500
_PURGED_AFTER_MS = 86_400_000
"""What is over by a clock that is ahead is not over for others, and may be a revocation."""

_INSERTS = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}
# Each statement is a transaction, so that it is one round trip; an upsert says what it has done.
_OPTIONS: dict[str, Any] = {"isolation_level": "AUTOCOMMIT", "preserve_rowcount": True}
_Change = Update | Delete | postgresql.Insert | sqlite.Insert


class _Statements:
    """What both stores have executed. Each is one statement, and a transaction of its own."""

    def __init__(self, dialect: str, table: Table | None) -> None:
        if dialect not in _INSERTS:
            raise ConfigError("records are kept in PostgreSQL and SQLite")
        self._insert: Any = _INSERTS[dialect]
        self.table = records_table(MetaData()) if table is None else table

    def get(self, keys: Sequence[str]) -> Select[Any]:
        columns = self.table.c
        return select(columns.key, columns.value).where(columns.key.in_(keys), self._live())

    def replace(self, key: str, before: bytes, after: bytes, keep_ms: int) -> _Change:
        """One row is changed, or the key has something else."""
        columns = self.table.c
        row = {"value": after, "expires_ms": _now_ms() + keep_ms}
        mine = (columns.key == key, columns.value == before, self._live())
        if not after:
            return delete(self.table).where(*mine)
        if before:
            return update(self.table).where(*mine).values(row)
        made: Any = self._insert(self.table).values(key=key, **row)
        over: postgresql.Insert | sqlite.Insert = made.on_conflict_do_update(
            index_elements=[columns.key], set_=row, where=columns.expires_ms <= _now_ms()
        )
        return over

    def page(self, part: str, after: str) -> Select[Any]:
        columns = self.table.c
        page = select(columns.key, columns.value).order_by(columns.key).limit(_PAGE)
        return page.where(
            columns.key > after, columns.key.contains(part, autoescape=True), self._live()
        )

    def purge(self) -> Delete:
        return delete(self.table).where(self.table.c.expires_ms <= _now_ms() - _PURGED_AFTER_MS)

    def _live(self) -> Any:
        return self.table.c.expires_ms > _now_ms()


@contextmanager
def _hidden() -> Iterator[None]:
    """Keep what was to be written out of the errors: they are logged."""
    try:
        yield
    except StatementError as error:
        error.hide_parameters = True
        raise


class SqlRecords:
    """Keeps records in a table of PostgreSQL or SQLite.

    What was acknowledged is committed. Rows that are over count as absent; `purge` deletes them, a
    day later.
    The table is made by `create_table`, or is one of yours that `SqlRecords.table(metadata)` has
    added, for a migration.
    """

    def __init__(self, engine: Engine, table: Table | None = None) -> None:
        self._statements = _Statements(engine.dialect.name, table)
        self._engine = engine.execution_options(**_OPTIONS)

    @staticmethod
    def table(metadata: MetaData, name: str = "donjon_records") -> Table:
        """Return a table for records: the bytes of each key, and when they are over."""
        return records_table(metadata, name)

    def create_table(self) -> None:
        """Create the table, unless it is there."""
        self._statements.table.create(self._engine, checkfirst=True)

    def get_many(self, keys: Sequence[str]) -> list[bytes]:
        """Return what each key has, in order; nothing is `b""`."""
        with _hidden(), self._engine.connect() as connection:
            return _in_order(keys, connection.execute(self._statements.get(keys)))

    def replace(self, key: str, before: bytes, after: bytes, keep_ms: int) -> bool:
        """Put `after` in the place of `before`, atomically, and keep it for `keep_ms`."""
        if not before and not after:
            return self.get_many([key]) == [b""]
        statement = self._statements.replace(key, before, after, keep_ms)
        try:
            with _hidden(), self._engine.connect() as connection:
                return connection.execute(statement).rowcount == 1
        except DBAPIError as error:
            if _is_lost(error):
                return False
            raise

    def scan(self, part: str) -> Iterator[bytes]:
        """Give every record whose key begins with `part`, but for the `{…}:` of a user's."""
        last = ""
        while True:
            with _hidden(), self._engine.connect() as connection:
                rows = connection.execute(self._statements.page(part, last)).all()
            yield from (value for key, value in rows if begins_with(key, part))
            if len(rows) < _PAGE:
                return
            last = rows[-1].key

    def purge(self) -> int:
        """Delete what has been over for a day, and return how much that was: now and then."""
        with _hidden(), self._engine.connect() as connection:
            return connection.execute(self._statements.purge()).rowcount


class AsyncSqlRecords:
    """`SqlRecords`, for asyncio."""

    def __init__(self, engine: AsyncEngine, table: Table | None = None) -> None:
        self._statements = _Statements(engine.dialect.name, table)
        self._engine = engine.execution_options(**_OPTIONS)
        self._is_sqlite = engine.dialect.name == "sqlite"
        self._under_way: set[asyncio.Task[Any]] = set()

    async def _to_its_end(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Await it; on SQLite it goes on where that is cancelled, as a manager does in time.

        A statement of SQLite that nobody waits for any more keeps its lock on the file, and so
        others from writing, until its connection happens to be collected as garbage.
        """
        if not self._is_sqlite:
            return await work
        task = asyncio.create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._ended)
        await asyncio.wait({task})
        return task.result()

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._under_way.discard(task)
        if not task.cancelled():
            task.exception()  # Nobody may be there any more to whom it matters.

    @asynccontextmanager
    async def _connect(self) -> AsyncIterator[AsyncConnection]:
        with _hidden():
            async with self._engine.connect() as connection:
                yield connection

    @staticmethod
    def table(metadata: MetaData, name: str = "donjon_records") -> Table:
        """Return a table for records: the bytes of each key, and when they are over."""
        return records_table(metadata, name)

    async def create_table(self) -> None:
        """Create the table, unless it is there."""
        async with self._connect() as connection:
            await connection.run_sync(self._statements.table.create, checkfirst=True)

    async def get_many(self, keys: Sequence[str]) -> list[bytes]:
        """Return what each key has, in order; nothing is `b""`."""
        return await self._to_its_end(self._get_many(keys))

    async def _get_many(self, keys: Sequence[str]) -> list[bytes]:
        async with self._connect() as connection:
            return _in_order(keys, await connection.execute(self._statements.get(keys)))

    async def replace(self, key: str, before: bytes, after: bytes, keep_ms: int) -> bool:
        """Put `after` in the place of `before`, atomically, and keep it for `keep_ms`."""
        if not before and not after:
            return await self.get_many([key]) == [b""]
        statement = self._statements.replace(key, before, after, keep_ms)
        try:
            return await self._to_its_end(self._changed(statement)) == 1
        except DBAPIError as error:
            if _is_lost(error):
                return False
            raise

    async def scan(self, part: str) -> AsyncIterator[bytes]:
        """Give every record whose key begins with `part`, but for the `{…}:` of a user's."""
        last = ""
        while True:
            rows = await self._to_its_end(self._page(part, last))
            for key, value in rows:
                if begins_with(key, part):
                    yield value
            if len(rows) < _PAGE:
                return
            last = rows[-1].key

    async def purge(self) -> int:
        """Delete what has been over for a day, and return how much that was: now and then."""
        return await self._to_its_end(self._changed(self._statements.purge()))

    async def _page(self, part: str, last: str) -> list[Any]:
        async with self._connect() as connection:
            found = await connection.execute(self._statements.page(part, last))
            return list(found.all())

    async def _changed(self, statement: _Change) -> int:
        """Execute it, and return how many rows it has changed."""
        async with self._connect() as connection:
            return (await connection.execute(statement)).rowcount


def records_table(metadata: MetaData, name: str = "donjon_records") -> Table:
    """Return a table for records."""
    return Table(
        name,
        metadata,
        Column("key", String(255), primary_key=True),
        Column("value", LargeBinary, nullable=False),
        Column("expires_ms", BigInteger, nullable=False, index=True),
    )


def _in_order(keys: Sequence[str], rows: Any) -> list[bytes]:
    found = {row.key: row.value for row in rows}
    return [found.get(key, b"") for key in keys]


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _is_lost(error: DBAPIError) -> bool:
    """Tell whether somebody else was faster, where transactions are serializable."""
    states = (getattr(error.orig, name, None) for name in ("sqlstate", "pgcode"))
    return "40001" in states
