"""Fernet tokens (github.com/fernet/spec) and sqlalchemy-utils' AesEngine, by hand; ATTACKS.md 38 and 40."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterator
from typing import Any

import cryptography.fernet
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from .keys import stream
from .suite import NOW, Suite, refusal

BLOCK = 16
REFUSED = "decrypt_failed"
# The specification's own key, IV and times.
SPEC_KEY = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4="
SPEC_IV = bytes(range(16))
SPEC_MADE, SPEC_NOW, SPEC_LATER = 499162800, 499162801, 499162891
SPEC_TOKEN = "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA=="
SPEC_INVALID = {
    "incorrect mac": ("gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAl1-szkFVzXTuGb4hR8AKtwcaX1YdykQUFBQUFBQUFBQQ==", SPEC_NOW),
    "too short": ("gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPA==", SPEC_NOW),
    "invalid base64": ("%%%%%%%%%%%%%AECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAl1-szkFVzXTuGb4hR8AKtwcaX1YdykRtfsH-p1YsUD2Q==", SPEC_NOW),
    "payload size not multiple of block size": ("gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPOm73QeoCk9uGib28Xe5vz6oxq5nmxbx_v7mrfyudzUm", SPEC_NOW),
    "payload padding error": ("gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0ODz4LEpdELGQAad7aNEHbf-JkLPIpuiYRLQ3RtXatOYREu2FWke6CnJNYIbkuKNqOhw==", SPEC_NOW),
    "far-future TS (unacceptable clock skew)": ("gAAAAAAdwStRAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAnja1xKYyhd-Y6mSkTOyTGJmw2Xc2a6kBd-iX9b_qXQcw==", SPEC_NOW),
    "expired TTL": ("gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAl1-szkFVzXTuGb4hR8AKtwcaX1YdykRtfsH-p1YsUD2Q==", SPEC_LATER),
    "incorrect IV (causes padding error)": ("gAAAAAAdwJ6xBQECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAkLhFLHpGtDBRLRTZeUfWgHSv49TF2AUEZ1TIvcZjK1zQ==", SPEC_NOW),
    "trailing characters after b64 padding": (SPEC_TOKEN + "trailingdata", SPEC_NOW),
    "invalid characters in b64": ("*gAAAAAAdwJ6wAAECAwQFBgcI!CQoLDA0ODy021?cpGVWKZ_eEwC@GM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA==", SPEC_NOW),
    "invalid non-urlsafe characters in b64": ("gAAAAAAdwJ6wAAEC/AwQFBgcICQoLDA0ODy+021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA==", SPEC_NOW),
}
KEY, OTHER = (base64.urlsafe_b64encode(stream(f"fernet {name}", 32)).decode() for name in ("key", "other key"))
IV = stream("fernet iv", BLOCK)


def suites() -> Iterator[Suite]:
    yield fernet()
    yield aes_engine()


def cbc(key: bytes, iv: bytes, data: bytes) -> bytes:
    encryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
    return encryptor.update(data) + encryptor.finalize()


def pkcs7(data: bytes) -> bytes:
    missing = BLOCK - len(data) % BLOCK
    return data + bytes([missing]) * missing


def signed(key: str, body: bytes) -> str:
    """A token whose HMAC holds, whatever its body is."""
    tag = hmac.digest(base64.urlsafe_b64decode(key)[:16], body, "sha256")
    return base64.urlsafe_b64encode(body + tag).decode()


def body(key: str, made: int, iv: bytes, padded: bytes, version: int = 0x80) -> bytes:
    return bytes([version]) + made.to_bytes(8, "big") + iv + cbc(base64.urlsafe_b64decode(key)[16:], iv, padded)


def token(key: str, made: int, iv: bytes, plaintext: bytes) -> str:
    text = signed(key, body(key, made, iv, pkcs7(plaintext)))
    assert cryptography.fernet.Fernet(key).decrypt(text) == plaintext
    return text


def fernet() -> Suite:
    suite = Suite("fernet", "Fernet tokens and keys, the specification's and others, good and bad.", "github.com/fernet/spec; RFC 8018; ATTACKS.md 38 and 40")
    encrypting(suite)
    decrypting(suite)
    refused(suite)
    rotating(suite)
    deriving(suite)
    return suite


def decrypt(suite: Suite, name: str, text: str, plaintext: bytes | None, *, key: str = KEY, now: int = NOW, ttl: int | None = None, error: str = REFUSED, attack: int | None = None, golden: bool = False) -> None:
    request = {"op": "fernet_decrypt", "key": key, "token": text, "now_s": now, "ttl_s": ttl}
    suite.add(name, request, refusal(error) if plaintext is None else {"ok": True, "plaintext_hex": plaintext.hex()}, attack, golden=golden)


def encrypting(suite: Suite) -> None:
    def encrypt(name: str, plaintext: bytes, *, key: str = KEY, made: int = NOW, iv: bytes = IV, error: str | None = None) -> None:
        request = {"op": "fernet_encrypt", "key": key, "now_s": made, "iv_hex": iv.hex(), "plaintext_hex": plaintext.hex()}
        first = key.split(",")[0]
        suite.add(f"encrypting {name}", request, refusal(error) if error else {"ok": True, "token": token(first, made, iv, plaintext)})

    assert token(SPEC_KEY, SPEC_MADE, SPEC_IV, b"hello") == SPEC_TOKEN
    encrypt("what the specification does", b"hello", key=SPEC_KEY, made=SPEC_MADE, iv=SPEC_IV)
    for length in (0, 1, 15, 16, 17, 31, 32, 1000):
        encrypt(f"{length} bytes", stream("fernet text", length))
    encrypt("under the first of two keys", b"first", key=f"{KEY},{OTHER}")
    for at in (0, 1, 2**31, 2**32, 2**63 - 1):
        encrypt(f"at second {at}", b"timed", made=at)
    encrypt("before the epoch", b"timed", made=-1, error="invalid_argument")
    for length in (0, 15):
        encrypt(f"with {length} bytes for the IV", b"random", iv=bytes(length), error="entropy_unavailable")
    standard = base64.b64encode(b"\xfb" * 32).decode()
    keys = {
        "empty": "", "unpadded": KEY.rstrip("="), "of 31 bytes": base64.urlsafe_b64encode(bytes(31)).decode(), "of 33 bytes": base64.urlsafe_b64encode(b"k" * 33).decode(), "of 64 bytes": base64.urlsafe_b64encode(b"k" * 64).decode(), "in the other base64": standard, "with a line feed": KEY + "\n", "with a blank before": " " + KEY, "that is no base64": "!" * 44,
        "in hex": stream("fernet key", 32).hex(), "with trailing bits": KEY[:-2] + chr(ord(KEY[-2]) + 1) + "=", "and an empty one": KEY + ",", "after an empty one": "," + KEY, "and a blank after the comma": f"{KEY}, {OTHER}", "and half of another": f"{KEY},{OTHER[:20]}", "65 times": ",".join([KEY] * 65),
    }  # fmt: skip
    for name, key in keys.items():
        encrypt(f"under a key {name}", b"keyed", key=key, error="config_error")
        decrypt(suite, f"decrypting under a key {name}", SPEC_TOKEN, None, key=key, error="config_error")
    encrypt("under 64 keys", b"keyed", key=",".join([KEY, *[OTHER] * 63]))


def decrypting(suite: Suite) -> None:
    decrypt(suite, "the specification's token", SPEC_TOKEN, b"hello", key=SPEC_KEY, now=SPEC_NOW, ttl=60, golden=True)
    for length in (0, 1, 15, 16, 17, 1000):
        plaintext = stream("fernet text", length)
        decrypt(suite, f"{length} bytes", token(KEY, NOW, IV, plaintext), plaintext, golden=True)
    made = token(KEY, NOW, IV, b"timed")
    for name, (now, ttl) in {"no time to live": (NOW, None), "no time to live, 30 years later": (NOW + 10**9, None), "no time to live, made in the future": (0, None), "in the second it was made": (NOW, 0), "at the end of its time": (NOW + 60, 60), "60 seconds before it was made": (NOW - 60, 60), "60 seconds before it was made, and no time": (NOW - 60, 0), "the longest time to live": (NOW + 10**9, 2**63 - 1)}.items():
        decrypt(suite, f"good: {name}", made, b"timed", now=now, ttl=ttl)
    for name, (now, ttl) in {"a second after its time": (NOW + 61, 60), "a second after no time": (NOW + 1, 0), "61 seconds before it was made": (NOW - 61, 60), "61 seconds before, and the longest time to live": (NOW - 61, 2**63 - 1), "at the epoch": (0, 60), "at the last second": (2**63 - 1, 60)}.items():
        decrypt(suite, f"refused: {name}", made, None, now=now, ttl=ttl, attack=38)
    decrypt(suite, "a negative time to live", made, None, ttl=-1, error="invalid_argument")
    decrypt(suite, "before the epoch", made, None, now=-1, error="invalid_argument")
    decrypt(suite, "before the epoch, with a time to live", made, None, now=-1, ttl=60, error="invalid_argument")
    for name, timestamp in {"2^63": 2**63, "2^64 - 1": 2**64 - 1}.items():
        far = signed(KEY, body(KEY, timestamp, IV, pkcs7(b"far")))
        decrypt(suite, f"made in second {name}, no time to live", far, b"far")
        decrypt(suite, f"made in second {name}, a time to live", far, None, ttl=60, attack=38)
        decrypt(suite, f"made in second {name}, the longest time to live", far, None, ttl=2**63 - 1, attack=38)
    theirs = token(OTHER, NOW, IV, b"theirs")
    for name, keys in {"the second of two keys": f"{KEY},{OTHER}", "the first of two keys": f"{OTHER},{KEY}", "the last of 64 keys": ",".join([*[KEY] * 63, OTHER])}.items():
        decrypt(suite, f"made by {name}", theirs, b"theirs", key=keys, golden=True)
    decrypt(suite, "made by none of two keys", theirs, None, key=f"{KEY},{SPEC_KEY}", attack=38)


def refused(suite: Suite) -> None:
    for name, (text, now) in SPEC_INVALID.items():
        decrypt(suite, f"the specification's: {name}", text, None, key=SPEC_KEY, now=now, ttl=60, attack=38)
    good = token(KEY, NOW, IV, b"fifteen letters")
    whole = base64.urlsafe_b64decode(good)
    for at in range(len(whole)):
        changed = whole[:at] + bytes([whole[at] ^ 1 << at % 8]) + whole[at + 1 :]
        decrypt(suite, f"bit {at % 8} of byte {at} flipped", base64.urlsafe_b64encode(changed).decode(), None, attack=38)
    for length in range(len(whole)):
        decrypt(suite, f"the first {length} bytes of {len(whole)}", base64.urlsafe_b64encode(whole[:length]).decode(), None, attack=38)
    for length in (1, 2, 3, len(good) - 3, len(good) - 2, len(good) - 1):
        decrypt(suite, f"the first {length} letters of {len(good)}", good[:length], None, attack=38)
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    one_pad = token(KEY, NOW, IV, b"a" * 16)
    unpadded = one_pad.rstrip("=")
    for name, text in {
        "no letter": "", "padding only": "====", "unpadded": unpadded, "too much padding": one_pad + "=", "padding of four": good + "====", "a line feed behind": good + "\n", "a blank before": " " + good, "a blank within": good[:40] + " " + good[40:], "a line break within": good[:40] + "\r\n" + good[40:], "the other base64": base64.b64encode(base64.urlsafe_b64decode(SPEC_TOKEN)).decode().replace("-", "+"),
        "padding within": good[:40] + "=" + good[40:], "letters behind the padding": SPEC_TOKEN + "AAAA", "trailing bits": unpadded[:-1] + letters[letters.index(unpadded[-1]) | 1] + one_pad[len(unpadded) :], "a NUL behind": good + "\x00", "a letter beyond ASCII": good[:40] + "\u00e9" + good[41:], "a token and another": good + good, "a comma": good + "," + good,
    }.items():  # fmt: skip
        if text not in (good, one_pad):
            decrypt(suite, f"a token with {name}", text, None, key=SPEC_KEY if "letters behind" in name or "other base64" in name else KEY, attack=38)
    for version in (0, 1, 0x7F, 0x81, 0xFF):
        decrypt(suite, f"version {version:#x}, signed well", signed(KEY, body(KEY, NOW, IV, pkcs7(b"version"), version)), None, attack=38)
    for name, padded in {"of zeros": b"a" * 15 + b"\x00", "of seventeen": b"a" * 15 + b"\x11", "of 255": b"a" * 15 + b"\xff", "of two that differ": b"a" * 14 + b"\x01\x02", "of sixteen that differ": b"a" + b"\x10" * 15, "none": b"a" * 16}.items():
        decrypt(suite, f"padding {name}, signed well", signed(KEY, body(KEY, NOW, IV, padded)), None, attack=38)
    decrypt(suite, "no block, signed well", signed(KEY, body(KEY, NOW, IV, b"")), None, attack=38)
    decrypt(suite, "a block and a half, signed well", signed(KEY, body(KEY, NOW, IV, pkcs7(b"")) + bytes(8)), None, attack=38)
    decrypt(suite, "signed under the encryption key", base64.urlsafe_b64encode((made := body(KEY, NOW, IV, pkcs7(b"halves"))) + hmac.digest(base64.urlsafe_b64decode(KEY)[16:], made, "sha256")).decode(), None, attack=38)
    decrypt(suite, "signed under the whole key", base64.urlsafe_b64encode(made + hmac.digest(base64.urlsafe_b64decode(KEY), made, "sha256")).decode(), None, attack=38)
    for text in ("not a token", "eyJhbGciOiJIUzI1NiJ9.e30.AAAA", "sealed:AAAA"):
        decrypt(suite, f"a text that is no token: {text}", text, None, attack=38)
        suite.add(f"the timestamp of {text}", {"op": "fernet_timestamp", "key": KEY, "token": text}, refusal(REFUSED), 38)
        suite.add(f"rotating {text}", {"op": "fernet_rotate", "key": KEY, "token": text, "iv_hex": IV.hex()}, refusal(REFUSED), 38)


def rotating(suite: Suite) -> None:
    fresh = stream("fernet fresh iv", BLOCK)

    def rotate(name: str, text: str, answer: Any, *, key: str, iv: bytes = fresh, attack: int | None = None) -> None:
        suite.add(f"rotating {name}", {"op": "fernet_rotate", "key": key, "token": text, "iv_hex": iv.hex()}, refusal(answer) if answer in (REFUSED, "entropy_unavailable") else {"ok": True, "token": answer}, attack)

    old = token(OTHER, NOW, IV, b"rotated")
    rotate("a token of the second key", old, token(KEY, NOW, fresh, b"rotated"), key=f"{KEY},{OTHER}")
    rotate("a token of the first key", old, token(OTHER, NOW, fresh, b"rotated"), key=f"{OTHER},{KEY}")
    rotate("under one key", old, token(OTHER, NOW, fresh, b"rotated"), key=OTHER)
    rotate("what has the time 2^64 - 1", signed(OTHER, body(OTHER, 2**64 - 1, IV, pkcs7(b"far"))), signed(KEY, body(KEY, 2**64 - 1, fresh, pkcs7(b"far"))), key=f"{KEY},{OTHER}")
    rotate("a token of another key", old, REFUSED, key=KEY, attack=38)
    rotate("a forged token", old[:-6] + ("AAAA==" if not old.endswith("AAAA==") else "BBBA=="), REFUSED, key=f"{KEY},{OTHER}", attack=38)
    rotate("with 15 bytes for the IV", old, "entropy_unavailable", key=OTHER, iv=fresh[:15])
    for made in (0, NOW, 2**63 - 1):
        suite.add(f"the timestamp {made}", {"op": "fernet_timestamp", "key": f"{KEY},{OTHER}", "token": token(OTHER, made, IV, b"timed")}, {"ok": True, "timestamp_s": made})
    suite.add("a timestamp that 63 bits do not hold", {"op": "fernet_timestamp", "key": KEY, "token": signed(KEY, body(KEY, 2**64 - 1, IV, pkcs7(b"far")))}, {"ok": True, "timestamp_s": 2**63 - 1})
    suite.add("the timestamp of another key's token", {"op": "fernet_timestamp", "key": KEY, "token": old}, refusal(REFUSED), 38)


def deriving(suite: Suite) -> None:
    def derive(name: str, password: bytes, salt: bytes, iterations: int, error: str | None = None, attack: int | None = None) -> None:
        request = {"op": "fernet_derive_key", "password_hex": password.hex(), "salt_hex": salt.hex(), "iterations": iterations}
        made = "" if error else base64.urlsafe_b64encode(hashlib.pbkdf2_hmac("sha256", password, salt, iterations, 32)).decode()
        suite.add(f"deriving a key: {name}", request, refusal(error) if error else {"ok": True, "key": made}, attack)

    salt = stream("pbkdf2 salt", 16)
    for iterations in (1, 2, 1000, 100_000):
        derive(f"{iterations} iterations", b"correct horse", salt, iterations)
    # What the requirements' documents do: a salt of 16 bytes that one of them stores, or one that is the same for all.
    derive("a salt that is a constant text", b"correct horse", b"salt_for_deepinsight", 100_000)
    for name, password in {"empty": b"", "one byte": b"p", "no text": b"\xff\xfe", "a NUL within": b"a\x00b", "longer than a block": b"p" * 65, "as long as may be": b"p" * 4096}.items():
        derive(f"a password that is {name}", password, salt, 2)
    for length in (0, 1, 8, 64, 4096):
        derive(f"a salt of {length} bytes", b"correct horse", stream("pbkdf2 salt", length), 2)
    derive("no iteration", b"correct horse", salt, 0, "params_out_of_bounds", 40)
    derive("10,000,001 iterations", b"correct horse", salt, 10_000_001, "params_out_of_bounds", 40)
    derive("2^32 - 1 iterations", b"correct horse", salt, 2**32 - 1, "params_out_of_bounds", 40)
    derive("a password a byte too long", b"p" * 4097, salt, 2, "too_large")
    derive("a salt a byte too long", b"correct horse", bytes(4097), 2, "too_large")


def aes_engine() -> Suite:
    suite = Suite("aes_engine", "Columns of sqlalchemy-utils' AesEngine, in its paddings: read, never written.", "sqlalchemy-utils 0.41, types/encrypted; NIST SP 800-38A")
    secret = b"secretkey1234"
    paddings = {
        "pkcs5": lambda missing: bytes([missing]) * missing,
        "naive": lambda missing: b"*" * missing,
        "oneandzeroes": lambda missing: b"\x80" + bytes(missing - 1),
        "zeroes": lambda missing: bytes(missing - 1) + bytes([missing]),
    }

    def raw(padded: bytes, key: bytes = secret) -> str:
        engine_key = hashlib.sha256(key).digest()
        return base64.b64encode(cbc(engine_key, engine_key[:16], padded)).decode()

    def stored(text: bytes, padding: str, key: bytes = secret) -> str:
        return raw(text + paddings[padding](BLOCK - len(text) % BLOCK), key)

    def open_(name: str, text: str, plaintext: bytes | None, *, key: bytes = secret, padding: str = "pkcs5", error: str = REFUSED, golden: bool = False) -> None:
        request = {"op": "aes_engine_open", "secret_hex": key.hex(), "padding": padding, "text": text}
        suite.add(name, request, refusal(error) if plaintext is None else {"ok": True, "plaintext_hex": plaintext.hex()}, golden=golden)

    values = {"empty": b"", "one letter": b"a", "15 letters": b"a" * 15, "16 letters": b"a" * 16, "17 letters": b"a" * 17, "many scripts": "zo\u00eb \u4e2d \U0001f600".encode(), "1,000 letters": b"x" * 1000, "a NUL within": b"a\x00b"}
    for padding in paddings:
        for name, value in values.items():
            open_(f"{padding}, {name}", stored(value, padding), value, padding=padding, golden=True)
        for name, key in {"empty": b"", "long": b"k" * 500, "no text": b"\xff"}.items():
            open_(f"{padding}, a secret that is {name}", stored(b"value", padding, key), b"value", key=key, padding=padding)
    open_("naive takes asterisks of the value's own with it", stored(b"starred**", "naive"), b"starred", padding="naive")
    for name, padded in {"of zeros": b"a" * 15 + b"\x00", "of seventeen": b"a" * 15 + b"\x11", "of two that differ": b"a" * 14 + b"\x01\x02", "none": b"a" * 16}.items():
        open_(f"pkcs5, padding {name}", raw(padded), None)
    open_("naive, no asterisk", raw(b"a" * 16), None, padding="naive")
    open_("oneandzeroes, zeros only", raw(bytes(16)), None, padding="oneandzeroes")
    open_("zeroes, seventeen", raw(b"a" * 15 + b"\x11"), None, padding="zeroes")
    for padding in paddings:
        for name, text in {"no block": "", "half a block": base64.b64encode(bytes(8)).decode(), "17 bytes": base64.b64encode(bytes(17)).decode(), "no base64": "!" * 24, "base64url": stored(b"a" * 40, padding).replace("+", "-").replace("/", "_").replace("=", "") + "-_==", "a line feed behind": stored(b"value", padding) + "\n", "unpadded": stored(b"value", padding).rstrip("="), "trailing bits": stored(b"value", padding)[:-3] + "B=="}.items():
            open_(f"{padding}, {name}", text, None, padding=padding)
        open_(f"{padding}, a value that is no text", stored(b"\xff\xfe", padding), None, padding=padding)
    for padding in ("PKCS5", "", "pkcs7", "0"):
        open_(f"padding {padding!r}", stored(b"value", "pkcs5"), None, padding=padding, error="bad_request")
    return suite
