"""Password hashes: making them, reading them, refusing them (RFC 9106, C2SP phc-strings; ATTACKS.md 22 to 24)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .jose import b64u
from .keys import HS256, Secret, stream
from .phc import OLD_PEPPER, PEPPER, b64, keyid, phc
from .suite import NOW, Suite, refusal

SALT = stream("password salt", 16)
WORDS = b"correct horse battery staple"
PASSWORD_MAX = 4096
FOREIGN = Path(__file__).resolve().parents[1] / "golden/foreign.json"
LEGACY = ("bcrypt", "pbkdf2", "scrypt", "argon2i", "argon2d")
ODD = {
    "empty": b"", "one byte": b"a", "a NUL": b"\x00", "a NUL within": b"ab\x00cd", "a NUL at the end": b"ab\x00", "bytes that are no text": b"\xff\xfe\x80", "half of a character": b"\xc3",
    "letters beyond ASCII": "p\u00e4ssw\u00f6rd \u2603 \U0001f600".encode(), "letters decomposed": "pa\u0308ss".encode(), "white space around": b" \tpassword\r\n ", "72 bytes": b"x" * 72, "73 bytes": b"x" * 73,
    "128 bytes, and more": b"0123456789" * 20, "as long as may be": b"x" * PASSWORD_MAX,
}  # fmt: skip


def ring(*peppers: dict[str, Any]) -> dict[str, Any]:
    return {"keys": list(peppers)}


PEPPERED = ring(PEPPER.jwk(purpose="password-pepper", status="primary"))
ROTATED = ring(PEPPER.jwk(purpose="password-pepper", status="primary"), OLD_PEPPER.jwk(purpose="password-pepper", status="verify-only"))


def suites() -> Iterator[Suite]:
    yield hashing()
    yield verifying()
    yield strings()
    yield legacy()
    yield rehashing()


def hashing() -> Suite:
    suite = Suite("password-hashing", "What a hasher makes of a password, its parameters and its salt.", "RFC 9106; C2SP phc-strings; ATTACKS.md 22 and 24")

    def make(name: str, password: bytes, *, salt: bytes = SALT, m: int = 8, t: int = 1, p: int = 1, error: str | None = None, attack: int | None = None, **more: Any) -> None:
        request = {"op": "password_hash", "password_hex": password.hex(), "m_kib": m, "t": t, "p": p, "salt_hex": salt.hex()} | more
        suite.add(name, request, refusal(error) if error else {"ok": True, "hash": phc(password, salt, m=m, t=t, p=p)}, attack)

    make("the least of everything", WORDS)
    for name, password in ODD.items():
        make(f"a password that is {name}", password, attack=24)
    make("a byte over the longest", b"x" * (PASSWORD_MAX + 1), error="too_large", attack=24)
    make("a password of 20,000 bytes", b"x" * 20_000, error="too_large", attack=24)
    make("the parameters of RFC 9106's own vector", b"\x01" * 32, salt=b"\x02" * 16, m=32, t=3, p=4)
    for m, t, p in ((9, 1, 1), (15, 2, 1), (16, 1, 2), (17, 1, 2), (31, 3, 1), (64, 1, 1), (100, 3, 4), (128, 1, 16), (256, 4, 3), (1023, 2, 5), (4096, 1, 1), (8, 100, 1)):
        make(f"{m} KiB, {t} passes, {p} lanes", WORDS, m=m, t=t, p=p)
    make("OWASP's parameters", WORDS, m=19456, t=2)
    make("the default parameters", WORDS, m=65536, t=3)
    for size in (8, 9, 10, 24, 47, 48):
        make(f"a salt of {size} bytes", WORDS, salt=stream("salt", size))
    for name, salt in {"zeros": bytes(16), "ones": b"\xff" * 16}.items():
        make(f"a salt of {name}", WORDS, salt=salt)
    for size in (0, 7, 49):
        make(f"a salt of {size} bytes is none", WORDS, salt=stream("salt", size), error="config_error")
    bounds = {
        "no memory": {"m": 0}, "less memory than a lane takes": {"m": 7}, "less memory than two lanes take": {"m": 15, "p": 2}, "over 2 GiB": {"m": 2097153}, "twice 2 GiB": {"m": 4194304}, "memory of 2^32": {"m": 2**32 + 8}, "negative memory": {"m": -8},
        "no pass": {"t": 0}, "101 passes": {"t": 101}, "passes of 2^32": {"t": 2**32 + 1}, "negative passes": {"t": -1}, "no lane": {"p": 0}, "17 lanes": {"m": 256, "p": 17}, "lanes of 2^32": {"p": 2**32 + 1}, "too much of memory and passes together": {"m": 131072, "t": 65},
    }  # fmt: skip
    for name, changes in bounds.items():
        make(name, WORDS, error="config_error", attack=22, **changes)

    def configured(name: str, config: Any, *, error: str | None = None, salt: bytes = SALT, **written: Any) -> None:
        request = {"op": "password_hash", "password_hex": WORDS.hex(), "m_kib": 8, "t": 1, "p": 1, "salt_hex": salt.hex(), "config": config}
        suite.add(name, request, refusal(error) if error else {"ok": True, "hash": phc(WORDS, salt, **written)})

    weak = {"memory_kib": 8, "time_cost": 1, "parallelism": 1, "allow_weak": True}
    for size in (12, 16, 20, 33, 64):
        configured(f"a hash of {size} bytes", weak | {"hash_len": size}, size=size)
    for size in (0, 11, 65):
        configured(f"a hash of {size} bytes is none", weak | {"hash_len": size}, error="config_error")
    configured("a byte too little of entropy", weak, salt=SALT[:15], error="entropy_unavailable")
    configured("no entropy", weak, salt=b"", error="entropy_unavailable")
    configured("no more entropy is drawn than the salt", weak | {"salt_len": 8}, salt=SALT[:8])
    configured("weak, and nobody allowed it", {"memory_kib": 8, "time_cost": 1}, error="config_error")

    def peppered(name: str, keyring: Any, *, pepper: Secret | None = None, error: str | None = None, **more: Any) -> None:
        request = {"op": "password_hash", "password_hex": WORDS.hex(), "m_kib": 8, "t": 1, "p": 1, "salt_hex": SALT.hex(), "keyring": keyring, "now_s": NOW} | more
        suite.add(name, request, refusal(error) if error else {"ok": True, "hash": phc(WORDS, SALT, pepper=pepper)})

    peppered("with a pepper", PEPPERED, pepper=PEPPER)
    peppered("with the newer of two peppers", ROTATED, pepper=PEPPER)
    peppered("with a pepper, and a time before 1970", PEPPERED, error="invalid_argument", now_s=-1)
    long = Secret("long", "HS512", stream("long pepper", 64))
    peppered("with a pepper of 64 bytes", ring(long.jwk(purpose="password-pepper", status="primary")), pepper=long)
    script = Secret("cl\u00e9 \u2603", "HS256", stream("pepper", 32))
    peppered("with a pepper whose id is beyond ASCII", ring(script.jwk(purpose="password-pepper", status="primary")), pepper=script)
    peppered("two peppers of one id", ring(PEPPER.jwk(purpose="password-pepper", status="primary"), OLD_PEPPER.jwk(purpose="password-pepper", status="verify-only") | {"kid": PEPPER.kid}), error="config_error")
    return suite


def verify(suite: Suite, name: str, text: str, *, password: bytes = WORDS, error: str | None = None, match: bool = True, rehash: bool = True, attack: int | None = None, truncated: bool = False, **more: Any) -> None:
    """A `password_verify`: refused, or the verdict; a mismatch has nothing to say but that."""
    request = {"op": "password_verify", "password_hex": password.hex(), "hash": text, "legacy": False} | more
    verdict = {"ok": True, "match": match, "needs_rehash": match and rehash, "truncated": match and truncated}
    suite.add(name, request, refusal(error) if error else verdict, attack)


def verifying() -> Suite:
    suite = Suite("password-verifying", "Which password a stored hash is of, byte for byte, and under which pepper.", "RFC 9106; FORMATS.md, Keys; ATTACKS.md 22 and 24")
    good = phc(WORDS, SALT)
    verify(suite, "the weakest hash verifies, and asks to be made again", good, attack=22)
    for name, password in ODD.items():
        verify(suite, f"a password that is {name}", phc(password, SALT), password=password, attack=24)
    wrong = {"another": b"incorrect horse battery staple", "one in upper case": WORDS.title(), "a letter more": WORDS + b"s", "a letter less": WORDS[:-1], "white space more": WORDS + b" ", "a line more": WORDS + b"\n", "the empty one": b"", "one cut at a NUL": WORDS + b"\x00", "the hash itself": good.encode()}
    for name, password in wrong.items():
        verify(suite, f"another password: {name}", good, password=password, match=False)
    verify(suite, "cut at its NUL it is another", phc(b"ab\x00cd", SALT), password=b"ab", match=False, attack=24)
    verify(suite, "what follows a NUL counts", phc(b"ab\x00cd", SALT), password=b"ab\x00ce", match=False, attack=24)
    verify(suite, "a character replaced is another", phc(b"\xff\xfe", SALT), password="\ufffd\ufffd".encode(), match=False, attack=24)
    verify(suite, "no normalisation: composed against decomposed", phc("p\u00e4ss".encode(), SALT), password="pa\u0308ss".encode(), match=False, attack=24)
    long = b"x" * 200
    verify(suite, "the 73rd byte counts", phc(long, SALT), password=long[:72] + b"y" + long[73:], match=False, attack=23)
    verify(suite, "the last of 200 bytes counts", phc(long, SALT), password=long[:-1] + b"y", match=False)
    for size in (PASSWORD_MAX + 1, 20_000):
        verify(suite, f"a password of {size} bytes", good, password=b"x" * size, error="too_large", attack=24)
    for m, t, p in ((16, 1, 2), (100, 3, 4), (128, 1, 16), (8, 100, 1), (4096, 1, 1), (33, 2, 3)):
        text = phc(WORDS, SALT, m=m, t=t, p=p)
        verify(suite, f"{m} KiB, {t} passes, {p} lanes", text)
        verify(suite, f"{m} KiB, {t} passes, {p} lanes, another password", text, password=b"another", match=False)
    verify(suite, "the default parameters need nothing", phc(WORDS, SALT, m=65536, t=3), rehash=False)

    other_parameters = {
        "another salt": good.replace(b64(SALT), b64(SALT[:-1] + b"\x00")), "another memory": good.replace("m=8", "m=9"), "another number of passes": good.replace("t=1", "t=2"), "another number of lanes": phc(WORDS, SALT, m=16).replace("p=1", "p=2"),
        "another hash": good[:-4] + ("AAAA" if not good.endswith("AAAA") else "BBBA"), "a shorter hash": good[: good.rindex("$") + 1] + b64(bytes(16)),
    }  # fmt: skip
    for name, text in other_parameters.items():
        verify(suite, f"{name} is another hash", text, match=False)

    small = {"memory_kib": 64, "time_cost": 1, "allow_weak": True, "memory_budget_kib": 64}
    verify(suite, "all of the memory budget", phc(WORDS, SALT, m=64), config=small, rehash=False)
    verify(suite, "a KiB over the memory budget", phc(WORDS, SALT, m=65), error="params_out_of_bounds", config=small, attack=26)
    for name, password in ODD.items():
        unknown = {"op": "password_unknown_user", "password_hex": password.hex(), "legacy": False, "config": small}
        suite.add(f"no such user, and a password that is {name}", unknown, refusal("password_mismatch"), 25)
    unknown = {"op": "password_unknown_user", "password_hex": (b"x" * (PASSWORD_MAX + 1)).hex(), "legacy": False, "config": small}
    suite.add("no such user, and a password over the limit", unknown, refusal("too_large"), 25)

    pepper = phc(WORDS, SALT, pepper=PEPPER)
    old = phc(WORDS, SALT, pepper=OLD_PEPPER)
    verify(suite, "with a pepper", pepper, keyring=PEPPERED, now_s=NOW)
    verify(suite, "with a pepper, another password", pepper, password=b"another", match=False, keyring=PEPPERED, now_s=NOW)
    verify(suite, "with the older pepper", old, keyring=ROTATED, now_s=NOW)
    verify(suite, "with the older pepper, another password", old, password=b"another", match=False, keyring=ROTATED, now_s=NOW)
    verify(suite, "without a pepper, where there is one", good, keyring=PEPPERED, now_s=NOW)
    verify(suite, "the pepper is not known", old, error="unknown_key", keyring=PEPPERED, now_s=NOW)
    verify(suite, "no pepper is known", pepper, error="unknown_key")
    verify(suite, "the pepper's id exchanged for another's", pepper.replace(keyid("pepper-2"), keyid("pepper-1")), match=False, keyring=ROTATED, now_s=NOW)
    verify(suite, "the pepper's id left out", pepper.replace(f",keyid={keyid('pepper-2')}", ""), match=False, keyring=PEPPERED, now_s=NOW)
    verify(suite, "a pepper's id put to a hash without", good.replace("p=1", f"p=1,keyid={keyid('pepper-2')}"), match=False, keyring=PEPPERED, now_s=NOW)
    verify(suite, "a key of another purpose is no pepper", phc(WORDS, SALT, pepper=HS256), error="unknown_key", keyring=ring(*PEPPERED["keys"], HS256.jwk(purpose="token", status="primary")), now_s=NOW)

    def older(**members: Any) -> dict[str, Any]:
        return ring(*PEPPERED["keys"], OLD_PEPPER.jwk(purpose="password-pepper", **members))

    verify(suite, "the older pepper before its time", old, keyring=older(status="verify-only", not_after_s=NOW + 1), now_s=NOW)
    verify(suite, "the older pepper at its time", old, error="key_expired", keyring=older(status="verify-only", not_after_s=NOW), now_s=NOW)
    # A clock that was never set makes no expired pepper good again.
    verify(suite, "a pepper and a time before 1970", pepper, error="invalid_argument", keyring=PEPPERED, now_s=-1)
    verify(suite, "no pepper, and a time before 1970", good, now_s=-1)
    verify(suite, "the older pepper is disabled", old, error="key_disabled", keyring=older(status="disabled"), now_s=NOW)
    destroyed = {"kid": OLD_PEPPER.kid, "purpose": "password-pepper", "status": "destroyed"}
    verify(suite, "the older pepper is destroyed", old, error="key_destroyed", keyring=ring(*PEPPERED["keys"], destroyed), now_s=NOW)
    verify(suite, "the next pepper verifies already", old, keyring=older(status="active"), now_s=NOW)
    return suite


def strings() -> Suite:
    suite = Suite("password-strings", "Stored strings that are no hash, or ask for too much: refused before anything is allocated.", "C2SP phc-strings; ATTACKS.md 22")
    good = phc(WORDS, SALT)
    salt, digest = good.split("$")[4:]

    def bad(name: str, text: str, error: str = "invalid_hash", **more: Any) -> None:
        verify(suite, name, text, error=error, attack=22, **more)

    def parameters(text: str, version: str = "v=19") -> str:
        return f"$argon2id${version}${text}${salt}${digest}"

    beyond = "params_out_of_bounds"
    for name, text in {
        "4 GiB": "m=4194304,t=1,p=1", "a KiB over 2 GiB": "m=2097153,t=1,p=1", "the most that 32 bits hold": "m=4294967295,t=1,p=1", "no memory": "m=0,t=1,p=1", "a KiB less than a lane takes": "m=7,t=1,p=1", "a KiB less than two lanes take": "m=15,t=1,p=2",
        "no pass": "m=8,t=0,p=1", "101 passes": "m=8,t=101,p=1", "the most passes that 32 bits hold": "m=8,t=4294967295,p=1", "no lane": "m=8,t=1,p=0", "17 lanes": "m=256,t=1,p=17", "the most lanes that 24 bits hold": "m=2097152,t=1,p=16777215",
        "memory and passes in bounds, not together": "m=2097152,t=5,p=1", "memory and passes in bounds, not together, the other way": "m=83887,t=100,p=1",
    }.items():  # fmt: skip
        bad(name, parameters(text), beyond)
    either = f"{beyond}|invalid_hash"
    for name, text in {
        "memory over 32 bits": "m=4294967296,t=1,p=1", "memory that wraps to 8": "m=4294967304,t=1,p=1", "passes that wrap to 1": "m=8,t=4294967297,p=1", "lanes that wrap to 1": "m=8,t=1,p=4294967297", "memory over 64 bits": "m=18446744073709551624,t=1,p=1",
        "memory of forty digits": f"m={'9' * 40},t=1,p=1",
    }.items():  # fmt: skip
        bad(name, parameters(text), either)
    for name, text in {
        "no parameters": "", "no memory named": "t=1,p=1", "no passes named": "m=8,p=1", "no lanes named": "m=8,t=1", "memory twice": "m=8,m=8,t=1,p=1", "lanes twice": "m=8,t=1,p=1,p=1", "passes twice": "m=8,t=1,t=1,p=1", "another order": "t=1,m=8,p=1", "lanes first": "p=1,m=8,t=1",
        "an unknown parameter": "m=8,t=1,p=1,x=1", "an unknown parameter first": "x=1,m=8,t=1,p=1", "associated data": "m=8,t=1,p=1,data=Zm9v", "a version among them": "m=8,t=1,p=1,v=19", "names in upper case": "M=8,T=1,P=1",
        "a leading zero": "m=08,t=1,p=1", "a leading plus": "m=+8,t=1,p=1", "a leading minus": "m=-8,t=1,p=1", "a fraction": "m=8.0,t=1,p=1", "an exponent": "m=8e0,t=1,p=1", "hexadecimal": "m=0x8,t=1,p=1", "digits of another script": "m=\u0668,t=1,p=1", "no digits": "m=,t=1,p=1",
        "no equals sign": "m8,t=1,p=1", "two equals signs": "m==8,t=1,p=1", "a space after a comma": "m=8, t=1,p=1", "a space before": " m=8,t=1,p=1", "a space behind": "m=8,t=1,p=1 ", "a comma before": ",m=8,t=1,p=1", "a comma behind": "m=8,t=1,p=1,", "two commas": "m=8,,t=1,p=1", "semicolons": "m=8;t=1;p=1",
        "a key id that is empty": "m=8,t=1,p=1,keyid=", "a key id of 9 bytes": f"m=8,t=1,p=1,keyid={b64(bytes(9))}", "a key id that is padded": f"m=8,t=1,p=1,keyid={b64(bytes(8))}=", "a key id that is not base64": "m=8,t=1,p=1,keyid=***********", "a key id whose last letter has bits to spare": "m=8,t=1,p=1,keyid=AAAAAAAAAAB",
        "a key id twice": f"m=8,t=1,p=1,keyid={b64(bytes(8))},keyid={b64(bytes(8))}", "a key id first": f"keyid={b64(bytes(8))},m=8,t=1,p=1", "a NUL": "m=8,t=1,p=1\x00",
    }.items():  # fmt: skip
        bad(f"parameters: {name}", parameters(text), keyring=PEPPERED, now_s=NOW)
    bad("a key id of 7 bytes", parameters(f"m=8,t=1,p=1,keyid={b64(bytes(7))}"), "invalid_hash|unknown_key", keyring=PEPPERED, now_s=NOW)
    for name, version in {"16": "v=16", "18": "v=18", "20": "v=20", "0": "v=0", "with a leading zero": "v=019", "that is empty": "v=", "of forty digits": f"v={'1' * 40}", "in upper case": "V=19", "with a plus": "v=+19", "in hexadecimal": "v=0x13", "with a space": "v=19 "}.items():
        bad(f"a version {name}", parameters("m=8,t=1,p=1", version))
    bad("no version", f"$argon2id$m=8,t=1,p=1${salt}${digest}")
    bad("two versions", f"$argon2id$v=19$v=19$m=8,t=1,p=1${salt}${digest}")
    bad("the version behind", f"$argon2id$m=8,t=1,p=1$v=19${salt}${digest}")

    def salted(data: str) -> str:
        return f"$argon2id$v=19$m=8,t=1,p=1${data}${digest}"

    for size in (0, 1, 7, 49, 64):
        bad(f"a salt of {size} bytes", salted(b64(stream("salt", size))))
    for size in (8, 48):
        verify(suite, f"a salt of {size} bytes is one", phc(WORDS, stream("salt", size)))

    def digested(data: str) -> str:
        return f"$argon2id$v=19$m=8,t=1,p=1${salt}${data}"

    for size in (0, 1, 4, 11, 65, 128):
        bad(f"a hash of {size} bytes", digested(b64(stream("hash", size))))
    for size in (12, 64):
        verify(suite, f"a hash of {size} bytes is one", phc(WORDS, SALT, size=size))
    # 16 bytes are 22 letters, whose last has four bits to spare; 32 bytes are 43, with two.
    spare = {"A": "B", "Q": "R", "g": "h", "w": "x"}[salt[-1]]
    shapes = {
        "a padded salt": salted(salt + "=="), "a salt whose last letter has bits to spare": salted(salt[:-1] + spare), "a salt of 21 letters": salted(salt[:-1]), "a salt of 25 letters": salted(salt + "AAA"), "a salt with a space": salted(salt[:5] + " " + salt[5:]),
        "a salt with a line": salted(salt[:5] + "\n" + salt[5:]), "a salt in URL-safe letters": salted(b64u(b"\xff\xef\xbe" * 5 + b"\xff")), "a salt of other letters": salted("*" * 22), "a salt in bcrypt's letters": salted("." * 22), "a salt of eight letters": salted("somesalt"),
        "a padded hash": digested(digest + "="), "a hash whose last letter has bits to spare": digested(digest[:-1] + chr(ord(digest[-1]) + 1)), "a hash of 42 letters": digested(digest[:-1]), "a hash of 44 letters and one more": digested(digest + "AA"), "a hash with a space behind": good + " ", "a hash with a line behind": good + "\n",
        "a hash with CR and LF behind": good + "\r\n", "a hash with a NUL behind": good + "\x00", "a hash with a NUL within": good[:-5] + "\x00" + good[-5:], "a hash in URL-safe letters": digested(b64u(b"\xff\xef\xbe" * 10 + b"\xff\xff")),
        "no hash": good[: good.rindex("$")], "no salt and no hash": "$argon2id$v=19$m=8,t=1,p=1", "a segment more": good + "$AAAA", "an empty segment more": good + "$", "no first dollar sign": good[1:], "two first dollar signs": "$" + good, "a space before": " " + good, "a byte order mark before": "\ufeff" + good,
        "a dollar sign": "$", "dollar signs": "$" * 5, "only the name": "$argon2id$", "the name cut short": "$argon2id", "a letter": "x", "the password itself": WORDS.decode(), "two hashes": good + good, "two hashes and a comma": f"{good},{good}", "JSON": json.dumps(good),
    }  # fmt: skip
    for name, text in shapes.items():
        bad(name, text)
    for name, text in {"in upper case": good.replace("argon2id", "ARGON2ID"), "Argon2": good.replace("argon2id", "argon2"), "of another function": good.replace("argon2id", "argon2ds"), "that is empty": good.replace("argon2id", ""), "of yescrypt": "$y$j9T$salt$hash", "of SHA-512 crypt": "$6$rounds=5000$salt$hash", "of MD5 crypt": "$1$salt$hash", "of Django's MD5": "md5$salt$hash"}.items():
        bad(f"a name {name}", text, "invalid_hash|unsupported")
        bad(f"a name {name}, with every legacy scheme", text, "invalid_hash|unsupported", legacy=True)
    # Who has no password is treated like nobody, so that no log-in tells who that is.
    small = {"memory_kib": 64, "time_cost": 1, "allow_weak": True, "memory_budget_kib": 64}
    for name, text in {"nothing is stored": "", "Django's unusable password": "!Hn4M1bQ8wLr2TzYc7vKd0sXe5uJpA9gF3oWi6qB", "an exclamation mark": "!", "a hash that was locked": "!" + good}.items():
        for which, password in {"words": WORDS, "the empty password": b"", "the same": text.encode()}.items():
            verify(suite, f"{name}: {which}", text, password=password, match=False, config=small, attack=25)
    for size in (513, 5000):
        bad(f"a string of {size} bytes", good + "A" * (size - len(good)), "invalid_hash|too_large")
    bad("a password over the limit outranks a bad hash", "x", "too_large|invalid_hash", password=b"x" * (PASSWORD_MAX + 1))
    return suite


def legacy() -> Suite:
    suite = Suite("password-legacy", "Hashes of other libraries: read if their scheme is enabled, never made.", "golden/foreign.json; ATTACKS.md 22 and 23")
    cases = json.loads(FOREIGN.read_text())["cases"]
    everything: dict[str, Any] = {"memory_budget_kib": 2097152}
    for case in cases:
        name, text, password, scheme = f"{case['maker']}: {case['name']}", case["hash"], bytes.fromhex(case["password_hex"]), case["scheme"]
        cut = case.get("truncated", False)
        attack = 23 if scheme == "bcrypt" else None
        verify(suite, name, text, password=password, legacy=True, truncated=cut, attack=attack)
        verify(suite, f"{name}, another password", text, password=b"not " + password, legacy=True, match=False, attack=attack)
        if scheme is not None:
            verify(suite, f"{name}, not enabled", text, password=password, error="unsupported", attack=attack)
            if case["name"].startswith("words"):
                verify(suite, f"{name}, of all schemes only this one enabled", text, password=password, config=everything | {"legacy": [scheme]})
                others = [other for other in LEGACY if other != scheme]
                verify(suite, f"{name}, every scheme enabled but this one", text, password=password, error="unsupported", config=everything | {"legacy": others})

    found = {(case["maker"].split()[0], case["name"]): case["hash"] for case in cases}
    bcrypt = found["bcrypt", "73 bytes, 2b"]
    seventy_two = b"0123456789" * 7 + b"ab"
    # CVE-2025-22228: whatever follows the 72nd byte matches too, and the verdict says that something was cut.
    verify(suite, "bcrypt cuts at 72 bytes: the first 72 match", bcrypt, password=seventy_two, legacy=True, attack=23)
    verify(suite, "bcrypt cuts at 72 bytes: others behind them match, and it says so", bcrypt, password=seventy_two + b"xyz", legacy=True, truncated=True, attack=23)
    verify(suite, "bcrypt cuts at 72 bytes: the 72nd counts", bcrypt, password=seventy_two[:-1] + b"x", match=False, legacy=True, attack=23)
    verify(suite, "bcrypt reads a character cut in half at 72 bytes", bcrypt, password=seventy_two + "\u00e4".encode(), legacy=True, truncated=True, attack=23)
    cut_nul = found["bcrypt", "a NUL within, 2b"]
    verify(suite, "bcrypt reads behind a NUL", cut_nul, password=b"ab", match=False, legacy=True, attack=24)
    verify(suite, "bcrypt over SHA-256 cuts nothing", found["Django", "73 bytes, bcrypt_sha256"], password=seventy_two + b"d", match=False, legacy=True, attack=23)

    def bad(name: str, text: str, error: str = "invalid_hash") -> None:
        verify(suite, name, text, password=b"cost", error=error, attack=22, legacy=True)

    beyond, either = "params_out_of_bounds", "params_out_of_bounds|invalid_hash"
    good = found["bcrypt", "cost 6"]
    for cost, error in {"00": either, "03": either, "17": beyond, "31": beyond, "32": either, "99": either}.items():
        bad(f"bcrypt of cost {cost}", good.replace("$06$", f"${cost}$"), error)
    for name, text in {
        "cost of one digit": good.replace("$06$", "$6$"), "cost of three digits": good.replace("$06$", "$006$"), "cost with a plus": good.replace("$06$", "$+6$"), "cost that is none": good.replace("$06$", "$xx$"), "no cost": good.replace("$06$", "$"), "a letter less": good[:-1], "a letter more": good + "a",
        "letters of another base64": good[:-1] + "+", "padded": good[:-1] + "=", "a space behind": good + " ", "a line behind": good + "\n", "a NUL behind": good + "\x00", "no hash": good[:29], "only the cost": good[:7], "a dollar sign behind": good + "$",
    }.items():  # fmt: skip
        bad(f"bcrypt: {name}", text)
    for name, prefix in {"2": "$2$", "2x": "$2x$", "2c": "$2c$", "in upper case": "$2B$"}.items():
        bad(f"bcrypt of version {name}", good.replace("$2b$", prefix), "invalid_hash|unsupported")
    django = found["Django", "words, bcrypt_sha256"]
    bad("Django's bcrypt: one dollar sign", django.replace("$$", "$"))
    bad("Django's bcrypt: nothing behind", "bcrypt_sha256$")
    bad("Django's bcrypt: bcrypt of PBKDF2", "bcrypt$" + found["passlib", "words, pbkdf2_sha256"], "invalid_hash|unsupported")
    bad("Django's bcrypt within Django's", "bcrypt$" + django, "invalid_hash|unsupported")

    passlib = found["passlib", "words, pbkdf2_sha256"]
    _, scheme, rounds, salt, digest = passlib.split("$")
    for text, error in {"0": either, "10000001": beyond, "4294967295": beyond, "4294967297": either, "9" * 40: either, "03": "invalid_hash", "+3": "invalid_hash", "-3": "invalid_hash", "3 ": "invalid_hash", "": "invalid_hash", "0x3": "invalid_hash", "3e0": "invalid_hash"}.items():
        bad(f"passlib's PBKDF2 of {text or 'no'} rounds", f"${scheme}${text}${salt}${digest}", error)
        django = found["Django", "words, pbkdf2_sha256"].split("$")
        bad(f"Django's PBKDF2 of {text or 'no'} rounds", "$".join([django[0], text, *django[2:]]), error)
    for name, text in {
        "no hash": f"${scheme}${rounds}${salt}", "an empty hash": f"${scheme}${rounds}${salt}$", "a hash of one byte": f"${scheme}${rounds}${salt}${digest[:2]}", "half a hash": f"${scheme}${rounds}${salt}${digest[:20]}", "a hash and more": f"{passlib}AAAA", "padded": f"{passlib}=",
        "a segment more": f"{passlib}$AAAA", "letters of another base64": f"${scheme}${rounds}${salt}${digest[:-2]}+A", "a hash of SHA-512's length": f"${scheme}${rounds}${salt}${found['passlib', 'words, pbkdf2_sha512'].split('$')[4]}", "a line behind": f"{passlib}\n",
    }.items():  # fmt: skip
        bad(f"passlib's PBKDF2: {name}", text)
    bad("passlib's PBKDF2 over SHA-1", passlib.replace("pbkdf2-sha256", "pbkdf2"), "invalid_hash|unsupported")
    name, rounds, salt, digest = found["Django", "words, pbkdf2_sha256"].split("$")
    for label, text in {
        "an empty hash": f"{name}${rounds}${salt}$", "no hash": f"{name}${rounds}${salt}", "half a hash": f"{name}${rounds}${salt}${digest[:20]}", "not padded": f"{name}${rounds}${salt}${digest[:-1]}", "letters of another base64": f"{name}${rounds}${salt}${digest[:-3]}._=", "a segment more": f"{name}${rounds}${salt}${digest}$AAAA",
        "a dollar sign before": f"${name}${rounds}${salt}${digest}", "a line behind": f"{name}${rounds}${salt}${digest}\n",
    }.items():  # fmt: skip
        bad(f"Django's PBKDF2: {label}", text)
    bad("Django's PBKDF2 over SHA-1", found["Django", "words, pbkdf2_sha256"].replace("pbkdf2_sha256", "pbkdf2_sha1"), "invalid_hash|unsupported")

    scrypt = found["passlib", "words, scrypt"]
    _, _, parameters, salt, digest = scrypt.split("$")
    for name, text, error in (
        ("a cost of 2^0", "ln=0,r=8,p=1", either), ("a cost of 2^32", "ln=32,r=8,p=1", beyond), ("a cost of 2^64", "ln=64,r=8,p=1", either), ("4 GiB", "ln=22,r=8,p=1", beyond), ("no block", "ln=4,r=0,p=1", either), ("blocks of 2^30", "ln=4,r=1073741824,p=1", beyond), ("no lane", "ln=4,r=8,p=0", either),
        ("lanes of 2^30", "ln=4,r=8,p=1073741824", beyond), ("another order", "r=8,ln=4,p=1", "invalid_hash"), ("a cost twice", "ln=4,ln=4,r=8,p=1", "invalid_hash"), ("no cost", "r=8,p=1", "invalid_hash"), ("an unknown parameter", "ln=4,r=8,p=1,x=1", "invalid_hash"), ("a leading zero", "ln=04,r=8,p=1", "invalid_hash"), ("numbers of forty digits", f"ln={'9' * 40},r=8,p=1", either),
    ):  # fmt: skip
        bad(f"passlib's scrypt: {name}", f"$scrypt${text}${salt}${digest}", error)
    for name, text in {"an empty hash": f"$scrypt${parameters}${salt}$", "half a hash": f"$scrypt${parameters}${salt}${digest[:20]}", "padded": f"{scrypt}=", "a segment more": f"{scrypt}$AAAA", "no hash": f"$scrypt${parameters}${salt}"}.items():
        bad(f"passlib's scrypt: {name}", text)
    _, cost, salt, blocks, lanes, digest = found["Django", "words, scrypt"].split("$")
    for name, numbers, error in (("a cost that is no power of two", ("15", blocks, lanes), either), ("a cost of 0", ("0", blocks, lanes), either), ("a cost of 1", ("1", blocks, lanes), either), ("a cost of 2^22", ("4194304", blocks, lanes), beyond), ("a cost of 2^40", (str(2**40), blocks, lanes), either), ("no block", (cost, "0", lanes), either), ("no lane", (cost, blocks, "0"), either), ("lanes of 2^30", (cost, blocks, str(2**30)), beyond), ("a leading zero", ("016", blocks, lanes), "invalid_hash")):
        bad(f"Django's scrypt: {name}", f"scrypt${numbers[0]}${salt}${numbers[1]}${numbers[2]}${digest}", error)
    for name, text in {"an empty hash": f"scrypt${cost}${salt}${blocks}${lanes}$", "half a hash": f"scrypt${cost}${salt}${blocks}${lanes}${digest[:40]}", "not padded": f"scrypt${cost}${salt}${blocks}${lanes}${digest.rstrip('=')}", "salt first": f"scrypt${salt}${cost}${blocks}${lanes}${digest}"}.items():
        bad(f"Django's scrypt: {name}", text)
    for kind in ("argon2i", "argon2d"):
        bad(f"{kind} of 4 GiB", phc(b"cost", SALT, kind=kind).replace("m=8", "m=4194304"), beyond)
        bad(f"{kind} without parameters", f"${kind}$v=19$${b64(SALT)}${b64(bytes(32))}")
    bad("Django's Argon2 within Django's", "argon2argon2" + phc(b"cost", SALT))
    bad("Django's Argon2, two dollar signs", "argon2$" + phc(b"cost", SALT), "invalid_hash|unsupported")
    verify(suite, "Django's Argon2 needs no legacy scheme", "argon2" + phc(b"cost", SALT), password=b"cost")
    verify(suite, "Django's Argon2i needs its scheme", "argon2" + phc(b"cost", SALT, kind="argon2i"), password=b"cost", error="unsupported")
    return suite


def rehashing() -> Suite:
    suite = Suite("password-rehashing", "Which stored hashes are to be made again at the next log-in, and which configurations a hasher takes.", "RFC 9106; OWASP Password Storage Cheat Sheet; ATTACKS.md 22")
    foreign = json.loads(FOREIGN.read_text())["cases"]

    def ask(name: str, text: str, needs: bool | None, *, error: str | None = None, attack: int | None = None, **more: Any) -> None:
        request = {"op": "password_needs_rehash", "hash": text, "legacy": False} | more
        suite.add(name, request, refusal(error) if error else {"ok": True, "needs_rehash": needs}, attack)

    def stored(m: int = 65536, t: int = 3, p: int = 1, salt: int = 16, size: int = 32, kid: str | None = None) -> str:
        """Whether a hash is to be made again, its string says: nobody computes this one."""
        named = f",keyid={keyid(kid)}" if kid else ""
        return f"$argon2id$v=19$m={m},t={t},p={p}{named}${b64(stream('salt', salt))}${b64(stream('hash', size))}"

    ask("of the default parameters", stored(), False)
    for name, text in {
        "less memory": stored(m=65535), "fewer passes": stored(t=2), "more memory": stored(m=65537), "more passes": stored(t=4), "more lanes": stored(p=2), "less memory and more passes": stored(m=19456, t=5), "a shorter hash": stored(size=31), "a shorter salt": stored(salt=15), "the least of everything": stored(m=8, t=1, salt=8, size=12),
    }.items():  # fmt: skip
        ask(name, text, True, attack=22)
    ask("a longer hash", stored(size=64), False)
    ask("a longer salt", stored(salt=32), False)
    for case in foreign:
        if case["name"].startswith("words"):
            ask(f"of {case['maker']}: {case['name']}", case["hash"], True, legacy=True)
            if case["scheme"]:
                ask(f"of {case['maker']}: {case['name']}, not enabled", case["hash"], None, error="unsupported")
    for name, text, error in (("no hash", "", "invalid_hash"), ("4 GiB", stored(m=4194304), "params_out_of_bounds"), ("another version", stored().replace("v=19", "v=16"), "invalid_hash"), ("SHA-512 crypt", "$6$rounds=5000$salt$hash", "invalid_hash|unsupported"), ("a line behind", stored() + "\n", "invalid_hash")):
        ask(name, text, None, error=error, attack=22)
    ask("of the primary pepper", stored(kid="pepper-2"), False, keyring=ROTATED, now_s=NOW)
    ask("of the older pepper", stored(kid="pepper-1"), True, keyring=ROTATED, now_s=NOW)
    ask("of no pepper, where there is one", stored(), True, keyring=ROTATED, now_s=NOW)

    presets = {"default": (65536, 3, 1), "owasp": (19456, 2, 1), "rfc9106-low-memory": (65536, 3, 4), "rfc9106": (2097152, 1, 4)}
    for preset, (m, t, p) in presets.items():
        config = {"preset": preset} | ({"memory_budget_kib": 2097152} if m > 262144 else {})
        ask(f"preset {preset}, of its own parameters", stored(m, t, p), False, config=config)
        ask(f"preset {preset}, of a pass more", stored(m, t + 1, p), True, config=config)
    ask("a preset and another number of passes", stored(19456, 3, 1), False, config={"preset": "owasp", "time_cost": 3})
    ask("the preset of 2 GiB does not fit the default budget", stored(), None, error="config_error", config={"preset": "rfc9106"})
    ask("a preset that is none", stored(), None, error="config_error", config={"preset": "paranoid"})
    # OWASP's lines: each is enough, a KiB or a pass less is not.
    for m, t in ((47104, 1), (19456, 2), (12288, 3), (9216, 4), (7168, 5)):
        ask(f"{m} KiB and {t} passes are enough", stored(m, t), False, config={"memory_kib": m, "time_cost": t})
        ask(f"{m - 1} KiB and {t} passes are not", stored(), None, error="config_error", config={"memory_kib": m - 1, "time_cost": t})
        ask(f"{m - 1} KiB and {t} passes are, where weak ones are allowed", stored(m - 1, t), False, config={"memory_kib": m - 1, "time_cost": t, "allow_weak": True})
    for name, config in {
        "a salt of 15 bytes": {"salt_len": 15}, "a hash of 15 bytes": {"hash_len": 15}, "a budget below one hash": {"memory_budget_kib": 65535}, "no budget": {"memory_budget_kib": 0}, "a wait over a minute": {"max_wait_ms": 60001}, "a negative wait": {"max_wait_ms": -1}, "a wait that is text": {"max_wait_ms": "1000"}, "memory that is text": {"memory_kib": "65536"},
        "memory that is a fraction": {"memory_kib": 65536.5}, "memory that is null": {"memory_kib": None}, "an unknown member": {"memory": 65536}, "a member in upper case": {"MEMORY_KIB": 65536}, "a legacy scheme that is none": {"legacy": ["md5"]}, "a legacy scheme in upper case": {"legacy": ["BCRYPT"]}, "legacy schemes that are text": {"legacy": "bcrypt"},
        "a legacy scheme that is a number": {"legacy": [1]}, "a list": [], "a text": "default", "null": None, "weak ones allowed by a number": {"allow_weak": 1}, "weak ones allowed by a text": {"allow_weak": "true"}, "lanes of 2^32": {"parallelism": 2**32 + 1}, "no lane": {"parallelism": 0}, "17 lanes": {"parallelism": 17}, "101 passes": {"time_cost": 101}, "over 2 GiB": {"memory_kib": 2097153, "memory_budget_kib": 4194304},
    }.items():  # fmt: skip
        ask(f"configuration: {name}", stored(), None, error="config_error", config=config)
    for name, config in {"empty": {}, "a budget of one hash": {"memory_budget_kib": 65536}, "no wait": {"max_wait_ms": 0}, "a wait of a minute": {"max_wait_ms": 60000}, "every legacy scheme": {"legacy": list(LEGACY)}, "no legacy scheme": {"legacy": []}}.items():
        ask(f"configuration: {name} is one", stored(), False, config=config)
    return suite
