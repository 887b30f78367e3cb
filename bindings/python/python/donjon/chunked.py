"""The construction that every payload is made with, by itself: C2SP chunked-encryption.

The instance is Cobblestone-256 (https://c2sp.org/chunked-encryption): AES-256-GCM in chunks of
16 KiB, under a key of 32 random bytes. `context` is any bytes here, and is bound into the keys.
What an `Envelope` adds: the id of the key, rotation, and a context that reads in one way only.
"""

from donjon._donjon import chunked_open as open  # noqa: A004
from donjon._donjon import chunked_seal as seal

__all__ = ["open", "seal"]
