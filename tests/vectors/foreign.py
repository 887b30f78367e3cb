#!/usr/bin/env python3
"""Writes golden/foreign.json: password hashes as the libraries wrote them that people come from.

Run once, with passlib 1.7.4, Django 5.2.19, bcrypt 5.0.0 and argon2-cffi 25.1.0. What these wrote must be read for ever,
so no test runs this again: `generate.py` takes the file as it is. Salts are from labels, costs are the lowest that the
libraries take, for valgrind's sake.
"""

from __future__ import annotations

import hashlib
import json
import sys
from importlib.metadata import version as version_of
from pathlib import Path
from typing import Any

import bcrypt
import django
import passlib
from argon2.low_level import Type, hash_secret
from django.conf import settings
from passlib.hash import pbkdf2_sha256, pbkdf2_sha512, scrypt

sys.dont_write_bytecode = True

from generator.keys import stream

settings.configure()
from django.contrib.auth import hashers


class Sha512(hashers.PBKDF2PasswordHasher):
    """As Django's documentation has people write it."""

    algorithm = "pbkdf2_sha512"
    digest = hashlib.sha512


PASSWORDS = {
    "words": b"correct horse battery staple",
    "the empty password": b"",
    "letters beyond ASCII": "p\u00e4ssw\u00f6rd \u2603 \U0001f600".encode(),
    "bytes that are no text": bytes(range(255, 230, -1)),
    "a NUL within": b"ab\x00cd",
    "72 bytes": b"0123456789" * 7 + b"ab",
    "73 bytes": b"0123456789" * 7 + b"abc",
    "200 bytes": b"0123456789" * 20,
}
TEXTS = [name for name in PASSWORDS if name not in {"bytes that are no text"}]


def bcrypt_salt(label: str, prefix: bytes, cost: int) -> bytes:
    """As bcrypt.gensalt writes it: 16 bytes in bcrypt's own base64, whose last letter has four bits of nothing."""
    alphabet = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
    bits = "".join(f"{byte:08b}" for byte in stream(f"bcrypt {label}", 16)) + "0000"
    letters = "".join(alphabet[int(bits[at : at + 6], 2)] for at in range(0, 132, 6))
    return b"$" + prefix + b"$%02d$" % cost + letters.encode()


def cases() -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []

    def add(maker: str, scheme: str | None, name: str, password: bytes, text: str, **more: Any) -> None:
        made.append({"maker": maker, "scheme": scheme, "name": name, "password_hex": password.hex(), "hash": text} | more)

    for name, password in PASSWORDS.items():
        for prefix in (b"2b", b"2a", b"2y") if name == "words" else (b"2b",):
            # The package refuses more than 72 bytes since its version 5; before, it left the rest out, as here.
            text = bcrypt.hashpw(password[:72], bcrypt_salt(name, prefix, 4)).decode()
            cut = {"truncated": True} if len(password) > 72 else {}
            add(f"bcrypt {bcrypt.__version__}", "bcrypt", f"{name}, {prefix.decode()}", password, text, **cut)
    add(f"bcrypt {bcrypt.__version__}", "bcrypt", "cost 6", b"cost", bcrypt.hashpw(b"cost", bcrypt_salt("cost", b"2b", 6)).decode())

    for name, password in PASSWORDS.items():
        for hasher in (pbkdf2_sha256, pbkdf2_sha512):
            if b"\x00" not in password:
                text = hasher.using(rounds=3, salt=stream(f"pbkdf2 {name}", 16)).hash(password)
                add(f"passlib {passlib.__version__}", "pbkdf2", f"{name}, {hasher.name}", password, text)
        if b"\x00" not in password:
            text = scrypt.using(rounds=4, block_size=8, parallelism=1, salt=stream(f"scrypt {name}", 16)).hash(password)
            add(f"passlib {passlib.__version__}", "scrypt", f"{name}, scrypt", password, text)
    add(f"passlib {passlib.__version__}", "scrypt", "two lanes", b"lanes", scrypt.using(rounds=5, block_size=4, parallelism=2, salt=stream("lanes", 24)).hash(b"lanes"))
    add(f"passlib {passlib.__version__}", "pbkdf2", "a salt of 32 bytes", b"salt", pbkdf2_sha256.using(rounds=2, salt=stream("salt", 32)).hash(b"salt"))
    # passlib's letters for 62 and 63 are `.` and `/`: a salt of ones shows them.
    add(f"passlib {passlib.__version__}", "pbkdf2", "a salt of ones", b"salt", pbkdf2_sha256.using(rounds=1, salt=b"\xff\xef\xbe" * 5).hash(b"salt"))

    version = f"Django {django.__version__}"
    for name in TEXTS:
        password = PASSWORDS[name].decode()
        salt = stream(f"django {name}", 11).hex()
        for hasher in (hashers.PBKDF2PasswordHasher(), Sha512()):
            add(version, "pbkdf2", f"{name}, {hasher.algorithm}", PASSWORDS[name], hasher.encode(password, salt, iterations=3))
        sha256 = hashers.BCryptSHA256PasswordHasher()
        add(version, "bcrypt", f"{name}, {sha256.algorithm}", PASSWORDS[name], sha256.encode(password, bcrypt_salt(name, b"2b", 4)))
        if len(PASSWORDS[name]) <= 72:
            plain = hashers.BCryptPasswordHasher()
            add(version, "bcrypt", f"{name}, {plain.algorithm}", PASSWORDS[name], plain.encode(password, bcrypt_salt(name, b"2b", 4)))
        add(version, "scrypt", f"{name}, scrypt", PASSWORDS[name], hashers.ScryptPasswordHasher().encode(password, salt, n=16, r=8, p=1))
    argon = hashers.Argon2PasswordHasher()
    argon.time_cost, argon.memory_cost, argon.parallelism = 1, 64, 2
    add(version, None, "words, argon2", PASSWORDS["words"], argon.encode("correct horse battery staple", "somesaltsomesalt"))

    def argon2_cffi(scheme: str | None, name: str, password: bytes, kind: Type, *, t: int = 1, m: int = 32, p: int = 1, size: int = 32) -> None:
        text = hash_secret(password, stream(f"argon2 {name}", 16), time_cost=t, memory_cost=m, parallelism=p, hash_len=size, type=kind).decode()
        add(f"argon2-cffi {version_of('argon2-cffi')}", scheme, name, password, text)

    for name, password in PASSWORDS.items():
        argon2_cffi(None, f"{name}, argon2id", password, Type.ID)
    argon2_cffi(None, "three passes and four lanes, argon2id", b"lanes", Type.ID, t=3, m=256, p=4)
    argon2_cffi(None, "a hash of 64 bytes, argon2id", b"long", Type.ID, size=64)
    argon2_cffi("argon2i", "words, argon2i", PASSWORDS["words"], Type.I, t=3, m=64, p=2)
    argon2_cffi("argon2d", "words, argon2d", PASSWORDS["words"], Type.D, t=2, m=64, p=2)
    return made


def main() -> None:
    document = {
        "description": "Hashes as the libraries wrote them that people come from, each good for its password. `scheme` is the one to enable, null for Argon2id.",
        "source": "foreign.py beside this folder; run once",
        "cases": cases(),
    }
    path = Path(__file__).resolve().parent / "golden/foreign.json"
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="ascii")


if __name__ == "__main__":
    main()
