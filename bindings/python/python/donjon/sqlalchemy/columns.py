"""Encrypted columns: `EncryptedString`, `EncryptedBytes`, `EncryptedJSON`."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, NoReturn, TypeVar

from sqlalchemy import ClauseElement, Dialect, LargeBinary
from sqlalchemy.sql import operators
from sqlalchemy.types import TypeDecorator

from donjon.sqlalchemy.keys import KeySource, scoped_keys
from donjon.sqlalchemy.sealed import CellError, Sealed

_T = TypeVar("_T")

_EQUALITY = {operators.eq, operators.ne, operators.is_, operators.is_not}


class _NeverCompared(TypeDecorator.Comparator[Any]):
    """Refuses to compare cells with values: no two ciphertexts are equal, and none has an order."""

    def operate(self, op: Any, *other: Any, **kwargs: Any) -> Any:
        # SQLAlchemy itself asks whether a column equals another; NULL is none that is sealed.
        if op not in _EQUALITY or not _is_clause(other[0]):
            self._refuse()
        return super().operate(op, *other, **kwargs)

    def reverse_operate(self, op: Any, other: Any, **kwargs: Any) -> NoReturn:  # noqa: ARG002
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise CellError(f"`{self.expr}` is encrypted: only a BlindIndex of it can be compared")


def _is_clause(value: Any) -> bool:
    return value is None or isinstance(value, ClauseElement) or hasattr(value, "__clause_element__")


class Encrypted(TypeDecorator[_T]):
    """A column whose cells are sealed, each bound to its table, its column and its row.

    `key` is a `donjon.Envelope`, a `donjon.DataKey`, or with `scope` one key per tenant or subject:
    `DataKeys`, or a function of the value in the column `scope`. The row is its primary key, or the
    columns `row`: unique, known before the insert, and never changed by the database itself. Both
    are names of attributes (of columns, where a table is not mapped). `table` and `column` are what
    a renamed table or column was called when its first cell was sealed.

    A cell's context is the scope if there is one, the table, the column, and the row's columns,
    each as `part_of` writes it. The table is called what it is declared as: one for each schema of
    a `schema_translate_map` needs a `scope` that tells them apart, or keys that do.
    """

    impl = LargeBinary
    comparator_factory = _NeverCompared

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        # What goes into and comes out of a statement does not depend on the key.
        cls.cache_ok = True

    def __init__(
        self,
        key: KeySource,
        *,
        row: str | Sequence[str] | None = None,
        scope: str | None = None,
        table: str | None = None,
        column: str | None = None,
    ) -> None:
        super().__init__()
        self._keys = scoped_keys(key, scope)
        self._row = (row,) if isinstance(row, str) else None if row is None else tuple(row)
        self._scope, self._table, self._column = scope, table, column
        if self._row == ():
            raise CellError("`row` names no column")

    @abstractmethod
    def encode(self, value: _T) -> bytes:
        """Return the bytes of a value; a `TypeError` or `ValueError` if it is none of this type."""

    @abstractmethod
    def decode(self, data: bytes) -> _T:
        """Return the value of the bytes."""

    def process_bind_param(self, value: Any, dialect: Dialect) -> bytes | None:  # noqa: ARG002
        """Let through what is sealed."""
        if value is None:
            return None
        if isinstance(value, Sealed):
            return value.data
        raise CellError(
            "a statement knows no row to seal a value for: write it through the ORM's unit of work,"
            " or seal it with `seal_values` first"
        )

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:  # noqa: ARG002
        """Return the cell, which does not know its row here."""
        if value is None:
            return None
        # SQLite stores numbers and texts in any column: a cell that does not open, like others.
        return Sealed(bytes(value) if isinstance(value, bytes | bytearray | memoryview) else b"")

    def result_processor(self, dialect: Dialect, coltype: Any) -> Callable[[Any], Any]:  # noqa: ARG002
        """Return `process_result_value`, without LargeBinary's own, which fails for other types."""
        return lambda value: self.process_result_value(value, dialect)

    def with_variant(self, *_: Any, **__: Any) -> NoReturn:
        """Refuse: the variant would be read and written in place of this, unsealed."""
        raise CellError("an encrypted column has no variants: they would hold plaintext")

    def process_literal_param(self, value: Any, dialect: Dialect) -> NoReturn:  # noqa: ARG002
        """Refuse: logs have statements."""
        raise CellError("a cell is never written into the text of a statement")

    def coerce_compared_value(self, op: Any, value: Any) -> Any:  # noqa: ARG002
        """Return this type: nothing else is compared with it."""
        return self

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class EncryptedString(Encrypted[str]):
    """A `str`, sealed as its UTF-8."""

    @property
    def python_type(self) -> type[Any]:
        """`str`."""
        return str

    def encode(self, value: str) -> bytes:
        """Return its UTF-8."""
        if not isinstance(value, str):
            raise TypeError(f"expected str, not {type(value).__name__}")
        return value.encode()

    def decode(self, data: bytes) -> str:
        """Return the text."""
        return data.decode()


class EncryptedBytes(Encrypted[bytes]):
    """`bytes`."""

    @property
    def python_type(self) -> type[Any]:
        """`bytes`."""
        return bytes

    def encode(self, value: bytes) -> bytes:
        """Return them, whatever kind of buffer they are in."""
        if not isinstance(value, bytes | bytearray | memoryview):
            raise TypeError(f"expected bytes, not {type(value).__name__}")
        return bytes(value)

    def decode(self, data: bytes) -> bytes:
        """Return them."""
        return data


class EncryptedJSON(Encrypted[Any]):
    """What `json` writes; `None` is NULL.

    A change inside a list or a dictionary goes unnoticed, as with SQLAlchemy's own JSON: assign
    another one, or use `MutableDict.as_mutable(EncryptedJSON(...))`.
    """

    @property
    def python_type(self) -> type[Any]:
        """Whatever JSON has."""
        return object

    def encode(self, value: Any) -> bytes:
        """Return its JSON, as short as it is strict."""
        return json.dumps(
            value, ensure_ascii=False, allow_nan=False, separators=(",", ":")
        ).encode()

    def decode(self, data: bytes) -> Any:
        """Return what the JSON says."""
        return json.loads(data)
