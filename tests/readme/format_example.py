"""The worked example of docs/FORMAT.md, from primitives and without donjon. Run it to print the example.

Keys, salts and data keys are bytes that count upwards, so that each can be told by its first byte.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from dataclasses import dataclass

from argon2.low_level import Type, hash_secret_raw
from cryptography.hazmat.primitives.ciphers.aead import AESGCM


def counting(first: int, length: int) -> bytes:
    """Bytes that count upwards."""
    return bytes(range(first, first + length))


KEY_ID, KEY = "kek-2026", counting(0x00, 32)
DATA_KEY, WRAP_SALT, PAYLOAD_SALT = (
    counting(0x20, 32),
    counting(0x40, 24),
    counting(0x58, 24),
)
ENTROPY = DATA_KEY + WRAP_SALT + PAYLOAD_SALT
CELL_SALT = counting(0x70, 24)
OTHER_DATA_KEY = b"\x01" * 32
CONTEXT, PLAINTEXT = ("users", "email", "42"), b"ann@example.com"
SCOPE = "acme"
PASSPHRASE, ARGON2_SALT = b"correct horse battery staple", counting(0xA0, 16)
MEMORY_KIB, TIME_COST, PARALLELISM = 65_536, 3, 1
KMS_KEY_ID, KMS_BLOB = "kms-key-7", b"what the KMS made of the data key"
INDEX_KEY, INDEX_EPOCH, INDEX_BITS = counting(0xC0, 32), 2, 20
INDEX_PLACE = ("acme", "users", "email")
SETTING_KEY_ID, SETTING_KEY = "settings-2026", counting(0xD0, 32)
SETTING, SETTING_VALUE = "DATABASE_URL", b"postgresql://app@db"

SELF_CONTAINED, STORED_DATA_KEY, CELL, UNDER_PASSPHRASE, EXTERNAL = 1, 2, 3, 4, 5
LABEL = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\x00"


def u32(number: int) -> bytes:
    """Four bytes, big-endian."""
    return number.to_bytes(4, "big")


def lp(part: bytes | str) -> bytes:
    """The length, then the bytes."""
    data = part.encode() if isinstance(part, str) else part
    return u32(len(data)) + data


def encoded(parts: tuple[str, ...]) -> bytes:
    """A context."""
    return b"".join(lp(part) for part in parts)


def bound(label: str, kind: int, *parts: bytes | str) -> bytes:
    """What a message is bound to."""
    return lp(label) + lp(bytes([kind])) + b"".join(lp(part) for part in parts)


def expand(key: bytes, info: bytes, length: int, digest: str = "sha512") -> bytes:
    """HKDF-Expand (RFC 5869 §2.3)."""
    out, block = b"", b""
    for number in range(1, 256):
        if len(out) >= length:
            break
        block = hmac.digest(key, block + info + bytes([number]), digest)
        out += block
    return out[:length]


@dataclass(frozen=True)
class Message:
    """A sealed message of one chunk, and all that it is made of."""

    input_key: bytes
    context: bytes
    salt: bytes
    plaintext: bytes

    @property
    def derived(self) -> bytes:
        """Message key, base nonce and commitment."""
        return expand(self.input_key, LABEL + self.salt + self.context, 32 + 12 + 32)

    @property
    def key(self) -> bytes:
        """Of AES-256-GCM."""
        return self.derived[:32]

    @property
    def base_nonce(self) -> bytes:
        """The nonce of chunk 0."""
        return self.derived[32:44]

    @property
    def commitment(self) -> bytes:
        """To key and context."""
        return self.derived[44:]

    @property
    def chunk(self) -> bytes:
        """The only one, which is the last."""
        return AESGCM(self.key).encrypt(self.base_nonce, self.plaintext, None)

    def __bytes__(self) -> bytes:
        return self.salt + self.commitment + self.chunk


def header(kind: int, key_id: str, wrap: bytes, kdf: bytes = b"") -> bytes:
    """What stands before a payload."""
    id_ = key_id.encode()
    return (
        b"DJN1"
        + bytes([kind, len(id_)])
        + id_
        + kdf
        + len(wrap).to_bytes(2, "big")
        + wrap
    )


WRAP = Message(
    KEY, bound("donjon/wrap/v1", SELF_CONTAINED, KEY_ID, ""), WRAP_SALT, DATA_KEY
)
PAYLOAD = Message(
    DATA_KEY,
    bound("donjon/payload/v1", SELF_CONTAINED, encoded(CONTEXT)),
    PAYLOAD_SALT,
    PLAINTEXT,
)
ENVELOPE = header(SELF_CONTAINED, KEY_ID, bytes(WRAP)) + bytes(PAYLOAD)

STORED_WRAP = Message(
    KEY, bound("donjon/wrap/v1", STORED_DATA_KEY, KEY_ID, SCOPE), WRAP_SALT, DATA_KEY
)
STORED = header(STORED_DATA_KEY, KEY_ID, bytes(STORED_WRAP))
DATA_KEY_ID = urlsafe_b64encode(expand(DATA_KEY, b"donjon/data-key-id/v1", 12)).decode()
CELL_PAYLOAD = Message(
    DATA_KEY, bound("donjon/payload/v1", CELL, encoded(CONTEXT)), CELL_SALT, PLAINTEXT
)
SEALED_CELL = header(CELL, DATA_KEY_ID, b"") + bytes(CELL_PAYLOAD)

KDF = ARGON2_SALT + u32(MEMORY_KIB) + u32(TIME_COST) + u32(PARALLELISM)
PASSPHRASE_KEY = hash_secret_raw(
    PASSPHRASE, ARGON2_SALT, TIME_COST, MEMORY_KIB, PARALLELISM, 32, Type.ID
)
PASSPHRASE_WRAP = Message(
    PASSPHRASE_KEY,
    bound("donjon/wrap/v1", UNDER_PASSPHRASE, "", ""),
    WRAP_SALT,
    DATA_KEY,
)
PASSPHRASE_PAYLOAD = Message(
    DATA_KEY,
    bound("donjon/payload/v1", UNDER_PASSPHRASE, encoded(CONTEXT)),
    PAYLOAD_SALT,
    PLAINTEXT,
)
PASSPHRASE_HEADER = header(UNDER_PASSPHRASE, "", bytes(PASSPHRASE_WRAP), KDF)
PASSPHRASE_ENVELOPE = PASSPHRASE_HEADER + bytes(PASSPHRASE_PAYLOAD)
# A data key that is stored so is the payload: another one than that of the envelope.
PASSPHRASE_STORED_PAYLOAD = Message(
    DATA_KEY,
    bound("donjon/data-key/v1", UNDER_PASSPHRASE, SCOPE),
    PAYLOAD_SALT,
    OTHER_DATA_KEY,
)
PASSPHRASE_STORED = PASSPHRASE_HEADER + bytes(PASSPHRASE_STORED_PAYLOAD)

EXTERNAL_PAYLOAD = Message(
    DATA_KEY,
    bound("donjon/payload/v1", EXTERNAL, encoded(CONTEXT)),
    PAYLOAD_SALT,
    PLAINTEXT,
)
EXTERNAL_ENVELOPE = header(EXTERNAL, KMS_KEY_ID, KMS_BLOB) + bytes(EXTERNAL_PAYLOAD)
EXTERNAL_STORED_PAYLOAD = Message(
    DATA_KEY, bound("donjon/data-key/v1", EXTERNAL, SCOPE), PAYLOAD_SALT, OTHER_DATA_KEY
)
EXTERNAL_STORED = header(EXTERNAL, KMS_KEY_ID, KMS_BLOB) + bytes(
    EXTERNAL_STORED_PAYLOAD
)

INDEX_PRK = hmac.digest(bytes(32), INDEX_KEY, "sha256")
COLUMN_KEY = expand(INDEX_PRK, encoded(INDEX_PLACE), 32, "sha256")
INDEX_MAC = hmac.digest(COLUMN_KEY, PLAINTEXT, "sha256")


def cut(mac: bytes, bits: int) -> bytes:
    """The first bits, in as many bytes as they need; the rest of the last byte is 0."""
    length = (bits + 7) // 8
    kept = bytearray(mac[:length])
    kept[-1] &= 0xFF << (8 * length - bits) & 0xFF
    return bytes(kept)


INDEX_VALUE = bytes([INDEX_EPOCH % 256]) + cut(INDEX_MAC, INDEX_BITS)

SETTING_WRAP = Message(
    SETTING_KEY,
    bound("donjon/wrap/v1", SELF_CONTAINED, SETTING_KEY_ID, ""),
    WRAP_SALT,
    DATA_KEY,
)
SETTING_PAYLOAD = Message(
    DATA_KEY,
    bound("donjon/payload/v1", SELF_CONTAINED, encoded((SETTING,))),
    PAYLOAD_SALT,
    SETTING_VALUE,
)
SETTING_ENVELOPE = header(SELF_CONTAINED, SETTING_KEY_ID, bytes(SETTING_WRAP)) + bytes(
    SETTING_PAYLOAD
)
SEALED_SETTING = "sealed:" + urlsafe_b64encode(SETTING_ENVELOPE).decode().rstrip("=")

Line = tuple[str, bytes | str]


def message_lines(name: str, message: Message) -> list[Line]:
    """What one message is made of."""
    return [
        (f"{name} context", message.context),
        (f"{name} key", message.key),
        (f"{name} base nonce", message.base_nonce),
        (f"{name} commitment", message.commitment),
        (f"{name} chunk", message.chunk),
    ]


def sections() -> dict[str, list[Line]]:
    """The example, part by part, by the first words of each."""
    return {
        "self-contained": [
            ("key (KEK)", KEY),
            ("data key", DATA_KEY),
            ("wrap salt", WRAP_SALT),
            *message_lines("wrap", WRAP),
            ("payload salt", PAYLOAD_SALT),
            *message_lines("payload", PAYLOAD),
            ("envelope", ENVELOPE),
        ],
        "stored data key and cell": [
            *message_lines("wrap", STORED_WRAP),
            ("stored", STORED),
            ("data key id", DATA_KEY_ID),
            ("cell salt", CELL_SALT),
            *message_lines("payload", CELL_PAYLOAD),
            ("cell", SEALED_CELL),
        ],
        "passphrase": [
            ("Argon2 salt", ARGON2_SALT),
            ("key (KEK)", PASSPHRASE_KEY),
            *message_lines("wrap", PASSPHRASE_WRAP),
            *message_lines("payload", PASSPHRASE_PAYLOAD),
            ("envelope", PASSPHRASE_ENVELOPE),
            ("stored data key", OTHER_DATA_KEY),
            *message_lines("stored", PASSPHRASE_STORED_PAYLOAD),
            ("stored", PASSPHRASE_STORED),
        ],
        "external": [
            *message_lines("payload", EXTERNAL_PAYLOAD),
            ("envelope", EXTERNAL_ENVELOPE),
            ("stored data key", OTHER_DATA_KEY),
            *message_lines("stored", EXTERNAL_STORED_PAYLOAD),
            ("stored", EXTERNAL_STORED),
        ],
        "blind index": [
            ("secret", INDEX_KEY),
            ("info", encoded(INDEX_PLACE)),
            ("column key", COLUMN_KEY),
            ("HMAC", INDEX_MAC),
            ("value, 20 bits", INDEX_VALUE),
        ],
        "setting": [
            ("key (KEK)", SETTING_KEY),
            ("context", encoded((SETTING,))),
            ("text", SEALED_SETTING),
        ],
    }


def rendered(lines: list[Line]) -> str:
    """The lines of a block, 32 bytes in each."""
    out = []
    for name, value in lines:
        text = value.hex() if isinstance(value, bytes) else value
        parts = [text[at : at + 64] for at in range(0, len(text), 64)]
        out += [
            f"{label:<20}{part}"
            for label, part in zip([name, *[""] * len(parts)], parts, strict=False)
        ]
    return "\n".join(out)


if __name__ == "__main__":
    for title, lines in sections().items():
        print(f"-- {title}\n{rendered(lines)}\n")
