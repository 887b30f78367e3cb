#!/usr/bin/env python3
"""Writes fuzz/corpus: a few small inputs per target from which the fuzzer starts.

The keys are those of fuzz/src/keys.json; the inputs of tests/vectors are added where they fit.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Iterator
from pathlib import Path

FUZZ = Path(__file__).resolve().parent
VECTORS = FUZZ.parent / "tests" / "vectors"
MOST_OF_VECTORS = 12
LONGEST = 2048

KEYS = (FUZZ / "src" / "keys.json").read_bytes()
CLAIMS = [
    b'{"sub":"ann","exp":1700001800}',
    b'{"iss":"a","sub":"ann","aud":"b","iat":1700000000,"exp":1700001800,"jti":"AAAA","permissions":["document:read"],"roles":[]}',
    b'{"iss":"a","sub":"\\u0061nn","aud":["x","c"],"iat":1.7e9,"nbf":1700000000.5,"exp":17000018000e-1}',
    b'{ "sub" : "\\ud83d\\ude00" , "exp" : 1700001800 , "type" : "access" }',
    b'{"sub":"ann","exp":"1700001800"}',
    b'{"sub":"ann","sub":"bob","exp":1700001800}',
]


def json_seeds() -> Iterator[bytes]:
    yield from CLAIMS
    yield b'[[[[]]],{"a":{"b":[null,true,false,-0.5E+3,0,"\\b\\f\\n\\r\\t\\/\\\\\\""]}},""]'
    yield b"[" * 33 + b"]" * 33
    yield '{"é":"\u2028","a":1,"\\u0061":2}'.encode()
    yield b"{" + b",".join(b'"%d":%d' % (i, i) for i in range(20)) + b"}"


def jwks_seeds() -> Iterator[bytes]:
    yield KEYS
    for line in KEYS.decode().splitlines()[1:]:
        yield b'{"keys":[' + line.rstrip(",]}").encode() + b"}]}"
    yield b'{"keys":[{"kty":"OKP","crv":"X25519","x":"AA"},{"kty":"AKP","alg":"ML-DSA-44","pub":"AA"}]}'


def jws_seeds() -> Iterator[bytes]:
    for header in (
        b'{"alg":"HS256"}',
        b'{"alg":"HS256","kid":"hmac","typ":"at+jwt"}',
        b'{"alg":"none"}',
        b'{"alg":"HS256","crit":["exp"],"exp":1}',
        b'{"alg":"HS256","b64":false,"crit":["b64"]}',
        b'{"alg":"dir","enc":"A128GCM","zip":"DEF"}',
    ):
        yield header + CLAIMS[0]
        yield header + b"\n" + CLAIMS[0]
    # RFC 7515, A.3.1
    yield (
        b"eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
        b".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
    )


def token_verify_seeds() -> Iterator[bytes]:
    for which in range(3):
        yield from (bytes([which]) + claims for claims in CLAIMS)
    yield from (b"\x04" + token for token in jws_seeds())


def purpose_seeds() -> Iterator[bytes]:
    for parts in (("reset", "ann", "old hash", "new hash"), ("invite", "bob", "", "ann")):
        yield b"".join(bytes([len(part)]) + part.encode() for part in parts) + b"\x64\x04"


def refresh_seeds() -> Iterator[bytes]:
    family = struct.pack(">BBHIq16s", 1, 0, 0, 5, 1_700_000_000_000, b"family family 16")
    yield b"\0" + family + bytes([1, 4, 10, 2, 4, 10, 3, 4, 10, 1, 0, 0])
    yield b"\0" + family + bytes([0, 4, 10, 1, 1, 3, 1, 2, 4])
    key_set = struct.pack(">BB6xqq", 1, 0, -1, -1)
    yield (
        b"\1" + key_set + bytes([20, 100, 6]) + bytes([0, 10, 2, 0, 0, 5, 0, 20, 3, 0, 1, 200]) * 3
    )


def abi_seeds() -> Iterator[bytes]:
    """Each step: which keyring, which group of calls, then what these draw (see fuzz_targets/abi.rs)."""
    word = 64
    issuer = bytes([0, 2, word + 1, word + 3])
    access = bytes([0, 3, 0, word + 22, word + 7, 0, 10, 1, 4, 0, 255])
    verify = bytes([0, 4, 0, 10, word + 9, 4, 0, 255])
    yield issuer + access + verify
    yield (
        issuer
        + access
        + bytes([0, 4, 0, 10, word + 9, 4, 1, 255])
        + bytes([0, 4, 0, 10, 0, 4, 2, 5])
    )
    for which in range(8):
        yield bytes([0, 0, which, word + 16, word + 17, word + 18, 4, 4, 0, 1, 4, 0, 255])
        yield bytes([0, 0, which, word + which + 10, word + 18, word + 20, 4, 100, 0, 1, 4, 1, 6])
    yield issuer + bytes(
        [
            0,
            5,
            0,
            word + 26,
            word + 22,
            word + 13,
            100,
            4,
            0,
            255,
            0,
            5,
            0,
            word + 26,
            word + 22,
            word + 13,
            100,
            4,
            1,
            10,
        ]
    )
    for which in range(6):
        yield bytes([0, 6, word, word, 4, 4, 10, which, 1]) + bytes(
            [0, 6, 10, 10, 0, 6, 4, which, 2]
        )


def from_vectors(*fields: str) -> list[bytes]:
    found: dict[bytes, None] = {}
    for path in sorted(VECTORS.glob("*.json")):
        for case in json.loads(path.read_text())["cases"]:
            for field in fields:
                value = case["request"].get(field)
                if value is not None:
                    text = (
                        value
                        if isinstance(value, str)
                        else json.dumps(value, separators=(",", ":"))
                    )
                    found[text.encode("utf-8", "surrogatepass")] = None
    short = [text for text in found if len(text) <= LONGEST]
    return short[:: max(1, len(short) // MOST_OF_VECTORS)]


def main() -> None:
    corpus = {
        "abi": [*abi_seeds()],
        "json": [*json_seeds(), *from_vectors("claims")],
        "jwks": [*jwks_seeds(), *from_vectors("jwks", "keys")],
        "jws": [*jws_seeds(), *from_vectors("jws")],
        "purpose": [*purpose_seeds()],
        "refresh": [*refresh_seeds()],
        "token_verify": [
            *token_verify_seeds(),
            *(b"\0" + claims for claims in from_vectors("claims")),
        ],
    }
    for target, inputs in corpus.items():
        folder = FUZZ / "corpus" / target
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.iterdir():
            old.unlink()
        for content in inputs:
            (folder / hashlib.sha256(content).hexdigest()[:16]).write_bytes(content)


if __name__ == "__main__":
    main()
