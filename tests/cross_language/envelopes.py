"""Requests about what is sealed: good ones of the vectors, with other plaintexts, other entropy, and mutated ciphertexts."""

from __future__ import annotations

import base64
from typing import Any

from texts import STRINGS, Members, Texts, dump

# Where the header of a passphrase's envelope says what Argon2 costs: one flip there can take a gigabyte.
COSTS = range(22, 34)
# What holds a ciphertext, and where it is a passphrase's.
SEALED = ("message_hex", "envelope_hex", "cell_hex", "data_key_hex")


class Envelopes(Texts):
    """The operations of envelopes, streams, columns, settings and Fernet."""

    good: dict[str, list[dict[str, Any]]]

    def changed(self, members: Members, **changes: Any) -> Members:
        return [(name, dump(changes[name]) if name in changes else text) for name, text in members]

    def plaintext(self) -> str:
        length = self.pick([0, 1, 15, 16, 17, 40, 40, 64, 255, 1000] + ([16383, 16384, 16385] if self.chance(0.1) else []))
        return self.random.randbytes(length).hex()

    def mutated_bytes(self, data: bytes, fixed: range = range(0)) -> bytes:
        """One thing done to a ciphertext, but not to these bytes."""
        if not data:
            return b"\x00"
        free = [at for at in range(len(data)) if at not in fixed]
        at, other = self.pick(free), self.random.randrange(len(data))
        low, high = min(at, other), max(at, other)
        return self.pick([
            data[:at] + bytes([data[at] ^ 1 << self.random.randrange(8)]) + data[at + 1 :],
            data[:at] + bytes([data[at] ^ 1 << self.random.randrange(8)]) + data[at + 1 :],
            data[:at],
            data + self.random.randbytes(self.pick([1, 16, 72])),
            data if fixed else data[:low] + data[high:],
            data if fixed else data[:low] + data[low:high][::-1] + data[high:],
            b"",
        ])  # fmt: skip

    def parts(self) -> list[str]:
        return [str(self.pick(["users", "email", "42", "", "a", "ab", "\u00e9", "\0", "\U0001f600", "c" * 4000])) for _ in range(self.random.randrange(4))]

    def sealing(self, op: str) -> Members:
        """A good request with another plaintext, another context, or more or less entropy."""
        request = self.pick(self.good[op])
        members = self.members(request)
        if self.chance(0.6) and "plaintext_hex" in request:
            members = self.changed(members, plaintext_hex=self.plaintext())
        if self.chance(0.3) and "context" in request:
            members = self.changed(members, context=self.parts())
        for name in ("entropy_hex", "salt_hex", "iv_hex"):
            if name in request and self.chance(0.6):
                length = len(request[name]) // 2
                members = self.changed(members, **{name: self.random.randbytes(length if self.chance(0.85) else self.random.randrange(length + 1)).hex()})
        return members

    def opening(self, op: str) -> Members:
        """A good request, often with a ciphertext or a place that is not the one."""
        request = self.pick(self.good[op])
        members = self.members(request)
        what = self.random.random()
        if what < 0.4:
            name = self.pick([name for name in SEALED if name in request] or ["op"])
            if name != "op":
                fixed = COSTS if op.startswith("passphrase") else range(0)
                return self.changed(members, **{name: self.mutated_bytes(bytes.fromhex(request[name]), fixed).hex()})
        if what < 0.5 and "context" in request:
            return self.changed(members, context=self.parts())
        if what < 0.55 and "keyring" in request:
            return self.changed(members, keyring=self.pick(self.good["envelope_open"])["keyring"])
        if what < 0.6 and "scope" in request:
            return [(name, str(self.pick(STRINGS)) if name == "scope" else text) for name, text in members]
        return members

    def chunked_seal(self) -> Members:
        return self.sealing("chunked_seal")

    def chunked_open(self) -> Members:
        return self.opening("chunked_open")

    def envelope_seal(self) -> Members:
        return self.sealing("envelope_seal")

    def envelope_open(self) -> Members:
        return self.opening("envelope_open")

    def envelope_rewrap(self) -> Members:
        return self.opening("envelope_rewrap") if self.chance(0.5) else self.sealing("envelope_rewrap")

    def envelope_needs_rewrap(self) -> Members:
        return self.opening("envelope_needs_rewrap")

    def envelope_inspect(self) -> Members:
        return self.opening("envelope_inspect")

    def passphrase_seal(self) -> Members:
        members = self.sealing("passphrase_seal")
        costs = {"memory_kib": self.pick([8, 8, 8, 16, 64, 7, 1048577]), "time_cost": self.pick([1, 1, 1, 2, 17]), "parallelism": self.pick([1, 1, 1, 2, 17])}
        return self.changed(members, **costs)

    def passphrase_open(self) -> Members:
        members = self.opening("passphrase_open")
        while any(name == "envelope_hex" and len(text) > 68 and int(text[45:53] or "0", 16) > 4096 for name, text in members):
            members = self.opening("passphrase_open")
        return members

    def external_seal(self) -> Members:
        return self.sealing("external_seal")

    def external_open(self) -> Members:
        return self.opening("external_open")

    def data_key_new(self) -> Members:
        members = self.sealing("data_key_new")
        return [(name, str(self.pick(STRINGS)) if name == "scope" else text) for name, text in members]

    def data_key_rewrap(self) -> Members:
        return self.opening("data_key_rewrap") if self.chance(0.5) else self.sealing("data_key_rewrap")

    def cell_seal(self) -> Members:
        return self.sealing("cell_seal")

    def cell_open(self) -> Members:
        return self.opening("cell_open")

    def cut(self, data: bytes) -> list[str]:
        ends = sorted(self.random.randrange(len(data) + 1) for _ in range(self.random.randrange(5)))
        return [data[start:end].hex() for start, end in zip([0, *ends], [*ends, len(data)])]

    def stream_seal(self) -> Members:
        return self.changed(self.sealing("stream_seal"), pieces_hex=self.cut(bytes.fromhex(self.plaintext())))

    def stream_open(self) -> Members:
        """An envelope in other pieces, often not a good one."""
        request = self.pick(self.good["envelope_open"])
        envelope = bytes.fromhex(request["envelope_hex"])
        envelope = self.mutated_bytes(envelope) if self.chance(0.4) else envelope
        members = [("op", '"stream_open"'), ("keyring", dump(request["keyring"])), ("context", dump(request["context"])), ("pieces_hex", dump(self.cut(envelope)))]
        return [*members, *((name, dump(request[name])) for name in ("now_s",) if name in request)]

    def reader_read(self) -> Members:
        members = self.opening("reader_read")
        return self.changed(members, offset=self.pick([0, 0, 1, 7, 39, 40, 41, 16384, 2**62]), length=self.pick([0, 1, 5, 40, 50, 20000]))

    def blind_index(self) -> Members:
        members = self.members(self.pick(self.good["blind_index"]))
        names = {"tenant": str(self.pick(STRINGS)), "table": str(self.pick(STRINGS)), "column": str(self.pick(STRINGS)), "bits": str(self.pick([8, 13, 32, 128, 256, 256, 7, 257])), "value_hex": dump(self.plaintext())}
        return [(name, names.get(name, text) if self.chance(0.5) else text) for name, text in members]

    def setting_seal(self) -> Members:
        members = self.sealing("setting_seal")
        return [(name, str(self.pick(STRINGS)) if name in {"name", "value"} and self.chance(0.4) else text) for name, text in members]

    def setting_open(self) -> Members:
        request = self.pick(self.good["setting_open"])
        text = request["text"]
        if self.chance(0.4):
            sealed = base64.urlsafe_b64decode(text[7:] + "=" * (-len(text[7:]) % 4))
            text = self.pick([
                "sealed:" + base64.urlsafe_b64encode(self.mutated_bytes(sealed)).rstrip(b"=").decode(),
                self.mutated_text(text),
                text[7:],
            ])  # fmt: skip
        return self.changed(self.members(request), text=text)

    def mutated_text(self, text: str) -> str:
        at = self.random.randrange(len(text) + 1)
        return text[:at] + str(self.pick(["", "A", "=", "-", "+", " ", "\n", "\0", "\u00e9"])) + text[at + self.pick([0, 1]) :]

    def erasure(self) -> Members:
        members = self.members(self.pick(self.good["erasure"]))
        now = self.pick([0, 1_700_000_000, 2**62])
        ids = self.random.sample(["envelope-1", "envelope-2", "envelope-3", "nobody", ""], self.random.randrange(4))
        return self.changed(members, **({"now_s": now} if self.chance(0.4) else {}), **({"key_ids": ids} if self.chance(0.4) else {}), **({"backups_expire_s": self.pick([None, 0, now, now + 1, -1])} if self.chance(0.3) else {}))

    def fernet_encrypt(self) -> Members:
        members = self.sealing("fernet_encrypt")
        return self.changed(members, now_s=self.pick([0, 1_700_000_000, 2**62, -1])) if self.chance(0.3) else members

    def fernet_decrypt(self) -> Members:
        return self.fernet("fernet_decrypt")

    def fernet_rotate(self) -> Members:
        return self.fernet("fernet_rotate")

    def fernet_timestamp(self) -> Members:
        return self.fernet("fernet_timestamp")

    def fernet(self, op: str) -> Members:
        request = self.pick(self.good[op])
        members = self.members(request)
        if self.chance(0.3):
            members = self.changed(members, token=self.mutated_text(request["token"]))
        if self.chance(0.15):
            members = self.changed(members, key=self.pick([request["key"] + "," + request["key"], request["key"][:44], self.mutated_text(request["key"]), ""]))
        if self.chance(0.2):
            members = self.changed(members, ttl_s=self.pick([None, 0, 60, 10**9, -1, -2]))
        return members

    def fernet_derive_key(self) -> Members:
        return [("op", '"fernet_derive_key"'), ("password_hex", dump(self.plaintext())), ("salt_hex", dump(self.plaintext())), ("iterations", str(self.pick([1, 2, 3, 100, 100, 0, 10_000_001])))]

    def aes_engine_open(self) -> Members:
        request = self.pick(self.good["aes_engine_open"])
        members = self.members(request)
        if self.chance(0.3):
            members = self.changed(members, text=self.mutated_text(request["text"]))
        return self.changed(members, padding=self.pick(["pkcs5", "naive", "oneandzeroes", "zeroes", "pkcs7"])) if self.chance(0.3) else members
