"""Blind indexes under another key, or of another normalisation: `reindex_column`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    LargeBinary,
    Select,
    bindparam,
    func,
    select,
    type_coerce,
    update,
)

import donjon
from donjon.sqlalchemy.layout import Layout
from donjon.sqlalchemy.rotation import (
    Progress,
    Rotation,
    RotationIncomplete,
    Stored,
    bytes_of,
    pages,
    transaction,
)
from donjon.sqlalchemy.sealed import CellError, Sealed


def reindex_column(
    bind: Engine | Connection,
    entity: Any,
    index: str,
    *,
    batch: int = 500,
    progress: Progress | None = None,
) -> Rotation:
    """Compute a blind index of every row anew, and write it where that is not what is stored.

        reindex_column(engine, User, "email_index")

    After `rotate("blind-index")`, and before the old key is disabled: a search goes by the keys
    that are in use, so of a row that is still under a disabled one it finds nothing. Also after
    another normalisation, and for an index that was added to a table. The cells are opened for it,
    and stay as they are.

    It may be killed, run again, and run while others write, as `rewrap_column`: a batch is a
    transaction, and a row is written only if its cell and what that is bound to are what was read.
    When every writer has the new key, run it until nothing is `rewrapped`.

    Raises:
        RotationIncomplete: when all rows were seen and some do not open.

    """
    job, rotation = _Job(entity, index), Rotation()
    with transaction(bind) as connection:
        total = connection.scalar(select(func.count()).select_from(job.rows().subquery())) or 0
    for page in pages(bind, job.rows(), job.primary_key, batch):
        with transaction(bind) as connection:
            for row in page:
                try:
                    rotation.rewrapped += job.write(connection, row)
                except donjon.DonjonError as error:
                    rotation.failed.append((tuple(row[: len(job.primary_key)]), error))
        rotation.seen += len(page)
        if progress is not None:
            progress(rotation.seen, total)
    if rotation.failed:
        raise RotationIncomplete(rotation)
    return rotation


class _Job:
    """The statements of one index."""

    def __init__(self, entity: Any, name: str) -> None:
        self._layout = layout = Layout.of(entity)
        if name not in layout.indexes:
            raise CellError(f"`{name}` is no blind index here")
        self._index = layout.indexes[name]
        self._cell = layout.cells[self._index.of]
        tenant = () if self._index.tenant is None else (self._index.tenant,)
        names = (*layout.primary_key, *self._cell.bound, *tenant)
        self._bound = {n: layout.columns[n] for n in dict.fromkeys(names)}
        self._source, self._target = layout.columns[self._index.of], layout.columns[name]
        if len({c.table for c in (*self._bound.values(), self._source, self._target)}) > 1:
            raise CellError(f"`{name}` and what it is computed of are in several tables")
        self.primary_key: Sequence[Column[Any]] = [layout.columns[n] for n in layout.primary_key]

    def rows(self) -> Select[Any]:
        """Select the cells, what they are bound to, and the indexes that are stored."""
        return select(
            *self._bound.values(),
            # Past the columns' own types: SQLite may hold anything.
            type_coerce(self._source, Stored).label("donjon_cell"),
            type_coerce(self._target, Stored).label("donjon_index"),
        ).where(self._source.is_not(None))

    def write(self, connection: Connection, row: Any) -> int:
        """Write one row if its index is another now; return how many that were."""
        values = dict(zip(self._bound, row, strict=False))
        cell = bytes_of(row.donjon_cell)
        plain = self._cell.open(Sealed(cell), values, lambda: connection)
        new = self._layout.index_value(self._index, plain, values)
        if new == row.donjon_index:
            return 0
        key = (column == row[i] for i, column in enumerate(self.primary_key))
        still = (
            column.is_not_distinct_from(bindparam(f"bound_{name}", values[name], type_=column.type))
            for name, column in self._bound.items()
            if name not in self._layout.primary_key
        )
        unchanged = type_coerce(self._source, Stored) == bindparam("cell", cell, LargeBinary())
        changing = update(self._target.table).where(*key, *still, unchanged)
        return connection.execute(changing.values({self._target: new})).rowcount
