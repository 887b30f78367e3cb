"""Requests that build on answers: a record that was written is what the next request reads."""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
from pathlib import Path
from typing import Any

from texts import Members, Texts, dump, line_of

NOW = 1_700_000_000
NOW_MS = NOW * 1000

Answer = dict[str, Any]


class Player:
    """The shim of one host, asked line by line. The answers are not compared here: what was asked is, later."""

    def __init__(self, shim: Path, host: str) -> None:
        self.process = subprocess.Popen([shim, host], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def answer(self, members: Members) -> Answer:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(line_of(members).encode() + b"\n")
        self.process.stdin.flush()
        answer: Answer = json.loads(self.process.stdout.readline())
        return answer

    def close(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait()


def secret(label: str, purpose: str, status: str = "primary") -> Answer:
    key = base64.urlsafe_b64encode(hashlib.sha256(f"cross-language: {label}".encode()).digest()).rstrip(b"=").decode()
    return {"kty": "oct", "kid": label, "k": key, "alg": "HS256", "purpose": purpose, "status": status}


class Played(Texts):
    """What the operations of sessions and of revocation share."""

    player: Player

    def play(self, members: Members, **given: Any) -> Answer:
        """What the first host answers to these members, some of them changed; nothing if it refuses."""
        answer = self.player.answer([(name, dump(given[name]) if name in given else text) for name, text in members])
        return answer if answer["ok"] else {}

    def flipped(self, data: bytes) -> bytes:
        """One thing done to bytes."""
        if not data:
            return self.random.randbytes(self.pick([1, 24, 60]))
        at = self.random.randrange(len(data))
        return bytes(self.pick([data[:at], data + b"\0", data[:at] + bytes([data[at] ^ 1 << self.random.randrange(8)]) + data[at + 1 :], data[:at] + data[at + 1 :]]))
