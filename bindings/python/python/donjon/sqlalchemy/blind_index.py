"""Equality search in an encrypted column: `BlindIndex`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NoReturn

from sqlalchemy import Column, ColumnElement, Dialect, LargeBinary
from sqlalchemy.types import TypeDecorator

import donjon
from donjon import Keyring
from donjon.sqlalchemy.part import scope_of
from donjon.sqlalchemy.sealed import CellError

# Indexes by tenant that are kept, each with its derived keys.
_TENANTS = 1024

Normalise = Callable[[Any], str | bytes]


def _as_is(value: Any) -> str | bytes:
    if not isinstance(value, str | bytes):
        raise CellError(f"give `normalise`, which makes text or bytes of {type(value).__name__}")
    return value


class _Matching(TypeDecorator.Comparator[bytes]):
    """Adds `matches`."""

    def matches(self, value: Any, *, tenant: Any = None) -> ColumnElement[bool]:
        """Return the condition that the source is `value`, under any key that is in use.

        Another value may match by chance: compare what was opened.
        """
        index: BlindIndex = self.type  # type: ignore[assignment]
        column: Any = next(iter(self.expr.base_columns))
        return self.expr.in_(index.bound_to(column).candidates(value, tenant))


class BlindIndex(TypeDecorator[bytes]):
    """A column of keyed hashes of the encrypted column `of`, to look values up by.

        email: Mapped[str] = mapped_column(EncryptedString(envelope))
        email_index: Mapped[bytes] = mapped_column(
            BlindIndex(keyring, of="email", normalise=str.casefold), index=True
        )
        select(User).where(User.email_index.matches("ann@example.com"))

    The ORM writes it whenever it writes `of`, and nothing else needs to. `normalise` says which
    values are equal. With `tenant`, the attribute that says whose row it is, equal values of two
    tenants have different hashes, and `matches` wants to know whose. `table` and `column` are what
    a renamed table or column was called when the first row was written.

    Whoever reads the database sees which rows are equal, and how often each value occurs: for a
    column of few values, a status or a country, that is as good as the values. Fewer `bits` blur
    it: among n other values, n / 2**bits match by chance. So a unique constraint wants 256 of them,
    and holds among rows that were written under one key, not across its rotation.
    """

    impl = LargeBinary
    cache_ok = True
    comparator_factory = _Matching

    def __init__(
        self,
        keyring: Keyring,
        *,
        of: str,
        bits: int = 32,
        normalise: Normalise = _as_is,
        tenant: str | None = None,
        table: str | None = None,
        column: str | None = None,
    ) -> None:
        super().__init__()
        self._of, self._tenant, self._normalise = of, tenant, normalise
        self._table, self._column = table, column or of

        @lru_cache(_TENANTS)
        def index(table: str, tenant: str) -> donjon.BlindIndex:
            return donjon.BlindIndex(
                keyring, table=table, column=self._column, tenant=tenant, bits=bits
            )

        self._index = index
        # Now, and not at the first row: a keyring without a key for it is an error of start-up.
        index(table or "", "")

    def bound_to(self, column: Column[Any]) -> Index:
        """Return the index of one column of a table."""
        return Index(f"{column.table.fullname}.{column.name}", self, column.table.fullname)

    def process_bind_param(self, value: Any, _: Dialect) -> bytes | None:
        """Let through what was computed."""
        if value is None or isinstance(value, bytes):
            return value
        raise CellError("a blind index is compared by `matches`, and written by the ORM")

    def process_literal_param(self, _: Any, dialect: Dialect) -> str:  # noqa: ARG002
        """Refuse: logs have statements."""
        raise CellError("a blind index is never written into the text of a statement")

    def with_variant(self, *_: Any, **__: Any) -> NoReturn:
        """Refuse: the variant would be read and written in place of this."""
        raise CellError("a blind index has no variants")

    def __repr__(self) -> str:
        return "BlindIndex()"


@dataclass(frozen=True)
class Index:
    """One column that indexes an encrypted one."""

    name: str
    type: BlindIndex
    table: str

    @property
    def of(self) -> str:
        """The encrypted column."""
        return self.type._of

    @property
    def tenant(self) -> str | None:
        """The column that says whose row it is."""
        return self.type._tenant

    def value(self, value: Any, tenant: Any) -> bytes | None:
        """Return what the column is to hold where the source is `value`."""
        if value is None:
            return None
        return self._keyed(tenant).value(self._normalised(value))

    def candidates(self, value: Any, tenant: Any) -> list[bytes]:
        """Return what the column may hold where the source is `value`."""
        if value is None:
            raise CellError(f"`{self.name}` of NULL is NULL: ask with `is_(None)`")
        return self._keyed(tenant).candidates(self._normalised(value))

    def _keyed(self, tenant: Any) -> donjon.BlindIndex:
        if (tenant is None) != (self.tenant is None):
            raise CellError(f"`{self.name}` is " + ("by tenant" if self.tenant else "of no tenant"))
        name = "" if tenant is None else scope_of(tenant)
        return self.type._index(self.type._table or self.table, name)

    def _normalised(self, value: Any) -> bytes:
        normal = self.type._normalise(value)
        return normal.encode() if isinstance(normal, str) else normal
