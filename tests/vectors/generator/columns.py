"""Blind indexes, sealed settings, and what has been erased (FORMATS.md, Envelopes and Shredding)."""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from typing import Any

from .cobblestone import expand
from .envelope import KEK, OLD_KEK, Drawn, ring, self_contained
from .envelopes import REFUSED, flipped
from .jose import b64u, lp
from .keys import HS256, Secret, stream
from .suite import NOW, Case, Suite, refusal

INDEX = Secret("index-2", "HS256", stream("blind index", 32))
OLD_INDEX = Secret("index-1", "HS256", stream("older blind index", 32))
NEXT_INDEX = Secret("index-3", "HS256", stream("next blind index", 32))
SETTINGS = Secret("settings-2", "HS256", stream("settings key", 32))
OLD_SETTINGS = Secret("settings-1", "HS256", stream("older settings key", 32))


def suites() -> Iterator[Suite]:
    yield blind_index()
    yield settings()
    yield erasure()


def index_value(key: Secret, epoch: int, place: tuple[str, str, str], bits: int, value: bytes) -> bytes:
    """u8(epoch) || HMAC-SHA-256(HKDF-SHA-256(key, lp(tenant) || lp(table) || lp(column)), value), cut to the bits."""
    prk = hmac.digest(bytes(32), key.secret, "sha256")
    made = expand(prk, b"".join(lp(part) for part in place), 32, "sha256")
    digest = int.from_bytes(hmac.digest(made, value, "sha256"), "big")
    size = (bits + 7) // 8
    kept = digest >> (256 - bits) << (8 * size - bits)
    return bytes([epoch % 256]) + kept.to_bytes(size, "big")


def blind_index() -> Suite:
    suite = Suite("blind_index", "What an encrypted column is searched by.", "FORMATS.md, Blind index; RFC 5869")
    place = ("acme", "users", "email")
    ann = b"ann@example.com"
    primary = INDEX.jwk(purpose="blind-index", status="primary", epoch=2)
    older = OLD_INDEX.jwk(purpose="blind-index", status="verify-only", epoch=1)
    coming = NEXT_INDEX.jwk(purpose="blind-index", status="active", epoch=3)

    def ask(name: str, keys: list[tuple[Secret, int]] | None = None, *, keyring: Any = None, where: tuple[str, str, str] = place, bits: int = 128, value: bytes = ann, error: str | None = None, attack: int | None = None, golden: bool = False, **more: Any) -> None:
        """`keys`: those whose values are candidates, the primary's first."""
        tenant, table, column = where
        request = {"op": "blind_index", "keyring": ring(primary) if keyring is None else keyring, "tenant": tenant, "table": table, "column": column, "bits": bits, "value_hex": value.hex()} | more
        values = [] if error else [index_value(key, epoch, where, bits, value).hex() for key, epoch in keys or [(INDEX, 2)]]
        suite.add(name, request, refusal(error) if error else {"ok": True, "index_hex": values[0], "candidates_hex": values}, attack, golden=golden)

    for bits in (8, 9, 12, 15, 16, 17, 31, 32, 64, 127, 128, 255, 256):
        ask(f"{bits} bits", bits=bits, golden=True)
    for name, value in {"empty": b"", "one byte": b"a", "in upper case": b"ANN@EXAMPLE.COM", "with a blank": ann + b" ", "no text": b"\xff\x00\xfe", "long": b"x" * 5000}.items():
        ask(f"a value that is {name}", value=value)
    for where in (("globex", "users", "email"), ("acme", "admins", "email"), ("acme", "users", "phone"), ("", "users", "email"), ("", "", ""), ("acmeusers", "", "email"), ("acme", "usersemail", ""), ("ab", "c", "d"), ("a", "bc", "d"), ("zo\u00eb", "\u4e2d", "\U0001f600")):
        ask(f"another place: {where}", where=where)
    for epoch in (1, 255, 256, 257, 4294967295):
        ask(f"epoch {epoch}", [(INDEX, epoch)], keyring=ring(primary | {"epoch": epoch}), golden=True)
    ask("a key without an epoch", [(INDEX, 0)], keyring=ring(INDEX.jwk(purpose="blind-index", status="primary")), golden=True)

    ask("every live key's candidate", [(INDEX, 2), (OLD_INDEX, 1), (NEXT_INDEX, 3)], keyring=ring(primary, older, coming), golden=True)
    ask("the primary's candidate is the first, wherever it stands", [(INDEX, 2), (OLD_INDEX, 1), (NEXT_INDEX, 3)], keyring=ring(older, primary, coming))
    ask("a disabled key has no candidate", keyring=ring(primary, older | {"status": "disabled"}), attack=39)
    ask("nor has a destroyed one", keyring=ring(primary, {"kid": "index-1", "purpose": "blind-index", "status": "destroyed"}), attack=39)
    ended = ring(primary, older | {"not_after_s": NOW})
    ask("nor one whose time is over", keyring=ended, now_s=NOW, attack=39)
    ask("which it has a second before", [(INDEX, 2), (OLD_INDEX, 1)], keyring=ended, now_s=NOW - 1)
    ask("a primary whose time is over", keyring=ring(primary | {"not_after_s": NOW}), now_s=NOW, error="key_expired", attack=39)
    for name, keyring in {"no key": ring(), "no primary": ring(older), "an envelope's key": ring(KEK.jwk(purpose="envelope", status="primary")), "two live keys of one epoch": ring(primary, older | {"epoch": 2}), "two live keys whose epochs are the same in a byte": ring(primary, older | {"epoch": 258}), "two live keys without an epoch": ring(*({m: v for m, v in key.items() if m != "epoch"} for key in (primary, older)))}.items():
        ask(f"a keyring with {name}", keyring=keyring, error="config_error")
    ask("a disabled key of the primary's epoch", keyring=ring(primary, older | {"epoch": 2, "status": "disabled"}))
    for name, epoch in {"0": 0, "negative": -1, "over 32 bits": 2**32, "a fraction": 1.5, "a text": "1", "null": None}.items():
        ask(f"an epoch that is {name}", keyring=ring(primary | {"epoch": epoch}), error="config_error")
    for bits in (0, 1, 7, 257, 65536):
        ask(f"{bits} bits are refused", bits=bits, error="invalid_argument")
    ask("before the epoch of Unix", now_s=-1, error="invalid_argument")
    return suite


def settings() -> Suite:
    suite = Suite("settings", "Secrets in the environment: sealed under the keyring's `settings` key, for the setting of that name.", "FORMATS.md, Envelopes; ATTACKS.md 34, 35, 39")
    primary = SETTINGS.jwk(purpose="settings", status="primary")
    keyring = ring(primary, OLD_SETTINGS.jwk(purpose="settings", status="verify-only"))
    setting = "DATABASE_URL"
    value = "postgresql://app:hunter2@db/app"

    def sealed(name: str, text: str, drawn: Drawn, key: Secret = SETTINGS) -> str:
        return "sealed:" + b64u(bytes(self_contained(key, [name], text.encode(), drawn)))

    def seal(title: str, *, error: str | None = None, entropy: str | None = None, **more: Any) -> str:
        drawn = Drawn(f"setting, {title}")
        request = {"op": "setting_seal", "keyring": keyring, "name": setting, "value": value, "entropy_hex": drawn.hex("data_key", "wrap_salt", "payload_salt") if entropy is None else entropy} | more
        text = "" if error else sealed(request["name"], request["value"], drawn)
        suite.add(f"sealing {title}", request, refusal(error) if error else {"ok": True, "text": text})
        return text

    def open_(title: str, text: str, answer: str | None, *, error: str = REFUSED, attack: int | None = None, golden: bool = False, **more: Any) -> None:
        request = {"op": "setting_open", "keyring": keyring, "name": setting, "text": text} | more
        suite.add(title, request, refusal(error) if answer is None else {"ok": True, "value": answer}, attack, golden=golden)

    for title, text in {"a value": value, "no value": "", "a value of many scripts": "zo\u00eb \u4e2d \U0001f600", "a value of lines": "a\nb\n", "a long value": "x" * 3000, "a value that looks sealed": "sealed:AAAA"}.items():
        open_(f"opening {title}", seal(title, value=text), text, golden=True)
    for title, name in {"a name of many scripts": "SCHL\u00dcSSEL", "a short name": "K", "a name in lower case": "database_url"}.items():
        open_(f"opening {title}", seal(title, name=name), value, name=name, golden=True)
    seal("with 79 bytes of entropy", error="entropy_unavailable", entropy=Drawn("setting").hex("data_key", "wrap_salt", "payload_salt")[:158])
    seal("a value as long as may be", value="x" * 65536)
    seal("a value a byte too long", value="x" * 65537, error="too_large")
    seal("a name a byte too long", name="N" * 4093, error="too_large")
    seal("before the epoch", error="invalid_argument", now_s=-1)
    for title, keys in {"no key": ring(), "no primary": ring(OLD_SETTINGS.jwk(purpose="settings", status="verify-only")), "an envelope's key": ring(KEK.jwk(purpose="envelope", status="primary"))}.items():
        seal(f"under a keyring with {title}", error="config_error", keyring=keys)

    one = sealed(setting, value, Drawn("setting"))
    for title, name in {"another setting": "REDIS_URL", "lower case": "database_url", "a part of its name": "DATABASE", "a blank more": "DATABASE_URL "}.items():
        open_(f"moved to {title}", one, None, name=name, attack=34)
    for title, text in {"plain": value, "empty": "", "of another case": "SEALED:" + one[7:], "a blank before it": " " + one, "without its colon": "sealed" + one[7:], "a word of its beginning": "seal", "a line feed before it": "\n" + one}.items():
        open_(f"a text that is not sealed: {title}", text, None, error="malformed")
    whole = bytes(self_contained(SETTINGS, [setting], value.encode(), Drawn("setting")))
    for at in range(0, len(whole), 9):
        unknown = at in range(6, 6 + len("settings-2"))
        open_(f"byte {at} flipped", "sealed:" + b64u(flipped(whole, at, 0)), None, error="unknown_key" if unknown else REFUSED, attack=35)
    for length in range(0, len(one) - 7, 23):
        open_(f"its first {length} letters", one[: 7 + length], None, attack=35)
    for title, text in {"padding": one + "=", "a line feed behind it": one + "\n", "a letter of the other base64": one[:20] + "+" + one[21:], "a blank within": one[:20] + " " + one[21:], "a letter beyond ASCII": one[:20] + "\u00e9" + one[21:], "a NUL": one + "\x00", "sealed twice": "sealed:" + one}.items():
        open_(f"with {title}", text, None, attack=35)
    last = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    for spare in range(1, 4 if len(whole) % 3 == 2 else 16 if len(whole) % 3 == 1 else 1):
        letter = last[last.index(one[-1]) | spare]
        if letter != one[-1]:
            open_(f"with trailing bits {spare}", one[:-1] + letter, None, attack=35)

    old = sealed(setting, value, Drawn("older setting"), OLD_SETTINGS)
    open_("of the older key", old, value, golden=True)
    for title, (error, keys) in {
        "an unknown key": ("unknown_key", ring(primary)),
        "a disabled key": ("key_disabled", ring(primary, OLD_SETTINGS.jwk(purpose="settings", status="disabled"))),
        "a destroyed key": ("key_destroyed", ring(primary, {"kid": "settings-1", "purpose": "settings", "status": "destroyed"})),
        "a key whose time is over": ("key_expired", ring(primary, OLD_SETTINGS.jwk(purpose="settings", status="verify-only", not_after_s=0))),
        "the key of another purpose": ("unknown_key", ring(primary, OLD_SETTINGS.jwk(purpose="envelope", status="primary"))),
    }.items():
        open_(f"of {title}", old, None, error=error, attack=39, keyring=keys)
    envelope = self_contained(KEK, [setting], value.encode(), Drawn("setting"))
    open_("an envelope of the same context, and of an envelope's key", "sealed:" + b64u(bytes(envelope)), None, error="unknown_key", attack=36, keyring=ring(primary, KEK.jwk(purpose="envelope", status="primary")))
    no_text = self_contained(SETTINGS, [setting], b"\xff\xfe", Drawn("setting"))
    open_("a value that is no text", "sealed:" + b64u(bytes(no_text)), None)
    for title, parts in {"a name in two parts": ["DATABASE", "_URL"], "no name": [], "a name and a part more": [setting, ""]}.items():
        other = self_contained(SETTINGS, parts, value.encode(), Drawn("setting"))
        open_(f"an envelope of {title}", "sealed:" + b64u(bytes(other)), None, attack=36)
    return suite


def erasure() -> Suite:
    suite = Suite("erasure", "Whether what was to be forgotten is: its keys destroyed, or the backups that hold it gone.", "FORMATS.md, Shredding")
    gone, also_gone = ({"kid": key.kid, "purpose": "envelope", "status": "destroyed"} for key in (KEK, OLD_KEK))
    spare = Secret("envelope-3", "HS256", stream("a third key-encryption key", 32)).jwk(purpose="envelope", status="primary")
    live = OLD_KEK.jwk(purpose="envelope", status="verify-only")
    derived = OLD_KEK.jwk(purpose="envelope", status="verify-only", derived=True)
    both = [KEK.kid, OLD_KEK.kid]

    def ask(name: str, keys: list[Any], ids: Any, answer: Case | str, *, backups: int | None = None, now: int = NOW) -> None:
        request = {"op": "erasure", "keyring": ring(*keys), "key_ids": ids, "backups_expire_s": backups, "now_s": now}
        suite.add(name, request, refusal(answer) if isinstance(answer, str) else {"ok": True} | answer)

    def verdict(by: str | None, alive: list[Any], backups: int | None = None) -> Case:
        return {"erased": by is not None, "by": by, "alive": alive, "backups_expire_s": backups}

    ask("the one key is destroyed", [spare, gone], [KEK.kid], verdict("keys_destroyed", []))
    ask("all keys are destroyed", [spare, gone, also_gone], both, verdict("keys_destroyed", []))
    ask("one of two keys is alive", [spare, gone, live], both, verdict(None, [OLD_KEK.kid]))
    ask("both keys are alive", [spare, KEK.jwk(purpose="envelope", status="active"), live], both, verdict(None, both))
    for status in ("active", "verify-only", "disabled"):
        ask(f"a key that is {status} is alive", [spare, OLD_KEK.jwk(purpose="envelope", status=status)], [OLD_KEK.kid], verdict(None, [OLD_KEK.kid]))
    ask("the primary is alive", [spare], ["envelope-3"], verdict(None, ["envelope-3"]))
    ask("a key whose time is over is alive", [spare, OLD_KEK.jwk(purpose="envelope", status="verify-only", not_after_s=1)], [OLD_KEK.kid], verdict(None, [OLD_KEK.kid]))
    ask("the backups are gone", [spare, live], [OLD_KEK.kid], verdict("backups_expired", [OLD_KEK.kid], NOW - 1), backups=NOW - 1)
    ask("the backups go now", [spare, live], [OLD_KEK.kid], verdict("backups_expired", [OLD_KEK.kid], NOW), backups=NOW)
    ask("the backups go in a second", [spare, live], [OLD_KEK.kid], verdict(None, [OLD_KEK.kid], NOW + 1), backups=NOW + 1)
    ask("the keys are destroyed before the backups go", [spare, gone], [KEK.kid], verdict("keys_destroyed", [], NOW + 1), backups=NOW + 1)
    ask("the keys are destroyed and the backups are gone", [spare, gone], [KEK.kid], verdict("keys_destroyed", [], NOW - 1), backups=NOW - 1)
    ask("a derived key can never be destroyed", [spare, derived], [OLD_KEK.kid], "config_error")
    ask("a derived key among destroyed ones", [spare, gone, derived], both, "config_error")
    ask("a derived key that says it is destroyed", [spare, gone | {"derived": True}], [KEK.kid], "config_error")
    ask("a key that is named twice", [spare, gone, live], [OLD_KEK.kid, KEK.kid, OLD_KEK.kid], verdict(None, [OLD_KEK.kid]))
    ask("backups that end before the epoch", [spare, gone], [KEK.kid], "invalid_argument", backups=-1)
    ask("a derived key, and backups that go", [spare, derived], [OLD_KEK.kid], verdict(None, [OLD_KEK.kid], NOW + 1), backups=NOW + 1)
    ask("a derived key, and backups that are gone", [spare, derived], [OLD_KEK.kid], verdict("backups_expired", [OLD_KEK.kid], NOW), backups=NOW)
    ask("an unknown key", [spare, gone], ["nobody"], "unknown_key")
    ask("an unknown key among destroyed ones", [spare, gone], [KEK.kid, "nobody"], "unknown_key")
    ask("a key of another purpose", [spare, HS256.jwk()], [HS256.kid], "unknown_key")
    ask("no key", [spare, gone], [], "invalid_argument")
    ask("before the epoch", [spare, gone], [KEK.kid], "invalid_argument", now=-1)
    for name, ids in {"a text": KEK.kid, "a list of numbers": [1], "null": None}.items():
        ask(f"key ids that are {name}", [spare, gone], ids, "bad_request")
    return suite
