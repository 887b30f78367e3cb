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


def stored_hash_seeds() -> Iterator[bytes]:
    salt, hash_ = b"$c29tZXNhbHRzb21lc2FsdA$", b"A" * 43
    for params in (b"m=65536,t=3,p=1", b"m=8,t=1,p=1", b"m=2097152,t=4,p=16", b"m=7,t=0,p=1"):
        yield b"$argon2id$v=19$" + params + salt + hash_
    for prefix in (b"$argon2i", b"$argon2d", b"argon2$argon2id", b"$argon2id"):
        yield prefix + b"$v=19$m=65536,t=3,p=4,keyid=DoU6Ujt/Hkw" + salt + hash_
    bcrypt = b"$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW"
    yield from (
        prefix + bcrypt for prefix in (b"$2a", b"$2b", b"$2y", b"bcrypt$$2b", b"bcrypt_sha256$$2b")
    )
    for digest, length in ((b"256", 43), (b"512", 86)):
        yield b"$pbkdf2-sha" + digest + b"$29000$c2FsdHNhbHQ$" + b"A" * length
        yield b"pbkdf2_sha" + digest + b"$600000$saltsalt$" + b"A" * length + b"=" * (-length % 4)
    yield b"$scrypt$ln=14,r=8,p=1$c2FsdHNhbHQ$" + hash_
    yield b"scrypt$16384$saltsalt$8$5$" + b"A" * 86 + b"=="


def strength_seeds() -> Iterator[bytes]:
    for inputs in (b"", b'["ann","ann.smith@example.org","Smith"]'):
        for password in (
            "password",
            "P@ssw0rd2024!",
            "Lanterns-over-7-Quiet-Harbours",
            "ann.smith1A!",
            "Ünïcödé-Pässwört7",
        ):
            yield from (
                bytes([profile, len(inputs)]) + inputs + password.encode() for profile in range(3)
            )
    # As long as a password may be, and slow to judge if anything is
    own = json.dumps([f"{number:x}".rjust(12, "a") for number in range(15)]).encode()
    for unit in ("a", "ab4", "quiet basalt otter ", "aaaaaaaaaaab"):
        yield bytes([0, len(own)]) + own + (unit * 4096)[:4095].encode()


def breach_seeds() -> Iterator[bytes]:
    lines = [
        b"0018A45C4D1DEF81644B54AB7F969B88D65:10",
        b"1E4C9B93F3F0682250B6CF8331B7EE68FD8:3861493",
    ]
    yield b"\0" + b"\r\n".join(lines)
    yield b"\1" + b"\n".join(lines).lower() + b"\n"
    yield b"\0" + lines[0] + b"\r\n" + lines[1][:36] + b"0\r\n"
    yield b"\0<html><title>429 Too Many Requests</title></html>"


def permission_seeds() -> Iterator[bytes]:
    for granted, required in (
        ("document", "document:read:42"),
        ("document:read,update", "document:update"),
        ("document:*", "document"),
        ("*:read,*", "document:write"),
        ("a:b:c:d:e:f:g:h", "a:b:c:d:e:f:g:h:i"),
        ("doc*", "document:{id}"),
        ("!document", "document\u200b:re\u202ead\u00ad"),
        ("a\u2060:b\u061c,c\ufeff", "d\u180e:\ufffd\U000e0041"),
    ):
        yield f"{granted}\n{required}".encode()


POLICY = (
    b'{"name":"documents","permissions":["document:create","document:read:{id}","document:delete"],'
    b'"roles":{"viewer":{"description":"reads","allow":["document:read"]},'
    b'"editor":{"inherits":["viewer"],"allow":["document:create"],"deny":["document:read:13"]},'
    b'"admin":{"allow":["*"]}},"constraints":{'
    b'"static_separation":[{"roles":["viewer","admin"],"at_most":1}],'
    b'"dynamic_separation":[{"roles":["editor","admin"],"at_most":1}],'
    b'"cardinality":[{"role":"admin","at_most":1}]}}'
)


def policy_seeds() -> Iterator[bytes]:
    yield b"\0" + POLICY
    yield b'\0{"permissions":["a"],"roles":{"r":{"inherits":["r"]}}}'
    roles = bytes([0, 1, 1, 3, 0, 1, 5, 1, 0, 1, 1, 1, 3, 2, 2, 6, 2, 1, 1, 7, 4, 0, 2])
    for held, token in ((3, 0), (15, 1), (0x5E, 2)):
        yield b"\1" + roles + bytes([0, held, held & 1, token, 0, 0, 1, 3]) + bytes(range(40))
        yield b"\1" + roles + bytes([7, held, 1, token, 2, 3, 0, 1]) + bytes(range(80, 20, -1))


def casbin_seeds() -> Iterator[bytes]:
    yield b"p, editor, document, read\np, admin, document, delete\ng, ann, editor\ng, admin, editor\n"
    yield b'# a comment\n\n p , ann , "document" , read , allow\np, ann, document, read, deny\r\n'
    yield b"p, editor, doc*, read\ng, ann, editor, tenant\np2, a, b, c\n"


def abi_passwords_seeds() -> Iterator[bytes]:
    """Each step: which hasher, which group of calls, then what these draw (see fuzz_targets/abi_passwords.rs)."""
    word = 64
    for hasher in range(2):
        made = bytes([hasher, 1, word + 6, 0, 4, 0, 255])
        yield made + bytes([hasher, 1, word + 6, 3, 4, 1]) + bytes([hasher, 1, word + 7, 3, 4, 1])
        yield made + bytes([hasher, 1, word + 7, word + 12, 4, 2]) + bytes([hasher, 2, 3, 3, 4])
    for config in range(1, 6):
        yield bytes([0, 0, word + config]) + b"".join(
            bytes([0, 2, 0, word + stored, 4]) for stored in range(12, 16)
        )
    for which in range(4):
        yield b"".join(
            bytes([0, 3, word + 6, word + 8, word + other, which, 255]) for other in (9, 10, 16)
        )


def abi_roles_seeds() -> Iterator[bytes]:
    """Each step: which policy, which group of calls, then what these draw (see fuzz_targets/abi_roles.rs)."""
    word = 64
    for roles, token in ((4, 0), (5, word + 7), (6, 0)):
        subject = bytes([0, 4, word + roles, word + 17 if roles == 4 else 0, token])
        yield subject + b"".join(
            bytes([0, 5, 0, word + asked, instance, 0])
            for asked in range(10, 15)
            for instance in (0, word + 15)
        )
        yield subject + b"".join(
            bytes([0, 5, 0, word + asked, 0, 3, mode, 255])
            for asked in (7, 8, 9)
            for mode in (1, 2)
        )
        yield subject + bytes([0, 5, 0, word + 18, 0, 1, 0, 5, 0, 0, 0, 2, 255])
    for document in range(4):
        yield bytes([0, 0, word + document, 0, 1, word + document, 0, 0, 255]) + b"".join(
            bytes([0, 2, form, which, 255]) for which in range(5) for form in range(3)
        )
    yield b"".join(
        bytes([0, 1, word + 20 + which - 1, word + 10, which, 255]) for which in (1, 2, 3, 4)
    )
    yield b"".join(bytes([0, 3, word + 5, word + 19, 6, which, 255]) for which in range(4))


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
        "abi_passwords": [*abi_passwords_seeds()],
        "abi_roles": [*abi_roles_seeds()],
        "breach": [*breach_seeds(), *(b"\0" + range_ for range_ in from_vectors("range"))],
        "casbin": [*casbin_seeds(), *from_vectors("csv")],
        "permission": [*permission_seeds()],
        "policy": [*policy_seeds(), *(b"\0" + policy for policy in from_vectors("policy"))],
        "stored_hash": [*stored_hash_seeds(), *from_vectors("hash")],
        "strength": [*strength_seeds()],
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
