"""Envelopes under a key that a KMS or an HSM keeps: what talks to it is a `KeyProvider`.

    class MyKMS:
        def wrap(self, data_key: bytes) -> tuple[str, bytes]: ...
        def unwrap(self, key_id: str, blob: bytes) -> bytes: ...

    sealed = kms.seal(provider, b"...", context=("reports", "2024"))
    kms.open(provider, sealed, context=("reports", "2024"))

Each of these asks the provider once. Where that is too often, ask for a data key per tenant
(`new_data_key`), and seal with it as often as need be. Where the provider has to be awaited, take
the two steps yourself: `donjon.inspect_envelope` says what to have unwrapped, and
`donjon.Envelope.from_external` takes what was.

`unwrap` is given the id and the blob that whoever wrote the envelope chose. It refuses ids that are
not its own: a KMS that unwraps for anybody's key would let them choose the data key as well.
"""

from __future__ import annotations

from donjon.envelope import (
    ENVELOPE_PREFIX_MAX,
    Context,
    DataKey,
    Envelope,
    KeyProvider,
    generate_external_key,
    inspect_envelope,
)
from donjon.errors import DecryptFailed

__all__ = [
    "KeyProvider",
    "envelope_of",
    "new_data_key",
    "new_envelope",
    "open",
    "open_data_key",
    "rewrap",
    "rewrap_data_key",
    "seal",
]


def seal(provider: KeyProvider, plaintext: bytes, *, context: Context) -> bytes:
    """Seal `plaintext` under a data key of its own."""
    return new_envelope(provider).seal(plaintext, context=context)


def open(provider: KeyProvider, envelope: bytes, *, context: Context) -> bytes:  # noqa: A001
    """Open what `seal` made. What the provider raises comes through."""
    return envelope_of(provider, envelope).open(envelope, context=context)


def rewrap(provider: KeyProvider, envelope: bytes, *, to: KeyProvider | None = None) -> bytes:
    """Return the envelope with its data key wrapped anew, by `to` if that is given.

    The payload stays as it is.
    """
    opening, data_key = _unwrapped(provider, envelope)
    return opening.rewrap(envelope, to=_wrapped(to or provider, data_key))


def rewrap_data_key(
    provider: KeyProvider, wrapped: bytes, scope: str | bytes, *, to: KeyProvider | None = None
) -> bytes:
    """Return what to store of the data key instead, wrapped anew, by `to` if that is given."""
    opening = envelope_of(provider, wrapped)
    return opening.rewrap_data_key(wrapped, scope, to=new_envelope(to or provider))


def new_data_key(provider: KeyProvider, scope: str | bytes) -> tuple[DataKey, bytes]:
    """Return a new data key for `scope`, and what to store of it."""
    return new_envelope(provider).new_data_key(scope)


def open_data_key(provider: KeyProvider, wrapped: bytes, scope: str | bytes) -> DataKey:
    """Return the data key of which `wrapped` was stored for `scope`."""
    return envelope_of(provider, wrapped).open_data_key(wrapped, scope)


def new_envelope(provider: KeyProvider) -> Envelope:
    """Return what seals under a new data key that the provider has wrapped: `seal`'s first step.

    Whatever it seals is under that one data key: files or streams that belong together.
    """
    return _wrapped(provider, generate_external_key())


def envelope_of(provider: KeyProvider, prefix: bytes) -> Envelope:
    """Return what opens the envelope that begins with `prefix`: `open`'s first step.

    The first `ENVELOPE_PREFIX_MAX` bytes are enough, so this is for files and streams too. One that
    no provider wrapped is a `DecryptFailed`, and the provider is not asked.
    """
    return _unwrapped(provider, prefix)[0]


def _wrapped(provider: KeyProvider, data_key: bytes) -> Envelope:
    key_id, blob = provider.wrap(data_key)
    return Envelope.from_external(data_key, key_id=key_id, wrapped_key=blob)


def _unwrapped(provider: KeyProvider, prefix: bytes) -> tuple[Envelope, bytes]:
    found = inspect_envelope(prefix[:ENVELOPE_PREFIX_MAX])
    if found.wrapped_key is None:
        raise DecryptFailed
    data_key = provider.unwrap(found.key_id, found.wrapped_key)
    opening = Envelope.from_external(data_key, key_id=found.key_id, wrapped_key=found.wrapped_key)
    return opening, data_key
