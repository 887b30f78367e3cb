"""The ORM's side: cells are sealed when a row is flushed, and opened when it is loaded.

A mapped object holds plaintext. While a flush writes its row, it holds the `Sealed` cells instead:
from `before_insert` or `before_update`, when all keys that other objects give it are known, to
`after_insert` or `after_update`, or to the rollback. What comes from the database as `Sealed` is
opened in `load` and `refresh`, when the values it is bound to are there too.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, Sequence, event
from sqlalchemy.orm import (
    InstanceState,
    InstrumentedAttribute,
    LoaderCallableStatus,
    Mapper,
    PassiveFlag,
    RelationshipDirection,
    RelationshipProperty,
    Session,
    SessionTransaction,
)
from sqlalchemy.orm.attributes import History, flag_modified, set_attribute
from sqlalchemy.sql.schema import CallableColumnDefault, ScalarElementColumnDefault

import donjon
from donjon.sqlalchemy.layout import Cell, Layout
from donjon.sqlalchemy.sealed import CellError, Sealed
from donjon.sqlalchemy.statements import remember

_IN_FLUSH = "donjon.sqlalchemy: cells in flush"

State = InstanceState[Any]


class _Flushed:
    """A cell of an object while its row is written: what it holds before and after."""

    __slots__ = ("context", "plaintext")

    def __init__(self, plaintext: Any, context: tuple[bytes, ...]) -> None:
        self.plaintext, self.context = plaintext, context


class _Unopened:
    """Stands for a cell that does not open, and says why when it is read.

    Not when its row is loaded: one cell that was shredded, or moved, takes no list of rows down.
    """

    def __init__(self, error: donjon.DonjonError) -> None:
        self._error = error.with_traceback(None)

    def __call__(self, state: State, passive: PassiveFlag) -> Any:  # noqa: ARG002
        if not passive & PassiveFlag.SQL_OK:
            return LoaderCallableStatus.PASSIVE_NO_RESULT
        raise self._error.with_traceback(None) from None


class _CellAttribute(InstrumentedAttribute[Any]):
    """The attribute of a cell, on the class.

    Where reading it refreshes it, SQLAlchemy takes a value that is still missing for a defect, a
    `KeyError`. Whoever asks again is told by what stands for it.
    """

    __slots__ = ()
    inherit_cache = True

    def __get__(self, instance: Any, owner: Any) -> Any:
        try:
            return super().__get__(instance, owner)
        except KeyError:
            return super().__get__(instance, owner)


class _Row(Mapping[str, Any]):
    """The values of an object's row by attribute, loaded where they are not."""

    def __init__(self, state: State, *, stored: bool = False, loaded: Container[str] = ()) -> None:
        self._state = state
        self._stored = stored
        self._loaded = loaded

    def __getitem__(self, name: str) -> Any:
        state = self._state
        if self._stored and state.modified and name not in self._loaded:
            before = _history(state, name).deleted
            if before:
                return before[0]
        return getattr(state.obj(), name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._state.manager)

    def __len__(self) -> int:
        return len(self._state.manager)


class _Rows:
    """The objects of one mapped class, in its own encrypted columns."""

    def __init__(self, mapper: Mapper[Any], layout: Layout) -> None:
        own = {prop.key for prop in mapper.column_attrs if prop.parent is mapper}
        self._layout = layout
        self._cells = {name: cell for name, cell in layout.cells.items() if name in own}
        self._indexes = {name: index for name, index in layout.indexes.items() if name in own}
        tenants = {index.tenant for index in self._indexes.values() if index.tenant is not None}
        self._bound = tenants.union(*(cell.bound for cell in self._cells.values()))

    def listen(self, mapper: Mapper[Any]) -> None:
        if not self._cells and not self._indexes:
            return
        for name in ("before_insert", "before_update", "after_insert", "after_update"):
            event.listen(mapper, name, getattr(self, name), raw=True, propagate=True)
        # Before others see the object, such as those that track changes inside a value.
        listening = {"raw": True, "propagate": True, "insert": True, "restore_load_context": True}
        event.listen(mapper.class_, "load", self.load, **listening)
        event.listen(mapper.class_, "refresh", self.refresh, **listening)
        for name in self._bound:
            # So that what a cell was bound to is known when that changes.
            attribute = getattr(mapper.class_, name)
            event.listen(attribute, "set", _noted, active_history=True, propagate=True)

    def before_insert(self, _: Mapper[Any], connection: Connection, state: State) -> None:
        for name in (*self._bound, *self._cells):
            _ensure_default(self._layout, name, state, connection)
        for name, cell in self._cells.items():
            if state.dict.get(name) is not None:
                self._seal(name, cell, state, connection)
        for name in self._indexes:
            self._write_index(name, state)

    def before_update(self, _: Mapper[Any], connection: Connection, state: State) -> None:
        changed = {
            name
            for name in (*self._cells, *self._indexes, *self._bound)
            if _history(state, name).has_changes()
        }
        if not changed:
            return
        for name, cell in self._cells.items():
            moved = not changed.isdisjoint(cell.bound)
            if (moved or name in changed) and self._value(name, state) is not None:
                if moved:
                    flag_modified(state.obj(), name)
                self._seal(name, cell, state, connection)
        for name, index in self._indexes.items():
            if not changed.isdisjoint({name, index.of, index.tenant}):
                self._write_index(name, state)

    def after_insert(self, _: Mapper[Any], connection: Connection, state: State) -> None:  # noqa: ARG002
        in_flush = _in_flush(state)
        flushed = in_flush.get(state, {})
        for name, cell in self._cells.items():
            if name in flushed:
                written = flushed[name]
                if written.context != cell.context(_Row(state)):
                    raise CellError(f"what `{cell.name}` is bound to changed after it was sealed")
                state.dict[name] = written.plaintext
                del flushed[name]
        if not flushed:
            in_flush.pop(state, None)

    after_update = after_insert

    def load(self, state: State, context: Any) -> None:
        # `merge(load=False)` has none: it brings plaintext from another object.
        for name in self._cells if context is not None else ():
            value = state.dict.get(name)
            if value is not None and not isinstance(value, Sealed):
                # Read as another type than the column's: never passed on as if it had been opened.
                state.dict[name] = Sealed(b"")
        self._open(state, self._layout.columns)

    def refresh(self, state: State, _: Any, names: Container[str] | None) -> None:
        self._open(state, self._layout.columns if names is None else names)

    def _seal(self, name: str, cell: Cell, state: State, connection: Connection) -> None:
        row, plaintext = _Row(state), state.dict[name]
        sealed = cell.seal(plaintext, row, lambda: connection)
        flushed = _in_flush(state).setdefault(state, {})
        flushed[name] = _Flushed(plaintext, cell.context(row))
        state.dict[name] = sealed

    def _open(self, state: State, loaded: Container[str]) -> None:
        for name, cell in self._cells.items():
            sealed = state.dict.get(name)
            if name not in loaded or not isinstance(sealed, Sealed):
                continue
            row = _Row(state, stored=True, loaded=loaded)
            values = {bound: row[bound] for bound in cell.bound}
            try:
                state.dict[name] = cell.open(sealed, values, lambda: _connection(state))
            except donjon.DonjonError as error:
                del state.dict[name]
                state.callables = {**state.callables, name: _Unopened(error)}

    def _write_index(self, name: str, state: State) -> None:
        index = self._indexes[name]
        value = self._layout.index_value(index, self._value(index.of, state), _Row(state))
        set_attribute(state.obj(), name, value)

    def _value(self, name: str, state: State) -> Any:
        """Return the plaintext of a cell, loaded if it is not."""
        flushed = _in_flush(state).get(state, {}).get(name)
        return flushed.plaintext if flushed else _Row(state)[name]


def _history(state: State, name: str) -> History:
    return state.get_history(name, PassiveFlag.PASSIVE_NO_INITIALIZE)


def _noted(*_: Any) -> None:
    pass


def _in_flush(state: State) -> dict[State, dict[str, _Flushed]]:
    session = state.session
    assert session is not None  # noqa: S101  a flush has one
    found: dict[State, dict[str, _Flushed]] = session.info.setdefault(_IN_FLUSH, {})
    return found


def _connection(state: State) -> Connection:
    session = state.session
    if session is None:
        raise CellError("an object of no session has no connection to look a key up with")
    return session.connection(bind_arguments={"mapper": state.mapper})


def _ensure_default(layout: Layout, name: str, state: State, connection: Connection) -> None:
    """Give an attribute the default of its column now: SQLAlchemy would when it executes."""
    default = layout.columns[name].default
    if default is None or state.dict.get(name) is not None:
        return
    match default:
        case Sequence() if connection.dialect.supports_sequences:
            value = connection.scalar(default)
        case CallableColumnDefault():
            # Wrapped to take the statement's context, and mostly without a use for it.
            value = default.arg(None)  # type: ignore[arg-type]
        case ScalarElementColumnDefault():
            value = default.arg
        case _:
            return
    set_attribute(state.obj(), name, value)


@event.listens_for(Session, "after_soft_rollback")
def _restore(session: Session, _: SessionTransaction) -> None:
    flushed: dict[State, dict[str, _Flushed]] = session.info.pop(_IN_FLUSH, {})
    for state, cells in flushed.items():
        for name, cell in cells.items():
            if isinstance(state.dict.get(name), Sealed):
                state.dict[name] = cell.plaintext


@event.listens_for(Mapper, "mapper_configured")
def _listen(mapper: Mapper[Any], _: type[Any]) -> None:
    for relationship in mapper.relationships:
        if relationship.post_update:
            _refuse_late_keys(relationship)
    layout = Layout.of(mapper)
    if any(layout.columns[name] is mapper.version_id_col for name in layout.bound):
        raise CellError(f"a cell is bound to the version of `{mapper}`, which every update changes")
    for name in layout.cells:
        getattr(mapper.class_, name).__class__ = _CellAttribute
    if layout.cells or layout.indexes:
        _Rows(mapper, layout).listen(mapper)
    if layout.cells:
        remember(mapper)


def _refuse_late_keys(relationship: RelationshipProperty[Any]) -> None:
    """Refuse cells bound to a foreign key that is written when its row is sealed and stored."""
    if relationship.direction is RelationshipDirection.MANYTOONE:
        mapper, late = relationship.parent, relationship.local_columns
    else:
        mapper, late = relationship.mapper, relationship.remote_side
    layout = Layout.of(mapper)
    for name in layout.bound:
        if layout.columns[name] in late:
            raise CellError(f"a cell is bound to `{name}`, which `{relationship}` writes too late")
