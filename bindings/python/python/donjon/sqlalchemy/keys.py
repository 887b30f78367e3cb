"""Where the key of a cell comes from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from sqlalchemy import Connection

from donjon import Sealer
from donjon.sqlalchemy.sealed import CellError

Connect = Callable[[], Connection]


class ScopedKeys(Protocol):
    """A key for each scope, looked up in the transaction of the row: `DataKeys`."""

    def sealing_key(self, scope: Any, connect: Connect, /) -> Sealer:
        """Return the key for new cells of `scope`, and make it if there is none."""

    def opening_key(self, scope: Any, connect: Connect, /) -> Sealer:
        """Return the key of the cells of `scope`, or raise `DataKeyMissing`."""


KeySource = Sealer | Callable[[Any], Sealer] | ScopedKeys


class _Called:
    """Keys that the host looks up itself, by the value of the scope's column."""

    def __init__(self, call: Callable[[Any], Sealer]) -> None:
        self._call = call

    def sealing_key(self, scope: Any, connect: Connect, /) -> Sealer:  # noqa: ARG002
        return self._call(scope)

    opening_key = sealing_key


class _Always(_Called):
    """One key for all."""

    def __init__(self, key: Sealer) -> None:
        super().__init__(lambda _: key)


def scoped_keys(source: KeySource, scope: str | None) -> ScopedKeys:
    """Return `source` as keys by scope; a source of many keys needs a column that says which."""
    if isinstance(source, Sealer):
        return _Always(source)
    if scope is None:
        raise CellError("keys that differ by row need `scope`, the column that says whose they are")
    if callable(source):
        return _Called(source)
    return source
