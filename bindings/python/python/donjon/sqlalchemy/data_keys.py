"""Data keys in a table, one per tenant or subject: `DataKeys`."""

from __future__ import annotations

import json
import threading
import time
from collections import OrderedDict
from functools import partial
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    LargeBinary,
    MetaData,
    Pool,
    RootTransaction,
    String,
    Table,
    Text,
    Transaction,
    delete,
    insert,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from donjon import DataKey, Envelope, Erasure, Keyring
from donjon.sqlalchemy.keys import Connect
from donjon.sqlalchemy.part import scope_of
from donjon.sqlalchemy.rotation import Progress, Rotation, rewrap_column
from donjon.sqlalchemy.sealed import DataKeyMissing
from donjon.sqlalchemy.wrapped_by import erasure_of, key_id

_CACHED = 1024
_MAX_AGE_S = 300.0


class DataKeys:
    """The data keys of tenants or subjects, each wrapped by `envelope` and stored in `table`.

        keys = DataKeys(envelope, DataKeys.table(Base.metadata))
        email: Mapped[str] = mapped_column(EncryptedString(keys, scope="tenant_id"))

    A row's key is looked up, and made where there is none, in the transaction that writes the row:
    they are committed together or not at all. Keys that were committed are kept, opened, up to
    `cache` of them and for at most `max_age_s` since they were read: so long after `shred`, and
    after the end of transactions that began before it, another process may still open cells. It
    writes none: before a transaction seals its first cell of a scope, the row of the key is looked
    up, and where the database can, held until the transaction ends (`FOR KEY SHARE` in PostgreSQL,
    for which writers need the right to UPDATE the table), so that a `shred` waits.

    One table wants one `DataKeys` per process, and holds the keys of one kind of subject: scopes
    are texts, so user 7 and tenant 7 of one table would have one key, and be shredded together.
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
        # By database: scopes of two, shards or a test's, have the same names and other keys.
        self._caches: WeakKeyDictionary[Pool, dict[str | None, _Cache]] = WeakKeyDictionary()
        self._new_cache = partial(_Cache, cache, max_age_s)
        # A key that a transaction made is no key before that is committed: it may be rolled back,
        # to a savepoint too, and what was sealed under a remembered one would be lost.
        self._made: WeakKeyDictionary[RootTransaction, set[str]] = WeakKeyDictionary()
        # By savepoint: the database lets go of a row that it held when that is rolled back.
        self._held: WeakKeyDictionary[Transaction, set[str]] = WeakKeyDictionary()

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
        name, connection = scope_of(scope), connect()
        kept, transaction = self._cache(connection).get(name), _innermost(connection)
        if kept and transaction is not None and name in self._held.get(transaction, ()):
            return kept.key
        return self._stored(connection, name, hold=True) or self._create(connection, name)

    def opening_key(self, scope: Any, connect: Connect, /) -> DataKey:
        """`get`, for the encrypted columns."""
        name, connection = scope_of(scope), connect()
        kept = self._cache(connection).get(name)
        key = kept.key if kept else self._stored(connection, name)
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

        Keys that `keyring` does not know, a KMS's or a passphrase, count as `alive`, and so does
        what is not known at all where the row says no more who wrapped it: then only the end of
        the backups erases. It goes by the row, and whoever may write to the table may have cut the
        list of those who wrapped it; the key that it was last under is always judged.

        Where no statement can be made, as of keys derived from a master secret without an end of
        the backups, it raises: a transaction that is rolled back by that has deleted nothing.
        """
        name = scope_of(scope)
        deleted = self._delete(connection, name)
        self._cache(connection).bar(name)
        if deleted is None:
            raise DataKeyMissing(
                "there is no data key for the scope: it was shredded, or never was"
            )
        return erasure_of(
            keyring, deleted.wrapped, deleted.wrapped_by, backups_expire=backups_expire, now=now
        )

    def forget(self) -> None:
        """Drop the keys that are kept, as if their time was over."""
        self._caches.clear()

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

    def _cache(self, connection: Connection) -> _Cache:
        """Return the keys that are kept of the table as this connection sees it."""
        schemas = connection.get_execution_options().get("schema_translate_map") or {}
        schema = schemas.get(self._table.schema, self._table.schema)
        caches = self._caches.setdefault(connection.engine.pool, {})
        return caches.get(schema) or caches.setdefault(schema, self._new_cache())

    def _stored(self, connection: Connection, name: str, *, hold: bool = False) -> DataKey | None:
        columns = self._table.c
        looking = select(columns.wrapped).where(columns.scope == name)
        if hold:
            looking = looking.with_for_update(read=True, key_share=True)
        wrapped = connection.scalar(looking)
        if wrapped is None:
            return None
        cache = self._cache(connection)
        kept = cache.get(name)
        if kept is None or kept.wrapped != wrapped:
            kept = _Kept(self._envelope.open_data_key(wrapped, name), wrapped)
        root, innermost = connection.get_transaction(), _innermost(connection)
        if root is not None and innermost is not None and name not in self._made.get(root, ()):
            cache.put(name, kept)
            if hold:
                self._held.setdefault(innermost, set()).add(name)
        return kept.key

    def _create(self, connection: Connection, name: str) -> DataKey:
        _, wrapped = self._envelope.new_data_key(name)
        row = {
            "scope": name,
            "wrapped": wrapped,
            "wrapped_by": json.dumps([key_id(wrapped)]),
        }
        _insert_if_absent(connection, self._table, row)
        transaction = connection.get_transaction()
        if transaction is not None:
            self._made.setdefault(transaction, set()).add(name)
        key = self._stored(connection, name, hold=True)
        if key is None:
            raise DataKeyMissing("the data key was shredded while it was made")
        return key

    def _delete(self, connection: Connection, name: str) -> Any:
        """Return the row that was deleted, if there was one."""
        columns = self._table.c
        mine, row = columns.scope == name, (columns.wrapped, columns.wrapped_by)
        deleting = delete(self._table).where(mine)
        # In one step with reading who wrapped it, lest it is being wrapped anew meanwhile.
        if connection.dialect.delete_returning:
            return connection.execute(deleting.returning(*row)).one_or_none()
        found = connection.execute(select(*row).where(mine).with_for_update()).one_or_none()
        connection.execute(deleting)
        return found


def _innermost(connection: Connection) -> Transaction | None:
    return connection.get_nested_transaction() or connection.get_transaction()


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


class _Kept(NamedTuple):
    """An opened key, and what the table had when it was opened."""

    key: DataKey
    wrapped: bytes


class _Cache:
    """Opened keys: the most recently used, each for a limited time."""

    def __init__(self, size: int, max_age_s: float) -> None:
        self._size, self._max_age_s = size, max_age_s
        self._entries: OrderedDict[str, tuple[_Kept | None, float]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, name: str) -> _Kept | None:
        with self._lock:
            key, end = self._entries.get(name, (None, 0.0))
            if key is None:
                return None
            if time.monotonic() >= end:
                del self._entries[name]
                return None
            self._entries.move_to_end(name)
            return key

    def put(self, name: str, key: _Kept) -> None:
        """Keep a key, unless its name is barred."""
        with self._lock:
            barred, end = self._entries.get(name, (key, 0.0))
            if barred is not None or time.monotonic() >= end:
                self._keep(name, key)

    def bar(self, name: str) -> None:
        """Forget a key, and keep none of that name for as long as one would be kept."""
        with self._lock:
            self._keep(name, None)

    def _keep(self, name: str, key: _Kept | None) -> None:
        self._entries[name] = (key, time.monotonic() + self._max_age_s)
        self._entries.move_to_end(name)
        while len(self._entries) > self._size:
            self._entries.popitem(last=False)
