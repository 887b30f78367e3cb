"""One question about 100 rules, beside casbin's enforcer. As in src/roles/model.rs."""

from __future__ import annotations

import itertools
import tempfile
from pathlib import Path

import casbin
import donjon
from race import report

SUBJECT = "ann"
ACTIONS = ("read", "write", "share", "delete", "audit")
CATALOGUE = [(f"resource-{number}", action) for number in range(20) for action in ACTIONS]
ROLES = 10
HELD = ["role-3", "role-9"]

RBAC_MODEL = """
[request_definition]
r = sub, obj, act
[policy_definition]
p = sub, obj, act
[role_definition]
g = _, _
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act
"""

Grant = tuple[str, str]


def measure() -> None:
    grants = {
        f"role-{role}": [CATALOGUE[(role * 37 + grant * 11) % 100] for grant in range(10)]
        for role in range(ROLES)
    }
    policy = policy_of(grants)
    subject = policy.subject(HELD)
    enforcer = enforcer_of(grants)

    hits = {grant for role in ("role-0", *HELD) for grant in grants[role]}
    misses = [grant for grant in CATALOGUE if grant not in hits]
    asked = [grant for pair in zip(sorted(hits), misses, strict=False) for grant in pair]
    permissions = [":".join(grant) for grant in asked]
    for grant, permission in zip(asked, permissions, strict=True):
        allowed = grant in hits
        assert subject.has(permission) is allowed
        assert policy.allows(HELD, permission) is allowed
        assert enforcer.enforce(SUBJECT, *grant) is allowed

    theirs = itertools.cycle(asked)
    casbin_ = {"casbin": lambda: enforcer.enforce(SUBJECT, *next(theirs))}
    ours = itertools.cycle(permissions)
    report("roles check from subject, 100 rules", lambda: subject.has(next(ours)), casbin_, 1 / 200)
    report(
        "roles check from strings, 100 rules",
        lambda: policy.allows(HELD, next(ours)),
        casbin_,
        1 / 200,
    )


def policy_of(grants: dict[str, list[Grant]]) -> donjon.Policy:
    roles = {
        role: {
            "inherits": [] if role == "role-0" else ["role-0"],
            "allow": [":".join(grant) for grant in allow],
        }
        for role, allow in grants.items()
    }
    document = {
        "name": "benchmark",
        "permissions": [":".join(entry) for entry in CATALOGUE],
        "roles": roles,
    }
    return donjon.Policy(document)


def enforcer_of(grants: dict[str, list[Grant]]) -> casbin.Enforcer:
    rules = [f"p, {role}, {', '.join(grant)}" for role, allow in grants.items() for grant in allow]
    links = [f"g, {role}, role-0" for role in grants if role != "role-0"]
    links += [f"g, {SUBJECT}, {role}" for role in HELD]
    with tempfile.TemporaryDirectory() as folder:
        model, csv = Path(folder, "model.conf"), Path(folder, "policy.csv")
        model.write_text(RBAC_MODEL)
        csv.write_text("\n".join(rules + links))
        return casbin.Enforcer(str(model), str(csv))
