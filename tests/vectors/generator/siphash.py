"""SipHash-2-4 (Aumasson and Bernstein, 2012), by hand."""

from __future__ import annotations

MASK = 2**64 - 1


def _rotated(word: int, by: int) -> int:
    return (word << by | word >> (64 - by)) & MASK


def _rounds(v: list[int], count: int) -> None:
    for _ in range(count):
        for a, b, c, d, first, second in ((0, 1, 2, 3, 13, 16), (2, 1, 0, 3, 17, 21)):
            v[a] = (v[a] + v[b]) & MASK
            v[c] = (v[c] + v[d]) & MASK
            v[b] = _rotated(v[b], first) ^ v[a]
            v[d] = _rotated(v[d], second) ^ v[c]
            v[a] = _rotated(v[a], 32)


def siphash(key: bytes, message: bytes) -> int:
    """The 64 bits of SipHash-2-4 under a key of 16 bytes."""
    k = [int.from_bytes(key[at : at + 8], "little") for at in (0, 8)]
    v = [k[at % 2] ^ int.from_bytes(text, "big") for at, text in enumerate((b"somepseu", b"dorandom", b"lygenera", b"tedbytes"))]
    padded = message + bytes(7 - len(message) % 8) + bytes([len(message) % 256])
    for at in range(0, len(padded), 8):
        word = int.from_bytes(padded[at : at + 8], "little")
        v[3] ^= word
        _rounds(v, 2)
        v[0] ^= word
    v[2] ^= 0xFF
    _rounds(v, 4)
    return v[0] ^ v[1] ^ v[2] ^ v[3]


# The example of the paper's appendix A, and the first and last of its authors' table.
_KEY = bytes(range(16))
assert siphash(_KEY, bytes(range(15))) == 0xA129CA6149BE45E5
assert siphash(_KEY, b"") == 0x726FDB47DD0E0E31
assert siphash(_KEY, bytes(range(63))) == 0x958A324CEB064572
