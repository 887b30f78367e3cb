"""What a bound column's value is in a context."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import Integer, Uuid
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.types import TypeDecorator, TypeEngine

from donjon.sqlalchemy.sealed import CellError


def as_stored(value: Any, type_: TypeEngine[Any]) -> Any:
    """Return a value as a column of `type_` gives it back: it takes texts of numbers and UUIDs."""
    if isinstance(type_, TypeDecorator):
        # The host's own: what it makes of a value on the way in, and of that on the way out.
        dialect = DefaultDialect()
        for process in (type_.bind_processor(dialect), type_.result_processor(dialect, None)):
            value = value if process is None or value is None else process(value)
        return value
    if isinstance(value, str):
        if isinstance(type_, Uuid):
            return uuid.UUID(value)
        if isinstance(type_, Integer):
            return int(value)
    return value


def part_of(value: Any) -> bytes:
    """Return a value of a bound column as a part of a context, the same in every language.

    An integer is its decimal digits, text its UTF-8, a UUID its canonical text.
    """
    if isinstance(value, bytes):
        return value
    return scope_of(value).encode()


def scope_of(value: Any) -> str:
    """Return the name of a tenant or subject: as `part_of`, but always text."""
    if isinstance(value, str):
        # The value, and not what an enumeration says of itself.
        return str.__str__(value)
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return format(int(value), "d")
    raise CellError(f"a cell is bound to int, str, bytes or UUID, not to {type(value).__name__}")
