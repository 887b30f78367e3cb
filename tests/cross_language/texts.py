"""Chance, and JSON as text: duplicate members, spellings of numbers and of strings are the point."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

NUMBERS = [
    "0", "-0", "1", "-1", "7", "1.0", "-1.0", "1e3", "1E+3", "1e-3", "0.5", "0e0", "0.0", "10e-1", "1.5e1", "300", "301",
    "1699999999", "1700000000", "1700000000.0", "1700000000.5", "1700000001", "1700000600", "1700000600.25", "17000006e2", "1.7e9", "1.7000006e9",
    "9007199254740993", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809",
    "18446744073709551616", "123456789012345678901234567890", "1e400", "1e-400", "0.1e1", "4294967295", "4294967296", "1e9999999999999999999",
]  # fmt: skip
BAD_NUMBERS = ["01", "+1", "1.", ".5", "1e", "0x10", "NaN", "Infinity", "-Infinity", "--1", "1_000", "-"]
STRINGS = [
    '""', '"a"', '"ann"', '"api"', '"at+jwt"', '"rt+jwt"', '"https://issuer.example"', '"https:\\/\\/issuer.example"', '"\\u0061nn"', '"Zo\u00eb"', '"Zo\\u00eb"', '"e\u0301"', '"\u4e2d\u6587"',
    '"\U0001f600"', '"\\ud83d\\ude00"', '"a b"', '"\\"\\\\\\/"', '"\\b\\f\\n\\r\\t"', '"\\u0000"', '"\\u001f\\u007f"', '"<script>&</script>"', '"\u2028\u2029"', '"\\u2028"', '"\u007f"', '"\ufeff"', '"\\u005C"',
]  # fmt: skip
BAD_STRINGS = ['"\\ud800"', '"\\udc00a"', '"\\ude00\\ud83d"', '"\\x41"', '"\\u00"', '"a', '"a\tb"', "'a'", '"\\"', "a"]
NAMES = ["iss", "sub", "aud", "exp", "nbf", "iat", "jti", "permissions", "roles", "family", "generation", "token_type", "name", "x", "", "\u00e9", "a/b", "__proto__", "constructor", "sfp", "typ"]


def dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


Members = list[tuple[str, str]]


def line_of(members: Members) -> str:
    return "{" + ",".join(f"{dump(name)}:{text}" for name, text in members) + "}"


class Texts:
    """A seeded source of JSON texts, good ones and others."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    # ---- chance ----

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def pick(self, options: list[Any]) -> Any:
        return self.random.choice(options)

    def chosen(self, options: list[Callable[[], str]]) -> str:
        return self.random.choice(options)()

    # ---- JSON text ----

    def value(self, depth: int = 0) -> str:
        kind = self.random.random()
        if kind < 0.3:
            return str(self.pick(NUMBERS))
        if kind < 0.6:
            return str(self.pick(STRINGS))
        if kind < 0.72:
            return str(self.pick(["null", "true", "false"]))
        if kind < 0.74:
            return str(self.pick(BAD_NUMBERS + BAD_STRINGS))
        if kind < 0.76:
            levels = int(self.pick([3, 10, 31, 32, 33, 60, 200]))
            return "[" * levels + "]" * levels
        if depth > 2:
            return "[]"
        inner = [self.value(depth + 1) for _ in range(self.random.randrange(4))]
        if kind < 0.88:
            return "[" + ",".join(inner) + "]"
        names = self.random.sample(NAMES, len(inner))
        return "{" + ",".join(f"{dump(name)}:{text}" for name, text in zip(names, inner)) + "}"

    def space(self) -> str:
        return str(self.pick(["", "", " ", "\t", " \r "]))

    def respaced(self, text: str) -> str:
        """White space where JSON allows it, and nowhere else."""
        out, in_string, escaped = [], False, False
        for letter in text:
            out.append(letter)
            if in_string:
                in_string = escaped or letter != '"'
                escaped = not escaped and letter == "\\"
            else:
                in_string = letter == '"'
                if letter in ",:[{" and self.chance(0.2):
                    out.append(self.space())
        return "".join(out)

    def mutated_json(self, text: str) -> str:
        """The text with one thing done to it: now and then nothing that matters."""
        at = self.random.randrange(len(text) + 1)
        done: list[Callable[[], str]] = [
            lambda: self.respaced(text),
            lambda: text.replace('"', '"\\u0061', 1) if '"' in text else text,
            lambda: text[:at] + text[at + 1 :],
            lambda: text[:at] + str(self.pick([",", '"', "{", "}", "[", "]", " ", "\\", "0", "x", "\u00e9"])) + text[at:],
            lambda: text[:at],
            lambda: text + str(self.pick([" ", "x", "{}", ",", "\u00a0"])),
            lambda: text.replace("}", "," + dump(self.pick(NAMES)) + ":" + self.value() + "}", 1),
            lambda: text.replace("{", "{" + dump(self.pick(NAMES)) + ":" + self.value() + ",", 1),
            lambda: text.replace("1700", str(self.pick(["1701", "1.7e9,", "17e2", "-1700"])), 1),
        ]
        return self.chosen(done)

    def members(self, request: dict[str, Any]) -> Members:
        return [(name, dump(value)) for name, value in request.items()]
