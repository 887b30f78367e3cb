"""Envelopes made and read in pieces, and read from the middle (FORMATS.md, Envelopes; ATTACKS.md 35)."""

from __future__ import annotations

from collections.abc import Iterator

from . import cobblestone
from .chunked import text
from .cobblestone import CHUNK, HEADER, SEALED_CHUNK
from .envelope import KEK, RING, Drawn, Envelope, self_contained
from .envelopes import CONTEXT, REFUSED, flipped
from .suite import Suite, refusal

DRAWN = Drawn("stream")
LENGTH = CHUNK + 7


def suites() -> Iterator[Suite]:
    suite = Suite("streams", "Envelopes made and read in pieces: whatever the pieces are, the bytes are those of one piece.", "FORMATS.md, Envelopes; c2sp.org/chunked-encryption; ATTACKS.md 35")
    sealing(suite)
    opening(suite)
    reading(suite)
    yield suite


def envelope(length: int) -> Envelope:
    return self_contained(KEK, CONTEXT, text(length), DRAWN)


def cut(data: bytes, *lengths: int) -> list[str]:
    """Pieces of these lengths, and what is left."""
    pieces, at = [], 0
    for length in lengths:
        pieces.append(data[at : at + length].hex())
        at += length
    return [*pieces, data[at:].hex()]


def sealing(suite: Suite) -> None:
    entropy = DRAWN.hex("data_key", "wrap_salt", "payload_salt")

    def seal(name: str, length: int, pieces: list[str], **more: object) -> None:
        request = {"op": "stream_seal", "keyring": RING, "context": CONTEXT, "pieces_hex": pieces, "entropy_hex": entropy} | more
        suite.add(f"sealing {name}", request, {"ok": True, "envelope_hex": bytes(envelope(length)).hex()})

    seal("no piece", 0, [])
    seal("an empty piece", 0, [""])
    seal("a piece", 5, [text(5).hex()])
    seal("five bytes, one by one", 5, cut(text(5), 1, 1, 1, 1))
    seal("empty pieces between", 5, ["", text(5)[:2].hex(), "", "", text(5)[2:].hex(), ""])
    seal("a whole chunk in a piece", CHUNK, [text(CHUNK).hex()])
    seal("a chunk less a byte, then two bytes", CHUNK + 1, cut(text(CHUNK + 1), CHUNK - 1))
    suite.add("sealing under too long a context", {"op": "stream_seal", "keyring": RING, "context": ["c" * 4093], "pieces_hex": [], "entropy_hex": entropy}, refusal("too_large"))
    suite.add("sealing with 79 bytes of entropy", {"op": "stream_seal", "keyring": RING, "context": CONTEXT, "pieces_hex": [], "entropy_hex": entropy[:158]}, refusal("entropy_unavailable"))


def opening(suite: Suite) -> None:
    def open_(name: str, data: Envelope | bytes, plaintext: bytes | None, *lengths: int, context: list[str] = CONTEXT, attack: int | None = None, golden: bool = False) -> None:
        request = {"op": "stream_open", "keyring": RING, "context": context, "pieces_hex": cut(bytes(data), *lengths)}
        suite.add(name, request, refusal(REFUSED) if plaintext is None else {"ok": True, "plaintext_hex": plaintext.hex()}, attack, golden=golden)

    small, big = envelope(5), envelope(LENGTH)
    start = len(small.header())
    for name, lengths in {"in one piece": (), "its first byte first": (1,), "cut within its header": (3, 2, 4), "cut after its header": (start,), "cut after its salt": (start, 24), "cut before its chunk": (start + HEADER,), "byte by byte at its end": (start + HEADER + 18, 1, 1)}.items():
        open_(f"a small envelope, {name}", small, text(5), *lengths, golden=True)
    for name, lengths in {"in one piece": (), "cut at the end of the first chunk": (start + HEADER + SEALED_CHUNK,), "its last byte last": (len(bytes(big)) - 1,)}.items():
        open_(f"two chunks, {name}", big, text(LENGTH), *lengths, golden=True)
    open_("an empty payload", envelope(0), b"", golden=True)

    whole = bytes(small)
    for length in range(0, len(whole), 7):
        open_(f"the first {length} bytes of {len(whole)}", whole[:length], None, length // 2, attack=35)
    for at in range(0, len(whole), 5):
        if at not in range(6, start - 106):
            open_(f"byte {at} flipped", flipped(whole, at, 0), None, at, attack=35)
    first, last = cobblestone.chunks_of(big.payload)
    head = big.payload[:HEADER]
    for name, chunks in {"the last chunk cut off": (first,), "only the last chunk": (last,), "a chunk twice": (first, first, last), "another last chunk behind": (first, last, last)}.items():
        open_(f"two chunks: {name}", big.but(payload=head + b"".join(chunks)), None, start + HEADER + 5, attack=35)
    open_("two chunks: the last one without a byte", bytes(big)[:-1], None, attack=35)
    open_("two chunks: a byte more", bytes(big) + b"\x00", None, len(bytes(big)), attack=35)
    open_("under another context", small, None, context=["users", "email", "43"], attack=34)


def reading(suite: Suite) -> None:
    def read(name: str, data: Envelope | bytes, offset: int, length: int, plaintext: bytes | None, size: int = LENGTH, *, context: list[str] = CONTEXT, attack: int | None = None) -> None:
        request = {"op": "reader_read", "keyring": RING, "context": context, "envelope_hex": bytes(data).hex(), "offset": offset, "length": length}
        suite.add(name, request, refusal(REFUSED) if plaintext is None else {"ok": True, "plaintext_hex": plaintext.hex(), "size": size}, attack)

    small, big = envelope(40), envelope(LENGTH)
    for offset, length in ((0, 0), (0, 1), (0, 40), (39, 1), (7, 20), (40, 0), (0, 41), (39, 2), (40, 1), (41, 1), (2**62, 1), (5, 100_000)):
        read(f"{length} bytes at {offset} of 40", small, offset, length, text(40)[offset : offset + length], 40)
    for offset, length in ((CHUNK - 1, 2), (CHUNK, 7)):
        read(f"{length} bytes at {offset} of {LENGTH}", big, offset, length, text(LENGTH)[offset : offset + length])
    read("no byte of none", envelope(0), 0, 0, b"", 0)
    first, last = cobblestone.chunks_of(big.payload)
    head = big.payload[:HEADER]
    # What a reader says of its length it has opened the last chunk for.
    read("a byte of what was cut at a chunk", big.but(payload=head + first), 0, 1, None, attack=35)
    read("a byte of what was cut by a byte", bytes(big)[:-1], 0, 1, None, attack=35)
    read("a byte of what has a byte more", bytes(big) + b"\x00", 0, 1, None, attack=35)
    read("a byte of what lacks its first chunk", big.but(payload=head + last), 0, 1, None, attack=35)
    read("a byte of a flipped chunk", flipped(bytes(big), len(big.header()) + HEADER + 9, 0), 0, 1, None, attack=35)
    read("a byte beside a flipped chunk", flipped(bytes(big), len(big.header()) + HEADER + 9, 0), CHUNK, 1, text(LENGTH)[CHUNK : CHUNK + 1], attack=35)
    read("a byte under another context", small, 0, 1, None, context=["users", "email", "43"], attack=34)
    read("a byte of no byte", b"", 0, 1, None, attack=35)
    read("a byte of a header", small.header(), 0, 1, None, attack=35)
