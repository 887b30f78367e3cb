"""What the encrypted columns of one table are bound to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Column, Table
from sqlalchemy import inspect as inspection
from sqlalchemy.orm import Mapper

from donjon.sqlalchemy.blind_index import BlindIndex, Index
from donjon.sqlalchemy.columns import Encrypted
from donjon.sqlalchemy.keys import Connect
from donjon.sqlalchemy.part import as_stored, part_of
from donjon.sqlalchemy.sealed import CellError, Sealed

Values = Mapping[str, Any]

_CLEARING = {"SET NULL", "SET DEFAULT"}


@dataclass(frozen=True)
class Cell:
    """One encrypted column."""

    name: str
    """`users.email`, for messages."""
    type: Encrypted[Any]
    place: tuple[bytes, bytes]
    """Table and column, as the context has them."""
    row: tuple[str, ...]
    scope: str | None
    columns: Mapping[str, Column[Any]]
    """Of the table, by the names that its rows use."""

    @cached_property
    def bound(self) -> tuple[str, ...]:
        """Whose values go into the context."""
        return (*self._scope, *self.row)

    @property
    def _scope(self) -> tuple[str, ...]:
        return () if self.scope is None else (self.scope,)

    def context(self, values: Values) -> tuple[bytes, ...]:
        """Return the context of the cell in a row that has these values."""
        return (
            *(self._part(name, values) for name in self._scope),
            *self.place,
            *(self._part(name, values) for name in self.row),
        )

    def seal(self, value: Any, values: Values, connect: Connect) -> Sealed:
        """Seal a value, not `None`, for the row that has these values."""
        if isinstance(value, Sealed):
            raise CellError(f"`{self.name}` takes what is to be sealed, not what is")
        try:
            data = self.type.encode(value)
        except (TypeError, ValueError) as error:
            # The original may quote the value.
            kind = TypeError if isinstance(error, TypeError) else ValueError
            raise kind(f"`{self.name}` cannot hold this {type(value).__name__}") from None
        context = self.context(values)
        key = self.type._keys.sealing_key(self._scope_value(values), connect)
        return Sealed(key.seal(data, context=context))

    def open(self, sealed: Sealed, values: Values, connect: Connect) -> Any:
        """Open the cell of the row that has these values."""
        context = self.context(values)
        key = self.type._keys.opening_key(self._scope_value(values), connect)
        data = key.open(sealed.data, context=context)
        try:
            return self.type.decode(data)
        except ValueError:
            # The original quotes the value.
            raise CellError(f"`{self.name}` was sealed as another type") from None

    def _scope_value(self, values: Values) -> Any:
        return None if self.scope is None else self._value(self.scope, values)

    def _part(self, name: str, values: Values) -> bytes:
        return part_of(self._value(name, values))

    def _value(self, name: str, values: Values) -> Any:
        value = values.get(name)
        if value is None:
            raise CellError(
                f"`{self.name}` is bound to `{name}`, which has no value: where the database gives"
                " it one, give the column a default of the client (`default=uuid.uuid4`), or bind"
                " to another column with `row=`"
            )
        return as_stored(value, self.columns[name].type)


class Layout:
    """The encrypted columns of a table or a mapped class, by the names that its rows use."""

    def __init__(self, columns: Mapping[str, Column[Any]], primary_key: tuple[str, ...]) -> None:
        self.columns = columns
        self.primary_key = primary_key
        self.cells = {
            name: self._cell(column, column.type)
            for name, column in columns.items()
            if isinstance(column.type, Encrypted)
        }
        self.indexes = {
            name: column.type.bound_to(column)
            for name, column in columns.items()
            if isinstance(column.type, BlindIndex)
        }
        self._check()

    @classmethod
    def of(cls, entity: Any) -> Layout:
        """Return the layout of a `Table`, a mapped class or a mapper."""
        of_what = entity if isinstance(entity, Table) else inspection(entity)
        made = _LAYOUTS.get(of_what)
        if made is None:
            made = _of_table(of_what) if isinstance(of_what, Table) else _of_mapper(of_what)
            _LAYOUTS[of_what] = made
        return made

    @cached_property
    def bound(self) -> frozenset[str]:
        """Whose values any cell is bound to."""
        return frozenset(name for cell in self.cells.values() for name in cell.bound)

    @cached_property
    def names(self) -> Mapping[str, frozenset[str]]:
        """What a statement may mean by a text: the attribute, or the column, of that name."""
        keys = self.columns.keys() | {column.key for column in self.columns.values()}
        return {
            key: frozenset(n for n, column in self.columns.items() if key in (n, column.key))
            for key in keys
        }

    def index_value(self, index: Index, value: Any, values: Values) -> bytes | None:
        """Return what an index is to hold where its source is `value`, in a row of these values."""
        tenant = None if index.tenant is None else values.get(index.tenant)
        if index.tenant is not None:
            tenant = as_stored(tenant, self.columns[index.tenant].type)
        return index.value(value, tenant)

    def _cell(self, column: Column[Any], type_: Encrypted[Any]) -> Cell:
        table, name = type_._table or column.table.fullname, type_._column or column.name
        return Cell(
            name=f"{column.table.fullname}.{column.name}",
            type=type_,
            place=(table.encode(), name.encode()),
            row=type_._row or self.primary_key,
            scope=type_._scope,
            columns=self.columns,
        )

    def _check(self) -> None:
        for name, cell in self.cells.items():
            if _is_given_unsealed(self.columns[name]):
                raise CellError(f"`{cell.name}` has a default that nothing would seal")
            if not cell.row:
                raise CellError(f"`{cell.name}` is in a table without a primary key: give `row`")
            for bound in cell.bound:
                self._check_bound(cell, bound)
        for index in self.indexes.values():
            if index.of not in self.cells:
                raise CellError(f"`{index.name}` is an index of `{index.of}`, which is no cell")
            if index.tenant is not None and index.tenant not in self.columns:
                raise CellError(f"`{index.name}` is by `{index.tenant}`, which is no column here")

    def _check_bound(self, cell: Cell, name: str) -> None:
        column = self.columns.get(name)
        if column is None or name in self.cells:
            raise CellError(f"`{cell.name}` is bound to `{name}`, which is no plain column here")
        if _changes_by_itself(column):
            raise CellError(f"`{cell.name}` is bound to `{name}`, which changes without its object")


def _changes_by_itself(column: Column[Any]) -> bool:
    """Say whether statements or the database may change a column that its object did not."""
    return (
        column.onupdate is not None
        or column.server_onupdate is not None
        or column.computed is not None
        or any(
            (key.onupdate or "").upper() in {"CASCADE", *_CLEARING}
            or (key.ondelete or "").upper() in _CLEARING
            for key in column.foreign_keys
        )
    )


def _is_given_unsealed(column: Column[Any]) -> bool:
    """Say whether a statement or the database writes a value that its object never had."""
    default = column.default
    return (
        column.server_default is not None
        or column.onupdate is not None
        or (default is not None and (default.is_clause_element or default.is_sequence))
    )


_LAYOUTS: WeakKeyDictionary[Table | Mapper[Any], Layout] = WeakKeyDictionary()


def _of_table(table: Table) -> Layout:
    primary_key = tuple(column.key for column in table.primary_key.columns)
    return Layout({column.key: column for column in table.columns}, primary_key)


def _of_mapper(mapper: Mapper[Any]) -> Layout:
    columns = {}
    for prop in mapper.column_attrs:
        column = prop.columns[0]
        # Expressions, and columns of a union, are only read: as `Sealed`, if they are cells.
        if isinstance(column, Column) and isinstance(column.table, Table):
            columns[prop.key] = column
    primary_key = (mapper.get_property_by_column(column).key for column in mapper.primary_key)
    return Layout(columns, tuple(primary_key))
