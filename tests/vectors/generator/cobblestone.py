"""Cobblestone-256 by hand (c2sp.org/chunked-encryption): HKDF-Expand from `hmac`, chunks with `cryptography`'s AES-GCM."""

from __future__ import annotations

import hmac

from cryptography.cobblestone import Cobblestone256Decryptor
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY, SALT, NONCE, COMMITMENT, TAG = 32, 24, 12, 32, 16
HEADER = SALT + COMMITMENT
CHUNK = 16_384
SEALED_CHUNK = CHUNK + TAG
LABEL = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\x00"


def expand(prk: bytes, info: bytes, length: int, digest: str = "sha512") -> bytes:
    """HKDF-Expand (RFC 5869 §2.3)."""
    out, block, number = b"", b"", 1
    while len(out) < length:
        block = hmac.digest(prk, block + info + bytes([number]), digest)
        out, number = out + block, number + 1
    return out[:length]


def derived(key: bytes, salt: bytes, context: bytes) -> tuple[bytes, bytes, bytes]:
    """The key, base nonce and commitment of one message."""
    assert len(key) == KEY
    assert len(salt) == SALT
    made = expand(key, LABEL + salt + context, KEY + NONCE + COMMITMENT)
    return made[:KEY], made[KEY : KEY + NONCE], made[KEY + NONCE :]


def nonce(base: bytes, number: int) -> bytes:
    return (int.from_bytes(base, "big") ^ number).to_bytes(NONCE, "big")


def pieces(plaintext: bytes) -> list[bytes]:
    """Whole chunks, and a last one that is always shorter."""
    return [plaintext[at : at + CHUNK] for at in range(0, len(plaintext) + 1, CHUNK)]


def sealed_chunks(key: bytes, context: bytes, salt: bytes, parts: list[bytes]) -> list[bytes]:
    """These chunks under their numbers, of whatever lengths they are."""
    message_key, base, _ = derived(key, salt, context)
    return [AESGCM(message_key).encrypt(nonce(base, number), part, None) for number, part in enumerate(parts)]


def seal(key: bytes, context: bytes, salt: bytes, plaintext: bytes) -> bytes:
    """A message. Each is opened by `cryptography`'s own Cobblestone too."""
    message = salt + derived(key, salt, context)[2] + b"".join(sealed_chunks(key, context, salt, pieces(plaintext)))
    assert open_(key, context, message) == plaintext
    peer = Cobblestone256Decryptor(key, context)
    assert peer.update(message) + peer.finalize() == plaintext
    return message


def open_(key: bytes, context: bytes, message: bytes) -> bytes | None:
    """The plaintext; None for whatever is not a whole message under this key and context."""
    if len(message) < HEADER + TAG:
        return None
    salt, commitment, body = message[:SALT], message[SALT:HEADER], message[HEADER:]
    message_key, base, expected = derived(key, salt, context)
    if not hmac.compare_digest(commitment, expected):
        return None
    # The last chunk is the one that is not whole, so a body of whole chunks lacks it.
    plaintext = b""
    for number, at in enumerate(range(0, len(body) + 1, SEALED_CHUNK)):
        chunk = body[at : at + SEALED_CHUNK]
        if len(chunk) < TAG:
            return None
        try:
            plaintext += AESGCM(message_key).decrypt(nonce(base, number), chunk, None)
        except InvalidTag:
            return None
    return plaintext


def chunks_of(message: bytes) -> list[bytes]:
    """The sealed chunks of a message, the last one shorter."""
    body = message[HEADER:]
    return [body[at : at + SEALED_CHUNK] for at in range(0, len(body), SEALED_CHUNK)]


def _agrees_with_its_publications() -> None:
    # RFC 5869 A.1, its second step.
    prk = bytes.fromhex("077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5")
    okm = "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
    assert expand(prk, bytes(range(0xF0, 0xFA)), 42, "sha256").hex() == okm
    # Project Wycheproof, c2sp_chunked_encryption_aes_256_gcm, case 2: what is derived.
    key = b"YELLOW SUBMARINE YELLOW SUBMARIN"
    salt = bytes.fromhex("a1a1b56f6db58cd1ede0c5c9db62aef20d3f96a6c594bb92")
    message_key, base, commitment = derived(key, salt, b"")
    assert message_key.hex() == "14769f63d5e1008908efe8662d188e058d05be2ef94d5b4bc626bc33be412568"
    assert base.hex() == "e73f670906cb3124dea731e1"
    assert commitment.hex() == "52bb38122de91236502b42a1d7fcab820ffa292940d2f86add212cfa42c38df1"


_agrees_with_its_publications()
