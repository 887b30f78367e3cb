"""One AES-GCM ciphertext that opens under two keys: what the commitment is there for (ePrint 2020/1456)."""

from __future__ import annotations

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

BLOCK = 16
# x^128 + x^7 + x^2 + x + 1, with the bits in GCM's order (NIST SP 800-38D §6.3).
POLYNOMIAL = 0xE1 << 120


def times(a: int, b: int) -> int:
    product = 0
    for bit in range(127, -1, -1):
        product ^= b if a >> bit & 1 else 0
        b = b >> 1 ^ (POLYNOMIAL if b & 1 else 0)
    return product


def inverse(a: int) -> int:
    """a to the power of 2^128 - 2."""
    power, result = a, 1 << 127
    for _ in range(127):
        power = times(power, power)
        result = times(result, power)
    return result


def block_cipher(key: bytes, block: bytes) -> int:
    encryptor = Cipher(algorithms.AES(key), modes.ECB()).encryptor()
    return int.from_bytes(encryptor.update(block) + encryptor.finalize(), "big")


def opens_under_both(first: tuple[bytes, bytes], second: tuple[bytes, bytes], beginning: bytes) -> bytes:
    """Two blocks and their tag, good under both keys and nonces. The first block is given; the second is solved for.

    The tag is c1 H^3 + c2 H^2 + length H + E(nonce), in GF(2^128), and has to be the same for both.
    """
    assert len(beginning) == BLOCK
    c1, length = int.from_bytes(beginning, "big"), 8 * 2 * BLOCK
    hashes = [block_cipher(key, bytes(BLOCK)) for key, _ in (first, second)]
    masks = [block_cipher(key, nonce + b"\x00\x00\x00\x01") for key, nonce in (first, second)]
    squares = [times(h, h) for h in hashes]
    cubes = [times(square, h) for square, h in zip(squares, hashes)]
    wanted = times(c1, cubes[0] ^ cubes[1]) ^ times(length, hashes[0] ^ hashes[1]) ^ masks[0] ^ masks[1]
    c2 = times(wanted, inverse(squares[0] ^ squares[1]))
    tag = times(c1, cubes[0]) ^ times(c2, squares[0]) ^ times(length, hashes[0]) ^ masks[0]
    sealed = b"".join(part.to_bytes(BLOCK, "big") for part in (c1, c2, tag))
    for key, nonce in (first, second):
        AESGCM(key).decrypt(nonce, sealed, None)
    return sealed
