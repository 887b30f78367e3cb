"""The tables of these tests."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import ForeignKey, Sequence
from sqlalchemy.ext.mutable import MutableDict
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

import donjon
from donjon import Envelope
from donjon.sqlalchemy import (
    BlindIndex,
    DataKeys,
    EncryptedBytes,
    EncryptedJSON,
    EncryptedString,
)

KEYRING = donjon.Keyring.generate(purposes=["envelope", "blind-index"])
ENVELOPE = Envelope(KEYRING)


class Base(DeclarativeBase):
    """All tables."""


KEYS = DataKeys(ENVELOPE, DataKeys.table(Base.metadata))


class User(Base):
    """Bound to its primary key, a UUID that the client makes."""

    __tablename__ = "users"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    name: Mapped[str | None]
    email: Mapped[str | None] = mapped_column(EncryptedString(ENVELOPE))
    email_index: Mapped[bytes | None] = mapped_column(
        BlindIndex(KEYRING, of="email", normalise=str.casefold), index=True
    )
    phone: Mapped[str | None] = mapped_column(EncryptedString(ENVELOPE))
    photo: Mapped[bytes | None] = mapped_column(EncryptedBytes(ENVELOPE), deferred=True)
    settings: Mapped[dict[str, Any] | None] = mapped_column(
        MutableDict.as_mutable(EncryptedJSON(ENVELOPE))
    )


class Tenant(Base):
    """Whose notes they are."""

    __tablename__ = "tenants"

    id: Mapped[int] = mapped_column(primary_key=True)
    notes: Mapped[list[Note]] = relationship(back_populates="tenant")


class Note(Base):
    """Counted by the database, bound to a public id, sealed with its tenant's data key."""

    __tablename__ = "notes"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[uuid.UUID] = mapped_column(default=uuid.uuid4, unique=True)
    tenant_id: Mapped[int] = mapped_column(ForeignKey("tenants.id"))
    text: Mapped[str | None] = mapped_column(
        EncryptedString(KEYS, row="public_id", scope="tenant_id")
    )
    text_index: Mapped[bytes | None] = mapped_column(
        BlindIndex(KEYRING, of="text", tenant="tenant_id")
    )
    tenant: Mapped[Tenant] = relationship(back_populates="notes")


class Numbered(Base):
    """Bound to a primary key of a sequence, where the database has such."""

    __tablename__ = "numbered"

    id: Mapped[int] = mapped_column(Sequence("numbered_id"), primary_key=True)
    secret: Mapped[str | None] = mapped_column(EncryptedString(ENVELOPE))


class Counted(Base):
    """Bound to a primary key that the database counts: it cannot be written."""

    __tablename__ = "counted"

    id: Mapped[int] = mapped_column(primary_key=True)
    secret: Mapped[str | None] = mapped_column(EncryptedString(ENVELOPE))
