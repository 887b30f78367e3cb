"""Telephone numbers, in a database that cannot read them.

Each person has a data key, each cell is bound to its row, and a blind index finds whose a number
is. Whoever has the database alone has names, lengths, and which rows are equal.
"""

from __future__ import annotations

import os
from tempfile import TemporaryDirectory

from donjon import Envelope, Erasure, Keyring, Sealer
from donjon.sqlalchemy import BlindIndex, DataKeys, EncryptedString
from donjon.sqlalchemy.keys import Connect
from sqlalchemy import create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from keyrings import read_keyring

# Without a database to use there is one for as long as this process runs.
_SCRATCH = TemporaryDirectory(prefix="donjon-demo-")
URL = os.environ.get("DEMO_DATABASE", f"sqlite:///{_SCRATCH.name}/contacts.db")


class NoSuchContact(Exception):
    """Nobody of this name has left a number."""


class Base(DeclarativeBase):
    """The tables."""


class Keys:
    """Everybody's data keys, under the keyring in force, which may be replaced."""

    _table = DataKeys.table(Base.metadata)

    def __init__(self, keyring: Keyring) -> None:
        self.use(keyring)

    def use(self, keyring: Keyring) -> None:
        """Wrap and unwrap with the keys of this keyring from now on."""
        self.keyring = keyring
        self.stored = DataKeys(Envelope(keyring), self._table)

    def sealing_key(self, scope: str, connect: Connect) -> Sealer:
        """Return somebody's key, and make it if there is none."""
        return self.stored.sealing_key(scope, connect)

    def opening_key(self, scope: str, connect: Connect) -> Sealer:
        """Return somebody's key."""
        return self.stored.opening_key(scope, connect)


def digits(phone: str) -> str:
    """Make numbers alike that are the same, however they are written."""
    return "".join(filter(str.isdigit, phone))


keys = Keys(read_keyring())


class Contact(Base):
    """Somebody's number."""

    __tablename__ = "contacts"

    name: Mapped[str] = mapped_column(primary_key=True)
    phone: Mapped[str] = mapped_column(EncryptedString(keys, scope="name"))
    phone_index: Mapped[bytes] = mapped_column(
        BlindIndex(keys.keyring, of="phone", normalise=digits), index=True
    )


class Contacts:
    """The numbers that people left."""

    def __init__(self) -> None:
        self._engine = create_engine(URL)
        Base.metadata.create_all(self._engine)

    def put(self, name: str, phone: str) -> None:
        """Store somebody's number."""
        with Session(self._engine) as session:
            session.merge(Contact(name=name, phone=phone))
            session.commit()

    def phone(self, name: str) -> str:
        """Return somebody's number, if it is in its place."""
        with Session(self._engine) as session:
            found = session.get(Contact, name)
            if found is None:
                raise NoSuchContact
            return found.phone

    def find(self, phone: str) -> list[str]:
        """Return whose number this is: what the index finds, opened and compared."""
        with Session(self._engine) as session:
            found = session.scalars(select(Contact).where(Contact.phone_index.matches(phone)))
            return [one.name for one in found if digits(one.phone) == digits(phone)]

    def erase(self, name: str) -> Erasure:
        """Delete somebody's row and shred their key; say whether that is the end of it."""
        with Session(self._engine) as session:
            found = session.get(Contact, name)
            if found is None:
                raise NoSuchContact
            session.delete(found)
            erasure = keys.stored.shred(session.connection(), name, keyring=keys.keyring)
            session.commit()
        return erasure

    def replace_keyring(self) -> int:
        """Read the keyring again, and wrap every data key by its primary key."""
        keys.use(read_keyring())
        return keys.stored.rewrap(self._engine).rewrapped
