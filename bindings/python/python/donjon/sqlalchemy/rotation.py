"""Another key-encryption key for a whole table: `rewrap_column`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Dialect,
    Engine,
    LargeBinary,
    Select,
    Table,
    and_,
    bindparam,
    func,
    inspect,
    select,
    tuple_,
    type_coerce,
    update,
)
from sqlalchemy.types import TypeDecorator

import donjon
from donjon import Envelope
from donjon.sqlalchemy.part import part_of
from donjon.sqlalchemy.sealed import CellError
from donjon.sqlalchemy.wrapped_by import key_id, read_ids

# No header is longer, so a shorter value is read whole with its header.
_PREFIX = 6336

Progress = Callable[[int, int], None]
"""Called with how many rows are done, and how many there are."""


class Stored(TypeDecorator[Any]):
    """What a row holds, past the type of its column: bytes, or in SQLite anything."""

    impl = LargeBinary
    cache_ok = True

    def result_processor(self, dialect: Dialect, coltype: Any) -> None:  # noqa: ARG002
        """Return none: LargeBinary's own fails for other types, and the rotation with it."""
        return


@dataclass
class Rotation:
    """What `rewrap_column` or `reindex_column` did."""

    seen: int = 0
    rewrapped: int = 0
    failed: list[tuple[tuple[Any, ...], donjon.DonjonError]] = field(default_factory=list)
    """The primary keys of rows that do not open, and why."""


class RotationIncomplete(donjon.DonjonError):
    """All rows were seen, and some do not open: keep the old key until they are dealt with."""

    def __init__(self, rotation: Rotation) -> None:
        super().__init__(f"{len(rotation.failed)} of {rotation.seen} rows stay as they were")
        self.rotation = rotation


def rewrap_column(
    bind: Engine | Connection,
    table: Any,
    column: str,
    envelope: Envelope,
    *,
    scope: str | None = None,
    wrapped_by: str | None = None,
    to: Envelope | None = None,
    batch: int = 500,
    progress: Progress | None = None,
) -> Rotation:
    """Wrap the data key of every row anew, where it is not under the primary key yet.

    `column` has envelopes, or with `scope`, the column that they are for, wrapped data keys; a
    `Table` or a mapped class has both. Payloads are not touched. `envelope` reads, and `to`, or
    else `envelope` itself, writes. `wrapped_by` is a column that lists who ever wrapped a data key,
    as `donjon.erasure` wants to know; where a table of data keys has it, it has to be given.

    Each batch is a transaction, and a row is written only if it still is what was read. So it may
    be killed at any moment, run again, run twice at once, and run while others write. Rows that
    others write under an old key meanwhile are for the next run: when every writer has the new
    primary key, run until nothing is `rewrapped`, and only then retire the old one.

    On an asynchronous connection: `await connection.run_sync(rewrap_column, table, ...)`, outside
    a transaction.

    Raises:
        RotationIncomplete: when all rows were seen and some do not open.

    """
    if to is not None and to is not envelope and not (to.key_id or envelope.key_id):
        # They name no key: nothing would say which rows are done.
        raise CellError("from one passphrase to another, re-wrap the rows yourself, each once")
    job = _Job(table, column, scope, wrapped_by)
    rotation, wrap = Rotation(), to or envelope
    with transaction(bind) as connection:
        total = connection.scalar(select(func.count()).select_from(job.rows().subquery())) or 0
    for page in pages(bind, job.rows(), job.primary_key, batch):
        changes = []
        for row in page:
            try:
                if job.is_due(wrap, bytes_of(row.donjon_prefix)):
                    changes.append(job.change(bind, row, envelope, wrap))
            except donjon.DonjonError as error:
                rotation.failed.append((tuple(row[: len(job.primary_key)]), error))
        rotation.rewrapped += job.write(bind, [change for change in changes if change])
        rotation.seen += len(page)
        if progress is not None:
            progress(rotation.seen, total)
    if rotation.failed:
        raise RotationIncomplete(rotation)
    return rotation


class _Job:
    """The statements of one rotation."""

    def __init__(self, entity: Any, column: str, scope: str | None, wrapped_by: str | None) -> None:
        self._column = _column(entity, column)
        self._table = self._column.table
        self.primary_key: Sequence[Column[Any]] = list(self._table.primary_key)
        if not self.primary_key:
            raise CellError(f"the table of `{column}` has no primary key to go by")
        # Past the column's own type: this is about what is stored.
        self._stored = type_coerce(self._column, Stored)
        self._scope = None if scope is None else _column(entity, scope)
        self._wrapped_by = None if wrapped_by is None else _column(entity, wrapped_by)
        if {c.table for c in (self._scope, self._wrapped_by) if c is not None} - {self._table}:
            raise CellError(f"what belongs to `{column}` is in another table than that")
        if scope is not None and wrapped_by is None and "wrapped_by" in self._table.columns:
            # Left as it is, it would say later that the key is gone, while the new key opens it.
            raise CellError("the table lists who wrapped its keys: give `wrapped_by`")

    def rows(self) -> Select[Any]:
        """Select what a row's header says, without its payload."""
        prefix = func.substr(self._stored, 1, _PREFIX, type_=Stored).label("donjon_prefix")
        extra = [
            column.label(name)
            for name, column in (("donjon_scope", self._scope), ("donjon_ids", self._wrapped_by))
            if column is not None
        ]
        return select(*self.primary_key, prefix, *extra).where(self._column.is_not(None))

    def is_due(self, wrap: Envelope, prefix: bytes) -> bool:
        """Whether a row is to be wrapped anew by `wrap`."""
        try:
            return wrap.needs_rewrap(prefix)
        except donjon.DecryptFailed:
            if self._scope is None:
                raise
            # A data key may go from a keyring to a KMS. If it is none, it does not open.
            return True

    def change(
        self, bind: Engine | Connection, row: Any, envelope: Envelope, to: Envelope
    ) -> dict[str, Any] | None:
        """Return the parameters that change one row; nothing if it is gone."""
        key = {f"key_{i}": value for i, value in enumerate(row[: len(self.primary_key)])}
        old = bytes_of(row.donjon_prefix)
        if len(old) == _PREFIX:
            found = self._whole(bind, key)
            if found is None:
                return None
            old = found
        if self._scope is None:
            return {**key, "old": old, "new": envelope.rewrap(old, to=to)}
        new = envelope.rewrap_data_key(old, part_of(row.donjon_scope), to=to)
        change = {**key, "old": old, "new": new}
        if self._wrapped_by is not None:
            ids = read_ids(row.donjon_ids)
            if ids is None:
                raise CellError("the row does not list who wrapped its key")
            ids += [i for i in (key_id(old), key_id(new)) if i not in ids]
            change |= {"old_ids": row.donjon_ids, "new_ids": json.dumps(ids)}
        return change

    def write(self, bind: Engine | Connection, changes: Sequence[dict[str, Any]]) -> int:
        """Change rows that still are what was read, in one transaction; return how many."""
        if not changes:
            return 0
        values = {self._column: bindparam("new", type_=LargeBinary())}
        unchanged = self._stored == bindparam("old", type_=LargeBinary())
        if self._wrapped_by is not None:
            values[self._wrapped_by] = bindparam("new_ids")
            unchanged = and_(unchanged, self._wrapped_by == bindparam("old_ids"))
        statement = update(self._table).where(self._is_row(), unchanged).values(values)
        with transaction(bind) as connection:
            count = connection.execute(statement, changes).rowcount
        # Some drivers do not count.
        return count if count >= 0 else len(changes)

    def _whole(self, bind: Engine | Connection, key: dict[str, Any]) -> bytes | None:
        with transaction(bind) as connection:
            found = connection.scalar(select(self._stored).where(self._is_row()), key)
        return None if found is None else bytes_of(found)

    def _is_row(self) -> ColumnElement[bool]:
        return and_(
            *(c == bindparam(f"key_{i}", type_=c.type) for i, c in enumerate(self.primary_key))
        )


def pages(
    bind: Engine | Connection, rows: Select[Any], primary_key: Sequence[Column[Any]], size: int
) -> Iterator[Sequence[Any]]:
    """Yield the rows in batches by primary key, each read in a transaction of its own."""
    if size < 1:
        raise CellError("a batch is of one row at least")
    key = primary_key[0] if len(primary_key) == 1 else tuple_(*primary_key)
    ordered = rows.order_by(*primary_key).limit(size)
    page = ordered
    while True:
        with transaction(bind) as connection:
            found = connection.execute(page).all()
        if not found:
            return
        yield found
        last = tuple(found[-1][: len(primary_key)])
        page = ordered.where(key > (last[0] if len(last) == 1 else last))


@contextmanager
def transaction(bind: Engine | Connection) -> Iterator[Connection]:
    """Begin a transaction of its own."""
    if isinstance(bind, Engine):
        with bind.begin() as connection:
            yield connection
        return
    if bind.in_transaction():
        raise CellError("each batch is a transaction of its own, and the connection is in another")
    with bind.begin():
        yield bind


def _column(entity: Any, name: str) -> Column[Any]:
    columns = entity.columns if isinstance(entity, Table) else inspect(entity).columns
    column = columns.get(name)
    if not isinstance(column, Column):
        raise CellError(f"`{name}` is no column here")
    return column


def bytes_of(stored: Any) -> bytes:
    """Return what is stored as bytes; anything else does not open."""
    if not isinstance(stored, bytes | bytearray | memoryview):
        raise donjon.DecryptFailed("the column holds something else than bytes")
    return bytes(stored)
