"""Policies: what loads, what it decides, and what it says of itself (FORMATS.md, Permissions; INCITS 359; ATTACKS.md 30 to 33)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from . import roles
from .jose import compact
from .keys import stream
from .roles import Subject
from .suite import Suite, refusal

Policy = dict[str, Any]

DOCUMENTS: Policy = {
    "name": "documents",
    "permissions": ["document:create", "document:read:{id}", "document:update:{id}", "document:delete:{id}", "audit:read", "system:config"],
    "roles": {
        "viewer": {"description": "Reads.", "allow": ["document:read"]},
        "editor": {"inherits": ["viewer"], "allow": ["document:create,update"]},
        "owner": {"inherits": ["editor"], "allow": ["document:*"]},
        "reviewer": {"allow": ["document:read:42", "document:read:43"]},
        "careful": {"inherits": ["owner"], "deny": ["document:delete"]},
        "recused": {"deny": ["document:*:42"]},
        "suspended": {"deny": ["*"]},
        "auditor": {"allow": ["audit:*"]},
        "admin": {"allow": ["*"]},
    },
}
DUTIES: Policy = {
    "permissions": ["payment:create", "payment:approve", "payment:audit", "payment:read"],
    "roles": {
        "clerk": {"allow": ["payment:read"]},
        "payer": {"inherits": ["clerk"], "allow": ["payment:create"]},
        "approver": {"inherits": ["clerk"], "allow": ["payment:approve"]},
        "auditor": {"allow": ["payment:audit"]},
        "chief": {"inherits": ["approver"]},
        "owner": {"allow": ["*"]},
    },
    "constraints": {
        "static_separation": [{"roles": ["payer", "approver"], "at_most": 1}],
        "dynamic_separation": [{"roles": ["payer", "approver", "auditor"], "at_most": 1}],
        "cardinality": [{"role": "owner", "at_most": 2}, {"role": "chief", "at_most": 1}],
    },
}
SHIPPED_FOLDER = Path(__file__).resolve().parents[3] / "src/rbac/shipped"


def _all(resource: str, actions: str) -> set[str]:
    return {f"{resource}:{action}" for action in actions.split()}


# The role tables of the requirements. Where the session cluster's table and its permission matrix disagree (the operator
# and the pipeline's control), the matrix.
_DOCUMENTS, _ONTOLOGIES, _EXTRACTIONS, _DATABASES = _all("document", "create read update delete"), _all("ontology", "create read update delete"), _all("extraction", "create read cancel"), _all("database", "connect import export")
_SESSIONS, _CHUNKS, _PIPELINE, _STATISTICS, _ADMIN = _all("sessions", "create read update delete start stop pause"), _all("chunks", "read download delete"), _all("pipeline", "read control"), _all("statistics", "read system"), _all("admin", "users system audit")
SHIPPED: dict[str, dict[str, set[str]]] = {
    "deepinsight": {
        "admin": _DOCUMENTS | _ONTOLOGIES | _EXTRACTIONS | _DATABASES | {"user:manage", "system:config", "audit:read"},
        "power_user": (_DOCUMENTS | _ONTOLOGIES | _EXTRACTIONS | _DATABASES) - {"document:delete", "ontology:delete"},
        "standard_user": {"document:create", "document:read", "ontology:read", "ontology:update", "extraction:create", "extraction:read", "database:export"},
        "viewer": {"document:read", "ontology:read", "extraction:read"},
    },
    "session-cluster": {
        "admin": _SESSIONS | _CHUNKS | _PIPELINE | _STATISTICS | _ADMIN,
        "session_manager": _SESSIONS | {"chunks:read", "chunks:download", "statistics:read"} | _PIPELINE,
        "session_operator": _all("sessions", "read start stop pause") | _PIPELINE | {"chunks:read", "statistics:read"},
        "session_viewer": {"sessions:read", "chunks:read", "pipeline:read", "statistics:read"},
        "auditor": {"sessions:read", "chunks:read", "statistics:read", "admin:audit"},
    },
}
MINIMAL: Policy = {"permissions": ["a:b"], "roles": {"r": {"allow": ["a:b"]}}}


def suites() -> Iterator[Suite]:
    yield loading()
    yield decisions()
    yield random_decisions()
    yield assignments()
    yield views()
    yield documents()
    yield casbin()


class Dice:
    """Chance that is the same for every version of every Python."""

    def __init__(self, label: str) -> None:
        self.label, self.rolled = label, 0

    def below(self, n: int) -> int:
        self.rolled += 1
        return int.from_bytes(stream(f"{self.label} {self.rolled}", 8), "big") % n

    def pick(self, options: Any) -> Any:
        return options[self.below(len(options))]

    def some(self, options: Any, most: int) -> list[Any]:
        return list(dict.fromkeys(self.pick(options) for _ in range(self.below(most + 1))))


def loading() -> Suite:
    suite = Suite("policy-loading", "Which documents are policies, and where the others are wrong.", "FORMATS.md, Permissions; ATTACKS.md 29, 30 and 33")

    def diagnose(name: str, document: Any, status: str, path: str | None, attack: int | None = 30, in_a_check: bool = True) -> None:
        text = document if isinstance(document, str) else compact(document)
        answer: dict[str, Any] = {"ok": True, "status": status} | ({} if path is None and status != "ok" else {"path": path})
        suite.add(name, {"op": "policy_diagnose", "document": text}, answer | ({"message": None} if status == "ok" else {}), attack)
        if isinstance(document, dict) and in_a_check:
            request = {"op": "rbac_check", "policy": document, "roles": ["r"], "mode": "one", "permissions": ["a:b"], "tenant": None}
            suite.add(f"{name}, in a check", request, {"ok": True} if status == "ok" else refusal(status), attack)

    def good(name: str, document: Any) -> None:
        diagnose(f"a policy: {name}", document, "ok", None, None)

    def bad(name: str, path: str, document: Any, attack: int = 30, **more: Any) -> None:
        diagnose(name, document, "config_error", path, attack, **more)

    def of(roles: Any = None, permissions: Any = None, **more: Any) -> Policy:
        return {"permissions": MINIMAL["permissions"] if permissions is None else permissions, "roles": MINIMAL["roles"] if roles is None else roles} | more

    good("the least that is any use", MINIMAL)
    good("nothing at all", {"permissions": [], "roles": {}})
    good("every member", DOCUMENTS)
    good("every constraint", DUTIES)
    good("roles named freely", of({"r": {}, "R": {}, "caf\u00e9 \u2014".replace(" ", "-"): {}, "a.b/c:d*": {}, "x" * 128: {}}))
    good("empty lists", of({"r": {"inherits": [], "allow": [], "deny": []}}, constraints={"static_separation": [], "dynamic_separation": [], "cardinality": []}))
    good("inheritance from several, and from one twice", of({"r": {"inherits": ["s", "t", "s"]}, "s": {"inherits": ["u"]}, "t": {"inherits": ["u"]}, "u": {"allow": ["a"]}}))
    good("roles that are inherited before they are written", of({"r": {"inherits": ["z"]}, "z": {"allow": ["a:b"]}}))
    good("the same grant twice", of({"r": {"allow": ["a:b", "a:b"], "deny": ["a:b"]}}))
    good("an entry and what is below it", of({"r": {"allow": ["a", "a:b:c"]}}, ["a", "a:b", "a:b:c:{id}"]))
    good("inheritance 64 deep", of({f"r{i}": {"inherits": [f"r{i + 1}"]} if i < 63 else {"allow": ["a:b"]} for i in range(64)}))

    for name, text in {
        "empty": "", "a brace": "{", "white space": " ", "trailing data": compact(MINIMAL) + "x", "two documents": compact(MINIMAL) * 2, "a trailing comma": compact(MINIMAL)[:-1] + ",}", "a comment": "/**/" + compact(MINIMAL), "NaN": '{"permissions":[],"roles":{},"name":NaN}', "single quotes": "{'permissions':[],'roles':{}}", "a byte order mark": "\ufeff" + compact(MINIMAL),
                "half of a character": '{"permissions":[],"roles":{"\\ud800":{}}}', "a list without end": "[" * 10_000,
    }.items():  # fmt: skip
        diagnose(f"not strict JSON: {name}", text, "malformed", None)

    for name, path, text in (
        ("a member is there twice", "roles", '{"permissions":[],"roles":{},"roles":{}}'), ("a role is there twice", "roles.r", '{"permissions":["a:b"],"roles":{"r":{"allow":["a:b"]},"r":{}}}'), ("a role is there twice, spelled otherwise", "roles.r", '{"permissions":["a:b"],"roles":{"r":{"allow":["a:b"]},"\\u0072":{}}}'),
        ("a role's member is there twice", "roles.r.allow", '{"permissions":["a:b"],"roles":{"r":{"allow":["a:b"],"allow":[]}}}'), ("a constraint's member is there twice", "constraints.static_separation[0].at_most", '{"permissions":[],"roles":{"r":{},"s":{}},"constraints":{"static_separation":[{"roles":["r","s"],"at_most":1,"at_most":1}]}}'),
    ):  # fmt: skip
        bad(name, path, text)

    for name, path, document in (
        ("a list instead of an object", "policy", []), ("null instead of an object", "policy", None), ("no permissions", "permissions", {"roles": {}}), ("no roles", "roles", {"permissions": []}), ("permissions that are null", "permissions", of(permissions=None) | {"permissions": None}), ("permissions that are an object", "permissions", of(permissions={"a:b": True})), ("roles that are a list", "roles", of([{"name": "r"}])),
        ("an unknown member", "role", of() | {"role": {}}), ("a member in upper case", "Roles", of() | {"Roles": {}}), ("an unknown member of a role", "roles.r.grants", of({"r": {"grants": ["a:b"]}})), ("an unknown member of the constraints", "constraints.separation", of(constraints={"separation": []})),
        ("a name that is a number", "name", of(name=1)), ("a permission that is a number", "permissions[1]", of(permissions=["a:b", 1])), ("a role that is a list", "roles.r", of({"r": ["a:b"]})), ("a role that is null", "roles.r", of({"r": None})), ("grants that are text", "roles.r.allow", of({"r": {"allow": "a:b"}})), ("a grant that is null", "roles.r.allow[1]", of({"r": {"allow": ["a:b", None]}})),
        ("a description that is a number", "roles.r.description", of({"r": {"description": 1}})), ("inheritance that is text", "roles.r.inherits", of({"r": {"inherits": "r"}})), ("constraints that are a list", "constraints", of(constraints=[])), ("a constraint that is text", "constraints.static_separation[0]", of(constraints={"static_separation": ["r"]})),
    ):  # fmt: skip
        bad(name, path, document)

    for name, path, document in (
        ("a grant that the catalogue lacks", "roles.r.allow[1]", of({"r": {"allow": ["a:b", "a:c"]}})), ("a denial that the catalogue lacks", "roles.r.deny[0]", of({"r": {"deny": ["a:c"]}})), ("a grant of another resource", "roles.r.allow[0]", of({"r": {"allow": ["b"]}})), ("a grant in upper case", "roles.r.allow[0]", of({"r": {"allow": ["A:b"]}})),
        ("a grant that is longer than its entry", "roles.r.allow[0]", of({"r": {"allow": ["a:b:c"]}})), ("a grant of an instance of a closed entry", "roles.r.allow[0]", of({"r": {"allow": ["a:b:42"]}})), ("a grant of a list of which the catalogue lacks one", "roles.r.allow[0]", of({"r": {"allow": ["a:b,c"]}})), ("a wildcard that meets nothing", "roles.r.allow[0]", of({"r": {"allow": ["*:c"]}})),
        ("a grant below a wildcard that meets nothing", "roles.r.allow[0]", of({"r": {"allow": ["c:*"]}})), ("a grant longer than an open entry", "roles.r.allow[0]", of({"r": {"allow": ["a:b:42:c"]}}, ["a:b:{id}"])), ("any grant of an empty catalogue", "roles.r.allow[0]", of({"r": {"allow": ["*"]}}, [])),
        ("an unknown role is inherited", "roles.r.inherits[0]", of({"r": {"inherits": ["ghost"]}})), ("a role in upper case is inherited", "roles.r.inherits[1]", of({"r": {"inherits": ["s", "S"]}, "s": {}})), ("a role of a tenant is inherited", "roles.r.inherits[0]", of({"r": {"inherits": ["s@acme"]}, "s": {}})),
        ("a role inherits itself", "roles.r.inherits", of({"r": {"inherits": ["r"]}})), ("two roles inherit each other", "roles.r.inherits", of({"r": {"inherits": ["s"]}, "s": {"inherits": ["r"]}})), ("a cycle behind a role", "roles.s.inherits", of({"r": {"inherits": ["s"]}, "s": {"inherits": ["t"]}, "t": {"inherits": ["s"]}})),
        ("a cycle beside what is good", "roles.s.inherits", of({"r": {"allow": ["a:b"]}, "s": {"inherits": ["r", "t"]}, "t": {"inherits": ["r", "s"]}})),
    ):  # fmt: skip
        bad(name, path, document)
    bad("inheritance 65 deep", "roles.r0.inherits", of({f"r{i}": {"inherits": [f"r{i + 1}"]} if i < 64 else {"allow": ["a:b"]} for i in range(65)}), 33)

    def places(text: str) -> list[tuple[str, str, Policy]]:
        return [("of a catalogue", "permissions[1]", of(permissions=["a:b", text])), ("that is granted", "roles.r.allow[0]", of({"r": {"allow": [text]}})), ("that is denied", "roles.r.deny[0]", of({"r": {"deny": [text]}}))]

    malformed = {"that is empty": "", "that ends in a colon": "a:", "that begins with a colon": ":a", "with an empty segment": "a::b", "with a wildcard within": "a*", "with a space before": " a:b", "with a space behind": "a:b ", "with a tab": "a:\tb", "with a NUL": "a:b\u0000", "with an empty name": "a:b,", "with a zero-width space": "a:b\u200b", "with an exclamation mark before": "!a:b", "of 9 segments": "a:b:c:d:e:f:g:h:i", "of 513 bytes": "a" * 513}
    for name, text in malformed.items():
        for place, path, document in places(text):
            bad(f"a permission {name}, {place}", path, document, 29)
    for name, text in {"with a wildcard": "a:*", "with a list": "a:b,c", "that is there already": "a:b", "that is there already, open": "a:b:{id}", "with an instance in the middle": "a:{id}:b", "with an instance of another name": "c:{name}", "with two instances": "c:{id}:{id}", "that is an instance": "{id}", "with half a brace": "c:{id"}.items():
        bad(f"a permission {name}, of a catalogue", "permissions[1]", of(permissions=["a:b", text]), 29)
    # With `document:{id}` and `document:read`, who may see the document `read`?
    for name, permissions in {"what is below an open entry": ["document:{id}", "document:read"], "an open entry above what is there": ["document:read", "document:{id}"], "what is deep below an open entry": ["document:{id}", "document:read:all:{id}"]}.items():
        bad(f"a catalogue in which an instance would be another entry: {name}", "permissions[1]", of({"r": {}}, permissions))
    for name, text in {"open": "a:b:{id}", "with a brace": "a:{b"}.items():
        bad(f"a permission {name}, that is granted", "roles.r.allow[0]", of({"r": {"allow": [text]}}, ["a:b:{id}"]), 29)

    for name, text in {
        "an at sign": "r@acme", "only an at sign": "@", "a space": "r s", "a tab": "r\t", "a line": "r\n", "a NUL": "r\u0000", "DEL": "r\u007f", "a no-break space": "r\u00a0s", "a zero-width space": "r\u200b", "an override of direction": "\u202er", "a byte order mark": "\ufeffr", "a tag letter": "r\U000e0061", "a soft hyphen": "r\u00ads", "what was not UTF-8": "r\ufffd",
    }.items():  # fmt: skip
        # A line of a log can bear the path: what nobody sees is escaped in it.
        seen = "".join(f"\\u{{{ord(c):x}}}" if roles.is_invisible(c) and c != " " else c for c in text)
        bad(f"a role's name with {name}", f"roles.{seen}", of({text: {}}), in_a_check="\u0000" not in text)
    bad("a role's name that is empty", "roles.", of({"": {}}))
    bad("a role's name of 129 bytes", f"roles.{'x' * 128}", of({"x" * 129: {}}), 33)

    static, dynamic, limits = (f"constraints.{kind}" for kind in ("static_separation", "dynamic_separation", "cardinality"))
    two: Policy = {"r": {}, "s": {}}
    for kind, place in (("static_separation", static), ("dynamic_separation", dynamic)):
        for name, path, one in (
            ("an unknown role", "[0].roles[1]", {"roles": ["r", "ghost"], "at_most": 1}), ("no roles", "[0].roles", {"at_most": 1}), ("roles that are text", "[0].roles", {"roles": "r", "at_most": 1}), ("a role that is a number", "[0].roles[1]", {"roles": ["r", 1], "at_most": 1}), ("at most none", "[0].at_most", {"roles": ["r", "s"], "at_most": 0}), ("at most minus one", "[0].at_most", {"roles": ["r", "s"], "at_most": -1}),
            ("at most one and a half", "[0].at_most", {"roles": ["r", "s"], "at_most": 1.5}), ("a bound that is text", "[0].at_most", {"roles": ["r", "s"], "at_most": "1"}), ("a bound as great as the roles are many", "[0]", {"roles": ["r", "s"], "at_most": 2}), ("one role twice", "[0]", {"roles": ["r", "r"], "at_most": 1}), ("one role", "[0]", {"roles": ["r"], "at_most": 1}), ("a role of a tenant", "[0].roles[0]", {"roles": ["r@acme", "s"], "at_most": 1}),
            ("an unknown member", "[0].role", {"roles": ["r", "s"], "at_most": 1, "role": "r"}),
        ):  # fmt: skip
            bad(f"{kind}: {name}", place + path, of(two, constraints={kind: [one]}))
    for name, path, one in (("an unknown role", "[0].role", {"role": "ghost", "at_most": 1}), ("no role", "[0].role", {"at_most": 1}), ("no bound", "[0].at_most", {"role": "r"}), ("at most none", "[0].at_most", {"role": "r", "at_most": 0}), ("an unknown member", "[0].roles", {"role": "r", "at_most": 1, "roles": []})):
        bad(f"cardinality: {name}", limits + path, of(two, constraints={"cardinality": [one]}))
    bad("cardinality: two of one role", limits + "[1].role", of(two, constraints={"cardinality": [{"role": "r", "at_most": 1}, {"role": "r", "at_most": 2}]}))
    return suite


def check(suite: Suite, name: str, policy: Policy, held: list[str], permissions: list[str] | str, *, mode: str = "one", tenant: str | None = None, attack: int | None = None, expected: str | None = None, **more: Any) -> None:
    """An `rbac_check` with the reference's answer; `expected` is its reason or status said by hand."""
    asked = [permissions] if isinstance(permissions, str) else permissions
    request = {"op": "rbac_check", "policy": policy, "roles": held, "mode": mode, "permissions": asked, "tenant": tenant} | more
    token = more.get("token_permissions")
    answer = roles.check(policy, Subject(tuple(held), tenant, None if token is None else tuple(token)), mode, asked, more.get("instance"))
    said = answer if isinstance(answer, str) else answer["reason"]
    assert expected in {None, said}, f"{name}: the reference says {said}"
    suite.add(name, request, refusal(answer) if isinstance(answer, str) else {"ok": True} | answer, attack)


def decisions() -> Suite:
    suite = Suite("policy-decisions", "Who may do what, and why.", "FORMATS.md, Permissions; ATTACKS.md 28, 30, 31 and 32")

    def ask(name: str, held: list[str], permissions: list[str] | str, expected: str, policy: Policy = DOCUMENTS, **more: Any) -> None:
        check(suite, name, policy, held, permissions, expected=expected, **more)

    ask("a role grants", ["viewer"], "document:read", "granted")
    ask("a role grants an instance", ["viewer"], "document:read:42", "granted")
    ask("a role lacks", ["viewer"], "document:create", "missing")
    ask("an inherited role grants", ["editor"], "document:read", "granted")
    ask("a role inherited twice over grants", ["owner"], "document:read", "granted")
    ask("who is inherited from gains nothing", ["viewer"], "document:update", "missing")
    ask("no roles", [], "document:read", "missing")
    ask("two roles add up", ["viewer", "auditor"], "audit:read", "granted")
    ask("an instance alone is granted", ["reviewer"], "document:read:42", "granted")
    ask("another instance is not", ["reviewer"], "document:read:44", "missing")
    ask("some instances are not all", ["reviewer"], "document:read", "missing")
    ask("some instances are not every one", ["reviewer"], "document:read:*", "missing")
    ask("a list of instances that one grant has not whole", ["reviewer"], "document:read:42,43", "missing")
    ask("a list of permissions", ["editor"], "document:create,update", "granted")
    ask("a list of which one is missing", ["editor"], "document:create,delete", "missing")
    ask("everything, to one who may everything", ["admin"], "*", "granted")
    ask("everything of documents, to their owner", ["owner"], "document:*", "granted")
    ask("everything, to the owner of documents", ["owner"], "*", "missing")

    for text in ("document:read_all", "Document:read", "document:Read", "documents", "documents:read", "document:read:42:43", "audit:read:42", "document:re", "system"[:-1], "session:read", "document:fly", "document:read,fly", "*:fly"):
        ask(f"unknown to the catalogue, whoever asks: {text}", ["admin"], text, "unknown_permission", attack=28)
    for text in ("", " document:read", "document:read ", "document:", ":read", "document::read", "::", "doc*", "document:re*", "document:read\n", "document:read\u0000", "document:read:{id}", "a" * 513, "1:2:3:4:5:6:7:8:9"):
        ask(f"no permission, whoever asks: {text!a}"[:80], ["admin"], text, "malformed_permission", attack=29)

    ask("an unknown role is ignored", ["ghost", "viewer"], "document:read", "granted", attack=30)
    ask("an unknown role grants nothing", ["ghost"], "document:read", "missing", attack=30)
    for ghost in ("Viewer", "VIEWER", " viewer", "viewer ", "view", "viewers", "", "viewer\u0000", "viewer\n", "*", "@", "viewer@", "@viewer", "viewer@@", "vi\u0435wer"):
        ask(f"no such role: {ghost!a}", [ghost], "document:read", "missing", attack=30)

    ask("any of nothing", ["admin"], [], "empty", mode="any", attack=31)
    ask("all of nothing is a mistake of the caller's", ["admin"], [], "invalid_argument", mode="all", attack=31)
    ask("one of nothing is too", ["admin"], [], "invalid_argument", mode="one", attack=31)
    ask("one of two is too", ["admin"], ["document:read", "audit:read"], "invalid_argument", mode="one", attack=31)
    ask("all of nothing, of nobody", [], [], "invalid_argument", mode="all", attack=31)
    for first, second in (("document:read", "document:update"), ("document:update", "document:read")):
        ask(f"any of {first} and {second}", ["viewer"], [first, second], "granted", mode="any")
        ask(f"all of {first} and {second}", ["viewer"], [first, second], "missing", mode="all")
    ask("any of two that are missing", ["viewer"], ["document:update", "document:delete"], "missing", mode="any")
    ask("any: the reason is the first's", ["viewer"], ["document:fly", "document:update"], "unknown_permission", mode="any")
    ask("all: the reason is the first that fails", ["viewer"], ["document:read", "document:update", "document:fly"], "missing", mode="all")
    ask("all: an unknown permission is not passed over", ["admin"], ["document:read", "document:fly"], "unknown_permission", mode="all")
    ask("all: a malformed permission is not passed over", ["admin"], ["document:read", ""], "malformed_permission", mode="all")
    ask("any: a malformed permission is passed over", ["admin"], ["", "document:read"], "granted", mode="any")
    ask("all of one twice", ["viewer"], ["document:read", "document:read"], "granted", mode="all")
    ask("all of three", ["owner"], ["document:read", "document:update", "document:delete"], "granted", mode="all")

    ask("deny wins in one role", ["careful"], "document:delete", "denied", attack=32)
    ask("deny wins over an inherited grant of all", ["careful"], "document:delete:42", "denied", attack=32)
    ask("deny touches what is wider", ["careful"], "document:*", "denied", attack=32)
    ask("deny touches everything", ["careful", "admin"], "*", "denied", attack=32)
    ask("deny leaves the rest", ["careful"], "document:update", "granted", attack=32)
    for order in (["admin", "careful"], ["careful", "admin"]):
        ask(f"deny wins whatever the order of roles: {order[0]} first", order, "document:delete", "denied", attack=32)
    ask("deny of every instance 42", ["admin", "recused"], "document:read:42", "denied", attack=32)
    ask("deny of one instance touches all", ["admin", "recused"], "document:read", "denied", attack=32)
    ask("deny of one instance leaves another", ["admin", "recused"], "document:read:43", "granted", attack=32)
    ask("deny of one instance in a list", ["admin", "recused"], "document:read:41,42", "denied", attack=32)
    ask("deny of instances leaves what has none", ["admin", "recused"], "audit:read", "granted", attack=32)
    ask("deny of instances touches what has none too, for its text is shorter", ["admin", "recused"], "document:create", "denied", attack=32)
    ask("deny of everything", ["admin", "suspended"], "audit:read", "denied", attack=32)
    ask("deny without a grant is a denial too", ["suspended"], "audit:read", "denied")
    ask("deny of everything knows no more permissions than there are", ["suspended"], "document:fly", "unknown_permission")
    above = {"permissions": ["report", "report:year:print", "report:year:send"], "roles": {"r": {"allow": ["report"]}, "s": {"allow": ["report:year:print"]}, "t": {"allow": ["report"], "deny": ["report:year:send"]}}}
    for role, expected in (("r", "granted"), ("s", "missing"), ("t", "denied")):
        ask(f"what stands between one permission and those below it, for {role}", [role], "report:year", expected, above)
    ask("below one permission there are only those that there are", ["r"], "report:month", "unknown_permission", above, attack=28)
    allow_all = {"permissions": ["document:read", "document:delete"], "roles": {"r": {"allow": ["*"], "deny": ["document:delete"]}}}
    ask("allow all, deny one, require all", ["r"], "document:*", "denied", allow_all, attack=32)
    ask("allow all, deny one, require what is above", ["r"], "document", "denied", allow_all, attack=32)
    ask("allow all, deny one, require the other", ["r"], "document:read", "granted", allow_all, attack=32)
    same = {"permissions": ["a:b"], "roles": {"r": {"allow": ["a:b"], "deny": ["a:b"]}, "s": {"deny": ["a:b"], "allow": ["a:b"]}, "child": {"inherits": ["denier"], "allow": ["a:b"]}, "denier": {"deny": ["a"]}, "grandchild": {"inherits": ["child"]}}}
    for role in same["roles"]:
        ask(f"allow and deny of one permission: {role}", [role], "a:b", "denied", same, attack=32)

    ask("a token's list narrows", ["owner"], "document:delete", "token_lacks", token_permissions=["document:read"], attack=32)
    ask("a token's list lets through what it has", ["owner"], "document:read:42", "granted", token_permissions=["document:read"], attack=32)
    ask("a token's list grants nothing that the role lacks", ["viewer"], "document:delete", "missing", token_permissions=["document:delete"], attack=32)
    ask("a token's list of everything grants nothing that the role lacks", ["viewer"], "document:delete", "missing", token_permissions=["*"], attack=32)
    ask("a token's empty list lets nothing through", ["admin"], "document:read", "token_lacks", token_permissions=[], attack=32)
    ask("no token's list lets everything through", ["admin"], "document:read", "granted", token_permissions=None)
    ask("a token's list does not lift a denial", ["careful"], "document:delete", "denied", token_permissions=["document:delete"], attack=32)
    ask("a token's list of instances", ["owner"], "document:read:42", "granted", token_permissions=["document:read:42"])
    ask("a token's list of other instances", ["owner"], "document:read:43", "token_lacks", token_permissions=["document:read:42"])
    ask("a token's list of instances is not all", ["owner"], "document:read", "token_lacks", token_permissions=["document:read:42"])
    ask("two entries of a token's list do not add up to one", ["owner"], "document:read,update", "token_lacks", token_permissions=["document:read", "document:update"])
    ask("a token's list with what is no permission", ["owner"], "document:read", "granted", token_permissions=["", "doc*", " document:read", "document:read"])
    ask("a token's list of what is no permission", ["owner"], "document:read", "token_lacks", token_permissions=["", "doc*", " document:read", "Document:read", "documents"])
    ask("a token's list of another service's permissions too", ["owner"], "document:read", "granted", token_permissions=["chat:read", "document:read,archive"])
    ask("any, of which the token has one", ["owner"], ["document:delete", "document:read"], "granted", mode="any", token_permissions=["document:read"])
    ask("all, of which the token lacks one", ["owner"], ["document:read", "document:delete"], "token_lacks", mode="all", token_permissions=["document:read"])

    ask("a role of the tenant", ["viewer@acme"], "document:read", "granted", tenant="acme")
    ask("a role of another tenant", ["viewer@beta"], "document:read", "missing", tenant="acme")
    ask("a role of a tenant, and a check without", ["viewer@acme"], "document:read", "missing")
    ask("a role without a tenant, in a tenant", ["viewer"], "document:read", "granted", tenant="acme")
    ask("a role of the tenant adds to one without", ["viewer", "editor@acme"], "document:update", "granted", tenant="acme")
    ask("a role of another tenant adds nothing", ["viewer", "editor@beta"], "document:update", "missing", tenant="acme")
    ask("a denial of another tenant denies nothing", ["admin", "suspended@beta"], "audit:read", "granted", tenant="acme")
    ask("a denial of the tenant denies", ["admin", "suspended@acme"], "audit:read", "denied", tenant="acme")
    ask("a tenant's name is compared whole", ["viewer@acme"], "document:read", "missing", tenant="acm")
    ask("a tenant's name is compared by case", ["viewer@Acme"], "document:read", "missing", tenant="acme")
    ask("a role of two tenants is of none", ["viewer@acme@beta"], "document:read", "missing", tenant="beta")
    ask("a role of two tenants is not of the first either", ["viewer@acme@beta"], "document:read", "missing", tenant="acme")
    for name, tenant in {"with an at sign": "ac@me", "with a space": "ac me", "with a line": "acme\n", "with a NUL": "acme\u0000", "of 129 bytes": "x" * 129}.items():
        request = {"op": "rbac_check", "policy": DOCUMENTS, "roles": ["admin"], "mode": "one", "permissions": ["document:read"], "tenant": tenant}
        suite.add(f"a tenant {name} is none", request, refusal("invalid_argument"))

    ask("an instance", ["viewer"], "document:read", "granted", instance="42")
    ask("an instance that the role has not", ["reviewer"], "document:read", "missing", instance="44")
    ask("an instance that the role has", ["reviewer"], "document:read", "granted", instance="42")
    ask("an instance that is denied", ["admin", "recused"], "document:read", "denied", instance="42")
    ask("an instance beside the one that is denied", ["admin", "recused"], "document:read", "granted", instance="43")
    ask("an instance of what has none", ["admin"], "audit:read", "unknown_permission", instance="42")
    ask("an instance and a token of instances", ["owner"], "document:read", "granted", instance="42", token_permissions=["document:read:42"])
    ask("an instance and a token of others", ["owner"], "document:read", "token_lacks", instance="43", token_permissions=["document:read:42"])
    for hostile in ("*", "42,43", "42:read", ":", ",", "42 ", " 42", "4 2", "42\n", "42\u0000", "*42", "{id}", "\u00a0", "\u0085", "a" * 513):
        ask(f"an instance that is no literal name: {hostile!a}"[:60], ["admin"], "document:read", "malformed_permission", instance=hostile, attack=29)
    for odd in ("..", "../../etc/passwd", "%2A", "42;43", "\u4e2d", "a.b", "-", "'--", "\u0661"):
        ask(f"an instance of odd letters is a name: {odd!a}", ["viewer"], "document:read", "granted", instance=odd)
    ask("all with an instance", ["owner"], ["document:read", "document:update"], "granted", mode="all", instance="42")
    ask("any with an instance", ["reviewer"], ["document:update", "document:read"], "granted", mode="any", instance="43")
    ask("roles that may be together", ["payer"], "payment:create", "granted", DUTIES)
    ask("roles that may not be assigned together are not active together", ["payer", "approver"], "payment:read", "separation_of_duty", DUTIES, attack=32)
    ask("roles that may not be active together", ["payer", "auditor"], "payment:read", "separation_of_duty", DUTIES, attack=32)
    ask("a role counts with what it inherits", ["payer", "chief"], "payment:read", "separation_of_duty", DUTIES, attack=32)
    ask("separation outranks the question", ["payer", "approver"], [], "separation_of_duty", DUTIES, mode="all", attack=32)
    ask("an unknown role excludes nothing", ["payer", "ghost"], "payment:create", "granted", DUTIES)
    ask("a role of another tenant excludes nothing", ["payer", "approver@beta"], "payment:create", "granted", DUTIES, tenant="acme")
    ask("a role of the tenant excludes", ["payer", "approver@acme"], "payment:create", "separation_of_duty", DUTIES, tenant="acme", attack=32)
    ask("a role of a tenant excludes nothing outside of it", ["payer", "approver@acme"], "payment:create", "granted", DUTIES)
    ask("one role twice is one role", ["payer", "payer", "payer@acme"], "payment:create", "granted", DUTIES, tenant="acme")
    three = {"permissions": ["a:b"], "roles": {"r": {"allow": ["a:b"]}, "s": {}, "t": {}}, "constraints": {"dynamic_separation": [{"roles": ["r", "s", "t"], "at_most": 2}]}}
    ask("two of three", ["r", "s"], "a:b", "granted", three)
    ask("three of three", ["r", "s", "t"], "a:b", "separation_of_duty", three, attack=32)

    across = {"permissions": ["document:read", "session:fly", "session:read"], "roles": {"r": {"allow": ["*:read,fly"]}}}
    ask("a list behind a wildcard, each name of another resource", ["r"], "session:fly", "granted", across)
    ask("a list behind a wildcard is asked for", ["r"], "*:read,fly", "granted", across)
    ask("a wildcard within a list is a wildcard", ["admin"], "document:fly,*", "granted")
    above = {"permissions": ["a", "a:b", "a:b:c:{id}"], "roles": {"top": {"allow": ["a"]}, "tail": {"allow": ["a:*"]}, "middle": {"allow": ["a:b"]}, "low": {"allow": ["a:b:c:7"]}, "odd": {"allow": ["a:*:c"]}}}
    for role in above["roles"]:
        for text in ("a", "a:b", "a:b:c", "a:b:c:7", "a:b:c:8", "a:*", "a:b:*", "*", "a:*:c:7"):
            check(suite, f"entries above entries: {role} and {text}", above, [role], text)
    return suite


def random_policy(dice: Dice) -> Policy:
    resources, actions, instances = ("doc", "job", "log"), ("read", "edit", "drop"), ("1", "2")
    entries = [f"{r}:{a}{dice.pick(('', ':{id}'))}" for r in resources for a in actions if dice.below(3)] or ["doc:read"]
    if dice.below(4) == 0:
        entries.append(dice.pick(resources))

    def pattern() -> str:
        first = dice.pick((*resources, *resources, *resources, "*", "doc,job"))
        second = dice.pick((*actions, *actions, "*", "read,edit", ""))
        third = dice.pick(("", "", "", *instances, "*", "1,2")) if second else ""
        return ":".join(part for part in (first, second, third) if part)

    def grants(most: int) -> list[str]:
        return [text for text in (pattern() for _ in range(dice.below(most + 1))) if (parsed := roles.parse(text)) and roles.known(entries, parsed)]

    names = [f"r{i}" for i in range(2 + dice.below(4))]
    document: Policy = {"permissions": entries, "roles": {}}
    for at, name in enumerate(names):
        role = {"inherits": dice.some(names[:at], 2) if at else [], "allow": grants(9), "deny": grants(2) if dice.below(4) == 0 else []}
        document["roles"][name] = {member: texts for member, texts in role.items() if texts}
    if dice.below(6) == 0:
        document["constraints"] = {dice.pick(("static_separation", "dynamic_separation")): [{"roles": names[:2], "at_most": 1}]}
    return document


def random_questions(label: str) -> Iterator[tuple[Policy, list[str], list[str], dict[str, Any]]]:
    """Policies, the roles of who asks, what he asks, and how: without an end."""
    dice = Dice(label)
    while True:
        policy = random_policy(dice)
        names = list(policy["roles"])
        texts = [entry.replace("{id}", dice.pick(("1", "2", "3"))) for entry in policy["permissions"]] + [entry.removesuffix(":{id}") for entry in policy["permissions"]]
        odd = ["*", "doc", "doc:*", "*:read", "doc:read,edit", "job:*:1", "log:read:*", "doc:read:1,2", "doc,job:read", "doc:fly", "job:read:9"]
        for _ in range(4):
            held = [dice.pick((*names, *names, "ghost")) + dice.pick(("", "", "", "@acme", "@beta")) for _ in range(1 + dice.below(3))]
            how: dict[str, Any] = {"mode": dice.pick(("one", "one", "any", "all")), "tenant": dice.pick((None, "acme", "acme"))}
            asked = [dice.pick((*texts, *texts, *texts, *odd)) for _ in range(1 if how["mode"] == "one" else 1 + dice.below(3))]
            if dice.below(4) == 0:
                how["token_permissions"] = dice.some((*texts, "doc", "job", "chat", "*:read"), 4)
            if dice.below(6) == 0:
                how["instance"] = dice.pick(("1", "2", "3"))
            yield policy, held, asked, how


def random_decisions() -> Suite:
    suite = Suite("policy-random", "Decisions of the reference evaluator over random policies.", "FORMATS.md, Permissions")
    for policy, held, asked, how in islice(random_questions("policies"), 400):
        check(suite, f"{len(suite.names)}", policy, held, asked, **how)
    reasons = [case["answer"].get("reason", case["answer"].get("error")) for case in suite.document["cases"]]
    for least in ("granted", "denied", "missing", "token_lacks", "unknown_permission", "separation_of_duty"):
        assert reasons.count(least) >= 10, (least, reasons.count(least))
    return suite


def assignments() -> Suite:
    suite = Suite("policy-assignments", "Which roles a user may be given.", "INCITS 359-2012, static separation of duty and cardinality; ATTACKS.md 32")

    def assign(name: str, held: list[str], role: str, members: int, expected: str, attack: int | None = None, policy: Policy = DUTIES) -> None:
        said = roles.may_assign(policy, held, role, members)
        assert said == expected, f"{name}: the reference says {said}"
        request = {"op": "policy_assign", "policy": policy, "roles": held, "role": role, "members": members}
        suite.add(name, request, {"ok": True} if expected == "ok" else refusal(expected), attack)

    assign("the first role", [], "payer", 0, "ok")
    assign("a role that excludes none of his", ["clerk", "auditor"], "payer", 7, "ok")
    assign("a role that he has", ["payer"], "payer", 1, "ok")
    assign("a role that excludes his", ["payer"], "approver", 0, "separation_of_duty", 32)
    assign("a role that excludes what he inherits", ["chief"], "payer", 0, "separation_of_duty", 32)
    assign("a role that inherits what his excludes", ["payer"], "chief", 0, "separation_of_duty", 32)
    assign("only active together they exclude each other", ["payer"], "auditor", 0, "ok")
    assign("no such role", ["payer"], "ghost", 0, "unknown_role")
    assign("no such role in upper case", [], "Payer", 0, "unknown_role")
    assign("no role's name", [], "", 0, "unknown_role")
    assign("no such role, in a tenant", [], "ghost@acme", 0, "unknown_role")
    assign("his roles that the policy lacks exclude nothing", ["ghost", "approver2"], "payer", 0, "ok")
    assign("in another tenant they may be together", ["payer@acme"], "approver@beta", 0, "ok")
    assign("in one tenant they may not", ["payer@acme"], "approver@acme", 0, "separation_of_duty", 32)
    assign("without a tenant it counts in each", ["payer"], "approver@acme", 0, "separation_of_duty", 32)
    assign("given without a tenant it counts in each", ["payer@acme"], "approver", 0, "separation_of_duty", 32)
    assign("room for one more", [], "owner", 1, "ok")
    assign("no more room", [], "owner", 2, "cardinality_exceeded", 32)
    assign("far too many already", [], "owner", 2**62, "cardinality_exceeded", 32)
    assign("who has it takes no further place", ["owner"], "owner", 2, "ok")
    assign("no more room in a tenant", [], "owner@acme", 2, "cardinality_exceeded", 32)
    assign("separation outranks cardinality", ["payer"], "chief", 1, "separation_of_duty", 32)
    assign("no more room for the other", [], "chief", 1, "cardinality_exceeded", 32)
    assign("no constraints at all", ["viewer", "admin"], "owner", 10**9, "ok", None, DOCUMENTS)
    return suite


def views() -> Suite:
    suite = Suite("policy-views", "What a policy says of itself: who can, what can, why, the matrix, the difference, the doubts.", "FORMATS.md, Permissions")
    for policy, label in ((DOCUMENTS, "documents"), (DUTIES, "duties")):
        texts = [*(entry.removesuffix(":{id}") for entry in policy["permissions"]), "*"]
        for text in texts:
            suite.add(f"who can {text}: {label}", {"op": "who_can", "policy": policy, "permission": text}, {"ok": True, "roles": roles.who_can(policy, text)})
    for text, able in {"document:read:42": ["admin", "careful", "editor", "owner", "reviewer", "viewer"], "document:read:44": ["admin", "careful", "editor", "owner", "viewer"], "document:fly": [], "": [], "document:read:{id}": []}.items():
        suite.add(f"who can {text or 'nothing'}", {"op": "who_can", "policy": DOCUMENTS, "permission": text}, {"ok": True, "roles": able})

    def what(name: str, held: list[str], able: list[str], policy: Policy = DOCUMENTS, **more: Any) -> None:
        suite.add(f"what can {name}", {"op": "what_can", "policy": policy, "roles": held, "tenant": None} | more, {"ok": True, "permissions": able})

    everything = ["document:create", "document:read", "document:update", "document:delete", "audit:read", "system:config"]
    what("nobody", [], [])
    what("a ghost", ["ghost"], [])
    what("a viewer", ["viewer"], ["document:read"])
    what("an editor", ["editor"], ["document:create", "document:read", "document:update"])
    what("an admin", ["admin"], everything)
    what("one who is suspended", ["admin", "suspended"], [])
    what("one who reviews two documents", ["reviewer"], ["document:read:42", "document:read:43"])
    what("one who is careful", ["careful"], everything[:3])
    what("one with a token", ["admin"], ["document:read", "audit:read"], token_permissions=["document:read", "audit", "chat"])
    what("a viewer of the tenant", ["viewer@acme"], ["document:read"], tenant="acme")
    what("a viewer of another tenant", ["viewer@beta"], [], tenant="acme")

    def holds(name: str, held: list[str], role: str, has: bool, **more: Any) -> None:
        suite.add(f"has the role: {name}", {"op": "has_role", "policy": DOCUMENTS, "roles": held, "tenant": None, "role": role} | more, {"ok": True, "has": has})

    holds("itself", ["viewer"], "viewer", True)
    holds("inherited", ["owner"], "viewer", True)
    holds("not the other way", ["viewer"], "owner", False)
    holds("a ghost, though he has it", ["ghost"], "ghost", False)
    holds("of the tenant", ["owner@acme"], "editor", True, tenant="acme")
    holds("of another tenant", ["owner@beta"], "editor", False, tenant="acme")
    holds("in upper case", ["viewer"], "Viewer", False)
    holds("nothing", ["viewer"], "", False)

    for text, error in {"document:read": None, "document:read:42": None, "document:read:{id}": None, "document": None, "*": None, "document:create,read": None, "document:fly": "unknown_permission", "documents": "unknown_permission", "audit:read:{id}": "unknown_permission", "": "malformed", "doc*": "malformed", "document:read ": "malformed", "document:{id": "malformed"}.items():
        suite.add(f"at start-up: {text or 'nothing'}", {"op": "check_permission", "policy": DOCUMENTS, "permission": text}, refusal(error) if error else {"ok": True})
    for role, error in {"viewer": None, "ghost": "unknown_role", "": "unknown_role", "Viewer": "unknown_role", "viewer@acme": "unknown_role"}.items():
        suite.add(f"at start-up: role {role or 'of no name'}", {"op": "check_role", "policy": DOCUMENTS, "role": role}, refusal(error) if error else {"ok": True})

    def explained(name: str, held: list[str], mode: str, findings: list[dict[str, Any]], because: str, ghosts: list[str] | None = None, policy: Policy = DOCUMENTS, **more: Any) -> None:
        asked = [finding["permission"] for finding in findings]
        explanation = {"allowed": because == "granted", "mode": mode, "reason": because, "permissions": findings, "unknown_roles": ghosts or []}
        request = {"op": "rbac_explain", "policy": policy, "roles": held, "mode": mode, "permissions": asked, "tenant": None} | more
        suite.add(f"explained: {name}", request, {"ok": True, "explanation": explanation})

    def finding(permission: str, because: str, grants: list[tuple[list[str], str]] | None = None, denies: list[tuple[list[str], str]] | None = None) -> dict[str, Any]:
        def listed(each: list[tuple[list[str], str]] | None) -> list[dict[str, Any]]:
            return [{"role": via[-1], "via": via, "grant": grant} for via, grant in each or []]

        return {"permission": permission, "allowed": because == "granted", "reason": because, "grants": listed(grants), "denies": listed(denies)}

    explained("granted", ["viewer"], "all", [finding("document:read", "granted", [(["viewer"], "document:read")])], "granted")
    explained("granted by inheritance", ["editor"], "all", [finding("document:read", "granted", [(["editor", "viewer"], "document:read")])], "granted")
    explained("granted twice over", ["owner"], "all", [finding("document:read:7", "granted", [(["owner"], "document:*"), (["owner", "editor", "viewer"], "document:read")])], "granted")
    explained("denied, and by whom", ["careful"], "all", [finding("document:delete", "denied", [(["careful", "owner"], "document:*")], [(["careful"], "document:delete")])], "denied")
    explained("denied where nothing grants", ["suspended"], "all", [finding("audit:read", "denied", [], [(["suspended"], "*")])], "denied")
    explained("missing", ["viewer"], "all", [finding("document:delete", "missing")], "missing")
    explained("unknown", ["admin"], "all", [finding("document:fly", "unknown_permission")], "unknown_permission")
    explained("malformed", ["admin"], "all", [finding("document:", "malformed_permission")], "malformed_permission")
    explained("the token lacks", ["viewer"], "all", [finding("document:read", "token_lacks", [(["viewer"], "document:read")])], "token_lacks", token_permissions=["audit:read"])
    explained("an unknown role is named", ["ghost", "viewer", "Viewer"], "all", [finding("document:read", "granted", [(["viewer"], "document:read")])], "granted", ["ghost", "Viewer"])
    explained("a role of another tenant is no unknown one", ["viewer@beta", "ghost@beta"], "all", [finding("document:read", "missing")], "missing", ["ghost@beta"], tenant="acme")
    explained("any of two", ["viewer"], "any", [finding("document:delete", "missing"), finding("document:read", "granted", [(["viewer"], "document:read")])], "granted")
    explained("all of two", ["viewer"], "all", [finding("document:read", "granted", [(["viewer"], "document:read")]), finding("document:delete", "missing")], "missing")
    explained("any of nothing", ["viewer"], "any", [], "empty")
    instance = finding("document:read:42", "granted", [(["reviewer"], "document:read:42")])
    suite.add("explained: an instance", {"op": "rbac_explain", "policy": DOCUMENTS, "roles": ["reviewer"], "mode": "all", "permissions": ["document:read"], "tenant": None, "instance": "42"}, {"ok": True, "explanation": {"allowed": True, "mode": "all", "reason": "granted", "permissions": [instance], "unknown_roles": []}})

    def cells(policy: Policy) -> dict[str, dict[str, str]]:
        return {role: {entry: cell for entry in policy["permissions"] if (cell := standing(policy, role, entry))} for role in policy["roles"]}

    for policy, label in ((DOCUMENTS, "documents"), (DUTIES, "duties"), (MINIMAL, "one role"), ({"permissions": [], "roles": {}}, "nothing")):
        matrix = {"permissions": policy["permissions"], "roles": list(policy["roles"]), "cells": cells(policy)}
        suite.add(f"the matrix of {label}", {"op": "policy_matrix", "policy": policy, "format": "json"}, {"ok": True, "matrix": matrix})

    def difference(name: str, before: Policy, after: Policy, *, added: tuple[str, ...] = (), removed: tuple[str, ...] = (), changed: dict[str, tuple[list[str], list[str]]] | None = None, catalogue: tuple[list[str], list[str]] = ([], []), constraints: tuple[list[str], list[str]] = ([], [])) -> None:
        roles_ = {"added": list(added), "removed": list(removed), "changed": {role: {"gained": gained, "lost": lost} for role, (gained, lost) in (changed or {}).items()}}
        document = {"roles": roles_, "permissions": {"added": catalogue[0], "removed": catalogue[1]}, "constraints": {"added": constraints[0], "removed": constraints[1]}}
        suite.add(f"the difference: {name}", {"op": "policy_diff", "before": before, "after": after}, {"ok": True, "diff": document})

    base: Policy = {"permissions": ["a:b", "a:c", "d:{id}"], "roles": {"r": {"allow": ["a:b"]}, "s": {"inherits": ["r"], "allow": ["d"]}}}

    def changed(role: str, members: dict[str, Any]) -> Policy:
        return base | {"roles": base["roles"] | {role: members}}

    difference("none", base, base)
    difference("none, written otherwise", base, changed("r", {"allow": ["a:b", "a:b"], "description": "The same.", "deny": []}) | {"name": "other"})
    difference("none, granted otherwise", base, changed("s", {"allow": ["a:b", "d:*"]}))
    difference("a role and its heirs gain", base, changed("r", {"allow": ["a"]}), changed={"r": (["a:c"], []), "s": (["a:c"], [])})
    difference("a role gains and loses", base, changed("r", {"allow": ["a:c"]}), changed={"r": (["a:c"], ["a:b"]), "s": (["a:c"], ["a:b"])})
    difference("a denial takes away", base, changed("s", {"inherits": ["r"], "allow": ["d"], "deny": ["a:b"]}), changed={"s": ([], ["a:b"])})
    difference("a role is added", base, changed("t", {"allow": ["d:7"]}), added=("t",), changed={"t": (["d:7"], [])})
    difference("a role is removed", changed("t", {"allow": ["d:7"]}), base, removed=("t",), changed={"t": ([], ["d:7"])})
    difference("a role that may nothing is added", base, changed("t", {}), added=("t",))
    difference("the catalogue grows", base, base | {"permissions": [*base["permissions"], "e:f"]}, catalogue=(["e:f"], []))
    difference("the catalogue grows, and one who may all of it gains", {"permissions": ["a:b"], "roles": {"r": {"allow": ["*"]}}}, {"permissions": ["a:b", "c:{id}"], "roles": {"r": {"allow": ["*"]}}}, changed={"r": (["c"], [])}, catalogue=(["c:{id}"], []))
    difference("an entry is opened", {"permissions": ["a:b"], "roles": {"r": {"allow": ["*"]}}}, {"permissions": ["a:b:{id}"], "roles": {"r": {"allow": ["*"]}}}, changed={"r": (["a:b:*"], [])}, catalogue=(["a:b:{id}"], ["a:b"]))

    duty = base | {"constraints": {"static_separation": [{"roles": ["s", "r"], "at_most": 1}], "cardinality": [{"role": "s", "at_most": 3}]}}
    lines = ["cardinality: at most 3 s", "static_separation: at most 1 of r, s"]
    difference("constraints are added", base, duty, constraints=(lines, []))
    difference("constraints are removed", duty, base, constraints=([], lines))
    difference("a constraint is loosened", duty, duty | {"constraints": duty["constraints"] | {"cardinality": [{"role": "s", "at_most": 4}]}}, constraints=(["cardinality: at most 4 s"], lines[:1]))
    difference("a constraint is written otherwise", duty, duty | {"constraints": {"cardinality": [{"at_most": 3, "role": "s"}], "static_separation": [{"roles": ["r", "s", "r"]}], "dynamic_separation": []}})
    instances: Policy = {"permissions": ["d:read:{id}"], "roles": {"r": {"allow": ["d:read"]}}}

    def only(**members: list[str]) -> Policy:
        return instances | {"roles": {"r": members}}

    difference("all instances but one", instances, only(allow=["d:read"], deny=["d:read:7"]), changed={"r": ([], ["d:read", "d:read:7"])})
    difference("one instance instead of another", only(allow=["d:read:7"]), only(allow=["d:read:8"]), changed={"r": (["d:read:8"], ["d:read:7"])})
    difference("all instances instead of one", only(allow=["d:read:7"]), instances, changed={"r": (["d:read"], [])})

    def doubts(name: str, policy: Policy, *found: tuple[str, str]) -> None:
        suite.add(f"the doubts: {name}", {"op": "policy_lint", "policy": policy}, {"ok": True, "findings": [{"kind": kind, "path": path} for kind, path in found]})

    doubts("none", MINIMAL)
    doubts("a permission that no role of a hierarchy has", base, ("unused_permission", "permissions[1]"))
    doubts("a role that nobody can have", {"permissions": ["a:b"], "roles": {"r": {"allow": ["a:b"]}, "s": {}, "t": {"inherits": ["r", "s"]}}, "constraints": {"static_separation": [{"roles": ["r", "s"], "at_most": 1}]}}, ("unreachable_role", "roles.t.inherits"), ("empty_role", "roles.s"), ("equal_roles", "roles.r"))
    doubts("a role that can never be active", {"permissions": ["a:b", "a:c", "a:d"], "roles": {"r": {"allow": ["a:b"]}, "s": {"allow": ["a:c"]}, "t": {"inherits": ["r", "s"], "allow": ["a:d"]}}, "constraints": {"dynamic_separation": [{"roles": ["r", "s"], "at_most": 1}]}}, ("separation_violation", "roles.t.inherits"))
    doubts("a grant in the shadow of a denial", {"permissions": ["a:b", "a:c"], "roles": {"r": {"allow": ["a:b", "a:c"], "deny": ["a:b"]}, "s": {"allow": ["a"]}}}, ("shadowed_grant", "roles.r.allow"))
    doubts("a grant in part in the shadow", {"permissions": ["a:b", "a:c"], "roles": {"r": {"allow": ["a"], "deny": ["a:b"]}, "s": {"allow": ["a"]}}})
    doubts("a role that may nothing", {"permissions": ["a:b"], "roles": {"r": {"allow": ["a:b"]}, "s": {}}}, ("empty_role", "roles.s"))
    doubts("roles that are equal", {"permissions": ["a:b"], "roles": {"r": {"allow": ["a:b"]}, "s": {"allow": ["*"]}}}, ("equal_roles", "roles.r"))
    doubts("a permission that nobody has", {"permissions": ["a:b", "a:c"], "roles": {"r": {"allow": ["a:b"]}}}, ("unused_permission", "permissions[1]"))
    return suite


def standing(policy: Policy, role: str, entry: str) -> str | None:
    """A cell of the matrix: all of an entry, some of its instances, denied, or nothing."""
    text = entry.removesuffix(":{id}")
    required = roles.parse(text)
    assert required
    held = roles.closure(policy, [role])
    grants = {kind: [parsed for each in held for grant in policy["roles"][each].get(kind, []) if (parsed := roles.parse(grant))] for kind in ("allow", "deny")}
    if roles.reason(policy, Subject((role,)), text) == "granted":
        return "granted"
    if any(roles.implies(denied, required) for denied in grants["deny"]):
        return "denied"
    if text != entry:
        named = {name for allowed in grants["allow"] if len(allowed) > len(required) for name in allowed[len(required)] if name != roles.ANY}
        # A name that no grant has stands for all the instances that nobody named.
        if any(roles.reason(policy, Subject((role,)), f"{text}:{name}") == "granted" for name in (*named, "another")):
            return "some"
    return "denied" if any(roles.intersects(denied, required) for denied in grants["deny"]) else None


def documents() -> Suite:
    suite = Suite("policy-documents", "The one text of a policy, and its digest; the policies that donjon comes with.", "SHA-256 of the canonical JSON")

    def write(name: str, policy: Policy) -> None:
        text = roles.canonical(policy)
        suite.add(name, {"op": "policy_document", "policy": policy}, {"ok": True, "document": text, "digest_hex": hashlib.sha256(text.encode()).hexdigest()})

    write("every member", DOCUMENTS)
    write("every constraint", DUTIES)
    write("the least", MINIMAL)
    write("nothing", {"roles": {}, "permissions": []})
    write("lists out of order, and twice", {"permissions": ["b:c", "a:b:{id}", "a:a"], "roles": {"z": {}, "a": {"deny": ["b", "a:b"], "allow": ["b:c", "a", "b:c"], "inherits": ["z", "m", "z"]}, "m": {"inherits": [], "description": ""}}})
    write("letters beyond ASCII", {"name": "Dok\u00fcmente \u2014 \U0001f4c4", "permissions": ["\u00e9:\u4e2d", "\uff5e:\ue000", "\U0001f600:a"], "roles": {"\u00e9": {"allow": ["\u00e9", "\U0001f600", "\uff5e"]}, "\U0001f600": {}, "\uff5e": {}}})
    write("letters that JSON escapes", {"name": '"\\/\b\f\n\r\t\u0001\u007f\u2028<&>', "permissions": ['"\\/<&>'], "roles": {'"\\/<&>': {"description": "\u0000\u001f", "allow": ['"\\/<&>']}}})
    write("constraints out of order", DUTIES | {"constraints": {"cardinality": list(reversed(DUTIES["constraints"]["cardinality"])), "dynamic_separation": [{"roles": ["payer", "auditor"], "at_most": 1}, {"at_most": 1, "roles": ["clerk", "auditor", "clerk"]}, {"roles": ["auditor", "payer"], "at_most": 1}], "static_separation": []}})
    for name, table in SHIPPED.items():
        policy = json.loads((SHIPPED_FOLDER / f"{name}.json").read_text())
        text = roles.canonical(policy)
        suite.add(f"donjon comes with {name}", {"op": "policy_shipped", "name": name}, {"ok": True, "document": text, "digest_hex": hashlib.sha256(text.encode()).hexdigest()})
        for role, able in table.items():
            catalogue = [entry for entry in policy["permissions"] if entry in able]
            assert len(catalogue) == len(able), (name, role)
            suite.add(f"{name}: what {role} may do", {"op": "what_can", "policy": policy, "roles": [role], "tenant": None}, {"ok": True, "permissions": catalogue})
        assert set(policy["roles"]) == set(table)
    for name in ("", "Deepinsight", "deepinsight.json", "../deepinsight", "session_cluster", "nothing"):
        suite.add(f"no policy comes with donjon named {name or 'nothing at all'}", {"op": "policy_shipped", "name": name}, refusal("invalid_argument"))
    return suite


def casbin() -> Suite:
    suite = Suite("policy-casbin", "The CSV of casbin's plain RBAC model as a policy.", "casbin, rbac_model.conf")

    def imported(name: str, lines: str, policy: Policy, assignments: dict[str, list[str]] | None = None) -> None:
        document = {"policy": json.loads(roles.canonical(policy)), "assignments": assignments or {}}
        suite.add(name, {"op": "casbin_import", "csv": lines}, {"ok": True, "imported": document})

    def refused(name: str, lines: str, error: str = "malformed") -> None:
        suite.add(name, {"op": "casbin_import", "csv": lines}, refusal(error))

    one: Policy = {"permissions": ["document:read"], "roles": {"editor": {"allow": ["document:read"]}}}
    imported("one grant", "p, editor, document, read", one)
    for name, lines in {"no spaces": "p,editor,document,read", "spaces and tabs": " p ,\teditor , document,  read \t", "quotes": 'p, "editor", "document", "read"', "allow said": "p, editor, document, read, allow", "twice": "p, editor, document, read\np, editor, document, read\n", "CRLF": "p, editor, document, read\r\n", "empty lines and comments": "\n# a comment\n\np, editor, document, read\n  # another\n"}.items():
        imported(f"one grant: {name}", lines, one)
    imported("nothing", "", {"permissions": [], "roles": {}})
    imported("only a comment", "# nothing", {"permissions": [], "roles": {}})
    imported("a denial", "p, editor, document, read, deny", {"permissions": ["document:read"], "roles": {"editor": {"deny": ["document:read"]}}})
    imported("an allowance and a denial", "p, editor, document, read\np, editor, document, read, deny", {"permissions": ["document:read"], "roles": {"editor": {"allow": ["document:read"], "deny": ["document:read"]}}})
    imported("a user of a role", "p, editor, document, read\ng, ann, editor", one, {"ann": ["editor"]})
    imported("users of roles, out of order", "g, zoe, editor\ng, ann, viewer\ng, ann, editor\np, editor, document, edit\np, viewer, document, read", {"permissions": ["document:edit", "document:read"], "roles": {"editor": {"allow": ["document:edit"]}, "viewer": {"allow": ["document:read"]}}}, {"ann": ["editor", "viewer"], "zoe": ["editor"]})
    imported("a role that inherits", "p, viewer, document, read\np, editor, document, edit\ng, editor, viewer\ng, ann, editor", {"permissions": ["document:edit", "document:read"], "roles": {"editor": {"inherits": ["viewer"], "allow": ["document:edit"]}, "viewer": {"allow": ["document:read"]}}}, {"ann": ["editor"]})
    imported("a role without grants that inherits", "p, viewer, document, read\ng, team, viewer\ng, ann, team", {"permissions": ["document:read"], "roles": {"team": {"inherits": ["viewer"]}, "viewer": {"allow": ["document:read"]}}}, {"ann": ["team"]})
    imported("a role that nobody defined", "g, ann, ghost", {"permissions": [], "roles": {"ghost": {}}}, {"ann": ["ghost"]})
    imported("a user with a grant of his own", "p, ann, document, read\np, editor, document, edit\ng, ann, editor", {"permissions": ["document:edit", "document:read"], "roles": {"ann": {"inherits": ["editor"], "allow": ["document:read"]}, "editor": {"allow": ["document:edit"]}}}, {"ann": ["ann"]})
    imported("letters beyond ASCII", "p, r\u00e9dacteur, \u6587\u6863, lire\ng, zo\u00eb, r\u00e9dacteur", {"permissions": ["\u6587\u6863:lire"], "roles": {"r\u00e9dacteur": {"allow": ["\u6587\u6863:lire"]}}}, {"zo\u00eb": ["r\u00e9dacteur"]})

    for name, lines in {
        "a line of another kind": "p, editor, document, read\nq, a, b", "a word": "hello", "a path with a pattern": "p, editor, /documents/*, read", "an object that is everything": "p, admin, *, *", "an action of a regular expression": "p, editor, document, (read)|(edit)*", "an object with a colon": "p, editor, document:42, read", "an object with a space": "p, editor, my document, read",
        "too few fields": "p, editor, document", "a domain": "p, editor, acme, document, read", "an effect that is none": "p, editor, document, read, maybe", "an effect in upper case": "p, editor, document, read, Deny", "six fields": "p, editor, document, read, allow, x", "a user of a role of a domain": "g, ann, editor, acme", "a user of nothing": "g, ann", "a second kind of role": "g2, a, b", "a second kind of policy": "p2, editor, document, read",
        "a kind in upper case": "P, editor, document, read", "an empty role": "p, , document, read", "an empty object": "p, editor, , read", "an empty action": "p, editor, document, ", "an empty user": "g, , editor", "a role with an at sign": "p, editor@acme, document, read", "a comma in quotes": 'p, editor, "a,b", read', "half a pair of quotes is a letter, and a comma's": 'p, "editor, x", document, read', "a NUL": "p, editor, docu\u0000ment, read", "JSON": "{}",
        "a role of 129 bytes": f"p, {'x' * 129}, document, read",
        "a comma in quotes, and what would be an effect": 'p, ann, "a, b", allow', "a quote in quotes": 'p, ann, "a""b", read', "a quote that does not end": 'g, ann, "editor', "a quote in a name": 'p, ann, a"b, read',
    }.items():  # fmt: skip
        refused(f"refused: {name}", lines)
    refused("refused: a role that inherits itself", "p, a, document, read\ng, a, a", "config_error")
    refused("refused: roles that inherit each other", "p, a, document, read\ng, a, b\ng, b, a", "config_error")
    return suite
