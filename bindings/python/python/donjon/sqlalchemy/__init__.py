"""SQLAlchemy: encrypted columns, each cell bound to its table, its column and its row.

    envelope = Envelope(keyring)

    class User(Base):
        __tablename__ = "users"
        id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
        email: Mapped[str] = mapped_column(EncryptedString(envelope))
        email_index: Mapped[bytes] = mapped_column(BlindIndex(keyring, of="email"), index=True)

    session.add(User(email="ann@example.com"))
    session.commit()
    session.scalars(select(User).where(User.email_index.matches("ann@example.com"))).one()

An object has plaintext, the database has cells. A cell that was moved to another row, column or
table is a `DecryptFailed` when it is read. `DataKeys` has a key per tenant or subject, which can be
shredded; `rewrap_column` and `DataKeys.rewrap` change the key-encryption key of a table,
and `reindex_column` the key of a blind index.

A row's key must be known before the insert: a primary key that the database counts is not, so such
tables bind with `row=` to a column that the client fills, such as a UUID.

What goes around the unit of work (Core, `insert(User)`, `update(User)`, columns selected by
themselves) gets and takes `Sealed`: `open_values` and `seal_values` are for that. A session's
`execute` refuses statements that have the database write a cell (an SQL expression, a SELECT),
that change what a cell is bound to, or that write it into a row that it was not sealed for (an
upsert by another key). Past it nothing does: texts of SQL, CTEs that write, and a connection's own
`execute` store what an expression computes, plaintext too; they and `bulk_update_mappings` leave
cells behind that do not open until the change is undone.

`SqlRecords` and `AsyncSqlRecords` keep sessions and revocations in a table, for services that have
a database and no Redis.
"""

from donjon.sqlalchemy import mapping as _mapping  # noqa: F401  it listens
from donjon.sqlalchemy.blind_index import BlindIndex
from donjon.sqlalchemy.columns import EncryptedBytes, EncryptedJSON, EncryptedString
from donjon.sqlalchemy.data_keys import DataKeys
from donjon.sqlalchemy.migration import migrate_column
from donjon.sqlalchemy.records import AsyncSqlRecords, SqlRecords
from donjon.sqlalchemy.reindex import reindex_column
from donjon.sqlalchemy.rotation import Rotation, RotationIncomplete, rewrap_column
from donjon.sqlalchemy.sealed import CellError, DataKeyMissing, Sealed
from donjon.sqlalchemy.values import open_values, seal_values

__all__ = [
    "AsyncSqlRecords",
    "BlindIndex",
    "CellError",
    "DataKeyMissing",
    "DataKeys",
    "EncryptedBytes",
    "EncryptedJSON",
    "EncryptedString",
    "Rotation",
    "RotationIncomplete",
    "Sealed",
    "SqlRecords",
    "migrate_column",
    "open_values",
    "reindex_column",
    "rewrap_column",
    "seal_values",
]
