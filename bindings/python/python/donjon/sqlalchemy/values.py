"""Cells in statements that go around the unit of work: Core, bulk inserts, columns selected."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from sqlalchemy import Connection

from donjon.sqlalchemy.layout import Layout
from donjon.sqlalchemy.sealed import CellError, Sealed


class _Row(Protocol):
    """A `sqlalchemy.Row`, of whatever types."""

    @property
    def _mapping(self) -> Mapping[Any, Any]: ...


def seal_values(
    entity: Any, values: Mapping[str, Any], *, connection: Connection | None = None
) -> dict[str, Any]:
    """Return `values` of one row with its encrypted columns sealed and its indexes filled in.

        session.execute(insert(User), [seal_values(User, row) for row in rows])

    `entity` is a mapped class or a `Table`, and `values` has what the cells are bound to.
    `connection` is wanted by keys that are in the database: `DataKeys`.
    """
    layout = Layout.of(entity)
    sealed = dict(values)
    for name, index in layout.indexes.items():
        if index.of in values:
            sealed[name] = layout.index_value(index, values[index.of], values)
    for name, cell in layout.cells.items():
        if values.get(name) is not None:
            sealed[name] = cell.seal(values[name], values, lambda: _given(connection))
    return sealed


def open_values(
    entity: Any,
    row: _Row | Mapping[str, Any],
    *,
    connection: Connection | None = None,
) -> dict[str, Any]:
    """Return what a statement selected of one row, with its cells opened.

    It must have selected what they are bound to as well, by the names that `entity` has.
    """
    layout = Layout.of(entity)
    values = dict(row if isinstance(row, Mapping) else row._mapping)
    opened = {
        name: cell.open(values[name], values, lambda: _given(connection))
        for name, cell in layout.cells.items()
        if isinstance(values.get(name), Sealed)
    }
    return values | opened


def _given(connection: Connection | None) -> Connection:
    if connection is None:
        raise CellError("the keys are in the database: give `connection`")
    return connection
