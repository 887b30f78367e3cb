"""From a column that something else encrypted, or nothing did: `migrate_column`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Engine,
    Update,
    bindparam,
    func,
    select,
    update,
)
from sqlalchemy.exc import StatementError

from donjon.sqlalchemy.layout import Layout
from donjon.sqlalchemy.rotation import Progress, pages, transaction
from donjon.sqlalchemy.sealed import CellError


def migrate_column(
    bind: Engine | Connection,
    entity: Any,
    column: str,
    *,
    source: str,
    read: Callable[[Any], Any],
    batch: int = 500,
    progress: Progress | None = None,
) -> int:
    """Fill the encrypted column from another one of the same rows, and return how many it filled.

        tokens = Fernet([key])
        migrate_column(engine, User, "email", source="email_fernet",
                       read=lambda token: tokens.decrypt(token).decode())

    `entity` is a mapped class or a `Table`, `column` and `source` are names of its attributes, and
    `read` makes the value of what the source holds: `source` is mapped as what it is stored as, so
    text of sqlalchemy-utils' `EncryptedType` as `Text`, for `donjon.fernet.open_aes_engine`. Blind
    indexes of the column are filled in with it.

    Rows are those that have a source and no cell yet. A batch is a transaction, and a row is
    written only if it still is what was read: so it may be killed, run again, and run while others
    write both columns, or what the cell is bound to. What `read` raises ends it there. When it
    fills nothing any more, look whether any row has a source and no cell (one that was moved
    meanwhile may), and drop the source: backups and the database's free pages have it for longer.

    The source is a parameter of each statement: errors hide it, and an engine with `echo` shows it,
    unless it has `hide_parameters`.
    """
    layout = Layout.of(entity)
    if column not in layout.cells or source not in layout.columns:
        raise CellError(f"`{column}` is no encrypted column here, or `{source}` no column")
    cell, old = layout.cells[column], layout.columns[source]
    names = dict.fromkeys((*layout.primary_key, *cell.bound))
    indexes = {name: index for name, index in layout.indexes.items() if index.of == column}
    names |= dict.fromkeys(index.tenant for index in indexes.values() if index.tenant)
    if len({layout.columns[name].table for name in (*names, *indexes, column, source)}) > 1:
        raise CellError(f"`{column}` and what it is bound to are in several tables")
    rows = select(*(layout.columns[name] for name in names), old.label("donjon_source")).where(
        layout.columns[column].is_(None), old.is_not(None)
    )
    key = [layout.columns[name] for name in layout.primary_key]
    bound = [name for name in names if name not in layout.primary_key]
    filling = (
        update(old.table)
        .where(
            *(c == bindparam(f"key_{i}", type_=c.type) for i, c in enumerate(key)),
            # Where what it is bound to is not what it was sealed for, the cell would be lost.
            *(_still(layout.columns[n], n) for n in bound),
            layout.columns[column].is_(None),
            old == bindparam("old", type_=old.type),
        )
        .values(
            {
                layout.columns[n]: bindparam(f"new_{n}", type_=layout.columns[n].type)
                for n in (column, *indexes)
            }
        )
    )
    with transaction(bind) as connection:
        total = connection.scalar(select(func.count()).select_from(rows.subquery())) or 0
    seen = filled = 0
    for page in pages(bind, rows, key, batch):
        with transaction(bind) as connection:
            for row in page:
                values = dict(zip(names, row, strict=False))
                value = read(row.donjon_source)
                if value is None:
                    continue
                change = {f"key_{i}": part for i, part in enumerate(row[: len(key)])}
                change |= {f"bound_{n}": values[n] for n in bound}
                change |= {"old": row.donjon_source}
                change |= {
                    f"new_{n}": layout.index_value(index, value, values)
                    for n, index in indexes.items()
                }
                change[f"new_{column}"] = cell.seal(value, values, lambda: connection)
                filled += _execute(connection, filling, change)
        seen += len(page)
        if progress is not None:
            progress(seen, total)
    return filled


def _still(column: Column[Any], name: str) -> ColumnElement[bool]:
    return column.is_not_distinct_from(bindparam(f"bound_{name}", type_=column.type))


def _execute(connection: Connection, statement: Update, change: dict[str, Any]) -> int:
    try:
        return connection.execute(statement, change).rowcount
    except StatementError as error:
        # Among its parameters is what the source held.
        error.hide_parameters = True
        raise
