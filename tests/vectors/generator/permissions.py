"""Which permissions imply which (Apache Shiro's WildcardPermission, case-sensitive; ATTACKS.md 28 and 29)."""

from __future__ import annotations

from collections.abc import Iterator

from . import roles
from .suite import Suite, refusal

# Each is a grant and a requirement of each of the others.
PATTERNS = (
    "*", "document", "document:*", "document:read", "document:read,update", "document:update,read", "document:read,*", "document:read:42", "document:read:*", "document:*:42", "document:*:*", "*:read", "*:*", "*:*:42", "*:read:42", "*,document:read",
    "document,session", "document,session:read", "document,session:read,update:42,43", "session:read", "documents", "document:read:42:body", "document:read,read", "a:b:c:d:e:f:g:h",
)  # fmt: skip
MALFORMED = {
    "empty": "", "a colon": ":", "two colons": "::", "an empty last segment": "document:", "an empty first segment": ":read", "an empty segment within": "document::read", "a comma": ",", "an empty first name": "document:,read", "an empty last name": "document:read,", "two commas": "document:read,,update",
    "a wildcard within a name": "doc*", "a wildcard before a name": "*doc", "two wildcards": "**", "a wildcard within a segment": "document:re*d", "a space before": " document:read", "a space behind": "document:read ", "a space after the colon": "document: read", "a space after the comma": "document:read, update", "a space within": "document:read all",
    "a tab": "document:\tread", "a line": "document:read\n", "a carriage return": "document:read\r", "a NUL": "document:read\u0000", "a control of seven bits": "document:\u001fread", "DEL": "document:read\u007f", "a control of eight bits": "document:\u0085read", "a no-break space": "document:\u00a0read", "an ideographic space": "document:\u3000read", "a line separator": "document:\u2028read",
    "a soft hyphen": "document:re\u00adad", "a zero-width space": "document:read\u200b", "a zero-width joiner": "document:re\u200dad", "an override of direction": "document:\u202eread", "a byte order mark": "\ufeffdocument:read", "a tag letter": "document:read\U000e0061", "a word joiner": "docu\u2060ment:read", "an Arabic letter mark": "document:read\u061c",
    "what was not UTF-8": "document:\ufffdread", "an exclamation mark before": "!document:read", "an exclamation mark before a name": "document:!read", "an exclamation mark before a name of a list": "document:read,!update",
    "a brace": "document:{read", "an instance that nobody put in": "document:read:{id}", "9 segments": "1:2:3:4:5:6:7:8:9", "513 bytes": "a" * 513, "513 bytes of two-byte letters": "\u00e9" * 257, "thousands of colons": ":" * 4000, "thousands of segments": "a:" * 3000 + "a", "thousands of names": "a," * 3000 + "a",
}  # fmt: skip


def suites() -> Iterator[Suite]:
    suite = Suite("permissions", "Whether one permission grants another.", "FORMATS.md, Permissions; Apache Shiro, WildcardPermission; ATTACKS.md 28 and 29")

    def ask(name: str, granted: str, required: str, implies: bool, attack: int | None = None) -> None:
        suite.add(name, {"op": "permission_implies", "granted": granted, "required": required}, {"ok": True, "implies": implies}, attack)

    # Said by hand, so that the reference evaluator is held to something too.
    for granted, required, implies in (
        ("document", "document:read", True), ("document:read", "document:read:42", True), ("document", "document:read:42", True), ("document:read", "document", False), ("document:read:42", "document:read", False), ("document:*", "document", True), ("document:read:*", "document:read", True),
        ("document:*:42", "document:read:42", True), ("document:*:42", "document:read", False), ("*", "document:read", True), ("*:read", "document:read", True), ("*:read", "document:update", False), ("*:read", "document", False), ("document:read,update", "document:update", True), ("document:read,update", "document:delete", False),
        ("document:read,update", "document:read,update", True), ("document:read", "document:read,update", False), ("document:read,update", "document:*", False), ("document:*", "document:read,update", True), ("document:read", "*", False), ("document,session:read", "session:read", True),
    ):  # fmt: skip
        ask(f"by hand: {granted} and {required}", granted, required, implies)
        parsed = roles.parse(granted), roles.parse(required)
        assert parsed[0] and parsed[1] and roles.implies(parsed[0], parsed[1]) == implies, (granted, required)

    for granted, required in (
        ("document:read", "document:read_all"), ("document:read", "Document:read"), ("document:read", "document:Read"), ("document:read", "DOCUMENT:READ"), ("document", "documents"), ("documents", "document"), ("document:read", "document:rea"), ("document:read", "document:reader"), ("document:read", "document-read"), ("document:read", "document.read"),
        ("document:read", "document/read"), ("document:read", "document:read-all:42"), ("document:read", "documentread"), ("document:re\u0301ad", "document:r\u00e9ad"), ("document:read", "document:\u0433ead"), ("document:read", "document:\uff52ead"), ("stra\u00dfe", "strasse"), ("\u212a", "k"), ("document:read:42", "document:read:4"), ("document:read:42", "document:read:042"), ("document:read:1", "document:read:\u0661"),
    ):  # fmt: skip
        ask(f"{granted} is not {required}", granted, required, False, 28)
    ask("letters beyond ASCII are compared as they are", "documento:l\u00e9er", "documento:l\u00e9er:\u4e2d", True)
    ask("an exclamation mark within is a letter", "document:read!", "document:read!:4!2", True)
    ask("percent signs, dots and the like are letters", "a.b-c/d%20_e@f", "a.b-c/d%20_e@f:g", True)
    for name, text in MALFORMED.items():
        ask(f"a requirement that is no permission: {name}", "*", text, False, 29)
        suite.add(f"a grant that is no permission: {name}", {"op": "permission_implies", "granted": text, "required": "document:read"}, refusal("malformed"), 29)
    suite.add("a grant and a requirement that are the same and no permission", {"op": "permission_implies", "granted": "doc*", "required": "doc*"}, refusal("malformed"), 29)
    ask("512 bytes are a permission", "a" * 512, "a" * 512, True)
    ask("8 segments are a permission", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8", True)

    for granted in PATTERNS:
        for required in PATTERNS:
            own, other = roles.parse(granted), roles.parse(required)
            assert own and other
            ask(f"{granted} and {required}", granted, required, roles.implies(own, other))
    yield suite
