"""The offline revocation set: all of its format, and what is decided by it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from .jose import lp, signature
from .keys import Key
from .revoking import KINDS, Token, read_record, store_since_s
from .siphash import siphash

MAGIC = b"DJR1"
LABEL = "donjon/revocation-set/v1"
REMAINDER_BITS = 24
PER_BUCKET = 16
# How far ahead the clock of whoever signed may be.
AHEAD_S = 300


def hashed(seed: bytes, kind: str, name: str) -> int:
    return siphash(seed, bytes([KINDS[kind]]) + name.encode())


def bucket_of(h: int, bits: int) -> tuple[int, int]:
    """The bucket, the top bits of the hash, and the remainder, the next 24."""
    top = h >> (64 - bits - REMAINDER_BITS)
    return top >> REMAINDER_BITS, top & (1 << REMAINDER_BITS) - 1


def bits_for(hashes: Iterable[int]) -> int:
    """The smallest b for which the entries that are left are 16 a bucket or fewer: equal remainders are one entry."""
    hashes, bits = list(hashes), 0
    while len({bucket_of(h, bits) for h in hashes}) > PER_BUCKET << bits:
        bits += 1
    return bits


@dataclass(frozen=True)
class Table:
    """Entries by bucket and remainder: of ids nothing more, of subjects the time."""

    bits: int
    entries: dict[tuple[int, int], int | None]

    @classmethod
    def of(cls, hashes: dict[int, int | None]) -> Table:
        bits, entries = bits_for(hashes), {}
        for h, since_s in hashes.items():
            at = bucket_of(h, bits)
            entries[at] = since_s if since_s is None else max(since_s, entries.get(at, since_s))
        return cls(bits, dict(sorted(entries.items())))

    def offsets(self) -> list[int]:
        buckets = [bucket for bucket, _ in self.entries]
        return [sum(bucket < end for bucket in buckets) for end in range((1 << self.bits) + 1)]

    def to_bytes(self) -> bytes:
        rows = (at[1].to_bytes(3, "big") + (b"" if since_s is None else since_s.to_bytes(8, "big", signed=True)) for at, since_s in self.entries.items())
        return table(len(self.entries), self.bits, self.offsets(), list(rows))


def table(count: int, bits: int, offsets: list[int], rows: list[bytes]) -> bytes:
    """A table as it is written, well made or not."""
    return count.to_bytes(4, "big") + bytes([bits]) + b"".join(offset.to_bytes(4, "big") for offset in offsets) + b"".join(rows)


@dataclass(frozen=True)
class RevocationSet:
    """What a set says."""

    sequence: int
    issued_at_s: int
    valid_until_s: int
    store_since_s: int
    skew_s: int
    seed: bytes
    ids: Table = field(default_factory=lambda: Table(0, {}))
    subjects: Table = field(default_factory=lambda: Table(0, {}))
    keys: tuple[str, ...] = ()

    @classmethod
    def of(cls, records: list[bytes], seed: bytes, *, sequence: int, store_since_ms: int, skew_s: int, issued_at_s: int, valid_until_s: int) -> RevocationSet:
        """The set of all records that are not over."""
        ids: dict[int, int | None] = {}
        subjects: dict[int, int | None] = {}
        keys: set[str] = set()
        names = {number: kind for kind, number in KINDS.items()}
        for stored in records:
            kind, name = names[stored[1]], stored[18:].decode()
            until_s, since_s = read_record(stored, kind, name)
            if until_s < issued_at_s:
                continue
            if kind == "key":
                keys.add(name)
            elif kind == "subject":
                h = hashed(seed, kind, name)
                subjects[h] = max(since_s, subjects.get(h) or since_s)
            else:
                ids[hashed(seed, kind, name)] = None
        made = cls(sequence, issued_at_s, valid_until_s, store_since_s(store_since_ms, skew_s), skew_s, seed)
        return replace(made, ids=Table.of(ids), subjects=Table.of(subjects), keys=tuple(sorted(keys, key=str.encode)))

    def body(self, kid: str, *, magic: bytes = MAGIC, ids: bytes | None = None, subjects: bytes | None = None, keys: bytes | None = None) -> bytes:
        """Everything that is signed. Parts that are given stand as they are, well made or not."""
        times = (self.sequence.to_bytes(8, "big"), *(time.to_bytes(8, "big", signed=True) for time in (self.issued_at_s, self.valid_until_s, self.store_since_s)))
        tables = (self.ids.to_bytes() if ids is None else ids, self.subjects.to_bytes() if subjects is None else subjects)
        fixed = magic + named(kid) + b"".join(times) + self.skew_s.to_bytes(2, "big") + self.seed
        return fixed + b"".join(tables) + (key_list(self.keys) if keys is None else keys)

    def signed(self, key: Key, kid: str | None = None, alg: str | None = None) -> bytes:
        own = key.kid if kid is None else kid
        assert own is not None
        return sign(self.body(own), key, alg)

    def check(self, token: Token, issued_at_s: int | None, at_s: int) -> tuple[str, bool]:
        """The status, and whether a table gave it, which now and then takes one for another."""
        if self.valid_until_s <= at_s or self.issued_at_s > at_s + AHEAD_S:
            return "revocation_set_stale", False
        if token.key_id in self.keys or issued_at_s is not None and issued_at_s < self.store_since_s:
            return "revoked", False
        if any(name and self._entry(self.ids, kind, name) for kind, name in (("token", token.token_id), ("family", token.family))):
            return "revoked", True
        entry = self._entry(self.subjects, "subject", token.subject) if token.subject else []
        if any(since_s is not None and (issued_at_s is None or issued_at_s <= since_s + self.skew_s) for since_s in entry):
            return "revoked", True
        return ("ok" if issued_at_s is not None else "missing_claim"), False

    def _entry(self, table: Table, kind: str, name: str) -> list[int | None]:
        at = bucket_of(hashed(self.seed, kind, name), table.bits)
        return [table.entries[at]] if at in table.entries else []


def named(kid: str) -> bytes:
    return bytes([len(kid.encode())]) + kid.encode()


def key_list(keys: Iterable[str]) -> bytes:
    names = [named(kid) for kid in keys]
    return len(names).to_bytes(2, "big") + b"".join(names)


def sign(body: bytes, key: Key, alg: str | None = None) -> bytes:
    signed_as = alg or key.alg
    assert signed_as is not None
    made = signature(signed_as, key, lp(LABEL) + body)
    return body + len(made).to_bytes(2, "big") + made
