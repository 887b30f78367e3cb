"""Judging passwords (the requirements' six checks; NIST SP 800-63B-4), and the ranges of breached ones (ATTACKS.md 24)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from .suite import Suite, refusal

COMMON = frozenset((Path(__file__).resolve().parents[3] / "src/password/common.txt").read_text(encoding="utf-8").splitlines())
SPECIAL = "!@#$%^&*()_+-=[]{}|;:,.<>?"
PROFILES = {"": 12, "composition": 12, "nist-800-63b-4": 15, "nist-800-63b-4-mfa": 8}
# Undoing a replacement: a 1 may be itself, an i or an l.
REPLACED = [{"@": "a", "4": "a", "3": "e", "1": one, "!": "i", "0": "o", "5": "s", "$": "s", "7": "t"} for one in "1il"]


def undone(text: str) -> list[str]:
    return [text, *("".join(table.get(c, c) for c in text) for table in REPLACED)]


def listed(text: str) -> bool:
    """On the list, or with a core of four characters or more that is: a stretch with all of its letters, or else digits."""
    if text in COMMON:
        return True
    inner = letters(text)
    if inner is None:
        return False
    first, last = inner
    cores = (text[start:end] for start in range(first + 1) for end in range(last, len(text) + 1))
    return any(len(core) >= 4 and any(each in COMMON for each in undone(core)) for core in cores)


def letters(text: str) -> tuple[int, int] | None:
    """From the first letter to behind the last one; of a text without letters, of its digits."""
    for kind in (str.isalpha, str.isdigit):
        at = [place for place, c in enumerate(text) if kind(c)]
        if at:
            return at[0], at[-1] + 1
    return None


def counts(text: str) -> bool:
    steps = {"up" if ord(b) - ord(a) == 1 or (a, b) == ("9", "0") else "down" if ord(a) - ord(b) == 1 or (b, a) == ("9", "0") else "no" for a, b in pairwise(text)}
    return steps in ({"up"}, {"down"}, set())


def predictable(text: str) -> bool:
    inner = letters(text)
    for each in (text, text[inner[0] : inner[1]] if inner else ""):
        if len(each) < 4:
            continue
        unit = next((each[:size] for size in range(1, len(each) // 2 + 1) if each[:size] * (len(each) // size) == each), None)
        if counts(each) or (unit is not None and (len(unit) < 4 or counts(unit) or listed(unit))):
            return True
    return False


def own(text: str, inputs: list[str]) -> bool:
    """Made of the user's words: with those taken out, fewer than four letters are left, or something common."""
    words = {word for entry in inputs for word in (entry.lower(), *re.split(r"[\W_]+", entry.lower())) if len(word) >= 3}
    for each in undone(text):
        rest = each
        for word in sorted(words, key=lambda word: (-len(word.encode()), word)):
            rest = rest.replace(word, " ")
        if rest != each and (sum(map(str.isalpha, rest)) < 4 or listed(rest) or predictable(rest)):
            return True
    return False


def common(password: str, inputs: list[str]) -> bool:
    lower = password.lower()
    return any(listed(text) or predictable(text) or own(text, inputs) for text in (lower, lower[::-1]))


def checks(password: str, inputs: list[str], profile: str = "") -> dict[str, bool]:
    made = {"length": len(password) >= PROFILES[profile]}
    if profile in {"", "composition"}:
        made["uppercase"] = any(c.isupper() for c in password)
        made["lowercase"] = any(c.islower() for c in password)
        made["digits"] = any(c in "0123456789" for c in password)
        made["special"] = any(c in SPECIAL for c in password)
    return made | {"common": not common(password, inputs)}


def suites() -> Iterator[Suite]:
    yield strengths()
    yield ranges()


def strengths() -> Suite:
    suite = Suite("password-strength", "Whether a password may be chosen, and how many of the checks it passes.", "the requirements' six checks; NIST SP 800-63B-4 section 3.1.1.2; src/password/common.txt; ATTACKS.md 24")

    def judge(name: str, password: str, inputs: list[str] | None = None, *, profile: str | None = None, attack: int | None = None, **expected: bool) -> None:
        made = checks(password, inputs or [], profile or "")
        for check, passed in expected.items():
            assert made[check] == passed, f"{name}: the reference says {made}"
        score = sum(made.values()) / len(made)
        request = {"op": "password_strength", "password": password, "user_inputs": inputs or []} | ({} if profile is None else {"profile": profile})
        answer = {"ok": True, "valid": all(made.values()), "score": score, "checks": made}
        suite.add(name, request, answer | ({"feedback": []} if all(made.values()) else {}), attack)

    good = "Tq4&vz8!Lm2@"
    judge("all six", good, length=True, uppercase=True, lowercase=True, digits=True, special=True, common=True)
    judge("eleven characters", good[:-1], length=False)
    judge("no upper case", good.lower(), uppercase=False)
    judge("no lower case", good.upper(), lowercase=False)
    judge("no digits", "Tq&vz!Lm@kWp", digits=False)
    judge("nothing special", "Tq4vz8Lm2kWp", special=False)
    judge("nothing at all", "", length=False, uppercase=False, lowercase=False, digits=False, special=False)
    judge("twelve characters of two bytes", "\u00c4\u00f6\u00fc\u00e94!\u00e8\u00ea\u00eb\u00ec\u00ed\u00ee", length=True, uppercase=True, lowercase=True)
    judge("eleven characters of two bytes", "\u00c4\u00f6\u00fc\u00e94!\u00e8\u00ea\u00eb\u00ec\u00ed", length=False)
    judge("characters beyond sixteen bits count once", "\U0001f600" * 3 + "Aa1!xQ9z", length=False)
    judge("a combining accent is a character", "Aa1!Qz7&e\u0301wK", length=True)
    judge("digits of another script are none", "Tq&vz!Lm@\u0661\u0662\u0663", digits=False)
    judge("superscripts are no digits", "Tq&vz!Lm@\u00b2\u00b3\u00b9", digits=False)
    judge("a quotation mark is not on the list of specials", "Tq4vz8Lm2\"'/", special=False)
    judge("a space is not on the list of specials", "Tq4vz8 Lm2 kW", special=False)
    judge("a special character of another script is none", "Tq4vz8\uff01Lm2kW", special=False)
    for letter in SPECIAL:
        judge(f"special: {letter}", f"Tq4vz8Lm2kW{letter}", special=True)
    judge("upper case beyond ASCII", "\u00c9q4&vz8!lm2@", uppercase=True)
    judge("lower case beyond ASCII", "\u00e9Q4&VZ8!LM2@", lowercase=True)
    judge("letters without a case", "\u4e2d\u6587\u5bc6\u78014&8!2@#9", uppercase=False, lowercase=False)
    judge("a NUL within", "Tq4&vz8\u0000Lm2@x", length=True, attack=24)
    judge("128 characters", (good + "xK9#mQ2$") * 6 + "zY7&wV1%", length=True)
    # 4,096 bytes are the most; a text of many different stretches, so that nothing repeats.
    stretch = "".join(hashlib.sha256(f"{i}".encode()).hexdigest() for i in range(64))
    judge("as long as may be", "Z!" + stretch[: 4096 - 2], length=True, attack=24)
    for size in (4097, 20_000):
        text = "Z!" + (stretch * 5)[: size - 2]
        suite.add(f"{size} bytes", {"op": "password_strength", "password": text, "user_inputs": []}, refusal("too_large"), 24)

    for password in ("password", "123456", "qwerty", "iloveyou", "dragon", "letmein"):
        assert password in COMMON
        judge(f"on the list: {password}", password, common=False)
        judge(f"on the list, in upper case: {password}", password.upper(), common=False)
        judge(f"on the list, decorated: {password}", f"!!{password.capitalize()}{'' if password.isdigit() else '2024'}!!", common=False)
        judge(f"on the list, backwards: {password}", password[::-1], common=False)
    for password in sorted(COMMON)[::400]:
        judge(f"of the list: {password}", password, common=False)
    for password in ("P@ssw0rd2024!", "!!Pa$$w0rd!!", "$3cr3t!!!1", "L3tme1n!2345", "Welc0me!2024", "drowssaP99", "1qaz2wsx!!!!", "@dmin1234567", "2024-Summer!", "!!123456789!!", "DrOwSsAp!123"):
        judge(f"with replacements undone: {password}", password, common=False)
    for password in ("aaaaaaaaaaaaaaa", "abababababababab", "xyqxyqxyqxyqxyq", "passwordpassword", "abcdefghijklmnop", "98765432109876543", "zyxwvutsrqponm12", "Abcd1234!Abcd1234!", "11111111!!", "!!!!!!!!!!!!!!!"):
        judge(f"counts or repeats: {password}", password)
    for password in (good, "correct horse battery staple", "Correct-horse-9-battery", "xK9#mQ2$vL7!", "7f3a9c1e5b8d2046", "Wh4le-Song-Basalt", "gr\u00fc\u00dfe aus dem s\u00fcden", "\u043f\u0430\u0440\u043e\u043b\u044c \u043a\u043e\u0442\u043e\u0440\u044b\u0439 \u043d\u0435 \u0443\u0433\u0430\u0434\u0430\u0442\u044c", "\u79c1\u306e\u732b\u306f\u6bce\u671d\u516d\u6642\u306b\u8d77\u304d\u307e\u3059"):
        judge(f"not common: {password}", password, common=True)

    ann = ["Ann Miller", "ann.miller@example.com"]
    for password in ("AnnMiller2024!", "ann.miller@example.com", "miller-ann-84!", "M1ll3r!Ann99", "relliM.nnA.1990", "Miller+password1", "example.com/42", "Ann!Ann!Ann!7", "ANN_MILLER_1990"):
        judge(f"of the user's words: {password}", password, ann, common=False)
        judge(f"of another user's words: {password}", password, ["Bob Stone", "bob@stone.example"])
    for password in ("Mark1-mark1-99!", "M@rk1-M4rk1-99!"):
        judge(f"of the user's words, where a 1 is no letter: {password}", password, ["mark1"], common=False)
    for password in ("miller's tale of woe", "annabelle eats tulips", good, "Ann-Zebra-Quartz-7"):
        judge(f"more than the user's words: {password}", password, ann, common=True)
    judge("words of two letters are not looked at", "jo-84!x/y,z-2931", ["Jo", "x@y.z"], common=True)
    judge("no words", good, ["", " ", "@"], common=True)
    suite.add("words waived", {"op": "password_strength", "password": good, "user_inputs": None}, {"ok": True, "valid": True, "score": 1.0, "checks": checks(good, [])})
    judge("words beyond ASCII", "Z\u00f6e\u00d6z1990!!", ["Z\u00f6e \u00d6z\u00e7an"], common=False)
    judge("sixteen inputs", good, ["word"] * 16, common=True)
    judge("an input of 256 bytes", good, ["w" * 256], common=True)
    for name, inputs in {"seventeen inputs": ["word"] * 17, "an input of 257 bytes": ["w" * 257], "an input of 257 bytes in 129 characters": ["\u00e4" * 128 + "w"]}.items():
        suite.add(f"too much beside the password: {name}", {"op": "password_strength", "password": good, "user_inputs": inputs}, refusal("too_large"))

    for profile in PROFILES:
        for password in (good, "correct horse battery staple", "short but fine", "14 letters xyz", "15 letters wxyz", "7 xyzwq", "8 xyzwqk", "passwordpassword", "password", ""):
            judge(f"profile {profile or 'of no name'}: {password or 'nothing'}", password, profile=profile)
    for profile in ("Composition", "nist", "nist-800-63b", "nist-800-63b-4-MFA", "none", " "):
        suite.add(f"profile {profile!a} is none", {"op": "password_strength", "password": good, "user_inputs": [], "profile": profile}, refusal("invalid_argument"))
    return suite


def ranges() -> Suite:
    suite = Suite("password-breach", "Whether a range of breached passwords has this one; what is no range is no all-clear.", "Have I Been Pwned, API v3, range search; SHA-1")

    def digits(password: bytes) -> str:
        return hashlib.sha1(password).hexdigest().upper()

    for name, password in {"password": b"password", "empty": b"", "a NUL": b"\x00", "bytes that are no text": b"\xff\xfe", "letters beyond ASCII": "p\u00e4ss".encode(), "4,096 bytes": b"x" * 4096}.items():
        suite.add(f"the prefix of {name}", {"op": "breach_prefix", "password_hex": password.hex()}, {"ok": True, "prefix": digits(password)[:5]})
    suite.add("the prefix of 4,097 bytes", {"op": "breach_prefix", "password_hex": (b"x" * 4097).hex()}, refusal("too_large"), 24)
    password = b"password"
    suffix = digits(password)[5:]
    assert digits(password).startswith("5BAA6")
    others = [f"{digits(f'{i}'.encode())[5:]}:{i + 1}" for i in range(20)]

    def count(name: str, body: str, found: int | None = None) -> None:
        request = {"op": "breach_count", "password_hex": password.hex(), "range": body}
        suite.add(name, request, refusal("malformed") if found is None else {"ok": True, "count": found})

    count("among others", "\r\n".join([*others[:10], f"{suffix}:52256179", *others[10:]]), 52256179)
    count("not among others", "\r\n".join(others), 0)
    count("the first", "\r\n".join([f"{suffix}:1", *others]), 1)
    count("the last", "\r\n".join([*others, f"{suffix}:2"]), 2)
    count("the only one", f"{suffix}:3", 3)
    count("a line feed alone", "\n".join([*others, f"{suffix}:4"]), 4)
    count("a line feed behind", "\n".join([*others, f"{suffix}:5"]) + "\n", 5)
    count("CR and LF behind", "\r\n".join([*others, f"{suffix}:6"]) + "\r\n", 6)
    count("in lower case", f"{suffix.lower()}:7", 7)
    count("padding", f"{suffix}:0", 0)
    count("the greatest count of 63 bits", f"{suffix}:{2**63 - 1}", 2**63 - 1)
    count("a count over 64 bits", f"{suffix}:{2**64}", None)
    for name, line in {
        "a page": "<!doctype html><title>502</title>", "JSON": "{}", "a word": "not found", "a suffix of 34 digits": f"{suffix[:-1]}:1", "a suffix of 36 digits": f"{suffix}0:1", "all 40 digits": f"{digits(password)}:1", "no count": f"{suffix}:", "no colon": suffix, "a negative count": f"{suffix}:-1", "a count with a plus": f"{suffix}:+1", "a count with a comma": f"{suffix}:1,000",
        "a space before the count": f"{suffix}: 1", "a space behind": f"{suffix}:1 ", "a space before": f" {suffix}:1", "a letter that is no digit": f"G{suffix[1:]}:1", "digits of another script": f"{suffix}:\u0661", "an empty line": "", "two counts": f"{suffix}:1:2", "a NUL": f"{suffix}:1\u0000", "a carriage return alone": f"{others[0]}\r{suffix}:1",
    }.items():  # fmt: skip
        count(f"among good lines: {name}", "\r\n".join([*others[:3], line, *others[3:]]))
        if line:
            count(f"alone: {name}", line)
    count("nothing", "", None)
    return suite
