#!/usr/bin/env python3
"""Writes fuzz/corpus: a few small inputs per target from which the fuzzer starts.

The keys are those of fuzz/src/keys.json; the inputs of tests/vectors are added where they fit.
"""

from __future__ import annotations

import base64
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
        b'{"alg":"HS256","x":17E800}',  # a number that no float holds
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


def plaintext(chunks: int = 0, more: int = 9, less: int = 0) -> bytes:
    """What fuzz/src/edits.rs makes a plaintext of."""
    return bytes([chunks, more, 1, less])


# The ends of chunks, and what is within them.
PLAINTEXTS = [plaintext(), plaintext(0, 0), *(plaintext(n, 0, 1) for n in (1, 2))]
PLAINTEXTS += [plaintext(1, 0), plaintext(2, 255)]
# How often, then each: where from, where to (a distance, and from where), and what.
EDITS = [
    bytes([0]),
    bytes([1, 20, 0, 3, 0, 0]),
    bytes([1, 17, 1, 0, 0, 1]),
    bytes([1, 16, 1, 0, 1, 2]),
    bytes([1, 1, 1, 0, 1, 3]),
    bytes([1, 96, 0, 0, 0, 4]),
    bytes([2, 0, 2, 56, 64, 2, 56, 3, 5, 1, 5, 1, 1]),
]


def chunked_seeds() -> Iterator[bytes]:
    for edit in EDITS:
        yield from (drawn + b"\x05place\x05plane" + edit for drawn in PLAINTEXTS)


def stream_seeds() -> Iterator[bytes]:
    pieces = bytes([0, 1, 0, 1, 255, 6, 2, 16, 8, 255])
    for edit in EDITS:
        yield from (b"\0" + drawn + edit + pieces + pieces for drawn in PLAINTEXTS)
    yield from (bytes([most]) + PLAINTEXTS[-1] + EDITS[0] + b"\xff\xff" for most in range(3))


def reader_seeds() -> Iterator[bytes]:
    ranges = bytes([0, 0, 2, 50, 17, 0, 20, 1, 24, 1, 9, 255, 16, 2, 14, 3])
    for edit in EDITS:
        yield from (drawn + edit + ranges for drawn in PLAINTEXTS)
    yield from (drawn + EDITS[0] + bytes([200, 2, 200, 2, 0, 0, 200, 5]) for drawn in PLAINTEXTS)


def envelope_header_seeds() -> Iterator[bytes]:
    for which in range(7):
        yield from (bytes([which]) + edit for edit in EDITS)
        yield from (bytes([which, 1, at, 0, bit, 0, 0]) for at in range(4, 8) for bit in range(3))


def fernet_seeds() -> Iterator[bytes]:
    made = b"\x80" + struct.pack(">Q", 1_700_000_000) + bytes(range(16))
    for which in range(2):
        for blocks in range(3):
            yield bytes([which, 4, 60]) + made + b"\0" * (16 * blocks)
        yield bytes([which, 2, 0]) + b"\x81" + made[1:] + b"\0" * 16
    # Of the specification, under its key.
    yield b"\xff\x04\x02" + (
        b"gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA=="
    )


def aes_engine_seeds() -> Iterator[bytes]:
    for padding, fill in enumerate((b"\x03\x03\x03", b"***", b"\x80\0\0", b"\0\0\x03")):
        yield bytes([padding]) + "a price in €, pad".encode()[:13] + fill
        yield bytes([padding]) + b"four thousand eurosand some" + b"\0" * 2 + fill


def settings_seeds() -> Iterator[bytes]:
    drawn = b"\x0cDATABASE_URL\x0apostgresql\x09REDIS_URL"
    yield from (drawn + edit + b"sealed:RERK" for edit in EDITS)
    yield bytes(6) + b"postgresql://app@db"


def abi_envelopes_seeds() -> Iterator[bytes]:
    """Each step: which sealer, which group of calls, then what these draw (see fuzz_targets/abi_envelopes.rs)."""
    word, last, now, all_of_it = 64, 3, 4, 255
    context, text, scope = word + 1, word + 3, word + 4
    seal = bytes([0, 2, context, text, 0, now, 0, all_of_it])
    open_ = bytes([0, 2, context, last, 0, now, 1, all_of_it])
    data_key = bytes([0, 1, scope, 0, now, 0, all_of_it])
    one = bytes([200, 1]) + bytes(7)
    passphrase = bytes([0, 0, word + 5, 0, 0, 8, 6]) + one + b"\x01"
    external = bytes([0, 0, word + 6, word + 7, word + 8, 0, 0, 0, 2])
    for capacity in (0, 3, 10, all_of_it):
        yield seal[:-1] + bytes([capacity]) + open_[:-1] + bytes([capacity])
    for source in (passphrase, external, data_key):
        yield source + b"\x01" + seal[1:] + b"\x01" + open_[1:]
        yield source + b"\x01" + data_key[1:] + bytes([1, 1, scope, last, now, 1])
    yield data_key + bytes([0, 3, 0, last, scope, now, 1, all_of_it, 0, 1, scope, last, now, 1])
    for which in range(5):
        yield seal + bytes([0, 3, 0, last, scope, now, which, all_of_it]) + open_
    push, finish = bytes([last, 1, all_of_it]), bytes([0, 0, all_of_it])
    yield bytes([0, 4, context, now, 1, all_of_it]) + b"".join(
        b"\0\x05\0" + step for step in (bytes([word, 1, all_of_it]), push, finish, finish)
    )
    yield (
        seal
        + bytes([0, 6, context, last, now, 1])
        + b"".join(b"\0\x07\0" + step for step in (push, finish, push))
    )
    yield (
        seal
        + bytes([0, 8, context, last, last, now, 0, 0, 6, context, last, now, 1])
        + bytes([0, 9, 0, last, 0, 2, all_of_it])
    )
    for bits in (8, 32, 100):
        yield bytes([0, 10, 0, scope, word + 7, text, bits, 0, 11, 0, 0, text, now, all_of_it])
    fernet = bytes([0, 10, 1, word + 12, 0, 11, 1, 0, text, now, 2, 0, all_of_it])
    yield from (fernet + bytes([0, 11, 1, 0, last, now, 2, which, 255]) for which in (1, 2, 3))
    setting = bytes([0, 11, 2, word + 9, text, now, 0, 0, all_of_it])
    yield setting + bytes([0, 11, 2, word + 9, last, now, 0, 1, all_of_it])
    yield bytes([0, 11, 2, word + 11, 0, now, 1, 2, all_of_it])
    yield bytes([0, 11, 2, word + 14, word + 15, now, 0, 5, all_of_it])


def client_address_seeds() -> Iterator[bytes]:
    """Which header and whom to trust, the peer, then the header's lines (see fuzz_targets/client_address.rs)."""
    lists = [
        "6.6.6.6, 1.2.3.4:80, [2a00::1]:443, ::1",
        "::ffff:1.2.3.4\n10.1.1.1, [::ffff:10.1.1.1]\n fe80::1%eth0 ,,unknown",
        'for=6.6.6.6, for="[2a00::1]:_p";by=10.0.0.1 ; proto=https, For="10.1.1.1:80"',
        'for="6.6.6.6, for=1.2.3.4;host="a\\", b\\\\"\nfor=unknown;;, for=10.1.1.1',
    ]
    for choice in range(9):
        yield from (bytes([choice]) + f"10.0.0.1\n{lines}".encode() for lines in lists)
        yield bytes([choice]) + b"[::1]:80\n1.2.3.4"


def limit_spec_seeds() -> Iterator[bytes]:
    texts = [
        "10/minute",
        "5 per 1 hour",
        "1 per 10 second",
        "10/second; 100/hour,1000 per day|9/3 months",
    ]
    texts += [
        " 4294967295\t/ 100 YEARS ",
        "0/second",
        "1/second;;1/hour",
        "1/101 years",
        "1/second; 2/1 seconds",
    ]
    for algorithm in range(4):
        yield from (bytes([algorithm]) + text.encode() for text in texts)
    yield b'\0{"limits":"7/second","algorithm":"token_bucket","burst":20}'
    yield b'\0{"lockout":{"attempts":5,"lock_s":900,"growth":2,"max_lock_s":86400}}'
    yield b'\0{"profile":"session-cluster/session_create"}'


def limit_state_seeds() -> Iterator[bytes]:
    """Which limits, a state, the time; then steps (see fuzz_targets/limit_state.rs)."""
    now = bytes([200]) + struct.pack("<q", 1_700_000_000_000)
    spend, one, later, back, give_back = (
        bytes([255]),
        bytes([9, 1, 99]),
        bytes([80]),
        bytes([20]),
        bytes([255, 9, 1, 0]),
    )
    states = [
        b"",
        struct.pack(">BIII", 0x11, 7, 1, 7)
        + (1_700_000_000_900).to_bytes(6)
        + struct.pack(">I", 3),
        struct.pack(">BII", 0x13, 5, 60) + (1_699_999_990_000).to_bytes(6) + struct.pack(">I", 4),
        struct.pack(">BII", 0x14, 5, 60)
        + (1_699_999_990_000).to_bytes(6)
        + struct.pack(">II", 5, 2),
        struct.pack(">BIIB", 0x15, 5, 60, 2) + 2 * (1_699_999_990_000).to_bytes(6),
        struct.pack(">BIIBB", 0x16, 5, 900, 3, 1) + (1_699_999_990_000).to_bytes(6) + bytes(6),
    ]
    for limits in range(14):
        for state in states:
            steps = 3 * (spend + one) + later + one + back + one + now[:1]
            yield bytes([limits, len(state)]) + state + now + steps
            yield (
                bytes([limits, len(state)])
                + state
                + now
                + give_back
                + now
                + spend
                + one
                + bytes([0, limits + 3])
                + one
            )


def lockout_seeds() -> Iterator[bytes]:
    names = [b"ann@example.com", b"bob@example.com", b"192.0.2.7", b"hash-1", b"hash-2", b"ann"]
    drawn = b"".join(bytes([len(name)]) + name for name in names)
    for edit in EDITS:
        yield from (
            drawn + bytes(times) + edit for times in ([100, 99], [100, 100], [100, 3], [3, 3])
        )
    yield bytes([3]) + b"ann" + bytes([3]) + b"ann" + bytes(4) + bytes([100, 10]) + EDITS[0]


def abi_limits_seeds() -> Iterator[bytes]:
    """Each step: which limits and table, which group of calls, then what these draw (see fuzz_targets/abi_limits.rs)."""
    word, last, now, all_of_it = 64, 3, 4, 255
    for limits in range(8):
        made = bytes([0, 0, 0, word + limits, 1, 0])
        spends = b"".join(
            bytes([1, 0, 3, state, now, now, 7, 1, all_of_it])
            for state in (0, last, last, word + 11)
        )
        yield made + spends + bytes([1, 0, 3, last, now, now, 7, 0, all_of_it])
        yield (
            made
            + spends[:9]
            + b"".join(
                bytes([1, 0, 2, 7, now, 3, word + 14, which, all_of_it]) for which in range(7)
            )
        )
    keys = [word + 11, word + 12, word + 13]
    for table in (8, 9, 10):
        charges = b"".join(
            bytes([0, 1, 4, key, now, now, 7, which]) for which in (3, 1, 2, 0, 3) for key in keys
        )
        yield bytes([0, 0, 1, word + table]) + charges
    token = bytes([0, 0, 5, 1, 0, 0, word + 11, word + 12, 0, now, 100, 0, all_of_it])
    yield token + bytes(
        [0, 0, 5, 1, word + 11, word + 12, word + 11, word + 12, last, now, 100, 1, all_of_it]
    )


def cookies_seeds() -> Iterator[bytes]:
    """Which way, then a header, pieces of one, or a cookie's name, domain and path (see fuzz_targets/cookies.rs)."""
    session_id = base64.urlsafe_b64encode(bytes(range(48))).decode()
    for header in (
        "__Host-session=" + session_id,
        "a=b; __Host-session=" + session_id + "; __Host-session-csrf=x",
        " \t__Host-session=x ;;__Host-session=",
        '__Host-session="' + session_id + '"',
        "__Host-session; __host-session=x; __Host-session =x",
    ):
        yield b"\0" + header.encode()
    yield from (
        b"\1" + bytes(pieces)
        for pieces in ([0, 1, 5], [3, 0, 1, 5, 2, 0, 1, 5], [6, 1, 6, 2, 3, 0, 1])
    )
    for cookie in (
        "__Host-session\n\n/",
        "__Secure-s\nexample.com\n/app",
        "session\n\n/",
        "__host-s\n\n/",
        "__Host-Http-s\n\n/",
        "a\r\nb\n.example.com.\n/;",
    ):
        yield b"\2" + cookie.encode()


def session_record_seeds() -> Iterator[bytes]:
    """A record drawn and edited, or as it stands, then a time (see fuzz_targets/session_record.rs)."""
    now = bytes([200]) + struct.pack("<q", 1_700_000_000_000) + b"\0"
    entries = b"".join(bytes([draw, 5, 9, draw % 66, 3]) for draw in (0, 1, 2, 7, 12, 13))
    for count in range(4):
        drawn = bytes([1, 1, count]) + now[:9] + entries[: 5 * count]
        yield from (drawn + edit + now for edit in EDITS)
    yield bytes([1, 255]) + now[:9] + entries
    yield from (b"\0" + record for record in records())


def records() -> list[bytes]:
    found = from_vectors("record_hex")
    return [bytes.fromhex(text.decode()) for text in found if text]


def sessions_seeds() -> Iterator[bytes]:
    """Which sessions, the time, then steps: the time again, the client, what is done, whether it is written (see
    fuzz_targets/sessions.rs)."""
    now = bytes([200]) + struct.pack("<q", 1_700_000_000_000)
    later, client, stored = bytes([80]), bytes([0, 0]), bytes([1])
    for which in range(4):
        log_in, tokens = (
            later + client + bytes([9, 0]) + stored,
            later + client + bytes([9, 2]) + stored,
        )
        steps = [
            later + client + bytes([0, 3]) + stored,
            later + bytes([2, 2]) + bytes([0, 3]) + stored,
            later + client + bytes([9, 5]) + stored,
            later + client + bytes([9, 6, 0]) + stored,
            later + client + bytes([9, 6, 1]) + stored,
            later + client + bytes([0, 7, 0, 2]) + stored,
            later + client + bytes([9, 7, 1, 1]) + stored,
            later + client + bytes([9, 7, 0, 0]) + stored,
        ]
        yield bytes([which]) + now + 4 * log_in + b"".join(steps)
        yield bytes([which]) + now + log_in + tokens + b"".join(reversed(steps))
        yield (
            bytes([which])
            + now
            + tokens
            + 3 * steps[3]
            + b"\x01"
            + steps[4][1:]
            + log_in
            + steps[0]
        )


def session_requests_seeds() -> Iterator[bytes]:
    """Method, site, origin and host, each a word and a length, then edits of the token (see
    fuzz_targets/session_requests.rs)."""
    for site in range(6):
        for origin, host in (
            (0, 3),
            (1, 3),
            (2, 3),
            (2, 7),
            (4, 4),
            (5, 6),
            (8, 9),
            (11, 3),
        ):
            yield (bytes([0, 0, site, 0, origin, 0, host, 0]) + EDITS[(site + origin) % len(EDITS)])
    yield bytes([1, 0, 3, 0, 10, 0, 9, 0, 0])
    yield (bytes([99, 0, 3, 99, 0, 0, 99, 0, 9]) + b"https://a" + bytes([99, 0, 1]) + b"a")


def revocation_set_seeds() -> Iterator[bytes]:
    """How many records of which kinds, the terms, then edits (see fuzz_targets/revocation_set.rs)."""
    terms = bytes([0, 2, 10, 200])
    for count, times in ((0, 0), (1, 1), (16, 1), (17, 1), (255, 3)):
        for kinds in (0, 0b1011, 0b11100100, 255):
            drawn = bytes([1, count, times, kinds, 2]) + terms
            yield drawn + EDITS[0] + EDITS[1 + count % 6]
    yield from (bytes([1, 40, 1, 0b11100100, 0]) + terms + EDITS[0] + edit for edit in EDITS)
    yield from (b"\0" + bytes.fromhex(text.decode()) for text in from_vectors("set_hex"))


def revocation_record_seeds() -> Iterator[bytes]:
    """The kind, the id, four times, then what is stored (see fuzz_targets/revocation_record.rs)."""
    at = bytes([200]) + struct.pack("<q", 1_700_000_000_000)
    until, iat = bytes([200]) + struct.pack("<q", 1_700_003_600), bytes([4])
    for kind in range(1, 5):
        record = struct.pack(">BBqq", 1, kind, 1_700_003_600, 1_699_999_999 * (kind == 3)) + b"ann"
        for stored in (b"", record, record[:-1], record + b"x", b"\2" + record[1:]):
            yield bytes([kind - 1, 3]) + b"ann" + at + until + iat + b"\0" + stored
        yield bytes([kind - 1, 3]) + b"ann" + at + b"\2" + iat + at + record


def store_marker_seeds() -> Iterator[bytes]:
    """A marker, the time, then steps (see fuzz_targets/store_marker.rs)."""
    now = bytes([200]) + struct.pack("<q", 1_700_000_000_000)
    marker = struct.pack(">Qqq", 1 << 56, 1_600_000_000_000, 1_699_999_999_000)
    for first in (marker, marker[:-1] + b"\xff", bytes(24), b"\1" * 24):
        yield (
            first + now + bytes([100, 99, 200, 99, 17, 99, 30, 99, 0, 99, 3, 99, 2, 99, 18, 3, 99])
        )
        yield (first + now + bytes([255, 99, 16, 0, 99, 16, 2, 99, 255, 1, 100, 255, 1, 0]))
    # Two histories of one count: the store is set back to before what was written, then has what was found first.
    yield bytes.fromhex(
        "010000000000000200000174876e800000008000c86311631e63006303630263125b0363"
    )


def abi_sessions_seeds() -> Iterator[bytes]:
    """Each step: which sessions, which group of calls, then what these draw (see fuzz_targets/abi_sessions.rs)."""
    word, kept, now, all_of_it = 64, 3, 4, 255
    here = bytes([word + 6, word + 8])
    for config in range(5):
        made = bytes([0, 0, word + config, 1])
        which = bytes([0 if config in (0, 4) else 1])
        for family in (0, 1):
            begin = (
                which
                + bytes([2, kept, word + 5])
                + here
                + bytes([word + 9, word + 5, now, 0, family, 0, all_of_it])
            )
            check = which + bytes([4, kept, kept, word + 5]) + here + bytes([word + 5, now, 0])
            yield (
                made
                + 3 * begin
                + b"".join(check + bytes([call, 7, 0, 0, all_of_it]) for call in range(3))
            )
            yield (
                made
                + 2 * begin
                + b"".join(
                    which + bytes([6, kept, kept, word + 5, now, 0, call, output, all_of_it])
                    for call in range(4)
                    for output in (0, 1)
                )
            )
    for call in range(6):
        yield bytes([0, 1, word + 5, word + 14, word + 15, call, all_of_it])
    for site in (11, 19, 0):
        yield bytes([0, 7, word + 14, word + 10, word + site, word + 12, word + 13, word + 14])


def abi_revocation_seeds() -> Iterator[bytes]:
    """Each step: which rules, keyring and set, which group of calls, then what these draw (see
    fuzz_targets/abi_revocation.rs)."""
    word, last, now, all_of_it = 64, 3, 4, 255
    first = bytes([0, 0, 0])
    for kind in range(1, 5):
        write = first + bytes([2, word + 3, word + 4, 0, kind, now, now, 0, 1, all_of_it])
        again = first + bytes([2, word + 3, word + 4, last, kind, now, now, 0, 1, all_of_it])
        yield (
            write
            + again
            + first
            + bytes([2, word + 3, word + 4, 0, kind, now, now, 0, 0, all_of_it])
        )
    for call in range(3):
        for values in (0, 7, 8):
            yield first + bytes([1, word + 3, 0, 0, 0, word + values, now, 0, call, all_of_it])
            yield first + bytes(
                [
                    1,
                    word + 3,
                    word + 4,
                    word + 5,
                    word + 6,
                    word + values,
                    now,
                    0,
                    call,
                    all_of_it,
                ]
            )
    yield 3 * (first + bytes([3, last, last, 100, now]))
    second = bytes([0, 1, 0])
    for records in (0, 9, 10, 11):
        sign = second + bytes([4, word + records, 9, 0, 2, now, 60, all_of_it])
        opened = second + bytes([5, last, 0, now])
        yield (
            sign
            + opened
            + second
            + bytes([6, word + 3, word + 4, word + 5, word + 6, now, now])
            + second
            + bytes([7, all_of_it])
        )


def from_vectors(*fields: str, of: str = "*") -> list[bytes]:
    found: dict[bytes, None] = {}
    for path in sorted(VECTORS.glob(f"{of}.json")):
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
        "abi_envelopes": [*abi_envelopes_seeds()],
        "abi_limits": [*abi_limits_seeds()],
        "abi_revocation": [*abi_revocation_seeds()],
        "abi_sessions": [*abi_sessions_seeds()],
        "aes_engine": [
            *aes_engine_seeds(),
            *(b"\0" + text for text in from_vectors("text")),
        ],
        "breach": [*breach_seeds(), *(b"\0" + range_ for range_ in from_vectors("range"))],
        "casbin": [*casbin_seeds(), *from_vectors("csv")],
        "chunked": [*chunked_seeds()],
        "client_address": [*client_address_seeds()],
        "cookies": [*cookies_seeds(), *(b"\0" + header for header in from_vectors("header"))],
        "envelope_header": [
            *envelope_header_seeds(),
            *(b"\xff" + bytes.fromhex(text.decode()) for text in from_vectors("envelope_hex")),
        ],
        "fernet": [
            *fernet_seeds(),
            *(b"\xff\x04\x02" + token for token in from_vectors("token", of="fernet")),
        ],
        "limit_spec": [
            *limit_spec_seeds(),
            *(b"\0" + text for text in from_vectors("spec", "config", of="limits-*")),
        ],
        "limit_state": [*limit_state_seeds()],
        "lockout": [*lockout_seeds()],
        "permission": [*permission_seeds()],
        "policy": [*policy_seeds(), *(b"\0" + policy for policy in from_vectors("policy"))],
        "reader": [*reader_seeds()],
        "revocation_record": [*revocation_record_seeds()],
        "revocation_set": [*revocation_set_seeds()],
        "session_record": [*session_record_seeds()],
        "session_requests": [*session_requests_seeds()],
        "sessions": [*sessions_seeds()],
        "settings": [*settings_seeds()],
        "store_marker": [*store_marker_seeds()],
        "stored_hash": [*stored_hash_seeds(), *from_vectors("hash")],
        "stream": [*stream_seeds()],
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
