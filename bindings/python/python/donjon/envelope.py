"""Envelopes: data at rest, bound to where it belongs.

    envelope = Envelope(keyring)  # or Envelope.from_passphrase("…")
    sealed = envelope.seal(b"…", context=("reports", "2024", "summary"))
    envelope.open(sealed, context=("reports", "2024", "summary"))
    envelope.seal_file("report.pdf", "report.sealed", context=("reports", "2024", "pdf"))

    key, wrapped = envelope.new_data_key("tenant-7")  # store `wrapped`, once per tenant
    cell = key.seal(b"ann@example.com", context=("users", "email", "7"))
    envelope.open_data_key(wrapped, "tenant-7").open(cell, context=("users", "email", "7"))

The context is not stored: what is moved to another row or column does not open there. An envelope
that does not open is `DecryptFailed`, and no more is told.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO, Literal, Protocol

from donjon import _donjon, _files
from donjon._donjon import (
    ENVELOPE_PREFIX_MAX,
    Decryptor,
    Encryptor,
    Keyring,
    KeySource,
    generate_external_key,
)
from donjon._files import Context, Progress, StrPath
from donjon._reader import SealedReader

__all__ = [
    "ENVELOPE_PREFIX_MAX",
    "Context",
    "DataKey",
    "Decryptor",
    "Encryptor",
    "Envelope",
    "Erasure",
    "Inspection",
    "KeyProvider",
    "Progress",
    "SealedReader",
    "Sealer",
    "erasure",
    "generate_external_key",
    "inspect_envelope",
]


class Sealer(_donjon.Sealer):
    """What seals and opens: an `Envelope` or a `DataKey`. Immutable; share it between threads.

    A context is a list or tuple of `str` and `bytes` that says where the data belongs: tenant,
    table, column, row. It has to be given, and may be empty.
    """

    __slots__ = ()

    def seal_file(
        self,
        src: StrPath,
        dst: StrPath,
        *,
        context: Context,
        progress: Progress | None = None,
        threads: int = 1,
    ) -> None:
        """Seal the file at `src` into one at `dst`, in constant memory.

        `dst` is there as a whole or as it was before, whatever happens: it is written under another
        name in its folder, readable by its owner alone, synced to the disk, and renamed. `progress`
        is called with the bytes read and the size of `src`.
        """
        _files.seal_file(self, src, dst, context=context, threads=threads, progress=progress)

    def open_file(
        self,
        src: StrPath,
        dst: StrPath,
        *,
        context: Context,
        progress: Progress | None = None,
        threads: int = 1,
    ) -> None:
        """Open the envelope at `src` into a file at `dst`, as `seal_file` makes one.

        If any of it is not authentic, or it is cut short, there is no `dst`.
        """
        _files.open_file(self, src, dst, context=context, threads=threads, progress=progress)

    def rewrap_file(
        self, path: StrPath, *, to: Sealer | None = None, progress: Progress | None = None
    ) -> None:
        """Put the envelope at `path` under the key that new ones name, or under that of `to`.

        The file is replaced at once, or stays as it was. Its payload is copied as it is; owner and
        mode are kept, access lists are not. A file with several hard links is refused: the other
        names would stay under the old key.
        """
        _files.rewrap_file(self, path, to=to, progress=progress)

    def reader(self, source: StrPath | BinaryIO, *, context: Context) -> SealedReader:
        """Return the envelope at a path, or in a file that can seek, as a file to read."""
        return SealedReader(self, source, context=context)


class DataKey(Sealer):
    """The key of one tenant, subject or table: what it seals, cells, is 96 bytes longer.

    It is stored wrapped, once: `Envelope.new_data_key` gives it and what to store, `open_data_key`
    gives it back. Without what was stored, nothing under it opens.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<DataKey {self.key_id}>"


class Envelope(Sealer):
    """Seals and opens under keys of a keyring, of the purpose `envelope`.

    The primary key seals; an envelope says which key opens it, and no other one is tried.
    """

    __slots__ = ()

    def __new__(cls, keyring: Keyring) -> Envelope:
        """Refuse a keyring without a primary key of the purpose, as a `ConfigError`."""
        return super().__new__(cls, KeySource.keyring(keyring))

    @classmethod
    def from_passphrase(
        cls,
        passphrase: str | bytes,
        *,
        memory_kib: int = 256 * 1024,
        time_cost: int = 3,
        parallelism: int = 1,
    ) -> Envelope:
        """Seal and open under a passphrase, by Argon2id.

        Sealing one envelope costs that much memory and so many passes, and opening it as well: the
        cost is written there, and bounded when it is read.
        """
        source = KeySource.passphrase(passphrase, memory_kib, time_cost, parallelism)
        return super().__new__(cls, source)

    @classmethod
    def from_external(cls, data_key: bytes, *, key_id: str, wrapped_key: bytes) -> Envelope:
        """Seal and open under a data key that a KMS or an HSM has wrapped.

        `key_id` and `wrapped_key` go into every envelope; `inspect_envelope` gives them back, to be
        unwrapped there. `generate_external_key` makes a data key for a service that makes none.
        """
        return super().__new__(cls, KeySource.external(data_key, key_id, wrapped_key))

    def new_data_key(self, scope: str | bytes, *, now: int | None = None) -> tuple[DataKey, bytes]:
        """Return a new data key for `scope`, and what to store of it.

        `scope` is the tenant or the subject: what is stored for one does not open for another.
        """
        source, wrapped = self._make_data_key(scope, now=now)
        return DataKey(source), wrapped

    def open_data_key(
        self, wrapped: bytes, scope: str | bytes, *, now: int | None = None
    ) -> DataKey:
        """Return the data key of which `wrapped` was stored for `scope`."""
        return DataKey(self._unwrap_data_key(wrapped, scope, now=now))

    def __repr__(self) -> str:
        return f"<Envelope {self.key_id}>"


class KeyProvider(Protocol):
    """A KMS or an HSM: it keeps a key that never leaves it, and wraps data keys under that."""

    def wrap(self, data_key: bytes) -> tuple[str, bytes]:
        """Return the id of the key that wraps, and the wrapped data key."""

    def unwrap(self, key_id: str, blob: bytes) -> bytes:
        """Return the data key that was wrapped."""


@dataclass(frozen=True, slots=True)
class Inspection:
    """What an envelope says of itself. None of it is authentic before the envelope is opened."""

    kind: Literal["self-contained", "data-key", "cell", "passphrase", "external"]
    key_id: str
    """Of the key that wraps its data key, or of a cell's data key; empty for a passphrase."""
    header_len: int
    wrapped_key: bytes | None
    """For `KeyProvider.unwrap`, if the envelope is `external`."""
    memory_kib: int | None
    time_cost: int | None
    parallelism: int | None


def inspect_envelope(prefix: bytes) -> Inspection:
    """Return what an envelope says of itself; its first `ENVELOPE_PREFIX_MAX` bytes are enough."""
    found = _donjon.envelope_inspect(prefix)
    wrapped_key = found.pop("wrapped_key")
    if wrapped_key is not None:
        wrapped_key = base64.urlsafe_b64decode(wrapped_key + "==")
    return Inspection(wrapped_key=wrapped_key, **found)


@dataclass(frozen=True, slots=True)
class Erasure:
    """Whether what was sealed under a data key is gone for good."""

    erased: bool
    by: Literal["keys_destroyed", "backups_expired"] | None
    """What did it."""
    alive: tuple[str, ...]
    """The keys that could still unwrap the data key, out of a backup that holds it."""
    backups_expire: int | None
    """When no backup holds it any more, in Unix seconds."""


def erasure(
    keyring: Keyring,
    key_ids: Sequence[str],
    *,
    backups_expire: int | None = None,
    now: int | None = None,
) -> Erasure:
    """Say whether a data key is gone, now that what was stored of it is deleted.

    `key_ids` are those of all keys that ever wrapped it. Either all of them are destroyed, once
    what else they wrapped has been re-wrapped, or `backups_expire` has passed: until when backups
    that hold the wrapped data key are kept. A key that is derived from a master secret cannot be
    destroyed, so for such a one the end of the backups has to be known.
    """
    found = _donjon.erasure(keyring, list(key_ids), backups_expire=backups_expire, now=now)
    return Erasure(
        erased=found["erased"],
        by=found["by"],
        alive=tuple(found["alive"]),
        backups_expire=found["backups_expire_s"],
    )
