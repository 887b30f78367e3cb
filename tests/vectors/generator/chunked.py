"""The bare construction (c2sp.org/chunked-encryption, Cobblestone-256; ATTACKS.md 35 and 36)."""

from __future__ import annotations

from collections.abc import Iterator

from . import cobblestone, collision
from .cobblestone import CHUNK, COMMITMENT, HEADER, SALT, SEALED_CHUNK, TAG
from .keys import stream
from .suite import Suite, refusal

KEY = stream("chunked key", 32)
CONTEXT = b"chunked context"
REFUSED = "decrypt_failed"


def text(length: int) -> bytes:
    """A plaintext of this length, in which no two chunks are the same."""
    return b"".join(b"%07d " % at for at in range(0, length, 8))[:length]


def suites() -> Iterator[Suite]:
    suite = Suite("chunked", "Messages of Cobblestone-256, whole and in every way not whole.", "c2sp.org/chunked-encryption; ATTACKS.md 35 and 36")
    sizes(suite)
    inputs(suite)
    small(suite)
    structure(suite)
    commitment(suite)
    yield suite


def opens(suite: Suite, name: str, message: bytes, plaintext: bytes | None, *, key: bytes = KEY, context: bytes = CONTEXT, error: str = REFUSED, attack: int | None = 35) -> None:
    """A `chunked_open`; without a plaintext it is refused, which the reference must agree with."""
    if len(key) == cobblestone.KEY:
        assert cobblestone.open_(key, context, message) == plaintext, name
    request = {"op": "chunked_open", "key_hex": key.hex(), "context_hex": context.hex(), "message_hex": message.hex()}
    if plaintext is None:
        suite.add(name, request, refusal(error), attack)
    else:
        suite.add(name, request, {"ok": True, "plaintext_hex": plaintext.hex()}, golden=True)


def seals(suite: Suite, name: str, plaintext: bytes, *, key: bytes = KEY, context: bytes = CONTEXT, salt: bytes | None = None, error: str | None = None) -> bytes:
    """A `chunked_seal`, and the message that it makes."""
    salt = stream(f"chunked salt, {name}", SALT) if salt is None else salt
    request = {"op": "chunked_seal", "key_hex": key.hex(), "context_hex": context.hex(), "salt_hex": salt.hex(), "plaintext_hex": plaintext.hex()}
    message = b"" if error else cobblestone.seal(key, context, salt, plaintext)
    suite.add(f"sealing {name}", request, refusal(error) if error else {"ok": True, "message_hex": message.hex()})
    return message


def sizes(suite: Suite) -> None:
    for length in (0, 1, 15, 16, 17, 64, 255, 1024, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK):
        name = f"{length} bytes"
        message = cobblestone.seal(KEY, CONTEXT, stream(name, SALT), text(length)) if length > CHUNK else seals(suite, name, text(length))
        assert len(message) == HEADER + length + TAG * (length // CHUNK + 1)
        opens(suite, f"opening {name}", message, text(length))


def inputs(suite: Suite) -> None:
    for name, context in {"no context": b"", "a context of one NUL": b"\x00", "a context that is no text": b"\xff\xfe", "a long context": b"c" * 8192}.items():
        opens(suite, f"opening under {name}", seals(suite, f"under {name}", b"bound", context=context), b"bound", context=context)
    for name, key in {"zeros": bytes(32), "ones": b"\xff" * 32}.items():
        opens(suite, f"opening under a key of {name}", seals(suite, f"under a key of {name}", b"keyed", key=key), b"keyed", key=key)
    message = cobblestone.seal(KEY, CONTEXT, stream("key lengths", SALT), b"keyed")
    for length in (0, 1, 16, 31, 33, 64):
        # The specification has one length of key for each AEAD.
        seals(suite, f"under a key of {length} bytes", b"keyed", key=KEY[:length].ljust(length, b"k"), error="invalid_argument")
        opens(suite, f"opening under a key of {length} bytes", message, None, key=KEY[:length].ljust(length, b"k"), error="invalid_argument", attack=None)
    for length in (0, 23):
        seals(suite, f"with a salt of {length} bytes", b"salted", salt=bytes(length), error="entropy_unavailable")


def small(suite: Suite) -> None:
    """A message of 5 bytes: every bit flipped, every length."""
    message = cobblestone.seal(KEY, CONTEXT, stream("small", SALT), b"small")
    for at in range(len(message)):
        for bit in range(8):
            flipped = message[:at] + bytes([message[at] ^ 1 << bit]) + message[at + 1 :]
            opens(suite, f"bit {bit} of byte {at} flipped", flipped, None)
    for length in range(len(message)):
        opens(suite, f"the first {length} bytes of {len(message)}", message[:length], None)
    for more in (b"\x00", b"5", bytes(TAG), message[-TAG:], message):
        opens(suite, f"{len(more)} bytes more, from {more[:1].hex()}", message + more, None)
    opens(suite, "zeros in the place of the tag", message[:-TAG] + bytes(TAG), None)
    opens(suite, "a byte before it", b"\x00" + message, None)
    opens(suite, "another key", message, None, key=stream("another key", 32), attack=34)
    for name, context in {"none": b"", "shorter": CONTEXT[:-1], "longer": CONTEXT + b"\x00", "in upper case": CONTEXT.upper()}.items():
        opens(suite, f"another context: {name}", message, None, context=context, attack=34)


def structure(suite: Suite) -> None:
    """A message of three chunks, cut and put together again."""
    plaintext = text(2 * CHUNK + 5)
    message = cobblestone.seal(KEY, CONTEXT, stream("three chunks", SALT), plaintext)
    head, (first, second, last) = message[:HEADER], cobblestone.chunks_of(message)
    opens(suite, "three chunks", message, plaintext)
    for name, chunks in {
        "chunks 0 and 1 change places": [second, first, last],
        "chunk 0 twice": [first, first, second, last],
        "chunk 0 in the place of chunk 1": [first, first, last],
        "without chunk 0": [second, last],
        "without the last chunk": [first, second],
        "the last chunk alone": [last],
        "the last chunk twice": [first, second, last, last],
        "no chunk": [],
        "a whole chunk only": [first],
    }.items():
        opens(suite, name, head + b"".join(chunks), None)
    # Every bit and every length of this message are tried in tests/envelopes.rs.
    for at in (SALT, HEADER, HEADER + CHUNK, HEADER + SEALED_CHUNK + TAG - 1, len(message) - 1):
        opens(suite, f"three chunks cut at byte {at}", message[:at], None)
    for at in (HEADER, HEADER + 2 * SEALED_CHUNK - 1, len(message) - 1):
        opens(suite, f"three chunks, byte {at} flipped", message[:at] + bytes([message[at] ^ 0x80]) + message[at + 1 :], None)

    # Authentic chunks of lengths that the specification does not have.
    salt = stream("odd chunks", SALT)
    head = salt + cobblestone.derived(KEY, salt, CONTEXT)[2]

    def of(*lengths: int) -> bytes:
        parts = [text(length) for length in lengths]
        return head + b"".join(cobblestone.sealed_chunks(KEY, CONTEXT, salt, parts))

    for name, lengths in {"a last chunk that is whole": (CHUNK,), "a chunk over its length": (CHUNK + 1,), "a chunk of 100 bytes, then another": (100, 5), "an empty chunk, then another": (0, 5), "two empty chunks": (0, 0)}.items():
        opens(suite, f"sealed well, but {name}", of(*lengths), None)
    opens(suite, "chunks numbered from 1", head + cobblestone.sealed_chunks(KEY, CONTEXT, salt, [b"", b"second"])[1], None)


def commitment(suite: Suite) -> None:
    """What AES-GCM alone would open (ATTACKS.md 36): the chunks are good, the commitment is another's."""
    salt = stream("commitment", SALT)
    _, _, good = cobblestone.derived(KEY, salt, CONTEXT)
    chunks = b"".join(cobblestone.sealed_chunks(KEY, CONTEXT, salt, [b"committed"]))
    opens(suite, "its own commitment", salt + good + chunks, b"committed")
    for name, other in {
        "of zeros": bytes(COMMITMENT),
        "of another key": cobblestone.derived(stream("another key", 32), salt, CONTEXT)[2],
        "of another context": cobblestone.derived(KEY, salt, b"another context")[2],
        "of another salt": cobblestone.derived(KEY, stream("another salt", SALT), CONTEXT)[2],
        "backwards": good[::-1],
        "whose first half is good": good[:16] + bytes(16),
        "whose second half is good": bytes(16) + good[16:],
    }.items():
        opens(suite, f"good chunks, but a commitment {name}", salt + other + chunks, None, attack=36)

    # A chunk that AES-GCM opens under the keys that both of two input keys lead to.
    keys = {"the one key": KEY, "the other": stream("the other key", 32)}
    derived = {name: cobblestone.derived(key, salt, CONTEXT) for name, key in keys.items()}
    chunk = collision.opens_under_both(*((key, base) for key, base, _ in derived.values()), stream("collision", 16))
    for committed, (message_key, base, own) in derived.items():
        plaintext = collision.AESGCM(message_key).decrypt(base, chunk, None)
        for name, key in keys.items():
            opens(suite, f"a chunk that opens under two keys, the commitment of {committed}, under {name}", salt + own + chunk, plaintext if name == committed else None, key=key, attack=36)
