"""Envelopes whose keys come from a passphrase or from a KMS (FORMATS.md, Envelopes; ATTACKS.md 34 to 37, 40)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from . import cobblestone, collision
from .chunked import text
from .cobblestone import CHUNK, COMMITMENT, HEADER, SALT
from .envelope import (
    EXTERNAL,
    PASSPHRASE,
    Argon,
    Drawn,
    Envelope,
    Parts,
    cell,
    external,
    payload_context,
    under_passphrase,
    wrap_context,
)
from .envelopes import CONTEXT, REFUSED, SMALL, flipped
from .keys import stream
from .suite import Suite, refusal

WORDS = b"correct horse battery staple"
DRAWN = Drawn("passphrase")
LEAST = Argon(DRAWN.argon_salt)
ONE = under_passphrase(WORDS, LEAST, CONTEXT, b"words", DRAWN)
BEYOND = "params_out_of_bounds"
PASSPHRASE_MAX = 4096
ENTROPY = ("data_key", "argon_salt", "wrap_salt", "payload_salt")
BLOB = stream("KMS blob", 184)
KMS_KEY = stream("KMS data key", 32)
KMS_ID = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd"


def suites() -> Iterator[Suite]:
    yield passphrase()
    yield outside()


def passphrase() -> Suite:
    suite = Suite("passphrase", "Envelopes under a passphrase, and headers that ask for more of Argon2 than is allowed.", "FORMATS.md, Envelopes; RFC 9106; ATTACKS.md 34 to 37, 40")

    def open_(name: str, envelope: Envelope | bytes, plaintext: bytes | None, *, words: bytes = WORDS, context: Parts = CONTEXT, error: str = REFUSED, attack: int | None = None, golden: bool = False) -> None:
        request = {"op": "passphrase_open", "passphrase_hex": words.hex(), "context": context, "envelope_hex": bytes(envelope).hex()}
        suite.add(name, request, refusal(error) if plaintext is None else {"ok": True, "plaintext_hex": plaintext.hex()}, attack, golden=golden)

    def seal(name: str, plaintext: bytes, *, words: bytes = WORDS, m: int = 8, t: int = 1, p: int = 1, context: Parts = CONTEXT, error: str | None = None, entropy: str | None = None) -> Envelope:
        drawn = Drawn(f"passphrase, {name}")
        request = {
            "op": "passphrase_seal", "passphrase_hex": words.hex(), "memory_kib": m, "time_cost": t, "parallelism": p, "context": context, "plaintext_hex": plaintext.hex(),
            "entropy_hex": drawn.hex(*ENTROPY) if entropy is None else entropy,
        }  # fmt: skip
        envelope = ONE if error else under_passphrase(words, Argon(drawn.argon_salt, m, t, p), context, plaintext, drawn)
        suite.add(f"sealing {name}", request, refusal(error) if error else {"ok": True, "envelope_hex": bytes(envelope).hex()})
        return envelope

    for length in (0, 1, 1024, CHUNK):
        open_(f"opening {length} bytes", seal(f"{length} bytes", text(length)), text(length), golden=True)
    for m, t, p in ((8, 1, 1), (16, 2, 2), (128, 1, 16), (65, 3, 1), (19456, 2, 1), (8, 16, 1)):
        name = f"{m} KiB, {t} passes, {p} lanes"
        open_(f"opening with {name}", seal(f"with {name}", b"work", m=m, t=t, p=p), b"work", golden=True)
    words = {"one byte": b"p", "a NUL within": b"pass\x00word", "bytes that are no text": b"\xff\xfe", "many scripts": "p\u00e4ss \u4e2d \U0001f600".encode(), "white space around": b" words\n", "as long as may be": b"x" * PASSPHRASE_MAX}
    for name, each in words.items():
        open_(f"opening with a passphrase of {name}", seal(f"with a passphrase of {name}", b"phrase", words=each), b"phrase", words=each, golden=True)
    seal("with an empty passphrase", b"phrase", words=b"", error="invalid_argument")
    seal("with a passphrase a byte too long", b"phrase", words=b"x" * (PASSPHRASE_MAX + 1), error="too_large")
    open_("opening with an empty passphrase", ONE, None, words=b"", error="invalid_argument")
    open_("opening with a passphrase a byte too long", ONE, None, words=b"x" * (PASSPHRASE_MAX + 1), error="too_large")
    for count in (0, 15, 16, 47, 48, 71, 72, 95):
        seal(f"with {count} bytes of entropy", b"random", error="entropy_unavailable", entropy=Drawn("too little").hex(*ENTROPY)[: 2 * count])

    limits = {
        "no memory": (0, 1, 1), "7 KiB": (7, 1, 1), "less than 8 KiB a lane": (15, 1, 2), "no pass": (8, 0, 1), "no lane": (8, 1, 0), "17 lanes": (1024, 1, 17), "17 passes": (8, 17, 1), "a KiB over 1 GiB": (1048577, 1, 1), "4 GiB": (4194304, 1, 1), "the most KiB that can be told": (4294967295, 1, 1), "the most passes that can be told": (8, 4294967295, 1),
        "the most lanes that can be told": (8, 1, 4294967295), "everything": (4294967295, 4294967295, 4294967295), "1 GiB and 5 passes": (1048576, 5, 1), "512 MiB and 9 passes": (524288, 9, 1), "a product that is 0 in 32 bits": (65536, 65536, 1),
    }  # fmt: skip
    for name, (m, t, p) in limits.items():
        open_(f"a header that asks for {name}", ONE.but(argon=Argon(LEAST.salt, m, t, p).header()), None, error=BEYOND, attack=40)
        if min(m, t, p) > 0:
            seal(f"with {name}", b"work", m=m, t=t, p=p, error=BEYOND)
    for name, argon in {"a pass more": Argon(LEAST.salt, 8, 2), "a KiB more": Argon(LEAST.salt, 9), "a lane more": Argon(LEAST.salt, 16, 1, 2), "another salt": Argon(bytes(16))}.items():
        open_(f"a header that says {name}", ONE.but(argon=argon.header()), None, attack=35)

    for name, each in {"in upper case": WORDS.upper(), "with a blank more": WORDS + b" ", "a letter less": WORDS[:-1], "of one byte": b"c"}.items():
        open_(f"another passphrase: {name}", ONE, None, words=each, attack=34)
    for name, context in {"another row": ["users", "email", "43"], "no part": [], "parts cut elsewhere": ["users", "email4", "2"]}.items():
        open_(f"moved to {name}", ONE, None, context=context, attack=34)

    whole = bytes(ONE)
    lowest = range(22, 34)  # flips of the parameters stay small enough to be worked off: they are told above
    for at in range(len(whole)):
        if at not in lowest:
            open_(f"bit {at % 8} of byte {at} flipped", flipped(whole, at, at % 8), None, attack=35)
    for length in (*range(40), 137, 138, 139, 140, 141, 193, 194, 195, 196, len(whole) - 1):
        open_(f"the first {length} bytes of {len(whole)}", whole[:length], None, attack=35)
    open_("a byte more", whole + b"\x00", None, attack=35)
    open_("with a key id", ONE.but(kid=b"k"), None, attack=37)
    for length in (0, 103, 105, 65535):
        open_(f"a wrap told as {length} bytes", ONE.but(wrap_len=length), None, attack=37)
    for kind in (0, 1, 2, 3, 5, 6):
        open_(f"kind {kind} in the place of 4", ONE.but(kind=kind), None, attack=36)
    open_("a keyring's envelope", SMALL, None, attack=36)
    key, salt = LEAST.key(WORDS), DRAWN.wrap_salt
    good = cobblestone.sealed_chunks(key, wrap_context(PASSPHRASE, ""), salt, [DRAWN.data_key])[0]
    for name, other in {"another passphrase": LEAST.key(b"another"), "a key of zeros": bytes(32)}.items():
        committed = cobblestone.derived(other, salt, wrap_context(PASSPHRASE, ""))[2]
        open_(f"a wrap whose chunk is good, and its commitment of {name}", ONE.but(wrap=salt + committed + good), None, attack=36)
    # A wrap that AES-GCM opens under two passphrases: what a partitioning oracle asks about.
    guesses = {"the one passphrase": WORDS, "the other": b"incorrect horse"}
    keys = [cobblestone.derived(LEAST.key(each), salt, wrap_context(PASSPHRASE, "")) for each in guesses.values()]
    both = collision.opens_under_both(keys[0][:2], keys[1][:2], stream("collision", 16))
    for (committed, owner), (message_key, base, own) in zip(guesses.items(), keys):
        data_key = collision.AESGCM(message_key).decrypt(base, both, None)
        payload = cobblestone.seal(data_key, payload_context(PASSPHRASE, CONTEXT), DRAWN.payload_salt, b"oracle")
        for name, each in guesses.items():
            open_(f"a wrap that opens under two passphrases, the commitment of {committed}, under {name}", ONE.but(wrap=salt + own + both, payload=payload), b"oracle" if each == owner else None, words=each, attack=36)
    open_("a wrap with a key id in its context", ONE.but(wrap=cobblestone.seal(key, wrap_context(PASSPHRASE, "k"), salt, DRAWN.data_key)), None, attack=36)
    return suite


def outside() -> Suite:
    suite = Suite("external", "Envelopes whose data key a KMS or an HSM wraps.", "FORMATS.md, Envelopes; ATTACKS.md 34 to 37")
    salt = stream("external salt", SALT)

    def fields(**more: Any) -> dict[str, Any]:
        return {"data_key_hex": KMS_KEY.hex(), "key_id": KMS_ID, "wrapped_key_hex": BLOB.hex(), "context": CONTEXT} | more

    def seal(name: str, plaintext: bytes, *, kid: str = KMS_ID, blob: bytes = BLOB, error: str | None = None, **more: Any) -> Envelope:
        made = external(KMS_KEY, kid, blob, CONTEXT, plaintext, salt)
        request = {"op": "external_seal"} | fields(key_id=kid, wrapped_key_hex=blob.hex(), plaintext_hex=plaintext.hex(), entropy_hex=salt.hex()) | more
        suite.add(f"sealing {name}", request, refusal(error) if error else {"ok": True, "envelope_hex": bytes(made).hex()})
        return made

    def open_(name: str, envelope: Envelope | bytes, plaintext: bytes | None, *, error: str = REFUSED, attack: int | None = None, golden: bool = False, **more: Any) -> None:
        request = {"op": "external_open"} | fields(envelope_hex=bytes(envelope).hex()) | more
        suite.add(name, request, refusal(error) if plaintext is None else {"ok": True, "plaintext_hex": plaintext.hex()}, attack, golden=golden)

    for length in (0, 1, 1024, CHUNK):
        open_(f"opening {length} bytes", seal(f"{length} bytes", text(length)), text(length), golden=True)
    for name, blob in {"one byte": b"b", "6,144 bytes": stream("long blob", 6144)}.items():
        open_(f"opening with a blob of {name}", seal(f"with a blob of {name}", b"blob", blob=blob), b"blob", wrapped_key_hex=blob.hex(), golden=True)
    for name, kid in {"one byte": "k", "128 bytes": "k" * 128, "many scripts": "hsm \u4e2d \U0001f600"}.items():
        open_(f"opening under a key id of {name}", seal(f"under a key id of {name}", b"named", kid=kid), b"named", key_id=kid, golden=True)
    wrong = "invalid_argument"
    for name, kid in {"no byte": "", "129 bytes": "k" * 129, "a NUL within": "k\x00", "a line feed": "k\n"}.items():
        seal(f"under a key id of {name}", b"named", kid=kid, error=wrong)
    for name, blob in {"no byte": b"", "6,145 bytes": bytes(6145)}.items():
        seal(f"with a blob of {name}", b"blob", blob=blob, error=wrong)
    for length in (0, 16, 31, 33, 64):
        seal(f"with a data key of {length} bytes", b"key", error=wrong, data_key_hex=stream("key length", length).hex())
    seal("with 23 bytes of entropy", b"random", error="entropy_unavailable", entropy_hex=salt.hex()[:46])

    one = external(KMS_KEY, KMS_ID, BLOB, CONTEXT, b"outside", salt)
    whole = bytes(one)
    kid = range(6, 6 + len(one.kid))
    blob = range(8 + len(one.kid), 8 + len(one.kid) + len(BLOB))
    for at in (at for at in range(len(whole)) if at not in blob or at % 16 == 0):
        changed = whole[at] ^ 1 << at % 7
        unknown = at in kid and 0x20 <= changed != 0x7F
        open_(f"bit {at % 7} of byte {at} flipped", flipped(whole, at, at % 7), None, error="unknown_key" if unknown else REFUSED, attack=35)
    open_("another key id", one, None, error="unknown_key", key_id="another", attack=39)
    open_("another blob", one, None, wrapped_key_hex=b"another".hex(), attack=34)
    for length in (*range(12), 57, 58, 59, 60, 240, 241, 242, 243, 244, 245, len(whole) - 1):
        open_(f"the first {length} bytes of {len(whole)}", whole[:length], None, attack=35)
    open_("a byte more", whole + b"\x00", None, attack=35)
    open_("another data key", one, None, data_key_hex=stream("another KMS key", 32).hex(), attack=34)
    for name, context in {"another row": ["users", "email", "43"], "no part": [], "parts cut elsewhere": ["users", "email4", "2"]}.items():
        open_(f"moved to {name}", one, None, context=context, attack=34)
    for kind in (0, 1, 2, 3, 4, 6):
        open_(f"kind {kind} in the place of 5", one.but(kind=kind), None, attack=36)
    for name, payload in {"a cell's payload": cell(KMS_KEY, CONTEXT, b"kinds", salt).payload, "a stored data key's": cobblestone.seal(KMS_KEY, b"".join(len(part).to_bytes(4, "big") + part for part in (b"donjon/data-key/v1", bytes([EXTERNAL]), b"")), salt, KMS_KEY)}.items():
        open_(f"an envelope with {name}", one.but(payload=payload), None, attack=36)
    good = cobblestone.sealed_chunks(KMS_KEY, payload_context(EXTERNAL, CONTEXT), salt, [b"outside"])[0]
    committed = cobblestone.derived(stream("another KMS key", 32), salt, payload_context(EXTERNAL, CONTEXT))[2]
    assert len(committed) == COMMITMENT
    assert len(one.payload) > HEADER
    open_("a chunk that is good, and a commitment of another key", one.but(payload=salt + committed + good), None, attack=36)
    open_("without a blob", one.but(wrap=b""), None, attack=37)
    open_("a blob of 6,145 bytes", one.but(wrap=bytes(6145)), None, attack=37)
    for length in (0, 183, 185, 6144, 65535):
        open_(f"a blob told as {length} bytes", one.but(wrap_len=length), None, attack=37)
    return suite
