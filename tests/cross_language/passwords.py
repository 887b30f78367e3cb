"""Requests about passwords: small ones, for three hosts hash each."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

from texts import STRINGS, Members, Texts, dump

ROOT = Path(__file__).resolve().parents[2]
# What takes a host long: the default parameters.
DEAR = "m=65536,"


def b64(data: bytes) -> str:
    return base64.b64encode(data).rstrip(b"=").decode()


class Passwords(Texts):
    """The operations of passwords."""

    good: dict[str, list[dict[str, Any]]]

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.common = (ROOT / "src/password/common.txt").read_text().splitlines()

    def password(self) -> bytes:
        kind = self.random.random()
        if kind < 0.6:
            return self.random.randbytes(self.pick([0, 1, 8, 12, 20, 72, 73, 100]))
        return "".join(self.pick(["pass", "word", "\u00e4", "\u2603", "\U0001f600", " ", "\0", "42"]) for _ in range(self.random.randrange(8))).encode()

    def password_hash(self) -> Members:
        password, salt = self.password(), self.random.randbytes(self.pick([16, 16, 16, 16, 16, 8, 9, 24, 48, 48, 7, 49, 0]))
        lanes = self.pick([1, 1, 1, 1, 1, 2, 2, 3, 4, 5, 16, 0, 17])
        memory = 8 * lanes + self.pick([0, 0, 1, 7, 8, 23, 92, 120, 192, -1])
        members = [("op", '"password_hash"'), ("password_hex", dump(password.hex())), ("m_kib", str(memory)), ("t", str(self.pick([1, 1, 1, 1, 2, 2, 3, 3, 5, 0]))), ("p", str(lanes)), ("salt_hex", dump(salt.hex()))]
        if self.chance(0.2):
            members += [(name, dump(value)) for name, value in self.pick(self.good["password_hash"]).items() if name in {"keyring", "now_s"}]
        if self.chance(0.2):
            members.append(("config", self.hasher_config()))
        return members

    def hasher_config(self) -> str:
        config = [("memory_kib", str(self.pick([8, 16, 64]))), ("time_cost", str(self.pick([1, 2]))), ("allow_weak", "true")]
        odd = [("salt_len", str(self.pick([8, 16, 7]))), ("hash_len", str(self.pick([12, 32, 64, 65]))), ("max_wait_ms", str(self.pick([0, 1000, 60001]))), ("memory_budget_kib", str(self.pick([64, 1024, 8]))), ("legacy", str(self.pick(['["bcrypt"]', "[]", '["md5"]', "null"]))), ("preset", str(self.pick(['"default"', '"none"']))), ("allow_weak", "true"), (str(self.pick(STRINGS))[1:-1].encode("ascii", "ignore").decode().replace("\\", "") or "x", "1")]
        config += self.random.sample(odd, self.random.randrange(3))
        text = "{" + ",".join(f"{dump(name)}:{value}" for name, value in config) + "}"
        return self.respaced(text) if self.chance(0.3) else text

    def password_verify(self) -> Members:
        request = self.pick(self.good["password_verify"])
        while DEAR in request["hash"]:
            request = self.pick(self.good["password_verify"])
        members = self.members(request)
        if self.chance(0.25):
            # No digits: a cost of one more can take a second.
            at = self.random.randrange(len(request["hash"]) + 1)
            letter = str(self.pick(["A", "b", ".", "/", "+", "=", "$", ",", " ", "", "\u00e9", "\n", "\0"]))
            members = [(name, dump(request["hash"][:at] + letter + request["hash"][at + 1 :]) if name == "hash" else text) for name, text in members]
        if self.chance(0.15):
            members = [(name, dump(self.password().hex()) if name == "password_hex" else text) for name, text in members]
        if self.chance(0.15):
            members = [(name, str(self.pick(["true", "false"])) if name == "legacy" else text) for name, text in members]
        return members

    def password_needs_rehash(self) -> Members:
        if self.chance(0.4):
            return self.members(self.pick(self.good["password_needs_rehash"]))
        memory, passes, lanes = self.pick([65536, 19456, 8, 4194304, 7]), self.pick([1, 2, 3, 3, 0]), self.pick([1, 1, 1, 4, 17])
        stored = f"$argon2id$v=19$m={memory},t={passes},p={lanes}${b64(self.random.randbytes(self.pick([16, 16, 8, 48, 7])))}${b64(self.random.randbytes(self.pick([32, 32, 12, 64, 11])))}"
        return [("op", '"password_needs_rehash"'), ("hash", dump(stored)), ("legacy", str(self.pick(["true", "false"])))]

    def password_strength(self) -> Members:
        kind = self.random.random()
        if kind < 0.4:
            password = str(self.pick(self.common))
            password = "".join(self.pick([c, c, c, c.upper(), {"a": "@", "e": "3", "i": "1", "o": "0", "s": "$"}.get(c, c)]) for c in password)
            password = str(self.pick(["", "!", "2024", "##"])) + password + str(self.pick(["", "!", "123", "2024!", "\u00e9"]))
        elif kind < 0.7:
            password = "".join(self.pick(list("abcXYZ0189!@#$ -_\u00e9\u00c9\u00df\u4e2d\u01c5\u0130\u03a3\u0661\u00b2")) for _ in range(self.random.randrange(20)))
        else:
            password = "".join(self.pick(["Ann", "miller", "example", "42", "!", "M1ll3r", "nnA", "-", "zebra", "Quartz"]) for _ in range(self.random.randrange(6)))
        inputs = self.random.sample(["Ann Miller", "ann.miller@example.com", "", "\u00c9lo\u00efse", "zo", "42", "\u0130stanbul"], self.random.randrange(4))
        members = [("op", '"password_strength"'), ("password", dump(password)), ("user_inputs", dump(inputs))]
        if self.chance(0.3):
            members.append(("profile", str(self.pick(['"composition"', '"nist-800-63b-4"', '"nist-800-63b-4-mfa"', '""', "null", '"none"']))))
        return members

    def breach_prefix(self) -> Members:
        return [("op", '"breach_prefix"'), ("password_hex", dump(self.password().hex()))]

    def breach_count(self) -> Members:
        password = self.password()
        own = hashlib.sha1(password).hexdigest().upper()[5:]
        lines = [f"{hashlib.sha1(self.random.randbytes(8)).hexdigest().upper()[5:]}:{self.random.randrange(10**6)}" for _ in range(self.random.randrange(1, 6))]
        if self.chance(0.5):
            lines.insert(self.random.randrange(len(lines) + 1), f"{own if self.chance(0.5) else own.lower()}:{self.pick([0, 1, 52256179, 2**63 - 1, 2**64 - 1, 2**64])}")
        body = str(self.pick(["\n", "\r\n"])).join(lines) + str(self.pick(["", "", "\n", "\r\n", "\n\n"]))
        if self.chance(0.15):
            at = self.random.randrange(len(body) + 1)
            body = body[:at] + str(self.pick(["", " ", ":", "x", "\n", "\r", "\u00e9"])) + body[at + 1 :]
        return [("op", '"breach_count"'), ("password_hex", dump(password.hex())), ("range", json.dumps(body))]

