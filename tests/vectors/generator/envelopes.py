"""Envelopes and cells (FORMATS.md, Envelopes; ATTACKS.md 34 to 37, 39)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from . import cobblestone
from .chunked import text
from .cobblestone import CHUNK, HEADER, KEY, TAG
from .envelope import (
    CELL,
    DATA_KEY,
    EXTERNAL,
    KEK,
    MAGIC,
    NAMES,
    OLD_KEK,
    OTHER_KEK,
    PASSPHRASE,
    PRIMARY,
    RING,
    SELF_CONTAINED,
    WRAP,
    Argon,
    Drawn,
    Envelope,
    Parts,
    cell,
    data_key_id,
    external,
    payload_context,
    ring,
    self_contained,
    wrap_context,
    wrapped_data_key,
)
from .jose import b64u
from .keys import EDDSA, HS256, Secret, stream
from .suite import NOW, Case, Suite, refusal

CONTEXT: Parts = ["users", "email", "42"]
REFUSED = "decrypt_failed"
DRAWN = Drawn("envelope")
SMALL = self_contained(KEK, CONTEXT, b"small", DRAWN)


def suites() -> Iterator[Suite]:
    yield envelopes()
    yield cells()


def envelope_open(suite: Suite, name: str, envelope: Envelope | bytes, plaintext: bytes | None, *, error: str = REFUSED, attack: int | None = None, keyring: Any = RING, context: Any = CONTEXT, golden: bool = False, **more: Any) -> None:
    request = {"op": "envelope_open", "keyring": keyring, "context": context, "envelope_hex": bytes(envelope).hex()} | more
    suite.add(name, request, refusal(error) if plaintext is None else {"ok": True, "plaintext_hex": plaintext.hex()}, attack, golden=golden)


def envelope_seal(suite: Suite, name: str, plaintext: bytes, *, kek: Secret = KEK, keyring: Any = RING, context: Parts = CONTEXT, entropy: str | None = None, error: str | None = None, **more: Any) -> Envelope:
    drawn = Drawn(f"envelope, {name}")
    drawn_hex = drawn.hex("data_key", "wrap_salt", "payload_salt") if entropy is None else entropy
    request = {"op": "envelope_seal", "keyring": keyring, "context": context, "plaintext_hex": plaintext.hex(), "entropy_hex": drawn_hex} | more
    envelope = self_contained(kek, context, plaintext, drawn)
    suite.add(f"sealing {name}", request, refusal(error) if error else {"ok": True, "envelope_hex": bytes(envelope).hex(), "kid": kek.kid})
    return envelope


def inspected(envelope: Envelope, **more: Any) -> Case:
    nothing = {"wrapped_key": None, "memory_kib": None, "time_cost": None, "parallelism": None}
    about = {"kind": NAMES[envelope.kind], "key_id": envelope.kid.decode(), "header_len": len(envelope.header())}
    return {"ok": True, "inspection": about | nothing | more}


def flipped(data: bytes, at: int, bit: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :]


def envelopes() -> Suite:
    suite = Suite("envelopes", "Self-contained envelopes under a keyring, whole, re-wrapped, and in every way not whole.", "FORMATS.md, Envelopes; ATTACKS.md 34 to 37, 39")
    positive(suite)
    keys(suite)
    places(suite)
    every_bit_and_length(suite)
    headers(suite)
    wraps(suite)
    inspections(suite)
    rewrapping(suite)
    return suite


def positive(suite: Suite) -> None:
    for length in (0, 1, 64, 1024, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK):
        name = f"{length} bytes"
        envelope = self_contained(KEK, CONTEXT, text(length), Drawn(name)) if length in (CHUNK - 1, CHUNK, 3 * CHUNK) else envelope_seal(suite, name, text(length))
        envelope_open(suite, f"opening {name}", envelope, text(length), golden=True)
    contexts: dict[str, Parts] = {"no part": [], "an empty part": [""], "two empty parts": ["", ""], "one part": ["users"], "parts of many scripts": ["zo\u00eb", "\u4e2d", "\U0001f600"], "a NUL within": ["a\x00b"], "as long as may be": ["c" * 2044, "d" * 2044]}
    for name, context in contexts.items():
        envelope = envelope_seal(suite, f"under a context of {name}", b"bound", context=context)
        envelope_open(suite, f"opening under a context of {name}", envelope, b"bound", context=context, golden=True)
    for name, kid in {"one byte": "k", "128 bytes": "k" * 128, "many scripts": "schl\u00fcssel-\u4e2d\U0001f600", "a path": "../../etc/passwd", "white space": " k "}.items():
        kek = Secret(kid, "HS256", KEK.secret)
        keyring = ring(kek.jwk(purpose="envelope", status="primary"))
        envelope = envelope_seal(suite, f"under a key id of {name}", b"named", kek=kek, keyring=keyring)
        envelope_open(suite, f"opening under a key id of {name}", envelope, b"named", keyring=keyring, golden=True)

    too_long: dict[str, Parts] = {"a byte too long": ["c" * 2044, "d" * 2045], "of 4,093 bytes in one part": ["c" * 4093], "of 1,025 empty parts": [""] * 1025}
    for name, context in too_long.items():
        envelope_seal(suite, f"under a context {name}", b"bound", context=context, error="too_large")
        envelope_open(suite, f"opening under a context {name}", SMALL, None, context=context, error="too_large", attack=37)
    enough = Drawn("too little").hex("data_key", "wrap_salt", "payload_salt")
    for drawn in (0, 31, 32, 55, 56, 79):
        envelope_seal(suite, f"with {drawn} bytes of entropy", b"random", entropy=enough[: 2 * drawn], error="entropy_unavailable")
    for now in (-1, -(2**63)):
        envelope_seal(suite, f"at second {now}", b"timed", error="invalid_argument", now_s=now)
        envelope_open(suite, f"opening at second {now}", SMALL, None, error="invalid_argument", now_s=now)
    for at in (0, NOW, 2**63 - 1):
        envelope_open(suite, f"opening at second {at}", SMALL, b"small", now_s=at)
    for op, named in {"envelope_seal": {"plaintext_hex": "", "entropy_hex": enough}, "envelope_open": {"envelope_hex": bytes(SMALL).hex()}}.items():
        for name, given in {"absent": {}, "null": {"context": None}, "a text": {"context": "users"}, "a list of numbers": {"context": [1]}, "a list with null": {"context": [None]}, "an object": {"context": {}}}.items():
            suite.add(f"{op}: a context that is {name}", {"op": op, "keyring": RING} | named | given, refusal("bad_request"))


def keys(suite: Suite) -> None:
    """What a keyring's keys let be done (ATTACKS.md 39): a refusal of its own for each, never another key."""
    spare = OTHER_KEK.jwk(purpose="envelope", status="primary") | {"kid": "spare"}
    primary = {"purpose": "envelope", "status": "primary"}

    def opening(name: str, error: str | None, *keyring: Any, **more: Any) -> None:
        envelope_open(suite, name, SMALL, None if error else b"small", error=error or "", keyring=ring(*keyring), attack=39, **more)

    opening("under the primary", None, PRIMARY)
    for status in ("active", "verify-only"):
        opening(f"under a key that is {status}", None, spare, KEK.jwk(purpose="envelope", status=status))
        opening(f"under a key that is {status}, and no primary", "config_error", KEK.jwk(purpose="envelope", status=status))
    opening("under a disabled key", "key_disabled", spare, KEK.jwk(purpose="envelope", status="disabled"))
    opening("under a disabled key whose time is over", "key_disabled", spare, KEK.jwk(purpose="envelope", status="disabled", not_after_s=1), now_s=NOW)
    opening("under a destroyed key", "key_destroyed", spare, {"kid": KEK.kid, "purpose": "envelope", "status": "destroyed"})
    opening("under a key whose time is over", "key_expired", spare, KEK.jwk(purpose="envelope", status="verify-only", not_after_s=NOW), now_s=NOW)
    opening("a second before", None, spare, KEK.jwk(purpose="envelope", status="verify-only", not_after_s=NOW), now_s=NOW - 1)
    opening("under no such key", "unknown_key", spare)
    opening("under a key whose id is longer", "unknown_key", KEK.jwk(**primary) | {"kid": "envelope-22"})
    opening("under a key whose id is in upper case", "unknown_key", KEK.jwk(**primary) | {"kid": "ENVELOPE-2"})
    opening("under another key of the same id", REFUSED, OTHER_KEK.jwk(**primary))
    opening("under the key, but without an id", "config_error", spare, {name: value for name, value in KEK.jwk(purpose="envelope", status="active").items() if name != "kid"})
    for purpose in ("token", "settings", "state-binding", "password-pepper", "blind-index", "device", "csrf", "audit"):
        opening(f"under a key of purpose {purpose}", "unknown_key", spare, KEK.jwk(purpose=purpose, status="primary"))
    envelope_seal(suite, "under a primary whose time is over", b"late", keyring=ring(KEK.jwk(**primary, not_after_s=NOW)), error="key_expired", now_s=NOW)
    ended = ring(KEK.jwk(**primary, not_after_s=NOW))
    early = envelope_seal(suite, "under a primary a second before its time is over", b"early", keyring=ended, now_s=NOW - 1)
    envelope_open(suite, "under a primary whose time is over", early, None, keyring=ended, now_s=NOW, error="key_expired", attack=39)
    disabled = ring(spare, KEK.jwk(purpose="envelope", status="disabled"))
    envelope_open(suite, "a forgery under a disabled key", SMALL.but(payload=flipped(SMALL.payload, HEADER, 0)), None, keyring=disabled, error="key_disabled", attack=39)

    for name, keyring in {
        "an empty keyring": [],
        "a keyring whose only key is active": [KEK.jwk(purpose="envelope", status="active")],
        "a keyring whose only key is disabled": [KEK.jwk(purpose="envelope", status="disabled")],
        "a keyring with a primary of another purpose": [KEK.jwk(purpose="settings", status="primary")],
        "a keyring with a token key": [HS256.private_jwk()],
        "a keyring whose primary is a secret of 64 bytes": [Secret("k", "HS512", stream("a long key", 64)).jwk(purpose="envelope", status="primary")],
        "a keyring with another secret of 33 bytes": [PRIMARY, Secret("k", "HS256", stream("a long key", 33)).jwk(purpose="envelope", status="verify-only")],
        "a keyring whose primary is a key pair": [EDDSA.private_jwk(purpose="envelope", status="primary")],
        "a keyring whose primary has no id": [{name: value for name, value in PRIMARY.items() if name != "kid"}],
    }.items():
        envelope_seal(suite, f"under {name}", b"unkeyed", keyring=ring(*keyring), error="config_error")


def places(suite: Suite) -> None:
    """A ciphertext that was moved (ATTACKS.md 34, 36a)."""
    contexts: dict[str, Parts] = {
        "another row": ["users", "email", "43"], "another column": ["users", "phone", "42"], "another table": ["admins", "email", "42"], "a tenant more": ["acme", "users", "email", "42"], "a part less": ["users", "email"], "no part": [], "an empty part more": ["users", "email", "42", ""],
        "the parts in another order": ["email", "users", "42"], "the parts in one": ["usersemail42"], "parts cut elsewhere": ["users", "email4", "2"], "upper case": ["USERS", "EMAIL", "42"], "a blank more": ["users", "email", "42 "],
    }  # fmt: skip
    for name, context in contexts.items():
        envelope_open(suite, f"moved to {name}", SMALL, None, context=context, attack=34)
    for sealed, opened in ((["ab", "c"], ["a", "bc"]), (["a", "bc"], ["ab", "c"]), (["", "a"], ["a", ""]), ([""], []), ([], [""])):
        envelope = self_contained(KEK, sealed, b"parts", Drawn(f"parts {sealed}"))
        envelope_open(suite, f"sealed under {sealed}, opened under {opened}", envelope, None, context=opened, attack=36)
    data_key = DRAWN.data_key
    for name, payload in {
        "a payload of the kind data key": cobblestone.seal(data_key, payload_context(DATA_KEY, CONTEXT), DRAWN.payload_salt, b"kinds"),
        "a cell's payload": cell(data_key, CONTEXT, b"kinds", DRAWN.payload_salt).payload,
        "a payload of the kind passphrase": cobblestone.seal(data_key, payload_context(PASSPHRASE, CONTEXT), DRAWN.payload_salt, b"kinds"),
        "a payload of the kind external": external(data_key, "kms", b"blob", CONTEXT, b"kinds", DRAWN.payload_salt).payload,
        "a payload without a kind": cobblestone.seal(data_key, b"", DRAWN.payload_salt, b"kinds"),
        "a payload under the key-encryption key": cobblestone.seal(KEK.secret, payload_context(SELF_CONTAINED, CONTEXT), DRAWN.payload_salt, b"kinds"),
        "the payload of another envelope": self_contained(KEK, CONTEXT, b"other", Drawn("another envelope")).payload,
    }.items():
        envelope_open(suite, f"an envelope with {name}", SMALL.but(payload=payload), None, attack=36)


def every_bit_and_length(suite: Suite) -> None:
    """Of a small envelope one bit of each byte, and every length (ATTACKS.md 35). tests/envelopes.rs flips them all."""
    whole = bytes(SMALL)
    kid = range(6, 6 + len(SMALL.kid))
    for at in range(len(whole)):
        bit = at % 7  # never the highest: a key id stays text
        error = REFUSED
        if at in kid:
            error = "unknown_key" if whole[at] ^ 1 << bit >= 0x20 and whole[at] ^ 1 << bit != 0x7F else REFUSED
        envelope_open(suite, f"bit {bit} of byte {at} flipped", flipped(whole, at, bit), None, error=error, attack=35)
    for length in range(len(whole)):
        envelope_open(suite, f"the first {length} bytes of {len(whole)}", whole[:length], None, attack=35)
    for more in (b"\x00", bytes(TAG), whole):
        envelope_open(suite, f"{len(more)} bytes more", whole + more, None, attack=35)
    envelope_open(suite, "an envelope in an envelope's place", b"\x00" + whole, None, attack=35)

    big = self_contained(KEK, CONTEXT, text(2 * CHUNK + 5), Drawn("three chunks"))
    first, second, last = cobblestone.chunks_of(big.payload)
    head = big.payload[:HEADER]
    for name, payload in {"its chunks in another order": head + second + first + last, "without its first chunk": head + second + last}.items():
        envelope_open(suite, f"three chunks, {name}", big.but(payload=payload), None, attack=35)
    exact = self_contained(KEK, CONTEXT, text(CHUNK), Drawn("one whole chunk"))
    envelope_open(suite, "one whole chunk without the empty one after it", exact.but(payload=exact.payload[:-TAG]), None, attack=35)


def headers(suite: Suite) -> None:
    """Headers that are none (ATTACKS.md 35 and 37)."""
    for version in (b"DJN0", b"DJN2", b"DJN\x01", b"djn1", b"\x00\x00\x00\x00", b"JND1"):
        envelope_open(suite, f"version {version!r}", SMALL.but(magic=version), None, attack=35)
    for kind in (0, 2, 3, 4, 5, 6, 7, 127, 128, 255):
        envelope_open(suite, f"kind {kind} in the place of 1", SMALL.but(kind=kind), None, attack=36)
    envelope_open(suite, "no byte", b"", None, attack=35)
    envelope_open(suite, "the version only", MAGIC, None, attack=35)
    for name, data in {"text": b"plaintext that was never sealed", "a Fernet token": b"gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA==", "zeros": bytes(300), "ones": b"\xff" * 300}.items():
        envelope_open(suite, f"{name} in the place of an envelope", data, None, attack=35)
    for length in (0, 1, 9, 11, 127, 128, 129, 255):
        envelope_open(suite, f"a key id told as {length} bytes", SMALL.but(kid_len=length), None, error=f"{REFUSED}|unknown_key", attack=37)
    for name, kid in {"empty": b"", "of 129 bytes": b"k" * 129, "of 255 bytes": b"k" * 255, "no text": b"\xff\xfe", "half of a character": b"k\xc3", "a surrogate": b"\xed\xa0\x80", "an overlong slash": b"\xc0\xaf", "a NUL": b"k\x00", "a line feed": b"k\n", "a delete": b"k\x7f", "a control of two bytes": b"k\xc2\x85"}.items():
        envelope_open(suite, f"a key id that is {name}", SMALL.but(kid=kid), None, attack=37)
    for name, kid in {"another": b"other", "a path": b"../../etc/passwd", "SQL": b"' OR 1=1 --", "of 128 bytes": b"k" * 128, "a character beyond ASCII": "k\u00e9".encode()}.items():
        envelope_open(suite, f"a key id that is {name}, and unknown", SMALL.but(kid=kid), None, error="unknown_key", attack=39)
    envelope_open(suite, "the id of the other key of the keyring", SMALL.but(kid=(OLD_KEK.kid or "").encode()), None, attack=34)
    for length in (0, 1, 103, 105, 255, 256, 6144, 6145, 65535):
        envelope_open(suite, f"a wrap told as {length} bytes", SMALL.but(wrap_len=length), None, attack=37)
    for length in (0, 32, 103, 105, 6144, 65535):
        envelope_open(suite, f"a wrap of {length} bytes", SMALL.but(wrap=SMALL.wrap[:length].ljust(length, b"w")), None, attack=37)
    envelope_open(suite, "a passphrase's parameters where none belong", SMALL.but(argon=Argon(bytes(16)).header()), None, attack=37)


def wraps(suite: Suite) -> None:
    """Wraps that are another's (ATTACKS.md 34, 36, 36a)."""
    kid = KEK.kid or ""
    salt, data_key = DRAWN.wrap_salt, DRAWN.data_key
    own = wrap_context(SELF_CONTAINED, kid)
    other = stream("another data key", KEY)
    for name, wrap in {
        "under another key": cobblestone.seal(OTHER_KEK.secret, own, salt, data_key),
        "of another data key": cobblestone.seal(KEK.secret, own, salt, other),
        "for another key id": cobblestone.seal(KEK.secret, wrap_context(SELF_CONTAINED, "envelope-1"), salt, data_key),
        "with a scope": cobblestone.seal(KEK.secret, wrap_context(SELF_CONTAINED, kid, "acme"), salt, data_key),
        "of a stored data key": wrapped_data_key(KEK, "", data_key, salt).wrap,
        "of the kind cell": cobblestone.seal(KEK.secret, wrap_context(CELL, kid), salt, data_key),
        "of the kind passphrase": cobblestone.seal(KEK.secret, wrap_context(PASSPHRASE, ""), salt, data_key),
        "without a context": cobblestone.seal(KEK.secret, b"", salt, data_key),
        "made as a payload": cobblestone.seal(KEK.secret, payload_context(SELF_CONTAINED, []), salt, data_key),
    }.items():
        assert len(wrap) == WRAP
        envelope_open(suite, f"a wrap {name}", SMALL.but(wrap=wrap), None, attack=36)
    # A key's commitment in front of chunks that open under it, beside another's: no wrap opens under two keys.
    message_key = cobblestone.sealed_chunks(KEK.secret, own, salt, [data_key])[0]
    for name, committed in {"another key": cobblestone.derived(OTHER_KEK.secret, salt, own)[2], "another scope": cobblestone.derived(KEK.secret, salt, wrap_context(SELF_CONTAINED, kid, "acme"))[2]}.items():
        envelope_open(suite, f"a wrap whose chunk is good, and its commitment of {name}", SMALL.but(wrap=salt + committed + message_key), None, attack=36)
    swapped = self_contained(KEK, CONTEXT, b"small", Drawn("swapped wraps"))
    envelope_open(suite, "the wrap of another envelope of the same context", SMALL.but(wrap=swapped.wrap), None, attack=34)


def inspections(suite: Suite) -> None:
    """What a header says, without a key."""

    def ask(name: str, data: bytes, answer: Case) -> None:
        suite.add(f"inspecting {name}", {"op": "envelope_inspect", "envelope_hex": data.hex()}, answer)

    drawn = Drawn("inspected")
    data_key = drawn.data_key
    stored = wrapped_data_key(KEK, "acme", data_key, drawn.wrap_salt)
    argon = Argon(drawn.argon_salt, 262144, 3, 1)
    passphrase = Envelope(PASSPHRASE, b"", bytes(WRAP), SMALL.payload, argon.header())
    blob = stream("KMS blob", 200)
    outside = external(data_key, "arn:aws:kms:eu-central-1:1:key/2", blob, CONTEXT, b"inspected", drawn.payload_salt)
    numbers = {"memory_kib": 262144, "time_cost": 3, "parallelism": 1}
    for kind, (envelope, more) in {
        "an envelope": (SMALL, {}),
        "a stored data key": (stored, {}),
        "a cell": (cell(data_key, CONTEXT, b"inspected", drawn.payload_salt), {}),
        "a passphrase's envelope": (passphrase, numbers),
        "a KMS's envelope": (outside, {"wrapped_key": b64u(blob)}),
    }.items():
        ask(kind, bytes(envelope), inspected(envelope, **more))
        ask(f"the header of {kind}", envelope.header(), inspected(envelope, **more))
        for length in (0, 3, 5, len(envelope.header()) - 1):
            ask(f"{length} bytes of {kind}", envelope.header()[:length], refusal(REFUSED))
    for name, envelope in {"version 2": SMALL.but(magic=b"DJN2"), "kind 0": SMALL.but(kind=0), "kind 6": SMALL.but(kind=6), "an empty key id": SMALL.but(kid=b""), "a key id of 129 bytes": SMALL.but(kid=b"k" * 129), "a wrap of 103 bytes": SMALL.but(wrap=SMALL.wrap[1:]), "a cell with a wrap": Envelope(CELL, data_key_id(data_key).encode(), SMALL.wrap), "a passphrase with a key id": passphrase.but(kid=b"k"), "a KMS's envelope without a blob": outside.but(wrap=b""), "a blob of 6,145 bytes": outside.but(wrap=bytes(6145))}.items():
        ask(name, bytes(envelope), refusal(REFUSED))
    longest = outside.but(wrap=bytes(6144), kid=b"k" * 128)
    ask("the longest header", longest.header(), inspected(longest, wrapped_key=b64u(bytes(6144))))


def rewrapping(suite: Suite) -> None:
    """Rotation: another key-encryption key, the same payload."""
    old = self_contained(OLD_KEK, CONTEXT, text(40), Drawn("rewrapped"))
    drawn = Drawn("rewrapping")
    rewrapped = old.but(kid=(KEK.kid or "").encode(), wrap=cobblestone.seal(KEK.secret, wrap_context(SELF_CONTAINED, KEK.kid or ""), drawn.wrap_salt, Drawn("rewrapped").data_key))

    def rewrap(name: str, envelope: Envelope | bytes, answer: Case, *, entropy: str | None = None, attack: int | None = None, **more: Any) -> None:
        request = {"op": "envelope_rewrap", "keyring": RING, "envelope_hex": bytes(envelope).hex(), "entropy_hex": drawn.hex("wrap_salt") if entropy is None else entropy} | more
        suite.add(name, request, answer, attack)

    rewrap("re-wrapping an older envelope", old, {"ok": True, "envelope_hex": bytes(rewrapped).hex()})
    envelope_open(suite, "opening the older envelope", old, text(40), golden=True)
    envelope_open(suite, "opening what was re-wrapped", rewrapped, text(40), golden=True)
    envelope_open(suite, "opening what was re-wrapped without the older key", rewrapped, text(40), keyring=ring(PRIMARY))
    envelope_open(suite, "opening the older envelope without the older key", old, None, keyring=ring(PRIMARY), error="unknown_key", attack=39)
    again = SMALL.but(wrap=cobblestone.seal(KEK.secret, wrap_context(SELF_CONTAINED, KEK.kid or ""), drawn.wrap_salt, DRAWN.data_key))
    rewrap("re-wrapping under the same key", SMALL, {"ok": True, "envelope_hex": bytes(again).hex()})
    torn = old.but(payload=old.payload[:-5])
    rewrap("re-wrapping does not read the payload", torn, {"ok": True, "envelope_hex": bytes(rewrapped.but(payload=torn.payload)).hex()})
    envelope_open(suite, "so what was torn stays torn", rewrapped.but(payload=torn.payload), None, attack=35)
    rewrap("re-wrapping under an unknown key", old, refusal("unknown_key"), attack=39, keyring=ring(PRIMARY))
    rewrap("re-wrapping from a disabled key", old, refusal("key_disabled"), attack=39, keyring=ring(PRIMARY, OLD_KEK.jwk(purpose="envelope", status="disabled")))
    rewrap("re-wrapping from an expired key", old, refusal("key_expired"), attack=39, keyring=ring(PRIMARY, OLD_KEK.jwk(purpose="envelope", status="verify-only", not_after_s=NOW)), now_s=NOW)
    rewrap("re-wrapping from a destroyed key", old, refusal("key_destroyed"), attack=39, keyring=ring(PRIMARY, {"kid": OLD_KEK.kid, "purpose": "envelope", "status": "destroyed"}))
    rewrap("re-wrapping a forged wrap", old.but(wrap=flipped(old.wrap, 60, 0)), refusal(REFUSED), attack=35)
    rewrap("re-wrapping a cell", cell(stream("cell key", 32), CONTEXT, b"cell", bytes(24)), refusal(REFUSED), attack=36)
    rewrap("re-wrapping no byte", b"", refusal(REFUSED), attack=35)
    rewrap("re-wrapping with 23 bytes of entropy", old, refusal("entropy_unavailable"), entropy=drawn.hex("wrap_salt")[:46])
    rewrap("re-wrapping before the epoch", old, refusal("invalid_argument"), now_s=-1)

    def needs(name: str, envelope: Envelope | bytes, answer: Case, **more: Any) -> None:
        suite.add(name, {"op": "envelope_needs_rewrap", "keyring": RING, "envelope_hex": bytes(envelope).hex()} | more, answer)

    needs("an older envelope is to be re-wrapped", old, {"ok": True, "needs_rewrap": True})
    needs("its header says so", old.header(), {"ok": True, "needs_rewrap": True})
    needs("one of the primary key is not", SMALL, {"ok": True, "needs_rewrap": False})
    needs("nor is what was re-wrapped", rewrapped, {"ok": True, "needs_rewrap": False})
    needs("half a header", old.header()[:20], refusal(REFUSED))
    needs("no header", b"", refusal(REFUSED))


def cells() -> Suite:
    suite = Suite("cells", "Data keys of tenants, stored under a keyring, and the cells under them.", "FORMATS.md, Envelopes; ATTACKS.md 34 to 37, 39")
    drawn = Drawn("data key of acme")
    data_key = drawn.data_key
    stored = wrapped_data_key(KEK, "acme", data_key, drawn.wrap_salt)
    salt = stream("cell salt", 24)

    def new(name: str, answer: Case, **more: Any) -> None:
        suite.add(name, {"op": "data_key_new", "keyring": RING, "scope": "acme", "entropy_hex": drawn.hex("data_key", "wrap_salt")} | more, answer)

    def seal(name: str, plaintext: bytes, answer: Case | None = None, *, context: Parts = CONTEXT, **more: Any) -> Envelope:
        made = cell(data_key, context, plaintext, salt)
        request = {"op": "cell_seal", "keyring": RING, "scope": "acme", "data_key_hex": bytes(stored).hex(), "context": context, "plaintext_hex": plaintext.hex(), "entropy_hex": salt.hex()} | more
        suite.add(name, request, {"ok": True, "cell_hex": bytes(made).hex()} if answer is None else answer)
        return made

    def open_(name: str, made: Envelope | bytes, plaintext: bytes | None, *, error: str = REFUSED, attack: int | None = None, golden: bool = False, key: Envelope | bytes = stored, **more: Any) -> None:
        request = {"op": "cell_open", "keyring": RING, "scope": "acme", "data_key_hex": bytes(key).hex(), "context": CONTEXT, "cell_hex": bytes(made).hex()} | more
        suite.add(name, request, refusal(error) if plaintext is None else {"ok": True, "plaintext_hex": plaintext.hex()}, attack, golden=golden)

    made = {"ok": True, "data_key_hex": bytes(stored).hex(), "key_id": data_key_id(data_key)}
    new("a data key for acme", made)
    for scope in ("", "a", "zo\u00eb \u4e2d", "s" * 1000):
        new(f"a data key for a scope of {len(scope.encode())} bytes", made | {"data_key_hex": bytes(wrapped_data_key(KEK, scope, data_key, drawn.wrap_salt)).hex()}, scope=scope)
    for count in (0, 31, 32, 55):
        new(f"a data key of {count} bytes of entropy", refusal("entropy_unavailable"), entropy_hex=drawn.hex("data_key", "wrap_salt")[: 2 * count])
    new("a data key under a keyring without a primary", refusal("config_error"), keyring=ring(KEK.jwk(purpose="envelope", status="active")))
    new("a data key for a scope as long as may be", made | {"data_key_hex": bytes(wrapped_data_key(KEK, "s" * 4096, data_key, drawn.wrap_salt)).hex()}, scope="s" * 4096)
    new("a data key for a scope a byte too long", refusal("too_large"), scope="s" * 4097)
    new("a data key before the epoch", refusal("invalid_argument"), now_s=-1)

    for length in (0, 1, 16, 64, 255, 1024, CHUNK):
        one = seal(f"sealing {length} bytes", text(length))
        assert len(bytes(one)) == 96 + length + TAG * (length // CHUNK)
        open_(f"opening {length} bytes", one, text(length), golden=True)
    seal("sealing under no part", b"cell", context=[])
    seal("sealing under too long a context", b"cell", refusal("too_large"), context=["c" * 4093])
    seal("sealing with 23 bytes of entropy", b"cell", refusal("entropy_unavailable"), entropy_hex=salt.hex()[:46])

    one = cell(data_key, CONTEXT, b"ann@example.com", salt)
    whole = bytes(one)
    for at in range(len(whole)):
        open_(f"bit {at % 7} of byte {at} flipped", flipped(whole, at, at % 7), None, attack=35)
    for length in range(len(whole)):
        open_(f"the first {length} bytes of {len(whole)}", whole[:length], None, attack=35)
    open_("a byte more", whole + b"\x00", None, attack=35)
    open_("with a wrap", one.but(wrap=SMALL.wrap), None, attack=37)
    open_("with a wrap that is told and not there", one.but(wrap_len=104), None, attack=37)

    for name, context in {"another row": ["users", "email", "43"], "another column": ["users", "phone", "42"], "another table": ["admins", "email", "42"], "no part": [], "parts cut elsewhere": ["users", "email4", "2"]}.items():
        open_(f"moved to {name}", one, None, context=context, attack=34)
    for sealed, opened in ((["ab", "c"], ["a", "bc"]), (["a", "bc"], ["ab", "c"])):
        open_(f"sealed under {sealed}, opened under {opened}", cell(data_key, sealed, b"parts", salt), None, context=opened, attack=36)

    # The data key of another tenant, by every way that leads to it.
    others = Drawn("data key of globex")
    globex = wrapped_data_key(KEK, "globex", others.data_key, others.wrap_salt)
    foreign_cell = cell(others.data_key, CONTEXT, b"globex", salt)
    open_("another tenant's wrapped data key", foreign_cell, None, key=globex, attack=36)
    open_("which opens for that tenant", foreign_cell, b"globex", key=globex, scope="globex")
    for scope in ("", "ACME", "acm", "acme ", "acme\x00"):
        open_(f"the data key for the scope {scope!r}", one, None, scope=scope, attack=36)
    open_("a cell under another tenant's data key", foreign_cell, None, attack=34)
    open_("a cell of another tenant under this one's id", foreign_cell.but(kid=one.kid), None, attack=34)
    open_("a cell of this tenant under another's id", one.but(kid=foreign_cell.kid), None, attack=34)

    # Kinds (36a).
    for name, payload in {"an envelope's payload": cobblestone.seal(data_key, payload_context(SELF_CONTAINED, CONTEXT), salt, b"kinds"), "a KMS's payload": cobblestone.seal(data_key, payload_context(EXTERNAL, CONTEXT), salt, b"kinds"), "a bare message": cobblestone.seal(data_key, b"", salt, b"kinds")}.items():
        open_(f"a cell with {name}", one.but(payload=payload), None, attack=36)
    open_("an envelope in the place of a cell", SMALL, None, attack=36)
    open_("a stored data key in the place of a cell", stored, None, attack=36)
    for kind in (0, 1, 2, 4, 5, 6):
        open_(f"kind {kind} in the place of 3", one.but(kind=kind), None, attack=36)
    envelope_open(suite, "a cell in the place of an envelope", one, None, attack=36)
    envelope_open(suite, "a stored data key in the place of an envelope", stored, None, attack=36)
    envelope_open(suite, "a stored data key with a payload, in the place of an envelope", stored.but(payload=cell(data_key, CONTEXT, b"kinds", salt).payload), None, attack=36)

    # The stored data key itself.
    stored_whole = bytes(stored)
    for at in range(len(stored_whole)):
        bit = at % 7
        changed = stored_whole[at] ^ 1 << bit
        unknown = at in range(6, 6 + len(stored.kid)) and 0x20 <= changed != 0x7F
        open_(f"the stored data key, bit {bit} of byte {at} flipped", one, None, key=flipped(stored_whole, at, bit), error="unknown_key" if unknown else REFUSED, attack=35)
    for length in (0, 1, 4, 5, 6, 15, 17, 18, 50, 100, len(stored_whole) - 1):
        open_(f"the stored data key, its first {length} bytes", one, None, key=stored_whole[:length], attack=35)
    open_("the stored data key, and a byte more", one, None, key=stored_whole + b"\x00", attack=35)
    open_("the stored data key, and a payload", one, None, key=stored.but(payload=one.payload), attack=35)
    open_("an envelope in the place of the data key", one, None, key=SMALL, attack=36)
    open_("a cell in the place of the data key", one, None, key=one, attack=36)
    envelope_like = stored.but(wrap=cobblestone.seal(KEK.secret, wrap_context(SELF_CONTAINED, KEK.kid or "", "acme"), drawn.wrap_salt, data_key))
    open_("a data key wrapped as an envelope's", one, None, key=envelope_like, attack=36)
    for name, status, error in (("disabled", {"status": "disabled"}, "key_disabled"), ("destroyed", None, "key_destroyed"), ("expired", {"status": "verify-only", "not_after_s": NOW}, "key_expired")):
        gone = {"kid": KEK.kid, "purpose": "envelope", "status": "destroyed"} if status is None else KEK.jwk(purpose="envelope", **status)
        spare = OTHER_KEK.jwk(purpose="envelope", status="primary") | {"kid": "spare"}
        open_(f"the data key's key is {name}", one, None, error=error, attack=39, keyring=ring(spare, gone), now_s=NOW)
    open_("the data key's key is unknown", one, None, error="unknown_key", attack=39, keyring=ring(OTHER_KEK.jwk(purpose="envelope", status="primary") | {"kid": "spare"}))
    open_("another key under the data key's key's id", one, None, attack=34, keyring=ring(OTHER_KEK.jwk(purpose="envelope", status="primary")))

    rotated(suite, data_key, one)
    return suite


def rotated(suite: Suite, data_key: bytes, one: Envelope) -> None:
    """A data key that is re-wrapped stays the same key: its cells keep their id and open."""
    old = wrapped_data_key(OLD_KEK, "acme", data_key, stream("older wrap", 24))
    salt = stream("newer wrap", 24)
    fresh = wrapped_data_key(KEK, "acme", data_key, salt)

    def rewrap(name: str, answer: Case, *, attack: int | None = None, **more: Any) -> None:
        suite.add(name, {"op": "data_key_rewrap", "keyring": RING, "scope": "acme", "data_key_hex": bytes(old).hex(), "entropy_hex": salt.hex()} | more, answer, attack)

    rewrap("re-wrapping a data key", {"ok": True, "data_key_hex": bytes(fresh).hex()})
    for name, key in {"before": old, "after": fresh}.items():
        suite.add(
            f"the cell {name} it was re-wrapped",
            {"op": "cell_open", "keyring": RING, "scope": "acme", "data_key_hex": bytes(key).hex(), "context": CONTEXT, "cell_hex": bytes(one).hex()},
            {"ok": True, "plaintext_hex": b"ann@example.com".hex()},
            golden=True,
        )
    rewrap("re-wrapping a data key for another scope", refusal(REFUSED), attack=36, scope="globex")
    rewrap("re-wrapping a data key under an unknown key", refusal("unknown_key"), attack=39, keyring=ring(PRIMARY))
    rewrap("re-wrapping a data key from a disabled key", refusal("key_disabled"), attack=39, keyring=ring(PRIMARY, OLD_KEK.jwk(purpose="envelope", status="disabled")))
    rewrap("re-wrapping an envelope as a data key", refusal(REFUSED), attack=36, data_key_hex=bytes(SMALL).hex())
    rewrap("re-wrapping a data key with 23 bytes of entropy", refusal("entropy_unavailable"), entropy_hex=salt.hex()[:46])
