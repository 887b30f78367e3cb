"""What the statements of a session may write: `insert(User)`, `update(User)`, upserts, and Core's.

A statement knows no row, so it can seal nothing. What is bound to one of its parameters is looked
at by the column's type; what the database computes, and what cells are bound to, is looked at here.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Any
from weakref import WeakKeyDictionary, WeakSet

from sqlalchemy import BindParameter, ClauseElement, Insert, Null, Table, Update, event
from sqlalchemy.orm import FromStatement, Mapper, ORMExecuteState, Session, configure_mappers
from sqlalchemy.types import NullType

from donjon.sqlalchemy.columns import Encrypted
from donjon.sqlalchemy.layout import Layout
from donjon.sqlalchemy.sealed import CellError

_MAPPERS: WeakKeyDictionary[Table, WeakSet[Mapper[Any]]] = WeakKeyDictionary()


def remember(mapper: Mapper[Any]) -> None:
    """Note that a class with cells has rows in its tables: those of its bases as well."""
    for table in mapper.tables:
        if isinstance(table, Table):
            _MAPPERS.setdefault(table, WeakSet()).add(mapper)


@event.listens_for(Session, "do_orm_execute")
def _check(execution: ORMExecuteState) -> None:
    """Refuse a statement that writes plaintext into a cell, or leaves cells behind."""
    statement = execution.statement
    if isinstance(statement, FromStatement):
        statement = statement.element
    if not isinstance(statement, Insert | Update):
        return
    for layout in _layouts(statement.table):
        written = list(_written(statement, execution.parameters, layout))
        for name, value in written:
            if name in layout.cells and not _may_be_sealed(value):
                raise CellError(
                    f"`{layout.cells[name].name}` takes what `seal_values` made: what the database"
                    " computes is not sealed"
                )
        if isinstance(statement, Insert):
            _check_select(layout, statement)
            _check_conflict(layout, statement._post_values_clause)
        else:
            names = {name for name, _ in written}
            _check_bound(layout, names)
            _check_indexes(layout, names)


def _layouts(table: Any) -> Iterable[Layout]:
    while not isinstance(table, Table):
        table = getattr(table, "element", None)
        if table is None:
            return []
    if any(isinstance(column.type, Encrypted) for column in table.columns):
        configure_mappers()
        if table not in _MAPPERS:
            return [Layout.of(table)]
    return [Layout.of(mapper) for mapper in _MAPPERS.get(table, ())]


def _written(
    statement: Insert | Update, parameters: Any, layout: Layout
) -> Iterator[tuple[str, Any]]:
    """Yield what a statement writes, by the names that the layout has."""
    yield from _named(layout, (statement._values or {}).items())
    # Of SQLAlchemy 2.0.
    yield from _named(layout, getattr(statement, "_ordered_values", None) or ())
    for rows in statement._multi_values:
        for row in rows:
            by_position = zip(statement.table.columns.keys(), row, strict=False)
            yield from _named(layout, row.items() if isinstance(row, Mapping) else by_position)
    if isinstance(parameters, Mapping):
        yield from _named(layout, parameters.items())
        return
    # In a list for an UPDATE the primary key says which row it is.
    keys = layout.primary_key if isinstance(statement, Update) else ()
    for row in parameters or ():
        yield from (
            (name, value) for name, value in _named(layout, row.items()) if name not in keys
        )


def _named(layout: Layout, pairs: Iterable[tuple[Any, Any]]) -> Iterator[tuple[str, Any]]:
    """Yield the pairs by attribute, whether they are by attribute or by column."""
    for key, value in pairs:
        for name in layout.names.get(getattr(key, "key", key), ()):
            yield name, value


def _may_be_sealed(value: Any) -> bool:
    """Whether the column's type gets to see what is written: it lets `Sealed` and NULL through."""
    if hasattr(value, "__clause_element__"):
        value = value.__clause_element__()
    if isinstance(value, BindParameter):
        # One without a type gets the column's.
        return isinstance(value.type, NullType | Encrypted)
    return isinstance(value, Null) or not isinstance(value, ClauseElement)


def _check_bound(layout: Layout, written: set[str]) -> None:
    for name, cell in layout.cells.items():
        if name not in written and not written.isdisjoint(cell.bound):
            raise CellError(
                f"the UPDATE changes what `{cell.name}` is bound to: change it in an object of the"
                " session, which seals it anew"
            )


def _check_indexes(layout: Layout, written: Container[str]) -> None:
    """Refuse to leave an index that finds the row by what is not in the cell any more."""
    for name, index in layout.indexes.items():
        if name not in written and (index.of in written or index.tenant in written):
            raise CellError(
                f"the statement changes what `{index.name}` is an index of: it has to write that as"
                " well, NULL or as `seal_values` fills it in"
            )


def _check_select(layout: Layout, statement: Insert) -> None:
    for name, _ in _named(layout, ((key, None) for key in statement._select_names or ())):
        if name in layout.cells:
            raise CellError(
                f"`{layout.cells[name].name}` cannot be filled from a SELECT, whose rows nothing"
                " seals: see `migrate_column`"
            )


def _check_conflict(layout: Layout, clause: Any) -> None:
    """Refuse an upsert whose rows keep other values than their cells were sealed for."""
    changes = getattr(clause, "update_values_to_set", None) or getattr(clause, "update", None)
    if not changes:
        return
    elements = getattr(clause, "inferred_target_elements", None) or ()
    # The columns in which the row that is there and the one that is not inserted are equal.
    equal = {name for name, _ in _named(layout, ((element, None) for element in elements))}
    changed = {}
    for name, value in _named(layout, dict(changes).items()):
        own = _is_column(value, layout, name)
        if not (own and name in equal):
            changed[name] = own or _may_be_sealed(value)
    _check_indexes(layout, changed)
    for name, cell in layout.cells.items():
        if not changed.keys().isdisjoint(cell.bound):
            raise CellError(f"the upsert changes what `{cell.name}` is bound to")
        if name in changed and not (changed[name] and equal.issuperset(cell.bound)):
            raise CellError(
                f"the upsert writes `{cell.name}` into a row that it was not sealed for, unless"
                f" the conflict is in {', '.join(cell.bound)}"
            )


def _is_column(value: Any, layout: Layout, name: str) -> bool:
    """Whether it is this very column, of the row that was to be inserted or the one there is."""
    column = layout.columns[name]
    return (
        isinstance(value, ClauseElement)
        and getattr(value, "key", None) == column.key
        and getattr(value, "type", None) is column.type
        and getattr(value, "table", None) is not None
    )
