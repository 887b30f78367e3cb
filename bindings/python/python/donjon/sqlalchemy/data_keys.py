"""Data keys in a table, one per tenant or subject: `DataKeys`."""

from __future__ import annotations

import json
import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    LargeBinary,
    MetaData,
    RootTransaction,
    String,
    Table,
    Text,
    delete,
    insert,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

import donjon
from donjon import DataKey, Envelope, Erasure, Keyring
from donjon.sqlalchemy.keys import Connect
from donjon.sqlalchemy.part import scope_of
from donjon.sqlalchemy.rotation import Progress, Rotation, rewrap_column
from donjon.sqlalchemy.sealed import DataKeyMissing

_CACHED = 1024
_MAX_AGE_S = 300.0


class DataKeys:
    """The data keys of tenants or subjects, each wrapped by `envelope` and stored in `table`.

        keys = DataKeys(envelope, DataKeys.table(Base.metadata))
        email: Mapped[str] = mapped_column(EncryptedString(keys, scope="tenant_id"))

    A row's key is looked up, and made where there is none, in the transaction that writes the row:
    they are committed together or not at all. Keys that were committed are kept, opened, up to
    `cache` of them and for at most `max_age_s`: so long after `shred` another process may still
    have one. One table wants one `DataKeys` per process.
    """

    def __init__(
        self,
        envelope: Envelope,
        table: Table,
        *,
        cache: int = _CACHED,
        max_age_s: float = _MAX_AGE_S,
    ) -> None:
        self._envelope = envelope
        self._table = table
        self._cache = _Cache(cache, max_age_s)
        # A key that a transaction made is no key before that is committed: it may be rolled back,
        # to a savepoint too, and what was sealed under a remembered one would be lost.
        self._made: WeakKeyDictionary[RootTransaction, set[str]] = WeakKeyDictionary()

    @staticmethod
    def table(metadata: MetaData, name: str = "data_keys") -> Table:
        """Return a table for data keys: the wrapped key of each scope, and who ever wrapped it."""
        return Table(
            name,
            metadata,
            Column("scope", String(255), primary_key=True),
            Column("wrapped", LargeBinary, nullable=False),
            Column("wrapped_by", Text, nullable=False),
        )

    def get(self, connection: Connection, scope: Any) -> DataKey:
        """Return the data key of `scope`, or raise `DataKeyMissing`."""
        return self.opening_key(scope, lambda: connection)

    def get_or_create(self, connection: Connection, scope: Any) -> DataKey:
        """Return the data key of `scope`. Whoever else makes it at once gets the same one."""
        return self.sealing_key(scope, lambda: connection)

    def sealing_key(self, scope: Any, connect: Connect, /) -> DataKey:
        """`get_or_create`, for the encrypted columns."""
        name = scope_of(scope)
        key = self._cache.get(name) or self._stored(connect(), name)
        return key or self._create(connect(), name)

    def opening_key(self, scope: Any, connect: Connect, /) -> DataKey:
        """`get`, for the encrypted columns."""
        name = scope_of(scope)
        key = self._cache.get(name) or self._stored(connect(), name)
        if key is None:
            raise DataKeyMissing(
                "there is no data key for the scope: it was shredded, or never was"
            )
        return key

    def shred(
        self,
        connection: Connection,
        scope: Any,
        *,
        keyring: Keyring,
        backups_expire: int | None = None,
        now: int | None = None,
    ) -> Erasure:
        """Delete the data key of `scope`, and say whether its data is beyond recovery by that.

        It is not as long as a backup has the wrapped key, and `keyring` one of the keys that ever
        wrapped it: `donjon.erasure` has the details. Commit, and delete the subject's rows, or at
        least their blind indexes, which no key hides. A scope without a key is `DataKeyMissing`.
        Where no statement can be made, as of keys derived from a master secret without an end of
        the backups, the error leaves the deletion to be rolled back.
        """
        name = scope_of(scope)
        wrapped_by = self._delete(connection, name)
        self._cache.bar(name)
        if wrapped_by is None:
            raise DataKeyMissing(
                "there is no data key for the scope: it was shredded, or never was"
            )
        ids: Sequence[str] = json.loads(wrapped_by)
        return donjon.erasure(keyring, ids, backups_expire=backups_expire, now=now)

    def forget(self) -> None:
        """Drop the keys that are kept, as if their time was over."""
        self._cache.clear()

    def rewrap(
        self,
        bind: Engine | Connection,
        *,
        to: Envelope | None = None,
        batch: int = 500,
        progress: Progress | None = None,
    ) -> Rotation:
        """Wrap every data key anew, as `rewrap_column` does; no cell is touched."""
        return rewrap_column(
            bind,
            self._table,
            "wrapped",
            self._envelope,
            scope="scope",
            wrapped_by="wrapped_by",
            to=to,
            batch=batch,
            progress=progress,
        )

    def _stored(self, connection: Connection, name: str) -> DataKey | None:
        columns = self._table.c
        found = connection.scalar(select(columns.wrapped).where(columns.scope == name))
        if found is None:
            return None
        key = self._envelope.open_data_key(found, name)
        transaction = connection.get_transaction()
        if transaction is not None and name not in self._made.get(transaction, ()):
            self._cache.put(name, key)
        return key

    def _create(self, connection: Connection, name: str) -> DataKey:
        _, wrapped = self._envelope.new_data_key(name)
        row = {
            "scope": name,
            "wrapped": wrapped,
            "wrapped_by": json.dumps([donjon.inspect_envelope(wrapped).key_id]),
        }
        _insert_if_absent(connection, self._table, row)
        transaction = connection.get_transaction()
        if transaction is not None:
            self._made.setdefault(transaction, set()).add(name)
        key = self._stored(connection, name)
        if key is None:
            raise DataKeyMissing("the data key was shredded while it was made")
        return key

    def _delete(self, connection: Connection, name: str) -> str | None:
        mine, wrapped_by = self._table.c.scope == name, self._table.c.wrapped_by
        deleting = delete(self._table).where(mine)
        # In one step with reading who wrapped it, lest it is being wrapped anew meanwhile.
        if connection.dialect.delete_returning:
            return connection.scalar(deleting.returning(wrapped_by))
        found = connection.scalar(select(wrapped_by).where(mine).with_for_update())
        connection.execute(deleting)
        return found


def _insert_if_absent(connection: Connection, table: Table, row: dict[str, Any]) -> None:
    match connection.dialect.name:
        case "postgresql":
            connection.execute(postgresql.insert(table).values(row).on_conflict_do_nothing())
        case "sqlite":
            connection.execute(sqlite.insert(table).values(row).on_conflict_do_nothing())
        case _:
            try:
                with connection.begin_nested():
                    connection.execute(insert(table).values(row))
            except IntegrityError:
                pass


class _Cache:
    """Opened keys: the most recently used, each for a limited time."""

    def __init__(self, size: int, max_age_s: float) -> None:
        self._size, self._max_age_s = size, max_age_s
        self._entries: OrderedDict[str, tuple[DataKey | None, float]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, name: str) -> DataKey | None:
        with self._lock:
            key, end = self._entries.get(name, (None, 0.0))
            if key is None:
                return None
            if time.monotonic() >= end:
                del self._entries[name]
                return None
            self._entries.move_to_end(name)
            return key

    def put(self, name: str, key: DataKey) -> None:
        """Keep a key, unless its name is barred."""
        with self._lock:
            barred, end = self._entries.get(name, (key, 0.0))
            if barred is not None or time.monotonic() >= end:
                self._keep(name, key)

    def bar(self, name: str) -> None:
        """Forget a key, and keep none of that name for as long as one would be kept."""
        with self._lock:
            self._keep(name, None)

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()

    def _keep(self, name: str, key: DataKey | None) -> None:
        self._entries[name] = (key, time.monotonic() + self._max_age_s)
        self._entries.move_to_end(name)
        while len(self._entries) > self._size:
            self._entries.popitem(last=False)
