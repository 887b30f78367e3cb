"""Records of sign-ins by hand (docs/sessions.md, The bytes): tags, ids, networks, browsers, entries; parsed as strictly as may be."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from . import cobblestone
from .envelope import MAGIC, SELF_CONTAINED, Envelope, payload_context, wrap_context
from .jose import b64u, lp, unb64u
from .keys import Secret, stream

COOKIE, TOKENS = 1, 2
PLAIN, SEALED = 1, 2
TAG, ID, HASH, FAMILY = 16, 48, 32, 16
NO_AGENT = bytes(8)
MAX_SUBJECT, MAX_LABEL, MAX_DATA, MAX_ENTRIES = 1024, 64, 512, 64
MAX_MS = 2**63 - 1
BIDI = set("\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f")


class Entropy:
    """Bytes to draw from, and how many were."""

    def __init__(self, label: str) -> None:
        self.bytes, self.drawn = stream(label, 200), 0

    def take(self, length: int) -> bytes:
        self.drawn += length
        return self.bytes[self.drawn - length : self.drawn]

    def hex(self) -> str:
        """What was drawn and no more, so that drawing more is an error."""
        return self.bytes[: self.drawn].hex()


DEVICE_1 = Secret("device-1", "HS256", stream("device of sessions, 1", 32))
DEVICE_2 = Secret("device-2", "HS256", stream("device of sessions, 2", 32))
DEVICE_3 = Secret("device-3", "HS256", stream("device of sessions, 3", 32))
CSRF_1 = Secret("csrf-1", "HS256", stream("csrf, 1", 32))
CSRF_2 = Secret("csrf-2", "HS256", stream("csrf, 2", 32))
KEK_1 = Secret("envelope-1", "HS256", stream("records' envelope, 1", 32))
KEK_2 = Secret("envelope-2", "HS256", stream("records' envelope, 2", 32))


@dataclass(frozen=True)
class Ring:
    """The keys of a keyring, with their statuses, in the order in which they are written."""

    device: tuple[tuple[Secret, str], ...] = ((DEVICE_1, "primary"),)
    csrf: tuple[tuple[Secret, str], ...] = ((CSRF_1, "primary"),)
    envelope: tuple[tuple[Secret, str], ...] = ()

    def jwks(self) -> dict[str, Any]:
        keys = [
            {"kid": key.kid, "purpose": purpose, "status": status} if status == "destroyed" else key.jwk(purpose=purpose, status=status)
            for purpose in ("device", "csrf", "envelope")
            for key, status in getattr(self, purpose)
        ]
        return {"keys": keys}

    def usable(self, purpose: str) -> list[Secret]:
        """The primary, then the others that still do something. A disabled key goes on naming users: a tag authenticates nothing."""
        out = {"destroyed"} if purpose == "device" else {"destroyed", "disabled"}
        keys = [(key, status) for key, status in getattr(self, purpose) if status not in out]
        return [key for key, status in keys if status == "primary"] + [key for key, status in keys if status != "primary"]

    def tags(self, subject: str) -> list[bytes]:
        return [hmac.digest(key.secret, lp("donjon/user/v1") + lp(subject), "sha256")[:TAG] for key in self.usable("device")]


PLAIN_RING = Ring()
SEALED_RING = Ring(envelope=((KEK_1, "primary"),))


def record_key(tag: bytes) -> str:
    return f"{{{b64u(tag)}}}:sessions"


def id_text(tag: bytes, secret: bytes) -> str:
    assert len(tag + secret) == ID
    return b64u(tag + secret)


def id_bytes(text: str) -> bytes | None:
    """The 48 bytes of an id, if it is one."""
    return unb64u(text) if re.fullmatch(r"[A-Za-z0-9_-]{64}", text, re.ASCII) else None


def id_hash(raw: bytes) -> bytes:
    return hashlib.sha256(raw).digest()


def agent(header: str) -> bytes:
    """The fingerprint of a `User-Agent`."""
    kept = bytes(byte for byte in header.encode()[:1024] if byte not in b"0123456789._")
    return hashlib.sha256(lp("donjon/user-agent/v1") + kept).digest()[:8] if kept else NO_AGENT


def ip(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    parsed = ipaddress.ip_address(address)
    return (isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped) or parsed


def network(address: str, ipv4_prefix: int, ipv6_prefix: int) -> bytes:
    """The bits of the prefix, and the address without its host bits."""
    if not address:
        return b""
    parsed = ip(address)
    prefix = ipv4_prefix if parsed.version == 4 else ipv6_prefix
    return bytes([prefix]) + ipaddress.ip_network((parsed, prefix), strict=False).network_address.packed


def network_text(stored: bytes) -> str | None:
    return f"{ipaddress.ip_address(stored[1:])}/{stored[0]}" if stored else None


def is_within(address: str, stored: bytes) -> bool:
    return bool(address) and ip(address) in ipaddress.ip_network((stored[1:], stored[0]))


def label(text: str) -> str:
    """Without controls, and as much as fits."""
    kept = "".join(char for char in text if unicodedata.category(char) != "Cc" and char not in BIDI)
    while len(kept.encode()) > MAX_LABEL:
        kept = kept[:-1]
    return kept


@dataclass(frozen=True)
class State:
    """Where a refresh family stands."""

    family: bytes
    generation: int
    rotated_ms: int
    is_revoked: bool = False

    def __bytes__(self) -> bytes:
        return bytes([1, self.is_revoked, 0, 0]) + self.generation.to_bytes(4, "big") + self.rotated_ms.to_bytes(8, "big") + self.family

    @staticmethod
    def read(data: bytes) -> State:
        assert data[:4] in (b"\x01\x00\x00\x00", b"\x01\x01\x00\x00")
        assert len(data) == 32
        assert data[8] < 0x80
        return State(data[16:], int.from_bytes(data[4:8], "big"), int.from_bytes(data[8:16], "big"), data[1] == 1)


@dataclass(frozen=True)
class Entry:
    """A sign-in."""

    kind: int
    credential: bytes
    created_ms: int
    seen_ms: int
    network: bytes = b""
    agent: bytes = NO_AGENT
    label: str | bytes = ""
    data: bytes = b""

    def handle(self) -> str:
        return b64u(self.credential[16:] if self.kind == TOKENS else self.credential[:16])

    def __bytes__(self) -> bytes:
        name = self.label.encode() if isinstance(self.label, str) else self.label
        times = self.created_ms.to_bytes(8, "big") + self.seen_ms.to_bytes(8, "big")
        return bytes([self.kind]) + self.credential + times + bytes([len(self.network)]) + self.network + self.agent + bytes([len(name)]) + name + len(self.data).to_bytes(2, "big") + self.data

    def but(self, **changes: Any) -> Entry:
        return replace(self, **changes)


@dataclass(frozen=True)
class Record:
    """All sign-ins of a user, in order of creation."""

    subject: str
    entries: tuple[Entry, ...]

    def __bytes__(self) -> bytes:
        return raw_record(self.subject.encode(), self.entries)


def raw_record(subject: bytes, entries: Iterable[Entry], *, version: int = PLAIN, count: int | None = None) -> bytes:
    """A record of whatever it is given."""
    entries = tuple(entries)
    count = len(entries) if count is None else count
    return bytes([version]) + len(subject).to_bytes(2, "big") + subject + bytes([count]) + b"".join(bytes(entry) for entry in entries)


class Reader:
    """Bytes from the front; an `AssertionError` where there are too few."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def take(self, length: int) -> bytes:
        assert len(self.data) >= length
        taken, self.data = self.data[:length], self.data[length:]
        return taken

    def number(self, length: int) -> int:
        return int.from_bytes(self.take(length), "big")


def parsed(data: bytes) -> Record | None:
    """None of whatever is not exactly a record."""
    try:
        return _parsed(Reader(data))
    except (AssertionError, UnicodeDecodeError):
        return None


def _parsed(reader: Reader) -> Record:
    assert reader.number(1) == PLAIN
    length = reader.number(2)
    assert length <= MAX_SUBJECT
    subject = reader.take(length).decode()
    count = reader.number(1)
    assert 1 <= count <= MAX_ENTRIES
    entries = tuple(_entry(reader) for _ in range(count))
    assert reader.data == b""
    created = [entry.created_ms for entry in entries]
    assert created == sorted(created)
    assert len({(entry.kind, entry.handle() if entry.kind == TOKENS else entry.credential) for entry in entries}) == count
    return Record(subject, entries)


def _entry(reader: Reader) -> Entry:
    kind, credential = reader.number(1), reader.take(32)
    assert kind in (COOKIE, TOKENS)
    if kind == TOKENS:
        State.read(credential)
    created, seen = reader.number(8), reader.number(8)
    assert created <= seen <= MAX_MS
    length = reader.number(1)
    assert length in (0, 5, 17)
    where = reader.take(length)
    if where:
        # Refuses a prefix that is too long, and host bits.
        try:
            ipaddress.ip_network((where[1:], where[0]))
        except ValueError as error:
            raise AssertionError from error
    browser, name = reader.take(8), reader.take(reader.number(1)).decode()
    assert name == label(name)
    size = reader.number(2)
    assert size <= MAX_DATA
    return Entry(kind, credential, created, seen, where, browser, name, reader.take(size))


def sealed(ring: Ring, tag: bytes, plain: bytes, entropy: Entropy) -> bytes:
    """A record as a store has it that may not read it."""
    kek = ring.usable("envelope")[0]
    data_key, wrap_salt, payload_salt = entropy.take(32), entropy.take(24), entropy.take(24)
    kid = kek.kid or ""
    wrap = cobblestone.seal(kek.secret, wrap_context(SELF_CONTAINED, kid), wrap_salt, data_key)
    payload = cobblestone.seal(data_key, payload_context(SELF_CONTAINED, ["donjon/session/v1", record_key(tag)]), payload_salt, plain)
    return bytes([SEALED]) + bytes(Envelope(SELF_CONTAINED, kid.encode(), wrap, payload))


def unsealed(ring: Ring, tag: bytes, data: bytes) -> bytes | None:
    """What was sealed for this key of the store."""
    try:
        reader = Reader(data)
        assert reader.take(6)[:-1] == bytes([SEALED]) + MAGIC
        kind = data[5]
        assert kind == SELF_CONTAINED
        kid = reader.take(reader.number(1)).decode()
        wrap = reader.take(reader.number(2))
    except (AssertionError, UnicodeDecodeError):
        return None
    for kek in ring.usable("envelope"):
        if kek.kid == kid:
            data_key = cobblestone.open_(kek.secret, wrap_context(SELF_CONTAINED, kid), wrap)
            context = payload_context(SELF_CONTAINED, ["donjon/session/v1", record_key(tag)])
            return None if data_key is None else cobblestone.open_(data_key, context, reader.data)
    return None
